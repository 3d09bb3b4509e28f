"""What a composer returns, and the blocks it is built from.

A composer turns one executed step into sentences (templates with slots, each citing its evidence), blocks for the
screen and one or two sentences for the ear. It never writes a digit, code, unit or plant name itself; the turn fills
the slots and drops what `tools.evidence.faults` objects to.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, tzinfo
from typing import Any

from tools.access import Caller
from tools.evidence import Column, Evidence, Quote, Value, show, slot

Block = dict[str, Any]

#: Rows of a table shown on the tablet; the citation holds all of them.
TABLE_ROWS = 50


@dataclass(frozen=True)
class Context:
    """What a composer may know of the turn: plant zone, present moment, machine in front, the caller, the question."""

    zone: tzinfo
    now: datetime
    question: str
    caller: Caller
    equipment: str | None = None


@dataclass(frozen=True)
class Said:
    """Sentences and `spoken` are templates; blocks hold text already shown."""

    sentences: tuple[str, ...] = ()
    blocks: tuple[Block, ...] = ()
    spoken: tuple[str, ...] = ()
    follow_ups: tuple[str, ...] = field(default=())


def raw(value: Value) -> Any:
    """A value as JSON holds it: times as ISO text with offset; JSON has no infinite numbers."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value.isoformat() if isinstance(value, datetime | date) else value


def table(evidence: Evidence, zone: tzinfo, title: str = "", limit: int = TABLE_ROWS, derived: bool = False) -> Block:
    """A table block of the evidence's rows, at most `limit` of them; `total` counts all that were found. Rows that were
    counted or picked from those of the query are `derived`: they are all there are."""
    rows = evidence.rows[:limit]
    total = evidence.query.row_count if evidence.query and not derived else len(evidence.rows)
    return {
        "type": "table",
        "title": title or evidence.title,
        "columns": [{"name": c.name, "label": c.label, "kind": c.kind, "unit": c.unit} for c in evidence.columns],
        "rows": [[show(row.get(c.name), c, zone) for c in evidence.columns] for row in rows],
        "values": [[raw(row.get(c.name)) for c in evidence.columns] for row in rows],
        "marker": evidence.marker,
        "total": max(total, len(evidence.rows)),
        "truncated": total > len(rows) or bool(evidence.query and evidence.query.truncated and not derived),
    }


def number(evidence: Evidence, column: Column, value: Value, zone: tzinfo, label: str = "", **more: Any) -> Block:
    """A number tile. `more` may hold target, compare, elements, formula as in the block's description."""
    return {
        "type": "number",
        "label": label or column.label,
        "value": raw(value),
        "text": show(value, column, zone),
        "unit": column.unit,
        "marker": evidence.marker,
        **more,
    }


def chart(evidence: Evidence, kind: str, title: str, x: tuple[str, Sequence[str]], series: Sequence[Mapping[str, Any]],
          limits: Sequence[Mapping[str, Any]] = ()) -> Block:  # fmt: skip
    """A chart block: `x` is (label, values as text); each series has name, unit and values (None leaves a gap)."""
    return {
        "type": "chart",
        "kind": kind,
        "title": title,
        "x": {"label": x[0], "values": list(x[1])},
        "series": [dict(item) for item in series],
        "limits": [dict(item) for item in limits],
        "marker": evidence.marker,
    }


def series_of(column: Column, values: Sequence[Value]) -> dict[str, Any]:
    """Values as a chart draws them: per cent as per cent, durations in hours or minutes."""
    scale, unit = 1.0, column.unit
    if column.kind == "percent":
        scale, unit = 100.0, "%"
    elif column.kind == "duration_s":
        most = max((abs(float(str(v))) for v in values if v is not None), default=0.0)
        scale, unit = (1 / 3600, "h") if most >= 7200 else (1 / 60, "min")
    shown = [None if v is None else round(float(str(v)) * scale, 3) for v in values]
    return {"name": column.label, "unit": unit, "values": shown}


def cited(sentence: str, evidence: Evidence) -> str:
    return f"{sentence} [{evidence.marker}]"


def known(evidence: Evidence, name: str) -> bool:
    return name in evidence.facts and evidence.facts[name][1] not in (None, "")


#: Keys of a grouping as people call them.
KEY_WORDS = {"equipment": "machine", "equipment_class": "class of machines", "operator": "person"}


def keys_said(evidence: Evidence, by: Sequence[str], row: int) -> str:
    """A group by its keys, as slots."""
    return ", ".join(slot(evidence, key, row) for key in by)


def unrecorded(evidence: Evidence, by: Sequence[str], rows: Sequence[int], name: str) -> tuple[list[int], list[str]]:
    """The rows whose key is recorded, and a sentence for those without one: `1 has no product recorded.`"""
    kept = [row for row in rows if evidence.rows[row].get(by[0]) is not None]
    word = KEY_WORDS.get(by[0], by[0].replace("_", " "))
    said = [cited(f"{slot(evidence, name, row)} without a recorded {word}.", evidence) for row in rows if row not in kept]
    return kept, said


def limited(evidence: Evidence) -> tuple[str, ...]:
    """What the answer leaves out because of the caller's rights."""
    if not known(evidence, "limited_to"):
        return ()
    return (cited(f"This covers {slot(evidence, 'limited_to')} only.", evidence),)


def passage(evidence: Evidence, quote: Quote, kind: str = "manual") -> Block:
    """A verbatim passage with its anchor; field notes and logs carry author and date."""
    block: Block = {
        "type": "passage",
        "title": quote.title,
        "text": quote.text,
        "document": quote.document,
        "revision": quote.revision,
        "page": quote.page,
        "section": quote.section,
        "marker": evidence.marker,
        "kind": kind,
    }
    if quote.author:
        block["author"] = quote.author
    if quote.date:
        block["date"] = quote.date
    return block


def steps(evidence: Evidence, quote: Quote, lines: Sequence[Mapping[str, Any]], title: str = "") -> Block:
    """A step list: `lines` hold {n, text, warning?} verbatim from the cited document."""
    return {
        "type": "steps",
        "title": title or quote.section,
        "steps": [dict(line) for line in lines],
        "marker": evidence.marker,
        "document": quote.document,
        "revision": quote.revision,
        "page": quote.page,
    }


def warning(text: str, evidence: Evidence | None = None) -> Block:
    """A warning that the page shows so that it cannot be overlooked."""
    return {"type": "warning", "text": text, **({"marker": evidence.marker} if evidence else {})}
