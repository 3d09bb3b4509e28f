"""Charts as files: over HTTP for a signed-in person, and on the command line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from assistant.api import create_app
from assistant.demo import PASSWORD
from tests.scripted_assistant import ScriptedAssistant

BLOCK = {"type": "chart", "kind": "bar", "title": "OEE by line", "marker": "E1", "x": {"label": "Line", "values": ["L1", "L2"]},
         "series": [{"name": "OEE", "unit": "%", "values": [70.5, None]}], "limits": [{"label": "Target", "value": 80}]}  # fmt: skip


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    assistant = ScriptedAssistant(tmp_path_factory.mktemp("home"))
    with TestClient(create_app(assistant), base_url="http://127.0.0.1", raise_server_exceptions=False) as found:
        yield found
    assistant.close()


def test_a_chart_block_comes_back_as_a_picture(client: TestClient) -> None:
    assert client.post("/api/charts.svg", json=BLOCK).status_code == 401
    client.post("/api/login", json={"user": "sam", "password": PASSWORD})
    answer = client.post("/api/charts.svg?width=900", json=BLOCK)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("image/svg+xml")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    root = ElementTree.fromstring(answer.text)
    assert root.get("width") == "900"
    assert any(item.text == "OEE by line" for item in root.iter())


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "pie"},
        {"series": [{"name": "x", "unit": "", "values": ["1"] * 3000}]},
        {"x": {"label": "Line"}},
        {"limits": [{"label": "T"}]},
    ],
)
def test_what_is_no_chart_is_a_problem_in_one_sentence(client: TestClient, wrong: dict[str, Any]) -> None:
    client.post("/api/login", json={"user": "sam", "password": PASSWORD})
    answer = client.post("/api/charts.svg", json={**BLOCK, **wrong})
    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"].startswith("application/problem+json")


def test_the_command_writes_the_charts_of_an_answer(demo_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from assistant.cli import app

    monkeypatch.setenv("ANDON_HOME", str(demo_home))
    done = CliRunner().invoke(app, ["chart", "OEE by line last week", "--out", str(tmp_path), "--json"])
    assert done.exit_code == 0, done.output
    root = ElementTree.fromstring((tmp_path / "chart-1.svg").read_text(encoding="utf-8"))
    assert {"Line 1", "Line 2", "Line 3"} <= {item.text for item in root.iter()}
