"""Reports at times and events: what is to be drafted when, kept in the store, caught up once after a downtime.

A trigger is a few words: `shift_end`, `shift_end night`, `daily 06:30`, `weekly mon 06:00`, `monthly 1 06:00`,
`opened nonconformances`. A schedule remembers the moment up to which it is served (`reached`); when several times were
missed, the last one is drafted, once; of events each is drafted once, however often this runs and in however many
processes, since a draft and its occasion are kept in one transaction. tests/test_schedules.py with a clock of its own.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any

from tools.access import Caller
from tools.calendar import Calendar
from tools.documents.life import Refusal
from tools.documents.store import DocumentStore
from tools.documents.trail import Draft as TrailDraft

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
#: Short words for events that people name often.
EVENTS = {"ncr_opened": "opened nonconformances"}
#: Events that one run drafts for one schedule; the next run goes on behind them.
EVENTS_AT_ONCE = 20
#: Arguments that begin so are filled from the record that an event is about.
FROM_EVENT = "$"


@dataclass(frozen=True)
class Trigger:
    """When a schedule is due. `on`: shift_end, daily, weekly, monthly or opened; `name` a shift or a record, `day` a
    weekday (Monday is 0) or a day of the month, `clock` plant time."""

    on: str
    name: str = ""
    day: int = 0
    clock: time = time(0)

    def last(self, calendar: Calendar, after: datetime, until: datetime) -> tuple[datetime | None, int]:
        """The last due time in (after, until], and how many there were."""
        times = self._times(calendar, after, until)
        return (times[-1] if times else None), len(times)

    def _times(self, calendar: Calendar, after: datetime, until: datetime) -> list[datetime]:
        if self.on == "shift_end":
            runs = calendar.runs(after - timedelta(days=1), until + timedelta(seconds=1), (self.name,) if self.name else ())
            found = [run.end for run in runs]
        else:
            first, days = calendar.local(after).date(), (calendar.local(until).date() - calendar.local(after).date()).days
            wanted = (first + timedelta(days=offset) for offset in range(days + 1))
            found = [
                calendar.at(day, self.clock) for day in wanted if self._falls_on(day.weekday(), day.day, (day + timedelta(days=1)).day)
            ]
        return sorted((moment for moment in found if _utc(after) < _utc(moment) <= _utc(until)), key=_utc)

    def _falls_on(self, weekday: int, day: int, next_day: int) -> bool:
        if self.on == "weekly":
            return weekday == self.day
        if self.on == "monthly":
            return day == self.day or (next_day == 1 and day < self.day)  # the 31st of a month of 30 days
        return self.on == "daily"


def read_trigger(text: str, calendar: Calendar, records: Mapping[str, Any]) -> Trigger:
    """The trigger behind its words. Raises Refusal that says which there are."""
    said = EVENTS.get(text.strip(), text)
    words = said.replace("shift_end:", "shift_end ").replace("opened:", "opened ").split()
    match words:
        case ["shift_end"]:
            return Trigger("shift_end")
        case ["shift_end", name] if name in calendar.by_id:
            return Trigger("shift_end", name)
        case ["daily", clock] if _clock(clock):
            return Trigger("daily", clock=time.fromisoformat(clock))
        case ["weekly", day, clock] if day.lower()[:3] in WEEKDAYS and _clock(clock):
            return Trigger("weekly", day=WEEKDAYS.index(day.lower()[:3]), clock=time.fromisoformat(clock))
        case ["monthly", day, clock] if day.isdigit() and 1 <= int(day) <= 31 and _clock(clock):
            return Trigger("monthly", day=int(day), clock=time.fromisoformat(clock))
        case ["opened", record] if record in records:
            if records[record].time is None:
                raise Refusal("wrong", f"The plant does not record when {record.replace('_', ' ')} are opened.")
            return Trigger("opened", record)
    shifts = ", ".join(calendar.by_id) or "none"
    raise Refusal(
        "wrong",
        f"“{text}” is no time that I know: shift_end [{shifts}], daily 06:30, weekly mon 06:00, monthly 1 06:00, or opened nonconformances.",
    )


def _clock(text: str) -> bool:
    try:
        time.fromisoformat(text)
    except ValueError:
        return False
    return len(text) >= 5


@dataclass(frozen=True)
class Schedule:
    """One schedule. `arguments` are words as for a draft; times are aware; `note` says how it went last."""

    id: str
    kind: str
    arguments: Mapping[str, str]
    trigger: str
    user: str
    created: datetime
    reached: datetime
    note: str


@dataclass(frozen=True)
class Event:
    """A record that was opened: its id, when, and its fields as text."""

    id: str
    at: datetime
    fields: Mapping[str, str]


@dataclass(frozen=True)
class Ran:
    """One thing that was due: `document` is empty where there was nothing to report or it failed, and `text` says so."""

    schedule: str
    at: datetime
    document: str
    text: str
    missed: int = 0


#: Drafts for a schedule: (schedule, arguments, as of when, occasion) -> (document or "", what to note).
#: Raises Refusal "conflict" when this occasion was drafted before; whatever else it raises is tried again later.
Make = Callable[[Schedule, Mapping[str, str], datetime, str], tuple[str, str]]
#: The records of a kind that were opened from a moment on, up to and with another, oldest first, under its user's rights.
Opened = Callable[[Schedule, str, datetime, datetime], Sequence[Event]]


class Schedules:
    """The schedules of a store; adding, removing and running are entries of the trail."""

    def __init__(self, store: DocumentStore) -> None:
        self._store = store

    def all(self) -> list[Schedule]:
        rows = self._store.rows("SELECT schedule, kind, arguments, trigger, user, created, reached, note FROM schedules ORDER BY schedule")
        return [_schedule(row) for row in rows]

    def add(self, caller: Caller, kind: str, arguments: Mapping[str, str], trigger: str, now: datetime, at: datetime) -> Schedule:
        """Add one, served from `now` (plant time) on; `at` is the real time for the trail."""
        with self._store.change() as change:
            found = [int(row[0][4:]) for row in change.db.execute("SELECT schedule FROM schedules")]
            ever = int(change.db.execute("SELECT COUNT(*) FROM trail WHERE action = 'schedule_added'").fetchone()[0])
            number = max([*found, ever], default=0) + 1
            made = Schedule(f"SCH-{number:04d}", kind, dict(arguments), trigger, caller.user, now, now, "")
            change.db.execute(f"INSERT INTO schedules VALUES ({', '.join('?' * 8)})", _row(made))
            change.entries.append(_entry(caller, at, "schedule_added", {}, _told(made)))
        return made

    def remove(self, caller: Caller, schedule: str, at: datetime) -> Schedule:
        """Take one out: its own person, quality, or an administrator. Raises Refusal."""
        known = {item.id: item for item in self.all()}
        if schedule not in known:
            raise Refusal("missing", f"There is no schedule {schedule}.")
        if caller.user != known[schedule].user and caller.role not in ("quality", "administrator"):
            raise Refusal("not_allowed", "Only the person who made a schedule, quality or an administrator can remove it.")
        with self._store.change() as change:
            change.db.execute("DELETE FROM schedules WHERE schedule = ?", (schedule,))
            change.entries.append(_entry(caller, at, "schedule_removed", _told(known[schedule]), {}))
        return known[schedule]

    def run_due(self, now: datetime, at: datetime, calendar: Calendar, records: Mapping[str, Any], make: Make, opened: Opened) -> list[Ran]:
        """Draft whatever is due at `now` and not yet done. One that fails keeps its place and is tried again next time,
        and does not hold up the others."""
        out: list[Ran] = []
        for schedule in self.all():
            try:
                trigger = read_trigger(schedule.trigger, calendar, records)
                if trigger.on == "opened":
                    for event in opened(schedule, trigger.name, schedule.reached, now)[:EVENTS_AT_ONCE]:
                        out += self._serve(schedule, _filled(schedule.arguments, event), now, event.id, event.at, 0, at, make)
                    continue
                due, count = trigger.last(calendar, schedule.reached, now)
                if due is not None:
                    out += self._serve(schedule, schedule.arguments, due, due.isoformat(timespec="minutes"), due, count - 1, at, make)
            except Exception as error:
                text = str(error) if isinstance(error, Refusal) else getattr(error, "sentence", None) or str(error)
                self._note(schedule, schedule.reached, text, at)
                out.append(Ran(schedule.id, now, "", text))
        return out

    def _serve(self, schedule: Schedule, arguments: Mapping[str, str], as_of: datetime, what: str, reached: datetime,
               missed: int, at: datetime, make: Make) -> list[Ran]:  # fmt: skip
        occasion = f"{schedule.id} {what}"
        known = "SELECT 1 FROM served WHERE occasion = ? UNION ALL SELECT 1 FROM revisions WHERE occasion = ?"
        if self._store.rows(known, (occasion, occasion)):
            return []
        try:
            document, text = make(schedule, arguments, as_of, occasion)
        except Refusal as refusal:
            if refusal.why != "conflict":
                raise
            document, text = "", str(refusal)
        if missed:
            text = f"{text} {missed} earlier {'time was' if missed == 1 else 'times were'} missed and not made up for."
        self._note(schedule, reached, text, at, document, occasion)
        return [Ran(schedule.id, as_of, document, text, missed)]

    def _note(self, schedule: Schedule, reached: datetime, note: str, at: datetime, document: str = "", occasion: str = "") -> None:
        """Move on to `reached`, never back; an occasion that is served is not served again."""
        with self._store.change() as change:
            change.db.execute(
                "UPDATE schedules SET reached = MAX(reached, ?), note = ? WHERE schedule = ?", (_text(reached), note, schedule.id)
            )
            if occasion:
                change.db.execute("INSERT OR IGNORE INTO served VALUES (?)", (occasion,))
                who = Caller(schedule.user, schedule.user, "operator")
                told = {"schedule": schedule.id, "reached": _text(reached), "document": document, "note": note}
                change.entries.append(_entry(who, at, "schedule_ran", {}, told, via="schedule"))


def _filled(arguments: Mapping[str, str], event: Event) -> dict[str, str]:
    """Arguments such as `$lot` filled from the record; one that the record leaves empty is left out."""
    found = {}
    for key, value in arguments.items():
        text = event.fields.get(value[1:], "") if value.startswith(FROM_EVENT) else value
        if text:
            found[key] = text
    return found


def _row(item: Schedule) -> tuple[str, ...]:
    return (item.id, item.kind, json.dumps(dict(item.arguments), sort_keys=True), item.trigger, item.user,
            _text(item.created), _text(item.reached), item.note)  # fmt: skip


def _schedule(row: Sequence[Any]) -> Schedule:
    return Schedule(
        row[0], row[1], json.loads(row[2]), row[3], row[4], datetime.fromisoformat(row[5]), datetime.fromisoformat(row[6]), row[7]
    )


def _told(item: Schedule) -> dict[str, Any]:
    return {"schedule": item.id, "kind": item.kind, "arguments": dict(item.arguments), "trigger": item.trigger}


def _entry(caller: Caller, at: datetime, action: str, old: dict[str, Any], new: dict[str, Any], via: str = "") -> TrailDraft:
    return TrailDraft(at.isoformat(timespec="seconds"), caller.user, caller.name, caller.role, via or caller.via, action, "", "", old, new)


def _text(moment: datetime) -> str:
    """UTC text, so that texts sort as the moments do."""
    return _utc(moment).isoformat(timespec="seconds")


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)
