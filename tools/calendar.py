"""Days, weeks, months and shifts of the plant, as half-open ranges of instants.

Everything that depends on the plant's wall clock is computed here with zoneinfo and enters SQL as literal ranges; no
date function of a database is ever asked. A shift belongs to the day on which it starts. The days of 23 and 25 hours
are golden cases in tests/test_calendar.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from itertools import pairwise
from typing import Literal
from zoneinfo import ZoneInfo

Unit = Literal["hour", "day", "week", "month", "quarter", "year"]
UNITS: tuple[Unit, ...] = ("hour", "day", "week", "month", "quarter", "year")
Range = tuple[datetime, datetime]


class UnknownShift(KeyError):
    """The plant has no shift of this name; `str(error)` is the name."""


@dataclass(frozen=True)
class Shift:
    """A shift pattern by wall-clock time; one that ends at or before its start runs into the next day."""

    id: str
    label: str
    start: time
    end: time
    aliases: tuple[str, ...] = ()
    weekdays: frozenset[int] = frozenset(range(7))  # Monday is 0; the days on which it starts

    @property
    def overnight(self) -> bool:
        return self.end <= self.start


@dataclass(frozen=True)
class ShiftRun:
    """One run of a shift: `date` is the day on which it starts; [start, end) aware."""

    shift: Shift
    date: date
    start: datetime
    end: datetime


@dataclass(frozen=True)
class Span:
    """A piece of a range: what it is called (`label`, as said in the plant), and [start, end) aware."""

    label: str
    start: datetime
    end: datetime


@dataclass(frozen=True)
class Calendar:
    """The plant's zone and shifts. Every datetime that comes in must be aware, every one that goes out is in `zone`."""

    zone: ZoneInfo
    shifts: tuple[Shift, ...] = ()

    @cached_property
    def by_id(self) -> dict[str, Shift]:
        return {shift.id: shift for shift in self.shifts}

    def at(self, day: date, clock: time = time(0)) -> datetime:
        """The instant of a wall-clock time; one that a clock change skips lies as far behind the change."""
        # By way of UTC, since 02:30 of a spring night does not exist and would stay a time that no clock shows.
        return datetime.combine(day, clock, self.zone).astimezone(UTC).astimezone(self.zone)

    # -- named ranges

    def local(self, instant: datetime) -> datetime:
        return instant.astimezone(self.zone)

    def day(self, day: date) -> Range:
        return self.at(day), self.at(day + timedelta(days=1))

    def week(self, day: date) -> Range:
        """The ISO week (Monday to Sunday) that holds this day."""
        monday = day - timedelta(days=day.weekday())
        return self.at(monday), self.at(monday + timedelta(days=7))

    def month(self, day: date) -> Range:
        first = day.replace(day=1)
        return self.at(first), self.at(_months_later(first, 1))

    def quarter(self, day: date) -> Range:
        first = day.replace(month=3 * ((day.month - 1) // 3) + 1, day=1)
        return self.at(first), self.at(_months_later(first, 3))

    def year(self, day: date) -> Range:
        return self.at(date(day.year, 1, 1)), self.at(date(day.year + 1, 1, 1))

    def unit(self, unit: Unit, day: date) -> Range:
        """The calendar day, week, month, quarter or year that holds this day."""
        if unit == "hour":
            raise ValueError("an hour is no calendar unit of a day")
        ranges: dict[str, Range] = {
            "day": self.day(day),
            "week": self.week(day),
            "month": self.month(day),
            "quarter": self.quarter(day),
            "year": self.year(day),
        }
        return ranges[unit]

    # -- shifts

    def shift(self, name: str, day: date) -> Range:
        """The run of a shift that starts on this day. Raises UnknownShift."""
        run = self.run(name, day)
        return run.start, run.end

    def run(self, name: str, day: date) -> ShiftRun:
        if name not in self.by_id:
            raise UnknownShift(name)
        shift = self.by_id[name]
        end_day = day + timedelta(days=1) if shift.overnight else day
        return ShiftRun(shift, day, self.at(day, shift.start), self.at(end_day, shift.end))

    def runs(self, start: datetime, end: datetime, names: Sequence[str] = ()) -> list[ShiftRun]:
        """Every run of the named shifts (all when none is named) that overlaps [start, end), in time order."""
        wanted = [self.by_id[name] for name in names] if names else list(self.shifts)
        first, last = self.local(start).date() - timedelta(days=1), self.local(end).date()
        since, until = start.astimezone(UTC), end.astimezone(UTC)  # same-zone comparison would ignore the fold
        found = []
        for offset in range((last - first).days + 1):
            day = first + timedelta(days=offset)
            for shift in wanted:
                if day.weekday() in shift.weekdays:
                    run = self.run(shift.id, day)
                    if run.start.astimezone(UTC) < until and run.end.astimezone(UTC) > since:
                        found.append(run)
        return sorted(found, key=lambda run: run.start.astimezone(UTC))

    def shift_of(self, instant: datetime) -> ShiftRun | None:
        """The run that is going on at this instant; None between shifts."""
        running = self.runs(instant, instant + timedelta(microseconds=1))
        return running[0] if running else None

    def last_completed_shift(self, name: str | None, now: datetime) -> ShiftRun | None:
        """The run of this shift (of any, when None) that ended last, at or before `now`."""
        if name is not None and name not in self.by_id:
            raise UnknownShift(name)
        ended = [r for r in self.runs(now - timedelta(days=15), now, (name,) if name else ()) if r.end.astimezone(UTC) <= now.astimezone(UTC)]
        return max(ended, key=lambda run: run.end, default=None)

    # -- splits

    def whole_days(self, start: datetime, end: datetime) -> bool:
        """True where the range begins and ends at the plant's midnight."""
        return all(self.local(moment).time() == time(0) for moment in (start, end))

    def split(self, start: datetime, end: datetime, unit: Unit) -> list[Span]:
        """The hours, days, weeks, ... of a range, in order, clipped to it. Labels are ISO: `2026-06-17 14:00`,
        `2026-06-17`, `2026-W25`, `2026-06`, `2026-Q2`, `2026`; the second 02:00 of an autumn night is `02:00 (2)`."""
        start, end = start.astimezone(UTC), end.astimezone(UTC)
        edges = [start, *self._edges(start, end, unit), end]
        return [Span(self.label(a, unit), self.local(a), self.local(b)) for a, b in pairwise(edges) if a < b]

    def _edges(self, start: datetime, end: datetime, unit: Unit) -> Iterator[datetime]:
        if unit == "hour":
            # Hours are counted on the time line, so that a day of 25 hours has 25 of them. Zones with offsets of
            # half an hour still cut at their own full hours, since the minute is taken from the wall clock.
            local = self.local(start)
            step = start + timedelta(hours=1) - timedelta(
                minutes=local.minute, seconds=local.second, microseconds=local.microsecond
            )  # fmt: skip
            moment = step
            while moment < end:
                yield moment
                moment += timedelta(hours=1)
            return
        day = self.local(start).date()
        while True:
            edge = self.unit(unit, day)[1]
            if edge >= end:
                return
            yield edge
            day = self.local(edge).date()

    def label(self, instant: datetime, unit: Unit) -> str:
        local = self.local(instant)
        if unit == "hour":
            return f"{local:%Y-%m-%d %H}:00" + (" (2)" if local.fold else "")
        if unit == "week":
            year, week, _ = local.isocalendar()
            return f"{year}-W{week:02d}"
        if unit == "quarter":
            return f"{local.year}-Q{(local.month - 1) // 3 + 1}"
        return local.strftime({"day": "%Y-%m-%d", "month": "%Y-%m", "year": "%Y"}[unit])


def _months_later(first: date, months: int) -> date:
    index = first.year * 12 + first.month - 1 + months
    return date(index // 12, index % 12 + 1, 1)
