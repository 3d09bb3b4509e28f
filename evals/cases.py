"""Question cases: data with an oracle. A case without an expectation, with an unknown field or a repeated id does not
load (tests/test_evals.py); `${name}` in its SQL stands for a piece of evals/cases/sql.yaml."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from string import Template
from typing import Any

import yaml

FOLDER = Path(__file__).parent / "cases"
PIECES = "sql.yaml"
#: Fields that state what is right; every case has one beside its status, or a status other than `answered`.
ORACLES = ("number", "count", "ids", "rows", "anchor", "says", "absent", "draft", "confirm", "emergency", "passage")
STATUSES = frozenset((
    "answered", "partial", "no_data", "not_allowed", "out_of_scope", "refused_unsafe", "needs_clarification",
    "needs_confirmation", "smalltalk", "unavailable",
))  # fmt: skip


class CaseError(ValueError):
    """A case that cannot be graded; the message names its id."""


@dataclass(frozen=True)
class Anchor:
    """A citation that must be there: the document, its effective revision, and words that the cited page holds and the
    answer shows."""

    document: str
    revision: str | None = None
    shows: tuple[str, ...] = ()


@dataclass(frozen=True)
class Draft:
    """A drafted document: its kind, SQL for the record ids that it lists, and words that stand in it or must not."""

    kind: str
    ids: str | None = None
    says: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()


@dataclass(frozen=True)
class Case:
    """One question and what a right answer holds. `period` and `period2` are words of evals.oracles.period; they fill :a,
    :b and :a2, :b2 of the SQL as UTC text; `split` runs `rows` once a day, week or shift of the period."""

    id: str
    question: str
    kind: str
    status: tuple[str, ...] = ("answered",)
    user: str | None = None
    equipment: str | None = None
    context: tuple[str, ...] = ()
    at: str | None = None
    story: str | None = None
    tool: str | None = None
    period: str | None = None
    period2: str | None = None
    split: str | None = None
    number: str | None = None
    count: str | None = None
    ids: str | None = None
    rows: str | None = None
    anchor: Anchor | None = None
    passage: str | None = None
    says: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    draft: Draft | None = None
    confirm: Mapping[str, Any] = field(default_factory=dict)
    emergency: str | None = None


def load(folder: Path = FOLDER) -> list[Case]:
    """Every question case under the folder, in file order. Raises CaseError."""
    pieces = yaml.safe_load((folder / PIECES).read_text(encoding="utf-8"))
    cases: list[Case] = []
    for path in sorted(folder.glob("*.yaml")):
        if path.name != PIECES:
            cases.extend(_file(path, pieces))
    repeated = {case.id for case in cases if sum(other.id == case.id for other in cases) > 1}
    if repeated:
        raise CaseError(f"repeated case ids: {', '.join(sorted(repeated))}")
    return cases


def _file(path: Path, pieces: Mapping[str, str]) -> Iterator[Case]:
    for row in yaml.safe_load(path.read_text(encoding="utf-8")):
        yield case_of(row, pieces)


def case_of(row: Mapping[str, Any], pieces: Mapping[str, str] | None = None) -> Case:
    """One case from its row. Raises CaseError when a field is unknown, missing, or nothing is expected."""
    name = str(row.get("id", row.get("question", "?")))
    unknown = set(row) - {f.name for f in fields(Case)}
    if unknown:
        raise CaseError(f"{name}: unknown fields {', '.join(sorted(unknown))}")
    for wanted in ("id", "question", "kind"):
        if not row.get(wanted):
            raise CaseError(f"{name}: {wanted} is missing")
    values = dict(row)
    for key in ("status", "says", "absent", "context"):
        if key in values:
            values[key] = _texts(values[key])
    for key in ("number", "count", "ids", "rows"):
        if key in values:
            values[key] = _expanded(str(values[key]), pieces or {}, name)
    if "anchor" in values:
        anchor = dict(values["anchor"])
        values["anchor"] = Anchor(**{**anchor, "shows": _texts(anchor.get("shows", ()))})
    if "draft" in values:
        draft = dict(values["draft"])
        if draft.get("ids"):
            draft["ids"] = _expanded(draft["ids"], pieces or {}, name)
        values["draft"] = Draft(**{**draft, "says": _texts(draft.get("says", ())), "absent": _texts(draft.get("absent", ()))})
    case = Case(**values)
    strange = set(case.status) - STATUSES
    if strange:
        raise CaseError(f"{name}: unknown status {', '.join(sorted(strange))}")
    if "answered" in case.status and not any(getattr(case, oracle) for oracle in ORACLES):
        raise CaseError(f"{name}: nothing is expected of the answer")
    return case


def _texts(value: Any) -> tuple[str, ...]:
    return (str(value),) if isinstance(value, str | int | float) else tuple(str(item) for item in value)


def _expanded(sql: str, pieces: Mapping[str, str], name: str) -> str:
    if "equipment_id" in sql or "equipment_class" in sql:
        pieces = {**pieces, "hours": pieces.get("machine_hours", "")}
    try:
        for _ in range(3):  # pieces may use pieces
            sql = Template(sql).substitute(pieces)
    except KeyError as error:
        raise CaseError(f"{name}: no SQL piece is called {error}") from error
    return sql
