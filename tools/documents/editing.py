"""A person's words in a draft: they replace the words of a section and are marked as that person's, with the day.

Figures, tables, charts, steps, quotations and sentences that cite a source stay bound to their evidence; only what is
plain text without a source gives way. tests/test_editing.py.
"""

from __future__ import annotations

from dataclasses import replace

from tools.documents.life import Refusal
from tools.documents.tree import Document, Part, Section

#: Characters of one section's own words.
LONGEST = 20_000


def replaced(document: Document, title: str, text: str, name: str, day: str) -> tuple[Document, str]:
    """The document with `text` as the words of the section called `title` (or numbered so, from 1), and the words that
    stood there. Empty words take a person's earlier words out. Raises Refusal when there is no such section."""
    if len(text) > LONGEST:
        raise Refusal("wrong", f"The words of one section have at most {LONGEST:,} characters.")
    place = place_of(document, title)
    section = document.sections[place]
    parts = _with_words(section, text, name, day)
    sections = (*document.sections[:place], replace(section, parts=parts), *document.sections[place + 1 :])
    return replace(document, sections=sections), words_of(section)


def place_of(document: Document, title: str) -> int:
    """Which section this is. Raises Refusal naming those that exist."""
    wanted = " ".join(title.split()).casefold()
    for place, section in enumerate(document.sections):
        if section.title.casefold() == wanted or str(place + 1) == wanted:
            return place
    known = ", ".join(f"“{section.title}”" for section in document.sections)
    raise Refusal("missing", f"There is no section “{title}”; there are {known}.")


def words_of(section: Section) -> str:
    """The words of a section that a person may replace."""
    return "\n\n".join(part["text"] for part in section.parts if is_free(part) and not part.get("note"))


def is_free(part: Part) -> bool:
    """Plain words without a source."""
    return part["part"] == "text" and not part.get("markers")


def _with_words(section: Section, text: str, name: str, day: str) -> tuple[Part, ...]:
    paragraphs = [" ".join(piece.split()) for piece in text.replace("\r\n", "\n").split("\n\n")]
    written: list[Part] = [{"part": "text", "text": piece, "markers": [], "by": name, "on": day} for piece in paragraphs if piece]
    if written:
        said = f"Words of {name}, {day}; not taken from plant data."
        written.append({"part": "text", "text": said, "markers": [], "by": name, "on": day, "note": True})
    first = next((place for place, part in enumerate(section.parts) if is_free(part)), len(section.parts))
    before = [part for part in section.parts[:first] if not is_free(part)]
    after = [part for part in section.parts[first:] if not is_free(part)]
    return (*before, *written, *after)
