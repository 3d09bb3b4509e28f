"""What a certified figure costs as the plant's tables grow: one line and one week over 10^5, 10^6 and more count rows, in
SQLite and in PostgreSQL, by the rows alone (with the indexes that `andon connect` asks for) and with a rollup.

The history stays at 400 days of 15 machines; what grows is how finely they are counted, so that the week itself holds
more rows: growth that an index cannot take away. Databases are made in a temporary folder and deleted.
"""

from __future__ import annotations

import math
import re
import shutil
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from evals.postgres_server import installed, postgres_server, run_sql
from tools import rollups
from tools.access import Caller
from tools.metrics import query_metrics
from tools.plant_model import SHIPPED_MODEL, Plant
from tools.registry import Call, Period

SIZES = (100_000, 1_000_000)
LARGE = 10_000_000
GOAL_MS = 100.0
MACHINES, DAYS = 15, 400
ROUNDS = 9
UNTIL = datetime(2026, 6, 1, tzinfo=UTC)
ZONE = ZoneInfo("Europe/Berlin")
SCHEMA = Path(__file__).parent.parent / "ingest" / "demo" / "schema.sql"
ROLLUP = "\nrollups:\n  production_by_hour: {record: production_hours, table: andon_production_by_hour, keys: [equipment_id, product_id]}\n"
Row = dict[str, Any]


@dataclass(frozen=True)
class Cost:
    """Milliseconds of the figure over one table, one for each of several weeks, by the rows and with a rollup."""

    engine: str
    rows: int
    by_rows_ms: tuple[float, ...]
    rolled_ms: tuple[float, ...]
    built_s: float


def rows(sizes: Sequence[int] = SIZES, tell: Callable[[str], None] = lambda _: None) -> list[Row]:
    """The bench's rows: (what, value, unit, goal), with the exponent of growth for each engine and way."""
    found: list[Row] = []
    for engine in ("SQLite", "PostgreSQL"):
        if engine == "PostgreSQL" and installed() is None:
            found.append(_row("PostgreSQL is not installed (make system); rows measured", 0, ""))
            continue
        costs = []
        for size in sizes:
            tell(f"data: {engine}, {size:,} rows")
            costs.append(_measured(engine, size))
        for cost in costs:
            few = cost.rows < rollups.WORTH_ROWS
            name = f"{engine}, {cost.rows:,} rows: OEE of a line in a week"
            found.append(
                _row(f"{name}, by the rows, median of {ROUNDS}", statistics.median(cost.by_rows_ms), "ms", GOAL_MS if few else None)
            )
            found.append(_row(f"{name}, with a rollup, median of {ROUNDS}", statistics.median(cost.rolled_ms), "ms", GOAL_MS))
            found.append(_row(f"{engine}, {cost.rows:,} rows: made in", cost.built_s, "s"))
        if len(costs) > 1:
            found.append(_row(f"{engine}: time grows with the rows to the power of", _exponent(costs, "by_rows_ms"), ""))
            found.append(_row(f"{engine}: with a rollup to the power of", _exponent(costs, "rolled_ms"), ""))
    return found


def _row(what: str, value: float, unit: str, goal: float | None = None) -> Row:
    return {"what": what, "value": round(value, 2), "unit": unit, "goal": goal}


def _exponent(costs: Sequence[Cost], which: str) -> float:
    """The slope of log time over log rows, from the smallest to the largest table, of the quickest week of each: what
    else runs on the machine disturbs it least."""
    first, last = costs[0], costs[-1]
    return math.log(min(getattr(last, which)) / min(getattr(first, which))) / math.log(last.rows / first.rows)


def _measured(engine: str, size: int) -> Cost:
    with _database(engine, size) as (url, run, built_s):
        folder = Path(tempfile.mkdtemp(prefix="andon-bench-"))
        try:
            model = folder / "plant.yaml"
            model.write_text(SHIPPED_MODEL.read_text(encoding="utf-8") + ROLLUP, encoding="utf-8")
            plant = Plant.open(model, url)
            by_rows = _times_ms(plant)
            for statement in rollups.creation(plant, "production_by_hour", UNTIL):
                run(statement)
            plant.close()
            plant = Plant.open(model, url)
            rolled = _times_ms(plant)
            plant.close()
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    return Cost(engine, size, by_rows, rolled, built_s)


def _times_ms(plant: Plant) -> tuple[float, ...]:
    """One line and a week, another week each time; the first, which fills the caches, is not counted."""
    caller = Caller("bench", "Bench", "supervisor", via="test")
    now = UNTIL.astimezone(ZONE)
    call = Call(caller, now, plant, index=None, deadline_s=120.0)  # type: ignore[arg-type]
    times = []
    for number in range(ROUNDS + 1):
        start = (datetime(2026, 5, 18, tzinfo=ZONE) - timedelta(weeks=3 * number)).replace(hour=0)
        week = Period("the week", start, start + timedelta(days=7))
        begun = time.perf_counter()
        result = query_metrics(call, ["oee"], {"line": "Line 1"}, week)
        times.append(1000 * (time.perf_counter() - begun))
        if result.status != "answered":
            raise RuntimeError(f"the bench's figure is {result.status}: {result.message}")
    return tuple(times[1:])


# -- the tables


@contextmanager
def _database(engine: str, size: int) -> Iterator[tuple[str, Callable[[str], None], float]]:
    """A plant with so many count rows: its URL, a way to run statements as its owner, and the seconds that it took."""
    begun = time.perf_counter()
    if engine == "SQLite":
        folder = Path(tempfile.mkdtemp(prefix="andon-bench-"))
        try:
            path = folder / "mes.sqlite"
            db = sqlite3.connect(path, isolation_level=None)
            db.execute("PRAGMA journal_mode = OFF")
            db.execute("PRAGMA synchronous = OFF")
            for statement in _statements(size, "sqlite"):
                db.execute(statement)
            yield str(path), lambda statement: _execute(db, statement), time.perf_counter() - begun
            db.close()
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    else:
        with postgres_server() as server:
            owner = server.url("owner")
            run_sql(owner, *_statements(size, "postgres"), "GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader", "ANALYZE")

            def run(statement: str) -> None:
                run_sql(owner, statement, "GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader")

            yield server.url("reader"), run, time.perf_counter() - begun


def _execute(db: sqlite3.Connection, statement: str) -> None:
    db.execute(statement)


def _statements(size: int, dialect: str) -> Iterator[str]:
    schema = re.sub(r"--[^\n]*|/\*.*?\*/", "", SCHEMA.read_text(encoding="utf-8"))
    if dialect == "postgres":
        schema = re.sub(r"\bREAL\b", "DOUBLE PRECISION", schema)
    indexes = [text for text in schema.split(";") if "CREATE INDEX production_hours" in text]
    yield from (text for text in schema.split(";") if text.strip() and text not in indexes)
    yield "INSERT INTO sites VALUES ('S', 'Site', 'Europe/Berlin')"
    yield "INSERT INTO areas VALUES ('A', 'S', 'Area')"
    yield "INSERT INTO products VALUES ('P0', 'P0', 'F', 'pcs'), ('P1', 'P1', 'F', 'pcs'), ('P2', 'P2', 'F', 'pcs')"
    yield "INSERT INTO lines VALUES ('LINE-1', 'A', 'Line 1'), ('LINE-2', 'A', 'Line 2'), ('LINE-3', 'A', 'Line 3')"
    for machine in range(MACHINES):
        line = f"LINE-{machine % 3 + 1}"
        yield f"INSERT INTO equipment VALUES ('M-{machine:02d}', '{line}', 'M-{machine:02d}', 'cnc', 'm', 'm', '1', '1', '2020-01-01', 'high', 'running')"
        yield f"INSERT INTO counting_points VALUES ('{line}', 'M-{machine:02d}')"
    yield _counts(size, dialect)
    yield from indexes


def _counts(size: int, dialect: str) -> str:
    """The count rows: each machine in even steps up to now, with a little variety."""
    steps = size // MACHINES
    grain = DAYS * 86_400 / steps
    epoch = f"{int(UNTIL.timestamp())} - (k.i + 1) * {grain}"
    if dialect == "postgres":
        series = f"generate_series(0, {steps - 1}) AS k(i)"
        instant = f"to_char(to_timestamp({epoch}) AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS')"
        start = "INSERT INTO production_hours"
    else:
        series = "k"
        instant = f"strftime('%Y-%m-%d %H:%M:%S', CAST({epoch} AS INTEGER), 'unixepoch')"
        start = f"WITH RECURSIVE k(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM k WHERE i < {steps - 1}) INSERT INTO production_hours"
    columns = (
        f"e.equipment_id, {instant}, NULL, 'P' || (k.i % 3), NULL, {grain}, {grain} * 0.9, 0, {grain} * 0.1, 0, {grain} * 0.8,"
        " 10 + k.i % 7, 10 + k.i % 7 - k.i % 3, k.i % 3, k.i % 2, 1.5"
    )
    return f"{start} SELECT {columns} FROM {series} CROSS JOIN equipment e"
