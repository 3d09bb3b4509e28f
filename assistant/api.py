"""The HTTP service: the contract's endpoints over one `Assistant`, and the files of the tablet page.

Who asks comes from the session (cookie, or bearer token of a program), never from a body. Answers run in a bounded
lane of threads, the store in another, pages in a worker process; the event loop itself only moves bytes. Every
failure leaves as application/problem+json with one sentence. tests/test_api.py proves each of these over a scripted
assistant; tests/test_ui.py drives the page in a browser.
"""

from __future__ import annotations

import contextlib
import ipaddress
import json
import logging
import time
from collections.abc import AsyncIterator, Callable, Collection
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Protocol, TypeVar

import anyio.to_thread
from fastapi import FastAPI, Query, Request
from fastapi import Path as InPath
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse, Response, StreamingResponse
from fastapi.staticfiles import StaticFiles
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection

from assistant import charts_api, coverage_api, documents_api, guided_api, identity_api, notes_api, tls_api, voice_api
from assistant.demo import PASSWORD as DEMO_PASSWORD
from assistant.guard import Guard
from assistant.identity_api import COOKIE, address_of, refuse_key, token_of, with_cookie
from assistant.pages import PagePictures
from assistant.problems import BadQuestion, NotAllowed, NotFound, NotSignedIn, Problem, translated
from assistant.streaming import HEARTBEAT_S, Lane, Report, Running, stream
from assistant.turn import Ask
from assistant.wire import ConfirmIn, FeedbackIn, LoginIn, QuestionIn, machines, person, plant_card
from tools.access import Caller, Policy

log = logging.getLogger("andon.service")

UI = Path(__file__).parent / "ui"
Done = TypeVar("Done")


class Served(Protocol):
    """What the service needs of an assistant; `assistant.app.Assistant` is the real one."""

    @property
    def settings(self) -> Any: ...
    @property
    def plant(self) -> Any: ...
    @property
    def index(self) -> Any: ...
    @property
    def store(self) -> Any: ...
    @property
    def policy(self) -> Policy: ...
    @property
    def voice(self) -> Any: ...
    @property
    def identity(self) -> Any: ...

    def ask(self, ask: Ask, on_event: Report | None = None, caller: Caller | None = None) -> dict[str, Any]: ...
    def confirm(self, token: str, caller: Caller, accept: bool) -> dict[str, Any]: ...
    def ready(self) -> dict[str, str]: ...


class ServiceMetrics:
    """Counters of one running service; labels hold statuses and stages, never words of a person."""

    def __init__(self, lane: Lane) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter("andon_http_requests", "HTTP responses", ["route", "code"], registry=self.registry)
        self.answers = Counter("andon_answers", "Answers by status", ["status"], registry=self.registry)
        buckets = (0.1, 0.25, 0.5, 1, 2, 5, 10, 20)
        self.seconds = Histogram(
            "andon_answer_seconds", "Seconds from question to answer", buckets=buckets, registry=self.registry
        )
        self.stages = Histogram(
            "andon_stage_seconds", "Seconds by stage of an answer", ["stage"], buckets=buckets, registry=self.registry
        )
        taken = Gauge("andon_questions_taken", "Questions under way and waiting", registry=self.registry)
        taken.set_function(lambda: lane.taken)

    def answered(self, answer: dict[str, Any]) -> None:
        self.answers.labels(answer.get("status", "")).inc()
        for stage, ms in (answer.get("ms") or {}).items():
            if stage == "total":
                self.seconds.observe(ms / 1000)
            else:
                self.stages.labels(stage).observe(ms / 1000)


class Service:
    """The handlers. One instance a process; `ROUTES` says which path each serves."""

    def __init__(self, assistant: Served, heartbeat_s: float = HEARTBEAT_S) -> None:
        self.assistant = assistant
        self.heartbeat_s = heartbeat_s
        self.lane = Lane(workers=2, waiting=int(assistant.settings.queue))
        self.pictures = PagePictures()
        self.metrics = ServiceMetrics(self.lane)
        self.begun = time.monotonic()

    def close(self) -> None:
        self.lane.close()
        self.pictures.close()

    # Who asks

    async def _known(self, request: HTTPConnection) -> Caller | None:
        token = token_of(request)
        if not token:
            return None
        caller: Caller | None = await _aside(self.assistant.identity.caller, token)
        return caller

    async def _caller(self, request: HTTPConnection) -> Caller:
        caller = await self._known(request)
        if caller is None:
            raise NotSignedIn("Nobody is signed in here; sign in first.")
        if request.url.path != "/api/password" and await _aside(self.assistant.store.must_change, caller.user):
            raise NotAllowed("Your password was set by somebody else; change it first.")
        refuse_key(caller, request)
        return caller

    async def login(self, request: Request, body: LoginIn) -> Response:
        """Sign in; some wrong passwords lock the account for a while."""
        signed = await _aside(self.assistant.identity.by_password, body.user.strip(), body.password, address_of(request))
        shown = {"user": person(signed.caller), "must_change": signed.must_change}
        if body.program:
            return JSONResponse({**shown, "token": signed.token})
        return with_cookie(JSONResponse(shown), request, signed)

    async def logout(self, request: Request) -> Response:
        token = token_of(request)
        if token:
            await _aside(self.assistant.store.close_session, token)
        response = Response(status_code=204)
        response.delete_cookie(COOKIE, httponly=True, samesite="strict")
        return response

    async def me(self, request: Request) -> Response:
        """Who is signed in; in a demo also whom one can be."""
        caller = await self._known(request)
        demo = bool(self.assistant.settings.demo)
        people = await _aside(self.assistant.store.callers) if demo else {}
        out = {
            "user": person(caller) if caller else None,
            "must_change": await _aside(self.assistant.store.must_change, caller.user) if caller else False,
            "tablet": await _aside(self.assistant.identity.is_tablet, request.cookies.get(identity_api.TABLET_COOKIE, "")),
            "demo": demo,
            "demo_password": DEMO_PASSWORD if demo else None,
            "users": [person(one) for one in people.values()],
            "plant": await _aside(plant_card, self.assistant.plant),
        }
        return JSONResponse(out, headers={"cache-control": "no-store"})

    # Questions

    async def _begin(self, request: Request, body: QuestionIn) -> Running:
        caller = await self._caller(request)
        self.assistant.identity.ask_slowly(token_of(request))
        if body.at is not None and not self.assistant.settings.demo:
            raise NotAllowed("Only a demo plant can be asked about another present moment.")
        limit = int(self.assistant.settings.question_characters)
        if len(body.question) > limit:
            raise BadQuestion(f"The question is longer than {limit:,} characters; ask it shorter.")
        if not any(character.isalnum() for character in body.question):
            raise BadQuestion("There is no question to read; type or say one.")
        equipment = body.equipment or None
        if equipment is not None and equipment not in self.assistant.plant.equipment:
            raise NotFound("This machine is not in the plant model; choose another one.")
        ask = Ask(
            question=body.question, user=caller.user, equipment=equipment, conversation=body.conversation,
            at=body.at, id=body.id,
        )  # fmt: skip

        def work(report: Report) -> dict[str, Any]:
            answer = self.assistant.ask(ask, on_event=report, caller=caller)
            self.metrics.answered(answer)
            return answer

        return self.lane.start(work)

    async def ask(self, request: Request, body: QuestionIn) -> Response:
        """One answer, whole."""
        running = await self._begin(request, body)
        try:
            while True:
                event = await running.event(1.0)
                if event is None:
                    if await request.is_disconnected():
                        return Response(status_code=499)
                elif event[0] == "answer":
                    return Response(event[1], media_type="application/json")
                elif event[0] == "problem":
                    return _problem_response(json.loads(event[1]))
        finally:
            running.cancel()

    async def ask_stream(self, request: Request, body: QuestionIn) -> Response:
        """The same answer as server-sent events: status, step, block, token, then answer or problem."""
        running = await self._begin(request, body)
        headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
        return StreamingResponse(stream(running, self.heartbeat_s), media_type="text/event-stream", headers=headers)

    async def conversation(self, request: Request, conversation: Annotated[str, InPath(max_length=100)]) -> Response:
        """The caller's own turns of a conversation, oldest first."""
        caller = await self._caller(request)
        turns = await _aside(self.assistant.store.conversation, conversation, caller.user)
        if not turns:
            raise NotFound("There is no such conversation of yours.")
        return JSONResponse({"conversation": conversation, "turns": turns})

    async def confirm(self, request: Request, token: Annotated[str, InPath(max_length=100)], body: ConfirmIn) -> Response:
        """Accept or decline what the assistant wants to do; each token once, by its own person."""
        caller = await self._caller(request)
        return JSONResponse(await _aside(self.assistant.confirm, token, caller, body.accept))

    async def feedback(self, request: Request, body: FeedbackIn) -> Response:
        """Whether an answer of one's own helped."""
        caller = await self._caller(request)
        turn = await _aside(self.assistant.store.turn, body.turn)
        if turn["user"] != caller.user:
            raise NotFound(f"There is no turn {body.turn}.")
        now = datetime.now(UTC)
        await _aside(self.assistant.store.add_feedback, body.turn, caller.user, body.helped, body.comment, now)
        return Response(status_code=204)

    # The plant and its documents

    async def equipment(self, request: Request) -> Response:
        """The machines of the plant, for the machine picker; those of the caller's own lines first."""
        caller = await self._caller(request)
        rows = await _aside(machines, self.assistant.plant)
        for row in rows:
            row["own"] = caller.scope.allows_line(row["line"])
        return JSONResponse({"equipment": sorted(rows, key=lambda row: (not row["own"], row["line"], row["id"]))})

    async def _source(self, request: Request, document: str, revision: str) -> Any:
        caller = await self._caller(request)
        verdict = self.assistant.policy.may_use(caller, "search_documents")
        if not verdict.allowed:
            raise NotAllowed(verdict.reason)
        shelf = self.assistant.policy.shelf(caller)
        for info in await _aside(self.assistant.index.documents):
            named = info.document == document and info.revision == revision and info.status != "quarantined"
            if named and shelf.holds(info.kind, info.access):
                return info
        raise NotFound(f"There is no document {document} with revision {revision}.")

    async def source(self, request: Request, document: str, revision: str) -> Response:
        """What a cited document is, and for one without pages its passages."""
        info = await self._source(request, document, revision)
        paged = Path(info.source).suffix.lower() == ".pdf"
        passages = [] if paged else await _aside(self.assistant.index.passages, document, revision)
        return JSONResponse({
            "document": info.document, "revision": info.revision, "title": info.title, "kind": info.kind,
            "status": info.status, "effective": info.effective.isoformat() if info.effective else None,
            "pages": info.pages if paged else 0,
            "passages": [{"section": p.anchor.section, "text": p.text} for p in passages[:500]],
        })  # fmt: skip

    async def page(
        self, request: Request, document: str, revision: str, page: Annotated[int, InPath(ge=1, le=100_000)],
        highlight: Annotated[str, Query(max_length=4000)] = "",
        longest_px: Annotated[int, Query(ge=400, le=3000, description="pixels along the longer side")] = 1684,
    ) -> Response:  # fmt: skip
        """A page as a picture, the passage `highlight` marked in it; `x-andon-*` headers say where and how surely."""
        info = await self._source(request, document, revision)
        if Path(info.source).suffix.lower() != ".pdf":
            raise NotFound("This document has no pages; its text is shown instead.")
        picture = await _aside(self.pictures.picture, Path(info.source), page, highlight, longest_px)
        headers = {
            "etag": f'"{picture.etag}"', "cache-control": "private, max-age=300",
            "x-andon-pages": str(picture.pages), "x-andon-found": picture.found,
            "x-andon-marks": ";".join(",".join(f"{v:.4f}" for v in mark) for mark in picture.marks[:100]),
        }  # fmt: skip
        if request.headers.get("if-none-match") == headers["etag"]:
            return Response(status_code=304, headers=headers)
        return Response(picture.png, media_type="image/png", headers=headers)

    # Running the service

    async def healthz(self) -> Response:
        """The process answers."""
        return JSONResponse({"status": "ok", "uptime_s": round(time.monotonic() - self.begun, 1)})

    async def readyz(self) -> Response:
        """Every part that answers need is there; 503 names the one that is not."""
        parts = await _aside(self.assistant.ready)
        ready = all(state in ("ok", "not used") for state in parts.values())
        return JSONResponse({"ready": ready, "parts": parts}, status_code=200 if ready else 503)

    async def metrics_text(self) -> Response:
        """Prometheus metrics."""
        return Response(generate_latest(self.metrics.registry), media_type=CONTENT_TYPE_LATEST)


#: (method, path, name of the handler); the page's files are mounted beside them.
ROUTES = (
    ("POST", "/api/ask", "ask"),
    ("POST", "/api/ask/stream", "ask_stream"),
    ("GET", "/api/conversations/{conversation}", "conversation"),
    ("POST", "/api/confirmations/{token}", "confirm"),
    ("POST", "/api/feedback", "feedback"),
    ("GET", "/api/equipment", "equipment"),
    ("GET", "/api/sources/{document}/{revision}/{page}.png", "page"),
    ("GET", "/api/sources/{document}/{revision}", "source"),
    ("POST", "/api/login", "login"),
    ("POST", "/api/logout", "logout"),
    ("GET", "/api/me", "me"),
    ("GET", "/healthz", "healthz"),
    ("GET", "/readyz", "readyz"),
    ("GET", "/metrics", "metrics_text"),
)


def create_app(assistant: Served, heartbeat_s: float = HEARTBEAT_S, names: Collection[str] = ()) -> FastAPI:
    """The ASGI application over an assistant; closing the assistant is left to whoever made it. `names` are the host names
    of its certificate, served beside the local ones."""
    service = Service(assistant, heartbeat_s)

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        service.close()

    app = FastAPI(title="Andon", docs_url=None, redoc_url=None, lifespan=lifespan, default_response_class=JSONResponse)
    for method, path, name in ROUTES:
        app.add_api_route(path, getattr(service, name), methods=[method], name=name, response_model=None)
    documents_api.add(app, assistant, service._caller, _aside)
    guided_api.add(app, assistant, service._caller, _aside)
    charts_api.add(app, service._caller, _aside)
    notes_api.add(app, assistant, service._caller, _aside)
    coverage_api.add(app, assistant, service._caller, _aside)
    identity_api.add(app, assistant, service._caller, _aside)
    tls_api.add(app, assistant)
    voice_api.add(app, service, _aside)
    app.add_api_route("/", _page, methods=["GET"], include_in_schema=False)
    app.mount("/ui", PageFiles(directory=UI), name="ui")
    app.add_exception_handler(Problem, _on_problem)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(Exception, _on_anything)

    @app.middleware("http")
    async def count(request: Request, proceed: Callable[[Request], Any]) -> Response:
        response: Response = await proceed(request)
        route = getattr(request.scope.get("route"), "path", "other")
        service.metrics.requests.labels(route, str(response.status_code)).inc()
        return response

    app.add_middleware(Guard, loopback=_loopback(str(assistant.settings.host)), names=names)
    app.state.service = service
    return app


class PageFiles(StaticFiles):
    """The page's files, asked for anew each time (and answered 304): a tablet never runs last month's script."""

    def file_response(self, *arguments: Any, **named: Any) -> Response:
        response = super().file_response(*arguments, **named)
        response.headers["cache-control"] = "no-cache"
        return response


async def _page() -> Response:
    return FileResponse(UI / "index.html", headers={"cache-control": "no-cache"})


async def _aside(function: Callable[..., Done], *arguments: Any) -> Done:
    """Run a blocking call in a thread; what packages below raise becomes a Problem."""

    def call() -> Done:
        try:
            return function(*arguments)
        except Problem:
            raise
        except Exception as error:
            problem = translated(error)
            if type(problem) is Problem:
                raise  # not foreseen: goes to the log, with its trace
            raise problem from error

    return await anyio.to_thread.run_sync(call)


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _problem_response(members: dict[str, Any], headers: dict[str, str] | None = None) -> Response:
    return JSONResponse(
        members, status_code=int(members["status"]), headers=headers, media_type="application/problem+json"
    )


async def _on_problem(_: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    retry = getattr(error, "retry_after_s", None)
    return _problem_response(error.as_json(), {"retry-after": str(retry)} if retry else None)


async def _on_invalid(_: Request, error: Exception) -> Response:
    """One sentence that names the field; what was sent is not repeated."""
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"] if part != "body") or "the body"
    return _problem_response(BadQuestion(f"The request cannot be read: {where}: {first['msg'].rstrip('.')}.").as_json())


async def _on_http(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    sentence = {404: "There is nothing at this address.", 405: "This address does not take that method."}
    return _problem_response({
        "type": "about:blank", "title": str(error.detail), "status": error.status_code,
        "detail": sentence.get(error.status_code, "The request was refused."), "addressee": "engineer",
    }, dict(error.headers or {}))  # fmt: skip


async def _on_anything(_: Request, error: Exception) -> Response:
    log.error("unforeseen failure of the service", exc_info=error)
    return _problem_response(translated(error).as_json())
