"""The dairy's star schema in a real PostgreSQL: a schema of its own, quoted mixed case, declared keys, zoned times."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from assistant.app import Ask
from assistant.connect import checked
from assistant.foreign import foreign
from evals.foreign import wrong_with
from tests import foreign_plants
from tests.engines import REQUIRE_ALL, postgres_server
from tools.model_draft import draft_model
from tools.model_file import read_model

TABLES = foreign_plants.DAIRY_TABLES.replace("CREATE TABLE ", "CREATE TABLE molkerei.").replace("CREATE VIEW ", "CREATE VIEW molkerei.")
TABLES = TABLES.replace("FROM fakt_produktion", "FROM molkerei.fakt_produktion").replace("TIMESTAMP", "TIMESTAMPTZ")


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    psycopg = pytest.importorskip("psycopg")
    try:
        with postgres_server() as server:
            with psycopg.connect(server.url("owner"), autocommit=True) as db:
                db.execute("CREATE SCHEMA molkerei")
                db.execute("SET timezone = 'UTC'")
                db.execute(TABLES.encode())
                for table, rows in foreign_plants.dairy_rows().items():
                    with db.cursor() as cursor:
                        cursor.executemany(f"INSERT INTO molkerei.{table} VALUES ({', '.join(['%s'] * len(rows[0]))})", rows)
                db.execute('CREATE TABLE "Order Notes" ("Note Id" INTEGER PRIMARY KEY, "Select" TEXT, "When" TIMESTAMPTZ)')
                db.execute("INSERT INTO \"Order Notes\" VALUES (1, 'x', '2026-03-03T10:00Z'), (2, 'y', '2026-03-04T10:00Z')")
                db.execute("GRANT USAGE ON SCHEMA molkerei TO reader")
                db.execute("GRANT SELECT ON ALL TABLES IN SCHEMA molkerei, public TO reader")
            yield server.url("reader")
    except FileNotFoundError:
        if REQUIRE_ALL:
            raise
        pytest.skip("PostgreSQL is not installed (make system)")


def test_a_draft_of_a_postgresql_schema_loads_connects_and_answers(url: str, tmp_path: Path) -> None:
    model = tmp_path / "dairy.yaml"
    model.write_text(draft_model(url), encoding="utf-8")
    file = read_model(model)
    assert file.tables["fakt_stillstand"].table == "molkerei.fakt_stillstand"
    assert "Order Notes" in file.tables
    report = checked(model, url)
    assert report.maps
    assert {t.table: t.rows for t in report.tables}["fakt_produktion"] == 900
    rows = foreign_plants.dairy_rows()
    scrap = sum(row[5] for row in rows["fakt_produktion"])
    longest = max(sum(r[5] for r in rows["fakt_stillstand"] if r[1] == m[0]) for m in rows["dim_anlage"])
    march = [r for r in rows["fakt_produktion"] if r[0] < 20260401]
    rate = 100 * sum(r[5] for r in march) / sum(r[4] + r[5] for r in march)
    stops = sum(1 for r in rows["fakt_stillstand"] if r[3].month == 4)
    cases = {
        "What is the total scrap?": [[scrap]],
        "Which machine had the most downtime?": [[longest]],
        "What was the scrap rate in March 2026?": [[rate]],
        "How many stops were there in April 2026?": [[stops]],
        "How many order notes are there?": [[2]],
        "Good quantity by shift": [[s, sum(r[4] for r in rows["fakt_produktion"] if r[1] == s)] for s in ("Früh", "Spät", "Nacht")],
    }
    assistant = foreign(model, url, model_vote="off")
    try:
        wrong = {q: w for q, expected in cases.items() if (w := wrong_with(assistant.ask(Ask(q)), expected))}
    finally:
        assistant.close()
    assert not wrong
