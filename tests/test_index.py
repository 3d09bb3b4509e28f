"""The index: found exactly, only what is effective and applicable, and nothing lost when a process dies halfway."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from retrieval.embed import HashEmbedder
from retrieval.index import AlarmEntry, Anchor, DocumentInfo, Entry, Index, IndexDamaged, Passage
from retrieval.passages import IndexUnavailable


def passage(name: str, text: str, document: str = "M1", revision: str = "A", **fields: object) -> Passage:
    made = Passage(name, text, "manual", "paragraph", Anchor(document, revision, 1, "4.2 Spindle"), "CNC manual")
    return replace(made, **fields)  # type: ignore[arg-type]


def alarm(code: str, title: str, list_name: str = "Alarms", document: str = "M1", **fields: object) -> AlarmEntry:
    text = f"{list_name} {code}: {title}"
    return AlarmEntry(code, title, passage(f"{document}-{list_name}-{code}", text, document, block="alarm", identifiers=(code,), **fields),
                      list_name=list_name)  # fmt: skip


def add(index: Index, passages: list[Passage], alarms: list[AlarmEntry] | None = None, **fields: object) -> None:
    first = (passages or [a.passage for a in alarms or []])[0]
    info = DocumentInfo(first.anchor.document, first.title, first.anchor.revision)
    alarms = alarms or []
    index.add(replace(info, **fields), passages + [a.passage for a in alarms], alarms)  # type: ignore[arg-type]


@pytest.fixture
def index(tmp_path: Path) -> Index:
    return Index.open(tmp_path / "index", HashEmbedder())


def test_the_passage_that_says_it_stands_first(index: Index) -> None:
    add(index, [passage("a", "Torque: spindle bearing cap bolts 45 N m"), passage("b", "Clean the coolant filter weekly."),
                passage("c", "Grease the guideways with two strokes.")])  # fmt: skip
    hits = index.search("what torque for the spindle bearing cap bolts")
    assert hits[0].passage.id == "a"
    assert {"dense", "lexical"} <= set(hits[0].how)
    assert 0 <= hits[-1].score <= hits[0].score <= 1


@pytest.mark.parametrize("asked", ["502", "alarm 502", "five oh two", "what does alarm five oh two mean", "AL-502"])
def test_a_code_leads_to_its_entry_and_never_to_its_neighbour(index: Index, asked: str) -> None:
    add(index, [], [alarm("502", "Coolant flow low"), alarm("5021", "Spindle coolant low"), alarm("52", "Door")])
    if "mean" not in asked:  # `alarm` takes a code, `search` a question
        assert [e.title for e in index.alarm(asked)] == ["Coolant flow low"]
    hit = index.search(asked)[0]
    assert hit.passage.identifiers == ("502",)
    assert "identifier" in hit.how
    assert hit.score > 0.9


def test_an_unknown_code_has_no_entry(index: Index) -> None:
    add(index, [], [alarm("502", "Coolant flow low"), alarm("AL-104", "Hot")])
    assert index.alarm("5022") == []
    assert index.alarm("E-104") == []
    assert index.alarm("") == []
    assert not any("identifier" in h.how for h in index.search("what is alarm 5022"))


def test_of_several_lists_that_know_a_number_the_named_one_comes_first(index: Index) -> None:
    add(index, [], [alarm("11", "Queue full", "Controller warnings"), alarm("11", "Current too high", "Servo errors"),
                    alarm("11", "Gripper blocked", "Gripper errors")])  # fmt: skip
    assert len(index.alarm("11")) == 3
    assert index.alarm("11", hint="what is servo error 11")[0].title == "Current too high"
    assert index.search("gripper error 11")[0].passage.text.endswith("Gripper blocked")


def test_the_list_of_the_machine_asked_about_comes_before_one_for_all(index: Index) -> None:
    add(index, [], [alarm("11", "Of no machine", "General errors"), alarm("11", "Of this machine", "Press", equipment=("P-1",))])
    assert [e.title for e in index.alarm("11", equipment="P-1")] == ["Of this machine", "Of no machine"]
    assert index.search("alarm 11", equipment="P-1")[0].passage.text.endswith("Of this machine")
    assert [e.title for e in index.alarm("11", equipment="P-2")] == ["Of no machine"]


def test_a_list_with_prefixes_and_one_without_stay_apart(index: Index) -> None:
    add(index, [], [alarm("SRVO-023", "Stop error excess"), alarm("MOTN-023", "In singularity")])
    assert [e.title for e in index.alarm("MOTN-023")] == ["In singularity"]
    assert [e.title for e in index.alarm("srvo 23")] == ["Stop error excess"]
    assert len(index.alarm("23")) == 2


def test_an_amount_in_a_question_is_no_code(index: Index) -> None:
    add(index, [passage("p", "Torque of the cap with 8 bolts is 45 N m.")], [alarm("8", "Parameter error")])
    assert index.search("what torque for the cap with 8 bolts")[0].passage.id == "p"


def test_only_the_effective_revision_is_found(index: Index) -> None:
    add(index, [passage("old", "Cap bolts 38 N m")], effective=date(2025, 1, 1))
    add(index, [passage("new", "Cap bolts 45 N m", revision="B")], effective=date(2026, 1, 1))
    assert [h.passage.id for h in index.search("cap bolts")] == ["new"]
    assert {(i.revision, i.status) for i in index.documents()} == {("A", "superseded"), ("B", "effective")}
    assert [p.id for p in index.passages("M1")] == ["new"]
    index.retire("M1", "B")
    assert [h.passage.id for h in index.search("cap bolts")] == ["old"]


def test_a_revision_that_is_not_yet_effective_waits(tmp_path: Path) -> None:
    today = date(2025, 12, 31)
    index = Index.open(tmp_path / "index", HashEmbedder(), today=lambda: today)
    add(index, [passage("old", "Cap bolts 38 N m")], effective=date(2025, 1, 1))
    add(index, [passage("new", "Cap bolts 45 N m", revision="B")], effective=date(2026, 1, 1))
    assert [h.passage.id for h in index.search("cap bolts")] == ["old"]
    assert index.document("M1", "B").status == "pending"
    today = date(2026, 1, 1)
    assert [h.passage.id for h in index.search("cap bolts")] == ["new"]


def test_applicability_and_access_are_exact_filters(index: Index) -> None:
    add(index, [passage("one", "Coolant pump of the first machine", equipment=("CNC-01",), equipment_class="cnc"),
                passage("two", "Coolant pump of the second machine", equipment=("CNC-02",), equipment_class="cnc"),
                passage("press", "Coolant pump of the press", equipment_class="press"),
                passage("all", "Coolant pump in general"),
                passage("secret", "Coolant pump supplier prices", access="management")])  # fmt: skip

    def found(**filters: object) -> set[str]:
        return {h.passage.id for h in index.search("coolant pump", **filters)}  # type: ignore[arg-type]

    assert found() == {"one", "two", "press", "all"}
    assert found(equipment="CNC-02", equipment_class="cnc") == {"two", "all"}
    assert found(equipment_class="press") == {"one", "two", "press", "all"} - {"one", "two"}
    assert found(access=("plant", "management")) >= {"secret"}
    assert found(kinds=("sop",)) == set()


def test_a_narrow_filter_still_finds_what_many_others_would_crowd_out(index: Index) -> None:
    crowd = [passage(f"c{n}", f"Coolant pump check number {n}", equipment=("CNC-01",)) for n in range(300)]
    add(index, [*crowd, passage("mine", "Coolant pump: look at the gauge", equipment=("CNC-09",))])
    assert [h.passage.id for h in index.search("coolant pump check", equipment="CNC-09")] == ["mine"]


def test_procedures_are_step_lists_only(index: Index) -> None:
    steps = ("1. Close V2.", "2. Change the filter element.")
    add(index, [passage("s", "\n".join(steps), block="steps", steps=steps), passage("t", "Changing the filter element is easy.")])
    assert [h.passage.id for h in index.procedures("change the filter element")] == ["s"]


def test_the_same_text_is_shown_once(index: Index) -> None:
    add(index, [passage("a", "Press RESET."), passage("b", "Press RESET.")])
    assert len(index.search("press reset")) == 1


def test_replacing_a_revision_leaves_nothing_of_the_old_text(index: Index) -> None:
    add(index, [passage("a", "Grease with A12"), passage("b", "Clean daily")])
    add(index, [passage("b", "Clean daily"), passage("c", "Grease with B34")])
    assert {h.passage.id for h in index.search("grease clean")} == {"b", "c"}
    index.remove("M1")
    assert index.search("grease clean") == []
    assert index.documents() == []


class _Killed(Exception):
    pass


@pytest.mark.parametrize("part", ["_dense", "_lexical", "_catalogue"])
@pytest.mark.parametrize("after", [False, True])
def test_a_process_that_dies_between_the_halves_loses_nothing(tmp_path: Path, part: str, after: bool,
                                                              monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    index = Index.open(tmp_path / "index", HashEmbedder())
    add(index, [passage("a", "Oil level of the gearbox")])
    half = getattr(index, part)
    name = {"_dense": "add", "_lexical": "change", "_catalogue": "put"}[part]
    write = getattr(half, name)

    def dies(*arguments: object) -> None:
        if after:
            write(*arguments)
        raise _Killed

    monkeypatch.setattr(half, name, dies)
    with pytest.raises(_Killed):
        add(index, [passage("b", "Belt tension of the gearbox", "M2")])
    monkeypatch.undo()
    again = Index.open(tmp_path / "index", HashEmbedder())
    whole = part == "_catalogue" and after  # the flip was done: the document is there
    assert {h.passage.id for h in again.search("gearbox")} == ({"a", "b"} if whole else {"a"})
    assert again._lexical.count() == again._dense.count("plant") == (2 if whole else 1)
    add(again, [passage("b", "Belt tension of the gearbox", "M2")])
    assert {h.passage.id for h in again.search("gearbox")} == {"a", "b"}


@pytest.mark.parametrize("lost", ["words", "vectors"])
def test_a_derived_half_that_is_gone_is_rebuilt_from_the_catalogue(tmp_path: Path, lost: str) -> None:
    index = Index.open(tmp_path / "index", HashEmbedder())
    add(index, [passage("a", "Oil level of the gearbox"), passage("b", "Belt tension")])
    index.snapshot(tmp_path / "copy")
    again = Index.open(tmp_path / "copy", HashEmbedder())  # holds the catalogue only
    hits = again.search("oil level gearbox")
    assert hits[0].passage.id == "a"
    assert set(hits[0].how) == {"dense", "lexical"}
    shutil.rmtree(tmp_path / "copy" / "words")
    assert Index.open(tmp_path / "copy", HashEmbedder()).search("belt tension")[0].how == ("dense", "lexical")


def test_another_embedding_model_is_refused(tmp_path: Path) -> None:
    add(Index.open(tmp_path / "index", HashEmbedder()), [passage("a", "Oil")])
    with pytest.raises(IndexDamaged, match="rebuild"):
        Index.open(tmp_path / "index", HashEmbedder(64))


def test_a_catalogue_that_is_no_database_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "index").mkdir()
    (tmp_path / "index" / "catalogue.sqlite").write_bytes(b"no database at all" * 500)
    with pytest.raises((IndexDamaged, IndexUnavailable), match=r"catalogue"):
        Index.open(tmp_path / "index", HashEmbedder())


def test_several_documents_are_one_flip(index: Index) -> None:
    before = index.generation()
    entries = [Entry(DocumentInfo(f"D{n}", "T", "A"), [passage(f"p{n}", f"Text {n}", f"D{n}")]) for n in range(5)]
    index.add_many(entries)
    assert index.generation() == before + 1
    assert len(index.documents()) == 5


@pytest.mark.parametrize("query", ["", "   ", "?!", '"unbalanced AND (', "x" * 100_000, "\x00\x07", "title:*"])
def test_any_query_is_survived(index: Index, query: str) -> None:
    add(index, [passage("a", "Oil level")])
    assert len(index.search(query)) <= 1
