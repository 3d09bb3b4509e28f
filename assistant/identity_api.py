"""Signing in on shared tablets, and who may what, over HTTP: PIN and badge, tablets, users, keys of programs, the policy.

Everything that gives or takes access is the administrator's, from a session of their own, never from a key or a tablet's PIN.
Secrets leave once, in the answer that makes them. tests/test_identity.py.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Literal

from fastapi import FastAPI, Request
from fastapi import Path as InPath
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import HTTPConnection

from assistant.identity import SignedIn
from assistant.problems import NotAllowed
from assistant.wire import person
from tools.access import ROLES, Caller

Aside = Callable[..., Awaitable[Any]]
Who = Callable[[Request], Awaitable[Caller]]
Identity = Annotated[str, InPath(max_length=100)]

COOKIE = "andon_session"
TABLET_COOKIE = "andon_tablet"
_YEAR_S = 365 * 24 * 3600
_NO_STORE = {"cache-control": "no-store"}
#: What a program may do with its key beside reading: ask, hear, draw. Nothing that a person confirms, signs or decides.
_KEY_WRITES = frozenset(("/api/ask", "/api/ask/stream", "/api/charts.svg", "/api/transcribe"))


class PinIn(BaseModel):
    user: str = Field(max_length=100)
    pin: str = Field(max_length=20)


class BadgeIn(BaseModel):
    badge: str = Field(max_length=200, description="what the badge reader types")
    pin: str = Field("", max_length=20)


class TabletIn(BaseModel):
    name: str = Field(max_length=100, description="where it hangs")


class UserIn(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str = Field(max_length=200)
    role: Literal["operator", "technician", "supervisor", "quality", "administrator", "expert"]
    places: list[Annotated[str, Field(max_length=100)]] | None = Field(None, max_length=100, description="lines, `area:` or `site:` ids")


class QuickIn(BaseModel):
    pin: str | None = Field(None, max_length=20)
    badge: str | None = Field(None, max_length=200)


class KeyIn(BaseModel):
    model_config = ConfigDict(extra="forbid")
    user: str = Field(max_length=100)
    name: str = Field(min_length=1, max_length=100, description="the program")
    tools: list[Annotated[str, Field(max_length=60)]] | None = Field(None, max_length=40)
    days: int | None = Field(None, ge=1, le=3650)


def token_of(request: HTTPConnection) -> str:
    """The session token or key that a request carries, from cookie or header; "" without one."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return request.cookies.get(COOKIE) or (token.strip() if scheme.lower() == "bearer" else "")


def address_of(request: HTTPConnection) -> str:
    return request.client.host if request.client else ""


def with_cookie(response: Response, request: Request, signed: SignedIn) -> Response:
    """The session's cookie: out of reach of scripts and of other sites, over TLS alone where there is TLS."""
    secure = request.url.scheme == "https"
    response.set_cookie(COOKIE, signed.token, max_age=signed.seconds, httponly=True, samesite="strict", secure=secure)
    return response


def refuse_key(caller: Caller, request: HTTPConnection) -> None:
    """Raise NotAllowed where a program's key is not enough."""
    if caller.via == "key" and request.scope.get("method", "") not in ("GET", "HEAD") and request.url.path not in _KEY_WRITES:
        raise NotAllowed("A program's key asks and reads; what is confirmed, signed or decided wants a person.")


class IdentityRoutes:
    """The handlers; `who` gives the signed-in caller or raises, `aside` runs blocking work in a thread."""

    def __init__(self, assistant: Any, who: Who, aside: Aside) -> None:
        self._assistant, self._who, self._aside = assistant, who, aside

    async def _administrator(self, request: Request) -> str:
        caller = await self._who(request)
        if caller.role != "administrator" or caller.via != "session":
            raise NotAllowed("Users, tablets and keys are the administrator's.")
        return caller.user

    async def _signed(self, request: Request, name: str, *arguments: str) -> Response:
        tablet = request.cookies.get(TABLET_COOKIE, "")
        signed = await self._aside(lambda: getattr(self._assistant.identity, name)(*arguments, tablet, address_of(request)))
        return with_cookie(JSONResponse({"user": person(signed.caller), "must_change": False}, headers=_NO_STORE), request, signed)

    async def pin(self, request: Request, body: PinIn) -> Response:
        """Sign in with a PIN on an enrolled tablet; the session ends when nobody touches it for a while."""
        return await self._signed(request, "by_pin", body.user.strip(), body.pin)

    async def badge(self, request: Request, body: BadgeIn) -> Response:
        """Sign in with a badge on an enrolled tablet."""
        return await self._signed(request, "by_badge", body.badge, body.pin)

    async def rights(self, request: Request) -> Response:
        """What the signed-in person may do: tools, lines, documents, how they may sign in."""
        caller = await self._who(request)
        policy = self._assistant.policy
        shelf = policy.shelf(caller)
        return JSONResponse({
            "user": person(caller), "via": caller.via,
            "tools": sorted(tool for tool in policy.tools.get(caller.role, ()) if policy.may_use(caller, tool).allowed),
            "documents": {"access": sorted(shelf.access), "kinds": None if shelf.kinds is None else sorted(shelf.kinds)},
            "sign_in": sorted(policy.sign_in.get(caller.role, ())), "rank_people": policy.rank_people,
        }, headers=_NO_STORE)  # fmt: skip

    # The administrator's

    async def people(self, request: Request) -> Response:
        """Users with role and places."""
        await self._administrator(request)
        found = await self._aside(self._assistant.store.callers)
        return JSONResponse({"users": [person(one) for one in found.values()], "roles": list(ROLES)}, headers=_NO_STORE)

    async def put_person(self, request: Request, user: Identity, body: UserIn) -> Response:
        """Create or change a user. A new one's one-time password is in the answer, once."""
        by = await self._administrator(request)
        password = await self._aside(self._assistant.identity.put_user, user, body.name, body.role, body.places, by)
        return JSONResponse({"user": user, "one_time_password": password or None}, status_code=201 if password else 200, headers=_NO_STORE)

    async def remove_person(self, request: Request, user: Identity) -> Response:
        """Take every way in from somebody who has left."""
        by = await self._administrator(request)
        await self._aside(self._assistant.identity.remove_user, user, by)
        return Response(status_code=204)

    async def reset(self, request: Request, user: Identity) -> Response:
        """A one-time password for somebody who has forgotten theirs."""
        by = await self._administrator(request)
        password = await self._aside(self._assistant.identity.reset, user, by)
        return JSONResponse({"user": user, "one_time_password": password}, status_code=201, headers=_NO_STORE)

    async def put_quick(self, request: Request, user: Identity, body: QuickIn) -> Response:
        """Give somebody a PIN, a badge or both; with neither, take both."""
        by = await self._administrator(request)
        identity = self._assistant.identity
        if body.pin is None and body.badge is None:
            await self._aside(identity.clear_quick, user, by)
        if body.pin is not None:
            await self._aside(identity.set_pin, user, body.pin, by)
        if body.badge is not None:
            await self._aside(identity.set_badge, user, body.badge, by)
        return Response(status_code=204)

    async def tablets(self, request: Request) -> Response:
        """Enrolled tablets."""
        await self._administrator(request)
        return JSONResponse({"tablets": await self._aside(self._assistant.identity.enrolled)}, headers=_NO_STORE)

    async def enrol(self, request: Request, body: TabletIn) -> Response:
        """Enrol the tablet that asks: from now on PIN and badge work on it."""
        by = await self._administrator(request)
        tablet, token = await self._aside(self._assistant.identity.enrol, body.name, by)
        response = JSONResponse({"tablet": tablet}, status_code=201, headers=_NO_STORE)
        secure = request.url.scheme == "https"
        response.set_cookie(TABLET_COOKIE, token, max_age=_YEAR_S, httponly=True, samesite="strict", secure=secure)
        return response

    async def withdraw(self, request: Request, tablet: Identity) -> Response:
        """A tablet that is lost or moved: nobody signs in on it with PIN or badge any more."""
        by = await self._administrator(request)
        await self._aside(self._assistant.identity.withdraw_tablet, tablet, by)
        return Response(status_code=204)

    async def keys(self, request: Request) -> Response:
        """Keys of programs, without their secrets."""
        await self._administrator(request)
        return JSONResponse({"keys": await self._aside(self._assistant.identity.keys_made)}, headers=_NO_STORE)

    async def make_key(self, request: Request, body: KeyIn) -> Response:
        """Make a key; it is in the answer, once."""
        by = await self._administrator(request)
        key, secret = await self._aside(lambda: self._assistant.identity.make_key(body.user, body.name, by, body.tools, body.days))
        return JSONResponse({"key": key, "secret": secret}, status_code=201, headers=_NO_STORE)

    async def revoke(self, request: Request, key: Identity) -> Response:
        """Revoke a key, at once."""
        by = await self._administrator(request)
        await self._aside(self._assistant.identity.revoke_key, key, by)
        return Response(status_code=204)

    async def changes(self, request: Request) -> Response:
        """Who changed whose access, and whether the record of it holds."""
        await self._administrator(request)
        identity = self._assistant.identity
        broken = await self._aside(identity.verify)
        return JSONResponse({"changes": await self._aside(identity.changes_made), "broken": broken}, headers=_NO_STORE)


#: (method, path, name of the handler)
ROUTES = (
    ("POST", "/api/login/pin", "pin"),
    ("POST", "/api/login/badge", "badge"),
    ("GET", "/api/rights", "rights"),
    ("GET", "/api/users", "people"),
    ("PUT", "/api/users/{user}", "put_person"),
    ("DELETE", "/api/users/{user}", "remove_person"),
    ("POST", "/api/users/{user}/reset", "reset"),
    ("PUT", "/api/users/{user}/quick", "put_quick"),
    ("GET", "/api/tablets", "tablets"),
    ("POST", "/api/tablets", "enrol"),
    ("DELETE", "/api/tablets/{tablet}", "withdraw"),
    ("GET", "/api/keys", "keys"),
    ("POST", "/api/keys", "make_key"),
    ("DELETE", "/api/keys/{key}", "revoke"),
    ("GET", "/api/users-changes", "changes"),
)


def add(app: FastAPI, assistant: Any, who: Who, aside: Aside) -> None:
    """Add the routes to the service."""
    routes = IdentityRoutes(assistant, who, aside)
    for method, path, name in ROUTES:
        app.add_api_route(path, getattr(routes, name), methods=[method], name=f"identity {name}", response_model=None)
