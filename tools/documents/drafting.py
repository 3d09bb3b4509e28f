"""From a declaration to a draft: run the declared queries under the caller's rights, put what they found into a
document tree, keep it. Every figure comes from evidence; nothing is counted over a truncated result; what a required
field lacks is listed, never filled in. Nothing is written when there is nothing to report.
tests/test_documents.py recomputes the figures by independent SQL.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from tools.alarms import explain_alarm
from tools.conditions import unknown_name
from tools.documents.appendix import source
from tools.documents.kinds import Figure, KindSpec, Missing, SectionSpec, kinds
from tools.documents.proof import proof_of
from tools.documents.tree import Document, Part, Section
from tools.evidence import Evidence, show
from tools.maintenance import diagnose
from tools.manuals import get_procedure, step_lines_of
from tools.metrics import query_metrics
from tools.records import list_records, select
from tools.registry import Call, Choice, Period, Result, Unanswerable
from tools.tracing import trace_material

PLACES = ("equipment", "line", "product", "lot", "variant", "shift")
_LIST_ROWS = 1000


class NothingToReport(Exception):
    """The draft would be about nothing; `result` says so to the person."""

    def __init__(self, result: Result) -> None:
        super().__init__(result.message)
        self.result = result


@dataclass
class Draft:
    """A document in the making: its call, scope and period, and the evidence used so far."""

    call: Call
    spec: KindSpec
    where: dict[str, object]
    period: Period | None
    arguments: Mapping[str, Any]
    evidence: list[Evidence] = field(default_factory=list)

    def cite(self, item: Evidence) -> str:
        """Take evidence into the document; returns its marker there."""
        marker = f"E{len(self.evidence) + 1}"
        self.evidence.append(item.marked(marker))
        return marker

    def scope_for(self, record: str, extra: Mapping[str, Any]) -> dict[str, object]:
        """The document's scope as far as this record knows it, with the section's own filter."""
        fields = self.call.plant.model.records[record].fields
        known = {key: value for key, value in self.where.items() if key in fields or key in ("line", "equipment", "product", "lot")}
        if record == "spare_parts":
            known = {}
        return {**known, **extra}


def draft_document(call: Call, kind: str, equipment: str | None = None, line: str | None = None, product: str | None = None,
                   lot: str | None = None, alarm: str | None = None, task: str | None = None, period: Period | None = None,
                   shift: str | None = None, skill: str | None = None, variant: str | None = None) -> Result:  # fmt: skip
    """Draft a document for people to review: troubleshooting guide, SOP, work instruction, NCR summary, shift handover,
    batch record, deviation, CAPA, OEE, maintenance or training report.

    kind: which. The other arguments say what it is about."""
    spec = kinds().get(kind)
    if spec is None:
        known = ", ".join(name.replace("_", " ") for name in kinds())
        return Result("out_of_scope", message=f"There is no template for {kind.replace('_', ' ')} yet. There is one for: {known}.")
    given = {"equipment": equipment, "line": line, "product": product, "lot": lot, "variant": variant, "shift": shift}
    arguments = {**{key: value for key, value in given.items() if value}, "alarm": alarm, "task": task, "skill": skill}
    if not arguments.get("equipment") and not any(given.values()) and call.equipment and (spec.last_shift or alarm):
        arguments["equipment"] = call.equipment
    if spec.needs and not any(arguments.get(name) for name in spec.needs):
        wanted = " or ".join(name.replace("_", " ") for name in spec.needs)
        choices = _line_choices(call, kind) if "line" in spec.needs else ()
        return Result("needs_clarification", message=f"For which {wanted} shall I draft the {spec.title.lower()}?", choices=choices)
    where: dict[str, object] = {key: value for key in PLACES if (value := arguments.get(key))}
    # A procedure or a guide may be for a machine that only its manual names; figures are of the plant's own.
    for key in () if "task" in spec.needs else ("equipment", "line", "product", "variant"):
        if key in where and str(where[key]) not in set(call.plant.vocabulary(key).values()):
            return unknown_name(call.plant, key, str(where[key]))
    try:
        draft = Draft(call, spec, where, _period(call, spec, period, where), arguments)
        sections = tuple(section for item in spec.sections if (section := _section(draft, item)) is not None)
    except (NothingToReport, Unanswerable) as end:
        return end.result
    document = _document(draft, kind, sections)
    kept = call.stores["documents"].keep(document, proof_of(call, kind, {**arguments, "period": period}, draft.evidence), call.caller)
    assumed = (f"period: {draft.period.text}",) if draft.period and draft.period.assumed else ()
    shown = _summary(draft)
    return Result("answered", shown, assumed=assumed, data={
        "document": kept.id, "kind": kind, "title": kept.title, "status": kept.status, "revision": kept.revision,
        "missing": sum(len(part["items"]) for section in sections for part in section.parts if part["part"] == "missing"),
    })  # fmt: skip


def _line_choices(call: Call, kind: str) -> tuple[Choice, ...]:
    name = kind.replace("_", " ")
    return tuple(Choice(place.name, f"{name} for {place.name}") for place in call.plant.lines.values())


def _period(call: Call, spec: KindSpec, period: Period | None, where: dict[str, object]) -> Period | None:
    """The period said; else the last completed shift for a handover, else the kind's own window."""
    if spec.last_shift:
        name = where.pop("shift", None)
        if period is not None and name is None:
            return period
        run = call.plant.calendar.last_completed_shift(str(name) if name else None, period.end if period else call.now)
        if run is None:
            raise NothingToReport(Result("no_data", message="No shift has ended yet."))
        return Period(f"the {run.shift.label} of {run.date:%a %-d %b %Y}", run.start, run.end, assumed=period is None)
    if period is not None or spec.period_days is None:
        return period
    start = call.plant.calendar.day((call.now - timedelta(days=spec.period_days)).date())[0]
    return Period(f"the last {spec.period_days} days", start, call.now, assumed=True)


def _section(draft: Draft, spec: SectionSpec) -> Section | None:
    """One section; None when it has nothing to say that its kind must say."""
    parts: list[Part] = []
    if spec.figures is not None:
        parts.append({"part": "figures", "items": [_figure(draft, item) for item in spec.figures]})
    elif spec.text is not None:
        parts.append({"part": "text", "text": spec.text, "markers": []})
    else:
        for name, build in _BUILDERS.items():
            if getattr(spec, name):
                parts = build(draft, spec)
    return Section(spec.title, tuple(parts)) if parts else None


def _rows(draft: Draft, record: str, where: Mapping[str, Any], dated: bool, columns: Sequence[str] | None = None, order: str | None = None) -> Evidence:
    period = draft.period if dated else None
    return select(draft.call, record, draft.scope_for(record, where), period, columns=columns, order=order, limit=_LIST_ROWS)


def _figure(draft: Draft, item: Figure) -> dict[str, Any]:
    """One tile: a certified metric, or how many records there are (counted by the database)."""
    zone = draft.call.plant.zone
    if item.metric:
        result = query_metrics(draft.call, [item.metric], dict(draft.where), draft.period)
        if result.status in ("not_allowed", "unavailable"):
            raise NothingToReport(result)
        if not result.evidence:
            return {"label": item.label, "text": "no data", "marker": ""}
        found = result.evidence[0]
        return {"label": item.label, "text": show(found.rows[0][item.metric], found.column(item.metric), zone), "marker": draft.cite(found)}
    assert item.count is not None
    found = select(draft.call, item.count, draft.scope_for(item.count, item.where), draft.period if item.dated else None, limit=1)
    total = found.query.row_count if found.query else 0
    if total == 0 and item.count == draft.spec.about and not item.where:
        raise NothingToReport(_nothing(draft, item.count))
    return {"label": item.label, "text": f"{total:,}".replace(",", " "), "marker": draft.cite(found)}


def _nothing(draft: Draft, record: str) -> Result:
    words = ", ".join(draft.call.plant.name(key, value) for key, value in draft.where.items())
    label = draft.call.plant.model.records[record].label
    when = f" in {draft.period.text}" if draft.period else ""
    return Result("no_data", message=f"There are no {label}{f' for {words}' if words else ''}{when}, so no document was drafted.")


def _metrics(draft: Draft, spec: SectionSpec) -> list[Part]:
    wanted = spec.metrics
    assert wanted is not None
    result = query_metrics(draft.call, list(wanted.metrics), dict(draft.where), draft.period, [wanted.by], wanted.sort, wanted.limit)
    if not result.evidence:
        return [{"part": "text", "text": result.message, "markers": []}]
    found = result.evidence[0]
    marker = draft.cite(found)
    names = [wanted.by, *wanted.metrics]
    parts = [_table(draft, found, marker, names)]
    if wanted.chart:
        first = wanted.metrics[0]
        parts.insert(0, _chart(found, marker, wanted.chart, wanted.by, first, draft))
    return parts


def _counts(draft: Draft, spec: SectionSpec) -> list[Part]:
    wanted = spec.counts
    assert wanted is not None
    where = draft.scope_for(wanted.record, wanted.where)
    result = list_records(draft.call, wanted.record, where, draft.period, [wanted.by])
    if not result.evidence:
        return [{"part": "text", "text": result.message, "markers": []}]
    found = result.evidence[0]
    marker = draft.cite(found)
    parts = [_table(draft, found, marker, [wanted.by, "count", "share"])]
    if wanted.chart and len(found.rows) > 1:
        parts.insert(0, _chart(found, marker, wanted.chart, wanted.by, "count", draft))
    return parts


def _list(draft: Draft, spec: SectionSpec) -> list[Part]:
    wanted = spec.list
    assert wanted is not None
    where = dict(wanted.where)
    if wanted.record == "lots" and draft.where.get("lot"):
        where = {"id": draft.where["lot"], **where}
    found = _rows(draft, wanted.record, where, wanted.dated, wanted.columns, wanted.order)
    if not found.rows:
        if wanted.record == draft.spec.about:
            raise NothingToReport(_nothing(draft, wanted.record))
        return [{"part": "text", "text": f"None: no {draft.call.plant.model.records[wanted.record].label}.", "markers": [draft.cite(found)]}]
    return [_table(draft, found, draft.cite(found), [column.name for column in found.columns])]


def _repeated(draft: Draft, spec: SectionSpec) -> list[Part]:
    """Values of a free column that occur more than once, counted over all rows (never over a truncated result)."""
    wanted = spec.repeated
    assert wanted is not None
    found = _rows(draft, wanted.record, {}, True, ["id", wanted.column])
    if found.query is not None and found.query.row_count > len(found.rows):
        return [{"part": "text", "text": "There are too many reports to list repeated values; choose a shorter period.", "markers": []}]
    marker = draft.cite(found)
    counted = Counter(str(row[wanted.column]) for row in found.rows if row.get(wanted.column))
    rows = [[value, str(times)] for value, times in counted.most_common() if times > 1]
    if not rows:
        return [{"part": "text", "text": f"No {wanted.column.replace('_', ' ')} is recorded more than once.", "markers": [marker]}]
    return [{"part": "table", "title": spec.title, "columns": [wanted.column.replace("_", " ").capitalize(), "Reports"], "rows": rows, "marker": marker, "note": ""}]


def _missing(draft: Draft, spec: SectionSpec) -> list[Part]:
    wanted = spec.missing
    assert wanted is not None
    found = _rows(draft, wanted.record, {}, True, _needed_columns(wanted))
    marker = draft.cite(found)
    items = [
        {"id": str(row["id"]), "field": name.replace("_", " ")}
        for row in found.rows
        for name in wanted.columns
        if not row.get(name) and (name not in wanted.when or row.get(wanted.when[name]))
    ]
    return [{"part": "missing", "title": spec.title, "items": items, "checked": len(found.rows), "marker": marker}]


def _needed_columns(wanted: Missing) -> list[str]:
    return list(dict.fromkeys(["id", *wanted.columns, *wanted.when.values()]))


def _alarm(draft: Draft, spec: SectionSpec) -> list[Part]:
    """Everything known of an alarm, or of a symptom: procedure first and verbatim, then published and counted causes."""
    arguments = draft.arguments
    equipment = arguments.get("equipment")
    if arguments.get("alarm"):
        result = explain_alarm(draft.call, str(arguments["alarm"]), equipment)
    else:
        result = diagnose(draft.call, str(arguments["task"]), equipment)
    if not result.evidence:
        raise NothingToReport(result)
    parts: list[Part] = []
    for place, item in enumerate(result.evidence):
        marker = draft.cite(item)
        if place == result.data.get("steps"):
            lines = [dict(line) for line in result.data["lines"]]
            parts.insert(0, {"part": "steps", "title": item.quotes[0].section, "steps": lines, "marker": marker})
        elif item.quotes:
            parts.append({"part": "quote", "text": item.quotes[-1].text, "source": _where(item), "marker": marker})
        elif item.rows:
            parts.append(_table(draft, item, marker, [column.name for column in item.columns]))
    return parts


def _procedure(draft: Draft, spec: SectionSpec) -> list[Part]:
    """The approved procedure's own steps, verbatim with their warnings; nothing is invented."""
    arguments = draft.arguments
    result = get_procedure(draft.call, str(arguments["task"]), arguments.get("equipment"), arguments.get("product"), arguments.get("skill"))
    if not result.evidence:
        message = f"{result.message} Without an approved source there is nothing to draft from."
        raise NothingToReport(Result("no_data", message=message))
    item = result.evidence[0]
    marker = draft.cite(item)
    lines = [dict(line) for line in step_lines_of(item)]
    return [
        {"part": "text", "text": f"Taken word for word from {_where(item)}; check that it fits before approval.", "markers": [marker]},
        {"part": "steps", "title": item.quotes[0].section, "steps": lines, "marker": marker},
    ]


def _trace(draft: Draft, spec: SectionSpec) -> list[Part]:
    result = trace_material(draft.call, lot=str(draft.where["lot"]), direction="backward" if spec.trace == "backward" else "forward")
    if not result.evidence:
        return [{"part": "text", "text": result.message, "markers": []}]
    return [_table(draft, item, draft.cite(item), [column.name for column in item.columns]) for item in result.evidence if item.rows]


_BUILDERS: dict[str, Callable[[Draft, SectionSpec], list[Part]]] = {
    "metrics": _metrics, "counts": _counts, "list": _list, "repeated": _repeated, "missing": _missing, "alarm": _alarm,
    "procedure": _procedure, "trace": _trace,
}  # fmt: skip


def _where(item: Evidence) -> str:
    quote = item.quotes[0]
    page = f", page {quote.page}" if quote.page else ""
    author = f", {quote.author}, {quote.date[:10]}" if quote.author else ""
    return f"{quote.title} ({quote.document} revision {quote.revision}{page}){author}" if quote.revision else f"{quote.title}{author}"


def _table(draft: Draft, found: Evidence, marker: str, names: Sequence[str]) -> Part:
    columns = [column for name in names for column in found.columns if column.name == name]
    zone = draft.call.plant.zone
    rows = [[show(row.get(column.name), column, zone) for column in columns] for row in found.rows]
    total = found.query.row_count if found.query else len(rows)
    note = f"{len(rows)} of {total} rows are shown." if total > len(rows) and len(rows) >= _LIST_ROWS else ""
    return {"part": "table", "title": found.title, "columns": [column.label for column in columns], "rows": rows, "marker": marker, "note": note}


def _chart(found: Evidence, marker: str, kind: str, by: str, value: str, draft: Draft) -> Part:
    column = found.column(value)
    scale = 100.0 if column.kind == "percent" else 1 / 3600 if column.kind == "duration_s" else 1.0
    unit = "%" if column.kind == "percent" else "h" if column.kind == "duration_s" else column.unit
    rows = found.rows[:24] if kind == "bar" else found.rows[-60:]
    values = [None if row[value] is None else round(float(str(row[value])) * scale, 3) for row in rows]
    labels = [show(row.get(by), found.column(by), draft.call.plant.zone) for row in rows]
    return {"part": "chart", "title": column.label, "kind": kind, "labels": labels, "values": values, "unit": unit, "marker": marker}


def _document(draft: Draft, kind: str, sections: tuple[Section, ...]) -> Document:
    call, plant = draft.call, draft.call.plant
    scope = [(key.capitalize(), plant.name(key, value)) for key, value in draft.where.items()]
    for name in ("alarm", "task"):
        if draft.arguments.get(name):
            scope.append((name.capitalize(), str(draft.arguments[name])))
    if draft.period is not None:
        text = f"{draft.period.start.astimezone(plant.zone):%-d %b %Y %H:%M} to {draft.period.end.astimezone(plant.zone):%-d %b %Y %H:%M}"
        scope.append(("Period", f"{draft.period.text} ({text})"))
    about = ", ".join(text for label, text in scope if label != "Period")
    title = f"{draft.spec.title}: {about}" if about else draft.spec.title
    return Document(
        "", kind, title, draft.spec.standard, plant.model.plant, call.now.isoformat(timespec="minutes"), call.caller.name,
        call.caller.user, tuple(sorted(call.caller.scope.lines or ())),
        tuple(scope), sections, tuple(source(item) for item in draft.evidence),
    )  # fmt: skip


def _summary(draft: Draft) -> tuple[Evidence, ...]:
    """The evidence that the answer itself cites: the document's first sources."""
    return tuple(draft.evidence[:4])
