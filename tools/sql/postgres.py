"""The second lock in PostgreSQL: a read-only transaction under a deadline, a plan checked before it runs.

A superuser's connection is refused, because no lock of ours binds one. In each transaction the session is read-only and
has its timeouts, and the scope's parameters are set as transaction-local settings (`andon.<name>`, a JSON value), on
which a plant may hang row level security. EXPLAIN is asked first: the plan may name only the tables in reach, and its
cost is bounded. A URL with several hosts prefers a standby.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tools.sql.sqlite import EngineFailure
from tools.sql.values import ColumnInfo, Reach

if TYPE_CHECKING:
    import psycopg

# A full scan of 10^7 rows costs about 3 * 10^5, an accidental cross join of two such tables 10^12.
MAX_COST = 1e8
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
_VIEWS_SQL = """
    SELECT DISTINCT n.nspname, v.relname, tn.nspname, t.relname FROM pg_rewrite r JOIN pg_class v ON v.oid = r.ev_class
    JOIN pg_namespace n ON n.oid = v.relnamespace JOIN pg_depend d ON d.objid = r.oid AND d.classid = 'pg_rewrite'::regclass
      AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> v.oid
    JOIN pg_class t ON t.oid = d.refobjid JOIN pg_namespace tn ON tn.oid = t.relnamespace WHERE v.relkind = 'v'
"""


class PostgresSession:
    """One connection; used by one thread at a time."""

    def __init__(self, url: str, connect_s: float = 3.0) -> None:
        import psycopg

        self.driver = psycopg
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
                **options,
            )
            with self.connection.cursor() as cursor:
                cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
                row = cursor.fetchone()
                if row is None or row[0]:
                    self.connection.close()
                    raise EngineFailure("superuser")
                for setting in (
                    "default_transaction_read_only = on",
                    "row_security = on",
                    "lock_timeout = '1s'",
                    "idle_in_transaction_session_timeout = '30s'",
                    "max_parallel_workers_per_gather = 0",
                    "timezone = 'UTC'",
                ):
                    cursor.execute(f"SET {setting}")
                self.view_tables = self._views(cursor)
        except psycopg.Error as error:
            raise EngineFailure("cannot_open" if error.sqlstate is None else self._kind(error)) from None

    def _views(self, cursor: psycopg.Cursor[tuple[Any, ...]]) -> dict[str, set[str]]:
        """Tables behind each view, directly or through other views: a plan shows those, not the view."""
        cursor.execute(_VIEWS_SQL)
        behind: dict[str, set[str]] = {}
        for view_schema, view, schema, table in cursor.fetchall():
            behind.setdefault(f"{view_schema}.{view}", set()).add(f"{schema}.{table}")
        for _ in behind:
            for tables in behind.values():
                for table in list(tables):
                    tables |= behind.get(table, set())
        return behind

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
        local = {"statement_timeout": str(max(1, int(deadline_s * 1_000)))}
        local.update({f"andon.{name}": json.dumps(_plain(value)) for name, value in (settings or {}).items()})
        try:
            with self.connection.transaction(), self.connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION READ ONLY")
                calls = ", ".join(f"set_config(${2 * i + 1}, ${2 * i + 2}, true)" for i in range(len(local)))
                cursor.execute(f"SELECT {calls}", [text for pair in local.items() for text in pair])
                cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", values)
                plan = cursor.fetchone()
                self._check_plan(plan[0] if plan else None, reach)
                cursor.execute(sql, values)
                columns = tuple(column.name for column in cursor.description or ())
                return columns, cursor.fetchmany(max_rows)
        except self.driver.Error as error:
            raise EngineFailure(self._kind(error)) from None

    def _check_plan(self, plan: Any, reach: Reach) -> None:
        """Tables of the plan must be in reach, its sources be tables or queries, its cost be bounded."""
        allowed: set[str] = set()
        for table in reach.reads:
            schema, _, name = table.rpartition(".")
            full = f"{schema or 'public'}.{name}"
            allowed |= {name, full, *self.view_tables.get(full, set())}
            allowed |= {base.rpartition(".")[2] for base in self.view_tables.get(full, set())}
        stack = [plan[0]["Plan"]] if plan else []
        if not stack or stack[0].get("Total Cost", 0.0) > MAX_COST:
            raise EngineFailure("too_costly")
        while stack:
            node = stack.pop()
            relation = node.get("Relation Name")
            if relation is not None and relation not in allowed:
                raise EngineFailure("forbidden")
            if "Function Name" in node or node.get("Node Type") in ("ModifyTable", "LockRows", "Table Function Scan"):
                raise EngineFailure("forbidden")
            stack.extend(node.get("Plans", ()))

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
