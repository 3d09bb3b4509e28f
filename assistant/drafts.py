"""Drafted documents for the command line and HTTP: draft one, show its state, give its content in a format.

A draft was made under its author's rights, so it is shown to its author and to people who see the whole site.
tests/test_documents.py asks as everybody for everybody's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from assistant.periods import read_period
from assistant.problems import BadQuestion, NotAllowed, NotFound, translated
from tools.access import Caller
from tools.documents import FORMATS, Document, open_document, render
from tools.registry import BadArgument, Call, run

if TYPE_CHECKING:
    from assistant.app import Assistant

_NAMED = ("equipment", "line", "product", "lot", "variant", "shift")


class Drafts:
    """The documents of one assistant."""

    def __init__(self, assistant: Assistant) -> None:
        self._assistant = assistant

    def draft(self, caller: Caller, kind: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Draft a document; the answer's status tells whether there is one. Raises BadQuestion for wrong arguments."""
        assistant = self._assistant
        call = Call(
            caller=caller, now=assistant.now(), plant=assistant.plant, index=assistant.index, policy=assistant.policy,
            stores={"store": assistant.store, "documents": assistant.settings.documents},
        )  # fmt: skip
        try:
            step = run(assistant.tools["draft_document"], call, {"kind": kind, **self._resolved(call, arguments)})
        except BadArgument as error:
            raise BadQuestion(f"A draft does not know the argument {str(error).rpartition(': ')[2]}.") from error
        result = step.result
        if result.status != "answered":
            return {"status": result.status, "text": result.message, "document": None}
        return {"status": "answered", "assumed": list(result.assumed), **self.show(caller, result.data["document"])}

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

    def _open(self, caller: Caller, identity: str) -> Document:
        try:
            document = open_document(self._assistant.settings.documents, identity)
        except (KeyError, ValueError) as error:
            raise NotFound(f"There is no document {identity}.") from error
        if caller.role == "administrator":
            raise NotAllowed("An administrator manages users and settings and sees no plant data.")
        if caller.scope.lines is not None and caller.user != document.author_id:
            raise NotFound(f"There is no document {identity}.")
        return document

    def show(self, caller: Caller, identity: str) -> dict[str, Any]:
        """The document's state: id, kind, title, status, what it is about, its sources and hash."""
        document = self._open(caller, identity)
        return {
            "document": document.id, "kind": document.kind, "title": document.title, "status_of_document": document.status,
            "revision": document.revision, "created": document.created, "author": document.author,
            "scope": [list(pair) for pair in document.scope], "sources": len(document.sources), "sha256": document.sha256,
            "formats": list(FORMATS),
        }  # fmt: skip

    def rendered(self, caller: Caller, identity: str, form: str) -> bytes:
        """The document's content in a format. Raises NotFound, Unavailable."""
        if form not in FORMATS:
            raise BadQuestion(f"There is no format {form}; there are {', '.join(FORMATS)}.")
        document = self._open(caller, identity)
        try:
            return render(document, form)
        except Exception as error:
            raise translated(error) from error
