"""A sentence template taken apart: its slots with their places and values, its quotations, and the bare words between.

`unquoted` holds what stands in quotation marks against the cited source, whole sentences alone; `bared` replaces every slot
by a mark. What the words and values then may say is decided in `assistant.grounding`. tests/test_grounding.py.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from tools.evidence import Column, Evidence, Value

SLOT = re.compile(r"\{(E\d+)\.(?:r(\d+)\.)?([A-Za-z_][A-Za-z0-9_]*)\}")
MARKER = re.compile(r"\[E\d+\]")
NUMERIC = ("percent", "duration_s", "number", "count")
OWN_WORDS = 40  # characters from which a text value is quoted rather than woven into a sentence

_QUOTED = re.compile(r"[“\"]([^“”\"]*)[”\"]")


@dataclass(frozen=True)
class Slot:
    """A slot as it stands in a sentence: its place in the bare text, its evidence, row (None for a fact) and column."""

    at: int
    item: Evidence
    row: int | None
    name: str

    @property
    def column(self) -> Column | None:
        if self.row is not None:
            return self.item.column(self.name)
        return self.item.facts[self.name][0] if self.name in self.item.facts else None

    @property
    def value(self) -> Value:
        if self.row is not None:
            return self.item.rows[self.row].get(self.name)
        return self.item.facts[self.name][1] if self.name in self.item.facts else None

    @property
    def is_subject(self) -> bool:
        return self.row is not None and self.name == self.item.subject

    @property
    def is_measured(self) -> bool:
        column = self.column
        return self.row is not None and not self.is_subject and column is not None and column.kind in NUMERIC

    @property
    def measure(self) -> str:
        return re.sub(r"_(?:before|change)$", "", self.name)


def unquoted(template: str, known: Mapping[str, Evidence]) -> tuple[str, set[str], list[str]]:
    """The sentence with `\\x02` around a quoted slot and `\\x01` for a quotation written out, the sources of those, and
    what is wrong with them: a source's words are quoted whole, and beside its marker."""
    wrong: list[str] = []
    sources: set[str] = set()
    cited = [marker[1:-1] for marker in MARKER.findall(template)]

    def quotation(match: re.Match[str]) -> str:
        inner = match.group(1)
        if SLOT.fullmatch(inner):
            return f"\x02{inner}\x02"
        for marker in cited:
            if marker in known and any(_whole_sentences(inner, quote.text) for quote in known[marker].quotes):
                sources.add(marker)
                return "\x01"
        wrong.append("a quotation that is not the cited source's whole sentences")
        return match.group(0)

    return _QUOTED.sub(quotation, template), sources, wrong


def bared(template: str, known: Mapping[str, Evidence]) -> tuple[str, list[Slot], list[str]]:
    """The sentence with `\\x00` for each slot, and the slots with their places in it."""
    wrong: list[str] = []
    text = MARKER.sub("", template)
    out: list[str] = []
    slots: list[Slot] = []
    at = length = 0
    for match in SLOT.finditer(text):
        marker, row, name = match.groups()
        before = text[at : match.start()]
        out += [before, "\x00"]
        length += len(before)
        slot = Slot(length, known[marker], int(row) if row is not None else None, name)
        length += 1
        at = match.end()
        slots.append(slot)
        quoted = text[: match.start()].endswith("\x02")
        if not quoted and (name.startswith("quote") or (isinstance(slot.value, str) and len(slot.value) > OWN_WORDS and name != "title")):
            wrong.append(f"{{{marker}.{name}}} must stand in quotation marks")
    bare = "".join([*out, text[at:]])
    return bare.replace("\x02", " "), slots, wrong


def _whole_sentences(said: str, source: str) -> bool:
    """Whether a text is one or more whole sentences of a source: a cut one may mean the opposite."""
    inner, whole = " ".join(said.split()), " ".join(source.split())
    if len(inner.split()) < 3:
        return False
    at = whole.find(inner)
    while at >= 0:
        before, after = whole[:at].rstrip(), whole[at + len(inner) :].lstrip()
        begins = not before or before[-1] in ".!?"
        ends = inner[-1] in ".!?" or not after
        if begins and ends:
            return True
        at = whole.find(inner, at + 1)
    return False
