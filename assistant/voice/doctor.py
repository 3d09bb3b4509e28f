"""What `andon doctor` says of speech: the engine and its models, the voice that speaks, whether tablets get the microphone.
Everything here is optional: without it people type. tests/test_voice_doctor.py.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence

from assistant.settings import Settings
from assistant.tls import files_of
from assistant.voice.choice import Machine, choose, probe
from assistant.voice.endpoint import detector
from assistant.voice.pronunciation import model_folder
from assistant.voice.transcriber import SpeechUnavailable

#: (part, whether it is well, one sentence)
Line = tuple[str, bool, str]


def speech(settings: Settings, machine: Machine | None = None, program: Callable[[str], str | None] = shutil.which) -> Sequence[Line]:
    """The lines on speech, in the order in which sound goes. Loads no engine."""
    return [_engine(settings, machine or probe(settings.whisper_model)), _models(), _voice(settings, program), _microphone(settings)]


def _engine(settings: Settings, machine: Machine) -> Line:
    choice = choose(settings.speech_engine, machine)
    if settings.speech_engine == "off":
        return "speech engine", True, "switched off (speech_engine)"
    if not choice.requests:
        return "speech engine", False, choice.trouble
    meanwhile = f", {choice.meanwhile} until it is loaded" if choice.meanwhile not in ("", choice.requests) else ""
    kept = any((settings.home / "speech").glob("*"))
    built = "" if choice.requests != "pocketsphinx" or kept else "; its grammar is built when it is first used (about a minute)"
    return "speech engine", not choice.trouble, choice.trouble or f"{choice.requests}{meanwhile}{built}"


def _models() -> Line:
    try:
        detector()
        model_folder()
    except SpeechUnavailable as error:
        return "speech models", False, error.sentence
    return "speech models", True, "the voice detector loads, the acoustic model is there"


def _voice(settings: Settings, program: Callable[[str], str | None]) -> Line:
    if settings.piper_voice is not None:
        whole = any(settings.piper_voice.glob("*.onnx"))
        return (
            "speaking voice",
            whole,
            f"Piper, {settings.piper_voice.name}" if whole else "piper_voice names a folder without a voice (NAME.onnx)",
        )
    there = program("espeak-ng") is not None
    told = "espeak-ng" if there else "espeak-ng is not installed, only tablets with a voice of their own speak; `make system` installs it"
    return "speaking voice", there, told


def _microphone(settings: Settings) -> Line:
    certificate = settings.tls_cert or files_of(settings.home).certificate
    if certificate.is_file():
        return "microphone", True, "served over https, so tablets give the microphone"
    return (
        "microphone",
        False,
        "browsers give it to https only (and to this machine itself); `andon tls init` makes a certificate for the tablets",
    )
