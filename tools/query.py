"""Structured questions to SQL: filters, groupings and periods over one record of the plant model.

No model and no person writes this SQL: field names come from the plant model, values are bound parameters, and days,
weeks and shifts enter as literal half-open ranges that the calendar computed. tests/test_metrics.py compares what comes
out with a second implementation in plain Python over the raw rows.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from rapidfuzz import fuzz, process
from sqlglot import exp

from tools.calendar import Span, Unit
from tools.evidence import Value
from tools.model_file import Clock, Many, RecordSpec, column_path, expression, follow, paths
from tools.plant_model import Plant, quoted
from tools.registry import Call, Choice, Period, Result, Unanswerable

PLACES = ("site", "area", "line", "equipment", "equipment_class")
TIME_KEYS: tuple[Unit, ...] = ("hour", "day", "week", "month", "quarter", "year")
NUMBERS = ("duration_min", "quantity", "age_days")
IDENTITIES = ("id", "lot", "order", "serial")
#: Ranges that fit one statement: the gate takes 12,000 words, and nobody reads more bars than this.
MAX_SPANS = 800


@dataclass(frozen=True)
class Condition:
    """One filter: any of `include`, none of `exclude`, within [low, high]. Empty and None mean no such part."""

    key: str
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None


def conditions(where: Mapping[str, object] | None) -> tuple[Condition, ...]:
    """The contract's `where` as conditions. Raises Unanswerable for a shape that it does not know."""
    found = []
    for key, value in (where or {}).items():
        if value is None or value == [] or value == "":
            continue
        if isinstance(value, Mapping):
            excluded = value.get("not")
            low, high = _number(key, value.get("min")), _number(key, value.get("max"))
            exclude = _texts(excluded) if excluded is not None else ()
            if not exclude and low is None and high is None:
                raise Unanswerable(Result("needs_clarification", message=f"The filter on {_said(key)} is empty."))
            found.append(Condition(key, (), exclude, low, high))
        else:
            found.append(Condition(key, _texts(value)))
    return tuple(found)


def _texts(value: object) -> tuple[str, ...]:
    if isinstance(value, list | tuple | set | frozenset):
        return tuple(str(item) for item in value)
    return (str(value),)


def _number(key: str, value: object) -> float | None:
    if value is None or isinstance(value, bool):
        return None
    match = re.match(r"\s*-?\d+(?:[.,]\d+)?", str(value))
    if not match:
        raise Unanswerable(Result("needs_clarification", message=f"{value} is no number for {_said(key)}."))
    return float(match.group().replace(",", "."))


def _said(key: str) -> str:
    return key.replace("_", " ")


# -- where: the hierarchy and the caller's scope


@dataclass(frozen=True)
class Extent:
    """The part of the plant that is asked for, within the caller's lines. None: no restriction. `equipment` is set
    when machines or classes are named, `lines` when lines, areas or sites are (or the caller's scope is narrower)."""

    equipment: frozenset[str] | None = None
    lines: frozenset[str] | None = None
    limited_to: str = ""
    partial: bool = False


def extent(call: Call, wanted: Sequence[Condition], by: Sequence[str] = ()) -> Extent:
    """Intersect the hierarchy asked for with the caller's scope.

    Raises Unanswerable: `needs_clarification` for names that no place has, `not_allowed` when nothing is left."""
    plant = call.plant
    machines, lines = set(plant.equipment), set(plant.lines)
    named_machines = named_lines = False
    for condition in wanted:
        if condition.key in ("equipment", "equipment_class"):
            named_machines = True
            machines &= _machines(plant, condition)
        elif condition.key in PLACES:
            named_lines = True
            lines &= _lines(plant, condition)
    if named_machines:
        lines &= {plant.equipment[m].line for m in machines} | ({""} if not plant.lines else set())
    asked = set(lines)
    allowed = call.caller.scope.lines
    if allowed is None or not plant.lines:
        if named_lines:
            machines = {m for m in machines if plant.equipment[m].line in lines} if plant.lines else machines
        return Extent(
            frozenset(machines) if named_machines else None, frozenset(lines) if named_lines else None
        )
    lines &= allowed
    if not lines:
        raise Unanswerable(_outside(plant, asked, allowed))
    machines = {m for m in machines if plant.equipment[m].line in lines}
    cut = lines != asked
    limited = ", ".join(sorted(plant.name("line", line) for line in lines)) if cut else ""
    across = named_lines or named_machines or bool({"site", "area", "line", "equipment", "equipment_class"} & set(by))
    return Extent(frozenset(machines) if named_machines else None, frozenset(lines), limited, cut and across)


def _outside(plant: Plant, asked: Iterable[str], allowed: Iterable[str]) -> Result:
    names = ", ".join(sorted(plant.name("line", line) for line in asked)) or "This part of the plant"
    own = ", ".join(sorted(plant.name("line", line) for line in allowed)) or "no line"
    who = "a supervisor, technician or quality engineer may see them"
    return Result("not_allowed", message=f"Records of {names} are outside your lines ({own}); {who}.")


def _machines(plant: Plant, condition: Condition) -> set[str]:
    def of(value: str) -> set[str]:
        if condition.key == "equipment":
            return {resolve(plant, "equipment", value)}
        return set(plant.classes[resolve(plant, "equipment_class", value)])

    return _chosen(condition, set(plant.equipment), of)


def _lines(plant: Plant, condition: Condition) -> set[str]:
    def of(value: str) -> set[str]:
        place = resolve(plant, condition.key, value)
        if condition.key == "line":
            return {place}
        areas = {place} if condition.key == "area" else {a.id for a in plant.areas.values() if a.parent == place}
        return {line.id for line in plant.lines.values() if line.parent in areas}

    return _chosen(condition, set(plant.lines), of)


def _chosen(condition: Condition, everything: set[str], of: Callable[[str], set[str]]) -> set[str]:
    if condition.exclude:
        return everything - set().union(*(of(value) for value in condition.exclude))
    return set().union(*(of(value) for value in condition.include))


def resolve(plant: Plant, kind: str, value: str) -> str:
    """The id behind a name or id. Raises Unanswerable with the nearest real names as choices."""
    words = plant.vocabulary(kind)
    known = words.get(" ".join(value.lower().split())) or words.get(value.lower().replace("_", " "))
    if known is not None:
        return known
    raise Unanswerable(unknown_name(plant, kind, value))


def unknown_name(plant: Plant, kind: str, value: str) -> Result:
    words = plant.vocabulary(kind)
    near: dict[str, None] = {}
    for word, _, _ in process.extract(value.lower(), list(words), scorer=fuzz.WRatio, limit=12, score_cutoff=55):
        near.setdefault(plant.name(kind, words[word]))
    choices = tuple(Choice(name, name) for name in list(near)[:3])
    ask = " Did you mean one of these?" if choices else ""
    article = {"equipment": "machine", "equipment_class": "class of machines"}.get(kind, _said(kind))
    return Result("needs_clarification", message=f"No {article} is called {value}.{ask}", choices=choices)


def values_of(plant: Plant, key: str, said: Sequence[str]) -> tuple[str, ...]:
    """Ids behind the values of a filter that is no place. Words that name no id are taken as part of one
    (`jam` -> conveyor_jam); record ids stay as they are."""
    words = plant.vocabulary(key)
    if not words:
        return tuple(dict.fromkeys(v for text in said for v in (text, text.upper(), text.lower())))
    found: list[str] = []
    for text in said:
        plain = " ".join(text.lower().replace("_", " ").split())
        known = words.get(" ".join(text.lower().split())) or words.get(plain)
        if known is not None:
            found.append(known)
            continue
        parts = [id for word, id in words.items() if len(plain) > 2 and plain in word]
        if not parts:
            raise Unanswerable(unknown_name(plant, key, text))
        found += parts
    return tuple(dict.fromkeys(found))


# -- when: periods, shifts and buckets


@dataclass(frozen=True)
class Bucket:
    """A literal range and what it is called by each time key (`day`, `shift`, ...)."""

    labels: tuple[str, ...]
    span: Span


@dataclass(frozen=True)
class Times:
    """The time part of a question: the whole range, and its buckets when shifts or time keys are asked for."""

    start: datetime
    end: datetime
    keys: tuple[str, ...] = ()
    buckets: tuple[Bucket, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def ranges(self) -> bool:
        return bool(self.buckets)


def times(plant: Plant, period: Period, by: Sequence[str], shifts: Condition | None) -> Times:
    """Buckets of a period. A shift belongs to the day on which it starts, so a period of whole days means the shifts
    that start in it, whole; any other period cuts them. Raises Unanswerable for an unknown shift."""
    keys = tuple(key for key in by if key in TIME_KEYS or key == "shift")
    if not keys and shifts is None:
        return Times(period.start, period.end)
    calendar = plant.calendar
    notes: tuple[str, ...] = ()
    pieces: list[tuple[str, datetime, Span]]
    if shifts is not None or "shift" in keys:
        names = _shift_names(plant, shifts)
        whole = calendar.whole_days(period.start, period.end)
        pieces = []
        for run in calendar.runs(period.start, period.end, names):
            start, end = run.start, run.end
            if whole and not period.start <= start < period.end:
                continue
            if not whole:
                start, end = max(start, period.start), min(end, period.end)
            pieces.append((run.shift.id, calendar.at(run.date), Span(run.shift.id, start, end)))
        if whole:
            notes = ("a shift counts for the day on which it starts",)
    else:
        pieces = [("", period.start, Span("", period.start, period.end))]
    buckets: list[Bucket] = []
    units = [key for key in TIME_KEYS if key in keys]
    for shift, day, span in pieces:
        for piece in calendar.split(span.start, span.end, units[0]) if units else [span]:
            if shift and units and units[0] != "hour":
                piece = replace(span, label=calendar.label(day, units[0]))
            at = day if shift else piece.start
            labels = tuple(
                shift if key == "shift" else piece.label if key == units[0] else calendar.label(at, key)  # type: ignore[arg-type]
                for key in keys
            )
            buckets.append(Bucket(labels, piece))
            if shift and units and units[0] != "hour":
                break
    if len(buckets) > MAX_SPANS and "hour" in keys:
        finer = times(plant, period, [("day" if key == "hour" else key) for key in by], shifts)
        return replace(finer, notes=(*finer.notes, "by day, since the period has too many hours to show"))
    return Times(period.start, period.end, keys, tuple(buckets[:2000]), notes)


def _shift_names(plant: Plant, shifts: Condition | None) -> tuple[str, ...]:
    if shifts is None:
        return ()
    if shifts.exclude:
        without = {resolve(plant, "shift", value) for value in shifts.exclude}
        return tuple(shift.id for shift in plant.calendar.shifts if shift.id not in without)
    return tuple(dict.fromkeys(resolve(plant, "shift", value) for value in shifts.include))


# -- what: one record's rows


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
            _number("age_days", condition.include[0]) if condition.include else None
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
            self.wheres.append(f"{column} = {self.parameters.add(_number(condition.key, text), condition.key)}")

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


def status_name(record: RecordSpec, value: str) -> str:
    """The canonical status behind a person's word. Raises Unanswerable with the statuses that exist."""
    plain = value.lower().replace("-", " ").replace("_", " ").strip()
    for name, spec in record.statuses.items():
        if plain in (name.replace("_", " "), *spec.aliases):
            return name
    known = ", ".join(_said(name) for name in record.statuses)
    choices = tuple(Choice(_said(name), f"{_said(name)} {record.label}") for name in list(record.statuses)[:3])
    message = f"{record.label.capitalize()} have no status {value}; they can be {known}."
    raise Unanswerable(Result("needs_clarification", message=message, choices=choices))


def cannot(record: RecordSpec, key: str) -> Result:
    return Result("no_data", message=f"{record.label.capitalize()} are not recorded by {_said(key)}.")


# -- time in SQL text


def epoch(column: str, dialect: str) -> str:
    """Seconds since 1970 of a time column: the length of a stop within a period is a difference of two instants."""
    if dialect == "postgres":
        return f"EXTRACT(EPOCH FROM CAST({column} AS TIMESTAMP))"
    if dialect == "duckdb":
        return f"EPOCH(CAST({column} AS TIMESTAMP))"
    return f"CAST(STRFTIME('%s', {column}) AS INTEGER)"


def literal(value: object) -> str:
    """A range's edge as SQL text; only the calendar's own values come here."""
    return "'" + str(value).replace("'", "''") + "'"


def spans_sql(plant: Plant, table: str, span: Times) -> str:
    """A CTE `spans` of literal ranges: the labels of each time key, then `since` and `until` in the table's clock."""
    rows = []
    for bucket in span.buckets:
        edges = (plant.write_time(bucket.span.start, table), plant.write_time(bucket.span.end, table))
        rows.append("(" + ", ".join(literal(value) for value in (*bucket.labels, *edges)) + ")")
    names = ", ".join(f"{key}_label" for key in span.keys)
    columns = f"{names}, since, until" if names else "since, until"
    return f"spans({columns}) AS (VALUES {', '.join(rows)})"


def clock_key(clock: Clock) -> str:
    return f"{clock.zone}|{clock.format}"


def python_value(value: Any) -> Value:
    """A database value as evidence holds it (Decimal to float)."""
    if value is None or isinstance(value, str | int | float | bool | datetime):
        return value
    return float(value)
