"""Exact filters over many vectors: every passage has a code of one bit a dimension, and the codes are searched whole.

The signs of a vector (48 bytes for 384 dimensions) lie in memory with a number that stands for what the passage is valid
for, so a filter is one comparison per kind of passage and not one per passage. The nearest codes are then put in order by
their full vectors, those first that the signs alone put nearest to the question's own values. The names of the kinds that
a filter admits let the word index filter too. A million passages take 60 MB and some 30 ms; docs/decisions/009-embedding-and-search.md has the
figures beside Chroma's. Derived from the catalogue and read again where it has changed; tests/test_codes.py.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import threading
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from retrieval.passages import Anchor, Passage

if TYPE_CHECKING:
    from retrieval.catalogue import Catalogue, Vectors

Admits = Callable[[Passage], bool]

SCHEMA = """
CREATE TABLE IF NOT EXISTS shapes (number INTEGER PRIMARY KEY, said TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS codes (
    number INTEGER PRIMARY KEY AUTOINCREMENT, passage_id TEXT NOT NULL, shape INTEGER NOT NULL, code BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS codes_passage ON codes (passage_id);
"""
#: Codes compared at a time: what fits a core's cache, and few enough calls.
_BLOCK = 65_536
#: Nearest codes, at least and for each passage wanted, that are weighed by the question's values; and of those the ones
#: whose full vectors are read. Signs alone order roughly; docs/decisions/009-embedding-and-search.md has what is lost.
_LEAST_WEIGHED, _WEIGHED_FOR_EACH = 400, 12
_LEAST_READ, _READ_FOR_EACH = 240, 3
#: Answers of a filter that are kept, one byte for each kind of passage.
_KEPT_FILTERS = 32
_FILL_BATCH = 5_000


def code_of(vectors: Vectors) -> NDArray[np.uint8]:
    """The signs of each row, packed: (n, dimension) -> (n, bytes), padded to whole words of eight bytes."""
    bits = np.packbits(vectors > 0, axis=1)
    return np.pad(bits, ((0, 0), (0, -bits.shape[1] % 8)))


# -- in the catalogue's own transaction


def write(db: sqlite3.Connection, passages: Sequence[Passage], vectors: Sequence[Vectors]) -> None:
    """Adds the codes of passages that are being added, with one vector each."""
    if passages:
        packed = code_of(np.stack(list(vectors)))
        _insert(db, [(p.id, _said(p)) for p in passages], packed)


def fill(db: sqlite3.Connection) -> None:
    """Gives a store of an earlier version its codes, from the vectors that it holds."""
    have, held = (db.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0] for table in ("codes", "passages"))
    while have < held:
        rows = db.execute(
            "SELECT id, document, revision, kind, equipment, equipment_class, access, variants, software, steps, vector FROM passages "
            "WHERE id NOT IN (SELECT passage_id FROM codes) LIMIT ?", (_FILL_BATCH,),
        ).fetchall()  # fmt: skip
        have = have + len(rows) if rows else held
        named = [(r[0], _line(r[1:4], json.loads(r[4]), r[5], r[6], json.loads(r[7]), r[8], bool(json.loads(r[9])))) for r in rows]
        if rows:
            _insert(db, named, code_of(np.stack([np.frombuffer(r[10], np.float16) for r in rows])))


def replace(db: sqlite3.Connection, ids: Sequence[str], vectors: Vectors) -> None:
    """Other codes for passages that are there. They get new numbers, by which whoever holds the old ones sees it."""
    for name, code in zip(ids, code_of(vectors), strict=True):
        row = db.execute("SELECT shape FROM codes WHERE passage_id = ?", (name,)).fetchone()
        db.execute("DELETE FROM codes WHERE passage_id = ?", (name,))
        db.execute("INSERT INTO codes (passage_id, shape, code) VALUES (?,?,?)", (name, row[0], code.tobytes()))


def _insert(db: sqlite3.Connection, named: Sequence[tuple[str, str]], packed: NDArray[np.uint8]) -> None:
    db.executemany("INSERT OR IGNORE INTO shapes (said) VALUES (?)", [(said,) for said in dict.fromkeys(s for _, s in named)])
    numbers = {s: db.execute("SELECT number FROM shapes WHERE said = ?", (s,)).fetchone()[0] for s in {s for _, s in named}}
    db.executemany(
        "INSERT INTO codes (passage_id, shape, code) VALUES (?,?,?)",
        [(name, numbers[said], code.tobytes()) for (name, said), code in zip(named, packed, strict=True)],
    )


def _said(p: Passage) -> str:
    placed = (p.anchor.document, p.anchor.revision, p.kind)
    return _line(placed, p.equipment, p.equipment_class, p.access, p.variants, p.software, bool(p.steps))


def _line(
    placed: Sequence[str], equipment: Sequence[str], of_class: str, access: str, variants: Sequence[str], software: str, steps: bool
) -> str:
    """Everything that a filter may ask of a passage, as one text: passages with the same are one kind."""
    return json.dumps([*placed, list(equipment), of_class, access, list(variants), software, steps], ensure_ascii=False)


def _example(said: str) -> Passage:
    document, revision, kind, equipment, of_class, access, variants, software, steps = json.loads(said)
    return Passage(
        id="", text="", kind=kind, block="steps" if steps else "paragraph", anchor=Anchor(document, revision, None, ""), title="",
        equipment=tuple(equipment), equipment_class=of_class, steps=("",) if steps else (), access=access,
        variants=tuple(variants), software=software,
    )  # fmt: skip


def kind_of(passage: Passage) -> str:
    """A short name of everything that a filter may ask of a passage."""
    return _name(_said(passage))


def _name(said: str) -> str:
    return hashlib.sha256(said.encode()).hexdigest()[:16]


# -- searching


@dataclass(frozen=True)
class Kinds:
    """What a filter admits: the names of the kinds of passages, and the share 0..1 of all passages."""

    names: tuple[str, ...]
    share: float


@dataclass(frozen=True)
class _Filter:
    """Whether each kind of passage is admitted, by its number (0 is none)."""

    admitted: NDArray[np.bool_]
    kinds: Kinds


class Codes:
    """The codes of everything in a catalogue. Safe from any thread."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._lock = threading.Lock()
        self._generation = -1
        self._numbers = np.zeros(0, np.int64)
        self._shapes = np.zeros(0, np.int32)
        self._words = np.zeros((0, 0), np.uint64)
        self._known: dict[int, Passage] = {}
        self._names: dict[int, str] = {}
        self._held = np.zeros(0, np.int64)  # passages of each kind, by its number
        self._filters: dict[Hashable, _Filter] = {}

    def bytes_held(self) -> int:
        """Bytes in memory, once something was searched."""
        return int(self._numbers.nbytes + self._shapes.nbytes + self._words.nbytes)

    def search(self, vector: Vectors, admits: Admits, limit: int, key: Hashable = None) -> list[tuple[str, float]]:
        """(passage id, cosine) of the nearest passages that are admitted, best first; `vector` is (dimension,).

        `admits` is asked about one passage of each kind (document, revision, validity, class), not about its text; `key`
        names it, so that a filter asked again need not be asked at all (None: not kept).
        """
        with self._lock:
            self._refresh()
            numbers, shapes, words = self._numbers, self._shapes, self._words
            admitted = self._filter(admits, key).admitted
        if not len(numbers) or limit < 1:
            return []
        rows = None if admitted[1:].all() else np.flatnonzero(admitted[shapes])
        if rows is not None and not len(rows):
            return []
        asked = code_of(vector.reshape(1, -1)).view(np.uint64)[0]
        nearest = _nearest(words, rows, asked, max(_LEAST_WEIGHED, _WEIGHED_FOR_EACH * limit))
        nearest = _weighed(words, nearest, vector, max(_LEAST_READ, _READ_FOR_EACH * limit))
        found = [(name, float(full @ vector)) for name, full in self._full([int(n) for n in numbers[nearest]])]
        return sorted(found, key=lambda pair: (-pair[1], pair[0]))[:limit]

    def kinds(self, admits: Admits, key: Hashable = None) -> Kinds:
        """The kinds of passages that are admitted, as `kind_of` names them, and their share of everything."""
        with self._lock:
            self._refresh()
            return self._filter(admits, key).kinds

    def _full(self, numbers: Sequence[int]) -> list[tuple[str, Vectors]]:
        found = []
        for start in range(0, len(numbers), 500):
            chunk = numbers[start : start + 500]
            marks = ",".join("?" * len(chunk))
            rows = self._catalogue.select(
                f"SELECT p.id, p.vector FROM codes c JOIN passages p ON p.id = c.passage_id WHERE c.number IN ({marks})", chunk
            )
            found += [(row[0], np.frombuffer(row[1], np.float16).astype(np.float32)) for row in rows]
        return found

    def _filter(self, admits: Admits, key: Hashable) -> _Filter:
        if key is not None and key in self._filters:
            return self._filters[key]
        admitted = np.ones(max(self._known, default=0) + 1, np.bool_)
        for shape, example in self._known.items():
            admitted[shape] = admits(example)
        names = tuple(self._names[shape] for shape in self._known if admitted[shape])
        share = float(self._held[: len(admitted)] @ admitted[: len(self._held)]) / max(1, len(self._numbers))
        made = _Filter(admitted, Kinds(names, share))
        if key is not None:
            if len(self._filters) >= _KEPT_FILTERS:
                self._filters.pop(next(iter(self._filters)))
            self._filters[key] = made
        return made

    def _refresh(self) -> None:
        """What was added since; everything, when something was taken away."""
        generation = self._catalogue.generation()
        if generation == self._generation:
            return
        count = self._catalogue.select("SELECT COUNT(*) FROM codes")[0][0]
        last = int(self._numbers[-1]) if len(self._numbers) else 0
        rows = self._rows(after=last)
        if len(rows) + len(self._numbers) != count:
            self._numbers, self._shapes, self._words = np.zeros(0, np.int64), np.zeros(0, np.int32), np.zeros((0, 0), np.uint64)
            rows = self._rows(after=0)
        if rows:
            packed = np.frombuffer(b"".join(r[2] for r in rows), np.uint8).reshape(len(rows), -1)
            words = np.ascontiguousarray(packed.view(np.uint64).T)
            self._words = np.concatenate([self._words, words], axis=1) if self._words.size else words
            self._numbers = np.concatenate([self._numbers, np.fromiter((r[0] for r in rows), np.int64, len(rows))])
            self._shapes = np.concatenate([self._shapes, np.fromiter((r[1] for r in rows), np.int32, len(rows))])
        self._held = np.bincount(self._shapes)
        used = set(np.flatnonzero(self._held).tolist())
        known = self._catalogue.select("SELECT number, said FROM shapes")
        self._known = {number: self._known.get(number) or _example(said) for number, said in known if number in used}
        self._names = {number: _name(said) for number, said in known if number in used}
        self._filters, self._generation = {}, generation

    def _rows(self, after: int) -> list[tuple[int, int, bytes]]:
        rows = self._catalogue.select("SELECT number, shape, code FROM codes WHERE number > ? ORDER BY number", (after,))
        return [(r[0], r[1], r[2]) for r in rows]


def _weighed(words: NDArray[np.uint64], rows: NDArray[np.int64], vector: Vectors, most: int) -> NDArray[np.int64]:
    """Of these rows the `most` whose signs, taken as values, agree best with the vector's own values."""
    if len(rows) <= most:
        return rows
    packed = np.ascontiguousarray(words[:, rows].T).view(np.uint8)
    agreed = np.unpackbits(packed, axis=1, count=len(vector)).astype(np.float32) @ vector
    return rows[np.argpartition(-agreed, most)[:most]]


def _nearest(words: NDArray[np.uint64], rows: NDArray[np.int64] | None, asked: NDArray[np.uint64], most: int) -> NDArray[np.int64]:
    """The row numbers with the fewest differing bits, at most `most` (a tie at the edge is cut anywhere); `words` is
    (words of a code, rows)."""
    total = words.shape[1] if rows is None else len(rows)
    distances = np.empty(total, np.uint16)
    differing, counts = np.empty(min(_BLOCK, total), np.uint64), np.empty(min(_BLOCK, total), np.uint8)
    for start in range(0, total, _BLOCK):
        part = distances[start : start + _BLOCK]
        part[:] = 0
        for word, wanted in zip(words, asked, strict=True):
            block = word[start : start + _BLOCK] if rows is None else word[rows[start : start + _BLOCK]]
            np.bitwise_xor(block, wanted, out=differing[: len(part)])
            np.bitwise_count(differing[: len(part)], out=counts[: len(part)])
            part += counts[: len(part)]
    if total > most:
        edge = int(np.searchsorted(np.cumsum(np.bincount(distances)), most))
        chosen = np.flatnonzero(distances <= edge)
        if len(chosen) > most:
            chosen = np.concatenate([np.flatnonzero(distances < edge), np.flatnonzero(distances == edge)])[:most]
    else:
        chosen = np.arange(total)
    return chosen if rows is None else rows[chosen]
