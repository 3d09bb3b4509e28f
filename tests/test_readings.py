"""Readings: what a passage says, kept as numbers, and how much of a question that is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from retrieval import readings
from retrieval.embed import HashEmbedder
from retrieval.index import Anchor, DocumentInfo, Index, Passage
from retrieval.lexical import Unit
from retrieval.readings import likeness, reading, reading_of


def unit(stem: str, weight: float, *groups: str) -> Unit:
    return Unit((stem,), groups, weight)


def test_coverage_weighs_telling_words() -> None:
    weights = {"torqu": 5.0, "bolt": 1.0}
    found = likeness([], weights, [reading("the torque", "Manual"), reading("the bolts", "Manual"), reading("bolts", "Manual Torques")])
    assert found.coverage.tolist() == pytest.approx([5 / 6, 1 / 6, (1 + 5 * 0.8) / 6])
    assert likeness([], {}, [reading("x", "")]).coverage.tolist() == [0.0]
    assert len(likeness([], weights, []).whole) == 0


def test_another_word_of_the_trade_counts_for_less_than_the_word() -> None:
    (group,) = set(readings.concepts("handbrake")) & set(readings.concepts("park brake"))
    asked = [unit("handbrak", 2.0, group)]
    found = likeness(asked, {}, [reading("The handbrake.", ""), reading("The park brake.", ""), reading("The door.", "")])
    assert found.whole.tolist() == pytest.approx([1.0, 0.7, 0.0])


def test_one_sentence_that_says_everything_counts_twice() -> None:
    filler = "Nothing else is written here that anybody would ask about at all. " * 2
    together = f"{filler}The zorp is blue. {filler}"
    apart = f"{filler}The zorp is wide. {filler}All of it is blue. {filler}"
    found = likeness([unit("zorp", 1.0), unit("blue", 1.0)], {}, [reading(together, ""), reading(apart, "")])
    assert found.whole.tolist() == [1.0, 1.0]
    assert found.close.tolist() == pytest.approx([1.0, (1 + 2 * 0.5) / 3])


def test_a_group_is_never_taken_for_a_word() -> None:
    """`g12` is also how a command of a machine tool is written."""
    (group, *_) = readings.concepts("handbrake")
    assert likeness([unit(group, 1.0)], {}, [reading("handbrake", "")]).whole.tolist() == [0.0]


def test_readings_are_kept_replaced_and_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index = Index.open(tmp_path / "index", HashEmbedder(64))
    one = Passage("M@A#1", "The pump is checked.", "manual", "paragraph", Anchor("M", "A", 1, ""), "Manual")
    index.add(DocumentInfo("M", "Manual", "A"), [one])
    kept = "SELECT passage_id, mark, said FROM readings"
    assert index.catalogue.select(kept) == [(one.id, readings.mark(), reading_of(one))]
    monkeypatch.setattr(readings, "mark", lambda: "other words")
    assert index.catalogue.readings([one]) == [reading_of(one)]
    index.rebuild()
    assert index.catalogue.select(kept)[0][1] == "other words"
    index.remove("M")
    assert index.catalogue.select(kept) == []


def test_a_reading_holds_what_the_text_says_whatever_its_length() -> None:
    text = "\n".join(f"Row {n} | word{n}x" for n in range(200))
    units = [unit(f"word{n}x", 1.0) for n in (0, 199)]
    found = likeness(units, {}, [reading(text, "")])
    assert found.whole.tolist() == [1.0]
    assert np.frombuffer(reading(text, ""), "<u4").tolist().count(0) == readings._MOST_PIECES + 1
