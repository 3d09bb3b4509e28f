"""The policy file: every key of it changes what it says, mistakes are named, and what a role may not read is not searched."""

from __future__ import annotations

import contextlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from retrieval.passages import Anchor, DocumentInfo, Passage
from tools import access
from tools.access import ALL_TOOLS, POLICY, ROLES, Caller, Policy, Scope
from tools.registry import Call, all_tools
from tools.seen_documents import SeenIndex, seen_by

LINES = {"LINE-1": "MACHINING", "LINE-2": "MACHINING", "LINE-3": "ASSEMBLY"}


def lines_in(entry: str) -> list[str]:
    kind, _, name = entry.rpartition(":")
    return [name] if kind in ("", "line") else [line for line, area in LINES.items() if area == name]


def load(tmp_path: Path, text: str) -> Policy:
    path = tmp_path / "policy.yaml"
    path.write_text(text)
    return Policy.load(path)


def test_the_shipped_file_knows_every_role_and_tool() -> None:
    assert set(all_tools()) == ALL_TOOLS
    for table in (POLICY.tools, POLICY.places, POLICY.documents, POLICY.sign_in):
        assert set(table) == set(ROLES)


def test_an_empty_file_changes_nothing(tmp_path: Path) -> None:
    assert load(tmp_path, "") == POLICY


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("tools: {boss: []}", "boss"), ("tools: {operator: [fly]}", "fly"), ("scope: {operator: [planet:MARS]}", "planet"),
        ("scope: {boss: site}", "boss"), ("documents: {operator: {acess: [plant]}}", "acess"), ("sign_in: {operator: [face]}", "sign_in"),
        ("sessions: {shared_minutes: -1}", "shared_minutes"), ("limits: {wrong_sign_ins: many}", "wrong_sign_ins"),
        ("review_notes: [boss]", "boss"), ("rank_peple: true", "rank_peple"), ("own_only_records: {lots: [boss]}", "boss"),
        ("tools: [", "YAML"), ("names_in_prompts: perhaps", "names_in_prompts"),
    ],
)  # fmt: skip
def test_mistakes_are_named(tmp_path: Path, text: str, names: str) -> None:
    with pytest.raises(ValueError, match=names):
        load(tmp_path, text)


@pytest.mark.parametrize(
    ("scope", "entries", "lines"),
    [
        ("own", None, frozenset()), ("own", ["LINE-3"], {"LINE-3"}), ("own", ["area:MACHINING"], {"LINE-1", "LINE-2"}),
        ("own", ["line:LINE-1", "area:ASSEMBLY"], {"LINE-1", "LINE-3"}), ("own", ["area:NOWHERE"], frozenset()), ("site", None, None),
        ("site", ["LINE-1"], {"LINE-1"}), ("[area:MACHINING]", None, {"LINE-1", "LINE-2"}),
        ("[area:MACHINING]", ["LINE-2", "LINE-3"], {"LINE-2"}), ("[area:MACHINING]", ["LINE-3"], frozenset()),
    ],
)  # fmt: skip
def test_places_of_role_and_user_are_intersected(tmp_path: Path, scope: str, entries: list[str] | None, lines: Any) -> None:
    policy = load(tmp_path, f"scope: {{operator: {scope}}}")
    assert policy.scope("operator", entries, lines_in) == Scope(None if lines is None else frozenset(lines))
    assert policy.scope("supervisor", None, lines_in) == Scope(None)


def test_sessions_and_limits_keep_what_is_not_said(tmp_path: Path) -> None:
    policy = load(tmp_path, "sessions: {shared_minutes: 3}\nlimits: {questions_per_minute: 6}")
    assert policy.sessions == access.Sessions(shared_minutes=3)
    assert policy.limits == access.Limits(questions_per_minute=6)


def test_a_key_never_has_more_than_its_role() -> None:
    caller = Caller("o", "O", "operator", tools=frozenset(("run_sql", "query_metrics")))
    assert POLICY.may_use(caller, "query_metrics").allowed
    assert not POLICY.may_use(caller, "run_sql").allowed
    assert not POLICY.may_use(caller, "explain_alarm").allowed


# Documents


class Shelves:
    """An index of four documents that records what it was asked with."""

    def __init__(self) -> None:
        rows = (("MAN", "manual", "plant"), ("SOP", "sop", "plant"), ("LOG", "log", "plant"), ("PAY", "manual", "hr"))
        self.infos = [DocumentInfo(name, name, "1", kind=kind, access=who) for name, kind, who in rows]
        self.asked: list[dict[str, Any]] = []

    def _passages(self) -> list[Passage]:
        return [
            Passage(i.document, "text", i.kind, "text", Anchor(i.document, "1", None, ""), i.title, access=i.access) for i in self.infos
        ]

    def search(self, query: str, k: int = 8, *, kinds: Any = (), access: Any = ("plant",), **more: Any) -> list[Any]:
        self.asked.append({"kinds": tuple(kinds), "access": set(access), **more})
        return [SimpleNamespace(passage=p, score=1.0) for p in self._passages() if p.access in access and (not kinds or p.kind in kinds)]

    def procedures(self, task: str, *, k: int = 5, access: Any = ("plant",), **more: Any) -> list[Any]:
        return [SimpleNamespace(passage=p, score=1.0) for p in self._passages() if p.access in access]

    def alarm(self, code: str, *, access: Any = ("plant",), **more: Any) -> list[Any]:
        return [SimpleNamespace(passage=p) for p in self._passages() if p.access in access]

    def documents(self, on: Any = None) -> list[DocumentInfo]:
        return self.infos

    def document(self, document: str, revision: str | None = None) -> DocumentInfo:
        return next(info for info in self.infos if info.document == document)

    def passages(self, document: str, revision: str | None = None, *, every: bool = False) -> list[Passage]:
        return [p for p in self._passages() if p.anchor.document == document]


def reaches(index: Any, document: str) -> bool:
    """Whether any way through the index gives this document."""
    named = [hit.passage.anchor.document for hit in (*index.search("q"), *index.procedures("q"), *index.alarm("1"))]
    named += [info.document for info in index.documents()]
    named += [p.anchor.document for p in index.passages(document)]
    with contextlib.suppress(KeyError):
        named.append(index.document(document).document)
    return document in named


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("", {"MAN", "SOP", "LOG"}), ("documents: {operator: {access: [plant, hr]}}", {"MAN", "SOP", "LOG", "PAY"}),
        ("documents: {operator: {access: [hr]}}", {"PAY"}), ("documents: {operator: {kinds: [sop]}}", {"SOP"}),
        ("documents: {operator: {access: []}}", set()), ("tools: {operator: [query_metrics]}", set()),
    ],
)  # fmt: skip
def test_documents_off_the_shelf_are_reached_by_no_way(tmp_path: Path, text: str, seen: set[str]) -> None:
    caller = Caller("o", "O", "operator")
    index = seen_by(Shelves(), caller, load(tmp_path, text))
    assert {name for name in ("MAN", "SOP", "LOG", "PAY") if reaches(index, name)} == seen


def test_a_call_holds_the_callers_documents_whoever_makes_it() -> None:
    whole = Shelves()
    administrator = Caller("ada", "Ada", "administrator")
    call = Call(administrator, None, None, whole)  # type: ignore[arg-type]
    assert call.index.search("anything") == []
    assert whole.asked == []  # nothing was looked up at all
    operator = Call(Caller("o", "O", "operator"), None, None, call.index)  # type: ignore[arg-type]
    assert isinstance(operator.index, SeenIndex)
    assert operator.index.whole is whole  # type: ignore[comparison-overlap]
    operator.index.search("q", kinds=("manual",), access=("hr",))
    assert whole.asked[-1] == {"kinds": ("manual",), "access": {"plant"}}
