"""Which revision stands: the order in which people number them, days before numbers, and arrival only at the last."""

from __future__ import annotations

from datetime import date
from itertools import pairwise
from pathlib import Path

import pytest

from ingest.pipeline import ingest
from retrieval.embed import HashEmbedder
from retrieval.index import Index
from retrieval.revisions import Revision, newest, standing

SERIES = (
    "A, B, C, I, Z, AA, AB, BA", "1, 2, 9, 10, 11", "1.9, 1.10, 2.0, 2.0.1", "2024-05, 2025-01", "11/2023, 05/2024, 12/2024",
    "Rev. A, Rev. B, Rev. AA", "RevA, B, revision C", "v1.2, V1.10, 2", "A, A1, A2, A10, B", "A, B draft, B, C-draft", "2.0-rc1, 2.0-rc2, 2.0",
    "May 2024, Jan 2025, 2025-02", "17.05.2024, 01.02.2025", "20240517, 2024-06-01, 20250101", "2019, 2021-03", "Issue 3, Issue 12",
    "01, 2, 003", "1a, 1b, 2, 10a", "C01, C02, C10, D01", "a, B, c", "2024-A, 2024-B, 2025-A", "Ausgabe 12.2023, Ausgabe 02.2024", "R9, R10",
)  # fmt: skip


@pytest.mark.parametrize("series", SERIES)
def test_people_number_revisions_in_this_order(series: str) -> None:
    names = [name.strip() for name in series.split(",")]
    for older, newer in pairwise(names):
        assert standing(older).scheme == standing(newer).scheme
        assert standing(older) < standing(newer), (older, newer)


@pytest.mark.parametrize("series", SERIES)
def test_the_order_of_arrival_does_not_matter(series: str) -> None:
    names = [name.strip() for name in series.split(",")]
    backwards = [Revision(name, "", place) for place, name in enumerate(reversed(names))]
    assert newest(backwards) == names[-1]
    assert newest(reversed(backwards)) == names[-1]


def test_one_written_in_two_ways_is_as_new() -> None:
    for one, other in (("Rev. C", "c"), ("v1.2", "1.2"), ("05/2024", "2024-05"), ("May 2024", "2024-05"), ("01", "1"), ("Issue 7", "7")):
        assert standing(one) == standing(other)


def test_a_stated_day_decides_and_one_without_a_day_goes_by_its_number() -> None:
    assert newest([Revision("A", "2026-01-01", 1), Revision("B", "2025-01-01", 2)]) == "A"
    assert newest([Revision("A", "2025-01-01", 2), Revision("B", "", 1)]) == "B"  # B follows A, whatever A's day
    assert newest([Revision("A", "", 2), Revision("B", "2025-01-01", 1)]) == "B"
    assert newest([Revision("A", "2024-01-01", 1), Revision("B", "", 3), Revision("C", "2026-01-01", 2)]) == "C"


def test_what_cannot_be_compared_goes_by_arrival_and_no_revision_comes_before_one() -> None:
    assert newest([Revision("C", "", 1), Revision("3", "", 2)]) == "3"
    assert newest([Revision("C", "", 2), Revision("3", "", 1)]) == "C"
    assert newest([Revision("-", "", 9), Revision("A", "", 1)]) == "A"
    assert newest([Revision("-", "", 1), Revision("-", "", 2)]) == "-"
    assert newest([Revision("-", "2026-01-01", 1), Revision("A", "2025-01-01", 2)]) == "-"


@pytest.mark.parametrize(("older", "newer"), [("A", "B"), ("Z", "AA"), ("2", "10"), ("1.9", "1.10"), ("2024-05", "2025-01")])
def test_an_older_revision_that_comes_later_is_superseded(tmp_path: Path, older: str, newer: str) -> None:
    index = Index.open(tmp_path / "index", HashEmbedder(64))
    for place, revision in enumerate((newer, older)):
        file = tmp_path / f"manual{place}.md"
        file.write_text(f"---\ndocument: M-1\nrevision: '{revision}'\n---\n# Press\n\nThe ram gap of revision {place} is {place + 4} mm.\n")
        ingest([file], index)
    assert {d.revision: d.status for d in index.documents()} == {newer: "effective", older: "superseded"}
    assert [r.passage.anchor.revision for r in index.search("ram gap")] == [newer]


def test_a_revision_whose_day_has_not_come_is_not_newer(tmp_path: Path) -> None:
    index = Index.open(tmp_path / "index", HashEmbedder(64), today=lambda: date(2026, 6, 1))
    for revision, day in (("B", "effective: 2026-07-01\n"), ("A", "")):
        file = tmp_path / f"{revision}.md"
        file.write_text(f"---\ndocument: M-1\nrevision: {revision}\n{day}---\n# Press\n\nThe ram gap is checked.\n")
        ingest([file], index)
    assert {d.revision: d.status for d in index.documents()} == {"A": "effective", "B": "pending"}
