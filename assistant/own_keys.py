"""Which key of a record's rows a phrase means: a level, a linked list of names, a column, a measure.

A "machine" is the level of a stop, a "recipe" the list that an order points at, a "defect type" a column of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from assistant.plant_words import Hit, Linked, Meaning
from assistant.scribe import (
    BY_WORDS,
)
from tools.formula import elements_of
from tools.model_file import Many, RecordSpec, column_path, expression
from tools.query import supports

if TYPE_CHECKING:
    from tools.plant_model import Plant


def measure_of(plant: Plant, record_name: str, column: str, mean: bool) -> str | None:
    """The metric that is the mean (or the total) of one column of a record; with column "1" the count of its rows."""
    record = plant.model.records[record_name]
    texts = (
        {c.of for c in record.show if c.name == column} | {str(record.fields[column])}
        if column in record.fields
        else {c.of for c in record.show if c.name == column}
    )
    if column == "1":
        texts = {"1"}
    for name, metric in plant.model.metrics.items():
        used = elements_of(metric)
        if not used or ("/" in metric.expression) != mean or len(used) != (2 if mean else 1):
            continue
        text = plant.model.elements[used[0]].sum.get(record_name, "")
        if text in texts or any(text.startswith(f"{known} * ") for known in texts if column != "1"):
            return name
    return None


def behind(plant: Plant, metric: str) -> list[str]:
    elements = elements_of(plant.model.metrics[metric])
    return list(dict.fromkeys(record for e in elements for record in plant.model.elements[e].sum))


def path_of(record: RecordSpec, key: str) -> tuple[str, ...]:
    text = record.fields.get(key)
    return column_path(expression(text)) if isinstance(text, str) else ()


def target_of(plant: Plant, record: RecordSpec, key: str) -> str:
    """The table whose key a field holds, reached by one link; ""."""
    path = path_of(record, key)
    return plant.model.tables[record.table].links.get(path[0], "") if len(path) == 1 else ""


def key_in(plant: Plant, record_name: str, hit: Hit) -> str | None:
    """The key of a record's rows that a phrase means: a level, a linked list of names, a column or a key of its own."""
    record = plant.model.records[record_name]
    for meaning in hit.meanings:
        if meaning.kind in ("key", "column") and meaning.record == record_name:
            if meaning.kind == "key" and isinstance(record.fields.get(meaning.name), str):
                return meaning.name
            if key := key_of_column(record, meaning.name):
                return key
    for meaning in hit.of("level"):
        if supports(plant, record, meaning.name):
            return meaning.name
    keyed = [m.record for m in hit.of("column") if m.record != record_name and _is_key(plant, m)]  # "part number" for the part
    for other in dict.fromkeys([*(m.name for m in hit.of("record")), *keyed]):
        table = plant.model.records[other].table
        for key in record.fields:
            if key != "id" and target_of(plant, record, key) == table:
                return key
        for key in record.fields:
            path = path_of(record, key)
            if key != "id" and len(path) > 1 and _ends_at(plant, record.table, path) == table:
                return key
        if table in {spec.table for spec in plant.model.hierarchy.values()}:
            level = next(lv for lv, spec in plant.model.hierarchy.items() if spec.table == table)
            if supports(plant, record, level):
                return level
    for meaning in hit.of("key"):
        if isinstance(record.fields.get(meaning.name), str):
            return meaning.name
    canonical = BY_WORDS.get(hit.words[-1]) if len(hit.words) == 1 else None
    return canonical if canonical and supports(plant, record, canonical) else None


def _is_key(plant: Plant, meaning: Meaning) -> bool:
    spec = plant.model.records[meaning.record]
    key = plant.model.tables[spec.table].key
    return any(c.name == meaning.name and column_path(expression(c.of)) == (key,) for c in spec.show)


def _ends_at(plant: Plant, table: str, path: Sequence[str]) -> str:
    for step in path:
        table = plant.model.tables[table].links.get(step, "")
        if not table:
            return ""
    return table


def key_of_column(record: RecordSpec, column: str) -> str | None:
    """The key under which a shown column can be filtered and grouped."""
    spec = next((c for c in record.show if c.name == column), None)
    if spec is None:
        return None
    path = column_path(expression(spec.of))
    for key, text in record.fields.items():
        if isinstance(text, Many) or key == "id":
            continue
        own = column_path(expression(text))
        if own and (own == path or own == path[:-1]):
            return key
    return None


_BY = re.compile(
    r"\b(?:by|per|for each|for every|each|grouped by|across(?: all)?|in each|of each|on each)\s+(?:the |each |every )?$", re.IGNORECASE
)


def groups(read: Linked, records: Sequence[str], subject: Hit | None) -> Iterator[str]:
    """Keys named after "by", "per", "each"; times too."""
    given: dict[str, None] = {}
    last = -1
    for hit in read.hits:
        follows = last >= 0 and re.fullmatch(r"\s*(?:,|and|&|, and)\s*", read.text[last : hit.at], re.IGNORECASE)
        if hit is not subject and (_BY.search(read.text[: hit.at]) or follows):
            last = read.places[hit.end - 1] + len(read.raw[hit.end - 1])
            for record in records or [""]:
                key = key_in(read.plant, record, hit) if record else (hit.meanings[0].name)
                if key:
                    given[key] = None
                    break
    for m in re.finditer(r"\b(?:by|per|each|every)\s+(?:the )?([a-z]+)\b|\b(daily|weekly|monthly|hourly)\b", read.text, re.IGNORECASE):
        word = (m.group(1) or m.group(2)).lower()
        unit = BY_WORDS.get(word)
        if unit in ("hour", "day", "week", "month", "shift") and all(
            supports(read.plant, read.plant.model.records[r], unit) for r in records
        ):
            given[unit] = None
            read.covered |= {i for i, at in enumerate(read.places) if m.start() <= at < m.end()}
    yield from given


def subject_key(read: Linked, records: Sequence[str], metric: Hit | None) -> str | None:
    """What is ranked: the thing after "which" or "what", in a question for the most or least of a measure."""
    for hit in read.hits:
        if hit is metric:
            continue
        if (
            re.search(
                r"\b(?:which|what|whose|what's|top \d+|rank|ranking of|compare|the \d+|list|show(?: me)?)\s+(?:the |all |our )?$",
                read.text[: hit.at],
                re.IGNORECASE,
            )
            or hit.start <= 1
        ):
            for record in records:
                if key := key_in(read.plant, record, hit):
                    return key
    return None


def common_key(read: Linked, record: str) -> str | None:
    """ "Most common defect types": the first column or key named that holds few words."""
    plant = read.plant
    for hit in read.hits:
        own = [m for m in hit.meanings if m.record == record and m.kind in ("column", "key")]
        for meaning in own:
            key = meaning.name if meaning.kind == "key" else key_of_column(plant.model.records[record], meaning.name)
            spec = plant.model.records[record]
            if key and isinstance(spec.fields.get(key), str) and not measured(spec, key):
                return key
    return None


def measured(spec: RecordSpec, key: str) -> bool:
    """Whether a key holds figures: no list of groups."""
    column = next((c for c in spec.show if c.of == spec.fields[key]), None)
    return key in ("quantity", "duration_min") or (column is not None and column.kind in ("count", "number", "percent", "duration_s"))


def numeric(spec: RecordSpec, key: str) -> bool:
    text = str(spec.fields[key])
    column = next((c for c in spec.show if c.of == text), None)
    return key in ("quantity", "duration_min") or column is None or column.kind in ("count", "number", "percent", "duration_s")
