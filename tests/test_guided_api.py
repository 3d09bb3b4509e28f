"""Guided procedures through HTTP: started from an approved source, blocked, deviated, resumed, recorded; who may what."""

import base64
import re

import pytest
from fastapi.testclient import TestClient

from assistant.api import create_app
from assistant.demo import PASSWORD

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"0" * 64).decode()


@pytest.fixture(scope="module")
def client(assistant):
    with TestClient(create_app(assistant), base_url="http://127.0.0.1") as client:
        yield client


def _as(client, user):
    token = client.post("/api/login", json={"user": user, "password": PASSWORD, "program": True}).json()["token"]
    return {"authorization": f"Bearer {token}"}


def _start(client, who, task="clean the coolant tank", equipment="CNC-02"):
    response = client.post("/api/guided", json={"task": task, "equipment": equipment}, headers=who)
    assert response.status_code == 201, response.text
    return response.json()


def _command(client, who, run, **body):
    return client.post(f"/api/guided/{run['run']}/commands", json={"seq": run["seq"], **body}, headers=who)


def _through(client, who, run):
    """Give the step what it asks for; returns the run after `next`."""
    step = run["step"]
    if step["warning"]:
        run = _command(client, who, run, command="acknowledge").json()
    check = step["checkpoint"]
    for index, reading in enumerate(check.get("readings", ())):
        low, high = reading["low"], reading["high"]
        value = (low + high) / 2 if low is not None and high is not None else low * 1.01 + 0.01 if high is None else high * 0.99 - 0.01
        run = _command(client, who, run, command="reading", index=index, value=value).json()
    for index in range(len(check.get("items", ()))):
        run = _command(client, who, run, command="tick", index=index).json()
    if check.get("second_person"):
        run = _command(client, who, run, command="second", user="quinn", password=PASSWORD).json()
    if check.get("photo"):
        run = _command(client, who, run, command="photo", photo=f"data:image/png;base64,{PNG}").json()
    after = _command(client, who, run, command="next").json()
    assert after["taken"], after["said"]
    return after


def test_a_whole_run_ends_in_a_record_that_is_a_document(client):
    who = _as(client, "max")
    run = _start(client, who)
    assert run["source"]["document"] == "SOP-COOL-01"
    assert run["step"]["of"] == 11
    while run["state"] == "running":
        run = _through(client, who, run)
    assert run["state"] == "finished"
    assert re.fullmatch(r"DOC-\d{4}-\d{4,}", run["record"])
    shown = client.get(f"/api/documents/{run['record']}", headers=who)
    assert shown.status_code == 200, shown.text
    pdf = client.get(f"/api/documents/{run['record']}.pdf", headers=who)
    assert pdf.content.startswith(b"%PDF")
    assert client.post(f"/api/guided/{run['run']}/record", headers=who).json()["document"] == run["record"]


def test_a_reading_outside_blocks_until_a_deviation_with_a_reason(client):
    who = _as(client, "max")
    run = _start(client, who)
    while not run["step"]["checkpoint"].get("readings"):
        run = _through(client, who, run)
    if run["step"]["warning"]:
        run = _command(client, who, run, command="acknowledge").json()
    for index in range(len(run["step"]["checkpoint"]["readings"])):
        run = _command(client, who, run, command="reading", index=index, value=-9999 if run["step"]["checkpoint"]["readings"][index]["low"] is not None else 9999).json()
    refused = _command(client, who, run, command="next").json()
    assert not refused["taken"]
    assert "deviation" in refused["said"]
    assert not _command(client, who, run, command="deviate", reason="").json()["taken"]
    run = _command(client, who, run, command="deviate", reason="gauge is being repaired").json()
    assert _command(client, who, run, command="next").json()["taken"]


def test_it_goes_on_after_a_restart_and_tells_the_second_device(client, assistant):
    who = _as(client, "max")
    run = _through(client, who, _start(client, who))
    with TestClient(create_app(assistant), base_url="http://127.0.0.1") as other:
        again = other.get(f"/api/guided/{run['run']}", headers=who).json()
        assert (again["step"]["place"], again["seq"]) == (1, run["seq"])
        assert any(item["run"] == run["run"] for item in other.get("/api/guided", headers=who).json()["runs"])
        assert other.post(f"/api/guided/{run['run']}/commands", json={"command": "back", "seq": run["seq"]}, headers=who).json()["taken"]
    stale = _command(client, who, run, command="next")
    assert stale.status_code == 409


def test_spoken_words_are_commands(client):
    who = _as(client, "max")
    run = _start(client, who)
    assert client.post(f"/api/guided/{run['run']}/commands", json={"words": "next please"}, headers=who).json()["step"]["place"] == 1
    assert client.post(f"/api/guided/{run['run']}/commands", json={"words": "sing a song"}, headers=who).status_code == 422


def test_rights(client):
    who = _as(client, "max")
    run = _start(client, who)
    assert client.get(f"/api/guided/{run['run']}").status_code == 401
    assert client.get(f"/api/guided/{run['run']}", headers=_as(client, "olivia")).status_code == 404
    assert client.get(f"/api/guided/{run['run']}", headers=_as(client, "sam")).status_code == 200
    assert client.post("/api/guided", json={"task": "clean the coolant tank"}, headers=_as(client, "ada")).status_code == 403
    wrong = _command(client, who, run, command="second", user="quinn", password="not it")
    assert wrong.status_code == 401
    _as(client, "quinn")  # a right password after it: five wrong ones of as many test runs would lock the shared home's account
    assert client.post("/api/guided", json={"task": "polish the moon with a toothbrush"}, headers=who).status_code == 404
    assert client.get("/api/guided/RUN-NONE", headers=who).status_code == 404
    assert _command(client, who, run, command="photo", photo="data:image/png;base64,bm90IGEgcGljdHVyZQ==").status_code == 422


def test_a_named_section_starts_exactly_that_procedure(client):
    who = _as(client, "max")
    response = client.post("/api/guided", json={"task": "tank", "document": "SOP-COOL-01", "section": "4 Cleaning the coolant tank"}, headers=who)
    assert response.json()["source"]["section"] == "4 Cleaning the coolant tank"
    assert client.post("/api/guided", json={"task": "tank", "document": "NO-SUCH", "section": "1"}, headers=who).status_code == 404


def test_a_superseded_procedure_stops_where_it_stands(client, assistant, monkeypatch):
    who = _as(client, "max")
    run = _start(client, who)
    info = assistant.index.document("SOP-COOL-01")
    from dataclasses import replace

    monkeypatch.setattr(assistant.index, "document", lambda *_: replace(info, status="superseded"))
    refused = _command(client, who, run, command="next").json()
    assert not refused["taken"]
    assert "no longer effective" in refused["said"]
    assert _command(client, who, run, command="stop", reason="superseded").json()["state"] == "stopped"
