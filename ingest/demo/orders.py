"""What the lines work on: production orders one after the other, the changeovers between them, and what lies ahead in the plan.
On Line 3 each machining centre has its own queue; on the other lines the whole line works on one order."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ingest.demo.world import DAY_S, HOUR_S, Ints, World, story_second

ORDER_HOURS = {"LINE-1": (10, 30), "LINE-2": (14, 40), "LINE-3": (10, 34)}
MIX = {
    "CNC-01": {"XYZ": 0.65, "XYW": 0.35}, "CNC-02": {"XYZ": 0.75, "XYW": 0.25}, "CNC-03": {"XYZ": 0.3, "XYW": 0.7},
    "LINE-1": {"PMP-40": 0.6, "PMP-60": 0.4}, "LINE-2": {"CL-500": 0.65, "CL-1000": 0.35},
}
EVENING_OVERRUN = 1.5
LEAKY_ORDERS = 3
FIRST_ORDER = 10_001


@dataclass
class Order:
    """A production order; `hours` are the planned hours that it holds, `good` is filled by the counting."""

    stream: str
    line: str
    product: str
    variant: str
    hours: list[int]
    customer: str
    leaky_seals: bool = False
    order_id: str = ""
    good: int = 0
    scrap: int = 0


@dataclass(frozen=True)
class Changeover:
    line: str
    equipment: str
    before: str
    after: str
    start_s: int
    end_s: int
    target_s: int
    shift: str


@dataclass
class Schedule:
    """`at[stream]` gives for each hour the index of its order in `orders`, -1 where nothing is planned."""

    orders: list[Order] = field(default_factory=list)
    at: dict[str, Ints] = field(default_factory=dict)
    changeovers: list[Changeover] = field(default_factory=list)


def streams(world: World) -> dict[str, str]:
    """Order queues and their lines: the machining centres one by one, the serial lines as a whole."""
    return {**dict.fromkeys(world.of_class("cnc"), "LINE-3"), "LINE-1": "LINE-1", "LINE-2": "LINE-2"}


def make_schedule(world: World) -> Schedule:
    """Orders and changeovers of all queues; the last order of each queue is still running at the end."""
    schedule = Schedule()
    rng = world.random(10)
    for stream, line in streams(world).items():
        schedule.at[stream] = np.full(world.timeline.hours, -1, dtype=np.int64)
        queue(world, schedule, rng, stream, line)
    for number, order in enumerate(sorted(schedule.orders, key=lambda o: (o.hours[0], o.stream))):
        order.order_id = f"PO-{FIRST_ORDER + number}"
    return schedule


def queue(world: World, schedule: Schedule, rng: np.random.Generator, stream: str, line: str) -> None:
    timeline, processes = world.timeline, world.processes
    planned = np.flatnonzero(timeline.planned[line])
    variants = {p["id"]: p["variants"] for p in world.plant["products"]}
    position, before, leaky = 0, None, 0
    leak_from = story_second(timeline, 45)
    while position < len(planned):
        low, high = ORDER_HOURS[line]
        length = int(rng.integers(low, high + 1))
        left = len(planned) - position - length
        if left < low // 2:
            length = len(planned) - position
        hours = [int(h) for h in planned[position : position + length]]
        product = choose_product(world, rng, stream, hours[0], before)
        variant = str(rng.choice(variants[product]))
        order = Order(stream, line, product, variant, hours, str(rng.choice(processes["product_customers"][product])))
        if product == "PMP-40" and hours[0] * HOUR_S >= leak_from and leaky < LEAKY_ORDERS and left >= low:
            order.leaky_seals, leaky = True, leaky + 1
        schedule.at[stream][hours] = len(schedule.orders)
        schedule.orders.append(order)
        if before is not None and (before.variant != variant or before.product != product):
            schedule.changeovers.append(changeover(world, rng, before, order))
        before, position = order, position + length


def choose_product(world: World, rng: np.random.Generator, stream: str, hour: int, before: Order | None) -> str:
    """The usual mix, in campaigns. CNC-02 makes XYZ in the window in which lot 88213 has to be made."""
    days_left = (world.timeline.hours - hour) / 24
    mix = MIX[stream]
    if stream == "CNC-02" and (8 < days_left < 17 or (days_left < 40 and rng.random() < 0.7)):
        return "XYZ"
    if before is not None and rng.random() < 0.35:
        return before.product
    return str(rng.choice(list(mix), p=list(mix.values())))


def changeover(world: World, rng: np.random.Generator, before: Order, after: Order) -> Changeover:
    """The set-up before an order. The evening shift overruns it on Line 1 (story c)."""
    timeline, processes = world.timeline, world.processes
    first = after.hours[0]
    full = before.product != after.product
    target_s = int(processes["changeover_target_min"][after.line] * 60 * (1.0 if full else 0.6))
    factor = float(np.exp(rng.normal(0.0, 0.11)))
    shift = timeline.shift[first]
    if after.line == "LINE-1" and shift == "evening":
        factor *= EVENING_OVERRUN
    block = 1
    while first + block < timeline.hours and timeline.planned[after.line][first + block] and block < 4:
        block += 1
    start_s = first * HOUR_S + int(rng.integers(0, 150))
    end_s = min(start_s + int(target_s * factor), (first + min(block, len(after.hours))) * HOUR_S - 240)
    equipment = processes["pacing"].get(after.line, after.stream)
    return Changeover(after.line, equipment, before.product, after.product, start_s, end_s, target_s, shift)


def fill_orders(world: World, schedule: Schedule) -> None:
    """Order and operation rows, when the counts are known: the quantity ordered lies a little above or below what was made."""
    rng = world.random(11)
    timeline = world.timeline
    last_hour = {stream: int(index[index >= 0][-1]) for stream, index in schedule.at.items()}
    for order in sorted(schedule.orders, key=lambda o: o.order_id):
        running = schedule.orders[last_hour[order.stream]] is order
        start_s, end_s = order.hours[0] * HOUR_S, (order.hours[-1] + 1) * HOUR_S
        ratio = float(rng.uniform(0.985, 1.0)) if rng.random() < 0.82 else float(rng.uniform(1.01, 1.09))
        if running:
            ratio = float(rng.uniform(1.6, 2.6))
        step = 1000 if order.line == "LINE-2" else 5
        ordered = max(step, step * int(np.ceil(order.good * ratio / step)))
        late_s = int(rng.normal(-1500, 4200))
        planned_end = end_s - late_s + (int(rng.integers(8, 30)) * HOUR_S if running else 0)
        due = planned_end + int(rng.integers(6, 72)) * HOUR_S
        status = "running" if running else "completed"
        priority = str(rng.choice(["low", "medium", "high"], p=[0.2, 0.6, 0.2]))
        world.rows("production_orders").append((
            order.order_id, order.product, order.variant, order.line, order.customer, ordered, order.good,
            timeline.text(start_s - int(rng.integers(0, 5400))), timeline.text(planned_end), timeline.text(start_s),
            None if running else timeline.text(end_s), timeline.text(due), status, priority,
        ))
        fill_operations(world, rng, order, running)
    fill_plan_ahead(world, rng, schedule)


def fill_operations(world: World, rng: np.random.Generator, order: Order, running: bool) -> None:
    timeline = world.timeline
    stations = world.processes["stations"][order.line]
    if order.line == "LINE-3":
        stations = [order.stream, "WASH-01"]
    start_s, end_s = order.hours[0] * HOUR_S, (order.hours[-1] + 1) * HOUR_S
    shift = timeline.shift[order.hours[0]]
    team = world.team("operator", order.line, shift)
    for step, (station, routing) in enumerate(zip(stations, world.processes["routings"][order.product], strict=True)):
        lag = 240 * step
        world.rows("operations").append((
            f"{order.order_id}-{10 * (step + 1)}", order.order_id, 10 * (step + 1), routing[0], station, timeline.text(start_s + lag),
            None if running else timeline.text(end_s - 240 * (len(stations) - 1 - step)), str(rng.choice(team)),
        ))


def fill_plan_ahead(world: World, rng: np.random.Generator, schedule: Schedule) -> None:
    """Orders that have not begun: released and planned ones for the coming days, one on hold and one cancelled on each line."""
    timeline = world.timeline
    number = FIRST_ORDER + len(schedule.orders)
    for stream, line in streams(world).items():
        start_s = timeline.end_s + int(rng.integers(10, 26)) * HOUR_S
        for status in ("released", "released", "planned", "planned", "planned", "on_hold", "cancelled"):
            product = str(rng.choice(list(MIX[stream]), p=list(MIX[stream].values())))
            variant = str(rng.choice(next(p["variants"] for p in world.plant["products"] if p["id"] == product)))
            hours = int(rng.integers(*ORDER_HOURS[line]))
            cycle = max(float(step[2]) for step in world.processes["routings"][product])
            step = 1000 if line == "LINE-2" else 5
            quantity = step * max(1, int(hours * 0.8 * HOUR_S / cycle / step))
            end_s = start_s + int(hours * 1.15) * HOUR_S
            priority = str(rng.choice(["low", "medium", "high"], p=[0.2, 0.6, 0.2]))
            world.rows("production_orders").append((
                f"PO-{number}", product, variant, line, str(rng.choice(world.processes["product_customers"][product])), quantity, 0,
                timeline.text(start_s), timeline.text(end_s), None, None, timeline.text(end_s + int(rng.integers(1, 4)) * DAY_S), status, priority,
            ))
            number += 1
            if status in ("released", "planned"):
                start_s = end_s


def fill_changeovers(world: World, schedule: Schedule) -> None:
    rng = world.random(12)
    timeline = world.timeline
    for number, change in enumerate(sorted(schedule.changeovers, key=lambda c: (c.start_s, c.equipment)), 1):
        operator = str(rng.choice(world.team("operator", change.line, change.shift)))
        world.rows("changeovers").append((
            f"CHO-{number:05d}", change.line, change.equipment, change.before, change.after, timeline.text(change.start_s),
            timeline.text(change.end_s), float(change.end_s - change.start_s), float(change.target_s), operator,
        ))
