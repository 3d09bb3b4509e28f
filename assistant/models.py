"""What models are in use, whether each is what was shipped, and how another one is set: for `andon models`.

Every judgement is a row of part, name, whether it is fine, and one sentence. `choose` tries a model before it writes the
setting, so that a wrong file or address never reaches `andon.toml`. tests/test_models.py.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from assistant.problems import BadSettings, ModelUnusable, translated
from assistant.settings import Settings


def inspected(settings: Settings) -> list[dict[str, Any]]:
    """Embedder, router, planner and the capable model if one is set: name, SHA-256 of the file, whether it loads, and in
    words what it is."""
    rows = [_embedder(settings), _router(settings), _planner(settings)]
    return [*rows, _language_model(settings)] if settings.language_model else rows


def _row(part: str, name: str, ok: bool, says: str, sha256: str = "") -> dict[str, Any]:
    return {"part": part, "name": name, "ok": ok, "says": says, "sha256": sha256}


def _embedder(settings: Settings) -> dict[str, Any]:
    from retrieval.embed import OnnxEmbedder

    try:
        return _row("embedder", str(OnnxEmbedder(settings.embedder).name), True, "int8 ONNX, matches the hash of its export")
    except Exception as error:
        return _row("embedder", settings.embedder.name, False, translated(error).sentence)


def _router(settings: Settings) -> dict[str, Any]:
    from assistant.llm import file_sha256
    from assistant.router import Router

    graph = settings.router_model / "router.onnx"
    try:
        Router.load(settings.router_model)
    except Exception as error:
        return _row("router", graph.name, False, str(error) if str(error).endswith(".") else translated(error).sentence)
    return _row("router", graph.name, True, "int8 ONNX, matches its shipped hash", file_sha256(graph))


def _planner(settings: Settings) -> dict[str, Any]:
    from assistant.planner_model import LlmUnavailable, open_writer, shipped_sha256

    path = settings.planner_model
    if settings.model_vote == "off":
        return _row("planner", path.name, True, "switched off; the router plans alone")
    try:
        writer = open_writer(path)
    except LlmUnavailable as error:
        return _row("planner", path.name, False, f"{error} The router plans alone.")
    writer.close()
    trained = "trained" if writer.trained else "not trained, so it has no vote"
    whose = "matches its shipped hash" if shipped_sha256(path) else "your own"
    return _row("planner", writer.name, True, f"GGUF, {trained}, {whose}", writer.sha256)


def _language_model(settings: Settings) -> dict[str, Any]:
    where = settings.language_model
    name = settings.language_model_name if "://" in where else Path(where).name
    try:
        says, sha256 = tried(where, settings)
    except ModelUnusable as error:
        return _row("language model", name, False, f"{error.sentence} The shipped planner answers alone.")
    return _row("language model", name, True, says, sha256)


def tried(where: str, settings: Settings) -> tuple[str, str]:
    """Opens a capable model and lets it say a word: what it is, and the SHA-256 of its file. Raises ModelUnusable."""
    from langchain_core.messages import HumanMessage

    from assistant.llm import LlamaCppChat, file_sha256, open_llm

    chat = open_llm(
        where, model=settings.language_model_name, api_key=settings.language_model_key, timeout_s=settings.language_model_timeout_s,
        context=settings.context_tokens, gpu_layers=settings.gpu_layers, threads=settings.threads, max_tokens=8,
    )  # fmt: skip
    try:
        chat.invoke([HumanMessage("Say yes.")])
        if isinstance(chat, LlamaCppChat):
            from assistant.lm.gguf_file import header

            about = header(chat.path)
            template = "with its own chat template" if about.chat_template else "without a chat template, so a common one is used"
            return f"GGUF ({about.architecture}), {template}", file_sha256(chat.path)
        return "OpenAI-compatible server, answers", ""
    finally:
        if isinstance(chat, LlamaCppChat):
            chat.close()


def is_planner(path: Path) -> bool:
    """Whether a GGUF file is a planner of this project's kind rather than a chat model. Raises ModelUnusable."""
    from assistant.lm.gguf_file import header

    return "andon.trained" in header(path).values


def overrides(name: str) -> dict[str, Any]:
    """A `--model NAME` as settings: `off` (the router alone), a planner file, or a capable model by file or address. A file
    that cannot be read is left to the planner, which says so and goes on."""
    if name == "off":
        return {"model_vote": "off", "language_model": ""}
    if "://" in name:
        return {"language_model": name}
    path = Path(name).resolve()
    try:
        return {"planner_model": path} if is_planner(path) else {"language_model": str(path)}
    except ModelUnusable:
        return {"planner_model": path}


def choose(settings: Settings, name: str) -> dict[str, Any]:
    """Set a model in `andon.toml`: a GGUF file, the address of a server, or `off` for the shipped planner alone. It is tried
    first. Returns its row. Raises ModelUnusable or BadSettings; then nothing is changed."""
    if name == "off":
        _set(settings.home, {"language_model": ""})
        return _row("language model", "off", True, "switched off; the shipped planner answers alone")
    if "://" not in name and is_planner(Path(name).resolve()):
        path = Path(name).resolve()
        row = _planner(settings.model_copy(update={"planner_model": path, "model_vote": "auto"}))
        if not row["ok"]:
            raise ModelUnusable(row["says"])
        _set(settings.home, {"planner_model": str(path)})
        return row
    where = name if "://" in name else str(Path(name).resolve())
    says, sha256 = tried(where, settings)
    _set(settings.home, {"language_model": where})
    return _row("language model", where if "://" in where else Path(where).name, True, says, sha256)


def _set(home: Path, values: dict[str, str]) -> None:
    """Change single settings of `andon.toml` and leave every other line, comments included, as it is."""
    path = home / "andon.toml"
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    for key, value in values.items():
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        lines = [line for line in lines if not re.match(rf"\s*{key}\s*=", line)]
        table = next((n for n, line in enumerate(lines) if line.lstrip().startswith("[")), len(lines))
        if value:
            lines.insert(table, f'{key} = "{escaped}"')
    temporary = home / "andon.toml.new"
    try:
        temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")
        temporary.replace(path)
    except OSError as error:
        raise BadSettings(f"andon.toml cannot be written: {(error.strerror or 'no access').lower()}.") from error
