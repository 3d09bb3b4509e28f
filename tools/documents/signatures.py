"""Electronic signatures: what is signed, by whom, and how the person proved to be that person.

A signature names printed name, role, time, meaning and reason, and covers one manifest: the hashes of the canonical
tree, the template, the proof and the PDF as it was shown. It takes two components: a known person (session or user
name) and that person's password entered again; a badge, a PIN, an API key or impersonation alone never signs. Who
checks the password is a port (`Verifier`), filled by the assistant. tests/test_register.py tries every shortcut.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

Outcome = Literal["verified", "wrong", "locked", "must_change", "too_fresh"]

#: What a person reads when the second component does not hold.
REFUSED: dict[Outcome, str] = {
    "wrong": "The password does not fit this user; nothing was signed.",
    "locked": "This account is locked after too many wrong passwords; nothing was signed. Try again in ten minutes.",
    "must_change": "This password was set by somebody else; its owner has to change it before signing.",
    "too_fresh": "This password was reset less than 24 hours ago; signing is blocked until then.",
}


class Verifier(Protocol):
    """Checks the password of a person who is about to sign; never raises for a wrong one. It counts failures and locks
    the account by itself, and an unknown user costs as much time as a known one."""

    def check_signer(self, user: str, password: str, now: datetime) -> Outcome: ...


@dataclass(frozen=True)
class Manifest:
    """What a signature covers, as SHA-256 of the stored bytes."""

    document: str
    revision: str
    tree: str
    proof: str
    template: str
    pdf: str

    @property
    def text(self) -> str:
        return json.dumps(self.__dict__, sort_keys=True, separators=(",", ":"))

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()


@dataclass(frozen=True)
class Signed:
    """One signature as it is kept; `at` is an aware ISO time, `manifest` the SHA-256 of the manifest signed."""

    number: int
    document: str
    revision: str
    step: str
    user: str
    name: str
    role: str
    via: str
    at: str
    meaning: str
    reason: str
    manifest: str

    def fields(self) -> tuple[str, ...]:
        """What its seal covers: every field."""
        return tuple(str(value) for value in self.__dict__.values())
