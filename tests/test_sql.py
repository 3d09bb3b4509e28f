"""The SQL gate: what is allowed returns what the bare engine returns, what is denied is denied by name, and each lock
holds alone."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.sql import Database, Grants, SqlRefused, SqlTimeout, Statement, TableGrant, check

CASES = Path(__file__).parent / "sql_cases"
SHARED = Grants(
    {
        "lines": TableGrant("lines", ("id", "name", "area")),
        "machines": TableGrant("machines", ("id", "line_id", "class", "bought")),
        "counts": TableGrant("counts", ("machine_id", "hour", "good", "scrap", "rework")),
        "stops": TableGrant("stops", ("id", "machine_id", "reason", "minutes", "planned")),
        "parts": TableGrant("parts", ("id", "parent_id", "name")),
    }
)
# Line 3 only; wages exist but are never shown; PINs do not exist.
SCOPED = Grants(
    {
        "lines": TableGrant("lines", ("id", "name"), scope="id IN (:lines)"),
        "machines": TableGrant("machines", ("id", "line_id", "class"), scope="line_id IN (:lines)"),
        "counts": TableGrant(
            "counts",
            ("machine_id", "hour", "good", "scrap"),
            scope="machine_id IN (SELECT id FROM machines WHERE line_id IN (:lines))",
        ),
        "people": TableGrant("people", ("id", "name"), masked=("wage",), scope="line_id IN (:lines)"),
    },
    {"lines": (3,)},
)


@pytest.fixture(scope="module")
def plant_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("plant") / "plant.db"
    connection = sqlite3.connect(path)
    connection.executescript((CASES / "plant.sql").read_text(encoding="utf-8"))
    connection.close()
    return path


@pytest.fixture(scope="module")
def plant(plant_file: Path) -> Iterator[Database]:
    database = Database.open(f"sqlite:///{plant_file}")
    yield database
    database.close()


def test_scope_filters_rows_and_masks_columns(plant: Database) -> None:
    rows = plant.run(Statement("SELECT p.name, p.wage, l.name FROM people p JOIN lines l ON 1 = 1"), SCOPED)
    assert sorted(rows.rows) == [("Bela", None, "Line 3"), ("Cem", None, "Line 3")]
    # 40 + 44 + 30 + 36 pieces on the two machines of Line 3
    assert plant.run(Statement("SELECT SUM(good) FROM counts"), SCOPED).rows == ((150,),)


def test_refusal_is_a_value_with_a_reason(plant: Database) -> None:
    decision = check(Statement("SELECT pin FROM people"), SCOPED)
    assert not decision.allowed
    assert decision.sql == ""
    assert "pin" in decision.reason
    with pytest.raises(SqlRefused) as caught:
        plant.run(Statement("SELECT * FROM stops"), SCOPED)
    assert "stops" in caught.value.decision.reason


def test_cap_is_marked(plant: Database) -> None:
    many = "SELECT a.good FROM counts a, counts b, counts c, counts d"
    answer = plant.run(Statement(many), SHARED)
    assert (len(answer.rows), answer.truncated) == (1_000, True)
    free = plant.run(Statement(many, purpose="free"), SHARED)
    assert (len(free.rows), free.truncated) == (10_000, False)


@pytest.mark.parametrize("purpose", ["answer", "free"])
def test_endless_statement_is_stopped(plant: Database, purpose: str) -> None:
    endless = "WITH RECURSIVE d(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM d) SELECT SUM(n) FROM d"
    with pytest.raises(SqlTimeout):
        plant.run(Statement(endless, purpose=purpose), SHARED, deadline_s=0.2)  # type: ignore[arg-type]
    assert plant.run(Statement("SELECT COUNT(*) FROM lines", purpose=purpose), SHARED).rows == ((3,),)  # type: ignore[arg-type]
