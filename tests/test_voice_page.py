"""The tablet page with a microphone: Debian's Chromium with a WAV file as its capture device, over https on a name that is
not localhost, asks a question by voice and shows its answer. The service is real, its sound path too; what the engine
makes of the words is scripted here, and evals grade the engine itself."""

from __future__ import annotations

import base64
import hashlib
import shutil
import socket
import threading
import wave
from pathlib import Path

import numpy as np
import pytest
import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from assistant import tls
from assistant.api import create_app
from assistant.serving import configured
from assistant.voice.parts import VoiceParts
from assistant.voice.speaker import EspeakSpeaker, SilentSpeaker
from assistant.voice.transcriber import Heard, ScriptedTranscriber
from tests import chromium
from tests.scripted_assistant import ScriptedAssistant

for present, what in ((chromium.found(), "Chromium"), (shutil.which("espeak-ng"), "espeak-ng")):
    if present is None:
        if chromium.required():
            pytest.fail(f"{what} is missing, and ANDON_REQUIRE_ALL=1 wants every optional part.", pytrace=False)
        pytest.skip(
            f"{what} is not installed: the page with a microphone is not tested (make system installs it).", allow_module_level=True
        )

NAME = "andon.plant.test"
ALARM = "What does alarm code 502 mean on this machine?"


@pytest.fixture(scope="module")
def assistant(tmp_path_factory):
    scripted = ScriptedAssistant(tmp_path_factory.mktemp("home"), queue=8)
    yield scripted
    scripted.close()


@pytest.fixture(scope="module")
def service(assistant, tmp_path_factory):
    files = tls.make(tmp_path_factory.mktemp("tls"), [NAME])
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    app = create_app(assistant, names=tls.names_in(files.certificate))
    server = uvicorn.Server(configured(app, (files.certificate, files.key)))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    yield f"https://{NAME}:{listener.getsockname()[1]}", files
    server.should_exit = True
    thread.join(15)


@pytest.fixture(scope="module")
def microphone(tmp_path_factory) -> Path:
    """What the fake microphone hears: two seconds of a quiet hall, a sentence, the hall again."""
    folder = tmp_path_factory.mktemp("microphone")
    (folder / "said.wav").write_bytes(EspeakSpeaker().say("What does alarm code five oh two mean on this machine?").wav)
    with wave.open(str(folder / "said.wav")) as file:
        rate = file.getframerate()
        said = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(float)
    whole = np.concatenate([np.zeros(2 * rate), said, np.zeros(8 * rate)])
    whole += np.random.default_rng(1).normal(0, 60, whole.size)
    path = folder / "microphone.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(np.clip(whole, -32768, 32767).astype("<i2").tobytes())
    return path


def fake_microphone_browser(files: tls.TlsFiles, microphone: Path) -> chromium.Browser:
    """A browser whose microphone plays a file once, and which trusts this one certificate for `NAME`."""
    key = x509.load_pem_x509_certificate(files.certificate.read_bytes()).public_key()
    pin = hashlib.sha256(key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)).digest()
    return chromium.Browser(
        "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream", f"--use-file-for-fake-audio-capture={microphone}%noloop",
        f"--host-resolver-rules=MAP {NAME} 127.0.0.1", f"--ignore-certificate-errors-spki-list={base64.b64encode(pin).decode()}",
        "--autoplay-policy=no-user-gesture-required",
    )  # fmt: skip


@pytest.fixture
def page(service, microphone):
    url, files = service
    browser = fake_microphone_browser(files, microphone)
    browser.screen(1280, 800)
    browser.open(f"{url}/?equipment=CNC-02")
    browser.wait("document.querySelectorAll('.person-tile').length > 0")
    names = browser.js("[...document.querySelectorAll('.person-tile b')].map(e => e.textContent)")
    browser.tap(".person-tile", names.index("Olivia"))
    browser.wait("document.querySelector('#talk') !== null")
    yield browser
    browser.close()


def hears(assistant, *script):
    assistant.voice.close()
    assistant.voice = VoiceParts(assistant, ScriptedTranscriber(list(script)), SilentSpeaker())


def test_a_question_by_voice_shows_and_speaks_its_answer(page, assistant):
    hears(assistant, Heard(ALARM, confidence=0.9, in_grammar=True))
    assert page.js("isSecureContext")
    page.tap("#talk")
    page.wait("document.querySelector('.voice').dataset.state === 'listening'")
    page.wait("document.querySelectorAll('.entry:last-child .foot:not([hidden])').length > 0")
    assert page.js("document.querySelector('.entry:last-child .asked').textContent") == ALARM
    assert "Coolant flow low" in page.js("document.querySelector('.entry:last-child .prose').innerText")
    page.wait("document.querySelector('.voice').dataset.state !== 'thinking'")
    assert "alarm five zero two" in " ".join(assistant.voice.speaker.said).lower() or page.js(
        "speechSynthesis.getVoices().some(v => v.localService)"
    )
    heard = assistant.voice._given.asked
    assert heard[0].equipment == "CNC-02"
    said = next(
        turn for turn in assistant.store.conversation(page.js("JSON.parse(localStorage.getItem('andon.conversation.olivia'))"), "olivia")
    )
    assert said["record"]["question"] == ALARM
    assert page.log == []
    foreign = [url for url in page.requests if NAME not in url and not url.startswith(("data:", "blob:", "about:"))]
    assert foreign == []


def test_mute_is_shown_and_hears_nothing(page, assistant):
    hears(assistant, Heard(ALARM, confidence=0.9, in_grammar=True))
    page.tap("#talk")
    page.wait("document.querySelector('.voice').dataset.state === 'listening'")
    page.tap(".voice .mute")
    page.wait("document.querySelector('.voice').dataset.state === 'muted'")
    assert page.js("document.querySelector('.voice .mute').getAttribute('aria-pressed')") == "true"
    page.command("Runtime.evaluate", expression="new Promise(done => setTimeout(done, 6000))", awaitPromise=True)
    assert page.js("document.querySelectorAll('.entry').length") == 0
    assert page.log == []


def test_what_is_doubtful_is_asked_back_and_closing_the_line_ends_listening(page, assistant):
    hears(assistant, Heard(ALARM, confidence=0.6, confirm="Alarm 502 on CNC-02, right?", doubt="unsure"))
    page.tap("#talk")
    page.wait("document.querySelector('.voice-heard').textContent.includes('right?')")
    assert page.js("document.querySelectorAll('.entry').length") == 0
    page.tap(".voice .tool:last-child")
    assert page.js("document.querySelector('.voice').hidden")
    assert {"Hands-free", "Mute"} <= {name.strip() for name in page.names("button")} or page.js("document.querySelector('.voice').hidden")
