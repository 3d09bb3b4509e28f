"""A document as a tree: sections of parts, and the sources behind every figure. Everything that is rendered, shown,
verified or stored is made from this one value; `canonical` is what its hash covers.

Parts are dicts with `part` and what belongs to it; words cite their sources inline as [E1], and `markers` names them:
text {text, markers} · heading {text} · list {items, markers} · warning {text, markers}
figures {items: [{label, text, marker, note?}]} · table {title, columns, rows, align, widths, marker, note}
chart {title, block (as `tools.charts` draws it), marker} · fields {title, items: [{label, text, missing}], marker}
steps {title, steps: [{n, text, warning, expected, limits, details, reasons, checkpoint}], skill, marker, source}
quote {text, source, marker} · picture {png (base64), caption, marker} · missing {title, items: [{id, field}], checked, marker}
blank {label, lines} · form {title, columns, rows}: room for people to write
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

Part = dict[str, Any]


@dataclass(frozen=True)
class Section:
    title: str
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Source:
    """Where figures or words come from. A query carries SQL, parameters, row count and the SHA-256 of its rows as
    shown; a passage carries its anchor and the SHA-256 of its text. Times are ISO text.

    To recompute it: `statements` are the statements behind a query as they ran, each `{sql, parameters, row_count,
    rows_sha256}` with `rows_hash` of the database's own rows; `passage_sha256` is that of the whole passage's text."""

    marker: str
    kind: str
    title: str
    sql: str = ""
    parameters: dict[str, Any] | None = None
    row_count: int | None = None
    data_until: str = ""
    document: str = ""
    revision: str = ""
    page: int | None = None
    section: str = ""
    sha256: str = ""
    columns: tuple[str, ...] = ()
    statements: tuple[dict[str, Any], ...] = ()
    passage_sha256: str = ""


@dataclass(frozen=True)
class Document:
    """A drafted document. `status` is `draft`; `scope` is what it is about as (label, text). It was made under the rights
    of `author_id`; `lines` are the lines those reached, empty for the whole site. `skill` is the reader's,
    `template_sha256` that of the kind's declaration and template, `logo` the plant's as `png:`, `jpg:` or `svg:` base64."""

    id: str
    kind: str
    title: str
    standard: str
    plant: str
    created: str
    author: str
    author_id: str
    lines: tuple[str, ...]
    scope: tuple[tuple[str, str], ...]
    sections: tuple[Section, ...]
    sources: tuple[Source, ...]
    status: str = "draft"
    revision: str = "0"
    skill: str = ""
    template_sha256: str = ""
    logo: str = ""

    def canonical(self) -> str:
        """The one JSON text of this document: sorted keys, no spaces."""
        return json.dumps(asdict(self), ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str)

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.canonical().encode()).hexdigest()


def rows_hash(rows: Iterable[Iterable[Any]]) -> str:
    """SHA-256 of a database's answer: each row as JSON, sorted, because equal rows may come in another order."""
    lines = sorted(json.dumps(list(row), ensure_ascii=False, default=str) for row in rows)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def from_json(text: str) -> Document:
    """The document of its canonical text. Raises ValueError when it is none."""
    try:
        data = json.loads(text)
        return Document(**{
            **data,
            "lines": tuple(data["lines"]),
            "scope": tuple((label, words) for label, words in data["scope"]),
            "sections": tuple(Section(item["title"], tuple(item["parts"])) for item in data["sections"]),
            "sources": tuple(_source(item) for item in data["sources"]),
        })  # fmt: skip
    except (KeyError, TypeError, json.JSONDecodeError) as error:
        raise ValueError("this is no document of Andon") from error


def _source(item: dict[str, Any]) -> Source:
    return Source(**{**item, "columns": tuple(item.get("columns", ())), "statements": tuple(item.get("statements", ()))})
