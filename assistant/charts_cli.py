"""`andon chart QUESTION`: the charts of an answer as SVG files. tests/test_charts_api.py."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from assistant import cli
from assistant.app import Ask
from assistant.cli import At, JsonFlag, Machine, User
from tools.charts import svg


def register(app: typer.Typer) -> None:
    """Add `chart` to the command line."""
    app.command()(chart)


def chart(
    question: Annotated[str, typer.Argument(help="the question")],
    folder: Annotated[Path, typer.Option("--out", help="where the pictures go", file_okay=False)] = Path("."),
    user: User = None, equipment: Machine = None, at: At = None, as_json: JsonFlag = False,
) -> None:  # fmt: skip
    """The charts of an answer as vector pictures (SVG), one file each."""
    with cli._explained(as_json):
        assistant = cli._assistant()
        try:
            answer = assistant.ask(Ask(question, user, equipment, None, cli._when(at)))
        finally:
            assistant.close()
        folder.mkdir(parents=True, exist_ok=True)
        files = []
        for number, block in enumerate((b for b in answer["blocks"] if b["type"] == "chart"), 1):
            path = folder / f"chart-{number}.svg"
            path.write_text(svg(block), encoding="utf-8")
            files.append(str(path))
    if as_json:
        cli._print({"status": answer["status"], "text": answer["text"], "files": files})
    else:
        cli.out.print("\n".join(files) if files else "The answer holds no chart.", markup=False)
    if answer["status"] == "unavailable":
        raise typer.Exit(1)
