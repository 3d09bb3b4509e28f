"""Word files to blocks, straight from their XML: headings by style, numbered steps, tables with merged cells, text
boxes, footnotes. Headers and footers are no text but may say which document it is; deleted and hidden text is gone.
`tests/test_readers.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from ingest.readers.blocks import STEP, WARNING_WORD, Block, Content, UnreadableFile, folded, heading_level
from ingest.readers.markup import names_and_values, spread, table_block
from ingest.readers.office import Archive

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_CHOICE = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Choice"
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_HEADING_STYLE = re.compile(r"(?:heading|berschrift|ueberschrift|titre|titolo|t[ií]tulo)\s*(\d)", re.IGNORECASE)
_LEFT_OUT = frozenset((f"{_W}del", f"{_W}moveFrom", _FALLBACK, f"{_W}instrText"))
_DEEPEST = 60
Element = ElementTree.Element


@dataclass(frozen=True)
class _Style:
    """What a paragraph style says: heading level (0: none), its list (numId, level), and whether it is a contents line."""

    level: int = 0
    numbering: tuple[str, int] | None = None
    contents: bool = False


@dataclass
class _File:
    """One document while it is read: its styles, which lists are bullets, its footnotes."""

    styles: dict[str, _Style]
    bullets: frozenset[tuple[str, int]]
    notes: dict[str, str]


def read(path: Path) -> Content:
    """Reads one file. Raises UnreadableFile when it is damaged, hostile or no Word document."""
    archive = Archive(path)
    document = archive.xml("word/document.xml")
    if document is None:
        raise UnreadableFile("the file is no Word document")
    file = _File(_styles(archive.xml("word/styles.xml")), _bullets(archive.xml("word/numbering.xml")), _notes(archive))
    blocks = _numbered(_story(document.find(f"{_W}body"), file, 0))
    return Content(tuple(blocks), meta=_properties(archive) | _running(archive))


def _numbered(blocks: Iterator[tuple[Block, tuple[str, int] | None]]) -> list[Block]:
    """Paragraphs of one numbered list become one step list, its inner levels part of the step above them."""
    found: list[Block] = []
    open_list: str | None = None
    for block, numbering in blocks:
        before = found[-1] if found else None
        if block.kind != "steps" or numbering is None:
            if block.kind not in ("warning", "caption"):
                open_list = None if block.kind == "heading" else open_list
            found.append(block)
            continue
        inner = numbering[1] > 0
        if before is not None and before.kind == "steps" and (open_list == numbering[0] or inner):
            text = block.text
            items = (*before.items[:-1], f"{before.items[-1]} {text}") if inner else (*before.items, f"{_next(before)}. {text}")
            found[-1] = Block("steps", "\n".join(items), items=items)
        else:
            former = next((b for b in reversed(found) if b.kind == "steps"), None)
            number = _next(former) if former is not None and open_list == numbering[0] else 1
            found.append(Block("steps", f"{number}. {block.text}", items=(f"{number}. {block.text}",)))
        open_list = numbering[0]
    return found


def _next(block: Block) -> int:
    match = re.match(r"(\d+)\.", block.items[-1])
    return int(match.group(1)) + 1 if match else len(block.items) + 1


def _story(parent: Element | None, file: _File, depth: int) -> Iterator[tuple[Block, tuple[str, int] | None]]:
    """The paragraphs and tables of a body, a text box or a content control, in order."""
    for element in parent if parent is not None and depth < _DEEPEST else ():
        if element.tag == f"{_W}p":
            yield from _paragraph(element, file)
            for box in _boxes(element):
                yield from _story(box, file, depth + 1)
        elif element.tag == f"{_W}tbl":
            for block in _table(element, file):
                yield block, None
        elif element.tag == f"{_W}sdt":
            gallery = element.find(f"{_W}sdtPr/{_W}docPartObj/{_W}docPartGallery")
            if gallery is None or "contents" not in (gallery.get(f"{_W}val") or "").lower():
                yield from _story(element.find(f"{_W}sdtContent"), file, depth + 1)
        elif element.tag in (f"{_W}ins", f"{_W}customXml", f"{_W}smartTag"):
            yield from _story(element, file, depth + 1)


def _paragraph(element: Element, file: _File) -> Iterator[tuple[Block, tuple[str, int] | None]]:
    text = _text(element, file)
    named = element.find(f"{_W}pPr/{_W}pStyle")
    style_id = (named.get(f"{_W}val") or "") if named is not None else ""
    style = file.styles.get(style_id) or _by_name(style_id)
    if not text or style.contents:
        return
    numbering = _numbering(element, style)
    if style.level:
        yield Block("heading", text, level=style.level), None
    elif numbering is not None:
        bullet = numbering in file.bullets or style_id.startswith("ListBullet")
        if WARNING_WORD.match(text):
            yield Block("warning", text), None
        elif bullet:
            yield Block("list", f"- {text}", items=(text,)), None
        else:
            yield Block("steps", STEP.sub("", text)), numbering
    elif WARNING_WORD.match(text):
        yield Block("warning", text), None
    elif style_id.lower() in ("caption", "beschriftung"):
        yield Block("caption", text), None
    else:
        stated = heading_level(text)
        step = STEP.match(text)
        if step and not stated:
            yield Block("steps", text, items=(text,)), None
        else:
            yield (Block("heading", text, level=stated) if stated else Block("paragraph", text)), None


def _numbering(element: Element, style: _Style) -> tuple[str, int] | None:
    """(list, level) of a numbered paragraph, by itself or by its style; numId 0 takes the numbering away."""
    own = element.find(f"{_W}pPr/{_W}numPr")
    if own is None:
        return style.numbering
    number, level = own.find(f"{_W}numId"), own.find(f"{_W}ilvl")
    named = (number.get(f"{_W}val") or "") if number is not None else ""
    if named == "0":
        return None
    depth = (level.get(f"{_W}val") or "0") if level is not None else "0"
    return named or (style.numbering or ("", 0))[0], int(depth) if depth.isdigit() else 0


def _boxes(paragraph: Element) -> Iterator[Element]:
    """Text boxes anchored in a paragraph, once each: an older twin of the same box stands in the fallback."""
    stack = [(paragraph, 0)]
    while stack:
        element, depth = stack.pop()
        if element.tag == f"{_W}txbxContent":
            yield element
        elif element.tag != _FALLBACK and depth < _DEEPEST:
            stack += [(child, depth + 1) for child in reversed(element)]


def _text(element: Element, file: _File, depth: int = 0) -> str:
    return folded("".join(_pieces(element, file, depth)))


def _pieces(element: Element, file: _File, depth: int) -> Iterator[str]:
    for child in element if depth < _DEEPEST else ():
        tag = child.tag
        if tag == f"{_W}t":
            yield child.text or ""
        elif tag in (f"{_W}tab", f"{_W}br", f"{_W}cr"):
            yield " "
        elif tag == f"{_W}noBreakHyphen":
            yield "-"
        elif tag in (f"{_W}footnoteReference", f"{_W}endnoteReference"):
            kind = "footnote" if tag == f"{_W}footnoteReference" else "endnote"
            note = file.notes.get(f"{kind}{child.get(f'{_W}id')}", "")
            yield f" ({note})" if note else ""
        elif tag in _LEFT_OUT or tag == f"{_W}txbxContent" or (tag == f"{_W}r" and _hidden(child)):
            continue
        elif tag not in (f"{_W}pPr", f"{_W}rPr"):
            yield from _pieces(child, file, depth + 1)


def _hidden(run: Element) -> bool:
    mark = run.find(f"{_W}rPr/{_W}vanish")
    return mark is not None and mark.get(f"{_W}val") not in ("0", "false")


# -- tables ----------------------------------------------------------------------------------------------------------


def _table(table: Element, file: _File) -> Iterator[Block]:
    rows = [_cells(row, file) for row in table.iter(f"{_W}tr") if _owner(table, row)]
    grid = [row for row in spread(_joined_down(rows)) if any(row)]
    if len(grid) > 1 and max(map(len, grid)) == 1:
        for (text,) in grid:
            yield Block("warning" if WARNING_WORD.match(text) else "paragraph", text)
    elif len(grid) > 1:
        yield names_and_values(grid) if _is_form(grid) else table_block(grid)
    elif grid:
        text = " ".join(c for c in grid[0] if c)
        yield Block("warning" if WARNING_WORD.match(text) else "paragraph", text)


def _owner(table: Element, row: Element) -> bool:
    """Whether a row stands in this table itself and not in one inside a cell."""
    return row in list(table) or any(row in list(wrap) for wrap in table.iter(f"{_W}sdtContent"))


def _is_form(grid: list[list[str]]) -> bool:
    """Two columns of "name: value", where the first row is as much a name and value as the others."""
    return all(len(row) == 2 for row in grid) and sum(row[0].rstrip().endswith(":") for row in grid) >= 0.7 * len(grid)


def _cells(row: Element, file: _File) -> list[tuple[str, str, int]]:
    """(text, vertical merge: "", "restart" or "continue", columns) of each cell."""
    found = []
    own = [c for e in row for c in (e.iterfind(f"{_W}sdtContent/{_W}tc") if e.tag == f"{_W}sdt" else [e]) if c.tag == f"{_W}tc"]
    for cell in own:
        properties = cell.find(f"{_W}tcPr")
        span = properties.find(f"{_W}gridSpan") if properties is not None else None
        merged = properties.find(f"{_W}vMerge") if properties is not None else None
        paragraphs = [_text(p, file) for p in cell.iter(f"{_W}p")]
        wide = (span.get(f"{_W}val") or "1") if span is not None else "1"
        state = (merged.get(f"{_W}val") or "continue") if merged is not None else ""
        found.append((folded(" ".join(filter(None, paragraphs))), state, int(wide) if wide.isdigit() else 1))
    return found


def _joined_down(rows: list[list[tuple[str, str, int]]]) -> list[list[tuple[str, int, int]]]:
    """The same cells with the rows they span, as HTML counts them."""
    spans: list[list[list[int]]] = [[[1] for _ in row] for row in rows]
    heads: dict[int, list[int]] = {}  # column -> the span of the merged cell that is open there
    kept: list[list[tuple[int, tuple[str, str, int]]]] = []
    for y, row in enumerate(rows):
        column, line = 0, []
        for x, (text, state, wide) in enumerate(row):
            if state == "continue" and column in heads and not text:
                heads[column][0] += 1
            else:
                line.append((x, (text, state, wide)))
                heads.pop(column, None)
                if state == "restart":
                    heads[column] = spans[y][x]
            column += wide
        kept.append(line)
    return [[(text, spans[y][x][0], wide) for x, (text, _, wide) in line] for y, line in enumerate(kept)]


# -- what surrounds the text -----------------------------------------------------------------------------------------


def _by_name(style_id: str) -> _Style:
    match = _HEADING_STYLE.search(style_id)
    level = int(match.group(1)) if match else int(style_id == "Title")
    return _Style(level, None, bool(re.match(r"toc\s*\d", style_id, re.IGNORECASE)))


def _styles(xml: Element | None) -> dict[str, _Style]:
    """Paragraph styles by id, with what they inherit: a plant's own "P7 Chapter" is based on a heading."""
    raw = {s.get(f"{_W}styleId") or "": s for s in (xml if xml is not None else ()) if s.tag == f"{_W}style"}

    def resolve(name: str, depth: int) -> _Style:
        style = raw.get(name)
        if style is None or depth > 20:
            return _Style()
        based = style.find(f"{_W}basedOn")
        above = resolve(based.get(f"{_W}val") or "", depth + 1) if based is not None else _Style()
        title = style.find(f"{_W}name")
        known = _by_name((title.get(f"{_W}val") or "") if title is not None else "")
        outline = style.find(f"{_W}pPr/{_W}outlineLvl")
        stated = (outline.get(f"{_W}val") or "") if outline is not None else ""
        level = known.level or (int(stated) + 1 if stated.isdigit() and int(stated) < 9 else 0) or above.level
        return _Style(level, _numbering(style, above), known.contents or above.contents)

    return {name: resolve(name, 0) for name in raw}


def _bullets(xml: Element | None) -> frozenset[tuple[str, int]]:
    """(list, level) of those whose mark is a bullet."""
    if xml is None:
        return frozenset()
    formats: dict[str, set[int]] = {}
    for abstract in xml.findall(f"{_W}abstractNum"):
        for level in abstract.findall(f"{_W}lvl"):
            kind = level.find(f"{_W}numFmt")
            if kind is not None and kind.get(f"{_W}val") in ("bullet", "none"):
                formats.setdefault(abstract.get(f"{_W}abstractNumId") or "", set()).add(int(level.get(f"{_W}ilvl") or 0))
    found = set()
    for number in xml.findall(f"{_W}num"):
        reference = number.find(f"{_W}abstractNumId")
        named = (reference.get(f"{_W}val") or "") if reference is not None else ""
        found |= {(number.get(f"{_W}numId") or "", level) for level in formats.get(named, ())}
    return frozenset(found)


def _notes(archive: Archive) -> dict[str, str]:
    """Footnotes and endnotes by kind and id, to stand in brackets where they are referred to."""
    found: dict[str, str] = {}
    empty = _File({}, frozenset(), {})
    for member, kind in (("word/footnotes.xml", "footnote"), ("word/endnotes.xml", "endnote")):
        xml = archive.xml(member)
        for note in xml if xml is not None else ():
            if note.get(f"{_W}type") is None:
                texts = [_text(p, empty) for p in note.iter(f"{_W}p")]
                found[f"{kind}{note.get(f'{_W}id')}"] = folded(" ".join(texts))
    return found


def _properties(archive: Archive) -> dict[str, str]:
    """The document's properties: those of every Word file, and those that a plant has added ("Document number")."""
    meta: dict[str, str] = {}
    for member in ("docProps/core.xml", "docProps/custom.xml"):
        xml = archive.xml(member)
        for element in xml if xml is not None else ():
            tag = element.get("name") or element.tag.rsplit("}", 1)[-1]
            text = folded("".join(element.itertext()))
            if text and (element.get("name") or tag in ("title", "subject", "keywords", "creator", "language", "version")):
                meta[re.sub(r"[\s-]+", "_", tag.strip().lower())] = text
    return meta


def _running(archive: Archive) -> dict[str, str]:
    """What headers and footers say, for the title block."""
    empty = _File({}, frozenset(), {})
    texts = []
    for member in archive.names():
        if re.fullmatch(r"word/(?:header|footer)\d*\.xml", member):
            xml = archive.xml(member)
            texts += [_text(p, empty) for p in (xml.iter(f"{_W}p") if xml is not None else ())]
    joined = "\n".join(dict.fromkeys(filter(None, texts)))[:4000]
    return {"running": joined} if joined else {}
