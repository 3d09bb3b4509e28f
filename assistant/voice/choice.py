"""Which engine hears: a pure choice from the settings and from what this machine has, decided before anything is loaded.

`probe` looks without importing; `choose` is a table in code, held by tests/test_voice_choice.py. Words that steer always
go to the embedded recogniser where it is there: its closed grammar answers in a tenth of the time and cannot invent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

EMBEDDED, WHISPER = "pocketsphinx", "faster-whisper"
#: Engine -> the package that it needs.
ENGINES: Mapping[str, str] = {EMBEDDED: "pocketsphinx", WHISPER: "faster_whisper"}
#: What `speech_engine` may say.
WANTED = ("auto", EMBEDDED, WHISPER, "off")


@dataclass(frozen=True)
class Machine:
    """What was found: packages that are installed, and whether a Whisper folder is named and has a model in it."""

    installed: frozenset[str]
    folder_named: bool = False
    folder_whole: bool = False


@dataclass(frozen=True)
class Choice:
    """The engine for requests, the one until it is loaded, the one for steering; "" where there is none. `trouble` is one
    sentence for whoever runs the server, "" when everything is as wanted."""

    requests: str
    meanwhile: str
    steering: str
    trouble: str = ""


def probe(folder: Path | None, found: Callable[[str], object] = find_spec) -> Machine:
    """What this machine has."""
    installed = frozenset(engine for engine, package in ENGINES.items() if found(package) is not None)
    return Machine(installed, folder is not None, folder is not None and (folder / "model.bin").is_file())


def choose(wanted: str, machine: Machine) -> Choice:
    """The choice for a setting and a machine."""
    embedded = EMBEDDED if EMBEDDED in machine.installed else ""
    if wanted == "off":
        return Choice("", "", "", "Speech is switched off here (speech_engine).")
    if wanted == EMBEDDED:
        return Choice(embedded, embedded, embedded, "" if embedded else "The package pocketsphinx is not installed.")
    missing = _missing(machine)
    if wanted == WHISPER:
        return Choice("", "", "", missing) if missing else Choice(WHISPER, "", WHISPER)
    if not missing:
        return Choice(WHISPER, embedded, embedded or WHISPER)
    told = missing if machine.folder_named else ""
    return Choice(embedded, embedded, embedded, told if embedded else "No speech engine is installed.")


def _missing(machine: Machine) -> str:
    if WHISPER not in machine.installed:
        return "The package faster-whisper is not installed."
    if not machine.folder_named:
        return "whisper_model names no folder."
    return "" if machine.folder_whole else "The folder that whisper_model names holds no model."
