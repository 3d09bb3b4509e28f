"""Field notes: what people on the floor reported that fixed it, from the first word to a source that answers cite.

A note is one person's text. It is proposed by its author, accepted or rejected by somebody else whom the policy names,
and withdrawn by either; every step is one transaction with its entry in a keyed trail (`tools/chain.py`). Only an
accepted note is in the index, as kind `field_note` with author and date; a withdrawal changes the index first and the
store second, an acceptance the other way round, so that a process killed between the two leaves nothing citable that
was not accepted; `reconcile` completes it. tests/test_notes.py.
"""

from __future__ import annotations

import hashlib
import re
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from retrieval.passages import Anchor, DocumentInfo, Passage
from retrieval.wording import normalised
from tools.access import Caller, Policy
from tools.chain import Chain, against
from tools.documents import trail
from tools.documents.life import Refusal
from tools.documents.trail import Draft, Entry
from tools.manuals import FIXED, IN_FULL
from tools.registry import Unavailable

if TYPE_CHECKING:
    from retrieval.index import Index

State = Literal["proposed", "accepted", "rejected", "withdrawn"]
STATES: tuple[State, ...] = ("proposed", "accepted", "rejected", "withdrawn")
Helped = Literal["yes", "no", ""]
FILE = "notes.sqlite"
#: The one revision of a note: what was accepted is never rewritten, it is withdrawn and written anew.
REVISION = "1"
#: Longest texts, in characters. What is longer is refused: a text cut by us would no longer be its author's.
LONGEST: Mapping[str, int] = {"symptom": 500, "action": 1000, "parts": 200, "alarm": 40}
MOST_MINUTES = 14 * 24 * 60
#: Notes of one person that may wait for a review at a time: a flood would bury what others wrote.
MOST_WAITING = 50

_ALARM = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._:/#-]*")
#: What reads as a citation of ours; in a person's text it would open somebody else's source.
_MARK = re.compile(r"\[(E\d+)\]")


@dataclass(frozen=True)
class Said:
    """What a person reports, by taps or by voice: at least what was done. `helped`: whether the answer's advice did.
    `turn`: the answer that it is about, "" for none."""

    action: str
    symptom: str = ""
    alarm: str = ""
    equipment: str = ""
    parts: str = ""
    minutes: int | None = None
    helped: Helped = ""
    turn: str = ""


@dataclass(frozen=True)
class Note:
    """One field note. `at` is the plant's present as ISO with offset; `role` the author's at that time; `reviewer`,
    `reviewed` and `reason` belong to the last step that somebody took with it."""

    note: str
    at: str
    user: str
    name: str
    role: str
    line: str
    equipment: str
    equipment_class: str
    alarm: str
    symptom: str
    action: str
    parts: str
    minutes: int | None
    helped: str
    turn: str
    state: str = "proposed"
    reviewer: str = ""
    reviewed: str = ""
    reason: str = ""

    @property
    def title(self) -> str:
        """A heading made by code, never by the author: "Field note: alarm 502, CNC-02"."""
        about = f"alarm {self.alarm}" if self.alarm else "a symptom"
        return f"Field note: {about}" + (f", {self.equipment}" if self.equipment else "")

    @property
    def text(self) -> str:
        """The note as it is quoted: labels by code, words by the author."""
        said = [f"Alarm {self.alarm}" + (f" on {self.equipment}" if self.equipment else "") + "."] if self.alarm else []
        said += [f"Symptom: {self.symptom}"] if self.symptom else []
        said.append(f"{FIXED}{self.action}")
        said += [f"Parts: {self.parts}"] if self.parts else []
        said += [f"Time: {self.minutes} min"] if self.minutes is not None else []
        return "\n".join(said)


_COLUMNS = tuple(item.name for item in fields(Note))
_SCHEMA = f"""
CREATE TABLE IF NOT EXISTS notes ({", ".join(f"{name} {'INTEGER' if name == 'minutes' else 'TEXT NOT NULL'}" for name in _COLUMNS)},
    PRIMARY KEY (note));
CREATE INDEX IF NOT EXISTS notes_state ON notes (state);
"""


@dataclass(frozen=True)
class _Step:
    """One step of a note's life. `own`: whether its author takes it (True), never takes it (False), or may (None)."""

    sources: tuple[State, ...]
    target: State
    own: bool | None
    reasoned: bool


STEPS: Mapping[str, _Step] = {
    "accept": _Step(("proposed", "rejected"), "accepted", False, False),
    "reject": _Step(("proposed",), "rejected", False, True),
    "withdraw": _Step(("proposed", "accepted"), "withdrawn", None, False),
}


class NoteBook:
    """The field notes of one plant. `clock` gives the real time (aware) for the trail. Methods raise Refusal for what
    a person may not do and Unavailable when store or index fail."""

    def __init__(self, folder: Path, keys: Path, index: Callable[[], Index], policy: Callable[[], Policy],
                 clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:  # fmt: skip
        self._path = folder / FILE
        self._index, self._policy, self._clock = index, policy, clock
        try:
            self._chain = Chain(keys, "notes", "The trail of notes cannot be written, so nothing was changed; `andon doctor` says why.")
        except OSError as error:
            raise _refused(error) from error
        with self._open() as db:
            db.executescript(_SCHEMA + trail.SCHEMA)

    # -- writing one

    def write(self, caller: Caller, said: Said, machine: Any | None, now: datetime) -> Note:
        """Keep what a person reports as a proposed note; the same report of the same answer is kept once. `machine` is
        the plant's own entry of `said.equipment` (id, cls, line), None when no machine is meant."""
        told = _checked(caller, said, machine, self._policy())
        with self._change() as (db, drafts):
            mine = [note for note in _notes(db, "user = ?", (caller.user,)) if note.state == "proposed"]
            for note in mine:
                if (note.turn, note.action, note.equipment, note.alarm) == (told.turn, told.action, told.equipment, told.alarm):
                    return note
            if len(mine) >= MOST_WAITING:
                raise Refusal("conflict", f"{MOST_WAITING} of your notes wait for a review already; nothing more is taken before that.")
            note = Note(
                _next(db), now.isoformat(timespec="seconds"), caller.user, caller.name, caller.role,
                machine.line if machine else "", machine.id if machine else "", machine.cls if machine else "",
                told.alarm, told.symptom, told.action, told.parts, told.minutes, told.helped, told.turn,
            )  # fmt: skip
            _put(db, note)
            drafts.append(self._entry(caller, "written", note, {}, asdict(note), ""))
        return note

    # -- its life

    def take(self, name: str, identity: str, caller: Caller, reason: str = "") -> Note:
        """Accept, reject or withdraw a note. An author never accepts or rejects the own one, and withdraws it without
        anybody's leave; others need the policy's leave for each of the three."""
        step, reason = STEPS[name], _words(reason)[:1000]
        with self._open() as db:
            before = _one(db, identity)
        if before is None or not self.sees(caller, before):
            raise Refusal("missing", f"There is no note {identity}.")
        self._decide(name, step, before, caller, reason)
        if before.state == "accepted":
            self._withdrawn(before)
        try:
            with self._change() as (db, drafts):
                current = _one(db, identity)
                if current != before:
                    raise Refusal("conflict", f"{identity} was changed meanwhile; look at it again.")
                after = replace(before, state=step.target, reviewer=caller.user, reviewed=self._now(), reason=reason)
                _put(db, after)
                drafts.append(self._entry(caller, name, after, _told(before), _told(after), reason))
        except BaseException:
            if before.state == "accepted":
                self.reconcile()
            raise
        if after.state == "accepted":
            self._published(after)
        return after

    def may_review(self, caller: Caller) -> bool:
        return caller.role in self._policy().review_notes

    def _decide(self, name: str, step: _Step, note: Note, caller: Caller, reason: str) -> None:
        own = caller.user == note.user
        if own and step.own is False:
            raise Refusal("not_allowed", f"Nobody decides on the own note; somebody else must {name} {note.note}.")
        if not own and not self.may_review(caller):
            raise Refusal("not_allowed", f"The role {caller.role} may not {name} field notes.")
        if note.state not in step.sources:
            raise Refusal("conflict", f"{note.note} is {note.state}, so nobody can {name} it.")
        if not reason and (step.reasoned or (name == "withdraw" and not own)):
            raise Refusal("wrong", f"Say why you {name} {note.note}; its author reads it.")

    # -- reading

    def sees(self, caller: Caller, note: Note) -> bool:
        """An accepted note is for everybody who may ask; the others for their author and those who review."""
        if not self._policy().may_use(caller, "diagnose").allowed:
            return False
        return note.state == "accepted" or note.user == caller.user or self.may_review(caller)

    def listed(self, caller: Caller, state: str = "", mine: bool = False) -> list[Note]:
        """The notes that this caller may see, newest first."""
        with self._open() as db:
            found = _notes(db, "? IN ('', state)", (state,))
        return [note for note in reversed(found) if self.sees(caller, note) and (not mine or note.user == caller.user)]

    def get(self, caller: Caller, identity: str) -> Note:
        with self._open() as db:
            note = _one(db, identity)
        if note is None or not self.sees(caller, note):
            raise Refusal("missing", f"There is no note {identity}.")
        return note

    def accepted(self) -> list[Note]:
        """Every accepted note, oldest first."""
        with self._open() as db:
            return _notes(db, "state = 'accepted'", ())

    def author_of(self, note: Note) -> str:
        """The author as answers show it: by name, or where the policy keeps names back by role."""
        return note.name if self._policy().name_authors else f"{note.role} of the plant"

    def trail(self, identity: str) -> list[Entry]:
        with self._open() as db:
            return trail.entries(db, document=identity)

    def audit(self) -> list[str]:
        """What does not hold: the chain of the trail, and every note against the last entry that tells of it."""
        with self._chain.locked(), self._open() as db:
            _, said = trail.broken(db, self._chain)
            last: dict[str, Mapping[str, Any]] = {}
            for entry in trail.entries(db, limit=1_000_000):
                last[entry.document] = {**last.get(entry.document, {}), **entry.new}
            notes = _notes(db, "1", ())
        faults = [said] if said else []
        faults += [f"{note.note} was changed by something else than Andon" for note in notes if asdict(note) != last.get(note.note)]
        return faults + [f"{gone} is missing" for gone in sorted(set(last) - {note.note for note in notes})]

    # -- the index in step

    def reconcile(self) -> int:
        """Put into the index what is accepted and take out what is not; returns how many notes it changed."""
        index = self._index()
        known = {info.document: info for info in index.documents() if info.kind == "field_note" and info.document.startswith("NOTE-")}
        accepted = {note.note: note for note in self.accepted()}
        changed = 0
        for identity, info in known.items():
            if identity not in accepted and info.status == "effective":
                index.retire(identity, info.revision)
                changed += 1
        for identity, note in accepted.items():
            there = known.get(identity)
            if there is None or there.status != "effective" or there.content_hash != self._info(note).content_hash:
                self._published(note)
                changed += 1
        return changed

    def _published(self, note: Note) -> None:
        info = self._info(note)
        self._index().add(info, [passage_of(note, info, self.author_of(note))])

    def _withdrawn(self, note: Note) -> None:
        """It answers nothing more; it stays known as retired, so that an old answer can still show its source."""
        self._index().retire(note.note, REVISION)

    def _info(self, note: Note) -> DocumentInfo:
        digest = hashlib.sha256(f"{note.text}|{self.author_of(note)}|{note.at}".encode()).hexdigest()
        return DocumentInfo(
            note.note, note.title, REVISION, kind="field_note", content_hash=digest, equipment_class=note.equipment_class,
            equipment=(note.equipment,) if note.equipment else (),
        )  # fmt: skip

    # -- the store

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(sqlite3.connect(self._path, timeout=10, isolation_level=None)) as db:
                yield db
        except sqlite3.Error as error:
            raise _refused(error) from error

    @contextmanager
    def _change(self) -> Iterator[tuple[sqlite3.Connection, list[Draft]]]:
        """One change with its trail entries, all or nothing."""
        with self._chain.locked(), self._open() as db:
            db.execute("BEGIN IMMEDIATE")
            try:
                if said := against(self._chain.read(), *trail.head(db), "entries"):
                    raise Unavailable(f"The store of notes was changed by something else than Andon ({said}), so nothing was done.")
                drafts: list[Draft] = []
                yield db, drafts
                held, after = trail.append(db, self._chain, drafts)
                db.execute("COMMIT")
            except BaseException:
                if db.in_transaction:
                    db.execute("ROLLBACK")
                raise
            if after != held:
                self._chain.write(after, None)

    def _now(self) -> str:
        return self._clock().isoformat(timespec="seconds")

    def _entry(self, caller: Caller, action: str, note: Note, old: Mapping[str, Any], new: Mapping[str, Any], reason: str) -> Draft:
        return Draft(self._now(), caller.user, caller.name, caller.role, caller.via, action, note.note, REVISION, old, new, reason)


def passage_of(note: Note, info: DocumentInfo, author: str) -> Passage:
    """A note as a citable passage: the author's words as they are, and beside them without the trade's shorthand, so
    that a search in plain words finds them."""
    text = note.text
    plain = normalised(note.action)
    if plain != note.action.lower():
        text += f"{IN_FULL}{plain}"
    digest = hashlib.sha256(f"{text}|{author}|{note.at}".encode()).hexdigest()[:16]
    return Passage(
        id=f"{info.document}@{info.revision}#{digest}", text=text, kind="field_note", block="log",
        anchor=Anchor(info.document, info.revision, None, ""), title=info.title, equipment=info.equipment,
        equipment_class=info.equipment_class, identifiers=tuple(filter(None, (note.note, note.alarm))),
        author=author, date=note.at,
    )  # fmt: skip


def _checked(caller: Caller, said: Said, machine: Any | None, policy: Policy) -> Said:
    """What was reported, as one-line texts of a bearable length about something that exists. Raises Refusal."""
    verdict = policy.may_use(caller, "diagnose")
    if not verdict.allowed:
        raise Refusal("not_allowed", verdict.reason)
    if machine is None and said.equipment:
        raise Refusal("missing", "This machine is not in the plant model; choose another one.")
    if machine is not None and not caller.scope.allows_line(machine.line):
        raise Refusal("not_allowed", f"{machine.name} is not on your lines; somebody of that line writes its notes.")
    told = replace(said, action=_words(said.action), symptom=_words(said.symptom), alarm=_words(said.alarm), parts=_words(said.parts))
    for name, most in LONGEST.items():
        if len(getattr(told, name)) > most:
            raise Refusal("wrong", f"The {name} is longer than {most} characters; say it shorter.")
    if not any(character.isalpha() for character in told.action):
        raise Refusal("wrong", "Say what fixed it: a note holds at least what was done.")
    if told.alarm and not _ALARM.fullmatch(told.alarm):
        raise Refusal("wrong", "The alarm is its code as the machine shows it, such as 502 or AL-1043.")
    if not (told.alarm or told.symptom):
        raise Refusal("wrong", "Say which alarm or which symptom it was.")
    if told.minutes is not None and not 0 <= told.minutes <= MOST_MINUTES:
        raise Refusal("wrong", "The time it took is given in minutes, up to two weeks.")
    return told


def _words(text: str) -> str:
    """A person's words as one line of visible characters that cites nothing of ours."""
    visible = "".join(character if character.isprintable() else " " for character in text)
    return _MARK.sub(r"(\1)", " ".join(visible.split()))


def _told(note: Note) -> dict[str, Any]:
    return {name: getattr(note, name) for name in ("state", "reviewer", "reviewed", "reason")}


def _notes(db: sqlite3.Connection, where: str, values: tuple[str, ...]) -> list[Note]:
    rows = db.execute(f"SELECT {', '.join(_COLUMNS)} FROM notes WHERE {where} ORDER BY note", values)
    return [Note(*row) for row in rows]


def _one(db: sqlite3.Connection, identity: str) -> Note | None:
    return next(iter(_notes(db, "note = ?", (identity,))), None)


def _put(db: sqlite3.Connection, note: Note) -> None:
    db.execute(
        f"INSERT OR REPLACE INTO notes ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})", tuple(asdict(note).values())
    )


def _next(db: sqlite3.Connection) -> str:
    last = db.execute("SELECT MAX(CAST(substr(note, 6) AS INTEGER)) FROM notes").fetchone()[0] or 0
    return f"NOTE-{last + 1:05d}"


def _refused(error: Exception) -> Unavailable:
    return Unavailable(
        "The store of field notes cannot be used; `andon doctor` says why."
        if isinstance(error, sqlite3.Error)
        else f"The machine refused: {error}."
    )
