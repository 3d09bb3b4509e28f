"""The call that a question in a connected plant's own words asks for.

`own_draft` drafts a `query_metrics` or `list_records` call when the words of the model explain the question; otherwise
it returns None and the router's reading stands. It looks at no plant that runs on the shipped model, and refusals,
rights and policy stay where they are. tests/test_plant_words.py.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from assistant.own_filters import direction_of, filters_of, limit_of, sorted_by
from assistant.own_keys import behind, common_key, groups, key_in, measure_of, path_of, subject_key, target_of
from assistant.plant_words import Hit, Linked, coverage, linked, phrase_of
from assistant.scribe import (
    BEST,
    WORST,
    Draft,
    Scribe,
    period_notes,
    with_shift,
)
from assistant.understand import Question, Understanding
from tools.formula import elements_of
from tools.schema_words import plain, singular

if TYPE_CHECKING:
    from tools.plant_model import Plant


#: Tools whose questions may be meant for the data although the router read them as something else.
_MAY_MEAN_DATA = (
    "query_metrics",
    "list_records",
    "find_correlations",
    "search_documents",
    "diagnose",
    "run_sql",
    "trace_material",
    "signal_trend",
    "get_procedure",
)


COVERED = 0.74  # share of the telling words that must be explained


_COUNT = re.compile(r"\b(?:how many|number of|count of|count the|how often)\b", re.IGNORECASE)


_MEAN = re.compile(r"\b(?:average|mean|avg|on average)\b", re.IGNORECASE)


_SUM = re.compile(r"\b(?:total|sum|overall|altogether|in all|combined|how much)\b", re.IGNORECASE)


_COMMON = re.compile(
    r"\b(?:most (?:common|frequent|often)|commonest|top|least (?:common|frequent)|distribution|breakdown)\b", re.IGNORECASE
)


_EXTREME = re.compile(r"\b(?:longest|shortest|newest|latest|oldest|earliest|most recent)\b", re.IGNORECASE)


_MADE = re.compile(r"\b(?:make|makes|made|produced?|produces|manufactured?|built)\b", re.IGNORECASE)


_LOW_IS_BEST = frozenset(
    ("cost", "price", "time", "duration", "scrap", "defect", "reject", "downtime", "rework", "severity", "age", "stop", "delay")
)


@dataclass(frozen=True)
class OwnPlan:
    """A drafted call and the understanding that goes with it: sure of its tool, without the names it explained."""

    draft: Draft
    understanding: Understanding


def own_draft(understanding: Understanding, question: Question, plant: Plant) -> OwnPlan | None:
    """The call that the plant's own words ask for; None when they do not explain the question."""
    reading = understanding.reading
    counted = reading.tools[0][0] == "explain_alarm" and _COUNT.search(understanding.text)
    if (
        not plant.foreign
        or understanding.followup
        or len(understanding.clauses) > 1
        or not (counted or reading.tools[0][0] in _MAY_MEAN_DATA)
    ):
        return None
    if reading.best("status") == "refused_unsafe":
        return None
    read = linked(understanding, plant)
    scribe = Scribe(replace(understanding.clauses[0], placeholders=tuple(read.names)), question, plant) if understanding.clauses else None
    if scribe is None or not read.hits:
        return None
    draft = _metric_call(read, scribe) or _record_call(read, scribe)
    if draft is None or coverage(read) < COVERED:
        return None
    sure = {
        **reading.heads,
        "tool": ((draft.tool, 0.97), *((t, 0.001) for t, _ in reading.heads["tool"] if t != draft.tool)),
        "status": (("answer", 0.97), *((s, 0.005) for s, _ in reading.heads["status"] if s != "answer")),
    }
    told = replace(reading, tools=sure["tool"], heads=sure)
    kept = tuple(read.names)
    clause = replace(understanding.clauses[0], reading=told, placeholders=kept)
    return OwnPlan(draft, replace(understanding, reading=told, placeholders=kept, clauses=(clause,), problems=()))


def _metric_call(read: Linked, scribe: Scribe) -> Draft | None:
    plant = read.plant
    found: list[tuple[int, str, Hit]] = []
    about = {m.name for one in read.hits for m in one.of("record")}
    for one in read.hits:
        if not any(m.record in about for m in one.of("value")):  # "with disposition Rework" is no rework rate
            found += [(one.end - one.start, meaning.name, one) for meaning in one.of("metric")]
    name = max(found, key=lambda item: item[0])[1] if found else _by_measure(read) or _made(read)
    if name is not None and _MEAN.search(read.text):
        name = _mean_of(plant, name)
    if name is None:
        return None
    hit: Hit | None = next((h for _, n, h in found if n == name), None)
    events = any(p.search(read.text) for p in (_COUNT, _COMMON, _EXTREME)) or _listing(read) or _counts_rows(plant, name)
    if hit is not None and hit.of("record", "status") and events:
        return None  # "how many defects": the records themselves
    records = behind(plant, name)
    ranked = direction_of(read, plant.model.metrics[name].direction == "down")
    by = list(groups(read, records, hit))
    where, _ = filters_of(read, scribe, records)
    if ranked and not by and (key := subject_key(read, records, hit)):
        by = [key]
    where = {k: v for k, v in where.items() if k not in by or isinstance(v, str | list)}
    period, unresolved, shift = scribe.period()
    arguments: dict[str, Any] = {"metrics": [name]}
    if where := with_shift(where, shift):
        arguments["where"] = where
    if period:
        arguments["period"] = period
    if by:
        arguments["by"] = by
        if ranked:
            arguments["sort"] = ranked
            if limit := limit_of(read, scribe, by):
                arguments["limit"] = limit
    return Draft("query_metrics", arguments, unresolved, period_notes(unresolved, period, scribe))


_DOWN = re.compile(r"\bhow long\b.*\b(?:down|stopped|standing|out of (?:order|service)|not running|idle)\b", re.IGNORECASE)


def _made(read: Linked) -> str | None:
    """ "How many parts did we make", "which machine produced the most": the count of parts, where no record is counted."""
    if _DOWN.search(read.text) and "downtime" in read.plant.model.metrics:
        return "downtime"
    if "total_count" not in read.plant.model.metrics or not _MADE.search(read.text):
        return None
    counted = re.search(r"\bhow many ([a-z]+)\b", read.text, re.IGNORECASE)
    parts = counted is not None and singular(plain(counted.group(1).lower())) in ("part", "unit", "piece", "item", "product", "good")
    most = re.search(
        r"\bthe (?:most|least|fewest)(?: (?:parts|units|pieces|items|products))?\s*(?:$|[?.!]|(?:in|on|at|last|this|during|since|yesterday|today)\b)",
        read.text,
        re.IGNORECASE,
    )
    return "total_count" if parts or most or re.search(r"\bhow much\b", read.text, re.IGNORECASE) else None


def _mean_of(plant: Plant, metric: str) -> str:
    """The mean that a model holds of the sum asked for ("average downtime"); the sum itself without one."""
    summed = plant.model.metrics[metric].expression
    if "/" in summed:
        return metric
    return next((name for name, m in plant.model.metrics.items() if m.expression.startswith(f"{summed} / ")), metric)


def _counts_rows(plant: Plant, metric: str) -> bool:
    used = elements_of(plant.model.metrics[metric])
    return len(used) == 1 and set(plant.model.elements[used[0]].sum.values()) == {"1"}


def _by_measure(read: Linked) -> str | None:
    """ "The average cost of products": the drafted mean or total of a column that the words name apart."""
    how = "average_" if _MEAN.search(read.text) else "total_" if _SUM.search(read.text) else ""
    if not how:
        return None
    mentioned = {m.name for hit in read.hits for m in hit.of("record")}
    best: tuple[int, str] | None = None
    for hit in read.hits:
        for meaning in hit.of("column", "key"):
            name = measure_of(read.plant, meaning.record, meaning.name, how == "average_")
            score = (hit.end - hit.start) + 3 * (meaning.record in mentioned)
            if name is not None and (best is None or score > best[0]):
                best = (score, name)
    return best[1] if best else None


def _listing(read: Linked) -> bool:
    return bool(re.match(r"\s*(?:show|list|display|give|find)\b", read.text, re.IGNORECASE)) and not groups(read, [], None)


def _record_call(read: Linked, scribe: Scribe) -> Draft | None:
    counted = _counted_by(read)
    if counted is not None:
        record, by, ranked = counted
    else:
        record, by, ranked = _record(read) or "", [], ""
    if not record:
        return None
    spec = read.plant.model.records[record]
    where, column = filters_of(read, scribe, [record])
    by = by or [key for key in groups(read, [record], None) if isinstance(spec.fields.get(key, ""), str)]
    if not by and _COMMON.search(read.text) and (key := common_key(read, record)):
        by, ranked = [key], "asc" if re.search(r"least", read.text, re.IGNORECASE) else "desc"
    period, unresolved, shift = scribe.period(events=True)
    if by and (beside := _beside(read, record, by)):
        figures: dict[str, Any] = {
            "metrics": beside,
            **({"where": where} if where else {}),
            **({"period": period} if period else {}),
            "by": by,
            "sort": ranked or "desc",
        }
        if limit := limit_of(read, scribe, by):
            figures["limit"] = limit
        return Draft("query_metrics", figures, unresolved, period_notes(unresolved, period, scribe))
    arguments: dict[str, Any] = {"records": record}
    if where := with_shift(where, shift):
        arguments["where"] = where
    if period:
        arguments["period"] = period
    if by:
        arguments["by"] = by
        ranked = ranked or direction_of(read, False)
        if ranked:
            arguments["sort"] = ranked
            if limit := limit_of(read, scribe, by):
                arguments["limit"] = limit
    elif ranked := direction_of(read, False):
        sorting = sorted_by(read, spec, column)
        if sorting is None and not where:
            return None
        if sorting is not None:
            words = set(phrase_of(sorting.label))
            if (BEST.search(read.text) or WORST.search(read.text)) and words & _LOW_IS_BEST:
                ranked = "asc" if ranked == "desc" else "desc"
            arguments["sort"] = f"{sorting.name} {ranked}"
            if limit := limit_of(read, scribe, []):
                arguments["limit"] = limit
    return Draft("list_records", arguments, unresolved, period_notes(unresolved, period, scribe))


def _record(read: Linked) -> str | None:
    """The record that is asked for: named first by a word of its own, else the one whose columns are named."""
    named: list[tuple[float, str]] = []
    for number, hit in enumerate(read.hits):
        for meaning in hit.of("record"):
            before = read.text[: hit.at].lower()
            asked = (
                bool(re.search(r"\b(?:which|what|how many|show(?: me)?|list|all|the|of|number of)\s+(?:all |the |our )?$", before))
                or hit.start == 0
            )
            named.append(
                (
                    3.0 * asked
                    + (hit.end - hit.start)
                    - 0.3 * number
                    - 2.0 * bool(re.search(r"\b(?:by|per|each|for|of)\s+(?:the |each )?$", before) and number),
                    meaning.name,
                )
            )
    mentioned: dict[str, float] = {}
    for hit in read.hits:
        for meaning in {m.record: m for m in hit.of("column", "value", "status", "key")}.values():
            mentioned[meaning.record] = mentioned.get(meaning.record, 0.0) + (hit.end - hit.start)
    if named:
        return max(named, key=lambda item: item[0] + 0.8 * mentioned.get(item[1], 0.0))[1]
    listed = {r: s for r, s in mentioned.items() if read.plant.model.records[r].listed}
    least = 1 if len(listed) == 1 or direction_of(read, False) else 2
    return max(listed, key=lambda r: listed[r]) if listed and max(listed.values()) >= least else None


_MOST_OF = re.compile(
    r"\b(?:the )?(?:most|highest number of|greatest number of|largest number of|fewest|least|lowest number of|more than \d+|at least \d+)\s+$",
    re.IGNORECASE,
)


def _counted_by(read: Linked) -> tuple[str, list[str], str] | None:
    """ "Which X has the most Y": Y counted by X, over Y itself or over the table that joins the two."""
    often = re.search(r"\b(?:most|least) (?:often|frequently)\b", read.text, re.IGNORECASE)
    for hit in read.hits:
        counted = hit.of("record")
        if not counted or not (_MOST_OF.search(read.text[: hit.at]) or (often and hit.start)):
            continue
        before = [h for h in read.hits if h.start < hit.start and h.of("record", "level", "column", "key")]
        for subject in reversed(before):
            for meaning in counted:
                if found := _joined(read, subject, meaning.name):
                    low = re.search(r"\b(?:fewest|least|lowest)\b", read.text, re.IGNORECASE)
                    return (*found, "asc" if low else "desc")
    return None


def _joined(read: Linked, subject: Hit, counted: str) -> tuple[str, list[str]] | None:
    plant = read.plant
    key = key_in(plant, counted, subject)
    if key is not None and len(path_of(plant.model.records[counted], key)) <= 2:
        return counted, [key]
    table = plant.model.records[counted].table
    for name, record in plant.model.records.items():
        reached = {k: target_of(plant, record, k) for k in record.fields}
        if table in reached.values() and name != counted:
            own = key_in(plant, name, subject)
            if own is not None and len(path_of(record, own)) == 1:
                return name, [own]
    return None


def _beside(read: Linked, record: str, by: Sequence[str]) -> list[str]:
    """ "Defect types and their severity": the count of the records and the means of the figures named beside it."""
    count = measure_of(read.plant, record, "1", False)
    spec = read.plant.model.records[record]
    means = []
    for hit in read.hits:
        for meaning in hit.of("column", "key"):
            column = next((c for c in spec.show if c.name == meaning.name), None)
            if (
                meaning.record == record
                and meaning.name not in by
                and column is not None
                and column.kind in ("count", "number", "percent", "duration_s")
            ):
                means.append(measure_of(read.plant, record, meaning.name, True))
    found = [name for name in dict.fromkeys(means) if name is not None]
    return [count, *found] if count is not None and found else []
