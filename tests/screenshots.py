"""The README's screenshots, from a demo plant that is being served: `python -m tests.screenshots [URL]`."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from tests.chromium import Browser

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "screenshots"
LARGEST_BYTES = 250_000


@dataclass(frozen=True)
class Shot:
    name: str
    question: str
    width: int = 1280
    height: int = 800
    dark: bool = False
    scale: float = 1.0
    show: str = ""  # a selector to bring to the top before the picture is taken


SHOTS = (
    Shot("answer-502", "What does alarm code 502 mean on this machine?", height=1620, scale=0.75),
    Shot("metric", "show the OEE of line 3 by day over the last two weeks", height=900, dark=True),
    Shot("emergency", "there is smoke coming out of the cabinet"),
    Shot("phone", "What does alarm code 502 mean on this machine?", width=390, height=844, scale=1.5, dark=True),
)


def take(browser: Browser, url: str, shot: Shot) -> Path:
    """Ask one question in a new conversation and keep the picture. Raises AssertionError when it is not answered."""
    browser.screen(shot.width, shot.height, dark=shot.dark, scale=shot.scale)
    browser.open(f"{url}/?equipment=CNC-02")
    browser.wait("!document.getElementById('sign-in').hidden || !document.getElementById('ask').hidden")
    if browser.js("!document.getElementById('sign-in').hidden"):
        browser.js("[...document.querySelectorAll('.person-tile')].find(tile => tile.textContent.includes('supervisor')).click()")
        browser.wait("!document.getElementById('ask').hidden")
    browser.wait("document.querySelector('.entry, .suggestion') !== null")
    browser.js("document.getElementById('fresh').click()")
    browser.js(
        f"document.getElementById('question').value = {json.dumps(shot.question)};"
        "document.getElementById('ask').requestSubmit()"
    )
    browser.wait("document.querySelectorAll('.entry:last-child .foot:not([hidden])').length > 0", timeout_s=120)
    browser.js("document.activeElement.blur()")
    if shot.show:
        browser.js(f"document.querySelector({json.dumps(shot.show)}).scrollIntoView()")
    time.sleep(0.7)  # charts draw when their width is known
    path = FOLDER / f"{shot.name}.png"
    browser.screenshot(path)
    assert path.stat().st_size < LARGEST_BYTES, f"{path.name} is larger than {LARGEST_BYTES} bytes"
    return path


def main() -> None:
    url = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8000"
    FOLDER.mkdir(parents=True, exist_ok=True)
    browser = Browser()
    try:
        for shot in SHOTS:
            take(browser, url, shot)
    finally:
        browser.close()


if __name__ == "__main__":
    main()
