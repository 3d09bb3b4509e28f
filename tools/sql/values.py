"""The values that cross the SQL gate: what may be read, what is asked, what was decided, what came back.

Everything here is frozen; a refusal is a value with a reason, and only `Database.run` turns it into an exception.
tests/test_sql.py holds the caps and the errors to what is written here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from tools.registry import ToolError, Unavailable

Purpose = Literal["answer", "free", "document"]

# Rows that a statement may return, by purpose: what a screen can show, what an expert may export, what a report holds.
ROW_CAPS: Mapping[str, int] = {"answer": 1_000, "free": 10_000, "document": 250_000}


@dataclass(frozen=True)
class Refused:
    """Why a statement may not run: `reason` is one sentence for a person, `construct` the SQL construct it names."""

    reason: str
    construct: str


@dataclass(frozen=True)
class Decision:
    """The verdict of the gate. `sql` is the statement as it would run, and empty when it is refused; `hidden` names the
    columns that the statement refers to and that read as empty for whoever asks (`people.hourly_rate`)."""

    allowed: bool
    reason: str
    sql: str
    hidden: tuple[str, ...] = ()

    @property
    def note(self) -> str:
        """One sentence about what is hidden; "" when nothing is."""
        if not self.hidden:
            return ""
        names = self.hidden[0] if len(self.hidden) == 1 else f"{', '.join(self.hidden[:-1])} and {self.hidden[-1]}"
        return f"{names} {'is hidden from you; it reads' if len(self.hidden) == 1 else 'are hidden from you; they read'} as empty."


@dataclass(frozen=True)
class TableGrant:
    """What one statement may see of one table.

    `table` is its name in the database ("orders", or "mes.orders" with its schema), `columns` what may be read,
    `masked` columns that exist but are always NULL, `scope` a trusted SQL predicate over the table's own columns with
    named parameters (`line_id IN (:lines)`; a sequence becomes a list), "" when its rows are shared.
    """

    table: str
    columns: tuple[str, ...]
    masked: tuple[str, ...] = ()
    scope: str = ""


@dataclass(frozen=True)
class Grants:
    """Everything a statement may read: a table that is absent does not exist for it.

    Keys of `tables` are the names that statements use. `parameters` fill the scopes and are out of a statement's
    reach. `functions`, when given, narrows the gate's own list of functions (lower-case names); it never widens it.
    """

    tables: Mapping[str, TableGrant]
    parameters: Mapping[str, object] = field(default_factory=dict)
    functions: frozenset[str] | None = None

    @cached_property
    def fingerprint(self) -> tuple[object, ...]:
        """A key for verdicts: the same tables, columns and scopes; values of parameters do not enter."""
        return (tuple(self.tables.items()), self.functions)


@dataclass(frozen=True)
class Statement:
    """A SELECT with named parameters (`:name`) and what it is for, which decides its cap of rows."""

    sql: str
    parameters: Mapping[str, object] = field(default_factory=dict)
    purpose: Purpose = "answer"


@dataclass(frozen=True)
class Rows:
    """What came back: `truncated` when the cap cut it, so that no figure may be computed over it. `sql` is what ran,
    `note` the decision's sentence about hidden columns."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    truncated: bool
    ms: float
    sql: str
    parameters: Mapping[str, object]
    note: str = ""


@dataclass(frozen=True)
class Reach:
    """What the engine's own lock lets one checked statement touch.

    `reads` maps each base table, as the database spells it, to the columns that the statement or its scopes read;
    `derived` holds its CTE names, which some engines report like tables; `order` names the parameters in use, by
    position for engines that bind `$1`.
    """

    reads: Mapping[str, frozenset[str]] = field(default_factory=dict)
    derived: frozenset[str] = frozenset()
    order: tuple[str, ...] = ()


@dataclass(frozen=True)
class ColumnInfo:
    """One column as the database declares it; `references` is "table.column" of a declared foreign key, else ""."""

    name: str
    type: str
    nullable: bool = True
    primary_key: bool = False
    references: str = ""


class SqlRefused(ToolError):
    """The gate, or the engine's own lock behind it, does not let this statement run."""

    def __init__(self, decision: Decision, kind: str = "refused") -> None:
        super().__init__(decision.reason)
        self.decision = decision
        self.kind = kind


class SqlUnavailable(Unavailable):
    """The database could not answer. The sentence carries the class of the error (`kind`), never the engine's text."""

    def __init__(self, sentence: str, kind: str = "unavailable") -> None:
        super().__init__(sentence)
        self.kind = kind


class SqlTimeout(SqlUnavailable):
    """The statement was stopped at its deadline, or found no free connection before it."""

    def __init__(self, sentence: str = "The database query took too long and was stopped.", kind: str = "timeout") -> None:
        super().__init__(sentence, kind)
