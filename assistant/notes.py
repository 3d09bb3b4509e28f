"""Field notes for the page, the command line and the voice: write one after an answer, review, list, what they lack.

Whoever asks comes from the session or the command line. A note about an answer takes alarm, symptom and machine from
that answer as it was recorded, so that three taps are enough: whether it helped, what fixed it, how long it took.
tests/test_notes.py and tests/test_notes_api.py.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from assistant.drafts import plainly
from assistant.problems import BadQuestion, NotAllowed, NotFound
from assistant.safeguards import defeats_safeguard
from retrieval.wording import recognise
from tools.access import Caller
from tools.gaps import LEAST_TIMES, repeated_fixes, unanswered
from tools.maintenance import log_entries, similar_cases
from tools.manuals import machine_of
from tools.notes import STATES, STEPS, Note, NoteBook, Said
from tools.registry import Call, Unanswerable

if TYPE_CHECKING:
    from assistant.app import Assistant

#: Tools after whose answers a person is asked what fixed it.
ASKED_AFTER = ("explain_alarm", "diagnose")
#: Fixes offered to tap, and the minutes beside them.
MOST_FIXES = 6
MINUTES = (5, 15, 30, 60, 120)


def _lawful(action: str) -> None:
    if defeats_safeguard(action):
        raise NotAllowed("A report that gets a safeguard out of the way is not kept as a fix. Tell your supervisor; a guard is mended by an authorised person.")


class Notes:
    """The field notes of one assistant. Every method raises Problem."""

    def __init__(self, assistant: Assistant) -> None:
        self._assistant = assistant
        home = assistant.settings.home
        self.book = plainly(lambda: NoteBook(home, assistant.settings.keys, lambda: assistant.index, lambda: assistant.policy))

    # -- after an answer

    def offers(self, caller: Caller, turn: str) -> dict[str, Any]:
        """What to tap after an answer of one's own: what it was about, fixes seen before with how often, minutes.
        `fixes` is None where the answer was about no alarm and no symptom."""
        about = self._about(caller, turn)
        if about is None:
            return {"turn": turn, "about": None, "fixes": None, "minutes": list(MINUTES)}
        shown = {name: getattr(about, name) for name in ("alarm", "symptom", "equipment")}
        return {"turn": turn, "about": shown, "fixes": self._fixes(caller, about), "minutes": list(MINUTES)}

    def write(self, caller: Caller, said: Said) -> dict[str, Any]:
        """Keep a report as a proposed note. What it leaves open is taken from the answer that it is about. Raises
        NotAllowed for one that gets a safeguard out of the way: next to an alarm it would teach everybody to."""
        _lawful(said.action)
        if said.turn:
            about = self._about(caller, said.turn)
            if about is not None:
                said = replace(
                    said,
                    alarm=said.alarm or about.alarm,
                    symptom=said.symptom or about.symptom,
                    equipment=said.equipment or about.equipment,
                )
        machine = self._assistant.plant.equipment.get(said.equipment) if said.equipment else None
        note = plainly(lambda: self.book.write(caller, said, machine, self._assistant.now()))
        return self._shown(caller, note)

    def _about(self, caller: Caller, turn: str) -> Said | None:
        """The alarm or symptom and the machine that an answer was about. Raises NotFound for another's answer."""
        told = self._assistant.store.turn(turn)
        if told["user"] != caller.user:
            raise NotFound(f"There is no turn {turn}.")
        record = told["record"] or {}
        for step in record.get("steps", ()):
            if step["tool"] in ASKED_AFTER and step["status"] in ("answered", "partial", "no_data"):
                arguments = step["arguments"]
                equipment = str(arguments.get("equipment") or record.get("equipment") or "")
                known = equipment if equipment in self._assistant.plant.equipment else ""
                return Said("", str(arguments.get("symptom") or ""), str(arguments.get("code") or ""), known, turn=turn)
        return None

    def _fixes(self, caller: Caller, about: Said) -> list[dict[str, Any]]:
        """What fixed it before, most often first: counted over the log's entries for the alarm, over similar cases for
        a symptom, and over accepted notes."""
        assistant = self._assistant
        call = Call(
            caller, assistant.now(), assistant.plant.seen_by(caller), assistant.index, about.equipment or None, policy=assistant.policy
        )
        machine = machine_of(call, about.equipment or None)
        texts: Sequence[str] = ()
        try:
            if about.alarm:
                where: dict[str, object] = {"alarm": about.alarm}
                if machine.known and machine.equipment_class:
                    where["equipment_class"] = machine.equipment_class
                texts = [str(row.get("text") or "") for row in log_entries(call, where).rows]
            else:
                texts = [hit.passage.text for hit in similar_cases(call, about.symptom, machine)]
        except Unanswerable:  # outside the caller's lines, or a plant without a log: the person types instead
            texts = ()
        texts = [*texts, *(note.action for note in self.book.accepted() if note.alarm == about.alarm and note.alarm)]
        counted = Counter(fix for fix in (recognise(text).fix for text in texts) if fix)
        return [{"text": text[:1].upper() + text[1:], "count": count} for text, count in counted.most_common(MOST_FIXES)]

    # -- what is missing

    def candidates(self, caller: Caller, least: int = LEAST_TIMES) -> dict[str, Any]:
        """What a procedure is missing for: fixes that repeat and that no procedure covers, and questions that found no
        answer. For those who write procedures; no person stands in it."""
        self._writes_procedures(caller)
        call = self._call(caller)
        repeated = plainly(lambda: repeated_fixes(call, self.book.accepted(), least, self._assistant.embedder.embed))
        names = [word for one in self._assistant.store.callers().values() for word in (one.user, one.name)]
        asked = unanswered(self._assistant.store.recorded(), self._assistant.embedder.embed, names)
        return {"repeated": [asdict(one) for one in repeated], "unanswered": [asdict(one) for one in asked]}

    def draft(self, caller: Caller, candidate: str) -> dict[str, Any]:
        """Draft the guide for a repeated fix; accepted notes about it stand in it as evidence. Raises NotFound."""
        self._writes_procedures(caller)
        call = self._call(caller)
        found = next(
            (
                one
                for one in plainly(lambda: repeated_fixes(call, self.book.accepted(), 2, self._assistant.embedder.embed))
                if one.candidate == candidate
            ),
            None,
        )
        if found is None:
            raise NotFound("There is no such candidate any more; look at the list again.")
        about = {"alarm": found.alarm} if found.alarm else {"task": found.symptom}
        return self._assistant.documents.draft(caller, "troubleshooting_guide", {**about, "equipment": found.equipment})

    def _writes_procedures(self, caller: Caller) -> None:
        if caller.role != "quality":
            raise NotAllowed("What procedures are missing for is listed for the role quality.")

    def _call(self, caller: Caller) -> Call:
        one = self._assistant
        return Call(caller, one.now(), one.plant.seen_by(caller), one.index, policy=one.policy)

    # -- reviewing

    def may_review(self, caller: Caller) -> bool:
        return self.book.may_review(caller)

    def listed(self, caller: Caller, state: str = "", mine: bool = False) -> list[dict[str, Any]]:
        """The notes that the caller may see, newest first, each with the steps that this caller may take."""
        if state and state not in STATES:
            raise BadQuestion(f"There is no state {state}; there are {', '.join(STATES)}.")
        verdict = self._assistant.policy.may_use(caller, "diagnose")
        if not verdict.allowed:
            raise NotAllowed(verdict.reason)
        return [self._shown(caller, note) for note in plainly(lambda: self.book.listed(caller, state, mine))]

    def show(self, caller: Caller, identity: str) -> dict[str, Any]:
        """One note with its trail; who took a step is named as far as the policy names authors."""
        note = plainly(lambda: self.book.get(caller, identity))
        steps = [
            {"at": entry.at, "action": entry.action, "role": entry.role, "reason": entry.reason,
             "name": entry.name if self._assistant.policy.name_authors else ""}
            for entry in plainly(lambda: self.book.trail(identity))
        ]  # fmt: skip
        return {**self._shown(caller, note), "trail": steps}

    def take(self, caller: Caller, step: str, identity: str, reason: str = "") -> dict[str, Any]:
        """Accept, reject or withdraw."""
        if step not in STEPS:
            raise BadQuestion(f"There is no step {step}; there are {', '.join(STEPS)}.")
        if step == "accept":
            _lawful(plainly(lambda: self.book.get(caller, identity)).action)  # one of the time before this was looked at
        return self._shown(caller, plainly(lambda: self.book.take(step, identity, caller, reason)))

    def _shown(self, caller: Caller, note: Note) -> dict[str, Any]:
        own = note.user == caller.user
        steps = [
            name for name, step in STEPS.items()
            if note.state in step.sources and (step.own is not False if own else self.book.may_review(caller))
        ]  # fmt: skip
        told: Mapping[str, Any] = asdict(note)
        kept = {name: told[name] for name in (
            "note", "at", "equipment", "equipment_class", "alarm", "symptom", "action", "parts", "minutes", "helped", "state", "reviewed", "reason",
        )}  # fmt: skip
        return {**kept, "title": note.title, "author": self.book.author_of(note), "role": note.role, "own": own, "steps": steps}
