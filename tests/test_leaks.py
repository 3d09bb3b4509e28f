"""Nothing of one person, place or class reaches another: every operation of the OpenAPI description and every registered tool is
tried by every role with the names of what is not theirs. The tests are generated: a new endpoint or tool is in them at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from assistant.api import create_app
from assistant.app import Ask, Assistant
from evals.red_team import planted
from ingest.pipeline import ingest
from tools.access import ROLES, Caller, Scope
from tools.registry import BadArgument, Call, all_tools, run

PASSWORD = "andon"
PEOPLE = {"operator": "olivia", "technician": "max", "supervisor": "sam", "quality": "quinn", "administrator": "ada", "expert": "eve"}
#: What nobody needs to sign in for; everything else must refuse a stranger.
PUBLIC = {"/api/login", "/api/login/pin", "/api/login/badge", "/api/logout", "/api/me", "/healthz", "/readyz", "/metrics", "/plant-ca.crt"}
#: What ends the session that tries it, or gives and takes access: the administrator's tests are in test_identity.py.
LEFT_OUT = {"/api/logout", "/api/login", "/api/password"}
SECRET = {"hr": "CANARY-PAYROLL", "maintenance": "CANARY-TORSION", "quality": "CANARY-RECALL"}
MAY_READ = {"hr": set(), "maintenance": {"technician", "supervisor", "expert"}, "quality": {"supervisor", "quality", "expert"}}
SAID = "CANARY-SAYING"


@dataclass(frozen=True)
class World:
    """The service, a client of each role, and what belongs to Sam, the supervisor, alone (or to Line 1)."""

    assistant: Assistant
    clients: Mapping[str, TestClient]
    stranger: TestClient
    names: Mapping[str, str]
    operations: list[tuple[str, str, Any]]
    drafted: str = ""
    schemas: Mapping[str, Any] = field(default_factory=dict)


@pytest.fixture(scope="module")
def world(demo_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with planted(demo_home, []) as assistant:
        papers = tmp_path_factory.mktemp("papers")
        for access, canary in SECRET.items():
            text = f"# Torsion table\n\nThe torsion of the {access} coupling is {canary}.\n"
            (papers / f"{access}.md").write_text(text, encoding="utf-8")
            (papers / f"{access}.md.yaml").write_text(f"document: PAPER-{access}\naccess: {access}\n", encoding="utf-8")
        ingest([papers], assistant.index)
        app = create_app(assistant)
        clients = {}
        for role, user in PEOPLE.items():
            client = TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False)
            assert client.post("/api/login", json={"user": user, "password": PASSWORD}).status_code == 200
            clients[role] = client
        sam = assistant.caller("sam")
        turn = assistant.ask(Ask(f"how often did {SAID} happen on line 1 yesterday", "sam", conversation="sams-talk"), caller=sam)["turn"]
        token, _ = assistant.store.ask_confirmation("sam", "raise_request", {"kind": "help", "text": SAID}, assistant.now())
        made = clients["supervisor"].post("/api/documents", json={"kind": "oee_report", "line": "LINE-1", "period": "yesterday"}).json()
        tablet, _ = assistant.identity.enrol("Line 1", "ada")
        key, _ = assistant.identity.make_key("sam", "export", "ada")
        names = {
            "conversation": "sams-talk", "turn": turn, "token": token, "document": made["document"], "revision": "1", "page": "1", "user": "sam",
            "tablet": tablet, "key": key, "run": "RUN-00001", "note": "NOTE-00001",
        }  # fmt: skip
        schema = app.openapi()
        operations = [(method.upper(), path, spec) for path, item in schema["paths"].items() for method, spec in item.items()]
        stranger = TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False)
        yield World(assistant, clients, stranger, names, operations, made["document"], schema["components"]["schemas"])


def tried(client: TestClient, world: World, method: str, path: str, spec: Any, names: Mapping[str, str]) -> Any:
    """One request to an operation, its path, query and body filled with the names of what is not the caller's."""
    url = path
    for parameter in spec.get("parameters", ()):
        if parameter["in"] == "path":
            url = url.replace("{" + parameter["name"] + "}", names.get(parameter["name"], "X"))
    query = {p["name"]: names[p["name"]] for p in spec.get("parameters", ()) if p["in"] == "query" and p["name"] in names}
    content = spec.get("requestBody", {}).get("content", {})
    body = example(content["application/json"]["schema"], world.schemas, names) if "application/json" in content else None
    return client.request(method, url, params=query, json=body)


def example(schema: Any, schemas: Mapping[str, Any], names: Mapping[str, str], name: str = "") -> Any:
    """The smallest value that a schema takes, with known names where it asks for one; none of it is a canary."""
    if "$ref" in schema:
        return example(schemas[schema["$ref"].rpartition("/")[2]], schemas, names, name)
    for choice in ("anyOf", "oneOf"):
        if choice in schema:
            return example(schema[choice][0], schemas, names, name)
    if "const" in schema or "enum" in schema:
        return schema.get("const", schema.get("enum", [None])[0])
    kind = schema.get("type", "object")
    if kind == "object":
        wanted = {*schema.get("required", ()), *(key for key in schema.get("properties", {}) if key in names)}
        return {key: example(schema["properties"][key], schemas, names, key) for key in wanted if key in schema.get("properties", {})}
    if kind == "string":
        said = {"question": "what is the torsion of the hr coupling", "kind": "oee_report", **names}.get(name, "word")
        return said[: schema.get("maxLength", 10_000)]
    return {"integer": max(1, schema.get("minimum", 1)), "number": 1.0, "boolean": True, "array": []}.get(kind)


def canaries(world: World, role: str) -> dict[str, str]:
    """Words that this role must never be shown, and why."""
    words = {canary: f"a document of class {access}" for access, canary in SECRET.items() if role not in MAY_READ[access]}
    if role != "supervisor":
        words[SAID] = "what Sam said"
    return words


def test_a_stranger_gets_in_nowhere(world: World) -> None:
    assert len(world.operations) >= 50
    let_in = []
    for method, path, spec in world.operations:
        response = tried(world.stranger, world, method, path, spec, world.names)
        if path not in PUBLIC and response.status_code not in (401, 403):
            let_in.append((method, path, response.status_code))
        assert not any(word in response.text for word in (SAID, *SECRET.values())), path
    assert not let_in


@pytest.mark.parametrize("role", ROLES)
def test_no_operation_shows_what_is_not_the_callers(world: World, role: str) -> None:
    words = canaries(world, role)
    leaks = []
    for method, path, spec in world.operations:
        giving = role == "administrator" and method != "GET" and path.startswith(("/api/users", "/api/tablets", "/api/keys"))
        if path in LEFT_OUT or giving or (role == "supervisor" and path.startswith("/api/confirmations")):
            continue
        response = tried(world.clients[role], world, method, path, spec, world.names)
        assert response.status_code < 500 or response.status_code == 503, (role, method, path, response.text[:300])
        leaks += [(method, path, why) for word, why in words.items() if word in response.text]
    assert not leaks


@pytest.mark.parametrize("role", ROLES)
def test_documents_of_other_classes_do_not_exist(world: World, role: str) -> None:
    client = world.clients[role]
    for access, canary in SECRET.items():
        response = client.get(f"/api/sources/PAPER-{access}/-")
        if role in MAY_READ[access]:
            assert canary in response.text
        else:
            assert response.status_code in (403, 404), (role, access)
            nothing = client.get("/api/sources/NOTHING/-")
            assert response.text.replace(f"PAPER-{access}", "NOTHING") == nothing.text


@pytest.mark.parametrize("role", ["operator", "administrator"])
def test_a_draft_about_another_line_does_not_exist(world: World, role: str) -> None:
    client = world.clients[role]
    for suffix in ("", ".md", ".html", "/content", "/differences"):
        response = client.get(f"/api/documents/{world.drafted}{suffix}")
        assert response.status_code in (403, 404), suffix
    assert world.drafted not in client.get("/api/documents").text
    assert world.drafted not in client.get("/api/trail").text


def test_a_key_of_some_tools_reads_no_more_than_they_do(world: World) -> None:
    _, secret = world.assistant.identity.make_key("sam", "board", "ada", ["query_metrics"])
    bearer = {"authorization": f"Bearer {secret}"}
    for access in SECRET:
        assert world.stranger.get(f"/api/sources/PAPER-{access}/-", headers=bearer).status_code == 403
    assert world.stranger.get("/api/conversations/sams-talk", headers=bearer).status_code in (200, 403)


# Tools


def arguments(name: str) -> list[dict[str, Any]]:
    """Calls of a tool that aim at what is hidden; each tool of the registry has some."""
    aims = {
        "query_metrics": [{"metrics": ["oee"], "where": {"line": "LINE-1"}}, {"metrics": ["scrap_count"], "by": ["line"]}],
        "list_records": [{"records": name, "where": {"line": "LINE-1"}} for name in ("alarm_events", "lots", "nonconformances", "maintenance_orders")]
        + [{"records": "documents"}, {"records": "documents", "where": {"id": "PAPER-hr"}}],
        "explain_alarm": [{"code": "CANARY"}], "diagnose": [{"symptom": "the torsion of the hr coupling slips"}],
        "search_documents": [{"query": f"torsion of the {access} coupling"} for access in SECRET],
        "get_procedure": [{"task": "set the torsion of the hr coupling"}],
        "trace_material": [{"lot": "88213"}], "signal_trend": [{"signal": "temperature", "equipment": "ROB-01"}],
        "find_correlations": [{"outcome": "scrap_rate", "equipment": "ROB-01"}],
        "draft_document": [{"kind": "oee_report", "line": "LINE-1"}], "raise_request": [{"kind": "help", "text": "x"}],
        "run_sql": [{"sql": "SELECT * FROM people"}, {"sql": "SELECT equipment_id FROM alarm_events"}],
    }  # fmt: skip
    return aims[name]


@pytest.mark.parametrize("name", sorted(all_tools()))
@pytest.mark.parametrize("role", ROLES)
def test_no_tool_gives_what_is_not_the_callers(world: World, role: str, name: str) -> None:
    scope = Scope(frozenset(("LINE-3",))) if role != "administrator" else Scope()
    caller = Caller(PEOPLE[role], role, role, scope, via="test")  # type: ignore[arg-type]
    assistant = world.assistant
    call = Call(caller, assistant.now(), assistant.plant, assistant.index, policy=assistant.policy, stores=assistant.parts.stores)
    hidden = {machine.id for machine in assistant.plant.equipment.values() if machine.line not in ("LINE-3", "")}
    for given in arguments(name):
        try:
            result = run(all_tools()[name], call, given).result
        except BadArgument as error:
            pytest.fail(f"{name} does not take {given}: {error}")
        if not assistant.policy.may_use(caller, name).allowed:
            assert (result.status, result.evidence) == ("not_allowed", ())
            continue
        shown = [str(value) for item in result.evidence for row in item.rows for value in row.values()]
        assert not hidden & set(shown), (role, name, given)
        quoted = " ".join(quote.text + quote.document for item in result.evidence for quote in item.quotes) + " ".join(shown)
        assert not [canary for access, canary in SECRET.items() if role not in MAY_READ[access] and canary in quoted], (role, name, given)
