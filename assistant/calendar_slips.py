"""Times that cannot be: "30 February", "week 60", "from 20 May to 10 May", "25:30".

`slip` promises a sentence for the person, and where there is an obvious mending the question mended, or None when every
date in a question exists and every range runs forward. A wrong date is asked back, never guessed: a figure for another
day than the one that was meant looks just as right. tests/test_calendar_slips.py.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from assistant.period_words import MONTH, MONTHS

#: Days of each month in a leap year: the most that any year has.
_LEAP = 2024
_HIGHEST_DAY_MEANT = 39
_LONGEST_WRAP_DAYS = 270  # "20 December to 10 January" runs into the next year; "20 May to 10 May" is a slip

_DAY_MONTH = re.compile(rf"\b(\d{{1,2}})(?:st|nd|rd|th)?\.? (?:of )?({MONTH})\b\.?(?:,? (\d{{4}})\b)?(?!-\d)", re.IGNORECASE)
_MONTH_DAY = re.compile(
    rf"\b({MONTH})\.? (?:the )?(\d{{1,2}})(?:st|nd|rd|th)?\b(?!:\d|-\d| ?(?:am|pm|h|%)\b)(?:,? (\d{{4}})\b)?", re.IGNORECASE
)
_ISO = re.compile(r"\b(\d{4})-(\d{1,2})-(\d{1,2})\b")
_DOTTED = re.compile(r"(?<![\d.])(\d{1,2})\.(\d{1,2})\.(\d{4}|\d{2})?(?![\d.])")
_WEEK = re.compile(r"\b(?:calendar )?(?:week|wk|cw|kw) ?(\d{1,3})\b(?! ?(?:days?|weeks?))", re.IGNORECASE)
_QUARTER = re.compile(r"\bq([05-9])\b", re.IGNORECASE)
_TIME = re.compile(r"\b(?:at|from|to|until|till|since|between|and|before|after) (\d{1,2}):(\d{2})\b", re.IGNORECASE)


@dataclass(frozen=True)
class Slip:
    """What is wrong at `text[start:end]`, as one sentence, and the question mended where there is only one way to."""

    sentence: str
    start: int
    end: int
    mended: str = ""


def slip(text: str, now: datetime) -> Slip | None:
    """The first impossible date, time or range in a question asked at `now`; None when there is none."""
    for m, year, month, day in _dates(text):
        if not 1 <= month <= 12:
            return Slip(f"There is no month {month} (“{m.group(0)}”). Which day do you mean?", *m.span())
        most = monthrange(year or _LEAP, month)[1]
        if not 1 <= day <= most:
            name = date(_LEAP, month, 1).strftime("%B")
            return Slip(f"There is no {day} {name}{f' {year}' if year else ''}; {name} has {most} days. Which day do you mean?", *m.span())
    for m in _WEEK.finditer(text):
        if not 1 <= int(m.group(1)) <= 53:
            return Slip(f"There is no {m.group(0).lower()}; a year has 52 or 53 weeks. Which week do you mean?", *m.span())
    if quarter := _QUARTER.search(text):
        return Slip(f"There is no {quarter.group(0).upper()}; a year has four quarters. Which one do you mean?", *quarter.span())
    for m in _TIME.finditer(text):
        if int(m.group(1)) > 24 or int(m.group(2)) > 59 or (int(m.group(1)) == 24 and int(m.group(2)) > 0):
            return Slip(f"There is no time {m.group(1)}:{m.group(2)}. Which time do you mean?", *m.span())
    return _backwards(text, now)


def _dates(text: str) -> Iterator[tuple[re.Match[str], int | None, int, int]]:
    """Every written date as (match, year or None, month, day)."""
    for m in _DAY_MONTH.finditer(text):
        yield m, int(m.group(3)) if m.group(3) else None, MONTHS[m.group(2).lower()], int(m.group(1))
    for m in _MONTH_DAY.finditer(text):
        number = int(m.group(2)) <= _HIGHEST_DAY_MEANT  # "in May 45 stops" counts stops
        if number and not re.search(r"\d(?:st|nd|rd|th)?\.? (?:of )?$", text[: m.start()]):
            yield m, int(m.group(3)) if m.group(3) else None, MONTHS[m.group(1).lower()], int(m.group(2))
    for m in _ISO.finditer(text):
        yield m, int(m.group(1)), int(m.group(2)), int(m.group(3))
    for m in _DOTTED.finditer(text):
        day, month = int(m.group(1)), int(m.group(2))
        if month > 12 >= day:
            day, month = month, day
        year = int(m.group(3)) + (2000 if len(m.group(3)) == 2 else 0) if m.group(3) else None
        yield m, year, month, day


_RANGE = re.compile(r"\b(?:from|between) (.{3,30}?) (?:to|and|until|till) (.{3,30}?)(?=[\s,.?!]|$)", re.IGNORECASE)


def _backwards(text: str, now: datetime) -> Slip | None:
    """A range of two dates of which the second comes first."""
    for m in _RANGE.finditer(text):
        rest = text[m.start(2) :]
        first, second = next(_dates(m.group(1)), None), next((d for d in _dates(rest) if d[0].start() == 0), None)
        if first is None or second is None:
            continue
        begin = date(first[1] or second[1] or now.year, first[2], first[3])
        end = date(second[1] or first[1] or now.year, second[2], second[3])
        if begin <= end:
            continue
        open_year = first[1] is None and second[1] is None
        if open_year and (date(end.year + 1, end.month, min(end.day, 28)) - begin).days <= _LONGEST_WRAP_DAYS:
            continue
        early, late = second[0].group(0).strip(), first[0].group(0).strip()
        mended = text[: m.start(1)] + early + text[m.end(1) : m.start(2)] + late + rest[len(second[0].group(0).rstrip()) :]
        return Slip(f"{late} comes after {early}. Which period do you mean?", *m.span(), mended)
    return None
