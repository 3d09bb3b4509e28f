"""The trained router as one ONNX graph that serving reads without torch, with its labels, words and hashes.

Weights become int8 (per channel) where the held-out split loses no more than a point; otherwise the graph stays half
in float: matrices of the heads and the last layer first. Files are replaced in one step, the manifest last.
"""

from __future__ import annotations

import hashlib
import json
import logging
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from assistant.lm.labels import ENTITIES, HEADS, PHRASES
from assistant.lm.phrasings import Example
from assistant.lm.train_router import RouterNet, assemble, base_folder, base_tokenizer, readings, score
from assistant.router import MODELS, Router
from assistant.spelling import counted

log = logging.getLogger(__name__)

LARGEST_BYTES = 30_000_000
COSTLIEST_POINTS = 1.0
# What is compared between the float network and the shipped graph.
WEIGHED = ("tool", "status", "metric", "by", "record", "span_f1")


def export(net: RouterNet, examples: Sequence[Example], build: Path, folder: Path = MODELS) -> dict[str, Any]:
    """Writes the graph and its neighbours into `folder`; returns the held-out table of network and graph."""
    build.mkdir(parents=True, exist_ok=True)
    folder.mkdir(parents=True, exist_ok=True)
    kept = [e for e in examples if e.held_out]
    tokenizer = base_tokenizer()
    before = score(kept, readings(net, kept, tokenizer))
    whole = build / "router.float.onnx"
    _to_onnx(net, whole)
    best: tuple[str, Path, dict[str, float]] | None = None
    for name, kept_float in _recipes():
        candidate = build / f"router.{name}.onnx"
        _quantise(whole, candidate, kept_float)
        if candidate.stat().st_size > LARGEST_BYTES:
            continue
        after = graph_score(candidate, kept)
        lost = sum(before[h] - after[h] for h in WEIGHED) / len(WEIGHED)
        log.info("%s: %.1f MB, loses %.2f points", name, candidate.stat().st_size / 1e6, lost)
        if best is None or sum(after[h] for h in WEIGHED) > sum(best[2][h] for h in WEIGHED):
            best = (name, candidate, after)
        if lost <= COSTLIEST_POINTS / 2:
            break
    assert best is not None
    name, graph, after = best
    labels = {"heads": {k: list(v) for k, v in HEADS.items()}, "entities": list(ENTITIES), "phrases": list(PHRASES)}
    files = {
        "router.onnx": graph.read_bytes(),
        "router.tokenizer.json": (base_folder() / "tokenizer.json").read_bytes(),
        "router.labels.json": json.dumps(labels, indent=1).encode(),
        "words.tsv": words_of(examples),
    }
    place(files, folder, {"router.onnx": {"recipe": name, "held_out": after, "examples": len(examples)}})
    return {"network": before, "graph": after, "recipe": name, "bytes": len(files["router.onnx"])}


def words_of(examples: Sequence[Example]) -> bytes:
    """The words of the phrasings that come more than once, with their counts: what the speller knows."""
    words = counted(text for e in examples for text in (e.question, e.context))
    return "".join(f"{word}\t{count}\n" for word, count in words.items() if count > 1).encode()


def place(files: Mapping[str, bytes], folder: Path, about: Mapping[str, Mapping[str, Any]]) -> None:
    """Puts model files into a folder, each in one step, and their hashes into `models.json`, which comes last."""
    manifest_file = folder / "models.json"
    manifest = json.loads(manifest_file.read_text("utf-8"))["files"] if manifest_file.exists() else {}
    for name, content in files.items():
        manifest[name] = {
            "sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content), **about.get(name, {}),
        }  # fmt: skip
        temporary = folder / f".{name}.new"
        temporary.write_bytes(content)
        temporary.replace(folder / name)
    temporary = folder / ".models.json.new"
    temporary.write_text(json.dumps({"files": manifest}, indent=1, sort_keys=True) + "\n", "utf-8")
    temporary.replace(manifest_file)


def _to_onnx(net: RouterNet, path: Path) -> None:
    net.eval()
    ids = torch.tensor([[101, 2054, 2003, 102, 2054, 102]])
    types = torch.tensor([[0, 0, 0, 0, 1, 1]])
    names = ["input_ids", "attention_mask", "token_type_ids"]
    outputs = ["heads", "entity", "phrase", "negated", "starts"]
    axes = {n: {0: "batch", 1: "tokens"} for n in (*names, *outputs[1:])} | {"heads": {0: "batch"}}
    torch.onnx.export(
        net, (ids, torch.ones_like(ids), types), str(path), input_names=names, output_names=outputs,
        dynamic_axes=axes, opset_version=17, dynamo=False,
    )  # fmt: skip


def _recipes() -> list[tuple[str, tuple[str, ...]]]:
    """Name and the parts of node names that stay in float, from the smallest graph on."""
    heads = ("/heads/", "/entity/", "/phrase/", "/negated/", "/starts/")
    last = tuple(f"layer.{n}/" for n in (5,))
    return [("int8", heads), ("int8-last-float", (*heads, *last)), ("int8-outputs-float", (*heads, "output/dense"))]


def _quantise(source: Path, target: Path, kept_float: Sequence[str]) -> None:
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    nodes = [n.name for n in onnx.load(str(source)).graph.node]
    # Seven-bit weights: without VNNI the eight-bit product of two pairs overflows its sixteen bits.
    quantize_dynamic(
        str(source), str(target), per_channel=True, reduce_range=True, weight_type=QuantType.QInt8,
        nodes_to_exclude=[n for n in nodes if any(part in n for part in kept_float)],
    )  # fmt: skip


def graph_score(path: Path, kept: Sequence[Example]) -> dict[str, float]:
    """The held-out table of a graph, read the way serving reads it; adds `ms`, the mean time of a reading."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    router = Router(session, base_tokenizer(), "")
    started = time.perf_counter()
    found = []
    for e in kept:
        encoding = router.tokenizer.encode(e.question, e.context) if e.context else router.tokenizer.encode(e.question)
        outputs = router.logits(encoding)
        found.append(assemble(e, encoding, outputs))
    table = score(kept, found)
    table["ms"] = round(1000 * (time.perf_counter() - started) / max(1, len(kept)), 2)
    return table
