"""What the argument builders share: the reading of one clause, its placeholders, filters, period, grouping and limit.

`Scribe` answers "what was said of this family": in the clause itself, else carried over from an earlier question.
Values come as the contract wants them: one, a list, or {"not": ...}. tests/test_planning.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from assistant.entities import HIERARCHY
from assistant.lm.phrasings import NUMBER_WORDS
from assistant.periods import SaidPeriod, read_period
from assistant.router import Reading
from assistant.understand import Clause, Placeholder, Question
from tools.registry import Period

if TYPE_CHECKING:
    from tools.plant_model import Plant

VERY_LIKELY = 0.85  # probability from which a metric counts that no word of the question names
MOST_CHARACTERS = 100_000
CHOSEN = 0.5  # probability from which an independent label counts
SECOND_TOOL = 0.3  # probability from which a second tool of a question that is not cut is taken

#: Labels of which one said replaces another carried over from an earlier question.
FAMILIES: Mapping[str, str] = {
    **dict.fromkeys(HIERARCHY, "place"),
    **{label: label for label in ("period", "compare", "limit", "number")},
    **dict.fromkeys(("product", "variant"), "product"),
    **dict.fromkeys(("lot", "order", "serial"), "material"),
}
WHERE_KEYS: Mapping[str, str] = {
    **{key: key for key in HIERARCHY},
    **{
        key: key
        for key in """
            product variant order lot serial shift reason defect part supplier customer certification id priority severity
        """.split()
    },
    "person": "operator",
    "code": "alarm",
}
BY_WORDS: Mapping[str, str] = {
    word: key
    for key, words in {
        "hour": "hour hours hourly",
        "day": "day daily",
        "week": "week weekly",
        "month": "month monthly",
        "shift": "shift shifts",
        "line": "line lines",
        "equipment": "machine machines equipment asset station",
        "product": "product products article sku",
        "variant": "variant",
        "order": "order",
        "lot": "lot batch",
        "reason": "reason cause",
        "defect": "defect",
        "alarm": "alarm code",
        "supplier": "supplier",
        "area": "area",
        "site": "site plant",
        "severity": "severity",
        "priority": "priority",
        "status": "status",
        "operator": "operator",
        "type": "type",
    }.items()
    for word in words.split()
}
BY = re.compile(
    r"\b(?:by|per|split by|broken down by|grouped by)\s+(?:each\s+)?(\w+)(?:(?:,| and| &)\s+(?:by |per )?(\w+))?|"
    r"\b(\w+)[- ]wise\b|\b(hour|day|week|month) (?:by|for|on|over|per) \4\b|\b(hourly|daily|weekly|monthly)\b",
    re.IGNORECASE,
)
MORE = re.compile(
    r"\b(?:over|above|(?:more|longer|greater|older|higher|bigger|larger) th[ae]n|exceed\w*|at least|beyond|>=?|"
    r"min(?:imum)?)\s*(?:of )?$",
    re.IGNORECASE,
)
LESS = re.compile(
    r"\b(?:under|below|(?:less|fewer|shorter|lower|smaller|younger) th[ae]n|at most|<=?|"
    r"max(?:imum)?|up to|within)\s*(?:of )?$",
    re.IGNORECASE,
)
QUANTITY = re.compile(
    r"(\d+(?:[.,]\d+)?)\s*(%|percent|minutes?|mins?|hours?|hrs?|h|days?|weeks?|months?|pieces?|pcs|parts?|units?|"
    r"kwh|s|sec(?:ond)?s?)?(?![\w.])",
    re.IGNORECASE,
)


_ALL_OF = re.compile(r"\b(?:of|all|our|these|those|have|has|with|both|got|between|across)(?: the| our)?\s*$", re.IGNORECASE)
_RANKED_LIST = re.compile(
    r"\b(?:worst|best|highest|lowest|longest|shortest|biggest|largest|smallest|slowest|fastest|most|least|newest|"
    r"latest|oldest|weakest|poorest|top) (?:ones? )?(?:first|on top|at the top|to (?:the )?\w+)\b",
    re.IGNORECASE,
)
MOST = re.compile(
    r"\b(?:most|highest|longest|largest|biggest|greatest|heaviest|maximum|top \d+|descending|high to low|worst "
    r"offenders?)\b",
    re.IGNORECASE,
)
LEAST = re.compile(r"\b(?:least|lowest|shortest|smallest|fewest|minimum|ascending|low to high)\b", re.IGNORECASE)
BEST = re.compile(r"\b(?:best|strongest|better|winner|champion)\b", re.IGNORECASE)
WORST = re.compile(r"\b(?:worst|weakest|poorest|worse|laggards?)\b", re.IGNORECASE)


_JOINS = re.compile(r"[\s,]*(?:\b(?:on|of|in|at|to|from|for|with|and|the|a|an)\b[\s,]*){0,3}", re.IGNORECASE)
#: Words for the machine in front of the person.
_HERE = re.compile(r"\b(?:it|its|it's|this (?:machine|one|thing)|here|my machine)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Draft:
    """One call in the making. `missing` is the question to ask when a required argument was not said."""

    tool: str
    arguments: dict[str, Any]
    unresolved: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    missing: Missing | None = None


@dataclass(frozen=True)
class Missing:
    """A required argument that nobody said, and the question that asks for it."""

    argument: str
    question: str


def family(label: str) -> str:
    return FAMILIES.get(label, label)


@dataclass(frozen=True)
class Scribe:
    """Reads one clause for the builders below."""

    clause: Clause
    question: Question
    plant: Plant

    @property
    def reading(self) -> Reading:
        return self.clause.reading

    def get(self, *labels: str) -> list[Placeholder]:
        """Placeholders of these labels: said in this clause, else carried over where nothing of the family was said."""
        own = [p for p in self.clause.placeholders if p.label in labels]
        said = {family(p.label) for p in self.clause.placeholders}
        carried = [p for p in self.clause.carried if p.label in labels and family(p.label) not in said]
        latest = {family(p.label): max(q.turn for q in carried if family(q.label) == family(p.label)) for p in carried}
        return own or [p for p in carried if p.turn == latest[family(p.label)]]

    def one(self, *labels: str) -> Any:
        found = self.get(*labels)
        return found[0].value if found else None

    def best(self, head: str) -> str:
        return self.reading.best(head)

    def phrase(self, label: str, fallback: Callable[[str], str] | None = None) -> str:
        """A free wording, else the question without its opening."""
        found = self.get(label)
        if found:
            own = sorted((p for p in found if p.turn == 0), key=lambda p: p.start)
            if len(own) > 1 and all(_JOINS.fullmatch(self.clause.text[a.end : b.start]) for a, b in pairwise(own)):
                return self.clause.text[own[0].start : own[-1].end].strip()  # one wording that was marked in pieces
            return str(max(found, key=lambda p: (p.turn, len(p.text))).value).strip()
        return fallback(self.clause.text) if fallback else ""

    # -- filters -----------------------------------------------------------------------------------------------------
    def where(self, *labels: str) -> dict[str, Any]:
        """Filters from placeholders of these labels."""
        out: dict[str, Any] = {}
        for label in labels:
            items = self.get(label)
            if items:
                key = WHERE_KEYS[label]
                out[key] = together(items) if key not in out else [*as_list(out[key]), *as_list(together(items))]
        here = self.question.equipment
        if here and not self.question.previous and not self.get(*HIERARCHY) and _HERE.search(self.clause.text):
            out["equipment"] = here
        return out

    def shift_as_period(self, period: Period | None) -> Period | None:
        """For tools without a shift filter: the last completed shift of the name said, where no period was."""
        shift = self.one("shift")
        if period is not None or shift is None:
            return period
        said = read_period(f"{shift} shift", self.question.at, self.plant.calendar)
        return said.period if said else None

    def period(self, *, events: bool = False, until: int = MOST_CHARACTERS) -> tuple[Period | None, dict[str, Any], str]:
        """The period said, what of it could not be placed, and the shift that it names. `events`: "now" is no period; `until`: only
        what is said before this place counts."""
        items = [p for p in self.get("period") if (p.turn < 0 or p.end <= until) and not p.negated]
        if len(items) > 1:
            text = in_digits(self.clause.text)
            items = [p for p in items if p.turn < 0 or not bounding(p, text)] or items
        if not items:
            return None, {}, ""
        said = [p.value for p in items if isinstance(p.value, SaidPeriod)]
        if not said:
            return None, {"period": {"text": items[0].text, "from": None, "to": None}}, ""
        if events and said[0].now:
            return None, {}, ""
        first = said[0]
        if len(said) > 1 and self.best("compare_to") not in ("period", "previous_period"):
            joined = _joined([s.period for s in said])
            if joined:
                return joined, {}, first.shift
        return first.period, {}, first.shift

    def by(self, lexical: bool) -> list[str]:
        found = list(self.reading.above("by", CHOSEN))
        if lexical:
            for m in BY.finditer(self.clause.text):
                for word in m.groups():
                    key = BY_WORDS.get((word or "").lower())
                    if key and key not in found:
                        found.append(key)
        return found

    def limit(self) -> int | None:
        said = [p for p in self.get("limit") if p.turn < 0 or not _ALL_OF.search(self.clause.text[: p.start])]
        kind = self.best("limit")
        text = self.clause.text
        if kind == "one" and _RANKED_LIST.search(text):
            return None
        if kind == "span" and not said and self.get("limit"):
            kind = (
                "one"
                if re.search(r"\bwhich\b", text, re.IGNORECASE)
                and (MOST.search(text) or LEAST.search(text) or BEST.search(text) or WORST.search(text))
                else "none"
            )
        if said and (kind == "span" or dict(self.reading.heads["limit"])["none"] < 0.6) and kind != "one":
            number = as_number(str(said[0].value))
            if number is not None and 1 <= number <= 10_000:
                return int(number)
        return 1 if kind == "one" else None


def together(items: Sequence[Placeholder]) -> Any:
    """One value, a list of values, or an exclusion."""
    wanted = list(dict.fromkeys(p.value for p in items if not p.negated))
    out = list(dict.fromkeys(p.value for p in items if p.negated))
    if wanted:
        return wanted[0] if len(wanted) == 1 else wanted
    return {"not": out[0] if len(out) == 1 else out}


_LISTED = re.compile(
    r"[\s\"']*(?:,|&|/|\+|;|\band\b|\bor\b|\bthen\b|\bplus\b|\bvs\.?|\bversus\b|\bthe\b|\b(?:alarms?|codes?|"
    r"lots?|batch(?:es)?|serials?)\b|[\s\"'])*",
    re.IGNORECASE,
)


def listed(scribe: Scribe, items: Sequence[Placeholder]) -> list[Placeholder]:
    """The values that a question lists side by side ("502 and 503"); where they stand apart and one call is wanted, the
    one that was marked most surely."""
    if len(items) < 2 or scribe.best("calls") != "1":
        return list(items)
    text = scribe.clause.text
    apart = any(left.turn or right.turn or not _LISTED.fullmatch(text[left.end : right.start]) for left, right in pairwise(items))
    return [max(items, key=lambda p: (p.turn, p.score))] if apart else list(items)


_NUMBER_WORD = re.compile(rf"\b(?:{'|'.join(sorted((w for w in NUMBER_WORDS if len(w) > 2), key=len, reverse=True))})\b", re.IGNORECASE)


def in_digits(text: str) -> str:
    """The text with number words as digits, every character in its place ("over thirty minutes" -> "over 30     minutes")."""
    text = _PART_OF_HOUR.sub(lambda m: _MINUTES[re.sub(r"\W+", " ", m.group(0).lower())].ljust(len(m.group(0))), text)
    return _NUMBER_WORD.sub(lambda m: str(NUMBER_WORDS[m.group(0).lower()]).ljust(len(m.group(0))), text)


_MINUTES = {
    "half an hour": "30 minutes", "half hour": "30 min", "a half hour": "30 minutes", "quarter of an hour": "15 minutes",
    "a quarter of an hour": "15 minutes", "three quarters of an hour": "45 minutes", "an hour and a half": "90 minutes", "an hour": "1 hour",
}  # fmt: skip
_PART_OF_HOUR = re.compile(rf"\b(?:{'|'.join(sorted((words.replace(' ', r'[ -]') for words in _MINUTES), key=len, reverse=True))})\b", re.IGNORECASE)


def bounding(item: Placeholder, text: str) -> bool:
    """Whether a span taken for a time is a length of time that bounds ("over thirty minutes"); `text` as `in_digits`."""
    m = QUANTITY.search(text, item.start, item.end)
    if item.label != "period" or m is None or text[m.end() : item.end].strip():
        return False
    before = text[: m.start()]
    return not before[item.start :].strip().endswith(("last", "past")) and bool(MORE.search(before) or LESS.search(before))


def as_list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


def as_number(text: str) -> float | None:
    """A number written in digits or as a word; thousands may be spaced or end in k."""
    lowered = text.lower().strip()
    m = re.search(r"\d[\d ,.]*\d|\d", lowered)
    if m:
        digits = m.group(0).replace(" ", "")
        if re.fullmatch(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?", digits):
            digits = digits.replace(",", "")
        try:
            number = float(digits.replace(",", "."))
        except ValueError:
            return None
        return number * 1000 if lowered[m.end() : m.end() + 1] == "k" and not lowered[m.end() + 1 : m.end() + 2].isalpha() else number
    for word in re.findall(r"[a-z]+", lowered):
        if word in NUMBER_WORDS:
            return float(NUMBER_WORDS[word])
    return None


def _joined(periods: Sequence[Period]) -> Period | None:
    """One range from several that touch, whatever their order; None when there is a gap."""
    ordered = sorted(periods, key=lambda p: p.start.timestamp())
    for left, right in pairwise(ordered):
        if left.end < right.start:
            return None
    return Period(" and ".join(p.text for p in periods), ordered[0].start, max(p.end for p in ordered))


DATA_FILTERS = (
    *HIERARCHY,
    *"""product variant order lot serial shift person reason defect code part supplier customer certification id priority severity""".split(),
)


def with_shift(where: dict[str, Any], shift: str) -> dict[str, Any]:
    return {**where, "shift": shift} if shift and "shift" not in where else where


UNPLACED = "I could not place"
KEPT_IN = "I could not leave out"  # times cannot be taken out of a period


def period_notes(unresolved: Mapping[str, Any], period: Period | None, scribe: Scribe) -> tuple[str, ...]:
    kept = [p.text for p in scribe.clause.placeholders if p.label == "period" and p.negated]
    if kept:
        return (f"{KEPT_IN} “{kept[0]}”: these are the figures with it.",)
    if unresolved:
        return (f"{UNPLACED} “{unresolved['period']['text']}” in time.",)
    if period and period.start > scribe.question.at:
        return (f"“{period.text}” has not begun yet.",)
    return ()
