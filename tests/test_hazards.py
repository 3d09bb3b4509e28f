"""Reports of danger, in many words, and the same words in peace."""

import pytest

from assistant.hazards import SURE_OF_DANGER, detect, plain, voted

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


#: Wordings far from any list, with slips, fragments and questions; the kinds as the demo's plant model names them.
FURTHER = {
    "fire": """
        flames shooting out the back of the dryer
        there's a weird burning smell coming from the PLC cabinet
        black smoke line 4
        smke out of the compressor
        lithium battery pack swollen and hissing in the charging bay
        who do I call, the hydraulic oil has ignited
        orange glow behind the oven door and heat everywhere
        do I open the door of the dust filter, it glows inside
        is it ok to throw water on burning magnesium chips
        Feuer in Halle 2
    """,
    "gas": """
        chlorine cylinder hissing in the dosing room
        the ammonia detector in the cold store is beeping
        amoniak smell, compressors
        nitrogen bottle fell over and the valve is off
        the oxygen level is at 16 percent in the pit
        someone mixed bleach and acid in the bucket
        there's a funny sweet smell and I feel light headed
        solvent running all over the floor of the mixing room
        is it ok to stay, gas alarm has been on for five minutes
        h2s alarm pit 3
    """,
    "injury": """
        Dmitri has lost two fingertips in the shear
        my workmate cant breathe
        a forklift ran into Yasmin
        unconcious person in the toilet line 3
        the bone is sticking out
        his wrist is bent the wrong way
        how do I stop heavy bleeding
        two hurt at line 3
        I think Otto had a stroke, his face hangs
        the racking in aisle 4 is about to collapse
        high pressure hose came off and is whipping around
    """,
    "shock": """
        a bare cable is hanging down by the filler, still energised
        my arm jerked when I touched the lamp
        there's voltage on the handrail
        washer bites when you touch it
        an extension lead lies in the water and it hums
        I feel a current when I touch the sink
    """,
    "entrapment": """
        the shredder has got his sleeve
        Yusuf is under the pallet
        we're stuck in the lift since ten minutes
        her ponytail got wrapped around the spindle
        hand in press help
        banging from inside the tank
        only his legs stick out under the bales
        how do you get a hand out of the rollers
        which button opens the jaws, his finger is in between
        robot is pressing a man against the fence
    """,
}
FURTHER_PEACE = """
    smoke detector batteries
    who is trained in first aid on late shift
    label is caught in the peel plate
    robot gripper jammed
    arm of the palletizer does not move
    bleeding instructions for the hydraulic press
    the pressure fell below 4 bar
    output collapsed on line 2
    acid concentration in the CIP tank
    live trend of the spindle load
    operator on line 2 says the belt slips
    what hurts our OEE most
    oil leak under the gearbox
    the light curtain was hit by a forklift
    steam trap replacement
    who delivers our nitrogen
    chlorine residual in the rinse water
    head gasket for the compressor
    someone from maintenance to line 3 please
    Maria is on vacation, who replaces her
    motor overheated and tripped
    elevator maintenance contract
    did anyone get hurt? no, all fine
    pallet fell off the conveyor
    how many burns were there last year
    Show the SOP for what to do in case of fire
"""


def _lines(block):
    return [line.strip() for line in block.strip().splitlines()]


@pytest.mark.parametrize(("text", "hazard"), [(text, hazard) for hazard, block in FURTHER.items() for text in _lines(block)])
def test_a_report_far_from_any_list_is_heard(text, hazard):
    assert hazard in detect(text, WORDS)


@pytest.mark.parametrize("text", _lines(FURTHER_PEACE))
def test_the_same_words_in_other_work_are_silent(text):
    assert detect(text, WORDS) == ()


@pytest.mark.parametrize("typed", ["smokng", "smokign", "smooking", "smking"])
def test_a_slip_of_typing_does_not_hide_it(typed):
    assert detect(f"the cabinet is {typed}", WORDS) == ("fire",)


def test_a_word_of_its_own_is_no_slip():
    said = "stacked leading braking table turning stock planned painting"
    assert plain(said) == said


def test_names_of_people_read_as_somebody_and_makers_of_machines_do_not():
    assert plain("Zbigniew's hand") == "someone's hand"
    assert plain("the Fanuc has stopped") == "the fanuc has stopped"


def test_a_classifier_only_adds_and_only_when_it_is_as_good_as_certain():
    assert voted((), SURE_OF_DANGER, WORDS) == ("injury",)
    assert voted((), 0.99, WORDS) == ()
    assert voted(("fire",), 0.0, WORDS) == ("fire",)
    assert voted((), 1.0, {}) == ()


@pytest.mark.parametrize(
    ("text", "danger"),
    [("a pile of rags by the oven went up", "fire"), ("somebody tipped nitric acid into the sink, it is giving off fumes", "gas"),
     ("thinner splashed in both eyes", "injury"), ("the ram came down on my mate and he can't get loose", "entrapment"),
     ("send a first aider to the foundry", "injury"), ("she was zapped by the control cabinet", "shock"), ("he is still touching the live rail", "shock"),
     ("ammonia escaped in the cold store", "gas"), ("the motor is throwing sparks", "fire")],
)  # fmt: skip
def test_danger_in_other_words(text, danger):
    assert danger in detect(text, WORDS)


@pytest.mark.parametrize(
    "text",
    ["how many accident-free days in hall 2", "what must I do after a burn, according to our instruction", "can the motor catch fire when it is blocked, what does the manual say",
     "which colleagues are first aiders", "the lamp is blood red, what does it mean", "when was the fire extingiusher checked"],
)  # fmt: skip
def test_peace_in_other_words(text):
    assert not detect(text, WORDS)
