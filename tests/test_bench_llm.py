"""The bench of the language model compares like with like: both sides write the same lines, and the product's is no slower."""

from types import SimpleNamespace

import pytest

from assistant.lm import dsl
from assistant.settings import REPOSITORY
from evals import bench_llm

PLANNER = REPOSITORY / "assistant" / "lm" / "models" / "planner.gguf"


def _prompt(question, candidates, *placeholders):
    return bench_llm._Prompt(question, candidates, placeholders, dsl.plan_grammar(dsl.ORDER, None, placeholders))


def test_against_bare_llama_cpp():
    pytest.importorskip("llama_cpp")
    plant = SimpleNamespace(assistant=SimpleNamespace(settings=SimpleNamespace(planner_model=PLANNER)))
    asked = [
        _prompt("oee of <line1> <period1>", ("query_metrics", "metrics=oee"), "<line1>", "<period1>"),
        _prompt("what does <code1> mean on <equipment1>", ("explain_alarm",), "<code1>", "<equipment1>"),
        _prompt("open orders", ("list_records", "records=maintenance_orders"), "<status1>"),
    ]
    rows = {row["what"]: row["value"] for row in bench_llm._against_bare(plant, asked)}
    assert rows["lines that are the same as bare llama.cpp's"] == 100
    assert rows["overhead over bare llama.cpp"] < 50  # a busy machine; the bench itself holds it to 5


def test_what_prompts_share_is_cheaper_the_second_time():
    pytest.importorskip("llama_cpp")
    rows = {row["unit"]: row["value"] for row in bench_llm._prefix(PLANNER)}
    assert rows["times"] > 2
