"""Whether a database is what its plant model says, and how good its data is: `andon connect URL --plant FILE`.

`examine` reports what maps and what is missing (with the line of the model file), and for each table how fresh it is
and where it has gaps, duplicates, impossible values, keys that point nowhere and instants ahead of the clock, each with
a count and example keys. Every statement passes the SQL gate under a deadline; of a big table a bounded part is read,
and the report says so. tests/test_readiness.py plants each fault.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

from tools import rollups
from tools.model_file import Fault, ModelFile, RecordSpec, TableSpec, column_path, expression, located
from tools.plant_model import YEARS, Plant, own_sql, quoted
from tools.rollup_model import STATE
from tools.schema_profile import NUMERIC_KINDS, Reader, everything, logical_name, profile_table
from tools.schema_roles import parts_of
from tools.schema_words import words_of
from tools.sql import ColumnInfo

PART = 200_000  # rows of a table that are read for duplicates and orphans
TIMES = 20_000  # newest instants that are read for gaps
BIG = 50_000  # rows from which a slow day is a reason for an index
SLOW_MS = 60.0
AHEAD = timedelta(minutes=10)
EXAMPLES = 3

#: What the product knows by itself; a model without one of these answers that it has none.
RECORDS = ("production_orders", "maintenance_orders", "maintenance_logs", "downtime_events", "alarm_events", "nonconformances", "capas", "lots", "spare_parts",
           "certifications", "quality_results", "equipment", "products")  # fmt: skip
METRICS = ("oee", "availability", "performance", "quality_ratio", "first_pass_yield", "scrap_rate", "scrap_count", "rework_rate", "good_count", "total_count",
           "downtime", "mtbf", "mttr", "cycle_time", "changeover_time", "schedule_attainment", "energy", "energy_per_good_part", "alarm_count", "ncr_count")  # fmt: skip


@dataclass(frozen=True)
class Finding:
    """Something about the data of a table: `kind` freshness, gap, duplicate, impossible, orphan, clock, unreadable or
    slow; how often, and examples (keys, or instants of gaps)."""

    kind: str
    sentence: str
    count: int = 0
    examples: tuple[str, ...] = ()


@dataclass(frozen=True)
class TableReport:
    """One table: rows (None when counting took too long), the newest instant, findings."""

    table: str
    rows: int | None
    newest: str | None = None
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class Readiness:
    """The whole report. `missing` holds what the model names and the database lacks, with the model's lines."""

    plant: str
    missing: tuple[str, ...]
    tables: tuple[TableReport, ...]
    records: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    records_lacking: tuple[str, ...] = ()
    metrics_lacking: tuple[str, ...] = ()
    unmapped: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    suggestions: tuple[str, ...] = ()

    @property
    def maps(self) -> bool:
        return not self.missing

    def as_json(self) -> dict[str, Any]:
        return {"maps": self.maps, **asdict(self)}


def absent(model: ModelFile, schema: Mapping[str, Sequence[ColumnInfo]]) -> Iterator[Fault]:
    """Tables and columns that the model names and the database does not have."""
    known = {name.casefold(): {c.name.casefold(): c.name for c in columns} for name, columns in schema.items()}
    known |= {logical_name(name).casefold(): columns for name, columns in list(known.items()) if logical_name(name).casefold() not in known}
    for name, table in model.tables.items():
        if table.scope == "forbidden" and not table.columns:
            continue
        columns = known.get((table.table or name).casefold())
        if columns is None:
            yield ("tables", name), f"the database has no table {table.table or name}"
            continue
        for part in ("columns", "personal", "secret"):
            for index, column in enumerate(getattr(table, part)):
                if column.casefold() not in columns:
                    near = next((real for real in columns.values() if set(words_of(real)) & set(words_of(column)) - {"id", "name"}), "")
                    yield ("tables", name, part, index), f"the table has no column {column}" + (f"; it has {near}" if near else "")


def examine(plant: Plant, path: Path, now: datetime) -> Readiness:
    """The report on an opened plant whose model file is `path`. Raises SqlUnavailable when the database is gone."""
    model, schema = plant.model, plant.database.schema()
    made_later = {STATE, *(rollup.table for rollup in model.rollups.values())}
    absences = list(absent(model, schema))
    faults = [fault for fault in absences if fault[0][1] not in made_later]
    missing = tuple(located(path.name, path.read_text(encoding="utf-8"), faults)) if faults else ()
    gone = {str(place[1]) for place, _ in absences}
    tables = [
        _table(plant, name, spec, now, schema) for name, spec in model.tables.items() if spec.scope != "forbidden" and name not in gone
    ]
    return Readiness(
        model.plant, missing, tuple(report for report, _ in tables),
        tuple(name for name, r in model.records.items() if r.listed and r.table not in gone), tuple(model.metrics),
        tuple(name for name in RECORDS if name not in model.records), tuple(name for name in METRICS if name not in model.metrics),
        _unmapped(model, schema),
        (*(text for _, texts in tables for text in texts), *_rollups(plant, [report for report, _ in tables], gone, now)),
    )  # fmt: skip


def _rollups(plant: Plant, reports: Sequence[TableReport], gone: set[str], now: datetime) -> Iterator[str]:
    """The statements that make the rollups which the model names and the database lacks, and those that are worth it."""
    until = min(plant.data_until() or now, now)
    yield from rollups.wanted(plant, gone, until)
    sizes = {report.table: report.rows for report in reports}
    for name, record in plant.model.records.items():
        if name not in plant.model.rollups and record.time is not None:
            yield from rollups.proposed(plant, name, sizes.get(record.table) or 0, until)


def _unmapped(model: ModelFile, schema: Mapping[str, Sequence[ColumnInfo]]) -> dict[str, tuple[str, ...]]:
    """Columns of the database that the model does not name, by table; of whole tables ()."""
    named = {(t.table or n).casefold(): {c.casefold() for c in (*t.columns, *t.personal, *t.secret)} for n, t in model.tables.items()}
    found: dict[str, tuple[str, ...]] = {}
    for name, columns in schema.items():
        mine = named.get(name.casefold(), named.get(logical_name(name).casefold()))
        if mine is None:
            found[name] = ()
        elif left := tuple(c.name for c in columns if c.name.casefold() not in mine):
            found[name] = left
    return found


def _table(
    plant: Plant, name: str, spec: TableSpec, now: datetime, schema: Mapping[str, Sequence[ColumnInfo]]
) -> tuple[TableReport, tuple[str, ...]]:
    infos = next(
        (
            columns
            for real, columns in schema.items()
            if real.casefold() == (spec.table or name).casefold() or logical_name(real).casefold() == (spec.table or name).casefold()
        ),
        (),
    )
    reader = Reader(plant.database, everything({(spec.table or name): infos}) if not spec.table else _grants(name, spec, infos))
    rows = reader.one(f"SELECT COUNT(*) AS n FROM {quoted(name)}")
    records = [r for r in plant.model.records.values() if r.table == name]
    findings: list[Finding] = []
    newest: datetime | None = None
    if rows == 0:
        findings.append(Finding("freshness", "The table is empty."))
    record = next((r for r in records if r.time and not _elsewhere(r.time)), None)
    suggestions: tuple[str, ...] = ()
    if rows and record is not None:
        newest, found = _times(plant, reader, name, record, now)
        findings += found
        slow, suggestions = _speed(plant, reader, name, record, rows, newest)
        findings += slow
    if rows != 0:
        findings += _duplicates(reader, name, spec, infos, rows)
        findings += _impossible(reader, name, spec, infos, record)
        findings += _orphans(plant, name, spec)
    shown = None if newest is None else newest.astimezone(plant.zone).isoformat(timespec="minutes")
    return TableReport(name, rows, shown, tuple(findings)), suggestions


def _grants(name: str, spec: TableSpec, infos: Sequence[ColumnInfo]) -> Any:
    from tools.sql import Grants, TableGrant

    return Grants({name: TableGrant(spec.table or name, tuple(c.name for c in infos))})


def _elsewhere(text: str) -> bool:
    """Whether an expression reads columns of linked tables."""
    return len(column_path(expression(text))) > 1


def _key_of(spec: TableSpec) -> str:
    return spec.key or next(iter(spec.columns), "")


def _times(plant: Plant, reader: Reader, name: str, record: RecordSpec, now: datetime) -> tuple[datetime | None, list[Finding]]:
    at, table, found = own_sql(record.time or ""), quoted(name), list[Finding]()
    answer = reader.rows(f"SELECT DISTINCT {at} AS instant FROM {table} WHERE {at} IS NOT NULL ORDER BY instant DESC LIMIT {TIMES}")
    if answer is None:
        return None, [Finding("slow", "Its times could not be read within the deadline.")]
    read = [(row[0], plant.read_time(row[0], name)) for row in answer]
    broken = [str(raw) for raw, instant in read if instant is None]
    absurd = [text for text in broken if (year := _YEAR.match(text)) and not YEARS[0] <= int(year[0]) < YEARS[1]]
    broken = [text for text in broken if text not in absurd]
    if absurd:
        said = f"{_many(len(absurd))} value{'s' * (len(absurd) != 1)} of {record.time} lie{'s' * (len(absurd) == 1)} outside the years {YEARS[0]} to {YEARS[1] - 1}."
        found.append(Finding("impossible", said, len(absurd), tuple(absurd[:EXAMPLES])))
    if broken:
        found.append(
            Finding(
                "unreadable",
                f"{len(broken)} values of {record.time} are no time in the format of the model.",
                len(broken),
                tuple(broken[:EXAMPLES]),
            )
        )
    instants = sorted((i for _, i in read if i is not None), reverse=True)
    if not instants:
        return None, found
    newest = instants[0]
    planned = {word for part in column_path(expression(record.time or "")) for word in words_of(part)} & {"planned", "due"}
    if newest > now + AHEAD and not planned:
        ahead = sum(1 for i in instants if i > now + AHEAD)
        hours = (newest - now).total_seconds() / 3600
        hint = "; a whole number of hours ahead is often a wrong zone" if hours < 15 else ""
        found.append(
            Finding(
                "clock",
                f"{ahead} instants lie ahead of the clock, the newest by {_span(newest - now)}{hint}.",
                ahead,
                (newest.isoformat(),),
            )
        )
    elif now - newest > timedelta(days=2):
        found.append(Finding("freshness", f"Its newest row is {_span(now - newest)} old.", 1, (newest.isoformat(),)))
    found += _gaps(instants)
    return newest, found


def _gaps(instants: Sequence[datetime]) -> list[Finding]:
    steps = [(later - earlier, earlier) for later, earlier in pairwise(instants)]
    if len(steps) < 20:
        return []
    usual = timedelta(seconds=median(step.total_seconds() for step, _ in steps))
    long = sorted((s for s in steps if s[0] > max(timedelta(hours=6), usual * 50)), key=lambda s: s[0], reverse=True)
    if not long:
        return []
    shown = tuple(f"{start.isoformat(timespec='minutes')} for {_span(step)}" for step, start in long[:EXAMPLES])
    return [
        Finding(
            "gap",
            f"{len(long)} gap{'s' * (len(long) != 1)} without a row, the longest of {_span(long[0][0])}; rows usually come every {_span(usual)}.",
            len(long),
            shown,
        )
    ]


def _span(length: timedelta) -> str:
    seconds = int(length.total_seconds())
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds} s"


def _speed(
    plant: Plant, reader: Reader, name: str, record: RecordSpec, rows: int, newest: datetime | None
) -> tuple[list[Finding], tuple[str, ...]]:
    """Whether one day of a big table is found fast; if not, the index that a person may create."""
    path = column_path(expression(record.time or ""))
    if rows < BIG or newest is None or len(path) != 1 or plant.database.dialect == "duckdb":
        return [], ()
    since = plant.write_time(newest - timedelta(days=1), name)
    begun = time.perf_counter()
    reader.one(f"SELECT COUNT(*) AS n FROM {quoted(name)} WHERE {quoted(path[0])} >= :since", {"since": since})
    ms = (time.perf_counter() - begun) * 1000
    if ms < SLOW_MS:
        return [], ()
    place = next(
        (
            text
            for key in ("equipment", "line")
            if isinstance(text := record.fields.get(key), str) and len(column_path(expression(text))) == 1
        ),
        "",
    )
    columns = ", ".join(quoted(c) for c in dict.fromkeys([*column_path(expression(place)), path[0]] if place else [path[0]]))
    real = plant.model.tables[name].table or name
    index = "_".join(["andon", *words_of(name), *([words_of(place)[0]] if place else []), "time"])
    statements = [f"CREATE INDEX {index} ON {'.'.join(quoted(part) for part in real.split('.'))} ({columns});"]
    if place:
        statements.append(
            f"CREATE INDEX {index.removesuffix('_time')}_only_time ON {'.'.join(quoted(part) for part in real.split('.'))} ({quoted(path[0])});"
        )
    sentence = f"Finding one day among {rows:,} rows took {ms:.0f} ms; an index would help (see the suggestions)."
    return [Finding("slow", sentence, rows)], tuple(statements)


def _duplicates(reader: Reader, name: str, spec: TableSpec, infos: Sequence[ColumnInfo], rows: int | None) -> list[Finding]:
    table, found = quoted(name), list[Finding]()
    declared = [c.name.casefold() for c in infos if c.primary_key]
    if spec.key and declared != [spec.key.casefold()]:
        key = quoted(spec.key)
        answer = reader.rows(
            f"SELECT k, COUNT(*) AS times FROM (SELECT {key} AS k FROM {table} LIMIT {PART}) AS part GROUP BY k HAVING COUNT(*) > 1 ORDER BY times DESC LIMIT 1000"
        )
        if answer:
            found.append(
                Finding(
                    "duplicate",
                    f"{_many(len(answer))} key{'s' * (len(answer) != 1)} {spec.key} stand{'s' * (len(answer) == 1)} in several rows.",
                    len(answer),
                    tuple(str(r[0]) for r in answer[:EXAMPLES]),
                )
            )
    others = [c for c in spec.columns if c != spec.key and c.casefold() not in declared]
    if len(others) < 2 or len(others) > 40:
        return found
    inner = ", ".join(f"{quoted(c)} AS c{i}" for i, c in enumerate(others))
    names = ", ".join(f"c{i}" for i in range(len(others)))
    first = f", MIN({quoted(spec.key)}) AS k" if spec.key else ""
    source = f"(SELECT {inner}{f', {quoted(spec.key)}' if spec.key else ''} FROM {table} LIMIT {PART // 4}) AS part"
    answer = reader.rows(f"SELECT COUNT(*) AS times{first} FROM {source} GROUP BY {names} HAVING COUNT(*) > 1 LIMIT 1000")
    if (
        answer
        and len(answer) > 0
        and any("time" in words_of(c) or "date" in words_of(c) or "start" in words_of(c) or "timestamp" in words_of(c) for c in others)
    ):
        extra = sum(int(r[0]) - 1 for r in answer)
        found.append(
            Finding(
                "duplicate",
                f"{_many(extra)} row{'s' * (extra != 1)} repeat{'s' * (extra == 1)} another one in every column but the key.",
                extra,
                tuple(str(r[1]) for r in answer[:EXAMPLES] if len(r) > 1),
            )
        )
    return found


def _many(count: int) -> str:
    return f"{count} or more" if count >= 1000 else str(count)


_COUNTED = frozenset(
    (
        "quantity",
        "count",
        "good",
        "scrap",
        "rework",
        "total",
        "produced",
        "duration",
        "minute",
        "second",
        "hour",
        "downtime",
        "energy",
        "inventory",
        "cost",
        "price",
        "amount",
    )
)
_SIGNED = frozenset(
    ("variance", "deviation", "delta", "difference", "change", "correction", "balance", "temperature", "offset", "movement", "adjustment")
)
CENTURY = "a century"
_CENTURY = {"second": 3_200_000_000, "minute": 53_000_000, "hour": 880_000, "duration": 3_200_000_000, "downtime": 3_200_000_000}
MOST = 1_000_000_000_000_000
_YEAR = re.compile(r"\d{4}(?=-)")
_SHARES = frozenset(("availability", "performance", "oee", "yield"))


def _impossible(reader: Reader, name: str, spec: TableSpec, infos: Sequence[ColumnInfo], record: RecordSpec | None) -> list[Finding]:
    """Negative counts and lengths, shares above one, ends before starts, more good and scrap than parts in all."""
    shown = profile_table(reader, name, infos)
    if shown is None:
        return []
    tests: list[tuple[str, str]] = []
    for column in shown.columns:
        words = set(column.words)
        if column.name not in spec.columns or column.kind not in NUMERIC_KINDS:
            continue
        at = quoted(column.name)
        if words & _COUNTED and not words & _SIGNED:
            tests.append((f"{column.name} is negative", f"{at} < 0"))
        if words & _COUNTED:
            most, what = next(((n, f"longer than {CENTURY}") for word, n in _CENTURY.items() if word in words), (MOST, "beyond any count"))
            tests.append((f"{column.name} is {what}", f"{at} > {most}"))
        if words & _SHARES and not words & {"time", "duration"}:
            largest = max((float(s) for s in column.samples), default=0.0)
            tests.append(
                (
                    f"{column.name} lies outside 0 to {1 if largest <= 1.5 else 100}",
                    f"({at} < 0 OR {at} > {1.2 if largest <= 1.5 else 120})",
                )
            )
    parts = parts_of(shown)
    if {"good", "scrap", "total"} <= set(parts):
        good, scrap, total = (quoted(parts[p]) for p in ("good", "scrap", "total"))
        tests.append((f"{parts['good']} and {parts['scrap']} are more than {parts['total']}", f"{good} + {scrap} > {total}"))
    if record is not None and record.until and record.time and not _elsewhere(record.until):
        tests.append((f"{record.until} lies before {record.time}", f"{own_sql(record.until)} < {own_sql(record.time)}"))
    found = []
    key = quoted(_key_of(spec))
    for said, test in tests:
        count = reader.one(f"SELECT COUNT(*) AS n FROM {quoted(name)} WHERE {test}")
        if count:
            rows = reader.rows(f"SELECT {key} AS k FROM {quoted(name)} WHERE {test} LIMIT {EXAMPLES}") or ()
            found.append(Finding("impossible", f"In {count} row{'s' * (count != 1)} {said}.", int(count), tuple(str(r[0]) for r in rows)))
    return found


def _orphans(plant: Plant, name: str, spec: TableSpec) -> list[Finding]:
    found = []
    reader = Reader(plant.database, plant.system_grants)
    for column, target in spec.links.items():
        other = plant.model.tables[target]
        if other.scope == "forbidden" or other.key is None or column == spec.key:
            continue
        at, key = quoted(column), quoted(other.key)
        inner = f"SELECT DISTINCT {at} AS v FROM (SELECT {at} FROM {quoted(name)} WHERE {at} IS NOT NULL LIMIT {PART}) AS part"
        rows = reader.rows(
            f"SELECT s.v AS v FROM ({inner}) AS s LEFT JOIN {quoted(target)} AS k ON k.{key} = s.v WHERE k.{key} IS NULL LIMIT 1000"
        )
        if rows:
            examples = tuple(str(r[0]) for r in rows[:EXAMPLES])
            found.append(
                Finding(
                    "orphan",
                    f"{_many(len(rows))} value{'s' * (len(rows) != 1)} of {column} {'is' if len(rows) == 1 else 'are'} no {other.key} of {target}.",
                    len(rows),
                    examples,
                )
            )
    return found
