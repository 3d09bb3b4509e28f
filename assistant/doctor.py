"""What is installed, what is missing, what is wrong, and how to mend it. `needed` findings stop the product; the rest
are optional parts. Every check is small and independent, so that one failure hides no other. tests/test_doctor.py."""

from __future__ import annotations

import importlib
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from assistant import settings as settings_module
from assistant.problems import translated
from assistant.voice.doctor import speech

PACKAGES = ("assistant", "retrieval", "tools", "prompts", "ingest", "evals")


@dataclass(frozen=True)
class Finding:
    """One part: whether it is well, whether the product needs it, and what to do."""

    part: str
    ok: bool
    needed: bool
    says: str


def examine() -> list[Finding]:
    """All findings, in the order in which they should be mended."""
    return [*packages(), *optional(), *home()]


def packages() -> list[Finding]:
    """Each of our packages resolves inside this repository, not in a distribution of the same name."""
    found = []
    for name in PACKAGES:
        module = importlib.import_module(name)
        place = Path(module.__file__ or "").resolve()
        ours = place.is_relative_to(settings_module.REPOSITORY)
        says = "in this repository" if ours else f"another package named {name} is found first; uninstall it or its distribution"
        found.append(Finding(f"package {name}", ours, True, says))
    return found


def optional() -> list[Finding]:
    """Programs that make more possible; the product runs without them."""
    programs = {
        "chromium": "the page's browser tests", "postgres": "the PostgreSQL tests",
    }  # fmt: skip
    found = []
    for program, use in programs.items():
        there = shutil.which(program) is not None or (program == "postgres" and any(Path("/usr/lib/postgresql").glob("*/bin/postgres")))
        found.append(Finding(program, there, False, f"for {use}" + ("" if there else "; `make system` installs it")))
    return found


def home() -> list[Finding]:
    """The state folder and every part of the product in it, each opened as a question would."""
    from assistant.app import build

    try:
        folder = settings_module.find_home()
        assistant = build(settings_module.load(folder))
    except Exception as error:
        return [Finding("state folder", False, True, translated(error).sentence)]
    space = shutil.disk_usage(folder).free
    checks: dict[str, Callable[[], str]] = {
        "plant database": lambda: f"data until {assistant.plant.data_until():%Y-%m-%d %H:%M %Z}",
        "embedder": lambda: str(assistant.embedder.name),
        "index": lambda: f"{len(assistant.index.documents())} documents",
        "router": lambda: "loads and matches its hash" if assistant.router else "",
        "planner model": lambda: str(assistant.writer.name) if assistant.writer else "not used; the router plans alone",
        "turn log": lambda: _log(assistant.store.verify()),
        "documents": lambda: _documents(assistant.documents.verify_all(), len(assistant.register.store.every())),
    }
    found = [
        Finding("state folder", os.access(folder, os.W_OK), True, "can be written" if os.access(folder, os.W_OK) else "cannot be written; check its owner"),
        Finding("disk", space > 1 << 30, True, f"{space / (1 << 30):.1f} GiB free" + ("" if space > 1 << 30 else "; Andon wants at least 1 GiB")),
    ]
    for part, check in checks.items():
        try:
            found.append(Finding(part, True, True, check()))
        except Exception as error:
            found.append(Finding(part, False, True, translated(error).sentence))
    found += [Finding(part, ok, False, says) for part, ok, says in speech(assistant.settings)]
    assistant.close()
    return found


def _log(verified: object) -> str:
    from assistant.problems import Unavailable
    from assistant.store import Verified

    assert isinstance(verified, Verified)
    if not verified.intact:
        raise Unavailable(f"The turn log does not hold: {verified.broken}.")
    return f"{verified.turns} turns, the chain holds"


def _documents(faults: Sequence[str], count: int) -> str:
    from assistant.problems import Unavailable

    if faults:
        raise Unavailable(f"{faults[0]} `andon documents verify` lists all {len(faults)}." if len(faults) > 1 else faults[0])
    return f"{count} revisions with their signatures and trail, as they were kept"
