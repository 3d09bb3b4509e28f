"""What differs between two revisions, side by side, section by section and line by line.

A document is compared as a reader sees it: every part becomes lines of text, whatever its kind, and lines are aligned
within the section of the same title. tests/test_editing.py.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Literal

from tools.documents.tree import Document, Part, Section

Tag = Literal["same", "changed", "added", "removed"]

#: Longer sections are compared line for line without looking for moved lines, which would take minutes.
_MOST_LINES = 4_000
#: A longer text is a picture; its hash tells whether it changed.
_LONGEST = 5_000


@dataclass(frozen=True)
class Line:
    """One row side by side; "" where a side has none."""

    tag: Tag
    left: str
    right: str


@dataclass(frozen=True)
class SectionDifference:
    title: str
    tag: Tag
    lines: tuple[Line, ...]


def differences(left: Document, right: Document) -> list[SectionDifference]:
    """Every section of either, in the order of the right one, with those that only the left has where they stood."""
    ours = {section.title: section for section in left.sections}
    theirs = {section.title: section for section in right.sections}
    out: list[SectionDifference] = []
    if left.title != right.title:
        out.append(SectionDifference("Title", "changed", (Line("changed", left.title, right.title),)))
    for title in _merged([s.title for s in left.sections], [s.title for s in right.sections]):
        out.append(_compared(title, ours.get(title), theirs.get(title)))
    return out


def _merged(left: Sequence[str], right: Sequence[str]) -> list[str]:
    out = list(dict.fromkeys(right))
    for place, title in enumerate(left):
        if title not in out:
            before = [t for t in left[:place] if t in out]
            out.insert(out.index(before[-1]) + 1 if before else 0, title)
    return out


def _compared(title: str, left: Section | None, right: Section | None) -> SectionDifference:
    ours, theirs = lines_of(left), lines_of(right)
    lines = tuple(_aligned(ours, theirs))
    if left is None or right is None:
        return SectionDifference(title, "added" if left is None else "removed", lines)
    same = all(line.tag == "same" for line in lines)
    return SectionDifference(title, "same" if same else "changed", lines)


def _aligned(left: Sequence[str], right: Sequence[str]) -> Iterator[Line]:
    if len(left) + len(right) > _MOST_LINES:
        opcodes = [("equal" if left == right else "replace", 0, len(left), 0, len(right))]
    else:
        opcodes = SequenceMatcher(None, left, right, autojunk=False).get_opcodes()  # type: ignore[assignment]
    for tag, a, b, c, d in opcodes:
        if tag == "equal":
            yield from (Line("same", text, text) for text in left[a:b])
            continue
        for step in range(max(b - a, d - c)):
            one, two = left[a + step] if a + step < b else "", right[c + step] if c + step < d else ""
            if a + step < b and c + step < d:
                yield Line("same" if one == two else "changed", one, two)
            else:
                yield Line("removed" if a + step < b else "added", one, two)


def lines_of(section: Section | None) -> list[str]:
    """A section as lines of text."""
    return [line for part in (section.parts if section else ()) for line in part_lines(part)]


def part_lines(part: Part) -> list[str]:
    """A part as lines of text; a kind of part that this module does not know gives every text in it."""
    kind = part["part"]
    if kind == "text":
        return [str(part["text"])]
    if kind == "figures":
        return [f"{item['label']}: {item['text']}" for item in part["items"]]
    if kind == "table":
        return [" | ".join(map(str, row)) for row in (part["columns"], *part["rows"])]
    if kind == "steps":
        return [line for step in part["steps"] for line in _step_lines(step)]
    if kind == "missing":
        return [f"{item['id']} lacks {item['field']}" for item in part["items"]] or [f"None of {part['checked']} lacks a field"]
    if kind == "chart":
        return [f"{part.get('title', '')} ({_fingerprint(json.dumps(part, sort_keys=True, default=str))})"]
    return [text for key, value in part.items() if key not in ("part", "marker") for text in _texts(value)]


def _step_lines(step: dict[str, Any]) -> Iterator[str]:
    if step.get("warning"):
        yield str(step["warning"])
    yield f"{step.get('n', '')}. {step.get('text', '')}".lstrip(". ")
    for key, value in step.items():
        if key not in ("n", "text", "warning"):
            yield from _texts(value)


def _fingerprint(text: str) -> str:
    """What stands for a picture or the data of a chart."""
    return f"SHA-256 {hashlib.sha256(text.encode()).hexdigest()[:16]}"


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        if len(value) > _LONGEST:
            return [_fingerprint(value)]
        return [value] if value.strip() else []
    if isinstance(value, dict):
        return [text for item in value.values() for text in _texts(item)]
    if isinstance(value, list | tuple):
        return [text for item in value for text in _texts(item)]
    return [] if value is None or isinstance(value, bool) else [str(value)]
