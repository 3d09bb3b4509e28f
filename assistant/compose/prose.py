"""Prose of a capable model: it sees the question and the evidence as slots, and only what is checked is let out.

`write` streams the model's sentences, holds each against `assistant.grounding`, fills the good ones and tells them at
once; the rest get one repair together, else they are dropped. The facts of the other composers have been said before
and stand alone; whatever goes wrong here costs prose, never an answer. tests/test_prose.py.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Any

import prompts
from assistant.compose.said import Context
from assistant.grounding import Vocabulary, unsupported
from assistant.problems import ModelUnusable
from tools.evidence import Column, Evidence, fill, markers, show
from tools.registry import Step

log = logging.getLogger(__name__)

MOST_SENTENCES = 6
MOST_ROWS = 12  # rows of a source that the model sees; the table on the screen has them all
MOST_CHARACTERS = 6000  # of all evidence together
LONGEST_QUOTE = 500
#: What the caller gives: messages as (role, text) to pieces of text. Raises ModelUnusable.
Speak = Callable[[Sequence[tuple[str, str]]], Iterable[str]]


@dataclass(frozen=True)
class Prose:
    """What a model added. `problem` is one sentence when it could not be asked; `calls` counts how often it was."""

    sentences: tuple[str, ...] = ()
    dropped: int = 0
    calls: int = 0
    ms: float = 0.0
    problem: str = ""
    reasons: tuple[str, ...] = field(default=(), repr=False)


def write(speak: Speak, context: Context, steps: Sequence[Step], words: Vocabulary, tell: Callable[[str], None],
          until: float) -> Prose:  # fmt: skip
    """Checked sentences about the evidence of these steps, each told as soon as it holds. `until` is a moment of
    `time.monotonic` after which nothing more is asked or told."""
    gate = Gate([item for step in steps for item in step.result.evidence], words, limited(steps), context.zone, tell)
    if not gate.evidence:
        return Prose()
    begun = time.monotonic()
    asked = prompts.load("prose_evidence").fill(question=context.question, evidence=told(gate.evidence, context.zone))
    talk = [("system", prompts.load("prose").text), ("user", asked)]
    return through(gate, speak, talk, lambda: speak(talk), until, begun)


def through(
    gate: Gate, speak: Speak, talk: Sequence[tuple[str, str]], first: Callable[[], Iterable[str]], until: float, begun: float
) -> Prose:
    """Let a text through the gate, and once more what of it did not hold; what fails again is dropped."""
    problem, calls = "", 0
    failed: list[tuple[str, tuple[str, ...]]] = []
    mended = 0
    try:
        calls += 1
        failed = gate.passed(_within(first(), until))
        if failed and gate.room and time.monotonic() < until:
            listed = "\n".join(f"- {sentence}\n  because: {'; '.join(faults)}" for sentence, faults in failed[:MOST_SENTENCES])
            again = [
                ("assistant", " ".join(sentence for sentence, _ in failed)),
                ("user", prompts.load("prose_repair").fill(faults=listed)),
            ]
            before = len(gate.kept)
            calls += 1
            gate.passed(_within(speak([*talk, *again]), until))
            mended = len(gate.kept) - before
    except ModelUnusable as error:
        problem = error.sentence
    dropped = max(0, len(failed) - mended)
    return Prose(tuple(gate.kept), dropped, calls, round(1000 * (time.monotonic() - begun), 1), problem, tuple(dict.fromkeys(gate.reasons)))


class Gate:
    """The one way out for a model's sentences: split, checked, filled, told."""

    def __init__(
        self, evidence: Sequence[Evidence], words: Vocabulary, cut: Collection[str], zone: tzinfo, tell: Callable[[str], None]
    ) -> None:
        self.evidence = tuple(evidence)
        self.words, self.cut, self.zone, self.tell = words, cut, zone, tell
        self.kept: list[str] = []
        self.reasons: list[str] = []

    @property
    def room(self) -> bool:
        return len(self.kept) < MOST_SENTENCES

    def passed(self, pieces: Iterable[str]) -> list[tuple[str, tuple[str, ...]]]:
        """Let the good sentences of a text out as they come; returns the others with what is wrong with them."""
        failed: list[tuple[str, tuple[str, ...]]] = []
        for sentence in sentences(pieces):
            if not self.room:
                break
            faults = unsupported(sentence, self.evidence, self.words, self.cut)
            if faults:
                failed.append((sentence, faults))
                self.reasons += faults
                log.info("a model's sentence does not hold: %s", "; ".join(faults))
                continue
            text = self.filled(sentence)
            if text not in self.kept:
                self.kept.append(text)
                self.tell(text)
        return failed

    def filled(self, sentence: str) -> str:
        text = fill(sentence, self.evidence, self.zone)
        missing = [marker for marker in markers(sentence) if f"[{marker}]" not in text]
        return text + "".join(f" [{marker}]" for marker in missing)


def limited(steps: Sequence[Step]) -> frozenset[str]:
    """Markers of evidence that was cut to a few rows by the question itself."""
    return frozenset(item.marker for step in steps if step.arguments.get("limit") for item in step.result.evidence)


def _within(pieces: Iterable[str], until: float) -> Iterator[str]:
    for piece in pieces:
        if time.monotonic() > until:
            return
        yield piece


_ENDS = re.compile(r"[.!?][”\"]?(?:[ \t]*\[E\d+\])*(?=\n|[ \t]+[^\s\[])")


def sentences(pieces: Iterable[str]) -> Iterator[str]:
    """Whole sentences of a text that comes in pieces; a full stop inside a slot or a quotation ends none."""
    rest = ""
    for piece in pieces:
        rest += piece
        while (cut := _cut(rest)) is not None:
            yield from _tidied(rest[:cut])
            rest = rest[cut:]
    yield from _tidied(rest)


def _cut(text: str) -> int | None:
    """Where the first sentence ends, its markers included, once it is clear that it does."""
    line = text.find("\n")
    for match in _ENDS.finditer(text):
        if 0 <= line < match.end():
            break
        head = text[: match.end()]
        if head.strip(" ().")[:3].isdigit():  # the number of a list
            continue
        if head.count("“") <= head.count("”") and head.count("{") <= head.count("}") and head.count('"') % 2 == 0:
            return match.end()
    return line + 1 if line >= 0 else None


def _tidied(text: str) -> Iterator[str]:
    """A sentence without the bullet or number that a model likes to put before it."""
    sentence = re.sub(r"^(?:[-*•]+|\(?[0-9]+[.)])\s+", "", " ".join(text.split()))
    if sentence:
        yield sentence


# -- what the model sees


def told(evidence: Sequence[Evidence], zone: tzinfo, most: int = MOST_CHARACTERS) -> str:
    """Every source as slots with the values that they will show, cut to `most` characters."""
    lines: list[str] = []
    for item in evidence:
        lines += [f"{item.marker} {item.title}", *_facts(item, zone), *_rows(item, zone), *_quotes(item)]
    out, used = [], 0
    for line in lines:
        used += len(line) + 1
        if used > most:
            out.append("(more is on the screen)")
            break
        out.append(line)
    return "\n".join(out)


def _line(text: str) -> str:
    """A value on one line, without the marks that slots and markers own."""
    return " ".join(re.sub(r"[{}\[\]<>|]", " ", text).split())


def _facts(item: Evidence, zone: tzinfo) -> list[str]:
    facts = [(n, c, v) for n, (c, v) in item.facts.items() if v not in (None, "") and n not in ("start", "end")]
    return [f"  {{{item.marker}.{n}}} = {_line(show(v, c, zone))[:LONGEST_QUOTE]}" for n, c, v in facts]


def _rows(item: Evidence, zone: tzinfo) -> list[str]:
    ordered = sorted(item.columns, key=lambda column: column.name != item.subject)
    out = []
    for number, row in enumerate(item.rows[:MOST_ROWS]):
        cells = [_cell(item, number, column, row.get(column.name), zone) for column in ordered if row.get(column.name) not in (None, "")]
        out.append("  " + " | ".join(cells))
    if len(item.rows) > MOST_ROWS:
        out.append(f"  (of {len(item.rows)} rows, {MOST_ROWS} are shown)")
    return out


def _cell(item: Evidence, row: int, column: Column, value: Any, zone: tzinfo) -> str:
    return f"{{{item.marker}.r{row}.{column.name}}} {column.label} = {_line(show(value, column, zone))[:160]}"


def _quotes(item: Evidence) -> list[str]:
    return [f"  {{{item.marker}.quote{n}}} = {_line(quote.text)[:LONGEST_QUOTE]}" for n, quote in enumerate(item.quotes[:6])]


def joined(text: str, prose: Prose) -> str:
    """The answer's text: the facts first, the model's sentences after them."""
    return text if not prose.sentences else f"{text}\n\n{' '.join(prose.sentences)}"


def note(prose: Prose) -> str:
    """What is said beside an answer whose model could not be used."""
    return f"{prose.problem} The answer is the shipped planner's alone." if prose.problem else ""
