"""The report on a plant's data: one fault of each kind is planted, and found with its count and its keys."""

from __future__ import annotations

import sqlite3
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tools.plant_model import Plant
from tools.readiness import Finding, Readiness, examine

MODEL = """version: 1
plant: Mill
timezone: UTC
clock: {zone: UTC, format: "%Y-%m-%d %H:%M:%S"}
hierarchy:
  line: {table: cells, key: cell}
  equipment: {table: machines, key: machine, parent: cell}
tables:
  cells: {key: cell, scope: shared, columns: [cell]}
  machines: {key: machine, scope: shared, columns: [machine, cell], links: {cell: cells}}
  runs:
    key: run
    scope: machine.cell
    columns: [run, machine, started, ended, made, good, scrap]
    links: {machine: machines}
freshness: [runs.started]
records:
  production_orders:
    table: runs
    label: runs
    singular: run
    time: started
    until: ended
    fields: {id: run, equipment: machine}
    show: [{name: id, label: Run, of: run, kind: id}]
"""
NOW = datetime(2026, 5, 10, tzinfo=ZoneInfo("UTC"))


def stamp(hours: float) -> str:
    return (NOW - timedelta(hours=hours)).strftime("%Y-%m-%d %H:%M:%S")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """200 hours of sound rows up to an hour ago."""
    db = sqlite3.connect(tmp_path / "mill.db")
    db.executescript(
        "CREATE TABLE cells (cell TEXT); CREATE TABLE machines (machine TEXT, cell TEXT); INSERT INTO cells VALUES ('A'); INSERT INTO machines VALUES ('M1', 'A');"
        "CREATE TABLE runs (run INTEGER, machine TEXT, started TEXT, ended TEXT, made INTEGER, good INTEGER, scrap INTEGER);"
    )
    db.executemany(
        "INSERT INTO runs VALUES (?, 'M1', ?, ?, ?, ?, ?)", [(n, stamp(n + 1), stamp(n + 0.5), 100 + n, 90 + n, 10) for n in range(200)]
    )
    db.commit()
    db.close()
    (tmp_path / "mill.yaml").write_text(MODEL, encoding="utf-8")
    return tmp_path


def report(folder: Path, *statements: str) -> Readiness:
    with sqlite3.connect(folder / "mill.db") as db:
        for statement in statements:
            db.execute(statement)
    plant = Plant.open(folder / "mill.yaml", str(folder / "mill.db"))
    try:
        return examine(plant, folder / "mill.yaml", NOW)
    finally:
        plant.close()


def findings(folder: Path, *statements: str) -> list[Finding]:
    return [finding for table in report(folder, *statements).tables for finding in table.findings]


def test_a_sound_database_has_nothing_to_say(folder: Path) -> None:
    found = report(folder)
    assert found.maps
    assert [t.findings for t in found.tables] == [(), (), ()]
    assert [t.rows for t in found.tables] == [1, 1, 200]
    assert found.tables[2].newest == "2026-05-09T23:00+00:00"
    assert "production_orders" in found.records
    assert "oee" in found.metrics_lacking


@pytest.mark.parametrize(
    ("statement", "kind", "count", "example", "says"),
    [
        (f"INSERT INTO runs VALUES (7, 'M1', '{stamp(50.2)}', '{stamp(50)}', 1, 1, 0)", "duplicate", 1, "7", "key run stands in several rows"),
        ("INSERT INTO runs SELECT 900, machine, started, ended, made, good, scrap FROM runs WHERE run = 5", "duplicate", 1, "5", "repeats another one"),
        ("UPDATE runs SET machine = 'M9' WHERE run IN (3, 4)", "orphan", 1, "M9", "no machine of machines"),
        ("UPDATE runs SET scrap = -5 WHERE run = 11", "impossible", 1, "11", "scrap is negative"),
        ("UPDATE runs SET ended = '2026-01-01 00:00:00' WHERE run IN (1, 2, 3)", "impossible", 3, "1", "ended lies before started"),
        ("UPDATE runs SET started = '2026-05-10 01:00:00', ended = NULL WHERE run = 0", "clock", 1, "2026-05-10T01:00", "ahead of the clock"),
        ("UPDATE runs SET started = '10/05/26' WHERE run = 9", "unreadable", 1, "10/05/26", "no time in the format"),
        ("DELETE FROM runs WHERE run BETWEEN 20 AND 99", "gap", 1, "2026-05-05T19:00", "the longest of 3 d"),
        ("DELETE FROM runs WHERE run < 100", "freshness", 1, "2026-05-05T19:00", "4 d old"),
        ("DELETE FROM machines", "freshness", 0, "", "empty"),
    ],
)  # fmt: skip
def test_each_fault_is_found_with_its_count_and_an_example(
    folder: Path, statement: str, kind: str, count: int, example: str, says: str
) -> None:
    found = [f for f in findings(folder, statement) if f.kind == kind]
    assert len(found) == 1, found
    assert found[0].count == count
    assert says in found[0].sentence
    assert not example or any(text.startswith(example) for text in found[0].examples)


def test_what_the_model_names_and_the_database_lacks_is_said_with_its_line(folder: Path) -> None:
    found = report(folder, "ALTER TABLE runs RENAME COLUMN scrap TO scrap_qty")
    assert not found.maps
    line = 1 + MODEL.splitlines().index("    columns: [run, machine, started, ended, made, good, scrap]")
    assert found.missing == (f"mill.yaml:{line}: tables.runs.columns.6: the table has no column scrap; it has scrap_qty",)
    assert found.unmapped == {"runs": ("scrap_qty",)}


def test_a_big_table_without_an_index_gets_a_statement_to_run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tools.readiness.BIG", 100)
    monkeypatch.setattr("tools.readiness.SLOW_MS", 0.0)
    found = report(folder)
    assert found.suggestions[0] == "CREATE INDEX andon_runs_machine_time ON runs (machine, started);"
    with sqlite3.connect(folder / "mill.db") as db:
        for statement in found.suggestions:
            db.execute(statement)  # a person can run it as it stands
