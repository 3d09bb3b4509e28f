"""What speech needs of one running assistant: the engine that hears, the voice that speaks, the reader of recordings, the
wake phrase; each opened on first use and once. `transcription` is the whole way from a recording to the words in it, as
`andon transcribe` and `POST /api/transcribe` give it. tests/test_voice_api.py.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from functools import cache, cached_property
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
        self._warming: threading.Thread | None = None
        self._warmed = threading.Event()
        if transcriber is not None:
            self._warmed.set()

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

    def require_ready(self) -> None:
        """Raises SpeechUnavailable while the engine is being loaded (a plant's grammar takes seconds, the first time up to
        a minute), which this call begins; nobody is kept waiting with an open microphone."""
        with self._lock:
            if self._warming is None and not self._warmed.is_set():
                self._warming = threading.Thread(target=self.warm, name="speech", daemon=True)
                self._warming.start()
        if not self._warmed.is_set():
            raise SpeechUnavailable("Speech is still being made ready; type, or try again in a moment.")

    def warm(self) -> None:
        """Open what the first speaker would wait for. Never raises: without a voice, people type."""
        try:
            engine = self.transcriber
            if isinstance(engine, Engines):
                engine.warm()
            probabilities(bytes(BYTES_A_SECOND // 4))
        except Problem as error:
            log.warning("speech is not heard: %s", error.sentence)
        except Exception:  # whatever an engine does, nobody waits for it for ever: the first speaker gets its error
            log.exception("speech could not be made ready")
        finally:
            self._warmed.set()

    def close(self) -> None:
        self.reader.close()
        for part in (self._given, self._voice):
            if part is not None:
                part.close()


class Engines:
    """The engines of one plant as one: requests go to the wanted engine once it is loaded and to the embedded one until
    then; words that steer always go to the engine for steering, which answers at once and cannot invent."""

    def __init__(self, requests: Transcriber, meanwhile: Transcriber | None = None, steering: Transcriber | None = None) -> None:
        self._requests, self._meanwhile, self._steering = requests, meanwhile or requests, steering or requests
        self.name = requests.name  # what an utterance was heard by stands in its result

    def open(self, listening: Listening = ANYTHING) -> Session:
        engine = self._asked() if listening.expects == "request" else self._steering
        return engine.open(listening)

    def _asked(self) -> Transcriber:
        return self._requests if getattr(self._requests, "state", "ok") == "ok" else self._meanwhile

    def warm(self) -> None:
        for engine in {id(one): one for one in (self._steering, self._meanwhile)}.values():
            warm = getattr(engine, "warm", None)
            if warm is not None:
                warm()

    def close(self) -> None:
        for engine in {id(one): one for one in (self._requests, self._meanwhile, self._steering)}.values():
            engine.close()


def opened(assistant: Assistant) -> Engines:
    """The engines that settings and machine allow. Raises SpeechUnavailable."""
    from assistant.voice.choice import EMBEDDED, WHISPER, choose, probe
    from assistant.voice.correction import Correction
    from assistant.voice.sphinx import Sphinx
    from assistant.voice.vocabulary import vocabulary_of
    from assistant.voice.whisper import WhisperTranscriber

    chosen = assistant.settings
    choice = choose(chosen.speech_engine, probe(chosen.whisper_model))
    if not choice.requests:
        raise SpeechUnavailable(f"{choice.trouble} Type instead.")
    if choice.trouble:
        log.warning("%s The embedded recogniser hears instead.", choice.trouble)
    words = cache(lambda: vocabulary_of(assistant.plant, assistant.index))
    made: dict[str, Transcriber] = {}
    if EMBEDDED in (choice.requests, choice.meanwhile, choice.steering):
        made[EMBEDDED] = Sphinx(words, chosen.home / "speech")
    if choice.requests == WHISPER and chosen.whisper_model is not None:
        correction = cache(lambda: Correction(words()))
        made[WHISPER] = WhisperTranscriber(
            chosen.whisper_model, threads=chosen.threads, corrected=lambda heard, listening: correction().corrected(heard, listening)
        )
    return Engines(made[choice.requests], made.get(choice.meanwhile), made.get(choice.steering))


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
