"""Why a figure changed: what its factors or elements did to it, and what each line, machine, product, shift or reason did.

Every metric is arithmetic over sums, so its change is a weighted sum of what its elements are now less what they were.
Products share by Shapley's rule (each factor's change, the others held at before and after in every order), quotients at
equal exposure: more hours or more parts at the same rate change nothing. The same weights hold for the sums of each line,
machine or shift, so every grouping adds up to the change without a rest, for ratios, sums and mean times alike; what a
grouping does not record is named as such. tests/test_changes.py recomputes this for every metric.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from sqlglot import exp

from tools.conditions import Condition, extent
from tools.evidence import Column, Evidence, Value, fact
from tools.figures import Figures, Question, compute, parts_of
from tools.formula import change, elements_of, value_of
from tools.labels import change_column, metric_column, named, query_of
from tools.model_file import MetricSpec, expression
from tools.plant_model import Plant
from tools.registry import Call, Period, Unanswerable
from tools.spans import times
from tools.sql import Rows

DIMENSIONS = ("line", "equipment", "product", "shift", "reason")
MAX_MEMBERS = 60
SHOWN = 4  # of each grouping; the others are one row, so that a group still adds up

Sums = Mapping[str, Value]


@dataclass(frozen=True)
class Side:
    """One of the two figures: its period and filters."""

    span: Period
    filters: tuple[Condition, ...]


@dataclass(frozen=True)
class Part:
    """One share of a change, in the metric's own kind (a fraction, seconds, parts). `before` and `after` are the
    factor's, element's or member's own figures, shown as `column` says."""

    kind: str
    name: Value
    before: float | None
    after: float | None
    part: float
    column: Column | None = None


# -- arithmetic


@dataclass(frozen=True)
class _Form:
    """A value before and after. Its change is the sum of `won` times each element now, less `lost` times each before. A
    `linear` form is itself the sum of its elements so weighed, on either side."""

    before: float
    after: float
    lost: Mapping[str, float]
    won: Mapping[str, float]
    linear: bool


def weights(metric: MetricSpec, before: Sums, after: Sums, bases: Collection[str] = ()) -> tuple[dict[str, float], dict[str, float]] | None:
    """What each element before and each element now is worth: the metric's change is the sum of the second over `after`
    less the sum of the first over `before`, exactly. `bases` are elements that measure exposure (operating time, parts
    made) wherever they stand. None where the metric is not defined on both sides."""
    form = _form(expression(metric.expression), before, after, bases)
    return None if form is None else (dict(form.lost), dict(form.won))


def _form(node: exp.Expression, before: Sums, after: Sums, bases: Collection[str]) -> _Form | None:
    if isinstance(node, exp.Paren):
        return _form(node.this, before, after, bases)
    if isinstance(node, exp.Literal):
        return _Form(float(node.this), float(node.this), {}, {}, False)
    if isinstance(node, exp.Column):
        return _Form(_float(before.get(node.name)), _float(after.get(node.name)), {node.name: 1.0}, {node.name: 1.0}, True)
    if isinstance(node, exp.Mul):
        forms = [_form(factor, before, after, bases) for factor in _factors(node)]
        return None if None in forms else _product([form for form in forms if form is not None])
    left, right = _form(node.this, before, after, bases), _form(node.expression, before, after, bases)
    if left is None or right is None:
        return None
    if isinstance(node, exp.Div):
        return _quotient(left, right, bases)
    sign = 1.0 if isinstance(node, exp.Add) else -1.0
    lost, won = _added([(1.0, left.lost), (sign, right.lost)]), _added([(1.0, left.won), (sign, right.won)])
    return _Form(left.before + sign * right.before, left.after + sign * right.after, lost, won, left.linear and right.linear)


def _quotient(left: _Form, right: _Form, bases: Collection[str]) -> _Form | None:
    """What was before is brought to the exposure of now (the divisor; the numerator where only that is a base), which
    leaves the ratio as it is; then numerator and divisor share the change as a product does."""
    if right.before == 0 or right.after == 0:
        return None
    scale = right.after / right.before
    if set(left.won) <= set(bases) and not set(right.won) <= set(bases) and left.before and left.after:
        scale = left.after / left.before
    if not (left.linear and right.linear):
        scale = 1.0  # only sums may be scaled part by part
    above, under = left.before * scale, right.before * scale
    over = (1 / under + 1 / right.after) / 2
    below = -(above + left.after) / 2 / (under * right.after)
    lost = _added([(scale * over, left.lost), (scale * below, right.lost)])
    return _Form(above / under, left.after / right.after, lost, _added([(over, left.won), (below, right.won)]), False)


def _product(forms: Sequence[_Form]) -> _Form:
    shares = shapley([(form.before, form.after) for form in forms])
    lost, won = (_added([(share, side) for share, side in zip(shares, sides, strict=True)]) for sides in
                 ([f.lost for f in forms], [f.won for f in forms]))  # fmt: skip
    varying = [form for form in forms if form.won]
    linear = len(varying) == 1 and varying[0].linear
    return _Form(math.prod(f.before for f in forms), math.prod(f.after for f in forms), lost, won, linear)


def shapley(factors: Sequence[tuple[float, float]]) -> list[float]:
    """For each factor of a product, what a unit of its change adds: the product of the others, averaged over every order
    in which the factors may have moved from before to after."""
    count, shares = len(factors), []
    for own in range(count):
        others = [i for i in range(count) if i != own]
        total = 0.0
        for size in range(count):
            weight = math.factorial(size) * math.factorial(count - 1 - size) / math.factorial(count)
            for moved in combinations(others, size):
                total += weight * math.prod(factors[i][1] if i in moved else factors[i][0] for i in others)
        shares.append(total)
    return shares


def _added(terms: Sequence[tuple[float, Mapping[str, float]]]) -> dict[str, float]:
    total: dict[str, float] = {}
    for scale, found in terms:
        for name, weight in found.items():
            total[name] = total.get(name, 0.0) + scale * weight
    return total


def _factors(node: exp.Expression) -> list[exp.Expression]:
    if isinstance(node, exp.Paren):
        inner = _factors(node.this)
        return inner if len(inner) > 1 else [node]
    return [*_factors(node.this), *_factors(node.expression)] if isinstance(node, exp.Mul) else [node]


def factor_parts(metric: MetricSpec, before: Sums, after: Sums) -> list[tuple[str, float, float, float]]:
    """(factor, before, after, its share of the change) of a product such as OEE; the shares sum to the change. Empty for
    a metric that is no product, or where a factor is not defined."""
    factors = _factors(expression(metric.expression))
    if len(factors) < 2:
        return []
    forms = [_form(factor, before, after, ()) for factor in factors]
    known = [form for form in forms if form is not None]
    if len(known) < len(forms):
        return []
    shares = shapley([(form.before, form.after) for form in known])
    return [
        (factor.sql("sqlite"), form.before, form.after, share * (form.after - form.before))
        for factor, form, share in zip(factors, known, shares, strict=True)
    ]


def element_parts(metric: MetricSpec, before: Sums, after: Sums, bases: Collection[str] = ()) -> list[tuple[str, float, float, float]]:
    """(element, before, after, its share of the change); the shares sum to the change. Empty where a side is undefined."""
    worth = weights(metric, before, after, bases)
    if worth is None:
        return []
    found = [(name, _float(before.get(name)), _float(after.get(name))) for name in elements_of(metric)]
    return [(name, old, new, _worth(worth, {name: old}, {name: new}, (name,))) for name, old, new in found]


def member_parts(
    metric: MetricSpec, before: Mapping[Value, Sums], after: Mapping[Value, Sums], totals: tuple[Sums, Sums],
    whole: Collection[str] = (), bases: Collection[str] = (),
) -> tuple[list[tuple[Value, float]], float]:  # fmt: skip
    """(member, its share of the change), the greatest first, and the rest that no member carries: `whole` elements, which
    the grouping leaves undivided, and what was recorded without the key. Shares and rest sum to the change."""
    worth = weights(metric, *totals, bases)
    if worth is None:
        return [], 0.0
    names = [name for name in elements_of(metric) if name not in whole]
    found: list[tuple[Value, float]] = [
        (member, _worth(worth, before.get(member, {}), after.get(member, {}), names)) for member in dict.fromkeys((*after, *before))
    ]
    every = _worth(worth, *totals, elements_of(metric))
    rest = every - sum(part for _, part in found)
    size = max((abs(part) for _, part in found), default=0.0)
    found = [(member, part) for member, part in found if abs(part) > size * 1e-9]
    return sorted(found, key=lambda item: -abs(item[1])), 0.0 if abs(rest) <= 1e-9 * max(size, abs(every)) else rest


def _worth(worth: tuple[Mapping[str, float], Mapping[str, float]], before: Sums, after: Sums, names: Iterable[str]) -> float:
    """What some elements of these sums add to the change."""
    lost, won = worth
    return sum(won[name] * _float(after.get(name)) - lost[name] * _float(before.get(name)) for name in names)


def _float(value: Value) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


# -- asking


def explain_change(call: Call, question: Question, now: Side, then: Side, figures: Figures) -> list[Evidence]:
    """What made one ungrouped figure differ from another: the shares of its change, and for a figure that losses explain
    (OEE by downtime) how each reason of the loss changed. Empty where a side is not defined."""
    name = question.metrics[0]
    metric = call.plant.model.metrics[name]
    after = figures.rows[0]
    before, answer = _row(call, question, then)
    old, new = (value_of(metric, before) if before is not None else None), value_of(metric, after)
    if before is None or old is None or new is None or math.isclose(old, new, rel_tol=1e-12):
        return []
    totals: tuple[Sums, Sums] = (before, after)
    parts = _of_formula(call.plant, metric, totals)
    for key in _dimensions(call, question, now, then):
        parts += _of_members(call, question, key, now, then, totals, metric)
    found = [_evidence(call, name, parts, now, then, totals, answer)] if parts else []
    loss = metric.loss
    if loss and loss != name and loss in call.plant.model.metrics and "reason" not in {c.key for c in question.filters}:
        found += _losses(call, question, loss, now, then)
    return found


def _of_formula(plant: Plant, metric: MetricSpec, totals: tuple[Sums, Sums]) -> list[Part]:
    factors = [
        Part("factor", _factor_name(plant, text), a, b, part, Column("", "", "percent"))
        for text, a, b, part in factor_parts(metric, *totals)
    ]
    if factors:
        return sorted(factors, key=lambda part: -abs(part.part))
    elements = []
    for name, old, new, part in element_parts(metric, *totals, _bases(plant, metric)):
        spec = plant.model.elements[name]
        elements.append(Part("element", spec.label, old, new, part, Column("", "", spec.kind, spec.unit)))
    return sorted(elements, key=lambda part: -abs(part.part)) if len(elements) > 1 else []


def _bases(plant: Plant, metric: MetricSpec) -> set[str]:
    """Elements that a loss is held against: those that the model leaves whole beside a reason."""
    return {name for name in elements_of(metric) if plant.model.elements[name].whole}


def _of_members(
    call: Call, question: Question, key: str, now: Side, then: Side, totals: tuple[Sums, Sums], metric: MetricSpec
) -> list[Part]:
    """The shares of one grouping: the greatest members, the others in one row, and what carries no member."""
    try:
        old, new = (_grouped(call, question, side, key, True) for side in (then, now))
        if not 2 <= len({*old, *new}) <= MAX_MEMBERS:
            return []
        own_old, own_new = (
            (_grouped(call, question, side, key, False) for side in (then, now)) if _in_line(call, metric, key) else (old, new)
        )
    except Unanswerable:
        return []
    asked = _asked(call, question, now, (key,))
    whole = [e for part in parts_of(call.plant, asked, elements_of(metric)) if key in part.dropped for e in part.elements]
    shares, rest = member_parts(metric, old, new, totals, whole, _bases(call.plant, metric))
    if not shares:
        return []
    label = {"equipment": "machine"}.get(key, key)
    found = []
    for member, part in shares[:SHOWN]:
        own = [value_of(metric, group[member]) if member in group else None for group in (own_old, own_new)]
        name = named(call.plant, key, member) if member is not None else f"no {label} recorded"
        found.append(Part(label, name, own[0], own[1], part))
    others = shares[SHOWN:]
    if others:
        found.append(Part(label, f"{len(others)} other{'s' if len(others) > 1 else ''}", None, None, sum(part for _, part in others)))
    if rest:
        shared = ", ".join(call.plant.model.elements[e].label.lower() for e in whole)
        found.append(Part(label, f"{shared}, for all" if shared else f"not recorded by {label}", None, None, rest))
    return found


def _in_line(call: Call, metric: MetricSpec, key: str) -> bool:
    """Whether machines count parts of their own that their line does not."""
    return key in ("equipment", "equipment_class") and any(call.plant.model.elements[e].in_line for e in elements_of(metric))


def _losses(call: Call, question: Question, loss: str, now: Side, then: Side) -> list[Evidence]:
    """How each reason of the loss behind a figure changed; nothing where the plant does not record them."""
    metric = call.plant.model.metrics[loss]
    asked = replace(question, metrics=(loss,), having=())
    try:
        old, new = (_grouped(call, asked, side, "reason", False) for side in (then, now))
        answer = compute(call, _asked(call, asked, now, ("reason",))).answer
    except Unanswerable:
        return []
    parts = []
    for reason in dict.fromkeys((*new, *old)):
        before, after = (_float(value_of(metric, group[reason])) if reason in group else 0.0 for group in (old, new))
        if before != after:
            name = named(call.plant, "reason", reason) if reason is not None else "no reason recorded"
            parts.append(Part("reason", name, before, after, after - before))
    parts.sort(key=lambda part: -abs(part.part))
    if not parts:
        return []
    sums = [_total(group) for group in (old, new)]
    return [_evidence(call, loss, parts[: 2 * SHOWN], now, then, (sums[0], sums[1]), answer)]


def _total(groups: Mapping[Value, Sums]) -> dict[str, Value]:
    return {name: sum(_float(row.get(name)) for row in groups.values()) for name in {e for row in groups.values() for e in row}}


def _dimensions(call: Call, question: Question, now: Side, then: Side) -> list[str]:
    """Groupings that can still tell something: none that the filters have fixed to one value or that the sides differ in."""
    fixed = {c.key for c in question.filters if len(c.include) == 1}
    fixed |= {c.key for c in (*now.filters, *then.filters) if (c in now.filters) != (c in then.filters)}
    if "equipment" in fixed:
        fixed |= {"line"}
    if "line" in fixed and now.filters != then.filters:
        fixed |= {"equipment"}
    return [key for key in DIMENSIONS if key not in fixed and not (key == "line" and len(call.plant.lines) < 2)]


def _asked(call: Call, question: Question, side: Side, by: tuple[str, ...], in_line: bool = False) -> Question:
    shifts = next((c for c in side.filters if c.key == "shift"), None)
    return replace(
        question, metrics=question.metrics[:1], filters=side.filters, having=(), by=by, sort=None, limit=None, in_line=in_line,
        where=extent(call, side.filters, by), times=times(call.plant, side.span, by, shifts),
    )  # fmt: skip


def _row(call: Call, question: Question, side: Side) -> tuple[dict[str, Value] | None, Rows | None]:
    asked = _asked(call, question, side, ())
    if any(c.key == "shift" for c in side.filters) and not asked.times.buckets:
        return None, None
    figures = compute(call, asked)
    return (figures.rows[0] if figures.rows and figures.rows[0].get("counted") else None), figures.answer


def _grouped(call: Call, question: Question, side: Side, key: str, in_line: bool) -> dict[Value, dict[str, Value]]:
    asked = _asked(call, question, side, (key,), in_line)
    if key == "shift" and not asked.times.buckets:
        return {}
    figures = compute(call, asked)
    return {row.get(key): {e: row.get(e) for e in figures.elements} for row in figures.rows}


def _factor_name(plant: Plant, text: str) -> str:
    """A factor by the metric that it is, where the model has one of the same expression."""
    plain = text.replace(" ", "").strip("()")
    for metric in plant.model.metrics.values():
        if metric.expression.replace(" ", "").strip("()") == plain:
            return metric.label
    return text.replace("_", " ").strip("()")


# -- saying


def _evidence(
    call: Call, name: str, parts: Sequence[Part], now: Side, then: Side, totals: tuple[Sums, Sums], answer: Rows | None
) -> Evidence:
    """The shares as rows: what, its figures before and now as text (they may differ in kind), its share of the change."""
    from tools.evidence import show

    metric = call.plant.model.metrics[name]
    base, delta = metric_column(name, metric), replace(change_column("part", metric), name="part", label="Share of the change")
    columns = (Column("kind", "By"), Column("member", "What"), Column("before", "Before"), Column("after", "Now"), delta)
    scale = 100.0 if metric.kind == "percent" else 1.0
    rows = []
    for part in parts:
        shown = [show(v, part.column or base, call.plant.zone) if v is not None else None for v in (part.before, part.after)]
        rows.append({"member": part.name, "kind": part.kind, "before": shown[0], "after": shown[1], "part": part.part * scale})
    before, after = (value_of(metric, sums) for sums in totals)
    difference = change(metric, after, before)
    facts = {
        "metric": fact("Metric", metric.label),
        "period": fact("Period", now.span.text),
        "compared_with": fact("Compared with", then.span.text),
        "before": (replace(base, label="Before"), before),
        "after": (replace(base, label="Now"), after),
        "change": (replace(delta, name="change", label="Change"), difference),
    }
    query = query_of(call.plant, answer, True) if answer is not None else None
    title = f"What changed {metric.label}: {now.span.text} against {then.span.text}"
    return Evidence("query", title, columns, tuple(rows), "member", facts, query=query)
