"""The second lock in SQLite, which holds without the first: one connection that can only read what it is told.

The file is opened read-only, `query_only` is on, and each statement is prepared under an authorizer that knows the base
tables and columns of that statement alone. The authorizer never looks at its fifth argument: it may be a view or a CTE
of the statement's own making. Limits bound what one value and one statement may become, and a progress handler stops
the statement at its deadline. The tests run the deny cases of this kind past the first lock to prove it.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tools.sql.values import ColumnInfo, Reach

MAX_VALUE_BYTES = 4_000_000  # length(hex(zeroblob(400000000))) outran a progress handler by eight seconds
PROGRESS_STEPS = 2_000
_LIMITS = {
    sqlite3.SQLITE_LIMIT_LENGTH: MAX_VALUE_BYTES,
    sqlite3.SQLITE_LIMIT_SQL_LENGTH: 1_000_000,
    sqlite3.SQLITE_LIMIT_COLUMN: 500,
    sqlite3.SQLITE_LIMIT_EXPR_DEPTH: 300,
    sqlite3.SQLITE_LIMIT_COMPOUND_SELECT: 100,
    sqlite3.SQLITE_LIMIT_VDBE_OP: 100_000,
    sqlite3.SQLITE_LIMIT_FUNCTION_ARG: 100,
    sqlite3.SQLITE_LIMIT_ATTACHED: 0,
    sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH: 200,
    sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER: 5_000,
    sqlite3.SQLITE_LIMIT_TRIGGER_DEPTH: 0,
    sqlite3.SQLITE_LIMIT_WORKER_THREADS: 0,
}
# Functions as SQLite itself names them to the authorizer. None of them reads files, loads code or fills memory: printf
# can (a width of a billion), but its result is bounded by MAX_VALUE_BYTES before it is made.
_FUNCTION_NAMES = """
    abs avg ceil ceiling char coalesce count cume_dist date datetime dense_rank exp first_value floor format glob
    group_concat ifnull iif instr julianday lag last_value lead length like likely ln log log10 log2 lower ltrim max min
    mod nth_value ntile nullif percent_rank pi pow power printf rank replace round row_number rtrim sign sqrt strftime
    string_agg substr substring sum time timediff total trim trunc typeof unicode unixepoch unlikely upper acos asin
    atan cos sin tan degrees radians current_date current_time current_timestamp concat concat_ws
"""
_FUNCTIONS = frozenset(_FUNCTION_NAMES.split())
_KINDS = {
    "SQLITE_AUTH": "forbidden",
    "SQLITE_INTERRUPT": "timeout",
    "SQLITE_BUSY": "locked",
    "SQLITE_LOCKED": "locked",
    "SQLITE_CANTOPEN": "cannot_open",
    "SQLITE_NOTADB": "not_a_database",
    "SQLITE_CORRUPT": "damaged",
    "SQLITE_IOERR": "storage",
    "SQLITE_FULL": "storage",
    "SQLITE_NOMEM": "too_large",
    "SQLITE_TOOBIG": "too_large",
    "SQLITE_READONLY": "forbidden",
    "SQLITE_SCHEMA": "changed",
}


class EngineFailure(Exception):
    """An engine's error as its class; the engine's text is dropped here and goes no further."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


def kind_of(error: sqlite3.Error) -> str:
    """The class of an SQLite error. Its text is looked at, never passed on: it can hold values and names."""
    name = getattr(error, "sqlite_errorname", "") or ""
    for prefix, kind in _KINDS.items():
        if name.startswith(prefix):
            return kind
    text = str(error)
    if "no such table" in text or "no such column" in text:
        return "changed"
    if "no such function" in text or "wrong number of arguments" in text or "misuse of" in text:
        return "no_such_function"
    if "too big" in text or "too many" in text or "too large" in text or "too deep" in text or "complex" in text:
        return "too_large"
    if "not authorized" in text or "prohibited" in text or "query_only" in text:
        return "forbidden"
    return "failed"


class SqliteSession:
    """One read-only connection; used by one thread at a time."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.names: set[str] = set()
        self.view_reads: dict[str, Mapping[str, frozenset[str]]] = {}
        try:
            self.connection = sqlite3.connect(
                f"file:{quote(str(self.path.resolve()))}?mode=ro",
                uri=True,
                timeout=1.0,
                isolation_level=None,
                check_same_thread=False,
                cached_statements=0,
            )
            for pragma in ("query_only = ON", "trusted_schema = OFF", "temp_store = MEMORY", "cache_size = -16000"):
                self.connection.execute(f"PRAGMA {pragma}")
            self.connection.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()
            self._find_views()
        except sqlite3.Error as error:
            raise EngineFailure(kind_of(error)) from None
        for limit, value in _LIMITS.items():
            self.connection.setlimit(limit, value)
        self.connection.text_factory = _text
        self.connection.set_authorizer(_deny)

    def _find_views(self) -> None:
        """A granted view reads tables that its reader may not: learn which, once, from the engine's own account."""
        objects = self.connection.execute("SELECT name, type FROM sqlite_master").fetchall()
        self.names = {name.lower() for name, _ in objects}
        for name in (name for name, kind in objects if kind == "view"):
            seen: dict[str, set[str]] = {}

            def record(action: int, first: str | None, second: str | None, *_: object, seen: dict[str, set[str]] = seen) -> int:
                if action == sqlite3.SQLITE_READ and first:
                    seen.setdefault(first.lower(), set()).add((second or "").lower())
                return sqlite3.SQLITE_OK

            self.connection.set_authorizer(record)
            try:
                quoted = name.replace('"', '""')
                self.connection.execute(f'SELECT * FROM "{quoted}" LIMIT 0')
            except sqlite3.Error:
                continue  # a broken view can be granted, and fails when it is read
            finally:
                self.connection.set_authorizer(None)
            self.view_reads[name.lower()] = {table: frozenset(columns) for table, columns in seen.items()}

    def run(
        self,
        sql: str,
        parameters: Mapping[str, object],
        reach: Reach,
        max_rows: int,
        deadline_s: float,
        settings: Mapping[str, object] | None = None,
    ) -> tuple[tuple[str, ...], list[tuple[object, ...]]]:
        """Column names and at most `max_rows` rows, under the lock for exactly `reach`. Raises EngineFailure."""
        for columns, rows in self.stream(sql, parameters, reach, max_rows, deadline_s, settings, max_rows):
            return columns, rows
        raise EngineFailure("failed")

    def stream(
        self,
        sql: str,
        parameters: Mapping[str, object],
        reach: Reach,
        max_rows: int,
        deadline_s: float,
        settings: Mapping[str, object] | None = None,
        batch: int = 5_000,
    ) -> Iterator[tuple[tuple[str, ...], list[tuple[object, ...]]]]:
        """The same, `batch` rows at a time and at least one batch; the lock stays open for `reach` until it is closed."""
        ends = time.monotonic() + deadline_s
        values = {name: bindable(value) for name, value in parameters.items()}
        self.connection.set_authorizer(self._authorizer(reach))
        self.connection.set_progress_handler(lambda: time.monotonic() > ends, PROGRESS_STEPS)
        try:
            with closing(self.connection.execute(sql, values)) as cursor:
                columns = tuple(column[0] for column in cursor.description or ())
                yield from ((columns, rows) for rows in batches(cursor.fetchmany, max_rows, batch))
        except sqlite3.Error as error:
            raise EngineFailure(kind_of(error)) from None
        except (MemoryError, OverflowError):
            raise EngineFailure("too_large") from None
        finally:
            self.connection.set_progress_handler(None, 0)
            self.connection.set_authorizer(_deny)

    def _authorizer(self, reach: Reach) -> Callable[..., int]:
        allowed: dict[str, set[str]] = {}
        # COUNT(*) over a CTE is reported as a read of a table of that name, without a database, exactly as COUNT(*)
        # over a table is: a name passes only when the first lock made it a CTE and no table has it.
        derived = {name.lower() for name in reach.derived} - self.names
        for table, columns in reach.reads.items():
            allowed.setdefault(table.lower(), set()).update(column.lower() for column in columns)
            for base, base_columns in self.view_reads.get(table.lower(), {}).items():
                allowed.setdefault(base, set()).update(base_columns)

        def authorize(action: int, first: str | None, second: str | None, database: str | None, _inner: object) -> int:
            if action == sqlite3.SQLITE_READ and first is not None:
                columns = allowed.get(first.lower())
                if columns is not None and database in ("main", None) and (not second or second.lower() in columns):
                    return sqlite3.SQLITE_OK
                if not second and database is None and first.lower() in derived:
                    return sqlite3.SQLITE_OK
            elif action == sqlite3.SQLITE_FUNCTION:
                if (second or "").lower() in _FUNCTIONS:
                    return sqlite3.SQLITE_OK
            elif action in (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_RECURSIVE):
                return sqlite3.SQLITE_OK
            return sqlite3.SQLITE_DENY

        return authorize

    def begin(self) -> None:
        """Start a read transaction: what is read until `end` is of one moment. Raises EngineFailure."""
        self._say("BEGIN")
        self._say("SELECT COUNT(*) FROM sqlite_master")  # SQLite fixes the moment at the first read, not at BEGIN

    def end(self) -> None:
        self._say("COMMIT")

    def _say(self, words: str) -> None:
        self.connection.set_authorizer(None)
        try:
            self.connection.execute(words).fetchall()
        except sqlite3.Error as error:
            raise EngineFailure(kind_of(error)) from None
        finally:
            self.connection.set_authorizer(_deny)

    def schema(self) -> dict[str, tuple[ColumnInfo, ...]]:
        """Tables and views with their columns and declared keys; one that cannot be read (a view of a table that is no
        more) has no columns. Raises EngineFailure."""
        self.connection.set_authorizer(None)
        try:
            names = self.connection.execute(
                "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name"
            ).fetchall()
            return {name: self._columns(name) for (name,) in names}
        except sqlite3.Error as error:
            raise EngineFailure(kind_of(error)) from None
        finally:
            self.connection.set_authorizer(_deny)

    def _columns(self, table: str) -> tuple[ColumnInfo, ...]:
        try:
            keys = {
                row[3]: f"{row[2]}.{row[4] or row[3]}"
                for row in self.connection.execute("SELECT * FROM pragma_foreign_key_list(?)", (table,))
            }
            return tuple(
                ColumnInfo(name, kind, not required, bool(key), keys.get(name, ""))
                for _, name, kind, required, _, key in self.connection.execute("SELECT * FROM pragma_table_info(?)", (table,))
            )
        except sqlite3.OperationalError as error:
            if kind_of(error) not in ("changed", "failed", "no_such_function"):
                raise
            return ()

    def close(self) -> None:
        self.connection.close()


def batches(fetch: Callable[[int], list[tuple[Any, ...]]], max_rows: int, batch: int) -> Iterator[list[tuple[Any, ...]]]:
    """At most `max_rows` rows, `batch` at a time; an empty result is one empty batch."""
    left = max_rows
    while True:
        rows = fetch(min(batch, left))
        left -= len(rows)
        if rows or left == max_rows:
            yield rows
        if len(rows) < batch or not left:
            return


def _deny(*_: object) -> int:
    return sqlite3.SQLITE_DENY


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", errors="replace")


def bindable(value: object) -> object:
    """A parameter as SQLite takes it. Raises TypeError for a value whose stored form only the plant model knows."""
    if isinstance(value, Decimal):
        return float(value)
    if value is None or isinstance(value, bool | int | float | str | bytes):
        return value
    # How a plant writes its times down differs from column to column: a guess here would compare wrongly in silence.
    raise TypeError(f"a {type(value).__name__} parameter must be given as text or a number, as its column stores it")
