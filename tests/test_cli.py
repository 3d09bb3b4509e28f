"""The README's commands run as written, batches answer line by line, exit codes are those of the contract."""

import json
import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from assistant.cli import app

README = (Path(__file__).resolve().parent.parent / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
COMMANDS = [line for block in BLOCKS for line in block.splitlines() if line.startswith("andon ")]


@pytest.fixture(autouse=True)
def _home(demo_home, monkeypatch):
    monkeypatch.setenv("ANDON_HOME", str(demo_home))


def _run(*arguments, code=0, **more):
    result = CliRunner().invoke(app, list(arguments), **more)
    assert result.exit_code == code, (arguments, result.output, result.exception)
    return result.output


@pytest.mark.parametrize("command", COMMANDS)
def test_the_readmes_commands_run(command):
    output = _run(*shlex.split(command)[1:])
    assert output.strip()
    assert "Traceback" not in output


def test_there_are_commands_to_run():
    assert len(COMMANDS) >= 14


def test_batches_answer_in_order_and_a_bad_line_is_its_own_answer(tmp_path):
    lines = [
        {"id": "a", "question": "oee of line 3 yesterday"}, {"id": "b", "question": ""},
        {"id": "c", "question": "and line 2?", "context": ["oee of line 3 yesterday"]}, {"id": "d", "question": "oee", "at": "not a time"},
    ]  # fmt: skip
    path = tmp_path / "batch.jsonl"
    path.write_text("\n".join(json.dumps(line) for line in lines))
    answers = [json.loads(line) for line in _run("ask", "--batch", str(path)).splitlines() if line.startswith("{")]
    assert [answer["id"] for answer in answers] == ["a", "b", "c", "d"]
    assert [answer["status"] for answer in answers] == ["answered", "needs_clarification", "answered", "needs_clarification"]
    plans = [json.loads(line) for line in _run("plan", "--batch", str(path)).splitlines() if line.startswith("{")]
    assert plans[2]["calls"][0]["arguments"]["where"] == {"line": "LINE-2"}
    assert plans[0]["calls"][0]["arguments"]["period"]["from"].endswith("+02:00")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("ask",), 2), (("ask", "oee", "--at", "yesterday"), 2), (("sql", "check", "SELECT 1", "--dialect", "klingon"), 2),
        (("ask", "oee yesterday", "--user", "nobody"), 1), (("log", "show", "nothing"), 1), (("sql", "run", "DELETE FROM lots"), 0),
    ],
)  # fmt: skip
def test_exit_codes(arguments, code):
    _run(*arguments, code=code)


def test_no_home_is_one_sentence(tmp_path, monkeypatch):
    monkeypatch.delenv("ANDON_HOME")
    monkeypatch.chdir(tmp_path)
    _run("ask", "oee", code=1)
    assert not (tmp_path / ".andon").exists()
