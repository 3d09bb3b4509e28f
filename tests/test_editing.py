"""A person's words are marked as such, evidence stays bound, and two revisions are shown side by side."""

from dataclasses import replace

import pytest

from tests.paper import a_document
from tools.documents.differences import differences, part_lines
from tools.documents.editing import replaced, words_of
from tools.documents.life import Refusal
from tools.documents.tree import Section


def test_words_replace_words_and_are_marked():
    document, before = replaced(a_document(), "purpose", "First.\n\nSecond\nline.", "Max Weber", "2026-06-17")
    assert before == "Keeps the coolant clean."
    parts = document.sections[0].parts
    assert [part["text"] for part in parts] == ["First.", "Second line.", "Words of Max Weber, 2026-06-17; not taken from plant data."]
    assert all(part["by"] == "Max Weber" and part["markers"] == [] for part in parts)
    assert words_of(document.sections[0]) == "First.\n\nSecond line."


def test_evidence_stays_bound_to_its_source():
    original = a_document().sections[1]
    document, before = replaced(a_document(), "2", "Wear gloves.", "Max", "2026-06-17")
    assert before == ""
    bound = [part for part in document.sections[1].parts if not part.get("by")]
    assert bound == list(original.parts)
    again, before = replaced(document, "Steps", "", "Max", "2026-06-18")
    assert before == "Wear gloves."
    assert again.sections[1] == original


def test_an_unknown_section_and_too_many_words_are_one_sentence():
    with pytest.raises(Refusal, match="“Purpose”"):
        replaced(a_document(), "Scope", "x", "Max", "2026-06-17")
    with pytest.raises(Refusal, match="at most"):
        replaced(a_document(), "Purpose", "x" * 20_001, "Max", "2026-06-17")


def test_the_same_document_has_no_difference():
    assert {item.tag for item in differences(a_document(), a_document())} == {"same"}


def test_changed_added_and_removed_lines_stand_side_by_side():
    left = a_document()
    right, _ = replaced(left, "Purpose", "Keeps the coolant very clean.", "Max", "2026-06-17")
    right = replace(right, sections=(*right.sections, Section("Records", ({"part": "text", "text": "None.", "markers": []},))))
    found = {item.title: item for item in differences(left, right)}
    first = found["Purpose"].lines[0]
    assert (first.tag, first.left, first.right) == ("changed", "Keeps the coolant clean.", "Keeps the coolant very clean.")
    assert [line.tag for line in found["Purpose"].lines] == ["changed", "added"]
    assert found["Steps"].tag == "same"
    assert found["Records"].tag == "added"
    back = {item.title: item.tag for item in differences(right, left)}
    assert back["Records"] == "removed"
    assert list(back) == ["Purpose", "Steps", "Records"]


def test_every_kind_of_part_becomes_lines():
    assert part_lines({"part": "figures", "items": [{"label": "OEE", "text": "80 %", "marker": "E1"}]}) == ["OEE: 80 %"]
    assert part_lines({"part": "table", "columns": ["a", "b"], "rows": [["1", "2"]]}) == ["a | b", "1 | 2"]
    assert part_lines({"part": "missing", "items": [{"id": "N", "field": "cause"}], "checked": 1}) == ["N lacks cause"]
    assert part_lines({"part": "steps", "steps": [{"n": 1, "text": "Go", "warning": "Hot", "reason": "why"}]}) == ["Hot", "1. Go", "why"]
    assert part_lines({"part": "unheard of", "marker": "E1", "what": ["x", {"y": 3}], "on": True}) == ["x", "3"]
