"""What procedures are missing for: fixes that repeat and that none covers, and questions that found no answer.

A fix is counted once for each maintenance order and each accepted field note, and names both; a question is counted once
for each time it was asked, without who asked it and without anybody's name in it. Nothing here proposes a remedy: the
list says what people did and asked, a person decides. tests/test_gaps.py recounts from what it wrote.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from retrieval.rank import UNSURE
from retrieval.wording import recognise, singular
from tools.alarms import names_code
from tools.maintenance import log_entries
from tools.registry import Call, Unanswerable

if TYPE_CHECKING:
    from tools.notes import Note

#: A fix that was made this often for the same alarm or symptom repeats.
LEAST_TIMES = 3
#: Ids shown of the log entries behind a count; the newest.
_SHOWN = 5
#: A procedure that is this clearly about alarm, symptom and fix covers it.
_COVERS = 0.6
#: Questions as alike as this (cosine of their embeddings) are one question, symptoms likewise.
_SAME = 0.72
_ASKED_OF_DOCUMENTS = frozenset(("explain_alarm", "diagnose", "search_documents", "get_procedure"))

Embed = Callable[[list[str]], np.ndarray]


@dataclass(frozen=True)
class Repeated:
    """A fix that repeats. `about`: the alarm or symptom in words; `notes` and `entries` are what was counted, the newest
    first, of entries at most a few; `equipment`: one machine of the class on which it was made."""

    candidate: str
    about: str
    alarm: str
    symptom: str
    equipment_class: str
    equipment: str
    fix: str
    count: int
    notes: tuple[str, ...]
    entries: tuple[str, ...]


@dataclass(frozen=True)
class Unanswered:
    """Questions of one kind that found nothing: the latest as it was asked, how often, and when last (a day)."""

    question: str
    count: int
    last: str
    tool: str


@dataclass
class _Pile:
    symptom: str = ""
    notes: list[str] = field(default_factory=list)
    orders: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    machines: list[str] = field(default_factory=list)

    @property
    def count(self) -> int:
        return len(self.notes) + len(self.orders)


def repeated_fixes(call: Call, notes: Sequence[Note], least: int = LEAST_TIMES, embed: Embed | None = None) -> list[Repeated]:
    """Fixes made at least `least` times for the same alarm or symptom on the same class of machines, without a procedure,
    most often first. Symptoms in other words are the same one when `embed` finds them alike."""
    piles: dict[tuple[str, str, str, str], _Pile] = defaultdict(_Pile)
    for row in _log_rows(call):
        machine = call.plant.equipment.get(str(row.get("equipment") or ""))
        fix = recognise(str(row.get("text") or "")).fix
        if machine is None or not row.get("alarm") or not fix:
            continue
        pile = piles[machine.cls, str(row["alarm"]), "", fix]
        pile.orders[str(row.get("order") or row["id"])].append(str(row["id"]))
        pile.machines.append(machine.id)
    symptoms = _alike([note.symptom for note in notes if not note.alarm], embed)
    for note in reversed(notes):
        facts = recognise(note.action)
        symptom = "" if note.alarm else symptoms.get(note.symptom, note.symptom)
        pile = piles[note.equipment_class, note.alarm, symptom, facts.fix or facts.full]
        pile.symptom = symptom
        pile.notes.append(note.note)
        pile.machines.append(note.equipment)
    found = [_repeated(key, pile) for key, pile in piles.items() if pile.count >= least]
    return sorted((one for one in found if not covered(call, one)), key=lambda one: (-one.count, one.about, one.fix))


def _repeated(key: tuple[str, str, str, str], pile: _Pile) -> Repeated:
    equipment_class, alarm, symptom, fix = key
    entries = [entry for ids in pile.orders.values() for entry in ids]
    about = f"alarm {alarm}" if alarm else symptom
    return Repeated(
        hashlib.sha256("|".join(key).encode()).hexdigest()[:12], about, alarm, symptom, equipment_class,
        next((one for one in pile.machines if one), ""), fix, pile.count, tuple(pile.notes), tuple(entries[:_SHOWN]),
    )  # fmt: skip


def _log_rows(call: Call) -> Sequence[Mapping[str, Any]]:
    try:
        return [row for row in log_entries(call, {}).rows if row.get("alarm")]
    except Unanswerable:  # a plant whose model has no maintenance log
        return ()


def covered(call: Call, fix: Repeated) -> bool:
    """Whether an approved procedure is about this alarm or symptom and speaks of what was mended."""
    words = set(map(singular, fix.fix.split()))
    telling = fix.fix.split()[-1]
    hits = call.index.procedures(f"{fix.about} {fix.fix}", equipment_class=fix.equipment_class or None, k=5)
    for hit in hits:
        about = names_code(hit, fix.alarm) if fix.alarm else hit.score >= _COVERS
        said = set(map(singular, re.findall(r"[a-z-]+", hit.passage.text.lower())))
        if about and hit.score >= UNSURE and (singular(telling) in said or words <= said):
            return True
    return False


def _alike(texts: Sequence[str], embed: Embed | None) -> dict[str, str]:
    """Each text by the first one that says the same."""
    distinct = list(dict.fromkeys(texts))
    if embed is None or len(distinct) < 2:
        return {text: text for text in distinct}
    vectors = embed(distinct)
    first: dict[str, str] = {}
    leaders: list[int] = []
    for place, text in enumerate(distinct):
        near = next((leader for leader in leaders if float(vectors[leader] @ vectors[place]) >= _SAME), None)
        first[text] = distinct[near] if near is not None else text
        if near is None:
            leaders.append(place)
    return first


def unanswered(turns: Sequence[Mapping[str, Any]], embed: Embed, names: Collection[str] = (), most: int = 50) -> list[Unanswered]:
    """Questions to documents that found nothing, alike ones together, most often asked first. `turns` are recorded turns
    (`at`, `record`); whoever asked is not read, and `names` of people are taken out of the words."""
    asked: list[tuple[str, str, str]] = []
    for turn in turns:
        record = turn["record"]
        tools = [step["tool"] for step in record.get("steps", ()) if step["tool"] in _ASKED_OF_DOCUMENTS]
        if record.get("status") == "no_data" and tools:
            asked.append((_nameless(str(record["question"]), names), str(turn["at"])[:10], tools[0]))
    first = _alike([question for question, _, _ in asked], embed)
    groups: dict[str, list[tuple[str, str, str]]] = defaultdict(list)
    for item in asked:
        groups[first[item[0]]].append(item)
    found = []
    for group in groups.values():
        question, last, tool = max(group, key=lambda item: item[1])
        found.append(Unanswered(question, len(group), last, tool))
    return sorted(found, key=lambda one: (-one.count, one.question))[:most]


def _nameless(text: str, names: Collection[str]) -> str:
    """A question without the names of people, whole or in part."""
    parts = {part for name in names for part in (name, *name.split()) if len(part) >= 3}
    for part in sorted(parts, key=len, reverse=True):
        text = re.sub(rf"\b{re.escape(part)}\b", "…", text, flags=re.IGNORECASE)
    return text
