"""From a declaration to a draft: run the declared data under the caller's rights, write it in the kind's template, keep
it. Every figure comes from evidence of one moment; nothing is counted over a cut list; what a required field lacks is
listed, never filled in. Nothing is written when there is nothing to report. tests/test_documents.py and
tests/test_document_figures.py recompute the figures by independent SQL.
"""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from tools.conditions import unknown_name
from tools.documents.appendix import source
from tools.documents.findings import Draft, NothingToReport, SnapshotDatabase
from tools.documents.kinds import Kind, KindSpec, kinds_of
from tools.documents.proof import proof_of
from tools.documents.readers import skill_of
from tools.documents.tree import Document, Section
from tools.documents.wording import sections_of
from tools.evidence import Evidence
from tools.query import supports
from tools.records import select
from tools.registry import Call, Choice, Period, Result, Unanswerable

PLACES = ("equipment", "line", "product", "lot", "variant", "shift")
_PROCEDURES = ("sop", "work_instruction")
_LOGOS = {"png": b"\x89PNG", "jpg": b"\xff\xd8\xff", "svg": b"<svg"}
_LOGO_BYTES = 300_000
#: One document at a time reads its snapshot: it holds one of the two connections that the database lends.
_ONE = threading.Lock()


def draft_document(call: Call, kind: str, equipment: str | None = None, line: str | None = None, product: str | None = None,
                   lot: str | None = None, alarm: str | None = None, task: str | None = None, period: Period | None = None,
                   shift: str | None = None, skill: str | None = None, variant: str | None = None) -> Result:  # fmt: skip
    """Draft a document for people to review: troubleshooting guide, SOP, work instruction, NCR summary, shift handover,
    batch record, deviation, CAPA, OEE, maintenance, training or audit report.

    kind: which. The other arguments say what it is about."""
    known = kinds_of(kinds_folder(call.stores))
    chosen = known.get(kind)
    if chosen is None:
        names = ", ".join(name.replace("_", " ") for name in known)
        return Result("out_of_scope", message=f"There is no template for {kind.replace('_', ' ')} yet. There is one for: {names}.")
    spec = chosen.spec
    if period is not None and period.start > call.now:
        return Result("no_data", message=f"The period {period.text} has not begun, so no document was drafted.")
    given = {"equipment": equipment, "line": line, "product": product, "lot": lot, "variant": variant, "shift": shift}
    arguments = {**{key: value for key, value in given.items() if value}, "alarm": alarm, "task": task, "skill": skill}
    if not arguments.get("equipment") and not any(given.values()) and call.equipment and (spec.last_shift or alarm):
        arguments["equipment"] = call.equipment
    if spec.needs and not any(arguments.get(name) for name in spec.needs):
        return _which(call, kind, spec)
    where: dict[str, object] = {key: value for key in PLACES if (value := arguments.get(key))}
    # A procedure or a guide may be for a machine that only its manual names; figures are of the plant's own.
    for key in () if "task" in spec.needs else ("equipment", "line", "product", "variant"):
        if key in where and str(where[key]) not in set(call.plant.vocabulary(key).values()):
            return unknown_name(call.plant, key, str(where[key]))
    try:
        draft, sections = _written(call, chosen, where, period, arguments)
    except (NothingToReport, Unanswerable) as end:
        return end.result
    proof = proof_of(call, kind, {**arguments, "period": period}, draft.evidence)
    kept = call.stores["documents"].keep(_document(draft, sections), proof, call.caller)
    assumed = (f"period: {draft.period.text}",) if draft.period and draft.period.assumed else ()
    return Result("answered", _leading(draft), assumed=assumed, data={
        "document": kept.id, "kind": kind, "title": kept.title, "status": kept.status, "revision": kept.revision,
        "missing": flagged(kept),
    })  # fmt: skip


def kinds_folder(stores: Mapping[str, Any]) -> Path | None:
    """The plant's own folder of kinds, templates and logo, if it has one."""
    return Path(stores["kinds"]) if stores.get("kinds") else None


def logo_of(folder: Path | None) -> str:
    """The plant's logo (`logo.png`, `logo.jpg` or `logo.svg` in its folder of kinds) as `kind:base64`; "" when there is
    none, or none that is small and really a picture."""
    for kind, head in _LOGOS.items():
        path = folder / f"logo.{kind}" if folder is not None else None
        if path is not None and path.is_file() and path.stat().st_size <= _LOGO_BYTES:
            content = path.read_bytes()
            if content.lstrip()[: len(head)] == head or (kind == "svg" and content.lstrip().startswith(b"<?xml")):
                return f"{kind}:{base64.b64encode(content).decode()}"
    return ""


def flagged(document: Document) -> int:
    """How many required values the document says are missing."""
    lacking = sum(len(part["items"]) for section in document.sections for part in section.parts if part["part"] == "missing")
    empty = sum(
        1 for section in document.sections for part in section.parts if part["part"] == "fields" for item in part["items"] if item["missing"]
    )
    return lacking + empty


def _which(call: Call, kind: str, spec: KindSpec) -> Result:
    wanted = " or ".join(name.replace("_", " ") for name in spec.needs)
    name = kind.replace("_", " ")
    lines = call.plant.lines.values() if "line" in spec.needs else ()
    choices = tuple(Choice(place.name, f"{name} for {place.name}") for place in lines)
    return Result("needs_clarification", message=f"For which {wanted} shall I draft the {spec.title.lower()}?", choices=choices)


def _written(call: Call, kind: Kind, where: dict[str, object], period: Period | None, arguments: Mapping[str, Any]) -> tuple[Draft, tuple[Section, ...]]:
    """The draft and its sections, all of it read in one snapshot."""
    tell: Callable[[str], None] = call.stores.get("progress") or (lambda _: None)
    with _ONE, call.plant.database.snapshot() as snapshot:
        plant = replace(call.plant, database=SnapshotDatabase(snapshot, call.plant.database.dialect))  # type: ignore[arg-type]
        inside = replace(call, plant=plant, deadline_s=max(call.deadline_s, 30.0))
        draft = Draft(inside, kind, where, None, arguments, tell=tell)
        _values(draft)
        draft.period = _period(draft, period)
        _about(draft)
        words = _words(draft)
        sections = sections_of(draft, words)
    tell("writing")
    return replace(draft, call=call), sections


def _values(draft: Draft) -> None:
    """What `$name` stands for in the declaration: the arguments, the machine's line and class, and the kind's look-ups."""
    call = draft.call
    draft.values |= {key: value for key, value in {**draft.where, **draft.arguments}.items() if value}
    machine = call.plant.equipment.get(str(draft.where.get("equipment", "")))
    if machine is not None:
        draft.values.setdefault("line", machine.line)
        draft.values.setdefault("equipment_class", machine.cls)
    variant = str(draft.where.get("variant") or "")
    if variant and not draft.where.get("product"):
        product = next((id for id in sorted(set(call.plant.vocabulary("product").values()), key=len, reverse=True) if variant.startswith(id)), None)
        if product:
            draft.values["product"] = product
    for name, lookup in draft.kind.spec.lookup.items():
        where = draft.filled(lookup.where)
        if where is None or lookup.record not in call.plant.model.records:
            continue
        try:
            found = select(call, lookup.record, where, None, [lookup.column])
        except (Unanswerable, KeyError):
            continue  # another plant's model has no such field; what needs the value says so
        values = list(dict.fromkeys(str(row[lookup.column]) for row in found.rows if row.get(lookup.column) is not None))
        if values:
            draft.values[name] = values if lookup.every else values[0]
    if draft.values.get("variant"):
        draft.values["variants"] = [draft.values["variant"], *([draft.values["product"]] if draft.values.get("product") else [])]
    if draft.kind.name in _PROCEDURES or "task" in draft.kind.spec.needs:
        draft.values.setdefault("skill", draft.arguments.get("skill") or skill_of(call, str(draft.values.get("equipment_class") or ""))[0])


def _period(draft: Draft, period: Period | None) -> Period | None:
    """The period said; else that of the data, the last completed shift for a handover, else the kind's own window."""
    call, spec = draft.call, draft.kind.spec
    if spec.last_shift:
        name = draft.where.pop("shift", None)
        if period is not None and name is None:
            return period
        run = call.plant.calendar.last_completed_shift(str(name) if name else None, period.end if period else call.now)
        if run is None:
            raise NothingToReport(Result("no_data", message="No shift has ended yet."))
        return Period(f"the {run.shift.label} of {run.date:%a %-d %b %Y}", run.start, run.end, assumed=period is None)
    if period is not None:
        return period
    if spec.window is not None and (found := _window(draft)) is not None:
        return found
    if spec.period_days is None:
        return None
    start = call.plant.calendar.day((call.now - timedelta(days=spec.period_days)).date())[0]
    return Period(f"the last {spec.period_days} days", start, call.now, assumed=True)


def _window(draft: Draft) -> Period | None:
    """The time that the data itself says: whole hours from the first start to the last end, or now."""
    window = draft.kind.spec.window
    assert window is not None
    call = draft.call
    where = draft.filled(window.where)
    record = call.plant.model.records.get(window.record)
    if where is None or record is None or not all(supports(call.plant, record, key) for key in where):
        return None
    rows = select(call, window.record, where, None, [window.start, window.end]).rows
    starts = [value for row in rows if isinstance(value := row[window.start], datetime)]
    ends = [value if isinstance(value := row[window.end], datetime) else call.now for row in rows]
    if not starts:
        return None
    zone = call.plant.zone
    begin = min(starts).astimezone(zone).replace(minute=0, second=0, microsecond=0)
    end = max(ends).astimezone(zone).replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    return Period("the time of production", begin, end)


def _about(draft: Draft) -> None:
    """Nothing is drafted about what does not exist."""
    record = draft.kind.spec.about
    if record is None or record not in draft.call.plant.model.records:
        return
    spec = draft.call.plant.model.records[record]
    scope = {key: value for key, value in draft.where.items() if supports(draft.call.plant, spec, key)}
    dated = draft.period if spec.time and record != "lots" and draft.kind.spec.window is None else None
    found = select(draft.call, record, scope, dated, limit=1)
    if found.query is None or found.query.row_count == 0:
        words = ", ".join(draft.call.plant.name(key, value) for key, value in draft.where.items())
        when = f" in {dated.text}" if dated else ""
        message = f"There are no {spec.label}{f' for {words}' if words else ''}{when}, so no document was drafted."
        raise NothingToReport(Result("no_data", message=message))


def _words(draft: Draft) -> dict[str, str]:
    """Plain texts for the template: what the document is about, in words."""
    plant, call = draft.call.plant, draft.call
    named = {key: plant.name(key, value) for key, value in draft.where.items()}
    skill, why = skill_of(call, str(draft.values.get("equipment_class") or ""))
    return {
        **{key: named.get(key, "") for key in PLACES},
        "alarm_code": str(draft.arguments.get("alarm") or ""), "task": str(draft.arguments.get("task") or ""),
        "about": ", ".join(named.values()), "period": _period_said(draft), "when": _when(draft), "plant": plant.model.plant,
        "reader": call.caller.name, "skill": str(draft.values.get("skill") or skill), "skill_reason": "" if draft.arguments.get("skill") else why,
        "now": f"{call.now.astimezone(plant.zone):%-d %b %Y %H:%M}", "emergency": plant.model.emergency.number if plant.model.emergency else "",
    }  # fmt: skip


def _period_said(draft: Draft) -> str:
    if draft.period is None:
        return ""
    zone = draft.call.plant.zone
    start, end = draft.period.start.astimezone(zone), draft.period.end.astimezone(zone)
    span = f"{start:%-d %b %Y %H:%M} to {end:%-d %b %Y %H:%M}"
    if start.time() == end.time() == datetime.min.time():
        last = end - timedelta(days=1)
        span = f"{start:%-d %b %Y}" if last.date() == start.date() else f"{start:%-d %b %Y} to {last:%-d %b %Y}"
    return span if draft.period.text in span else f"{draft.period.text} ({span})"


def _when(draft: Draft) -> str:
    """The period as it stands in a sentence: `from 1 Jan 2026 to 31 Mar 2026`, `in the night shift of Tue 16 Jun 2026`."""
    if draft.period is None:
        return "on record"
    zone = draft.call.plant.zone
    start, end = draft.period.start.astimezone(zone), draft.period.end.astimezone(zone)
    if draft.kind.spec.last_shift and draft.period.text.startswith("the "):
        return f"in {draft.period.text}"
    if start.time() == end.time() == datetime.min.time():
        last = end - timedelta(days=1)
        return f"on {start:%-d %b %Y}" if last.date() == start.date() else f"from {start:%-d %b %Y} to {last:%-d %b %Y}"
    return f"from {start:%-d %b %Y %H:%M} to {end:%-d %b %Y %H:%M}"


def _document(draft: Draft, sections: tuple[Section, ...]) -> Document:
    call, plant, kind = draft.call, draft.call.plant, draft.kind
    scope = [(key.capitalize(), plant.name(key, value)) for key, value in draft.where.items()]
    scope += [(name.capitalize(), str(draft.arguments[name])) for name in ("alarm", "task") if draft.arguments.get(name)]
    about = ", ".join(f"alarm {text}" if label == "Alarm" else text for label, text in scope)
    if said := _period_said(draft):
        scope.append(("Period", said))
    return Document(
        "", kind.name, f"{kind.spec.title}: {about}" if about else kind.spec.title, kind.spec.standard, plant.model.plant,
        call.now.isoformat(timespec="minutes"), call.caller.name, call.caller.user, tuple(sorted(call.caller.scope.lines or ())),
        tuple(scope), sections, tuple(source(item) for item in draft.evidence),
        skill=str(draft.values.get("skill") or "") if kind.name in _PROCEDURES else "", template_sha256=kind.sha256,
        logo=logo_of(kinds_folder(call.stores)),
    )  # fmt: skip


def _leading(draft: Draft) -> tuple[Evidence, ...]:
    """The evidence that the answer itself cites: the document's first sources."""
    return tuple(draft.evidence[:4])
