"""Nothing scripted: Debian's Chromium with a WAV file as its microphone asks by voice, over https on a name that is not
localhost, and the embedded recogniser, the router and the demo plant answer. Long, since a plant's grammar is built first."""

from __future__ import annotations

import shutil
import socket
import threading
import wave
from pathlib import Path

import numpy as np
import pytest
import uvicorn

from assistant import tls
from assistant.api import create_app
from assistant.app import build
from assistant.serving import configured
from assistant.settings import load
from tests.test_voice_page import NAME, fake_microphone_browser

pytestmark = pytest.mark.long

ALARM = "Coolant flow"  # what the demo's manual says of 502 (ingest/demo)
SAID = "what does alarm five oh two mean on C N C two"


@pytest.fixture(scope="module")
def served(demo_home, tmp_path_factory):
    home = tmp_path_factory.mktemp("whole") / "home"
    shutil.copytree(demo_home, home)
    assistant = build(load(home))
    files = tls.make(home, [NAME])
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    server = uvicorn.Server(configured(create_app(assistant, names=tls.names_in(files.certificate)), (files.certificate, files.key)))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    assistant.voice.warm()
    yield f"https://{NAME}:{listener.getsockname()[1]}", files, assistant
    server.should_exit = True
    thread.join(15)
    assistant.close()


@pytest.fixture(scope="module")
def microphone(tmp_path_factory) -> Path:
    """Two seconds of a quiet hall, the question, the hall again."""
    from evals.voice_sound import VOICES, spoken

    said = spoken(SAID, VOICES[0])
    whole = np.concatenate([np.zeros(2 * 16_000), said * 3000 / np.sqrt((said**2).mean()), np.zeros(20 * 16_000)])
    whole += np.random.default_rng(1).normal(0, 120, whole.size)
    path = tmp_path_factory.mktemp("microphone") / "microphone.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(np.clip(whole, -32768, 32767).astype("<i2").tobytes())
    return path


@pytest.mark.parametrize(("name", "width", "height"), [("voice-tablet", 1280, 800), ("voice-phone", 390, 844)])
def test_a_question_by_voice_is_answered_from_the_manual(served, microphone, tmp_path, name, width, height):
    url, files, assistant = served
    browser = fake_microphone_browser(files, microphone)
    try:
        browser.screen(width, height)
        browser.open(f"{url}/?equipment=CNC-02")
        browser.wait("document.querySelectorAll('.person-tile').length > 0")
        tiles = browser.js("[...document.querySelectorAll('.person-tile')].map(e => e.textContent)")
        browser.tap(".person-tile", next(at for at, tile in enumerate(tiles) if "operator" in tile.lower()))
        browser.wait("document.querySelector('#talk') !== null")
        browser.tap("#talk")
        browser.wait("document.querySelector('.voice').dataset.state === 'listening'")
        browser.wait("document.querySelectorAll('.entry:last-child .foot:not([hidden])').length > 0", timeout_s=120)
        asked = browser.js("document.querySelector('.entry:last-child .asked').textContent")
        browser.screenshot(tmp_path / f"{name}.png")
        assert "502" in asked
        assert "CNC-02" in asked
        shown = browser.js("document.querySelector('.entry:last-child').innerText")
        assert ALARM in shown
        turn = assistant.store.conversation(browser.js("JSON.parse(localStorage.getItem('andon.conversation.olivia'))"), "olivia")[-1]
        assert turn["record"]["spoken_question"] is True
        assert "MAN-CNC-VX500" in {citation.get("document") for citation in turn["record"]["citations"]}
        assert browser.log == []
    finally:
        browser.close()
