"""Who asks, and what that person may see: decided here once, applied to the plan before anything is looked up.

A `Caller` carries a role and a row scope. `POLICY` is the contract's table of roles; a plant may replace it by a YAML
file of the same shape (`Policy.load`). tests/test_access.py walks every role, tool and record.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import yaml

Role = Literal["operator", "technician", "supervisor", "quality", "administrator", "expert"]
ROLES: tuple[Role, ...] = ("operator", "technician", "supervisor", "quality", "administrator", "expert")

DATA_TOOLS = ("query_metrics", "list_records", "trace_material", "signal_trend", "find_correlations")
KNOWLEDGE_TOOLS = ("explain_alarm", "diagnose", "search_documents", "get_procedure")
EVERYONE = (*DATA_TOOLS, *KNOWLEDGE_TOOLS, "draft_document", "raise_request")


@dataclass(frozen=True)
class Scope:
    """Row scope: the lines whose records the caller may see; None means the whole site."""

    lines: frozenset[str] | None = None

    def allows_line(self, line: str) -> bool:
        return self.lines is None or line in self.lines


@dataclass(frozen=True)
class Caller:
    """Who asks. `via` says how the identity was established; only a session or a signature may sign."""

    user: str
    name: str
    role: Role
    scope: Scope = field(default_factory=Scope)
    via: Literal["session", "key", "command line", "test"] = "command line"


@dataclass(frozen=True)
class Verdict:
    """A decision with its reason, as one sentence for the person who asked."""

    allowed: bool
    reason: str = ""


@dataclass(frozen=True)
class Policy:
    """Which role may use which tool, and whether people may be compared or ranked (off unless a plant turns it on)."""

    tools: Mapping[str, frozenset[str]]
    rank_people: bool = False
    own_only_records: Mapping[str, frozenset[str]] = field(default_factory=dict)
    #: Who accepts and rejects field notes, and whether a note names its author or only the author's role.
    review_notes: frozenset[str] = frozenset(("technician", "quality", "supervisor"))
    name_authors: bool = True

    @classmethod
    def load(cls, path: Path) -> Policy:
        """Read a policy file: `tools: {role: [tool, ...]}`, `rank_people`, `own_only_records: {record: [role, ...]}`,
        `review_notes: [role, ...]`, `name_authors`.

        Raises ValueError naming the role or key that does not exist."""
        data = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        unknown = set(data) - {"tools", "rank_people", "own_only_records", "review_notes", "name_authors"}
        if unknown:
            raise ValueError(f"{path.name}: unknown key {sorted(unknown)[0]}")
        tools = {role: frozenset(names) for role, names in data.get("tools", {}).items()}
        reviewers = frozenset(data.get("review_notes", POLICY.review_notes))
        for role in (*tools, *reviewers):
            if role not in ROLES:
                raise ValueError(f"{path.name}: unknown role {role}")
        own = {record: frozenset(roles) for record, roles in data.get("own_only_records", {}).items()}
        return cls(
            {**POLICY.tools, **tools}, bool(data.get("rank_people", False)), own or POLICY.own_only_records, reviewers,
            bool(data.get("name_authors", True)),
        )  # fmt: skip

    def may_use(self, caller: Caller, tool: str) -> Verdict:
        if tool in self.tools.get(caller.role, frozenset()):
            return Verdict(True)
        if caller.role == "administrator":
            return Verdict(False, "An administrator manages users and settings and sees no plant data.")
        if tool == "run_sql":
            return Verdict(False, "Free SQL is for the expert role; ask the question in words instead.")
        return Verdict(False, f"The role {caller.role} may not use {tool.replace('_', ' ')}.")

    def own_only(self, caller: Caller, record: str) -> bool:
        """True when this caller sees only rows about themselves in `record` (an operator's certifications)."""
        return caller.role in self.own_only_records.get(record, frozenset())

    def own_only_table(self, caller: Caller, tables: Mapping[str, str], table: str) -> bool:
        """The same for a table, given each record's: rows are guarded by table, whichever record shows them."""
        return any(tables.get(record) == table and self.own_only(caller, record) for record in self.own_only_records)


POLICY = Policy(
    tools={
        "operator": frozenset(EVERYONE),
        "technician": frozenset(EVERYONE),
        "supervisor": frozenset(EVERYONE),
        "quality": frozenset(EVERYONE),
        "expert": frozenset((*EVERYONE, "run_sql")),
        "administrator": frozenset(),
    },
    own_only_records={"certifications": frozenset(("operator",))},
)
