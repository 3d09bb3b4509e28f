"""When machines stand still: failures sampled per failure mode, the planted ones, and what a long stop does to the stations around it.
Intervals of one machine never overlap, so the down time of an hour is the sum of its stops."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import defaultdict
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np

from ingest.demo.orders import Schedule
from ingest.demo.world import DAY_S, HOUR_S, Floats, World, load, story_second

FREQUENCY = 1.4      # on the rates of log_texts.yaml, but for alarm 502 whose rate is counted
BLOCKING_S = 30 * 60
BURST_HOURS_AGO = (118.0, 97.4, 71.2, 44.6, 21.3, 6.4)    # alarm 502 on CNC-02 in the last days (story b)


@dataclass(frozen=True)
class Cause:
    """Why a failure mode happens: `words` are short wordings for the cause field, `texts` what technicians write afterwards."""

    name: str
    share: float
    words: tuple[str, ...]
    part: str | None
    texts: tuple[str, ...]


@dataclass(frozen=True)
class Mode:
    """A failure mode of an equipment class, as log_texts.yaml describes it."""

    name: str
    code: str | None
    title: str
    severity: str
    reason: str
    per_1000_h: float
    median_min: float
    order_share: float
    reports: tuple[str, ...]
    causes: tuple[Cause, ...]


@dataclass
class Stop:
    """One downtime event; `ongoing` ones have no end yet and count up to the end of the simulation."""

    equipment: str
    start_s: int
    end_s: int
    reason: str
    mode: Mode | None = None
    cause: Cause | None = None
    comment: str | None = None
    ongoing: bool = False
    story: str | None = None
    downtime_id: str = ""
    order_id: str | None = None


@dataclass
class Occupancy:
    """Reserved intervals per machine, kept sorted."""

    taken: dict[str, list[tuple[int, int]]] = field(default_factory=lambda: defaultdict(list))

    def free(self, machine: str, start_s: int, end_s: int) -> bool:
        intervals = self.taken[machine]
        place = bisect_left(intervals, (start_s, end_s))
        after = place == len(intervals) or intervals[place][0] >= end_s
        return after and (place == 0 or intervals[place - 1][1] <= start_s)

    def take(self, machine: str, start_s: int, end_s: int) -> None:
        insort(self.taken[machine], (start_s, end_s))


def alarm_entry(equipment_class: str, wanted: str | None) -> dict[str, Any] | None:
    """The class's alarm of that code, or the first one whose title contains the wanted words."""
    if not wanted:
        return None
    entries: list[dict[str, Any]] = load("alarms").get(equipment_class, [])
    words = str(wanted).lower().split()
    exact = [e for e in entries if str(e["code"]) == str(wanted) or str(e["title"]).lower() == str(wanted).lower()]
    return next(iter(exact), next((e for e in entries if all(w in str(e["title"]).lower() for w in words)), None))


@cache
def modes(equipment_class: str) -> tuple[Mode, ...]:
    """The failure modes of a class with their alarm codes resolved against alarms.yaml."""
    found = []
    for entry in load("log_texts")["classes"].get(equipment_class, []):
        alarm = alarm_entry(equipment_class, entry.get("alarm"))
        causes = tuple(
            Cause(c["cause"], float(c.get("share", 1.0)), tuple(c["words"]), part_id(equipment_class, c.get("part")), tuple(c["texts"]))
            for c in entry["causes"]
        )
        found.append(Mode(
            entry["mode"], str(alarm["code"]) if alarm else None, str(alarm["title"]) if alarm else entry["mode"].capitalize(),
            str(alarm["severity"]) if alarm else "medium", entry["reason"], float(entry["per_1000_h"]), float(entry["median_min"]),
            float(entry.get("order_share", 0.5)), tuple(entry["reports"]), causes,
        ))
    return tuple(found)


@cache
def part_id(equipment_class: str, words: str | None) -> str | None:
    """The spare part of a class whose name contains all the words."""
    if words is None:
        return None
    listed = load("parts")
    parts = listed if isinstance(listed, list) else next(iter(listed.values()))
    wanted = words.lower().split()
    return next((p["id"] for p in parts if p["class"] == equipment_class and all(w in p["name"].lower() for w in wanted)), None)


def mode_named(equipment_class: str, name: str) -> Mode:
    return next(m for m in modes(equipment_class) if m.name == name)


def make_stops(world: World, schedule: Schedule) -> list[Stop]:
    """All stops in order of time, with their ids."""
    occupancy = Occupancy()
    stops = [stop for stop in planted(world) if keep(occupancy, stop)]     # first, with all they cause: nothing may get into their way
    stops += [other for stop in list(stops) for other in knock_on(world, stop, occupancy)]
    schedule.changeovers = [c for c in schedule.changeovers if occupancy.free(c.equipment, c.start_s, c.end_s)]
    for change in schedule.changeovers:
        occupancy.take(change.equipment, change.start_s, change.end_s)
    rng = world.random(20)
    failures = [stop for machine in world.equipment for stop in sampled(world, rng, machine["id"], machine["class"], occupancy)]
    for stop in sorted(failures, key=lambda s: (s.start_s, s.equipment)):
        stops += [stop, *knock_on(world, stop, occupancy)]
    stops.sort(key=lambda s: (s.start_s, s.equipment))
    for number, stop in enumerate(stops, 1):
        stop.downtime_id = f"DT-{number:06d}"
    return stops


def keep(occupancy: Occupancy, stop: Stop) -> bool:
    """Reserves the stop's interval, unless the machine is already taken then."""
    if stop.end_s - stop.start_s < 60 or not occupancy.free(stop.equipment, stop.start_s, stop.end_s):
        return False
    occupancy.take(stop.equipment, stop.start_s, stop.end_s)
    return True


def sampled(world: World, rng: np.random.Generator, machine: str, equipment_class: str, occupancy: Occupancy) -> list[Stop]:
    """Failures of one machine: Poisson per mode over its planned hours, lognormal repair times, cut at the end of planned time."""
    timeline = world.timeline
    planned = timeline.planned[world.line_of(machine)]
    hours = np.flatnonzero(planned)
    block_end = ends_of_blocks(planned)
    found: list[Stop] = []
    for mode in modes(equipment_class):
        wear = FREQUENCY * float(rng.uniform(0.8, 1.25)) if mode.code != "502" else 1.0
        count = int(rng.poisson(mode.per_1000_h * wear * len(hours) / 1000))
        chosen = rng.choice(hours, size=count)
        starts = chosen * HOUR_S + rng.integers(0, HOUR_S - 120, size=count)
        lengths = np.exp(rng.normal(np.log(mode.median_min * 60), 0.55, size=count)).clip(75, 6 * HOUR_S)
        picks = rng.choice(len(mode.causes), size=count, p=shares(mode))
        for hour, start, length, pick in zip(chosen, starts, lengths, picks, strict=True):
            end = min(int(start + length), int(block_end[hour]) * HOUR_S, timeline.end_s - 60)
            found.append(Stop(machine, int(start), end, mode.reason, mode, mode.causes[int(pick)]))
    found.sort(key=lambda s: s.start_s)
    return [stop for stop in found if keep(occupancy, stop)]


def shares(mode: Mode) -> Floats:
    weights = np.array([cause.share for cause in mode.causes], dtype=np.float64)
    return np.asarray(weights / weights.sum(), dtype=np.float64)


def ends_of_blocks(planned: np.ndarray[Any, np.dtype[np.bool_]]) -> np.ndarray[Any, np.dtype[np.int64]]:
    """For each planned hour, the first hour after it that is not planned."""
    ends = np.arange(1, len(planned) + 1, dtype=np.int64)
    for hour in range(len(planned) - 2, -1, -1):
        if planned[hour] and planned[hour + 1]:
            ends[hour] = ends[hour + 1]
    return ends


def knock_on(world: World, stop: Stop, occupancy: Occupancy) -> list[Stop]:
    """A stop of half an hour or more on a serial line blocks the stations before it and starves those after it, minutes later."""
    line = world.line_of(stop.equipment)
    stations: list[str] = world.processes["stations"][line]
    if line == "LINE-3" or stop.end_s - stop.start_s < BLOCKING_S or stop.reason in ("blocked", "starved"):
        return []
    here = stations.index(stop.equipment)
    found = []
    for place, station in enumerate(stations):
        if place == here:
            continue
        lag_s = 60 + 270 * abs(place - here)
        reason = "blocked" if place < here else "starved"
        comment = f"{reason}: {stop.equipment} down"
        other = Stop(station, stop.start_s + lag_s, stop.end_s, reason, comment=comment, ongoing=stop.ongoing, story=stop.story)
        if other.end_s - other.start_s >= 300 and keep(occupancy, other):
            found.append(other)
    return found


def planted(world: World) -> list[Stop]:
    """The stops that stories need: Line 2 last night, the run of coolant alarms on CNC-02, and CNC-03 down right now."""
    timeline = world.timeline
    gripper = mode_named("palletizer", "layer gripper not closed")
    night = timeline.last_night[0] * HOUR_S
    sensor = next(c for c in gripper.causes if "sensor" in c.name)
    stops = [Stop(
        "PAL-01", night + 3 * HOUR_S + 1020, night + 5 * HOUR_S + 2880, gripper.reason, gripper, sensor,
        "Layer gripper not closed, closed signal lost. Cable of the gripper sensor chafed through at the energy chain, sensor replaced.", story="i",
    )]
    coolant = mode_named("cnc", "coolant flow low")
    for number, hours_ago in enumerate(BURST_HOURS_AGO):
        start = timeline.end_s - int(hours_ago * HOUR_S)
        end = start + 900 + 240 * (number % 3)
        if timeline.planned["LINE-3"][start // HOUR_S] and timeline.planned["LINE-3"][end // HOUR_S]:
            stops.append(Stop("CNC-02", start, end, coolant.reason, coolant, coolant.causes[0], story="b"))
    magazine = mode_named("cnc", "tool magazine position")
    stops.append(Stop(
        "CNC-03", timeline.end_s - 2940, timeline.end_s, magazine.reason, magazine, magazine.causes[0],
        "Magazine does not find pocket 14, technician on the way", ongoing=True, story="now",
    ))
    return stops


def down_seconds(world: World, stops: list[Stop]) -> dict[str, Floats]:
    """Down time per machine and hour."""
    down = {machine["id"]: np.zeros(world.timeline.hours) for machine in world.equipment}
    for stop in stops:
        for hour in range(stop.start_s // HOUR_S, -(-stop.end_s // HOUR_S)):
            down[stop.equipment][hour] += min(stop.end_s, (hour + 1) * HOUR_S) - max(stop.start_s, hour * HOUR_S)
    return down


def vibration_onset_s(world: World) -> float:
    """When the spindle vibration of CNC-02 begins to rise (story a)."""
    return story_second(world.timeline, 35)


def surface_trouble_s(world: World) -> float:
    """When the vibration has become large enough to be seen on the parts: after a third of the rise, 14 days at most."""
    onset = vibration_onset_s(world)
    return onset + min(14 * DAY_S, (world.timeline.end_s - onset) / 3)
