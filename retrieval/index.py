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
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np

from retrieval import identifiers
from retrieval.catalogue import Catalogue
from retrieval.dense import Dense
from retrieval.embed import Embedder
from retrieval.lexical import Lexical, query_terms
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
from retrieval.rank import overlap
from retrieval.searching import Reranker, Searching, Wanted, embedded_text

__all__ = [
    "AlarmEntry", "Anchor", "DocumentInfo", "Entry", "Hit", "Index", "IndexDamaged", "IndexUnavailable",
    "ModelMissing", "Passage", "RetrievalError",
]  # fmt: skip

log = logging.getLogger(__name__)

PROCEDURE_KINDS = ("sop", "work_instruction", "manual")
_LOCK_WAIT_S = 30.0
_REBUILD_BATCH = 512


@dataclass(frozen=True)
class Entry:
    """One document revision on its way in."""

    info: DocumentInfo
    passages: Sequence[Passage]
    alarms: Sequence[AlarmEntry] = ()


class Index:
    """Searching is safe from any thread and beside a writer; writing is one process at a time (a file lock)."""

    def __init__(self, folder: Path, embedder: Embedder, today: Callable[[], date] | None = None, reranker: Reranker | None = None) -> None:
        self._folder = folder
        self._embedder = embedder
        self._catalogue = Catalogue(folder / "catalogue.sqlite", today)
        self._dense = Dense(folder / "vectors")
        self._lexical = Lexical(folder / "words")
        self._seen_generation = self._catalogue.generation()
        self._searching = Searching(self._catalogue, self._dense, self._lexical, embedder, reranker)

    @classmethod
    def open(
        cls, folder: Path, embedder: Embedder, today: Callable[[], date] | None = None, reranker: Reranker | None = None,
        *, to_rebuild: bool = False,
    ) -> Index:  # fmt: skip
        """Opens or creates the index in `folder` and mends what a killed process left.

        `today` decides which revisions are effective yet; without it the newest revision stands. `reranker` reads the
        first candidates of every search. With `to_rebuild` an index of another embedding model opens too. Raises
        IndexUnavailable (folder not writable, disk full) or IndexDamaged (the catalogue is no database).
        """
        try:
            folder.mkdir(parents=True, exist_ok=True)
            index = cls(folder, embedder, today, reranker)
        except OSError as error:
            raise IndexUnavailable(f"The index folder {folder.name} cannot be used: {error.strerror}.") from error
        if not to_rebuild:
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
            sizes = self._sizes()
            for access in dict.fromkeys(p.access for p in fresh):
                chosen = [p.id for p in fresh if p.access == access]
                if self._dense.expected(access, sizes[access] + len(chosen)):
                    self._dense.add(access, chosen, np.stack([vectors[i] for i in chosen]))
                elif self._dense.count(access):
                    self._dense.clear(access)
            self._lexical.change(fresh)
            self._catalogue.put(rows)
            self._forget(old, keep={p.id for p in passages})
            self._catalogue.set_meta("dirty", "0")

    def _embedded(self, passages: Sequence[Passage]) -> np.ndarray:
        if not passages:
            return np.zeros((0, self._embedder.dimension), np.float32)
        return self._embedder.embed([embedded_text(p) for p in passages])

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
        with closing(sqlite3.connect(self._catalogue.path)) as here, closing(sqlite3.connect(target / "catalogue.sqlite")) as there:
            here.backup(there)
            there.execute("INSERT OR REPLACE INTO meta VALUES ('dirty', '1')")
            there.commit()

    def rollback(self, source: Path) -> None:
        """Makes the index what it was when `snapshot` wrote `source`. Raises IndexDamaged when that holds no snapshot."""
        kept = source / "catalogue.sqlite"
        if not kept.is_file():
            raise IndexDamaged(f"{source.name} holds no snapshot of an index.")
        with self._writing():
            generation = self._catalogue.generation()
            self._catalogue.close()
            try:
                with closing(sqlite3.connect(kept)) as there, closing(sqlite3.connect(self._catalogue.path)) as here:
                    there.execute("SELECT COUNT(*) FROM passages")
                    there.backup(here)
            except sqlite3.DatabaseError as error:
                raise IndexDamaged(f"The snapshot {source.name} cannot be read: {error}.") from error
            self._catalogue.prepare()  # a snapshot may be of an earlier version
            self._catalogue.set_meta("generation", str(max(generation, self._catalogue.generation()) + 1))
            self._check_dimension()
            self._replay()

    def rebuild(self, progress: Callable[[int, int], None] | None = None) -> int:
        """Makes vectors and words anew from the catalogue's texts, with the embedding model set now; returns passages.

        Killed in between, the index does not open until another rebuild has gone on with what is left.
        """
        with self._writing():
            self._catalogue.set_meta("dirty", "1")
            if self._catalogue.meta("embedder") != self._embedder.name or not self._catalogue.meta("rebuilding"):
                self._catalogue.set_meta("rebuilding", "0")
                self._catalogue.set_meta("embedder", self._embedder.name)
            done = int(self._catalogue.meta("rebuilding"))
            total = self._sizes().total()
            count = 0
            for row, ids in self._catalogue.batches(after=done, size=_REBUILD_BATCH):
                passages = list(self._catalogue.passages(ids).values())
                self._catalogue.replace_derived(passages, self._embedded(passages), row)
                count += len(passages)
                if progress:
                    progress(count, total)
            for access in {*self._sizes(), "plant"}:
                self._dense.clear(access)
            self._lexical.clear()
            self._replay()
            self._catalogue.set_meta("rebuilding", "")
        return total

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
        wanted = Wanted(
            equipment, equipment_class, frozenset(kinds), frozenset(access), variant=variant, software=software, on=on, within=within
        )
        self._refresh()
        return self._searching.search(query, k, wanted)

    def halves(self, query: str, k: int, access: Collection[str] = ("plant",)) -> dict[str, list[Passage]]:
        """What vectors alone ("dense"), plain BM25 alone ("bm25") and BM25 with the trade's other words ("lexical") put
        first: what `search` is measured against."""
        self._refresh()
        return self._searching.halves(query, k, Wanted(None, None, frozenset(), frozenset(access)))

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
        wanted = Wanted(equipment, equipment_class, frozenset(PROCEDURE_KINDS), frozenset(access), True, variant, software, on, within)
        self._refresh()
        return self._searching.search(f"{task} {product}" if product else task, k, wanted)

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
        nearest: bool = True,
    ) -> list[AlarmEntry]:
        """The entries of exactly this code in effective lists, most likely first; never a neighbouring code.

        Several lists may know a bare number: `hint`, the question's words, puts the list it names first. Without
        `nearest` those that know it with a prefix of their own come after those that know it as it was written.
        """
        wanted = Wanted(
            equipment, equipment_class, frozenset(), frozenset(access), variant=variant, software=software, on=on, within=within
        )
        self._refresh()
        found = self._searching.alarms(identifiers.key(code), wanted, nearest=nearest)
        words = set(query_terms(hint))
        return [e for _, _, e in sorted(found, key=lambda f: (-f[0], -wanted.closeness(f[2].passage), -overlap(words, f[2])))]

    # -- consistency -----------------------------------------------------------------------------------------------

    def _refresh(self) -> None:
        """Sees what another process has added since."""
        generation = self._catalogue.generation()
        if generation != self._seen_generation:
            self._lexical.reload()
            self._dense.reload()
            self._seen_generation = generation

    def _check_dimension(self) -> None:
        known = self._catalogue.meta("embedder")
        if self._catalogue.meta("rebuilding"):
            raise IndexDamaged("The index was being rebuilt and that was not finished; run `andon index rebuild`.")
        if not known:
            self._catalogue.set_meta("embedder", self._embedder.name)
        elif known != self._embedder.name:
            raise IndexDamaged(
                f"The index was made with the embedding model {known}, not {self._embedder.name}; run `andon index rebuild`."
            )

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
        sizes = self._sizes()
        counts = all(self._dense.count(a) == self._dense.expected(a, n) for a, n in sizes.items())
        return counts and self._lexical.count() == sizes.total() and all(map(self._dense.is_sound, sizes))

    def _sizes(self) -> Counter[str]:
        """Access class -> passages in the catalogue."""
        return Counter(dict(self._catalogue.select("SELECT access, COUNT(*) FROM passages GROUP BY access")))

    def _replay(self) -> None:
        catalogue: dict[str, set[str]] = {}
        for name, access in self._catalogue.ids():
            catalogue.setdefault(access, set()).add(name)
        for access in catalogue.keys() | {"plant"}:
            if not self._dense.is_sound(access):
                self._dense.clear(access)
            there, wanted = self._dense.ids(access), catalogue.get(access, set())
            if not self._dense.expected(access, len(wanted)):
                wanted = set()
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
