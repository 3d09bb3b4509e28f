"""The second lock in DuckDB, for files: what a statement may read is copied into a database of our own, then locked.

CSV, Parquet and `.duckdb` files are read by a loader that sees no statement. It copies the tables and columns in reach
into a private file, which is then opened read-only with external access off and its configuration locked, so that a
statement can reach no file, no extension and no column that was not granted. A column that is asked for first later is
loaded then; what is loaded stays as it was until the files are replaced. tests/test_sql.py runs the deny cases of this
kind past the first lock.
"""

from __future__ import annotations

import importlib
import tempfile
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tools.sql.sqlite import EngineFailure, batches
from tools.sql.values import ColumnInfo, Reach

_READERS: Mapping[str, str] = {".csv": "read_csv", ".parquet": "read_parquet"}
_NUMBERS = frozenset({"BIGINT", "INTEGER", "HUGEINT", "DOUBLE"})
_CODE = "^[+-]?(0[0-9]|[0-9]{19})"
_LIMITS = {"memory_limit": "512MB", "threads": "1", "max_temp_directory_size": "0MB"}
_LOCKED = {**_LIMITS, "enable_external_access": "false", "autoload_known_extensions": "false",
           "autoinstall_known_extensions": "false", "allow_community_extensions": "false"}  # fmt: skip
_KINDS: Mapping[str, str] = {
    "InterruptException": "timeout",
    "PermissionException": "forbidden",
    "InvalidInputException": "forbidden",
    "CatalogException": "changed",
    "BinderException": "conversion",
    "ConversionException": "conversion",
    "OutOfRangeException": "arithmetic",
    "OutOfMemoryException": "too_large",
    "IOException": "cannot_open",
}


class DuckSession:
    """One private copy of the files' granted part; used by one thread at a time."""

    def __init__(self, path: str | Path) -> None:
        try:
            self.duckdb: Any = importlib.import_module("duckdb")
        except ImportError:
            raise EngineFailure("driver") from None
        self.path = Path(path)
        # Gone with the session, and at the latest with the process: it holds a plant's rows.
        self.holder = tempfile.TemporaryDirectory(prefix="andon-duckdb-", ignore_cleanup_errors=True)
        self.folder = Path(self.holder.name)
        self.loaded: dict[str, frozenset[str]] = {}
        self.connection: Any = None
        try:
            self.sources = self._find_sources()
        except self.duckdb.Error as error:
            self.close()
            raise EngineFailure(_kind(error)) from None

    def _find_sources(self) -> dict[str, tuple[str, tuple[ColumnInfo, ...]]]:
        """Table name -> the loader's own expression for it and its columns."""
        files = sorted(self.path.iterdir()) if self.path.is_dir() else [self.path]
        if not all(file.exists() for file in files):
            raise EngineFailure("cannot_open")
        found: dict[str, tuple[str, tuple[ColumnInfo, ...]]] = {}
        with self.duckdb.connect(":memory:", config=dict(_LIMITS)) as loader:
            for number, file in enumerate(files):
                text = str(file).replace("'", "''")
                reader = _READERS.get(file.suffix.lower())
                if reader == "read_csv":
                    found[file.stem] = (self._csv(loader, text), ())
                elif reader:
                    found[file.stem] = (f"{reader}('{text}')", ())
                elif file.suffix.lower() == ".duckdb":
                    loader.execute(f"ATTACH '{text}' AS source{number} (READ_ONLY)")
                    rows = loader.execute(
                        "SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = ?",
                        [f"source{number}"],
                    ).fetchall()
                    for schema, table in rows:
                        name = table if schema == "main" else f"{schema}.{table}"
                        found[name] = (f"source{number}.{_quoted(schema)}.{_quoted(table)}", ())
            for name, (source, _) in found.items():
                rows = loader.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()
                found[name] = (source, tuple(ColumnInfo(row[0], row[1], row[2] == "YES") for row in rows))
        return found

    def _csv(self, loader: Any, text: str) -> str:
        """The loader's expression for a CSV file: digits that are a name stay text (0047 is not 47, and a number of 20
        digits no float)."""
        described = loader.execute(f"DESCRIBE SELECT * FROM read_csv('{text}')").fetchall()
        numbers = [row[0] for row in described if row[1] in _NUMBERS]
        if not numbers:
            return f"read_csv('{text}')"
        tests = ", ".join(f"coalesce(bool_or(regexp_matches({_quoted(name)}, '{_CODE}')), false)" for name in numbers)
        found = loader.execute(f"SELECT {tests} FROM read_csv('{text}', all_varchar = true)").fetchone()
        codes = [name for name, is_code in zip(numbers, found, strict=True) if is_code]
        kept = ", ".join("'" + name.replace("'", "''") + "': 'VARCHAR'" for name in codes)
        return f"read_csv('{text}', types = {{{kept}}})" if codes else f"read_csv('{text}')"

    def run(
        self,
        sql: str,
        parameters: Mapping[str, object],
        reach: Reach,
        max_rows: int,
        deadline_s: float,
        settings: Mapping[str, object] | None = None,
    ) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
        """As SqliteSession.run. The deadline counts from when the columns in reach are loaded."""
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
    ) -> Iterator[tuple[tuple[str, ...], list[tuple[Any, ...]]]]:
        """As SqliteSession.stream."""
        try:
            self._load(reach)
            if self.connection is None:
                self._lock()
            timer = threading.Timer(deadline_s, self.connection.interrupt)
            timer.daemon = True
            timer.start()
            try:
                cursor = self.connection.execute(sql, dict(parameters)) if parameters else self.connection.execute(sql)
                columns = tuple(column[0] for column in cursor.description or ())
                yield from ((columns, rows) for rows in batches(cursor.fetchmany, max_rows, batch))
            finally:
                timer.cancel()
        except self.duckdb.Error as error:
            raise EngineFailure(_kind(error)) from None

    def _load(self, reach: Reach) -> None:
        wanted = dict(self.loaded)
        for table, columns in reach.reads.items():
            if table not in self.sources:
                raise EngineFailure("changed")
            wanted[table] = wanted.get(table, frozenset()) | columns
        if wanted == self.loaded:
            return
        if self.connection is not None:
            self.connection.close()
            self.connection = None
        with self.duckdb.connect(str(self._file()), config=dict(_LIMITS)) as loader:
            if self.path.suffix.lower() == ".duckdb":
                text = str(self.path).replace("'", "''")
                loader.execute(f"ATTACH '{text}' AS source0 (READ_ONLY)")
            for table, columns in wanted.items():
                if self.loaded.get(table) == columns:
                    continue
                source, known = self.sources[table]
                shown = [_read(column) for column in known if column.name in columns]
                schema, _, name = table.rpartition(".")
                target = f"{_quoted(schema)}.{_quoted(name)}" if schema else _quoted(name)
                if schema:
                    loader.execute(f"CREATE SCHEMA IF NOT EXISTS {_quoted(schema)}")
                loader.execute(f"CREATE OR REPLACE TABLE {target} AS SELECT {', '.join(shown) or '1 AS rows'} FROM {source}")
        self.loaded = wanted

    def _lock(self) -> None:
        if not self._file().exists():
            self.duckdb.connect(str(self._file())).close()
        self.connection = self.duckdb.connect(str(self._file()), read_only=True, config=dict(_LOCKED))
        self.connection.execute("SET lock_configuration = true")

    def _file(self) -> Path:
        return self.folder / "plant.duckdb"

    def begin(self) -> None:
        """The copy does not change: every statement sees the same moment."""

    def end(self) -> None:
        """See `begin`."""

    def schema(self) -> dict[str, tuple[ColumnInfo, ...]]:
        """Tables by file name (or as the .duckdb file names them) with their columns."""
        return {name: columns for name, (_, columns) in self.sources.items()}

    def close(self) -> None:
        if self.connection is not None:
            self.connection.close()
            self.connection = None
        self.holder.cleanup()


def _read(column: ColumnInfo) -> str:
    """A column as it is copied: instants with a zone as plain timestamps in UTC, which every driver returns."""
    name = _quoted(column.name)
    return f"make_timestamp(epoch_us({name})) AS {name}" if column.type == "TIMESTAMP WITH TIME ZONE" else name


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _kind(error: Exception) -> str:
    """The class of a DuckDB error, by its type; its text can hold paths and values and goes no further."""
    name = type(error).__name__
    if name == "CatalogException" and "Function" in str(error):
        return "no_such_function"
    return _KINDS.get(name, "failed")
