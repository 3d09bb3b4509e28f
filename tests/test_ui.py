"""The tablet page in Debian's Chromium, over the real service with scripted answers: what a person taps and reads."""

from __future__ import annotations

import json
import re
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from assistant.api import create_app
from tests import chromium
from tests.scripted_assistant import ScriptedAssistant

if chromium.found() is None:
    if chromium.required():
        pytest.fail("Chromium is missing, and ANDON_REQUIRE_ALL=1 wants every optional part.", pytrace=False)
    pytest.skip("Chromium is not installed: the tablet page is not tested (make system installs it).", allow_module_level=True)

ALARM = "What does alarm code 502 mean on this machine?"
YIELD = "What was the first-pass yield for Line 3 on the night shift?"
HOSTILE = "<img src=x onerror=document.title='owned'>"


class Page(chromium.Browser):
    """The page with the words of this test."""

    url = ""

    def sign_in(self, person: str = "Sam", query: str = "?equipment=CNC-02") -> None:
        self.command("Network.clearBrowserCookies")
        self.command("Storage.clearDataForOrigin", origin=self.url, storageTypes="local_storage")
        self.open(f"{self.url}/{query}")
        self.wait("document.querySelectorAll('.person-tile').length > 0")
        names = self.js("[...document.querySelectorAll('.person-tile b')].map(e => e.textContent)")
        self.tap(".person-tile", names.index(person))
        self.wait("document.querySelectorAll('.suggestion').length > 0")

    def ask(self, question: str) -> None:
        count = self.js("document.querySelectorAll('.entry').length")
        self.tap("#question")
        self.type(question)
        self.key("Enter", 13)
        self.wait(f"document.querySelectorAll('.entry').length > {count}")
        self.settled()

    def settled(self) -> None:
        self.wait("document.querySelectorAll('.entry:last-child .foot:not([hidden]), .entry[data-status=problem]:last-child').length > 0")

    def last(self, selector: str) -> list[str]:
        found: list[str] = self.js(f"[...document.querySelectorAll('.entry:last-child {selector}')].map(e => e.innerText)")
        return found


@pytest.fixture(scope="module")
def assistant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ScriptedAssistant]:
    scripted = ScriptedAssistant(tmp_path_factory.mktemp("home"), pause_s=0.02, queue=8)
    yield scripted
    scripted.close()


@pytest.fixture(scope="module")
def service(assistant: ScriptedAssistant) -> Iterator[str]:
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(create_app(assistant), log_level="warning", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join(10)


@pytest.fixture(scope="module")
def browser(service: str) -> Iterator[Page]:
    page = Page()
    page.url = service
    yield page
    page.close()


@pytest.fixture
def page(browser: Page) -> Page:
    browser.screen(1280, 800)
    browser.log.clear()
    return browser


def test_two_taps_to_an_answer_for_the_machine_in_front(page: Page) -> None:
    page.sign_in("Olivia")
    assert page.js("document.querySelector('.machine-name').textContent") == "CNC-02"
    page.tap(".suggestion", 0)
    page.settled()
    page.ask(ALARM)
    assert "Coolant flow low" in page.last(".prose")[0]
    assert len(page.last(".prose .chip")) == 5
    assert page.log == []


def test_an_alarm_answer_shows_steps_with_their_warning_before_them(page: Page) -> None:
    page.sign_in()
    page.ask(ALARM)
    steps = page.last(".steps li")
    assert [re.sub(r"\D*(\d).*", r"\1", step.replace("\n", " "), count=1) for step in steps] == list("123456")
    third = page.js(
        "(() => { const li = document.querySelectorAll('.entry:last-child .steps li')[2];"
        "return li.querySelector('.step-warning').getBoundingClientRect().bottom <= li.querySelector('.step').getBoundingClientRect().top })()"
    )
    assert third
    assert page.last(".passage.logged .author") == ["M. Brandt, 12 Jun 2026"]
    assert page.last(".facts-line")[0].count("Assumed") == 2
    assert "Data until 17 Jun, 09:00" in page.last(".facts-line")[0]


def test_a_pareto_is_sorted_and_its_running_share_reaches_the_whole(page: Page) -> None:
    page.sign_in()
    page.ask(ALARM)
    page.wait("document.querySelectorAll('.entry:last-child .stage svg').length > 0")
    lengths = page.js("[...document.querySelectorAll('.entry:last-child rect.bar')].map(r => r.getBoundingClientRect().width)")
    assert lengths == sorted(lengths, reverse=True)
    assert lengths[1] / lengths[0] == pytest.approx(2 / 9, abs=0.01)
    shares = page.js("[...document.querySelectorAll('.entry:last-child .share')].map(t => t.textContent)")
    assert shares == [f"Σ {round(100 * n / 12)} %" for n in (9, 11, 12)]


def test_a_line_chart_leaves_gaps_and_reads_out_the_value_that_is_touched(page: Page) -> None:
    page.sign_in()
    page.ask(YIELD)
    page.wait("document.querySelectorAll('.entry:last-child path.line').length > 0")
    path = page.js("document.querySelector('.entry:last-child path.line').getAttribute('d')")
    assert path.count("M") == 2, "the night without production is a gap, not a value"
    page.js("document.querySelector('.entry:last-child [data-kind=line] svg').focus()")
    page.key("ArrowRight", 39)
    assert page.last("[data-kind=line] .readout") == ["3 Jun: 97.1 %"]
    limit = page.js("document.querySelector('.entry:last-child [data-kind=line] line.limit').getAttribute('y1')")
    dots = page.js("[...document.querySelectorAll('.entry:last-child circle.dot')].map(c => +c.getAttribute('cy'))")
    assert sum(dot < float(limit) for dot in dots) == 6, "as many nights above the target as the data say"


def test_a_number_says_target_comparison_and_elements(page: Page) -> None:
    page.sign_in()
    page.ask(YIELD)
    tile = page.last(".number")[0]
    for text in ("94.6", "Target 96.5 %", "−0.8 points", "1 184", "good at first pass ÷ inspected"):
        assert text in tile
    assert page.js("document.querySelector('.entry:last-child .number-compare').classList.contains('worse')")


def test_a_citation_opens_the_page_with_the_passage_marked(page: Page) -> None:
    page.sign_in()
    page.ask("what torque for the spindle bearing cap bolts")
    page.tap(".entry:last-child .prose .chip")
    page.wait("(i => i && !i.hidden && i.complete && i.naturalWidth > 400)(document.querySelector('img.page'))")
    amber = page.js(
        "(async () => { const i = document.querySelector('img.page'); const c = document.createElement('canvas');"
        "c.width = i.naturalWidth; c.height = i.naturalHeight; const x = c.getContext('2d'); x.drawImage(i, 0, 0);"
        "const d = x.getImageData(0, 0, c.width, c.height).data; let n = 0;"
        "for (let p = 0; p < d.length; p += 4) if (d[p] === 255 && d[p + 1] === 205 && d[p + 2] === 70) n++; return n; })()"
    )
    assert amber > 2000
    assert page.js("document.querySelector('.page-count').textContent") == "Page 1 of 3"
    wide = page.js("document.querySelector('img.page').clientWidth")
    page.tap(".sheet-tools .tool", 3)
    assert page.js("document.querySelector('img.page').clientWidth") > wide * 1.3
    page.tap(".sheet-tools .tool", 1)
    page.wait("document.querySelector('.page-count').textContent === 'Page 2 of 3'")
    page.key("Escape", 27)
    page.wait("!document.getElementById('sheet').open")


def test_a_query_citation_shows_statement_parameters_and_rows(page: Page) -> None:
    page.sign_in()
    page.ask("Show me all open maintenance orders for the CNC machines")
    page.tap(".entry:last-child .source")
    page.wait("document.getElementById('sheet').open")
    text = page.js("document.getElementById('sheet').innerText")
    for part in ("SELECT o.id", ":e1", "CNC-02", "MO-10469", "Certified definition", "Data until 17 Jun, 09:00"):
        assert part in text
    page.key("Escape", 27)


def test_a_note_without_pages_shows_its_text(page: Page) -> None:
    page.sign_in()
    page.ask(ALARM)
    page.tap(".entry:last-child .source", 2)
    page.wait("document.querySelectorAll('#sheet .source-text').length > 0")
    assert "swapped FLT-2210" in page.js("document.getElementById('sheet-body').innerText")
    page.key("Escape", 27)


def test_an_emergency_stands_first_and_speaks_at_once(page: Page) -> None:
    page.sign_in()
    for width, height in ((1280, 800), (390, 844)):
        page.screen(width, height)
        page.ask("there is smoke coming out of the cabinet")
        first = page.js("document.querySelector('.entry:last-child .answer').firstElementChild.firstElementChild.getAttribute('role')")
        assert first == "alert"
        box = page.js("(b => [b.top, b.bottom, innerHeight])(document.querySelector('.entry:last-child .emergency-number b').getBoundingClientRect())")
        assert 0 < box[0] < box[1] < box[2] - 80, "the number is on the screen, above the question line, without scrolling"
        assert page.js("document.querySelector('.entry:last-child .emergency-number').getAttribute('href')") == "tel:333"


def test_a_choice_asks_its_question(page: Page) -> None:
    page.sign_in()
    page.ask("how is the pump doing")
    assert page.last(".status") == ["Which one?"]
    page.tap(".entry:last-child .choice", 1)
    page.wait("[...document.querySelectorAll('.entry:last-child .asked')].some(e => e.textContent === 'What was the OEE for PMP-40 today?')")
    page.settled()
    assert page.js("document.querySelectorAll('.entry.folded').length") == page.js("document.querySelectorAll('.entry').length") - 1


def test_a_confirmation_is_given_once(page: Page, assistant: ScriptedAssistant) -> None:
    page.sign_in("Max")
    page.ask("send maintenance to CNC-02, coolant pump is leaking")
    page.tap(".entry:last-child .confirm .primary")
    page.wait("document.querySelector('.entry:last-child .confirm-outcome').textContent.includes('REQ-00001')")
    assert assistant.confirmed[-1] == ("TOKEN", "max", True)
    assert page.js("[...document.querySelectorAll('.entry:last-child .confirm button')].every(b => b.disabled)")


def test_a_table_sorts_by_values_and_not_by_their_texts(page: Page) -> None:
    page.sign_in()
    page.ask("Show me all open maintenance orders for the CNC machines")
    page.tap(".entry:last-child th:last-child .sort")
    hours = [int(text.split()[0]) for text in page.last("tbody td:last-child")]
    assert hours == sorted(hours, reverse=True)
    page.tap(".entry:last-child th:last-child .sort")
    assert [int(text.split()[0]) for text in page.last("tbody td:last-child")] == sorted(hours)
    page.tap(".entry:last-child th:nth-child(6) .sort")
    created = page.last("tbody td:nth-child(6)")
    assert created == sorted(created, key=lambda text: time.strptime(text, "%d %b %Y %H:%M"))


def test_a_document_opens_in_its_formats(page: Page) -> None:
    page.sign_in("Quinn")
    page.ask("Generate a summary of all non-conformance reports for product XYZ from the last quarter")
    links = page.js("[...document.querySelectorAll('.entry:last-child .document a')].map(a => [a.getAttribute('href'), a.rel])")
    assert links == [[f"/api/documents/DOC-0007.{suffix}", "noopener"] for suffix in ("html", "pdf", "docx")]


def test_markup_in_data_stays_text(page: Page, assistant: ScriptedAssistant) -> None:
    answer = json.loads(json.dumps(assistant.answers[YIELD.casefold()]).replace("CNC-02", HOSTILE).replace("Line 3", HOSTILE))
    answer["text"] = f"{HOSTILE} **{HOSTILE}** [here](javascript:alert) ![x](http://evil.example/x.png) [E1]"
    answer["blocks"] += [
        {"type": "passage", "title": HOSTILE, "text": HOSTILE, "document": HOSTILE, "revision": HOSTILE, "page": 1,
         "section": HOSTILE, "marker": "E1", "kind": HOSTILE, "author": HOSTILE},
        {"type": "steps", "title": HOSTILE, "steps": [{"n": HOSTILE, "text": HOSTILE, "warning": HOSTILE}], "marker": "E1"},
        {"type": "emergency", "title": HOSTILE, "text": HOSTILE, "number": "javascript:alert", "steps": [HOSTILE]},
        {"type": "choices", "question": HOSTILE, "choices": [{"label": HOSTILE, "question": HOSTILE}]},
        {"type": "document", "id": "../../login", "title": HOSTILE, "status": HOSTILE, "formats": ["html"]},
        {"type": HOSTILE},
    ]  # fmt: skip
    assistant.answers["a hostile answer"] = answer
    page.sign_in()
    page.ask("a hostile answer")
    page.tap(".entry:last-child .source", 1)
    assert page.js("document.title") == "Andon"
    assert page.js("document.querySelectorAll('.entry img, .entry script, dialog img[src=x]').length") == 0
    assert page.js("[...document.querySelectorAll('.entry a')].map(a => a.href).filter(h => !/^(tel:|http:..127.0.0.1)/.test(h))") == []
    assert page.js("document.querySelector('.entry .document a').getAttribute('href')") == "/api/documents/..%2F..%2Flogin.html"
    page.key("Escape", 27)


def test_nothing_is_fetched_from_elsewhere(page: Page, service: str) -> None:
    page.sign_in()
    page.ask(YIELD)
    foreign = [url for url in page.requests if not url.startswith((service, "about:", f"blob:{service}", "data:", "chrome:"))]
    assert page.requests
    assert foreign == []


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (800, 1280), (390, 844), (320, 640)])
def test_nothing_is_cut_off_and_every_target_is_large(page: Page, width: int, height: int) -> None:
    page.screen(width, height)
    page.sign_in()
    for question in (ALARM, "how is the pump doing", YIELD):
        page.ask(question)
        assert page.js("(e => [innerWidth, e.scrollWidth - e.clientWidth])(document.documentElement)") == [width, 0], question
        wide = page.js(
            "[...document.querySelectorAll('.entry:last-child .block, .bar > *, .ask > *')].filter(e => e.offsetParent)"
            ".filter(e => { const b = e.getBoundingClientRect(); return b.right > innerWidth + 1 || b.left < -1; }).map(e => e.className)"
        )
        assert wide == []
        small = page.js(
            "[...document.querySelectorAll('button, a, summary, input, textarea')].filter(e => e.offsetParent && !e.matches('.chip, .skip'))"
            ".map(e => [e.className || e.id || e.localName, e.getBoundingClientRect()])"
            ".filter(([, b]) => b.height < 56 || b.width < 44).map(([n, b]) => `${n} ${b.width}x${b.height}`)"
        )
        assert small == []
    reached = page.js(
        "(() => { const c = document.querySelector('.entry:last-child .prose .chip'); const b = c.getBoundingClientRect();"
        "return getComputedStyle(c, '::after').inset.split(' ').map(parseFloat).concat(b.height); })()"
    )
    assert reached[-1] - 2 * reached[0] >= 56, "a citation is a small sign with a large target"


#: Contrast of every visible text with what lies behind it, by the WCAG 2.2 formula; below 4.5 (3 for large text) is listed.
CONTRAST = """
(() => {
  const channel = v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const light = c => 0.2126 * channel(c[0]) + 0.7152 * channel(c[1]) + 0.0722 * channel(c[2]);
  const parse = s => { const m = s.match(/[\\d.]+/g).map(Number); return s.startsWith('color(') ? [m[0] * 255, m[1] * 255, m[2] * 255, m[3] ?? 1] : [...m.slice(0, 3), m[3] ?? 1]; };
  const behind = e => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor); if (c[3] > 0.99) return c; } return [255, 255, 255]; };
  const bad = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let n = walk.nextNode(); n; n = walk.nextNode()) {
    const e = n.parentElement;
    if (!n.textContent.trim() || !e.checkVisibility({ opacityProperty: true, visibilityProperty: true }) || e.closest('.sr, .skip, :disabled')) continue;
    const style = getComputedStyle(e);
    const inSvg = e.namespaceURI.endsWith('svg');
    const a = light(parse(inSvg ? style.fill : style.color)), b = light(behind(inSvg ? e.ownerSVGElement.parentElement : e));
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    const large = parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.66 && +style.fontWeight >= 700);
    if (ratio < (large ? 3 : 4.5)) bad.push(`${e.className.baseVal ?? e.className} "${n.textContent.trim().slice(0, 30)}" ${ratio.toFixed(2)}`);
  }
  return bad;
})()
"""


@pytest.mark.parametrize("dark", [False, True])
def test_every_text_has_contrast(page: Page, dark: bool) -> None:
    page.screen(1280, 800, dark=dark)
    page.sign_in()
    assert page.js("getComputedStyle(document.documentElement).backgroundColor") == ("rgb(14, 17, 19)" if dark else "rgb(233, 235, 235)")
    assert page.js(CONTRAST) == []
    for path in sorted((Path(__file__).parent / "fixtures" / "answers").glob("*.json")):
        page.ask(json.loads(path.read_text(encoding="utf-8"))["question"])
        assert page.js(CONTRAST) == [], path.name
    page.tap("#machine")
    page.wait("document.getElementById('sheet').open")
    assert page.js(CONTRAST) == []
    page.key("Escape", 27)


def test_the_scheme_can_be_switched_and_is_kept(page: Page) -> None:
    page.screen(1280, 800, dark=False)
    page.sign_in()
    page.tap("#theme")
    assert page.js("getComputedStyle(document.documentElement).backgroundColor") == "rgb(14, 17, 19)"
    page.open(f"{page.url}/")
    assert page.js("getComputedStyle(document.documentElement).backgroundColor") == "rgb(14, 17, 19)"
    page.js("localStorage.clear()")


def test_a_screen_reader_hears_names_and_the_finished_answer(page: Page) -> None:
    page.sign_in()
    page.ask(ALARM)
    for role in ("button", "link", "textbox", "region"):
        assert "" not in page.names(role), role
    assert any(name.startswith("E1: VX-500") for name in page.names("button"))
    live = page.js("(e => [e.getAttribute('aria-live'), e.getAttribute('aria-busy')])(document.querySelector('.entry:last-child .prose'))")
    assert live == ["polite", "false"]
    charts = page.js("[...document.querySelectorAll('.entry:last-child svg[role=img]')].map(s => s.getAttribute('aria-label'))")
    assert charts
    assert all("Clogged coolant filter: 9" in label for label in charts)


def test_the_keyboard_alone_is_enough(page: Page) -> None:
    page.sign_in()
    page.js("document.activeElement.blur(); document.querySelector('.skip').focus()")
    page.key("Enter", 13)
    page.js("document.getElementById('question').focus()")
    page.type(ALARM)
    page.key("Enter", 13)
    page.settled()
    seen = []
    for _ in range(60):
        page.key("Tab", 9)
        seen.append(page.js("document.activeElement.className || document.activeElement.id"))
        if seen[-1] == "chip":
            break
    else:
        page.js("document.querySelector('.entry:last-child .chip').focus()")
    page.key("Enter", 13)
    page.wait("document.getElementById('sheet').open")
    assert page.js("document.getElementById('sheet').contains(document.activeElement)")
    page.key("Escape", 27)
    page.wait("!document.getElementById('sheet').open")


def test_a_reload_brings_the_conversation_back(page: Page) -> None:
    page.sign_in()
    page.ask(YIELD)
    page.ask(ALARM)
    page.open(f"{page.url}/?equipment=CNC-02")
    page.wait("document.querySelectorAll('.entry').length === 2")
    assert page.last(".asked") == [ALARM]
    assert "Coolant flow low" in page.last(".prose")[0]
    page.tap("#fresh")
    page.wait("document.querySelectorAll('.entry').length === 0")


def test_a_badge_opens_an_enrolled_tablet(page: Page, assistant: ScriptedAssistant) -> None:
    assistant.identity.set_badge("olivia", "04A2B8C91F", "ada")
    _, token = assistant.identity.enrol("Line 3", "ada")
    page.command("Network.clearBrowserCookies")
    page.open(f"{page.url}/?equipment=CNC-02")
    page.wait("document.querySelectorAll('.person-tile').length > 0")
    assert page.js("document.querySelectorAll('#quick-badge').length") == 0
    page.command("Network.setCookie", name="andon_tablet", value=token, url=page.url, httpOnly=True)
    page.open(f"{page.url}/?equipment=CNC-02")
    page.wait("document.activeElement.id === 'quick-badge'")
    page.type("04A2B8C91F")
    page.tap("form:has(#quick-badge) button[type=submit]")
    page.wait("document.querySelectorAll('.suggestion').length > 0")
    assert page.js("document.getElementById('person').textContent").endswith("Olivia")


def test_a_session_that_ended_keeps_the_question(page: Page) -> None:
    page.sign_in()
    page.command("Network.clearBrowserCookies")
    page.tap("#question")
    page.type("what is the oee of line 3")
    page.key("Enter", 13)
    page.wait("!document.getElementById('sign-in').hidden")
    page.tap(".person-tile")
    page.wait("!document.getElementById('ask').hidden")
    assert page.js("document.getElementById('question').value") == "what is the oee of line 3"


def test_a_lost_connection_says_so_and_asks_again(page: Page) -> None:
    page.sign_in()
    offline: dict[str, Any] = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    page.command("Network.emulateNetworkConditions", offline=True, **offline)
    page.ask(YIELD)
    assert "connection" in page.last(".prose")[0]
    page.command("Network.emulateNetworkConditions", offline=False, **offline)
    page.tap(".entry:last-child .foot .big")
    page.wait("(document.querySelector('.entry:last-child .prose')?.innerText || '').includes('94.6')")


def test_feedback_takes_one_tap(page: Page) -> None:
    page.sign_in()
    page.ask(YIELD)
    page.tap(".entry:last-child .thumb", 1)
    page.wait("document.querySelectorAll('.entry:last-child .thumb')[1].getAttribute('aria-pressed') === 'true'")


def test_an_answer_can_be_stopped(page: Page, assistant: ScriptedAssistant) -> None:
    page.sign_in()
    assistant.pause_s = 0.5
    try:
        page.tap("#question")
        page.type(ALARM)
        page.key("Enter", 13)
        page.wait("document.querySelector('.send.running') !== null")
        page.tap("#send")
        page.wait("document.querySelector('.entry:last-child').dataset.status === 'problem'")
        until = time.monotonic() + 20
        while ALARM not in assistant.stopped and time.monotonic() < until:
            time.sleep(0.1)
        assert ALARM in assistant.stopped, "the turn itself was stopped, not only the page"
    finally:
        assistant.pause_s = 0.02
