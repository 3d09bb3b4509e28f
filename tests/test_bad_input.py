"""What people get wrong, over every data tool: one sentence and the right status, never an exception."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.small_plant import NOW, ZONE, build, call, period
from tools.correlations import find_correlations
from tools.metrics import query_metrics
from tools.plant_model import Plant
from tools.records import list_records
from tools.registry import Result, Tool, run
from tools.signals import signal_trend
from tools.tracing import trace_material

FUTURE = period(NOW + timedelta(days=3), NOW + timedelta(days=4), "in three days")
BACKWARDS = period(NOW, NOW - timedelta(days=2), "from today to Monday")
LONG_AGO = period(datetime(1999, 1, 1, tzinfo=ZONE), datetime(1999, 2, 1, tzinfo=ZONE), "January 1999")
ASKS = {"needs_clarification"}
NOTHING = {"no_data"}

CASES: list[tuple[Any, dict[str, Any], set[str], str]] = [
    (query_metrics, {"metrics": ["oee"], "period": FUTURE}, NOTHING, "in three days"),
    (query_metrics, {"metrics": ["oee"], "period": BACKWARDS}, ASKS, "from today to Monday"),
    (query_metrics, {"metrics": ["oee"], "period": LONG_AGO}, NOTHING, "January 1999"),
    (query_metrics, {"metrics": ["oee"], "where": {"line": "Lime 3"}}, ASKS, "Lime 3"),
    (query_metrics, {"metrics": ["oee"], "where": {"product": "XZY"}}, ASKS, "XZY"),
    (query_metrics, {"metrics": ["ooe"]}, ASKS, "ooe"),
    (query_metrics, {"metrics": ["oee"], "where": {"shift": "twilight"}}, ASKS, "twilight"),
    (query_metrics, {"metrics": ["energy"], "where": {"energy": {"min": "3 bar"}}, "by": ["line"]}, ASKS, "kWh"),
    (query_metrics, {"metrics": ["oee"], "compare_to": "20 minutes"}, ASKS, "per cent"),
    (query_metrics, {"metrics": ["oee"], "by": ["supplier"]}, NOTHING, "supplier"),
    (query_metrics, {"metrics": ["oee"], "where": {"line": {}}}, ASKS, "line"),
    (query_metrics, {"metrics": ["mtbf"], "compare_to": "target"}, NOTHING, "MTBF"),
    (list_records, {"records": "alarm_events", "period": BACKWARDS}, ASKS, "from today to Monday"),
    (list_records, {"records": "alarm_events", "period": FUTURE}, NOTHING, "in three days"),
    (list_records, {"records": "allarm_event"}, ASKS, "allarm"),
    (list_records, {"records": "lots", "where": {"status": "sleeping"}}, ASKS, "sleeping"),
    (list_records, {"records": "alarm_events", "where": {"equipment": "CNC-O1"}}, ASKS, "CNC-O1"),
    (list_records, {"records": "downtime_events", "where": {"duration_min": {"min": "long"}}}, ASKS, "long"),
    (list_records, {"records": "maintenance_orders", "where": {"id": "WO-999999"}}, NOTHING, "WO-999999"),
    (signal_trend, {"signal": "mood", "equipment": "CNC-01"}, ASKS | NOTHING, "mood"),
    (signal_trend, {"signal": "vibration", "equipment": "CNC-77"}, ASKS, "CNC-77"),
    (signal_trend, {"signal": "vibration", "equipment": "CNC-01", "period": BACKWARDS}, ASKS, ""),
    (trace_material, {"lot": "no such lot"}, NOTHING, "no such lot"),
    (trace_material, {}, ASKS, "Which lot"),
    (find_correlations, {"outcome": "happiness"}, ASKS, ""),
    (find_correlations, {"outcome": "scrap", "period": BACKWARDS}, ASKS, ""),
    (find_correlations, {"outcome": "scrap", "period": FUTURE}, NOTHING, ""),
]


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plant]:
    opened = Plant.open(None, str(build(Path(tmp_path_factory.mktemp("plant")) / "mes.sqlite")))
    yield opened
    opened.close()


def sentences(result: Result) -> int:
    return sum(result.message.count(mark) for mark in (". ", "? ")) + 1


@pytest.mark.parametrize(
    ("tool", "arguments", "statuses", "named"), CASES, ids=lambda value: getattr(value, "__name__", None) or str(value)[:60]
)
def test_one_sentence_and_the_right_status(plant: Plant, tool: Any, arguments: dict[str, Any], statuses: set[str], named: str) -> None:
    result = run(Tool(tool.__name__, tool), call(plant), arguments).result
    assert result.status in statuses, result.message
    assert result.message
    assert named.lower() in result.message.lower()
    assert sentences(result) <= 2  # what is wrong, and the question that goes on from it
    assert not any(word in result.message for word in ("Traceback", "sqlite", "SELECT", "None", "{", "Error"))


@pytest.mark.parametrize(
    ("tool", "arguments", "nearest"),
    [
        (query_metrics, {"metrics": ["oee"], "where": {"line": "Lime 3"}}, "Line 3"),
        (list_records, {"records": "alarm_events", "where": {"equipment": "CNC-O1"}}, "CNC-01"),
        (query_metrics, {"metrics": ["availabilty"]}, "Availability"),
        (list_records, {"records": "maintenance_order_list"}, "maintenance orders"),
    ],
)
def test_unknown_names_bring_the_nearest_real_ones(plant: Plant, tool: Any, arguments: dict[str, Any], nearest: str) -> None:
    labels = [choice.label.lower() for choice in tool(call(plant), **arguments).choices]
    assert any(nearest.lower().rstrip("s") in label.replace("_", " ") for label in labels), labels
