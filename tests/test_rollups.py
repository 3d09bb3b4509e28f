"""Rollups: every figure that one helps to answer is the figure of the rows, whatever the filter, grouping, period and
cut; and one that is absent, outdated or made by another definition is not used."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.answers_alike import different, told
from tests.engines import native_model, postgres_server, run_sql, to_postgres
from tests.small_plant import NOW, OPERATOR, START, SUPERVISOR, UNTIL, ZONE, build
from tools import rollups
from tools.access import Caller
from tools.metrics import query_metrics
from tools.model_file import ModelError, parse_model
from tools.plant_model import SHIPPED_MODEL, Plant
from tools.readiness import examine
from tools.registry import Call, Period, Result

ROLLUPS = """
rollups:
  hours_of_machines: {record: production_hours, table: andon_hours, keys: [equipment_id, product_id]}
  scrap_by_hour: {record: scrap_records, table: andon_scrap, keys: [equipment_id, product_id, reason]}
  stops_by_hour: {record: downtime_events, table: andon_stops, keys: [equipment_id, reason]}
"""
CUT = datetime(2025, 10, 27, 4, tzinfo=ZONE)  # the clocks went back the day before
METRICS = (
    "oee",
    "first_pass_yield",
    "scrap_rate",
    "scrap_count",
    "energy",
    "downtime",
    "mttr",
    "mtbf",
    "good_count",
    "alarm_count",
    "ncr_count",
)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("plant") / "mes.sqlite")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("model") / "plant.yaml"
    file.write_text(SHIPPED_MODEL.read_text(encoding="utf-8") + ROLLUPS, encoding="utf-8")
    return file


def make(plant: Plant, run: Any, until: datetime = CUT) -> None:
    for name in plant.model.rollups:
        for statement in rollups.creation(plant, name, until):
            run(statement)
    plant._cache.clear()


@pytest.fixture(scope="module")
def pair(path: Path, model: Path) -> Iterator[tuple[Plant, Plant]]:
    """The plant by its rows alone, and with rollups that are complete until the middle of its time."""
    bare, rolled = Plant.open(None, str(path)), Plant.open(model, str(path))
    db = sqlite3.connect(path)
    make(rolled, db.execute)
    db.commit()
    db.close()
    yield bare, rolled
    bare.close()
    rolled.close()


def ask(plant: Plant, caller: Caller = SUPERVISOR, **said: Any) -> Result:
    return query_metrics(Call(caller, NOW, plant, index=None), **said)  # type: ignore[arg-type]


def used(result: Result) -> bool:
    return any(e.query is not None and "andon_" in e.query.sql for e in result.evidence)


def some_question(rng: random.Random) -> dict[str, Any]:
    start = START + timedelta(hours=rng.randrange(0, 300), minutes=rng.choice((0, 0, 0, 0, 20)))
    end = min(UNTIL, start + timedelta(hours=rng.choice((3, 24, 100, 168)), minutes=rng.choice((0, 0, 0, 45))))
    if rng.random() < 0.5:  # whole local days
        start, end = (moment.astimezone(ZONE).replace(hour=0, minute=0, second=0) for moment in (start, end + timedelta(days=1)))
    where: dict[str, Any] = rng.choice((
        {}, {}, {"line": "LINE-3"}, {"equipment": "CNC-01"}, {"product": "XYZ"}, {"equipment_class": "cnc"}, {"shift": "night"}, {"reason": "jam"},
        {"line": "LINE-1", "shift": ["day", "evening"]}, {"operator": "sam"}, {"order": "PO-105"}, {"product": {"not": "XYZ"}}, {"variant": "XYZ-A"},
    ))  # fmt: skip
    by = rng.choice(
        ([], [], ["line"], ["equipment"], ["day"], ["shift"], ["product"], ["reason"], ["day", "line"], ["hour"], ["week"], ["order"])
    )
    metrics = rng.sample(METRICS, rng.choice((1, 1, 2)))
    said: dict[str, Any] = {
        "metrics": metrics,
        "where": where,
        "by": by,
        "period": Period("then", start.astimezone(ZONE), end.astimezone(ZONE)),
    }
    if rng.random() < 0.2:
        said["compare_to"] = rng.choice(("previous_period", {"line": "LINE-2"}))
    return said


def compare(bare: Plant, rolled: Plant, rounds: int, seed: int) -> int:
    rng = random.Random(seed)
    wrong, helped = [], 0
    for _ in range(rounds):
        said, caller = some_question(rng), rng.choice((SUPERVISOR, SUPERVISOR, OPERATOR))
        rows, sums = ask(bare, caller, **said), ask(rolled, caller, **said)
        helped += used(sums)
        assert not used(rows)
        if text := different(told(rows), told(sums)):
            wrong.append(f"{said}: {text}")
    assert not wrong, f"{len(wrong)} of {rounds} differ:\n" + "\n".join(wrong[:8])
    return helped


def test_figures_with_a_rollup_are_those_of_the_rows(pair: tuple[Plant, Plant]) -> None:
    assert compare(*pair, rounds=120, seed=11) > 25


@pytest.mark.long
def test_thousands_of_figures_with_a_rollup_are_those_of_the_rows(pair: tuple[Plant, Plant]) -> None:
    assert compare(*pair, rounds=3_000, seed=12) > 700


@pytest.mark.parametrize("native", [False, True])
def test_the_same_in_postgres(native: bool, path: Path, pair: tuple[Plant, Plant], tmp_path: Path) -> None:
    bare, _ = pair
    with postgres_server() as server:
        copy = tmp_path / "copy.sqlite"
        source, target = sqlite3.connect(path), sqlite3.connect(copy)
        source.backup(target)
        for table in ("andon_hours", "andon_scrap", "andon_stops", "andon_rollups"):
            target.execute(f"DROP TABLE {table}")
        target.commit()
        source.close()
        target.close()
        url = to_postgres(copy, server, "rolled", native)
        file = native_model(tmp_path) if native else SHIPPED_MODEL
        (tmp_path / "rolled.yaml").write_text(file.read_text(encoding="utf-8") + ROLLUPS, encoding="utf-8")
        rolled = Plant.open(tmp_path / "rolled.yaml", url)
        owner = server.url("owner", "rolled")
        make(rolled, lambda statement: run_sql(owner, statement))
        run_sql(owner, "GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader")
        assert compare(bare, rolled, rounds=40, seed=13) > 8
        for name in rolled.model.rollups:
            assert rollups.differences(rolled, name, START, CUT) == 0
            for statement in rollups.renewal(rolled, name, CUT - timedelta(hours=5), CUT + timedelta(hours=20)):
                run_sql(owner, statement)
        rolled._cache.clear()
        assert compare(bare, rolled, rounds=15, seed=14) > 2
        rolled.close()


def test_what_is_complete_and_what_is_not(path: Path, model: Path, tmp_path: Path) -> None:
    copy = tmp_path / "mes.sqlite"
    source, db = sqlite3.connect(path), sqlite3.connect(copy, isolation_level=None)
    source.backup(db)
    source.close()
    for table in ("andon_hours", "andon_scrap", "andon_stops", "andon_rollups"):
        db.execute(f"DROP TABLE IF EXISTS {table}")
    plant = Plant.open(model, str(copy))
    before, after = (Period("p", CUT - timedelta(days=d), CUT - timedelta(days=d - 4)) for d in (8, 1))
    day = {"metrics": ["oee"], "where": {"line": "LINE-3"}}
    assert not used(ask(plant, **day, period=before))  # nobody has made one
    make(plant, db.execute)
    first = ask(plant, **day, period=before)
    assert used(first)
    assert "production_hours" not in first.evidence[0].query.sql  # type: ignore[union-attr]
    both = ask(plant, **day, period=after)
    assert used(both)
    assert "production_hours" in both.evidence[0].query.sql  # type: ignore[union-attr]
    assert not used(ask(plant, **day, period=Period("p", CUT + timedelta(hours=1), CUT + timedelta(hours=9))))
    assert not used(ask(plant, metrics=["oee"], where={"operator": "sam"}, period=before))
    half = Period("p", before.start + timedelta(minutes=30), before.end)
    assert not used(ask(plant, **day, period=half))
    # A row that comes late is missed until the hours are made anew, and is found.
    assert rollups.differences(plant, "hours_of_machines", START, CUT) == 0
    db.execute(
        "INSERT INTO production_hours SELECT equipment_id, hour_start, NULL, product_id, NULL, planned_busy_s, production_s, setup_s, down_s, idle_s, ideal_s, 7, 7, 0, 0, 1.0 FROM production_hours WHERE equipment_id = 'CNC-01' AND produced > 0 AND hour_start < '2025-10-20' LIMIT 1"
    )
    assert rollups.differences(plant, "hours_of_machines", START, CUT) >= 1
    for statement in rollups.renewal(plant, "hours_of_machines", START, CUT):
        db.execute(statement)
    assert rollups.differences(plant, "hours_of_machines", START, CUT) == 0
    # Another formula is another rollup: what was made before no longer answers.
    text = model.read_text(encoding="utf-8").replace("ideal_s: {label: Planned run time of the parts produced, kind: duration_s, sum: {production_hours: ideal_s}}",
                                                     "ideal_s: {label: Planned run time of the parts produced, kind: duration_s, sum: {production_hours: ideal_s * 2}}")  # fmt: skip
    assert "ideal_s * 2" in text
    (tmp_path / "changed.yaml").write_text(text, encoding="utf-8")
    changed = Plant.open(tmp_path / "changed.yaml", str(copy))
    assert not used(ask(changed, **day, period=before))
    for opened in (plant, changed):
        opened.close()
    db.close()


@pytest.mark.parametrize(
    ("rollup", "fault"),
    [
        ("{record: nothing, table: a, keys: [equipment_id]}", "unknown record"),
        ("{record: production_hours, table: people, keys: [equipment_id]}", "a table of the model already"),
        ("{record: production_hours, table: a, keys: [equipment_id, colour]}", "colour is not among the columns"),
        ("{record: production_hours, table: a, keys: [product_id]}", "cannot tell whose line"),
        ("{record: spare_parts, table: a, keys: [part_id]}", "no time of its own"),
        ("{record: maintenance_logs, table: a, keys: [equipment_id]}", "no element is summed"),
    ],
)
def test_wrong_rollups_are_said_with_their_line(rollup: str, fault: str) -> None:
    text = SHIPPED_MODEL.read_text(encoding="utf-8")
    with pytest.raises(ModelError) as caught:
        parse_model(f"{text}\nrollups:\n  one: {rollup}\n", "plant.yaml")
    assert fault in str(caught.value)
    assert int(str(caught.value).split(":")[1]) > text.count("\n")


def test_a_proposal_can_be_run_as_it_stands(path: Path, tmp_path: Path) -> None:
    copy = tmp_path / "mes.sqlite"
    source, db = sqlite3.connect(path), sqlite3.connect(copy, isolation_level=None)
    source.backup(db)
    source.close()
    for table in ("andon_hours", "andon_scrap", "andon_stops", "andon_rollups"):
        db.execute(f"DROP TABLE IF EXISTS {table}")
    plant = Plant.open(None, str(copy))
    assert rollups.proposed(plant, "production_hours", 50_000, CUT) == ()
    first, *statements = rollups.proposed(plant, "production_hours", 9_000_000, CUT)
    lines = "\nrollups:\n  " + first.partition("under rollups: ")[2] + "\n"
    file = tmp_path / "plant.yaml"
    file.write_text(SHIPPED_MODEL.read_text(encoding="utf-8") + lines, encoding="utf-8")
    rolled = Plant.open(file, str(copy))
    before = examine(rolled, file, NOW)  # a rollup that is not made yet is no missing table
    assert before.maps
    assert next(text for text in before.suggestions if "andon_production_hours_by_hour" in text).startswith("CREATE TABLE")
    for statement in statements:
        db.execute(statement)
    rolled._cache.clear()
    assert not [text for text in examine(rolled, file, NOW).suggestions if "andon_production_hours_by_hour" in text]
    week = Period("p", CUT - timedelta(days=8), CUT - timedelta(days=1))
    said = {"metrics": ["oee"], "by": ["line"], "period": week}
    assert used(ask(rolled, **said))
    assert not different(told(ask(plant, **said)), told(ask(rolled, **said)))
    plant.close()
    rolled.close()
    db.close()
