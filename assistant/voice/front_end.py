"""Sound made ready for the recogniser: without its mean, trimmed to where somebody speaks, levelled, with a little noise.

`conditioned` returns None for sound in which nobody speaks: too quiet, too short, or without the rise and fall of
speech (a steady tone or hum has the same loudness in every frame). tests/test_voice_sphinx.py.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from assistant.voice.transcriber import SAMPLE_RATE_HZ

_FRAME = SAMPLE_RATE_HZ // 100  # 10 ms
_EDGE_S = 0.2  # kept before and after speech
_SHORTEST_S = 0.12
_QUIETEST = 25.0  # root mean square of the loudest tenth, of 32768
_LEVEL = 3000.0  # root mean square of speech after levelling
#: Noise added to clean sound, below the speech: 20 dB, where the sound's own noise is less.
_DITHER_DB = 20.0
#: Least difference between loud and quiet frames, decibels; steady hums have none.
_RISE_DB = 4.0


@dataclass(frozen=True)
class Sound:
    """Conditioned sound; `offset_s` is where it begins in what was given, `snr_db` a rough measure of speech over noise."""

    pcm: bytes
    offset_s: float
    snr_db: float


def conditioned(pcm: bytes) -> Sound | None:
    """16-bit PCM ready for decoding; None where nobody speaks. The noise added is the same for the same sound."""
    samples = np.frombuffer(pcm[: len(pcm) // 2 * 2], dtype="<i2").astype(np.float64)
    if len(samples) < _SHORTEST_S * SAMPLE_RATE_HZ:
        return None
    samples -= samples.mean()
    count = len(samples) // _FRAME
    power = np.sqrt((samples[: count * _FRAME].reshape(count, _FRAME) ** 2).mean(axis=1) + 1e-9)
    loud, quiet = float(np.percentile(power, 90)), float(np.percentile(power, 10))
    if loud < _QUIETEST:
        return None
    snr = 20 * np.log10(loud / max(quiet, 1e-3))
    level = max(3.0 * quiet, 0.06 * loud) if snr > 12 else quiet + 0.25 * (loud - quiet)
    active = np.flatnonzero(power > level)
    if snr < _RISE_DB or len(active) * 0.01 < _SHORTEST_S:
        return None
    edge = int(_EDGE_S * 100)
    first, last = max(0, int(active[0]) - edge), min(count, int(active[-1]) + 1 + edge)
    cut = samples[first * _FRAME : last * _FRAME]
    gain = _LEVEL / max(1.0, float(np.sqrt((power[active] ** 2).mean())))
    wanted = _LEVEL * 10 ** (-_DITHER_DB / 20)
    own = quiet * gain
    cut = cut * gain
    if own < wanted:
        cut = cut + np.random.default_rng(len(cut)).normal(0.0, np.sqrt(wanted**2 - own**2), len(cut))
    return Sound(np.clip(cut, -32767, 32767).astype("<i2").tobytes(), first * 0.01, float(snr))
