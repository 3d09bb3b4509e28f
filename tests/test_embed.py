"""The embedding port: the fake, the sealed export, and how its loss is measured."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from retrieval import embed
from retrieval.embed import HashEmbedder, OnnxEmbedder
from retrieval.index import ModelMissing


def test_the_fake_knows_shared_words_and_is_deterministic() -> None:
    vectors = HashEmbedder().embed(["coolant filter clogged", "the coolant filters", "spindle torque", ""])
    assert vectors.shape == (4, 384)
    assert vectors.dtype == np.float32
    assert vectors[0] @ vectors[1] > 0.5 > abs(vectors[0] @ vectors[2]) + 0.2
    assert np.allclose(np.linalg.norm(vectors[:3], axis=1), 1, atol=1e-5)
    assert not vectors[3].any()
    assert np.array_equal(vectors[:1], HashEmbedder().embed(["coolant filter clogged"]))


def test_a_folder_without_a_model_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing, match=r"run `make setup`"):
        OnnxEmbedder(tmp_path)


def test_a_graph_that_was_changed_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"not what was sealed")
    (tmp_path / "tokenizer.json").write_text("{}")
    (tmp_path / "card.json").write_text(json.dumps({"name": "m", "graph_sha256": "0" * 64, "dimension": 384}))
    with pytest.raises(ModelMissing, match="not the one that was exported"):
        OnnxEmbedder(tmp_path)


def test_weights_that_are_not_the_published_ones_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"other weights")
    monkeypatch.setattr(embed, "_packaged", lambda: tmp_path)
    with pytest.raises(ModelMissing, match="not the published ones"):
        embed.export(tmp_path / "out")
    with pytest.raises(ModelMissing, match=r"no model\.safetensors"):
        embed.export(tmp_path / "out", tmp_path / "nowhere")
    assert not (tmp_path / "out").exists()


def test_serving_imports_no_torch() -> None:
    import subprocess
    import sys

    code = "import sys; import retrieval.index, retrieval.embed; sys.exit('torch' in sys.modules or 'chromadb' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parent.parent, check=False).returncode == 0
