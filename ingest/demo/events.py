"""Downtime and alarm events, and the shift notes that sum them up: what the machines and people of each shift reported."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date

import numpy as np

from ingest.demo.counts import Counts
from ingest.demo.stops import BURST_HOURS_AGO, Stop, alarm_entry, modes, surface_trouble_s
from ingest.demo.texts import Writer
from ingest.demo.world import DAY_S, HOUR_S, World, load

PER_1000_H = {"low": 2.6, "medium": 1.2, "high": 0.25, "critical": 0.02}     # alarms that pass without a stop
WARNED_SHARE = 0.5       # clogged-filter stops that alarm 520 announces hours before
COMMENT_SHARE = 0.3
LAST_HOURS = (5, 13, 21)     # local hours that end a shift


@dataclass(frozen=True)
class Alarm:
    equipment: str
    code: str
    severity: str
    message: str
    raised_s: int
    acknowledged_s: int | None
    cleared_s: int | None


def fill_downtime(world: World, stops: list[Stop]) -> None:
    writer = Writer(world.random(70))
    for stop in stops:
        comment = stop.comment
        if comment is None and stop.mode and stop.cause and writer.rng.random() < COMMENT_SHARE:
            comment = writer.pick(stop.cause.words) if writer.rng.random() < 0.5 else stop.mode.title.lower()
        length = None if stop.ongoing else float(stop.end_s - stop.start_s)
        world.rows("downtime_events").append((
            stop.downtime_id, stop.equipment, world.timeline.text(stop.start_s), None if stop.ongoing else world.timeline.text(stop.end_s), length,
            stop.reason, stop.mode.code if stop.mode else None, stop.order_id, comment,
        ))


def fill_alarms(world: World, stops: list[Stop]) -> None:
    """Alarms of stops, warnings before them, alarms that passed by themselves, and those that are active now."""
    rng = world.random(71)
    found: list[Alarm] = []
    for stop in stops:
        if stop.mode is None or stop.mode.code is None:
            continue
        raised = max(0, stop.start_s - int(rng.integers(0, 40)))
        acknowledged = raised + int(rng.integers(20, 300))
        cleared = None if stop.ongoing else max(acknowledged + 5, stop.end_s - int(rng.integers(0, 60)))
        found.append(Alarm(stop.equipment, stop.mode.code, stop.mode.severity, stop.mode.title, raised, acknowledged, cleared))
        if stop.mode.code == "502" and stop.cause is not None and "filter" in stop.cause.name and rng.random() < WARNED_SHARE:
            warned = raised - int(rng.integers(2 * HOUR_S, 12 * HOUR_S))
            if warned > 0:
                found += one(world, stop.equipment, "520", warned, warned + 240, warned + int(rng.integers(1200, 7200)))
    for machine in world.equipment:
        found += passing(world, rng, machine["id"], machine["class"])
    found += planted(world)
    found.sort(key=lambda a: (a.raised_s, a.equipment, a.code))
    text = world.timeline.text
    for number, alarm in enumerate(found, 1):
        world.rows("alarm_events").append((
            f"AL-{number:07d}", alarm.equipment, alarm.code, alarm.severity, alarm.message, text(alarm.raised_s),
            None if alarm.acknowledged_s is None else text(alarm.acknowledged_s), None if alarm.cleared_s is None else text(alarm.cleared_s),
        ))


def one(world: World, equipment: str, code: str, raised_s: int, acknowledged_s: int | None, cleared_s: int | None) -> list[Alarm]:
    entry = alarm_entry(world.class_of(equipment), code)
    if entry is None:
        return []
    return [Alarm(equipment, str(entry["code"]), str(entry["severity"]), str(entry["title"]), raised_s, acknowledged_s, cleared_s)]


def passing(world: World, rng: np.random.Generator, equipment: str, equipment_class: str) -> list[Alarm]:
    """Alarms without a stop; of those of the last hours some are still active."""
    timeline = world.timeline
    planned = np.flatnonzero(timeline.planned[world.line_of(equipment)])
    used = {mode.code for mode in modes(equipment_class)} | {"204", "502"}
    found = []
    for entry in load("alarms").get(equipment_class, []):
        if str(entry["code"]) in used:
            continue
        count = int(rng.poisson(PER_1000_H[str(entry["severity"])] * len(planned) / 1000))
        raised = rng.choice(planned, size=count) * HOUR_S + rng.integers(0, HOUR_S - 30, size=count)
        for second in np.sort(raised):
            length = int(np.exp(rng.normal(np.log(420), 1.0)))
            lasting = str(entry["severity"]) in ("low", "medium") and rng.random() < 0.45
            active = second + length >= timeline.end_s or (second > timeline.end_s - 20 * HOUR_S and lasting)
            acknowledged = int(second) + int(rng.integers(10, max(12, length)))
            found.append(Alarm(
                equipment, str(entry["code"]), str(entry["severity"]), str(entry["title"]), int(second),
                acknowledged if acknowledged < timeline.end_s else None, None if active else int(second) + max(length, acknowledged - int(second)),
            ))
    return found


def planted(world: World) -> list[Alarm]:
    """CNC-02: spindle vibration alarms that come more and more often (story a), and coolant flow low right now (story b)."""
    end_s = world.timeline.end_s
    begin = surface_trouble_s(world) + (end_s - surface_trouble_s(world)) * 0.45
    found: list[Alarm] = []
    for step in np.linspace(0.0, 1.0, 9)[:-1]:
        raised = int(begin + (end_s - begin) * float(step) ** 0.6)
        if world.timeline.planned["LINE-3"][min(raised // HOUR_S, world.timeline.hours - 1)] and raised < end_s - 5 * HOUR_S:
            found += one(world, "CNC-02", "204", raised, raised + 180, raised + 1500)
    found += one(world, "CNC-02", "204", end_s - 4 * HOUR_S, end_s - 4 * HOUR_S + 240, None)
    return found + one(world, "CNC-02", "502", end_s - 2100, end_s - 1980, None)


def fill_notes(world: World, stops: list[Stop], made: list[Counts]) -> None:
    """A handover note for most worked shifts of each line, from what happened in them."""
    writer = Writer(world.random(72))
    patterns = load("log_texts")["shift_notes"]
    timeline = world.timeline
    last = {line: stations[-1] for line, stations in world.processes["stations"].items()}
    good: dict[tuple[str, date, str], int] = defaultdict(int)
    ends: dict[tuple[str, date, str], int] = {}
    for line in last:
        for hour in np.flatnonzero(timeline.planned[line]).tolist():
            key = (line, timeline.shift_date[hour], timeline.shift[hour])
            ends[key] = (hour + 1) * HOUR_S
            good[key] += sum(int(c.good[hour]) for c in made if c.station == last[line])
    per_shift: dict[tuple[str, date, str], list[Stop]] = defaultdict(list)
    for stop in stops:
        hour = stop.start_s // HOUR_S
        if stop.reason not in ("blocked", "starved"):
            per_shift[(world.line_of(stop.equipment), timeline.shift_date[hour], timeline.shift[hour])].append(stop)
    number = 0
    for key in sorted(ends, key=lambda k: (ends[k], k[0])):
        line, day, shift = key
        shown = any(stop.story == "i" for stop in per_shift[key])
        running = (shift, day) == (timeline.shift[-1], timeline.shift_date[-1]) and timeline.local[-1].hour not in LAST_HOURS
        if not shown and (running or writer.rng.random() < 0.08):
            continue
        number += 1
        author = writer.pick(world.team("operator", line, shift))
        text = note(world, writer, per_shift[key], good[key], line)
        if shown:
            text = writer.fill(patterns["stop_of_story"], stop_slots(world, next(s for s in per_shift[key] if s.story == "i")))
        world.rows("shift_notes").append((f"SN-{number:05d}", line, shift, day.isoformat(), author, timeline.text(ends[key] - 300), text))


def note(world: World, writer: Writer, stops: list[Stop], good: int, line: str) -> str:
    patterns = load("log_texts")["shift_notes"]
    long = sorted((s for s in stops if s.end_s - s.start_s >= 900), key=lambda s: s.start_s - s.end_s)[:2]
    sentences = [writer.fill(writer.pick(patterns["opening" if long else "quiet"]), {"good": good, "line": line})]
    for stop in long:
        sentences.append(writer.fill(writer.pick(patterns["stop"]), stop_slots(world, stop)))
    if writer.rng.random() < 0.35:
        sentences.append(writer.fill(writer.pick(patterns["remarks"]), {"line": line}))
    return " ".join(sentences)


def stop_slots(world: World, stop: Stop) -> dict[str, object]:
    """What a note says about a stop; the time of day is the plant's."""
    begun, ended = (world.timeline.moment(second).astimezone(world.timeline.zone) for second in (stop.start_s, stop.end_s))
    what = stop.mode.title.lower() if stop.mode else stop.reason
    minutes = round((stop.end_s - stop.start_s) / 60)
    return {"machine": stop.equipment, "what": what, "min": minutes, "at": f"{begun:%H:%M}", "until": f"{ended:%H:%M}"}


def burst_truth(world: World) -> list[str]:
    return [world.timeline.text(world.timeline.end_s - int(h * HOUR_S)) for h in BURST_HOURS_AGO if h * HOUR_S < world.timeline.end_s - DAY_S]
