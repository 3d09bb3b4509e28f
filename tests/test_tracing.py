"""Genealogy against a plain graph search, with splits, merges and a cycle, and within an operator's lines."""

from __future__ import annotations

import random
import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.small_plant import OPERATOR, build, call
from tools.plant_model import Plant
from tools.tracing import trace_material


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = build(Path(tmp_path_factory.mktemp("plant")) / "mes.sqlite")
    db, rng = sqlite3.connect(made), random.Random(5)
    for index in range(12):
        db.execute("INSERT INTO lots VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)", (str(100 + index), "purchased", None, None, None, "S1", None, 50.0,
                   "kg", "2025-10-01 00:00:00", None, "consumed", "B1"))  # fmt: skip
    links = {(str(500 + rng.randrange(24)), str(100 + rng.randrange(12))) for _ in range(50)}
    links |= {(str(500 + child), str(500 + parent)) for child, parent in ((3, 1), (7, 3), (7, 2), (9, 7), (1, 9))}  # 1-3-7-9-1 is a cycle
    for child, parent in sorted(links):
        db.execute("INSERT INTO lot_genealogy VALUES (?,?,NULL,?,?)", (child, parent, 2.5, "2025-10-20 00:00:00"))
    db.execute("INSERT INTO serials VALUES ('XYZ-1', '503', 'PO-103', 'XYZ', '2025-10-20 00:00:00', NULL)")
    for index, lot in enumerate(("503", "507", "511")):
        db.execute("INSERT INTO shipments VALUES (?,?,?,?,?)", (f"S-{index}", lot, "C1", 10.0, "2025-10-30 00:00:00"))
    db.commit()
    db.close()
    return made


@pytest.fixture(scope="module")
def plant(path: Path) -> Iterator[Plant]:
    opened = Plant.open(None, str(path))
    yield opened
    opened.close()


def reachable(path: Path, start: str, backward: bool) -> set[str]:
    near: dict[str, set[str]] = defaultdict(set)
    for child, parent in sqlite3.connect(path).execute("SELECT child_lot, parent_lot FROM lot_genealogy"):
        near[child if backward else parent].add(parent if backward else child)
    seen: set[str] = set()
    stack = [start]
    while stack:
        for other in near[stack.pop()] - seen:
            seen.add(other)
            stack.append(other)
    return seen


@pytest.mark.parametrize("lot", [str(500 + i) for i in range(0, 24, 3)] + ["101", "503"])
def test_both_directions_equal_a_graph_search(plant: Plant, path: Path, lot: str) -> None:
    for direction in ("backward", "forward"):
        result = trace_material(call(plant), lot=lot, direction=direction)
        assert result.status == "answered"
        relation = "went in" if direction == "backward" else "made from it"
        found = {str(row["lot"]) for row in result.evidence[0].rows if row["relation"] == relation}
        assert found == reachable(path, lot, direction == "backward")


def test_each_link_is_shown_once_and_cycles_end(plant: Plant) -> None:
    rows = trace_material(call(plant), lot="503", direction="forward").evidence[0].rows
    links = [(row["lot"], row["of"]) for row in rows if row["generation"]]
    assert len(links) == len(set(links))
    assert rows[0]["relation"] == "traced"
    around = trace_material(call(plant), lot="503", direction="forward").evidence[0]
    assert around.facts["loops"][1] == "503"  # 501-503-507-509-501, said instead of hidden
    assert "loops" not in trace_material(call(plant), lot="101", direction="backward").evidence[0].facts


def test_serials_orders_and_shipments(plant: Plant) -> None:
    serial = trace_material(call(plant), serial="xyz-1", direction="backward")
    assert serial.evidence[0].rows[0]["lot"] == "503"
    order = trace_material(call(plant), order="PO-103", direction="forward")
    assert order.evidence[0].rows[0]["lot"] == "503"
    assert {row["shipment"] for row in order.evidence[1].rows} >= {"S-0", "S-1"}
    assert order.evidence[1].facts["customers"][1] == "Nordwerk"


def test_unknown_and_missing_starts(plant: Plant) -> None:
    assert trace_material(call(plant), lot="777").status == "no_data"
    assert trace_material(call(plant)).status == "needs_clarification"


def test_an_operator_sees_own_lines_and_bought_lots(plant: Plant, path: Path) -> None:
    lines = dict(sqlite3.connect(path).execute("SELECT lot_id, line_id FROM lots"))
    for lot, line in lines.items():
        result = trace_material(call(plant, OPERATOR), lot=lot)
        if line not in (None, "LINE-3"):
            assert (result.status, result.message) == ("no_data", f"There is no lot {lot}.")
            continue
        assert result.status == "partial"
        assert {lines[str(row["lot"])] for row in result.evidence[0].rows} <= {None, "LINE-3"}
        assert all(lines[str(row["lot"])] == "LINE-3" for row in result.evidence[1].rows)
