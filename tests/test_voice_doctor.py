"""The doctor's lines on speech: a table of machines and settings, and the command's own list."""

from __future__ import annotations

import pytest

from assistant.settings import Settings
from assistant.voice.choice import Machine
from assistant.voice.doctor import speech

BOTH = Machine(frozenset(("pocketsphinx", "faster-whisper")))


def lines(home, machine=BOTH, program=lambda name: f"/usr/bin/{name}", **chosen):
    return {part: (ok, says) for part, ok, says in speech(Settings(home=home, **chosen), machine, program)}


def test_the_embedded_engine_and_its_models(tmp_path):
    found = lines(tmp_path)
    assert found["speech engine"][0]
    assert found["speech engine"][1].startswith("pocketsphinx; its grammar is built")
    assert found["speech models"][0]
    assert found["speaking voice"] == (True, "espeak-ng")
    (tmp_path / "speech").mkdir()
    (tmp_path / "speech" / "requests-1.json").write_text("[]", encoding="utf-8")
    assert lines(tmp_path)["speech engine"] == (True, "pocketsphinx")


@pytest.mark.parametrize(
    ("machine", "chosen", "ok", "words"),
    [
        (Machine(frozenset()), {}, False, "No speech engine"),
        (BOTH, {"speech_engine": "off"}, True, "switched off"),
        (BOTH, {"speech_engine": "faster-whisper"}, False, "names no folder"),
        (Machine(BOTH.installed, True, True), {}, True, "faster-whisper, pocketsphinx until it is loaded"),
        (Machine(BOTH.installed, True, False), {}, False, "holds no model"),
    ],
)
def test_engines(tmp_path, machine, chosen, ok, words):
    found = lines(tmp_path, machine, **chosen)["speech engine"]
    assert found[0] is ok
    assert words in found[1]


def test_without_a_voice_the_next_step_is_said(tmp_path):
    ok, says = lines(tmp_path, program=lambda name: None)["speaking voice"]
    assert not ok
    assert "make system" in says
    ok, says = lines(tmp_path, piper_voice=tmp_path)["speaking voice"]
    assert not ok
    assert "piper_voice" in says


def test_tablets_get_the_microphone_over_https_alone(tmp_path):
    from assistant import tls

    ok, says = lines(tmp_path)["microphone"]
    assert not ok
    assert "andon tls init" in says
    tls.make(tmp_path, ["andon.plant.test"])
    assert lines(tmp_path)["microphone"][0]
