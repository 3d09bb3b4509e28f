"""Reports of danger, in many words, and the same words in peace."""

import pytest

from assistant.hazards import detect

WORDS = {
    "fire": ("fire", "smoke"), "gas": ("gas leak", "toxic"), "injury": ("injured",), "shock": ("electric shock",),
        "entrapment": (
        "trapped",
        "caught in"),
}  # fmt: skip

DANGERS = [
    ("there is smoke coming out of the cabinet", "fire"), ("the motor is on fire", "fire"), (
        "Something smells burnt near the motor",
        "fire"),
    ("flames at the exhaust of the dryer", "fire"), ("sparks flying out of panel 3", "fire"), ("the battery exploded",
        "fire"),
    ("smells like gas in here", "gas"), ("ammonia leak in the cold store", "gas"), ("acid spill on the floor", "gas"), (
        "toxic stuff in the pit",
        "gas"),
    ("someone is hurt", "injury"), ("a colleague cut his finger", "injury"), ("the guy on line 2 passed out", "injury"), (
        "he fell from the ladder",
        "injury"),
    ("coolant splashed in my eyes", "injury"), ("call an ambulance", "injury"), ("I got a shock from the panel",
        "shock"), (
        "operator was electrocuted",
        "shock"),
    ("his arm is trapped in the press", "entrapment"), ("my hand is stuck in the rollers", "entrapment"), (
        "arm is trapped",
        "entrapment"),
    ("somebody got pulled into the conveyor", "entrapment"), ("help, caught my sleeve in the chuck", "entrapment"),
]  # fmt: skip

PEACE = [
    "smoke test procedure", "no smoke, it just stopped", "when is the next fire drill",
        "fire extinguisher certificates that expire",
        "gas spring of the door is weak",
    "robot arm is stuck in home position", "part is stuck in the press", "how many injuries were reported last year",
        "shock absorber worn",
    "nobody was hurt, the guard is bent", "burn marks on the housing", "gas consumption of the oven",
        "leak test failed on PMP-40",
        "how often did each alarm code fire",
    "label caught in the belt", "what does alarm 502 mean", "burn-in station yield", "bleeding the brake circuit",
        "exploded view of the gripper",
    "which operator should I fire", "thermal shock test results", "clamp the hand wheel", "second hand press",
        "flame detector replacement",
        "smoke house temperature",
    "the print head is burnt out of ink", "open work orders on CNC-02", "emergency stop reset",
]  # fmt: skip


@pytest.mark.parametrize(("text", "hazard"), DANGERS)
def test_a_report_is_heard(text, hazard):
    assert detect(text, WORDS) == (hazard,)


@pytest.mark.parametrize("text", PEACE)
def test_peaceful_use_is_silent(text):
    assert detect(text, WORDS) == ()


def test_two_dangers_are_both_heard():
    assert set(detect("fire in the cabinet and someone is hurt", WORDS)) == {"fire", "injury"}


def test_case_and_apostrophes_do_not_hide_it():
    assert detect("HE’S BLEEDING!!", WORDS) == ("injury",)


def test_a_danger_that_the_model_does_not_name_is_not_swallowed():
    assert detect("there is smoke", {}) == ("smoke",)
