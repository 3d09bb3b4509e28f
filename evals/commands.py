"""`andon evals` and `andon bench`: the product graded and timed on this machine. Registered through the entry-point group
`andon.commands`; the product runs without this package."""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markdown import Markdown

err = Console(stderr=True, highlight=False)
EVALS = ("answers", "planner", "refusals", "hazards", "grounding", "retrieval", "knowledge", "real", "foreign", "metrics", "logs", "voice", "red_team")
BENCHES = ("answers", "startup", "memory", "sql", "data", "knowledge", "llm", "documents", "voice", "wake")

JsonFlag = Annotated[bool, typer.Option("--json", help="machine-readable output on stdout")]


def register(app: typer.Typer) -> None:
    """Add `evals` and `bench` to the command line."""
    app.command()(evals)
    app.command()(bench)


def evals(
    suite: Annotated[str | None, typer.Argument(help=f"one of {', '.join(EVALS)}; all without it")] = None,
    skip: Annotated[list[str] | None, typer.Option("--skip", help="a suite to leave out of all (may be given several times)")] = None,
    only: Annotated[str | None, typer.Option("--only", help="of the answers suite, the cases whose id begins so")] = None,
    write: Annotated[Path | None, typer.Option("--write", help="write scoreboard.json and scoreboard.md there", file_okay=False, exists=True)] = None,
    full: Annotated[bool, typer.Option("--full", help="of the voice suite, every sentence at every level of noise (half an hour)")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Grade the product over questions with independent oracles; exits 1 when a suite is below its floor."""
    from evals import scoreboard

    chosen = tuple(name for name in _chosen(suite, EVALS) if name not in (skip or ()))
    with _quiet(), _explained():
        where = scoreboard.machine()
        scores = _scores(chosen, only, full)
    board = scoreboard.as_json(scores, where)
    if write is not None:
        scoreboard.write(board, write)
    _show(board, scoreboard.markdown(board), as_json)
    if not all(score.passed for score in scores):
        raise typer.Exit(1)


def _scores(chosen: tuple[str, ...], only: str | None, full: bool = False) -> list[Any]:
    from evals import foreign, grounding, knowledge, language, logs, real, red_team, suites, voice
    from evals.cases import load
    from evals.plant import demo

    alone = {"real": real.suite, "foreign": foreign.suite, "logs": logs.suite, "knowledge": knowledge.suite, "red_team": red_team.suite}
    cases = [case for case in load() if only is None or case.id.startswith(only)]
    over_the_demo = {
        **suites.SUITES,
        **language.SUITES,
        "answers": lambda plant, progress: suites.answers(plant, cases, progress),
        "metrics": suites.metrics,
        "grounding": grounding.suite,
        "voice": lambda plant, progress: voice.suite(plant, progress, full),
    }
    scores = []
    for name in chosen:
        with _progress(name) as advance:
            if name in alone:
                scores.append(alone[name](progress=advance))
            else:
                with demo() as plant:
                    scores.append(over_the_demo[name](plant, progress=advance))
    return scores


def bench(
    suite: Annotated[str | None, typer.Argument(help=f"one of {', '.join(BENCHES)}; all without it")] = None,
    large: Annotated[bool, typer.Option("--large", help="also ten million rows of data and a million passages (minutes, and gigabytes of disk)")] = False,
    quick: Annotated[bool, typer.Option("--quick", help="of the knowledge bench, only a thousand and ten thousand passages")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Time the product on this machine: medians, per-stage shares, memory, readiness."""
    from evals import bench as benches
    from evals import bench_knowledge
    from evals.bench_data import LARGE, SIZES

    chosen = _chosen(suite, BENCHES)
    with _quiet(), _explained():
        sizes = (*SIZES, LARGE) if large else SIZES
        passages = bench_knowledge.QUICK if quick else (*bench_knowledge.SIZES, bench_knowledge.LARGE) if large else bench_knowledge.SIZES
        board = benches.run(chosen, lambda name: err.print(f"[dim]{name} ...[/dim]"), sizes, passages)
    _show(board, benches.markdown(board), as_json)


def _chosen(suite: str | None, known: tuple[str, ...]) -> tuple[str, ...]:
    if suite is None:
        return known
    if suite not in known:
        raise typer.BadParameter(f"{suite} is not one of {', '.join(known)}", param_hint="SUITE")
    return (suite,)


def _show(board: dict[str, Any], words: str, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(json.dumps(board, ensure_ascii=False) + "\n")
    else:
        Console(highlight=False).print(Markdown(words))


@contextmanager
def _explained() -> Iterator[None]:
    """A failure in one sentence and exit 1."""
    from assistant.problems import Problem
    from evals.cases import CaseError
    from evals.oracles import OracleError

    try:
        yield
    except Problem as problem:
        err.print(problem.sentence)
        raise typer.Exit(1) from problem
    except (CaseError, OracleError) as error:
        err.print(f"The cases do not hold: {error}")
        raise typer.Exit(1) from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Warnings about single turns do not belong in a scoreboard's output."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    logger = logging.getLogger()
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)


@contextmanager
def _progress(name: str) -> Iterator[Callable[[int, int], None] | None]:
    if not err.is_terminal:
        yield None
        return
    from rich.progress import Progress

    with Progress(console=err) as bar:
        task = bar.add_task(name, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
