"""`andon ingest` beside a really running `andon serve`: handed over, answered by the service, taken over when it is killed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).resolve().parent.parent
#: Seconds in which a service starts, on a machine that is busy with other things.
PATIENCE_S = 150.0

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]


def environment(home: Path) -> dict[str, str]:
    return {**os.environ, "ANDON_HOME": str(home), "OMP_NUM_THREADS": "1"}


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def served(home: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A service on a home of its own, and its address."""
    port = free_port()
    log = home.parent / "serve.log"
    with log.open("w") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "assistant", "serve", "--port", str(port)],
            cwd=ROOT, env=environment(home), stdout=out, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
    try:
        deadline = time.monotonic() + PATIENCE_S
        while "Andon answers at" not in log.read_text():
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.2)
        yield process, f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def home(demo_home: Path, tmp_path: Path) -> Path:
    """A copy of the demo home, which nobody serves."""
    made = tmp_path / "home"
    shutil.copytree(demo_home, made, ignore=shutil.ignore_patterns("serve.lock", "ingest"))
    return made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "documents"
    made.mkdir()
    for number in range(120):
        text = f"# Seal card {number}\n\nThe lip seal of agitator {number} is pressed in with drift D-{7000 + number}.\n"
        (made / f"card{number:03}.md").write_text(text)
    return made


def command(home: Path, folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "assistant", "ingest", str(folder), "--json"],
        cwd=ROOT, env=environment(home), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def reported(process: subprocess.Popen[str]) -> dict[str, object]:
    out, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, err
    found: dict[str, object] = json.loads(out)
    return found


def test_the_service_does_the_job_and_answers_from_it(home: Path, folder: Path) -> None:
    with served(home) as (_, address), httpx.Client(base_url=address, timeout=60, trust_env=False) as client:
        assert client.post("/api/login", json={"user": "sam", "password": "andon"}).status_code == 200
        assert len(reported(command(home, folder))["added"]) == 120  # type: ignore[arg-type]
        assert not list((home / "ingest").iterdir())
        answer = client.post("/api/ask", json={"question": "which drift presses in the lip seal of agitator 42?"}).json()
        assert "D-7042" in json.dumps(answer["citations"])
        assert client.get("/healthz").status_code == 200


def test_a_service_killed_in_the_middle_leaves_the_job_to_the_command(home: Path, folder: Path) -> None:
    with served(home) as (service, _):
        waiting = command(home, folder)
        deadline = time.monotonic() + PATIENCE_S
        while not list((home / "ingest").glob("*.progress")):  # it has begun
            assert waiting.poll() is None, waiting.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.02)
        service.send_signal(signal.SIGKILL)
        service.wait()
        done = reported(waiting)
    assert len(done["added"]) + len(done["unchanged"]) == 120  # type: ignore[arg-type]
    assert not list((home / "ingest").iterdir())
    again = reported(command(home, folder))
    assert (len(again["unchanged"]), again["quarantined"]) == (120, [])  # type: ignore[arg-type]
