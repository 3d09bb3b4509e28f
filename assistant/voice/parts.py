"""What speech needs of one running assistant: the engine that hears, the voice that speaks, the reader of recordings, the
wake phrase; each opened on first use and once. `transcription` is the whole way from a recording to the words in it, as
`andon transcribe` and `POST /api/transcribe` give it. tests/test_voice_api.py.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from assistant.problems import Problem
from assistant.voice.audio import Sound, SoundReader
from assistant.voice.endpoint import BEFORE_S, END_S, probabilities, utterances
from assistant.voice.levels import Levels, advice, measure
from assistant.voice.speaker import Speaker, open_speaker
from assistant.voice.transcriber import BYTES_A_SECOND, LONGEST_S, Heard, Listening, Session, SpeechUnavailable, Transcriber, transcribed

if TYPE_CHECKING:
    from assistant.app import Assistant
    from assistant.guided import GuidedProcedures
    from assistant.voice.wake import WakePhrase

ANYTHING = Listening()

log = logging.getLogger("andon.voice")


class VoiceParts:
    """The parts of one assistant. Thread-safe."""

    def __init__(self, assistant: Assistant, transcriber: Transcriber | None = None, speaker: Speaker | None = None) -> None:
        self._assistant = assistant
        self._given, self._voice = transcriber, speaker
        self.reader = SoundReader()
        self._lock = threading.Lock()

    @property
    def transcriber(self) -> Transcriber:
        """The engine that hears. Raises SpeechUnavailable."""
        with self._lock:
            if self._given is None:
                self._given = opened(self._assistant)
            return self._given

    @property
    def speaker(self) -> Speaker:
        """The voice of this machine. Raises SpeechUnavailable."""
        with self._lock:
            if self._voice is None:
                self._voice = open_speaker(self._assistant.settings.piper_voice, self._assistant.settings.threads)
            return self._voice

    @cached_property
    def wake(self) -> WakePhrase | None:
        """The wake phrase, or None where it cannot be listened for (said in the log once)."""
        from assistant.voice.wake import WakePhrase

        try:
            return WakePhrase(self._assistant.settings.wake_phrase)
        except SpeechUnavailable as error:
            log.warning("tablets are woken by touch only: %s", error.sentence)
            return None

    @cached_property
    def guided(self) -> GuidedProcedures:
        from assistant.guided import GuidedProcedures

        return GuidedProcedures(self._assistant)

    def listening(self, equipment: str | None = None, **more: Any) -> Listening:
        """What an engine is told: the machine in front of the person, its line, and the names of the plant, those of
        that line first."""
        plant = self._assistant.plant
        machine = plant.equipment.get(equipment or "")
        line = machine.line if machine is not None else ""
        near = [item.id for item in plant.equipment.values() if item.line == line]
        names = tuple(dict.fromkeys([*near, *plant.equipment, *(place.name for place in plant.lines.values())]))
        return Listening(equipment=equipment or "", line=line, names=names, **more)

    def warm(self) -> None:
        """Open what the first speaker would wait for. Never raises: without a voice, people type."""
        try:
            transcribed(self.transcriber, bytes(BYTES_A_SECOND // 2))
        except Problem as error:
            log.warning("speech is not heard: %s", error.sentence)
        probabilities(bytes(BYTES_A_SECOND // 4))

    def close(self) -> None:
        self.reader.close()
        for part in (self._given, self._voice):
            if part is not None:
                part.close()


class Engines:
    """Several engines as one: each utterance goes to the first of them that is ready, so that a plant's own model is used
    from the moment it is loaded, and the embedded recogniser until then."""

    def __init__(self, engines: Sequence[Transcriber]) -> None:
        self._engines = tuple(engines)

    @property
    def name(self) -> str:
        return self._ready()[0].name

    def open(self, listening: Listening = ANYTHING) -> Session:
        trouble: SpeechUnavailable | None = None
        for engine in self._ready():
            try:
                return engine.open(listening)
            except SpeechUnavailable as error:
                trouble = trouble or error
        raise trouble or SpeechUnavailable("No speech engine is set up; type instead.")

    def _ready(self) -> tuple[Transcriber, ...]:
        """Those that are loaded (or load on first use) before those that are not."""
        return tuple(sorted(self._engines, key=lambda engine: getattr(engine, "state", "ok") != "ok"))

    def close(self) -> None:
        for engine in self._engines:
            engine.close()


def opened(assistant: Assistant) -> Transcriber:
    """The engines that the settings name, the wanted one first. Raises SpeechUnavailable."""
    from assistant.voice.sphinx import Sphinx
    from assistant.voice.vocabulary import vocabulary_of
    from assistant.voice.whisper import WhisperTranscriber

    chosen = assistant.settings
    if chosen.speech_engine == "off":
        raise SpeechUnavailable("Speech is switched off here (speech_engine); type instead.")
    engines: list[Transcriber] = []
    if chosen.speech_engine != "pocketsphinx" and chosen.whisper_model is not None:
        try:
            engines.append(WhisperTranscriber(chosen.whisper_model, threads=chosen.threads))
        except SpeechUnavailable as error:
            if chosen.speech_engine == "faster-whisper":
                raise
            log.warning("%s The embedded recogniser is used.", error.sentence)
    elif chosen.speech_engine == "faster-whisper":
        raise SpeechUnavailable("speech_engine wants faster-whisper, and whisper_model names no folder.")
    if chosen.speech_engine != "faster-whisper":
        engines.append(Sphinx(lambda: vocabulary_of(assistant.plant, assistant.index), chosen.home / "speech"))
    return engines[0] if len(engines) == 1 else Engines(engines)


def transcription(transcriber: Transcriber, sound: Sound, listening: Listening = ANYTHING) -> dict[str, Any]:
    """A recording as words: `text` is what was heard, within the request grammar or not; `request` is the text that may be
    asked ("" where it may not), with what the engine offers or asks beside it; times of words are seconds of the
    recording. `seconds` is what it took, `audio_seconds` what it lasts. Raises SpeechUnavailable."""
    begun = time.perf_counter()
    voice = probabilities(sound.pcm)
    found = measure(sound.pcm, voice)
    heard = [(start, transcribed(transcriber, pcm, listening)) for start, pcm in pieces(sound.pcm)]
    texts = [words_of(one) for _, one in heard]
    said = [(start, one, text) for (start, one), text in zip(heard, texts, strict=True) if text]
    last = heard[-1][1] if len(heard) == 1 else Heard(engine=transcriber.name, doubt="" if said else "silence")
    weight = sum(len(text) for _, _, text in said)
    return {
        "text": " ".join(text for _, _, text in said),
        "words": [
            {"text": word.text, "start": round(start + word.start_s, 3), "end": round(start + word.end_s, 3), "confidence": round(word.confidence, 3)}
            for start, one, _ in said
            for word in (one.words or (one.nbest[0].words if one.nbest else ()))
        ],
        "confidence": round(sum(one.confidence * len(text) for _, one, text in said) / weight, 3) if weight else 0.0,
        "engine": last.engine or transcriber.name,
        "seconds": round(time.perf_counter() - begun, 3),
        "audio_seconds": round(sound.seconds, 3),
        "request": last.text, "in_grammar": last.in_grammar, "choices": list(last.choices), "command": last.command, "number": last.number,
        "confirm": last.confirm, "doubt": last.doubt, "levels": found.as_json(), "advice": _advised(found, bool(said)),
    }  # fmt: skip


def words_of(heard: Heard) -> str:
    """What was heard, whether it may be taken or not."""
    return heard.text or (heard.nbest[0].text if heard.nbest else "") or (heard.choices[0] if len(heard.choices) == 1 else "")


def pieces(pcm: bytes) -> Sequence[tuple[float, bytes]]:
    """A recording as utterances: (start in seconds, sound). What one session of an engine can take is one, from its first
    voice to its last, since people pause in the middle of a question; longer ones are cut where nobody speaks."""
    found = utterances(pcm)
    if not found:
        return ()
    start = found[0][0]
    end = found[-1][0] + len(found[-1][1]) / BYTES_A_SECOND
    if end - start <= LONGEST_S - BEFORE_S - END_S:
        return ((start, pcm[2 * int(start * 16_000) : 2 * int(end * 16_000)]),)
    return found


def _advised(found: Levels, understood: bool) -> str:
    """Advice is for somebody who was not understood; to others it would be noise."""
    if understood and found.clipped < 0.02:
        return ""
    return advice(found) or ("" if understood else "I heard nobody speak; hold the tablet closer and say it again.")
