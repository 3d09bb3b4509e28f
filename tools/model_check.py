"""Whether a plant model is whole: paths follow declared links, expressions name declared columns, metrics their elements.

Each fault is a place in the file and a sentence; tests/test_plant_model.py breaks the shipped model in each way.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import time
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tools.model_file import Fault, Many, ModelFile, RecordSpec, expression, follow, paths
from tools.rollup_model import faults_of_rollups


def faults_of(model: ModelFile) -> Iterator[Fault]:
    try:
        ZoneInfo(model.timezone)
    except (ZoneInfoNotFoundError, ValueError):
        yield ("timezone",), f"unknown time zone {model.timezone!r}"
    for index, shift in enumerate(model.shifts):
        for edge in ("start", "end"):
            try:
                time.fromisoformat(getattr(shift, edge))
            except ValueError:
                yield ("shifts", index, edge), f"{getattr(shift, edge)!r} is no time of day (HH:MM)"
    yield from _check_tables(model)
    for level, spec in model.hierarchy.items():
        for column in (spec.key, spec.name, spec.parent, spec.cls, spec.variant, spec.software):
            if column is not None:
                yield from _try_path(model, spec.table, column, ("hierarchy", level))
    for kind, sources in model.vocabulary.items():
        for index, words in enumerate(sources):
            for column in (words.key, *words.names):
                yield from _try_path(model, words.table, column, ("vocabulary", kind, index))
    for index, path in enumerate(model.freshness):
        table, _, column = path.partition(".")
        yield from _try_path(model, table, column, ("freshness", index))
    for name, record in model.records.items():
        yield from _check_record(model, name, record)
    yield from _check_metrics(model)
    yield from faults_of_rollups(model)


def _check_tables(model: ModelFile) -> Iterator[Fault]:
    for name, table in model.tables.items():
        place = ("tables", name)
        known = {*table.columns, *table.personal, *table.secret}
        if table.key is not None and table.key not in known:
            yield (*place, "key"), f"{table.key} is not among the columns"
        for column, target in table.links.items():
            if column not in known:
                yield (*place, "links"), f"{column} is not among the columns"
            if target not in model.tables:
                yield (*place, "links", column), f"unknown table {target}"
            elif model.tables[target].key is None:
                yield (*place, "links", column), f"the table {target} declares no key"
        if table.scope not in ("shared", "forbidden", "site"):
            if "line" not in model.hierarchy:
                yield (*place, "scope"), "a scope path needs the hierarchy level line"
            yield from _try_path(model, name, table.scope, (*place, "scope"))


def _try_path(model: ModelFile, table: str, text: str, place: tuple[int | str, ...]) -> Iterator[Fault]:
    spec = model.tables.get(table)
    if spec is not None and text in (*spec.columns, *spec.personal, *spec.secret):
        return  # a column's own name, however it is written
    try:
        tree = expression(text)
        for _, path in paths(tree):
            follow(model, table, path)
    except ValueError as error:
        yield place, str(error)


def _check_record(model: ModelFile, name: str, record: RecordSpec) -> Iterator[Fault]:
    place = ("records", name)
    if record.table not in model.tables:
        yield (*place, "table"), f"unknown table {record.table}"
        return
    if model.tables[record.table].scope == "forbidden":
        yield (*place, "table"), f"the table {record.table} is forbidden"
    for part in ("time", "until", "due", "lead"):
        if getattr(record, part) is not None:
            yield from _try_path(model, record.table, getattr(record, part), (*place, part))
    for key, path in record.fields.items():
        if isinstance(path, Many):
            yield from _try_path(model, record.table, path.at, (*place, "fields", key))
            yield from _try_path(model, path.many, path.key, (*place, "fields", key))
            yield from _try_path(model, path.many, path.column, (*place, "fields", key))
        else:
            yield from _try_path(model, record.table, path, (*place, "fields", key))
    for index, column in enumerate(record.show):
        yield from _try_path(model, record.table, column.of, (*place, "show", index))
    for status, spec in record.statuses.items():
        for text in filter(None, (spec.when, spec.during, spec.time)):
            yield from _try_path(model, record.table, text, (*place, "statuses", status))
    if record.order and record.order.split()[0] not in {c.name for c in record.show}:
        yield (*place, "order"), f"{record.order.split()[0]} is not among the shown columns"


def _check_metrics(model: ModelFile) -> Iterator[Fault]:
    for name, element in model.elements.items():
        for record, text in (*element.sum.items(), *element.in_line.items()):
            place = ("elements", name, "sum", record)
            if record not in model.records:
                yield place, f"unknown record {record}"
            elif text != "overlap":
                yield from _try_path(model, model.records[record].table, text, place)
            elif not model.records[record].until:
                yield place, f"overlap needs records.{record}.until"
    for name, metric in model.metrics.items():
        try:
            used = {path[0] for _, path in paths(expression(metric.expression))}
        except ValueError as error:
            yield ("metrics", name, "expression"), str(error)
            continue
        for unknown in sorted(used - set(model.elements)):
            yield ("metrics", name, "expression"), f"unknown element {unknown}"
        if metric.loss is not None and metric.loss not in model.metrics:
            yield ("metrics", name, "loss"), f"unknown metric {metric.loss}"
