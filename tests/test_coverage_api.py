"""Coverage over HTTP: whole for quality, without plant data for administrators, nobody else's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from assistant.api import create_app
from assistant.coverage import gathered

ORIGIN = "http://127.0.0.1:8000"


@pytest.fixture(scope="module")
def client(assistant: Any) -> Iterator[TestClient]:
    with TestClient(create_app(assistant), base_url=ORIGIN, raise_server_exceptions=False) as found:
        yield found


def asked(client: TestClient, user: str, form: str = "json") -> Any:
    client.cookies.clear()
    if user:
        assert client.post("/api/login", json={"user": user, "password": "andon"}).status_code == 200
    return client.get("/api/coverage", params={"form": form})


def test_quality_sees_what_the_command_shows(client: TestClient, assistant: Any) -> None:
    found = asked(client, "quinn")
    assert found.status_code == 200
    assert found.headers["cache-control"] == "no-store"
    body, whole = found.json(), gathered(assistant)
    assert len(body["machines"]) == len(whole.machines)
    assert {m["machine"]["id"]: m["events"] for m in body["machines"]} == {m.machine.id: m.events for m in whole.machines}
    assert sum(m["events"] for m in body["machines"]) > 0


def test_an_administrator_sees_documents_and_no_plant_data(client: TestClient, assistant: Any) -> None:
    body = asked(client, "ada").json()
    assert [m["documents"] for m in body["machines"]] == [m["documents"] for m in asked(client, "quinn").json()["machines"]]
    assert not body["gaps"]
    assert not any(m["events"] or m["alarms_seen"] for m in body["machines"])
    assert body["since"] is None


@pytest.mark.parametrize("user", ["olivia", "sam", "max", "eve"])
def test_for_everybody_else_it_is_not(client: TestClient, user: str) -> None:
    refused = asked(client, user)
    assert refused.status_code == 403
    assert "quality" in refused.json()["detail"]


def test_nobody_is_asked_to_sign_in_first(client: TestClient) -> None:
    assert asked(client, "").status_code == 401
    assert asked(client, "", "html").status_code == 401


def test_the_page_is_one_file_that_runs_nothing(client: TestClient) -> None:
    page = asked(client, "quinn", "html")
    assert page.headers["content-type"].startswith("text/html")
    assert "Knowledge coverage" in page.text
    assert "<script" not in page.text
    assert asked(client, "quinn", "pdf").status_code in (400, 422)
