"""E-mail bulletins: subject, sender and day become facts of the document, its text and its attachments the blocks.

Attachments are read by the same readers, in a folder of their own that is gone afterwards; what cannot be read is named
and left. `tests/test_readers.py`.
"""

from __future__ import annotations

import email
import email.policy
import re
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from email.message import EmailMessage
from email.utils import parsedate_to_datetime
from pathlib import Path

from ingest.readers.blocks import Block, Content, UnreadableFile, folded, lines_to_blocks
from ingest.readers.markup import html_blocks

_MOST_ATTACHMENTS = 20
_LARGEST_BYTES = 50_000_000
_MOST_PARTS = 200
#: A mail in a mail in a mail: the third is not opened.
_DEEPEST = 2
#: 20,000 encoded words in one subject took 3 GB to parse; no subject, name or address that matters is as long.
_LONGEST_HEADER = 4_000


class _Policy(email.policy.EmailPolicy):
    """Headers as the library reads them, after so many characters cut off."""

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        name, value = super().header_source_parse(sourcelines)
        return name, value[:_LONGEST_HEADER]


def read(path: Path, depth: int = 0) -> Content:
    """Reads one message. Raises UnreadableFile when it holds neither text nor a readable attachment."""
    if path.stat().st_size > 2 * _LARGEST_BYTES:
        raise UnreadableFile("the message is larger than can be read")
    message = email.message_from_bytes(path.read_bytes(), policy=_Policy())
    if not isinstance(message, EmailMessage):
        raise UnreadableFile("the file is no e-mail message")
    if sum(1 for _, _ in zip(message.walk(), range(_MOST_PARTS + 1), strict=False)) > _MOST_PARTS:
        raise UnreadableFile("the message has more parts than can be read")
    blocks = [*_body(message), *_attachments(message, depth)]
    if not blocks:
        raise UnreadableFile("the message has no text")
    return Content(tuple(blocks), meta=_facts(message))


def _facts(message: EmailMessage) -> dict[str, str]:
    """Who wrote what and when; the day it was sent is the day from which a bulletin counts."""
    facts = {"title": _header(message, "subject"), "author": _header(message, "from"), "kind": "bulletin"}
    try:
        sent = parsedate_to_datetime(str(message["date"])) if message["date"] else None
    except (ValueError, TypeError, IndexError):
        sent = None
    if sent is not None:
        facts["effective"] = sent.date().isoformat()
    return {name: value for name, value in facts.items() if value}


def _header(message: EmailMessage, name: str) -> str:
    try:
        return folded(str(message[name] or ""))
    except (ValueError, TypeError, IndexError, AttributeError):  # what a broken header provokes in its parser
        return ""


def _body(message: EmailMessage) -> list[Block]:
    """The text of the message; HTML where there is no plain text or only a word that there is HTML."""
    plain, html = (_content(message.get_body(preferencelist=(kind,))) for kind in ("plain", "html"))
    if html and len(plain.split()) < 12:
        marked = html_blocks(html)
        if sum(len(" ".join((b.text, *b.items)).split()) for b in marked) > len(plain.split()):
            return marked
    lines = plain.splitlines()
    signature = next((i for i, line in enumerate(lines) if line.rstrip("\r\n") in ("-- ", "--")), len(lines))
    return lines_to_blocks(lines[:signature])


def _content(part: object) -> str:
    if not isinstance(part, EmailMessage):
        return ""
    try:
        content = part.get_content()
    except (LookupError, ValueError, KeyError, AssertionError):  # an unknown charset or a broken transfer encoding
        raw = part.get_payload(decode=True)
        content = raw.decode("utf-8", "replace") if isinstance(raw, bytes) else ""
    return content if isinstance(content, str) else ""


def _attachments(message: EmailMessage, depth: int) -> Iterator[Block]:
    """What is attached, each below a heading with its name; pages of an attachment are not those of the message."""
    from ingest.readers import read as read_file
    from ingest.readers import reader_name

    for number, part in enumerate(message.iter_attachments()):
        if number >= _MOST_ATTACHMENTS:
            return
        name = re.sub(r"[^\w. -]+", "_", Path(part.get_filename() or "").name)[-80:].lstrip(".")
        inner = part.get_content_type() == "message/rfc822"
        if not name and not inner:
            continue
        with tempfile.TemporaryDirectory(prefix="andon-mail-") as folder:
            file = Path(folder) / (name if not inner else "attached.eml")
            try:
                raw = part.get_content() if not inner else part.get_payload(0).as_bytes()  # type: ignore[union-attr]
                data = raw.encode() if isinstance(raw, str) else raw
                if not isinstance(data, bytes) or not data or len(data) > _LARGEST_BYTES:
                    continue
                file.write_bytes(data)
                mail = inner or reader_name(file) == "email"
                if mail and depth >= _DEEPEST:
                    continue
                content = read(file, depth + 1) if mail else read_file(file)
            except (UnreadableFile, LookupError, ValueError, TypeError, AttributeError):
                continue
        yield Block("heading", content.meta.get("title") or file.name, level=1)
        yield from (replace(b, page=None, level=min(6, b.level + 1) if b.kind == "heading" else b.level) for b in content.blocks)
