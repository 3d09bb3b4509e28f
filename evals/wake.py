"""The wake phrase measured: how often synthetic voices wake a tablet at each level of noise, and how often an hour of hall
noise and other people's speech does. Sound goes the product's way, through the voice detector and the stretches that a
tablet searches. The threshold for a phrase is found over other voices and other sentences than those reported.
tests/test_voice_wake.py.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from assistant.problems import Unavailable
from assistant.voice.endpoint import BEFORE_S, Endpointer
from assistant.voice.transcriber import BYTES_A_SECOND, SAMPLE_RATE_HZ
from assistant.voice.wake import WakePhrase, WakeSpotter
from evals.cases import FOLDER
from evals.plant import Demo
from evals.voice_sound import NOISES, VOICES, Voice, available, in_the_hall, noise_of, spoken

LEVELS_DB = (20, 10, 5, 0)
#: Voices that set the threshold and are not reported.
OTHERS = (Voice("en-us+m1", 155, 50), Voice("en-gb+m5", 150, 45), Voice("en-us+f1", 145, 55), Voice("en-gb-x-gbclan", 150, 50), Voice("en-gb-x-gbcwmd+f5", 155, 50))  # fmt: skip
HOUR_S = 3600.0
#: A hall is not talked in all the time: this share of the hour is speech.
SPEECH = 0.5
_STEP = BYTES_A_SECOND // 10


def wake(plant: Demo) -> list[dict[str, Any]]:
    """Rows of (what, value, unit, goal) for the phrase of the settings. Raises Unavailable without espeak-ng."""
    if not available():
        raise Unavailable("This bench speaks with espeak-ng, which is not installed; `make system` installs it.")
    phrase = WakePhrase(plant.assistant.settings.wake_phrase)
    rows = [_row(f'threshold for "{phrase.phrase}"', phrase.threshold, ""), _row("the same, calibrated now", calibrated(phrase.phrase), "")]
    for level in LEVELS_DB:
        heard = [woken(phrase, sound) for sound in said(phrase.phrase, VOICES, level)]
        rows.append(_row(f"woken at {level} dB, {len(VOICES)} voices in {len(NOISES)} noises", sum(one > 0 for one in heard) / len(heard), "share", 0.9 if level >= 10 else None))  # fmt: skip
    begun = time.thread_time()
    rows.append(_row("wake-ups in an hour of noise and other speech", sum(woken(phrase, sound) for sound in others(HOUR_S)), "", 1.0))
    rows.append(_row("processor time a second of sound (one core)", (time.thread_time() - begun) / HOUR_S, ""))
    phrase.close()
    return rows


def woken(phrase: WakePhrase, pcm: bytes) -> int:
    """How often this sound wakes a tablet that is asleep."""
    ends, spotter, before, found = Endpointer(), None, bytearray(), 0
    for at in range(0, len(pcm), _STEP):
        piece = pcm[at : at + _STEP]
        before += piece
        marks = ends.feed(piece)
        hit = spotter.feed(piece) if spotter is not None else None
        for mark in marks:
            if mark.kind == "began":
                spotter = WakeSpotter(phrase)
                hit = spotter.feed(bytes(before))
            elif spotter is not None:
                hit = hit if hit is not None else spotter.end()
                spotter = None
        if hit is not None:
            found, spotter = found + 1, None
        del before[: -int((BEFORE_S + 0.25) * BYTES_A_SECOND)]
    return found


def said(words: str, voices: Sequence[Voice], level_db: int) -> list[bytes]:
    """Words by each voice in each noise, in a room; a second and a half of the hall before and after."""
    around = np.zeros(int(1.5 * SAMPLE_RATE_HZ))
    sounds = [(number, np.concatenate([around, spoken(words, voice), around])) for number, voice in enumerate(voices)]
    share = [len(sound) / (len(sound) - 2 * len(around)) for _, sound in sounds]
    return [
        in_the_hall(sound * share[number], level_db, noise, 31 * number + at) for number, sound in sounds for at, noise in enumerate(NOISES)
    ]


def others(seconds: float, seed: int = 1) -> Iterator[bytes]:
    """So much sound, by the minute, in which nobody says the phrase: requests and small talk of many voices at all levels,
    and noise between them."""
    chance = np.random.default_rng(seed)
    sentences = _sentences()[1::2]
    for _ in range(round(seconds / 60)):
        minute = noise_of(NOISES[int(chance.integers(len(NOISES)))], 60 * SAMPLE_RATE_HZ, chance) * 3000 * 10 ** (-float(chance.choice([25, 20, 10, 5])) / 20)  # fmt: skip
        at, spoken_s = int(chance.integers(SAMPLE_RATE_HZ)), 0.0
        while spoken_s < 60 * SPEECH and at < len(minute) - SAMPLE_RATE_HZ:
            voice = VOICES[int(chance.integers(len(VOICES)))]
            words = spoken(sentences[int(chance.integers(len(sentences)))], voice)[: len(minute) - at]
            minute[at : at + len(words)] += words * 3000 / max(1.0, float(np.sqrt((words**2).mean())))
            spoken_s += len(words) / SAMPLE_RATE_HZ
            at += len(words) + int(chance.exponential(1.5) * SAMPLE_RATE_HZ)
        yield bytes(np.clip(minute, -32767, 32767).astype("<i2").tobytes())


def calibrated(words: str) -> float:
    """The least score for a phrase: a little above all that other sentences reach, and never above what a tenth of the
    voices fall short of at 10 dB. Raises Unavailable where no voice is heard."""
    phrase = WakePhrase(words, -1e9)
    high = [found[0] for sound in _stretches(_sentences()[::2][:60]) if (found := phrase.best(sound)) is not None]
    own = [found[0] for sound in said(phrase.phrase, OTHERS, 10) if (found := phrase.best(sound)) is not None]
    phrase.close()
    if not own:
        raise Unavailable(f"No voice is heard to say {words}; choose another wake phrase.")
    return round(min(max(high, default=-6.0) + 0.1, float(np.quantile(own, 0.1))), 2)


def _stretches(sentences: Sequence[str]) -> Iterator[bytes]:
    for number, words in enumerate(sentences):
        pcm = in_the_hall(spoken(words, OTHERS[number % len(OTHERS)]), (20, 10, 5, None)[number % 4], NOISES[number % len(NOISES)], number)
        for at in range(0, max(1, len(pcm) - BYTES_A_SECOND), int(0.8 * BYTES_A_SECOND)):
            yield pcm[at : at + int(2.5 * BYTES_A_SECOND)]


def _sentences() -> list[str]:
    cases = [json.loads(line) for line in (FOLDER / "voice.jsonl").read_text(encoding="utf-8").splitlines() if line.strip()]
    return [*SMALL_TALK, *(str(case["say"]) for case in cases if case.get("say"))]


#: What people say beside a tablet, some of it close to the phrase.
SMALL_TALK = (
    "hand on the rail please", "please listen to what he says", "and on the other side it is the same", "did you listen to the game",
    "can you hand me the wrench please", "we had to abandon the plan", "please list them for me", "everything depends on the weather",
    "he told me he would be late again", "could somebody close that door", "the london office called this morning", "is there any coffee left",
    "no the other one the one on the pallet", "please lift it and turn it around", "they are painting the hall next week", "see you tomorrow then",
)  # fmt: skip


def _row(what: str, value: float, unit: str, goal: float | None = None) -> dict[str, Any]:
    return {"what": what, "value": round(float(value), 3), "unit": unit, "goal": goal}
