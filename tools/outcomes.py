"""What is to be explained, from a person's words: an alarm, a defect, a reason, a failed test, a metric.

tests/test_correlations.py reads people's words with it; what fits nothing comes back with choices.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from rapidfuzz import fuzz

from tools.conditions import Condition
from tools.model_file import RecordSpec
from tools.plant_model import Plant
from tools.query import Parameters, Rowset
from tools.registry import Choice, Result, Unanswerable
from tools.sql import Statement

_STEM = re.compile(r"(ies|es|s|ing|ed)$")


_OUTCOME_METRICS = {
    "oee": "oee", "availability": "availability", "performance": "performance", "yield": "first_pass_yield",
    "energy": "energy_per_good_part", "cycle": "cycle_time", "rework": "rework_rate", "changeover": "changeover_overrun",
    "repair": "mttr",
}  # fmt: skip


@dataclass(frozen=True)
class Outcome:
    """What is to be explained: rows of a record under some filters, weighted by `weight`, or a metric."""

    label: str
    record: str = ""
    filters: tuple[Condition, ...] = ()
    weight: str = "1"
    metric: str = ""


def outcome_of(plant: Plant, said: str) -> Outcome:
    """The outcome behind a person's words: an alarm code, a defect, a reason, a failed characteristic, a metric, or
    scrap, stops and alarms at large. Raises Unanswerable with the nearest ones as choices."""
    text = said.lower()
    model = plant.model
    codes = [code for code in re.findall(r"[a-z]*-?\d{2,}", text) if code in plant.vocabulary("alarm")]
    if codes and "alarm_events" in model.records:
        code = plant.vocabulary("alarm")[codes[0]]
        return Outcome(f"alarm {code}", "alarm_events", (Condition("alarm", (code,)),))
    candidates = _candidates(plant)
    scored = sorted(((_likeness(text, words), words) for words in candidates), reverse=True)
    if scored and scored[0][0] >= 80:
        return candidates[scored[0][1]]
    if found := _general(plant, text):
        return found
    if scored and scored[0][0] >= 62:
        return candidates[scored[0][1]]
    names = list(dict.fromkeys(candidates[words].label for _, words in scored))[:3]
    choices = tuple(Choice(name, f"what goes with {name}") for name in names)
    message = f"I know no outcome called {said} in the plant's records. Did you mean one of these?"
    raise Unanswerable(Result("needs_clarification", message=message, choices=choices))


def _candidates(plant: Plant) -> dict[str, Outcome]:
    """Words -> outcome, for all defects, scrap reasons, stop reasons and measured characteristics."""
    found: dict[str, Outcome] = {}
    records = plant.model.records
    for name, key, weight in (
        ("nonconformances", "defect", "1"), ("quality_results", "type", "1"), ("scrap_records", "reason", "quantity"),
        ("downtime_events", "reason", "1"),
    ):  # fmt: skip
        record = records.get(name)
        if record is None or not isinstance(record.fields.get(key), str):
            continue
        for value in _distinct(plant, record, str(record.fields[key])):
            filters: tuple[Condition, ...] = (Condition(key, (value,)),)
            if name == "quality_results":
                filters = (*filters, Condition("status", ("failed",)))
            label = plant.name(key, value).replace("_", " ")
            shown = {"quality_results": f"failed {label}", "scrap_records": f"scrap for {label}",
                     "downtime_events": f"stops for {label}"}.get(name, label)  # fmt: skip
            found.setdefault(label.lower(), Outcome(shown, name, filters, weight))
    return found


def _general(plant: Plant, text: str) -> Outcome | None:
    records = plant.model.records
    for word, metric in _OUTCOME_METRICS.items():
        if word in text and metric in plant.model.metrics:
            return Outcome(plant.model.metrics[metric].label, metric=metric)
    for pattern, record, filters, label, weight in (
        (r"\b(scrap|reject|waste)", "scrap_records", (), "scrap", "quantity"),
        (r"\b(micro)?(stop|down|break|jam|trip|failure|standstill)", "downtime_events", (), "stops", "1"),
        (r"\balarm", "alarm_events", (), "alarms", "1"),
        (r"\b(fail|out of spec|test|measure)", "quality_results", (Condition("status", ("failed",)),), "failed inspections", "1"),
        (r"\b(ncr|non-?conform|defect|quality|complaint|bad)", "nonconformances", (), "nonconformances", "1"),
    ):  # fmt: skip
        if re.search(pattern, text) and record in records:
            return Outcome(label, record, filters, weight)
    return None


def _distinct(plant: Plant, record: RecordSpec, path: str) -> list[str]:
    rows = Rowset(plant, record, Parameters(), plant.data_until() or datetime.now(plant.zone))
    sql = f"SELECT DISTINCT {rows.sql_of(path)} AS value FROM {rows.from_sql()} LIMIT 500"
    return sorted(str(row[0]) for row in plant.query(Statement(sql, rows.parameters.values)).rows if row[0] is not None)


def _likeness(text: str, words: str) -> float:
    def stemmed(part: str) -> str:
        return " ".join(_STEM.sub("", w) if len(w) > 4 else w for w in re.findall(r"[a-z0-9]+", part.lower()))

    said, name = stemmed(text), stemmed(words)
    if set(name.split()) <= set(said.split()):
        return 100.0
    return 0.6 * fuzz.token_sort_ratio(said, name) + 0.4 * fuzz.token_set_ratio(said, name)
