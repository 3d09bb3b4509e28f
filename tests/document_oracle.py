"""Expected figures of documents, by SQL and arithmetic of their own over the demo plant's raw tables.

Nothing of the product is imported here: every count, group and ratio is written out again from what it means. `EXPECTED`
names, for each kind, what each tile and each table of it must hold; a label that it does not name fails the test.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

NOW = datetime(2026, 6, 17, 7, 0)  # the demo's until in UTC
TODAY = "2026-06-17"

_EQ = "JOIN equipment e ON e.equipment_id = t.equipment_id"
#: record -> (FROM, time column, scope columns)
RECORDS: dict[str, tuple[str, str, dict[str, str]]] = {
    "ncr": ("nonconformances t", "t.opened_at", {"line": "t.line_id", "equipment": "t.equipment_id", "product": "t.product_id", "lot": "t.lot_id"}),
    "capa": ("capas t JOIN nonconformances n ON n.ncr_id = t.ncr_id", "t.opened_at",
             {"line": "n.line_id", "equipment": "n.equipment_id", "product": "n.product_id", "lot": "n.lot_id"}),
    "mo": (f"maintenance_orders t {_EQ}", "t.created_at", {"line": "e.line_id", "equipment": "t.equipment_id"}),
    "log": (f"maintenance_logs t {_EQ}", "t.written_at", {"line": "e.line_id", "equipment": "t.equipment_id"}),
    "used": ("maintenance_parts t JOIN maintenance_orders m ON m.maintenance_order_id = t.maintenance_order_id JOIN equipment e ON e.equipment_id = m.equipment_id",
             "m.created_at", {"line": "e.line_id", "equipment": "m.equipment_id"}),
    "alarm": (f"alarm_events t {_EQ}", "t.raised_at", {"line": "e.line_id", "equipment": "t.equipment_id"}),
    "stop": (f"downtime_events t {_EQ} JOIN downtime_reasons r ON r.reason = t.reason", "t.started_at", {"line": "e.line_id", "equipment": "t.equipment_id"}),
    "quality": (f"quality_results t {_EQ}", "t.measured_at",
                {"line": "e.line_id", "equipment": "t.equipment_id", "product": "t.product_id", "lot": "t.lot_id"}),
    "lot": ("lots t", "t.created_at", {"line": "t.line_id", "product": "t.product_id", "lot": "t.lot_id"}),
    "cert": ("certifications t JOIN people p ON p.person_id = t.person_id", "t.issued_on", {"line": "p.line_id", "shift": "p.shift"}),
    "order": ("production_orders t", "t.planned_start", {"line": "t.line_id", "product": "t.product_id"}),
    "note": ("shift_notes t", "t.written_at", {"line": "t.line_id"}),
    "operation": ("operations t", "t.started_at", {"equipment": "t.equipment_id"}),
    "hour": (f"production_hours t {_EQ} LEFT JOIN counting_points c ON c.equipment_id = t.equipment_id", "t.hour_start",
             {"line": "e.line_id", "equipment": "t.equipment_id", "product": "t.product_id", "order": "t.order_id"}),
    "scrap": (f"scrap_records t {_EQ}", "t.hour_start", {"line": "e.line_id", "equipment": "t.equipment_id", "product": "t.product_id", "lot": "t.lot_id"}),
}  # fmt: skip


def utc(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S")


@dataclass
class Oracle:
    """One scope and period (naive UTC, half open) over the raw database."""

    db: sqlite3.Connection
    scope: dict[str, str]
    start: datetime | None = None
    end: datetime | None = None

    def sql(self, record: str, what: str, where: str = "1=1", dated: bool = True, scope: dict[str, str] | None = None, tail: str = "") -> list[tuple[Any, ...]]:
        source, time, columns = RECORDS[record]
        chosen = self.scope if scope is None else scope
        tests, values = [f"({where})"], []
        for key, value in chosen.items():
            if (record == "lot" and key == "equipment") or (record == "order" and key == "equipment"):
                tests.append("t.order_id IN (SELECT order_id FROM operations WHERE equipment_id = ?)")
            elif (record == "order" and key == "lot") or (record == "operation" and key == "lot") or (record == "hour" and key == "lot"):
                tests.append("t.order_id IN (SELECT order_id FROM lots WHERE lot_id = ?)")
            elif record == "note" and key == "equipment":
                tests.append("t.line_id = (SELECT line_id FROM equipment WHERE equipment_id = ?)")
            else:
                tests.append(f"{columns[key]} = ?")
            values.append(value)
        if dated and self.start is not None and self.end is not None:
            tests.append(f"{time} >= ? AND {time} < ?")
            values += [utc(self.start), utc(self.end)]
        return self.db.execute(f"SELECT {what} FROM {source} WHERE {' AND '.join(tests)} {tail}", values).fetchall()

    def count(self, record: str, where: str = "1=1", dated: bool = True, scope: dict[str, str] | None = None) -> int:
        return int(self.sql(record, "COUNT(*)", where, dated, scope)[0][0])

    def groups(self, record: str, key: str, where: str = "1=1", dated: bool = True, limit: int | None = None, scope: dict[str, str] | None = None) -> dict[Any, Any]:
        rows = self.sql(record, f"{key}, COUNT(*)", where, dated, scope, f"GROUP BY 1 ORDER BY 2 DESC, 1 {f'LIMIT {limit}' if limit else ''}")
        return dict(rows)

    def empty(self, record: str, columns: dict[str, str], dated: bool = True) -> int:
        """How many required values are empty: column -> the column that makes it required ("" for always)."""
        total = 0
        for column, given in columns.items():
            blank = f"({column} IS NULL OR TRIM({column}) = '')"
            need = f"({given} IS NOT NULL AND TRIM({given}) <> '')" if given else "1=1"
            total += self.count(record, f"{blank} AND {need}", dated)
        return total

    # -- metrics: sums over hours, parts counted where they leave the line unless a machine is asked for

    def sums(self, single: bool | None = None, where: str = "1=1", scope: dict[str, str] | None = None, dated: bool = True) -> dict[str, float]:
        chosen = self.scope if scope is None else scope
        alone = "equipment" in chosen if single is None else single
        good = "SUM(t.good)" if alone else "SUM(CASE WHEN c.line_id IS NULL THEN 0 ELSE t.good END)"
        started = "SUM(t.produced)" if alone else "SUM(CASE WHEN c.line_id IS NULL THEN t.scrap ELSE t.good + t.scrap END)"
        names = ("planned", "production", "ideal", "good", "started", "scrap", "rework", "down", "hours")
        row = self.sql(
            "hour", f"SUM(t.planned_busy_s), SUM(t.production_s), SUM(t.ideal_s), {good}, {started}, SUM(t.scrap), SUM(t.rework), SUM(t.down_s), COUNT(*)",
            where, dated, chosen,
        )[0]  # fmt: skip
        return {name: float(value or 0) for name, value in zip(names, row, strict=True)}

    def metric(self, name: str, **chosen: Any) -> float | None:
        s = self.sums(**chosen)
        if not s["hours"]:
            return None
        ratio = {"availability": ("production", "planned"), "performance": ("ideal", "production"), "quality_ratio": ("good", "started")}
        if name in ratio:
            over, under = ratio[name]
            return s[over] / s[under] if s[under] else None
        if name == "oee":
            parts = [self.metric(part, **chosen) for part in ratio]
            return None if any(part is None for part in parts) else parts[0] * parts[1] * parts[2]  # type: ignore[operator]
        if name == "first_pass_yield":
            return (s["good"] - s["rework"]) / s["started"] if s["started"] else None
        if name in ("mtbf", "mttr"):
            failures = self.count("stop", "r.failure = 1", scope=chosen.get("scope"))
            if name == "mtbf":
                return s["production"] / failures if failures else None
            repair = float(self.sql("stop", "SUM(t.duration_s)", "r.failure = 1", True, chosen.get("scope"))[0][0] or 0)
            ended = self.count("stop", "r.failure = 1 AND t.ended_at IS NOT NULL", scope=chosen.get("scope"))
            return repair / ended if ended else None
        return s[{"good_count": "good", "scrap_count": "scrap", "total_count": "started", "downtime": "down"}[name]]


# -- how values are printed, written again


def percent(value: float | None) -> str:
    return "not defined" if value is None else f"{value * 100:.1f} %"


def whole(value: float) -> str:
    return f"{round(value):,}".replace(",", " ")


def lasting(seconds: float | None) -> str:
    if seconds is None:
        return "–"
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60:,} h {minutes % 60:02d} min".replace(",", " ")


_OPEN_NCR = "t.status <> 'closed'"
_OPEN_MO = "t.status IN ('open', 'in_progress', 'waiting_parts')"
_LATE = f"t.due_at < '{utc(NOW)}'"
_SOON = (datetime.fromisoformat(TODAY) + timedelta(days=60)).date().isoformat()
_VALID, _EXPIRED = f"t.expires_on >= '{TODAY}'", f"t.expires_on < '{TODAY}'"
_NCR_NEEDS = {"t.description": "", "t.cause": "t.closed_at", "t.disposition": "t.closed_at", "t.disposition_authority": "t.disposition"}
_CAPA_NEEDS = {"t.root_cause": "", "t.action": "", "t.owner_id": "", "t.due_at": "", "t.effectiveness": "t.closed_at"}

Expectation = Callable[[Oracle], Any]


def _tile(name: str) -> Expectation:
    shape = percent if name in ("oee", "availability", "performance", "quality_ratio", "first_pass_yield") else lasting if name in ("mtbf", "mttr", "downtime") else whole

    def expected(o: Oracle) -> str:
        value = o.metric(name)
        if value is None and not o.sums()["hours"]:
            return "no data"
        return shape(value)  # type: ignore[arg-type]

    return expected


def _by_machine(*names: str) -> Expectation:
    def expected(o: Oracle) -> dict[Any, list[str]]:
        machines = [row[0] for row in o.sql("hour", "DISTINCT t.equipment_id")]
        shapes = {"downtime": lasting, "mtbf": lasting, "mttr": lasting, "good_count": whole, "scrap_count": whole}
        return {machine: [shapes.get(name, percent)(o.metric(name, single=True, scope={**o.scope, "equipment": machine})) for name in names] for machine in machines}  # type: ignore[operator]

    return expected


def _repeats(record: str, column: str) -> Expectation:
    return lambda o: {key: n for key, n in o.groups(record, column, f"{column} IS NOT NULL AND TRIM({column}) <> ''").items() if n > 1}


def _n(record: str, where: str = "1=1", dated: bool = True, limit: int | None = None) -> Expectation:
    return lambda o: min(o.count(record, where, dated), limit or 10**9)


def _g(record: str, key: str, where: str = "1=1", dated: bool = True, limit: int | None = None) -> Expectation:
    return lambda o: o.groups(record, key, where, dated, limit)


TILES: dict[str, dict[str, Expectation]] = {
    "ncr_summary": {"Opened in the period": _n("ncr"), "Of these still open": _n("ncr", _OPEN_NCR), "Of these overdue": _n("ncr", f"{_OPEN_NCR} AND {_LATE}"),
                    "Of these without disposition": _n("ncr", f"{_OPEN_NCR} AND t.disposition IS NULL")},
    "oee_report": {"OEE": _tile("oee"), "Availability": _tile("availability"), "Performance": _tile("performance"), "Quality ratio": _tile("quality_ratio"),
                   "Good parts": _tile("good_count"), "Scrap": _tile("scrap_count"), "Downtime": _tile("downtime")},
    "shift_handover": {"OEE": _tile("oee"), "Good parts": _tile("good_count"), "Scrap": _tile("scrap_count"), "First-pass yield": _tile("first_pass_yield"),
                       "Downtime": _tile("downtime")},
    "maintenance_report": {"Orders created": _n("mo"), "Orders closed": lambda o: _closed(o), "Open now": _n("mo", _OPEN_MO, False),
                           "Overdue now": _n("mo", f"{_OPEN_MO} AND {_LATE}", False), "MTBF": _tile("mtbf"), "MTTR": _tile("mttr"),
                           "Downtime": _tile("downtime"), "Availability": _tile("availability")},
    "batch_record": {"Parts started": lambda o: whole(o.sums(scope=_order(o))["started"]), "Good parts": lambda o: whole(o.sums(scope=_order(o))["good"]),
                     "Scrap": lambda o: whole(o.sums(scope=_order(o))["scrap"]),
                     "Actual yield": lambda o: percent(o.metric("quality_ratio", scope=_order(o))),
                     "First-pass yield": lambda o: percent(o.metric("first_pass_yield", scope=_order(o))),
                     "Of the quantity ordered": lambda o: percent(_attained(o)),
                     "In-process results": _n("quality", dated=False), "Of these out of limits": _n("quality", "t.result = 'fail'", False)},
    "deviation": {"Reports in the period": _n("ncr"), "Of these open": _n("ncr", _OPEN_NCR), "Results out of limits": _n("quality", "t.result = 'fail'"),
                  "Results in all": _n("quality")},
    "capa": {"Reports in the period": _n("ncr"), "Of these open": _n("ncr", _OPEN_NCR), "Of these overdue": _n("ncr", f"{_OPEN_NCR} AND {_LATE}"),
             "Scrap": lambda o: "no data" if "lot" in o.scope and not o.sums()["hours"] else _tile("scrap_count")(o)},
    "training_report": {"Certifications on record": _n("cert", dated=False), "Valid": _n("cert", _VALID, False),
                        "Expiring soon": _n("cert", f"{_VALID} AND t.expires_on < '{_SOON}'", False), "Expired": _n("cert", _EXPIRED, False)},
    "audit_report": {"Nonconformances opened": _n("ncr"), "Nonconformances overdue": _n("ncr", f"{_OPEN_NCR} AND {_LATE}", False),
                     "Actions open": _n("capa", "t.status <> 'closed'", False), "Actions overdue": _n("capa", f"t.status <> 'closed' AND {_LATE}", False),
                     "Certifications expired": _n("cert", _EXPIRED, False), "Maintenance overdue": _n("mo", f"{_OPEN_MO} AND {_LATE}", False),
                     "Quality results": _n("quality"), "Of these out of limits": _n("quality", "t.result = 'fail'")},
}  # fmt: skip


def _closed(o: Oracle) -> int:
    """A period means the day of closing for what is closed."""
    assert o.start is not None
    assert o.end is not None
    return o.count("mo", f"t.status = 'closed' AND t.closed_at >= '{utc(o.start)}' AND t.closed_at < '{utc(o.end)}'", False)


def _order(o: Oracle) -> dict[str, str]:
    return {"order": o.db.execute("SELECT order_id FROM lots WHERE lot_id = ?", (o.scope["lot"],)).fetchone()[0]}


def _attained(o: Oracle) -> float | None:
    good, ordered = o.db.execute("SELECT quantity_good, quantity_ordered FROM production_orders WHERE order_id = ?", (_order(o)["order"],)).fetchone()
    return good / ordered if ordered else None


#: What a table holds: a dict (key -> count or cells) or a number of rows.
TABLES: dict[str, dict[str, Expectation]] = {
    "ncr_summary": {
        "By defect": _g("ncr", "t.defect"), "By product": _g("ncr", "t.product_id"), "By line": _g("ncr", "t.line_id"), "By machine": _g("ncr", "t.equipment_id"),
        "By severity": _g("ncr", "t.severity"), "By disposition": _g("ncr", "t.disposition"), "Causes recorded more than once": _repeats("ncr", "t.cause"),
        "Overdue reports": _n("ncr", f"{_OPEN_NCR} AND {_LATE}"), "Open reports": _n("ncr", _OPEN_NCR), "All reports of the period": _n("ncr"),
        "Descriptions and causes": _n("ncr"), "Corrective and preventive actions": _n("capa"),
    },
    "oee_report": {"By machine, lowest first": _by_machine("oee", "availability", "performance", "quality_ratio", "good_count", "scrap_count"),
                   "Longest stops": _n("stop", limit=15), "Scrap by reason": lambda o: _scrapped(o, 12), "Downtime by reason": lambda o: _downs(o, 12)},
    "shift_handover": {
        "By machine": _by_machine("good_count", "scrap_count", "downtime"), "Stops": _n("stop"), "Alarms standing now": _n("alarm", "t.cleared_at IS NULL", False),
        "Running orders": _n("order", "t.status = 'running'", False), "Orders that are next": _n("order", "t.status = 'released'", False, 8),
        "Open maintenance orders": _n("mo", _OPEN_MO, False), "Nonconformance reports of the shift": _n("ncr"), "Lots on hold": _n("lot", "t.status = 'on_hold'", False),
        "Notes of the shift": _n("note"),
    },
    "maintenance_report": {
        "Reliability by machine": _by_machine("downtime", "mtbf", "mttr"), "Orders by machine": _g("mo", "t.equipment_id"), "Orders by type": _g("mo", "t.type"),
        "Causes recorded more than once": _repeats("mo", "t.cause"), "Overdue orders": _n("mo", f"{_OPEN_MO} AND {_LATE}", False),
        "Orders that wait for parts": _n("mo", "t.status = 'waiting_parts'", False), "Longest stops": _n("stop", limit=15),
        "Spare parts below minimum": lambda o: o.db.execute("SELECT COUNT(*) FROM spare_parts WHERE stock < minimum").fetchone()[0],
        "Parts used most": _g("used", "t.part_id", limit=15), "Downtime by reason": lambda o: _downs(o, 12),
    },
    "batch_record": {
        "Operations": _n("operation", dated=False), "In-process results": _n("quality", dated=False), "Results out of limits": _n("quality", "t.result = 'fail'", False),
        "Components": lambda o: o.db.execute("SELECT COUNT(*) FROM lot_genealogy WHERE child_lot = ?", (o.scope["lot"],)).fetchone()[0],
        "Shipments": lambda o: _shipped(o),
    },
    "deviation": {
        "Downtime by reason": lambda o: _downs(o, 10), "Reports by defect": _g("ncr", "t.defect"), "Lots concerned": _g("ncr", "t.lot_id"), "Results out of limits": _n("quality", "t.result = 'fail'", limit=60), "Causes recorded more than once": _repeats("ncr", "t.cause"),
        "Lots on hold": _n("lot", "t.status = 'on_hold'", False), "Corrective actions on record": _n("capa", dated=False),
    },
    "capa": {
        "Scrap by reason": lambda o: _scrapped(o, 10), "The reports": _n("ncr", limit=40), "Lots on hold": _n("lot", "t.status = 'on_hold'", False), "Causes recorded more than once": _repeats("ncr", "t.cause"),
        "By machine": _g("ncr", "t.equipment_id"), "By supplier": _g("ncr", "t.supplier_id"), "Actions on record": _n("capa", dated=False),
        "Root causes and actions as recorded": _n("capa", dated=False), "Descriptions and causes": _n("ncr", limit=40),
        "Closed without a check of effectiveness": _n("capa", "t.status = 'closed' AND t.effectiveness IS NULL", False),
    },
    "training_report": {
        "Expired": _n("cert", _EXPIRED, False), "Expiring soon": _n("cert", f"{_VALID} AND t.expires_on < '{_SOON}'", False), "Valid certifications": _n("cert", _VALID, False),
        "Valid by certification": _g("cert", "t.certification", _VALID, False), "Valid by role": _g("cert", "p.role", _VALID, False),
        "Valid by line": _g("cert", "p.line_id", _VALID, False), "Expired by certification": _g("cert", "t.certification", _EXPIRED, False),
    },
    "audit_report": {
        "Expired by certification": _g("cert", "t.certification", _EXPIRED, False), "By disposition": _g("ncr", "t.disposition"),
        "Overdue nonconformances": _n("ncr", f"{_OPEN_NCR} AND {_LATE}", False), "Overdue actions": _n("capa", f"t.status <> 'closed' AND {_LATE}", False),
        "Actions closed without a check of effectiveness": _n("capa", "t.status = 'closed' AND t.effectiveness IS NULL", False),
        "Overdue preventive maintenance": _n("mo", f"{_OPEN_MO} AND {_LATE} AND t.type = 'preventive'", False), "Lots on hold": _n("lot", "t.status = 'on_hold'", False, 40),
        "Material past its date": _n("lot", f"t.expires_on < '{TODAY}' AND t.status IN ('in_stock', 'on_hold')", False, 40),
    },
    "troubleshooting_guide": {
        "Raised by machine": lambda o: o.groups("alarm", "t.equipment_id", f"t.code = '{o.scope['alarm']}'", False, scope=_machine(o)),
        "What was tried": lambda o: min(12, o.count("log", f"t.alarm_code = '{o.scope['alarm']}'", False, _machine(o))),
        "Finished repairs": lambda o: min(10, o.count("mo", f"t.alarm_code = '{o.scope['alarm']}' AND t.status = 'closed'", False, _machine(o))),
        "Parts used in these repairs": lambda o: o.groups("used", "t.part_id", f"m.alarm_code = '{o.scope['alarm']}'", False, scope=_machine(o)),
    },
}  # fmt: skip

#: Required values that are empty, by the label of the part.
MISSING: dict[str, dict[str, Expectation]] = {
    "ncr_summary": {"Required values that are empty": lambda o: o.empty("ncr", {**_NCR_NEEDS, "t.opened_by": "", "t.product_id": "", "t.quantity": ""})},
    "deviation": {"Required values that are empty": lambda o: o.empty("ncr", {**_NCR_NEEDS, "t.quantity": "", "t.lot_id": ""})},
    "capa": {"Required values that are empty in the actions on record": lambda o: o.empty("capa", _CAPA_NEEDS, False)},
    "maintenance_report": {"Required values that are empty": lambda o: o.empty(
        "mo", {"t.assigned_to": "t.started_at", "t.cause": "t.closed_at", "t.closing_text": "t.closed_at", "t.labour_min": "t.closed_at"})},
    "batch_record": {"Required values that are empty in its nonconformance reports": lambda o: o.empty("ncr", _NCR_NEEDS, False),
                     "Required values that are empty in its operations": lambda o: o.empty("operation", {"t.equipment_id": "", "t.started_at": "", "t.ended_at": "", "t.operator_id": ""}, False),
                     "Required values that are empty in its results": lambda o: o.empty("quality", {"t.value": "", "t.result": "", "t.inspector_id": ""}, False)},
    "training_report": {"Required values that are empty": lambda o: o.empty("cert", {"t.person_id": "", "t.certification": "", "t.level": "", "t.issued_on": "", "t.expires_on": ""}, False)},
    "audit_report": {"Required values that are empty in nonconformances": lambda o: o.empty("ncr", _NCR_NEEDS), "Required values that are empty in actions": lambda o: o.empty("capa", _CAPA_NEEDS)},
}  # fmt: skip


def _machine(o: Oracle) -> dict[str, str]:
    return {key: value for key, value in o.scope.items() if key == "equipment"}


def _scrapped(o: Oracle, limit: int) -> dict[Any, list[str]]:
    rows = o.sql("scrap", "t.reason, SUM(t.quantity)", tail=f"GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {limit}")
    return {reason: [whole(total)] for reason, total in rows}


def _downs(o: Oracle, limit: int) -> dict[Any, list[str]]:
    """Seconds of each stop within the period, by reason; what has not ended lasts until now."""
    assert o.start is not None
    assert o.end is not None
    totals: dict[str, float] = {}
    for reason, begun, ended in o.sql("stop", "t.reason, t.started_at, t.ended_at", f"t.started_at < '{utc(o.end)}' AND (t.ended_at > '{utc(o.start)}' OR t.ended_at IS NULL)", False):
        first, last = max(datetime.fromisoformat(begun), o.start), min(datetime.fromisoformat(ended) if ended else NOW, o.end)
        totals[reason] = totals.get(reason, 0.0) + max(0.0, (last - first).total_seconds())
    ordered = sorted(totals.items(), key=lambda item: (-item[1], item[0]))[:limit]
    return {reason: [lasting(total)] for reason, total in ordered}


def _shipped(o: Oracle) -> int:
    """Shipments of the lot and of every lot made from it, by a plain walk of the graph."""
    found, ahead = {o.scope["lot"]}, [o.scope["lot"]]
    while ahead:
        marks = ",".join("?" * len(ahead))
        ahead = [row[0] for row in o.db.execute(f"SELECT DISTINCT child_lot FROM lot_genealogy WHERE parent_lot IN ({marks})", ahead) if row[0] not in found]
        found |= set(ahead)
    marks = ",".join("?" * len(found))
    return int(o.db.execute(f"SELECT COUNT(*) FROM shipments WHERE lot_id IN ({marks})", sorted(found)).fetchone()[0])
