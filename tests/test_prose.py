"""Prose of a model that lies: whatever is mixed into it, and however it comes in pieces, only true sentences are told."""

import time
from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import prompts
from assistant.compose.prose import joined, note, sentences, told, write
from assistant.compose.said import Context
from assistant.planner_model import LlmUnavailable
from tests.lying_evidence import ALL, LIES, MANUAL, TRUE, WORDS, ZONE
from tools.access import Caller
from tools.evidence import Evidence, Quote, fill
from tools.registry import Result, Step

CONTEXT = Context(ZONE, datetime(2026, 6, 17, 9, tzinfo=ZONE), "scrap?", Caller("sam", "Sam", "supervisor", via="test"))
STEPS = (Step("query_metrics", {}, Result("answered", ALL), 1.0),)
CAN_BE_TOLD = [sentence for sentence in TRUE if "E4" not in sentence]


def _asked(answers, steps=STEPS, until_s=20.0):
    """What was told, the prose, and the talks a scripted model saw."""
    talks, heard = [], []

    def speak(talk):
        talks.append(list(talk))
        said = answers[len(talks) - 1]
        if isinstance(said, Exception):
            raise said
        yield from said if isinstance(said, list) else [said]

    prose = write(speak, CONTEXT, steps, WORDS, heard.append, time.monotonic() + until_s)
    return heard, prose, talks


@settings(max_examples=150, deadline=None)
@given(
    said=st.lists(st.sampled_from([*CAN_BE_TOLD, *LIES.values()]), min_size=1, max_size=6), cuts=st.lists(st.integers(1, 40), max_size=20),
    again=st.lists(st.sampled_from([*CAN_BE_TOLD, *LIES.values()]), max_size=4),
)  # fmt: skip
def test_no_lie_is_ever_told(said, cuts, again):
    text, pieces = " ".join(said), []
    for cut in cuts:
        pieces.append(text[:cut])
        text = text[cut:]
    heard, prose, _ = _asked([[*pieces, text], "\n".join(again)])
    true = {fill(sentence, ALL, ZONE) for sentence in TRUE}
    for sentence in (*heard, *prose.sentences):
        assert sentence in true or sentence.rsplit(" [E", 1)[0] in true, sentence
    assert list(prose.sentences) == heard


@pytest.mark.parametrize("kind", LIES)
def test_the_truth_beside_a_lie_is_told(kind):
    heard, prose, talks = _asked([f"{LIES[kind]}\n{TRUE[0]}\n", LIES[kind]])
    assert heard == [fill(TRUE[0], ALL, ZONE) + " [E1]"]
    assert prose.dropped >= 1
    assert prose.calls == len(talks) == 2
    assert "because:" in talks[1][-1][1]


def test_what_is_written_right_the_second_time_is_told():
    heard, prose, _ = _asked(["{E1.r1.machine} had scrap {E1.r0.scrap}.", "{E1.r1.machine} had scrap {E1.r1.scrap}."])
    assert heard == ["CNC-02 had scrap 70. [E1]"]
    assert (prose.dropped, prose.calls) == (0, 2)


def test_good_prose_costs_one_call_and_each_sentence_is_told_before_the_next_is_written():
    order = []

    def speak(talk):
        for sentence in (TRUE[0], TRUE[2]):
            order.append("written")
            yield sentence + "\n"

    prose = write(speak, CONTEXT, STEPS, WORDS, lambda _: order.append("told"), time.monotonic() + 5)
    assert order == ["written", "told", "written", "told"]
    assert prose.calls == 1


def test_a_model_that_is_down_costs_prose_and_nothing_else():
    heard, prose, _ = _asked([LlmUnavailable("The server is down.")])
    assert (heard, prose.sentences) == ([], ())
    assert note(prose).startswith("The server is down. The answer is")
    assert joined("Facts.", prose) == "Facts."


def test_after_its_time_nothing_more_is_told():
    heard, _, _ = _asked([[TRUE[0] + "\n", TRUE[2] + "\n"]], until_s=-1.0)
    assert heard == []


@pytest.mark.parametrize(("text", "found"), [
    ("A {E1.r0.x} b. C d!", ["A {E1.r0.x} b.", "C d!"]), ("- one.\n- two", ["one.", "two"]), ("1. one.\n", ["one."]),
    ("It says “Stop. Then wait.” [E4]\nNext.", ["It says “Stop. Then wait.” [E4]", "Next."]), ("", []),
])  # fmt: skip
def test_sentences_of_a_text(text, found):
    assert list(sentences([text])) == found
    assert list(sentences(list(text))) == found


def test_what_the_model_sees():
    shown = told(ALL, ZONE)
    assert "{E1.r1.scrap} Scrap = 70" in shown
    assert "{E2.r0.oee} OEE = 83.2 %" in shown
    assert "{E4.quote0} = Never open" in shown
    assert len(told(ALL * 50, ZONE)) < 6200
    odd = Evidence("document", "x", quotes=(Quote("{E1.r0.x} [E7] <system>", "d", "t", "1", 1, ""),), marker="E5")
    assert "{E1.r0.x}" not in told((odd,), ZONE)


def test_the_rules_are_sent_first_and_never_change():
    _, _, talks = _asked(["", ""])
    assert talks[0][0] == ("system", prompts.load("prose").text)
    assert "scrap?" in talks[0][1][1]


def test_nothing_is_asked_without_evidence():
    heard, prose, talks = _asked([], steps=(Step("list_records", {}, Result("no_data", (), "None."), 1.0),))
    assert (heard, prose.calls, talks) == ([], 0, [])


def test_a_document_alone_can_only_be_quoted():
    heard, _, _ = _asked(["The manual says: “{E4.quote0}”"], steps=(Step("search_documents", {}, Result("answered", (MANUAL,)), 1.0),))
    assert heard[0].startswith("The manual says: “Never open the guard")
