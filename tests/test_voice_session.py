"""The spoken turn: what follows from something heard as a table of cases, and the session over sound of known content."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass, field

import pytest

from assistant.voice.endpoint import Endpointer
from assistant.voice.session import GUIDED_LISTEN_S, LISTEN_S, VoiceSession
from assistant.voice.transcriber import BYTES_A_SECOND, Heard, Listening, ScriptedTranscriber, SpeechUnavailable
from assistant.voice.turns import AGAIN, HELP_GUIDED, Open, decided
from assistant.voice.wake import WakePhrase

YES = Heard("yes", command="yes", confidence=0.95)
MAYBE_YES = Heard("yes", command="yes", confidence=0.4)
NO = Heard("no", command="no", confidence=0.9)
NEXT = Heard("next", command="next", confidence=0.9)
QUESTION = Heard("Show me all open maintenance orders", confidence=0.9, in_grammar=True)
DOUBTFUL = Heard("What does alarm 502 mean on CNC-02?", confidence=0.6, confirm="Alarm 502 on CNC-02, right?")
TWO = Heard(choices=("Why did Line 2 stop?", "Why did Line 3 stop?"), confidence=0.5, doubt="unsure")
ONE = Heard(choices=("Why did Line 2 stop?",), confidence=0.5, doubt="unsure")
OUTSIDE = Heard(doubt="outside")
SILENCE = Heard(doubt="silence")
SECOND = Heard("the second one", command="choice", number=2, confidence=0.9)
ACTION = Open(action="Call maintenance to CNC-02.")
CHOICES = Open(choices=("Line 2?", "Line 3?"))
GUIDED = Open(guided=True)


@pytest.mark.parametrize(
    ("heard", "now", "kind", "text"),
    [
        (QUESTION, Open(), "ask", QUESTION.text),
        (DOUBTFUL, Open(), "say", DOUBTFUL.confirm),
        (ONE, Open(), "say", "Did you mean: Why did Line 2 stop?"),
        (OUTSIDE, Open(), "say", AGAIN),
        (SILENCE, Open(), "say", "I heard nothing. Please say it again."),
        (NEXT, Open(), "say", "No procedure is under way here."),
        (YES, Open(), "say", "There is nothing to confirm."),
        (YES, Open(sentence="What does alarm 502 mean?"), "ask", "What does alarm 502 mean?"),
        (NO, Open(sentence="What does alarm 502 mean?"), "say", "Please say it again."),
        (QUESTION, Open(sentence="What does alarm 502 mean?"), "ask", QUESTION.text),
        (SECOND, CHOICES, "ask", "Line 3?"),
        (Heard("four", command="choice", number=4, confidence=0.9), CHOICES, "say", "There are 2 choices. Say one, two or three, or none."),
        (Heard("line three", confidence=0.9), CHOICES, "ask", "line three"),
        (YES, ACTION, "act", ""),
        (NO, ACTION, "act", "All right, nothing was sent."),
        (MAYBE_YES, ACTION, "say", "Call maintenance to CNC-02. Say yes to send it, or no."),
        (QUESTION, ACTION, "say", "Call maintenance to CNC-02. Say yes to send it, or no."),
        (OUTSIDE, ACTION, "say", "Call maintenance to CNC-02. Say yes to send it, or no."),
        (NEXT, GUIDED, "guide", "next"),
        (Heard("show the page", command="page", confidence=0.9), GUIDED, "guide", "show the page"),
        (Heard("42.5", confidence=0.9), GUIDED, "say", "42.5, right?"),
        (YES, Open(sentence="42.5", guided=True), "guide", "42.5"),
        (QUESTION, GUIDED, "say", HELP_GUIDED),
        (Heard("repeat", command="repeat", confidence=0.9), GUIDED, "guide", "repeat"),
        (Heard("repeat", command="repeat", confidence=0.9), Open(), "steer", ""),
        (Heard("stop", command="stop", confidence=0.9), GUIDED, "steer", ""),
    ],
)  # fmt: skip
def test_what_follows(heard, now, kind, text):
    found = decided(heard, now)
    assert (found.kind, found.text) == (kind, text)


@pytest.mark.parametrize("heard", [YES, MAYBE_YES, NO, NEXT, QUESTION, DOUBTFUL, ONE, TWO, OUTSIDE, SILENCE, SECOND])
@pytest.mark.parametrize("now", [Open(), CHOICES, GUIDED, ACTION, Open(sentence="x")])
def test_only_a_sure_yes_to_an_open_action_acts(heard, now):
    found = decided(heard, now)
    if found.kind == "act" and found.number:
        assert heard is YES
        assert now is ACTION


@dataclass
class LoudIsSpeech:
    """A voice detector for tests: whatever is loud is speech."""

    rest: bytes = b""
    seen: list[float] = field(default_factory=list)

    def feed(self, pcm: bytes) -> list[float]:
        pcm, out = self.rest + pcm, []
        while len(pcm) >= 1024:
            frame, pcm = pcm[:1024], pcm[1024:]
            out.append(1.0 if max(abs(n) for n in struct.unpack("<512h", frame)) > 2000 else 0.0)
        self.rest = pcm
        return out


def quiet(seconds: float) -> bytes:
    return bytes(2 * int(16000 * seconds))


def talk(seconds: float) -> bytes:
    return b"".join(struct.pack("<h", int(9000 * math.sin(n / 6))) for n in range(int(16000 * seconds)))


def session(*script, **more):
    engine = ScriptedTranscriber(list(script))
    made = VoiceSession(engine, Listening(equipment="CNC-02"), endpointer=Endpointer(stream=LoudIsSpeech()), **more)
    made.engine = engine
    return made


def run(made: VoiceSession, pcm: bytes, step_s: float = 0.1):
    events = []
    size = int(BYTES_A_SECOND * step_s) // 2 * 2
    for at in range(0, len(pcm), size):
        events += made.feed(pcm[at : at + size])
    return events


def kinds(events):
    return [event.kind for event in events]


def states(events):
    return [event.data["state"] for event in events if event.kind == "state"]


def asked(events):
    return [event.data["question"] for event in events if event.kind == "ask"]


def test_a_tap_listens_until_the_speaker_stops_and_asks():
    made = session(QUESTION)
    made.press()
    made.listen()
    events = run(made, quiet(0.5) + talk(1.5) + quiet(1.0))
    assert asked(events) == [QUESTION.text]
    assert made.state == "thinking"
    fed = made.engine.asked[-1]
    assert (fed.expects, fed.equipment) == ("request", "CNC-02")


def test_a_held_button_takes_pauses_as_part_of_the_question():
    made = session(QUESTION)
    made.press()
    events = run(made, talk(0.6) + quiet(1.5) + talk(0.6))
    assert asked(events) == []
    assert asked(made.release()) == [QUESTION.text]


def test_listening_in_vain_ends_by_itself():
    made = session(QUESTION)
    made.wake()
    events = run(made, quiet(LISTEN_S + 1.0), 0.5)
    assert states(events) == ["asleep"]
    assert "tone" in kinds(events)


def test_an_answer_is_spoken_and_stop_ends_it():
    made = session(QUESTION, Heard("stop", command="stop", confidence=0.9))
    made.wake()
    run(made, talk(1.0) + quiet(1.0))
    events = made.answered({"status": "answered", "spoken": "The OEE of Line 3 was 81.2 %.", "blocks": []})
    assert [event.data["text"] for event in events if event.kind == "say"] == ["The O E E of Line 3 was 81.2 per cent."]
    events = run(made, talk(0.5) + quiet(1.0))
    assert kinds(events)[0] == "hush"
    assert made.engine.asked[-1].expects == "command"


def test_other_people_s_words_do_not_end_an_answer():
    made = session(QUESTION, QUESTION)
    made.wake()
    run(made, talk(1.0) + quiet(1.0))
    made.answered({"status": "answered", "spoken": "Yes.", "blocks": []})
    events = run(made, talk(1.0) + quiet(0.8))
    assert asked(events) == []
    assert "hush" not in kinds(events)


def test_an_action_is_carried_out_once_and_only_after_yes():
    made = session(QUESTION, OUTSIDE, YES, YES, hands_free=True)
    made.wake()
    run(made, talk(1.0) + quiet(1.0))
    block = {"type": "confirm", "text": "Call maintenance to CNC-02", "token": "T1"}
    made.answered({"status": "needs_confirmation", "spoken": "", "blocks": [block]})
    made.spoken()
    events = run(made, talk(1.0) + quiet(1.0))  # somebody coughs
    assert "act" not in kinds(events)
    made.spoken()
    events = run(made, talk(0.5) + quiet(1.0))
    assert [dict(event.data) for event in events if event.kind == "act"] == [{"token": "T1", "accept": True}]
    made.acted("Sent as REQ-00001.")
    made.spoken()
    events = run(made, talk(0.5) + quiet(1.0))
    assert "act" not in kinds(events)


def test_choices_are_read_out_and_taken_by_number():
    made = session(QUESTION, SECOND, hands_free=True)
    made.wake()
    run(made, talk(1.0) + quiet(1.0))
    offers = {
        "type": "choices",
        "choices": [{"label": "Line 2", "question": "Why did Line 2 stop?"}, {"label": "Line 3", "question": "Why did Line 3 stop?"}],
    }
    said = made.answered({"status": "needs_clarification", "spoken": "I am not sure.", "blocks": [offers]})[-1].data["text"]
    assert "one: Line 2" in said
    made.spoken()
    assert asked(run(made, talk(0.5) + quiet(1.0))) == ["Why did Line 3 stop?"]
    assert made.engine.asked[-1].choices == ("Why did Line 2 stop?", "Why did Line 3 stop?")


class HeardAfter:
    """A wake phrase that is found in anything loud for `seconds`."""

    def __init__(self, seconds):
        self.seconds, self.searched = seconds, 0

    def search(self, pcm):
        self.searched += 1
        loud = sum(1 for (n,) in struct.iter_unpack("<h", pcm) if abs(n) > 500) / 16000
        return self.seconds + 0.3 if loud >= self.seconds else None


def test_the_wake_phrase_and_the_question_in_one_breath():
    made = session(QUESTION, hands_free=True, wake=HeardAfter(0.8))
    events = run(made, quiet(0.5) + talk(2.5) + quiet(1.0))
    assert [event.data["name"] for event in events if event.kind == "tone"] == ["wake"]
    assert asked(events) == [QUESTION.text]


def test_a_sleeping_tablet_searches_speech_alone_and_asks_nothing():
    phrase = HeardAfter(99.0)
    made = session(QUESTION, hands_free=True, wake=phrase)
    assert kinds(run(made, quiet(5.0))) == []
    assert phrase.searched == 0
    assert asked(run(made, talk(2.0) + quiet(1.0))) == []
    assert phrase.searched >= 2
    assert made.engine.asked == []
    without = session(QUESTION, wake=phrase)
    assert run(without, talk(2.0) + quiet(1.0)) == []


def guided_answer(question):
    steps = {"type": "steps", "title": "9.7 Changing the coolant filter", "document": "MAN-1", "steps": [{"n": 1, "text": "Close V2."}]}
    return {"question": question, "status": "answered", "spoken": "Changing the coolant filter: 1 step.", "blocks": [steps]}


def test_a_procedure_is_begun_after_a_yes_and_not_before():
    made = session(YES, hands_free=True)
    events = made.answered(guided_answer("Start the coolant filter change"))
    assert made.open.procedure == "Changing the coolant filter"
    assert "Shall I guide you through it?" in next(event.data["text"] for event in events if event.kind == "say")
    made.spoken()
    events = run(made, talk(0.5) + quiet(1.0))
    assert made.engine.asked[-1].expects == "confirm"
    assert [event.data for event in events if event.kind == "start"] == [
        {"document": "MAN-1", "section": "9.7 Changing the coolant filter", "title": "9.7 Changing the coolant filter"}
    ]


def test_a_procedure_that_was_only_asked_about_is_shown_and_not_begun():
    made = session(YES, hands_free=True)
    made.answered(guided_answer("How do I change the coolant filter?"))
    made.spoken()
    assert "start" not in kinds(run(made, talk(0.5) + quiet(1.0)))


def test_no_to_a_procedure_begins_nothing():
    made = session(NO, YES, hands_free=True)
    made.answered(guided_answer("walk me through the coolant filter change"))
    made.spoken()
    assert "start" not in kinds(run(made, talk(0.5) + quiet(1.0)))
    made.spoken()
    assert "start" not in kinds(run(made, talk(0.5) + quiet(1.0)))


def test_a_wake_phrase_of_one_short_word_is_refused():
    with pytest.raises(SpeechUnavailable, match="two words"):
        WakePhrase("hey")


def test_muted_is_deaf():
    made = session(QUESTION, hands_free=True)
    made.wake()
    made.mute(True)
    assert run(made, talk(2.0) + quiet(1.0)) == []
    assert made.engine.asked == []
    assert made.press()[0].kind == "advice"
    made.mute(False)
    made.wake()
    assert asked(run(made, talk(1.0) + quiet(1.0))) == [QUESTION.text]


def test_a_procedure_takes_its_commands_and_nothing_else():
    made = session(NEXT, QUESTION)
    made.guided({"state": "running", "said": ""})
    assert made.state == "listening"
    events = run(made, talk(0.5) + quiet(1.0))
    assert [event.data["words"] for event in events if event.kind == "guide"] == ["next"]
    assert made.engine.asked[-1].expects == "command"
    made.guided({"state": "running", "said": "Step 2 of 6. Close valve V7."})
    made.spoken()
    assert made.state == "listening"
    events = run(made, talk(1.0) + quiet(1.0))
    assert asked(events) == []
    assert GUIDED_LISTEN_S > LISTEN_S
    made.guided(None)
    assert not made.open.guided


def test_a_client_that_never_says_it_has_finished_speaking_is_not_waited_for():
    made = session(QUESTION, hands_free=True)
    made.answered({"status": "answered", "spoken": "Yes.", "blocks": []})
    events = run(made, quiet(12.0), 0.5)
    assert "listening" in states(events)


def test_an_endless_utterance_is_cut_and_memory_is_bounded():
    made = session(QUESTION)
    made.press()
    run(made, talk(40.0), 0.5)
    assert len(made._utterance) <= 30 * BYTES_A_SECOND
    assert len(made._recent) <= BYTES_A_SECOND


def test_sound_is_handed_on_only_where_it_is_kept():
    for keep in (False, True):
        made = session(QUESTION, keep_sound=keep)
        made.press()
        run(made, talk(1.0))
        assert ("sound" in kinds(made.release())) is keep
