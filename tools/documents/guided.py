"""An approved procedure carried out step by step: a pure state machine, for the tablet and for the voice alike.

A run is its steps and the events so far; `advance` answers one command with the next run or with why it does not go on.
A step is left only when its warning was acknowledged, its readings lie within their limits, its list is ticked, its
photo taken and its second person there, or when a deviation with a reason was recorded, which never stands in for a
warning or a second person. Nothing here reads a clock or a store. tests/test_guided.py walks every command in every state.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from tools.documents.steps import Step

State = Literal["running", "finished", "stopped"]
COMMANDS = ("next", "back", "repeat", "why", "page", "acknowledge", "reading", "tick", "photo", "second", "deviate", "note", "stop")
_LONGEST_REASON = 2_000


@dataclass(frozen=True)
class Command:
    """What a person wants: `reading` has `value` (and `index` where a step asks for several), `tick` an `index`, `photo` a
    `sha256`, `second` the other person's `user` and `name`, `deviate`, `note` and `stop` a `reason`."""

    name: str
    index: int = 0
    value: float | None = None
    reason: str = ""
    sha256: str = ""
    user: str = ""
    name_of: str = ""


@dataclass(frozen=True)
class Event:
    """One thing that happened, kept for ever: when (ISO), by whom, which command at which step, with what."""

    at: str
    user: str
    name: str
    command: str
    step: int
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Run:
    """A procedure under way. `source` names its document, revision, page and section; `place` counts steps from 0."""

    id: str
    title: str
    source: Mapping[str, Any]
    steps: tuple[Step, ...]
    user: str
    name: str
    started: str
    equipment: str = ""
    product: str = ""
    skill: str = "experienced"
    place: int = 0
    state: State = "running"
    events: tuple[Event, ...] = ()

    @property
    def step(self) -> Step:
        return self.steps[self.place]


@dataclass(frozen=True)
class Outcome:
    """What came of a command: the run after it, whether it was taken, and one sentence for eye and ear. `show` asks the
    screen for the `page` of the source."""

    run: Run
    taken: bool
    said: str
    show: str = ""


def replayed(run: Run, events: Sequence[Event]) -> Run:
    """The run as its events left it: what a restart resumes."""
    place, state = 0, "running"
    for event in events:
        if event.command == "next":
            place = event.step
            if event.data.get("finished"):
                state, place = "finished", len(run.steps) - 1
            else:
                place = event.step + 1
        elif event.command == "back":
            place = event.step - 1
        elif event.command == "stop":
            state = "stopped"
    return replace(run, place=max(0, min(place, len(run.steps) - 1)), state=state, events=tuple(events))  # type: ignore[arg-type]


@dataclass(frozen=True)
class Given:
    """What was given at a step since it was last entered: the newest reading of each kind, ticked items, and so on."""

    acknowledged: bool = False
    readings: Mapping[int, float] = field(default_factory=dict)
    ticked: frozenset[int] = frozenset()
    photo: str = ""
    second: str = ""
    deviation: str = ""


def given_at(run: Run, place: int) -> Given:
    """What the events hold for a step. A step that was gone back to keeps what was given there."""
    readings: dict[int, float] = {}
    ticked: set[int] = set()
    acknowledged, photo, second, deviation = False, "", "", ""
    for event in run.events:
        if event.step != place:
            continue
        if event.command == "acknowledge":
            acknowledged = True
        elif event.command == "reading":
            readings[int(event.data["index"])] = float(event.data["value"])
        elif event.command == "tick":
            ticked ^= {int(event.data["index"])}
        elif event.command == "photo":
            photo = str(event.data["sha256"])
        elif event.command == "second":
            second = str(event.data["name"])
        elif event.command == "deviate":
            deviation = str(event.data["reason"])
    return Given(acknowledged, readings, frozenset(ticked), photo, second, deviation)


def blocked_by(run: Run) -> list[str]:
    """Why the step cannot be left yet, in sentences; empty when it can."""
    step, given = run.step, given_at(run, run.place)
    check = step.get("checkpoint") or {}
    why = []
    if step.get("warning") and not given.acknowledged:
        why.append("Acknowledge the warning first.")
    if check.get("second_person") and not given.second:
        why.append("A second person has to confirm this step.")
    if given.deviation:
        return why
    for index, reading in enumerate(check.get("readings", ())):
        value = given.readings.get(index)
        if value is None:
            why.append(f"Enter the reading: {reading['label']} ({reading['text']}).")
        elif not within(reading, value):
            why.append(f"{value:g} {reading['unit']} is not {limit_said(reading)}; read again or record a deviation.")
    missing = [item for index, item in enumerate(check.get("items", ())) if index not in given.ticked]
    if missing:
        why.append(f"Still to check: {', '.join(missing)}.")
    if check.get("photo") and not given.photo:
        why.append("Take the photo.")
    return why


def within(reading: Mapping[str, Any], value: float) -> bool:
    """Whether a value lies within a reading's limits."""
    low, high, strict = reading.get("low"), reading.get("high"), reading.get("strict")
    if low is not None and (value < low or (strict and value == low)):
        return False
    return high is None or not (value > high or (strict and value == high))


def limit_said(reading: Mapping[str, Any]) -> str:
    low, high, unit = reading.get("low"), reading.get("high"), reading["unit"]
    if low is not None and high is not None:
        return f"between {low:g} and {high:g} {unit}"
    if high is not None:
        return f"{'below' if reading.get('strict') else 'at most'} {high:g} {unit}"
    return f"{'above' if reading.get('strict') else 'at least'} {low:g} {unit}"


def advance(run: Run, command: Command, user: str, name: str, at: str) -> Outcome:
    """One command. What is taken is in the new run's events; what is not leaves the run as it was, with the reason said."""
    if command.name not in COMMANDS:
        return Outcome(run, False, f"There is no command {command.name}; there are {', '.join(COMMANDS)}.")
    if command.name in ("repeat", "why", "page"):
        return _looked(run, command.name)
    if run.state != "running":
        return Outcome(run, False, f"This run is {run.state}; start a new one.")
    return _ACTS[command.name](run, command, user, name, at)


def _event(run: Run, command: str, user: str, name: str, at: str, data: Mapping[str, Any] | None = None) -> Run:
    return replace(run, events=(*run.events, Event(at, user, name, command, run.place, data or {})))


def spoken(run: Run) -> str:
    """The step as it is read aloud: warning first, then the words, then what is expected."""
    step = run.step
    parts = [str(step.get("warning") or ""), f"Step {run.place + 1} of {len(run.steps)}. {step['text']}"]
    if step.get("expected"):
        parts.append(f"Expected: {step['expected']}")
    return " ".join(part for part in parts if part)


def _looked(run: Run, name: str) -> Outcome:
    """Looking changes nothing and is not recorded."""
    if name == "repeat":
        return Outcome(run, True, spoken(run))
    if name == "page":
        page = run.source.get("page")
        return Outcome(run, True, f"Page {page} of {run.source.get('title') or run.source.get('document')}.", show="page") if page else Outcome(
            run, False, "This procedure has no page to show."
        )  # fmt: skip
    reasons = [*run.step.get("reasons", ()), *run.step.get("details", ())]
    warning = str(run.step.get("warning") or "")
    said = " ".join([*([warning] if warning else []), *reasons])
    return Outcome(run, True, said or "The procedure gives no reason for this step; the page says what stands around it.", show="page" if not said else "")


def _next(run: Run, command: Command, user: str, name: str, at: str) -> Outcome:
    why = blocked_by(run)
    if why:
        return Outcome(run, False, " ".join(why))
    last = run.place == len(run.steps) - 1
    after = _event(run, "next", user, name, at, {"finished": True} if last else {})
    if last:
        return Outcome(replace(after, state="finished"), True, "That was the last step. The record of this run is ready.")
    moved = replace(after, place=run.place + 1)
    return Outcome(moved, True, spoken(moved))


def _back(run: Run, command: Command, user: str, name: str, at: str) -> Outcome:
    if run.place == 0:
        return Outcome(run, False, "This is the first step.")
    moved = replace(_event(run, "back", user, name, at), place=run.place - 1)
    return Outcome(moved, True, spoken(moved))


def _acknowledge(run: Run, command: Command, user: str, name: str, at: str) -> Outcome:
    if not run.step.get("warning"):
        return Outcome(run, False, "This step has no warning.")
    return Outcome(_event(run, "acknowledge", user, name, at), True, "Acknowledged.")


def _reading(run: Run, command: Command, user: str, name: str, at: str) -> Outcome:
    readings = (run.step.get("checkpoint") or {}).get("readings", ())
    if not 0 <= command.index < len(readings):
        return Outcome(run, False, "This step asks for no such reading.")
    if command.value is None or command.value != command.value or abs(command.value) == float("inf"):
        return Outcome(run, False, "A reading is a number.")
    wanted = readings[command.index]
    fits = within(wanted, command.value)
    after = _event(run, "reading", user, name, at, {"index": command.index, "value": command.value, "unit": wanted["unit"], "within": fits})
    if fits:
        return Outcome(after, True, f"{command.value:g} {wanted['unit']} is within the limit.")
    return Outcome(after, True, f"{command.value:g} {wanted['unit']} is not {limit_said(wanted)}. Read again, or record a deviation with its reason.")


def _tick(run: Run, command: Command, user: str, name: str, at: str) -> Outcome:
    items = (run.step.get("checkpoint") or {}).get("items", ())
    if not 0 <= command.index < len(items):
        return Outcome(run, False, "This step has no such item.")
    on = command.index not in given_at(run, run.place).ticked
    return Outcome(_event(run, "tick", user, name, at, {"index": command.index}), True, f"{items[command.index]}: {'checked' if on else 'not checked'}.")


def _photo(run: Run, command: Command, user: str, name: str, at: str) -> Outcome:
    if not re.fullmatch(r"[0-9a-f]{64}", command.sha256):
        return Outcome(run, False, "The photo did not arrive; take it again.")
    return Outcome(_event(run, "photo", user, name, at, {"sha256": command.sha256}), True, "The photo is kept.")


def _second(run: Run, command: Command, user: str, name: str, at: str) -> Outcome:
    if not command.user or command.user in (user, run.user):
        return Outcome(run, False, "The second person has to be somebody else.")
    return Outcome(_event(run, "second", user, name, at, {"user": command.user, "name": command.name_of}), True, f"Confirmed by {command.name_of}.")


def _deviate(run: Run, command: Command, user: str, name: str, at: str) -> Outcome:
    reason = " ".join(command.reason.split())[:_LONGEST_REASON]
    if len(reason) < 3:
        return Outcome(run, False, "A deviation needs its reason.")
    return Outcome(_event(run, "deviate", user, name, at, {"reason": reason}), True, "The deviation is recorded with its reason.")


def _note(run: Run, command: Command, user: str, name: str, at: str) -> Outcome:
    reason = " ".join(command.reason.split())[:_LONGEST_REASON]
    if not reason:
        return Outcome(run, False, "The note is empty.")
    return Outcome(_event(run, "note", user, name, at, {"reason": reason}), True, "Noted.")


def _stop(run: Run, command: Command, user: str, name: str, at: str) -> Outcome:
    reason = " ".join(command.reason.split())[:_LONGEST_REASON]
    if len(reason) < 3:
        return Outcome(run, False, "Stopping needs a reason.")
    return Outcome(replace(_event(run, "stop", user, name, at, {"reason": reason}), state="stopped"), True, "The run is stopped; its record is ready.")


_ACTS = {
    "next": _next, "back": _back, "acknowledge": _acknowledge, "reading": _reading, "tick": _tick, "photo": _photo,
    "second": _second, "deviate": _deviate, "note": _note, "stop": _stop,
}  # fmt: skip

_HEARD: tuple[tuple[str, str], ...] = (
    (r"(?:next|done|ok(?:ay)?|continue|go on|ready|finished|weiter|fertig)(?: step)?(?: please)?", "next"),
    (r"(?:go |step )?back|previous(?: step)?|zurück", "back"),
    (r"(?:please )?(?:repeat|again|say (?:that|it) again|what was that|what)", "repeat"),
    (r"why(?: is that| do i do that)?|what for", "why"),
    (r"(?:show (?:me )?)?the (?:page|manual|picture)|show (?:me )?(?:page|it)", "page"),
    (r"(?:i )?(?:understood|understand|acknowledged?|got it)", "acknowledge"),
)


def heard(words: str) -> Command | None:
    """The command in spoken words, None when they are none: the voice drives the same machine as the buttons."""
    plain = " ".join(re.sub(r"[^\w.,%+-]+", " ", words.lower()).split()).strip(" .,")
    for pattern, name in _HEARD:
        if re.fullmatch(pattern, plain):
            return Command(name)
    number = re.fullmatch(r"(?:(?:the )?(?:reading|value)(?: is)?|it(?: is|s)|i read)?\s*([+-]?\d+(?:[.,]\d+)?)(?:\s*[a-zµ°%/ ]{0,16})?", plain)
    if number:
        return Command("reading", value=float(number.group(1).replace(",", ".")))
    told = re.match(r"(?:deviation|deviate)[ ,:]+(?:because )?(.+)", plain)
    return Command("deviate", reason=told.group(1)) if told else None
