"""The plant's instruction comes first, verbatim, and nothing that is down can silence its number."""

from types import SimpleNamespace

from assistant import emergency, settings
from assistant.app import Ask, build
from retrieval.index import Anchor, Passage

SPEC = SimpleNamespace(document="EMG", number="333", hazards={
    "fire": SimpleNamespace(label="Fire", instruction="fire"), "injury": SimpleNamespace(label="Injury", instruction="injury"),
})  # fmt: skip


def _passage(section, steps=()):
    return Passage("p", "Leave at once.", "sop", "steps" if steps else "paragraph", Anchor("EMG", "2", 3, section), "Emergency", steps=steps)


def test_the_instruction_is_shown_verbatim_in_the_models_order():
    index = SimpleNamespace(passages=lambda document: [_passage("1 Numbers"), _passage("2 Fire", ("1. Leave.", "2. Call."))])
    found = emergency.blocks(("injury", "fire"), SPEC, index)
    assert [block["hazard"] for block in found] == ["fire", "injury"]
    assert found[0]["steps"] == ["1. Leave.", "2. Call."]
    assert (found[0]["document"], found[0]["page"]) == ("EMG", 3)


def test_a_broken_index_never_silences_the_number():
    def broken(document):
        raise RuntimeError("index is away")

    for index in (None, SimpleNamespace(passages=broken), SimpleNamespace(passages=lambda document: [])):
        block = emergency.blocks(("fire",), SPEC, index)[0]
        assert block["number"] == "333"
        assert "333" in block["text"]
    assert emergency.blocks(("fire",), None, None) == ()


def test_it_comes_with_the_database_gone(demo_home, tmp_path):
    chosen = settings.load(demo_home)
    away = build(chosen.model_copy(update={"plant_url": "gone.sqlite"}))
    answer = away.ask(Ask("there is smoke coming from PRESS-01", "sam"))
    away.close()
    assert answer["status"] == "unavailable"
    assert answer["blocks"][0]["type"] == "emergency"
    assert "cannot be opened" in answer["text"]
    assert answer["spoken"].startswith("Fire or smoke")
