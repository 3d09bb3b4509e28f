"""The moment and the building blocks from which the rules of time make ranges, on the plant's wall clock.

`Reader.read` tries the rules of `assistant.period_rules` in order on a whole expression; the first that fits and can be
placed decides. tests/test_periods.py.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from assistant.period_words import (
    CLOCK,
    DAY,
    DAYPARTS,
    MONTH,
    MONTHS,
    WEEKDAY,
    WEEKDAYS,
    bare,
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
                for rule in RULES:
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
        today = day in (None, self.now.date())
        if numbers and not part and today and 1 <= start < end <= 7 and self.clock(day or self.now.date(), start + 12) < self.now:
            start, end = start + 12, end + 12  # "between two and four", said later in the day, is the afternoon
        if day is None:
            day = self.now.date()
            if self.clock(day, start) >= self.now:
                day -= DAY
        elif part == "night" and start < 12 and (end > 24 or end <= 12):
            start, end = start + 24, end + 24  # the small hours of a night belong to the morning after
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
        to, since = moment_of(self, last), moment_of(self, first)
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
RULES: list[tuple[re.Pattern[str], Rule]] = []


def rule_for(pattern: str) -> Callable[[Rule], Rule]:
    def add(function: Rule) -> Rule:
        RULES.append((re.compile(pattern), function))
        return function

    return add


def moment_of(r: Reader, said: str) -> Range | None:
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


def moment_of_event(r: Reader, said: str) -> Range | None:
    """When something happened, where the words say it: "the roll change on 9/4", "we moved rooms in May"."""
    m = re.search(r" (on|in|at|this|last|during|of|yesterday)\b ?(.*)$", said)
    if not m:
        return None
    tail = m.group(2) if m.group(1) in ("on", "in", "at", "during", "of") else f"{m.group(1)} {m.group(2)}"
    return moment_of(r, tail.strip()) or (moment_of_event(r, f" {m.group(2)}") if m.group(2) else None)
