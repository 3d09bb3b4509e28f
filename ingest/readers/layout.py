"""Where the words of a PDF page stand: words, lines, columns of running text that are read one after the other.

Works on the boxes that PDFium gives for each character. Words cut at line ends are made whole by the document's own
vocabulary (`tests/test_readers.py`).
"""

from __future__ import annotations

import ctypes
import re
from collections import Counter
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ingest.readers.blocks import UnreadableFile

#: A sheet of the largest paper, printed in the smallest type, holds a third of it.
_MOST_CHARACTERS = 600_000


@dataclass(frozen=True)
class Word:
    """One word: its box in points (y grows upwards), font size and whether it is bold."""

    text: str
    x0: float
    x1: float
    y: float  # of the baseline
    size: float
    bold: bool

    @cached_property
    def middle(self) -> tuple[float, float]:
        return (self.x0 + self.x1) / 2, self.y + 0.3 * self.size


@dataclass(frozen=True)
class Line:
    """Words of one baseline in one column, left to right."""

    words: tuple[Word, ...]

    @property
    def text(self) -> str:
        return " ".join(w.text for w in self.words)

    @property
    def x0(self) -> float:
        return self.words[0].x0

    @property
    def x1(self) -> float:
        return self.words[-1].x1

    @property
    def y(self) -> float:
        return self.words[0].y

    @cached_property
    def size(self) -> float:
        """The size of most of its characters; a raised mark or a symbol of another font does not count."""
        sizes: Counter[float] = Counter()
        for word in self.words:
            sizes[word.size] += len(word.text)
        return sizes.most_common(1)[0][0]

    @property
    def bold(self) -> bool:
        letters = sum(len(w.text) for w in self.words)
        return sum(len(w.text) for w in self.words if w.bold) > 0.8 * letters


def words_of(page: Any) -> list[Word]:
    """The words of a pypdfium2 page; text that is turned by a quarter is turned back."""
    import pypdfium2.raw as c

    textpage = page.get_textpage()
    raw = textpage.raw
    left, right, bottom, top = (ctypes.c_double() for _ in range(4))
    x, y = ctypes.c_double(), ctypes.c_double()
    boxes: list[tuple[str, float, float, float, float, bool, float, float, float] | None] = []
    angles: Counter[int] = Counter()
    count = c.FPDFText_CountChars(raw)
    if count > _MOST_CHARACTERS:
        textpage.close()
        raise UnreadableFile(f"a page holds more text than any page shows ({count} characters)")
    for i in range(count):
        code = c.FPDFText_GetUnicode(raw, i)
        text = chr(code) if 0 < code < 0x110000 and not 0xD800 <= code < 0xE000 else " "
        if text in ("\x02", "\ufffe"):  # how PDFium marks a hyphen at a line end
            text = "\u00ad"
        if text.isspace() or (not text.isprintable() and text != "\u00ad"):
            boxes.append(None)
            continue
        c.FPDFText_GetCharBox(raw, i, left, right, bottom, top)
        c.FPDFText_GetCharOrigin(raw, i, x, y)
        angles[round(c.FPDFText_GetCharAngle(raw, i) / 1.5708) % 4] += 1
        size = c.FPDFText_GetFontSize(raw, i) or 10.0
        bold = c.FPDFText_GetFontWeight(raw, i) >= 600
        boxes.append((text, left.value, right.value, bottom.value, top.value, bold, y.value, x.value, size))
    textpage.close()
    turned = angles.most_common(1)[0][0] if angles else 0
    return _words([_upright(box, turned) if box is not None else None for box in boxes])


def _upright(ch: Sequence[Any], turned: int) -> tuple[str, float, float, float, float, bool]:
    """(character, x0, x1, baseline, size, bold) as if the page stood upright."""
    text, left, right, bottom, top, bold, y, x, size = ch
    if size <= 1.5:  # a font of size 1 that the page's matrix scales: the box tells the size
        size = max(4.0, 1.3 * (top - bottom), 1.3 * (right - left))
    if turned == 1:
        return text, -top, -bottom, x, size, bold
    if turned == 3:
        return text, bottom, top, -x, size, bold
    if turned == 2:
        return text, -right, -left, -y, size, bold
    return text, left, right, y, size, bold


def _words(characters: Iterable[tuple[str, float, float, float, float, bool] | None]) -> list[Word]:
    words: list[Word] = []
    current: list[tuple[str, float, float, float, float, bool]] = []

    def close() -> None:
        if current:
            text = "".join(ch[0] for ch in current)
            bold = sum(ch[5] for ch in current) > len(current) / 2
            words.append(Word(text, min(ch[1] for ch in current), max(ch[2] for ch in current), current[0][3],
                              max(ch[4] for ch in current), bold))  # fmt: skip
            current.clear()

    for ch in characters:
        if ch is None:
            close()
            continue
        if current:
            last = current[-1]
            gap, size = ch[1] - last[2], max(last[4], 4.0)
            if abs(ch[3] - last[3]) > 0.5 * size or gap > 0.3 * size or gap < -1.5 * size:
                close()
        current.append(ch)
    close()
    return words


def lines_of(words: Sequence[Word]) -> list[Line]:
    """Words grouped by baseline, top to bottom; small shifts (indices, other fonts) stay on their line."""
    rows: list[list[Word]] = []
    for word in sorted(words, key=lambda w: (-w.y, w.x0)):
        for row in rows[-3:]:
            if abs(row[0].y - word.y) <= 0.35 * max(row[0].size, word.size):
                row.append(word)
                break
        else:
            rows.append([word])
    return [Line(tuple(sorted(row, key=lambda w: w.x0))) for row in rows]


def segments(line: Line, gap: float = 0.85) -> list[Line]:
    """The cells of a line: pieces with a wide gap between them (in font sizes; a justified line stretches to 1.2)."""
    pieces: list[list[Word]] = []
    for word in line.words:
        if pieces and word.x0 - pieces[-1][-1].x1 <= gap * max(word.size, pieces[-1][-1].size):
            pieces[-1].append(word)
        else:
            pieces.append([word])
    return [Line(tuple(p)) for p in pieces]


# -- columns of running text -----------------------------------------------------------------------------------------


_GUTTER = 0.8  # the least distance between two columns, in font sizes


def prose_columns(words: Sequence[Word]) -> list[list[Word]]:
    """Splits a region of two columns of running text; [words] when it is one column (or a table)."""
    if len(words) < 60:
        return [list(words)]
    lines = lines_of(words)
    x0, x1 = min(w.x0 for w in words), max(w.x1 for w in words)
    width = x1 - x0
    runs = [0] * (int(width) + 2)  # how many lines run over each point of the region's width
    for line in lines:
        for piece in segments(line, _GUTTER):
            for i in range(max(0, int(piece.x0 - x0) + 2), int(piece.x1 - x0) - 1):
                runs[i] += 1
    middle = int(width / 2)
    gutter = x0 + min(range(int(0.3 * width), int(0.7 * width)), key=lambda i: (runs[i], abs(i - middle)))
    spanning = {id(line): line for line in lines if _bridges(line, gutter)}
    split = [line for line in lines if id(line) not in spanning]
    left = [Line(tuple(w for w in ln.words if w.middle[0] < gutter)) for ln in split if ln.x0 < gutter]
    right = [Line(tuple(w for w in ln.words if w.middle[0] >= gutter)) for ln in split if ln.x1 > gutter]
    left, right = [ln for ln in left if ln.words], [ln for ln in right if ln.words]
    if min(len(left), len(right)) < 8 or len(spanning) > 0.35 * len(lines):
        return [list(words)]
    if not (_is_prose(left) and _is_prose(right)):
        return [list(words)]
    return _in_order(lines, spanning, gutter)


def _bridges(line: Line, gutter: float) -> bool:
    """Whether a line runs across the gutter: a word stands on it, or two stand as close as in one sentence."""
    if any(w.x0 < gutter - 2 and w.x1 > gutter + 2 for w in line.words):
        return True
    before = [w for w in line.words if w.middle[0] < gutter]
    after = [w for w in line.words if w.middle[0] >= gutter]
    return bool(before and after) and after[0].x0 - before[-1].x1 <= _GUTTER * line.size


def _is_prose(lines: Sequence[Line]) -> bool:
    """Long lines that mostly fill their column and hold several words each, without gaps inside."""
    right = sorted(line.x1 for line in lines)[int(0.9 * (len(lines) - 1))]
    left = min(line.x0 for line in lines)
    full = sum(line.x1 > right - 0.2 * (right - left) for line in lines)
    words = sum(len(line.words) for line in lines) / len(lines)
    gaps = sum(len(segments(line, 1.6)) > 1 for line in lines)
    return full >= 0.45 * len(lines) and words >= 4 and gaps <= 0.25 * len(lines)


def _in_order(lines: Sequence[Line], spanning: Container[int], gutter: float) -> list[list[Word]]:
    parts: list[list[Word]] = []
    band: list[Word] = []

    def close() -> None:
        nonlocal band
        for side in ([w for w in band if w.middle[0] < gutter], [w for w in band if w.middle[0] >= gutter]):
            if side:
                parts.append(side)
        band = []

    for line in lines:
        if id(line) in spanning:
            close()
            parts.append(list(line.words))
        else:
            band += line.words
    close()
    return parts


# -- text of lines ---------------------------------------------------------------------------------------------------


def joined(lines: Sequence[str]) -> str:
    """Lines of one paragraph or cell; where a word is hyphenated at a line end stands CUT, until `mended`."""
    text = ""
    for line in lines:
        line = line.strip()
        if re.search(r"[^\W\d_][-\u00ad]$", text) and re.match(r"[^\W\d_]", line):
            text = text[:-1] + CUT + line
        else:
            text = f"{text} {line}".strip()
    return text.replace("\u00ad", "")


CUT = "\u2027"
_CUT_WORD = re.compile(rf"(\w+){CUT}(\w+)")


def mended(text: str, known: frozenset[str]) -> str:
    """Takes the cuts out: "spin‧dle" is spindle, but "power‧off" stays power-off when the document knows the words
    apart (or the compound) and not the whole. `known`: the words of the document, lower case."""

    def whole(match: re.Match[str]) -> str:
        a, b = match.group(1).lower(), match.group(2).lower()
        if a + b in known:
            return match.group(1) + match.group(2)
        apart = f"{a}-{b}" in known or (a in known and b in known and len(b) > 2)
        return f"{match.group(1)}-{match.group(2)}" if apart or match.group(2)[0].isupper() else match.group(1) + match.group(2)

    return _CUT_WORD.sub(whole, text).replace(CUT, "-")
