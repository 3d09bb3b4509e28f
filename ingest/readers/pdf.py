"""PDF pages to blocks: headings with their numbers, paragraphs, steps, warnings and tables as rows, each with its page.

pypdf opens the file, says whether it is encrypted and gives its metadata and outline; PDFium gives the boxes of the
text (`layout.py`). Headers, footers, page numbers and tables of contents are no text. When PDFium cannot read a page
that pypdf can, pypdf's plain text is taken.
"""

from __future__ import annotations

import logging
import re
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pypdf
import pypdfium2

from ingest.readers import layout, scans, tables
from ingest.readers.blocks import BULLET, STEP, WARNING_WORD, Block, Content, UnreadableFile, folded, heading_level, lines_to_blocks
from ingest.readers.layout import Line, Word
from ingest.readers.markup import names_and_values, table_block
from ingest.readers.tables import Table

_MOST_PAGES = 5000
_SCAN_SECONDS = 600.0
_LEADERS = re.compile(r"(?:\.\s?){4,}\s*\d*\s*$|(?:·\s?){4,}\s*\d*\s*$")
_PAGE_NUMBER = re.compile(r"^\W*(?:page|p\.|seite)?\s*[ivxlc\d]{1,5}\s*(?:(?:of|/|von)\s*\d{1,5})?\W*$", re.IGNORECASE)

logging.getLogger("pypdf").setLevel(logging.ERROR)  # it warns of every oddity of a file that it reads well


@dataclass(frozen=True)
class _Page:
    number: int
    height: float
    lines: tuple[Line, ...]
    tables: tuple[Table, ...]
    scanned: bool = False


@dataclass(frozen=True)
class _Style:
    """What is body text in this document: its font size, and the titles that its outline names, with levels."""

    size: float
    outline: dict[str, int]


def read(path: Path) -> Content:
    """Reads a PDF. Raises UnreadableFile when it is encrypted, damaged, too long or holds no text."""
    meta, outline = _described(path)
    try:
        document = pypdfium2.PdfDocument(path)
    except pypdfium2.PdfiumError as error:
        if "password" in str(error).lower():
            raise UnreadableFile("the file is encrypted and needs a password") from error
        return _plain(path, meta)
    if len(document) > _MOST_PAGES:
        raise UnreadableFile(f"the file has {len(document)} pages; more than {_MOST_PAGES} are not read, split it")
    pages = _pages(document)
    document.close()
    if not any(p.lines or p.tables for p in pages):
        if any(p.scanned for p in pages):
            raise UnreadableFile("no text was recognised in its scanned pages" if scans.installed() else scans.MISSING)
        raise UnreadableFile("the file holds no text")
    everything = pages
    pages = _tables_continued(_without_margins(pages))
    running = "\n".join(
        dict.fromkeys(
            line.text for a, b in zip(everything[:3], pages, strict=False) for line in a.lines if id(line) not in {*map(id, b.lines)}
        )
    )
    if running:
        meta["running"] = running[:2000]
    style = _Style(_body_size(pages), outline)
    blocks: list[Block] = []
    for page in pages:
        blocks += _page_blocks(page, style)
    return Content(tuple(_mended(blocks)), pages=len(pages), meta=meta)


def _mended(blocks: Sequence[Block]) -> list[Block]:
    """Words cut at line ends made whole, by the vocabulary of the whole document."""
    texts = [t for b in blocks for t in (b.text, *b.items, *b.header, *(c for row in b.rows for c in row))]
    known = frozenset(w for t in texts for w in re.findall(r"\w+(?:-\w+)*", t.lower()))
    if not any(layout.CUT in t for t in texts):
        return list(blocks)

    def each(cells: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(layout.mended(c, known) for c in cells)

    return [
        replace(b, text=layout.mended(b.text, known), items=each(b.items), header=each(b.header), rows=tuple(map(each, b.rows)))
        for b in blocks
    ]


def _described(path: Path) -> tuple[dict[str, str], dict[str, int]]:
    """Metadata and outline titles with their levels, as pypdf reads them; damaged ones are left out."""
    try:
        reader = pypdf.PdfReader(path, strict=False)
        if reader.is_encrypted and not reader.decrypt(""):
            raise UnreadableFile("the file is encrypted and needs a password")
    except UnreadableFile:
        raise
    except Exception:  # whatever a damaged file provokes in pypdf: PDFium may still read it, and decides
        return {}, {}
    meta: dict[str, str] = {}
    outline: dict[str, int] = {}
    try:
        for key, value in (reader.metadata or {}).items():
            if isinstance(value, str) and value.strip():
                meta[key.lstrip("/").lower()] = folded(value)
    except Exception as error:  # unreadable metadata is no reason to refuse a readable document
        logging.getLogger(__name__).debug("no metadata: %s", type(error).__name__)
    try:
        _outline(reader.outline, 1, outline)
    except Exception as error:
        logging.getLogger(__name__).debug("no outline: %s", type(error).__name__)
    return meta, outline


def _outline(entries: Sequence[Any], level: int, found: dict[str, int]) -> None:
    if level > 8 or len(found) > 5000:
        return
    for entry in entries:
        if isinstance(entry, list):
            _outline(entry, level + 1, found)
        elif getattr(entry, "title", None):
            found.setdefault(_key(str(entry.title)), level)


def _key(text: str) -> str:
    return re.sub(r"[\W_]+", "", text).lower()


def _plain(path: Path, meta: dict[str, str]) -> Content:
    try:
        reader = pypdf.PdfReader(path, strict=False)
        texts = [page.extract_text() for page in reader.pages[:_MOST_PAGES]]
    except Exception as error:
        raise UnreadableFile("the file is damaged and cannot be opened") from error
    blocks = [b for number, text in enumerate(texts, start=1) for b in lines_to_blocks(text.splitlines(), number)]
    if not blocks:
        raise UnreadableFile("the file is damaged: no text can be read from it")
    return Content(tuple(blocks), pages=len(texts), meta=meta)


def _pages(document: Any) -> list[_Page]:
    """All pages; scanned ones through text recognition where it is installed, within limits of pages and time."""
    pages: list[_Page] = []
    deadline = time.monotonic() + _SCAN_SECONDS
    for index in range(len(document)):
        before = max(pages[-1].tables, key=lambda t: -t.bottom, default=None) if pages else None
        page = _page(document, index, before, recognise=scans.installed())
        pages.append(page)
        if page.scanned and (sum(p.scanned for p in pages) > scans.MOST_PAGES or time.monotonic() > deadline):
            raise UnreadableFile(f"more than {scans.MOST_PAGES} scanned pages, or pages that are slow to recognise, are not read; split it")
    return pages


def _page(document: Any, index: int, before: Table | None, *, recognise: bool) -> _Page:
    try:
        page = document[index]
        words = layout.words_of(page)
        height = float(page.get_height())
        scanned = scans.is_scanned(page, words)
        if scanned and recognise:
            words = scans.words_of(page) or words
        rules = tables.rules_of(page) if not scanned else tables.Rules((), ())
        page.close()
    except pypdfium2.PdfiumError:
        return _Page(index + 1, 800.0, (), ())
    found = tables.ruled_tables(words, rules, before)
    rest = [w for w in words if not any(_within(w, t) for t in found)]
    if before is not None and before.columns and not before.boxed:
        more = tables.resumed(rest, before, height)
        if more is not None:
            found.append(more)
            rest = [w for w in rest if not _within(w, more)]
    lines: list[Line] = []
    for part in layout.prose_columns(rest):
        aligned = tables.aligned_tables(part)
        found += aligned
        lines += layout.lines_of([w for w in part if not any(_within(w, t) for t in aligned)])
    return _Page(index + 1, height, tuple(lines), tuple(found), scanned)


_CONTINUED = re.compile(r"\b(continued|cont\.?d?|fortsetzung)\b|^(?:table|tab\.)\s*[A-Z]?[\d.-]+", re.IGNORECASE)


def _tables_continued(pages: Sequence[_Page]) -> list[_Page]:
    """A table that goes on over a page break: what follows gets its headings, and a row that the break has cut is put
    together where it began."""
    done: list[_Page] = []
    for page in pages:
        former = done[-1] if done else None
        first = max(page.tables, key=lambda t: t.top, default=None)
        last = min(former.tables, key=lambda t: t.bottom, default=None) if former else None
        if former is None or first is None or last is None or not _adjoin(former, last, first, page):
            done.append(page)
            continue
        head, rows = last.rows[0], list(first.rows)
        if _key(" ".join(rows[0])) == _key(" ".join(head)):
            rows = rows[1:]
        elif first.headed and _bold_heads(first, last):
            done.append(page)
            continue
        kept = list(last.rows)
        if rows and not rows[0][0] and any(rows[0]) and sum(bool(r[0]) for r in kept[1:]) > 0.6 * len(kept[1:]):
            kept[-1] = tuple(layout.joined([a, b]) for a, b in zip(kept[-1], rows.pop(0), strict=True))
        new = replace(first, rows=(head, *rows), headed=last.headed)
        done[-1] = replace(former, tables=tuple(replace(t, rows=tuple(kept)) if t is last else t for t in former.tables))
        others = tuple(t for t in page.tables if t is not first)
        captions = {line for line in page.lines if line.y > first.top - 2 and _CONTINUED.search(line.text)}
        done.append(replace(page, tables=(new, *others) if rows else others, lines=tuple(ln for ln in page.lines if ln not in captions)))
    return done


def _adjoin(former: _Page, last: Table, first: Table, page: _Page) -> bool:
    """Whether nothing stands between the end of one table and the beginning of the other, and they are alike."""
    if any(line.y < last.bottom - 2 for line in former.lines):
        return False
    if any(line.y > first.top - 2 and not _CONTINUED.search(line.text) for line in page.lines):
        return False
    alike = len(last.rows[0]) == len(first.rows[0]) and last.boxed == first.boxed
    return alike and (abs(last.left - first.left) < 12 or first.columns == last.columns)


def _bold_heads(first: Table, last: Table) -> bool:
    """Whether the first row of a table are headings of its own: words without a figure, where rows above hold figures."""
    body = [any(c.isdigit() for c in row[0]) for row in last.rows[1:]]
    return bool(body) and sum(body) > 0.7 * len(body) and not any(c.isdigit() for c in first.rows[0][0]) and bool(first.rows[0][0])


def _within(word: Word, table: Table) -> bool:
    x, y = word.middle
    return table.bottom - 1 <= y <= table.top + 1 and table.left - 3 <= x <= table.right + 3


def _without_margins(pages: Sequence[_Page]) -> list[_Page]:
    """Drops running headers and footers: what stands at the edge of many pages, digits aside, and page numbers."""
    seen: Counter[str] = Counter()
    for page in pages:
        for text in {_mask(line.text) for line in _edge(page)}:
            seen[text] += 1
    often = max(2, 0.3 * len(pages))

    size = _body_size(pages)

    def stays(line: Line, page: _Page) -> bool:
        if line.size < 0.9 * size and (line.y > 0.92 * page.height or line.y < 0.08 * page.height):
            return False  # small print outside the text area
        return not (_PAGE_NUMBER.match(line.text) or seen[_mask(line.text)] >= often)

    done = []
    for page in pages:
        gone = {id(line) for line in _edge(page) if not stays(line, page)}
        done.append(replace(page, lines=tuple(line for line in page.lines if id(line) not in gone)))
    return done


def _edge(page: _Page) -> list[Line]:
    """The two outermost lines above and below on a page that stand near its edge."""
    ordered = sorted({line.y for line in page.lines})
    outermost = {y for y in (*ordered[:2], *ordered[-2:]) if y > 0.88 * page.height or y < 0.12 * page.height}
    return [line for line in page.lines if line.y in outermost]


def _mask(text: str) -> str:
    return re.sub(r"\d+", "#", text)


def _body_size(pages: Sequence[_Page]) -> float:
    sizes: Counter[float] = Counter()
    for page in pages:
        for line in page.lines:
            sizes[round(line.size * 2) / 2] += len(line.text)
    return sizes.most_common(1)[0][0] if sizes else 10.0


def _page_blocks(page: _Page, style: _Style) -> list[Block]:
    """Lines and tables of one page in reading order: a table stands where its top is."""
    blocks: list[Block] = []
    waiting = sorted(page.tables, key=lambda t: -t.top)
    paragraph: list[Line] = []

    def close() -> None:
        nonlocal paragraph
        blocks.extend(_text_blocks(paragraph, page.number))
        paragraph = []

    for line in page.lines:
        while waiting and waiting[0].top > line.y + line.size and not _beside(waiting[0], line):
            close()
            blocks.append(_table(waiting.pop(0), page.number))
        if _LEADERS.search(line.text) or (len(line.text) <= 8 and not any(c.isalpha() for c in line.text)):
            continue  # a table of contents; the numbers in a drawing
        level = _heading(line, style)
        if level:
            close()
            before = blocks[-1] if blocks else None
            if before is not None and before.kind == "heading" and _wrapped_heading(before, line, level):
                blocks[-1] = Block("heading", f"{before.text} {heading_text(line)}", page.number, level=before.level)
            else:
                blocks.append(Block("heading", heading_text(line), page.number, level=level))
            continue
        if paragraph and _ends(paragraph, line):
            close()
        paragraph.append(line)
    close()
    blocks += [_table(t, page.number) for t in waiting]
    return _captioned(blocks)


def heading_text(line: Line) -> str:
    """The line's text with a chapter number that the page has set apart ("2. 1 Use") put together."""
    return re.sub(r"^(\d{1,2})\. (?=\d{1,2}\b)", r"\1.", folded(line.text))


def _beside(table: Table, line: Line) -> bool:
    """A table of the other column does not interrupt this one."""
    return bool(table.right and (line.x0 > table.right + 3 or line.x1 < table.left - 3))


def _wrapped_heading(before: Block, line: Line, level: int) -> bool:
    return before.level == level and not heading_level(folded(line.text)) and len(before.text) > 45


def _heading(line: Line, style: _Style) -> int:
    """The level of a heading line, 0 for text. The outline knows best; then numbers, size and weight."""
    text = heading_text(line)
    if len(text) > 130 or len(text) < 2 or WARNING_WORD.match(text) or not any(c.isalpha() for c in text):
        return 0
    named = style.outline.get(_key(text))
    stated = heading_level(text)
    larger, emphasised = line.size > 1.08 * style.size, line.bold and line.size >= 0.97 * style.size
    if named is not None and (larger or line.bold or stated):
        return stated or named
    if stated and (larger or emphasised) and not STEP_LIKE.match(text):
        return stated
    if text.endswith((".", ",", ";", ":")) or BULLET.match(text):
        return 0
    if line.size >= 1.6 * style.size:
        return 1
    if line.size >= 1.15 * style.size:
        return 2
    return 5 if emphasised and len(text) <= 80 and len(line.words) <= 12 and text[0].isupper() else 0


STEP_LIKE = re.compile(r"^\d{1,2}\.\s+[A-Z][a-z]+ .*\b(the|a|an|and|to|from|with|until|for)\b")


def _ends(paragraph: Sequence[Line], line: Line) -> bool:
    """Whether `line` begins a new paragraph: by a gap, a step number, a bullet, a warning, or another font size."""
    last = paragraph[-1]
    gap = last.y - line.y
    leading = 1.75 * max(last.size, line.size)
    if len(paragraph) > 1:
        leading = min(leading, 1.32 * (paragraph[0].y - paragraph[-1].y) / (len(paragraph) - 1) + 1.0)
    if gap > leading or gap < -2:
        return True
    text = line.text
    return bool(STEP.match(text) or BULLET.match(text) or WARNING_WORD.match(text)) or (
        bool(WARNING_WORD.match(paragraph[0].text)) and len(paragraph) > 1 and line.x0 < paragraph[-1].x0 - 3
    )


def _text_blocks(lines: Sequence[Line], page: int) -> list[Block]:
    if not lines:
        return []
    text = folded(layout.joined([line.text for line in lines]))
    if WARNING_WORD.match(text):
        return [Block("warning", text, page)]
    if STEP.match(text):
        return [Block("steps", text, page, items=(text,))]
    return [Block("paragraph", text, page)] if text else []


_CAPTION = re.compile(r"^(?:Table|Tab\.|List)\s*[A-Z]?[\d.\-]*\s*[:.–-]?\s*(.{0,120})$")


def _captioned(blocks: Sequence[Block]) -> list[Block]:
    """A caption above or below a table becomes its name."""
    named: list[Block] = []
    for i, block in enumerate(blocks):
        if block.kind == "table":
            around = [b for b in (named[-1] if named else None, blocks[i + 1] if i + 1 < len(blocks) else None)
                      if b is not None and b.kind in ("paragraph", "heading")]  # fmt: skip
            caption = next((b.text for b in around if _CAPTION.match(b.text)), "")
            named.append(Block("table", block.text, block.page, header=block.header, rows=block.rows, name=caption))
        else:
            named.append(block)
    return named


def _table(table: Table, page: int) -> Block:
    rows = [list(row) for row in table.rows]
    return table_block(rows, page) if table.headed else names_and_values(rows, page)
