"""Time expressions against ranges written down by hand, and properties that hold at any moment."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.periods import easter, find_periods, months_later, read_period, shift_named
from tools.calendar import Calendar, Shift
from tools.registry import Period

ZONE = ZoneInfo("Europe/Berlin")
CALENDAR = Calendar(
    ZONE,
    (
        Shift("day", "day shift", time(6), time(14)),
        Shift("evening", "evening shift", time(14), time(22)),
        Shift("night", "night shift", time(22), time(6)),
    ),
)
NOW = datetime(2026, 6, 17, 9, tzinfo=ZONE)  # a Wednesday

SAID = [
    ("2025-11-19 to 2026-01-13", "2025-11-19 00:00", "2026-01-14 00:00"),
    ("2026-05-01/2026-05-10", "2026-05-01 00:00", "2026-05-11 00:00"),
    ("2026-05-28 06:00 to 2026-05-28 14:00", "2026-05-28 06:00", "2026-05-28 14:00"),
    ("between 02:00 and 04:00 last night", "2026-06-17 02:00", "2026-06-17 04:00"),
    ("today", "2026-06-17 00:00", "2026-06-18 00:00"),
    ("so far today", "2026-06-17 00:00", "2026-06-17 09:00"),
    ("yesterday", "2026-06-16 00:00", "2026-06-17 00:00"),
    ("ystrday", "2026-06-16 00:00", "2026-06-17 00:00"),
    ("the day before yesterday", "2026-06-15 00:00", "2026-06-16 00:00"),
    ("last night", "2026-06-16 22:00", "2026-06-17 06:00"),
    ("tonight", "2026-06-17 22:00", "2026-06-18 06:00"),
    ("last knight", "2026-06-16 22:00", "2026-06-17 06:00"),
    ("this shift", "2026-06-17 06:00", "2026-06-17 14:00"),
    ("last shift", "2026-06-16 22:00", "2026-06-17 06:00"),
    ("during the night shift", "2026-06-16 22:00", "2026-06-17 06:00"),
    ("second shift", "2026-06-16 14:00", "2026-06-16 22:00"),
    ("yesterday's late shift", "2026-06-16 14:00", "2026-06-16 22:00"),
    ("Monday's day shift", "2026-06-15 06:00", "2026-06-15 14:00"),
    ("the last 3 shifts", "2026-06-16 06:00", "2026-06-17 06:00"),
    ("this week", "2026-06-15 00:00", "2026-06-22 00:00"),
    ("last week", "2026-06-08 00:00", "2026-06-15 00:00"),
    ("the week before last", "2026-06-01 00:00", "2026-06-08 00:00"),
    ("week 23", "2026-06-01 00:00", "2026-06-08 00:00"),
    ("CW23", "2026-06-01 00:00", "2026-06-08 00:00"),
    ("week 50", "2025-12-08 00:00", "2025-12-15 00:00"),
    ("last month", "2026-05-01 00:00", "2026-06-01 00:00"),
    ("May", "2026-05-01 00:00", "2026-06-01 00:00"),
    ("November", "2025-11-01 00:00", "2025-12-01 00:00"),
    ("last quarter", "2026-01-01 00:00", "2026-04-01 00:00"),
    ("Q1", "2026-01-01 00:00", "2026-04-01 00:00"),
    ("Q3 2024", "2024-07-01 00:00", "2024-10-01 00:00"),
    ("last year", "2025-01-01 00:00", "2026-01-01 00:00"),
    ("2024", "2024-01-01 00:00", "2025-01-01 00:00"),
    ("H2", "2025-07-01 00:00", "2026-01-01 00:00"),
    ("since Monday", "2026-06-15 00:00", "2026-06-17 09:00"),
    ("since yesterday noon", "2026-06-16 12:00", "2026-06-17 09:00"),
    ("since the roll change on 9/4", "2026-04-09 00:00", "2026-06-17 09:00"),
    ("since 14:00", "2026-06-16 14:00", "2026-06-17 09:00"),
    ("year to date", "2026-01-01 00:00", "2026-06-17 09:00"),
    ("last 7 days", "2026-06-10 09:00", "2026-06-17 09:00"),
    ("past 24 hours", "2026-06-16 09:00", "2026-06-17 09:00"),
    ("last three months", "2026-03-17 09:00", "2026-06-17 09:00"),
    ("last quarter of an hour", "2026-06-17 08:45", "2026-06-17 09:00"),
    ("between 3 and 5 pm yesterday", "2026-06-16 15:00", "2026-06-16 17:00"),
    ("from 10pm to 5am", "2026-06-16 22:00", "2026-06-17 05:00"),
    ("Tuesday 13:00-15:00", "2026-06-16 13:00", "2026-06-16 15:00"),
    ("12 June", "2026-06-12 00:00", "2026-06-13 00:00"),
    ("2026-06-12", "2026-06-12 00:00", "2026-06-13 00:00"),
    ("12.06.2026", "2026-06-12 00:00", "2026-06-13 00:00"),
    ("on the 14th", "2026-06-14 00:00", "2026-06-15 00:00"),
    ("4 to 6 May", "2026-05-04 00:00", "2026-05-07 00:00"),
    ("1-15 Nov", "2025-11-01 00:00", "2025-11-16 00:00"),
    ("from 1 June to 10 June", "2026-06-01 00:00", "2026-06-11 00:00"),
    ("from Friday 18:00 to Monday 6:00", "2026-06-12 18:00", "2026-06-15 06:00"),
    ("may and june", "2026-05-01 00:00", "2026-07-01 00:00"),
    ("last Tuesday night", "2026-06-16 22:00", "2026-06-17 06:00"),
    ("last weekend", "2026-06-13 00:00", "2026-06-15 00:00"),
    ("an hour ago", "2026-06-17 07:30", "2026-06-17 08:30"),
    ("two weeks ago", "2026-06-01 00:00", "2026-06-08 00:00"),
    ("first half of November", "2025-11-01 00:00", "2025-11-16 00:00"),
    ("older than 2 weeks", "2000-01-01 00:00", "2026-06-03 09:00"),
    ("since Easter", "2026-04-05 00:00", "2026-06-17 09:00"),
    ("six o'clock till now", "2026-06-17 06:00", "2026-06-17 09:00"),
    ("in the next 10 days", "2026-06-17 09:00", "2026-06-27 09:00"),
]


@pytest.mark.parametrize(("text", "start", "end"), SAID)
def test_an_expression_means_the_range_written_beside_it(text, start, end):
    said = read_period(text, NOW, CALENDAR)
    assert said is not None
    assert (f"{said.period.start:%Y-%m-%d %H:%M}", f"{said.period.end:%Y-%m-%d %H:%M}") == (start, end)
    assert said.period.start.tzinfo is not None
    assert said.period.text == text


@pytest.mark.parametrize(
    "text",
    [
        "since the filter change",
        "the last batch",
        "31 June",
        "week 99",
        "CNC-02",
        "",
        "target",
        "from today to yesterday",
    ],
)
def test_what_is_no_time_or_hangs_on_an_event_is_not_placed(text):
    assert read_period(text, NOW, CALENDAR) is None


@pytest.mark.parametrize("text", ["tomorrow", "next week", "this evening"])
def test_a_range_that_has_not_begun_is_future(text):
    said = read_period(text, NOW, CALENDAR)
    assert said is not None
    assert said.future


def test_several_nights_name_the_shift_too():
    said = read_period("nights last week", NOW, CALENDAR)
    assert said is not None
    assert said.shift == "night"
    assert said.period.start == datetime(2026, 6, 8, tzinfo=ZONE)


def test_relative_to_the_period_under_discussion():
    march = Period("March", datetime(2026, 3, 1, tzinfo=ZONE), datetime(2026, 4, 1, tzinfo=ZONE))
    before = read_period("the month before", NOW, CALENDAR, march)
    year = read_period("same month last year", NOW, CALENDAR, march)
    assert before is not None
    assert year is not None
    assert (before.period.start.month, before.period.start.year) == (2, 2026)
    assert (year.period.start, year.period.end) == (
        datetime(2025, 3, 1, tzinfo=ZONE),
        datetime(2025, 4, 1, tzinfo=ZONE),
    )


def test_days_of_23_and_25_hours():
    spring = read_period("yesterday", datetime(2026, 3, 30, 9, tzinfo=ZONE), CALENDAR)
    autumn = read_period("yesterday", datetime(2026, 10, 26, 9, tzinfo=ZONE), CALENDAR)
    assert spring is not None
    assert autumn is not None
    assert spring.period.end.astimezone(UTC) - spring.period.start.astimezone(UTC) == timedelta(hours=23)
    assert autumn.period.end.astimezone(UTC) - autumn.period.start.astimezone(UTC) == timedelta(hours=25)
    rolling = read_period("past 24 hours", datetime(2026, 3, 30, 1, tzinfo=ZONE), CALENDAR)
    assert rolling is not None
    assert rolling.period.end.astimezone(UTC) - rolling.period.start.astimezone(UTC) == timedelta(hours=24)


@pytest.mark.parametrize(
    ("question", "found"),
    [
        ("how many stops did CNC-02 have between 3 and 5 pm yesterday", ["between 3 and 5 pm yesterday"]),
        ("downtime from 1 June to 10 June on line 1", ["from 1 June to 10 June"]),
        ("may I open the door", []),
        ("the second machine shows 14:20", []),
        ("torque 45 Nm for the M8", []),
        ("give me temp for the past 24 hours", ["the past 24 hours"]),
    ],
)
def test_times_inside_a_question(question, found):
    assert [question[f.start : f.end] for f in find_periods(question, NOW, CALENDAR)] == found


@pytest.mark.parametrize(
    ("word", "shift"),
    [
        ("night", "night"),
        ("nights", "night"),
        ("third shift", "night"),
        ("late", "evening"),
        ("early", "day"),
        ("2nd", "evening"),
        ("graveyard", "night"),
        ("B crew", None),
    ],
)
def test_shift_words(word, shift):
    assert shift_named(word, CALENDAR) == shift


MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1)).map(lambda d: d.replace(tzinfo=UTC))


@settings(max_examples=60, deadline=None)
@given(MOMENTS, st.sampled_from([text for text, _, _ in SAID]))
def test_at_any_moment_a_range_is_aware_and_runs_forward(now, text):
    said = read_period(text, now, CALENDAR)
    if said is not None:  # "30 February", "week 53" and the like exist in some years only
        assert said.period.start.astimezone(UTC) < said.period.end.astimezone(UTC)
        assert said.future == (said.period.start.astimezone(UTC) > now)


@settings(max_examples=60, deadline=None)
@given(MOMENTS)
def test_the_last_unit_ends_where_this_one_begins(now):
    for unit in ("week", "month", "quarter", "year"):
        last, this = read_period(f"last {unit}", now, CALENDAR), read_period(f"this {unit}", now, CALENDAR)
        assert last is not None
        assert this is not None
        assert last.period.end == this.period.start
        assert this.period.start.astimezone(UTC) <= now < this.period.end.astimezone(UTC)


@settings(max_examples=60, deadline=None)
@given(MOMENTS)
def test_last_night_has_ended_and_tonight_has_not(now):
    last, tonight = read_period("last night", now, CALENDAR), read_period("tonight", now, CALENDAR)
    assert last is not None
    assert tonight is not None
    assert last.period.end.astimezone(UTC) <= now < tonight.period.end.astimezone(UTC)
    assert last.period.start.hour == 22


@settings(max_examples=80, deadline=None)
@given(st.text(max_size=40))
def test_any_text_is_read_without_an_exception(text):
    read_period(text, NOW, CALENDAR)
    find_periods(text, NOW, CALENDAR)


def test_calendar_arithmetic():
    assert months_later(date(2026, 1, 31), 1) == date(2026, 2, 28)
    assert months_later(date(2026, 3, 31), -13) == date(2025, 2, 28)
    # published dates of Easter Sunday
    assert [easter(y) for y in (2024, 2025, 2026, 2038)] == [
        date(2024, 3, 31),
        date(2025, 4, 20),
        date(2026, 4, 5),
        date(2038, 4, 25),
    ]
