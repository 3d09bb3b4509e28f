"""A register of documents without a plant: a small document, people, a verifier and an index that only remembers."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

from tools.access import Caller, Scope
from tools.documents.register import Register
from tools.documents.store import DocumentStore
from tools.documents.tree import Document, Section

START = datetime(2026, 6, 17, 7, 0, tzinfo=UTC)
SAM = Caller("sam", "Sam Becker", "supervisor", via="session")
MAX = Caller("max", "Max Weber", "technician", via="session")
QUINN = Caller("quinn", "Quinn Adler", "quality", via="session")
QUENTIN = Caller("quentin", "Quentin Ott", "quality", via="session")
OLIVIA = Caller("olivia", "Olivia Kern", "operator", Scope(frozenset(("LINE-3",))), "session")
ADA = Caller("ada", "Ada Voss", "administrator", via="session")
EVE = Caller("eve", "Eve Lang", "expert", via="session")
PEOPLE = (SAM, MAX, QUINN, QUENTIN, OLIVIA, ADA, EVE)
PASSWORD = "their own"
PROOF = {"kind": "sop", "arguments": {"task": "clean it", "equipment": "CNC-02"}, "rows": {}, "passages": []}


def a_document(kind: str = "sop", title: str = "Clean the coolant tank") -> Document:
    """Words, steps with a warning, a quotation and a table."""
    sections = (
        Section("Purpose", ({"part": "text", "text": "Keeps the coolant clean.", "markers": []},)),
        Section("Steps", (
            {"part": "text", "text": "Word for word from the manual.", "markers": ["E1"]},
            {"part": "steps", "title": "Cleaning", "marker": "E1", "steps": [
                {"n": 1, "text": "Switch the pump off.", "warning": "DANGER: lock out first."}, {"n": 2, "text": "Drain the tank."}]},
            {"part": "table", "title": "t", "columns": ["a"], "rows": [["7"]], "marker": "E1", "note": ""},
        )),
    )  # fmt: skip
    return Document("", kind, title, "", "Plant", "2026-06-17T09:00+02:00", "Sam Becker", "sam", (), (("Task", "clean"),), sections, ())


@dataclass
class Clock:
    """A clock that goes on by a second each time it is read."""

    now: datetime = START

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


@dataclass
class Passwords:
    """Everybody's password is `PASSWORD`, unless `outcome` says otherwise for a person."""

    outcome: dict[str, str] = field(default_factory=dict)

    def check_signer(self, user, password, now):
        return self.outcome.get(user, "verified" if password == PASSWORD else "wrong")


@dataclass
class RememberingIndex:
    """What an index is told; `fails` makes the next change fail."""

    known: dict[tuple[str, str], tuple[object, list[object]]] = field(default_factory=dict)
    status: dict[tuple[str, str], str] = field(default_factory=dict)
    fails: bool = False

    def add(self, info, passages, alarms=()):
        if self.fails:
            raise KeyboardInterrupt
        self.known[info.document, info.revision] = (info, list(passages))
        self.status[info.document, info.revision] = "effective"

    def retire(self, document, revision=None):
        if self.fails:
            raise KeyboardInterrupt
        if (document, revision) in self.status:
            self.status[document, revision] = "retired"

    def documents(self):
        return [SimpleNamespace(document=d, revision=r, status=s) for (d, r), s in self.status.items()]

    def answering(self) -> set[tuple[str, str]]:
        return {key for key, status in self.status.items() if status == "effective"}


def printed(document, form, signatures=()):
    """A renderer that is quick and shows everything: state, signatures, tree."""
    said = "|".join(f"{s.name};{s.time};{s.meaning};{s.reason}" for s in signatures)
    return f"%PDF {form} {document.status} [{said}] {document.canonical()}".encode()


def a_register(folder, renderer=printed, index=None, passwords=None, clock=None):
    index = index if index is not None else RememberingIndex()
    store = DocumentStore(folder / "documents", folder / "keys")
    return Register(store, passwords or Passwords(), clock or Clock(), lambda: index, renderer)


def brought_to(register, state, kind="sop", author=SAM):
    """A new document, taken to a state by the people who may."""
    made = register.keep(a_document(kind), PROOF, author)
    path = {
        "draft": (), "in_review": ("submit",), "approved": ("submit", "approve"), "effective": ("submit", "approve", "publish"),
        "retired": ("submit", "approve", "publish", "retire"), "superseded": ("submit", "approve", "publish"),
    }[state]  # fmt: skip
    _walk(register, made.id, path, author)
    if state == "superseded":
        register.revise(made.id, author)
        _walk(register, made.id, path, author)
    return made.id


def _walk(register, identity, path, author):
    for step in path:
        who, password = (author, None) if step == "submit" else (QUINN if author != QUINN else QUENTIN, PASSWORD)
        register.take(step, identity, who, password=password, reason="because")
