"""Field notes over HTTP: write one, list, review. Who writes or decides is the session's person, never a member of a
body. tests/test_notes_api.py."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Literal

from fastapi import FastAPI, Query, Request
from fastapi import Path as InPath
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field

from assistant.problems import Unavailable
from tools.access import Caller
from tools.gaps import LEAST_TIMES
from tools.notes import MOST_MINUTES, Said

Who = Callable[[Request], Awaitable[Caller]]
Aside = Callable[..., Awaitable[Any]]
Identity = Annotated[str, InPath(max_length=40)]
_NO_STORE = {"cache-control": "no-store"}


class NoteIn(BaseModel):
    """What fixed it. With `turn` (an answer of one's own), alarm, symptom and machine may be left out."""

    action: str = Field(max_length=2000, description="what was done, in the person's own words")
    turn: str = Field("", max_length=64)
    helped: bool | None = Field(None, description="whether the answer's advice helped")
    equipment: str = Field("", max_length=100)
    alarm: str = Field("", max_length=100)
    symptom: str = Field("", max_length=2000)
    parts: str = Field("", max_length=1000)
    minutes: int | None = Field(None, ge=0, le=MOST_MINUTES)


class DecisionIn(BaseModel):
    to: Literal["accept", "reject", "withdraw"]
    reason: str = Field("", max_length=1000)


class DraftIn(BaseModel):
    candidate: str = Field(max_length=40)


class NoteRoutes:
    """The handlers; `who` gives the signed-in caller or raises, `aside` runs blocking work in a thread."""

    def __init__(self, assistant: Any, who: Who, aside: Aside) -> None:
        self._assistant, self._who, self._aside = assistant, who, aside

    def _notes(self) -> Any:
        notes = getattr(self._assistant, "notes", None)
        if notes is None:
            raise Unavailable("Field notes are not set up in this plant; ask the administrator.")
        return notes

    async def _do(self, request: Request, name: str, *arguments: Any) -> Any:
        caller = await self._who(request)
        return await self._aside(lambda: getattr(self._notes(), name)(caller, *arguments))

    async def write(self, request: Request, body: NoteIn) -> Response:
        """Keep what fixed it as a note that waits for somebody's review."""
        helped: Any = {True: "yes", False: "no", None: ""}[body.helped]
        said = Said(body.action, body.symptom, body.alarm, body.equipment, body.parts, body.minutes, helped, body.turn)
        return JSONResponse(await self._do(request, "write", said), status_code=201)

    async def listed(self, request: Request, state: Annotated[str, Query(max_length=20)] = "", mine: bool = False) -> Response:
        """Notes that the caller may see, newest first, with the steps that the caller may take, and whether they review."""
        notes = await self._do(request, "listed", state, mine)
        return JSONResponse({"notes": notes, "reviews": await self._do(request, "may_review")}, headers=_NO_STORE)

    async def offers(self, request: Request, turn: Annotated[str, Query(max_length=64)]) -> Response:
        """What can be tapped after an answer: fixes seen before, and minutes."""
        return JSONResponse(await self._do(request, "offers", turn), headers=_NO_STORE)

    async def candidates(self, request: Request, least: Annotated[int, Query(ge=2, le=1000)] = LEAST_TIMES) -> Response:
        """What procedures are missing for: repeated fixes and unanswered questions, for the role quality."""
        return JSONResponse(await self._do(request, "candidates", least), headers=_NO_STORE)

    async def draft(self, request: Request, body: DraftIn) -> Response:
        """Draft the guide for a repeated fix. 201 with the document, or 200 with a status and a sentence."""
        made = await self._do(request, "draft", body.candidate)
        return JSONResponse(made, status_code=201 if made.get("document") else 200)

    async def note(self, request: Request, note: Identity) -> Response:
        """One note with its trail."""
        return JSONResponse(await self._do(request, "show", note), headers=_NO_STORE)

    async def decide(self, request: Request, note: Identity, body: DecisionIn) -> Response:
        """Accept, reject (with a reason) or withdraw a note."""
        return JSONResponse(await self._do(request, "take", body.to, note, body.reason))


#: (method, path, name of the handler); fixed paths before `{note}`.
ROUTES = (
    ("POST", "/api/notes", "write"),
    ("GET", "/api/notes", "listed"),
    ("GET", "/api/notes/offers", "offers"),
    ("GET", "/api/notes/candidates", "candidates"),
    ("POST", "/api/notes/candidates", "draft"),
    ("GET", "/api/notes/{note}", "note"),
    ("POST", "/api/notes/{note}/transitions", "decide"),
)


def add(app: FastAPI, assistant: Any, who: Who, aside: Aside) -> None:
    """Add the routes to the service."""
    routes = NoteRoutes(assistant, who, aside)
    for method, path, name in ROUTES:
        app.add_api_route(path, getattr(routes, name), methods=[method], name=f"notes {name}", response_model=None)
