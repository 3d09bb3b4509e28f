"""Certified metrics: what the plant's figures are, over any filter, grouping, period and comparison.

A metric is an expression over summed elements, never an average of ratios; a zero denominator is "not defined". Each
element is taken from the first record that knows every filter and grouping asked for. tests/test_metrics.py compares
hundreds of generated questions with a second implementation in plain Python over the raw rows.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlglot import exp

from tools.evidence import Column, ColumnKind, Evidence, Query, Value, fact
from tools.model_file import ElementSpec, MetricSpec, RecordSpec, expression, paths
from tools.plant_model import Plant
from tools.query import (
    PLACES,
    TIME_KEYS,
    Condition,
    Extent,
    Parameters,
    Rowset,
    Times,
    cannot,
    clock_key,
    conditions,
    epoch,
    extent,
    python_value,
    resolve,
    spans_sql,
    supports,
    times,
)
from tools.registry import Call, Period, Result, Status, Unanswerable
from tools.sql import Rows, Statement

MAX_ROWS = 1000
PEOPLE = ("operator",)
LOSS_KEYS = ("reason", "defect", "alarm")


@dataclass(frozen=True)
class Question:
    """A metric question after its names are resolved."""

    metrics: tuple[str, ...]
    filters: tuple[Condition, ...]
    having: tuple[Condition, ...]
    by: tuple[str, ...]
    where: Extent
    times: Times
    sort: tuple[str, bool] | None = None  # field, descending
    limit: int | None = None

    @property
    def keys(self) -> tuple[str, ...]:
        """Every key that a source of elements must know."""
        time_keys = {c.key for c in self.filters if c.key == "shift"}
        return tuple(dict.fromkeys((*(c.key for c in self.filters), *self.by, *time_keys)))


@dataclass(frozen=True)
class Figures:
    """What came back: one dict a group, with keys as ids, elements and metrics. `counted` is how many source rows."""

    rows: tuple[dict[str, Value], ...]
    elements: tuple[str, ...]
    answer: Rows


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
    `target`, a period, a number, or a `where`). Numbers in `where` on a metric are in per cent, minutes or its unit."""
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
    wanted = conditions(where)
    filters = tuple(c for c in wanted if c.key not in plant.model.metrics)
    having = tuple(c for c in wanted if c.key in plant.model.metrics)
    _refuse_ranking(call, filters, by)
    span = resolve_period(call, period, [plant.model.metrics[n] for n in names], filters)
    where_asked = extent(call, filters, by)
    shifts = next((c for c in filters if c.key == "shift"), None)
    question = Question(
        names, filters, having, tuple(dict.fromkeys(by)), where_asked, times(plant, span, by, shifts),
        _sorting(plant, sort, names, by), limit,
    )  # fmt: skip
    if (shifts is not None or "shift" in by) and not question.times.buckets:
        raise Unanswerable(Result("no_data", message=f"No such shift ran in {span.text}."))
    figures = compute(call, question)
    assumed = tuple(f"period: {span.text}" for _ in (1,) if span.assumed) + question.times.notes
    if where_asked.limited_to and not where_asked.partial:
        assumed = (*assumed, f"your lines: {where_asked.limited_to}")
    if not figures.rows or _nothing(plant, question, figures):
        return Result("no_data", message=_nothing_said(call, question, span), assumed=assumed,
                      limited_to=where_asked.limited_to)  # fmt: skip
    evidence = _evidence(call, question, span, figures)
    data: dict[str, Any] = {"metrics": names, "by": question.by, "period": span, "undefined": _undefined(plant, figures, names)}
    data["better"] = {n: {"up": True, "down": False}.get(plant.model.metrics[n].direction) for n in names}
    more: tuple[Evidence, ...] = ()
    if compare_to is not None:
        evidence, compared, notes = _compare(call, question, span, evidence, figures, compare_to, filters)
        data["compare"] = compared
        assumed = (*assumed, *notes)
        if not question.by and isinstance(compared["period"], Period):
            from tools.changes import explain_change  # it builds on this module

            why = explain_change(call, question, span, compared["period"], figures)
            more = (why,) if why is not None else ()
    status: Status = "partial" if where_asked.partial else "answered"
    return Result(status, (evidence, *more), assumed=assumed, limited_to=where_asked.limited_to, data=data)


def _metric_name(plant: Plant, name: str) -> str:
    if name in plant.model.metrics:
        return name
    return resolve(plant, "metric", name)


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
        additive = plant.model.metrics[names[0]].kind != "percent" and not set(by) & set(TIME_KEYS)
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
    call: Call, period: Period | None, metrics: Sequence[MetricSpec], filters: Sequence[Condition] = ()
) -> Period:
    """The period asked for, else the last completed shift where a shift is named, else the metric's default window.

    Raises Unanswerable for a range that runs backwards or lies in the future."""
    calendar = call.plant.calendar
    if period is not None:
        if period.end <= period.start:
            raise Unanswerable(Result("needs_clarification", message=f"The period {period.text} ends before it begins."))
        if period.start >= call.now:
            raise Unanswerable(Result("no_data", message=f"The period {period.text} lies in the future."))
        return period
    shift = next((c for c in filters if c.key == "shift" and len(c.include) == 1), None)
    if shift is not None:
        name = resolve(call.plant, "shift", shift.include[0])
        run = calendar.last_completed_shift(name, call.now)
        if run is not None:
            text = f"the last completed {run.shift.label} ({run.date:%a} {run.date.day} {run.date:%b %Y})"
            return Period(text, run.start, run.end, True)
    days = max((m.default_days for m in metrics), default=7)
    start = calendar.day(calendar.local(call.now).date() - timedelta(days=days))[0]
    return Period(f"the last {days} days", start, call.now, True)


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
    length = min(period.end, call.now) - period.start
    return Period("the period before", period.start - length, period.start)


# -- the statement


@dataclass(frozen=True)
class _Part:
    """Elements that one record answers in one scan; `dropped` keys do not apply to them."""

    record: str
    overlap: bool
    dropped: frozenset[str]
    elements: tuple[str, ...]


def compute(call: Call, question: Question) -> Figures:
    """Run one metric question under the caller's rights."""
    plant = call.plant
    metrics = [plant.model.metrics[name] for name in (*question.metrics, *(c.key for c in question.having))]
    if question.sort and question.sort[0] in plant.model.metrics:
        metrics.append(plant.model.metrics[question.sort[0]])
    elements = tuple(dict.fromkeys(name for metric in metrics for name in elements_of(metric)))
    sql, parameters = statement(call, question, elements)
    answer = plant.database.run(
        Statement(sql, parameters, "answer"), plant.grants(call.caller, call.policy), deadline_s=call.deadline_s
    )
    rows = tuple(
        {name: python_value(value) for name, value in zip(answer.columns, row, strict=True)} for row in answer.rows
    )
    return Figures(rows, elements, answer)


def elements_of(metric: MetricSpec) -> tuple[str, ...]:
    """The elements of a metric, in the order in which its formula names them."""
    names = {path[0] for _, path in paths(expression(metric.expression))}
    return tuple(sorted(names, key=lambda name: re.search(rf"\b{name}\b", metric.expression).start()))  # type: ignore[union-attr]


def divisors_of(metric: MetricSpec) -> tuple[str, ...]:
    """The elements by which a metric divides."""
    tree = expression(metric.expression)
    return tuple(dict.fromkeys(column.name for node in tree.find_all(exp.Div) for column in node.expression.find_all(exp.Column)))


def statement(call: Call, question: Question, elements: Sequence[str]) -> tuple[str, dict[str, object]]:
    """The SQL of a metric question: one grouped scan per record, stacked, summed, and the metrics over the sums."""
    plant, parameters = call.plant, Parameters()
    parts = _parts(plant, question, elements)
    scans = [_scan(call, question, part, elements, parameters) for part in parts]
    clocks = {clock_key(plant.model.clock_of(plant.model.records[part.record].table)) for part in parts}
    if question.times.ranges and len(clocks) > 1:
        raise Unanswerable(Result("no_data", message="These figures are kept by clocks that differ; ask for them one by one."))
    keys = question.by
    whole = {name: part.dropped & set(keys) for part in parts for name in part.elements}
    sums = ", ".join([*keys, "SUM(counted) AS counted", "MAX(own) AS own", *(f"SUM({e}) AS {e}" for e in elements)])
    group = f" GROUP BY {', '.join(keys)}" if keys else ""
    stacked = f"SELECT {sums} FROM ({' UNION ALL '.join(scans)}) AS scans{group}"
    spread = [*keys, "counted", "own"]
    for name in elements:
        if whole[name]:
            others = [key for key in keys if key not in whole[name]]
            partition = f"PARTITION BY {', '.join(others)}" if others else ""
            spread.append(f"SUM({name}) OVER ({partition}) AS {name}")
        else:
            spread.append(f"COALESCE({name}, 0) AS {name}")
    shown = dict.fromkeys((*question.metrics, *(c.key for c in question.having)))
    if question.sort and question.sort[0] in plant.model.metrics:
        shown.setdefault(question.sort[0])
    values = [f"{_sql_value(expression(plant.model.metrics[n].expression))} AS {n}" for n in shown]
    inner = f"SELECT {', '.join(spread)} FROM ({stacked}) AS sums"
    outer = f"SELECT {', '.join([*keys, 'counted', 'own', *(f'{e} AS {e}' for e in elements), *values])} FROM ({inner}) AS totals"
    columns = ", ".join([*keys, *shown, *(e for e in elements if e not in shown), "counted"])
    tests = ["own = 1"] if keys else []
    for condition in question.having:
        tests += _threshold(plant, condition, parameters)
    where = f" WHERE {' AND '.join(tests)}" if tests else ""
    order = _order(question, keys)
    limit = f" LIMIT {min(question.limit, MAX_ROWS)}" if question.limit else ""
    with_ = f"WITH {spans_sql(plant, plant.model.records[parts[0].record].table, question.times)} " if question.times.ranges else ""
    return f"{with_}SELECT {columns} FROM ({outer}) AS figures{where}{order}{limit}", parameters.values


def _order(question: Question, keys: Sequence[str]) -> str:
    if not keys:
        return ""
    order = list(keys)
    if question.sort is not None:
        field, descending = question.sort
        first = f"{field} {'DESC' if descending else 'ASC'}"
        order = [f"CASE WHEN {field} IS NULL THEN 1 ELSE 0 END", first, *(key for key in keys if key != field)]
    return f" ORDER BY {', '.join(order)}"


def _parts(plant: Plant, question: Question, elements: Sequence[str]) -> list[_Part]:
    """Which record answers which elements, scans in common where they can be."""
    found: dict[tuple[str, bool, frozenset[str]], list[str]] = {}
    for name in elements:
        found.setdefault(_source(plant, plant.model.elements[name], question), []).append(name)
    return [_Part(*key, tuple(names)) for key, names in found.items()]


def _source(plant: Plant, element: ElementSpec, question: Question) -> tuple[str, bool, frozenset[str]]:
    problem: Result | None = None
    for record_name, text in element.sum.items():
        record = plant.model.records[record_name]
        missing = [key for key in question.keys if not supports(plant, record, key) or _many(record, key, question.by)]
        dropped = frozenset(key for key in missing if key in element.whole)
        if len(dropped) == len(missing):
            return record_name, text == "overlap", dropped
        first = next(key for key in missing if key not in dropped)
        problem = problem or cannot(record, first)
    assert problem is not None
    raise Unanswerable(problem)


def _many(record: RecordSpec, key: str, by: Sequence[str]) -> bool:
    """A key that a row has many of may filter, but would count the row again in each group."""
    return key in by and not isinstance(record.fields.get(key, ""), str)


def _scan(call: Call, question: Question, part: _Part, elements: Sequence[str], parameters: Parameters) -> str:
    """`SELECT keys, SUM(...) FROM record ... GROUP BY keys` for one part; other parts' elements are NULL."""
    plant, span = call.plant, question.times
    record = plant.model.records[part.record]
    rows = Rowset(plant, record, parameters, call.now)
    own = [c for c in question.filters if c.key not in part.dropped]
    rows.restrict(own, question.where)
    _place_in_time(rows, part, span)
    edges = ("spans.since", "spans.until") if span.ranges else _edges(rows, span)
    columns, groups = [], []
    for key in question.by:
        if key in part.dropped:
            columns.append(f"NULL AS {key}")
            continue
        text = f"spans.{key}_label" if key in span.keys else rows.key(key)
        columns.append(f"{text} AS {key}")
        groups.append(text)
    columns.append("COUNT(*) AS counted" if not part.dropped else "0 AS counted")
    columns.append(f"{0 if part.dropped & set(question.by) else 1} AS own")
    for name in elements:
        if name not in part.elements:
            columns.append(f"NULL AS {name}")
        elif part.overlap:
            columns.append(f"SUM({_overlap(rows, edges)}) AS {name}")
        else:
            columns.append(f"SUM({rows.sql_of(plant.model.elements[name].sum[part.record])}) AS {name}")
    # CROSS JOIN keeps SQLite from reading every row for each range.
    source = f"spans CROSS JOIN {rows.from_sql()}" if span.ranges else rows.from_sql()
    group = f" GROUP BY {', '.join(groups)}" if groups else ""
    return f"SELECT {', '.join(columns)} FROM {source}{rows.where_sql()}{group}"


def _edges(rows: Rowset, span: Times) -> tuple[str, str]:
    table = rows.record.table
    return (
        rows.parameters.add(rows.plant.write_time(span.start, table), "since"),
        rows.parameters.add(rows.plant.write_time(span.end, table), "until"),
    )


def _place_in_time(rows: Rowset, part: _Part, span: Times) -> None:
    record = rows.record
    if record.time is None:
        return
    begun = rows.sql_of(record.time)
    if span.ranges:
        since, until = "spans.since", "spans.until"
    else:
        since, until = _edges(rows, span)
    if part.overlap:
        ended = rows.sql_of(record.until or record.time)
        rows.wheres += [f"{begun} < {until}", f"({ended} > {since} OR {ended} IS NULL)"]
    else:
        rows.wheres += [f"{begun} >= {since}", f"{begun} < {until}"]


def _overlap(rows: Rowset, edges: tuple[str, str]) -> str:
    """Seconds of a row within the range; what has not ended lasts until now."""
    record, dialect = rows.record, rows.plant.database.dialect
    now = rows.parameters.add(rows.plant.write_time(rows.now, record.table), "now")
    begun = rows.sql_of(record.time or "")
    ended = f"COALESCE({rows.sql_of(record.until or '')}, {now})"
    first = f"CASE WHEN {begun} > {edges[0]} THEN {begun} ELSE {edges[0]} END"
    last = f"CASE WHEN {ended} < {edges[1]} THEN {ended} ELSE {edges[1]} END"
    lasted = f"{epoch(last, dialect)} - {epoch(first, dialect)}"
    return f"CASE WHEN {last} > {first} THEN {lasted} ELSE 0 END"


def _sql_value(node: exp.Expression) -> str:
    """A metric's expression over summed elements: every division guarded, none of whole numbers."""
    if isinstance(node, exp.Paren):
        return f"({_sql_value(node.this)})"
    if isinstance(node, exp.Div):
        return f"(1.0 * {_sql_value(node.this)} / NULLIF({_sql_value(node.expression)}, 0))"
    for kind, sign in ((exp.Mul, "*"), (exp.Add, "+"), (exp.Sub, "-")):
        if isinstance(node, kind):
            return f"{_sql_value(node.this)} {sign} {_sql_value(node.expression)}"
    return node.sql("sqlite")


def value_of(metric: MetricSpec, elements: Mapping[str, Value]) -> float | None:
    """The same expression in Python; None where a denominator is zero or an element is missing."""

    def visit(node: exp.Expression) -> float | None:
        if isinstance(node, exp.Paren):
            return visit(node.this)
        if isinstance(node, exp.Literal):
            return float(node.this)
        if isinstance(node, exp.Column):
            found = elements.get(node.name)
            return float(found) if isinstance(found, int | float) else None
        left, right = visit(node.this), visit(node.expression)
        if left is None or right is None or (isinstance(node, exp.Div) and right == 0):
            return None
        if isinstance(node, exp.Div):
            return left / right
        if isinstance(node, exp.Mul):
            return left * right
        return left + right if isinstance(node, exp.Add) else left - right

    return visit(expression(metric.expression))


def _threshold(plant: Plant, condition: Condition, parameters: Parameters) -> list[str]:
    metric = plant.model.metrics[condition.key]
    tests = []
    for bound, sign in ((condition.low, ">="), (condition.high, "<=")):
        if bound is not None:
            tests.append(f"{condition.key} {sign} {parameters.add(in_unit(metric, bound), condition.key)}")
    for text in condition.include:
        tests.append(f"{condition.key} = {parameters.add(in_unit(metric, text), condition.key)}")
    return tests


_UNITS_S = {"s": 1, "sec": 1, "second": 1, "seconds": 1, "min": 60, "mins": 60, "minute": 60, "minutes": 60, "m": 60,
            "h": 3600, "hr": 3600, "hrs": 3600, "hour": 3600, "hours": 3600, "d": 86400, "day": 86400, "days": 86400}  # fmt: skip


def in_unit(metric: MetricSpec, value: object) -> float:
    """A threshold or target as the metric is kept: per cent as fractions, durations in seconds (bare numbers are
    minutes), `60k` as 60 000. Raises Unanswerable for words."""
    match = re.match(r"\s*(-?\d[\d ]*(?:[.,]\d+)?)\s*([a-z%]*)", str(value).lower().replace("-minute", " min"))
    if not match:
        raise Unanswerable(Result("needs_clarification", message=f"{value} is no number to compare {metric.label} with."))
    text = match[1].replace(" ", "")
    # 12,400 is a thousand's comma, 95,5 a decimal one
    number = float(text.replace(",", "") if re.fullmatch(r"-?\d{1,3}(,\d{3})+", text) else text.replace(",", "."))
    unit = match[2]
    if metric.kind == "percent":
        return number / 100 if abs(number) > 1 or unit in ("%", "percent", "per") else number
    if metric.kind == "duration_s":
        return number * _UNITS_S.get(unit, 60)
    if unit == "k":
        return number * 1000
    return number


# -- evidence


KEY_LABELS = {"equipment": "Machine", "equipment_class": "Machine class", "operator": "Person"}


def key_column(key: str) -> Column:
    kind: ColumnKind = "id" if key in ("order", "lot", "serial", "alarm", "id") else "text"
    return Column(key, KEY_LABELS.get(key, key.replace("_", " ").capitalize()), kind)


def metric_column(name: str, metric: MetricSpec) -> Column:
    return Column(name, metric.label, metric.kind, metric.unit, metric.decimals)


def named(plant: Plant, key: str, value: Value) -> Value:
    """A group's key as people read it."""
    if value is None:
        return None
    if key in TIME_KEYS:
        return str(value)
    return plant.name(key, value)


def _evidence(call: Call, question: Question, span: Period, figures: Figures) -> Evidence:
    plant, model = call.plant, call.plant.model
    columns = [key_column(key) for key in question.by]
    columns += [metric_column(name, model.metrics[name]) for name in question.metrics]
    shown = [name for name in figures.elements if name not in question.metrics]
    for name in shown:
        spec = model.elements[name]
        columns.append(Column(name, spec.label, spec.kind, spec.unit))
    until = plant.data_until()
    rows = []
    for row in figures.rows:
        out: dict[str, Value] = {name: row.get(name) for name in (*question.metrics, *shown)}
        for key in question.by:
            out[key] = named(plant, key, row.get(key))
            out[f"{key}_id"] = row.get(key)
        rows.append(out)
    running = until is not None and span.end > until
    if running and until is not None and question.times.keys:
        columns.append(Column("complete", "Complete", "text"))
        ends = {bucket.labels: bucket.span.end for bucket in question.times.buckets}
        for row, out in zip(figures.rows, rows, strict=True):
            end = ends.get(tuple(str(row.get(key)) for key in question.times.keys))
            out["complete"] = "so far" if end is not None and end > until else "yes"
    labels = ", ".join(model.metrics[name].label for name in question.metrics)
    facts: dict[str, tuple[Column, Value]] = {
        "period": fact("Period", span.text),
        "start": fact("From", span.start, "time"),
        "end": fact("To", min(span.end, call.now) if span.end > call.now else span.end, "time"),
    }
    for name in question.metrics:
        facts[f"formula_{name}"] = fact(f"{model.metrics[name].label}: formula", model.metrics[name].formula)
        facts[f"label_{name}"] = fact("Metric", model.metrics[name].label)
    said = [c for c in question.filters if not (span.assumed and c.key == "shift")]  # the period names it
    if where := filters_said(plant, said):
        facts["filter"] = fact("For", where)
    if question.where.limited_to:
        facts["limited_to"] = fact("Limited to", question.where.limited_to)
    query = query_of(plant, figures.answer, True, question.where.limited_to)
    title = f"{labels}{f' of {where}' if where else ''}, {span.text}"
    return Evidence("query", title, tuple(columns), tuple(rows), question.by[0] if question.by else "", facts, query=query)


def query_of(plant: Plant, answer: Rows, certified: bool, limited_to: str = "", total: int | None = None) -> Query:
    count = len(answer.rows) if total is None else total
    return Query(answer.sql, answer.parameters, plant.data_until(), certified, count, answer.truncated, limited_to)


def filters_said(plant: Plant, filters: Sequence[Condition]) -> str:
    """The filters of a question in words: `Line 3, night shift, not Valve body XYZ`."""
    said = []
    for c in filters:
        names = [str(_shown(plant, c.key, value)) for value in c.include]
        if names:
            said.append(" or ".join(names))
        if c.exclude:
            said.append("not " + " or ".join(str(_shown(plant, c.key, value)) for value in c.exclude))
        word = c.key.replace("_", " ")
        if c.low is not None:
            said.append(f"{word} at least {c.low:g}")
        if c.high is not None:
            said.append(f"{word} at most {c.high:g}")
    return ", ".join(said)


def _shown(plant: Plant, key: str, value: str) -> str:
    id = plant.vocabulary(key).get(value.lower(), value)
    text = plant.name(key, id)
    if key in PLACES or key in ("shift", "product", "status", "type", "variant", "defect"):
        return text.replace("_", " ") if key in ("status", "type", "equipment_class") else text
    return f"{key.replace('_', ' ')} {text}"


def _undefined(plant: Plant, figures: Figures, names: Sequence[str]) -> dict[str, str]:
    """Why a figure is not defined, for each metric that has none in some row: which of its divisors were zero."""
    found = {}
    for name in names:
        empty = next((row for row in figures.rows if row.get(name) is None), None)
        if empty is not None:
            metric = plant.model.metrics[name]
            zero = [plant.model.elements[e].label.lower() for e in divisors_of(metric) if not empty.get(e)]
            why = f"{' and '.join(zero)} {'was' if len(zero) == 1 else 'were'} zero" if zero else "its divisor is zero"
            found[name] = f"{metric.undefined} ({why})" if metric.undefined else why
    return found


def _nothing(plant: Plant, question: Question, figures: Figures) -> bool:
    """True where no row stands behind an ungrouped figure. Events that did not happen are a zero, hours that nobody
    recorded are not."""
    if question.by or any(row.get("counted") for row in figures.rows):
        return False
    parts = _parts(plant, question, figures.elements)
    return any(plant.model.records[p.record].grain_s for p in parts) or question.times.start >= (
        plant.data_until() or datetime.min.replace(tzinfo=plant.zone)
    )


def _nothing_said(call: Call, question: Question, span: Period) -> str:
    plant = call.plant
    labels = ", ".join(plant.model.metrics[name].label for name in question.metrics)
    where = filters_said(plant, question.filters)
    until = plant.data_until()
    tail = ""
    if until is not None and span.start >= until:
        tail = f" The data ends at {plant.calendar.local(until):%-d %b %Y %H:%M}."
    return f"There are no records for {labels}{f' of {where}' if where else ''} in {span.text}.{tail}"


# -- comparisons


def _compare(
    call: Call, question: Question, span: Period, evidence: Evidence, figures: Figures, against: object,
    filters: tuple[Condition, ...],
) -> tuple[Evidence, dict[str, Any], tuple[str, ...]]:  # fmt: skip
    """Add `<metric>_before` (or target) and `<metric>_change` to every row. Changes of ratios are in points."""
    plant, model = call.plant, call.plant.model
    notes: tuple[str, ...] = ()
    label: str
    other_period: Period | None = None
    if against == "target":
        label, reference = "Target", _targets(call, question, span, figures)
    elif isinstance(against, int | float | str) and against != "previous_period":
        label = "Target"
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
            other_span = other_period = against if isinstance(against, Period) else previous(call, span)
            label = other_span.text
            if not isinstance(against, Period):
                notes = (f"compared with {label}",)
        reference = _other(call, question, other_span, other_filters, figures)
    columns, rows = list(evidence.columns), [dict(row) for row in evidence.rows]
    for name in question.metrics:
        metric = model.metrics[name]
        base = metric_column(name, metric)
        columns.append(replace(base, name=f"{name}_before", label=f"{metric.label}, {label}"))
        columns.append(change_column(name, metric))
        for row, known in zip(rows, reference, strict=True):
            row[f"{name}_before"] = known.get(name)
            row[f"{name}_change"] = change(metric, row.get(name), known.get(name))
    facts = {**evidence.facts, "compared_with": fact("Compared with", label)}
    compared = {"label": label, "target": label == "Target", "period": other_period}
    return replace(evidence, columns=tuple(columns), rows=tuple(rows), facts=facts), compared, notes


def change_column(name: str, metric: MetricSpec) -> Column:
    if metric.kind == "percent":
        return Column(f"{name}_change", f"{metric.label}, change", "number", "points", 1)
    return Column(f"{name}_change", f"{metric.label}, change", metric.kind, metric.unit, metric.decimals)


def change(metric: MetricSpec, now: Value, before: Value) -> float | None:
    """The difference as shown: percentage points for ratios, else the metric's own unit."""
    if not isinstance(now, int | float) or not isinstance(before, int | float):
        return None
    return (now - before) * 100 if metric.kind == "percent" else now - before


def _other(
    call: Call, question: Question, span: Period, filters: tuple[Condition, ...], figures: Figures
) -> list[dict[str, Value]]:
    """The figures of another period or filter, row by row of this one (time keys are compared as a whole)."""
    by = tuple(key for key in question.by if key not in TIME_KEYS)
    shifts = next((c for c in filters if c.key == "shift"), None)
    other = replace(
        question, filters=filters, having=(), by=by, where=extent(call, filters, by),
        times=times(call.plant, span, by, shifts), sort=None, limit=None,
    )  # fmt: skip
    if (shifts is not None or "shift" in by) and not other.times.buckets:
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
    known = [dict(zip(answer.columns, row, strict=True)) for row in answer.rows]
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
