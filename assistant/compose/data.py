"""What is said of figures, records, traces, signals and links: the number first, what it is made of, then the rest.

Sentences hold slots alone; blocks show the same evidence as tiles, tables and charts. tests/test_compose_data.py runs
every composer over real tool results and lets the grounding check object.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from assistant.compose.said import Block, Context, Said, chart, number, table
from tools.evidence import Column, Evidence, Value, show, slot
from tools.registry import Step
from tools.spans import TIME_KEYS

TOP_ROWS = 3
CHART_BARS = 24
#: Columns of a record that say in a sentence which one it is; the first two that a row has are spoken.
TELLING = ("title", "message", "defect", "reason", "name", "product", "material", "certification", "text", "characteristic", "comment")
PLACING = ("equipment", "line", "person", "location")
JUDGING = ("priority", "severity", "status", "stock", "result", "duration", "due", "expires", "raised", "started", "opened",
           "alarm", "order")


def _cited(sentence: str, evidence: Evidence) -> str:
    return f"{sentence} [{evidence.marker}]"


def _known(evidence: Evidence, name: str) -> bool:
    return name in evidence.facts and evidence.facts[name][1] not in (None, "")


def _when(evidence: Evidence) -> str:
    text = f" for {slot(evidence, 'filter')}" if _known(evidence, "filter") else ""
    return f"{text}, {slot(evidence, 'period')}" if _known(evidence, "period") else text


def _limited(evidence: Evidence) -> tuple[str, ...]:
    if not _known(evidence, "limited_to"):
        return ()
    return (_cited(f"This covers {slot(evidence, 'limited_to')} only.", evidence),)


# -- metrics


def compose_query_metrics(step: Step, context: Context) -> Said:
    """One figure as a tile with its elements, or a ranking, course or breakdown as a chart and a table."""
    item, data = step.result.evidence[0], step.result.data
    if data["by"]:
        return _grouped(item, data, context)
    sentences: list[str] = []
    blocks: list[Block] = []
    row = item.rows[0]
    for name in data["metrics"]:
        label = slot(item, f"label_{name}")
        if row[name] is None:
            why = data["undefined"].get(name, "its denominator is zero")
            sentences.append(_cited(f"{label}{_when(item)} is {slot(item, name, 0)}: {why}.", item))
        else:
            sentences.append(_cited(f"{label}{_when(item)}: {slot(item, name, 0)}.", item))
            sentences += _compared(item, name, data)
        blocks.append(_tile(item, name, data, context))
    spoken = [sentence.replace(f" [{item.marker}]", "") for sentence in sentences[:2]]
    parts = _elements(item, data)
    if parts:
        made = "; ".join(f"{column.label.lower()} {slot(item, column.name, 0)}" for column in parts)
        sentences.append(_cited(f"Made of: {made}.", item))
    for why in step.result.evidence[1:]:
        sentences += _changes(why)
        blocks.append(table(why, context.zone))
    sentences += _limited(item)
    follow_ups = ("compared with the period before", "by line", "by shift")
    return Said(tuple(sentences), tuple(blocks), tuple(spoken), follow_ups)


def _compared(item: Evidence, name: str, data: dict[str, Any] | Any) -> list[str]:
    if "compare" not in data or item.rows[0].get(f"{name}_before") is None:
        return []
    change = item.rows[0].get(f"{name}_change")
    direction = "the same as" if change == 0 else "above" if isinstance(change, int | float) and change > 0 else "below"
    if direction == "the same as":
        return [_cited(f"That is the same as {slot(item, 'compared_with')}: {slot(item, f'{name}_before', 0)}.", item)]
    size = f"{slot(item, f'{name}_change', 0)}"
    before = slot(item, f"{name}_before", 0)
    return [_cited(f"Compared with {slot(item, 'compared_with')} ({before}) that is {direction}: the difference is {size}.", item)]


def _changes(why: Evidence) -> list[str]:
    """The greatest factor and the greatest members of a change."""
    said = []
    factors = [i for i, row in enumerate(why.rows) if row["kind"] == "factor"]
    members = [i for i, row in enumerate(why.rows) if row["kind"] != "factor"]
    for index in factors[:1]:
        text = f"Most of the change comes from {slot(why, 'member', index)}, {slot(why, 'before', index)} before and"
        said.append(_cited(f"{text} {slot(why, 'after', index)} now: {slot(why, 'part', index)}.", why))
    for index in members[:2]:
        said.append(_cited(f"{slot(why, 'member', index)} alone made {slot(why, 'part', index)} of it.", why))
    return said


def _elements(item: Evidence, data: Any) -> list[Column]:
    skip = set(data["metrics"])
    return [c for c in item.columns if c.name not in skip and not c.name.endswith(("_before", "_change")) and c.name != "complete"]


def _tile(item: Evidence, name: str, data: Any, context: Context) -> Block:
    row = item.rows[0]
    column = item.column(name)
    more: dict[str, Any] = {
        "formula": str(item.facts[f"formula_{name}"][1]),
        "elements": [{"label": c.label, "text": show(row[c.name], c, context.zone)} for c in _elements(item, data)],
    }
    before = row.get(f"{name}_before")
    if "compare" in data and before is not None:
        shown = show(before, item.column(f"{name}_before"), context.zone)
        if data["compare"]["target"]:
            more["target"] = {"value": before, "text": shown}
        else:
            change = row.get(f"{name}_change")
            delta = show(change, item.column(f"{name}_change"), context.zone)
            better = None if change in (None, 0) or data["better"].get(name) is None else (
                (float(str(change)) > 0) == data["better"][name]
            )  # fmt: skip
            more["compare"] = {"label": data["compare"]["label"], "text": shown, "delta_text": delta, "better": better}
    return number(item, column, row[name], context.zone, **more)


def _grouped(item: Evidence, data: Any, context: Context) -> Said:
    by, name = data["by"], data["metrics"][0]
    rows = [(i, row) for i, row in enumerate(item.rows) if row[name] is not None]
    label = slot(item, f"label_{name}")
    words = " and ".join(key.replace("_", " ").replace("equipment", "machine") for key in by)
    sentences = [_cited(f"{label} by {words}{_when(item)}:", item)]
    course = by[0] in TIME_KEYS
    if not rows:
        sentences.append(_cited(f"{label} is not defined in any of them.", item))
    elif course:
        highest = max(rows, key=lambda pair: float(str(pair[1][name])))
        lowest = min(rows, key=lambda pair: float(str(pair[1][name])))
        sentences.append(_cited(f"Highest {_keys(item, by, highest[0])} with {slot(item, name, highest[0])}.", item))
        if lowest[0] != highest[0]:
            sentences.append(_cited(f"Lowest {_keys(item, by, lowest[0])} with {slot(item, name, lowest[0])}.", item))
        last = rows[-1][0]
        if last not in (highest[0], lowest[0]):
            sentences.append(_cited(f"Latest {_keys(item, by, last)} with {slot(item, name, last)}.", item))
    else:
        for index, _ in rows[: TOP_ROWS if len(rows) > TOP_ROWS + 2 else len(rows)]:
            values = ", ".join(
                slot(item, metric, index) if metric == name else f"{slot(item, f'label_{metric}')} {slot(item, metric, index)}"
                for metric in data["metrics"] if item.rows[index][metric] is not None
            )  # fmt: skip
            sentences.append(_cited(f"{_keys(item, by, index)}: {values}.", item))
    spoken = [s.replace(f" [{item.marker}]", "") for s in sentences[1:3]] or [sentences[0].replace(f" [{item.marker}]", "")]
    sentences += _limited(item)
    blocks = [*_charts(item, data, context, course), table(item, context.zone)]
    return Said(tuple(sentences), tuple(blocks), tuple(spoken), ("compared with the period before", "why"))


def _keys(item: Evidence, by: Sequence[str], row: int) -> str:
    return ", ".join(slot(item, key, row) for key in by)


def _charts(item: Evidence, data: Any, context: Context, course: bool) -> list[Block]:
    """One chart a unit of measure: ratios beside ratios, counts beside counts."""
    rows = item.rows if course else item.rows[:CHART_BARS]
    if len(rows) < 2:
        return []
    by = data["by"]
    labels = [", ".join(show(row.get(key), item.column(key), context.zone) for key in by) for row in rows]
    kind = "line" if course else "bar"
    units: dict[tuple[str, str], list[str]] = {}
    for name in data["metrics"]:
        column = item.column(name)
        units.setdefault((column.kind, column.unit), []).append(name)
    blocks = []
    for names in units.values():
        first = item.column(names[0])
        series = [_series(item.column(name), [row.get(name) for row in rows]) for name in names]
        shape = kind
        if not course and first.kind in ("count", "duration_s") and set(by) & {"reason", "defect", "alarm"}:
            shape = "pareto"
            order = sorted(range(len(rows)), key=lambda i: -(series[0]["values"][i] or 0))
            series = [{**s, "values": [s["values"][i] for i in order]} for s in series]
            shown = [labels[i] for i in order]
        else:
            shown = labels
        title = ", ".join(item.column(name).label for name in names)
        blocks.append(chart(item, shape, title, (item.column(by[0]).label, shown), series))
    return blocks


def _series(column: Column, values: Sequence[Value]) -> dict[str, Any]:
    """Values as a chart draws them: per cent as per cent, durations in hours or minutes."""
    scale, unit = 1.0, column.unit
    if column.kind == "percent":
        scale, unit = 100.0, "%"
    elif column.kind == "duration_s":
        most = max((abs(float(str(v))) for v in values if v is not None), default=0.0)
        scale, unit = (1 / 3600, "h") if most >= 7200 else (1 / 60, "min")
    shown = [None if v is None else round(float(str(v)) * scale, 3) for v in values]
    return {"name": column.label, "unit": unit, "values": shown}


# -- records


def compose_list_records(step: Step, context: Context) -> Said:
    """How many, the first few in words, all of them as a table; counts as a bar chart."""
    item, data = step.result.evidence[0], step.result.data
    many = item.facts["count"][1] != 1
    head = f"{slot(item, 'count')} {slot(item, 'record')}{_when(item)}."
    sentences = [_cited(head, item)]
    blocks: list[Block] = []
    if data["by"]:
        for index in range(min(TOP_ROWS, len(item.rows))):
            text = f"{_keys(item, data['by'], index)}: {slot(item, 'count', index)}, {slot(item, 'share', index)} of them."
            sentences.append(_cited(text, item))
        if len(item.rows) > 1:
            rows = item.rows[:CHART_BARS]
            labels = [", ".join(show(row.get(key), item.column(key), context.zone) for key in data["by"]) for row in rows]
            course = data["by"][0] in TIME_KEYS
            series = [_series(item.column("count"), [row["count"] for row in rows])]
            shape = "line" if course else "bar"
            blocks.append(chart(item, shape, item.title, (item.column(data["by"][0]).label, labels), series))
    else:
        for index in _telling_rows(item)[:TOP_ROWS]:
            if text := _record_text(item, index):
                sentences.append(_cited(text, item))
    blocks.append(table(item, context.zone))
    spoken = [s.replace(f" [{item.marker}]", "") for s in sentences[: 2 if many else 3]]
    follow_ups = ("only the overdue ones", "by machine") if not data["by"] else ("show me the list",)
    return Said(tuple(sentences), tuple(blocks), tuple(spoken), follow_ups)


def _telling_rows(item: Evidence) -> list[int]:
    """The rows in the order in which they are told: as they come; but of events that last, those that carry a cause (an
    alarm, an order) before those that merely followed, the longest first."""
    names = {column.name for column in item.columns}
    order = list(range(len(item.rows)))
    if "duration" not in names or "reason" not in names:
        return order

    def weight(index: int) -> tuple[bool, float]:
        values = item.rows[index]
        duration = values.get("duration")
        caused = any(values.get(name) for name in ("order", "alarm"))
        return not caused, -(float(duration) if isinstance(duration, int | float) else float("inf"))

    return sorted(order, key=weight)


def _record_text(item: Evidence, row: int) -> str:
    """`WO: title, machine, priority, due` of one row, as slots."""
    values = item.rows[row]
    names = {column.name for column in item.columns if values.get(column.name) not in (None, "")}
    first = item.subject if item.subject in names else next(iter(c.name for c in item.columns if c.name in names), "")
    if not first:
        return ""
    said = [name for group, most in ((TELLING, 2), (PLACING, 1), (JUDGING, 4)) for name in
            [n for n in group if n in names and n != first][:most]]  # fmt: skip
    parts = []
    for name in said:
        column = item.column(name)
        plain = name in TELLING or name in PLACING
        parts.append(slot(item, name, row) if plain else f"{column.label.lower()} {slot(item, name, row)}")
    return f"{slot(item, first, row)}: {', '.join(parts)}." if parts else f"{slot(item, first, row)}."


# -- tracing


def compose_trace_material(step: Step, context: Context) -> Said:
    """What went in, what was made from it, who has it; the tree and the shipments as tables."""
    item, data = step.result.evidence[0], step.result.data
    sentences: list[str] = []
    traced = slot(item, "traced")
    if data["direction"] in ("backward", "both"):
        if item.facts["went_in"][1]:
            text = f"Into {traced} went {slot(item, 'went_in')} lots"
            text += f", supplied by {slot(item, 'suppliers')}." if _known(item, "suppliers") else "."
        else:
            text = f"No lots are recorded as having gone into {traced}."
        sentences.append(_cited(text, item))
    if data["direction"] in ("forward", "both"):
        if item.facts["made_from"][1]:
            text = f"From {traced}, {slot(item, 'made_from')} lots were made, over {slot(item, 'generations')} generations."
        else:
            text = f"No further lots are recorded as made from {traced}."
        sentences.append(_cited(text, item))
    blocks = [table(item, context.zone)]
    for other in step.result.evidence[1:]:
        if other.facts["shipments"][1]:
            text = f"{slot(other, 'shipments')} shipments went to {slot(other, 'customers')}."
            sentences.append(_cited(text, other))
            blocks.append(table(other, context.zone))
        else:
            sentences.append(_cited("Nothing of it is recorded as shipped.", other))
        if other.facts["serials"][1]:
            sentences.append(_cited(f"These lots hold {slot(other, 'serials')} serial numbers.", other))
    if data["cut"]:
        sentences.append(_cited("The trace was cut at its limit; there is more.", item))
    spoken = [s.rpartition(" [")[0] for s in sentences[:2]]
    return Said(tuple(sentences), tuple(blocks), tuple(spoken), ("show me the nonconformances of these lots",))


# -- signals


def compose_signal_trend(step: Step, context: Context) -> Said:
    """Latest value, range and limits in words; the course as a line with its limits, gaps left open."""
    item = step.result.evidence[0]
    name = f"{slot(item, 'signal')} of {slot(item, 'machine')}"
    sentences: list[str] = []
    if _known(item, "latest"):
        sentences.append(_cited(f"The {name} was {slot(item, 'latest')} at {slot(item, 'latest_at')}.", item))
    text = f"In {slot(item, 'period')} the {name} averaged {slot(item, 'mean')}, between {slot(item, 'min')} and {slot(item, 'max')}."
    sentences.append(_cited(text, item))
    limits = [(label, key) for label, key in (("low limit", "low_limit"), ("high limit", "high_limit")) if _known(item, key)]
    if limits:
        said = " and ".join(f"{label} {slot(item, key)}" for label, key in limits)
        if item.facts["outside"][1]:
            text = f"With the {said}, {slot(item, 'outside')} samples ({slot(item, 'outside_share')}) were outside."
        else:
            text = f"No sample was outside the {said}."
        sentences.append(_cited(text, item))
    if direction := _direction(item):
        text = f"It has been {direction}: from {slot(item, 'begin_mean')} at the beginning to {slot(item, 'end_mean')} at the end."
        sentences.append(_cited(text, item))
    if _known(item, "gaps"):
        sentences.append(_cited(f"{slot(item, 'gaps')} steps of the chart hold no samples.", item))
    column = item.column("mean")
    labels = [show(row["time"], item.column("time"), context.zone) for row in item.rows]
    series = [_series(column, [row["mean"] for row in item.rows])]
    series += [_series(item.column(edge), [row[edge] for row in item.rows]) for edge in ("min", "max")]
    lines = [{"label": label, "value": item.facts[key][1]} for label, key in limits]
    block = chart(item, "line", item.title, ("Time", labels), series, lines)
    spoken = [s.replace(f" [{item.marker}]", "") for s in sentences[:2]]
    return Said(tuple(sentences), (block,), tuple(spoken), ("over the last month", "what goes with it"))


def _direction(item: Evidence) -> str:
    """`rising` or `falling` where the ends differ by more than a fifth of the range in between, else nothing."""
    if not (_known(item, "begin_mean") and _known(item, "end_mean")):
        return ""
    first, last = (float(str(item.facts[key][1])) for key in ("begin_mean", "end_mean"))
    low, high = (float(str(item.facts[key][1])) for key in ("min", "max"))
    if high <= low or abs(last - first) < 0.2 * (high - low):
        return ""
    return "rising" if last > first else "falling"


# -- correlations


def compose_find_correlations(step: Step, context: Context) -> Said:
    """The links that stand after correction, strongest first, or that none was found; never called a cause."""
    item, data = step.result.evidence[0], step.result.data
    outcome = slot(item, "outcome")
    sentences: list[str] = []
    if not data["links"]:
        text = f"No link found: none of {slot(item, 'tested')} candidates goes with {outcome} in {slot(item, 'period')} beyond chance."
        sentences.append(_cited(text, item))
    else:
        text = f"{slot(item, 'links')} of {slot(item, 'tested')} candidates go with {outcome} in {slot(item, 'period')}."
        sentences.append(_cited(text, item))
        for index in range(min(TOP_ROWS, len(item.rows))):
            sentences.append(_cited(_link(item, index), item))
        sentences.append(_cited(f"That they go together with {outcome} does not prove that they cause it.", item))
    blocks = [table(item, context.zone)]
    spoken = [s.replace(f" [{item.marker}]", "") for s in sentences[:2]]
    return Said(tuple(sentences), tuple(blocks), tuple(spoken), ("show me the signal", "show me the cases"))


def _link(item: Evidence, row: int) -> str:
    values = item.rows[row]
    factor = slot(item, "factor", row)
    size = f"over {slot(item, 'size', row)} units, p {slot(item, 'adjusted', row)} after correction"
    if values["effect"] is None:
        return f"{factor}: {slot(item, 'events', row)} cases and none without it, {size}."
    effect = slot(item, "effect", row)
    if values["kind"] == "signal":
        way = "higher" if float(str(values["effect"])) > 0 else "lower"
        return f"{factor}: more of it when the signal is {way} (rank correlation {effect}, {size})."
    return f"{factor}: {effect} times the rate of the rest ({slot(item, 'events', row)} cases, {size})."


# -- free SQL


def compose_run_sql(step: Step, context: Context) -> Said:
    """The rows as they came, labelled uncertified."""
    item = step.result.evidence[0]
    sentence = _cited(f"The statement returned {slot(item, 'rows')} rows; these figures are not certified.", item)
    if len(item.rows) == 1 and len(item.columns) == 1:
        value = _cited(f"Result: {slot(item, item.columns[0].name, 0)}.", item)
        return Said((value, sentence), (table(item, context.zone),), (value.rpartition(" [")[0],))
    return Said((sentence,), (table(item, context.zone),), (sentence.rpartition(" [")[0],))
