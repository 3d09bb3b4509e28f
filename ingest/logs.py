"""Maintenance work orders and shift notes, in the words technicians use, become passages that can be found and counted.

Rows are given, no plant database is opened here. Each entry stays verbatim and is its own passage; beside it stands
the same text with abbreviations and typing errors resolved, those of the trade and those that this log itself teaches.
What it is about (component, condition, action) is read by `retrieval/wording.py`. A log that grows embeds its new and
changed entries only (`tests/test_logs.py`).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from ingest.alarm_words import is_code
from ingest.describe import UNREVISED, as_date
from ingest.readers.blocks import Block, Content, folded
from retrieval import identifiers
from retrieval.passages import Anchor, DocumentInfo, Passage
from retrieval.shorthand import learned
from retrieval.wording import LogFacts, recognise

_FEWEST_ROWS = 5


@dataclass(frozen=True)
class LogRow:
    """One work order or note. `date` is ISO (a day or an instant), `parts` as written, `duration_min` in minutes."""

    id: str
    equipment: str
    date: str
    text: str
    author: str = ""
    alarm: str = ""
    closing: str = ""
    parts: str = ""
    duration_min: float | None = None


def facts_of(row: LogRow, shorthand: Mapping[str, str] | None = None) -> LogFacts:
    """The facts of a row: what its closing text says counts before what was first reported."""
    first = recognise(row.text, shorthand)
    last = recognise(row.closing, shorthand) if row.closing else LogFacts("", "", "", "")
    named = last if last.component else first
    return LogFacts(f"{first.full} {last.full}".strip(), named.component, last.condition or first.condition, last.action or first.action)


def taught(rows: Iterable[LogRow]) -> Mapping[str, str]:
    """The shorthand of this log's own authors."""
    return learned(text for row in rows for text in (row.text, row.closing) if text)


def log_passages(rows: Iterable[LogRow], info: DocumentInfo, shorthand: Mapping[str, str] | None = None) -> list[Passage]:
    """One passage an entry, of kind log, citing its id, author and date; `info` is the log as a document."""
    return [_passage(row, info, shorthand) for row in rows if row.text.strip() or row.closing.strip()]


def _passage(row: LogRow, info: DocumentInfo, shorthand: Mapping[str, str] | None) -> Passage:
    facts = facts_of(row, shorthand)
    said = [f"{row.date[:10]} {row.equipment}".strip() + (f", alarm {row.alarm}" if row.alarm else "") + f": {row.text.strip()}"]
    if row.closing.strip():
        said.append(f"Closed: {row.closing.strip()}")
    if row.parts:
        said.append(f"Parts: {row.parts}")
    if row.duration_min is not None:
        said.append(f"Duration: {row.duration_min:g} min")
    verbatim = "\n".join(said)
    if _key(facts.full) not in _key(verbatim):
        said.append(f"In full: {facts.full}")
    text = "\n".join(said)
    codes = [row.id, *([row.alarm] if row.alarm else []), *(i.text for i in identifiers.find(row.text) if i.strong)]
    digest = hashlib.sha256(f"{row.id}|{text}".encode()).hexdigest()[:16]
    return Passage(
        id=f"{info.document}@{info.revision}#{digest}", text=text, kind="log", block="log",
        anchor=Anchor(info.document, info.revision, None, row.id), title=info.title,
        equipment=(row.equipment,) if row.equipment else (), identifiers=tuple(dict.fromkeys(c for c in codes if c)),
        author=row.author, date=row.date, access=info.access,
    )  # fmt: skip


def _key(text: str) -> str:
    return re.sub(r"\W+", " ", text).lower().strip()


def documents(
    rows: Sequence[LogRow], info: DocumentInfo, shorthand: Mapping[str, str] | None = None
) -> Iterator[tuple[DocumentInfo, list[Passage]]]:
    """A log as a document, its shorthand learned from itself where none is given. Its passages keep their ids as it
    grows, so only its new entries are embedded."""
    part = replace(info, kind="log", equipment=(), revision=info.revision or UNREVISED)
    passages = log_passages(rows, part, taught(rows) if shorthand is None else shorthand)
    yield hashed(part, passages), passages


def hashed(info: DocumentInfo, passages: Sequence[Passage]) -> DocumentInfo:
    """The log with the hash of what it holds: the ids of its passages, which depend on every entry's content."""
    digest = hashlib.sha256("\n".join(sorted(passage.id for passage in passages)).encode()).hexdigest()
    return replace(info, content_hash=digest)


def grown(
    held: Sequence[Passage], rows: Sequence[LogRow], since: str, info: DocumentInfo, shorthand: Mapping[str, str] | None = None
) -> list[Passage] | None:
    """The passages of a log of which `rows` are now all entries since `since` (ISO, as the rows' dates are written):
    what is older stays as it is held. None when nothing has changed."""
    fresh = log_passages(rows, info, shorthand)
    written = {row.id for row in rows}
    kept = [passage for passage in held if _moment(passage.date) < _moment(since) and passage.anchor.section not in written]
    after = [*kept, *fresh]
    return None if {passage.id for passage in after} == {passage.id for passage in held} else after


def _moment(text: str) -> datetime:
    """When an entry was written, for comparing; what states no zone is read as UTC, what is no time as long ago."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)


# -- logs that come as tables ----------------------------------------------------------------------------------------

_COLUMNS = (
    ("date", re.compile(r"\b(date|time|timestamp|started|created|opened|reported|day)\b|date$", re.I)),
    ("equipment", re.compile(r"\b(equipment|asset|machine|unit|tag|func(tional)? ?loc(ation)?|location)\b", re.I)),
    ("id", re.compile(r"\b(id|no|nr|number|order|work ?order|wo|ticket|job|notification)\b", re.I)),
    ("author", re.compile(r"\b(author|technician|by|person|operator|engineer|reporter|user)\b", re.I)),
    ("alarm", re.compile(r"\b(alarm|error|fault)( ?code)?\b", re.I)),
    ("closing", re.compile(r"\b(clos\w+|resolution|solution|action taken|work done|corrective\w*|remedy|findings?)\b", re.I)),
    ("text", re.compile(r"\b(text|description|short ?text|note|notes|comments?|remarks?|problem|symptom|entry|message|details?)\b", re.I)),
    ("parts", re.compile(r"\b(parts?|spares?|materials?)( used)?\b", re.I)),
    ("duration_min", re.compile(r"\b(duration|minutes|mins?|downtime)\b", re.I)),
)  # fmt: skip


def rows_of(content: Content) -> list[LogRow]:
    """The entries of a file that is a log: a table with a date, free text and a machine. [] when it is none."""
    tables = [b for b in content.blocks if b.kind == "table"]
    if len(tables) != 1 or len(tables[0].rows) < _FEWEST_ROWS:
        return []
    columns = _log_columns(tables[0])
    if not {"date", "text", "equipment"} <= columns.keys():
        return []
    return [_row(columns, cells, number) for number, cells in enumerate(tables[0].rows, start=1)]


def _log_columns(table: Block) -> dict[str, int]:
    columns: dict[str, int] = {}
    cells = [[row[i] for row in table.rows[:200] if i < len(row) and row[i]] for i in range(len(table.header))]
    names = [re.sub(r"[_\-.]+", " ", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", h)) for h in table.header]
    worded = [sum(len(c.split()) for c in column) / len(column) if column else 0.0 for column in cells]
    for name, pattern in _COLUMNS:
        fitting = [i for i, h in enumerate(names) if pattern.search(h) and cells[i] and i not in columns.values()]
        if name == "date":
            fitting = [i for i in fitting if sum(as_date(c) is not None for c in cells[i]) >= 0.8 * len(cells[i])]
        elif name == "text":
            loose = [i for i in range(len(names)) if i not in columns.values()]
            fitting = [i for i in fitting if worded[i] >= 2] or [i for i in loose if worded[i] >= 3]
            fitting.sort(key=lambda i: -len(cells[i]) * min(worded[i], 6.0))
        elif name == "closing":
            fitting = [i for i in fitting if worded[i] >= 2]
        elif name == "alarm":
            fitting = [i for i in fitting if sum(map(is_code, cells[i])) >= 0.8 * len(cells[i])]
        elif name == "equipment":
            fitting = [i for i in fitting if len(set(cells[i])) <= 0.5 * len(cells[i]) + 1]
        elif name == "id":
            fitting = [i for i in fitting if len(set(cells[i])) >= 0.95 * len(cells[i])]
        if fitting:
            columns[name] = fitting[0]
    return columns


def _row(columns: dict[str, int], cells: Sequence[str], number: int) -> LogRow:
    def cell(name: str) -> str:
        i = columns.get(name)
        return folded(cells[i]) if i is not None and i < len(cells) else ""

    duration = re.match(r"\d+(?:\.\d+)?", cell("duration_min"))
    day = as_date(cell("date"))
    return LogRow(
        id=cell("id") or str(number), equipment=cell("equipment"), date=day.isoformat() if day else cell("date"),
        text=cell("text"), author=cell("author"), alarm=cell("alarm"), closing=cell("closing"), parts=cell("parts"),
        duration_min=float(duration.group()) if duration else None,
    )  # fmt: skip
