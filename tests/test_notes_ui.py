"""Field notes on the tablet page, driven in Chromium: three taps after an alarm answer, a review, what quality sees."""

from __future__ import annotations

import json
import shutil
import socket
import threading
import time

import pytest

from tests.chromium import Browser, found, required

if found() is None and not required():
    pytest.skip("Chromium is not installed", allow_module_level=True)

ALARM = "What does alarm code 502 mean on this machine?"
HOSTILE = "<img src=x onerror=document.title='owned'> swapped the magnet"


@pytest.fixture(scope="module")
def product(demo_home, tmp_path_factory):
    from assistant import settings
    from assistant.app import build

    folder = tmp_path_factory.mktemp("notes-page") / "home"
    shutil.copytree(demo_home, folder, ignore=shutil.ignore_patterns("documents", "documents.*", "notes.*"))
    made = build(settings.load(folder))
    yield made
    made.close()


@pytest.fixture(scope="module")
def served(product):
    import uvicorn

    from assistant.api import create_app

    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(create_app(product), log_level="error"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    until = time.monotonic() + 20
    while not server.started and time.monotonic() < until:
        time.sleep(0.05)
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join(timeout=10)


@pytest.fixture
def page(served):
    browser = Browser()
    browser.screen(1280, 900)

    def as_(role, question=""):
        browser.command("Network.clearBrowserCookies")
        browser.open(f"{served}/?equipment=CNC-02")
        browser.wait("!document.getElementById('sign-in').hidden")
        browser.js(f"[...document.querySelectorAll('.person-tile')].find(t => t.textContent.includes('{role}')).click()")
        browser.wait("!document.getElementById('ask').hidden && document.getElementById('notes') !== null")
        if question:
            browser.wait("document.querySelector('.entry, .suggestion') !== null")
            browser.js("document.getElementById('fresh').click()")
            browser.js(
                f"document.getElementById('question').value = {json.dumps(question)}; document.getElementById('ask').requestSubmit()"
            )
            browser.wait("document.querySelectorAll('.entry:last-child .foot:not([hidden])').length > 0", timeout_s=90)
        return browser

    yield as_
    browser.close()


def _press(browser, selector, words):
    some = f"[...document.querySelectorAll({json.dumps(selector)})]"
    browser.wait(f"{some}.some(b => b.textContent.includes({json.dumps(words)}))")
    browser.tap(selector, browser.js(f"{some}.findIndex(b => b.textContent.includes({json.dumps(words)}))"))


def test_three_taps_keep_what_fixed_it_and_a_review_makes_it_a_source(product, page):
    browser = page("operator", ALARM)
    taps = browser.requests.copy()
    assert not any("/api/notes" in url for url in taps)  # nothing is asked before the first tap
    _press(browser, ".fix .big", "Yes")
    _press(browser, ".fix-offer", "filter")
    _press(browser, ".fix .big", "15 min")
    browser.wait("document.querySelector('.fix-done') !== null")
    (note,) = product.notes.listed(product.caller("max"), "proposed")
    assert (note["alarm"], note["equipment"], note["minutes"], note["helped"]) == ("502", "CNC-02", 15, "yes")
    assert "filter" in note["action"]
    assert browser.log == []

    browser = page("technician")
    browser.tap("#notes")
    _press(browser, ".note-card .big", "Accept")
    browser.wait("document.getElementById('notice').textContent.includes('accepted')")
    assert product.notes.listed(product.caller("olivia"))[0]["state"] == "accepted"

    browser = page("operator", ALARM)
    browser.wait("[...document.querySelectorAll('.passage .kind')].some(k => k.textContent === 'Field note')")
    assert "Olivia Hartmann" in browser.js("[...document.querySelectorAll('.passage.logged .author')].map(a => a.textContent).join()")


def test_own_words_are_text_and_a_rejection_needs_its_reason(product, page):
    browser = page("operator", ALARM)
    _press(browser, ".fix .big", "No")
    _press(browser, ".fix-offer", "Something else")
    browser.wait("document.activeElement.tagName === 'TEXTAREA'")
    browser.type(HOSTILE)
    _press(browser, ".fix .big", "Next")
    _press(browser, ".fix .big", "I do not know")
    browser.wait("document.querySelector('.fix-done') !== null")
    browser = page("technician")
    browser.tap("#notes")
    browser.wait("document.querySelector('.note-card blockquote') !== null")
    assert browser.js("document.querySelector('.note-card blockquote').textContent") == HOSTILE
    assert browser.js("document.querySelectorAll('.note-card img').length") == 0
    assert browser.js("document.title") == "Andon"
    _press(browser, ".note-card .big", "Reject")
    browser.wait("document.querySelector('.note-card textarea') !== null")
    browser.type("Not the cause.")
    _press(browser, ".note-card form .big", "Reject")
    browser.wait("document.getElementById('notice').textContent.includes('rejected')")
    assert product.notes.listed(product.caller("olivia"), "rejected")[0]["reason"] == "Not the cause."


def test_quality_sees_what_procedures_are_missing_for(page):
    browser = page("quality")
    browser.tap("#notes")
    _press(browser, "#sheet-tools .small", "For an SOP")
    browser.wait("document.querySelectorAll('#sheet-body h3').length === 2", timeout_s=60)
    assert "without a procedure" in browser.js("document.getElementById('sheet-body').innerText")


def test_an_operator_is_offered_no_review(page):
    browser = page("operator")
    browser.tap("#notes")
    browser.wait("document.querySelectorAll('#sheet-tools .small').length > 0")
    assert browser.js("[...document.querySelectorAll('#sheet-tools .small')].map(b => b.textContent)") == ["Mine", "Accepted"]
