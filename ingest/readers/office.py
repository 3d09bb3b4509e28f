"""Readers of office files straight from their XML, under limits: a DOCX or XLSX is a zip that strangers made.

An archive that unpacks to far more than it weighs, or whose XML declares entities, is refused before it is parsed.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

from ingest.readers.blocks import STEP, WARNING_WORD, Block, Content, UnreadableFile, folded, heading_level
from ingest.readers.data import grid_blocks
from ingest.readers.markup import table_block

_LARGEST_BYTES = 120_000_000
_LARGEST_RATIO = 200
_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_S = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_CELLS_AT_MOST = 2_000_000


class _Archive:
    """A zip whose members are read under limits."""

    def __init__(self, path: Path) -> None:
        try:
            self._zip = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, OSError) as error:
            encrypted = path.read_bytes()[:8] == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
            reason = "the file is encrypted or in the old binary format" if encrypted else "the file is damaged"
            raise UnreadableFile(reason) from error
        total = sum(i.file_size for i in self._zip.infolist())
        if total > _LARGEST_BYTES or total > _LARGEST_RATIO * max(path.stat().st_size, 1) + 1_000_000:
            raise UnreadableFile("the file unpacks to far more than it weighs (a zip bomb)")

    def xml(self, name: str) -> ElementTree.Element | None:
        try:
            with self._zip.open(name) as member:
                raw = member.read(_LARGEST_BYTES + 1)
        except KeyError:
            return None
        except (zipfile.BadZipFile, RuntimeError, OSError, EOFError) as error:
            raise UnreadableFile("the file is damaged or encrypted") from error
        if len(raw) > _LARGEST_BYTES:
            raise UnreadableFile("the file unpacks to far more than it weighs (a zip bomb)")
        if b"<!DOCTYPE" in raw[:4000] or b"<!ENTITY" in raw:
            raise UnreadableFile("the file declares XML entities, which office files never need")
        try:
            return ElementTree.fromstring(raw)
        except ElementTree.ParseError as error:
            raise UnreadableFile("the file is damaged") from error


def read_docx(path: Path) -> Content:
    archive = _Archive(path)
    document = archive.xml("word/document.xml")
    if document is None:
        raise UnreadableFile("the file is no Word document")
    blocks: list[Block] = []
    for block in _docx_blocks(document.find(f"{_W}body")):
        before = blocks[-1] if blocks else None
        if block.kind == "steps" and before is not None and before.kind == "steps":
            items = (*before.items, f"{len(before.items) + 1}. {block.text}")
            blocks[-1] = Block("steps", "\n".join(items), items=items)
        elif block.kind == "steps":
            blocks.append(Block("steps", f"1. {block.text}", items=(f"1. {block.text}",)))
        else:
            blocks.append(block)
    core = archive.xml("docProps/core.xml")
    meta: dict[str, str] = {}
    for element in core if core is not None else ():
        tag = element.tag.rsplit("}", 1)[-1]
        if element.text and tag in ("title", "subject", "keywords", "creator"):
            meta[tag] = folded(element.text)
    return Content(tuple(blocks), meta=meta)


def _docx_blocks(body: ElementTree.Element | None) -> Iterator[Block]:
    for element in body if body is not None else ():
        if element.tag == f"{_W}p":
            text = _paragraph_text(element)
            if not text:
                continue
            style = element.find(f"{_W}pPr/{_W}pStyle")
            named = (style.get(f"{_W}val") or "") if style is not None else ""
            level = re.fullmatch(r"(?:Heading|heading|berschrift|Ueberschrift|Titre)\s*(\d)", named.replace("Ü", ""))
            if level or named == "Title":
                yield Block("heading", text, level=int(level.group(1)) if level else 1)
            elif element.find(f"{_W}pPr/{_W}numPr") is not None and not named.startswith("ListBullet"):
                yield Block("steps", STEP.sub("", text))
            elif WARNING_WORD.match(text):
                yield Block("warning", text)
            else:
                stated = heading_level(text)
                yield Block("heading", text, level=stated) if stated else Block("paragraph", text)
        elif element.tag == f"{_W}tbl":
            rows = [
                [folded(" ".join(_paragraph_text(p) for p in cell.iter(f"{_W}p"))) for cell in row.findall(f"{_W}tc")]
                for row in element.findall(f"{_W}tr")
            ]
            rows = [r for r in rows if any(r)]
            if len(rows) > 1:
                yield table_block(rows)
            elif rows:
                text = " ".join(c for c in rows[0] if c)
                yield Block("warning" if WARNING_WORD.match(text) else "paragraph", text)


def _paragraph_text(paragraph: ElementTree.Element) -> str:
    pieces = []
    for element in paragraph.iter():
        if element.tag == f"{_W}t":
            pieces.append(element.text or "")
        elif element.tag in (f"{_W}tab", f"{_W}br"):
            pieces.append(" ")
    return folded("".join(pieces))


def read_xlsx(path: Path) -> Content:
    archive = _Archive(path)
    workbook = archive.xml("xl/workbook.xml")
    relations = archive.xml("xl/_rels/workbook.xml.rels")
    if workbook is None or relations is None:
        raise UnreadableFile("the file is no Excel workbook")
    targets = {r.get("Id"): (r.get("Target") or "").lstrip("/") for r in relations}
    strings = archive.xml("xl/sharedStrings.xml")
    shared = ["".join(t.text or "" for t in s.iter(f"{_S}t")) for s in strings] if strings is not None else []
    blocks: list[Block] = []
    for sheet in workbook.iter(f"{_S}sheet"):
        target = targets.get(sheet.get(_R), "")
        xml = archive.xml(target if target.startswith("xl/") else f"xl/{target}")
        rows = _sheet_rows(xml, shared) if xml is not None else []
        if rows:
            name = folded(sheet.get("name") or "")
            blocks.append(Block("heading", name, level=1))
            blocks += grid_blocks(rows, name)
    return Content(tuple(blocks))


def _sheet_rows(sheet: ElementTree.Element, shared: list[str]) -> list[list[str]]:
    rows: list[list[str]] = []
    cells = 0
    for row in sheet.iter(f"{_S}row"):
        values: list[str] = []
        for cell in row.findall(f"{_S}c"):
            column = _column(cell.get("r") or "") if cell.get("r") else len(values)
            if column > 500:
                break
            values += [""] * (column - len(values))
            values.append(folded(_cell_text(cell, shared)))
            cells += 1
        if cells > _CELLS_AT_MOST:
            raise UnreadableFile("the workbook has more cells than can be read")
        if any(values):
            rows.append(values)
    return rows


def _cell_text(cell: ElementTree.Element, shared: list[str]) -> str:
    if cell.get("t") == "inlineStr":
        return "".join(t.text or "" for t in cell.iter(f"{_S}t"))
    value = cell.find(f"{_S}v")
    text = (value.text or "") if value is not None else ""
    if cell.get("t") == "s" and text.isdigit():
        return shared[int(text)] if int(text) < len(shared) else ""
    return text[:-2] if re.fullmatch(r"-?\d+\.0", text) else text


def _column(reference: str) -> int:
    index = 0
    for letter in re.match(r"[A-Z]*", reference.upper()).group():  # type: ignore[union-attr]  # matches always
        index = 26 * index + ord(letter) - 64
    return index - 1
