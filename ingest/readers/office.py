"""Readers of office files straight from their XML, under limits: a DOCX or XLSX is a zip that strangers made.

An archive that unpacks to far more than it weighs, or whose XML declares entities, is refused before it is parsed.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree

from ingest.readers.blocks import Block, Content, UnreadableFile, folded
from ingest.readers.data import grid_blocks

_LARGEST_BYTES = 120_000_000
_LARGEST_RATIO = 200
_S = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_CELLS_AT_MOST = 2_000_000


class Archive:
    """A zip whose members are read under limits. Raises UnreadableFile for what is damaged, encrypted or hostile."""

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

    def names(self) -> list[str]:
        return self._zip.namelist()[:10_000]

    def xml(self, name: str) -> ElementTree.Element | None:
        """The root of a member, None when there is none of that name."""
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


def read_xlsx(path: Path) -> Content:
    """Every sheet that is shown, its tables as rows below their headings. Raises UnreadableFile."""
    archive = Archive(path)
    workbook = archive.xml("xl/workbook.xml")
    relations = archive.xml("xl/_rels/workbook.xml.rels")
    if workbook is None or relations is None:
        raise UnreadableFile("the file is no Excel workbook")
    targets = {r.get("Id"): (r.get("Target") or "").lstrip("/") for r in relations}
    strings = archive.xml("xl/sharedStrings.xml")
    shared = [_string(s) for s in strings] if strings is not None else []
    dates = _date_styles(archive.xml("xl/styles.xml"))
    old = any(p.get("date1904") in ("1", "true") for p in workbook.iter(f"{_S}workbookPr"))
    blocks: list[Block] = []
    for sheet in workbook.iter(f"{_S}sheet"):
        if sheet.get("state") in ("hidden", "veryHidden"):
            continue
        target = targets.get(sheet.get(_R), "")
        xml = archive.xml(target if target.startswith("xl/") else f"xl/{target}")
        rows = _sheet_rows(xml, shared, dates, old) if xml is not None else []
        if any(map(any, rows)):
            name = folded(sheet.get("name") or "")
            blocks.append(Block("heading", name, level=1))
            blocks += sheet_blocks(rows, name)
    return Content(tuple(blocks))


def _string(entry: ElementTree.Element) -> str:
    """A shared string; runs of it are joined, the pronunciation beside it (rPh) is no text."""
    parts = [t.text or "" for e in entry for t in ([e] if e.tag == f"{_S}t" else e.iter(f"{_S}t")) if e.tag != f"{_S}rPh"]
    return "".join(parts)


def _date_styles(styles: ElementTree.Element | None) -> frozenset[int]:
    """The cell styles that show a number as a day or an instant."""
    if styles is None:
        return frozenset()
    own = {f.get("numFmtId"): re.sub(r'"[^"]*"|\\.|\[[^\]]*\]', "", f.get("formatCode") or "") for f in styles.iter(f"{_S}numFmt")}
    formats = styles.find(f"{_S}cellXfs")
    found = set()
    for place, style in enumerate(formats if formats is not None else ()):
        number = style.get("numFmtId") or "0"
        if number in own:
            dated = bool(re.search(r"[yd]", own[number], re.IGNORECASE)) and not re.search(r"[0#?]", own[number])
        else:
            dated = (number.isdigit() and 14 <= int(number) <= 17) or number == "22"
        if dated:
            found.add(place)
    return frozenset(found)


def _sheet_rows(sheet: ElementTree.Element, shared: list[str], dates: frozenset[int], old: bool) -> list[list[str]]:
    """All rows, empty ones within too; a merged cell stands in every row that it spans."""
    rows: list[list[str]] = []
    cells = 0
    for row in sheet.iter(f"{_S}row"):
        values: list[str] = []
        for cell in row.findall(f"{_S}c"):
            column = _column(cell.get("r") or "") if cell.get("r") else len(values)
            if column > 500:
                break
            values += [""] * (column - len(values))
            values.append(folded(_cell_text(cell, shared, dates, old)))
            cells += 1
        if cells > _CELLS_AT_MOST:
            raise UnreadableFile("the workbook has more cells than can be read")
        number = row.get("r") or ""
        if number.isdigit() and len(rows) < int(number) - 1:
            rows += [[]] * min(int(number) - 1 - len(rows), 2 if len(rows) + 50 < int(number) else int(number) - 1 - len(rows))
        rows.append(values)
    _merge(rows, sheet)
    return rows


def _merge(rows: list[list[str]], sheet: ElementTree.Element) -> None:
    for merged in list(sheet.iter(f"{_S}mergeCell"))[:20_000]:
        match = re.fullmatch(r"([A-Z]+)(\d+):([A-Z]+)(\d+)", merged.get("ref") or "")
        if match is None:
            continue
        column, top, bottom = _column(match.group(1)), int(match.group(2)) - 1, int(match.group(4)) - 1
        if top >= len(rows) or column >= len(rows[top]) or bottom - top > 5000:
            continue
        for y in range(top + 1, min(bottom + 1, len(rows))):
            row = list(rows[y])
            row += [""] * (column + 1 - len(row))
            row[column] = row[column] or rows[top][column]
            rows[y] = row


def sheet_blocks(rows: list[list[str]], name: str) -> Iterator[Block]:
    """The tables of a sheet: empty rows part them, unless what follows goes on with the same columns."""
    islands: list[list[list[str]]] = [[]]
    for row in rows:
        if any(row):
            islands[-1].append(row)
        elif islands[-1]:
            islands.append([])
    joined: list[list[list[str]]] = []
    for island in filter(None, islands):
        before = joined[-1] if joined else None
        if before is not None and len(before) > 1 and _goes_on(before, island):
            before += island
        else:
            joined.append(list(island))
    for island in joined:
        yield from grid_blocks(island, name)


def _goes_on(before: list[list[str]], island: list[list[str]]) -> bool:
    """Whether rows below an empty one are more of the table above: as wide, and their first cell as much a number
    or a word as those above, where its heading was not."""
    wide = [sum(map(bool, row)) for row in (before[-1], island[0])]
    place = next((i for i, c in enumerate(before[-1]) if c), 0)
    first = island[0][place] if place < len(island[0]) else ""
    numbered = any(c.isdigit() for c in before[-1][place]) and any(c.isdigit() for c in first)
    return wide[1] >= 2 and abs(wide[0] - wide[1]) <= 2 and numbered


def _cell_text(cell: ElementTree.Element, shared: list[str], dates: frozenset[int], old: bool) -> str:
    kind = cell.get("t")
    if kind == "inlineStr":
        return "".join(t.text or "" for t in cell.iter(f"{_S}t"))
    value = cell.find(f"{_S}v")
    text = (value.text or "") if value is not None else ""
    if kind == "s":
        return shared[int(text)] if text.isdigit() and int(text) < len(shared) else ""
    if kind == "e":
        return ""
    if kind == "b":
        return {"1": "yes", "0": "no"}.get(text, text)
    style = cell.get("s") or ""
    if kind in (None, "n") and style.isdigit() and int(style) in dates:
        return _day(text, old)
    if re.fullmatch(r"-?\d+\.0", text):
        return text[:-2]
    # A spreadsheet keeps 0.1 + 0.2 as 0.30000000000000004; people see 15 significant digits at most.
    return f"{float(text):.15g}" if kind in (None, "n") and re.fullmatch(r"-?\d+\.\d{14,}", text) else text


def _day(text: str, old: bool) -> str:
    """A spreadsheet's day number as an ISO date, with the time where there is one."""
    try:
        instant = datetime(1904, 1, 1) if old else datetime(1899, 12, 30)
        instant += timedelta(days=float(text))
    except (ValueError, OverflowError):
        return text
    return instant.date().isoformat() if instant.time() == datetime.min.time() else instant.isoformat(" ", "minutes")


def _column(reference: str) -> int:
    index = 0
    for letter in re.match(r"[A-Z]*", reference.upper()).group():  # type: ignore[union-attr]  # matches always
        index = 26 * index + ord(letter) - 64
    return index - 1
