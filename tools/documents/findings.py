"""What a kind's declared data turns out to be: each entry run under the caller's rights, once, when a template names it.

All of a document's statements read one snapshot of the database and may return as many rows as a report holds; a
figure is counted by the database and never over a cut list. What a plant's model does not know is said, not guessed.
tests/test_document_figures.py recomputes every figure of every kind with SQL of its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from tools.comparison import previous
from tools.correlations import find_correlations
from tools.documents.kinds import DataSpec, Kind
from tools.documents.knowledge import alarm_findings, procedure_findings, trace_findings
from tools.evidence import MISSING, Column, Evidence, Value, show
from tools.metrics import query_metrics
from tools.query import supports
from tools.records import MAX_ROWS, list_records, select
from tools.registry import Call, Period, Result, Unanswerable
from tools.sql import Grants, Rows, Snapshot, Statement

#: Stand for a value or a part in a template's output until it is read; no plant text holds them.
OPEN, CLOSE = "\ue000", "\ue001"
EVER = timedelta(days=365 * 30)


class NothingToReport(Exception):
    """The draft would be about nothing; `result` says so to the person."""

    def __init__(self, result: Result) -> None:
        super().__init__(result.message)
        self.result = result


@dataclass(frozen=True)
class SnapshotDatabase:
    """A plant's database as one document sees it: every statement in one snapshot, with the cap of a document."""

    snapshot: Snapshot
    dialect: str

    def run(self, statement: Statement, grants: Grants, *, deadline_s: float = 30.0) -> Rows:
        return self.snapshot.run(replace(statement, purpose="document"), grants, deadline_s=deadline_s)

    def schema(self) -> Any:
        return self.snapshot.database.schema()


@dataclass(frozen=True)
class Shown:
    """A value on its way into a sentence: its words and the evidence that it is read from."""

    text: str
    marker: str


@dataclass
class Draft:
    """A document in the making: its call, scope and period, the evidence used so far, and what its template named."""

    call: Call
    kind: Kind
    where: dict[str, object]
    period: Period | None
    arguments: Mapping[str, Any]
    values: dict[str, object] = field(default_factory=dict)
    evidence: list[Evidence] = field(default_factory=list)
    tokens: list[Any] = field(default_factory=list)
    asked: dict[str, Result] = field(default_factory=dict)
    tell: Callable[[str], None] = lambda _: None

    def cite(self, item: Evidence) -> str:
        """Take evidence into the document; returns its marker there. The same evidence is taken once."""
        for known in self.evidence:
            if known.title == item.title and known.query == item.query and known.quotes == item.quotes and known.rows == item.rows:
                return known.marker
        marker = f"E{len(self.evidence) + 1}"
        self.evidence.append(item.marked(marker))
        return marker

    def token(self, thing: Any) -> str:
        self.tokens.append(thing)
        return f"{OPEN}{len(self.tokens) - 1}{CLOSE}"

    def filled(self, where: Mapping[str, Any]) -> dict[str, object] | None:
        """A declared filter with its `$name` values put in; `$name?` without a value is left out, and None is given back
        when a `$name` has none."""
        found: dict[str, object] = {}
        for key, value in where.items():
            if isinstance(value, str) and value.startswith("$"):
                known = self.values.get(value[1:].rstrip("?"))
                if known in (None, "", []):
                    if value.endswith("?"):
                        continue
                    return None
                found[key] = known
            else:
                found[key] = value
        return found

    def show(self, value: Value, column: Column) -> str:
        return show(value, column, self.call.plant.zone)


class Row:
    """One row for a template: `row.name` is the value as shown, with its citation."""

    def __init__(self, finding: Finding, values: Mapping[str, Value]) -> None:
        self._finding, self._values = finding, values

    def __getitem__(self, name: str) -> str:
        finding = self._finding
        evidence = finding.evidence
        if evidence is None or name not in self._values:
            raise KeyError(name)
        text = finding.draft.show(self._values[name], evidence.column(name))
        return finding.draft.token(Shown(text, finding.marker))


class Finding:
    """One entry of `data` as a template sees it. Printed, it is its figure with its citation; `value` is the bare figure
    for conditions (the number of rows, for lists), `rows` are its rows, `empty` says that there is nothing."""

    def __init__(self, draft: Draft, label: str, evidence: Evidence | None = None, message: str = "", value: Any = None,
                 text: str = "", column: Column | None = None, items: list[dict[str, str]] | None = None) -> None:  # fmt: skip
        self._draft, self.label, self._evidence, self.message = draft, label, evidence, message
        self.value, self._text, self._column, self._items = value, text, column, items
        self._marker = ""
        self.note = ""
        self.compared_with: Evidence | None = None
        self.checked = 0

    # For the part makers of wording.py; a template cannot reach names with an underscore, and these give no plant text.

    @property
    def draft(self) -> Draft:
        return self._draft

    @property
    def evidence(self) -> Evidence | None:
        return self._evidence

    @property
    def items(self) -> list[dict[str, str]] | None:
        return self._items

    @property
    def text(self) -> str:
        return self._text

    @property
    def marker(self) -> str:
        if not self._marker and self._evidence is not None:
            self._marker = self._draft.cite(self._evidence)
        return self._marker

    @property
    def empty(self) -> bool:
        return self._evidence is None or (not self._evidence.rows and not self._evidence.quotes and not self.value)

    @property
    def rows(self) -> Iterator[Row]:
        for row in self._evidence.rows if self._evidence is not None else ():
            yield Row(self, row)

    @property
    def first(self) -> Row | None:
        return next(self.rows, None)

    def fact(self, name: str) -> str:
        """A value of the whole finding: `alarm.entry.fact('consequence')`. Empty where there is none."""
        if self._evidence is None or name not in self._evidence.facts:
            return ""
        column, value = self._evidence.facts[name]
        return self._draft.token(Shown(self._draft.show(value, column), self.marker)) if value not in (None, "") else ""

    @property
    def compared(self) -> str:
        """What the figure is compared with, with its citation: `77.9 % the week before`."""
        marker = self._draft.cite(self.compared_with) if self.compared_with is not None else self.marker
        return self._draft.token(Shown(self.note, marker)) if self.note else ""

    def has(self, name: str) -> bool:
        return self._evidence is not None and self._evidence.facts.get(name, (None, None))[1] not in (None, "")

    def __len__(self) -> int:
        return len(self._evidence.rows) if self._evidence is not None else 0

    def __bool__(self) -> bool:
        return not self.empty

    def __str__(self) -> str:
        return self._draft.token(Shown(self._text or self.message, self.marker))


class Data:
    """The declared data by name, each found when it is first named."""

    def __init__(self, draft: Draft) -> None:
        self._draft = draft
        self._known: dict[str, Any] = {}

    def find(self, name: str) -> Any:
        if name not in self._known:
            spec = self._draft.kind.spec.data[name]
            label = spec.label or name.replace("_", " ").capitalize()
            self._draft.tell(label)
            try:
                self._known[name] = _FINDERS[spec.verb](self._draft, spec, label)
            except Unanswerable as end:
                _stop(end.result)
                self._known[name] = Finding(self._draft, label, message=end.result.message, text="no data")
        return self._known[name]


def _wanted(draft: Draft, record: str, spec: DataSpec) -> tuple[dict[str, object] | None, str]:
    """The filter of an entry, or None and the sentence that says why it cannot be asked."""
    plant = draft.call.plant
    known = plant.model.records.get(record)
    if known is None:
        return None, f"This plant's model has no {record.replace('_', ' ')}."
    own = draft.filled(spec.where)
    if own is None:
        return None, f"{spec.label or known.label.capitalize()}: none."
    scope: dict[str, object] = dict(draft.where) if spec.scoped else {}
    for key in scope:
        if key not in own and not supports(plant, known, key) and not (key == "shift" and known.time):
            return None, f"{known.label.capitalize()} are not recorded by {key.replace('_', ' ')}."
    return {**scope, **own}, ""


def _period(draft: Draft, record: str, spec: DataSpec) -> Period | None:
    if spec.days is not None:
        begin = draft.call.plant.calendar.day((draft.call.now - timedelta(days=spec.days)).date())[0]
        return Period(f"the last {spec.days} days", begin, draft.call.now)
    return draft.period if spec.dated and draft.call.plant.model.records[record].time else None


def _columns(draft: Draft, record: str, wanted: tuple[str, ...] | None) -> list[str] | None:
    """The wanted columns that this plant's record has; all of them when none is named."""
    if wanted is None:
        return None
    known = {column.name for column in draft.call.plant.model.records[record].show}
    return [name for name in wanted if name in known] or None


def _metric(draft: Draft, spec: DataSpec, label: str) -> Finding:
    """One figure. All figures of one scope and period are asked in one statement, and once more for the period before."""
    name = spec.metric or ""
    if name not in draft.call.plant.model.metrics:
        return Finding(draft, label, message=f"This plant's model has no {name.replace('_', ' ')}.", text="no data")
    scope = {**(draft.where if spec.scoped else {}), **(draft.filled(spec.where) or {})}
    period = draft.period if spec.dated else None
    asked: list[str] = [
        str(other.metric) for other in draft.kind.spec.data.values()
        if other.metric in draft.call.plant.model.metrics and (other.where, other.scoped, other.dated) == (spec.where, spec.scoped, spec.dated)
    ]  # fmt: skip
    found = _figures(draft, list(dict.fromkeys(asked)), name, scope, period)
    if found is None:
        return Finding(draft, label, message=f"{label}: no data in this period.", text="no data")
    value, column = found.rows[0][name], found.column(name)
    finding = Finding(draft, label, found, value=value, text=draft.show(value, column), column=column)
    if spec.target:
        result = query_metrics(draft.call, [name], scope, period, compare_to="target")
        before = result.evidence[0].rows[0].get(f"{name}_before") if result.evidence else None
        if before is not None:
            finding = Finding(draft, label, result.evidence[0], value=value, text=finding.text, column=column)
            finding.note = f"target {draft.show(before, column)}"
    elif spec.previous and period is not None:
        earlier = previous(draft.call, period)
        known = _figures(draft, list(dict.fromkeys(asked)), name, scope, earlier)
        if known is not None and known.rows[0][name] is not None:
            finding.note, finding.compared_with = f"{draft.show(known.rows[0][name], column)} {earlier.text}", known
    return finding


def _figures(draft: Draft, names: list[str], name: str, scope: dict[str, object], period: Period | None) -> Evidence | None:
    """The evidence that holds a figure: of all names together, or of this one alone where another cannot be asked so.
    None when there is no data."""
    for wanted in (tuple(names), (name,)):
        key = f"{wanted} {sorted(scope.items(), key=str)} {period}"
        if key not in draft.asked:
            draft.asked[key] = query_metrics(draft.call, list(wanted), scope, period)
        result = draft.asked[key]
        _stop(result)
        if result.evidence:
            return result.evidence[0]
    return None


def _stop(result: Result) -> None:
    """What ends the whole document: rights and parts that are down."""
    if result.status in ("not_allowed", "unavailable"):
        raise NothingToReport(result)


def _metrics(draft: Draft, spec: DataSpec, label: str) -> Finding:
    assert spec.metrics is not None
    assert spec.by is not None
    known = [name for name in spec.metrics if name in draft.call.plant.model.metrics]
    if not known:
        return Finding(draft, label, message=f"This plant's model has no {spec.metrics[0].replace('_', ' ')}.")
    where = {**(draft.where if spec.scoped else {}), **(draft.filled(spec.where) or {})}
    result = query_metrics(draft.call, known, where, draft.period if spec.dated else None, [spec.by], spec.order, spec.limit)
    _stop(result)
    if not result.evidence:
        return Finding(draft, label, message=f"{label}: no data in this period." if result.status == "no_data" else result.message)
    found = result.evidence[0]
    shown = tuple(found.column(name) for name in (spec.by, *known))
    extra = tuple(column for column in found.columns if column.name == "complete")
    return Finding(draft, label, replace(found, columns=(*shown, *extra)), value=len(found.rows))


def _count(draft: Draft, spec: DataSpec, label: str) -> Finding:
    record = spec.count or ""
    where, why = _wanted(draft, record, spec)
    if where is None:
        return Finding(draft, label, message=why, text="no data")
    found = select(draft.call, record, where, _period(draft, record, spec), limit=1)
    total = found.query.row_count if found.query else 0
    return Finding(draft, label, found, value=total, text=f"{total:,}".replace(",", " "), column=Column(label, label, "count"))


def _counts(draft: Draft, spec: DataSpec, label: str) -> Finding:
    record = spec.counts or ""
    where, why = _wanted(draft, record, spec)
    if where is None or spec.by is None:
        return Finding(draft, label, message=why)
    period = _period(draft, record, spec)
    if period is None and draft.call.plant.model.records[record].time:
        period = Period("all records", draft.call.now - EVER, draft.call.now)
    result = list_records(draft.call, record, where, period, [spec.by], spec.order, spec.limit)
    _stop(result)
    if not result.evidence:
        if result.status != "no_data":
            return Finding(draft, label, message=result.message)
        none = select(draft.call, record, where, period, limit=1)  # that there are none is a finding too, and cited
        return Finding(draft, label, replace(none, rows=()), f"{label}: none.")
    found = result.evidence[0]
    shown = tuple(column for column in found.columns if column.name in (spec.by, "count", "share"))
    rows = _with_gaps(draft, found.rows, spec.by, period)
    return Finding(draft, label, replace(found, columns=shown, rows=rows), value=int(result.data["total"]))


def _with_gaps(draft: Draft, rows: Sequence[Mapping[str, Value]], by: str, period: Period | None) -> tuple[Mapping[str, Value], ...]:
    """Counts by day, week or month with the units in which nothing happened: a trend that leaves them out is none."""
    if by not in ("day", "week", "month") or period is None:
        return tuple(rows)
    calendar = draft.call.plant.calendar
    labels = [span.label for span in calendar.split(period.start, min(period.end, draft.call.now), by)]  # type: ignore[arg-type]
    known = {str(row.get(f"{by}_id", row.get(by))): row for row in rows}
    if not set(known) <= set(labels):
        return tuple(rows)
    return tuple(known.get(label, {by: label, f"{by}_id": label, "count": 0, "share": 0.0}) for label in labels)


def _list(draft: Draft, spec: DataSpec, label: str) -> Finding:
    record = spec.rows or ""
    where, why = _wanted(draft, record, spec)
    if where is None:
        return Finding(draft, label, message=why)
    few = spec.limit if spec.limit is not None and spec.limit <= MAX_ROWS else None  # what an answer may show is its own cap
    found = select(draft.call, record, where, _period(draft, record, spec), _columns(draft, record, spec.columns), spec.order, few)
    total = found.query.row_count if found.query else len(found.rows)
    if spec.limit is not None and len(found.rows) > spec.limit:
        found = replace(found, rows=found.rows[: spec.limit])
    finding = Finding(draft, label, found, "" if found.rows else f"{label}: none.", value=total, text=f"{total:,}".replace(",", " "))
    if total > len(found.rows):
        finding.note = f"{len(found.rows)} of {total} rows are shown."
    return finding


def _share(draft: Draft, spec: DataSpec, label: str) -> Finding:
    """One column's sum as a share of another's, over all rows; a zero divisor is "not defined"."""
    record, (part, whole) = spec.share or "", spec.columns or ("", "")
    where, why = _wanted(draft, record, spec)
    if where is None or _columns(draft, record, (part,)) is None or _columns(draft, record, (whole,)) is None:
        return Finding(draft, label, message=why or "This plant's model does not hold both quantities.", text="no data")
    found = select(draft.call, record, where, _period(draft, record, spec), ["id", part, whole])
    if not found.rows or (found.query is not None and found.query.truncated):
        return Finding(draft, label, message="There are no records of both quantities.", text="no data")
    sums = [sum(float(str(row[name])) for row in found.rows if row.get(name) is not None) for name in (part, whole)]
    column = Column(label, label, "percent")
    value = sums[0] / sums[1] if sums[1] else None
    return Finding(draft, label, found, value=value, text=draft.show(value, column), column=column)


def _repeated(draft: Draft, spec: DataSpec, label: str) -> Finding:
    """Values of a free column that occur more than once, counted over all rows, with the records that hold them."""
    record, column = spec.repeated or "", spec.column or ""
    where, why = _wanted(draft, record, spec)
    if where is None:
        return Finding(draft, label, message=why)
    if _columns(draft, record, (column,)) is None:
        return Finding(draft, label, message=f"This plant's model has no {column.replace('_', ' ')} of {record.replace('_', ' ')}.")
    found = select(draft.call, record, where, _period(draft, record, spec), ["id", column])
    if found.query is not None and found.query.truncated:
        return Finding(draft, label, message="There are too many records to list repeated values; choose a shorter period.")
    held: dict[str, list[str]] = {}
    for row in found.rows:
        if row.get(column):
            held.setdefault(str(row[column]), []).append(str(row["id"]))
    counted = Counter({value: len(ids) for value, ids in held.items() if len(ids) > 1})
    rows: tuple[dict[str, Value], ...] = tuple({"value": value, "count": times, "ids": ", ".join(sorted(held[value]))} for value, times in counted.most_common())
    columns = (Column("value", column.replace("_", " ").capitalize()), Column("count", "Times", "count"), Column("ids", "In", "id"))
    title = f"{column.replace('_', ' ').capitalize()} recorded more than once"
    message = "" if rows else f"No {column.replace('_', ' ')} is recorded more than once."
    return Finding(draft, label, replace(found, title=title, columns=columns, rows=rows), message, value=len(rows))


def _missing(draft: Draft, spec: DataSpec, label: str) -> Finding:
    """Required fields that are empty, record by record; a field may be required only `when` another has a value."""
    record, wanted = spec.missing or "", spec.columns or ()
    where, why = _wanted(draft, record, spec)
    if where is None:
        return Finding(draft, label, message=why, items=[])
    known = {column.name for column in draft.call.plant.model.records[record].show}
    absent = [name for name in wanted if name not in known]
    asked = [name for name in dict.fromkeys(["id", *wanted, *spec.when.values()]) if name in known]
    found = select(draft.call, record, where, _period(draft, record, spec), asked)
    items = [
        {"id": str(row.get("id", MISSING)), "field": name.replace("_", " ")}
        for row in found.rows
        for name in wanted
        if name in known and _blank(row.get(name)) and (name not in spec.when or not _blank(row.get(spec.when[name])))
    ]
    items += [{"id": "Every record", "field": f"{name.replace('_', ' ')} (the plant's model has no such field)"} for name in absent]
    finding = Finding(draft, label, found, value=len(items), text=str(len(items)), items=items)
    finding.checked = len(found.rows)
    return finding


def _blank(value: Value) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _correlations(draft: Draft, spec: DataSpec, label: str) -> Finding:
    outcome = draft.filled({"outcome": spec.correlations})
    if outcome is None:
        return Finding(draft, label, message="None: nothing to compare.")
    where = draft.where
    try:
        result = find_correlations(draft.call, str(outcome["outcome"]), _text(where.get("equipment")), _text(where.get("product")), draft.period)
    except Unanswerable as end:
        result = end.result
    if not result.evidence:
        return Finding(draft, label, message=result.message or "No link was found in the data.")
    found = result.evidence[0]
    links = int(str(found.facts["links"][1])) if "links" in found.facts else len(found.rows)
    return Finding(draft, label, found, value=links, text=str(links))


def _text(value: object) -> str | None:
    return str(value) if value else None


def _documents(draft: Draft, spec: DataSpec, label: str) -> Finding:
    where: dict[str, object] = {"type": list(spec.documents or ())} if spec.documents != ("all",) else {}
    if spec.scoped and draft.where.get("equipment"):
        where["equipment"] = draft.where["equipment"]
    where |= draft.filled(spec.where) or {}
    result = list_records(draft.call, "documents", where)
    found = result.evidence[0] if result.evidence else None
    return Finding(draft, label, found, result.message, value=len(found.rows) if found else 0, text=str(len(found.rows)) if found else "0")


def _bundle(make: Callable[[Call, Mapping[str, Any], Mapping[str, object]], dict[str, Any]]) -> Callable[[Draft, DataSpec, str], Any]:
    """Findings of a tool that answers with several pieces of evidence, each under its name."""

    def find(draft: Draft, spec: DataSpec, label: str) -> Any:
        found = make(draft.call, {**draft.arguments, "trace": spec.trace}, draft.where)
        if isinstance(found.get("nothing"), Result):
            _stop(found["nothing"])
            if draft.kind.spec.needs and spec.verb in (*draft.kind.spec.needs, "procedure"):
                raise NothingToReport(found["nothing"])
        return Bundle(draft, found)

    return find


class Bundle:
    """Several findings under one name: `alarm.entry`, `procedure.steps`."""

    def __init__(self, draft: Draft, found: Mapping[str, Any]) -> None:
        self._draft, self._found = draft, found

    def __getitem__(self, name: str) -> Any:
        item = self._found.get(name)
        if isinstance(item, dict):
            return _Words({key: self._draft.token(Shown(str(text), self._marker())) for key, text in item.items()})
        if isinstance(item, Evidence):
            return Finding(self._draft, item.title, item, value=len(item.rows) or len(item.quotes))
        if isinstance(item, list) and all(isinstance(one, Evidence) for one in item):
            return [Finding(self._draft, one.title, one, value=len(one.rows) or len(one.quotes)) for one in item]
        if item is None:
            nothing = self._found.get("nothing")
            return Finding(self._draft, name, message=nothing.message if isinstance(nothing, Result) else "")
        return item

    def _marker(self) -> str:
        source = self._found.get("source")
        return self._draft.cite(source) if isinstance(source, Evidence) else ""


class _Words(dict[str, str]):
    """Named words of a source; a name that it does not have is empty."""

    def __missing__(self, name: str) -> str:
        return ""


_FINDERS: Mapping[str, Callable[[Draft, DataSpec, str], Any]] = {
    "metric": _metric, "metrics": _metrics, "count": _count, "counts": _counts, "list": _list, "repeated": _repeated, "share": _share,
    "missing": _missing, "correlations": _correlations, "documents": _documents, "alarm": _bundle(alarm_findings),
    "procedure": _bundle(procedure_findings), "trace": _bundle(trace_findings),
}  # fmt: skip


