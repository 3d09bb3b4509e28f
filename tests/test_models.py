"""`andon models` tells a good file from one that is missing, damaged or of another kind, in one sentence."""

import shutil

import pytest

from assistant import settings
from assistant.models import inspected


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
