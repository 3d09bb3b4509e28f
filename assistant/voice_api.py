"""Speech over HTTP: `POST /api/transcribe` for a recording, `POST /api/speech` for an answer read aloud, `WS /api/voice` for
a tablet that talks and listens.

The WebSocket takes PCM (signed 16-bit, one channel, 16 kHz) as binary messages and small JSON messages: `hello`, `press`,
`release`, `listen`, `wake`, `mute`, `spoken`, `guided`, `stop`. Who talks comes from the session cookie, as everywhere. A spoken
question goes through the same lane, rights and turn log as a typed one. What a client may send is bounded in size, in
pace and in number of clients; whoever breaks a bound gets one sentence and is cut off, and whoever vanishes leaves
nothing behind. No transcript reaches a log. tests/test_voice_api.py.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import time
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

import anyio
import anyio.to_thread
from fastapi import FastAPI, Request, WebSocket, WebSocketDisconnect
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException
from starlette.requests import ClientDisconnect

from assistant.identity_api import token_of
from assistant.problems import BadQuestion, Busy, ClientGone, NotFound, Problem, translated
from assistant.streaming import Report, Running
from assistant.turn import Ask
from assistant.voice.audio import LARGEST_BYTES, BadSound, Sound, SoundTooLong, as_wav, raw_form
from assistant.voice.ear import speech_of
from assistant.voice.parts import VoiceParts, transcription
from assistant.voice.session import Event, VoiceSession
from assistant.voice.transcriber import BYTES_A_SECOND
from tools.access import Caller

log = logging.getLogger("andon.voice")

#: Sound that a client may be ahead of the clock by, seconds: a stalled network catches up, a flood does not get in.
AHEAD_S = 12.0
#: One message holds at most a second of sound.
_MESSAGE_BYTES = BYTES_A_SECOND
_WAITING_MESSAGES = 60
_HELLO_S = 10.0
#: A tablet that sends neither sound nor word for so long is gone.
_IDLE_S = 300.0
_TYPES = ("audio/", "video/webm", "video/mp4", "video/ogg", "application/octet-stream", "application/ogg")


class SpeechIn(BaseModel):
    turn: str = Field(max_length=64, description="a turn of one's own, whose answer is read aloud")


class VoiceRoutes:
    """The handlers. `service` is the running service (its lane and its callers), `aside` runs blocking work in a thread."""

    def __init__(self, service: Any, aside: Callable[..., Awaitable[Any]]) -> None:
        self._service, self._aside = service, aside
        self._assistant = service.assistant
        self._talking = 0
        self._recordings = anyio.CapacityLimiter(2)

    @property
    def _voice(self) -> VoiceParts:
        parts: VoiceParts = self._assistant.voice
        return parts

    async def transcribe(self, request: Request) -> Response:
        """The words in a recording: the body itself, or a file of a form; `?equipment=` names the machine in front."""
        await self._service._caller(request)
        equipment = request.query_params.get("equipment", "")[:100]
        data, kind = await _body(request)
        raw = raw_form(kind)

        def work() -> dict[str, Any]:
            self._voice.require_ready()
            read = self._voice.reader.read
            sound: Sound = read(data, raw_rate_hz=raw[0], raw_channels=raw[1]) if raw else read(data)
            return transcription(self._voice.transcriber, sound, self._voice.listening(equipment))

        async with self._recordings:
            found = await self._aside(work)
        return JSONResponse(found, headers={"cache-control": "no-store"})

    async def speech(self, request: Request, body: SpeechIn) -> Response:
        """The answer of a turn of one's own, read aloud by this machine's voice (WAV)."""
        caller = await self._service._caller(request)
        turn = await self._aside(self._assistant.store.turn, body.turn)
        if turn["user"] != caller.user:
            raise NotFound(f"There is no turn {body.turn}.")
        text = speech_of(turn["record"])
        said = await self._aside(lambda: self._voice.speaker.say(text))
        return Response(said.wav, media_type="audio/wav", headers={"cache-control": "no-store"})

    async def voice(self, socket: WebSocket) -> None:
        """A tablet that talks and listens."""
        try:
            caller = await self._service._caller(socket)
        except Problem as problem:
            await socket.close(1008, problem.code)
            return
        await socket.accept()
        if self._talking >= int(self._assistant.settings.voice_sessions):
            await _goodbye(socket, Busy("Too many tablets are talking at once; type, or try again in a moment."), 1013)
            return
        self._talking += 1
        tablet = Tablet(socket, caller, self._service, self._voice)
        try:
            await tablet.run()
        finally:
            self._talking -= 1


async def _body(request: Request) -> tuple[bytes, str]:
    """The recording in a request and its content type. Raises BadSound, SoundTooLong, ClientGone."""
    kind = request.headers.get("content-type", "").lower()
    try:
        if kind.startswith("multipart/form-data"):
            async with request.form(max_files=1, max_fields=8) as form:
                file = next((part for part in form.values() if isinstance(part, UploadFile)), None)
                if file is None:
                    raise BadSound("There is no recording in this form; send it as a file.")
                return await file.read(LARGEST_BYTES + 1), (file.content_type or "").lower()
        if not kind.startswith(_TYPES):
            raise BadSound("This is no sound; send a recording with its type, such as audio/wav or audio/webm.")
        data = bytearray()
        async for piece in request.stream():
            data += piece
            if len(data) > LARGEST_BYTES:
                raise SoundTooLong(f"A recording has at most {LARGEST_BYTES // 2**20} MB; record it shorter.")
        return bytes(data), kind
    except (MultiPartException, ClientDisconnect) as error:
        raise BadSound("The recording did not arrive whole; send it again.") from error


class Tablet:
    """One WebSocket: reads what the tablet sends, feeds its session in a thread, carries out what the session asks."""

    def __init__(self, socket: WebSocket, caller: Caller, service: Any, parts: VoiceParts) -> None:
        self._socket, self._caller, self._service, self._parts = socket, caller, service, parts
        self._assistant = service.assistant
        self._inbox: asyncio.Queue[tuple[str, Any]] = asyncio.Queue(_WAITING_MESSAGES)
        self._put_back: list[tuple[str, Any]] = []
        self._session: VoiceSession | None = None
        self._equipment: str | None = None
        self._conversation: str | None = None
        self._speak = "browser"
        self._run = ""
        self._running: Running | None = None
        self._pump: asyncio.Task[None] | None = None
        self._kept = b""
        self._gone = False
        self._aside_tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Until the tablet leaves, or breaks a bound."""
        work: asyncio.Task[None] | None = None
        try:
            await self._hello()
            work = asyncio.create_task(self._work())
            await self._read(work)
        except Problem as problem:
            await self._end(problem)
        except (WebSocketDisconnect, RuntimeError, TimeoutError):
            pass  # it left, or never said hello
        finally:
            self._gone = True
            if self._running is not None:
                self._running.cancel()
            for task in (work, self._pump):
                if task is not None:
                    task.cancel()
                    with contextlib.suppress(asyncio.CancelledError, Exception):
                        await task
            if self._session is not None:
                await anyio.to_thread.run_sync(self._session.close)
            with contextlib.suppress(Exception):
                await self._socket.close()

    async def _hello(self) -> None:
        """The first message says where the tablet is and how it wants to be spoken to."""
        said = _control(await asyncio.wait_for(self._socket.receive(), _HELLO_S))
        if said is None or said.get("type") != "hello":
            raise BadQuestion("The first message says hello; reload the page.")
        self._place(said)
        hands_free = bool(said.get("hands_free"))
        keep = bool(getattr(self._assistant.settings, "keep_audio", False))

        def opened() -> VoiceSession:
            self._parts.require_ready()
            wake = self._parts.wake if hands_free else None
            return VoiceSession(
                self._parts.transcriber, self._parts.listening(self._equipment), wake=wake, hands_free=hands_free, keep_sound=keep
            )

        self._session = await _aside(opened)
        await self._carry(self._session.begin())

    def _place(self, said: dict[str, Any]) -> None:
        equipment = str(said.get("equipment") or "")[:100]
        self._equipment = equipment if equipment in self._assistant.plant.equipment else None
        self._conversation = str(said.get("conversation") or "")[:100] or None
        self._speak = str(said.get("speak") or "browser")
        self._run = str(said.get("run") or "")[:40]

    async def _read(self, work: asyncio.Task[None]) -> None:
        """What the tablet sends, in order, into the inbox. Raises Problem when it breaks a bound."""
        begun, heard_s = time.monotonic(), 0.0
        while not work.done():
            message = await asyncio.wait_for(self._socket.receive(), _IDLE_S)
            if message["type"] == "websocket.disconnect":
                return
            sound = message.get("bytes")
            if sound is not None:
                if len(sound) > _MESSAGE_BYTES:
                    raise SoundTooLong("Sound is sent in pieces of at most a second.")
                heard_s += len(sound) / BYTES_A_SECOND
                if heard_s > time.monotonic() - begun + AHEAD_S:
                    raise SoundTooLong("Sound came faster than anybody can speak; reload the page.")
                begun = max(begun, time.monotonic() - heard_s - AHEAD_S)  # silence now is no credit for a flood later
                if not self._inbox.full():  # an engine that is behind by seconds: what it cannot hear is let go, the line is not
                    self._inbox.put_nowait(("sound", sound))
                continue
            said = _control(message)
            if said is None:
                raise BadQuestion("This message cannot be read; reload the page.")
            await self._inbox.put(("said", said))
        work.result()

    async def _work(self) -> None:
        """Everything that moves the session, one after the other."""
        try:
            while True:
                kind, data = self._put_back.pop() if self._put_back else await self._inbox.get()
                if kind == "sound":
                    await self._step(partial(self._known.feed, self._piled_up(data)))
                elif kind == "said":
                    await self._told(data)
                elif kind == "answer":
                    self._keep(str(data.get("turn") or ""))
                    await self._step(partial(self._known.answered, data))
                elif kind == "failed":
                    await self._step(partial(self._known.failed, data))
        except Problem as problem:
            await self._end(problem)
        except (WebSocketDisconnect, RuntimeError):
            return  # it left while something was being sent
        except asyncio.CancelledError:
            raise
        except Exception as error:  # the boundary: whatever failed becomes one sentence for the person
            log.exception("a spoken conversation failed")
            await self._end(translated(error))

    def _piled_up(self, sound: bytes) -> bytes:
        """Sound with what has come in meanwhile: fewer, larger steps catch up with the clock."""
        out = bytearray(sound)
        while len(out) < _MESSAGE_BYTES and not self._inbox.empty():
            following = self._inbox.get_nowait()
            if following[0] != "sound":
                self._put_back.append(following)
                break
            out += following[1]
        return bytes(out)

    @property
    def _known(self) -> VoiceSession:
        assert self._session is not None
        return self._session

    async def _step(self, move: Callable[[], list[Event]]) -> None:
        await self._carry(await _aside(move))

    async def _told(self, said: dict[str, Any]) -> None:
        """A message of the tablet that is no sound."""
        session, kind = self._known, said.get("type")
        if kind == "hello":
            self._place(said)
        elif kind in ("press", "release", "listen", "wake", "spoken"):
            await self._step(getattr(session, str(kind)))
        elif kind == "mute":
            await self._step(lambda: session.mute(bool(said.get("on"))))
        elif kind == "stop":
            self._cancel()
            await self._step(session.spoken)
        elif kind == "guided":
            self._run = str(said.get("run") or "")[:40]
            shown = {"state": "running"} if self._run else None
            await self._step(lambda: session.guided(shown, ""))
        else:
            raise BadQuestion("This message is not known here; reload the page.")

    async def _carry(self, events: list[Event]) -> None:
        """Send events to the tablet; do what they ask for."""
        for event in events:
            if event.kind == "ask":
                self._ask(str(event.data["question"]))
            elif event.kind == "act":
                await self._act(str(event.data["token"]), bool(event.data["accept"]))
            elif event.kind == "guide":
                await self._guide(str(event.data["words"]))
            elif event.kind == "start":
                await self._start(event.data)
            elif event.kind == "cancel":
                self._cancel()
            elif event.kind == "sound":
                self._kept = bytes(event.data["pcm"])
            elif event.kind == "say":
                await self._say(str(event.data["text"]))
            else:
                await self._send({"type": event.kind, **event.data})

    # -- what the session asks for

    def _ask(self, question: str) -> None:
        """Put a question; its events go to the tablet as they come, its answer into the inbox."""
        self._cancel()
        caller, metrics = self._caller, self._service.metrics
        ask = Ask(question, caller.user, self._equipment, self._conversation, spoken=True)

        def work(report: Report) -> dict[str, Any]:
            answer: dict[str, Any] = self._assistant.ask(ask, on_event=report, caller=caller)
            metrics.answered(answer)
            return answer

        try:
            self._assistant.identity.ask_slowly(token_of(self._socket))
            self._running = self._service.lane.start(work)
        except Problem as problem:
            self._later("failed", problem.sentence)
            return
        self._pump = asyncio.create_task(self._pumped(question, self._running))

    async def _pumped(self, question: str, running: Running) -> None:
        with contextlib.suppress(WebSocketDisconnect, RuntimeError, ClientGone):
            await self._send({"type": "asked", "question": question})
            while True:
                event = await running.event(5.0)
                if event is None:
                    continue
                name, data = event[0], json.loads(event[1])
                await self._send({"type": "event", "name": name, "data": data})
                if name == "answer":
                    await self._inbox.put(("answer", data))
                    return
                if name == "problem":
                    await self._inbox.put(("failed", str(data.get("detail") or "")))
                    return

    def _later(self, kind: str, data: Any) -> None:
        """Into the inbox from the task that empties it, which must not wait for itself."""
        self._aside_tasks.add(task := asyncio.create_task(self._inbox.put((kind, data))))
        task.add_done_callback(self._aside_tasks.discard)

    def _cancel(self) -> None:
        if self._running is not None:
            self._running.cancel()
            self._running = None
        if self._pump is not None and not self._pump.done():
            self._pump.cancel()

    async def _act(self, token: str, accept: bool) -> None:
        """An action that its person has confirmed, or declined."""
        try:
            done = await _aside(lambda: self._assistant.confirm(token, self._caller, accept))
            await self._send({"type": "acted", **done})
            await self._step(lambda: self._known.acted(str(done.get("text") or "")))
        except Problem as problem:
            sentence = problem.sentence
            await self._step(lambda: self._known.failed(sentence))

    async def _start(self, what: Mapping[str, Any]) -> None:
        """Begin the procedure that the person has said yes to: the one that the answer showed, as it is effective now."""
        title, document, section = (str(what[key]) for key in ("title", "document", "section"))
        begin, equipment = self._parts.guided.start, self._equipment or ""
        try:
            shown = await _aside(lambda: begin(self._caller, title, equipment=equipment, document=document, section=section))
        except Problem as problem:
            sentence = problem.sentence
            await self._step(lambda: self._known.failed(sentence))
            return
        self._run = str(shown["run"])
        await self._send({"type": "run", "run": shown, "started": True})
        await self._step(lambda: self._known.guided(shown))

    async def _guide(self, words: str) -> None:
        """Words for the guided procedure that the tablet shows."""
        try:
            shown = await _aside(lambda: self._parts.guided.command(self._caller, self._run, {"words": words}))
        except Problem as problem:
            sentence = problem.sentence
            await self._step(lambda: self._known.failed(sentence))
            return
        await self._send({"type": "run", "run": shown})
        await self._step(lambda: self._known.guided(shown))

    async def _say(self, text: str) -> None:
        """Have the tablet speak, or speak for it: a browser with a voice of its own does it itself."""
        await self._send({"type": "say", "text": text, "by": self._speak})
        if self._speak != "server":
            return
        try:
            said = await _aside(lambda: self._parts.speaker.say(text))
        except Problem as problem:
            await self._send({"type": "advice", "text": problem.sentence})
            await self._step(self._known.spoken)
            return
        await self._send({"type": "speech", "seconds": round(said.seconds, 2)})
        await self._socket.send_bytes(said.wav)

    def _keep(self, turn: str) -> None:
        """Keep the sound of a question beside its turn, where the plant wants that."""
        sound, self._kept = self._kept, b""
        if not sound or not turn.isalnum():
            return
        folder = self._assistant.settings.home / "voice"
        folder.mkdir(mode=0o700, exist_ok=True)
        handle = os.open(folder / f"{turn}.wav", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as out:
            out.write(as_wav(sound))

    # -- sending

    async def _send(self, message: dict[str, Any]) -> None:
        if not self._gone:
            await self._socket.send_text(json.dumps(message, ensure_ascii=False, default=str))

    async def _end(self, problem: Problem) -> None:
        self._gone = True
        await _goodbye(self._socket, problem, 1008)


async def _goodbye(socket: WebSocket, problem: Problem, code: int) -> None:
    """One sentence, then the end."""
    with contextlib.suppress(WebSocketDisconnect, RuntimeError):
        await socket.send_text(json.dumps({**problem.as_json(), "type": "problem"}))
        await socket.close(code, problem.code)


def _control(message: Any) -> dict[str, Any] | None:
    """A JSON object of at most 4 kB, or None."""
    text = message.get("text")
    if text is None or len(text) > 4096:
        return None
    try:
        said = json.loads(text)
    except json.JSONDecodeError:
        return None
    return said if isinstance(said, dict) else None


async def _aside(function: Callable[[], Any]) -> Any:
    """Blocking work in a thread; failures of the packages below become Problems."""

    def call() -> Any:
        try:
            return function()
        except Problem:
            raise
        except Exception as error:
            problem = translated(error)
            if type(problem) is Problem:
                raise
            raise problem from error

    return await anyio.to_thread.run_sync(call)


def add(app: FastAPI, service: Any, aside: Callable[..., Awaitable[Any]]) -> None:
    """Put the routes of speech on the application."""
    routes = VoiceRoutes(service, aside)
    for path, name in (("/api/transcribe", "transcribe"), ("/api/speech", "speech")):
        app.add_api_route(path, getattr(routes, name), methods=["POST"], name=f"voice_{name}", response_model=None)
    app.add_api_websocket_route("/api/voice", routes.voice, name="voice")
