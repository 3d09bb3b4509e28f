"""Databases of plants that have nothing in common with the demo, made by code, and questions about each with plain SQL
for what is right: a dairy's star schema with German names, a bottler's historian exports as CSV, a foundry's old desktop
database with spaces in its names and dates as text, a bakery with camel case and composite keys."""

from __future__ import annotations

import csv
import random
import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

BEGIN = datetime(2026, 3, 2)


@dataclass(frozen=True)
class Asked:
    """A question and the SQL that answers it over the plain database."""

    question: str
    sql: str


DAIRY_TABLES = """
CREATE TABLE dim_anlage (anlage_sk INTEGER PRIMARY KEY, anlage_code VARCHAR, anlage_bez VARCHAR, linie VARCHAR, anlagentyp VARCHAR);
CREATE TABLE dim_artikel (artikel_sk INTEGER PRIMARY KEY, artikelnr VARCHAR, bezeichnung VARCHAR, produktgruppe VARCHAR);
CREATE TABLE dim_grund (grund_sk INTEGER PRIMARY KEY, grund_text VARCHAR, kategorie VARCHAR);
CREATE TABLE dim_mitarbeiter (mitarbeiter_sk INTEGER PRIMARY KEY, vorname VARCHAR, nachname VARCHAR, telefon VARCHAR, stundenlohn DECIMAL(8, 2), geburtsdatum DATE);
CREATE TABLE fakt_produktion (datum_key INTEGER, schicht VARCHAR, anlage_sk INTEGER, artikel_sk INTEGER, gutmenge INTEGER, ausschussmenge INTEGER, laufzeit_min INTEGER, geplante_zeit_min INTEGER, energie_kwh DECIMAL(10, 2));
CREATE TABLE fakt_stillstand (stillstand_id INTEGER PRIMARY KEY, anlage_sk INTEGER, grund_sk INTEGER, beginn TIMESTAMP, ende TIMESTAMP, dauer_min INTEGER);
CREATE TABLE fakt_pruefung (pruef_id INTEGER PRIMARY KEY, chargennr VARCHAR, artikel_sk INTEGER, merkmal VARCHAR, messwert DECIMAL(8, 3), ergebnis VARCHAR, pruefzeit TIMESTAMP);
CREATE VIEW v_produktion_tag AS SELECT datum_key, SUM(gutmenge) AS gutmenge FROM fakt_produktion GROUP BY datum_key;
"""


def dairy_rows() -> dict[str, list[tuple[Any, ...]]]:
    chance = random.Random(11)
    machines = [(i + 1, f"A{100 + i}", name, line, kind) for i, (name, line, kind) in enumerate(
        [("Separator Nord", "Linie Milch", "Separator"), ("Erhitzer 1", "Linie Milch", "Erhitzer"), ("Abfüller Glas", "Linie Joghurt", "Füller"), ("Becherfüller", "Linie Joghurt", "Füller"), ("Käsepresse", "Linie Käse", "Presse")])]  # fmt: skip
    articles = [
        (1, "4711", "Frischmilch 1L", "Milch"),
        (2, "4712", "H-Milch 1L", "Milch"),
        (3, "4801", "Erdbeerjoghurt", "Joghurt"),
        (4, "4901", "Gouda jung", "Käse"),
    ]
    reasons = [
        (1, "Materialmangel", "organisatorisch"),
        (2, "Sensor defekt", "technisch"),
        (3, "CIP-Reinigung", "geplant"),
        (4, "Papierstau", "technisch"),
    ]
    people = [(1, "Anna", "Huber", "0171-111", 21.5, "1980-02-01"), (2, "Jürgen", "Maier", "0171-222", 24.0, "1975-08-30")]
    made, stops, tests = [], [], []
    for day in range(60):
        key = int((BEGIN + timedelta(days=day)).strftime("%Y%m%d"))
        for shift in ("Früh", "Spät", "Nacht"):
            for machine in machines:
                planned = 480
                running = planned - chance.randint(0, 120)
                made.append(
                    (
                        key,
                        shift,
                        machine[0],
                        chance.randint(1, 4),
                        chance.randint(800, 2500),
                        chance.randint(0, 60),
                        running,
                        planned,
                        round(chance.uniform(90, 300), 2),
                    )
                )
    for number in range(400):
        start = BEGIN + timedelta(minutes=chance.randint(0, 60 * 24 * 60))
        minutes = chance.randint(3, 240)
        stops.append((number + 1, chance.randint(1, 5), chance.randint(1, 4), start, start + timedelta(minutes=minutes), minutes))
    for number in range(500):
        tests.append(
            (
                number + 1,
                f"CH{26000 + number // 5}",
                chance.randint(1, 4),
                chance.choice(["Fettgehalt", "pH-Wert", "Temperatur"]),
                round(chance.uniform(1, 9), 3),
                chance.choice(["i.O."] * 8 + ["n.i.O."]),
                BEGIN + timedelta(minutes=120 * number),
            )
        )
    return {
        "dim_anlage": machines,
        "dim_artikel": articles,
        "dim_grund": reasons,
        "dim_mitarbeiter": people,
        "fakt_produktion": made,
        "fakt_stillstand": stops,
        "fakt_pruefung": tests,
    }


DAIRY = (
    Asked("What is the total scrap?", "SELECT SUM(ausschussmenge) FROM fakt_produktion"),
    Asked(
        "Which machine had the most downtime?",
        "SELECT a.anlage_bez, SUM(dauer_min) FROM fakt_stillstand JOIN dim_anlage a USING (anlage_sk) GROUP BY 1 ORDER BY 2 DESC LIMIT 1",
    ),
    Asked(
        "What is the most common downtime reason?",
        "SELECT g.grund_text, COUNT(*) FROM fakt_stillstand JOIN dim_grund g USING (grund_sk) GROUP BY 1 ORDER BY 2 DESC LIMIT 1",
    ),
    Asked("How many stops were there?", "SELECT COUNT(*) FROM fakt_stillstand"),
    Asked("How many failed inspections do we have?", "SELECT COUNT(*) FROM fakt_pruefung WHERE ergebnis = 'n.i.O.'"),
    Asked(
        "Good quantity by article",
        "SELECT a.bezeichnung, SUM(gutmenge) FROM fakt_produktion JOIN dim_artikel a USING (artikel_sk) GROUP BY 1",
    ),
    Asked(
        "Which line produced the most good parts?",
        "SELECT a.linie, SUM(gutmenge) FROM fakt_produktion JOIN dim_anlage a USING (anlage_sk) GROUP BY 1 ORDER BY 2 DESC LIMIT 1",
    ),
    Asked(
        "What is the availability of Becherfüller?",
        "SELECT 100.0 * SUM(laufzeit_min) / SUM(geplante_zeit_min) FROM fakt_produktion WHERE anlage_sk = 4",
    ),
    Asked(
        "Energy consumption by line", "SELECT a.linie, SUM(energie_kwh) FROM fakt_produktion JOIN dim_anlage a USING (anlage_sk) GROUP BY 1"
    ),
    Asked(
        "What was the scrap rate in March 2026?",
        "SELECT 100.0 * SUM(ausschussmenge) / SUM(gutmenge + ausschussmenge) FROM fakt_produktion WHERE datum_key BETWEEN 20260301 AND 20260331",
    ),
    Asked("Downtime due to Papierstau", "SELECT SUM(dauer_min) FROM fakt_stillstand WHERE grund_sk = 4"),
    Asked("Which articles are in the product group Milch?", "SELECT bezeichnung FROM dim_artikel WHERE produktgruppe = 'Milch'"),
)


def duckdb_file(folder: Path, tables: str = DAIRY_TABLES, rows: dict[str, list[tuple[Any, ...]]] | None = None) -> Path:
    import duckdb

    path = folder / "molkerei.duckdb"
    with duckdb.connect(str(path)) as db:
        db.execute(tables)
        for table, values in (rows or dairy_rows()).items():
            db.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(values[0]))})", values)
    return path


def historian(folder: Path) -> Path:
    """Two exports of a bottling line: a wide table of samples by epoch seconds, and alarms with ISO times in UTC."""
    chance = random.Random(5)
    path = folder / "historian"
    path.mkdir()
    start = datetime(2026, 4, 1, tzinfo=UTC)
    with (path / "telemetry.csv").open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        out.writerow(["ts", "line", "machine", "temp_c", "pressure_bar", "good_cnt", "reject_cnt", "power_kwh", "state"])
        for hour in range(24 * 14):
            for machine, line in (("Filler-A", "PET 1"), ("Capper-A", "PET 1"), ("Filler-B", "PET 2")):
                at = int((start + timedelta(hours=hour)).timestamp())
                state = chance.choice(["RUN"] * 6 + ["STOP", "IDLE"])
                out.writerow(
                    [
                        at,
                        line,
                        machine,
                        round(chance.uniform(60, 80), 1),
                        round(chance.uniform(2, 5), 2),
                        chance.randint(500, 900) if state == "RUN" else 0,
                        chance.randint(0, 12),
                        round(chance.uniform(5, 9), 2),
                        state,
                    ]
                )
    with (path / "alarms.csv").open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        out.writerow(["alarm_time", "machine", "alarm_code", "alarm_text", "severity", "ack_time"])
        for number in range(300):
            at = start + timedelta(minutes=60 * number + chance.randint(0, 40))
            code, text = chance.choice([("E11", "Low pressure"), ("E12", "High temperature"), ("E40", "Jam at infeed")])
            ack = (at + timedelta(minutes=5)).strftime("%Y-%m-%dT%H:%M:%SZ") if number % 4 else ""
            out.writerow(
                [
                    at.strftime("%Y-%m-%dT%H:%M:%SZ"),
                    chance.choice(["Filler-A", "Capper-A", "Filler-B"]),
                    code,
                    text,
                    chance.choice(["high", "low"]),
                    ack,
                ]
            )
    return path


HISTORIAN = (
    Asked("How many alarms were there?", "SELECT COUNT(*) FROM alarms"),
    Asked("Which machine had the most alarms?", "SELECT machine, COUNT(*) FROM alarms GROUP BY 1 ORDER BY 2 DESC LIMIT 1"),
    Asked("What is the average temperature of Filler-A?", "SELECT AVG(temp_c) FROM telemetry WHERE machine = 'Filler-A'"),
    Asked("Average pressure by machine", "SELECT machine, AVG(pressure_bar) FROM telemetry GROUP BY 1"),
    Asked(
        "What is the scrap rate of line PET 1?",
        "SELECT 100.0 * SUM(reject_cnt) / SUM(good_cnt + reject_cnt) FROM telemetry WHERE line = 'PET 1'",
    ),
    Asked(
        "How many good parts did we make on 3 April 2026?", "SELECT SUM(good_cnt) FROM telemetry WHERE ts >= 1775174400 AND ts < 1775260800"
    ),
    Asked("Energy by machine", "SELECT machine, SUM(power_kwh) FROM telemetry GROUP BY 1"),
    Asked("How many unacknowledged alarms do we have?", "SELECT COUNT(*) FROM alarms WHERE ack_time IS NULL"),
    Asked("What is the most common alarm?", "SELECT alarm_code, COUNT(*) FROM alarms GROUP BY 1 ORDER BY 2 DESC LIMIT 1"),
    Asked(
        "How many alarms with severity high on Filler-B?", "SELECT COUNT(*) FROM alarms WHERE machine = 'Filler-B' AND severity = 'high'"
    ),
)


def foundry(folder: Path) -> Path:
    """A desktop database: spaces, capitals and signs in names, day-first text dates, no declared foreign keys."""
    chance = random.Random(23)
    path = folder / "foundry.db"
    db = sqlite3.connect(path)
    db.executescript("""
    CREATE TABLE "Machine List" ("Machine No" TEXT PRIMARY KEY, "Machine Name" TEXT, "Dept" TEXT);
    CREATE TABLE "Spare Parts Stock" ("Part #" TEXT PRIMARY KEY, "Description" TEXT, "On Hand" INTEGER, "Re-Order Level" INTEGER, "Unit Cost" REAL, "Bin" TEXT);
    CREATE TABLE "Employee Table" ("Emp ID" INTEGER PRIMARY KEY, "Emp Name" TEXT, "Phone" TEXT, "Pay Rate" REAL);
    CREATE TABLE "Work Orders" ("WO No" INTEGER PRIMARY KEY, "Machine No" TEXT, "Opened" TEXT, "Closed" TEXT, "Status" TEXT, "Priority" TEXT, "Problem" TEXT, "Assigned To" INTEGER, "Labor Hours" REAL);
    CREATE TABLE "Down Time Log" ("Log ID" INTEGER PRIMARY KEY, "Machine No" TEXT, "Start" TEXT, "Stop" TEXT, "Mins Lost" INTEGER, "Reason Code" TEXT, "Group" TEXT);
    CREATE TABLE "Select" ("Order" INTEGER, "From" TEXT);
    """)
    machines = [
        ("M-01", "Moulding Line", "Moulding"),
        ("M-02", "Melt Furnace", "Melting"),
        ("M-03", "Shot Blaster", "Fettling"),
        ("M-04", "Core Shooter", "Moulding"),
    ]
    db.executemany('INSERT INTO "Machine List" VALUES (?,?,?)', machines)
    db.executemany('INSERT INTO "Spare Parts Stock" VALUES (?,?,?,?,?,?)', [(f"P-{100 + i}", name, hand, level, cost, f"B{i}") for i, (name, hand, level, cost) in enumerate(
        [("Blast wheel", 2, 4, 310.0), ("Thermocouple", 30, 10, 22.5), ("Hydraulic hose", 5, 8, 48.0), ("Filter bag", 60, 40, 9.9), ("Drive belt", 0, 2, 75.0)])])  # fmt: skip
    db.executemany(
        'INSERT INTO "Employee Table" VALUES (?,?,?,?)',
        [(1, "Pat Doyle", "555-01", 30.5), (2, "Lee Chan", "555-02", 28.0), (3, "Mo Salah", "555-03", 31.0)],
    )
    for number in range(240):
        opened = datetime(2026, 1, 5) + timedelta(hours=10 * number + chance.randint(0, 9))
        closed = (opened + timedelta(hours=chance.randint(2, 60))).strftime("%d.%m.%Y %H:%M") if number % 5 else None
        status = "Closed" if closed else chance.choice(["Open", "In Progress", "Waiting"])
        db.execute(
            'INSERT INTO "Work Orders" VALUES (?,?,?,?,?,?,?,?,?)',
            (
                number + 1,
                chance.choice(machines)[0],
                opened.strftime("%d.%m.%Y %H:%M"),
                closed,
                status,
                chance.choice(["High", "Medium", "Low"]),
                chance.choice(["Leak", "Noise", "No start"]),
                chance.randint(1, 3),
                round(chance.uniform(0.5, 8), 1),
            ),
        )
        begin = datetime(2026, 1, 5) + timedelta(hours=9 * number + chance.randint(0, 8))
        lost = chance.randint(5, 180)
        db.execute(
            'INSERT INTO "Down Time Log" VALUES (?,?,?,?,?,?,?)',
            (
                number + 1,
                chance.choice(machines)[0],
                begin.strftime("%d.%m.%Y %H:%M"),
                (begin + timedelta(minutes=lost)).strftime("%d.%m.%Y %H:%M"),
                lost,
                chance.choice(["Electrical", "Mechanical", "No sand"]),
                chance.choice(["A", "B"]),
            ),
        )
    db.commit()
    db.close()
    return path


FOUNDRY = (
    Asked("How many work orders are in progress?", "SELECT COUNT(*) FROM \"Work Orders\" WHERE Status = 'In Progress'"),
    Asked(
        "Which machine has the most down time?",
        'SELECT m."Machine Name", SUM("Mins Lost") FROM "Down Time Log" d JOIN "Machine List" m USING ("Machine No") GROUP BY 1 ORDER BY 2 DESC LIMIT 1',
    ),
    Asked(
        "Which spare parts are below their re-order level?",
        'SELECT "Description" FROM "Spare Parts Stock" WHERE "On Hand" < "Re-Order Level"',
    ),
    Asked("What is the most expensive spare part?", 'SELECT "Description", "Unit Cost" FROM "Spare Parts Stock" ORDER BY 2 DESC LIMIT 1'),
    Asked(
        "How many work orders were opened in February 2026?",
        'SELECT COUNT(*) FROM "Work Orders" WHERE substr("Opened", 4, 7) = \'02.2026\'',
    ),
    Asked("Average labor hours per work order", 'SELECT ROUND(AVG("Labor Hours"), 2) FROM "Work Orders"'),
    Asked("Down time by reason code", 'SELECT "Reason Code", SUM("Mins Lost") FROM "Down Time Log" GROUP BY 1'),
    Asked("Which machines are in the Moulding dept?", 'SELECT "Machine Name" FROM "Machine List" WHERE Dept = \'Moulding\''),
    Asked(
        "How many high priority work orders does the Shot Blaster have?",
        "SELECT COUNT(*) FROM \"Work Orders\" WHERE Priority = 'High' AND \"Machine No\" = 'M-03'",
    ),
    Asked("What was the longest stop?", 'SELECT "Log ID", "Mins Lost" FROM "Down Time Log" ORDER BY 2 DESC LIMIT 1'),
    Asked("Work orders by problem", 'SELECT "Problem", COUNT(*) FROM "Work Orders" GROUP BY 1'),
    Asked("Spare parts with a unit cost above 50", 'SELECT "Description" FROM "Spare Parts Stock" WHERE "Unit Cost" > 50'),
)


def bakery(folder: Path) -> Path:
    """Camel case, composite keys, epoch milliseconds, a view, booleans as 0 and 1, ISO dates as text."""
    chance = random.Random(3)
    path = folder / "bakery.sqlite"
    db = sqlite3.connect(path)
    db.executescript("""
    CREATE TABLE ProdLine (LineCode TEXT PRIMARY KEY, LineName TEXT, Hall TEXT);
    CREATE TABLE Oven (OvenId INTEGER PRIMARY KEY, OvenName TEXT, LineCode TEXT REFERENCES ProdLine(LineCode), OvenType TEXT, IsActive INTEGER);
    CREATE TABLE Recipe (RecipeNo TEXT PRIMARY KEY, RecipeName TEXT, Family TEXT);
    CREATE TABLE BatchRun (LineCode TEXT, RunNo INTEGER, RecipeNo TEXT REFERENCES Recipe(RecipeNo), OvenId INTEGER REFERENCES Oven(OvenId), startedMs INTEGER, finishedMs INTEGER, plannedQty INTEGER, goodQty INTEGER, scrapQty INTEGER, runStatus TEXT, PRIMARY KEY (LineCode, RunNo));
    CREATE TABLE Complaint (complaintId INTEGER PRIMARY KEY, recipeNo TEXT, receivedOn TEXT, customerName TEXT, category TEXT, severity TEXT, closedOn TEXT);
    CREATE TABLE IngredientLot (lotNo TEXT PRIMARY KEY, ingredient TEXT, supplierName TEXT, qtyKg REAL, bestBefore TEXT, lotStatus TEXT);
    CREATE VIEW RunYield AS SELECT LineCode, RunNo, 1.0 * goodQty / (goodQty + scrapQty) AS yieldShare FROM BatchRun;
    """)
    db.executemany("INSERT INTO ProdLine VALUES (?,?,?)", [("L1", "Bread", "North"), ("L2", "Rolls", "North"), ("L3", "Cakes", "South")])
    ovens = [
        (1, "Deck oven 1", "L1", "deck", 1),
        (2, "Deck oven 2", "L1", "deck", 0),
        (3, "Tunnel oven", "L2", "tunnel", 1),
        (4, "Rack oven", "L3", "rack", 1),
    ]
    db.executemany("INSERT INTO Oven VALUES (?,?,?,?,?)", ovens)
    recipes = [
        ("R10", "Rye loaf", "bread"),
        ("R11", "White loaf", "bread"),
        ("R20", "Crusty roll", "rolls"),
        ("R30", "Sponge cake", "cake"),
    ]
    db.executemany("INSERT INTO Recipe VALUES (?,?,?)", recipes)
    numbers = {"L1": 0, "L2": 0, "L3": 0}
    for number in range(500):
        oven = chance.choice(ovens)
        numbers[oven[2]] += 1
        start = int((datetime(2026, 2, 1, tzinfo=UTC) + timedelta(hours=3 * number)).timestamp() * 1000)
        planned = chance.randint(200, 900)
        scrap = chance.randint(0, 30)
        db.execute(
            "INSERT INTO BatchRun VALUES (?,?,?,?,?,?,?,?,?,?)",
            (
                oven[2],
                numbers[oven[2]],
                chance.choice(recipes)[0],
                oven[0],
                start,
                start + chance.randint(30, 170) * 60_000,
                planned,
                planned - scrap - chance.randint(0, 20),
                scrap,
                "DONE" if number < 490 else chance.choice(["RUNNING", "PLANNED"]),
            ),
        )
    for number in range(90):
        got = datetime(2026, 2, 1) + timedelta(hours=15 * number)
        db.execute(
            "INSERT INTO Complaint VALUES (?,?,?,?,?,?,?)",
            (
                number + 1,
                chance.choice(recipes)[0],
                got.strftime("%Y-%m-%d"),
                chance.choice(["Metro", "Edeka", "Spar"]),
                chance.choice(["foreign body", "stale", "wrong label"]),
                chance.choice(["minor", "major"]),
                (got + timedelta(days=9)).strftime("%Y-%m-%d") if number % 3 else None,
            ),
        )
    for number in range(40):
        db.execute(
            "INSERT INTO IngredientLot VALUES (?,?,?,?,?,?)",
            (
                f"LOT{number:03}",
                chance.choice(["flour", "butter", "sugar"]),
                chance.choice(["Mill & Co", "Dairy Ltd"]),
                round(chance.uniform(50, 900), 1),
                (datetime(2026, 3, 1) + timedelta(days=4 * number)).strftime("%Y-%m-%d"),
                chance.choice(["released", "blocked"]),
            ),
        )
    db.commit()
    db.close()
    return path


BAKERY = (
    Asked("How many complaints did we receive?", "SELECT COUNT(*) FROM Complaint"),
    Asked(
        "Which recipe has the most complaints?",
        "SELECT r.RecipeName, COUNT(*) FROM Complaint c JOIN Recipe r ON r.RecipeNo = c.recipeNo GROUP BY 1 ORDER BY 2 DESC LIMIT 1",
    ),
    Asked("Complaints by category", "SELECT category, COUNT(*) FROM Complaint GROUP BY 1"),
    Asked("How many major complaints are open?", "SELECT COUNT(*) FROM Complaint WHERE severity = 'major' AND closedOn IS NULL"),
    Asked(
        "What is the scrap rate by line?",
        "SELECT l.LineName, 100.0 * SUM(scrapQty) / SUM(goodQty + scrapQty) FROM BatchRun JOIN ProdLine l USING (LineCode) GROUP BY 1",
    ),
    Asked("Total good quantity of Rye loaf", "SELECT SUM(goodQty) FROM BatchRun WHERE RecipeNo = 'R10'"),
    Asked(
        "Which oven had the highest scrap?",
        "SELECT o.OvenName, SUM(scrapQty) FROM BatchRun JOIN Oven o USING (OvenId) GROUP BY 1 ORDER BY 2 DESC LIMIT 1",
    ),
    Asked("Which ovens are not active?", "SELECT OvenName FROM Oven WHERE IsActive = 0"),
    Asked("How many ingredient lots are blocked?", "SELECT COUNT(*) FROM IngredientLot WHERE lotStatus = 'blocked'"),
    Asked("Total quantity of ingredient lots by ingredient", "SELECT ingredient, SUM(qtyKg) FROM IngredientLot GROUP BY 1"),
    Asked("How many batch runs were done on the Tunnel oven?", "SELECT COUNT(*) FROM BatchRun WHERE OvenId = 3 AND runStatus = 'DONE'"),
    Asked("Which customer complained most often?", "SELECT customerName, COUNT(*) FROM Complaint GROUP BY 1 ORDER BY 2 DESC LIMIT 1"),
)


def paper_mill(folder: Path) -> Path:
    """A paper mill: reels, sheet breaks, requests and steam, with names of its own trade."""
    chance = random.Random(99)
    path = folder / "mill.db"
    db = sqlite3.connect(path)
    db.executescript("""
    CREATE TABLE mill_units(unit_code TEXT PRIMARY KEY, unit_desc TEXT, area_name TEXT);
    CREATE TABLE grade(grade_id INTEGER PRIMARY KEY, grade_name TEXT, basis_weight REAL);
    CREATE TABLE reel_log(reel_no TEXT PRIMARY KEY, unit_code TEXT REFERENCES mill_units(unit_code), grade_id INTEGER REFERENCES grade(grade_id), turnup_time TEXT, weight_t REAL, moisture_pct REAL, quality_status TEXT);
    CREATE TABLE sheet_breaks(break_id INTEGER PRIMARY KEY, unit_code TEXT, break_start TEXT, break_end TEXT, cause TEXT, shift TEXT);
    CREATE TABLE maint_requests(req_id INTEGER PRIMARY KEY, unit_code TEXT, requested_at TEXT, completed_at TEXT, urgency TEXT, request_status TEXT, description TEXT);
    CREATE TABLE steam_usage(usage_date TEXT, unit_code TEXT, steam_t REAL, energy_kwh REAL, PRIMARY KEY(usage_date,unit_code));
    CREATE TABLE training_records(rec_id INTEGER PRIMARY KEY, employee_name TEXT, course TEXT, completed_on TEXT, expires_on TEXT);
    """)
    units = [("PM1", "Paper Machine 1", "Machine Hall"), ("PM2", "Paper Machine 2", "Machine Hall"), ("WD1", "Winder 1", "Finishing")]
    db.executemany("INSERT INTO mill_units VALUES (?,?,?)", units)
    db.executemany("INSERT INTO grade VALUES (?,?,?)", [(1, "Kraft 80", 80.0), (2, "Fluting 120", 120.0), (3, "Liner 140", 140.0)])
    start, stamp = datetime(2026, 1, 1), "%Y-%m-%d %H:%M:%S"
    for i in range(400):
        at = (start + timedelta(hours=4 * i)).strftime(stamp)
        db.execute(
            "INSERT INTO reel_log VALUES (?,?,?,?,?,?,?)",
            (
                f"R{i:05}",
                chance.choice(["PM1", "PM2"]),
                chance.randint(1, 3),
                at,
                round(chance.uniform(18, 42), 2),
                round(chance.uniform(5, 9), 2),
                chance.choice(["OK", "OK", "OK", "Hold", "Reject"]),
            ),
        )
    for i in range(250):
        begun = start + timedelta(hours=6 * i)
        ended = begun + timedelta(minutes=chance.randint(5, 90))
        db.execute(
            "INSERT INTO sheet_breaks VALUES (?,?,?,?,?,?)",
            (
                i + 1,
                chance.choice(["PM1", "PM2"]),
                begun.strftime(stamp),
                ended.strftime(stamp),
                chance.choice(["Wet end", "Dryer felt", "Edge cut"]),
                chance.choice("ABCD"),
            ),
        )
    for i in range(120):
        asked, done = start + timedelta(hours=13 * i), i % 4
        closed = (asked + timedelta(hours=30)).strftime(stamp) if done else None
        db.execute(
            "INSERT INTO maint_requests VALUES (?,?,?,?,?,?,?)",
            (
                i + 1,
                chance.choice(units)[0],
                asked.strftime(stamp),
                closed,
                chance.choice(["low", "medium", "high"]),
                "completed" if done else chance.choice(["open", "in progress"]),
                chance.choice(["pump leak", "bearing noise"]),
            ),
        )
    for i in range(60):
        for unit in units:
            db.execute(
                "INSERT INTO steam_usage VALUES (?,?,?,?)",
                (
                    (start + timedelta(days=i)).strftime("%Y-%m-%d"),
                    unit[0],
                    round(chance.uniform(100, 300), 1),
                    round(chance.uniform(900, 2500), 1),
                ),
            )
    for i in range(40):
        until = (start + timedelta(days=20 * i)).strftime("%Y-%m-%d")
        db.execute(
            "INSERT INTO training_records VALUES (?,?,?,?,?)",
            (i + 1, chance.choice(["Ida", "Tom", "Eva"]), chance.choice(["Crane", "Forklift", "Lockout"]), "2025-06-01", until),
        )
    db.commit()
    db.close()
    return path


PAPER_MILL = (
    Asked("How many reels were rejected?", "SELECT COUNT(*) FROM reel_log WHERE quality_status='Reject'"),
    Asked("Total reel weight by grade", "SELECT grade_name,SUM(weight_t) FROM reel_log JOIN grade USING(grade_id) GROUP BY 1"),
    Asked("Average moisture of Kraft 80", "SELECT AVG(moisture_pct) FROM reel_log WHERE grade_id=1"),
    Asked(
        "Which unit had the most sheet breaks?",
        "SELECT unit_desc,COUNT(*) FROM sheet_breaks JOIN mill_units USING(unit_code) GROUP BY 1 ORDER BY 2 DESC LIMIT 1",
    ),
    Asked("What is the most common cause of sheet breaks?", "SELECT cause,COUNT(*) FROM sheet_breaks GROUP BY 1 ORDER BY 2 DESC LIMIT 1"),
    Asked("Sheet breaks by shift", "SELECT shift,COUNT(*) FROM sheet_breaks GROUP BY 1"),
    Asked("How many maintenance requests are open?", "SELECT COUNT(*) FROM maint_requests WHERE request_status='open'"),
    Asked(
        "How many high urgency requests are there for Winder 1?",
        "SELECT COUNT(*) FROM maint_requests WHERE urgency='high' AND unit_code='WD1'",
    ),
    Asked("Energy consumption by unit", "SELECT unit_desc,SUM(energy_kwh) FROM steam_usage JOIN mill_units USING(unit_code) GROUP BY 1"),
    Asked("Total steam usage in January 2026", "SELECT SUM(steam_t) FROM steam_usage WHERE usage_date<'2026-02-01'"),
    Asked(
        "How many sheet breaks did Paper Machine 2 have in February 2026?",
        "SELECT COUNT(*) FROM sheet_breaks WHERE unit_code='PM2' AND break_start>='2026-02-01' AND break_start<'2026-03-01'",
    ),
    Asked("Which reel is the heaviest?", "SELECT reel_no,weight_t FROM reel_log ORDER BY 2 DESC LIMIT 1"),
    Asked("Reels with moisture above 8.9", "SELECT reel_no FROM reel_log WHERE moisture_pct>8.9"),
    Asked("How many training records are there for the Crane course?", "SELECT COUNT(*) FROM training_records WHERE course='Crane'"),
    Asked(
        "How long was Paper Machine 1 down because of Wet end breaks?",
        "SELECT SUM(strftime('%s',break_end)-strftime('%s',break_start))/60.0 FROM sheet_breaks WHERE unit_code='PM1' AND cause='Wet end'",
    ),
    Asked("List all units in Finishing", "SELECT unit_desc FROM mill_units WHERE area_name='Finishing'"),
    Asked("reels per month", "SELECT COUNT(*) FROM reel_log GROUP BY substr(turnup_time,1,7)"),
    Asked(
        "What is the average duration of sheet breaks?",
        "SELECT AVG((strftime('%s',break_end)-strftime('%s',break_start))/60.0) FROM sheet_breaks",
    ),
)
