"""What the assistant can do: every tool is a typed function `def tool(call: Call, ...) -> Result`, and one line here.

Name, docstring and types become the schema that models see; role and argument checks live in `run`, in one place.
A tool never raises for what a person may ask: a refusal, an empty result and an unknown name are values (`Result`).
tests/test_registry.py holds each tool to a schema, a doc heading and an eval case.
"""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, get_type_hints

from tools.access import POLICY, Caller, Policy
from tools.evidence import Evidence
from tools.seen_documents import seen_by

if TYPE_CHECKING:
    from retrieval.index import Index
    from tools.plant_model import Plant

Status = Literal[
    "answered", "partial", "no_data", "not_allowed", "out_of_scope", "refused_unsafe", "needs_clarification",
    "needs_confirmation", "smalltalk", "unavailable",
]  # fmt: skip


class ToolError(Exception):
    """A tool could not do its work. `str(error)` is one sentence for the person who asked, without engine text."""


class Unavailable(ToolError):
    """A part that the tool needs is down (database, index); the sentence says which."""


class Unanswerable(Exception):
    """A question that ends before it reaches the data (names, rights); `result` is what the person gets."""

    def __init__(self, result: Result) -> None:
        super().__init__(result.message)
        self.result = result


class BadArgument(ToolError):
    """The plan holds an argument that the tool does not know; addressed to the planner, not to the person."""


@dataclass(frozen=True)
class Period:
    """A half-open time range [start, end) of aware datetimes and how it was said. `assumed` when nobody said it."""

    text: str
    start: datetime
    end: datetime
    assumed: bool = False


@dataclass(frozen=True)
class Choice:
    """One way to go on: `label` is what the person taps, `question` what is then asked."""

    label: str
    question: str


@dataclass(frozen=True)
class Result:
    """What a tool found. `message` is one sentence where evidence is missing (what was searched, who may);
    `assumed` states each assumption; `data` is what the tool's own composer needs beside the evidence."""

    status: Status
    evidence: tuple[Evidence, ...] = ()
    message: str = ""
    assumed: tuple[str, ...] = ()
    limited_to: str = ""
    choices: tuple[Choice, ...] = ()
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Call:
    """What a tool may use: the caller, the clock (aware, plant zone), the plant, the index, the machine in front of
    the person (an equipment id, or None) and the stores that write (requests, documents), filled by `assistant/app`.
    `question` is what the person said; it may tell one alarm list from another, and decides nothing else."""

    caller: Caller
    now: datetime
    plant: Plant
    index: Index
    equipment: str | None = None
    question: str = ""
    policy: Policy = POLICY
    deadline_s: float = 10.0
    stores: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # Whoever makes a call: the documents in it are those that its caller may read.
        object.__setattr__(self, "index", seen_by(self.index, self.caller, self.policy))


@dataclass(frozen=True)
class Tool:
    """A registered tool. `acts` tools change something and are confirmed by a person first; `writes` tools leave something
    behind (a request, a draft), so a model may reach for them only where the person's own words ask for it."""

    name: str
    function: Callable[..., Result]
    acts: bool = False
    writes: bool = False

    @property
    def description(self) -> str:
        return inspect.getdoc(self.function) or ""

    @property
    def parameters(self) -> dict[str, inspect.Parameter]:
        found = dict(inspect.signature(self.function).parameters)
        found.pop("call")
        return found

    @property
    def required(self) -> tuple[str, ...]:
        return tuple(name for name, item in self.parameters.items() if item.default is inspect.Parameter.empty)

    def hints(self) -> dict[str, Any]:
        return get_type_hints(self.function)


@dataclass(frozen=True)
class Step:
    """One executed call, for the answer's `steps`."""

    tool: str
    arguments: Mapping[str, Any]
    result: Result
    ms: float


def run(tool: Tool, call: Call, arguments: Mapping[str, Any]) -> Step:
    """Check the caller's role and the argument names, run the tool, time it.

    Raises nothing a person could cause: ToolError becomes a Result with status `unavailable`."""
    begun = time.perf_counter()
    verdict = call.policy.may_use(call.caller, tool.name)
    if not verdict.allowed:
        result = Result("not_allowed", message=verdict.reason)
    else:
        unknown = set(arguments) - set(tool.parameters)
        missing = set(tool.required) - set(arguments)
        if unknown or missing:
            raise BadArgument(f"{tool.name}: {sorted(unknown | missing)[0]}")
        try:
            result = tool.function(replace(call, plant=call.plant.seen_by(call.caller)), **arguments)
        except Unanswerable as end:
            result = end.result
        except BadArgument:
            raise
        except ToolError as error:
            result = Result("unavailable", message=str(error))
    return Step(tool.name, dict(arguments), result, (time.perf_counter() - begun) * 1000)


def marked(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """Give every piece of evidence its marker, E1 to En over all steps, in order."""
    number = 0
    out = []
    for step in steps:
        evidence = []
        for item in step.result.evidence:
            number += 1
            evidence.append(item.marked(f"E{number}"))
        out.append(replace(step, result=replace(step.result, evidence=tuple(evidence))))
    return tuple(out)


@cache
def all_tools() -> Mapping[str, Tool]:
    """Every tool by name. A new tool is one typed function and one line here."""
    from tools import alarms, correlations, documents, free_sql, maintenance, manuals, metrics, records, requests, signals, tracing

    functions = (
        metrics.query_metrics, records.list_records, alarms.explain_alarm, maintenance.diagnose, manuals.search_documents,
        manuals.get_procedure, tracing.trace_material, signals.signal_trend, correlations.find_correlations,
        documents.draft_document, requests.raise_request, free_sql.run_sql,
    )  # fmt: skip
    acting = {requests.raise_request}
    writing = {requests.raise_request, documents.draft_document}
    return {function.__name__: Tool(function.__name__, function, function in acting, function in writing) for function in functions}
