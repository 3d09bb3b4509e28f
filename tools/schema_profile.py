"""What a database shows of itself: its tables, their columns, types, keys, and a bounded look at the rows.

`profile` reads nothing but through the SQL gate: counts, the first rows of each table and, of small tables, all of
them; a statement that takes too long leaves its figure out (None). Links that no key declares are found by name and
proved by values. tests/test_model_draft.py runs it over schemas of several shapes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

from tools.schema_words import words_of
from tools.sql import ColumnInfo, Database, Grants, SqlRefused, SqlUnavailable, Statement, TableGrant

SAMPLE = 1_500  # rows looked at of each table
SMALL = 20_000  # rows up to which uniqueness and foreign keys are proved over the whole table
DEADLINE_S = 4.0
AT_ONCE = 100  # columns of one statement; a tenth of that is usual, and the gate takes no statement of thousands
MOST_VALUES = 40  # distinct values up to which a text column is an enumeration

NUMERIC_KINDS = ("integer", "number")
Kind = Literal["number", "integer", "text", "boolean", "time", "date", "other"]


@dataclass(frozen=True)
class ColumnProfile:
    """One column. `kind` is what its values are, whatever type is declared; `format` how instants stand in it
    (`native`, `epoch_s`, `epoch_ms`, `time_of_day` or a strftime format); `values` the distinct values of the sample
    where they are few, most frequent first."""

    name: str
    type: str
    kind: Kind
    words: tuple[str, ...]
    format: str = ""
    zone: str = ""  # UTC where the type or the values carry their offset
    unique: bool = False
    nulls: float = 0.0  # share of the sample
    values: tuple[Any, ...] = ()
    samples: tuple[Any, ...] = ()
    primary_key: bool = False
    link: str = ""  # the table whose key it holds
    proof: str = ""  # how the link is known


@dataclass(frozen=True)
class TableProfile:
    """One table or view; `rows` None when counting took too long; `key` the single column that tells rows apart."""

    name: str
    columns: tuple[ColumnProfile, ...]
    rows: int | None
    words: tuple[str, ...]
    key: str | None = None
    composite: tuple[str, ...] = ()

    def column(self, name: str) -> ColumnProfile:
        return next(c for c in self.columns if c.name == name)


@dataclass(frozen=True)
class SchemaProfile:
    """A database as the draft sees it."""

    dialect: str
    tables: Mapping[str, TableProfile] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def _said(table: str) -> str:
    """A table in a comment of one line, whatever characters its name has."""
    return f"The table {' '.join(table.split())}" if table.isprintable() else f"The table {table!a}"


def quoted_name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def logical_name(table: str) -> str:
    """The name under which a model and its statements know a table: without the database's schema."""
    return table.rpartition(".")[2] or table


def everything(schema: Mapping[str, Sequence[ColumnInfo]]) -> Grants:
    """Every table and column, for the engineer who connects a database and may read it all."""
    return Grants({logical_name(t): TableGrant(t, tuple(c.name for c in columns)) for t, columns in schema.items()})


def profile(database: Database) -> SchemaProfile:
    """Look at every table. Raises SqlUnavailable when the database cannot be reached."""
    found_there = database.schema()
    schema = {t: tuple(columns) for t, columns in found_there.items() if columns}
    names = [logical_name(t) for t in schema]
    notes = tuple(
        f"{_said(t)} is left out: it shows no columns; a view may name a table that is not there." for t in found_there if t not in schema
    )
    notes += tuple(f"{_said(t)} is left out: another one has its name." for t in schema if names.count(logical_name(t)) > 1)
    schema = {t: c for t, c in schema.items() if names.count(logical_name(t)) == 1}
    grants = everything(schema)
    reader = Reader(database, grants)
    tables = {}
    for table, columns in schema.items():
        found = profile_table(reader, logical_name(table), columns)
        if found is None:
            wide = f"; it has {len(columns)} columns" if len(columns) > AT_ONCE else ""
            notes = (*notes, f"{_said(table)} is left out: it could not be read{wide}.")
        else:
            tables[found.name] = found
    return SchemaProfile(database.dialect, _linked(reader, tables, schema), notes)


@dataclass(frozen=True)
class Reader:
    """Statements over the whole schema, each under a deadline; None where one could not be answered."""

    database: Database
    grants: Grants
    deadline_s: float = DEADLINE_S

    def rows(self, sql: str, parameters: Mapping[str, object] | None = None) -> tuple[tuple[Any, ...], ...] | None:
        try:
            statement = Statement(sql, parameters or {}, "document")
            return self.database.run(statement, self.grants, deadline_s=self.deadline_s).rows
        except (SqlUnavailable, SqlRefused):
            return None

    def one(self, sql: str, parameters: Mapping[str, object] | None = None) -> Any:
        found = self.rows(sql, parameters)
        return found[0][0] if found else None


def profile_table(reader: Reader, name: str, infos: Sequence[ColumnInfo]) -> TableProfile | None:
    """One table as `profile` sees it; None when it cannot be read."""
    table = quoted_name(name)
    columns: tuple[ColumnProfile, ...] = ()
    for first in range(0, len(infos), AT_ONCE):
        part = infos[first : first + AT_ONCE]
        selected = ", ".join(f"{quoted_name(c.name)} AS c{i}" for i, c in enumerate(part))
        sample = reader.rows(f"SELECT {selected} FROM {table} LIMIT {SAMPLE}")
        if sample is None:
            return None
        columns += tuple(_column(info, [row[i] for row in sample]) for i, info in enumerate(part))
    rows = reader.one(f"SELECT COUNT(*) AS n FROM {table}")
    declared = [c.name for c in columns if c.primary_key]
    key = declared[0] if len(declared) == 1 else None
    composite = tuple(declared) if len(declared) > 1 else ()
    if key is None and not composite:
        key = _key(reader, name, columns, rows)
    columns = tuple(replace(c, unique=True) if c.name == key else c for c in columns)
    return TableProfile(name, columns, rows, words_of(name), key, composite)


def _key(reader: Reader, name: str, columns: Sequence[ColumnProfile], rows: int | None) -> str | None:
    """The column that tells rows apart although no key is declared: unique, never empty, named like an identity."""
    if not rows or rows > SMALL * 50:
        return None
    own = set(words_of(name))
    marks = {"id", "number", "code", "name"}
    candidates = [
        (("id" in c.words) + bool(set(c.words) & marks) + bool(own & set(c.words)) + (i == 0), -i, c)
        for i, c in enumerate(columns)
        if c.unique and c.nulls == 0.0 and c.kind in ("integer", "text", "other") and not c.format
    ]
    for score, _, column in sorted(candidates, key=lambda item: item[:2], reverse=True):
        if score and reader.one(f"SELECT COUNT(DISTINCT {quoted_name(column.name)}) AS n FROM {quoted_name(name)}") == rows:
            return column.name
    return None


def _column(info: ColumnInfo, values: Sequence[Any]) -> ColumnProfile:
    filled = [v for v in values if v is not None and v != ""]
    kind, format, zone = kind_of(info.type, filled, words_of(info.name))
    counted: dict[Any, int] = {}
    for value in filled:
        if isinstance(value, str | int | bool):
            counted[value] = counted.get(value, 0) + 1
    few = tuple(sorted(counted, key=lambda v: -counted[v])) if 0 < len(counted) <= MOST_VALUES else ()
    unique = bool(filled) and len(set(map(str, filled))) == len(filled)
    nulls = 1 - len(filled) / len(values) if values else 0.0
    return ColumnProfile(
        info.name, info.type, kind, words_of(info.name), format, zone, unique, round(nulls, 3), few,
        tuple(dict.fromkeys(str(v) for v in filled[:200]))[:3], info.primary_key,
        logical_name(info.references.rpartition(".")[0]) if info.references else "", "declared" if info.references else "",
    )  # fmt: skip


_FORMATS = ("%Y-%m-%d", "%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M", "%d.%m.%Y", "%m/%d/%Y %H:%M:%S", "%m/%d/%Y %H:%M", "%m/%d/%Y",
            "%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M", "%d/%m/%Y", "%d-%m-%Y %H:%M:%S", "%d-%m-%Y", "%Y/%m/%d %H:%M:%S", "%Y/%m/%d",
            "%Y%m%d%H%M%S", "%Y%m%d", "%d-%b-%Y", "%d-%b-%Y %H:%M:%S")  # fmt: skip
_ISO = re.compile(r"\d{4}-\d\d-\d\d([T ])\d\d:\d\d(:\d\d)?(\.\d+)?(Z|[+-]\d\d:?\d\d)?")
TIME_WORDS = frozenset(("time", "date", "timestamp", "start", "begin", "end", "created", "closed", "due", "opened", "updated", "recorded", "hour", "expiry"))  # fmt: skip


def kind_of(declared: str, values: Sequence[Any], words: Sequence[str]) -> tuple[Kind, str, str]:
    """What the values of a column are, how instants stand in it, and their zone where they say it."""
    lowered = declared.lower()
    if any(isinstance(v, datetime) for v in values) or ("timestamp" in lowered and not values):
        return "time", "native", "UTC" if "tz" in lowered or "with time zone" in lowered else ""
    if values and all(isinstance(v, date) for v in values):
        return "date", "native", ""
    if (values and all(isinstance(v, bool) for v in values)) or lowered.startswith("bool"):
        return "boolean", "", ""
    if values and all(isinstance(v, int | float | Decimal) for v in values):
        whole = all(float(v) == int(v) for v in values)
        if whole and set(words) & TIME_WORDS and (unit := _epoch(values)):
            return "time", unit, "UTC"
        if whole and set(words) & TIME_WORDS and all(19_000_101 <= v <= 21_001_231 and _parses(str(int(v)), "%Y%m%d") for v in values):
            return "date", "%Y%m%d", ""
        return ("integer" if (whole and "int" in lowered) or (whole and not lowered) else "number"), "", ""
    if values and all(isinstance(v, str) for v in values):
        return _text_kind([str(v).strip() for v in values], words)
    if not values:
        if re.search(r"int|serial", lowered):
            return "integer", "", ""
        if re.search(r"real|float|double|numeric|decimal|money", lowered):
            return "number", "", ""
        if lowered == "date":
            return "date", "%Y-%m-%d", ""
        if re.search(r"date|time", lowered):
            return "time", "%Y-%m-%d %H:%M:%S", ""
        return "text", "", ""
    return "other", "", ""


def _epoch(values: Sequence[Any]) -> str:
    low, high = min(values), max(values)
    if low >= 631_152_000 and high <= 4_102_444_800:
        return "epoch_s"
    return "epoch_ms" if low >= 631_152_000_000 and high <= 4_102_444_800_000 else ""


def _text_kind(values: Sequence[str], words: Sequence[str]) -> tuple[Kind, str, str]:
    matches = [_ISO.fullmatch(v) for v in values]
    # In a column named like a time some values may be none: `andon connect --plant` lists them, no answer counts them.
    if all(matches) or (set(words) & TIME_WORDS and 2 * sum(map(bool, matches)) >= len(matches)):
        first = next(m for m in matches if m)
        seconds = ":%S" if first.group(2) else ""
        return "time", f"%Y-%m-%d{first.group(1)}%H:%M{seconds}", "UTC" if first.group(4) else ""
    if all(re.fullmatch(r"\d\d?:\d\d(:\d\d)?", v) for v in values):
        return "text", "time_of_day", ""
    probe = list(values[:300])
    for format in _FORMATS:
        if (format in ("%Y%m%d", "%Y%m%d%H%M%S") and not set(words) & TIME_WORDS) or not all(_parses(v, format) for v in probe):
            continue
        if len({len(v) for v in probe}) > 1:
            return "text", "", ""  # written without leading zeros: no part of it stands at a fixed place
        return ("time" if "%H" in format else "date"), format, ""
    if all(re.fullmatch(r"-?\d+([.,]\d+)?", v) for v in probe) and not any(len(v) > 1 and v.startswith("0") and v.isdigit() for v in probe):
        return "text", "number", ""
    return "text", "", ""


def _parses(value: str, format: str) -> bool:
    try:
        datetime.strptime(value, format)
    except ValueError:
        return False
    return True


# -- links


def _linked(reader: Reader, tables: dict[str, TableProfile], schema: Mapping[str, Sequence[ColumnInfo]]) -> dict[str, TableProfile]:
    """Every table with its links: declared ones that point to a single key, then those that names suggest and values
    prove."""
    by_case = {name.casefold(): name for name in tables}
    out = {}
    for name, table in tables.items():
        columns = []
        for column in table.columns:
            target = by_case.get(column.link.casefold(), "")
            if target and tables[target].key is None:
                target = ""
            if target:
                columns.append(replace(column, link=target))
            elif column.kind in ("integer", "text", "other") and column.name != table.key and not column.format:
                columns.append(_guessed(reader, tables, name, column))
            else:
                columns.append(replace(column, link="", proof=""))
        out[name] = replace(table, columns=tuple(columns))
    return out


def _guessed(reader: Reader, tables: Mapping[str, TableProfile], own: str, column: ColumnProfile) -> ColumnProfile:
    best: tuple[int, str] | None = None
    for name, table in tables.items():
        if name == own or table.key is None:
            continue
        key = table.column(table.key)
        if (key.kind == "integer") != (column.kind == "integer"):
            continue
        score = _alike(column, table, key)
        if score and (best is None or score > best[0]):
            best = (score, name)
    if best is None:
        return replace(column, link="", proof="")
    target = tables[best[1]]
    share = _held(reader, own, column, target)
    if share is None or share < 0.9:
        return replace(column, link="", proof="")
    return replace(column, link=target.name, proof=f"named like {target.name}.{target.key}; {share:.0%} of its values are there")


_MEASURES = frozenset(("downtime", "scrap", "rework", "quantity", "count", "cost", "price", "energy", "duration", "good", "reject", "production",
                       "time", "rate", "value", "total", "weight", "volume", "temperature", "pressure", "speed", "inventory", "maintenance"))  # fmt: skip
_GENERIC = frozenset(("id", "code", "number", "name", "type", "dim", "fact", "value"))


def _alike(column: ColumnProfile, table: TableProfile, key: ColumnProfile) -> int:
    """How much a column is named like a table's key; 0 when it is not."""
    if column.name.casefold() == key.name.casefold() and not set(key.words) <= _GENERIC:
        return 4
    about = set(table.words) - _GENERIC
    said = set(column.words) - _GENERIC
    if said & _MEASURES and not {"id", "number", "code"} & set(column.words):
        return 0
    if said and said == about:
        return 3
    if said and about and (about <= said or said <= about) and ({"id", "number", "code"} & set(column.words) or said == about):
        return 2
    if said and said == set(key.words) - _GENERIC:
        return 2
    return 1 if said & about and {"id", "number", "code"} & set(column.words) else 0


def _held(reader: Reader, own: str, column: ColumnProfile, target: TableProfile) -> float | None:
    """The share of a column's (sampled) values that are keys of the other table; None when there are none."""
    inner = (
        f"SELECT DISTINCT {quoted_name(column.name)} AS v FROM {quoted_name(own)} WHERE {quoted_name(column.name)} IS NOT NULL LIMIT 300"
    )
    sql = (
        f"SELECT COUNT(*) AS n, SUM(CASE WHEN k.{quoted_name(target.key or '')} IS NULL THEN 0 ELSE 1 END) AS held FROM ({inner}) AS s"
        f" LEFT JOIN {quoted_name(target.name)} AS k ON k.{quoted_name(target.key or '')} = s.v"
    )
    found = reader.rows(sql)
    if not found or not found[0][0]:
        return None
    return float(found[0][1] or 0) / float(found[0][0])
