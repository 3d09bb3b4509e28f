"""What procedures are missing for, recounted from notes and turns that this test wrote."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tools.gaps import repeated_fixes, unanswered
from tools.notes import Note
from tools.registry import Call

NOTE = Note(
    "NOTE-00001", "2026-06-17T09:00:00+02:00", "olivia", "Olivia Hartmann", "operator", "LINE-3", "CNC-02", "cnc", "", "shrill whistle",
    "bled the accumulator", "", 10, "yes", "", "accepted",
)  # fmt: skip


@pytest.fixture(scope="module")
def call(assistant):
    return Call(assistant.caller("quinn"), assistant.now(), assistant.plant, assistant.index, policy=assistant.policy)


def _notes(*actions, **more):
    return [replace(NOTE, note=f"NOTE-{n:05d}", action=action, **more) for n, action in enumerate(actions, 1)]


def test_a_fix_repeats_when_it_is_said_in_other_words_and_names_its_notes(call):
    notes = _notes("bled the accumulator", "Accumulator bled again", "bled accumulatr", "replaced the hose")
    found = [one for one in repeated_fixes(call, notes, 3) if one.notes]
    assert [(one.fix, one.count, one.symptom, one.equipment_class) for one in found] == [
        ("refilled accumulator", 3, "shrill whistle", "cnc")
    ]
    assert sorted(found[0].notes) == ["NOTE-00001", "NOTE-00002", "NOTE-00003"]
    assert "Olivia" not in str(found)


def test_symptoms_in_other_words_are_one_only_where_they_are_alike(call, assistant):
    notes = [
        *_notes("bled the accumulator", symptom="a shrill whistle from the hydraulic unit"),
        *_notes("bled the accumulator", symptom="shrill whistling sound at the hydraulic unit"),
        *_notes("bled the accumulator", symptom="the door does not open"),
    ]
    found = [one for one in repeated_fixes(call, notes, 2, assistant.embedder.embed) if one.notes]
    assert [one.count for one in found] == [2]


def test_what_a_procedure_covers_is_no_candidate(call):
    notes = _notes("replaced the coolant filter", "changed coolant filter", "coolant filter replaced", alarm="502", symptom="")
    assert not [one for one in repeated_fixes(call, notes, 3) if one.alarm == "502" and "coolant filter" in one.fix]
    other = _notes("replaced the beacon", "replaced beacon", "changed beacon", alarm="502", symptom="")
    assert [one for one in repeated_fixes(call, other, 3) if one.alarm == "502" and "beacon" in one.fix]


def test_log_entries_count_once_an_order_and_are_named(call):
    found = repeated_fixes(call, (), 2)
    assert found
    assert all(one.count >= 2 and one.entries for one in found)
    assert [one.count for one in found] == sorted((one.count for one in found), reverse=True)


def _turn(question, status="no_data", tool="diagnose", day="2026-06-01"):
    return {"at": f"{day}T08:00:00+02:00", "user": "olivia", "record": {"question": question, "status": status, "steps": [{"tool": tool}]}}


def test_questions_in_vain_are_grouped_without_names(assistant):
    turns = [
        _turn("how do I adjust the label peeler"), _turn("how do I adjust the label peeler?", day="2026-06-09"),
        _turn("why is the mixer so loud, ask Max Brandt"), _turn("what is the oee", tool="query_metrics"),
        _turn("how do I adjust the label peeler", status="answered"),
    ]  # fmt: skip
    found = unanswered(turns, assistant.embedder.embed, ["max", "Max Brandt"])
    assert [(one.count, one.last) for one in found] == [(2, "2026-06-09"), (1, "2026-06-01")]
    assert found[0].question == "how do I adjust the label peeler?"
    assert "Max" not in found[1].question
    assert "Brandt" not in found[1].question
