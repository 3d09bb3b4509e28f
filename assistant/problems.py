"""Every failure of the product, in one tree: a code, an HTTP status, one sentence for the person, and who can mend it.

Exceptions of the packages below (tools, retrieval, ingest) are translated here, at one boundary, by `TRANSLATIONS`;
tests/test_problems.py proves that the table covers every public exception. Nothing else decides what a person reads
when something is broken, and no engine text, path or value leaves through it.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from ingest.pipeline import IngestError
from retrieval.index import RetrievalError
from tools.registry import ToolError

Addressee = Literal["operator", "administrator", "engineer"]


class Problem(Exception):
    """A failure with one sentence that says what happened and the next step."""

    code: ClassVar[str] = "internal"
    status: ClassVar[int] = 500
    addressee: ClassVar[Addressee] = "engineer"

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence

    def as_json(self) -> dict[str, object]:
        """The problem as RFC 9457 members."""
        return {
            "type": f"urn:andon:problem:{self.code}",
            "title": self.code.replace("_", " "),
            "status": self.status,
            "detail": self.sentence,
            "addressee": self.addressee,
        }


class BadQuestion(Problem):
    """The question itself cannot be read: empty, too long, not text."""

    code = "bad_question"
    status = 422
    addressee = "operator"


class TooLarge(Problem):
    """What was sent is longer than anything the service takes."""

    code = "too_large"
    status = 413
    addressee = "operator"


class ClientGone(Problem):
    """Nobody waits for the answer any more; raised inside a turn, through its event callback, to stop it."""

    code = "client_gone"
    status = 499
    addressee = "operator"


class NotSignedIn(Problem):
    code = "not_signed_in"
    status = 401
    addressee = "operator"


class TooMany(Problem):
    """One client asks, or tries passwords, faster than a person does; `retry_after_s` says when to come back."""

    code = "too_many"
    status = 429
    addressee = "operator"

    def __init__(self, sentence: str, retry_after_s: int = 1) -> None:
        super().__init__(sentence)
        self.retry_after_s = retry_after_s


class NotAllowed(Problem):
    code = "not_allowed"
    status = 403
    addressee = "administrator"


class NotFound(Problem):
    code = "not_found"
    status = 404
    addressee = "operator"


class Conflict(Problem):
    code = "conflict"
    status = 409
    addressee = "operator"


class Busy(Problem):
    """More questions than the machine can answer now; ask again after `retry_after_s`."""

    code = "busy"
    status = 503
    addressee = "operator"
    retry_after_s = 2


class Unavailable(Problem):
    """A part is down: database, index, model, disk."""

    code = "unavailable"
    status = 503
    addressee = "administrator"


class NoHome(Problem):
    """There is no state folder here yet."""

    code = "no_home"
    status = 500
    addressee = "engineer"


class BadSettings(Problem):
    """The settings file does not hold; the sentence names the setting."""

    code = "bad_settings"
    status = 500
    addressee = "engineer"


class ModelUnusable(Problem):
    """A model file is missing, damaged or of another kind; the sentence names file and remedy."""

    code = "model_unusable"
    status = 503
    addressee = "administrator"


TRANSLATIONS: dict[type[Exception], type[Problem]] = {
    ToolError: Unavailable,
    RetrievalError: Unavailable,
    IngestError: Unavailable,
}


def translated(error: Exception) -> Problem:
    """The problem for an exception of a package below; OSError becomes what the system said, without paths."""
    if isinstance(error, Problem):
        return error
    for kind, problem in TRANSLATIONS.items():
        if isinstance(error, kind):
            return problem(str(error))
    if isinstance(error, OSError):
        return Unavailable(f"The machine refused: {(error.strerror or 'input or output failed').lower()}.")
    return Problem("Something went wrong inside Andon; the log of the service says what.")
