"""A chat model for tests: the shipped planner's weights with a chat template in the file, so that a real GGUF answers."""

from __future__ import annotations

from pathlib import Path

import pytest

#: What the planner reads before it writes: the last message, then its mark. Earlier messages are left out.
TEMPLATE = "{% for m in messages %}{% if m.role == 'system' %}{{ m.content }} | {% endif %}{% endfor %}{{ messages[-1].content }} >"
ASK = "query_metrics metrics=oee ? oee of <line1> <period1>"


def write(folder: Path, template: str = TEMPLATE, name: str = "chat.gguf") -> Path:
    """The file; skips the test where the `gguf` package is missing."""
    gguf = pytest.importorskip("gguf")
    pytest.importorskip("llama_cpp")
    from gguf.scripts.gguf_new_metadata import MetadataDetails, copy_with_new_metadata

    from assistant.settings import REPOSITORY

    reader = gguf.GGUFReader(str(REPOSITORY / "assistant" / "lm" / "models" / "planner.gguf"))
    writer = gguf.GGUFWriter(str(folder / name), "llama")
    details = {gguf.Keys.Tokenizer.CHAT_TEMPLATE: MetadataDetails(gguf.GGUFValueType.STRING, template)}
    copy_with_new_metadata(reader, writer, details, ["andon.trained"])
    return folder / name
