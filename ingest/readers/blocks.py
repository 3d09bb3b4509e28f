"""What readers hand on: blocks in reading order, and what the file says about itself."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field


class UnreadableFile(Exception):
    """This file cannot be read; the text says why, in words for the person who dropped it in."""


@dataclass(frozen=True)
class Block:
    """One piece of a file. `kind`: heading (with `level`), paragraph, steps (`items` verbatim), table (`header` and
    `rows`), warning. `page` counts from 1, None where the type has no pages. `name`: a table's caption or list name."""

    kind: str
    text: str = ""
    page: int | None = None
    level: int = 0
    items: tuple[str, ...] = ()
    header: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    name: str = ""
    bare: bool = False  # a structured record list (JSON, YAML), whose header is the union of its field names


@dataclass(frozen=True)
class Content:
    """A whole file: its blocks, its number of pages (0 where there are none) and its own words about itself
    (`meta`: title, document, revision, effective, ... as found in metadata or front matter)."""

    blocks: tuple[Block, ...]
    pages: int = 0
    meta: dict[str, str] = field(default_factory=dict)


WARNING_WORD = re.compile(r"^\W{0,3}(DANGER|WARNING|CAUTION|NOTICE|ATTENTION|Danger|Warning|Caution)\b[\s:!.–-]*")
STEP = re.compile(r"^\s*(?:(?:step|Step|STEP)\s+)?(\d{1,3})\s*[.):]\s+(?=[^\s\d]|\d+\s[a-z])")
BULLET = re.compile(r"^\s*[-*•‣▪◦–·]\s+(?=\S)")
NUMBERED_HEADING = re.compile(r"^((?:[A-Z]\.)?\d{1,2}(?:\.\d{1,3}){0,4})\.?\s{1,6}([A-Z\"'(].{1,110})$")
APPENDIX_HEADING = re.compile(r"^((?:Appendix|Annex|Chapter|Section|Part)\s+[A-Z0-9]{1,3})\b[\s:.–-]*(.{0,100})$")


def folded(text: str) -> str:
    """White space folded and control characters gone; hyphens at line ends are the reader's business."""
    if not text.isprintable():
        text = "".join(c if c.isprintable() or c in "\n\t\u00ad" else " " for c in text)
    return " ".join(text.replace("\u00ad", "").split())


def heading_level(text: str) -> int:
    """The level that a numbered heading states ("4.2 Spindle" is 2), 0 when the text is no numbered heading."""
    match = NUMBERED_HEADING.match(text)
    if match and not text.rstrip().endswith((".", ";", ",")):
        return match.group(1).count(".") + 1
    return 1 if APPENDIX_HEADING.match(text) and len(text) < 90 else 0


_LABEL = re.compile(r"^\s*[A-Z][\w ]{2,24}:\s")
_COLUMN_GAP = re.compile(r"\s{2,}|\t+")


def _grid(lines: list[str], page: int | None) -> Block | None:
    """Lines whose cells are set apart by two or more spaces, as many in each, as a table without headings."""
    rows = [tuple(folded(c) for c in _COLUMN_GAP.split(line.strip())) for line in lines]
    if len(rows) < 3 or len(rows[0]) < 2 or any(len(row) != len(rows[0]) for row in rows):
        return None
    return Block("table", "\n".join(" | ".join(row) for row in rows), page, rows=tuple(rows))


def lines_to_blocks(lines: list[str], page: int | None = None) -> list[Block]:
    """Plain lines to paragraphs, steps, warnings and numbered headings; an empty line ends a paragraph."""
    blocks: list[Block] = []
    paragraph: list[str] = []
    steps: list[str] = []

    def close() -> None:
        nonlocal paragraph, steps
        if steps:
            blocks.append(Block("steps", "\n".join(steps), page, items=tuple(steps)))
        elif (grid := _grid(paragraph, page)) is not None:
            blocks.append(grid)
        elif paragraph:
            # Lines of one width are wrapped prose; lines of many lengths are a list, whose lines stay apart.
            wrapped = all(len(line.strip()) > 45 for line in paragraph[:-1]) and not any(map(_LABEL.match, paragraph[1:]))
            text = (" " if wrapped else "\n").join(folded(line) for line in paragraph)
            kind = "warning" if WARNING_WORD.match(text) else "paragraph"
            blocks.append(Block(kind, text, page))
        paragraph, steps = [], []

    for line in lines:
        stripped = line.strip()
        if not stripped:
            if not steps:
                close()
            continue
        level = heading_level(stripped) if not steps or not STEP.match(stripped) else 0
        if level and not paragraph:
            close()
            blocks.append(Block("heading", folded(stripped), page, level=level))
        elif STEP.match(line):
            if not steps:
                close()
            steps.append(folded(stripped))
        elif steps and (WARNING_WORD.match(stripped) or line[:1].isspace() or BULLET.match(line)):
            steps[-1] += " " + folded(stripped)
        elif BULLET.match(line):
            if paragraph and not BULLET.match(paragraph[0]):
                close()
            blocks.append(Block("paragraph", folded(stripped), page)) if not paragraph else paragraph.append(stripped)
        else:
            if steps:
                close()
            paragraph.append(line)
    close()
    return blocks


def steps_joined(blocks: Sequence[Block]) -> list[Block]:
    """Single steps in sequence become one list, over page breaks too; what stands between two of them belongs to the
    former, a warning before the next is an item of its own."""
    joined: list[Block] = []
    for block in blocks:
        before = joined[-1] if joined else None
        if block.kind == "steps" and before is not None and before.kind == "steps" and follows_on(before, block):
            items = before.items + block.items
            joined[-1] = Block("steps", "\n".join(items), before.page, items=items)
        elif (
            block.kind == "steps"
            and len(joined) > 1
            and joined[-1].kind in ("warning", "paragraph")
            and joined[-2].kind == "steps"
            and follows_on(joined[-2], block)
            and len(joined[-1].text) < 600
        ):
            between, former = joined.pop(), joined.pop()
            items = (*former.items[:-1], f"{former.items[-1]} {between.text}", *block.items)
            if between.kind == "warning":
                items = (*former.items, between.text, *block.items)
            joined.append(Block("steps", "\n".join(items), former.page, items=items))
        else:
            joined.append(block)
    return joined


def step_number(item: str) -> int | None:
    match = STEP.match(item)
    return int(match.group(1)) if match else None


def follows_on(former: Block, latter: Block) -> bool:
    last = next((n for n in map(step_number, reversed(former.items)) if n is not None), None)
    return last is not None and step_number(latter.items[0]) == last + 1
