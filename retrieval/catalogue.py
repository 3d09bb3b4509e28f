"""The truth of the index: documents, revisions, passages and alarm entries in one SQLite file.

Vectors (float16) lie here too, so the dense and the lexical half can be rebuilt from this file alone, without
embedding anything again. Every change is one transaction that also raises the generation; whoever holds answers
compares generations. `tests/test_index.py` proves that a process killed between the halves loses nothing.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retrieval import codes, identifiers, readings
from retrieval.passages import AlarmEntry, Anchor, DocumentInfo, IndexDamaged, IndexUnavailable, Passage
from retrieval.revisions import Revision, newest

Vectors = NDArray[np.float32]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS documents (
    document TEXT NOT NULL, revision TEXT NOT NULL, title TEXT NOT NULL, kind TEXT NOT NULL,
    effective TEXT, superseded TEXT, retired INTEGER NOT NULL DEFAULT 0, source TEXT NOT NULL, pages INTEGER NOT NULL,
    content_hash TEXT NOT NULL, equipment TEXT NOT NULL, equipment_class TEXT NOT NULL, language TEXT NOT NULL,
    access TEXT NOT NULL, generation INTEGER NOT NULL, PRIMARY KEY (document, revision));
CREATE TABLE IF NOT EXISTS passages (
    id TEXT PRIMARY KEY, document TEXT NOT NULL, revision TEXT NOT NULL, ordinal INTEGER NOT NULL, text TEXT NOT NULL,
    kind TEXT NOT NULL, block TEXT NOT NULL, page INTEGER, section TEXT NOT NULL, title TEXT NOT NULL,
    equipment TEXT NOT NULL, equipment_class TEXT NOT NULL, identifiers TEXT NOT NULL, steps TEXT NOT NULL,
    author TEXT NOT NULL, date TEXT NOT NULL, access TEXT NOT NULL, vector BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS passages_document ON passages (document, revision, ordinal);
CREATE INDEX IF NOT EXISTS passages_block ON passages (block);
CREATE TABLE IF NOT EXISTS alarms (
    passage_id TEXT NOT NULL, code TEXT NOT NULL, key TEXT NOT NULL, bare TEXT NOT NULL, title TEXT NOT NULL,
    severity TEXT NOT NULL, cause TEXT NOT NULL, remedy TEXT NOT NULL, description TEXT NOT NULL,
    consequence TEXT NOT NULL, response_time TEXT NOT NULL, list_name TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS alarms_bare ON alarms (bare);
CREATE INDEX IF NOT EXISTS alarms_passage ON alarms (passage_id);
CREATE TABLE IF NOT EXISTS mentions (bare TEXT NOT NULL, key TEXT NOT NULL, passage_id TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS mentions_bare ON mentions (bare);
CREATE INDEX IF NOT EXISTS mentions_passage ON mentions (passage_id);
CREATE TABLE IF NOT EXISTS sources (
    path TEXT PRIMARY KEY, content_hash TEXT NOT NULL, stamp TEXT NOT NULL, document TEXT NOT NULL,
    revision TEXT NOT NULL, reason TEXT NOT NULL);
"""

_PASSAGE_COLUMNS = (
    "id, text, kind, block, document, revision, page, section, title, equipment, equipment_class, identifiers, steps, "
    "author, date, access, variants, software"
)
_STORED_COLUMNS = (
    "id, document, revision, ordinal, text, kind, block, page, section, title, equipment, equipment_class, identifiers, "
    "steps, author, date, access, vector, variants, software"
)
# Columns that came later: a store that lacks them gets them when it is opened, with what "says nothing" is.
_LATER = (
    ("documents", "variants", "TEXT NOT NULL DEFAULT '[]'"),
    ("documents", "software", "TEXT NOT NULL DEFAULT ''"),
    ("documents", "supersedes", "TEXT NOT NULL DEFAULT '[]'"),
    ("passages", "variants", "TEXT NOT NULL DEFAULT '[]'"),
    ("passages", "software", "TEXT NOT NULL DEFAULT ''"),
)
#: Passages kept in memory, about 2 kB each.
_KEPT_PASSAGES = 50_000
_ALARM_COLUMNS = "code, title, severity, cause, remedy, description, consequence, response_time, list_name"


class Catalogue:
    """The SQLite file. Readable from any thread; one writer at a time (the index holds the lock)."""

    def __init__(self, path: Path, today: Callable[[], date] | None = None) -> None:
        self.path = path
        self._today = today
        self._local = threading.local()
        self._statuses: tuple[int, dict[date | None, dict[tuple[str, str], str]]] = (-1, {})
        self._kept: tuple[int, dict[str, Passage]] = (-1, {})
        self.prepare()

    def prepare(self) -> None:
        """Makes the tables that are missing and gives an earlier version's store what came later."""
        with self.write() as db:
            for statement in (_SCHEMA + codes.SCHEMA + readings.SCHEMA).split(";"):
                db.execute(statement)
            for table, column, kind in _LATER:
                if column not in {row[1] for row in db.execute(f"PRAGMA table_info({table})")}:
                    db.execute(f"ALTER TABLE {table} ADD COLUMN {column} {kind}")
            codes.fill(db)

    def _connection(self) -> sqlite3.Connection:
        db: sqlite3.Connection | None = getattr(self._local, "db", None)
        if db is None:
            try:
                db = sqlite3.connect(self.path, timeout=30.0, isolation_level=None)
                db.execute("PRAGMA journal_mode=WAL")
                db.execute("PRAGMA synchronous=FULL")  # the flip must survive a power cut, not only a crash
            except sqlite3.Error as error:
                raise IndexUnavailable(f"The document catalogue {self.path.name} cannot be opened: {error}.") from error
            self._local.db = db
        return db

    def close(self) -> None:
        """Closes the calling thread's connection."""
        db: sqlite3.Connection | None = getattr(self._local, "db", None)
        if db is not None:
            db.close()
            self._local.db = None

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """One transaction, all or nothing; raises IndexUnavailable when the disk is full or the file is locked."""
        db = self._connection()
        try:
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
            except BaseException:
                db.execute("ROLLBACK")
                raise
            db.execute("COMMIT")
        except sqlite3.OperationalError as error:
            if db.in_transaction:
                db.execute("ROLLBACK")
            full = "full" in str(error)
            raise IndexUnavailable(
                "The disk is full: nothing was added; free some space and run ingest again."
                if full
                else f"The document catalogue cannot be written now: {error}."
            ) from error
        except sqlite3.DatabaseError as error:
            raise IndexDamaged(f"The document catalogue {self.path.name} is damaged: {error}.") from error

    def select(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The rows of one statement. Raises IndexUnavailable or IndexDamaged."""
        try:
            return self._connection().execute(sql, values).fetchall()
        except sqlite3.OperationalError as error:
            raise IndexUnavailable(f"The document catalogue cannot be read now: {error}.") from error
        except sqlite3.DatabaseError as error:
            raise IndexDamaged(f"The document catalogue {self.path.name} is damaged: {error}.") from error

    def meta(self, name: str, default: str = "") -> str:
        rows = self.select("SELECT value FROM meta WHERE name = ?", (name,))
        return str(rows[0][0]) if rows else default

    def set_meta(self, name: str, value: str) -> None:
        with self.write() as db:
            db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, value))

    def generation(self) -> int:
        return int(self.meta("generation", "0"))

    # -- writing ---------------------------------------------------------------------------------------------------

    def put(self, documents: Sequence[tuple[DocumentInfo, Sequence[Passage], Sequence[Vectors], Sequence[AlarmEntry]]]) -> None:
        """Adds or replaces whole revisions in one transaction, with one vector, (dimension,), a passage."""
        with self.write() as db:
            generation = self._raise_generation(db)
            for info, passages, vectors, alarms in documents:
                _delete_revision(db, info.document, info.revision)
                _insert_document(db, info, generation)
                _insert_passages(db, passages, vectors)
                _insert_alarms(db, alarms)

    def drop(self, document: str, revision: str | None = None) -> list[str]:
        """Removes a document (or one revision of it); returns the ids of the passages that went."""
        pairs = self.select(
            "SELECT document, revision FROM documents WHERE document = ? AND (? IS NULL OR revision = ?)",
            (document, revision, revision),
        )
        with self.write() as db:
            self._raise_generation(db)
            return [gone for pair in pairs for gone in _delete_revision(db, *pair)]

    def retire(self, document: str, revision: str | None = None) -> None:
        with self.write() as db:
            self._raise_generation(db)
            db.execute(
                "UPDATE documents SET retired = 1 WHERE document = ? AND (? IS NULL OR revision = ?)",
                (document, revision, revision),
            )

    def set_source(self, path: str, content_hash: str, stamp: str, document: str, revision: str, reason: str) -> None:
        """Remembers what a file was when it was last looked at; `reason` is set when it was quarantined."""
        with self.write() as db:
            db.execute(
                "INSERT OR REPLACE INTO sources VALUES (?, ?, ?, ?, ?, ?)",
                (path, content_hash, stamp, document, revision, reason),
            )

    def set_sources(self, rows: Iterable[tuple[str, str, str, str, str, str]]) -> None:
        with self.write() as db:
            db.executemany("INSERT OR REPLACE INTO sources VALUES (?, ?, ?, ?, ?, ?)", list(rows))

    def sources(self) -> dict[str, tuple[str, str, str, str, str]]:
        """path -> (content hash, stamp, document, revision, reason)."""
        rows = self.select("SELECT path, content_hash, stamp, document, revision, reason FROM sources")
        return {r[0]: (r[1], r[2], r[3], r[4], r[5]) for r in rows}

    def move_source(self, old: str, new: str, stamp: str) -> None:
        """A file lies elsewhere now: what is remembered of it, and its documents, follow."""
        with self.write() as db:
            db.execute("DELETE FROM sources WHERE path = ?", (new,))
            db.execute("UPDATE sources SET path = ?, stamp = ? WHERE path = ?", (new, stamp, old))
            db.execute("UPDATE documents SET source = ? WHERE source = ?", (new, old))

    def forget_source(self, path: str) -> None:
        with self.write() as db:
            db.execute("DELETE FROM sources WHERE path = ?", (path,))

    def replace_derived(self, passages: Sequence[Passage], vectors: Vectors, row: int) -> None:
        """Other vectors, (n, dimension), and readings for passages that are there; `row` is remembered as how far a
        rebuild came."""
        ids = [p.id for p in passages]
        with self.write() as db:
            self._raise_generation(db)
            packed = [v.astype(np.float16).tobytes() for v in vectors]
            db.executemany("UPDATE passages SET vector = ? WHERE id = ?", list(zip(packed, ids, strict=True)))
            codes.replace(db, ids, vectors)
            readings.write(db, passages)
            db.execute("INSERT OR REPLACE INTO meta VALUES ('rebuilding', ?)", (str(row),))

    def batches(self, after: int, size: int) -> Iterator[tuple[int, list[str]]]:
        """(last row, passage ids), in the order in which they were added, after a row."""
        while rows := self.select("SELECT rowid, id FROM passages WHERE rowid > ? ORDER BY rowid LIMIT ?", (after, size)):
            after = int(rows[-1][0])
            yield after, [r[1] for r in rows]

    def _raise_generation(self, db: sqlite3.Connection) -> int:
        row = db.execute("SELECT value FROM meta WHERE name = 'generation'").fetchone()
        generation = int(row[0]) + 1 if row else 1
        db.execute("INSERT OR REPLACE INTO meta VALUES ('generation', ?)", (str(generation),))
        return generation

    # -- reading ---------------------------------------------------------------------------------------------------

    def statuses(self, on: date | None = None) -> dict[tuple[str, str], str]:
        """(document, revision) -> effective, superseded, pending or retired, on that day (default: today); kept per
        generation for the days lately asked about."""
        generation = self.generation()
        day = self.day(on)
        if self._statuses[0] != generation or len(self._statuses[1]) > 30:
            self._statuses = (generation, {})
        kept = self._statuses[1]
        if day not in kept:
            rows = self.select("SELECT document, revision, effective, superseded, retired, generation, supersedes FROM documents")
            kept[day] = _statuses(rows, day)
        return kept[day]

    def day(self, on: date | None = None) -> date | None:
        """The day on which statuses are meant; None where the newest revision stands."""
        return on or (self._today() if self._today else None)

    def documents(self, on: date | None = None) -> list[DocumentInfo]:
        statuses = self.statuses(on)
        rows = self.select(
            "SELECT document, title, revision, kind, effective, superseded, source, pages, content_hash, equipment, "
            "equipment_class, language, access, variants, software, supersedes FROM documents ORDER BY document, generation"
        )
        infos = [_document(row) for row in rows]
        known = [replace(i, status=statuses.get((i.document, i.revision), "retired")) for i in infos]
        quarantined = [
            DocumentInfo(Path(path).stem, Path(path).name, "", status="quarantined", source=path, content_hash=h, reason=r)
            for path, (h, _, _, _, r) in sorted(self.sources().items())
            if r
        ]
        return known + quarantined

    def passages(self, ids: Sequence[str]) -> dict[str, Passage]:
        """The passages of these ids. Those read lately are kept, until something changes: a filter that leaves little
        makes search look at thousands."""
        generation = self.generation()
        if self._kept[0] != generation:
            self._kept = (generation, {})
        kept = self._kept[1]
        missing = [name for name in ids if name not in kept]
        if len(kept) + len(missing) > _KEPT_PASSAGES:
            kept = {}
            missing = list(ids)
        for start in range(0, len(missing), 500):
            chunk = missing[start : start + 500]
            marks = ",".join("?" * len(chunk))
            for row in self.select(f"SELECT {_PASSAGE_COLUMNS} FROM passages WHERE id IN ({marks})", chunk):
                kept[row[0]] = _passage(row)
        if self._kept[0] == generation and len(kept) <= _KEPT_PASSAGES:
            self._kept = (generation, kept)
        return {name: kept[name] for name in ids if name in kept}

    def passages_of(self, document: str, revision: str) -> list[Passage]:
        rows = self.select(
            f"SELECT {_PASSAGE_COLUMNS} FROM passages WHERE document = ? AND revision = ? ORDER BY ordinal",
            (document, revision),
        )
        return [_passage(row) for row in rows]

    def steps(self) -> list[Passage]:
        return [_passage(r) for r in self.select(f"SELECT {_PASSAGE_COLUMNS} FROM passages WHERE block = 'steps'")]

    def vectors(self, ids: Sequence[str]) -> dict[str, Vectors]:
        found: dict[str, Vectors] = {}
        for start in range(0, len(ids), 500):
            chunk = ids[start : start + 500]
            marks = ",".join("?" * len(chunk))
            for name, blob in self.select(f"SELECT id, vector FROM passages WHERE id IN ({marks})", chunk):
                found[name] = np.frombuffer(blob, np.float16).astype(np.float32)
        return found

    def readings(self, passages: Sequence[Passage]) -> list[bytes]:
        """What each of these says (see `retrieval/readings.py`), made on the spot where the store has none of today's."""
        kept: dict[str, bytes] = {}
        for start in range(0, len(passages), 500):
            chunk = [p.id for p in passages[start : start + 500]]
            marks = ",".join("?" * len(chunk))
            rows = self.select(
                f"SELECT passage_id, said FROM readings WHERE passage_id IN ({marks}) AND mark = ?", (*chunk, readings.mark())
            )
            kept |= dict(rows)
        return [kept.get(p.id) or readings.reading_of(p) for p in passages]

    def ids(self) -> list[tuple[str, str]]:
        """(passage id, access class) of everything in the catalogue, whatever its status."""
        return [(r[0], r[1]) for r in self.select("SELECT id, access FROM passages")]

    def alarms(self, code_key: str) -> list[tuple[int, AlarmEntry]]:
        """Entries whose code may be `code_key`, with their nearness (see identifiers), best first."""
        rows = self.select(
            f"SELECT a.key, a.passage_id, {_prefixed('a', _ALARM_COLUMNS)} FROM alarms a WHERE a.bare = ? ORDER BY a.rowid",
            (identifiers.bare(code_key),),
        )
        near = [(identifiers.nearness(code_key, r[0]), r) for r in rows]
        near = [(n, r) for n, r in near if n]
        passages = self.passages([r[1] for _, r in near])
        found = [(n, AlarmEntry(passage=passages[r[1]], **_alarm_fields(r[2:]))) for n, r in near if r[1] in passages]
        return sorted(found, key=lambda pair: -pair[0])

    def alarm_codes(self) -> list[tuple[str, str]]:
        """(code, passage id) of every alarm entry, for coverage reports."""
        return [(r[0], r[1]) for r in self.select("SELECT code, passage_id FROM alarms")]

    def mentions(self, code_key: str) -> list[str]:
        """Ids of the passages that mention exactly this code."""
        rows = self.select("SELECT key, passage_id FROM mentions WHERE bare = ?", (identifiers.bare(code_key),))
        return [r[1] for r in rows if identifiers.nearness(code_key, r[0]) >= 2]


def _statuses(rows: Iterable[tuple[Any, ...]], today: date | None) -> dict[tuple[str, str], str]:
    """Of the revisions whose day has come the newest stands, as `revisions.newest` orders them."""
    by_document: dict[str, list[Revision]] = {}
    statuses: dict[tuple[str, str], str] = {}
    replaced: dict[tuple[str, str], list[str]] = {}
    for document, revision, effective, superseded, retired, generation, supersedes in rows:
        if retired:
            statuses[(document, revision)] = "retired"
        elif superseded and (today is None or superseded <= today.isoformat()):
            statuses[(document, revision)] = "superseded"
        elif effective and today is not None and effective > today.isoformat():
            statuses[(document, revision)] = "pending"
        else:
            statuses[(document, revision)] = "superseded"
            by_document.setdefault(document, []).append(Revision(revision, effective or "", generation))
            replaced[(document, revision)] = json.loads(supersedes)
    for document, standing in by_document.items():
        statuses[(document, newest(standing))] = "effective"
    _replace_others(statuses, replaced)
    return statuses


def _replace_others(statuses: dict[tuple[str, str], str], replaced: dict[tuple[str, str], list[str]]) -> None:
    """A document in force takes out of force what it names; two that name each other both stand."""
    edges = {
        (pair[0], gone) for pair, names in replaced.items() if statuses[pair] == "effective"
        for name in names for gone in statuses
        if gone[0] != pair[0] and name.casefold() in (gone[0].casefold(), f"{gone[0]}@{gone[1]}".casefold())
    }  # fmt: skip
    named = {(by, gone[0]) for by, gone in edges}
    for by, gone in edges:
        if statuses[gone] == "effective" and (gone[0], by) not in named:
            statuses[gone] = "superseded"


def _prefixed(table: str, columns: str) -> str:
    return ", ".join(f"{table}.{c.strip()}" for c in columns.split(","))


def _delete_revision(db: sqlite3.Connection, document: str, revision: str) -> list[str]:
    chosen = "(SELECT id FROM passages WHERE document = ? AND revision = ?)"
    gone = [r[0] for r in db.execute(f"SELECT id FROM passages WHERE id IN {chosen}", (document, revision))]
    db.execute(f"DELETE FROM alarms WHERE passage_id IN {chosen}", (document, revision))
    db.execute(f"DELETE FROM mentions WHERE passage_id IN {chosen}", (document, revision))
    db.execute(f"DELETE FROM codes WHERE passage_id IN {chosen}", (document, revision))
    db.execute(f"DELETE FROM readings WHERE passage_id IN {chosen}", (document, revision))
    db.execute("DELETE FROM passages WHERE document = ? AND revision = ?", (document, revision))
    db.execute("DELETE FROM documents WHERE document = ? AND revision = ?", (document, revision))
    return gone


def _insert_document(db: sqlite3.Connection, info: DocumentInfo, generation: int) -> None:
    db.execute(
        "INSERT INTO documents VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
        (
            info.document, info.revision, info.title, info.kind,
            info.effective.isoformat() if info.effective else None,
            info.superseded.isoformat() if info.superseded else None,
            int(info.status == "retired"), info.source, info.pages, info.content_hash, json.dumps(info.equipment),
            info.equipment_class, info.language, info.access, generation, json.dumps(info.variants), info.software,
            json.dumps(info.supersedes),
        ),
    )  # fmt: skip


def _insert_passages(db: sqlite3.Connection, passages: Sequence[Passage], vectors: Sequence[Vectors]) -> None:
    db.executemany(
        f"INSERT OR REPLACE INTO passages ({_STORED_COLUMNS}) VALUES ({','.join('?' * 20)})",
        [
            (
                p.id, p.anchor.document, p.anchor.revision, ordinal, p.text, p.kind, p.block, p.anchor.page,
                p.anchor.section, p.title, json.dumps(p.equipment), p.equipment_class, json.dumps(p.identifiers),
                json.dumps(p.steps), p.author, p.date, p.access, vectors[ordinal].astype(np.float16).tobytes(),
                json.dumps(p.variants), p.software,
            )
            for ordinal, p in enumerate(passages)
        ],
    )  # fmt: skip
    codes.write(db, passages, vectors)
    readings.write(db, passages)
    db.executemany(
        "INSERT INTO mentions VALUES (?,?,?)",
        [(identifiers.bare(k), k, p.id) for p in passages for k in dict.fromkeys(map(identifiers.key, p.identifiers))],
    )


def _insert_alarms(db: sqlite3.Connection, alarms: Sequence[AlarmEntry]) -> None:
    rows = []
    for entry in alarms:
        fields = asdict(replace(entry, passage=None))  # type: ignore[arg-type]  # asdict would copy the passage
        code_key = identifiers.key(entry.code)
        rows.append(
            (
                entry.passage.id,
                entry.code,
                code_key,
                identifiers.bare(code_key),
                *tuple(fields[c.strip()] for c in _ALARM_COLUMNS.split(",")[1:]),
            )
        )
    db.executemany("INSERT INTO alarms VALUES (?,?,?,?,?,?,?,?,?,?,?,?)", rows)


def _document(row: tuple[Any, ...]) -> DocumentInfo:
    return DocumentInfo(
        document=row[0], title=row[1], revision=row[2], kind=row[3],
        effective=date.fromisoformat(row[4]) if row[4] else None,
        superseded=date.fromisoformat(row[5]) if row[5] else None,
        source=row[6], pages=row[7], content_hash=row[8], equipment=tuple(json.loads(row[9])),
        equipment_class=row[10], language=row[11], access=row[12],
        variants=tuple(json.loads(row[13])), software=row[14], supersedes=tuple(json.loads(row[15])),
    )  # fmt: skip


def _listed(text: str) -> tuple[str, ...]:
    return () if text == "[]" else tuple(json.loads(text))


def _passage(row: tuple[Any, ...]) -> Passage:
    return Passage(
        id=row[0], text=row[1], kind=row[2], block=row[3], anchor=Anchor(row[4], row[5], row[6], row[7]), title=row[8],
        equipment=_listed(row[9]), equipment_class=row[10], identifiers=_listed(row[11]),
        steps=_listed(row[12]), author=row[13], date=row[14], access=row[15],
        variants=_listed(row[16]), software=row[17],
    )  # fmt: skip


def _alarm_fields(values: Sequence[Any]) -> dict[str, str]:
    return dict(zip((c.strip() for c in _ALARM_COLUMNS.split(",")), map(str, values), strict=True))
