"""The plant as everything else sees it: its model file, its database behind the gate, its calendar and its names.

`Plant.open` loads the hierarchy once; `grants` is the only place where a caller's row scope and a column's sensitivity
become what the gate enforces. tests/test_plant_model.py walks every table of the shipped model.
"""

from __future__ import annotations

import re
import time as clock
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlglot import exp

from tools.access import POLICY, Caller, Policy
from tools.calendar import Calendar
from tools.model_file import ModelError, ModelFile, column_path, expression, json_schema, paths, read_model
from tools.sql import Database, Grants, Rows, SqlRefused, SqlUnavailable, Statement, TableGrant

__all__ = ["EquipmentInfo", "ModelError", "ModelFile", "Place", "Plant", "json_schema", "model_grants", "read_model"]

SHIPPED_MODEL = Path(__file__).with_name("plant_model.yaml")
FRESHNESS_S = 20.0
EPOCH_UNITS: Mapping[str, int] = {"epoch_s": 1, "epoch_ms": 1_000}
WORDS_S = 300.0
#: A time outside these years is a typing error or stands for "never".
YEARS = (1900, 2200)
MAX_WORDS = 20_000


@dataclass(frozen=True)
class Place:
    """A site, area or line: `parent` is the id of the level above."""

    id: str
    name: str
    parent: str = ""
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class EquipmentInfo:
    """A machine and where it stands; `cls` is its equipment class, `variant` its type, `software` the version that runs
    on it. Ids of levels that the plant lacks are empty, and so is what the plant does not know."""

    id: str
    name: str
    line: str
    area: str
    site: str
    cls: str
    aliases: tuple[str, ...] = ()
    variant: str = ""
    software: str = ""


@dataclass(frozen=True)
class Plant:
    """One plant: `model`, `database` and `calendar`, and the hierarchy as read when it was opened."""

    model: ModelFile
    database: Database
    calendar: Calendar
    sites: Mapping[str, Place] = field(default_factory=dict)
    areas: Mapping[str, Place] = field(default_factory=dict)
    lines: Mapping[str, Place] = field(default_factory=dict)
    equipment: Mapping[str, EquipmentInfo] = field(default_factory=dict)
    own_lines: frozenset[str] | None = None  # set in the view of one caller
    foreign: bool = False  # its model is not the shipped one: it may have words that no training knows
    _cache: dict[str, tuple[float, Any]] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def open(cls, model_path: Path | str | None, url: str) -> Plant:
        """Read the model (the shipped one when None), connect, load the hierarchy.

        Raises ModelError for the file, SqlUnavailable for the database."""
        model = read_model(Path(model_path) if model_path else SHIPPED_MODEL)
        bare = cls(model, Database.open(url), model.calendar())
        places = {level: bare._places(level) for level in ("site", "area", "line")}
        machines = bare._machines(places["line"], places["area"])
        own = model_path is not None and Path(model_path).resolve() != SHIPPED_MODEL.resolve()
        return cls(model, bare.database, bare.calendar, places["site"], places["area"], places["line"], machines, foreign=own)

    @property
    def zone(self) -> ZoneInfo:
        return self.calendar.zone

    @cached_property
    def classes(self) -> Mapping[str, tuple[str, ...]]:
        """Equipment class -> ids of its machines."""
        found: dict[str, list[str]] = {}
        for item in self.equipment.values():
            found.setdefault(item.cls, []).append(item.id)
        return {name: tuple(ids) for name, ids in found.items() if name}

    # -- rights

    def grants(self, caller: Caller, policy: Policy = POLICY) -> Grants:
        """What this caller may read: tables without a scope path whole, the others by the caller's lines; personal
        columns NULL unless the role may see them, secret ones always."""
        lines = caller.scope.lines
        own = {self.model.records[r].table: r for r in self.model.records if policy.own_only(caller, r)}
        key = f"grants {caller.role} {lines is None} {sorted(own)}"
        tables = self._cached(key, 3600.0, lambda: self._table_grants(caller, lines is not None, own))
        parameters: dict[str, object] = {}
        if lines is not None:
            parameters["lines"] = sorted(lines) or [""]
        if own:
            parameters["person"] = caller.user
        return Grants(tables, parameters)

    def seen_by(self, caller: Caller) -> Plant:
        """This plant as the caller may know it: names that stand in rows of lines (defects, alarm codes, signals), and
        how fresh the data is, are those of the caller's own lines. The hierarchy stays whole: everybody knows the
        machines by name."""
        lines = caller.scope.lines
        if lines is None or not self.lines or self.own_lines == lines:
            return self
        key = f"seen by {caller.role} of {sorted(lines)}"
        view: Plant = self._cached(key, WORDS_S, lambda: replace(self, own_lines=lines, _cache={}))
        return view

    def shows_part_of(self, kind: str) -> bool:
        """True where this plant is one caller's view and the names of this kind stand in rows of lines."""
        sources = (self.model.people,) if kind in ("person", "operator") else self.model.vocabulary.get(kind, ())
        scopes = [self.model.tables[source.table].scope for source in sources if source is not None]
        return self.own_lines is not None and any(scope != "shared" for scope in scopes)

    @cached_property
    def system_grants(self) -> Grants:
        """For the plant's own questions (names, freshness): every table that is not forbidden, no secret column."""
        grants = model_grants(self.model)
        if self.own_lines is None:
            return grants
        tables = {name: replace(grant, scope=self._line_predicate(name)) for name, grant in grants.tables.items()}
        return Grants(tables, {"lines": sorted(self.own_lines) or [""]})

    def _table_grants(self, caller: Caller, scoped: bool, own: Mapping[str, str]) -> dict[str, TableGrant]:
        sees_personal = caller.role in self.model.personal_for
        found = {}
        for name, table in self.model.tables.items():
            if table.scope == "forbidden":
                continue
            columns = (*table.columns, *(table.personal if sees_personal else ()))
            masked = (*table.secret, *(() if sees_personal else table.personal))
            scope = ""
            if name in own:
                scope = self._own_predicate(name, own[name])
            elif scoped:
                scope = self._line_predicate(name)
            found[name] = TableGrant(table.table or name, columns, masked, scope)
        return found

    def _line_predicate(self, name: str) -> str:
        """Which rows of a table belong to the lines; "" for a table whose rows are everybody's."""
        table = self.model.tables[name]
        if table.scope == "shared":
            return ""
        if table.scope == "site":
            return "1 = 0"
        path = column_path(expression(table.scope))
        scope = self._scope_predicate(name, path)
        return f"{scope} OR {quoted(path[0])} IS NULL" if table.unowned == "visible" else scope

    def _scope_predicate(self, table: str, path: Sequence[str]) -> str:
        """`line_id IN (:lines)`, or the same through the tables that lead to the line."""
        if len(path) == 1:
            return f"{quoted(path[0])} IN (:lines)"
        target = self.model.tables[table].links[path[0]]
        spec = self.model.tables[target]
        inner = self._scope_predicate(target, path[1:])
        return f"{quoted(path[0])} IN (SELECT {quoted(spec.key or '')} FROM {quoted(spec.table or target)} WHERE {inner})"

    def _own_predicate(self, table: str, record: str) -> str:
        person = self.model.records[record].fields.get("operator")
        if not isinstance(person, str) or len(column_path(expression(person))) != 1:
            return "1 = 0"  # a plant whose model does not say whose row it is shows none
        return f"{quoted(person)} = :person"

    # -- names

    def _places(self, level: str) -> dict[str, Place]:
        spec = self.model.hierarchy.get(level)  # type: ignore[call-overload]
        if spec is None:
            return {}
        found = {}
        for row in self._columns(spec.table, (spec.key, spec.name or spec.key, spec.parent or spec.key)):
            place = str(row[0])
            parent = str(row[2]) if spec.parent and row[2] is not None else ""
            found[place] = Place(place, str(row[1] or place), parent, tuple(spec.aliases.get(place, ())))
        return found

    def _machines(self, lines: Mapping[str, Place], areas: Mapping[str, Place]) -> dict[str, EquipmentInfo]:
        spec = self.model.hierarchy.get("equipment")
        if spec is None:
            return {}
        named = (spec.name, spec.parent, spec.cls, spec.variant, spec.software)
        wanted = (spec.key, *(column or spec.key for column in named))
        found = {}
        for row in self._columns(spec.table, wanted):
            machine = str(row[0])
            line = str(row[2]) if spec.parent and row[2] is not None else ""
            area = lines[line].parent if line in lines else ""
            site = areas[area].parent if area in areas else ""
            cls = str(row[3]) if spec.cls and row[3] is not None else ""
            aliases = tuple(spec.aliases.get(machine, ()))
            variant, software = (
                str(value) if column and value is not None else ""
                for column, value in ((spec.variant, row[4]), (spec.software, row[5]))
            )
            found[machine] = EquipmentInfo(machine, str(row[1] or machine), line, area, site, cls, aliases, variant, software)
        return found

    def _columns(self, table: str, columns: Sequence[str]) -> Sequence[tuple[Any, ...]]:
        """Distinct values of some columns of a table, in order."""
        names = ", ".join(f"{quoted(c)} AS c{i}" for i, c in enumerate(columns))
        order = ", ".join(f"c{i}" for i in range(len(columns)))
        sql = f"SELECT DISTINCT {names} FROM {quoted(table)} ORDER BY {order} LIMIT {MAX_WORDS}"
        return self.query(Statement(sql, purpose="document")).rows

    def query(self, statement: Statement) -> Rows:
        """Run one of the plant's own statements, under no caller's rights."""
        return self.database.run(statement, self.system_grants)

    def vocabulary(self, kind: str) -> Mapping[str, str]:
        """What people may say for one kind of thing, lower case, -> its id. Kinds: site, area, line, equipment,
        equipment_class, shift, person (also operator), metric, record, signal, and those of the model's vocabulary
        (product, variant, supplier, customer, reason, defect, alarm, part, certification ...). Empty when unknown."""
        words: dict[str, str] = self._cached(f"words {kind}", WORDS_S, lambda: self._vocabulary(kind))
        return words

    def _vocabulary(self, kind: str) -> dict[str, str]:
        words: dict[str, str] = {}
        model = self.model
        if kind in ("site", "area", "line", "equipment"):
            places: Mapping[str, Place | EquipmentInfo] = {
                "site": self.sites, "area": self.areas, "line": self.lines, "equipment": self.equipment,
            }[kind]  # type: ignore[assignment]  # fmt: skip
            for place in places.values():
                _say(words, place.id, (place.id, place.name, *place.aliases))
        elif kind == "equipment_class":
            for name in self.classes:
                _say(words, name, (name, name.replace("_", " "), *model.class_aliases.get(name, ())))
        elif kind == "shift":
            for shift in self.calendar.shifts:
                _say(words, shift.id, (shift.id, shift.label, *shift.aliases))
        elif kind in ("person", "operator") and model.people is not None:
            self._say_rows(words, (model.people,))
        elif kind == "metric":
            for name, metric in model.metrics.items():
                _say(words, name, (name, name.replace("_", " "), metric.label, *metric.aliases))
        elif kind == "record":
            for name, record in model.records.items():
                if record.listed:
                    _say(words, name, (name, name.replace("_", " "), record.label, record.singular, *record.aliases))
        elif kind == "signal" and model.signals is not None:
            for row in self._columns(model.signals.table, (model.signals.name,)):
                _say(words, str(row[0]), (str(row[0]), *model.signals.aliases.get(str(row[0]), ())))
        else:
            self._say_rows(words, model.vocabulary.get(kind, ()))
        return words

    def _say_rows(self, words: dict[str, str], sources: Iterable[Any]) -> None:
        for source in sources:
            for row in self._columns(source.table, (source.key, *source.names)):
                if row[0] is not None:
                    known = str(row[0])
                    names = [str(v) for v in row if v is not None]
                    _say(words, known, (*names, known.replace("_", " "), *source.aliases.get(known, ())))

    def name(self, kind: str, id: object) -> str:
        """How a thing is shown: its name, with the id where the name does not already say it."""
        key = str(id)
        label = self._cached(f"labels {kind}", WORDS_S, lambda: self._labels(kind)).get(key, key)
        plain = _plain(key)
        return label if plain in _plain(label) or key.isdigit() else f"{label} ({key})"

    def _labels(self, kind: str) -> dict[str, str]:
        if kind in ("site", "area", "line", "equipment"):
            places = {"site": self.sites, "area": self.areas, "line": self.lines, "equipment": self.equipment}[kind]
            return {place.id: place.name for place in places.values()}  # type: ignore[attr-defined]
        if kind == "equipment_class":
            return {name: name.replace("_", " ") for name in self.classes}
        if kind == "shift":
            return {shift.id: shift.label for shift in self.calendar.shifts}
        sources = (self.model.people,) if kind in ("person", "operator") else self.model.vocabulary.get(kind, ())
        found: dict[str, str] = {}
        for source in sources:
            if source is not None and source.names:
                for row in self._columns(source.table, (source.key, source.names[0])):
                    if row[0] is not None and row[1] is not None:
                        found[str(row[0])] = str(row[1])
        return found

    def has(self, kind: str, id: str) -> bool:
        """True when a lot, order, serial or other record id exists, whoever may see it. For the caller's view ask a tool."""
        for record in self.model.records.values():
            path = record.fields.get("id")
            if isinstance(path, str) and path == self.model.tables[record.table].key and path == record.fields.get(kind):
                sql = f"SELECT COUNT(*) FROM {quoted(record.table)} WHERE {quoted(path)} = :id"
                if int(self.query(Statement(sql, {"id": id})).rows[0][0]):
                    return True
        return False

    def holds_integers(self, table: str, column: str) -> bool:
        """True where the database declares a column of whole numbers."""
        known = self._cached("schema", 3600.0, self.database.schema)
        name = (self.model.tables[table].table or table).rpartition(".")[2].casefold()
        for real, columns in known.items():
            if real.rpartition(".")[2].casefold() == name:
                return any(c.name.casefold() == column.casefold() and "int" in c.type.lower() for c in columns)
        return False

    # -- time

    def data_until(self) -> datetime | None:
        """The last instant about which the plant's data says something; None for an empty database."""
        until: datetime | None = self._cached("data until", FRESHNESS_S, self._data_until)
        return until

    def _data_until(self) -> datetime | None:
        latest = []
        for source in self.model.freshness:
            table, _, column = source.partition(".")
            sql = f"SELECT MAX({own_sql(column)}) AS latest FROM {quoted(table)}"
            try:
                value = self.read_time(self.query(Statement(sql)).rows[0][0], table)
            except (SqlRefused, SqlUnavailable) as failure:
                if failure.kind in ("changed", "second_lock"):
                    continue  # a table that vanished or was closed to us says nothing of the others
                raise
            if value is not None:
                grain = max((r.grain_s for r in self.model.records.values() if r.table == table), default=0.0)
                latest.append(value + timedelta(seconds=grain))
        return max(latest, default=None)

    def write_time(self, instant: datetime, table: str) -> object:
        """An instant as the columns of this table hold it, for a parameter."""
        spec = self.model.clock_of(table)
        if spec.format in EPOCH_UNITS:
            return int(instant.timestamp() * EPOCH_UNITS[spec.format])
        local = instant.astimezone(UTC if spec.zone == "UTC" else ZoneInfo(spec.zone))
        if spec.format == "native":
            return local.replace(tzinfo=None)
        if "%H" not in spec.format and local.time() != datetime.min.time():
            local += timedelta(days=1)  # whole dates: a range that ends within a day holds that day
        return local.strftime(spec.format)

    def read_time(self, value: object, table: str) -> datetime | None:
        """A value of a time column as an aware datetime; None where it holds no time that a plant can mean: the year
        9999 stands for "never", and neither zones nor lengths can be reckoned with it."""
        instant = self._instant(value, table)
        return instant if instant is not None and YEARS[0] <= instant.year < YEARS[1] else None

    def _instant(self, value: object, table: str) -> datetime | None:
        if value is None:
            return None
        spec = self.model.clock_of(table)
        zone = UTC if spec.zone == "UTC" else ZoneInfo(spec.zone)
        if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
            return _from_epoch(float(value), spec.format)
        if isinstance(value, str):
            value = _from_text(value, spec.format)
        if isinstance(value, datetime):
            return value if value.tzinfo else value.replace(tzinfo=zone)
        if isinstance(value, date):
            return datetime(value.year, value.month, value.day, tzinfo=zone)
        return None

    def clock_zone(self, table: str) -> tzinfo:
        """The zone in which a table's clock runs."""
        zone = self.model.clock_of(table).zone
        return UTC if zone == "UTC" else ZoneInfo(zone)

    def remembered(self, key: str, seconds: float, make: Callable[[], Any]) -> Any:
        """What `make` finds, kept for so many seconds with this view of the plant."""
        return self._cached(key, seconds, make)

    def _cached(self, key: str, seconds: float, make: Any) -> Any:
        now = clock.monotonic()
        held = self._cache.get(key)
        if held is None or now - held[0] > seconds:
            held = (now, make())
            self._cache[key] = held
        return held[1]

    def close(self) -> None:
        self.database.close()


def model_grants(model: ModelFile) -> Grants:
    """Every table of a model that is not forbidden, whole, without its secret and personal columns."""
    return Grants(
        {name: TableGrant(table.table or name, table.columns) for name, table in model.tables.items() if table.scope != "forbidden"}
    )


def _from_epoch(value: float, format: str) -> datetime | None:
    try:
        return datetime.fromtimestamp(value / EPOCH_UNITS[format], UTC)
    except (KeyError, ValueError, OverflowError, OSError):
        return None


def _from_text(value: str, format: str) -> datetime | None:
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        pass
    try:
        return datetime.strptime(value, format)
    except ValueError:
        return None


def _say(words: dict[str, str], id: str, names: Iterable[str]) -> None:
    """The first thing that claims a word keeps it: an id before another thing's alias."""
    for name in names:
        words.setdefault(" ".join(name.lower().split()), id)


def own_sql(text: str) -> str:
    """An expression of the model over the columns of one table alone, as SQL."""
    holder = exp.Paren(this=expression(text))
    for node, path in list(paths(holder.this)):
        node.replace(exp.column(path[-1], quoted=True))
    return str(holder.this.sql("sqlite"))


def _plain(text: str) -> str:
    return re.sub(r"[^0-9a-z]", "", text.lower())


def quoted(name: str) -> str:
    """An identifier as both lock and engine take it; foreign schemas write mixed case and reserved words."""
    return name if re.fullmatch(r"[a-z_][a-z0-9_]*", name) and name not in _RESERVED else f'"{name}"'


_RESERVED = frozenset(("order", "group", "limit", "user", "table", "value", "values", "date", "time", "index", "key",
                       "column", "select", "from", "where", "by", "case", "end", "check", "default", "offset", "rows"))  # fmt: skip
