"""Which rollup may answer a question instead of the rows, and the SQL by which a person makes and renews one.

A rollup is used only for hours that its own state says are complete, only where every edge of the question falls on an
hour, only for what it holds, and only while it was made by the definition that the model gives now; for the rest of the
time the rows are read. tests/test_rollups.py compares the answers with those of the rows.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from tools.conditions import Extent
from tools.model_file import RollupSpec, column_path, expression
from tools.plant_model import FRESHNESS_S, Plant, quoted
from tools.query import Parameters, Rowset, supports
from tools.rollup_model import BUCKET, COUNTED, STATE, clock_parts, elements_in, expanded, faults_of_rollups, line_column, own_column
from tools.spans import Times
from tools.sql import SqlUnavailable, Statement

WORTH_ROWS = 2_000_000


@dataclass(frozen=True)
class Chosen:
    """The record of a rollup, and the instant up to which it is complete."""

    record: str
    until: datetime


def choose(
    plant: Plant, record: str, elements: Sequence[str], keys: Sequence[str], by: Sequence[str], where: Extent, times: Times
) -> Chosen | None:
    """The first rollup of a record that holds these elements and knows these keys; None: only the rows do."""
    for name, rollup in plant.model.rollups.items():
        if rollup.record != record or times.whole:
            continue
        held = plant.model.records[name]
        grouped = all(isinstance(held.fields.get(key, ""), str) for key in by)
        if not grouped or not all(supports(plant, held, key) for key in (*keys, *_places(where))):
            continue
        if any(name not in plant.model.elements[element].sum for element in elements):
            continue
        until = _complete(plant).get(name)
        if until is not None and until > times.start and _on_the_hour(plant, held.table, times, until):
            return Chosen(name, until)
    return None


def _places(where: Extent) -> tuple[str, ...]:
    return (*(("equipment",) if where.equipment is not None else ()), *(("line",) if where.lines is not None else ()))


def _on_the_hour(plant: Plant, table: str, times: Times, until: datetime) -> bool:
    """True if no edge of the question cuts an hour of the rollup in two."""
    zone = plant.clock_zone(table)
    edges = [times.start, times.end, *(edge for b in times.buckets for edge in (b.span.start, b.span.end))]
    local = (edge.astimezone(zone) for edge in edges if edge < until)
    return not any(edge.minute or edge.second or edge.microsecond for edge in local)


def _complete(plant: Plant) -> dict[str, datetime]:
    """Until when each rollup is complete; only those that exist and were made by today's definition."""
    if not plant.model.rollups:
        return {}
    found: dict[str, datetime] = plant.remembered("rollups", FRESHNESS_S, lambda: _state(plant))
    return found


def _state(plant: Plant) -> dict[str, datetime]:
    try:
        rows = plant.query(Statement(f"SELECT rollup, definition, complete_until FROM {STATE}")).rows
    except SqlUnavailable as failure:
        if failure.kind != "changed":
            raise
        return {}  # nobody has made one yet
    found = {}
    for name, made_by, text in rows:
        rollup = plant.model.rollups.get(str(name))
        until = plant.read_time(str(text), plant.model.records[str(name)].table) if rollup else None
        if until is not None and made_by == definition(plant, str(name)):
            found[str(name)] = until
    return found


# -- what a person runs


def definition(plant: Plant, name: str) -> str:
    """A fingerprint of what a rollup sums: another formula, key or link makes another."""
    text = _select(plant, name, "")
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _select(plant: Plant, name: str, condition: str, gated: bool = False) -> str:
    """The statement that fills a rollup from the rows for which `condition` (over {time}) holds; `gated` where the gate
    runs it, which takes the model's names of tables."""
    rollup = plant.model.rollups[name]
    raw = plant.model.records[rollup.record]
    rows = Rowset(plant, raw, Parameters(), datetime.min)
    at = rows.sql_of(raw.time or "")
    clock = plant.model.clock_of(raw.table)
    parts = clock_parts(clock.format)
    hour = f"DATE_TRUNC('hour', {at})" if parts is None else f"SUBSTR({at}, 1, {parts[0]}) || '{parts[1]}'"
    keys = [rows.sql_of(quoted(key)) for key in rollup.keys]
    columns = [f"{text} AS {quoted(key)}" for text, key in zip(keys, rollup.keys, strict=True)]
    columns += [f"{hour} AS {BUCKET}", f"COUNT(*) AS {COUNTED}"]
    for element, spec in elements_in(plant.model, rollup.record):
        columns.append(f"SUM({rows.sql_of(spec.sum[rollup.record])}) AS {own_column(element)}")
        if rollup.record in spec.in_line:
            columns.append(f"SUM({rows.sql_of(spec.in_line[rollup.record])}) AS {line_column(element)}")
    where = f" WHERE {condition.format(time=at)}" if condition else ""
    return f"SELECT {', '.join(columns)} FROM {rows.from_sql() if gated else _real_tables(plant, rows)}{where} GROUP BY {', '.join([*keys, hour])}"


def _real_tables(plant: Plant, rows: Rowset) -> str:
    """FROM and JOIN with the tables' names in the database, since no gate translates for a person."""
    text = rows.from_sql()
    for name in {rows.record.table, *plant.model.tables}:
        real = plant.model.tables[name].table
        if real is not None and real != name:
            shown = ".".join(quoted(part) for part in real.split("."))
            text = text.replace(f"JOIN {quoted(name)} AS ", f"JOIN {shown} AS ")
            text = f"{shown} AS {text.removeprefix(f'{quoted(name)} AS ')}" if name == rows.record.table else text
    return text


def creation(plant: Plant, name: str, until: datetime) -> tuple[str, ...]:
    """The statements that make a rollup of everything before `until` (cut to its hour) and say that it is complete."""
    rollup, edge = plant.model.rollups[name], _edge(plant, name, until)
    place = quoted(rollup.keys[0])
    return (
        f"CREATE TABLE {quoted(rollup.table)} AS {_select(plant, name, '{time} < ' + edge)};",
        f"CREATE INDEX {rollup.table}_{rollup.keys[0]} ON {quoted(rollup.table)} ({place}, {BUCKET});".lower(),
        f"ANALYZE {quoted(rollup.table)};",
        f"CREATE TABLE IF NOT EXISTS {STATE} (rollup VARCHAR(80) PRIMARY KEY, definition VARCHAR(80), complete_until VARCHAR(40));",
        f"DELETE FROM {STATE} WHERE rollup = '{name}';",
        f"INSERT INTO {STATE} VALUES ('{name}', '{definition(plant, name)}', {edge});",
    )


def renewal(plant: Plant, name: str, since: datetime, until: datetime) -> tuple[str, ...]:
    """The statements that make the hours from `since` to `until` anew; in one transaction, as often as a person likes.
    Rows that come late are taken in when `since` reaches back behind them."""
    rollup = plant.model.rollups[name]
    first, last = _edge(plant, name, since), _edge(plant, name, until)
    return (
        f"DELETE FROM {quoted(rollup.table)} WHERE {BUCKET} >= {first};",
        f"INSERT INTO {quoted(rollup.table)} {_select(plant, name, '{time} >= ' + first + ' AND {time} < ' + last)};",
        f"UPDATE {STATE} SET complete_until = {last} WHERE rollup = '{name}';",
    )


def _edge(plant: Plant, name: str, instant: datetime) -> str:
    """An hour as the record's clock writes it, as a literal."""
    table = plant.model.records[plant.model.rollups[name].record].table
    local = instant.astimezone(plant.clock_zone(table)).replace(minute=0, second=0, microsecond=0)
    return "'" + str(plant.write_time(local, table)) + "'"


def wanted(plant: Plant, gone: Collection[str], until: datetime) -> Iterator[str]:
    """The statements that make what the model names and nobody has made yet, or made by another definition; `gone` are
    the tables that the database lacks."""
    made = {} if STATE in gone else _complete(plant)
    for name, rollup in plant.model.rollups.items():
        if rollup.table in gone:
            yield f"-- the rollup {name} is not made yet:"
        elif name not in made:
            yield f"-- the rollup {name} was made by another definition:"
            yield f"DROP TABLE {quoted(rollup.table)};"
        else:
            continue
        yield from creation(plant, name, until)


def proposed(plant: Plant, record: str, rows: int, until: datetime) -> tuple[str, ...]:
    """What to add to the model (as a comment) and to run in the database where a record has so many rows that its
    figures want a rollup; empty where it has one, needs none or cannot have one."""
    model = plant.model
    if rows < WORTH_ROWS or any(r.record == record for r in model.rollups.values()):
        return ()
    paths = [column_path(expression(p)) for p in model.records[record].fields.values() if isinstance(p, str)]
    own = model.tables[model.records[record].table]
    columns = dict.fromkeys(p[0] for p in paths if len(p) == 1 and p[0] in own.columns and p[0] != own.key)
    keys = tuple(c for c in columns if c in own.links or c in (model.records[record].fields.get("equipment"),))
    rollup = RollupSpec(record=record, table=f"andon_{record}_by_hour", keys=keys)
    name = f"{record}_by_hour"
    changed = model.model_copy(update={"rollups": {**model.rollups, name: rollup}})
    if not keys or any(faults_of_rollups(changed)):
        return ()
    whole = replace(plant, model=expanded(changed), _cache={})
    line = f"{name}: {{record: {record}, table: {rollup.table}, keys: [{', '.join(keys)}]}}"
    return (f"-- to the plant model, under rollups: {line}", *creation(whole, name, until))


def differences(plant: Plant, name: str, since: datetime, until: datetime) -> int:
    """How many hours and keys of a rollup between two instants do not hold what the rows give now: late or changed rows."""
    rollup = plant.model.rollups[name]
    first, last = _edge(plant, name, since), _edge(plant, name, until)
    columns = [*(quoted(key) for key in rollup.keys), BUCKET, COUNTED]
    held = f"SELECT {', '.join(columns)} FROM {quoted(rollup.table)} WHERE {BUCKET} >= {first} AND {BUCKET} < {last}"
    counted = _select(plant, name, "{time} >= " + first + " AND {time} < " + last, gated=True)
    made = f"SELECT {', '.join(columns)} FROM ({counted}) AS made"
    either = f"SELECT * FROM ({held} EXCEPT {made}) AS a UNION ALL SELECT * FROM ({made} EXCEPT {held}) AS b"
    return int(plant.query(Statement(f"SELECT COUNT(*) AS n FROM ({either}) AS d", purpose="document")).rows[0][0])
