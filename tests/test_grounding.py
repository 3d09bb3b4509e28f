"""A model that lies: wrong row, unit, line, measure, digits in every script, invented names, markers and instructions are all
found, true sentences pass."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.grounding import unsupported
from tests.lying_evidence import ALL, LIES, MACHINES, TRUE, WORDS
from tools.evidence import Column, Evidence


@pytest.mark.parametrize("sentence", TRUE)
def test_what_is_so_may_be_said(sentence):
    assert unsupported(sentence, ALL, WORDS) == ()


@pytest.mark.parametrize("kind", LIES)
def test_a_lie_is_found(kind):
    assert unsupported(LIES[kind], ALL, WORDS), LIES[kind]


def test_a_superlative_needs_every_row():
    sentence = "The highest scrap was at {E1.r1.machine} with {E1.r1.scrap}."
    assert not unsupported(sentence, ALL, WORDS)
    assert unsupported(sentence, ALL, WORDS, limited=("E1",))
    cut = replace(MACHINES, query=replace(MACHINES.query, row_count=40))
    assert unsupported(sentence, (cut,), WORDS)


WORD = st.text(st.characters(codec="utf-8", exclude_categories=("Cs",)), min_size=1, max_size=12)


@settings(max_examples=400, deadline=None)
@given(before=WORD, after=WORD, row=st.integers(0, 2), other=st.integers(0, 2), column=st.sampled_from(["scrap", "good", "downtime"]))
def test_no_digit_of_any_script_and_no_other_row(before, after, row, other, column):
    template = f"{{E1.r{row}.machine}} {before} {column} {{E1.r{other}.{column}}} {after}."
    if unsupported(template, (MACHINES,), WORDS):
        return
    assert row == other
    bare = (before + after).replace("\x00", "")
    assert not any(char.isnumeric() or char.isdigit() for char in bare)
    assert not any(char.isupper() for char in bare)


@settings(max_examples=200, deadline=None)
@given(
    values=st.lists(st.integers(0, 5), min_size=2, max_size=6), first=st.integers(0, 5), second=st.integers(0, 5),
    word=st.sampled_from(["higher than", "below", "the same as", "better than", "worse than"]),
)  # fmt: skip
def test_comparisons_agree_with_independent_arithmetic(values, first, second, word):
    first, second = first % len(values), second % len(values)
    if first == second:
        return
    rows = tuple({"machine": f"M-{n}", "scrap": value} for n, value in enumerate(values))
    item = Evidence("query", "Scrap", (Column("machine", "Machine"), Column("scrap", "Scrap", "count")), rows, "machine", marker="E1")
    template = (
        f"Scrap of {{E1.r{first}.machine}} with {{E1.r{first}.scrap}} was {word} {{E1.r{second}.machine}} with {{E1.r{second}.scrap}}."
    )
    left, right = values[first], values[second]
    true = {
        "higher than": left > right,
        "below": left < right,
        "the same as": left == right,
        "better than": left < right,
        "worse than": left > right,
    }[word]
    assert (unsupported(template, (item,), WORDS) == ()) == true
