"""Sources in force that contradict each other are both shown; what says less, or is about something else, is not."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest

from assistant.compose.knowledge import compose_explain_alarm, compose_search_documents
from retrieval.embed import HashEmbedder
from retrieval.index import AlarmEntry, Anchor, DocumentInfo, Index, Passage
from tools.access import Caller
from tools.alarms import explain_alarm
from tools.manuals import search_documents
from tools.registry import Call, Step
from tools.sources import contradictions, named_revision, same_thing_other_value

NOW = datetime(2026, 6, 17, 9, tzinfo=UTC)
PLANT = SimpleNamespace(equipment={})


def _passage(document: str, text: str, *, revision: str = "A", cls: str = "cnc", kind: str = "manual", software: str = "") -> Passage:
    anchor = Anchor(document, revision, 3, "4.2")
    return Passage(
        f"{document}@{revision}#{text[:9]}",
        text,
        kind,
        "paragraph",
        anchor,
        f"{document} of the mill",
        equipment_class=cls,
        software=software,
    )


def _entry(document: str, remedy: str = "", *, cls: str = "cnc", software: str = "", **fields: str) -> AlarmEntry:
    text = f"Alarm 502: Coolant flow low. Remedy: {remedy}"
    return AlarmEntry(
        "502", fields.pop("title", "Coolant flow low"), _passage(document, text, cls=cls, software=software), remedy=remedy, **fields
    )


CLEAN = _entry("M-1", "Clean the coolant filter and check the level.")


@pytest.mark.parametrize(("other", "fields"), [
    (_entry("B-1", "Replace the pump seal."), ("remedy",)),
    (_entry("B-1", "Clean the filter."), ()),  # says less
    (_entry("B-1", "CLEAN the coolant filter; check the level"), ()),
    (_entry("B-1", ""), ()),
    (_entry("M-1", "Replace the pump seal."), ()),  # the same document
    (_entry("B-1", "Replace the pump seal.", cls="press"), ()),
    (_entry("B-1", title="Gripper open"), ("title",)),
])  # fmt: skip
def test_what_contradicts(other: AlarmEntry, fields: tuple[str, ...]) -> None:
    assert contradictions(CLEAN, other) == fields


def test_versions_of_software_keep_sources_apart() -> None:
    a, b = _entry("M-4", "Clean it.", software="<5"), _entry("M-5", "Replace the pump seal.", software=">=5")
    assert contradictions(a, b) == ()
    assert contradictions(a, _entry("M-5", "Replace the pump seal.", software=">=4")) == ("remedy",)


def test_another_limit_is_a_contradiction_and_another_severity() -> None:
    assert contradictions(_entry("M", "Set the pressure to 5.5 bar."), _entry("B", "Set the pressure to 6 bar.")) == ("remedy",)
    assert contradictions(_entry("M", severity="high", response_time="10 min"), _entry("B", severity="low", response_time="10min")) == (
        "severity",
    )


ROW = "Joint: Spindle bearing cap bolts | Thread: M8 | Torque: 45 N m | Remark: crosswise"
ASKED = "what torque for the spindle bearing cap bolts"


@pytest.mark.parametrize(("sentence", "differs"), [
    ("From now on, tighten the spindle bearing cap bolts to 50 N m in two stages.", True),
    ("Tighten the spindle bearing cap bolts to 45 Nm.", False),
    ("The spindle motor bolts take 98 N m.", False),
    ("Spindle bearing cap bolts M10: 98 N m.", False),
    ("The spindle bearing cap bolts are checked every 500 h.", False),
])  # fmt: skip
def test_another_value_for_the_same_thing(sentence: str, differs: bool) -> None:
    manual, bulletin = _passage("M-1", ROW), _passage("B-7", sentence, kind="bulletin")
    assert same_thing_other_value(ASKED, (manual, ROW), (bulletin, sentence)) is differs
    log = _passage("L", sentence, kind="log")
    assert not same_thing_other_value(ASKED, (manual, ROW), (log, sentence))


def _call(index: object, question: str = "") -> Call:
    return Call(Caller("sam", "Sam", "supervisor"), NOW, PLANT, index, None, question)  # type: ignore[arg-type]


def _index(folder: Path, *passages: Passage, alarms: tuple[AlarmEntry, ...] = (), effective: dict[str, date] | None = None) -> Index:
    index = Index.open(folder, HashEmbedder())
    for passage in passages:
        anchor = passage.anchor
        info = DocumentInfo(
            anchor.document, passage.title, anchor.revision, passage.kind, equipment_class=passage.equipment_class,
            effective=(effective or {}).get(f"{anchor.document}@{anchor.revision}"),
        )  # fmt: skip
        index.add(info, [passage], [a for a in alarms if a.passage is passage])
    return index


def _said(step: Step, compose) -> tuple[str, list[dict[str, object]]]:  # type: ignore[no-untyped-def]
    marked = tuple(e.marked(f"E{n}") for n, e in enumerate(step.result.evidence, start=1))
    result = SimpleNamespace(**{**step.result.__dict__, "evidence": marked})
    said = compose(SimpleNamespace(result=result), SimpleNamespace(zone=UTC, now=NOW, question=""))
    return " ".join(said.sentences), [b for b in said.blocks if b["type"] == "warning"]


def test_an_alarm_answer_shows_both_sources(tmp_path: Path) -> None:
    other = _entry("B-1", "Replace the pump seal.")
    index = _index(tmp_path, CLEAN.passage, other.passage, alarms=(CLEAN, other))
    result = explain_alarm(_call(index), "502")
    assert result.status in ("answered", "partial")
    text, warnings = _said(SimpleNamespace(result=result), compose_explain_alarm)  # type: ignore[arg-type]
    assert "Two sources in force disagree about what to do" in text
    assert "{E1." in text
    assert "{E2.remedy}" in text or "{E2.document}" in text
    assert [("Clean the coolant filter" in str(w["text"]), "Replace the pump seal" in str(w["text"])) for w in warnings] == [(True, True)]


def test_a_value_answer_shows_both_sources(tmp_path: Path) -> None:
    manual = _passage("M-1", ROW)
    bulletin = _passage("B-7", "From now on, tighten the spindle bearing cap bolts to 50 N m in two stages.", kind="bulletin")
    result = search_documents(_call(_index(tmp_path, manual, bulletin)), ASKED)
    text, warnings = _said(SimpleNamespace(result=result), compose_search_documents)  # type: ignore[arg-type]
    assert "disagree about the value" in text
    assert len(warnings) == 1
    assert "45 N m" in str(warnings[0]["text"])
    assert "50 N m" in str(warnings[0]["text"])


def test_an_older_revision_is_reached_by_its_name_and_says_that_it_is_old(tmp_path: Path) -> None:
    old = _passage("MAN-7", "The cap bolts take 40 N m torque.", revision="B")
    new = _passage("MAN-7", "The cap bolts take 45 N m torque.", revision="C")
    index = _index(tmp_path, old, new, effective={"MAN-7@B": date(2024, 1, 1), "MAN-7@C": date(2026, 1, 1)})
    result = search_documents(_call(index, "cap bolts torque"), "torque of the cap bolts")
    assert [e.quotes[0].revision for e in result.evidence] == ["C"]
    named = search_documents(_call(index, "what did revision B of MAN-7 say about the cap bolts torque"), "torque of the cap bolts")
    assert [e.quotes[0].revision for e in named.evidence] == ["B"]
    text, _ = _said(SimpleNamespace(result=named), compose_search_documents)  # type: ignore[arg-type]
    assert "superseded and no longer in force" in text
    assert named_revision(_call(index), "what did revision Z say", index.documents()) is None
