"""A re-ranking model, when the plant sets one: a cross-encoder that reads question and passage together.

The folder is what sentence-transformers and its kin publish: `tokenizer.json` and the graph `model.onnx`, there or in
`onnx/`; neither torch nor anything from a network is needed. It reads the first candidates of a search only, so it costs
its two dozen pairs and cannot bring back what neither half found. tests/test_rerank.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from retrieval.passages import ModelMissing

MAX_TOKENS = 256
_BATCH = 12


class OnnxReranker:
    """A cross-encoder with one output. Raises ModelMissing when the folder holds none or one of another form."""

    def __init__(self, folder: Path, threads: int = 2) -> None:
        import onnxruntime
        from tokenizers import Tokenizer

        graph = next((path for path in (folder / "model.onnx", folder / "onnx" / "model.onnx") if path.is_file()), None)
        words = folder / "tokenizer.json"
        if graph is None or not words.is_file():
            raise ModelMissing(f"{folder} holds no cross-encoder: model.onnx and tokenizer.json are needed.")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        try:
            self._session = onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])
            self._tokenizer = Tokenizer.from_file(str(words))
        except Exception as error:  # onnxruntime and tokenizers raise kinds of their own for a file that is none
            raise ModelMissing(f"The cross-encoder in {folder} cannot be read.") from error
        self._inputs = {entry.name for entry in self._session.get_inputs()}
        unknown = self._inputs - {"input_ids", "attention_mask", "token_type_ids"}
        if unknown or "input_ids" not in self._inputs:
            raise ModelMissing(f"The graph in {folder} is no cross-encoder: it asks for {', '.join(sorted(unknown or self._inputs))}.")
        self._tokenizer.enable_truncation(MAX_TOKENS)
        self._tokenizer.enable_padding()
        self.name = folder.name

    def scores(self, query: str, texts: Sequence[str]) -> list[float]:
        """A share 0..1 for each text; pairs of similar length are read together."""
        encoded = [(i, (query, text)) for i, text in enumerate(texts)]
        encoded.sort(key=lambda pair: len(pair[1][1]))
        found = [0.0] * len(texts)
        for start in range(0, len(encoded), _BATCH):
            chosen = encoded[start : start + _BATCH]
            pairs = self._tokenizer.encode_batch([pair for _, pair in chosen])
            everything = {
                "input_ids": np.array([e.ids for e in pairs], np.int64),
                "attention_mask": np.array([e.attention_mask for e in pairs], np.int64),
                "token_type_ids": np.array([e.type_ids for e in pairs], np.int64),
            }
            logits = np.asarray(self._session.run(None, {n: v for n, v in everything.items() if n in self._inputs})[0], np.float64)
            if logits.ndim > 1 and logits.shape[1] not in (1, 2):
                raise ModelMissing(f"The cross-encoder {self.name} gives {logits.shape[1]} values for a pair, not one.")
            one = logits.reshape(len(chosen), -1)
            telling = one[:, 0] if one.shape[1] == 1 else one[:, 1] - one[:, 0]
            for (place, _), share in zip(chosen, 1.0 / (1.0 + np.exp(-np.clip(telling, -60.0, 60.0))), strict=True):
                found[place] = float(share)
        return found
