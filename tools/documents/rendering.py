"""One document tree as Markdown, HTML, PDF, DOCX or CSV, with its status on every page and its signatures at the end.

Templates are a boundary: HTML is built by an escaping template, PDF by typst in a child that sees only data (printing.py),
DOCX by its library (word.py), and cells that a spreadsheet would compute are quoted. Text of logs and records stays text
in every format (tests/test_documents.py renders hostile ones).
"""

from __future__ import annotations

import csv as csv_lines
import hashlib
import io
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tools.charts import svg
from tools.documents.steps import view
from tools.documents.tree import Document, Part, Source

_HERE = Path(__file__).parent
DRAFT = "DRAFT – not approved. Generated from plant data for review by people."
#: What stands on every page, by the document's status.
BANNERS = {
    "draft": DRAFT,
    "in_review": "IN REVIEW – not approved. Generated from plant data for review by people.",
    "approved": "Approved. In force only while the register shows it as effective.",
    "effective": "Approved. In force only while the register shows it as effective.",
    "superseded": "SUPERSEDED – do not use.",
    "retired": "RETIRED – do not use.",
}
_TEMPLATES = ("report.typ", "report.html", "rendering.py", "printing.py", "word.py", "steps.py")
_FORMULA = re.compile(r"^\s*[=+\-@\t\r]")
_NUMBER = re.compile(r"^\s*[+-]?\d[\d .,]*(?:\s*[%A-Za-z°µ/³²]{0,8})?$")


@dataclass(frozen=True)
class Signature:
    """One signature as it is printed: who, when (ISO), what it means, why."""

    name: str
    time: str
    meaning: str
    reason: str = ""


def render(document: Document, form: str, signatures: Sequence[Signature] = ()) -> bytes:
    """The document in one of `FORMATS`, its status on every page, `signatures` at its end. Raises KeyError for another
    form, Unavailable when the renderer fails."""
    return FORMATS[form](document, signatures)


def banner(document: Document) -> str:
    """What stands on every page of a document in this state."""
    return BANNERS.get(document.status, DRAFT)


@cache
def template_sha256() -> str:
    """SHA-256 over everything but the tree that makes the printed document: what a signature covers beside the tree."""
    return hashlib.sha256(b"\0".join((_HERE / name).read_bytes() for name in _TEMPLATES)).hexdigest()


def heading_of(document: Document) -> list[tuple[str, str]]:
    """What the document is, as (label, text) for its first page."""
    rows = [("Document", f"{document.id}, revision {document.revision}"), ("Plant", document.plant), *document.scope]
    rows += [("Drafted", f"{document.created.replace('T', ' ')[:16]} for {document.author}")]
    if document.skill:
        rows.append(("Reader", document.skill))
    return rows + ([("Standard", document.standard)] if document.standard else [])


def chart_block(part: Part) -> dict[str, Any]:
    """The chart of a part as `tools.charts.svg` draws it."""
    if "block" in part:
        return dict(part["block"])
    return {
        "kind": part["kind"], "title": part["title"], "x": {"label": "", "values": part["labels"]},
        "series": [{"name": part["title"], "unit": part["unit"], "values": part["values"]}],
    }  # fmt: skip


def chart_words(part: Part) -> str:
    """A chart in words, for people who hear the page: its title and its first values."""
    block = chart_block(part)
    unit = block["series"][0].get("unit", "") if block["series"] else ""
    values = block["series"][0]["values"] if block["series"] else []
    pairs = [f"{label}: {value:g} {unit}".strip() for label, value in zip(block["x"]["values"], values, strict=False) if value is not None]
    return f"{block['title']}. {'; '.join(pairs[:30])}"


def steps_shown(part: Part) -> list[dict[str, Any]]:
    """The steps of a part as its reader sees them; essentials, limits and warnings are those of the tree."""
    return view([{"details": [], "reasons": [], **step} for step in part["steps"]], str(part.get("skill") or "novice"))


def marked(part: Part) -> str:
    """The words of a part with their citations, which people's own words and older drafts keep apart."""
    text = str(part.get("text", ""))
    return text + "".join(f" [{name}]" for name in part.get("markers", ()) if f"[{name}]" not in text)


# -- Markdown


def markdown(document: Document, signatures: Sequence[Signature] = ()) -> bytes:
    lines = [f"# {_md(document.title)}", "", f"**{banner(document)}**", ""]
    lines += [f"- {label}: {_md(text)}" for label, text in heading_of(document)]
    for place, section in enumerate(document.sections, 1):
        lines += ["", f"## {place} {_md(section.title)}", ""]
        for part in section.parts:
            lines += [*_markdown_part(part), ""]
    if signatures:
        lines += ["", "## Signatures", "", *_md_table(["Name", "Time", "Meaning", "Reason"], [[s.name, s.time, s.meaning, s.reason] for s in signatures])]
    lines += ["", "## Data appendix", ""]
    for source in document.sources:
        lines += _markdown_source(source)
    return ("\n".join(lines) + "\n").encode()


def _markdown_source(source: Source) -> list[str]:
    lines = [f"**{source.marker}** {_md(source.title)}", ""]
    statements: Sequence[dict[str, Any]] = list(source.statements) or ([{"sql": source.sql, "parameters": source.parameters, "row_count": source.row_count, "rows_sha256": source.sha256}] if source.sql else [])
    for statement in statements:
        said = json.dumps(statement["parameters"], ensure_ascii=False).replace("`", "'")
        lines += ["```sql", statement["sql"].replace("```", "` ` `"), "```", "", f"Parameters: `{said}` · rows: {statement['row_count']} · rows SHA-256 `{statement['rows_sha256']}`", ""]
    if source.sql:
        lines += [f"Data until {source.data_until} · rows in all {source.row_count} · as shown SHA-256 `{source.sha256}`", ""]
    elif source.document:
        page = f", page {source.page}" if source.page else ""
        lines += [f"{_md(source.document)}, revision {_md(source.revision)}{page}, {_md(source.section)} · text SHA-256 `{source.sha256}`", ""]
    return lines


def _markdown_part(part: Part) -> list[str]:
    kind = part["part"]
    marker = f" [{part['marker']}]" if part.get("marker") else ""
    make = _MARKDOWN.get(kind)
    if make is not None:
        return make(part, marker)
    if kind == "text":
        return [_md(marked(part))]
    if kind == "heading":
        return [f"### {_md(part['text'])}"]
    if kind == "list":
        return [f"- {_md(item)}" for item in part["items"]]
    if kind == "warning":
        return [f"> **{_md(marked(part))}**"]
    if kind == "quote":
        return ["> " + _md(part["text"]), "", f"{_md(part['source'])}{marker}"]
    if kind == "blank":
        return [f"{_md(part['label'])}:", "", *["\\_" * 40] * part["lines"]]
    if kind == "picture":
        return [f"Picture: {_md(part['caption'])}{marker}"]
    return []


def _md_steps(part: Part, marker: str) -> list[str]:
    out = [f"**{_md(part['title'])}**", ""] if part.get("title") else []
    for step in steps_shown(part):
        if step.get("warning"):
            out += [f"> **{_md(step['warning'])}**", ""]
        out.append(f"{step['n']}. {_md(step['text'])}")
        if step.get("expected"):
            out.append(f"   Expected: {_md(step['expected'])}")
        out += [f"   - {_md(line)}" for line in step["details"]] + [f"   - Why: {_md(line)}" for line in step["reasons"]]
    return [*out, "", f"{_md(part.get('source', ''))}{marker}".strip()]


def _md_missing(part: Part, marker: str) -> list[str]:
    if not part["items"]:
        return [f"None of {part['checked']} records lacks a required field.{marker}"]
    return [f"- **{_md(item['id'])}** lacks {_md(item['field'])}{marker}" for item in part["items"]]


def _md_fields(part: Part, marker: str) -> list[str]:
    head = [f"**{_md(part['title'])}**{marker}", ""] if part["title"] else []
    return head + [f"- {_md(item['label'])}: {'**missing – required**' if item['missing'] else _md(item['text'])}" for item in part["items"]]


def _md_figures(part: Part, _: str) -> list[str]:
    return [
        f"- {_md(item['label'])}: **{_md(item['text'])}**" + (f" ({_md(item['note'])})" if item.get("note") else "")
        + (f" [{item['marker']}]" if item["marker"] else "")
        for item in part["items"]
    ]  # fmt: skip


_MARKDOWN: dict[str, Callable[[Part, str], list[str]]] = {
    "figures": _md_figures, "steps": _md_steps, "missing": _md_missing, "fields": _md_fields,
    "table": lambda part, marker: [f"**{_md(part['title'])}**", "", *_md_table(part["columns"], part["rows"]), "", f"{_md(part['note'])}{marker}".strip()],
    "form": lambda part, _: [f"**{_md(part['title'])}**", "", *_md_table(part["columns"], part["rows"])],
    "chart": lambda part, marker: [f"Chart: {_md(chart_words(part))}{marker}"],
}  # fmt: skip


def _md_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [
        "| " + " | ".join(_md(name) for name in columns) + " |", "|" + "---|" * len(columns),
        *("| " + " | ".join(_md(cell) for cell in row) + " |" for row in rows),
    ]  # fmt: skip


_CITATION = re.compile(r"\\\[(E\d+)\\\]")


def _md(text: Any) -> str:
    """Text as Markdown that means itself: markup characters escaped, line breaks kept out of tables, citations kept."""
    out = " ".join(str(text).split())
    for char in "\\`*_{}[]<>#|":
        out = out.replace(char, f"\\{char}")
    return _CITATION.sub(r"[\1]", out)


# -- HTML


def html(document: Document, signatures: Sequence[Signature] = ()) -> bytes:
    from jinja2 import FileSystemLoader
    from jinja2.sandbox import SandboxedEnvironment
    from markupsafe import Markup

    environment = SandboxedEnvironment(loader=FileSystemLoader(_HERE), autoescape=True, trim_blocks=True, lstrip_blocks=True)
    template = environment.get_template("report.html")
    # The chart's SVG is an element tree of our own making, with every text escaped by its writer.
    return template.render(
        document=document, heading=heading_of(document), draft=banner(document), signatures=signatures, shown=steps_shown, marked=marked,
        picture=lambda part: Markup(svg(chart_block(part))), parameters=lambda item: json.dumps(item, ensure_ascii=False),
    ).encode()  # fmt: skip


# -- CSV and JSON


def csv(document: Document, signatures: Sequence[Signature] = ()) -> bytes:
    """Every table of the document, one below the other with its title, for a spreadsheet; cells that it would compute
    begin with an apostrophe."""
    out = io.StringIO()
    writer = csv_lines.writer(out)
    writer.writerow([cell(document.id), cell(document.title), cell(banner(document))])
    for section in document.sections:
        for part in section.parts:
            if part["part"] == "table":
                writer.writerows([[], [cell(part["title"] or section.title)], [cell(name) for name in part["columns"]]])
                writer.writerows([cell(text) for text in row] for row in part["rows"])
    return out.getvalue().encode("utf-8-sig")


def cell(text: Any) -> str:
    """A cell that a spreadsheet shows and does not compute."""
    plain = str(text)
    return f"'{plain}" if _FORMULA.match(plain) and not _NUMBER.match(plain) else plain


def as_json(document: Document, signatures: Sequence[Signature] = ()) -> bytes:
    return document.canonical().encode()


def _pdf(document: Document, signatures: Sequence[Signature] = ()) -> bytes:
    from tools.documents.printing import pdf

    return pdf(document, signatures)


def _docx(document: Document, signatures: Sequence[Signature] = ()) -> bytes:
    from tools.documents.word import docx

    return docx(document, signatures)


FORMATS: dict[str, Callable[[Document, Sequence[Signature]], bytes]] = {
    "md": markdown, "html": html, "pdf": _pdf, "docx": _docx, "csv": csv, "json": as_json,
}  # fmt: skip
