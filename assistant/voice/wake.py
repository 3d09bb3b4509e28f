"""The wake phrase, looked for in what the voice detector calls speech, and in nothing else.

Each stretch of speech is decoded as sounds of any kind, the phrase once, sounds of any kind: the loop of single sounds
beside the phrase takes what the phrase does not explain, and how far the phrase's own frames lie below the best that any
sound scores there decides. Keyword spotting alone, at its loosest, heard 9 of 10 synthetic voices at 10 dB
of noise and 3 at 5 dB; docs/voice.md has the figures of this (`andon bench wake`, which also prints the threshold for a
phrase). The decoders are shared by all tablets. tests/test_voice_wake.py.
"""

from __future__ import annotations

import math
import re
import tempfile
import threading
from functools import cache
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from assistant.voice.pronunciation import PHONES, carried, model_folder, sounds_of
from assistant.voice.transcriber import BYTES_A_SECOND, SpeechUnavailable

#: Frames of the recogniser a second.
_FRAMES_A_SECOND = 100
#: Least score of a phrase that `wake.tsv` does not name: that of the shipped one.
THRESHOLD = -3.7
#: The stretch that is searched, and how much new sound it takes to search again, seconds: a phrase of up to 1.7 s lies
#: whole in one of the stretches.
_WINDOW_S = 2.5
_EVERY_S = 0.8
#: Less sound than this holds no phrase of four syllables.
_LEAST_S = 0.6
_DECODERS = 2
#: What a word lasts, hundredths of a second for each of its sounds, and the longest pause between two words: what is
#: faster, slower or interrupted is other speech.
_FRAMES_A_SOUND = (4.0, 12.5)
_PAUSE_FRAMES = 25
#: No word of the phrase may fit worse than this: other speech that holds one word of it by chance ("abandon") is stretched
#: over the rest.
_WORST_WORD = -6.5
#: Each sound of the loop is entered with this probability; the phrase's words with the other. The loop must stay cheap
#: enough that the phrase is not kept for what it does not explain.
_LOOP, _WORD = 1 / 40, 0.5
_LEVEL = 3000.0  # root mean square of the louder half after levelling
#: Digital silence decodes badly; so much noise is added to all sound.
_DITHER = 30.0
_LEAST_LIKELIHOOD = 1e-300


class WakePhrase:
    """A phrase of two or more words, listened for by any number of streams. Raises SpeechUnavailable.

    A score is the mean over the phrase's frames of the natural logarithm of its likelihood over the best sound's, in
    thousandths; 0 is a perfect fit."""

    def __init__(self, phrase: str, threshold: float | None = None) -> None:
        self.phrase = " ".join(re.findall(r"[^\W\d_]+", phrase.lower()))
        if len(self.phrase) < 6:
            raise SpeechUnavailable(
                f"The wake phrase {phrase} is too short to be told from other speech; set wake_phrase to two words or more."
            )
        self.words = tuple(self.phrase.split())
        self._ways = {word: _ways_of(word) for word in self.words}
        self.threshold = thresholds().get(self.phrase, THRESHOLD) if threshold is None else threshold
        self._free: list[Any] = []
        self._lent = 0
        self._lock = threading.Condition()

    def search(self, pcm: bytes) -> float | None:
        """Where the phrase ends in a stretch of sound, in seconds; None where it is not."""
        found = self.best(pcm)
        return None if found is None or found[0] < self.threshold else found[1]

    def best(self, pcm: bytes) -> tuple[float, float] | None:
        """The score of the phrase where it fits best, and where it ends, in seconds; None where no path holds it."""
        if len(pcm) < _LEAST_S * BYTES_A_SECOND:
            return None
        decoder = self._take()
        try:
            decoder.start_utt()
            decoder.process_raw(levelled(pcm), False, True)
            decoder.end_utt()
            if decoder.hyp() is None:
                return None
            parts = [part for part in decoder.seg() or () if re.sub(r"\(\d+\)$", "", part.word) in self._ways]
            if len(parts) != len(self.words):
                return None
            spans = [(part.start_frame, part.end_frame + 1) for part in parts]
            scores = [1000 * math.log(max(part.ascore, _LEAST_LIKELIHOOD)) for part in parts]
        finally:
            self._give(decoder)
        frames = [end - start for start, end in spans]
        if not self._paced(spans) or min(score / count for score, count in zip(scores, frames, strict=True)) < _WORST_WORD:
            return None
        return sum(scores) / sum(frames), spans[-1][1] / _FRAMES_A_SECOND

    def _paced(self, spans: list[tuple[int, int]]) -> bool:
        """Whether words and pauses last what they last when somebody says the phrase."""
        sounds = [len(self._ways[word][0]) for word in self.words]
        rates = [(end - start) / count for (start, end), count in zip(spans, sounds, strict=True)]
        pauses = [start - end for (_, end), (start, _) in pairwise(spans)]
        return all(_FRAMES_A_SOUND[0] <= rate <= _FRAMES_A_SOUND[1] for rate in rates) and max(pauses, default=0) <= _PAUSE_FRAMES

    def _take(self) -> Any:
        """A decoder, lent until `_give`; waits for one when all are lent."""
        with self._lock:
            while not self._free and self._lent >= _DECODERS:
                self._lock.wait(1.0)
            self._lent += 1
            if self._free:
                return self._free.pop()
        try:
            return self._decoder()
        except BaseException:
            with self._lock:
                self._lent -= 1
            raise

    def _give(self, decoder: Any) -> None:
        with self._lock:
            self._lent -= 1
            self._free.append(decoder)
            self._lock.notify()

    def _decoder(self) -> Any:
        try:
            from pocketsphinx import Decoder

            with tempfile.TemporaryDirectory(prefix="andon-wake-") as scratch:
                words, rules = Path(scratch, "words.dict"), Path(scratch, "rules.fsg")
                words.write_text(self._dictionary(), encoding="utf-8")
                rules.write_text(self._rules(), encoding="utf-8")
                decoder = Decoder(
                    hmm=str(model_folder() / "en-us"), dict=str(words), lm=None, loglevel="FATAL", bestpath=False, wip=0.5, silprob=0.1,
                    fillprob=0.01,
                )  # fmt: skip
                decoder.add_fsg("wake", decoder.read_fsg(str(rules)))
                decoder.activate_search("wake")
                return decoder
        except (ImportError, RuntimeError, ValueError, OSError) as error:
            raise SpeechUnavailable("The embedded recogniser cannot be opened; install the package pocketsphinx again.") from error

    def _dictionary(self) -> str:
        lines = [f"+{sound} {sound}" for sound in sorted(PHONES)]
        for word, ways in self._ways.items():
            lines += [f"{word}{f'({number + 1})' if number else ''} {' '.join(sounds)}" for number, sounds in enumerate(ways)]
        return "\n".join(lines) + "\n"

    def _rules(self) -> str:
        """Any sounds, the words of the phrase in their order, any sounds."""
        end = len(self.words)
        moves = [f"TRANSITION {at} {at + 1} {_WORD} {word}" for at, word in enumerate(self.words)]
        moves += [f"TRANSITION {at} {at} {_LOOP} +{sound}" for at in (0, end) for sound in sorted(PHONES)]
        return "\n".join(["FSG_BEGIN wake", f"NUM_STATES {end + 1}", "START_STATE 0", f"FINAL_STATE {end}", *moves, "FSG_END"]) + "\n"

    def close(self) -> None:
        with self._lock:
            self._free.clear()


@cache
def thresholds() -> dict[str, float]:
    """The least score of each phrase that was calibrated (`andon bench wake` prints the line for another)."""
    rows = files("assistant.voice").joinpath("wake.tsv").read_text(encoding="utf-8").splitlines()
    return {phrase: float(least) for phrase, least in (row.split("\t") for row in rows if row and not row.startswith("#"))}


def _ways_of(word: str) -> tuple[tuple[str, ...], ...]:
    """How a word is said; a name that no dictionary holds also with the full vowel where its letter "o" or "a" may be
    read weakly ("Andon" is not "London" to everybody)."""
    ways = tuple(tuple(way) for way in sounds_of(word))
    if word in carried() or "AH" not in ways[0]:
        return ways
    full = {"o": ("AA", "AO"), "a": ("AA", "AE")}
    more = [
        tuple(vowel if sound == "AH" else sound for sound in ways[0]) for letter in full if letter in word[1:] for vowel in full[letter]
    ]
    return tuple(dict.fromkeys([*ways, *more]))


def levelled(pcm: bytes) -> bytes:
    """Sound at the level that the recogniser was trained on, with a little noise."""
    samples = np.frombuffer(pcm[: len(pcm) // 2 * 2], "<i2").astype(np.float64)
    samples = samples - samples.mean()
    count = max(1, len(samples) // 320)
    power = np.sqrt((samples[: count * 320].reshape(count, -1) ** 2).mean(axis=1)) if len(samples) >= 320 else np.ones(1)
    loud = float(np.sqrt((np.sort(power)[-max(1, count // 2) :] ** 2).mean()))
    noise = np.random.default_rng(len(samples)).normal(0.0, _DITHER, len(samples))
    return bytes(np.clip(samples * min(30.0, _LEVEL / max(1.0, loud)) + noise, -32767, 32767).astype("<i2").tobytes())


class WakeSpotter:
    """One stretch of speech being searched. `feed` says where the phrase ended, in seconds from the first sound fed;
    `end`, when speech has ended, looks at what came since the last search.

    The last seconds are searched as a whole, again and again: the recogniser's features are levelled over what it is
    given, and over a stretch that has only begun they are levelled badly (measured: no voice of six was heard that way,
    with the same threshold)."""

    def __init__(self, phrase: WakePhrase) -> None:
        self._phrase = phrase
        self._sound = bytearray()
        self._fed = self._searched = 0

    def feed(self, pcm: bytes) -> float | None:
        self._sound += pcm
        self._fed += len(pcm)
        del self._sound[: -int(_WINDOW_S * BYTES_A_SECOND)]
        return self._search() if self._fed - self._searched >= _EVERY_S * BYTES_A_SECOND else None

    def end(self) -> float | None:
        return self._search() if self._fed > self._searched else None

    def _search(self) -> float | None:
        self._searched = self._fed
        begun_s = (self._fed - len(self._sound)) / BYTES_A_SECOND
        found_s = self._phrase.search(bytes(self._sound))
        return None if found_s is None else begun_s + found_s

    def close(self) -> None:
        self._sound.clear()
