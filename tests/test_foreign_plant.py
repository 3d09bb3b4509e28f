"""A plant that nobody here designed, connected by YAML alone: whole-number keys, mixed case, local clocks, no areas, no
shifts, durations in minutes. Expected figures are plain SQL over its tables."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tools.access import Caller, Scope
from tools.correlations import find_correlations
from tools.metrics import query_metrics
from tools.plant_model import Plant
from tools.records import list_records
from tools.registry import Call, Period
from tools.signals import signal_trend
from tools.tracing import trace_material

MODEL = """
version: 1
plant: Mill
timezone: America/Chicago
clock: {zone: America/Chicago, format: "%Y-%m-%dT%H:%M:%S"}
hierarchy:
  line: {table: Cells, key: CellNo, name: Title}
  equipment: {table: Machines, key: MachineNo, name: Title, parent: CellNo, class: Kind}
vocabulary:
  product: [{table: Articles, key: ArticleNo, names: [Title]}]
tables:
  Cells: {table: Cells, key: CellNo, scope: shared, columns: [CellNo, Title]}
  Machines: {key: MachineNo, scope: shared, columns: [MachineNo, Title, CellNo, Kind], links: {CellNo: Cells}}
  Articles: {key: ArticleNo, scope: shared, columns: [ArticleNo, Title]}
  Runs: {key: RunNo, scope: MachineNo.CellNo, columns: [RunNo, MachineNo, ArticleNo, Begin, Made, Bad], links: {MachineNo: Machines, ArticleNo: Articles}}
  Stops: {key: StopNo, scope: MachineNo.CellNo, columns: [StopNo, MachineNo, Begin, Minutes, "Group"], links: {MachineNo: Machines}}
freshness: [Runs.Begin]
records:
  production_orders:
    table: Runs
    label: runs
    singular: run
    time: Begin
    order: begin desc
    fields: {id: RunNo, order: RunNo, equipment: MachineNo, product: ArticleNo}
    show:
      - {name: id, label: Run, of: RunNo, kind: id}
      - {name: product, label: Article, of: ArticleNo.Title}
      - {name: begin, label: Begin, of: Begin, kind: time}
      - {name: made, label: Made, of: Made, kind: count}
  downtime_events:
    table: Stops
    label: stops
    singular: stop
    time: Begin
    fields: {id: StopNo, equipment: MachineNo, reason: '"Group"', duration_min: Minutes}
    show:
      - {name: id, label: Stop, of: StopNo, kind: id}
      - {name: reason, label: Reason, of: '"Group"'}
elements:
  made: {label: Made, sum: {production_orders: Made}}
  bad: {label: Bad, sum: {production_orders: Bad}}
  down_s: {label: Downtime, kind: duration_s, sum: {downtime_events: Minutes * 60}}
metrics:
  scrap_rate: {label: Scrap rate, formula: bad / made, expression: bad / made, kind: percent, direction: down, default_days: 30, certified_by: A, certified_on: 2026-01-01}
  downtime: {label: Downtime, formula: minutes, expression: down_s, kind: duration_s, direction: down, default_days: 30, certified_by: A, certified_on: 2026-01-01}
"""
ZONE = ZoneInfo("America/Chicago")
NOW = datetime(2026, 3, 12, 12, tzinfo=ZONE)
MARCH_8 = Period("8 March", datetime(2026, 3, 8, tzinfo=ZONE), datetime(2026, 3, 9, tzinfo=ZONE))  # 23 hours there


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plant]:
    folder = Path(tmp_path_factory.mktemp("mill"))
    db = sqlite3.connect(folder / "mill.db")
    db.executescript(
        """
        CREATE TABLE Cells (CellNo INTEGER PRIMARY KEY, Title TEXT);
        CREATE TABLE Machines (MachineNo INTEGER PRIMARY KEY, Title TEXT, CellNo INTEGER, Kind TEXT);
        CREATE TABLE Articles (ArticleNo INTEGER PRIMARY KEY, Title TEXT);
        CREATE TABLE Runs (RunNo INTEGER PRIMARY KEY, MachineNo INTEGER, ArticleNo INTEGER, Begin TEXT, Made INTEGER, Bad INTEGER);
        CREATE TABLE Stops (StopNo INTEGER PRIMARY KEY, MachineNo INTEGER, Begin TEXT, Minutes INTEGER, "Group" TEXT);
        INSERT INTO Cells VALUES (1, 'Rolling'), (2, 'Coating');
        INSERT INTO Machines VALUES (10, 'Stand A', 1, 'stand'), (11, 'Stand B', 1, 'stand'), (20, 'Coater', 2, 'coater');
        INSERT INTO Articles VALUES (7, 'Foil 12'), (8, 'Foil 20');
        INSERT INTO Stops VALUES (1, 10, '2026-03-08T01:00:00', 30, 'Strip break'), (2, 20, '2026-03-10T01:00:00', 45, 'Nozzle');
        """
    )
    for index in range(60):
        stamp = f"2026-03-{7 + index % 5:02d}T{(3 * index) % 24:02d}:30:00"
        db.execute("INSERT INTO Runs VALUES (?,?,?,?,?,?)", (index, (10, 11, 20)[index % 3], 7 + index % 2, stamp, 100 + index, index % 7))
    db.commit()
    db.close()
    (folder / "mill.yaml").write_text(MODEL, encoding="utf-8")
    opened = Plant.open(folder / "mill.yaml", str(folder / "mill.db"))
    yield opened
    opened.close()


def ask(plant: Plant, lines: frozenset[str] | None = None) -> Call:
    return Call(Caller("eve", "Eve", "expert", Scope(lines), via="test"), NOW, plant, index=None)  # type: ignore[arg-type]


def raw(plant: Plant, sql: str) -> list[tuple[object, ...]]:
    return sqlite3.connect(plant.database.path).execute(sql).fetchall()


def test_names_of_machines_and_lines_with_number_keys(plant: Plant) -> None:
    assert plant.vocabulary("line")["coating"] == "2"
    assert plant.equipment["20"].line == "2"
    assert plant.name("equipment", "20") == "Coater"


def test_figures_equal_plain_sql(plant: Plant) -> None:
    rows = query_metrics(ask(plant), ["scrap_rate"], by=["line"]).evidence[0].rows
    expected = raw(plant, "SELECT m.CellNo, 1.0 * SUM(Bad) / SUM(Made) FROM Runs JOIN Machines m USING (MachineNo) GROUP BY 1 ORDER BY 1")
    assert [(row["line_id"], row["scrap_rate"]) for row in rows] == [(k, pytest.approx(v)) for k, v in expected]
    assert [row["line"] for row in rows] == ["Rolling", "Coating"]
    one = query_metrics(ask(plant), ["scrap_rate"], {"product": "Foil 12", "equipment": "Stand A"}).evidence[0].rows[0]
    assert one["made"] == raw(plant, "SELECT SUM(Made) FROM Runs WHERE ArticleNo = 7 AND MachineNo = 10")[0][0]
    stops = query_metrics(ask(plant), ["downtime"], by=["reason"], sort="desc").evidence[0].rows
    assert [(row["reason"], row["downtime"]) for row in stops] == [("Nozzle", 2700), ("Strip break", 1800)]


def test_days_are_those_of_the_plants_clock(plant: Plant) -> None:
    rows = query_metrics(ask(plant), ["scrap_rate"], period=MARCH_8, by=["hour"]).evidence[0].rows
    made = raw(plant, "SELECT SUM(Made) FROM Runs WHERE Begin LIKE '2026-03-08%'")[0][0]
    assert sum(int(str(row["made"])) for row in rows) == made
    listed = list_records(ask(plant), "production_orders", period=MARCH_8)
    assert listed.data["total"] == raw(plant, "SELECT COUNT(*) FROM Runs WHERE Begin LIKE '2026-03-08%'")[0][0]
    begin = listed.evidence[0].rows[0]["begin"]
    assert isinstance(begin, datetime)
    assert begin.astimezone(ZONE).date().isoformat() == "2026-03-08"


def test_scope_by_whole_number_lines(plant: Plant) -> None:
    own = query_metrics(ask(plant, frozenset({"2"})), ["scrap_rate"], by=["equipment"])
    assert [row["equipment_id"] for row in own.evidence[0].rows] == [20]
    assert own.status == "partial"
    hidden = list_records(ask(plant, frozenset({"2"})), "production_orders", {"id": "0"})
    assert hidden.status == "no_data"


def test_what_the_plant_does_not_have_is_said(plant: Plant) -> None:
    assert query_metrics(ask(plant), ["oee"]).status == "needs_clarification"
    assert query_metrics(ask(plant), ["scrap_rate"], by=["shift"]).status == "no_data"
    assert query_metrics(ask(plant), ["scrap_rate"], {"shift": "night"}).status == "needs_clarification"
    assert query_metrics(ask(plant), ["scrap_rate"], compare_to="target").status == "no_data"
    assert trace_material(ask(plant), lot="1").status == "no_data"
    assert signal_trend(ask(plant), "temperature").status == "no_data"
    assert find_correlations(ask(plant), "stops").status == "no_data"
    assert list_records(ask(plant), "alarm_events").status == "needs_clarification"
