"""Five-minute means of the machines' signals for the last weeks: what the machine does decides between rest and load, temperatures follow
slowly, and the stories show: the spindle of CNC-02 begins to vibrate, coolant flow falls before alarm 502."""

from __future__ import annotations

from typing import Any

import numpy as np

from ingest.demo.counts import Counts
from ingest.demo.stops import Stop, vibration_onset_s
from ingest.demo.world import DAY_S, HOUR_S, Floats, Ints, World

STEP_S = 300
VIBRATION_RISE = 2.6         # mm/s that the spindle of CNC-02 gains under load by the end
SLOW = ("temperature",)


def fill_signals(world: World, made: list[Counts], stops: list[Stop]) -> None:
    """Rows of signal_samples in the order of the primary key."""
    timeline = world.timeline
    rng = world.random(80)
    first = max(0, timeline.end_s - world.signal_days * DAY_S)
    seconds = np.arange(first, timeline.end_s + 1, STEP_S, dtype=np.int64)
    stamps = timeline.texts(seconds)
    rows = world.rows("signal_samples")
    signals = {name: (equipment, short) for name, equipment, short, *_ in world.rows("signals")}
    for name in sorted(signals):
        equipment, short = signals[name]
        entry = next(s for s in world.processes["signals"][world.class_of(equipment)] if s["name"] == short)
        load_share = running(world, made, stops, equipment, seconds)
        values = course(rng, entry, load_share)
        if short == "spindle_vibration" and equipment == "CNC-02":
            begin = vibration_onset_s(world)
            grown = np.clip((seconds - begin) / max(1.0, timeline.end_s - begin), 0, 1)
            values = values + VIBRATION_RISE * grown**1.3 * load_share
        if short == "coolant_flow":
            values = values * clogging(stops, equipment, seconds)
        rows.extend(zip((name,) * len(stamps), stamps, np.round(values, 3).clip(0).tolist(), strict=True))


def running(world: World, made: list[Counts], stops: list[Stop], equipment: str, seconds: Ints) -> Floats:
    """Share of load at each sample: the hour's production share, none during a stop."""
    hours = np.minimum(seconds // HOUR_S, world.timeline.hours - 1)
    production = np.sum([c.production_s for c in made if c.station == equipment], axis=0)
    planned = np.sum([c.planned_s for c in made if c.station == equipment], axis=0)
    share = np.where(production[hours] > 0, np.clip(production[hours] / HOUR_S + 0.1, 0, 1), 0.0) * (planned[hours] > 0)
    for stop in stops:
        if stop.equipment == equipment and stop.end_s >= seconds[0]:
            low, high = np.searchsorted(seconds, [stop.start_s, stop.end_s])
            share[low:high] = 0.0
    return np.asarray(share, dtype=np.float64)


def course(rng: np.random.Generator, entry: dict[str, Any], load_share: Floats) -> Floats:
    """Values between rest and load with noise; temperatures approach their level over about an hour."""
    level = entry["rest"] + (entry["load"] - entry["rest"]) * load_share
    if any(word in entry["name"] for word in SLOW):
        kernel = np.exp(-np.arange(24) / 8.0)
        padded = np.concatenate([np.full(23, level[0]), level])
        level = np.convolve(padded, kernel / kernel.sum(), mode="valid")
    noise = rng.normal(0.0, entry["noise"], len(level)) * (0.25 + 0.75 * load_share)
    return np.asarray(level + noise, dtype=np.float64)


def clogging(stops: list[Stop], equipment: str, seconds: Ints) -> Floats:
    """Factor on the coolant flow: it sinks over the hours before a stop by alarm 502 and is back afterwards."""
    factor = np.ones(len(seconds))
    for stop in stops:
        if stop.equipment == equipment and stop.mode is not None and stop.mode.code == "502" and stop.end_s >= seconds[0]:
            begin = stop.start_s - 10 * HOUR_S
            low, high = np.searchsorted(seconds, [begin, stop.start_s])
            sinking = 1 - 0.42 * ((seconds[low:high] - begin) / (10 * HOUR_S)) ** 2
            factor[low:high] = np.minimum(factor[low:high], sinking)
    if equipment == "CNC-02":     # the alarm that is active at the end
        factor[-10:] = np.minimum(factor[-10:], np.linspace(0.75, 0.58, 10))
    return factor
