"""One reading process: takes jobs from its standard input and writes what it read to its standard output.

A file can hang, eat memory or crash a parser; here it takes this process with it and nothing else. Frames are a
length (8 bytes) and a pickle; both ends are ours. `ingest/pipeline.py` starts, times and kills these processes.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import pickle
import resource
import signal
import struct
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from ingest import describe, logs
from ingest.readers import UnreadableFile, read
from ingest.split import split
from retrieval.passages import AlarmEntry, DocumentInfo, Passage

MEMORY_BYTES = 3 << 30
CPU_SECONDS = 120


@dataclass(frozen=True)
class Job:
    """One file to read; `fallback` is its document id when nothing else names one."""

    path: Path
    content_hash: str
    fallback: str
    equipment: str | None = None
    revision: str | None = None


@dataclass(frozen=True)
class Outcome:
    """What became of a job: documents with their passages and alarm entries, or the reason it was not read."""

    job: Job
    documents: tuple[tuple[DocumentInfo, list[Passage], list[AlarmEntry]], ...] = ()
    reason: str = ""


def run(job: Job) -> Outcome:
    """Reads and splits one file; every failure of the file itself is a reason, not an exception."""
    try:
        content = read(job.path)
        info = describe.describe(content, job.path, job.fallback, job.content_hash, job.equipment, job.revision)
        rows = logs.rows_of(content)
        documents: tuple[tuple[DocumentInfo, list[Passage], list[AlarmEntry]], ...]
        if rows:
            documents = tuple((i, p, []) for i, p in logs.documents(rows, info))
        else:
            passages, alarms = split(content, info)
            documents = ((info, passages, alarms),)
    except UnreadableFile as error:
        return Outcome(job, reason=str(error))
    except MemoryError:
        return Outcome(job, reason="reading it needs more memory than is allowed")
    except RecursionError:
        return Outcome(job, reason="it is nested too deeply")
    except OSError as error:
        return Outcome(job, reason=f"it cannot be read: {error.strerror or error}")
    except Exception as error:  # a parser's own fault on a hostile file must not stop the others
        return Outcome(job, reason=f"its reader failed ({type(error).__name__})")
    if not any(p for _, p, _ in documents):
        return Outcome(job, reason="the file holds no text")
    return Outcome(job, documents)


def send(stream: IO[bytes], value: object) -> None:
    raw = pickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL)
    stream.write(struct.pack(">Q", len(raw)) + raw)
    stream.flush()


def receive(stream: IO[bytes]) -> object | None:
    """The next value, None at the end of the stream."""
    head = stream.read(8)
    if len(head) < 8:
        return None
    (size,) = struct.unpack(">Q", head)
    raw = stream.read(size)
    return pickle.loads(raw) if len(raw) == size else None


def unpacked(raw: bytes) -> object:
    return pickle.loads(raw)


def _end_with_parent() -> None:
    """Linux ends this process when the one that started it is gone, however that one ended (PR_SET_PDEATHSIG)."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None, use_errno=True).prctl(1, signal.SIGKILL, 0, 0, 0)


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.nice(5)  # serving comes first
    _end_with_parent()
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints must not get between the frames
    while True:
        job = receive(sys.stdin.buffer)
        if not isinstance(job, Job):
            return
        used = resource.getrusage(resource.RUSAGE_SELF)
        spent = int(used.ru_utime + used.ru_stime) + 1
        resource.setrlimit(resource.RLIMIT_CPU, (spent + CPU_SECONDS, resource.RLIM_INFINITY))  # ends this process
        send(out, run(job))


if __name__ == "__main__":
    # Under "-m" this module is __main__; its classes must pickle under their own name.
    from ingest.worker import main as named_main

    named_main()
