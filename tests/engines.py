"""Real databases for the tests: a PostgreSQL server of their own, and the demo plant's rows copied into other engines.

A copy is `plain` (the demo's own types: instants as text) or `native` (timestamps, dates and exact numbers, as most
plants keep them); the plant model of a native copy differs in one line, its clock.
"""

from __future__ import annotations

import csv
import importlib
import importlib.util
import os
import re
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from evals.postgres_server import Server, installed, run_sql
from evals.postgres_server import postgres_server as started
from tools.plant_model import SHIPPED_MODEL

__all__ = ["REQUIRE_ALL", "Server", "native_model", "postgres_server", "run_sql", "subset", "to_files", "to_postgres"]

REQUIRE_ALL = os.environ.get("ANDON_REQUIRE_ALL") == "1"
SCHEMA_SQL = Path(__file__).parent.parent / "ingest" / "demo" / "schema.sql"
#: Tables that are copied from a day on; all others whole.
DATED = {
    "production_hours": "hour_start", "scrap_records": "hour_start", "signal_samples": "sampled_at", "serials": "produced_at",
    "quality_results": "measured_at", "alarm_events": "raised_at", "downtime_events": "started_at", "operations": "started_at",
    "maintenance_logs": "written_at", "shift_notes": "written_at",
}  # fmt: skip
_INSTANT = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")


@contextmanager
def postgres_server() -> Iterator[Server]:
    """A real server of the test's own. Skips (or, where everything is required, fails) where it is not installed."""
    if installed() is None or importlib.util.find_spec("psycopg") is None:
        if REQUIRE_ALL:
            pytest.fail("PostgreSQL or its driver is missing")
        pytest.skip("PostgreSQL or its driver is not installed")
    with started() as server:
        yield server


def subset(source: Path, target: Path, until: datetime, days: int = 21) -> Path:
    """The demo plant's database with only the last days of its long tables."""
    since = {name: f"{until - timedelta(days=days):%Y-%m-%d %H:%M:%S}" for name in DATED}
    since["signal_samples"] = f"{until - timedelta(days=2):%Y-%m-%d %H:%M:%S}"
    with sqlite3.connect(target) as db:
        db.execute("ATTACH ? AS whole", (str(source),))
        db.execute("PRAGMA foreign_keys = OFF")
        tables = [row[0] for row in db.execute("SELECT name FROM whole.sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY rowid")]
        db.commit()
        db.executescript(SCHEMA_SQL.read_text(encoding="utf-8"))
        for table in tables:
            where = f" WHERE {DATED[table]} >= '{since[table]}'" if table in DATED else ""
            db.execute(f"INSERT INTO {table} SELECT * FROM whole.{table}{where}")
        db.commit()
    db.close()
    return target


def columns_of(db: sqlite3.Connection, table: str, native: bool) -> dict[str, str]:
    """Column -> its type in the copy."""
    found = {}
    for _, name, kind, _, _, _ in db.execute(f'PRAGMA table_info("{table}")'):
        found[name] = {"REAL": "NUMERIC" if native else "DOUBLE PRECISION"}.get(kind, kind)
        if native and kind == "TEXT":
            values = [row[0] for row in db.execute(f'SELECT DISTINCT "{name}" FROM "{table}" WHERE "{name}" IS NOT NULL LIMIT 200')]
            if values and all(_INSTANT.fullmatch(str(v)) for v in values):
                found[name] = "TIMESTAMP"
            elif values and all(_DATE.fullmatch(str(v)) for v in values):
                found[name] = "DATE"
    return found


def tables_of(db: sqlite3.Connection) -> list[str]:
    return [row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY rowid")]


def to_postgres(source: Path, server: Server, database: str, native: bool, zoned: bool = False, indexes: bool = True) -> str:
    """Copy every table; returns the reader's URL. `zoned` keeps instants as `timestamptz`, `indexes` makes the demo's."""
    import psycopg

    run_sql(server.url("owner"), f"CREATE DATABASE {database}")
    db = sqlite3.connect(source)
    with psycopg.connect(server.url("owner", database)) as target:
        target.execute("SET TIME ZONE 'UTC'")
        for table in tables_of(db):
            kinds = columns_of(db, table, native)
            if zoned:
                kinds = {name: "TIMESTAMPTZ" if kind == "TIMESTAMP" else kind for name, kind in kinds.items()}
            listed = ", ".join(f'"{name}" {kind}' for name, kind in kinds.items())
            target.execute(f'CREATE TABLE "{table}" ({listed})'.encode())
            with target.cursor().copy(f'COPY "{table}" FROM STDIN'.encode()) as copy:
                for row in db.execute(f'SELECT * FROM "{table}"'):
                    copy.write_row(row)
        for statement in re.findall(r"CREATE INDEX [^;]+", SCHEMA_SQL.read_text(encoding="utf-8")) if indexes else ():
            target.execute(statement.encode())
        target.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader")
        target.commit()
    run_sql(server.url("owner", database), "ANALYZE")
    db.close()
    return server.url("reader", database)


def to_files(source: Path, folder: Path, suffix: str) -> str:
    """Copy every table into CSV or Parquet files, types as DuckDB reads them out of the CSV; returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    db = sqlite3.connect(source)
    duckdb = importlib.import_module("duckdb")
    for table in tables_of(db):
        kinds = columns_of(db, table, True)
        with (folder / f"{table}.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(kinds)
            writer.writerows(db.execute(f'SELECT * FROM "{table}"'))
        if suffix == "parquet":
            types = "{" + ", ".join(f"'{name}': '{'DOUBLE' if kind == 'NUMERIC' else kind}'" for name, kind in kinds.items()) + "}"
            with duckdb.connect(":memory:") as loader:
                loader.execute(
                    f"COPY (SELECT * FROM read_csv('{folder}/{table}.csv', header = true, columns = {types}))"
                    f" TO '{folder}/{table}.parquet' (FORMAT parquet)"
                )
            (folder / f"{table}.csv").unlink()
    db.close()
    return str(folder)


def native_model(folder: Path, changes: Mapping[str, str] | None = None) -> Path:
    """The shipped plant model for a database that keeps instants in its own type."""
    text = SHIPPED_MODEL.read_text(encoding="utf-8")
    changed = re.sub(r"^clock: .*$", "clock: {zone: UTC, format: native}", text, count=1, flags=re.M)
    assert changed != text
    for old, new in (changes or {}).items():
        assert old in changed
        changed = changed.replace(old, new)
    path = folder / "native.yaml"
    path.write_text(changed, encoding="utf-8")
    return path
