"""What is said of records, traces, signals and links: the number first, then the first of them, then the rest.

Sentences hold slots alone; blocks show the same evidence as tiles, tables and charts. tests/test_compose_data.py runs
every composer over real tool results and lets the grounding check object.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from assistant.compose.said import KEY_WORDS, Block, Context, Said, chart, cited, keys_said, known, series_of, table, unrecorded
from tools.evidence import Evidence, show, slot
from tools.phrases import during
from tools.registry import Period, Step
from tools.spans import TIME_KEYS

TOP_ROWS = 3
FEW = 6  # groups that one sentence names
SURELY = 0.0001  # below this a p value shows no digit
CHART_BARS = 24
#: Columns of a record that say in a sentence which one it is; the first two that a row has are spoken.
TELLING = ("title", "message", "defect", "reason", "name", "product", "material", "certification", "text", "characteristic", "comment")
PLACING = ("equipment", "line", "person", "location")
JUDGING = ("priority", "severity", "status", "stock", "value", "result", "duration", "due", "expires", "raised", "started", "opened",
           "measured", "written", "lot", "alarm", "order")  # fmt: skip


# -- records


def compose_list_records(step: Step, context: Context) -> Said:
    """How many, the first few in words, all of them as a table; counts as a bar chart."""
    item, data = step.result.evidence[0], step.result.data
    one = item.facts["count"][1] == 1
    period = data.get("period")
    past = period is not None and period.start < context.now
    word = ("was" if one else "were") if past else ("is" if one else "are")
    head = f"There {word} {slot(item, 'count')} {_what(item)}{_when(item, period)}"
    sentences: list[str] = []
    blocks: list[Block] = []
    if data["by"]:
        sentences += _counts(item, data, head)
        if len(item.rows) > 1:
            rows = item.rows[:CHART_BARS]
            labels = [", ".join(show(row.get(key), item.column(key), context.zone) for key in data["by"]) for row in rows]
            course = data["by"][0] in TIME_KEYS
            series = [series_of(item.column("count"), [row["count"] for row in rows])]
            shape = "line" if course else "bar"
            blocks.append(chart(item, shape, item.title, (item.column(data["by"][0]).label, labels), series))
    else:
        sentences.append(cited(f"{head}.", item))
        for index in _telling_rows(item)[:TOP_ROWS]:
            if text := _record_text(item, index, data.get("fixed", {})):
                sentences.append(cited(text, item))
    blocks.append(table(item, context.zone))
    spoken = [s.replace(f" [{item.marker}]", "") for s in sentences[: 3 if one else 2]]
    follow_ups = ("only the overdue ones", "by machine") if not data["by"] else ("show me the list",)
    return Said(tuple(sentences), tuple(blocks), tuple(spoken), follow_ups)


def _what(item: Evidence) -> str:
    """The records with their status and what they are narrowed to: `open maintenance orders on Line 3`."""
    if known(item, "what"):
        return slot(item, "what") + (f" {slot(item, 'where')}" if known(item, "where") else "")
    return slot(item, "record") + (f" for {slot(item, 'filter')}" if known(item, "filter") else "")


def _when(item: Evidence, period: Period | None) -> str:
    return f" {during(period.text)}{slot(item, 'period')}" if period is not None and known(item, "period") else ""


def _counts(item: Evidence, data: Any, head: str) -> list[str]:
    """How many in each group, the greatest of many."""
    by = data["by"]
    rows, without = unrecorded(item, by, range(len(item.rows)), "count")
    shown = rows if len(rows) <= FEW else rows[:TOP_ROWS]
    parts = [f"{keys_said(item, by, i)}: {slot(item, 'count', i)} ({slot(item, 'share', i)})" for i in shown]
    words = " and ".join(KEY_WORDS.get(key, key.replace("_", " ")) for key in by)
    listed = f", by {words} – {'; '.join(parts)}" if parts else ""
    return [cited(f"{head}{listed}.", item), *without]


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


def _record_text(item: Evidence, row: int, fixed: Mapping[str, str]) -> str:
    """`WO: title on machine (high priority, in progress, due ...)` of one row, as slots. What the question fixed and what
    the title already says is not said again."""
    values = item.rows[row]
    names = {column.name for column in item.columns if values.get(column.name) not in (None, "")}
    first = item.subject if item.subject in names else next(iter(c.name for c in item.columns if c.name in names), "")
    if not first:
        return ""
    told_once = {name for name, value in fixed.items() if name in names and _plain(values[name]) == _plain(value)}
    names -= told_once | ({"result"} if "status" in fixed else set())
    chosen = [[n for n in group if n in names and n != first][:most] for group, most in ((TELLING, 2), (PLACING, 1), (JUDGING, 4))]
    telling, placing, judging = chosen
    telling = [name for name in telling if values[name] != values[first]]
    text = ", ".join(slot(item, name, row) for name in telling)
    told = " ".join(str(values[name]) for name in telling)
    for name in placing:
        if str(values[name]) not in told:
            text += f"{' on ' if name in ('equipment', 'line') and text else ', ' if text else ''}{slot(item, name, row)}"
    notes = ", ".join(_judged(item, name, row) for name in judging)
    text += f" ({notes})" if notes and text else notes
    if first in told_once and text and item.column(first).kind == "id" and first != "id":
        return f"{text}."  # the one machine that was asked about need not be named in every line
    return f"{slot(item, first, row)}: {text}." if text else f"{slot(item, first, row)}."


def _plain(value: object) -> str:
    return str(value).replace("_", " ").lower()


def _judged(item: Evidence, name: str, row: int) -> str:
    value = slot(item, name, row)
    if name in ("priority", "severity"):
        return f"{value} {name}"
    if name in ("status", "result"):
        return value
    if name == "value" and item.rows[row].get("unit"):
        return f"{value} {slot(item, 'unit', row)}"
    if name == "stock" and item.rows[row].get("minimum") is not None:
        return f"{value} in stock, minimum {slot(item, 'minimum', row)}"
    return f"{'lasting' if name == 'duration' else item.column(name).label.lower()} {value}"


# -- tracing


def compose_trace_material(step: Step, context: Context) -> Said:
    """What went in, what was made from it, who has it; the tree and the shipments as tables."""
    item, data = step.result.evidence[0], step.result.data
    sentences: list[str] = []
    traced = slot(item, "traced")
    if data["direction"] in ("backward", "both"):
        if item.facts["went_in"][1]:
            text = f"{_several(item, 'went_in', 'lot')} went into {traced}"
            text += f", supplied by {slot(item, 'suppliers')}." if known(item, "suppliers") else "."
        else:
            text = f"No lots are recorded as having gone into {traced}."
        sentences.append(cited(text, item))
    if data["direction"] in ("forward", "both"):
        if item.facts["made_from"][1]:
            text = f"From {traced}, {_several(item, 'made_from', 'lot')} {'was' if item.facts['made_from'][1] == 1 else 'were'} made"
            text += f", over {_several(item, 'generations', 'generation')}."
        else:
            text = f"No further lots are recorded as made from {traced}."
        sentences.append(cited(text, item))
    blocks = [table(item, context.zone)]
    for other in step.result.evidence[1:]:
        if other.facts["shipments"][1]:
            text = f"{_several(other, 'shipments', 'shipment')} went to {slot(other, 'customers')}."
            sentences.append(cited(text, other))
            blocks.append(table(other, context.zone))
        else:
            sentences.append(cited("Nothing of it is recorded as shipped.", other))
        if other.facts["serials"][1]:
            sentences.append(cited(f"These lots hold {_several(other, 'serials', 'serial number')}.", other))
    if known(item, "loops"):
        sentences.append(
            cited(f"The records run in a circle: {slot(item, 'loops')} is recorded as made from itself; somebody should mend that.", item)
        )
    if data["cut"]:
        sentences.append(cited("The trace was cut at its limit; there is more.", item))
    spoken = [s.rpartition(" [")[0] for s in sentences[:2]]
    return Said(tuple(sentences), tuple(blocks), tuple(spoken), ("show me the nonconformances of these lots",))


def _several(item: Evidence, name: str, noun: str) -> str:
    return f"{slot(item, name)} {noun}{'' if item.facts[name][1] == 1 else 's'}"


# -- signals


def compose_signal_trend(step: Step, context: Context) -> Said:
    """Latest value, range and limits in words; the course as a line with its limits, gaps left open."""
    item = step.result.evidence[0]
    name = f"{slot(item, 'signal')} of {slot(item, 'machine')}"
    sentences: list[str] = []
    if known(item, "latest"):
        sentences.append(cited(f"The {name} was {slot(item, 'latest')} at {slot(item, 'latest_at')}.", item))
    when = f"{during(str(item.facts['period'][1]))}{slot(item, 'period')}"
    text = f"It averaged {slot(item, 'mean')} {when}, between {slot(item, 'min')} and {slot(item, 'max')}."
    if not sentences:
        text = f"The {name} averaged {slot(item, 'mean')} {when}, between {slot(item, 'min')} and {slot(item, 'max')}."
    sentences.append(cited(text, item))
    limits = [(label, key) for label, key in (("low limit", "low_limit"), ("high limit", "high_limit")) if known(item, key)]
    if limits:
        said = " and ".join(f"{label} {slot(item, key)}" for label, key in limits)
        if item.facts["outside"][1]:
            many = "was" if item.facts["outside"][1] == 1 else "were"
            text = f"{_several(item, 'outside', 'sample')} ({slot(item, 'outside_share')}) {many} outside the {said}."
        else:
            text = f"No sample was outside the {said}."
        sentences.append(cited(text, item))
    if direction := _direction(item):
        text = f"It has been {direction}: from {slot(item, 'begin_mean')} at the beginning to {slot(item, 'end_mean')} at the end."
        sentences.append(cited(text, item))
    if known(item, "gaps"):
        verb = "holds" if item.facts["gaps"][1] == 1 else "hold"
        sentences.append(cited(f"{_several(item, 'gaps', 'step')} of the chart {verb} no samples; the line is left open there.", item))
    column = item.column("mean")
    labels = [show(row["time"], item.column("time"), context.zone) for row in item.rows]
    series = [series_of(column, [row["mean"] for row in item.rows])]
    series += [series_of(item.column(edge), [row[edge] for row in item.rows]) for edge in ("min", "max")]
    lines = [{"label": label, "value": item.facts[key][1]} for label, key in limits]
    block = chart(item, "line", item.title, ("Time", labels), series, lines)
    spoken = [s.replace(f" [{item.marker}]", "") for s in sentences[:2]]
    return Said(tuple(sentences), (block,), tuple(spoken), ("over the last month", "what goes with it"))


def _direction(item: Evidence) -> str:
    """`rising` or `falling` where the ends differ by more than a fifth of the range in between, else nothing."""
    if not (known(item, "begin_mean") and known(item, "end_mean")):
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
    when = f"{during(str(item.facts['period'][1]))}{slot(item, 'period')}"
    sentences: list[str] = []
    if not data["links"]:
        text = f"No link found: none of {slot(item, 'tested')} candidates goes with {outcome} {when} beyond chance."
        sentences.append(cited(text, item))
    else:
        go = "goes" if item.facts["links"][1] == 1 else "go"
        text = f"{slot(item, 'links')} of {slot(item, 'tested')} candidates {go} with {outcome} {when}."
        sentences.append(cited(text, item))
        for index in range(min(TOP_ROWS, len(item.rows))):
            sentences.append(cited(_link(item, index), item))
        sentences.append(cited(f"That they go together with {outcome} does not prove that they cause it.", item))
    blocks = [table(item, context.zone)]
    spoken = [s.replace(f" [{item.marker}]", "") for s in sentences[:2]]
    return Said(tuple(sentences), tuple(blocks), tuple(spoken), ("show me the signal", "show me the cases"))


def _link(item: Evidence, row: int) -> str:
    values = item.rows[row]
    factor = slot(item, "factor", row)
    certain = isinstance(values["adjusted"], int | float) and values["adjusted"] < SURELY
    size = f"over {slot(item, 'size', row)} units, p {'practically zero' if certain else slot(item, 'adjusted', row)} after correction"
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
    sentence = cited(f"The statement returned {_several(item, 'rows', 'row')}; these figures are not certified.", item)
    notes = (cited(f"Beware: {slot(item, 'hidden')}", item),) if "hidden" in item.facts else ()
    heard = tuple(note.rpartition(" [")[0] for note in notes)
    if len(item.rows) == 1 and len(item.columns) == 1:
        value = cited(f"Result: {slot(item, item.columns[0].name, 0)}.", item)
        return Said((value, *notes, sentence), (table(item, context.zone),), (value.rpartition(" [")[0], *heard))
    return Said((sentence, *notes), (table(item, context.zone),), (sentence.rpartition(" [")[0], *heard))
