"""Field notes over HTTP and on the command line: the session's person writes and decides, whatever a body says."""

from __future__ import annotations

import json
import shutil

import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from assistant import settings
from assistant.api import create_app
from assistant.app import build
from assistant.cli import app as command_line


@pytest.fixture(scope="module")
def home(demo_home, tmp_path_factory):
    folder = tmp_path_factory.mktemp("notes-api") / "home"
    shutil.copytree(demo_home, folder, ignore=shutil.ignore_patterns("documents", "documents.*", "notes.*"))
    return folder


@pytest.fixture(scope="module")
def service(home):
    made = build(settings.load(home))
    yield create_app(made)
    made.close()


@pytest.fixture
def as_(service):
    def signed_in(user):
        client = TestClient(service, base_url="http://127.0.0.1")
        assert client.post("/api/login", json={"user": user, "password": "andon"}).status_code == 200
        return client

    return signed_in


NOTE = {"action": "changed the strainer", "alarm": "502", "equipment": "CNC-02", "minutes": 15, "helped": True}


def test_a_note_from_the_floor_to_a_source(as_):
    olivia, max_ = as_("olivia"), as_("max")
    made = olivia.post("/api/notes", json={**NOTE, "user": "ada", "author": "ada", "state": "accepted"})
    assert made.status_code == 201
    note = made.json()
    assert (note["state"], note["author"], note["own"], note["steps"]) == ("proposed", "Olivia Hartmann", True, ["withdraw"])
    waiting = max_.get("/api/notes", params={"state": "proposed"}).json()["notes"]
    assert [(one["note"], one["steps"]) for one in waiting] == [(note["note"], ["accept", "reject", "withdraw"])]
    path = f"/api/notes/{note['note']}/transitions"
    refused = olivia.post(path, json={"to": "accept"})
    assert refused.status_code == 403
    assert "own note" in refused.json()["detail"]
    assert max_.post(path, json={"to": "accept"}).json()["state"] == "accepted"
    assert olivia.get(f"/api/sources/{note['note']}/1").json()["kind"] == "field_note"
    trail = max_.get(f"/api/notes/{note['note']}").json()["trail"]
    assert [(step["action"], step["name"]) for step in trail] == [("written", "Olivia Hartmann"), ("accept", trail[1]["name"])]


def test_a_note_that_gets_a_safeguard_out_of_the_way_is_not_kept(as_):
    olivia = as_("olivia")
    for action in ("Jumper the door switch S4 with a paper clip", "bridged the interlock of the case magazine"):
        answer = olivia.post("/api/notes", json={**NOTE, "action": action})
        assert (answer.status_code, "safeguard" in answer.json()["detail"]) == (403, True)
    assert olivia.post("/api/notes", json={**NOTE, "action": "replaced the door switch S4 and tested it"}).status_code == 201


def test_what_is_wrong_with_a_note_is_said_in_one_sentence(as_):
    olivia = as_("olivia")
    for body, code in (
        ({**NOTE, "action": ""}, 422), ({**NOTE, "equipment": "CNC-99"}, 404), ({**NOTE, "minutes": 10**9}, 422),
        ({"alarm": "502"}, 422), ({**NOTE, "turn": "nobody's"}, 404),
    ):  # fmt: skip
        answer = olivia.post("/api/notes", json=body)
        assert answer.status_code == code, (body, answer.text)
        assert answer.json()["detail"].endswith(".")
    assert TestClient(olivia.app, base_url="http://127.0.0.1").post("/api/notes", json=NOTE).status_code == 401
    assert as_("ada").get("/api/notes").status_code == 403


def test_the_command_line_lists_accepts_and_rejects(home, monkeypatch):
    monkeypatch.setenv("ANDON_HOME", str(home))

    def run(*words, code=0):
        result = CliRunner().invoke(command_line, ["notes", *words, "--json"])
        assert result.exit_code == code, result.output
        return json.loads(result.stdout) if code == 0 else result.output

    made = run("add", "[bold]tightened[/bold] the hose", "--alarm", "502", "--equipment", "CNC-01", "--user", "max")
    assert made["action"] == "[bold]tightened[/bold] the hose"
    assert made["note"] in [note["note"] for note in run("list", "--state", "proposed", "--user", "quinn")]
    run("accept", made["note"], "--user", "max", code=1)
    assert run("accept", made["note"], "--user", "quinn")["state"] == "accepted"
    run("reject", made["note"], "--user", "quinn", "--reason", "late", code=1)
    shown = CliRunner().invoke(command_line, ["notes", "list", "--user", "sam"])
    assert "[bold]" in shown.stdout.replace("\n", "")
    assert run("verify") == []


def test_candidates_are_for_quality_and_one_tap_drafts_the_guide_with_the_notes_in_it(as_):
    olivia, max_, quinn = as_("olivia"), as_("max"), as_("quinn")
    assert olivia.get("/api/notes/candidates").status_code == 403
    for number in range(3):
        body = {"action": "tightened the beacon", "alarm": "502", "equipment": "CNC-02", "minutes": number}
        note = max_.post(
            "/api/notes", json={**body, "symptom": f"occasion {number}", "action": f"tightened the beacon, take {number}"}
        ).json()
        assert quinn.post(f"/api/notes/{note['note']}/transitions", json={"to": "accept"}).status_code == 200
    found = quinn.get("/api/notes/candidates").json()["repeated"]
    (one,) = [one for one in found if one["fix"] == "tightened beacon"]
    assert (one["count"], one["alarm"], len(one["notes"])) == (3, "502", 3)
    assert "Max" not in json.dumps(one)
    drafted = quinn.post("/api/notes/candidates", json={"candidate": one["candidate"]})
    assert drafted.status_code == 201
    content = quinn.get(f"/api/documents/{drafted.json()['document']}.md").text
    assert "tightened the beacon" in content
    assert quinn.post("/api/notes/candidates", json={"candidate": "nothing"}).status_code == 404
