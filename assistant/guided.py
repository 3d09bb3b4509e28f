"""Guided procedures for people: start one from an approved source, give it commands, draft the record of what was done.

Only what the index calls effective now is started or gone on with: a procedure that was superseded meanwhile stops the
run where it stands. Whose run it is comes from the session; a second person proves who they are with their own password.
tests/test_guided_api.py drives one through HTTP, over a restart and with two devices.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from assistant.problems import BadQuestion, Conflict, NotAllowed, NotFound, NotSignedIn
from tools.access import Caller
from tools.documents.appendix import source as source_of
from tools.documents.guided import Command, Outcome, Run, advance, blocked_by, given_at, heard, spoken
from tools.documents.knowledge import StepList, procedure_findings, steps_of
from tools.documents.proof import proof_of
from tools.documents.readers import skill_of
from tools.documents.runs import Overtaken, Runs, record_of
from tools.documents.steps import SKILLS, view
from tools.evidence import Evidence
from tools.manuals import procedure_evidence
from tools.registry import Call

if TYPE_CHECKING:
    from assistant.app import Assistant

_PHOTO_BYTES = 6_000_000
_PHOTOS = {b"\xff\xd8\xff": "jpg", b"\x89PN": "png", b"RIF": "webp"}


class GuidedProcedures:
    """The guided runs of one assistant. Every method raises Problem."""

    def __init__(self, assistant: Assistant) -> None:
        self._assistant = assistant
        self.runs = Runs(assistant.settings.home / "guided.sqlite")

    # -- starting and looking

    def start(self, caller: Caller, task: str, equipment: str = "", product: str = "", skill: str = "", document: str = "",
              section: str = "") -> dict[str, Any]:  # fmt: skip
        """Start the approved procedure for a task, or exactly the one in a section of an effective document. Raises
        NotFound when there is none."""
        _may(caller)
        if skill and skill not in SKILLS:
            raise BadQuestion(f"A reader is {', '.join(SKILLS)}, not {skill}.")
        call = self._call(caller)
        machine = call.plant.vocabulary("equipment").get(equipment.lower(), equipment) if equipment else ""
        where: dict[str, object] = {key: value for key, value in (("equipment", machine), ("product", product)) if value}
        found = self._named(call, document, section) if document else procedure_findings(call, {"task": task}, where)
        steps = found.get("steps")
        if not isinstance(steps, StepList) or not steps.tree:
            raise NotFound(found["nothing"].message if "nothing" in found else "No approved procedure with steps was found for that.")
        first = steps.evidence.quotes[0]
        known = call.plant.equipment.get(machine)
        level = skill or skill_of(call, known.cls if known else "")[0]
        tree = []
        for step in steps.tree:
            told = [f"{ref.words}: {ref.evidence.quotes[0].title}, {ref.evidence.quotes[0].section}" for ref in steps.references.get(step["n"], ())]
            tree.append({**step, "details": [*step["details"], *told]})
        run = Run(
            "", first.section or first.title,
            {"document": first.document, "revision": first.revision, "page": first.page, "section": first.section, "title": first.title},
            tuple(tree), caller.user, caller.name, _now(), machine, product, level,
        )  # fmt: skip
        return self._shown(self.runs.start(run), "")

    def _named(self, call: Call, document: str, section: str) -> dict[str, Any]:
        """The step list of a section of a document as it is effective now."""
        try:
            passages = call.index.passages(document)
        except KeyError:
            passages = []
        found = [passage for passage in passages if passage.steps]
        chosen = next((passage for passage in found if passage.anchor.section == section), found[0] if len(found) == 1 else None)
        return {"steps": steps_of(call, procedure_evidence(chosen))} if chosen is not None else {}

    def mine(self, caller: Caller) -> list[dict[str, Any]]:
        """The caller's runs under way; people who see the whole site see everybody's."""
        _may(caller)
        everybody = caller.scope.lines is None
        return [
            {"run": run.id, "title": run.title, "equipment": run.equipment, "step": run.place + 1, "of": len(run.steps), "name": run.name,
             "started": run.started}
            for run in self.runs.open_runs(None if everybody else caller.user)
        ]  # fmt: skip

    def show(self, caller: Caller, identity: str) -> dict[str, Any]:
        return self._shown(self._run(caller, identity), "")

    # -- going on

    def command(self, caller: Caller, identity: str, given: Mapping[str, Any]) -> dict[str, Any]:
        """One command on a run; `taken` says whether it went on, `said` why or what comes. `seq` is the number of events
        that the device had seen: another device's step in between is a Conflict."""
        run = self._run(caller, identity)
        if given.get("seq") is not None and int(given["seq"]) != len(run.events):
            raise Conflict("Somebody went on with this run on another device; look again.")
        command = self._command(caller, run, given)
        stale = self._superseded(run)
        if stale and command.name not in ("stop", "note", "repeat", "why", "page"):
            return {**self._shown(run, stale), "taken": False}
        outcome = advance(run, command, caller.user, caller.name, _now())
        if len(outcome.run.events) > len(run.events):
            try:
                self.runs.append(run, outcome.run)
            except Overtaken as error:
                raise Conflict(str(error)) from error
        return self._answer(caller, outcome)

    def _answer(self, caller: Caller, outcome: Outcome) -> dict[str, Any]:
        shown = {**self._shown(outcome.run, outcome.said), "taken": outcome.taken, "show": outcome.show}
        if outcome.run.state != "running" and not shown["record"]:
            shown["record"] = self.record(caller, outcome.run.id)
        return shown

    def _command(self, caller: Caller, run: Run, given: Mapping[str, Any]) -> Command:
        if given.get("words"):
            understood = heard(str(given["words"]))
            if understood is None:
                raise BadQuestion("That is no command here; say next, back, repeat, why, show me the page, or a reading.")
            return understood
        name = str(given.get("command") or "")
        if name == "photo":
            return Command("photo", sha256=self._photo(run, str(given.get("photo") or "")))
        if name == "second":
            other = self._assistant.store.authenticate(str(given.get("user") or ""), str(given.get("password") or ""))
            if other is None:
                raise NotSignedIn("That name and password do not fit together; the second person tries again.")
            if other.role == "administrator":
                raise NotAllowed("An administrator confirms no work.")
            return Command("second", user=other.user, name_of=other.name)
        value = given.get("value")
        if value is not None and not isinstance(value, int | float):
            raise BadQuestion("A reading is a number.")
        return Command(name, index=int(given.get("index") or 0), value=float(value) if value is not None else None, reason=str(given.get("reason") or ""))

    def _photo(self, run: Run, data: str) -> str:
        """Keep a photo (a data URL or base64) beside the runs; returns its SHA-256. Raises BadQuestion."""
        try:
            content = base64.b64decode(data.rpartition(",")[2], validate=True)
        except (binascii.Error, ValueError) as error:
            raise BadQuestion("The photo did not arrive; take it again.") from error
        kind = next((kind for head, kind in _PHOTOS.items() if content.startswith(head)), None)
        if kind is None or len(content) > _PHOTO_BYTES:
            raise BadQuestion(f"A photo is a JPEG, PNG or WebP of at most {_PHOTO_BYTES // 1_000_000} MB.")
        digest = hashlib.sha256(content).hexdigest()
        folder = self._assistant.settings.home / "guided" / run.id
        folder.mkdir(parents=True, exist_ok=True)
        target = folder / f"{digest}.{kind}"
        if not target.exists():
            fresh = folder / f".{digest}.new"
            fresh.write_bytes(content)
            os.replace(fresh, target)
        return digest

    # -- the record

    def record(self, caller: Caller, identity: str) -> str:
        """The document that records a run that has ended, drafted once. Raises BadQuestion while it is under way."""
        run = self._run(caller, identity)
        if run.state == "running":
            raise BadQuestion("This run is still under way; finish or stop it first.")
        known = self.runs.record(identity)
        if known:
            return known
        call = self._call(caller)
        evidence = self._evidence(call, run)
        lines = tuple(sorted(caller.scope.lines or ()))
        document = record_of(run, call.plant.model.plant, source_of(evidence), call.now.isoformat(timespec="minutes"), lines)
        arguments = {"run": run.id, "equipment": run.equipment}
        kept = self._assistant.register.keep(document, proof_of(call, "execution_record", arguments, [evidence]), caller)
        self.runs.recorded(identity, kept.id)
        return self.runs.record(identity)

    def _evidence(self, call: Call, run: Run) -> Evidence:
        """The procedure that a run followed, as the index holds it."""
        wanted = run.source
        for passage in call.index.passages(str(wanted["document"]), str(wanted["revision"])):
            if passage.steps and passage.anchor.section == wanted["section"] and passage.anchor.page == wanted["page"]:
                return procedure_evidence(passage).marked("E1")
        raise NotFound(f"The procedure {wanted['document']} revision {wanted['revision']} is no longer in the index.")

    # -- shared

    def _call(self, caller: Caller) -> Call:
        assistant = self._assistant
        return Call(caller=caller, now=assistant.now(), plant=assistant.plant, index=assistant.index, policy=assistant.policy)

    def _run(self, caller: Caller, identity: str) -> Run:
        _may(caller)
        try:
            run = self.runs.get(identity)
        except KeyError as error:
            raise NotFound(f"There is no run {identity}.") from error
        if run.user != caller.user and caller.scope.lines is not None:
            raise NotFound(f"There is no run {identity}.")
        return run

    def _superseded(self, run: Run) -> str:
        """Why a run may not go on: its procedure is no longer effective. "" while it is."""
        document, revision = str(run.source["document"]), str(run.source["revision"])
        try:
            status = self._assistant.index.document(document, revision).status
        except KeyError:
            status = "gone"
        if status == "effective":
            return ""
        return f"{document} revision {revision} is no longer effective ({status}); stop this run and start the procedure again."

    def _shown(self, run: Run, said: str) -> dict[str, Any]:
        """A run as the tablet shows it: the step with what was given, what still blocks it, and where it comes from."""
        given = given_at(run, run.place)
        step = view([run.step], run.skill)[0]
        stale = self._superseded(run) if run.state == "running" else ""
        return {
            "run": run.id, "title": run.title, "state": run.state, "source": dict(run.source), "equipment": run.equipment,
            "product": run.product, "skill": run.skill, "seq": len(run.events), "step": {**step, "place": run.place, "of": len(run.steps)},
            "given": {**asdict(given), "readings": {str(key): value for key, value in given.readings.items()}, "ticked": sorted(given.ticked)},
            "blocked": [stale] if stale else blocked_by(run) if run.state == "running" else [], "said": said or spoken(run),
            "deviations": sum(event.command == "deviate" for event in run.events), "record": self.runs.record(run.id), "taken": True, "show": "",
        }  # fmt: skip


def _may(caller: Caller) -> None:
    if caller.role == "administrator":
        raise NotAllowed("An administrator manages users and settings and carries out no procedures.")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
