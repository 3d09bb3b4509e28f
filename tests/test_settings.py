"""Settings refuse to start when wrong, by name; the state folder is found upward and never made silently."""

import pytest

from assistant import settings
from assistant.problems import BadSettings, NoHome


def test_the_nearest_home_upward(tmp_path, monkeypatch):
    monkeypatch.delenv("ANDON_HOME", raising=False)
    (tmp_path / ".andon").mkdir()
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    assert settings.find_home(below) == tmp_path / ".andon"


def test_no_home_names_the_commands_that_make_one(tmp_path, monkeypatch):
    monkeypatch.delenv("ANDON_HOME", raising=False)
    with pytest.raises(NoHome, match="andon demo"):
        settings.find_home(tmp_path)
    assert not (tmp_path / ".andon").exists()
    monkeypatch.setenv("ANDON_HOME", str(tmp_path / "missing"))
    with pytest.raises(NoHome, match="ANDON_HOME"):
        settings.find_home(tmp_path)


@pytest.mark.parametrize(
    ("text", "names"),
    [("port = 99999", "port"), ("prot = 1", "prot"), ("threads = 'x'", "threads"), ("port = ", "andon.toml"), ("model_vote = 'maybe'", "model_vote")],
)
def test_a_wrong_setting_is_named(tmp_path, text, names):
    (tmp_path / "andon.toml").write_text(text)
    with pytest.raises(BadSettings, match=names):
        settings.load(tmp_path)


def test_order_of_sources(tmp_path, monkeypatch):
    settings.write(tmp_path, {"port": 9000, "plant_url": 'a "quoted" \\ path', "demo": True})
    assert settings.load(tmp_path).port == 9000
    assert settings.load(tmp_path).plant_url == 'a "quoted" \\ path'
    monkeypatch.setenv("ANDON_PORT", "9001")
    assert settings.load(tmp_path).port == 9001
    assert settings.load(tmp_path, port=9002).port == 9002


def test_relative_paths_are_of_the_home(tmp_path):
    (tmp_path / "andon.toml").write_text("planner_model = 'models/x.gguf'")
    assert settings.load(tmp_path).planner_model == tmp_path / "models" / "x.gguf"


def test_every_setting_has_help():
    assert all(help_text for _, _, help_text in settings.table())
