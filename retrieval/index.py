"""The one door to the plant's documents: add them, find passages, alarm entries and procedures in them.

The catalogue is the truth; the vectors in Chroma and the words in tantivy are derived from it. `add` writes vectors,
then words, then flips the catalogue in one commit, so that a process killed at any moment leaves an index that opens:
opening compares the three and replays what is missing. Search returns only what the catalogue calls effective now
(`tests/test_index.py`).
"""

from __future__ import annotations

import fcntl
import logging
import os
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np

from retrieval import identifiers
from retrieval.applicability import applies, classes
from retrieval.catalogue import Catalogue
from retrieval.dense import Dense
from retrieval.embed import Embedder
from retrieval.lexical import Lexical, query_terms, terms
from retrieval.passages import (
    AlarmEntry,
    Anchor,
    DocumentInfo,
    Hit,
    IndexDamaged,
    IndexUnavailable,
    ModelMissing,
    Passage,
    RetrievalError,
)
from retrieval.rank import Candidate, coverage, fuse, is_asked_for, overlap, ranked

__all__ = [
    "AlarmEntry", "Anchor", "DocumentInfo", "Entry", "Hit", "Index", "IndexDamaged", "IndexUnavailable",
    "ModelMissing", "Passage", "RetrievalError",
]  # fmt: skip

log = logging.getLogger(__name__)

PROCEDURE_KINDS = ("sop", "work_instruction", "manual")
_LOCK_WAIT_S = 30.0
# An identifier that stands in more passages than this (a machine's own name, a thread size) points at none of them.
_TELLING_MENTIONS = 8
_QUERY_CHARACTERS = 2000


@dataclass(frozen=True)
class Entry:
    """One document revision on its way in."""

    info: DocumentInfo
    passages: Sequence[Passage]
    alarms: Sequence[AlarmEntry] = ()


@dataclass(frozen=True)
class _Wanted:
    """What a search may return."""

    equipment: str | None
    equipment_class: str | None
    kinds: frozenset[str]
    access: frozenset[str]
    steps_only: bool = False
    variant: str | None = None
    software: str | None = None
    on: date | None = None  # what was in force on that day
    within: tuple[str, str] | None = None  # only this revision, whatever its status

    def closeness(self, passage: Passage) -> int:
        """2 for what names the machine asked about, 1 for what names its class, 0 for what is valid for all."""
        if self.equipment and self.equipment.casefold() in (e.casefold() for e in passage.equipment):
            return 2
        return int(bool(self.equipment_class) and (self.equipment_class or "").casefold() in classes(passage.equipment_class))

    def admits(self, passage: Passage) -> bool:
        if passage.access not in self.access or (self.kinds and passage.kind not in self.kinds):
            return False
        if self.within and (passage.anchor.document, passage.anchor.revision) != self.within:
            return False
        valid = applies(passage, self.equipment, self.equipment_class, self.variant, self.software)
        return valid and (not self.steps_only or bool(passage.steps))

    def in_force(self, passage: Passage, statuses: dict[tuple[str, str], str]) -> bool:
        pair = (passage.anchor.document, passage.anchor.revision)
        return statuses.get(pair) == "effective" or pair == self.within


class Index:
    """Searching is safe from any thread and beside a writer; writing is one process at a time (a file lock)."""

    def __init__(self, folder: Path, embedder: Embedder, today: Callable[[], date] | None = None) -> None:
        self._folder = folder
        self._embedder = embedder
        self._catalogue = Catalogue(folder / "catalogue.sqlite", today)
        self._dense = Dense(folder / "vectors")
        self._lexical = Lexical(folder / "words")
        self._seen_generation = self._catalogue.generation()
        self._scan: tuple[int, list[str], np.ndarray] | None = None
        self._scan_lock = threading.Lock()

    @classmethod
    def open(cls, folder: Path, embedder: Embedder, today: Callable[[], date] | None = None) -> Index:
        """Opens or creates the index in `folder` and mends what a killed process left.

        `today` decides which revisions are effective yet; without it the newest revision stands. Raises
        IndexUnavailable (folder not writable, disk full) or IndexDamaged (the catalogue is no database).
        """
        try:
            folder.mkdir(parents=True, exist_ok=True)
            index = cls(folder, embedder, today)
        except OSError as error:
            raise IndexUnavailable(f"The index folder {folder.name} cannot be used: {error.strerror}.") from error
        index._recover()
        return index

    # -- writing ---------------------------------------------------------------------------------------------------

    def add(self, info: DocumentInfo, passages: Sequence[Passage], alarms: Sequence[AlarmEntry] = ()) -> None:
        """Adds one revision, replacing it when it is there. Searchable when this returns; all or nothing."""
        self.add_many([Entry(info, passages, alarms)])

    def add_many(self, entries: Sequence[Entry]) -> None:
        """Adds several revisions in one flip; embedding them together is what makes this quick. A passage that is
        there already (its id depends on its content) is neither embedded nor indexed again."""
        passages = list({p.id: p for e in entries for p in e.passages}.values())
        self._check_dimension()
        vectors = self._catalogue.vectors([p.id for p in passages])
        fresh = [p for p in passages if p.id not in vectors]
        vectors |= dict(zip((p.id for p in fresh), self._embedded(fresh), strict=True))
        with self._writing():
            rows = []
            for e in entries:
                unique = list({p.id: p for p in e.passages}.values())
                rows.append((e.info, unique, [vectors[p.id] for p in unique], e.alarms))
            old = {
                p.id: p.access for e in entries
                for p in self._catalogue.passages_of(e.info.document, e.info.revision)
            }  # fmt: skip
            self._catalogue.set_meta("dirty", "1")
            for access in dict.fromkeys(p.access for p in fresh):
                chosen = [p.id for p in fresh if p.access == access]
                self._dense.add(access, chosen, np.stack([vectors[i] for i in chosen]))
            self._lexical.change(fresh)
            self._catalogue.put(rows)
            self._forget(old, keep={p.id for p in passages})
            self._catalogue.set_meta("dirty", "0")

    def _embedded(self, passages: Sequence[Passage]) -> np.ndarray:
        if not passages:
            return np.zeros((0, self._embedder.dimension), np.float32)
        return self._embedder.embed([_embedded_text(p) for p in passages])

    def remove(self, document: str, revision: str | None = None) -> None:
        """Takes a document (or one revision) out of the index; unknown ones are no error."""
        with self._writing():
            old = {p.id: p.access for p in self.passages(document, revision, every=True)}
            self._catalogue.set_meta("dirty", "1")
            self._catalogue.drop(document, revision)
            self._forget(old, keep=set())
            self._catalogue.set_meta("dirty", "0")

    def retire(self, document: str, revision: str | None = None) -> None:
        """Keeps the document but never finds it again."""
        with self._writing():
            self._catalogue.retire(document, revision)

    def snapshot(self, target: Path) -> None:
        """Copies the catalogue, from which the whole index can be rebuilt, into the folder `target`."""
        target.mkdir(parents=True, exist_ok=True)
        with sqlite3.connect(self._catalogue.path) as here, sqlite3.connect(target / "catalogue.sqlite") as there:
            here.backup(there)
            there.execute("INSERT OR REPLACE INTO meta VALUES ('dirty', '1')")

    @property
    def catalogue(self) -> Catalogue:
        """For the ingest pipeline, which keeps its memory of files there."""
        return self._catalogue

    # -- reading ---------------------------------------------------------------------------------------------------

    def generation(self) -> int:
        """Rises with every change; answers made under another generation may be out of date."""
        return self._catalogue.generation()

    def documents(self, on: date | None = None) -> list[DocumentInfo]:
        """Every revision known, whatever its status on that day (default: today), and every quarantined file."""
        return self._catalogue.documents(on)

    def document(self, document: str, revision: str | None = None) -> DocumentInfo:
        """That revision, or the effective one. Raises KeyError when there is none."""
        for info in self.documents():
            wanted = info.revision == revision if revision is not None else info.status == "effective"
            if info.document == document and wanted and info.status != "quarantined":
                return info
        raise KeyError(f"no document {document!r}" + (f" of revision {revision!r}" if revision else ""))

    def passages(self, document: str, revision: str | None = None, *, every: bool = False) -> list[Passage]:
        """The passages of that revision (None: the effective one; with `every`: of all revisions), in order."""
        found: list[Passage] = []
        for (name, known), status in self._catalogue.statuses().items():
            chosen = every or status == "effective" if revision is None else known == revision
            if name == document and chosen:
                found += self._catalogue.passages_of(name, known)
        return found

    def search(
        self,
        query: str,
        k: int = 8,
        *,
        equipment: str | None = None,
        equipment_class: str | None = None,
        variant: str | None = None,
        software: str | None = None,
        kinds: Sequence[str] = (),
        access: Collection[str] = ("plant",),
        on: date | None = None,
        within: tuple[str, str] | None = None,
    ) -> list[Hit]:
        """The best `k` effective passages for a question; entries of a code that it names stand first.

        `equipment`, `equipment_class`, `variant` and `software` leave out what is valid for other machines only;
        `access` names the classes that the caller may read; `on` is the day on which it must be in force (default:
        today); `within` searches one revision (document, revision), whatever its status.
        """
        wanted = _Wanted(
            equipment, equipment_class, frozenset(kinds), frozenset(access), variant=variant, software=software, on=on, within=within
        )
        return self._search(query, k, wanted)

    def procedures(
        self,
        task: str,
        *,
        equipment: str | None = None,
        equipment_class: str | None = None,
        variant: str | None = None,
        software: str | None = None,
        product: str | None = None,
        k: int = 5,
        access: Collection[str] = ("plant",),
        on: date | None = None,
        within: tuple[str, str] | None = None,
    ) -> list[Hit]:
        """Step lists (SOPs, work instructions, manuals) for a task, best first; the filters as in `search`."""
        wanted = _Wanted(equipment, equipment_class, frozenset(PROCEDURE_KINDS), frozenset(access), True, variant, software, on, within)
        return self._search(f"{task} {product}" if product else task, k, wanted)

    def alarm(
        self,
        code: str,
        *,
        equipment: str | None = None,
        equipment_class: str | None = None,
        variant: str | None = None,
        software: str | None = None,
        access: Collection[str] = ("plant",),
        on: date | None = None,
        within: tuple[str, str] | None = None,
        hint: str = "",
    ) -> list[AlarmEntry]:
        """The entries of exactly this code in effective lists, most likely first; never a neighbouring code.

        Several lists may know a bare number: `hint`, the question's words, puts the list it names first.
        """
        wanted = _Wanted(
            equipment, equipment_class, frozenset(), frozenset(access), variant=variant, software=software, on=on, within=within
        )
        found = self._alarms(identifiers.key(code), wanted)
        words = set(query_terms(hint))
        return [e for _, _, e in sorted(found, key=lambda f: (-f[0], -wanted.closeness(f[2].passage), -overlap(words, f[2])))]

    def _alarms(self, code_key: str, wanted: _Wanted) -> list[tuple[int, float, AlarmEntry]]:
        """(nearness, score, entry); only the nearest kind of match that exists, so `E-104` never answers for `A-104`."""
        self._refresh()
        statuses = self._catalogue.statuses(wanted.on)
        found = [
            (n, e) for n, e in self._catalogue.alarms(code_key)
            if wanted.in_force(e.passage, statuses) and wanted.admits(e.passage)
        ]  # fmt: skip
        best = max((n for n, _ in found), default=0)
        return [(n, {3: 1.0, 2: 0.98, 1: 0.95}[n], e) for n, e in found if n == best or (n == 1 and best == 1)]

    # -- the search itself -----------------------------------------------------------------------------------------

    def _search(self, query: str, k: int, wanted: _Wanted) -> list[Hit]:
        query = " ".join(query.split())[:_QUERY_CHARACTERS]
        if not query or k < 1:
            return []
        self._refresh()
        vector = self._embedder.embed([query])[0]
        depth = max(40, 6 * k)
        dense = self._dense.search(vector, wanted.access, depth)
        lexical = self._lexical.search(query, depth)
        exact = self._exact(query, wanted)
        known = self._admitted({i for i, _ in dense} | {i for i, _ in lexical} | set(exact), wanted)
        if sum(i in known for i, _ in dense) < k:
            dense = self._scanned(vector, wanted, depth, known)
        if sum(i in known for i, _ in lexical) < k:
            lexical = self._lexical.search(query, 50 * depth)
            known |= self._admitted({i for i, _ in lexical} - known.keys(), wanted)
        rankings = {
            "dense": [i for i, _ in dense if i in known][:depth],
            "lexical": [i for i, _ in lexical if i in known][:depth],
        }
        order = fuse(rankings.values())
        chosen = [i for i in known if i in order or i in exact]
        vectors = self._catalogue.vectors(chosen)
        weights, unknown = self._lexical.weights(query_terms(query))
        members = {name: set(ids) for name, ids in rankings.items()} | {"identifier": set(exact)}
        return ranked(
            [
                Candidate(
                    passage=known[i], cosine=float(vectors[i] @ vector), coverage=coverage(weights, known[i]),
                    order=order.get(i, 0.0), exact=exact.get(i, 0.0), mention=i in exact and not exact[i],
                    how=tuple(name for name in ("identifier", "dense", "lexical") if i in members[name]),
                )
                for i in chosen if i in vectors
            ],
            k,
            unknown,
        )  # fmt: skip

    def _exact(self, query: str, wanted: _Wanted) -> dict[str, float]:
        """Passages of the codes that the question names: id -> score of an alarm entry, 0 for a mere mention. Among
        several lists that know the number, the one whose name stands in the question first."""
        found: dict[str, float] = {}
        spoken = identifiers.find(query)
        words = set(query_terms(query))
        words -= set().union(*(terms(i.text) for i in spoken)) if spoken else set()
        for identifier in spoken:
            for _, score, entry in self._alarms(identifier.key, wanted):
                if not identifier.strong and not is_asked_for(identifier.key, words, entry):
                    continue
                value = score - 0.03 + 0.005 * wanted.closeness(entry.passage) + 0.02 * min(1.0, overlap(words, entry))
                found[entry.passage.id] = max(found.get(entry.passage.id, 0.0), value)
            if identifier.strong:
                mentions = self._admitted(set(self._catalogue.mentions(identifier.key)), wanted)
                if len(mentions) <= _TELLING_MENTIONS:
                    for name in mentions:
                        found.setdefault(name, 0.0)
        return found

    def _admitted(self, ids: Collection[str], wanted: _Wanted) -> dict[str, Passage]:
        passages = self._catalogue.passages(sorted(ids))
        statuses = self._catalogue.statuses(wanted.on)
        return {i: p for i, p in passages.items() if wanted.in_force(p, statuses) and wanted.admits(p)}

    def _scanned(self, vector: np.ndarray, wanted: _Wanted, depth: int, known: dict[str, Passage]) -> list[tuple[str, float]]:
        """An exact search over all vectors, for when a filter left too little of the approximate one."""
        with self._scan_lock:
            if self._scan is None or self._scan[0] != self._seen_generation:
                ids, matrix = self._catalogue.scan()
                self._scan = (self._seen_generation, ids, matrix)
        _, ids, matrix = self._scan
        if not ids:
            return []
        cosines = matrix @ vector
        found: list[tuple[str, float]] = []
        order = np.argsort(-cosines)
        for start in range(0, len(order), 2000):
            names = [ids[i] for i in order[start : start + 2000]]
            admitted = self._admitted(names, wanted)
            known |= admitted
            found += [(n, float(c)) for n, c in zip(names, cosines[order[start : start + 2000]], strict=True) if n in admitted]
            if len(found) >= depth:
                break
        return found[:depth]

    # -- consistency -----------------------------------------------------------------------------------------------

    def _refresh(self) -> None:
        """Sees what another process has added since."""
        generation = self._catalogue.generation()
        if generation != self._seen_generation:
            self._lexical.reload()
            self._seen_generation = generation

    def _check_dimension(self) -> None:
        known = self._catalogue.meta("embedder")
        if not known:
            self._catalogue.set_meta("embedder", self._embedder.name)
        elif known != self._embedder.name:
            raise IndexDamaged(f"The index was made with the embedding model {known}, not {self._embedder.name}; rebuild it.")

    def _recover(self) -> None:
        """Compares catalogue, vectors and words; replays or deletes what a killed process left half done."""
        self._check_dimension()
        if not self._is_whole():
            try:
                with self._writing(wait_s=0.0):
                    if not self._is_whole():
                        log.warning("the index was left half written; replaying from the catalogue")
                        self._replay()
            except IndexUnavailable:
                log.info("another process is writing the index; what it adds is seen when it is done")

    def _is_whole(self) -> bool:
        if self._catalogue.meta("dirty", "0") != "0":
            return False
        classes = Counter(access for _, access in self._catalogue.ids())
        return self._lexical.count() == classes.total() and all(self._dense.count(a) == n for a, n in classes.items())

    def _replay(self) -> None:
        catalogue: dict[str, set[str]] = {}
        for name, access in self._catalogue.ids():
            catalogue.setdefault(access, set()).add(name)
        for access in catalogue.keys() | {"plant"}:
            there, wanted = self._dense.ids(access), catalogue.get(access, set())
            self._dense.remove(access, sorted(there - wanted))
            missing = sorted(wanted - there)
            for start in range(0, len(missing), 2000):
                vectors = self._catalogue.vectors(missing[start : start + 2000])
                self._dense.add(access, list(vectors), np.stack(list(vectors.values())))
        everything = set().union(*catalogue.values()) if catalogue else set()
        words = self._lexical.ids()
        missing = sorted(everything - words)
        self._lexical.change(self._catalogue.passages(missing).values(), sorted(words - everything))
        self._catalogue.set_meta("dirty", "0")

    def _forget(self, old: dict[str, str], keep: set[str]) -> None:
        gone = {name: access for name, access in old.items() if name not in keep}
        for access in set(gone.values()):
            self._dense.remove(access, [n for n, a in gone.items() if a == access])
        if gone:
            self._lexical.change((), gone)

    @contextmanager
    def _writing(self, wait_s: float = _LOCK_WAIT_S) -> Iterator[None]:
        """The lock over writers of all processes; raises IndexUnavailable when it is not free within `wait_s`."""
        deadline = time.monotonic() + wait_s
        handle = os.open(self._folder / "write.lock", os.O_RDWR | os.O_CREAT, 0o644)
        try:
            while True:
                try:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > deadline:
                        raise IndexUnavailable("Another process is writing the index; try again when it is done.") from None
                    time.sleep(0.05)
            yield
            self._seen_generation = -1 if self._seen_generation != self._catalogue.generation() else self._seen_generation
        finally:
            os.close(handle)


def _embedded_text(passage: Passage) -> str:
    section = passage.anchor.section
    return f"{section}. {passage.text}" if section and section not in passage.text else passage.text
