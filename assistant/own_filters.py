"""Filters, bounds, order and limit that a question says in a connected plant's own words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from assistant.entities import HIERARCHY
from assistant.own_keys import key_of_column, numeric, path_of
from assistant.plant_words import Linked, phrase_of
from assistant.scribe import (
    BEST,
    LEAST,
    LESS,
    MORE,
    MOST,
    WHERE_KEYS,
    WORST,
    Scribe,
    as_number,
    together,
)
from assistant.understand import Placeholder
from tools.model_file import ColumnSpec, RecordSpec
from tools.query import supports
from tools.schema_words import plain, singular

if TYPE_CHECKING:
    pass


_STRICT = re.compile(
    r"(?:less|fewer|lower|smaller|shorter|under|below|more|greater|higher|larger|longer|over|above|exceed\w*|<|>)(?: than)?(?: of)?\s*$",
    re.IGNORECASE,
)


_BOUND = re.compile(r"(?<![\w.-])(\d+(?:[.,]\d+)?)(?:\s*(%|percent|k\b|min\w*|h\b|hours?|days?))?", re.IGNORECASE)


def filters_of(read: Linked, scribe: Scribe, records: Sequence[str]) -> tuple[dict[str, Any], str]:
    """Where: names, values that stand in the words, statuses, bounds on a number. Also the column that was bounded."""
    plant, where = read.plant, dict[str, Any]()
    specs = [plant.model.records[r] for r in records]
    by_label: dict[str, list[Placeholder]] = {}
    for item in read.names:
        if item.label in WHERE_KEYS:
            by_label.setdefault(item.label, []).append(item)
    for label, items in by_label.items():
        key = WHERE_KEYS[label]
        if label in HIERARCHY or any(supports(plant, spec, key) for spec in specs):
            where[key] = together(items)
    for hit in read.hits:
        values = [m for m in hit.of("value") if m.record in records]
        plural = read.raw[hit.end - 1] != read.words[hit.end - 1]
        if plural and hit.of("column", "key", "record"):
            values = []  # "which components": the things themselves, not those of the kind "Components"
        if values and not [m for m in hit.of("status") if m.record in records]:
            before = read.text[: hit.at]
            value: Any = values[0].name
            if re.search(r"\b(?:not|except|without|excluding|other than)\s+(?:the )?$", before, re.IGNORECASE):
                value = {"not": value}
            where.setdefault(values[0].key, value)
        for meaning in hit.of("status"):
            if (
                meaning.record in records
                and "status" not in where
                and not (hit.of("record") and len(hit.words) == 1)
                and not hit.of("metric")
            ):
                where["status"] = meaning.name
    bounded = _bounds(read, records)
    for key, value in bounded.items():
        where[key] = value
    return where, next(iter(bounded), "")


def _bounds(read: Linked, records: Sequence[str]) -> dict[str, Any]:
    """ "With a cost above 50": the number bounds the column that is named nearest before it (else after it)."""
    plant, out = read.plant, dict[str, Any]()
    names = [(p.start, p.end) for p in read.names if p.label not in ("number", "limit")]
    for m in _BOUND.finditer(read.text):
        before = read.text[: m.start()]
        more, less = MORE.search(before), LESS.search(before)
        number = as_number(m.group(1) + ("k" if (m.group(2) or "").lower() == "k" else ""))
        if not (more or less) or number is None or any(start < m.end() and m.start() < end for start, end in names):
            continue
        for record in records:
            key = _bounded_key(read, record, m.start())
            if key is None:
                continue
            spec = plant.model.records[record]
            if _STRICT.search(before) and not re.search(r"at (?:least|most)\s*$", before, re.IGNORECASE):
                path = path_of(spec, key)
                whole = len(path) == 1 and plant.holds_integers(spec.table, path[0])
                step = 1.0 if whole and number == int(number) else max(abs(number), 1.0) * 1e-9
                number += step if more else -step
            out[key] = {"min" if more else "max": int(number) if number == int(number) else number}
            break
    return out


def _bounded_key(read: Linked, record: str, at: int) -> str | None:
    spec = read.plant.model.records[record]
    near = sorted(read.hits, key=lambda h: (h.at > at, abs(at - h.at)))
    for hit in near:
        for meaning in hit.of("key", "column"):
            key = None
            if meaning.record == record:
                key = meaning.name if meaning.kind == "key" else key_of_column(spec, meaning.name)
            if key and isinstance(spec.fields.get(key), str) and numeric(spec, key):
                return key
    return next((key for key in ("quantity",) if key in spec.fields), None)


def direction_of(read: Linked, low_is_good: bool) -> str:
    """desc or asc by the superlative of the question; "" without one."""
    text = read.text
    if MOST.search(text) or re.search(r"\btop\b|\bhigher\b|\bmore often\b", text, re.IGNORECASE):
        return "desc"
    if LEAST.search(text):
        return "asc"
    if BEST.search(text):
        return "asc" if low_is_good else "desc"
    if WORST.search(text):
        return "desc" if low_is_good else "asc"
    if m := re.search(
        r"\b(?:oldest|earliest|cheapest|newest|latest|most recent|slowest|fastest|heaviest|lightest|most expensive)\b", text, re.IGNORECASE
    ):
        return "asc" if m.group(0).lower() in ("oldest", "earliest", "cheapest", "fastest", "lightest") else "desc"
    return ""


def sorted_by(read: Linked, spec: RecordSpec, bounded: str) -> ColumnSpec | None:
    """The column that a superlative is about: named in the question, else the one that its word implies."""
    columns = {c.name: c for c in spec.show}
    sortable = ("count", "number", "percent", "duration_s", "time", "date")
    for hit in read.hits:
        for meaning in [] if hit.of("record") else hit.of("column", "key"):
            if read.plant.model.records[meaning.record] is not spec:
                continue
            column = columns.get(meaning.name) or next((c for c in spec.show if c.of == spec.fields.get(meaning.name)), None)
            if column is not None and column.kind in sortable:
                return column
    for words, kinds, marks in (
        (r"longest|shortest", ("duration_s", "number", "count"), ("duration", "time", "minute")),
        (r"newest|latest|oldest|earliest|most recent|last", ("time", "date"), ()),
        (r"cheapest|most expensive", ("number", "count"), ("cost", "price")),
        (r"largest|biggest|smallest|heaviest|lightest", ("count", "number"), ("quantity", "weight", "amount", "volume")),
    ):
        if re.search(rf"\b(?:{words})\b", read.text, re.IGNORECASE):
            for column in spec.show:
                if column.kind in kinds and (not marks or set(phrase_of(column.label)) & set(marks)):
                    return column
    return None


def limit_of(read: Linked, scribe: Scribe, by: Sequence[str]) -> int | None:
    said = re.search(
        r"\b(?:top|first|best|worst|bottom|last)\s+(\d+|two|three|four|five|ten)\b|\b(\d+|two|three|four|five|ten)\s+(?:most|highest|largest|best|worst|longest|lowest)\b",
        read.text,
        re.IGNORECASE,
    )
    if said:
        number = as_number(said.group(1) or said.group(2))
        return int(number) if number else None
    asked = re.search(
        r"\b(?:which|what|whose)\s+((?:\w+\s+){0,3}?\w+)\s+(?:has|have|had|is|are|was|were|with|did|does|do|makes?|made|produces?|produced|used|uses|causes?|caused)\b",
        read.text,
        re.IGNORECASE,
    )
    if asked:
        last = asked.group(1).split()[-1].lower()
        return None if singular(plain(last)) != plain(last) else 1
    if re.match(r"\s*(?:who|what is the|what was the|what's the|which)\b", read.text, re.IGNORECASE) and not re.search(
        r"\b(?:are|were)\b", read.text
    ):
        return 1
    return None
