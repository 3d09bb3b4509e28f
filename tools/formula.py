"""Metrics as arithmetic: an expression over summed elements, in Python and in SQL, and thresholds in its unit.

Every division is guarded: a zero denominator is "not defined", never 0. tests/test_metrics.py holds both forms to the
ISO 22400-2 worked example and to each other.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from sqlglot import exp

from tools.evidence import Value
from tools.model_file import MetricSpec, expression, paths
from tools.registry import Result, Unanswerable


def elements_of(metric: MetricSpec) -> tuple[str, ...]:
    """The elements of a metric, in the order in which its formula names them."""
    names = {path[0] for _, path in paths(expression(metric.expression))}
    return tuple(sorted(names, key=lambda name: re.search(rf"\b{name}\b", metric.expression).start()))  # type: ignore[union-attr]


def divisors_of(metric: MetricSpec) -> tuple[str, ...]:
    """The elements by which a metric divides."""
    tree = expression(metric.expression)
    return tuple(dict.fromkeys(column.name for node in tree.find_all(exp.Div) for column in node.expression.find_all(exp.Column)))


def sql_value(node: exp.Expression) -> str:
    """A metric's expression over summed elements: every division guarded, none of whole numbers."""
    if isinstance(node, exp.Paren):
        return f"({sql_value(node.this)})"
    if isinstance(node, exp.Div):
        return f"(1.0 * {sql_value(node.this)} / NULLIF({sql_value(node.expression)}, 0))"
    for kind, sign in ((exp.Mul, "*"), (exp.Add, "+"), (exp.Sub, "-")):
        if isinstance(node, kind):
            return f"{sql_value(node.this)} {sign} {sql_value(node.expression)}"
    return node.sql("sqlite")


def value_of(metric: MetricSpec, elements: Mapping[str, Value]) -> float | None:
    """The same expression in Python; None where a denominator is zero or an element is missing."""

    def visit(node: exp.Expression) -> float | None:
        if isinstance(node, exp.Paren):
            return visit(node.this)
        if isinstance(node, exp.Literal):
            return float(node.this)
        if isinstance(node, exp.Column):
            found = elements.get(node.name)
            return float(found) if isinstance(found, int | float) else None
        left, right = visit(node.this), visit(node.expression)
        if left is None or right is None or (isinstance(node, exp.Div) and right == 0):
            return None
        if isinstance(node, exp.Div):
            return left / right
        if isinstance(node, exp.Mul):
            return left * right
        return left + right if isinstance(node, exp.Add) else left - right

    return visit(expression(metric.expression))


_UNITS_S = {"s": 1, "sec": 1, "secs": 1, "second": 1, "seconds": 1, "min": 60, "mins": 60, "minute": 60, "minutes": 60, "m": 60,
            "h": 3600, "hr": 3600, "hrs": 3600, "hour": 3600, "hours": 3600, "d": 86400, "day": 86400, "days": 86400}  # fmt: skip
_UNITS_KWH = {"wh": 0.001, "kwh": 1.0, "mwh": 1000.0, "gwh": 1e6}
_PERCENT = ("%", "percent", "per", "pct", "points", "pp")
#: Units that no figure here is ever counted in: a person who says them means another thing.
_FOREIGN = (
    "°c",
    "°f",
    "bar",
    "mbar",
    "psi",
    "pa",
    "kpa",
    "kg",
    "g",
    "t",
    "lb",
    "mm",
    "cm",
    "nm",
    "rpm",
    "kw",
    "€",
    "eur",
    "$",
    "usd",
    "gbp",
    "£",
)


def in_unit(metric: MetricSpec, value: object) -> float:
    """A threshold or target as the metric is kept: per cent as fractions (a bare 85 is 85 %), durations in seconds. A
    number is in that unit already; text may carry its own (`2 h`, `60k`, `1.5 MWh`), and a bare duration is in minutes.
    Raises Unanswerable for words and for a unit that the metric is not measured in."""
    match = re.match(r"\s*(-?\d[\d ]*(?:[.,]\d+)*)\s*([a-z%°€$£]*)", str(value).lower().replace("-minute", " min").replace("e-", "e_"))
    if not match or isinstance(value, bool):
        raise Unanswerable(Result("needs_clarification", message=f"{value} is no number to compare {metric.label} with."))
    if isinstance(value, int | float):
        return value / 100 if metric.kind == "percent" and abs(value) > 1 else float(value)
    text, unit = match[1].replace(" ", ""), match[2]
    # 12,400 is a thousand's comma, 95,5 a decimal one
    number = float(text.replace(",", "") if re.fullmatch(r"-?\d{1,3}(,\d{3})+(\.\d+)?", text) else text.replace(",", "."))
    if unit == "k":
        return number * 1000
    units, usual = _units_of(metric)
    if unit in units:
        return number * units[unit]
    if unit in (*_FOREIGN, *_UNITS_S, *_UNITS_KWH, *_PERCENT):
        raise Unanswerable(Result("needs_clarification", message=f"{metric.label} is measured in {usual}, not in {match[2]}."))
    if metric.kind == "percent":
        return number / 100 if abs(number) > 1 else number
    return number * (60 if metric.kind == "duration_s" else 1)


def _units_of(metric: MetricSpec) -> tuple[dict[str, float], str]:
    """What people may say -> its worth in the metric's own unit, and what that is called."""
    if metric.kind == "percent":
        return dict.fromkeys(_PERCENT, 0.01), "per cent"
    if metric.kind == "duration_s" or metric.unit == "s":
        return dict(_UNITS_S), "seconds, minutes or hours"
    if metric.unit == "kWh":
        return dict(_UNITS_KWH), "kWh"
    own = metric.unit.lower().split()[0] if metric.unit else ""
    return {own: 1.0} if own else {}, metric.unit or "pieces"


def change(metric: MetricSpec, now: Value, before: Value) -> float | None:
    """The difference as shown: percentage points for ratios, else the metric's own unit."""
    if not isinstance(now, int | float) or not isinstance(before, int | float):
        return None
    return (now - before) * 100 if metric.kind == "percent" else now - before
