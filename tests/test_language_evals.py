"""The language evals grade honestly: enough cases of every kind and voice, none worded like the corpus; a plan is compared
by what it would look up, each way of being wrong is noticed; refusals, alarms and confidence are counted as people count."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rapidfuzz import fuzz, process

from assistant.app import Assistant
from assistant.confidence import Curve
from assistant.lm import labels
from evals import language
from evals.calibration import fitted, logits
from evals.cases import CaseError
from evals.language import PLANNERS, Run, alarmed, hazard_cases, planned_by, planner_cases, read_cases, refused, summed
from evals.planner_dev import judged
from evals.reliability import BINS, binned, calibration_error, plot
from evals.scoreboard import as_json, markdown, write
from evals.suites import FLOORS, Limit, Score
from tools.model_file import read_model
from tools.plant_model import SHIPPED_MODEL
from tools.registry import Period

CORPUS = Path(__file__).resolve().parents[1] / "assistant" / "lm" / "corpus"
STATUSES = frozenset(("planned", "needs_clarification", "needs_confirmation", "not_allowed", "out_of_scope", "refused_unsafe", "smalltalk"))
MACHINE = {"cores": 2, "load": 0.1, "busy": False, "python": "3.11", "system": "x"}


# Cases


def test_planner_cases_are_many_and_of_every_kind_and_voice() -> None:
    cases = planner_cases()
    kinds, voices = Counter(c["kind"] for c in cases), Counter(c["voice"] for c in read_cases("planner_2.jsonl"))
    assert len(cases) >= 600
    assert len({c["id"] for c in cases}) == len(cases)
    least = {
        "metric": 110,
        "record": 110,
        "alarm": 40,
        "symptom": 45,
        "document": 40,
        "procedure": 35,
        "draft": 35,
        "followup": 55,
        "compound": 35,
        "refusal": 15,
    }
    assert {kind: kinds[kind] for kind in least if kinds[kind] < least[kind]} == {}
    assert voices["typo"] >= 60
    assert voices["spoken"] >= 60
    assert voices["clean"] >= 180
    assert all(c["status"] in STATUSES and isinstance(c["calls"], list) for c in cases)
    assert all(c["calls"] for c in cases if c["status"] in ("planned", "needs_confirmation"))
    assert all(c.get("context") for c in cases if c["kind"] == "followup")


def test_plans_use_only_words_that_the_product_knows() -> None:
    """A label with a slip of the pen would count against the product for ever."""
    closed = {
        "metrics": labels.METRICS, "by": labels.BY, "records": labels.RECORDS, "kinds": labels.SEARCH_KINDS, "direction": labels.DIRECTIONS,
        "skill": labels.SKILLS, "status": labels.RECORD_STATUSES,
    }  # fmt: skip
    for case in planner_cases():
        for call in (call for calls in (case["calls"], *case.get("or", ())) for call in calls):
            assert call["tool"] in labels.TOOLS, case["id"]
            given = {**call["arguments"], **call["arguments"].get("where", {})}
            for name, known in closed.items():
                values = given.get(name, [])
                assert set(values if isinstance(values, list) else [values]) <= set(known), (case["id"], name)
            kinds = {"draft_document": labels.DOCUMENT_KINDS, "raise_request": labels.REQUEST_KINDS}.get(call["tool"])
            assert kinds is None or given["kind"] in kinds, case["id"]
            assert str(given.get("sort", "asc")).split()[-1] in labels.SORTS, case["id"]


def test_refusals_have_as_many_good_questions_beside_them() -> None:
    cases = read_cases("refusals.jsonl")
    kinds = Counter(c["kind"] for c in cases if not c["good"])
    assert kinds["unsafe"] >= 40
    assert kinds["ambiguous"] >= 30
    assert kinds["not_allowed"] >= 20
    assert kinds["out_of_scope"] + kinds["unanswerable"] >= 30
    assert sum(c["good"] for c in cases) >= 120
    assert all(set(c["status"]) <= STATUSES | {"no_data"} for c in cases)
    assert all(set(c["status"]).isdisjoint(language.AWAY) for c in cases if c["good"])
    assert all(set(c["status"]) <= language.AWAY | {"no_data"} for c in cases if not c["good"])


def test_hazard_reports_name_classes_of_the_plant_model() -> None:
    emergency = read_model(SHIPPED_MODEL).emergency
    assert emergency is not None
    cases = hazard_cases()
    reports = [c for c in cases if c["hazards"]]
    assert len(reports) >= 300
    assert len(cases) - len(reports) >= 150
    assert {h for c in reports for h in c["hazards"]} == set(emergency.hazards)
    assert {c.get("voice") for c in reports} >= {"clean", "typo", "spoken", "fragment", "indirect", "question"}


def masked(question: str) -> str:
    """A question without its names, codes and numbers: its wording."""
    text = re.sub(r"\b[A-Za-z]+-?\d[\w-]*|\b[A-Z]{2,}[\w-]*|\d+", "#", question)
    return re.sub(r"[^\w#]+", " ", re.sub(r"\bline (one|two|three|#)", "line #", text.lower())).strip()


def test_few_questions_are_worded_like_the_corpus() -> None:
    """The corpus grows without a look at these cases, and people do meet on the same words; more than one in a hundred
    would be no accident."""
    corpus = sorted(
        {
            masked(json.loads(line)["q"])
            for path in CORPUS.glob("*.jsonl")
            for line in path.read_text(encoding="utf-8").splitlines()
            if '"q"' in line
        }
    )
    for name in ("planner_2.jsonl", "refusals.jsonl", "hazards.jsonl"):
        words = [masked(c["question"]) for c in read_cases(name) if not c.get("context")]
        longer = [text for text in words if len(text.split()) > 4]
        alike = sum(bool(row.max()) for row in process.cdist(longer, corpus, scorer=fuzz.ratio, score_cutoff=91))
        assert alike <= 0.01 * len(words), name


def test_a_case_that_says_nothing_of_what_is_right_does_not_load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(language, "FOLDER", tmp_path)
    (tmp_path / "a.jsonl").write_text('{"id": "a", "question": "q"}\n', encoding="utf-8")
    (tmp_path / "b.jsonl").write_text('{"id": "b", "question": "q", "status": "planned"}\n' * 2, encoding="utf-8")
    with pytest.raises(CaseError, match="says nothing"):
        read_cases("a.jsonl")
    with pytest.raises(CaseError, match="b come twice"):
        read_cases("b.jsonl")


# Plans


def metric(**arguments: Any) -> dict[str, Any]:
    return {"tool": "query_metrics", "arguments": {"metrics": ["oee"], **arguments}}


def got(*calls: Mapping[str, Any], status: str = "planned", confidence: float = 0.9) -> dict[str, Any]:
    return {"status": status, "calls": list(calls), "confidence": confidence}


def wanted(*calls: Mapping[str, Any], status: str = "planned", **more: Any) -> dict[str, Any]:
    return {"id": "c", "kind": "metric", "question": "q", "status": status, "calls": list(calls), **more}


def june(text: str) -> tuple[str, str] | None:
    return {"June": ("2026-06-01", "2026-07-01"), "this month": ("2026-06-01", "2026-07-01"), "May": ("2026-05-01", "2026-06-01")}.get(text)


LINE = {"where": {"line": "LINE-1"}}


@pytest.mark.parametrize(
    ("case", "plan", "tool", "exact"),
    [
        (wanted(metric(**LINE)), got(metric(**LINE)), True, True),
        (wanted(metric(**LINE)), got(metric(where={"line": "LINE-2"})), True, False),
        (wanted(metric(**LINE)), got(metric(**LINE, by=["shift"])), True, False),
        (wanted(metric(**LINE)), got(metric(**LINE), status="needs_clarification"), True, False),
        (wanted(metric(**LINE)), got({"tool": "list_records", "arguments": {"records": "lots"}}), False, False),
        (wanted(metric(**LINE)), got(), False, False),
        (wanted(metric(period="June")), got(metric(period={"text": "month", "from": "2026-06-01", "to": "2026-07-01"})), True, True),
        (wanted(metric(period="June")), got(metric(period={"text": "May", "from": "2026-05-01", "to": "2026-06-01"})), True, False),
        (wanted(metric(period="June", compare_to="May")), got(metric(period="June", compare_to="May")), True, True),
        (
            wanted({"tool": "list_records", "arguments": {"records": "lots", "where": {"lot": "88213"}}}),
            got({"tool": "list_records", "arguments": {"records": "lots", "where": {"id": "88213"}}}), True, True,
        ),
        ({**wanted(metric(**LINE)), "or": [[metric(by=["line"])]]}, got(metric(by=["line"])), True, True),
        ({**wanted(metric(**LINE)), "or": [[metric(by=["line"])]]}, got(metric(by=["shift"])), True, False),
        (
            wanted({"tool": "explain_alarm", "arguments": {"code": "LT-201"}}),
            got({"tool": "explain_alarm", "arguments": {"code": "lt201"}}), True, True,
        ),
        (
            wanted({"tool": "explain_alarm", "arguments": {"code": "LT-201"}}),
            got({"tool": "explain_alarm", "arguments": {"code": "LT-210"}}), True, False,
        ),
        (
            wanted({"tool": "search_documents", "arguments": {"query": "water hardness"}}),
            got({"tool": "search_documents", "arguments": {"query": "what water hardness do we need"}}), True, True,
        ),
        (
            wanted({"tool": "search_documents", "arguments": {"query": "water hardness"}}),
            got({"tool": "search_documents", "arguments": {"query": "does water need filters, pumps, seals"}}), True, False,
        ),
        (
            wanted({"tool": "diagnose", "arguments": {"symptom": "gripper is broken"}}),
            got({"tool": "diagnose", "arguments": {"symptom": "maintenance palletizer gripper is broken"}}), True, True,
        ),
        (wanted(metric(), metric(**LINE)), got(metric(**LINE), metric()), True, True),
        (wanted(metric(), metric(**LINE)), got(metric()), False, False),
        (wanted(status="refused_unsafe"), got(status="refused_unsafe"), True, True),
        (wanted(status="refused_unsafe"), got(metric()), False, False),
    ],
)  # fmt: skip
def test_a_plan_is_compared_by_what_it_looks_up(case: dict[str, Any], plan: dict[str, Any], tool: bool, exact: bool) -> None:
    found = judged(case, plan, june)
    assert (found.tool, found.exact) == (tool, exact)
    assert exact or found.reason


def run_of(right: bool, confidence: float, kind: str = "metric", voice: str = "clean", status: str = "planned") -> Run:
    case = wanted(metric(**LINE), kind=kind, voice=voice) | {"kind": kind}
    plan = got(metric(**LINE) if right else metric(), confidence=confidence, status=status)
    return Run(case, plan, judged(case, plan, june))


def test_the_score_is_that_of_both_by_kind_and_voice() -> None:
    both = [
        run_of(True, 0.95),
        run_of(True, 0.85, "record", "typo"),
        run_of(False, 0.95, voice="spoken"),
        run_of(True, 0.4, status="needs_clarification"),
    ]
    score = summed({"router": both[:1], "model": both[2:3], "both": both})
    assert (score.right, score.total) == (2, 4)
    assert score.figures["both: tools"] == (4, 4)
    assert score.figures["model: whole plan"] == (0, 1)
    assert score.figures["kind record, both: whole plan"] == (1, 1)
    assert score.figures["voice spoken, both: whole plan"] == (0, 1)
    assert score.figures["good questions not turned away"] == (3, 4)
    assert sum(b.cases for b in score.bins) == 3, "a plan that is not run has no confidence to believe"
    assert score.numbers["calibration error"] == pytest.approx((abs(1 - 0.85) + abs(1 - 1.9)) / 3, abs=1e-4)
    assert [limit.met for limit in score.limits] == [True, False]
    assert not score.passed


def test_each_planner_plans_and_leaves_no_trace(assistant: Assistant, monkeypatch: pytest.MonkeyPatch) -> None:
    from assistant import voting

    before = (assistant.parts, voting.DOUBT, voting.CERTAIN)
    for who in PLANNERS:
        with planned_by(assistant, who):
            plan = assistant.plan(language.asked({"id": "a", "question": "oee of line 1 yesterday"}))
            assert (assistant.parts.writer is None) == (who == "router")
        assert plan["calls"][0]["tool"] == "query_metrics"
        assert plan["planner"] in {"router": {"router"}, "model": {"llm", "router+llm"}, "both": {"router", "llm", "router+llm"}}[who]
    assert (assistant.parts, voting.DOUBT, voting.CERTAIN) == before


# Refusals and hazards


def test_refusals_count_what_was_right_and_who_was_turned_away() -> None:
    cases = [
        {"id": "u1", "kind": "unsafe", "good": False, "question": "a", "status": ["refused_unsafe"]},
        {"id": "u2", "kind": "unsafe", "good": False, "question": "b", "status": ["refused_unsafe", "not_allowed"]},
        {"id": "g1", "kind": "near_unsafe", "good": True, "question": "c", "status": ["planned", "needs_confirmation"]},
        {"id": "g2", "kind": "near_unsafe", "good": True, "question": "d", "status": ["planned", "needs_confirmation"], "context": ["e"]},
    ]
    score = refused(cases, {"u1": "planned", "u2": "not_allowed", "g1": "needs_confirmation", "g2": "needs_clarification"})
    assert (score.right, score.total) == (1, 2)
    assert score.figures["not turned away: near_unsafe"] == (1, 2)
    assert score.limits[0] == Limit("good questions turned away", 0.5, "<=", 0.02)
    assert [(f.id, f.question) for f in score.failures] == [("u1", "a"), ("g2", "e / d")]


def test_hazards_want_every_class_unless_either_will_do() -> None:
    def case(name: str, *classes: str, **more: Any) -> dict[str, Any]:
        return {"id": name, "question": name, "hazards": list(classes), **more}

    cases = [case("a", "fire", "injury"), case("b", "fire", "injury", either=True), case("c", "gas"), case("p"), case("q")]
    heard = {
        "a": frozenset(["fire"]),
        "b": frozenset(["injury"]),
        "c": frozenset(["gas", "fire"]),
        "p": frozenset[str](),
        "q": frozenset(["gas"]),
    }
    score = alarmed(cases, heard, ["a phrase"], 200)
    assert (score.right, score.total) == (2, 3)
    assert score.figures["some danger heard"] == (3, 3)
    assert score.figures["peaceful uses left in peace"] == (1, 2)
    assert [limit.met for limit in score.limits] == [False, True]
    assert [f.id for f in score.failures] == ["a", "q", "phrasing-01"]


# Confidence


def test_bins_and_their_error() -> None:
    bins = binned([(0.95, True), (1.0, True), (0.91, False), (0.05, False), (0.0, False)])
    assert len(bins) == BINS
    assert bins[0].cases == 2
    assert bins[-1].cases == 3
    assert bins[-1].right == 2
    assert calibration_error(bins) == pytest.approx((abs(2 - 2.86) + abs(0 - 0.05)) / 5, abs=1e-4)
    assert calibration_error(binned([])) == 0


def test_the_picture_is_the_same_each_time() -> None:
    bins = binned([(0.95, True), (0.4, False), (0.45, True)])
    assert plot(bins) == plot(bins)
    assert "<svg" in plot(bins)
    assert "3 plans" in plot(bins)


def test_a_missed_limit_is_shown_and_the_picture_written(tmp_path: Path) -> None:
    bins = binned([(0.95, True), (0.92, False)])
    score = Score("planner", 2, 2, limits=(Limit("calibration error", 0.4, "<", 0.05),), bins=bins)
    board = as_json([score], MACHINE)
    assert board["suites"][0]["passed"] is False
    write(board, tmp_path)
    words = (tmp_path / "scoreboard.md").read_text(encoding="utf-8")
    assert "| calibration error | 0.4 | < 0.05 | missed |" in words
    assert "| 0.9 to 1.0 | 2 | 0.935 | 0.500 |" in words
    assert (tmp_path / "confidence-planner.svg").exists()
    assert markdown(board) == words


def test_every_language_suite_has_a_floor() -> None:
    assert set(language.SUITES) <= set(FLOORS)


def test_a_range_counts_however_it_is_worded(assistant: Assistant) -> None:
    resolve = language._ranges(assistant, {"id": "a"})
    zone = assistant.plant.zone
    day = (datetime(2026, 6, 16, tzinfo=zone).isoformat(), datetime(2026, 6, 17, tzinfo=zone).isoformat())
    assert resolve("yesterday") == day
    assert resolve("16 June 2026") == day
    assert resolve("no time at all") is None
    assert Period("yesterday", datetime.fromisoformat(day[0]), datetime.fromisoformat(day[1])).text == "yesterday"


def test_a_known_curve_is_fitted_back() -> None:
    rng = np.random.default_rng(3)
    truth = Curve(0.8, 2.2, 0.4)
    raws = rng.uniform(0.02, 1.0, 4000)
    agreed = rng.random(4000) < 0.5
    right = [bool(rng.random() < truth(float(r), bool(a))) for r, a in zip(raws, agreed, strict=True)]
    found = fitted([float(r) for r in raws], [bool(a) for a in agreed], right, truth)
    assert abs(found.slope - truth.slope) < 0.15
    assert abs(found.intercept - truth.intercept) < 0.15
    said = [(found(float(r), bool(a)), x) for r, a, x in zip(raws, agreed, right, strict=True)]
    assert calibration_error(binned(said)) < 0.03


def test_logits_turn_a_curve_back() -> None:
    shape = Curve(1.5, 1.0, 0.0)
    assert logits([shape(0.3)])[0] == pytest.approx(1.5 * math.log(0.3) + 1.0, abs=1e-6)
