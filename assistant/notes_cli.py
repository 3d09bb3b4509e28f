"""`andon notes`: what people on the floor reported that fixed it; list, write, review. tests/test_notes_api.py."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from assistant import cli
from assistant.app import Assistant
from assistant.cli import JsonFlag, Machine, User
from tools.gaps import LEAST_TIMES
from tools.notes import Said

app: typer.Typer = typer.Typer(no_args_is_help=True, help="Field notes: what people on the floor reported that fixed it.")

Identity = Annotated[str, typer.Argument(metavar="NOTE", help="the note, such as NOTE-00001")]
Reason = Annotated[str, typer.Option("--reason", help="why, in words; kept in the trail")]


def _run(as_json: bool, work: Callable[[Assistant], Any], show: Callable[[Any], None]) -> Any:
    with cli._explained(as_json):
        assistant = cli._assistant()
        try:
            made = work(assistant)
        finally:
            assistant.close()
        if as_json:
            cli._print(made)
        else:
            show(made)
    return made


def _line(note: dict[str, Any]) -> None:
    about = " ".join(filter(None, (note["equipment"], note["alarm"] and f"alarm {note['alarm']}", note["symptom"])))
    cli.out.print(f"{note['note']}  {note['state']}  {about}", markup=False)
    cli.out.print(f"    {note['action']}  ({note['author']}, {note['at'][:10]})", markup=False)


@app.command("list")
def notes_list(
    state: Annotated[str, typer.Option("--state", help="proposed, accepted, rejected or withdrawn")] = "",
    mine: Annotated[bool, typer.Option("--mine", help="only those that you wrote")] = False,
    user: User = None, as_json: JsonFlag = False,
) -> None:  # fmt: skip
    """Notes that the user may see, newest first."""

    def show(found: list[dict[str, Any]]) -> None:
        table = Table("id", "state", "machine", "about", "what fixed it", "min", "author", "date")
        for note in found:
            about = (note["alarm"] and f"alarm {note['alarm']}") or note["symptom"]
            minutes = "" if note["minutes"] is None else str(note["minutes"])
            cells = (note["note"], note["state"], note["equipment"], about, note["action"], minutes, note["author"], note["at"][:10])
            table.add_row(*map(escape, cells))
        cli.out.print(table if found else "There are no such notes.")

    _run(as_json, lambda a: a.notes.listed(a.caller(user), state, mine), show)


@app.command("add")
def notes_add(
    action: Annotated[str, typer.Argument(help="what fixed it, in your own words")],
    alarm: Annotated[str, typer.Option("--alarm", help="the alarm as the machine shows it")] = "",
    symptom: Annotated[str, typer.Option("--symptom", help="what was seen or heard")] = "",
    parts: Annotated[str, typer.Option("--parts", help="parts that were used")] = "",
    minutes: Annotated[int | None, typer.Option("--minutes", help="how long it took")] = None,
    turn: Annotated[str, typer.Option("--turn", help="the answer that it is about")] = "",
    user: User = None, equipment: Machine = None, as_json: JsonFlag = False,
) -> None:  # fmt: skip
    """Write a note; it waits for somebody's review."""
    said = Said(action, symptom, alarm, equipment or "", parts, minutes, turn=turn)
    _run(as_json, lambda a: a.notes.write(a.caller(user), said), _line)


@app.command("show")
def notes_show(identity: Identity, user: User = None, as_json: JsonFlag = False) -> None:
    """One note and what happened to it."""

    def show(note: dict[str, Any]) -> None:
        _line(note)
        for step in note["trail"]:
            why = f": {step['reason']}" if step["reason"] else ""
            cli.out.print(f"    {step['at'][:16]}  {step['action']} by {step['name'] or step['role']}{why}", markup=False)

    _run(as_json, lambda a: a.notes.show(a.caller(user), identity), show)


@app.command("accept")
def notes_accept(identity: Identity, reason: Reason = "", user: User = None, as_json: JsonFlag = False) -> None:
    """Make a note a source that answers cite; never the own one."""
    _run(as_json, lambda a: a.notes.take(a.caller(user), "accept", identity, reason), _line)


@app.command("reject")
def notes_reject(identity: Identity, reason: Reason = "", user: User = None, as_json: JsonFlag = False) -> None:
    """Refuse a note, with a reason; never the own one."""
    _run(as_json, lambda a: a.notes.take(a.caller(user), "reject", identity, reason), _line)


@app.command("withdraw")
def notes_withdraw(identity: Identity, reason: Reason = "", user: User = None, as_json: JsonFlag = False) -> None:
    """Take a note back; it answers nothing any more."""
    _run(as_json, lambda a: a.notes.take(a.caller(user), "withdraw", identity, reason), _line)


@app.command("candidates")
def notes_candidates(
    least: Annotated[int, typer.Option("--least", min=2, help="how often a fix must repeat")] = LEAST_TIMES,
    draft: Annotated[str, typer.Option("--draft", metavar="ID", help="draft the guide for this candidate")] = "",
    user: User = None, as_json: JsonFlag = False,
) -> None:  # fmt: skip
    """What procedures are missing for: fixes that repeat without one, and questions without an answer."""

    def show(found: dict[str, Any]) -> None:
        if draft:
            cli.out.print(f"{found['document']}  {found['title']}" if found.get("document") else found["text"], markup=False)
            return
        for one in found["repeated"]:
            cli.out.print(
                f"{one['candidate']}  {one['count']} times  {one['fix']}  ({one['about']}, {one['equipment_class']})", markup=False
            )
            cli.out.print(f"    {', '.join([*one['notes'], *one['entries']])}", markup=False, style="dim")
        for question in found["unanswered"]:
            cli.out.print(f"asked {question['count']} times without an answer: {question['question']}", markup=False)
        if not found["repeated"] and not found["unanswered"]:
            cli.out.print("Nothing repeats without a procedure, and nothing was asked in vain.")

    work = (lambda a: a.notes.draft(a.caller(user), draft)) if draft else (lambda a: a.notes.candidates(a.caller(user), least))
    _run(as_json, work, show)


@app.command("verify")
def notes_verify(as_json: JsonFlag = False) -> None:
    """Check notes and trail against their keyed chain; exits 1 when something was changed."""

    def show(faults: list[str]) -> None:
        cli.out.print("\n".join(faults) if faults else "The notes and their trail are intact.", markup=False)

    if _run(as_json, lambda a: a.notes.book.audit(), show):
        raise typer.Exit(1)
