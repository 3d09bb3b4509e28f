"""Step trees: every view holds the same essentials, limits and warnings; nothing of a source is lost; limits read right."""

import re

import pytest

from tools.documents.steps import SKILLS, essentials, limits_in, tree_of, view


@pytest.fixture(scope="module")
def procedures(assistant):
    found = [passage for passage in assistant.index.catalogue.steps() if passage.kind in ("sop", "work_instruction", "manual")]
    assert len(found) > 60
    return found


def test_every_view_has_the_same_essentials_limits_and_warnings(procedures):
    for passage in procedures:
        tree = tree_of(passage.steps)
        views = {skill: essentials(view(tree, skill)) for skill in SKILLS}
        assert views["novice"] == views["experienced"] == views["expert"] == essentials(tree), passage.id


def _letters(text):
    return re.sub(r"\W+", "", re.sub(r"\b(?:Expected result|Expected|Result):", "", text))


def test_no_word_of_a_source_is_lost(procedures):
    for passage in procedures:
        tree = tree_of(passage.steps)
        kept = sorted("".join(_letters(" ".join([step["warning"], step["text"], *step["reasons"], step["expected"]])) for step in tree))
        source = sorted("".join(_letters(re.sub(r"^\s*\(?\d{1,3}[.)]\s+", "", line)) for line in passage.steps))
        assert kept == source, passage.id
        assert sum(bool(re.match("WARNING|DANGER|CAUTION", line, re.IGNORECASE)) for line in passage.steps) == sum(
            len(re.findall(r"\b(?:WARNING|DANGER|CAUTION)\b", step["warning"])) for step in tree
        )


def test_what_explains_is_folded_and_what_binds_is_not():
    (step,) = tree_of(["1. Close valve V2. This keeps the housing free of pressure. Never open it by force because it is under 5 bar. Expected result: 0 bar."])
    assert step["text"] == "Close valve V2. Never open it by force because it is under 5 bar."
    assert step["reasons"] == ["This keeps the housing free of pressure."]
    assert view([step], "novice")[0]["reasons"] == step["reasons"]
    assert view([step], "expert")[0]["reasons"] == []
    assert view([step], "expert")[0]["folded"] == 1


def test_a_warning_after_the_last_step_stays():
    assert tree_of(["1. Start.", "WARNING: Hot."])[0]["warning"] == "WARNING: Hot."
    assert tree_of(["WARNING: Hot."])[0]["warning"] == "WARNING: Hot."
    assert tree_of([]) == []


@pytest.mark.parametrize(
    ("text", "unit", "low", "high", "strict"),
    [
        ("not more than 0.008 mm", "mm", None, 0.008, False), ("112 to 124 Hz", "Hz", 112, 124, False), ("8.0 kN or more", "kN", 8, None, False),
        ("between −2 and 0 K", "K", -2, 0, False), ("below 40 °C", "°C", None, 40, True), ("at least 60 s", "s", 60, None, False),
        ("0.8 µm max", "µm", None, 0.8, False), ("41.0 ± 0.1 mm", "mm", 40.9, 41.1, False), ("less than 0,5 bar", "bar", None, 0.5, True),
        ("70 N m", "N m", None, None, False), ("not earlier than 60 s", "s", 60, None, False), ("above 600 m³/h", "m³/h", 600, None, True),
        ("pressure 6–8 bar", "bar", 6, 8, False),
    ],
)  # fmt: skip
def test_limits_are_read(text, unit, low, high, strict):
    (limit,) = limits_in(text)
    assert (limit.unit, limit.strict) == (unit, strict)
    for found, expected in ((limit.low, low), (limit.high, high)):
        assert found == (pytest.approx(expected) if expected is not None else None)


@pytest.mark.parametrize("text", ["program O9001", "key code 12 01 09", "sensors B22 and B23", "section 4.2", "G54 X 280, Y 230"])
def test_numbers_without_a_unit_are_no_limits(text):
    assert limits_in(text) == []


def test_cases_that_a_person_tells_apart_are_no_reading():
    (step,) = tree_of(["1. Measure. Expected result: Below 2.0 mm/s it is released; above 2.8 mm/s plan a change."])
    assert step["checkpoint"]["kind"] == "confirm"
    assert step["limits"] == ["Below 2.0 mm/s", "above 2.8 mm/s"]
