"""What follows from something heard: the rules of a spoken turn, as one pure function over a table of cases.

`decided` looks at what was heard and what is open (an action to confirm, a sentence to confirm, choices, a guided
procedure) and says what happens. Nothing acts unless a person has confirmed it in so many words; what is doubtful is
asked back, and what is outside is said to be. tests/test_voice_session.py holds the table.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from assistant.voice.transcriber import Heard

#: Below this an action is not confirmed by a "yes", however well it fits; it is asked again.
SURE_TO_ACT = 0.7

#: ask: the text is a question for the assistant; guide: words or a command for the guided procedure; start: the procedure
#: on the screen is begun; act: the open action is confirmed (number 1) or declined (0); steer: a command on the conversation
#: itself; say: only speak.
Kind = Literal["ask", "guide", "start", "act", "steer", "say"]


@dataclass(frozen=True)
class Open:
    """What a speaker may be answering: `action` is the sentence of an action that waits for yes or no, `sentence` one
    that was doubtful, `choices` those on the screen, `procedure` the title of one that waits to be begun; `guided`: a
    procedure is being carried out."""

    action: str = ""
    procedure: str = ""
    sentence: str = ""
    choices: tuple[str, ...] = ()
    guided: bool = False


@dataclass(frozen=True)
class Decision:
    """What happens: `text` is asked, given to the procedure or spoken; `open` is what is open from now on."""

    kind: Kind
    text: str = ""
    command: str = ""
    number: int | None = None
    open: Open = Open()


#: Commands that a guided procedure takes, as `tools.documents.guided.heard` reads them.
GUIDED = {"next": "next", "back": "back", "repeat": "repeat", "why": "why", "page": "show the page", "acknowledge": "understood"}
#: Commands on the conversation itself, at any time.
STEERING = frozenset(("stop", "pause", "repeat", "louder", "quieter", "slower", "help"))

AGAIN = "I did not understand that. Please say it in other words, or type it."
NOTHING = "I heard nothing. Please say it again."
HELP = "Ask about a machine, an alarm, an order or a figure. Say repeat, stop, louder or slower; in a procedure say next, back, why, or a reading."
HELP_GUIDED = "Say next, back, repeat, why, understood, show the page, or a reading as a number."
DECLINED = "All right, nothing was sent."
WHICH = "Say one, two or three, or none."


def decided(heard: Heard, now: Open) -> Decision:
    """What follows from `heard` while `now` is open."""
    command = heard.command if not heard.confirm and not heard.choices else ""
    if now.action:
        return _on_action(heard, command, now)
    if now.procedure and command in ("yes", "no", "cancel", "repeat"):
        if command == "yes":
            return Decision("start", now.procedure)
        return Decision("say", begin_asked(now.procedure), open=now) if command == "repeat" else Decision("say", "All right.", open=Open())
    if now.sentence and command in ("yes", "no", "cancel"):
        if command == "yes":
            return Decision("guide" if now.guided else "ask", now.sentence, open=Open(guided=now.guided))
        return Decision("say", "Please say it again." if command == "no" else "All right.", open=Open(guided=now.guided))
    if now.choices:
        chosen = _chosen(heard, command, now)
        if chosen is not None:
            return chosen
    if command in STEERING and not (now.guided and command in GUIDED):
        text = (HELP_GUIDED if now.guided else HELP) if command == "help" else ""
        return Decision("steer", text, command, heard.number, now)
    if now.guided:
        return _on_procedure(heard, command, now)
    return _on_request(heard, command, now)


def _on_action(heard: Heard, command: str, now: Open) -> Decision:
    if command == "yes" and heard.confidence >= SURE_TO_ACT:
        return Decision("act", number=1, open=Open(guided=now.guided))
    if command in ("no", "cancel", "stop"):
        return Decision("act", DECLINED, number=0, open=Open(guided=now.guided))
    if command == "repeat":
        return Decision("say", now.action, open=now)
    return Decision("say", f"{now.action} Say yes to send it, or no.", open=now)


def _chosen(heard: Heard, command: str, now: Open) -> Decision | None:
    """One of the choices, by its number or by its own words; None when something else was said."""
    if command in ("choice", "step") and heard.number is not None:
        if 1 <= heard.number <= len(now.choices):
            return Decision("ask", now.choices[heard.number - 1], open=Open(guided=now.guided))
        return Decision("say", f"There are {len(now.choices)} choices. {WHICH}", open=now)
    if command in ("no", "cancel"):
        return Decision("say", "All right. Please say it in other words.", open=Open(guided=now.guided))
    if heard.text and not heard.confirm:
        for choice in now.choices:
            if _plain(choice) == _plain(heard.text):
                return Decision("ask", choice, open=Open(guided=now.guided))
    return None


def _on_procedure(heard: Heard, command: str, now: Open) -> Decision:
    """Inside a guided procedure only its commands and readings count; a question has to be typed or the run left."""
    if command in GUIDED:
        return Decision("guide", GUIDED[command], command, open=now)
    if command == "step":
        return Decision("say", "Steps are done in their order; say next or back.", open=now)
    if heard.confirm and heard.text:
        return Decision("say", heard.confirm, open=Open(sentence=heard.text, guided=True))
    if heard.understood and heard.text and re.search(r"\d", heard.text):
        # A reading goes into the record of the run: it is read back before it is taken.
        return Decision("say", f"{heard.text}, right?", open=Open(sentence=heard.text, guided=True))
    return Decision("say", NOTHING if heard.doubt == "silence" else HELP_GUIDED, open=now)


def _on_request(heard: Heard, command: str, now: Open) -> Decision:
    if heard.confirm and heard.text:
        return Decision("say", heard.confirm, open=Open(sentence=heard.text, choices=heard.choices))
    if heard.choices:
        if len(heard.choices) == 1:
            return Decision("say", f"Did you mean: {heard.choices[0]}", open=Open(sentence=heard.choices[0]))
        return Decision("say", offered(heard.choices), open=Open(choices=heard.choices))
    if command in ("next", "back", "acknowledge", "page", "step", "why"):
        return Decision("say", "No procedure is under way here.", open=now)
    if command in ("yes", "no", "cancel", "choice"):
        return Decision("say", "There is nothing to confirm." if command != "cancel" else "All right.", open=Open())
    if heard.text:
        return Decision("ask", heard.text)
    return Decision("say", NOTHING if heard.doubt == "silence" else AGAIN, open=now)


#: How somebody asks to be led through a procedure, not only to see it.
_LEAD = re.compile(r"(?:please )?(?:start|begin|(?:guide|walk|lead|take) (?:me|us) through)\b", re.IGNORECASE)


def wants_guiding(question: str) -> bool:
    """Whether a request asks to be led through a procedure."""
    return _LEAD.match(question.strip()) is not None


def begin_asked(title: str) -> str:
    """The question before a procedure is begun."""
    return f"{title}. Shall I guide you through it? Say yes or no."


_ORDINALS = ("one", "two", "three", "four")


def offered(choices: Sequence[str]) -> str:
    """Choices as they are read out: numbered, so that a number answers."""
    named = [f"{_ORDINALS[number]}: {choice.rstrip('?.')}" for number, choice in enumerate(choices[:4])]
    return f"Did you mean {'; '.join(named)}? Say the number."


def _plain(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.lower()))
