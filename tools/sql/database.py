"""One plant database: the only executor there, gentle to it and deaf to its error texts.

A statement runs only after the first lock (`compile_statement`), only as the text that was checked, at most two at
once, under a deadline, and inside the engine's own lock. After repeated failures to reach the database the circuit
opens for a while, so that a plant's server in trouble is not asked once for each question.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol, TypeVar

from tools.registry import ToolError
from tools.sql.child import SqliteChild
from tools.sql.duck import DuckSession
from tools.sql.gate import Compiled, bound_parameters, compile_statement, parameter_shape
from tools.sql.postgres import PostgresSession
from tools.sql.sqlite import EngineFailure, SqliteSession
from tools.sql.values import (
    ColumnInfo,
    Decision,
    Grants,
    Reach,
    Rows,
    SqlRefused,
    SqlTimeout,
    SqlUnavailable,
    Statement,
)

T = TypeVar("T")
AT_ONCE = 2
STREAM_BATCH = 5_000
CACHED_VERDICTS = 1_024
FAILURES_TO_OPEN = 3
OPEN_S = 10.0

# One sentence for each class of failure; a class without one is a plain failure.
_SENTENCES: Mapping[str, str] = {
    "failed": "The database could not run this statement.",
    "locked": "The plant database is locked by another program.",
    "cannot_open": "The plant database cannot be opened.",
    "not_a_database": "The plant database file is not a database.",
    "damaged": "The plant database is damaged.",
    "storage": "The plant database cannot be read from its disk.",
    "too_large": "The statement needs more memory than it may use.",
    "changed": "The plant database no longer has a table or column that the plant model names.",
    "connection": "The connection to the plant database was lost.",
    "no_such_function": "The plant database does not have a function that the statement uses.",
    "conversion": "A value in the data does not have the type that the statement needs.",
    "arithmetic": "A number in the statement divides by zero or is out of range.",
    "too_costly": "The statement would read too much of the plant database.",
    "busy": "The plant database is busy with other questions.",
    "superuser": "The plant database was opened with a superuser's role; give Andon a role that can only read.",
    "open_circuit": "The plant database did not answer repeatedly and is left alone for a few seconds.",
    "driver": "The driver for this kind of database is not installed.",
}
_UNREACHABLE = frozenset({"cannot_open", "connection", "storage", "not_a_database", "damaged"})
_UNTESTED = {
    "mysql": "MySQL",
    "mariadb": "MariaDB",
    "mssql": "SQL Server",
    "sqlserver": "SQL Server",
    "oracle": "Oracle",
}


class Runner(Protocol):
    """Whatever runs a checked statement under an engine's lock. Failures are EngineFailure."""

    def run(
        self,
        sql: str,
        parameters: Mapping[str, object],
        reach: Reach,
        max_rows: int,
        deadline_s: float,
        settings: Mapping[str, object] | None = None,
    ) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]: ...


class Session(Runner, Protocol):
    """One connection with its engine's lock; used by one thread at a time."""

    def stream(
        self,
        sql: str,
        parameters: Mapping[str, object],
        reach: Reach,
        max_rows: int,
        deadline_s: float,
        settings: Mapping[str, object] | None = None,
        batch: int = STREAM_BATCH,
    ) -> Iterator[tuple[tuple[str, ...], list[tuple[Any, ...]]]]: ...

    def begin(self) -> None: ...

    def end(self) -> None: ...

    def schema(self) -> dict[str, tuple[ColumnInfo, ...]]: ...

    def close(self) -> None: ...


class _Verdicts:
    """Verdicts on certified and structured statements, by text, grants and the shape of parameters."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.known: OrderedDict[tuple[object, ...], Compiled] = OrderedDict()

    def of(self, statement: Statement, grants: Grants, dialect: str) -> Compiled:
        if statement.purpose == "free":
            return compile_statement(statement, grants, dialect)
        key = (statement.sql, statement.purpose, dialect, grants.fingerprint, parameter_shape(statement, grants))
        with self.lock:
            compiled = self.known.get(key)
            if compiled is not None:
                self.known.move_to_end(key)
                return compiled
        compiled = compile_statement(statement, grants, dialect)
        with self.lock:
            self.known[key] = compiled
            while len(self.known) > CACHED_VERDICTS:
                self.known.popitem(last=False)
        return compiled


_VERDICTS = _Verdicts()


def check(statement: Statement, grants: Grants, dialect: str = "sqlite") -> Decision:
    """The gate's decision, made without a database: allowed with the SQL as it would run, or refused with a reason."""
    return _VERDICTS.of(statement, grants, dialect).decision


@dataclass(frozen=True)
class Snapshot:
    """Statements that all see the database as it was at `as_of` (UTC)."""

    database: Database
    session: Session
    as_of: datetime

    def run(self, statement: Statement, grants: Grants, *, deadline_s: float = 30.0) -> Rows:
        """As Database.run, inside the snapshot."""
        compiled = self.database._checked(statement, grants)
        return self.database._answer(lambda: self.session, compiled, statement, grants, time.monotonic() + deadline_s)

    def stream(self, statement: Statement, grants: Grants, *, deadline_s: float = 120.0, batch: int = STREAM_BATCH) -> Iterator[Rows]:
        """The same a batch at a time, so that a document's 250,000 rows never stand in memory together; at least one
        batch, the last one `truncated` when the cap cut the result. Exhaust (or close) it before the next statement."""
        compiled = self.database._checked(statement, grants)
        started = time.monotonic()
        parameters = _in_use(compiled, statement, grants)
        sql, cap, seen = compiled.decision.sql, compiled.cap, 0
        try:
            for columns, rows in self.session.stream(sql, parameters, compiled.reach, cap + 1, deadline_s, grants.parameters, batch):
                shown = tuple(_plain(row) for row in rows[: cap - seen])
                seen += len(rows)
                ms = (time.monotonic() - started) * 1_000
                yield Rows(columns, shown, seen > cap, ms, sql, parameters)
        except EngineFailure as failure:
            raise _failure(failure.kind) from None


class Database:
    """A pool of at most two locked connections to one plant database. Thread-safe."""

    def __init__(self, dialect: str, path: str = "", url: str = "") -> None:
        self.dialect = dialect
        self.path = path
        self.url = url
        self.slots = threading.BoundedSemaphore(AT_ONCE)
        self.lock = threading.Lock()
        self.idle: list[Session] = []
        self.identity: tuple[int, int] | None = None
        self.failures = 0
        self.closed_until = 0.0
        self.child: SqliteChild | None = None

    @classmethod
    def open(cls, url: str) -> Database:
        """`sqlite:///path` or a bare path, `postgresql://...`, or a `.duckdb`, `.parquet` or `.csv` file or a folder
        of them.

        Connects once, so that a wrong URL fails here. Raises SqlUnavailable with one sentence.
        """
        scheme, separator, rest = url.partition("://")
        scheme = scheme.lower().partition("+")[0] if separator else ""
        if scheme in _UNTESTED:
            raise SqlUnavailable(
                f"{_UNTESTED[scheme]} statements are checked and compiled, but Andon does not connect to it yet.",
                "driver",
            )
        if scheme in ("postgresql", "postgres"):
            database = cls("postgres", url=url)
        elif scheme in ("", "sqlite", "duckdb", "file"):
            path = rest.removeprefix("/") if scheme in ("sqlite", "duckdb") else (rest or url)
            if separator and not Path(path).exists() and Path(rest).exists():
                path = rest  # sqlite:///plant/mes.db where /plant/mes.db was meant
            files = Path(path).suffix.lower() in (".duckdb", ".parquet", ".csv") or Path(path).is_dir()
            known = scheme == "duckdb" or files
            database = cls("duckdb" if known else "sqlite", path=path)
        else:
            raise SqlUnavailable(f"A database URL cannot start with {scheme!r}.", "cannot_open")
        session, _ = database._session(5.0)
        database._keep(session)
        return database

    def run(self, statement: Statement, grants: Grants, *, deadline_s: float = 5.0) -> Rows:
        """Check, rewrite and run one statement. Raises SqlRefused, SqlUnavailable or SqlTimeout."""
        ends = time.monotonic() + deadline_s
        compiled = self._checked(statement, grants)
        if statement.purpose == "free" and self.dialect == "sqlite":
            with self._slot(deadline_s):
                try:
                    return self._answer(self._sqlite_child, compiled, statement, grants, ends)
                except SqlUnavailable as failure:
                    if failure.kind in _UNREACHABLE:
                        self._count_failure()
                    raise
        with self._slot(deadline_s):
            return self._over_a_session(lambda s: self._answer(lambda: s, compiled, statement, grants, ends), ends)

    @contextmanager
    def snapshot(self) -> Iterator[Snapshot]:
        """Several statements in one read transaction, so that a document's numbers all hold `as_of` one moment.

        Raises as `run`; it holds one of the two connections until it is left.
        """
        with self._slot(5.0):
            session, pooled = self._session(5.0)
            try:
                try:
                    session.begin()
                except EngineFailure:
                    session.close()
                    if not pooled:
                        raise
                    self._close_idle()
                    session, _ = self._session(5.0)
                    session.begin()
                yield Snapshot(self, session, datetime.now(UTC))
                session.end()
            except EngineFailure as failure:
                session.close()
                raise _failure(failure.kind) from None
            except BaseException:
                session.close()
                raise
            self._keep(session)

    def _over_a_session(self, use: Callable[[Session], T], ends: float) -> T:
        """Use a connection and keep it. One that the server closed while it idled here is replaced, and asked again if
        time is left: every statement only reads."""
        session, pooled = self._session(ends - time.monotonic())
        while True:
            try:
                found = use(session)
            except (ToolError, TypeError) as failure:
                kind = failure.kind if isinstance(failure, SqlUnavailable) else ""
                if kind not in _UNREACHABLE:
                    self._keep(session)
                    raise
                session.close()
                if not pooled or kind != "connection" or time.monotonic() >= ends:
                    self._count_failure()
                    raise
                self._close_idle()  # what closed one of them closed them all
                session, pooled = self._session(ends - time.monotonic())
            except BaseException:
                session.close()
                raise
            else:
                self._keep(session)
                return found

    def _checked(self, statement: Statement, grants: Grants) -> Compiled:
        compiled = _VERDICTS.of(statement, grants, self.dialect)
        if not compiled.decision.allowed:
            raise SqlRefused(compiled.decision)
        return compiled

    def _answer(self, runner: Callable[[], Runner], compiled: Compiled, statement: Statement, grants: Grants, ends: float) -> Rows:
        """Bind, run and cut at the cap; the engine's failure becomes one of ours."""
        started = time.monotonic()
        parameters = _in_use(compiled, statement, grants)
        sql, cap, left = compiled.decision.sql, compiled.cap, max(0.05, ends - started)
        try:
            columns, rows = runner().run(sql, parameters, compiled.reach, cap + 1, left, grants.parameters)
        except EngineFailure as failure:
            raise _failure(failure.kind) from None
        self.failures = 0
        ms = (time.monotonic() - started) * 1_000
        return Rows(columns, tuple(_plain(row) for row in rows[:cap]), len(rows) > cap, ms, sql, parameters, compiled.decision.note)

    def schema(self) -> Mapping[str, tuple[ColumnInfo, ...]]:
        """Every table and view with its columns as the database declares them. Raises SqlUnavailable."""

        def read(session: Session) -> dict[str, tuple[ColumnInfo, ...]]:
            try:
                return session.schema()
            except EngineFailure as failure:
                raise _failure(failure.kind) from None

        with self._slot(5.0):
            return self._over_a_session(read, time.monotonic() + 5.0)

    def close(self) -> None:
        self._close_idle()
        with self.lock:
            child, self.child = self.child, None
        if child is not None:
            child.close()

    def _close_idle(self) -> None:
        with self.lock:
            sessions, self.idle = self.idle, []
        for session in sessions:
            session.close()

    # -- connections

    @contextmanager
    def _slot(self, wait_s: float) -> Iterator[None]:
        if not self.slots.acquire(timeout=max(0.0, wait_s)):
            raise SqlTimeout(_SENTENCES["busy"], "busy")
        try:
            yield
        finally:
            self.slots.release()

    def _session(self, wait_s: float) -> tuple[Session, bool]:
        """A connection, and whether it had idled in the pool. Raises SqlUnavailable."""
        try:
            self._may_try()
            with self.lock:
                if self.idle:
                    return self.idle.pop(), True
            if self.dialect == "sqlite":
                return SqliteSession(self.path), False
            if self.dialect == "duckdb":
                return DuckSession(self.path), False
            return PostgresSession(self.url, max(1.0, wait_s)), False
        except EngineFailure as failure:
            if failure.kind in _UNREACHABLE:
                self._count_failure()
            raise _failure(failure.kind) from None

    def _keep(self, session: Session) -> None:
        with self.lock:
            self.idle.append(session)

    def _may_try(self) -> None:
        if time.monotonic() < self.closed_until:
            raise EngineFailure("open_circuit")
        self._notice_replacement()

    def _notice_replacement(self) -> None:
        """A file rebuilt under its old name is another database; open connections would read the deleted one."""
        if not self.path:
            return
        try:
            status = Path(self.path).stat()
        except OSError:
            raise EngineFailure("cannot_open") from None
        identity = (status.st_dev, status.st_ino)
        with self.lock:
            changed, self.identity = self.identity not in (None, identity), identity
            stale, child = (self.idle, self.child) if changed else ([], None)
            if changed:
                self.idle, self.child = [], None
        for session in stale:
            session.close()
        if child is not None:
            child.close()

    def _sqlite_child(self) -> SqliteChild:
        self._may_try()
        with self.lock:
            if self.child is None:
                self.child = SqliteChild(self.path)
            return self.child

    def _count_failure(self) -> None:
        self.failures += 1
        if self.failures >= FAILURES_TO_OPEN:
            self.failures = 0
            self.closed_until = time.monotonic() + OPEN_S


def _plain(row: Sequence[Any]) -> tuple[Any, ...]:
    """A row in which what is no number (infinite, NaN) is none: a sum of absurd values must stop no answer. A finite
    float less itself is 0, which is cheaper over 250,000 rows than asking."""
    return tuple(None if (v - v if type(v) is float else type(v) is Decimal and not v.is_finite()) else v for v in row)


def _in_use(compiled: Compiled, statement: Statement, grants: Grants) -> dict[str, object]:
    """The values of the parameters that the checked statement uses, in its order."""
    bound = bound_parameters(statement, grants)
    return {name: bound[name] for name in compiled.reach.order}


def _failure(kind: str) -> SqlRefused | SqlUnavailable:
    if kind == "timeout":
        return SqlTimeout()
    if kind == "busy":
        return SqlTimeout(_SENTENCES["busy"], "busy")
    if kind == "forbidden":
        reason = "The database's own lock does not let this statement run."
        return SqlRefused(Decision(False, reason, ""), "second_lock")
    return SqlUnavailable(_SENTENCES.get(kind, _SENTENCES["failed"]), kind)
