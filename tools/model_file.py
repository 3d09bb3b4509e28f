"""The plant model file: one YAML that says what a plant's database means, checked before anything is asked of it.

`read_model` promises that a model which loads is complete: every table states its scope, every path follows declared
links to declared columns, every expression parses, every metric's elements exist, and each fault is reported with its
line. tests/test_plant_model.py breaks the shipped model in every one of these ways.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, time
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlglot import exp, parse_one
from sqlglot.errors import SqlglotError

from tools.access import Role
from tools.calendar import Calendar, Shift
from tools.evidence import ColumnKind
from tools.registry import ToolError

UNCERTIFIED = "nobody yet"  # `certified_by` of a drafted metric: its answers are marked as not certified
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class ModelError(ToolError):
    """The plant model cannot be used; `str(error)` names file, line and what is wrong, one fault a line."""


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ShiftSpec(_Strict):
    id: str
    label: str
    start: str
    end: str
    aliases: tuple[str, ...] = ()
    weekdays: tuple[int, ...] = tuple(range(7))


class Clock(_Strict):
    """How instants stand in a table: `zone` of the clock; `format` for strftime (without a time of day: whole dates),
    `native` for a timestamp type, `epoch_s` or `epoch_ms` for numbers since 1970."""

    zone: str = "UTC"
    format: str = "%Y-%m-%d %H:%M:%S"


class LevelSpec(_Strict):
    """One level of the ISA-95 hierarchy: `parent` is the column that names the level above; of machines also `class`,
    `variant` (the type or model) and `software` (the version that runs on it)."""

    table: str
    key: str
    name: str | None = None
    parent: str | None = None
    cls: str | None = Field(None, alias="class")
    variant: str | None = None
    software: str | None = None
    aliases: Mapping[str, tuple[str, ...]] = {}


class WordsSpec(_Strict):
    """Where the names of one kind of thing stand: `key` is its id, `names` further columns that people say."""

    table: str
    key: str
    names: tuple[str, ...] = ()
    aliases: Mapping[str, tuple[str, ...]] = {}


class TableSpec(_Strict):
    """A table that may be read. `scope`: `shared`, `forbidden`, `site` (rows that belong to no line: only for callers
    who see the whole site), or the path to the line that owns a row; with `unowned: visible` rows without a line are
    for everybody. `links`: column -> table whose key it holds."""

    table: str | None = None
    key: str | None = None
    columns: tuple[str, ...] = ()
    links: Mapping[str, str] = {}
    scope: str
    unowned: Literal["hidden", "visible"] = "hidden"
    personal: tuple[str, ...] = ()
    secret: tuple[str, ...] = ()
    dates: tuple[str, ...] = ()
    clock: Clock | None = None


class Many(_Strict):
    """A field that a row has many of: `column` in those rows of `many` whose `key` equals this row's `at`."""

    many: str
    key: str
    at: str
    column: str


class ColumnSpec(_Strict):
    name: str
    label: str
    of: str
    kind: ColumnKind = "text"
    unit: str = ""
    decimals: int | None = None
    wide: bool = False  # shown in detail, left out of lists


class StatusSpec(_Strict):
    """A canonical status: which rows have it. `undated` ones are asked without a period (what is open, in stock);
    `time` is the column that a period then means (closed_at), and `during` replaces `when` beside a period."""

    when: str
    during: str | None = None
    time: str | None = None
    undated: bool = False
    aliases: tuple[str, ...] = ()


class RecordSpec(_Strict):
    """A kind of record. `time` places a row on the time line, `until` ends it; `grain_s` is the length of a row that
    stands for an hour or a day. `default_days` is the period when nobody says one; None: no period."""

    table: str
    label: str
    singular: str
    aliases: tuple[str, ...] = ()
    time: str | None = None
    until: str | None = None
    due: str | None = None
    grain_s: float = 0.0
    default_days: int | None = None
    order: str | None = None
    lead: str | None = None  # rows of a short period for which this holds come first, the longest first: causes
    fields: Mapping[str, str | Many] = {}
    show: tuple[ColumnSpec, ...] = ()
    statuses: Mapping[str, StatusSpec] = {}
    listed: bool = True
    personal: bool = False  # about people: counting by person is not ranking them


class ElementSpec(_Strict):
    """A sum from which metrics are made. `sum`: record -> expression over its row, in order of preference: the first
    record that knows every filter and grouping asked for is used. `overlap` is the seconds of a row within the period.
    `whole` names groupings and filters that leave this element as it is (parts produced, beside scrap by reason).
    `in_line` replaces an expression of `sum` unless the question is about single machines: the stations of a line hand
    the same part on, so a line's parts are counted where they leave it."""

    label: str
    sum: Mapping[str, str]
    in_line: Mapping[str, str] = {}
    kind: ColumnKind = "count"
    unit: str = ""
    whole: tuple[str, ...] = ()
    #: What tools/floods.py counts from the events of the record that `sum` names, by the rules of ISA-18.2.
    derived: Literal["steps", "flood_steps", "floods", "flood_alarms", "peak", "raised", "chattering"] | None = None


class MetricSpec(_Strict):
    label: str
    aliases: tuple[str, ...] = ()
    formula: str
    standard: str = ""
    expression: str
    kind: ColumnKind
    unit: str = ""
    decimals: int | None = None
    direction: Literal["up", "down", "none"]
    default_days: int | None = 7  # None: everything that is recorded
    undefined: str = ""
    loss: str | None = None  # the metric whose reasons explain this one
    certified_by: str
    certified_on: date


class TargetSpec(_Strict):
    """Where targets stand: one row per metric and, where set, line and product, from a date on."""

    table: str
    metric: str
    value: str
    valid_from: str | None = None
    fields: Mapping[str, str] = {}


class GenealogySpec(_Strict):
    """Which lot went into which: each row of `table` says that `child` was made from `parent`."""

    table: str
    child: str
    parent: str
    quantity: str | None = None
    time: str | None = None
    lots: str
    lot_key: str
    lot_show: tuple[ColumnSpec, ...]
    serials: str | None = None
    serial_lot: str | None = None
    lot_order: str | None = None
    shipments: str | None = None
    shipment_lot: str | None = None
    shipment_show: tuple[ColumnSpec, ...] = ()


class SignalsSpec(_Strict):
    """Where signals and their samples stand; limits may be NULL."""

    table: str
    key: str
    equipment: str
    name: str
    unit: str
    low: str | None = None
    high: str | None = None
    samples: str
    sample_signal: str
    sample_time: str
    sample_value: str
    interval_s: float = 300.0
    aliases: Mapping[str, tuple[str, ...]] = {}


class RollupSpec(_Strict):
    """Sums of a record by the hour in a table of their own, which a person makes: `keys` are the record's columns that
    are kept beside them."""

    record: str
    table: str
    keys: tuple[str, ...]


class HazardSpec(_Strict):
    """A kind of danger: the words that name it, and the title of its section in the emergency instruction."""

    label: str
    words: tuple[str, ...]
    instruction: str


class EmergencySpec(_Strict):
    document: str
    number: str
    hazards: Mapping[str, HazardSpec]


class ModelFile(_Strict):
    """The whole file. See docs/plant-model.md."""

    version: Literal[1]
    plant: str
    timezone: str
    clock: Clock = Clock()
    shifts: tuple[ShiftSpec, ...] = ()
    hierarchy: Mapping[Literal["site", "area", "line", "equipment", "equipment_class"], LevelSpec]
    class_aliases: Mapping[str, tuple[str, ...]] = {}
    vocabulary: Mapping[str, tuple[WordsSpec, ...]] = {}
    people: WordsSpec | None = None
    personal_for: tuple[Role, ...] = ()
    tables: Mapping[str, TableSpec]
    freshness: tuple[str, ...] = ()
    records: Mapping[str, RecordSpec]
    elements: Mapping[str, ElementSpec] = {}
    metrics: Mapping[str, MetricSpec] = {}
    targets: TargetSpec | None = None
    genealogy: GenealogySpec | None = None
    signals: SignalsSpec | None = None
    rollups: Mapping[str, RollupSpec] = {}
    emergency: EmergencySpec | None = None

    def calendar(self) -> Calendar:
        shifts = tuple(
            Shift(s.id, s.label, time.fromisoformat(s.start), time.fromisoformat(s.end), s.aliases, frozenset(s.weekdays))
            for s in self.shifts
        )
        return Calendar(ZoneInfo(self.timezone), shifts)

    def clock_of(self, table: str) -> Clock:
        return self.tables[table].clock or self.clock


def json_schema() -> dict[str, Any]:
    """The JSON Schema of a plant model file, for editors."""
    return ModelFile.model_json_schema()


def read_model(path: Path) -> ModelFile:
    """Read and check a plant model. Raises ModelError with every fault and its line."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(f"The plant model {path.name} cannot be read ({type(error).__name__}).") from None
    return parse_model(text, path.name)


def parse_model(text: str, name: str = "plant model") -> ModelFile:
    try:
        data = yaml.load(text, Loader=_LOADER)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{name}:{mark.line + 1}" if mark else name
        raise ModelError(f"{where}: not valid YAML ({getattr(error, 'problem', 'unreadable')})") from None
    if not isinstance(data, dict):
        raise ModelError(f"{name}:1: the file holds no mapping")
    try:
        model = ModelFile.model_validate(data)
    except ValidationError as error:
        faults = [(e["loc"], e["msg"]) for e in error.errors(include_url=False)]
        raise ModelError("\n".join(located(name, text, faults))) from None
    from tools.model_check import faults_of  # these two are about the types of this module
    from tools.rollup_model import expanded

    faults = list(faults_of(model))
    if faults:
        raise ModelError("\n".join(located(name, text, faults)))
    return expanded(model)


Fault = tuple[tuple[int | str, ...], str]


def located(name: str, text: str, faults: Sequence[Fault]) -> list[str]:
    tree = yaml.compose(text, Loader=_LOADER)
    lines = []
    for place, message in faults:
        path = ".".join(str(part) for part in place)
        lines.append(f"{name}:{_line(tree, place)}: {path}: {message}")
    return lines


def _line(node: yaml.Node | None, place: Sequence[int | str]) -> int:
    """The line (from 1) of the deepest part of `place` that the file has."""
    line = node.start_mark.line if node else 0
    for part in place:
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                if str(key.value) == str(part):
                    node, line = value, key.start_mark.line
                    break
            else:
                continue
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line
    return line + 1


def expression(text: str) -> exp.Expression:
    """An expression of the model as a tree. Raises ValueError in one sentence."""
    try:
        found: exp.Expression = parse_one(text, into=exp.Condition, dialect="sqlite")  # type: ignore[assignment]
    except SqlglotError:
        raise ValueError(f"cannot read the expression {text!r}") from None
    if isinstance(found, exp.Query) or found.find(exp.Select):
        raise ValueError(f"an expression may hold no SELECT: {text!r}")
    return found


def column_path(node: exp.Expression) -> tuple[str, ...]:
    """The dotted path of a column reference: `order_id.line_id` -> ("order_id", "line_id")."""
    if isinstance(node, exp.Dot):
        return (*column_path(node.this), node.expression.name)
    return tuple(part.name for part in node.parts) if isinstance(node, exp.Column) else ()


def paths(node: exp.Expression) -> Iterator[tuple[exp.Expression, tuple[str, ...]]]:
    """Every column reference of an expression with its path, outermost first (a Dot holds a Column)."""
    stack: list[exp.Expression] = [node]
    while stack:
        item = stack.pop()
        if isinstance(item, exp.Column | exp.Dot):
            yield item, column_path(item)
        else:
            stack.extend(item.iter_expressions())


def follow(model: ModelFile, table: str, path: Sequence[str]) -> str:
    """The table in which the path's last column stands. Raises ValueError for a step that is not declared."""
    for step in path[:-1]:
        spec = model.tables.get(table)
        target = spec.links.get(step) if spec else None
        if target is None or target not in model.tables:
            raise ValueError(f"{table}.{step} is no declared link")
        table = target
    spec = model.tables.get(table)
    if spec is None:
        raise ValueError(f"unknown table {table}")
    if path[-1] not in (*spec.columns, *spec.personal, *spec.secret):
        raise ValueError(f"{table} has no declared column {path[-1]}")
    return table
