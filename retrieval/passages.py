"""What the index holds and hands out: documents, passages with their anchors, alarm entries, hits; and what may fail.

A passage is the smallest thing that is cited: it carries its own anchor (document, revision, page, section), so that
whoever shows it can open the page it came from. All values are frozen.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

KINDS = ("manual", "sop", "work_instruction", "bulletin", "log", "field_note")
BLOCKS = ("paragraph", "steps", "table", "alarm", "warning", "heading", "log")


class RetrievalError(Exception):
    """Whatever can go wrong in the index; the text is one sentence for whoever runs the plant's server."""


class IndexUnavailable(RetrievalError):
    """The index cannot be opened or written now: locked by another process, disk full, not readable."""


class IndexDamaged(RetrievalError):
    """The files of the index contradict each other in a way that a replay does not mend; rebuild it."""


class ModelMissing(RetrievalError):
    """The folder named for the embedding model does not hold one, or its content is not what was exported."""


@dataclass(frozen=True)
class Anchor:
    """Where a passage stands; `page` counts from 1 and is None where the source has no pages."""

    document: str
    revision: str
    page: int | None
    section: str


@dataclass(frozen=True)
class Passage:
    """One citable piece of a document. `equipment`: the machines it is valid for (ids; empty: all of them), so also
    `variants`; `software` states versions (see `applicability`)."""

    id: str
    text: str
    kind: str
    block: str
    anchor: Anchor
    title: str
    equipment: tuple[str, ...] = ()
    equipment_class: str = ""
    identifiers: tuple[str, ...] = ()
    steps: tuple[str, ...] = ()
    author: str = ""
    date: str = ""
    access: str = "plant"
    variants: tuple[str, ...] = ()
    software: str = ""


@dataclass(frozen=True)
class AlarmEntry:
    """One entry of a published alarm or error list, each field verbatim ("" where the list gives none)."""

    code: str
    title: str
    passage: Passage
    severity: str = ""
    cause: str = ""
    remedy: str = ""
    description: str = ""
    consequence: str = ""
    response_time: str = ""
    list_name: str = ""


@dataclass(frozen=True)
class Hit:
    """A found passage. `score` 0..1: how surely it is about the question; below `rank.UNSURE` nothing relevant exists.
    `how` names what found it: "identifier", "dense", "lexical"."""

    passage: Passage
    score: float
    how: tuple[str, ...]


@dataclass(frozen=True)
class DocumentInfo:
    """One revision of one document. `status`: effective, superseded, retired, pending (effective later) or
    quarantined (could not be read; `reason` says why). `supersedes`: other documents that it takes out of force from
    its own effective date on ("SB-12", or one revision of it, "SB-12@B")."""

    document: str
    title: str
    revision: str
    kind: str = "manual"
    effective: date | None = None
    superseded: date | None = None
    status: str = "effective"
    source: str = ""
    pages: int = 0
    content_hash: str = ""
    equipment: tuple[str, ...] = ()
    equipment_class: str = ""
    language: str = "en"
    access: str = "plant"
    reason: str = ""
    variants: tuple[str, ...] = ()
    software: str = ""
    supersedes: tuple[str, ...] = ()
