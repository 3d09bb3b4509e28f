"""A small OpenAI-compatible server on the loopback, with a real GGUF behind it or a failure before it: for tests and benches."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

#: What a server may do wrong; the first part of the path names it (`/hang/v1/chat/completions`).
FAILURES = ("html", "empty", "odd", "notjson", "down", "hang", "drip", "cut", "unfinished", "badutf8", "endless", "nothing")


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append(asked)  # type: ignore[attr-defined]
        mode = self.path.strip("/").partition("/")[0]
        with suppress(ConnectionError):
            if mode in FAILURES:
                self._fail(mode, asked["stream"])
            elif asked["stream"]:
                self._begin("text/event-stream")
                for piece in self.server.complete(asked):  # type: ignore[attr-defined]
                    self._event({"choices": [{"delta": {"content": piece}, "finish_reason": None}]})
                self._event({"choices": [{"delta": {}, "finish_reason": "stop"}]})
                self._chunk(b"data: [DONE]\n\n")
                self._chunk(b"")
            else:
                pieces = list(self.server.complete(asked))  # type: ignore[attr-defined]
                message = pieces[0] if pieces and isinstance(pieces[0], dict) else {"role": "assistant", "content": "".join(pieces)}
                usage = {"prompt_tokens": 7, "completion_tokens": len(pieces), "total_tokens": 7 + len(pieces)}
                self._whole(json.dumps({"choices": [{"message": message, "finish_reason": "stop"}], "usage": usage}).encode())

    def _fail(self, mode: str, stream: bool) -> None:
        kind = "text/event-stream" if stream else "application/json"
        if mode == "html":
            self._whole(b"<html>Please sign in</html>", "text/html")
        elif mode == "down":
            self._whole(b"{}", status=500)
        elif mode == "hang":
            self.server.release.wait(10)  # type: ignore[attr-defined]
        elif mode == "notjson":
            self._whole(b"data: {oops\n\n" if stream else b"\xff\xfe{", kind)
        elif mode == "badutf8":
            self._whole(
                b'data: {"choices":[{"delta":{"content":"\xff\xfe"}}]}\n\n' if stream else b'{"choices":[{"message":{"content":"\xff"}}]}',
                kind,
            )
        elif mode == "odd":
            self._whole(b'data: ["x"]\n\n' if stream else b'["no completion"]', kind)
        elif mode in ("empty", "nothing"):
            empty = {
                "choices": [{"message": {"content": "" if mode == "empty" else None}, "delta": {"content": ""}, "finish_reason": "stop"}]
            }
            text = json.dumps(empty).encode()
            self._whole(b"data: " + text + b"\n\ndata: [DONE]\n\n" if stream else text, kind)
        else:
            self._broken(mode, kind)

    def _broken(self, mode: str, kind: str) -> None:
        """A body that begins well: `cut` and `unfinished` break off, `drip` and `endless` never come to an end."""
        self._begin(kind)
        piece = {"choices": [{"delta": {"content": "word "}, "finish_reason": None}]}
        if mode == "cut":
            self._event(piece)
            self.close_connection = True
            return
        if mode == "unfinished":
            self._event(piece)
            self._chunk(b"")
            return
        while not self.server.release.is_set():  # type: ignore[attr-defined]
            if mode == "drip":
                self._chunk(b" ")
                time.sleep(0.05)
            else:
                self._event(piece)

    def _begin(self, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def _event(self, data: Any) -> None:
        self._chunk(b"data: " + json.dumps(data).encode() + b"\n\n")

    def _chunk(self, data: bytes) -> None:
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        self.wfile.flush()

    def _whole(self, body: bytes, kind: str = "application/json", status: int = 200) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def serving(complete: Callable[[dict[str, Any]], Iterator[Any]]) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A server whose answers are what `complete` makes of a request body: its address (without `/v1`) and what it was asked."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.complete, server.asked, server.release = complete, [], threading.Event()  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", server.asked  # type: ignore[attr-defined]
    finally:
        server.release.set()  # type: ignore[attr-defined]
        server.shutdown()
        server.server_close()
