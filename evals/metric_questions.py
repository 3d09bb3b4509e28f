"""Generated metric questions, asked of the product and of a second implementation: metric, filter, grouping, period,
threshold, rank and comparison over the plant's own names. `andon evals metrics` runs them over the demo plant,
tests/test_recomputation.py over a small one whose clocks change and over the demo plant.
"""

from __future__ import annotations

import math
import random
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from evals.recomputation import SHIFTS, TIME_WORDS, Group, Raw
from tools.access import Caller
from tools.metrics import query_metrics
from tools.plant_model import Plant
from tools.registry import Call, Period


@dataclass(frozen=True)
class Question:
    """One generated question. `compare` is None, `previous_period`, `target`, a Period, a number, or a `where`."""

    metric: str
    where: Mapping[str, Any]
    by: tuple[str, ...]
    span: Period
    compare: Any = None
    bound: Mapping[str, float] = field(default_factory=dict)  # min or max, in the metric's own unit
    sort: str | None = None
    limit: int | None = None

    @property
    def kind(self) -> str:
        if self.compare is not None:
            return "compared"
        if self.bound or self.limit:
            return "thresholds and ranks"
        return "grouped" if self.by else "filtered" if self.where else "plain"

    def __str__(self) -> str:
        return f"{self.metric} {dict(self.where)} by {self.by} {self.span.text} against {self.compare} {dict(self.bound)} {self.sort} {self.limit}"


_HOURLY = ("oee", "availability", "performance", "quality_ratio", "first_pass_yield", "rework_rate", "good_count", "total_count",
           "cycle_time", "energy", "energy_per_good_part", "scrap_rate", "scrap_count")  # fmt: skip
_PLACES = ("line", "equipment", "equipment_class", "area")
KEYS: dict[str, tuple[str, ...]] = dict.fromkeys(_HOURLY, (*_PLACES, "product", "order", "variant", "customer", "lot", "shift"))
KEYS |= {
    "scrap_rate": (*_PLACES, "product", "order", "shift", "reason"), "scrap_count": (*_PLACES, "product", "order", "shift", "reason"),
    "downtime": (*_PLACES, "shift", "reason", "alarm"), "mtbf": (*_PLACES, "shift", "reason"), "mttr": (*_PLACES, "shift", "reason"),
    "changeover_time": ("line", "equipment", "product", "shift"), "changeover_overrun": ("line", "equipment", "shift"),
    "alarm_count": (*_PLACES, "shift", "alarm", "severity"), "schedule_attainment": ("line", "product", "variant", "customer"),
    "ncr_count": ("line", "equipment", "product", "defect", "severity", "lot"),
}  # fmt: skip
_MANY = ("lot",)  # a row may have several: they filter and do not group
_PERCENT = ("oee", "availability", "performance", "quality_ratio", "first_pass_yield", "scrap_rate", "rework_rate", "schedule_attainment",
            "changeover_overrun")  # fmt: skip
_SECONDS = ("downtime", "mtbf", "mttr", "changeover_time")


def questions(raw: Raw, count: int, seed: int = 11, clock_change: date | None = None) -> list[Question]:
    """A fixed list of generated questions over the plant's own names; `clock_change` is a day on which the clocks change."""
    rng = random.Random(seed)
    words = _words(raw)
    metrics = list(KEYS)
    days = sorted({row["hour_start"].astimezone(raw.zone).date() for row in raw.tables["production_hours"]})
    return [_question(rng, raw, metrics[n % len(metrics)], words, days, clock_change) for n in range(count)]


def _words(raw: Raw) -> dict[str, list[Any]]:
    def some(table: str, column: str) -> list[Any]:
        return sorted({row[column] for row in raw.tables[table] if row[column] is not None}, key=str)

    return {
        "line": list(raw.lines), "equipment": list(raw.machines), "equipment_class": some("equipment", "equipment_class"),
        "area": some("lines", "area_id"), "product": some("production_orders", "product_id"), "order": some("production_orders", "order_id"),
        "variant": some("production_orders", "variant_id"), "customer": some("production_orders", "customer_id"), "lot": some("lots", "lot_id"),
        "shift": list(SHIFTS), "reason": some("downtime_events", "reason"), "scrap": some("scrap_records", "reason"),
        "alarm": some("alarm_events", "code"), "severity": some("alarm_events", "severity"),
        "ncr severity": some("nonconformances", "severity"), "defect": some("nonconformances", "defect"),
    }  # fmt: skip


def _question(
    rng: random.Random, raw: Raw, metric: str, words: Mapping[str, list[Any]], days: Sequence[date], change: date | None
) -> Question:
    keys = KEYS[metric]
    where: dict[str, Any] = {}
    for key in rng.sample(keys, rng.choice((0, 1, 1, 2, 3))):
        where[key] = _wanted(rng, words[_source_of(metric, key)], key)
    if {"equipment", "equipment_class"} <= set(where):
        del where["equipment_class"]
    free = [key for key in (*keys, *TIME_WORDS) if key not in where and key not in _MANY]
    by = tuple(rng.sample(free, rng.choice((0, 0, 1, 1, 2))))
    if sum(key in TIME_WORDS for key in by) > 1 or ("product" in by and metric.startswith("changeover")):
        by = by[:1] if by[0] != "product" or not metric.startswith("changeover") else ()
    span = _span(rng, raw.zone, days, change)
    if "hour" in by and span.end - span.start > timedelta(days=2):
        span = Period("thirty hours", span.start, (span.start.astimezone(UTC) + timedelta(hours=30)).astimezone(raw.zone))
    compare: Any = None
    choice = rng.random()
    if choice < 0.16:
        compare = "previous_period"
    elif choice < 0.24:
        compare = _span(rng, raw.zone, days, change)
    elif choice < 0.30 and not set(where) & set(_PLACES) and not set(by) & set(_PLACES):
        compare = {"line": rng.choice(words["line"])}
    elif choice < 0.36 and metric in ("oee", "first_pass_yield", "scrap_rate") and not set(by) & {"area", "equipment_class"}:
        where = {k: v for k, v in where.items() if k in ("shift", "reason", "order")} | {"line": rng.choice(words["line"])}
        by = tuple(key for key in by if key not in where)
        compare = "target"
    elif choice < 0.40 and metric in _PERCENT:
        compare = "85 %"
    if compare is None and by and rng.random() < 0.35:
        bound = {rng.choice(("min", "max")): rng.random()} if rng.random() < 0.6 else {}  # a quantile until the figures are known
        return Question(metric, where, by, span, None, bound, rng.choice(("asc", "desc")), rng.choice((None, 1, 3)))
    if isinstance(compare, str | Period) and compare != "target" and set(by) & set(TIME_WORDS):
        by = tuple(key for key in by if key not in TIME_WORDS)
    return Question(metric, where, by, span, compare)


def _source_of(metric: str, key: str) -> str:
    if key == "reason" and metric.startswith("scrap"):
        return "scrap"
    return "ncr severity" if key == "severity" and metric == "ncr_count" else key


def _wanted(rng: random.Random, known: list[Any], key: str) -> Any:
    choice = rng.random()
    if choice < 0.15 and key not in ("order", "lot"):
        return {"not": rng.choice(known)}
    if choice < 0.35 or key in ("order", "lot"):
        return rng.sample(known, min(len(known), 12 if key in ("order", "lot") else 2))
    return rng.choice(known)


def _span(rng: random.Random, zone: ZoneInfo, days: Sequence[date], change: date | None) -> Period:
    """Days, weeks, months and odd hours; a quarter of them touch the day on which the clocks change."""
    first = days[rng.randrange(1, max(len(days) - 8, 2))]
    if change is not None and rng.random() < 0.25:
        first = change - timedelta(days=rng.randrange(0, 3))
    start = datetime(first.year, first.month, first.day, tzinfo=zone)
    choice = rng.random()
    if choice < 0.3:  # cuts shifts and days; counted on the time line
        begin = start.astimezone(UTC) + timedelta(minutes=60 * rng.randrange(0, 24) + rng.choice((0, 0, 30)))
        end = begin + timedelta(hours=rng.randrange(3, 50))
        return Period(f"{(end - begin)} from {begin:%Y-%m-%d %H:%M} UTC", begin.astimezone(zone), end.astimezone(zone))
    if choice < 0.45:
        first -= timedelta(days=first.weekday())
        length = 7
    elif choice < 0.55 and len(days) > 60:
        first = first.replace(day=1)
        length = ((first + timedelta(days=32)).replace(day=1) - first).days
    else:
        length = rng.choice((1, 1, 2, 5))
    last = first + timedelta(days=length)
    text = f"{length} days from {first}"
    return Period(text, datetime(first.year, first.month, first.day, tzinfo=zone), datetime(last.year, last.month, last.day, tzinfo=zone))


# -- comparing


def disagreement(raw: Raw, plant: Plant, caller: Caller, question: Question) -> str | None:
    """Ask the product and compare every row; None where they agree, else what differs in a sentence."""
    expected = raw.figures(question.metric, question.where, question.span, question.by)
    question = _bounded(question, expected)
    expected |= dict.fromkeys(_quiet(raw, question) - set(expected), 0.0)
    where: dict[str, object] = dict(question.where)
    if question.bound:
        where[question.metric] = {edge: _said(question.metric, value) for edge, value in question.bound.items()}
    call = Call(caller, raw.until.astimezone(raw.zone), plant, index=None)  # type: ignore[arg-type]
    result = query_metrics(
        call, [question.metric], where, question.span, list(question.by), question.sort, question.limit, question.compare
    )
    if question.compare == "target" and result.status == "no_data":
        return None if "no target" in result.message or not any(v is not None for v in expected.values()) else result.message
    expected = _kept(question, expected)
    if not result.evidence:
        empty = not expected if question.by else not raw.sums(question.metric, question.where, question.span, ())
        return None if result.status == "no_data" and empty else f"{result.status}: {result.message}"
    rows = {tuple(row[f"{key}_id"] for key in question.by): row for row in result.evidence[0].rows}
    if set(rows) != set(expected) and not _ties(question, rows, expected):
        return f"groups {sorted(map(str, set(rows) ^ set(expected)))[:4]} differ"
    for group, row in rows.items():
        if group in expected and not _same(row[question.metric], expected[group]):
            return f"{group}: {row[question.metric]} instead of {expected[group]}"
    if question.sort and not question.compare:
        order = [float(str(row[question.metric])) for row in rows.values() if row[question.metric] is not None]
        if order != sorted(order, reverse=question.sort == "desc"):
            return "out of order"
    return _compared(raw, question, rows, expected) if question.compare is not None else None


def _quiet(raw: Raw, question: Question) -> set[Group]:
    """Where the fewest or at most so many events are asked for, places without one are groups of their own."""
    if question.metric not in ("alarm_count", "ncr_count") or question.by not in (("line",), ("equipment",), ("area",)):
        return set()
    if question.compare is not None or not (question.sort == "asc" or set(question.bound) == {"max"}):
        return set()
    places = {k: v for k, v in question.where.items() if k in _PLACES}
    machines = [row for row in raw.machines.values() if all(raw.meets(raw.values("equipment", row, k), v) for k, v in places.items())]
    return {(raw.value_of("equipment", row, question.by[0]),) for row in machines}


def _bounded(question: Question, figures: Mapping[Group, float | None]) -> Question:
    """The quantile of a threshold as a value between two figures, so that rounding decides nothing."""
    known = sorted({value for value in figures.values() if value is not None})
    if not question.bound or len(known) < 2:
        return (
            question
            if not question.bound
            else Question(question.metric, question.where, question.by, question.span, None, {}, question.sort, question.limit)
        )
    ((edge, share),) = question.bound.items()
    place = min(int(share * (len(known) - 1)), len(known) - 2)
    middle = (known[place] + known[place + 1]) / 2
    return Question(question.metric, question.where, question.by, question.span, None, {edge: middle}, question.sort, question.limit)


def _said(metric: str, value: float) -> str:
    """A threshold as people write it, with its unit and every digit."""
    if metric in _PERCENT:
        return f"{value * 100:.12f} %"
    return f"{value:.9f} s" if metric in _SECONDS else f"{value:.9f}"


def _kept(question: Question, figures: dict[Group, float | None]) -> dict[Group, float | None]:
    low, high = question.bound.get("min"), question.bound.get("max")
    if question.bound:
        figures = {g: v for g, v in figures.items() if v is not None and (low is None or v >= low) and (high is None or v <= high)}
    if question.limit is None or not question.by:
        return figures
    ranked = sorted(figures.items(), key=lambda item: (item[1] is None, (item[1] or 0.0) * (-1 if question.sort == "desc" else 1)))
    return dict(ranked[: question.limit])


def _ties(question: Question, rows: Mapping[Group, Any], expected: Mapping[Group, float | None]) -> bool:
    """With a limit, groups of equal figures may stand for each other."""
    got, wanted = (
        sorted((v is None, v or 0.0) for v in values) for values in ([r[question.metric] for r in rows.values()], expected.values())
    )
    return (
        question.limit is not None
        and len(got) == len(wanted)
        and all(a[0] == b[0] and _same(a[1], b[1]) for a, b in zip(got, wanted, strict=True))
    )


def _compared(raw: Raw, question: Question, rows: Mapping[Group, Any], expected: Mapping[Group, float | None]) -> str | None:
    metric, compare = question.metric, question.compare
    by = tuple(key for key in question.by if key not in TIME_WORDS)
    other: Mapping[Group, float | None] = {}
    if compare == "previous_period":
        start, end = raw.before(question.span)
        other = raw.figures(metric, question.where, Period("before", start, end), by)
    elif isinstance(compare, Period):
        other = raw.figures(metric, question.where, compare, by)
    elif isinstance(compare, Mapping):
        other = raw.figures(metric, {**question.where, **compare}, question.span, by)
    for group, row in rows.items():
        keys = dict(zip(question.by, group, strict=True))
        if compare == "target":
            line, product = (keys.get(key, question.where.get(key)) for key in ("line", "product"))
            wanted = raw.target(metric, line if isinstance(line, str) else None, product if isinstance(product, str) else None,
                                question.span.end.astimezone(raw.zone).date())  # fmt: skip
        elif isinstance(compare, str) and compare != "previous_period":
            wanted = float(compare.split()[0]) / 100
        else:
            wanted = other.get(tuple(keys[key] for key in by))
        if not _same(row[f"{metric}_before"], wanted):
            return f"{group} compared with {row[f'{metric}_before']} instead of {wanted}"
        now = expected.get(group)
        change = None if now is None or wanted is None else (now - wanted) * (100 if metric in _PERCENT else 1)
        if not _same(row[f"{metric}_change"], change):
            return f"{group} changed by {row[f'{metric}_change']} instead of {change}"
    return None


def _same(got: Any, wanted: float | None) -> bool:
    if got is None or wanted is None:
        return got is None and wanted is None
    return math.isclose(got, wanted, rel_tol=1e-9, abs_tol=1e-7)


# -- the suite

COUNT, SEED = 400, 11


def suite(plant: Plant, path: Path, caller: Caller, until: datetime, progress: Callable[[int, int], None] | None = None) -> Any:
    """The generated questions over one plant as a Score: right of asked, by kind of question."""
    from evals.suites import Failure, Score

    raw = Raw(path, plant.zone, until)
    asked = questions(raw, COUNT, SEED, _clock_change(raw))
    right: dict[str, list[bool]] = defaultdict(list)
    failures = []
    for number, question in enumerate(asked):
        wrong = disagreement(raw, plant, caller, question)
        right[question.kind].append(wrong is None)
        if wrong is not None:
            failures.append(Failure(f"metric-{number:03d}", str(question), wrong))
        if progress:
            progress(number + 1, len(asked))
    figures = {f"kind {kind}": (sum(found), len(found)) for kind, found in sorted(right.items())}
    return Score("metrics", len(asked) - len(failures), len(asked), figures, {}, failures)


def _clock_change(raw: Raw) -> date | None:
    """The last day within the data whose length is not 24 hours."""
    days = {row["hour_start"].astimezone(raw.zone).date() for row in raw.tables["production_hours"]}
    ends = {day: (raw.midnight(day + timedelta(days=1)).astimezone(UTC) - raw.midnight(day).astimezone(UTC)) for day in days}
    return max((day for day, length in ends.items() if length != timedelta(days=1)), default=None)
