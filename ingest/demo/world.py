"""What every part of the plant simulator shares: the names and rates it is made from, the hour grid with shifts and planned time,
the random streams and the tables being filled. Instants are seconds since the first simulated hour; `Timeline.text` makes
them the UTC text of the schema. tests/test_demo_plant.py proves the laws that hold between the tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import yaml

FOLDER = Path(__file__).parent
HOUR_S = 3600
DAY_S = 86_400
SHIFTS = ("day", "evening", "night")
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@cache
def load(name: str) -> Any:
    """One of the demo plant's YAML files, by its stem."""
    text = (FOLDER / f"{name}.yaml").read_text(encoding="utf-8")
    return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


@dataclass(frozen=True)
class Timeline:
    """The simulated hours, oldest first; `planned` says per line which of them are worked."""

    start: datetime
    until: datetime
    hours: int
    zone: ZoneInfo
    local: Sequence[datetime]
    shift: Sequence[str]
    shift_date: Sequence[date]
    planned: Mapping[str, Bools]
    last_night: tuple[int, int]
    closed_day: date
    hour_texts: dict[int, str] = field(default_factory=dict, repr=False, compare=False)

    @property
    def end_s(self) -> int:
        return self.hours * HOUR_S

    def moment(self, second: float) -> datetime:
        return self.start + timedelta(seconds=int(second))

    def text(self, second: float) -> str:
        """The instant as UTC text; hours are remembered, since a year asks for some hundred thousand instants."""
        hour, rest = divmod(int(second), HOUR_S)
        prefix = self.hour_texts.get(hour)
        if prefix is None:
            prefix = self.hour_texts[hour] = f"{self.start + timedelta(hours=hour):%Y-%m-%d %H:}"
        return f"{prefix}{rest // 60:02d}:{rest % 60:02d}"

    def day_text(self, second: float) -> str:
        return self.moment(second).astimezone(self.zone).date().isoformat()

    def second(self, moment: datetime) -> int:
        return int((moment - self.start).total_seconds())

    def texts(self, seconds: Sequence[int] | Ints) -> list[str]:
        """The same as `text`, for many instants at once."""
        origin = np.datetime64(self.start.replace(tzinfo=None), "s")
        stamps = np.datetime_as_string(origin + np.asarray(seconds, dtype=np.int64).astype("timedelta64[s]"), unit="s").tolist()
        return [stamp.replace("T", " ") for stamp in stamps]


def shift_at(local: datetime) -> tuple[str, date]:
    """The shift at a local time and the day to which it belongs: the day on which the shift starts."""
    if 6 <= local.hour < 14:
        return "day", local.date()
    if 14 <= local.hour < 22:
        return "evening", local.date()
    return "night", local.date() if local.hour >= 22 else local.date() - timedelta(days=1)


def make_timeline(until: datetime, days: int, lines: Sequence[str], holidays: frozenset[str], zone: ZoneInfo) -> Timeline:
    """The hour grid of `days` days before `until`. Worked: Monday to Friday all shifts, Saturday less, Sunday only the night shift;
    the last 30 hours are always worked, so that the stories of last night hold for every `until`."""
    end = until.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    start = end - timedelta(days=days)
    hours = days * 24
    local = [(start + timedelta(hours=h)).astimezone(zone) for h in range(hours)]
    shifts = [shift_at(moment) for moment in local]
    closed_day = closed_day_before(end.astimezone(zone).date(), min(12, days - 4), holidays)
    recent = {shifts[h] for h in range(max(0, hours - 30), hours)}
    weekend = {5: {"LINE-1": {"day"}, "LINE-2": {"day", "evening"}, "LINE-3": set(SHIFTS)}, 6: {line: {"night"} for line in lines}}
    planned = {line: np.zeros(hours, dtype=np.bool_) for line in lines}
    for h, (shift, day) in enumerate(shifts):
        for line in lines:
            usual = day.weekday() < 5 or shift in weekend[day.weekday()].get(line, set())
            works = (usual and f"{day:%m-%d}" not in holidays) or (shift, day) in recent
            shut = line == "LINE-1" and (local[h].date() == closed_day or day == closed_day)
            planned[line][h] = works and not shut
    night = [h for h, (shift, _) in enumerate(shifts) if shift == "night"]
    over = local[-1].hour == 5      # the shift of the last hour has just ended
    last = max(shifts[h][1] for h in night if over or shifts[h] != shifts[-1])
    inside = [h for h in night if shifts[h][1] == last]
    return Timeline(
        start, until.astimezone(UTC), hours, zone, local, [s for s, _ in shifts], [d for _, d in shifts], planned,
        (inside[0], inside[-1] + 1), closed_day,
    )


def closed_day_before(today: date, days: int, holidays: frozenset[str]) -> date:
    """The working day about `days` days ago on which Line 1 stood still (story h)."""
    day = today - timedelta(days=days)
    while day.weekday() >= 5 or f"{day:%m-%d}" in holidays:
        day -= timedelta(days=1)
    return day


@dataclass
class World:
    """The plant while it is being simulated: `tables` holds rows in the column order of schema.sql, `truth` the ground truth of the stories."""

    timeline: Timeline
    seed: int
    signal_days: int
    tables: dict[str, list[tuple[Any, ...]]] = field(default_factory=dict)
    truth: dict[str, dict[str, Any]] = field(default_factory=dict)
    people: dict[str, list[str]] = field(default_factory=dict)

    @property
    def plant(self) -> Any:
        return load("plant")

    @property
    def processes(self) -> Any:
        return load("processes")

    @property
    def equipment(self) -> list[dict[str, str]]:
        return list(self.plant["equipment"])

    def random(self, part: int) -> np.random.Generator:
        """An own stream for each part of the simulation, so that a change in one leaves the others as they were."""
        return np.random.default_rng([self.seed, part])

    def rows(self, table: str) -> list[tuple[Any, ...]]:
        return self.tables.setdefault(table, [])

    def of_class(self, equipment_class: str) -> list[str]:
        return [e["id"] for e in self.equipment if e["class"] == equipment_class]

    def class_of(self, equipment_id: str) -> str:
        return next(e["class"] for e in self.equipment if e["id"] == equipment_id)

    def line_of(self, equipment_id: str) -> str:
        return next(e["line"] for e in self.equipment if e["id"] == equipment_id)

    def team(self, role: str, line: str | None = None, shift: str | None = None) -> list[str]:
        """Person ids of a role, of a line's operators on a shift where they are given; never empty for a staffed role."""
        return self.people.get("/".join(part for part in (role, line, shift) if part), []) or self.people[role]


def story_second(timeline: Timeline, days_before: float) -> float:
    """The instant `days_before` days before the end, never before the first day of a short simulation."""
    return max(DAY_S, timeline.end_s - days_before * DAY_S)
