"""Documents for the command line and HTTP: draft one, see it, take it through its life, check it against its sources.

A draft was made under its author's rights, so it is shown to its authors and to people who see the whole site; what is
effective is for everybody who may read procedures. Who asks comes from the session or the command line, and every
refusal of the register becomes a problem with one sentence. tests/test_drafts.py asks as everybody for everybody's.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from assistant.periods import read_period
from assistant.problems import BadQuestion, Conflict, NotAllowed, NotFound, Problem, translated
from tools.access import Caller
from tools.documents import FORMATS, Document
from tools.documents.differences import differences
from tools.documents.life import PROCEDURES, STATES, STEPS, Refusal, decide, step_to
from tools.documents.proof import Proof
from tools.documents.register import Register, Shelf
from tools.documents.store import Kept
from tools.documents.trail import Entry, as_csv
from tools.documents.verify import verify
from tools.registry import BadArgument, Call, run

if TYPE_CHECKING:
    from assistant.app import Assistant

_NAMED = ("equipment", "line", "product", "lot", "variant", "shift")
_REFUSED: Mapping[str, type[Problem]] = {"not_allowed": NotAllowed, "conflict": Conflict, "wrong": BadQuestion, "missing": NotFound}

Done = TypeVar("Done")


class Drafts:
    """The documents of one assistant. Every method raises Problem."""

    def __init__(self, assistant: Assistant) -> None:
        self._assistant = assistant

    @property
    def register(self) -> Register:
        return self._assistant.register

    # -- drafting

    def keep(self, document: Document, proof: Proof, caller: Caller) -> Document:
        """For the drafting tool: the register is opened when something is kept, so that a damaged one stops drafts and
        no question. Raises ToolError."""
        return self.register.keep(document, proof, caller)

    def draft(self, caller: Caller, kind: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Draft a document; the answer's status tells whether there is one. Raises BadQuestion for wrong arguments."""
        call = self._call(caller, self._assistant.now())
        return self._drafted(call, kind, self._resolved(call, arguments))

    def draft_for(self, caller: Caller, kind: str, arguments: Mapping[str, Any], at: datetime, occasion: str) -> dict[str, Any]:
        """The draft of a schedule, as of that moment; each occasion is drafted once. Raises Conflict for a second."""
        call = self._call(caller, at.astimezone(self._assistant.plant.zone), Shelf(self.register, occasion))
        return self._drafted(call, kind, self._resolved(call, arguments))

    def _call(self, caller: Caller, now: datetime, shelf: Register | Shelf | None = None) -> Call:
        assistant = self._assistant
        return Call(
            caller=caller, now=now, plant=assistant.plant, index=assistant.index, policy=assistant.policy,
            stores={"store": assistant.store, "documents": shelf or self.register, "kinds": assistant.settings.home / "kinds"},
        )  # fmt: skip

    def _drafted(self, call: Call, kind: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        try:
            step = run(self._assistant.tools["draft_document"], call, {"kind": kind, **arguments})
        except BadArgument as error:
            raise BadQuestion(f"A draft does not know the argument {str(error).rpartition(': ')[2]}.") from error
        result = step.result
        if result.status != "answered":
            return {"status": result.status, "text": result.message, "document": None}
        return {**self.show(call.caller, result.data["document"]), "status": "answered", "assumed": list(result.assumed)}

    def _resolved(self, call: Call, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Names as people write them become ids, a period's words become a period."""
        found: dict[str, Any] = {}
        for key, value in arguments.items():
            if value in (None, ""):
                continue
            if key == "period":
                said = read_period(str(value), call.now, call.plant.calendar)
                if said is None:
                    raise BadQuestion(f"“{value}” is no period that I know; try “last week” or “2026-05-01 to 2026-05-31”.")
                found[key] = said.period
            else:
                known = call.plant.vocabulary(key) if key in _NAMED else {}
                found[key] = known.get(str(value).lower(), value)
        return found

    # -- seeing

    def _open(self, caller: Caller, identity: str, revision: int | None = None) -> Kept:
        """The revision, when the caller may see it; one that is not for this person is as unknown as one that is not."""
        if caller.role == "administrator":
            raise NotAllowed("An administrator manages users and settings and sees no plant data.")
        kept = plainly(lambda: self.register.store.get(identity, revision))
        if kept is None or not self._sees(caller, kept):
            raise NotFound(f"There is no document {identity}{f' revision {revision}' if revision is not None else ''}.")
        return kept

    def _sees(self, caller: Caller, kept: Kept) -> bool:
        if caller.role == "administrator":
            return False
        return caller.scope.lines is None or caller.user in kept.authors or (kept.state == "effective" and kept.kind in PROCEDURES)

    def listed(self, caller: Caller, state: str = "", kind: str = "", mine: bool = False) -> list[dict[str, Any]]:
        """Documents that the caller may see, each in its newest revision of that state, newest change first."""
        if state and state not in STATES:
            raise BadQuestion(f"There is no state {state}; there are {', '.join(STATES)}.")
        if caller.role == "administrator":
            raise NotAllowed("An administrator manages users and settings and sees no plant data.")
        found = plainly(lambda: self.register.store.every(state, kind, caller.user if mine else ""))
        newest: dict[str, Kept] = {}
        for kept in found:
            if self._sees(caller, kept) and (kept.document not in newest or kept.revision > newest[kept.document].revision):
                newest[kept.document] = kept
        return [self._summary(kept) for kept in newest.values()]

    def _summary(self, kept: Kept) -> dict[str, Any]:
        return {
            "document": kept.document, "status": kept.state, "kind": kept.kind, "title": kept.title, "status_of_document": kept.state,
            "revision": str(kept.revision), "version": kept.version, "created": kept.created, "changed": kept.changed,
            "authors": list(kept.authors),
        }  # fmt: skip

    def show(self, caller: Caller, identity: str, revision: int | None = None) -> dict[str, Any]:
        """The document's state: what it is about, its sources and hash, its signatures, and what this caller may do."""
        kept = self._open(caller, identity, revision)
        document = plainly(lambda: self.register.store.tree(kept))
        store, people = self.register.store, self._assistant.store.callers()
        revisions = [one for one in store.revisions(identity) if self._sees(caller, one)]
        return {
            **self._summary(kept), "author_names": [people[user].name if user in people else user for user in kept.authors],
            "author": document.author, "drafted": document.created,
            "scope": [list(pair) for pair in document.scope], "sources": len(document.sources), "sha256": kept.tree,
            "manifest": kept.manifest.sha256 if kept.pdf else "", "formats": list(FORMATS),
            "sections": [section.title for section in document.sections],
            "signatures": [asdict(signed) for signed in store.signatures(identity, kept.revision)],
            "revisions": [{"revision": str(one.revision), "status_of_document": one.state, "changed": one.changed} for one in revisions],
            "steps": self._possible(caller, kept),
        }  # fmt: skip

    def _possible(self, caller: Caller, kept: Kept) -> list[dict[str, Any]]:
        """The steps that lead on from this state, each with whether this caller may take it, and if not why."""
        out = []
        for name, step in STEPS.items():
            if step.source != kept.state:
                continue
            try:
                decide(name, kept.state, caller.user, caller.role, kept.authors, reason="asked")
                why = ""
            except Refusal as refusal:
                why = str(refusal)
            out.append({"step": name, "to": step.target, "signed": step.signed, "reasoned": step.reasoned, "allowed": not why, "why": why})
        return out

    def tree(self, caller: Caller, identity: str, revision: int | None = None) -> Document:
        return self.register.store.tree(self._open(caller, identity, revision))

    def rendered(self, caller: Caller, identity: str, form: str, revision: int | None = None) -> bytes:
        """The document's content in a format; the PDF of an approved one is the very bytes that were signed."""
        if form not in FORMATS:
            raise BadQuestion(f"There is no format {form}; there are {', '.join(FORMATS)}.")
        kept = self._open(caller, identity, revision)
        return plainly(lambda: self.register.rendered(kept, form))

    def compared(self, caller: Caller, identity: str, left: int | None = None, right: int | None = None) -> dict[str, Any]:
        """Two revisions side by side; without numbers the newest against the one before it."""
        new = self._open(caller, identity, right)
        old = self._open(caller, identity, left if left is not None else max(new.revision - 1, 1))
        found = plainly(lambda: differences(self.register.store.tree(old), self.register.store.tree(new)))
        return {"document": identity, "left": self._summary(old), "right": self._summary(new), "sections": [asdict(item) for item in found]}

    def trail(self, caller: Caller, identity: str = "", **wanted: Any) -> list[Entry]:
        """The trail of one document for those who see it; of everything for quality."""
        if identity:
            self._open(caller, identity)
        elif caller.role != "quality":
            raise NotAllowed("The trail of all documents is for the role quality; name one document.")
        return plainly(lambda: self.register.store.trail(document=identity, **wanted))

    def trail_csv(self, caller: Caller, identity: str = "", **wanted: Any) -> str:
        return as_csv(self.trail(caller, identity, **wanted))

    # -- the life

    def edit(self, caller: Caller, identity: str, section: str, text: str, version: int | None = None, reason: str = "") -> dict[str, Any]:
        self._open(caller, identity)
        plainly(lambda: self.register.edit(identity, caller, section, text, version, reason))
        return self.show(caller, identity)

    def revise(self, caller: Caller, identity: str, reason: str = "") -> dict[str, Any]:
        self._open(caller, identity)
        plainly(lambda: self.register.revise(identity, caller, reason))
        return self.show(caller, identity)

    def prepare(self, caller: Caller, identity: str, meaning: str = "", reason: str = "") -> dict[str, Any]:
        """What an approval would keep, rendered to be looked at: a token for its PDF and for the signature."""
        self._open(caller, identity)
        made = plainly(lambda: self.register.prepare(identity, caller, meaning, reason))
        return {"signing": made.token, "document": made.document, "revision": str(made.revision), "version": made.version,
                "expires": made.expires.isoformat(), "bytes": len(made.pdf)}  # fmt: skip

    def prepared_pdf(self, caller: Caller, token: str) -> bytes:
        return plainly(lambda: self.register.store.blob(self.register.prepared(token, caller)[6]))

    def step(self, caller: Caller, identity: str, to: str, *, version: int | None = None, meaning: str = "", reason: str = "",
             password: str | None = None, signing: str = "") -> dict[str, Any]:  # fmt: skip
        """Take a step, named by itself or by the state that it leads to."""
        kept = self._open(caller, identity)

        def take() -> Kept:
            name = to if to in STEPS else step_to(kept.state, to)
            return self.register.take(
                name, identity, caller, version=version, meaning=meaning, reason=reason, password=password, signing=signing
            )

        after = plainly(take)
        return self.show(caller, identity, after.revision)

    # -- is it still so

    def verify(self, caller: Caller, identity: str, revision: int | None = None) -> dict[str, Any]:
        """Recompute every figure and passage, check every stored byte; `clean` when nothing has changed."""
        kept = self._open(caller, identity, revision)
        faults = [text for about, text in plainly(lambda: self.register.store.audit(identity)) if about in ("", identity)]
        try:
            store = self.register.store
            found = asdict(verify(store.tree(kept), store.proof(kept), self._assistant.plant, self._assistant.index, faults))
        except Exception as error:
            if not faults:
                raise translated(error) from error
            stored = [{"marker": "", "about": "stored", "sentence": text, "before": [], "now": []} for text in faults]
            found = {"document": identity, "revision": str(kept.revision), "statements": 0, "passages": 0, "findings": stored}
        plain: dict[str, Any] = json.loads(json.dumps(found))
        return {
            **plain,
            "clean": not plain["findings"],
            "status_of_document": kept.state,
            "checked": datetime.now(UTC).isoformat(timespec="seconds"),
        }

    def verify_all(self) -> list[str]:
        """Faults of everything that is kept: contents, records, signatures, the trail."""
        return [text for _, text in plainly(self.register.store.audit)]


def plainly(work: Callable[[], Done]) -> Done:
    """Run it; what the register refuses and what fails below becomes a Problem."""
    try:
        return work()
    except Refusal as refusal:
        raise _REFUSED[refusal.why](str(refusal)) from refusal
    except Problem:
        raise
    except Exception as error:
        problem = translated(error)
        if type(problem) is Problem:
            raise
        raise problem from error
