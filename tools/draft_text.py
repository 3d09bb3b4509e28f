"""Small pieces of text that a drafted model is made of: column names as expressions, times in an order that sorts."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

from tools.schema_profile import ColumnProfile
from tools.schema_roles import Role
from tools.schema_words import split

#: Names that an expression or a result column cannot carry bare.
_WORDS = frozenset(("order", "group", "limit", "user", "table", "value", "values", "index", "key", "column", "select", "from", "where", "by",
                    "case", "end", "check", "default", "offset", "rows", "when", "then", "else", "and", "or", "not", "null", "in", "is", "like",
                    "between", "exists", "union", "all", "any", "some", "distinct", "join", "on", "as", "with", "desc", "asc", "having", "interval",
                    "row", "range", "over", "partition", "window", "filter", "current", "primary", "references", "set", "to", "using", "left",
                    "right", "full", "inner", "outer", "cross", "natural", "cast", "collate", "create", "update", "insert", "delete", "start",
                    "date", "time", "timestamp", "start", "begin", "result", "counted", "own", "since", "until", "year", "month", "day", "hour"))  # fmt: skip


def q(name: str, always: bool = False) -> str:
    """A column's name in an expression, quoted where it must be."""
    if always or not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) or name.lower() in _WORDS:
        return '"' + name.replace('"', '""') + '"'
    return name


def own_name(name: str, taken: Collection[str] = ()) -> str:
    """A plain lower-case name for a column, that no clause of SQL takes for its own."""
    words = [w for w in split(name) if w.isascii()] or ["column"]
    text = "_".join(words)
    if not text[0].isalpha() or text in _WORDS:
        text = f"the_{text}"
    plain, number = text, 1
    while text in taken:
        number += 1
        text = f"{plain}_{number}"
    return text


def name_column(role: Role) -> str | None:
    """The column that names a row; first and last names stand for each other."""
    return role.parts.get("name")


#: Places of the parts of a time in the formats that do not sort as text: (start, length) of year, month, day.
def iso_sql(column: ColumnProfile, prefix: str = "") -> str:
    """A time column as an expression whose text sorts: itself, or its parts in the order of ISO 8601."""
    text = f"{prefix}{q(column.name)}"
    format = column.format
    if format in ("native", "epoch_s", "epoch_ms", "") or format.startswith("%Y-%m-%d"):
        return text
    at, places = 1, {}
    for part in re.findall(r"%.|[^%]", format):
        size = {"%Y": 4, "%b": 3}.get(part, 2) if part.startswith("%") else 1
        places[part] = (at, size)
        at += size
    if "%b" in places:
        return text

    if "." not in format and "/" not in format and "-" not in format:
        text = f"CAST({text} AS TEXT)"  # 20260301 may be a number

    def piece(part: str) -> str:
        start, size = places[part]
        return f"SUBSTR({text}, {start}, {size})"

    date = f"{piece('%Y')} || '-' || {piece('%m')} || '-' || {piece('%d')}"
    if "%H" not in places:
        return date
    clock = f"{piece('%H')} || ':' || {piece('%M')}" + (f" || ':' || {piece('%S')}" if "%S" in places else "")
    return f"{date} || ' ' || {clock}"


def sorted_format(column: ColumnProfile) -> str:
    """How instants of `iso_sql` stand."""
    format = column.format
    if format in ("native", "epoch_s", "epoch_ms") or format.startswith("%Y-%m-%d"):
        return format
    if "%H" not in format:
        return "%Y-%m-%d"
    return "%Y-%m-%d %H:%M:%S" if "%S" in format else "%Y-%m-%d %H:%M"


def readable(column: ColumnProfile) -> bool:
    """Whether a time column can be compared with instants."""
    return column.format != "" and "%b" not in column.format


def clock_of(role: Role, zone: str) -> dict[str, Any] | None:
    """The clock of a table, by the column that places its rows; None where it is the plant's own."""
    column = role.column("time")
    if column is None or not readable(column):
        times = [c for c in role.table.columns if c.kind in ("time", "date") and readable(c)]
        if not times:
            return None
        column = times[0]
    format = sorted_format(column)
    at = "UTC" if column.zone == "UTC" or "utc" in split(column.name) else zone
    if (format, at) == ("%Y-%m-%d %H:%M:%S", zone):
        return None
    return {"zone": at, "format": format}
