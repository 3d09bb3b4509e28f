"""Answers off the event loop: a bounded lane of worker threads, and their events as a server-sent stream.

A question that finds the lane full is refused at once with a time to come back, so that load ends in refusals and
not in collapse. When the client leaves, the next event that the turn reports stops it. tests/test_api.py proves the
bound, the heartbeat and the stop.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from assistant.problems import Busy, ClientGone, Problem, translated

log = logging.getLogger("andon.service")

Report = Callable[[str, dict[str, Any]], None]
Work = Callable[[Report], dict[str, Any]]
Event = tuple[str, bytes]  # name, JSON

#: Proxies and tablets drop a silent connection after 30 to 60 s.
HEARTBEAT_S = 10.0


class Running:
    """One question under way. Its last event is `answer` or `problem`; `cancel` stops it at its next event."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._events: asyncio.Queue[Event] = asyncio.Queue()
        self._gone = threading.Event()

    def cancel(self) -> None:
        self._gone.set()

    def report(self, name: str, data: dict[str, Any]) -> None:
        """Called by the turn, from its thread."""
        if self._gone.is_set():
            raise ClientGone("Nobody waits for this answer any more.")
        wire = as_json(data)  # here and now: the turn goes on changing its blocks
        # The loop may already be closed when the service stops in the middle of an answer.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._events.put_nowait, (name, wire))

    async def event(self, timeout_s: float) -> Event | None:
        """The next event, or None when there was none for `timeout_s`."""
        try:
            return await asyncio.wait_for(self._events.get(), timeout_s)
        except TimeoutError:
            return None


class Lane:
    """`workers` answers at a time, `waiting` more in line; used from one event loop."""

    def __init__(self, workers: int, waiting: int) -> None:
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="answer")
        self._room = workers + waiting
        self._running: set[Running] = set()

    @property
    def taken(self) -> int:
        """Questions under way and waiting."""
        return len(self._running)

    def start(self, work: Work) -> Running:
        """Queue `work`. Raises Busy when the lane is full."""
        if len(self._running) >= self._room:
            raise Busy("Too many questions at once; ask again in a few seconds.")
        loop = asyncio.get_running_loop()
        running = Running(loop)
        self._running.add(running)

        def job() -> None:
            answered = False

            def report(name: str, data: dict[str, Any]) -> None:
                nonlocal answered
                answered = answered or name == "answer"
                running.report(name, data)

            try:
                running.report("status", {"stage": "begun"})
                answer = work(report)
                if not answered:
                    running.report("answer", answer)
            except ClientGone:
                pass
            except Exception as error:  # the boundary: whatever failed becomes one sentence for the person
                problem = translated(error)
                if type(problem) is Problem and not isinstance(error, Problem):
                    log.exception("a question failed")
                with contextlib.suppress(ClientGone):
                    running.report("problem", problem.as_json())
            finally:
                with contextlib.suppress(RuntimeError):
                    loop.call_soon_threadsafe(self._running.discard, running)

        try:
            self._pool.submit(job)
        except RuntimeError as error:  # the pool is shut down
            self._running.discard(running)
            raise Busy("The service is stopping; ask again in a moment.") from error
        return running

    def close(self) -> None:
        """Stop taking work and stop what runs at its next event."""
        for running in list(self._running):
            running.cancel()
        self._pool.shutdown(wait=False, cancel_futures=True)


def as_json(data: Any) -> bytes:
    """JSON in UTF-8; times and other plain values as text."""
    return json.dumps(data, ensure_ascii=False, default=str).encode()


def server_sent(name: str, wire: bytes) -> bytes:
    """One event in the wire format of the HTML standard; JSON never holds a raw line break."""
    return f"event: {name}\ndata: ".encode() + wire + b"\n\n"


async def stream(running: Running, heartbeat_s: float = HEARTBEAT_S) -> AsyncIterator[bytes]:
    """The events of a question until its answer or problem; a comment line when nothing happened for a while."""
    try:
        while True:
            event = await running.event(heartbeat_s)
            if event is None:
                yield b": waiting\n\n"
                continue
            yield server_sent(*event)
            if event[0] in ("answer", "problem"):
                return
    finally:
        running.cancel()
