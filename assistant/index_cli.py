"""`andon index`: what the document index holds, snapshots of it, back to one, and making it anew. tests/test_index_cli.py."""

from __future__ import annotations

import json
import re
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import Progress

from assistant import cli
from assistant import settings as settings_module
from assistant.cli import JsonFlag
from assistant.problems import BadSettings
from assistant.settings import Settings
from retrieval.embed import OnnxEmbedder
from retrieval.index import Index

app: typer.Typer = typer.Typer(help="The document index: show, snapshot, rollback, rebuild.", no_args_is_help=True)
_NAME = re.compile(r"[\w.-]{1,80}")


def _kept(settings: Settings) -> Path:
    return settings.home / "snapshots"


def _opened(settings: Settings, *, to_rebuild: bool = False) -> Index:
    return Index.open(settings.index, OnnxEmbedder(settings.embedder, settings.threads), to_rebuild=to_rebuild)


def _print(value: dict[str, Any], words: str, as_json: bool) -> None:
    sys.stdout.write((json.dumps(value, ensure_ascii=False) if as_json else words) + "\n")


def _folder(settings: Settings, name: str) -> Path:
    if not _NAME.fullmatch(name) or name.startswith("."):
        raise BadSettings("A snapshot is named by letters, digits, dots, dashes and underscores.")
    return _kept(settings) / name


@app.command()
def show(as_json: JsonFlag = False) -> None:
    """Documents, passages, the embedding model and the snapshots that exist."""
    with cli._explained(as_json):
        settings = settings_module.load(settings_module.find_home())
        index = _opened(settings, to_rebuild=True)
        value = {
            "documents": sum(1 for d in index.documents() if d.status == "effective"), "passages": len(index.catalogue.ids()),
            "embedder": index.catalogue.meta("embedder"), "generation": index.generation(),
            "snapshots": sorted(p.name for p in _kept(settings).glob("*/")) if _kept(settings).is_dir() else [],
        }  # fmt: skip
        _print(value, "\n".join(f"{name}: {', '.join(v) if isinstance(v, list) else v}" for name, v in value.items()), as_json)


@app.command()
def snapshot(name: Annotated[str | None, typer.Argument(help="its name; the time without it")] = None, as_json: JsonFlag = False) -> None:
    """Keep a copy of the index, to which `andon index rollback` returns."""
    with cli._explained(as_json):
        settings = settings_module.load(settings_module.find_home())
        target = _folder(settings, name or datetime.now(UTC).strftime("%Y-%m-%dT%H%M%SZ"))
        if target.exists():
            raise BadSettings(f"There is a snapshot {target.name} already.")
        _opened(settings).snapshot(target)
        _print({"snapshot": target.name}, f"Kept as {target.name}.", as_json)


@app.command()
def rollback(name: Annotated[str, typer.Argument(help="a snapshot's name")], as_json: JsonFlag = False) -> None:
    """Make the index what it was at a snapshot; documents added since are asked for no longer."""
    with cli._explained(as_json):
        settings = settings_module.load(settings_module.find_home())
        index = _opened(settings, to_rebuild=True)
        index.rollback(_folder(settings, name))
        passages = len(index.catalogue.ids())
        _print({"snapshot": name, "passages": passages}, f"Back at {name}: {passages} passages.", as_json)


@app.command()
def rebuild(
    documents: Annotated[bool, typer.Option("--documents", help="also read every file again")] = False, as_json: JsonFlag = False
) -> None:
    """Make vectors and words anew, with the embedding model that is set now; goes on where it was interrupted."""
    from ingest.pipeline import ingest

    with cli._explained(as_json), Progress(console=cli.err, disable=as_json or not cli.err.is_terminal) as bar:
        settings = settings_module.load(settings_module.find_home())
        index = _opened(settings, to_rebuild=True)
        task = bar.add_task("embedding", total=None)
        passages = index.rebuild(lambda done, total: bar.update(task, completed=done, total=total))
        read = 0
        if documents:
            files = [Path(path) for path in index.catalogue.sources() if Path(path).is_file()]
            for path in files:
                index.catalogue.forget_source(str(path))
            report = ingest(files, index)
            read = len(report.added) + len(report.updated)
        value = {"passages": passages, "embedder": index.catalogue.meta("embedder"), "documents_read": read}
        _print(value, f"{passages} passages made anew" + (f", {read} documents read again." if documents else "."), as_json)
