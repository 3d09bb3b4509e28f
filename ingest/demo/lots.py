"""Material: purchased lots, the lots that orders produce, what went into what, serial numbers and shipments. Machined valve bodies go
into pump units or to customers, so a trace has two or three levels, with splits and merges."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import numpy as np

from ingest.demo.counts import Counts
from ingest.demo.orders import Order, Schedule
from ingest.demo.world import DAY_S, HOUR_S, World

LOT_HOURS = {"LINE-1": 12, "LINE-2": 8, "LINE-3": 14}
SHOWN_LOT = 88_213
SHOWN_LOT_DAYS_AGO = 12.3
SERIALISED = ("XYZ", "XYW", "PMP-40", "PMP-60")
STOCK_PARTS = 420     # valve bodies kept for pump units before whole lots go to customers


@dataclass
class Lot:
    """A lot while its fate is being decided; ids are given when all lots are known."""

    kind: str
    quantity: float
    unit: str
    created_s: int
    product: str | None = None
    material: str | None = None
    supplier: str | None = None
    order: Order | None = None
    hours: list[int] = field(default_factory=list)
    station: str | None = None
    scrap: int = 0
    used: float = 0.0
    shipped: float = 0.0
    reserved: float = 0.0          # kept for pump units
    hold_s: int | None = None      # an NCR holds it until then
    status: str = ""
    lot_id: str = ""

    @property
    def leaky_seals(self) -> bool:
        return self.order is not None and self.order.leaky_seals


@dataclass
class Material:
    """All lots, and the links (child, parent, quantity)."""

    produced: list[Lot] = field(default_factory=list)
    others: list[Lot] = field(default_factory=list)
    links: dict[tuple[int, int], float] = field(default_factory=dict)
    known: dict[int, Lot] = field(default_factory=dict)
    shown: Lot | None = None
    leaky: Lot | None = None

    def link(self, child: Lot, parent: Lot, quantity: float) -> None:
        key = (id(child), id(parent))
        self.known[id(child)], self.known[id(parent)] = child, parent
        self.links[key] = self.links.get(key, 0.0) + quantity
        parent.used += quantity

    @property
    def all_lots(self) -> list[Lot]:
        return [*self.others, *self.produced]

    def by_hour(self) -> dict[tuple[str, int], str]:
        return {(lot.order.stream, hour): lot.lot_id for lot in self.produced if lot.order for hour in lot.hours}


def make_material(world: World, schedule: Schedule, made: list[Counts]) -> Material:
    """Lots with ids and genealogy; shipments follow when quality has spoken."""
    material = Material()
    last = {line: stations[-1] for line, stations in world.processes["stations"].items()}
    final = {counts.stream: counts for counts in made if counts.station in last.values()}
    scrap = {stream: sum((c.by_reason.sum(axis=1) for c in made if c.stream == stream), np.zeros(world.timeline.hours)) for stream in final}
    for order in schedule.orders:
        pieces = -(-len(order.hours) // LOT_HOURS[order.line])
        for part in np.array_split(np.array(order.hours), pieces):
            quantity = int(final[order.stream].good[part].sum())
            if quantity == 0:
                continue
            station = order.stream if order.line == "LINE-3" else world.processes["inspected_at"][order.line]
            material.produced.append(Lot(
                "produced", quantity, "pcs", int(part[-1] + 1) * HOUR_S, product=order.product, order=order, hours=[int(h) for h in part],
                station=station, scrap=int(scrap[order.stream][part].sum()),
            ))
    material.produced.sort(key=lambda lot: (lot.created_s, lot.order.stream if lot.order else ""))
    choose_shown(world, material)
    rng = world.random(40)
    for entry in world.processes["materials"]:
        purchase(world, rng, material, entry)
    for product, part in world.processes["components"].items():
        use_components(world, rng, material, product, part)
    number_lots(material)
    return material


def choose_shown(world: World, material: Material) -> None:
    """The lot that people know by its number: XYZ from CNC-02, made about twelve days ago."""
    wanted = world.timeline.end_s - SHOWN_LOT_DAYS_AGO * DAY_S
    lots = [lot for lot in material.produced if lot.product == "XYZ" and lot.station == "CNC-02" and lot.quantity >= 30]
    lots = lots or [lot for lot in material.produced if lot.product == "XYZ"]
    material.shown = min(lots, key=lambda lot: abs(lot.created_s - wanted))


def purchase(world: World, rng: np.random.Generator, material: Material, entry: dict[str, Any]) -> None:
    """Deliveries of a purchased material, used up first in first out. One delivery of seals is bad: it goes into exactly the leaky orders."""
    per: dict[str, float] = entry["per"]
    children = sorted((lot for lot in material.produced if lot.product in per), key=lambda lot: (lot.hours[0], lot.created_s))
    current: Lot | None = None
    for child in children:
        need = round((child.quantity + child.scrap) * per[str(child.product)], 3)
        bad = child.leaky_seals and entry["id"] == "SEAL-40"
        if current is not None and (current is material.leaky) != bad:
            current.quantity = round(current.used, 3)
            current = None
        while need > 1e-6:
            if current is None or current.quantity - current.used < 1e-6:
                current = delivery(world, rng, entry, child.hours[0] * HOUR_S, need if bad else 0.0)
                if bad:
                    current.supplier, material.leaky = "SUP-03", current
                material.others.append(current)
            take = need if current is material.leaky else min(need, round(current.quantity - current.used, 3))
            material.link(child, current, take)
            need = round(need - take, 3)
    if material.leaky is not None and entry["id"] == "SEAL-40":
        material.leaky.quantity, material.leaky.status = float(np.ceil(material.leaky.used / 50) * 50 + 150), "on_hold"
    for _ in range(2):
        material.others.append(delivery(world, rng, entry, world.timeline.end_s - int(rng.integers(0, 3 * DAY_S)), 0.0))


def delivery(world: World, rng: np.random.Generator, entry: dict[str, Any], needed_s: int, at_least: float) -> Lot:
    size = float(np.round(entry["lot"] * rng.uniform(0.75, 1.2), -1))
    created = needed_s - int(rng.integers(1, 12)) * DAY_S - int(rng.integers(0, 8 * HOUR_S))
    supplier = entry["suppliers"][0] if len(entry["suppliers"]) == 1 or rng.random() < 0.75 else entry["suppliers"][1]
    return Lot("purchased", max(size, at_least), entry["unit"], created, material=entry["id"], supplier=supplier)


def use_components(world: World, rng: np.random.Generator, material: Material, product: str, part: str) -> None:
    """Valve bodies of our own into pump units, first in first out; what is not needed stays free for customers. Before the first own lot
    there is an opening stock, and when stock runs out a contract machinist delivers."""
    stock: deque[tuple[Lot, float]] = deque()
    opening = Lot("produced", 900, "pcs", -2 * DAY_S, product=part)
    material.others.append(opening)
    stock.append((opening, 900.0))
    events: list[tuple[int, int, Lot]] = [(lot.created_s + 4 * HOUR_S, 0, lot) for lot in material.produced if lot.product == part]
    events += [(lot.hours[0] * HOUR_S, 1, lot) for lot in material.produced if lot.product == product]
    for at_s, kind, lot in sorted(events, key=lambda e: (e[0], e[1], e[2].created_s, e[2].station or "")):
        if kind == 0:
            held = sum(left for _, left in stock)
            share = 1.0 if held < STOCK_PARTS / 2 else 0.5 if held < STOCK_PARTS or lot is material.shown else 0.0
            if lot is material.shown:
                share = 0.5
            if share:
                lot.reserved = float(int(lot.quantity * share))
                stock.append((lot, lot.reserved))
            continue
        need = float(lot.quantity + lot.scrap)
        while need > 0:
            if not stock:
                extra = Lot("purchased", 500.0, "pcs", at_s - 5 * DAY_S, product=part, supplier="SUP-12")
                material.others.append(extra)
                stock.append((extra, 500.0))
            parent, left = stock.popleft()
            take = min(need, left)
            material.link(lot, parent, take)
            need -= take
            if left > take:
                stock.appendleft((parent, left - take))


def number_lots(material: Material) -> None:
    """Plain five-digit numbers in order of time, such that the shown lot gets its well-known one."""
    ordered = sorted(material.all_lots, key=lambda lot: (lot.created_s, lot.kind, lot.product or "", lot.material or "", lot.station or ""))
    shown = next(n for n, lot in enumerate(ordered) if lot is material.shown)
    for number, lot in enumerate(ordered):
        lot.lot_id = str(SHOWN_LOT - shown + number)


def fill_material(world: World, material: Material) -> None:
    """Shipments, then the rows of lots, genealogy and serials. A lot that an NCR holds is not shipped before it is released."""
    rng = world.random(41)
    timeline = world.timeline
    shipments: list[tuple[int, Lot, float, str]] = []
    for lot in material.produced:
        shipments += ship(world, rng, material, lot)
    shipments.sort(key=lambda s: (s[0], s[1].lot_id))
    shipped_in: dict[str, list[tuple[str, float]]] = {}
    for number, (at_s, lot, quantity, customer) in enumerate(shipments, 1):
        shipment_id = f"SHP-{number:05d}"
        shipped_in.setdefault(lot.lot_id, []).append((shipment_id, quantity))
        world.rows("shipments").append((shipment_id, lot.lot_id, customer, quantity, timeline.text(at_s)))
    for lot in sorted(material.all_lots, key=lambda each: int(each.lot_id)):
        world.rows("lots").append(lot_row(world, rng, lot))
    links = sorted(((material.known[c], material.known[p], q) for (c, p), q in material.links.items()), key=lambda x: (x[0].lot_id, x[1].lot_id))
    world.rows("lot_genealogy").extend(
        (child.lot_id, parent.lot_id, child.order.order_id if child.order else None, round(quantity, 3), timeline.text(child.hours[0] * HOUR_S))
        for child, parent, quantity in links
    )


def ship(world: World, rng: np.random.Generator, material: Material, lot: Lot) -> list[tuple[int, Lot, float, str]]:
    """One or two shipments of what is not kept for pump units. The shown lot goes out only in part."""
    free = lot.quantity - max(lot.reserved, lot.used)
    ready = max(lot.created_s, lot.hold_s or 0) + int(rng.integers(1, 7)) * DAY_S + int(rng.integers(-6, 6)) * HOUR_S
    if lot is material.shown:
        free, ready = float(int(free * 0.6)), lot.created_s + 3 * DAY_S
    customers: list[str] = world.processes["product_customers"][lot.product]
    parts = [free] if free < 40 or rng.random() < 0.7 else [float(int(free * 0.6)), free - int(free * 0.6)]
    found = []
    for n, quantity in enumerate(parts):
        at_s = ready + n * int(rng.integers(1, 4)) * DAY_S
        if quantity >= 1 and at_s < world.timeline.end_s:
            lot.shipped += quantity
            customer = lot.order.customer if lot.order and n == 0 else str(rng.choice(customers))
            found.append((at_s, lot, quantity, customer))
    return found


def lot_row(world: World, rng: np.random.Generator, lot: Lot) -> tuple[Any, ...]:
    timeline = world.timeline
    gone = lot.used + lot.shipped
    held = lot.hold_s is not None and lot.hold_s > timeline.end_s
    status = lot.status or ("on_hold" if held else "in_stock" if lot.quantity - gone >= 0.5 else "shipped" if lot.shipped else "consumed")
    shelf = next((m.get("shelf_days") for m in world.processes["materials"] if m["id"] == lot.material), None)
    expires = None
    if shelf:
        expires = (timeline.moment(lot.created_s) + timedelta(days=int(shelf))).date().isoformat()
    location = f"{'R' if lot.kind == 'purchased' else 'F'}-{int(rng.integers(1, 13)):02d}-{int(rng.integers(1, 7)):02d}"
    return (
        lot.lot_id, lot.kind, lot.product, lot.material, lot.order.order_id if lot.order else None, lot.supplier,
        lot.order.line if lot.order else None, float(lot.quantity), lot.unit, timeline.text(lot.created_s), expires, status,
        {"shipped": "shipped", "on_hold": "quarantine", "scrapped": "scrap yard"}.get(status, location if status == "in_stock" else None),
    )


def fill_serials(world: World, material: Material, made: list[Counts]) -> None:
    """A serial number for every good valve body and pump unit, spread over the hour in which it was made. Shipped ones name their shipment."""
    last = {stations[-1] for stations in world.processes["stations"].values()}
    final = {counts.stream: counts for counts in made if counts.station in last}
    shipped: dict[str, list[tuple[str, float]]] = {}
    for shipment_id, lot_id, _, quantity, _ in world.rows("shipments"):
        shipped.setdefault(lot_id, []).append((shipment_id, quantity))
    rows: dict[str, list[tuple[int, str, str, str | None]]] = {product: [] for product in SERIALISED}
    for lot in material.produced:
        if lot.product not in rows or lot.order is None:
            continue
        goods = final[lot.order.stream].good
        seconds = [hour * HOUR_S + int((n + 0.6) * HOUR_S / goods[hour]) for hour in lot.hours for n in range(int(goods[hour]))]
        kept = len(seconds) - int(lot.shipped)
        owners: Iterable[str | None] = [None] * kept + [s for s, quantity in shipped.get(lot.lot_id, []) for _ in range(int(quantity))]
        rows[lot.product] += [(second, lot.lot_id, lot.order.order_id, owner) for second, owner in zip(seconds, owners, strict=True)]
    for product, found in rows.items():
        found.sort(key=lambda row: (row[0], row[1]))
        stamps = world.timeline.texts([row[0] for row in found])
        world.rows("serials").extend(
            (f"{product}-{number:06d}", lot_id, order_id, product, stamp, owner)
            for number, ((_, lot_id, order_id, owner), stamp) in enumerate(zip(found, stamps, strict=True), 1)
        )
