"""Answers from the plant's documents: a passage that answers, or an approved procedure step by step.

Text of documents is data: it is quoted verbatim with its anchor and never followed as an instruction. Below
`retrieval.rank.UNSURE` nothing is quoted and the result says what was searched. tests/test_manuals.py.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TypedDict

from retrieval.index import DocumentInfo, Hit, Passage
from retrieval.rank import UNSURE, best_sentence
from tools.evidence import Column, Evidence, Kind, Quote, Value, fact
from tools.registry import Call, Choice, Result
from tools.sources import mentions_revision, named_revision, same_thing_other_value

KINDS = ("manual", "sop", "work_instruction", "bulletin", "log", "field_note")
#: A second passage is shown beside the first when it is nearly as relevant.
_NEARLY = 0.85
_SHOWN = 3
#: What stands in a passage for the search alone: the text without the trade's shorthand. It is no part of a quotation.
IN_FULL = "\nIn full: "
#: What stands before the words of a field note that tell what was done.
FIXED = "What fixed it: "
_WARNING = re.compile(r"^(?:WARNING|DANGER|CAUTION)\b[:.\s-]*", re.IGNORECASE)
_STEP_NUMBER = re.compile(r"^\s*\(?\d{1,2}[.)]\s+")


@dataclass(frozen=True)
class Machine:
    """The machine a question is about: `known` when the plant has it; an unknown one is kept as it was said."""

    id: str | None
    name: str
    equipment_class: str | None
    known: bool
    variant: str | None = None
    software: str | None = None


def machine_of(call: Call, equipment: str | None) -> Machine:
    """The machine named in the plan, else the one in front of the person, else none."""
    wanted = equipment or call.equipment
    if wanted is None:
        return Machine(None, "", None, False)
    info = call.plant.equipment.get(wanted)
    if info is None:
        return Machine(None, wanted, None, False)
    return Machine(info.id, info.name, info.cls, True, info.variant or None, info.software or None)


class Filters(TypedDict, total=False):
    """What a search for one machine may find."""

    equipment: str | None
    equipment_class: str | None
    variant: str | None
    software: str | None
    on: date
    within: tuple[str, str] | None


def valid_for(call: Call, machine: Machine, within: DocumentInfo | None = None) -> Filters:
    """Filters of the index: what is valid for the machine, its type and software, and in force at the asked time;
    `within`: only that revision, in force or not."""
    return Filters(
        equipment=machine.id, equipment_class=machine.equipment_class, variant=machine.variant, software=machine.software,
        on=call.now.date(), within=(within.document, within.revision) if within else None,
    )  # fmt: skip


def quote(passage: Passage, text: str | None = None) -> Quote:
    """A passage, or the part of it that answers, as a quotation with its anchor."""
    anchor = passage.anchor
    return Quote(
        text or passage.text, anchor.document, passage.title, anchor.revision, anchor.page, anchor.section,
        passage.author, passage.date,
    )  # fmt: skip


def document_evidence(passage: Passage, text: str | None = None) -> Evidence:
    """One quoted passage as evidence; logs and field notes are records of their author, not approved documents."""
    kind: Kind = "field_note" if passage.kind == "field_note" else "document"
    facts = {
        "document": fact("document", passage.anchor.document, "id"),
        "revision": fact("revision", passage.anchor.revision, "id"),
        "section": fact("section", passage.anchor.section or passage.title),
        "author": fact("author", passage.author or None),
        "date": _day(passage.date),
    }
    if passage.anchor.page is not None:
        facts["page"] = fact("page", passage.anchor.page, "count")
    if text and text.startswith(IN_FULL.strip()):
        text = None  # written by us for the search, no words of the author
    whole = quote(passage, passage.text.partition(IN_FULL)[0]) if passage.kind in ("log", "field_note") else quote(passage)
    if kind == "field_note":
        fixed = next((line for line in whole.text.splitlines() if line.startswith(FIXED)), FIXED)
        text = text or fixed.removeprefix(FIXED)
    return Evidence(
        kind=kind, title=passage.title, facts=facts, quotes=(quote(passage, text) if text else whole, whole),
        record="log" if passage.kind == "log" else "", record_id=passage.anchor.document,
    )  # fmt: skip


def _day(text: str) -> tuple[Column, Value]:
    """When an entry was written: a day or an instant where it is one, else as it stands there."""
    try:
        at: datetime | date = datetime.fromisoformat(text) if "T" in text else date.fromisoformat(text)
    except ValueError:
        return fact("date", text or None)
    if isinstance(at, datetime) and at.tzinfo is None:
        return fact("date", text)  # of a zone that nobody stated
    return fact("date", at, "time" if isinstance(at, datetime) else "date")


def search_documents(call: Call, query: str, equipment: str | None = None, kinds: list[str] | None = None) -> Result:
    """Find what manuals, SOPs, work instructions, bulletins, logs or field notes say about something.

    query: what is looked for, in words. equipment: the machine it is about. kinds: restrict to document kinds."""
    wanted = [kind for kind in kinds or () if kind in KINDS]
    machine = machine_of(call, equipment)
    words = query if machine.known or not machine.name else f"{query} {machine.name}"
    old = asked_revision(call, query)
    hits = call.index.search(words, 8, **valid_for(call, machine, old), kinds=wanted)
    if not wanted:
        hits = _approved_first(hits)
    good = [hit for hit in hits if hit.score >= UNSURE]
    if not good:
        return Result("no_data", message=_nothing(call, query, machine, wanted))
    top = good[0].score
    shown = [hit for hit in good if hit.score >= _NEARLY * top][:_SHOWN]
    other = _contradicting(query, good)
    if other is not None and other not in shown:
        shown = [*shown[: _SHOWN - 1], other]
    evidence = tuple(document_evidence(hit.passage, best_sentence(query, hit.passage)) for hit in shown)
    data = {"blocks": tuple(hit.passage.block for hit in shown), "query": query, **out_of_force(old)}
    return Result("answered", evidence, data=data | ({"disagree": shown.index(other)} if other is not None else {}))


def asked_revision(call: Call, words: str) -> DocumentInfo | None:
    """The revision that the question names, if it names one."""
    text = f"{call.question} {words}"
    return named_revision(call, text, call.index.documents(call.now.date())) if mentions_revision(text) else None


def out_of_force(info: DocumentInfo | None) -> dict[str, str]:
    """What an answer must say of a revision that was asked for by name and is not in force."""
    return {"out_of_force": info.status} if info is not None and info.status != "effective" else {}


def _contradicting(query: str, hits: Sequence[Hit]) -> Hit | None:
    """The best passage of another document in force that gives another value for the thing the first is about."""
    if not hits:
        return None
    first = (hits[0].passage, best_sentence(query, hits[0].passage))
    for hit in hits[1:]:
        if same_thing_other_value(query, first, (hit.passage, best_sentence(query, hit.passage))):
            return hit
    return None


def _approved_first(hits: Sequence[Hit]) -> list[Hit]:
    """Logs stand below approved documents unless they are clearly more relevant, field notes always where an approved
    one is about the question at all."""

    def order(hit: Hit) -> tuple[bool, float]:
        kind = hit.passage.kind
        return kind == "field_note" or hit.score < UNSURE, (0.15 if kind in ("log", "field_note") else 0.0) - hit.score

    return sorted(hits, key=order)


def _nothing(call: Call, query: str, machine: Machine, kinds: Sequence[str]) -> str:
    documents = [info for info in call.index.documents(call.now.date()) if info.status == "effective" and (not kinds or info.kind in kinds)]
    where = f" for {machine.name}" if machine.name else ""
    what = " and ".join(kind.replace("_", " ") + "s" for kind in kinds) or "documents"
    return f"I searched {len(documents)} effective {what}{where} and found nothing about “{query}”."


def get_procedure(call: Call, task: str, equipment: str | None = None, product: str | None = None,
                  skill: str | None = None) -> Result:  # fmt: skip
    """The approved procedure for a task, step by step, verbatim with its warnings.

    task: what is to be done. equipment, product: what it is for. skill: novice, experienced or expert."""
    machine = machine_of(call, equipment)
    words = task if machine.known or not machine.name else f"{task} {machine.name}"
    old = asked_revision(call, task)
    hits = call.index.procedures(words, **valid_for(call, machine, old), product=product, k=5)
    good = [hit for hit in hits if hit.score >= UNSURE]
    if not good:
        return Result("no_data", message=_nothing(call, task, machine, ("sop", "work_instruction", "manual")))
    best = good[0]
    others = tuple(
        Choice(hit.passage.anchor.section or hit.passage.title, f"show me the procedure {hit.passage.anchor.section}")
        for hit in good[1:3]
        if hit.score >= _NEARLY * best.score and hit.passage.anchor.section != best.passage.anchor.section
    )
    return Result(
        "answered", (procedure_evidence(best.passage),),
        data={"lines": step_lines(best.passage), "skill": skill or "", "others": tuple(c.label for c in others), **out_of_force(old)},
    )  # fmt: skip


def procedure_evidence(passage: Passage) -> Evidence:
    """A step list as evidence: its quotes are the whole passage and then each step, verbatim."""
    base = document_evidence(passage)
    steps = tuple(quote(passage, text) for text in passage.steps)
    count = len(step_lines(passage))
    return Evidence(
        kind="document", title=base.title, quotes=(quote(passage), *steps),
        facts={**base.facts, "steps": fact("steps", count, "count")},
    )  # fmt: skip


def step_lines(passage: Passage) -> tuple[dict[str, object], ...]:
    """The steps as {n, text, warning?}: a warning is put to the step that it stands before; none is ever lost."""
    lines: list[dict[str, object]] = []
    pending: list[str] = []
    for step in passage.steps:
        text = step.strip()
        if _WARNING.match(text):
            pending.append(text)
            continue
        line: dict[str, object] = {"n": len(lines) + 1, "text": _STEP_NUMBER.sub("", text)}
        if pending:
            line["warning"] = " ".join(pending)
            pending = []
        lines.append(line)
    if pending and lines:
        lines[-1]["warning"] = " ".join([str(lines[-1].get("warning", "")), *pending]).strip()
    return tuple(lines)
