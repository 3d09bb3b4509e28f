"""What models are in use, and whether each is what was shipped: for `andon models`. tests/test_models.py."""

from __future__ import annotations

import hashlib
from typing import Any

from assistant.problems import translated
from assistant.settings import Settings


def inspected(settings: Settings) -> list[dict[str, Any]]:
    """Embedder, router and planner: name, SHA-256 of the file, whether it loads, and in words what it is."""
    return [_embedder(settings), _router(settings), _planner(settings)]


def _row(part: str, name: str, ok: bool, says: str, sha256: str = "") -> dict[str, Any]:
    return {"part": part, "name": name, "ok": ok, "says": says, "sha256": sha256}


def _embedder(settings: Settings) -> dict[str, Any]:
    from retrieval.embed import OnnxEmbedder

    try:
        return _row("embedder", str(OnnxEmbedder(settings.embedder).name), True, "int8 ONNX, matches the hash of its export")
    except Exception as error:
        return _row("embedder", settings.embedder.name, False, translated(error).sentence)


def _router(settings: Settings) -> dict[str, Any]:
    from assistant.router import Router

    graph = settings.router_model / "router.onnx"
    try:
        Router.load(settings.router_model)
    except Exception as error:
        return _row("router", graph.name, False, str(error) if str(error).endswith(".") else translated(error).sentence)
    return _row("router", graph.name, True, "int8 ONNX, matches its shipped hash", _sha256(graph))


def _planner(settings: Settings) -> dict[str, Any]:
    from assistant.llm import LlmUnavailable, open_writer

    path = settings.planner_model
    if settings.model_vote == "off":
        return _row("planner", path.name, True, "switched off; the router plans alone")
    try:
        writer = open_writer(path)
    except LlmUnavailable as error:
        return _row("planner", path.name, False, f"{error} The router plans alone.")
    says = "trained" if writer.trained else "not trained, so it has no vote"
    row = _row("planner", writer.name, True, f"GGUF, {says}", writer.sha256)
    writer.close()
    return row


def _sha256(path: Any) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
