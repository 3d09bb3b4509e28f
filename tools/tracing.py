"""Material tracing: which lots went into a lot, where it went, which serials and customers hold it.

The genealogy is a graph: lots are split and merged, and bad data may hold cycles. It is walked breadth first, one
statement a generation, each edge once, under the caller's rights; what lies outside the caller's lines is counted as
hidden, not shown. tests/test_tracing.py compares with a plain graph search.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from tools.evidence import Column, Evidence, Value, fact
from tools.labels import query_of
from tools.model_file import ColumnSpec, GenealogySpec, RecordSpec
from tools.plant_model import Plant, quoted
from tools.query import Parameters, Rowset, python_value
from tools.records import shown_column, shown_row
from tools.registry import Call, Result, Unanswerable
from tools.sql import Rows, SqlRefused, Statement

Direction = Literal["backward", "forward", "both"]
MAX_GENERATIONS = 25
MAX_LOTS = 2_000
CHUNK = 400  # lots a statement; the engines bind a few thousand values at most


@dataclass(frozen=True)
class Edge:
    """`child` was made from `parent`; `depth` counts generations from the lot asked for."""

    child: str
    parent: str
    depth: int
    quantity: float | None
    direction: Literal["backward", "forward"]

    @property
    def found(self) -> str:
        """The lot that this edge leads to, seen from where the trace began."""
        return self.parent if self.direction == "backward" else self.child


@dataclass(frozen=True)
class _Walk:
    edges: tuple[Edge, ...]
    answers: tuple[Rows, ...]
    cut: bool


def trace_material(
    call: Call,
    lot: str | None = None,
    serial: str | None = None,
    order: str | None = None,
    direction: Direction = "both",
) -> Result:
    """Trace a lot, serial number or production order: `backward` to what went in, `forward` to where it went (lots,
    serials, shipments, customers), or `both`."""
    try:
        return _trace(call, lot, serial, order, direction)
    except Unanswerable as stop:
        return stop.result


def _trace(call: Call, lot: str | None, serial: str | None, order: str | None, direction: Direction) -> Result:
    plant = call.plant
    spec = plant.model.genealogy
    if spec is None:
        raise Unanswerable(Result("no_data", message="The plant's database holds no genealogy of lots."))
    if not (lot or serial or order):
        raise Unanswerable(Result("needs_clarification", message="Which lot, serial number or order shall be traced?"))
    starts, said = _starts(call, spec, lot, serial, order)
    if not starts:
        raise Unanswerable(Result("no_data", message=f"There is no {said}."))
    walks = [
        _walk(call, spec, starts, way)
        for way in ("backward", "forward")
        if direction in (way, "both")
    ]  # fmt: skip
    edges = tuple(edge for walk in walks for edge in walk.edges)
    lots = list(dict.fromkeys([*starts, *(edge.found for edge in edges)]))
    rows, answer = _lots(call, spec, lots)
    hidden = sum(1 for item in lots if item not in rows)
    evidence = [_tree(call, spec, said, starts, edges, rows, walks, answer, direction)]
    if direction in ("forward", "both"):
        ahead = [*starts, *(edge.found for edge in edges if edge.direction == "forward")]
        shipped = _shipments(call, spec, said, ahead, serial if serial and not lot else None)
        if shipped is not None:
            evidence.append(shipped)
    status: Literal["answered", "partial"] = "answered"
    limited = ""
    if call.caller.scope.lines is not None and plant.lines:
        limited = ", ".join(sorted(plant.name("line", line) for line in call.caller.scope.lines))
        status = "partial" if hidden or direction != "backward" else "answered"
    data: dict[str, Any] = {
        "starts": starts, "said": said, "direction": direction, "edges": edges, "cut": any(walk.cut for walk in walks),
        "serial": serial, "order": order,
    }  # fmt: skip
    return Result(status, tuple(evidence), limited_to=limited if status == "partial" else "", data=data)


def _starts(
    call: Call, spec: GenealogySpec, lot: str | None, serial: str | None, order: str | None
) -> tuple[list[str], str]:
    """The lots that the trace begins at, and how they were named. Ids are compared without case."""
    plant = call.plant
    if lot:
        return _column_of(call, spec.lots, spec.lot_key, spec.lot_key, lot), f"lot {lot}"
    if serial and spec.serials and spec.serial_lot:
        key = plant.model.tables[spec.serials].key or ""
        return _column_of(call, spec.serials, spec.serial_lot, key, serial), f"serial number {serial}"
    if order and spec.lot_order:
        return _column_of(call, spec.lots, spec.lot_key, spec.lot_order, order), f"order {order}"
    kind = "serial numbers" if serial else "orders"
    raise Unanswerable(Result("no_data", message=f"The plant's database does not link lots with {kind}."))


def _column_of(call: Call, table: str, wanted: str, key: str, value: str) -> list[str]:
    plant = call.plant
    said: list[object] = list(dict.fromkeys((value, value.upper())))
    if plant.holds_integers(table, key):
        said = [int(value)] if value.lstrip("-").isdigit() else [-1]
    sql = (
        f"SELECT DISTINCT {quoted(wanted)} AS found FROM {quoted(table)}"
        f" WHERE {quoted(key)} IN (:said) ORDER BY {quoted(wanted)}"
    )
    answer = _run(call, sql, {"said": said})
    return [str(row[0]) for row in answer.rows if row[0] is not None]


def _walk(call: Call, spec: GenealogySpec, starts: Sequence[str], way: str) -> _Walk:
    """Breadth first from `starts`; a lot that was seen is not walked again, so cycles end."""
    near, far = (spec.child, spec.parent) if way == "backward" else (spec.parent, spec.child)
    quantity = quoted(spec.quantity) if spec.quantity else "NULL"
    seen, frontier = set(starts), list(starts)
    edges: dict[tuple[str, str], Edge] = {}
    answers: list[Rows] = []
    depth = 0
    while frontier and depth < MAX_GENERATIONS and len(seen) < MAX_LOTS:
        depth += 1
        following: list[str] = []
        for begin in range(0, len(frontier), CHUNK):
            chunk: list[object] = list(frontier[begin : begin + CHUNK])
            if call.plant.holds_integers(spec.table, near):
                chunk = [int(str(item)) for item in chunk]
            sql = (
                f"SELECT {quoted(spec.child)} AS child, {quoted(spec.parent)} AS parent, {quantity} AS quantity"
                f" FROM {quoted(spec.table)} WHERE {quoted(near)} IN (:lots)"
                f" ORDER BY {quoted(spec.child)}, {quoted(spec.parent)}"
            )
            answer = _run(call, sql, {"lots": chunk})
            answers.append(answer)
            for child, parent, amount in answer.rows:
                edge = Edge(str(child), str(parent), depth, float(amount) if amount is not None else None,
                            "backward" if way == "backward" else "forward")  # fmt: skip
                if (edge.child, edge.parent) in edges:
                    continue
                edges[edge.child, edge.parent] = edge
                other = edge.parent if far == spec.parent else edge.child
                if other not in seen:
                    seen.add(other)
                    following.append(other)
        frontier = following
    return _Walk(tuple(edges.values()), tuple(answers), bool(frontier) or any(a.truncated for a in answers))


def _record(table: str, show: tuple[ColumnSpec, ...]) -> RecordSpec:
    return RecordSpec(table=table, label=table, singular=table, show=show)


def _lots(call: Call, spec: GenealogySpec, lots: Sequence[str]) -> tuple[dict[str, dict[str, Value]], Rows | None]:
    """What is known of each lot that the caller may see, and the last statement."""
    found: dict[str, dict[str, Value]] = {}
    answer: Rows | None = None
    key = ColumnSpec(name="lot", label="Lot", of=spec.lot_key, kind="id")
    shown = (key, *spec.lot_show)
    record = _record(spec.lots, shown)
    for begin in range(0, len(lots), CHUNK):
        answer = _rows_of(call, record, shown, spec.lot_key, lots[begin : begin + CHUNK])
        for values in answer.rows:
            row = shown_row(call.plant, record, shown, values)
            found[str(row["lot"])] = row
    return found, answer


def _rows_of(call: Call, record: RecordSpec, shown: Sequence[ColumnSpec], key: str, values: Sequence[str]) -> Rows:
    plant = call.plant
    rows = Rowset(plant, record, Parameters(), call.now)
    columns = ", ".join(f"{rows.sql_of(column.of)} AS {column.name}" for column in shown)
    wanted: list[object] = list(values)
    if plant.holds_integers(record.table, key):
        wanted = [int(value) for value in values]
    rows.wheres.append(f"{rows.sql_of(key)} IN ({rows.parameters.add(wanted, 'lots')})")
    sql = f"SELECT {columns} FROM {rows.from_sql()}{rows.where_sql()} ORDER BY {rows.sql_of(shown[0].of)}"
    return _run(call, sql, rows.parameters.values)


def _tree(
    call: Call, spec: GenealogySpec, said: str, starts: Sequence[str], edges: Sequence[Edge],
    rows: dict[str, dict[str, Value]], walks: Sequence[_Walk], lots: Rows | None, direction: Direction,
) -> Evidence:  # fmt: skip
    """One row for the lot asked for, then one a link: generation, relation, quantity used, and what the lot is."""
    columns = (
        Column("lot", "Lot", "id"), Column("relation", "Relation"), Column("generation", "Generation", "count"),
        Column("of", "Linked to", "id"), Column("used", "Quantity used", "number"),
        *(shown_column(column) for column in spec.lot_show),
    )  # fmt: skip
    out: list[dict[str, Value]] = []
    for start in starts:
        out.append({**rows.get(start, {}), "lot": start, "relation": "traced", "generation": 0, "of": None, "used": None})
    for edge in edges:
        known = rows.get(edge.found)
        if known is None:
            continue
        relation = "went in" if edge.direction == "backward" else "made from it"
        other = edge.child if edge.direction == "backward" else edge.parent
        out.append({**known, "lot": edge.found, "relation": relation, "generation": edge.depth, "of": other, "used": edge.quantity})
    answers = [answer for walk in walks for answer in walk.answers]
    last = answers[0] if answers else lots
    query = None if last is None else replace(
        query_of(call.plant, last, True, "", len(last.rows)), truncated=any(walk.cut for walk in walks),
        answers=(*answers, *([lots] if lots is not None else [])),
    )  # fmt: skip
    back = {edge.found for edge in edges if edge.direction == "backward"}
    ahead = {edge.found for edge in edges if edge.direction == "forward"}
    facts = {
        "traced": fact("Traced", said),
        "went_in": fact("Lots that went in", len(back & rows.keys()), "count"),
        "made_from": fact("Lots made from it", len(ahead & rows.keys()), "count"),
        "generations": fact("Generations", max((edge.depth for edge in edges), default=0), "count"),
    }
    if loops := sorted({edge.found for edge in edges if edge.found in starts}):
        facts["loops"] = fact("Lots that the records lead back to", ", ".join(loops))
    if suppliers := sorted({str(rows[item]["supplier"]) for item in back & rows.keys() if rows[item].get("supplier")}):
        facts["suppliers"] = fact("Suppliers", ", ".join(suppliers))
    return Evidence("query", f"Genealogy of {said}, {direction}", columns, tuple(out), "lot", facts, query=query)


def _shipments(
    call: Call, spec: GenealogySpec, said: str, lots: Sequence[str], serial: str | None
) -> Evidence | None:
    """Where the lots were shipped, and how many serials they hold."""
    if spec.shipments is None or spec.shipment_lot is None:
        return None
    record = _record(spec.shipments, spec.shipment_show)
    out: list[dict[str, Value]] = []
    last: Rows | None = None
    unique = list(dict.fromkeys(lots))
    for begin in range(0, len(unique), CHUNK):
        try:
            last = _rows_of(call, record, spec.shipment_show, spec.shipment_lot, unique[begin : begin + CHUNK])
        except SqlRefused:
            return None
        out += [shown_row(call.plant, record, spec.shipment_show, values) for values in last.rows]
    serials = _serials(call, spec, unique) if serial is None else 1
    customers = sorted({str(row["customer"]) for row in out if row.get("customer")})
    facts = {
        "shipments": fact("Shipments", len(out), "count"),
        "customers": fact("Customers", ", ".join(customers)),
        "serials": fact("Serial numbers in these lots", serials, "count"),
    }
    columns = tuple(shown_column(column) for column in spec.shipment_show)
    query = query_of(call.plant, last, True, "", len(last.rows)) if last is not None else None
    return Evidence("query", f"Shipments of {said} and what was made from it", columns, tuple(out), columns[0].name, facts, query=query)


def _serials(call: Call, spec: GenealogySpec, lots: Sequence[str]) -> Value:
    if spec.serials is None or spec.serial_lot is None:
        return None
    counted = 0
    for begin in range(0, len(lots), CHUNK):
        chunk = list(lots[begin : begin + CHUNK])
        sql = f"SELECT COUNT(*) AS serials FROM {quoted(spec.serials)} WHERE {quoted(spec.serial_lot)} IN (:lots)"
        counted += int(str(python_value(_run(call, sql, {"lots": chunk}).rows[0][0])))
    return counted


def _run(call: Call, sql: str, parameters: dict[str, object]) -> Rows:
    plant: Plant = call.plant
    return plant.database.run(
        Statement(sql, parameters), plant.grants(call.caller, call.policy), deadline_s=call.deadline_s
    )
