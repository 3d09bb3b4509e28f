"""The HTTP service over a scripted assistant and a real store: every endpoint, every refusal, every header."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from assistant import documents_api
from assistant.api import COOKIE, ROUTES, create_app
from assistant.demo import PASSWORD
from assistant.guard import BODY_BYTES
from assistant.problems import Busy
from assistant.streaming import Lane, stream
from tests.scripted_assistant import ScriptedAssistant

TORQUE = "what torque for the spindle bearing cap bolts"
ORIGIN = "http://127.0.0.1"


@pytest.fixture(scope="module")
def assistant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ScriptedAssistant]:
    scripted = ScriptedAssistant(tmp_path_factory.mktemp("home"))
    yield scripted
    scripted.close()


@pytest.fixture(scope="module")
def app(assistant: ScriptedAssistant) -> Any:
    return create_app(assistant, heartbeat_s=0.2)


@pytest.fixture(scope="module")
def browser(app: Any) -> Iterator[TestClient]:
    with TestClient(app, base_url=ORIGIN, raise_server_exceptions=False) as found:
        yield found


@pytest.fixture
def client(browser: TestClient) -> TestClient:
    """Nobody is signed in."""
    browser.cookies.clear()
    return browser


def signed_in(client: TestClient, user: str = "sam") -> TestClient:
    response = client.post("/api/login", json={"user": user, "password": PASSWORD})
    assert response.status_code == 200, response.text
    return client


def events(text: str) -> list[tuple[str, Any]]:
    """Server-sent events by the rules of the HTML standard, read independently of the service's writer."""
    found = []
    for part in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in part.splitlines() if line and not line.startswith(":"))
        if fields:
            found.append((fields["event"], json.loads(fields["data"])))
    return found


def problem(response: Any, status: int) -> str:
    assert response.status_code == status, response.text
    assert response.headers["content-type"].startswith("application/problem+json")
    body = response.json()
    assert body["status"] == status
    assert set(body) >= {"type", "title", "status", "detail", "addressee"}
    assert "Traceback" not in response.text
    return str(body["detail"])


# Who asks


def test_every_plant_endpoint_wants_a_session(client: TestClient) -> None:
    """Generated from the route table, so that a new endpoint cannot forget it."""
    public = {"/api/login", "/api/logout", "/api/me", "/healthz", "/readyz", "/metrics"}
    bodies: dict[str, Any] = {
        "/api/ask": {"question": "x"}, "/api/ask/stream": {"question": "x"}, "/api/confirmations/{token}": {"accept": True},
        "/api/feedback": {"turn": "t", "helped": True}, "/api/documents": {"kind": "sop"},
        "/api/documents/{document}/transitions": {"to": "approved"}, "/api/documents/{document}/signing": {},
        "/api/documents/{document}/edits": {"section": "1", "text": "x"}, "/api/documents/{document}/revisions": {},
        "/api/password": {"old": "x", "new": "y"},
    }  # fmt: skip
    checked = 0
    for method, path, _ in (*ROUTES, *documents_api.ROUTES):
        if path in public:
            continue
        url = path.replace("{page}", "1")
        for name in ("document", "revision", "conversation", "token"):
            url = url.replace(f"{{{name}}}", "X")
        response = client.request(method, url, json=bodies.get(path))
        assert "sign in first" in problem(response, 401), path
        checked += 1
    assert checked >= 20


def test_identity_is_the_session_and_never_the_body(client: TestClient, assistant: ScriptedAssistant) -> None:
    signed_in(client, "olivia")
    answer = client.post("/api/ask", json={"question": TORQUE, "user": "quinn"}).json()
    assert assistant.store.turn(answer["turn"])["user"] == "olivia"
    assert assistant.store.turn(answer["turn"])["via"] == "session"


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(client: TestClient) -> None:
    response = client.post("/api/login", json={"user": "sam", "password": PASSWORD})
    cookie = response.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert "token" not in response.json()


def test_a_program_gets_a_bearer_token_and_no_cookie(client: TestClient) -> None:
    response = client.post("/api/login", json={"user": "max", "password": PASSWORD, "program": True})
    assert "set-cookie" not in response.headers
    token = response.json()["token"]
    bearer = {"authorization": f"Bearer {token}"}
    assert client.get("/api/me", headers=bearer).json()["user"]["id"] == "max"
    assert client.post("/api/logout", headers=bearer).status_code == 204
    assert client.get("/api/me", headers=bearer).json()["user"] is None


def test_wrong_passwords_and_unknown_users_read_the_same(client: TestClient) -> None:
    wrong = problem(client.post("/api/login", json={"user": "sam", "password": "no"}), 401)
    unknown = problem(client.post("/api/login", json={"user": "nobody", "password": "no"}), 401)
    assert wrong == unknown


def test_signing_out_ends_the_session(client: TestClient) -> None:
    signed_in(client)
    token = client.cookies[COOKIE]
    client.post("/api/logout")
    client.cookies.set(COOKIE, token)
    problem(client.get("/api/equipment"), 401)


def test_outside_the_demo_nobody_is_listed_and_the_clock_stands(tmp_path: Path) -> None:
    plain = ScriptedAssistant(tmp_path, demo=False)
    with TestClient(create_app(plain), base_url=ORIGIN) as client:
        me = client.get("/api/me").json()
        assert me["users"] == []
        assert me["demo_password"] is None
        signed_in(client)
        asked = client.post("/api/ask", json={"question": TORQUE, "at": "2026-01-01T00:00:00+01:00"})
        assert "demo" in problem(asked, 403)
    plain.close()


# Questions


def test_a_whole_answer(client: TestClient, assistant: ScriptedAssistant) -> None:
    signed_in(client)
    answer = client.post("/api/ask", json={"question": TORQUE, "equipment": "CNC-02"}).json()
    assert answer["status"] == "answered"
    assert answer["citations"][0]["document"] == "MAN-CNC-VX500"
    assert len(answer["turn"]) == 16


def test_the_stream_tells_steps_then_blocks_then_checked_text_then_the_answer(client: TestClient) -> None:
    signed_in(client)
    response = client.post("/api/ask/stream", json={"question": TORQUE})
    assert response.headers["content-type"].startswith("text/event-stream")
    found = events(response.text)
    names = [name for name, _ in found]
    assert names == ["status", "step", "step", "block", "token", "answer"]
    assert found[3][1]["type"] == "passage"
    assert found[-1][1]["text"] == found[4][1]["text"]


def test_a_failure_inside_is_one_sentence_without_engine_text(client: TestClient) -> None:
    signed_in(client)
    assert "secret" not in problem(client.post("/api/ask", json={"question": "fail please"}), 500)
    last = events(client.post("/api/ask/stream", json={"question": "fail please"}).text)[-1]
    assert last[0] == "problem"
    assert "secret" not in json.dumps(last[1])


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        ({"question": ""}, 422, "no question"),
        ({"question": " \u0000\u0007 "}, 422, "no question"),
        ({"question": "w" * 4001}, 422, "4,000"),
        ({"question": "x" * (BODY_BYTES + 1)}, 413, "too long"),
        ({"question": 7}, 422, "question"),
        ({}, 422, "question"),
        ({"question": TORQUE, "equipment": "CNC-99"}, 404, "machine"),
        ({"question": TORQUE, "at": "yesterday"}, 422, "at"),
    ],
)
def test_bad_questions_get_one_sentence(client: TestClient, body: dict[str, Any], status: int, says: str) -> None:
    signed_in(client)
    sentence = problem(client.post("/api/ask", json=body), status)
    assert says in sentence
    assert sentence.count("\n") == 0
    assert len(sentence) < 200
    problem(client.post("/api/ask/stream", json=body), status)


def test_a_body_without_a_length_is_cut_off_too(client: TestClient) -> None:
    signed_in(client)

    def endless() -> Iterator[bytes]:
        yield b'{"question": "'
        for _ in range(40):
            yield b"x" * 4096
        yield b'"}'

    problem(client.post("/api/ask", content=endless(), headers={"content-type": "application/json"}), 413)


def test_no_json_no_question(client: TestClient) -> None:
    signed_in(client)
    problem(client.post("/api/ask", content=b"{", headers={"content-type": "application/json"}), 422)
    problem(client.post("/api/ask", content=b"question=x", headers={"content-type": "text/plain"}), 422)


def test_control_characters_do_no_harm(client: TestClient) -> None:
    signed_in(client)
    answer = client.post("/api/ask", json={"question": "what\u0000 torque \u001b[31m for\u202e it"}).json()
    assert answer["status"] == "out_of_scope"


def test_conversations_are_read_by_their_own_person_only(client: TestClient) -> None:
    signed_in(client, "sam")
    client.post("/api/ask", json={"question": TORQUE, "conversation": "c-sam"})
    turns = client.get("/api/conversations/c-sam").json()["turns"]
    assert [turn["record"]["question"] for turn in turns] == [TORQUE]
    signed_in(client, "quinn")
    problem(client.get("/api/conversations/c-sam"), 404)


def test_confirmations_carry_the_person(client: TestClient, assistant: ScriptedAssistant) -> None:
    signed_in(client, "max")
    outcome = client.post("/api/confirmations/tok", json={"accept": True}).json()
    assert outcome["text"] == "Sent as REQ-00001."
    assert assistant.confirmed[-1] == ("tok", "max", True)


def test_feedback_is_for_ones_own_turns(client: TestClient) -> None:
    signed_in(client, "sam")
    turn = client.post("/api/ask", json={"question": TORQUE}).json()["turn"]
    assert client.post("/api/feedback", json={"turn": turn, "helped": True}).status_code == 204
    problem(client.post("/api/feedback", json={"turn": "0" * 16, "helped": True}), 404)
    signed_in(client, "quinn")
    problem(client.post("/api/feedback", json={"turn": turn, "helped": False}), 404)


# The lane


def test_a_full_lane_refuses_and_says_when_to_come_back() -> None:
    async def scenario() -> None:
        lane = Lane(workers=1, waiting=1)
        go = threading.Event()

        def work(_: Any) -> dict[str, Any]:
            go.wait(10)
            return {"status": "answered"}

        first, second = lane.start(work), lane.start(work)
        with pytest.raises(Busy) as refused:
            lane.start(work)
        assert refused.value.retry_after_s > 0
        go.set()
        for running in (first, second):
            names = []
            while not names or names[-1] != "answer":
                event = await running.event(10)
                assert event is not None
                names.append(event[0])
        await asyncio.sleep(0.05)
        assert lane.taken == 0
        lane.close()

    asyncio.run(scenario())


def test_a_busy_service_answers_503_with_retry_after(client: TestClient, app: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    signed_in(client)

    def full(_: Any) -> None:
        raise Busy("Too many questions at once; ask again in a few seconds.")

    monkeypatch.setattr(app.state.service.lane, "start", full)
    response = client.post("/api/ask", json={"question": TORQUE})
    problem(response, 503)
    assert int(response.headers["retry-after"]) > 0


def test_when_the_client_leaves_the_turn_stops() -> None:
    async def scenario() -> None:
        lane = Lane(workers=1, waiting=0)
        told: list[int] = []

        def work(report: Any) -> dict[str, Any]:
            for number in range(1000):
                told.append(number)
                report("token", {"text": "word"})
                time.sleep(0.01)
            return {}

        reading = stream(lane.start(work))
        for _ in range(3):
            await anext(reading)
        await reading.aclose()
        for _ in range(200):
            await asyncio.sleep(0.02)
            if lane.taken == 0:
                break
        assert lane.taken == 0
        assert len(told) < 500
        lane.close()

    asyncio.run(scenario())


def test_silence_is_filled_with_heartbeats() -> None:
    async def scenario() -> None:
        lane = Lane(workers=1, waiting=0)
        go = threading.Event()

        def work(_: Any) -> dict[str, Any]:
            go.wait(10)
            return {"status": "answered"}

        reading = stream(lane.start(work), heartbeat_s=0.05)
        assert (await anext(reading)).startswith(b"event: status")
        assert (await anext(reading)).startswith(b":")
        go.set()
        rest = b"".join([part async for part in reading])
        assert b"event: answer" in rest
        lane.close()

    asyncio.run(scenario())


# Sources


def test_a_cited_page_as_a_picture(client: TestClient) -> None:
    signed_in(client)
    url = "/api/sources/MAN-CNC-VX500/C/1.png"
    response = client.get(url, params={"highlight": "Spindle bearing cap bolts M10"})
    assert response.headers["content-type"] == "image/png"
    assert response.content.startswith(b"\x89PNG")
    assert response.headers["x-andon-pages"] == "3"
    assert response.headers["x-andon-found"] == "all"
    again = client.get(url, params={"highlight": "Spindle bearing cap bolts M10"}, headers={"if-none-match": response.headers["etag"]})
    assert again.status_code == 304


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("MAN-CNC-VX500/C/4.png", 404), ("MAN-CNC-VX500/B/1.png", 404), ("NOPE/1/1.png", 404), ("MAN-CNC-VX500/C/0.png", 422),
        ("LOG-MO-10467/1/1.png", 404), ("GONE/1/1.png", 404), ("..%2F..%2Fetc/passwd/1.png", 404),
        ("MAN-CNC-VX500/C/1.png?longest_px=100000", 422),
    ],
)  # fmt: skip
def test_pages_that_cannot_be_shown(client: TestClient, path: str, status: int) -> None:
    signed_in(client)
    problem(client.get(f"/api/sources/{path}"), status)


def test_a_document_without_pages_shows_its_text(client: TestClient) -> None:
    signed_in(client)
    source = client.get("/api/sources/LOG-MO-10467/1").json()
    assert source["pages"] == 0
    assert "swapped FLT-2210" in source["passages"][0]["text"]


def test_an_administrator_reads_no_documents(client: TestClient) -> None:
    signed_in(client, "ada")
    problem(client.get("/api/sources/MAN-CNC-VX500/C/1.png"), 403)
    problem(client.get("/api/sources/LOG-MO-10467/1"), 403)


def test_machines_of_ones_own_lines_come_first(client: TestClient) -> None:
    signed_in(client, "olivia")
    rows = client.get("/api/equipment").json()["equipment"]
    assert [row["own"] for row in rows] == sorted((row["own"] for row in rows), reverse=True)
    assert rows[0] == {"id": "CNC-01", "name": "CNC-01", "line": "LINE-3", "line_name": "Line 3", "class": "cnc", "own": True}


# What stands in front


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site", "origin": ORIGIN},
        {"origin": "null"},
    ],
)
def test_other_pages_cannot_write(client: TestClient, headers: dict[str, str]) -> None:
    signed_in(client)
    problem(client.post("/api/ask", json={"question": TORQUE}, headers=headers), 403)


def test_the_own_page_can_write(client: TestClient) -> None:
    signed_in(client)
    headers = {"origin": ORIGIN, "sec-fetch-site": "same-origin"}
    assert client.post("/api/ask", json={"question": TORQUE}, headers=headers).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "10.0.0.7:8000", ""])
def test_a_foreign_name_for_this_machine_is_not_served(client: TestClient, host: str) -> None:
    problem(client.get("/api/me", headers={"host": host}), 403)


@pytest.mark.parametrize("host", ["localhost:8000", "127.0.0.1", "[::1]:8000"])
def test_this_machine_by_its_names(client: TestClient, host: str) -> None:
    assert client.get("/api/me", headers={"host": host}).status_code == 200


def test_the_page_and_its_policy(client: TestClient) -> None:
    page = client.get("/")
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "<script>" not in page.text
    assert " style=" not in page.text
    assert "http" not in page.text.replace("http-equiv", "")
    assert page.headers["x-content-type-options"] == "nosniff"


def test_every_file_that_the_page_names_is_there(client: TestClient) -> None:
    import re

    folder = Path(__file__).resolve().parent.parent / "assistant" / "ui"
    total = 0
    for path in sorted(folder.iterdir()):
        response = client.get(f"/ui/{path.name}")
        assert response.status_code == 200
        total += len(response.content)
        if path.suffix in (".js", ".html", ".css", ".webmanifest"):
            text = path.read_text(encoding="utf-8")
            for name in re.findall(r'["\'(](?:\./|/ui/)([\w.-]+)', text):
                assert (folder / name).is_file(), f"{path.name} names {name}"
            assert "innerHTML" not in text
            assert not re.search(r"https?://(?!www\.w3\.org)", text), f"{path.name} names a foreign address"
    assert total < 300_000


def test_every_icon_that_the_page_names_is_drawn() -> None:
    import re

    folder = Path(__file__).resolve().parent.parent / "assistant" / "ui"
    drawn = set(re.findall(r'symbol id="([\w-]+)"', (folder / "icons.svg").read_text(encoding="utf-8")))
    named = set()
    for path in folder.iterdir():
        if path.suffix in (".js", ".html"):
            text = path.read_text(encoding="utf-8")
            named |= set(re.findall(r'icons\.svg#([\w-]+)"', text)) | set(re.findall(r'\bicon\("([\w-]+)"', text))
    assert named
    assert named <= drawn


# Running the service


def test_health_readiness_metrics_and_schema(client: TestClient, assistant: ScriptedAssistant) -> None:
    signed_in(client)
    client.post("/api/ask", json={"question": TORQUE})
    assert client.get("/healthz").json()["status"] == "ok"
    assert client.get("/readyz").json() == {"ready": True, "parts": assistant.ready()}
    metrics = client.get("/metrics").text
    assert 'andon_answers_total{status="answered"}' in metrics
    assert 'route="/api/ask"' in metrics
    assert TORQUE not in metrics
    paths = client.get("/openapi.json").json()["paths"]
    assert {path for _, path, _ in (*ROUTES, *documents_api.ROUTES)} <= set(paths)


def test_a_part_that_is_down_makes_the_service_unready(
    client: TestClient, assistant: ScriptedAssistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    down = {"plant": "The plant database cannot be reached.", "index": "ok"}
    monkeypatch.setattr(assistant, "ready", lambda: down)
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["parts"]["plant"] == down["plant"]


def test_addresses_that_do_not_exist(client: TestClient) -> None:
    problem(client.get("/api/nothing"), 404)
    problem(client.get("/api/ask"), 405)
    problem(client.get("/ui/../api.py"), 404)
    problem(client.get("/ui/%2e%2e/api.py"), 404)
