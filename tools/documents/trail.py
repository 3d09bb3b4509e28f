"""The audit trail of documents: who did what, when, with which old and new value, and why; appended, never changed.

Each entry is chained to the one before it with a key outside the database, and an anchor file holds count and head
(`tools/chain.py`). An entry is written in the same transaction as what it tells of, so neither exists without the
other, whenever the process dies. tests/test_trail.py kills it at each step and tampers with every column.
"""

from __future__ import annotations

import csv
import io
import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from tools.chain import GENESIS, Chain, Head, against

SCHEMA = """
CREATE TABLE IF NOT EXISTS trail (
    number INTEGER PRIMARY KEY, at TEXT NOT NULL, user TEXT NOT NULL, name TEXT NOT NULL, role TEXT NOT NULL,
    via TEXT NOT NULL, action TEXT NOT NULL, document TEXT NOT NULL, revision TEXT NOT NULL, old TEXT NOT NULL,
    new TEXT NOT NULL, reason TEXT NOT NULL, mac TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS trail_document ON trail (document, number);
"""
COLUMNS = ("number", "at", "user", "name", "role", "via", "action", "document", "revision", "old", "new", "reason")


@dataclass(frozen=True)
class Entry:
    """One entry. `old` and `new` are JSON objects with what changed; `at` is an aware ISO time."""

    number: int
    at: str
    user: str
    name: str
    role: str
    via: str
    action: str
    document: str
    revision: str
    old: Mapping[str, Any]
    new: Mapping[str, Any]
    reason: str


@dataclass(frozen=True)
class Draft:
    """An entry about to be written; the trail numbers it."""

    at: str
    user: str
    name: str
    role: str
    via: str
    action: str
    document: str
    revision: str
    old: Mapping[str, Any]
    new: Mapping[str, Any]
    reason: str = ""


def append(db: sqlite3.Connection, chain: Chain, drafts: Sequence[Draft]) -> tuple[Head, Head]:
    """Write entries into an open transaction of the chain's only writer, the anchor as pending; returns the heads
    before and after. The caller commits, then writes the anchor as held."""
    held = head(db)
    number, mac = held
    for draft in drafts:
        number += 1
        row = (
            number, draft.at, draft.user, draft.name, draft.role, draft.via, draft.action, draft.document, draft.revision,
            _json(draft.old), _json(draft.new), draft.reason,
        )  # fmt: skip
        mac = chain.mac(mac, row)
        db.execute(f"INSERT INTO trail ({', '.join(COLUMNS)}, mac) VALUES ({', '.join('?' * 13)})", (*row, mac))
    chain.write(held, (number, mac))
    return held, (number, mac)


def head(db: sqlite3.Connection) -> Head:
    row = db.execute("SELECT number, mac FROM trail ORDER BY number DESC LIMIT 1").fetchone()
    return (int(row[0]), str(row[1])) if row else (0, GENESIS)


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(dict(value), ensure_ascii=False, sort_keys=True, default=str)


def entries(db: sqlite3.Connection, *, document: str = "", user: str = "", action: str = "", since: str = "",
            until: str = "", limit: int = 10_000) -> list[Entry]:  # fmt: skip
    """Entries in order, those that fit every filter given. `since` and `until` are aware ISO times in UTC, half open."""
    wheres, values = ["1"], []
    for column, value in (("document", document), ("user", user), ("action", action)):
        if value:
            wheres.append(f"{column} = ?")
            values.append(value)
    for test, value in (("at >= ?", since), ("at < ?", until)):
        if value:
            wheres.append(test)
            values.append(value)
    sql = f"SELECT {', '.join(COLUMNS)} FROM trail WHERE {' AND '.join(wheres)} ORDER BY number LIMIT {int(limit)}"
    return [_entry(row) for row in db.execute(sql, values)]


def _entry(row: Sequence[Any]) -> Entry:
    data = dict(zip(COLUMNS, row, strict=True))
    return Entry(**{**data, "old": json.loads(data["old"]), "new": json.loads(data["new"])})


def broken(db: sqlite3.Connection, chain: Chain) -> tuple[int, str]:
    """How many entries there are, and the first place where the chain does not hold ("" when it does). The caller
    holds the chain's lock."""
    number, mac = 0, GENESIS
    for row in db.execute(f"SELECT {', '.join(COLUMNS)}, mac FROM trail ORDER BY number"):
        number += 1
        if row[0] != number:
            return number, f"an entry of the trail is missing before number {row[0]}"
        if chain.mac(mac, row[:12]) != row[12]:
            return number, f"entry {number} of the trail was changed"
        mac = row[12]
    said = against(chain.read(), number, mac, "entries")
    return number, said.replace("the log holds", "the trail holds")


def as_csv(found: Iterable[Entry]) -> str:
    """The trail for a spreadsheet. A cell that a spreadsheet would compute is quoted."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for entry in found:
        row = asdict(entry)
        writer.writerow([_cell(_json(row[name]) if name in ("old", "new") else str(row[name])) for name in COLUMNS])
    return out.getvalue()


def _cell(text: str) -> str:
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
