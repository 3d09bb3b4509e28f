"""Nothing outside a caller's rights reaches an answer. Two plants are built that differ only in what the caller may not
see (other lines' rows, others' certifications, hidden columns); every generated question to every tool, in every role,
must then be answered alike, to the letter: what differs nowhere was not returned, counted, sorted or grouped by, joined
on, nor to be inferred from a refusal, a choice or an error."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.answers_alike import told
from tests.small_plant import MACHINES, NOW, build, furnish
from tools.access import POLICY, ROLES, Caller, Policy, Role, Scope
from tools.correlations import find_correlations
from tools.free_sql import run_sql
from tools.metrics import query_metrics
from tools.plant_model import Plant
from tools.records import list_records
from tools.registry import Call, Period, Result, Tool, run
from tools.signals import signal_trend
from tools.tracing import trace_material

TOOLS = {f.__name__: Tool(f.__name__, f) for f in (query_metrics, list_records, trace_material, signal_trend, find_correlations, run_sql)}
OWN = "LINE-3"
#: Where a row of each table belongs, in SQL of the test's own.
MACHINE_OF = "(SELECT line_id FROM equipment e WHERE e.equipment_id = {0}.equipment_id)"
LINE_OF = {
    "production_hours": MACHINE_OF, "scrap_records": MACHINE_OF, "downtime_events": MACHINE_OF, "alarm_events": MACHINE_OF,
    "maintenance_orders": MACHINE_OF, "maintenance_logs": MACHINE_OF, "quality_results": MACHINE_OF, "operations": MACHINE_OF,
    "signals": MACHINE_OF, "changeovers": "{0}.line_id", "production_orders": "{0}.line_id", "nonconformances": "{0}.line_id",
    "shift_notes": "{0}.line_id",
    "lots": "coalesce({0}.line_id, 'LINE-3')",  # a purchased lot is everybody's
    "signal_samples": "(SELECT e.line_id FROM signals s JOIN equipment e USING (equipment_id) WHERE s.signal_id = {0}.signal_id)",
    "capas": "(SELECT n.line_id FROM nonconformances n WHERE n.ncr_id = {0}.ncr_id)",
    "lot_genealogy": "(SELECT l.line_id FROM lots l WHERE l.lot_id = {0}.child_lot)",
    "serials": "(SELECT o.line_id FROM production_orders o WHERE o.order_id = {0}.order_id)",
    "shipments": "(SELECT l.line_id FROM lots l WHERE l.lot_id = {0}.lot_id)",
    "maintenance_parts": "(SELECT e.line_id FROM maintenance_orders m JOIN equipment e USING (equipment_id) WHERE m.maintenance_order_id = {0}.maintenance_order_id)",
    "certifications": "(SELECT p.line_id FROM people p WHERE p.person_id = {0}.person_id)",
}  # fmt: skip


def disturb(source: Path, target: Path, role: Role) -> Path:
    """A copy in which everything that the caller may not see is otherwise: rows gone, ids, words and numbers changed."""
    with sqlite3.connect(source) as db, sqlite3.connect(target) as copy:
        db.backup(copy)
    db.close()
    copy = sqlite3.connect(target)
    hidden = {}
    for table, of in LINE_OF.items():
        where = f"{of.format(table)} IS NOT '{OWN}'"
        if table == "certifications" and role == "operator":
            where = "person_id <> 'olivia'"
        hidden[table] = [row[0] for row in copy.execute(f"SELECT rowid FROM {table} WHERE {where}")]
    for table, rows in hidden.items():
        columns = copy.execute(f'PRAGMA table_info("{table}")').fetchall()
        # Where a row belongs stays as it is, so that it stays hidden.
        kept = ("equipment_id", "line_id", "person_id", "ncr_id" if table == "capas" else "", "child_lot", "order_id", "lot_id", "signal_id", "maintenance_order_id")  # fmt: skip
        own = {"nonconformances": "ncr_id", "lots": "lot_id", "production_orders": "order_id", "maintenance_orders": "maintenance_order_id"}.get(table)  # fmt: skip
        changed = []
        for _, name, kind, _, _, _ in columns:
            if name in kept or name == own:
                continue
            if kind == "TEXT" and not name.endswith(("_at", "_on", "_start", "_end", "_date")):
                changed.append(f"{name} = 'zz' || {name}")
            elif kind in ("INTEGER", "REAL") and name != "scrap_id":
                changed.append(f"{name} = {name} * 3 + 7")
        for number, rowid in enumerate(rows):
            if number % 3 == 0:
                copy.execute(f"DELETE FROM {table} WHERE rowid = ?", (rowid,))
            elif changed:
                copy.execute(f"UPDATE {table} SET {', '.join(changed)} WHERE rowid = ?", (rowid,))
    copy.execute("UPDATE people SET birth_date = '2001-01-01', hourly_rate = hourly_rate + 13")
    if role != "supervisor":
        copy.execute("UPDATE people SET phone = 'zz' || phone")
    copy.commit()
    copy.close()
    return target


# -- questions that nobody wrote

WORDS = ("LINE-1", "LINE-2", "Line 3", "CNC-01", "ROB-01", "cnc", "robot", "XYZ", "PMP-40", "night", "502", "902", "zz902", "520", "jam", "zzjam",
         "burr", "zzburr", "leak of line-1", "surface finish of line-3", "zzleak of line-1", "olivia", "otto", "lena", "PO-101", "PO-105", "PO-110",
         "P-PO-103", "500", "510", "517", "NCR-0", "NCR-8", "NCR-40", "WO-4", "WO-12", "zzWO-4", "DT-1", "zzDT-1", "AL-7", "S1", "C1", "forklift",
         "leak test", "crane", "high", "low", "open", "closed", "overdue", "running", "corrective", "nothing like it", "LINE-1 bore", "S-PO-104")  # fmt: skip
KEYS = ("site", "area", "line", "equipment", "equipment_class", "product", "variant", "order", "lot", "serial", "shift", "operator", "role", "reason",
        "defect", "alarm", "part", "supplier", "customer", "certification", "id", "type", "status", "priority", "severity", "age_days", "duration_min",
        "quantity")  # fmt: skip
TIMES = ("hour", "day", "week", "month")


#: Words that fit a key, of the caller's lines, of others' and of the disturbed plant's.
FITTING = {
    "line": ("LINE-1", "LINE-2", "Line 3"), "area": ("ASSEMBLY", "MACHINING"), "equipment": tuple(MACHINES), "shift": ("day", "night"),
    "equipment_class": ("cnc", "robot", "washer"), "product": ("XYZ", "XYW", "PMP-40"), "alarm": ("502", "902", "zz902", "520"),
    "reason": ("jam", "burr", "zzburr", "cleaning"), "defect": ("leak of line-1", "surface finish of line-3", "zzleak of line-1", "burr"),
    "operator": ("olivia", "otto", "lena", "max"), "order": ("PO-101", "PO-105", "PO-110", "WO-4"), "severity": ("high", "low", "minor"),
    "lot": ("500", "P-PO-103", "P-PO-110", "BUY-1"), "certification": ("forklift", "crane", "leak test"), "status": ("open", "closed", "overdue"),
    "id": ("NCR-0", "NCR-8", "WO-4", "zzWO-4", "AL-7", "PO-105", "DT-1", "zzDT-1", "C-0", "C-2", "500", "Q-ROB-01-1"),
}  # fmt: skip


def value(rng: random.Random, key: str) -> Any:
    if key in ("age_days", "duration_min", "quantity") and rng.random() < 0.8:
        return {"min": rng.randrange(20)} if rng.random() < 0.5 else {"max": rng.randrange(5, 400)}
    word = rng.choice(FITTING.get(key, WORDS) if rng.random() < 0.8 else WORDS)
    return rng.choice((word, word, word, [word, rng.choice(WORDS)], {"not": word}))


def question(rng: random.Random, plant: Plant) -> tuple[str, dict[str, Any]]:
    days = rng.choice((1, 3, 9, 20))
    end = NOW - timedelta(days=rng.choice((0, 0, 2)))
    said: dict[str, Any] = {}
    if rng.random() < 0.6:
        said["period"] = Period(f"{days} days", end - timedelta(days=days), end)
    tool = rng.choice(
        ("query_metrics", "list_records", "list_records", "list_records", "trace_material", "signal_trend", "find_correlations", "run_sql")
    )
    if tool == "trace_material":
        kind = rng.choice(("lot", "lot", "order", "serial"))
        return tool, {kind: rng.choice((*WORDS, "BUY-1")), "direction": rng.choice(("backward", "forward", "both"))}
    if tool == "signal_trend":
        machine = rng.choice((None, *MACHINES))
        said |= {"signal": rng.choice(("temperature", "pressure", "line-1 pressure", "vibration", "zz"))}
        return tool, said | ({"equipment": machine} if machine else {})
    if tool == "find_correlations":
        said |= {"outcome": rng.choice(("scrap", "alarm 902", "alarm 502", "burr", "leak of line-1", "oee", "jam", "stops", "zz"))}
        return tool, said | ({"equipment": rng.choice(list(MACHINES))} if rng.random() < 0.5 else {})
    if tool == "run_sql":
        return tool, {"sql": free_statement(rng, plant)}
    record = rng.choice(list(plant.model.records))
    likely = (
        (*plant.model.records[record].fields, "line", "equipment", "status")
        if tool == "list_records"
        else ("line", "equipment", "product", "reason")
    )
    keys = KEYS if rng.random() < 0.2 else tuple(dict.fromkeys(likely))
    said["where"] = {key: value(rng, key) for key in rng.sample(keys, min(len(keys), rng.choice((0, 0, 1, 1, 2))))}
    groups = (*(key for key in keys if key not in ("age_days", "duration_min", "quantity")), *rng.sample(TIMES, 2))
    said["by"] = rng.sample(groups, rng.choice((0, 0, 1, 1, 2)))
    said["sort"] = rng.choice((None, "desc", "asc", "time desc", "quantity desc", "operator asc", "name asc"))
    said["limit"] = rng.choice((None, None, 3))
    if tool == "list_records":
        return tool, said | {"records": record}
    metrics = rng.sample(list(plant.model.metrics), rng.choice((1, 1, 2)))
    if rng.random() < 0.3:
        said["compare_to"] = rng.choice(("previous_period", "target", {"line": "LINE-1"}, {"line": "LINE-3"}))
    return tool, said | {"metrics": metrics}


def free_statement(rng: random.Random, plant: Plant) -> str:
    """Free SQL that pries: sorts, counts and computes over columns, and fails on values that it hopes to meet."""
    name = rng.choice(["people", *(n for n, t in plant.model.tables.items() if t.scope != "forbidden")])
    spec = plant.model.tables[name]
    column = rng.choice((*spec.columns, *spec.personal * 4, *spec.secret * 4))
    other = rng.choice(spec.columns)
    return rng.choice((
        f"SELECT COUNT(*) AS n, COUNT(DISTINCT {column}) AS d FROM {name}",
        f"SELECT {other} FROM {name} ORDER BY {column} DESC, {other} LIMIT 3",
        f"SELECT {column}, COUNT(*) AS n FROM {name} GROUP BY {column} ORDER BY n DESC, {column} LIMIT 20",
        f"SELECT MAX({column}) AS a, MIN({column}) AS b FROM {name}",
        f"SELECT COUNT(*) AS n FROM {name} WHERE {column} LIKE 'zz%'",
        f"SELECT COUNT(*) AS n FROM {name} WHERE EXISTS (SELECT 1 FROM people p WHERE p.hourly_rate > 26 AND p.name = 'Lena')",
        f"SELECT SUM(ABS(CASE WHEN {column} LIKE 'zz%' THEN -9223372036854775807 - 1 ELSE 0 END)) AS s FROM {name}",
        f"SELECT a.{other} AS x FROM {name} a LEFT JOIN {name} b ON a.{column} < b.{column} WHERE b.{other} IS NULL ORDER BY 1 LIMIT 5",
        f"SELECT {other}, ROW_NUMBER() OVER (ORDER BY {column} DESC, {other}) AS k FROM {name} ORDER BY k, {other} LIMIT 4",
    ))  # fmt: skip


def answer(plant: Plant, caller: Caller, tool: str, arguments: dict[str, Any], policy: Policy) -> Result:
    call = Call(caller, NOW, plant, index=None, policy=policy, deadline_s=20.0)  # type: ignore[arg-type]
    return run(TOOLS[tool], call, arguments).result


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = build(tmp_path_factory.mktemp("rights") / "mes.sqlite")
    furnish(path)
    return path


@pytest.fixture(scope="module", params=[role for role in ROLES if role != "administrator"])
def pair(request: pytest.FixtureRequest, source: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Role, Plant, Plant]]:
    role: Role = request.param
    other = disturb(source, tmp_path_factory.mktemp("other") / "mes.sqlite", role)
    plants = Plant.open(None, str(source)), Plant.open(None, str(other))
    yield role, *plants
    for plant in plants:
        plant.close()


def compare(role: Role, ours: Plant, other: Plant, rounds: int, seed: int) -> None:
    # Every role with free SQL and, in every other round, leave to rank people: only the scope holds then.
    everything = frozenset(TOOLS)
    policies = (replace(POLICY, tools={role: everything}), replace(POLICY, tools={role: everything}, rank_people=True))
    caller = Caller("olivia", "Olivia", role, Scope(frozenset({OWN})), via="test")
    rng = random.Random(f"{role} {seed}")
    wrong, statuses = [], []
    for number in range(rounds):
        tool, arguments = question(rng, ours)
        mine = answer(ours, caller, tool, arguments, policies[number % 2])
        theirs = answer(other, caller, tool, arguments, policies[number % 2])
        statuses.append(mine.status)
        if told(mine) != told(theirs):
            wrong.append(f"{tool} {arguments}:\n   {told(mine)}\n   {told(theirs)}"[:1500])
    assert not wrong, f"{len(wrong)} of {rounds} answers know of what is hidden:\n" + "\n".join(wrong[:6])
    assert statuses.count("answered") + statuses.count("partial") > rounds / 10


def test_no_answer_depends_on_what_the_caller_may_not_see(pair: tuple[Role, Plant, Plant]) -> None:
    compare(*pair, rounds=60, seed=1)


@pytest.mark.long
def test_no_answer_of_thousands_depends_on_what_the_caller_may_not_see(pair: tuple[Role, Plant, Plant]) -> None:
    compare(*pair, rounds=3_000, seed=2)


def every_column(plant: Plant) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each record by each of its columns: filtered by a word of either side, grouped and sorted."""
    for name, record in plant.model.records.items():
        for key in record.fields:
            for word in FITTING.get(key, WORDS[-4:]):
                yield "list_records", {"records": name, "where": {key: word}}
            yield "list_records", {"records": name, "by": [key]}
            yield "list_records", {"records": name, "sort": f"{key} desc", "limit": 5}
        for column in record.show:
            yield "list_records", {"records": name, "sort": f"{column.name} asc", "limit": 5}
        for status in record.statuses:
            yield "list_records", {"records": name, "where": {"status": status}}
    for metric in plant.model.metrics:
        for key in ("line", "equipment", "product", "reason", "defect", "alarm", "order", "lot", "day"):
            yield "query_metrics", {"metrics": [metric], "by": [key]}
            yield "query_metrics", {"metrics": [metric], "where": {key: FITTING.get(key, ("x",))[0]}, "sort": "desc"}


def test_every_column_of_every_record(pair: tuple[Role, Plant, Plant]) -> None:
    role, ours, other = pair
    step = 6 if role == "operator" else 40  # all of them in the long run
    wrong = differences(role, ours, other, list(every_column(ours))[::step])
    assert not wrong, f"{len(wrong)} answers know of what is hidden:\n" + "\n".join(wrong[:6])


@pytest.mark.long
def test_every_column_of_every_record_in_every_role(pair: tuple[Role, Plant, Plant]) -> None:
    role, ours, other = pair
    assert not differences(role, ours, other, list(every_column(ours)))


def differences(role: Role, ours: Plant, other: Plant, questions: list[tuple[str, dict[str, Any]]]) -> list[str]:
    caller = Caller("olivia", "Olivia", role, Scope(frozenset({OWN})), via="test")
    pairs = ((tool, said, *(told(answer(plant, caller, tool, said, POLICY)) for plant in (ours, other))) for tool, said in questions)
    return [f"{tool} {said}:\n   {mine}\n   {theirs}"[:1500] for tool, said, mine, theirs in pairs if mine != theirs]


# -- what is said instead


@pytest.fixture(scope="module")
def plant(source: Path) -> Iterator[Plant]:
    opened = Plant.open(None, str(source))
    yield opened
    opened.close()


def olivia(plant: Plant, tool: str, **said: Any) -> Result:
    return answer(plant, Caller("olivia", "Olivia", "operator", Scope(frozenset({OWN})), via="test"), tool, said, POLICY)


def test_own_certifications_and_those_of_others(plant: Plant) -> None:
    mine = olivia(plant, "list_records", records="certifications", where={"operator": "olivia"})
    assert mine.status == "answered"
    assert {row["certification"] for row in mine.evidence[0].rows} == {"forklift", "first aid"}
    everybody = olivia(plant, "list_records", records="certifications")
    assert everybody.status == "partial"
    assert everybody.limited_to == "your own certifications"
    assert len(everybody.evidence[0].rows) == 2
    counted = olivia(plant, "list_records", records="certifications", by=["certification"])
    assert (counted.status, [row["count"] for row in counted.evidence[0].rows]) == ("partial", [1, 1])
    expired = olivia(plant, "list_records", records="certifications", where={"certification": "crane"})
    assert expired.status == "no_data"
    assert "your own certifications" in expired.message
    for person in ("otto", ["otto", "lena"], {"not": "olivia"}):
        others = olivia(plant, "list_records", records="certifications", where={"operator": person})
        assert others.status == "not_allowed"
        assert "your own certifications" in others.message
    both = olivia(plant, "list_records", records="certifications", where={"operator": ["olivia", "otto"]})
    assert (both.status, len(both.evidence[0].rows)) == ("partial", 2)
    sam = answer(plant, Caller("sam", "Sam", "supervisor", via="test"), "list_records", {"records": "certifications"}, POLICY)
    assert (sam.status, len(sam.evidence[0].rows)) == ("answered", 4)


def test_ids_outside_answer_like_ids_that_nothing_has(plant: Plant) -> None:
    db = sqlite3.connect(plant.database.path)
    for record, column, table in (
        ("nonconformances", "ncr_id", "nonconformances"), ("production_orders", "order_id", "production_orders"),
        ("maintenance_orders", "maintenance_order_id", "maintenance_orders"), ("lots", "lot_id", "lots"),
    ):  # fmt: skip
        where = f"{LINE_OF[table].format(table)} = 'LINE-1'"
        outside = db.execute(f"SELECT {column} FROM {table} WHERE {where} LIMIT 1").fetchone()[0]
        hidden = olivia(plant, "list_records", records=record, where={"id": outside})
        unknown = olivia(plant, "list_records", records=record, where={"id": "XX-1"})
        assert hidden.status == unknown.status == "no_data"
        assert hidden.message.replace(outside, "XX-1") == unknown.message
    serial, lot = db.execute("SELECT serial_id, lot_id FROM serials JOIN lots USING (lot_id) WHERE line_id = 'LINE-1' LIMIT 1").fetchone()
    for said, word in (("serial", serial), ("lot", lot)):
        hidden = olivia(plant, "trace_material", **{said: word})
        unknown = olivia(plant, "trace_material", **{said: "XX-1"})
        assert (hidden.status, hidden.message.replace(word, "XX-1")) == (unknown.status, unknown.message)
    db.close()


def test_names_of_the_hierarchy_are_known_and_refused(plant: Plant) -> None:
    for where in ({"line": "LINE-1"}, {"equipment": "ROB-01"}, {"equipment_class": "robot"}, {"area": "ASSEMBLY"}):
        for tool, said in (("query_metrics", {"metrics": ["oee"]}), ("list_records", {"records": "alarm_events"})):
            refused = olivia(plant, tool, where=where, **said)
            assert refused.status == "not_allowed", (tool, where)
            assert "outside your lines" in refused.message
    assert olivia(plant, "signal_trend", signal="temperature", equipment="ROB-01").status == "not_allowed"
    assert olivia(plant, "query_metrics", metrics=["oee"], where={"line": ["LINE-1", "LINE-3"]}).status == "partial"


def test_an_administrator_gets_nothing_from_any_tool(plant: Plant) -> None:
    ada = Caller("ada", "Ada", "administrator", via="test")
    rng = random.Random(4)
    for _ in range(60):
        tool, said = question(rng, plant)
        assert answer(plant, ada, tool, said, POLICY).status == "not_allowed"
