"""Router, planner model, or both: what each gets right on the held-out rows, through the code that serves.

Spans and hints are the router's own, never the labels'. A plan counts as exact when tools, closed words and names are
those of the row; free wording (a task, a symptom, a search) counts when most of it is the same words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rapidfuzz import fuzz

from assistant.lm import dsl
from assistant.lm.labels import PHRASES
from assistant.lm.phrasings import Example
from assistant.lm.train_planner import PlannerSettings, gold_line, spans_of
from assistant.router import CONTEXT_JOINT, Reader, Reading

if TYPE_CHECKING:
    from assistant.llm import PlanWriter

Call = tuple[str, Mapping[str, tuple[str, ...]]]
# The model overrules the router where the router's own doubt and the model's certainty are at least these.
DOUBT, CERTAIN = 0.8, 0.6


def calls_of(line: str, masked: dsl.Masked) -> list[Call]:
    """A plan line with its placeholders replaced by what was said, in lower case; order of values does not matter."""
    if " " not in line and "=" not in line and line not in dsl.ORDER:
        return [(line, {})]
    calls: list[Call] = []
    for part in line.split(" ; "):
        tool, *words = part.split()
        arguments: dict[str, list[str]] = {}
        for word in words:
            name, _, value = word.partition("=")
            mark = "!" if value.startswith("!") else ""
            span = masked.values.get(value.removeprefix("!"))
            arguments.setdefault(name, []).append(mark + _said(span.text) if span else value)
        calls.append((tool, {k: tuple(sorted(v)) for k, v in arguments.items()}))
    return calls


def _said(text: str) -> str:
    words = text.lower().strip(" .,?!\"'").removeprefix("the ").removeprefix("in ").removeprefix("on ")
    return words.strip()


def same(gold: Sequence[Call], found: Sequence[Call]) -> bool:
    """Whether two plans would look up the same."""
    if [tool for tool, _ in gold] != [tool for tool, _ in found]:
        return False
    for (_, wanted), (_, given) in zip(gold, found, strict=True):
        if set(wanted) != set(given):
            return False
        for name, values in wanted.items():
            if name in PHRASES:
                if fuzz.token_set_ratio(" ".join(values), " ".join(given[name])) < 75:
                    return False
            elif values != given[name]:
                return False
    return True


def gold_calls(e: Example) -> list[Call]:
    """The row's own plan, over its own marks."""
    here, before, calls = spans_of(e)
    turns = e.context.split(CONTEXT_JOINT) if e.context else []
    masked = dsl.mask(e.question, here, turns, before)
    owner = {id(s): c for s, c in zip([*here, *before], calls, strict=True)}
    return calls_of(gold_line(e, masked, owner), masked)


def both(reading: Reading, router_line: str, model_line: str, probability: float) -> str:
    """The model's plan where the router doubts its tool and the model is certain, else the router's."""
    sure = reading.tools[0][1] if reading.best("status") == "answer" else reading.heads["status"][0][1]
    return model_line if sure < DOUBT and probability >= CERTAIN else router_line


def ablation(kept: Sequence[Example], router: Reader, writer: PlanWriter) -> dict[str, Any]:
    """Percent exact and percent right tools of router, model and both; milliseconds and tokens of a plan."""
    from assistant.llm import LlmUnavailable

    right = {who: {"exact": 0, "tools": 0} for who in ("router", "model", "both")}
    times, tokens, failed = [], [], 0
    for e in kept:
        turns = e.context.split(CONTEXT_JOINT) if e.context else []
        reading = router.read(e.question, turns)
        masked = dsl.mask(e.question, reading.spans, turns, reading.context_spans)
        grammar = dsl.plan_grammar(dsl.ORDER, None, masked.placeholders)
        lines = {"router": dsl.router_line(reading, masked)}
        probability = 0.0
        try:
            written = writer.write(masked.text, dsl.hints(reading), masked.placeholders, grammar, 30.0)
            lines["model"], probability = written.text, written.probability
            times.append(written.ms)
            tokens.append(written.tokens)
        except LlmUnavailable:
            failed += 1
            lines["model"] = lines["router"]
        lines["both"] = both(reading, lines["router"], lines["model"], probability)
        gold = gold_calls(e)
        for who, line in lines.items():
            found = calls_of(line, masked)
            right[who]["exact"] += same(gold, found)
            right[who]["tools"] += [t for t, _ in gold] == [t for t, _ in found]
    share = {who: {k: round(100 * v / len(kept), 1) for k, v in counts.items()} for who, counts in right.items()}
    times.sort()
    return {**share, "rows": len(kept), "failed": failed, "ms_median": round(times[len(times) // 2], 1),
            "ms_p95": round(times[int(len(times) * 0.95)], 1), "tokens_mean": round(sum(tokens) / len(tokens), 1)}  # fmt: skip


def card(table: Mapping[str, Any], settings: PlannerSettings, size: int, taught: int, kept: int, sha256: str) -> str:
    """The model card of the planner."""
    rows = "\n".join(f"| {who} | {table[who]['tools']} | {table[who]['exact']} |" for who in ("router", "model", "both"))
    raises = table["both"]["exact"] > table["router"]["exact"]
    vote = "It raises the held-out score, and may vote." if raises else (
        "It does not raise the held-out score, so it decides only where the router is in doubt and it is sure (`assistant/voting.py`); where both agree, confidence rises."
    )
    told = ", ".join(f"{k} {v}" for k, v in asdict(settings).items())
    return f"""# Andon planner

trained: true

A Llama of {size / 1e6:.1f} million parameters, trained from nothing to write one plan line from a question whose names are
placeholders and the router's best guesses. It runs under a grammar and cannot name a tool, metric, record or machine
that the grammar does not offer. It writes no prose and answers no question.

- SHA-256: `{sha256}`
- Data: {taught} questions of `assistant/lm/corpus`, written one by one, names masked; {kept} more held out by a hash.
- Settings: {told}; `minutes` of processor time.
- Intended use: a second opinion beside the router in `assistant/planning.py`. {vote} Not for text, advice or decisions.
- Limits: English above all; three calls at most; what the router did not mark as a name, it cannot use.

Held-out questions, percent right, with the router's own spans and hints, names exactly as the row has them (before the
plant's names and the period parser mend a span):

| planner | tools | whole plan |
|---|---|---|
{rows}

A plan takes {table['ms_median']} ms at the median and {table['ms_p95']} ms at the 95th percentile on one thread, {table['tokens_mean']} tokens on
average.
"""
