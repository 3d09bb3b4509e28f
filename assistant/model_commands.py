"""`andon models`: the models in use, another one set, and what use has taught reviewed into examples."""

from __future__ import annotations

import json
import sys
from typing import Annotated, Any

import typer
from rich.console import Console

from assistant import settings as settings_module
from assistant.app import Assistant, build
from assistant.problems import Problem, translated

models_app = typer.Typer(invoke_without_command=True, help="The models in use: list, verify, set one, promote what use has taught.")
out = Console(highlight=False)
err = Console(stderr=True, highlight=False)

JsonFlag = Annotated[bool, typer.Option("--json", help="machine-readable output on stdout")]


def _print(value: Any) -> None:
    sys.stdout.write(json.dumps(value, ensure_ascii=False, default=str) + "\n")


def _explain(error: Exception, as_json: bool) -> typer.Exit:
    problem = translated(error)
    if as_json:
        _print({"error": problem.as_json()})
    else:
        err.print(problem.sentence, markup=False)
    return typer.Exit(1)


@models_app.callback()
def models(context: typer.Context, as_json: JsonFlag = False) -> None:
    """The models in use: each file, its hash against what was shipped, whether it loads; exits 1 when one does not."""
    if context.invoked_subcommand is None:
        _listed(as_json)


@models_app.command("verify")
def verify(as_json: JsonFlag = False) -> None:
    """The same, with every file's SHA-256; exits 1 when one is not what was shipped or does not load."""
    _listed(as_json, hashes=True)


def _listed(as_json: bool, hashes: bool = False) -> None:
    from assistant.models import inspected

    try:
        found = inspected(settings_module.load(settings_module.create_home()))
    except Problem as error:
        raise _explain(error, as_json) from error
    if as_json:
        _print(found)
    for row in () if as_json else found:
        out.print(f"{'ok  ' if row['ok'] else 'mend'}  {row['part']:<14} {row['name']}  {row['says']}", markup=False)
        if hashes and row["sha256"]:
            out.print(f"      {row['sha256']}", markup=False)
    if not all(row["ok"] for row in found):
        raise typer.Exit(1)


@models_app.command("set")
def choose(
    name: Annotated[str, typer.Argument(help="a GGUF file, the address of an OpenAI-compatible server, or off")], as_json: JsonFlag = False
) -> None:
    """Use another model; it is tried first, and nothing is changed when it does not work."""
    from assistant.models import choose as set_model

    try:
        row = set_model(settings_module.load(settings_module.create_home()), name)
    except Problem as error:
        raise _explain(error, as_json) from error
    if as_json:
        _print(row)
    else:
        out.print(f"set   {row['part']}  {row['name']}  {row['says']}", markup=False)


@models_app.command("promote")
def promote(
    turn: Annotated[str | None, typer.Argument(help="the turn to learn from; without it, what there is to review is listed")] = None,
    like: Annotated[str, typer.Option("--like", help="the same question in words that are understood")] = "",
    line: Annotated[str, typer.Option("--plan", help="the right plan, with the question's placeholders")] = "",
    status: Annotated[str, typer.Option("--status", help="out_of_scope, smalltalk, needs_clarification or refused_unsafe")] = "",
    user: Annotated[str, typer.Option("--user", help="who has reviewed it")] = "administrator",
    as_json: JsonFlag = False,
) -> None:
    """Review what people said of answers, and make a turn an example that counts from the next question on."""
    from assistant import promotion

    assistant: Assistant | None = None
    try:
        assistant = build(settings_module.load(settings_module.find_home()))
        if turn is None:
            _review(assistant, promotion.candidates(assistant), as_json)
            return
        row = promotion.promote(assistant, turn, user, line, like, status)
    except Exception as error:
        raise _explain(error, as_json) from error
    finally:
        if assistant is not None:
            assistant.close()
    if as_json:
        _print(row)
    else:
        out.print(f"learnt  {row['q']}", markup=False)
        out.print(f"        {json.dumps(row.get('calls') or row['status'], ensure_ascii=False)}", markup=False)


def _review(assistant: Assistant, found: Any, as_json: bool) -> None:
    from assistant.promotion import masked_question

    if as_json:
        _print([vars(one) for one in found])
        return
    for one in found:
        out.print(f"{one.turn}  {one.at[:16]}  {one.user}  {one.why}", style="dim", markup=False)
        out.print(f"  {one.question}", markup=False)
        if one.comment:
            out.print(f"  said: {one.comment}", markup=False)
        if one.calls:
            out.print(f"  plan: {json.dumps(one.calls, ensure_ascii=False, default=str)}", markup=False)
        else:
            masked = masked_question(assistant, assistant.store.turn(one.turn))
            out.print(f"  say which plan was right, with --like QUESTION or --plan LINE; the question reads: {masked}", markup=False)
    if not found:
        out.print("There is nothing to review: no feedback and no chosen clarification that is not learnt yet.")
