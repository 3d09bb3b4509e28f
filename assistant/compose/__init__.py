"""One composer per tool: from an executed step to what is said and shown. `COMPOSERS` is the table; a new tool adds
its line here, and tests/test_compose.py fails for a registered tool without one."""

from __future__ import annotations

from collections.abc import Callable

from assistant.compose import data, documents, knowledge, metrics
from assistant.compose.said import Context, Said
from tools.registry import Step

COMPOSERS: dict[str, Callable[[Step, Context], Said]] = {
    "query_metrics": metrics.compose_query_metrics,
    "list_records": data.compose_list_records,
    "trace_material": data.compose_trace_material,
    "signal_trend": data.compose_signal_trend,
    "find_correlations": data.compose_find_correlations,
    "run_sql": data.compose_run_sql,
    "explain_alarm": knowledge.compose_explain_alarm,
    "diagnose": knowledge.compose_diagnose,
    "search_documents": knowledge.compose_search_documents,
    "get_procedure": knowledge.compose_get_procedure,
    "draft_document": documents.compose_draft_document,
    "raise_request": documents.compose_raise_request,
}

__all__ = ["COMPOSERS", "Context", "Said"]
