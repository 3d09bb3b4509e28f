"""The plant's maintenance log and shift notes, from the MES into the index, so that they can be found and cited.

Rows are read through the gate like everything else; what is unchanged since the last time costs nothing. `sync` reads
the whole log; a `Follower` beside the service reads its last days again and again, so that an entry is found minutes
after it was written, a changed one is replaced and a deleted one is gone. Logs are text by their authors, never
instructions. tests/test_demo.py syncs twice and counts; tests/test_logs.py lets a log grow.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from ingest.describe import UNREVISED
from ingest.logs import LogRow, documents, grown, hashed, taught
from retrieval.index import DocumentInfo, Entry, Index, RetrievalError
from tools.access import Caller
from tools.evidence import Evidence
from tools.plant_model import Plant
from tools.records import select
from tools.registry import Call, Period, ToolError, Unanswerable

#: How far back a log is indexed, read a month at a time.
_MONTHS = 26
#: Entries of one answer of the gate. A time with more is read in halves, down to an hour.
_MOST = 1000
_SHORTEST = timedelta(hours=1)
#: How far back a follower looks for entries that were added, changed or deleted, and how often.
FOLLOWED_DAYS = 8
EVERY_S = 60.0

log = logging.getLogger(__name__)


def sync(plant: Plant, index: Index, progress: Callable[[str, float], None] | None = None, now: datetime | None = None) -> int:
    """Index every log entry that is new or changed; returns how many entries the index then holds.

    A plant whose model has no log records has none. Raises ToolError or RetrievalError."""
    sources = [(name, title, read) for name, title, read in _SOURCES if _readable(plant, name)]
    total = 0
    for place, (name, title, read) in enumerate(sources):
        rows = _all_rows(plant, index, name, read, now)
        total += len(rows)
        known = {item.document: item.content_hash for item in index.documents()}
        changed = [
            (part, passages) for part, passages in documents(rows, _info(name, title)) if known.get(part.document) != part.content_hash
        ]
        for number, (part, passages) in enumerate(changed):
            index.add_many([Entry(part, passages)])
            if progress is not None:
                progress(f"Indexing {title.lower()}", (place + (number + 1) / len(changed)) / len(sources))
    return total


class Follower:
    """Keeps the index in step with a log that grows, in a thread of its own. `plant`, `index` and `now` are asked each
    time. What goes wrong is logged once and tried again; answers never wait for it."""

    def __init__(
        self, plant: Callable[[], Plant], index: Callable[[], Index], now: Callable[[], datetime], every_s: float = EVERY_S
    ) -> None:
        self._plant, self._index, self._now, self._every_s = plant, index, now, every_s
        self._shorthand: dict[str, Mapping[str, str]] = {}
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="logs", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=10)

    def _run(self) -> None:
        said = ""
        whole = False
        while True:
            try:
                if not whole:
                    sync(self._plant(), self._index(), now=self._now())
                    whole = True
                else:
                    self.once()
                said = ""
            except (ToolError, RetrievalError, Unanswerable) as error:
                if str(error) != said:
                    log.warning("the logs are not followed now: %s", error)
                said = str(error)
            if self._stop.wait(self._every_s):
                return

    def once(self) -> int:
        """Read the last days again; returns how many passages are new or changed, or were taken out."""
        plant, index, now = self._plant(), self._index(), self._now()
        changed = 0
        for name, title, read in _SOURCES:
            if not _readable(plant, name):
                continue
            info = replace(_info(name, title), revision=UNREVISED)
            if name not in self._shorthand:
                self._shorthand[name] = taught(_all_rows(plant, index, name, read, now))
            start = _midnight(now.astimezone(plant.zone)) - timedelta(days=FOLLOWED_DAYS)
            call = _reader(plant, index, now)
            rows = [row for part in _between(call, name, start, call.now) for row in read(part)]
            held = index.passages(info.document)
            after = grown(held, rows, start.isoformat(), info, self._shorthand[name])
            if after is not None:
                changed += len({p.id for p in after} ^ {p.id for p in held})
                index.add_many([Entry(hashed(info, after), after)])
        return changed


def _info(name: str, title: str) -> DocumentInfo:
    return DocumentInfo(f"LOG-{name.upper().replace('_', '-')}", title, "", kind="log")


def _readable(plant: Plant, name: str) -> bool:
    """Whether a plant's model has this log with all that an entry needs; a plant whose log lacks something has none."""
    record = plant.model.records.get(name)
    missing = set(_COLUMNS[name]) - {column.name for column in record.show} if record else set()
    if missing:
        log.warning("%s are not indexed: the plant model shows no %s for them", name, ", ".join(sorted(missing)))
    return record is not None and not missing


def _all_rows(plant: Plant, index: Index, name: str, read: Callable[[Evidence], Iterator[LogRow]], now: datetime | None) -> list[LogRow]:
    found = (row for part in _months(plant, index, name, now) for row in read(part))
    return sorted(found, key=lambda row: (row.date, row.id))


def _reader(plant: Plant, index: Index, now: datetime | None) -> Call:
    """Log records are read as the system itself, up to a day after the present (clocks differ)."""
    until = (now or plant.data_until() or datetime.now(plant.zone)).astimezone(plant.zone) + timedelta(days=1)
    return Call(Caller("system", "Andon", "expert"), until, plant, index)


def _months(plant: Plant, index: Index, record: str, now: datetime | None) -> Iterator[Evidence]:
    """The rows of a log record, a month at a time."""
    call = _reader(plant, index, now)
    end = call.now
    for _ in range(_MONTHS):
        start = end - timedelta(days=30)
        yield from _between(call, record, start, end)
        end = start


def _between(call: Call, record: str, start: datetime, end: datetime) -> Iterator[Evidence]:
    """All rows of a time, in as many answers of the gate as it takes."""
    evidence = select(call, record, None, Period("a part of the log", start, end), columns=_COLUMNS[record], limit=_MOST)
    if evidence.query is None or evidence.query.row_count <= len(evidence.rows):
        yield evidence
    elif end - start <= _SHORTEST:
        log.warning("%s has more than %d entries between %s and %s; the rest is not indexed", record, _MOST, start, end)
        yield evidence
    else:
        middle = start + (end - start) / 2
        yield from _between(call, record, start, middle)
        yield from _between(call, record, middle, end)


def _midnight(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


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
