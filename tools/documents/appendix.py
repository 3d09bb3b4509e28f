"""The data appendix: what each piece of evidence was made from, so that anybody can recompute it.

A query names its statements as they ran, with parameters, row counts and hashes of the database's own rows; a passage
names document, revision, page, section and the hash of its whole text. tests/test_document_figures.py runs every
statement of every kind again and compares the hashes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from tools.documents.tree import Source, rows_hash
from tools.evidence import Evidence, Query


def source(item: Evidence) -> Source:
    """An evidence as the appendix shows and `verify` recomputes it."""
    if item.query is not None:
        return _query_source(item, item.query)
    if not item.quotes:
        return Source(
            item.marker, item.kind, item.title, row_count=len(item.rows), sha256=_sha(_rows_json(item)),
            columns=tuple(column.name for column in item.columns),
        )  # fmt: skip
    first = item.quotes[0]
    whole = max((quote.text for quote in item.quotes), key=len)
    return Source(
        item.marker, item.kind, item.title, document=first.document, revision=first.revision, page=first.page,
        section=first.section, sha256=_sha("\n".join(quote.text for quote in item.quotes)), passage_sha256=_sha(whole),
    )  # fmt: skip


def _query_source(item: Evidence, query: Query) -> Source:
    return Source(
        item.marker, "query", item.title, query.sql, plain(query.parameters), query.row_count,
        query.data_until.isoformat() if query.data_until else "", sha256=_sha(_rows_json(item)),
        columns=tuple(column.name for column in item.columns), statements=tuple(_statement(answer) for answer in query.answers),
    )  # fmt: skip


def _statement(answer: Any) -> dict[str, Any]:
    return {
        "sql": answer.sql, "parameters": plain(answer.parameters), "row_count": len(answer.rows),
        "rows_sha256": rows_hash(answer.rows), "truncated": answer.truncated,
    }  # fmt: skip


def plain(parameters: Mapping[str, object]) -> dict[str, Any]:
    """Bound values as JSON holds them; times become text."""
    found: dict[str, Any] = json.loads(json.dumps(dict(parameters), default=str, ensure_ascii=False))
    return found


def _rows_json(item: Evidence) -> str:
    return json.dumps([dict(row) for row in item.rows], sort_keys=True, default=str, ensure_ascii=False)


def _sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
