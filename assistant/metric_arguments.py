"""Arguments of `query_metrics`: which figures, of what, when, by what, in which order, held against what."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from assistant.lm.labels import METRICS
from assistant.marks import ANY_STOP, names_of
from assistant.periods import SaidPeriod, read_period
from assistant.record_arguments import graded, statuses_of
from assistant.scribe import (
    BEST,
    BY,
    BY_WORDS,
    CHOSEN,
    DATA_FILTERS,
    LEAST,
    LESS,
    MORE,
    MOST,
    MOST_CHARACTERS,
    QUANTITY,
    VERY_LIKELY,
    WORST,
    Draft,
    Scribe,
    as_number,
    bounding,
    in_digits,
    period_notes,
    with_shift,
)  # fmt: skip
from assistant.spans import only_a_shift
from tools.phrases import metrics_named
from tools.registry import Period

if TYPE_CHECKING:
    from tools.plant_model import Plant

_PLURAL_SUBJECT = re.compile(
    r"(?:^|\b(?:which|what|all|list|show|any|the|are there) )(lines|machines|products|shifts|orders|equipment) "
    r"(?:with|that|where|having|whose|below|above|under|over|have|had|are|were)\b",
    re.IGNORECASE,
)
_TARGET = re.compile(
    r"\b(?:vs\.?|versus|against|above|below|compared? (?:to|with)|under|over|reach\w*|meet\w*|hit\w*|behind|"
    r"ahead of|off|on) (?:its |the |our |their |your )?(?:\w+ )?(?:target|goal|budget)s?\b|"
    r"\bcompare\b.* (?:with|to|against) (?:its |the |our |their |your )?(?:\w+ )?(?:target|goal|budget)s?\b",
    re.IGNORECASE,
)
_AGAINST = re.compile(r"\b(?:vs\.?|versus|against|compared? (?:to|with)|than(?: in)?)\s+(.+)$", re.IGNORECASE)


def metric_drafts(scribe: Scribe) -> list[Draft]:
    metrics = _chosen_metrics(scribe)
    by = scribe.by(lexical=True)
    where = {
        **_blamed(scribe, metrics),
        **scribe.where(*DATA_FILTERS),
        **graded(scribe, "nonconformances" if "ncr_count" in metrics else "alarm_events" if "alarm_count" in metrics else ""),
    }
    named = {m.group(0) for m in BY.finditer(scribe.clause.text)}
    by = [key for key in by if named or not isinstance(where.get(key), str)]
    by = [key for key in by if key not in _TIMES or _over_time(scribe, key)]
    if not by and (m := _PLURAL_SUBJECT.search(scribe.clause.text)):
        by = [key for key in [BY_WORDS.get(m.group(1).lower())] if key]
    if not by:
        by = [
            key
            for key, value in where.items()
            if isinstance(value, list)
            and len(value) > 1
            and key in ("equipment", "line", "product", "shift", "area", "site", "variant", "lot")
        ][:1]
    if _PARETO.search(scribe.clause.text) and not by and _HAVE_REASONS & set(metrics):
        by = ["reason"]
        metrics = ["scrap_count" if name == "scrap_rate" else name for name in metrics]
    held_against = _AGAINST.search(scribe.clause.text) if _against(scribe, None) is not None else None
    period, unresolved, shift = scribe.period(until=held_against.start() if held_against else MOST_CHARACTERS)
    where = with_shift(where, shift)
    if scribe.get("status") and "ncr_count" in metrics:
        status = statuses_of(scribe, "nonconformances")
        if status is not None:
            where["status"] = status
    arguments: dict[str, Any] = {"metrics": metrics}
    compare, having = _compare_to(scribe, metrics, by, period)
    where |= having
    if compare == "target" and period is None:
        times = [p.value.period for p in scribe.clause.placeholders if p.label == "compare" and isinstance(p.value, SaidPeriod)]
        period = times[0] if times else None  # "compare last week's yield with its target"
    if isinstance(compare, dict) and set(compare) <= set(by):
        compare = None  # the two stand side by side
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
    if compare is None and not having and _WHY_CHANGE.search(scribe.clause.text):
        compare = "previous_period"  # a change is explained by what it changed from
    if compare is not None:
        arguments["compare_to"] = compare
    return [Draft("query_metrics", arguments, unresolved, period_notes(unresolved, period, scribe))]


_WITHOUT = re.compile(
    r"\b(lines?|machines?|equipment|assets?|products?|shifts?|areas?|suppliers?)\b(?: (?:that|which|who))?"
    r"(?: (?:ran|run|got|went|had|have|has|having|with|saw|showed?|produced?|made|caused?|recorded|were|was|been|did|do|does))*"
    r"(?:n't|nt| not)?(?: (?:have|had|see|got|get|raise|cause|make))*"
    r" (?:with )?(?:no|without(?: any| a single)?|zero|not (?:a single|any|one)|any|an?|a single|one|free of|entirely without)"
    r" (?:\w+ )?(alarms?|faults?|stops?|stoppages?|downtimes?|breakdowns?|ncrs?|nonconformances?|non-conformances?|scrap|rejects?)\b",
    re.IGNORECASE,
)
_DENIES = re.compile(r"\b(?:no|not|without|zero|free of)\b|n't\b|\b(?:did|have|has|had)nt\b", re.IGNORECASE)
_COUNTED_BY = {"a": "alarm_count", "f": "alarm_count", "d": "downtime", "b": "downtime", "n": "ncr_count", "r": "scrap_count"}


def without_any(scribe: Scribe) -> Draft | None:
    """ "Which machines had no alarms this week": a figure that is zero, by the thing that is asked for; None for any
    other question. A list of records cannot say what is not in it."""
    m = _WITHOUT.search(scribe.clause.text)
    if m is None or not _DENIES.search(m.group(0)):
        return None
    word = m.group(2).lower()
    metric = "scrap_count" if word == "scrap" else "downtime" if word.startswith("st") else _COUNTED_BY[word[0]]
    key = BY_WORDS.get(m.group(1).lower()) or BY_WORDS.get(m.group(1).lower().removesuffix("s"))
    if metric not in scribe.plant.model.metrics or key is None:
        return None
    period, unresolved, shift = scribe.period()
    where = with_shift({**scribe.where(*(label for label in DATA_FILTERS if label not in ("code", "reason", "defect"))), metric: {"max": 0}}, shift)
    arguments: dict[str, Any] = {"metrics": [metric], "where": where, "by": [key]}
    if period:
        arguments["period"] = period
    return Draft("query_metrics", arguments, unresolved, period_notes(unresolved, period, scribe))


_WHY_CHANGE = re.compile(
    r"\b(?:why|what (?:made|caused|drove|pushed|pulled|is behind|was behind|led to)|how come|reason|explain|because of what)\b.*"
    r"\b(?:dropp?\w*|fell|fall\w*|dipp?\w*|declin\w*|(?:go|goes|gone|going|went) (?:up|down)|ris\w+|rose|increas\w*|decreas\w*|"
    r"climb\w*|jump\w*|wors\w+|better|chang\w+|slump\w*|deteriorat\w*|improv\w*|plunge\w*|(?:so much )?(?:lower|higher|less|more)(?: than)?|"
    r"spik\w+|collaps\w*)\b",
    re.IGNORECASE,
)


CERTAIN_BESIDE = 0.97
LEAST_NAMED = 0.005
_PARETO = re.compile(r"\bpareto\b", re.IGNORECASE)
_TIMES = ("hour", "day", "week", "month")
_OVER_TIME = re.compile(
    r"\b(?:by|per|each|every|trend\w*|develop\w*|evol\w*|course|over time|history|progress\w*|split|break\w*|chart|plot|graph|curve|which|best|worst|"
    r"hour\w*|dai\w+|days?|week\w*|month\w*|[dwm]o[dwm])\b",
    re.IGNORECASE,
)


def _over_time(scribe: Scribe, key: str) -> bool:
    """Whether something beside the period itself asks for a figure per hour, day, week or month ("month to date" does not)."""
    text = scribe.clause.text
    for item in scribe.clause.placeholders:
        if item.turn == 0 and item.label in ("period", "compare"):
            text = text[: item.start] + " " * (item.end - item.start) + text[item.end :]
    return bool(_OVER_TIME.search(text)) or not any(key in p.text.lower() for p in scribe.clause.placeholders if p.label == "period")


_UNTIL = r"(?= (?:out|of it|from|in|on|at|for|of|over|during|last|this|yesterday|today|tonight|since|by|per|vs|versus|and|only|please)\b|[,.?!;:]|$)"
_BLAME = re.compile(
    r"\b(?:caused by|due to|because of|owing to|blamed on|attributed to|(?:lost|lose|"
    r"losing)\b[^.?!,]{0,30}?\bto)\s+(?:the |our )?"
    rf"([A-Za-z][\w -]{{2,40}}?){_UNTIL}",
    re.IGNORECASE,
)
_SPARED = re.compile(
    r"\b(?:not counting|without counting|excluding|except(?: for)?|discounting|leaving out|leave out|not "
    r"including|ignoring|without|minus)\s+"
    rf"(?:the |our |all |any )?([A-Za-z][\w -]{{2,40}}?)(?: stuff| ones| events| stops)?{_UNTIL}",
    re.IGNORECASE,
)
_HAVE_REASONS = frozenset(("downtime", "scrap_count", "scrap_rate", "availability", "oee", "mttr", "mtbf"))


def _blamed(scribe: Scribe, metrics: Sequence[str]) -> dict[str, Any]:
    """A reason said after "due to", or taken out by "not counting", that nobody marked."""
    if scribe.get("reason", "defect") or not _HAVE_REASONS & set(metrics):
        return {}
    taken = [(p.start, p.end) for p in scribe.clause.placeholders if p.turn == 0]
    for pattern, out in ((_BLAME, False), (_SPARED, True)):
        m = pattern.search(scribe.clause.text)
        if m and (out or not set(m.group(1).lower().split()) <= ANY_STOP) and not any(start < m.end(1) and m.start(1) < end for start, end in taken):
            found = names_of(scribe.plant).resolve(m.group(1), "reason")
            kind = found.kind if found.kind in ("reason", "defect") else "reason"
            return {kind: {"not": found.value} if out else found.value}
    return _named_in_passing(scribe, taken)


def _named_in_passing(scribe: Scribe, taken: Sequence[tuple[int, int]]) -> dict[str, Any]:
    """A reason of several words that stands in the question as the plant writes it ("barcode unreadable: pieces scrapped")."""
    text = scribe.clause.text.lower()
    for word, id in sorted(scribe.plant.vocabulary("reason").items(), key=lambda item: -len(item[0])):
        if len(word.split()) < 2:
            continue
        m = re.search(rf"(?<![\w-]){re.escape(word.lower())}(?:s|es)?(?![\w-])", text)
        if m and not any(start < m.end() and m.start() < end for start, end in taken):
            return {"reason": id}
    return {}


def plants_own(scribe: Scribe) -> list[str]:
    """Figures of this plant that no training knows, named by their own words ("alarm floods")."""
    return [name for name in metrics_named(scribe.plant, scribe.clause.text) if name not in METRICS]


def _chosen_metrics(scribe: Scribe) -> list[str]:
    """The metrics above the threshold; where there are several, one that no word names must be very likely."""
    if own := plants_own(scribe):
        return own
    ranked = dict(scribe.reading.heads["metric"])
    chosen = list(scribe.reading.above("metric", CHOSEN)) or [scribe.best("metric")]
    lowered = f" {re.sub(r'[^a-z0-9]+', ' ', scribe.clause.text.lower())} "
    named = {id for word, id in scribe.plant.vocabulary("metric").items() if f" {re.sub(r'[^a-z0-9]+', ' ', word)} " in lowered}
    if len(chosen) < 2:
        other = max(named, key=lambda name: ranked.get(name, 0.0), default="")
        plain = chosen[0] in named or not other or ranked[chosen[0]] >= CERTAIN_BESIDE or ranked.get(other, 0.0) < LEAST_NAMED
        return chosen if plain else [other]  # a figure that is named beats a hunch of another
    sure = CERTAIN_BESIDE if named else VERY_LIKELY  # beside a figure that is named, another needs more than a hunch
    return [name for name in chosen if name in named or ranked[name] >= sure] or chosen[:1]


def _metric_sort(scribe: Scribe, metric: str) -> str:
    """The direction that the words say; "best" and "worst" depend on whether the figure is better high or low."""
    sort, text = scribe.best("sort"), scribe.clause.text
    if sort == "none" and dict(scribe.reading.heads["sort"])["none"] >= 0.8:
        return sort
    spec = scribe.plant.model.metrics.get(metric)
    high_is_good = spec is None or spec.direction != "down"
    ways = {"desc" for _ in MOST.findall(text)} | {"asc" for _ in LEAST.findall(text)}
    ways |= {("desc" if high_is_good else "asc") for _ in BEST.findall(text)} | {
        ("asc" if high_is_good else "desc") for _ in WORST.findall(text)
    }
    return next(iter(ways)) if len(ways) == 1 else sort


def _compare_to(scribe: Scribe, metrics: Sequence[str], by: Sequence[str], period: Period | None) -> tuple[Any, dict[str, Any]]:
    """What the figures are held against, and a limit on the figure itself ("lines below 60 %")."""
    kind = scribe.best("compare_to")
    said = [p for p in scribe.clause.placeholders if p.label == "compare"] or scribe.get("compare")
    numbers = [p for p in scribe.clause.placeholders if p.label == "number"]
    text = scribe.clause.text
    for item in [*numbers, *said]:
        before = text[: item.start] if item.turn == 0 else ""
        number = as_number(item.text)
        if by and number is not None and not isinstance(item.value, SaidPeriod) and (MORE.search(before) or LESS.search(before)):
            bound = "min" if MORE.search(before) else "max"
            return None, {metrics[0]: {bound: _in_unit(number, item.text + text[item.end : item.end + 10], metrics[0], scribe.plant)}}
    bounds = _having(scribe, metrics[0]) if by else {}
    if bounds:
        return None, bounds
    if _TARGET.search(text):
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
    if m is None or (m.group(0).lower().startswith("than") and QUANTITY.match(in_digits(m.group(1)))):
        return None  # "more than 5 hours" is a bound
    words = m.group(1).strip(" ?.!").split()
    for count in range(min(6, len(words)), 0, -1):
        text = " ".join(words[:count])
        said = read_period(text, scribe.question.at, scribe.plant.calendar, period)
        if said:
            return None if only_a_shift(text, scribe.plant.calendar) else said.period
    return None


def _having(scribe: Scribe, metric: str) -> dict[str, Any]:
    """ "Lines with more than 5 %": a bound on the figure itself, where the figures are grouped."""
    text = in_digits(scribe.clause.text)
    taken = [
        (p.start, p.end) for p in scribe.clause.placeholders
        if p.turn == 0 and p.label not in ("number", "compare", "limit") and not bounding(p, text)
    ]  # fmt: skip
    for m in QUANTITY.finditer(text):
        more, less = MORE.search(text[: m.start()]), LESS.search(text[: m.start()])
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
        unit = m.group(1)[0].lower() if m else ""
        return number * {"h": 3600, "m": 60, "d": 86400}.get(unit, 1)
    return int(number) if number == int(number) else number
