"""A document tree as PDF, by typst: tagged, searchable, PDF/A where every letter has a font, and made only of data.

The words reach typst as one JSON file, charts as SVG and pictures as PNG beside it, in a folder that holds nothing else
and is the root of a child process with a time and a memory limit. No text is ever evaluated. A letter that no font of
the machine has would make a PDF/A impossible; such a document becomes a plain PDF. tests/test_rendering.py.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from tools.charts import svg
from tools.documents.pictures import drawable
from tools.documents.rendering import Signature, banner, chart_block, chart_words, heading_of, marked, steps_shown
from tools.documents.tree import Document, Part
from tools.registry import Unavailable

_HERE = Path(__file__).parent
SECONDS = 90
MEMORY_BYTES = 4 << 30
#: Characters and rows up to which a table takes half the width.
_NARROW, _SHORT = 50, 12
#: Tried in this order: archival and accessible, archival, plain.
STANDARDS = (("a-2a",), ("a-2b",), ())
#: Table rows from which a PDF is archival without tags: 12,500 tagged rows took 11 s and 20 MB, untagged 0.6 s and 1 MB.
_TAGGED_ROWS = 4_000
_CHILD = """
import json, resource, sys
resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[2]), int(sys.argv[2])))
import typst
folder, options = sys.argv[1], json.loads(sys.argv[3])
last = None
for standards in options["standards"]:
    try:
        typst.compile(folder + "/report.typ", output=folder + "/report.pdf", root=folder, font_paths=options["fonts"],
                      pdf_standards=standards, timestamp=options["timestamp"], pdf_tags=options["tags"])
        print("+".join(standards) or "plain")
        break
    except Exception as error:
        last = error
else:
    raise last
"""


def pdf(document: Document, signatures: Sequence[Signature] = ()) -> bytes:
    """The document as PDF. Raises Unavailable in one sentence when the disk, the time or the renderer fails."""
    try:
        with tempfile.TemporaryDirectory(prefix="andon-report-") as name:
            return _compiled(Path(name), document, signatures)
    except OSError as error:
        raise Unavailable(f"The PDF could not be made: {(error.strerror or 'the disk refused').lower()}; the document itself is kept.") from error


def _compiled(folder: Path, document: Document, signatures: Sequence[Signature]) -> bytes:
    shutil.copyfile(_HERE / "report.typ", folder / "report.typ")
    data = _data(folder, document, signatures)
    (folder / "data.json").write_text(json.dumps(data, ensure_ascii=False, default=str), encoding="utf-8")
    tags = sum(len(part["rows"]) for section in document.sections for part in section.parts if part["part"] == "table") <= _TAGGED_ROWS
    options = {"standards": STANDARDS if tags else STANDARDS[1:], "fonts": _fonts(), "timestamp": _timestamp(document.created), "tags": tags}
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-c", _CHILD, str(folder), str(MEMORY_BYTES), json.dumps(options)],
            capture_output=True, timeout=SECONDS, check=False, cwd=folder,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise Unavailable("The PDF took too long to make; choose a shorter period.") from error
    out = folder / "report.pdf"
    if done.returncode != 0 or not out.exists():
        raise Unavailable("The PDF could not be made; the document is kept and can be opened as a page.")
    return out.read_bytes()


def _fonts() -> list[str]:
    """The fonts that come with a package of ours, so that a machine without any still prints letters."""
    import importlib.util

    found = importlib.util.find_spec("matplotlib")
    return [str(Path(found.origin).parent / "mpl-data" / "fonts" / "ttf")] if found and found.origin else []


def _timestamp(created: str) -> int:
    try:
        return int(datetime.fromisoformat(created).timestamp())
    except ValueError:
        return 0


def _data(folder: Path, document: Document, signatures: Sequence[Signature]) -> dict[str, Any]:
    number = 0
    sections = []
    for section in document.sections:
        parts = []
        for part in section.parts:
            number += 1
            parts.append(_part(folder, part, number))
        sections.append({"title": section.title, "parts": _beside([part for part in parts if part is not None])})
    said = banner(document)
    return {
        "id": document.id, "title": document.title, "plant": document.plant, "author": document.author, "revision": document.revision,
        "kind_title": document.title.partition(":")[0], "banner": said,
        "draft": "" if document.status in ("approved", "effective") else said, "heading": heading_of(document),
        "sections": sections, "sources": [_source(asdict(source)) for source in document.sources],
        "signatures": [asdict(item) for item in signatures], "logo": _logo(folder, document.logo),
    }  # fmt: skip


def _part(folder: Path, part: Part, number: int) -> dict[str, Any] | None:
    kind = part["part"]
    if kind == "chart":
        name = f"chart-{number}.svg"
        (folder / name).write_text(svg(chart_block(part)), encoding="utf-8")
        return {"part": "chart", "file": name, "alt": chart_words(part), "marker": part["marker"], "percent": 88}
    if kind == "picture":
        content = drawable(part["png"])
        if content is None:
            return None
        (folder / f"picture-{number}.png").write_bytes(content)
        return {**part, "png": "", "file": f"picture-{number}.png"}
    if kind == "steps":
        shown = steps_shown(part)
        return {**part, "title": part.get("title", ""), "steps": shown, "folded": sum(step["folded"] for step in shown)}
    if kind in ("text", "warning"):
        return {**part, "text": marked(part)}
    return dict(part)


def _beside(parts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Narrow short tables that follow each other stand side by side."""
    out: list[dict[str, Any]] = []
    for part in parts:
        narrow = part["part"] == "table" and sum(part.get("widths", (99,))) <= _NARROW and len(part["rows"]) <= _SHORT
        last = out[-1] if out else None
        if narrow and last is not None and last["part"] == "beside" and len(last["parts"]) < 2:
            last["parts"].append(part)
        elif narrow:
            out.append({"part": "beside", "parts": [part]})
        else:
            out.append(part)
    return [part["parts"][0] if part["part"] == "beside" and len(part["parts"]) == 1 else part for part in out]


def _source(source: dict[str, Any]) -> dict[str, Any]:
    statements = list(source["statements"])
    if not statements and source["sql"]:
        statements = [{"sql": source["sql"], "parameters": source["parameters"], "row_count": source["row_count"], "rows_sha256": source["sha256"]}]
    return {**source, "statements": [{**item, "said": json.dumps(item["parameters"], ensure_ascii=False)} for item in statements]}


def _logo(folder: Path, logo: str) -> str:
    """The plant's logo as a file; "" when there is none or it is no picture."""
    kind, _, content = logo.partition(":")
    if kind not in ("png", "svg", "jpg"):
        return ""
    data = drawable(content, kind)
    if data is None:
        return ""
    (folder / f"logo.{kind}").write_bytes(data)
    return f"logo.{kind}"
