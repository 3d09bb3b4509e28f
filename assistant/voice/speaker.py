"""Text into sound, on this machine: the port for voices, espeak-ng, Piper, and a fake.

Tablets speak with the browser's own local voices; these are for headsets and browsers without one. Each text is spoken
by a process or a graph with a deadline, and nothing that is said leaves the machine or its log. tests/test_voice_speaker.py.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import wave
from collections import OrderedDict
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from threading import Lock
from typing import Any, Protocol, runtime_checkable

from assistant.voice.audio import as_wav
from assistant.voice.transcriber import SpeechUnavailable

#: Longest text that is spoken at once, characters; the rest stays on the screen.
LONGEST = 1200
_DEADLINE_S = 20.0


@dataclass(frozen=True)
class Speech:
    """Spoken sound: a WAV file of one channel."""

    wav: bytes
    rate_hz: int
    seconds: float


@runtime_checkable
class Speaker(Protocol):
    """A voice. Thread-safe."""

    name: str

    def say(self, text: str) -> Speech:
        """The text as sound. Raises SpeechUnavailable."""
        ...

    def close(self) -> None: ...


class EspeakSpeaker:
    """espeak-ng, a program of the system: small, clear, at home on every Linux."""

    name = "espeak-ng"

    def __init__(self, program: str | None = None, voice: str = "en-gb", words_a_minute: int = 160) -> None:
        found = program or shutil.which("espeak-ng")
        if found is None:
            raise SpeechUnavailable("This machine has no voice; install espeak-ng, or set piper_voice to a voice folder.")
        self._program, self._voice, self._speed = found, voice, words_a_minute

    def say(self, text: str) -> Speech:
        out = self.run("-s", str(self._speed), "--stdout", text=text)
        try:
            return _speech_of(out)
        except (wave.Error, EOFError) as error:
            raise SpeechUnavailable("The voice of this machine gave no sound; install espeak-ng again.") from error

    def phonemes(self, text: str, voice: str = "en-us") -> str:
        """The text in the International Phonetic Alphabet, as Piper's voices take it."""
        return " ".join(self.run("-q", "--ipa", text=text, voice=voice).decode("utf-8", "replace").split())

    def run(self, *flags: str, text: str, voice: str | None = None) -> bytes:
        command = ["nice", "-n", "5", self._program, "-v", voice or self._voice, "-b", "1", *flags, "--stdin"]
        try:
            done = subprocess.run(command, input=text[:LONGEST].encode(), capture_output=True, timeout=_DEADLINE_S, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise SpeechUnavailable("The voice of this machine does not answer; the text is on the screen.") from error
        if done.returncode != 0:
            raise SpeechUnavailable("The voice of this machine failed; the text is on the screen.")
        return done.stdout

    def close(self) -> None:
        """Nothing is held."""


class PiperSpeaker:
    """A Piper voice: an ONNX graph and its JSON beside it, run by onnxruntime; espeak-ng gives the phonemes, as the
    voices were trained with it. Raises SpeechUnavailable for a folder without a voice."""

    def __init__(self, folder: Path, threads: int = 2, espeak: EspeakSpeaker | None = None) -> None:
        graphs = sorted(folder.glob("*.onnx"))
        described = graphs[0].with_name(graphs[0].name + ".json") if graphs else folder
        if not described.is_file():
            raise SpeechUnavailable(f"The voice folder {folder.name} holds no Piper voice: a file NAME.onnx with NAME.onnx.json beside it.")
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        try:
            known = json.loads(described.read_text(encoding="utf-8"))
            self._ids: dict[str, list[int]] = {str(key): list(value) for key, value in known["phoneme_id_map"].items()}
            self._rate_hz = int(known["audio"]["sample_rate"])
            given = known.get("inference", {})
            self._scales = [
                float(given.get(key, usual)) for key, usual in (("noise_scale", 0.667), ("length_scale", 1.0), ("noise_w", 0.8))
            ]
            self._voice = str(known.get("espeak", {}).get("voice", "en-us"))
            self._speakers = int(known.get("num_speakers", 1))
            self._session = onnxruntime.InferenceSession(str(graphs[0]), sess_options=options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime's errors share no family; a wrong file is any of them
            raise SpeechUnavailable(f"The voice in {folder.name} cannot be loaded; copy both of its files again.") from error
        self.name = f"piper {graphs[0].stem}"
        self._espeak = espeak or EspeakSpeaker()
        self._lock = Lock()

    def say(self, text: str) -> Speech:
        import numpy as np

        ids = self.ids_of(self._espeak.phonemes(text, self._voice))
        feed: dict[str, Any] = {
            "input": np.array([ids], np.int64), "input_lengths": np.array([len(ids)], np.int64), "scales": np.array(self._scales, np.float32),
        }  # fmt: skip
        if self._speakers > 1:
            feed["sid"] = np.array([0], np.int64)
        try:
            with self._lock:
                sound = np.asarray(self._session.run(None, feed)[0], np.float32).reshape(-1)
        except Exception as error:  # as above
            raise SpeechUnavailable("The voice failed on this text; it is on the screen.") from error
        loudest = float(np.abs(sound).max(initial=0.0))
        pcm = (sound / max(loudest, 0.01) * 32000).astype("<i2").tobytes()
        return Speech(as_wav(pcm, self._rate_hz), self._rate_hz, len(sound) / self._rate_hz)

    def ids_of(self, phonemes: str) -> list[int]:
        """Phonemes as the graph's ids: begin, each followed by the pad, end; what the voice does not know is left out."""
        pad = self._ids.get("_", [0])
        ids = [*self._ids.get("^", [1]), *pad]
        for phoneme in phonemes:
            known = self._ids.get(phoneme)
            if known:
                ids += [*known, *pad]
        return [*ids, *self._ids.get("$", [2])]

    def close(self) -> None:
        """Nothing is held beyond the graph."""


@dataclass
class SilentSpeaker:
    """A voice for tests: silence as long as the text would take; `said` keeps the texts."""

    name: str = "silent"
    said: list[str] = field(default_factory=list)

    def say(self, text: str) -> Speech:
        self.said.append(text)
        seconds = max(0.2, len(text) / 15)
        return Speech(as_wav(bytes(2 * int(16_000 * seconds))), 16_000, seconds)

    def close(self) -> None:
        """Nothing is held."""


class Remembered:
    """A voice that keeps the last things it said: prompts such as "please say that again" are spoken often."""

    def __init__(self, speaker: Speaker, kept: int = 64) -> None:
        self._speaker, self._kept = speaker, kept
        self.name = speaker.name
        self._said: OrderedDict[str, Speech] = OrderedDict()
        self._lock = Lock()

    def say(self, text: str) -> Speech:
        with self._lock:
            if text in self._said:
                self._said.move_to_end(text)
                return self._said[text]
        speech = self._speaker.say(text)
        with self._lock:
            self._said[text] = speech
            while len(self._said) > self._kept:
                self._said.popitem(last=False)
        return speech

    def close(self) -> None:
        self._speaker.close()


def open_speaker(piper_voice: Path | None = None, threads: int = 2) -> Speaker:
    """The voice of this machine: Piper where a folder is set, else espeak-ng. Raises SpeechUnavailable."""
    return Remembered(PiperSpeaker(piper_voice, threads) if piper_voice is not None else EspeakSpeaker())


def _speech_of(wav: bytes) -> Speech:
    """A WAV file from a pipe, whose header claims any length, as a whole one. Raises wave.Error, EOFError."""
    with wave.open(BytesIO(wav)) as file:
        rate = file.getframerate()
        pcm = file.readframes(file.getnframes())
    return Speech(as_wav(pcm, rate), rate, len(pcm) / 2 / rate)
