"""The plant model file with its faults, the names it gives, and the rights that it turns into scopes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.small_plant import OPERATOR, SUPERVISOR, UNTIL, build
from tools.access import Caller, Scope
from tools.model_file import ModelError, json_schema, parse_model
from tools.plant_model import SHIPPED_MODEL, Plant, read_model
from tools.sql import SqlRefused, Statement

TEXT = SHIPPED_MODEL.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plant]:
    opened = Plant.open(None, str(build(Path(tmp_path_factory.mktemp("plant")) / "mes.sqlite")))
    yield opened
    opened.close()


BROKEN = {
    "unknown key": ("timezone: Europe/Berlin", "timezone: Europe/Berlin\ncolour: blue", "colour"),
    "zone": ("timezone: Europe/Berlin", "timezone: Europe/Berlino", "unknown time zone"),
    "no scope": ("  sites: {key: site_id, scope: shared, columns", "  sites: {key: site_id, columns", "Field required"),
    "bad scope path": ("scope: signal_id.equipment_id.line_id", "scope: signal_id.equipment_id.hall_id", "no declared column hall_id"),
    "link to nothing": ("links: {line_id: lines, equipment_id: counting_points}", "links: {line_id: halls, equipment_id: counting_points}", "unknown table halls"),
    "no link": ("of: assigned_to.name", "of: closed_at.name", "no declared link"),
    "unreadable": ("expression: production_s / planned_busy_s", "expression: production_s / / planned_busy_s", "cannot read the expression"),
    "unknown element": ("expression: scrap / started", "expression: scrap / made", "unknown element made"),
    "select inside": ("expression: energy_kwh / output_good", "expression: (SELECT 1) / output_good", "may hold no SELECT"),
    "shift": ('start: "06:00"', 'start: "6 o clock"', "no time of day"),
    "status": ("stock < minimum", "stok < minimum", "no declared column stok"),
    "secret shown": ("name: author, label: Author, of: author_id.name", "name: author, label: Author, of: author_id.nick", "nick"),
}  # fmt: skip


@pytest.mark.parametrize("case", BROKEN)
def test_each_fault_is_named_with_its_line(case: str) -> None:
    old, new, said = BROKEN[case]
    assert TEXT.count(old) >= 1
    with pytest.raises(ModelError) as caught:
        parse_model(TEXT.replace(old, new, 1), "plant.yaml")
    first = str(caught.value).splitlines()[0]
    assert said in str(caught.value)
    line = int(first.split(":")[1])
    edited = TEXT.replace(old, new, 1).splitlines()
    changed = TEXT[: TEXT.index(old)].count("\n") + 1
    assert 1 <= line <= len(edited)
    assert abs(line - changed) <= 25


def test_yaml_that_is_no_yaml_and_no_mapping() -> None:
    with pytest.raises(ModelError, match=r"plant.yaml:[23]: not valid YAML"):
        parse_model("a: 1\nb: [", "plant.yaml")
    with pytest.raises(ModelError, match="no mapping"):
        parse_model("- 1", "plant.yaml")
    with pytest.raises(ModelError, match="cannot be read"):
        read_model(Path("/nonexistent/plant.yaml"))


def test_the_schema_is_published() -> None:
    schema = json_schema()
    assert {"records", "metrics", "tables"} <= set(schema["properties"])


def test_names_and_aliases(plant: Plant) -> None:
    assert plant.vocabulary("line")["line 3"] == "LINE-3"
    assert plant.vocabulary("shift")["graveyard"] == "night"
    assert plant.vocabulary("equipment")["parts washer 1"] == "WASH-01"
    assert plant.vocabulary("equipment_class")["cnc machines"] == "cnc"
    assert plant.vocabulary("metric")["fpy"] == "first_pass_yield"
    assert plant.vocabulary("record")["work orders"] == "maintenance_orders"
    assert plant.vocabulary("reason")["material jam"] == "jam"
    assert plant.vocabulary("nonsense") == {}
    assert plant.name("equipment", "WASH-01") == "Parts washer 1 (WASH-01)"
    assert plant.name("line", "LINE-3") == "Line 3"
    assert plant.equipment["CNC-01"].area == "MACHINING"
    assert plant.classes["cnc"] == ("CNC-01", "CNC-02")


def test_ids_exist_or_do_not(plant: Plant) -> None:
    assert plant.has("lot", "501")
    assert not plant.has("lot", "9999")
    assert plant.has("order", "PO-101")


def test_data_until_is_the_end_of_the_last_hour(plant: Plant) -> None:
    until = plant.data_until()
    assert until is not None
    assert until == UNTIL


def test_scope_reaches_every_table(plant: Plant) -> None:
    """An operator of Line 3 counts no row of another line in any table that has a path to a line."""
    for name, table in plant.model.tables.items():
        if table.scope in ("shared", "forbidden"):
            continue
        statement = Statement(f"SELECT COUNT(*) AS n FROM {name}")
        every = plant.database.run(statement, plant.grants(SUPERVISOR)).rows[0][0]
        own = plant.database.run(statement, plant.grants(OPERATOR)).rows[0][0]
        none = plant.database.run(statement, plant.grants(Caller("x", "X", "operator", Scope(frozenset()), via="test"))).rows[0][0]
        assert own <= every, name
        assert none == 0 or table.unowned == "visible", name
    machines = "SELECT DISTINCT equipment_id FROM production_hours ORDER BY equipment_id"
    rows = plant.database.run(Statement(machines), plant.grants(OPERATOR)).rows
    assert [row[0] for row in rows] == ["CNC-01", "CNC-02", "WASH-01"]


def test_sensitive_columns_are_masked_by_role(plant: Plant) -> None:
    sql = "SELECT phone, hourly_rate FROM people"
    assert set(plant.database.run(Statement(sql), plant.grants(OPERATOR)).rows) == {(None, None)}
    assert set(plant.database.run(Statement(sql), plant.grants(SUPERVISOR)).rows) == {("1234", None)}


def test_forbidden_tables_do_not_exist(plant: Plant) -> None:
    text = TEXT.replace("  shift_notes:\n    key: note_id\n    scope: line_id", "  shift_notes:\n    key: note_id\n    scope: forbidden")
    model = parse_model(re.sub(r"\n  shift_notes:\n    table: shift_notes\n.*?(?=\n  \w)", "", text, flags=re.DOTALL))
    closed = Plant(model, plant.database, plant.calendar, plant.sites, plant.areas, plant.lines, plant.equipment)
    with pytest.raises(SqlRefused):
        plant.database.run(Statement("SELECT text FROM shift_notes"), closed.grants(SUPERVISOR))
