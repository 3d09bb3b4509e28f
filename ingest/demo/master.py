"""Master data of the demo plant: hierarchy, equipment and its signals, products and recipes, people and what they are certified for,
spare parts, targets. Everything that does not happen but is."""

from __future__ import annotations

import unicodedata
from datetime import date, timedelta
from typing import Any

import numpy as np

from ingest.demo.world import SHIFTS, World, load

COMMISSIONED = (2014, 2023)
CRITICALITY = {"cnc": "A", "leak_tester": "A", "filler": "A", "palletizer": "B", "press": "A", "robot": "B"}


def fill_master(world: World) -> None:
    """All tables of master data but `equipment`, whose status is known only at the end (`fill_equipment`)."""
    plant, processes = world.plant, world.processes
    site = plant["site"]
    world.rows("sites").append((site["id"], site["name"], site["timezone"]))
    world.rows("areas").extend((a["id"], site["id"], a["name"]) for a in plant["areas"])
    world.rows("lines").extend((line["id"], line["area"], line["name"]) for line in plant["lines"])
    for machine in world.equipment:
        for signal in processes["signals"].get(machine["class"], []):
            name = f"{machine['id']}.{signal['name']}"
            world.rows("signals").append(
                (name, machine["id"], signal["name"], signal["unit"], signal.get("low"), signal.get("high"))
            )
    for product in plant["products"]:
        world.rows("products").append((product["id"], product["name"], product["family"], "pcs"))
        world.rows("variants").extend((v, product["id"], f"{product['name']} {v[len(product['id']) + 1:]}") for v in product["variants"])
        for sequence, (operation, equipment_class, cycle) in enumerate(processes["routings"][product["id"]], 1):
            world.rows("routings").append((product["id"], 10 * sequence, operation, equipment_class, float(cycle)))
    world.rows("suppliers").extend((s["id"], s["name"], s["country"]) for s in processes["suppliers"])
    world.rows("customers").extend((c["id"], c["name"], c["country"]) for c in processes["customers"])
    for material in processes["materials"]:
        world.rows("materials").append((material["id"], material["name"], material["unit"], material["suppliers"][0]))
        for product_id, quantity in material["per"].items():
            world.rows("bill_of_material").append((product_id, None, material["id"], float(quantity), material["unit"]))
    for product_id, part in processes["components"].items():
        name = next(p["name"] for p in plant["products"] if p["id"] == part)
        world.rows("materials").append((part, name, "pcs", None))
        world.rows("bill_of_material").append((product_id, None, part, 1.0, "pcs"))
    world.rows("downtime_reasons").extend(tuple(reason) for reason in processes["downtime_reasons"])
    opened = world.timeline.day_text(0)
    world.rows("production_targets").extend((metric, line, None, target, opened) for metric, line, target in processes["targets"])
    for line, stations in processes["stations"].items():
        counting = [s for s in stations if world.class_of(s) == "cnc"] or [stations[-1]]
        world.rows("counting_points").extend((line, station) for station in counting)
    fill_people(world)
    fill_spare_parts(world)


def person_id(name: str) -> str:
    """`Emre Yılmaz` -> `e.yilmaz`."""
    plain = unicodedata.normalize("NFKD", name.replace("ß", "ss")).encode("ascii", "ignore").decode().lower()
    first, last = plain.split(" ", 1)
    return f"{first[0]}.{last.replace(' ', '')}"


def fill_people(world: World) -> None:
    """People with roles and shifts, and certifications of which a few have run out or are about to."""
    rng = world.random(1)
    staff: list[tuple[str, str, str, str | None, str | None]] = [
        (u["id"], u["name"], u["role"], u.get("line"), "day") for u in world.plant["users"]
    ]
    for line, teams in world.processes["operators"].items():
        staff += [(person_id(n), n, "operator", line, shift) for shift in SHIFTS for n in teams[shift]]
    staff += [(person_id(n), n, role, None, shift) for n, role, shift in world.processes["staff"]]
    wage = {"operator": 19.5, "technician": 25.0, "supervisor": 31.0, "quality": 28.0, "expert": 34.0, "administrator": 30.0}
    for number, (identity, name, role, line, shift) in enumerate(staff):
        born = date(1961, 1, 1) + timedelta(days=int(rng.integers(0, 15_300)))
        rate = round(wage[role] * float(rng.uniform(0.93, 1.18)), 2)
        world.rows("people").append((identity, name, role, line, shift, born.isoformat(), rate, f"+49 30 5550 {1100 + 7 * number}"))
        for key in {role, f"{role}/{line}" if line else role, f"{role}/{line}/{shift}" if line else f"{role}/{shift}"}:
            world.people.setdefault(key, []).append(identity)
        fill_certifications(world, rng, identity, role, line)


def fill_certifications(world: World, rng: np.random.Generator, identity: str, role: str, line: str | None) -> None:
    catalogue: dict[str, list[list[Any]]] = world.processes["certifications"]
    today = world.timeline.moment(world.timeline.end_s).astimezone(world.timeline.zone).date()
    held = [*catalogue["all"], *catalogue.get(role, []), *(catalogue.get(line, []) if line else [])]
    for certification, months in held:
        fate = rng.random()
        if fate < 0.06:
            left = -int(rng.integers(3, 120))
        elif fate < 0.16:
            left = int(rng.integers(2, 30))
        else:
            left = int(rng.integers(31, max(60, int(months) * 30)))
        expires = today + timedelta(days=left)
        issued = expires - timedelta(days=round(int(months) * 30.44))
        if issued > today:
            issued = today - timedelta(days=20)
        number = len(world.rows("certifications")) + 1
        level = str(rng.choice(["basic", "qualified", "trainer"], p=[0.3, 0.6, 0.1]))
        world.rows("certifications").append((f"CERT-{number:04d}", identity, certification, level, issued.isoformat(), expires.isoformat()))


def fill_spare_parts(world: World) -> None:
    """Stock of every spare part; about one in seven lies below its minimum, the coolant filter of the machining centres among them."""
    rng = world.random(2)
    listed = load("parts")
    parts = listed if isinstance(listed, list) else next(iter(listed.values()))
    suppliers = ["SUP-11", "SUP-02", "SUP-06"]
    for part in parts:
        minimum = int(part.get("minimum", 2))
        low = rng.random() < 0.14 or ("coolant filter" in part["name"].lower())
        stock = int(rng.integers(0, max(1, minimum))) if low else minimum + int(rng.integers(0, 2 * minimum + 3))
        if "coolant filter" in part["name"].lower():
            stock = max(1, minimum - 2)
        world.rows("spare_parts").append((
            part["id"], part["name"], part["class"], stock, minimum, str(part.get("location", "A-01-01")), int(part.get("lead_time_days", 10)),
            str(rng.choice(suppliers, p=[0.7, 0.15, 0.15])), float(part.get("price_eur", 50.0)),
        ))


def fill_equipment(world: World, down: set[str]) -> None:
    """The machines, with the state in which the simulation leaves them."""
    rng = world.random(3)
    last = world.timeline.hours - 1
    for number, machine in enumerate(world.equipment):
        year = int(rng.integers(*COMMISSIONED))
        commissioned = date(year, 1, 8) + timedelta(days=int(rng.integers(0, 330)))
        running = bool(world.timeline.planned[machine["line"]][last])
        status = "down" if machine["id"] in down else "running" if running else "idle"
        serial = f"{machine['model'].replace('-', '')}-{year % 100:02d}{1000 + 37 * number}"
        version = f"{int(rng.integers(2, 8))}.{int(rng.integers(0, 10))}.{int(rng.integers(0, 20))}"
        world.rows("equipment").append((
            machine["id"], machine["line"], machine["name"], machine["class"], machine["manufacturer"], machine["model"], serial, version,
            commissioned.isoformat(), CRITICALITY.get(machine["class"], "C"), status,
        ))

