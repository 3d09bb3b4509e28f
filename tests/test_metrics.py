"""Certified metrics: the ISO 22400-2 arithmetic by hand, periods, comparisons, thresholds, rights, and what has no answer.
tests/test_recomputation.py compares generated questions with a second implementation."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.small_plant import NOW, OPERATOR, START, SUPERVISOR, UNTIL, ZONE, build, call, period
from tools.comparison import previous
from tools.formula import divisors_of, in_unit, sql_value, value_of
from tools.metrics import query_metrics
from tools.model_file import expression
from tools.plant_model import Plant


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(Path(tmp_path_factory.mktemp("plant")) / "mes.sqlite")


@pytest.fixture(scope="module")
def plant(path: Path) -> Iterator[Plant]:
    opened = Plant.open(None, str(path))
    yield opened
    opened.close()


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


ISO_EXAMPLES = [
    # A shift of 8 h with 30 min of breaks: planned busy time 450 min. Stops of 45 min and set-up of 30 min leave 375 min of
    # production. 700 parts at a planned 30 s each: 350 min. 686 good, 14 scrap, 21 of the good reworked.
    ("availability", {"planned_busy_s": 27000, "production_s": 22500}, 0.833333),  # 375 / 450
    ("performance", {"ideal_s": 21000, "production_s": 22500}, 0.933333),  # 350 / 375, the standard's effectiveness
    ("quality_ratio", {"output_good": 686, "started": 700}, 0.98),  # 686 / 700
    ("oee", {"planned_busy_s": 27000, "production_s": 22500, "ideal_s": 21000, "output_good": 686, "started": 700}, 0.762222),
    # 0.8333 x 0.9333 x 0.98 = 350/450 x 0.98 = 0.77778 x 0.98
    ("first_pass_yield", {"output_good": 686, "rework": 21, "started": 700}, 0.95),  # 665 / 700
    ("scrap_rate", {"scrap": 14, "started": 700}, 0.02),  # 14 / 700
    ("rework_rate", {"rework": 21, "started": 700}, 0.03),  # 21 / 700
    ("cycle_time", {"production_s": 22500, "produced": 700}, 32.142857),  # 22500 s / 700
    # 500 h of operation with 4 failures; repairs of 1.5, 0.5, 2 and 1 h.
    ("mtbf", {"operating_s": 1800000, "failures": 4}, 450000.0),  # 125 h
    ("mttr", {"repair_s": 18000, "repairs": 4}, 4500.0),  # 5 h / 4 = 75 min
    ("energy_per_good_part", {"energy_kwh": 343.0, "output_good": 686}, 0.5),
    ("changeover_time", {"changeover_s": 5400, "changeovers": 3}, 1800.0),  # 90 min / 3
    ("schedule_attainment", {"attained": 950, "ordered": 1000}, 0.95),
    ("downtime", {"down_s": 2700}, 2700.0),
]


@pytest.mark.parametrize(("metric", "sums", "expected"), ISO_EXAMPLES)
def test_elements_to_kpis_by_hand(plant: Plant, metric: str, sums: dict[str, float], expected: float) -> None:
    spec = plant.model.metrics[metric]
    assert value_of(spec, sums) == pytest.approx(expected, rel=1e-5)
    for divisor in divisors_of(spec):  # a zero denominator is not defined, in Python and in SQL
        without = {**sums, divisor: 0}
        assert value_of(spec, without) is None
        columns = ", ".join(f"{value} AS {name}" for name, value in without.items())
        text = f"SELECT {sql_value(expression(spec.expression))} FROM (SELECT {columns})"
        assert sqlite3.connect(":memory:").execute(text).fetchone() == (None,)


@pytest.mark.parametrize(
    ("metric", "said", "words"),
    [("downtime", "5 kWh", "seconds, minutes or hours"), ("oee", "20 minutes", "per cent"), ("energy", "2 h", "kWh"), ("scrap_count", "5 %", "pieces"),
     ("oee", "high", "no number"), ("cycle_time", "40 °C", "seconds")],
)  # fmt: skip
def test_a_unit_that_the_metric_is_not_measured_in_is_asked_about(plant: Plant, metric: str, said: str, words: str) -> None:
    span = period(datetime(2025, 10, 20, tzinfo=ZONE), datetime(2025, 10, 27, tzinfo=ZONE))
    result = query_metrics(call(plant), [metric], {metric: {"min": said}}, span, ["line"])
    assert result.status == "needs_clarification"
    assert words in result.message
    assert query_metrics(call(plant), [metric], {}, span, compare_to=said).status == "needs_clarification"


def test_thresholds_keep_the_unit_that_was_said(plant: Plant) -> None:
    span = period(datetime(2025, 10, 20, tzinfo=ZONE), datetime(2025, 10, 27, tzinfo=ZONE))
    every = query_metrics(call(plant), ["downtime"], {}, span, ["equipment"]).evidence[0].rows
    for said, seconds in (("2 h", 7200), ("120", 7200), (7200, 7200), ("400 min", 24000)):
        rows = query_metrics(call(plant), ["downtime"], {"downtime": {"min": said}}, span, ["equipment"]).evidence[0].rows
        assert {r["equipment_id"] for r in rows} == {r["equipment_id"] for r in every if float(str(r["downtime"])) >= seconds}


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
     ("downtime", 30, 30.0), ("downtime", "30", 1800.0), ("energy", "1.5 MWh", 1500.0), ("cycle_time", "2 min", 120.0), ("changeover_time", "90-minute", 5400.0), ("good_count", "12,400", 12400.0), ("good_count", "30k", 30000.0),
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
        rows = db.execute(
            "SELECT equipment_id, SUM(good), SUM(scrap), SUM(rework), SUM(produced) FROM production_hours GROUP BY 1"
        ).fetchall()
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
