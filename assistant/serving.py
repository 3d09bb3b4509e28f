"""Serving over HTTP: checks before the first byte, one uvicorn process, a lock so that a folder is served once.

Refuses, with one sentence, an address beyond this machine without TLS or with the demo's passwords, and a state
folder that another process serves already. tests/test_serving.py, tests/test_tls.py.
"""

from __future__ import annotations

import fcntl
import ipaddress
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from assistant.app import Assistant
from assistant.problems import BadSettings, Conflict, NotAllowed, Unavailable
from assistant.settings import Settings
from assistant.voice.transcriber import SpeechUnavailable

#: Largest message of a WebSocket, bytes: two seconds of sound.
WEBSOCKET_BYTES = 64 * 1024


def is_loopback(host: str) -> bool:
    """True for addresses that only this machine can reach."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def refuse_exposed(assistant: Assistant) -> None:
    """Raise NotAllowed for an address that others can reach, without TLS or with the demo's passwords, which are public."""
    host = assistant.settings.host
    if not assistant.settings.demo and assistant.store.has_demo_passwords():
        raise NotAllowed("Somebody here still has one of the demo's passwords, which are public; `andon users --reset ID` gives them their own.")
    if is_loopback(host):
        return
    if assistant.settings.demo or assistant.store.has_demo_passwords():
        raise NotAllowed(f"The demo's passwords are public, so it is served on this machine only, not on {host}.")
    if certificate_of(assistant.settings) is None:
        raise NotAllowed(f"Serving on {host} needs TLS; `andon tls init` makes a certificate, or put a TLS proxy in front and serve on 127.0.0.1.")


def certificate_of(settings: Settings) -> tuple[Path, Path] | None:
    """Certificate and key to serve with: those of the settings, else what `andon tls init` made when others are to reach
    the service; None serves without TLS. Raises BadSettings when they cannot be used."""
    from assistant.tls import files_of, trouble_with

    made = files_of(settings.home)
    named = settings.tls_cert, settings.tls_key
    if (named[0] is None) != (named[1] is None):
        raise BadSettings("tls_cert and tls_key go together; name both.")
    if named[0] is None or named[1] is None:
        if is_loopback(settings.host) or not made.certificate.exists():
            return None
        named = made.certificate, made.key
    assert named[0] is not None
    assert named[1] is not None
    trouble = trouble_with(named[0], named[1])
    if trouble:
        raise BadSettings(trouble)
    return named[0], named[1]


@contextmanager
def locked(home: Path) -> Iterator[None]:
    """Hold the state folder for serving. Raises Conflict when another process does."""
    handle = os.open(home / "serve.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        for tried in range(5):  # a command that only looks holds it for a moment
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if tried == 4:
                    raise Conflict("Another process already serves this state folder.") from None
                time.sleep(0.05)
        yield
    finally:
        os.close(handle)


def is_served(home: Path) -> bool:
    """Whether a process serves this state folder now; the lock of one that died is free, whatever it left."""
    try:
        handle = os.open(home / "serve.lock", os.O_RDWR)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return False
    except BlockingIOError:
        return True
    finally:
        os.close(handle)


def run(assistant: Assistant, say: Callable[[str], None]) -> None:
    """Serve until interrupted."""
    import socket

    import uvicorn

    from assistant.api import create_app
    from assistant.ingest_jobs import IngestJobs
    from assistant.logs import Follower
    from assistant.tls import expires_soon, names_in

    refuse_exposed(assistant)
    tls = certificate_of(assistant.settings)
    if tls and (warning := expires_soon(tls[0])):
        say(warning)
    host, port = assistant.settings.host, assistant.settings.port
    with locked(assistant.settings.home):
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
            listener.listen(128)  # who asks from here on waits for the answer instead of being refused
        except OSError as error:
            listener.close()
            raise Unavailable(f"Port {port} on {host} cannot be used ({(error.strerror or 'refused').lower()}); name another with --port.") from error
        assistant.warm()
        assistant.scheduled.start()
        first = None if assistant.settings.demo else assistant.identity.first_administrator()
        if first is not None:
            say(f"Sign in as {first[0]} with the one-time password {first[1]} (once, within a day) and choose your own.")
        say(f"Andon answers at {'https' if tls else 'http'}://{host}:{listener.getsockname()[1]}  (stop with Ctrl-C)")
        names = names_in(tls[0]) if tls else ()
        server = uvicorn.Server(configured(create_app(assistant, names=names), tls))
        with suppress(SpeechUnavailable):  # begun in the background
            assistant.voice.require_ready()
        jobs = IngestJobs(assistant.settings.home, lambda: assistant.index)
        jobs.start()
        follower = Follower(lambda: assistant.plant, lambda: assistant.index, assistant.now)
        follower.start()
        try:
            server.run(sockets=[listener])
        finally:
            follower.stop()
            jobs.stop()
            assistant.close()


def configured(app: Any, tls: tuple[Path, Path] | None = None) -> Any:
    """How uvicorn runs the service: messages of a WebSocket are small and few, so that nobody fills the memory, and a
    tablet that has vanished is noticed within half a minute."""
    import uvicorn

    certificate, key = tls or (None, None)
    return uvicorn.Config(
        app, log_level="warning", access_log=False, timeout_graceful_shutdown=10, ws="websockets-sansio", ws_max_size=WEBSOCKET_BYTES,
        ws_ping_interval=10.0, ws_ping_timeout=20.0, ssl_certfile=certificate, ssl_keyfile=key,
    )  # fmt: skip
