"""Ingest beside a service: the job is handed over, its progress comes back, and a service that dies leaves no job undone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from assistant.ingest_jobs import IngestJobs, Order, carry_out
from assistant.problems import Unavailable
from assistant.serving import is_served, locked
from ingest.pipeline import ingest
from retrieval.embed import HashEmbedder
from retrieval.index import Index


@pytest.fixture
def home(tmp_path: Path) -> Path:
    made = tmp_path / "home"
    made.mkdir()
    return made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "documents"
    made.mkdir()
    for number in range(4):
        (made / f"note{number}.txt").write_text(f"Clearance {number} is set with gauge {number}.\n")
    (made / "empty.pdf").write_bytes(b"")
    return made


def never() -> Index:
    raise AssertionError("the command opened the index beside the service")


def test_without_a_service_the_command_does_it_itself(home: Path, folder: Path) -> None:
    index = Index.open(home / "index", HashEmbedder())
    report = carry_out(Order((str(folder),)), home, lambda: index)
    assert len(report.added) == 4


def test_a_running_service_does_the_job_and_tells_how_far_it_is(home: Path, folder: Path) -> None:
    index = Index.open(home / "index", HashEmbedder())
    told: list[tuple[int, int, str]] = []
    with locked(home):
        jobs = IngestJobs(home, lambda: index)
        jobs.start()
        try:
            report = carry_out(Order((str(folder),)), home, never, lambda *what: told.append(what))
        finally:
            jobs.stop()
    assert len(report.added) == 4
    assert report.quarantined == ((str(folder / "empty.pdf"), "the file is empty"),)
    assert all(total == 5 for _, total, _ in told)
    assert index.search("gauge 3")  # the service's own index has it, without opening anything anew
    assert list((home / "ingest").iterdir()) == []
    assert not (home / "ingest").stat().st_mode & 0o077


def test_a_failure_in_the_service_is_the_commands_one_sentence(home: Path) -> None:
    index = Index.open(home / "index", HashEmbedder())
    with locked(home):
        jobs = IngestJobs(home, lambda: index)
        jobs.start()
        try:
            with pytest.raises(Unavailable, match=r"There is no file or folder /nowhere\."):
                carry_out(Order(("/nowhere",)), home, never)
        finally:
            jobs.stop()


def test_a_job_that_nobody_can_read_is_dropped(home: Path) -> None:
    (home / "ingest").mkdir()
    (home / "ingest" / "x.job").write_text("[]")
    assert IngestJobs(home, never).do_waiting() == 1
    assert not (home / "ingest" / "x.job").exists()


_SERVICE = """
import sys, time
from pathlib import Path
from assistant.serving import locked
with locked(Path(sys.argv[1])):
    print("serving", flush=True)
    time.sleep(60)
"""


def test_a_service_that_dies_leaves_its_job_to_the_command(home: Path, folder: Path) -> None:
    service = subprocess.Popen([sys.executable, "-c", _SERVICE, str(home)], stdout=subprocess.PIPE)
    assert service.stdout is not None
    service.stdout.readline()
    assert is_served(home)
    threading.Thread(target=lambda: (time.sleep(0.7), os.kill(service.pid, signal.SIGKILL), service.wait()), daemon=True).start()
    index = Index.open(home / "index", HashEmbedder())
    report = carry_out(Order((str(folder),)), home, lambda: index)
    service.stdout.close()
    assert len(report.added) == 4
    assert not is_served(home)
    assert list((home / "ingest").iterdir()) == []
    assert len(ingest([folder], index).unchanged) == 4
