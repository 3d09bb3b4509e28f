"""Dates that cannot be are told; dates that can are left alone."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.calendar_slips import slip

NOW = datetime(2026, 6, 17, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("question", "named"),
    [
        ("scrap on line 1 on 30 Feb", "February"), ("alarms on 31.04. please", "April"), ("scrap 2026-02-30", "February"),
        ("what broke on June 31", "June"), ("29 Feb 2025 output", "2025"), ("OEE in week 60", "week 60"),
        ("Q5 scrap", "Q5"), ("what happened at 25:30", "25:30"), ("parts on 2026-13-02", "13"),
    ],
)  # fmt: skip
def test_an_impossible_time_is_named(question: str, named: str) -> None:
    found = slip(question, NOW)
    assert found is not None
    assert named in found.sentence
    assert found.sentence.endswith("mean?")
    assert question[found.start : found.end].strip()


@pytest.mark.parametrize(
    ("question", "mended"),
    [
        ("OEE of line 2 from 20 May to 10 May", "OEE of line 2 from 10 May to 20 May"),
        ("between June 10 and June 2, scrap", "between June 2 and June 10, scrap"),
        ("from 2026-05-20 to 2026-05-10 please", "from 2026-05-10 to 2026-05-20 please"),
    ],
)
def test_a_range_that_runs_backwards_is_turned_round(question: str, mended: str) -> None:
    found = slip(question, NOW)
    assert found is not None
    assert found.mended == mended
    assert slip(mended, NOW) is None


@pytest.mark.parametrize(
    "question",
    [
        "from 20 December to 10 January", "oee week 23", "q3 scrap", "May 31 scrap", "29 Feb", "from 5 May to 10 May",
        "may 502 be reset", "March 2026", "1-5 June", "in May 45 stops happened", "weeks 12 to 14", "from Friday to Monday",
        "alarm 31.12 on CNC-01", "version 2.13 of the manual", "ISO 9001 8.7.2 report", "from 22:00 to 06:00", "at 24:00",
    ],
)  # fmt: skip
def test_a_possible_time_is_left_alone(question: str) -> None:
    assert slip(question, NOW) is None


@given(st.dates(date(2020, 1, 1), date(2030, 12, 31)), st.integers(0, 200))
def test_every_day_of_the_calendar_passes(first: date, days: int) -> None:
    last = first + timedelta(days=days)
    for form in ("%d %B %Y", "%B %d, %Y", "%Y-%m-%d", "%d.%m.%Y"):
        assert slip(f"scrap from {first.strftime(form)} to {last.strftime(form)} on line 1", NOW) is None
