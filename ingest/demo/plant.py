"""The demo plant's MES: one call simulates weeks or months of a factory and writes them into a SQLite file of the shape of schema.sql.
The same seed, `until` and length give the same rows. tests/test_demo_plant.py proves that the tables agree with each other and that each
story of stories.yaml is in the data; the ground truth of a build lies beside its database as stories.json."""

from __future__ import annotations

import gc
import json
import os
import re
import sqlite3
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from ingest.demo import counts, events, lots, maintenance, master, orders, planted, quality, signals, stops
from ingest.demo.world import FOLDER, SHIFTS, World, load, make_timeline

Progress = Callable[[str, float], None]
DATABASE = "mes.sqlite"
TRUTH = "stories.json"


@dataclass(frozen=True)
class DemoPlant:
    """A built plant: `until` is aware, `rows` counts the rows of each table, `seconds` is how long it took."""

    database: Path
    until: datetime
    seed: int
    rows: Mapping[str, int]
    seconds: float


@dataclass(frozen=True)
class Story:
    """A planted story: what was put into the data, and the facts that hold for every build, relative to `until`."""

    id: str
    title: str
    planted: str
    facts: Mapping[str, Any]


def build(
    folder: Path, until: datetime, seed: int = 7, progress: Progress | None = None, days: int = 400, signal_days: int = 60
) -> DemoPlant:
    """Simulates `days` days of counts and events and `signal_days` days of signals up to `until` (aware) into folder/mes.sqlite.
    The file appears under its name only when it is complete.
    Raises ValueError for a naive `until` or fewer than 10 days, IngestError when the files cannot be written."""
    if until.tzinfo is None:
        raise ValueError("until must carry a time zone")
    if days < 10 or signal_days < 1 or signal_days > days:
        raise ValueError("a plant needs at least 10 days, and signals for 1 day or more but not longer than its events")
    begun = time.perf_counter()
    report = progress or (lambda step, share: None)
    collecting = gc.isenabled()
    gc.disable()     # a million live tuples make every full collection walk them for nothing, a sixth of the time
    try:
        world = simulate(until, seed, days, signal_days, report)
    finally:
        if collecting:
            gc.enable()
    report("writing", 0.7)
    truth = {"until": until.astimezone(UTC).isoformat(), "seed": seed, "days": days, "stories": world.truth}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        rows = write(folder / DATABASE, world.tables)
        replace_text(folder / TRUTH, json.dumps(truth, indent=1, ensure_ascii=False, sort_keys=True))
    except (OSError, sqlite3.Error) as error:
        from ingest.pipeline import IngestError  # only here: it brings the readers with it

        raise IngestError(f"The demo plant could not be written to {folder}: {error}.") from error
    report("done", 1.0)
    return DemoPlant(folder / DATABASE, until, seed, rows, time.perf_counter() - begun)


def stories() -> list[Story]:
    """The planted stories as written down in stories.yaml."""
    return [Story(s["id"], s["title"], s["planted"], s.get("facts", {})) for s in load("stories")["stories"]]


def ground_truth(database: Path) -> dict[str, Any]:
    """What the build beside this database planted, by story id: real ids, times (UTC) and counts."""
    truth: dict[str, Any] = json.loads((database.parent / TRUTH).read_text(encoding="utf-8"))
    return dict(truth["stories"])


def simulate(until: datetime, seed: int, days: int, signal_days: int, report: Progress) -> World:
    """All tables in memory, in the order in which one thing follows from another."""
    plant, processes = load("plant"), load("processes")
    assert [s["id"] for s in plant["shifts"]] == list(SHIFTS)
    zone = ZoneInfo(plant["site"]["timezone"])
    lines = [line["id"] for line in plant["lines"]]
    world = World(make_timeline(until, days, lines, frozenset(processes["holidays"]), zone), seed, signal_days)
    report("master data", 0.0)
    master.fill_master(world)
    report("orders and stops", 0.05)
    schedule = orders.make_schedule(world)
    stopped = stops.make_stops(world, schedule)
    report("production", 0.1)
    made = counts.make_counts(world, schedule, stops.down_seconds(world, stopped))
    counts.fill_hours(world, schedule, made)
    orders.fill_changeovers(world, schedule)
    orders.fill_orders(world, schedule)
    report("material and quality", 0.25)
    material = lots.make_material(world, schedule, made)
    counts.fill_scrap(world, schedule, made, material.by_hour())
    quality.make_quality(world, material)
    lots.fill_material(world, material)
    lots.fill_serials(world, material, made)
    report("maintenance", 0.4)
    jobs = maintenance.make_maintenance(world, stopped)
    events.fill_downtime(world, stopped)
    events.fill_alarms(world, stopped)
    events.fill_notes(world, stopped, made)
    master.fill_equipment(world, {stop.equipment for stop in stopped if stop.ongoing})
    report("signals", 0.5)
    signals.fill_signals(world, made, stopped)
    planted.resolve(world, schedule, stopped, material, jobs)
    return world


def write(path: Path, tables: Mapping[str, list[tuple[Any, ...]]]) -> dict[str, int]:
    """The tables into a new file in one transaction, indexes last, then renamed over `path`."""
    statements = schema_statements()
    partial = path.with_name(f".{path.name}.part")     # one that a killed build left behind is taken over
    partial.unlink(missing_ok=True)
    connection = sqlite3.connect(partial, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA cache_size = -262144")
        connection.execute("PRAGMA temp_store = MEMORY")
        connection.execute("BEGIN")
        creating = [s for s in statements if s.startswith("CREATE TABLE")]
        for statement in creating:
            connection.execute(statement)
        names = [statement.split()[2] for statement in creating]
        unknown = set(tables) - set(names)
        if unknown:
            raise ValueError(f"no table in schema.sql for {sorted(unknown)}")
        for name in names:
            rows = tables.get(name, [])
            if rows:
                connection.executemany(f"INSERT INTO {name} VALUES ({', '.join('?' * len(rows[0]))})", rows)
        for statement in statements:
            if not statement.startswith("CREATE TABLE"):
                connection.execute(statement)
        connection.execute("COMMIT")
    except BaseException:
        connection.close()
        partial.unlink(missing_ok=True)
        raise
    connection.close()
    os.replace(partial, path)
    return {name: len(tables.get(name, [])) for name in names}


def schema_statements() -> list[str]:
    text = re.sub(r"/\*.*?\*/", "", re.sub(r"--[^\n]*", "", (FOLDER / "schema.sql").read_text(encoding="utf-8")), flags=re.S)
    return [" ".join(part.split()) for part in text.split(";") if part.strip()]


def replace_text(path: Path, text: str) -> None:
    partial = path.with_name(f".{path.name}.part")
    partial.write_text(text, encoding="utf-8")
    os.replace(partial, path)
