"""The doctor finds what is wrong, says how to mend it, and never stops at the first finding."""

from assistant.doctor import examine


def test_a_healthy_home(demo_home, monkeypatch):
    monkeypatch.setenv("ANDON_HOME", str(demo_home))
    found = {item.part: item for item in examine()}
    assert not [item for item in found.values() if item.needed and not item.ok]
    assert found["package tools"].says == "in this repository"
    assert "effective" in found["index"].says or "documents" in found["index"].says


def test_no_home_is_a_finding(tmp_path, monkeypatch):
    monkeypatch.delenv("ANDON_HOME", raising=False)
    monkeypatch.chdir(tmp_path)
    state = next(item for item in examine() if item.part == "state folder")
    assert not state.ok
    assert "andon demo" in state.says


def test_every_part_is_looked_at_even_when_one_is_broken(tmp_path, monkeypatch):
    monkeypatch.setenv("ANDON_HOME", str(tmp_path))
    (tmp_path / "andon.toml").write_text("plant_url = 'missing.sqlite'")
    found = {item.part: item for item in examine()}
    assert not found["plant database"].ok
    assert found["plant database"].says.endswith(".")
    assert found["turn log"].ok
