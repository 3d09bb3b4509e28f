"""Each of a corpus of damaged and hostile files is read or refused with a reason and a next step, inside limits of time
and memory; none takes the run down, writes anything, or brings in what lies outside it."""

from __future__ import annotations

import os
import pickle
import re
import socket
import subprocess
import time
from pathlib import Path

import pytest

from ingest import discovery, reading, worker
from ingest.pipeline import ingest
from ingest.quarantine import next_step, sentence
from ingest.worker import Job, Limits, Outcome
from retrieval.embed import HashEmbedder
from retrieval.index import Index
from tests.hostile_files import CORPUS, EITHER, READ, SECRET, bomb_zip, many_pages, picture

LIMITS = Limits(memory_bytes=2 << 30, cpu_s=5)
#: What a limit says; everything else that fails in a reader is a fault of ours.
AT_A_LIMIT = r"reading it (took|needs)|nested too deeply"


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    folder = tmp_path_factory.mktemp("hostile")
    for name, (make, _) in CORPUS.items():
        (folder / name).write_bytes(make())
    before = sorted(os.listdir(folder))
    jobs = [Job(folder / name, "0" * 64, name) for name in CORPUS]
    found = {outcome.job.path.name: outcome for outcome in reading.read_all(jobs, 2, 60.0, LIMITS)}
    assert sorted(os.listdir(folder)) == before, "a reader has written beside the files"
    return found


def test_the_corpus_is_large_enough() -> None:
    assert len(CORPUS) >= 60


@pytest.mark.timeout(400)
@pytest.mark.parametrize("name", CORPUS)
def test_a_hostile_file_is_read_or_refused_with_a_reason(outcomes: dict[str, Outcome], name: str) -> None:
    outcome, wanted = outcomes[name], CORPUS[name][1]
    assert bool(outcome.reason) != bool(outcome.documents)
    assert not re.search("its reader (crashed|failed)", outcome.reason), outcome.reason
    text = "\n".join(p.text for _, passages, _ in outcome.documents for p in passages)
    if wanted.startswith(READ):
        assert not outcome.reason, outcome.reason
        assert wanted.removeprefix(READ) in text
    elif wanted != EITHER and outcome.reason:
        assert re.search(f"{wanted}|{AT_A_LIMIT}", outcome.reason), outcome.reason
    elif EITHER not in wanted:
        pytest.fail(f"{name} was read: {text[:200]!r}")
    assert SECRET not in text
    assert "alert(" not in text
    if outcome.reason:
        assert next_step(outcome.reason) != next_step("anything else"), outcome.reason
        assert sentence(outcome.reason).endswith(".")


NAMES = (
    "a..\\..\\windows.txt", "new\nline.txt", "esc\x1b[2Jape.txt", "rtl\u202etxt.md", "-rf.txt", "~root.txt", "$(touch x).txt", "`id`.txt",
    "%s%n.txt", "'; DROP TABLE documents; --.txt", "<script>alert(1)<script>.txt", "[E1] approved.txt", "con.txt", "a" * 251 + ".txt",
    "\u0430larm.txt", "x" * 30 + " " * 30 + ".txt", "emoji \U0001f600.txt", "tab\tname.txt", "a....txt", "\u200b.txt",
)  # fmt: skip


def test_names_are_only_names(tmp_path: Path) -> None:
    folder = tmp_path / "documents"
    folder.mkdir()
    for number, name in enumerate(NAMES):
        (folder / name).write_text(f"Valve {number} sticks at low pressure and is replaced.\n")
    Path(os.fsdecode(os.fsencode(folder) + b"/bad\xff\xfename.txt")).write_text("A name that is no text.\n")
    index = Index.open(tmp_path / "index", HashEmbedder(64))
    report = ingest([folder], index)
    assert len(report.added) == len(NAMES)
    ((path, reason),) = report.quarantined
    assert path.encode("utf-8").endswith(b"bad\\xff\\xfename.txt")
    assert reason == "its name is not valid UTF-8"
    for info in index.documents():
        for shown in (info.document, info.title):
            assert shown == discovery.plain(shown) or info.status == "quarantined"
            assert "/" not in shown
    assert len({i.document for i in index.documents()}) == len(NAMES) + 1
    assert len(ingest([folder], index).unchanged) == len(NAMES)


def test_links_pipes_devices_and_sockets_are_passed_over(tmp_path: Path) -> None:
    folder = tmp_path / "documents"
    folder.mkdir()
    (folder / "good.txt").write_text("The coolant is changed every 600 hours.\n")
    os.mkfifo(folder / "endless.txt")
    (folder / "passwd.txt").symlink_to("/etc/passwd")
    (folder / "loop").symlink_to(folder)
    (folder / "zero.txt").symlink_to("/dev/zero")
    (folder / "self.txt").symlink_to(folder / "self.txt")
    os.mkfifo(folder / "good.txt.yaml")  # where its hint would be
    server = socket.socket(socket.AF_UNIX)
    os.chdir(folder)
    server.bind("socket.txt")
    os.chdir(Path(__file__).parent)
    index = Index.open(tmp_path / "index", HashEmbedder(64))
    report = ingest([folder], index)
    server.close()
    assert (report.added, report.quarantined) == ((str(folder / "good.txt"),), ())


def test_a_tree_deeper_than_the_stack_is_walked(tmp_path: Path) -> None:
    home = os.getcwd()
    (tmp_path / "deep").mkdir()
    os.chdir(tmp_path / "deep")
    try:
        for _ in range(1500):
            os.mkdir("d")
            os.chdir("d")
        Path("bottom.txt").write_text("The coolant is changed every 600 hours.\n")
    finally:
        os.chdir(home)
    found = [path.name for path in discovery.find([tmp_path / "deep"]).files]
    subprocess.run(["rm", "-rf", str(tmp_path / "deep")], check=True)  # what removes test folders is itself recursive
    assert found == ["bottom.txt"]


def test_a_sparse_file_of_a_terabyte_costs_nothing(tmp_path: Path) -> None:
    path = tmp_path / "huge.pdf"
    with path.open("wb") as file:
        file.truncate(1 << 40)
    index = Index.open(tmp_path / "index", HashEmbedder(64))
    started = time.monotonic()
    report = ingest([path], index)
    assert report.quarantined == ((str(path), "the file is larger than 400 MB"),)
    assert time.monotonic() - started < 20


def test_memory_and_time_are_limited_where_the_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "deep.json"
    path.write_text("[" + ",".join(['{"code": "E1", "message": "fault"}'] * 400_000) + "]")
    job = Job(path, "0" * 64, "deep")
    (slow,) = reading.read_all([job], 1, 60.0, Limits(cpu_s=1))
    assert re.search("processor time|more text", slow.reason)
    (small,) = reading.read_all([job], 1, 60.0, Limits(memory_bytes=400 << 20))
    assert re.search("needs more memory|crashed", small.reason)


def test_a_reading_process_may_send_nothing_but_our_values(tmp_path: Path) -> None:
    class Command:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.system, (f"touch {tmp_path / 'escape'}",)

    with pytest.raises(pickle.UnpicklingError, match="no part of an outcome"):
        worker.unpacked(pickle.dumps(Command()))
    assert not (tmp_path / "escape").exists()
    outcome = Outcome(Job(Path("a"), "b", "c"), reason="x")
    assert worker.unpacked(pickle.dumps(outcome)) == outcome


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("bomb.docx", lambda: bomb_zip("word/document.xml", 1_500_000_000)),
        ("pages.pdf", lambda: many_pages(50_000)),
        ("picture.pdf", lambda: picture(160_000, 160_000)),
    ],
)
def test_full_size_bombs(tmp_path: Path, name: str, make: object) -> None:
    path = tmp_path / name
    path.write_bytes(make())  # type: ignore[operator]
    (outcome,) = reading.read_all([Job(path, "0" * 64, name)], 1, 200.0, Limits())
    assert outcome.reason
    assert "failed" not in outcome.reason
