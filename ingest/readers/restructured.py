"""reStructuredText to blocks, with docutils: sections, lists, tables with spans, admonitions, definition lists.

Nothing is included, no raw part is taken and no configuration file is read. Directives and roles of other programs
(Sphinx) keep their text. `tests/test_readers.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from docutils import core, nodes  # type: ignore[import-untyped]

from ingest.readers.blocks import WARNING_WORD, Block, Content, UnreadableFile, folded, lines_to_blocks
from ingest.readers.markup import decoded, spread, table_block

_SETTINGS = {
    "file_insertion_enabled": False, "raw_enabled": False, "_disable_config": True, "report_level": 5, "halt_level": 5,
    "warning_stream": None, "doctitle_xform": True, "sectsubtitle_xform": False, "smart_quotes": False,
    "syntax_highlight": "none", "pep_references": False, "rfc_references": False, "line_length_limit": 200_000,
}  # fmt: skip
_DANGERS = {"danger": "DANGER", "warning": "WARNING", "caution": "CAUTION", "attention": "ATTENTION", "error": "WARNING"}
_REMARKS = {"note": "Note", "important": "Important", "tip": "Tip", "hint": "Hint"}
_HOLDERS = (nodes.block_quote, nodes.compound, nodes.container, nodes.topic, nodes.sidebar)
_ROLE = re.compile(r":[\w:+.-]+:`([^`<]*?)\s*(?:<[^`>]*>)?`")
_CONTENTS = re.compile(r"^\.\.\s+(?:toctree|contents|index|only|highlight|include|raw|image|figure)::")


def read(path: Path) -> Content:
    """Reads one file. Raises UnreadableFile when docutils gives up on it."""
    text = decoded(path)
    try:
        document = core.publish_doctree(text, settings_overrides=dict(_SETTINGS))
    except RecursionError:
        raise
    except Exception as error:  # docutils raises what its parsers raise, of many types
        raise UnreadableFile("the file is not valid reStructuredText") from error
    meta: dict[str, str] = {}
    blocks = list(_blocks(document, 2 if document.get("title") else 1, meta))
    if document.get("title"):
        meta.setdefault("title", folded(str(document["title"])))
    return Content(tuple(blocks), meta=meta)


def _blocks(parent: nodes.Element, level: int, meta: dict[str, str]) -> Iterator[Block]:
    """The children of a node in order; `level` is that of the sections below it."""
    for node in parent.children:
        if isinstance(node, nodes.section):
            yield from _blocks(node, level + 1, meta)
        elif isinstance(node, nodes.title):
            if not isinstance(parent, nodes.Admonition | nodes.topic | nodes.sidebar):
                yield Block("heading", _text(node), level=min(6, level - 1 if isinstance(parent, nodes.section) else 1))
        elif isinstance(node, nodes.subtitle | nodes.rubric):
            yield Block("heading", _text(node), level=min(6, level))
        elif isinstance(node, nodes.docinfo):
            _facts(node, meta)
        elif isinstance(node, nodes.Element):
            yield from _block(node, level, meta)


def _block(node: nodes.Element, level: int, meta: dict[str, str]) -> Iterator[Block]:
    if isinstance(node, nodes.Admonition):
        yield _admonition(node)
    elif isinstance(node, nodes.enumerated_list):
        start = int(node.get("start", 1))
        items = tuple(f"{start + n}. {_text(item)}" for n, item in enumerate(node.children))
        yield Block("steps", "\n".join(items), items=items)
    elif isinstance(node, nodes.bullet_list):
        items = tuple(filter(None, (_text(item) for item in node.children)))
        if items:
            yield Block("list", "\n".join(f"- {item}" for item in items), items=items)
    elif isinstance(node, nodes.definition_list | nodes.field_list | nodes.option_list):
        items = tuple(_pair(item) for item in node.children if isinstance(item, nodes.Element))
        yield Block("list", "\n".join(items), items=items)
    elif isinstance(node, nodes.table):
        yield from _table(node)
    elif isinstance(node, nodes.literal_block | nodes.doctest_block):
        yield Block("paragraph", node.astext().strip())
    elif isinstance(node, nodes.line_block):
        yield Block("paragraph", "\n".join(_text(line) for line in node.children if _text(line)))
    elif isinstance(node, nodes.system_message):
        yield from _unknown(node)
    elif isinstance(node, nodes.figure):
        yield from (Block("caption", _text(c)) for c in node.children if isinstance(c, nodes.caption | nodes.legend))
    elif isinstance(node, nodes.footnote | nodes.citation):
        yield Block("paragraph", " ".join(_text(c) for c in node.children if not isinstance(c, nodes.label)))
    elif isinstance(node, nodes.paragraph | nodes.attribution):
        text = _text(node)
        if text:
            yield Block("warning" if WARNING_WORD.match(text) else "paragraph", text)
    elif isinstance(node, _HOLDERS) and "contents" not in node.get("classes", ()):
        yield from _blocks(node, level, meta)


def _admonition(node: nodes.Element) -> Block:
    name = type(node).__name__
    body = " ".join(_text(child) for child in node.children if not isinstance(child, nodes.title))
    title = " ".join(_text(child) for child in node.children if isinstance(child, nodes.title))
    if name in _DANGERS:
        return Block("warning", f"{_DANGERS[name]}: {body}")
    text = f"{_REMARKS[name]}: {body}" if name in _REMARKS else f"{title}: {body}".strip(": ")
    return Block("warning" if WARNING_WORD.match(text) else "paragraph", text)


def _pair(item: nodes.Element) -> str:
    """ "term: definition" of a definition, field or option list."""
    head, *rest = [_text(child) for child in item.children if _text(child)] or [""]
    return f"{head.rstrip(':')}: {' '.join(rest)}" if rest else head


def _table(node: nodes.table) -> Iterator[Block]:
    name = " ".join(_text(child) for child in node.children if isinstance(child, nodes.title))
    rows: list[list[tuple[str, int, int]]] = []
    headed = False
    for group in node.findall(lambda n: isinstance(n, nodes.thead | nodes.tbody)):
        headed = headed or isinstance(group, nodes.thead)
        rows += [
            [(_text(e), int(e.get("morerows", 0)) + 1, int(e.get("morecols", 0)) + 1) for e in row.children if isinstance(e, nodes.entry)]
            for row in group.children if isinstance(row, nodes.row)
        ]  # fmt: skip
    grid = spread(rows)
    if not grid:
        return
    if headed:
        yield table_block(grid, name=name)
    else:
        block = table_block(grid, name=name)
        yield Block("table", block.text, rows=(block.header, *block.rows), name=name)


def _unknown(node: nodes.system_message) -> Iterator[Block]:
    """The text inside a directive that docutils does not know; what docutils was told not to do stays undone."""
    message = node.astext()
    if "Unknown directive" not in message:
        return
    for literal in node.findall(nodes.literal_block):
        lines = literal.astext().splitlines()
        if not lines or _CONTENTS.match(lines[0]):
            continue
        body = [line[3:] if line.startswith("   ") else line for line in lines[1:] if not re.match(r"\s*:\w[\w-]*:", line)]
        yield from lines_to_blocks(body)


def _text(node: nodes.Node) -> str:
    """The text of a node in one line; roles that nobody resolved keep their words."""
    if isinstance(node, nodes.system_message | nodes.comment | nodes.substitution_definition | nodes.target):
        return "" if not isinstance(node, nodes.target) else folded(node.astext())
    if isinstance(node, nodes.Admonition):
        return _admonition(node).text
    if isinstance(node, nodes.enumerated_list):
        return " ".join(f"{chr(96 + n) if n < 27 else n}) {_text(c)}" for n, c in enumerate(node.children, start=1))
    if isinstance(node, nodes.Element) and any(isinstance(c, nodes.Body) for c in node.children):
        return folded(" ".join(filter(None, (_text(c) for c in node.children))))
    return folded(_ROLE.sub(r"\1", node.astext()))


def _facts(node: nodes.docinfo, meta: dict[str, str]) -> None:
    """The bibliographic fields at the top: `:Version: C`, `:Date: 2026-01-15`, and those with names of their own."""
    for field in node.children:
        if isinstance(field, nodes.field):
            name, value = (_text(child) for child in field.children[:2])
        else:
            name, value = type(field).__name__, _text(field)
        meta[re.sub(r"[\s-]+", "_", name.strip().lower())] = value
