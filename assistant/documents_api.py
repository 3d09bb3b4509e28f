"""Documents over HTTP: draft, list, read, compare, edit, sign, verify, and the trail.

Who asks is the session's person, never a member of a body; a signature asks for that person's password again, in the
body of the step that it signs. The PDF of an approved document is served as the bytes that were signed.
tests/test_drafts.py.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import FastAPI, Query, Request
from fastapi import Path as InPath
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from assistant.guard import DOCUMENT_POLICY
from assistant.identity_api import token_of
from assistant.problems import NotAllowed, Unavailable
from tools.access import Caller

Aside = Callable[..., Awaitable[Any]]
Who = Callable[[Request], Awaitable[Caller]]
Identity = Annotated[str, InPath(max_length=120)]
Revision = Annotated[int | None, Query(ge=1, le=100_000)]

MEDIA = {
    "md": "text/markdown; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "pdf": "application/pdf",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
}
_NO_STORE = {"cache-control": "no-store"}


class DocumentIn(BaseModel):
    """What to draft; everything beside `kind` is an argument of the tool: equipment, line, product, lot, period ..."""

    model_config = ConfigDict(extra="allow")
    kind: str = Field(max_length=60)


class StepIn(BaseModel):
    """A step of the life: `to` is the state that it leads to, or the step's name. `version` is the one looked at."""

    to: str = Field(max_length=40)
    version: int | None = None
    meaning: str = Field("", max_length=200)
    reason: str = Field("", max_length=2000)
    password: str | None = Field(None, max_length=200)
    signing: str = Field("", max_length=100, description="the token of the PDF that was shown for signing")


class EditIn(BaseModel):
    section: str = Field(max_length=300)
    text: str = Field(max_length=20_000)
    version: int | None = None
    reason: str = Field("", max_length=2000)


class ReasonIn(BaseModel):
    meaning: str = Field("", max_length=200)
    reason: str = Field("", max_length=2000)


class PasswordIn(BaseModel):
    old: str = Field(max_length=200)
    new: str = Field(max_length=200)


class DocumentRoutes:
    """The handlers; `who` gives the signed-in caller or raises, `aside` runs blocking work in a thread."""

    def __init__(self, assistant: Any, who: Who, aside: Aside) -> None:
        self._assistant = assistant
        self._who = who
        self._aside = aside

    def _documents(self) -> Any:
        documents = getattr(self._assistant, "documents", None)
        if documents is None:
            raise Unavailable("Documents are not set up in this plant; ask the administrator.")
        return documents

    async def _do(self, request: Request, name: str, *arguments: Any, **named: Any) -> Any:
        """One call of `assistant.drafts` for the signed-in person."""
        caller = await self._who(request)
        return await self._aside(lambda: getattr(self._documents(), name)(caller, *arguments, **named))

    async def draft(self, request: Request, body: DocumentIn) -> Response:
        """Draft a document of a kind. 201 with the document, or 200 with a status and a sentence where there is none."""
        caller = await self._who(request)
        verdict = self._assistant.policy.may_use(caller, "draft_document")
        if not verdict.allowed:
            raise NotAllowed(verdict.reason)
        drafted = await self._do(request, "draft", body.kind, body.model_extra or {})
        return JSONResponse(drafted, status_code=201 if drafted.get("document") else 200)

    async def listed(
        self, request: Request, state: Annotated[str, Query(max_length=20)] = "", kind: Annotated[str, Query(max_length=60)] = "",
        mine: bool = False,
    ) -> Response:  # fmt: skip
        """Documents that the caller may see, newest change first."""
        return JSONResponse({"documents": await self._do(request, "listed", state, kind, mine)}, headers=_NO_STORE)

    async def document(self, request: Request, document: Identity, revision: Revision = None) -> Response:
        """A document: its state without a suffix, its content with .md, .html, .pdf or .docx."""
        name, dot, suffix = document.rpartition(".")
        if not (dot and suffix in MEDIA):
            return JSONResponse(await self._do(request, "show", document, revision), headers=_NO_STORE)
        content = await self._do(request, "rendered", name, suffix, revision)
        headers = {"content-disposition": f'inline; filename="{_plain_name(name)}.{suffix}"', **_NO_STORE}
        if suffix == "html":
            headers["content-security-policy"] = DOCUMENT_POLICY
        return Response(content, media_type=MEDIA[suffix], headers=headers)

    async def content(self, request: Request, document: Identity, revision: Revision = None) -> Response:
        """The sections of a document with their words, for the page's editor: {title, words, lines} each."""
        tree = await self._do(request, "tree", document, revision)
        return JSONResponse({"sections": await self._aside(_sections, tree)}, headers=_NO_STORE)

    async def transitions(self, request: Request, document: Identity, body: StepIn) -> Response:
        """Take a step; where it is signed, `password` is the caller's own."""
        return JSONResponse(await self._do(
            request, "step", document, body.to, version=body.version, meaning=body.meaning, reason=body.reason,
            password=body.password, signing=body.signing,
        ))  # fmt: skip

    async def signing(self, request: Request, document: Identity, body: ReasonIn) -> Response:
        """Prepare the PDF that an approval would keep, to be looked at before it is signed."""
        return JSONResponse(await self._do(request, "prepare", document, body.meaning, body.reason), status_code=201)

    async def shown(self, request: Request, token: Annotated[str, InPath(max_length=100)]) -> Response:
        """The PDF that was prepared under this token, for the person who asked for it."""
        return Response(await self._do(request, "prepared_pdf", token), media_type=MEDIA["pdf"], headers=_NO_STORE)

    async def edit(self, request: Request, document: Identity, body: EditIn) -> Response:
        """Replace the words of one section of a draft."""
        return JSONResponse(await self._do(request, "edit", document, body.section, body.text, body.version, body.reason))

    async def revise(self, request: Request, document: Identity, body: ReasonIn) -> Response:
        """A new draft revision beside the one in force."""
        return JSONResponse(await self._do(request, "revise", document, body.reason), status_code=201)

    async def differences(
        self, request: Request, document: Identity, left: Annotated[int | None, Query(alias="from", ge=1)] = None,
        right: Annotated[int | None, Query(alias="to", ge=1)] = None,
    ) -> Response:  # fmt: skip
        """Two revisions side by side."""
        return JSONResponse(await self._do(request, "compared", document, left, right), headers=_NO_STORE)

    async def verify(self, request: Request, document: Identity, revision: Revision = None) -> Response:
        """Compute and look up everything again; `clean` when nothing has changed."""
        return JSONResponse(await self._do(request, "verify", document, revision), headers=_NO_STORE)

    async def trail(
        self, request: Request, document: Annotated[str, Query(max_length=120)] = "", user: Annotated[str, Query(max_length=100)] = "",
        action: Annotated[str, Query(max_length=40)] = "", since: Annotated[str, Query(max_length=40)] = "",
        until: Annotated[str, Query(max_length=40)] = "", form: Annotated[str, Query(alias="format", pattern="^(json|csv)$")] = "json",
    ) -> Response:  # fmt: skip
        """The audit trail, filtered, as JSON or CSV."""
        wanted = {"user": user, "action": action, "since": since, "until": until}
        if form == "csv":
            text = await self._do(request, "trail_csv", document, **wanted)
            headers = {**_NO_STORE, "content-disposition": 'attachment; filename="trail.csv"'}
            return Response(text, media_type="text/csv; charset=utf-8", headers=headers)
        entries = await self._do(request, "trail", document, **wanted)
        return JSONResponse({"entries": [asdict(entry) for entry in entries]}, headers=_NO_STORE)

    async def password(self, request: Request, body: PasswordIn) -> Response:
        """The signed-in person changes their own password."""
        caller = await self._who(request)
        await self._aside(lambda: self._assistant.identity.change_password(caller.user, body.old, body.new, token_of(request)))
        return Response(status_code=204)


#: (method, path, name of the handler)
ROUTES = (
    ("POST", "/api/documents", "draft"),
    ("GET", "/api/documents", "listed"),
    ("GET", "/api/documents/{document}", "document"),
    ("GET", "/api/documents/{document}/content", "content"),
    ("POST", "/api/documents/{document}/transitions", "transitions"),
    ("POST", "/api/documents/{document}/signing", "signing"),
    ("POST", "/api/documents/{document}/edits", "edit"),
    ("POST", "/api/documents/{document}/revisions", "revise"),
    ("GET", "/api/documents/{document}/differences", "differences"),
    ("POST", "/api/documents/{document}/verify", "verify"),
    ("GET", "/api/signings/{token}.pdf", "shown"),
    ("GET", "/api/trail", "trail"),
    ("POST", "/api/password", "password"),
)


def add(app: FastAPI, assistant: Any, who: Who, aside: Aside) -> None:
    """Add the routes to the service."""
    routes = DocumentRoutes(assistant, who, aside)
    for method, path, name in ROUTES:
        app.add_api_route(path, getattr(routes, name), methods=[method], name=f"documents {name}", response_model=None)


def _sections(tree: Any) -> list[dict[str, Any]]:
    from tools.documents.differences import lines_of
    from tools.documents.editing import words_of

    return [{"title": section.title, "words": words_of(section), "lines": lines_of(section)} for section in tree.sections]


def _plain_name(text: str) -> str:
    return "".join(c if c.isascii() and (c.isalnum() or c in "-_.") else "_" for c in text)
