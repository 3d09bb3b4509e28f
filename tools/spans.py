"""When a question is about: periods cut into literal half-open ranges by the calendar, and their SQL.

Days, weeks and shifts never reach a database as functions; they reach it as these ranges. tests/test_metrics.py runs
them over the night on which the clocks go back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from tools.calendar import Span, Unit
from tools.conditions import Condition, resolve
from tools.model_file import Clock
from tools.plant_model import EPOCH_UNITS, Plant
from tools.registry import Period

TIME_KEYS: tuple[Unit, ...] = ("hour", "day", "week", "month", "quarter", "year")


#: Ranges that fit one statement: the gate takes 12,000 words, and nobody reads more bars than this.
MAX_SPANS = 800


@dataclass(frozen=True)
class Bucket:
    """A literal range and what it is called by each time key (`day`, `shift`, ...)."""

    labels: tuple[str, ...]
    span: Span


@dataclass(frozen=True)
class Times:
    """The time part of a question: the whole range, and its buckets when shifts or time keys are asked for."""

    start: datetime
    end: datetime
    keys: tuple[str, ...] = ()
    buckets: tuple[Bucket, ...] = ()
    notes: tuple[str, ...] = ()
    whole: bool = False  # everything recorded: rows without a time count too

    @property
    def ranges(self) -> bool:
        return bool(self.buckets)


def times(plant: Plant, period: Period, by: Sequence[str], shifts: Condition | None) -> Times:
    """Buckets of a period. A shift belongs to the day on which it starts, so a period of whole days means the shifts
    that start in it, whole; any other period cuts them. Raises Unanswerable for an unknown shift."""
    if not plant.calendar.shifts:
        shifts = None  # shifts that only a column names are a group like any other
    keys = tuple(key for key in by if key in TIME_KEYS or (key == "shift" and plant.calendar.shifts))
    if not keys and shifts is None:
        return Times(period.start, period.end)
    calendar = plant.calendar
    notes: tuple[str, ...] = ()
    pieces: list[tuple[str, datetime, Span]]
    if shifts is not None or "shift" in keys:
        names = _shift_names(plant, shifts)
        whole = calendar.whole_days(period.start, period.end)
        pieces = []
        for run in calendar.runs(period.start, period.end, names):
            start, end = run.start, run.end
            if whole and not period.start <= start < period.end:
                continue
            if not whole:
                start, end = max(start, period.start), min(end, period.end)
            pieces.append((run.shift.id, calendar.at(run.date), Span(run.shift.id, start, end)))
        if whole:
            notes = ("a shift counts for the day on which it starts",)
    else:
        pieces = [("", period.start, Span("", period.start, period.end))]
    buckets: list[Bucket] = []
    units = [key for key in TIME_KEYS if key in keys]
    for shift, day, span in pieces:
        for piece in calendar.split(span.start, span.end, units[0]) if units else [span]:
            if shift and units and units[0] != "hour":
                piece = replace(span, label=calendar.label(day, units[0]))
            at = day if shift else piece.start
            labels = tuple(
                shift if key == "shift" else piece.label if key == units[0] else calendar.label(at, key)  # type: ignore[arg-type]
                for key in keys
            )
            buckets.append(Bucket(labels, piece))
            if shift and units and units[0] != "hour":
                break
    if len(buckets) > MAX_SPANS and "hour" in keys:
        finer = times(plant, period, [("day" if key == "hour" else key) for key in by], shifts)
        return replace(finer, notes=(*finer.notes, "by day, since the period has too many hours to show"))
    return Times(period.start, period.end, keys, tuple(buckets[:2000]), notes)


def _shift_names(plant: Plant, shifts: Condition | None) -> tuple[str, ...]:
    if shifts is None:
        return ()
    if shifts.exclude:
        without = {resolve(plant, "shift", value) for value in shifts.exclude}
        return tuple(shift.id for shift in plant.calendar.shifts if shift.id not in without)
    return tuple(dict.fromkeys(resolve(plant, "shift", value) for value in shifts.include))


def epoch(column: str, dialect: str, format: str = "") -> str:
    """Seconds since 1970 of a time column: the length of a stop within a period is a difference of two instants."""
    if format in EPOCH_UNITS:
        return column if EPOCH_UNITS[format] == 1 else f"({column}) / {EPOCH_UNITS[format]}"
    if dialect == "postgres":
        return f"EXTRACT(EPOCH FROM CAST({column} AS TIMESTAMP))"
    if dialect == "duckdb":
        return f"EPOCH(CAST({column} AS TIMESTAMP))"
    return f"CAST(STRFTIME('%s', {column}) AS INTEGER)"


def literal(value: object) -> str:
    """A range's edge as SQL text; only the calendar's own values come here."""
    if isinstance(value, int):
        return str(value)
    text = "'" + str(value).replace("'", "''") + "'"
    return f"CAST({text} AS TIMESTAMP)" if isinstance(value, datetime) else text


def spans_sql(plant: Plant, table: str, span: Times) -> str:
    """A CTE `spans` of literal ranges: the labels of each time key, then `since` and `until` in the table's clock."""
    rows = []
    for bucket in span.buckets:
        edges = (plant.write_time(bucket.span.start, table), plant.write_time(bucket.span.end, table))
        rows.append("(" + ", ".join(literal(value) for value in (*bucket.labels, *edges)) + ")")
    names = ", ".join(f"{key}_label" for key in span.keys)
    columns = f"{names}, since, until" if names else "since, until"
    return f"spans({columns}) AS (VALUES {', '.join(rows)})"


def clock_key(clock: Clock) -> str:
    return f"{clock.zone}|{clock.format}"
