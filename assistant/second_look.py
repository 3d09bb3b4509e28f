"""A second look at what the planner would turn away: do the plant's own documents know it?

The planner knows words, not the plant's papers. Before a question is called out of scope, or handed back as unclear,
the index is asked: a code that an alarm list holds is an alarm question, and a passage that clearly answers is the
answer. What the index does not clearly know stays turned away. tests/test_second_look.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from assistant.planning import Plan, PlannedCall
from assistant.understand import Question
from retrieval.index import Index
from retrieval.lexical import query_terms
from tools.access import Policy
from tools.registry import Tool

#: From this relevance on a passage answers a question that the planner did not place (`retrieval.rank`: 0..1).
CLEARLY = 0.8
#: A question of a single telling word ("torque") fits a hundred passages; it stays unclear.
_WORDS = 2


def reconsidered(plan: Plan, question: Question, index: Index, tools: Mapping[str, Tool], policy: Policy, machine: Any) -> Plan:
    """The plan itself, or the look-up that the index says was meant. `machine` is the plant's entry of the machine in
    front, or None. Refusals, rights and plans that run are never touched."""
    unclear = plan.status == "needs_clarification" and not plan.calls
    if not (unclear or plan.status == "out_of_scope") or question.previous:
        return plan
    if len(query_terms(question.text)) < _WORDS and not any(char.isdigit() for char in question.text):
        return plan
    hits = index.search(
        question.text, 3, equipment=machine.id if machine else None, equipment_class=machine.cls if machine else None
    )
    if not hits:
        return plan
    best = hits[0]
    call = None
    if best.passage.block == "alarm" and "identifier" in best.how and best.passage.identifiers:
        place = {"equipment": machine.id} if machine else {}
        call = PlannedCall("explain_alarm", {"code": best.passage.identifiers[0], **place})
    elif best.score >= CLEARLY and best.passage.kind not in ("log", "field_note") and len(query_terms(question.text)) >= _WORDS:
        call = PlannedCall("search_documents", {"query": question.text})
    if call is None or call.tool not in tools or not policy.may_use(question.caller, call.tool).allowed:
        return plan
    return replace(plan, status="planned", calls=(call,), choices=(), reason="", confidence=round(min(best.score, 0.9), 4))
