"""Schedules with a clock of their own: every kind of time, clock changes, downtime, events, and each exactly once."""

import sqlite3
import threading
from datetime import UTC, datetime, time, timedelta
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest

from tests.paper import ADA, OLIVIA, PROOF, QUINN, SAM, a_document, a_register
from tools.calendar import Calendar, Shift
from tools.documents.life import Refusal
from tools.documents.register import Shelf
from tools.documents.schedules import Event, Schedules, read_trigger

BERLIN = ZoneInfo("Europe/Berlin")
CALENDAR = Calendar(BERLIN, (
    Shift("day", "day shift", time(6), time(14)), Shift("evening", "evening shift", time(14), time(22)),
    Shift("night", "night shift", time(22), time(6)),
))  # fmt: skip
RECORDS = {"nonconformances": SimpleNamespace(time="opened_at"), "spare_parts": SimpleNamespace(time=None)}
T0 = datetime(2026, 6, 17, 9, tzinfo=BERLIN)


class Plant:
    """A register, schedules, records that are opened, and a drafting that may fail."""

    def __init__(self, folder):
        self.register = a_register(folder)
        self.schedules = Schedules(self.register.store)
        self.opened: list[Event] = []
        self.fails = False
        self.empty = False
        self.asked: list[tuple[str, dict[str, str], datetime]] = []

    def add(self, when, caller=SAM, now=T0, **arguments):
        return self.schedules.add(caller, "oee_report", arguments, when, now, now)

    def run(self, now):
        return self.schedules.run_due(now, now, CALENDAR, RECORDS, self.make, self.events)

    def make(self, schedule, arguments, at, occasion):
        if self.fails:
            raise RuntimeError("the plant is away")
        self.asked.append((schedule.id, dict(arguments), at))
        if self.empty:
            return "", "There is nothing to report."
        made = Shelf(self.register, occasion).keep(a_document("oee_report"), PROOF, SAM)
        return made.id, f"Drafted {made.id}."

    def events(self, schedule, record, since, until):
        return [event for event in self.opened if since <= event.at <= until]


@pytest.fixture
def plant(tmp_path):
    return Plant(tmp_path)


@pytest.mark.parametrize(("when", "now", "due"), [
    ("shift_end", T0 + timedelta(hours=5), "2026-06-17T14:00+02:00"),
    ("shift_end", T0 + timedelta(hours=4, minutes=59), None),
    ("shift_end night", T0 + timedelta(days=1), "2026-06-18T06:00+02:00"),
    ("shift_end:night", T0 + timedelta(days=1), "2026-06-18T06:00+02:00"),
    ("daily 06:30", T0 + timedelta(days=1), "2026-06-18T06:30+02:00"),
    ("daily 09:30", T0 + timedelta(minutes=30), "2026-06-17T09:30+02:00"),
    ("weekly mon 06:00", datetime(2026, 6, 22, 6, tzinfo=BERLIN), "2026-06-22T06:00+02:00"),
    ("weekly monday 06:00", datetime(2026, 6, 22, 5, 59, tzinfo=BERLIN), None),
    ("monthly 1 06:00", datetime(2026, 7, 1, 7, tzinfo=BERLIN), "2026-07-01T06:00+02:00"),
    ("monthly 31 06:00", datetime(2026, 6, 30, 7, tzinfo=BERLIN), "2026-06-30T06:00+02:00"),
])  # fmt: skip
def test_each_kind_of_time(plant, when, now, due):
    plant.add(when)
    ran = plant.run(now)
    assert [item.at.isoformat(timespec="minutes") for item in ran] == ([due] if due else [])
    assert plant.run(now) == []


def test_the_night_of_25_hours_has_its_shift_once(plant):
    plant.add("shift_end night", now=datetime(2026, 10, 24, 12, tzinfo=BERLIN))
    assert [r.at.isoformat() for r in plant.run(datetime(2026, 10, 25, 12, tzinfo=BERLIN))] == ["2026-10-25T06:00:00+01:00"]


def test_what_a_downtime_missed_is_caught_up_once_as_of_the_last_time(plant):
    plant.add("daily 06:00", line="Line 3")
    (ran,) = plant.run(T0 + timedelta(days=10))
    assert ran.at == datetime(2026, 6, 27, 6, tzinfo=BERLIN)
    assert ran.missed == 9
    assert "9 earlier times were missed" in plant.schedules.all()[0].note
    assert plant.asked == [("SCH-0001", {"line": "Line 3"}, ran.at)]
    assert plant.run(T0 + timedelta(days=10, hours=1)) == []
    assert len(plant.run(T0 + timedelta(days=11))) == 1


def test_one_that_fails_keeps_its_place_and_does_not_hold_up_others(plant):
    plant.add("daily 06:00")
    plant.fails = True
    (ran,) = plant.run(T0 + timedelta(days=1))
    assert (ran.document, ran.text) == ("", "the plant is away")
    assert plant.schedules.all()[0].note == "the plant is away"
    plant.fails = False
    assert len(plant.run(T0 + timedelta(days=1, minutes=1))) == 1


def test_nothing_to_report_is_served_too(plant):
    plant.add("daily 06:00")
    plant.empty = True
    assert plant.run(T0 + timedelta(days=1))[0].text == "There is nothing to report."
    assert plant.run(T0 + timedelta(days=1)) == []


def test_each_opened_record_is_drafted_once_with_its_own_arguments(plant):
    plant.add("opened nonconformances", lot="$lot", product="$product", line="Line 1")
    plant.opened = [
        Event("NCR-1", T0 + timedelta(hours=1), {"lot": "7", "product": ""}),
        Event("NCR-2", T0 + timedelta(hours=1), {"lot": "8"}),
    ]
    assert [r.document for r in plant.run(T0 + timedelta(hours=2))] == ["DOC-2026-0001", "DOC-2026-0002"]
    assert [asked[1] for asked in plant.asked] == [{"lot": "7", "line": "Line 1"}, {"lot": "8", "line": "Line 1"}]
    plant.opened.append(Event("NCR-3", T0 + timedelta(hours=1), {"lot": "9"}))  # written late, with the same time
    assert len(plant.run(T0 + timedelta(hours=2))) == 1
    assert plant.run(T0 + timedelta(hours=3)) == []
    assert plant.register.store.audit() == []


def test_an_empty_event_is_not_asked_for_again(plant):
    plant.add("ncr_opened")
    plant.empty = True
    plant.opened = [Event("NCR-1", T0 + timedelta(hours=1), {})]
    assert len(plant.run(T0 + timedelta(hours=2))) == 1
    assert plant.run(T0 + timedelta(hours=2)) == []
    assert len(plant.asked) == 1


def test_killed_between_draft_and_note_it_is_not_drafted_twice(plant, monkeypatch):
    plant.add("daily 06:00")

    def dies(*arguments, **named):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Schedules, "_note", dies)
        with pytest.raises(KeyboardInterrupt):
            plant.run(T0 + timedelta(days=1))
    assert len(plant.register.store.every()) == 1
    assert plant.run(T0 + timedelta(days=1)) == []
    assert len(plant.register.store.every()) == 1


def test_two_processes_draft_an_occasion_once(plant, tmp_path):
    plant.add("daily 06:00")
    other = Plant(tmp_path)
    first = plant.run(T0 + timedelta(days=1))
    assert [r.document for r in first] == ["DOC-2026-0001"]
    with pytest.raises(Refusal, match="already made"):
        Shelf(other.register, "SCH-0001 2026-06-18T06:00+02:00").keep(a_document("oee_report"), PROOF, SAM)
    assert other.run(T0 + timedelta(days=1)) == []


def test_who_removes_what(plant):
    own = plant.add("daily 06:00", caller=OLIVIA)
    with pytest.raises(Refusal, match="Only the person"):
        plant.schedules.remove(SAM, own.id, T0)
    assert plant.schedules.remove(ADA, own.id, T0).id == "SCH-0001"
    assert plant.add("daily 06:00").id == "SCH-0002"
    assert plant.schedules.remove(QUINN, "SCH-0002", T0)
    with pytest.raises(Refusal, match="no schedule"):
        plant.schedules.remove(QUINN, "SCH-0002", T0)
    assert [e.action for e in plant.register.store.trail()] == ["schedule_added", "schedule_removed"] * 2


@pytest.mark.parametrize("words", ["", "hourly", "daily 25:00", "daily", "weekly someday 06:00", "monthly 0 06:00", "monthly 32 06:00",
                                   "shift_end lunch", "opened moons", "opened spare_parts", "daily 6"])  # fmt: skip
def test_a_time_that_does_not_exist_is_one_sentence(words):
    with pytest.raises(Refusal) as refused:
        read_trigger(words, CALENDAR, RECORDS)
    assert str(refused.value).endswith(".")


# Over the demo plant


def test_a_handover_at_shift_end_and_a_deviation_for_each_opened_report(assistant):
    quinn = assistant.caller("quinn")
    handover = assistant.scheduled.add(quinn, "shift_handover", {"line": "line 2"}, "shift_end day")
    opened = assistant.scheduled.add(quinn, "deviation", {"lot": "$lot"}, "opened nonconformances")
    store = assistant.register.store
    try:
        start = assistant.now() - timedelta(days=5)
        with store.change() as change:
            change.db.execute("UPDATE schedules SET reached = ?", (start.astimezone(UTC).isoformat(timespec="seconds"),))
        ran = assistant.scheduled.run_due()
        mine = [item for item in ran if item["schedule"] == handover["schedule"]]
        assert len(mine) == 1
        assert mine[0]["at"] == "2026-06-16T14:00:00+02:00"
        shown = assistant.documents.show(quinn, mine[0]["document"])
        assert any("day" in text.lower() and "16 Jun 2026" in text for label, text in shown["scope"] if label == "Period")
        with sqlite3.connect(f"file:{assistant.settings.home / 'demo' / 'mes.sqlite'}?mode=ro", uri=True) as mes:
            counted = mes.execute(
                "SELECT COUNT(*) FROM nonconformances WHERE opened_at >= ? AND opened_at <= ?",
                (start.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S"), assistant.now().astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")),
            ).fetchone()[0]
        assert counted > 0
        assert len([item for item in ran if item["schedule"] == opened["schedule"]]) == min(counted, 20)
    finally:
        for schedule in (handover, opened):
            assistant.scheduled.remove(quinn, schedule["schedule"])


def test_a_wrong_schedule_is_one_sentence(assistant):
    from assistant.problems import BadQuestion, NotAllowed

    quinn = assistant.caller("quinn")
    for kind, arguments, when in (("moon_report", {}, "daily 06:00"), ("oee_report", {"colour": "red"}, "daily 06:00"),
                                  ("oee_report", {}, "sometimes"), ("oee_report", {"lot": "$lot"}, "daily 06:00")):  # fmt: skip
        with pytest.raises(BadQuestion):
            assistant.scheduled.add(quinn, kind, arguments, when)
    with pytest.raises(NotAllowed):
        assistant.scheduled.add(assistant.caller("ada"), "oee_report", {}, "daily 06:00")


def test_the_service_looks_by_itself_and_stops(assistant, monkeypatch):
    from assistant.scheduled import Scheduled

    scheduled, looked = Scheduled(assistant), threading.Event()
    monkeypatch.setattr(Schedules, "all", lambda self: [object()])

    def run_due(now=None):
        looked.set()
        raise RuntimeError("a report that fails does not end the watch")

    monkeypatch.setattr(scheduled, "run_due", run_due)
    scheduled.start(every_s=0.01)
    assert looked.wait(5)
    looked.clear()
    assert looked.wait(5)
    scheduled.stop()
    assert not [thread for thread in threading.enumerate() if thread.name == "schedules"]
