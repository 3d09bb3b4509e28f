"""The embedded recogniser: pocketsphinx over a plant's spoken request grammar, with the acoustic model of its wheel.

Decoders stand side by side: the words that steer, the request grammar, and the choices on the screen. How far each word
of the best path lies below the best that any sound of the model scores in the same frames is what
`assistant.voice.weighing` turns into a confidence (constants set by hand, graded by `andon evals voice`): below its
thresholds a request is offered, or asked again, and never guessed. Sound is trimmed, levelled and given a little noise first: digital silence
between words, which no microphone delivers, is heard as speech.

One decoder of each kind is shared by all sessions of a process and used by one at a time; a session keeps only its
sound. tests/test_voice_sphinx.py decodes spoken files end to end.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from assistant.voice.front_end import Sound, conditioned
from assistant.voice.grammar import Compact, Network, Request, choice_network, command_network, command_of, request_network
from assistant.voice.pronunciation import model_folder, sounds_of, ways
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
from assistant.voice.vocabulary import Vocabulary
from assistant.voice.weighing import Evidence, judged

FRAME_S = 0.01
_LEAST_LIKELIHOOD = 1e-300
_MOST_READINGS = 60  # of the recogniser's list that are looked at
_CHOICES = 3
#: A partial result is made again after so much new sound.
_PARTIAL_S = 1.0
_ANYTHING = Listening()


@dataclass(frozen=True)
class Decoded:
    """The best path of one decoder: spoken words with frames and acoustic scores, and the next best rows of words.
    `frames` is the length of the whole; a score is the natural logarithm of the word's likelihood over the best sound's."""

    words: tuple[str, ...] = ()
    spans: tuple[tuple[int, int, float], ...] = ()  # first frame, last frame, score of each word
    frames: int = 0
    others: tuple[tuple[str, ...], ...] = ()


class Search:
    """One decoder with one network. Used by one thread at a time."""

    def __init__(self, network: Compact, name: str) -> None:
        self.name = name
        self._lock = threading.Lock()
        self._decoder = _opened(network, name)

    def decode(self, pcm: bytes, others: int = 0) -> Decoded:
        """The best path for one utterance, and up to `others` more rows of words."""
        with self._lock:
            self._decoder.start_utt()
            self._decoder.process_raw(pcm, full_utt=True)
            self._decoder.end_utt()
            if self._decoder.hyp() is None:
                return Decoded()
            words, spans = [], []
            for part in self._decoder.seg() or ():
                if part.word.startswith(("<", "[", "+", "(")) or part.word == "SIL":
                    continue
                words.append(_plain(part.word))
                spans.append((part.start_frame, part.end_frame, math.log(max(part.ascore, _LEAST_LIKELIHOOD))))
            rows: dict[tuple[str, ...], None] = {}
            if others:
                for one, _ in zip(self._decoder.nbest() or (), range(_MOST_READINGS), strict=False):
                    if one is not None and one.hypstr:
                        rows[tuple(_plain(word) for word in one.hypstr.split() if not word.startswith(("<", "[", "+")))] = None
                    if len(rows) > others:
                        break
            return Decoded(tuple(words), tuple(spans), self._decoder.n_frames(), tuple(rows))


def _plain(word: str) -> str:
    return re.sub(r"\(\d+\)$", "", word)


def _opened(network: Compact, name: str) -> Any:
    try:
        from pocketsphinx import Decoder
    except ImportError as error:
        raise SpeechUnavailable("The embedded recogniser is not installed; install the package pocketsphinx.") from error
    folder = model_folder()
    with tempfile.TemporaryDirectory(prefix="andon-voice-") as scratch:
        try:
            words = sorted({word for row in network.moves for word in row})
            spoken = Path(scratch, "words.dict")
            spoken.write_text("".join(_entry(word) for word in words), encoding="utf-8")
            decoder = Decoder(hmm=str(folder / "en-us"), dict=str(spoken), lm=None, loglevel="FATAL", wip=0.3, silprob=0.1, fillprob=0.01)
            rules = Path(scratch, "rules.fsg")
            rules.write_text(network.fsg(name), encoding="utf-8")
            decoder.add_fsg(name, decoder.read_fsg(str(rules)))
            decoder.activate_search(name)
        except (RuntimeError, ValueError, OSError) as error:
            raise SpeechUnavailable(f"The embedded recogniser cannot be started for {name}.") from error
        return decoder


def _entry(word: str) -> str:
    return "".join(f"{word}{f'({at + 1})' if at else ''} {' '.join(sounds)}\n" for at, sounds in enumerate(sounds_of(word)))


class Sphinx:
    """The transcriber of a plant without any other speech model. Loading takes seconds and is done on first use, or by
    `warm` in the background. `kept` is a folder for the compacted grammar, which is made anew when words or rules change."""

    name = "pocketsphinx"

    def __init__(self, vocabulary: Vocabulary | Callable[[], Vocabulary], kept: Path | None = None) -> None:
        self._given = vocabulary
        self._kept = kept
        self._loading = threading.Lock()
        self._searches: dict[str, Search] = {}

    @cached_property
    def vocabulary(self) -> Vocabulary:
        return self._given() if callable(self._given) else self._given

    @cached_property
    def network(self) -> Network:
        return request_network(self.vocabulary)

    @cached_property
    def steering(self) -> Network:
        return command_network()

    def search(self, name: str) -> Search:
        """The decoder of that name: requests or commands. Raises SpeechUnavailable."""
        with self._loading:
            if name not in self._searches:
                made: Mapping[str, Callable[[], Compact]] = {
                    "requests": lambda: _remembered(self.network, self._kept, self.vocabulary),
                    "commands": self.steering.compact,
                }
                self._searches[name] = Search(made[name](), name)
            return self._searches[name]

    def warm(self) -> None:
        """Load everything."""
        for name in ("commands", "requests"):
            self.search(name)

    def open(self, listening: Listening = _ANYTHING) -> Utterance:
        return Utterance(self, listening)

    def close(self) -> None:
        with self._loading:
            self._searches.clear()

    def hear(self, pcm: bytes, listening: Listening) -> Heard:
        """One whole utterance."""
        sound = conditioned(pcm)
        if sound is None:
            return Heard(engine=self.name, doubt="silence")
        found = [self._command(sound)]
        if listening.choices:
            found.append(self._choice(sound, listening.choices))
        if listening.expects == "request":
            asked = self._request(sound)
            if asked.understood or asked.choices or asked.confirm:  # a longer sentence that fits is no command
                found = [one for one in found if len(one.words) >= len(asked.words)]
            found.append(asked)
        return max(found, key=lambda one: (one.understood, bool(one.text or one.command or one.choices), one.confidence))

    def _command(self, sound: Sound) -> Heard:
        decoded = self.search("commands").decode(sound.pcm)
        known = command_of(decoded.words) if decoded.words else None
        evidence = evidence_of(decoded, sound.snr_db)
        weighed = judged("commands", evidence)
        if known is None or not weighed.taken:
            return Heard(engine=self.name, confidence=weighed.confidence, doubt="outside")
        words = _words(decoded, evidence, sound.offset_s)
        return Heard(" ".join(decoded.words), words, weighed.confidence, (), self.name, True, True, (), known[0], known[1])

    def _choice(self, sound: Sound, choices: Sequence[str]) -> Heard:
        network = choice_network(choices, {choice: ways(choice.rstrip("?.! ").lower()) for choice in choices})
        decoded = Search(network.compact(), "choices").decode(sound.pcm)
        read = network.read(decoded.words)
        evidence = evidence_of(decoded, sound.snr_db)
        weighed = judged("requests", evidence)
        if read is None or not weighed.taken:
            return Heard(engine=self.name, confidence=weighed.confidence, doubt="outside")
        number = list(choices).index(read.said[0].value) + 1
        return Heard(
            read.said[0].value,
            _words(decoded, evidence, sound.offset_s),
            weighed.confidence,
            (),
            self.name,
            True,
            True,
            (),
            "choice",
            number,
        )

    def _request(self, sound: Sound) -> Heard:
        decoded = self.search("requests").decode(sound.pcm, others=_CHOICES + 2)
        read = self.network.read(decoded.words) if decoded.words else None
        if read is None:
            return Heard(engine=self.name, doubt="outside")
        evidence = evidence_of(decoded, sound.snr_db)
        weighed = judged("requests", evidence)
        words = _words(decoded, evidence, sound.offset_s)
        others = [(row, self.network.read(row)) for row in decoded.others]
        texts = list(dict.fromkeys([read.text, *(one.text for _, one in others if one is not None)]))[:_CHOICES]
        nbest = tuple(Hypothesis(text, words if text == read.text else (), weighed.confidence / (at + 1)) for at, text in enumerate(texts))
        heard = Heard(read.text, words, weighed.confidence, nbest, self.name, True, True)
        if weighed.taken:
            asked = doubtful(read, evidence)
            return replace(heard, confirm=asked, doubt="unsure") if asked else heard
        if weighed.offered:
            return replace(heard, text="", choices=tuple(texts), doubt="unsure")
        return replace(heard, text="", in_grammar=False, doubt="outside")


def doubtful(request: Request, evidence: Evidence) -> str:
    """The question to ask back: where a code was heard less surely than the rest, and for every number that no list of the
    plant holds, since any digits would do there. "" when there is none."""
    for one in request.said:
        if one.kind == "digits" or (one.kind == "code" and not evidence.sure(one.start, one.end)):
            place = next((f" on {other.written}" for other in request.said if other.kind == "equipment"), "")
            return f"{'Alarm' if one.kind == 'code' else 'Number'} {one.written}{place}, right?"
    return ""


def evidence_of(decoded: Decoded, snr_db: float = 99.0) -> Evidence:
    """How well the words fit the sound, a frame."""
    frames = tuple(last - first + 1 for first, last, _ in decoded.spans)
    gaps = tuple(score / count for (_, _, score), count in zip(decoded.spans, frames, strict=True))
    return Evidence(gaps, frames, sum(frames) / max(1, decoded.frames), snr_db)


def _words(decoded: Decoded, evidence: Evidence, offset_s: float) -> tuple[Word, ...]:
    return tuple(
        Word(word, round(offset_s + first * FRAME_S, 2), round(offset_s + (last + 1) * FRAME_S, 2), evidence.word(at))
        for at, (word, (first, last, _)) in enumerate(zip(decoded.words, decoded.spans, strict=True))
    )


def _remembered(network: Network, folder: Path | None, vocabulary: Vocabulary) -> Compact:
    """The compacted grammar, from the folder where it was made before for the same words and rules."""
    if folder is None:
        return network.compact()
    rows = [(state, arc.to, arc.word, round(arc.share, 6)) for state, arcs in enumerate(network.arcs) for arc in arcs]
    mark = hashlib.sha256(repr((rows, [sorted(skip.items()) for skip in network.skips])).encode()).hexdigest()[:24]
    path = folder / f"requests-{mark}.json"
    if path.exists():
        moves = json.loads(path.read_text(encoding="utf-8"))
        return Compact(tuple({word: tuple((int(end), float(p)) for end, p in ends) for word, ends in row.items()} for row in moves))
    made = network.compact()
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("requests-*.json"):
        old.unlink(missing_ok=True)
    part = path.with_suffix(".part")
    part.write_text(json.dumps(made.moves), encoding="utf-8")
    part.replace(path)
    return made


class Utterance:
    """One utterance of one speaker: keeps the sound, decodes at the end (and now and then for what is shown meanwhile)."""

    def __init__(self, engine: Sphinx, listening: Listening) -> None:
        self._engine, self._listening = engine, listening
        self._sound = bytearray()
        self._over = False
        self._shown = Heard(engine=engine.name, final=False)
        self._shown_at = 0

    def feed(self, pcm: bytes) -> None:
        if self._over:
            raise SessionOver("This utterance has ended; open a new session.")
        if len(self._sound) + len(pcm) > LONGEST_S * BYTES_A_SECOND:
            raise SpeechTooLong("That was too long; ask one thing at a time.")
        self._sound += pcm

    def partial(self) -> Heard:
        if not self._over and len(self._sound) - self._shown_at >= _PARTIAL_S * BYTES_A_SECOND:
            self._shown_at = len(self._sound)
            self._shown = replace(self._engine.hear(bytes(self._sound), self._listening), final=False)
        return self._shown

    def finish(self) -> Heard:
        if self._over:
            raise SessionOver("This utterance has ended; open a new session.")
        self._over = True
        heard = self._engine.hear(bytes(self._sound), self._listening)
        self._sound.clear()
        return heard

    def close(self) -> None:
        self._over = True
        self._sound.clear()
