"""The router: decoding, offsets, hashes, and what the shipped graph reads."""

from __future__ import annotations

import json
import math
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from assistant.lm.labels import ENTITIES, HEADS, INDEPENDENT, bio
from assistant.router import MODELS, Router, RouterUnavailable, ScriptedRouter, begun, decode, reading, spans, split_heads

shipped = pytest.mark.skipif(not (MODELS / "router.onnx").exists(), reason="the router is not built")


@pytest.fixture(scope="module")
def router() -> Router:
    return Router.load()


def logits_for(tags: list[str]) -> np.ndarray:
    every = bio(ENTITIES)
    out = np.full((len(tags), len(every)), -4.0, dtype=np.float32)
    for row, tag in enumerate(tags):
        out[row, every.index(tag)] = 4.0
    return out


def test_decode_joins_pieces_and_never_cuts_a_word() -> None:
    source = "scrap on CNC-01s yesterday"
    offsets = [(0, 5), (6, 8), (9, 12), (12, 13), (13, 15), (17, 26)]
    tags = ["O", "O", "B-equipment", "I-equipment", "I-equipment", "B-period"]
    found = decode(source, offsets, logits_for(tags), ENTITIES, np.full((6, 1), -5.0, dtype=np.float32))
    assert [(s.label, s.text) for s in found] == [("equipment", "CNC-01s"), ("period", "yesterday")]
    assert all(source[s.start : s.end] == s.text and not s.negated and 0.9 < s.score <= 1 for s in found)


def test_decode_forbids_inside_without_begin() -> None:
    source = "line 3"
    logits = logits_for(["I-line", "I-line"])
    found = decode(source, [(0, 4), (5, 6)], logits, ENTITIES, np.full((2, 1), 5.0, dtype=np.float32))
    # `I-line` may not start a span; the likeliest legal path begins it.
    assert [(s.label, s.text, s.negated) for s in found] in ([("line", "line 3", True)], [])


def test_a_request_begins_once_and_at_a_word() -> None:
    text = "oee of line 1 and the stops of line 2"
    offsets = [(m.start(), m.end()) for m in re.finditer(r"\w+", text)]
    logits = np.full((len(offsets), 1), -5.0, dtype=np.float32)
    for word, value in (("and", 0.2), ("the", 2.0), ("stops", 1.0)):
        logits[[text[a:b] for a, b in offsets].index(word)] = value
    found = begun(text, offsets, logits)
    assert [text[at:] for at, _ in found] == ["the stops of line 2"]
    assert found[0][1] == pytest.approx(1 / (1 + math.exp(-2)), abs=1e-6)
    cut = [(0, 3), (4, 6), (7, 11), (12, 13), (14, 17), (18, 19), (19, 21)]  # a piece inside a word moves to its start
    logits = np.full((len(cut), 1), -5.0, dtype=np.float32)
    logits[6] = 3.0
    assert begun(text, cut, logits)[0][0] == 18


def test_heads_are_probabilities() -> None:
    width = sum(len(labels) for labels in HEADS.values())
    ranked = split_heads(np.linspace(-3, 3, width, dtype=np.float32))
    assert list(ranked) == list(HEADS)
    for name, pairs in ranked.items():
        values = [p for _, p in pairs]
        assert values == sorted(values, reverse=True)
        if name not in INDEPENDENT:
            assert sum(values) == pytest.approx(1.0)


def test_scripted_readings_hold_the_labels() -> None:
    said = reading("query_metrics", metric=["oee", "mtbf"], spans=spans("oee of Line 3", line="Line 3"))
    router = ScriptedRouter(lambda question, context: said)
    found = router.read("oee of Line 3")
    assert found.best("tool") == "query_metrics"
    assert set(found.above("metric")) == {"oee", "mtbf"}
    assert found.spans[0].start == 7
    with pytest.raises(ValueError, match="metric has no label"):
        reading("query_metrics", metric="happiness")


@shipped
def test_shipped_router_reads_a_question(router: Router) -> None:
    question = "What was the first-pass yield for Line 3 on the night shift?"
    found = router.read(question)
    assert found.tools[0][0] == "query_metrics"
    assert found.best("status") == "answer"
    assert found.above("metric")[:1] == ("first_pass_yield",)
    assert ("line", "Line 3") in [(s.label, s.text) for s in found.spans]
    assert all(question[s.start : s.end] == s.text for s in found.spans)


@shipped
def test_shipped_router_carries_spans_over(router: Router) -> None:
    earlier = "what was the scrap rate on Line 2 last week"
    found = router.read("and on line 1?", [earlier])
    assert found.tools[0][0] == "query_metrics"
    kept = [(s.label, s.text) for s in found.context_spans]
    assert ("period", "last week") in kept
    assert all(earlier[s.start : s.end] == s.text and s.turn == -1 for s in found.context_spans)


@shipped
@pytest.mark.parametrize("question", ["", " ", "?" * 5000, "\x00\x01", "é" * 3000, "line " * 400])
def test_any_text_can_be_read(router: Router, question: str) -> None:
    found = router.read(question, ["x" * 9000, "", "line 3"])
    assert sum(p for _, p in found.tools) == pytest.approx(1.0)


@shipped
def test_altered_files_are_refused(tmp_path: Path) -> None:
    for name in ("models.json", "router.onnx", "router.tokenizer.json", "router.labels.json"):
        shutil.copy(MODELS / name, tmp_path / name)
    (tmp_path / "router.onnx").write_bytes(b"not the graph")
    with pytest.raises(RouterUnavailable, match="SHA-256"):
        Router.load(tmp_path)
    (tmp_path / "router.onnx").unlink()
    with pytest.raises(RouterUnavailable, match="missing"):
        Router.load(tmp_path)
    (tmp_path / "models.json").write_text("{")
    with pytest.raises(RouterUnavailable, match="damaged"):
        Router.load(tmp_path)
    with pytest.raises(RouterUnavailable, match="There is no models"):
        Router.load(tmp_path / "nowhere")


@shipped
def test_manifest_and_size() -> None:
    files = json.loads((MODELS / "models.json").read_text())["files"]
    assert {"router.onnx", "router.tokenizer.json", "router.labels.json"} <= set(files)
    assert (MODELS / "router.onnx").stat().st_size == files["router.onnx"]["bytes"] < 30_000_000
