"""What a capable model adds to a turn: look-ups of several steps where one plan is not enough, and prose after the facts.

Without such a model nothing here does anything; with one that is down, slow or talks nonsense the shipped planner's
answer stands and says so. tests/test_loop.py and tests/test_backends.py.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import prompts
from assistant.compose.prose import Gate, Prose, joined, limited, through, told, write
from assistant.compose.said import Context
from assistant.grounding import vocabulary
from assistant.planning import Plan, PlannedCall
from assistant.problems import ModelUnusable
from assistant.understand import Question, Understanding
from assistant.veil import Veil
from tools.registry import Call, Step, Tool

if TYPE_CHECKING:
    from assistant.loop import Looked
    from assistant.turn import Parts

Tell = Callable[[str, dict[str, Any]], None]

UNSURE_PLAN = 0.5  # below this confidence of its plan a question goes to the loop, where the setting leaves it to us
MANY_PARTS = 3
ASKED_FOR = 0.1  # from this probability on a part of the question may have asked for a tool that writes
_ALONE = "The answer is the shipped planner's alone."


@dataclass(frozen=True)
class Extra:
    """What the loop made of a question: the plan it carried out, its steps, its closing text, and a note on a failure."""

    plan: Plan
    steps: tuple[Step, ...] = ()
    looked: Looked | None = None
    note: str = ""


def wants_loop(planned: Plan, understanding: Understanding, setting: str) -> bool:
    """Whether a question goes to the tool loop: never where the plan refuses, asks whom a name means, or waits for a person."""
    if setting == "off" or planned.status not in ("planned", "needs_clarification"):
        return False
    if setting == "always":
        return True
    unclear = planned.status == "needs_clarification" and not planned.calls
    return unclear or planned.confidence < UNSURE_PLAN or len(understanding.clauses) >= MANY_PARTS


def looked_up(planned: Plan, understanding: Understanding, question: Question, call: Call, parts: Parts, tell: Tell) -> Extra:
    """The loop's look-ups for this question, or the plan unchanged, with a note when the model could not be used."""
    if parts.language_model is None or not wants_loop(planned, understanding, parts.tool_loop):
        return Extra(planned)
    from assistant.loop import look_around

    until = time.monotonic() + parts.time_budget_s
    try:
        parts.language_model.chat()
        looked = look_around(parts.language_model, question, call, offered(planned, understanding, parts.tools), tell, until)
    except ModelUnusable as error:
        return Extra(planned, note=f"{error.sentence} {_ALONE}")
    if looked.failed and (planned.calls or not looked.steps):
        return Extra(planned, note=f"{looked.failed} {_ALONE}")
    if not looked.steps:
        return Extra(planned, note=f"{looked.stopped} {_ALONE}" if looked.stopped else "")
    carried = tuple(PlannedCall(step.tool, step.arguments) for step in looked.steps)
    done = replace(planned, status="planned", calls=carried, planner="loop", choices=(), reason="")
    return Extra(done, looked.steps, looked, looked.stopped or looked.failed)


def offered(planned: Plan, understanding: Understanding, tools: Mapping[str, Tool]) -> dict[str, Tool]:
    """The tools that a model may reach for. One that writes is there only where the question itself asks for it: a sentence in
    a manual or a log that the model then reads can wish for it as much as it likes."""
    asked = {name for clause in understanding.clauses for name, p in clause.reading.tools if p >= ASKED_FOR}
    asked |= {item.tool for item in planned.calls}
    return {name: tool for name, tool in tools.items() if not tool.writes or name in asked}


def with_prose(out: dict[str, Any], steps: Sequence[Step], context: Context, extra: Extra, parts: Parts, tell: Tell) -> dict[str, Any]:
    """The answer with what the model says about its evidence, each sentence told as soon as it holds; the facts before
    it stay as they are. Also says so when the model could not be used."""
    model = parts.language_model
    notes = [extra.note] if extra.note else []
    if model is None or out["status"] not in ("answered", "partial") or not any(step.result.evidence for step in steps):
        return {**out, "assumed": [*out["assumed"], *notes]} if notes else out
    until = time.monotonic() + parts.time_budget_s

    def say(sentence: str) -> None:
        tell("token", {"text": sentence})

    if extra.note and extra.looked is None:
        prose = Prose()  # it has just failed
    elif extra.looked is not None and not extra.looked.said:
        prose = Prose()  # it was stopped
    elif extra.looked is not None:
        prose = _closing(extra.looked.said, steps, context, parts, say, until)
    else:
        veil = Veil.over(parts.plant, context.caller, parts.policy)
        prose = write(veil.before(model.speak), context, steps, vocabulary(parts.plant), say, until)
    if prose.problem:
        notes.append(f"{prose.problem} {_ALONE}")
    used_words = ("prose", "prose_evidence", "prose_repair", *(("loop",) if extra.looked is not None else ()))
    about = {
        **model.about, "calls": prose.calls, "ms": prose.ms, "dropped": prose.dropped, "sentences": list(prose.sentences),
        "prompts": {name: prompts.load(name).sha256 for name in used_words},
    }  # fmt: skip
    used = model.about if extra.looked is not None else out["model"]
    return {
        **out, "text": joined(out["text"], prose), "prose": about, "model": dict(used),
        "assumed": list(dict.fromkeys([*out["assumed"], *notes])),
    }  # fmt: skip


def _closing(said: str, steps: Sequence[Step], context: Context, parts: Parts, say: Callable[[str], None], until: float) -> Prose:
    """The loop's own closing words through the same gate, with one repair."""
    evidence = [item for step in steps for item in step.result.evidence]
    gate = Gate(evidence, vocabulary(parts.plant), limited(steps), context.zone, say)
    asked = prompts.load("prose_evidence").fill(question=context.question, evidence=told(evidence, context.zone))
    talk = [("system", prompts.load("prose").text), ("user", asked)]
    speak = Veil.over(parts.plant, context.caller, parts.policy).before(parts.language_model.speak)
    return through(gate, speak, talk, lambda: [said], until, time.monotonic())
