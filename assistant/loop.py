"""The tool loop of a capable model: several look-ups, each decided by what the last one found.

langchain's `create_agent` drives it; this module gives it the registered tools under the caller's own rights, numbers the
evidence as in a normal turn, and bounds calls, tokens and time. A tool that acts is never run: the model's wish becomes
the question to its person. What the model writes at the end is a text with slots, which goes through the same check as
all prose. tests/test_loop.py scripts several steps, and a model that misbehaves.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass, field, replace
from typing import Any

import prompts
from assistant.compose.prose import told
from assistant.llm import LanguageModel, LlmUnavailable
from assistant.marks import names_of
from assistant.periods import read_period
from assistant.planning import about_people
from assistant.understand import Question
from assistant.veil import Veil
from tools.registry import BadArgument, Call, Result, Step, Tool, ToolError, run

MOST_MODEL_CALLS = 8
MOST_TOOL_CALLS = 8
MOST_TOKENS = 40_000
SHOWN_CHARACTERS = 3000  # of one result, to the model
_NAMED = ("site", "area", "line", "equipment", "equipment_class", "product", "variant", "shift")

Tell = Callable[[str, dict[str, Any]], None]


class Misfit(Exception):
    """Arguments that the tool cannot take; the sentence goes back to the model."""


@dataclass(frozen=True)
class Looked:
    """What the loop brought: executed steps with numbered evidence, the model's closing text with slots, its calls, and a
    sentence when it was stopped or failed before its end."""

    steps: tuple[Step, ...] = ()
    said: str = ""
    calls: int = 0
    stopped: str = ""
    failed: str = ""


@dataclass
class Session:
    """One run: what was looked up so far, shared by the loop's threads."""

    call: Call
    question: Question
    tools: Mapping[str, Tool]
    tell: Tell
    until: float
    veil: Veil = field(default_factory=lambda: Veil({}))
    lock: threading.Lock = field(default_factory=threading.Lock)
    steps: list[Step] = field(default_factory=list)
    asked: dict[str, str] = field(default_factory=dict)
    calls: int = 0
    tokens: int = 0
    closed: bool = False

    def look_up(self, name: str, given: Mapping[str, Any]) -> str:
        """Run one tool for the model and say what it found, as slots, without people's names where the policy keeps them back.
        Never raises for what a model writes."""
        return self.veil.hidden(self._looked_up(name, self.veil.lifted(given)))

    def _looked_up(self, name: str, given: Mapping[str, Any]) -> str:
        key = json.dumps([name, given], sort_keys=True, default=str)
        with self.lock:
            if self.closed or time.monotonic() > self.until:
                return "There is no time left; write your answer."
            if key in self.asked:
                return f"This was asked already: {self.asked[key]}"
        try:
            arguments = fitted(self.tools[name], given, self.question, self.call)
            self.tell("step", {"tool": name, "arguments": dict(given), "status": "running"})
            step = run(self.tools[name], self.call, arguments)
        except (Misfit, BadArgument) as error:
            return f"Not run: {error}"
        except (TypeError, ValueError, KeyError, AttributeError, IndexError):
            return f"Not run: the arguments do not fit {name}."
        return self.kept(key, step)

    def kept(self, key: str, step: Step) -> str:
        with self.lock:
            if self.closed:
                return "There is no time left."
            number = sum(len(one.result.evidence) for one in self.steps)
            marked = tuple(item.marked(f"E{number + n}") for n, item in enumerate(step.result.evidence, 1))
            step = replace(step, result=replace(step.result, evidence=marked))
            self.steps.append(step)
            self.asked[key] = ", ".join(item.marker for item in marked) or step.result.status
        self.tell("step", {"tool": step.tool, "status": step.result.status, "ms": round(step.ms, 1)})
        lines = [f"status: {step.result.status}"]
        lines += [step.result.message] if step.result.message else []
        lines += [f"assumed: {words}" for words in step.result.assumed]
        return "\n".join(lines) + "\n" + told(step.result.evidence, self.call.plant.zone, SHOWN_CHARACTERS)

    def close(self) -> tuple[Step, ...]:
        with self.lock:
            self.closed = True
            return tuple(self.steps)


def look_around(model: LanguageModel, question: Question, call: Call, tools: Mapping[str, Tool], tell: Tell, until: float) -> Looked:
    """Let the model look up what the question needs, until `until` (of `time.monotonic`). Raises nothing that a model
    or a server could cause."""
    allowed = {name: tool for name, tool in tools.items() if call.policy.may_use(question.caller, name).allowed}
    try:
        session = Session(call, question, allowed, tell, until, Veil.over(call.plant, question.caller, call.policy))
    except ToolError as error:
        return Looked(failed=str(error))
    if not allowed:
        return Looked(failed="There is nothing that this role may look up.")
    pool = ThreadPoolExecutor(1, thread_name_prefix="loop")
    try:
        said, stopped = pool.submit(_driven, model, session).result(timeout=max(0.1, until - time.monotonic()))
    except FutureTimeout:
        return _ended(session, stopped="The look-ups took too long and were stopped.")
    except LlmUnavailable as error:
        model.failed(error)
        return _ended(session, failed=error.sentence)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    return _ended(session, said=said, stopped=stopped)


def _ended(session: Session, said: str = "", stopped: str = "", failed: str = "") -> Looked:
    return Looked(session.close(), said, session.calls, stopped, failed)


def _driven(model: LanguageModel, session: Session) -> tuple[str, str]:
    """The agent's run: its closing text, and why it was stopped if it was."""
    os.environ["LANGSMITH_TRACING"] = os.environ["LANGCHAIN_TRACING_V2"] = "false"  # nothing leaves the building
    from langchain.agents import create_agent
    from langchain.agents.middleware import HumanInTheLoopMiddleware, ModelCallLimitMiddleware, ToolCallLimitMiddleware
    from langchain.agents.middleware.model_call_limit import ModelCallLimitExceededError
    from langchain_core.messages import AIMessage
    from langgraph.checkpoint.memory import InMemorySaver
    from langgraph.errors import GraphRecursionError

    acting = {name: True for name, tool in session.tools.items() if tool.acts}
    agent = create_agent(
        model.chat(),
        [_offered(tool, session) for tool in session.tools.values()],
        system_prompt=f"{prompts.load('loop').text}\n\n{prompts.load('prose').text}",
        middleware=[
            _budget(session, model),
            ModelCallLimitMiddleware(run_limit=MOST_MODEL_CALLS, exit_behavior="error"),
            ToolCallLimitMiddleware(run_limit=MOST_TOOL_CALLS, exit_behavior="continue"),
            HumanInTheLoopMiddleware(interrupt_on=acting),
        ],
        checkpointer=InMemorySaver(),
    )
    asked = [{"role": "user", "content": session.veil.hidden(text)} for text in (*session.question.previous_texts[-2:], session.question.text)]
    config: Any = {"configurable": {"thread_id": "turn"}, "recursion_limit": 4 * (MOST_MODEL_CALLS + MOST_TOOL_CALLS)}
    try:
        out = agent.invoke({"messages": asked}, config=config)
    except (ModelCallLimitExceededError, GraphRecursionError):
        return "", f"The model was stopped after {session.calls} calls."
    for pause in out.get("__interrupt__", ()):
        for wish in pause.value["action_requests"]:
            session.look_up(wish["name"], wish["args"])  # the tool only proposes; a person confirms
        return "", ""
    last = out["messages"][-1]
    if session.tokens > MOST_TOKENS:
        return "", "The model was stopped at its limit of words."
    return (last.text, "") if isinstance(last, AIMessage) and not last.tool_calls else ("", "The model came to no end.")


def _budget(session: Session, model: LanguageModel) -> Any:
    """Middleware that counts calls and tokens and ends the run when tokens or time are used up."""
    from langchain.agents.middleware import AgentMiddleware, hook_config

    class Budget(AgentMiddleware[Any, Any]):  # type: ignore[misc]  # langchain is not typed here
        @hook_config(can_jump_to=["end"])  # type: ignore[untyped-decorator]
        def before_model(self, state: Any, runtime: Any) -> dict[str, Any] | None:
            if session.closed or session.tokens > MOST_TOKENS or time.monotonic() > session.until:
                return {"jump_to": "end"}
            session.calls += 1
            model.calls += 1
            return None

        def after_model(self, state: Any, runtime: Any) -> dict[str, Any] | None:
            message = state["messages"][-1]
            usage = getattr(message, "usage_metadata", None) or {}
            session.tokens += int(usage.get("total_tokens") or len(str(message.content)) // 4)
            return None

    return Budget()


# -- tools as a model sees them


_TYPES: Mapping[str, dict[str, Any]] = {
    "str": {"type": "string"}, "int": {"type": "integer"}, "list": {"type": "array", "items": {"type": "string"}},
    "dict": {"type": "object"}, "Period": {"type": "string", "description": "a period in words, such as last week"},
    "object": {"type": "string", "description": "previous_period, target, a period in words, or a number"},
}  # fmt: skip


def _kind(hint: Any) -> str:
    """Which of `_TYPES` an annotation is."""
    text = str(hint)
    for name, mark in (("list", "list["), ("dict", "dict["), ("Period", "Period"), ("int", "int"), ("str", "str"), ("str", "Literal")):
        if mark in text or (isinstance(hint, type) and hint.__name__ == mark):
            return name
    return "object"


def schema(tool: Tool) -> dict[str, Any]:
    """A tool's arguments as JSON Schema."""
    hints = tool.hints()
    return {
        "type": "object", "properties": {name: dict(_TYPES[_kind(hints[name])]) for name in tool.parameters},
        "required": list(tool.required),
    }  # fmt: skip


def _offered(tool: Tool, session: Session) -> Any:
    from langchain_core.tools import StructuredTool

    def call(**given: Any) -> str:
        return session.look_up(tool.name, given)

    return StructuredTool.from_function(func=call, name=tool.name, description=tool.description, args_schema=schema(tool))


def fitted(tool: Tool, given: Mapping[str, Any], question: Question, call: Call) -> dict[str, Any]:
    """The model's arguments as the tool takes them: names as ids, words as periods. Raises Misfit with a sentence for the
    model. The rights of a plan hold here as well: nobody is ranked or looked into who must not be."""
    hints = tool.hints()
    unknown = set(given) - set(tool.parameters)
    if unknown:
        raise Misfit(f"{tool.name} has no argument {sorted(unknown)[0]}; it takes {', '.join(tool.parameters)}.")
    missing = [name for name in tool.required if given.get(name) in (None, "", [])]
    if missing:
        raise Misfit(f"{tool.name} needs {missing[0]}.")
    arguments: dict[str, Any] = {}
    for name, value in given.items():
        if value in (None, "", [], {}):
            continue
        arguments[name] = _one(name, _kind(hints[name]), value, question, call)
    _not_about_people(tool.name, arguments, call)
    return arguments


def _one(name: str, kind: str, value: Any, question: Question, call: Call) -> Any:
    if kind == "Period":
        said = read_period(str(value), question.at, call.plant.calendar)
        if said is None:
            raise Misfit(f"“{value}” is no period; write it like “last week” or “2026-05-01 to 2026-05-31”.")
        return said.period
    if kind == "list":
        return [str(item) for item in value] if isinstance(value, list) else [str(value)]
    if kind == "int":
        try:
            return int(value)
        except (TypeError, ValueError):
            raise Misfit(f"{name} is a number.") from None
    if kind == "dict":
        if not isinstance(value, Mapping):
            raise Misfit(f'{name} is an object such as {{"line": "Line 3"}}.')
        return {str(key): _named(str(key), item, call) for key, item in value.items()}
    if kind == "object" and isinstance(value, str) and value not in ("previous_period", "target"):
        said = read_period(value, question.at, call.plant.calendar)
        return said.period if said is not None else value
    if kind == "object" and isinstance(value, Mapping):
        return {str(key): _named(str(key), item, call) for key, item in value.items()}
    if not isinstance(value, str | int | float):
        raise Misfit(f"{name} is a text.")
    return _named(name, str(value), call) if kind == "str" else value


def _named(key: str, value: Any, call: Call) -> Any:
    """A name, or each of several, as the plant's id; an unknown one stays as said, and the tool says so."""
    if isinstance(value, list):
        return [_named(key, item, call) for item in value]
    if isinstance(value, Mapping):
        return {inner: _named(key, item, call) if inner == "not" else item for inner, item in value.items()}
    if key not in _NAMED or not isinstance(value, str):
        return value
    found = names_of(call.plant).resolve(value, key)
    return found.value if found.known and found.kind == key else value


def _not_about_people(tool: str, arguments: Mapping[str, Any], call: Call) -> None:
    """The rule of the plan: nobody compares people or looks into another's achievement unless the policy says so."""
    if not call.policy.rank_people and about_people(tool, arguments, call.caller.user):
        raise Misfit("People are not compared or ranked here; ask for the line, the machine or the shift.")


def proposed(steps: Sequence[Step]) -> bool:
    """Whether a person is to be asked before anything is done."""
    return any(step.result.status == "needs_confirmation" for step in steps)


__all__ = ["Looked", "Misfit", "Result", "Session", "fitted", "look_around", "proposed", "schema"]
