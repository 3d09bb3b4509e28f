"""A document tree as DOCX: real headings, tables whose heads repeat over pages, header, footer and page numbers as Word
keeps them, so that people can go on working in it. Charts are pictures drawn from the same vector graphic as the PDF's.
tests/test_rendering.py opens what it writes.
"""

from __future__ import annotations

import io
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tools.charts import svg
from tools.documents.pictures import drawable
from tools.documents.rendering import Signature, banner, chart_block, chart_words, heading_of, marked, steps_shown
from tools.documents.tree import Document, Part

_CHARTS = """
#let count = int(sys.inputs.count)
#set page(width: 180mm, height: auto, margin: 1mm)
#set text(font: ("DejaVu Sans", "Liberation Sans"))
#for n in range(count) { if n > 0 { pagebreak() }; image("chart-" + str(n) + ".svg", width: 100%) }
"""
_CHILD = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
import typst
typst.compile(sys.argv[1] + "/charts.typ", output=sys.argv[1] + "/chart-{p}.png", root=sys.argv[1], format="png", ppi=130,
              sys_inputs={"count": sys.argv[2]})
"""
_SECONDS = 60


def docx(document: Document, signatures: Sequence[Signature] = ()) -> bytes:
    from docx import Document as Word
    from docx.shared import Mm, Pt

    word = Word()
    page = word.sections[0]
    page.page_width, page.page_height = Mm(210), Mm(297)
    page.left_margin = page.right_margin = Mm(18)
    word.styles["Normal"].font.name, word.styles["Normal"].font.size = "Arial", Pt(10)
    word.core_properties.title, word.core_properties.author = _xml(f"{document.id} {document.title}"), _xml(document.author)
    _edges(word, document)
    word.add_heading(_xml(document.title), 0)
    word.add_paragraph(banner(document)).runs[0].bold = True
    _table(word, ["", ""], [list(pair) for pair in heading_of(document)], head=False)
    charts = _charts(document)
    for place, section in enumerate(document.sections, 1):
        word.add_heading(_xml(f"{place} {section.title}"), 1)
        for part in section.parts:
            _part(word, part, charts)
    if signatures:
        word.add_heading("Signatures", 1)
        _table(word, ["Name", "Time", "Meaning", "Reason"], [[s.name, s.time, s.meaning, s.reason] for s in signatures])
    _appendix(word, document)
    out = io.BytesIO()
    word.save(out)
    return out.getvalue()


def _edges(word: Any, document: Document) -> None:
    """Plant, id and revision above every page; the status and `page x of y` below it."""
    header = word.sections[0].header.paragraphs[0]
    header.text = _xml(f"{document.plant}\t\t{document.id} · revision {document.revision}")
    footer = word.sections[0].footer.paragraphs[0]
    footer.add_run(_xml(banner(document))).bold = True
    footer.add_run("\t\tPage ")
    _field(footer, "PAGE")
    footer.add_run(" of ")
    _field(footer, "NUMPAGES")


def _field(paragraph: Any, name: str) -> None:
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    element = OxmlElement("w:fldSimple")
    element.set(qn("w:instr"), name)
    paragraph._p.append(element)


def _part(word: Any, part: Part, charts: dict[int, bytes]) -> None:
    marker = f" [{part['marker']}]" if part.get("marker") else ""
    make = _PARTS.get(part["part"])
    if make is not None:
        make(word, part, marker)
    elif part["part"] == "chart":
        _picture(word, charts.get(id(part)), chart_words(part), marker)
    elif part["part"] == "picture":
        _picture(word, drawable(part["png"]), part["caption"], marker)


def _picture(word: Any, content: bytes | None, words: str, marker: str) -> None:
    from docx.shared import Mm

    if content:
        word.add_picture(io.BytesIO(content), width=Mm(160))
        word.inline_shapes[-1]._inline.docPr.set("descr", _xml(words))
        word.add_paragraph(marker.strip())
    else:
        word.add_paragraph(_xml(f"{words}{marker}"))


def _list(word: Any, part: Part, _: str) -> None:
    for item in part["items"]:
        word.add_paragraph(_xml(item), style="List Bullet")


def _warning(word: Any, part: Part, _: str) -> None:
    word.add_paragraph(_xml(marked(part)), style="Intense Quote")


def _figures(word: Any, part: Part, _: str) -> None:
    rows = [[item["label"], item["text"], item.get("note", ""), f"[{item['marker']}]" if item["marker"] else ""] for item in part["items"]]
    _table(word, ["Figure", "Value", "Compared", "Source"], rows)


def _table_part(word: Any, part: Part, marker: str) -> None:
    if part.get("title"):
        word.add_paragraph(_xml(part["title"])).runs[0].bold = True
    _table(word, part["columns"], part["rows"], align=part.get("align", ()))
    word.add_paragraph(_xml(f"{part.get('note', '')}{marker}".strip()))


def _steps(word: Any, part: Part, marker: str) -> None:
    if part.get("title"):
        word.add_paragraph(_xml(part["title"])).runs[0].bold = True
    for step in steps_shown(part):
        if step.get("warning"):
            word.add_paragraph(_xml(step["warning"]), style="Intense Quote")
        line = word.add_paragraph()
        line.add_run(f"{step['n']}. ").bold = True
        line.add_run(_xml(step["text"]))
        if step.get("expected"):
            line.add_run(_xml(f"\nExpected: {step['expected']}")).italic = True
        for words in (*step["details"], *(f"Why: {reason}" for reason in step["reasons"])):
            word.add_paragraph(_xml(words), style="List Bullet 2")
    word.add_paragraph(_xml(f"{part.get('source', '')}{marker}".strip()))


def _fields(word: Any, part: Part, marker: str) -> None:
    if part["title"]:
        word.add_paragraph(_xml(f"{part['title']}{marker}")).runs[0].bold = True
    _table(word, ["", ""], [[item["label"], "missing – required" if item["missing"] else item["text"]] for item in part["items"]], head=False)


def _missing(word: Any, part: Part, marker: str) -> None:
    if not part["items"]:
        word.add_paragraph(f"None of {part['checked']} records lacks a required field.{marker}")
        return
    _table(word, ["Record", "Missing field"], [[item["id"], item["field"]] for item in part["items"]])
    word.add_paragraph(f"Flagged, not filled in.{marker}")


def _quote(word: Any, part: Part, marker: str) -> None:
    word.add_paragraph(_xml(part["text"]), style="Quote")
    word.add_paragraph(_xml(f"{part['source']}{marker}"))


def _blank(word: Any, part: Part, _: str) -> None:
    word.add_paragraph(_xml(f"{part['label']}:"))
    for _line in range(part["lines"]):
        word.add_paragraph("_" * 78)


def _form(word: Any, part: Part, _: str) -> None:
    if part["title"]:
        word.add_paragraph(_xml(part["title"])).runs[0].bold = True
    _table(word, part["columns"], part["rows"])


_PARTS: dict[str, Callable[[Any, Part, str], None]] = {
    "text": lambda word, part, _: word.add_paragraph(_xml(marked(part))), "list": _list, "warning": _warning, "figures": _figures,
    "heading": lambda word, part, _: word.add_heading(_xml(part["text"]), 2), "table": _table_part, "steps": _steps,
    "fields": _fields, "missing": _missing, "quote": _quote, "blank": _blank, "form": _form,
}  # fmt: skip


def _table(word: Any, columns: Sequence[str], rows: Sequence[Sequence[str]], head: bool = True, align: Sequence[str] = ()) -> None:
    """A table written as XML at once: python-docx looks each cell up again, which takes minutes for ten thousand rows."""
    from docx.oxml import parse_xml
    from docx.oxml.ns import nsdecls

    table = word.add_table(rows=0, cols=len(columns), style="Table Grid")
    body = table._tbl
    if head:
        body.append(parse_xml(f'<w:tr {nsdecls("w")}><w:trPr><w:cantSplit/><w:tblHeader/></w:trPr>{"".join(_cell(name, bold=True) for name in columns)}</w:tr>'))
    right = [place for place, side in enumerate(align) if side == "right"]
    for row in rows:
        cells = "".join(_cell(text, right=place in right, bold=not head and place == 0) for place, text in enumerate(row))
        body.append(parse_xml(f'<w:tr {nsdecls("w")}><w:trPr><w:cantSplit/></w:trPr>{cells}</w:tr>'))
    word.add_paragraph()


def _cell(text: str, bold: bool = False, right: bool = False) -> str:
    from xml.sax.saxutils import escape

    shade = '<w:tcPr><w:shd w:val="clear" w:color="auto" w:fill="EEF1F4"/></w:tcPr>' if bold else "<w:tcPr/>"
    side = '<w:jc w:val="right"/>' if right else ""
    look = f'<w:rPr>{"<w:b/>" if bold else ""}<w:sz w:val="16"/></w:rPr>'
    return f'<w:tc>{shade}<w:p><w:pPr><w:spacing w:after="0"/>{side}</w:pPr><w:r>{look}<w:t xml:space="preserve">{escape(_xml(str(text)))}</w:t></w:r></w:p></w:tc>'


def _appendix(word: Any, document: Document) -> None:
    word.add_heading("Data appendix", 1)
    for source in document.sources:
        word.add_paragraph(_xml(f"{source.marker}  {source.title}")).runs[0].bold = True
        for statement in source.statements:
            word.add_paragraph(_xml(statement["sql"]))
            word.add_paragraph(_xml(f"Parameters {statement['parameters']}, {statement['row_count']} rows, rows SHA-256 {statement['rows_sha256']}"))
        if source.sql:
            word.add_paragraph(_xml(f"Data until {source.data_until}, as shown SHA-256 {source.sha256}"))
        elif source.document:
            page = f", page {source.page}" if source.page else ""
            word.add_paragraph(_xml(f"{source.document}, revision {source.revision}{page}, {source.section}; text SHA-256 {source.sha256}"))


def _charts(document: Document) -> dict[int, bytes]:
    """Every chart as PNG, by the identity of its part; none when they cannot be drawn, and their words stand instead."""
    parts = [part for section in document.sections for part in section.parts if part["part"] == "chart"]
    if not parts:
        return {}
    try:
        with tempfile.TemporaryDirectory(prefix="andon-charts-") as name:
            folder = Path(name)
            (folder / "charts.typ").write_text(_CHARTS, encoding="utf-8")
            for number, part in enumerate(parts):
                (folder / f"chart-{number}.svg").write_text(svg(chart_block(part)), encoding="utf-8")
            subprocess.run([sys.executable, "-I", "-c", _CHILD, name, str(len(parts))], capture_output=True, timeout=_SECONDS, check=True)
            return {id(part): (folder / f"chart-{number}.png").read_bytes() for number, part in enumerate(parts, 1)}
    except (OSError, subprocess.SubprocessError):
        return {}


def _xml(text: str) -> str:
    """Characters that XML cannot hold are dropped; the writer escapes the rest."""
    return "".join(char for char in str(text) if char in "\t\n" or (ord(char) >= 32 and not 0xD800 <= ord(char) <= 0xDFFF and ord(char) not in (0xFFFE, 0xFFFF)))
