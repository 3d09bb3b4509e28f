"""The second lock in PostgreSQL: a read-only transaction under a deadline, a plan checked before it runs.

A superuser's connection is refused, because no lock of ours binds one. In each transaction the session is read-only and
has its timeouts, and the scope's parameters are set as transaction-local settings (`andon.<name>`, a JSON value), on
which a plant may hang row level security. EXPLAIN is asked first: the plan may name only the tables in reach, and its
cost is bounded. A URL with several hosts prefers a standby.
"""

from __future__ import annotations

import json
import os
import socket
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, LiteralString

from tools.sql.sqlite import EngineFailure, batches
from tools.sql.values import ColumnInfo, Reach

if TYPE_CHECKING:
    import psycopg

# A full scan of 10^7 rows costs about 3 * 10^5, an accidental cross join of two such tables 10^12.
MAX_COST = 1e8
GRACE_S = 1.0
_STATES: tuple[tuple[str, str], ...] = (
    ("57014", "timeout"),
    ("42501", "forbidden"),
    ("25006", "forbidden"),
    ("25001", "forbidden"),
    ("42P01", "changed"),
    ("42703", "changed"),
    ("3F000", "changed"),
    ("42883", "no_such_function"),
    ("22012", "arithmetic"),
    ("22003", "arithmetic"),
    ("22", "conversion"),
    ("42804", "conversion"),
    ("42846", "conversion"),
    ("42725", "conversion"),
    ("08", "connection"),
    ("57P", "connection"),
    ("28", "cannot_open"),
    ("3D000", "cannot_open"),
    ("53", "too_large"),
    ("54", "too_large"),
    ("55P03", "locked"),
    ("40", "locked"),  # a standby that must replay what the statement still reads
    ("58", "storage"),
    ("XX", "damaged"),
)
_COLUMNS_SQL = """
    SELECT n.nspname, c.relname, a.attname, format_type(a.atttypid, a.atttypmod), NOT a.attnotnull,
      EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype = 'p' AND a.attnum = ANY (k.conkey)),
      (SELECT t.relname || '.' || b.attname FROM pg_constraint k JOIN pg_class t ON t.oid = k.confrelid
        JOIN pg_attribute b ON b.attrelid = k.confrelid AND b.attnum = k.confkey[array_position(k.conkey, a.attnum)]
        WHERE k.conrelid = c.oid AND k.contype = 'f' AND a.attnum = ANY (k.conkey) LIMIT 1)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid
    WHERE c.relkind IN ('r', 'v', 'm', 'p', 'f') AND a.attnum > 0 AND NOT a.attisdropped
      AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\\_%'
      AND has_column_privilege(c.oid, a.attnum, 'SELECT') AND has_schema_privilege(n.oid, 'USAGE')
    ORDER BY n.nspname, c.relname, a.attnum
"""
# What a plan shows instead of a name in the statement: the tables behind a view, the partitions of a table.
_BEHIND_SQL = """
    SELECT n.nspname || '.' || v.relname, tn.nspname || '.' || t.relname
    FROM pg_rewrite r JOIN pg_class v ON v.oid = r.ev_class AND v.relkind = 'v' JOIN pg_namespace n ON n.oid = v.relnamespace
    JOIN pg_depend d ON d.objid = r.oid AND d.classid = 'pg_rewrite'::regclass
      AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> v.oid
    JOIN pg_class t ON t.oid = d.refobjid JOIN pg_namespace tn ON tn.oid = t.relnamespace
    UNION
    SELECT n.nspname || '.' || p.relname, cn.nspname || '.' || c.relname
    FROM pg_inherits i JOIN pg_class p ON p.oid = i.inhparent JOIN pg_namespace n ON n.oid = p.relnamespace
    JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_namespace cn ON cn.oid = c.relnamespace
"""


class PostgresSession:
    """One connection; used by one thread at a time."""

    def __init__(self, url: str, connect_s: float = 3.0) -> None:
        import psycopg

        self.driver = psycopg
        self.in_snapshot = False
        options: dict[str, Any] = {"connect_timeout": max(1, round(connect_s)), "application_name": "andon"}
        if "target_session_attrs" not in url:
            options["target_session_attrs"] = "prefer-standby"
        try:
            self.connection: psycopg.Connection[tuple[Any, ...]] = psycopg.connect(
                url,
                autocommit=True,
                prepare_threshold=None,
                cursor_factory=psycopg.RawCursor,
                tcp_user_timeout=10_000,
                keepalives_idle=5,
                keepalives_interval=2,
                keepalives_count=3,
                **options,
            )
            self.connection.server_cursor_factory = psycopg.RawServerCursor
            with self.connection.cursor() as cursor:
                cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
                row = cursor.fetchone()
                if row is None or row[0]:
                    self.connection.close()
                    raise EngineFailure("superuser")
                for setting in (
                    "default_transaction_read_only = on",
                    "standard_conforming_strings = on",  # off, a backslash in a literal would open it
                    "row_security = on",
                    "lock_timeout = '1s'",
                    "idle_in_transaction_session_timeout = '30s'",
                    "max_parallel_workers_per_gather = 0",
                    "timezone = 'UTC'",
                ):
                    cursor.execute(f"SET {setting}")
                self._learn_relations(cursor)
        except psycopg.Error as error:
            raise EngineFailure("cannot_open" if error.sqlstate is None else self._kind(error)) from None

    def _learn_relations(self, cursor: psycopg.Cursor[tuple[Any, ...]]) -> None:
        cursor.execute("SELECT coalesce(current_schema(), 'public')")
        row = cursor.fetchone()
        self.default_schema = row[0] if row else "public"
        cursor.execute(_BEHIND_SQL)
        behind: dict[str, set[str]] = {}
        for name, relation in cursor.fetchall():
            behind.setdefault(name, set()).add(relation)
        for _ in behind:  # views of views, partitions of partitions
            for relations in behind.values():
                relations.update(*(behind.get(relation, ()) for relation in list(relations)))
        self.behind = behind

    def run(
        self,
        sql: str,
        parameters: Mapping[str, object],
        reach: Reach,
        max_rows: int,
        deadline_s: float,
        settings: Mapping[str, object] | None = None,
    ) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
        """As SqliteSession.run, with `settings` made visible to row level security. Raises EngineFailure."""
        values = [parameters[name] for name in reach.order]
        with self._watched(deadline_s), self.connection.transaction(), self.connection.cursor() as cursor:
            self._permit(cursor, sql, values, reach, deadline_s, settings)
            cursor.execute(sql, values)
            return tuple(column.name for column in cursor.description or ()), cursor.fetchmany(max_rows)

    def stream(
        self,
        sql: str,
        parameters: Mapping[str, object],
        reach: Reach,
        max_rows: int,
        deadline_s: float,
        settings: Mapping[str, object] | None = None,
        batch: int = 5_000,
    ) -> Iterator[tuple[tuple[str, ...], list[tuple[Any, ...]]]]:
        """As SqliteSession.stream: the server keeps the result and hands out a batch at a time."""
        values = [parameters[name] for name in reach.order]
        with self._watched(deadline_s), self.connection.transaction():
            with self.connection.cursor() as cursor:
                self._permit(cursor, sql, values, reach, deadline_s, settings)
            with self.connection.cursor(name="andon") as cursor:
                cursor.execute(sql, values)
                columns = tuple(column.name for column in cursor.description or ())
                yield from ((columns, rows) for rows in batches(cursor.fetchmany, max_rows, batch))

    def _permit(
        self,
        cursor: psycopg.Cursor[tuple[Any, ...]],
        sql: str,
        values: Sequence[object],
        reach: Reach,
        deadline_s: float,
        settings: Mapping[str, object] | None,
    ) -> None:
        """Timeouts and settings of this transaction, and the plan, before the statement may run."""
        local = {"statement_timeout": str(max(1, int(deadline_s * 1_000)))}
        local.update({f"andon.{name}": json.dumps(_plain(value)) for name, value in (settings or {}).items()})
        if not self.in_snapshot:
            cursor.execute("SET TRANSACTION READ ONLY")
        calls = ", ".join(f"set_config(${2 * i + 1}, ${2 * i + 2}, true)" for i in range(len(local)))
        cursor.execute(f"SELECT {calls}", [text for pair in local.items() for text in pair])
        cursor.execute(f"EXPLAIN (VERBOSE, FORMAT JSON) {sql}", values)
        explained = cursor.fetchone()
        plan = explained[0][0]["Plan"] if explained else {}
        if not self._plan_in_reach(plan, reach):
            self._learn_relations(cursor)  # a partition or view that is younger than this connection
            if not self._plan_in_reach(plan, reach):
                raise EngineFailure("forbidden")
        if plan.get("Total Cost", 0.0) > MAX_COST:
            raise EngineFailure("too_costly")

    @contextmanager
    def _watched(self, deadline_s: float) -> Iterator[None]:
        """The driver's errors as ours. A server that neither answers nor hangs up is hung up on after the deadline:
        its own timeout does not run while the machine or the network between stands still."""
        timer = threading.Timer(deadline_s + GRACE_S, self._hang_up)
        timer.daemon = True
        timer.start()
        try:
            yield
        except self.driver.Error as error:
            raise EngineFailure(self._kind(error)) from None
        finally:
            timer.cancel()

    def _hang_up(self) -> None:
        try:
            with socket.socket(fileno=os.dup(self.connection.fileno())) as line:
                line.shutdown(socket.SHUT_RDWR)
        except (OSError, self.driver.Error):
            return  # already gone

    def begin(self) -> None:
        """Start a repeatable read: what is read until `end` is of one moment. Raises EngineFailure."""
        self._say("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        self.in_snapshot = True

    def end(self) -> None:
        self._say("COMMIT")
        self.in_snapshot = False

    def _say(self, words: LiteralString) -> None:
        try:
            self.connection.execute(words)
        except self.driver.Error as error:
            raise EngineFailure(self._kind(error)) from None

    def _plan_in_reach(self, plan: Mapping[str, Any], reach: Reach) -> bool:
        """True if every relation of the plan is in reach, or behind one that is, and no function makes rows."""
        allowed: set[str] = set()
        for table in reach.reads:
            full = table if "." in table else f"{self.default_schema}.{table}"
            allowed |= {full, *self.behind.get(full, ())}
        stack = [plan]
        while stack:
            node = stack.pop()
            if "Relation Name" in node and f"{node.get('Schema')}.{node['Relation Name']}" not in allowed:
                return False
            if "Function Name" in node or node.get("Node Type") in ("ModifyTable", "LockRows", "Table Function Scan"):
                return False
            stack.extend(node.get("Plans", ()))
        return True

    def schema(self) -> dict[str, tuple[ColumnInfo, ...]]:
        """Readable tables and views; those outside `public` carry their schema's name. Raises EngineFailure."""
        tables: dict[str, list[ColumnInfo]] = {}
        try:
            with self.connection.cursor() as cursor:
                cursor.execute(_COLUMNS_SQL)
                for schema, table, column, kind, nullable, key, target in cursor.fetchall():
                    name = table if schema == "public" else f"{schema}.{table}"
                    tables.setdefault(name, []).append(ColumnInfo(column, kind, nullable, key, target or ""))
        except self.driver.Error as error:
            raise EngineFailure(self._kind(error)) from None
        return {name: tuple(columns) for name, columns in tables.items()}

    def _kind(self, error: psycopg.Error) -> str:
        state = error.sqlstate or ""
        for prefix, kind in _STATES:
            if state.startswith(prefix):
                return kind
        return "connection" if not state and (self.connection.closed or self.connection.broken) else "failed"

    def close(self) -> None:
        self.connection.close()


def _plain(value: object) -> object:
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in value]
    return value if isinstance(value, bool | int | float | str | None) else str(value)
