"""The port between sound and words: what a speech engine promises, whichever it is.

A `Transcriber` is opened once and shared by all threads; `open` returns a `Session` for one utterance of one speaker,
which belongs to one thread at a time. `feed` takes raw sound in pieces of any size and does the engine's work as the
sound comes, so that `finish` has little left to do; it returns exactly one final `Heard` and may be called once.
`close` may be called at any time, twice too, and frees what the session holds.

An engine never guesses: `Heard.text` is what was surely said (or said well enough to show), `choices` are whole
sentences to offer where it was not, and neither means "please say that again". `ScriptedTranscriber` is the engine of
tests and of development without a microphone. tests/test_voice_choice.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol, runtime_checkable

from assistant.problems import Problem

#: All engines take signed 16-bit little-endian PCM, one channel, at this rate.
SAMPLE_RATE_HZ = 16_000
BYTES_A_SECOND = 2 * SAMPLE_RATE_HZ
#: Longest utterance of one session, seconds; what comes later is not taken.
LONGEST_S = 30.0

#: What a person may say at this moment: anything; only the words that steer (a guided procedure, an answer being
#: spoken); one of the choices on the screen; yes or no to what is about to happen.
Expected = Literal["request", "command", "choice", "confirm"]

#: Why there is no text: no speech in the sound, speech that is no request the engine knows, or too uncertain.
Doubt = Literal["", "silence", "outside", "unsure"]


class SpeechUnavailable(Problem):
    """No engine can be used: its package, model folder or memory is missing; the sentence says which."""

    code = "speech_unavailable"
    status = 503
    addressee = "administrator"


class SpeechTooLong(Problem):
    """More sound than one utterance may have."""

    code = "speech_too_long"
    status = 413
    addressee = "operator"


class SessionOver(Problem):
    """A session that was finished or closed was fed again: a mistake of the program, said plainly."""

    code = "session_over"
    status = 409
    addressee = "engineer"


@dataclass(frozen=True)
class Word:
    """One word as heard; times are seconds from the first sample fed, `confidence` is 0 to 1."""

    text: str
    start_s: float
    end_s: float
    confidence: float


@dataclass(frozen=True)
class Hypothesis:
    """One way to read the sound; `score` is 0 to 1 and comparable only within one `Heard`."""

    text: str
    words: tuple[Word, ...] = ()
    score: float = 0.0


@dataclass(frozen=True)
class Heard:
    """What an engine heard.

    `text` is written as a person would type it ("What does alarm 502 mean on CNC-02?") and is "" where nothing may be
    taken; `confidence` (0 to 1) is the engine's, weighed by what it heard (assistant/voice/weighing.py). `command` names a
    steering command (see `assistant.voice.grammar.COMMANDS`), with its number in `number` ("step 4", "the second one").
    `choices` are whole sentences: beside a text they ask "is this right?", without one they are offered to tap.
    `confirm` is one short question for the ear when the text may be shown but must not act or be answered unasked.
    `in_grammar`: the words fit the spoken request grammar as a whole. `final` is false for a `partial`.
    """

    text: str = ""
    words: tuple[Word, ...] = ()
    confidence: float = 0.0
    nbest: tuple[Hypothesis, ...] = ()
    engine: str = ""
    final: bool = True
    in_grammar: bool = False
    choices: tuple[str, ...] = ()
    command: str = ""
    number: int | None = None
    confirm: str = ""
    doubt: Doubt = ""

    @property
    def understood(self) -> bool:
        """Whether the text may be asked, or the command done, without another word from the speaker."""
        return bool(self.text or self.command) and not self.confirm and not self.choices


@dataclass(frozen=True)
class Listening:
    """What an engine is told before it listens. `equipment` and `line` are ids of the tablet's machine and line;
    `choices` are the sentences on the screen, in order; `names` are the plant's names, the most wanted first, for an
    engine that takes hints (Whisper's hotwords) instead of a grammar."""

    expects: Expected = "request"
    equipment: str = ""
    line: str = ""
    choices: tuple[str, ...] = ()
    names: tuple[str, ...] = ()


@runtime_checkable
class Session(Protocol):
    """One utterance of one speaker."""

    def feed(self, pcm: bytes) -> None:
        """Take more sound. Raises SpeechTooLong beyond LONGEST_S, SessionOver after finish or close."""
        ...

    def partial(self) -> Heard:
        """What was heard so far, to be shown and never acted upon (`final` is false)."""
        ...

    def finish(self) -> Heard:
        """The one final result."""
        ...

    def close(self) -> None:
        """Free everything; stops work that is going on in another thread as soon as the engine can."""
        ...


@runtime_checkable
class Transcriber(Protocol):
    """A speech engine."""

    name: str

    def open(self, listening: Listening = Listening()) -> Session:
        """A session for one utterance. Raises SpeechUnavailable."""
        ...

    def close(self) -> None:
        """Give back model and memory; open sessions end."""
        ...


def transcribed(transcriber: Transcriber, pcm: bytes, listening: Listening = Listening()) -> Heard:
    """One whole utterance at once. Raises SpeechUnavailable, SpeechTooLong."""
    session = transcriber.open(listening)
    try:
        for at in range(0, len(pcm), BYTES_A_SECOND):
            session.feed(pcm[at : at + BYTES_A_SECOND])
        return session.finish()
    finally:
        session.close()


@dataclass
class ScriptedSession:
    """A session of the scripted engine: hears what the script says for the sound it was fed."""

    says: Callable[[bytes], Heard]
    sound: bytearray = field(default_factory=bytearray)
    over: bool = False

    def feed(self, pcm: bytes) -> None:
        if self.over:
            raise SessionOver("This utterance has ended; open a new session.")
        if len(self.sound) + len(pcm) > LONGEST_S * BYTES_A_SECOND:
            raise SpeechTooLong("That was too long; ask one thing at a time.")
        self.sound += pcm

    def partial(self) -> Heard:
        return replace(self.says(bytes(self.sound)), final=False) if self.sound else Heard(final=False)

    def finish(self) -> Heard:
        if self.over:
            raise SessionOver("This utterance has ended; open a new session.")
        self.over = True
        return self.says(bytes(self.sound))

    def close(self) -> None:
        self.over = True


@dataclass
class ScriptedTranscriber:
    """An engine that hears its script, one result an utterance, then the last one again; silence is always silence.
    `asked` keeps what each session was told."""

    script: Sequence[Heard | str] = ()
    name: str = "scripted"
    asked: list[Listening] = field(default_factory=list)
    at: int = 0

    def open(self, listening: Listening = Listening()) -> ScriptedSession:
        self.asked.append(listening)
        said: Heard | str = self.script[min(self.at, len(self.script) - 1)] if self.script else ""
        self.at += 1
        heard = said if isinstance(said, Heard) else Heard(said, confidence=1.0 if said else 0.0, in_grammar=bool(said))
        heard = replace(heard, engine=heard.engine or self.name, doubt="" if heard.text or heard.command else heard.doubt or "silence")
        return ScriptedSession(lambda sound: heard if any(sound) else Heard(engine=self.name, doubt="silence"))

    def close(self) -> None:
        """Nothing is held."""
