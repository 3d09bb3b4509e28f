"""Files become blocks with anchors: one reader per type, chosen by content first and by name second.

A reader promises the text in reading order, headings with their level, numbered steps kept together, tables as rows
below their header, and the page of each; it never follows a link, runs a script or opens another file. Adding a type
is one reader and one line in `READERS` (`tests/test_readers.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from ingest.readers import data, mail, markup, office, pdf, photos, restructured, word
from ingest.readers.blocks import Block, Content, UnreadableFile, steps_joined

__all__ = ["READERS", "Block", "Content", "UnreadableFile", "read", "reader_name"]

READERS: dict[str, Callable[[Path], Content]] = {
    "pdf": pdf.read,
    "docx": word.read,
    "xlsx": office.read_xlsx,
    "html": markup.read_html,
    "markdown": markup.read_markdown,
    "restructured": restructured.read,
    "email": mail.read,
    "json": data.read_json,
    "jsonl": data.read_jsonl,
    "yaml": data.read_yaml,
    "csv": data.read_csv,
    "text": markup.read_text,
    "picture": photos.read,
}
_SUFFIXES = {
    ".pdf": "pdf", ".docx": "docx", ".xlsx": "xlsx", ".xlsm": "xlsx", ".html": "html", ".htm": "html",
    ".xhtml": "html", ".md": "markdown", ".markdown": "markdown", ".rst": "restructured", ".rest": "restructured", ".eml": "email",
    ".json": "json", ".jsonl": "jsonl", ".ndjson": "jsonl", ".yaml": "yaml", ".yml": "yaml", ".csv": "csv",
    ".tsv": "csv", ".txt": "text", ".text": "text", ".log": "text", ".res": "text", ".ini": "text", ".h": "text",
    ".png": "picture", ".jpg": "picture", ".jpeg": "picture", ".tif": "picture", ".tiff": "picture", ".hpp": "text", ".c": "text", ".st": "text", ".lst": "text",
}  # fmt: skip


_PICTURES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"II*\x00", b"MM\x00*")


def reader_name(path: Path) -> str | None:
    """The key in READERS for a file, by its first bytes and then its name; None when it is nothing we read."""
    with path.open("rb") as file:
        head = file.read(4096)
    if b"%PDF-" in head[:1024]:
        return "pdf"
    if head.startswith(b"PK\x03\x04"):
        return {".docx": "docx", ".xlsx": "xlsx", ".xlsm": "xlsx"}.get(path.suffix.lower())
    named = _SUFFIXES.get(path.suffix.lower())
    if head.startswith(_PICTURES):
        return "picture"
    if named in ("pdf", "docx", "xlsx", "picture"):
        return named  # its reader says what is wrong with it
    if b"\x00" in head and not head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return None
    return named


def read(path: Path) -> Content:
    """Reads one file. Raises UnreadableFile with a reason for people; anything else is a fault of ours."""
    if path.stat().st_size == 0:
        raise UnreadableFile("the file is empty")
    name = reader_name(path)
    if name is None:
        raise UnreadableFile(f"files of type {path.suffix or 'without a suffix'} are not read")
    content = READERS[name](path)
    return replace(content, blocks=tuple(steps_joined(content.blocks)))
