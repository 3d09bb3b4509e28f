"""How a signal behaved: its course over a period in even steps, gaps shown, limits counted, latest value and trend.

Means, extremes and counts are made by the database over literal ranges; nothing is interpolated over a gap.
tests/test_signals.py recomputes every figure from the raw samples.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from rapidfuzz import fuzz, process

from tools.calendar import Span
from tools.conditions import resolve, unknown_name
from tools.evidence import Column, Evidence, Value, fact
from tools.labels import query_of
from tools.model_file import SignalsSpec
from tools.plant_model import Plant, quoted
from tools.registry import Call, Choice, Period, Result, Unanswerable
from tools.spans import Bucket, Times, spans_sql
from tools.sql import Rows, Statement

MAX_POINTS = 96
STEPS_S = (60, 300, 600, 900, 1800, 3600, 7200, 10800, 14400, 21600, 43200, 86400, 172800, 604800)
MIN_TREND_POINTS = 6


@dataclass(frozen=True)
class Signal:
    """One signal of one machine; limits may be absent."""

    id: str
    equipment: str
    name: str
    unit: str
    low: float | None
    high: float | None

    @property
    def label(self) -> str:
        return self.name.replace("_", " ")


def signal_trend(call: Call, signal: str, equipment: str | None = None, period: Period | None = None) -> Result:
    """The course of a machine's signal (temperature, vibration, pressure, current ...) over a period: latest value,
    mean, minimum, maximum, limits and how often they were crossed, trend, and the points of a chart."""
    try:
        return _trend(call, signal, equipment, period)
    except Unanswerable as stop:
        return stop.result


def _trend(call: Call, said: str, equipment: str | None, period: Period | None) -> Result:
    plant = call.plant
    spec = plant.model.signals
    if spec is None:
        raise Unanswerable(Result("no_data", message="The plant's database holds no signals."))
    machine = resolve(plant, "equipment", equipment) if equipment else None
    if machine and not call.caller.scope.allows_line(plant.equipment[machine].line) and plant.lines:
        line = plant.name("line", plant.equipment[machine].line)
        message = f"Signals of {plant.name('equipment', machine)} ({line}) are outside your lines; a supervisor may see them."
        raise Unanswerable(Result("not_allowed", message=message))
    found = find_signal(call, spec, said, machine)
    if period is not None and period.end <= period.start:
        raise Unanswerable(Result("needs_clarification", message=f"The period {period.text} ends before it begins."))
    if period is not None and period.start >= call.now:
        raise Unanswerable(Result("no_data", message=f"The period {period.text} lies in the future."))
    assumed: tuple[str, ...] = ()
    if period is None:
        period = Period("the last 24 hours", call.now - timedelta(hours=24), call.now, True)
        assumed = (f"period: {period.text}",)
    if equipment is None:
        assumed = (*assumed, f"machine: {plant.name('equipment', found.equipment)}")
    latest = _latest(call, spec, found)
    points, answer = _points(call, spec, found, period)
    if not any(point["samples"] for point in points):
        last = f" The last sample is of {plant.calendar.local(latest[0]):%-d %b %Y %H:%M}." if latest else ""
        name = f"{found.label} of {plant.name('equipment', found.equipment)}"
        return Result("no_data", message=f"There are no samples of {name} in {period.text}.{last}", assumed=assumed)
    evidence = _evidence(call, found, period, points, answer, latest)
    data = {"signal": found, "period": period}
    return Result("answered", (evidence,), assumed=assumed, data=data)


# -- which signal


def signals_of(call: Call, spec: SignalsSpec, machine: str | None = None) -> list[Signal]:
    """The signals that the caller may see, of one machine or of all."""
    columns = [spec.key, spec.equipment, spec.name, spec.unit, spec.low, spec.high]
    names = ", ".join(f"{quoted(c) if c else 'NULL'} AS c{i}" for i, c in enumerate(columns))
    where = ""
    parameters: dict[str, object] = {}
    if machine is not None:
        where = f" WHERE {quoted(spec.equipment)} = :machine"
        parameters["machine"] = int(machine) if call.plant.holds_integers(spec.table, spec.equipment) else machine
    answer = _run(call, f"SELECT {names} FROM {quoted(spec.table)}{where} ORDER BY {quoted(spec.key)}", parameters)
    return [
        Signal(str(r[0]), str(r[1]), str(r[2]), str(r[3] or ""), _float(r[4]), _float(r[5])) for r in answer.rows
    ]


def find_signal(call: Call, spec: SignalsSpec, said: str, machine: str | None) -> Signal:
    """The signal meant by a person's words. Raises Unanswerable with choices when several or none fit."""
    known = signals_of(call, spec, machine)
    fitting = matching(call.plant, spec, known, said)
    if machine is None and len(fitting) > 1 and call.equipment is not None:
        here = [signal for signal in fitting if signal.equipment == call.equipment]
        fitting = here or fitting
    if len(fitting) == 1:
        return fitting[0]
    if not fitting:
        if machine is not None and known:
            near = process.extract(said.lower(), {s.id: s.label for s in known}, scorer=fuzz.WRatio, limit=3)
            labels = list(dict.fromkeys(label for label, _, _ in near))
            name = call.plant.name("equipment", machine)
            choices = tuple(Choice(label, f"{label} of {name}") for label in labels)
            message = f"{name} has no signal {said}; it has {', '.join(sorted({s.label for s in known}))}."
            raise Unanswerable(Result("needs_clarification", message=message, choices=choices))
        raise Unanswerable(unknown_name(call.plant, "signal", said))
    choices = tuple(
        Choice(f"{s.label}, {call.plant.name('equipment', s.equipment)}", f"{s.label} of {call.plant.name('equipment', s.equipment)}")
        for s in fitting[:3]
    )
    raise Unanswerable(Result("needs_clarification", message=f"Several signals fit {said}. Which one?", choices=choices))


def matching(plant: Plant, spec: SignalsSpec, known: Sequence[Signal], said: str) -> list[Signal]:
    """Signals that fit the words, the closest kind of fit alone: id or name, alias, all words, most words, like words."""
    wanted = _words(said)
    exact = [s for s in known if said.lower() in (s.id.lower(), s.name.lower()) or _words(s.name) == wanted]
    if exact:
        return exact
    aliased = {name for name, words in spec.aliases.items() if any(_words(word) == wanted for word in words)}
    if aliased:
        return [s for s in known if s.name in aliased]
    whole = [s for s in known if wanted and set(wanted) <= set(_words(s.name))]
    within = [s for s in known if wanted and set(_words(s.name)) <= set(wanted)]
    if whole or within:
        return whole or within
    scores = {s.id: fuzz.token_set_ratio(" ".join(wanted), " ".join(_words(s.name))) for s in known}
    best = max(scores.values(), default=0.0)
    return [s for s in known if best >= 80 and scores[s.id] == best]


#: Short forms of measured quantities, as people say them.
_SHORT = {"temp": "temperature", "temps": "temperature", "vib": "vibration", "vibes": "vibration", "amps": "current",
          "amperage": "current", "press": "pressure", "pressures": "pressure", "temperatures": "temperature", "level": "level",
          "vibrations": "vibration", "curr": "current", "rpm": "speed"}  # fmt: skip
_FILLER = frozenset(("the", "of", "signal", "value", "reading", "on", "at", "sensor"))


def _words(text: str) -> tuple[str, ...]:
    parts = re.findall(r"[a-z]+|\d+", text.lower())
    return tuple(_SHORT.get(part, part) for part in parts if part not in _FILLER)


# -- its samples


def step_of(period: Period, interval_s: float, points: int = MAX_POINTS) -> int:
    """The step of a chart in seconds: an even one, no finer than the samples, at most `points` of them."""
    wanted = max((period.end - period.start).total_seconds() / points, interval_s)
    return next((step for step in STEPS_S if step >= wanted), STEPS_S[-1])


def even_ranges(period: Period, step_s: int, until: datetime) -> list[Bucket]:
    """Half-open ranges of equal length that cover the period, up to `until`."""
    edges: list[Bucket] = []
    # On UTC: a step across a change of clocks keeps its length.
    begin, end = period.start.astimezone(UTC), min(period.end, until).astimezone(UTC)
    while begin < end and len(edges) < 4 * MAX_POINTS:
        stop = min(begin + timedelta(seconds=step_s), end)
        edges.append(Bucket((str(len(edges)),), Span(str(len(edges)), begin, stop)))
        begin = stop
    return edges


def _points(call: Call, spec: SignalsSpec, signal: Signal, period: Period) -> tuple[list[dict[str, Value]], Rows]:
    """Mean, minimum, maximum and count of each step; a step without samples stands there empty."""
    plant = call.plant
    step = step_of(period, spec.interval_s)
    buckets = even_ranges(period, step, call.now)
    spans = Times(period.start, period.end, ("step",), tuple(buckets))
    value, at = f"t.{quoted(spec.sample_value)}", f"t.{quoted(spec.sample_time)}"
    parameters: dict[str, object] = {"signal": _typed(plant, spec, signal.id)}
    outside = []
    for bound, sign in ((signal.low, "<"), (signal.high, ">")):
        if bound is not None:
            name = "low" if sign == "<" else "high"
            parameters[name] = bound
            outside.append(f"{value} {sign} :{name}")
    crossed = f"SUM(CASE WHEN {' OR '.join(outside)} THEN 1 ELSE 0 END)" if outside else "0"
    sql = (
        f"WITH {spans_sql(plant, spec.samples, spans)} SELECT spans.step_label AS step, AVG({value}) AS mean,"
        f" MIN({value}) AS low, MAX({value}) AS high, COUNT(*) AS samples, {crossed} AS outside"
        f" FROM spans CROSS JOIN {quoted(spec.samples)} AS t"
        f" WHERE t.{quoted(spec.sample_signal)} = :signal AND {at} >= spans.since AND {at} < spans.until"
        f" GROUP BY spans.step_label"
    )
    answer = _run(call, sql, parameters)
    known = {str(row[0]): row for row in answer.rows}
    points: list[dict[str, Value]] = []
    for bucket in buckets:
        row = known.get(bucket.labels[0])
        points.append({
            "time": bucket.span.start, "mean": _float(row[1]) if row else None, "min": _float(row[2]) if row else None,
            "max": _float(row[3]) if row else None, "samples": int(row[4]) if row else 0,
            "outside": int(row[5] or 0) if row else 0,
        })  # fmt: skip
    return points, answer


def _latest(call: Call, spec: SignalsSpec, signal: Signal) -> tuple[datetime, float] | None:
    at = quoted(spec.sample_time)
    parameters = {
        "signal": _typed(call.plant, spec, signal.id), "now": call.plant.write_time(call.now, spec.samples),
    }  # fmt: skip
    sql = (
        f"SELECT {at} AS sampled, {quoted(spec.sample_value)} AS value FROM {quoted(spec.samples)}"
        f" WHERE {quoted(spec.sample_signal)} = :signal AND {at} <= :now ORDER BY {at} DESC LIMIT 1"
    )
    answer = _run(call, sql, parameters)
    if not answer.rows:
        return None
    when = call.plant.read_time(answer.rows[0][0], spec.samples)
    value = _float(answer.rows[0][1])
    return None if when is None or value is None else (when, value)


def _evidence(
    call: Call, signal: Signal, period: Period, points: list[dict[str, Value]], answer: Rows,
    latest: tuple[datetime, float] | None,
) -> Evidence:  # fmt: skip
    plant, unit = call.plant, signal.unit
    counted = sum(_int(p["samples"]) for p in points)
    total = sum((_float(p["mean"]) or 0.0) * _int(p["samples"]) for p in points)
    lows = [value for p in points if (value := _float(p["min"])) is not None]
    highs = [value for p in points if (value := _float(p["max"])) is not None]
    facts: dict[str, tuple[Column, Value]] = {
        "signal": fact("Signal", signal.label),
        "machine": fact("Machine", plant.name("equipment", signal.equipment)),
        "period": fact("Period", period.text),
        "start": fact("From", period.start, "time"),
        "end": fact("To", min(period.end, call.now), "time"),
        "mean": fact("Mean", total / counted, "number", unit),
        "min": fact("Minimum", min(lows), "number", unit),
        "max": fact("Maximum", max(highs), "number", unit),
        "samples": fact("Samples", counted, "count"),
    }
    if latest is not None and latest[0] <= period.end:
        facts["latest"] = fact("Latest value", latest[1], "number", unit)
        facts["latest_at"] = fact("Latest sample", latest[0], "time")
    if signal.low is not None:
        facts["low_limit"] = fact("Low limit", signal.low, "number", unit)
    if signal.high is not None:
        facts["high_limit"] = fact("High limit", signal.high, "number", unit)
    outside = sum(_int(p["outside"]) for p in points)
    if signal.low is not None or signal.high is not None:
        facts["outside"] = fact("Samples outside the limits", outside, "count")
        facts["outside_share"] = fact("Share outside the limits", outside / counted, "percent")
    gaps = sum(1 for p in points if not p["samples"])
    if gaps:
        facts["gaps"] = fact("Steps without samples", gaps, "count")
    if (slope := trend_per_day(points)) is not None:
        facts["trend"] = fact("Trend per day", slope, "number", f"{unit}/day" if unit else "per day")
        first, last = _ends(points)
        facts["begin_mean"] = fact("Mean at the beginning", first, "number", unit)
        facts["end_mean"] = fact("Mean at the end", last, "number", unit)
    columns = (
        Column("time", "Time", "time"), Column("mean", "Mean", "number", unit), Column("min", "Minimum", "number", unit),
        Column("max", "Maximum", "number", unit), Column("samples", "Samples", "count"), Column("outside", "Outside limits", "count"),
    )  # fmt: skip
    title = f"{signal.label.capitalize()} of {plant.name('equipment', signal.equipment)}, {period.text}"
    return Evidence("query", title, columns, tuple(points), "time", facts, query=query_of(plant, answer, True))


def trend_per_day(points: Sequence[dict[str, Value]]) -> float | None:
    """The slope of a straight line through the means, in units a day; None for too few points."""
    known = [
        (p["time"].timestamp() / 86400, mean)
        for p in points
        if (mean := _float(p["mean"])) is not None and isinstance(p["time"], datetime)
    ]
    if len(known) < MIN_TREND_POINTS:
        return None
    mean_x = sum(x for x, _ in known) / len(known)
    mean_y = sum(y for _, y in known) / len(known)
    spread = sum((x - mean_x) ** 2 for x, _ in known)
    return sum((x - mean_x) * (y - mean_y) for x, y in known) / spread if spread else None


def _ends(points: Sequence[dict[str, Value]]) -> tuple[float, float]:
    """The means of the first and the last quarter."""
    known = [v for p in points if (v := _float(p["mean"])) is not None]
    quarter = max(1, len(known) // 4)
    return sum(known[:quarter]) / quarter, sum(known[-quarter:]) / quarter


def _typed(plant: Plant, spec: SignalsSpec, id: str) -> object:
    return int(id) if plant.holds_integers(spec.samples, spec.sample_signal) else id


def _float(value: object) -> float | None:
    number = math.nan if value is None else float(str(value))
    return number if math.isfinite(number) else None


def _int(value: Value) -> int:
    return int(value) if isinstance(value, int | float) else 0


def _run(call: Call, sql: str, parameters: dict[str, object]) -> Rows:
    plant = call.plant
    return plant.database.run(
        Statement(sql, parameters), plant.grants(call.caller, call.policy), deadline_s=call.deadline_s
    )
