"""From a read clause to tool arguments: heads choose among closed sets, placeholders fill the rest, code nests them.

`draft_calls` gives one `Draft` per tool call, its arguments as the contract names them: filters nested in `where`,
statuses canonical for the record, periods as `Period`, several values as a list, an exclusion as {"not": ...}. What a
tool cannot do without and nobody said is `missing`, with the question to ask. tests/test_planning.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from assistant.entities import HIERARCHY, spoken_code
from assistant.lm.labels import RECORD_STATUSES
from assistant.lm.phrasings import NUMBER_WORDS
from assistant.periods import SaidPeriod, read_period
from assistant.router import Reading
from assistant.understand import Clause, Placeholder, Question, names_of
from tools.registry import Period

if TYPE_CHECKING:
    from tools.plant_model import Plant

VERY_LIKELY = 0.85  # probability from which a metric counts that no word of the question names
MOST_CHARACTERS = 100_000
CHOSEN = 0.5  # probability from which an independent label counts
SECOND_TOOL = 0.3  # probability from which a second tool of a question that is not cut is taken

#: Labels of which one said replaces another carried over from an earlier question.
FAMILIES: Mapping[str, str] = {
    **dict.fromkeys(HIERARCHY, "place"), "product": "product", "variant": "product", "lot": "material", "order": "material", "serial": "material",
    "period": "period", "compare": "compare", "limit": "limit", "number": "number",
}  # fmt: skip
_WHERE_KEYS: Mapping[str, str] = {
    **{k: k for k in (*HIERARCHY, "product", "variant", "order", "lot", "serial", "shift", "reason", "defect", "part", "supplier", "customer",
                      "certification", "id", "priority", "severity")},
    "person": "operator", "code": "alarm",
}  # fmt: skip
_BY_WORDS: Mapping[str, str] = {
    "hour": "hour", "hours": "hour", "hourly": "hour", "day": "day", "daily": "day", "week": "week", "weekly": "week", "month": "month", "monthly": "month", "shift": "shift", "shifts": "shift",
    "line": "line", "lines": "line", "machine": "equipment", "machines": "equipment", "equipment": "equipment", "asset": "equipment", "station": "equipment", "product": "product", "products": "product", "article": "product",
    "sku": "product", "variant": "variant", "order": "order", "lot": "lot", "batch": "lot", "reason": "reason", "cause": "reason", "defect": "defect", "alarm": "alarm", "code": "alarm", "supplier": "supplier",
    "area": "area", "site": "site", "plant": "site", "severity": "severity", "priority": "priority", "status": "status", "operator": "operator", "type": "type",
}  # fmt: skip
_BY = re.compile(r"\b(?:by|per|split by|broken down by|grouped by)\s+(?:each\s+)?(\w+)(?:(?:,| and| &)\s+(?:by |per )?(\w+))?|\b(\w+)[- ]wise\b|\b(hour|day|week|month) (?:by|for|on|over|per) \4\b|\b(hourly|daily|weekly|monthly)\b", re.IGNORECASE)
_PLURAL_SUBJECT = re.compile(r"(?:^|\b(?:which|what|all|list|show|any|the|are there) )(lines|machines|products|shifts|orders|equipment) (?:with|that|where|having|whose|below|above|under|over|have|had|are|were)\b", re.IGNORECASE)
_MORE = re.compile(r"\b(?:over|above|more than|longer than|greater than|exceed\w*|at least|older than|higher than|beyond|>=?|min(?:imum)?)\s*(?:of )?$", re.IGNORECASE)
_LESS = re.compile(r"\b(?:under|below|less than|fewer than|shorter than|at most|lower than|smaller than|younger than|<=?|max(?:imum)?|up to|within)\s*(?:of )?$", re.IGNORECASE)
_QUANTITY = re.compile(r"(\d+(?:[.,]\d+)?)\s*(%|percent|minutes?|mins?|hours?|hrs?|h|days?|weeks?|months?|pieces?|pcs|parts?|units?|kwh|s|sec(?:ond)?s?)?(?![\w.])", re.IGNORECASE)


_ALL_OF = re.compile(r"\b(?:of|all|our|these|those|have|has|with|both|got|between|across)(?: the| our)?\s*$", re.IGNORECASE)
_RANKED_LIST = re.compile(r"\b(?:worst|best|highest|lowest|longest|shortest|biggest|largest|smallest|slowest|fastest|most|least|newest|latest|oldest|weakest|poorest|top) (?:ones? )?(?:first|on top|at the top|to (?:the )?\w+)\b", re.IGNORECASE)
_MOST = re.compile(r"\b(?:most|highest|longest|largest|biggest|greatest|heaviest|maximum|top \d+|descending|high to low|worst offenders?)\b", re.IGNORECASE)
_LEAST = re.compile(r"\b(?:least|lowest|shortest|smallest|fewest|minimum|ascending|low to high)\b", re.IGNORECASE)
_BEST = re.compile(r"\b(?:best|strongest|better|winner|champion)\b", re.IGNORECASE)
_WORST = re.compile(r"\b(?:worst|weakest|poorest|worse|laggards?)\b", re.IGNORECASE)
_TARGET = re.compile(r"\b(?:vs\.?|versus|against|above|below|compared? (?:to|with)|under|over|reach\w*|meet\w*|hit\w*|behind|ahead of|off|on) (?:its |the |our |their |your )?(?:\w+ )?(?:target|goal|budget)s?\b", re.IGNORECASE)
_AGAINST = re.compile(r"\b(?:vs\.?|versus|against|compared? (?:to|with)|than(?: in)?)\s+(.+)$", re.IGNORECASE)
_OLDER = re.compile(r"(older|younger) than (?:an? )?(\d+)? ?(day|week|month|year)s?", re.IGNORECASE)


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


def draft_calls(clause: Clause, question: Question, plant: Plant) -> list[Draft]:
    """The calls of one clause: its likeliest tool, a second one where the router counts two, and one call for each
    value of an argument that holds only one (two alarm codes, two signals)."""
    scribe = Scribe(clause, question, plant)
    tools = [clause.reading.tools[0][0]]
    if clause.reading.best("calls") != "1" and clause.reading.tools[1][1] >= SECOND_TOOL:
        tools.append(clause.reading.tools[1][0])
    drafts: list[Draft] = []
    for tool in tools:
        drafts += BUILDERS[tool](scribe)
    return drafts


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
            return str(max(found, key=lambda p: (p.turn, len(p.text))).value).strip()
        return fallback(self.clause.text) if fallback else ""

    # -- filters -----------------------------------------------------------------------------------------------------
    def where(self, *labels: str) -> dict[str, Any]:
        """Filters from placeholders of these labels."""
        out: dict[str, Any] = {}
        for label in labels:
            items = self.get(label)
            if items:
                key = _WHERE_KEYS[label]
                out[key] = together(items) if key not in out else [*as_list(out[key]), *as_list(together(items))]
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
        items = [p for p in self.get("period") if p.turn < 0 or p.end <= until]
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
            for m in _BY.finditer(self.clause.text):
                for word in m.groups():
                    key = _BY_WORDS.get((word or "").lower())
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
            kind = "one" if re.search(r"\bwhich\b", text, re.IGNORECASE) and (_MOST.search(text) or _LEAST.search(text) or _BEST.search(text) or _WORST.search(text)) else "none"
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
    for left, right in zip(ordered, ordered[1:], strict=False):
        if left.end < right.start:
            return None
    return Period(" and ".join(p.text for p in periods), ordered[0].start, max(p.end for p in ordered))


_DATA_FILTERS = (*HIERARCHY, "product", "variant", "order", "lot", "serial", "shift", "person", "reason", "defect", "code", "part", "supplier", "customer",
                 "certification", "id", "priority", "severity")  # fmt: skip


def _with_shift(where: dict[str, Any], shift: str) -> dict[str, Any]:
    return {**where, "shift": shift} if shift and "shift" not in where else where


def _metrics(scribe: Scribe) -> list[Draft]:
    metrics = _chosen_metrics(scribe)
    by = scribe.by(lexical=True)
    where = {**_blamed(scribe), **scribe.where(*_DATA_FILTERS), **_graded(scribe, "nonconformances" if "ncr_count" in metrics else "alarm_events" if "alarm_count" in metrics else "")}
    named = {m.group(0) for m in _BY.finditer(scribe.clause.text)}
    by = [key for key in by if named or not (key in ("line", "equipment", "site", "area") and isinstance(where.get(key), str))]
    if not by and (m := _PLURAL_SUBJECT.search(scribe.clause.text)):
        by = [key for key in [_BY_WORDS.get(m.group(1).lower())] if key]
    if not by:
        by = [key for key, value in where.items() if isinstance(value, list) and len(value) > 1 and key in ("equipment", "line", "product", "shift", "area", "site", "variant", "lot")][:1]
    held_against = _AGAINST.search(scribe.clause.text)
    period, unresolved, shift = scribe.period(until=held_against.start() if held_against else MOST_CHARACTERS)
    where = _with_shift(where, shift)
    if scribe.get("status") and "ncr_count" in metrics:
        status = _statuses(scribe, "nonconformances")
        if status is not None:
            where["status"] = status
    arguments: dict[str, Any] = {"metrics": metrics}
    compare, having = _compare_to(scribe, metrics, by, period)
    where |= having
    if isinstance(compare, Period) and period and compare.start == period.start and compare.end == period.end:
        arguments.pop("period", None)
        period = None
    sort, limit = _metric_sort(scribe, metrics[0]), scribe.limit()
    if where:
        arguments["where"] = where
    if period:
        arguments["period"] = period
    if by:
        arguments["by"] = by
    if sort != "none" or limit:
        arguments["sort"] = sort if sort != "none" else "desc"
    if limit:
        arguments["limit"] = limit
    if compare is not None:
        arguments["compare_to"] = compare
    return [Draft("query_metrics", arguments, unresolved, _period_notes(unresolved, period, scribe))]


_BLAME = re.compile(r"\b(?:caused by|due to|because of|owing to|blamed on|attributed to|down to)\s+((?:[\w-]+ ?){1,4})", re.IGNORECASE)


def _blamed(scribe: Scribe) -> dict[str, Any]:
    """A reason said after "due to" that the plant knows and nobody marked."""
    m = _BLAME.search(scribe.clause.text)
    if m is None or scribe.get("reason", "defect"):
        return {}
    words = m.group(1).split()
    for count in range(len(words), 0, -1):
        found = names_of(scribe.plant).resolve(" ".join(words[:count]), "reason")
        if found.known:
            return {found.kind: found.value}
    return {}


def _chosen_metrics(scribe: Scribe) -> list[str]:
    """The metrics above the threshold; where there are several, one that no word names must be very likely."""
    ranked = dict(scribe.reading.heads["metric"])
    chosen = list(scribe.reading.above("metric", CHOSEN)) or [scribe.best("metric")]
    if len(chosen) < 2:
        return chosen
    lowered = f" {re.sub(r'[^a-z0-9]+', ' ', scribe.clause.text.lower())} "
    named = {id for word, id in scribe.plant.vocabulary("metric").items() if f" {re.sub(r'[^a-z0-9]+', ' ', word)} " in lowered}
    return [name for name in chosen if name in named or ranked[name] >= VERY_LIKELY] or chosen[:1]


def _metric_sort(scribe: Scribe, metric: str) -> str:
    """The direction that the words say; "best" and "worst" depend on whether the figure is better high or low."""
    sort, text = scribe.best("sort"), scribe.clause.text
    if sort == "none" and dict(scribe.reading.heads["sort"])["none"] >= 0.8:
        return sort
    spec = scribe.plant.model.metrics.get(metric)
    high_is_good = spec is None or spec.direction != "down"
    ways = {"desc" for _ in _MOST.findall(text)} | {"asc" for _ in _LEAST.findall(text)}
    ways |= {("desc" if high_is_good else "asc") for _ in _BEST.findall(text)} | {("asc" if high_is_good else "desc") for _ in _WORST.findall(text)}
    return next(iter(ways)) if len(ways) == 1 else sort


_GRADES = re.compile(r"(?<![\w-])(critical|major|minor)s?\b(?! (?:dimension|part|spare|to))", re.IGNORECASE)
_PRIORITIES = re.compile(r"\b(low|medium|high|critical|urgent|top|emergency)[- ]prio(?:rity)?\b|\bprio(?:rity)? (low|medium|high|critical|urgent|one|two|\d|[abc])\b|\b(urgent|critical)\b(?= (?:work|maintenance|jobs?|orders?|repairs?))", re.IGNORECASE)


def _graded(scribe: Scribe, record: str) -> dict[str, Any]:
    """Severity and priority by their own words, where no span holds them and the record has them."""
    spec = scribe.plant.model.records.get(record)
    text = scribe.clause.text
    out: dict[str, Any] = {}
    for label, pattern in (("severity", _GRADES), ("priority", _PRIORITIES)):
        if scribe.get("severity", "priority") or spec is None or label not in spec.fields or str(spec.fields[label]) == {"severity": "priority", "priority": "severity"}[label]:
            continue
        found = [next(g for g in m.groups() if g).lower() for m in pattern.finditer(text)]
        before = text[: m.start()] if (m := pattern.search(text)) else ""
        if found:
            value: Any = list(dict.fromkeys(found)) if len(set(found)) > 1 else found[0]
            out[label] = {"not": value} if re.search(r"\b(?:not|without|except|excluding|no|but)(?: the)?\s*$", before, re.IGNORECASE) else value
    return out


def _compare_to(scribe: Scribe, metrics: Sequence[str], by: Sequence[str], period: Period | None) -> tuple[Any, dict[str, Any]]:
    """What the figures are held against, and a limit on the figure itself ("lines below 60 %")."""
    kind = scribe.best("compare_to")
    said = [p for p in scribe.clause.placeholders if p.label == "compare"] or scribe.get("compare")
    numbers = [p for p in scribe.clause.placeholders if p.label == "number"]
    text = scribe.clause.text
    for item in [*numbers, *said]:
        before = text[: item.start] if item.turn == 0 else ""
        number = as_number(item.text)
        if by and number is not None and not isinstance(item.value, SaidPeriod) and (_MORE.search(before) or _LESS.search(before)):
            bound = "min" if _MORE.search(before) else "max"
            return None, {metrics[0]: {bound: _in_unit(number, item.text + text[item.end : item.end + 10], metrics[0], scribe.plant)}}
    bounds = _having(scribe, metrics[0]) if by else {}
    if bounds:
        return None, bounds
    if kind in ("none", "target") and not said and _TARGET.search(text):
        return "target", {}
    against = _against(scribe, period) if not said else None
    if against is not None or (kind == "none" and not said):
        return against, {}
    for item in said:
        if kind in ("target", "previous_period"):
            break
        anchored = read_period(item.text, scribe.question.at, scribe.plant.calendar, period)
        if anchored:
            return anchored.period, {}
        number = as_number(item.text)
        if number is not None:
            return _in_unit(number, item.text + text[item.end : item.end + 10], metrics[0], scribe.plant), {}
    if kind in ("target", "previous_period"):
        return kind, {}
    if kind == "period":
        times = [p.value.period for p in scribe.get("period") if isinstance(p.value, SaidPeriod)]
        return (times[1] if len(times) > 1 else None), {}
    if kind == "number" and numbers:
        number = as_number(numbers[0].text)
        return (_in_unit(number, numbers[0].text, metrics[0], scribe.plant), {}) if number is not None else (None, {})
    return ("target", {}) if said and re.search(r"target|plan|goal|budget|standard|rated|norm", said[0].text, re.IGNORECASE) else (None, {})


def _against(scribe: Scribe, period: Period | None) -> Period | None:
    """A time that the words hold the figures against, though it was marked as the period or not at all."""
    m = _AGAINST.search(scribe.clause.text)
    if m is None:
        return None
    words = m.group(1).strip(" ?.!").split()
    for count in range(min(6, len(words)), 0, -1):
        said = read_period(" ".join(words[:count]), scribe.question.at, scribe.plant.calendar, period)
        if said:
            return said.period
    return None


def _having(scribe: Scribe, metric: str) -> dict[str, Any]:
    """"Lines with more than 5 %": a bound on the figure itself, where the figures are grouped."""
    text = scribe.clause.text
    taken = [(p.start, p.end) for p in scribe.clause.placeholders if p.turn == 0 and p.label not in ("number", "compare", "limit")]
    for m in _QUANTITY.finditer(text):
        more, less = _MORE.search(text[: m.start()]), _LESS.search(text[: m.start()])
        if (more or less) and not any(start < m.end() and m.start() < end for start, end in taken):
            value = _in_unit(float(m.group(1).replace(",", ".")), m.group(0), metric, scribe.plant)
            return {metric: {"min" if more else "max": value}}
    return {}


def _in_unit(number: float, text: str, metric: str, plant: Plant) -> float:
    """A said figure in the metric's own unit: percent as a fraction, hours and minutes as seconds."""
    spec = plant.model.metrics.get(metric)
    kind = spec.kind if spec else ""
    if kind == "percent":
        return round(number / 100, 6) if "%" in text or "percent" in text.lower() or number > 1 else number
    if kind == "duration_s":
        m = re.search(r"\d\s*(h|hours?|hrs?|min|minutes?|mins?|days?)\b", text, re.IGNORECASE)
        unit = (m.group(1)[0].lower() if m else "")
        return number * {"h": 3600, "m": 60, "d": 86400}.get(unit, 1)
    return int(number) if number == int(number) else number


def _statuses(scribe: Scribe, record: str) -> Any:
    """The record's canonical status for what the router and the words say; None when nothing is said."""
    spec = scribe.plant.model.records.get(record)
    known = dict(spec.statuses) if spec else {}
    chosen = list(scribe.reading.above("record_status", CHOSEN))
    said = scribe.get("status")
    spoken = _said_statuses(scribe, known)
    if spoken and not said and not set(spoken) & set(chosen):
        chosen = spoken
    if not chosen and said:
        top, p = scribe.reading.heads["record_status"][0]
        chosen = [top] if p >= 0.25 else [str(said[0].value).lower().replace(" ", "_")]
    if not chosen:
        return None
    if not known:
        return chosen[0] if len(chosen) == 1 else chosen
    found = [name for label in chosen if (name := canonical_status(known, label, [str(p.value) for p in said])) is not None]
    found = list(dict.fromkeys(found))
    if not found:
        return None
    return found[0] if len(found) == 1 else found


_LOOSE_STATUS = frozenset("good ok up active running waiting started done late approved issued late planned released closed scheduled".split())


def _said_statuses(scribe: Scribe, known: Mapping[str, Any]) -> list[str]:
    """Statuses of the record that stand in the text as words of their own, outside every name and free wording."""
    text = scribe.clause.text.lower()
    likely = dict(scribe.reading.heads["record_status"])
    for item in scribe.clause.placeholders:
        if item.turn == 0 and item.label != "status":
            text = text[: item.start] + "·" * (item.end - item.start) + text[item.end :]
    found = []
    if not known:
        return [s for s in RECORD_STATUSES if re.search(rf"(?<![\w-]){s.replace('_', ' ')}(?![\w-])", text) and s not in _LOOSE_STATUS][:1]
    for name, spec in known.items():
        words = [name.replace("_", " "), *(alias.lower() for alias in spec.aliases)]
        if any((w not in _LOOSE_STATUS or likely.get(name, 0.0) >= 0.02) and re.search(rf"(?<![\w-])(?<!not )(?<!no ){re.escape(w)}(?![\w-])", text) for w in words):
            found.append(name)
    return found[:1]


_NEAR_STATUS: Mapping[str, tuple[str, ...]] = {
    "closed": ("completed", "cleared", "dispositioned"), "completed": ("closed",), "open": ("active", "pending", "in_progress", "planned"), "active": ("open", "valid", "ongoing", "effective", "running"),
    "ongoing": ("open", "active"), "on_hold": ("quarantined", "waiting_parts"), "quarantined": ("on_hold",), "rejected": ("failed", "scrapped", "on_hold"), "released": ("planned", "in_stock", "open"),
    "planned": ("released", "open"), "running": ("in_progress", "ongoing", "active"), "in_progress": ("running", "open"), "valid": ("active", "effective"), "effective": ("valid", "active"),
    "pending": ("open", "in_review"), "down": ("ongoing", "failed"), "failed": ("rejected",), "out_of_stock": ("below_minimum",), "unacknowledged": ("active",), "obsolete": ("retired",),
    "retired": ("obsolete",), "due_for_review": ("in_review", "overdue"), "awaiting_disposition": ("open",), "cancelled": ("closed",),
}  # fmt: skip


def canonical_status(known: Mapping[str, Any], label: str, said: Sequence[str]) -> str | None:
    """A status of this record for a router label and the words said: by name, by alias, else the nearest it has."""
    for words in said:
        plain = words.lower().replace("_", " ").strip()
        for name, spec in known.items():
            if plain in (name.replace("_", " "), *(alias.lower() for alias in spec.aliases)):
                return name
    if label in known:
        return label
    plain = label.replace("_", " ")
    for name, spec in known.items():
        if plain in (alias.lower() for alias in spec.aliases):
            return name
    return next((near for near in _NEAR_STATUS.get(label, ()) if near in known), None)


def _records(scribe: Scribe) -> list[Draft]:
    record = scribe.best("record")
    where = scribe.where(*_DATA_FILTERS)
    status = _statuses(scribe, record)
    if status is not None:
        where["status"] = status
    if record == "maintenance_orders" and "order" in where and "id" not in where:
        where["id"] = where.pop("order")
    where |= {**_graded(scribe, record), **_bounds(scribe, record), **_subject_name(scribe, record, where)}
    period, unresolved, shift = scribe.period(events=True)
    aged = _OLDER.search(period.text) if period else None
    if aged and period:
        days = int(aged.group(2) or 1) * {"day": 1, "week": 7, "month": 30, "year": 365}[aged.group(3).lower()]
        where["age_days"], period = {"min" if aged.group(1).lower() == "older" else "max": days}, None
    where = _with_shift(where, shift)
    arguments: dict[str, Any] = {"records": record}
    if where:
        arguments["where"] = where
    if period:
        arguments["period"] = period
    by = scribe.by(lexical=False)
    if not by and (m := re.search(r"\b(?:by|per) (\w+)[ ?.!]*$", scribe.clause.text, re.IGNORECASE)):
        by = [key for key in [_BY_WORDS.get(m.group(1).lower())] if key and key != "operator"]
    if by:
        arguments["by"] = by
    sort, limit = scribe.best("sort"), scribe.limit()
    if sort != "none":
        arguments["sort"] = _sort_field(scribe, record, sort) if not by else sort
    if limit:
        arguments["limit"] = limit
    return [Draft("list_records", arguments, unresolved, _period_notes(unresolved, period, scribe))]


#: What a record is mostly asked by; its name is looked for in the words that nobody marked.
_SUBJECT_OF: Mapping[str, str] = {"spare_parts": "part", "certifications": "certification", "nonconformances": "defect"}
_PLAIN_WORDS = frozenset(
    "do we have any got how many much are there is in stock the a an of for our what which who whose left on hand still available show list me please have has had enough spare part parts stock level where and can i need some store stores "
    "warehouse piece pieces open closed overdue below minimum under out expired expiring valid certified certificate certificates certification certifications licence license qualified training trained people operators ncr ncrs ncs nc reports report "
    "nonconformances from last this since yesterday today week month ones one only them it its that those these all up with to by at reordered order ordered".split()
)


def _subject_name(scribe: Scribe, record: str, where: Mapping[str, Any]) -> dict[str, Any]:
    """The part, certificate or defect that a question names in passing: known by the plant, or (parts) as said."""
    kind = _SUBJECT_OF.get(record, "")
    if not kind or kind in where:
        return {}
    text = scribe.clause.text
    for item in sorted((p for p in scribe.clause.placeholders if p.turn == 0), key=lambda p: -p.start):
        text = text[: item.start] + " , " + text[item.end :]
    runs: list[list[str]] = [[]]
    for word in re.findall(r"[\w.-]+|[,;]", text):
        if word.lower().strip(".") in _PLAIN_WORDS or word in ",;":
            runs.append([])
        else:
            runs[-1].append(word)
    names = names_of(scribe.plant)
    for run in sorted(runs, key=len, reverse=True):
        for size in range(len(run), 0, -1):
            for at in range(len(run) - size + 1):
                found = names.resolve(" ".join(run[at : at + size]), kind)
                if found.known and found.kind == kind:
                    return {kind: found.value}
    best = " ".join(max(runs, key=len))
    return {"part": best} if kind == "part" and best and scribe.reading.tools[0][1] > CHOSEN and not {"equipment", "equipment_class"} & set(where) else {}


def _sort_field(scribe: Scribe, record: str, sort: str) -> str:
    """"Longest first" sorts by the duration, not by the time, where the record has one."""
    spec = scribe.plant.model.records.get(record)
    names = {column.name for column in spec.show} if spec else set()
    text = scribe.clause.text.lower()
    for words, field_name in ((r"\b(?:longest|shortest|duration)\b", "duration"), (r"\b(?:largest|biggest|smallest|quantit\w*)\b", "quantity"), (r"\bdue\b", "due")):
        if re.search(words, text) and field_name in names:
            return f"{field_name} {sort}"
    return sort


def _bounds(scribe: Scribe, record: str) -> dict[str, Any]:
    """"Longer than 30 minutes", "older than 5 days", "more than 100 pieces" as bounds of the record's own measures."""
    spec = scribe.plant.model.records.get(record)
    out: dict[str, Any] = {}
    text = scribe.clause.text
    taken = [(p.start, p.end) for p in scribe.clause.placeholders if p.turn == 0 and p.label not in ("number", "compare", "text", "query")]
    for m in _QUANTITY.finditer(text):
        if any(start < m.end() and m.start() < end for start, end in taken):
            continue
        before = text[: m.start()]
        more, less = _MORE.search(before), _LESS.search(before)
        if not (more or less):
            continue
        number, unit = float(m.group(1).replace(",", ".")), (m.group(2) or "").lower()
        age = bool(re.search(r"(?:older|younger) than\s*$", before))
        key, value = ("age_days", number * {"w": 7, "m": 30}.get(unit[:1] if unit.startswith(("w", "mo")) else "", 1)) if age or unit.startswith(("day", "week", "month")) else (
            ("duration_min", number * (60 if unit.startswith("h") else 1 / 60 if unit.startswith("s") else 1)) if unit.startswith(("min", "h", "s")) else ("quantity", number)
        )
        if spec is None or key == "age_days" or key in spec.fields:
            out[key] = {"min" if more else "max": int(value) if value == int(value) else round(value, 3)}
    return out


def _period_notes(unresolved: Mapping[str, Any], period: Period | None, scribe: Scribe) -> tuple[str, ...]:
    if unresolved:
        return (f"I could not place “{unresolved['period']['text']}” in time.",)
    if period and period.start > scribe.question.at:
        return (f"“{period.text}” has not begun yet.",)
    return ()


# -- knowledge and action tools ------------------------------------------------------------------------------------------
_SPELLED = re.compile(r"\b(?:(?:zero|oh|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|hundred|double|triple)\b[ -]?){2,}", re.IGNORECASE)
_CAPITALS = re.compile(r"\b(?!(?:OEE|NCR|CAPA|SOP|CNC|PLC|HMI|FPY|MTBF|MTTR)\b)[A-Z][A-Z0-9/-]{2,}(?: [A-Z0-9/-]+)*\b")
_CODE_LIKE = re.compile(r"\b\d+(?:[/-]\d+)+\b|" + r"\b(?=[A-Za-z0-9.-]*\d)(?:[A-Z]{1,6}[-. ]?\d[\w.-]*|\d{2,6}(?:[-.]\d+)?|[a-z]{1,4}-?\d{2,}[\w.-]*)\b|[\"“']([^\"”']{3,60})[\"”']")


def _alarms(scribe: Scribe) -> list[Draft]:
    codes = [str(p.value) for p in scribe.get("code", "id")]
    if not codes:
        codes = _codes_in(scribe)
    if not codes:
        words = scribe.phrase("symptom") or scribe.phrase("query") or scribe.phrase("text")
        if words:
            codes = [words]
    place = _equipment(scribe)
    if not codes:
        return [Draft("explain_alarm", place, missing=Missing("code", "Which alarm code or text does the machine show?"))]
    return [Draft("explain_alarm", {"code": code, **place}) for code in dict.fromkeys(codes)]


def _codes_in(scribe: Scribe) -> list[str]:
    """A code that nobody marked: a token with digits, digits spelled out, a quoted text, a text in capitals."""
    text = scribe.clause.text
    taken = [(p.start, p.end) for p in scribe.clause.placeholders if p.turn == 0 and not p.phrase]
    for pattern in (_CODE_LIKE, _SPELLED, _CAPITALS):
        for m in pattern.finditer(text):
            if not any(start < m.end() and m.start() < end for start, end in taken):
                return [spoken_code((m.group(1) if m.lastindex else None) or m.group(0))]
    return []


_POINTS_HERE = re.compile(r"\b(?:it|its|it's|this|here|my)\b", re.IGNORECASE)


def _equipment(scribe: Scribe) -> dict[str, Any]:
    """The machine of a knowledge or signal tool; a line or class is handed on as said, for tools know only machines."""
    found = scribe.one("equipment")
    if found is None and scribe.question.equipment and _POINTS_HERE.search(scribe.clause.text) and not scribe.get(*HIERARCHY):
        found = scribe.question.equipment
    if found is None:
        others = scribe.get("line", "equipment_class")
        found = None if not others else (others[0].text if others[0].label == "equipment_class" else others[0].value)
    return {"equipment": found} if found is not None else {}


_OPENINGS = re.compile(
    r"^(?:(?:hi|hello|hey|ok|okay|please|pls|kindly|sorry|good morning|so|and|well|um|uh|er)[, ]+)*(?:can|could|would|will)? ?(?:you|someone|somebody|anybody)? ?(?:please |kindly )?"
    r"(?:how (?:do|can|should|would|could|must) (?:i|we|you|one)(?: properly| correctly)?|how (?:is|are)|how to|how|what(?:'s| is| are) the (?:steps?|procedure|instructions?|right way|correct way|sequence|process|best way) (?:to|for|of|when)|(?:show|give|tell|send|bring|walk|guide|talk|take) (?:me|us) (?:through |how to |the )*(?:(?:steps?|procedure|instructions?) (?:to|for|of) )?|"
    r"(?:steps?|procedure|instructions?|guide) (?:to|for|of|on)|i (?:need|want|have|would like|'d like) to(?: know)?(?: how to)?|we need to|need to|explain (?:to me )?how to|teach me (?:how )?to|what do i do to|where (?:is|are|do i find|can i find)|is there (?:a|any)(?:thing)?|what does the (?:manual|sop) say about|search (?:for|the \w+ for)?|find|look up|look for|why (?:is|are|does|do|did)|what (?:is|are)|what's)\s+",
    re.IGNORECASE,
)


_STOP = frozenset(
    "show me the a an of for on at in to and is it its please can you could i we want need see plot chart graph trend draw display give get what was were how has have did does do against over time from with my our us up line curve "
    "too also please now same again only just instead about it's history evolution development values value reading readings data check look at this that since during as picture compare between".split()
)


def residue(scribe: Scribe) -> str:
    """What is left of a clause without its marked spans and its ordinary words, when that is short enough to be a name."""
    text = scribe.clause.text
    for item in sorted((p for p in scribe.clause.placeholders if p.turn == 0), key=lambda p: -p.start):
        text = text[: item.start] + " , " + text[item.end :]
    pieces = [" ".join(w for w in re.findall(r"[\w%°.-]+", piece) if w.lower() not in _STOP) for piece in re.split(r"[,;:?!]", text)]
    best = max(pieces, key=len, default="")
    return best if 0 < len(best.split()) <= 5 else ""


def without_places(scribe: Scribe, text: str) -> str:
    """A clause without its machine and the preposition before it, where a subject is left; free wordings name the thing
    done or seen, and the machine is an argument of its own."""
    if text != scribe.clause.text:
        return text
    spans = [p for p in scribe.clause.placeholders if p.turn == 0 and p.label in ("equipment", "period") and not p.ambiguous]
    for item in sorted(spans, key=lambda p: -p.start):
        before, after = text[: item.start], text[item.end :]
        joined = re.sub(r"[,;]?\s*\b(?:on|at|of|for|in|from|the|to|by)(?:\s+the)?\s*$", "", before.rstrip(), flags=re.IGNORECASE)
        if joined != before.rstrip() or not after.strip(" ?.!,") or not before.strip():
            text = f"{joined} {after}"
    text = re.sub(r",? (?:step by step|please|pls|which sequence|in which order|what order|any ideas?|help|why|where from)\b[ ?.!]*$", "", " ".join(text.split()), flags=re.IGNORECASE)
    return " ".join(text.replace(" ,", ",").split()).strip(" ?.!,;:")


_ABOUT = re.compile(r"^.*\b(?:say|says|said|anything|something|find|info|information|documented|written|read|search\w*|look\w*|instruction|bulletins?|note[sd]?)\b.{0,40}?\b(?:about|on|regarding|concerning|for)\s+(?=\S)", re.IGNORECASE)


def _after_about(text: str) -> str:
    stripped = _ABOUT.sub("", text, count=1)
    return stripped.strip(" ?.!") if len(stripped.split()) >= 1 and stripped != text else opening_removed(text)


_EFFECTS: tuple[re.Pattern[str], ...] = tuple(re.compile(p, re.IGNORECASE) for p in (
    r"\b(?:link|relation\w*|correlation|connection|connexion|association|dependence) between (?:the )?(.+?) and\b",
    r"\bcorrelat\w+ (?:the )?(.+?) (?:with|against|to)\b", r"\b(?:does|do|is|are) (?:the )?(.+?) (?:depend\w*|related|linked|connected|correlated|caused|tied)\b",
    r"\b(?:goes? (?:along |together |hand in hand )?with|correlat\w* with|factors?(?: \w+)? (?:for|of|behind|drive|driving|influenc\w+|caus\w+)|drives?|influences?|affects?|predicts?|predictors (?:for|of)|in common with|coincides? with|(?:what|which \w+) causes?) (?:the )?(.+)$",
))


def _effect_of(text: str) -> str:
    """The effect whose causes are asked about."""
    for pattern in _EFFECTS:
        m = pattern.search(text)
        if m:
            return m.group(1).strip(" ?.!,")
    return ""


_REQUESTED = re.compile(
    r"^(?:(?:please|pls|kindly|hi|hey|hello)[, ]+)*(?:(?:can|could|would|will) (?:you|someone|somebody|anyone)(?: please)? (?:bring|send|get|fetch|order|call|tell|ask|come|organi[sz]e)(?: us| me)?|(?:call|get|send|tell|ask|notify|inform|alert)(?: the)? (?:maintenance|quality|qa|logistics|warehouse|a \w+|someone|somebody)(?: (?:that|to|over to|down to|about|for))?|"
    r"(?:we|i) (?:need|want|are (?:out of|running out of|low on))|raise (?:a |an )?(?:\w+ )?(?:request|ticket|order)(?: (?:for|that|about))?|open (?:a |an )?(?:\w+ )?(?:request|ticket)(?: (?:for|that|about))?|order|request|bring|send(?: us| me)?|put in (?:a |an )?(?:\w+ )?request(?: (?:for|that))?)[:,]?\s+",
    re.IGNORECASE,
)


def opening_removed(text: str) -> str:
    """A question without its polite opening and its question mark."""
    stripped = _OPENINGS.sub("", text.strip(), count=1).strip(" ?.!,")
    return stripped or text.strip(" ?.!,")


def _procedure(scribe: Scribe) -> list[Draft]:
    task = scribe.phrase("task") or opening_removed(without_places(scribe, scribe.clause.text))
    arguments: dict[str, Any] = {"task": task, **_equipment(scribe)}
    product, skill = scribe.one("product", "variant"), scribe.best("skill")
    if product is not None:
        arguments["product"] = product
    if skill != "none":
        arguments["skill"] = skill
    return [Draft("get_procedure", arguments)]


def _diagnose(scribe: Scribe) -> list[Draft]:
    symptom = scribe.phrase("symptom") or scribe.phrase("outcome") or scribe.phrase("text") or without_places(scribe, scribe.clause.text)
    return [Draft("diagnose", {"symptom": symptom, **_equipment(scribe)})]


def _search(scribe: Scribe) -> list[Draft]:
    query = scribe.phrase("query") or scribe.phrase("task") or _after_about(without_places(scribe, scribe.clause.text))
    arguments: dict[str, Any] = {"query": query, **_equipment(scribe)}
    kinds = list(scribe.reading.above("search_kind", CHOSEN))
    if kinds:
        arguments["kinds"] = kinds
    return [Draft("search_documents", arguments)]


_FORWARD = re.compile(r"\b(?:forwards?|downstream|where (?:did|has|have|is|are|was|were) .{0,30}(?:go|gone|went|end up|used|shipped|delivered|sold)|went into|ended up in|shipped to|who (?:got|received))\b", re.IGNORECASE)
_BACKWARD = re.compile(r"\b(?:backwards?|upstream|back to|went in(?!to)|goes in(?!to)|made (?:of|from)|came from|come from|raw materials?|ingredients?|components?|supplier lots?)\b", re.IGNORECASE)
_BOTH_WAYS = re.compile(r"\b(?:both (?:ways|directions|sides)|full (?:trace|genealogy|history)|everything about|complete (?:trace|genealogy)|up and down(?:stream)?|upstream and downstream|forward and back\w*|back\w* and forward)\b", re.IGNORECASE)


def _direction(scribe: Scribe) -> str:
    """The way that the words say; the router's where they say none or contradict each other."""
    text = scribe.clause.text
    if _BOTH_WAYS.search(text):
        return "both"
    forward, backward = bool(_FORWARD.search(text)), bool(_BACKWARD.search(text))
    if forward != backward:
        return "forward" if forward else "backward"
    return scribe.best("direction")


def _trace(scribe: Scribe) -> list[Draft]:
    drafts = []
    for label in ("serial", "lot", "order"):
        drafts += [Draft("trace_material", {label: p.value, "direction": _direction(scribe)}) for p in scribe.get(label)]
    if drafts:
        return drafts[:1] if len({next(iter(d.arguments)) for d in drafts}) > 1 else drafts
    for p in scribe.get("id", "code", "product", "part"):
        if any(c.isdecimal() for c in str(p.value)):
            return [Draft("trace_material", {"lot": p.value, "direction": _direction(scribe)})]
    return [Draft("trace_material", {}, missing=Missing("lot", "Which lot, serial or order shall I trace?"))]


def _signal(scribe: Scribe) -> list[Draft]:
    period, unresolved, _ = scribe.period()
    period = scribe.shift_as_period(period)
    rest: dict[str, Any] = {**_equipment(scribe), **({"period": period} if period else {})}
    signals = list(dict.fromkeys(str(p.value) for p in scribe.get("signal"))) or [s for s in (scribe.phrase("query"), scribe.phrase("symptom"), residue(scribe)) if s][:1]
    if len(signals) > 1 and scribe.best("calls") == "1" and not re.search(r"\b(?:and|plus|with|versus|vs|against)\b|[,&+/]", scribe.clause.text):
        signals = signals[:1]
    if not signals:
        return [Draft("signal_trend", rest, unresolved, missing=Missing("signal", "Which signal shall I show: temperature, vibration, pressure ...?"))]
    return [Draft("signal_trend", {"signal": s, **rest}, unresolved, _period_notes(unresolved, period, scribe)) for s in signals]


def _correlations(scribe: Scribe) -> list[Draft]:
    named = scribe.get("defect", "reason", "code")
    outcome = scribe.phrase("outcome") or _effect_of(without_places(scribe, scribe.clause.text)) or (named[0].text if named else "") or scribe.phrase("symptom") or opening_removed(scribe.clause.text)
    period, unresolved, _ = scribe.period()
    period = scribe.shift_as_period(period)
    arguments: dict[str, Any] = {"outcome": outcome, **_equipment(scribe)}
    product = scribe.one("product", "variant")
    if product is not None:
        arguments["product"] = product
    if period:
        arguments["period"] = period
    return [Draft("find_correlations", arguments, unresolved, _period_notes(unresolved, period, scribe))]


_TASK_KINDS = frozenset(("sop", "work_instruction", "troubleshooting_guide", "capa", "deviation"))
_SUBJECT = re.compile(r"\b(?:sop|instructions?|guide|procedure|document|capa|deviation|paper|sheet)\w*(?: \w+)?? (?:for|about|on|of|covering|to|regarding)(?: the| our)? (?!it\b|this\b|them\b)(\D.{3,80})$", re.IGNORECASE)


def _document(scribe: Scribe) -> list[Draft]:
    period, unresolved, said_shift = scribe.period()
    arguments: dict[str, Any] = {}
    for label in ("equipment", "line", "product", "variant", "lot"):
        value = scribe.one(label)
        if value is not None:
            arguments[label] = value
    if "equipment" not in arguments and "line" not in arguments:
        group = scribe.get("equipment_class")
        if group:
            arguments["equipment"] = group[0].text
    code, shift = scribe.one("code"), scribe.one("shift")
    task = scribe.phrase("task") or scribe.phrase("symptom")
    if not task and code is None and "lot" not in arguments and scribe.best("kind") in _TASK_KINDS and (m := _SUBJECT.search(without_places(scribe, scribe.clause.text))):
        task = m.group(1).strip(" ?.!,")
    if code is not None:
        arguments["alarm"] = code
    if task:
        arguments["task"] = task
    if period:
        arguments["period"] = period
    if shift or said_shift:
        arguments["shift"] = shift or said_shift
    if scribe.best("skill") != "none":
        arguments["skill"] = scribe.best("skill")
    kinds = [scribe.best("kind")]
    if scribe.best("calls") != "1" and scribe.reading.heads["kind"][1][1] >= SECOND_TOOL:
        kinds.append(scribe.reading.heads["kind"][1][0])
    return [Draft("draft_document", {"kind": kind, **arguments}, unresolved, _period_notes(unresolved, period, scribe)) for kind in kinds]


def _request(scribe: Scribe) -> list[Draft]:
    text = scribe.phrase("text") or scribe.phrase("symptom") or scribe.phrase("task") or _REQUESTED.sub("", scribe.clause.text, count=1).strip(" ?.!,:")
    return [Draft("raise_request", {"kind": scribe.best("request_kind"), **_equipment(scribe), "text": text})]


def _sql(scribe: Scribe) -> list[Draft]:
    said = scribe.phrase("sql")
    if not said:
        m = re.search(r"\b(?:select|with)\b.*", scribe.clause.text, re.IGNORECASE | re.DOTALL)
        said = m.group(0) if m else ""
    if not said:
        return [Draft("run_sql", {}, missing=Missing("sql", "Which SQL statement shall I run?"))]
    return [Draft("run_sql", {"sql": said})]


#: How the arguments of each tool are read; a new tool is one line here.
BUILDERS: Mapping[str, Callable[[Scribe], list[Draft]]] = {
    "query_metrics": _metrics, "list_records": _records, "explain_alarm": _alarms, "diagnose": _diagnose,
    "search_documents": _search, "get_procedure": _procedure, "trace_material": _trace, "signal_trend": _signal,
    "find_correlations": _correlations, "draft_document": _document, "raise_request": _request, "run_sql": _sql,
}  # fmt: skip
