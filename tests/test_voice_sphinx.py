"""The embedded recogniser end to end over spoken files: requests, commands, choices, silence, partial results, bounds."""

import itertools

import numpy as np
import pytest

from assistant.voice.front_end import conditioned
from assistant.voice.sphinx import Sphinx, doubtful, evidence_of
from assistant.voice.transcriber import BYTES_A_SECOND, LONGEST_S, Listening, SessionOver, SpeechTooLong, Transcriber, transcribed
from assistant.voice.weighing import Evidence
from evals.voice_sound import VOICES, available, in_the_hall, spoken, wordless
from tests.test_voice_grammar import small_vocabulary

speaks = pytest.mark.skipif(not available(), reason="espeak-ng is not installed")


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    made = Sphinx(small_vocabulary(), tmp_path_factory.mktemp("kept"))
    yield made
    made.close()


def clip(words, level_db=20, voice=0):
    return in_the_hall(spoken(words, VOICES[voice]), level_db, "white", 3, echo=False)


@speaks
def test_a_question_is_heard_with_its_names_and_times(engine):
    assert isinstance(engine, Transcriber)
    heard = transcribed(engine, clip("what does alarm five oh two mean on c. n. c. two"), Listening(equipment="CNC-02"))
    best = heard.text or heard.nbest[0].text
    assert best == "what does alarm 502 mean on CNC-02"
    words = heard.words or heard.nbest[0].words
    assert [word.text for word in words][:3] == ["what", "does", "alarm"]
    assert all(a.start_s < a.end_s <= b.end_s for a, b in itertools.pairwise(words))
    assert all(0 <= word.confidence <= 1 for word in words)
    assert heard.engine == "pocketsphinx"


@speaks
@pytest.mark.parametrize(
    ("said", "command", "number"), [("next step", "next", None), ("go to step twelve", "step", 12), ("stop talking", "stop", None)]
)
def test_commands_in_a_guided_run(engine, said, command, number):
    heard = transcribed(engine, clip(said), Listening("command"))
    assert (heard.command, heard.number) == (command, number)


@speaks
def test_digitally_silent_pauses_do_no_harm(engine):
    heard = transcribed(engine, clip("why did line two stop last night", None), Listening())
    assert "line 2" in (heard.text or heard.nbest[0].text)


@speaks
def test_a_choice_on_the_screen_is_taken_by_saying_it(engine):
    choices = ("scrap rate of line 2", "work orders of line 3")
    heard = transcribed(engine, clip("scrap rate of line two"), Listening("choice", choices=choices))
    assert heard.command == "choice"
    assert heard.number == 1


def test_nobody_speaks(engine):
    for name, sound in wordless().items():
        if name in ("digital silence", "quiet room 3", "tone 4", "hum 2", "music 1", "knocks 2"):
            heard = transcribed(engine, sound)
            assert (heard.text, heard.command, heard.choices) == ("", "", ()), name


def test_sound_is_levelled_and_trimmed():
    time = np.arange(16000) / 16000
    burst = np.concatenate([np.zeros(16000), 200 * np.sin(2 * np.pi * 300 * time) * (1 + np.sin(2 * np.pi * 4 * time)), np.zeros(16000)])
    sound = conditioned(burst.astype("<i2").tobytes())
    assert sound is not None
    assert 0.7 < sound.offset_s < 1.1
    samples = np.frombuffer(sound.pcm, "<i2")
    assert 1500 < np.sqrt((samples.astype(float) ** 2).mean()) < 4000
    assert len(samples) < 1.7 * 16000
    assert conditioned(b"") is None
    assert conditioned(bytes(64_000)) is None
    assert conditioned(b"\1") is None


def test_the_bounds_of_one_utterance(engine):
    session = engine.open()
    for _ in range(int(LONGEST_S)):
        session.feed(bytes(BYTES_A_SECOND))
    with pytest.raises(SpeechTooLong):
        session.feed(bytes(BYTES_A_SECOND))
    session.close()
    session.close()
    with pytest.raises(SessionOver):
        session.feed(b"\0\0")
    with pytest.raises(SessionOver):
        session.finish()


@speaks
def test_the_grammar_is_kept_and_used_again(engine, tmp_path):
    first = Sphinx(small_vocabulary(), tmp_path)
    first.search("requests")
    kept = list(tmp_path.glob("requests-*.json"))
    assert len(kept) == 1
    made = kept[0].stat().st_mtime_ns
    again = Sphinx(small_vocabulary(), tmp_path)
    again.search("requests")
    assert kept[0].stat().st_mtime_ns == made


@speaks
def test_a_code_that_fits_badly_is_asked_back(engine):
    decoded = engine.search("requests").decode(conditioned(clip("explain alarm five oh two on c. n. c. one")).pcm)
    request = engine.network.read(decoded.words)
    evidence = evidence_of(decoded)
    spoilt = Evidence(tuple(-9.0 if 2 <= at <= 4 else gap for at, gap in enumerate(evidence.gaps)), evidence.frames, evidence.covered)
    assert doubtful(request, spoilt) == "Alarm 502 on CNC-01, right?"
