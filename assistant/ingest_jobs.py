"""Ingest beside a running service: the job is handed to the process that serves, which alone writes its index.

A job is a file in the state folder (whoever may write there is the host's administrator), its progress and its result
are files beside it; no port and no password is involved. Whoever holds the lock on the job's file runs it: when the
service dies in the middle, the command that waits takes the job over. tests/test_ingest_jobs.py kills a service.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import logging
import os
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from assistant.problems import Problem, Unavailable, translated
from assistant.serving import is_served
from ingest.pipeline import IngestReport, Progress, ingest
from retrieval.index import Index

log = logging.getLogger(__name__)

_LOOK_S = 0.3
#: A service that starts is busy for some seconds before it looks for jobs.
_TAKEN_S = 45.0
_KEPT_S = 86_400.0
#: The longest list of paths in a job; what a job file holds beyond is not read.
_LARGEST_JOB = 8_000_000


@dataclass(frozen=True)
class Order:
    """What to ingest: absolute paths, and the options of `andon ingest`."""

    paths: tuple[str, ...]
    equipment: str | None = None
    revision: str | None = None
    prune: bool = False
    leave: tuple[str, ...] = ()
    given: tuple[tuple[str, str], ...] = ()


def carry_out(order: Order, home: Path, index: Callable[[], Index], progress: Progress | None = None) -> IngestReport:
    """Ingest by the service when one runs on this home, else here. `index` is only called when it is done here.
    Raises Problem or what `ingest` raises."""
    if is_served(home):
        report = _handed_over(order, home, progress)
        if report is not None:
            return report
    return _run(order, index(), progress)


def _run(order: Order, index: Index, progress: Progress | None) -> IngestReport:
    return ingest(
        [Path(path) for path in order.paths], index, equipment=order.equipment, revision=order.revision,
        progress=progress, prune=order.prune, leave={Path(path) for path in order.leave}, given=order.given,
    )  # fmt: skip


def _handed_over(order: Order, home: Path, progress: Progress | None) -> IngestReport | None:
    """The service's report; None when the service ended before it was done, and the job is the caller's again."""
    folder = _folder(home)
    job = folder / f"{uuid.uuid4().hex}.job"
    _write(job, asdict(order))
    shown, given = None, time.monotonic()
    try:
        while True:
            if (result := _read(job.with_suffix(".result"))) is not None:
                break
            told = _read(job.with_suffix(".progress"))
            if progress is not None and told is not None and told != shown:
                shown = told
                progress(int(told["done"]), int(told["total"]), str(told["path"]))
            with _claimed(job) as mine:
                if mine and not is_served(home) and not job.with_suffix(".result").exists():
                    job.unlink()
                    return None
                ignored = mine and time.monotonic() - given > _TAKEN_S and len(list(folder.glob("*.job"))) == 1
            if ignored:
                raise Unavailable("The running service does not take ingest jobs; restart it and run this again.")
            time.sleep(_LOOK_S)
    finally:
        for suffix in (".job", ".progress", ".result"):
            left = job.with_suffix(suffix)
            left.unlink(missing_ok=True)
            left.with_name(f".{left.name}").unlink(missing_ok=True)  # of a service killed while it wrote
    if "error" in result:
        raise Unavailable(str(result["error"]))
    return _report(result["report"])


class IngestJobs:
    """The thread of a running service that does the jobs it is handed, one after the other."""

    def __init__(self, home: Path, index: Callable[[], Index]) -> None:
        self._home, self._index = home, index
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._work, name="ingest", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """No further job is begun; one under way goes on, and is completed by the next run when the process ends."""
        self._stop.set()

    def _work(self) -> None:
        while not self._stop.wait(_LOOK_S):
            try:
                self.do_waiting()
            except Exception:  # the next job must still be done
                log.exception("an ingest job failed")

    def do_waiting(self) -> int:
        """Does every job that waits; returns how many."""
        folder, done = _folder(self._home), 0
        for job in sorted(folder.glob("*.job"), key=_age):
            with _claimed(job) as mine:
                if mine:
                    self._do(job)
                    done += 1
        for old in folder.glob("*.result"):
            if time.time() - _age(old) > _KEPT_S:
                old.unlink(missing_ok=True)
        return done

    def _do(self, job: Path) -> None:
        told_at = 0.0

        def tell(done: int, total: int, path: str) -> None:
            nonlocal told_at
            if done == total or time.monotonic() - told_at > _LOOK_S:
                told_at = time.monotonic()
                _write(job.with_suffix(".progress"), {"done": done, "total": total, "path": path})

        result: dict[str, Any]
        try:
            order = _order(_read(job, _LARGEST_JOB))
            log.info("ingesting %d paths for a command", len(order.paths))
            result = {"report": asdict(_run(order, self._index(), tell))}
        except Exception as error:
            problem = translated(error)
            if type(problem) is Problem:
                log.exception("an ingest job failed")
            result = {"error": problem.sentence}
        _write(job.with_suffix(".result"), result)
        job.with_suffix(".progress").unlink(missing_ok=True)
        job.unlink(missing_ok=True)


def _folder(home: Path) -> Path:
    folder = home / "ingest"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


@contextmanager
def _claimed(job: Path) -> Iterator[bool]:
    """Whether the job is ours, for as long as the block runs; a job that was done meanwhile is nobody's."""
    try:
        handle = os.open(job, os.O_RDWR)
    except FileNotFoundError:
        yield False
        return
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield job.exists()
    finally:
        os.close(handle)


def _age(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _write(path: Path, value: Any) -> None:
    temporary = path.with_name(f".{path.name}")
    temporary.write_text(json.dumps(value), encoding="utf-8", errors="backslashreplace")
    temporary.replace(path)


def _read(path: Path, most: int = -1) -> Any:
    """The value in a file (of at most `most` bytes, where given), None when it is not there (yet)."""
    with contextlib.suppress(OSError, ValueError), path.open("rb") as file:
        return json.loads(file.read(most))
    return None


def _order(value: Any) -> Order:
    if not isinstance(value, dict) or not value.get("paths"):
        raise Unavailable("An ingest job in the state folder cannot be read; it was dropped.")
    return Order(
        tuple(map(str, value["paths"])), value.get("equipment"), value.get("revision"), bool(value.get("prune")),
        tuple(map(str, value.get("leave") or ())), tuple((str(name), str(fact)) for name, fact in value.get("given") or ()),
    )  # fmt: skip


def _report(value: dict[str, Any]) -> IngestReport:
    pairs = {"quarantined", "moved", "duplicates"}
    lists = {name: tuple(tuple(x) if name in pairs else x for x in found) for name, found in value.items() if isinstance(found, list)}
    return IngestReport(**{**value, **lists})
