"""`andon ingest` and `andon coverage`: documents in, and what is there and missing, as a page. tests/test_ingest_cli.py."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from assistant import cli
from assistant import settings as settings_module
from assistant.app import Assistant, build
from assistant.cli import JsonFlag
from assistant.ingest_jobs import Order, carry_out
from ingest.discovery import plain, text_of
from ingest.pipeline import IngestReport, Progress
from ingest.quarantine import sentence

#: Without a terminal, a line of progress this often.
_TELL_S = 10.0
_SHOWN = 200
_WATCH_S = 2.0


def register(app: typer.Typer) -> None:
    """Add `ingest` and `coverage` to the command line."""
    app.command()(ingest)
    app.command()(coverage)


def ingest(
    paths: Annotated[list[Path], typer.Argument(help="files or folders", exists=True)],
    equipment: Annotated[str | None, typer.Option(help="the machine these documents are for")] = None,
    revision: Annotated[str | None, typer.Option(help="the revision, where the documents do not say it")] = None,
    facts: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="a fact the documents do not say: language, software, access, kind ..."),
    ] = None,
    prune: Annotated[bool, typer.Option("--prune", help="retire the documents of files that vanished from these folders")] = False,
    watch: Annotated[bool, typer.Option("--watch", help="go on following the folders until interrupted")] = False,
    report: Annotated[
        Path | None, typer.Option("--report", metavar="FILE.html", help="write the coverage report there", dir_okay=False)
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Add or update documents; says what was added, updated, unchanged, moved, vanished or quarantined, and why."""
    with cli._explained(as_json):
        chosen = settings_module.load(settings_module.create_home())
        full = tuple(str(path.absolute()) for path in paths)
        order = Order(full, equipment, revision, prune, given=_given(facts or []))
        assistant = build(chosen)
        try:
            if watch:
                _follow(order, assistant, as_json)
                return
            with meter(cli.err, as_json) as progress:
                done = carry_out(order, chosen.home, lambda: assistant.index, progress)
            cli._print(_as_json(done)) if as_json else _show(done)
            if report is not None:
                _write_report(assistant, report)
        finally:
            assistant.close()


def _given(facts: list[str]) -> tuple[tuple[str, str], ...]:
    """The facts of `--set`. Raises a usage error for a name that means nothing."""
    from ingest.describe import is_fact

    pairs = [(name.strip(), value.strip()) for name, _, value in (fact.partition("=") for fact in facts)]
    for name, value in pairs:
        if not value or not is_fact(name):
            raise typer.BadParameter(f"{name!r} is no fact of a document, or it has no value", param_hint="--set")
    return tuple(sorted(pairs))


def coverage(
    file: Annotated[Path, typer.Option("--out", metavar="FILE.html", help="where the page goes", dir_okay=False)] = Path("coverage.html"),
    as_json: JsonFlag = False,
) -> None:
    """What knowledge there is and what is missing: documents by machine, alarms without an entry, quarantined files."""
    with cli._explained(as_json):
        assistant = build(settings_module.load(settings_module.create_home()))
        try:
            found = _write_report(assistant, None if as_json else file)
        finally:
            assistant.close()
        if as_json:
            cli._print(found)
        else:
            cli.out.print(f"{found['text']} The page is {file}.", markup=False)


def _write_report(assistant: Assistant, file: Path | None) -> dict[str, Any]:
    from assistant.coverage import gathered
    from ingest.coverage import as_html, as_json

    found = gathered(assistant)
    if file is not None:
        file.write_text(as_html(found), encoding="utf-8")
    return as_json(found)


def _follow(order: Order, assistant: Assistant, as_json: bool) -> None:
    """Watches until interrupted; a report for each time that something changed."""
    from ingest.watching import Watch

    state = Watch([Path(path) for path in order.paths])
    cli.err.print("Following; stop with Ctrl-C.", style="dim")
    try:
        while True:
            changing = state.look(time.monotonic())
            if changing is not None:
                one = Order(order.paths, order.equipment, order.revision, order.prune, tuple(map(str, changing)), order.given)
                done = carry_out(one, assistant.settings.home, lambda: assistant.index)
                if as_json:
                    cli._print(_as_json(done))
                elif _changed(done):
                    _show(done)
            time.sleep(_WATCH_S)
    except KeyboardInterrupt:
        return


def _changed(done: IngestReport) -> bool:
    return bool(done.added or done.updated or done.moved or done.vanished or done.retired or done.duplicates or done.quarantined)


@contextmanager
def meter(console: Console, quiet: bool) -> Iterator[Progress | None]:
    """Progress with the time that is left: a bar on a terminal, else a line now and then."""
    if quiet:
        yield None
        return
    if console.is_terminal:
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar

        columns = (
            TextColumn("Reading"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.description}", markup=False),
        )
        with Bar(*columns, console=console, transient=True) as bar:
            task = bar.add_task("", total=None)
            yield lambda done, total, path: bar.update(task, completed=done, total=total, description=_short(path))
        return
    first: tuple[float, int] | None = None  # when reading began to be told of, and how many files that was after
    told = time.monotonic()

    def tell(done: int, total: int, path: str) -> None:
        nonlocal told, first
        now = time.monotonic()
        first = first or (now, done)
        if now - told >= _TELL_S and done < total:
            told = now
            pace = (now - first[0]) / (done - first[1]) if done > first[1] else 0.0
            left = f", about {_duration(pace * (total - done))} left" if pace else ""
            console.print(f"{done} of {total} files read{left}", markup=False)

    yield tell


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"


def _short(path: str) -> str:
    name = _printable(Path(path).name)
    return name if len(name) <= 48 else f"{name[:30]}…{name[-17:]}"


def _printable(text: str) -> str:
    """A name for a terminal: what steers it is left out."""
    return plain(text_of(text))


def _as_json(done: IngestReport) -> Mapping[str, Any]:
    texts = {name: [text_of(path) for path in getattr(done, name)] for name in ("added", "updated", "unchanged", "vanished", "retired")}
    return {
        **texts,
        "quarantined": [{"path": text_of(path), "reason": reason, "advice": sentence(reason)} for path, reason in done.quarantined],
        "moved": [{"from": text_of(old), "to": text_of(new)} for old, new in done.moved],
        "duplicates": [{"path": text_of(path), "of": text_of(of)} for path, of in done.duplicates],
        "passages": done.passages, "alarms": done.alarms, "seconds": round(done.seconds, 2),
    }  # fmt: skip


def _show(done: IngestReport) -> None:
    counts = [
        (len(getattr(done, name)), name)
        for name in ("added", "updated", "unchanged", "quarantined", "moved", "duplicates", "vanished", "retired")
    ]
    said = ", ".join(f"{count} {name}" for place, (count, name) in enumerate(counts) if count or place < 4)
    cli.out.print(f"{said}; {done.passages} passages, {done.alarms} alarm entries, {done.seconds:.1f} s", markup=False)
    lines = [
        *(f"  quarantined {_printable(path)}: {sentence(reason)}" for path, reason in done.quarantined),
        *(f"  updated {_printable(path)}" for path in done.updated),
        *(f"  moved {_printable(old)} to {_printable(new)}" for old, new in done.moved),
        *(f"  the same as {_printable(of)}: {_printable(path)}" for path, of in done.duplicates),
        *(f"  retired {_printable(name)}" for name in done.retired),
    ]
    lines += [
        f"  gone {_printable(path)}" + ("" if done.retired else ": its document stays in force; --prune retires it")
        for path in done.vanished
    ]
    for line in lines[:_SHOWN]:
        cli.out.print(line, markup=False, soft_wrap=True)
    if len(lines) > _SHOWN:
        cli.out.print(f"  … and {len(lines) - _SHOWN} more; --json lists them all", style="dim")
