"""The statuses of a drafted record: the values of its status column under canonical names, and what dates and stock say."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tools.draft_text import iso_sql, own_name, q, readable
from tools.draft_values import MOST_STATUSES, values_of
from tools.schema_profile import ColumnProfile, Reader
from tools.schema_roles import Role, sensitivity
from tools.schema_words import distinct, label_of, own_words, plain, split

if TYPE_CHECKING:
    from tools.draft_records import Drafted


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


def add_statuses(record: Drafted, name: str, dialect: str, reader: Reader) -> None:
    role = record.role
    column = role.column("status") or role.column("result") or _told_by_values(role, reader)
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


def _told_by_values(role: Role, reader: Reader) -> ColumnProfile | None:
    """A column of a few words most of which are known states, whatever its name (`disposition`, `pass_fail`)."""
    known = {word for words in _STATUS_WORDS.values() for word in words.split()}
    for column in role.table.columns:
        if role.kind == "record" and column.kind == "text" and not column.format and not column.link and 2 <= len(column.values) <= 8:
            plain_values = [re.sub(r"[^a-z0-9]+", "_", plain(str(v))).strip("_") for v in column.values]
            if sum(v in known for v in plain_values) >= 0.6 * len(plain_values):
                return column
    return None


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
