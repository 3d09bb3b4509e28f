"""A keyed hash chain: what is appended cannot be changed, moved, inserted or cut without being found.

Each row's MAC covers the MAC before it and the row's own fields. The key and an anchor (how many rows, and the MAC of
the last) lie outside the database that holds the rows, so a cut tail is found too. The anchor is written twice, before
a commit as pending and after it as held: a process that dies between the two leaves a pending row, which is told from
tampering. The turn log and the trail of documents are such chains; tests/test_store.py and tests/test_trail.py.
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tools.registry import Unavailable

GENESIS = "0" * 64

#: How many rows a chain has and the MAC of the last.
Head = tuple[int, str]


@dataclass(frozen=True)
class Anchor:
    held: Head
    pending: Head | None


class Chain:
    """Key and anchor of one chain, `NAME.key` and `NAME.anchor` in `folder`. Safe over threads and processes.

    `refusal` is the sentence for a person when the anchor cannot be written. Raises Unavailable."""

    def __init__(self, folder: Path, name: str, refusal: str) -> None:
        self._anchor = folder / f"{name}.anchor"
        self._key = _key(folder / f"{name}.key")
        self._refusal = refusal

    def mac(self, previous: str, fields: Sequence[object]) -> str:
        """The MAC of a row: over the MAC before it and its fields as text."""
        return self.sealed(json.dumps([previous, *(str(field) for field in fields)]))

    def sealed(self, text: str) -> str:
        return hmac.new(self._key, text.encode(), hashlib.sha256).hexdigest()

    def is_sealed(self, text: str, seal: str) -> bool:
        return hmac.compare_digest(self.sealed(text), seal)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """One writer or verifier of chain and anchor at a time, over threads and processes."""
        handle = os.open(self._anchor.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def write(self, held: Head, pending: Head | None) -> None:
        """Replace the anchor in one step. Raises Unavailable, and the old one stands."""
        body = json.dumps({"held": held, "pending": pending}, sort_keys=True)
        temporary = self._anchor.with_suffix(".new")
        try:
            with temporary.open("w", encoding="utf-8") as file:
                file.write(f"{body}\n{self.sealed(body)}\n")
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(self._anchor)
        except OSError as error:
            raise Unavailable(self._refusal) from error

    def read(self) -> Anchor | None:
        """The anchor; None when there is none or it was changed."""
        try:
            body, seal = self._anchor.read_text(encoding="utf-8").splitlines()
        except (OSError, ValueError):
            return None
        if not self.is_sealed(body, seal):
            return None
        data = json.loads(body)
        return Anchor(_head(data["held"]), _head(data["pending"]) if data["pending"] else None)


def against(anchor: Anchor | None, number: int, head: str, what: str) -> str:
    """What an anchor says against a chain of `number` rows that ends in `head`; "" when they agree. `what` names the
    rows: turns, entries."""
    if anchor is None:
        return "" if number == 0 else "the anchor is missing or was changed"
    if (number, head) in (anchor.held, anchor.pending):
        return ""
    return f"the log holds {number} {what}, the anchor {anchor.held[0]}: {what} at the end were removed or added"


def _head(pair: Sequence[object]) -> Head:
    return int(str(pair[0])), str(pair[1])


def _key(path: Path) -> bytes:
    """The chain's key, made once, readable by its owner alone."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not path.exists():
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return _key(path)
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(32))
            file.flush()
            os.fsync(file.fileno())
    key = path.read_bytes()
    if len(key) != 32:
        raise Unavailable(f"The key {path.name} is damaged; restore it from the backup of the state folder.")
    return key
