"""How loud, how noisy, how clipped a piece of sound is, and the one sentence that helps its speaker.

Levels are dBFS (0 is the loudest that a sample can hold). Noise is the level of the quietest tenth of the frames, speech
that of the loudest tenth; with the voice detector's verdict a frame is one or the other by what it holds.
tests/test_voice_audio.py measures sounds of known level.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

_FULL = 32768.0
FRAME = 512  # samples, 32 ms at 16 kHz: the voice detector's own
_SILENT_DBFS = -96.0
#: Below this no engine hears anything; measured on recordings turned down step by step.
QUIET_DBFS = -45.0
#: Speech less than this above the noise is misheard more often than not.
NEAR_NOISE_DB = 6.0
LOUD_NOISE_DBFS = -30.0
#: A share of samples at the rails that is heard as distortion.
CLIPPED = 0.005


@dataclass(frozen=True)
class Levels:
    """`clipped` is the share of samples at full scale, `voiced` the share of frames that hold speech."""

    seconds: float
    peak_dbfs: float
    speech_dbfs: float
    noise_dbfs: float
    clipped: float
    voiced: float

    @property
    def above_noise_db(self) -> float:
        return self.speech_dbfs - self.noise_dbfs

    @property
    def silent(self) -> bool:
        return self.peak_dbfs <= -70.0

    def as_json(self) -> dict[str, float]:
        return {
            "peak_dbfs": round(self.peak_dbfs, 1), "speech_dbfs": round(self.speech_dbfs, 1), "noise_dbfs": round(self.noise_dbfs, 1),
            "clipped": round(self.clipped, 4), "voiced": round(self.voiced, 2),
        }  # fmt: skip


def samples_of(pcm: bytes) -> Any:
    """PCM as float32 between -1 and 1; a last odd byte is left out."""
    return np.frombuffer(pcm[: len(pcm) // 2 * 2], dtype="<i2").astype(np.float32) / _FULL


def dbfs(samples: Any) -> float:
    """Level of float samples (root of the mean square), -96 for digital silence."""
    if samples.size == 0:
        return _SILENT_DBFS
    power = float(np.mean(np.square(samples, dtype=np.float64)))
    return max(_SILENT_DBFS, 10 * float(np.log10(power))) if power > 0 else _SILENT_DBFS


def measure(pcm: bytes, voice: Sequence[float] = ()) -> Levels:
    """Measure PCM of 16 kHz; `voice` holds the detector's probability a frame, where it was asked."""
    samples = samples_of(pcm)
    frames = samples[: samples.size // FRAME * FRAME].reshape(-1, FRAME)
    if not len(frames):
        peak = float(np.abs(samples).max(initial=0.0))
        return Levels(samples.size / 16_000, _decibels(peak), dbfs(samples), _SILENT_DBFS, 0.0, 0.0)
    power = np.mean(np.square(frames, dtype=np.float64), axis=1)
    said = np.asarray(voice[: len(frames)], dtype=float) >= 0.5
    order = np.sort(power)
    tenth = max(1, len(order) // 10)
    speech, noise = float(np.mean(order[-tenth:])), float(np.mean(order[:tenth]))
    if len(said) == len(frames):
        speech = float(np.mean(power[said])) if said.any() else noise
        noise = float(np.median(power[~said])) if (~said).any() else noise
    magnitude = np.abs(samples)
    return Levels(
        samples.size / 16_000, _decibels(float(magnitude.max(initial=0.0))), _decibels(speech**0.5), _decibels(noise**0.5),
        float(np.mean(magnitude >= 0.999)), float(np.mean(said)) if len(said) else 0.0,
    )  # fmt: skip


def advice(levels: Levels) -> str:
    """What the speaker should do, in one sentence; "" when nothing is wrong with the sound."""
    if levels.seconds < 0.3:
        return "That was too short; hold the button while you speak."
    if levels.silent:
        return "The microphone hears nothing; is it muted or covered?"
    if levels.clipped >= CLIPPED:
        return "Too close or too loud; hold the tablet a little farther away."
    if levels.noise_dbfs > LOUD_NOISE_DBFS and levels.above_noise_db < 2 * NEAR_NOISE_DB:
        return "It is too loud here; hold the tablet closer to your mouth."
    if levels.speech_dbfs < QUIET_DBFS:
        return "That was too quiet; speak up or hold the tablet closer."
    if levels.above_noise_db < NEAR_NOISE_DB:
        return "I can hardly tell you from the noise; hold the tablet closer to your mouth."
    return ""


def _decibels(value: float) -> float:
    return max(_SILENT_DBFS, 20 * float(np.log10(value))) if value > 0 else _SILENT_DBFS
