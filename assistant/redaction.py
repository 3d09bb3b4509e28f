"""What never reaches a log: passwords, PINs, tokens and keys, in whatever sentence or trace they stand.

`install` wraps the formatters of the process's log handlers, so that a secret is cut out of the finished text, exceptions and
their frames included. tests/test_identity.py signs in every way with logging turned up and looks for what was typed.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable

CUT = "[cut]"
_NAMES = r"pass(?:word|wd|code)?|pin|badge|secret|token|api[_-]?key|language_model_key|one_time_password|old|new"
_PATTERNS = (
    re.compile(r"\bandon_[0-9a-f]{8}_[\w-]{16,}"),  # keys of programs
    re.compile(r"(?i)(?<=bearer )[\w.~+/=-]{8,}"),
    re.compile(r"(?i)(?<=andon_session=)[\w-]+|(?<=andon_tablet=)[\w-]+"),
    re.compile(r"\$argon2\w*\$\S+"),
    re.compile(r"(?<=://)[^\s/:@]*:[^\s/@]+(?=@)"),  # user and password in a database's address
    re.compile(rf"(?i)(?<![\w-])(?:{_NAMES})[\"']?\s*[:=]\s*(?P<quote>[\"'])(?P<value>(?:\\.|(?!(?P=quote)).)*)(?P=quote)"),
    re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?-----END [A-Z ]*PRIVATE KEY-----", re.DOTALL),
)


def redacted(text: str) -> str:
    """The text without what looks like a secret; the name before it stays, so that a log still says what was given."""
    for pattern in _PATTERNS:
        text = pattern.sub(_cut, text)
    return text


def _cut(match: re.Match[str]) -> str:
    value = match.groupdict().get("value")
    return CUT if value is None else match.group().replace(value, CUT) if value else match.group()


class Redacting(logging.Formatter):
    """Another formatter's text, redacted."""

    def __init__(self, inner: logging.Formatter) -> None:
        super().__init__()
        self._inner = inner

    def format(self, record: logging.LogRecord) -> str:
        return redacted(self._inner.format(record))


def install(handlers: Iterable[logging.Handler] | None = None) -> None:
    """Redact what these handlers (default: the root logger's) write from now on."""
    for handler in logging.getLogger().handlers if handlers is None else handlers:
        if not isinstance(handler.formatter, Redacting):
            handler.setFormatter(Redacting(handler.formatter or logging.Formatter()))
