"""Legitimate analytical queries, as data: at least 99 of 100 must pass the gate and return what the bare engine returns
for the same text, over the demo plant's tables (SQLite, PostgreSQL) and over a foreign schema, labelled questions
included. The bare engine is the oracle."""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from evals.real import folder
from tests.engines import postgres_server, to_postgres
from tests.small_plant import build, furnish
from tools.plant_model import SHIPPED_MODEL, model_grants, read_model
from tools.sql import Database, Grants, SqlRefused, Statement, TableGrant

CASES = Path(__file__).parent / "sql_cases"
DEMO: list[dict[str, Any]] = yaml.safe_load((CASES / "demo.yaml").read_text(encoding="utf-8"))
EBIKE: list[dict[str, Any]] = yaml.safe_load((CASES / "ebike.yaml").read_text(encoding="utf-8"))
ALLOW: list[dict[str, Any]] = yaml.safe_load((CASES / "allow.yaml").read_text(encoding="utf-8"))


def alike(ours: Any, theirs: Any) -> bool:
    if isinstance(ours, list | tuple) and isinstance(theirs, list | tuple):
        return len(ours) == len(theirs) and all(map(alike, ours, theirs))
    if isinstance(ours, float) and isinstance(theirs, float):
        return math.isclose(ours, theirs, rel_tol=1e-9, abs_tol=1e-12)
    return bool(ours == theirs)


def wrong_ones(cases: Sequence[str], database: Database, grants: Grants, bare: Callable[[str], list[Any]]) -> list[str]:
    wrong = []
    for sql in cases:
        try:
            found = database.run(Statement(sql, purpose="free"), grants).rows
        except SqlRefused as refused:
            wrong.append(f"refused: {sql}: {refused.decision.reason}")
            continue
        expected = bare(sql)
        if "order by" not in sql.lower():
            found, expected = sorted(found, key=repr), sorted(expected, key=repr)  # type: ignore[assignment]
        if not alike(list(found), list(expected)):
            wrong.append(f"other rows: {sql}: {str(found)[:200]} instead of {str(expected)[:200]}")
    return wrong


def at_least_99_of_100(wrong: Sequence[str], asked: int) -> None:
    assert len(wrong) <= asked / 100, "\n".join(wrong)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = build(tmp_path_factory.mktemp("small") / "mes.sqlite")
    furnish(path)
    return path


@pytest.fixture(scope="module")
def grants() -> Grants:
    model = read_model(SHIPPED_MODEL)
    return Grants({
        name: TableGrant(name, grant.columns, (*model.tables[name].personal, *model.tables[name].secret))
        for name, grant in model_grants(model).tables.items()
    })  # fmt: skip


def chosen(engine: str) -> list[str]:
    return [case["sql"] for case in DEMO if engine in case.get("engines", ("sqlite", "postgres")) and not case.get("masked")]


def test_there_are_enough_queries() -> None:
    assert len(DEMO) + len(EBIKE) + len(ALLOW) >= 300
    assert len(chosen("sqlite")) >= 100
    assert len({case["sql"] for case in (*DEMO, *EBIKE, *ALLOW)}) == len(DEMO) + len(EBIKE) + len(ALLOW)


def test_queries_on_the_demo_plant(small: Path, grants: Grants) -> None:
    database = Database.open(str(small))
    bare = sqlite3.connect(small)
    asked = chosen("sqlite")
    at_least_99_of_100(wrong_ones(asked, database, grants, lambda sql: bare.execute(sql).fetchall()), len(asked))
    for case in (case for case in DEMO if case.get("masked")):
        hidden = database.run(Statement(case["sql"], purpose="free"), grants)
        assert {row[1:] for row in hidden.rows} == {(None, None)}
    bare.close()
    database.close()


@pytest.fixture(scope="module")
def postgres(small: Path) -> Iterator[tuple[Database, str]]:
    with postgres_server() as server:
        url = to_postgres(small, server, "small", False)
        database = Database.open(url)
        yield database, url
        database.close()


def test_queries_on_the_demo_plant_in_postgres(postgres: tuple[Database, str], grants: Grants) -> None:
    import psycopg

    database, url = postgres
    asked = chosen("postgres")
    assert len(asked) >= 90
    with psycopg.connect(url, autocommit=True) as connection:
        wrong = wrong_ones(asked, database, grants, lambda sql: connection.execute(sql.encode()).fetchall())
    at_least_99_of_100(wrong, len(asked))


def test_queries_on_a_foreign_plant() -> None:
    source = folder() / "ebike-mes" / "mes.db"
    if not source.exists():
        pytest.skip("the real MES is not on this machine")
    database = Database.open(str(source))
    everything = Grants({table: TableGrant(table, tuple(c.name for c in columns)) for table, columns in database.schema().items()})
    bare = sqlite3.connect(f"file:{source}?mode=ro", uri=True)
    labels = [json.loads(line) for line in (folder() / "labels" / "ebike_questions.jsonl").read_text(encoding="utf-8").splitlines() if line]
    asked = [*(case["sql"] for case in EBIKE), *(label["sql"] for label in labels)]
    wrong = wrong_ones(asked, database, everything, lambda sql: bare.execute(sql).fetchall())
    at_least_99_of_100(wrong, len(asked))
    bare.close()
    database.close()
