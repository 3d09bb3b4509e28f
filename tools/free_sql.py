"""Free SQL for expert roles: a person's or a capable model's statement, validated like every other, labelled
uncertified, with the columns named that are hidden from the person. tests/test_sql.py proves the gate; tests/test_free_sql.py the tool."""

from __future__ import annotations

from tools.evidence import Column, ColumnKind, Evidence, Query, fact
from tools.registry import Call, Result
from tools.sql import SqlRefused, Statement


def run_sql(call: Call, sql: str) -> Result:
    """Run one read-only SELECT against the plant database (expert roles). sql: the statement."""
    try:
        rows = call.plant.database.run(
            Statement(sql, purpose="free"), call.plant.grants(call.caller, call.policy), deadline_s=call.deadline_s
        )
    except SqlRefused as refusal:
        return Result("refused_unsafe", message=f"The SQL gate refused this: {refusal.decision.reason}")
    if not rows.rows:
        return Result("no_data", message=f"The statement ran and found no rows. {rows.note}".strip())
    columns = tuple(Column(name, name, _kind(rows.rows, place)) for place, name in enumerate(rows.columns))
    evidence = Evidence(
        "query", "Free SQL (not certified)", columns,
        tuple(dict(zip(rows.columns, row, strict=True)) for row in rows.rows),
        facts={"rows": fact("rows", len(rows.rows), "count"), **({"hidden": fact("hidden", rows.note, "text")} if rows.note else {})},
        query=Query(rows.sql, rows.parameters, call.plant.data_until(), False, len(rows.rows), rows.truncated),
    )  # fmt: skip
    return Result("answered", (evidence,))


def _kind(rows: tuple[tuple[object, ...], ...], place: int) -> ColumnKind:
    values = [row[place] for row in rows[:50] if row[place] is not None]
    return "number" if values and all(isinstance(value, int | float) for value in values) else "text"
