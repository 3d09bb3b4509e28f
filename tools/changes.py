"""Why a figure changed: what its factors did, and what each line, machine, product, shift or reason did to it.

The factors of a product such as OEE share the change exactly (logarithmic mean weights); a member's part is the
difference that it alone makes: the figure now, less the figure had that member stayed as it was. For sums the parts add
up to the change; for ratios they need not, and nothing claims so. tests/test_changes.py recomputes both.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlglot import exp

from tools.conditions import extent
from tools.evidence import Column, Evidence, Value, fact
from tools.figures import Figures, Question, compute
from tools.formula import change, value_of
from tools.labels import change_column, metric_column, named, query_of
from tools.model_file import MetricSpec, expression
from tools.registry import Call, Period, Unanswerable
from tools.spans import times
from tools.sql import Rows

DIMENSIONS = ("line", "equipment", "product", "shift", "reason")
MAX_MEMBERS = 40
SHOWN = 8


@dataclass(frozen=True)
class Part:
    """One share of a change. `before` and `after` are the factor's or member's own figures."""

    kind: str
    name: Value
    before: float | None
    after: float | None
    part: float


def factors_of(metric: MetricSpec) -> tuple[exp.Expression, ...]:
    """The factors of a product, outermost first; a metric that is no product is its own only factor."""

    def split(node: exp.Expression) -> list[exp.Expression]:
        if isinstance(node, exp.Paren):
            inner = split(node.this)
            return inner if len(inner) > 1 else [node]
        return [*split(node.this), *split(node.expression)] if isinstance(node, exp.Mul) else [node]

    return tuple(split(expression(metric.expression)))


def factor_parts(metric: MetricSpec, before: Mapping[str, Value], after: Mapping[str, Value]) -> list[tuple[str, float, float, float]]:
    """(factor, before, after, its share of the change); the shares sum to the change. Empty where a factor is not
    positive on both sides, since its logarithm has no meaning then."""
    factors = factors_of(metric)
    if len(factors) < 2:
        return []
    values = []
    for factor in factors:
        single = metric.model_copy(update={"expression": factor.sql("sqlite")})
        pair = value_of(single, before), value_of(single, after)
        if not all(v is not None and v > 0 for v in pair):
            return []
        values.append((factor.sql("sqlite"), float(pair[0] or 0), float(pair[1] or 0)))
    old, new = math.prod(v[1] for v in values), math.prod(v[2] for v in values)
    weight = old if math.isclose(old, new) else (new - old) / math.log(new / old)
    return [(text, a, b, weight * math.log(b / a)) for text, a, b in values]


def member_parts(
    metric: MetricSpec, before: Mapping[Value, Mapping[str, Value]], after: Mapping[Value, Mapping[str, Value]]
) -> list[tuple[Value, float | None, float | None, float]]:
    """(member, before, after, what it alone made of the change), the greatest first."""
    whole = _sum(after.values())
    now = value_of(metric, whole)
    if now is None:
        return []
    found = []
    for member in dict.fromkeys((*after, *before)):
        stayed = [before.get(member, {}) if other == member else after.get(other, {}) for other in dict.fromkeys((*after, member))]
        then = value_of(metric, _sum(stayed))
        if then is not None and not math.isclose(now, then, rel_tol=1e-12):
            own = [value_of(metric, group[member]) if member in group else None for group in (before, after)]
            found.append((member, own[0], own[1], now - then))
    return sorted(found, key=lambda item: -abs(item[3]))


def _sum(rows: Iterable[Mapping[str, Value]]) -> dict[str, Value]:
    total: dict[str, float] = {}
    for row in rows:
        for name, value in row.items():
            if isinstance(value, int | float):
                total[name] = total.get(name, 0.0) + value
    return dict(total)


def explain_change(call: Call, question: Question, span: Period, other: Period, figures: Figures) -> Evidence | None:
    """What made one ungrouped figure differ between two periods. None where nothing stands out or nothing is known."""
    name = question.metrics[0]
    metric = call.plant.model.metrics[name]
    now = figures.rows[0]
    then, answer = _row(call, question, other)
    if then is None or value_of(metric, then) is None or value_of(metric, now) is None:
        return None
    parts = [
        Part("factor", _factor_name(call, text), a, b, part) for text, a, b, part in factor_parts(metric, then, now)
    ]  # fmt: skip
    parts.sort(key=lambda part: -abs(part.part))
    for key in _dimensions(call, question):
        try:
            old, _ = _grouped(call, question, other, key)
            new, answer = _grouped(call, question, span, key)
        except Unanswerable:
            continue
        if 2 <= len({*old, *new}) <= MAX_MEMBERS:
            shares = member_parts(metric, old, new)[:SHOWN]
            label = {"equipment": "machine"}.get(key, key)
            parts += [Part(label, named(call.plant, key, member), a, b, part) for member, a, b, part in shares]
    factors = [part for part in parts if part.kind == "factor"]
    members = sorted((part for part in parts if part.kind != "factor"), key=lambda part: -abs(part.part))[:SHOWN]
    return _evidence(call, name, metric, [*factors, *members], span, other, now, then, answer) if parts else None


def _dimensions(call: Call, question: Question) -> list[str]:
    """Groupings that can still tell something: none that the filters have fixed to one value."""
    fixed = {c.key for c in question.filters if len(c.include) == 1}
    if "equipment" in fixed:
        fixed |= {"line"}
    return [key for key in DIMENSIONS if key not in fixed and not (key == "line" and len(call.plant.lines) < 2)]


def _other(call: Call, question: Question, span: Period, by: tuple[str, ...]) -> Question:
    shifts = next((c for c in question.filters if c.key == "shift"), None)
    return replace(
        question, metrics=question.metrics[:1], having=(), by=by, sort=None, limit=None,
        where=extent(call, question.filters, by), times=times(call.plant, span, by, shifts),
    )  # fmt: skip


def _row(call: Call, question: Question, span: Period) -> tuple[dict[str, Value] | None, Rows | None]:
    asked = _other(call, question, span, ())
    if any(c.key == "shift" for c in question.filters) and not asked.times.buckets:
        return None, None
    figures = compute(call, asked)
    return (figures.rows[0] if figures.rows and figures.rows[0].get("counted") else None), figures.answer


def _grouped(call: Call, question: Question, span: Period, key: str) -> tuple[dict[Value, dict[str, Value]], Rows]:
    asked = _other(call, question, span, (key,))
    if key == "shift" and not asked.times.buckets:
        return {}, compute(call, _other(call, question, span, ())).answer
    figures = compute(call, asked)
    return {row.get(key): {e: row.get(e) for e in figures.elements} for row in figures.rows}, figures.answer


def _factor_name(call: Call, text: str) -> str:
    """A factor by the metric that it is, where the model has one of the same expression."""
    plain = text.replace(" ", "").strip("()")
    for metric in call.plant.model.metrics.values():
        if metric.expression.replace(" ", "").strip("()") == plain:
            return metric.label
    return text.replace("_", " ").strip("()")


def _evidence(
    call: Call, name: str, metric: MetricSpec, parts: Sequence[Part], span: Period, other: Period, now: Mapping[str, Value],
    then: Mapping[str, Value], answer: Rows | None,
) -> Evidence:  # fmt: skip
    base = metric_column(name, metric)
    delta = change_column("part", metric)
    columns = (
        Column("member", "What"), Column("kind", "Kind"), replace(base, name="before", label="Before"),
        replace(base, name="after", label="Now"), replace(delta, name="part", label="Share of the change"),
    )  # fmt: skip
    scale = 100.0 if metric.kind == "percent" else 1.0
    rows = tuple(
        {"member": p.name, "kind": p.kind, "before": p.before, "after": p.after, "part": p.part * scale} for p in parts
    )  # fmt: skip
    before, after = value_of(metric, then), value_of(metric, now)
    facts = {
        "metric": fact("Metric", metric.label),
        "period": fact("Period", span.text),
        "compared_with": fact("Compared with", other.text),
        "change": (replace(delta, name="change", label="Change"), change(metric, after, before)),
    }
    query = query_of(call.plant, answer, True) if answer is not None else None
    title = f"What changed {metric.label}: {span.text} against {other.text}"
    return Evidence("query", title, columns, rows, "member", facts, query=query)
