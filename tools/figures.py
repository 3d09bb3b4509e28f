"""A metric question as one statement: a grouped scan per record, stacked and summed, and the metrics over the sums.

Each element comes from the first record that knows every filter and grouping asked for; elements that a grouping leaves
whole (parts produced, beside scrap by reason) are spread over its groups. tests/test_metrics.py compares hundreds of
generated questions with plain Python.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from tools import rollups
from tools.conditions import Condition, Extent, values_of
from tools.evidence import Value
from tools.formula import elements_of, sql_value
from tools.model_file import ElementSpec, RecordSpec, expression
from tools.plant_model import Plant
from tools.query import Parameters, Rowset, cannot, empty_last, python_value, supports
from tools.registry import Call, Result, Unanswerable
from tools.rollup_model import COUNTED
from tools.spans import Times, clock_key, epoch, spans_sql
from tools.sql import Rows, Statement

MAX_ROWS = 1000


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
    in_line: bool = False  # machines told apart, yet a part counted where it leaves its line: their shares in the line's figure

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


@dataclass(frozen=True)
class _Part:
    """Elements that one record answers in one scan; `dropped` keys do not apply to them."""

    record: str
    overlap: bool
    dropped: frozenset[str]
    elements: tuple[str, ...]
    since: datetime | None = None  # only rows from then on, or before then: a rollup answers for the other
    until: datetime | None = None


def compute(call: Call, question: Question) -> Figures:
    """Run one metric question under the caller's rights."""
    plant = call.plant
    derived = [name for name in _needed(plant, question) if plant.model.elements[name].derived]
    members = _members(plant, question)
    if not derived and members is None:
        return _asked(call, question)
    # What cannot be one statement is asked whole, completed here, and only then held against thresholds and ranked.
    bare = replace(question, having=(), sort=None, limit=None)
    if derived:
        figures = _with_floods(call, question, bare, derived)
    else:
        shown = dict.fromkeys((*question.metrics, *(c.key for c in question.having)))
        figures = _asked(call, replace(bare, metrics=tuple(shown)))
    rows = [*figures.rows]
    if members is not None:
        known = {row[question.by[0]] for row in rows}
        none = dict.fromkeys((*figures.elements, *(c.key for c in question.having), *question.metrics, "counted"), 0)
        rows += [{**none, question.by[0]: member} for member in members if member not in known]
    return Figures(arranged(question, rows), figures.elements, figures.answer)


def _needed(plant: Plant, question: Question) -> tuple[str, ...]:
    """Every element that the metrics asked for, held against and sorted by are made of."""
    metrics = [plant.model.metrics[name] for name in (*question.metrics, *(c.key for c in question.having))]
    if question.sort and question.sort[0] in plant.model.metrics:
        metrics.append(plant.model.metrics[question.sort[0]])
    return tuple(dict.fromkeys(name for metric in metrics for name in elements_of(metric)))


def _members(plant: Plant, question: Question) -> list[str] | None:
    """The places of a count by one level of the hierarchy when nothing is what is asked for: the fewest, or at most so
    many. A machine without a single event stands in no row of the database, and is the answer."""
    if len(question.by) != 1 or question.by[0] not in ("line", "equipment", "area", "product", "supplier", "customer"):
        return None
    elements = [plant.model.elements[name] for name in _needed(plant, question)]
    counts = all(plant.model.metrics[name].kind == "count" for name in question.metrics)
    if not counts or any(plant.model.records[r].grain_s for e in elements for r in e.sum) or any(e.derived for e in elements):
        return None
    fewest = question.sort is not None and question.sort[0] in question.metrics and not question.sort[1]
    at_most = any(c.high is not None and c.low is None for c in question.having) or any(c.include == ("0.0",) for c in question.having)
    if not fewest and not at_most:
        return None
    key, where = question.by[0], question.where
    if key not in ("line", "equipment", "area"):
        named = next((c for c in question.filters if c.key == key), None)
        every = set(plant.vocabulary(key).values())
        if named is not None:
            every = set(values_of(plant, key, named.include)) if named.include else every - set(values_of(plant, key, named.exclude))
        return sorted(every)
    machines = [item for item in plant.equipment.values() if (where.equipment is None or item.id in where.equipment)
                and (where.lines is None or item.line in where.lines)]  # fmt: skip
    found = {"equipment": [m.id for m in machines], "line": [m.line for m in machines], "area": [m.area for m in machines]}
    return sorted(set(found[key]) - {""})


def _with_floods(call: Call, question: Question, bare: Question, derived: Sequence[str]) -> Figures:
    """Metrics over what tools.floods counts, beside metrics that one statement answers, group by group."""
    from tools import floods  # it is about the types of this module

    model = call.plant.model
    asked = tuple(dict.fromkeys((*question.metrics, *(c.key for c in question.having), *([question.sort[0]] if question.sort else []))))
    own = tuple(n for n in asked if n in model.metrics and any(model.elements[e].derived for e in elements_of(model.metrics[n])))
    figures = floods.compute(call, replace(bare, metrics=own), derived)
    others = tuple(name for name in asked if name in model.metrics and name not in own)
    if not others:
        return figures
    beside = _asked(call, replace(bare, metrics=others))
    known = {tuple(row[key] for key in question.by): row for row in beside.rows}
    empty = dict.fromkeys((*beside.elements, *(name for name in others if model.metrics[name].kind == "count")), 0)
    rows = tuple({**dict.fromkeys(others), **empty, **known.get(tuple(row[key] for key in question.by), {}), **row} for row in figures.rows)
    return Figures(rows, (*figures.elements, *beside.elements), figures.answer)


def arranged(question: Question, rows: Iterable[dict[str, Value]]) -> tuple[dict[str, Value], ...]:
    """Rows held against the thresholds, ranked (what is not defined last) and cut, as the statement would."""

    def number(row: dict[str, Value], key: str) -> float | None:
        value = row.get(key)
        return float(value) if isinstance(value, int | float) else None

    def kept(row: dict[str, Value], condition: Condition) -> bool:
        value = number(row, condition.key)
        if value is None or (condition.low is not None and value < condition.low):
            return False
        return (condition.high is None or value <= condition.high) and (not condition.include or value in map(float, condition.include))

    found = [row for row in rows if all(kept(row, condition) for condition in question.having)]
    found.sort(key=lambda row: tuple(str(row.get(key)) for key in question.by))
    if question.sort is not None:
        field, descending = question.sort
        if field in question.by:
            found.sort(key=lambda row: str(row.get(field)), reverse=descending)
        else:
            found.sort(key=lambda row: (number(row, field) is None, (number(row, field) or 0.0) * (-1 if descending else 1)))
    return tuple(found[: min(question.limit or MAX_ROWS, MAX_ROWS)])


def _asked(call: Call, question: Question) -> Figures:
    """The question as one statement."""
    plant = call.plant
    elements = _needed(plant, question)
    sql, parameters = statement(call, question, elements)
    answer = plant.database.run(Statement(sql, parameters, "answer"), plant.grants(call.caller, call.policy), deadline_s=call.deadline_s)
    # The gate spells a name as a column of the database does, where one has it: Made for made.
    ours = {name.casefold(): name for name in (*question.by, *plant.model.metrics, *elements, "counted")}
    names = [ours[name.casefold()] for name in answer.columns]
    rows = tuple({name: python_value(value) for name, value in zip(names, row, strict=True)} for row in answer.rows)
    return Figures(rows, elements, answer)


def statement(call: Call, question: Question, elements: Sequence[str]) -> tuple[str, dict[str, object]]:
    """The SQL of a metric question: one grouped scan per record, stacked, summed, and the metrics over the sums."""
    plant, parameters = call.plant, Parameters()
    # Those that know every key first: an engine takes the type of a stacked column from the first scan.
    parts = sorted(parts_of(plant, question, elements), key=lambda part: len(part.dropped))
    scans = [_scan(call, question, piece, elements, parameters) for part in parts for piece in _pieces(plant, question, part)]
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
    values = [f"{sql_value(expression(plant.model.metrics[n].expression))} AS {n}" for n in shown]
    inner = f"SELECT {', '.join(spread)} FROM ({stacked}) AS sums"
    outer = f"SELECT {', '.join([*keys, 'counted', 'own', *(f'{e} AS {e}' for e in elements), *values])} FROM ({inner}) AS totals"
    columns = ", ".join([*keys, *shown, *(e for e in elements if e not in shown), "counted"])
    tests = ["own = 1"] if keys else []
    for condition in question.having:
        tests += _threshold(condition, parameters)
    where = f" WHERE {' AND '.join(tests)}" if tests else ""
    order = _order(question, keys)
    limit = f" LIMIT {min(question.limit, MAX_ROWS)}" if question.limit else ""
    with_ = f"WITH {spans_sql(plant, plant.model.records[parts[0].record].table, question.times)} " if question.times.ranges else ""
    return f"{with_}SELECT {columns} FROM ({outer}) AS figures{where}{order}{limit}", parameters.values


def _order(question: Question, keys: Sequence[str]) -> str:
    if not keys:
        return ""
    sorted_by = list(keys)
    descending = False
    if question.sort is not None:
        first, descending = question.sort
        sorted_by = [first, *(key for key in keys if key != first)]
    return f" ORDER BY {', '.join(empty_last(field, descending and not place) for place, field in enumerate(sorted_by))}"


def parts_of(plant: Plant, question: Question, elements: Sequence[str]) -> list[_Part]:
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


def _pieces(plant: Plant, question: Question, part: _Part) -> list[_Part]:
    """The part by its rows, or by a rollup as far as it is complete and by the rows from there on."""
    keys = [key for key in question.keys if key not in part.dropped]
    by = [key for key in question.by if key not in part.dropped]
    chosen = None if part.overlap else rollups.choose(plant, part.record, part.elements, keys, by, question.where, question.times)
    if chosen is None:
        return [part]
    ahead = replace(part, record=chosen.record, until=chosen.until)
    last = max([question.times.end, *(bucket.span.end for bucket in question.times.buckets)])
    return [ahead] if chosen.until >= last else [ahead, replace(part, since=chosen.until)]


def _scan(call: Call, question: Question, part: _Part, elements: Sequence[str], parameters: Parameters) -> str:
    """`SELECT keys, SUM(...) FROM record ... GROUP BY keys` for one part; other parts' elements are NULL."""
    plant, span = call.plant, question.times
    record = plant.model.records[part.record]
    rows = Rowset(plant, record, parameters, call.now)
    own = [c for c in question.filters if c.key not in part.dropped]
    rows.restrict(own, question.where)
    _place_in_time(rows, part, span)
    for edge, sign in ((part.since, ">="), (part.until, "<")):
        if edge is not None:
            rows.wheres.append(f"{rows.sql_of(record.time or '')} {sign} {parameters.add(plant.write_time(edge, record.table), 'cut')}")
    edges = ("spans.since", "spans.until") if span.ranges else _edges(rows, span)
    asked = {*(() if question.in_line else question.by), *(c.key for c in question.filters if c.include)}
    single = bool(asked & {"equipment", "equipment_class"})
    columns, groups = [], []
    for key in question.by:
        if key in part.dropped:
            columns.append(f"NULL AS {key}")
            continue
        text = f"spans.{key}_label" if key in span.keys else rows.key(key)
        columns.append(f"{text} AS {key}")
        groups.append(text)
    counted = f"SUM({rows.sql_of(COUNTED)})" if part.record in plant.model.rollups else "COUNT(*)"
    columns.append(f"{0 if part.dropped & set(question.by) else counted} AS counted")
    columns.append(f"{0 if part.dropped & set(question.by) else 1} AS own")
    for name in elements:
        if name not in part.elements:
            columns.append(f"CAST(NULL AS INTEGER) AS {name}")  # a bare NULL is text to PostgreSQL's UNION
        elif part.overlap:
            columns.append(f"SUM({_overlap(rows, edges)}) AS {name}")
        else:
            spec = plant.model.elements[name]
            text = spec.sum[part.record] if single else spec.in_line.get(part.record, spec.sum[part.record])
            columns.append(f"SUM({rows.sql_of(text)}) AS {name}")
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
    if record.time is None or (span.whole and not span.ranges):
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
    clock = rows.plant.model.clock_of(record.table).format
    lasted = f"{epoch(last, dialect, clock)} - {epoch(first, dialect, clock)}"
    return f"CASE WHEN {last} > {first} THEN {lasted} ELSE 0 END"


def _threshold(condition: Condition, parameters: Parameters) -> list[str]:
    """Tests on a metric; `tools.metrics` has brought the numbers into its unit."""
    tests = []
    for bound, sign in ((condition.low, ">="), (condition.high, "<=")):
        if bound is not None:
            tests.append(f"{condition.key} {sign} {parameters.add(bound, condition.key)}")
    for text in condition.include:
        tests.append(f"{condition.key} = {parameters.add(float(text), condition.key)}")
    return tests
