"""`andon models` tells a good file from one that is missing, damaged or of another kind, in one sentence."""

import json
import shutil

import pytest
from typer.testing import CliRunner

from assistant import settings
from assistant.cli import app
from assistant.models import choose, inspected, overrides
from assistant.problems import ModelUnusable
from tests import chat_gguf
from tests.openai_server import serving


def _planner(tmp_path, **values):
    return next(row for row in inspected(settings.load(tmp_path, **values)) if row["part"] == "planner")


def test_the_shipped_models_load(tmp_path):
    rows = {row["part"]: row for row in inspected(settings.load(tmp_path))}
    assert rows["router"]["ok"]
    assert len(rows["router"]["sha256"]) == 64
    assert rows["planner"]["ok"], rows["planner"]


@pytest.mark.parametrize("content", [b"", b"hello, I am no model", b"GGUF" + b"\\x00" * 40])
def test_a_file_that_is_no_model_is_one_sentence(tmp_path, content):
    path = tmp_path / "bad.gguf"
    path.write_bytes(content)
    row = _planner(tmp_path, planner_model=path)
    assert not row["ok"]
    assert row["says"].count(".") <= 4
    assert "Traceback" not in row["says"]


def test_a_cut_file_is_found(tmp_path):
    shipped = settings.load(tmp_path).planner_model
    cut = tmp_path / "cut.gguf"
    shutil.copyfile(shipped, cut)
    with cut.open("r+b") as file:
        file.truncate(cut.stat().st_size // 2)
    assert not _planner(tmp_path, planner_model=cut)["ok"]


def test_switched_off_is_no_fault(tmp_path):
    assert _planner(tmp_path, model_vote="off")["ok"]


def test_a_planner_that_is_not_the_shipped_one_is_found(tmp_path):
    shipped = settings.load(tmp_path).planner_model
    shutil.copyfile(shipped, tmp_path / "planner.gguf")
    shutil.copyfile(shipped.parent / "models.json", tmp_path / "models.json")
    assert _planner(tmp_path, planner_model=tmp_path / "planner.gguf")["ok"]
    with (tmp_path / "planner.gguf").open("r+b") as file:
        file.seek(-3, 2)
        file.write(b"\x01\x02\x03")
    row = _planner(tmp_path, planner_model=tmp_path / "planner.gguf")
    assert not row["ok"]
    assert "SHA-256 differs" in row["says"]


def test_setting_a_model_tries_it_first_and_leaves_the_rest_of_the_file(tmp_path):
    toml = tmp_path / "andon.toml"
    toml.write_text("# ours\ndemo = true\nlanguage_model_timeout_s = 2\n")
    for wrong in ("http://127.0.0.1:9/v1", str(tmp_path / "missing.gguf"), str(toml)):
        with pytest.raises(ModelUnusable) as caught:
            choose(settings.load(tmp_path), wrong)
        assert str(tmp_path) not in caught.value.sentence
    assert "language_model =" not in toml.read_text()
    with serving(lambda asked: iter(["yes"])) as (address, _):
        row = choose(settings.load(tmp_path), f"{address}/v1")
        assert row["ok"]
        assert settings.load(tmp_path).language_model == f"{address}/v1"
        assert next(r for r in inspected(settings.load(tmp_path)) if r["part"] == "language model")["ok"]
    assert not next(r for r in inspected(settings.load(tmp_path)) if r["part"] == "language model")["ok"]
    choose(settings.load(tmp_path), "off")
    assert toml.read_text() == "# ours\ndemo = true\nlanguage_model_timeout_s = 2\n"


def test_a_gguf_is_a_planner_or_a_chat_model(tmp_path):
    chat = chat_gguf.write(tmp_path)
    row = choose(settings.load(tmp_path), str(chat))
    assert (row["part"], row["ok"]) == ("language model", True)
    assert "chat template" in row["says"]
    assert settings.load(tmp_path).language_model == str(chat)
    own = tmp_path / "own.gguf"
    shutil.copyfile(settings.load(tmp_path).planner_model, own)
    assert choose(settings.load(tmp_path), str(own))["part"] == "planner"
    assert settings.load(tmp_path).planner_model == own
    assert overrides("off") == {"model_vote": "off", "language_model": ""}
    assert overrides("http://x/v1") == {"language_model": "http://x/v1"}
    assert overrides(str(chat)) == {"language_model": str(chat)}
    assert set(overrides(str(tmp_path / "none.gguf"))) == {"planner_model"}


def test_the_command_line(tmp_path, monkeypatch):
    monkeypatch.setenv("ANDON_HOME", str(tmp_path))

    def run(*words, code=0):
        result = CliRunner().invoke(app, ["models", *words])
        assert result.exit_code == code, result.output
        return result.output

    assert "planner" in run()
    assert len(json.loads(run("--json"))) == 3
    assert len(json.loads(run("verify", "--json"))[1]["sha256"]) == 64
    assert "cannot be reached" in run("set", "http://127.0.0.1:9/v1", code=1)
    assert json.loads(run("set", "off", "--json"))["ok"]
