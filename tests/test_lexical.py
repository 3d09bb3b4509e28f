"""The word index: stems, typing errors, codes, and what it forgets."""

from __future__ import annotations

from pathlib import Path

import pytest

from retrieval.index import Anchor, Passage
from retrieval.lexical import Lexical, query_terms, terms


def passage(name: str, text: str, section: str = "") -> Passage:
    return Passage(name, text, "manual", "paragraph", Anchor("M", "A", 1, section), "Manual")


@pytest.fixture
def lexical(tmp_path: Path) -> Lexical:
    index = Lexical(tmp_path / "words")
    index.change([passage("a", "Cleaning the coolant filters"), passage("b", "Spindle bearing torque", "Spindle"),
                  passage("c", "Alarm 502 of the pump"), passage("d", "Alarm 503 of the pump")])  # fmt: skip
    return index


def test_stems() -> None:
    assert terms("Cleaning FILTERS") == ("clean", "filter")
    assert query_terms("how do I clean the filters") == ["clean", "filter"]
    assert query_terms("what is it") == list(dict.fromkeys(terms("what is it")))


@pytest.mark.parametrize(("query", "first"), [
    ("clean filter", "a"), ("spindel bearings", "b"), ("sprindle", "b"), ("502", "c"), ("alarm 503", "d"),
])  # fmt: skip
def test_words_forms_and_slips_are_found(lexical: Lexical, query: str, first: str) -> None:
    assert lexical.search(query, 5)[0][0] == first


def test_a_code_is_never_matched_approximately(lexical: Lexical) -> None:
    assert lexical.search("50211", 5) == []


def test_changes_are_seen_at_once_and_survive(lexical: Lexical, tmp_path: Path) -> None:
    lexical.change([passage("a", "Something else")], ["b"])
    assert lexical.ids() == {"a", "c", "d"}
    assert lexical.count() == 3
    assert lexical.search("coolant", 5) == []
    assert Lexical(tmp_path / "words").search("something", 5)[0][0] == "a"


def test_rare_words_weigh_more(lexical: Lexical) -> None:
    weights, unknown = lexical.weights(["alarm", "spindl"])
    assert weights["spindl"] > weights["alarm"] > 0
    assert unknown == 0 < lexical.weights(["alarm", "boron"])[1] < 1
