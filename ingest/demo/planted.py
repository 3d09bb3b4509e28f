"""The ground truth of the planted stories in one build: real ids, times in UTC and counts, taken from the simulation itself, so that tests
can hold the database against it."""

from __future__ import annotations

from collections import defaultdict
from statistics import fmean
from typing import Any

from ingest.demo.events import burst_truth
from ingest.demo.lots import Material
from ingest.demo.maintenance import Job
from ingest.demo.orders import Schedule
from ingest.demo.stops import Stop, surface_trouble_s, vibration_onset_s
from ingest.demo.world import HOUR_S, World


def resolve(world: World, schedule: Schedule, stops: list[Stop], material: Material, jobs: list[Job]) -> None:
    """Fills `world.truth` for every story; (f) and (g) are already there from where they were planted."""
    world.truth["a"] = vibration(world)
    world.truth["b"] = coolant(world, jobs)
    world.truth["c"] = changeovers(schedule)
    world.truth["d"] = leaks(world, material)
    world.truth["h"] = closed_day(world)
    world.truth["i"] = night_stop(world, stops, jobs)
    world.truth["lot"] = shown_lot(world, material)
    world.truth["now"] = active(world)


def vibration(world: World) -> dict[str, Any]:
    visible = world.timeline.text(surface_trouble_s(world))
    ncrs: dict[str, list[str]] = defaultdict(list)
    for ncr in world.rows("nonconformances"):
        if ncr[1] == "XYZ" and ncr[7] == "surface finish" and ncr[12] >= visible:
            ncrs[str(ncr[4])].append(ncr[0])
    return {
        "equipment": "CNC-02", "signal": "CNC-02.spindle_vibration", "product": "XYZ", "defect": "surface finish",
        "rise_begins_at": world.timeline.text(vibration_onset_s(world)), "visible_from": visible, "ncrs_since": dict(ncrs),
    }


def coolant(world: World, jobs: list[Job]) -> dict[str, Any]:
    orders: dict[str, list[str]] = defaultdict(list)
    for job in jobs:
        if job.code == "502" and job.truth and job.status == "closed":
            orders[job.truth].append(job.order_id)
    waiting = [job.order_id for job in jobs if job.equipment == "CNC-02" and job.status != "closed" and job.code == "502"]
    waiting_all = [job.order_id for job in jobs if job.equipment == "CNC-02" and job.status != "closed"]
    return {
        "code": "502", "orders_by_cause": dict(orders), "counts_by_cause": {cause: len(ids) for cause, ids in orders.items()},
        "recent_on_CNC-02": burst_truth(world), "open_502_on_CNC-02": waiting, "open_on_CNC-02": waiting_all,
    }


def changeovers(schedule: Schedule) -> dict[str, Any]:
    ratios: dict[str, list[float]] = defaultdict(list)
    for change in schedule.changeovers:
        if change.line == "LINE-1":
            ratios[change.shift].append((change.end_s - change.start_s) / change.target_s)
    return {"line": "LINE-1", "shift": "evening", "mean_share_of_target": {shift: round(fmean(found), 3) for shift, found in sorted(ratios.items())}}


def leaks(world: World, material: Material) -> dict[str, Any]:
    bad = material.leaky
    if bad is None:
        return {}
    children = [material.known[child] for child, parent in material.links if material.known[parent] is bad]
    lots = {lot.lot_id for lot in children}
    ncrs = [n[0] for n in world.rows("nonconformances") if n[2] in lots and n[7] == "leak"]
    orders = sorted({lot.order.order_id for lot in children if lot.order})
    return {"lot": bad.lot_id, "material": bad.material, "supplier": bad.supplier, "product": "PMP-40", "orders": orders, "lots": sorted(lots), "ncrs": ncrs}


def closed_day(world: World) -> dict[str, Any]:
    return {"line": "LINE-1", "day": world.timeline.closed_day.isoformat()}


def night_stop(world: World, stops: list[Stop], jobs: list[Job]) -> dict[str, Any]:
    first, end = world.timeline.last_night
    stop = next(s for s in stops if s.story == "i" and s.mode is not None)
    own = [job.order_id for job in jobs if job.story == "i"]
    part = stop.cause.part if stop.cause else None
    chain = {s.equipment: s.reason for s in stops if s.story == "i" and s.mode is None}
    return {
        "line": "LINE-2", "equipment": stop.equipment, "downtime": stop.downtime_id, "started_at": world.timeline.text(stop.start_s),
        "ended_at": world.timeline.text(stop.end_s), "reason": stop.reason, "alarm": stop.mode.code if stop.mode else None,
        "cause": stop.cause.name if stop.cause else None, "part": part, "orders": own, "knocked_on": chain,
        "night_from": world.timeline.text(first * HOUR_S), "night_to": world.timeline.text(end * HOUR_S),
    }


def shown_lot(world: World, material: Material) -> dict[str, Any]:
    lot = material.shown
    assert lot is not None
    assert lot.order is not None
    into = [material.known[child].lot_id for child, parent in material.links if material.known[parent] is lot]
    out_of = [material.known[parent].lot_id for child, parent in material.links if material.known[child] is lot]
    return {
        "lot": lot.lot_id, "product": lot.product, "equipment": lot.station, "order": lot.order.order_id, "quantity": lot.quantity,
        "shipped": lot.shipped, "used_in": sorted(into), "made_from": sorted(out_of),
    }


def active(world: World) -> dict[str, Any]:
    return {"active_alarms": sorted(f"{a[1]} {a[2]}" for a in world.rows("alarm_events") if a[7] is None)}
