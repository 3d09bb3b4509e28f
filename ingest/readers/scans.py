"""Scanned pages through Tesseract, where it is installed: words with their boxes, as a PDF with text would give them.

A page counts as scanned when it shows a picture and next to no text. Its words go through the same layout as all others,
so that headings, steps and tables of a scan come out alike; a page that stands on its side or head is turned first.
`tests/test_scans.py`.
"""

from __future__ import annotations

import csv
import io
import os
import re
import shutil
import statistics
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from ingest.readers.blocks import heading_level
from ingest.readers.layout import Word

#: The setting `ocr_languages`, handed to the reading processes: Tesseract's names, "eng+deu".
LANGUAGES = "ANDON_OCR_LANGUAGES"
MISSING = "it cannot be read: its pages are pictures, and Tesseract, which would read them, is not installed (make system)"
MOST_PAGES = 200
_PAGE_SECONDS = 90
_DOTS_PER_INCH = 250
_MOST_PIXELS = 25_000_000
_FEW_LETTERS = 25
_LEAST_CONFIDENCE = 30.0
_POOR_CONFIDENCE = 80.0  # upright text has 85 and more, text on its head up to 65


@dataclass(frozen=True)
class _Seen:
    """What Tesseract made of a picture: words, and how sure it was on the whole (0..100)."""

    words: tuple[Word, ...]
    confidence: float


def installed() -> bool:
    return shutil.which("tesseract") is not None


@lru_cache(maxsize=8)
def languages(wanted: str) -> str:
    """Those of the wanted languages that are installed, else English; Tesseract refuses to start with a missing one."""
    try:
        listed = subprocess.run(["tesseract", "--list-langs"], capture_output=True, timeout=20, check=False, env=_environment())
    except (OSError, subprocess.TimeoutExpired):
        return "eng"
    there = set(listed.stdout.decode("utf-8", "replace").split()[1:])
    chosen = [name for name in re.split(r"[+,;\s]+", wanted) if name in there]
    return "+".join(dict.fromkeys(chosen)) or "eng"


def is_scanned(page: Any, words: Sequence[Word]) -> bool:
    """Whether a pypdfium2 page is a picture of text: pictures cover a third of it, and it has hardly a letter."""
    import pypdfium2.raw as c

    if sum(ch.isalnum() for w in words for ch in w.text) >= _FEW_LETTERS:
        return False
    width, height = page.get_size()
    covered = 0.0
    for count, item in enumerate(page.get_objects(filter=[c.FPDF_PAGEOBJ_IMAGE], max_depth=4)):
        x0, y0, x1, y1 = item.get_bounds()
        covered += max(0.0, min(x1, width) - max(x0, 0.0)) * max(0.0, min(y1, height) - max(y0, 0.0))
        if count > 500:
            break
    return bool(covered >= 0.3 * width * height)


def words_of(page: Any) -> list[Word]:
    """The words of a scanned page in points, y upwards; [] when nothing can be recognised in time."""
    width, height = page.get_size()
    scale = _DOTS_PER_INCH / 72
    if width * height * scale * scale > _MOST_PIXELS:
        scale = (_MOST_PIXELS / (width * height)) ** 0.5
    picture = page.render(scale=scale, grayscale=True).to_pil().convert("L")
    seen = _recognised(picture, scale)
    if seen.confidence < _POOR_CONFIDENCE or len(seen.words) < 5:
        told = _turn(picture)
        for turned in [told] if told else [180, 90, 270]:  # a page with few letters does not tell how it stands
            again = _recognised(picture.rotate(turned, expand=True), scale)
            if (again.confidence, len(again.words)) > (seen.confidence, len(seen.words)):
                seen = again
            if seen.confidence >= _POOR_CONFIDENCE:
                break
    return list(seen.words)


def _environment() -> dict[str, str]:
    return {**os.environ, "OMP_THREAD_LIMIT": "1"}


def _tesseract(picture: Any, *options: str) -> str:
    """What Tesseract prints for a picture, "" when it fails or takes too long."""
    raw = io.BytesIO()
    picture.save(raw, "PNG", dpi=(_DOTS_PER_INCH, _DOTS_PER_INCH))
    try:
        done = subprocess.run(
            ["tesseract", "stdin", "stdout", *options], input=raw.getvalue(), capture_output=True,
            timeout=_PAGE_SECONDS, check=False, env=_environment(),
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else ""


def _turn(picture: Any) -> int:
    """By how many degrees, counter-clockwise, the picture must be turned to stand upright; 0 when it does."""
    match = re.search(r"Orientation in degrees: (\d+)", _tesseract(picture, "--psm", "0", "-l", "osd"))
    return int(match.group(1)) % 360 if match else 0


def _recognised(picture: Any, scale: float) -> _Seen:
    chosen = languages(os.environ.get(LANGUAGES, "eng"))
    text = _tesseract(picture, "-l", chosen, "--psm", "3", "-c", "preserve_interword_spaces=1", "tsv")
    rows = list(csv.DictReader(io.StringIO(text), delimiter="\t", quoting=csv.QUOTE_NONE))
    lines: dict[tuple[str, str, str], list[tuple[str, float, float, float, float]]] = {}
    sure: list[float] = []
    for row in rows:
        try:
            confidence = float(row["conf"])
            left, top, wide, high = (float(row[k]) for k in ("left", "top", "width", "height"))
            word, key = (row["text"] or "").strip(), (row["block_num"], row["par_num"], row["line_num"])
        except (KeyError, TypeError, ValueError):
            continue
        if row["level"] != "5" or not word or confidence < _LEAST_CONFIDENCE or not re.search(r"\w|[-–•=+%.:]", word):
            continue
        sure.append(confidence)
        lines.setdefault(key, []).append((word, left, top, wide, high))
    words = _placed(list(lines.values()), picture.size[1], scale)
    return _Seen(tuple(words), statistics.fmean(sure) if sure else 0.0)


def _placed(lines: Sequence[Sequence[tuple[str, float, float, float, float]]], height: float, scale: float) -> list[Word]:
    """Boxes in pixels to words in points. A box is as high as its letters happen to be, so the size is that of most of
    the page unless a line is clearly larger; and as a scan does not tell weight, a line that is by itself a numbered
    heading counts as bold."""
    tall = [max(h for _, _, _, _, h in line) for line in lines]
    usual = statistics.median(tall) if tall else 10.0
    words = []
    for line, high in zip(lines, tall, strict=True):
        size = usual if high < 1.4 * usual else high
        text = " ".join(w for w, *_ in line)
        bold = len(line) < 12 and heading_level(text) > 1
        bottom = statistics.median(top + h for _, _, top, _, h in line)
        words += [
            Word(w, left / scale, (left + wide) / scale, (height - bottom) / scale, 0.95 * size / scale, bold)
            for w, left, top, wide, h in line
        ]  # fmt: skip
    return words
