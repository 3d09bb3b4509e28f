"""`andon connect` and another plant's database through `andon ask --plant --url`: what is printed, and the exit codes."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest
from typer.testing import CliRunner

from assistant.app import Ask
from assistant.cli import app
from assistant.foreign import foreign
from tests import foreign_plants
from tools.model_draft import draft_model

RUN = CliRunner()


@pytest.fixture(scope="module")
def bakery(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = Path(tmp_path_factory.mktemp("bakery"))
    database = foreign_plants.bakery(folder)
    (folder / "bakery.yaml").write_text(draft_model(str(database), "Bakery", "Europe/Berlin"), encoding="utf-8")
    return folder / "bakery.yaml", database


def test_a_draft_goes_to_a_file_and_connects(bakery: tuple[Path, Path], tmp_path: Path) -> None:
    output = tmp_path / "own.yaml"
    made = RUN.invoke(app, ["connect", str(bakery[1]), "--draft", "--output", str(output), "--timezone", "Europe/Vienna"])
    assert made.exit_code == 0, made.output
    assert "timezone: Europe/Vienna" in output.read_text(encoding="utf-8")
    found = RUN.invoke(app, ["connect", str(bakery[1]), "--plant", str(output), "--json"])
    assert found.exit_code == 0
    report = json.loads(found.stdout)
    assert report["maps"] is True
    assert {t["table"]: t["rows"] for t in report["tables"]}["BatchRun"] == 500
    assert "complaint" in " ".join(report["records"]) or "nonconformances" in report["records"]


def test_a_database_that_lacks_what_the_model_names_exits_1_and_says_where(bakery: tuple[Path, Path], tmp_path: Path) -> None:
    copy = tmp_path / "other.sqlite"
    copy.write_bytes(bakery[1].read_bytes())
    with sqlite3.connect(copy) as db:
        db.execute("DROP VIEW RunYield")
        db.execute("ALTER TABLE BatchRun RENAME COLUMN scrapQty TO waste_qty")
    found = RUN.invoke(app, ["connect", str(copy), "--plant", str(bakery[0])])
    assert found.exit_code == 1
    assert "bakery.yaml:" in found.stdout
    assert "no column scrapQty" in found.stdout


def test_a_view_that_cannot_be_read_is_left_out_by_name(bakery: tuple[Path, Path], tmp_path: Path) -> None:
    copy, output = tmp_path / "views.sqlite", tmp_path / "views.yaml"
    copy.write_bytes(bakery[1].read_bytes())
    with sqlite3.connect(copy) as db:
        db.execute("CREATE VIEW lost_table AS SELECT * FROM gone")
        db.execute("CREATE VIEW lost_column AS SELECT b.no_such_thing FROM BatchRun AS b")
        db.execute("CREATE VIEW round_and_round AS SELECT * FROM round_and_round")
        db.execute("CREATE VIEW unknown_function AS SELECT nowhere(scrapQty) AS a FROM BatchRun")
    made = RUN.invoke(app, ["connect", str(copy), "--draft", "--json"])
    assert made.exit_code == 0, made.output
    told = json.loads(made.stdout)
    for view in ("lost_table", "lost_column", "round_and_round", "unknown_function"):
        assert any(view in note for note in told["left_out"]), view
        assert f"# The table {view} is left out" in told["yaml"]
    assert "BatchRun" in told["yaml"]
    said = RUN.invoke(app, ["connect", str(copy), "--draft", "--output", str(output)])
    assert "The table lost_table is left out" in said.stderr
    assert RUN.invoke(app, ["connect", str(copy), "--plant", str(output)]).exit_code == 0


def test_a_table_of_very_many_columns_is_read_in_parts(tmp_path: Path) -> None:
    wide = tmp_path / "wide.sqlite"
    with sqlite3.connect(wide) as db:
        db.execute(f"CREATE TABLE t (id INTEGER PRIMARY KEY, {', '.join(f'c{n} INTEGER' for n in range(1900))})")
        db.execute("INSERT INTO t (id, c0, c1899) VALUES (1, 7, 9)")
    made = RUN.invoke(app, ["connect", str(wide), "--draft"])
    assert made.exit_code == 0, made.output
    assert "c0, c1," in made.stdout
    assert "c1899" in made.stdout


def test_a_database_of_which_nothing_can_be_read_names_what_is_there(tmp_path: Path) -> None:
    broken = tmp_path / "broken.sqlite"
    with sqlite3.connect(broken) as db:
        db.execute("CREATE VIEW only_one AS SELECT * FROM gone")
    made = RUN.invoke(app, ["connect", str(broken), "--draft"])
    assert made.exit_code == 1
    assert "no table that can be read" in made.stderr
    assert "only_one" in made.stderr


def test_a_missing_machine_table_is_said_too(bakery: tuple[Path, Path], tmp_path: Path) -> None:
    copy = tmp_path / "none.sqlite"
    copy.write_bytes(bakery[1].read_bytes())
    with sqlite3.connect(copy) as db:
        db.execute("DROP TABLE Oven")
    found = RUN.invoke(app, ["connect", str(copy), "--plant", str(bakery[0]), "--json"])
    assert found.exit_code == 1
    assert any("no table Oven" in line for line in json.loads(found.stdout)["missing"])


def test_wrong_files_and_databases_are_one_sentence(bakery: tuple[Path, Path], tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("version: 1\nplant: x\nnonsense: 1\n", encoding="utf-8")
    found = RUN.invoke(app, ["connect", str(bakery[1]), "--plant", str(wrong)])
    assert found.exit_code == 1
    assert "wrong.yaml:3: nonsense" in found.stderr
    assert RUN.invoke(app, ["connect", str(tmp_path / "none.db"), "--draft"]).exit_code == 1
    assert RUN.invoke(app, ["connect", str(bakery[1])]).exit_code == 2
    assert RUN.invoke(app, ["connect", str(bakery[1]), "--draft", "--plant", str(bakery[0])]).exit_code == 2
    assert RUN.invoke(app, ["ask", "how many complaints", "--plant", str(bakery[0])]).exit_code == 2


def test_ask_and_plan_over_another_plant_leave_the_home_alone(
    bakery: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANDON_HOME", str(tmp_path))
    options = ["--plant", str(bakery[0]), "--url", str(bakery[1]), "--model", "off", "--json"]
    answer = json.loads(RUN.invoke(app, ["ask", "How many complaints did we receive?", *options]).stdout)
    assert answer["status"] == "answered"
    assert "90" in answer["text"]
    assert answer["citations"][0]["kind"] == "query"
    planned = json.loads(RUN.invoke(app, ["plan", "Complaints by category", *options]).stdout)
    assert planned["calls"][0]["arguments"]["by"] == ["type"]
    assert list(tmp_path.iterdir()) == []


def test_what_a_plant_does_not_have_is_said_in_one_sentence(bakery: tuple[Path, Path]) -> None:
    assistant = foreign(*bakery[:1], str(bakery[1]), model_vote="off")
    try:
        answer = assistant.ask(Ask("What is the MTBF of the Tunnel oven?"))
        assert answer["status"] in ("no_data", "needs_clarification")
        assert "has no" in answer["text"]
        drafted = assistant.ask(Ask("How many complaints did we receive?"))
        assert drafted["status"] == "answered"
    finally:
        assistant.close()
    assert not assistant.settings.home.exists()
