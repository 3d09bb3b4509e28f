"""The evals grade honestly: cases have a schema and an oracle and cover every tool, status, role and story; no question is
worded like the planner's corpus; each grader notices an answer that was made wrong; periods are right by the calendar."""

from __future__ import annotations

import json
import re
import sqlite3
from copy import deepcopy
from datetime import datetime
from pathlib import Path
from typing import Any, get_args
from zoneinfo import ZoneInfo

import pytest
from rapidfuzz import fuzz, process

from evals import real
from evals.cases import STATUSES, Case, CaseError, case_of, load
from evals.graders import Finding, grade, quoted_from, same
from evals.oracles import OracleError, Truth, period, pieces, stamp
from evals.scoreboard import as_json, markdown, write
from evals.suites import FLOORS, Failure, Graded, Score, sample, summed
from tools.access import Role

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 6, 17, 9, tzinfo=BERLIN)
CORPUS = Path(__file__).resolve().parents[1] / "assistant" / "lm" / "corpus"
TOOLS = frozenset((
    "search_documents",
    "query_metrics", "list_records", "explain_alarm", "diagnose", "get_procedure", "trace_material", "signal_trend",
    "find_correlations", "draft_document", "raise_request", "run_sql",
))  # fmt: skip
#: Two questions this alike, with names, codes and numbers masked, count as the same wording.
ALIKE = 90


@pytest.fixture(scope="module")
def cases() -> list[Case]:
    return load()


def test_cases_cover_every_tool_status_role_and_story(cases: list[Case]) -> None:
    assert len(cases) >= 200
    assert {case.tool for case in cases} >= TOOLS
    assert {status for case in cases for status in case.status} >= STATUSES - {"unavailable"}
    assert {case.story for case in cases} >= set("abcdefghi")
    users = {"olivia": "operator", "max": "technician", "quinn": "quality", "ada": "administrator", "eve": "expert", None: "supervisor"}
    assert {users.get(case.user, "supervisor") for case in cases} == set(get_args(Role))
    assert any(case.context for case in cases)
    assert any(case.at for case in cases)
    assert any(case.emergency for case in cases)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"id": "a", "question": "q", "kind": "k"}, "nothing is expected"),
        ({"id": "a", "question": "q", "kind": "k", "numbre": "SELECT 1"}, "unknown fields numbre"),
        ({"id": "a", "question": "q", "kind": "k", "status": "fine"}, "unknown status fine"),
        ({"id": "a", "question": "q", "kind": "k", "number": "SELECT ${nowhere}"}, "nowhere"),
        ({"id": "a", "kind": "k", "says": "x"}, "question is missing"),
    ],
)
def test_a_case_that_cannot_be_graded_does_not_load(row: dict[str, Any], words: str) -> None:
    with pytest.raises(CaseError, match=words):
        case_of(row)


def masked(question: str) -> str:
    """A question without its names, codes, numbers and shifts: its wording."""
    text = re.sub(r"\b[A-Za-z]+-?\d[\w-]*|\b[A-Z]{2,}[\w-]*|\d+", "#", question)
    return re.sub(r"[^\w#]+", " ", re.sub(r"\bline (one|two|three|#)", "line #", text.lower())).strip()


def test_no_question_is_worded_like_the_corpus(cases: list[Case]) -> None:
    """The router learns from the corpus; a question that it has seen would measure memory. Questions that the product's
    description itself names are exempt from this guard, and few."""
    corpus = {masked(json.loads(line)["q"]) for path in CORPUS.glob("*.jsonl") for line in path.read_text(encoding="utf-8").splitlines() if '"q"' in line}
    questions = {case.id: masked(case.question) for case in cases if case.id not in NAMED and len(masked(case.question).split()) > MANY_WORDS}
    known = sorted(corpus)
    scores = process.cdist(list(questions.values()), known, scorer=fuzz.ratio, score_cutoff=ALIKE + 1)
    alike = {name: known[row.argmax()] for name, row in zip(questions, scores, strict=True) if row.max() > ALIKE}
    assert not alike


#: Given word for word by the product's description.
NAMED = frozenset(("m-fpy-night", "r-open-cnc", "d-alarm-502", "dd-ncr", "r-why-stop", "d-torque-cap", "f-line3", "x-bypass", "x-smoke"))
#: Shorter questions are all alike once their names are masked.
MANY_WORDS = 4


# Oracles


@pytest.mark.parametrize(
    ("words", "start", "end"),
    [
        ("day:-1", "2026-06-15 22:00:00", "2026-06-16 22:00:00"),
        ("week:-1", "2026-06-07 22:00:00", "2026-06-14 22:00:00"),
        ("month:2026-03", "2026-02-28 23:00:00", "2026-03-31 22:00:00"),
        ("quarter:-1", "2025-12-31 23:00:00", "2026-03-31 22:00:00"),
        ("year:0 to:now", "2025-12-31 23:00:00", "2026-06-17 07:00:00"),
        ("night:-1", "2026-06-16 20:00:00", "2026-06-17 04:00:00"),
        ("night:2026-03-28", "2026-03-28 21:00:00", "2026-03-29 04:00:00"),
        ("date:2026-03-29", "2026-03-28 23:00:00", "2026-03-29 22:00:00"),
        ("date:2025-10-26", "2025-10-25 22:00:00", "2025-10-26 23:00:00"),
        ("days:7", "2026-06-10 07:00:00", "2026-06-17 07:00:00"),
        ("from:2026-06-12 until:2026-06-15", "2026-06-11 22:00:00", "2026-06-14 22:00:00"),
    ],
)
def test_periods_in_utc(words: str, start: str, end: str) -> None:
    assert tuple(map(stamp, period(words, NOW))) == (start, end)


def test_days_of_a_range_keep_their_own_length() -> None:
    days = pieces(period("from:2026-03-28 until:2026-03-31", NOW), "day")
    assert [(label, (end.timestamp() - start.timestamp()) / 3600) for label, start, end in days] == [("2026-03-28", 24), ("2026-03-29", 23), ("2026-03-30", 24)]


def test_an_unknown_period_is_an_error() -> None:
    with pytest.raises(OracleError, match="fortnight"):
        period("fortnight:-1", NOW)


# Graders: right answers pass, each wrong one is noticed


@pytest.fixture
def truth(tmp_path: Path) -> Truth:
    mes = tmp_path / "mes.sqlite"
    with sqlite3.connect(mes) as connection:
        connection.executescript(
            "CREATE TABLE counts (machine TEXT, good INTEGER, made INTEGER); INSERT INTO counts VALUES ('A-1', 90, 97), ('A-2', 45, 50);"
            "CREATE TABLE maintenance_logs (log_id TEXT, text TEXT); INSERT INTO maintenance_logs VALUES ('L-1', 'Filter clogged, changed.');"
            "CREATE TABLE shift_notes (note_id TEXT, text TEXT);"
        )
    return Truth(mes, tmp_path, NOW)


def answer(**changes: Any) -> dict[str, Any]:
    whole = {
        "status": "answered",
        "text": "2 machines; quality 91.8 %. [E1] Filter clogged. [E2]",
        "blocks": [
            {"type": "number", "value": 135 / 147, "text": "91.8 %", "marker": "E1"},
            {"type": "table", "columns": [{"name": "machine"}, {"name": "good"}], "values": [["A-1", 90], ["A-2", 45]], "total": 2, "marker": "E1"},
        ],
        "citations": [
            {"marker": "E1", "kind": "query", "sql": "SELECT machine, good FROM counts WHERE good > :least", "parameters": {"least": 1}, "rows": 2},
            {"marker": "E2", "kind": "document", "document": "LOG-MAINTENANCE-LOGS", "revision": "-", "page": None, "section": "L-1", "quote": "Filter clogged"},
        ],
        "steps": [{"tool": "query_metrics"}],
        "ms": {"total": 10.0},
    }
    return {**deepcopy(whole), **changes}


CASE = case_of({
    "id": "c", "question": "q", "kind": "metric", "tool": "query_metrics", "number": "SELECT 1.0 * SUM(good) / SUM(made) FROM counts",
    "ids": "SELECT machine FROM counts", "rows": "SELECT machine, good FROM counts", "count": "SELECT COUNT(*) FROM counts",
    "says": "clogged", "absent": "pump", "anchor": {"document": "LOG-MAINTENANCE-LOGS", "shows": "Filter"},
})  # fmt: skip


def checks(found: list[Finding]) -> set[str]:
    return {finding.check for finding in found}


def test_a_right_answer_passes(truth: Truth) -> None:
    assert grade(CASE, answer(), truth) == []


def _number(a: dict[str, Any]) -> None:
    a["blocks"][0]["value"] = 0.918


def _missing_row(a: dict[str, Any]) -> None:
    a["blocks"][1]["values"].pop()


def _extra_row(a: dict[str, Any]) -> None:
    a["blocks"][1]["values"].append(["A-3", 7])


def _swapped(a: dict[str, Any]) -> None:
    a["blocks"][1]["values"] = [["A-1", 45], ["A-2", 90]]


def _words(a: dict[str, Any]) -> None:
    a["text"] = "2 machines; the pump. [E1]"


def _tool(a: dict[str, Any]) -> None:
    a["steps"] = [{"tool": "list_records"}]


def _marker(a: dict[str, Any]) -> None:
    a["text"] += " More. [E9]"


def _rerun(a: dict[str, Any]) -> None:
    a["citations"][0]["parameters"] = {"least": 60}


def _broken_sql(a: dict[str, Any]) -> None:
    a["citations"][0]["sql"] = "SELECT x FROM nowhere"


def _quote(a: dict[str, Any]) -> None:
    a["citations"][1]["quote"] = "Pump broken"


def _document(a: dict[str, Any]) -> None:
    a["citations"][1]["section"] = "L-7"


def _cited_elsewhere(a: dict[str, Any]) -> None:
    a["citations"].pop()


def _emergency(a: dict[str, Any]) -> None:
    a["blocks"].insert(0, {"type": "emergency", "hazard": "fire"})


def _status(a: dict[str, Any]) -> None:
    a["status"] = "no_data"


@pytest.mark.parametrize(
    ("wrong", "check"),
    [
        (_number, "number"), (_missing_row, "ids"), (_extra_row, "ids"), (_swapped, "rows"), (_words, "absent"), (_tool, "tool"),
        (_marker, "citation"), (_rerun, "citation"), (_broken_sql, "citation"), (_quote, "citation"), (_document, "citation"),
        (_cited_elsewhere, "anchor"), (_emergency, "false alarm"), (_status, "status"),
    ],
)  # fmt: skip
def test_each_wrong_answer_is_noticed(truth: Truth, wrong: Any, check: str) -> None:
    spoiled = answer()
    wrong(spoiled)
    assert check in checks(grade(CASE, spoiled, truth))


def test_a_hazard_must_stand_first(truth: Truth) -> None:
    case = case_of({"id": "h", "question": "fire", "kind": "hazard", "emergency": "fire"})
    late = answer(blocks=[*answer()["blocks"], {"type": "emergency", "hazard": "fire"}])
    other = answer(blocks=[{"type": "emergency", "hazard": "gas"}])
    assert checks(grade(case, answer(), truth)) == checks(grade(case, late, truth)) == checks(grade(case, other, truth)) == {"hazard"}


def test_a_confirmation_is_compared_with_its_arguments(truth: Truth) -> None:
    case = case_of({"id": "r", "question": "q", "kind": "request", "status": "needs_confirmation", "confirm": {"kind": "help", "equipment": "A-1"}})
    asks = {"type": "confirm", "arguments": {"kind": "help", "equipment": "A-1"}}
    right = answer(status="needs_confirmation", blocks=[asks])
    wrong = answer(status="needs_confirmation", blocks=[{**asks, "arguments": {"kind": "help", "equipment": "A-2"}}])
    assert grade(case, right, truth) == []
    assert checks(grade(case, wrong, truth)) == {"confirm"}


def test_a_draft_lists_its_records(truth: Truth) -> None:
    case = case_of({"id": "d", "question": "q", "kind": "draft", "draft": {"kind": "ncr_summary", "ids": "SELECT machine FROM counts", "says": "lacks"}})
    made = answer(blocks=[{"type": "document", "kind": "ncr_summary", "id": "D-1"}])
    assert grade(case, made, truth, lambda _: "**A-1** and A-2 lacks nothing") == []
    assert checks(grade(case, made, truth, lambda _: "A-1 lacks")) == {"draft"}


def test_values_are_compared_within_a_billionth() -> None:
    assert same(0.5, 0.5 + 1e-12)
    assert not same(0.5, 0.5001)
    assert not same(0, None)
    assert same("A-1", "a-1")


def test_a_quotation_keeps_its_numbers() -> None:
    page = "Spindle bearing cap bolts M8 x 35, 12.9 45 N m crosswise"
    assert quoted_from("Spindle bearing cap bolts | 45 N m", page)
    assert not quoted_from("Spindle bearing cap bolts | 38 N m", page)
    assert not quoted_from("", page)


# Scores


def test_the_score_counts_what_failed() -> None:
    fine, wrong = Graded(CASE, answer(), []), Graded(CASE, answer(), [Finding("number", "0.9 is not shown")])
    score = summed([fine, wrong])
    assert (score.right, score.total) == (1, 2)
    assert score.figures["numeric exactness"] == (1, 2)
    assert score.figures["tool"] == (2, 2)
    assert not score.passed
    assert [f.id for f in score.failures] == ["c"]


def test_the_scoreboard_names_failures_and_floors() -> None:
    score = Score("planner", 1, 2, {"tools": (1, 2)}, {"MRR": 0.5}, [Failure("p-1", "how | many", "tool: a instead of b")])
    board = as_json([score], {"cores": 2, "load": 0.1, "busy": False, "python": "3.11", "system": "x"})
    words = markdown(board)
    assert board["suites"][0]["passed"] is False
    assert board["suites"][0]["floor"] == FLOORS["planner"]
    assert "| planner | 1 | 2 | 50.0% |" in words
    assert "`p-1`" in words


def test_a_scoreboard_keeps_the_suites_that_were_not_run(tmp_path: Path) -> None:
    where = {"cores": 2, "load": 0.1, "busy": False, "python": "3.11", "system": "x"}
    write(as_json([Score("planner", 1, 2), Score("retrieval", 2, 2)], where), tmp_path)
    write(as_json([Score("planner", 2, 2)], where), tmp_path)
    suites = json.loads((tmp_path / "scoreboard.json").read_text(encoding="utf-8"))["suites"]
    assert [(s["suite"], s["right"]) for s in suites] == [("planner", 2), ("retrieval", 2)]
    assert "| retrieval | 2 | 2 | 100.0% |" in (tmp_path / "scoreboard.md").read_text(encoding="utf-8")


def test_the_retrieval_sample_is_fixed_and_even() -> None:
    facts = [{"document": f"D{n % 3}", "key": f"part number {n}", "kind": ("torque", "data")[n % 2]} for n in range(100)]
    chosen = sample(facts, 10)
    assert chosen == sample(facts, 10)
    assert [f["kind"] for f in chosen].count("torque") == 5


def test_the_real_suite_says_when_its_data_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ANDON_REAL", str(tmp_path))
    score = real.suite()
    assert score.passed
    assert "not on this machine" in score.note
