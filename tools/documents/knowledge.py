"""What the plant's documents give a draft: an alarm's published entry, an approved procedure with what surrounds it, the
genealogy of a lot. Every piece is evidence with its anchor; text of documents is quoted, never followed or rewritten.
tests/test_kinds.py checks that each quoted piece stands in the document that it names.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from retrieval.passages import Passage
from tools.alarms import explain_alarm
from tools.documents.steps import Step, tree_of
from tools.evidence import Evidence
from tools.maintenance import diagnose
from tools.manuals import get_procedure, procedure_evidence, quote
from tools.registry import Call
from tools.tracing import trace_material

#: Which part of a procedure a source's section is, by its heading. What no word claims is `other`.
SECTIONS: Mapping[str, re.Pattern[str]] = {
    "purpose": re.compile(r"purpose|scope|interval|intent|application|introduction|zweck|geltung", re.IGNORECASE),
    "safety": re.compile(r"safety|hazard|protective|warning|danger|sicherheit|gefahr", re.IGNORECASE),
    "limits": re.compile(r"characteristic|limit|tolerance|acceptance|setting|torque|values|merkmal", re.IGNORECASE),
    "tools": re.compile(r"\btools?\b|gauge|instrument|werkzeug|hilfsmittel", re.IGNORECASE),
    "materials": re.compile(r"material|part|consumable|product data|spare|komponente", re.IGNORECASE),
    "reactions": re.compile(r"reaction|trouble|if something|deviation|fault|störung", re.IGNORECASE),
    "records": re.compile(r"record|documentation|filing|aufzeichnung", re.IGNORECASE),
    "disposal": re.compile(r"dispos|waste|environment|entsorgung", re.IGNORECASE),
}
_FRONT = re.compile(r"revision history|contents|änderung", re.IGNORECASE)
_META = re.compile(r"^(?P<key>[A-Z][A-Za-z ]{2,30}):\s+(?P<value>\S.*)$")
_SECTION_REF = re.compile(r"\b(?:section|chapter|see|Abschnitt|Kapitel)\s+(\d+(?:\.\d+)+|\d+)\b")
_ALARM_PARTS = ("steps", "causes", "events", "orders", "spares")


@dataclass(frozen=True)
class Excerpt:
    """Passages of one section, verbatim: `rows` when it is a table (column -> text), else its quotes."""

    section: str
    evidence: Evidence
    rows: tuple[Mapping[str, str], ...] = ()


@dataclass(frozen=True)
class Reference:
    """What a step points to: a section of its own document or another document, and what is to be found there."""

    words: str
    evidence: Evidence


@dataclass(frozen=True)
class StepList:
    """A procedure's step tree with its source, and by step number what its steps point to."""

    tree: tuple[Step, ...]
    evidence: Evidence
    references: Mapping[int, tuple[Reference, ...]] = field(default_factory=dict)


# -- alarms and symptoms


def alarm_findings(call: Call, arguments: Mapping[str, Any], where: Mapping[str, object]) -> dict[str, Any]:
    """`entry`, `steps`, `causes`, `events`, `orders`, `spares` of an alarm; for a symptom `manual` and `cases`."""
    equipment = str(where["equipment"]) if where.get("equipment") else None
    if not arguments.get("alarm"):
        return _symptom(call, str(arguments.get("task") or ""), equipment)
    result = explain_alarm(call, str(arguments["alarm"]), equipment)
    if not result.evidence:
        return {"nothing": result}
    found: dict[str, Any] = {"entry": result.evidence[0] if result.data.get("entry") else None}
    for name in _ALARM_PARTS:
        place = result.data.get(name)
        if isinstance(place, int) and not isinstance(place, bool):
            found[name] = result.evidence[place]
    if found.get("steps") is not None:
        found["steps"] = steps_of(call, found["steps"])
    place, count = result.data.get("notes", (0, 0))
    found["manual"], found["cases"] = [], list(result.evidence[place : place + count])
    return found


def _symptom(call: Call, symptom: str, equipment: str | None) -> dict[str, Any]:
    result = diagnose(call, symptom, equipment)
    told = int(result.data.get("manual", 0))
    cases = int(result.data.get("cases", 0))
    if not told and not cases:
        return {"nothing": result}
    found: dict[str, Any] = {"manual": list(result.evidence[:told]), "cases": list(result.evidence[told : told + cases])}
    if result.data.get("orders"):
        found["orders"] = result.evidence[-1]
    approved = get_procedure(call, symptom, equipment)
    if approved.evidence:
        found["steps"] = steps_of(call, approved.evidence[0])
    return found


# -- procedures


def procedure_findings(call: Call, arguments: Mapping[str, Any], where: Mapping[str, object]) -> dict[str, Any]:
    """`steps` (a StepList), `meta` (what stands before the steps: time, qualification, tools), and by the names of
    `SECTIONS` and `other` the source's further sections as lists of Excerpt."""
    product = where.get("variant") or where.get("product")
    result = get_procedure(
        call, str(arguments.get("task") or ""), str(where["equipment"]) if where.get("equipment") else None,
        str(product) if product else None, arguments.get("skill"),
    )  # fmt: skip
    if not result.evidence:
        return {"nothing": result}
    source = result.evidence[0]
    first = source.quotes[0]
    passages = call.index.passages(first.document, first.revision)
    own = next((p for p in passages if p.text == first.text), None)
    found: dict[str, Any] = {"source": source, "steps": steps_of(call, source), "meta": _meta(first.text), "others": result.data.get("others", ())}
    found |= {name: [] for name in (*SECTIONS, "other")}
    whole = own is not None and own.kind in ("sop", "work_instruction")
    for section, group in _sections(passages):
        if own is None or own in group or _FRONT.search(section) or group[0].anchor.page == 1:
            continue
        name = next((name for name, words in SECTIONS.items() if words.search(section)), "other")
        if any(passage.block == "warning" for passage in group):
            name = "safety"
        if any(passage.steps for passage in group) or not (whole or _same_chapter(section, own.anchor.section)):
            continue
        found[name].append(excerpt(section, group))
    return found


def steps_of(call: Call, evidence: Evidence) -> StepList:
    """The step tree of a step list, with what its steps point to."""
    tree = tuple(tree_of([quote.text for quote in evidence.quotes[1:]]))
    references = {step["n"]: tuple(_references(call, step, evidence)) for step in tree}
    return StepList(tree, evidence, {number: found for number, found in references.items() if found})


def _references(call: Call, step: Step, evidence: Evidence) -> Iterable[Reference]:
    first = evidence.quotes[0]
    words = f"{step['warning']} {step['text']} {step['expected']}"
    own = call.index.passages(first.document, first.revision) if _SECTION_REF.search(words) else []
    for number in dict.fromkeys(_SECTION_REF.findall(words)):
        group = [p for p in own if re.match(rf"{re.escape(number)}(?!\.?\d)", p.anchor.section)]
        if group:
            yield Reference(f"section {number}", excerpt(group[0].anchor.section, group).evidence)
    named = [info for info in call.index.documents() if info.status == "effective" and info.document != first.document and info.document in words]
    for info in named[:2]:
        passages = call.index.passages(info.document, info.revision)
        steps = next((p for p in passages if p.steps), None) or (passages[0] if passages else None)
        if steps is not None:
            yield Reference(info.document, procedure_evidence(steps) if steps.steps else excerpt(steps.anchor.section, [steps]).evidence)


def _meta(text: str) -> dict[str, str]:
    """The `Key: value` lines that stand before the first step."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        match = _META.match(line.strip())
        if match is None:
            break
        found[match["key"].strip().lower()] = match["value"].strip()
    return found


def _sections(passages: Sequence[Passage]) -> list[tuple[str, list[Passage]]]:
    found: dict[str, list[Passage]] = {}
    for passage in passages:
        if passage.block != "heading":
            found.setdefault(passage.anchor.section, []).append(passage)
    return list(found.items())


def _same_chapter(section: str, other: str) -> bool:
    """Whether two headings are of one chapter of a manual: `4.2 ...` and `4.7 ...`."""
    a, b = re.match(r"\d+", section), re.match(r"\d+", other)
    return a is not None and b is not None and a.group() == b.group()


def excerpt(section: str, passages: Sequence[Passage]) -> Excerpt:
    """Passages of a section as one piece of evidence; rows `A: x | B: y` of a table are taken apart."""
    evidence = Evidence("document", passages[0].title, quotes=tuple(quote(passage) for passage in passages))
    rows = []
    for passage in passages:
        cells = dict(cell.partition(": ")[::2] for cell in passage.text.split(" | ")) if passage.block == "table" else {}
        if not cells or any(not value for value in cells.values()):
            return Excerpt(section, evidence)
        rows.append(cells)
    return Excerpt(section, evidence, tuple(rows))


# -- material


def trace_findings(call: Call, arguments: Mapping[str, Any], where: Mapping[str, object]) -> dict[str, Any]:
    """`genealogy`, `components` (the lots that went in directly) and `shipments` of a lot."""
    from dataclasses import replace

    direction = "forward" if arguments.get("trace") == "forward" else "backward"
    result = trace_material(call, lot=str(where.get("lot") or ""), direction=direction)  # type: ignore[arg-type]
    if not result.evidence:
        return {"nothing": result}
    tree = result.evidence[0]
    found: dict[str, Any] = {"genealogy": tree}
    direct = tuple(row for row in tree.rows if row.get("generation") == 1 and row.get("relation") == "went in")
    found["components"] = replace(tree, title=f"Components of lot {where.get('lot')}", rows=direct)
    made = tuple(row for row in tree.rows if row.get("relation") == "made from it")
    found["made"] = replace(tree, title=f"Lots made from lot {where.get('lot')}", rows=made)
    if len(result.evidence) > 1:
        found["shipments"] = result.evidence[1]
    return found
