"""Slips are put right, names and rare words are left alone, and offsets lead back to what was typed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.lm.phrasings import examples
from assistant.spelling import OFTEN, Speller, counted, phrasing_words

SPELLER = Speller(frozenset(("washer", "palletizer", "norda", "kessler")))


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("scarp rate lien 2 yesteday", "scrap rate line 2 yesterday"),
        ("dwontime on teh palletzer todya", "downtime on the palletizer today"),
        ("Opne work ordres, wahser", "Open work orders, washer"),
        ("coolent concentation acording to the manual", "coolant concentration according to the manual"),
        ("frist pass yeild last weeek", "first pass yield last week"),
        ("HIHGEST SCARP", "HIGHEST SCRAP"),
    ],
)
def test_slips_are_put_right(typed: str, meant: str) -> None:
    assert SPELLER.read(typed).text == meant


@pytest.mark.parametrize(
    "text",
    [
        "it stinks and the canister is alight", "strainer of the extractor", "volt and amp readings", "a smouldering bearing keeps beeping",
        "ask Timo about Norda", "lubricating the lyophiliser", "CNC-02 SRVO-023 AL-1045", "washers and palletizers", "hose, hoses, hosing",
        "it's Marek's", "checksum of kw24", "KSS01356 on the KUKA", "Überdruck am Kessel",
    ],
)  # fmt: skip
def test_what_is_meant_is_left_alone(text: str) -> None:
    assert SPELLER.read(text).text == text


def test_the_written_phrasings_are_hardly_touched() -> None:
    """Words of questions that were not typed wrongly stay: held-out phrasings, whose own words do not count here."""
    rows = examples()
    words = counted(t for e in rows if not e.held_out for t in (e.question, e.context))
    speller = Speller(frozenset(), {word: n for word, n in words.items() if n >= 2})
    held = [e.question for e in rows if e.held_out]
    total = sum(len(q.split()) for q in held)
    changed = [(q[c:d], s.text[a:b]) for q in held for s in [speller.read(q)] for a, b, c, d in s.pieces]
    assert len(changed) < 0.01 * total


def test_offsets_lead_back() -> None:
    found = SPELLER.read("scarp of teh wahser yesteday")
    for word, typed in (("scrap", "scarp"), ("the", "teh"), ("washer", "wahser"), ("yesterday", "yesteday"), ("the washer", "teh wahser")):
        at = found.text.index(word)
        start, end = found.back(at, at + len(word))
        assert found.typed[start:end] == typed
    assert found.back(0, len(found.text)) == (0, len(found.typed))


@given(st.text(max_size=80))
def test_any_text_is_read_and_words_keep_their_order(text: str) -> None:
    found = SPELLER.read(text)
    assert found.typed == text
    assert len(found.text.split()) == len(text.split())
    start, end = found.back(0, len(found.text))
    assert (start, end) == (0, len(text))


def test_the_shipped_words_are_those_of_the_phrasings() -> None:
    words = phrasing_words()
    assert words["line"] >= OFTEN
    assert {"scrap", "downtime", "alarm", "yesterday"} <= set(words)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("o e e of line one", "oee of line one"), ("how many c a p a are open", "how many capa are open"), ("open n c r s", "open ncrs"), ("f. p. y", "f. p. y")],
)
def test_words_spelled_letter_by_letter(typed, meant):
    assert Speller().read(typed).text == meant
