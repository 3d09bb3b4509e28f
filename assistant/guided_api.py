"""Guided procedures over HTTP: start one, see it, give it a command, get its record. Who acts is the session's person.
tests/test_guided_api.py.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import cached_property
from typing import Annotated, Any

from fastapi import FastAPI, Request
from fastapi import Path as InPath
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from tools.access import Caller

Aside = Callable[..., Awaitable[Any]]
Who = Callable[[Request], Awaitable[Caller]]
Identity = Annotated[str, InPath(max_length=40)]
_NO_STORE = {"cache-control": "no-store"}


class StartIn(BaseModel):
    """What is to be done, and where."""

    model_config = ConfigDict(extra="forbid")
    task: str = Field(min_length=2, max_length=500)
    equipment: str = Field("", max_length=120)
    product: str = Field("", max_length=120)
    skill: str = Field("", max_length=20)
    document: str = Field("", max_length=120, description="exactly this effective document ...")
    section: str = Field("", max_length=300, description="... and the section of it that holds the steps")


class CommandIn(BaseModel):
    """One command, by name or as spoken `words`. `seq` is the number of events that the device has seen."""

    model_config = ConfigDict(extra="forbid")
    command: str = Field("", max_length=20)
    words: str = Field("", max_length=500)
    seq: int | None = Field(None, ge=0)
    index: int = Field(0, ge=0, le=200)
    value: float | None = None
    reason: str = Field("", max_length=2000)
    photo: str = Field("", max_length=9_000_000, description="a picture as a data URL")
    user: str = Field("", max_length=120, description="the second person")
    password: str = Field("", max_length=200)


class GuidedRoutes:
    """The handlers; `who` gives the signed-in caller or raises, `aside` runs blocking work in a thread."""

    def __init__(self, assistant: Any, who: Who, aside: Aside) -> None:
        self._assistant, self._who, self._aside = assistant, who, aside

    @cached_property
    def _guided(self) -> Any:
        from assistant.guided import GuidedProcedures

        return GuidedProcedures(self._assistant)

    async def start(self, request: Request, body: StartIn) -> Response:
        """Start the approved procedure for a task. 201 with its first step."""
        caller = await self._who(request)
        shown = await self._aside(lambda: self._guided.start(caller, body.task, body.equipment, body.product, body.skill, body.document, body.section))
        return JSONResponse(shown, status_code=201, headers=_NO_STORE)

    async def runs(self, request: Request) -> Response:
        """Runs under way that the caller may see."""
        caller = await self._who(request)
        return JSONResponse({"runs": await self._aside(lambda: self._guided.mine(caller))}, headers=_NO_STORE)

    async def run(self, request: Request, run: Identity) -> Response:
        """A run where it stands."""
        caller = await self._who(request)
        return JSONResponse(await self._aside(lambda: self._guided.show(caller, run)), headers=_NO_STORE)

    async def command(self, request: Request, run: Identity, body: CommandIn) -> Response:
        """Give a run a command; the answer says whether it was taken."""
        caller = await self._who(request)
        given = body.model_dump()
        return JSONResponse(await self._aside(lambda: self._guided.command(caller, run, given)), headers=_NO_STORE)

    async def record(self, request: Request, run: Identity) -> Response:
        """The document that records a finished or stopped run."""
        caller = await self._who(request)
        return JSONResponse({"document": await self._aside(lambda: self._guided.record(caller, run))}, headers=_NO_STORE)


#: (method, path, name of the handler)
ROUTES = (
    ("POST", "/api/guided", "start"),
    ("GET", "/api/guided", "runs"),
    ("GET", "/api/guided/{run}", "run"),
    ("POST", "/api/guided/{run}/commands", "command"),
    ("POST", "/api/guided/{run}/record", "record"),
)


def add(app: FastAPI, assistant: Any, who: Who, aside: Aside) -> None:
    """Put the routes of guided procedures on the application."""
    routes = GuidedRoutes(assistant, who, aside)
    for method, path, name in ROUTES:
        app.add_api_route(path, getattr(routes, name), methods=[method], name=f"guided_{name}", response_model=None)
