"""What engines write, mapped onto a plant's names: the demo's and another's; where it is not certain, it is asked."""

import pytest

from assistant.voice.correction import SURE, Correction, distance
from assistant.voice.transcriber import Heard, Hypothesis
from assistant.voice.vocabulary import Name, Vocabulary, sayings


def vocabulary(equipment, lines=(), products=(), codes=(), signals=()):
    def names(kind, rows):
        return tuple(Name(kind, value, written, sayings(written)) for value, written in rows)

    return Vocabulary(
        {
            "EQUIPMENT": names("equipment", equipment),
            "LINE": names("line", lines),
            "PRODUCT": names("product", products),
            "SIGNAL": names("signal", signals),
        },
        frozenset(codes),
    )


@pytest.fixture(scope="module")
def demo():
    return Correction(
        vocabulary(
            [
                ("CNC-01", "CNC-01"),
                ("CNC-02", "CNC-02"),
                ("CNC-03", "CNC-03"),
                ("ROB-02", "robot 2"),
                ("PAL-01", "palletizer 1"),
                ("CONV-02", "conveyor 2"),
            ],
            [("LINE-1", "line 1"), ("LINE-2", "line 2"), ("LINE-3", "line 3")],
            [("XYZ", "XYZ")],
            ["502", "503", "411", "AL-1043"],
            [("spindle_load", "spindle load"), ("spray_pressure", "spray pressure")],
        )
    )


@pytest.fixture(scope="module")
def bakery():
    return Correction(
        vocabulary([("OV-7", "deck oven 7"), ("DM-12", "DM-12"), ("ARB-3", "Arburg 3")], [("B", "pretzel line")], codes=["F07", "E31"])
    )


@pytest.mark.parametrize(
    ("heard", "text"),
    [
        ("what does alarm five oh two mean on see en see two", "what does alarm 502 mean on CNC-02"),
        ("What does alarm 502 mean on CNC 2?", "What does alarm 502 mean on CNC-02?"),
        ("oee for line too yesterday", "oee for line 2 yesterday"),
        ("why did line to stop last night", "why did line 2 stop last night"),
        ("call maintenance to robot too", "call maintenance to robot 2"),
        ("what happened on line won last night", "what happened on line 1 last night"),
        ("alarm for one one on the robot", "alarm 411 on the robot"),
        ("alarm ten forty three", "alarm 1043"),
        ("first pass yield of ex why zed", "first pass yield of XYZ"),
    ],
)
def test_names_and_codes_as_the_ear_writes_them(demo, heard, text):
    found = demo.text(heard)
    assert found.text.lower() == text.lower()
    assert found.certain


@pytest.mark.parametrize(
    "plain",
    [
        "move it from line to the left",
        "the press for the housings",
        "is it too hot for the robot to run",
        "show me the open orders",
        "we won two prizes for the best line",
        "please wait for me at the door",
        "what is the oee today",
    ],
)
def test_plain_english_is_left_alone(demo, plain):
    assert demo.text(plain).text == plain


def test_numbers_are_never_guessed(demo):
    for said in ("c n c nine", "line seven", "robot five"):
        assert demo.text(f"oee of {said}").text == f"oee of {said}"


def test_a_code_that_the_plant_does_not_know_is_asked(demo):
    heard = demo.corrected(Heard("what does alarm five seven two mean on see en see two", engine="other", confidence=0.9))
    assert heard.text == "what does alarm 572 mean on CNC-02"
    assert heard.confirm == "Alarm 572 on CNC-02, right?"
    assert not heard.understood


def test_another_hypothesis_with_a_known_code_is_offered(demo):
    nbest = (Hypothesis("alarm five nine two on c n c two"), Hypothesis("alarm five oh two on c n c two"))
    heard = demo.corrected(Heard("alarm five nine two on c n c two", nbest=nbest, engine="other"))
    assert "alarm 502 on CNC-02" in heard.choices
    assert not heard.understood


def test_near_names_are_asked_and_far_ones_left(demo):
    near = demo.corrected(Heard("spray pleasure on the washer", engine="other"))
    assert near.text == "spray pleasure on the washer" or near.confirm
    assert demo.text("spin dull load of c n c one").text == "spindle load of CNC-01"
    vague = demo.text("what about the palette riser one")
    assert vague.text == "what about the palette riser one" or not vague.certain


def test_another_plant(bakery):
    assert bakery.text("why is deck oven seven down").text == "why is deck oven 7 down"
    assert bakery.text("stops of dee em twelve").text == "stops of DM-12"
    assert bakery.text("stops of dee em two").text == "stops of dee em two"
    assert bakery.text("temperature of the are berg three").text in ("temperature of the Arburg 3", "temperature of the are berg three")


def test_a_certain_text_is_only_spelled(demo):
    heard = Heard("alarm five oh two on c n c two", confidence=0.8, engine="other")
    found = demo.corrected(heard)
    assert (found.text, found.confidence, found.understood) == ("alarm 502 on CNC-02", 0.8, True)


def test_a_command_is_not_touched(demo):
    heard = Heard("next", command="next")
    assert demo.corrected(heard) is heard


def test_distance_of_sounds():
    assert distance(("T", "UW"), ("T", "UW")) == 0
    assert 0 < distance(("P", "IH"), ("B", "IH")) < 1
    assert distance(("K",), ("M",)) == 1
    assert SURE < 0.4
