"""Who somebody is: passwords, PIN and badge on enrolled tablets, keys of programs, and the sessions that they open.

Passwords and PINs are kept as argon2 hashes, badges under a key outside the database, session tokens, tablets' and programs'
keys (all of them long and random) as SHA-256; nothing of them can be read back. What the policy does not let a role do is
refused here, and every change of who may what is one row of a keyed chain. tests/test_identity.py.
"""

from __future__ import annotations

import hmac
import json
import secrets
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Column, Connection, Integer, MetaData, String, Table, Text, select

from assistant.problems import BadQuestion, Conflict, NotAllowed, NotFound, NotSignedIn, TooMany
from assistant.rates import Bucket, Failures
from assistant.store import SHORTEST_PASSWORD, Store, credentials, digest, sessions, users
from tools.access import ROLES, Caller, Policy, Way
from tools.chain import GENESIS, Chain, against

metadata = MetaData()
quick = Table(
    "quick_sign_ins", metadata,
    Column("user", String, primary_key=True),
    Column("pin", Text),  # argon2
    Column("wrong_pins", Integer, nullable=False, default=0),
    Column("badge", String, unique=True),  # HMAC
)  # fmt: skip
tablets = Table(
    "tablets", metadata,
    Column("tablet", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("token_hash", String, unique=True, nullable=False),
    Column("enrolled", String, nullable=False),
    Column("enrolled_by", String, nullable=False),
)  # fmt: skip
shared = Table(
    "shared_sessions", metadata,  # beside `sessions`: those that a PIN or badge opened
    Column("token_hash", String, primary_key=True),
    Column("tablet", String, nullable=False),
    Column("seen", String, nullable=False),
)  # fmt: skip
keys = Table(
    "access_keys", metadata,
    Column("key", String, primary_key=True),
    Column("user", String, nullable=False),
    Column("name", String, nullable=False),
    Column("secret_hash", String, unique=True, nullable=False),
    Column("tools", Text),  # JSON list; NULL: those of the user's role
    Column("created", String, nullable=False),
    Column("expires", String),
    Column("used", String),
)  # fmt: skip
one_time = Table(
    "one_time_passwords", metadata,
    Column("user", String, primary_key=True),
    Column("expires", String, nullable=False),
    Column("used", Integer, nullable=False, default=0),
)  # fmt: skip
changes = Table(
    "identity_changes", metadata,
    Column("number", Integer, primary_key=True),
    Column("at", String, nullable=False),
    Column("by", String, nullable=False),
    Column("action", String, nullable=False),
    Column("subject", String, nullable=False),
    Column("mac", String, nullable=False),
)  # fmt: skip

KEY_PREFIX = "andon_"
ONE_TIME_HOURS = 24
WRONG_PINS = 5
#: A shared session's last use is written at most this often.
_SEEN_EVERY = timedelta(seconds=15)
#: What people choose first; each with eight characters or more, as shorter ones are refused anyway.
_COMMON = frozenset(
    "password passw0rd password1 12345678 123456789 1234567890 qwertyui qwerty123 11111111 00000000 iloveyou administrator andonandon".split()
)


@dataclass(frozen=True)
class SignedIn:
    """A session just opened. `seconds`: how long the cookie is kept."""

    caller: Caller
    token: str
    seconds: int
    must_change: bool


class Identity:
    """Sign-ins and keys over the store of one state folder. Methods are safe to call from several threads."""

    def __init__(self, store: Store, policy: Policy, folder: Path, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._store, self._policy, self._now = store, policy, clock
        self._hasher = PasswordHasher()
        self._badges = Chain(folder, "badges", "")
        self._chain = Chain(folder, "identity", "The change cannot be recorded, so it was not made; `andon doctor` says why.")
        limits = policy.limits
        self._failures = Failures(limits.wrong_from_one_address, limits.locked_minutes * 60)
        self._questions = Bucket(limits.questions_per_minute, limits.questions_at_once)
        with store.transaction() as connection:
            metadata.create_all(connection)

    # -- signing in

    def by_password(self, user: str, password: str, address: str) -> SignedIn:
        """Sign in with a password, from an address. Raises NotSignedIn (whatever was wrong), TooMany, NotAllowed."""
        self._may_try(address)
        now = self._now()
        caller = self._store.authenticate(user, password, now)
        if caller is None or not self._still_valid(caller.user, now):
            self._failures.failed(address)
            raise NotSignedIn("That name and password do not fit together; try again.")
        self._allowed(caller, "password")
        with self._store.transaction() as connection:
            connection.execute(quick.update().where(quick.c.user == caller.user).values(wrong_pins=0))
            token = self._opened(connection, caller, now, self._policy.sessions.hours)
        return SignedIn(caller, token, int(self._policy.sessions.hours * 3600), self._store.must_change(caller.user))

    def by_pin(self, user: str, pin: str, tablet: str, address: str) -> SignedIn:
        """Sign in on an enrolled tablet. After five wrong PINs only the password helps."""
        self._may_try(address)
        name = self._tablet(tablet)
        with self._store.transaction() as connection:
            row = connection.execute(select(quick).where(quick.c.user == user)).mappings().first()
            right = self._pin_fits(connection, row, pin)
            person = connection.execute(select(users).where(users.c.user == user)).mappings().first() if right else None
        if person is None:
            self._failures.failed(address)
            raise NotSignedIn("That name and PIN do not fit together; try again, or use the password.")
        return self._on_tablet(self._store.caller_from(person, "tablet"), name, "pin")

    def by_badge(self, badge: str, pin: str, tablet: str, address: str) -> SignedIn:
        """Sign in on an enrolled tablet with a badge, and the PIN where the policy wants both."""
        self._may_try(address)
        name = self._tablet(tablet)
        with self._store.transaction() as connection:
            row = connection.execute(select(quick).where(quick.c.badge == self._badges.sealed(badge.strip()))).mappings().first()
            right = row is not None and (not self._policy.sessions.badge_needs_pin or self._pin_fits(connection, row, pin))
            person = connection.execute(select(users).where(users.c.user == row["user"])).mappings().first() if row and right else None
        if person is None:
            self._failures.failed(address)
            raise NotSignedIn("This badge is not known here, or its PIN does not fit; use the password.")
        return self._on_tablet(self._store.caller_from(person, "tablet"), name, "badge")

    def _on_tablet(self, caller: Caller, tablet: str, way: Way) -> SignedIn:
        self._allowed(caller, way)
        if self._store.must_change(caller.user):
            raise NotAllowed("Your password was set by somebody else; sign in with it and change it first.")
        now, hours = self._now(), self._policy.sessions.shared_hours
        with self._store.transaction() as connection:
            token = self._opened(connection, caller, now, hours)
            connection.execute(shared.insert().values(token_hash=digest(token), tablet=tablet, seen=now.isoformat()))
        return SignedIn(caller, token, int(hours * 3600), False)

    def _pin_fits(self, connection: Connection, row: Any, pin: str) -> bool:
        """Whether it is the PIN; a wrong one is counted. Somebody without one costs as much time."""
        if row is None or row["pin"] is None or row["wrong_pins"] >= WRONG_PINS:
            self._hasher.hash(pin)
            return False
        try:
            self._hasher.verify(row["pin"], pin)
        except (VerificationError, InvalidHashError):
            connection.execute(quick.update().where(quick.c.user == row["user"]).values(wrong_pins=row["wrong_pins"] + 1))
            return False
        connection.execute(quick.update().where(quick.c.user == row["user"]).values(wrong_pins=0))
        return True

    def _may_try(self, address: str) -> None:
        wait = self._failures.waits(address)
        if wait:
            raise TooMany("Too many wrong sign-ins came from this device; wait some minutes, or ask the administrator.", wait)

    def _allowed(self, caller: Caller, way: Way) -> None:
        if not self._policy.may_sign_in(caller.role, way):
            raise NotAllowed(f"The role {caller.role} does not sign in with a {way}; use the password.")

    @staticmethod
    def _opened(connection: Connection, caller: Caller, now: datetime, hours: float) -> str:
        token = secrets.token_urlsafe(32)
        expires = (now + timedelta(hours=hours)).isoformat()
        connection.execute(sessions.delete().where(sessions.c.expires <= now.isoformat()))
        connection.execute(sessions.insert().values(token_hash=digest(token), user=caller.user, created=now.isoformat(), expires=expires))
        return token

    def _still_valid(self, user: str, now: datetime) -> bool:
        """A one-time password opens one session within its day; one that its owner chose is always valid."""
        if not self._store.must_change(user):
            return True
        with self._store.transaction() as connection:
            row = connection.execute(select(one_time).where(one_time.c.user == user)).mappings().first()
            if row is None:
                return True
            if row["used"] or datetime.fromisoformat(row["expires"]) <= now:
                return False
            connection.execute(one_time.update().where(one_time.c.user == user).values(used=1))
        return True

    # -- who asks

    def caller(self, token: str) -> Caller | None:
        """The person of a session token, or the user of a program's key; None for anything else."""
        now = self._now()
        if token.startswith(KEY_PREFIX):
            return self._of_key(token, now)
        hashed = digest(token)
        with self._store.transaction() as connection:
            row = connection.execute(select(sessions).where(sessions.c.token_hash == hashed)).mappings().first()
            if row is None or datetime.fromisoformat(row["expires"]) <= now:
                return None
            on = connection.execute(select(shared).where(shared.c.token_hash == hashed)).mappings().first()
            if on is not None:
                seen = datetime.fromisoformat(on["seen"])
                if seen + timedelta(minutes=self._policy.sessions.shared_minutes) <= now or not self._is_enrolled(connection, on["tablet"]):
                    connection.execute(sessions.delete().where(sessions.c.token_hash == hashed))
                    connection.execute(shared.delete().where(shared.c.token_hash == hashed))
                    return None
                if now - seen > _SEEN_EVERY:
                    connection.execute(shared.update().where(shared.c.token_hash == hashed).values(seen=now.isoformat()))
            person = connection.execute(select(users).where(users.c.user == row["user"])).mappings().first()
        return None if person is None else self._store.caller_from(person, "session" if on is None else "tablet")

    def _of_key(self, token: str, now: datetime) -> Caller | None:
        with self._store.transaction() as connection:
            row = connection.execute(select(keys).where(keys.c.secret_hash == digest(token))).mappings().first()
            if row is None or (row["expires"] and datetime.fromisoformat(row["expires"]) <= now):
                return None
            connection.execute(keys.update().where(keys.c.key == row["key"]).values(used=now.isoformat()))
            person = connection.execute(select(users).where(users.c.user == row["user"])).mappings().first()
        if person is None or not self._policy.may_sign_in(person["role"], "key"):
            return None
        chosen = None if row["tools"] is None else frozenset(json.loads(row["tools"]))
        return replace(self._store.caller_from(person, "key"), tools=chosen)

    def ask_slowly(self, token: str) -> None:
        """Count one question of a session or key. Raises TooMany when it asks faster than the policy lets it."""
        wait = self._questions.taken(digest(token))
        if wait:
            raise TooMany("These are more questions than a person asks; wait a moment.", wait)

    # -- PIN, badge, tablets, keys

    def set_pin(self, user: str, pin: str, by: str) -> None:
        """Give a person a PIN. Raises BadQuestion for one that is too easy, NotFound."""
        digits = pin.isascii() and pin.isdigit()
        steps = {(ord(right) - ord(left)) % 10 for left, right in pairwise(pin)} if digits else set()
        if not digits or not 4 <= len(pin) <= 12 or (len(steps) == 1 and steps <= {0, 1, 9}):
            raise BadQuestion("A PIN has 4 to 12 digits, not all the same and not counted up or down.")
        self._person(user)
        hashed = self._hasher.hash(pin)
        self._changed(by, "PIN set", user, lambda connection: _put_quick(connection, user, pin=hashed, wrong_pins=0))

    def set_badge(self, user: str, badge: str, by: str) -> None:
        """Give a person a badge, by what its reader types. Raises BadQuestion, Conflict for another's badge, NotFound."""
        said = badge.strip()
        if len(said) < 6:
            raise BadQuestion("A badge's number has at least 6 characters; hold the badge to the reader.")
        self._person(user)
        sealed = self._badges.sealed(said)
        with self._store.transaction() as connection:
            owner = connection.execute(select(quick.c.user).where(quick.c.badge == sealed)).scalar()
        if owner not in (None, user):
            raise Conflict("This badge belongs to somebody else; take it from them first.")
        self._changed(by, "badge set", user, lambda connection: _put_quick(connection, user, badge=sealed))

    def clear_quick(self, user: str, by: str) -> None:
        """Take PIN and badge from a person, and end what they opened."""
        self._person(user)

        def take(connection: Connection) -> None:
            connection.execute(quick.delete().where(quick.c.user == user))
            connection.execute(sessions.delete().where(sessions.c.user == user, sessions.c.token_hash.in_(select(shared.c.token_hash))))

        self._changed(by, "PIN and badge taken", user, take)

    def enrol(self, name: str, by: str) -> tuple[str, str]:
        """Enrol a tablet: (id, token for its cookie)."""
        if not name.strip():
            raise BadQuestion("Name the tablet, such as the place where it hangs.")
        tablet, token = secrets.token_hex(4), secrets.token_urlsafe(32)
        row = {"tablet": tablet, "name": name.strip(), "token_hash": digest(token), "enrolled": self._now().isoformat(), "enrolled_by": by}
        self._changed(
            by, "tablet enrolled", f"{tablet} {row['name']}", lambda connection: connection.execute(tablets.insert().values(**row))
        )
        return tablet, token

    def withdraw_tablet(self, tablet: str, by: str) -> None:
        """A lost tablet: nobody signs in on it any more, and those who are are signed out."""
        self._gone(tablets, tablets.c.tablet, tablet, by, "tablet withdrawn", "There is no such tablet.")

    def is_tablet(self, token: str) -> bool:
        with self._store.transaction() as connection:
            return connection.execute(select(tablets.c.tablet).where(tablets.c.token_hash == digest(token))).first() is not None

    def enrolled(self) -> list[dict[str, Any]]:
        with self._store.transaction() as connection:
            rows = connection.execute(select(tablets).order_by(tablets.c.enrolled)).mappings().all()
        return [{name: row[name] for name in ("tablet", "name", "enrolled", "enrolled_by")} for row in rows]

    def make_key(self, user: str, name: str, by: str, tools: Collection[str] | None = None, days: int | None = None) -> tuple[str, str]:
        """A key for a program that acts with this user's rights, or with some of them: (id, key). The key is shown once."""
        person = self._person(user)
        if not self._policy.may_sign_in(person.role, "key"):
            raise NotAllowed(f"The policy gives the role {person.role} no keys.")
        wrong = sorted(set(tools or ()) - self._policy.tools.get(person.role, frozenset()))
        if wrong:
            raise BadQuestion(f"The role {person.role} has no tool {wrong[0]}, so its key cannot have it.")
        key, now = secrets.token_hex(4), self._now()
        token = f"{KEY_PREFIX}{key}_{secrets.token_urlsafe(32)}"
        row = {
            "key": key, "user": user, "name": name, "secret_hash": digest(token), "tools": None if tools is None else json.dumps(sorted(tools)),
            "created": now.isoformat(), "expires": (now + timedelta(days=days)).isoformat() if days else None,
        }  # fmt: skip
        self._changed(by, "key made", f"{key} {user} {name}", lambda connection: connection.execute(keys.insert().values(**row)))
        return key, token

    def keys_made(self) -> list[dict[str, Any]]:
        with self._store.transaction() as connection:
            rows = connection.execute(select(keys).order_by(keys.c.created)).mappings().all()
        shown = ("key", "user", "name", "created", "expires", "used")
        return [{**{name: row[name] for name in shown}, "tools": json.loads(row["tools"]) if row["tools"] else None} for row in rows]

    def revoke_key(self, key: str, by: str) -> None:
        self._gone(keys, keys.c.key, key, by, "key revoked", "There is no such key.")

    def _gone(self, table: Table, column: Column[Any], value: str, by: str, action: str, missing: str) -> None:
        with self._store.transaction() as connection:
            if connection.execute(select(column).where(column == value)).first() is None:
                raise NotFound(missing)
        self._changed(by, action, value, lambda connection: connection.execute(table.delete().where(column == value)))

    # -- users

    def put_user(self, user: str, name: str, role: str, places: list[str] | None, by: str) -> str:
        """Create a user, or change name, role and places of one: the one-time password of a new one, else ""."""
        if role not in ROLES:
            raise BadQuestion(f"There is no role {role}; there are {', '.join(ROLES)}.")
        if not user.strip() or not name.strip():
            raise BadQuestion("A user has an id and a printed name.")
        values = {"name": name, "role": role, "lines": None if places is None else json.dumps(places)}
        if user in self._store.callers():
            self._changed(
                by, f"user changed: {role} {places}", user, lambda c: c.execute(users.update().where(users.c.user == user).values(**values))
            )
            return ""
        self._changed(by, f"user made: {role} {places}", user, lambda _: None)
        self._store.put_user(user, name, role, places, secrets.token_urlsafe(24))
        return self.reset(user, by)

    def put_user_with(self, password: str, user: str, name: str, role: str, places: list[str] | None, by: str) -> None:
        """Create or replace a user with a password that the administrator chose; who was there already must change it. It is
        recorded first: a change that then fails is one too many in the record, never one too few. Raises BadQuestion."""
        _long_enough(password)
        known = user in self._store.callers()
        self._changed(by, f"user {'replaced' if known else 'made'}: {role} {places}", user, lambda _: None)
        self._store.put_user(user, name, role, places, password)
        if known:
            self.set_password(user, password, by)

    def set_password(self, user: str, password: str, by: str) -> None:
        """A password that somebody else chose for this person, who must change it; an earlier one-time password no longer
        counts. Raises BadQuestion, NotFound."""
        _long_enough(password)
        self._person(user)
        self._changed(by, "password set", user, lambda connection: connection.execute(one_time.delete().where(one_time.c.user == user)))
        self._store.reset_password(user, password, self._now())

    def reset(self, user: str, by: str) -> str:
        """A one-time password for somebody: it opens one session within a day, in which they choose their own."""
        password = "-".join(secrets.token_hex(2) for _ in range(5))
        now = self._now()
        self._store.reset_password(user, password, now)

        def keep(connection: Connection) -> None:
            connection.execute(one_time.delete().where(one_time.c.user == user))
            connection.execute(one_time.insert().values(user=user, expires=(now + timedelta(hours=ONE_TIME_HOURS)).isoformat(), used=0))

        self._changed(by, "one-time password made", user, keep)
        return password

    def change_password(self, user: str, old: str, new: str, token: str = "") -> None:
        """The owner changes the password; sessions of theirs other than this one end. Raises BadQuestion, NotAllowed."""
        named = len(user) > 3 and user.casefold() in new.casefold()
        if new.casefold() in _COMMON or named or len(set(new)) < 4:
            raise BadQuestion("This password is too easy to guess; take several words, or more kinds of characters.")
        self._store.change_password(user, old, new, self._now())
        with self._store.transaction() as connection:
            connection.execute(sessions.delete().where(sessions.c.user == user, sessions.c.token_hash != digest(token)))

    def remove_user(self, user: str, by: str) -> None:
        """A person who has left: no way in is left. What they asked and signed stays under their name."""
        self._person(user)
        admins = [one.user for one in self._store.callers().values() if one.role == "administrator"]
        if admins == [user]:
            raise Conflict("This is the only administrator; name another one first.")

        def take(connection: Connection) -> None:
            for table in (users, credentials, sessions, quick, keys, one_time):
                connection.execute(table.delete().where(table.c.user == user))

        self._changed(by, "user removed", user, take)

    def first_administrator(self) -> tuple[str, str] | None:
        """On a first start: (user, one-time password) of an administrator made now; also while nobody has ever used the one
        that was made before. None once there are people."""
        found = self._store.callers()
        if set(found) - {"admin"} or (found and not self._store.must_change("admin")):
            return None
        if not found:
            return "admin", self.put_user("admin", "Administrator", "administrator", None, "first start")
        return "admin", self.reset("admin", "first start")

    def _person(self, user: str) -> Caller:
        found = self._store.callers().get(user)
        if found is None:
            raise NotFound(f"There is no user {user}.")
        return found

    # -- the record of changes

    def _changed(self, by: str, action: str, subject: str, change: Callable[[Connection], object]) -> None:
        """Carry out a change and record it, both or neither."""
        with self._chain.locked():
            with self._store.transaction() as connection:
                change(connection)
                last = connection.execute(select(changes.c.number, changes.c.mac).order_by(changes.c.number.desc()).limit(1)).first()
                held = (last.number, last.mac) if last else (0, GENESIS)
                row = {"number": held[0] + 1, "at": self._now().isoformat(), "by": by, "action": action, "subject": subject}
                mac = self._chain.mac(held[1], list(row.values()))
                connection.execute(changes.insert().values(**row, mac=mac))
                self._chain.write(held, (held[0] + 1, mac))
            self._chain.write((held[0] + 1, mac), None)

    def changes_made(self) -> list[dict[str, Any]]:
        """Who changed whose access, oldest first: at, by, action, subject."""
        with self._store.transaction() as connection:
            rows = connection.execute(select(changes).order_by(changes.c.number)).mappings().all()
        return [{name: row[name] for name in ("at", "by", "action", "subject")} for row in rows]

    def verify(self) -> str:
        """What is wrong with the record of changes; "" when its chain holds."""
        with self._chain.locked():
            with self._store.transaction() as connection:
                rows = connection.execute(select(changes).order_by(changes.c.number)).mappings().all()
            anchor = self._chain.read()
        previous = GENESIS
        for number, row in enumerate(rows, 1):
            fields = [row[name] for name in ("number", "at", "by", "action", "subject")]
            if row["number"] != number or not hmac.compare_digest(self._chain.mac(previous, fields), row["mac"]):
                return f"change {number} of who may what was altered"
            previous = row["mac"]
        return against(anchor, len(rows), previous, "changes")

    def _tablet(self, token: str) -> str:
        with self._store.transaction() as connection:
            found = connection.execute(select(tablets.c.tablet).where(tablets.c.token_hash == digest(token))).scalar() if token else None
        if found is None:
            raise NotAllowed("PIN and badge work on the plant's own tablets only; an administrator enrols this one, or use the password.")
        return str(found)

    @staticmethod
    def _is_enrolled(connection: Connection, tablet: str) -> bool:
        return connection.execute(select(tablets.c.tablet).where(tablets.c.tablet == tablet)).first() is not None


def _long_enough(password: str) -> None:
    if len(password) < SHORTEST_PASSWORD:
        raise BadQuestion(f"A password has at least {SHORTEST_PASSWORD} characters.")


def _put_quick(connection: Connection, user: str, **values: Any) -> None:
    if not connection.execute(quick.update().where(quick.c.user == user).values(**values)).rowcount:
        connection.execute(quick.insert().values(user=user, **{"wrong_pins": 0, **values}))
