"""A plant that nobody here designed, connected by YAML alone and asked the questions that came with it.

The database and its labelled questions (question, SQL, rows) are not in the repository; without them the suite says so
and passes. Two figures: answers through the model that a person corrected (`evals/plants/`), and through what
`andon connect --draft` writes, untouched. A question counts as right when every labelled row stands in the answer, its
values side by side, and a list holds no other rows.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from assistant.app import Ask
from assistant.foreign import foreign
from assistant.problems import Problem
from evals.real import folder
from evals.suites import Failure, Progress, Score

CORRECTED = Path(__file__).parent / "plants" / "ebike-mes.yaml"
DATABASE = Path("ebike-mes") / "mes.db"
QUESTIONS = Path("labels") / "ebike_questions.jsonl"


def suite(progress: Progress | None = None) -> Score:
    """The foreign suite; an empty score with a note when the data is not there."""
    where = folder()
    if not (where / DATABASE).exists() or not (where / QUESTIONS).exists():
        return Score("foreign", 0, 0, note="The foreign plant is not on this machine (set ANDON_REAL to its folder); nothing was asked.")
    cases = [json.loads(line) for line in (where / QUESTIONS).read_text(encoding="utf-8").splitlines() if line.strip()]
    corrected = graded(CORRECTED, str(where / DATABASE), cases)
    with tempfile.TemporaryDirectory(prefix="andon-draft-") as kept:
        drafted = graded(_drafted(str(where / DATABASE), Path(kept)), str(where / DATABASE), cases)
    if progress:
        progress(2 * len(cases), 2 * len(cases))
    failures = [
        Failure(f"{name}-{number + 1}", case["question"], wrong)
        for name, results in (("corrected", corrected), ("draft", drafted))
        for number, (case, wrong) in enumerate(zip(cases, results, strict=True))
        if wrong
    ]
    figures = {
        "corrected model": (sum(not wrong for wrong in corrected), len(cases)),
        "draft, untouched": (sum(not wrong for wrong in drafted), len(cases)),
    }
    right, total = figures["corrected model"]
    return Score("foreign", right, total, figures, {}, failures)


def _drafted(url: str, folder: Path) -> Path:
    from tools.model_draft import draft_model

    path = folder / "draft.yaml"
    path.write_text(draft_model(url), encoding="utf-8")
    return path


def graded(model: Path, url: str, cases: Sequence[Mapping[str, Any]], at: datetime | None = None) -> list[str]:
    """What is wrong with the answer to each case, or "" where nothing is."""
    assistant = foreign(model, url)
    found = []
    try:
        for case in cases:
            try:
                found.append(wrong_with(assistant.ask(Ask(case["question"], at=at)), case["rows"]))
            except Problem as problem:
                found.append(problem.sentence)
    finally:
        assistant.close()
    return found


def wrong_with(answer: Mapping[str, Any], expected: Sequence[Sequence[Any]]) -> str:
    """Why an answer does not hold the labelled rows; "" when it does."""
    if answer["status"] not in ("answered", "partial"):
        return f"{answer['status']}: {answer['text'][:160]}"
    tables = [
        [[_cell(cell) for cell in (row.values() if isinstance(row, Mapping) else row)] for row in block["rows"]]
        for block in answer["blocks"]
        if block.get("type") == "table"
    ]
    shown = [str(block.get("value", block.get("text", ""))) for block in answer["blocks"] if block.get("type") in ("number", "chart")]
    if len(expected) == 1 and len(expected[0]) == 1:
        texts = [answer["text"], *shown, *(cell for table in tables for row in table for cell in row)]
        return "" if _said(expected[0][0], texts) else f"says {answer['text'][:120]!r}, not {expected[0][0]}"
    for table in tables:
        if len(expected) > 1 and len(table) != len(expected):
            continue
        rows = table if len(expected) > 1 else table[:1]
        if all(any(all(_said(value, row) for value in want) for row in rows) for want in expected):
            return ""
    sentences = re.split(r"(?<=[.!?])\s", answer["text"])
    if len(expected) == 1 and any(all(_said(value, [sentence]) for value in expected[0]) for sentence in sentences):
        return ""
    return f"does not hold {list(expected[0])} ({len(expected)} rows): {answer['text'][:160]!r}"


def _cell(cell: Any) -> str:
    return str(cell.get("text", cell.get("value", ""))) if isinstance(cell, Mapping) else str(cell)


_DURATION = re.compile(r"(?:(\d+(?:\.\d+)?) ?d )?(?:(\d+(?:\.\d+)?) ?h)? ?(?:(\d+(?:\.\d+)?) ?min)? ?(?:(\d+(?:\.\d+)?) ?s)?\b")


def _said(value: Any, texts: Sequence[str]) -> bool:
    """Whether a value stands in one of the texts; numbers to two places, durations in any of their units."""
    if not isinstance(value, int | float):
        wanted = " ".join(str(value).casefold().split())
        return any(wanted in " ".join(text.casefold().split()) for text in texts)
    return any(_near(number, step, float(value)) for text in texts for number, step in _numbers(text))


def _near(number: float, step: float, value: float) -> bool:
    return abs(number - value) <= 0.51 * step + 1e-9 * abs(value)


def _numbers(text: str) -> list[tuple[float, float]]:
    """Every number of a text with the size of its last place; per cent also as shares, durations in each of their units."""
    plain = re.sub(r"(?<=\d)[,\u2009\u202f\u00a0 ](?=\d{3}\b)", "", text)
    found = []
    for match in re.finditer(r"-?\d+(?:\.(\d+))?(\s?%)?", plain):
        number, step = float(match.group().rstrip("% ")), 10.0 ** -len(match.group(1) or "")
        found += [(number, step)] + ([(number / 100, step / 100)] if match.group(2) else [])
    for match in _DURATION.finditer(plain):
        days, hours, minutes, seconds = (float(part or 0) for part in match.groups())
        total = ((days * 24 + hours) * 60 + minutes) * 60 + seconds
        last = 1.0 if match.group(4) else 60.0 if match.group(3) else 3600.0 if match.group(2) else 86_400.0
        if total:
            found += [(total, last), (total / 60, last / 60), (total / 3600, last / 3600)]
    return found
