"""Every answer of the evals proved from its own evidence: no number, code, name or marker without support, and no true
number said of another row than the one named beside it.

The questions are those of the answers, planner and refusals suites, whatever else is wrong with their answers; the proof
is `assistant.audit`, which knows nothing of the templates. tests/test_language_evals.py, tests/test_audit.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from assistant.app import Ask, Assistant
from assistant.audit import audit
from assistant.problems import Problem
from evals.cases import load
from evals.language import asked, planner_cases, refusal_cases
from evals.plant import Demo
from evals.suites import Failure, Progress, Score


def questions() -> list[tuple[str, Ask]]:
    """(case id, question) of every suite that asks questions."""
    found = [
        (case.id, Ask(case.question, case.user, case.equipment, None, datetime.fromisoformat(case.at) if case.at else None, case.id, case.context))
        for case in load()
    ]
    return [*found, *((str(case["id"]), asked(case)) for case in (*planner_cases(), *refusal_cases()))]


def numbered_names(assistant: Assistant) -> set[str]:
    """The plant's names that hold a digit, in lower case: others are ordinary words too."""
    kinds = ("equipment", "line", "product", "part", "area")
    return {name.lower() for kind in kinds for name in assistant.plant.vocabulary(kind) if any(char.isdigit() for char in name)}


def suite(demo: Demo, progress: Progress | None = None) -> Score:
    """Answers without a finding, of all; the findings are the failures."""
    names = numbered_names(demo.assistant)
    asks, wrong = questions(), []
    for number, (id, ask) in enumerate(asks):
        found = unsupported(demo.assistant, ask, names)
        if found:
            wrong.append(Failure(id, ask.question, "; ".join(found[:4])))
        if progress:
            progress(number + 1, len(asks))
    return summed(wrong, len(asks))


def unsupported(assistant: Assistant, ask: Ask, names: set[str]) -> Sequence[str]:
    """What one answer says without support; nothing for a question that fails before it is answered."""
    try:
        answer, steps = assistant.examined(ask)
    except Problem:
        return ()
    return audit(answer, steps, assistant.plant.zone, names)


def summed(wrong: Sequence[Failure], total: int) -> Score:
    """The score, with the kinds of findings counted."""
    kinds = ("unsupported:", "unsupported name", "marker of no source", "of another")
    figures: Mapping[str, Any] = {
        f"answers without {kind.rstrip(':')}": (total - sum(kind in failure.reason for failure in wrong), total) for kind in kinds
    }
    return Score("grounding", total - len(wrong), total, figures, {}, list(wrong))
