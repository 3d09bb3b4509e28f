"""The words of time: units, months, weekdays, shifts, slips of keyboard and ear; and the arithmetic of calendar days.

`plain_words` turns an expression into lower-case words with numbers as digits, on which the rules of
`assistant.period_rules` work. Nothing here knows the present moment. tests/test_periods.py.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Mapping
from datetime import date, timedelta

from tools.calendar import Calendar

DAY = timedelta(days=1)
UNITS = {
    "minute": "minute", "minutes": "minute", "min": "minute", "mins": "minute", "hour": "hour", "hours": "hour",
    "hr": "hour", "hrs": "hour", "h": "hour", "day": "day", "days": "day", "d": "day", "week": "week", "weeks": "week",
    "wk": "week", "wks": "week", "fortnight": "fortnight", "fortnights": "fortnight", "month": "month",
    "months": "month", "mth": "month", "quarter": "quarter", "quarters": "quarter", "qtr": "quarter", "year": "year",
    "years": "year", "yr": "year", "yrs": "year", "half-year": "half", "half-years": "half", "shift": "shift",
    "shifts": "shift", "night": "night", "nights": "night", "weekend": "weekend", "weekends": "weekend",
    "calendar week": "week", "calendar month": "month", "calendar year": "year", "working week": "week",
}  # fmt: skip
UNIT = "(?:" + "|".join(sorted((re.escape(u) for u in UNITS), key=len, reverse=True)) + ")"
MONTHS = {
    name: number
    for number, names in enumerate(
        ("january jan", "february feb febr", "march mar", "april apr", "may", "june jun", "july jul",
            "august aug augst",
         "september sep sept", "october oct", "november nov", "december dec"), 1)
    for name in names.split()
}  # fmt: skip
MONTH = "(?:" + "|".join(sorted(MONTHS, key=len, reverse=True)) + ")"
WEEKDAYS = {
    name: number
    for number, names in enumerate(
        ("monday mon mondays", "tuesday tue tues tuesdays", "wednesday wed weds wednesdays",
            "thursday thu thur thurs thursdays",
         "friday fri fridays", "saturday sat saturdays", "sunday sun sundays"))
    for name in names.split()
}  # fmt: skip
WEEKDAY = "(?:" + "|".join(sorted(WEEKDAYS, key=len, reverse=True)) + ")"
SEASONS = {"spring": 3, "summer": 6, "autumn": 9, "fall": 9, "winter": 12}
DAYPARTS: Mapping[str, tuple[int, int]] = {
    "morning": (6, 12), "am": (0, 12), "forenoon": (6, 12), "noon": (12, 13), "lunch": (12, 13), "lunchtime": (12, 13),
        "midday": (12, 13),
    "afternoon": (12, 18), "pm": (12, 24), "evening": (18, 22), "night": (22, 30),
}  # fmt: skip
PART = "(?:morning|forenoon|afternoon|evening|night|noon|midday|lunchtime|lunch|am|pm)"
# Words for a shift by its place in the day, for plants whose own names differ.
SHIFT_WORDS: Mapping[str, tuple[str, ...]] = {
    "day": ("day", "early", "morning", "1st", "earlies", "days", "mornings"),
    "evening": ("evening", "late", "afternoon", "2nd", "lates", "evenings", "back", "afternoons", "swing"),
    "night": ("night", "3rd", "nights", "graveyard", "overnight"),
}
_ONES = """
    zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen
    eighteen nineteen
""".split()
_TENS = {"twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90}
_ORDINALS = """
    first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth
""".split()
_SLIPS = (
    (r"\bnights? shift of last\b", "night shift last"), (r"\by(?:e)?s?t(?:e)?r?d(?:a)?y\b|\byday\b", "yesterday"), (
        r"\btod[ay]y?\b",
        "today"),
    (r"\bto night\b|\btonite\b", "tonight"), (r"\bover night\b", "overnight"), (r"\bknights?\b|\bnite\b", "night"),
    (r"\bweak\b|\bwk\b", "week"), (r"\bwks\b", "weeks"), (r"\bpassed\b", "past"), (r"\bmourning\b", "morning"),
    (r"\bcalender\b", "calendar"), (r"\bsinse\b|\bsince the time\b", "since"), (r"\bfrm\b", "from"), (r"\bqtr\b",
        "quarter"),
    (r"\byr\b", "year"), (r"\bhalf (?:a )?year\b", "half-year"), (r"\ba year and a half\b|\byear and a half\b",
        "18 months"),
    (r"\bcouple of\b|\bcouple\b|\bpair of\b", "2"), (r"\bhalf a dozen\b", "6"), (r"\bdozen\b", "12"), (r"\bfew\b", "3"),
    (r"\bquarter of an hour\b", "15 minutes"), (r"\bhalf an hour\b|\bhalf hour\b", "30 minutes"), 
    (r"\ba\.m\.?", "am"), (r"\bp\.m\.?", "pm"), (r"\b24/7\b", "all time"),
    (r"\bjust gone\b|\bjust ended\b|\bjust finished\b", "gone"), (r"\bof time\b", ""), (r"\b(?:this|the) past\b",
        "last"),
)  # fmt: skip

CLOCK = r"(?:(?:\d{1,2}(?:[:.]\d{2})?(?: ?(?:am|pm|h))?)|noon|midnight|midday|lunch|lunchtime|breakfast|now)"


def shift_named(word: str, calendar: Calendar) -> str | None:
    """The id of the plant's shift that a word means ("late", "2nd shift", "nights"): by the plant's own names, else by
    the place in the day that English gives it. None when the plant has no such shift."""
    said = re.sub(r"\b(?:shifts?|crew|team|the|on|turn)\b", " ", word.lower().replace("knight", "night"))
    said = number_words(" ".join(said.split()))
    names: dict[str, str] = {}
    for shift in calendar.shifts:
        for name in (shift.id, shift.label, *shift.aliases):
            names.setdefault(name.lower(), shift.id)
    for form in (said, said.removesuffix("s"), f"{said} shift", f"shift {said}"):
        if form in names:
            return names[form]
    for place, words in SHIFT_WORDS.items():
        if said not in words:
            continue
        for other in (place, *words):
            if other in names:
                return names[other]
        middle = {"day": 10, "evening": 18, "night": 26}[place]
        for shift in calendar.shifts:
            begin = shift.start.hour + shift.start.minute / 60
            end = shift.end.hour + shift.end.minute / 60 + (24 if shift.overnight else 0)
            if not said[0].isdecimal() and begin <= middle < end:
                return shift.id
        position = list(SHIFT_WORDS).index(place)
        return calendar.shifts[position].id if said[0].isdecimal() and position < len(calendar.shifts) else None
    return None


def number_words(text: str) -> str:
    text = re.sub(
        r"\b(" + "|".join(_TENS) + r")(?:[ -](" + "|".join(_ONES[1:10]) + r"))?\b",
        lambda m: str(_TENS[m.group(1)] + (_ONES.index(m.group(2)) if m.group(2) else 0)), text)  # fmt: skip
    text = re.sub(r"\b(" + "|".join(_ONES) + r")\b", lambda m: str(_ONES.index(m.group(1))), text)
    suffix = {1: "st", 2: "nd", 3: "rd"}
    return re.sub(
        r"\b(" + "|".join(_ORDINALS) + r")\b",
        lambda m: f"{_ORDINALS.index(m.group(1)) + 1}{suffix.get(_ORDINALS.index(m.group(1)) + 1, 'th')}", text)  # fmt: skip


def plain_words(text: str) -> str:
    """Lower case, slips of the keyboard and ear mended, numbers as digits, without what adds no time."""
    said = " ".join(text.lower().replace("’", "'").replace("–", "-").replace("—", "-").split()).strip(" .,;:!?\"'()")
    for pattern, better in _SLIPS:
        said = re.sub(pattern, better, said)
    said = number_words(said)
    said = re.sub(r"\b(\d+) ?(?:o'?clock|h) (\d\d)\b", r"\1:\2", said)
    said = re.sub(r"\b(\d{1,2}) ?o'?clock\b", r"\1:00", said)
    said = re.sub(r"\b(\d{1,2}) (a|p) m\b", r"\1 \2m", said)
    said = re.sub(r"\bhalf past (\d+)\b", r"\1:30", said)
    said = re.sub(r"\bquarter past (\d+)\b", r"\1:15", said)
    said = re.sub(r"\bquarter to (\d+)\b", lambda m: f"{(int(m.group(1)) - 1) % 24}:45", said)
    said = re.sub(r"\b(\d+) past (\d+)\b", r"\2:\1", said)
    said = re.sub(r"\b(1[0-2]|\d) (15|30|45)\b(?= |$)(?! (?:min|hour|day))", r"\1:\2", said)
    said = re.sub(r"(?<=\w)'s\b", "", said)
    return " ".join(said.split())


def months_later(day: date, months: int) -> date:
    """A day moved by whole months, kept inside the month (31 January plus one is 28 or 29 February)."""
    position = day.year * 12 + day.month - 1 + months
    year, month = divmod(position, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def easter(year: int) -> date:
    """Easter Sunday of the Gregorian calendar (the anonymous algorithm of 1876)."""
    a, b, c = year % 19, year // 100, year % 100
    h = (19 * a + b - b // 4 - (b - (b + 8) // 25 + 1) // 3 + 15) % 30
    k = (32 + 2 * (b % 4) + 2 * (c // 4) - h - c % 4) % 7
    month, day = divmod(h + k - 7 * ((a + 11 * h + 22 * k) // 451) + 114, 31)
    return date(year, month, day + 1)


def unit_start(day: date, unit: str) -> tuple[date, int]:
    """First day of the unit that holds a day, and its length in days (day, week) or months."""
    if unit == "day":
        return day, 1
    if unit in ("week", "fortnight"):
        return day - day.weekday() * DAY, 7 if unit == "week" else 14
    length = {"month": 1, "quarter": 3, "half": 6, "year": 12}[unit]
    return date(day.year, (day.month - 1) // length * length + 1, 1), length


def bare(said: str) -> str:
    """Without leading prepositions and articles, and without words for the whole of something."""
    text = said
    for _ in range(4):
        text = re.sub(
            r"^(?:in|on|at|during|over|for|within|the|of|throughout|across|just|only|all|whole|entire|full|"
            r"complete|to|a|an|around|about)\s+(?=\S)",
            "",
            text,
        )
    return re.sub(r"\s+(?:please|only|alone|in total|altogether|overall)$", "", text)
