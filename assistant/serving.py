"""Serving over HTTP: checks before the first byte, one uvicorn process, a lock so that a folder is served once.

Refuses, with one sentence, an address beyond this machine without TLS or with the demo's passwords, and a state
folder that another process serves already. tests/test_serving.py.
"""

from __future__ import annotations

import fcntl
import ipaddress
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from assistant.app import Assistant
from assistant.problems import Conflict, NotAllowed, Unavailable


def is_loopback(host: str) -> bool:
    """True for addresses that only this machine can reach."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def refuse_exposed(assistant: Assistant) -> None:
    """Raise NotAllowed for an address that others can reach: there is no TLS yet, and the demo's passwords are public."""
    host = assistant.settings.host
    if is_loopback(host):
        return
    if assistant.settings.demo or assistant.store.has_demo_passwords():
        raise NotAllowed(f"The demo's passwords are public, so it is served on this machine only, not on {host}.")
    raise NotAllowed(f"Serving on {host} needs TLS; put a TLS proxy in front and serve on 127.0.0.1.")


@contextmanager
def locked(home: Path) -> Iterator[None]:
    """Hold the state folder for serving. Raises Conflict when another process does."""
    handle = os.open(home / "serve.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Conflict("Another process already serves this state folder.") from None
        yield
    finally:
        os.close(handle)


def run(assistant: Assistant, say: Callable[[str], None]) -> None:
    """Serve until interrupted."""
    import socket

    import uvicorn

    from assistant.api import create_app

    refuse_exposed(assistant)
    host, port = assistant.settings.host, assistant.settings.port
    with locked(assistant.settings.home):
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
        except OSError as error:
            listener.close()
            raise Unavailable(f"Port {port} on {host} cannot be used ({(error.strerror or 'refused').lower()}); name another with --port.") from error
        assistant.warm()
        assistant.scheduled.start()
        say(f"Andon answers at http://{host}:{listener.getsockname()[1]}  (stop with Ctrl-C)")
        server = uvicorn.Server(uvicorn.Config(create_app(assistant), log_level="warning", access_log=False, timeout_graceful_shutdown=10))
        try:
            server.run(sockets=[listener])
        finally:
            assistant.close()
