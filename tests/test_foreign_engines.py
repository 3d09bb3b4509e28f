"""The foreign plant of tests/test_foreign_plant.py over PostgreSQL and DuckDB: whole-number keys and mixed case there too,
under a caller's scope as without one."""

from __future__ import annotations

import importlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.answers_alike import different, told
from tests.engines import postgres_server, to_postgres
from tests.test_foreign_plant import MARCH_8, MODEL, ask
from tests.test_foreign_plant import plant as mill  # noqa: F401  (a fixture)
from tools.metrics import query_metrics
from tools.plant_model import Plant
from tools.records import list_records

QUESTIONS: tuple[tuple[Any, tuple[Any, ...], dict[str, Any]], ...] = (
    (query_metrics, (["scrap_rate"],), {"by": ["line"]}),
    (query_metrics, (["scrap_rate"],), {"by": ["equipment"], "sort": "desc"}),
    (query_metrics, (["scrap_rate"], {"product": "Foil 12", "equipment": "Stand A"}), {}),
    (query_metrics, (["downtime"],), {"by": ["reason"], "sort": "desc"}),
    (query_metrics, (["scrap_rate"],), {"period": MARCH_8, "by": ["hour"]}),
    (query_metrics, (["scrap_rate"], {"line": "Coating"}), {"compare_to": {"line": "Rolling"}}),
    (list_records, ("production_orders",), {"period": MARCH_8}),
    (list_records, ("production_orders", {"id": "7"}), {}),
    (list_records, ("production_orders", {"product": "Foil 20"}), {"by": ["equipment"]}),
    (list_records, ("downtime_events",), {"sort": "duration desc"}),
    (list_records, ("downtime_events", {"duration_min": {"min": 40}}), {}),
)


@pytest.fixture(scope="module", params=["postgres", "duckdb"])
def copy(request: pytest.FixtureRequest, mill: Plant, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plant]:  # noqa: F811
    folder = tmp_path_factory.mktemp("copy")
    model = folder / "mill.yaml"
    model.write_text(MODEL, encoding="utf-8")
    source = Path(mill.database.path)
    if request.param == "postgres":
        with postgres_server() as server:
            plant = Plant.open(model, to_postgres(source, server, "mill", False, indexes=False))
            yield plant
            plant.close()
        return
    duckdb = importlib.import_module("duckdb")
    rows = sqlite3.connect(source)
    with duckdb.connect(str(folder / "mill.duckdb")) as target:
        for name, text in rows.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table'").fetchall():
            target.execute(text)
            width = len(rows.execute(f'PRAGMA table_info("{name}")').fetchall())
            target.executemany(f'INSERT INTO "{name}" VALUES ({", ".join("?" * width)})', rows.execute(f'SELECT * FROM "{name}"').fetchall())
    rows.close()
    plant = Plant.open(model, str(folder / "mill.duckdb"))
    yield plant
    plant.close()


@pytest.mark.parametrize("lines", [None, frozenset({"2"}), frozenset({"1", "2"})])
def test_each_answer_is_that_of_sqlite(lines: frozenset[str] | None, copy: Plant, mill: Plant) -> None:  # noqa: F811
    for tool, positional, named in QUESTIONS:
        expected, found = (told(tool(ask(plant, lines), *positional, **named)) for plant in (mill, copy))
        assert not different(expected, found), (tool.__name__, positional, named)
