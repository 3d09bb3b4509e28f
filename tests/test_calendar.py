"""Days, weeks and shifts in the plant's zone; the days of 23 and 25 hours are golden cases."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tools.calendar import UNITS, Calendar, Shift, Unit, UnknownShift

BERLIN = ZoneInfo("Europe/Berlin")
SHIFTS = (
    Shift("day", "day shift", time(6), time(14)),
    Shift("evening", "evening shift", time(14), time(22)),
    Shift("night", "night shift", time(22), time(6)),
)
CALENDAR = Calendar(BERLIN, SHIFTS)
SPRING, AUTUMN = date(2026, 3, 29), date(2026, 10, 25)


def hours(start: datetime, end: datetime) -> float:
    return (end.astimezone(UTC) - start.astimezone(UTC)).total_seconds() / 3600


@pytest.mark.parametrize(("day", "length"), [(SPRING, 23), (AUTUMN, 25), (date(2026, 6, 17), 24)])
def test_days_have_their_true_length(day: date, length: int) -> None:
    assert hours(*CALENDAR.day(day)) == length
    labels = [span.label for span in CALENDAR.split(*CALENDAR.day(day), "hour")]
    assert len(labels) == length
    assert len(set(labels)) == length


def test_the_night_of_the_change_has_seven_or_nine_hours() -> None:
    assert hours(*CALENDAR.shift("night", date(2026, 3, 28))) == 7
    assert hours(*CALENDAR.shift("night", date(2026, 10, 24))) == 9
    assert hours(*CALENDAR.shift("night", date(2026, 10, 25))) == 8


def test_a_shift_belongs_to_the_day_on_which_it_starts() -> None:
    run = CALENDAR.shift_of(datetime(2026, 6, 17, 3, tzinfo=BERLIN))
    assert run is not None
    assert (run.shift.id, run.date) == ("night", date(2026, 6, 16))


def test_the_last_completed_shift() -> None:
    nine = datetime(2026, 6, 17, 9, tzinfo=BERLIN)
    night = CALENDAR.last_completed_shift("night", nine)
    assert night is not None
    assert (night.start, night.end) == (datetime(2026, 6, 16, 22, tzinfo=BERLIN), datetime(2026, 6, 17, 6, tzinfo=BERLIN))
    day = CALENDAR.last_completed_shift("day", nine)
    assert day is not None
    assert day.date == date(2026, 6, 16)  # today's still runs
    assert CALENDAR.last_completed_shift(None, nine) == night
    exactly = CALENDAR.last_completed_shift("night", datetime(2026, 6, 17, 6, tzinfo=BERLIN))
    assert exactly == night  # [start, end): it is over at its end
    with pytest.raises(UnknownShift):
        CALENDAR.last_completed_shift("weekend", nine)


def test_weeks_are_iso_weeks_and_quarters_are_calendar_quarters() -> None:
    assert CALENDAR.week(date(2026, 1, 1)) == (datetime(2025, 12, 29, tzinfo=BERLIN), datetime(2026, 1, 5, tzinfo=BERLIN))
    assert CALENDAR.label(datetime(2026, 1, 1, tzinfo=BERLIN), "week") == "2026-W01"
    assert CALENDAR.quarter(date(2026, 12, 31))[1] == datetime(2027, 1, 1, tzinfo=BERLIN)
    assert CALENDAR.month(date(2024, 2, 10))[1] == datetime(2024, 3, 1, tzinfo=BERLIN)


def test_shifts_that_do_not_run_every_day() -> None:
    weekdays = Calendar(BERLIN, (Shift("day", "day", time(6), time(14), weekdays=frozenset(range(5))),))
    monday = datetime(2026, 6, 15, 7, tzinfo=BERLIN)
    last = weekdays.last_completed_shift("day", monday)
    assert last is not None
    assert last.date == date(2026, 6, 12)
    assert weekdays.shift_of(datetime(2026, 6, 14, 7, tzinfo=BERLIN)) is None


instants = st.datetimes(datetime(2025, 1, 1), datetime(2027, 1, 1)).map(lambda d: d.replace(tzinfo=UTC))


@settings(max_examples=150, deadline=None)
@given(instants, st.integers(1, 60 * 24 * 40), st.sampled_from(UNITS), st.sampled_from(["Europe/Berlin", "America/New_York", "Asia/Kolkata"]))
def test_a_split_covers_its_range_without_gap_or_overlap(start: datetime, minutes: int, unit: Unit, zone: str) -> None:
    calendar = Calendar(ZoneInfo(zone), SHIFTS)
    end = start + timedelta(minutes=min(minutes, 60 * 24 * 4) if unit == "hour" else minutes)
    spans = calendar.split(start, end, unit)
    assert spans[0].start.astimezone(UTC) == start
    assert spans[-1].end.astimezone(UTC) == end
    for before, after in itertools.pairwise(spans):
        assert before.end.astimezone(UTC) == after.start.astimezone(UTC)
        assert before.label != after.label
    assert all(span.start.astimezone(UTC) < span.end.astimezone(UTC) for span in spans)


@settings(max_examples=150, deadline=None)
@given(instants)
def test_every_instant_is_in_exactly_one_shift(instant: datetime) -> None:
    runs = CALENDAR.runs(instant, instant + timedelta(microseconds=1))
    assert len(runs) == 1
    assert runs[0].start.astimezone(UTC) <= instant < runs[0].end.astimezone(UTC)
