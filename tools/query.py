"""Structured questions to SQL: filters, groupings and periods over one record of the plant model.

No model and no person writes this SQL: field names come from the plant model, values are bound parameters, and days,
weeks and shifts enter as literal half-open ranges that the calendar computed. tests/test_metrics.py compares what comes
out with a second implementation in plain Python over the raw rows.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlglot import exp

from tools.conditions import PLACES, Condition, Extent, number_of, plain_key, values_of
from tools.evidence import Value
from tools.model_file import Many, RecordSpec, column_path, expression, follow, paths
from tools.plant_model import Plant, quoted
from tools.registry import Choice, Result, Unanswerable
from tools.spans import TIME_KEYS, Times

NUMBERS = ("duration_min", "quantity", "age_days")
IDENTITIES = ("id", "lot", "order", "serial")


@dataclass
class Parameters:
    """Bound values of one statement, each under its own name."""

    values: dict[str, object] = field(default_factory=dict)

    def add(self, value: object, stem: str = "p") -> str:
        name = stem
        number = 1
        while name in self.values and self.values[name] != value:
            number += 1
            name = f"{stem}_{number}"
        self.values[name] = value
        return f":{name}"


def supports(plant: Plant, record: RecordSpec, key: str) -> bool:
    """True when rows of this record can be filtered or grouped by this key."""
    if key in record.fields:
        return True
    if key == "status":
        return bool(record.statuses) or _status_column(plant, record) is not None
    if key == "shift" and not plant.calendar.shifts:
        return False
    if key in TIME_KEYS or key == "shift" or key == "age_days":
        return record.time is not None
    if key in PLACES:
        return _place_path(plant, record, key) is not None
    return False


def _status_column(plant: Plant, record: RecordSpec) -> str | None:
    for column in record.show:
        if column.name == "status":
            return column.of
    return None


def _place_path(plant: Plant, record: RecordSpec, key: str) -> str | None:
    """The path to a level of the hierarchy, derived from the nearest level below that the record has."""
    given = record.fields.get(key)
    if isinstance(given, str):
        return given
    hierarchy = plant.model.hierarchy
    if key == "equipment_class":
        below = record.fields.get("equipment")
        machine = hierarchy.get("equipment")
        return f"{below}.{machine.cls}" if isinstance(below, str) and machine and machine.cls else None
    lower = {"line": "equipment", "area": "line", "site": "area"}.get(key)
    if lower is None:
        return None
    base = _place_path(plant, record, lower)
    spec = hierarchy.get(lower)  # type: ignore[call-overload]
    if base is None or spec is None or spec.parent is None:
        return None
    own = plant.model.tables[record.table]
    if len(column_path(expression(base))) == 1 and base == own.key and record.table == spec.table:
        return str(spec.parent)
    return f"{base}.{spec.parent}"


class Rowset:
    """The FROM, JOIN and WHERE of one record's rows, with the joins that its paths need."""

    def __init__(self, plant: Plant, record: RecordSpec, parameters: Parameters, now: datetime) -> None:
        self.plant = plant
        self.record = record
        self.parameters = parameters
        self.now = now
        self.joins: dict[tuple[str, ...], tuple[str, str]] = {}
        self.wheres: list[str] = []
        self.times: Times | None = None
        self.dated = False  # a period is said beside a status

    def sql_of(self, text: str) -> str:
        """An expression of the model over this row, its paths joined and its :now and :today bound."""
        tree = expression(text)
        holder = exp.Paren(this=tree)
        for node, path in list(paths(tree)):
            node.replace(expression(self.column(path)))
        for mark in list(holder.find_all(exp.Placeholder)):
            mark.replace(exp.Placeholder(this=self._clock_parameter(str(mark.this))))
        return str(holder.this.sql("sqlite"))

    def _clock_parameter(self, name: str) -> str:
        if name == "now":
            value = self.plant.write_time(self.now, self.record.table)
        else:
            days = int(name.rpartition("_")[2]) if "_plus_" in name else 0
            value = (self.plant.calendar.local(self.now).date() + timedelta(days=days)).isoformat()
        return self.parameters.add(value, name)[1:]

    def column(self, path: Sequence[str]) -> str:
        table, alias = self.record.table, "t"
        for depth in range(1, len(path)):
            step = tuple(path[:depth])
            target = self.plant.model.tables[table].links[path[depth - 1]]
            if step not in self.joins:
                key = self.plant.model.tables[target].key or ""
                joined = "__".join(step)
                on = f"{alias}.{quoted(path[depth - 1])} = {quoted(joined)}.{quoted(key)}"
                self.joins[step] = (quoted(joined), f"LEFT JOIN {quoted(target)} AS {quoted(joined)} ON {on}")
            table, alias = target, self.joins[step][0]
        return f"{alias}.{quoted(path[-1])}"

    def key(self, key: str) -> str:
        """The grouping key of a row. A key that a row has many of cannot group."""
        spec = self.record.fields.get(key)
        if isinstance(spec, str):
            return self.sql_of(spec)
        if key == "status" and (column := _status_column(self.plant, self.record)):
            return self.sql_of(column)
        place = _place_path(self.plant, self.record, key)
        if place is None:
            raise Unanswerable(cannot(self.record, key))
        return self.sql_of(place)

    # -- filters

    def restrict(self, wanted: Sequence[Condition], where: Extent) -> None:
        """Add every condition. Raises Unanswerable for a key that the record does not know."""
        self._restrict_place(where, {c.key for c in wanted})
        for condition in wanted:
            if condition.key in PLACES or (condition.key == "shift" and "shift" not in self.record.fields):
                continue
            if condition.key == "status" and self.record.statuses:
                self.wheres.append(self.status(condition))
            elif condition.key == "age_days":
                self._restrict_age(condition)
            else:
                self._restrict_field(condition)

    def _restrict_place(self, where: Extent, keys: set[str]) -> None:
        record, fields = self.record, self.record.fields
        if where.equipment is not None:
            if not supports(self.plant, record, "equipment"):
                if "equipment_class" in fields:
                    classes = sorted({self.plant.equipment[m].cls for m in where.equipment})
                    return self._within("equipment_class", classes)
                raise Unanswerable(cannot(record, "equipment" if "equipment" in keys else "equipment_class"))
            return self._within("equipment", sorted(where.equipment))
        if where.lines is None:
            return None
        if "line" in fields:
            return self._within("line", sorted(where.lines))
        if isinstance(fields.get("equipment"), str):
            machines = sorted(m for m, item in self.plant.equipment.items() if item.line in where.lines)
            return self._within("equipment", machines)
        if keys & {"site", "area", "line"}:
            raise Unanswerable(cannot(record, "line"))
        return None  # a shared record: the caller's scope does not narrow it

    def _within(self, key: str, values: Sequence[str]) -> None:
        spec = self.record.fields.get(key)
        if isinstance(spec, Many):
            self.wheres.append(self._exists(spec, tuple(values), False))
        else:
            self.wheres.append(self._in(key, tuple(values), False))

    def status(self, condition: Condition) -> str:
        """A predicate for canonical statuses, by the plant model."""
        included = [self._status(value) for value in condition.include]
        excluded = [self._status(value) for value in condition.exclude]
        if included:
            return "(" + " OR ".join(f"({text})" for text in included) + ")"
        return "NOT (" + " OR ".join(f"({text})" for text in excluded) + ")"

    def _status(self, value: str) -> str:
        name = status_name(self.record, value)
        spec = self.record.statuses[name]
        return self.sql_of(spec.during if self.dated and spec.during else spec.when)

    def _restrict_age(self, condition: Condition) -> None:
        if self.record.time is None:
            raise Unanswerable(cannot(self.record, "age_days"))
        column = self.sql_of(self.record.time)
        low = condition.low if condition.low is not None else (
            number_of("age_days", condition.include[0]) if condition.include else None
        )  # fmt: skip
        for days, sign in ((low, "<="), (condition.high, ">=")):
            if days is not None:
                bound = self.plant.write_time(self.now - timedelta(days=days), self.record.table)
                self.wheres.append(f"{column} {sign} {self.parameters.add(bound, 'age')}")

    def _restrict_field(self, condition: Condition) -> None:
        key, spec = condition.key, self.record.fields.get(condition.key)
        if spec is None and not (key == "status" and _status_column(self.plant, self.record)):
            raise Unanswerable(cannot(self.record, key))
        if condition.low is not None or condition.high is not None or key in NUMBERS:
            return self._restrict_number(condition)
        negated = bool(condition.exclude)
        values = values_of(self.plant, key, condition.exclude or condition.include)
        if isinstance(spec, Many):
            self.wheres.append(self._exists(spec, values, negated))
        else:
            self.wheres.append(self._in(key, values, negated))
        return None

    def _restrict_number(self, condition: Condition) -> None:
        spec = self.record.fields.get(condition.key)
        if not isinstance(spec, str):
            raise Unanswerable(cannot(self.record, condition.key))
        column = self.sql_of(spec)
        for bound, sign in ((condition.low, ">="), (condition.high, "<=")):
            if bound is not None:
                self.wheres.append(f"{column} {sign} {self.parameters.add(bound, condition.key)}")
        for text in condition.include:
            self.wheres.append(f"{column} = {self.parameters.add(number_of(condition.key, text), condition.key)}")

    def _in(self, key: str, values: tuple[str, ...], negated: bool) -> str:
        column = self.key(key)
        path = self.record.fields.get(key) or _place_path(self.plant, self.record, key) or ""
        bound = self._typed(values, self.record.table, path if isinstance(path, str) else "")
        if len(bound) == 1 and not negated:
            return f"{column} = {self.parameters.add(bound[0], key)}"
        if not bound:
            return "1 = 0"
        listed = f"{column} {'NOT ' if negated else ''}IN ({self.parameters.add(bound, key)})"
        return f"({listed} OR {column} IS NULL)" if negated else listed

    def _typed(self, values: Sequence[str], table: str, path: str) -> list[object]:
        """Keys of foreign schemas are often integers, and PostgreSQL compares no text with them."""
        steps = column_path(expression(path)) if path else ()
        if steps and self.plant.holds_integers(follow(self.plant.model, table, steps), steps[-1]):
            return [int(v) if re.fullmatch(r"-?\d{1,18}", v) else -1 for v in values]
        return list(values)

    def _exists(self, spec: Many, values: tuple[str, ...], negated: bool) -> str:
        bound = self._typed(values, spec.many, spec.column)
        own = self.sql_of(spec.at)
        inner = (
            f"EXISTS (SELECT 1 AS found FROM {quoted(spec.many)} AS many WHERE many.{quoted(spec.key)} = {own}"
            f" AND many.{quoted(spec.column)} IN ({self.parameters.add(bound, spec.column)}))"
        )
        return f"NOT {inner}" if negated else inner

    def within(self, start: datetime, end: datetime, column: str | None = None) -> None:
        """Rows whose time lies in [start, end). Columns of dates are compared by the plant's dates."""
        path = column or self.record.time
        if path is None:
            return
        at = self.sql_of(path)
        since, until = (self.instant(moment, path) for moment in (start, end))
        self.wheres.append(f"{at} >= {self.parameters.add(since, 'since')}")
        self.wheres.append(f"{at} < {self.parameters.add(until, 'until')}")

    def instant(self, moment: datetime, path: str) -> object:
        if path in self.plant.model.tables[self.record.table].dates:
            local = self.plant.calendar.local(moment)
            whole = local.time() == datetime.min.time()
            return (local.date() if whole else local.date() + timedelta(days=1)).isoformat()
        return self.plant.write_time(moment, self.record.table)

    def from_sql(self) -> str:
        joined = "".join(f" {text}" for _, text in self.joins.values())
        return f"{quoted(self.record.table)} AS t{joined}"

    def where_sql(self) -> str:
        return " WHERE " + " AND ".join(self.wheres) if self.wheres else ""


def empty_last(text: str, descending: bool = False) -> str:
    """An ORDER BY term that puts what is empty last, as people expect it; left alone, each engine has its own way."""
    return f"CASE WHEN {text} IS NULL THEN 1 ELSE 0 END, {text}{' DESC' if descending else ''}"


def status_name(record: RecordSpec, value: str) -> str:
    """The canonical status behind a person's word. Raises Unanswerable with the statuses that exist."""
    plain = value.lower().replace("-", " ").replace("_", " ").strip()
    for name, spec in record.statuses.items():
        if plain in (name.replace("_", " "), *spec.aliases):
            return name
    known = ", ".join(plain_key(name) for name in record.statuses)
    choices = tuple(Choice(plain_key(name), f"{plain_key(name)} {record.label}") for name in list(record.statuses)[:3])
    message = f"{record.label.capitalize()} have no status {value}; they can be {known}."
    raise Unanswerable(Result("needs_clarification", message=message, choices=choices))


def cannot(record: RecordSpec, key: str) -> Result:
    return Result("no_data", message=f"{record.label.capitalize()} are not recorded by {plain_key(key)}.")


def python_value(value: Any) -> Value:
    """A database value as evidence holds it (Decimal to float); None for a number that no float holds."""
    if value is None or isinstance(value, str | int | bool | datetime):
        return value
    number = float(value)
    return number if math.isfinite(number) else None
