"""The whole life over the command line and over HTTP, as everybody, with the demo plant behind it."""

import csv
import io
import json
import shutil

import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from assistant.api import create_app
from assistant.cli import app
from assistant.problems import BadQuestion, Conflict, NotAllowed, NotFound

PASSWORD = "andon"


@pytest.fixture(scope="module")
def home(demo_home, tmp_path_factory):
    folder = tmp_path_factory.mktemp("life") / "home"
    shutil.copytree(demo_home, folder, ignore=shutil.ignore_patterns("documents", "documents.*"))
    return folder


@pytest.fixture(scope="module")
def product(home):
    from assistant import settings
    from assistant.app import build

    made = build(settings.load(home))
    yield made
    made.close()


@pytest.fixture
def cli(home, monkeypatch):
    monkeypatch.setenv("ANDON_HOME", str(home))

    def run(*arguments, code=0, stdin=None):
        result = CliRunner().invoke(app, [*arguments, "--json"], input=stdin)
        assert result.exit_code == code, (result.output, result.exception)
        return json.loads(result.stdout.splitlines()[-1])

    return run


@pytest.fixture(scope="module")
def http(product):
    def person(user):
        client = TestClient(create_app(product), base_url="http://127.0.0.1")
        if user:
            assert client.post("/api/login", json={"user": user, "password": PASSWORD}).status_code == 200
        return client

    return person


# The command line


def test_the_life_on_the_command_line(cli):
    made = cli("draft", "ncr_summary", "--product", "XYZ", "--period", "last quarter", "--user", "sam")
    identity = made["document"]
    assert cli("documents", "show", identity, "--user", "sam")["status"] == "draft"
    assert identity in [row["document"] for row in cli("documents", "list", "--mine", "--user", "sam")]
    assert cli("documents", "edit", identity, "--section", "1", "--text", "Reviewed with the line.", "--user", "sam")["version"] == 2
    assert cli("documents", "submit", identity, "--user", "sam")["status"] == "in_review"
    refused = cli("documents", "approve", identity, "--user", "sam", "--password-stdin", stdin=f"{PASSWORD}\n", code=1)
    assert refused["error"]["title"] == "not allowed"
    assert cli("documents", "approve", identity, "--user", "quinn", code=1)["error"]["detail"].endswith("enter your own password.")
    assert (
        "does not fit"
        in cli("documents", "approve", identity, "--user", "quinn", "--password-stdin", stdin="wrong\n", code=1)["error"]["detail"]
    )
    assert cli("documents", "reject", identity, "--user", "quinn", "--reason", "cause is missing")["status"] == "draft"
    cli("documents", "submit", identity, "--user", "sam")
    approved = cli("documents", "approve", identity, "--user", "quinn", "--password-stdin", "--reason", "complete", stdin=f"{PASSWORD}\n")
    assert (approved["status"], approved["signatures"][0]["name"], approved["signatures"][0]["via"]) == (
        "approved",
        "Quinn Adler",
        "command line",
    )
    assert cli("documents", "publish", identity, "--user", "quinn")["status"] == "effective"
    assert cli("documents", "verify", identity, "--user", "quinn")["clean"]
    assert cli("documents", "revise", identity, "--user", "sam")["revision"] == "2"
    assert {s["tag"] for s in cli("documents", "differences", identity, "--user", "sam")["sections"]} == {"same"}
    assert cli("documents", "retire", identity, "--user", "quinn", "--reason", "done")["status"] == "retired"
    actions = [row["action"] for row in cli("documents", "trail", identity, "--user", "sam")]
    assert actions == ["drafted", "edited", "submit", "signature_refused", "reject", "submit", "approve", "publish", "revised", "retire"]
    assert cli("documents", "verify")["clean"]


@pytest.mark.parametrize("period", ["next year", "next month", "2027-01-01 to 2027-01-31"])
def test_a_period_that_has_not_begun_is_not_drafted(cli, http, period):
    kept = len(cli("documents", "list", "--user", "sam"))
    refused = cli("draft", "oee_report", "--line", "Line 3", "--period", period, "--user", "sam", code=1)
    assert (refused["status"], refused["document"]) == ("no_data", None)
    assert "has not begun" in refused["text"]
    sent = http("sam").post("/api/documents", json={"kind": "oee_report", "line": "Line 3", "period": period})
    assert (sent.status_code, sent.json()["document"]) == (200, None)
    assert "has not begun" in sent.json()["text"]
    assert len(cli("documents", "list", "--user", "sam")) == kept


def test_no_draft_is_no_success(cli):
    assert cli("draft", "oee_report", "--line", "no such line", "--user", "sam", code=1)["document"] is None
    assert cli("draft", "love_letter", "--user", "sam", code=1)["document"] is None


def test_a_schedule_on_the_command_line(cli):
    added = cli("documents", "schedule", "add", "oee_report", "--when", "daily 06:00", "--with", "line=Line 3", "--user", "sam")
    assert [row["schedule"] for row in cli("documents", "schedule", "list", "--user", "sam")] == [added["schedule"]]
    ran = cli("documents", "run-due", "--at", "2026-06-18T07:00")
    assert [(row["schedule"], row["at"]) for row in ran] == [(added["schedule"], "2026-06-18T06:00:00+02:00")]
    assert cli("documents", "run-due", "--at", "2026-06-18T07:00") == []
    cli("documents", "schedule", "remove", added["schedule"], "--user", "sam")
    assert cli("documents", "schedule", "list", "--user", "sam") == []


@pytest.mark.parametrize(("arguments", "code"), [
    (("documents", "show", "DOC-1999-0001"), 1), (("documents", "approve"), 2), (("documents", "bless", "X"), 2),
    (("documents", "verify", "DOC-1999-0001"), 1), (("documents", "schedule", "add", "oee_report", "--when", "soon"), 1),
    (("documents", "schedule", "add", "oee_report", "--when", "daily 06:00", "--with", "line"), 2), (("documents", "list", "--state", "blessed"), 1),
])  # fmt: skip
def test_exit_codes(home, monkeypatch, arguments, code):
    monkeypatch.setenv("ANDON_HOME", str(home))
    result = CliRunner().invoke(app, list(arguments))
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output


# HTTP


def test_the_life_over_http(http):
    sam, quinn = http("sam"), http("quinn")
    response = sam.post("/api/documents", json={"kind": "sop", "task": "clean the coolant tank"})
    assert response.status_code == 201
    identity, section = response.json()["document"], response.json()["sections"][0]
    url = f"/api/documents/{identity}"
    edited = sam.post(f"{url}/edits", json={"section": section, "text": "Wear gloves.", "version": 1}).json()
    assert edited["version"] == 2
    assert sam.post(f"{url}/edits", json={"section": section, "text": "x", "version": 1}).status_code == 409
    words = sam.get(f"{url}/content").json()["sections"][0]
    assert words["words"] == "Wear gloves."
    assert sam.post(f"{url}/transitions", json={"to": "in_review", "version": 2}).json()["status"] == "in_review"
    assert sam.post(f"{url}/transitions", json={"to": "approved", "password": PASSWORD}).status_code == 403
    assert quinn.post(f"{url}/transitions", json={"to": "approved"}).status_code == 403
    assert quinn.post(f"{url}/transitions", json={"to": "effective"}).status_code == 409
    assert quinn.post(f"{url}/transitions", json={"to": "draft"}).status_code == 422
    prepared = quinn.post(f"{url}/signing", json={"reason": "read on the tablet"}).json()
    shown = quinn.get(f"/api/signings/{prepared['signing']}.pdf")
    assert shown.headers["content-type"] == "application/pdf"
    assert sam.get(f"/api/signings/{prepared['signing']}.pdf").status_code == 404
    body = {"to": "approved", "version": prepared["version"], "signing": prepared["signing"], "password": PASSWORD}
    approved = quinn.post(f"{url}/transitions", json=body).json()
    assert approved["signatures"][0]["reason"] == "read on the tablet"
    assert sam.get(f"{url}.pdf").content == shown.content
    assert sam.get(f"{url}.html").headers["content-security-policy"].startswith("default-src 'none'")
    assert quinn.post(f"{url}/transitions", json={"to": "effective"}).json()["status"] == "effective"
    assert http("olivia").get(f"{url}.md").status_code == 200  # a procedure in force is for everybody
    assert sam.post(f"{url}/verify").json()["clean"]
    assert sam.post(f"{url}/revisions", json={}).json()["revision"] == "2"
    assert sam.get(url, params={"revision": 1}).json()["status"] == "effective"
    assert {s["tag"] for s in sam.get(f"{url}/differences").json()["sections"]} == {"same"}
    assert identity in [row["document"] for row in sam.get("/api/documents", params={"mine": True}).json()["documents"]]
    entries = sam.get("/api/trail", params={"document": identity}).json()["entries"]
    assert [e["action"] for e in entries] == ["drafted", "edited", "submit", "approve", "publish", "revised"]
    assert {e["via"] for e in entries} == {"session"}
    exported = quinn.get("/api/trail", params={"format": "csv"})
    assert len(list(csv.DictReader(io.StringIO(exported.text)))) >= 6
    assert sam.get("/api/trail").status_code == 403


def test_five_wrong_passwords_lock_the_signature(product, http):
    product.store.put_user("rita", "Rita Falk", "quality", None, PASSWORD, demo=True)
    sam, rita = http("sam"), http("rita")
    identity = sam.post("/api/documents", json={"kind": "training_report"}).json()["document"]
    sam.post(f"/api/documents/{identity}/transitions", json={"to": "in_review"})
    said = [
        rita.post(f"/api/documents/{identity}/transitions", json={"to": "approved", "password": word}).json()["detail"]
        for word in ["wrong"] * 5 + [PASSWORD]
    ]
    assert "locked" in said[4]
    assert "locked" in said[5]
    assert rita.get(f"/api/documents/{identity}").json()["status"] == "in_review"
    assert len([e for e in product.register.store.trail(document=identity) if e.action == "signature_refused"]) == 6


def test_a_reset_password_is_changed_by_its_owner_and_does_not_sign_for_a_day(product, http):
    from datetime import UTC, datetime, timedelta

    product.store.put_user("gil", "Gil Roth", "quality", None, PASSWORD, demo=True)
    gil, sam = http("gil"), http("sam")
    identity = sam.post("/api/documents", json={"kind": "training_report"}).json()["document"]
    sam.post(f"/api/documents/{identity}/transitions", json={"to": "in_review"})
    product.store.reset_password("gil", "from the administrator")
    assert gil.get("/api/documents").status_code == 401  # the reset ended the session
    login = gil.post("/api/login", json={"user": "gil", "password": "from the administrator"}).json()
    assert login["must_change"]
    assert "change it first" in gil.get("/api/documents").json()["detail"]
    caller = product.caller("gil")
    with pytest.raises(NotAllowed, match="owner has to change"):
        product.documents.step(caller, identity, "approve", password="from the administrator")
    assert gil.post("/api/password", json={"old": "wrong", "new": "my own secret"}).status_code == 403
    assert gil.post("/api/password", json={"old": "from the administrator", "new": "short"}).status_code == 422
    assert gil.post("/api/password", json={"old": "from the administrator", "new": "my own secret"}).status_code == 204
    assert gil.get("/api/documents").status_code == 200
    with pytest.raises(NotAllowed, match="24 hours"):
        product.documents.step(caller, identity, "approve", password="my own secret")
    tomorrow = datetime.now(UTC) + timedelta(hours=24, minutes=1)
    assert product.store.check_signer("gil", "my own secret", tomorrow) == "verified"


# Who sees what


def test_documents_are_for_their_authors_and_the_whole_site(product):
    documents = product.documents
    olivia, sam, quinn, ada = (product.caller(name) for name in ("olivia", "sam", "quinn", "ada"))
    own = documents.draft(olivia, "shift_handover", {"line": "line 3"})["document"]
    others = documents.draft(sam, "oee_report", {"line": "line 1"})["document"]
    assert documents.show(olivia, own)["document"] == own
    assert documents.show(sam, own)["document"] == own
    for name, arguments in (("show", ()), ("tree", ()), ("rendered", ("md",)), ("verify", ()), ("compared", ()), ("trail", ()),
                            ("edit", ("1", "x")), ("revise", ()), ("prepare", ()), ("step", ("submit",))):  # fmt: skip
        with pytest.raises(NotFound):
            getattr(documents, name)(olivia, others, *arguments)
        with pytest.raises(NotAllowed):
            getattr(documents, name)(ada, others, *arguments)
    assert others not in [row["document"] for row in documents.listed(olivia)]
    assert own in [row["document"] for row in documents.listed(olivia, mine=True)]
    with pytest.raises(NotAllowed):
        documents.listed(ada)
    with pytest.raises(NotFound):
        documents.show(quinn, "../../andon")


def test_what_a_person_may_do_next_is_said_with_the_reason(product):
    documents = product.documents
    sam, quinn = product.caller("sam"), product.caller("quinn")
    identity = documents.draft(sam, "training_report", {})["document"]
    documents.step(sam, identity, "submit")
    mine = {step["step"]: step for step in documents.show(sam, identity)["steps"]}
    theirs = {step["step"]: step for step in documents.show(quinn, identity)["steps"]}
    assert set(mine) == {"approve", "reject"}
    assert not mine["approve"]["allowed"]
    assert mine["approve"]["why"]
    assert theirs["approve"]["allowed"]
    assert theirs["approve"]["signed"]
    assert theirs["reject"]["reasoned"]


def test_a_draft_from_a_question_is_a_document_of_the_life(product):
    from assistant.turn import Ask

    answer = product.ask(Ask("Draft the shift handover for Line 3", "olivia"))
    card = next(block for block in answer["blocks"] if block["type"] == "document")
    listed = product.documents.listed(product.caller("olivia"), mine=True)
    assert card["id"] in [row["document"] for row in listed]
    assert product.documents.show(product.caller("olivia"), card["id"])["status"] == "draft"


def test_problems_are_of_the_kind_that_fits(product):
    documents, sam, quinn = product.documents, product.caller("sam"), product.caller("quinn")
    identity = documents.draft(sam, "training_report", {})["document"]
    with pytest.raises(Conflict):
        documents.step(quinn, identity, "approve", password=PASSWORD)
    with pytest.raises(BadQuestion):
        documents.step(quinn, identity, "blessed")
    with pytest.raises(BadQuestion):
        documents.rendered(quinn, identity, "doc")
    with pytest.raises(NotFound):
        documents.show(quinn, identity, 7)


def test_a_damaged_store_stops_drafts_and_no_question(demo_home, tmp_path):
    from assistant import settings
    from assistant.app import build
    from assistant.turn import Ask

    for name in ("andon.toml", "andon.sqlite"):
        shutil.copy(demo_home / name, tmp_path / name)
    for name in ("demo", "index"):
        (tmp_path / name).symlink_to(demo_home / name)
    (tmp_path / "documents").mkdir()
    (tmp_path / "documents" / "documents.sqlite").write_bytes(
        b"this is no database, but it is long enough to look like a file of one " * 30
    )
    made = build(settings.load(tmp_path))
    try:
        assert made.ask(Ask("What was the OEE of Line 3 yesterday?", "sam"))["status"] == "answered"
        answer = made.ask(Ask("Draft the shift handover for Line 3", "sam"))
        assert answer["status"] == "unavailable"
        assert "store of documents" in answer["text"]
    finally:
        made.close()
