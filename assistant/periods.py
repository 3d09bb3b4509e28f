"""Time as people say it: an expression such as "last night" or "1-15 Nov" to a half-open range in the plant's zone.

`read_period` promises for every expression it accepts an aware range [start, end) with start < end, computed on the
plant's own wall clock (days of 23 and 25 hours included), and None for what is no time or hangs on an event that only
the plant knows ("since the filter change"). Ranges that have not begun are marked `future`. `find_periods` finds
expressions inside a question that nobody marked. tests/test_periods.py proves it by independent arithmetic over a table
of expressions and, with hypothesis, over any moment.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import assistant.period_rules  # noqa: F401 (it registers the rules)
from assistant.period_reader import Reader, SaidPeriod
from assistant.period_words import MONTH, WEEKDAY, easter, months_later, plain_words, shift_named
from tools.calendar import Calendar
from tools.registry import Period

__all__ = ["FoundPeriod", "SaidPeriod", "easter", "find_periods", "months_later", "read_period", "shift_named"]


@dataclass(frozen=True)
class FoundPeriod:
    """A period expression at `text[start:end]` of a question."""

    start: int
    end: int
    said: SaidPeriod


def read_period(text: str, now: datetime, calendar: Calendar, anchor: Period | None = None) -> SaidPeriod | None:
    """The range that an expression means, said at `now` (aware).

    `anchor` is the period under discussion, for "the week before" and "same month last year". None when the
    expression is no time, or cannot be placed. Raises nothing.
    """
    local = now.astimezone(calendar.zone)
    said = plain_words(text)
    if not said or len(said) > 120:
        return None
    try:
        found = Reader(local, calendar, anchor).read(said)
    except (ValueError, OverflowError):  # 31 June, the year 99999
        return None
    if found is None:
        return None
    start, end = found.period.start, found.period.end
    if not start.astimezone(UTC) < end.astimezone(UTC):
        return None
    return replace(found, period=Period(text.strip(), start, end), future=start.astimezone(UTC) > now.astimezone(UTC))


_STARTS = re.compile(
    r"\b(?:today|tody|yesterday|yst\w+|yday|tonight|tonite|overnight|this|last|past|previous|current|since|from|"
    r"between|in|on|during|over|"
    r"week|wk|cw|kw|calendar|q[1-4]|h[12]|ytd|mtd|wtd|qtd|year|month|the|an|a|so|before|after|until|till|older|next|"
    rf"tomorrow|\d[\d.:/-]*(?:st|nd|rd|th|h|am|pm)?|at|around|about|{MONTH}|{WEEKDAY}|"
    r"one|two|three|four|five|six|seven|eight|nine|ten|twelve|noon|midnight|first|second|spring|summer|autumn|"
    r"winter|all|entire|whole)\b",
    re.IGNORECASE,
)
_TOO_WEAK = re.compile(  # words that are times only when somebody marked them as such
    r"(?:the |a |an |in |on |at |from |this |all |one |\d+ )*(?:may|march|mar|sun|sat|now|one|shift|the|second|"
    r"minutes?|hours?|days?|weeks?|nights?|"
    r"months?|years?|quarter|min|h|d|\d+|[\d.,:/-]+|a|night shift|day shift|evening shift|the night|morning|"
    r"evening)(?: shift)?",
    re.IGNORECASE,
)
_STRONG = re.compile(
    r"today|tody|yest|yday|ystr|night|week|wk|month|year|quarter|shift|since|ago|last|past|hour|day|morning|"
    r"afternoon|evening|"
    rf"\bq[1-4]\b|\bh[12]\b|[ckym]w\b|ytd|mtd|noon|midnight|to date|am\b|pm\b|:\d\d|\b20\d\d\b|\d(?:st|nd|rd|"
    rf"th)\b|\b{MONTH}\b|\b{WEEKDAY}\b|easter|fortnight|"
    r"tomorrow|spring|summer|autumn|winter|min\b",
    re.IGNORECASE,
)
_WHOLE_DATE = re.compile(r"\d{1,2}[./-]\d{1,2}[./-]\d{4}|\d{4}-\d{1,2}-\d{1,2}")
MOST_WORDS = 9


def find_periods(
    text: str, now: datetime, calendar: Calendar, taken: Sequence[tuple[int, int]] = (), anchor: Period | None = None
) -> tuple[FoundPeriod, ...]:
    """Every period expression inside a question, longest first at each place, without overlaps.

    Words that are often no time ("may", "second", bare numbers) are left to whoever marks spans; `taken` are places
    of the text that are known to be something else ("line 1 yesterday" is not one o'clock); `anchor` as in `read_period`.
    """
    words = [(m.start(), m.end()) for m in re.finditer(r"[^\s,;?!()]+", text[:2000])]
    found: list[FoundPeriod] = []
    i = 0
    while i < len(words):
        best: FoundPeriod | None = None
        if _STARTS.match(text, words[i][0]):
            for j in range(min(len(words), i + MOST_WORDS) - 1, i - 1, -1):
                start, end = words[i][0], words[j][1]
                piece = text[start:end].rstrip(".:'\"")
                if any(start < stop and begin < end for begin, stop in taken):
                    continue
                if (_TOO_WEAK.fullmatch(piece) and not _WHOLE_DATE.fullmatch(piece)) or not _STRONG.search(piece):
                    continue
                said = read_period(piece, now, calendar, anchor)
                if said:
                    best = FoundPeriod(start, start + len(piece), said)
                    i = j
                    break
        if best:
            found.append(best)
        i += 1
    return tuple(found)
