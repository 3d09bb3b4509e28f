"""Sound for the voice evaluation: espeak-ng voices, room echo, hall noise, and clips in which nobody speaks.

Everything is made on this machine from fixed seeds; synthesised speech is kept under `.cache/voice`. Synthetic voices
are not people: the suite reports the real recordings apart. tests/test_voice_evals.py.
"""

from __future__ import annotations

import hashlib
import io
import re
import shutil
import subprocess
import wave
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from assistant.voice.transcriber import SAMPLE_RATE_HZ

Samples = npt.NDArray[np.float64]
CACHE = Path(__file__).resolve().parents[1] / ".cache" / "voice"
LEVELS_DB = (20, 10, 5, 0)
NOISES = ("white", "pink", "hum", "machines", "babble")
_LEVEL = 3000.0
_PAUSE_S = 0.3


@dataclass(frozen=True)
class Voice:
    """An espeak-ng voice with its speed in words a minute and its pitch."""

    name: str
    speed: int
    pitch: int


VOICES = (
    Voice("en-us", 150, 50), Voice("en-gb", 150, 45), Voice("en-us+m3", 165, 40), Voice("en-us+f2", 150, 60), Voice("en-gb-x-rp", 140, 50),
    Voice("en-gb+f3", 155, 60), Voice("en-gb-scotland", 145, 45), Voice("en-us+m7", 175, 45), Voice("en-029", 140, 50), Voice("en-us+f4", 135, 55),
)  # fmt: skip


def available() -> bool:
    return shutil.which("espeak-ng") is not None


def spoken(words: str, voice: Voice) -> Samples:
    """Clean speech at 16 kHz; letters are written "c." in `words`. Raises OSError without espeak-ng."""
    text = re.sub(r"\b([a-z])\.(?:s\b)?", lambda m: m.group(1).upper() + ("s " if m.group().endswith("s") else " "), words)
    mark = hashlib.sha256(f"{voice}|{text}".encode()).hexdigest()[:24]
    kept = CACHE / f"{mark}.raw"
    if not kept.exists():
        made = subprocess.run(
            ["espeak-ng", "-v", voice.name, "-s", str(voice.speed), "-p", str(voice.pitch), "--stdout", text],
            capture_output=True,
            check=True,
        ).stdout
        CACHE.mkdir(parents=True, exist_ok=True)
        part = kept.with_suffix(".part")
        part.write_bytes(_at_rate(made))
        part.replace(kept)
    return np.frombuffer(kept.read_bytes(), dtype="<i2").astype(np.float64)


def _at_rate(file: bytes) -> bytes:
    from scipy.signal import resample_poly

    # espeak-ng writes a header without a length when it writes to a pipe
    with wave.open(io.BytesIO(file)) as sound:
        rate = sound.getframerate()
    samples = np.frombuffer(file[44 : len(file) - (len(file) - 44) % 2], dtype="<i2").astype(np.float64)
    out = resample_poly(samples, SAMPLE_RATE_HZ, rate)
    return bytes(np.clip(out, -32767, 32767).astype("<i2").tobytes())


def in_the_hall(speech: Samples, level_db: float | None, noise: str, seed: int, echo: bool = True) -> bytes:
    """Speech in a room with the noise of a hall, so many decibels below it (None: neither), as 16-bit PCM."""
    rng = np.random.default_rng(seed)
    rms = float(np.sqrt((speech**2).mean())) or 1.0
    sound = speech * (_LEVEL / rms)
    if level_db is not None and echo:
        sound = echoed(sound, rng)
    quiet = np.zeros(int(_PAUSE_S * SAMPLE_RATE_HZ))
    sound = np.concatenate([quiet, sound, quiet])
    if level_db is not None:
        sound = sound + noise_of(noise, len(sound), rng) * _LEVEL * 10 ** (-level_db / 20)
    return bytes(np.clip(sound, -32767, 32767).astype("<i2").tobytes())


def echoed(sound: Samples, rng: np.random.Generator, decay_s: float = 0.35, share: float = 0.35) -> Samples:
    """A hall's echo: the sound and a tail of decaying noise, 60 dB down after `decay_s`; a speaker is near the tablet."""
    from scipy.signal import fftconvolve

    count = int(decay_s * SAMPLE_RATE_HZ)
    tail = rng.normal(0, 1, count) * 10 ** (-3 * np.arange(count) / count)
    tail[: int(0.004 * SAMPLE_RATE_HZ)] = 0
    tail *= share / np.sqrt((tail**2).sum())
    tail[0] = 1.0
    out: Samples = fftconvolve(sound, tail)[: len(sound)]
    return out


def noise_of(kind: str, count: int, rng: np.random.Generator) -> Samples:
    """Noise of root mean square 1."""
    time = np.arange(count) / SAMPLE_RATE_HZ
    if kind == "white":
        made = rng.normal(0, 1, count)
    elif kind == "pink":
        spectrum = np.fft.rfft(rng.normal(0, 1, count))
        made = np.fft.irfft(spectrum / np.sqrt(np.maximum(1, np.arange(len(spectrum)))), count)
    elif kind == "hum":
        made = sum((np.sin(2 * np.pi * 50 * k * time + rng.uniform(0, 6)) / k for k in (1, 2, 3, 4, 6)), np.zeros(count)) + rng.normal(
            0, 0.1, count
        )
    elif kind == "machines":
        beat = 1 + 0.5 * np.sign(np.sin(2 * np.pi * 3.1 * time))
        spectrum = np.fft.rfft(rng.normal(0, 1, count) * beat)
        made = np.fft.irfft(spectrum / np.maximum(1, np.arange(len(spectrum))) ** 0.3, count) + 0.5 * np.sin(2 * np.pi * 237 * time)
    else:  # people far away: many voices at once
        made = np.zeros(count)
        for number, voice in enumerate(VOICES[:6]):
            said = spoken(_CHATTER[number], voice)
            made += np.roll(np.resize(said, count), int(rng.integers(count)))
    made = np.asarray(made, dtype=np.float64)
    return made / (np.sqrt((made**2).mean()) or 1.0)


_CHATTER = (
    "he told me that the whole family went down to the river on sunday and nobody came home before dark",
    "we could try the other restaurant but they never have a table for more than four people",
    "my brother bought that car from a neighbour and it has been nothing but trouble ever since",
    "if you take the second road on the left you will see a church and then the old market",
    "she always said that the best part of winter is the smell of snow in the early morning",
    "they have been painting the house for three weeks and it still looks exactly as it did",
)


def wordless() -> Mapping[str, bytes]:
    """Clips in which nobody speaks to the tablet, by name: silence, hums, tones, music, noise, knocks; three seconds each."""
    count = 3 * SAMPLE_RATE_HZ
    time = np.arange(count) / SAMPLE_RATE_HZ
    made: dict[str, Samples] = {"digital silence": np.zeros(count)}
    for number in range(8):
        rng = np.random.default_rng(100 + number)
        made[f"quiet room {number}"] = rng.normal(0, 5 + 4 * number, count)
        made[f"tone {number}"] = 4000 * np.sin(2 * np.pi * (120 * 1.6**number) * time)
        made[f"beeps {number}"] = 5000 * np.sin(2 * np.pi * (400 + 150 * number) * time) * (np.sin(2 * np.pi * (1 + number / 2) * time) > 0)
        made[f"knocks {number}"] = _knocks(rng, count, 2 + number)
        made[f"sweep {number}"] = 3000 * np.sin(2 * np.pi * (100 + 200 * number) * time**2 / 2)
        made[f"music {number}"] = _music(rng, time)
        for kind in ("white", "pink", "hum", "machines")[number % 4 : number % 4 + 1]:
            made[f"{kind} {number}"] = 2500 * noise_of(kind, count, rng)
            made[f"{kind} rising {number}"] = 3000 * noise_of(kind, count, rng) * np.linspace(0.02, 1, count)
    return {name: np.clip(sound, -32767, 32767).astype("<i2").tobytes() for name, sound in made.items()}


def _knocks(rng: np.random.Generator, count: int, times: int) -> Samples:
    sound = rng.normal(0, 20, count)
    for at in rng.integers(0, count - 4000, times):
        sound[at : at + 4000] += rng.normal(0, 9000, 4000) * np.exp(-np.arange(4000) / 400)
    return sound


def _music(rng: np.random.Generator, time: Samples) -> Samples:
    sound = np.zeros(len(time))
    step = len(time) // 8
    for note in range(8):
        pitch = 220 * 2 ** (int(rng.integers(0, 13)) / 12)
        part = slice(note * step, (note + 1) * step)
        decay = np.exp(-np.arange(step) / (0.3 * SAMPLE_RATE_HZ))
        sound[part] += 4000 * decay * sum(np.sin(2 * np.pi * pitch * k * time[part]) / k for k in (1, 2, 3, 5))
    return sound
