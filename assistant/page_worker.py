"""Renders one PDF page with marked passages; runs as its own process, by file path, importing nothing of ours.

Requests come as JSON lines on standard input (`path, page, highlight, longest_px`); each reply is a JSON line (`bytes,
pages, found, marks`, or `error`) followed by that many bytes of PNG. A damaged file can only hurt this process: it
runs at low priority under a memory limit, and its parent kills it at the deadline. The text matching is pure and
tested in tests/test_pages.py.
"""

from __future__ import annotations

import difflib
import io
import json
import os
import re
import sys
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

Box = tuple[float, float, float, float]  # left, bottom, right, top, in PDF points

#: Below this many letters a fragment says too little to be looked for on its own.
_SHORT = 8
#: A fuzzy match shorter than this is more likely chance than the passage.
_FUZZY = 14


@dataclass(frozen=True)
class Letters:
    """Text reduced to what survives line breaks, hyphenation, ligatures and spacing: letters, digits, decimal points.
    `at[i]` is the index in the source of the i-th kept letter; `starts`, `ends` tell where words begin and end."""

    text: str
    at: tuple[int, ...]
    starts: tuple[bool, ...]
    ends: tuple[bool, ...]


def letters(source: Sequence[str]) -> Letters:
    """Reduce characters (one string element each; ligatures may expand) to `Letters`."""
    kept: list[tuple[str, int]] = []
    breaks: set[int] = set()
    for index, raw in enumerate(source):
        previous = source[index - 1] if index else " "
        following = source[index + 1] if index + 1 < len(source) else " "
        if raw in ".," and previous.isdigit() and following.isdigit():
            kept.append((".", index))
            continue
        found = [c for c in unicodedata.normalize("NFKC", raw).casefold() if c.isalnum()]
        if not found:
            breaks.add(len(kept))
        kept += [(c, index) for c in found]
    count = len(kept)
    return Letters(
        "".join(c for c, _ in kept),
        tuple(i for _, i in kept),
        tuple(i == 0 or i in breaks for i in range(count)),
        tuple(i == count - 1 or i + 1 in breaks for i in range(count)),
    )


def occurrences(page: Letters, wanted: str) -> list[tuple[int, int]]:
    """Half-open ranges of `page` that equal `wanted` as whole words; long passages may begin inside a word."""
    found = []
    position = page.text.find(wanted) if wanted else -1
    while position >= 0:
        end = position + len(wanted)
        if (page.starts[position] and page.ends[end - 1]) or len(wanted) >= 24:
            found.append((position, end))
        position = page.text.find(wanted, position + 1)
    return found


def fragments(quote: str) -> list[str]:
    """The pieces of a quote that may stand apart on the page: lines, table cells, sentences, label and value."""
    pieces = re.split(r"\s*[|\n\r•…]\s*|(?<=[.;!?])\s+|(?<=:)\s+|\s-\s", quote)
    return [piece for piece in pieces if piece.strip()]


def match(page: Letters, quote: str, line_of: Sequence[float]) -> tuple[list[tuple[int, int]], float]:
    """Where `quote` stands on the page, as ranges of kept letters, and the share of it that was found.

    `line_of[i]` is the vertical position of kept letter i; among several places of a short piece, the one nearest to
    the longest unique piece wins, so that a value is marked in its own table row."""
    whole = letters(list(quote)).text
    if not whole:
        return [], 0.0
    exact = occurrences(page, whole)
    if exact:
        return exact[:1], 1.0
    pieces = [(letters(list(piece)).text, piece.rstrip().endswith(":")) for piece in fragments(quote)]
    labels = {piece for piece, label in pieces if label}  # a table's heading carries the same words: marked only beside
    places = [(piece, occurrences(page, piece)) for piece, _ in pieces if piece]
    strong = [item for item in places if item[1] and len(item[0]) >= _SHORT]
    chosen: list[tuple[int, int]] = []
    if strong:
        anchor_piece, anchor_places = min(strong, key=lambda item: (len(item[1]) > 1, -len(item[0])))
        anchor = anchor_places[0]
        for piece, spots in places:
            if not spots:
                continue
            spot = anchor if piece == anchor_piece else min(spots, key=lambda s: abs(line_of[s[0]] - line_of[anchor[0]]))
            far = abs(line_of[spot[0]] - line_of[anchor[0]]) >= 30
            if not far or (len(piece) >= _SHORT and piece not in labels):
                chosen.append(spot)
    covered = sum(end - start for start, end in set(chosen)) / len(whole)
    if covered < 0.6:
        blocks = difflib.SequenceMatcher(None, page.text, whole, autojunk=False).get_matching_blocks()
        fuzzy = [(b.a, b.a + b.size) for b in blocks if b.size >= _FUZZY]
        share = sum(end - start for start, end in fuzzy) / len(whole)
        if share > covered and share >= 0.3:
            return fuzzy, min(share, 1.0)
    return sorted(set(chosen)), min(covered, 1.0)


def line_boxes(boxes: Sequence[Box]) -> list[Box]:
    """Boxes of letters merged into one rectangle a line; a wide gap (another column, another cell) starts a new one."""
    merged: list[Box] = []
    for left, bottom, right, top in boxes:
        if merged:
            m_left, m_bottom, m_right, m_top = merged[-1]
            height = max(m_top - m_bottom, top - bottom)
            same_line = min(top, m_top) - max(bottom, m_bottom) > 0.4 * min(top - bottom, m_top - m_bottom)
            if same_line and m_left - height <= left <= m_right + 3 * height:
                merged[-1] = (min(m_left, left), min(m_bottom, bottom), max(m_right, right), max(m_top, top))
                continue
        merged.append((left, bottom, right, top))
    return merged


def _render(request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    import pypdfium2 as pdfium

    try:
        document = pdfium.PdfDocument(request["path"])
    except pdfium.PdfiumError:
        return {"error": "unreadable"}, b""
    try:
        count = len(document)
        if not 1 <= request["page"] <= count:
            return {"error": "no such page", "pages": count}, b""
        page = document[request["page"] - 1]
        width, height = page.get_size()
        scale = min(float(request["longest_px"]) / max(width, height, 1.0), 4.0)
        image = page.render(scale=scale).to_pil().convert("RGB")
        marks, share = _marks(page, request["highlight"], image.width, image.height)
    finally:
        document.close()
    _draw(image, marks)
    out = io.BytesIO()
    image.save(out, "PNG", compress_level=4)
    found = "" if not request["highlight"] else "all" if share >= 0.9 else "part" if marks else "none"
    relative = [[x0 / image.width, y0 / image.height, x1 / image.width, y1 / image.height] for x0, y0, x1, y1 in marks]
    return {"pages": count, "found": found, "marks": relative, "width": image.width, "height": image.height}, out.getvalue()


def _marks(page: Any, quote: str, width: int, height: int) -> tuple[list[Box], float]:
    """Rectangles in pixels around the passage, and the share of it that was found."""
    import ctypes

    import pypdfium2.raw as raw

    if not quote:
        return [], 0.0
    text = page.get_textpage()
    count = text.count_chars()
    characters = [chr(raw.FPDFText_GetUnicode(text, i) or 32) for i in range(count)]
    kept = letters(characters)
    boxes: list[Box] = [text.get_charbox(i, loose=True) for i in kept.at]
    ranges, share = match(kept, quote, [box[1] for box in boxes])
    x, y = ctypes.c_int(), ctypes.c_int()

    def device(px: float, py: float) -> tuple[int, int]:
        raw.FPDF_PageToDevice(page, 0, 0, width, height, 0, px, py, ctypes.byref(x), ctypes.byref(y))
        return x.value, y.value

    marks: list[Box] = []
    for start, end in ranges:
        for left, bottom, right, top in line_boxes(boxes[start:end]):
            corners = (device(left - 1.5, bottom - 1), device(right + 1.5, top + 1))
            xs, ys = [c[0] for c in corners], [c[1] for c in corners]
            marks.append((max(min(xs), 0), max(min(ys), 0), min(max(xs), width), min(max(ys), height)))
    return marks, share


def _draw(image: Any, marks: Sequence[Box]) -> None:
    """Lay amber over the marks as a marker pen does: the print below stays as dark as it was."""
    from PIL import Image, ImageChops

    for mark in marks:
        box = tuple(round(v) for v in mark)
        if box[2] <= box[0] or box[3] <= box[1]:
            continue
        below = image.crop(box)
        image.paste(ImageChops.multiply(below, Image.new("RGB", below.size, (255, 205, 70))), box)


def _confine(memory_bytes: int) -> None:
    import resource

    os.nice(10)
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main() -> None:
    """Serve requests until standard input ends; whatever libraries print goes to standard error."""
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    _confine(int(sys.argv[1]))
    for line in sys.stdin:
        try:
            header, picture = _render(json.loads(line))
        except MemoryError:
            header, picture = {"error": "too large"}, b""
        replies.write(json.dumps({**header, "bytes": len(picture)}).encode() + b"\n" + picture)
        replies.flush()


if __name__ == "__main__":
    main()
