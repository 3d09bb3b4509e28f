"""The wake phrase: pocketsphinx's keyword spotting over what the voice detector calls speech, and over nothing else.

A few decoders are shared by all tablets, one search at a time each. The phrase is looked for
in every pronunciation of its words; the threshold is what `evals` measured on hall noise and other people's speech
against the phrase spoken by several voices at 10 dB. tests/test_voice_session.py.
"""

from __future__ import annotations

import re
import tempfile
import threading
from itertools import islice, product
from pathlib import Path
from typing import Any

import numpy as np

from assistant.voice.pronunciation import model_folder, sounds_of
from assistant.voice.transcriber import BYTES_A_SECOND, SpeechUnavailable

#: Frames of the recogniser a second.
_FRAMES_A_SECOND = 100
#: Likelihood ratio of phrase and anything else, as a power of ten for each sound of the phrase (see `bench voice`).
THRESHOLD_A_SOUND = -4.0
#: The stretch that is searched, and how much new sound it takes to search again, seconds.
_WINDOW_S = 2.5
_EVERY_S = 0.5
_MOST_WAYS = 12
_DECODERS = 4
#: Digital silence decodes badly; this much noise (of 32,768) is added to all sound.
_DITHER = 6.0


class WakePhrase:
    """A phrase of two or more words, listened for by any number of streams. Raises SpeechUnavailable."""

    def __init__(self, phrase: str, threshold_a_sound: float = THRESHOLD_A_SOUND) -> None:
        self.phrase = " ".join(re.findall(r"[^\W\d_]+", phrase.lower()))
        if len(self.phrase) < 6:
            raise SpeechUnavailable(f"The wake phrase {phrase} is too short to be told from other speech; set wake_phrase to two words.")
        self._ways = {word: sounds_of(word) for word in self.phrase.split()}
        self._threshold = threshold_a_sound
        self._folder = tempfile.TemporaryDirectory(prefix="andon-wake-")
        self._write(Path(self._folder.name))
        self._free: list[Any] = []
        self._lent = 0
        self._lock = threading.Condition()

    def _write(self, folder: Path) -> None:
        """The words with their pronunciations, and each way to say the phrase with its own threshold: a longer one is
        less likely by chance."""
        entries = {
            word if number == 0 else f"{word}({number + 1})": sounds
            for word, ways in self._ways.items()
            for number, sounds in enumerate(ways)
        }
        names = [[name for name in entries if name.partition("(")[0] == word] for word in self.phrase.split()]
        lines = []
        for chosen in islice(product(*names), _MOST_WAYS):
            count = sum(len(entries[name]) for name in chosen)
            lines.append(f"{' '.join(chosen)} /1e{self._threshold * count:.0f}/")
        (folder / "words.dict").write_text("".join(f"{name} {' '.join(sounds)}\n" for name, sounds in entries.items()), encoding="utf-8")
        (folder / "phrases.kws").write_text("\n".join(lines) + "\n", encoding="utf-8")

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
        from pocketsphinx import Decoder

        folder = Path(self._folder.name)
        try:
            return Decoder(
                hmm=str(model_folder() / "en-us"),
                dict=str(folder / "words.dict"),
                kws=str(folder / "phrases.kws"),
                lm=None,
                loglevel="FATAL",
            )
        except RuntimeError as error:
            raise SpeechUnavailable("The embedded recogniser cannot be opened; install the package pocketsphinx again.") from error

    def search(self, pcm: bytes) -> float | None:
        """Where the phrase ends in a stretch of sound, in seconds; None where it is not."""
        decoder = self._take()
        try:
            decoder.start_utt()
            decoder.process_raw(pcm, False, True)
            decoder.end_utt()
            if decoder.hyp() is None:
                return None
            return max((segment.end_frame for segment in decoder.seg()), default=0) / _FRAMES_A_SECOND
        finally:
            self._give(decoder)

    def close(self) -> None:
        with self._lock:
            self._free.clear()
        self._folder.cleanup()


class WakeSpotter:
    """One stretch of speech being searched. `feed` says where the phrase ended, in seconds from the first sound fed.

    The last seconds are searched as a whole, again and again: the recogniser's features are levelled over what it is
    given, and over a stretch that has only begun they are levelled badly (measured: no voice of six was heard that way,
    with the same threshold)."""

    def __init__(self, phrase: WakePhrase) -> None:
        self._phrase = phrase
        self._sound = bytearray()
        self._fed = self._searched = 0
        self._noise = np.random.default_rng(7)

    def feed(self, pcm: bytes) -> float | None:
        self._sound += pcm
        self._fed += len(pcm)
        del self._sound[: -int(_WINDOW_S * BYTES_A_SECOND)]
        if self._fed - self._searched < _EVERY_S * BYTES_A_SECOND:
            return None
        self._searched = self._fed
        begun_s = (self._fed - len(self._sound)) / BYTES_A_SECOND
        found_s = self._phrase.search(self._dithered(bytes(self._sound)))
        return None if found_s is None else begun_s + found_s

    def _dithered(self, pcm: bytes) -> bytes:
        samples = np.frombuffer(pcm[: len(pcm) // 2 * 2], "<i2").astype(np.float32)
        noise = self._noise.uniform(-_DITHER, _DITHER, samples.size)
        return np.clip(samples + noise, -32768, 32767).astype("<i2").tobytes()

    def close(self) -> None:
        self._sound.clear()
