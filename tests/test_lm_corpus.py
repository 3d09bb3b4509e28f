"""The written corpus: labels within the closed sets, spans where they were said, noise that keeps them exact."""

from __future__ import annotations

import random

import pytest

from assistant.lm import dsl
from assistant.lm.augment import Names, Noise, joined, may_join, noised, spoken
from assistant.lm.labels import ENTITIES, HEADS, PHRASES
from assistant.lm.phrasings import CorpusError, Example, canonical_status, compare_kind, example, examples, held_out


@pytest.fixture(scope="module")
def corpus() -> list[Example]:
    return examples()


def test_rows_are_within_the_labels(corpus: list[Example]) -> None:
    assert len(corpus) > 4500
    for e in corpus:
        for head, gold in e.labels.items():
            assert set(gold) <= set(HEADS[head]), e.question
        for m in e.marks:
            assert m.label in (*ENTITIES, *PHRASES)
            assert e.text(m.turn)[m.start : m.end].strip(), e.question


def test_nearly_every_argument_is_found(corpus: list[Example]) -> None:
    found = sum(len(e.marks) for e in corpus)
    missed = sum(e.missed for e in corpus)
    assert missed / (missed + found) < 0.01


def test_held_out_split_is_fixed_and_a_tenth(corpus: list[Example]) -> None:
    share = sum(e.held_out for e in corpus) / len(corpus)
    assert 0.08 < share < 0.12
    # first four bytes of SHA-256("OEE line 2 yesterday") are 0x01e4a3c8 or so: the rule, recomputed by hand
    import hashlib

    for question in ("OEE line 2 yesterday", "what does 502 mean"):
        number = int(hashlib.sha256(question.encode()).hexdigest()[:8], 16)
        assert held_out(question) == (number % 10 == 0)


def test_one_row_in_full() -> None:
    e = example({"q": "top five downtime reasons on Line 3 this month, not changeovers", "calls": [{
        "tool": "query_metrics", "args": {"metrics": ["downtime"], "by": ["reason"], "line": "Line 3", "limit": 5,
        "period": "this month", "reason": {"not": "changeovers"}, "sort": "desc"}}]})  # fmt: skip
    said = {(m.label, e.question[m.start : m.end], m.negated) for m in e.marks}
    assert said == {
        ("line", "Line 3", False), ("period", "this month", False), ("reason", "changeovers", True), ("limit", "five", False),
    }  # fmt: skip
    assert e.labels["metric"] == ("downtime",)
    assert e.labels["limit"] == ("span",)
    assert e.missed == 0


def test_followup_marks_what_carries_over() -> None:
    e = example({"q": "and line 1?", "ctx": ["yield of line 3 yesterday"], "calls": [{
        "tool": "query_metrics", "args": {"metrics": ["first_pass_yield"], "line": "line 1", "period": "yesterday"}}]})  # fmt: skip
    assert {(m.turn, m.label, e.text(m.turn)[m.start : m.end]) for m in e.marks} == {
        (0, "line", "line 1"), (-1, "period", "yesterday"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("said", "status"), [("not closed", "open"), ("on hold", "on_hold"), ("lapsed", "expired"), ("open", "open")]
)
def test_status_words(said: str, status: str) -> None:
    assert canonical_status(said) == status


@pytest.mark.parametrize(
    ("value", "kind"),
    [("target", "target"), ("the week before", "previous_period"), ("85", "number"), ("1.2%", "number"),
     ("40 hours", "number"), ("last month", "period"), ("March", "period"), ({"line": "2"}, "where")],
)  # fmt: skip
def test_comparisons(value: object, kind: str) -> None:
    assert compare_kind(value) == kind


def test_bad_rows_are_named() -> None:
    with pytest.raises(CorpusError, match="metrics has no 'joy'"):
        example({"q": "joy", "calls": [{"tool": "query_metrics", "args": {"metrics": ["joy"]}}]})
    with pytest.raises(CorpusError, match="no tool"):
        example({"q": "x", "calls": [{"tool": "dance", "args": {}}]})
    with pytest.raises(CorpusError, match="needs calls"):
        example({"q": "x"})


def test_noise_moves_marks_with_their_words(corpus: list[Example]) -> None:
    rng = random.Random(3)
    names = Names(corpus)
    some = rng.sample(corpus, 400)
    still = Noise(names=0.0, lower=0.5, upper=0.0, bare=0.5, typo=0.0, spoken=0.0, polite=0.5)
    for e in some:
        n = noised(e, names, still, rng)
        before = [e.text(m.turn)[m.start : m.end].lower() for m in e.marks]
        assert [n.text(m.turn)[m.start : m.end].lower() for m in n.marks] == before
        assert n.labels == e.labels
        n = noised(e, names, Noise(names=1.0, typo=1.0, spoken=0.3), rng)
        for m in n.marks:
            assert 0 <= m.start < m.end <= len(n.text(m.turn)), (e.question, n.question, m)


def test_joined_requests_know_where_the_second_begins(corpus: list[Example]) -> None:
    rng = random.Random(5)
    short = [e for e in corpus if may_join(e)]
    names = Names(corpus)
    for _ in range(300):
        first, second = rng.choice(short), rng.choice(short)
        both = joined(first, second, rng)
        assert both.starts is not None
        assert both.question[both.starts[0] :].lower() == second.question.lower()
        assert set(both.labels["tool"]) == set(first.labels["tool"]) | set(second.labels["tool"])
        noisy = noised(both, names, Noise(typo=0.0, polite=1.0, lower=0.0, upper=0.0, bare=0.0, spoken=0.0), rng)
        assert noisy.starts is not None
        start = noisy.starts[0]
        assert all((m.start >= start) == (m.call == 1) for m in noisy.marks)


def test_the_start_of_a_written_compound_is_found(corpus: list[Example]) -> None:
    found = example({"q": "OEE of line 1 yesterday and the stops of line 2 last night", "calls": [
        {"tool": "query_metrics", "args": {"metrics": ["oee"], "line": "line 1", "period": "yesterday"}},
        {"tool": "list_records", "args": {"records": "downtime_events", "line": "line 2", "period": "last night"}},
    ]})  # fmt: skip
    assert found.starts is not None
    assert [found.question[at:] for at in found.starts] == ["the stops of line 2 last night"]
    assert example({"q": "OEE of line 1", "calls": [{"tool": "query_metrics", "args": {"metrics": ["oee"], "line": "line 1"}}]}).starts == ()


def test_spoken_digits() -> None:
    assert spoken("Line 3", random.Random(0)) == "line three"
    assert spoken("CNC-01", random.Random(1)) in ("cnc oh one", "cnc zero one")


def test_masks_are_numbered_and_nothing_of_the_language_leaks_in() -> None:
    from assistant.router import Span

    question = "compare <line1> of Line 3; and Line 2"
    found = dsl.mask(question, [Span("line", "Line 3", 19, 25, 1.0), Span("line", "Line 2", 31, 37, 1.0)])
    assert found.text == "compare line1 of <line1> and <line2>"
    assert [s.text for s in found.values.values()] == ["Line 3", "Line 2"]
    whole, inner = Span("text", "ladder on silo 6 rusts", 0, 22, 1.0), Span("equipment", "silo 6", 10, 16, 1.0)
    nested = dsl.mask("ladder on silo 6 rusts", [whole, inner])
    assert nested.text == "<text1>(<equipment1>)"
