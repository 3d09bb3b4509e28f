"""What the tables and columns of a strange database probably are, by their words, types, links and values.

`roles_of` gives every table a role (a canonical record, a level of the hierarchy, a list of names, or only itself) with
the evidence for it, and says which column plays which part. A guess is a value with its reason; the draft writes the
reason down and a person decides. tests/test_model_draft.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from tools.schema_profile import ColumnProfile, SchemaProfile, TableProfile

NUMERIC = ("integer", "number")
#: Words that make a table a list of names or a level; the first that fits wins among equals.
DIMENSIONS: Mapping[str, frozenset[str]] = {
    "shift": frozenset(("shift",)),
    "people": frozenset(("employee", "operator", "person", "user", "inspector", "technician", "team")),
    "supplier": frozenset(("supplier",)),
    "customer": frozenset(("customer",)),
    "line": frozenset(("line",)),
    "equipment": frozenset(
        (
            "machine",
            "equipment",
            "station",
            "robot",
            "tank",
            "furnace",
            "oven",
            "mixer",
            "extruder",
            "kettle",
            "filler",
            "reactor",
            "vessel",
            "unit",
        )
    ),
    "area": frozenset(("area", "building", "department", "workshop")),
    "site": frozenset(("site", "plant")),
    "variant": frozenset(("variant",)),
    "product": frozenset(("product", "article", "item", "model", "style", "recipe")),
    "reason": frozenset(("reason", "cause")),
    "defect": frozenset(("defect",)),
    "signal": frozenset(("signal", "sensor", "tag")),
    "calendar": frozenset(("date", "calendar", "time", "day")),
    "part": frozenset(("part", "component", "material", "ingredient")),
}
#: Records by the words of their table (each counts), and words that speak against.
RECORDS: Mapping[str, tuple[frozenset[str], frozenset[str]]] = {
    "downtime_events": (frozenset(("downtime", "stopped", "breakdown", "break", "breaks", "interruption")), frozenset(("reason", "type"))),
    "alarm_events": (frozenset(("alarm", "message", "event", "error")), frozenset(("defect", "type"))),
    "nonconformances": (frozenset(("nonconformance", "defect", "deviation", "complaint", "claim", "rejection")), frozenset(("type", "capa", "category"))),
    "capas": (frozenset(("capa", "action")), frozenset()),
    "quality_results": (frozenset(("quality", "inspection", "test", "measurement", "sample", "analysis", "lab", "calibration")), frozenset(("plan", "type", "sensor"))),
    "certifications": (frozenset(("certificate", "training", "skill", "license", "course")), frozenset(("type",))),
    "maintenance_logs": (frozenset(("maintenance", "service", "repair")), frozenset(("order", "plan", "request"))),
    "maintenance_orders": (frozenset(("maintenance", "service", "repair", "request", "work", "order")), frozenset(("production", "log"))),
    "production_orders": (frozenset(("order", "job", "production", "work", "run", "campaign", "process")), frozenset(("maintenance", "sales", "purchase", "customer", "hour"))),
    "lots": (frozenset(("lot", "batch")), frozenset(("genealogy",))),
    "spare_parts": (frozenset(("spare", "inventory", "part", "material", "component")), frozenset(("consumption", "genealogy", "bom", "movement", "transaction"))),
    "scrap_records": (frozenset(("scrap", "reject")), frozenset(("reason", "type"))),
    "production_records": (frozenset(("production", "count", "oee", "hour", "daily", "metrics", "kpi", "performance", "produced", "yield")), frozenset(("order", "plan", "target"))),
    "changeovers": (frozenset(("changeover", "setup")), frozenset()),
    "energy_records": (frozenset(("energy", "kwh")), frozenset(("material",))),
}  # fmt: skip
SECRET = frozenset(
    ("salary", "password", "bank", "ssn", "pin", "birth", "iban", "gender", "religion", "nationality", "payroll", "disability")
)
PERSONAL = frozenset(("phone", "email", "address", "contact", "hire", "emergency", "age", "surname_birth", "photo", "badge"))
CLOSED_TABLES = frozenset(("password", "salary", "payroll", "credential", "session", "migrations", "alembic", "login", "wages"))


@dataclass(frozen=True)
class Role:
    """What a table is: `kind` is `record`, `dimension`, `bom`, `genealogy`, `samples` or `closed`; `name` the canonical
    record or dimension, or the table's own. `parts` maps a part (start, good, scrap, reason ...) to its column."""

    table: TableProfile
    kind: str
    name: str
    evidence: str
    doubtful: bool = False
    parts: Mapping[str, str] = field(default_factory=dict)

    def column(self, part: str) -> ColumnProfile | None:
        return self.table.column(self.parts[part]) if part in self.parts else None


def roles_of(schema: SchemaProfile) -> dict[str, Role]:
    """A role for every table, each canonical name given once: to the table with the best claim."""
    parts = {name: parts_of(table) for name, table in schema.tables.items()}
    claims: list[tuple[float, str, str, str, str]] = []
    pointed_at = {c.link for t in schema.tables.values() for c in t.columns if c.link}
    for name, table in schema.tables.items():
        for kind, role, score, why in _claims(table, parts[name], name in pointed_at):
            claims.append((score, name, kind, role, why))
    taken: dict[str, Role] = {}
    named: set[str] = set()
    for score, name, kind, role, why in sorted(claims, key=lambda c: (-c[0], c[1])):
        if name not in taken and role not in named:
            taken[name] = Role(schema.tables[name], kind, role, why, score < 4, parts[name])
            named.add(role)
    _machines_and_products(taken, named, schema, parts)
    for name, table in schema.tables.items():
        if name not in taken:
            own = own_record_name(table.name, named)
            named.add(own)
            taken[name] = Role(table, "record", own, "no known kind of record; listed under its own name", True, parts[name])
    return {name: taken[name] for name in schema.tables}


def _machines_and_products(taken: dict[str, Role], named: set[str], schema: SchemaProfile, parts: Mapping[str, Mapping[str, str]]) -> None:
    """Where no name says which tables hold the machines and the products: the lists that counts and events point at."""
    pointing: dict[str, list[str]] = {}
    for table in schema.tables.values():
        for column in table.columns:
            if column.link and "time" in parts[table.name]:
                pointing.setdefault(column.link, []).append(table.name)
    if "product" not in named:
        for name, role in taken.items():
            stocked = {"minimum", "stock"} & set(role.parts)
            made = any({"good", "total", "scrap", "ordered"} & set(parts[p]) for p in pointing.get(name, ()))
            if role.name in ("part", "spare_parts") and not stocked and made:
                taken[name] = replace(role, kind="dimension", name="product", evidence=f"{role.evidence}; what is counted points at it")
                named.add("product")
                break
    _first_list(taken, named, schema, parts, pointing, "equipment")
    _first_list(taken, named, schema, parts, pointing, "product")


def _first_list(
    taken: dict[str, Role],
    named: set[str],
    schema: SchemaProfile,
    parts: Mapping[str, Mapping[str, str]],
    pointing: Mapping[str, Sequence[str]],
    what: str,
) -> None:
    """Give a dimension that no table has claimed to the list of names that most events and counts point at."""
    if what in named:
        return
    lists = [
        n
        for n, t in schema.tables.items()
        if n not in taken and t.key and "name" in parts[n] and "time" not in parts[n] and (t.rows or 0) <= 500
    ]
    best = max(lists, key=lambda n: len(pointing.get(n, ())), default=None)
    if best is not None and pointing.get(best):
        why = f"a list of names that {', '.join(pointing[best][:3])} point at; taken for the {'machines' if what == 'equipment' else 'products'}"
        taken[best] = Role(schema.tables[best], "dimension", what, why, True, parts[best])
        named.add(what)


def own_record_name(name: str, taken: set[str]) -> str:
    """A name in our style for a table that is only itself."""
    from tools.schema_words import split

    words = [w for w in split(name) if w.isascii()] or ["records"]
    text = "_".join(words)
    text = f"t_{text}" if not text[0].isalpha() else text
    while text in taken:
        text += "_rows"
    return text


def _claims(table: TableProfile, parts: Mapping[str, str], pointed_at: bool) -> list[tuple[str, str, float, str]]:
    words = set(table.words)
    if words & CLOSED_TABLES:
        return [("closed", f"closed {table.name}", 100.0, "its name speaks of credentials, pay or the system's own records")]
    if words & {"genealogy"} or {"parent", "child"} <= {w for c in table.columns for w in c.words}:
        return [("genealogy", "genealogy", 6.0, "which lot went into which, by its words")]
    if "bom" in words:
        return [("bom", "bill_of_material", 8.0, "a bill of material, by its name")]
    found: list[tuple[str, str, float, str]] = []
    timed = "time" in parts
    measures = sum(part in parts for part in ("good", "scrap", "total", "planned_time", "running_time", "oee", "availability"))
    plain_list = not timed and not {"good", "scrap", "total", "duration"} & set(parts)
    for dimension, marks in DIMENSIONS.items():
        hit = words & marks
        if not hit:
            continue
        rows = table.rows if table.rows is not None else 10**9
        score = (
            3.0
            + pointed_at * 2
            + ("dim" in words) * 3
            + plain_list
            - 3 * (timed and not pointed_at)
            - 2 * (len(words - marks - {"dim"}) > 0)
        )
        last = next((w for w in reversed(table.words) if w not in ("dim", "id")), "")
        score += 1.0 if last in marks else -1.0
        if "name" not in parts and len(table.columns) > 2 and dimension not in ("calendar",):
            score -= 1
        if rows <= 5_000 and table.key and "fact" not in words:
            found.append(
                (
                    "dimension",
                    dimension,
                    score,
                    f"a list of names: {', '.join(sorted(hit))} in its name, {rows} rows{', other tables point at it' if pointed_at else ''}",
                )
            )
    for record, (marks, against) in RECORDS.items():
        hit = words & marks
        if not hit:
            continue
        placed = 1 if timed else 0 if (table.rows or 0) > 200 or any(c.link for c in table.columns) else -2
        score = 1.5 + 1.5 * len(hit) - 2 * len(words & against) + placed + _fit(record, parts, measures)
        if record == "spare_parts":
            score = (
                2.0
                + 1.5 * len(hit)
                - 3 * len(words & against)
                + 3 * ("minimum" in parts)
                + ("stock" in parts)
                - 1.5 * ("stock" not in parts)
            )
        if record == "certifications" and "expiry" in parts:
            score += 2
        found.append(("record", record, score, f"{', '.join(sorted(hit))} in its name; {_columns_said(parts)}"))
    if {"start", "end", "reason"} <= set(parts) and not any(
        role in ("downtime_events", "maintenance_orders", "alarm_events") for _, role, _, _ in found
    ):
        found.append(("record", "downtime_events", 2.2, f"spans of time with a reason: {_columns_said(parts)}"))
    if measures >= 2 and timed and not any(role in ("production_orders", "production_records") for _, role, _, _ in found):
        found.append(("record", "production_records", 2.5 + measures, f"counts or shares over time: {_columns_said(parts)}"))
    return [claim for claim in found if claim[2] > 1.5]


def _fit(record: str, parts: Mapping[str, str], measures: int) -> float:
    """How well the columns fit a kind of record."""
    has = set(parts)
    if record == "production_orders":
        return (
            2.0 * bool({"product", "ordered", "good", "total"} & has)
            + ("status" in has)
            + ("start" in has)
            - 3 * bool({"technician", "oee"} & has)
        )
    if record == "production_records":
        return 0.7 * measures - 1.5 * ("status" in has)
    if record in ("maintenance_orders", "maintenance_logs"):
        return (
            1.0 * ("equipment" in has)
            - 2.5 * bool({"good", "ordered", "product", "total"} & has)
            + (record == "maintenance_orders") * ("status" in has)
        )
    if record == "downtime_events":
        return 1.0 * ("duration" in has or "end" in has) + ("reason" in has)
    if record == "alarm_events":
        return 1.0 * bool({"code", "message"} & has) - ("good" in has)
    if record == "quality_results":
        return 1.0 * bool({"result", "value"} & has)
    if record == "lots":
        return 1.0 * bool({"product", "quantity", "lot"} & has)
    return 0.0


def _columns_said(parts: Mapping[str, str]) -> str:
    shown = [f"{column} ({part.replace('_', ' ')})" for part, column in parts.items() if part not in ("name", "comment")]
    return "columns " + ", ".join(shown[:6]) if shown else "no telling column"


#: Part -> words of which one must stand in a column's name; the kinds it may have; words that speak against.
_PARTS: tuple[tuple[str, frozenset[str], tuple[str, ...], frozenset[str]], ...] = tuple(
    (part, frozenset(words.split()), tuple(kinds.split()), frozenset(against.split()))
    for part, words, kinds, against in (
        ("cleared", "cleared reset gone", "time date", ""),
        ("acknowledged", "acknowledged", "time date", ""),
        ("expiry", "expiry", "time date", ""),
        ("due", "due", "time date", ""),
        ("closed", "closed completed", "time date", "planned"),
        ("planned_start", "start begin", "time date", "actual end"),
        ("planned_end", "end", "time date", "actual start"),
        ("start", "start begin", "time date", "planned end"),
        ("end", "end", "time date", "planned"),
        ("created", "created opened reported request recorded received", "time date", "last updated next"),
        ("rework", "rework", "integer number", "rate time percent cost id"),
        ("scrap", "scrap reject rejection waste", "integer number", "rate percent factor cost id reason"),
        ("good", "good", "integer number", "rate percent id"),
        ("ordered", "planned ordered target", "integer number", "time duration minute hour second rate id percent start end"),
        ("down_time", "downtime down stopped", "integer number", "id count cost"),
        ("setup_time", "setup changeover", "integer number", "id cost target planned"),
        ("planned_time", "planned busy available", "integer number", "id quantity count"),
        ("running_time", "running run actual runtime uptime production operating", "integer number", "id quantity count cost planned"),
        ("ideal_time", "ideal theoretical", "integer number", "id cycle"),
        ("availability", "availability", "integer number", "id"),
        ("performance", "performance", "integer number", "id"),
        ("quality", "quality", "integer number", "id score"),
        ("oee", "oee", "integer number", "id"),
        ("energy", "energy kwh", "integer number", "id cost price"),
        ("duration", "duration minute second hour downtime", "integer number", "id count rate planned cost target setup"),
        ("ideal_cycle", "ideal cycle", "integer number", "id count"),
        (
            "total",
            "total produced production output",
            "integer number",
            "time duration minute good scrap id cost rate planned target percent price",
        ),
        ("minimum", "minimum reorder safety", "integer number", "id time temperature value limit"),
        ("stock", "inventory onhand hand", "integer number", "id minimum reorder value cost"),
        ("lower", "lower minimum", "integer number", "id inventory"),
        ("upper", "upper maximum", "integer number", "id inventory"),
        ("value", "value measurement", "integer number", "id"),
        ("quantity", "quantity amount count units volume weight", "integer number", "id rate price cost unit duration"),
        ("status", "status state", "text integer boolean", "id"),
        ("result", "result", "text boolean", "id"),
        ("priority", "priority", "text integer", "id"),
        ("severity", "severity", "text integer", "id"),
        ("reason", "reason cause", "text", "id"),
        ("defect", "defect", "text", "id rate quantity count"),
        ("category", "category group class family", "text", "id"),
        ("type", "type", "text", "id"),
        ("shift", "shift", "text integer", "date start end"),
        ("message", "message", "text", "id"),
        ("code", "code", "text integer", "reason product status defect"),
        ("unit", "unit", "text", "id price cost"),
        ("comment", "comment description", "text", ""),
        ("lot", "lot batch", "text integer", "size quantity"),
        ("serial", "serial", "text integer", "machine equipment"),
        ("order", "order job", "text integer", "quantity type status date time sales purchase"),
        ("product", "product article item", "text integer", "type category quantity family time changeover duration"),
        ("equipment", "machine equipment station", "text integer", "type category class status model"),
        ("line", "line", "text integer", "type category"),
        ("customer", "customer", "text", "type order"),
        ("supplier", "supplier", "text", "type"),
        ("technician", "technician assigned", "text integer", ""),
        ("operator", "operator employee inspector person", "text integer", ""),
    )
)


def parts_of(table: TableProfile) -> dict[str, str]:
    """Part -> the column that plays it, each column once; and `time`, the column that places a row, and `name`."""
    found: dict[str, str] = {}
    used: set[str] = set()
    says = {c.name: set(c.words) | ({"duration"} if lasts(c) else set()) for c in table.columns}
    for part, marks, kinds, against in _PARTS:
        if part == "planned_start" or part == "planned_end":
            candidates = [c for c in table.columns if c.kind in kinds and says[c.name] & marks and "planned" in c.words]
        else:
            candidates = [c for c in table.columns if c.kind in kinds and says[c.name] & marks and not says[c.name] & against]
        if part in ("planned_time", "running_time", "ideal_time", "down_time", "setup_time"):
            candidates = [c for c in candidates if says[c.name] & {"time", "minute", "hour", "second", "duration", "uptime", "downtime"}]
        if part in ("ordered",):
            candidates = [
                c
                for c in candidates
                if set(c.words) & {"quantity", "amount", "count", "units", "volume", "ordered", "target", "produced", "output", "planned"}
            ]
        free = [
            c for c in candidates if c.name not in used and (c.name != table.key or part in ("equipment", "product", "line", "lot", "code"))
        ]
        if not free:
            continue
        best = min(free, key=lambda c: (len(c.words), table.columns.index(c)))
        found[part] = best.name
        if part not in ("equipment", "product", "line", "lot", "code") or best.name != table.key:
            used.add(best.name)
    _fill(table, found, used)
    return found


_TIME_UNITS = frozenset(("s", "sec", "secs", "min", "mins", "h", "hr", "hrs", "ms"))


def lasts(column: ColumnProfile) -> bool:
    """Whether a number is a length of time by its unit: `production_s`, `dauer_min`."""
    from tools.schema_words import split

    return column.kind in NUMERIC and split(column.name)[-1:] != () and split(column.name)[-1] in _TIME_UNITS and len(column.words) > 1


def _fill(table: TableProfile, found: dict[str, str], used: set[str]) -> None:
    """Parts that the others imply: the name of a row, its time, a lone quantity."""
    texts = [c for c in table.columns if c.kind == "text" and c.format == "" and not c.link]
    own = set(table.words) | {"name", "description", "short", "long", "full", "first", "last"}
    ranked = [
        (3 * ("name" in c.words) + 1.5 * c.unique + ("description" in c.words) - 3.0 * bool(set(c.words) - own) - len(c.words) * 0.1, -i, c)
        for i, c in enumerate(texts)
        if c.name != table.key and ("name" in c.words or (c.unique and ("description" in c.words or set(c.words) & set(table.words))))
    ]
    if ranked:
        found["name"] = max(ranked, key=lambda item: item[:2])[2].name
    times = [c for c in table.columns if c.kind in ("time", "date") and not set(c.words) & {"updated", "birth", "hire"}]
    if not times:
        return
    for part in ("start", "time", "created", "planned_start", "end", "closed"):
        name = found.get(part)
        if name and table.column(name).nulls < 0.02:
            found["time"] = name
            return
    plain = [
        c
        for c in times
        if c.name not in used and not set(c.words) & {"last", "next", "installation", "commissioned", "expiry", "due", "valid"}
    ]
    telling = [c for c in plain if set(c.words) & {"time", "date", "timestamp", "hour"}]
    for candidates in (telling, plain):
        if candidates:
            found["time"] = min(candidates, key=lambda c: (c.nulls, len(c.words))).name
            return
    for part in ("planned_start", "start", "created", "closed", "end"):
        if part in found:
            found["time"] = found[part]
            return


def sensitivity(role: Role, column: ColumnProfile) -> str:
    """`secret`, `personal` or "" for a column, on the safe side for tables about people."""
    words = set(column.words)
    people = role.kind == "dimension" and role.name == "people"
    if words & SECRET or {"hourly", "rate"} <= words or {"hour", "rate"} <= words:
        return "secret"
    if people and words & {"rate", "cost", "bonus", "pay"}:
        return "secret"
    if words & PERSONAL and not (role.kind == "dimension" and role.name in ("line", "equipment", "site", "area", "signal")):
        return "personal"
    allowed = {
        "id",
        "number",
        "code",
        "name",
        "first",
        "last",
        "role",
        "shift",
        "line",
        "area",
        "team",
        "skill",
        "certificate",
        "active",
        "plant",
        "site",
        "status",
        "group",
        "level",
        "employee",
        "person",
        "operator",
        "user",
    }
    if people and column.name not in (role.table.key, role.parts.get("name")) and not words & allowed and not column.link:
        return "personal"
    return ""


def paths_to(roles: Mapping[str, Role], table: str, target: str, deepest: int = 3) -> Sequence[str]:
    """The shortest path of links from a table to a key of `target`: column names, the last holding that key. ()."""
    frontier: list[tuple[str, tuple[str, ...]]] = [(table, ())]
    seen = {table}
    for _ in range(deepest):
        following = []
        for name, path in frontier:
            for column in roles[name].table.columns:
                if not column.link or column.link not in roles:
                    continue
                if column.link == target:
                    return (*path, column.name)
                if column.link not in seen and sensitivity(roles[name], column) == "":
                    seen.add(column.link)
                    following.append((column.link, (*path, column.name)))
        frontier = following
    return ()
