"""Every word that is sent to a model, as files beside this one; tool docstrings aside.

`load` gives a text and its SHA-256, which is recorded with each turn that used it, so a turn can be replayed with the
words it was asked in. tests/test_llm.py proves that every file loads and that its fields are those its users fill.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Prompt:
    """A prompt text; `{name}` fields are filled by `fill`. `sha256` is of the text with its fields unfilled."""

    name: str
    text: str
    sha256: str

    def fill(self, **fields: str) -> str:
        """The text with each `{name}` replaced once; braces in the values stay as they are."""
        out = []
        rest = self.text
        while True:
            before, brace, after = rest.partition("{")
            out.append(before)
            if not brace:
                return "".join(out)
            name, _, rest = after.partition("}")
            out.append(fields[name])


def names() -> tuple[str, ...]:
    """The prompts there are."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.txt")))


@cache
def load(name: str) -> Prompt:
    """The prompt of this name. Raises KeyError when there is none."""
    path = FOLDER / f"{name}.txt"
    if "/" in name or not path.is_file():
        raise KeyError(f"there is no prompt {name!r}")
    text = path.read_text("utf-8")
    return Prompt(name, text.rstrip("\n"), hashlib.sha256(text.encode()).hexdigest())
