"""The service holds to its own OpenAPI description: generated requests of every operation, sensible and not, and no answer is a
failure of the service's own. A short run here; `make test-long` runs many more."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import schemathesis
from fastapi.testclient import TestClient
from schemathesis import GenerationMode

from assistant.api import create_app
from evals.red_team import planted
from tools.access import POLICY, Limits

SHORT_S = 30.0
#: They end the session that sends them, or take it from somebody else's test.
LEFT_OUT = ("/api/logout",)


@pytest.fixture(scope="module")
def service(demo_home: Path) -> Iterator[tuple[Any, list[Any]]]:
    with planted(demo_home, []) as assistant:
        free = Limits(questions_per_minute=1e9, questions_at_once=10**6, wrong_from_one_address=10**6)
        assistant.__dict__["policy"] = replace(POLICY, limits=free)
        app = create_app(assistant)
        schema = schemathesis.openapi.from_dict(app.openapi())
        operations = [found.ok() for found in schema.get_all_operations()]
        yield app, [operation for operation in operations if operation.path not in LEFT_OUT]


def failures(app: Any, operations: list[Any], user: str, examples: int, until: float) -> tuple[list[str], int]:
    """Answers of 500 and above over generated requests, and how many requests there were."""
    found: list[str] = []
    asked = 0
    client = TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False)
    assert client.post("/api/login", json={"user": user, "password": "andon"}).status_code == 200

    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
        for operation in operations:

            @hypothesis.settings(
                max_examples=examples, deadline=None, database=None, derandomize=True, suppress_health_check=list(hypothesis.HealthCheck),
                phases=(hypothesis.Phase.generate,),
            )  # fmt: skip
            @hypothesis.given(operation.as_strategy(generation_mode=mode))
            def one(case: Any) -> None:
                nonlocal asked
                if time.monotonic() > until:
                    return
                sent = case.as_transport_kwargs(base_url="http://127.0.0.1")
                sent.pop("cookies", None)
                try:
                    response = client.request(**{key: value for key, value in sent.items() if value is not None})
                except (UnicodeError, ValueError, TypeError):
                    return  # what no client can send
                asked += 1
                if response.status_code >= 500:
                    found.append(f"{user}: {case.method} {case.formatted_path} {response.status_code} {response.text[:200]}")

            try:
                one()
            except (hypothesis.errors.Unsatisfiable, schemathesis.errors.InvalidSchema):
                continue  # a request that could not be wrong
    return found, asked


def test_no_generated_request_makes_the_service_fail(service: tuple[Any, list[Any]]) -> None:
    app, operations = service
    until = time.monotonic() + SHORT_S
    found, asked = failures(app, operations, "sam", 2, until)
    assert not found
    assert asked >= len(operations)


@pytest.mark.long
@pytest.mark.parametrize("user", ["olivia", "sam", "ada"])
def test_no_request_of_many_makes_the_service_fail(service: tuple[Any, list[Any]], user: str) -> None:
    app, operations = service
    found, asked = failures(app, operations, user, 40, time.monotonic() + 900)
    assert not found
    assert asked > 10 * len(operations)
