"""Why a figure changed: factors share the change exactly, members by leaving each as it was."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from tests.small_plant import ZONE, build, call, period
from tools.changes import factor_parts, member_parts
from tools.metrics import query_metrics
from tools.plant_model import Plant

WEEK = period(datetime(2025, 10, 27, tzinfo=ZONE), datetime(2025, 11, 1, tzinfo=ZONE), "this week")
BEFORE = period(datetime(2025, 10, 20, tzinfo=ZONE), datetime(2025, 10, 25, tzinfo=ZONE), "last week")


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plant]:
    opened = Plant.open(None, str(build(Path(tmp_path_factory.mktemp("plant")) / "mes.sqlite")))
    yield opened
    opened.close()


def test_factors_share_the_change_exactly(plant: Plant) -> None:
    oee = plant.model.metrics["oee"]
    before = {"planned_busy_s": 1000, "production_s": 900, "ideal_s": 800, "started": 100, "output_good": 95}
    after = {"planned_busy_s": 1000, "production_s": 700, "ideal_s": 650, "started": 90, "output_good": 85}
    parts = factor_parts(oee, before, after)  # type: ignore[arg-type]
    assert [(round(a, 6), round(b, 6)) for _, a, b, _ in parts] == [(0.9, 0.7), (round(8 / 9, 6), round(650 / 700, 6)), (0.95, round(85 / 90, 6))]
    assert sum(part for *_, part in parts) == pytest.approx(0.7 * 650 / 700 * 85 / 90 - 0.9 * 800 / 900 * 0.95)
    assert factor_parts(oee, before, {**after, "output_good": 0}) == []  # type: ignore[arg-type]


def test_members_of_a_sum_add_up_and_of_a_ratio_stand_alone(plant: Plant) -> None:
    before = {"A": {"scrap": 5, "started": 100}, "B": {"scrap": 1, "started": 100}}
    after = {"A": {"scrap": 5, "started": 100}, "B": {"scrap": 9, "started": 100}, "C": {"scrap": 2, "started": 50}}
    count = member_parts(plant.model.metrics["scrap_count"], before, after)  # type: ignore[arg-type]
    assert [(member, part) for member, _, _, part in count] == [("B", 8.0), ("C", 2.0)]
    rate = member_parts(plant.model.metrics["scrap_rate"], before, after)  # type: ignore[arg-type]
    assert rate[0][0] == "B"
    assert rate[0][3] == pytest.approx(16 / 250 - 8 / 250)
    assert {member: part for member, _, _, part in rate}["C"] == pytest.approx(16 / 250 - 14 / 200)


def test_a_comparison_comes_with_its_explanation(plant: Plant) -> None:
    result = query_metrics(call(plant), ["downtime"], {"line": "LINE-3"}, WEEK, compare_to=BEFORE)
    item, why = result.evidence
    assert why.facts["change"][1] == pytest.approx(item.rows[0]["downtime_change"])
    machines = [row for row in why.rows if row["kind"] == "machine"]
    for row in machines:
        assert row["part"] == pytest.approx(float(str(row["after"] or 0)) - float(str(row["before"] or 0)))
    oee = query_metrics(call(plant), ["oee"], {"line": "LINE-3"}, WEEK, compare_to=BEFORE)
    factors = [row for row in oee.evidence[1].rows if row["kind"] == "factor"]
    assert {row["member"] for row in factors} == {"Availability", "Performance", "Quality ratio"}
    assert sum(float(str(row["part"])) for row in factors) == pytest.approx(oee.evidence[0].rows[0]["oee_change"])
    assert len(query_metrics(call(plant), ["oee"], {"line": "LINE-3"}, WEEK, compare_to="target").evidence) == 1
