"""A plant model proposed from a database alone, for a person to correct: `andon connect URL --draft`.

`draft_model` promises a file that loads, that reads nothing it should not (what looks personal or secret is masked, a
table without a way to a line is for the whole site only, what looks like credentials is forbidden), and that says for
each guess what it rests on; guesses to look at first carry CHECK. tests/test_model_draft.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from tools.draft_metrics import metrics_of
from tools.draft_records import Drafted, drafted_records
from tools.draft_text import clock_of, name_column, q
from tools.model_file import ModelError, parse_model
from tools.schema_profile import Reader, SchemaProfile, everything, logical_name, profile
from tools.schema_roles import Role, paths_to, roles_of, sensitivity
from tools.sql import Database

CHECK = "CHECK: "


def draft_model(url: str, name: str = "", zone: str = "UTC") -> str:
    """The YAML text for the database at `url`. Raises SqlUnavailable; ModelError if what was written does not load."""
    database = Database.open(url)
    try:
        schema = profile(database)
        reader = Reader(database, everything(database.schema()))
        text = written(schema, reader, {logical_name(t): t for t in database.schema()}, name or "Drafted plant", zone)
    finally:
        database.close()
    parse_model(text, "draft")
    return text


def written(schema: SchemaProfile, reader: Reader, full_names: Mapping[str, str], name: str, zone: str) -> str:
    """The whole file as text."""
    if not schema.tables:
        raise ModelError(" ".join(["The database has no table that can be read.", *schema.notes]))
    roles = roles_of(schema)
    levels = hierarchy_of(roles)
    records = drafted_records(schema, roles, levels, reader)
    out = [
        "# A draft by `andon connect --draft`, made from the schema and a look at the rows. Correct it, beginning with the lines",
        "# that say CHECK; then `andon connect URL --plant FILE` says what maps and how good the data is. See docs/plant-model.md.",
        *(f"# {note}" for note in schema.notes),
        "version: 1",
        f"plant: {flow(name)}",
        f"timezone: {zone}  # {CHECK}the zone of the plant's clock; nothing in the database says it",
        f'clock: {{zone: {zone}, format: "%Y-%m-%d %H:%M:%S"}}',
    ]
    out += _shifts(roles, reader)
    out += _hierarchy(levels)
    words, people = _vocabulary(roles, records)
    if words:
        out += ["vocabulary:", *(f"  {key}: {flow(value)}" for key, value in words.items())]
    if people:
        out.append(f"people: {flow(people)}")
    out += ["personal_for: []  # nobody sees personal columns until a person names roles here", "", "tables:"]
    for table, role in roles.items():
        out += _table(role, roles, levels, full_names.get(table, table), zone)
    times = list(dict.fromkeys(f"{r.table}.{r.time}" for r in records.values() if r.own_time and r.time and r.role.kind != "closed"))
    out += ["", f"freshness: {flow(times)}", "", "records:"]
    for record_name, record in records.items():
        out += _record(record_name, record)
    elements, metrics = metrics_of(records, reader)
    out += _entries("elements", elements) + _entries("metrics", metrics)
    out += _signals(roles) + _genealogy(roles, records)
    return "\n".join(out) + "\n"


def flow(value: Any) -> str:
    """A value in one line of YAML."""
    text = yaml.safe_dump(value, default_flow_style=True, width=10**9, allow_unicode=True, sort_keys=False).strip()
    return str(text.removesuffix("\n...").strip())


def hierarchy_of(roles: Mapping[str, Role]) -> dict[str, dict[str, Any]]:
    """Levels as the file has them, with `_evidence`: tables of places, else columns that name places."""
    found: dict[str, dict[str, Any]] = {}
    tables = {role.name: role for role in roles.values() if role.kind == "dimension"}
    for level in ("site", "area", "line", "equipment"):
        role = tables.get(level)
        if role is not None and role.table.key:
            spec = {"table": role.table.name, "key": role.table.key}
            if named := name_column(role):
                spec["name"] = named
            found[level] = {**spec, "_evidence": role.evidence}
    for level, above in (("equipment", "line"), ("line", "area"), ("area", "site")):
        role = tables.get(level)
        if role is None or level not in found:
            continue
        if above in found:
            linked = next((c.name for c in role.table.columns if c.link == found[above]["table"] and c.name != role.table.key), None)
            if linked:
                found[level]["parent"] = linked
        elif (column := role.parts.get(above)) and column != role.table.key and not role.table.column(column).link:
            found[above] = {"table": role.table.name, "key": column, "_evidence": f"the values of {role.table.name}.{column}"}
            found[level]["parent"] = column
    machine = tables.get("equipment")
    if machine is not None and "equipment" in found:
        cls = machine.parts.get("type") or machine.parts.get("category")
        if cls and machine.table.column(cls).kind == "text":
            found["equipment"]["class"] = cls
    facts = sorted((r for r in roles.values() if r.kind == "record"), key=lambda r: -(r.table.rows or 0))
    for level in ("line", "equipment"):
        for role in facts:
            column = role.parts.get(level)
            if level not in found and column and not role.table.column(column).link and role.table.column(column).values:
                found[level] = {
                    "table": role.table.name,
                    "key": column,
                    "_evidence": f"{CHECK}no table of its own; the values of {role.table.name}.{column}",
                }
    machine_level, line_level = found.get("equipment"), found.get("line")
    if machine_level and line_level and "parent" not in machine_level and machine_level["table"] == line_level["table"] and machine is None:
        machine_level["parent"] = line_level["key"]
    return found


def _hierarchy(levels: Mapping[str, Mapping[str, Any]]) -> list[str]:
    if not levels:
        return [f"hierarchy: {{}}  # {CHECK}no table or column of machines or lines was recognised"]
    order = [level for level in ("site", "area", "line", "equipment") if level in levels]
    return [
        "hierarchy:",
        *(
            f"  {level}: {flow({k: v for k, v in levels[level].items() if k != '_evidence'})}  # {levels[level]['_evidence']}"
            for level in order
        ),
    ]


def _shifts(roles: Mapping[str, Role], reader: Reader) -> list[str]:
    role = next((r for r in roles.values() if r.kind == "dimension" and r.name == "shift"), None)
    if role is None:
        return []
    clocks = [c for c in role.table.columns if c.format == "time_of_day"]
    starts = next((c for c in clocks if set(c.words) & {"start", "begin"}), clocks[0] if len(clocks) > 1 else None)
    ends = next((c for c in clocks if "end" in c.words), clocks[1] if len(clocks) > 1 else None)
    key, named = role.table.key, name_column(role)
    if starts is None or ends is None or key is None:
        return []
    weekend = next((c for c in role.table.columns if "weekend" in c.words), None)
    chosen = [key, named or key, starts.name, ends.name, *([weekend.name] if weekend else [])]
    columns = ", ".join(f"{q(c, True)} AS c{i}" for i, c in enumerate(chosen))
    out = [f"shifts:  # the rows of {role.table.name}"]
    for row in reader.rows(f"SELECT {columns} FROM {q(role.table.name, True)} LIMIT 12") or ():
        start, end = str(row[2])[:5].zfill(5), str(row[3])[:5].zfill(5)
        if start == end or None in (row[0], row[2], row[3]):
            continue
        label = str(row[1])
        text = label.lower() if "shift" in label.lower() or "schicht" in label.lower() else f"{label.lower()} shift"
        shift: dict[str, Any] = {"id": str(row[0]), "label": text, "start": start, "end": end, "aliases": [label.lower()]}
        if weekend:
            shift["weekdays"] = [5, 6] if row[4] else [0, 1, 2, 3, 4]
        out.append(f"  - {flow(shift)}")
    return out if len(out) > 1 else []


def _vocabulary(roles: Mapping[str, Role], records: Mapping[str, Drafted]) -> tuple[dict[str, Any], dict[str, Any]]:
    words: dict[str, Any] = {}
    people: dict[str, Any] = {}
    for role in roles.values():
        if role.kind == "closed" or not role.table.key:
            continue
        kind = {"spare_parts": "part", "bill_of_material": ""}.get(role.name, role.name if role.kind == "dimension" else "")
        if not kind or kind in ("line", "equipment", "area", "site", "shift", "calendar", "signal"):
            continue
        names = [n for n in (name_column(role),) if n and n != role.table.key]
        code = next(
            (
                c.name
                for c in role.table.columns
                if c.unique and {"code", "number"} & set(c.words) and c.name != role.table.key and c.name not in names
            ),
            None,
        )
        spec = {"table": role.table.name, "key": role.table.key, "names": [*names, *([code] if code else [])]}
        if kind == "people":
            people = spec
        elif kind not in words:
            words[kind] = [spec]
    for name, record in records.items():
        for key, (table, column) in record.enumerations.items():
            source = {"table": table, "key": column}
            if key in ("reason", "defect", "product", "certification", "supplier", "customer") and key not in words:
                words[key] = [source]
            words[f"{name}.{key}"] = [source]
    return words, people


def _table(role: Role, roles: Mapping[str, Role], levels: Mapping[str, Mapping[str, Any]], full_name: str, zone: str) -> list[str]:
    table = role.table
    marks = {c.name: sensitivity(role, c) for c in table.columns}
    spec: dict[str, Any] = {}
    if full_name != table.name:
        spec["table"] = full_name
    if table.key and not marks.get(table.key):
        spec["key"] = table.key
    spec["scope"], why = scope_of(role, roles, levels)
    spec["columns"] = [c.name for c in table.columns if not marks[c.name]]
    for mark in ("personal", "secret"):
        if masked := [c.name for c in table.columns if marks[c.name] == mark]:
            spec[mark] = masked
    links = {
        c.name: c.link for c in table.columns if c.link and not marks[c.name] and roles[c.link].table.key and roles[c.link].kind != "closed"
    }
    if links and role.kind != "closed":
        spec["links"] = links
    dates = [c.name for c in table.columns if c.kind == "date" and c.format in ("native", "%Y-%m-%d")]
    clock = clock_of(role, zone)
    if clock:
        spec["clock"] = clock
    if dates and clock is None:
        spec["dates"] = dates
    proofs = [f"{c.name}: {c.proof}" for c in table.columns if c.link and c.proof not in ("", "declared")]
    out = [f"  # {role.evidence}; {why}" + (f"; key of several columns: {', '.join(table.composite)}" if table.composite else "")]
    out += [f"  # {proof}" for proof in proofs]
    secret = [c for c in table.columns if marks[c.name]]
    if secret:
        out.append(f"  # {CHECK}masked by their names: {', '.join(c.name for c in secret)}")
    return [*out, f"  {flow(table.name)}: {flow(spec)}"]


def scope_of(role: Role, roles: Mapping[str, Role], levels: Mapping[str, Mapping[str, Any]]) -> tuple[str, str]:
    """The scope of a table and why: on the safe side where no path leads to a line."""
    if role.kind == "closed":
        return "forbidden", "forbidden"
    if role.kind in ("dimension", "bom") or role.name == "spare_parts":
        return "shared", "names for everybody"
    line = levels.get("line")
    if line is None:
        return "shared", f"{CHECK}shared, since no line is known to own its rows"
    if line["table"] == role.table.name:
        return q(line["key"]), "rows belong to their line"
    own = role.parts.get("line")
    if own and not role.table.column(own).link and not sensitivity(role, role.table.column(own)):
        return q(own), f"{CHECK}taken to hold the line"
    if path := paths_to(roles, role.table.name, str(line["table"])):
        key = roles[line["table"]].table.key
        steps = path if key == line["key"] else (*path, line["key"])
        return ".".join(q(step) for step in steps), "rows belong to a line by this path"
    return "site", f"{CHECK}no path to a line, so only for callers who see the whole site"


def _record(name: str, record: Drafted) -> list[str]:
    out = [
        f"  {name}:  # {record.evidence}",
        f"    table: {flow(record.table)}",
        f"    label: {flow(record.label)}",
        f"    singular: {flow(record.singular)}",
    ]
    if record.aliases:
        out.append(f"    aliases: {flow(list(record.aliases))}")
    if not record.listed:
        out.append("    listed: false")
    for key in ("time", "until", "due", "order"):
        value = getattr(record, key)
        if value:
            out.append(f"    {key}: {flow(value)}")
    if record.grain_s:
        out.append(f"    grain_s: {record.grain_s}")
    out.append(f"    fields: {flow(dict(record.fields))}")
    out += ["    show:", *(f"      - {flow(column)}" for column in record.show)]
    if record.statuses:
        out += ["    statuses:", *(f"      {status}: {flow(spec)}" for status, spec in record.statuses.items())]
    return out


def _entries(part: str, entries: Mapping[str, Mapping[str, Any]]) -> list[str]:
    if not entries:
        return []
    out = ["", f"{part}:"]
    for name, spec in entries.items():
        note = spec.get("_note", "")
        out.append(f"  {name}: {flow({k: v for k, v in spec.items() if k != '_note'})}" + (f"  # {note}" if note else ""))
    return out


def _signals(roles: Mapping[str, Role]) -> list[str]:
    role = next((r for r in roles.values() if r.kind == "dimension" and r.name == "signal"), None)
    if role is None or role.table.key is None:
        return []
    machine = next((c.name for c in role.table.columns if c.link and roles[c.link].name == "equipment"), None) or role.parts.get(
        "equipment"
    )
    named, unit = name_column(role), role.parts.get("unit")
    for other in roles.values():
        link = next((c.name for c in other.table.columns if c.link == role.table.name), None)
        value, at = other.parts.get("value"), other.parts.get("time")
        if link and value and at and machine and named and unit:
            spec = {"table": role.table.name, "key": role.table.key, "equipment": machine, "name": named, "unit": unit,
                    "samples": other.table.name, "sample_signal": link, "sample_time": at, "sample_value": value}  # fmt: skip
            spec |= {k: role.parts[p] for k, p in (("low", "lower"), ("high", "upper")) if p in role.parts}
            return [f"signals: {flow(spec)}  # {role.evidence}; samples in {other.table.name}"]
    return []


def _genealogy(roles: Mapping[str, Role], records: Mapping[str, Drafted]) -> list[str]:
    lots = next((r for r in roles.values() if r.name == "lots" and r.table.key), None)
    if lots is None:
        return []
    for role in roles.values():
        ends = [c.name for c in role.table.columns if c.link == lots.table.name]
        child = next((n for n in ends if set(role.table.column(n).words) & {"child", "output", "produced", "to", "product"}), None)
        parent = next(
            (
                n
                for n in ends
                if n != child and set(role.table.column(n).words) & {"parent", "input", "consumed", "from", "component", "material"}
            ),
            None,
        )
        if child and parent:
            spec: dict[str, Any] = {"table": role.table.name, "child": child, "parent": parent}
            if "quantity" in role.parts:
                spec["quantity"] = role.parts["quantity"]
            if "time" in role.parts:
                spec["time"] = role.parts["time"]
            shown = [{k: v for k, v in column.items() if k != "wide"} for column in records["lots"].show if column["name"] != "id"][:6]
            spec |= {"lots": lots.table.name, "lot_key": lots.table.key, "lot_show": shown or records["lots"].show[:1]}
            return [f"genealogy: {flow(spec)}  # {role.evidence}"]
    return []
