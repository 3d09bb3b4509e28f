"""The records of a drafted model: what of each table can be listed, filtered and grouped, and its statuses.

Every table that may be read becomes a record: under a canonical name where its role is known, else under its own.
Statuses are the values of its status column put under canonical names by their words. tests/test_model_draft.py.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tools.draft_text import iso_sql, name_column, own_name, q, readable
from tools.schema_profile import ColumnProfile, Reader, SchemaProfile
from tools.schema_roles import NUMERIC, Role, lasts, paths_to, sensitivity
from tools.schema_words import distinct, label_of, own_words, plain, plural, singular, split

MOST_STATUSES = 25
MOST_SHOWN = 9
_KEY_OF = {"equipment": "equipment", "line": "line", "area": "area", "site": "site", "product": "product", "variant": "variant", "supplier": "supplier",
           "customer": "customer", "part": "part", "spare_parts": "part", "people": "operator", "reason": "reason", "defect": "defect",
           "production_orders": "order", "lots": "lot", "shift": "shift"}  # fmt: skip
#: Canonical status -> words of values that mean it, plain and lower case.
_STATUS_WORDS = {
    "completed": "completed complete done finished fertig abgeschlossen erledigt beendet fertiggemeldet termine fin ok_done",
    "closed": "closed geschlossen resolved solved ferme cerrado",
    "in_progress": "in_progress inprogress in_process wip started laufend in_arbeit aktiv_arbeit en_cours ongoing processing in_work being_processed",
    "planned": "planned scheduled geplant planifie created new neu",
    "released": "released freigegeben liberado",
    "open": "open offen opened ouvert abierto pending",
    "on_hold": "on_hold hold gesperrt blocked paused waiting wartend unterbrochen suspended",
    "cancelled": "cancelled canceled storniert abgebrochen annule aborted",
    "passed": "pass passed ok io i_o gut good accepted conform konform in_spec bestanden p",
    "failed": "fail failed nok nio n_i_o not_ok bad rejected_test out_of_spec schlecht nicht_bestanden f reject",
    "rejected": "rejected abgelehnt zurueckgewiesen",
    "quarantined": "quarantine quarantined quarantaene",
    "scrapped": "scrapped verschrottet ausschuss scrap",
    "running": "running run laeuft produktion producing up in_betrieb operating production",
    "idle": "idle leerlauf standby bereit stand_by wait",
    "down": "down breakdown fault stoerung stopped stop stillstand error ausfall broken defekt",
    "active": "active aktiv actif",
    "acknowledged": "acknowledged quittiert",
    "cleared": "cleared gone gegangen",
    "expired": "expired abgelaufen",
    "valid": "valid gueltig",
}
_CLOSED = frozenset(("completed", "closed", "cancelled", "rejected", "scrapped", "cleared"))
_ALSO = {
    "completed": ["complete", "finished", "done"], "closed": ["resolved", "done", "finished"], "in_progress": ["in progress", "started", "ongoing", "running"],
    "planned": ["scheduled", "not started"], "cancelled": ["canceled"], "passed": ["pass", "ok", "good"], "failed": ["fail", "not ok", "bad"],
    "down": ["broken down", "stopped"], "on_hold": ["on hold", "blocked"], "open": ["not closed", "unfinished", "outstanding", "pending"],
}  # fmt: skip


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
    enumerations: dict[str, str] = field(default_factory=dict)
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
    record.show = _shown(record, columns, roles)
    _statuses(record, name, schema.dialect, reader)
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
            role.parts.get("comment"),
            name_column(role),
        ):
            key = own_name(column.name, fields)
            fields[key] = q(column.name)
        if key is not None and key not in ("lot", "serial", "order", "id"):
            record.enumerations[key] = column.name
    for column in numbers:
        if set(_values(column)) <= {0, 1} and _values(column):
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


def _values(column: ColumnProfile) -> tuple[Any, ...]:
    return column.values


def values_of(role: Role, column: ColumnProfile, reader: Reader) -> tuple[str, ...]:
    """All values of a text column where they are few and short, in the whole table; ()."""
    if not column.values or ((role.table.rows or 0) and column.unique and role.kind != "record"):
        return ()
    found = reader.rows(f"SELECT DISTINCT {q(column.name, True)} AS v FROM {q(role.table.name, True)} ORDER BY v LIMIT 61")
    values = [str(row[0]) for row in found or () if row[0] not in (None, "")]
    few = 0 < len(values) <= 60 and max(map(len, values)) <= 60 and not (len(values) > 5 and len(values) == role.table.rows)
    return tuple(values) if few else ()


_UNIT_S = {"s": 1.0, "sec": 1.0, "secs": 1.0, "second": 1.0, "seconds": 1.0, "sek": 1.0, "sekunden": 1.0, "min": 60.0, "mins": 60.0, "minute": 60.0, "minutes": 60.0,
           "minuten": 60.0, "h": 3600.0, "hr": 3600.0, "hrs": 3600.0, "hour": 3600.0, "hours": 3600.0, "stunden": 3600.0, "std": 3600.0, "ms": 0.001, "msec": 0.001}  # fmt: skip


def seconds_of(role: Role, column: ColumnProfile, reader: Reader) -> float:
    """How many seconds one of a column of durations is: by its name, else by start and end of the same rows, else, by
    custom, a minute."""
    for part in reversed(split(column.name)):
        if part in _UNIT_S:
            return _UNIT_S[part]
    start, end = role.column("start") or role.column("planned_start"), role.column("end") or role.column("planned_end")
    if start is None or end is None:
        return 60.0
    found = reader.rows(
        f"SELECT {q(start.name, True)} AS a, {q(end.name, True)} AS b, {q(column.name, True)} AS c FROM {q(role.table.name, True)} LIMIT 200"
    )
    ratios = sorted(r for row in found or () if (r := _ratio(row)) is not None)
    if not ratios:
        return 60.0
    middle = ratios[len(ratios) // 2]
    return min((1.0, 60.0, 3600.0), key=lambda unit: abs(middle / unit - 1))


def _ratio(row: Sequence[Any]) -> float | None:
    from datetime import datetime

    def instant(value: Any) -> float | None:
        if isinstance(value, datetime):
            return value.timestamp()
        if isinstance(value, int | float):
            return float(value) / (1000 if value > 10**11 else 1)
        for read in (
            datetime.fromisoformat,
            lambda v: datetime.strptime(v, "%d.%m.%Y %H:%M"),
            lambda v: datetime.strptime(v, "%d.%m.%Y %H:%M:%S"),
        ):
            try:
                return read(str(value)).timestamp()
            except ValueError:
                continue
        return None

    begun, ended = instant(row[0]), instant(row[1])
    try:
        length = float(row[2])
    except (TypeError, ValueError):
        return None
    return (ended - begun) / length if begun is not None and ended is not None and length > 2 and ended > begun else None


def _shown(record: Drafted, columns: Sequence[ColumnProfile], roles: Mapping[str, Role]) -> list[dict[str, Any]]:
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
            add(column.name, label, q(column.name), kind, **wide)
        elif column.kind in ("text", "boolean") and not (column.link and other is None):
            add(column.name, label, q(column.name), **wide)
    return out or [{"name": "rows", "label": "Rows", "of": q(role.table.columns[0].name)}]


# -- statuses


def _statuses(record: Drafted, name: str, dialect: str, reader: Reader) -> None:
    role = record.role
    column = role.column("status") or role.column("result")
    if column is not None and not sensitivity(role, column) and not column.link:
        values = (
            values_of(role, column, reader) if column.kind == "text" else tuple(str(v) for v in column.values if column.kind == "integer")
        )
        if 0 < len(values) <= MOST_STATUSES and column.kind == "text":
            _by_values(record, column, values)
    for flag in role.table.columns:
        words = [w for w in flag.words if w not in ("is", "flag", "id")]
        whole = flag.kind == "boolean" or (
            flag.kind == "integer" and set(flag.values) <= {0, 1} and len(flag.values) == 2 and "is" in split(flag.name)
        )
        if whole and words and not sensitivity(role, flag):
            yes = "TRUE" if dialect in ("postgres", "duckdb") and flag.kind == "boolean" else "1"
            status = own_name("_".join(words), ())
            record.statuses.setdefault(status, {"when": f"{q(flag.name)} = {yes}", "undated": True})
            record.statuses.setdefault(
                f"not_{status}",
                {
                    "when": f"NOT {q(flag.name)} = {yes}",
                    "undated": True,
                    "aliases": [f"in{' '.join(words)}"] if words == ["active"] else [],
                },
            )
    _by_columns(record, name)


def _by_values(record: Drafted, column: ColumnProfile, values: Sequence[str]) -> None:
    groups: dict[str, list[str]] = {}
    for value in values:
        groups.setdefault(canonical(value, record.role.name), []).append(value)
    at = q(column.name)
    end = record.role.column("closed") or record.role.column("end")
    for status, members in groups.items():
        listed = ", ".join("'" + m.replace("'", "''") + "'" for m in members)
        spec: dict[str, Any] = {"when": f"{at} = {listed}" if len(members) == 1 else f"{at} IN ({listed})"}
        if status in ("in_progress", "planned", "open", "on_hold", "running", "idle", "down", "released", "active"):
            spec["undated"] = True
        if (
            status in _CLOSED
            and end is not None
            and readable(end)
            and record.own_time
            and end.format == (record.role.column("time") or end).format
        ):
            spec["time"] = iso_sql(end)
        said = [m.lower().replace("_", " ") for m in members]
        spec["aliases"] = [word for word in distinct([*said, *_ALSO.get(status, [])]) if word != status.replace("_", " ")]
        record.statuses[status] = spec
    finished = [m for status, members in groups.items() if status in _CLOSED for m in members]
    if finished and len(finished) < len(values) and record.role.name not in ("quality_results",):
        listed = ", ".join("'" + m.replace("'", "''") + "'" for m in finished)
        left = f"{at} NOT IN ({listed})"
        record.statuses.setdefault("open", {"when": left, "undated": True, "aliases": _ALSO["open"]})
        if record.due:
            now = ":now" if (record.role.column("due") or record.role.column("planned_end") or column).kind == "time" else ":today"
            record.statuses.setdefault(
                "overdue", {"when": f"{record.due} < {now} AND {left}", "undated": True, "aliases": ["late", "past due", "delayed"]}
            )
    elif "open" in record.statuses and record.due:
        record.statuses.setdefault(
            "overdue",
            {"when": f"{record.due} < :now AND ({record.statuses['open']['when']})", "undated": True, "aliases": ["late", "past due"]},
        )


def canonical(value: str, record: str) -> str:
    """The canonical status of a value by its words; its own plain name where none is known."""
    text = re.sub(r"[^a-z0-9]+", "_", plain(value)).strip("_")
    for status, words in _STATUS_WORDS.items():
        if text in words.split():
            if status == "scrapped" and record == "quality_results":
                return "failed"
            if status == "passed" and record not in ("quality_results", "lots", "nonconformances"):
                continue
            return status
    return own_name(value, ()) if text else "other"


def _by_columns(record: Drafted, name: str) -> None:
    """Statuses that no column states: below the minimum, still open, expired."""
    role, statuses = record.role, record.statuses
    stock = role.parts.get("stock") or role.parts.get("quantity")
    if name == "spare_parts" and stock:
        amount = q(stock)
        statuses.setdefault("in_stock", {"when": f"{amount} > 0", "undated": True, "aliases": ["available", "on hand"]})
        statuses.setdefault("out_of_stock", {"when": f"{amount} <= 0", "undated": True, "aliases": ["empty", "no stock"]})
        if "minimum" in role.parts:
            lows = distinct([label_of(role.parts["minimum"]).lower(), own_words(role.parts["minimum"])])
            said = [f"{how} {which}{low}" for low in lows for how in ("below", "under") for which in ("", "their ", "the ", "its ")]
            statuses.setdefault("below_minimum", {"when": f"{amount} < {q(role.parts['minimum'])}", "undated": True,
                                                  "aliases": [*said, "low stock", "to be reordered", "below minimum", "running low"]})  # fmt: skip
    expiry = role.column("expiry")
    if expiry is not None and readable(expiry):
        at, now = iso_sql(expiry), ":today" if expiry.kind == "date" else ":now"
        statuses.setdefault("expired", {"when": f"{at} < {now}", "undated": True})
        statuses.setdefault("valid", {"when": f"{at} >= {now}", "undated": True, "aliases": ["current"]})
    gone = (
        role.column("cleared")
        or role.column("closed")
        or (role.column("end") if name in ("downtime_events", "alarm_events", "maintenance_orders") else None)
    )
    if gone is not None and not statuses and readable(gone):
        statuses["open"] = {"when": f"{q(gone.name)} IS NULL", "undated": True, "aliases": ["active", "ongoing", "not closed"]}
        statuses["closed"] = {"when": f"{q(gone.name)} IS NOT NULL", "aliases": ["finished", "ended", "done", "cleared"]}
    seen = role.column("acknowledged")
    if seen is not None and readable(seen):
        statuses.setdefault("unacknowledged", {"when": f"{q(seen.name)} IS NULL", "undated": True, "aliases": ["not acknowledged"]})
        statuses.setdefault("acknowledged", {"when": f"{q(seen.name)} IS NOT NULL"})


def duration_like(column: ColumnProfile) -> bool:
    return lasts(column) or bool(set(column.words) & {"duration", "minute", "hour", "second", "downtime"})
