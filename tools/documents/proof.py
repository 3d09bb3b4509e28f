"""What a draft was made from, kept beside it, so that `andon documents verify` can say what has changed since.

The document's own appendix holds every statement with its parameters and row hash, and every cited passage with its
anchor and hash. The proof adds what only a comparison needs: the rows themselves (up to a size), what stood at each
cited anchor, the hash of each cited file, and the request that the draft answered. tests/test_verify.py changes rows,
passages and bytes and finds each.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools.evidence import Evidence

if TYPE_CHECKING:
    from retrieval.index import Index
    from tools.registry import Call

#: Rows of a statement that are kept word for word; beyond it only the first eight characters of their hashes are.
KEPT_ROWS = 5_000

Proof = dict[str, Any]


def proof_of(call: Call, kind: str, arguments: Mapping[str, Any], evidence: Sequence[Evidence]) -> Proof:
    """The request (kind, arguments, moment, machine, whose rights), the rows of every statement, the cited places."""
    caller = call.caller
    return {
        "kind": kind, "arguments": stored({key: value for key, value in arguments.items() if value not in (None, "")}),
        "now": call.now.isoformat(), "equipment": call.equipment,
        "caller": {"user": caller.user, "role": caller.role,
                   "lines": None if caller.scope.lines is None else sorted(caller.scope.lines)},
        "rows": {
            item.marker: [{"order": list(answer.parameters), "rows": kept_rows(answer.rows)} for answer in item.query.answers]
            for item in evidence
            if item.query
        },
        "passages": cited(call.index, evidence),
    }  # fmt: skip


def kept_rows(rows: Sequence[Sequence[Any]]) -> list[str]:
    """Rows as text, sorted; of very many only their hashes, which still tell how many changed."""
    texts = sorted(json.dumps(list(row), ensure_ascii=False, default=str) for row in rows)
    return texts if len(texts) <= KEPT_ROWS else [_short(text) for text in texts]


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def row_changes(before: Sequence[str], now: Sequence[str]) -> tuple[list[str], list[str]]:
    """Rows that are gone and rows that are new, as `kept_rows` gives them."""
    if before and now and before[0].startswith("[") != now[0].startswith("["):
        before, now = ([_short(text) if text.startswith("[") else text for text in rows] for rows in (before, now))
    return _less(before, now), _less(now, before)


def _less(first: Sequence[str], second: Sequence[str]) -> list[str]:
    """The members of `first` beyond those of `second`, each as often as it is more."""
    left: dict[str, int] = {}
    for item in second:
        left[item] = left.get(item, 0) + 1
    out = []
    for item in first:
        if left.get(item, 0):
            left[item] -= 1
        else:
            out.append(item)
    return out


def cited(index: Index, evidence: Sequence[Evidence]) -> list[dict[str, Any]]:
    """Every cited place, once a source: its anchor, and what the index says there."""
    out: list[dict[str, Any]] = []
    for item in evidence:
        for place in dict.fromkeys((q.document, q.revision, q.page, q.section) for q in item.quotes if q.document):
            document, revision, page, section = place
            anchor = {"marker": item.marker, "document": document, "revision": revision, "page": page, "section": section}
            out.append({**anchor, **standing(index, document, revision, page, section)})
    return out


def standing(index: Index, document: str, revision: str, page: int | None, section: str) -> dict[str, Any]:
    """What the index says at an anchor now: {status, passages: sorted hashes of the texts there, file: its hash or ""}."""
    found = [p for p in index.passages(document, revision) if p.anchor.page == page and p.anchor.section == section]
    hashes = sorted(hashlib.sha256("\n".join((p.text, *p.steps)).encode()).hexdigest() for p in found)
    try:
        info = index.document(document, revision)
    except KeyError:
        return {"status": "missing", "passages": hashes, "file": ""}
    return {"status": info.status, "passages": hashes, "file": file_hash(Path(info.source)) if info.kind != "log" else ""}


def file_hash(path: Path) -> str:
    """SHA-256 of a source file; "" when there is none. Hashed again only when its size or times have changed."""
    try:
        status = path.stat()
    except OSError:
        return ""
    return _file_hash(str(path), status.st_size, status.st_mtime_ns, status.st_ctime_ns) if path.is_file() else ""


@lru_cache(maxsize=512)
def _file_hash(path: str, size: int, mtime_ns: int, ctime_ns: int) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


# -- arguments as JSON keeps them, and back


def stored(value: Any) -> Any:
    """A value as JSON holds it, such that `restored` gives it back."""
    if isinstance(value, Mapping):
        return {str(key): stored(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [stored(item) for item in value]
    if hasattr(value, "start") and hasattr(value, "end") and hasattr(value, "text"):
        return {"$period": [value.text, value.start.isoformat(), value.end.isoformat(), bool(getattr(value, "assumed", False))]}
    return value.isoformat() if isinstance(value, datetime | date) else value


def restored(value: Any) -> Any:
    """The value that `stored` was given; a period as a Period."""
    if isinstance(value, list):
        return [restored(item) for item in value]
    if not isinstance(value, dict):
        return value
    if set(value) == {"$period"}:
        from tools.registry import Period

        text, start, end, assumed = value["$period"]
        return Period(text, datetime.fromisoformat(start), datetime.fromisoformat(end), assumed)
    return {key: restored(item) for key, item in value.items()}
