"""The assistant under test: the demo plant of a state folder, asked through the product's own front door, with its turn
log and documents in a temporary copy so that grading leaves nothing behind."""

from __future__ import annotations

import json
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from assistant.app import Assistant, build
from assistant.problems import BadSettings
from assistant.settings import find_home, load
from evals.oracles import Truth

UNTIL = datetime.fromisoformat("2026-06-17T09:00:00+02:00")
SEED = 7
#: What the turn writes; everything else of the state folder is only read.
_WRITTEN = ("andon.sqlite",)


@dataclass(frozen=True)
class Demo:
    """The assistant, the truth beside it, and what was planted."""

    assistant: Assistant
    truth: Truth
    stories: dict[str, Any]


@contextmanager
def demo() -> Iterator[Demo]:
    """The demo plant of this state folder. Raises BadSettings when it is another plant than the cases are about."""
    home = find_home()
    settings = load(home)
    facts = home / "demo" / "stories.json"
    until = datetime.fromisoformat(settings.until) if settings.until else None
    if not settings.demo or not facts.exists() or until is None:
        raise BadSettings("The evals ask about the demo plant; build it with `andon demo --no-serve`.")
    planted = json.loads(facts.read_text(encoding="utf-8"))
    if until.astimezone(UNTIL.tzinfo) != UNTIL or planted["seed"] != SEED:
        raise BadSettings(f"The cases are about the plant of `andon demo --fresh --until 2026-06-17T09:00 --seed {SEED}`.")
    with tempfile.TemporaryDirectory(prefix="andon-evals-") as folder:
        _copy(home, Path(folder))
        assistant = build(load(Path(folder)))
        try:
            truth = Truth(home / "demo" / "mes.sqlite", home / "demo" / "manuals", UNTIL.astimezone(assistant.plant.zone))
            yield Demo(assistant, truth, planted["stories"])
        finally:
            assistant.close()


@contextmanager
def empty_index() -> Iterator[Assistant]:
    """The demo's assistant with a document index that holds nothing yet."""
    home = find_home()
    with tempfile.TemporaryDirectory(prefix="andon-evals-") as folder:
        _copy(home, Path(folder), index=False)
        assistant = build(load(Path(folder)))
        try:
            yield assistant
        finally:
            assistant.close()


def _copy(home: Path, folder: Path, index: bool = True) -> None:
    """A state folder that shares the plant and the index with `home`, and has a log and keys of its own."""
    for item in home.iterdir():
        if item.name in _WRITTEN:
            source, copy = sqlite3.connect(f"file:{item}?mode=ro", uri=True), sqlite3.connect(folder / item.name)
            with copy:
                source.backup(copy)
            source.close()
            copy.close()
        elif item.name == "keys":
            shutil.copytree(item, folder / item.name)
        elif item.is_file() and not item.name.startswith("andon.sqlite"):
            shutil.copy(item, folder / item.name)
        elif item.name == "demo" or (index and item.name == "index"):
            (folder / item.name).symlink_to(item.resolve(), target_is_directory=True)
