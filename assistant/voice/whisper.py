"""faster-whisper behind the port: any CTranslate2 Whisper folder that a plant gives, read from disk and never fetched.

The model loads in the background; until it is there `open` says so, and the choice of engines takes the embedded one.
One utterance is one pass: no conditioning on earlier text (which is how Whisper talks itself into loops), the plant's
names as hotwords, and three filters against what Whisper invents where nobody speaks: the voice detector before it,
its own no-speech and log-probability figures after it, and a limit on words a second. tests/test_voice_whisper.py runs
all of it over a tiny model that it builds and converts itself, and over real weights where a folder is given.
"""

from __future__ import annotations

import json
import logging
import re
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from assistant.voice.endpoint import VoiceStream
from assistant.voice.levels import samples_of
from assistant.voice.transcriber import (
    BYTES_A_SECOND,
    LONGEST_S,
    Heard,
    Hypothesis,
    Listening,
    SessionOver,
    SpeechTooLong,
    SpeechUnavailable,
    Word,
)

log = logging.getLogger("andon.voice")

#: What a CTranslate2 Whisper folder holds. Without a tokenizer the library would ask a hub for one; it is refused instead.
_FILES = ("model.bin", "config.json", "tokenizer.json")
_PROMPT = "Questions of people at work in a factory about machines, alarms, orders, lots, stops and quality."
#: Hotwords beyond this many characters push the utterance's own tokens out of the prompt.
_HOTWORDS = 400
#: Segments with more doubt than this are not speech that was understood (log-probability a token; no-speech share).
_UNLIKELY, _NO_SPEECH, _NO_SPEECH_UNLESS = -1.2, 0.6, -0.5
#: Nobody says more words a second than this; Whisper does, when it repeats itself.
_WORDS_A_SECOND = 8.0
#: Below this the words are shown and asked about, not acted upon.
_SURE = 0.6
#: A partial result is worth at most this share of the time that the sound took.
_PARTIAL_SHARE = 0.5

_ANYTHING = Listening()

Corrected = Callable[[Heard, Listening], Heard]


class WhisperTranscriber:
    """A Whisper model of a folder. `corrected` maps what was heard onto the plant's names. Thread-safe; `wait` blocks
    until the model is loaded or has failed. Raises SpeechUnavailable at once for a folder that holds no such model."""

    name = "faster-whisper"

    def __init__(self, folder: Path, *, threads: int = 2, compute_type: str = "int8", corrected: Corrected | None = None) -> None:
        missing = [name for name in _FILES if not (folder / name).is_file()]
        if missing:
            raise SpeechUnavailable(
                f"The speech model folder {folder.name} lacks {', '.join(missing)}; it is a CTranslate2 Whisper folder with its tokenizer."
            )
        self._folder, self._threads, self._compute_type = folder, threads, compute_type
        self.corrected = corrected or (lambda heard, listening: heard)
        self._model: Any = None
        self._trouble: SpeechUnavailable | None = None
        self._loaded = threading.Event()
        self._closed = False
        threading.Thread(target=self._load, name="whisper", daemon=True).start()

    @property
    def state(self) -> str:
        """`loading`, `ok`, or the sentence that says what is wrong."""
        if not self._loaded.is_set():
            return "loading"
        return self._trouble.sentence if self._trouble is not None else "ok"

    def wait(self, timeout_s: float) -> bool:
        """Whether the model is there (or has failed) within the time."""
        return self._loaded.wait(timeout_s)

    def open(self, listening: Listening = _ANYTHING) -> WhisperSession:
        if not self._loaded.is_set():
            raise SpeechUnavailable("The speech model is still being loaded; ask again in a moment.")
        if self._trouble is not None:
            raise self._trouble
        if self._closed:
            raise SpeechUnavailable("The speech model was closed.")
        return WhisperSession(self, listening)

    def close(self) -> None:
        self._closed = True
        self._model = None

    def decode(self, pcm: bytes, listening: Listening, stopped: Callable[[], bool], quick: bool = False) -> tuple[Word, ...]:
        """The words of an utterance, with times and probabilities; none where nobody spoke. `quick` is for a partial
        result: greedy, without second tries. Stops between segments when `stopped` says so."""
        model = self._model
        if model is None:
            raise SpeechUnavailable("The speech model was closed.")
        tries: list[float] = [0.0] if quick else [0.0, 0.2, 0.4]
        segments, _ = model.transcribe(
            samples_of(pcm), language="en", beam_size=1 if quick else 5, temperature=tries, condition_on_previous_text=False,
            initial_prompt=_PROMPT, hotwords=hotwords(listening) or None, word_timestamps=True, vad_filter=False,
            no_speech_threshold=_NO_SPEECH, log_prob_threshold=-1.0, compression_ratio_threshold=2.4, hallucination_silence_threshold=2.0,
            max_new_tokens=128,
        )  # fmt: skip
        return tuple(_words(_until(segments, stopped)))

    def _load(self) -> None:
        logging.getLogger("faster_whisper").setLevel(logging.WARNING)
        begun = time.monotonic()
        try:
            from faster_whisper import WhisperModel

            json.loads((self._folder / "tokenizer.json").read_text(encoding="utf-8"))
            self._model = WhisperModel(
                str(self._folder), device="cpu", compute_type=self._compute_type, cpu_threads=self._threads, local_files_only=True
            )
            log.info("speech model %s loaded in %.1f s", self._folder.name, time.monotonic() - begun)
        except Exception as error:  # ctranslate2 raises RuntimeError and ValueError, tokenizers a plain Exception
            log.warning("the speech model %s cannot be used: %s", self._folder.name, type(error).__name__)
            self._trouble = SpeechUnavailable(
                f"The speech model in {self._folder.name} cannot be loaded; convert it again for CTranslate2."
            )
            self._trouble.__cause__ = error
        finally:
            self._loaded.set()


class WhisperSession:
    """One utterance. Sound is gathered and decoded whole at the end; a partial result is decoded when it is affordable."""

    def __init__(self, engine: WhisperTranscriber, listening: Listening) -> None:
        self._engine, self._listening = engine, listening
        self._sound = bytearray()
        self._voice: list[float] = []
        self._stream = VoiceStream()
        self._partial = Heard(engine=engine.name, final=False)
        self._partial_bytes = 0
        self._partial_cost_s = 0.0
        self._over = threading.Event()

    def feed(self, pcm: bytes) -> None:
        if self._over.is_set():
            raise SessionOver("This utterance has ended; open a new session.")
        if len(self._sound) + len(pcm) > LONGEST_S * BYTES_A_SECOND:
            raise SpeechTooLong("That was too long; ask one thing at a time.")
        self._sound += pcm
        self._voice += self._stream.feed(pcm)

    def partial(self) -> Heard:
        fresh_s = (len(self._sound) - self._partial_bytes) / BYTES_A_SECOND
        if self._over.is_set() or fresh_s < 1.0 or self._partial_cost_s > _PARTIAL_SHARE * fresh_s or not self._spoken():
            return self._partial
        begun = time.monotonic()
        words = self._engine.decode(bytes(self._sound), self._listening, self._over.is_set, quick=True)
        self._partial_cost_s = time.monotonic() - begun
        self._partial_bytes = len(self._sound)
        self._partial = Heard(_text(words), words, _confidence(words), engine=self._engine.name, final=False)
        return self._partial

    def finish(self) -> Heard:
        if self._over.is_set():
            raise SessionOver("This utterance has ended; open a new session.")
        silence = Heard(engine=self._engine.name, doubt="silence")
        if not self._spoken():
            self._over.set()
            return silence
        words = self._engine.decode(bytes(self._sound), self._listening, self._over.is_set)
        if self._over.is_set():
            raise SessionOver("This utterance was closed before it was heard.")
        self._over.set()
        text, confidence = _text(words), _confidence(words)
        if not text:
            return silence
        heard = Heard(text, words, confidence, (Hypothesis(text, words, confidence),), self._engine.name)
        if confidence < _SURE:
            heard = Heard("", words, confidence, heard.nbest, heard.engine, choices=(text,), doubt="unsure")
        return self._engine.corrected(heard, self._listening)

    def close(self) -> None:
        self._over.set()

    def _spoken(self) -> bool:
        """Whether the voice detector found at least a quarter second of speech: Whisper makes sentences out of a fan."""
        return sum(one >= 0.5 for one in self._voice) >= 8


def hotwords(listening: Listening) -> str:
    """The names of the plant that are likeliest here, as the model's hint."""
    chosen: list[str] = []
    for name in dict.fromkeys([listening.equipment, *listening.names]):
        if name and sum(len(one) + 2 for one in chosen) + len(name) < _HOTWORDS:
            chosen.append(name)
    return ", ".join(chosen)


def _until(segments: Iterable[Any], stopped: Callable[[], bool]) -> Iterable[Any]:
    for segment in segments:
        if stopped():
            return
        yield segment


def kept(segment: Any) -> bool:
    """Whether a segment is speech that was understood, not what the model makes of noise: judged by its log-probability a
    token, its no-speech share, its words a second, and that it holds a letter or digit."""
    if segment.avg_logprob < _UNLIKELY or (segment.no_speech_prob > _NO_SPEECH and segment.avg_logprob < _NO_SPEECH_UNLESS):
        return False
    spoken_s = max(segment.end - segment.start, 0.2)
    return len(segment.text.split()) / spoken_s <= _WORDS_A_SECOND and bool(re.search(r"\w", segment.text))


def _words(segments: Iterable[Any]) -> Iterable[Word]:
    for segment in segments:
        if not kept(segment):
            continue
        for word in segment.words or ():
            text = word.word.strip()
            if text:
                yield Word(text, float(word.start), float(word.end), min(1.0, max(0.0, float(word.probability))))


def _text(words: Sequence[Word]) -> str:
    return " ".join(word.text for word in words)


def _confidence(words: Sequence[Word]) -> float:
    """The mean of the words' probabilities, drawn down by the worst: one wrong code spoils the sentence."""
    if not words:
        return 0.0
    probabilities = [word.confidence for word in words]
    return round(0.7 * fmean(probabilities) + 0.3 * min(probabilities), 4)
