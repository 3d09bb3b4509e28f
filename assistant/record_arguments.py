"""Arguments of `list_records`: which records, in which canonical status, with which bounds, in which order."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from assistant.entities import HIERARCHY
from assistant.lm.labels import RECORD_STATUSES
from assistant.marks import KIND_WORDS, names_of
from assistant.scribe import (
    BY_WORDS,
    CHOSEN,
    DATA_FILTERS,
    LESS,
    MORE,
    QUANTITY,
    Draft,
    Scribe,
    as_list,
    bounding,
    in_digits,
    period_notes,
    with_shift,
)  # fmt: skip
from tools.registry import Period

_OLDER = re.compile(r"(older|younger) than (?:an? )?(\d+)? ?(day|week|month|year)s?", re.IGNORECASE)
_GRADES = re.compile(r"(?<![\w-])(critical|major|minor)s?\b(?! (?:dimension|part|spare|to))", re.IGNORECASE)
_PRIORITIES = re.compile(
    r"\b(low|medium|high|critical|urgent|top|emergency)[- ]prio(?:rity)?\b|\bprio(?:rity)? (low|medium|high|"
    r"critical|urgent|one|two|\d|[abc])\b|\b(urgent|critical)\b(?= (?:work|maintenance|jobs?|orders?|repairs?))",
    re.IGNORECASE,
)


#: What is urgent in a plant that grades from low to critical.
URGENT = ("critical", "high")
_URGENT_WORDS = ("urgent", "emergency", "top", "asap", "top priority")


def graded(scribe: Scribe, record: str) -> dict[str, Any]:
    """Severity and priority by their own words, where no span holds them and the record has them."""
    spec = scribe.plant.model.records.get(record)
    text = scribe.clause.text
    out: dict[str, Any] = {}
    for label, pattern in (("severity", _GRADES), ("priority", _PRIORITIES)):
        if (
            scribe.get("severity", "priority")
            or spec is None
            or label not in spec.fields
            or str(spec.fields[label]) == {"severity": "priority", "priority": "severity"}[label]
        ):
            continue
        found = [next(g for g in m.groups() if g).lower() for m in pattern.finditer(text)]
        before = text[: m.start()] if (m := pattern.search(text)) else ""
        if found:
            found = [grade for word in found for grade in (URGENT if label == "priority" and word in _URGENT_WORDS else (word,))]
            value: Any = list(dict.fromkeys(found)) if len(set(found)) > 1 else found[0]
            out[label] = (
                {"not": value} if re.search(r"\b(?:not|without|except|excluding|no|but)(?: the)?\s*$", before, re.IGNORECASE) else value
            )
    return out


_MINE = re.compile(
    r"\b(?:my|mine)(?: own)? (?:\w+ )?(?:certif\w+|qualif\w+|training\w*|licen[cs]es?|work orders?|maintenance "
    r"orders?|jobs?|tasks?|capas?|actions?|tickets?)\b|"
    r"\b(?:assigned to|given to|for) me\b|\bam i (?:still )?(?:certified|qualified|trained|allowed)\b",
    re.IGNORECASE,
)
_BEGAN = re.compile(r"(?:opened|raised|created|logged|issued|reported|written|started|found|entered)(?: up)?", re.IGNORECASE)
UNSPOKEN_STATUS = 0.75  # probability from which a status counts that no word of the question says


def statuses_of(scribe: Scribe, record: str) -> Any:
    """The record's canonical status for what the router and the words say; None when nothing is said."""
    spec = scribe.plant.model.records.get(record)
    known = dict(spec.statuses) if spec else {}
    chosen = list(scribe.reading.above("record_status", CHOSEN))
    spoken = _said_statuses(scribe, known)
    said = [p for p in scribe.get("status") if p.turn == 0 or not spoken]  # what is said now beats what was said before
    if said and all(_BEGAN.fullmatch(str(p.value).strip()) for p in said):
        return None  # "opened in May" says when they began, not that they still are
    if not said:
        likely = dict(scribe.reading.heads["record_status"])
        chosen = [label for label in chosen if label in spoken or likely[label] >= UNSPOKEN_STATUS]
        if spoken and (not set(spoken) & set(chosen) or not re.search(r"\b(?:and|or)\b|[,/&]", scribe.clause.text)):
            chosen = spoken
    if not chosen and said:
        top, p = scribe.reading.heads["record_status"][0]
        chosen = [top] if p >= 0.25 else [str(said[0].value).lower().replace(" ", "_")]
    if not chosen and known and (opposite := _negated(scribe.clause.text, known)):
        return opposite[0]
    if not chosen:
        return None
    if not known:
        return chosen[0] if len(chosen) == 1 else chosen
    found = [name for label in chosen if (name := canonical_status(known, label, [str(p.value) for p in said])) is not None]
    found = _negated(scribe.clause.text, known) or list(dict.fromkeys(found))
    if (
        found == ["open"]
        and re.search(r"\bopened\b", scribe.clause.text, re.IGNORECASE)
        and not re.search(r"\bopen\b", scribe.clause.text, re.IGNORECASE)
    ):
        return None  # "opened in May" says when, not that they still are
    if not found:
        return None
    value = found[0] if len(found) == 1 else found
    return {"not": value} if _denied(scribe, known, found) and not _negated(scribe.clause.text, known) else value


_NOT_BEFORE = re.compile(
    r"(?:\b(?:not|no longer|without|except|excluding|other than|but not|neither)|n't)(?: (?:the|any|those|that are|yet|being))*\s*$",
    re.IGNORECASE,
)


def _denied(scribe: Scribe, known: Mapping[str, Any], found: Sequence[str]) -> bool:
    """Whether the words for a status stand behind a "not": "lots that are not on hold"."""
    text = scribe.clause.text.lower()
    words = [w for name in found if name in known for w in (name.replace("_", " "), *(a.lower() for a in known[name].aliases))]
    words += [p.text.lower() for p in scribe.clause.placeholders if p.label == "status" and p.turn == 0]
    places = [m.start() for w in words for m in re.finditer(rf"(?<![\w-]){re.escape(w)}(?![\w-])", text)]
    return any(_NOT_BEFORE.search(text[:at]) for at in places)


#: What is left when a status is denied: "not closed yet" is open.
_OPPOSITE: Mapping[str, tuple[str, ...]] = {
    "closed": ("open",), "finished": ("open",), "done": ("open",), "completed": ("open",), "resolved": ("open",),
    "solved": ("open",), "fixed": ("open",), "acknowledged": ("unacknowledged",), "acked": ("unacknowledged",),
    "cleared": ("active", "open"), "reset": ("active",), "started": ("planned", "open"), "dispositioned": ("awaiting_disposition",),
}  # fmt: skip
_DENIED = re.compile(
    r"(?:\b(?:not|never|nobody|no one|nothing|none|yet to be|still to be|without being)\b|n't\b)(?:\W+\w+){0,3}?\W+("
    + "|".join(_OPPOSITE)
    + r")\b",
    re.IGNORECASE,
)


def _negated(text: str, known: Mapping[str, Any]) -> list[str]:
    """The status that a denied one leaves, where the record has it."""
    match = _DENIED.search(text)
    if match is None:
        return []
    return [name for name in _OPPOSITE[match.group(1).lower()] if name in known][:1]


_LOOSE_STATUS = frozenset(
    """
        good ok up active running waiting started done late approved issued planned released closed scheduled
    """.split()
)


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
        if any(
            (w not in _LOOSE_STATUS or likely.get(name, 0.0) >= 0.02) and re.search(rf"(?<![\w-])(?<!no ){re.escape(w)}(?![\w-])", text)
            for w in words
        ):
            found.append(name)
    return found[:1]


_NEAR_STATUS: Mapping[str, tuple[str, ...]] = {
    status: tuple(near.split())
    for status, near in {
        "closed": "completed cleared dispositioned",
        "completed": "closed",
        "open": "active pending in_progress planned",
        "active": "open valid ongoing effective running",
        "ongoing": "open active",
        "on_hold": "quarantined waiting_parts",
        "quarantined": "on_hold",
        "rejected": "failed scrapped on_hold",
        "released": "planned in_stock open",
        "planned": "released open",
        "running": "in_progress ongoing active",
        "in_progress": "running open",
        "valid": "active effective",
        "effective": "valid active",
        "pending": "open in_review",
        "down": "ongoing failed",
        "failed": "rejected",
        "out_of_stock": "below_minimum",
        "unacknowledged": "active",
        "obsolete": "retired",
        "retired": "obsolete",
        "due_for_review": "in_review overdue",
        "awaiting_disposition": "open",
        "cancelled": "closed",
    }.items()
}


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


#: Statuses that say how things stand now.
_STANDING = frozenset((
    "open", "in_progress", "on_hold", "overdue", "in_stock", "below_minimum", "out_of_stock", "valid", "active", "running",
    "awaiting_disposition", "quarantined", "down", "due_for_review", "on_order", "reserved", "expiring",
))  # fmt: skip
#: What names one record of a kind.
_OWN_ID: Mapping[str, tuple[str, ...]] = {
    "lots": ("lot",), "production_orders": ("order",), "maintenance_orders": ("id", "order"), "nonconformances": ("id",), "capas": ("id",),
    "documents": ("id",), "products": ("product",), "equipment": ("equipment",),
}  # fmt: skip
_ASKS_STATE = re.compile(
    r"^(?:(?:ok|so|and|hey|hi|sorry|please|can you (?:tell me|check)(?: if| whether)?)[ ,]+)*(?:is|are|was|were|has|have|had|did|does|do|can|may|could|"
    r"check (?:if|whether)|tell me (?:if|whether))\b|\b(?:or (?:still|already|not)|yet|already|still)\b.*\?|\bcan i use\b|\b(?:if|whether) \w+ .*\b(?:is|has|was)\b",
    re.IGNORECASE,
)


#: Words of what is still to come: "due before 1 July", "licences that run out by Friday".
_AHEAD = re.compile(
    r"\b(?:expir(?:e|es|ing)|run(?:s|ning)? out|laps(?:e|es|ing)|(?:is|are|fall\w*|come\w*|becom\w*|get\w*)? ?due|upcoming|deadline|to be renewed|need\w* renew\w*)\b",
    re.IGNORECASE,
)
_OPEN_BEGIN = 2001  # ranges without a beginning start before this year


def _ahead(period: Period, now: datetime) -> Period:
    """A range that ends in the past though what is asked for is still to come: the next of the same name, from now on."""
    if period.end > now:
        return replace(period, start=max(period.start, now)) if period.start.year < _OPEN_BEGIN else period
    weekday = re.search(r"\b(?:mon|tues|wednes|thurs|fri|satur|sun)day\b", period.text, re.IGNORECASE)
    named = weekday or re.search(r"\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)", period.text, re.IGNORECASE)
    if named is None or re.search(r"\b(?:last|past|previous|ago|\d{4})\b", period.text, re.IGNORECASE):
        return period
    start, end = period.start, period.end
    while end <= now:
        start, end = (start + timedelta(days=7), end + timedelta(days=7)) if weekday else (_next_year(start), _next_year(end))
    return replace(period, start=now if period.start.year < _OPEN_BEGIN else start, end=end)


def _next_year(moment: datetime) -> datetime:
    return moment.replace(year=moment.year + 1, day=28 if (moment.month, moment.day) == (2, 29) else moment.day)


LEAST_RECORD = 0.02  # probability from which a record that has every name said is taken instead of one that lacks some
_NAMED = ("customer", "supplier", "certification", "lot", "serial", "defect", "reason", "variant", "product")


def _record_of(scribe: Scribe, where: Mapping[str, Any]) -> str:
    """The router's record; where that has no such thing as a name that was said (maintenance orders have no customer),
    the likeliest that has them all."""
    best = scribe.best("record")
    records = scribe.plant.model.records
    named = {p.label for p in scribe.clause.placeholders if p.known and p.turn == 0 and not p.negated} & set(_NAMED) & set(where)

    def lacks(record: str) -> bool:
        spec = records.get(record)
        return spec is None or bool(named - set(spec.fields))

    if not named or not lacks(best):
        return best
    return next((name for name, p in scribe.reading.heads["record"][1:4] if p >= LEAST_RECORD and not lacks(name)), best)


def _as_graded(value: Any, scribe: Scribe) -> Any:
    """A priority in the plant's grades: what is urgent is high or critical; behind a "not" it is taken out."""
    if isinstance(value, Mapping) or not set(map(str.lower, map(str, as_list(value)))) & set(_URGENT_WORDS):
        return value
    grades = list(dict.fromkeys(g for word in as_list(value) for g in (URGENT if str(word).lower() in _URGENT_WORDS else (word,))))
    said = next((p for p in scribe.clause.placeholders if p.label == "priority" and p.turn == 0), None)
    return {"not": grades} if said is not None and _NOT_BEFORE.search(scribe.clause.text[: said.start]) else grades


def _in_its_field(where: dict[str, Any], scribe: Scribe, record: str) -> dict[str, Any]:
    """A fault that was taken for a reason where the record has defects, or the other way round."""
    spec = scribe.plant.model.records.get(record)
    for said, other in (("reason", "defect"), ("defect", "reason")):
        if spec and said in where and said not in spec.fields and other in spec.fields and other not in where:
            value = where.pop(said)
            found = names_of(scribe.plant).resolve(value, other) if isinstance(value, str) else None
            where[other] = found.value if found and found.known else value
    return where


def _statuses_known(scribe: Scribe, record: str) -> Mapping[str, Any]:
    spec = scribe.plant.model.records.get(record)
    return dict(spec.statuses) if spec else {}


def record_drafts(scribe: Scribe) -> list[Draft]:
    where = scribe.where(*DATA_FILTERS)
    record = _record_of(scribe, where)
    where = _in_its_field(where, scribe, record)
    status = statuses_of(scribe, record)
    if status is not None:
        where["status"] = status
    kinds = scribe.plant.vocabulary(f"{record}.type")
    spoken = [value for word, value in kinds.items() if re.search(rf"\b{re.escape(word)}\b", scribe.clause.text, re.IGNORECASE)]
    if spoken and "type" not in where:
        where["type"] = spoken[0] if len(spoken) == 1 else spoken
    spec = scribe.plant.model.records.get(record)
    if _MINE.search(scribe.clause.text) and spec is not None and "operator" in spec.fields and "operator" not in where:
        where["operator"] = scribe.question.caller.user
    if record == "maintenance_orders" and "order" in where and "id" not in where:
        where["id"] = where.pop("order")
    if record == "spare_parts" and status == "in_stock" and (scribe.get("part") or scribe.get("equipment")):
        where.pop("status")  # "do we have a filter in stock" wants the stock, also when it is none
    if "priority" in where:
        where["priority"] = _as_graded(where["priority"], scribe)
    if "status" in where and _ASKS_STATE.search(scribe.clause.text) and any(isinstance(where.get(k), str) for k in _OWN_ID.get(record, ())):
        where.pop("status")  # "is lot 88213 released" wants its status, whatever it is
    where |= {**graded(scribe, record), **_bounds(scribe, record), **_subject_name(scribe, record, where)}
    if record == "spare_parts" and any(p.label == "part" for p in scribe.clause.placeholders):
        own = {p.label for p in scribe.clause.placeholders}
        where = {k: v for k, v in where.items() if k not in HIERARCHY or k in own}  # a part has its place, not the machine's of before
    if (
        record not in ("alarm_events", "nonconformances")
        and "alarm" in where
        and not any(p.label == "code" for p in scribe.clause.placeholders)
    ):
        where.pop("alarm")  # "explain 502 and show its open orders": those of the machine
    period, unresolved, shift = scribe.period(events=True)
    if period and any(k in where for k in ("duration_min", "age_days")) and _bounding(scribe, period):
        period = None
    if period and _STANDING & set(as_list(where.get("status"))) and not any(p.label == "period" for p in scribe.clause.placeholders):
        period = None  # what is open, in stock or valid is so now; a time said of the request before is not its time
    aged = _OLDER.search(period.text) if period else None
    if aged and period:
        days = int(aged.group(2) or 1) * {"day": 1, "week": 7, "month": 30, "year": 365}[aged.group(3).lower()]
        where["age_days"], period = {"min" if aged.group(1).lower() == "older" else "max": days}, None
    if period and period.start >= scribe.question.at and where.get("status") == "expired" and "expiring" in _statuses_known(scribe, record):
        where["status"] = "expiring"  # what runs out in a time to come has not run out yet
    if period and _AHEAD.search(scribe.clause.text) and not re.search(r"\b(?:was|were|had)\b", scribe.clause.text, re.IGNORECASE):
        period = _ahead(period, scribe.question.at)
    where = with_shift(where, shift)
    arguments: dict[str, Any] = {"records": record}
    if where:
        arguments["where"] = where
    if period:
        arguments["period"] = period
    by = scribe.by(lexical=False)
    if not by and (m := re.search(r"\b(?:by|per) (\w+)[ ?.!]*$", scribe.clause.text, re.IGNORECASE)):
        by = [key for key in [BY_WORDS.get(m.group(1).lower())] if key and key != "operator"]
    if by:
        arguments["by"] = by
    sort, limit = scribe.best("sort"), scribe.limit()
    if sort != "none":
        arguments["sort"] = _sort_field(scribe, record, sort) if not by else sort
    if limit:
        arguments["limit"] = limit
    return [Draft("list_records", arguments, unresolved, period_notes(unresolved, period, scribe))]


#: What a record is mostly asked by; its name is looked for in the words that nobody marked.
_SUBJECT_OF: Mapping[str, str] = {"spare_parts": "part", "certifications": "certification", "nonconformances": "defect"}
_PLAIN_WORDS = frozenset(
    """
        do we have any got how many much are there is in stock the a an of for our what which who whose left on hand
        still available show list me please has had enough spare part parts level where and can i need some store stores
        warehouse piece pieces open closed overdue below minimum under out expired expiring valid certified certificate
        certificates certification certifications licence license qualified training trained people operators ncr ncrs
        ncs nc reports report nonconformances from last this since yesterday today week month ones one only them it its
        that those these all up with to by at reordered order ordered
    """.split()
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
    for run in sorted(runs, key=lambda run: -len(run)):
        for size in range(len(run), 0, -1):
            for at in range(len(run) - size + 1):
                found = names.resolve(" ".join(run[at : at + size]), kind)
                if found.known and found.kind == kind:
                    return {kind: found.value}
    best = " ".join(max(runs, key=lambda words: len(list(words))))
    return (
        {"part": best}
        if kind == "part"
        and best
        and best.lower() not in KIND_WORDS
        and scribe.reading.tools[0][1] > CHOSEN
        and not {"equipment", "equipment_class"} & set(where)
        else {}
    )


def _sort_field(scribe: Scribe, record: str, sort: str) -> str:
    """ "Longest first" sorts by the duration, not by the time, where the record has one."""
    spec = scribe.plant.model.records.get(record)
    names = {column.name for column in spec.show} if spec else set()
    text = scribe.clause.text.lower()
    for words, field_name in (
        (r"\b(?:longest|shortest|duration)\b", "duration"),
        (r"\b(?:largest|biggest|smallest|quantit\w*)\b", "quantity"),
        (r"\bdue\b", "due"),
    ):
        if re.search(words, text) and field_name in names:
            return f"{field_name} {sort}"
    return sort


def _bounding(scribe: Scribe, period: Period) -> bool:
    """Whether the period is the very length that bounds the records."""
    text = in_digits(scribe.clause.text)
    return any(bounding(p, text) and p.text.lower() in period.text.lower() for p in scribe.clause.placeholders)


_LEFT_ASIDE = re.compile(
    r"\b(?:leav\w+ (?:out|aside)|without|ignor\w+|exclud\w+|except|skip\w*|drop|forget|not counting|nothing|none|hide)\b[^.,;]{0,30}$",
    re.IGNORECASE,
)


def _bounds(scribe: Scribe, record: str) -> dict[str, Any]:
    """ "Longer than 30 minutes", "older than 5 days", "more than 100 pieces" as bounds of the record's own measures."""
    spec = scribe.plant.model.records.get(record)
    out: dict[str, Any] = {}
    text = in_digits(scribe.clause.text)
    taken = [
        (p.start, p.end) for p in scribe.clause.placeholders
        if p.turn == 0 and p.label not in ("number", "compare", "text", "query") and not bounding(p, text)
    ]  # fmt: skip
    for m in QUANTITY.finditer(text):
        if any(start < m.end() and m.start() < end for start, end in taken):
            continue
        before = text[: m.start()]
        more, less = MORE.search(before), LESS.search(before)
        if not (more or less):
            continue
        if _LEFT_ASIDE.search(before):
            more, less = less, more  # "leave out anything under ten minutes" keeps what is longer
        number, unit = float(m.group(1).replace(",", ".")), (m.group(2) or "").lower()
        age = bool(re.search(r"(?:older|younger) than\s*$", before))
        key, value = (
            ("age_days", number * {"w": 7, "m": 30}.get(unit[:1] if unit.startswith(("w", "mo")) else "", 1))
            if age or unit.startswith(("day", "week", "month"))
            else (
                ("duration_min", number * (60 if unit.startswith("h") else 1 / 60 if unit.startswith("s") else 1))
                if unit.startswith(("min", "h", "s"))
                else ("quantity", number)
            )
        )
        if spec is None or key == "age_days" or key in spec.fields:
            out[key] = {"min" if more else "max": int(value) if value == int(value) else round(value, 3)}
    return out
