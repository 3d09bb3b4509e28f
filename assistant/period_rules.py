"""The rules by which an expression of time becomes a range: each a pattern over the whole expression and what it means.

`Reader` holds the moment (on the plant's wall clock) and the building blocks; the rules are tried in order and the
first that fits and can be placed decides. A new way to say a time is one rule here and a line in tests/test_periods.py.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta

from assistant.period_words import (
    CLOCK,
    DAY,
    DAYPARTS,
    MONTH,
    MONTHS,
    PART,
    SEASONS,
    UNIT,
    UNITS,
    WEEKDAY,
    WEEKDAYS,
    bare,
    easter,
    months_later,
    shift_named,
    unit_start,
)  # fmt: skip
from tools.calendar import Calendar
from tools.registry import Period

EARLIEST = 2000  # the year in which open-ended ranges ("before May", "all time") begin
Range = tuple[datetime, datetime]


@dataclass(frozen=True)
class SaidPeriod:
    """A range and what the expression said beside it. `shift` is set where only that shift of each day is meant
    ("last three nights"); `future` when the range has not begun; `now` when the expression means this moment."""

    period: Period
    shift: str = ""
    future: bool = False
    now: bool = False


@dataclass
class Reader:
    """The rules, tried in order, each on the whole expression; `now` is on the plant's wall clock."""

    now: datetime
    calendar: Calendar
    anchor: Period | None
    depth: int = 0

    def read(self, said: str) -> SaidPeriod | None:
        if self.depth > 4:
            return None
        self.depth += 1
        try:
            for text in dict.fromkeys((said, bare(said))):
                for rule in _RULES:
                    match = rule[0].fullmatch(text)
                    if match:
                        found = rule[1](self, match)
                        if found is not None:
                            return found
            return None
        finally:
            self.depth -= 1

    # -- building blocks: wall-clock arithmetic --------------------------------------------------------------------
    def midnight(self, day: date) -> datetime:
        return datetime.combine(day, time(), self.calendar.zone)

    def days(self, first: date, last: date) -> SaidPeriod:
        return self.span(self.midnight(first), self.midnight(last + DAY))

    def span(self, start: datetime, end: datetime, shift: str = "") -> SaidPeriod:
        return SaidPeriod(Period("", start, end), shift)

    def clock(self, day: date, hour: float) -> datetime:
        """A wall-clock time of a day; hours of 24 and more fall on the next day."""
        whole = timedelta(hours=hour)
        return datetime.combine(day + whole.days * DAY, (datetime.min + whole % DAY).time(), self.calendar.zone)

    def ago(self, amount: float, unit: str) -> datetime:
        now = self.now
        if unit in ("minute", "hour"):
            elapsed = timedelta(minutes=amount) if unit == "minute" else timedelta(hours=amount)
            return (now.astimezone(UTC) - elapsed).astimezone(self.calendar.zone)
        if unit in ("day", "week", "fortnight"):
            return now - {"day": 1, "week": 7, "fortnight": 14}[unit] * amount * DAY
        back = round({"month": 1, "quarter": 3, "half": 6, "year": 12}[unit] * amount)
        return datetime.combine(months_later(now.date(), -back), now.time(), self.calendar.zone)

    def unit(self, unit: str, offset: int) -> SaidPeriod | None:
        """The calendar unit that holds now, moved by `offset`: 0 this, -1 the last completed one, 1 the next."""
        today = self.now.date()
        if unit == "minute":
            return None
        if unit == "hour":
            floor = self.now.replace(minute=0, second=0, microsecond=0)
            start = (floor.astimezone(UTC) + timedelta(hours=offset)).astimezone(self.calendar.zone)
            return self.span(start, (start.astimezone(UTC) + timedelta(hours=1)).astimezone(self.calendar.zone))
        if unit == "shift":
            return self.shift_at(offset)
        if unit == "night":
            return self.night(offset)
        if unit == "weekend":
            saturday = today - ((today.weekday() - 5) % 7) * DAY
            if offset < 0 and self.midnight(saturday + 2 * DAY) > self.now:  # still running: the one before
                saturday -= 7 * DAY
            elif offset == 0 and today.weekday() < 5:  # on a working day "this weekend" lies ahead
                saturday += 7 * DAY
            return self.days(saturday + (7 * offset if offset > 0 else 0) * DAY, saturday + DAY)
        if unit == "fortnight" and offset == -1:
            return self.span(self.ago(14, "day"), self.now)
        origin, length = unit_start(today, unit)
        if unit in ("month", "quarter", "half", "year"):
            first, after = months_later(origin, offset * length), months_later(origin, (offset + 1) * length)
        else:
            first, after = origin + offset * length * DAY, origin + (offset + 1) * length * DAY
        return self.span(self.midnight(first), self.midnight(after))

    # -- shifts ------------------------------------------------------------------------------------------------------
    @property
    def shift_ids(self) -> list[str]:
        return [shift.id for shift in self.calendar.shifts]

    def instances(self, name: str | None = None) -> list[Range]:
        """Shifts around now in order, of one name or of all."""
        runs = self.calendar.runs(self.now - 9 * DAY, self.now + 3 * DAY, (name,) if name else ())
        return [(run.start, run.end) for run in runs]

    def shift_at(self, offset: int) -> SaidPeriod | None:
        now = self.now.astimezone(UTC)
        all_shifts = self.instances()
        if offset < 0:
            done = [r for r in all_shifts if r[1].astimezone(UTC) <= now]
            return self.span(*done[offset]) if len(done) >= -offset else None
        begun = [r for r in all_shifts if r[1].astimezone(UTC) > now]
        return self.span(*begun[offset]) if begun else None

    def shift_name(self, word: str) -> str | None:
        return shift_named(word, self.calendar)

    def shift_on(self, word: str, day: date) -> SaidPeriod | None:
        name = self.shift_name(word)
        return self.span(*self.calendar.shift(name, day)) if name else None

    def last_shift(self, word: str) -> SaidPeriod | None:
        """The most recently completed shift of a name."""
        name = self.shift_name(word)
        if not name:
            return None
        now = self.now.astimezone(UTC)
        done = [r for r in self.instances(name) if r[1].astimezone(UTC) <= now]
        return self.span(*done[-1]) if done else None

    def night(self, offset: int) -> SaidPeriod | None:
        """Tonight (0) is the night running or next to come; last night (-1) the most recently ended one."""
        name = self.shift_name("night")
        nights = self.instances(name) if name else [self.night_of(self.now.date() + k * DAY) for k in range(-9, 3)]
        now = self.now.astimezone(UTC)
        if offset < 0:
            done = [r for r in nights if r[1].astimezone(UTC) <= now]
            return self.span(*done[offset]) if len(done) >= -offset else None
        return self.span(*[r for r in nights if r[1].astimezone(UTC) > now][offset])

    def night_of(self, day: date) -> Range:
        name = self.shift_name("night")
        return self.calendar.shift(name, day) if name else (self.clock(day, 22), self.clock(day, 30))

    # -- days --------------------------------------------------------------------------------------------------------
    def weekday(self, name: str, which: str = "") -> date:
        """The most recent such day before today; `this` stays in the week, `next` lies ahead."""
        today = self.now.date()
        number = WEEKDAYS[name]
        if which == "this":
            return today + (number - today.weekday()) * DAY
        if which == "next":
            return today + ((number - today.weekday() - 1) % 7 + 1) * DAY
        return today - ((today.weekday() - number - 1) % 7 + 1) * DAY

    def day(self, said: str) -> date | None:
        """One calendar day said as a word, a weekday or a date."""
        today = self.now.date()
        said = bare(said)
        words = {"today": 0, "tomorrow": 1, "yesterday": -1, "day before yesterday": -2, "day after tomorrow": 2}
        if said in words:
            return today + words[said] * DAY
        if m := re.fullmatch(rf"(?:(this|last|next|past|previous) )?({WEEKDAY})", said):
            return self.weekday(m.group(2), m.group(1) or "")
        if m := re.fullmatch(r"(\d+) days? ago", said):
            return today - int(m.group(1)) * DAY
        return self.calendar_date(said)

    def calendar_date(self, said: str) -> date | None:
        today = self.now.date()
        said = re.sub(rf"^{WEEKDAY},? (?:the )?(?=\d)", "", said)
        if m := re.fullmatch(r"(\d{4})-(\d{1,2})-(\d{1,2})", said):
            return date(int(m.group(1)), int(m.group(2)), int(m.group(3)))
        if m := re.fullmatch(r"(\d{1,2})[./](\d{1,2})(?:[./](\d{2,4}))?\.?", said):
            day, month = int(m.group(1)), int(m.group(2))
            if month > 12 >= day:
                day, month = month, day
            return self.dated(day, month, m.group(3))
        if m := re.fullmatch(rf"(\d{{1,2}})(?:st|nd|rd|th)?\.? (?:of )?({MONTH})\.?,?(?: (\d{{4}}))?", said):
            return self.dated(int(m.group(1)), MONTHS[m.group(2)], m.group(3))
        if m := re.fullmatch(rf"({MONTH})\.? (?:the )?(\d{{1,2}})(?:st|nd|rd|th)?,?(?: (\d{{4}}))?", said):
            return self.dated(int(m.group(2)), MONTHS[m.group(1)], m.group(3))
        if m := re.fullmatch(r"(\d{1,2})(?:st|nd|rd|th)(?: of (?:the|this) month)?", said):
            number, first = int(m.group(1)), today.replace(day=1)
            while not (number <= monthrange(first.year, first.month)[1] and first.replace(day=number) <= today):
                first = months_later(first, -1)
            return first.replace(day=number)
        return None

    def dated(self, day: int, month: int, year: str | None) -> date:
        """A day and month in the year said, else the most recent one that has begun."""
        if year:
            return date(int(year) + (2000 if len(year) == 2 else 0), month, day)
        this = self.now.date()
        for candidate in (this.year, this.year - 1, this.year - 2, this.year - 3, this.year - 4):
            if day <= monthrange(candidate, month)[1] and date(candidate, month, day) <= this:
                return date(candidate, month, day)
        raise ValueError(f"no such day {day}.{month}.")

    def month(self, name: str, year: str | None = None) -> tuple[date, date]:
        first = self.dated(1, MONTHS[name], year)
        return first, months_later(first, 1) - DAY

    def part(self, day: date, part: str) -> SaidPeriod:
        if part == "night":
            return self.span(*self.night_of(day))
        begin, end = DAYPARTS[part]
        return self.span(self.clock(day, begin), self.clock(day, end))

    # -- clock times -------------------------------------------------------------------------------------------------
    def hours(self, said: str, day: date | None = None, part: str = "") -> float | None:
        """A clock time in hours since midnight. A bare hour below 12 takes its half of the day from `part`."""
        said = said.strip()
        fixed = {"noon": 12, "midday": 12, "midnight": 0, "lunch": 12, "lunchtime": 12, "breakfast": 9}
        if said in fixed:
            return float(fixed[said])
        if said == "now":
            return self.now.hour + self.now.minute / 60
        m = re.fullmatch(r"(\d{1,2})(?:[:.](\d{2}))? ?(am|pm|h)?", said)
        if not m:
            return None
        hour, minute, half = int(m.group(1)), int(m.group(2) or 0), m.group(3) or part
        if hour > 24 or minute > 59 or (half in ("am", "pm") and hour > 12):
            return None
        if half == "am" and hour == 12:
            hour = 0
        if half in ("pm", "afternoon", "evening") and hour < 12:
            hour += 12
        if half == "night" and 6 < hour < 12:
            hour += 12
        return hour + minute / 60

    def between(self, first: str, last: str, day: date | None, part: str = "") -> SaidPeriod | None:
        """Two clock times; without a day the most recent such range that has begun."""
        last_half = m.group(0) if (m := re.search(r"am|pm", last)) else ""
        first_half = m.group(0) if (m := re.search(r"am|pm", first)) else ""
        end = self.hours(last, day, part)
        start = self.hours(first, day, part)
        if start is None or end is None:
            return None
        if last_half and not first_half and ":" not in first:  # "3 to 5 pm": both afternoon, "10 to 2 pm" not
            told = self.hours(first, day, last_half)
            if told is not None and told < end:
                start = told
        if last == "now":
            moment = self.now
            begin = self.clock(self.now.date(), start)
            return self.span(begin if begin < moment else begin - DAY, moment)
        if end <= start:
            end += 24
        numbers = re.fullmatch(r"\d{1,2}", first) and re.fullmatch(r"\d{1,2}", last)
        if numbers and not part and 1 <= start < end <= 7 and self.clock(day or self.now.date(), start + 12) < self.now:
            start, end = start + 12, end + 12  # "between two and four", said later in the day, is the afternoon
        if day is None:
            day = self.now.date()
            if self.clock(day, start) >= self.now:
                day -= DAY
        elif end > 24 and start < 24 and part == "night" and start < 12:
            start, end = start + 24, end + 24
        return self.span(self.clock(day, start), self.clock(day, end))

    def ends(self, first: str, last: str) -> SaidPeriod | None:
        """From the start of one expression to the end of another; a bare number or weekday borrows from its partner."""
        if last in ("now", "to date", "date", "today so far"):
            left = self.read(first)
            return self.span(left.period.start, self.now) if left and left.period.start < self.now else None
        if re.fullmatch(r"\d{1,2}(?:st|nd|rd|th)?", first) and (m := re.search(rf"\b({MONTH})\b(?: (\d{{4}}))?", last)):
            first = f"{first} {m.group(0)}"
        elif re.fullmatch(r"\d{1,2}(?:st|nd|rd|th)?", last) and (m := re.match(rf"({MONTH}) \d", first)):
            last = f"{m.group(1)} {last}"
        elif re.fullmatch(r"\d{1,2}", last) and (m := re.match(r"(?:week|weeks|cw|kw) \d", first)):
            last = f"week {last}"
        to, since = _moment(self, last), _moment(self, first)
        if since is None or to is None:
            return None
        begin, end = since[0], to[1]
        if begin >= end:  # "Thursday to Tuesday", "November to March": the first one of the time before
            begin = self.earlier(first, begin, end)
        return self.span(begin, end) if begin < end else None

    def earlier(self, said: str, begin: datetime, end: datetime) -> datetime:
        back = (
            7 * DAY
            if re.search(rf"\b{WEEKDAY}\b", said)
            else 364 * DAY
            if re.search(r"week|\bcw|\bkw", said)
            else 365 * DAY
            if re.search(rf"\b{MONTH}\b", said)
            else timedelta()
        )
        if back.days == 365:
            moved = months_later(begin.date(), -12)
            return self.midnight(moved)
        return begin - back


Rule = Callable[[Reader, "re.Match[str]"], SaidPeriod | None]
_RULES: list[tuple[re.Pattern[str], Rule]] = []


def _rule(pattern: str) -> Callable[[Rule], Rule]:
    def add(function: Rule) -> Rule:
        _RULES.append((re.compile(pattern), function))
        return function

    return add


@_rule(
    r"(?:right |just |by )?now|currently|(?:at )?(?:the|this) (?:moment|minute|second|instant|time)|at present|"
    r"moment|minute|live|as of now|present|this (?:moment|minute)|presently"
)
def _now(r: Reader, m: re.Match[str]) -> SaidPeriod | None:
    return replace(r.span(r.ago(1, "hour"), r.now), now=True)


@_rule(r"all time|ever|all history|since ever|forever|since the beginning|all data|whole history")
def _ever(r: Reader, m: re.Match[str]) -> SaidPeriod | None:
    return r.span(r.midnight(date(EARLIEST, 1, 1)), r.now)


@_rule(
    r"today|((?:so far|up to now|until now|as of) today|today (?:so far|until now|till now|up to now))|today "
    r"whole day|day|this day"
)
def _today(r: Reader, m: re.Match[str]) -> SaidPeriod | None:
    return r.span(r.midnight(r.now.date()), r.now) if m.group(1) else r.unit("day", 0)


@_rule(r"(?:in )?(?:the )?(morning|afternoon|evening)")
def _latest_part(r: Reader, m: re.Match[str]) -> SaidPeriod | None:
    """ "The morning": the most recent one that has begun."""
    today = r.part(r.now.date(), m.group(1))
    return today if today.period.start <= r.now else r.part(r.now.date() - DAY, m.group(1))


@_rule(r"yesterday|(?:the )?day before yesterday|tomorrow|day after tomorrow|previous day")
def _simple_day(r: Reader, m: re.Match[str]) -> SaidPeriod | None:
    day = r.day(m.group(0).replace("previous day", "yesterday"))
    return r.days(day, day) if day else None


@_rule(r"overnight|last night|previous night|past night|whole night|the night|night")
def _last_night(r: Reader, m: re.Match[str]) -> SaidPeriod | None:
    return r.night(-1)


@_rule(r"tonight|this night")
def _tonight(r: Reader, m: re.Match[str]) -> SaidPeriod | None:
    return r.night(0)


@_rule(
    r"(?:ytd|mtd|wtd|qtd|(?:this )?(year|month|week|quarter|shift|day)(?: to date| so far)|(?:so far|up to now) "
    r"(?:this|the) (?:calendar )?(year|month|week|quarter|shift))"
)
def _to_date(r: Reader, m: re.Match[str]) -> SaidPeriod | None:
    short = {"ytd": "year", "mtd": "month", "wtd": "week", "qtd": "quarter"}
    current = r.unit(UNITS[short.get(m.group(0)) or m.group(1) or m.group(2)], 0)
    return r.span(current.period.start, r.now) if current else None


@_rule(
    rf"(?:(?:this|the|current|present|running|ongoing|all|whole|entire|full) )+({UNIT})|(week|month|quarter|year|"
    rf"shift|half-year|weekend|hour)"
)
def _this_unit(r: Reader, m: re.Match[str]) -> SaidPeriod | None:
    unit = UNITS[m.group(1) or m.group(2)]
    if unit == "weekend" and "this" not in m.group(0):
        return r.unit("weekend", -1) if r.now.weekday() < 5 else r.unit("weekend", 0)
    return r.unit(unit, 0)


@_rule(
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


@_rule(rf"(?:the )?({UNIT}) before last|last ({UNIT}) but (?:1|one)")
def _before_last(r: Reader, m: re.Match[str]) -> SaidPeriod | None:
    return r.unit(UNITS[m.group(1) or m.group(2)], -2)


@_rule(rf"(?:the )?({UNIT}) (?:after next)")
def _after_next(r: Reader, m: re.Match[str]) -> SaidPeriod | None:
    return r.unit(UNITS[m.group(1)], 2)


@_rule(rf"(?:the |same )?({UNIT}) (?:before|earlier|prior|previously)(?: that)?")
def _unit_before(r: Reader, m: re.Match[str]) -> SaidPeriod | None:
    unit = UNITS[m.group(1)]
    return _before_anchor(r, unit) if r.anchor else r.unit(unit, -2 if unit != "day" else -1)


def _before_anchor(r: Reader, unit: str) -> SaidPeriod | None:
    """The unit that ends where the discussed period begins."""
    if r.anchor is None:
        return None
    begin = r.anchor.start.astimezone(r.calendar.zone)
    if unit in ("hour", "minute", "shift", "night", "weekend"):
        length = r.anchor.end - r.anchor.start
        return r.span(begin - length, begin)
    inner = Reader(begin - timedelta(microseconds=1), r.calendar, None)
    return inner.unit(unit, 0)


@_rule(
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


@_rule(
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


@_rule(rf"(?:the )?(\d+) ?({UNIT})? (?:before|earlier)(?: that)?|previous (\d+)")
def _count_before(r: Reader, m: re.Match[str]) -> SaidPeriod | None:
    if r.anchor is None:
        return None
    begin = r.anchor.start.astimezone(r.calendar.zone)
    return r.span(begin - (r.anchor.end - r.anchor.start), begin)


@_rule(rf"(?:in )?(?:the )?(?:next|coming|upcoming) (\d+) ?({UNIT})|(?:with)?in (\d+) ?({UNIT})(?: from now)?")
def _ahead(r: Reader, m: re.Match[str]) -> SaidPeriod | None:
    amount, unit = int(m.group(1) or m.group(3)), UNITS[m.group(2) or m.group(4)]
    if unit in ("shift", "night", "weekend") or amount > 10_000:
        return None
    return r.span(r.now, r.ago(-amount, unit))


@_rule(rf"(?:about |around |some |roughly )?(?:a|an|\d+) ?({UNIT}) (?:ago|back)(?: today)?")
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


@_rule(
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
        start = (
            date.fromisocalendar(this, number, 1) if number < 53 else date.fromisocalendar(this - 1, min(number, 53), 1)
        )
        if start > r.now.date():
            start = date.fromisocalendar(this - 1, number, 1)
    return r.days(start, start + 6 * DAY)


@_rule(rf"(?:month of )?({MONTH})\.?(?:(?: of|,)? (\d{{4}}|last year|this year))?|last ({MONTH})")
def _named_month(r: Reader, m: re.Match[str]) -> SaidPeriod | None:
    year = {"last year": str(r.now.year - 1), "this year": str(r.now.year)}.get(m.group(2) or "", m.group(2))
    first, last = r.month(m.group(1) or m.group(3), year)
    if m.group(3) and last >= r.now.date():
        first, last = r.month(m.group(3), str(first.year - 1))
    return r.days(first, last)


@_rule(
    r"(?:q|quarter |quarter no )([1-4])(?:[ /-]?(?:of )?(\d{4}|\d{2}|last year|this year))?|([1-4])(?:st|nd|rd|"
    r"th)? quarter(?: (?:of )?(\d{4}|last year|this year))?|(\d{4})[ -]?q([1-4])"
)
def _named_quarter(r: Reader, m: re.Match[str]) -> SaidPeriod | None:
    number = int(m.group(1) or m.group(3) or m.group(6))
    return _numbered(r, m.group(2) or m.group(4) or m.group(5), number, 3)


@_rule(
    r"h([12])(?:[ /-]?(\d{4}))?|([12])(?:st|nd) half(?:-year| of (?:the |this )?year)?(?: (\d{4}))?|([12])(?:st|"
    r"nd) half year"
)
def _named_half(r: Reader, m: re.Match[str]) -> SaidPeriod | None:
    return _numbered(r, m.group(2) or m.group(4), int(m.group(1) or m.group(3) or m.group(5)), 6)


def _numbered(r: Reader, year: str | None, number: int, months: int) -> SaidPeriod | None:
    said = {"last year": str(r.now.year - 1), "this year": str(r.now.year)}.get(year or "", year)
    first = r.dated(1, (number - 1) * months + 1, said)
    return r.days(first, months_later(first, months) - DAY)


@_rule(r"(?:year |fy ?|fiscal year )?(20\d\d)|fy ?'?(\d\d)")
def _named_year(r: Reader, m: re.Match[str]) -> SaidPeriod | None:
    year = int(m.group(1) or f"20{m.group(2)}")
    return r.days(date(year, 1, 1), date(year, 12, 31))


@_rule(r"(?:(this|last) )?(spring|summer|autumn|fall|winter)(?: quarter| (\d{4}))?")
def _season(r: Reader, m: re.Match[str]) -> SaidPeriod | None:
    first = r.dated(1, SEASONS[m.group(2)], m.group(3))
    if m.group(1) == "last" and months_later(first, 3) > r.now.date():
        first = months_later(first, -12)
    return r.days(first, months_later(first, 3) - DAY)


@_rule(r"(easter|whitsun|pentecost|christmas|xmas|new year|new years?(?: day| eve)?)")
def _feast(r: Reader, m: re.Match[str]) -> SaidPeriod | None:
    def on(year: int) -> date:
        name = m.group(1)
        if name in ("easter", "whitsun", "pentecost"):
            return easter(year) + (0 if name == "easter" else 49) * DAY
        return date(year, 12, 25) if name in ("christmas", "xmas") else date(year, 1, 1)

    day = on(r.now.year) if on(r.now.year) <= r.now.date() else on(r.now.year - 1)
    return r.days(day, day)


@_rule(r"(1st|2nd|3rd|4th|last|final) (week|half|day|\d+ days|weekend) (?:of |in )(.+)")
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


@_rule(
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


@_rule(rf"((?:this|last|past|previous|next) )?({WEEKDAY})(?: ({PART}))?(?: shift)?")
def _weekday(r: Reader, m: re.Match[str]) -> SaidPeriod | None:
    day = r.weekday(m.group(2), (m.group(1) or "").strip())
    if m.group(3) and m.group(0).endswith("shift"):
        return r.shift_on(m.group(3), day)
    return r.part(day, m.group(3)) if m.group(3) else r.days(day, day)


@_rule(
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


@_rule(rf"({PART}|early|late) (?:of |on )?(?:the )?(.+)")
def _part_day(r: Reader, m: re.Match[str]) -> SaidPeriod | None:
    day = r.day(m.group(2))
    if day is None:
        return None
    return r.part(day, m.group(1)) if m.group(1) in DAYPARTS else r.shift_on(m.group(1), day)


@_rule(
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


@_rule(
    r"(\w+?)s? (?:shifts? )?(?:of |in |during )?((?:last|this|past|previous) (?:week|month|quarter|year)|.*\d.*)|"
    r"((?:last|this|past|previous) (?:week|month)) (\w+) shifts?"
)
def _shifts_of(r: Reader, m: re.Match[str]) -> SaidPeriod | None:
    """ "Night shifts last month": the range, with only that shift of each day."""
    word, whole = m.group(1) or m.group(4), m.group(2) or m.group(3)
    name = r.shift_name(word) if len(word) > 2 and word.isalpha() else None
    found = r.read(whole) if name else None
    return replace(found, shift=name or "") if found and not found.shift else None


@_rule(rf"({WEEKDAY}|weekend|sunday) (?:morning|early|late|evening|night|afternoon) (?:team|crew)")
def _day_team(r: Reader, m: re.Match[str]) -> SaidPeriod | None:
    return r.shift_on(m.group(0).split()[1], r.weekday(m.group(1))) if m.group(1) in WEEKDAYS else None


@_rule(r"(?:night|evening) of (?:the )?(.+)")
def _night_of(r: Reader, m: re.Match[str]) -> SaidPeriod | None:
    day = r.day(m.group(1))
    return r.part(day, "night") if day else None


@_rule(r"(?:.+)")
def _one_date(r: Reader, m: re.Match[str]) -> SaidPeriod | None:
    day = r.calendar_date(m.group(0))
    return r.days(day, day) if day else None


@_rule(
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


@_rule(rf"(.+?),? (?:from |between )?({CLOCK}) ?(?:to|till|until|and|-) ?({CLOCK})")
def _day_clock_range(r: Reader, m: re.Match[str]) -> SaidPeriod | None:
    if m.group(1) in ("last night", "tonight"):
        night = r.night(-1 if m.group(1) == "last night" else 0)
        return r.between(m.group(2), m.group(3), night.period.start.date(), "night") if night else None
    day = r.day(m.group(1))
    return r.between(m.group(2), m.group(3), day) if day else None


@_rule(rf"(yesterday|today|(?:last |this )?{WEEKDAY}|.*\d.*),? (?:at |around |about )?({CLOCK})")
def _day_at(r: Reader, m: re.Match[str]) -> SaidPeriod | None:
    day, hour = r.day(m.group(1)), r.hours(m.group(2))
    if day is None or hour is None or not re.search(r"[:.]|am|pm|h$|noon|midnight", m.group(2)):
        return None
    at, half = r.clock(day, hour), timedelta(minutes=30)
    return r.span(at - half, at + half)


@_rule(
    r"(?:since|from|starting|beginning|as of)(?: the)? (?:start|beginning|begin) of (?:the |this |my )?(shift|"
    r"day|week|month|quarter|year|fiscal year|calendar year)|since (?:the )?shift (?:began|started|start|change)|"
    r"since (?:start-?up of )?shift"
)
def _since_start(r: Reader, m: re.Match[str]) -> SaidPeriod | None:
    unit = UNITS.get(m.group(1) or "shift", "year")
    current = r.unit(unit, 0)
    return r.span(current.period.start, r.now) if current and current.period.start < r.now else None


@_rule(
    r"(?:since|from|after|starting|as of) (.+?)(?: (?:on|onwards?|till now|to now|until now|up to now|to date|up "
    r"to today|till today))?"
)
def _since(r: Reader, m: re.Match[str]) -> SaidPeriod | None:
    said = m.group(1)
    ranged = re.search(r" (?:to|till|until|-|through|up to) ", f" {said} ")
    if m.group(0).startswith("from") and ranged:
        return None
    if (
        m.group(0).startswith("from")
        and not ranged
        and m.group(0).endswith(said)
        and not re.fullmatch(CLOCK, bare(said))
    ):
        moment = r.read(said)  # "from last week": the range itself; "from 1 May" runs on to now
        if moment and not re.search(rf"\d|{MONTH}|{WEEKDAY}|yesterday|easter|noon|midnight|morning", said):
            return moment
    moment_at = _moment(r, said) or _moment_of_event(r, said)
    if moment_at is None:
        return None
    begin = moment_at[1] if m.group(0).startswith("after") else moment_at[0]
    return r.span(begin, r.now) if begin < r.now else None


def _moment(r: Reader, said: str) -> Range | None:
    """The range of an expression, where a clock time is one instant: today's, or yesterday's if not yet reached."""
    words = bare(said)
    day: date | None = None
    if m := re.fullmatch(rf"(.+?),?(?: at)? ({CLOCK})|({CLOCK})(?: on)? (.+)", words):
        day, clock = r.day(m.group(1) or m.group(4)), m.group(2) or m.group(3)
    elif re.fullmatch(CLOCK, words):
        clock = words
    else:
        clock = ""
    if clock and (day or re.fullmatch(CLOCK, words)):
        hour = r.hours(clock)
        if hour is not None:
            at = r.clock(day or r.now.date(), hour)
            if day is None and at >= r.now and clock != "now":
                at -= DAY
            return at, at
    found = r.read(said)
    return (found.period.start, found.period.end) if found else None


def _moment_of_event(r: Reader, said: str) -> Range | None:
    """When something happened, where the words say it: "the roll change on 9/4", "we moved rooms in May"."""
    m = re.search(r" (on|in|at|this|last|during|of|yesterday)\b ?(.*)$", said)
    if not m:
        return None
    tail = m.group(2) if m.group(1) in ("on", "in", "at", "during", "of") else f"{m.group(1)} {m.group(2)}"
    return _moment(r, tail.strip()) or (_moment_of_event(r, f" {m.group(2)}") if m.group(2) else None)


@_rule(r"(?:before|until|till|up to|prior to|older than|by|not since|due by|up until) (.+)")
def _before(r: Reader, m: re.Match[str]) -> SaidPeriod | None:
    said = m.group(1)
    floor = r.midnight(date(EARLIEST, 1, 1))
    if n := re.fullmatch(r"(?:the |an |a )?(\d+ |)(\w+)", said):
        unit = UNITS.get(n.group(2))
        if unit and unit not in ("shift", "night", "weekend") and m.group(0).startswith("older"):
            return r.span(floor, r.ago(int(n.group(1) or 1), unit))
    if n := re.fullmatch(r"(?:the )?end of (?:the )?(.+)", said):
        whole = r.read(n.group(1))
        return r.span(r.now, whole.period.end) if whole and whole.period.end > r.now else None
    place = _moment(r, said) or _moment_of_event(r, said)
    if place is None:
        return None
    begin, end = place
    if m.group(0).startswith(("by", "due by")) and end > r.now:
        return r.span(r.now, end)
    return r.span(floor, begin) if begin > floor else None


@_rule(
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


@_rule(r"(?:the )?(?:(\d+) )?(minutes?|hours?) (before|after|around|to) (.+)")
def _beside(r: Reader, m: re.Match[str]) -> SaidPeriod | None:
    """ "The ten minutes before 3 pm", "the hour around the 02:15 break"."""
    said = re.sub(rf"^(?:the )?({CLOCK}) \w+$", r"\1", m.group(4))
    place = _moment(r, said) or _moment_of_event(r, f" {said}")
    if place is None:
        return None
    length = timedelta(minutes=int(m.group(1) or 1) * (60 if m.group(2).startswith("hour") else 1))
    if m.group(3) == "around":
        return r.span(place[0] - length / 2, place[1] + length / 2)
    return r.span(place[1], place[1] + length) if m.group(3) == "after" else r.span(place[0] - length, place[0])


@_rule(r"(?:between|around|about|just after|after|at) (?:the|our|my) .+ (?:at|on) .+")
def _around_event(r: Reader, m: re.Match[str]) -> SaidPeriod | None:
    place = _moment_of_event(r, m.group(0))
    half = timedelta(minutes=30)
    if place is None:
        return None
    return r.span(place[0] - half, place[1] + half) if place[0] == place[1] else r.span(*place)


@_rule(rf"(.+?) (?:from|since|after) ({CLOCK})(?: on| onwards?)?")
def _day_from(r: Reader, m: re.Match[str]) -> SaidPeriod | None:
    day, hour = r.day(m.group(1)), r.hours(m.group(2))
    if day is None or hour is None:
        return None
    end = min(r.midnight(day + DAY), r.now)
    return r.span(r.clock(day, hour), end if end > r.clock(day, hour) else r.midnight(day + DAY))


@_rule(
    r"(?:from |between )(.+?) (?:to|till|until|and|through|up to|-|thru) (.+)|(.+?)(?: ?- ?| (?:to|till|until|"
    r"through|thru|up to) )(.+)"
)
def _from_to(r: Reader, m: re.Match[str]) -> SaidPeriod | None:
    return r.ends(bare(m.group(1) or m.group(3)), bare(m.group(2) or m.group(4)))


@_rule(r"(.+?)(?:, ?| and | ?\+ ?| & )(.+)")
def _adjoining(r: Reader, m: re.Match[str]) -> SaidPeriod | None:
    """ "May and June": one range when the two touch; otherwise they are two periods, and nobody may merge them."""
    first, last = r.read(bare(m.group(1))), r.read(bare(m.group(2)))
    if first is None or last is None or first.shift or last.shift:
        return None
    return r.span(first.period.start, last.period.end) if first.period.end == last.period.start else None


@_rule(rf"({WEEKDAY}(?: {WEEKDAY})+)")
def _run_of_days(r: Reader, m: re.Match[str]) -> SaidPeriod | None:
    names = m.group(1).split()
    days = [WEEKDAYS[n] for n in names]
    if [(d + 1) % 7 for d in days[:-1]] != days[1:]:
        return None
    last = r.weekday(names[-1])
    return r.days(last - (len(days) - 1) * DAY, last)
