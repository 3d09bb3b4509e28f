"""What an alarm means, in the order of ISA-18.2: description, causes, consequence, what to do, time to respond.

The approved procedure comes first and verbatim; causes are the published ones beside those counted from the plant's
own logs; then what is going on now: recent occurrences, open orders, spare stock. A code never answers for its
neighbour, and a bare number that several machines know asks which. tests/test_alarms.py.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta

from retrieval import identifiers
from retrieval.index import AlarmEntry, Hit, Passage
from retrieval.rank import UNSURE
from retrieval.wording import culprit, family_of
from tools.alarm_choice import meant, of_one_class
from tools.evidence import Evidence, fact
from tools.maintenance import cause_counts, field_notes, log_entries, open_orders
from tools.manuals import (
    Machine,
    asked_revision,
    document_evidence,
    machine_of,
    out_of_force,
    procedure_evidence,
    quote,
    step_lines,
    valid_for,
)
from tools.records import select
from tools.registry import Call, Period, Result, Unanswerable
from tools.sources import contradictions

RECENT_DAYS = 30
NOTES_SHOWN = 3
_FIELDS = ("severity", "description", "cause", "consequence", "remedy", "response_time")


def explain_alarm(call: Call, code: str, equipment: str | None = None) -> Result:
    """What an alarm or error code means, its likely causes, what to do, and its recent history.

    code: the alarm as shown on the machine. equipment: the machine that shows it."""
    machine = machine_of(call, equipment)
    hint = f"{machine.name} {machine.equipment_class or ''}" if machine.name else ""
    in_front = ""
    old = asked_revision(call, code)
    entries = call.index.alarm(code, **valid_for(call, machine, old), hint=hint)
    if not entries and machine.known and equipment is None:
        # The machine in front was only assumed; another machine may show this code. The answer says so.
        in_front = machine.name
        machine = Machine(None, "", None, False)
        entries = call.index.alarm(code, **valid_for(call, machine, old))
    near = call.index.alarm(code, **valid_for(call, machine, old), nearest=False) if not machine.known and entries else []
    chosen = meant(call, code, entries, near, of_one_machine=machine.known)
    if isinstance(chosen, Result):
        return chosen
    if chosen is not None:
        # Another document of the same machines may say otherwise; another list of the same document is another alarm.
        others = entries if machine.known or of_one_class(entries) else ()
        entries = [chosen, *(e for e in others if e.passage.anchor.document != chosen.passage.anchor.document)]
    evidence = [alarm_evidence(chosen)] if chosen is not None else []
    parts: dict[str, object] = {"entry": bool(evidence), "unknown_machine": machine.name if machine.name and not machine.known else ""}
    parts |= {"not_of": True} if in_front and evidence else {}
    parts |= out_of_force(old)
    entry = entries[0] if evidence else None
    if entry is not None:
        add_contradictions(entry, entries[1:], evidence, parts)
        add_procedure(call, code, entry, machine, evidence, parts)
    add_history(call, code, entry, machine, evidence, parts)
    add_notes(call, entry.code if entry else code, machine, evidence, parts)
    if not evidence:
        where = f" for {machine.name}" if machine.name else ""
        return Result(
            "no_data", message=f"No effective document{where} lists the alarm {code}, and it has not been raised here.", data=parts
        )
    if entry is not None and "limited" in parts:
        return Result("partial", tuple(evidence), message=str(parts["limited"]), limited_to="documents", data=parts)
    message = "" if entry is not None else f"No effective document lists the alarm {code}; this is what the plant's own records hold."
    read_as = read_without_letter(code, entry.code) if entry is not None else ()
    return Result("answered" if entry is not None else "partial", tuple(evidence), message=message, assumed=read_as, data=parts)


def read_without_letter(asked: str, listed: str) -> tuple[str, ...]:
    """What is assumed where somebody says F504 and the list writes 504: one letter is how many say "fault", and may be more."""
    said, known = identifiers.parts(identifiers.key(asked)), identifiers.parts(identifiers.key(listed))
    return (f"code: {listed}, as no list writes {asked}",) if len(said.prefix) == 1 and not known.prefix else ()


def alarm_evidence(entry: AlarmEntry) -> Evidence:
    """One published entry as evidence: each field verbatim as a fact, the whole passage as its quote."""
    facts = {
        "code": fact("code", entry.code, "id"), "alarm": fact("alarm", entry.title),
        "document": fact("document", entry.passage.anchor.document, "id"), "revision": fact("revision", entry.passage.anchor.revision, "id"),
    }  # fmt: skip
    facts |= {name: fact(name.replace("_", " "), value) for name in _FIELDS if (value := getattr(entry, name))}
    anchor = entry.passage.anchor
    if anchor.page is not None:
        facts["page"] = fact("page", anchor.page, "count")
    return Evidence("document", f"Alarm {entry.code} {entry.title}", facts=facts, quotes=(quote(entry.passage),))


def add_contradictions(entry: AlarmEntry, others: Sequence[AlarmEntry], evidence: list[Evidence], parts: dict[str, object]) -> None:
    """The entry of another source in force that says something else: `disagree` is (place, fields)."""
    for other in others:
        fields = contradictions(entry, other)
        if fields:
            parts["disagree"] = (len(evidence), tuple("alarm" if name == "title" else name for name in fields))
            evidence.append(alarm_evidence(other))
            return


def add_procedure(call: Call, code: str, entry: AlarmEntry, machine: Machine, evidence: list[Evidence], parts: dict[str, object]) -> None:
    """The approved steps for this alarm: the step list whose section or text names the code, else a clearly relevant one."""
    filters = valid_for(call, machine)
    filters["equipment_class"] = machine.equipment_class or entry.passage.equipment_class or None
    hits = call.index.procedures(f"alarm {code} {entry.title}", **filters, k=5)
    best = next((hit for hit in hits if names_code(hit, code)), None)
    if best is None and hits and hits[0].score >= max(UNSURE, 0.6):
        best = hits[0]
    if best is not None:
        parts["steps"] = len(evidence)
        parts["lines"] = step_lines(best.passage)
        evidence.append(procedure_evidence(best.passage))


def add_notes(call: Call, code: str, machine: Machine, evidence: list[Evidence], parts: dict[str, object]) -> None:
    """What people reported that fixed exactly this alarm, last and below everything approved: `notes` is (place, how many)."""
    if parts["unknown_machine"]:
        return
    notes = [hit for hit in field_notes(call, f"alarm {code}", machine) if names_alarm(hit.passage, code)][:NOTES_SHOWN]
    if notes:
        parts["notes"] = (len(evidence), len(notes))
        evidence += [document_evidence(hit.passage) for hit in notes]


def names_alarm(passage: Passage, code: str) -> bool:
    """Whether a note is about this very code, however it is written."""
    wanted = identifiers.key(code)
    return any(identifiers.key(item) == wanted for item in passage.identifiers if item != passage.anchor.document)


def add_history(
    call: Call, code: str, entry: AlarmEntry | None, machine: Machine, evidence: list[Evidence], parts: dict[str, object]
) -> None:
    """Causes from the logs, occurrences, open orders and spare stock, each where there is any.

    The MES is asked only for a machine of this plant, or for a code when no machine was named."""
    if not call.plant.equipment or parts["unknown_machine"]:
        return
    spelled = entry.code if entry else code
    same: dict[str, object] = {"alarm": spelled}
    if machine.known and machine.equipment_class:
        same["equipment_class"] = machine.equipment_class
    components = _components(entry)
    try:
        add_records(call, spelled, same, components, machine, evidence, parts)
    except Unanswerable as end:
        # The manual is for everybody; records of another line are not, and the answer says so. A code that the MES has
        # never seen has no history here, whatever name of it comes close.
        if end.result.status in ("not_allowed", "partial"):
            parts["limited"] = end.result.message


def add_records(call: Call, spelled: str, same: dict[str, object], components: Sequence[str], machine: Machine,
                evidence: list[Evidence], parts: dict[str, object]) -> None:  # fmt: skip
    """Rows of the MES about this alarm, within the caller's rights. Raises Unanswerable outside them."""
    here = {"equipment": machine.id} if machine.known else {}
    period = Period(f"the last {RECENT_DAYS} days", call.now - timedelta(days=RECENT_DAYS), call.now, assumed=True)
    events = select(call, "alarm_events", {"alarm": spelled, **here}, period, order="raised desc", limit=50)
    logs = log_entries(call, same)
    if logs.rows:
        parts["causes"] = len(evidence)
        evidence.append(cause_counts(call, logs, components))
    if events.rows:
        parts["events"] = len(evidence)
        evidence.append(events)
    if not machine.known:
        return
    orders = open_orders(call, machine)
    if orders is not None:
        parts["orders"] = len(evidence)
        evidence.append(orders)
    add_spares(call, components, machine, evidence, parts)


def add_spares(call: Call, components: Sequence[str], machine: Machine, evidence: list[Evidence], parts: dict[str, object]) -> None:
    """Stock of the parts that the published causes name, of this machine's class."""
    stock = select(call, "spare_parts", {"equipment_class": machine.equipment_class}, None, limit=200)
    wanted = {family_of(component) for component in components} - {""}
    rows = tuple(row for row in stock.rows if _is_for(str(row.get("name", "")), wanted, components))
    if rows:
        parts["spares"] = len(evidence)
        evidence.append(Evidence(
            "query", "Spare parts in stock", stock.columns, rows, stock.subject,
            {**stock.facts, "parts": fact("parts", len(rows), "count")}, query=stock.query,
        ))  # fmt: skip


def _is_for(name: str, families: set[str], components: Sequence[str]) -> bool:
    """A part belongs to a component of its family when both also share the word that tells it from others of the
    family ("coolant filter" and not "cabinet filter mat")."""
    family = family_of(name)
    if family not in families:
        return False
    words = set(name.lower().split())
    for component in components:
        telling = [word for word in component.lower().split() if family_of(word) != family]
        if family_of(component) == family and (not telling or words & set(telling)):
            return True
    return False


_PIECE = re.compile(r"(?:^|\s)(?:[a-h]|\d{1,2})[).]\s+|[.;\n]")


def _components(entry: AlarmEntry | None) -> tuple[str, ...]:
    """The components that the published causes name, in their order; where they name none, those of the remedy."""
    if entry is None:
        return ()
    for text in (entry.cause, entry.remedy):
        found = []
        for part in _PIECE.split(text):
            family = culprit(part) or family_of(part)
            if family:
                found.append(_phrase(part, family))
        if found:
            return tuple(dict.fromkeys(found))
    return ()


def _phrase(text: str, family: str) -> str:
    """The component as the document puts it: the family's noun with the word before it ("coolant filter")."""
    words = [word.strip(",.()").lower() for word in text.split()]
    for place, word in enumerate(words):
        if family_of(word) == family:
            before = words[place - 1] if place else ""
            return f"{before} {word}" if before.isalpha() and before not in _NOT_TELLING else word
    return family


_NOT_TELLING = frozenset(
    ["the", "a", "an", "of", "or", "and", "in", "on", "at", "clogged", "worn", "defective", "dirty", "check", "replace", "clean"]
)


def names_code(hit: Hit, code: str) -> bool:
    """Whether a step list is about this alarm: it says "alarm" and the exact code in its heading or opening."""
    where = f"{hit.passage.anchor.section}\n{hit.passage.text[:300]}"
    return "alarm" in where.lower() and any(item.key == identifiers.key(code) for item in identifiers.find(where))
