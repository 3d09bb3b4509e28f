"""What stands in a column, as a draft needs it: its few words, and how many seconds one of its durations is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tools.draft_text import q
from tools.schema_profile import ColumnProfile, Reader
from tools.schema_roles import Role, lasts
from tools.schema_words import split

MOST_STATUSES = 25


def seen_values(column: ColumnProfile) -> tuple[Any, ...]:
    return column.values


def values_of(role: Role, column: ColumnProfile, reader: Reader) -> tuple[str, ...]:
    """All values of a text column where they are few and short, in the whole table; ()."""
    if not column.values or ((role.table.rows or 0) and column.unique and role.kind != "record"):
        return ()
    found = reader.rows(f"SELECT DISTINCT {q(column.name, True)} AS v FROM {q(role.table.name, True)} ORDER BY v LIMIT 61")
    values = [str(row[0]) for row in found or () if row[0] not in (None, "")]
    few = 0 < len(values) <= 60 and max(map(len, values)) <= 60 and not (len(values) > 5 and len(values) == role.table.rows)
    return tuple(values) if few else ()


_UNIT_S = {"s": 1.0, "sec": 1.0, "secs": 1.0, "second": 1.0, "seconds": 1.0, "sek": 1.0, "sekunden": 1.0, "min": 60.0, "mins": 60.0, "minute": 60.0, "minutes": 60.0,
           "minuten": 60.0, "h": 3600.0, "hr": 3600.0, "hrs": 3600.0, "hour": 3600.0, "hours": 3600.0, "stunden": 3600.0, "std": 3600.0, "ms": 0.001, "msec": 0.001}  # fmt: skip


def seconds_of(role: Role, column: ColumnProfile, reader: Reader) -> float:
    """How many seconds one of a column of durations is: by its name, else by start and end of the same rows, else, by
    custom, a minute."""
    for part in reversed(split(column.name)):
        if part in _UNIT_S:
            return _UNIT_S[part]
    start, end = role.column("start") or role.column("planned_start"), role.column("end") or role.column("planned_end")
    if start is None or end is None:
        return 60.0
    found = reader.rows(
        f"SELECT {q(start.name, True)} AS a, {q(end.name, True)} AS b, {q(column.name, True)} AS c FROM {q(role.table.name, True)} LIMIT 200"
    )
    ratios = sorted(r for row in found or () if (r := _ratio(row)) is not None)
    if not ratios:
        return 60.0
    middle = ratios[len(ratios) // 2]
    return min((1.0, 60.0, 3600.0), key=lambda unit: abs(middle / unit - 1))


def _ratio(row: Sequence[Any]) -> float | None:
    from datetime import datetime

    def instant(value: Any) -> float | None:
        if isinstance(value, datetime):
            return value.timestamp()
        if isinstance(value, int | float):
            return float(value) / (1000 if value > 10**11 else 1)
        for read in (
            datetime.fromisoformat,
            lambda v: datetime.strptime(v, "%d.%m.%Y %H:%M"),
            lambda v: datetime.strptime(v, "%d.%m.%Y %H:%M:%S"),
        ):
            try:
                return read(str(value)).timestamp()
            except ValueError:
                continue
        return None

    begun, ended = instant(row[0]), instant(row[1])
    try:
        length = float(row[2])
    except (TypeError, ValueError):
        return None
    return (ended - begun) / length if begun is not None and ended is not None and length > 2 and ended > begun else None


def duration_like(column: ColumnProfile) -> bool:
    return lasts(column) or bool(set(column.words) & {"duration", "minute", "hour", "second", "downtime"})
