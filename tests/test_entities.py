"""Names as they are typed and heard, over a small plant."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.entities import Names, bare_code, is_here, spoken_code

WORDS = {
    "equipment": {"cnc-01": "CNC-01", "cnc-02": "CNC-02", "cnc-03": "CNC-03", "pal-01": "PAL-01", "palletizer 1":
        "PAL-01",
        "rob-01":
        "ROB-01",
        "robot 1":
        "ROB-01",
        "rob-02":
        "ROB-02",
        "robot 2":
        "ROB-02"},
    "line": {"line-1": "LINE-1", "line 1": "LINE-1", "line-2": "LINE-2", "line 2": "LINE-2", "line-3": "LINE-3",
        "line 3":
        "LINE-3"},
    "equipment_class": {"cnc": "cnc", "cnc machines": "cnc", "robot": "robot", "robots": "robot", "palletizer":
        "palletizer"},
    "product": {"xyz": "XYZ", "valve body xyz": "XYZ", "pmp-40": "PMP-40"},
    "part": {"flt-2210": "FLT-2210", "coolant filter element 25 µm": "FLT-2210", "sea-4021": "SEA-4021",
        "coolant pump shaft seal":
        "SEA-4021"},
}  # fmt: skip
NAMES = Names(
    lambda kind: WORDS.get(kind, {}),
    lambda kind, id: id,
    {"cnc": ("CNC-01", "CNC-02", "CNC-03"), "robot": ("ROB-01", "ROB-02"), "palletizer": ("PAL-01",)},
)


@pytest.mark.parametrize(
    ("said", "kind", "meant", "value"),
    [
        ("CNC two", "equipment", "equipment", "CNC-02"),
        ("cnc2", "equipment", "equipment", "CNC-02"),
        ("CNC 02", "equipment", "equipment", "CNC-02"),
        ("see en see two", "equipment", "equipment", "CNC-02"),
        ("c n c one", "equipment", "equipment", "CNC-01"),
        ("the second CNC", "equipment", "equipment", "CNC-02"),
        ("CNC-02's", "equipment", "equipment", "CNC-02"),
        ("number two CNC", "equipment", "equipment", "CNC-02"),
        ("line three", "line", "line", "LINE-3"),
        ("L3", "line", "line", "LINE-3"),
        ("line too", "line", "line", "LINE-2"),
        ("lin 2", "line", "line", "LINE-2"),
        ("lne 3", "line", "line", "LINE-3"),
        ("Line 3", "equipment", "line", "LINE-3"),
        ("the palletiser", "equipment", "equipment", "PAL-01"),
        ("the CNC machines", "equipment", "equipment_class", "cnc"),
        ("all robots", "equipment", "equipment_class", "robot"),
        ("valve body XYZ", "product", "product", "XYZ"),
        ("pmp40", "product", "product", "PMP-40"),
        ("coolant filter", "part", "part", "FLT-2210"),
    ],
)
def test_a_known_name_is_found_however_it_is_said(said, kind, meant, value):
    found = NAMES.resolve(said, kind)
    assert (found.kind, found.value, found.known) == (meant, value, True)


def test_a_number_and_a_name_with_words_between_are_two_things():
    assert not NAMES.resolve("2 of CNC", "equipment").known  # "axis 2 of CNC 1"
    assert [n.value for n in NAMES.find("greasing axis 2 of CNC 1")] == ["CNC-01"]


def test_digits_are_never_guessed():
    found = NAMES.resolve("CNC-04", "equipment")
    assert not found.known
    assert found.value == "CNC-04"
    assert "CNC-01" in found.alternatives


def test_an_unknown_name_stays_as_said_without_its_article():
    found = NAMES.resolve("the flow wrapper", "equipment")
    assert (found.value, found.known) == ("flow wrapper", False)


def test_a_name_of_several_machines_asks_which():
    found = NAMES.resolve("the robot", "equipment")
    assert found.ambiguous
    assert found.alternatives == ("ROB-01", "ROB-02")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("compare cnc 1 and cnc-03 on valve body xyz", ["CNC-01", "CNC-03", "XYZ"]), ("oee line too", ["LINE-2"]), (
            "the palletizer stopped", [
            "PAL-01"]), (
            "palletizer release notes", []),
        ("orders for the CNC machines", ["cnc"]), ("... !!", []), ("alarm 502", []),
    ],
)  # fmt: skip
def test_the_gazetteer_finds_only_what_is_certain(text, found):
    assert [n.value for n in NAMES.find(text)] == found


@pytest.mark.parametrize(
    ("said", "kind", "code"),
    [
        ("lot 88213", "lot", "88213"),
        ("alarm code 502", "code", "502"),
        ("five oh two", "code", "502"),
        ("F07841", "code", "F07841"),
        ("LUBE LEVEL LOW", "code", "LUBE LEVEL LOW"),
    ],
)
def test_codes_lose_the_word_for_what_they_are(said, kind, code):
    assert bare_code(said, kind) == code


def test_here():
    assert all(is_here(text) for text in ("this machine", "it", "here", "the machine", "this robot"))
    assert not any(is_here(text) for text in ("the press", "line 3", "CNC-02"))


@settings(max_examples=80, deadline=None)
@given(st.text(max_size=30))
def test_any_text_resolves_without_an_exception(text):
    NAMES.resolve(text, "equipment")
    NAMES.find(text)
    spoken_code(text)


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("ten forty three", "1043"),
        ("five oh two", "502"),
        ("two ninety eight", "298"),
        ("forty two", "42"),
        ("press one", "press one"),
        ("coolant", "coolant"),
    ],
)
def test_numbers_said_in_tens(said: str, code: str) -> None:
    assert spoken_code(said) == code
