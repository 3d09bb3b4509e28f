"""Every way in and every way it is refused: passwords, one-time passwords, PIN and badge on enrolled tablets, keys, limits;
nothing secret is kept readable or written to a log; every change of access stands in a chain."""

from __future__ import annotations

import functools
import json
import logging
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from argon2 import PasswordHasher
from fastapi.testclient import TestClient
from typer.testing import CliRunner, Result

from assistant import cli, users_cli
from assistant.api import create_app
from assistant.identity import Identity
from assistant.identity_api import COOKIE, TABLET_COOKIE
from assistant.problems import BadQuestion, Conflict, NotAllowed, NotFound, NotSignedIn, Problem, TooMany
from assistant.rates import Bucket, Failures
from assistant.redaction import CUT, install, redacted
from assistant.store import Store
from tests.scripted_assistant import ScriptedAssistant
from tools.access import POLICY, Policy

PASSWORD = "correct horse battery"
PIN = "730419"
BADGE = "04A2B8C91F"
HERE = "10.0.0.7"


@pytest.fixture(autouse=True, scope="module")
def _cheap_hashes() -> Iterator[None]:
    """The product's own cost of a hash is for attackers; here it would only be waited for."""
    cheap = functools.partial(PasswordHasher, time_cost=1, memory_cost=1024, parallelism=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("assistant.store.PasswordHasher", cheap)
        patch.setattr("assistant.identity.PasswordHasher", cheap)
        yield


class Clock:
    def __init__(self) -> None:
        self.at = datetime(2026, 6, 17, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def passes(self, **time: float) -> None:
        self.at += timedelta(**time)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(tmp_path / "andon.sqlite", tmp_path / "keys")
    made.put_user("olivia", "Olivia", "operator", ["LINE-3"], PASSWORD)
    made.put_user("sam", "Sam", "supervisor", None, PASSWORD)
    made.put_user("ada", "Ada", "administrator", None, PASSWORD)
    yield made
    made.close()


def identity_of(store: Store, tmp_path: Path, clock: Clock, policy: Policy = POLICY) -> Identity:
    return Identity(store, policy, tmp_path / "keys", clock)


@pytest.fixture
def identity(store: Store, tmp_path: Path, clock: Clock) -> Identity:
    return identity_of(store, tmp_path, clock)


# Passwords


def test_a_password_opens_a_session_that_ends(identity: Identity, clock: Clock) -> None:
    signed = identity.by_password("sam", PASSWORD, HERE)
    found = identity.caller(signed.token)
    assert found is not None
    assert (found.user, found.via) == ("sam", "session")
    clock.passes(hours=12, seconds=1)
    assert identity.caller(signed.token) is None
    assert identity.caller("forged") is None
    assert identity.caller("") is None


def test_wrong_and_unknown_read_the_same(identity: Identity) -> None:
    said = set()
    for user, password in (("sam", "wrong"), ("nobody", PASSWORD)):
        with pytest.raises(NotSignedIn) as refused:
            identity.by_password(user, password, HERE)
        said.add(refused.value.sentence)
    assert len(said) == 1


def test_an_address_that_guesses_has_to_wait_whoever_it_names(store: Store, tmp_path: Path, clock: Clock) -> None:
    (tmp_path / "policy.yaml").write_text("limits: {wrong_from_one_address: 5}")
    identity = identity_of(store, tmp_path, clock, Policy.load(tmp_path / "policy.yaml"))
    for number in range(5):
        with pytest.raises(NotSignedIn):
            identity.by_password(f"guess{number}", "x", HERE)
    with pytest.raises(TooMany) as refused:
        identity.by_password("sam", PASSWORD, HERE)
    assert 1 <= refused.value.retry_after_s <= 600
    assert identity.by_password("sam", PASSWORD, "10.0.0.8").caller.user == "sam"


def test_a_one_time_password_opens_one_session_within_its_day(identity: Identity, store: Store, clock: Clock) -> None:
    password = identity.put_user("otto", "Otto", "operator", ["LINE-1"], "ada")
    signed = identity.by_password("otto", password, HERE)
    assert signed.must_change
    with pytest.raises(NotSignedIn):
        identity.by_password("otto", password, HERE)
    identity.change_password("otto", password, "a long new sentence", signed.token)
    assert identity.caller(signed.token) is not None
    assert not identity.by_password("otto", "a long new sentence", HERE).must_change
    late = identity.reset("otto", "ada")
    assert identity.caller(signed.token) is None  # a reset ends what was open
    clock.passes(hours=25)
    with pytest.raises(NotSignedIn):
        identity.by_password("otto", late, HERE)


def test_signing_out_ends_that_session_alone(identity: Identity, store: Store) -> None:
    one, other = (identity.by_password("sam", PASSWORD, HERE).token for _ in range(2))
    store.close_session(one)
    assert identity.caller(one) is None
    assert identity.caller(other) is not None


def test_a_password_set_after_a_used_one_time_password_lets_its_owner_in(identity: Identity, store: Store) -> None:
    once = identity.reset("sam", "ada")
    signed = identity.by_password("sam", once, HERE)
    identity.change_password("sam", once, "a long new sentence", signed.token)
    identity.set_password("sam", "chosen by somebody", "host")
    assert identity.by_password("sam", "chosen by somebody", HERE).must_change
    with pytest.raises(BadQuestion):
        identity.set_password("sam", "short", "host")
    with pytest.raises(NotFound):
        identity.set_password("nobody", "chosen by somebody", "host")


def test_whoever_is_made_or_replaced_is_recorded_with_role_and_places(identity: Identity) -> None:
    identity.put_user("otto", "Otto", "operator", ["LINE-1"], "ada")
    identity.put_user_with("a password here", "max", "Max", "technician", None, "host")
    identity.put_user_with("another password", "max", "Max", "expert", None, "host")
    assert identity.by_password("max", "another password", HERE).must_change
    told = [(row["by"], row["action"], row["subject"]) for row in identity.changes_made()]
    assert told == [
        ("ada", "user made: operator ['LINE-1']", "otto"), ("ada", "one-time password made", "otto"),
        ("host", "user made: technician None", "max"),
        ("host", "user replaced: expert None", "max"), ("host", "password set", "max"),
    ]  # fmt: skip
    assert identity.verify() == ""
    before = len(told)
    with pytest.raises(BadQuestion):
        identity.put_user_with("short", "eve", "Eve", "expert", None, "host")
    assert len(identity.changes_made()) == before


def test_the_command_line_adds_resets_and_records(identity: Identity, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(users_cli, "_home", lambda: SimpleNamespace(store=store, identity=identity))

    def users(*arguments: str, typed: str = "") -> Result:
        return CliRunner().invoke(cli.app, ["users", *arguments], input=typed)

    made = users("--add", "max", "--name", "Max", "--role", "technician", "--line", "LINE-1", "--area", "A", typed="a password here\n")
    assert made.exit_code == 0, made.output
    assert identity.by_password("max", "a password here", HERE).caller.role == "technician"
    assert users("--add", "eve", "--name", "Eve", "--role", "expert", typed="short\n").exit_code == 1
    assert users("--add", "eve", "--name", "Eve", "--role", "king", typed="a password here\n").exit_code == 2
    assert users("--reset", "max", typed="chosen by somebody\n").exit_code == 0
    assert identity.by_password("max", "chosen by somebody", HERE).must_change
    assert users("pin", "max", typed="4711\n").exit_code == 0
    once = json.loads(users("one-time", "max", "--json").output)["one_time_password"]
    assert identity.by_password("max", once, HERE).must_change
    key = json.loads(users("key", "sam", "--name", "board", "--days", "9", "--json").output)
    assert identity.caller(key["secret"]) is not None
    assert users("revoke", key["key"]).exit_code == 0
    assert identity.caller(key["secret"]) is None
    assert users("remove", "max").exit_code == 0
    told = json.loads(users("changes", "--json").output)
    assert [row["action"].split(":")[0] for row in told["changes"]] == [
        "user made", "password set", "PIN set", "one-time password made", "key made", "key revoked", "user removed",
    ]  # fmt: skip
    assert {row["by"] for row in told["changes"]} == {"host"}
    assert "max" not in store.callers()


@pytest.mark.parametrize("new", ["password", "olivia2026", "aaaaaaaa", "short", PASSWORD])
def test_easy_passwords_are_refused(identity: Identity, new: str) -> None:
    with pytest.raises(BadQuestion):
        identity.change_password("olivia", PASSWORD, new)


def test_changing_a_password_ends_the_other_sessions(identity: Identity) -> None:
    here, elsewhere = (identity.by_password("sam", PASSWORD, HERE).token for _ in range(2))
    identity.change_password("sam", PASSWORD, "another long sentence", here)
    assert identity.caller(here) is not None
    assert identity.caller(elsewhere) is None


def test_the_first_start_makes_an_administrator_until_somebody_has_signed_in(tmp_path: Path, clock: Clock) -> None:
    store = Store(tmp_path / "andon.sqlite", tmp_path / "keys")
    identity = identity_of(store, tmp_path, clock)
    first, again = identity.first_administrator(), identity.first_administrator()
    assert first is not None
    assert again is not None
    assert first != again
    with pytest.raises(NotSignedIn):
        identity.by_password(*first, HERE)
    signed = identity.by_password(*again, HERE)
    assert (signed.caller.role, signed.must_change) == ("administrator", True)
    identity.change_password("admin", again[1], "a sentence of my own", signed.token)
    assert identity.first_administrator() is None
    store.close()


# PIN and badge


def test_pin_and_badge_open_short_sessions_on_enrolled_tablets_only(identity: Identity, clock: Clock) -> None:
    identity.set_pin("olivia", PIN, "ada")
    identity.set_badge("olivia", BADGE, "ada")
    _, tablet = identity.enrol("Line 3, left", "ada")
    for stranger in ("", "forged"):
        with pytest.raises(NotAllowed):
            identity.by_pin("olivia", PIN, stranger, HERE)
        with pytest.raises(NotAllowed):
            identity.by_badge(BADGE, "", stranger, HERE)
    for sign_in in (lambda: identity.by_pin("olivia", PIN, tablet, HERE), lambda: identity.by_badge(BADGE, "", tablet, HERE)):
        signed = sign_in()
        found = identity.caller(signed.token)
        assert found is not None
        assert (found.user, found.via, found.scope.lines) == ("olivia", "tablet", {"LINE-3"})
        for _ in range(5):  # used now and then, it stays open
            clock.passes(minutes=9)
            assert identity.caller(signed.token) is not None
        clock.passes(minutes=10)
        assert identity.caller(signed.token) is None
    used = identity.by_badge(BADGE, "", tablet, HERE).token
    for _ in range(60):
        clock.passes(minutes=9)
        if identity.caller(used) is None:
            break
    else:
        pytest.fail("a shared session never ended")


def test_five_wrong_pins_close_the_pin_until_the_password(identity: Identity) -> None:
    identity.set_pin("olivia", PIN, "ada")
    _, tablet = identity.enrol("Line 3", "ada")
    for _ in range(5):
        with pytest.raises(NotSignedIn):
            identity.by_pin("olivia", "9999", tablet, HERE)
    with pytest.raises(NotSignedIn):
        identity.by_pin("olivia", PIN, tablet, HERE)
    identity.by_password("olivia", PASSWORD, HERE)
    assert identity.by_pin("olivia", PIN, tablet, HERE).caller.user == "olivia"


def test_the_policy_may_want_both_and_may_refuse_a_role(store: Store, tmp_path: Path, clock: Clock) -> None:
    (tmp_path / "policy.yaml").write_text("sessions: {badge_needs_pin: true}\nsign_in: {supervisor: [password]}")
    identity = identity_of(store, tmp_path, clock, Policy.load(tmp_path / "policy.yaml"))
    _, tablet = identity.enrol("Line 3", "ada")
    for user, badge in (("olivia", BADGE), ("sam", "SAM-0001"), ("ada", "ADA-0001")):
        identity.set_pin(user, PIN, "ada")
        identity.set_badge(user, badge, "ada")
    with pytest.raises(NotSignedIn):
        identity.by_badge(BADGE, "", tablet, HERE)
    assert identity.by_badge(BADGE, PIN, tablet, HERE).caller.user == "olivia"
    for badge in ("SAM-0001", "ADA-0001"):  # administrators never, in any shipped policy
        with pytest.raises(NotAllowed):
            identity.by_badge(badge, PIN, tablet, HERE)


@pytest.mark.parametrize("pin", ["123", "1111", "1234", "9876", "12a4", "1234567890123", "٣٤٧١"])
def test_easy_pins_are_refused(identity: Identity, pin: str) -> None:
    with pytest.raises(BadQuestion):
        identity.set_pin("olivia", pin, "ada")


def test_badges_and_tablets_are_taken_back(identity: Identity) -> None:
    identity.set_badge("olivia", BADGE, "ada")
    with pytest.raises(Conflict):
        identity.set_badge("sam", BADGE, "ada")
    tablet, token = identity.enrol("Line 3", "ada")
    signed = identity.by_badge(BADGE, "", token, HERE)
    identity.withdraw_tablet(tablet, "ada")
    assert identity.caller(signed.token) is None
    with pytest.raises(NotAllowed):
        identity.by_badge(BADGE, "", token, HERE)
    _, token = identity.enrol("Line 3", "ada")
    signed = identity.by_badge(BADGE, "", token, HERE)
    identity.clear_quick("olivia", "ada")
    assert identity.caller(signed.token) is None
    with pytest.raises(NotSignedIn):
        identity.by_badge(BADGE, "", token, HERE)


# Keys and users


def test_a_key_has_its_users_rights_or_fewer_and_ends(identity: Identity, clock: Clock) -> None:
    key, secret = identity.make_key("olivia", "wall board", "ada", ["query_metrics"], days=30)
    found = identity.caller(secret)
    assert found is not None
    assert (found.user, found.via, found.scope.lines) == ("olivia", "key", {"LINE-3"})
    assert POLICY.may_use(found, "query_metrics").allowed
    assert not POLICY.may_use(found, "list_records").allowed
    with pytest.raises(BadQuestion):
        identity.make_key("olivia", "x", "ada", ["run_sql"])
    with pytest.raises(NotAllowed):
        identity.make_key("ada", "x", "ada")
    clock.passes(days=31)
    assert identity.caller(secret) is None
    other, secret = identity.make_key("sam", "export", "ada")
    assert {row["key"] for row in identity.keys_made()} == {key, other}
    identity.revoke_key(other, "ada")
    assert identity.caller(secret) is None
    with pytest.raises(NotFound):
        identity.revoke_key(other, "ada")


def test_who_has_left_has_no_way_in(identity: Identity) -> None:
    token = identity.by_password("sam", PASSWORD, HERE).token
    _, secret = identity.make_key("sam", "export", "ada")
    identity.remove_user("sam", "ada")
    assert identity.caller(token) is None
    assert identity.caller(secret) is None
    with pytest.raises(NotSignedIn):
        identity.by_password("sam", PASSWORD, HERE)
    with pytest.raises(Conflict):
        identity.remove_user("ada", "ada")


def test_changes_of_access_are_recorded_and_tampering_is_found(identity: Identity, tmp_path: Path) -> None:
    identity.set_pin("olivia", PIN, "ada")
    identity.put_user("olivia", "Olivia", "supervisor", None, "ada")
    identity.make_key("sam", "export", "ada")
    assert [row["by"] for row in identity.changes_made()] == ["ada"] * 3
    assert identity.verify() == ""
    for sql in ("UPDATE identity_changes SET by = 'eve' WHERE number = 2", "DELETE FROM identity_changes WHERE number = 3"):
        db = sqlite3.connect(tmp_path / "andon.sqlite")
        with db:
            kept = db.execute("SELECT * FROM identity_changes").fetchall()
            db.execute(sql)
        assert identity.verify()
        with db:
            db.execute("DELETE FROM identity_changes")
            db.executemany("INSERT INTO identity_changes VALUES (?, ?, ?, ?, ?, ?)", kept)
        db.close()
    assert identity.verify() == ""


# Limits


def test_a_bucket_refills_and_keys_are_apart() -> None:
    now = [0.0]
    bucket = Bucket(per_minute=60, burst=3, clock=lambda: now[0])
    assert [bucket.taken("a") for _ in range(4)] == [0, 0, 0, 1]
    assert bucket.taken("b") == 0
    now[0] += 2.0
    assert [bucket.taken("a") for _ in range(3)] == [0, 0, 1]


def test_failures_are_forgotten_after_their_window() -> None:
    now = [0.0]
    failures = Failures(2, 60, clock=lambda: now[0])
    failures.failed("a")
    now[0] = 30
    failures.failed("a")
    assert failures.waits("a") == 30
    assert failures.waits("b") == 0
    now[0] = 61
    assert failures.waits("a") == 0


# Secrets


def test_nothing_secret_is_kept_readable(identity: Identity, store: Store, tmp_path: Path) -> None:
    identity.set_pin("olivia", PIN, "ada")
    identity.set_badge("olivia", BADGE, "ada")
    _, tablet = identity.enrol("Line 3", "ada")
    _, secret = identity.make_key("sam", "export", "ada")
    once = identity.reset("sam", "ada")
    tokens = [identity.by_badge(BADGE, "", tablet, HERE).token, identity.by_password("olivia", PASSWORD, HERE).token]
    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"olivia" in kept
    for word in (PASSWORD, PIN, BADGE, tablet, secret, once, *tokens):
        assert word.encode() not in kept


SECRETS = (
    "login failed: {'user': 'sam', 'password': 'hunter2 x'}", '{"pin": "hunter2 x"}', "authorization: Bearer hunter2.xyz-1",
    "cookie: andon_session=hunter2xyz; other=1", "andon_12ab34cd_hunter2hunter2hunter2", "postgresql://reader:hunter2@db/mes",
    "$argon2id$v=19$m=65536$hunter2", "-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----", "new='hunter2'",
)  # fmt: skip


@pytest.mark.parametrize("text", SECRETS)
def test_secrets_are_cut_from_what_is_logged(text: str) -> None:
    said = redacted(text)
    assert "hunter2" not in said
    assert CUT in said


def test_ordinary_sentences_are_logged_as_they_are() -> None:
    for text in ("the badge reader of WASH-01 is dirty", "token ring 4 failed", "old: 3, new: 4", "GET /api/ask 200"):
        assert redacted(text) == text


# Over HTTP


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ScriptedAssistant]:
    scripted = ScriptedAssistant(tmp_path_factory.mktemp("home"))
    yield scripted
    scripted.close()


@pytest.fixture
def client(served: ScriptedAssistant) -> Iterator[TestClient]:
    with TestClient(create_app(served), base_url="http://127.0.0.1", raise_server_exceptions=False) as found:
        yield found


def signed_in(client: TestClient, user: str, password: str = "andon") -> None:
    assert client.post("/api/login", json={"user": user, "password": password}).status_code == 200


def test_a_person_badges_in_on_a_tablet_that_an_administrator_enrolled(client: TestClient) -> None:
    assert client.post("/api/login/badge", json={"badge": BADGE}).status_code == 403
    signed_in(client, "ada")
    enrolled = client.post("/api/tablets", json={"name": "Line 3"})
    cookie = enrolled.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert client.put("/api/users/olivia/quick", json={"badge": BADGE, "pin": PIN}).status_code == 204
    client.post("/api/logout")
    assert client.get("/api/me").json()["tablet"] is True
    assert client.post("/api/login/badge", json={"badge": BADGE}).json()["user"]["id"] == "olivia"
    assert client.get("/api/rights").json()["via"] == "tablet"
    client.post("/api/logout")
    assert client.post("/api/login/pin", json={"user": "olivia", "pin": PIN}).json()["user"]["id"] == "olivia"


def test_only_an_administrator_in_a_session_of_their_own_gives_access(client: TestClient, served: ScriptedAssistant) -> None:
    attempts: list[tuple[str, str, Any]] = [
        ("GET", "/api/users", None), ("PUT", "/api/users/mallory", {"name": "M", "role": "expert"}), ("DELETE", "/api/users/sam", None),
        ("POST", "/api/users/sam/reset", None), ("PUT", "/api/users/olivia/quick", {"pin": PIN}), ("GET", "/api/tablets", None),
        ("POST", "/api/tablets", {"name": "x"}), ("DELETE", "/api/tablets/x", None), ("GET", "/api/keys", None),
        ("POST", "/api/keys", {"user": "sam", "name": "x"}), ("DELETE", "/api/keys/x", None), ("GET", "/api/users-changes", None),
    ]  # fmt: skip
    for user in ("olivia", "sam", "max", "quinn"):
        signed_in(client, user)
        for method, path, body in attempts:
            assert client.request(method, path, json=body).status_code == 403, (user, method, path)
    assert "mallory" not in served.store.callers()
    signed_in(client, "ada")
    made = client.put("/api/users/otto", json={"name": "Otto", "role": "operator", "places": ["LINE-1"]})
    assert made.status_code == 201
    assert made.json()["one_time_password"]
    assert served.store.callers()["otto"].scope.lines == {"LINE-1"}
    assert client.put("/api/users/otto", json={"name": "Otto", "role": "boss"}).status_code == 422
    assert client.delete("/api/users/otto").status_code == 204
    assert client.get("/api/users-changes").json()["broken"] == ""


def test_a_key_asks_and_reads_and_decides_nothing(client: TestClient) -> None:
    signed_in(client, "ada")
    secret = client.post("/api/keys", json={"user": "max", "name": "board"}).json()["secret"]
    assert secret not in client.get("/api/keys").text
    client.cookies.clear()
    bearer = {"authorization": f"Bearer {secret}"}
    assert client.get("/api/equipment", headers=bearer).status_code == 200
    assert client.post("/api/ask", json={"question": "what torque"}, headers=bearer).status_code == 200
    for path, body in (
        ("/api/confirmations/x", {"accept": True}), ("/api/password", {"old": "andon", "new": "a new sentence"}),
        ("/api/documents/x/transitions", {"to": "approved"}), ("/api/notes", {"action": "cleaned"}), ("/api/guided", {"task": "clean"}),
        ("/api/keys", {"user": "max", "name": "more"}),
    ):  # fmt: skip
        assert client.post(path, json=body, headers=bearer).status_code == 403, path
    assert client.get("/api/equipment", headers={"authorization": "Bearer andon_00000000_forged"}).status_code == 401


def test_who_asks_faster_than_a_person_is_told_to_wait(client: TestClient) -> None:
    signed_in(client, "sam")
    codes = [client.post("/api/ask", json={"question": "what torque"}) for _ in range(25)]
    slow = [response for response in codes if response.status_code == 429]
    assert slow
    assert int(slow[0].headers["retry-after"]) >= 1
    assert slow[0].headers["content-type"].startswith("application/problem+json")
    signed_in(client, "quinn")
    assert client.post("/api/ask", json={"question": "what torque"}).status_code == 200


def test_no_secret_is_logged_whatever_happens(client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    install([caplog.handler])
    caplog.set_level(logging.DEBUG)
    words = ("hunter2-password", "hunter2-pin", "hunter2-badge", "hunter2-session")
    client.cookies.set(COOKIE, words[3])
    client.cookies.set(TABLET_COOKIE, words[3])
    client.post("/api/login", json={"user": "sam", "password": words[0]})
    client.post("/api/login/pin", json={"user": "sam", "pin": words[1]})
    client.post("/api/login/badge", json={"badge": words[2]})
    client.get("/api/equipment")
    client.post("/api/login", json={"user": "sam", "password": {"deep": words[0]}})
    client.post("/api/ask", json={"question": "fail please"})
    assert not any(word in caplog.text for word in words)


def test_every_refusal_is_a_problem() -> None:
    assert all(issubclass(kind, Problem) for kind in (NotSignedIn, TooMany, NotAllowed))
