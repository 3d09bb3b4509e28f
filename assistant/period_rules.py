"""The rules by which an expression of time becomes a range: each a pattern over the whole expression and what it means.

The rules are tried in order by `assistant.period_reader` and the first that fits and can be placed decides. A new way to say a time is one rule here and a line in tests/test_periods.py.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from assistant.period_reader import EARLIEST, Range, Reader, SaidPeriod, moment_of, moment_of_event, rule_for
from assistant.period_words import (
    CLOCK,
    DAY,
    DAYPARTS,
    MONTH,
    PART,
    SEASONS,
    UNIT,
    UNITS,
    WEEKDAY,
    WEEKDAYS,
    bare,
    easter,
    months_later,
)  # fmt: skip
from tools.registry import Period

_ISO = r"(\d{4}-\d{1,2}-\d{1,2})(?:[ t](\d{1,2}:\d{2})(?::\d{2})?)?"


@rule_for(rf"(?:from |between )?{_ISO} ?(?:to|until|till|through|and|-|–|/) ?{_ISO}")
def _iso_range(r: Reader, m: re.Match[str]) -> SaidPeriod | None:
    first, last = date.fromisoformat(_padded(m.group(1))), date.fromisoformat(_padded(m.group(3)))
    begin = r.clock(first, float(r.hours(m.group(2)) or 0)) if m.group(2) else r.midnight(first)
    end = r.clock(last, float(r.hours(m.group(4)) or 0)) if m.group(4) else r.midnight(last + DAY)
    return r.span(begin, end) if begin < end else None


def _padded(iso: str) -> str:
    year, month, day = iso.split("-")
    return f"{year}-{month:0>2}-{day:0>2}"


@rule_for(
    r"(?:right |just |by )?now|currently|(?:at )?(?:the|this) (?:moment|minute|second|instant|time)|at present|"
    r"moment|minute|live|as of now|present|this (?:moment|minute)|presently"
)
def _now(r: Reader, m: re.Match[str]) -> SaidPeriod | None:
    return replace(r.span(r.ago(1, "hour"), r.now), now=True)


@rule_for(r"all time|ever|all history|since ever|forever|since the beginning|all data|whole history")
def _ever(r: Reader, m: re.Match[str]) -> SaidPeriod | None:
    return r.span(r.midnight(date(EARLIEST, 1, 1)), r.now)


@rule_for(
    r"today|((?:so far|up to now|until now|as of) today|today (?:so far|until now|till now|up to now))|today "
    r"whole day|day|this day"
)
def _today(r: Reader, m: re.Match[str]) -> SaidPeriod | None:
    return r.span(r.midnight(r.now.date()), r.now) if m.group(1) else r.unit("day", 0)


@rule_for(r"(?:in )?(?:the )?(morning|afternoon|evening)")
def _latest_part(r: Reader, m: re.Match[str]) -> SaidPeriod | None:
    """ "The morning": the most recent one that has begun."""
    today = r.part(r.now.date(), m.group(1))
    return today if today.period.start <= r.now else r.part(r.now.date() - DAY, m.group(1))


@rule_for(r"yesterday|(?:the )?day before yesterday|tomorrow|day after tomorrow|previous day")
def _simple_day(r: Reader, m: re.Match[str]) -> SaidPeriod | None:
    day = r.day(m.group(0).replace("previous day", "yesterday"))
    return r.days(day, day) if day else None


@rule_for(r"overnight|last night|previous night|past night|whole night|the night|night")
def _last_night(r: Reader, m: re.Match[str]) -> SaidPeriod | None:
    return r.night(-1)


@rule_for(r"tonight|this night")
def _tonight(r: Reader, m: re.Match[str]) -> SaidPeriod | None:
    return r.night(0)


@rule_for(
    r"(?:ytd|mtd|wtd|qtd|(?:this )?(year|month|week|quarter|shift|day)(?: to date| so far)|(?:so far|up to now) "
    r"(?:this|the) (?:calendar )?(year|month|week|quarter|shift))"
)
def _to_date(r: Reader, m: re.Match[str]) -> SaidPeriod | None:
    short = {"ytd": "year", "mtd": "month", "wtd": "week", "qtd": "quarter"}
    current = r.unit(UNITS[short.get(m.group(0)) or m.group(1) or m.group(2)], 0)
    return r.span(current.period.start, r.now) if current else None


@rule_for(
    rf"(?:(?:this|the|current|present|running|ongoing|all|whole|entire|full) )+({UNIT})|(week|month|quarter|year|"
    rf"shift|half-year|weekend|hour)"
)
def _this_unit(r: Reader, m: re.Match[str]) -> SaidPeriod | None:
    unit = UNITS[m.group(1) or m.group(2)]
    if unit == "weekend" and "this" not in m.group(0):
        return r.unit("weekend", -1) if r.now.weekday() < 5 else r.unit("weekend", 0)
    return r.unit(unit, 0)


@rule_for(
    rf"(last|previous|past|next|coming|preceding|prior|gone|most recent|latest) (?:completed |full |complete |"
    rf"calendar )?({UNIT})(?: gone)?|({UNIT}) (?:gone|just gone|that was)"
)
def _other_unit(r: Reader, m: re.Match[str]) -> SaidPeriod | None:
    unit = UNITS[m.group(2) or m.group(3)]
    word = m.group(1) or "last"
    if word in ("previous", "preceding", "prior") and r.anchor and unit not in ("shift", "night"):
        return _before_anchor(r, unit)
    if word in ("next", "coming"):
        return r.unit(unit, 1)
    if word == "past" and unit in ("minute", "hour", "day", "week", "month", "year", "half"):
        return r.span(r.ago(1, unit), r.now)
    if word == "last" and unit in ("minute", "hour", "half"):
        return r.span(r.ago(1, unit), r.now) if unit != "half" else r.unit("half", -1)
    return r.unit(unit, -1)


@rule_for(rf"(?:the )?({UNIT}) before last|last ({UNIT}) but (?:1|one)")
def _before_last(r: Reader, m: re.Match[str]) -> SaidPeriod | None:
    return r.unit(UNITS[m.group(1) or m.group(2)], -2)


@rule_for(rf"(?:the )?({UNIT}) (?:after next)")
def _after_next(r: Reader, m: re.Match[str]) -> SaidPeriod | None:
    return r.unit(UNITS[m.group(1)], 2)


@rule_for(rf"(?:the |same )?({UNIT}) (?:before|earlier|prior|previously)(?: that)?")
def _unit_before(r: Reader, m: re.Match[str]) -> SaidPeriod | None:
    unit = UNITS[m.group(1)]
    return _before_anchor(r, unit) if r.anchor else r.unit(unit, -2 if unit != "day" else -1)


@rule_for(rf"(?:the |next )?({UNIT}) (?:after|afterwards|later)(?: that)?|(?:the )?(?:following|next) ({UNIT})")
def _unit_after(r: Reader, m: re.Match[str]) -> SaidPeriod | None:
    unit = UNITS[m.group(1) or m.group(2)]
    if r.anchor is None or r.anchor.end >= r.now:
        return r.unit(unit, 1) if m.group(2) else None
    end = r.anchor.end.astimezone(r.calendar.zone)
    if unit in ("hour", "minute", "shift", "night", "weekend"):
        return r.span(end, end + (r.anchor.end - r.anchor.start))
    return Reader(end, r.calendar, None).unit(unit, 0)


def _before_anchor(r: Reader, unit: str) -> SaidPeriod | None:
    """The unit that ends where the discussed period begins."""
    if r.anchor is None:
        return None
    begin = r.anchor.start.astimezone(r.calendar.zone)
    if unit in ("hour", "minute", "shift", "night", "weekend"):
        length = r.anchor.end - r.anchor.start
        return r.span(begin - length, begin)
    around = Reader(begin, r.calendar, None).unit(unit, 0)
    if around and around.period.start < r.anchor.start and around.period.end > r.anchor.end:
        return Reader(begin, r.calendar, None).unit(unit, -1)  # the week before a day is the one before its own week
    inner = Reader(begin - timedelta(microseconds=1), r.calendar, None)
    return inner.unit(unit, 0)


@rule_for(
    r"(?:the )?same (week|month|quarter|period|time|day|shift)(?: of)?(?: (last|previous|a) (year|month|week)(?: "
    r"ago| back| before)?)?|a year (?:back|ago|earlier|before)|(?:the )?year before that|same period a year "
    r"earlier|last year same (?:week|month|quarter|period|time)"
)
def _same_last_year(r: Reader, m: re.Match[str]) -> SaidPeriod | None:
    base = r.anchor
    if base is None:
        now = r.now
        base = Period("", now - DAY, now)
    unit = m.group(3) or "year"
    begin, end = base.start.astimezone(r.calendar.zone), base.end.astimezone(r.calendar.zone)
    if m.group(1) == "week" and unit == "year":  # the same ISO week: 52 weeks back keeps the weekday
        return r.span(begin - 364 * DAY, end - 364 * DAY)
    if unit == "week":
        return r.span(begin - 7 * DAY, end - 7 * DAY)
    back = 12 if unit == "year" else 1
    return r.span(
        datetime.combine(months_later(begin.date(), -back), begin.time(), r.calendar.zone),
        datetime.combine(months_later(end.date(), -back), end.time(), r.calendar.zone),
    )


@rule_for(
    rf"(?:in |within |over |for )?(?:the )?(?:last|past|previous|latest|preceding|rolling|trailing|recent)? "
    rf"?(\d+(?:\.5)?)[ -]?(?:completed |full |complete |working |production )?({UNIT})(?: rolling| back to now| "
    rf"to now| till now|)"
)
def _rolling(r: Reader, m: re.Match[str]) -> SaidPeriod | None:
    amount, unit = float(m.group(1)), UNITS[m.group(2)]
    if not 0 < amount <= 100_000 or (amount > 1 and m.group(2) in ("shift", "night", "week") and amount > 60):
        return None
    count = int(amount)
    if unit in ("shift", "night"):
        if count < 1 or count > 8:
            return None
        first, last = r.unit(unit, -count), r.unit(unit, -1)
        if first is None or last is None:
            return None
        return r.span(first.period.start, last.period.end, "night" if unit == "night" and count > 1 else "")
    if unit == "weekend":
        return None
    if r.anchor is not None and "before" in m.group(0):
        return None
    return r.span(r.ago(amount, unit), r.now)


@rule_for(rf"(?:the )?(\d+) ?({UNIT})? (?:before|earlier)(?: that)?|previous (\d+)")
def _count_before(r: Reader, m: re.Match[str]) -> SaidPeriod | None:
    if r.anchor is None:
        return None
    begin = r.anchor.start.astimezone(r.calendar.zone)
    return r.span(begin - (r.anchor.end - r.anchor.start), begin)


@rule_for(rf"(?:in )?(?:the )?(?:next|coming|upcoming) (\d+) ?({UNIT})|(?:with)?in (\d+) ?({UNIT})(?: from now)?")
def _ahead(r: Reader, m: re.Match[str]) -> SaidPeriod | None:
    amount, unit = int(m.group(1) or m.group(3)), UNITS[m.group(2) or m.group(4)]
    if unit in ("shift", "night", "weekend") or amount > 10_000:
        return None
    return r.span(r.now, r.ago(-amount, unit))


@rule_for(rf"(?:about |around |some |roughly )?(?:a|an|\d+) ?({UNIT}) (?:ago|back)(?: today)?")
def _ago(r: Reader, m: re.Match[str]) -> SaidPeriod | None:
    count = int(n.group(0)) if (n := re.search(r"\d+", m.group(0))) else 1
    unit = UNITS[m.group(1)]
    if unit in ("minute", "hour"):
        middle, half = (
            r.ago(count, unit).astimezone(UTC),
            timedelta(minutes=30 if unit == "hour" else max(5, count // 2)),
        )
        return r.span(
            (middle - half).astimezone(r.calendar.zone),
            min(middle + half, r.now.astimezone(UTC)).astimezone(r.calendar.zone),
        )
    return r.unit(unit, -count)


@rule_for(
    r"(?:(?:calendar |iso )?week|cw|kw|wk)s? ?(\d{1,2})(?:(?: of|,|/)? ?(\d{4}|last year))?|(\d{4})-?w(\d{1,2})|"
    r"w(\d{1,2})"
)
def _iso_week(r: Reader, m: re.Match[str]) -> SaidPeriod | None:
    number = int(m.group(1) or m.group(4) or m.group(5))
    year = m.group(2) or m.group(3)
    this = r.now.date().isocalendar().year
    if year:
        start = date.fromisocalendar(this - 1 if year == "last year" else int(year), number, 1)
    else:
        start = date.fromisocalendar(this, number, 1) if number < 53 else date.fromisocalendar(this - 1, min(number, 53), 1)
        if start > r.now.date():
            start = date.fromisocalendar(this - 1, number, 1)
    return r.days(start, start + 6 * DAY)


@rule_for(rf"(?:month of )?({MONTH})\.?(?:(?: of|,)? (\d{{4}}|last year|this year))?|last ({MONTH})")
def _named_month(r: Reader, m: re.Match[str]) -> SaidPeriod | None:
    year = {"last year": str(r.now.year - 1), "this year": str(r.now.year)}.get(m.group(2) or "", m.group(2))
    first, last = r.month(m.group(1) or m.group(3), year)
    if m.group(3) and last >= r.now.date():
        first, last = r.month(m.group(3), str(first.year - 1))
    return r.days(first, last)


@rule_for(
    r"(?:q|quarter |quarter no )([1-4])(?:[ /-]?(?:of )?(\d{4}|\d{2}|last year|this year))?|([1-4])(?:st|nd|rd|"
    r"th)? quarter(?: (?:of )?(\d{4}|last year|this year))?|(\d{4})[ -]?q([1-4])"
)
def _named_quarter(r: Reader, m: re.Match[str]) -> SaidPeriod | None:
    number = int(m.group(1) or m.group(3) or m.group(6))
    return _numbered(r, m.group(2) or m.group(4) or m.group(5), number, 3)


@rule_for(
    r"h([12])(?:[ /-]?(\d{4}))?|([12])(?:st|nd) half(?:-year| of (?:the |this )?year)?(?: (\d{4}))?|([12])(?:st|"
    r"nd) half year"
)
def _named_half(r: Reader, m: re.Match[str]) -> SaidPeriod | None:
    return _numbered(r, m.group(2) or m.group(4), int(m.group(1) or m.group(3) or m.group(5)), 6)


def _numbered(r: Reader, year: str | None, number: int, months: int) -> SaidPeriod | None:
    said = {"last year": str(r.now.year - 1), "this year": str(r.now.year)}.get(year or "", year)
    first = r.dated(1, (number - 1) * months + 1, said)
    return r.days(first, months_later(first, months) - DAY)


@rule_for(r"(?:year |fy ?|fiscal year )?(20\d\d)|fy ?'?(\d\d)")
def _named_year(r: Reader, m: re.Match[str]) -> SaidPeriod | None:
    year = int(m.group(1) or f"20{m.group(2)}")
    return r.days(date(year, 1, 1), date(year, 12, 31))


@rule_for(r"(?:(this|last) )?(spring|summer|autumn|fall|winter)(?: quarter| (\d{4}))?")
def _season(r: Reader, m: re.Match[str]) -> SaidPeriod | None:
    first = r.dated(1, SEASONS[m.group(2)], m.group(3))
    if m.group(1) == "last" and months_later(first, 3) > r.now.date():
        first = months_later(first, -12)
    return r.days(first, months_later(first, 3) - DAY)


@rule_for(r"(easter|whitsun|pentecost|christmas|xmas|new year|new years?(?: day| eve)?)")
def _feast(r: Reader, m: re.Match[str]) -> SaidPeriod | None:
    def on(year: int) -> date:
        name = m.group(1)
        if name in ("easter", "whitsun", "pentecost"):
            return easter(year) + (0 if name == "easter" else 49) * DAY
        return date(year, 12, 25) if name in ("christmas", "xmas") else date(year, 1, 1)

    day = on(r.now.year) if on(r.now.year) <= r.now.date() else on(r.now.year - 1)
    return r.days(day, day)


@rule_for(r"(1st|2nd|3rd|4th|last|final) (week|half|day|\d+ days|weekend) (?:of |in )(.+)")
def _piece_of(r: Reader, m: re.Match[str]) -> SaidPeriod | None:
    whole = r.read(m.group(3))
    if whole is None or whole.shift:
        return None
    start, end = whole.period.start, whole.period.end
    last = m.group(1) in ("last", "final")
    if m.group(2) == "half":
        middle = start + (end - start) / 2
        if end - start > 2 * DAY:
            middle = r.midnight(start.date() + (end.date() - start.date()) // 2)
        return r.span(start, middle) if m.group(1) == "1st" else r.span(middle, end)
    length = {"week": 7, "day": 1}.get(m.group(2)) or int(m.group(2).split()[0]) if m.group(2) != "weekend" else 0
    if not length or end - start < length * DAY:
        return None
    if last:
        return r.span(end - length * DAY, end)
    begin = start + (int(m.group(1)[0]) - 1) * length * DAY
    return r.span(begin, min(begin + length * DAY, end))


@rule_for(
    rf"(mid|middle|beginning|start|end|early|late)(?: of|-)? ?({MONTH}|(?:the |this |last )?(?:month|week|year|"
    rf"quarter))"
)
def _part_of(r: Reader, m: re.Match[str]) -> SaidPeriod | None:
    whole = r.read(m.group(2))
    if whole is None:
        return None
    first, days = whole.period.start.date(), (whole.period.end.date() - whole.period.start.date()).days
    third = max(1, days // 3)
    at = {"mid": third, "middle": third, "end": days - third, "late": days - third}.get(m.group(1), 0)
    return r.days(first + at * DAY, first + (at + third - 1) * DAY)


@rule_for(rf"((?:this|last|past|previous|next) )?({WEEKDAY})(?: ({PART}))?(?: shift)?")
def _weekday(r: Reader, m: re.Match[str]) -> SaidPeriod | None:
    day = r.weekday(m.group(2), (m.group(1) or "").strip())
    if m.group(3) and m.group(0).endswith("shift"):
        return r.shift_on(m.group(3), day)
    return r.part(day, m.group(3)) if m.group(3) else r.days(day, day)


@rule_for(
    rf"(today|yesterday|tomorrow|this|(?:last |this )?{WEEKDAY}|.*\d.*?)(?: in the|,)? ({PART}|early|late|day|"
    rf"[123](?:st|nd|rd))( shift| team| crew)?"
)
def _day_part(r: Reader, m: re.Match[str]) -> SaidPeriod | None:
    day = r.now.date() if m.group(1) == "this" else r.day(m.group(1))
    if day is None:
        return None
    if m.group(3) or m.group(2) not in DAYPARTS:
        return r.shift_on(m.group(2), day) if m.group(3) else None
    return r.part(day, m.group(2))


@rule_for(rf"({PART}|early|late) (?:of |on )?(?:the )?(.+)")
def _part_day(r: Reader, m: re.Match[str]) -> SaidPeriod | None:
    day = r.day(m.group(2))
    if day is None:
        return None
    return r.part(day, m.group(1)) if m.group(1) in DAYPARTS else r.shift_on(m.group(1), day)


@rule_for(
    r"(?:(last|previous|this|current|tonight|yesterday|past|most recent) )?(?:the )?(\w+) (?:shift|crew|team)(?: "
    r"(?:of |on |from )?(.+))?|shift (\w+)"
)
def _named_shift(r: Reader, m: re.Match[str]) -> SaidPeriod | None:
    which, word, rest = m.group(1), m.group(2) or m.group(4), m.group(3)
    if not r.shift_name(word):
        if word.isdecimal() and int(word) <= len(r.shift_ids):
            word = r.shift_ids[int(word) - 1]
        else:
            return None
    name = r.shift_name(word) or word
    if rest:
        if rest in ("last night", "night"):
            return r.last_shift(word)
        day = r.day(rest)
        if day:
            return r.shift_on(word, day)
        whole = r.read(rest)  # "night shift last month": the nights of a longer range
        return replace(whole, shift=name) if whole else None
    if which in ("this", "current", "tonight"):
        today = r.now.date()
        running = [d for d in (today, today - DAY) if _holds(r.calendar.shift(name, d), r.now)]
        return r.shift_on(name, running[0] if running else today)
    return r.shift_on(word, r.now.date() - DAY) if which == "yesterday" else r.last_shift(word)


def _holds(span: Range, moment: datetime) -> bool:
    return span[0].astimezone(UTC) <= moment.astimezone(UTC) < span[1].astimezone(UTC)


@rule_for(
    r"(\w+?)s? (?:shifts? )?(?:of |in |during )?((?:last|this|past|previous) (?:week|month|quarter|year)|.*\d.*)|"
    r"((?:last|this|past|previous) (?:week|month)) (\w+) shifts?"
)
def _shifts_of(r: Reader, m: re.Match[str]) -> SaidPeriod | None:
    """ "Night shifts last month": the range, with only that shift of each day."""
    word, whole = m.group(1) or m.group(4), m.group(2) or m.group(3)
    name = r.shift_name(word) if len(word) > 2 and word.isalpha() else None
    found = r.read(whole) if name else None
    return replace(found, shift=name or "") if found and not found.shift else None


@rule_for(rf"({WEEKDAY}|weekend|sunday) (?:morning|early|late|evening|night|afternoon) (?:team|crew)")
def _day_team(r: Reader, m: re.Match[str]) -> SaidPeriod | None:
    return r.shift_on(m.group(0).split()[1], r.weekday(m.group(1))) if m.group(1) in WEEKDAYS else None


@rule_for(r"(?:the )?week (?:of|commencing|starting|beginning|from|containing|with|ending)(?: on)? (?:the )?(.+)")
def _week_of(r: Reader, m: re.Match[str]) -> SaidPeriod | None:
    day = r.calendar_date(m.group(1))
    if day is None:
        return None
    monday = day - day.weekday() * DAY
    return r.days(monday, monday + 6 * DAY)


@rule_for(r"(?:night|evening) of (?:the )?(.+)")
def _night_of(r: Reader, m: re.Match[str]) -> SaidPeriod | None:
    day = r.day(m.group(1))
    return r.part(day, "night") if day else None


@rule_for(r"(?:.+)")
def _one_date(r: Reader, m: re.Match[str]) -> SaidPeriod | None:
    day = r.calendar_date(m.group(0))
    return r.days(day, day) if day else None


@rule_for(
    rf"(?:from |between )?({CLOCK}) ?(?:to|till|until|and|-|up to|through) ?(?:nearly |about )?({CLOCK})(?: "
    rf"(?:on |in )?(?:the )?(.+))?"
)
def _clock_range(r: Reader, m: re.Match[str]) -> SaidPeriod | None:
    first, last, rest = m.group(1), m.group(2), m.group(3)
    numbers = re.fullmatch(r"\d{1,2}", first) and re.fullmatch(r"\d{1,2}", last)
    if rest and re.match(rf"{MONTH}\b", rest):
        return None  # "4 to 6 May" are days
    if numbers and (rest is None) and not m.group(0).startswith(("between", "from")):
        return None  # "12 to 18": days or hours; without more words nobody knows
    if rest is None:
        return r.between(first, last, None)
    if n := re.fullmatch(rf"(?:(this|today|yesterday|last|{WEEKDAY}) )?(?:in the )?({PART})", rest):
        word = n.group(1) or "this"
        if word == "last" and n.group(2) == "night":
            night = r.night(-1)
            return r.between(first, last, (night.period.start.date() if night else r.now.date()), "night")
        day = r.now.date() if word in ("this", "last") else r.day(word)
        return r.between(first, last, day, "am" if n.group(2) == "morning" else n.group(2)) if day else None
    if rest in ("last night", "tonight"):
        night = r.night(-1 if rest == "last night" else 0)
        if night is None:
            return None
        return r.between(first, last, night.period.start.date(), "night")
    day = r.day(rest)
    return r.between(first, last, day) if day else None


@rule_for(rf"(.+?),? (?:from |between )?({CLOCK}) ?(?:to|till|until|and|-) ?({CLOCK})")
def _day_clock_range(r: Reader, m: re.Match[str]) -> SaidPeriod | None:
    if m.group(1) in ("last night", "tonight"):
        night = r.night(-1 if m.group(1) == "last night" else 0)
        return r.between(m.group(2), m.group(3), night.period.start.date(), "night") if night else None
    day = r.day(m.group(1))
    return r.between(m.group(2), m.group(3), day) if day else None


@rule_for(rf"(yesterday|today|(?:last |this )?{WEEKDAY}|.*\d.*),? (?:at |around |about )?({CLOCK})")
def _day_at(r: Reader, m: re.Match[str]) -> SaidPeriod | None:
    day, hour = r.day(m.group(1)), r.hours(m.group(2))
    if day is None or hour is None or not re.search(r"[:.]|am|pm|h$|noon|midnight", m.group(2)):
        return None
    at, half = r.clock(day, hour), timedelta(minutes=30)
    return r.span(at - half, at + half)


@rule_for(
    r"(?:since|from|starting|beginning|as of)(?: the)? (?:start|beginning|begin) of (?:the |this |my )?(shift|"
    r"day|week|month|quarter|year|fiscal year|calendar year)|since (?:the )?shift (?:began|started|start|change)|"
    r"since (?:start-?up of )?shift"
)
def _since_start(r: Reader, m: re.Match[str]) -> SaidPeriod | None:
    unit = UNITS.get(m.group(1) or "shift", "year")
    current = r.unit(unit, 0)
    return r.span(current.period.start, r.now) if current and current.period.start < r.now else None


@rule_for(
    r"(?:since|from|after|starting|as of) (.+?)(?: (?:on|onwards?|till now|to now|until now|up to now|to date|up "
    r"to today|till today))?"
)
def _since(r: Reader, m: re.Match[str]) -> SaidPeriod | None:
    said = m.group(1)
    ranged = re.search(r" (?:to|till|until|-|through|up to) ", f" {said} ")
    if m.group(0).startswith("from") and ranged:
        return None
    if m.group(0).startswith("from") and not ranged and m.group(0).endswith(said) and not re.fullmatch(CLOCK, bare(said)):
        moment = r.read(said)  # "from last week": the range itself; "from 1 May" runs on to now
        if moment and not re.search(rf"\d|{MONTH}|{WEEKDAY}|yesterday|easter|noon|midnight|morning", said):
            return moment
    moment_at = moment_of(r, said) or moment_of_event(r, said)
    if moment_at is None:
        return None
    begin = moment_at[1] if m.group(0).startswith("after") else moment_at[0]
    return r.span(begin, r.now) if begin < r.now else None


@rule_for(r"(?:due )?(?:before|until|till|up to|prior to|older than|by|not since|up until|no later than|not later than) (.+)")
def _before(r: Reader, m: re.Match[str]) -> SaidPeriod | None:
    said = m.group(1)
    floor = r.midnight(date(EARLIEST, 1, 1))
    if n := re.fullmatch(r"(?:the |an |a )?(\d+ |)(\w+)", said):
        unit = UNITS.get(n.group(2))
        if unit and unit not in ("shift", "night", "weekend") and m.group(0).startswith("older"):
            return r.span(floor, r.ago(int(n.group(1) or 1), unit))
    if n := re.fullmatch(r"(?:the )?end of (?:the )?(.+)", said):
        whole = r.read(n.group(1))
        end = whole.period.end if whole else r.now
        if end < r.now and re.fullmatch(rf"(?:{MONTH})", n.group(1)):
            end = end.replace(year=end.year + 1)  # what is to be by the end of August is so in the coming one
        return r.span(r.now, end) if end > r.now else None
    place = moment_of(r, said) or moment_of_event(r, said)
    if place is None:
        return None
    begin, end = place
    if m.group(0).startswith(("by", "due by")) and end > r.now:
        return r.span(r.now, end)
    return r.span(floor, begin) if begin > floor else None


@rule_for(
    rf"(just before|shortly before|right before|minutes before|around|about|at|near|just after|right after)? "
    rf"?(?:at |about )?({CLOCK})(?: (?:on |in )?(?:the )?(.+))?"
)
def _at(r: Reader, m: re.Match[str]) -> SaidPeriod | None:
    how, clock, rest = m.group(1), m.group(2), m.group(3)
    if rest and re.match(rf"(?:to|till|and)\b|{MONTH}\b", rest):
        return None
    if how is None and rest is None and not re.search(r"[:.]|am|pm|h$|noon|midnight", clock):
        return None
    if clock == "now":
        return None
    part, day = "", None
    if rest:
        if n := re.fullmatch(rf"(?:(this|today|yesterday) )?({PART})", rest):
            part, day = (
                ("am" if n.group(2) == "morning" else n.group(2)),
                (r.day(n.group(1)) if n.group(1) == "yesterday" else r.now.date()),
            )
        else:
            day = r.day(rest)
        if day is None:
            return None
    hour = r.hours(clock, day, part)
    if hour is None:
        return None
    at = r.clock(day or r.now.date(), hour)
    if day is None and at > r.now:
        at -= DAY
    half = timedelta(minutes=30)
    if how and "before" in how:
        return r.span(at - half, at)
    return r.span(at, at + half) if how and "after" in how else r.span(at - half, at + half)


@rule_for(r"(?:the )?(?:(\d+) )?(minutes?|hours?) (before|after|around|to) (.+)")
def _beside(r: Reader, m: re.Match[str]) -> SaidPeriod | None:
    """ "The ten minutes before 3 pm", "the hour around the 02:15 break"."""
    said = re.sub(rf"^(?:the )?({CLOCK}) \w+$", r"\1", m.group(4))
    place = moment_of(r, said) or moment_of_event(r, f" {said}")
    if place is None:
        return None
    length = timedelta(minutes=int(m.group(1) or 1) * (60 if m.group(2).startswith("hour") else 1))
    if m.group(3) == "around":
        return r.span(place[0] - length / 2, place[1] + length / 2)
    return r.span(place[1], place[1] + length) if m.group(3) == "after" else r.span(place[0] - length, place[0])


@rule_for(r"(?:between|around|about|just after|after|at) (?:the|our|my) .+ (?:at|on) .+")
def _around_event(r: Reader, m: re.Match[str]) -> SaidPeriod | None:
    place = moment_of_event(r, m.group(0))
    half = timedelta(minutes=30)
    if place is None:
        return None
    return r.span(place[0] - half, place[1] + half) if place[0] == place[1] else r.span(*place)


@rule_for(rf"(.+?) (?:from|since|after) ({CLOCK})(?: on| onwards?)?")
def _day_from(r: Reader, m: re.Match[str]) -> SaidPeriod | None:
    day, hour = r.day(m.group(1)), r.hours(m.group(2))
    if day is None or hour is None:
        return None
    end = min(r.midnight(day + DAY), r.now)
    return r.span(r.clock(day, hour), end if end > r.clock(day, hour) else r.midnight(day + DAY))


@rule_for(
    r"(?:from |between )(.+?) (?:to|till|until|and|through|up to|-|thru) (.+)|(.+?)(?: ?- ?| (?:to|till|until|"
    r"through|thru|up to) )(.+)"
)
def _from_to(r: Reader, m: re.Match[str]) -> SaidPeriod | None:
    return r.ends(bare(m.group(1) or m.group(3)), bare(m.group(2) or m.group(4)))


@rule_for(r"(.+?)(?:, ?| and | ?\+ ?| & )(.+)")
def _adjoining(r: Reader, m: re.Match[str]) -> SaidPeriod | None:
    """ "May and June": one range when the two touch; otherwise they are two periods, and nobody may merge them."""
    first, last = r.read(bare(m.group(1))), r.read(bare(m.group(2)))
    if first is None or last is None or first.shift or last.shift:
        return None
    return r.span(first.period.start, last.period.end) if first.period.end == last.period.start else None


@rule_for(rf"({WEEKDAY}(?: {WEEKDAY})+)")
def _run_of_days(r: Reader, m: re.Match[str]) -> SaidPeriod | None:
    names = m.group(1).split()
    days = [WEEKDAYS[n] for n in names]
    if [(d + 1) % 7 for d in days[:-1]] != days[1:]:
        return None
    last = r.weekday(names[-1])
    return r.days(last - (len(days) - 1) * DAY, last)
