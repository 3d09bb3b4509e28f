"""Coverage over HTTP: what knowledge there is and what is missing, for the role quality; administrators, who see no plant
data, get the documents and machines without the alarms of the MES. tests/test_coverage_api.py."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Literal

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response

from assistant.problems import NotAllowed
from tools.access import Caller

Who = Callable[[Request], Awaitable[Caller]]
Aside = Callable[..., Awaitable[Any]]
_HEADERS = {"cache-control": "no-store"}


def add(app: FastAPI, assistant: Any, who: Who, aside: Aside) -> None:
    """Add the route to the service."""

    async def coverage(request: Request, form: Literal["json", "html"] = "json") -> Response:
        """Documents by machine, alarms without an entry, documents that name no machine or none there is, refused files."""
        caller = await who(request)
        if caller.role not in ("quality", "administrator"):
            raise NotAllowed("What knowledge is missing is for the role quality and for administrators.")
        made: Response = await aside(_made, assistant, caller, form)
        return made

    app.add_api_route("/api/coverage", coverage, methods=["GET"], name="coverage", response_model=None)


def _made(assistant: Any, caller: Caller, form: str) -> Response:
    from assistant.coverage import gathered
    from ingest.coverage import as_html, as_json

    found = gathered(assistant, caller)
    if form == "html":
        return HTMLResponse(as_html(found), headers=_HEADERS)
    return JSONResponse(as_json(found), headers=_HEADERS)
