"""`andon transcribe FILE`: the words in a recording. tests/test_voice_api.py."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from assistant import cli
from assistant.cli import JsonFlag, Machine


def register(app: typer.Typer) -> None:
    """Add `transcribe` to the command line."""
    app.command()(transcribe)


def transcribe(
    file: Annotated[Path, typer.Argument(help="a recording: WAV, FLAC, Ogg, WebM or MP4", exists=True, dir_okay=False)],
    equipment: Machine = None, as_json: JsonFlag = False,
) -> None:  # fmt: skip
    """The words in a recording, with times, confidence and the engine that heard them."""
    from assistant.voice.audio import LARGEST_BYTES
    from assistant.voice.parts import VoiceParts, transcription

    with cli._explained(as_json):
        with file.open("rb") as source:
            data = source.read(LARGEST_BYTES + 1)  # what is longer is refused, unread
        assistant = cli._assistant()
        parts = VoiceParts(assistant)
        try:
            found = transcription(parts.transcriber, parts.reader.read(data), parts.listening(equipment))
        finally:
            parts.close()
            assistant.close()
    if as_json:
        cli._print(found)
        return
    cli.out.print(found["text"] or f"({found['advice']})", markup=False)
    if found["request"] and found["request"] != found["text"]:
        cli.out.print(f"asks: {found['request']}", style="dim", markup=False)
    cli.out.print(
        f"{found['engine']} · confidence {found['confidence']:.2f} · {found['audio_seconds']:.1f} s of sound in {found['seconds']:.2f} s",
        style="dim", markup=False,
    )  # fmt: skip
