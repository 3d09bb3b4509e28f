"""Is a document still what its sources say? Every statement is asked again and every cited passage looked up again.

Statements run as they ran, through the same gate, and the hash of their rows is compared with the appendix; where it
differs, the rows that went and came are told. Passages are compared by anchor and hash, cited files by their bytes.
What is stored about the document itself is checked by `DocumentStore.audit`. tests/test_verify.py plants one changed
row, passage and byte after another and finds each.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tools.documents.proof import Proof, kept_rows, row_changes, standing
from tools.documents.tree import Document, Source, rows_hash
from tools.registry import ToolError
from tools.sql import Statement
from tools.sql.values import ROW_CAPS

if TYPE_CHECKING:
    from retrieval.index import Index
    from tools.plant_model import Plant

#: Rows that a finding shows of what went and of what came.
_SHOWN = 5
#: The gate's own parameters may not be given back to it under their names.
_SCOPE = re.compile(r"\bscope__")
_NUMBERED = re.compile(r"\$(\d+)")
_NAMED = re.compile(r"\$([A-Za-z_]\w*)")
#: How the gate writes a CTE of literal ranges for SQLite, which names no columns behind VALUES.
_RANGES = re.compile(r'"(\w+)" AS \(SELECT ((?:"_values"\."column\d+" AS "[^"]+"(?:, )?)+) FROM \((VALUES .*?)\) AS "_values"\)')
#: The gate asks for one row more than the cap, to know whether there were more; asked again, it adds that by itself.
_CAPPED = re.compile(rf" LIMIT ({'|'.join(str(cap + 1) for cap in ROW_CAPS.values())})$")
_QUOTED = re.compile(r'AS ("[^"]+")')


@dataclass(frozen=True)
class Finding:
    """One thing that is not as it was: `marker` of the source ("" for the document itself), what it is about (rows,
    passage, status, file, stored), one sentence, and the rows as they were and are."""

    marker: str
    about: str
    sentence: str
    before: tuple[str, ...] = ()
    now: tuple[str, ...] = ()


@dataclass(frozen=True)
class Verified:
    """What was checked and what was found; clean when nothing was."""

    document: str
    revision: str
    statements: int
    passages: int
    findings: tuple[Finding, ...]

    @property
    def clean(self) -> bool:
        return not self.findings


def verify(document: Document, proof: Proof, plant: Plant, index: Index, stored: Sequence[str] = ()) -> Verified:
    """Recompute a document's appendix against the plant and the index; `stored` are the faults of what is kept."""
    findings = [Finding("", "stored", sentence) for sentence in stored]
    statements = 0
    for source in document.sources:
        kept = proof.get("rows", {}).get(source.marker, [])
        for number, statement in enumerate(source.statements):
            statements += 1
            before = kept[number] if number < len(kept) else {}
            findings += _asked_again(plant, source, statement, before)
        if source.sql and not source.statements:
            findings.append(Finding(source.marker, "rows", f"{source.marker} has no statement that could be asked again."))
    places = proof.get("passages", [])
    documents: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for place in places:
        findings += _looked_up(index, place)
        documents.setdefault((place["document"], place["revision"]), []).append(place)
    for cited in documents.values():
        findings += _still_standing(index, cited)
    return Verified(document.id, document.revision, statements, len(places), tuple(findings))


def _asked_again(plant: Plant, source: Source, statement: Mapping[str, Any], kept: Mapping[str, Any]) -> list[Finding]:
    sql, parameters = again(str(statement["sql"]), statement["parameters"], kept.get("order", ()))
    try:
        rows = plant.query(Statement(sql, parameters, purpose="document")).rows
    except ToolError as error:
        return [Finding(source.marker, "rows", f"{source.marker} ({source.title}) cannot be computed again: {error}")]
    if statement.get("truncated"):
        rows = rows[: int(statement["row_count"])]
    if rows_hash(rows) == statement["rows_sha256"]:
        return []
    gone, new = row_changes(kept.get("rows", []), kept_rows(rows))
    was, counted = int(statement["row_count"]), len(rows)
    said = f"{was} rows then, {counted} now" if was != counted else f"{max(len(gone), len(new))} of {was} rows differ"
    return [
        Finding(source.marker, "rows", f"{source.marker} ({source.title}) has changed: {said}.", tuple(gone[:_SHOWN]), tuple(new[:_SHOWN]))
    ]


def again(sql: str, parameters: Mapping[str, Any], order: Sequence[str]) -> tuple[str, dict[str, Any]]:
    """A statement as it ran, as the gate takes it: its own scope parameters under another name, `$1` and `$name` as
    `:name`, literal ranges with the names of their columns before them."""
    sql = _CAPPED.sub("", sql)
    sql = _RANGES.sub(lambda match: f'"{match.group(1)}"({", ".join(_QUOTED.findall(match.group(2)))}) AS ({match.group(3)})', sql)
    if order:
        sql = _NUMBERED.sub(lambda match: f":{order[int(match.group(1)) - 1]}", sql)
        sql = _NAMED.sub(r":\1", sql)
    return _SCOPE.sub("was__", sql), {_SCOPE.sub("was__", name): value for name, value in parameters.items()}


def _looked_up(index: Index, place: Mapping[str, Any]) -> list[Finding]:
    now = standing(index, place["document"], place["revision"], place["page"], place["section"])
    if now["passages"] == place["passages"]:
        return []
    page = f", page {place['page']}" if place["page"] else ""
    where = f"{place['document']} revision {place['revision']}{page}, {place['section']}".rstrip(", ")
    said = "is no longer there" if not now["passages"] else "reads differently now"
    return [Finding(place["marker"], "passage", f"The passage behind {place['marker']} ({where}) {said}.")]


def _still_standing(index: Index, places: Sequence[Mapping[str, Any]]) -> list[Finding]:
    """Whether one cited document is in force as it was, and its file has the bytes that it had; told once."""
    first = places[0]
    now = standing(index, first["document"], first["revision"], first["page"], first["section"])
    markers = ", ".join(dict.fromkeys(place["marker"] for place in places))
    name, found = f"{first['document']} revision {first['revision']}, cited as {markers},", []
    if now["status"] != first["status"]:
        found.append(Finding(first["marker"], "status", f"{name} was {first['status']} and is {now['status']} now."))
    if now["file"] != first["file"]:
        said = "is gone" if not now["file"] else "was changed"
        found.append(Finding(first["marker"], "file", f"The file of {name} {said}."))
    return found
