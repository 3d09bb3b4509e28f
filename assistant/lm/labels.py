"""The closed label sets of the language models: what a head can say and what a span can be.

The router's heads, the span tags, the corpus reader and the planner's line language all take their names from
here, so a label exists once. `tests/test_lm_corpus.py` holds the corpus to these sets; `tests/test_router.py` holds
the shipped graph to them. Names of tools, arguments and document kinds are those of the tool registry.
"""

from __future__ import annotations

from collections.abc import Mapping

TOOLS: tuple[str, ...] = (
    "query_metrics", "list_records", "explain_alarm", "diagnose", "search_documents", "get_procedure",
    "trace_material", "signal_trend", "find_correlations", "draft_document", "raise_request", "run_sql",
)  # fmt: skip

STATUSES: tuple[str, ...] = ("answer", "out_of_scope", "refused_unsafe", "needs_clarification", "smalltalk")

METRICS: tuple[str, ...] = (
    "oee", "availability", "performance", "quality_ratio", "first_pass_yield", "scrap_rate", "scrap_count",
    "rework_rate", "good_count", "total_count", "downtime", "mtbf", "mttr", "cycle_time", "changeover_time",
    "schedule_attainment", "energy", "energy_per_good_part", "alarm_count", "ncr_count",
)  # fmt: skip

RECORDS: tuple[str, ...] = (
    "maintenance_orders", "maintenance_logs", "production_orders", "alarm_events", "downtime_events",
    "nonconformances", "capas", "lots", "spare_parts", "certifications", "quality_results", "equipment", "products",
    "documents",
)  # fmt: skip

BY: tuple[str, ...] = (
    "hour", "day", "week", "month", "site", "area", "line", "equipment", "equipment_class", "product", "variant",
    "order", "lot", "shift", "operator", "reason", "defect", "alarm", "part", "supplier", "customer", "certification",
    "status", "type", "priority", "severity",
)  # fmt: skip

DOCUMENT_KINDS: tuple[str, ...] = (
    "troubleshooting_guide", "sop", "work_instruction", "ncr_summary", "shift_handover", "batch_record", "deviation",
    "capa", "oee_report", "maintenance_report", "training_report", "audit_report",
)  # fmt: skip

SEARCH_KINDS: tuple[str, ...] = ("manual", "sop", "work_instruction", "bulletin", "log", "field_note")

# One set over all records; which of them a record has is the plant model's word, and code maps onto it.
RECORD_STATUSES: tuple[str, ...] = (
    "open", "in_progress", "planned", "released", "overdue", "on_hold", "closed", "completed", "cancelled", "active",
    "acknowledged", "unacknowledged", "shelved", "cleared", "awaiting_disposition", "dispositioned",
    "effectiveness_check", "quarantined", "rejected", "scrapped", "expired", "expiring", "valid", "below_minimum",
    "out_of_stock", "in_stock", "on_order", "obsolete", "reserved", "failed", "passed", "pending", "running", "down",
    "idle", "ongoing", "draft", "in_review", "effective", "retired", "due_for_review",
)  # fmt: skip

SORTS: tuple[str, ...] = ("none", "asc", "desc")
LIMITS: tuple[str, ...] = ("none", "one", "span")  # "one": a superlative that asks for a single row; "span": as said
COMPARISONS: tuple[str, ...] = ("none", "previous_period", "target", "period", "number", "where")
DIRECTIONS: tuple[str, ...] = ("backward", "forward", "both")
SKILLS: tuple[str, ...] = ("none", "novice", "experienced", "expert")
REQUEST_KINDS: tuple[str, ...] = ("maintenance", "quality", "material", "spare_parts", "help")
HAZARDS: tuple[str, ...] = ("none", "hazard")
CALL_COUNTS: tuple[str, ...] = ("1", "2", "3")

# head name -> labels; the order is the order of the logits in the exported graph.
HEADS: Mapping[str, tuple[str, ...]] = {
    "tool": TOOLS,
    "status": STATUSES,
    "calls": CALL_COUNTS,
    "metric": METRICS,
    "by": BY,
    "record": RECORDS,
    "kind": DOCUMENT_KINDS,
    "search_kind": SEARCH_KINDS,
    "record_status": RECORD_STATUSES,
    "sort": SORTS,
    "limit": LIMITS,
    "compare_to": COMPARISONS,
    "direction": DIRECTIONS,
    "skill": SKILLS,
    "request_kind": REQUEST_KINDS,
    "hazard": HAZARDS,
}
# Heads whose labels are independent of each other (a probability each); the rest share one probability mass.
INDEPENDENT: frozenset[str] = frozenset({"metric", "by", "search_kind", "record_status"})

# Short names inside a question. `code` is an alarm or fault code or text, also when it filters (`where alarm`);
# `compare` is the period or number that something is held against; `number` is a threshold; `limit` is "top 5".
ENTITIES: tuple[str, ...] = (
    "equipment", "equipment_class", "line", "area", "site", "shift", "product", "variant", "lot", "order", "serial",
    "code", "part", "person", "signal", "period", "compare", "limit", "number", "reason", "defect", "supplier",
    "customer", "certification", "id", "status", "priority", "severity", "skill",
)  # fmt: skip
# Free wording, which may hold entities inside it ("ladder on silo 6 is corroded").
PHRASES: tuple[str, ...] = ("task", "symptom", "query", "outcome", "text", "sql")


def bio(labels: tuple[str, ...]) -> tuple[str, ...]:
    """The tags of a token head: `O`, then `B-x`, `I-x` for each label, in order."""
    return ("O", *(f"{mark}-{label}" for label in labels for mark in "BI"))
