"""Docs are under test: every command, make target and setting that the README names exists; settings are listed."""

import re
from pathlib import Path

import typer.main

from assistant import settings
from assistant.cli import app

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def _commands():
    group = typer.main.get_command(app)
    return {name: set(getattr(command, "commands", {})) for name, command in group.commands.items()}


def test_every_andon_command_exists():
    known = _commands() | {"evals": set(), "bench": set()}
    for name, sub in re.findall(r"(?:^|`)andon ([a-z]+)(?: ([a-z]+)\b)?", README, re.MULTILINE):
        assert name in known, name
        if known[name] and not (name in ("models", "users") and not sub):
            assert sub in known[name], f"andon {name} {sub}"


def test_every_make_target_exists():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for name in re.findall(r"(?:^|`)make ([a-z-]+)", README, re.MULTILINE):
        assert name in targets, name


def test_every_linked_file_exists():
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert target.startswith("http") or (ROOT / target).exists(), target


def test_every_setting_has_its_line():
    for name, default, words in settings.table():
        if name != "home":
            assert f"| `{name}` | {default} | {words} |" in README, name
