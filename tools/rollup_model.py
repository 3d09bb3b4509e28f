"""Rollups in a plant model: sums by the hour that stand in a table of their own, where the rows of a record are too many.

`expanded` adds to a model, for each rollup, the table, the record and the sums that the compiler may take instead of the
rows; what a rollup leaves out (columns, statuses, what only single rows know) its record does not have, so that a question
about it goes to the rows. tests/test_rollups.py compares both ways of answering.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tools.model_file import ElementSpec, Fault, Many, ModelFile, RecordSpec, RollupSpec, TableSpec, column_path, expression, paths

STATE = "andon_rollups"
STATE_COLUMNS = ("rollup", "definition", "complete_until")
BUCKET, COUNTED = "bucket_start", "counted_rows"
HOUR_S = 3600
#: Clocks whose hour can be cut out of a value: up to %H, then minutes and seconds.
_CLOCK = re.compile(r"(?P<hour>%Y-%m-%d[ T]%H)(?P<rest>:%M(?::%S)?)")


def own_column(element: str) -> str:
    """The column of an element's sum."""
    return f"sum_{element}"


def line_column(element: str) -> str:
    """The column of its sum as it counts in a line (`in_line`)."""
    return f"line_{element}"


def clock_parts(format: str) -> tuple[int, str] | None:
    """How an hour is cut out of a text instant: so many characters, then this tail. None: another kind of clock."""
    match = _CLOCK.fullmatch(format)
    if match is None:
        return None
    return len("2026-01-01 00"), match["rest"].replace("%M", "00").replace("%S", "00")


def elements_in(model: ModelFile, record: str) -> Iterator[tuple[str, ElementSpec]]:
    """The elements that are plain sums over the rows of a record."""
    for name, element in model.elements.items():
        if element.sum.get(record, "overlap") != "overlap" and element.derived is None:
            yield name, element


def faults_of_rollups(model: ModelFile) -> Iterator[Fault]:
    for name, rollup in model.rollups.items():
        place = ("rollups", name)
        raw = model.records.get(rollup.record)
        if raw is None:
            yield (*place, "record"), f"unknown record {rollup.record}"
            continue
        table = model.tables.get(raw.table)
        if table is None:
            continue  # said of the record itself
        if name in model.records:
            yield place, f"{name} is the name of a record already"
        if rollup.table in model.tables or rollup.table == STATE:
            yield (*place, "table"), f"{rollup.table} is a table of the model already"
        for key in rollup.keys:
            if key not in table.columns:
                yield (*place, "keys"), f"{key} is not among the columns of {raw.table}"
        if raw.time is None or len(column_path(expression(raw.time))) != 1:
            yield (*place, "record"), f"{rollup.record} has no time of its own"
        if table.scope not in ("shared", "site", "forbidden") and column_path(expression(table.scope))[0] not in rollup.keys:
            yield (*place, "keys"), f"without {column_path(expression(table.scope))[0]} a rollup cannot tell whose line a row is of"
        clock = model.clock_of(raw.table)
        if clock.format != "native" and clock_parts(clock.format) is None:
            yield place, f"a clock written {clock.format!r} cannot be cut into hours"
        if not any(elements_in(model, rollup.record)):
            yield (*place, "record"), f"no element is summed over {rollup.record}"


def expanded(model: ModelFile) -> ModelFile:
    """The model with a table, a record and sums for each of its rollups. The file itself stays as it was written."""
    if not model.rollups:
        return model
    tables, records, elements = dict(model.tables), dict(model.records), dict(model.elements)
    tables[STATE] = TableSpec(scope="shared", columns=STATE_COLUMNS)
    for name, rollup in model.rollups.items():
        raw = model.records[rollup.record]
        summed = dict(elements_in(model, rollup.record))
        tables[rollup.table] = _table(model.tables[raw.table], rollup, summed, raw.table, model)
        records[name] = _record(raw, rollup)
        for element, spec in summed.items():
            in_line = dict(elements[element].in_line)
            if rollup.record in spec.in_line:
                in_line[name] = line_column(element)
            changed = {"sum": {**elements[element].sum, name: own_column(element)}, "in_line": in_line}
            elements[element] = elements[element].model_copy(update=changed)
    return model.model_copy(update={"tables": tables, "records": records, "elements": elements})


def _table(raw: TableSpec, rollup: RollupSpec, summed: dict[str, ElementSpec], name: str, model: ModelFile) -> TableSpec:
    lines = [line_column(element) for element, spec in summed.items() if rollup.record in spec.in_line]
    return TableSpec(
        columns=(*rollup.keys, BUCKET, COUNTED, *(own_column(element) for element in summed), *lines),
        links={column: target for column, target in raw.links.items() if column in rollup.keys},
        scope=raw.scope,
        unowned=raw.unowned,
        dates=tuple(column for column in raw.dates if column in rollup.keys),
        clock=model.clock_of(name),
    )


def _record(raw: RecordSpec, rollup: RollupSpec) -> RecordSpec:
    def known(path: str | Many) -> bool:
        text = path.at if isinstance(path, Many) else path
        return all(found[0] in rollup.keys for _, found in paths(expression(text)))

    return RecordSpec(
        table=rollup.table,
        label=raw.label,
        singular=raw.singular,
        time=BUCKET,
        grain_s=HOUR_S,
        fields={key: path for key, path in raw.fields.items() if known(path)},
        listed=False,
    )
