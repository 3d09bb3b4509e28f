"""Answers for the ear, and the voices that say them."""

from __future__ import annotations

import io
import json
import shutil
import wave

import numpy as np
import pytest

from assistant.voice.ear import for_the_ear, plain, speech_of, spelled, split
from assistant.voice.endpoint import probabilities
from assistant.voice.speaker import EspeakSpeaker, PiperSpeaker, Remembered, SilentSpeaker, open_speaker
from assistant.voice.transcriber import SpeechUnavailable

needs_espeak = pytest.mark.skipif(
    shutil.which("espeak-ng") is None, reason="espeak-ng is not installed: voices are not tested (make system installs it)."
)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("First-pass yield was 97.3 % (1,234 of 1,268 parts) [E1].", "First-pass yield was 97.3 per cent (1234 of 1268 parts)."),
        ("Torque 45 N m, at most 1 bar.", "Torque 45 newton metres, at most 1 bar."),
        ("Alarm 502 on CNC-02: coolant flow below 18 l/min.", "Alarm five zero two on C N C, zero two: coolant flow below 18 litres per minute."),
        ("MO-10467 is open since 2026-06-14.", "M O, one zero four six seven is open since 14 June 2026."),
        ("It stopped at 06:05 and at 14:00.", "It stopped at 6 oh 5 and at 14 o'clock."),
        ("It was −3 °C for 1 h.", "It was minus 3 degrees Celsius for 1 hour."),
        ("Keep **V7** closed; 3–4 bar.", "Keep V 7 closed; 3 to 4 bar."),
        ("The OEE of WASH-01 fell by 2 %.", "The O E E of Wash, zero one fell by 2 per cent."),
        ("Lot 88213 is blocked.", "Lot eight eight two one three is blocked."),
        ("", ""),
    ],
)  # fmt: skip
def test_written_for_the_eye_and_said_for_the_ear(written, said):
    assert for_the_ear(written) == said


def test_two_sentences_and_more_on_the_screen():
    answer = {"spoken": "One is so. Two is so. Three is so.", "blocks": []}
    assert speech_of(answer) == "One is so. Two is so. More on the screen."
    assert speech_of({"spoken": "One is so.", "blocks": [{"type": "table"}]}).endswith("More on the screen.")
    assert speech_of({"spoken": "One is so.", "blocks": []}) == "One is so."
    assert speech_of({"spoken": "The approved steps are on the screen.", "blocks": [{"type": "steps"}]}).count("screen") == 1


def test_an_emergency_is_said_whole_and_first():
    answer = {
        "spoken": "Fire. Call 333 now. Leave the hall. The alarm means low flow. It is old.",
        "blocks": [{"type": "emergency", "text": "Fire. Call 333 now. Leave the hall."}],
    }
    assert speech_of(answer).startswith("Fire. Call 333 now. Leave the hall. The alarm means low flow.")


def test_sentences_end_where_they_end():
    assert split("See MAN-1 rev. C. The value is 3.5 bar. Done.") == ["See MAN-1 rev. C.", "The value is 3.5 bar.", "Done."]
    assert plain("- **A** `b` [E1]\n- c [d](http://x)") == "A b c d"


@pytest.mark.parametrize(
    ("code", "said"), [("CNC-02", "C N C, zero two"), ("PRESS-01", "Press, zero one"), ("SOP-12", "S O P, 12"), ("P3", "P 3")]
)
def test_codes_are_spelled(code, said):
    assert spelled(code) == said


@needs_espeak
def test_the_machine_speaks_and_a_voice_is_heard_in_it():
    said = open_speaker().say("Alarm five zero two. Coolant flow is low.")
    assert 1.0 < said.seconds < 8.0
    with wave.open(io.BytesIO(said.wav)) as file:
        assert file.getframerate() == said.rate_hz
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(float)
    down = np.interp(np.arange(0, len(samples), said.rate_hz / 16000), np.arange(len(samples)), samples).astype("<i2")
    assert np.mean(np.asarray(probabilities(down.tobytes())) > 0.5) > 0.4


@needs_espeak
def test_hostile_text_is_only_text():
    assert EspeakSpeaker().say("--help; rm -rf / \x00 <break time='99s'/> 😀" * 20).seconds > 0.1


def test_no_voice_is_said_so(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(SpeechUnavailable, match="espeak-ng"):
        open_speaker()
    with pytest.raises(SpeechUnavailable):
        EspeakSpeaker(program="/nowhere/espeak").say("hello")


def test_what_was_said_lately_is_remembered():
    voice = SilentSpeaker()
    kept = Remembered(voice, kept=2)
    for text in ("a", "b", "a", "c", "b"):
        kept.say(text)
    assert voice.said == ["a", "b", "c", "b"]


def piper_folder(folder):
    """A Piper voice of no skill: its sound is as long as its phonemes, at a pitch; built here, so that nothing is fetched."""
    import onnx
    from onnx import TensorProto, helper

    nodes = [
        helper.make_node("Cast", ["input"], ["ids"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["ids", "axis"], ["wide"]),
        helper.make_node("Tile", ["wide", "times"], ["repeated"]),
        helper.make_node("Flatten", ["repeated"], ["flat"], axis=1),
        helper.make_node("Sin", ["flat"], ["output"]),
    ]
    constants = [helper.make_tensor("axis", TensorProto.INT64, [1], [2]), helper.make_tensor("times", TensorProto.INT64, [3], [1, 1, 400])]
    inputs = [
        helper.make_tensor_value_info("input", TensorProto.INT64, [1, None]),
        helper.make_tensor_value_info("input_lengths", TensorProto.INT64, [1]),
        helper.make_tensor_value_info("scales", TensorProto.FLOAT, [3]),
    ]
    output = helper.make_tensor_value_info("output", TensorProto.FLOAT, [1, None])
    graph = helper.make_graph(nodes, "voice", inputs, [output], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    folder.mkdir()
    onnx.save(model, str(folder / "test.onnx"))
    symbols = {"_": [0], "^": [1], "$": [2], **{letter: [3 + at] for at, letter in enumerate("abdefghijklmnopstuvwzæɐəɛɪŋɔɹʃʊʌˈː ")}}
    (folder / "test.onnx.json").write_text(
        json.dumps({"audio": {"sample_rate": 22050}, "phoneme_id_map": symbols, "num_speakers": 1, "espeak": {"voice": "en-us"}})
    )
    return folder


@needs_espeak
def test_a_piper_voice_of_a_folder_speaks(tmp_path):
    pytest.importorskip("onnx")
    voice = PiperSpeaker(piper_folder(tmp_path / "voice"))
    said = voice.say("Hello")
    ids = voice.ids_of(EspeakSpeaker().phonemes("Hello"))
    assert ids[:2] == [1, 0]
    assert ids[-1] == 2
    assert said.seconds == pytest.approx(len(ids) * 400 / 22050, abs=0.01)
    assert voice.name == "piper test"


def test_a_folder_without_a_voice_is_refused(tmp_path):
    with pytest.raises(SpeechUnavailable, match=r"NAME\.onnx"):
        PiperSpeaker(tmp_path)
    (tmp_path / "a.onnx").write_bytes(b"nonsense")
    (tmp_path / "a.onnx.json").write_text("{}")
    with pytest.raises(SpeechUnavailable, match="cannot be loaded"):
        PiperSpeaker(tmp_path)
