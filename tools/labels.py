"""How keys, metrics, filters and answers are shown as evidence, the same for every data tool."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from tools.conditions import PLACES, Condition
from tools.evidence import Column, ColumnKind, Query, Value
from tools.model_file import MetricSpec
from tools.plant_model import Plant
from tools.spans import TIME_KEYS
from tools.sql import Rows

KEY_LABELS = {"equipment": "Machine", "equipment_class": "Machine class", "operator": "Person"}


def key_column(key: str) -> Column:
    kind: ColumnKind = "id" if key in ("order", "lot", "serial", "alarm", "id") else "date" if key == "day" else "text"
    return Column(key, KEY_LABELS.get(key, key.replace("_", " ").capitalize()), kind)


def metric_column(name: str, metric: MetricSpec) -> Column:
    return Column(name, metric.label, metric.kind, metric.unit, metric.decimals)


def change_column(name: str, metric: MetricSpec) -> Column:
    if metric.kind == "percent":
        return Column(f"{name}_change", f"{metric.label}, change", "number", "points", metric.decimals or 1, signed=True)
    return Column(f"{name}_change", f"{metric.label}, change", metric.kind, metric.unit, metric.decimals, signed=True)


def named(plant: Plant, key: str, value: Value) -> Value:
    """A group's key as people read it."""
    if value is None:
        return None
    if key == "day":
        return date.fromisoformat(str(value))
    if key in TIME_KEYS:
        return str(value)
    name = plant.name(key, value)
    # Causes are known by their names; products and machines by their ids as well.
    return name.removesuffix(f" ({value})") if key in ("reason", "defect") else name


def query_of(plant: Plant, answer: Rows, certified: bool, limited_to: str = "", total: int | None = None) -> Query:
    count = len(answer.rows) if total is None else total
    return Query(answer.sql, answer.parameters, plant.data_until(), certified, count, answer.truncated, limited_to, (answer,))


def filters_said(plant: Plant, filters: Sequence[Condition]) -> str:
    """The filters of a question in words: `Line 3, night shift, not Valve body XYZ`."""
    said = []
    for c in filters:
        names = [str(_shown(plant, c.key, value)) for value in c.include]
        if names:
            said.append(" or ".join(names))
        if c.exclude:
            said.append("not " + " or ".join(str(_shown(plant, c.key, value)) for value in c.exclude))
        word = c.key.replace("_", " ")
        if c.low is not None:
            said.append(f"{word} at least {c.low:g}")
        if c.high is not None:
            said.append(f"{word} at most {c.high:g}")
    return ", ".join(said)


def _shown(plant: Plant, key: str, value: str) -> str:
    id = plant.vocabulary(key).get(value.lower(), value)
    text = plant.name(key, id)
    if key in PLACES or key in ("shift", "product", "status", "type", "variant", "defect"):
        return text.replace("_", " ") if key in ("status", "type", "equipment_class") else text
    return f"{key.replace('_', ' ')} {text}"
