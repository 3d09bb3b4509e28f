"""The component that a technician's text blames, over wordings written for this test."""

import pytest

from retrieval.wording import culprit, family_of, normalised

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
