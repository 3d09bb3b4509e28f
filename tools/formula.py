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


_UNITS_S = {"s": 1, "sec": 1, "second": 1, "seconds": 1, "min": 60, "mins": 60, "minute": 60, "minutes": 60, "m": 60,
            "h": 3600, "hr": 3600, "hrs": 3600, "hour": 3600, "hours": 3600, "d": 86400, "day": 86400, "days": 86400}  # fmt: skip


def in_unit(metric: MetricSpec, value: object) -> float:
    """A threshold or target as the metric is kept: per cent as fractions, durations in seconds (bare numbers are
    minutes), `60k` as 60 000. Raises Unanswerable for words."""
    match = re.match(r"\s*(-?\d[\d ]*(?:[.,]\d+)?)\s*([a-z%]*)", str(value).lower().replace("-minute", " min"))
    if not match:
        raise Unanswerable(Result("needs_clarification", message=f"{value} is no number to compare {metric.label} with."))
    text = match[1].replace(" ", "")
    # 12,400 is a thousand's comma, 95,5 a decimal one
    number = float(text.replace(",", "") if re.fullmatch(r"-?\d{1,3}(,\d{3})+", text) else text.replace(",", "."))
    unit = match[2]
    if metric.kind == "percent":
        return number / 100 if abs(number) > 1 or unit in ("%", "percent", "per") else number
    if metric.kind == "duration_s":
        return number * _UNITS_S.get(unit, 60)
    if unit == "k":
        return number * 1000
    return number


def change(metric: MetricSpec, now: Value, before: Value) -> float | None:
    """The difference as shown: percentage points for ratios, else the metric's own unit."""
    if not isinstance(now, int | float) or not isinstance(before, int | float):
        return None
    return (now - before) * 100 if metric.kind == "percent" else now - before
