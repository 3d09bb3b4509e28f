"""Published alarm lists that nobody here wrote: they are ingested into a temporary home and their codes are asked for,
through the index all of them, through the whole assistant a fixed sample of each list. The text of the list, with white
space folded, must come back. Without the data the suite says so and passes."""

from __future__ import annotations

import json
import os
import random
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from assistant.app import Ask, Assistant
from assistant.problems import Problem
from evals.graders import shown
from evals.oracles import folded
from evals.plant import empty_index
from evals.suites import Failure, Progress, Score

LABELS = Path("labels") / "alarms.jsonl"
#: Questions through the whole assistant for each list; all codes go through the index.
ASKED = 12


def folder() -> Path:
    """Where the data is: $ANDON_REAL, else shared/real beside the repository."""
    named = os.environ.get("ANDON_REAL")
    return Path(named) if named else Path(__file__).resolve().parents[2] / "shared" / "real"


def suite(progress: Progress | None = None) -> Score:
    """The real suite; an empty score with a note when the data is not there."""
    where = folder()
    if not (where / LABELS).exists():
        return Score("real", 0, 0, note="The real documents are not on this machine (set ANDON_REAL to their folder); nothing was asked.")
    rows = [json.loads(line) for line in (where / LABELS).read_text(encoding="utf-8").splitlines() if line.strip()]
    with empty_index() as assistant:
        note = _ingested(assistant, [where / name for name in dict.fromkeys(row["file"] for row in rows)])
        found = [(row, _in_index(assistant, row)) for row in rows]
        sample = _sample(rows)
        asked = []
        for number, row in enumerate(sample):
            asked.append((row, _in_answer(assistant, row)))
            if progress:
                progress(number + 1, len(sample))
    return _score(found, asked, note)


def _ingested(assistant: Assistant, paths: Sequence[Path]) -> str:
    from ingest.pipeline import ingest

    report = ingest(list(paths), assistant.index)
    refused = "; ".join(f"{Path(path).name}: {reason}" for path, reason in report.quarantined)
    return f"{len(report.added)} documents, {report.passages} passages, {report.alarms} alarm entries in {report.seconds:.0f} s. Quarantined: {refused or 'none'}."


def _sample(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    by_list: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        by_list[row["list"]].append(row)
    chance = random.Random(17)
    return [row for name in sorted(by_list) for row in chance.sample(by_list[name], min(ASKED, len(by_list[name])))]


def question(row: Mapping[str, Any]) -> str:
    """How a person would ask; the list is named because several lists use the same codes."""
    return f"{_list_words(row)}: what is alarm {row['code']}?"


def _list_words(row: Mapping[str, Any]) -> str:
    words = re.sub(r"(error|warn|servo)?code$", r" \1 code", row["list"].replace("_", " "))
    return " ".join(words.split())


def published(row: Mapping[str, Any]) -> list[str]:
    """The texts of the list that must come back."""
    return [row[name] for name in ("title", "cause", "action") if row.get(name)]


def _missing(row: Mapping[str, Any], text: str) -> str | None:
    missing = [words for words in published(row) if folded(words) not in text]
    return f"does not give {missing[0][:120]!r}" if missing else None


def _in_index(assistant: Assistant, row: Mapping[str, Any]) -> str | None:
    """What is wrong with the entries of this code in the index, or None."""
    hits = assistant.index.search(question(row), 12)
    return _missing(row, folded(" ".join(hit.passage.text for hit in hits)))


def _in_answer(assistant: Assistant, row: Mapping[str, Any]) -> str | None:
    try:
        answer = assistant.ask(Ask(question(row), None))
    except Problem as problem:
        return problem.sentence
    wrong = _missing(row, shown(answer))
    return f"{answer['status']}, {wrong}" if wrong else None


def _score(found: Sequence[tuple[Mapping[str, Any], str | None]], asked: Sequence[tuple[Mapping[str, Any], str | None]], note: str) -> Score:
    figures = {"through the index": (sum(not w for _, w in found), len(found)), "through the assistant": (sum(not w for _, w in asked), len(asked))}
    for name in sorted({row["list"] for row, _ in found}):
        here = [wrong for row, wrong in found if row["list"] == name]
        figures[f"index, {name}"] = (sum(not wrong for wrong in here), len(here))
    failures = [Failure(f"index-{row['list']}-{row['code']}", question(row), wrong) for row, wrong in found if wrong]
    failures = failures[:40] + [Failure(f"ask-{row['list']}-{row['code']}", question(row), wrong) for row, wrong in asked if wrong]
    right = sum(not wrong for _, wrong in (*found, *asked))
    return Score("real", right, len(found) + len(asked), figures, {}, failures, note)
