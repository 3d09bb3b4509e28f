"""One document tree as Markdown, HTML, PDF or DOCX.

Templates are a boundary: data reaches typst only as a JSON file that the template reads, compiled in a child process
whose root is a folder that holds nothing else; HTML is built by an escaping template. Text of logs and records stays
text in every format (tests/test_documents.py renders hostile ones).
"""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tools.documents.tree import Document, Part
from tools.registry import Unavailable

_HERE = Path(__file__).parent
_PDF_SECONDS = 60
DRAFT = "DRAFT – not approved. Generated from plant data for review by people."
#: What stands on every page, by the document's status.
BANNERS = {
    "draft": DRAFT,
    "in_review": "IN REVIEW – not approved. Generated from plant data for review by people.",
    "approved": "Approved – not yet effective.",
    "effective": "Effective.",
    "superseded": "SUPERSEDED – do not use.",
    "retired": "RETIRED – do not use.",
}


@dataclass(frozen=True)
class Signature:
    """One signature as it is printed: who, when (ISO), what it means, why."""

    name: str
    time: str
    meaning: str
    reason: str = ""

_CHILD = """
import resource, sys, typst
resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
folder = sys.argv[1]
typst.compile(folder + "/report.typ", output=folder + "/report.pdf", root=folder)
"""


def render(document: Document, form: str, signatures: Sequence[Signature] = ()) -> bytes:
    """The document in one of `FORMATS`, its status on every page, `signatures` at its end. Raises KeyError for another
    form, Unavailable when the renderer fails."""
    return FORMATS[form](document, signatures)


def banner(document: Document) -> str:
    """What stands on every page of a document in this state."""
    return BANNERS.get(document.status, DRAFT)


def template_sha256() -> str:
    """SHA-256 over everything but the tree that makes the printed document: what a signature covers beside the tree."""
    parts = [_HERE / name for name in ("report.typ", "report.html", "rendering.py")]
    return hashlib.sha256(b"\0".join(part.read_bytes() for part in parts)).hexdigest()


def markdown(document: Document, signatures: Sequence[Signature] = ()) -> bytes:
    lines = [f"# {_md(document.title)}", "", f"**{banner(document)}**", ""]
    lines += [f"- {label}: {_md(text)}" for label, text in _heading(document)]
    for section in document.sections:
        lines += ["", f"## {_md(section.title)}", ""]
        for part in section.parts:
            lines += [*_markdown_part(part), ""]
    lines += ["", "## Data appendix", ""]
    for source in document.sources:
        lines.append(f"**{source.marker}** {_md(source.title)}")
        if source.sql:
            lines += ["", "```sql", source.sql.replace("```", "` ` `"), "```", "", f"Parameters: `{json.dumps(source.parameters, ensure_ascii=False)}` · rows: {source.row_count} · data until {source.data_until} · rows SHA-256 `{source.sha256}`", ""]
        else:
            lines += [f" – {_md(source.document)} revision {_md(source.revision)}, page {source.page}, {_md(source.section)} · text SHA-256 `{source.sha256}`", ""]
    return ("\n".join(lines) + "\n").encode()


def _heading(document: Document) -> list[tuple[str, str]]:
    rows = [("Document", f"{document.id}, revision {document.revision}"), ("Plant", document.plant), *document.scope]
    rows += [("Drafted", f"{document.created} for {document.author}")]
    return rows + ([("Standard", document.standard)] if document.standard else [])


def _markdown_part(part: Part) -> list[str]:
    kind = part["part"]
    marker = f" [{part['marker']}]" if part.get("marker") else ""
    if kind == "text":
        return [_md(part["text"]) + "".join(f" [{name}]" for name in part["markers"])]
    if kind == "figures":
        return [f"- {_md(item['label'])}: **{_md(item['text'])}**" + (f" [{item['marker']}]" if item["marker"] else "") for item in part["items"]]
    if kind == "table":
        head = ["| " + " | ".join(_md(name) for name in part["columns"]) + " |", "|" + "---|" * len(part["columns"])]
        body = ["| " + " | ".join(_md(cell) for cell in row) + " |" for row in part["rows"]]
        return [*head, *body, "", f"{_md(part['note'])}{marker}".strip()]
    if kind == "steps":
        out = []
        for step in part["steps"]:
            if step.get("warning"):
                out.append(f"> **{_md(step['warning'])}**")
            out.append(f"{step['n']}. {_md(step['text'])}")
        return [*out, marker.strip()]
    if kind == "quote":
        return ["> " + _md(part["text"]), "", f"{_md(part['source'])}{marker}"]
    if kind == "missing":
        if not part["items"]:
            return [f"None of {part['checked']} records lacks a required field.{marker}"]
        return [f"- **{_md(item['id'])}** lacks {_md(item['field'])}{marker}" for item in part["items"]]
    return []  # a chart shows what the table below it holds


def _md(text: Any) -> str:
    """Text as Markdown that means itself: markup characters escaped, line breaks kept out of tables."""
    out = " ".join(str(text).split())
    for char in "\\`*_{}[]<>#|":
        out = out.replace(char, f"\\{char}")
    return out


def html(document: Document, signatures: Sequence[Signature] = ()) -> bytes:
    from jinja2 import FileSystemLoader
    from jinja2.sandbox import SandboxedEnvironment

    environment = SandboxedEnvironment(loader=FileSystemLoader(_HERE), autoescape=True, trim_blocks=True, lstrip_blocks=True)
    template = environment.get_template("report.html")
    return template.render(document=document, heading=_heading(document), draft=banner(document), bars=_bars).encode()


def _bars(part: Part) -> list[dict[str, Any]]:
    """Bars of a chart in a 100 wide box: x, width and height in per cent."""
    values = [value or 0.0 for value in part["values"]]
    top = max((abs(value) for value in values), default=0.0) or 1.0
    width = 100 / max(len(values), 1)
    return [
        {"label": label, "x": place * width, "width": width * 0.8, "height": 90 * abs(value) / top, "text": f"{value:g}"}
        for place, (label, value) in enumerate(zip(part["labels"], values, strict=True))
    ]


def pdf(document: Document, signatures: Sequence[Signature] = ()) -> bytes:
    """Compiled by typst in a child with a time and memory limit; the folder it may read holds template and data only."""
    with tempfile.TemporaryDirectory(prefix="andon-report-") as name:
        folder = Path(name)
        shutil.copyfile(_HERE / "report.typ", folder / "report.typ")
        data = {**asdict(document), "heading": _heading(document), "draft": banner(document), "signatures": [asdict(item) for item in signatures]}
        (folder / "data.json").write_text(json.dumps(data, ensure_ascii=False, default=str), encoding="utf-8")
        try:
            done = subprocess.run(
                [sys.executable, "-I", "-c", _CHILD, name], capture_output=True, timeout=_PDF_SECONDS, check=False, cwd=name
            )
        except subprocess.TimeoutExpired as error:
            raise Unavailable("The PDF took too long to make; choose a shorter period.") from error
        out = folder / "report.pdf"
        if done.returncode != 0 or not out.exists():
            raise Unavailable("The PDF could not be made; the document is kept and can be opened as a page.")
        return out.read_bytes()


def docx(document: Document, signatures: Sequence[Signature] = ()) -> bytes:
    from docx import Document as Word

    word = Word()
    word.add_heading(_xml(document.title), 0)
    word.add_paragraph(banner(document)).runs[0].bold = True
    for label, text in _heading(document):
        word.add_paragraph(_xml(f"{label}: {text}"))
    for section in document.sections:
        word.add_heading(_xml(section.title), 1)
        for part in section.parts:
            _word_part(word, part)
    word.add_heading("Data appendix", 1)
    for source in document.sources:
        word.add_paragraph(_xml(f"{source.marker}  {source.title}")).runs[0].bold = True
        where = source.sql or f"{source.document} revision {source.revision}, page {source.page}, {source.section}"
        word.add_paragraph(_xml(where))
        counted = f"Parameters {json.dumps(source.parameters, ensure_ascii=False)}, rows {source.row_count}, data until {source.data_until}, " if source.sql else ""
        word.add_paragraph(_xml(f"{counted}SHA-256 {source.sha256}"))
    out = io.BytesIO()
    word.save(out)
    return out.getvalue()


def _word_part(word: Any, part: Part) -> None:
    kind = part["part"]
    marker = f" [{part['marker']}]" if part.get("marker") else ""
    if kind == "text":
        word.add_paragraph(_xml(part["text"] + "".join(f" [{name}]" for name in part["markers"])))
    elif kind == "figures":
        for item in part["items"]:
            word.add_paragraph(_xml(f"{item['label']}: {item['text']} {'[' + item['marker'] + ']' if item['marker'] else ''}"), style="List Bullet")
    elif kind == "table":
        table = word.add_table(rows=1, cols=len(part["columns"]), style="Light Grid Accent 1")
        for cell, text in zip(table.rows[0].cells, part["columns"], strict=True):
            cell.text = _xml(text)
        for row in part["rows"]:
            for cell, text in zip(table.add_row().cells, row, strict=True):
                cell.text = _xml(text)
        word.add_paragraph(_xml(f"{part['note']}{marker}".strip()))
    elif kind == "steps":
        for step in part["steps"]:
            if step.get("warning"):
                word.add_paragraph(_xml(step["warning"])).runs[0].bold = True
            word.add_paragraph(_xml(f"{step['n']}. {step['text']}"))
        word.add_paragraph(marker.strip())
    elif kind == "quote":
        word.add_paragraph(_xml(part["text"]), style="Intense Quote")
        word.add_paragraph(_xml(f"{part['source']}{marker}"))
    elif kind == "missing":
        for item in part["items"]:
            word.add_paragraph(_xml(f"{item['id']} lacks {item['field']}{marker}"), style="List Bullet")
        if not part["items"]:
            word.add_paragraph(f"None of {part['checked']} records lacks a required field.{marker}")


def _xml(text: str) -> str:
    """Characters that XML cannot hold are dropped; python-docx escapes the rest."""
    return "".join(char for char in text if char in "\t\n" or ord(char) >= 32)


def as_json(document: Document, signatures: Sequence[Signature] = ()) -> bytes:
    return document.canonical().encode()


FORMATS: dict[str, Callable[[Document, Sequence[Signature]], bytes]] = {"md": markdown, "html": html, "pdf": pdf, "docx": docx, "json": as_json}
