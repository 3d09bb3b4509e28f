"""Every record, status and filter against SQL written by hand, under the rights of supervisor and operator."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.small_plant import NOW, OPERATOR, SUPERVISOR, ZONE, build, call, period, text
from tools.access import Caller
from tools.plant_model import Plant
from tools.records import list_records, select
from tools.registry import Call, Unanswerable

SINCE = datetime(2025, 10, 2, tzinfo=ZONE)  # thirty days before 1 November, at midnight


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = build(Path(tmp_path_factory.mktemp("plant")) / "mes.sqlite")
    db = sqlite3.connect(made)
    for person, name, expires in (
        ("olivia", "Forklift", "2025-12-01"),
        ("olivia", "Crane", "2025-10-01"),
        ("otto", "Forklift", "2027-01-01"),
    ):
        db.execute("INSERT INTO certifications VALUES (?,?,?,?,?,?)", (f"{person}-{name}", person, name, "basic", "2024-01-01", expires))
    for part, cls, stock, minimum in (("FLT-1", "cnc", 0, 2), ("PMP-1", "cnc", 5, 2), ("GRP-1", "robot", 1, 2)):
        db.execute("INSERT INTO spare_parts VALUES (?,?,?,?,?,?,?,?,?)", (part, f"Part {part}", cls, stock, minimum, "A1", 5, "S1", 9.5))
    db.execute("INSERT INTO maintenance_parts VALUES ('WO-0', 'FLT-1', 1)")
    db.commit()
    db.close()
    return made


@pytest.fixture(scope="module")
def plant(path: Path) -> Iterator[Plant]:
    opened = Plant.open(None, str(path))
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def raw(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path)


def counted(raw: sqlite3.Connection, sql: str, *values: Any) -> int:
    return int(raw.execute(f"SELECT COUNT(*) FROM {sql}", values).fetchone()[0])


NOW_TEXT, SINCE_TEXT = text(NOW), text(SINCE)
LIVE = "('open','in_progress','waiting_parts')"
CASES = [
    ("maintenance_orders", {"status": "open"}, f"maintenance_orders WHERE status IN {LIVE}"),
    ("maintenance_orders", {"status": "overdue"}, f"maintenance_orders WHERE status IN {LIVE} AND due_at < '{NOW_TEXT}'"),
    ("maintenance_orders", {"status": {"not": "closed"}}, "maintenance_orders WHERE status <> 'closed'"),
    ("maintenance_orders", {"status": ["in_progress", "on_hold"]}, "maintenance_orders WHERE status IN ('in_progress','waiting_parts')"),
    ("maintenance_orders", {"status": "closed"}, f"maintenance_orders WHERE status='closed' AND closed_at >= '{SINCE_TEXT}' AND closed_at < '{NOW_TEXT}'"),
    ("maintenance_orders", {"status": "open", "equipment_class": "cnc"}, f"maintenance_orders WHERE status IN {LIVE} AND equipment_id LIKE 'CNC%'"),
    ("maintenance_orders", {"status": "open", "line": {"not": "LINE-3"}}, f"maintenance_orders WHERE status IN {LIVE} AND equipment_id IN ('ROB-01','LEAK-01','FILL-01')"),
    ("maintenance_orders", {"part": "FLT-1"}, "maintenance_orders WHERE maintenance_order_id = 'WO-0' AND 1=0"),
    ("maintenance_orders", {"id": "WO-0"}, "maintenance_orders WHERE maintenance_order_id = 'WO-0'"),
    ("alarm_events", {"alarm": "502"}, f"alarm_events WHERE code='502' AND raised_at >= '{SINCE_TEXT}' AND raised_at < '{NOW_TEXT}'"),
    ("alarm_events", {"status": "active"}, "alarm_events WHERE cleared_at IS NULL"),
    ("alarm_events", {"status": "unacknowledged", "severity": "high"}, "alarm_events WHERE acknowledged_at IS NULL AND severity='high'"),
    ("downtime_events", {"reason": "jam", "duration_min": {"min": 60}}, "downtime_events WHERE reason='jam' AND duration_s >= 3600"),
    ("downtime_events", {"type": "planned"}, "downtime_events d JOIN downtime_reasons r USING (reason) WHERE r.category='planned'"),
    ("nonconformances", {"status": "open", "product": "XYZ"}, "nonconformances WHERE status<>'closed' AND product_id='XYZ'"),
    ("nonconformances", {"status": "awaiting_disposition"}, "nonconformances WHERE status<>'closed' AND disposition IS NULL"),
    ("nonconformances", {"quantity": {"min": 5, "max": 9}}, "nonconformances WHERE quantity BETWEEN 5 AND 9"),
    ("nonconformances", {"defect": "leak", "severity": "major"}, "nonconformances WHERE defect='leak' AND severity='major'"),
    ("production_orders", {"status": "overdue"}, f"production_orders WHERE status NOT IN ('completed','cancelled') AND due_at < '{NOW_TEXT}'"),
    ("production_orders", {"status": "completed", "product": "XYZ"}, "production_orders WHERE status='completed' AND product_id='XYZ'"),
    ("production_orders", {"lot": "501"}, "production_orders WHERE order_id = 'PO-101'"),
    ("lots", {"status": "on_hold"}, "lots WHERE status='on_hold'"),
    ("lots", {"lot": "501"}, "lots WHERE lot_id='501'"),
    ("spare_parts", {"status": "below_minimum"}, "spare_parts WHERE stock < minimum"),
    ("spare_parts", {"equipment": "CNC-01"}, "spare_parts WHERE equipment_class='cnc'"),
    ("certifications", {"status": "expired"}, "certifications WHERE expires_on < '2025-11-01'"),
    ("certifications", {"status": "expiring"}, "certifications WHERE expires_on BETWEEN '2025-11-01' AND '2025-12-30'"),
    ("certifications", {"certification": "forklift"}, "certifications WHERE certification='Forklift'"),
    ("equipment", {"line": "Line 3"}, "equipment WHERE line_id='LINE-3'"),
    ("products", {"line": "LINE-3"}, "products p WHERE EXISTS (SELECT 1 FROM production_orders o WHERE o.product_id=p.product_id AND o.line_id='LINE-3')"),
]  # fmt: skip


@pytest.mark.parametrize(("record", "where", "expected"), CASES, ids=[f"{r}-{i}" for i, (r, _, _) in enumerate(CASES)])
def test_counts_equal_sql_by_hand(plant: Plant, raw: sqlite3.Connection, record: str, where: dict[str, object], expected: str) -> None:
    result = list_records(call(plant), record, where)
    number = counted(raw, expected)
    assert result.data["total"] == number, result.message
    assert result.status == ("answered" if number else "no_data")
    if number:
        assert len(result.evidence[0].rows) == number
        assert result.evidence[0].query is not None
    else:
        assert result.message.startswith(("There are no ", "There were no "))


def test_every_record_and_status_runs_for_every_role(plant: Plant) -> None:
    for name, record in plant.model.records.items():
        if not record.listed:
            continue
        for caller in (SUPERVISOR, OPERATOR):
            every = list_records(call(plant, caller), name)
            assert every.status in ("answered", "no_data", "partial"), name
            for status in record.statuses:
                assert list_records(call(plant, caller), name, {"status": status}).status in ("answered", "no_data", "partial")


def test_rows_of_other_lines_are_not_seen(plant: Plant, raw: sqlite3.Connection) -> None:
    own = list_records(call(plant, OPERATOR), "maintenance_orders", {"status": "open"})
    assert own.limited_to == "Line 3"
    assert {row["equipment"] for row in own.evidence[0].rows} <= {"CNC-01", "CNC-02", "WASH-01"}
    assert own.data["total"] == counted(raw, f"maintenance_orders WHERE status IN {LIVE} AND equipment_id IN ('CNC-01','CNC-02','WASH-01')")
    outside = raw.execute("SELECT maintenance_order_id FROM maintenance_orders WHERE equipment_id='ROB-01'").fetchone()[0]
    hidden = list_records(call(plant, OPERATOR), "maintenance_orders", {"id": outside})
    unknown = list_records(call(plant, OPERATOR), "maintenance_orders", {"id": "WO-99999"})
    assert (hidden.status, hidden.message.replace(outside, "X")) == (unknown.status, unknown.message.replace("WO-99999", "X"))
    asked = list_records(call(plant, OPERATOR), "alarm_events", {"equipment": "ROB-01"})
    assert asked.status == "not_allowed"
    counts = list_records(call(plant, OPERATOR), "alarm_events", by=["line"])
    assert counts.status == "partial"
    assert [row["line_id"] for row in counts.evidence[0].rows] == ["LINE-3"]


def test_an_operator_sees_only_own_certifications(plant: Plant) -> None:
    rows = list_records(call(plant, OPERATOR), "certifications").evidence[0].rows
    assert {row["person"] for row in rows} == {"Olivia"}
    assert len(list_records(call(plant), "certifications").evidence[0].rows) == 3


def test_counting_by_keys_and_time(plant: Plant, raw: sqlite3.Connection) -> None:
    by_line = list_records(call(plant), "alarm_events", by=["alarm"]).evidence[0].rows
    expected = raw.execute(
        "SELECT code, COUNT(*) FROM alarm_events WHERE raised_at >= ? AND raised_at < ? GROUP BY 1 ORDER BY 2 DESC, 1", (SINCE_TEXT, NOW_TEXT)
    ).fetchall()  # fmt: skip
    assert [(row["alarm_id"], row["count"]) for row in by_line] == expected
    days = period(datetime(2025, 10, 25, tzinfo=ZONE), datetime(2025, 10, 28, tzinfo=ZONE))
    rows = list_records(call(plant), "alarm_events", period=days, by=["day"]).evidence[0].rows
    for row in rows:
        begin = datetime.fromisoformat(str(row["day"])).replace(tzinfo=ZONE)
        end = (begin.replace(tzinfo=None) + timedelta(days=1)).replace(tzinfo=ZONE)
        assert row["count"] == counted(raw, "alarm_events WHERE raised_at >= ? AND raised_at < ?", text(begin), text(end))
    assert list_records(call(plant), "maintenance_orders", by=["operator"]).status == "not_allowed"


def test_order_and_limit(plant: Plant, raw: sqlite3.Connection) -> None:
    longest = list_records(call(plant), "downtime_events", sort="duration desc", limit=3)
    expected = raw.execute("SELECT duration_s FROM downtime_events WHERE duration_s IS NOT NULL ORDER BY 1 DESC LIMIT 3").fetchall()
    assert [row["duration"] for row in longest.evidence[0].rows] == [value for (value,) in expected]
    assert longest.data["total"] == counted(raw, "downtime_events")
    last = list_records(call(plant), "nonconformances", limit=1, sort="desc").evidence[0].rows
    assert last[0]["id"] == raw.execute("SELECT ncr_id FROM nonconformances ORDER BY opened_at DESC LIMIT 1").fetchone()[0]
    ranked = list_records(call(plant), "maintenance_orders", {"status": "open"}, sort="priority desc").evidence[0].rows
    priorities = [row["priority"] for row in ranked]
    assert priorities == sorted(priorities, key=["critical", "high", "medium", "low"].index)


def test_words_that_do_not_fit_are_told(plant: Plant) -> None:
    status = list_records(call(plant), "lots", {"status": "sleepy"})
    assert status.status == "needs_clarification"
    assert "on hold" in status.message
    assert list_records(call(plant), "capas", {"alarm": "502"}).status == "no_data"
    unknown = list_records(call(plant), "nonconformances", {"defect": "unicorn"})
    assert unknown.status == "needs_clarification"
    assert list_records(call(plant), "downtime_events", {"reason": "tool"}).status == "answered"  # part of a reason's name


def test_select_for_other_tools(plant: Plant) -> None:
    evidence = select(call(plant), "alarm_events", {"alarm": "502"}, columns=["code", "raised", "equipment"], order="raised asc", limit=2)
    assert [column.name for column in evidence.columns] == ["code", "raised", "equipment"]
    times = [row["raised"] for row in evidence.rows]
    assert times == sorted(times, key=str)
    assert evidence.facts["count"][1] >= 2  # type: ignore[operator]
    with pytest.raises(Unanswerable):
        select(call(plant, OPERATOR), "alarm_events", {"equipment": "ROB-01"})
    with pytest.raises(KeyError):
        select(call(plant), "alarm_events", columns=["colour"])


def test_documents_come_from_the_index(plant: Plant) -> None:
    def info(document: str, kind: str, status: str, cls: str) -> SimpleNamespace:
        return SimpleNamespace(document=document, title=document.title(), revision="C", kind=kind, status=status, effective=None, pages=3,
                               equipment=(), equipment_class=cls, access="plant")  # fmt: skip

    index = SimpleNamespace(documents=lambda on=None: [info("man-cnc", "manual", "effective", "cnc"), info("man-rob", "manual", "effective", "robot"),
                                               info("man-old", "manual", "superseded", "cnc")])  # fmt: skip
    asker = Caller("sam", "Sam", "supervisor", via="test")
    ask = Call(asker, NOW, plant, index)  # type: ignore[arg-type]
    assert [row["id"] for row in list_records(ask, "documents", {"equipment": "CNC-01"}).evidence[0].rows] == ["man-cnc"]
    assert [row["id"] for row in list_records(ask, "documents", {"status": "retired"}).evidence[0].rows] == ["man-old"]
