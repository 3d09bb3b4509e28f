"""Marked names and times of one question, as numbered placeholders with what they stand for in this plant.

The router proposes spans; the plant's own names and the period parser add what it missed and mend what it cut.
tests/test_understand.py.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from assistant.entities import HIERARCHY, Names, bare_code, bare_name, is_here
from assistant.lm.labels import PHRASES
from assistant.periods import SaidPeriod, find_periods, read_period, shift_named
from assistant.router import Span
from assistant.spans import (
    CODES,
    OWN_LINE,
    excluded,
    only_a_shift,
    other_number,
    plainly,
    run_together,
    taken_apart,
    trimmed,
    with_codes,
    with_particle,
    with_shifts,
)  # fmt: skip
from assistant.spelling import Speller
from tools.access import Caller
from tools.registry import Period, ToolError

if TYPE_CHECKING:
    from assistant.planning import Plan
    from tools.plant_model import Plant

_SMALL_NUMBER = r"(?:\d{1,2}|one|two|three|four|five|six|seven|eight|nine|ten)"
_NUMBERED = re.compile(rf"(?P<head>.*?[a-z])(?:[-_ ]?0?\d{{1,2}}|[ -]{_SMALL_NUMBER})", re.IGNORECASE)
#: A further number of a list: no clock time, no quantity.
_AND_NUMBER = re.compile(
    rf"\s*(?:,\s*(?:and |or )?|&|\+|/|\band\b|\bor\b)\s*(?P<number>{_SMALL_NUMBER})\b"
    r"(?!\s*(?:[%:.]\d|%|am\b|pm\b|o'?clock|h\b|hours?\b|min|days?\b|weeks?\b|months?\b|shifts?\b|st\b|nd\b|rd\b|th\b|-\d))",
    re.IGNORECASE,
)
MOST_BESIDE = 14  # characters between a noun and the product that it stands before: " units (p.m.p. "
#: Below this mean tag probability a span is doubted; it stays only if it resolves to a known name.
DOUBTFUL = 0.35
NAMES = frozenset(
    (
        *HIERARCHY,
        "product",
        "variant",
        "part",
        "supplier",
        "customer",
        "certification",
        "reason",
        "defect",
        "signal",
        "person",
    )
)


@dataclass(frozen=True)
class Question:
    """One question: `equipment` is the machine in front of the person (an id), `at` the moment (aware, plant zone),
    `previous` the plans of the earlier turns and `previous_texts` their questions, oldest first."""

    text: str
    at: datetime
    caller: Caller
    equipment: str | None = None
    previous: tuple[Plan, ...] = ()
    previous_texts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Placeholder:
    """A marked span. `value` is an id (str), a SaidPeriod, an int (limit) or the words as said; `label` is what the
    span turned out to be (a name marked as equipment that is a line is a line). `turn` is 0 for the question, -1 for
    the one before, and so on; offsets count in that turn's text."""

    name: str
    label: str
    text: str
    value: Any
    known: bool
    alternatives: tuple[str, ...] = ()
    start: int = 0
    end: int = 0
    negated: bool = False
    turn: int = 0
    score: float = 1.0
    ambiguous: bool = False

    @property
    def phrase(self) -> bool:
        return self.label in PHRASES


def names_of(plant: Plant) -> Names:
    """The plant's names for resolution; kept until the plant's own vocabulary changes. With the database down there are
    none, and what is said stays as it was said: documents can still be asked."""

    def words(kind: str) -> Mapping[str, str]:
        try:
            return plant.vocabulary(kind)
        except ToolError:
            return {}

    def shown(kind: str, id: str) -> str:
        try:
            return plant.name(kind, id)
        except ToolError:
            return id

    sizes = tuple(id(found) if (found := words(kind)) else 0 for kind in ("equipment", "line", "product", "person"))
    held = _HELD.get(id(plant))
    if held is None or held[0] != sizes or held[2] is not plant:
        held = (sizes, Names(words, shown, plant.classes), plant)
        _HELD.clear()
        _HELD[id(plant)] = held
    return held[1]


def speller_of(plant: Plant) -> Speller:
    """The speller that knows the plant's words; kept until the plant's own vocabulary changes."""
    names = names_of(plant)
    held = _SPELLERS.get(id(names))
    if held is None or held[0] is not names:
        words = {w for kind in SPELT for name in names.vocabulary(kind) for w in re.findall(r"[a-z]{3,}", name.lower())}
        held = (names, Speller(frozenset(words)))
        _SPELLERS.clear()
        _SPELLERS[id(names)] = held
    return held[1]


#: Kinds of names whose words are never changed, and may be what a slip meant.
SPELT = (
    "site", "area", "line", "equipment", "equipment_class", "product", "variant", "person", "part", "supplier", "customer", "reason",
    "defect", "signal", "certification", "metric", "record",
)  # fmt: skip
_SPELLERS: dict[int, tuple[Names, Speller]] = {}
_HELD: dict[int, tuple[tuple[int, ...], Names, Any]] = {}


@dataclass(frozen=True)
class Marks:
    """Turns spans into placeholders for one question."""

    plant: Plant
    names: Names
    question: Question

    def placeholders(self, text: str, spans: Sequence[Span]) -> tuple[Placeholder, ...]:
        entities = self._tidied(text, [s for s in spans if s.label not in PHRASES])
        phrases = [with_particle(trimmed(s, text), text) for s in spans if s.label in PHRASES and s.score >= DOUBTFUL]
        entities = self._with_listed(text, self._with_names(text, entities))
        entities = self._with_periods(text, entities)
        entities = with_shifts(text, with_codes(text, entities), self.plant.calendar)
        entities = [
            replace(part, negated=part.negated or (excluded(text, part) and part.start == s.start))
            for s in entities
            for part in self._head_taken_out(text, s)
        ]
        entities = self._without_the_noun(entities)
        merged = sorted([*entities, *phrases], key=lambda s: (s.start, -s.end))
        return self._numbered(merged)

    def _without_the_noun(self, spans: list[Span]) -> list[Span]:
        """ "Pump units PMP-40": the noun beside a product that is known names no second product."""
        known = [s for s in spans if s.label == "product" and self._knows(s)]
        return [s for s in spans if s.label != "product" or s in known or not any(0 <= k.start - s.end <= MOST_BESIDE or 0 <= s.start - k.end <= 2 for k in known)]

    def _head_taken_out(self, text: str, span: Span) -> list[Span]:
        """ "Except on the night shift last week", "not counting Sundays in May": what is taken out, and the time that stays."""
        if span.label != "period" or not excluded(text, span):
            return [span]
        for m in re.finditer(r"\s+", span.text):
            tail, head = span.text[m.end() :], span.text[: m.start()]
            shift = only_a_shift(head, self.plant.calendar)
            if (shift or self._time(head) is not None) and not tail.lower().startswith("shift") and self._time(tail) is not None:
                out = Span("shift" if shift else "period", head, span.start, span.start + len(head), span.score, True, span.turn)
                return [out, replace(span, text=tail, start=span.start + m.end(), negated=False)]
        return [span]

    def carried(self, spans: Sequence[Span], context: Sequence[str]) -> tuple[Placeholder, ...]:
        kept = [s for s in spans if s.score >= DOUBTFUL]
        found: list[Span] = []
        for span in kept:
            source = context[span.turn] if context and -len(context) <= span.turn < 0 else span.text
            found.append(trimmed(span, source) if source != span.text else span)
        return self._numbered(found)

    def _numbered(self, spans: Sequence[Span]) -> tuple[Placeholder, ...]:
        counts: dict[str, int] = {}
        out = []
        for span in spans:
            item = self.value(span)
            if item is None:
                continue
            counts[item.label] = counts.get(item.label, 0) + 1
            out.append(replace(item, name=f"{item.label}{counts[item.label]}"))
        return tuple(out)

    def _with_listed(self, text: str, spans: Sequence[Span]) -> list[Span]:
        """Bare numbers that go on a list of numbered machines or lines ("CNC 1, 2 and 3 today"), where the plant has them."""
        out = list(spans)
        for span in spans:
            named = _NUMBERED.fullmatch(span.text.strip()) if span.label in ("equipment", "line") else None
            at = span.end
            while named and (more := _AND_NUMBER.match(text, at)):
                found = self.names.resolve(f"{named['head']} {more['number']}", span.label)
                if not found.known:
                    break
                start, at = more.span("number")
                out = [s for s in out if s.end <= start or at <= s.start or self._beyond(s, at)]
                out = [
                    replace(s, text=text[at : s.end].lstrip(), start=s.end - len(text[at : s.end].lstrip()))
                    if s.start < at < s.end and s.end > start
                    else s
                    for s in out
                ]
                out.append(Span(span.label, f"{named['head']} {more['number']}", start, at, span.score, span.negated, span.turn))
        return sorted(out, key=lambda s: s.start)

    def _beyond(self, span: Span, at: int) -> bool:
        """Whether a time that ran into the list is a time without it."""
        return span.label == "period" and span.end > at and self._time(span.text[at - span.start :].strip()) is not None

    def _tidied(self, text: str, spans: Sequence[Span]) -> list[Span]:
        """Best first, nothing overlapping; doubtful ones only when the plant knows them."""
        kept: list[Span] = []
        spans = [part for span in run_together(text, spans) for part in taken_apart(span)]
        for span in sorted(spans, key=lambda s: -s.score * (1 + 0.02 * len(s.text))):
            span = trimmed(span, text)
            if span.label == "period" and span.text.isupper() and self._time(span.text) is None:
                continue  # "QQQ" is a name that was taken for a time
            if not span.text or any(s.start < span.end and span.start < s.end for s in kept):
                continue
            if span.score < DOUBTFUL and not (span.label in NAMES and self.names.resolve(span.text, span.label).known):
                continue
            kept.append(span)
        return sorted(kept, key=lambda s: s.start)

    def _with_names(self, text: str, spans: list[Span]) -> list[Span]:
        """Known names that the router missed, or that it cut wrongly or ran together."""
        out = list(spans)
        for named in self.names.find(text):
            over = [s for s in out if s.start < named.end and named.start < s.end]
            mine = Span(named.kind, named.text, named.start, named.end, 1.0, negated=any(s.negated for s in over))
            if any(self._knows(s) and (s.end - s.start) >= (named.end - named.start) for s in over):
                continue
            times = [s for s in over if s.label in ("period", "compare", "shift")]
            if times and not (parts := self._beside(text, times, named.start, named.end)):
                continue
            if times:  # "yesterday line 3" is a time and a name
                for s in over:
                    out.remove(s)
                out += [*parts, mine]
                continue
            codes = [s for s in over if s.label in ("limit", "number", "code", "lot", "order", "serial", "id")]
            if codes and (not re.search("[A-Za-z]", named.text) or any(s.start < named.start or s.end > named.end for s in codes)):
                continue  # a code that says more than the name; the name of a known thing beats a bare guess
            if any(s.start <= named.start and named.end <= s.end and other_number(s, named.start, named.end) for s in over):
                continue  # "CNC-02 north" or "press 1 feeder" is another thing than what it contains
            for s in over:
                out.remove(s)
            out.append(mine)
        return sorted(out, key=lambda s: s.start)

    def _beside(self, text: str, times: Sequence[Span], start: int, end: int) -> list[Span]:
        """What is left of times that ran into a name, where each rest is a time by itself; else nothing."""
        parts = []
        for span in times:
            if self._time(span.text) is not None:
                return []
            sides = [(span.start, min(start, span.end)), (max(end, span.start), span.end)]
            rests = [(a, b) for a, b in sides if b > a and self._time(text[a:b].strip(" ,")) is not None]
            if not rests:
                return []
            parts += [trimmed(replace(span, text=text[a:b], start=a, end=b), text) for a, b in rests]
        return parts

    def _knows(self, span: Span) -> bool:
        return span.label in NAMES and self.names.resolve(span.text, span.label).known

    def _with_periods(self, text: str, spans: list[Span]) -> list[Span]:
        """Times that the router missed, and whole expressions where it marked a part."""
        out = list(spans)
        other = [(s.start, s.end) for s in spans if s.label not in ("period", "compare", "limit", "number", "shift")]
        for found in find_periods(text, self.question.at, self.plant.calendar, other, self._discussed()):
            over = [s for s in out if s.start < found.end and found.start < s.end]
            times = [s for s in over if s.label in ("period", "compare")]
            if any(s.label not in ("period", "compare", "limit", "number", "shift") for s in over):
                continue
            if any(s.start <= found.start and found.end <= s.end and self._time(s.text, 0) for s in times):
                continue
            if any(s.label == "shift" for s in over) and not times:
                continue  # "night shift" said as a shift stays one
            label = times[0].label if times else "period"
            for s in over:
                out.remove(s)
            start, end = min([found.start, *(s.start for s in times)]), max([found.end, *(s.end for s in times)])
            if self._time(text[start:end], 0) is None:
                start, end = found.start, found.end
            out.append(trimmed(Span(label, text[start:end], start, end, 1.0 if not times else times[0].score), text))
        return sorted(out, key=lambda s: s.start)

    def _is_kind(self, text: str) -> bool:
        """Whether a span only says what kind of thing is meant ("spares", "the suppliers"), which filters nothing."""
        plain = " ".join(w for w in re.findall(r"[a-z]+", text.lower()) if w not in ("the", "our", "all", "any", "my", "these", "those"))
        return not re.search(r"\d", text) and (plain in KIND_WORDS or plain in _record_words(self.plant))

    def _own_line(self) -> str | None:
        """The line of the machine in front, else the only line that the caller may see."""
        machine = self.plant.equipment.get(self.question.equipment or "")
        if machine and machine.line:
            return machine.line
        own = self.question.caller.scope.lines
        return next(iter(own)) if own and len(own) == 1 else None

    def _time(self, text: str, turn: int = -1) -> SaidPeriod | None:
        """A time as said; in the question itself (turn 0) "the day before" is the one before the day under discussion."""
        return read_period(text, self.question.at, self.plant.calendar, self._discussed() if turn == 0 else None)

    def _discussed(self) -> Period | None:
        """The period of the last plan that had one."""
        calls = [call for plan in self.question.previous for call in getattr(plan, "calls", ())]
        periods = [call.arguments["period"] for call in calls if isinstance(call.arguments.get("period"), Period)]
        return periods[-1] if periods else None

    def value(self, span: Span) -> Placeholder | None:
        """One span with what it stands for; None for a word that means "here" when nobody stands anywhere."""
        label, text = span.label, span.text

        def made(label: str, value: Any, known: bool, alternatives: tuple[str, ...] = (), ambiguous: bool = False) -> Placeholder:
            return Placeholder(
                "",
                label,
                text,
                value,
                known,
                alternatives,
                span.start,
                span.end,
                span.negated,
                span.turn,
                span.score,
                ambiguous,
            )

        if label in HIERARCHY and is_here(text):
            here = self.question.equipment
            return made("equipment", here, True) if here else None
        if label in HIERARCHY and _EVERYWHERE.fullmatch(text.strip()):
            return None
        if label in HIERARCHY and OWN_LINE.fullmatch(text):
            line = self._own_line()
            return made("line", line, True) if line else None
        if label in NAMES and set(re.findall(r"[a-z]+", text.lower())) <= _NO_NAME and not re.search(r"\d", text):
            return None
        if label in NAMES and label not in HIERARCHY and self._is_kind(text):
            return None
        if label in NAMES:
            found = self.names.resolve(text, label)
            if label in ("reason", "defect") and not found.known and not span.negated and set(re.findall(r"[a-z]+", text.lower())) <= ANY_STOP:
                return None
            front = self.question.equipment
            if found.ambiguous and front and self.plant.name("equipment", front) in found.alternatives:
                return made("equipment", front, True)  # "the robot", said at one of them
            value = (
                found.value
                if found.known
                else bare_code(text, label)
                if label in ("product", "variant", "part", "supplier", "customer")
                else found.value
            )
            return made(found.kind, value, found.known, found.alternatives, found.ambiguous)
        if label in CODES:
            return made(label, bare_code(text, label), True)
        if label == "period" and (shift := only_a_shift(text, self.plant.calendar)):
            return made("shift", shift, True)
        if label == "shift":
            name = shift_named(text, self.plant.calendar)
            return made("shift", name or bare_name(text), name is not None)
        if label in ("period", "compare"):
            said = self._time(text, span.turn)
            return made(label, plainly(said, lambda words: self._time(words, span.turn)) if said else None, said is not None)
        return made(label, text.strip() if label in PHRASES else bare_code(text, label), True)


#: Nouns for a whole kind of things, in singular and plural.
KIND_WORDS = frozenset(
    word + end
    for word in ("spare", "spare part", "part", "component", "consumable", "product", "piece", "unit", "article", "item", "supplier",
        "vendor", "customer", "client", "reason", "cause", "defect", "fault", "failure", "certificate", "certification", "licence",
        "license", "qualification", "training", "skill", "material", "operator", "person", "colleague", "worker", "employee", "sku",
        "variant", "model", "stop", "order", "lot", "report")
    for end in ("", "s")
) | {"people", "batch", "batches", "stock", "guys", "staff", "crew", "goods", "everyone", "everybody", "anyone"}  # fmt: skip


#: No place: the whole plant is what is meant without any.
_EVERYWHERE = re.compile(
    r"(?:the |our )?(?:plant|site|factory|company|works)[- ]?wide|everywhere|overall|(?:the |our )?(?:whole|entire|complete) (?:plant|factory|site|works|place|shop)",
    re.IGNORECASE,
)
#: Words for a loss and its size that name no reason of their own ("our big stoppage", "lost to standstill").
ANY_STOP = frozenset(
    """
        the a an our my that this any all big bigger biggest long longer longest main major large largest short small minor
        top worst serious last latest first total overall unplanned planned stop stops stoppage stoppages standstill
        standstills outage outages downtime downtimes breakdown breakdowns interruption interruptions loss losses fault
        faults failure failures reject rejects scrap defect defects bad
    """.split()
)


def _record_words(plant: Plant) -> frozenset[str]:
    try:
        return frozenset(plant.vocabulary("record"))
    except ToolError:
        return frozenset()


_NO_NAME = frozenset(
    """
        too also it that this same one ones other others them those these all both any each every which what who and or
        the a an there here only just so then
    """.split()
)
