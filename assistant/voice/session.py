"""One tablet's conversation by voice, as a state machine over sound and events: asleep, listening, thinking, speaking,
with a guided procedure or without, and muted when the person says so.

`feed` takes sound and returns events; what takes long (an answer, a command of a procedure) is asked for by an event
(`ask`, `guide`, `start`, `act`) and comes back through `answered`, `guided`, `acted`. Time is the time of the sound itself, so a
test needs no clock. Commands work while an answer is being spoken; anything else said then is taken for the room. A
session keeps no sound but that of the utterance under way. tests/test_voice_session.py.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from assistant.voice.ear import for_the_ear, speech_of
from assistant.voice.endpoint import BEFORE_S, Endpointer, Mark
from assistant.voice.levels import advice, measure
from assistant.voice.transcriber import BYTES_A_SECOND, LONGEST_S, Heard, Listening, Session, SpeechTooLong, Transcriber
from assistant.voice.turns import NOTHING, Decision, Open, begin_asked, decided, offered, wants_guiding
from assistant.voice.wake import WakePhrase, WakeSpotter

State = Literal["asleep", "listening", "thinking", "speaking", "muted"]

#: How long a tablet listens for a question after it was woken, and for another after an answer, seconds of sound.
LISTEN_S = 8.0
#: A procedure waits for its worker longer.
GUIDED_LISTEN_S = 3600.0
#: Reading aloud takes about this long a character; a client that never says it has finished is not waited for longer.
_SAID_S_A_CHARACTER, _SAID_MOST_S = 0.09, 60.0
#: Sound kept before speech begins.
_KEPT = int(BYTES_A_SECOND * (BEFORE_S + 0.25))
#: How often words are shown while somebody speaks, seconds of sound; one that took long is not made again for this many
#: times as long.
_PARTIAL_EVERY_S, _PARTIAL_COST = 0.5, 5.0


@dataclass(frozen=True)
class Event:
    """`state`, `tone`, `partial`, `heard`, `advice`, `say`, `hush` for the client; `ask`, `guide`, `start`, `act` for the service;
    `sound` carries an utterance where the plant keeps what is said."""

    kind: str
    data: Mapping[str, Any] = field(default_factory=dict)


class VoiceSession:
    """The state machine of one tablet. Belongs to one thread at a time. `context` tells engines where the tablet is."""

    def __init__(self, transcriber: Transcriber, context: Listening, *, wake: WakePhrase | None = None, hands_free: bool = False,
                 keep_sound: bool = False, endpointer: Endpointer | None = None) -> None:  # fmt: skip
        self._transcriber, self._context, self._phrase, self.hands_free = transcriber, context, wake, hands_free
        self._keep_sound = keep_sound
        self._ends = endpointer or Endpointer()
        self._state: State = "asleep"
        self._open = Open()
        self._session: Session | None = None
        self._spotter: WakeSpotter | None = None
        self._spotted_from = 0.0
        self._pending = b""
        self._recent = bytearray()  # the sound before now: beginnings of words, what follows the wake phrase
        self._utterance = bytearray()
        self._held = False
        self._at_s = self._since_s = self._partial_s = self._speaks_until_s = 0.0
        self._last_said = ""
        self._token = ""
        self._procedure: Mapping[str, Any] = {}

    @property
    def state(self) -> State:
        return self._state

    @property
    def open(self) -> Open:
        return self._open

    # -- what the person and the client do

    def begin(self) -> list[Event]:
        """The first state, told to the client."""
        return [self._told()]

    def feed(self, pcm: bytes) -> list[Event]:
        """Sound of any length up to a few seconds."""
        if self._state == "muted":
            return []
        events: list[Event] = []
        pcm = pcm[: len(pcm) // 2 * 2]
        self._at_s += len(pcm) / BYTES_A_SECOND
        marks = self._ends.feed(pcm)
        if self._session is not None:
            events += self._more(pcm)
        self._recent += pcm
        for mark in marks:
            events += self._began() if mark.kind == "began" else self._ended(mark)
        if self._spotter is not None:
            events += self._search(pcm)
        del self._recent[:-_KEPT]
        return [*events, *self._timed()]

    def press(self) -> list[Event]:
        """The button is held: everything until `release` is one utterance; what was being said stops."""
        if self._state == "muted":
            return [Event("advice", {"text": "The microphone is muted; touch it to hear again."})]
        events = {"speaking": [Event("hush")], "thinking": [Event("cancel")]}.get(self._state, [])
        self._drop()
        self._recent.clear()
        self._held = True
        self._state = "listening"
        self._start(b"")
        return [*events, self._to("listening")]

    def release(self) -> list[Event]:
        """The button is let go: what was said is complete."""
        if not self._held:
            return []
        self._held = False
        self._ends.end()
        return self._finish()

    def listen(self) -> list[Event]:
        """The button was only tapped: the tablet finds the end of what is said by itself."""
        if not self._held:
            return self.wake()
        self._held = False
        if not self._ends.speaking:
            self._close_session()
        self._since_s = self._at_s
        return []

    def wake(self) -> list[Event]:
        """The tablet is woken by touch."""
        return [Event("tone", {"name": "wake"}), self._to("listening")] if self._state in ("asleep", "speaking") else []

    def mute(self, on: bool) -> list[Event]:
        """Hear nothing at all, or hear again."""
        self._drop()
        self._recent.clear()
        self._held = False
        self._ends.end()
        return [Event("hush"), self._to("muted")] if on else [self._to("asleep")]

    def spoken(self) -> list[Event]:
        """The client has finished reading aloud."""
        return self._silence() if self._state == "speaking" else []

    # -- what the service has done

    def answered(self, answer: Mapping[str, Any], said: str = "") -> list[Event]:
        """The answer to an `ask`: it is spoken; what it asks of the person is open from now on."""
        blocks = list(answer.get("blocks", ()))
        confirm = next((block for block in blocks if block.get("type") == "confirm" and block.get("token")), None)
        offers = next((block for block in blocks if block.get("type") == "choices"), None)
        said = said or speech_of(answer)
        self._token = ""
        self._open = Open(guided=self._open.guided)
        if confirm is not None:
            self._token = str(confirm["token"])
            self._open = replace(self._open, action=for_the_ear(str(confirm.get("text", "")), 3))
            said = f"{self._open.action} Say yes to send it, or no."
        elif offers is not None:
            choices = tuple(str(choice["question"]) for choice in offers.get("choices", ()))[:4]
            labels = [str(choice["label"]) for choice in offers.get("choices", ())][:4]
            self._open = replace(self._open, choices=choices)
            said = f"{for_the_ear(str(answer.get('spoken') or ''), 1)} {offered([for_the_ear(label, 1) for label in labels])}".strip()
        elif wants_guiding(str(answer.get("question", ""))) and not self._open.guided:
            said = self._offered_procedure(blocks) or said
        return self._say(said)

    def _offered_procedure(self, blocks: list[Mapping[str, Any]]) -> str:
        """The one procedure of an answer, kept to be begun after a yes: what is said, "" where there is none or several."""
        found = [block for block in blocks if block.get("type") == "steps" and block.get("document") and block.get("title")]
        if len(found) != 1:
            return ""
        self._procedure = found[0]
        title = for_the_ear(re.sub(r"^[\d.]+\s+", "", str(found[0]["title"])), 1).rstrip(".")
        self._open = Open(procedure=title)
        return begin_asked(title)

    def guided(self, shown: Mapping[str, Any] | None, said: str = "") -> list[Event]:
        """A procedure was started or went on (`shown`), or ended or was left (None or no longer running)."""
        running = shown is not None and shown.get("state") == "running"
        self._open = Open(guided=running)
        words = said or (str(shown.get("said") or "") if shown is not None else "")
        return self._say(for_the_ear(words, 4)) if words else [self._to("listening" if running or self.hands_free else "asleep")]

    def acted(self, said: str) -> list[Event]:
        """An action was carried out or declined."""
        self._token = ""
        return self._say(said)

    def failed(self, sentence: str) -> list[Event]:
        """What was asked for did not work; the person hears it."""
        return self._say(sentence)

    def close(self) -> None:
        self._drop()

    # -- hearing

    def _began(self) -> list[Event]:
        """Speech began. The recent sound holds its beginning."""
        if self._held:
            return []
        before = bytes(self._recent)
        if self._state in ("listening", "speaking", "thinking"):
            self._start(before)
        if self._phrase is not None and self.hands_free and self._state in ("asleep", "speaking") and self._spotter is None:
            self._spotter = WakeSpotter(self._phrase)
            self._search_in(before)
        return []

    def _search_in(self, before: bytes) -> None:
        assert self._spotter is not None
        self._spotted_from = self._at_s - len(before) / BYTES_A_SECOND
        self._pending = before

    def _search(self, pcm: bytes) -> list[Event]:
        """Look for the wake phrase; what was said after it in one breath is the beginning of the question."""
        assert self._spotter is not None
        sound = self._pending or pcm
        self._pending = b""
        return self._woken(self._spotter.feed(sound))

    def _woken(self, found_s: float | None) -> list[Event]:
        """The wake phrase ended so many seconds after the search began; None: it was not said yet."""
        if found_s is None:
            return []
        self._end_search()
        hushed = [Event("hush")] if self._state == "speaking" else []
        self._close_session()
        after = int((self._at_s - (self._spotted_from + found_s)) * BYTES_A_SECOND) // 2 * 2
        events = [*hushed, Event("tone", {"name": "wake"}), self._to("listening")]
        if self._ends.speaking:
            self._start(bytes(self._recent[-after:]) if after > 0 else b"")
        return events

    def _start(self, before: bytes) -> None:
        """Open an utterance of the engine, told what may be said now."""
        self._close_session()
        expects = "request"
        if self._state in ("speaking", "thinking") and not self._held:
            expects = "command"
        elif self._open.action or self._open.sentence or self._open.procedure:
            expects = "confirm"
        elif self._open.choices:
            expects = "choice"
        elif self._open.guided:
            expects = "command"
        self._session = self._transcriber.open(replace(self._context, expects=expects, choices=self._open.choices))  # type: ignore[arg-type]
        self._utterance = bytearray()
        self._partial_s = self._at_s + _PARTIAL_EVERY_S
        if before:
            self._more(before)

    def _more(self, pcm: bytes) -> list[Event]:
        assert self._session is not None
        if (len(self._utterance) + len(pcm)) / BYTES_A_SECOND > LONGEST_S - 0.5:
            return self._finish()
        self._utterance += pcm
        try:
            self._session.feed(pcm)
        except SpeechTooLong:
            return self._finish()
        if self._state != "listening" or self._at_s < self._partial_s or self._ends.pausing:
            return []  # in a pause the end may be near, and a partial result would only delay the final one
        begun = time.perf_counter()
        text = self._session.partial().text
        self._partial_s = self._at_s + max(_PARTIAL_EVERY_S, _PARTIAL_COST * (time.perf_counter() - begun))
        return [Event("partial", {"text": text})] if text else []

    def _ended(self, mark: Mark) -> list[Event]:
        events = self._woken(self._spotter.end()) if self._spotter is not None and not self._held else []
        events += self._end_search()
        if self._held or self._session is None:
            return events
        return [*events, *self._finish()]

    def _finish(self) -> list[Event]:
        """The utterance is complete: what was heard, and what follows."""
        session, self._session = self._session, None
        if session is None:
            return []
        heard = session.finish()
        session.close()
        sound, self._utterance = bytes(self._utterance), bytearray()
        if self._state in ("speaking", "thinking"):
            return self._interrupted(heard)
        found = measure(sound)
        events = [Event("heard", _shown(heard, found.as_json()))]
        if self._keep_sound:
            events.append(Event("sound", {"pcm": sound}))
        if not heard.text and not heard.command and not heard.choices:
            told = advice(found)
            if told:
                events.append(Event("advice", {"text": told}))
        return [*events, *self._follow(decided(heard, self._open))]

    def _interrupted(self, heard: Heard) -> list[Event]:
        """Something was said over the tablet's own voice: a command is obeyed, anything else was the room."""
        if not heard.understood or heard.command not in (
            "stop",
            "cancel",
            "repeat",
            "pause",
            "louder",
            "quieter",
            "slower",
            "next",
            "back",
        ):
            return []
        if heard.command in ("stop", "cancel", "pause"):
            cancelled = [Event("cancel")] if self._state == "thinking" else []
            return [Event("hush"), *cancelled, self._to("listening")]
        if self._state == "thinking":
            return []
        return [Event("hush"), *self._follow(decided(heard, self._open))]

    # -- what follows

    def _follow(self, decision: Decision) -> list[Event]:
        self._open = decision.open
        if decision.kind == "ask":
            return [self._to("thinking"), Event("ask", {"question": decision.text})]
        if decision.kind == "guide":
            return [self._to("thinking"), Event("guide", {"words": decision.text})]
        if decision.kind == "start":
            block = self._procedure
            shown = {
                "document": block.get("document", ""),
                "section": block.get("section") or block.get("title", ""),
                "title": block.get("title", ""),
            }
            return [self._to("thinking"), Event("start", shown)]
        if decision.kind == "act":
            token, self._token = self._token, ""
            return [self._to("thinking"), Event("act", {"token": token, "accept": bool(decision.number)})]
        if decision.kind == "steer":
            return self._steered(decision)
        return self._say(decision.text, quiet=decision.text == NOTHING and self.hands_free)

    def _steered(self, decision: Decision) -> list[Event]:
        command = decision.command
        if command == "repeat":
            return self._say(self._last_said or "Nothing was said yet.")
        if command == "help":
            return self._say(decision.text)
        if command in ("louder", "quieter", "slower"):
            return [Event("voice", {"change": command}), *self._say(self._last_said or "All right.")]
        return [Event("hush"), self._to("listening" if self._open.guided else "asleep")]

    def _say(self, text: str, quiet: bool = False) -> list[Event]:
        """Speak; `quiet` only shows it, since nobody may have been talking to the tablet."""
        if quiet or not text:
            return [Event("advice", {"text": text})] * bool(text) + self._silence()
        self._last_said = text
        self._speaks_until_s = self._at_s + min(_SAID_MOST_S, 3.0 + _SAID_S_A_CHARACTER * len(text))
        return [self._to("speaking"), Event("say", {"text": text})]

    def _silence(self) -> list[Event]:
        """Speaking is over: listen where an answer is expected or hands are full, else sleep."""
        waits = self.hands_free or self._open.guided
        return [self._to("listening" if waits else "asleep")]

    def _timed(self) -> list[Event]:
        """What the passing of time brings: a voice that never reports its end is over, listening in vain ends."""
        if self._state == "speaking" and self._at_s > self._speaks_until_s:
            return self._silence()
        limit = GUIDED_LISTEN_S if self._open.guided else LISTEN_S
        if self._state == "listening" and not self._held and not self._ends.speaking and self._at_s - self._since_s > limit:
            self._open, self._token = Open(guided=self._open.guided), ""
            self._close_session()
            return [Event("tone", {"name": "sleep"}), self._to("asleep")]
        return []

    def _to(self, state: State) -> Event:
        self._state, self._since_s = state, self._at_s
        return self._told()

    def _told(self) -> Event:
        now = self._open
        asks = "confirm" if now.action or now.sentence or now.procedure else "choice" if now.choices else ""
        return Event("state", {"state": self._state, "guided": now.guided, "asks": asks, "hands_free": self.hands_free})

    def _end_search(self) -> list[Event]:
        if self._spotter is not None:
            self._spotter.close()
            self._spotter = None
        self._pending = b""
        return []

    def _close_session(self) -> None:
        if self._session is not None:
            self._session.close()
            self._session = None
        self._utterance = bytearray()

    def _drop(self) -> None:
        self._end_search()
        self._close_session()


def _shown(heard: Heard, levels: Mapping[str, float]) -> dict[str, Any]:
    """What the screen shows of what was heard."""
    best = heard.text or (heard.nbest[0].text if heard.nbest else "")
    return {
        "text": best, "taken": bool(heard.text or heard.command), "command": heard.command, "confidence": round(heard.confidence, 3),
        "engine": heard.engine, "choices": list(heard.choices), "confirm": heard.confirm, "doubt": heard.doubt, "levels": dict(levels),
    }  # fmt: skip
