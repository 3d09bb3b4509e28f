"""What knowledge there is, and what is missing: documents by machine, alarms without an entry, files that were refused.

`coverage` compares the index with the machines and alarm counts it is given (ingest opens no plant database); `as_html`
is one page that needs nothing else: no script, no address, every name escaped (`tests/test_coverage.py`).
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from ingest.describe import UNREVISED
from ingest.discovery import plain
from ingest.quarantine import sentence
from retrieval.index import Index
from retrieval.passages import KINDS, DocumentInfo

#: How an alarm that occurs is known: an entry for this machine, one in a document that names no machine, or none.
Known = Literal["entry", "unassigned", "none"]
#: Without these a machine's people have nothing to go by.
_NEEDED = (("manual",), ("sop", "work_instruction"))
_NEEDED_WORDS = ("manual", "procedure")


@dataclass(frozen=True)
class Machine:
    """A machine of the plant: id, printed name, line as printed, equipment class."""

    id: str
    name: str
    line: str = ""
    cls: str = ""


@dataclass(frozen=True)
class AlarmSeen:
    """An alarm as the MES has it: how often it was raised on a machine, the last time and message where known."""

    machine: str
    code: str
    events: int
    last: datetime | None = None
    message: str = ""


@dataclass(frozen=True)
class DocumentLine:
    """One document in force with what else is known of it; `scope`: machine, class or "" for a document that names
    neither; `others`: its further revisions with their status."""

    document: str
    title: str
    revision: str
    kind: str
    effective: date | None
    language: str
    scope: str
    source: str
    passages_alarms: int
    others: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


@dataclass(frozen=True)
class MachineLine:
    """A machine with its documents, what it lacks, and its alarms: kinds known and raised, events without an entry."""

    machine: Machine
    documents: tuple[DocumentLine, ...]
    lacking: tuple[str, ...]
    alarms_seen: int
    alarms_known: int
    events: int
    events_unknown: int


@dataclass(frozen=True)
class Gap:
    """Alarms of one code on machines of one class that no manual of theirs explains."""

    code: str
    message: str
    machines: tuple[str, ...]
    events: int
    last: datetime | None
    known: Known


@dataclass(frozen=True)
class Coverage:
    """The whole comparison. `elsewhere`: documents for machines or classes that the plant does not have. `since` and `until` bound the alarm counts (None: no MES was asked)."""

    made: datetime
    since: datetime | None
    until: datetime | None
    machines: tuple[MachineLine, ...]
    gaps: tuple[Gap, ...]
    unassigned: tuple[DocumentLine, ...]
    elsewhere: tuple[DocumentLine, ...]
    quarantined: tuple[tuple[str, str], ...]
    waiting: tuple[DocumentLine, ...]
    languages: tuple[tuple[str, int], ...]

    @property
    def text(self) -> str:
        """The page in one sentence."""
        without = sum(1 for line in self.machines if line.lacking)
        gaps = [gap for gap in self.gaps if gap.known == "none"]
        return (
            f"{len(self.machines)} machines, {without} of them without a manual or a procedure; "
            f"{len(gaps)} alarms with {sum(gap.events for gap in gaps):,} events have no entry in any manual; "
            f"{len(self.unassigned)} documents name no machine, {len(self.elsewhere)} only machines that the plant does not have; {len(self.quarantined)} files were refused."
        )


def coverage(
    index: Index, machines: Sequence[Machine], alarms: Sequence[AlarmSeen], made: datetime,
    since: datetime | None = None, until: datetime | None = None, holds: Callable[[DocumentInfo], bool] | None = None,
) -> Coverage:  # fmt: skip
    """Compares what is in the index (of its documents those that `holds` lets through) with the machines and the alarms
    that occur on them."""
    infos = [info for info in index.documents() if holds is None or info.status == "quarantined" or holds(info)]
    lists = Counter(_lists(index))
    revisions: dict[str, list[DocumentInfo]] = {}
    for info in infos:
        if info.status != "quarantined":
            revisions.setdefault(info.document, []).append(info)
    lines = {i.document: _line(i, revisions[i.document], lists) for i in infos if i.status == "effective"}
    effective = [i for i in infos if i.status == "effective"]
    known = {(seen.machine, seen.code): _known(index, seen, _of(machines, seen.machine)) for seen in alarms}
    return Coverage(
        made, since, until,
        tuple(_machine_line(m, effective, lines, [s for s in alarms if s.machine == m.id], known) for m in machines),
        _gaps(machines, alarms, known),
        tuple(lines[i.document] for i in effective if not i.equipment and not i.equipment_class and i.kind not in ("log", "field_note")),
        tuple(lines[i.document] for i in effective if machines and _is_elsewhere(i, machines)),
        tuple(sorted((plain(i.source), sentence(i.reason)) for i in infos if i.status == "quarantined")),
        tuple(_line(i, [], lists) for i in infos if i.status == "pending"),
        tuple(Counter(i.language or "?" for i in effective).most_common()),
    )  # fmt: skip


def _lists(index: Index) -> list[tuple[str, str]]:
    catalogue = index.catalogue
    codes = catalogue.alarm_codes()
    passages = catalogue.passages(sorted({passage for _, passage in codes}))
    anchors = [passages[passage].anchor for _, passage in codes if passage in passages]
    return [(anchor.document, anchor.revision) for anchor in anchors]


def _line(info: DocumentInfo, revisions: Sequence[DocumentInfo], lists: Counter[tuple[str, str]]) -> DocumentLine:
    named = ", ".join(info.equipment) or info.equipment_class
    missing = [
        word for word, there in (("revision", info.revision not in ("", UNREVISED)), ("effective date", info.effective)) if not there
    ]
    if os.path.isabs(info.source) and not os.path.exists(info.source):
        missing.append("its file")
    others = [f"{other.revision} {other.status}" for other in revisions if other.revision != info.revision]
    return DocumentLine(
        plain(info.document), plain(info.title), plain(info.revision), info.kind, info.effective, info.language, named,
        plain(os.path.basename(info.source)), lists[(info.document, info.revision)], tuple(others), tuple(missing) if info.kind != "log" else (),
    )  # fmt: skip


def _is_for(info: DocumentInfo, machine: Machine) -> bool:
    if info.equipment:
        return machine.id.casefold() in (name.casefold() for name in info.equipment)
    return bool(info.equipment_class) and info.equipment_class.casefold() == machine.cls.casefold()


def _is_elsewhere(info: DocumentInfo, machines: Sequence[Machine]) -> bool:
    """Whether a document names machines or a class, and none that the plant has: a typing error hides it for good."""
    named = bool(info.equipment or info.equipment_class)
    return named and info.kind not in ("log", "field_note") and not any(_is_for(info, machine) for machine in machines)


def _of(machines: Sequence[Machine], name: str) -> Machine | None:
    return next((machine for machine in machines if machine.id == name), None)


def _known(index: Index, seen: AlarmSeen, machine: Machine | None) -> Known:
    """Whether an effective document has an entry of exactly this code for this machine."""
    found = index.alarm(seen.code, equipment=seen.machine, equipment_class=machine.cls if machine else None)
    if any(entry.passage.equipment or entry.passage.equipment_class for entry in found):
        return "entry"
    return "unassigned" if found else "none"


def _machine_line(
    machine: Machine, effective: Sequence[DocumentInfo], lines: dict[str, DocumentLine], seen: Sequence[AlarmSeen],
    known: dict[tuple[str, str], Known],
) -> MachineLine:  # fmt: skip
    own = [info for info in effective if _is_for(info, machine)]
    kinds = {info.kind for info in own}
    lacking = [words for words, needed in zip(_NEEDED_WORDS, _NEEDED, strict=True) if not kinds & set(needed)]
    return MachineLine(
        machine, tuple(lines[info.document] for info in sorted(own, key=lambda i: (KINDS.index(i.kind), i.document))), tuple(lacking),
        len(seen), sum(known[(s.machine, s.code)] != "none" for s in seen), sum(s.events for s in seen),
        sum(s.events for s in seen if known[(s.machine, s.code)] == "none"),
    )  # fmt: skip


def _gaps(machines: Sequence[Machine], alarms: Sequence[AlarmSeen], known: dict[tuple[str, str], Known]) -> tuple[Gap, ...]:
    """Alarms without an entry, one line for machines of one class, the most frequent first."""
    groups: dict[tuple[str, str, Known], list[AlarmSeen]] = {}
    for seen in alarms:
        state = known[(seen.machine, seen.code)]
        if state != "entry":
            machine = _of(machines, seen.machine)
            groups.setdefault((seen.code, machine.cls if machine and machine.cls else seen.machine, state), []).append(seen)
    gaps = [
        Gap(
            code, next((s.message for s in group if s.message), ""), tuple(sorted(s.machine for s in group)),
            sum(s.events for s in group), max((s.last for s in group if s.last), default=None), state,
        )
        for (code, _, state), group in groups.items()
    ]  # fmt: skip
    return tuple(sorted(gaps, key=lambda gap: (gap.known != "none", -gap.events, gap.code)))


def as_json(found: Coverage) -> dict[str, Any]:
    """The comparison as plain values, times as ISO text."""
    return {"text": found.text, **_plain_value(asdict(found))}


def _plain_value(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain_value(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain_value(inner) for inner in value]
    return value.isoformat() if isinstance(value, date) else value


def as_html(found: Coverage) -> str:
    """One self-contained page, for a browser or a printer."""
    text: str = _template().render(found=found, kinds=KINDS)
    return text


@lru_cache(maxsize=1)
def _template() -> Any:
    from jinja2 import StrictUndefined
    from jinja2.sandbox import SandboxedEnvironment

    environment = SandboxedEnvironment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(Path(__file__).with_name("coverage.html").read_text(encoding="utf-8"))
