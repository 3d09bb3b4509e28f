"""Who asks, and what that person may see: decided here once, applied to the plan before anything is looked up.

A `Caller` carries a role and a row scope. `Policy` is one file (`policy.yaml` beside this module; a plant's own file says what
differs): tools, places, document classes and ways to sign in by role, and what holds for everybody. It is read, checked and
asked here alone. tests/test_access.py walks every role and tool; tests/test_policy.py every key of the file.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

Role = Literal["operator", "technician", "supervisor", "quality", "administrator", "expert"]
ROLES: tuple[Role, ...] = ("operator", "technician", "supervisor", "quality", "administrator", "expert")
Way = Literal["password", "pin", "badge", "key"]
Value = TypeVar("Value")

DATA_TOOLS = ("query_metrics", "list_records", "trace_material", "signal_trend", "find_correlations")
KNOWLEDGE_TOOLS = ("explain_alarm", "diagnose", "search_documents", "get_procedure")
EVERYONE = (*DATA_TOOLS, *KNOWLEDGE_TOOLS, "draft_document", "raise_request")
ALL_TOOLS = frozenset((*EVERYONE, "run_sql"))


@dataclass(frozen=True)
class Scope:
    """Row scope: the lines whose records the caller may see; None means the whole site."""

    lines: frozenset[str] | None = None

    def allows_line(self, line: str) -> bool:
        return self.lines is None or line in self.lines

    def within(self, other: Scope) -> Scope:
        """What both allow."""
        if self.lines is None or other.lines is None:
            return other if self.lines is None else self
        return Scope(self.lines & other.lines)


@dataclass(frozen=True)
class Caller:
    """Who asks. `via` says how the identity was established; only a session or a signature may sign. `tools` narrows a key to
    some tools of its role; None leaves it them all."""

    user: str
    name: str
    role: Role
    scope: Scope = field(default_factory=Scope)
    via: Literal["session", "tablet", "key", "command line", "test"] = "command line"
    tools: frozenset[str] | None = None


@dataclass(frozen=True)
class Verdict:
    """A decision with its reason, as one sentence for the person who asked."""

    allowed: bool
    reason: str = ""


@dataclass(frozen=True)
class Shelf:
    """The documents that a role reads: classes that they state as `access`, and kinds (None: all)."""

    access: frozenset[str] = frozenset(("plant",))
    kinds: frozenset[str] | None = None

    def holds(self, kind: str, access: str) -> bool:
        return access in self.access and (self.kinds is None or kind in self.kinds)


@dataclass(frozen=True)
class Sessions:
    """How long a sign-in lasts, and whether a badge alone opens a shared tablet."""

    hours: float = 12.0
    shared_minutes: float = 10.0
    shared_hours: float = 8.0
    badge_needs_pin: bool = False


@dataclass(frozen=True)
class Limits:
    """What one account, one address and one session may do before they wait."""

    wrong_sign_ins: int = 5
    locked_minutes: float = 10.0
    wrong_from_one_address: int = 30
    questions_per_minute: float = 60.0
    questions_at_once: int = 20


#: What a role reads when a policy says nothing of it.
_NO_SHELF = Shelf(frozenset(), None)


@dataclass(frozen=True)
class Policy:
    """The policy of a plant. `tools`: role to the tools that it may use; the rest as the comments of `policy.yaml` say."""

    tools: Mapping[str, frozenset[str]]
    rank_people: bool = False
    own_only_records: Mapping[str, frozenset[str]] = field(default_factory=dict)
    #: Who accepts and rejects field notes, and whether a note names its author or only the author's role.
    review_notes: frozenset[str] = frozenset(("technician", "quality", "supervisor"))
    name_authors: bool = True
    names_in_prompts: bool = False
    places: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # ("own",), ("site",) or places
    documents: Mapping[str, Shelf] = field(default_factory=lambda: dict.fromkeys(ROLES, Shelf()))
    sign_in: Mapping[str, frozenset[str]] = field(default_factory=lambda: dict.fromkeys(ROLES, frozenset(("password",))))
    sessions: Sessions = field(default_factory=Sessions)
    limits: Limits = field(default_factory=Limits)

    @classmethod
    def load(cls, path: Path) -> Policy:
        """Read a plant's policy file over the shipped one. Raises ValueError naming the key, role or tool that is wrong."""
        return _read(path, POLICY)

    def may_use(self, caller: Caller, tool: str) -> Verdict:
        if tool in self.tools.get(caller.role, frozenset()):
            if caller.tools is not None and tool not in caller.tools:
                return Verdict(False, f"This key may not use {tool.replace('_', ' ')}.")
            return Verdict(True)
        if caller.role == "administrator":
            return Verdict(False, "An administrator manages users and settings and sees no plant data.")
        if tool == "run_sql":
            return Verdict(False, "Free SQL is for the expert role; ask the question in words instead.")
        return Verdict(False, f"The role {caller.role} may not use {tool.replace('_', ' ')}.")

    def may_sign_in(self, role: str, way: Way) -> bool:
        return way in self.sign_in.get(role, frozenset())

    def shelf(self, caller: Caller) -> Shelf:
        """The documents that this caller reads; who may use no tool that reads documents reads none."""
        if not any(self.may_use(caller, tool).allowed for tool in (*KNOWLEDGE_TOOLS, "draft_document")):
            return _NO_SHELF
        return self.documents.get(caller.role, _NO_SHELF)

    def scope(self, role: str, entries: Sequence[str] | None, lines_in: Callable[[str], Collection[str]]) -> Scope:
        """The row scope of a user: the places that stand beside the user (None: none do), within those of the role.

        An entry is a line's id or `line:`, `area:` or `site:` with an id; `lines_in` gives the lines of such a place, none for a
        place that the plant does not have."""
        own = None if entries is None else frozenset(line for entry in entries for line in lines_in(entry))
        bound = self.places.get(role, ("site",))
        if bound == ("own",):
            return Scope(own or frozenset())
        if bound == ("site",):
            return Scope(own)
        return Scope(own).within(Scope(frozenset(line for entry in bound for line in lines_in(entry))))

    def own_only(self, caller: Caller, record: str) -> bool:
        """True when this caller sees only rows about themselves in `record` (an operator's certifications)."""
        return caller.role in self.own_only_records.get(record, frozenset())

    def own_only_table(self, caller: Caller, tables: Mapping[str, str], table: str) -> bool:
        """The same for a table, given each record's: rows are guarded by table, whichever record shows them."""
        return any(tables.get(record) == table and self.own_only(caller, record) for record in self.own_only_records)


# -- the file


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _ShelfFile(_Strict):
    access: list[str] = Field(default=["plant"])
    kinds: Literal["all"] | list[str] = "all"


class _SessionsFile(_Strict):
    hours: float | None = Field(default=None, gt=0, le=24)
    shared_minutes: float | None = Field(default=None, gt=0, le=240)
    shared_hours: float | None = Field(default=None, gt=0, le=24)
    badge_needs_pin: bool | None = None


class _LimitsFile(_Strict):
    wrong_sign_ins: int | None = Field(default=None, ge=1, le=20)
    locked_minutes: float | None = Field(default=None, ge=1, le=1440)
    wrong_from_one_address: int | None = Field(default=None, ge=5)
    questions_per_minute: float | None = Field(default=None, gt=0)
    questions_at_once: int | None = Field(default=None, ge=1)


class _PolicyFile(_Strict):
    """The file as it is written; every part may be left out."""

    tools: dict[str, list[str]] = Field(default={})
    scope: dict[str, Literal["own", "site"] | list[str]] = Field(default={})
    documents: dict[str, _ShelfFile] = Field(default={})
    sign_in: dict[str, list[Way]] = Field(default={})
    sessions: _SessionsFile = Field(default_factory=lambda: _SessionsFile())
    limits: _LimitsFile = Field(default_factory=lambda: _LimitsFile())
    rank_people: bool | None = None
    names_in_prompts: bool | None = None
    name_authors: bool | None = None
    review_notes: list[str] | None = None
    own_only_records: dict[str, list[str]] | None = None


def _read(path: Path, under: Policy) -> Policy:
    try:
        said = _PolicyFile.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")) or {})
    except yaml.YAMLError as error:
        raise ValueError(f"{path.name} cannot be read as YAML") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        unknown = first["type"] == "extra_forbidden"
        raise ValueError(f"{path.name}: unknown key {where}" if unknown else f"{path.name}: {where}: {first['msg']}") from error
    own = said.own_only_records or {}
    for roles in (said.tools, said.scope, said.documents, said.sign_in, said.review_notes or (), *own.values()):
        _known(path, "role", roles, ROLES)
    for names in said.tools.values():
        _known(path, "tool", names, ALL_TOOLS)
    for places in said.scope.values():
        _known(path, "place", [entry.partition(":")[0] for entry in places] if isinstance(places, list) else (), ("line", "area", "site"))
    shelves = {r: Shelf(frozenset(s.access), None if s.kinds == "all" else frozenset(s.kinds)) for r, s in said.documents.items()}
    return Policy(
        tools={**under.tools, **{role: frozenset(names) for role, names in said.tools.items()}},
        rank_people=_or(said.rank_people, under.rank_people),
        own_only_records={record: frozenset(roles) for record, roles in own.items()} or under.own_only_records,
        review_notes=under.review_notes if said.review_notes is None else frozenset(said.review_notes),
        name_authors=_or(said.name_authors, under.name_authors),
        names_in_prompts=_or(said.names_in_prompts, under.names_in_prompts),
        places={**under.places, **{r: tuple(w) if isinstance(w, list) else (w,) for r, w in said.scope.items()}},
        documents={**under.documents, **shelves},
        sign_in={**under.sign_in, **{role: frozenset(ways) for role, ways in said.sign_in.items()}},
        sessions=Sessions(**_over(under.sessions, said.sessions)),
        limits=Limits(**_over(under.limits, said.limits)),
    )


def _known(path: Path, what: str, names: Collection[str], known: Collection[str]) -> None:
    for name in names:
        if name not in known:
            raise ValueError(f"{path.name}: unknown {what} {name}")


def _or(said: Value | None, otherwise: Value) -> Value:
    return otherwise if said is None else said


def _over(under: Any, said: BaseModel) -> dict[str, Any]:
    return {**vars(under), **said.model_dump(exclude_none=True)}


#: The policy that ships; a plant's own file is read over it.
POLICY = _read(Path(__file__).with_name("policy.yaml"), Policy(tools={}))
