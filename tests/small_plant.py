"""A small plant with random but consistent rows, for the tests of the data tools: 18 days around the night on which
Berlin's clocks go back (26 October 2025), so that every figure meets a day of 25 hours."""

from __future__ import annotations

import random
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from tools.access import Caller, Scope
from tools.plant_model import Plant
from tools.registry import Call, Period

ZONE = ZoneInfo("Europe/Berlin")
START = datetime(2025, 10, 14, 22, tzinfo=UTC)
UNTIL = datetime(2025, 11, 1, 8, tzinfo=UTC)
NOW = UNTIL.astimezone(ZONE)
SCHEMA = Path(__file__).parent.parent / "ingest" / "demo" / "schema.sql"

LINES = {"LINE-1": ("ASSEMBLY", "Line 1"), "LINE-2": ("PACKAGING", "Line 2"), "LINE-3": ("MACHINING", "Line 3")}
MACHINES = {
    "CNC-01": ("LINE-3", "cnc"), "CNC-02": ("LINE-3", "cnc"), "WASH-01": ("LINE-3", "washer"),
    "ROB-01": ("LINE-1", "robot"), "LEAK-01": ("LINE-1", "leak_tester"), "FILL-01": ("LINE-2", "filler"),
}  # fmt: skip
PRODUCTS = {"LINE-3": ("XYZ", "XYW"), "LINE-1": ("PMP-40",), "LINE-2": ("CL-500",)}
REASONS = {"jam": ("Material jam", "unplanned", 1), "tool_break": ("Tool breakage", "unplanned", 1),
           "cleaning": ("Cleaning", "planned", 0), "blocked": ("Blocked", "unplanned", 0)}  # fmt: skip
SCRAP = ("burr", "porosity", "surface")
SUPERVISOR = Caller("sam", "Sam", "supervisor", via="test")
OPERATOR = Caller("olivia", "Olivia", "operator", Scope(frozenset({"LINE-3"})), via="test")


def text(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def build(path: Path, seed: int = 3) -> Path:
    """Write the database; returns its path."""
    rng = random.Random(seed)
    db = sqlite3.connect(path)
    db.executescript(SCHEMA.read_text(encoding="utf-8"))

    def put(table: str, *values: Any) -> None:
        db.execute(f"INSERT INTO {table} VALUES ({','.join('?' * len(values))})", values)

    put("sites", "BERLIN", "Berlin Works", "Europe/Berlin")
    for area in ("MACHINING", "ASSEMBLY", "PACKAGING"):
        put("areas", area, "BERLIN", area.title())
    for line, (area, name) in LINES.items():
        put("lines", line, area, name)
    for machine, (line, cls) in MACHINES.items():
        name = "Parts washer 1" if machine == "WASH-01" else machine
        put("equipment", machine, line, name, cls, "M", "X", "s1", "1.0", "2020-01-01", "high", "running")
        put("counting_points", line, machine)  # stations side by side: each part passes one of them
    for products in PRODUCTS.values():
        for product in products:
            put("products", product, f"Product {product}", "F", "pcs")
            put("variants", f"{product}-A", product, f"{product} A")
    for reason, (name, category, failure) in REASONS.items():
        put("downtime_reasons", reason, name, category, failure)
    for person, line in (("olivia", "LINE-3"), ("otto", "LINE-3"), ("max", None), ("sam", None)):
        put("people", person, person.title(), "operator", line, "day", "1990-01-01", 25.0, "1234")
    put("customers", "C1", "Nordwerk", "DE")
    put("suppliers", "S1", "Sealco", "DE")
    _orders(rng, put)
    _hours(rng, put)
    _events(rng, put)
    for number, (metric, line, product, target, since) in enumerate((
        ("oee", None, None, 0.6, "2025-01-01"), ("oee", "LINE-3", None, 0.7, "2025-01-01"),
        ("oee", "LINE-3", None, 0.72, "2025-10-01"), ("scrap_rate", "LINE-3", "XYZ", 0.02, "2025-01-01"),
    )):  # fmt: skip
        assert number >= 0
        put("production_targets", metric, line, product, target, since)
    db.commit()
    db.close()
    return path


def _orders(rng: random.Random, put: Any) -> None:
    for index in range(24):
        line = rng.choice(list(LINES))
        product = rng.choice(PRODUCTS[line])
        start = START + timedelta(hours=rng.randrange(0, 400))
        end = start + timedelta(hours=rng.randrange(4, 40))
        ordered = rng.randrange(100, 900)
        status = rng.choice(("planned", "running", "completed", "completed", "on_hold", "cancelled"))
        good = 0 if status == "planned" else rng.randrange(50, 1000)
        put("production_orders", f"PO-{100 + index}", product, f"{product}-A", line, "C1", ordered, good, text(start), text(end),
            text(start), text(end) if status == "completed" else None, text(end + timedelta(hours=rng.randrange(-30, 30))),
            status, rng.choice(("normal", "high")))  # fmt: skip
        put("lots", str(500 + index), "produced", product, None, f"PO-{100 + index}", None, line, float(good), "pcs", text(end),
            None, rng.choice(("in_stock", "shipped", "on_hold")), "A1")  # fmt: skip


def _hours(rng: random.Random, put: Any) -> None:
    hour = START
    scrap_id = 0
    while hour < UNTIL:
        for machine, (line, _) in MACHINES.items():
            local = hour.astimezone(ZONE)
            if line == "LINE-1" and local.day == 22:  # nothing planned on one day
                put("production_hours", machine, text(hour), None, None, None, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0, 0, 0, 0, 0.5)
                continue
            if rng.random() < 0.15:
                continue
            order = f"PO-{100 + rng.randrange(24)}" if rng.random() < 0.9 else None
            product = rng.choice(PRODUCTS[line])
            down, setup, idle = rng.randrange(0, 900), rng.randrange(0, 300), rng.randrange(0, 100)
            busy = rng.choice((3600, 3600, 1800))
            run = busy - min(busy, down + setup + idle)
            produced = rng.randrange(0, 60) if run else 0
            scrapped = min(produced, rng.randrange(0, 4))
            good = produced - scrapped
            put("production_hours", machine, text(hour), order, product, rng.choice(("olivia", "otto")), float(busy), float(run),
                float(setup), float(down), float(idle), produced * 40.0, produced, good, scrapped, min(good, rng.randrange(0, 3)),
                round(rng.uniform(1, 9), 3))  # fmt: skip
            if scrapped:
                scrap_id += 1
                put("scrap_records", scrap_id, machine, text(hour), order, product, None, rng.choice(SCRAP), scrapped)
        hour += timedelta(hours=1)


def _events(rng: random.Random, put: Any) -> None:
    span_s = int((UNTIL - START).total_seconds())
    for index in range(160):
        machine = rng.choice(list(MACHINES))
        line = MACHINES[machine][0]
        begun = START + timedelta(seconds=rng.randrange(0, span_s))
        lasted = rng.randrange(60, 20_000)
        ended = begun + timedelta(seconds=lasted)
        open_ = ended > UNTIL
        put("downtime_events", f"DT-{index}", machine, text(begun), None if open_ else text(ended), None if open_ else float(lasted),
            rng.choice(list(REASONS)), rng.choice(("502", "503", None)), None, "noted")  # fmt: skip
        put("alarm_events", f"AL-{index}", machine, rng.choice(("502", "503", "520")), rng.choice(("low", "high")), "Coolant flow low",
            text(begun), text(ended) if rng.random() < 0.7 else None, text(ended) if rng.random() < 0.8 else None)  # fmt: skip
        if index % 4 == 0:
            put("changeovers", f"CO-{index}", line, machine, None, PRODUCTS[line][0], text(begun), text(ended), float(lasted), 1800.0,
                "otto")  # fmt: skip
            status = rng.choice(("open", "in_progress", "waiting_parts", "closed", "cancelled"))
            put("maintenance_orders", f"WO-{index}", machine, rng.choice(("preventive", "corrective")), rng.choice(("low", "high")),
                status, f"Check {machine}", "look at it", rng.choice(("502", None)), text(begun - timedelta(days=40)),
                text(begun + timedelta(days=rng.randrange(-3, 20))), None, text(begun) if status == "closed" else None,
                rng.choice(("max", None)), 30.0, None, None)  # fmt: skip
            state = rng.choice(("open", "under_review", "closed"))
            put("nonconformances", f"NCR-{index}", PRODUCTS[line][0], str(500 + rng.randrange(24)), None, machine, line, None,
                rng.choice(("leak", "surface finish")), rng.choice(("minor", "major")), rng.randrange(1, 30), "found", None,
                text(begun), "sam", text(begun + timedelta(days=5)), text(ended) if state == "closed" else None, state,
                rng.choice((None, "rework")), None)  # fmt: skip


def furnish(path: Path) -> None:
    """Rows for the tables that the small plant leaves empty, on every line."""
    rng = random.Random(5)
    db = sqlite3.connect(path)

    def put(table: str, *values: Any) -> None:
        db.execute(f"INSERT INTO {table} VALUES ({','.join('?' * len(values))})", values)

    db.execute("INSERT INTO people VALUES ('lena', 'Lena', 'operator', 'LINE-1', 'day', '1991-02-02', 27.5, '99')")
    for number, (person, what) in enumerate((("olivia", "forklift"), ("otto", "crane"), ("lena", "leak test"), ("olivia", "first aid"))):
        put("certifications", f"C-{number}", person, what, "2", "2025-01-01", f"2025-1{number % 3}-15")
    for machine, (line, _) in MACHINES.items():
        for name in ("temperature", f"{line.lower()} pressure"):
            put("signals", f"{machine}.{name}", machine, name, "u", 10.0, 90.0)
            for step in range(0, 600, 5):
                put("signal_samples", f"{machine}.{name}", text(UNTIL - timedelta(minutes=step)), rng.uniform(5, 95))
        for number in range(8):
            at = text(UNTIL - timedelta(hours=rng.randrange(300)))
            put("maintenance_logs", f"L-{machine}-{number}", None, machine, rng.choice(("max", "otto")), at, "502", "looked at it", 20.0)
            put("quality_results", f"Q-{machine}-{number}", None, None, "XYZ", machine, f"{line} bore", rng.uniform(1, 2), "mm", 1.1, 1.9,
                rng.choice(("pass", "fail")), at, "otto")  # fmt: skip
    orders = db.execute("SELECT order_id, line_id, product_id FROM production_orders").fetchall()
    for order, line, product in orders:
        lot = f"P-{order}"
        put("lots", lot, "produced", product, None, order, None, line, 10.0, "pcs", text(UNTIL - timedelta(days=3)), None, "shipped", "A")
        put("serials", f"S-{order}", lot, order, product, text(UNTIL), None)
        put("shipments", f"SH-{order}", lot, "C1", 5.0, text(UNTIL))
        put("shift_notes", f"N-{order}", line, "day", "2025-10-30", "otto", text(UNTIL), f"note about {line}")
    put("lots", "BUY-1", "purchased", None, None, None, "S1", None, 100.0, "kg", text(UNTIL - timedelta(days=9)), None, "in_stock", "B")
    lots = db.execute("SELECT lot_id, line_id FROM lots WHERE kind = 'produced' ORDER BY lot_id").fetchall()
    for lot, line in lots:
        put("lot_genealogy", lot, "BUY-1", None, 1.0, text(UNTIL))
        other = rng.choice([name for name, its in lots if its == line and name != lot])
        db.execute("INSERT OR IGNORE INTO lot_genealogy VALUES (?, ?, NULL, 2.0, ?)", (lot, other, text(UNTIL)))
    for ncr, line in db.execute("SELECT ncr_id, line_id FROM nonconformances").fetchall():
        put("capas", f"CA-{ncr}", ncr, "corrective", f"because of {line}", None, None, "max", text(UNTIL), text(UNTIL), None, "open", None)
    db.execute("UPDATE nonconformances SET defect = defect || ' of ' || lower(line_id)")
    db.execute("UPDATE alarm_events SET code = '9' || substr(code, 2) WHERE equipment_id NOT LIKE 'CNC%' AND equipment_id NOT LIKE 'WASH%'")
    db.commit()
    db.close()


def call(plant: Plant, caller: Caller = SUPERVISOR, now: datetime = NOW) -> Call:
    return Call(caller, now, plant, index=None)  # type: ignore[arg-type]


def period(start: datetime, end: datetime, said: str = "the period") -> Period:
    return Period(said, start.astimezone(ZONE), end.astimezone(ZONE))
