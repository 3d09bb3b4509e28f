"""One code however it is written or said, and never a neighbour."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval import identifiers
from retrieval.identifiers import find, key, nearness, same

WRITINGS = {
    "AL1043": ["AL-1043", "al 1043", "AL1043", "al_1043", "Al.1043", "AL ten forty three", "al-1043"],
    "1043": ["1043", "ten forty three", "one thousand forty three", "one zero four three", "1 0 4 3", "alarm 1043", "#1043"],
    "502": ["502", "five oh two", "five hundred two", "five hundred and two", "5 0 2", "5 02", "five zero two"],
    "-12": ["-12", "minus twelve", "minus 12", "−12"],
    "5021": ["5021", "fifty twenty one", "five oh two one", "five thousand twenty one"],
    "SRVO023": ["SRVO-023", "srvo 023", "Srvo-023"],
    "0X8001": ["0x8001", "0X8001"],
    "77": ["77", "double seven", "seventy seven"],
    "2506": ["two thousand five hundred and six", "twenty five oh six"],
    "502-1": ["502-1", "502.1", "502/1", "502 dash 1"],
}


@pytest.mark.parametrize(("expected", "writing"), [(k, w) for k, ws in WRITINGS.items() for w in ws])
def test_every_writing_of_a_code_has_its_key(expected: str, writing: str) -> None:
    assert key(writing) == expected


@pytest.mark.parametrize(("a", "b"), [
    ("AL-1043", "1043"), ("AL-1043", "ten forty three"), ("E-104", "104"), ("502", "0502"), ("SRVO-023", "srvo 23"),
])  # fmt: skip
def test_the_same_code(a: str, b: str) -> None:
    assert same(a, b)
    assert same(b, a)


@pytest.mark.parametrize(("a", "b"), [
    ("502", "5021"), ("502", "52"), ("12", "-12"), ("F7", "A7"), ("E-104", "AL-104"), ("502-1", "502"), ("502-1", "5021"),
    ("SRVO-023", "MOTN-023"), ("AL-1043", "AL-1034"), ("0x10", "10"), ("502A", "502"), ("", "502"),
])  # fmt: skip
def test_a_neighbour_is_another_code(a: str, b: str) -> None:
    assert not same(a, b)
    assert not same(b, a)


@given(st.integers(0, 99999), st.integers(0, 99999), st.sampled_from(["", "AL-", "E", "SRVO-"]))
def test_different_numbers_never_meet(a: int, b: int, prefix: str) -> None:
    assert (nearness(key(f"{prefix}{a}"), key(f"{prefix}{b}")) > 0) == (a == b)


@given(st.text(max_size=60))
def test_any_text_has_a_key_that_is_its_own_key(text: str) -> None:
    once = key(text)
    assert isinstance(once, str)
    assert all(i.key for i in find(text))


FOUND = {
    "what does alarm 502 mean on this machine?": ["502"],
    "alarm 502 3 times today": ["502"],
    "explain error code ten forty three please": ["1043"],
    "AL-1043 on the filler": ["AL1043"],
    "alarms 501, 502 and 503": ["501", "502", "503"],
    "error minus twelve": ["-12"],
    "what is #17": ["17"],
    "fault no. F07011": ["F07011"],
    "it shows SRVO 023 again": ["SRVO023"],
    "order part 6204-2RS": ["6204-2RS"],
    "since 2026-06-17 at 10:30 it drips": [],
    "tighten to 45 Nm": [],
    "there were two or three stops": [],
}


@pytest.mark.parametrize(("text", "expected"), FOUND.items())
def test_codes_in_a_sentence(text: str, expected: list[str]) -> None:
    assert [i.key for i in find(text) if i.strong] == expected


def test_a_bare_number_is_only_a_weak_finding_and_knows_where_it_stands() -> None:
    (found,) = find("what does 1043 mean")
    assert (found.key, found.strong, found.text) == ("1043", False, "1043")
    assert "what does 1043 mean"[found.start : found.end] == "1043"


def test_a_known_list_decides_between_a_word_and_a_prefix() -> None:
    assert {i.key for i in find("srvo 23")} == {"SRVO23", "23"}


def test_parts_of_a_key() -> None:
    assert identifiers.parts("AL1043-2") == identifiers.Parts("AL", "", "1043", "-2")
    assert identifiers.bare(key("AL-0043")) == identifiers.bare(key("43")) == "43"
