"""One question to one answer: the straight line of the design, under a time budget.

`answer` reads like the list in the README: understand, plan, act, compose, check, record. Everything a person sees
leaves through `assistant.release`, which drops what no evidence supports. tests/test_turn.py drives every status
through it; evals/ grade whole answers.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from assistant import emergency
from assistant.capable import Extra, looked_up, with_prose
from assistant.compose import COMPOSERS, Context, Said
from assistant.planning import Plan, PlannedCall, plan, plan_json
from assistant.problems import BadQuestion
from assistant.release import Released, release
from assistant.safeguards import safeguard_named
from assistant.scribe import KEPT_IN, UNPLACED
from assistant.second_look import reconsidered
from assistant.understand import NOT_TAKEN, Question, Understanding, understand
from tools.access import DATA_TOOLS, Caller, Policy
from tools.registry import BadArgument, Call, Result, Step, Tool, marked, run

Tell = Callable[[str, dict[str, Any]], None]


@dataclass(frozen=True)
class Ask:
    """One request as it came in. `user` None is the demo's default; `at` None is now; `context` holds earlier
    questions, asked first in the same conversation; `spoken`: it was said, not typed, and the turn log says so."""

    question: str
    user: str | None = None
    equipment: str | None = None
    conversation: str | None = None
    at: datetime | None = None
    id: str | None = None
    context: tuple[str, ...] = ()
    spoken: bool = False


@dataclass(frozen=True)
class Parts:
    """The running product's parts that a turn uses; made by `assistant.app.build`."""

    plant: Any
    index: Any
    router: Any
    writer: Any  # PlanWriter, or None when there is no model to vote
    tools: Mapping[str, Tool]
    policy: Policy
    stores: Mapping[str, Any]
    model: Mapping[str, str]
    pool: ThreadPoolExecutor
    time_budget_s: float = 20.0
    question_characters: int = 4000
    language_model: Any = None  # `assistant.llm.LanguageModel`, or None when no capable model is set
    tool_loop: str = "off"


@dataclass
class Clock:
    """Milliseconds per stage of one turn."""

    begun: float = field(default_factory=time.perf_counter)
    last: float = field(default_factory=time.perf_counter)
    stages: dict[str, float] = field(default_factory=dict)

    def lap(self, stage: str) -> None:
        now = time.perf_counter()
        self.stages[stage] = round(self.stages.get(stage, 0.0) + (now - self.last) * 1000, 2)
        self.last = now

    def total(self) -> dict[str, float]:
        return {**self.stages, "total": round((time.perf_counter() - self.begun) * 1000, 2)}


@dataclass(frozen=True)
class Taken:
    """A finished turn: the answer, and the plan that the next question may refer to."""

    answer: dict[str, Any]
    understanding: Understanding
    plan: Plan
    steps: tuple[Step, ...] = ()  # with their evidence, for whoever audits an answer


def cleaned(text: str, limit: int) -> str:
    """The question as one line of text. Raises BadQuestion for nothing, too much, or bytes that are no text."""
    if len(text) > limit:
        raise BadQuestion(f"The question is longer than {limit:,} characters; ask it shorter.")
    visible = "".join(char if char.isprintable() else " " for char in text)
    words = " ".join(visible.split())
    if not any(char.isalnum() for char in words):
        raise BadQuestion("There is no question to read; type or say one.")
    return words


def answer(ask: Ask, caller: Caller, now: datetime, previous: Sequence[tuple[str, Plan]], parts: Parts,
           tell: Tell = lambda kind, data: None) -> Taken:  # fmt: skip
    """Run the straight line once. Raises BadQuestion; whatever else goes wrong is a status of the answer."""
    clock = Clock()
    text = cleaned(ask.question, parts.question_characters)
    question = Question(
        text=text, equipment=ask.equipment, at=now, caller=caller,
        previous=tuple(item for _, item in previous), previous_texts=tuple(words for words, _ in previous),
    )  # fmt: skip
    understanding = understand(question, parts.plant, parts.router)
    alarm_blocks = emergency.blocks(understanding.hazards, parts.plant.model.emergency, parts.index)
    for block in alarm_blocks:
        tell("block", block)
    clock.lap("understand")
    planned = plan(understanding, question, parts.plant, parts.tools, parts.writer, parts.policy)
    machine = parts.plant.equipment.get(ask.equipment or "")
    papers = _call(question, parts).index  # those that this person may read
    planned = reconsidered(planned, question, papers, parts.tools, parts.policy, machine)
    reading = understanding.reading
    clear = reading.tools[0][1] * dict(reading.heads["status"]).get("answer", 1.0)
    if alarm_blocks and (clear < SURE_BESIDE or planned.status not in _RUNS):
        # A cry for help is not a search: beside the instruction only what was clearly asked is shown.
        planned = replace(planned, status="planned", calls=(), choices=(), reason="")
    elif alarm_blocks and _PERSONS & set(understanding.hazards):
        # Somebody lies there: what to do with the machine waits, figures that were asked for may stand below.
        planned = replace(planned, calls=tuple(call for call in planned.calls if call.tool not in _MACHINE_STEPS))
    clock.lap("plan")
    extra = Extra(planned) if alarm_blocks else looked_up(planned, understanding, question, _call(question, parts), parts, tell)
    planned = extra.plan
    steps = extra.steps or act(_with_safe_way(planned, text), question, parts, tell)
    if not extra.steps and steps and all(
        step.tool in DATA_TOOLS and step.result.status == "needs_clarification" and not step.result.evidence for step in steps
    ):
        # The data knows no such name; the documents may ("where do we keep the defibrillator").
        unclear = replace(planned, status="needs_clarification", calls=())
        again = reconsidered(unclear, question, papers, parts.tools, parts.policy, machine)
        if again is not unclear:
            planned, steps = again, act(again, question, parts, tell)
    clock.lap("act")
    context = Context(parts.plant.zone, now, text, caller, ask.equipment)
    said = compose(steps, context)
    clock.lap("compose")
    released = release(said, parts.plant, alarm_blocks)
    clock.lap("check")
    out = assemble(ask, planned, steps, released, understanding, parts, clock)
    for block in released.blocks[len(alarm_blocks):]:
        tell("block", block)
    for sentence in released.sentences:
        tell("token", {"text": sentence})
    if not alarm_blocks:
        out = with_prose(out, steps, context, extra, parts, tell)
        out["ms"] = clock.total()
    return Taken(out, understanding, planned, steps)


#: From this probability of its tool on a plan is also run when an emergency is shown.
SURE_BESIDE = 0.85
#: Dangers in which a person is hurt or held, and the tools that tell what to do with a machine.
_PERSONS = frozenset(("injury", "entrapment", "shock"))
_MACHINE_STEPS = frozenset(("get_procedure", "diagnose", "explain_alarm", "search_documents"))
#: Ways to go on that are offered: the lists that know a number may be more than the machines of a line.
MOST_SHOWN = 8
#: Statuses of a plan whose calls are run (a tool that acts only proposes).
_RUNS = ("planned", "needs_confirmation")


def _with_safe_way(planned: Plan, text: str) -> Plan:
    """A refusal about a safeguard that is named also looks up what the plant's documents say about it."""
    device = safeguard_named(text)
    if planned.status != "refused_unsafe" or not device:
        return replace(planned, calls=()) if planned.status == "refused_unsafe" else planned
    query = f"{device}: must never be bypassed, authorised persons, function test"
    return replace(planned, calls=(PlannedCall("search_documents", {"query": query, "kinds": ["manual", "sop"]}),))


def act(planned: Plan, question: Question, parts: Parts, tell: Tell) -> tuple[Step, ...]:
    """Run the planned tools under the caller's rights, in parallel, within the time budget; number the evidence.

    A tool that acts is not run: it becomes a question to its person (`needs_confirmation`)."""
    if planned.status not in (*_RUNS, "refused_unsafe"):
        return ()
    call = _call(question, parts)
    futures = []
    for item in planned.calls:
        tell("step", {"tool": item.tool, "arguments": plain(item.arguments), "status": "running"})
        futures.append((item, parts.pool.submit(_run_one, parts.tools[item.tool], call, dict(item.arguments))))
    deadline = time.monotonic() + parts.time_budget_s
    steps = []
    for item, future in futures:
        try:
            step = future.result(timeout=max(0.0, deadline - time.monotonic()))
        except FutureTimeout:
            future.cancel()
            name = item.tool.replace("_", " ")
            late = Result("unavailable", message=f"{name.capitalize()} took too long and was stopped; try a shorter period.")
            step = Step(item.tool, dict(item.arguments), late, parts.time_budget_s * 1000)
        tell("step", {"tool": step.tool, "status": step.result.status, "ms": round(step.ms, 1)})
        steps.append(step)
    return marked(tuple(steps))


def _call(question: Question, parts: Parts) -> Call:
    return Call(
        caller=question.caller, now=question.at, plant=parts.plant, index=parts.index, equipment=question.equipment,
        question=question.text, policy=parts.policy, deadline_s=parts.time_budget_s, stores=parts.stores,
    )  # fmt: skip


def _run_one(tool: Tool, call: Call, arguments: dict[str, Any]) -> Step:
    try:
        return run(tool, call, arguments)
    except BadArgument as error:
        message = f"The plan for this question does not fit the tool ({error}); please ask it in other words."
        return Step(tool.name, arguments, Result("needs_clarification", message=message), 0.0)


def compose(steps: Sequence[Step], context: Context) -> list[tuple[Step, Said]]:
    """What is to be said of each step. A step without evidence is said by its message alone."""
    said = []
    for step in steps:
        speaks = step.result.status in ("answered", "partial", "needs_confirmation") or bool(step.result.evidence)
        said.append((step, COMPOSERS[step.tool](step, context) if speaks else Said()))
    return said


def assemble(ask: Ask, planned: Plan, steps: Sequence[Step], released: Released, understanding: Understanding,
             parts: Parts, clock: Clock) -> dict[str, Any]:  # fmt: skip
    """The answer as the contract gives it."""
    alarmed = any(block["type"] == "emergency" for block in released.blocks)
    if alarmed and not steps and planned.status == "planned":
        planned = replace(planned, reason="This is the plant’s emergency instruction. Ask again once everybody is safe.")
    runs = planned.status in _RUNS and bool(steps)
    text, spoken = released.text, released.spoken
    if not runs:
        said = _without_steps(planned)
        found = released.status == "answered"  # the safe way beside a refusal
        text = f"{said} {text}" if found else said
        spoken = " ".join(block["text"] for block in released.blocks if block["type"] == "emergency") + f" {said}"
    unplaced = [note for note in planned.notes if note.startswith((UNPLACED, KEPT_IN, NOT_TAKEN))] if runs else []
    if unplaced and released.status in ("answered", "no_data"):
        # What was asked for is not what was looked up; the person hears that first.
        released = replace(released, status="partial")
        text, spoken = " ".join([*unplaced, text]), " ".join([*unplaced, spoken])
    return {
        "id": ask.id or secrets.token_hex(6),
        "question": understanding.spelled.typed or understanding.text,
        "status": released.status if runs else _status_without_steps(planned, alarmed),
        "text": text,
        "spoken": spoken.strip(),
        "blocks": [*released.blocks, *_choice_blocks(planned, steps)],
        "citations": list(released.citations),
        "steps": [
            {"tool": step.tool, "arguments": plain(step.arguments), "status": step.result.status, "ms": round(step.ms, 1)}
            for step in steps
            if runs
        ],
        "follow_ups": list(released.follow_ups),
        "assumed": list(dict.fromkeys([*planned.notes, *(words for step in steps for words in step.result.assumed)])),
        "planner": planned.planner,
        "model": dict(parts.model),
        "plan": plan_json(planned, ask.id),
        "ms": clock.total(),
        "turn": "",
    }


_WITHOUT_STEPS = {
    "out_of_scope": "That is outside what I can answer. I look up this plant's production, quality, maintenance and "
    "material data, its alarms, manuals and procedures, and I draft its documents.",
    "refused_unsafe": "I do not help to defeat, bypass or silence a safeguard. Stop the machine, keep clear and call "
    "maintenance; a guard that hinders the work is changed by an authorised person under the approved procedure.",
    "smalltalk": "Hello. Ask me about an alarm, a machine, a figure, a procedure or a document.",
    "needs_clarification": "I am not sure what you mean.",
    "not_allowed": "That is not allowed for your role.",
}


def _status_without_steps(planned: Plan, alarmed: bool) -> str:
    if alarmed and planned.status == "planned":
        return "answered"
    return "unavailable" if planned.status in ("planned", "needs_confirmation") else planned.status


def _without_steps(planned: Plan) -> str:
    return planned.reason or _WITHOUT_STEPS.get(planned.status, "")


def _choice_blocks(planned: Plan, steps: Sequence[Step]) -> list[dict[str, Any]]:
    """The choices to tap: the plan's own, or those of a tool that met an ambiguous name."""
    choices = list(planned.choices) or [choice for step in steps for choice in step.result.choices]
    if not choices:
        return []
    shown = [{"label": choice.label, "question": choice.question} for choice in choices[:MOST_SHOWN]]
    return [{"type": "choices", "question": "Which do you mean?", "choices": shown}]


def plain(value: Any) -> Any:
    """Arguments as JSON holds them: periods as {text, from, to}, times as ISO text."""
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    if hasattr(value, "start") and hasattr(value, "end") and hasattr(value, "text"):
        return {"text": value.text, "from": value.start.isoformat(), "to": value.end.isoformat()}
    if isinstance(value, datetime):
        return value.isoformat()
    return value
