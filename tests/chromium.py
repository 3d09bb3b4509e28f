"""Debian's Chromium, driven over its own DevTools protocol: what tests/test_ui.py and the screenshots need of it."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
    "--no-first-run", "--disable-dev-shm-usage", "--remote-debugging-port=0",
)  # fmt: skip


def found() -> str | None:
    """The path of a Chromium, or None."""
    return next((path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None)


class Browser:
    """One page. `log` gathers exceptions and errors of the console, `requests` every address that the page asked for."""

    def __init__(self, *more_flags: str) -> None:
        path = found()
        assert path is not None
        self._folder = tempfile.mkdtemp(prefix="andon-chromium-")
        self._process = subprocess.Popen(
            [path, *FLAGS, *more_flags, f"--user-data-dir={self._folder}", "about:blank"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self.log: list[str] = []
        self.requests: list[str] = []
        self._number = 0
        port = self._port()
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/json", timeout=30) as response:
            pages = [target for target in json.load(response) if target["type"] == "page"]
        self._socket: ClientConnection = connect(pages[0]["webSocketDebuggerUrl"], max_size=None, legacy=True)
        for domain in ("Page", "Runtime", "Log", "Network", "Accessibility"):
            self.command(f"{domain}.enable")

    def _port(self) -> int:
        file = Path(self._folder) / "DevToolsActivePort"
        until = time.monotonic() + 60
        while time.monotonic() < until:
            if file.exists() and file.read_text().count("\n") >= 1:
                return int(file.read_text().split()[0])
            time.sleep(0.1)
        raise TimeoutError("Chromium did not start within a minute")

    def command(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._number += 1
        self._socket.send(json.dumps({"id": self._number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self._socket.recv(timeout=60))
            if message.get("id") == self._number:
                if "error" in message:
                    raise RuntimeError(f"{method}: {message['error']}")
                result: dict[str, Any] = message["result"]
                return result
            self._note(message)

    def _note(self, message: dict[str, Any]) -> None:
        method, parameters = message.get("method"), message.get("params", {})
        if method == "Network.requestWillBeSent":
            self.requests.append(parameters["request"]["url"])
        elif method == "Runtime.exceptionThrown" or (method == "Log.entryAdded" and parameters["entry"]["level"] == "error"):
            self.log.append(json.dumps(parameters)[:800])

    def js(self, expression: str) -> Any:
        """The value of an expression in the page; promises are awaited."""
        result = self.command("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True, userGesture=True)
        if "exceptionDetails" in result:
            raise AssertionError(json.dumps(result["exceptionDetails"])[:800])
        return result["result"].get("value")

    def wait(self, expression: str, timeout_s: float = 40.0) -> None:
        until = time.monotonic() + timeout_s
        while time.monotonic() < until:
            if self.js(expression):
                return
            time.sleep(0.05)
        raise AssertionError(f"never came true: {expression}\n" + "\n".join(self.log))

    def open(self, url: str) -> None:
        self.command("Page.navigate", url=url)
        self.wait("document.readyState === 'complete' && location.href !== 'about:blank'")

    def screen(self, width: int, height: int, *, dark: bool = False, scale: float = 1.0) -> None:
        self.command(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale, mobile=width < 600
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.command("Emulation.setEmulatedMedia", features=[scheme])

    def tap(self, selector: str, index: int = 0) -> None:
        """A real mouse press in the middle of an element, so that what covers it is found out."""
        self.wait(f"document.querySelectorAll({json.dumps(selector)}).length > {index}")
        box = self.js(
            f"(() => {{ const e = document.querySelectorAll({json.dumps(selector)})[{index}];"
            "e.scrollIntoView({block: 'center', inline: 'nearest'});"
            "const b = e.getBoundingClientRect(); return [b.left + b.width / 2, b.top + b.height / 2]; })()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            self.command("Input.dispatchMouseEvent", type=kind, x=box[0], y=box[1], button="left", clickCount=1)

    def key(self, name: str, code: int) -> None:
        text = "\r" if name == "Enter" else None
        for kind in ("keyDown", "keyUp"):
            extra = {"text": text} if text and kind == "keyDown" else {}
            self.command("Input.dispatchKeyEvent", type=kind, key=name, code=name, windowsVirtualKeyCode=code, **extra)

    def type(self, text: str) -> None:
        self.command("Input.insertText", text=text)

    def screenshot(self, path: Path) -> None:
        path.write_bytes(base64.b64decode(self.command("Page.captureScreenshot", format="png")["data"]))

    def names(self, role: str) -> list[str]:
        """The accessible names of all elements of a role, as a screen reader gets them."""
        nodes = self.command("Accessibility.getFullAXTree")["nodes"]
        return [
            node.get("name", {}).get("value", "") for node in nodes
            if not node.get("ignored") and node.get("role", {}).get("value") == role
        ]  # fmt: skip

    def close(self) -> None:
        self._socket.close()
        self._process.kill()
        self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)


def required() -> bool:
    """Whether a missing Chromium fails the tests instead of skipping them."""
    return os.environ.get("ANDON_REQUIRE_ALL") == "1"
