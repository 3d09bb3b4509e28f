"""The component that a technician's text blames, over wordings written for this test."""

import pytest

from retrieval.wording import culprit, family_of, in_full, normalised, recognise

COOLANT = ("coolant filter", "coolant pump", "flow sensor")


@pytest.mark.parametrize(
    ("text", "component"),
    [
        ("fltr full of swarf, clnd + refilled", "coolant filter"),
        ("Strainer choked. Rinsed, flow back to normal", "coolant filter"),
        ("pmp noisy, impeller worn -> repl", "coolant pump"),
        ("filter ok. pump ok. flow snsr contaminated, wiped", "flow sensor"),
        ("not the pump. changed fliter element", "coolant filter"),
        ("sensor reading 0 with full flow, swapped it", "flow sensor"),
        ("checked filter and pump, both fine; sensor dead", "flow sensor"),
        ("reset, runs again", ""),
        ("topped up tank", ""),
        ("replaced door switch", ""),
    ],
)
def test_the_blamed_component(text, component):
    assert culprit(text, COOLANT) == component


def test_without_published_causes_the_family_is_named():
    assert culprit("bearing shot, replaced both") == "bearing"
    assert family_of("coolant flow sensor") == "sensor"
    assert family_of("paper towel") == ""


def test_shorthand_is_written_out():
    assert normalised("Repl pmp, chkd snsr") == "replaced pump, checked sensor"


@pytest.mark.parametrize(
    ("text", "things", "wrong", "done"),
    [
        ("Blown hose on tailstock cyl, fitted new 1", {"hose", "tailstock", "cylinder"}, {"broken"}, {"replaced"}),
        ("MAGNET-BROKEN, REPLACE", {"magnet"}, {"broken"}, {"replaced"}),
        ("alternator not charging", {"alternator"}, {"failed"}, set()),
        ("chuck jaws loose; retightened + greased", {"chuck jaw"}, {"loose"}, {"tightened", "lubricated"}),
        ("coolant pump change out", {"coolant pump"}, set(), {"replaced"}),
        ("spindle shutting down, over temp", {"spindle"}, {"failed", "overheated"}, set()),
        ("thank you", set(), set(), set()),
    ],
)
def test_things_conditions_and_actions(text, things, wrong, done):
    facts = recognise(text)
    assert {name.split()[-1] for name in things} <= {name.split()[-1] for name in facts.components}
    assert (set(facts.conditions), set(facts.actions)) == (wrong, done)


def test_a_fix_is_counted_by_things_that_the_trade_knows():
    assert recognise("replaced clogged coolant filter").fix == "replaced coolant filter"
    assert recognise("swept the floor").fix == ""
    assert recognise("checked pump").fix == ""


def test_codes_times_and_real_words_stay_as_they_are():
    assert in_full("CNC-02 down at 11:06 in the day shift, hitch ok") == "cnc-02 down at 11:06 in the day shift, hitch ok"
