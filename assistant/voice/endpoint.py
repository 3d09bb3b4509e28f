"""When somebody begins and ends to speak: the Silero voice detector that faster-whisper's wheel carries, run by
onnxruntime, and a small rule over its probabilities.

`VoiceDetector` holds the graph and is shared; `Endpointer` belongs to one stream of sound. Speech has ended after
`END_S` without voice, under the 700 ms that people take for an answer that does not come; what was spoken stands
between `since` and `until` with a little sound around it. tests/test_voice_audio.py over synthesised speech.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

import numpy as np

from assistant.voice.levels import FRAME, samples_of
from assistant.voice.transcriber import BYTES_A_SECOND, SAMPLE_RATE_HZ, SpeechUnavailable

#: Samples of the frame before that the graph wants in front of each frame.
_CONTEXT = 64
FRAME_S = FRAME / SAMPLE_RATE_HZ
#: A probability that begins speech, and one below which it pauses (hysteresis, as the model's authors advise).
BEGIN, KEEP = 0.5, 0.35
#: Speech shorter than this is a click or a knock.
SHORTEST_S = 0.16
#: Silence that ends speech.
END_S = 0.55
#: Sound kept before the first voiced frame: the unvoiced beginning of a word is not found by itself.
BEFORE_S = 0.3


class VoiceDetector:
    """The graph. Thread-safe. Raises SpeechUnavailable when wheel or graph are missing."""

    def __init__(self) -> None:
        import onnxruntime

        path = _graph()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.enable_cpu_mem_arena = False
        options.log_severity_level = 4
        try:
            self._session = onnxruntime.InferenceSession(str(path), sess_options=options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime's errors share no family
            raise SpeechUnavailable(
                "The voice detector of the package faster-whisper cannot be loaded; install the package again."
            ) from error

    def run(self, frames: Any, state: tuple[Any, Any]) -> tuple[Any, tuple[Any, Any]]:
        """Probabilities of voice in successive frames (each with the 64 samples before it), and the state after them."""
        output, hidden, cell = self._session.run(None, {"input": frames, "h": state[0], "c": state[1]})
        return output.reshape(-1), (hidden, cell)


def _graph() -> Path:
    spec = find_spec("faster_whisper")  # found, not imported: the import alone takes half a second
    folder = Path(spec.origin).parent / "assets" if spec is not None and spec.origin else None
    found = sorted(folder.glob("silero_vad*.onnx")) if folder is not None else []
    if not found:
        raise SpeechUnavailable("The voice detector is missing; install the package faster-whisper.")
    return found[-1]


_ONE = threading.Lock()


@cache
def _opened() -> VoiceDetector:
    return VoiceDetector()


def detector() -> VoiceDetector:
    """The detector of this process, loaded once (about 20 ms)."""
    with _ONE:
        return _opened()


class VoiceStream:
    """Probabilities of one stream of sound, frame by frame."""

    def __init__(self, found: VoiceDetector | None = None) -> None:
        self._detector = found or detector()
        self._state = (np.zeros((1, 1, 128), np.float32), np.zeros((1, 1, 128), np.float32))
        self._context = np.zeros(_CONTEXT, np.float32)
        self._rest = b""

    def feed(self, pcm: bytes) -> list[float]:
        """The probability of voice in each frame of 32 ms that this sound completes."""
        pcm = self._rest + pcm
        count = len(pcm) // (2 * FRAME)
        self._rest = pcm[count * 2 * FRAME :]
        if not count:
            return []
        samples = samples_of(pcm[: count * 2 * FRAME])
        padded = np.concatenate([self._context, samples])
        self._context = samples[-_CONTEXT:]
        windows = np.lib.stride_tricks.sliding_window_view(padded, FRAME + _CONTEXT)[::FRAME]
        found, self._state = self._detector.run(np.ascontiguousarray(windows), self._state)
        return [float(one) for one in found]


@dataclass(frozen=True)
class Mark:
    """Speech `began` or `ended` at `at_s` seconds of the stream (ended: where the last voice was, not when it was known)."""

    kind: Literal["began", "ended"]
    at_s: float


@dataclass
class Endpointer:
    """Where speech begins and ends in a stream. `end_s` of silence ends it; `longest_s` ends it in any case."""

    end_s: float = END_S
    longest_s: float = 20.0
    stream: VoiceStream = field(default_factory=VoiceStream)
    speaking: bool = False
    at_s: float = 0.0
    _began_s: float = 0.0
    _voiced_s: float = 0.0
    _voiced_until_s: float = 0.0

    @property
    def pausing(self) -> bool:
        """Whether nothing was said for a tenth of a second."""
        return self.at_s - self._voiced_until_s > 0.1

    def feed(self, pcm: bytes) -> list[Mark]:
        """Marks that this sound brings, in order."""
        marks = []
        for probability in self.stream.feed(pcm):
            self.at_s += FRAME_S
            mark = self._step(probability)
            if mark is not None:
                marks.append(mark)
        return marks

    def _step(self, probability: float) -> Mark | None:
        voiced = probability >= (KEEP if self.speaking or self._voiced_s else BEGIN)
        if voiced:
            if not self._voiced_s:
                self._began_s = self.at_s - FRAME_S
            self._voiced_s += FRAME_S
            self._voiced_until_s = self.at_s
        if not self.speaking:
            if not voiced and self._voiced_s and self.at_s - self._voiced_until_s > 2 * FRAME_S:
                self._voiced_s = 0.0  # it was a click
            if self._voiced_s >= SHORTEST_S:
                self.speaking = True
                return Mark("began", self._began_s)
            return None
        if self.at_s - self._voiced_until_s >= self.end_s or self.at_s - self._began_s >= self.longest_s:
            return self.end()
        return None

    def end(self) -> Mark:
        """End speech now: the button was let go, or the stream is over."""
        self.speaking, self._voiced_s = False, 0.0
        return Mark("ended", self._voiced_until_s)


def probabilities(pcm: bytes) -> list[float]:
    """The probability of voice in each frame of a whole recording."""
    return VoiceStream().feed(pcm)


def utterances(pcm: bytes, longest_s: float = 25.0, pause_s: float = END_S) -> list[tuple[float, bytes]]:
    """A recording cut where nobody speaks: (start in seconds, sound) of each piece with speech, none longer than about
    `longest_s`. Silence around each piece is kept, up to `BEFORE_S` before and half of `pause_s` after it."""
    cutter = Endpointer(pause_s, longest_s - BEFORE_S - pause_s)
    pieces: list[tuple[float, float]] = []
    began: float | None = None
    for at in range(0, len(pcm), 2 * FRAME * 8):
        for mark in cutter.feed(pcm[at : at + 2 * FRAME * 8]):
            if mark.kind == "began":
                began = mark.at_s
            elif began is not None:
                pieces.append((began, mark.at_s))
                began = None
    if began is not None:
        pieces.append((began, len(pcm) / BYTES_A_SECOND))
    out = []
    for start, end in pieces:
        first = max(0.0, start - BEFORE_S)
        out.append((first, _cut(pcm, first, end + pause_s / 2)))
    return out


def _cut(pcm: bytes, start_s: float, end_s: float) -> bytes:
    return pcm[2 * int(start_s * SAMPLE_RATE_HZ) : 2 * int(end_s * SAMPLE_RATE_HZ)]
