"""What the plant's own maintenance history says: causes counted from log entries that can each be opened, and what
helped before for a symptom.

A count names the entries it counts. Entries whose text does not say a cause are counted as such, never shared out.
tests/test_maintenance.py recounts by hand-labelled texts.
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from retrieval.index import Hit
from retrieval.lexical import query_terms, terms
from retrieval.rank import UNSURE, best_sentence
from retrieval.wording import culprit, recognise
from tools.evidence import Column, Evidence, Value, fact
from tools.manuals import IN_FULL, Machine, document_evidence, machine_of, valid_for
from tools.records import select
from tools.registry import Call, Period, Result, Unanswerable

#: How far back causes are counted and similar cases looked for.
HISTORY_DAYS = 400
_UNSAID = "not stated"
#: Entries read for one count; the gate's cap for an answer.
_LOGS = 1000
#: Entries looked at for a count by symptom, the fewest that are counted, and those named beside each count.
_SIMILAR = 200
_FEWEST_CASES = 2
_NAMED = 10
#: Field notes looked at for one question.
_NOTES = 20


def history(call: Call, days: int = HISTORY_DAYS) -> Period:
    """The period over which causes are counted."""
    return Period(f"the last {days} days", call.now - timedelta(days=days), call.now, assumed=True)


@dataclass(frozen=True)
class _Case:
    """The entries of one maintenance order: one story, one vote."""

    entries: tuple[Mapping[str, Value], ...]
    cause: str

    @property
    def minutes(self) -> float:
        return sum(float(spent) for row in self.entries if isinstance(spent := row.get("duration_min"), int | float))


def cause_counts(call: Call, entries: Evidence, published: Sequence[str] = (), title: str = "Causes in the logs") -> Evidence:
    """Count the component that each log entry blames, one vote per maintenance order (an order's entries tell one
    story). Rows: cause, count, share, minutes (median), entries (ids), most frequent first, unsaid last."""
    groups: dict[str, list[Mapping[str, Value]]] = {}
    for row in entries.rows:
        groups.setdefault(str(row.get("order") or row["id"]), []).append(row)
    votes: dict[str, list[_Case]] = {}
    for rows in groups.values():
        told = [culprit(str(row.get("text") or ""), published) for row in rows]
        # Entries come newest first, and the last word on a fault is the one that mended it.
        cause = next((name for name in told if name), _UNSAID)
        votes.setdefault(cause, []).append(_Case(tuple(rows), cause))
    total = sum(len(cases) for cases in votes.values())
    ordered = sorted(votes.items(), key=lambda item: (item[0] == _UNSAID, -len(item[1]), item[0]))
    counted = tuple(
        {
            "cause": cause, "count": len(cases), "share": len(cases) / total, "minutes": _median_minutes(cases),
            "entries": ", ".join(str(row["id"]) for case in cases[:5] for row in case.entries),
        }
        for cause, cases in ordered
    )  # fmt: skip
    columns = (
        Column("cause", "Cause"), Column("count", "Cases", "count"), Column("share", "Share", "percent", decimals=0),
        Column("minutes", "Median time", "number", "min", 0), Column("entries", "Entries (newest five)", "id"),
    )  # fmt: skip
    facts = {**entries.facts, "cases": fact("cases", total, "count"), "entries_read": fact("entries", len(entries.rows), "count")}
    return Evidence("query", title, columns, counted, "cause", facts, query=entries.query)


def _median_minutes(cases: Sequence[_Case]) -> float | None:
    spent = [case.minutes for case in cases if case.minutes > 0]
    return statistics.median(spent) if spent else None


def log_entries(call: Call, where: dict[str, object], limit: int = _LOGS) -> Evidence:
    """Maintenance log entries with their text, newest first."""
    return select(
        call, "maintenance_logs", where, history(call),
        columns=["id", "written", "equipment", "order", "alarm", "author", "text", "duration_min"],
        order="written desc", limit=limit,
    )  # fmt: skip


def diagnose(call: Call, symptom: str, equipment: str | None = None) -> Result:
    """What may be behind a symptom: what the manuals say, what similar cases in the logs were, what helped.

    symptom: what is seen, heard or measured, in words. equipment: the machine."""
    machine = machine_of(call, equipment)
    words = symptom if machine.known or not machine.name else f"{symptom} {machine.name}"
    books = call.index.search(words, 6, **valid_for(call, machine), kinds=("manual", "sop", "work_instruction", "bulletin"))
    told = [hit for hit in books if hit.score >= UNSURE][:3]
    cases = similar_cases(call, words, machine)
    evidence = [document_evidence(hit.passage, best_sentence(symptom, hit.passage)) for hit in told]
    parts: dict[str, object] = {"manual": len(evidence), "symptom": symptom}
    if cases:
        evidence += [document_evidence(hit.passage) for hit in cases[:3]]
        parts["cases"] = min(len(cases), 3)
    counted = case_counts(call, words, machine)
    if counted is not None:
        parts["causes"] = len(evidence)
        evidence.append(counted)
    orders = open_orders(call, machine)
    if orders is not None:
        evidence.append(orders)
        parts["orders"] = True
    if not told and not cases:
        where = f" for {machine.name}" if machine.name else ""
        return Result(
            "no_data", tuple(evidence[-1:]) if parts.get("orders") else (),
            message=f"Neither the manuals nor the maintenance logs{where} describe “{symptom}”. Stop and call maintenance if it is unsafe.",
            data=parts,
        )  # fmt: skip
    return Result("answered", tuple(evidence), data=parts)


def case_counts(call: Call, words: str, machine: Machine) -> Evidence | None:
    """Causes counted over the log entries about these words, of the machine where one is meant: cause, count, share, what
    was done most often, entries (ids). None for fewer than two entries. Unlike `cause_counts` it counts entries, since a
    passage does not tell its order."""
    since = (call.now - timedelta(days=HISTORY_DAYS)).isoformat()
    hits = call.index.search(words, _SIMILAR, equipment=machine.id, kinds=("log",))
    telling = set(query_terms(words)) - set(terms(machine.name))
    found = [
        hit.passage for hit in hits
        # entries about a machine that say most of what was asked; a shift note that mentions it counts nothing
        if hit.score >= UNSURE and hit.passage.equipment and hit.passage.date >= since[:10]
        and len(telling & set(terms(hit.passage.text))) > len(telling) / 2
    ]  # fmt: skip
    if len(found) < _FEWEST_CASES:
        return None
    piles: dict[str, list[tuple[str, str, str]]] = {}
    for passage in found:
        text = passage.text.partition(IN_FULL)[0].partition(": ")[2]
        piles.setdefault(culprit(text) or _UNSAID, []).append((passage.date, passage.anchor.section, recognise(text).action))
    ordered = sorted(piles.items(), key=lambda item: (item[0] == _UNSAID, -len(item[1]), item[0]))
    rows: tuple[Mapping[str, Value], ...] = tuple(
        {
            "cause": cause, "count": len(pile), "share": len(pile) / len(found), "done": _most(action for _, _, action in pile),
            "entries": ", ".join(entry for _, entry, _ in sorted(pile, reverse=True)[:_NAMED]),
        }
        for cause, pile in ordered
    )  # fmt: skip
    columns = (
        Column("cause", "Cause"), Column("count", "Entries", "count"), Column("share", "Share", "percent", decimals=0),
        Column("done", "Done most often"), Column("entries", "Entries (newest ten)", "id"),
    )  # fmt: skip
    facts = {"cases": fact("cases", len(found), "count"), "period": fact("period", history(call).text)}
    return Evidence(
        "record", "Causes in similar log entries", columns, rows, "cause", facts, record="maintenance_logs",
        record_id=", ".join(entry for _, entry, _ in sorted((item for pile in piles.values() for item in pile), reverse=True)[:_NAMED]),
    )  # fmt: skip


def _most(actions: Iterable[str]) -> str:
    counted = Counter(action for action in actions if action)
    return counted.most_common(1)[0][0] if counted else ""


def open_orders(call: Call, machine: Machine) -> Evidence | None:
    """Open maintenance orders of a machine that the caller may see; None when there are none."""
    if not machine.known:
        return None
    try:
        orders = select(
            call, "maintenance_orders", {"equipment": machine.id, "status": "open"}, None,
            columns=["id", "title", "priority", "status", "created", "due", "alarm"], order="created desc", limit=20,
        )  # fmt: skip
    except Unanswerable:
        return None
    return orders if orders.rows else None


def similar_cases(call: Call, words: str, machine: Machine) -> list[Hit]:
    """Log entries about something like this: the machine's own first, then those of its class."""
    own = call.index.search(words, 6, equipment=machine.id, equipment_class=machine.equipment_class, kinds=("log", "field_note"))
    others = [hit for hit in field_notes(call, words, machine) if hit.passage.id not in {hit.passage.id for hit in own}]
    found = [hit for hit in (*own, *others) if hit.score >= UNSURE]
    # Of one machine's cases a note comes first: somebody else has accepted it.
    return sorted(found, key=lambda hit: (machine.id not in hit.passage.equipment, hit.passage.kind != "field_note", -hit.score))


def field_notes(call: Call, words: str, machine: Machine) -> list[Hit]:
    """Accepted field notes for these words: of the machine first, then of its class (what mended its sister may mend it
    too), then of any."""
    if not machine.known:
        return call.index.search(words, _NOTES, kinds=("field_note",))
    found = call.index.search(words, _NOTES, equipment_class=machine.equipment_class, kinds=("field_note",))
    return sorted(found, key=lambda hit: machine.id not in hit.passage.equipment)
