"""Which machine a document is valid for, and which version: exact, number by number, and open where nothing is known."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from retrieval.applicability import applies, overlap, version_admitted
from retrieval.embed import HashEmbedder
from retrieval.index import Anchor, DocumentInfo, Index, Passage

#: statement -> (versions it holds for, versions it does not hold for)
STATED = {
    "4.2": (("4.2", "4.2.1", "V4.2"), ("4.1", "4.20", "5", "14.2")),
    "4.x": (("4.0", "4.19"), ("3.9", "5.0")),
    ">=4.2, <5": (("4.2", "4.10", "4.99.1"), ("4.1.9", "5.0", "5")),
    ">= 4.9": (("4.10", "5"), ("4.8", "3.12")),
    "4.0 to 4.9": (("4.0", "4.9.3"), ("3.99", "4.10")),
    "V4.0 - V4.9": (("4.5",), ("5.1",)),
    "from 4.2": (("4.2", "9"), ("4.1",)),
    "4.2 or later": (("4.2", "4.3"), ("4.1",)),
    "4.2+": (("4.2", "7"), ("4.1",)),
    "before 5": (("4.9",), ("5", "5.0.1")),
    "up to 4.9": (("4.9.7", "4.1"), ("4.10",)),
    "4.1, 4.3": (("4.1", "4.3.2"), ("4.2",)),
    "4.1 or 4.3": (("4.1", "4.3.2"), ("4.2",)),
    "software version 12": (("12", "12.3"), ("11", "1.2")),
    "all": (("1", "99"), ()),
    "see release notes": (("1",), ()),
}


@pytest.mark.parametrize("stated", STATED)
def test_a_version_is_admitted_by_what_the_document_states(stated: str) -> None:
    inside, outside = STATED[stated]
    assert [v for v in inside if not version_admitted(stated, v)] == []
    assert [v for v in outside if version_admitted(stated, v)] == []


PASSAGE = Passage("p", "text", "manual", "paragraph", Anchor("D", "A", 1, ""), "Title")


def test_machine_class_variant_and_version_each_shut_out() -> None:
    mine = replace(PASSAGE, equipment_class="cnc, lathe", variants=("VMC-850",), software=">=4")
    assert applies(mine, "CNC-01", "cnc", "vmc 850", "4.1")
    assert applies(mine, "L-1", "lathe", None, None)
    assert not applies(mine, "CNC-01", "press", "VMC-850", "4.1")
    assert not applies(mine, "CNC-01", "cnc", "VMC-1100", "4.1")
    assert not applies(mine, "CNC-01", "cnc", "VMC-850", "3.9")
    assert applies(replace(mine, equipment=("CNC-01",)), "cnc-01", "press", "VMC850", "4")


def test_two_documents_meet_where_some_machine_is_meant_by_both() -> None:
    a, b = replace(PASSAGE, equipment_class="cnc", software="<5"), replace(PASSAGE, equipment_class="cnc", software=">=5")
    assert not overlap(a, b)
    assert overlap(a, replace(b, software=">=4.5"))
    assert not overlap(replace(a, equipment=("M1",)), replace(a, equipment=("M2",)))
    assert overlap(PASSAGE, a)


def _index(folder: Path, *infos: DocumentInfo) -> Index:
    index = Index.open(folder, HashEmbedder())
    for info in infos:
        passage = Passage(
            f"{info.document}@{info.revision}", f"The cap bolts are tightened as {info.document} {info.revision} says.", "manual",
            "paragraph", Anchor(info.document, info.revision, 1, ""), info.title, variants=info.variants, software=info.software,
        )  # fmt: skip
        index.add(info, [passage])
    return index


def _found(index: Index, **filters: object) -> set[str]:
    return {h.passage.id for h in index.search("how are the cap bolts tightened", 8, **filters)}  # type: ignore[arg-type]


def test_only_what_is_in_force_that_day_is_found_and_an_older_one_by_name(tmp_path: Path) -> None:
    index = _index(
        tmp_path,
        DocumentInfo("M", "Manual", "A", effective=date(2024, 1, 1)),
        DocumentInfo("M", "Manual", "B", effective=date(2025, 1, 1)),
        DocumentInfo("M", "Manual", "C", effective=date(2026, 1, 1)),
    )
    assert _found(index, on=date(2025, 6, 1)) == {"M@B"}
    assert _found(index, on=date(2026, 1, 1)) == {"M@C"}
    assert _found(index, on=date(2023, 1, 1)) == set()
    assert _found(index, on=date(2026, 1, 1), within=("M", "A")) == {"M@A"}
    assert {i.revision: i.status for i in index.documents(date(2025, 6, 1))} == {"A": "superseded", "B": "effective", "C": "pending"}


def test_variants_and_versions_survive_the_store(tmp_path: Path) -> None:
    index = _index(
        tmp_path,
        DocumentInfo("OLD", "Manual", "A", variants=("VMC-850",), software="<5"),
        DocumentInfo("NEW", "Manual", "A", variants=("VMC-850", "VMC-1100"), software=">=5"),
    )
    assert _found(index, software="4.2") == {"OLD@A"}
    assert _found(index, software="5.0", variant="VMC-1100") == {"NEW@A"}
    assert _found(index) == {"OLD@A", "NEW@A"}
    again = Index.open(tmp_path, HashEmbedder())
    assert {i.document: (i.variants, i.software) for i in again.documents()} == {
        "OLD": (("VMC-850",), "<5"), "NEW": (("VMC-850", "VMC-1100"), ">=5"),
    }  # fmt: skip


def test_a_document_takes_another_out_of_force_from_its_day_on(tmp_path: Path) -> None:
    index = _index(
        tmp_path,
        DocumentInfo("SB-12", "Bulletin", "A"),
        DocumentInfo("SB-19", "Bulletin", "A", effective=date(2026, 3, 1), supersedes=("SB-12",)),
    )
    assert _found(index, on=date(2026, 2, 28)) == {"SB-12@A"}
    assert _found(index, on=date(2026, 3, 1)) == {"SB-19@A"}


def test_a_store_of_before_gets_the_new_columns(tmp_path: Path) -> None:
    import sqlite3

    index = _index(tmp_path, DocumentInfo("M", "Manual", "A"))
    index.catalogue.close()
    with sqlite3.connect(tmp_path / "catalogue.sqlite") as db:
        for table, column in (("documents", "variants"), ("documents", "software"), ("documents", "supersedes"),
                              ("passages", "variants"), ("passages", "software")):  # fmt: skip
            db.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
    assert _found(Index.open(tmp_path, HashEmbedder())) == {"M@A"}
