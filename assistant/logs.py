"""The plant's maintenance log and shift notes, from the MES into the index, so that they can be found and cited.

Rows are read through the gate like everything else; what is unchanged since the last time costs nothing. Logs are
text by their authors, never instructions. tests/test_demo.py syncs twice and counts.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

from ingest.logs import LogRow, documents
from retrieval.index import DocumentInfo, Entry, Index
from tools.access import Caller
from tools.evidence import Evidence
from tools.plant_model import Plant
from tools.records import select
from tools.registry import Call, Period

#: How far back a log is indexed, read a month at a time so that no answer of the gate is cut.
_MONTHS = 26
_MOST = 1000

log = logging.getLogger(__name__)


def sync(plant: Plant, index: Index, progress: Callable[[str, float], None] | None = None, now: datetime | None = None) -> int:
    """Index every log entry that is new or changed; returns how many entries the index then holds.

    A plant whose model has no log records has none. Raises ToolError or RetrievalError."""
    sources = [(name, title, read) for name, title, read in _SOURCES if _readable(plant, name)]
    total = 0
    for place, (name, title, read) in enumerate(sources):
        found = (row for part in _months(plant, index, name, now) for row in read(part))
        rows = sorted(found, key=lambda row: (row.date, row.id))
        total += len(rows)
        info = DocumentInfo(f"LOG-{name.upper().replace('_', '-')}", title, "", kind="log")
        known = {item.document: item.content_hash for item in index.documents()}
        changed = [(part, passages) for part, passages in documents(rows, info) if known.get(part.document) != part.content_hash]
        for number, (part, passages) in enumerate(changed):
            index.add_many([Entry(part, passages)])
            if progress is not None:
                progress(f"Indexing {title.lower()}", (place + (number + 1) / len(changed)) / len(sources))
    return total


def _readable(plant: Plant, name: str) -> bool:
    """Whether a plant's model has this log with all that an entry needs; a plant whose log lacks something has none."""
    record = plant.model.records.get(name)
    missing = set(_COLUMNS[name]) - {column.name for column in record.show} if record else set()
    if missing:
        log.warning("%s are not indexed: the plant model shows no %s for them", name, ", ".join(sorted(missing)))
    return record is not None and not missing


def _months(plant: Plant, index: Index, record: str, now: datetime | None) -> Iterator[Evidence]:
    """The rows of a log record, a month at a time, read as the system itself."""
    until = (now or plant.data_until() or datetime.now(plant.zone)).astimezone(plant.zone) + timedelta(days=1)
    call = Call(Caller("system", "Andon", "expert"), until, plant, index)
    end = until
    for _ in range(_MONTHS):
        start = end - timedelta(days=30)
        evidence = select(call, record, None, Period("a month of the log", start, end), columns=_COLUMNS[record], limit=_MOST)
        if evidence.query is not None and evidence.query.row_count > len(evidence.rows):
            log.warning("%s has more than %d entries between %s and %s; the rest is not indexed", record, _MOST, start, end)
        yield evidence
        end = start


_COLUMNS: dict[str, list[str]] = {
    "maintenance_logs": ["id", "equipment", "written", "author", "alarm", "text", "duration_min", "order"],
    "shift_notes": ["id", "line", "shift", "written", "author", "text"],
}


def _maintenance(evidence: Evidence) -> Iterator[LogRow]:
    for row in evidence.rows:
        yield LogRow(
            id=str(row["id"]), equipment=_text(row["equipment"]), date=_date(row["written"]), text=_text(row["text"]),
            author=_text(row["author"]), alarm=_text(row["alarm"]), duration_min=_number(row["duration_min"]),
        )  # fmt: skip


def _notes(evidence: Evidence) -> Iterator[LogRow]:
    for row in evidence.rows:
        text = f"{_text(row['line'])}, {_text(row['shift'])} shift: {_text(row['text'])}"
        yield LogRow(id=str(row["id"]), equipment="", date=_date(row["written"]), text=text, author=_text(row["author"]))


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _date(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else _text(value)


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) else None


_SOURCES: tuple[tuple[str, str, Callable[[Evidence], Iterator[LogRow]]], ...] = (
    ("maintenance_logs", "Maintenance log", _maintenance),
    ("shift_notes", "Shift notes", _notes),
)
