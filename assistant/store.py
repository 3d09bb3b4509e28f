"""Andon's own store: users, sessions, conversations, the turn log, confirmations, requests, feedback.

The turn log is a keyed hash chain: each row's MAC covers the row before it and the hash of the recorded turn. The key
and an anchor (count and head, itself keyed) lie outside the database, so a changed, reordered or cut row is found and
located by `verify`. Question and answer text lie beside the hashes and may be erased without breaking the chain.
tests/test_store.py changes, swaps, inserts and cuts rows and proves that each is found.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Column, Connection, Integer, MetaData, String, Table, Text, create_engine, event, select, text
from sqlalchemy.exc import SQLAlchemyError

from assistant.problems import BadQuestion, Conflict, NotAllowed, NotFound, Unavailable
from tools.access import Caller, Scope
from tools.chain import GENESIS, Chain, against

if TYPE_CHECKING:
    from tools.documents.signatures import Outcome

metadata = MetaData()

users = Table(
    "users", metadata,
    Column("user", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("role", String, nullable=False),
    Column("lines", Text),  # JSON list of line ids; NULL = the whole site
    Column("password", Text, nullable=False),
    Column("demo_password", Integer, nullable=False, default=0),
    Column("failures", Integer, nullable=False, default=0),
    Column("locked_until", String),
)  # fmt: skip
credentials = Table(
    "credentials", metadata,
    Column("user", String, primary_key=True),
    Column("reset_at", String),  # when somebody else set the password
    Column("must_change", Integer, nullable=False, default=0),
)  # fmt: skip
sessions = Table(
    "sessions", metadata,
    Column("token_hash", String, primary_key=True),
    Column("user", String, nullable=False),
    Column("created", String, nullable=False),
    Column("expires", String, nullable=False),
)  # fmt: skip
turns = Table(
    "turns", metadata,
    Column("number", Integer, primary_key=True),
    Column("turn", String, unique=True, nullable=False),
    Column("at", String, nullable=False),
    Column("user", String, nullable=False),
    Column("via", String, nullable=False),
    Column("conversation", String, nullable=False),
    Column("record_hash", String, nullable=False),
    Column("mac", String, nullable=False),
    Column("record", Text),  # JSON: question, plan, steps, answer; NULL once erased
)  # fmt: skip
confirmations = Table(
    "confirmations", metadata,
    Column("token", String, primary_key=True),
    Column("user", String, nullable=False),
    Column("tool", String, nullable=False),
    Column("arguments", Text, nullable=False),
    Column("created", String, nullable=False),
    Column("expires", String, nullable=False),
    Column("state", String, nullable=False),  # waiting | accepted | declined
    Column("outcome", Text),
)  # fmt: skip
requests = Table(
    "requests", metadata,
    Column("request", String, primary_key=True),
    Column("kind", String, nullable=False),
    Column("equipment", String),
    Column("text", Text, nullable=False),
    Column("user", String, nullable=False),
    Column("created", String, nullable=False),
    Column("state", String, nullable=False),  # sent | seen | done
)  # fmt: skip
feedback = Table(
    "feedback", metadata,
    Column("id", Integer, primary_key=True),
    Column("turn", String, nullable=False),
    Column("user", String, nullable=False),
    Column("at", String, nullable=False),
    Column("helped", Integer, nullable=False),
    Column("comment", Text),
)  # fmt: skip

_LOCK_AFTER = 5
_LOCK_FOR = timedelta(minutes=10)
#: How long a password that somebody else has set cannot sign.
_SIGNS_AFTER = timedelta(hours=24)
#: Characters.
SHORTEST_PASSWORD = 8


@dataclass(frozen=True)
class Verified:
    """What `verify` found. `broken` names the first turn that does not hold and why; empty when all do."""

    turns: int
    broken: str = ""

    @property
    def intact(self) -> bool:
        return not self.broken


class Store:
    """The store of one state folder. Methods are safe to call from several threads and processes: every append takes
    SQLite's write lock first. Raises Unavailable when the file cannot be used."""

    def __init__(self, path: Path, keys: Path) -> None:
        self._chain = Chain(keys, "turns", "The turn cannot be recorded, so it is not answered; `andon doctor` says why.")
        self._hasher = PasswordHasher()
        #: The scope of a user by role and the places that stand beside them; `assistant.app` asks the plant's policy.
        self.scope_of: Callable[[str, list[str] | None], Scope] = _as_written
        self.lock_after, self.lock_for = _LOCK_AFTER, _LOCK_FOR
        self._engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": 10}, hide_parameters=True)  # no values in its errors

        def prepare(connection: Any, _: object) -> None:
            connection.isolation_level = None  # SQLAlchemy's own BEGIN, see begin_immediate
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=FULL")

        event.listen(self._engine, "connect", prepare)
        event.listen(self._engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
        with self.transaction() as connection:
            metadata.create_all(connection)

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """One write transaction; also for the tables of `assistant.identity`, which lie in the same file."""
        try:
            with self._engine.begin() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise Unavailable("Andon's own store cannot be written; `andon doctor` says why.") from error

    def close(self) -> None:
        self._engine.dispose()

    # Users and sessions

    def put_user(self, user: str, name: str, role: str, lines: list[str] | None, password: str, *, demo: bool = False) -> None:
        """Create or replace a user. `lines` None means the whole site."""
        row = {
            "user": user, "name": name, "role": role, "lines": None if lines is None else json.dumps(lines),
            "password": self._hasher.hash(password), "demo_password": int(demo), "failures": 0, "locked_until": None,
        }  # fmt: skip
        with self.transaction() as connection:
            connection.execute(users.delete().where(users.c.user == user))
            connection.execute(users.insert().values(**row))

    def reset_password(self, user: str, password: str, now: datetime | None = None) -> None:
        """Somebody else sets a person's password: its owner must change it, and it cannot sign for 24 hours.
        Raises NotFound, BadQuestion."""
        now = now or datetime.now(UTC)
        if len(password) < SHORTEST_PASSWORD:
            raise BadQuestion(f"A password has at least {SHORTEST_PASSWORD} characters.")
        with self.transaction() as connection:
            self._set_password(connection, user, password)
            connection.execute(credentials.delete().where(credentials.c.user == user))
            connection.execute(credentials.insert().values(user=user, reset_at=now.isoformat(), must_change=1))
            connection.execute(sessions.delete().where(sessions.c.user == user))

    def change_password(self, user: str, old: str, new: str, now: datetime | None = None) -> None:
        """The owner changes the password. Raises NotAllowed for a wrong old one, BadQuestion for a bad new one."""
        if len(new) < SHORTEST_PASSWORD or new == old:
            raise BadQuestion(f"A new password has at least {SHORTEST_PASSWORD} characters and differs from the old one.")
        if self.authenticate(user, old, now) is None:
            raise NotAllowed("The old password does not fit this user; nothing was changed.")
        with self.transaction() as connection:
            self._set_password(connection, user, new)
            connection.execute(credentials.update().where(credentials.c.user == user).values(must_change=0))

    def _set_password(self, connection: Connection, user: str, password: str) -> None:
        values = {"password": self._hasher.hash(password), "demo_password": 0, "failures": 0, "locked_until": None}
        if not connection.execute(users.update().where(users.c.user == user).values(**values)).rowcount:
            raise NotFound(f"There is no user {user}.")

    def must_change(self, user: str) -> bool:
        """Whether this person's password was set by somebody else and not changed since."""
        with self.transaction() as connection:
            row = connection.execute(select(credentials.c.must_change).where(credentials.c.user == user)).first()
        return bool(row and row[0])

    def check_signer(self, user: str, password: str, now: datetime) -> Outcome:
        """The second component of a signature (`tools.documents.signatures.Verifier`)."""
        if self.authenticate(user, password, now) is None:
            with self.transaction() as connection:
                locked = connection.execute(select(users.c.locked_until).where(users.c.user == user)).scalar()
            return "locked" if locked and datetime.fromisoformat(locked) > now else "wrong"
        with self.transaction() as connection:
            row = connection.execute(select(credentials).where(credentials.c.user == user)).mappings().first()
        if row is None:
            return "verified"
        if row["must_change"]:
            return "must_change"
        fresh = row["reset_at"] and datetime.fromisoformat(row["reset_at"]) + _SIGNS_AFTER > now
        return "too_fresh" if fresh else "verified"

    def callers(self) -> dict[str, Caller]:
        with self.transaction() as connection:
            rows = connection.execute(select(users).order_by(users.c.user)).mappings().all()
        return {row["user"]: self.caller_from(row) for row in rows}

    def has_demo_passwords(self) -> bool:
        with self.transaction() as connection:
            return connection.execute(select(users.c.user).where(users.c.demo_password == 1)).first() is not None

    def authenticate(self, user: str, password: str, now: datetime | None = None) -> Caller | None:
        """The caller, or None. Some failures lock the account for a while (five and ten minutes, unless the policy says
        otherwise); an unknown user costs as much time."""
        now = now or datetime.now(UTC)
        with self.transaction() as connection:
            row = connection.execute(select(users).where(users.c.user == user)).mappings().first()
            if row is None:
                self._hasher.hash(password)
                return None
            if row["locked_until"] and datetime.fromisoformat(row["locked_until"]) > now:
                return None
            try:
                self._hasher.verify(row["password"], password)
            except (VerificationError, InvalidHashError):
                failures = row["failures"] + 1
                locked = (now + self.lock_for).isoformat() if failures >= self.lock_after else None
                values = {"failures": 0 if locked else failures, "locked_until": locked}
                connection.execute(users.update().where(users.c.user == user).values(**values))
                return None
            connection.execute(users.update().where(users.c.user == user).values(failures=0, locked_until=None))
            return self.caller_from(row)

    def caller_from(self, row: Any, via: Any = "session") -> Caller:
        """The caller of a row of `users`."""
        entries = None if row["lines"] is None else json.loads(row["lines"])
        return Caller(row["user"], row["name"], row["role"], self.scope_of(row["role"], entries), via)

    def close_session(self, token: str) -> None:
        """Sign out: the session of this token (`assistant/identity.py` opens them) is no more."""
        with self.transaction() as connection:
            connection.execute(sessions.delete().where(sessions.c.token_hash == digest(token)))

    # The turn log

    def append_turn(self, *, at: datetime, user: str, via: str, conversation: str, record: Mapping[str, Any]) -> str:
        """Record one turn and return its id. The record is JSON; its hash enters the chain.

        The anchor is written twice: before the commit it names the turn as pending, after it as held. A process that
        dies between the two leaves a pending turn, which `verify` tells from a cut tail."""
        turn = secrets.token_hex(8)
        body = json.dumps(record, ensure_ascii=False, sort_keys=True, default=str)
        with self._chain.locked():
            with self.transaction() as connection:
                last = connection.execute(select(turns.c.number, turns.c.mac).order_by(turns.c.number.desc()).limit(1)).first()
                held = (last.number, last.mac) if last else (0, GENESIS)
                row = {
                    "number": held[0] + 1, "turn": turn, "at": at.isoformat(), "user": user, "via": via,
                    "conversation": conversation, "record_hash": digest(body),
                }  # fmt: skip
                mac = self._mac(held[1], row)
                connection.execute(turns.insert().values(**row, mac=mac, record=body))
                self._chain.write(held, (held[0] + 1, mac))
            self._chain.write((held[0] + 1, mac), None)
        return turn

    def turn(self, turn: str) -> dict[str, Any]:
        """One turn as recorded. Raises NotFound."""
        with self.transaction() as connection:
            row = connection.execute(select(turns).where(turns.c.turn == turn)).mappings().first()
        if row is None:
            raise NotFound(f"There is no turn {turn}.")
        return {**{key: row[key] for key in ("turn", "at", "user", "via", "conversation", "record_hash", "mac")},
                "record": json.loads(row["record"]) if row["record"] else None}  # fmt: skip

    def conversation(self, conversation: str, user: str | None = None) -> list[dict[str, Any]]:
        """The turns of a conversation, oldest first; with `user`, only that user's."""
        query = select(turns).where(turns.c.conversation == conversation).order_by(turns.c.number)
        if user is not None:
            query = query.where(turns.c.user == user)
        with self.transaction() as connection:
            rows = connection.execute(query).mappings().all()
        return [{"turn": row["turn"], "at": row["at"], "record": json.loads(row["record"])} for row in rows if row["record"]]

    def erase(self, turn: str) -> None:
        """Remove a turn's text and keep its place and hash in the chain."""
        with self.transaction() as connection:
            connection.execute(turns.update().where(turns.c.turn == turn).values(record=None))

    def verify(self) -> Verified:
        """Re-derive the chain from the first turn to the anchor."""
        with self._chain.locked():
            with self.transaction() as connection:
                rows = connection.execute(select(turns).order_by(turns.c.number)).mappings().all()
            anchor = self._chain.read()
        previous, number = GENESIS, 0
        for row in rows:
            number += 1
            if row["number"] != number:
                return Verified(len(rows), f"a turn is missing before turn {row['turn']}")
            if not hmac.compare_digest(self._mac(previous, row), row["mac"]):
                return Verified(len(rows), f"turn {row['turn']} was changed")
            if row["record"] is not None and digest(row["record"]) != row["record_hash"]:
                return Verified(len(rows), f"the text of turn {row['turn']} was changed")
            previous = row["mac"]
        return Verified(len(rows), against(anchor, number, previous, "turns"))

    def _mac(self, previous: str, row: Any) -> str:
        fields = [row[name] for name in ("number", "turn", "at", "user", "via", "conversation", "record_hash")]
        return self._chain.mac(previous, fields)

    # Confirmations, requests, feedback

    def ask_confirmation(
        self, user: str, tool: str, arguments: Mapping[str, Any], now: datetime, minutes: int = 10
    ) -> tuple[str, datetime]:
        """Keep an action until its person confirms it: (token, expiry)."""
        token, expires = secrets.token_urlsafe(16), now + timedelta(minutes=minutes)
        with self.transaction() as connection:
            connection.execute(
                confirmations.insert().values(
                    token=token, user=user, tool=tool, arguments=json.dumps(dict(arguments), default=str),
                    created=now.isoformat(), expires=expires.isoformat(), state="waiting",
                )
            )  # fmt: skip
        return token, expires

    def take_confirmation(self, token: str, user: str, accept: bool, now: datetime) -> tuple[str, dict[str, Any]]:
        """Settle a confirmation once: (tool, arguments). Raises NotFound (also for another's token) or Conflict."""
        with self.transaction() as connection:
            row = connection.execute(select(confirmations).where(confirmations.c.token == token)).mappings().first()
            if row is None or row["user"] != user:
                raise NotFound("There is nothing to confirm under this token.")
            if row["state"] != "waiting":
                raise Conflict(f"This was already {row['state']}.")
            if datetime.fromisoformat(row["expires"]) <= now:
                raise Conflict("The time to confirm this has passed; ask again.")
            state = "accepted" if accept else "declined"
            connection.execute(confirmations.update().where(confirmations.c.token == token).values(state=state))
        return row["tool"], json.loads(row["arguments"])

    def add_request(self, kind: str, equipment: str | None, words: str, user: str, now: datetime) -> str:
        with self.transaction() as connection:
            count = connection.execute(text("SELECT COUNT(*) FROM requests")).scalar_one()
            request = f"REQ-{count + 1:05d}"
            connection.execute(
                requests.insert().values(
                    request=request, kind=kind, equipment=equipment, text=words, user=user, created=now.isoformat(), state="sent"
                )
            )
        return request

    def add_feedback(self, turn: str, user: str, helped: bool, comment: str | None, now: datetime) -> None:
        self.turn(turn)
        values = {"turn": turn, "user": user, "at": now.isoformat(), "helped": int(helped), "comment": comment}
        with self.transaction() as connection:
            connection.execute(feedback.insert().values(**values))

    def feedback_given(self) -> list[dict[str, Any]]:
        """What people said of answers, oldest first: turn, user, at, helped, comment."""
        with self.transaction() as connection:
            rows = connection.execute(select(feedback).order_by(feedback.c.id)).mappings().all()
        return [{**{key: row[key] for key in ("turn", "user", "at", "comment")}, "helped": bool(row["helped"])} for row in rows]

    def recorded(self, most: int = 5000) -> list[dict[str, Any]]:
        """The newest turns whose text is kept, by user and conversation, oldest first within each."""
        newest = select(turns).where(turns.c.record.is_not(None)).order_by(turns.c.number.desc()).limit(most)
        with self.transaction() as connection:
            rows = sorted(connection.execute(newest).mappings().all(), key=lambda row: (row["user"], row["conversation"], row["number"]))
        return [{**{key: row[key] for key in ("turn", "at", "user", "conversation")}, "record": json.loads(row["record"])} for row in rows]


def _as_written(role: str, entries: list[str] | None) -> Scope:
    return Scope(None if entries is None else frozenset(entries))


def digest(value: str) -> str:
    return hashlib.sha256(value.encode()).hexdigest()
