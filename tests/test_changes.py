"""Why a figure changed: shares that add up, for every metric of the model, recomputed from sums and from the database."""

from __future__ import annotations

import math
import random
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from itertools import permutations
from pathlib import Path

import pytest

from tests.small_plant import ZONE, build, call, period
from tools.changes import element_parts, factor_parts, member_parts, shapley
from tools.evidence import Evidence, Value
from tools.formula import elements_of, value_of
from tools.metrics import query_metrics
from tools.plant_model import Plant

WEEK = period(datetime(2025, 10, 27, tzinfo=ZONE), datetime(2025, 11, 1, tzinfo=ZONE), "this week")
BEFORE = period(datetime(2025, 10, 20, tzinfo=ZONE), datetime(2025, 10, 25, tzinfo=ZONE), "last week")


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plant]:
    opened = Plant.open(None, str(build(Path(tmp_path_factory.mktemp("plant")) / "mes.sqlite")))
    yield opened
    opened.close()


def test_factors_share_a_product_as_if_they_had_moved_in_every_order(plant: Plant) -> None:
    oee = plant.model.metrics["oee"]
    before = {"planned_busy_s": 1000, "production_s": 900, "ideal_s": 800, "started": 100, "output_good": 95}
    after = {"planned_busy_s": 1000, "production_s": 700, "ideal_s": 650, "started": 90, "output_good": 85}
    parts = factor_parts(oee, before, after)
    old, new = (0.9, 800 / 900, 0.95), (0.7, 650 / 700, 85 / 90)
    assert [a for _, a, _, _ in parts] == pytest.approx(old)
    assert [b for _, _, b, _ in parts] == pytest.approx(new)
    by_hand = [0.0, 0.0, 0.0]
    for order in permutations(range(3)):  # what each factor adds when they move one after the other, over all six orders
        now = list(old)
        for index in order:
            was = math.prod(now)
            now[index] = new[index]
            by_hand[index] += (math.prod(now) - was) / 6
    assert [part for *_, part in parts] == pytest.approx(by_hand)
    assert sum(by_hand) == pytest.approx(math.prod(new) - math.prod(old))
    assert shapley([(2.0, 3.0)]) == [1.0]


def test_a_ratios_elements_and_members_by_hand(plant: Plant) -> None:
    """Scrap 6 of 200 before, 16 of 250 after: 3 % and 6.4 %. At the 250 parts of now, 6 scrapped were 7.5. A part of A at
    the old rate of 5 in 100 stayed, but A is now 100 of 250 instead of 100 of 200 parts, the others more."""
    rate = plant.model.metrics["scrap_rate"]
    before = {"A": {"scrap": 5, "started": 100}, "B": {"scrap": 1, "started": 100}}
    after = {"A": {"scrap": 5, "started": 100}, "B": {"scrap": 9, "started": 100}, "C": {"scrap": 2, "started": 50}}
    totals = ({"scrap": 6, "started": 200}, {"scrap": 16, "started": 250})
    assert [part for *_, part in element_parts(rate, *totals)] == pytest.approx([16 / 250 - 6 / 200, 0.0])  # per part made
    middle = (0.03 + 0.064) / 2
    by_hand = {
        "A": (5 - 5 * 1.25 - middle * (100 - 125)) / 250,
        "B": (9 - 1 * 1.25 - middle * (100 - 125)) / 250,
        "C": (2 - middle * 50) / 250,
    }
    shares, rest = member_parts(rate, before, after, totals)  # type: ignore[arg-type]
    assert dict(shares) == pytest.approx(by_hand)
    assert rest == 0.0
    assert sum(by_hand.values()) == pytest.approx(0.034)
    count, _ = member_parts(plant.model.metrics["scrap_count"], before, after, totals)  # type: ignore[arg-type]
    assert count == [("B", 8.0), ("C", 2.0)]


def test_twice_the_work_at_the_same_rates_changes_nothing(plant: Plant) -> None:
    """A week against two weeks: no line is blamed for the length of the period."""
    groups = {"A": {"scrap": 5, "started": 100}, "B": {"scrap": 1, "started": 300}}
    doubled = {m: {e: 2 * v for e, v in row.items()} for m, row in groups.items()}
    totals = ({"scrap": 6, "started": 400}, {"scrap": 12, "started": 800})
    shares, rest = member_parts(plant.model.metrics["scrap_rate"], groups, doubled, totals)  # type: ignore[arg-type]
    assert all(abs(part) < 1e-12 for _, part in shares)
    assert rest == pytest.approx(0.0)


def test_a_mean_time_between_failures_falls_by_its_failures(plant: Plant) -> None:
    """600 h with 3 failures, then 300 h with 5: 200 h and 60 h. The hours are the exposure; the failures made it fall."""
    parts = element_parts(
        plant.model.metrics["mtbf"], {"operating_s": 600, "failures": 3}, {"operating_s": 300, "failures": 5}, {"operating_s"}
    )
    assert [part for *_, part in parts] == pytest.approx([0.0, -140.0])


def test_what_a_grouping_leaves_whole_or_unrecorded_is_the_rest(plant: Plant) -> None:
    rate = plant.model.metrics["scrap_rate"]
    totals = ({"scrap": 6, "started": 200}, {"scrap": 16, "started": 250})
    reasons = ({"burr": {"scrap": 4, "started": 200}}, {"burr": {"scrap": 13, "started": 250}})
    shares, rest = member_parts(rate, *reasons, totals, whole=["started"])  # type: ignore[arg-type]
    assert shares == [("burr", pytest.approx((13 - 4 * 1.25) / 250))]
    assert rest == pytest.approx((3 - 2 * 1.25) / 250)  # parts scrapped without a reason


def test_every_metric_of_the_model_is_shared_without_a_rest(plant: Plant) -> None:
    rng = random.Random(5)
    shared = 0
    for metric in plant.model.metrics.values():
        names = elements_of(metric)
        for _ in range(25):
            groups: list[dict[Value, dict[str, Value]]] = [
                {m: {e: rng.choice((0, rng.randrange(1, 5000))) for e in names} for m in rng.sample("ABCDEF", rng.randrange(1, 7))}
                for _ in (0, 1)
            ]
            totals = tuple({e: sum(row[e] for row in group.values()) for e in names} for group in groups)  # type: ignore[misc]
            old, new = (value_of(metric, sums) for sums in totals)
            parts = element_parts(metric, *totals)
            if old is None or new is None:
                continue
            assert sum(part for *_, part in parts) == pytest.approx(new - old, rel=1e-9, abs=1e-9), metric.label
            shares, rest = member_parts(metric, *groups, totals)  # type: ignore[arg-type]
            assert sum(part for _, part in shares) + rest == pytest.approx(new - old, rel=1e-9, abs=1e-9), metric.label
            assert rest == pytest.approx(0.0, abs=1e-6)
            if factors := factor_parts(metric, *totals):
                assert sum(part for *_, part in factors) == pytest.approx(new - old, rel=1e-9, abs=1e-9), metric.label
            shared += 1
    assert shared > 300
    assert element_parts(plant.model.metrics["mtbf"], {"operating_s": 5, "failures": 0}, {"operating_s": 5, "failures": 1}) == []


def groups_of(item: Evidence) -> dict[str, float]:
    found: dict[str, float] = defaultdict(float)
    for row in item.rows:
        found[str(row["kind"])] += float(str(row["part"]))
    return dict(found)


@pytest.mark.parametrize(
    ("metric", "where", "expected"),
    [
        ("oee", {}, {"factor", "line", "machine", "product", "shift"}),
        ("oee", {"line": "LINE-3"}, {"factor", "machine", "product", "shift"}),
        ("first_pass_yield", {"line": "LINE-3"}, {"element", "machine", "product", "shift"}),
        ("scrap_rate", {}, {"element", "line", "machine", "product", "shift", "reason"}),
        ("downtime", {"line": "LINE-3"}, {"machine", "shift", "reason"}),
        ("mtbf", {}, {"element", "line", "machine", "shift", "reason"}),
        ("mttr", {}, {"element", "line", "machine", "shift", "reason"}),
        ("cycle_time", {"equipment": "CNC-01"}, {"element", "product", "shift"}),
        ("energy_per_good_part", {}, {"element", "line", "machine", "shift"}),
        ("alarm_count", {}, {"line", "machine", "shift"}),
        ("good_count", {"shift": "night"}, {"line", "machine", "product"}),
    ],
)  # fmt: skip
def test_each_group_of_an_explanation_adds_up_to_the_change(
    plant: Plant, metric: str, where: dict[str, object], expected: set[str]
) -> None:
    result = query_metrics(call(plant), [metric], where, WEEK, compare_to=BEFORE)
    item, why = result.evidence[:2]
    difference = item.rows[0][f"{metric}_change"]
    assert why.facts["change"][1] == pytest.approx(difference)
    sums = groups_of(why)
    assert expected <= set(sums)
    for kind, total in sums.items():
        assert total == pytest.approx(difference, rel=1e-6, abs=1e-6), kind


def test_members_are_shown_with_their_own_figures(plant: Plant) -> None:
    why = query_metrics(call(plant), ["oee"], {"line": "LINE-3"}, WEEK, compare_to=BEFORE).evidence[1]
    row = next(row for row in why.rows if row["kind"] == "machine")
    machine = next(m for m, info in plant.equipment.items() if info.name in str(row["member"]) or m in str(row["member"]))
    alone = query_metrics(call(plant), ["oee"], {"equipment": machine}, WEEK).evidence[0].rows[0]["oee"]
    assert row["after"] == f"{float(str(alone)) * 100:.1f} %"


def test_losses_behind_a_ratio_are_told_by_reason(plant: Plant) -> None:
    evidence = query_metrics(call(plant), ["oee"], {"line": "LINE-3"}, WEEK, compare_to=BEFORE).evidence
    assert len(evidence) == 3
    losses = evidence[2]
    assert losses.facts["metric"][1] == "Downtime"
    rows = {
        span: query_metrics(call(plant), ["downtime"], {"line": "LINE-3"}, span, ["reason"]).evidence[0].rows for span in (WEEK, BEFORE)
    }
    sums = [{str(r["reason"]): float(str(r["downtime"])) for r in rows[span]} for span in (WEEK, BEFORE)]
    for row in losses.rows:
        name = str(row["member"])
        assert row["part"] == pytest.approx(sums[0].get(name, 0.0) - sums[1].get(name, 0.0))


def test_two_places_are_compared_by_their_factors(plant: Plant) -> None:
    result = query_metrics(call(plant), ["oee"], {"line": "LINE-3"}, WEEK, compare_to={"line": "LINE-1"})
    sums = groups_of(result.evidence[1])
    assert {"factor", "shift"} <= set(sums)
    assert not set(sums) & {"line", "machine"}
    assert sums["factor"] == pytest.approx(result.evidence[0].rows[0]["oee_change"])


def test_targets_are_not_explained(plant: Plant) -> None:
    assert len(query_metrics(call(plant), ["oee"], {"line": "LINE-3"}, WEEK, compare_to="target").evidence) == 1
