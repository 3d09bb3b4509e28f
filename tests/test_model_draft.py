"""Plant models drafted from databases that have nothing in common with the demo: they load, they are safe by default,
and questions asked through them untouched get the numbers of plain SQL."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from assistant.app import Ask
from assistant.foreign import foreign
from evals.foreign import wrong_with
from tests import foreign_plants
from tests.foreign_plants import Asked
from tools.draft_text import iso_sql, own_name, q
from tools.model_draft import draft_model
from tools.model_file import json_schema, parse_model
from tools.plant_model import Plant
from tools.schema_profile import kind_of
from tools.schema_words import label_of, own_words, unit_of, words_of

PLANTS: dict[str, tuple[Callable[[Path], Path], tuple[Asked, ...]]] = {
    "dairy": (foreign_plants.duckdb_file, foreign_plants.DAIRY),
    "historian": (foreign_plants.historian, foreign_plants.HISTORIAN),
    "foundry": (foreign_plants.foundry, foreign_plants.FOUNDRY),
    "bakery": (foreign_plants.bakery, foreign_plants.BAKERY),
    "paper mill": (foreign_plants.paper_mill, foreign_plants.PAPER_MILL),
}


@pytest.fixture(scope="module")
def drafted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, Path]]:
    """Name -> (model file, database)."""
    folder = Path(tmp_path_factory.mktemp("plants"))
    found = {}
    for name, (make, _) in PLANTS.items():
        database = make(folder)
        (folder / f"{name}.yaml").write_text(draft_model(str(database)), encoding="utf-8")
        found[name] = (folder / f"{name}.yaml", database)
    return found


def rows(database: Path, sql: str) -> list[list[Any]]:
    """The plain truth, read by the engine itself."""
    if database.suffix in (".db", ".sqlite"):
        return [list(row) for row in sqlite3.connect(database).execute(sql)]
    import duckdb

    with duckdb.connect(str(database) if database.suffix else ":memory:", read_only=bool(database.suffix)) as db:
        if not database.suffix:
            for file in database.glob("*.csv"):
                db.execute(f"CREATE VIEW {file.stem} AS SELECT * FROM read_csv('{file}')")
        return [[float(v) if type(v).__name__ == "Decimal" else v for v in row] for row in db.execute(sql).fetchall()]


@pytest.mark.parametrize("name", PLANTS)
def test_questions_through_an_untouched_draft_get_the_numbers_of_plain_sql(name: str, drafted: dict[str, tuple[Path, Path]]) -> None:
    model, database = drafted[name]
    assistant = foreign(model, str(database), model_vote="off")
    try:
        wrong = {c.question: w for c in PLANTS[name][1] if (w := wrong_with(assistant.ask(Ask(c.question)), rows(database, c.sql)))}
    finally:
        assistant.close()
    assert not wrong


def test_names_are_read_as_words() -> None:
    expected = {
        "FertAuftragNr": ("production", "order", "number"), "prod_qty": ("produced", "quantity"), "Stillstandsgrund": ("downtime", "reason"),
        "PlannedStartTime": ("planned", "start", "time"), "WorkCenterID": ("line", "id"), "dim_anlage": ("dim", "equipment"), "Prüfergebnis": ("inspection", "result"),
        "Störmeldungen": ("alarm",), "Ausschussmenge": ("scrap", "quantity"), "tblMaschinen": ("machine",), "Re-Order Level": ("reorder", "level"), "xq7": ("xq", "7"),
    }  # fmt: skip
    assert {name: words_of(name) for name in expected} == expected
    assert (label_of("temp_c"), unit_of("temp_c"), own_words("temp_c")) == ("Temperature", "°C", "temp")
    assert (label_of("qtyKg"), unit_of("kg")) == ("Quantity", "")
    assert [q("Order"), q("Machine No"), q("lineId"), own_name("Größe"), own_name("select")] == [
        '"Order"',
        '"Machine No"',
        "lineId",
        "groesse",
        "the_select",
    ]


def test_times_are_recognised_in_every_shape_they_are_kept_in() -> None:
    assert kind_of("TEXT", ["2026-03-01T06:00:00Z"], ("alarm", "time")) == ("time", "%Y-%m-%dT%H:%M:%S", "UTC")
    assert kind_of("TEXT", ["2026-03-01 06:00:00.123456"], ("start",)) == ("time", "%Y-%m-%d %H:%M:%S", "")
    assert kind_of("TEXT", ["28.02.2026 06:00"], ("start",)) == ("time", "%d.%m.%Y %H:%M", "")
    assert kind_of("TEXT", ["02/28/2026"], ("date",)) == ("date", "%m/%d/%Y", "")
    assert kind_of("INTEGER", [1_772_323_200], ("timestamp",)) == ("time", "epoch_s", "UTC")
    assert kind_of("INTEGER", [1_772_323_200_000], ("start",)) == ("time", "epoch_ms", "UTC")
    assert kind_of("INTEGER", [20260301], ("date", "id")) == ("date", "%Y%m%d", "")
    assert kind_of("INTEGER", [20260301], ("quantity",))[0] == "integer"
    assert kind_of("TEXT", ["5.3.2026", "12.11.2026"], ("date",)) == ("text", "", "")  # no part of it stands at a fixed place


@pytest.mark.parametrize("name", PLANTS)
def test_a_draft_is_safe_by_default(name: str, drafted: dict[str, tuple[Path, Path]]) -> None:
    model, database = drafted[name]
    text = model.read_text(encoding="utf-8")
    file = parse_model(text)
    assert file.personal_for == ()
    assert all(metric.certified_by == "nobody yet" for metric in file.metrics.values())
    assert "CHECK: " in text
    opened = Plant.open(model, str(database))
    try:
        shown = {column for grant in opened.system_grants.tables.values() for column in grant.columns}
    finally:
        opened.close()
    assert not shown & {"Phone", "Pay Rate", "telefon", "stundenlohn", "geburtsdatum"}
    for private in ("0171", "555-0", "30.5", "1980-02"):
        assert private not in text  # no value of a masked column stands in the file


def test_masked_columns_and_scopes_are_what_their_names_say(drafted: dict[str, tuple[Path, Path]]) -> None:
    foundry, dairy = (parse_model(drafted[name][0].read_text(encoding="utf-8")) for name in ("foundry", "dairy"))
    assert foundry.tables["Employee Table"].secret == ("Pay Rate",)
    assert foundry.tables["Employee Table"].personal == ("Phone",)
    assert set(dairy.tables["dim_mitarbeiter"].secret) == {"stundenlohn", "geburtsdatum"}
    assert dairy.tables["fakt_stillstand"].scope == "anlage_sk.linie"
    assert dairy.tables["fakt_pruefung"].scope == "site"  # nothing leads from a sample to a line


def test_text_dates_and_key_columns_of_other_shapes_are_put_in_order(drafted: dict[str, tuple[Path, Path]]) -> None:
    foundry, bakery, dairy = (parse_model(drafted[name][0].read_text(encoding="utf-8")) for name in ("foundry", "bakery", "dairy"))
    assert foundry.clock_of("Work Orders").format == "%Y-%m-%d %H:%M"
    assert bakery.clock_of("BatchRun").format == "epoch_ms"
    assert dairy.clock_of("fakt_produktion").format == "%Y-%m-%d"
    assert bakery.tables["BatchRun"].key is None  # two columns make its key
    assert dairy.tables["fakt_produktion"].links["anlage_sk"] == "dim_anlage"  # found by name, proved by values
    assert "RunYield" in bakery.tables  # a view


def test_a_table_of_credentials_is_forbidden_and_reserved_names_are_quoted(tmp_path: Path) -> None:
    db = sqlite3.connect(tmp_path / "odd.db")
    db.executescript(
        'CREATE TABLE login_sessions (id INTEGER PRIMARY KEY, token TEXT); CREATE TABLE "group" ("order" INTEGER PRIMARY KEY, "when" TEXT, "value" REAL);'
        "INSERT INTO login_sessions VALUES (1, 'abc'); INSERT INTO \"group\" VALUES (1, '2026-01-01 00:00:00', 2.5);"
    )
    db.close()
    file = parse_model(draft_model(str(tmp_path / "odd.db")))
    assert file.tables["login_sessions"].scope == "forbidden"
    assert not any(record.table == "login_sessions" for record in file.records.values())
    assert any(record.table == "group" for record in file.records.values())


def test_dates_in_day_order_sort_as_text() -> None:
    from tools.schema_profile import ColumnProfile

    column = ColumnProfile("Opened", "TEXT", "time", ("opened",), "%d.%m.%Y %H:%M")
    db = sqlite3.connect(":memory:")
    db.execute("CREATE TABLE t (Opened TEXT)")
    db.executemany("INSERT INTO t VALUES (?)", [("28.02.2026 06:30",), ("01.03.2026 05:00",)])
    found = [row[0] for row in db.execute(f"SELECT {iso_sql(column)} FROM t ORDER BY 1")]
    assert found == ["2026-02-28 06:30", "2026-03-01 05:00"]


def test_the_shipped_schema_file_is_current() -> None:
    shipped = Path(__file__).parent.parent / "tools" / "plant_model.schema.json"
    assert json.loads(shipped.read_text(encoding="utf-8")) == json_schema(), "run `make schema`"
    assert yaml.safe_load(shipped.with_name("plant_model.yaml").read_text(encoding="utf-8")).keys() <= json_schema()["properties"].keys()
