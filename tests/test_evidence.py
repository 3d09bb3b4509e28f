"""Nothing reaches a sentence except through a slot of its evidence: examples, and lies made by hypothesis."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.evidence import Column, Evidence, Ungrounded, fact, faults, fill, markers, show, slot

LINES = Evidence(
    "query",
    "OEE by line",
    (Column("line", "Line"), Column("oee", "OEE", "percent"), Column("down", "Downtime", "duration_s")),
    (
        {"line": "Line 1", "oee": 0.9341, "down": 4000},
        {"line": "Line 2", "oee": None, "down": 59},
        {"line": "Line 3", "oee": 0.5, "down": 100_000},
    ),
    "line",
    {"period": fact("period", "last week")},
    marker="E1",
)
NAMES = ("line 1", "line 2", "line 3", "cnc-01")


def test_slots_are_filled_with_unit_and_rounding():
    text = f"{slot(LINES, 'line', 0)}: {slot(LINES, 'oee', 0)}, down {slot(LINES, 'down', 0)} in {slot(LINES, 'period')}"
    assert faults(text, [LINES], NAMES) == ()
    assert fill(text, [LINES]) == "Line 1: 93.4 %, down 1 h 07 min in last week"


def test_a_zero_denominator_is_not_defined():
    assert fill(slot(LINES, "oee", 1), [LINES]) == "not defined"


@pytest.mark.parametrize(
    "lie",
    [
        "OEE was 93.4 % [E1]",
        "{E1.r0.line}: {E1.r2.oee}",
        "{E1.r9.oee}",
        "{E1.r0.availability}",
        "{E2.r0.oee}",
        "Line 2 did best with {E1.r0.oee}",
        "CNC-01 stood for {E1.r0.down}",
        "It went well",
        "{E1.r0.line}: {E1.r0.oee} and 5 more",
    ],
)
def test_lies_are_found(lie):
    assert faults(lie, [LINES], NAMES)


@given(st.integers(0, 9999), st.sampled_from(["{E1.r0.line}: {E1.r0.oee}", "{E1.r1.down} in {E1.period}"]), st.integers(0, 30))
def test_an_invented_digit_is_always_found(number, template, place):
    place = min(place, len(template))
    while template[:place].count("{") != template[:place].count("}"):
        place += 1
    assert faults(f"{template[:place]} {number} {template[place:]}", [LINES], NAMES)


@given(st.integers(0, 2), st.integers(0, 2), st.sampled_from(["oee", "down"]))
def test_a_value_of_another_row_is_found_exactly_when_it_is_another(subject, row, name):
    template = f"{slot(LINES, 'line', subject)}: {slot(LINES, name, row)}"
    assert bool(faults(template, [LINES], NAMES)) == (subject != row)


def test_unknown_slots_cannot_be_filled():
    with pytest.raises(Ungrounded):
        fill("{E1.r0.nothing}", [LINES])


def test_markers_are_listed_once_in_order():
    assert markers("{E2.a} {E1.r0.b} [E2] [E3]") == ("E2", "E1", "E3")


@pytest.mark.parametrize(
    ("value", "column", "text"),
    [
        (0.0, Column("x", "x", "percent"), "0.0 %"),
        (45, Column("x", "x", "number", "N m"), "45 N m"),
        (12.345, Column("x", "x", "number", "bar"), "12.3 bar"),
        (1234567, Column("x", "x", "count"), "1 234 567"),
        (59.4, Column("x", "x", "duration_s"), "59 s"),
        (3599, Column("x", "x", "duration_s"), "1 h 00 min"),
        (None, Column("x", "x", "count"), "–"),
        (True, Column("x", "x"), "yes"),
        (datetime(2026, 6, 17, 7, 0, tzinfo=UTC), Column("x", "x", "time"), "17 Jun 2026 09:00"),
        ("0502", Column("x", "x", "id"), "0502"),
    ],
)
def test_values_are_shown_as_people_read_them(value, column, text):
    assert show(value, column, ZoneInfo("Europe/Berlin")) == text
