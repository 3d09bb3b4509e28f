"""The language model's vote on a plan: asked with the masked question, counted where it measurably helps.

`consult` returns what the model would plan, or None when there is no model, it is untrained, or it failed (the router
then plans alone, and nothing is lost). `counted` lays its choices over the router's reading where the router doubts and
the model is certain; names, periods and nesting stay the work of the same code. tests/test_planning.py scripts it;
evals/planner_dev.py measures it.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol

from assistant.lm import dsl
from assistant.lm.labels import HEADS, INDEPENDENT
from assistant.problems import ModelUnusable
from assistant.router import Reading
from assistant.understand import Clause, Understanding

if TYPE_CHECKING:
    from tools.plant_model import Plant

log = logging.getLogger(__name__)

DOUBT = 0.8  # below this probability of the router's best tool or status its plan is open to the vote
CERTAIN = 0.6  # from this probability of its whole line the model's vote decides
_SAID = 0.97  # probability given to a choice that the model wrote


class PlanWriter(Protocol):
    """The model's part in planning: a plan line under a grammar, with the probability of the whole line."""

    def write(self, masked_question: str, candidates: Sequence[str], placeholders: Sequence[str] = (), grammar: str = "") -> Any: ...


@dataclass(frozen=True)
class Vote:
    """What the model wrote: the calls of its line (or a lone status), and how sure it was of the line."""

    calls: tuple[Mapping[str, Any], ...]
    status: str
    probability: float
    ms: float
    values: Mapping[str, Any]  # placeholder of the line -> the marked span

    @property
    def tools(self) -> tuple[str, ...]:
        return tuple(call["tool"] for call in self.calls)


def consult(understanding: Understanding, context: Sequence[str], plant: Plant, llm: PlanWriter | None) -> Vote | None:
    """The model's plan for a question; None without a usable, trained model."""
    if llm is None or not getattr(llm, "trained", True):
        return None
    masked = dsl.mask(understanding.text, understanding.placeholders, context[-3:], understanding.carried)
    grammar = _grammar(tuple(plant.model.metrics), tuple(plant.model.records), masked.placeholders)
    try:
        written = llm.write(masked.text, dsl.hints(understanding.reading), masked.placeholders, grammar)
        calls = dsl.parse_plan(written.text)
    except (ModelUnusable, dsl.PlanSyntax) as error:
        log.info("the planner model gave no vote: %s", error)
        return None
    if len(calls) == 1 and "status" in calls[0]:
        return Vote((), str(calls[0]["status"]), written.probability, written.ms, {})
    return Vote(tuple(calls), "answer", written.probability, written.ms, masked.values)


@lru_cache(maxsize=256)
def _grammar(metrics: tuple[str, ...], records: tuple[str, ...], placeholders: tuple[str, ...]) -> str:
    return dsl.plan_grammar(dsl.ORDER, {"metrics": metrics, "records": records}, placeholders)


def counted(understanding: Understanding, vote: Vote | None) -> tuple[Understanding, str]:
    """The understanding with the vote laid over it where it counts, and who planned: `router`, `llm` or both."""
    if vote is None:
        return understanding, "router"
    reading = understanding.reading
    sure = reading.tools[0][1] if reading.best("status") == "answer" else reading.heads["status"][0][1]
    tools = {clause.reading.tools[0][0] for clause in understanding.clauses} if reading.best("status") == "answer" else set()
    if (vote.status, set(vote.tools)) == (reading.best("status"), tools):
        return understanding, "router+llm"
    if sure >= DOUBT or vote.probability < CERTAIN or len(understanding.clauses) > 1:
        return understanding, "router"  # each of several requests was read by itself; one line for all knows less
    if not vote.calls:
        told = replace(reading, heads={**reading.heads, "status": _ranked("status", [vote.status], vote.probability)})
        return replace(understanding, reading=told, clauses=tuple(replace(c, reading=told) for c in understanding.clauses)), "llm"
    clauses = tuple(_as_written(understanding, call, vote) for call in vote.calls)
    return replace(understanding, reading=clauses[0].reading, clauses=clauses), "llm"


#: Which head of the reading a closed argument of a plan line stands for.
_HEAD_OF: Mapping[str, str] = {
    "metrics": "metric", "records": "record", "by": "by", "sort": "sort", "kinds": "search_kind", "direction": "direction", "skill": "skill", "compare_to": "compare_to",
    "kind": "kind", "status": "record_status",
}  # fmt: skip


def _as_written(understanding: Understanding, call: Mapping[str, Any], vote: Vote) -> Clause:
    """One written call as a clause: its closed words as heads, its placeholders as the only ones that count."""
    reading, arguments, p = understanding.reading, dict(call["arguments"]), vote.probability
    flat = {**{k: v for k, v in arguments.items() if k != "where"}, **dict(arguments.get("where") or {})}
    heads = {
        **reading.heads,
        "tool": _ranked("tool", [call["tool"]], p),
        "calls": _ranked("calls", ["1"], _SAID),
        "status": _ranked("status", ["answer"], p),
    }
    used = set()
    for name, value in flat.items():
        given = value.get("not") if isinstance(value, Mapping) else value
        words = [str(word) for word in (given if isinstance(given, list) else [given])]
        used |= {word for word in words if word.startswith("<")}
        closed = [word for word in words if not word.startswith("<")]
        head = "request_kind" if (name, call["tool"]) == ("kind", "raise_request") else _HEAD_OF.get(name)
        if head and closed:
            heads[head] = _ranked(head, closed, _SAID)
    for name, head in (("sort", "sort"), ("compare_to", "compare_to"), ("by", "by"), ("limit", "limit")):
        if name not in flat and call["tool"] in ("query_metrics", "list_records"):
            heads[head] = _ranked(head, [] if head in INDEPENDENT else ["none"], _SAID)
    if "limit" in flat:
        heads["limit"] = _ranked("limit", ["one" if str(flat["limit"]) == "1" else "span"], _SAID)
    told = Reading(heads["tool"], heads, reading.spans, reading.context_spans)
    spans = [vote.values[name] for name in sorted(used) if name in vote.values]
    mine = tuple(item for item in understanding.placeholders if item in spans)
    carried = tuple(item for item in understanding.carried if item in spans)
    return Clause(understanding.text, told, mine or understanding.placeholders, carried)


def _ranked(head: str, chosen: Sequence[str], p: float) -> tuple[tuple[str, float], ...]:
    labels = HEADS[head]
    known = [label for label in chosen if label in labels]
    rest = [label for label in labels if label not in known]
    low = 0.01 if head in INDEPENDENT else (1 - p) / max(1, len(rest))
    share = p if head in INDEPENDENT else p / max(1, len(known))
    ranked = [(label, share) for label in known] + [(label, low) for label in rest]
    return tuple(sorted(ranked, key=lambda item: -item[1])) if known else tuple((label, low) for label in labels)
