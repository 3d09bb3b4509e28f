"""Files into the index: discover, read, split, embed, add; the same files again cost nothing.

What was done is remembered batch by batch after it is searchable, and files are taken in one order, so a run that was
killed at any moment is completed by the next one to exactly what an undisturbed run leaves (`tests/test_ingest_kill.py`).
A file that cannot be read is quarantined with the reason and the rest goes in. A file that moved keeps its document, one
that vanished is named, and retired when asked (`tests/test_pipeline.py`).
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from ingest import discovery
from ingest.quarantine import TRANSIENT
from ingest.reading import FILE_SECONDS, read_all
from ingest.worker import Job, Limits, Outcome
from retrieval.index import Entry, Index, RetrievalError

#: Files done, files in all, the path of the last one.
Progress = Callable[[int, int, str], None]
#: What the catalogue remembers of a file: content hash, stamp, document, revision, reason of its quarantine.
Known = tuple[str, str, str, str, str]

_BATCH_PASSAGES = 400
_BATCH_FILES = 200


class IngestError(Exception):
    """Ingest as a whole could not go on; the text is one sentence. Single bad files are quarantined instead."""


@dataclass(frozen=True)
class IngestReport:
    """What a run did. Paths as given or found. `quarantined` pairs each with its reason, `moved` the old path with the
    new, `duplicates` a file with the one that has the same content. `vanished`: files that were read before and are no
    longer there; `retired`: their documents, as DOCUMENT or DOCUMENT@REVISION, when that was asked for."""

    added: tuple[str, ...]
    updated: tuple[str, ...]
    unchanged: tuple[str, ...]
    quarantined: tuple[tuple[str, str], ...]
    seconds: float
    passages: int
    alarms: int
    moved: tuple[tuple[str, str], ...] = ()
    duplicates: tuple[tuple[str, str], ...] = ()
    vanished: tuple[str, ...] = ()
    retired: tuple[str, ...] = ()


def ingest(
    paths: Sequence[Path],
    index: Index,
    *,
    equipment: str | None = None,
    revision: str | None = None,
    progress: Progress | None = None,
    workers: int = 2,
    file_seconds: float = FILE_SECONDS,
    limits: Limits | None = None,
    prune: bool = False,
    leave: Collection[Path] = (),
    given: discovery.Given = (),
) -> IngestReport:
    """Adds or updates every file under `paths` but those in `leave`. `equipment`, `revision` and `given` (name, value)
    say what the documents do not say themselves. `prune` retires the documents of files that
    vanished from these folders. Raises IngestError when a path does not exist or the index cannot be written; what was
    added before stays added, and the next run goes on from there."""
    started = time.monotonic()
    found = discovery.find(paths)
    if found.missing:
        raise IngestError(f"There is no file or folder {discovery.text_of(found.missing[0])}.")
    try:
        run = _Run(index, equipment, revision, progress, given)
        jobs = run.sort_out([path for path in found.files if path not in leave], found)
        for outcome in read_all(jobs, max(1, min(workers, 1 + len(jobs) // 4)), file_seconds, limits or Limits()):
            run.take(outcome)
        run.flush()
        vanished, retired = run.vanished(paths, found, prune)
    except RetrievalError as error:
        raise IngestError(str(error)) from error
    run.quarantined += [(discovery.text_of(folder), reason) for folder, reason in found.closed]
    return IngestReport(
        tuple(run.added), tuple(run.updated), tuple(run.unchanged), tuple(run.quarantined),
        round(time.monotonic() - started, 3), run.passages, run.alarms, tuple(run.moved), tuple(run.duplicates),
        tuple(vanished), tuple(retired),
    )  # fmt: skip


def discover(paths: Sequence[Path]) -> list[Path]:
    """Every file that `ingest` would look at. Raises IngestError when a path does not exist."""
    found = discovery.find(paths)
    if found.missing:
        raise IngestError(f"There is no file or folder {discovery.text_of(found.missing[0])}.")
    return list(found.files)


class _Run:
    """One run: sorts the files out, gathers outcomes into batches, adds them, remembers each once it is searchable."""

    def __init__(
        self, index: Index, equipment: str | None, revision: str | None, progress: Progress | None, given: discovery.Given
    ) -> None:
        self._given = given
        self._index, self._equipment, self._revision, self._progress = index, equipment, revision, progress
        self._known: dict[str, Known] = index.catalogue.sources()
        self._gone: dict[str, list[str]] = {}
        self._gone_names: set[str] = set()
        self._followers: dict[str, list[Path]] = {}
        #: Which file stands for a revision, and which revisions a file stands for; "" is no file (a published document).
        self._holders: dict[tuple[str, str], str] = {}
        self._held: dict[str, set[tuple[str, str]]] = {}
        for info in index.documents():
            if info.status != "quarantined":
                self._holders[(info.document, info.revision)] = info.source
                self._held.setdefault(info.source, set()).add((info.document, info.revision))
        self._changing: set[str] = set()
        self._batch: list[tuple[Outcome, list[Entry]]] = []
        self._rows: list[tuple[str, str, str, str, str, str]] = []
        self._done = self._total = 0
        self.added: list[str] = []
        self.updated: list[str] = []
        self.unchanged: list[str] = []
        self.quarantined: list[tuple[str, str]] = []
        self.moved: list[tuple[str, str]] = []
        self.duplicates: list[tuple[str, str]] = []
        self.passages = self.alarms = 0

    # -- before reading --------------------------------------------------------------------------------------------

    def sort_out(self, files: Sequence[Path], found: discovery.Found) -> list[Job]:
        """What has to be read, once for files of the same content. What is as it was (by size and time, else by
        content), as bad as it was, moved, or there already under another name, is settled here."""
        names = {path: discovery.key(path) for path in files}
        self._find_gone(set(names.values()), found)
        ids = discovery.fallbacks({*names.values(), *(self._known.keys() - self._gone_names)})
        leaders: dict[str, int] = {}  # content -> place of the job that reads it
        jobs: list[Job] = []
        for path in files:
            name, stamp = names[path], discovery.stamp(path, self._equipment, self._revision, self._given)
            before = self._known.get(name)
            if before and before[1] == stamp and not TRANSIENT.match(before[4]):
                self._as_it_was(path, before)
                continue
            digest = discovery.content_hash(path, self._equipment, self._revision, self._given)
            if before and before[0] == digest and not before[4]:
                self.unchanged.append(str(path))
                self._rows.append((name, digest, stamp, before[2], before[3], ""))
            elif before is None and self._gone.get(digest):
                self._move(self._gone[digest].pop(0), path, name, stamp)
            else:
                job = Job(path, digest, ids[name], self._equipment, self._revision, stamp, self._given)
                place = leaders.setdefault(digest, len(jobs))
                if place == len(jobs):
                    jobs.append(job)
                    continue
                if before and before[2] and names[jobs[place].path] not in self._known:
                    jobs[place], job = job, jobs[place]  # the copy is the new one; what is known keeps its document
                self._followers.setdefault(digest, []).append(job.path)
        self._changing = {names[job.path] for job in jobs}
        self._total = len(jobs)
        return jobs

    def _find_gone(self, here: set[str], found: discovery.Found) -> None:
        """Files that were read before and are no longer there, by content. What lies in a folder that cannot be opened
        is not gone."""
        closed = tuple(discovery.key(folder) + os.sep for folder, _ in found.closed)
        self._gone_names = {
            name for name in self._known
            if name not in here and not (closed and name.startswith(closed)) and not os.path.lexists(name)
        }  # fmt: skip
        for name in sorted(self._gone_names):
            digest, _, _, _, reason = self._known[name]
            if not reason:
                self._gone.setdefault(digest, []).append(name)

    def _as_it_was(self, path: Path, before: Known) -> None:
        if before[4]:
            self.quarantined.append((discovery.text_of(path), before[4]))
        else:
            self.unchanged.append(str(path))

    def _move(self, old: str, path: Path, name: str, stamp: str) -> None:
        """The same content under a new name: the document stays what it is, only its place changes."""
        self._index.catalogue.move_source(old, name, stamp)
        self._known[name] = self._known.pop(old)
        self._gone_names.discard(old)
        for pair in self._held.pop(old, set()):
            self._holders[pair] = name
            self._held.setdefault(name, set()).add(pair)
        self.moved.append((old, str(path)))

    # -- while reading ---------------------------------------------------------------------------------------------

    def take(self, outcome: Outcome) -> None:
        path = outcome.job.path
        name = discovery.key(path)
        self._changing.discard(name)
        self._done += 1
        entries = [Entry(*document) for document in outcome.documents]
        reason = outcome.reason or self._conflict(name, entries)
        if reason:
            self._quarantine(outcome.job, reason)
        else:
            for entry in entries:
                self._holders[(entry.info.document, entry.info.revision)] = name
            self._batch.append((outcome, entries))
        waiting = sum(len(e.passages) for _, entries in self._batch for e in entries)
        if waiting >= _BATCH_PASSAGES or len(self._batch) + len(self._rows) >= _BATCH_FILES:
            self.flush()
        if self._progress:
            self._progress(self._done, self._total, discovery.text_of(path))

    def _conflict(self, name: str, entries: Sequence[Entry]) -> str:
        """Two files that claim one revision with different content: the one that is there stays, whoever it is. A file
        that is still to be read again in this run claims nothing yet."""
        for entry in entries:
            info = entry.info
            holder = self._holders.get((info.document, info.revision))
            is_file = holder is not None and os.path.isabs(holder)
            if holder is None or holder == name or holder in self._changing or (is_file and not os.path.lexists(holder)):
                continue
            where = os.path.basename(holder) if is_file else "a document of Andon's own"
            named = f"{info.document} revision {info.revision}" if info.revision not in ("", "-") else info.document
            return f"it says it is {named}, which {where} is already, with other content"
        return ""

    def _quarantine(self, job: Job, reason: str) -> None:
        """What was read from this file before stays in force; a file that was overwritten badly must not take a
        procedure away."""
        for path in (job.path, *self._followers.get(job.content_hash, ())):
            before = self._known.get(discovery.key(path))
            self.quarantined.append((discovery.text_of(path), reason))
            self._remember(path, job, before[2] if before else "", before[3] if before else "", reason)

    def _remember(self, path: Path, job: Job, document: str, revision: str, reason: str) -> None:
        stamp = job.stamp if path == job.path else discovery.stamp(path, self._equipment, self._revision, self._given)
        self._rows.append((discovery.key(path), job.content_hash, stamp, document, revision, reason))

    def flush(self) -> None:
        """Makes the batch searchable, then remembers its files in one transaction."""
        batch, self._batch = self._batch, []
        if batch:
            self._index.add_many([e for _, entries in batch for e in entries])
        for outcome, entries in batch:
            name = discovery.key(outcome.job.path)
            before = self._known.get(name)
            (self.updated if before and not before[4] else self.added).append(str(outcome.job.path))
            self._drop_what_it_was(name, {e.info.document for e in entries})
            first = entries[0].info
            self._remember(outcome.job.path, outcome.job, first.document, first.revision, "")
            for path in self._followers.get(outcome.job.content_hash, ()):
                self.duplicates.append((str(path), str(outcome.job.path)))
                self._drop_what_it_was(discovery.key(path), {e.info.document for e in entries})
                self._remember(path, outcome.job, first.document, first.revision, "")
            self.passages += sum(len(e.passages) for e in entries)
            self.alarms += sum(len(e.alarms) for e in entries)
        rows, self._rows = self._rows, []
        if rows:
            self._index.catalogue.set_sources(rows)
            self._known |= {row[0]: (row[1], row[2], row[3], row[4], row[5]) for row in rows}

    def _drop_what_it_was(self, name: str, documents: set[str]) -> None:
        """A file that has become another document takes the old one with it; an older revision of the same one stays."""
        for document, revision in sorted(self._held.get(name, ())):
            if document not in documents and self._holders.get((document, revision)) == name:
                self._index.remove(document, revision)
                del self._holders[(document, revision)]

    # -- after reading ---------------------------------------------------------------------------------------------

    def vanished(self, paths: Sequence[Path], found: discovery.Found, prune: bool) -> tuple[list[str], list[str]]:
        """(files gone from these folders, documents retired for it). A folder in which nothing is left is taken for one
        that is not mounted: nothing of it is retired."""
        gone: list[str] = []
        retired: list[str] = []
        for root in sorted({discovery.key(path) for path in paths if path.is_dir()}):
            below = root.rstrip(os.sep) + os.sep
            names = sorted(name for name in self._gone_names if name.startswith(below) and name not in gone)
            empty = not any(discovery.key(path).startswith(below) for path in found.files)
            for name in names:
                if self._known[name][4] and not self._held.get(name):
                    self._index.catalogue.forget_source(name)  # it was never in; there is nothing to tell
                    continue
                gone.append(name)
                if prune and not empty:
                    retired += self._retire(name)
        return gone, retired

    def _retire(self, name: str) -> list[str]:
        retired: list[str] = []
        heirs = {known[2:4]: path for path, known in self._known.items() if path not in self._gone_names and not known[4]}
        for document, revision in sorted(self._held.get(name, ())):
            if self._holders.get((document, revision)) != name:
                continue
            heir = heirs.get((document, revision))
            if heir is None:
                self._index.retire(document, revision)
                retired.append(document if revision in ("", "-") else f"{document}@{revision}")
            else:  # a copy of it lies elsewhere, and stands for it from now on
                self._index.catalogue.move_source(name, heir, self._known[heir][1])
        self._index.catalogue.forget_source(name)
        return retired
