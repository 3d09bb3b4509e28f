"""The document views of the tablet page, driven in Chromium: the list, reading, a refused and a given signature, the
trail, differences between revisions. Skipped where there is no Chromium."""

import json
import shutil
import socket
import threading
import time

import pytest

from tests.chromium import Browser, found, required

if found() is None and not required():
    pytest.skip("Chromium is not installed", allow_module_level=True)


@pytest.fixture(scope="module")
def product(demo_home, tmp_path_factory):
    from assistant import settings
    from assistant.app import build

    folder = tmp_path_factory.mktemp("page") / "home"
    shutil.copytree(demo_home, folder, ignore=shutil.ignore_patterns("documents", "documents.*"))
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

    def as_(role):
        browser.open(served)
        browser.wait("!document.getElementById('sign-in').hidden")
        browser.js(f"[...document.querySelectorAll('.person-tile')].find(t => t.textContent.includes('{role}')).click()")
        browser.wait("!document.getElementById('ask').hidden")
        return browser

    yield as_
    browser.close()


def _press(browser, selector, words):
    browser.wait(f"[...document.querySelectorAll({json.dumps(selector)})].some(b => b.textContent.includes({json.dumps(words)}))")
    browser.js(f"[...document.querySelectorAll({json.dumps(selector)})].find(b => b.textContent.includes({json.dumps(words)})).click()")


def _text(browser):
    return browser.js("document.getElementById('sheet-body').innerText")


def test_a_review_from_the_list_to_the_signature(product, page):
    documents, sam = product.documents, product.caller("sam")
    made = documents.draft(sam, "sop", {"task": "clean the coolant tank"})
    identity = made["document"]
    documents.step(sam, identity, "submit")
    browser = page("quality")
    browser.tap("#documents")
    _press(browser, ".doc-row", identity)
    browser.wait("document.querySelector('.doc-verify') !== null")
    assert "Nobody has signed" in _text(browser)
    _press(browser, ".confirm-buttons .big", "Approve and sign")
    browser.wait("document.querySelector('.doc-form textarea') !== null")
    browser.type("Read on the tablet.")
    _press(browser, ".doc-form .big", "Show what I sign")
    browser.wait("document.querySelector('.doc-form input[type=password]') !== null")
    link = browser.js("document.querySelector('.doc-shown a').getAttribute('href')")
    shown = browser.js(f"fetch({json.dumps(link)}).then(r => r.arrayBuffer()).then(b => b.byteLength)")
    browser.type("wrong")
    _press(browser, ".doc-form .big", "Sign")
    browser.wait("document.querySelector('.doc-form .failure:not(:empty)') !== null")
    assert "does not fit" in _text(browser)
    assert documents.show(sam, identity)["status"] == "in_review"
    browser.js("document.querySelector('.doc-form input[type=password]').focus()")
    browser.type("andon")
    _press(browser, ".doc-form .big", "Sign")
    browser.wait("document.querySelectorAll('.doc-signatures li').length === 1")
    assert documents.show(sam, identity)["signatures"][0]["reason"] == "Read on the tablet."
    assert len(documents.rendered(sam, identity, "pdf")) == shown
    assert "Quinn Adler" in _text(browser)
    _press(browser, ".doc-verify button", "Check against its sources")
    browser.wait("document.querySelector('.doc-check .clean') !== null")
    _press(browser, ".sheet-tools button", "Trail")
    browser.wait("document.querySelectorAll('.doc-trail li').length === 4")
    assert "approved and signed it" in _text(browser)
    _press(browser, ".sheet-tools button", "Read")
    browser.wait("document.querySelector('iframe.doc-frame') !== null")
    assert browser.js("document.querySelector('iframe.doc-frame').getAttribute('src')") == f"/api/documents/{identity}.html"


def test_an_author_edits_and_sees_the_differences(product, page):
    documents, sam, quinn = product.documents, product.caller("sam"), product.caller("quinn")
    identity = documents.draft(sam, "training_report", {})["document"]
    documents.step(sam, identity, "submit")
    documents.step(quinn, identity, "approve", password="andon")
    documents.step(quinn, identity, "publish")
    browser = page("supervisor")
    browser.tap("#documents")
    _press(browser, ".sheet-tools button", "Mine")
    _press(browser, ".doc-row", identity)
    _press(browser, ".confirm-buttons .big", "New revision")
    browser.wait("document.querySelector('.doc-section textarea') !== null")
    browser.js("document.querySelector('.doc-section textarea').value = 'Checked with <b>the team</b>.'")
    _press(browser, ".doc-section button", "Save")
    browser.wait("!document.getElementById('notice').hidden")
    assert documents.show(sam, identity)["version"] == 2
    _press(browser, ".sheet-tools button", "About")
    _press(browser, ".sheet-tools button", "Differences")
    browser.wait("document.querySelectorAll('.doc-diff p').length > 1")
    assert "Checked with <b>the team</b>." in _text(browser)
    assert browser.js("document.querySelector('.doc-diff b')") is None
    assert browser.log == []


def test_an_administrator_has_no_documents_button(page):
    browser = page("administrator")
    assert browser.js("document.getElementById('documents').hidden")


def test_a_drafted_document_opens_from_its_card(product, page):
    browser = page("supervisor")
    browser.js(
        "document.getElementById('question').value = 'Draft the shift handover for Line 3'; document.getElementById('ask').requestSubmit()"
    )
    _press(browser, ".document button", "Review and sign")
    browser.wait("document.querySelector('.doc-verify') !== null")
    assert "Submit for review" in _text(browser)


def test_a_reset_password_is_changed_before_anything_else(product, page):
    product.store.put_user("gil", "Gil Roth", "technician", None, "andon", demo=True)
    product.store.reset_password("gil", "from somebody else")
    browser = page("supervisor")
    browser.js("fetch('/api/logout', {method: 'POST'})")
    browser.open(browser.js("location.origin") + "/?again")
    _press(browser, ".person-tile", "Gil Roth")
    browser.wait("document.querySelector('form.password input[type=password]') !== null")
    browser.js("document.querySelector('form.password input[type=password]').focus()")
    browser.type("from somebody else")
    _press(browser, "form.password .big", "Sign in")
    browser.wait("document.getElementById('sign-in').innerText.includes('Choose your own password')")
    assert browser.js("document.getElementById('ask').hidden")
    browser.type("a secret of my own")
    _press(browser, "form.password .big", "Choose your own password")
    browser.wait("!document.getElementById('ask').hidden")
    assert not product.store.must_change("gil")
