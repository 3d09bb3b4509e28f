"""Alarm load as ISA-18.2 (IEC 62682) counts it: alarms per operator and ten minutes, floods, peaks, chattering.

An operator's position is a line; where a question tells machines apart, it is a machine. Time is cut into steps of ten
minutes on the hour. A flood begins with a step of more than ten alarms at one position and ends with the first step of
fewer than five; a chattering alarm is one code of one machine raised three times or more within a minute. The events are
fetched once and counted here, since no engine's windows are trusted to agree. tests/test_floods.py plants every case.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from tools.conditions import PLACES
from tools.evidence import Value
from tools.figures import Figures, Question
from tools.formula import value_of
from tools.plant_model import Plant
from tools.query import Parameters, Rowset, cannot
from tools.registry import Call, Result, Unanswerable
from tools.sql import Rows, Statement

STEP_S = 600
BEGINS_ABOVE, ENDS_BELOW = 10, 5
CHATTER_TIMES, CHATTER_S = 3, 60.0
#: What an element's `derived` may name.
OF_POSITIONS = ("steps", "flood_steps", "floods", "flood_alarms", "peak")


@dataclass(frozen=True)
class Event:
    """One alarm: the machine that raised it, its code, and when."""

    equipment: str
    code: str
    at: datetime


@dataclass
class Load:
    """What a group holds. `peak` is the most alarms in one step, so groups take the greatest and never add it."""

    steps: float = 0.0
    flood_steps: float = 0.0
    floods: float = 0.0
    flood_alarms: float = 0.0
    peak: float = 0.0
    raised: float = 0.0
    chattering: float = 0.0

    def put(self, name: str, value: float) -> None:
        setattr(self, name, max(self.peak, value) if name == "peak" else getattr(self, name) + value)


@dataclass(frozen=True)
class _Bucket:
    labels: tuple[str, ...]
    start: datetime
    end: datetime
    loads: dict[tuple[str, str], Load] = field(default_factory=dict)  # (position, code or "") -> load

    def load(self, position: str, code: str = "") -> Load:
        return self.loads.setdefault((position, code), Load())


def compute(call: Call, question: Question, elements: Sequence[str]) -> Figures:
    """The derived elements of a metric question, and the metrics over them, one row a group. Raises Unanswerable for a
    grouping that alarms are not recorded by, and for more alarms than one answer may hold."""
    plant, model = call.plant, call.plant.model
    record_name = next(iter(model.elements[elements[0]].sum))
    record = model.records[record_name]
    floods = any(model.elements[e].derived in OF_POSITIONS for e in elements)
    for key in question.by:
        if key not in (*PLACES, *question.times.keys) and (floods or key != "alarm"):
            raise Unanswerable(cannot(record, key) if not floods else _per_place(key))
    answer, events = _events(call, question, record_name)
    alone = bool({"equipment", "equipment_class"} & {*question.by, *(c.key for c in question.filters if c.include)})
    buckets = _buckets(call, question)
    fill(buckets, events, _positions(plant, question, alone), alone, plant, "alarm" in question.by)
    rows: dict[tuple[Value, ...], tuple[dict[str, Value], Load]] = {}
    for bucket in buckets:
        for (position, code), load in bucket.loads.items():
            keys = _keys(plant, question, bucket, position, code, alone)
            sums = rows.setdefault(tuple(keys.values()), (keys, Load()))[1]
            for name in Load.__dataclass_fields__:
                sums.put(name, getattr(load, name))
    out = []
    for keys, sums in rows.values():
        found: dict[str, Value] = {**keys, **{e: getattr(sums, str(model.elements[e].derived)) for e in elements}}
        asked = (*question.metrics, *(c.key for c in question.having), *([question.sort[0]] if question.sort else []))
        found |= {name: value_of(model.metrics[name], found) for name in dict.fromkeys(asked) if name in model.metrics}
        out.append({**found, "counted": sums.raised})
    return Figures(tuple(out), tuple(elements), answer)


def _per_place(key: str) -> Result:
    return Result("no_data", message=f"Alarm floods are counted by line, machine and time, not by {key.replace('_', ' ')}.")


def _events(call: Call, question: Question, record_name: str) -> tuple[Rows, list[Event]]:
    plant = call.plant
    record = plant.model.records[record_name]
    rows = Rowset(plant, record, Parameters(), call.now)
    rows.restrict(question.filters, question.where)
    spans = [bucket.span for bucket in question.times.buckets]
    start, end = (min(s.start for s in spans), max(s.end for s in spans)) if spans else (question.times.start, question.times.end)
    rows.within(start, end)
    code = rows.key("alarm") if isinstance(record.fields.get("alarm"), str) else "''"
    columns = f"{rows.key('equipment')} AS equipment, {code} AS code, {rows.sql_of(record.time or '')} AS at"
    sql = f"SELECT {columns} FROM {rows.from_sql()}{rows.where_sql()} ORDER BY 3, 1, 2"
    statement = Statement(sql, rows.parameters.values, "document")
    answer = plant.database.run(statement, plant.grants(call.caller, call.policy), deadline_s=call.deadline_s)
    if answer.truncated:
        message = "There are too many alarms in this period to look for floods; ask for a shorter one or a single line."
        raise Unanswerable(Result("needs_clarification", message=message))
    found = [Event(str(machine), str(code), at) for machine, code, time in answer.rows if (at := plant.read_time(time, record.table))]
    return answer, found


def _buckets(call: Call, question: Question) -> list[_Bucket]:
    """The pieces of time asked for, none beyond the present."""
    times = question.times
    pieces = [(b.labels, b.span.start, b.span.end) for b in times.buckets] or [((), times.start, times.end)]
    now = call.now.astimezone(UTC)
    found = [_Bucket(labels, start.astimezone(UTC), min(end.astimezone(UTC), now)) for labels, start, end in pieces]
    return sorted((b for b in found if b.start < b.end), key=lambda bucket: bucket.start)


def _positions(plant: Plant, question: Question, alone: bool) -> list[str]:
    """Every position within the question, also those that raised nothing."""
    where = question.where
    machines = [m for m, item in plant.equipment.items() if (where.equipment is None or m in where.equipment)
                and (where.lines is None or item.line in where.lines)]  # fmt: skip
    return machines if alone else list(dict.fromkeys(plant.equipment[m].line for m in machines))


def fill(buckets: Sequence[_Bucket], events: Iterable[Event], positions: Sequence[str], alone: bool, plant: Plant, by_code: bool) -> None:
    """Count events, steps, floods and chattering into the buckets."""
    starts = [bucket.start for bucket in buckets]

    def bucket_at(moment: datetime) -> _Bucket | None:
        place = bisect_right(starts, moment) - 1
        return buckets[place] if place >= 0 and moment < buckets[place].end else None

    for bucket in buckets:
        for position in positions if not by_code else ():
            bucket.load(position).put("steps", (bucket.end - bucket.start).total_seconds() / STEP_S)
    kept = [(event, found) for event in events if (found := bucket_at(event.at.astimezone(UTC))) is not None]
    counts: dict[str, dict[int, list[_Bucket]]] = defaultdict(lambda: defaultdict(list))
    for event, bucket in kept:
        machine = plant.equipment.get(event.equipment)
        position = event.equipment if alone or machine is None else machine.line
        bucket.load(position, event.code if by_code else "").put("raised", 1)
        counts[position][int(event.at.timestamp() // STEP_S)].append(bucket)
    for position, steps in counts.items() if not by_code else ():
        _floods(position, steps)
    for event, bucket in _chattering(kept):
        machine = plant.equipment.get(event.equipment)
        position = event.equipment if alone or machine is None else machine.line
        bucket.load(position, event.code if by_code else "").put("chattering", 1)


def _floods(position: str, steps: Mapping[int, Sequence[_Bucket]]) -> None:
    """Walk one position's steps in time order; a step without alarms ends a flood."""
    last, flooded = -2, False
    for index in sorted(steps):
        load, count = steps[index][0].load(position), len(steps[index])
        load.put("peak", count)
        if index != last + 1 or count < ENDS_BELOW:
            flooded = False
        if not flooded and count > BEGINS_ABOVE:
            flooded = True
            load.put("floods", 1)
        if flooded:
            load.put("flood_steps", 1)
            load.put("flood_alarms", count)
        last = index


def _chattering(kept: Sequence[tuple[Event, _Bucket]]) -> list[tuple[Event, _Bucket]]:
    """The events that are one of three or more of the same source within a minute."""
    sources: dict[tuple[str, str], list[tuple[Event, _Bucket]]] = defaultdict(list)
    for event, bucket in kept:
        sources[event.equipment, event.code].append((event, bucket))
    found = []
    for own in sources.values():
        noisy = set()
        for first in range(len(own) - CHATTER_TIMES + 1):
            last = first + CHATTER_TIMES - 1
            if (own[last][0].at - own[first][0].at).total_seconds() <= CHATTER_S:
                noisy |= set(range(first, last + 1))
        found += [own[index] for index in sorted(noisy)]
    return found


def _keys(plant: Plant, question: Question, bucket: _Bucket, position: str, code: str, alone: bool) -> dict[str, Value]:
    labels = dict(zip(question.times.keys, bucket.labels, strict=False))
    machine = plant.equipment.get(position) if alone else None
    line = machine.line if machine else position
    area = plant.lines[line].parent if line in plant.lines else ""
    places = {"equipment": position, "equipment_class": machine.cls if machine else "", "line": line, "area": area,
              "site": plant.areas[area].parent if area in plant.areas else "", "alarm": code}  # fmt: skip
    return {key: labels.get(key, places.get(key)) for key in question.by}
