"""Certified metrics: what the plant's figures are, over any filter, grouping, period and comparison.

A metric is an expression over summed elements, never an average of ratios; a zero denominator is "not defined". Each
element is taken from the first record that knows every filter and grouping asked for. tests/test_metrics.py compares
hundreds of generated questions with a second implementation in plain Python over the raw rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from tools.changes import Side, explain_change
from tools.comparison import compare
from tools.conditions import Condition, conditions, extent, resolve
from tools.evidence import Evidence
from tools.figures import Figures, Question, compute, parts_of
from tools.formula import elements_of, in_unit
from tools.model_file import MetricSpec
from tools.phrases import during, where_said
from tools.plant_model import Plant
from tools.query import IDENTITIES, Parameters, Rowset
from tools.registry import Call, Period, Result, Status, Unanswerable
from tools.spans import TIME_KEYS, times
from tools.sql import Statement
from tools.tabulation import LOSS_KEYS, is_pareto, tabulated, undefined

PEOPLE = ("operator",)
EVERYTHING = "all recorded time"
COMPARED_DAYS = 30  # the window of a metric without one, where another time stands beside it
NEWEST_DAYS: Mapping[str, int] = {"hour": 14, "day": 366, "shift": 92, "week": 1_500}


def query_metrics(
    call: Call,
    metrics: list[str],
    where: dict[str, object] | None = None,
    period: Period | None = None,
    by: list[str] | None = None,
    sort: str | None = None,
    limit: int | None = None,
    compare_to: object | None = None,
) -> Result:
    """Certified figures (OEE, yield, scrap, downtime, MTBF, counts, energy ...) of the plant, filtered by `where`,
    grouped by `by`, over a period, ranked by `sort` and `limit`, and compared with `compare_to` (`previous_period`,
    `target`, a period, a number, or a `where`). A number that a metric is held against is in per cent or its own unit
    (durations in seconds); text may carry a unit (`2 h`, `85 %`)."""
    try:
        return _answer(call, metrics, where, period, by or [], sort, limit, compare_to)
    except Unanswerable as stop:
        return stop.result


def _answer(
    call: Call, metrics: Sequence[str], where: Mapping[str, object] | None, period: Period | None,
    by: Sequence[str], sort: str | None, limit: int | None, compare_to: object | None,
) -> Result:  # fmt: skip
    plant = call.plant
    names = tuple(dict.fromkeys(_metric_name(plant, name) for name in metrics))
    wanted = conditions(_in_units(plant, where))
    filters = tuple(c for c in wanted if c.key not in plant.model.metrics)
    having = tuple(c for c in wanted if c.key in plant.model.metrics)
    _refuse_ranking(call, filters, by)
    held_against_time = compare_to == "previous_period" or isinstance(compare_to, Period)
    span = resolve_period(call, period, [plant.model.metrics[n] for n in names], filters, by, held_against_time)
    where_asked = extent(call, filters, by)
    whole = span.text == EVERYTHING
    shifts = next((c for c in filters if c.key == "shift"), None)
    question = Question(
        names, filters, having, tuple(dict.fromkeys(by)), where_asked, replace(times(plant, span, by, shifts), whole=whole),
        _sorting(plant, sort, names, by), limit,
    )  # fmt: skip
    if (shifts is not None or "shift" in by) and plant.calendar.shifts and not question.times.buckets:
        raise Unanswerable(Result("no_data", message=f"No such shift ran in {span.text}."))
    if period is not None:
        _refuse_undated(call, question, period)
    # The shares of a loss are of all of it, however few of its causes are shown.
    pareto = limit is not None and not having and is_pareto(plant, question)
    figures = compute(call, replace(question, limit=None) if pareto else question)
    assumed = tuple(f"period: {span.text}" for _ in (1,) if span.assumed) + question.times.notes
    if where_asked.limited_to and not where_asked.partial:
        assumed = (*assumed, f"your lines: {where_asked.limited_to}")
    none_met = bool(having) and not figures.rows
    if none_met:  # what the limits left out is what tells that none met them
        figures = compute(call, _without_limits(question))
    if not figures.rows or _nothing(plant, question, figures):
        return Result("no_data", message=_nothing_said(call, question, span), assumed=assumed,
                      limited_to=where_asked.limited_to)  # fmt: skip
    evidence = tabulated(call, replace(question, limit=None) if pareto else question, span, figures, limit)
    figures = replace(figures, rows=figures.rows[:limit] if limit else figures.rows)
    data: dict[str, Any] = {"metrics": names, "by": question.by, "period": span, "undefined": undefined(plant, figures.rows, names)}
    data |= {"having": having, "none_met": none_met, "sort": question.sort, "limit": limit}
    data["better"] = {n: {"up": True, "down": False}.get(plant.model.metrics[n].direction) for n in names}
    more: tuple[Evidence, ...] = ()
    if compare_to is not None:
        evidence, compared, notes = compare(call, question, span, evidence, figures, compare_to, filters)
        if compared["target"] and _targets_by_line(plant, question, evidence):
            by_line = _answer(call, metrics, where, period, ["line"], sort, limit, compare_to)
            return replace(by_line, assumed=(*by_line.assumed, "targets are set for each line"))
        data["compare"] = compared
        assumed = (*assumed, *notes)
        if not question.by and compared["side"] is not None:
            more = tuple(explain_change(call, question, Side(span, filters), compared["side"], figures))
    status: Status = "partial" if where_asked.partial else "answered"
    return Result(status, (evidence, *more), assumed=assumed, limited_to=where_asked.limited_to, data=data)


def _refuse_undated(call: Call, question: Question, period: Period) -> None:
    """Rows without a time are all there ever were, or what there is today: for another period they are a wrong figure."""
    plant = call.plant
    if period.start <= call.now <= period.end and period.end - period.start <= timedelta(days=2):
        return
    elements = tuple(dict.fromkeys(name for m in question.metrics for name in elements_of(plant.model.metrics[m])))
    summed = [name for name in elements if not plant.model.elements[name].derived]
    records = [plant.model.records[part.record] for part in parts_of(plant, question, summed)]
    if records and all(record.time is None for record in records):
        message = (
            f"{records[0].label.capitalize()} are recorded without a time that can be read, so nothing can be said of {period.text} alone."
        )
        raise Unanswerable(Result("no_data", message=message))


def _without_limits(question: Question) -> Question:
    """The question without its thresholds, those first that came nearest to them."""
    first = question.having[0]
    metrics = tuple(dict.fromkeys((*question.metrics, *(c.key for c in question.having))))
    return replace(question, metrics=metrics, having=(), limit=None, sort=(first.key, first.low is not None) if question.by else None)


def _targets_by_line(plant: Plant, question: Question, evidence: Evidence) -> bool:
    """Whether a plant-wide figure has no target of its own where lines have."""
    if question.by or len(plant.lines) < 2 or plant.model.targets is None or "line" not in plant.model.targets.fields:
        return False
    fixed = {c.key for c in question.filters if c.key in ("line", "equipment", "equipment_class")}
    return not fixed and all(evidence.rows[0].get(f"{name}_before") is None for name in question.metrics)


def _metric_name(plant: Plant, name: str) -> str:
    if name in plant.model.metrics:
        return name
    return resolve(plant, "metric", name)


def _in_units(plant: Plant, where: Mapping[str, object] | None) -> dict[str, object]:
    """The filters with every threshold on a metric as a number in that metric's unit."""
    found = dict(where or {})
    for key in set(found) & set(plant.model.metrics):
        metric, value = plant.model.metrics[key], found[key]
        if isinstance(value, Mapping):
            found[key] = {edge: in_unit(metric, bound) for edge, bound in value.items() if bound is not None}
        elif value is not None:
            found[key] = in_unit(metric, value[0] if isinstance(value, list | tuple) and value else value)
    return found


def _refuse_ranking(call: Call, filters: Sequence[Condition], by: Sequence[str]) -> None:
    """People's performance is not compared or looked up, except one's own, unless the plant's policy allows it."""
    if call.policy.rank_people:
        return
    others = any(set(c.include) - {call.caller.user} or c.exclude for c in filters if c.key in PEOPLE)
    if others or set(by) & set(PEOPLE):
        message = "Comparing or ranking people is not allowed by the plant's policy; ask by shift, line or machine instead."
        raise Unanswerable(Result("not_allowed", message=message))


def _sorting(plant: Plant, sort: str | None, names: Sequence[str], by: Sequence[str]) -> tuple[str, bool] | None:
    if not sort:
        # Losses are read from the greatest down.
        additive = plant.model.metrics[names[0]].expression.strip() in plant.model.elements and not set(by) & set(TIME_KEYS)
        return (names[0], True) if additive and set(by) & set(LOSS_KEYS) else None
    words = sort.split()
    descending = words[-1].lower() != "asc"
    field = " ".join(words[:-1]) if words[-1].lower() in ("asc", "desc") else sort
    if field in by or field in plant.model.metrics:
        return field, descending
    if field == "time" and (keys := [key for key in by if key in TIME_KEYS]):
        return keys[0], descending
    return names[0], descending


# -- periods


def resolve_period(
    call: Call, period: Period | None, metrics: Sequence[MetricSpec], filters: Sequence[Condition] = (),
    by: Sequence[str] = (), compared: bool = False,
) -> Period:  # fmt: skip
    """The period asked for, else the last completed shift where a shift is named, else the metric's default window
    (for an order, a lot or a serial number and for metrics without one all that is recorded, unless it is `compared` with another time).

    Raises Unanswerable for a range that runs backwards or lies in the future."""
    calendar = call.plant.calendar
    if period is not None:
        if period.end <= period.start:
            raise Unanswerable(Result("needs_clarification", message=f"The period {period.text} ends before it begins."))
        if period.start >= call.now:
            raise Unanswerable(Result("no_data", message=f"The period {period.text} lies in the future."))
        return period
    shift = next((c for c in filters if c.key == "shift" and len(c.include) == 1), None)
    if not calendar.shifts and any("shift" in record.fields for record in call.plant.model.records.values()):
        shift = None  # only a column knows the shifts
    if shift is not None:
        name = resolve(call.plant, "shift", shift.include[0])
        run = calendar.last_completed_shift(name, call.now)
        if run is not None:
            text = f"the last completed {run.shift.label} ({run.date:%a} {run.date.day} {run.date:%b %Y})"
            return Period(text, run.start, run.end, True)
    if not compared and any(c.key in IDENTITIES and c.include for c in filters):
        return _everything(call, metrics, by)  # an order or a lot is asked about whole, whenever it ran
    days = max((m.default_days or COMPARED_DAYS for m in metrics), default=7)
    if any(m.default_days is None for m in metrics) and not compared:
        return _everything(call, metrics, by)
    start = calendar.day(calendar.local(call.now).date() - timedelta(days=days))[0]
    return Period(f"the last {days} days", start, call.now, True)


def _everything(call: Call, metrics: Sequence[MetricSpec], by: Sequence[str]) -> Period:
    """From the first to the last recorded row behind these metrics; by hours, days or weeks the newest part of it."""
    plant, edges = call.plant, []
    for name in dict.fromkeys(record for m in metrics for e in elements_of(m) for record in plant.model.elements[e].sum):
        record = plant.model.records[name]
        if record.time is None:
            continue
        rows = Rowset(plant, record, Parameters(), call.now)
        at = rows.sql_of(record.time)
        answer = plant.query(Statement(f"SELECT MIN({at}) AS first_one, MAX({at}) AS last_one FROM {rows.from_sql()}"))
        edges += [edge for value in answer.rows[0] if (edge := plant.read_time(value, record.table)) is not None]
    end = max([call.now, *(edge + timedelta(seconds=1) for edge in edges)])
    start = min([*edges, call.now - timedelta(days=1)])
    longest = min((days for key, days in NEWEST_DAYS.items() if key in by), default=None)
    if longest is not None and end - start > timedelta(days=longest):
        last = min(end, max([edge + timedelta(seconds=1) for edge in edges], default=end))
        start = plant.calendar.day(plant.calendar.local(last).date() - timedelta(days=longest))[0]
        return Period(f"the last {longest} days that are recorded", start, end, True)
    return Period(EVERYTHING, start, end, True)


# -- where there is nothing


def _nothing(plant: Plant, question: Question, figures: Figures) -> bool:
    """True where no row stands behind an ungrouped figure. Events that did not happen are a zero, hours that nobody
    recorded are not."""
    if question.by or any(row.get("counted") for row in figures.rows):
        return False
    parts = parts_of(plant, question, figures.elements)
    return any(plant.model.records[p.record].grain_s for p in parts) or question.times.start >= (
        plant.data_until() or datetime.min.replace(tzinfo=plant.zone)
    )


def _nothing_said(call: Call, question: Question, span: Period) -> str:
    plant = call.plant
    labels = ", ".join(plant.model.metrics[name].label for name in question.metrics)
    where = where_said(plant, question.filters, of=True)
    until = plant.data_until()
    tail = ""
    if until is not None and span.start >= until:
        tail = f" The data ends at {plant.calendar.local(until):%-d %b %Y %H:%M}."
    return f"Nothing is recorded for {labels}{f' {where}' if where else ''} {during(span.text)}{span.text}.{tail}"
