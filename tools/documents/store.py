"""Where controlled documents are kept: one SQLite file beside a keyed chain.

A document has revisions; a revision has a state, a version (raised with every change, for optimistic locking), its
authors, and its content as blobs named by their SHA-256: the canonical tree, the proof, and once approved the PDF as
it was shown. Every row is sealed with the chain's key, and every change is one transaction with its trail entry.
`audit` re-derives all of it and says which byte of what does not hold. tests/test_document_store.py.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tools.chain import Chain, against
from tools.documents import trail
from tools.documents.signatures import Manifest, Signed
from tools.documents.trail import Entry
from tools.documents.tree import Document, from_json
from tools.registry import Unavailable

FILE = "documents.sqlite"
#: States that only a signature leads to.
_SIGNED = ("approved", "effective", "superseded", "retired")
_CHANGED_OUTSIDE = (
    "The store of documents was changed by something else than Andon ({what}), so nothing was done; `andon documents verify` says where."
)

_SCHEMA = """
CREATE TABLE IF NOT EXISTS revisions (
    document TEXT NOT NULL, revision INTEGER NOT NULL, state TEXT NOT NULL, version INTEGER NOT NULL, kind TEXT NOT NULL,
    title TEXT NOT NULL, created TEXT NOT NULL, changed TEXT NOT NULL, authors TEXT NOT NULL, lines TEXT NOT NULL,
    tree TEXT NOT NULL, proof TEXT NOT NULL, template TEXT NOT NULL, pdf TEXT NOT NULL, occasion TEXT NOT NULL,
    seal TEXT NOT NULL, PRIMARY KEY (document, revision));
CREATE UNIQUE INDEX IF NOT EXISTS revisions_occasion ON revisions (occasion) WHERE occasion <> '';
CREATE TABLE IF NOT EXISTS blobs (sha256 TEXT PRIMARY KEY, content BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS signatures (
    number INTEGER PRIMARY KEY, document TEXT NOT NULL, revision TEXT NOT NULL, step TEXT NOT NULL, user TEXT NOT NULL,
    name TEXT NOT NULL, role TEXT NOT NULL, via TEXT NOT NULL, at TEXT NOT NULL, meaning TEXT NOT NULL,
    reason TEXT NOT NULL, manifest TEXT NOT NULL, seal TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS prepared (
    token TEXT PRIMARY KEY, document TEXT NOT NULL, revision INTEGER NOT NULL, version INTEGER NOT NULL,
    user TEXT NOT NULL, meaning TEXT NOT NULL, reason TEXT NOT NULL, at TEXT NOT NULL, pdf TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS schedules (
    schedule TEXT PRIMARY KEY, kind TEXT NOT NULL, arguments TEXT NOT NULL, trigger TEXT NOT NULL, user TEXT NOT NULL,
    created TEXT NOT NULL, reached TEXT NOT NULL, note TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS served (occasion TEXT PRIMARY KEY);
"""
_COLUMNS = (
    "document", "revision", "state", "version", "kind", "title", "created", "changed", "authors", "lines", "tree", "proof",
    "template", "pdf", "occasion",
)  # fmt: skip


@dataclass(frozen=True)
class Kept:
    """One revision as it is kept. Times are aware ISO texts; `lines` None is the whole site; `tree`, `proof` and `pdf`
    name blobs, `template` is the hash of the template of an approved one; `occasion` is what a schedule made it for."""

    document: str
    revision: int
    state: str
    version: int
    kind: str
    title: str
    created: str
    changed: str
    authors: tuple[str, ...]
    lines: tuple[str, ...] | None
    tree: str
    proof: str
    template: str = ""
    pdf: str = ""
    occasion: str = ""

    @property
    def label(self) -> str:
        return f"{self.document} revision {self.revision}"

    @property
    def manifest(self) -> Manifest:
        return Manifest(self.document, str(self.revision), self.tree, self.proof, self.template, self.pdf)

    def row(self) -> tuple[Any, ...]:
        values = {**self.__dict__, "authors": json.dumps(self.authors), "lines": json.dumps(self.lines)}
        return tuple(values[name] for name in _COLUMNS)


@dataclass
class Change:
    """An open transaction: what is put here is there, with its trail, when the block ends, or nothing of it."""

    db: sqlite3.Connection
    chain: Chain
    entries: list[trail.Draft]

    def blob(self, content: bytes) -> str:
        """Keep bytes; returns their name."""
        name = hashlib.sha256(content).hexdigest()
        self.db.execute("INSERT OR IGNORE INTO blobs VALUES (?, ?)", (name, zlib.compress(content, 6)))
        return name

    def put(self, kept: Kept) -> Kept:
        row = kept.row()
        marks = ", ".join("?" * (len(row) + 1))
        self.db.execute(f"INSERT OR REPLACE INTO revisions VALUES ({marks})", (*row, self.chain.mac("revision", row)))
        return kept

    def get(self, document: str, revision: int | None = None) -> Kept | None:
        """A revision as a step may go on from. Raises Unavailable when it is not as it was kept."""
        found = [kept for kept in self.revisions(document) if revision in (None, kept.revision)]
        return found[-1] if found else None

    def revisions(self, document: str) -> list[Kept]:
        """Every revision of a document, each held against its seal, the trail and, once approved, its signature: a step
        would seal a changed row anew and so hide the change. Raises Unavailable when one does not hold."""
        told = _told([*trail.entries(self.db, document=document, limit=10_000_000), *self.entries])
        found = []
        for row in self.db.execute(f"SELECT {', '.join(_COLUMNS)}, seal FROM revisions WHERE document = ? ORDER BY revision", (document,)):
            said = "was changed" if self.chain.mac("revision", row[:-1]) != row[-1] else self._off(_kept(row[:-1]), told)
            if said:
                raise Unavailable(_CHANGED_OUTSIDE.format(what=f"the record of {row[0]} revision {row[1]} {said}"))
            found.append(_kept(row[:-1]))
        return found

    def _off(self, kept: Kept, told: Mapping[tuple[str, str], Mapping[str, Any]]) -> str:
        last = told.get((kept.document, str(kept.revision)), {})
        if any(last.get(key) != value for key, value in _telling(kept).items()):
            return "is not as the trail says"
        if kept.state not in _SIGNED:
            return ""
        rows = self.db.execute("SELECT * FROM signatures WHERE document = ? AND revision = ?", (kept.document, str(kept.revision)))
        sealed = any(row[11] == kept.manifest.sha256 and self.chain.mac("signature", row[:12]) == row[12] for row in rows)
        return "" if sealed else "has no valid signature over what is stored"

    def sign(self, signed: Signed) -> Signed:
        number = int(self.db.execute("SELECT COALESCE(MAX(number), 0) + 1 FROM signatures").fetchone()[0])
        made = replace(signed, number=number)
        marks = ", ".join("?" * 13)
        self.db.execute(f"INSERT INTO signatures VALUES ({marks})", (*made.__dict__.values(), self.chain.mac("signature", made.fields())))
        return made

    def forget_prepared(self, where: str, value: str) -> None:
        """Drop what was prepared for signing, and its PDF where nobody signed it."""
        gone = [row[0] for row in self.db.execute(f"SELECT pdf FROM prepared WHERE {where}", (value,))]
        self.db.execute(f"DELETE FROM prepared WHERE {where}", (value,))
        for name in gone:
            self.db.execute(
                "DELETE FROM blobs WHERE sha256 = ? AND NOT EXISTS (SELECT 1 FROM revisions WHERE pdf = ?)"
                " AND NOT EXISTS (SELECT 1 FROM prepared WHERE pdf = ?)", (name, name, name),
            )  # fmt: skip

    def next_id(self, year: str) -> str:
        """The next free number of this year."""
        like = f"DOC-{year}-%"
        found = [
            int(row[0].rsplit("-", 1)[1])
            for row in self.db.execute("SELECT DISTINCT document FROM revisions WHERE document LIKE ?", (like,))
        ]
        return f"DOC-{year}-{max(found, default=0) + 1:04d}"


class DocumentStore:
    """The documents of one state folder. Safe over threads and processes. Raises Unavailable when it cannot be used."""

    def __init__(self, folder: Path, keys: Path) -> None:
        self.folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self.chain = Chain(keys, "documents", "The audit trail cannot be written, so nothing was changed; `andon doctor` says why.")
        except OSError as error:
            raise _refused(error) from error
        with self._open() as db:
            db.executescript(_SCHEMA + trail.SCHEMA)

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(_connected(self.folder / FILE)) as db:
                yield db
        except sqlite3.Error as error:
            raise _refused(error) from error

    @contextmanager
    def change(self) -> Iterator[Change]:
        """One change with its trail entries, all or nothing."""
        with self.chain.locked(), self._open() as db:
            db.execute("BEGIN IMMEDIATE")
            try:
                # An entry on top of a trail that does not hold would move the anchor and hide what is missing.
                if said := against(self.chain.read(), *trail.head(db), "entries"):
                    raise Unavailable(_CHANGED_OUTSIDE.format(what=said.replace("the log", "the trail")))
                made = Change(db, self.chain, [])
                yield made
                held, after = trail.append(db, self.chain, made.entries)
                db.execute("COMMIT")
            except BaseException:
                if db.in_transaction:
                    db.execute("ROLLBACK")
                raise
            if after != held:
                self.chain.write(after, None)

    # -- reading

    def get(self, document: str, revision: int | None = None) -> Kept | None:
        """A revision; None for the revision: the newest."""
        with self._open() as db:
            return _get(db, document, revision)

    def revisions(self, document: str) -> list[Kept]:
        """Every revision of a document, oldest first."""
        with self._open() as db:
            return _all(db, "document = ?", (document,))

    def every(self, state: str = "", kind: str = "", author: str = "") -> list[Kept]:
        """Revisions by filter, newest change first."""
        with self._open() as db:
            found = _all(db, "(? = '' OR state = ?) AND (? = '' OR kind = ?)", (state, state, kind, kind))
        return sorted((k for k in found if not author or author in k.authors), key=lambda k: k.changed, reverse=True)

    def blob(self, name: str) -> bytes:
        """Kept bytes. Raises Unavailable when they are gone or are no longer those that were kept."""
        with self._open() as db:
            content = _blob(db, name)
        if content is None or hashlib.sha256(content).hexdigest() != name:
            raise Unavailable("The stored content of this document is damaged; `andon documents verify` says where.")
        return content

    def tree(self, kept: Kept) -> Document:
        """The document of a revision, in its state."""
        return replace(from_json(self.blob(kept.tree).decode()), status=kept.state, revision=str(kept.revision))

    def proof(self, kept: Kept) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.blob(kept.proof))
        return found

    def signatures(self, document: str, revision: int | None = None) -> list[Signed]:
        with self._open() as db:
            found = [Signed(*row[:12]) for row in db.execute("SELECT * FROM signatures WHERE document = ? ORDER BY number", (document,))]
        return [signed for signed in found if revision is None or signed.revision == str(revision)]

    def trail(self, **wanted: Any) -> list[Entry]:
        """Trail entries by filter: document, user, action, since, until, limit."""
        with self._open() as db:
            return trail.entries(db, **wanted)

    # -- what a schedule and a signing need beside documents

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Rows of the tables `prepared` and `schedules`, which their own modules read."""
        with self._open() as db:
            return db.execute(sql, values).fetchall()

    # -- is it still what it was

    def audit(self, document: str = "") -> list[tuple[str, str]]:
        """Everything that does not hold, as (document or "", sentence): bytes of content, rows, signatures, the trail.
        With a document, the contents of the others are left alone; the trail is always checked whole."""
        with self.chain.locked(), self._open() as db:
            _, said = trail.broken(db, self.chain)
            found = [("", f"{said[0].upper()}{said[1:]}.")] if said else []
            entries = [] if said else trail.entries(db, document=document, limit=10_000_000)
            found += self._signature_faults(db, document, entries)
            found += self._record_faults(db, document, entries, trusted=not said)
        return found

    def _signature_faults(self, db: sqlite3.Connection, document: str, entries: Sequence[Entry]) -> Iterator[tuple[str, str]]:
        there = set()
        for row in db.execute("SELECT * FROM signatures ORDER BY number"):
            there.add(row[0])
            if self.chain.mac("signature", row[:12]) != row[12]:
                yield row[1], f"Signature {row[0]} of {row[1]} revision {row[2]} was changed."
        for entry in entries:
            if entry.new.get("signature", 0) not in {*there, 0}:
                yield entry.document, f"Signature {entry.new['signature']} of {entry.document} was removed."

    def _record_faults(self, db: sqlite3.Connection, document: str, entries: Sequence[Entry], trusted: bool) -> Iterator[tuple[str, str]]:
        told, there, current = _told(entries), set(), set()
        for row in db.execute(f"SELECT {', '.join(_COLUMNS)}, seal FROM revisions WHERE ? IN ('', document)", (document,)):
            there.add((row[0], str(row[1])))
            if self.chain.mac("revision", row[:-1]) != row[-1]:
                yield row[0], f"The record of {row[0]} revision {row[1]} was changed."
                continue
            kept = _kept(row[:-1])
            current.add(kept.tree)
            signed = db.execute("SELECT manifest FROM signatures WHERE document = ? AND revision = ?", (kept.document, str(kept.revision)))
            yield from ((kept.document, text) for text in _faults(db, kept, [one[0] for one in signed]))
            last = told.get((kept.document, str(kept.revision)))
            if trusted and (last is None or any(last.get(key) != value for key, value in _telling(kept).items())):
                yield kept.document, f"{kept.label} is not as the trail says."
        for identity, revision in told:
            if (identity, revision) not in there:
                yield identity, f"{identity} revision {revision} was removed."
        for name, entry in {str(entry.new["content"]): entry for entry in entries if "content" in entry.new}.items():
            content = None if name in current else _blob(db, name)
            if name not in current and (content is None or hashlib.sha256(content).hexdigest() != name):
                where = f"{entry.document} at version {entry.new['version']} of revision {entry.revision}"
                yield entry.document, f"The content of {where} was changed or is gone."


def _telling(kept: Kept) -> dict[str, Any]:
    """What a trail entry says of a revision after a change, and `audit` compares with it."""
    return {"state": kept.state, "version": kept.version, "content": kept.tree, "authors": list(kept.authors)}


def told_of(kept: Kept) -> dict[str, Any]:
    """The new (or old) value of a trail entry about a revision."""
    return _telling(kept)


def _told(entries: Sequence[Entry | trail.Draft]) -> dict[tuple[str, str], dict[str, Any]]:
    """What the trail says last of each revision."""
    last: dict[tuple[str, str], dict[str, Any]] = {}
    for entry in entries:
        if entry.document and "state" in entry.new:
            last[entry.document, entry.revision] = dict(entry.new)
    return last


def _faults(db: sqlite3.Connection, kept: Kept, manifests: Sequence[str]) -> Iterator[str]:
    """What of the content of one revision does not hold."""
    for what, name in (("content", kept.tree), ("proof", kept.proof), ("PDF", kept.pdf)):
        if not name:
            continue
        content = _blob(db, name)
        if content is None:
            yield f"The stored {what} of {kept.label} is gone or unreadable."
        elif hashlib.sha256(content).hexdigest() != name:
            yield f"The stored {what} of {kept.label} was changed."
    if kept.state in _SIGNED and kept.manifest.sha256 not in manifests:
        yield f"{kept.label} has no valid signature over what is stored."


def _blob(db: sqlite3.Connection, name: str) -> bytes | None:
    # Bytes whatever the type that somebody wrote: SQLite's own text may be none that reads back.
    row = db.execute("SELECT CAST(content AS BLOB) FROM blobs WHERE sha256 = ?", (name,)).fetchone()
    reader = zlib.decompressobj()
    try:
        content = None if row is None else reader.decompress(row[0])
    except (zlib.error, TypeError):
        return None
    return content if reader.eof and not reader.unused_data else None


def _get(db: sqlite3.Connection, document: str, revision: int | None) -> Kept | None:
    found = _all(db, "document = ? AND (? IS NULL OR revision = ?)", (document, revision, revision))
    return found[-1] if found else None


def _all(db: sqlite3.Connection, where: str, values: Sequence[Any]) -> list[Kept]:
    sql = f"SELECT {', '.join(_COLUMNS)} FROM revisions WHERE {where} ORDER BY document, revision"
    return [_kept(row) for row in db.execute(sql, values)]


def _kept(row: Sequence[Any]) -> Kept:
    values: Mapping[str, Any] = dict(zip(_COLUMNS, row, strict=True))
    lines = json.loads(values["lines"])
    return Kept(**{**values, "authors": tuple(json.loads(values["authors"])), "lines": None if lines is None else tuple(lines)})


def _connected(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, timeout=15.0, isolation_level=None)
    # A damaged letter fails the seal of its own row, by name; refused by the driver, it would close the whole store.
    db.text_factory = lambda held: held.decode(errors="replace")
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA synchronous=FULL")
    return db


def _refused(error: Exception) -> Unavailable:
    text = str(error)
    if "full" in text or "No space" in text or getattr(error, "errno", None) == 28:
        return Unavailable("The disk is full, so nothing was kept; free some space and try again.")
    if "locked" in text:
        return Unavailable("The store of documents is busy; try again.")
    return Unavailable("The store of documents cannot be used, so nothing was changed; `andon doctor` says why.")


def open_document(folder: Path, identity: str) -> Document:
    """The newest revision of a kept document, read alone. Raises KeyError when there is none under this id."""
    path = folder / FILE
    if path.exists():
        with closing(_connected(path)) as db:
            kept = _get(db, identity, None)
            content = _blob(db, kept.tree) if kept else None
        if kept is not None and content is not None:
            return replace(from_json(content.decode()), status=kept.state, revision=str(kept.revision))
    raise KeyError(identity)
