"""faster-whisper's real path without a download: a tiny model that the test builds and converts itself, and real weights
where ANDON_WHISPER_MODEL names a folder."""

from __future__ import annotations

import os
import shutil
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from assistant.voice.parts import Engines
from assistant.voice.transcriber import Heard, Listening, ScriptedTranscriber, SessionOver, SpeechTooLong, SpeechUnavailable, transcribed
from assistant.voice.whisper import WhisperTranscriber, hotwords, kept
from tests import tiny_whisper

pytestmark = pytest.mark.timeout(280)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tiny_whisper.build(tmp_path_factory.mktemp("whisper"))


@pytest.fixture(scope="module")
def engine(folder):
    made = WhisperTranscriber(folder, threads=1)
    assert made.wait(120)
    assert made.state == "ok"
    yield made
    made.close()


@pytest.fixture(scope="module")
def speech():
    """Three seconds of a voice."""
    from assistant.voice.audio import SoundReader
    from assistant.voice.speaker import EspeakSpeaker

    if shutil.which("espeak-ng") is None:
        pytest.skip("espeak-ng is not installed: speech is not synthesised (make system installs it).")
    reader = SoundReader()
    pcm = reader.read(EspeakSpeaker().say("What does alarm five oh two mean on this machine?").wav).pcm
    reader.close()
    return pcm


def test_words_have_times_and_probabilities(engine, speech):
    session = engine.open(Listening(equipment="CNC-02", names=("CNC-01", "Line 3")))
    for at in range(0, len(speech), 6400):
        session.feed(speech[at : at + 6400])
    heard = session.finish()
    assert [word.text for word in heard.words] == ["What", "does", "alarm", "502", "mean"]
    assert heard.text == "What does alarm 502 mean"
    assert heard.engine == "faster-whisper"
    assert heard.final
    assert 0.6 <= heard.confidence <= 1.0
    assert all(0.0 <= word.start_s <= word.end_s <= 30.0 and 0.0 <= word.confidence <= 1.0 for word in heard.words)
    assert [one.text for one in heard.nbest] == [heard.text]


def test_a_partial_result_comes_while_the_speaker_talks(engine, speech):
    session = engine.open()
    assert session.partial().text == ""
    session.feed(speech[:64000])
    partial = session.partial()
    assert partial.text.startswith("What does")
    assert not partial.final
    session.feed(speech[64000:80000])
    assert session.partial() is partial  # less than a second is new
    session.close()


def test_nobody_spoke_and_the_model_is_not_even_asked(engine):
    for sound in (bytes(64000), bytes(3200)):
        heard = transcribed(engine, sound)
        assert (heard.text, heard.doubt) == ("", "silence")


def test_what_was_heard_is_put_right_by_the_plant_s_words(folder, speech):
    def corrected(heard: Heard, listening: Listening) -> Heard:
        return Heard(heard.text.replace("502", "502 on CNC-02"), confidence=heard.confidence)

    made = WhisperTranscriber(folder, threads=1, corrected=corrected)
    assert made.wait(120)
    assert transcribed(made, speech).text == "What does alarm 502 on CNC-02 mean"
    made.close()
    with pytest.raises(SpeechUnavailable):
        made.open()


def test_a_session_ends_once_and_can_be_cut_off(engine, speech):
    session = engine.open()
    session.feed(speech)
    session.finish()
    for move in (session.finish, lambda: session.feed(b"00")):
        with pytest.raises(SessionOver):
            move()
    session = engine.open()
    session.feed(speech)
    ended = []

    def work():
        try:
            ended.append(session.finish())
        except SessionOver as error:
            ended.append(error)

    session.close()
    thread = threading.Thread(target=work)
    thread.start()
    thread.join(30)
    assert isinstance(ended[0], SessionOver)
    session = engine.open()
    with pytest.raises(SpeechTooLong):
        session.feed(bytes(32000 * 31))


def test_a_model_that_babbles_is_silent(tmp_path, speech):
    made = WhisperTranscriber(tiny_whisper.build(tmp_path, random=True), threads=1)
    assert made.wait(120)
    heard = transcribed(made, speech)
    assert heard.text == ""
    made.close()


@pytest.mark.parametrize("missing", ["model.bin", "tokenizer.json", "config.json"])
def test_a_folder_that_lacks_a_file_is_refused_at_once_and_nothing_is_fetched(folder, tmp_path, missing):
    shutil.copytree(folder, tmp_path / "m")
    (tmp_path / "m" / missing).unlink()
    with pytest.raises(SpeechUnavailable, match=missing):
        WhisperTranscriber(tmp_path / "m")


def test_a_damaged_model_is_said_so_and_another_engine_hears(folder, tmp_path):
    shutil.copytree(folder, tmp_path / "m")
    (tmp_path / "m" / "model.bin").write_bytes(b"damaged")
    made = WhisperTranscriber(tmp_path / "m")
    assert made.wait(120)
    with pytest.raises(SpeechUnavailable, match="cannot be loaded"):
        made.open()
    other = ScriptedTranscriber(["hello"])
    assert transcribed(Engines(made, other), b"\x01\x00" * 16000).text == "hello"


def test_until_the_model_is_loaded_the_embedded_engine_hears():
    loading = SimpleNamespace(name="faster-whisper", state="loading", open=None, close=lambda: None)
    meanwhile, steering = ScriptedTranscriber(["a question"]), ScriptedTranscriber(["next"])
    engines = Engines(loading, meanwhile, steering)
    sound = b"\x01\x00" * 16000
    assert transcribed(engines, sound).text == "a question"
    assert transcribed(engines, sound, Listening(expects="command")).text == "next"
    engines = Engines(ScriptedTranscriber(["whisper"]), meanwhile, steering)
    assert transcribed(engines, sound).text == "whisper"


def segment(**more):
    usual = {"text": " What does it mean", "avg_logprob": -0.3, "no_speech_prob": 0.1, "start": 0.0, "end": 2.0, "words": ()}
    return SimpleNamespace(**{**usual, **more})


@pytest.mark.parametrize(
    ("more", "taken"),
    [
        ({}, True), ({"avg_logprob": -1.5}, False), ({"no_speech_prob": 0.9, "avg_logprob": -0.8}, False), ({"no_speech_prob": 0.9}, True),
        ({"text": "you you you you you you you you you you", "end": 1.0}, False), ({"text": " ..."}, False),
    ],
)  # fmt: skip
def test_what_whisper_invents_is_left_out(more, taken):
    assert kept(segment(**more)) is taken


def test_hints_are_short_and_the_machine_in_front_comes_first():
    given = hotwords(Listening(equipment="CNC-02", names=tuple(f"MACHINE-{n}" for n in range(500))))
    assert given.startswith("CNC-02, MACHINE-0")
    assert len(given) <= 400


@pytest.mark.skipif(not os.environ.get("ANDON_WHISPER_MODEL"), reason="real Whisper weights: ANDON_WHISPER_MODEL names no folder.")
def test_real_weights_hear_the_sentence(speech):
    made = WhisperTranscriber(Path(os.environ["ANDON_WHISPER_MODEL"]))
    assert made.wait(250)
    text = transcribed(made, speech, Listening(names=("CNC-02",))).text.lower()
    assert "alarm" in text
    made.close()
