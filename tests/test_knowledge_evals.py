"""The knowledge suite: its cases say what is right, its figures are arithmetic, and it passes where the data is missing."""

from __future__ import annotations

import json

import pytest

from evals import bench_knowledge, knowledge
from evals.cases import CaseError
from retrieval.index import Anchor, Passage


def passage(text: str) -> Passage:
    return Passage("p", text, "log", "log", Anchor("D", "1", None, ""), "D")


def test_the_cases_hold_and_half_of_them_are_in_other_words():
    cases = knowledge.questions()
    assert len(cases) >= 150
    assert sum(not case.same_words for case in cases) >= 0.5 * len(cases)


def test_a_passage_is_right_by_its_own_words_in_its_own_file(tmp_path):
    line = {"id": "a", "question": "q", "right": ["seal & leak", "gasket"], "file": "orders.csv", "words": "same"}
    path = tmp_path / "cases.jsonl"
    path.write_text(json.dumps(line), encoding="utf-8")
    (case,) = knowledge.questions(path)
    assert case.answered_by(passage("Shaft SEAL\nleaking"), "x/orders.csv")
    assert case.answered_by(passage("new gaskets"), "x/orders.csv")
    assert not case.answered_by(passage("Shaft seal leaking"), "x/other.csv")
    assert not case.answered_by(passage("unseal, leaking"), "x/orders.csv")
    assert not case.answered_by(passage("pump Parts: gasket"), "x/orders.csv")
    path.write_text(json.dumps(line | {"right": []}), encoding="utf-8")
    with pytest.raises(CaseError):
        knowledge.questions(path)


def test_the_figures():
    cases = knowledge.questions()[:4]
    ranks = {"search": [1, 2, 0, 6], "dense only": [1, 0, 0, 0], "BM25 only": [0, 0, 1, 5]}
    score = knowledge.scored(cases, ranks)
    assert (score.right, score.total) == (2, 4)
    assert score.numbers["MRR, search"] == pytest.approx((1 + 1 / 2 + 1 / 6) / 4, abs=1e-4)
    assert score.figures["recall@5, even half (only measured)"] == (1, 2)
    met = {limit.name: limit.met for limit in score.limits}
    assert met["MRR of dense only"]
    assert not met["recall@5 of BM25 only"]  # two of four as well: not above it
    assert not met["recall@5"]


def test_without_the_data_nothing_is_asked(tmp_path, monkeypatch):
    monkeypatch.setenv("ANDON_REAL", str(tmp_path))
    score = knowledge.suite()
    assert (score.total, score.passed) == (0, True)
    assert "ANDON_REAL" in score.note


def test_the_bench_searches_a_made_up_corpus_with_and_without_filters(tmp_path):
    rows = bench_knowledge.searched(bench_knowledge.corpus(400, tmp_path), 400)
    assert [row["unit"] for row in rows] == ["ms"] * 6 + ["bytes"] * 2
    assert all(row["value"] > 0 for row in rows[:6])


def test_unchanged_documents_are_counted():
    first, again = bench_knowledge.unchanged(12)
    assert again["value"] < first["value"]
    assert again["goal"] == 5.0
