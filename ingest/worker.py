"""One reading process: takes jobs from its standard input and writes what it read to its standard output.

A file can hang, eat memory or crash a parser; here it takes this process with it and nothing else. Frames are a
length (8 bytes) and a pickle; the receiving end builds nothing but our own values from it, since a file may have
taken this process over. `ingest/reading.py` starts, times and kills these processes.
"""

from __future__ import annotations

import contextlib
import ctypes
import io
import os
import pickle
import resource
import signal
import struct
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

from ingest import describe, logs
from ingest.discovery import is_nameable, plain
from ingest.readers import UnreadableFile, read
from ingest.split import MOST_PASSAGES, TOO_MUCH, split
from retrieval.passages import AlarmEntry, DocumentInfo, Passage


@dataclass(frozen=True)
class Limits:
    """What one file may take of a reading process: address space in bytes, processor time in seconds."""

    memory_bytes: int = 3 << 30
    cpu_s: int = 120


@dataclass(frozen=True)
class Job:
    """One file to read; `fallback` is its document id when nothing else names one, `stamp` says what it was when the
    job was made."""

    path: Path
    content_hash: str
    fallback: str
    equipment: str | None = None
    revision: str | None = None
    stamp: str = ""
    given: tuple[tuple[str, str], ...] = ()  # further facts given for all files of a run


@dataclass(frozen=True)
class Outcome:
    """What became of a job: documents with their passages and alarm entries, or the reason it was not read."""

    job: Job
    documents: tuple[tuple[DocumentInfo, list[Passage], list[AlarmEntry]], ...] = ()
    reason: str = ""


def run(job: Job) -> Outcome:
    """Reads and splits one file; every failure of the file itself is a reason, not an exception."""
    if not is_nameable(job.path):
        return Outcome(job, reason="its name is not valid UTF-8")
    try:
        content = read(job.path)
        info = describe.describe(content, job.path, job.fallback, job.content_hash, job.equipment, job.revision, job.given)
        document = plain(info.document) or job.content_hash[:12]
        info = replace(info, document=document, title=plain(info.title) or document)
        rows = logs.rows_of(content)
        documents: tuple[tuple[DocumentInfo, list[Passage], list[AlarmEntry]], ...]
        if rows:
            documents = tuple((i, p, []) for i, p in logs.documents(rows, info))
        else:
            passages, alarms = split(content, info, describe.list_hint(job.path))
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
    passages_held = sum(len(p) for _, p, _ in documents)
    if not passages_held:
        return Outcome(job, reason="the file holds no text")
    if passages_held > MOST_PASSAGES:
        return Outcome(job, reason=TOO_MUCH)
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


#: All that an outcome is made of; a pickle may otherwise name any function of any module.
_OURS = {
    ("ingest.worker", "Job"), ("ingest.worker", "Outcome"), ("pathlib", "PosixPath"), ("datetime", "date"),
    ("retrieval.passages", "DocumentInfo"), ("retrieval.passages", "Passage"), ("retrieval.passages", "Anchor"),
    ("retrieval.passages", "AlarmEntry"),
}  # fmt: skip


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _OURS:
            raise pickle.UnpicklingError(f"{module}.{name} is no part of an outcome")
        return super().find_class(module, name)


def unpacked(raw: bytes) -> object:
    """The value in a frame. Raises pickle.UnpicklingError when it names anything but our own values."""
    return _Unpickler(io.BytesIO(raw)).load()


def _end_with_parent() -> None:
    """Linux ends this process when the one that started it is gone, however that one ended (PR_SET_PDEATHSIG)."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None, use_errno=True).prctl(1, signal.SIGKILL, 0, 0, 0)


def main() -> None:
    limits = Limits(*map(int, sys.argv[1:3]))
    resource.setrlimit(resource.RLIMIT_AS, (limits.memory_bytes, limits.memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 28, 1 << 28))  # room for the pages of a scan, not for a disk
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
        resource.setrlimit(resource.RLIMIT_CPU, (spent + limits.cpu_s, resource.RLIM_INFINITY))  # ends this process
        send(out, run(job))


if __name__ == "__main__":
    # Under "-m" this module is __main__; its classes must pickle under their own name.
    from ingest.worker import main as named_main

    named_main()
