"""Figures as evidence: a row a group with its metrics, their elements, shares and running shares of a loss, and the facts
of the whole (period, filter, figure over all groups, thresholds, how far the data reaches).

Nothing of the whole is computed over rows that were cut or filtered. tests/test_compose_data.py adds up what is shown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from tools.evidence import Column, Evidence, Value, fact
from tools.figures import Figures, Question, parts_of
from tools.formula import change, divisors_of, elements_of, value_of
from tools.labels import change_column, filters_said, key_column, metric_column, named, query_of
from tools.model_file import UNCERTIFIED
from tools.phrases import where_said
from tools.plant_model import Plant
from tools.registry import Call, Period

LOSS_KEYS = ("reason", "defect", "alarm", "part")


def tabulated(call: Call, question: Question, span: Period, figures: Figures, limit: int | None = None) -> Evidence:
    """The figures as one piece of evidence, at most `limit` of its groups; facts of the whole are over all of them."""
    plant, model = call.plant, call.plant.model
    columns = [key_column(key) for key in question.by]
    columns += [metric_column(name, model.metrics[name]) for name in question.metrics]
    whole = {model.metrics[name].expression.strip() for name in question.metrics}  # a metric that is one element shows once
    shown = [name for name in figures.elements if name not in question.metrics and name not in whole]
    rows: list[dict[str, Value]] = []
    for row in figures.rows:
        out: dict[str, Value] = {name: row.get(name) for name in (*question.metrics, *shown)}
        for key in question.by:
            out[key] = named(plant, key, row.get(key))
            out[f"{key}_id"] = row.get(key)
        rows.append(out)
    complete = not figures.answer.truncated and not question.having
    if complete and is_pareto(plant, question):
        columns += _shares(rows, question.metrics[0])
    for name in shown:
        spec = model.elements[name]
        columns.append(Column(name, spec.label, spec.kind, spec.unit))
    columns += _marked_running(plant, question, span, figures, rows)
    facts = _facts(call, question, span)
    facts["groups"] = fact("Groups", len(rows), "count")
    if complete and question.by and question.limit is None and (limit is None or limit > 1 or is_pareto(plant, question)):
        facts |= _over_all(plant, question, figures)
    facts |= _apart(plant, question, figures)
    certified = all(model.metrics[name].certified_by != UNCERTIFIED for name in question.metrics)
    cut = rows[:limit] if limit else rows
    query = query_of(plant, figures.answer, certified, question.where.limited_to, len(cut))
    labels = ", ".join(model.metrics[name].label for name in question.metrics)
    where = str(facts["filter"][1]) if "filter" in facts else ""
    title = f"{labels}{f' of {where}' if where else ''}, {span.text}"
    return Evidence("query", title, tuple(columns), tuple(cut), question.by[0] if question.by else "", facts, query=query)


def is_pareto(plant: Plant, question: Question) -> bool:
    """A loss by what caused it, the greatest first."""
    by, metric = question.by, plant.model.metrics[question.metrics[0]]
    ranked = question.sort is not None and question.sort == (question.metrics[0], True)
    return len(by) == 1 and by[0] in LOSS_KEYS and ranked and metric.expression.strip() in plant.model.elements


def _shares(rows: Sequence[dict[str, Value]], name: str) -> list[Column]:
    """Each row's share of the sum, and the running share down to it."""
    total = sum(float(str(row[name])) for row in rows if row[name] is not None)
    if total <= 0 or len(rows) < 2:
        return []
    running = 0.0
    for row in rows:
        own = float(str(row[name])) if row[name] is not None else 0.0
        running += own
        row["share"], row["running_share"] = own / total, running / total
    return [Column("share", "Share", "percent"), Column("running_share", "Running share", "percent")]


def _marked_running(plant: Plant, question: Question, span: Period, figures: Figures, rows: Sequence[dict[str, Value]]) -> list[Column]:
    """Periods that the data does not cover yet are marked `so far`."""
    until = plant.data_until()
    if until is None or span.end <= until or not question.times.keys:
        return []
    ends = {bucket.labels: bucket.span.end for bucket in question.times.buckets}
    for row, out in zip(figures.rows, rows, strict=True):
        end = ends.get(tuple(str(row.get(key)) for key in question.times.keys))
        out["complete"] = "so far" if end is not None and end > until else "yes"
    return [Column("complete", "Complete", "text")]


def _facts(call: Call, question: Question, span: Period) -> dict[str, tuple[Column, Value]]:
    plant, model = call.plant, call.plant.model
    facts: dict[str, tuple[Column, Value]] = {
        "period": fact("Period", span.text),
        "start": fact("From", span.start, "time"),
        "end": fact("To", min(span.end, call.now) if span.end > call.now else span.end, "time"),
    }
    until = plant.data_until()
    if until is not None and span.start < until < span.end:
        facts["until"] = fact("Data until", until, "time")
    for name in question.metrics:
        facts[f"formula_{name}"] = fact(f"{model.metrics[name].label}: formula", model.metrics[name].formula)
        facts[f"label_{name}"] = fact("Metric", model.metrics[name].label)
    for condition in question.having:
        column = metric_column(condition.key, model.metrics[condition.key])
        facts[f"label_{condition.key}"] = fact("Metric", column.label)
        for edge, bound in (("low", condition.low), ("high", condition.high)):
            if bound is not None:
                facts[f"{edge}_{condition.key}"] = (replace(column, label=f"{column.label}, limit asked about"), bound)
    said = [c for c in question.filters if not (span.assumed and c.key == "shift")]  # the period names it
    if where := filters_said(plant, said):
        facts["filter"] = fact("For", where)
    told = [c for c in said if c.key not in question.by or c.exclude]  # the groups themselves name it
    if phrase := where_said(plant, told, of=True):
        facts["where"] = fact("Of", phrase)
    if question.where.limited_to:
        facts["limited_to"] = fact("Limited to", question.where.limited_to)
    return facts


def _apart(plant: Plant, question: Question, figures: Figures) -> dict[str, tuple[Column, Value]]:
    """How far apart two groups are: what is asked of two lines, products or shifts."""
    name = question.metrics[0]
    values = [row.get(name) for row in figures.rows]
    if len(values) != 2 or question.times.keys not in ((), ("shift",)) or question.having:
        return {}
    gap = change(plant.model.metrics[name], *values)
    return {"apart": (replace(change_column("apart", plant.model.metrics[name]), signed=False, label="Apart"), abs(gap))} if gap else {}


def _over_all(plant: Plant, question: Question, figures: Figures) -> dict[str, tuple[Column, Value]]:
    """Each metric over all groups, from the summed elements; none where groups share elements or count parts apart."""
    if len(figures.rows) < 2:
        return {}
    if any(part.dropped & set(question.by) for part in parts_of(plant, question, figures.elements)):
        return {}
    apart = bool({"equipment", "equipment_class"} & set(question.by)) and not question.in_line
    found: dict[str, tuple[Column, Value]] = {}
    for name in question.metrics:
        metric = plant.model.metrics[name]
        elements = [plant.model.elements[e] for e in elements_of(metric)]
        if any(e.derived == "peak" or (apart and e.in_line) for e in elements):
            continue
        sums: dict[str, Any] = {e: sum(v for row in figures.rows if isinstance(v := row.get(e), int | float)) for e in elements_of(metric)}
        column = metric_column(name, metric)
        found[f"overall_{name}"] = (replace(column, label=f"{metric.label}, in all"), value_of(metric, sums))
    return found


def undefined(plant: Plant, rows: Sequence[Mapping[str, Value]], names: Sequence[str]) -> dict[str, str]:
    """Why a figure is not defined, for each metric that has none in some row: which of its divisors were zero."""
    found = {}
    for name in names:
        empty = next((row for row in rows if row.get(name) is None), None)
        if empty is not None:
            metric = plant.model.metrics[name]
            zero = [plant.model.elements[e].label.lower() for e in divisors_of(metric) if not empty.get(e)]
            why = f"{' and '.join(zero)} {'was' if len(zero) == 1 else 'were'} zero" if zero else "its divisor is zero"
            found[name] = f"{metric.undefined} ({why})" if metric.undefined else why
    return found
