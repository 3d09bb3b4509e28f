"""What a model may say: every word of its own is held against the evidence before anybody reads it.

`unsupported` judges one sentence template of a language model. Outside slots and whole quoted sentences it allows plain
English words alone: no digit of any script, number word, unit, code, name, date, decision, instruction, negation or
quantity; one source a sentence; a value only beside the subject of its own row and the measure of its own column; a
comparison only where the values bear it out. It is narrow by intent: what it drops, the deterministic facts have said
already. tests/test_grounding.py lies to it with hypothesis.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from assistant.plain_words import BEST as BEST_WORDS
from assistant.plain_words import (
    BETTER,
    CAUSAL,
    CAUSE_COLUMNS,
    DOWN,
    EQUAL,
    FORBIDDEN,
    HIGHEST,
    LOWEST,
    NOUNS,
    NUMERALS,
    OPENERS,
    ORDERS,
    PLAIN,
    UP,
    WORSE,
    WORST,
)
from assistant.safeguards import acts_or_falsifies, defeats_safeguard
from assistant.templates import MARKER, NUMERIC, OWN_WORDS, Slot, bared, unquoted
from tools.evidence import Evidence, faults

if TYPE_CHECKING:
    from tools.plant_model import Plant

LONGEST_SENTENCE = 60  # words
COPIED_WORDS = 6  # a run of so many words of a source, without quotation marks, is a copy

_WORD = re.compile(r"[A-Za-z]+(?:['’][A-Za-z]+)?")
_ALLOWED = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ ,.;:()'’-–—\x00\x01")
_NUMBER_RUN = re.compile(f"(?:{'|'.join(sorted((w for w in NUMERALS if len(w) > 2), key=len, reverse=True))}|and)+")
_DATE_WORDS = re.compile(
    r"\b(?:last|previous|next|this|past|coming) (?:week|month|year|quarter|shift|night|day|hour|morning|evening)\b|\b(?:in|since|of|until|by) (?:may|march|mar)\b"
)
_OBJECT = "(?:the|a|an|this|that|these|those|it|its|them)(?![a-z])"
# An order stands where a clause begins, be it after a joint or a word that only leads in.
_CLAUSE = (
    r"(?:^|[,;:(] ?|\b(?:and|or|then|so|to|now|next|just|simply|overall|here|there|together|meanwhile|additionally|furthermore|"
    r"moreover|however|still|also) )"
)
_ORDER = re.compile(rf"{_CLAUSE}(?:(?:{'|'.join(ORDERS)}) (?:(?:up|down|off|out|on|in) )?(?:{_OBJECT}|\x00)|(?:scrap|rework) {_OBJECT})")
_DUE_TO = re.compile(r"\bdue to\b")
#: Slots that say where something stands, not what it says.
_REFERENCES = frozenset(("title", "document", "revision", "section", "page", "author", "date"))
_CONTEXT = ("filter", "period")


@dataclass(frozen=True)
class Vocabulary:
    """The plant's words: `names` that only a slot may say, `measures` as phrases with the columns they mean, and
    which way is good for a metric (True: more is better)."""

    names: frozenset[str] = frozenset()
    measures: Mapping[str, frozenset[str]] = field(default_factory=dict)
    better: Mapping[str, bool] = field(default_factory=dict)


def vocabulary(plant: Plant) -> Vocabulary:
    """The words of a plant, lower case."""
    kinds = ("site", "area", "line", "equipment", "equipment_class", "product", "variant", "shift")
    names = frozenset(name.lower() for kind in kinds for name in plant.vocabulary(kind))
    measures: dict[str, set[str]] = {}
    for name, spec in plant.model.metrics.items():
        for phrase in (name.replace("_", " "), spec.label, *spec.aliases):
            measures.setdefault(phrase.lower(), set()).add(name)
    better = {n: s.direction == "up" for n, s in plant.model.metrics.items() if s.direction in ("up", "down")}
    return Vocabulary(names, {phrase: frozenset(columns) for phrase, columns in measures.items()}, better)


def unsupported(
    template: str, evidence: Sequence[Evidence], words: Vocabulary = Vocabulary(), limited: Collection[str] = ()
) -> tuple[str, ...]:  # fmt: skip
    """Why a model's sentence may not be said; empty when it may. `limited` are markers of evidence that was cut to a
    few rows, of which nobody can tell the extremes."""
    known = {item.marker: item for item in evidence}
    template, quoted, found = unquoted(template, known)
    found += faults(template, evidence)
    if any(fault.startswith("no such fact") for fault in found):
        return tuple(found)
    found += [f"no such source {m}" for m in MARKER.findall(template) if m[1:-1] not in known]
    bare, slots, wrong = bared(template, known)
    found += wrong
    found += _plain(bare, words)
    found += _strange(bare, {slot.item.marker: slot.item for slot in slots}, words)
    lowered = " ".join(re.sub(r"[^a-z'’-]+", " ", bare.lower()).split())
    found += _names_said(lowered, evidence, words)
    found += _copied(lowered, evidence)
    if defeats_safeguard(lowered) or acts_or_falsifies(lowered):
        found.append("an instruction against a safeguard or a record")
    used = {slot.item.marker for slot in slots} | quoted
    if len(used) > 1:
        found.append("facts of two sources in one sentence")
    found += [f"cites {m} and says nothing of it" for m in MARKER.findall(template) if m[1:-1] in known and m[1:-1] not in used]
    if not quoted and all(slot.name in _REFERENCES for slot in slots):
        found.append("a claim about a source without its words")
    if not slots:
        return tuple(dict.fromkeys(found))
    found += _bound(slots)
    found += _placed(slots, evidence)
    found += _measured(bare, slots, words)
    found += _compared(lowered, slots, words, limited)
    said = set(_WORD.findall(lowered))
    if (said & CAUSAL or _DUE_TO.search(lowered)) and not any(
        slot.name in CAUSE_COLUMNS or slot.name.startswith("quote") for slot in slots
    ):
        found.append("a cause that no source states")
    return tuple(dict.fromkeys(found))


# -- words


_COMPARING = UP | DOWN | BETTER | WORSE | EQUAL | HIGHEST | LOWEST | BEST_WORDS | WORST | CAUSAL


def _strange(bare: str, used: Mapping[str, Evidence], words: Vocabulary) -> list[str]:
    """Words that are neither plain nor of the source's own headings nor of the plant's measures: a name in small letters, a
    machine that nobody looked up, a claim of the model's own."""
    own = list(words.measures)
    for item in used.values():
        own += [item.title, *(f"{c.label} {c.name}" for c in item.columns), *(f"{n} {c.label}" for n, (c, _) in item.facts.items())]
    known = PLAIN | OPENERS | NOUNS | _COMPARING | frozenset(re.findall(r"[a-z]+", " ".join(own).lower()))
    said = {part for match in _WORD.finditer(bare) for part in re.findall(r"[a-z]+", match.group().lower())}
    return [f"a word of no source: {word}" for word in sorted(said) if not _forms(word) & known]


def _forms(word: str) -> set[str]:
    """A word and what it may be an inflection of."""
    forms = {word}
    for ending, instead in (("s", ""), ("es", ""), ("ies", "y"), ("ed", ""), ("ed", "e"), ("d", ""), ("ing", ""), ("ing", "e"), ("ly", "")):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            forms.add(word[: len(word) - len(ending)] + instead)
    return forms


_AFTER_MEASURE = frozenset(
    ("of", "at", "for", "on", "in", "by", "was", "is", "were", "are", "and", "during", "with", "per", "rose", "fell", "stood")
)


def _plain(bare: str, words: Vocabulary) -> list[str]:
    """Faults of the words outside slots and quotations."""
    measures = {phrase.split()[0] for phrase in words.measures if phrase}
    found = []
    for char in bare:
        if unicodedata.category(char) in ("Nd", "Nl", "No"):
            found.append("digit outside a slot")
        elif char not in _ALLOWED:
            found.append(f"a character that is no plain text: {unicodedata.name(char, 'unnamed').lower()}")
    tokens = list(_WORD.finditer(bare))
    if len(tokens) > LONGEST_SENTENCE:
        found.append("too long a sentence")
    for place, match in enumerate(tokens):
        word = match.group()
        lower = word.lower().replace("’", "'")
        opens = place == 0 and not bare[: match.start()].strip(" (")
        if lower in words.measures and word.isupper():
            continue
        if not word[1:].islower() and len(word) > 1:
            found.append(f"code or name outside a slot: {word}")
        elif word[0].isupper() and not (
            opens and (lower in OPENERS or (lower in measures | NOUNS and _goes_on(bare, match.end(), lower in NOUNS)))
        ):
            found.append(f"name outside a slot: {word}")
        elif len(lower) == 1 and lower != "a":
            found.append(f"a letter by itself: {word}")
        if lower in NUMERALS or (len(lower) > 5 and _NUMBER_RUN.fullmatch(lower) and lower != "and"):
            found.append(f"number word outside a slot: {word}")
        for reason, forbidden in FORBIDDEN.items():
            if lower in forbidden or lower.endswith("n't"):
                found.append(f"{reason}: {word}")
                break
    if _ORDER.search(" ".join(bare.lower().split())):
        found.append("an instruction")
    if _DATE_WORDS.search(bare.lower()):
        found.append("a time outside a slot")
    return found


def _goes_on(bare: str, at: int, noun: bool) -> bool:
    """Whether a noun that opens a sentence is its subject ("Scrap of ...", "Alarm {E1.code}"), not an order ("Scrap the lot")."""
    if noun and bare[at:].lstrip().startswith("\x00"):
        return True
    following = _WORD.search(bare, at)
    return following is not None and following.group().lower() in _AFTER_MEASURE


def _names_said(lowered: str, evidence: Sequence[Evidence], words: Vocabulary) -> list[str]:
    """Names of the plant and values of the sources that are said in words instead of a slot."""
    padded = f" {lowered} "
    values = {
        str(row[column.name]).lower()
        for item in evidence
        for column in item.columns
        if column.kind == "id" or column.name == item.subject
        for row in item.rows
        if isinstance(row.get(column.name), str)
    }
    said = [name for name in (*words.names, *(v for v in values if len(v) > 2)) if f" {name} " in padded]
    return [f"name outside a slot: {name}" for name in said]


def _copied(lowered: str, evidence: Sequence[Evidence]) -> list[str]:
    mine = lowered.split()
    runs = {" ".join(mine[i : i + COPIED_WORDS]) for i in range(len(mine) - COPIED_WORDS + 1)}
    if not runs:
        return []
    texts = [quote.text for item in evidence for quote in item.quotes]
    texts += [v for item in evidence for row in item.rows for v in row.values() if isinstance(v, str) and len(v) > OWN_WORDS]
    for text in texts:
        source = f" {' '.join(_WORD.findall(text.lower()))} "
        if any(f" {' '.join(_WORD.findall(run))} " in source for run in runs):
            return ["a source's words without quotation marks"]
    return []


# -- values


def _bound(slots: Sequence[Slot]) -> list[str]:
    """One source a sentence; each value after the subject of its own row, and no subject without its own value."""
    rows = [slot for slot in slots if slot.row is not None]
    item = slots[0].item
    if not item.subject or len(item.rows) < 2 or not rows:
        return []
    found = []
    subject: int | None = None
    waiting = False
    for slot in rows:
        if slot.is_subject:
            if waiting and slot.row != subject:
                found.append("a subject without a value of its own before the next one")
            subject, waiting = slot.row, True
        elif subject is None:
            found.append("a value before the subject of its row")
        elif slot.row != subject:
            found.append(f"values of another subject in {item.marker}")
        else:
            waiting = False
    return found


def _placed(slots: Sequence[Slot], evidence: Sequence[Evidence]) -> list[str]:
    """Where several sources say the same of different places or periods, a sentence names its own."""
    item = slots[0].item
    names = {slot.name for slot in slots}
    measured = {
        (slot.name, slot.column.label) for slot in slots
        if slot.column is not None and (slot.is_measured or (slot.row is None and slot.name not in _CONTEXT))
    }  # fmt: skip
    if not measured:
        return []
    found = []
    for other in evidence:
        says = {(c.name, c.label) for c in other.columns} | {(name, c.label) for name, (c, _) in other.facts.items()}
        if other.marker == item.marker or not measured & says:
            continue
        for context in _CONTEXT:
            mine, theirs = item.facts.get(context), other.facts.get(context)
            if mine and mine[1] not in (None, "") and mine[1] != (theirs[1] if theirs else None) and context not in names:
                found.append(f"{item.marker} without its {context}, which another source does not share")
    return found


def _mentions(bare: str, slots: Sequence[Slot], words: Vocabulary) -> Iterator[tuple[int, frozenset[str]]]:
    """Where a measure is said, in words or by its label slot, and the columns that it may mean."""
    item = slots[0].item
    phrases: dict[str, set[str]] = {phrase: set(columns) for phrase, columns in words.measures.items()}
    for column in item.columns:
        if column.kind in NUMERIC:
            for phrase in (column.label.lower(), column.name.replace("_", " ")):
                phrases.setdefault(phrase, set()).add(re.sub(r"_(?:before|change)$", "", column.name))
    lowered, taken = bare.lower(), [False] * len(bare)
    for phrase in sorted(phrases, key=len, reverse=True):
        for match in re.finditer(rf"(?<![a-z]){re.escape(phrase)}(?:s|es)?(?![a-z])", lowered):
            if not any(taken[match.start() : match.end()]):
                taken[match.start() : match.end()] = [True] * (match.end() - match.start())
                yield match.start(), frozenset(phrases[phrase])
    for slot in slots:
        if slot.name.startswith("label_"):
            yield slot.at, frozenset((slot.name.removeprefix("label_"),))


def _measured(bare: str, slots: Sequence[Slot], words: Vocabulary) -> list[str]:
    """Every number stands beside the name of its own measure, and no measure is named whose number does not follow."""
    values = [slot for slot in slots if slot.is_measured]
    mentions = sorted(_mentions(bare, slots, words))
    found = []
    measures = {slot.measure for slot in values}
    item = slots[0].item
    columns = [c for c in item.columns if c.kind in NUMERIC and not c.name.endswith(("_before", "_change"))]
    for at, meant in mentions:
        after = next((slot for slot in values if slot.at > at), None)
        nearest = after or (values[-1] if values else None)
        if nearest is not None and nearest.measure not in meant and not (len(measures) == 1 and measures & meant):
            found.append("a measure that is not the one of its number")
        elif nearest is None and not any(slot.row is None and slot.value is not None and slot.name not in _CONTEXT for slot in slots):
            found.append("a measure without its number")
    if len(columns) > 1:
        said = {name for _, meant in mentions for name in meant}
        found += [f"a number without its measure: {name}" for name in sorted(measures - said)]
    return found


def _compared(lowered: str, slots: Sequence[Slot], words: Vocabulary, limited: Collection[str]) -> list[str]:
    said = set(_WORD.findall(lowered))
    values = [slot for slot in slots if slot.is_measured and isinstance(slot.value, int | float)]
    found = []
    up, down, good, bad, same = said & UP, said & DOWN, said & BETTER, said & WORSE, said & EQUAL
    if up or down or good or bad or same:
        sign = _difference(values)
        if sign is None:
            found.append("a comparison without two values of one measure")
        else:
            better = words.better.get(values[0].measure)
            toward = None if better is None else sign > 0 if better else sign < 0
            wrong = (
                (up and sign <= 0) or (down and sign >= 0) or (same and sign != 0)
                or (good and (toward is not True or sign == 0)) or (bad and (toward is not False or sign == 0))
            )  # fmt: skip
            if wrong:
                found.append("a comparison that the values do not bear out")
    if said & (HIGHEST | LOWEST | BEST_WORDS | WORST):
        found += _extreme(said, values, words, limited)
    return found


def _difference(values: Sequence[Slot]) -> float | None:
    """How the first value said (or the present one) stands to the second (or the former one); None when that is unclear."""
    if not values or len({slot.measure for slot in values}) != 1:
        return None
    row = values[0].item.rows[values[0].row or 0]
    measure = values[0].measure
    if len({slot.row for slot in values}) == 1:
        now, before, change = (row.get(measure), row.get(f"{measure}_before"), row.get(f"{measure}_change"))
        if isinstance(now, int | float) and isinstance(before, int | float) and len({slot.name for slot in values}) > 1:
            return float(now) - float(before)
        if isinstance(change, int | float) and any(slot.name.endswith("_change") for slot in values):
            return float(change)
        return None
    if len({slot.row for slot in values}) == 2 and len(values) == 2 and values[0].name == values[1].name:
        return float(str(values[0].value)) - float(str(values[1].value))
    return None


def _extreme(said: set[str], values: Sequence[Slot], words: Vocabulary, limited: Collection[str]) -> list[str]:
    """Faults of "highest", "least", "best" ...: one subject, one measure, all rows at hand, and truly the extreme."""
    if len({(slot.row, slot.name) for slot in values}) != 1:
        return ["a superlative without the one value it is about"]
    slot, item = values[0], values[0].item
    whole = item.query is None or (not item.query.truncated and item.query.row_count <= len(item.rows))
    if not whole or item.marker in limited or len(item.rows) < 2:
        return ["a superlative over rows that are not all here"]
    numbers = [float(v) for row in item.rows if isinstance(v := row.get(slot.name), int | float)]
    value, better = float(str(slot.value)), words.better.get(slot.measure)
    highest, lowest = value >= max(numbers), value <= min(numbers)
    wanted = [(HIGHEST, highest), (LOWEST, lowest)]
    wanted += [(BEST_WORDS, better is not None and (highest if better else lowest))]
    wanted += [(WORST, better is not None and (lowest if better else highest))]
    if any(said & group and not holds for group, holds in wanted):
        return ["a superlative that the values do not bear out"]
    return []
