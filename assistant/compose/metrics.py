"""What is said of figures: the number first, what it is held against, what changed it, what it is made of.

Sentences hold slots alone; blocks show the same evidence as tiles, tables and charts. tests/test_compose_data.py runs
the composer over real results and lets the grounding check object.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from assistant.compose.said import (
    KEY_WORDS,
    Block,
    Context,
    Said,
    chart,
    cited,
    keys_said,
    known,
    limited,
    number,
    series_of,
    table,
    unrecorded,
)
from tools.evidence import Column, Evidence, show, slot
from tools.phrases import during, verb
from tools.registry import Period, Step
from tools.spans import TIME_KEYS
from tools.tabulation import LOSS_KEYS

FEW = 6  # groups that one sentence names
FIRST = ("first", "first two", "first three")
CHART_BARS = 24
DIFFERENT = {"count": ("more", "less"), "duration_s": ("more", "less")}


def compose_query_metrics(step: Step, context: Context) -> Said:
    """One figure as a tile with its elements, or a ranking, course or breakdown as a chart and a table."""
    item, data = step.result.evidence[0], step.result.data
    if data["by"]:
        return _grouped(item, data, context)
    sentences: list[str] = []
    blocks: list[Block] = []
    for place, name in enumerate(data["metrics"]):
        sentences += _figure(item, name, data, place == 0)
        blocks.append(_tile(item, name, data, context))
    spoken = [sentence.replace(f" [{item.marker}]", "") for sentence in sentences[:3]]
    if known(item, "until"):
        sentences.append(cited(f"The data reaches to {slot(item, 'until')}.", item))
    for why in step.result.evidence[1:]:
        sentences += _changes(why)
        blocks.append(table(why, context.zone, derived=True))
    parts = _elements(item, data)
    if parts:
        made = ", ".join(f"{column.label.lower()} {slot(item, column.name, 0)}" for column in parts)
        sentences.append(cited(f"Made of: {made}.", item))
    sentences += limited(item)
    follow_ups = ("compared with the period before", "by line", "by shift")
    return Said(tuple(sentences), tuple(blocks), tuple(spoken), follow_ups)


# -- one figure


def _when(item: Evidence, data: Any) -> str:
    """The period as it follows a verb: ` last week`, ` over the last two weeks`, ` so far this month`."""
    period: Period = data["period"]
    return f"{' so far' if known(item, 'until') else ''} {during(period.text)}{slot(item, 'period')}"


def _about(item: Evidence) -> str:
    return f" {slot(item, 'where')}" if known(item, "where") else ""


def _figure(item: Evidence, name: str, data: Any, first: bool) -> list[str]:
    row, label = item.rows[0], slot(item, f"label_{name}")
    word = verb(str(item.facts[f"label_{name}"][1]), known(item, "until"))
    about, when = (_about(item), _when(item, data)) if first else ("", "")
    if row[name] is None:
        why = data["undefined"].get(name, "its denominator is zero")
        return [cited(f"{label}{about} {word} {slot(item, name, 0)}{when}: {why}.", item)]
    said = [cited(f"{label}{about} {word} {slot(item, name, 0)}{when}{_bounds(item, name, data)}.", item)]
    return said + _compared(item, name, data)


def _bounds(item: Evidence, name: str, data: Any) -> str:
    """Whether a single figure meets the limits it was asked about."""
    met = "not " if data.get("none_met") else ""
    said = [f"{met}{_over(edge)} {slot(item, fact)}" for edge in ("low", "high") if known(item, fact := f"{edge}_{name}")]
    return f", {' and '.join(said)}" if said else ""


def _over(edge: str) -> str:
    return "at or above" if edge == "low" else "at or below"


def _compared(item: Evidence, name: str, data: Any) -> list[str]:
    if "compare" not in data:
        return []
    compare, row = data["compare"], item.rows[0]
    against = slot(item, "compared_with")
    if row.get(f"{name}_before") is None:
        if compare["target"]:
            return [cited("There is no target for it.", item)]
        return [cited(f"There is no figure {_than(compare, against)} to compare it with.", item)]
    gap, before = row.get(f"{name}_change"), slot(item, f"{name}_before", 0)
    if not isinstance(gap, int | float):
        return []
    size = slot(item, f"gap_{name}")
    if compare["target"] or compare["number"]:
        held = f"the target of {before}" if compare["target"] else before
        text = f"That is exactly {held}." if gap == 0 else f"That is {size} {'above' if gap > 0 else 'below'} {held}."
    elif gap == 0:
        text = f"That is the same as {_than(compare, against)} ({before})."
    else:
        more, less = DIFFERENT.get(item.column(name).kind, ("higher", "lower"))
        text = f"That is {size} {more if gap > 0 else less} than {_than(compare, against)} ({before})."
    return [cited(text, item)]


def _than(compare: Any, against: str) -> str:
    side = compare["side"]
    return f"{during(side.span.text)}{against}" if side is not None and compare["label"] == side.span.text else against


def _changes(why: Evidence) -> list[str]:
    """The greatest factor or element of a change, and the greatest member of each grouping; for a loss its reasons."""
    change = why.facts["change"][1]
    if not isinstance(change, int | float):
        return []
    kinds: dict[str, int] = {}
    for index, row in enumerate(why.rows):
        part = row["part"]
        if isinstance(part, int | float) and part * change > 0:
            best = kinds.get(str(row["kind"]))
            if best is None or abs(part) > abs(float(str(why.rows[best]["part"]))):
                kinds[str(row["kind"])] = index
    said = []
    moved = [i for i, row in enumerate(why.rows) if row["kind"] == "element"]
    if "element" in kinds and sum(abs(float(str(why.rows[i]["part"]))) > 1e-9 for i in moved) < 2:
        kinds.pop("element")  # a plain ratio: its elements side by side say more than a share of all
        text = ", ".join(
            f"{slot(why, 'member', i)}{'' if n else ' went'} from {slot(why, 'before', i)} to {slot(why, 'after', i)}"
            for n, i in enumerate(moved)
        )
        said.append(cited(f"{text}.", why))
    for kind in ("factor", "element"):
        if kind in kinds:
            index = kinds.pop(kind)
            text = f"Most of it comes from {slot(why, 'member', index)}, {slot(why, 'before', index)} before and {slot(why, 'after', index)} now:"
            said.append(cited(f"{text} {slot(why, 'part', index)}.", why))
    if set(kinds) == {"reason"}:
        rows = [i for i, row in enumerate(why.rows) if float(str(row["part"])) * change > 0][:3]
        text = ", ".join(f"{slot(why, 'member', i)} {slot(why, 'part', i)}" for i in rows)
        said.append(cited(f"{slot(why, 'metric')} changed by {slot(why, 'change')}: {text}.", why))
    elif kinds:
        text = ", ".join(f"by {kind} {slot(why, 'member', index)} ({slot(why, 'part', index)})" for kind, index in list(kinds.items())[:4])
        said.append(cited(f"The greatest share: {text}.", why))
    return said


def _elements(item: Evidence, data: Any) -> list[Column]:
    skip = {*data["metrics"], *data["by"], "complete", "share", "running_share"}
    return [c for c in item.columns if c.name not in skip and not c.name.endswith(("_before", "_change"))]


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


# -- several figures


def _grouped(item: Evidence, data: Any, context: Context) -> Said:
    by, name = data["by"], data["metrics"][0]
    rows = [i for i, row in enumerate(item.rows) if row[name] is not None]
    course = by[0] in TIME_KEYS
    if data.get("none_met"):
        sentences = _none_met(item, data, rows)
    elif not rows:
        sentences = [cited(f"{slot(item, f'label_{name}')}{_about(item)}{_when(item, data)} is not defined by {_words(by)}.", item)]
    elif course:
        sentences = _course(item, data, rows)
    else:
        sentences = _ranking(item, data, rows)
    spoken = [s.replace(f" [{item.marker}]", "") for s in sentences[:2]]
    if known(item, "until"):
        sentences.append(cited(f"The data reaches to {slot(item, 'until')}.", item))
    sentences += limited(item)
    blocks = [*_charts(item, data, context, course), table(item, context.zone)]
    return Said(tuple(sentences), tuple(blocks), tuple(spoken), ("compared with the period before", "why"))


def _words(by: Sequence[str]) -> str:
    return " and ".join(KEY_WORDS.get(key, key.replace("_", " ")) for key in by)


def _none_met(item: Evidence, data: Any, rows: Sequence[int]) -> list[str]:
    """`No machine was at or below 50 % OEE last week; the nearest is CNC-02 with 71 %.`"""
    metric = data["having"][0].key
    if all(c.high == 0 and c.low is None for c in data["having"]):
        be = verb("", known(item, "until"))
        return [cited(f"There {be} no {_words(data['by'])} without {slot(item, f'label_{metric}')}{_when(item, data)}.", item)]
    said = [cited(f"No {_words(data['by'])} {verb('', known(item, 'until'))} {_limits(item, data)}{_when(item, data)}.", item)]
    near = next((i for i in rows if item.rows[i].get(metric) is not None), None)
    if near is not None:
        said.append(cited(f"The nearest is {keys_said(item, data['by'], near)} with {slot(item, metric, near)}.", item))
    return said


def _course(item: Evidence, data: Any, rows: Sequence[int]) -> list[str]:
    by, name = data["by"], data["metrics"][0]
    label = slot(item, f"label_{name}")
    head = f"{label}{_about(item)} by {_words(by)}{_when(item, data)}"
    if known(item, f"overall_{name}"):
        head += f", {slot(item, f'overall_{name}')} in all"
    if "compare" in data and item.rows[rows[0]].get(f"{name}_before") is not None:
        against = (
            f"a target of {slot(item, f'{name}_before', rows[0])}" if data["compare"]["target"] else slot(item, f"{name}_before", rows[0])
        )
        other = "" if data["compare"]["target"] or data["compare"]["number"] else f" {_than(data['compare'], slot(item, 'compared_with'))}"
        head += f", against {against}{other}"
    place = "on " if by[0] == "day" else "in " if by[0] in ("week", "month", "quarter", "year") else "at "
    highest, lowest = max(rows, key=lambda i: _value(item, name, i)), min(rows, key=lambda i: _value(item, name, i))
    named = [(highest, "highest"), (lowest, "lowest"), (rows[-1], "latest")]
    told: dict[int, str] = {}
    for index, word in named:
        told.setdefault(index, word)
    if len(rows) > 1 and _value(item, name, highest) == _value(item, name, lowest):
        return [cited(f"{head}: {slot(item, name, highest)} throughout.", item)]
    parts = []
    for index, word in told.items():
        running = " so far" if item.rows[index].get("complete") == "so far" else ""
        parts.append(f"{word} {place}{keys_said(item, by, index)} with {slot(item, name, index)}{running}")
    return [cited(f"{head}: {', '.join(parts)}.", item)]


def _value(item: Evidence, name: str, row: int) -> float:
    return float(str(item.rows[row][name]))


def _ranking(item: Evidence, data: Any, rows: Sequence[int]) -> list[str]:
    """The groups in the order in which they came; who leads is said as such where a rank was asked for."""
    by, name = data["by"], data["metrics"][0]
    label = slot(item, f"label_{name}")
    named, without = unrecorded(item, by, rows, name)
    if not named:
        return without
    shown = named if len(named) <= FEW else named[: len(FIRST)]
    rank = ("highest" if data["sort"][1] else "lowest") if data.get("sort") and data["sort"][0] in data["metrics"] else ""
    if data.get("having"):
        return _met(item, data, rows)
    if rank and data.get("limit") == 1:
        head = f"{rank.capitalize()} {label}{_about(item)} by {_words(by)}{_when(item, data)}"
    else:
        head = f"{label}{_about(item)} by {_words(by)}{_when(item, data)}{f', {rank} first' if rank and len(rows) > 1 else ''}"
    if "compare" in data and not data["compare"]["target"]:
        head += f", against {slot(item, 'compared_with')}"
    said = [cited(f"{head} – {'; '.join(_one(item, data, index) for index in shown)}.", item), *without]
    if len(shown) < len(named):
        share = f" and make {slot(item, 'running_share', shown[-1])} of it" if item.rows[shown[-1]].get("running_share") is not None else ""
        said.append(cited(f"These are the {FIRST[len(shown) - 1]} of {slot(item, 'groups')}{share}.", item))
    if known(item, "apart"):
        more = 0 if float(str(item.rows[rows[0]][name])) > float(str(item.rows[rows[-1]][name])) else -1
        word = DIFFERENT.get(item.column(name).kind, ("higher", "lower"))[0]
        said.append(cited(f"{keys_said(item, by, rows[more])} is {slot(item, 'apart')} {word}.", item))
    elif known(item, f"overall_{name}"):
        ratio = len(_elements(item, data)) > 1
        said.append(cited(f"{'Over all of them' if ratio else 'In all'}: {slot(item, f'overall_{name}')}.", item))
    return said


def _met(item: Evidence, data: Any, rows: Sequence[int]) -> list[str]:
    """`2 machines were at or below 50.0 % OEE last week – CNC-02: 48.1 %; CNC-03: 49.9 %.`"""
    many = item.facts["groups"][1] != 1
    words = _words(data["by"]) + ("s" if many and len(data["by"]) == 1 and "class" not in _words(data["by"]) else "")
    shown = rows if len(rows) <= FEW else rows[: len(FIRST)]
    be = verb("groups" if many else "", known(item, "until"))
    none = all(c.high == 0 and c.low is None for c in data["having"])
    said = f"had no {slot(item, _label(data))}" if none else f"{be} {_limits(item, data)}"
    names = ("; ".join(keys_said(item, data["by"], i) for i in shown)) if none else "; ".join(_one(item, data, i) for i in shown)
    text = [cited(f"{slot(item, 'groups')} {words} {said}{_when(item, data)} – {names}.", item)]
    if len(shown) < len(rows):
        text.append(cited(f"These are the {FIRST[len(shown) - 1]} of {slot(item, 'groups')}.", item))
    return text


def _label(data: Any) -> str:
    return f"label_{data['having'][0].key}"


def _limits(item: Evidence, data: Any) -> str:
    said = []
    for condition in data["having"]:
        bounds = [f"{_over(edge)} {slot(item, fact)}" for edge in ("low", "high") if known(item, fact := f"{edge}_{condition.key}")]
        said.append(f"{' and '.join(bounds) if bounds else 'as asked in'} {slot(item, f'label_{condition.key}')}")
    return " and ".join(said)


def _one(item: Evidence, data: Any, index: int) -> str:
    """`Line 3: 77.9 % (-2.1 points)`: one group with its metrics, its share and what it is held against."""
    first, parts = data["metrics"][0], []
    for metric in data["metrics"]:
        row = item.rows[index]
        if row[metric] is None:
            continue
        text = slot(item, metric, index) if metric == first else f"{slot(item, f'label_{metric}')} {slot(item, metric, index)}"
        notes = []
        if metric == first and row.get("share") is not None:
            notes.append(slot(item, "share", index))
        if row.get(f"{metric}_change") is not None:
            target = f"target {slot(item, f'{metric}_before', index)}, " if data["compare"]["target"] else ""
            notes.append(f"{target}{slot(item, f'{metric}_change', index)}")
        parts.append(f"{text} ({', '.join(notes)})" if notes else text)
    return f"{keys_said(item, data['by'], index)}: {', '.join(parts) or 'not defined'}"


def _charts(item: Evidence, data: Any, context: Context, course: bool) -> list[Block]:
    """One chart a unit of measure: ratios beside ratios, counts beside counts; a target that all share as a line."""
    rows = item.rows if course else item.rows[:CHART_BARS]
    if len(rows) < 2:
        return []
    by = data["by"]
    labels = [", ".join(show(row.get(key), item.column(key), context.zone) for key in by) for row in rows]
    units: dict[tuple[str, str], list[str]] = {}
    for name in data["metrics"]:
        column = item.column(name)
        units.setdefault((column.kind, column.unit), []).append(name)
    blocks = []
    for names in units.values():
        first = item.column(names[0])
        series = [series_of(item.column(name), [row.get(name) for row in rows]) for name in names]
        kind = "line" if course else "bar"
        lines = _target_line(item, data, names, rows)
        if not course and not lines and "compare" in data and len(names) == 1:
            before = series_of(item.column(f"{names[0]}_before"), [row.get(f"{names[0]}_before") for row in rows])
            if before["unit"] == series[0]["unit"]:
                series.append({**before, "name": data["compare"]["label"]})
        if not course and len(series) == 1 and first.kind in ("count", "duration_s") and set(by) & set(LOSS_KEYS) and len(by) == 1:
            kind = "pareto"
            order = sorted(range(len(rows)), key=lambda i: -(series[0]["values"][i] or 0))
            series = [{**s, "values": [s["values"][i] for i in order]} for s in series]
            labels = [labels[i] for i in order]
        title = f"{', '.join(item.column(name).label for name in names)} by {_words(by)}"
        blocks.append(chart(item, kind, title, (item.column(by[0]).label, labels), series, lines))
    return blocks


def _target_line(item: Evidence, data: Any, names: Sequence[str], rows: Sequence[Any]) -> list[dict[str, Any]]:
    """One target, or one figure of another time, for all groups of one metric stands in the chart as a line."""
    if len(names) != 1 or "compare" not in data:
        return []
    if not (data["compare"]["target"] or data["compare"]["number"] or data["by"][0] in TIME_KEYS):
        return []
    targets = {row.get(f"{names[0]}_before") for row in rows}
    if len(targets) != 1 or None in targets:
        return []
    (value,) = series_of(item.column(names[0]), [*targets])["values"]
    label = "Target" if data["compare"]["target"] else "Limit" if data["compare"]["number"] else data["compare"]["label"]
    return [{"label": label, "value": value}]
