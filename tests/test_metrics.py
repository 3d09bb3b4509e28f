"""Certified metrics against a second implementation in plain Python over the raw rows, and the ISO 22400-2 arithmetic."""

from __future__ import annotations

import random
import sqlite3
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.small_plant import LINES, MACHINES, NOW, OPERATOR, PRODUCTS, START, SUPERVISOR, UNTIL, ZONE, build, call, period
from tools.comparison import previous
from tools.formula import in_unit, value_of
from tools.metrics import query_metrics
from tools.plant_model import Plant
from tools.registry import Period

SHIFTS = {"day": (6, 14), "evening": (14, 22), "night": (22, 6)}
Row = dict[str, Any]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(Path(tmp_path_factory.mktemp("plant")) / "mes.sqlite")


@pytest.fixture(scope="module")
def plant(path: Path) -> Iterator[Plant]:
    opened = Plant.open(None, str(path))
    yield opened
    opened.close()


class Reference:
    """The same figures by hand: rows are read once, and every rule is written out again."""

    def __init__(self, path: Path) -> None:
        db = sqlite3.connect(path)
        db.row_factory = sqlite3.Row
        self.tables = {
            name: [dict(row) for row in db.execute(f"SELECT * FROM {name}")]
            for name in ("production_hours", "scrap_records", "downtime_events", "changeovers", "alarm_events",
                         "nonconformances", "production_orders", "downtime_reasons")
        }  # fmt: skip
        for rows in self.tables.values():
            for row in rows:
                for column in ("hour_start", "started_at", "ended_at", "raised_at", "opened_at", "planned_end"):
                    if row.get(column):
                        row[column] = self.instant(row[column])
        self.failures = {r["reason"] for r in self.tables["downtime_reasons"] if r["failure"]}

    @staticmethod
    def instant(text: str) -> datetime:
        return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)

    def ranges(self, span: Period, shift: str | None, by: tuple[str, ...]) -> list[tuple[dict[str, str], datetime, datetime]]:
        """Pieces of the period with their labels, second by second if need be."""
        pieces: list[tuple[dict[str, str], datetime, datetime, date | None]] = []
        if shift or "shift" in by:
            day = span.start.astimezone(ZONE).date() - timedelta(days=2)
            whole = all(m.astimezone(ZONE).strftime("%H%M%S") == "000000" for m in (span.start, span.end))
            while day <= span.end.astimezone(ZONE).date():
                for name, (begin, end) in SHIFTS.items():
                    if shift and name != shift:
                        continue
                    start = datetime(day.year, day.month, day.day, begin, tzinfo=ZONE).astimezone(UTC)
                    last = day + timedelta(days=1) if end <= begin else day
                    stop = datetime(last.year, last.month, last.day, end, tzinfo=ZONE).astimezone(UTC)
                    if whole:
                        if span.start <= start < span.end:
                            pieces.append(({"shift": name}, start, stop, day))
                    elif start < span.end and stop > span.start:
                        pieces.append(({"shift": name}, max(start, span.start.astimezone(UTC)), min(stop, span.end.astimezone(UTC)), day))
                day += timedelta(days=1)
        else:
            pieces.append(({}, span.start.astimezone(UTC), span.end.astimezone(UTC), None))
        if not {"day", "week", "hour"} & set(by):
            return [(labels, start, end) for labels, start, end, _ in pieces]
        out = []
        for labels, start, end, day_of_shift in pieces:
            moment = start
            while moment < end:  # every hour edge is an edge; neighbours with the same labels add up
                stop = min(moment.replace(minute=0, second=0) + timedelta(hours=1), end)
                local = moment.astimezone(ZONE)
                that_day = day_of_shift or local.date()
                year, week, _ = that_day.isocalendar()
                named = dict(labels, day=that_day.isoformat(), week=f"{year}-W{week:02d}",
                             hour=f"{local:%Y-%m-%d %H}:00" + (" (2)" if local.fold else ""))  # fmt: skip
                out.append(({k: v for k, v in named.items() if k in by or k == "shift"}, moment, stop))
                moment = stop
        return out

    def place(self, row: Row, key: str) -> str:
        machine = row.get("equipment_id")
        if key == "equipment":
            return str(machine)
        if key == "equipment_class":
            return MACHINES[str(machine)][1]
        line = row.get("line_id") or MACHINES[str(machine)][0]
        return line if key == "line" else LINES[line][0]

    def key(self, table: str, row: Row, key: str) -> Any:
        if key in ("line", "area", "equipment", "equipment_class"):
            return self.place(row, key)
        column = {"product": {"changeovers": "to_product"}.get(table, "product_id"), "reason": "reason", "defect": "defect",
                  "alarm": {"alarm_events": "code"}.get(table, "alarm_code"), "severity": "severity"}[key]  # fmt: skip
        return row[column]

    def sums(self, metric: str, where: dict[str, Any], span: Period, by: tuple[str, ...]) -> dict[tuple[Any, ...], dict[str, float]]:
        shift = where.get("shift")
        ranges = sorted(self.ranges(span, shift, by), key=lambda piece: piece[1])
        starts = [piece[1] for piece in ranges]
        groups: dict[tuple[Any, ...], dict[str, float]] = defaultdict(lambda: defaultdict(float))
        whole: dict[tuple[Any, ...], dict[str, float]] = defaultdict(lambda: defaultdict(float))
        for table, time, values, dropped in self.sources(metric, where, by):
            for row in self.tables[table]:
                kept = {k: v for k, v in where.items() if k != "shift" and k not in dropped}
                if not all(self.matches(self.key(table, row, k), v) for k, v in kept.items()):
                    continue
                near = ranges
                if time is not None:
                    near = ranges[max(0, bisect_right(starts, row[time]) - 1) :][:1]
                    near = near if near and near[0][1] <= row[time] < near[0][2] else []
                for labels, start, end in near:
                    amounts = values(row, start, end) if time is None else values(row)
                    if amounts is None:
                        continue
                    group = tuple(
                        None if k in dropped else labels[k] if k in labels else self.key(table, row, k) for k in by
                    )
                    target = whole if dropped & set(by) else groups
                    for name, amount in amounts.items():
                        target[group][name] += amount
        for group, found in groups.items():
            for other, amounts in whole.items():
                if all(a is None or a == b for a, b in zip(other, group, strict=True)):
                    for name, amount in amounts.items():
                        found[name] += amount
        return groups

    @staticmethod
    def matches(value: Any, wanted: Any) -> bool:
        if isinstance(wanted, dict):
            return bool(value != wanted["not"])
        return value in wanted if isinstance(wanted, list) else bool(value == wanted)

    def sources(self, metric: str, where: dict[str, Any], by: tuple[str, ...]) -> list[Any]:
        keys = {*where, *by}
        hours = lambda *names: ("production_hours", "hour_start", lambda r: {n: float(r[n]) for n in names}, frozenset())  # noqa: E731
        if metric in ("scrap_rate", "scrap_count"):
            if not keys & {"reason", "defect"}:
                return [hours("scrap", "produced")]
            lines = ("scrap_records", "hour_start", lambda r: {"scrap": float(r["quantity"])}, frozenset())
            produced = ("production_hours", "hour_start", lambda r: {"produced": float(r["produced"])}, frozenset(("reason", "defect")) & keys)
            return [lines, produced] if metric == "scrap_rate" else [lines]
        if metric == "downtime":
            if not keys & {"reason", "alarm"}:
                return [hours("down_s")]

            def clipped(row: Row, start: datetime, end: datetime) -> dict[str, float] | None:
                begun, ended = row["started_at"], row["ended_at"] or UNTIL
                lasted = (min(ended, end) - max(begun, start)).total_seconds()
                return {"down_s": lasted} if lasted > 0 or (begun < end and ended > start) else None

            return [("downtime_events", None, clipped, frozenset())]
        if metric in ("mtbf", "mttr"):
            def failed(row: Row) -> dict[str, float]:
                counts = row["reason"] in self.failures
                return {"failures": float(counts), "repairs": float(counts and row["ended_at"] is not None),
                        "repair_s": float(row["duration_s"] or 0) if counts else 0.0}  # fmt: skip

            events = ("downtime_events", "started_at", failed, frozenset())
            run = ("production_hours", "hour_start", lambda r: {"production_s": r["production_s"]}, frozenset(("reason", "alarm")) & keys)
            return [events, run] if metric == "mtbf" else [events]
        if metric == "changeover_time":
            return [("changeovers", "started_at", lambda r: {"s": r["duration_s"], "n": 1.0}, frozenset())]
        if metric == "alarm_count":
            return [("alarm_events", "raised_at", lambda r: {"n": 1.0}, frozenset())]
        if metric == "ncr_count":
            return [("nonconformances", "opened_at", lambda r: {"n": 1.0}, frozenset())]
        if metric == "schedule_attainment":
            def attained(row: Row) -> dict[str, float]:
                if row["status"] == "cancelled":
                    return {"done": 0.0, "ordered": 0.0}
                return {"done": float(min(row["quantity_good"], row["quantity_ordered"])), "ordered": float(row["quantity_ordered"])}

            return [("production_orders", "planned_end", attained, frozenset())]
        return [hours("planned_busy_s", "production_s", "ideal_s", "produced", "good", "rework", "energy_kwh")]

    def value(self, metric: str, s: dict[str, float]) -> float | None:
        over = lambda a, b: None if b == 0 else a / b  # noqa: E731
        if metric == "oee":
            if not (s["planned_busy_s"] and s["production_s"] and s["produced"]):
                return None
            return (s["production_s"] / s["planned_busy_s"]) * (s["ideal_s"] / s["production_s"]) * (s["good"] / s["produced"])
        rules: dict[str, Any] = {
            "availability": lambda: over(s["production_s"], s["planned_busy_s"]),
            "performance": lambda: over(s["ideal_s"], s["production_s"]), "quality_ratio": lambda: over(s["good"], s["produced"]),
            "first_pass_yield": lambda: over(s["good"] - s["rework"], s["produced"]), "scrap_rate": lambda: over(s["scrap"], s["produced"]),
            "scrap_count": lambda: s["scrap"], "rework_rate": lambda: over(s["rework"], s["produced"]), "good_count": lambda: s["good"],
            "total_count": lambda: s["produced"], "downtime": lambda: s["down_s"], "mtbf": lambda: over(s["production_s"], s["failures"]),
            "mttr": lambda: over(s["repair_s"], s["repairs"]), "cycle_time": lambda: over(s["production_s"], s["produced"]),
            "changeover_time": lambda: over(s["s"], s["n"]), "schedule_attainment": lambda: over(s["done"], s["ordered"]),
            "energy": lambda: s["energy_kwh"], "energy_per_good_part": lambda: over(s["energy_kwh"], s["good"]),
            "alarm_count": lambda: s["n"], "ncr_count": lambda: s["n"],
        }  # fmt: skip
        return rules[metric]()  # type: ignore[no-any-return]


HOURLY = ("oee", "availability", "performance", "quality_ratio", "first_pass_yield", "rework_rate", "good_count", "total_count",
          "cycle_time", "energy", "energy_per_good_part", "scrap_rate", "scrap_count")  # fmt: skip
KEYS = dict.fromkeys(HOURLY, ("line", "equipment", "equipment_class", "area", "product", "shift"))
KEYS |= {
    "scrap_rate": (*KEYS["scrap_rate"], "reason"), "scrap_count": (*KEYS["scrap_count"], "reason"),
    "downtime": ("line", "equipment", "equipment_class", "shift", "reason", "alarm"), "mtbf": ("line", "equipment", "shift", "reason"),
    "mttr": ("line", "equipment", "shift", "reason"), "changeover_time": ("line", "equipment", "product", "shift"),
    "alarm_count": ("line", "equipment", "shift", "alarm", "severity"), "ncr_count": ("line", "equipment", "product", "defect", "severity"),
    "schedule_attainment": ("line", "product"),
}  # fmt: skip
VALUES: dict[str, list[Any]] = {
    "line": [*LINES, ["LINE-1", "LINE-3"], {"not": "LINE-2"}], "equipment": [*MACHINES, {"not": "CNC-01"}],
    "equipment_class": ["cnc", "robot"], "area": ["MACHINING"], "product": [p for ps in PRODUCTS.values() for p in ps],
    "shift": list(SHIFTS), "reason": ["jam", "cleaning"], "alarm": ["502"], "severity": ["high"], "defect": ["leak"],
}  # fmt: skip
SCRAP_VALUES = ["burr", "porosity"]


def questions(count: int) -> list[tuple[str, dict[str, Any], tuple[str, ...], Period]]:
    rng = random.Random(11)
    out = []
    metrics = list(KEYS)
    for index in range(count):
        metric = metrics[index % len(metrics)]
        keys = KEYS[metric]
        where = {}
        for key in rng.sample(keys, rng.choice((0, 1, 1, 2))):
            values = SCRAP_VALUES if key == "reason" and metric.startswith("scrap") else VALUES[key]
            where[key] = rng.choice(values)
        free = [key for key in (*keys, "day", "week", "hour") if key not in where]
        by = tuple(rng.sample(free, rng.choice((0, 1, 1, 2))))
        if sum(key in ("day", "week", "hour") for key in by) > 1 or ("product" in by and metric == "changeover_time"):
            by = by[:1]
        first = date(2025, 10, 15) + timedelta(days=rng.randrange(0, 12))
        days = rng.choice((1, 2, 7))
        start = datetime(first.year, first.month, first.day, tzinfo=ZONE)
        last = first + timedelta(days=days)
        span = period(start, datetime(last.year, last.month, last.day, tzinfo=ZONE), f"{days} days from {first}")
        if rng.random() < 0.3:  # a range that cuts shifts and days, across the change of clocks
            begin = datetime(2025, 10, 25, rng.randrange(0, 24), tzinfo=ZONE).astimezone(UTC)
            span = period(begin, begin + timedelta(hours=rng.randrange(3, 50)), "some hours")
        if "hour" in by and (span.end - span.start) > timedelta(days=2):
            span = period(span.start, span.start + timedelta(hours=30), "thirty hours")
        out.append((metric, where, by, span))
    return out


def test_generated_questions_equal_plain_python(plant: Plant, path: Path) -> None:
    reference = Reference(path)
    compared = grouped = 0
    for metric, where, by, span in questions(340):
        result = query_metrics(call(plant), [metric], dict(where), span, list(by))
        expected = {k: reference.value(metric, s) for k, s in reference.sums(metric, where, span, by).items()}
        told = (metric, where, by, span.text, result.message)
        if not result.evidence:
            assert result.status == "no_data", told
            assert not by or not expected, told
            compared += 1
            continue
        rows = {tuple(row[f"{key}_id"] for key in by): row[metric] for row in result.evidence[0].rows}
        if not by:
            expected = expected or {(): reference.value(metric, defaultdict(float))}
        assert set(rows) == set(expected), told
        for group, value in expected.items():
            assert rows[group] == (None if value is None else pytest.approx(value, rel=1e-9, abs=1e-9)), (told, group)
        compared += 1
        grouped += len(rows) > 1
    assert compared >= 300
    assert grouped >= 120


def test_iso_22400_worked_example(plant: Plant) -> None:
    """480 min planned, 420 min producing, 60 s a part, 380 parts of which 361 good, 10 of them reworked."""
    model = plant.model.metrics
    sums = {"planned_busy_s": 480 * 60, "production_s": 420 * 60, "ideal_s": 380 * 60, "started": 380, "output_good": 361, "rework": 10}
    assert value_of(model["availability"], sums) == pytest.approx(0.875)
    assert value_of(model["performance"], sums) == pytest.approx(380 / 420)
    assert value_of(model["quality_ratio"], sums) == pytest.approx(0.95)
    assert value_of(model["oee"], sums) == pytest.approx(0.875 * 380 / 420 * 0.95)
    assert value_of(model["first_pass_yield"], sums) == pytest.approx(351 / 380)
    assert value_of(model["oee"], {**sums, "planned_busy_s": 0}) is None


def test_a_day_without_planned_time_is_not_defined_and_says_why(plant: Plant) -> None:
    span = period(datetime(2025, 10, 22, tzinfo=ZONE), datetime(2025, 10, 23, tzinfo=ZONE))
    result = query_metrics(call(plant), ["oee"], {"line": "LINE-1"}, span)
    assert result.status == "answered"
    assert result.evidence[0].rows[0]["oee"] is None
    why = "planned busy time, actual production time and parts produced"
    assert all(word in result.data["undefined"]["oee"] for word in ("nothing was planned", *why.replace(" and", ",").split(", ")))


def test_periods_that_nobody_said(plant: Plant) -> None:
    night = query_metrics(call(plant), ["oee"], {"line": "LINE-3", "shift": "night"})
    assert night.data["period"].start == datetime(2025, 10, 31, 22, tzinfo=ZONE)
    assert night.data["period"].end == datetime(2025, 11, 1, 6, tzinfo=ZONE)
    assert night.assumed[0].startswith("period: the last completed night shift")
    plain = query_metrics(call(plant), ["mtbf"])
    assert plain.assumed == ("period: the last 30 days",)


@pytest.mark.parametrize(
    ("start", "end", "before"),
    [
        (datetime(2025, 10, 1), datetime(2025, 11, 1), (datetime(2025, 9, 1), datetime(2025, 10, 1))),
        (datetime(2025, 10, 20), datetime(2025, 10, 27), (datetime(2025, 10, 13), datetime(2025, 10, 20))),
        (datetime(2025, 10, 27), datetime(2025, 10, 28), (datetime(2025, 10, 26), datetime(2025, 10, 27))),
        (datetime(2025, 10, 30, 22), datetime(2025, 10, 31, 6), (datetime(2025, 10, 29, 22), datetime(2025, 10, 30, 6))),
    ],
)
def test_the_period_before_is_the_calendars(plant: Plant, start: datetime, end: datetime, before: tuple[datetime, datetime]) -> None:
    found = previous(call(plant), period(start.replace(tzinfo=ZONE), end.replace(tzinfo=ZONE)))
    assert (found.start, found.end) == tuple(moment.replace(tzinfo=ZONE) for moment in before)


def test_comparisons(plant: Plant) -> None:
    week = period(datetime(2025, 10, 20, tzinfo=ZONE), datetime(2025, 10, 27, tzinfo=ZONE), "that week")
    other = period(datetime(2025, 10, 15, tzinfo=ZONE), datetime(2025, 10, 17, tzinfo=ZONE), "two days")
    row = query_metrics(call(plant), ["oee"], {"line": "LINE-3"}, week, compare_to=other).evidence[0].rows[0]
    alone = query_metrics(call(plant), ["oee"], {"line": "LINE-3"}, other).evidence[0].rows[0]
    assert row["oee_before"] == alone["oee"]
    assert row["oee_change"] == pytest.approx((row["oee"] - alone["oee"]) * 100)
    lines = query_metrics(call(plant), ["oee"], period=week, by=["line"], compare_to="target").evidence[0].rows
    assert {r["line_id"]: r["oee_before"] for r in lines} == {"LINE-1": 0.6, "LINE-2": 0.6, "LINE-3": 0.72}
    line1 = query_metrics(call(plant), ["oee"], {"line": "LINE-3"}, week, compare_to={"line": "LINE-1"}).evidence[0].rows[0]
    assert line1["oee_before"] == next(r["oee"] for r in lines if r["line_id"] == "LINE-1")
    number = query_metrics(call(plant), ["oee"], {"line": "LINE-3"}, week, compare_to="85%").evidence[0].rows[0]
    assert number["oee_before"] == 0.85
    missing = query_metrics(call(plant), ["mtbf"], period=week, compare_to="target")
    assert missing.status == "no_data"
    assert "no target" in missing.message


@pytest.mark.parametrize(
    ("metric", "said", "expected"),
    [("oee", "85%", 0.85), ("oee", 85, 0.85), ("oee", 0.85, 0.85), ("scrap_rate", "1.5", 0.015), ("downtime", "2 h", 7200.0),
     ("downtime", 30, 1800.0), ("changeover_time", "90-minute", 5400.0), ("good_count", "12,400", 12400.0), ("good_count", "30k", 30000.0),
     ("scrap_rate", "0,9%", 0.009)],
)  # fmt: skip
def test_thresholds_are_read_in_the_metrics_unit(plant: Plant, metric: str, said: object, expected: float) -> None:
    assert in_unit(plant.model.metrics[metric], said) == pytest.approx(expected)


def test_ranking_having_and_limit(plant: Plant) -> None:
    week = period(datetime(2025, 10, 20, tzinfo=ZONE), datetime(2025, 10, 27, tzinfo=ZONE))
    every = query_metrics(call(plant), ["oee"], period=week, by=["equipment"]).evidence[0].rows
    values = sorted((r["oee"], r["equipment_id"]) for r in every)
    lowest = query_metrics(call(plant), ["oee"], period=week, by=["equipment"], sort="asc", limit=2).evidence[0].rows
    assert [(r["oee"], r["equipment_id"]) for r in lowest] == values[:2]
    bound = values[2][0]
    above = query_metrics(call(plant), ["oee"], {"oee": {"min": bound}}, week, ["equipment"], "desc").evidence[0].rows
    assert [(r["oee"], r["equipment_id"]) for r in above] == values[:1:-1]


def test_scope_cuts_what_is_asked(plant: Plant) -> None:
    week = period(datetime(2025, 10, 20, tzinfo=ZONE), datetime(2025, 10, 27, tzinfo=ZONE))
    own = query_metrics(call(plant, OPERATOR), ["oee"], period=week)
    assert own.status == "answered"
    assert own.limited_to == "Line 3"
    assert own.evidence[0].rows[0]["oee"] == query_metrics(call(plant), ["oee"], {"line": "LINE-3"}, week).evidence[0].rows[0]["oee"]
    ranked = query_metrics(call(plant, OPERATOR), ["oee"], period=week, by=["line"])
    assert ranked.status == "partial"
    assert [row["line_id"] for row in ranked.evidence[0].rows] == ["LINE-3"]
    mixed = query_metrics(call(plant, OPERATOR), ["oee"], {"line": ["LINE-1", "LINE-3"]}, week)
    assert (mixed.status, mixed.limited_to) == ("partial", "Line 3")
    outside = query_metrics(call(plant, OPERATOR), ["oee"], {"equipment": "ROB-01"}, week)
    assert outside.status == "not_allowed"
    assert "supervisor" in outside.message
    assert not outside.evidence


def test_people_are_not_ranked(plant: Plant) -> None:
    for arguments in ({"by": ["operator"]}, {"where": {"operator": "otto"}}, {"where": {"operator": {"not": "otto"}}}):
        result = query_metrics(call(plant, SUPERVISOR), ["scrap_rate"], **arguments)  # type: ignore[arg-type]
        assert result.status == "not_allowed"
    span = period(datetime(2025, 10, 20, tzinfo=ZONE), NOW)
    assert query_metrics(call(plant, OPERATOR), ["scrap_rate"], {"operator": "olivia"}, span).status == "answered"


def test_questions_that_cannot_be_answered_say_so(plant: Plant) -> None:
    ask = call(plant)
    tomorrow = period(NOW + timedelta(days=1), NOW + timedelta(days=2), "tomorrow")
    assert "future" in query_metrics(ask, ["oee"], period=tomorrow).message
    inverted = query_metrics(ask, ["oee"], period=period(NOW, NOW - timedelta(days=1), "backwards"))
    assert inverted.status == "needs_clarification"
    unknown = query_metrics(ask, ["oee"], {"equipment": "CNC-1"})
    assert unknown.status == "needs_clarification"
    assert "CNC-01" in [choice.label for choice in unknown.choices]
    assert query_metrics(ask, ["alarm_count"], {"product": "XYZ"}).status == "no_data"
    early = period(datetime(2020, 1, 1, tzinfo=ZONE), datetime(2020, 1, 2, tzinfo=ZONE))
    assert query_metrics(ask, ["oee"], period=early).status == "no_data"
    assert query_metrics(ask, ["alarm_count"], {"alarm": "502"}, early).evidence[0].rows[0]["alarm_count"] == 0


def test_running_periods_are_marked(plant: Plant) -> None:
    days = period(datetime(2025, 10, 30, tzinfo=ZONE), datetime(2025, 11, 2, tzinfo=ZONE))
    rows = query_metrics(call(plant), ["oee"], period=days, by=["day"]).evidence[0].rows
    assert [row["complete"] for row in rows] == ["yes", "yes", "so far"]


def test_a_lines_parts_are_counted_where_they_leave_it(tmp_path: Path) -> None:
    """One part passes several stations: counted once, scrapped at any of them; of a single machine, its own count."""
    path = build(tmp_path / "line.sqlite")
    with sqlite3.connect(path) as db:
        db.execute("DELETE FROM counting_points WHERE equipment_id = 'WASH-01'")
        rows = db.execute("SELECT equipment_id, SUM(good), SUM(scrap), SUM(rework), SUM(produced) FROM production_hours GROUP BY 1").fetchall()
    sums = {machine: values for machine, *values in rows}
    line = ("CNC-01", "CNC-02", "WASH-01")
    good = sums["CNC-01"][0] + sums["CNC-02"][0]
    started = good + sum(sums[machine][1] for machine in line)
    rework = sum(sums[machine][2] for machine in line)
    plant = Plant.open(None, str(path))
    asked = call(plant)
    span = period(START, UNTIL)
    wanted = ["good_count", "total_count", "first_pass_yield"]
    row = query_metrics(asked, wanted, {"line": "LINE-3"}, span).evidence[0].rows[0]
    assert (row["good_count"], row["total_count"]) == (good, started)
    assert row["first_pass_yield"] == pytest.approx((good - rework) / started)
    own = query_metrics(asked, wanted, {"equipment": "WASH-01"}, span).evidence[0].rows[0]
    assert (own["good_count"], own["total_count"]) == (sums["WASH-01"][0], sums["WASH-01"][3])
    plant.close()
