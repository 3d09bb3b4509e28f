"""What is true about the demo plant, found without the product: hand-written SQL over the MES through plain sqlite3, local
time by zoneinfo, pages of the manuals by pdfium. Nothing here imports assistant, tools, retrieval or ingest."""

from __future__ import annotations

import re
import sqlite3
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

UTC = ZoneInfo("UTC")
STAMP = "%Y-%m-%d %H:%M:%S"
_SHIFTS = {"day": (6, 14), "evening": (14, 22), "night": (22, 6)}


class OracleError(ValueError):
    """A case whose expectation cannot be computed; the message says why."""


def period(words: str, now: datetime) -> tuple[datetime, datetime]:
    """A half-open local range from words of our own:

    day:-1, week:0, month:-1, quarter:-1, year:0 count calendar units from the present one; days:30 reaches back from now;
    date:2026-06-05 and month:2026-05 are named; to:now cuts at now (`month:0 to:now`); night:-1 is the night that began
    that many days from today, likewise day-shift:0 and evening:-1; from:2026-05-01 until:2026-05-10 (exclusive) a range.
    """
    parts = dict(part.split(":", 1) for part in words.split())
    if "from" in parts:
        return _midnight(date.fromisoformat(parts["from"]), now), _midnight(date.fromisoformat(parts["until"]), now)
    name, value = next(iter(parts.items()))
    today = now.date()
    if name in ("night", "evening", "day-shift"):
        start_day = date.fromisoformat(value) if "-" in value[1:] else today + timedelta(days=int(value))
        begins, ends = _SHIFTS[name.removesuffix("-shift")]
        zone = now.tzinfo
        start = datetime.combine(start_day, time(begins), zone)
        return start, datetime.combine(start_day + timedelta(days=ends < begins), time(ends), zone)
    if name == "days":
        return now - timedelta(days=int(value)), now
    if name == "hours":
        return now - timedelta(hours=int(value)), now
    start_date, end_date = _calendar(name, value, today)
    start, end = _midnight(start_date, now), _midnight(end_date, now)
    return start, min(end, now) if parts.get("to") == "now" else end


def _calendar(name: str, value: str, today: date) -> tuple[date, date]:
    if name == "date":
        named = date.fromisoformat(value)
        return named, named + timedelta(days=1)
    if name == "day":
        start = today + timedelta(days=int(value))
        return start, start + timedelta(days=1)
    if name == "week":
        monday = today - timedelta(days=today.weekday()) + timedelta(weeks=int(value))
        return monday, monday + timedelta(weeks=1)
    months = {"month": 1, "quarter": 3, "year": 12}.get(name)
    if months is None:
        raise OracleError(f"unknown period {name}:{value}")
    if re.fullmatch(r"\d{4}-\d{2}", value):
        first = int(value[:4]) * 12 + int(value[5:]) - 1
    else:
        first = ((today.year * 12 + today.month - 1) // months + int(value)) * months
    return date(first // 12, first % 12 + 1, 1), date((first + months) // 12, (first + months) % 12 + 1, 1)


def _midnight(day: date, now: datetime) -> datetime:
    return datetime.combine(day, time(), now.tzinfo)


def stamp(moment: datetime) -> str:
    """An instant as the MES writes it: UTC without an offset."""
    return moment.astimezone(UTC).strftime(STAMP)


def pieces(span: tuple[datetime, datetime], by: str) -> list[tuple[str, datetime, datetime]]:
    """The local days, weeks or shifts of a range as (label, start, end); a day is labelled by its ISO date."""
    start, end = span
    found = []
    if by in ("day", "week"):
        day = start.date()
        while _midnight(day, start) < end:
            following = day + timedelta(days=1 if by == "day" else 7)
            found.append((day.isoformat(), _midnight(day, start), _midnight(following, start)))
            day = following
        return found
    raise OracleError(f"cannot split by {by}")


@dataclass(frozen=True)
class Truth:
    """The built demo plant as the graders see it."""

    mes: Path
    manuals: Path
    now: datetime

    def query(self, sql: str, **parameters: Any) -> list[tuple[Any, ...]]:
        """Rows of one SELECT over the MES, opened read-only. Raises OracleError with SQLite's own words."""
        connection = sqlite3.connect(f"file:{self.mes}?mode=ro", uri=True)
        try:
            return connection.execute(sql, parameters).fetchall()
        except sqlite3.Error as error:
            raise OracleError(f"{error}: {sql[:200]}") from error
        finally:
            connection.close()

    def bounds(self, words: str | None, words2: str | None = None, at: datetime | None = None) -> dict[str, str]:
        """The parameters :now, :a, :b, :a2, :b2 that a case's SQL may use."""
        now = at or self.now
        found = {"now": stamp(now), "today": now.date().isoformat()}
        for words_, names in ((words, ("a", "b")), (words2, ("a2", "b2"))):
            if words_:
                start, end = period(words_, now)
                found.update({names[0]: stamp(start), names[1]: stamp(end)})
        return found

    def ask(self, sql: str, words: str | None, words2: str | None = None, at: datetime | None = None) -> list[tuple[Any, ...]]:
        """The rows of an oracle over its period."""
        bounds = self.bounds(words, words2, at)
        return self.query(sql, **{name: value for name, value in bounds.items() if re.search(rf":{name}\b", sql)})

    def split(self, sql: str, words: str, by: str, at: datetime | None = None) -> list[tuple[Any, ...]]:
        """(label, value ...) for each local day or week of the period: the SQL once for each."""
        rows: list[tuple[Any, ...]] = []
        for label, start, end in pieces(period(words, at or self.now), by):
            found = self.query(sql, a=stamp(start), b=stamp(end))
            rows.append((label, *found[0]))
        return rows

    @cached_property
    def log_texts(self) -> dict[str, str]:
        return {str(k): str(v) for k, v in self.query("SELECT log_id, text FROM maintenance_logs UNION ALL SELECT note_id, text FROM shift_notes")}

    def page(self, document: str, revision: str, page: int) -> str | None:
        """The words of one page of a manual, or None when there is no such document, revision or page."""
        path = self.manuals / f"{document}_{revision}.pdf"
        if not path.exists():
            return None
        texts = _pages(path)
        return texts[page - 1] if 0 < page <= len(texts) else None


@lru_cache(maxsize=64)
def _pages(path: Path) -> tuple[str, ...]:
    import pypdfium2

    document = pypdfium2.PdfDocument(path)
    try:
        return tuple(page.get_textpage().get_text_range() for page in document)
    finally:
        document.close()


def folded(text: str) -> str:
    """Text for comparison: case, white space, soft hyphens and thin spaces do not count."""
    return re.sub(r"\s+", " ", text.replace("\u00ad", "").replace("\u202f", " ").replace("\u00a0", " ")).strip().casefold()
