"""One process that imports what ingest needs and forks a child for each run; a child can kill itself before its n-th
step of storing (vectors, words, catalogue, sources), be killed from outside, or find the disk full. Started by
tests/test_ingest_kill.py.

Reads JSON lines `{index, folder, told, step | after_s | bytes, tell}`; writes `{status}` and, into the file `told`,
`{steps, error, content}`.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from ingest import pipeline, worker
from ingest.pipeline import IngestError, ingest
from retrieval.embed import HashEmbedder
from retrieval.index import Index, RetrievalError

QUERIES = ("clearance gauge 7 press", "fault E-103", "oil change", "bearing replaced after noise", "torque")
#: What changes a store, in whichever of them; reading does not matter to a crash.
_STORING = ("add", "remove", "change", "put", "drop", "retire", "set_meta", "set_source", "set_sources", "move_source", "forget_source")


def counted(index: Index, kill_before: int | None) -> Callable[[], int]:
    """Numbers every call to the index's stores; the process dies before the one asked for."""
    steps = 0

    def wrapped(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            nonlocal steps
            steps += 1
            if steps == kill_before:
                os.kill(os.getpid(), signal.SIGKILL)
            return function(*arguments, **named)

        return call

    for part in vars(index).values():
        if type(part).__module__.startswith("retrieval."):
            for name in dir(type(part)):
                if name in _STORING and callable(getattr(part, name)):
                    setattr(part, name, wrapped(getattr(part, name)))
    return lambda: steps


def content(index: Index, home: Path) -> dict[str, Any]:
    """All that an index holds, without what only counts changes (generations)."""
    held: dict[str, Any] = {}
    db = sqlite3.connect(home / "catalogue.sqlite")
    for table in ("documents", "passages", "alarms", "mentions", "sources"):
        columns = [row[1] for row in db.execute(f"PRAGMA table_info({table})") if row[1] != "generation"]
        held[table] = sorted(map(repr, db.execute(f"SELECT {', '.join(columns)} FROM {table}").fetchall()))
    db.close()
    held["statuses"] = sorted([i.document, i.revision, i.status, i.reason] for i in index.documents())
    held["found"] = {q: sorted([h.passage.id, round(h.score, 6)] for h in index.search(q, k=8)) for q in QUERIES}
    return held


def _here(jobs: Sequence[worker.Job], *_: Any) -> Iterator[worker.Outcome]:
    """Reading without a process of its own, where reading is not what is killed."""
    yield from map(worker.run, jobs)


def child(order: dict[str, Any]) -> None:
    pipeline._BATCH_PASSAGES = 60  # several batches from few documents
    if "after_s" not in order:
        pipeline.read_all = _here  # type: ignore[assignment]
    if "bytes" in order:
        resource.setrlimit(resource.RLIMIT_FSIZE, (order["bytes"], resource.RLIM_INFINITY))
    steps: Callable[[], int] = lambda: 0  # noqa: E731
    told: dict[str, Any] = {"error": ""}
    home, folder = Path(order["index"]), Path(order["folder"])
    try:
        index = Index.open(home, HashEmbedder(64))
        index.search(QUERIES[0])  # whatever the last run left, it answers
        steps = counted(index, order.get("step"))
        ingest([folder], index, workers=1, prune=True)
    except (IngestError, RetrievalError) as stopped:
        told["error"] = str(stopped)
    told["steps"] = steps()
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    if order.get("tell"):
        told["unchanged"] = len(ingest([folder], index).unchanged)
        told["content"] = content(index, home)
    Path(order["told"]).write_text(json.dumps(told))


def main() -> None:
    for line in sys.stdin:
        order = json.loads(line)
        pid = os.fork()
        if not pid:
            os.setsid()
            status = 1
            try:
                child(order)
                status = 0
            except BaseException as error:
                sys.stderr.write(f"{type(error).__name__}: {error}\n")
            finally:
                os._exit(status)
        if "after_s" in order:
            time.sleep(order["after_s"])
            os.kill(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
        sys.stdout.write(json.dumps({"status": os.waitstatus_to_exitcode(status)}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
