"""Shorthand learned from a log that this test writes: what is a slip or an abbreviation, and what is a word of its own."""

from __future__ import annotations

import random

from retrieval.shorthand import FEWEST_TEXTS, learned
from retrieval.wording import recognise

VERBS = ("replace", "repair", "check", "clean")
PLACES = ("left", "right", "front", "rear")


def _log(things, seed=3):
    """Entries "VERB PLACE THING leaking at machine N" for (thing, how often)."""
    chance = random.Random(seed)
    texts = [f"{chance.choice(VERBS)} {chance.choice(PLACES)} {thing} leaking" for thing, often in things for _ in range(often)]
    chance.shuffle(texts)
    return texts


def test_a_slip_and_an_abbreviation_of_the_plants_own_words_are_learned() -> None:
    found = learned(_log([("hydrocyclone", 120), ("hydrocyclon", 4), ("hcyc", 12), ("dewatering", 90), ("dewaterng", 3)]))
    assert found.get("hydrocyclon") == "hydrocyclone"
    assert found.get("dewaterng") == "dewatering"
    assert found.get("hcyc") == "hydrocyclone"
    assert recognise("replace left hcyc leaking", found).component == "hydrocyclone"


def test_words_of_the_trade_plurals_and_words_in_other_company_stay_themselves() -> None:
    texts = _log([("seal", 120), ("seat", 5), ("hydrocyclone", 100), ("hydrocyclones", 6)])
    texts += [f"ordered from hydrocyclome company number {n}" for n in range(4)]
    found = learned(texts)
    assert "seat" not in found
    assert "hydrocyclones" not in found
    assert "hydrocyclome" not in found  # spelt like it, and never where it stands


def test_a_short_log_teaches_nothing() -> None:
    assert learned(_log([("hydrocyclone", FEWEST_TEXTS - 10), ("hydrocyclon", 4)])) == {}
