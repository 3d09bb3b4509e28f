"""A finished answer proved from its evidence alone: for evals over every answer, and for whoever doubts one.

The composers' sentences are checked before they are filled; `audit` looks at what came out, without knowing the slots, so
that it also finds a fault of the filling itself. tests/test_audit.py feeds it answers with one thing wrong.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import tzinfo
from typing import Any

from tools.evidence import Column, Evidence, Value, show
from tools.registry import Step

_MARKER = re.compile(r"\[E\d+\]")
_TOKEN = re.compile(r"[^\s\[\]()“”\",;]*[0-9][^\s\[\]()“”\",;]*")
_SENTENCE = re.compile(r"(.*?)((?:\s*\[E\d+\])+)", re.DOTALL)


def audit(answer: Mapping[str, Any], steps: Sequence[Step], zone: tzinfo, names: Collection[str] = ()) -> list[str]:
    """What a finished answer says in its text, speech and number tiles that its own evidence does not hold: digits,
    codes and plant names outside what the cited source shows, numbers of another row than the one named beside them, and
    markers of no source. Works from the evidence, not from the slots, so it also finds a fault of the filling itself. What
    the person said, the assumptions, rights and empty results are stated by code and count as known. For evals over every
    answer, with `Assistant.examined`."""
    evidence = {item.marker: item for step in steps for item in step.result.evidence}
    known = {marker: _joined(shown(item, zone)) for marker, item in evidence.items()}
    own = [str(answer.get("question", "")), *(str(words) for words in answer.get("assumed", ()))]
    own += [str(step.get("arguments", "")) for step in answer.get("steps", ())]
    own += [step.result.message for step in steps]
    own += [str((answer.get("plan") or {}).get("reason", ""))]
    own += [str(block.get("text", "")) for block in answer.get("blocks", ()) if block.get("type") in ("emergency", "confirm")]
    beside = _joined(own)
    found: list[str] = []

    def check(text: str, sources: str) -> None:
        found.extend(f"unsupported: {token}" for token in _tokens(text) if token not in sources and token not in beside)
        padded = f" {re.sub(r'[^0-9a-zA-Z-]+', ' ', text).lower()} "
        flat = re.sub(r"[^0-9a-z-]+", " ", sources + beside)
        found.extend(f"unsupported name: {name}" for name in names if f" {name} " in padded and f" {name} " not in flat)

    text = str(answer.get("text", ""))
    at = 0
    for match in _SENTENCE.finditer(text):
        marked = [m[1:-1] for m in _MARKER.findall(match.group(2))]
        found += [f"marker of no source: {marker}" for marker in marked if marker not in known]
        check(match.group(1), " ".join(known.get(marker, "") for marker in marked))
        if len(marked) == 1 and marked[0] in evidence:
            found += _of_another(match.group(1), evidence[marked[0]], zone, beside)
        at = match.end()
    everything = " ".join(known.values())
    check(text[at:], everything)
    check(str(answer.get("spoken", "")), everything)
    for block in answer.get("blocks", ()):
        if block.get("type") == "number":
            check(str(block.get("text", "")), known.get(str(block.get("marker")), ""))
    return found


def _joined(texts: Sequence[str]) -> str:
    return f" {' '.join(texts)} ".lower()


def _tokens(text: str) -> list[str]:
    bare = (token.lower().strip(".:;!?%–-") for token in _TOKEN.findall(text))
    return [token for token in bare if token]


def _of_another(sentence: str, item: Evidence, zone: tzinfo, beside: str) -> list[str]:
    """Numbers of a sentence that names rows of a table by their subject, and are of none of those rows."""
    if not item.subject or len(item.rows) < 2:
        return []
    column = item.column(item.subject)
    lowered = f" {re.sub(r'[^0-9a-z-]+', ' ', sentence.lower())} "
    told: list[str] = []
    for row in item.rows:
        name = re.sub(r"[^0-9a-z-]+", " ", show(row.get(item.subject), column, zone).lower()).strip()
        if name and f" {name} " in lowered:
            told += _shown_row(item, row, zone)
    if not told:
        return []
    whole = _joined([*told, item.title, *(show(value, column, zone) for column, value in item.facts.values())])
    return [f"of another subject: {token}" for token in _tokens(sentence) if token not in whole and token not in beside]


def _shown_row(item: Evidence, row: Mapping[str, Value], zone: tzinfo) -> list[str]:
    columns = {column.name: column for column in item.columns}
    return [show(value, columns.get(name, Column(name, name)), zone) for name, value in row.items()]


def shown(item: Evidence, zone: tzinfo) -> list[str]:
    """Every value of a source as people read it."""
    out = [item.title]
    for row in item.rows:
        out += _shown_row(item, row, zone)
    out += [show(value, column, zone) for column, value in item.facts.values()]
    out += [quote.text for quote in item.quotes]
    return out
