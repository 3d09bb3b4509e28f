"""What each station makes in each hour: parts, scrap by reason, rework, energy, and the time elements of ISO 22400-2, which add up to the
planned time of the hour. On the serial lines a part passes every station within its hour; the weakest station sets the pace."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ingest.demo.orders import Order, Schedule
from ingest.demo.stops import surface_trouble_s
from ingest.demo.world import HOUR_S, Floats, Ints, World

SURFACE_FACTOR = 6.0      # surface-finish scrap of CNC-02 at the end of story (a)
LEAK_FACTOR = 8.5         # leak scrap while the leaky seals of story (d) are fitted
MAX_SPEED = 0.995
SPEED = {"LINE-1": 0.922, "LINE-2": 0.951, "LINE-3": 0.934}          # mean share of the planned speed
WAITING_S = {"LINE-1": 80.0, "LINE-2": 45.0, "LINE-3": 55.0}        # scale of the minutes an hour loses to waiting and breaks


@dataclass
class Counts:
    """One station's hours for one order queue. Arrays over all hours; `by_reason` has a column per scrap reason."""

    station: str
    stream: str
    planned_s: Floats
    setup_s: Floats
    down_s: Floats
    production_s: Floats
    idle_s: Floats
    ideal_s: Floats
    produced: Ints
    good: Ints
    rework: Ints
    reasons: tuple[str, ...]
    by_reason: Ints


def make_counts(world: World, schedule: Schedule, down: dict[str, Floats]) -> list[Counts]:
    """Counts of every station; fills `good` and `scrap` of the orders from the line's last stations."""
    setup = {machine["id"]: np.zeros(world.timeline.hours) for machine in world.equipment}
    for change in schedule.changeovers:
        for hour in range(change.start_s // HOUR_S, -(-change.end_s // HOUR_S)):
            setup[change.equipment][hour] += min(change.end_s, (hour + 1) * HOUR_S) - max(change.start_s, hour * HOUR_S)
    rng = world.random(30)
    made = machining(world, rng, schedule, setup, down)
    for line in ("LINE-1", "LINE-2"):
        made += serial_line(world, rng, schedule, line, setup, down)
    last = {line: stations[-1] for line, stations in world.processes["stations"].items()}
    for counts in made:
        index = schedule.at[counts.stream]
        order_of = [schedule.orders[i] for i in np.unique(index[index >= 0])]
        line = order_of[0].line
        for order in order_of:
            if counts.station == last[line]:
                order.good += int(counts.good[order.hours].sum())
            order.scrap += int(counts.by_reason[order.hours].sum())
    return made


def cycles(world: World, schedule: Schedule, stream: str, step: int) -> Floats:
    """Planned seconds per part in each hour at a step of the routing."""
    routings = world.processes["routings"]
    per_order = np.array([float(routings[o.product][min(step, len(routings[o.product]) - 1)][2]) for o in schedule.orders])
    index = schedule.at[stream]
    return np.where(index >= 0, per_order[index], 1.0)


def speeds(rng: np.random.Generator, hours: int, mean: float) -> Floats:
    """Share of the planned speed in each hour: around the line's mean, with better and worse weeks."""
    weeks = np.repeat(rng.normal(0.0, 0.012, hours // 168 + 1), 168)[:hours]
    return np.asarray(np.clip(rng.normal(mean, 0.024, hours) + weeks, 0.8, 0.985), dtype=np.float64)


def machining(
    world: World, rng: np.random.Generator, schedule: Schedule, setup: dict[str, Floats], down: dict[str, Floats]
) -> list[Counts]:
    """The machining centres side by side, then the washer, which never gets more than it can wash."""
    hours = world.timeline.hours
    planned = world.timeline.planned["LINE-3"]
    machines = world.of_class("cnc")
    free, speed, ideal, wanted = {}, {}, {}, {}
    for machine in machines:
        ideal[machine] = cycles(world, schedule, machine, 0)
        waiting = rng.gamma(2.0, WAITING_S["LINE-3"], hours).clip(0, 900)
        free[machine] = np.where(planned, HOUR_S - setup[machine] - down[machine] - waiting, 0.0).clip(0)
        speed[machine] = speeds(rng, hours, SPEED["LINE-3"])
        wanted[machine] = whole_parts(rng, free[machine], speed[machine], ideal[machine])
    washer_room = np.where(planned, (HOUR_S - down["WASH-01"]) * 0.97 / 152, 0.0)
    total = np.sum([wanted[m] for m in machines], axis=0)
    squeeze = np.minimum(1.0, np.divide(washer_room, total, out=np.ones(hours), where=total > 0))
    made = []
    for machine in machines:
        produced = np.floor(wanted[machine] * squeeze).astype(np.int64)
        made.append(station_counts(
            world, rng, schedule, machine, machine, produced, ideal[machine], speed[machine], free[machine],
            np.where(planned, float(HOUR_S), 0.0), setup[machine], down[machine],
        ))
    return made + washing(world, rng, schedule, made, down["WASH-01"], speeds(rng, hours, SPEED["LINE-3"]))


def washing(
    world: World, rng: np.random.Generator, schedule: Schedule, machining_counts: list[Counts], down: Floats, speed: Floats
) -> list[Counts]:
    """The washer's hours, divided among the orders of the machining centres in proportion to the work they bring."""
    hours = world.timeline.hours
    planned = np.where(world.timeline.planned["LINE-3"], float(HOUR_S), 0.0)
    work = {c.stream: c.good * cycles(world, schedule, c.stream, 1) for c in machining_counts}
    total = np.sum(list(work.values()), axis=0)
    left_planned, left_down = planned.copy(), down.copy()
    made = []
    for place, counts in enumerate(machining_counts):
        share = np.divide(work[counts.stream], total, out=np.full(hours, 1 / len(machining_counts)), where=total > 0)
        last = place == len(machining_counts) - 1
        own_planned: Floats = left_planned.copy() if last else np.round(planned * share, 1)
        own_down = left_down.copy() if last else np.minimum(np.round(down * share, 1), own_planned)
        left_planned = np.round(left_planned - own_planned, 1).astype(np.float64)
        left_down = np.round(left_down - own_down, 1).astype(np.float64)
        made.append(station_counts(
            world, rng, schedule, "WASH-01", counts.stream, counts.good, cycles(world, schedule, counts.stream, 1), speed,
            own_planned - own_down, own_planned, np.zeros(hours), own_down,
        ))
    return made


def serial_line(
    world: World, rng: np.random.Generator, schedule: Schedule, line: str, setup: dict[str, Floats], down: dict[str, Floats]
) -> list[Counts]:
    hours = world.timeline.hours
    planned = world.timeline.planned[line]
    stations: list[str] = world.processes["stations"][line]
    ideal, speed, free = [], [], []
    for step, station in enumerate(stations):
        waiting = rng.gamma(2.0, WAITING_S[line], hours).clip(0, 900)
        ideal.append(cycles(world, schedule, line, step))
        speed.append(speeds(rng, hours, SPEED[line]))
        free.append(np.where(planned, HOUR_S - setup[station] - down[station] - waiting, 0.0).clip(0))
    wanted = np.min([whole_parts(rng, f, s, i) for f, s, i in zip(free, speed, ideal, strict=True)], axis=0)
    made: list[Counts] = []
    produced = wanted
    for step, station in enumerate(stations):
        counts = station_counts(
            world, rng, schedule, station, line, produced, ideal[step], speed[step], free[step],
            np.where(planned, float(HOUR_S), 0.0), setup[station], down[station],
        )
        made.append(counts)
        produced = counts.good
    return made


def whole_parts(rng: np.random.Generator, free_s: Floats, speed: Floats, ideal_s: Floats) -> Ints:
    """Parts that fit into the free time at that speed, rounded at random so that nothing is lost on average."""
    wanted = np.floor(free_s * speed / ideal_s + rng.random(len(free_s)))
    return np.minimum(wanted, np.floor(free_s * MAX_SPEED / ideal_s)).astype(np.int64)


def station_counts(
    world: World, rng: np.random.Generator, schedule: Schedule, station: str, stream: str, produced: Ints, ideal_cycle_s: Floats,
    speed: Floats, free_s: Floats, planned_s: Floats, setup_s: Floats, down_s: Floats,
) -> Counts:
    """Times and quality for parts that are known to fit: production time follows from parts and speed, idle is what remains."""
    ideal_s = produced * ideal_cycle_s
    production_s: Floats = np.asarray(np.round(np.minimum(ideal_s / speed, free_s), 1), dtype=np.float64)
    idle_s: Floats = np.asarray(np.round(planned_s - setup_s - down_s - production_s, 1), dtype=np.float64)
    reasons, rates = scrap_rates(world, schedule, station, stream)
    by_reason = np.zeros((len(produced), max(1, len(reasons))), dtype=np.int64)
    left = produced.copy()
    for column in range(len(reasons)):
        by_reason[:, column] = rng.binomial(left, rates[:, column])
        left = left - by_reason[:, column]
    rework = rng.binomial(left, rework_rate(world, schedule, station, stream))
    return Counts(
        station, stream, planned_s, setup_s, down_s, production_s, idle_s, np.round(ideal_s, 1), produced, left, rework, reasons, by_reason
    )


def scrap_rates(world: World, schedule: Schedule, station: str, stream: str) -> tuple[tuple[str, ...], Floats]:
    """Scrap probability per hour and reason, with the stories' effects in it."""
    rates: dict[str, float] = world.processes["scrap"][world.class_of(station)]
    table = np.tile(np.array(list(rates.values()), dtype=np.float64), (world.timeline.hours, 1))
    for column, reason in enumerate(rates):
        if station == "CNC-02" and reason == "surface finish":
            table[:, column] *= 1 + (SURFACE_FACTOR - 1) * trouble(world) * makes(schedule, stream, "XYZ")
        if reason == "leak":
            table[:, column] *= 1 + (LEAK_FACTOR - 1) * leaky(schedule, stream)
    return tuple(rates), table


def rework_rate(world: World, schedule: Schedule, station: str, stream: str) -> Floats:
    rate = np.full(world.timeline.hours, float(world.processes["rework"][world.class_of(station)]))
    if station == "CNC-02":
        rate *= 1 + 1.5 * trouble(world) * makes(schedule, stream, "XYZ")
    if world.class_of(station) == "leak_tester":
        rate *= 1 + 2.5 * leaky(schedule, stream)
    return rate


def trouble(world: World) -> Floats:
    """How far story (a) has come in each hour: 0 before the vibration shows on parts, 1 at the end."""
    seconds = np.arange(world.timeline.hours) * HOUR_S
    begin = surface_trouble_s(world)
    return np.asarray(np.clip((seconds - begin) / max(1.0, world.timeline.end_s - begin), 0.0, 1.0) ** 0.5, dtype=np.float64)


def makes(schedule: Schedule, stream: str, product: str) -> Floats:
    return flags(schedule, stream, [o.product == product for o in schedule.orders])


def leaky(schedule: Schedule, stream: str) -> Floats:
    return flags(schedule, stream, [o.leaky_seals for o in schedule.orders])


def flags(schedule: Schedule, stream: str, per_order: list[bool]) -> Floats:
    index = schedule.at[stream]
    return np.where(index >= 0, np.array(per_order, dtype=np.float64)[index], 0.0)


def fill_hours(world: World, schedule: Schedule, made: list[Counts]) -> None:
    """Rows of production_hours in order of time; the closed day of Line 1 stands there with planned time zero (story h)."""
    rng = world.random(31)
    timeline = world.timeline
    stamps = timeline.texts(np.arange(timeline.hours) * HOUR_S)
    order_ids = [(o.order_id, o.product) for o in schedule.orders]
    places = {m["id"]: n for n, m in enumerate(world.equipment)}
    rows: list[tuple[int, tuple[Any, ...]]] = []
    for counts in made:
        line = world.line_of(counts.station)
        teams = {shift: world.team("operator", line, shift) for shift in set(timeline.shift)}
        rest_kw, load_kw = world.processes["energy_kw"][world.class_of(counts.station)]
        energy = (rest_kw * counts.planned_s + load_kw * counts.production_s) / HOUR_S * rng.normal(1.0, 0.03, timeline.hours)
        index = schedule.at[counts.stream]
        for hour in np.flatnonzero(index >= 0).tolist():
            order_id, product = order_ids[index[hour]]
            team = teams[timeline.shift[hour]]
            operator = team[(timeline.shift_date[hour].toordinal() + places[counts.station]) % len(team)]
            scrap = int(counts.by_reason[hour].sum())
            rows.append((hour, (
                counts.station, stamps[hour], order_id, product, operator, float(counts.planned_s[hour]), float(counts.production_s[hour]),
                float(counts.setup_s[hour]), float(counts.down_s[hour]), float(counts.idle_s[hour]), float(counts.ideal_s[hour]),
                int(counts.produced[hour]), int(counts.good[hour]), scrap, int(counts.rework[hour]), round(float(energy[hour]), 3),
            )))
    closed = [h for h in range(timeline.hours) if timeline.local[h].date() == timeline.closed_day or timeline.shift_date[h] == timeline.closed_day]
    for station in world.processes["stations"]["LINE-1"]:
        rows += [(h, (station, stamps[h], None, None, None, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0, 0, 0, 0, 0.0)) for h in closed]
    rows.sort(key=lambda row: (row[0], row[1][0], row[1][2] or ""))
    world.rows("production_hours").extend(row for _, row in rows)


def fill_scrap(world: World, schedule: Schedule, made: list[Counts], lot_of: dict[tuple[str, int], str]) -> None:
    """Rows of scrap_records; `lot_of` gives the lot of an order queue in an hour."""
    stamps = world.timeline.texts(np.arange(world.timeline.hours) * HOUR_S)
    found = []
    for counts in made:
        index = schedule.at[counts.stream]
        for hour, column in zip(*np.nonzero(counts.by_reason), strict=True):
            order: Order = schedule.orders[index[hour]]
            lot = lot_of.get((counts.stream, int(hour)))
            found.append((int(hour), counts.station, order.order_id, order.product, lot, counts.reasons[column], int(counts.by_reason[hour, column])))
    found.sort()
    world.rows("scrap_records").extend(
        (number, station, stamps[hour], order_id, product, lot, reason, quantity)
        for number, (hour, station, order_id, product, lot, reason, quantity) in enumerate(found, 1)
    )
