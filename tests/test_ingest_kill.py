"""`kill -9` at any moment, and a disk that is full at any write: the index opens, and the next run completes it to exactly
what an undisturbed run leaves: documents, passages, vectors, words, alarm entries, and what is remembered of the files."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent


class Forge:
    """The forking process, and the answers of its children."""

    def __init__(self, told: Path) -> None:
        self._told = told
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.crash_points"], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def run(self, index: Path, folder: Path, **how: float) -> tuple[int, dict[str, Any]]:
        """(exit status of the child, what it told before it ended)."""
        self._told.unlink(missing_ok=True)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        order = {"index": str(index), "folder": str(folder), "told": str(self._told), **how}
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        status = json.loads(self._process.stdout.readline())["status"]
        return status, json.loads(self._told.read_text()) if self._told.exists() else {}

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(20)
        self._process.stdout.close()


@pytest.fixture(scope="module")
def forge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forge]:
    made = Forge(tmp_path_factory.mktemp("forge") / "told.json")
    yield made
    made.close()


def write_documents(folder: Path) -> None:
    """Notes, an alarm list, a log, two revisions, a copy, and files that are refused: enough for three batches."""
    folder.mkdir()
    for number in range(24):
        paragraphs = "".join(f"Clearance {number}-{n} is set with gauge {n} on press {number}.\n\n" for n in range(5))
        (folder / f"note{number:02}.txt").write_text(paragraphs)
    rows = "\n".join(f"E-{100 + n},Fault {n},Check relay K{n}" for n in range(30))
    (folder / "alarms.csv").write_text(f"code,message,remedy\n{rows}\n")
    log = "\n".join(f"WO-{n},2026-05-{n % 28 + 1:02},PRS-0{n % 3},bearing {n} replaced after noise" for n in range(40))
    (folder / "orders.csv").write_text(f"order,date,machine,description\n{log}\n")
    for revision, litres in (("A", 40), ("B", 42)):
        head = f"---\ndocument: M-P7\nrevision: {revision}\n---\n"
        (folder / f"manual-{revision}.md").write_text(f"{head}# Oil change\n\n1. Drain the oil.\n2. Fill {litres} litres.\n")
    shutil.copy(folder / "note05.txt", folder / "zz-copy.txt")
    (folder / "clash.md").write_text("---\ndocument: M-P7\nrevision: B\n---\n# Oil change\n\nFill 99 litres.\n")
    (folder / "empty.pdf").write_bytes(b"")
    (folder / "broken.json").write_text("{")


class Plant:
    """Documents with the content that an undisturbed run leaves, and how many steps it takes."""

    def __init__(self, folder: Path, undisturbed: Path, forge: Forge) -> None:
        self.folder = folder
        write_documents(folder)
        status, told = forge.run(undisturbed, folder, tell=1)
        assert (status, told["error"], told["unchanged"]) == (0, "", 29)
        self.steps: int = told["steps"]
        self.expected: dict[str, Any] = told["content"]

    def check(self, home: Path, forge: Forge) -> None:
        """What was left opens and answers; the next run completes it."""
        status, told = forge.run(home, self.folder, tell=1)
        assert (status, told["error"], told["unchanged"]) == (0, "", 29)
        for part, held in self.expected.items():
            assert told["content"][part] == held, part


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory, forge: Forge) -> Plant:
    where = tmp_path_factory.mktemp("plant")
    made = Plant(where / "documents", where / "undisturbed", forge)
    assert ["M-P7", "B", "effective", ""] in made.expected["statuses"]
    assert all(made.expected["found"].values())
    return made


def at_steps(plant: Plant, home: Path, forge: Forge, step: int) -> None:
    status, _ = forge.run(home, plant.folder, step=step)
    assert status == -9, f"step {step} of {plant.steps} did not kill"
    plant.check(home, forge)


def test_killed_at_five_steps_of_storing(plant: Plant, tmp_path: Path, forge: Forge) -> None:
    for step in random.Random(7).sample(range(1, plant.steps + 1), 5):
        at_steps(plant, tmp_path / str(step), forge, step)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_killed_at_every_step_of_storing(plant: Plant, tmp_path: Path, forge: Forge) -> None:
    for step in range(1, plant.steps + 1):
        at_steps(plant, tmp_path / str(step), forge, step)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_killed_at_fifty_random_moments(plant: Plant, tmp_path: Path, forge: Forge) -> None:
    chance, killed = random.Random(11), 0
    for number in range(50):
        status, _ = forge.run(tmp_path / str(number), plant.folder, after_s=chance.uniform(0.02, 3.0))
        killed += status == -9
        plant.check(tmp_path / str(number), forge)
    assert killed >= 25


def test_killed_again_and_again(plant: Plant, tmp_path: Path, forge: Forge) -> None:
    """Five runs in a row that each die, on one index."""
    chance = random.Random(3)
    for _ in range(5):
        forge.run(tmp_path / "index", plant.folder, step=chance.randint(1, plant.steps // 2))
    plant.check(tmp_path / "index", forge)


@pytest.mark.parametrize("size", [20_000, 120_000])
def test_a_full_disk_stops_the_run_with_one_sentence(plant: Plant, tmp_path: Path, forge: Forge, size: int) -> None:
    status, told = forge.run(tmp_path / "index", plant.folder, bytes=size)
    assert status == 0, "the run died of a full disk"
    assert told["error"].endswith("."), told
    assert "\n" not in told["error"]
    plant.check(tmp_path / "index", forge)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_a_disk_that_is_full_at_any_size(plant: Plant, tmp_path: Path, forge: Forge) -> None:
    for size in range(4_096, 1_200_000, 40_960):
        status, told = forge.run(tmp_path / str(size), plant.folder, bytes=size)
        assert status == 0, size
        assert not told["error"] or told["error"].endswith("."), told
        plant.check(tmp_path / str(size), forge)
