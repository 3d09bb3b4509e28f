"""The records of a drafted model: what of each table can be listed, filtered and grouped.

Every table that may be read becomes a record: under a canonical name where its role is known, else under its own.
tests/test_model_draft.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tools.draft_statuses import add_statuses
from tools.draft_text import iso_sql, name_column, own_name, q, readable
from tools.draft_values import duration_like, seconds_of, seen_values, values_of
from tools.schema_profile import ColumnProfile, Reader, SchemaProfile
from tools.schema_roles import NUMERIC, Role, paths_to, sensitivity
from tools.schema_words import distinct, label_of, own_words, plural, singular, split, unit_of

MOST_SHOWN = 9


_KEY_OF = {"equipment": "equipment", "line": "line", "area": "area", "site": "site", "product": "product", "variant": "variant", "supplier": "supplier",
           "customer": "customer", "part": "part", "spare_parts": "part", "people": "operator", "reason": "reason", "defect": "defect",
           "production_orders": "order", "lots": "lot", "shift": "shift"}  # fmt: skip


@dataclass
class Drafted:
    """One record in the making; `enumerations` are the fields whose values are few words of a column of its own."""

    role: Role
    table: str
    label: str
    singular: str
    evidence: str
    aliases: tuple[str, ...] = ()
    listed: bool = True
    time: str = ""
    own_time: bool = False
    until: str = ""
    due: str = ""
    order: str = ""
    grain_s: float = 0.0
    fields: dict[str, str] = field(default_factory=dict)
    show: list[dict[str, Any]] = field(default_factory=list)
    statuses: dict[str, dict[str, Any]] = field(default_factory=dict)
    enumerations: dict[str, tuple[str, str]] = field(default_factory=dict)
    measures: dict[str, ColumnProfile] = field(default_factory=dict)


_ALIASES = {
    "production_orders": ["production orders", "work orders", "orders", "jobs"], "maintenance_orders": ["maintenance orders", "work orders", "maintenance jobs", "repairs"],
    "downtime_events": ["stops", "downtimes", "downtime records", "downtime events", "stoppages", "breakdowns"], "alarm_events": ["alarms", "alarm events", "faults"],
    "nonconformances": ["nonconformances", "ncrs", "defects", "quality issues"], "quality_results": ["quality checks", "inspections", "quality results", "tests"],
    "spare_parts": ["inventory", "stock", "spare parts", "parts", "items"], "lots": ["lots", "batches"], "certifications": ["certifications", "certificates", "trainings"],
    "equipment": ["machines", "equipment", "assets"], "products": ["products", "articles", "items"], "production_records": ["production records"],
    "maintenance_logs": ["maintenance logs", "maintenance records"], "people": ["people", "employees", "operators", "staff", "workers"],
    "suppliers": ["suppliers", "vendors"], "customers": ["customers"], "lines": ["lines"], "bill_of_material": ["bill of materials", "bom"],
    "changeovers": ["changeovers", "setups"], "scrap_records": ["scrap records", "rejects"], "capas": ["capas", "corrective actions", "actions"],
}  # fmt: skip


_RECORD_OF_DIMENSION = {"product": "products", "people": "people", "supplier": "suppliers", "customer": "customers", "line": "lines", "area": "areas",
                        "site": "sites", "variant": "variants", "reason": "reasons", "defect": "defect_types", "signal": "signals", "part": "spare_parts",
                        "shift": "shifts", "calendar": "calendar_days"}  # fmt: skip


_UNCOUNTED = {"inventory": "item", "equipment": "unit", "energy": "record", "consumption": "record", "maintenance": "record", "quality": "record", "production": "record",
              "downtime": "event", "scrap": "record", "genealogy": "entry", "training": "record", "log": "entry", "history": "entry", "bom": "entry", "rework": "record"}  # fmt: skip


def drafted_records(
    schema: SchemaProfile, roles: Mapping[str, Role], levels: Mapping[str, Mapping[str, Any]], reader: Reader
) -> dict[str, Drafted]:
    """Every readable table as a record, by its name in the model."""
    found: dict[str, Drafted] = {}
    given = {role.name for role in roles.values()}
    for role in roles.values():
        if role.kind == "closed":
            continue
        name = _RECORD_OF_DIMENSION.get(role.name, role.name) if role.kind == "dimension" else role.name
        if name in found or (role.kind == "dimension" and name != role.name and name in given):
            name = own_name(role.table.name, {*found, *given})
        found[name] = _record(name, role, roles, levels, schema, reader)
    return found


def _record(
    name: str, role: Role, roles: Mapping[str, Role], levels: Mapping[str, Mapping[str, Any]], schema: SchemaProfile, reader: Reader
) -> Drafted:
    own = own_words(role.table.name)
    label = label_of(role.table.name).lower()
    words = label.split()
    one = " ".join([*words[:-1], singular(words[-1])])
    many = " ".join([*words[:-1], plural(singular(words[-1]))])
    aliases = distinct([own, many, one, *_ALIASES.get(name, [])])
    core = [w for w in words if w not in ("log", "history", "detail", "details", "fact", "entry", "protocol", "journal", "transaction")]
    if core and len(core) < len(words):
        aliases = distinct([*aliases, " ".join([*core[:-1], plural(singular(core[-1]))]), " ".join([*core[:-1], singular(core[-1])])])
    if words[-1] in _UNCOUNTED:
        one, many = f"{' '.join(words)} {_UNCOUNTED[words[-1]]}", f"{' '.join(words)} {plural(_UNCOUNTED[words[-1]])}"
        aliases = distinct([*aliases, one, many])
    record = Drafted(role, role.table.name, many, one, role.evidence, aliases)
    if role.doubtful:
        record.evidence = f"CHECK: {role.evidence}"
    columns = [c for c in role.table.columns if not sensitivity(role, c)]
    _place_in_time(record, roles)
    _canonical_fields(record, roles, levels, columns)
    _own_fields(record, columns, roles, reader)
    record.show = _shown(record, columns, roles, reader)
    add_statuses(record, name, schema.dialect, reader)
    if record.time and record.own_time:
        record.order = next((f"{c['name']} desc" for c in record.show if c.get("kind") in ("time", "date")), "")
    return record


def _place_in_time(record: Drafted, roles: Mapping[str, Role]) -> None:
    role = record.role
    at = role.column("time")
    if at is not None and readable(at) and role.kind != "dimension" and role.name != "spare_parts":
        record.time, record.own_time = iso_sql(at), True
        end = role.column("end")
        if end is not None and at.name == role.parts.get("start") and end.format == at.format:
            record.until = iso_sql(end)
        due = role.column("due") or role.column("planned_end")
        if due is not None and readable(due) and due.format == at.format:
            record.due = iso_sql(due)
        return
    if role.kind == "dimension":
        return
    for column in role.table.columns:
        other = roles.get(column.link) if column.link else None
        there = other.column("time") if other and other.kind == "record" else None
        if (
            other is not None
            and there is not None
            and readable(there)
            and there.format in ("native", "epoch_s", "epoch_ms", "%Y-%m-%d %H:%M:%S")
        ):
            record.time = f"{q(column.name)}.{q(there.name)}"
            if there.format != "%Y-%m-%d %H:%M:%S":
                record.time = ""  # this table has no clock of its own, and the plant's reads another format
            return


def _canonical_fields(
    record: Drafted, roles: Mapping[str, Role], levels: Mapping[str, Mapping[str, Any]], columns: Sequence[ColumnProfile]
) -> None:
    role, fields = record.role, record.fields
    if role.table.key and any(c.name == role.table.key for c in columns):
        fields["id"] = q(role.table.key)
        own = _KEY_OF.get(role.name)
        if own:
            fields[own] = q(role.table.key)
    for level in ("equipment", "line", "area", "site"):
        spec = levels.get(level)
        if spec is None or level in fields:
            continue
        column = role.parts.get(level)
        if spec["table"] == role.table.name:
            fields[level] = q(spec["key"])
        elif path := paths_to(roles, role.table.name, str(spec["table"])):
            key = roles[spec["table"]].table.key
            fields[level] = ".".join(q(step) for step in (path if key == spec["key"] else (*path, spec["key"])))
        elif column and not role.table.column(column).link and any(c.name == column for c in columns):
            fields[level] = q(column)
    for name, other in roles.items():
        key = _KEY_OF.get(other.name) if other.kind in ("dimension", "record") else None
        if (
            key
            and key not in fields
            and key not in ("equipment", "line", "area", "site")
            and (path := paths_to(roles, role.table.name, name))
        ):
            fields[key] = ".".join(q(step) for step in path)
    for part, key in (("reason", "reason"), ("defect", "defect"), ("priority", "priority"), ("severity", "severity"), ("type", "type"), ("category", "type"),
                      ("lot", "lot"), ("serial", "serial"), ("order", "order"), ("product", "product"), ("shift", "shift"), ("customer", "customer"), ("supplier", "supplier"), ("operator", "operator"),
                      ("technician", "operator")):  # fmt: skip
        part_column = role.parts.get(part)
        if part_column and key not in fields and any(c.name == part_column for c in columns):
            fields[key] = q(part_column)
    if role.name == "alarm_events" and (code := role.parts.get("code") or role.parts.get("message")):
        fields["alarm"] = q(code)


def _own_fields(record: Drafted, columns: Sequence[ColumnProfile], roles: Mapping[str, Role], reader: Reader) -> None:
    """The other columns as keys of their own: words with few values, and numbers that may be bounded."""
    role, fields = record.role, record.fields
    numbers = [
        c
        for c in columns
        if c.kind in NUMERIC and not c.link and c.name != role.table.key and not ({"id", "code", "year", "number"} & set(c.words))
    ]
    texts = [c for c in columns if c.kind == "text" and not c.format and not c.link and c.name != role.table.key]
    used = set(fields.values())
    for column in texts:
        values = values_of(role, column, reader)
        key = next((k for k, v in fields.items() if v == q(column.name)), None)
        if not values:
            continue
        if key is None and column.name not in (
            role.parts.get("status"),
            role.parts.get("result"),
            name_column(role) if role.kind == "dimension" else None,
        ):
            key = own_name(column.name, fields)
            fields[key] = q(column.name)
        if key is not None and key not in ("lot", "serial", "order", "id"):
            record.enumerations[key] = (record.table, column.name)
    _linked_fields(record, columns, roles, reader)
    for column in numbers:
        if set(seen_values(column)) <= {0, 1} and seen_values(column):
            continue
        record.measures[own_name(column.name, fields)] = column
        if q(column.name) not in used:
            fields[own_name(column.name, fields)] = q(column.name)
    main = role.parts.get("stock") if role.name == "spare_parts" else None
    if amount := main or role.parts.get("quantity") or role.parts.get("ordered") or role.parts.get("total"):
        fields["quantity"] = q(amount)
    if (duration := role.column("duration")) and (seconds := seconds_of(role, duration, reader)):
        fields["duration_min"] = (
            q(duration.name)
            if seconds == 60
            else f"{q(duration.name)} * {seconds / 60:g}"
            if seconds > 60
            else f"{q(duration.name)} / {60 / seconds:.1f}"
        )


def _linked_fields(record: Drafted, columns: Sequence[ColumnProfile], roles: Mapping[str, Role], reader: Reader) -> None:
    """Other links as keys of their own, and the words with few values that stand in the linked lists (two links deep)."""
    fields, table = record.fields, record.role.table.name
    direct: list[tuple[tuple[str, ...], str]] = [
        ((c.name,), c.link) for c in columns if c.link and c.link != table and roles[c.link].table.key
    ]
    for path, target in direct:
        if all(text != q(path[0]) for text in fields.values()) and roles[target].kind != "closed":
            fields[own_name(" ".join(w for w in split(path[0]) if w not in ("id", "no", "nr", "key", "code", "sk")) or path[0], fields)] = (
                q(path[0])
            )
    further = [((*path, c.name), c.link) for path, target in direct for c in roles[target].table.columns
               if c.link and c.link not in (table, target) and not sensitivity(roles[target], c)]  # fmt: skip
    for path, target in (*direct, *further):
        role = roles[target]
        if role.kind != "dimension" or role.name in ("people", "shift", "calendar"):
            continue
        for column in role.table.columns:
            known = (
                column.kind != "text"
                or column.format
                or column.link
                or column.name in (role.table.key, name_column(role), role.parts.get("comment"))
            )
            if known or sensitivity(role, column) or len(fields) > 40 or not values_of(role, column, reader):
                continue
            text = ".".join(q(step) for step in (*path, column.name))
            if text in fields.values():
                continue
            customer = next((k for k in ("customer", "supplier") if k in column.words and k not in fields), "")
            key = customer or own_name(column.name, fields)
            if len(split(column.name)) == 1 and key in ("type", "status", "category", "kind", "location", "id"):
                key = own_name(f"{role.name} {column.name}", fields)
            fields[key] = text
            record.enumerations[key] = (role.table.name, column.name)


_UNIT_SAID = {1.0: "s", 60.0: "min", 3600.0: "h"}


def _shown(record: Drafted, columns: Sequence[ColumnProfile], roles: Mapping[str, Role], reader: Reader) -> list[dict[str, Any]]:
    role, taken, out = record.role, set[str](), []

    def add(name: str, label: str, of: str, kind: str = "text", **more: Any) -> None:
        name = own_name(name, taken)
        taken.add(name)
        out.append({"name": name, "label": label, "of": of, **({"kind": kind} if kind != "text" else {}), **more})

    named = name_column(role)
    ordered = sorted(columns, key=lambda c: (c.name != role.table.key, c.name != named))
    for column in ordered:
        other = roles.get(column.link) if column.link else None
        label = label_of(column.name)
        wide: dict[str, Any] = {"wide": True} if len(out) >= MOST_SHOWN and column.name not in role.parts.values() else {}
        if column.name == role.table.key and not column.link:
            add(
                "id",
                label,
                q(column.name),
                "id",
                **({"wide": True} if named and role.kind == "dimension" and column.kind == "integer" else {}),
            )
        elif other is not None and other.table.key and column.kind not in ("time", "date"):
            there = name_column(other)
            text = f"{q(column.name)}.{q(there)}" if there and not sensitivity(other, other.table.column(there)) else q(column.name)
            label = " ".join(w for w in label.split() if w.lower() not in ("id", "number")) or label
            add(label or column.name, label, text, "text" if there else "id", **wide)
        elif column.kind in ("time", "date"):
            if readable(column):
                kind = "date" if column.kind == "date" else "time"
                add(
                    column.name,
                    label,
                    iso_sql(column) if kind == "time" or column.format not in ("native",) else q(column.name),
                    kind,
                    **wide,
                )
            else:
                add(column.name, label, q(column.name), **wide)
        elif column.kind in NUMERIC:
            kind = "id" if {"id", "number", "code"} & set(column.words) else "count" if column.kind == "integer" else "number"
            unit = (
                ""
                if kind == "id"
                else _UNIT_SAID.get(seconds_of(role, column, reader), "")
                if duration_like(column)
                else unit_of(column.name)
            )
            add(column.name, label, q(column.name), "number" if unit else kind, **({"unit": unit} if unit else {}), **wide)
        elif column.kind in ("text", "boolean") and not (column.link and other is None):
            add(column.name, label, q(column.name), **wide)
    return out or [{"name": "rows", "label": "Rows", "of": q(role.table.columns[0].name)}]
