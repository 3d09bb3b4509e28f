"""Guided runs kept: an append-only SQLite file of runs and their events, so that a run goes on after a restart where it
stood; and the record of a run as a document.

Two tablets that go on with the same run at once cannot both write its next event: the second is told to look again.
tests/test_guided.py ends the process between events and goes on.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from tools.documents.guided import Event, Run, replayed, within
from tools.documents.tree import Document, Part, Section, Source
from tools.evidence import MISSING
from tools.registry import ToolError, Unavailable

_SCHEMA = """
CREATE TABLE IF NOT EXISTS runs (id TEXT PRIMARY KEY, user TEXT NOT NULL, started TEXT NOT NULL, body TEXT NOT NULL, record TEXT);
CREATE TABLE IF NOT EXISTS events (run TEXT NOT NULL REFERENCES runs, seq INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY (run, seq));
CREATE TRIGGER IF NOT EXISTS events_stay BEFORE UPDATE ON events BEGIN SELECT RAISE(ABORT, 'events are kept'); END;
CREATE TRIGGER IF NOT EXISTS events_remain BEFORE DELETE ON events BEGIN SELECT RAISE(ABORT, 'events are kept'); END;
"""


class Overtaken(ToolError):
    """Somebody else went on with this run meanwhile."""


class Runs:
    """The runs of one state folder. Safe for several threads: each call has its own connection."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(self.path, timeout=5.0)) as db:
                db.execute("PRAGMA journal_mode = WAL")
                db.execute("PRAGMA synchronous = FULL")
                db.executescript(_SCHEMA)
                with db:
                    yield db
        except sqlite3.IntegrityError as error:
            raise Overtaken("Somebody went on with this run on another device; look again.") from error
        except (sqlite3.Error, OSError) as error:
            raise Unavailable("The store of guided runs cannot be used now.") from error

    def start(self, run: Run) -> Run:
        """Keep a new run and give it its id."""
        named = replace(run, id=f"RUN-{uuid.uuid4().hex[:10].upper()}")
        body = {key: value for key, value in asdict(named).items() if key not in ("events", "place", "state")}
        with self._open() as db:
            db.execute("INSERT INTO runs (id, user, started, body) VALUES (?, ?, ?, ?)", (named.id, named.user, named.started, _json(body)))
        return named

    def get(self, identity: str) -> Run:
        """A run as its events left it. Raises KeyError."""
        with self._open() as db:
            row = db.execute("SELECT body FROM runs WHERE id = ?", (identity,)).fetchone()
            events = db.execute("SELECT body FROM events WHERE run = ? ORDER BY seq", (identity,)).fetchall()
        if row is None:
            raise KeyError(identity)
        body = json.loads(row[0])
        return replayed(Run(**{**body, "steps": tuple(body["steps"])}), [Event(**json.loads(text)) for (text,) in events])

    def append(self, before: Run, after: Run) -> None:
        """Keep what a command added. Raises Overtaken when the run has gone on meanwhile."""
        new = after.events[len(before.events) :]
        with self._open() as db:
            for place, event in enumerate(new, len(before.events) + 1):
                db.execute("INSERT INTO events (run, seq, body) VALUES (?, ?, ?)", (after.id, place, _json(asdict(event))))

    def open_runs(self, user: str | None) -> list[Run]:
        """Runs under way, newest first; of everybody when `user` is None."""
        with self._open() as db:
            rows = db.execute("SELECT id FROM runs WHERE ? IS NULL OR user = ? ORDER BY started DESC LIMIT 200", (user, user)).fetchall()
        return [run for (identity,) in rows if (run := self.get(identity)).state == "running"]

    def record(self, identity: str) -> str:
        """The id of the document that records this run; "" when there is none yet."""
        with self._open() as db:
            row = db.execute("SELECT record FROM runs WHERE id = ?", (identity,)).fetchone()
        return str(row[0]) if row and row[0] else ""

    def recorded(self, identity: str, document: str) -> None:
        with self._open() as db:
            db.execute("UPDATE runs SET record = ? WHERE id = ? AND record IS NULL", (document, identity))


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)


def events_sha256(run: Run) -> str:
    """SHA-256 over every event of a run, in order."""
    return hashlib.sha256("\n".join(_json(asdict(event)) for event in run.events).encode()).hexdigest()


def record_of(run: Run, plant: str, source: Source, created: str, lines: tuple[str, ...] = ()) -> Document:
    """What was done, as a document: people and times, every step with its readings, deviations, confirmations and notes.
    `source` is the procedure (its marker E1); the events themselves are the second source."""
    events = Source("E2", "record", f"Events of {run.id}", row_count=len(run.events), sha256=events_sha256(run))
    people = sorted({run.name, *(event.name for event in run.events), *(str(event.data["name"]) for event in run.events if event.command == "second")})
    ended = run.events[-1].at if run.events else run.started
    fields: Part = {
        "part": "fields", "title": "Run", "marker": "E2", "source": "",
        "items": [{"label": label, "text": text or MISSING, "missing": False} for label, text in (
            ("Run", run.id), ("State", run.state), ("Started", _time(run.started)), ("Ended", _time(ended) if run.state != "running" else ""),
            ("Machine", run.equipment), ("Product", run.product), ("Reader", run.skill), ("People", ", ".join(people)),
        )],
    }  # fmt: skip
    procedure = f"{run.source.get('title')} ({run.source.get('document')}), revision {run.source.get('revision')}, {run.source.get('section')}"
    sections = (
        Section("Run", (fields, {"part": "text", "text": f"Carried out from {procedure}. [E1]", "markers": ["E1"]})),
        Section("Steps", (_steps(run),)),
        Section("Deviations", (_listed(run, ("deviate", "stop"), "Deviations and stops", "No deviation was recorded."),)),
        Section("Notes", (_listed(run, ("note",), "Notes", "No note was made."),)),
        Section("Review", ({"part": "form", "title": "Signatures", "columns": ["", "Name", "Date", "Signature"],
                            "rows": [["Carried out by", "", "", ""], ["Checked by", "", "", ""]]},)),
    )  # fmt: skip
    scope = tuple((label, text) for label, text in (("Equipment", run.equipment), ("Product", run.product)) if text)
    return Document(
        "", "execution_record", f"Execution record: {run.title}", "", plant, created, run.name, run.user, lines, scope, sections, (source, events)
    )


def _steps(run: Run) -> Part:
    rows = []
    for place, step in enumerate(run.steps):
        here = [event for event in run.events if event.step == place]
        check = step.get("checkpoint") or {}
        done = next((event for event in reversed(here) if event.command == "next"), None)
        readings = [
            f"{event.data['value']:g} {event.data['unit']}{'' if within(check['readings'][event.data['index']], event.data['value']) else ' (outside)'}"
            for event in here
            if event.command == "reading"
        ]
        rows.append([
            str(step["n"]), str(step["text"]), str(step.get("expected") or ""), ", ".join(readings),
            "; ".join(str(event.data["reason"]) for event in here if event.command == "deviate"),
            ", ".join(str(event.data["name"]) for event in here if event.command == "second"),
            done.name if done else "not done", _time(done.at) if done else "",
        ])  # fmt: skip
    columns = ["Step", "What", "Expected", "Readings", "Deviation", "Second person", "Done by", "Time"]
    return {
        "part": "table", "title": "", "columns": columns, "rows": rows, "align": ["right", *["left"] * 7],
        "widths": [4, 34, 26, 14, 16, 12, 14, 12], "marker": "E2", "note": "",
    }  # fmt: skip


def _listed(run: Run, commands: tuple[str, ...], title: str, none: str) -> Part:
    rows = [[str(event.step + 1), _time(event.at), event.name, event.command, str(event.data.get("reason", ""))] for event in run.events if event.command in commands]
    if not rows:
        return {"part": "text", "text": f"{none} [E2]", "markers": ["E2"]}
    return {
        "part": "table", "title": title, "columns": ["Step", "Time", "Person", "What", "Reason"], "rows": rows,
        "align": ["right", "left", "left", "left", "left"], "widths": [4, 16, 18, 10, 50], "marker": "E2", "note": "",
    }  # fmt: skip


def _time(text: str) -> str:
    return text.replace("T", " ")[:16]
