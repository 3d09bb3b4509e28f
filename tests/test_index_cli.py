"""`andon index`: a snapshot is gone back to, an index is made anew, and one that was interrupted says so."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from assistant.cli import app, index_cli
from retrieval.embed import HashEmbedder
from retrieval.index import Anchor, DocumentInfo, Index, IndexDamaged, Passage

RUN = CliRunner()


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A state folder with an index of two documents, embedded by the fake."""
    monkeypatch.setenv("ANDON_HOME", str(tmp_path))
    monkeypatch.setattr(index_cli, "OnnxEmbedder", lambda *_: HashEmbedder())
    (tmp_path / "andon.toml").write_text("", encoding="utf-8")
    index = Index.open(tmp_path / "index", HashEmbedder())
    for name in ("A", "B"):
        add(index, name)
    index.catalogue.close()
    return tmp_path


def add(index, name):
    index.add(
        DocumentInfo(name, name, "1"), [Passage(f"{name}#0", f"pump {name} valve", "manual", "paragraph", Anchor(name, "1", 1, ""), name)]
    )


def said(*arguments, code=0):
    result = RUN.invoke(app, ["index", *arguments, "--json"])
    assert result.exit_code == code, result.output
    return json.loads(result.stdout.splitlines()[-1]) if code == 0 else result.output


def documents(home):
    index = Index.open(home / "index", HashEmbedder())
    return {hit.passage.anchor.document for hit in index.search("pump valve", 9)}, index


def test_back_to_a_snapshot(home):
    assert said("snapshot", "before") == {"snapshot": "before"}
    found, index = documents(home)
    add(index, "C")
    index.remove("A")
    generation = index.generation()
    assert documents(home)[0] == {"B", "C"}
    assert said("rollback", "before") == {"snapshot": "before", "passages": 2}
    found, index = documents(home)
    assert found == {"A", "B"}
    assert index.generation() > generation
    assert said("show")["snapshots"] == ["before"]
    said("rollback", "never", code=1)
    said("snapshot", "before", code=1)
    said("snapshot", "../out", code=1)


def test_another_embedding_model_needs_a_rebuild_and_gets_one(home, monkeypatch):
    class Other(HashEmbedder):
        def __init__(self):
            super().__init__(64)

    with pytest.raises(IndexDamaged, match="andon index rebuild"):
        Index.open(home / "index", Other())
    monkeypatch.setattr(index_cli, "OnnxEmbedder", lambda *_: Other())
    assert said("rebuild") == {"passages": 2, "embedder": "hash-64", "documents_read": 0}
    index = Index.open(home / "index", Other())
    assert {hit.passage.anchor.document for hit in index.search("pump B", 2)} == {"A", "B"}
    assert index.catalogue.vectors(["A#0"])["A#0"].shape == (64,)


def test_a_rebuild_that_was_killed_is_said_and_gone_on_with(home):
    class Dies(HashEmbedder):
        def embed(self, texts):
            raise KeyboardInterrupt

    index = Index.open(home / "index", Dies(), to_rebuild=True)
    with pytest.raises(KeyboardInterrupt):
        index.rebuild()
    with pytest.raises(IndexDamaged, match="not finished"):
        Index.open(home / "index", HashEmbedder())
    assert said("rebuild")["passages"] == 2
    assert documents(home)[0] == {"A", "B"}
