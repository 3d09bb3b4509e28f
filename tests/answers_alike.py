"""Whether two answers of the data tools say the same to a person."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from tools.registry import Result


def told(result: Result) -> Mapping[str, Any]:
    """What a person would see, values made comparable: times as instants, numbers to nine places."""
    return {
        "status": result.status, "message": result.message, "assumed": result.assumed, "limited_to": result.limited_to,
        "choices": result.choices,
        "evidence": [
            (e.title, [c.label for c in e.columns], [{k: plain(v) for k, v in row.items()} for row in e.rows],
             {k: plain(v) for k, (_, v) in e.facts.items()}, e.query.truncated if e.query else None)
            for e in result.evidence
        ],
    }  # fmt: skip


def plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.timestamp()
    return str(value) if isinstance(value, date) else value


def same(ours: object, theirs: object) -> bool:
    """Equal, numbers to six places (sums in another order differ in the last), ids of digits whatever their type."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        return ours.keys() == theirs.keys() and all(same(value, theirs[key]) for key, value in ours.items())
    if isinstance(ours, list | tuple) and isinstance(theirs, list | tuple):
        return len(ours) == len(theirs) and all(map(same, ours, theirs))
    if isinstance(ours, int | float) and isinstance(theirs, int | float):
        return math.isclose(ours, theirs, rel_tol=1e-6 if ours == 0 or abs(ours) > 1e-6 else 0.01, abs_tol=1e-30)
    return ours == theirs or (isinstance(ours, str) and ours.isdigit() and ours == str(theirs))


def different(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> str:
    for key, expected in ours.items():
        if same(expected, theirs[key]):
            continue
        if key != "evidence" or len(expected) != len(theirs[key]):
            return f"{key}: {theirs[key]!r} instead of {expected!r}"
        for mine, other in zip(expected, theirs[key], strict=True):
            for part, (a, b) in enumerate(zip(mine, other, strict=True)):
                if not same(a, b) and isinstance(a, list) and len(a) == len(b):
                    row = next(i for i, (x, y) in enumerate(zip(a, b, strict=True)) if not same(x, y))
                    return f"row {row} of {len(a)}: {b[row]!r} instead of {a[row]!r}"
                if not same(a, b):
                    return f"evidence part {part}: {str(b)[:300]} instead of {str(a)[:300]}"
    return ""
