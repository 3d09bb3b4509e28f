"""Figures beside others: the period before, another period or place, a target, a number.

tests/test_metrics.py checks each kind against figures asked for alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, timedelta
from typing import Any

from tools.changes import Side
from tools.conditions import PLACES, Condition, conditions, extent
from tools.evidence import Evidence, Value, fact, show
from tools.figures import Figures, Question, compute
from tools.formula import change, in_unit
from tools.labels import change_column, filters_said, metric_column
from tools.query import python_value
from tools.registry import Call, Period, Result, Unanswerable
from tools.spans import TIME_KEYS, times
from tools.sql import Statement


def previous(call: Call, period: Period) -> Period:
    """The period before: the previous calendar unit or run of the same shift where the period is one, else the same
    length just before. A period that still runs is compared with the same part of the one before."""
    calendar = call.plant.calendar
    day = calendar.local(period.start).date()
    for unit in ("day", "week", "month", "quarter", "year"):
        start, end = calendar.unit(unit, day)
        if start == period.start and (end == period.end or (end > period.end >= call.now)):
            before = calendar.unit(unit, calendar.local(start - timedelta(hours=12)).date())
            if period.end >= call.now:
                return Period(f"the same part of the {unit} before", before[0], min(before[0] + (call.now - start), start))
            return Period(f"the {unit} before", *before)
    for shift in calendar.shifts:
        if calendar.shift(shift.id, day) == (period.start, period.end):
            return Period(f"the {shift.label} before", *calendar.shift(shift.id, day - timedelta(days=1)))
    end = min(period.end, call.now)
    if calendar.whole_days(period.start, end):
        days = calendar.local(end).date() - day
        return Period(f"the {days.days} days before", calendar.day(day - days)[0], period.start)
    # Hours are counted on the time line; the wall clock would lose or gain one where it changes.
    length = end.astimezone(UTC) - period.start.astimezone(UTC)
    return Period("the period before", calendar.local(period.start.astimezone(UTC) - length), period.start)


def compare(
    call: Call, question: Question, span: Period, evidence: Evidence, figures: Figures, against: object,
    filters: tuple[Condition, ...],
) -> tuple[Evidence, dict[str, Any], tuple[str, ...]]:  # fmt: skip
    """Add `<metric>_before` (or target) and `<metric>_change` to every row. Changes of ratios are in points."""
    plant, model = call.plant, call.plant.model
    notes: tuple[str, ...] = ()
    label: str
    other_side: Side | None = None
    if against == "target":
        label, reference = "Target", _targets(call, question, span, figures)
    elif isinstance(against, int | float | str) and against != "previous_period":
        first = model.metrics[question.metrics[0]]
        label = show(in_unit(first, against), metric_column(question.metrics[0], first))
        reference = [{name: in_unit(model.metrics[name], against) for name in question.metrics} for _ in figures.rows]
    else:
        other_filters = filters
        if isinstance(against, Mapping):
            merged = {c.key: c for c in filters}
            new = conditions(against)
            if any(c.key in PLACES for c in new):
                merged = {key: c for key, c in merged.items() if key not in PLACES}
            other_filters = tuple({**merged, **{c.key: c for c in new}}.values())
            label, other_span = filters_said(plant, new), span
        else:
            other_span = against if isinstance(against, Period) else previous(call, span)
            label = other_span.text
            if not isinstance(against, Period):
                notes = (f"compared with {label}",)
        other_side = Side(other_span, other_filters)
        reference = _other(call, question, other_span, other_filters, figures)
    columns, rows = list(evidence.columns), [dict(row) for row in evidence.rows]
    for name in question.metrics:
        metric = model.metrics[name]
        base = metric_column(name, metric)
        place = next(i for i, column in enumerate(columns) if column.name == name) + 1  # beside the figure, before its elements
        columns[place:place] = [replace(base, name=f"{name}_before", label=f"{metric.label}, {label}"), change_column(name, metric)]
        for row, known in zip(rows, reference, strict=True):
            row[f"{name}_before"] = known.get(name)
            row[f"{name}_change"] = change(metric, row.get(name), known.get(name))
    facts = {**evidence.facts, "compared_with": fact("Compared with", label)}
    for name in question.metrics if not question.by else ():
        if isinstance(gap := rows[0][f"{name}_change"], int | float):
            facts[f"gap_{name}"] = (replace(change_column(name, model.metrics[name]), signed=False), abs(gap))
    compared = {"label": label, "target": against == "target", "number": other_side is None and against != "target", "side": other_side}
    return replace(evidence, columns=tuple(columns), rows=tuple(rows), facts=facts), compared, notes


def _other(call: Call, question: Question, span: Period, filters: tuple[Condition, ...], figures: Figures) -> list[dict[str, Value]]:
    """The figures of another period or filter, row by row of this one (time keys are compared as a whole)."""
    by = tuple(key for key in question.by if key not in TIME_KEYS)
    shifts = next((c for c in filters if c.key == "shift"), None)
    other = replace(
        question, filters=filters, having=(), by=by, where=extent(call, filters, by),
        times=times(call.plant, span, by, shifts), sort=None, limit=None,
    )  # fmt: skip
    if (shifts is not None or "shift" in by) and call.plant.calendar.shifts and not other.times.buckets:
        return [{} for _ in figures.rows]
    found = {tuple(row.get(key) for key in by): row for row in compute(call, other).rows}
    return [found.get(tuple(row.get(key) for key in by), {}) for row in figures.rows]


def _targets(call: Call, question: Question, span: Period, figures: Figures) -> list[dict[str, Value]]:
    """The target of each row: the most particular one (product and line before line before plant) valid at its end."""
    plant, spec = call.plant, call.plant.model.targets
    if spec is None:
        raise Unanswerable(Result("no_data", message="The plant's database holds no targets."))
    fields = [f"t.{path} AS {key}" for key, path in spec.fields.items()]
    parameters: dict[str, object] = {"metrics": list(question.metrics)}
    valid = ""
    if spec.valid_from:
        parameters["at"] = plant.calendar.local(span.end).date().isoformat()
        valid = f" AND t.{spec.valid_from} <= :at ORDER BY t.{spec.valid_from}"
    sql = f"SELECT t.{spec.metric} AS metric, t.{spec.value} AS target, {', '.join(fields)} FROM {spec.table} AS t WHERE t.{spec.metric} IN (:metrics){valid}"
    answer = plant.database.run(Statement(sql, parameters), plant.grants(call.caller, call.policy))
    names = ["metric", "target", *spec.fields]
    known = [dict(zip(names, row, strict=True)) for row in answer.rows]
    if not known:
        labels = ", ".join(plant.model.metrics[name].label for name in question.metrics)
        raise Unanswerable(Result("no_data", message=f"There is no target for {labels}."))
    single = {c.key: c.include[0] for c in question.filters if len(c.include) == 1}
    found = []
    for row in figures.rows:
        own = {key: row.get(key) or single.get(key) for key in ("line", "product", "equipment")}
        if own["line"] is None and str(own["equipment"]) in plant.equipment:
            own["line"] = plant.equipment[str(own["equipment"])].line
        targets: dict[str, Value] = {}
        ranked = sorted(known, key=lambda t: sum(t.get(key) is not None for key in spec.fields))
        for target in ranked:
            if all(target.get(key) is None or target[key] == own.get(key) for key in spec.fields):
                targets[str(target["metric"])] = python_value(target["target"])
        found.append(targets)
    return found
