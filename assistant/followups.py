"""What a follow-up keeps of the turn before: "and line 3?", "by shift", "only the open ones", "same for CNC-01".

`merged` lays what was said now over the last plan, family by family: a new machine replaces the old place, a new period
the old period, a grouping is added, an exclusion stays. The router's carried spans come first; the last plan fills what
they leave open, and only for the same tool, so that a complete new question inherits nothing. tests/test_planning.py.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from assistant.marks import names_of
from assistant.scribe import Draft, family
from assistant.understand import Clause, Question, Understanding

if TYPE_CHECKING:
    from tools.plant_model import Plant

_PLACES = ("equipment", "line", "area", "site", "equipment_class")
_PLAIN = frozenset(
    tuple(
        """
        period by equipment product task symptom outcome signal code lot order serial line shift skill kind variant
        alarm query
    """.split()
    )
)
_FRESH_WORDS = 9  # a question of more words that names its own subject stands alone


def merged(drafts: Sequence[Draft], clause: Clause, understanding: Understanding, question: Question, plant: Plant) -> list[Draft]:
    """The drafts of a follow-up with what the last plan still says."""
    previous = next((p.calls for p in reversed(question.previous) if p.calls), ())
    if not previous:
        return list(drafts)
    out = []
    for draft in drafts:
        last = next((c for c in reversed(previous) if c.tool == draft.tool), None)
        if last is None:
            out.append(_handed_on(draft, previous, clause))
            continue
        if _stands_alone(clause, draft, plant):
            out.append(draft)
            continue
        out.append(_overlaid(draft, dict(last.arguments), clause, plant))
    return out


_WHY = re.compile(
    r"(?:(?:but|and|so|ok|okay|hm+|oh)[ ,]+)*(?:why|how come|for what reason|what (?:was|is|were|are|'s) (?:the |behind )?(?:reasons?|causes?|that)"
    r"|what caused (?:it|that|this)|what (?:has )?happened(?: there)?|because of what|explain (?:it|that|this))"
    r"(?: (?:is|was|were|are|did|has|does))?(?: (?:it|that|this|so|there|for (?:it|that|this)))*"
    r"(?: (?:so )?(?:low|high|bad|poor|little|much|many|down|up|drop\w*|fall|fell|rise|change[ds]?))?\W*",
    re.IGNORECASE,
)


def why_so(text: str, question: Question) -> Draft | None:
    """A bare "why?" after a figure: the same figure, held against the period before, which says what it changed from."""
    last = next((p.calls for p in reversed(question.previous) if p.calls), ())
    if not _WHY.fullmatch(text) or len(last) != 1 or last[0].tool != "query_metrics":
        return None
    kept = {key: value for key, value in last[0].arguments.items() if key not in ("sort", "limit", "compare_to")}
    return Draft("query_metrics", {**kept, "compare_to": "previous_period"})


_TAKES: Mapping[str, tuple[str, ...]] = {
    "explain_alarm": ("equipment",), "diagnose": ("equipment",), "get_procedure": ("equipment",), "search_documents": (
        "equipment",),
    "signal_trend": ("equipment", "period"), "find_correlations": ("equipment", "product", "period"), "trace_material": (
        "lot",
        "serial",
        "order"),
    "raise_request": ("equipment",), "draft_document": ("equipment", "line", "product", "lot", "period"),
}  # fmt: skip


def _handed_on(draft: Draft, previous: Sequence[Any], clause: Clause) -> Draft:
    """Another tool than before: it takes the machine, lot or period under discussion where it lacks one and the words
    point back or the router carried nothing."""
    if not (draft.missing or _POINTS_BACK.search(clause.text)):
        return draft
    last: dict[str, Any] = {}
    for call in previous:
        last |= {**call.arguments, **dict(call.arguments.get("where") or {})}
    now = dict(draft.arguments)
    said = {family(p.label) for p in clause.placeholders} | {family(p.label) for p in clause.carried}
    for key in _TAKES.get(draft.tool, ()):
        value = last.get(key)
        if key not in now and value is not None and family(key) not in said and not isinstance(value, list | Mapping):
            if family(key) == "material" and any(k in now for k in ("lot", "serial", "order")):
                continue
            now[key] = value
    missing = (
        draft.missing
        if draft.missing and draft.missing.argument not in now and not any(k in now for k in ("lot", "serial", "order"))
        else None
    )
    return replace(draft, arguments=now, missing=missing)


_POINTS_BACK = re.compile(r"\b(?:it|its|that|those|these|them|they|there|same|this one|this|then|such|one)\b", re.IGNORECASE)


def _stands_alone(clause: Clause, draft: Draft, plant: Plant) -> bool:
    """A sentence that names its own subject (a metric or record) and a place or time of its own needs no earlier one."""
    names_subject = bool(said_of(clause.text, plant, "metric" if draft.tool == "query_metrics" else "record"))
    places = any(p.label in (*_PLACES, "product", "lot", "order") for p in clause.placeholders)
    return names_subject and places and not clause.carried and len(clause.text.split()) >= _FRESH_WORDS // 2


def said_of(text: str, plant: Plant, kind: str) -> list[str]:
    """Ids of the metrics or records that a text names by one of their words, longest names first."""
    lowered = f" {re.sub(r'[^a-z0-9]+', ' ', text.lower())} "
    words = sorted(plant.vocabulary(kind).items(), key=lambda item: -len(item[0]))
    return list(dict.fromkeys(id for word, id in words if f" {re.sub(r'[^a-z0-9]+', ' ', word)} " in lowered))


_FILLER = frozenset(
    [
        "and",
        "or",
        "what",
        "how",
        "about",
        "the",
        "a",
        "an",
        "of",
        "for",
        "on",
        "in",
        "at",
        "with",
        "to",
        "also",
        "too",
        "now",
        "then",
        "same",
        "again",
        "please",
        "but",
        "only",
        "just",
        "it",
        "is",
        "was",
        "were",
        "by",
        "per",
        "instead",
        "as",
        "well",
    ]
)


def only_names(clause: Clause) -> bool:
    """Whether a follow-up says nothing but other names and times ("and line 2?", "what about last week")."""
    text = clause.text.lower()
    for item in clause.placeholders:
        if item.turn == 0:
            text = text[: item.start] + " " * (item.end - item.start) + text[item.end :]
    return not set(re.findall(r"[a-z]+", text)) - _FILLER


def _overlaid(draft: Draft, last: dict[str, Any], clause: Clause, plant: Plant) -> Draft:
    now = dict(draft.arguments)
    said = {family(p.label) for p in clause.placeholders}
    bare = _bare_value(clause)
    if bare:
        return replace(draft, arguments=_in_place_of(bare, last, plant), missing=None)
    if draft.tool == "query_metrics" and not said_of(clause.text, plant, "metric") and "metrics" in last:
        likely = {name for name, p in clause.reading.heads["metric"] if p >= 0.8}
        if not likely - set(last["metrics"]) or only_names(clause):
            now["metrics"] = last["metrics"]
    if draft.tool == "list_records" and now.get("records") != last.get("records"):
        return draft
    if draft.tool in ("query_metrics", "list_records"):
        where = _where(dict(now.get("where") or {}), dict(last.get("where") or {}), said)
        if where:
            now["where"] = where
        if "by" not in now and "by" in last and "by" not in said:
            now["by"] = last["by"]
    else:
        for key, value in last.items():
            if key in _PLAIN and key not in now and family(key) not in said:
                now[key] = value
    if "period" in last and "period" not in now and "period" not in draft.unresolved:
        now["period"] = last["period"]
    missing = draft.missing if draft.missing and draft.missing.argument not in now else None
    return replace(draft, arguments=now, missing=missing)


_BARE = re.compile(r"(?=\S*\d)[A-Za-z]{0,5}[-. ]?\d[\w./-]*", re.IGNORECASE)
_ANY_NUMBER = frozenset(("number", "limit", "code", "lot", "order", "serial", "id", "product", "part", "equipment", "line", "quantity"))


def _bare_value(clause: Clause) -> str:
    """The lone number or code that is all a follow-up says ("and 401?"), unless the plant knows it by a name of its own."""
    words = [w for w in re.findall(r"[\w./-]+", clause.text.rstrip(" ?!.")) if w.lower() not in _FILLER]
    if len(words) != 1 or not _BARE.fullmatch(words[0]):
        return ""
    meant = [p for p in clause.placeholders if p.turn == 0]
    if any(p.label not in _ANY_NUMBER or (p.known and p.label in ("equipment", "line", "product", "part")) for p in meant):
        return ""
    return str(words[0])


def _in_place_of(bare: str, last: Mapping[str, Any], plant: Plant) -> dict[str, Any]:
    """The last plan with a lone number in the place that a number had: a code, a lot, an order, a numbered machine or line."""
    now, where = dict(last), dict(last.get("where") or {})
    for key in ("code", "lot", "order", "serial", "alarm", "part", "id"):
        for home in (now, where):
            if isinstance(home.get(key), str):
                home[key] = bare
                return {**now, **({"where": where} if where else {})}
    for key in ("equipment", "line"):
        for home in (now, where):
            id = home.get(key)
            named = plant.name(key, id) if isinstance(id, str) else ""
            if re.search(r"\d+$", named):
                found = names_of(plant).resolve(re.sub(r"\d+$", bare, named), key)
                home[key] = found.value
                return {**now, **({"where": where} if where else {})}
    return {**now, **({"where": where} if where else {})}


def _where(now: dict[str, Any], last: Mapping[str, Any], said: set[str]) -> dict[str, Any]:
    """Filters of the last turn stay unless their family was said anew."""
    out = dict(now)
    for key, value in last.items():
        label = {"operator": "person", "alarm": "code"}.get(key, key)
        if (
            key not in out
            and (family(label) not in said or (key in _PLACES and any(isinstance(out.get(place), Mapping) for place in _PLACES)))
            and not (key in _PLACES and any(place in out and not isinstance(out[place], Mapping) for place in _PLACES))
        ):
            out[key] = value
    return out
