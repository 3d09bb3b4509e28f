"""Every composer of the data tools over real results: what it says must survive the grounding check."""

from __future__ import annotations

from collections.abc import Iterator
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
from tests.small_plant import NOW, OPERATOR, SUPERVISOR, ZONE, build, call
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


def test_signals_without_samples_say_so(plant: Plant) -> None:
    result = signal_trend(call(plant), "vibration", "CNC-01")
    assert result.status == "needs_clarification"
    assert compose_signal_trend is not None
