"""The parts that a template can place: tiles, tables, charts, forms, step lists, quotations, flags and blanks to fill in.

Each takes a finding and gives the parts of the tree; cells are shown as evidence is shown everywhere, and every part
carries the marker of its evidence. Empty findings become one sentence that says what was looked for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from tools.documents.findings import Draft, Finding
from tools.documents.knowledge import Excerpt, Reference, StepList
from tools.documents.pictures import figure_page
from tools.documents.tree import Part
from tools.evidence import MISSING, Column, Evidence

_RIGHT = ("count", "number", "percent", "duration_s")
_MOST_BARS, _MOST_POINTS = 24, 120
_DETAIL_CHARACTERS = 420


class Parts:
    """The functions of one draft's template."""

    def __init__(self, draft: Draft) -> None:
        self.draft = draft

    def functions(self) -> dict[str, Callable[..., Any]]:
        makers = (self.figures, self.table, self.chart, self.fields, self.each, self.steps, self.excerpts, self.quotes, self.flags, self.blank, self.form)
        return {make.__name__: self._token(make) for make in makers} | {"named_parts": self.named_parts, "how_many": self.how_many}

    def _token(self, make: Callable[..., list[Part]]) -> Callable[..., str]:
        return lambda *given, **named: self.draft.token(make(*given, **named))

    def _nothing(self, finding: Finding) -> list[Part]:
        if not finding.message and finding.evidence is None:
            return []
        text = finding.message or "None."
        marker = finding.marker
        return [{"part": "text", "text": f"{text} [{marker}]" if marker else text, "markers": [marker] if marker else []}]

    def how_many(self, finding: Finding, one: str, many: str) -> str:
        """A counted figure with its noun: `how_many(opened, "report was", "reports were")`."""
        return f"{finding} {one if finding.value == 1 else many}"

    # -- figures

    def figures(self, *findings: Finding) -> list[Part]:
        """Tiles, one a figure."""
        items = [{"label": f.label, "text": f.text or f.message or "no data", "marker": f.marker, "note": self._note(f)} for f in findings]
        return [{"part": "figures", "items": items}]

    def _note(self, finding: Finding) -> str:
        """What a tile is compared with, and where that comes from."""
        if finding.compared_with is None:
            return finding.note
        return f"{finding.note} [{self.draft.cite(finding.compared_with)}]"

    def table(self, finding: Finding, *columns: str, title: str = "") -> list[Part]:
        """The rows; `columns` picks and orders them."""
        evidence = finding.evidence
        if evidence is None or not evidence.rows:
            return self._nothing(finding)
        picked = [evidence.column(name) for name in columns if any(c.name == name for c in evidence.columns)] or list(evidence.columns)
        shown = [column for place, column in enumerate(picked) if place == 0 or any(row.get(column.name) not in (None, "") for row in evidence.rows)] or picked
        rows = [[self.draft.show(row.get(column.name), column) for column in shown] for row in evidence.rows]
        return [_table(title or finding.label, shown, rows, finding.marker, finding.note)]

    def chart(self, finding: Finding, value: str = "", kind: str = "bar", title: str = "", by: str = "", limit: Finding | None = None) -> list[Part]:
        """The rows as bars, a line or a Pareto: `by` names the column along the axis, `value` the one that is drawn."""
        evidence = finding.evidence
        if evidence is None or len(evidence.rows) < 2:
            return []
        axis = evidence.column(by) if by else evidence.columns[0]
        column = evidence.column(value) if value else next((c for c in evidence.columns if c.kind in _RIGHT), None)
        if column is None:
            return []
        scale, unit = _scale(column)
        rows = evidence.rows[-_MOST_POINTS:] if kind == "line" else evidence.rows[:_MOST_BARS]
        values = [None if row.get(column.name) is None else round(float(str(row[column.name])) * scale, 4) for row in rows]
        block: dict[str, Any] = {
            "kind": kind, "title": title or f"{column.label} by {axis.label.lower()}",
            "x": {"label": axis.label, "values": [self.draft.show(row.get(axis.name), axis) for row in rows]},
            "series": [{"name": column.label, "unit": unit, "values": values}],
        }  # fmt: skip
        if limit is not None and isinstance(limit.value, int | float):
            block["limits"] = [{"label": limit.label, "value": round(float(limit.value) * scale, 4)}]
        return [{"part": "chart", "title": block["title"], "block": block, "marker": finding.marker}]

    # -- records

    def fields(self, finding: Finding, *columns: str, required: Sequence[str] = ()) -> list[Part]:
        """The first row as a form; required fields that are empty are flagged."""
        evidence = finding.evidence
        if evidence is None or not (evidence.rows or evidence.facts):
            return self._nothing(finding)
        if not evidence.rows:
            return [self._facts(finding, evidence, columns, required)]
        return [self._form_of(finding, evidence, evidence.rows[0], columns, required, finding.label)]

    def each(self, finding: Finding, *columns: str, required: Sequence[str] = ()) -> list[Part]:
        """Every row as a form of its own."""
        evidence = finding.evidence
        if evidence is None or not evidence.rows:
            return self._nothing(finding)
        first = evidence.columns[0]
        return [
            self._form_of(finding, evidence, row, columns, required, self.draft.show(row.get(first.name), first)) for row in evidence.rows
        ]

    def _form_of(self, finding: Finding, evidence: Evidence, row: Mapping[str, Any], columns: Sequence[str], required: Sequence[str], title: str) -> Part:
        known = {column.name: column for column in evidence.columns}
        items = []
        for name in columns or known:
            column = known.get(name)
            empty = column is None or row.get(name) in (None, "")
            if column is None and name not in required:
                continue
            label = column.label if column else name.replace("_", " ").capitalize()
            text = MISSING if column is None else self.draft.show(row.get(name), column)
            items.append({"label": label, "text": MISSING if empty else text, "missing": empty and name in required})
        return {"part": "fields", "title": title, "items": items, "marker": finding.marker}

    def _facts(self, finding: Finding, evidence: Evidence, columns: Sequence[str], required: Sequence[str]) -> Part:
        items = []
        for name in columns or tuple(evidence.facts):
            column, value = evidence.facts.get(name, (None, None))
            label = name.replace("_", " ").capitalize()
            empty = column is None or value in (None, "")
            if empty and name not in required:
                continue
            items.append({"label": label, "text": MISSING if empty or column is None else self.draft.show(value, column), "missing": empty})
        source = place_of(evidence) if evidence.quotes else ""
        return {"part": "fields", "title": finding.label, "items": items, "marker": finding.marker, "source": source}

    def flags(self, finding: Finding) -> list[Part]:
        """Required fields that are empty: listed, never filled in."""
        if finding.items is None or finding.evidence is None:
            return self._nothing(finding)
        return [{"part": "missing", "title": finding.label, "items": finding.items, "checked": finding.checked, "marker": finding.marker}]

    # -- words of documents

    def quotes(self, found: Any) -> list[Part]:
        """Passages, verbatim with their place."""
        parts: list[Part] = []
        for finding in found if isinstance(found, list) else [found]:
            evidence = finding.evidence
            if evidence is not None and evidence.quotes:
                parts.append({"part": "quote", "text": evidence.quotes[-1].text, "source": place_of(evidence), "marker": finding.marker})
        return parts or ([] if isinstance(found, list) else self._nothing(found))

    def excerpts(self, found: Sequence[Excerpt]) -> list[Part]:
        """Sections of a source: its tables as tables, its words as quotations."""
        parts: list[Part] = []
        for item in found:
            marker = self.draft.cite(item.evidence)
            if item.rows:
                names = list(dict.fromkeys(name for row in item.rows for name in row))
                rows = [[row.get(name, "") for name in names] for row in item.rows]
                parts.append(_table(item.section, [Column(name, name) for name in names], rows, marker, place_of(item.evidence)))
            else:
                text = "\n".join(quote.text for quote in item.evidence.quotes)
                kind = "warning" if text.upper().startswith(("WARNING", "DANGER", "CAUTION")) else "quote"
                if kind == "warning":
                    parts.append({"part": "warning", "text": f"{text} [{marker}]", "markers": [marker]})
                else:
                    parts.append({"part": "quote", "text": text, "source": place_of(item.evidence), "marker": marker})
        return parts

    def steps(self, found: Any, skill: str = "") -> list[Part]:
        """A step tree with what its steps point to, and the figures of the pages that they name."""
        if not isinstance(found, StepList):
            return [{"part": "text", "text": "No approved step list was found.", "markers": []}]
        marker = self.draft.cite(found.evidence)
        steps, pictures = [], []
        seen: set[tuple[str, int]] = set()
        for step in found.tree:
            details = list(step["details"])
            for reference in found.references.get(step["n"], ()):
                own = self.draft.cite(reference.evidence)
                details.append(f"{_detail(reference)} [{own}]")
                picture = self._picture(reference.evidence, own, seen)
                pictures += [picture] if picture else []
            steps.append({**step, "details": details})
        first = self._picture(found.evidence, marker, seen)
        pictures = [first, *pictures] if first else pictures
        title = found.evidence.quotes[0].section or found.evidence.title
        level = skill or str(self.draft.values.get("skill") or "experienced")
        return [{"part": "steps", "title": title, "steps": steps, "skill": level, "marker": marker, "source": place_of(found.evidence)}, *pictures[:4]]

    def named_parts(self, found: Any, stock: Finding) -> Finding:
        """The rows of a list of parts whose ids the steps name."""
        evidence = stock.evidence
        if not isinstance(found, StepList) or evidence is None:
            return Finding(self.draft, "Parts that the steps name")
        words = " ".join(f"{step['text']} {step['expected']} {step['warning']}" for step in found.tree)
        rows = tuple(row for row in evidence.rows if re.search(rf"(?<![\w-]){re.escape(str(row.get('id')))}(?![\w-])", words))
        if not rows:
            return Finding(self.draft, "Parts that the steps name")
        return Finding(self.draft, "Parts that the steps name", replace(evidence, title="Parts that the steps name", rows=rows), value=len(rows))

    def _picture(self, evidence: Evidence, marker: str, seen: set[tuple[str, int]]) -> Part | None:
        first = evidence.quotes[0]
        if first.page is None or (first.document, first.page) in seen:
            return None
        seen.add((first.document, first.page))
        info = next((d for d in self.draft.call.index.documents() if d.document == first.document and d.revision == first.revision), None)
        png = figure_page(info.source, first.page) if info is not None else ""
        return {"part": "picture", "png": png, "caption": place_of(evidence), "marker": marker} if png else None

    # -- for people to fill in

    def blank(self, label: str, lines: int = 2) -> list[Part]:
        """A ruled space under a label."""
        return [{"part": "blank", "label": label, "lines": max(1, min(int(lines), 20))}]

    def form(self, title: str, columns: Sequence[str], rows: int = 3) -> list[Part]:
        """A table with heads and empty rows; a row may be given as a list of texts."""
        given = rows if isinstance(rows, list | tuple) else [[""] * len(columns)] * max(1, min(int(rows), 40))
        filled = [[str(cell) for cell in row] + [""] * (len(columns) - len(row)) for row in given]
        return [{"part": "form", "title": title, "columns": [str(name) for name in columns], "rows": filled}]


def _detail(reference: Reference) -> str:
    first = reference.evidence.quotes[0]
    if not reference.words.startswith("section"):
        return f"{reference.words}: {first.title}, revision {first.revision}, {first.section}{f', page {first.page}' if first.page else ''}"
    text = " ".join(" ".join(quote.text.split()) for quote in reference.evidence.quotes)
    if len(text) > _DETAIL_CHARACTERS:
        text = f"{text[:_DETAIL_CHARACTERS].rsplit(' ', 1)[0]} …"
    return f"{first.section}{f' (page {first.page})' if first.page else ''}: {text}"


def place_of(evidence: Evidence) -> str:
    """Where quoted words stand, as a reader finds them."""
    first = evidence.quotes[0]
    page = f", page {first.page}" if first.page else ""
    author = f", {first.author}, {first.date[:10]}" if first.author else ""
    name = first.document if first.title == first.document else f"{first.title} ({first.document})"
    return f"{name}, revision {first.revision}{page}{author}" if first.revision else f"{first.title}{author}"


def _scale(column: Column) -> tuple[float, str]:
    if column.kind == "percent":
        return 100.0, "%"
    if column.kind == "duration_s":
        return 1 / 3600, "h"
    return 1.0, column.unit


def _table(title: str, columns: Sequence[Column], rows: Sequence[Sequence[str]], marker: str, note: str) -> Part:
    """A table part. `widths` are the characters that each column needs, so that every renderer shares the page alike."""
    widths = []
    for place, column in enumerate(columns):
        longest = max((len(row[place]) for row in rows), default=0)
        words = max((len(word) for row in rows[:400] for word in row[place].split()), default=0)
        widths.append(max(min(longest, 60), words, len(max(column.label.split() or [""], key=len))))
    return {
        "part": "table", "title": title, "columns": [column.label for column in columns], "rows": [list(row) for row in rows],
        "align": ["right" if column.kind in _RIGHT else "left" for column in columns], "widths": widths, "marker": marker, "note": note,
    }  # fmt: skip
