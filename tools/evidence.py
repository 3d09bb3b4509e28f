"""Evidence, slots and grounding: the only way in which a fact reaches a sentence.

Every tool returns its findings as `Evidence`: rows with typed columns, quotations with an anchor, and where they came
from. A sentence names facts as slots (`{E1.r0.oee}`, `{E1.period}`, `{E1.quote0}`); `fill` puts value, unit and
rounding in, `faults` lists what a sentence says without support. tests/test_evidence.py proves with hypothesis that an
invented digit, a wrong row or a wrong unit never passes.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, tzinfo
from typing import Any, Literal

from tools.inert import inert

Kind = Literal["query", "document", "record", "field_note"]
ColumnKind = Literal["text", "id", "count", "number", "percent", "duration_s", "time", "date"]
Value = str | int | float | bool | datetime | date | None

#: Shown where a value does not exist; a ratio whose denominator is zero is `UNDEFINED`, never 0.
MISSING = "–"
UNDEFINED = "not defined"


@dataclass(frozen=True)
class Column:
    """One column of evidence. `percent` values are fractions (0.934 shows as 93.4 %), `duration_s` are seconds,
    `time` are aware datetimes (shown in the plant's zone). `decimals` rounds numbers; None picks by magnitude. Changes
    are `signed`: what is more carries a plus."""

    name: str
    label: str
    kind: ColumnKind = "text"
    unit: str = ""
    decimals: int | None = None
    signed: bool = False


@dataclass(frozen=True)
class Quote:
    """A verbatim passage and its anchor. `page` counts from 1; None where the source has no pages."""

    text: str
    document: str
    title: str
    revision: str
    page: int | None
    section: str
    author: str = ""
    date: str = ""


@dataclass(frozen=True)
class Query:
    """How rows were obtained: the SQL as it ran, its parameters, and how fresh the data was (aware datetime)."""

    sql: str
    parameters: Mapping[str, object]
    data_until: datetime | None
    certified: bool
    row_count: int
    truncated: bool = False
    limited_to: str = ""
    #: The database's raw answers behind the rows (`tools.sql.Rows`), for the appendix of a document.
    answers: tuple[Any, ...] = field(default=(), repr=False, compare=False)


@dataclass(frozen=True)
class Evidence:
    """One source of facts. `rows` map column names to raw values; `subject` names the column that says what a row is
    about; `facts` are values of the whole (period, total, formula), each with its own column for display. `marker`
    (E1, E2 ...) is given by the turn."""

    kind: Kind
    title: str
    columns: tuple[Column, ...] = ()
    rows: tuple[Mapping[str, Value], ...] = ()
    subject: str = ""
    facts: Mapping[str, tuple[Column, Value]] = field(default_factory=dict)
    quotes: tuple[Quote, ...] = ()
    query: Query | None = None
    record: str = ""
    record_id: str = ""
    marker: str = ""

    def marked(self, marker: str) -> Evidence:
        return replace(self, marker=marker)

    def column(self, name: str) -> Column:
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)


def fact(label: str, value: Value, kind: ColumnKind = "text", unit: str = "") -> tuple[Column, Value]:
    """A value of the whole evidence, for `Evidence.facts`."""
    return (Column(label, label, kind, unit), value)


class Ungrounded(ValueError):
    """A sentence names a slot that its evidence does not have."""


def slot(evidence: Evidence, name: str, row: int | None = None) -> str:
    """The slot text for a fact, a quote (`quote0`) or, with `row`, a cell."""
    return f"{{{evidence.marker}.{name}}}" if row is None else f"{{{evidence.marker}.r{row}.{name}}}"


_SLOT = re.compile(r"\{(E\d+)\.(?:r(\d+)\.)?([A-Za-z_][A-Za-z0-9_]*)\}")
_MARKER = re.compile(r"\[E\d+\]")
_DIGIT = re.compile(r"\d")


def show(value: Value, column: Column, zone: tzinfo = UTC) -> str:
    """One value as people read it: rounding, unit, the plant's time zone. None shows as a dash."""
    if value is None:
        return UNDEFINED if column.kind == "percent" else MISSING
    if isinstance(value, float) and not math.isfinite(value):
        return UNDEFINED
    if isinstance(value, bool):
        return "yes" if value else "no"
    if column.signed and isinstance(value, int | float) and value > 0:
        text = show(value, replace(column, signed=False), zone)
        return f"+{text}" if re.search("[1-9]", text) else text
    if column.kind == "duration_s" and isinstance(value, int | float):
        return _duration(float(value))
    if column.kind == "percent" and isinstance(value, int | float):
        return f"{value * 100:.{1 if column.decimals is None else column.decimals}f} %"
    if isinstance(value, datetime):
        return value.astimezone(zone).strftime("%-d %b %Y %H:%M")
    if isinstance(value, date):
        return value.strftime("%-d %b %Y")
    if isinstance(value, int | float) and column.kind in ("number", "count", "text"):
        text = _number(value, column)
        return f"{text} {column.unit}" if column.unit else text
    if column.kind == "text" and _WORDS.fullmatch(str(value)):
        return str(value).replace("_", " ")  # in_progress, surface_finish: a database's way to write words
    return str(value)


_WORDS = re.compile(r"[a-z]+(?:_[a-z]+)+")


def _number(value: float, column: Column) -> str:
    if column.kind == "count" or isinstance(value, int):
        return f"{round(value):,}".replace(",", " ")
    size = abs(value)
    decimals = column.decimals if column.decimals is not None else (0 if size >= 1000 else 1 if size >= 10 else 2)
    return f"{value:,.{decimals}f}".replace(",", " ")


def _duration(seconds: float) -> str:
    if seconds < 0:
        return f"-{_duration(-seconds)}"
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    return f"{hours:,} h {rest:02d} min".replace(",", " ")


def fill(template: str, evidence: Sequence[Evidence], zone: tzinfo = UTC) -> str:
    """Replace every slot by its value as shown. Raises Ungrounded for a slot that does not exist.

    A value that holds what looks like a marker ([E2]) shows it in round brackets, and markup as plain characters: a text
    of the plant cites, links and stresses nothing."""
    known = {item.marker: item for item in evidence}

    def shown(match: re.Match[str]) -> str:
        return inert(value_of(match))

    def value_of(match: re.Match[str]) -> str:
        marker, row, name = match.groups()
        item = known.get(marker)
        if item is None:
            raise Ungrounded(match.group(0))
        if row is not None:
            if int(row) >= len(item.rows) or name not in item.rows[int(row)]:
                raise Ungrounded(match.group(0))
            return show(item.rows[int(row)][name], item.column(name), zone)
        if name in item.facts:
            column, value = item.facts[name]
            return show(value, column, zone)
        if name.startswith("quote") and name[5:].isdigit() and int(name[5:]) < len(item.quotes):
            return item.quotes[int(name[5:])].text
        if name == "title":
            return item.title
        raise Ungrounded(match.group(0))

    return _SLOT.sub(shown, template)


def markers(template: str) -> tuple[str, ...]:
    """The markers that a template's slots and citations name, in order, each once."""
    found = [match.group(1) for match in _SLOT.finditer(template)]
    found += [match.group(0)[1:-1] for match in _MARKER.finditer(template)]
    return tuple(dict.fromkeys(found))


def faults(template: str, evidence: Sequence[Evidence], names: Collection[str] = ()) -> tuple[str, ...]:
    """What a sentence says without support: slots that do not exist, digits outside slots, plant `names` (equipment,
    codes, products; lower case) outside slots, slots of rows about different subjects than the subject slot beside
    them, and no citation at all. Empty means that it may be said."""
    found: list[str] = []
    known = {item.marker: item for item in evidence}
    rows_named: dict[str, set[str]] = {}
    subjects: dict[str, set[str]] = {}
    for marker, row, name in _SLOT.findall(template):
        item = known.get(marker)
        try:
            fill(f"{{{marker}.r{row}.{name}}}" if row else f"{{{marker}.{name}}}", evidence)
        except Ungrounded as error:
            found.append(f"no such fact {error}")
            continue
        if row and item is not None:
            rows_named.setdefault(marker, set()).add(row)
            if name == item.subject:
                subjects.setdefault(marker, set()).add(row)
    for marker, named in subjects.items():
        if rows_named[marker] - named:
            found.append(f"values of another subject in {marker}")
    bare = _MARKER.sub(" ", _SLOT.sub(" ", template))
    if _DIGIT.search(bare):
        found.append("digit outside a slot")
    words = f" {re.sub(r'[^0-9a-zA-Z-]+', ' ', bare).lower()} "
    found += [f"name outside a slot: {name}" for name in names if f" {name} " in words]
    if not markers(template):
        found.append("no citation")
    return tuple(found)
