"""`andon ingest` and `andon coverage`: every option, on a small home of its own without a plant database."""

from __future__ import annotations

import io
import json
import time
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner, Result

from assistant import app as product
from assistant.cli import app, ingest_cli
from retrieval.embed import HashEmbedder
from retrieval.index import Index


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Index:
    """A small home, and an index whose vectors cost nothing."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "andon.toml").write_text("")
    monkeypatch.setenv("ANDON_HOME", str(home))
    made = Index.open(home / "index", HashEmbedder(64))
    monkeypatch.setattr(product.Assistant, "index", made, raising=False)
    return made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "documents"
    made.mkdir()
    (made / "press.md").write_text("# Press manual\n\nThe ram gap of the press is 4 mm.\n")
    (made / "oven.md").write_text("---\nrevision: C\n---\n# Oven manual\n\nThe door seal of the oven is greased.\n")
    (made / "empty.pdf").write_bytes(b"")
    return made


def ran(*words: str | Path) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def reported(*words: str | Path) -> dict[str, Any]:
    done = ran(*words, "--json")
    assert done.exit_code == 0, done.output
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_it_says_what_was_added_and_what_was_refused_and_why(index: Index, folder: Path) -> None:
    done = ran("ingest", folder)
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith("2 added, 0 updated, 0 unchanged, 1 quarantined; 2 passages, 0 alarm entries")
    assert "empty.pdf: The file is empty: copy it again" in done.stdout.replace("\n", " ")
    again = reported("ingest", folder)
    assert (again["added"], len(again["unchanged"]), again["passages"]) == ([], 2, 0)
    assert again["quarantined"][0]["advice"].startswith("The file is empty")


def test_files_that_change_move_double_and_vanish_are_told(index: Index, folder: Path) -> None:
    reported("ingest", folder)
    (folder / "press.md").write_text("# Press manual\n\nThe ram gap of the press is 5 mm now.\n")
    (folder / "oven.md").rename(folder / "furnace.md")
    (folder / "copy.md").write_text((folder / "press.md").read_text())
    found = reported("ingest", folder)
    assert found["moved"] == [{"from": str(folder / "oven.md"), "to": str(folder / "furnace.md")}]
    assert found["updated"] == [str(folder / "press.md")]
    assert found["duplicates"] == [{"path": str(folder / "copy.md"), "of": str(folder / "press.md")}]
    assert not any("4 mm" in hit.passage.text for hit in index.search("ram gap of the press"))
    (folder / "furnace.md").unlink()
    assert "its document stays in force; --prune retires it" in " ".join(ran("ingest", folder).stdout.split())
    pruned = reported("ingest", folder, "--prune")
    assert (len(pruned["vanished"]), len(pruned["retired"])) == (1, 1)
    assert not any("door seal" in hit.passage.text for hit in index.search("door seal of the oven"))


def test_options_say_what_the_documents_do_not(index: Index, folder: Path) -> None:
    reported("ingest", folder, "--equipment", "PRS-01", "--revision", "B", "--set", "language=de", "--set", "software=>=4.2")
    infos = {info.document: info for info in index.documents() if info.status == "effective"}
    assert (infos["press"].equipment, infos["press"].revision) == (("PRS-01",), "B")
    assert (infos["press"].language, infos["press"].software) == ("de", ">=4.2")
    assert infos["oven"].revision == "C"  # what the document says itself counts more


@pytest.mark.parametrize("fact", ["colour=red", "language", "language="])
def test_a_fact_that_means_nothing_is_wrong_usage(index: Index, folder: Path, fact: str) -> None:
    done = ran("ingest", folder, "--set", fact)
    assert done.exit_code == 2
    assert "no fact of a document" in " ".join(done.output.replace("│", " ").split())


def test_a_path_that_is_not_there_is_wrong_usage(index: Index, tmp_path: Path) -> None:
    assert ran("ingest", tmp_path / "nowhere").exit_code == 2


def test_watch_takes_what_comes_and_ends_when_interrupted(index: Index, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock, looks = [100.0], 0

    def pause(seconds: float) -> None:
        nonlocal looks
        looks += 1
        clock[0] += 5.0
        if looks == 3:
            (folder / "late.md").write_text("# Late manual\n\nThe belt of the late machine is checked.\n")
        if looks == 8:
            raise KeyboardInterrupt

    watching = type("Clock", (), {"sleep": staticmethod(pause), "monotonic": staticmethod(lambda: clock[0])})
    monkeypatch.setattr(ingest_cli, "time", watching)
    done = ran("ingest", folder, "--watch")
    assert done.exit_code == 0, done.output
    assert done.stdout.count("added") == 2  # the folder as it was, then what came late; nothing is told twice
    assert index.search("belt of the late machine")


def test_the_coverage_report_is_written_after_a_run_and_by_its_own_command(index: Index, folder: Path, tmp_path: Path) -> None:
    assert ran("ingest", folder, "--report", tmp_path / "after.html").exit_code == 0
    page = (tmp_path / "after.html").read_text()
    assert "Oven manual" in page
    assert "empty.pdf" in page
    assert "No plant database is set" in page
    done = ran("coverage", "--out", tmp_path / "own.html")
    assert "2 documents name no machine" in " ".join(done.stdout.split())
    assert "Oven manual" in (tmp_path / "own.html").read_text()
    found = reported("coverage")
    assert {line["document"] for line in found["unassigned"]} == {"press", "oven"}
    assert len(found["quarantined"]) == 1


def test_the_meter_tells_what_is_left_by_the_pace_of_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command that waited a minute for the service must not count that minute into the pace."""
    clock = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    console = Console(record=True, width=100, force_terminal=False, file=io.StringIO())
    with ingest_cli.meter(console, quiet=False) as tell:
        assert tell is not None
        for at, done in ((60.0, 1), (65.0, 51), (70.0, 101)):
            clock[0] = at
            tell(done, 400, "x")
    told = console.export_text().splitlines()
    assert told == ["1 of 400 files read", "101 of 400 files read, about 30 s left"]
    with ingest_cli.meter(console, quiet=True) as nothing:
        assert nothing is None
