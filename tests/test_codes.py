"""The codes find what a whole comparison finds, filter exactly, and follow what is added and taken away."""

from __future__ import annotations

import sqlite3

import numpy as np
import pytest

from retrieval.codes import Codes, code_of
from retrieval.index import Anchor, DocumentInfo, Entry, Index, Passage


class Given:
    name, dimension = "given", 64

    def __init__(self) -> None:
        self.known: dict[str, np.ndarray] = {}

    def embed(self, texts):
        return np.stack([self.known[t] for t in texts])


def _unit(rows: np.ndarray) -> np.ndarray:
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture
def made(tmp_path):
    """300 passages of six documents for three machines, with random vectors."""
    chance, given = np.random.default_rng(3), Given()
    vectors = _unit(chance.standard_normal((300, 64)))
    index = Index.open(tmp_path / "index", given)
    entries = []
    for d in range(6):
        info = DocumentInfo(f"D{d}", f"D{d}", "A", kind="manual" if d % 2 else "sop", equipment=(f"M{d % 3}",))
        passages = []
        for n in range(50):
            text = f"text {d} {n}"
            given.known[text] = vectors[50 * d + n]
            passages.append(Passage(f"D{d}#{n}", text, info.kind, "paragraph", Anchor(f"D{d}", "A", 1, ""), "t", info.equipment))
        entries.append(Entry(info, passages))
    index.add_many(entries)
    return index, vectors


def _names(vectors, question, allowed=lambda d: True, limit=10):
    """The right answer, by comparing everything."""
    order = np.argsort(-(vectors.astype(np.float16).astype(np.float32) @ question))
    return [f"D{i // 50}#{i % 50}" for i in order if allowed(i // 50)][:limit]


def test_the_nearest_are_those_of_a_whole_comparison(made):
    index, vectors = made
    codes = Codes(index.catalogue)
    for n in range(0, 300, 37):
        question = _unit(vectors[n : n + 1] + 0.02)[0]
        assert [name for name, _ in codes.search(question, lambda p: True, 10)] == _names(vectors, question)


def test_a_filter_lets_nothing_else_through_and_loses_nothing(made):
    index, vectors = made
    found = Codes(index.catalogue).search(vectors[0], lambda p: "M1" in p.equipment and p.kind == "sop", 50)
    assert [name for name, _ in found] == _names(vectors, vectors[0], lambda d: d % 3 == 1 and d % 2 == 0, 50)
    assert Codes(index.catalogue).search(vectors[0], lambda p: False, 5) == []


def test_a_kept_filter_is_asked_once_until_something_changes(made):
    index, vectors = made
    codes, asked = Codes(index.catalogue), []

    def admits(passage):
        asked.append(passage.anchor.document)
        return passage.anchor.document != "D0"

    for _ in range(3):
        assert all(not name.startswith("D0") for name, _ in codes.search(vectors[0], admits, 5, key="not D0"))
    assert sorted(asked) == [f"D{d}" for d in range(6)]
    index.remove("D5")
    codes.search(vectors[0], admits, 5, key="not D0")
    assert len(asked) == 11


def test_what_is_added_and_removed_is_seen(made):
    index, vectors = made
    codes = Codes(index.catalogue)
    assert codes.search(vectors[7], lambda p: True, 1)[0][0] == "D0#7"
    index.remove("D0")
    assert codes.search(vectors[7], lambda p: True, 1)[0][0] != "D0#7"
    held = codes.bytes_held()
    passage = Passage("N#0", "text 0 7", "sop", "paragraph", Anchor("N", "A", 1, ""), "t")
    index.add(DocumentInfo("N", "N", "A", kind="sop"), [passage])
    assert codes.search(vectors[7], lambda p: True, 1)[0][0] == "N#0"
    assert codes.bytes_held() == held + 8 + 4 + 8  # a number, a kind, 64 bits


def test_a_store_without_codes_gets_them_when_it_is_opened(made, tmp_path):
    index, vectors = made
    index.catalogue.close()
    with sqlite3.connect(tmp_path / "index" / "catalogue.sqlite") as db:
        db.execute("DROP TABLE codes")
        db.execute("DROP TABLE shapes")
    again = Index.open(tmp_path / "index", Given())
    assert [name for name, _ in Codes(again.catalogue).search(vectors[4], lambda p: "M0" in p.equipment, 5)] == _names(
        vectors, vectors[4], lambda d: d % 3 == 0, 5
    )


def test_codes_are_signs():
    assert np.unpackbits(code_of(np.array([[0.1, -0.2, 0.0, 3.0]], np.float32))[0])[:4].tolist() == [1, 0, 0, 1]
    assert code_of(np.zeros((2, 70), np.float32)).shape == (2, 16)
