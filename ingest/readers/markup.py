"""Readers of marked-up and plain text: Markdown, HTML, text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path

import yaml
from markdown_it import MarkdownIt
from markdown_it.token import Token

from ingest.readers.blocks import BULLET, WARNING_WORD, Block, Content, UnreadableFile, folded, lines_to_blocks

_LARGEST_BYTES = 64_000_000
_FRONT_MATTER = re.compile(r"\A---\s*\n(.*?)\n---\s*\n", re.DOTALL)


def decoded(path: Path) -> str:
    """The text of a file in whatever encoding it has; raises UnreadableFile when it is too large or no text."""
    if path.stat().st_size > _LARGEST_BYTES:
        raise UnreadableFile(f"the file is larger than {_LARGEST_BYTES // 1_000_000} MB of text")
    raw = path.read_bytes()
    encodings = ("utf-16",) if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8-sig", "cp1252")
    text = raw.decode("latin-1")
    for encoding in encodings:
        try:
            text = raw.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    sample = text[:5000]
    if sum(not (c.isprintable() or c.isspace()) for c in sample) > 0.05 * len(sample) + 5:
        raise UnreadableFile("the file holds no readable text")
    return text


def read_text(path: Path) -> Content:
    return Content(tuple(lines_to_blocks(decoded(path).splitlines())))


def read_markdown(path: Path) -> Content:
    text = decoded(path)
    meta: dict[str, str] = {}
    front = _FRONT_MATTER.match(text)
    if front:
        try:
            values = yaml.load(front.group(1), Loader=getattr(yaml, "CBaseLoader", yaml.BaseLoader))  # a revision 1.10 is no 1.1
        except yaml.YAMLError:
            values = None
        if isinstance(values, dict):
            meta = {str(k).lower(): ", ".join(map(str, v)) if isinstance(v, list) else str(v) for k, v in values.items()}
            text = text[front.end() :]
    tokens = MarkdownIt("commonmark", {"html": False}).enable("table").parse(text)
    blocks = _MarkdownBlocks(tokens).blocks
    if "title" not in meta:
        first = next((b for b in blocks if b.kind == "heading" and b.level == 1), None)
        if first:
            meta["title"] = first.text
    return Content(tuple(blocks), meta=meta)


class _MarkdownBlocks:
    """Walks the tokens once; lists keep their items whole, nested lists inside the item they belong to."""

    def __init__(self, tokens: list[Token]) -> None:
        self.blocks: list[Block] = []
        self._tokens = tokens
        i = 0
        while i < len(tokens):
            i = self._one(i)

    def _one(self, i: int) -> int:
        token = self._tokens[i]
        if token.type == "heading_open":
            self.blocks.append(Block("heading", _inline(self._tokens[i + 1]), level=int(token.tag[1:])))
        elif token.type == "paragraph_open":
            text = _inline(self._tokens[i + 1])
            self.blocks.append(Block("warning" if WARNING_WORD.match(text) else "paragraph", text))
        elif token.type in ("fence", "code_block"):
            self.blocks.append(Block("paragraph", token.content.strip()))
        elif token.type in ("ordered_list_open", "bullet_list_open"):
            end = self._end(i)
            self._list(i, end)
            return end + 1
        elif token.type == "table_open":
            end = self._end(i)
            self._table(i, end)
            return end + 1
        elif token.type == "blockquote_open":
            end = self._end(i)
            text = " ".join(_inline(t) for t in self._tokens[i:end] if t.type == "inline")
            self.blocks.append(Block("warning" if WARNING_WORD.match(text) else "paragraph", text))
            return end + 1
        return i + 1

    def _end(self, i: int) -> int:
        closing, level = self._tokens[i].type.replace("_open", "_close"), self._tokens[i].level
        return next(j for j in range(i + 1, len(self._tokens))
                    if self._tokens[j].type == closing and self._tokens[j].level == level)  # fmt: skip

    def _list(self, start: int, end: int) -> None:
        level = self._tokens[start].level + 1
        ordered = self._tokens[start].type == "ordered_list_open"
        number = int(self._tokens[start].attrs.get("start", 1)) if ordered else 1
        items: list[str] = []
        for token in self._tokens[start:end]:
            if token.type == "list_item_open" and token.level == level:
                items.append("")
            elif token.type in ("inline", "fence", "code_block") and items:
                piece = _inline(token) if token.type == "inline" else token.content.strip()
                items[-1] = f"{items[-1]} {piece}".strip()
        if ordered:
            steps = tuple(f"{number + n}. {item}" for n, item in enumerate(items))
            self.blocks.append(Block("steps", "\n".join(steps), items=steps))
        else:
            self.blocks.append(Block("list", "\n".join(f"- {item}" for item in items), items=tuple(items)))

    def _table(self, start: int, end: int) -> None:
        rows: list[list[str]] = []
        for j in range(start, end):
            token = self._tokens[j]
            if token.type == "tr_open":
                rows.append([])
            elif token.type in ("th_open", "td_open"):
                rows[-1].append(_inline(self._tokens[j + 1]))
        if rows:
            self.blocks.append(table_block(rows))


def table_block(rows: list[list[str]], page: int | None = None, name: str = "") -> Block:
    """A table whose first row is its header; rows are padded to the header's width."""
    width = max(map(len, rows))
    padded = [tuple(folded(c) for c in row) + ("",) * (width - len(row)) for row in rows]
    text = "\n".join(" | ".join(c for c in row if c) for row in padded)
    return Block("table", text, page, header=padded[0], rows=tuple(padded[1:]), name=name)


def spread(rows: Sequence[Sequence[tuple[str, int, int]]], most_columns: int = 500) -> list[list[str]]:
    """Cells with their spans (text, rows, columns) as a full grid: a merged cell stands in each row that it spans, and
    in the first of its columns."""
    grid: list[list[str]] = []
    hanging: dict[int, tuple[str, int]] = {}  # column -> text and how many rows it still reaches down
    for row in rows:
        waiting = list(row)[::-1]
        line: list[str] = []
        below: dict[int, tuple[str, int]] = {}
        while (waiting or len(line) in hanging) and len(line) < most_columns:
            if len(line) in hanging:
                text, left = hanging.pop(len(line))
                if left > 1:
                    below[len(line)] = (text, left - 1)
                line.append(text)
                continue
            text, high, wide = waiting.pop()
            cells = [text, *[""] * (min(max(wide, 1), most_columns) - 1)]
            if high > 1:
                below |= {len(line) + i: (cell, min(high, 5000) - 1) for i, cell in enumerate(cells)}
            line += cells
        hanging = below
        grid.append(line)
    return grid


def names_and_values(rows: list[list[str]], page: int | None = None) -> Block:
    """A table without headings, whose first column names the values beside it: "Revision: C"."""
    cleaned = [[folded(c) for c in row if c.strip()] for row in rows]
    lines = [f"{row[0].rstrip(':')}: {' | '.join(row[1:])}" if len(row) > 1 else row[0] for row in cleaned if row]
    return Block("list", "\n".join(lines), page, items=tuple(lines))


def _inline(token: Token) -> str:
    pieces: list[str] = []
    for child in token.children or []:
        if child.type in ("text", "code_inline"):
            pieces.append(child.content)
        elif child.type in ("softbreak", "hardbreak"):
            pieces.append(" ")
    return folded("".join(pieces) if token.children else token.content)


def read_html(path: Path) -> Content:
    parser = _parsed(decoded(path))
    return Content(tuple(parser.blocks), meta={"title": folded(parser.title)} if parser.title.strip() else {})


def html_blocks(text: str) -> list[Block]:
    """The blocks of HTML text."""
    return _parsed(text).blocks


def _parsed(text: str) -> _Html:
    parser = _Html()
    parser.feed(_closed(text))
    parser.close()
    parser.flush()
    return parser


_CONDITION = re.compile(r"<!\[\s*(?:if|else|endif)\b[^>\]<]{0,200}\]?\s*>", re.IGNORECASE)
_SECTION = re.compile(r"<!\[(?!CDATA\[)")
#: Opened tags without a ">" between them; beyond, all but the first are text.
_MOST_OPEN = 50


def _closed(text: str) -> str:
    """What is opened and never closed becomes text. The library's parser looks for the end of each such mark to the
    end of the file (8,000 times "<a " took 10 s, 50,000 times "<!--" 32 s), and gives up at a "<![" that it does not know."""
    if "<![" in text:
        text = _SECTION.sub("&lt;![", _CONDITION.sub("", text))
    for opening, closing in (("<!--", "-->"), ("<![CDATA[", "]]>")):
        last = text.rfind(closing) + 1
        text = text[:last] + text[last:].replace(opening, "&lt;" + opening[1:])
    stretches = text.split(">")
    for place, stretch in enumerate(stretches):
        if place == len(stretches) - 1:
            stretches[place] = stretch.replace("<", "&lt;")
        elif stretch.count("<") > _MOST_OPEN:
            head, mark, tail = stretch.partition("<")
            stretches[place] = head + mark + tail.replace("<", "&lt;")
    return ">".join(stretches)


def _count(attrs: list[tuple[str, str | None]], name: str) -> int:
    """A span as HTML states it, 1 to 1000."""
    stated = dict(attrs).get(name) or ""
    return max(1, min(1000, int(stated))) if stated.isdecimal() and len(stated) < 6 else 1


class _Html(HTMLParser):
    """Blocks of an HTML page; scripts, styles and navigation are not text."""

    _SKIPPED = frozenset(("script", "style", "noscript", "template", "svg", "nav", "head"))
    _BREAKS = frozenset(("p", "div", "section", "article", "br", "blockquote", "dt", "dd", "pre", "figcaption", "main"))

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.blocks: list[Block] = []
        self.title = ""
        self._buffer: list[str] = []
        self._skip = 0
        self._in_title = False
        self._lists: list[tuple[str, list[str]]] = []
        self._tables: list[list[list[tuple[str, int, int]]]] = []
        self._span = (1, 1)
        self._terms: list[str] | None = None  # of the definition list being read
        self._heading = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "title":
            self._in_title = True
        if tag in self._SKIPPED:
            self._skip += 1
        elif tag in ("h1", "h2", "h3", "h4", "h5", "h6"):
            self.flush()
            self._heading = int(tag[1])
        elif tag in ("ol", "ul"):
            if not self._lists:
                self.flush()
            self._lists.append((tag, []))
        elif tag == "li" and self._lists:
            if len(self._lists) == 1:
                self._buffer = []
        elif tag == "table":
            self.flush()
            self._tables.append([])
        elif tag == "tr" and self._tables:
            self._tables[-1].append([])
        elif tag in ("td", "th") and self._tables:
            self._buffer = []
            self._span = (_count(attrs, "rowspan"), _count(attrs, "colspan"))
        elif tag == "dl" and not self._tables and not self._lists:
            self.flush()
            self._terms = []
        elif tag in self._BREAKS and not self._tables and not self._lists and self._terms is None:
            self.flush()
        elif tag in self._BREAKS:
            self._buffer.append(" ")

    def handle_endtag(self, tag: str) -> None:
        if tag == "title":
            self._in_title = False
        if tag in self._SKIPPED:
            self._skip = max(0, self._skip - 1)
        elif tag.startswith("h") and tag[1:].isdigit():
            self.flush()
            self._heading = 0
        elif tag == "li" and len(self._lists) == 1:
            self._lists[-1][1].append(folded("".join(self._buffer)))
            self._buffer = []
        elif tag in ("ol", "ul") and self._lists:
            kind, items = self._lists.pop()
            items = [i for i in items if i]
            if not self._lists and items:
                steps = tuple(f"{n}. {i}" for n, i in enumerate(items, start=1)) if kind == "ol" else tuple(items)
                text = "\n".join(steps if kind == "ol" else [f"- {i}" for i in items])
                self.blocks.append(Block("steps" if kind == "ol" else "list", text, items=steps))
        elif tag in ("td", "th") and self._tables and self._tables[-1]:
            self._tables[-1][-1].append((folded("".join(self._buffer)), *self._span))
            self._buffer = []
        elif tag in ("dt", "dd") and self._terms is not None:
            text = folded("".join(self._buffer))
            self._buffer = []
            self._terms = self._terms or []
            if tag == "dt":
                self._terms.append(text)
            elif self._terms and text:
                self._terms[-1] += f": {text}" if ": " not in self._terms[-1] else f" {text}"
        elif tag == "dl" and self._terms is not None:
            terms = tuple(t for t in self._terms if t)
            self._terms = None
            if terms:
                self.blocks.append(Block("list", "\n".join(terms), items=terms))
        elif tag == "table" and self._tables:
            rows = [r for r in spread(self._tables.pop()) if any(r)]
            if len(rows) > 1:
                self.blocks.append(table_block(rows))
            elif rows:
                self.blocks.append(Block("paragraph", " | ".join(rows[0])))
        elif tag in self._BREAKS and not self._tables and not self._lists:
            self.flush()

    def handle_data(self, data: str) -> None:
        if self._in_title:
            self.title += data
        elif not self._skip:
            self._buffer.append(data)

    def flush(self) -> None:
        text = folded("".join(self._buffer))
        self._buffer = []
        if not text or self._tables or self._lists:
            return
        if self._heading:
            self.blocks.append(Block("heading", text, level=self._heading))
        else:
            self.blocks.append(Block("warning" if WARNING_WORD.match(text) else "paragraph", BULLET.sub("", text)))
