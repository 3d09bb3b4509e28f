"""Reading files in killable processes: a parser that hangs, eats memory or crashes costs only its file.

Outcomes come in the order of the jobs, however many processes read, so that a run which was killed and one which was
not leave the same behind (`tests/test_ingest_kill.py`). Limits a file: processor time and memory in the process itself
(`ingest/worker.py`), and this one on the clock, which a loaded machine must not reach.
"""

from __future__ import annotations

import logging
import os
import pickle
import queue
import select
import signal
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from ingest import worker
from ingest.discovery import LARGEST_BYTES
from ingest.worker import Job, Limits, Outcome

log = logging.getLogger(__name__)

FILE_SECONDS = 900.0
#: An answer longer than this is no reading of a document.
_LARGEST_ANSWER_BYTES = 600_000_000
#: Files that may be read ahead of the slowest.
_AHEAD = 64


def read_all(jobs: Sequence[Job], workers: int, file_seconds: float, limits: Limits) -> Iterator[Outcome]:
    """One outcome a job, in their order, from `workers` reading processes."""
    waiting: queue.SimpleQueue[tuple[int, Job] | None] = queue.SimpleQueue()
    for numbered in enumerate(jobs):
        waiting.put(numbered)
    for _ in range(workers):
        waiting.put(None)
    results: queue.SimpleQueue[tuple[int, Outcome] | None] = queue.SimpleQueue()
    room = threading.Semaphore(_AHEAD)
    stop = threading.Event()

    def feed() -> None:
        reader = _Reader(file_seconds, limits)
        try:
            while True:
                room.acquire()
                numbered = None if stop.is_set() else waiting.get()
                if numbered is None:
                    return
                place, job = numbered
                results.put((place, _outcome(job, reader)))
        finally:
            room.release()
            reader.close()
            results.put(None)

    threads = [threading.Thread(target=feed, name="reading", daemon=True) for _ in range(workers if jobs else 0)]
    for thread in threads:
        thread.start()
    done: dict[int, Outcome] = {}
    turn, running = 0, len(threads)
    try:
        while running or done:
            while turn in done:
                yield done.pop(turn)
                turn += 1
                room.release()
            if not running:
                break
            result = results.get()
            if result is None:
                running -= 1
            else:
                done[result[0]] = result[1]
    finally:
        stop.set()
        for _ in threads:
            room.release()
        for thread in threads:
            thread.join()


def _outcome(job: Job, reader: _Reader) -> Outcome:
    try:
        return _unfit(job) or reader.read(job)
    except Exception as error:  # whatever it is, the other files are still read; this one is tried again next time
        log.exception("reading %r", job.path)
        return Outcome(job, reason=f"its reader failed ({type(error).__name__})")


def _unfit(job: Job) -> Outcome | None:
    """The reason why a file is not opened at all."""
    try:
        size = os.stat(job.path).st_size
    except OSError as error:
        return Outcome(job, reason=f"it cannot be read: {error.strerror}")
    if size > LARGEST_BYTES:
        return Outcome(job, reason=f"the file is larger than {LARGEST_BYTES // 1_000_000} MB")
    return None


class _Reader:
    """One reading process, started when first needed and again after it was killed."""

    def __init__(self, file_seconds: float, limits: Limits) -> None:
        self._seconds = file_seconds
        self._limits = limits
        self._process: subprocess.Popen[bytes] | None = None

    def read(self, job: Job) -> Outcome:
        if self._process is None or self._process.poll() is not None:
            self.close()
            self._process = _start(self._limits)
        process = self._process
        assert process.stdin is not None
        outcome: object | None
        try:
            worker.send(process.stdin, job)
            outcome = self._receive(process)
        except (OSError, EOFError, pickle.UnpicklingError):
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
        """The answer, None when it does not come in time. Raises EOFError when the process ended."""
        assert process.stdout is not None
        deadline = time.monotonic() + self._seconds
        raw, size = bytearray(), 8
        head = True
        waiting = select.poll()  # select() knows no descriptor above 1,023
        waiting.register(process.stdout, select.POLLIN)
        while True:
            left = deadline - time.monotonic()
            if left <= 0 or not waiting.poll(left * 1000):
                return None
            chunk = os.read(process.stdout.fileno(), min(size - len(raw), 1 << 20))
            if not chunk:
                process.wait(5)
                raise EOFError
            raw += chunk
            if len(raw) == size and head:
                (size,) = struct.unpack(">Q", bytes(raw))
                if size > _LARGEST_ANSWER_BYTES:
                    return None
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


def _start(limits: Limits) -> subprocess.Popen[bytes]:
    root = str(Path(__file__).resolve().parent.parent)
    paths = [root, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "-m", "ingest.worker", str(limits.memory_bytes), str(limits.cpu_s)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment, bufsize=0,
    )  # fmt: skip
