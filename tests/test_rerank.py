"""A cross-encoder made here, tiny and known: it says how many words of the text stand in the question."""

from __future__ import annotations

import numpy as np
import pytest

from retrieval.embed import HashEmbedder
from retrieval.index import Anchor, DocumentInfo, Index, ModelMissing, Passage
from retrieval.rerank import OnnxReranker

WORDS = ["[PAD]", "[UNK]", "[SEP]", "pump", "valve", "seal", "belt", "motor"]


@pytest.fixture
def folder(tmp_path):
    """A graph that gives the sum of a number for each token: 3 for "seal", -1 for "belt", else 0."""
    onnx = pytest.importorskip("onnx")
    from onnx import TensorProto, helper, numpy_helper
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    table = np.zeros((len(WORDS), 1), np.float32)
    table[WORDS.index("seal")], table[WORDS.index("belt")] = 3.0, -1.0
    graph = helper.make_graph(
        [
            helper.make_node("Gather", ["table", "input_ids"], ["values"]),
            helper.make_node("ReduceSum", ["values", "axes"], ["logits"], keepdims=0),
        ],
        "tiny",
        [helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["n", "tokens"])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", 1])],
        [numpy_helper.from_array(table, "table"), numpy_helper.from_array(np.array([1], np.int64), "axes")],
    )
    made = tmp_path / "cross"
    made.mkdir()
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), str(made / "model.onnx"))
    tokenizer = Tokenizer(models.WordLevel({w: i for i, w in enumerate(WORDS)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(single="$A", pair="$A [SEP] $B", special_tokens=[("[SEP]", 2)])
    tokenizer.save(str(made / "tokenizer.json"))
    return made


def test_scores_are_those_of_the_graph_in_the_order_of_the_texts(folder):
    texts = ["belt", "seal seal", "motor", "seal belt pump"] * 9
    expected = [1 / (1 + np.exp(-v)) for v in (-1.0, 6.0, 0.0, 2.0)] * 9
    assert OnnxReranker(folder).scores("pump", texts) == pytest.approx(expected)


def test_the_search_stands_in_the_order_of_the_model(folder, tmp_path):
    def added(index):
        texts = ["the pump motor", "the pump belt motor", "pump seal"]
        passages = [Passage(f"p{n}", t, "manual", "paragraph", Anchor("D", "A", n + 1, ""), "D") for n, t in enumerate(texts)]
        index.add(DocumentInfo("D", "D", "A"), passages)
        return [hit.passage.text for hit in index.search("pump motor", 3)]

    plain = added(Index.open(tmp_path / "plain", HashEmbedder()))
    read = added(Index.open(tmp_path / "read", HashEmbedder(), reranker=OnnxReranker(folder)))
    assert plain[0] == "the pump motor"
    assert read[0] == "pump seal"
    assert sorted(plain) == sorted(read)


def test_a_folder_without_a_model_or_with_another_is_refused(folder, tmp_path):
    with pytest.raises(ModelMissing, match="no cross-encoder"):
        OnnxReranker(tmp_path / "nothing")
    (folder / "model.onnx").write_bytes(b"not a graph")
    with pytest.raises(ModelMissing, match="cannot be read"):
        OnnxReranker(folder)
