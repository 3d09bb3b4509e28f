"""The cited page of a PDF as a picture with the quoted passage marked, rendered in a worker process that can be killed.

One warm worker (`page_worker.py`) serves one page at a time; a page that exceeds its deadline or memory costs that
worker its life and the caller one sentence, nothing else. Pictures are kept in a small cache by content and passage.
Proven by tests/test_pages.py, among others with passages over several lines, hyphenated words and a worker that hangs.
"""

from __future__ import annotations

import hashlib
import json
import os
import select
import subprocess
import sys
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assistant.problems import NotFound, Unavailable

_WORKER = Path(__file__).with_name("page_worker.py")


@dataclass(frozen=True)
class PagePicture:
    """A rendered page. `found`: "all", "part" or "none" of the passage was marked ("" when none was asked for);
    `marks`: rectangles (left, top, right, bottom) as fractions of width and height; `pages` of the whole document."""

    png: bytes
    pages: int
    width_px: int
    height_px: int
    found: str
    marks: tuple[tuple[float, float, float, float], ...]

    @property
    def etag(self) -> str:
        return hashlib.sha256(self.png).hexdigest()[:32]


class PagePictures:
    """Renders pages on demand. Thread-safe; `close` ends the worker."""

    def __init__(
        self, *, deadline_s: float = 8.0, memory_mb: int = 1024, cache_mb: int = 32, worker: Path = _WORKER
    ) -> None:
        self._deadline_s = deadline_s
        self._memory_bytes = memory_mb * 1024 * 1024
        self._cache_bytes = cache_mb * 1024 * 1024
        self._script = worker
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self._cache: OrderedDict[tuple[Any, ...], PagePicture] = OrderedDict()

    def picture(self, path: Path, page: int, highlight: str = "", longest_px: int = 1684) -> PagePicture:
        """Render `page` (from 1) of the PDF at `path`, `longest_px` along its longer side (400 to 3,000 pixels).

        Raises NotFound (no such file, no such page) and Unavailable (damaged, or too slow or too large to render)."""
        try:
            stat = path.stat()
        except OSError as error:
            raise NotFound("The file of this document is no longer there; ask for it to be ingested again.") from error
        key = (str(path), stat.st_mtime_ns, stat.st_size, page, highlight, longest_px)
        with self._lock:
            if key in self._cache:
                self._cache.move_to_end(key)
                return self._cache[key]
            request = {
                "path": str(path), "page": page, "highlight": highlight[:4000],
                "longest_px": max(400, min(longest_px, 3000)),
            }  # fmt: skip
            header, png = self._ask(request)
            picture = _picture(header, png)
            self._keep(key, picture)
            return picture

    def close(self) -> None:
        with self._lock:
            self._end()

    def _keep(self, key: tuple[Any, ...], picture: PagePicture) -> None:
        self._cache[key] = picture
        while sum(len(item.png) for item in self._cache.values()) > self._cache_bytes:
            self._cache.popitem(last=False)

    def _ask(self, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        process = self._started()
        assert process.stdin is not None
        try:
            process.stdin.write(json.dumps(request).encode() + b"\n")
            process.stdin.flush()
            return self._reply(process)
        except (TimeoutError, OSError, ValueError) as error:
            self._end()
            if isinstance(error, TimeoutError):
                raise Unavailable("This page takes too long to draw; open the document itself instead.") from error
            raise Unavailable("This page could not be drawn; open the document itself instead.") from error

    def _reply(self, process: subprocess.Popen[bytes]) -> tuple[dict[str, Any], bytes]:
        """Header and picture, read under the deadline. Raises TimeoutError, or EOFError when the worker died."""
        assert process.stdout is not None
        descriptor = process.stdout.fileno()
        waiting = select.poll()  # select() knows no descriptor above 1,023, and a service has many open
        waiting.register(descriptor, select.POLLIN)
        until = time.monotonic() + self._deadline_s
        data = bytearray()
        header: dict[str, Any] | None = None
        wanted = 0
        while header is None or len(data) < wanted:
            if not waiting.poll(max(until - time.monotonic(), 0) * 1000):
                raise TimeoutError
            chunk = os.read(descriptor, 1 << 20)
            if not chunk:
                raise OSError("the page worker ended")
            data += chunk
            if header is None and b"\n" in data:
                line, _, rest = bytes(data).partition(b"\n")
                header, data = json.loads(line), bytearray(rest)
                wanted = int(header["bytes"])
        return header, bytes(data)

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self._process = subprocess.Popen(
                [sys.executable, "-I", str(self._script), str(self._memory_bytes)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            )  # fmt: skip
        return self._process

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            for pipe in (self._process.stdin, self._process.stdout):
                if pipe is not None:
                    pipe.close()
            self._process = None


def _picture(header: dict[str, Any], png: bytes) -> PagePicture:
    error = header.get("error")
    if error == "no such page":
        raise NotFound(f"This document has {header['pages']} pages; that page is not among them.")
    if error:
        raise Unavailable("This document cannot be drawn as a page; open the document itself instead.")
    marks = tuple((m[0], m[1], m[2], m[3]) for m in header["marks"])
    return PagePicture(png, header["pages"], header["width"], header["height"], header["found"], marks)
