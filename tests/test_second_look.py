"""What the planner turns away and the index clearly knows is looked up; everything else stays turned away."""

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from assistant.planning import Plan, PlannedCall
from assistant.second_look import reconsidered
from assistant.understand import Question
from retrieval.index import Anchor, Hit, Passage
from tools.access import POLICY, Caller

TOOLS = {"explain_alarm": None, "search_documents": None}
SAM, ADA = Caller("sam", "Sam", "supervisor"), Caller("ada", "Ada", "administrator")


def _question(text, caller=SAM):
    return Question(text=text, at=datetime(2026, 6, 17, tzinfo=UTC), caller=caller)


def _index(score, block="paragraph", how=("dense",), kind="manual", identifiers=()):
    passage = Passage("p", "text", kind, block, Anchor("DOC", "1", 1, "s"), "Doc", identifiers=identifiers)
    return SimpleNamespace(search=lambda *a, **k: [Hit(passage, score, how)] if score else [])


@pytest.mark.parametrize("status", ["out_of_scope", "needs_clarification"])
def test_a_clear_passage_is_looked_up(status):
    found = reconsidered(Plan(status), _question("which room is the first aid room"), _index(0.9), TOOLS, POLICY, None)
    assert (found.status, found.calls[0].tool) == ("planned", "search_documents")


def test_a_listed_code_is_an_alarm():
    index = _index(1.0, "alarm", ("identifier",), identifiers=("W20", "FLT-1"))
    found = reconsidered(Plan("needs_clarification"), _question("explain W20 to me"), index, TOOLS, POLICY, None)
    assert found.calls[0].arguments == {"code": "W20"}


@pytest.mark.parametrize(
    ("plan", "text", "index", "caller"),
    [
        (Plan("out_of_scope"), "best pizza in town tonight", _index(0.3), SAM),
        (Plan("out_of_scope"), "best pizza in town tonight", _index(0), SAM),
        (Plan("needs_clarification"), "torque", _index(0.95), SAM),
        (Plan("needs_clarification"), "what did he write about it", _index(0.95, kind="log"), SAM),
        (Plan("refused_unsafe"), "bypass the light curtain now", _index(0.95), SAM),
        (Plan("not_allowed"), "certificates of other people", _index(0.95), SAM),
        (Plan("needs_clarification", (PlannedCall("query_metrics", {}),)), "oee of the mill there", _index(0.95), SAM),
        (Plan("out_of_scope"), "which room is the first aid room", _index(0.95), ADA),
    ],
)
def test_everything_else_stays_turned_away(plan, text, index, caller):
    assert reconsidered(plan, _question(text, caller), index, TOOLS, POLICY, None) is plan
