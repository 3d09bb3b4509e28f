"""Alarm load by ISA-18.2: floods, rates, peaks and chattering over planted alarms, each expectation counted by hand."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.small_plant import LINES, MACHINES, NOW, OPERATOR, ZONE, build, call, period, text
from tools.metrics import query_metrics
from tools.plant_model import Plant

DAY = datetime(2025, 10, 20, tzinfo=ZONE)
WHOLE = period(DAY, DAY + timedelta(days=1), "that day")
STEPS = 144  # of ten minutes in a day of 24 hours


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plant]:
    path = build(Path(tmp_path_factory.mktemp("plant")) / "mes.sqlite")
    with sqlite3.connect(path) as db:
        db.execute("DELETE FROM alarm_events")
        number = 0

        def alarms(machine: str, clock: str, count: int, apart_s: int = 20, code: str = "502", day: datetime = DAY) -> None:
            nonlocal number
            hour, minute = (int(part) for part in clock.split(":"))
            for index in range(count):
                number += 1
                at = day.replace(hour=hour, minute=minute) + timedelta(seconds=index * apart_s)
                db.execute("INSERT INTO alarm_events VALUES (?,?,?,?,?,?,NULL,?)",
                           (f"X-{number}", machine, code if apart_s >= 30 else f"{code}-{index}", "high", "planted", text(at), text(at)))  # fmt: skip

        # Line 3, two machines together: 12 in the step of 06:00 (7 + 5), 6 at 06:10, 4 at 06:20: one flood of two steps.
        alarms("CNC-01", "06:01", 7)
        alarms("CNC-02", "06:04", 5)
        alarms("CNC-01", "06:12", 6)
        alarms("CNC-02", "06:21", 4)
        # 11 at 13:50 and 11 at 14:00: one flood over the change of shifts. Ten at 20:00: no flood.
        alarms("CNC-01", "13:50", 11)
        alarms("CNC-01", "14:00", 11)
        alarms("CNC-02", "20:00", 10)
        # Line 1: two floods with a quiet step between them.
        alarms("ROB-01", "08:00", 11)
        alarms("ROB-01", "08:20", 13)
        # The same code three times in a minute, and twice: chattering is the three.
        alarms("FILL-01", "10:00", 3, apart_s=30, code="J1")
        alarms("FILL-01", "11:00", 2, apart_s=30, code="J2")
    opened = Plant.open(None, str(path))
    yield opened
    opened.close()


def test_floods_begin_above_ten_and_end_below_five(plant: Plant) -> None:
    rows = query_metrics(call(plant), ["alarm_flood_count", "alarm_flood_share", "alarm_peak"], {}, WHOLE, ["line"]).evidence[0].rows
    found = {r["line_id"]: (r["alarm_flood_count"], r["alarm_flood_share"], r["alarm_peak"]) for r in rows}
    assert found == {
        "LINE-3": (2, pytest.approx((2 + 2) / STEPS), 12), "LINE-1": (2, pytest.approx(2 / STEPS), 13), "LINE-2": (0, 0.0, 3),
    }  # fmt: skip
    plain = query_metrics(call(plant), ["alarm_flood_count", "alarm_peak"], {}, WHOLE).evidence[0].rows[0]
    assert (plain["alarm_flood_count"], plain["alarm_peak"]) == (4, 13)


def test_the_rate_is_per_operator_and_ten_minutes(plant: Plant) -> None:
    line3 = 7 + 5 + 6 + 4 + 11 + 11 + 10
    every = line3 + 11 + 13 + 5
    result = query_metrics(call(plant), ["alarm_rate"], {}, WHOLE)
    assert result.evidence[0].rows[0]["alarm_rate"] == pytest.approx(every / (len(LINES) * STEPS))
    own = query_metrics(call(plant), ["alarm_rate", "alarm_count"], {"line": "LINE-3"}, WHOLE).evidence[0].rows[0]
    assert own["alarm_rate"] == pytest.approx(line3 / STEPS)
    assert own["alarm_count"] == line3  # one statement beside the counted events
    hidden = query_metrics(call(plant, OPERATOR), ["alarm_rate"], {}, WHOLE)
    assert hidden.evidence[0].rows[0]["alarm_rate"] == pytest.approx(line3 / STEPS)
    assert hidden.limited_to == "Line 3"
    assert query_metrics(call(plant, OPERATOR), ["alarm_flood_count"], {"line": "LINE-1"}, WHOLE).status == "not_allowed"


def test_a_day_of_25_hours_has_150_steps_and_the_future_none(plant: Plant) -> None:
    autumn = period(datetime(2025, 10, 26, tzinfo=ZONE), datetime(2025, 10, 27, tzinfo=ZONE), "Sunday")
    row = query_metrics(call(plant), ["alarm_rate"], {"line": "LINE-3"}, autumn).evidence[0].rows[0]
    assert row["operator_steps"] == pytest.approx(150)
    today = period(NOW.replace(hour=0), NOW.replace(hour=0) + timedelta(days=1), "today")
    row = query_metrics(call(plant), ["alarm_rate"], {"line": "LINE-3"}, today).evidence[0].rows[0]
    assert row["operator_steps"] == pytest.approx((NOW - NOW.replace(hour=0)).total_seconds() / 600)


def test_a_flood_over_a_change_of_shifts_is_one(plant: Plant) -> None:
    rows = query_metrics(call(plant), ["alarm_flood_count", "alarm_flood_share"], {"line": "LINE-3"}, WHOLE, ["shift"]).evidence[0].rows
    found = {r["shift_id"]: (r["alarm_flood_count"], r["flood_steps"]) for r in rows}
    assert found == {"day": (2, 3), "evening": (0, 1), "night": (0, 0)}
    hours = query_metrics(call(plant), ["alarm_flood_count"], {"line": "LINE-3"}, WHOLE, ["hour"]).evidence[0].rows
    assert {str(r["hour_id"])[11:]: r["alarm_flood_count"] for r in hours if r["alarm_flood_count"]} == {"06:00": 1, "13:00": 1}
    assert len(hours) == 24


def test_machines_told_apart_are_positions_of_their_own(plant: Plant) -> None:
    rows = (
        query_metrics(call(plant), ["alarm_flood_count", "alarm_peak"], {"line": "LINE-3"}, WHOLE, ["equipment"], "desc").evidence[0].rows
    )
    found = {r["equipment_id"]: (r["alarm_flood_count"], r["alarm_peak"]) for r in rows}
    assert found == {"CNC-01": (1, 11), "CNC-02": (0, 10), "WASH-01": (0, 0)}


def test_chattering_alarms_by_code(plant: Plant) -> None:
    rows = query_metrics(call(plant), ["chattering_alarms"], {"line": "LINE-2"}, WHOLE, ["alarm"], "desc").evidence[0].rows
    assert [(r["alarm_id"], r["chattering_alarms"]) for r in rows] == [("J1", 3), ("J2", 0)]
    assert query_metrics(call(plant), ["alarm_flood_count"], {}, WHOLE, ["alarm"]).status == "no_data"
    assert "not by product" in query_metrics(call(plant), ["alarm_flood_count"], {}, WHOLE, ["product"]).message


def test_thresholds_ranks_and_comparisons_over_floods(plant: Plant) -> None:
    over = query_metrics(call(plant), ["alarm_flood_count"], {"alarm_flood_count": {"min": 1}}, WHOLE, ["line"], "desc").evidence[0].rows
    assert [r["line_id"] for r in over] == ["LINE-1", "LINE-3"]
    worst = query_metrics(call(plant), ["alarm_peak"], {}, WHOLE, ["line"], "desc", 1).evidence[0].rows
    assert [(r["line_id"], r["alarm_peak"]) for r in worst] == [("LINE-1", 13)]
    before = period(DAY - timedelta(days=1), DAY, "the day before")
    result = query_metrics(call(plant), ["alarm_flood_count"], {}, WHOLE, compare_to=before)
    row = result.evidence[0].rows[0]
    assert (row["alarm_flood_count_before"], row["alarm_flood_count_change"]) == (0, 4)


def test_places_without_any_event_are_told_when_nothing_is_what_is_asked_for(plant: Plant) -> None:
    quiet = query_metrics(call(plant), ["alarm_count"], {"alarm_count": {"max": 0}}, WHOLE, ["equipment"]).evidence[0].rows
    assert {r["equipment_id"] for r in quiet} == set(MACHINES) - {"CNC-01", "CNC-02", "ROB-01", "FILL-01"}
    fewest = query_metrics(call(plant), ["alarm_count"], {}, WHOLE, ["equipment"], "asc", 1).evidence[0].rows
    assert [(r["equipment_id"], r["alarm_count"]) for r in fewest] == [("LEAK-01", 0)]
    own = query_metrics(call(plant, OPERATOR), ["alarm_count"], {"alarm_count": {"max": 0}}, WHOLE, ["equipment"]).evidence[0].rows
    assert {r["equipment_id"] for r in own} == {"WASH-01"}
    usual = query_metrics(call(plant), ["alarm_count"], {}, WHOLE, ["equipment"]).evidence[0].rows
    assert len(usual) == 4


def test_times_are_those_of_the_events(plant: Plant) -> None:
    """Half of a step belongs to each of two periods that meet within it."""
    cut = datetime(2025, 10, 20, 6, 5, tzinfo=ZONE).astimezone(UTC)
    early = period(DAY, cut, "before five past six")
    row = query_metrics(call(plant), ["alarm_peak", "alarm_count"], {"line": "LINE-3"}, early).evidence[0].rows[0]
    assert row["alarm_peak"] == row["alarm_count"] == 7 + 3  # 06:04:00, :20, :40 of the second machine
