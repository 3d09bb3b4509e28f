"""From a read clause to tool arguments: heads choose among closed sets, placeholders fill the rest, code nests them.

`draft_calls` gives one `Draft` per tool call, its arguments as the contract names them: filters nested in `where`,
statuses canonical for the record, periods as `Period`, several values as a list, an exclusion as {"not": ...}. What a
tool cannot do without and nobody said is `missing`, with the question to ask. tests/test_planning.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from assistant.knowledge_arguments import (
    alarms_drafts,
    correlations_drafts,
    diagnose_drafts,
    document_drafts,
    procedure_drafts,
    request_drafts,
    search_drafts,
    signal_drafts,
    sql_drafts,
    trace_drafts,
)  # fmt: skip
from assistant.metric_arguments import metric_drafts, plants_own, without_any
from assistant.record_arguments import record_drafts
from assistant.scribe import SECOND_TOOL, Draft, Scribe
from assistant.understand import Clause, Question

if TYPE_CHECKING:
    from tools.plant_model import Plant


def draft_calls(clause: Clause, question: Question, plant: Plant, alone: bool = True) -> list[Draft]:
    """The calls of one clause: its likeliest tool, a second one where the router counts two, and one call for each
    value of an argument that holds only one (two alarm codes, two signals)."""
    scribe = Scribe(clause, question, plant)
    tools = [clause.reading.tools[0][0]]
    if alone and clause.reading.best("calls") != "1" and clause.reading.tools[1][1] >= SECOND_TOOL:
        tools.append(clause.reading.tools[1][0])
    drafts: list[Draft] = []
    for tool in tools:
        none_of = without_any(scribe) if tool in ("query_metrics", "list_records") else None
        if tool in ("list_records", "explain_alarm") and not scribe.get("code") and plants_own(scribe):
            tool = "query_metrics"
        if tool == "find_correlations" and _USUAL.search(clause.text) and not _OF_FIGURES.search(clause.text):
            tool = "diagnose"
        drafts += [none_of] if none_of else BUILDERS[tool](scribe)
    return drafts


#: What a trouble usually comes from, or what put it right before, is in the logs; a figure's causes are counted by the MES.
_USUAL = re.compile(
    r"\bwhat (?:usually|normally|typically|mostly|generally) (?:fix\w*|cur\w*|solv\w*|help\w*|caus\w*)\b|"
    r"\b(?:usual|typical|(?:most )?(?:common|frequent)|top \w+|main) (?:root )?(?:causes?|fix(?:es)?|remed(?:y|ies)|cures?|culprits?)\b",
    re.IGNORECASE,
)
_OF_FIGURES = re.compile(r"\b(?:downtime|stops?|stoppages?|scrap|rejects?|rework|loss(?:es)?|oee|ncrs?|non-?conform\w*|yield|availability|alarms?)\b", re.IGNORECASE)
#: How the arguments of each tool are read; a new tool is one line here.
BUILDERS: Mapping[str, Callable[[Scribe], list[Draft]]] = {
    "query_metrics": metric_drafts, "list_records": record_drafts, "explain_alarm": alarms_drafts, "diagnose": diagnose_drafts,
    "search_documents": search_drafts, "get_procedure": procedure_drafts, "trace_material": trace_drafts,
        "signal_trend": signal_drafts,
    "find_correlations": correlations_drafts, "draft_document": document_drafts, "raise_request": request_drafts,
        "run_sql": sql_drafts,
}  # fmt: skip
