"""Every composer of the data tools over real results: what it says must survive the grounding check."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from assistant.compose.data import (
    compose_find_correlations,
    compose_list_records,
    compose_signal_trend,
    compose_trace_material,
)
from assistant.compose.metrics import compose_query_metrics
from assistant.compose.said import Context, Said
from tests.small_plant import NOW, OPERATOR, SUPERVISOR, ZONE, build, call, period
from tools.correlations import find_correlations
from tools.evidence import faults, fill
from tools.metrics import query_metrics
from tools.plant_model import Plant
from tools.records import list_records
from tools.registry import Step, marked
from tools.signals import signal_trend
from tools.tracing import trace_material

NAMES = ("cnc-01", "cnc-02", "line 3", "line 1", "xyz", "502", "night", "burr", "po-101")


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plant]:
    opened = Plant.open(None, str(build(Path(tmp_path_factory.mktemp("plant")) / "mes.sqlite")))
    yield opened
    opened.close()


CASES: list[tuple[Any, Any, dict[str, Any]]] = [
    (query_metrics, compose_query_metrics, {"metrics": ["oee", "mtbf"], "where": {"line": "LINE-3"}}),
    (query_metrics, compose_query_metrics, {"metrics": ["first_pass_yield"], "where": {"line": "LINE-3", "shift": "night"}}),
    (query_metrics, compose_query_metrics, {"metrics": ["oee"], "by": ["line"], "compare_to": "target"}),
    (query_metrics, compose_query_metrics, {"metrics": ["oee"], "compare_to": "previous_period"}),
    (query_metrics, compose_query_metrics, {"metrics": ["scrap_count", "scrap_rate"], "by": ["reason"], "sort": "desc"}),
    (query_metrics, compose_query_metrics, {"metrics": ["downtime"], "by": ["day", "shift"]}),
    (query_metrics, compose_query_metrics, {"metrics": ["oee"], "by": ["line"], "where": {"oee": {"max": "5 %"}}}),
    (query_metrics, compose_query_metrics, {"metrics": ["oee"], "by": ["equipment"], "where": {"oee": {"min": "20 %"}}, "sort": "desc"}),
    (query_metrics, compose_query_metrics, {"metrics": ["oee"], "where": {"line": "LINE-3", "oee": {"max": "5 %"}}}),
    (query_metrics, compose_query_metrics, {"metrics": ["alarm_count"], "by": ["equipment"], "where": {"alarm_count": {"max": 0}}}),
    (query_metrics, compose_query_metrics, {"metrics": ["alarm_flood_count", "alarm_rate"], "by": ["line"]}),
    (
        query_metrics,
        compose_query_metrics,
        {"metrics": ["scrap_rate"], "by": ["product"], "compare_to": "previous_period", "limit": 1, "sort": "desc"},
    ),
    (query_metrics, compose_query_metrics, {"metrics": ["oee"], "where": {"line": "LINE-3"}, "compare_to": "85 %"}),
    (query_metrics, compose_query_metrics, {"metrics": ["mtbf"], "compare_to": {"line": "LINE-1"}, "where": {"line": "LINE-3"}}),
    (list_records, compose_list_records, {"records": "downtime_events", "where": {"duration_min": {"min": 30}, "equipment": "CNC-01"}}),
    (list_records, compose_list_records, {"records": "lots", "where": {"status": "on_hold"}}),
    (list_records, compose_list_records, {"records": "maintenance_orders", "where": {"status": "open"}}),
    (list_records, compose_list_records, {"records": "alarm_events", "by": ["alarm"], "limit": 2}),
    (list_records, compose_list_records, {"records": "nonconformances"}),
    (list_records, compose_list_records, {"records": "lots", "where": {"id": "501"}}),
    (trace_material, compose_trace_material, {"lot": "501"}),
    (find_correlations, compose_find_correlations, {"outcome": "scrap"}),
]


@pytest.mark.parametrize(("tool", "compose", "arguments"), CASES)
@pytest.mark.parametrize("caller", [SUPERVISOR, OPERATOR], ids=["supervisor", "operator"])
def test_every_sentence_is_grounded(plant: Plant, tool: Any, compose: Any, arguments: dict[str, Any], caller: Any) -> None:
    result = tool(call(plant, caller), **arguments)
    if not result.evidence:
        assert result.message
        return
    (step,) = marked((Step(tool.__name__, arguments, result, 1.0),))
    said: Said = compose(step, Context(ZONE, NOW, "a question", caller))
    assert said.sentences
    assert said.blocks
    assert said.spoken
    for sentence in said.sentences:
        assert faults(sentence, step.result.evidence, NAMES) == (), sentence
        assert "{" not in fill(sentence, step.result.evidence, ZONE)
    for sentence in said.spoken:
        fill(sentence, step.result.evidence, ZONE)


def test_a_tile_shows_elements_formula_and_target(plant: Plant) -> None:
    arguments = {"metrics": ["oee"], "where": {"line": "LINE-3"}, "compare_to": "target"}
    (step,) = marked((Step("query_metrics", arguments, query_metrics(call(plant), **arguments), 1.0),))  # type: ignore[arg-type]
    (block,) = compose_query_metrics(step, Context(ZONE, NOW, "", SUPERVISOR)).blocks
    assert block["type"] == "number"
    assert block["text"].endswith("%")
    assert block["target"]["text"] == "72.0 %"
    assert next(e["label"] for e in block["elements"]) == "Actual production time"


WEEK = period(datetime(2025, 10, 20, tzinfo=ZONE), datetime(2025, 10, 27, tzinfo=ZONE), "last week")
BEFORE = period(datetime(2025, 10, 15, tzinfo=ZONE), datetime(2025, 10, 20, tzinfo=ZONE), "the days before")


def read(plant: Plant, tool: Any, compose: Any, **arguments: Any) -> list[str]:
    """The sentences of an answer as people read them, without their markers."""
    (step,) = marked((Step(tool.__name__, arguments, tool(call(plant), **arguments), 1.0),))
    said = compose(step, Context(ZONE, NOW, "", SUPERVISOR))
    return [fill(sentence, step.result.evidence, ZONE).rpartition(" [")[0] for sentence in said.sentences]


def figures(plant: Plant, metric: str, **arguments: Any) -> list[dict[str, Any]]:
    return [dict(row) for row in query_metrics(call(plant), [metric], **arguments).evidence[0].rows]


def test_a_figure_is_a_sentence(plant: Plant) -> None:
    oee = figures(plant, "oee", where={"line": "LINE-3"}, period=WEEK)[0]["oee"]
    said = read(plant, query_metrics, compose_query_metrics, metrics=["oee"], where={"line": "LINE-3"}, period=WEEK)
    assert said[0] == f"OEE of Line 3 was {oee * 100:.1f} % last week."
    good = figures(plant, "good_count", where={"line": "LINE-3"}, period=WEEK)[0]["good_count"]
    said = read(plant, query_metrics, compose_query_metrics, metrics=["good_count"], where={"line": "LINE-3"}, period=WEEK)
    assert said[0] == f"Good parts of Line 3 were {good:,} last week.".replace(",", " ")
    target = read(plant, query_metrics, compose_query_metrics, metrics=["oee"], where={"line": "LINE-3"}, period=WEEK, compare_to="target")
    gap = abs(oee - 0.72) * 100
    assert target[1] == f"That is {gap:.1f} points {'above' if oee > 0.72 else 'below'} the target of 72.0 %."


def test_two_places_say_which_is_higher_and_by_how_much(plant: Plant) -> None:
    rows = figures(plant, "oee", where={"line": ["LINE-1", "LINE-3"]}, period=WEEK, by=["line"])
    said = read(
        plant, query_metrics, compose_query_metrics, metrics=["oee"], where={"line": ["LINE-1", "LINE-3"]}, period=WEEK, by=["line"]
    )
    first, second = (row["oee"] for row in rows)
    assert said[0] == f"OEE by line last week – Line 1: {first * 100:.1f} %; Line 3: {second * 100:.1f} %."
    assert said[1] == f"{'Line 1' if first > second else 'Line 3'} is {abs(first - second) * 100:.1f} points higher."


def test_limits_that_none_or_some_meet(plant: Plant) -> None:
    rows = sorted(figures(plant, "oee", period=WEEK, by=["line"]), key=lambda row: row["oee"])
    low = rows[0]
    asked = {"metrics": ["oee"], "period": WEEK, "by": ["line"]}
    none = read(plant, query_metrics, compose_query_metrics, where={"oee": {"max": 0.01}}, **asked)
    assert none == ["No line was at or below 1.0 % OEE last week.", f"The nearest is {low['line']} with {low['oee'] * 100:.1f} %."]
    bound = (rows[0]["oee"] + rows[1]["oee"]) / 2
    some = read(plant, query_metrics, compose_query_metrics, where={"oee": {"max": bound}}, **asked)
    assert some[0] == f"1 line was at or below {bound * 100:.1f} % OEE last week – {low['line']}: {low['oee'] * 100:.1f} %."


def test_losses_carry_their_shares(plant: Plant) -> None:
    rows = figures(plant, "scrap_count", period=WEEK, by=["reason"])
    total = sum(row["scrap_count"] for row in rows)
    said = read(plant, query_metrics, compose_query_metrics, metrics=["scrap_count"], period=WEEK, by=["reason"])
    parts = "; ".join(f"{row['reason']}: {row['scrap_count']} ({row['scrap_count'] / total * 100:.1f} %)" for row in rows)
    assert said == [f"Scrap by reason last week, highest first – {parts}.", f"In all: {total:,}.".replace(",", " ")]
    top = query_metrics(call(plant), ["scrap_count"], period=WEEK, by=["reason"], sort="desc", limit=2).evidence[0]
    assert [row["share"] for row in top.rows] == [row["scrap_count"] / total for row in rows[:2]]  # of all of it, not of the two
    assert top.rows[1]["running_share"] == sum(row["scrap_count"] for row in rows[:2]) / total


def test_a_comparison_of_groups_is_drawn_beside_them(plant: Plant) -> None:
    def blocks(**arguments: Any) -> list[dict[str, Any]]:
        (step,) = marked((Step("query_metrics", arguments, query_metrics(call(plant), **arguments), 1.0),))
        return list(compose_query_metrics(step, Context(ZONE, NOW, "", SUPERVISOR)).blocks)

    chart, table = blocks(metrics=["oee"], by=["line"], period=WEEK, compare_to=BEFORE)
    assert [series["name"] for series in chart["series"]] == ["OEE", "the days before"]
    assert [column["name"] for column in table["columns"]][:4] == ["line", "oee", "oee_before", "oee_change"]
    (limit,) = blocks(metrics=["oee"], by=["line"], period=WEEK, compare_to="85 %")[0]["limits"]
    assert (limit["label"], limit["value"]) == ("Limit", 85.0)


def test_what_is_not_recorded_by_a_key_is_told_apart(plant: Plant) -> None:
    said = read(plant, query_metrics, compose_query_metrics, metrics=["downtime"], period=WEEK, by=["alarm"])
    rows = figures(plant, "downtime", period=WEEK, by=["alarm"])
    assert any(row["alarm"] is None for row in rows)
    assert any(sentence.endswith(" without a recorded alarm.") for sentence in said)


def test_an_order_is_asked_about_whole_and_a_list_of_machines_is_a_list(plant: Plant) -> None:
    result = query_metrics(call(plant), ["good_count"], {"order": "PO-103"})
    assert result.assumed == ("period: all recorded time",)
    machines = list_records(call(plant), "equipment", {"line": "LINE-3"}, by=["equipment"])
    assert machines.data["by"] == ()
    assert {row["id"] for row in machines.evidence[0].rows} == {"CNC-01", "CNC-02", "WASH-01"}


def test_why_is_told_by_what_moved_most(plant: Plant) -> None:
    said = read(plant, query_metrics, compose_query_metrics, metrics=["oee"], where={"line": "LINE-3"}, period=WEEK, compare_to=BEFORE)
    assert any(sentence.startswith("Most of it comes from ") for sentence in said)
    assert any(sentence.startswith("The greatest share: by machine ") for sentence in said)
    ratio = read(plant, query_metrics, compose_query_metrics, metrics=["availability"], period=WEEK, compare_to=BEFORE)
    assert any(" went from " in sentence for sentence in ratio)


def test_records_are_sentences(plant: Plant) -> None:
    total = list_records(call(plant), "maintenance_orders", {"line": "LINE-3", "status": "open"}).data["total"]
    said = read(plant, list_records, compose_list_records, records="maintenance_orders", where={"line": "LINE-3", "status": "open"})
    assert said[0] == f"There are {total} open maintenance orders on Line 3."
    none = list_records(call(plant), "downtime_events", {"line": "LINE-3", "duration_min": {"min": 9000}}, WEEK)
    every = list_records(call(plant), "downtime_events", {"line": "LINE-3"}, WEEK).data["total"]
    assert none.status == "no_data"
    assert (
        none.message
        == f"There were no downtime events on Line 3 lasting 9000 min or more last week; there were {every} without that limit."
    )


def test_a_plant_without_a_target_of_its_own_is_held_against_those_of_its_lines(tmp_path: Path) -> None:
    path = build(tmp_path / "mes.sqlite")
    with sqlite3.connect(path) as db:
        db.execute("DELETE FROM production_targets WHERE line_id IS NULL")
    plant = Plant.open(None, str(path))
    result = query_metrics(call(plant), ["oee"], period=WEEK, compare_to="target")
    assert result.data["by"] == ("line",)
    assert "targets are set for each line" in result.assumed
    assert {row["line_id"]: row["oee_before"] for row in result.evidence[0].rows} == {"LINE-1": None, "LINE-2": None, "LINE-3": 0.72}
    plant.close()


def test_signals_without_samples_say_so(plant: Plant) -> None:
    result = signal_trend(call(plant), "vibration", "CNC-01")
    assert result.status == "needs_clarification"
    assert compose_signal_trend is not None
