"""What stands between the network and the service: size limits, same-origin writes, known hosts, response headers.

A plain ASGI layer (streams pass through it untouched). Refusals are problem+json like everything else; a WebSocket from
another page's script, to which the browser would add the cookie all the same, is refused before it opens.
tests/test_api.py tries foreign origins, rebound host names, bodies with and without a length, and reads the headers;
tests/test_voice_api.py does so for WebSockets.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Awaitable, Callable, Collection, MutableMapping
from typing import Any
from urllib.parse import urlsplit

from assistant.problems import NotAllowed, Problem, TooLarge

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

#: A question has at most 4,000 characters; nothing that the service accepts is longer than this, but for
BODY_BYTES = 64 * 1024
_TOO_LONG = "This is too long; a question has at most 4,000 characters."
#: recordings, and commands of a guided procedure, which may hold a photo: address (prefix), bytes, sentence.
LARGER = (
    ("/api/transcribe", 24 * 1024 * 1024 + 8192, "This recording is too long; it has at most two minutes and 24 MB."),
    ("/api/guided/", 9 * 1024 * 1024, "This is too large; a photo has at most 6 MB."),
)


def limit_of(path: str) -> tuple[int, str]:
    """How many bytes a body sent to an address may have, and what is said of more."""
    return next(((most, words) for start, most, words in LARGER if path.startswith(start)), (BODY_BYTES, _TOO_LONG))

#: Scripts and styles come from this service alone; inline code, frames and foreign addresses do not exist.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
    "manifest-src 'self'; worker-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
#: A drafted document is shown as it was rendered, without any script, whatever a plant's data put into it.
DOCUMENT_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox; frame-ancestors 'self'"

HEADERS = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(self), usb=()",
}

_SAFE = frozenset(("GET", "HEAD", "OPTIONS"))


class Guard:
    """The ASGI layer. `loopback`: the service listens on this machine only, so only its local names are served, and
    `names`, those of its certificate; a web page that points its own host name at 127.0.0.1 gets nothing."""

    def __init__(self, app: Callable[[Scope, Receive, Send], Awaitable[None]], loopback: bool = False, names: Collection[str] = ()) -> None:
        self._app = app
        self._loopback = loopback
        self._names = frozenset(names)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        most, words = limit_of(scope["path"])
        method = scope.get("method", "CONNECT")  # a WebSocket is no reading: it is held to its origin like a POST
        problem = self._refusal(method, scope["scheme"], headers, most, words)
        if scope["type"] == "websocket":
            if problem is None:
                await self._app(scope, receive, send)
            else:
                await send({"type": "websocket.close", "code": 1008, "reason": "refused"})
            return
        if problem is not None:
            await _respond(problem, _with_headers(send))
            return
        body = _Body(receive, most, words)
        await self._app(scope, body.receive, body.refusing(_with_headers(send)))

    def _refusal(self, method: str, scheme: str, headers: dict[str, str], most: int, words: str) -> Problem | None:
        host = headers.get("host", "")
        if self._loopback and not _is_local(host) and (urlsplit(f"//{host}").hostname or "") not in self._names:
            return NotAllowed("This service answers on this machine only; open it as http://127.0.0.1.")
        length = headers.get("content-length", "0")
        if not length.isdigit() or int(length) > most:
            return TooLarge(words)
        if method not in _SAFE and not _same_origin(scheme, host, headers):
            return NotAllowed("This request came from another web page; open Andon itself and try again.")
        return None


def _same_origin(scheme: str, host: str, headers: dict[str, str]) -> bool:
    """Browsers say where a request comes from; a client that says nothing is a program, not another page."""
    site = headers.get("sec-fetch-site")
    if site is not None and site not in ("same-origin", "none"):
        return False
    origin = headers.get("origin")
    if origin is None:
        return True
    parts = urlsplit(origin)
    return parts.netloc == host and parts.scheme in ("http", "https")


def _is_local(host: str) -> bool:
    name = urlsplit(f"//{host}").hostname or ""
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


class _Body:
    """A body without a declared length is cut off where it grows too long, whatever the service then makes of it."""

    def __init__(self, receive: Receive, most: int, words: str) -> None:
        self._receive, self._most, self._words = receive, most, words
        self._taken = 0
        self._refused = False

    async def receive(self) -> Message:
        message = await self._receive()
        self._taken += len(message.get("body", b""))
        if self._taken > self._most:
            return {"type": "http.disconnect"}
        return message

    def refusing(self, send: Send) -> Send:
        async def sending(message: Message) -> None:
            if self._taken <= self._most:
                await send(message)
            elif not self._refused:
                self._refused = True
                await _respond(TooLarge(self._words), send)

        return sending


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            present = {name.lower() for name, _ in message.get("headers", [])}
            extra = [(n.encode(), v.encode()) for n, v in HEADERS.items() if n.encode() not in present]
            message = {**message, "headers": [*message.get("headers", []), *extra]}
        await send(message)

    return sending


async def _respond(problem: Problem, send: Send) -> None:
    body = json.dumps(problem.as_json()).encode()
    headers = [(b"content-type", b"application/problem+json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": problem.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
