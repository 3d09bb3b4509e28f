"""Confidence falls with every doubt, rises with agreement, and reads its curve from the models folder."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from assistant.confidence import Curve, curve, raw
from assistant.router import reading, spans
from assistant.understand import Clause


def clause(*, p: float = 0.99, score: float = 0.99, **heads: str) -> Clause:
    text = "oee of line 2"
    marked = tuple(span.__class__(span.label, span.text, span.start, span.end, score) for span in spans(text, line="line 2"))
    return Clause(text, reading("query_metrics", p=p, **heads), marked)  # type: ignore[arg-type]


def of(*clauses: Clause) -> float:
    return raw(clauses[0].reading, clauses)


def test_each_doubt_lowers_it() -> None:
    sure = of(clause(metric="oee"))
    assert 0 < of(clause(metric="oee", p=0.8)) < sure <= 1
    assert of(clause(metric="oee", score=0.5)) < sure
    assert of(clause(metric="oee"), clause(metric="oee", p=0.8)) < of(clause(metric="oee", p=0.9))


def test_only_what_the_tool_decides_counts() -> None:
    one, two = reading("explain_alarm", record="lots", p=0.99), reading("explain_alarm", p=0.99)
    text = "alarm 502"
    assert raw(one, (Clause(text, one, ()),)) == pytest.approx(raw(two, (Clause(text, two, ()),)))


def test_the_curve_is_monotonous_and_agreement_lifts() -> None:
    shape = Curve(1.0, 2.0, 0.5)
    values = [shape(p) for p in (0.0, 0.01, 0.2, 0.6, 1.0)]
    assert values == sorted(values)
    assert all(0 <= value <= 1 for value in values)
    assert shape(0.5, True) > shape(0.5)


def test_a_models_folder_has_its_own(tmp_path: Path) -> None:
    assert curve(tmp_path) == Curve()
    (tmp_path / "confidence.json").write_text(json.dumps({"slope": 2, "intercept": 1, "agreement": 0}))
    assert curve(tmp_path) == Curve(2.0, 1.0, 0.0)
    (tmp_path / "confidence.json").write_text("[]")
    assert curve(tmp_path) == Curve()
