"""Free SQL in a process of its own, which can be killed.

An SQLite statement can spend seconds inside one step, where neither a progress handler nor an interrupt reaches it. A
person's own SQL therefore runs in a child with low priority and bounded memory, started once and kept warm; the parent
kills it when it overruns its deadline, and the next statement starts another. The two speak in marshal frames: plain
values only, nothing that could run code in the parent.
"""

from __future__ import annotations

import marshal
import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tools.sql.sqlite import EngineFailure, SqliteSession, bindable
from tools.sql.values import Reach

GRACE_S = 0.5
MEMORY_BYTES = 1_000_000_000
HEAP_BYTES = 256_000_000
_ROOT = Path(__file__).resolve().parents[2]
# The child needs no parser: entering the package by its door would load sqlglot, most of its time to start.
_START = """
import sys, types
sys.path.insert(0, sys.argv[1])
package = types.ModuleType("tools.sql")
package.__path__ = [sys.argv[1] + "/tools/sql"]
sys.modules["tools.sql"] = package
from tools.sql.child import serve
serve(sys.argv[2])
"""


class SqliteChild:
    """The parent's end: one statement at a time, killed at its deadline."""

    def __init__(self, path: str | Path) -> None:
        self.path = str(path)
        self.lock = threading.Lock()
        self.process: subprocess.Popen[bytes] | None = None

    def run(
        self,
        sql: str,
        parameters: Mapping[str, object],
        reach: Reach,
        max_rows: int,
        deadline_s: float,
        settings: Mapping[str, object] | None = None,
    ) -> tuple[tuple[str, ...], list[tuple[object, ...]]]:
        """As SqliteSession.run; EngineFailure("timeout") also when the child had to be killed."""
        if not self.lock.acquire(timeout=deadline_s):
            raise EngineFailure("busy")
        try:
            process = self._started()
            reads = {table: sorted(columns) for table, columns in reach.reads.items()}
            values = {name: bindable(value) for name, value in parameters.items()}
            request = (sql, values, reads, sorted(reach.derived), max_rows, deadline_s)
            answer, killed = self._ask(process, request, deadline_s + GRACE_S)
            if answer is None:
                self._stop()
                raise EngineFailure("timeout" if killed else "too_large")
            if isinstance(answer, str):
                raise EngineFailure(answer)
            columns, rows = answer
            return tuple(columns), rows
        finally:
            self.lock.release()

    def _ask(self, process: subprocess.Popen[bytes], request: Any, wait_s: float) -> tuple[Any, bool]:
        assert process.stdin is not None
        assert process.stdout is not None
        killed = threading.Event()

        def kill() -> None:
            killed.set()
            process.kill()

        timer = threading.Timer(wait_s, kill)
        timer.daemon = True
        timer.start()
        try:
            marshal.dump(request, process.stdin)
            process.stdin.flush()
            return marshal.load(process.stdout), False
        except (EOFError, BrokenPipeError, ValueError, TypeError):
            return None, killed.is_set()
        finally:
            timer.cancel()

    def _started(self) -> subprocess.Popen[bytes]:
        if self.process is None or self.process.poll() is not None:
            self.process = subprocess.Popen(
                [sys.executable, "-c", _START, str(_ROOT), self.path],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={name: os.environ[name] for name in ("PATH", "LANG", "SYSTEMROOT") if name in os.environ},
            )
            # Ready when it says so, so that starting does not eat into the statement's own time.
            ready, killed = self._ask(self.process, None, 30.0)
            if ready != "ready":
                self._stop()
                raise EngineFailure("timeout" if killed else str(ready or "cannot_open"))
        return self.process

    def _stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            for pipe in (self.process.stdin, self.process.stdout):
                if pipe is not None:
                    pipe.close()
            self.process = None

    def close(self) -> None:
        with self.lock:
            self._stop()


def serve(path: str) -> None:
    """The child's whole life: open the file, answer frames until the parent is gone."""
    _humble()
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    session: SqliteSession | None = None
    while True:
        try:
            request = marshal.load(source)
        except (EOFError, ValueError):
            return
        answer: object
        try:
            if session is None:
                session = SqliteSession(path)
                session.connection.set_authorizer(None)
                session.connection.execute(f"PRAGMA hard_heap_limit = {HEAP_BYTES}")
            if request is None:
                answer = "ready"
            else:
                sql, parameters, reads, derived, max_rows, deadline_s = request
                reach = Reach({table: frozenset(columns) for table, columns in reads.items()}, frozenset(derived))
                columns, rows = session.run(sql, parameters, reach, max_rows, deadline_s)
                answer = (columns, rows)
        except EngineFailure as failure:
            answer = failure.kind
        except MemoryError:
            answer = "too_large"
        marshal.dump(answer, sink)
        sink.flush()


def _humble() -> None:
    """Low priority, bounded memory and no new files; what the platform lacks is left out."""
    try:
        import resource
    except ImportError:
        return
    os.nice(10)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
