"""Lists and counts of the plant's records: orders, alarms, stops, nonconformances, lots, stock, certifications ...

Every record of the plant model is answered by the same compiled query; `select` gives other tools the same rows under
the same rights. tests/test_records.py holds each record and status to independent SQL.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from tools.conditions import Condition, conditions, extent, resolve, values_of
from tools.evidence import Column, Evidence, Value, fact
from tools.labels import filters_said, key_column, named, query_of
from tools.model_file import ColumnSpec, RecordSpec, column_path, expression, follow
from tools.phrases import during, what_said, where_said
from tools.plant_model import Plant, quoted
from tools.query import IDENTITIES, Parameters, Rowset, cannot, empty_last, python_value, status_name, supports
from tools.registry import Call, Period, Result, Unanswerable
from tools.spans import TIME_KEYS, Times, spans_sql, times
from tools.sql import Rows, Statement

MAX_ROWS = 1000
SHORT = timedelta(days=2)
MAX_TIES = 4
DOCUMENTS = "documents"


@dataclass(frozen=True)
class Selection:
    """Rows of one record as evidence, and how many there are in all."""

    evidence: Evidence
    total: int
    period: Period | None
    assumed: tuple[str, ...]


def list_records(
    call: Call,
    records: str,
    where: dict[str, object] | None = None,
    period: Period | None = None,
    by: list[str] | None = None,
    sort: str | None = None,
    limit: int | None = None,
) -> Result:
    """The plant's records (maintenance orders and logs, production orders, alarm and downtime events, nonconformances,
    CAPAs, lots, spare parts, certifications, quality results, equipment, products, documents), filtered by `where`,
    in time order or by `sort`; with `by` it counts them."""
    try:
        if records == DOCUMENTS:
            return _documents(call, where, sort, limit)
        record = record_named(call.plant, records)
        return _listed(call, record, conditions(where), period, tuple(dict.fromkeys(by or ())), sort, limit)
    except Unanswerable as stop:
        return stop.result


def record_named(plant: Plant, name: str) -> str:
    """The record behind a name or a word for it. Raises Unanswerable with the nearest ones."""
    return name if name in plant.model.records else resolve(plant, "record", name)


def _listed(
    call: Call, name: str, wanted: tuple[Condition, ...], period: Period | None, by: tuple[str, ...], sort: str | None,
    limit: int | None,
) -> Result:  # fmt: skip
    plant = call.plant
    record = plant.model.records[name]
    where = extent(call, wanted, by)
    limited = where.limited_to if plant.model.tables[record.table].scope != "shared" else ""
    partial = where.partial and bool(limited)
    if _others_too(call, name, wanted):
        limited, partial = f"your own {record.label}", True
    if set(by) <= _own_keys(plant, record):
        by = ()  # counted by what each row is, every count is one: the rows are what is asked for
    if by:
        if "operator" in by and not record.personal and not call.policy.rank_people:
            message = "Comparing or ranking people is not allowed by the plant's policy; ask by shift, line or machine instead."
            raise Unanswerable(Result("not_allowed", message=message))
        found = _count(call, name, wanted, period, by, sort, limit)
    else:
        found = _select(call, name, wanted, period, None, sort, limit)
    assumed = found.assumed + ((f"your lines: {limited}",) if limited and not partial else ())
    fixed = {c.key: c.include[0] for c in wanted if len(c.include) == 1}
    data: dict[str, Any] = {"record": name, "by": by, "total": found.total, "period": found.period, "fixed": fixed}
    if partial and found.evidence.rows:
        facts = {**found.evidence.facts, "limited_to": fact("Limited to", limited)}
        found = replace(found, evidence=replace(found.evidence, facts=facts))
    if not found.evidence.rows:
        message = _nothing_said(call, name, wanted, found.period)
        if partial and limited.startswith("your own"):
            message = f"{message} You see {limited} only."
        return Result("no_data", message=message, assumed=assumed, limited_to=limited, data=data)
    return Result("partial" if partial else "answered", (found.evidence,), assumed=assumed, limited_to=limited, data=data)


def _others_too(call: Call, name: str, wanted: Sequence[Condition]) -> bool:
    """True where the question is also about others' rows in a record of which the caller sees only their own.

    Raises Unanswerable when it is about others alone."""
    plant, me = call.plant, call.caller.user
    record = plant.model.records[name]
    if not call.policy.own_only_table(call.caller, {n: r.table for n, r in plant.model.records.items()}, record.table):
        return False
    others = False
    for condition in (c for c in wanted if c.key == "operator"):
        people = set(values_of(plant, "operator", condition.include or condition.exclude))
        if (me in people) == bool(condition.exclude):
            message = f"You may see your own {record.label} only; a supervisor may see those of others."
            raise Unanswerable(Result("not_allowed", message=message))
        if condition.include and people == {me}:
            return False
        others = True
    return others or not any(c.key in IDENTITIES and c.include for c in wanted)


def _nothing_said(call: Call, name: str, wanted: tuple[Condition, ...], period: Period | None) -> str:
    """What was searched in vain; where a limit left records out, how many there are without it."""
    record = call.plant.model.records[name]
    what, where = what_said(record.label, wanted), where_said(call.plant, wanted, own=_own_keys(call.plant, record))
    when = f" {during(period.text)}{period.text}" if period else ""
    past = period is not None and period.start < call.now
    text = f"There {'were' if past else 'are'} no {what}{f' {where}' if where else ''}{when}"
    free = tuple(c for c in wanted if c.low is None and c.high is None)
    if len(free) == len(wanted):
        return f"{text}."
    others = _select(call, name, free, period, None, None, 1, assume=False).total
    return f"{text}; there {'was' if others == 1 else 'were'} {others if others else 'none'} without that limit."


def _own_keys(plant: Plant, record: RecordSpec) -> set[str]:
    """The fields that name a row of this record."""
    return {key for key, path in record.fields.items() if path == plant.model.tables[record.table].key}


def select(
    call: Call,
    record: str,
    where: Mapping[str, object] | None = None,
    period: Period | None = None,
    columns: Sequence[str] | None = None,
    order: str | None = None,
    limit: int | None = None,
) -> Evidence:
    """Rows of a record under the caller's rights, for other tools: evidence whose columns are those of the plant model
    (`columns` picks and orders them; None: those of a list), `order` as `COLUMN asc|desc`. No period is assumed.

    Raises Unanswerable (with the Result for the person) for names and rights, ToolError for the database."""
    name = record_named(call.plant, record)
    wanted = conditions(where)
    return _select(call, name, wanted, period, columns, order, limit, assume=False).evidence


def _select(
    call: Call, name: str, wanted: tuple[Condition, ...], period: Period | None, columns: Sequence[str] | None,
    sort: str | None, limit: int | None, assume: bool = True,
) -> Selection:  # fmt: skip
    plant = call.plant
    record = plant.model.records[name]
    shown = _columns(record, columns, any(c.key == "id" for c in wanted))
    newest_only = limit is not None and limit < 10 and (sort or "desc").split()[0] in ("asc", "desc", "time", "date")
    span = _period(call, record, wanted, period) if assume and not newest_only else period
    rows, span, notes = _rowset(call, record, wanted, span)
    texts = [f"{_shown_sql(rows, column)} AS {column.name}" for column in shown]
    order = _order(rows, record, shown, sort)
    if sort is None and record.lead and record.until and span is not None and span.end - span.start <= SHORT:
        order = _causes_first(rows, record) + order.replace(" ORDER BY ", ", ")
    with_ = ""
    if span is not None and rows_times(rows).ranges:
        with_ = f"WITH {spans_sql(plant, record.table, rows_times(rows))} "
    source = f"spans CROSS JOIN {rows.from_sql()}" if with_ else rows.from_sql()
    limit_sql = f" LIMIT {min(limit, MAX_ROWS)}" if limit else ""
    sql = f"{with_}SELECT {', '.join(texts)}, COUNT(*) OVER () AS all_rows FROM {source}{rows.where_sql()}{order}{limit_sql}"
    answer = _run(call, sql, rows.parameters)
    total = int(answer.rows[0][-1]) if answer.rows else 0
    out = [shown_row(plant, record, shown, values) for values in answer.rows]
    assumed = notes + ((f"period: {span.text}",) if span is not None and span.assumed else ())
    evidence = Evidence(
        "query", _title(plant, record, wanted, span), tuple(shown_column(c) for c in shown), tuple(out), shown[0].name,
        _facts(plant, record, wanted, span, total), query=query_of(plant, answer, True, "", total), record=name,
    )  # fmt: skip
    return Selection(evidence, total, span, assumed)


def rows_times(rows: Rowset) -> Times:
    return rows.times or Times(rows.now, rows.now)


def _rowset(
    call: Call, record: RecordSpec, wanted: tuple[Condition, ...], span: Period | None, by: Sequence[str] = ()
) -> tuple[Rowset, Period | None, tuple[str, ...]]:
    """The rows asked for: hierarchy, filters, shift and period in place."""
    plant = call.plant
    rows = Rowset(plant, record, Parameters(), call.now)
    shifts = next((c for c in wanted if c.key == "shift" and "shift" not in record.fields), None)
    if shifts is not None and record.time is None:
        raise Unanswerable(cannot(record, "shift"))
    if span is None and shifts is not None:
        span = _shift_period(call, shifts)
    rows.dated = span is not None
    rows.restrict(wanted, extent(call, wanted, by))
    if span is None:
        return rows, None, ()
    column = _time_column(record, wanted)
    if column is None:
        raise Unanswerable(cannot(record, "time"))
    rows.times = times(plant, span, [k for k in by if k in TIME_KEYS or (k == "shift" and "shift" not in record.fields)], shifts)
    if rows.times.ranges:
        at = rows.sql_of(column)
        rows.wheres += [f"{at} >= spans.since", f"{at} < spans.until"]
    elif shifts is not None:
        raise Unanswerable(Result("no_data", message=f"No such shift ran in {span.text}."))
    else:
        rows.within(span.start, span.end, column)
    return rows, span, rows.times.notes


def _time_column(record: RecordSpec, wanted: Sequence[Condition]) -> str | None:
    """The column that a period means: of a status such as closed or expired its own, else the record's time."""
    for condition in wanted:
        if condition.key == "status" and len(condition.include) == 1 and record.statuses:
            own = record.statuses[status_name(record, condition.include[0])].time
            if own is not None:
                return own
    return record.time


def _shift_period(call: Call, shifts: Condition) -> Period:
    if len(shifts.include) == 1:
        run = call.plant.calendar.last_completed_shift(resolve(call.plant, "shift", shifts.include[0]), call.now)
        if run is not None:
            text = f"the last completed {run.shift.label} ({run.date:%a} {run.date.day} {run.date:%b %Y})"
            return Period(text, run.start, run.end, True)
    return Period("the last 7 days", call.now - timedelta(days=7), call.now, True)


def _period(call: Call, record: RecordSpec, wanted: Sequence[Condition], period: Period | None) -> Period | None:
    """The period asked for, else the record's own: none for what is open, in stock or valid, or asked for by id."""
    if period is not None:
        if period.end <= period.start:
            raise Unanswerable(Result("needs_clarification", message=f"The period {period.text} ends before it begins."))
        return period
    if record.default_days is None or any(c.key in IDENTITIES and c.include for c in wanted):
        return None
    for condition in wanted:
        if condition.key == "age_days" or (condition.key == "shift" and "shift" not in record.fields):
            return None
        if condition.key == "status" and record.statuses:
            names = [status_name(record, value) for value in (*condition.include, *condition.exclude)]
            if any(record.statuses[name].undated for name in names) or condition.exclude:
                return None
    start = call.plant.calendar.day(call.plant.calendar.local(call.now).date() - timedelta(days=record.default_days))[0]
    return Period(f"the last {record.default_days} days", start, call.now, True)


def _columns(record: RecordSpec, wanted: Sequence[str] | None, detail: bool) -> tuple[ColumnSpec, ...]:
    if wanted is None:
        return tuple(c for c in record.show if detail or not c.wide)
    known = {c.name: c for c in record.show}
    missing = [name for name in wanted if name not in known]
    if missing:
        raise KeyError(f"{record.singular} has no column {missing[0]}")
    return tuple(known[name] for name in wanted)


def _shown_sql(rows: Rowset, column: ColumnSpec) -> str:
    return rows.sql_of(column.of)


def shown_column(spec: ColumnSpec) -> Column:
    return Column(spec.name, spec.label, spec.kind, spec.unit, spec.decimals)


def shown_row(plant: Plant, record: RecordSpec, shown: Sequence[ColumnSpec], values: Sequence[Any]) -> dict[str, Value]:
    out: dict[str, Value] = {}
    for column, value in zip(shown, values, strict=False):
        if column.kind == "time":
            out[column.name] = plant.read_time(value, _table_of(plant, record, column))
        elif column.kind == "date":
            out[column.name] = _date(value)
        elif column.kind == "id" and isinstance(value, int):
            out[column.name] = str(value)  # a number by its type, a name by what it is for
        else:
            out[column.name] = python_value(value)
    return out


def _table_of(plant: Plant, record: RecordSpec, column: ColumnSpec) -> str:
    path = column_path(expression(column.of))
    return follow(plant.model, record.table, path) if path else record.table


def _date(value: Any) -> date | None:
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date) or value is None:
        return value
    try:
        return date.fromisoformat(str(value)[:10])
    except ValueError:
        return None


_SORT_WORDS = {"time": "", "date": "", "start": "started", "created": "created", "due": "due", "duration": "duration",
               "quantity": "quantity", "stock": "stock", "expiry": "expires", "age": ""}  # fmt: skip
_RANKS = {"critical": 0, "high": 1, "major": 1, "medium": 2, "normal": 2, "minor": 3, "low": 3}


def _order(rows: Rowset, record: RecordSpec, shown: Sequence[ColumnSpec], sort: str | None) -> str:
    """`asc`, `desc` by the record's time; `FIELD asc|desc` by a shown column; priorities by rank, not by alphabet."""
    words = (sort or record.order or ("desc" if record.time else "asc")).lower().split()
    descending = words[-1] == "desc"
    field = words[0] if words[0] not in ("asc", "desc") else ""
    known = {column.name: column for column in record.show}
    name = field if field in known else _SORT_WORDS.get(field, field)
    if name in known:
        text = rows.sql_of(known[name].of)
    elif name in record.fields and isinstance(record.fields[name], str):
        text = rows.sql_of(str(record.fields[name]))
    elif record.time is not None:
        text = rows.sql_of(record.time)
        if field == "age":  # the oldest has the greatest age
            descending = not descending
    else:
        text = rows.sql_of(shown[0].of)
    if name in ("priority", "severity", "criticality"):
        ranks = " ".join(f"WHEN '{word}' THEN {rank}" for word, rank in _RANKS.items())
        text, descending = f"CASE {text} {ranks} ELSE 9 END", not descending
    # Rows that are alike so far keep one order, whatever engine holds them.
    ties = list(dict.fromkeys(rows.sql_of(column.of) for column in shown[:MAX_TIES]))
    return f" ORDER BY {empty_last(text, descending)}, {', '.join(empty_last(tie) for tie in ties if tie != text)}".removesuffix(", ")


def _causes_first(rows: Rowset, record: RecordSpec) -> str:
    """In a short period people ask why: what counts as a failure comes before what merely waited, the longest first."""
    lead = f"CASE WHEN {rows.sql_of(record.lead or '')} THEN 0 ELSE 1 END"
    duration = next((c.of for c in record.show if c.kind == "duration_s"), None)
    return f" ORDER BY {lead}" + (f", {rows.sql_of(duration)} DESC" if duration else "")


def _title(plant: Plant, record: RecordSpec, wanted: Sequence[Condition], span: Period | None) -> str:
    where = filters_said(plant, wanted)
    return f"{record.label.capitalize()}{f': {where}' if where else ''}{f', {span.text}' if span else ''}"


def _facts(
    plant: Plant, record: RecordSpec, wanted: Sequence[Condition], span: Period | None, total: int
) -> dict[str, tuple[Column, Value]]:
    facts: dict[str, tuple[Column, Value]] = {"count": fact(record.label.capitalize(), total, "count")}
    noun = record.label if total != 1 else record.singular
    facts["record"], facts["what"] = fact("Records", noun), fact("Records", what_said(noun, wanted))
    if phrase := where_said(plant, wanted, own=_own_keys(plant, record)):
        facts["where"] = fact("Of", phrase)
    if where := filters_said(plant, wanted):
        facts["filter"] = fact("For", where)
    if span is not None:
        facts["period"] = fact("Period", span.text)
        facts["start"], facts["end"] = fact("From", span.start, "time"), fact("To", span.end, "time")
    return facts


def _count(
    call: Call, name: str, wanted: tuple[Condition, ...], period: Period | None, by: tuple[str, ...], sort: str | None,
    limit: int | None,
) -> Selection:  # fmt: skip
    """How many records there are in each group, most first."""
    plant = call.plant
    record = plant.model.records[name]
    for key in by:
        if not supports(plant, record, key) or not isinstance(record.fields.get(key, ""), str):
            raise Unanswerable(cannot(record, key))
    timed = any(k in TIME_KEYS or (k == "shift" and "shift" not in record.fields) for k in by)
    span = _period(call, record, wanted, period)
    if span is None and timed:
        days = record.default_days or (_days_recorded(call, record) if plant.foreign else 30)
        start = plant.calendar.day(plant.calendar.local(call.now).date() - timedelta(days=days))[0]
        span = Period(f"the last {days} days", start, call.now, True)
    rows, span, notes = _rowset(call, record, wanted, span, by)
    keys = [f"spans.{key}_label" if key in rows_times(rows).keys else rows.key(key) for key in by]
    with_ = f"WITH {spans_sql(plant, record.table, rows_times(rows))} " if rows_times(rows).ranges else ""
    source = f"spans CROSS JOIN {rows.from_sql()}" if with_ else rows.from_sql()
    columns = ", ".join(f"{text} AS {quoted(key)}" for text, key in zip(keys, by, strict=True))
    sql = f"{with_}SELECT {columns}, COUNT(*) AS counted FROM {source}{rows.where_sql()} GROUP BY {', '.join(keys)}"
    outer = [empty_last(quoted(key)) for key in by]
    if sort or not timed:
        descending = not (sort or "desc").lower().endswith("asc")
        outer = [f"counted {'DESC' if descending else 'ASC'}", *outer]
    limit_sql = f" LIMIT {min(limit, MAX_ROWS)}" if limit else ""
    sums = f"SELECT {', '.join(quoted(k) for k in by)}, counted, SUM(counted) OVER () AS all_rows FROM ({sql[len(with_) :]}) AS groups"
    answer = _run(call, f"{with_}{sums} ORDER BY {', '.join(outer)}{limit_sql}", rows.parameters)
    total = int(answer.rows[0][-1]) if answer.rows else 0
    out: list[dict[str, Value]] = []
    for values in answer.rows:
        row = {key: named(plant, key, python_value(value)) for key, value in zip(by, values, strict=False)}
        row |= {f"{key}_id": python_value(value) for key, value in zip(by, values, strict=False)}
        row["count"] = int(values[len(by)])
        row["share"] = row["count"] / total if total else None  # type: ignore[operator]
        out.append(row)
    shown = (*(key_column(key) for key in by), Column("count", record.label.capitalize(), "count"), Column("share", "Share", "percent"))
    evidence = Evidence(
        "query", f"{_title(plant, record, wanted, span)}, by {', '.join(key_column(k).label.lower() for k in by)}", shown, tuple(out),
        by[0], _facts(plant, record, wanted, span, total), query=query_of(plant, answer, True), record=name,
    )  # fmt: skip
    return Selection(evidence, total, span, notes + ((f"period: {span.text}",) if span is not None and span.assumed else ()))


def _days_recorded(call: Call, record: RecordSpec) -> int:
    """How many days back the first row of a record lies, for a plant whose model sets no window."""
    rows = Rowset(call.plant, record, Parameters(), call.now)
    at = rows.sql_of(record.time or "")
    first = call.plant.read_time(call.plant.query(Statement(f"SELECT MIN({at}) AS first_one FROM {rows.from_sql()}")).rows[0][0], record.table)
    return max(1, (call.now - first).days + 1) if first is not None and first < call.now else 30


def _run(call: Call, sql: str, parameters: Parameters) -> Rows:
    grants = call.plant.grants(call.caller, call.policy)
    return call.plant.database.run(Statement(sql, parameters.values), grants, deadline_s=call.deadline_s)


# -- documents: from the index's catalogue, not from the plant's database

_DOCUMENT_COLUMNS = (
    Column("id", "Document", "id"), Column("title", "Title"), Column("revision", "Revision"), Column("kind", "Kind"),
    Column("status", "Status"), Column("effective", "Effective", "date"), Column("pages", "Pages", "count"),
)  # fmt: skip
_DOCUMENT_STATUS = {"effective": ("effective",), "published": ("effective",), "approved": ("effective",), "valid": ("effective",),
                    "retired": ("superseded", "retired"), "superseded": ("superseded",), "closed": ("superseded", "retired")}  # fmt: skip


def _documents(call: Call, where: Mapping[str, object] | None, sort: str | None, limit: int | None) -> Result:
    """Documents of the index that concern a machine, class or kind; effective ones unless another status is asked."""
    wanted = conditions(where)
    statuses: set[str] = set()
    rows = list(call.index.documents())
    for condition in wanted:
        if condition.key == "status":
            statuses |= {s for word in condition.include for s in _DOCUMENT_STATUS.get(word.replace(" ", "_"), (word,))}
            rows = [d for d in rows if not condition.exclude or d.status not in
                    {s for word in condition.exclude for s in _DOCUMENT_STATUS.get(word, (word,))}]  # fmt: skip
        elif condition.key in ("equipment", "equipment_class"):
            rows = [d for d in rows if _concerns(call.plant, d, condition)]
        elif condition.key == "type":
            rows = [d for d in rows if d.kind in {v.replace(" ", "_") for v in condition.include}]
        elif condition.key == "id":
            rows = [d for d in rows if d.document.lower() in {v.lower() for v in condition.include}]
        elif condition.key == "product":
            rows = [d for d in rows if any(v.lower() in f"{d.document} {d.title}".lower() for v in condition.include)]
    if statuses:
        rows = [d for d in rows if d.status in statuses]
    elif not any(c.key in ("status", "id") for c in wanted):
        rows = [d for d in rows if d.status == "effective"]
    rows.sort(key=lambda d: (d.effective or date.min) if sort else d.document, reverse=bool(sort) and not str(sort).endswith("asc"))
    shown = rows[: limit or MAX_ROWS]
    said = filters_said(call.plant, wanted)
    if not shown:
        return Result("no_data", message=f"There are no documents{f' for {said}' if said else ''}.")
    out = tuple(
        {"id": d.document, "title": d.title, "revision": d.revision, "kind": d.kind.replace("_", " "), "status": d.status,
         "effective": d.effective, "pages": d.pages}
        for d in shown
    )  # fmt: skip
    facts = {"count": fact("Documents", len(rows), "count"), "record": fact("Records", "documents" if len(rows) != 1 else "document")}
    if said:
        facts["filter"] = fact("For", said)
    title = f"Documents{f': {said}' if said else ''}"
    evidence = Evidence("record", title, _DOCUMENT_COLUMNS, out, "id", facts, record=DOCUMENTS)
    return Result("answered", (evidence,), data={"record": DOCUMENTS, "by": (), "total": len(rows), "period": None})


def _concerns(plant: Plant, document: Any, condition: Condition) -> bool:
    for value in condition.include:
        if condition.key == "equipment_class":
            if document.equipment_class == value:
                return True
        elif value in document.equipment or (value in plant.equipment and document.equipment_class == plant.equipment[value].cls):
            return True
    return False
