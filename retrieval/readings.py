"""What a passage says, read once when it is added: its stems and groups of words as numbers, sentence by sentence.

A search compares its question with some hundred and fifty passages; reading them anew cost two thirds of it. A reading
is kept in the catalogue with the mark of the words it was made with, so that other synonyms never meet old readings: one
of another mark, or none, is made on the spot. The measures are those by which candidates are ordered; tests/test_readings.py.
"""

from __future__ import annotations

import hashlib
import re
import sqlite3
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from retrieval.lexical import Unit, plain_terms, terms
from retrieval.passages import Passage
from retrieval.synonyms import GROUPS, concepts
from retrieval.trade_words import ABBREVIATIONS

SCHEMA = """
CREATE TABLE IF NOT EXISTS readings (passage_id TEXT PRIMARY KEY, mark TEXT NOT NULL, said BLOB NOT NULL) WITHOUT ROWID;
"""
#: What another word of the same group counts beside the word itself, and what a word in the title or section counts.
_OTHER_WORD, _HEADING = 0.7, 0.8
#: Shorter passages are one piece, and of longer ones the rest after so many pieces is one.
_SHORT_CHARACTERS, _MOST_PIECES = 160, 60
_END, _GROUP = 0, 1 << 31
_LAYOUT = "1"
Shares = NDArray[np.float64]

_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z0-9\"'(])")
_ABBREVIATION = re.compile(r"(?:\b(?:approx|no|nos|fig|figs|e\.g|i\.e|max|min|ca|vs|etc|ref|sec|ch|pos|dia|incl|temp))\.$", re.I)


@dataclass(frozen=True)
class Likeness:
    """How much of a question each passage says, shares 0..1 of shape (passages,). `coverage`: of its telling words
    literally; `whole`: itself or by another word of the trade; `close`: the same with the best single piece of a passage
    counting twice, for one that says everything in one place is about the question, where one that says it here and there
    may be about ten other things."""

    coverage: Shares
    whole: Shares
    close: Shares


@lru_cache(maxsize=1)
def mark() -> str:
    """Stands for how readings are made: of another mark they are not compared."""
    said = repr((_LAYOUT, _SHORT_CHARACTERS, _MOST_PIECES, GROUPS, sorted(ABBREVIATIONS.items())))
    return hashlib.sha256(said.encode()).hexdigest()[:12]


@lru_cache(maxsize=4096)
def reading(text: str, heading: str) -> bytes:
    """The numbers of the heading's stems, then of each piece's stems and groups, each piece ended by a 0."""
    found = [*sorted(map(_number, set(terms(heading)))), _END]
    for piece in _pieces(text):
        found += sorted({*map(_number, plain_terms(piece)), *map(_number_of_group, concepts(piece))})
        found.append(_END)
    return np.array(found, "<u4").tobytes()


def reading_of(passage: Passage) -> bytes:
    """The reading of a passage as it is kept."""
    return reading(passage.text, f"{passage.title} {passage.anchor.section}")


def write(db: sqlite3.Connection, passages: Sequence[Passage]) -> None:
    """Keeps the readings of passages that are being added, in the catalogue's own transaction."""
    rows = [(p.id, mark(), reading_of(p)) for p in passages]
    db.executemany("INSERT OR REPLACE INTO readings VALUES (?,?,?)", rows)


def likeness(units: Sequence[Unit], weights: Mapping[str, float], readings: Sequence[bytes]) -> Likeness:
    """`units`: the question's words and phrases; `weights`: what each of its stems tells; one reading a passage."""
    said = _Said(readings)
    stems = {s: said.of(_number(s)) for s in {*weights, *(s for unit in units for s in unit.stems)}}
    groups = {g: said.of(_number_of_group(g)) for g in {g for unit in units for g in unit.groups}}
    covered = _total([(w, said.whole(stems[s])) for s, w in weights.items()], len(readings))
    whole = _total([(u.weight, _told([said.whole(stems[s]) for s in u.stems], [said.body(groups[g]) for g in u.groups])) for u in units],
                   len(readings))  # fmt: skip
    pieces = _total([(u.weight, _told([said.each(stems[s]) for s in u.stems], [groups[g] for g in u.groups])) for u in units], said.count)
    best = said.best(pieces)
    return Likeness(covered, whole, np.where(said.pieces > 1, (whole + 2 * best) / 3, whole))


class _Said:
    """The readings of several passages side by side; a hit is one flag for each piece, headings among them."""

    def __init__(self, readings: Sequence[bytes]) -> None:
        self._values = np.frombuffer(b"".join(readings), "<u4")
        ends = self._values == _END
        self._piece_of = np.cumsum(ends) - ends
        self.count = int(ends.sum())
        lengths = np.array([len(r) // 4 for r in readings], np.int64)
        after = np.cumsum(ends)[np.cumsum(lengths) - 1] if len(lengths) else np.zeros(0, np.int64)
        self.first = np.concatenate([[0], after[:-1]]).astype(np.int64) if len(lengths) else after
        self.pieces = after - self.first - 1
        self._owner = np.repeat(np.arange(len(lengths)), self.pieces + 1)
        self._is_heading = np.zeros(self.count, np.bool_)
        self._is_heading[self.first] = True

    def of(self, number: int) -> NDArray[np.bool_]:
        """Which pieces hold it."""
        hit = np.zeros(self.count, np.bool_)
        hit[self._piece_of[self._values == number]] = True
        return hit

    def body(self, hit: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Which passages hold it in any piece but the heading."""
        found = np.zeros(len(self.first), np.bool_)
        found[self._owner[hit & ~self._is_heading]] = True
        return found

    def whole(self, hit: NDArray[np.bool_]) -> Shares:
        """1 for passages that hold it, less for those that hold it only in their heading."""
        return np.where(self.body(hit), 1.0, np.where(hit[self.first], _HEADING, 0.0))

    def each(self, hit: NDArray[np.bool_]) -> Shares:
        """The same for each piece, with its passage's heading."""
        return np.where(hit, 1.0, np.where(hit[self.first][self._owner], _HEADING, 0.0))

    def best(self, values: Shares) -> Shares:
        """The highest value of each passage's pieces, the heading aside."""
        return np.maximum.reduceat(np.where(self._is_heading, 0.0, values), self.first) if len(self.first) else values


def _told(literal: Sequence[Shares], groups: Sequence[NDArray[np.bool_]]) -> Shares:
    """One word or phrase: the share of its stems, or what another word of one of its groups counts."""
    share: Shares = np.sum(literal, axis=0) / len(literal)
    return np.maximum(share, _OTHER_WORD * np.any(groups, axis=0)) if groups else share


def _total(told: Iterable[tuple[float, Shares]], count: int) -> Shares:
    total, weight_sum = np.zeros(count), 0.0
    for weight, shares in told:
        total += weight * shares
        weight_sum += weight
    return total / weight_sum if weight_sum else total


def _number(stem: str) -> int:
    return zlib.crc32(stem.encode()) & (_GROUP - 1) or 1


def _number_of_group(group: str) -> int:
    return _GROUP | int(group[1:])


def _pieces(text: str) -> list[str]:
    if len(text) <= _SHORT_CHARACTERS:
        return [text]
    pieces = sentences(text) or [text]
    return [*pieces[: _MOST_PIECES - 1], " ".join(pieces[_MOST_PIECES - 1 :])] if len(pieces) > _MOST_PIECES else pieces


def sentences(text: str) -> list[str]:
    """The sentences and table rows of a passage, verbatim, in order."""
    found: list[str] = []
    for line in text.splitlines():
        pieces: list[str] = []
        for piece in _SENTENCE_END.split(line.strip()):
            if pieces and _ABBREVIATION.search(pieces[-1]):
                pieces[-1] += " " + piece
            elif piece:
                pieces.append(piece)
        found += pieces
    return found
