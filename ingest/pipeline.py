"""Files into the index: discover, read, split, embed, add; the same files again cost nothing.

Reading runs in killable processes under limits of time and memory; a file that cannot be read is quarantined with the
reason and the rest goes in. What was done is remembered file by file after it is searchable, so a run that was killed
is completed by the next one (`tests/test_pipeline.py`).
"""

from __future__ import annotations

import hashlib
import os
import queue
import re
import select
import signal
import struct
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ingest import worker
from ingest.describe import hint_path
from ingest.worker import Job, Outcome
from retrieval.index import Entry, Index, RetrievalError

Progress = Callable[[int, int, str], None]

# Two limits a file: processor time (in the reading process itself) and this one on the clock, which a loaded machine
# must not reach.
FILE_SECONDS = 900.0
_BATCH_PASSAGES = 400
_LARGEST_BYTES = 400_000_000
# Reasons that lie in the moment rather than in the file; the next run tries again.
_TRANSIENT = re.compile(r"reading it (took|needs)|its reader (crashed|failed)|it cannot be read")
_SKIPPED_NAMES = frozenset(("license", "license.md", "license.txt", "copying", "thumbs.db", "desktop.ini"))


class IngestError(Exception):
    """Ingest as a whole could not go on; the text is one sentence. Single bad files are quarantined instead."""


@dataclass(frozen=True)
class IngestReport:
    """What a run did. Paths as given or found; `quarantined` pairs each with its reason."""

    added: tuple[str, ...]
    updated: tuple[str, ...]
    unchanged: tuple[str, ...]
    quarantined: tuple[tuple[str, str], ...]
    seconds: float
    passages: int
    alarms: int


def ingest(
    paths: Sequence[Path],
    index: Index,
    *,
    equipment: str | None = None,
    revision: str | None = None,
    progress: Progress | None = None,
    workers: int = 2,
    file_seconds: float = FILE_SECONDS,
) -> IngestReport:
    """Adds or updates every file under `paths`. Raises IngestError when a path does not exist or the index cannot be
    written; what was added before stays added, and the next run goes on from there."""
    started = time.monotonic()
    files = discover(paths)
    known = index.catalogue.sources()
    jobs, unchanged, still_bad = _jobs(files, index, equipment, revision)
    run = _Run(index, known, progress, len(jobs))
    run.quarantined += still_bad
    try:
        for outcome in _read_all(jobs, max(1, min(workers, 1 + len(jobs) // 4)), file_seconds):
            run.take(outcome)
        run.flush()
    except RetrievalError as error:
        raise IngestError(str(error)) from error
    return IngestReport(
        tuple(run.added), tuple(run.updated), tuple(unchanged), tuple(run.quarantined),
        round(time.monotonic() - started, 3), run.passages, run.alarms,
    )  # fmt: skip


def discover(paths: Sequence[Path]) -> list[Path]:
    """Every file under `paths`, sorted; hidden ones, licences, hints and links are left out."""
    found: list[Path] = []
    for path in paths:
        if path.is_file():
            found.append(path)
        elif path.is_dir():
            for folder, names, files in os.walk(path):
                names[:] = sorted(n for n in names if not n.startswith("."))
                found += [Path(folder) / name for name in sorted(files)]
        else:
            raise IngestError(f"There is no file or folder {path}.")
    there = set(found)
    return [p for p in dict.fromkeys(found) if p in paths or not _is_beside_the_point(p, there)]


def _is_beside_the_point(path: Path, there: set[Path]) -> bool:
    hint = path.suffix == ".yaml" and path.with_suffix("") in there and path.with_suffix("").suffix != ""
    return hint or path.name.startswith((".", "~$")) or path.name.lower() in _SKIPPED_NAMES or path.is_symlink() or not path.is_file()


def _jobs(
    files: Sequence[Path], index: Index, equipment: str | None, revision: str | None
) -> tuple[list[Job], list[str], list[tuple[str, str]]]:
    """What has to be read, what is as it was (by size and time, else by content), and what is as bad as it was."""
    known = index.catalogue.sources()
    stems = Counter(p.stem.casefold() for p in files)
    elsewhere = {Path(p).stem.casefold(): p for p in known}
    jobs: list[Job] = []
    unchanged: list[str] = []
    still_bad: list[tuple[str, str]] = []
    same: list[tuple[str, str, str, str, str, str]] = []
    for path in files:
        name = str(path.resolve())
        before, stamp = known.get(name), _stamp(path, equipment, revision)
        if before and before[1] == stamp and not _TRANSIENT.match(before[4]):
            if before[4]:
                still_bad.append((str(path), before[4]))
            else:
                unchanged.append(str(path))
            continue
        digest = _content_hash(path, equipment, revision)
        if before and before[0] == digest and not before[4]:
            unchanged.append(str(path))
            same.append((name, digest, stamp, before[2], before[3], ""))
            continue
        twin = stems[path.stem.casefold()] > 1 or elsewhere.get(path.stem.casefold(), name) != name
        fallback = f"{path.resolve().parent.name}-{path.stem}" if twin else path.stem
        jobs.append(Job(path, digest, fallback, equipment, revision))
    if same:
        index.catalogue.set_sources(same)
    return jobs, unchanged, still_bad


def _stamp(path: Path, equipment: str | None, revision: str | None) -> str:
    parts = [f"{equipment}|{revision}"]
    for file in (path, hint_path(path)):
        if file.exists():
            status = file.stat()
            parts.append(f"{status.st_size}:{status.st_mtime_ns}")
    return "|".join(parts)


def _content_hash(path: Path, equipment: str | None, revision: str | None) -> str:
    digest = hashlib.sha256(f"{equipment}|{revision}|".encode())
    for file in (path, hint_path(path)):
        if file.is_file():
            try:
                with file.open("rb") as stream:
                    while chunk := stream.read(1 << 20):
                        digest.update(chunk)
            except OSError:
                digest.update(b"unreadable")  # its reader will say why
    return digest.hexdigest()


class _Run:
    """Gathers outcomes into batches, adds them and remembers each file once it is searchable."""

    def __init__(
        self, index: Index, known: dict[str, tuple[str, str, str, str, str]], progress: Progress | None, total: int
    ) -> None:
        self._index, self._known, self._progress, self._total = index, known, progress, total
        self._batch: list[tuple[Outcome, list[Entry]]] = []
        self._done = 0
        self.added: list[str] = []
        self.updated: list[str] = []
        self.quarantined: list[tuple[str, str]] = []
        self.passages = self.alarms = 0

    def take(self, outcome: Outcome) -> None:
        path = outcome.job.path
        self._done += 1
        if outcome.reason:
            self.quarantined.append((str(path), outcome.reason))
            self._remember(outcome, "", "", outcome.reason)
        else:
            self._batch.append((outcome, [Entry(*document) for document in outcome.documents]))
            if sum(len(e.passages) for _, entries in self._batch for e in entries) >= _BATCH_PASSAGES:
                self.flush()
        if self._progress:
            self._progress(self._done, self._total, str(path))

    def flush(self) -> None:
        if not self._batch:
            return
        batch, self._batch = self._batch, []
        self._index.add_many([e for _, entries in batch for e in entries])
        for outcome, entries in batch:
            name = str(outcome.job.path.resolve())
            before = self._known.get(name)
            (self.updated if before and not before[4] else self.added).append(str(outcome.job.path))
            if before and before[2] and before[2] not in {e.info.document for e in entries}:
                self._index.remove(before[2], before[3])  # the file has become another document
            self._remember(outcome, entries[0].info.document, entries[0].info.revision, "")
            self.passages += sum(len(e.passages) for e in entries)
            self.alarms += sum(len(e.alarms) for e in entries)

    def _remember(self, outcome: Outcome, document: str, revision: str, reason: str) -> None:
        job = outcome.job
        stamp = _stamp(job.path, job.equipment, job.revision) if job.path.exists() else ""
        self._index.catalogue.set_source(str(job.path.resolve()), job.content_hash, stamp, document, revision, reason)


def _read_all(jobs: Sequence[Job], workers: int, file_seconds: float) -> Iterator[Outcome]:
    """Outcomes as they come, from `workers` reading processes; a process that hangs or dies costs only its file."""
    waiting: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
    for job in jobs:
        waiting.put(job)
    for _ in range(workers):
        waiting.put(None)
    results: queue.Queue[Outcome | None] = queue.Queue(maxsize=4 * workers)
    stop = threading.Event()

    def feed() -> None:
        reader = _Reader(file_seconds)
        try:
            while not stop.is_set() and (job := waiting.get()) is not None:
                results.put(_too_large(job) or reader.read(job))
        finally:
            reader.close()
            results.put(None)

    threads = [threading.Thread(target=feed, daemon=True) for _ in range(workers if jobs else 0)]
    for thread in threads:
        thread.start()
    try:
        running = len(threads)
        while running:
            outcome = results.get()
            if outcome is None:
                running -= 1
            else:
                yield outcome
    finally:
        stop.set()
        while any(t.is_alive() for t in threads):  # let a feeder that waits for room finish
            try:
                results.get(timeout=0.05)
            except queue.Empty:
                continue


def _too_large(job: Job) -> Outcome | None:
    try:
        size = job.path.stat().st_size
    except OSError as error:
        return Outcome(job, reason=f"it cannot be read: {error.strerror}")
    if size > _LARGEST_BYTES:
        return Outcome(job, reason=f"the file is larger than {_LARGEST_BYTES // 1_000_000} MB")
    return None


class _Reader:
    """One reading process, started when first needed and again after it was killed."""

    def __init__(self, file_seconds: float) -> None:
        self._seconds = file_seconds
        self._process: subprocess.Popen[bytes] | None = None

    def read(self, job: Job) -> Outcome:
        if self._process is None or self._process.poll() is not None:
            self._process = _start()
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            worker.send(process.stdin, replace(job))
            outcome = self._receive(process)
        except (OSError, EOFError):
            outcome = None
        if isinstance(outcome, Outcome):
            return outcome
        slow = process.poll() is None
        self.close()
        if slow:
            return Outcome(job, reason=f"reading it took longer than {self._seconds:.0f} s")
        busy = process.returncode == -signal.SIGXCPU
        return Outcome(job, reason="reading it took too much processor time" if busy else "its reader crashed")

    def _receive(self, process: subprocess.Popen[bytes]) -> object | None:
        """The answer, None when it does not come in time."""
        assert process.stdout is not None
        deadline = time.monotonic() + self._seconds
        raw, size = bytearray(), 8
        head = True
        while True:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([process.stdout], [], [], left)[0]:
                return None
            chunk = os.read(process.stdout.fileno(), min(size - len(raw), 1 << 20))
            if not chunk:
                process.wait(5)
                raise EOFError
            raw += chunk
            if len(raw) == size and head:
                (size,) = struct.unpack(">Q", bytes(raw))
                raw, head = bytearray(), False
            elif len(raw) == size:
                return worker.unpacked(bytes(raw))

    def close(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            for stream in (self._process.stdin, self._process.stdout):
                if stream is not None:
                    stream.close()
            self._process = None


def _start() -> subprocess.Popen[bytes]:
    root = str(Path(__file__).resolve().parent.parent)
    paths = [root, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "-m", "ingest.worker"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, env=environment, bufsize=0,
    )  # fmt: skip
