"""The last gate before a person: only sentences that their evidence supports are filled, joined and spoken.

`release` takes what the composers said, drops every sentence that `tools.evidence.faults` objects to, fills the slots
of the rest, gathers citations for the evidence in use and settles the answer's status. Nothing is added here.
tests/test_release.py feeds it composers that lie and proves that the lie never comes out.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

from assistant.compose.said import Said, raw
from tools.evidence import Evidence, faults, fill, markers
from tools.registry import Step

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Released:
    """What may be shown and spoken."""

    status: str
    sentences: tuple[str, ...]
    text: str
    spoken: str
    blocks: tuple[dict[str, Any], ...]
    citations: tuple[dict[str, Any], ...]
    follow_ups: tuple[str, ...]


def release(said: Sequence[tuple[Step, Said]], plant: Any, first: Sequence[Mapping[str, Any]] = ()) -> Released:
    """Check, fill and gather. `first` are emergency blocks, which nothing here may suppress."""
    evidence = [item for step, _ in said for item in step.result.evidence]
    names = _names(plant) if evidence else frozenset()
    sentences: list[str] = []
    spoken: list[str] = []
    blocks: list[dict[str, Any]] = [dict(block) for block in first]
    follow_ups: list[str] = []
    for step, words in said:
        kept = _supported(words.sentences, evidence, names, plant.zone)
        sentences += kept
        spoken += _supported(words.spoken, evidence, names, plant.zone, cite=False)
        blocks += words.blocks
        follow_ups += words.follow_ups
        if step.result.message and (not kept or step.result.status != "answered"):
            sentences.append(step.result.message)
            spoken.append(step.result.message)
    for block in first:
        if block.get("text"):
            spoken.insert(0, str(block["text"]))
    return Released(
        status=_status([step.result.status for step, _ in said]),
        sentences=tuple(sentences),
        text=" ".join(sentences),
        spoken=" ".join(spoken),
        blocks=tuple(blocks),
        citations=tuple(citation(item) for item in evidence),
        follow_ups=tuple(dict.fromkeys(follow_ups))[:4],
    )


def _names(plant: Any) -> frozenset[str]:
    """What only a slot may say: machines, lines, products and variants as people call them, lower case."""
    kinds = ("equipment", "line", "product", "variant")
    return frozenset(name for kind in kinds for name in plant.vocabulary(kind))


def _supported(templates: Sequence[str], evidence: Sequence[Evidence], names: Collection[str], zone: tzinfo,
               cite: bool = True) -> list[str]:  # fmt: skip
    """The templates without faults, filled, each ending with its markers when `cite`."""
    kept = []
    for template in templates:
        wrong = [fault for fault in faults(template, evidence, names) if cite or fault != "no citation"]
        if wrong:
            log.warning("sentence dropped: %s", "; ".join(wrong))
            continue
        text = fill(template, evidence, zone)
        if cite:
            missing = [marker for marker in markers(template) if f"[{marker}]" not in text]
            text += "".join(f" [{marker}]" for marker in missing)
        else:
            for marker in markers(template):
                text = text.replace(f" [{marker}]", "").replace(f"[{marker}]", "")
        kept.append(text)
    return kept


def _status(statuses: Sequence[str]) -> str:
    """One status for several steps: the common one, else `partial` when some part was answered, else the first."""
    distinct = set(statuses)
    if not distinct:
        return "no_data"
    if len(distinct) == 1:
        return statuses[0]
    if "needs_confirmation" in distinct:
        return "needs_confirmation"
    if distinct & {"answered", "partial"}:
        return "partial"
    return statuses[0]


def citation(item: Evidence) -> dict[str, Any]:
    """One evidence as the contract's citation."""
    base: dict[str, Any] = {"marker": item.marker, "kind": item.kind, "title": item.title}
    if item.query is not None:
        query = item.query
        base |= {
            "sql": query.sql,
            "parameters": {key: raw(value) if not isinstance(value, str) else value for key, value in query.parameters.items()},  # type: ignore[arg-type]
            "rows": query.row_count,
            "columns": [column.name for column in item.columns],
            "data_until": query.data_until.isoformat() if query.data_until else None,
            "certified": query.certified,
            "limited_to": query.limited_to,
            "truncated": query.truncated,
        }
    if item.kind == "record":
        base |= {"record": item.record, "id": item.record_id}
    if item.quotes:
        quote = item.quotes[0]
        base |= {
            "document": quote.document, "title": quote.title, "revision": quote.revision, "page": quote.page,
            "section": quote.section, "quote": quote.text,
        }  # fmt: skip
        if item.kind == "field_note":
            base |= {"note": item.record_id, "author": quote.author, "date": quote.date}
        elif quote.author:
            base |= {"author": quote.author, "date": quote.date}
    return base
