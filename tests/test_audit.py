"""The audit of finished answers: it passes what the evidence shows, finds one wrong thing, and the product's own answers hold."""

import pytest

from assistant.app import Ask
from assistant.audit import audit
from assistant.grounding import vocabulary
from tests.lying_evidence import ALL, MACHINES, MANUAL, OEE, TRUE, ZONE
from tools.evidence import fill
from tools.registry import Result, Step


def _steps(*evidence):
    return (Step("query_metrics", {}, Result("answered", evidence), 1.0),)


def test_the_audit_passes_what_the_evidence_shows():
    answer = {
        "text": f"{fill(TRUE[0], ALL)} [E1] It says: “Tighten the nut to 45 N m.” [E4]", "spoken": "CNC-02: 70", "question": "scrap?",
        "blocks": [{"type": "number", "text": "83.2 %", "marker": "E2"}],
    }  # fmt: skip
    assert audit(answer, _steps(*ALL), ZONE, ("cnc-02",)) == []


@pytest.mark.parametrize("text", [
    "CNC-02 scrapped 71. [E1]", "CNC-02 scrapped 70. [E2]", "It was 83.2 %. [E7]", "See WO-999. [E1]", "It was 83.2 %. [E2] And 12.5 %.",
    "CNC-02 scrapped 388. [E1]",
])  # fmt: skip
def test_the_audit_finds_what_it_does_not(text):
    assert audit({"text": text, "spoken": "", "question": ""}, _steps(MACHINES, OEE, MANUAL), ZONE)


def test_the_audit_finds_a_name_of_another_source():
    assert audit({"text": "The mixer had scrap 70. [E1]", "question": ""}, _steps(MACHINES), ZONE, ("mixer",)) == [
        "unsupported name: mixer"
    ]


def test_what_code_itself_states_is_known():
    steps = (Step("query_metrics", {}, Result("not_allowed", (), "Your lines are Line 3."), 1.0),)
    assert audit({"text": "Your lines are Line 3.", "question": ""}, steps, ZONE, ("line 3",)) == []


QUESTIONS = (
    "oee by line last week", "oee of line 3 yesterday compared with last week", "what does alarm 502 mean on cnc-02", "open maintenance orders on line 3",
    "where did lot 88213 go", "top 3 downtime reasons last month", "how do I change the coolant filter on CNC-02", "which spare parts are below minimum",
    "spindle vibration of cnc-01 today", "what correlates with scrap on line 3", "draft the oee report for line 3 last week",
)  # fmt: skip


@pytest.mark.parametrize("question", QUESTIONS)
def test_the_products_own_answers_hold(assistant, question):
    answer, steps = assistant.examined(Ask(question, "sam"))
    names = vocabulary(assistant.plant).names
    assert audit(answer, steps, assistant.plant.zone, {name for name in names if any(char.isdigit() for char in name)}) == []
