"""`andon documents`: the controlled life of documents on the command line, thin over `assistant.drafts`.

`--user` is impersonation by the host's administrator and is in the trail as such; alone it never signs. A step that
signs reads that user's own password from the terminal or, with `--password-stdin`, from standard input.
tests/test_drafts.py.
"""

from __future__ import annotations

import getpass
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from assistant import cli
from assistant.app import Assistant
from assistant.cli import At, JsonFlag, User
from tools.documents.differences import Tag
from tools.documents.life import STEPS

app: typer.Typer = typer.Typer(no_args_is_help=True, help="The controlled life of documents: review, signatures, trail, verification.")
schedule_app = typer.Typer(no_args_is_help=True, help="Reports that are drafted at times and events.")
app.add_typer(schedule_app, name="schedule")

Identity = Annotated[str, typer.Argument(metavar="ID", help="the document, such as DOC-2026-0001")]
Reason = Annotated[str, typer.Option("--reason", help="why, in words; kept in the trail")]
Meaning = Annotated[str, typer.Option("--meaning", help="what the signature means")]
Version = Annotated[int | None, typer.Option("--version", help="the version that was looked at; another one is refused")]
Revision = Annotated[int | None, typer.Option("--revision", help="a revision; the newest without it")]
PasswordStdin = Annotated[bool, typer.Option("--password-stdin", help="read the password from standard input")]


def _run(as_json: bool, work: Callable[[Assistant], Any], show: Callable[[Any], None]) -> Any:
    """Open the assistant, do it, print it."""
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


def _password(wanted: bool, needed: bool) -> str | None:
    """The password as it was typed; None where none is asked for."""
    if wanted:
        return sys.stdin.readline().rstrip("\r\n")
    if needed and sys.stdin.isatty():
        return getpass.getpass("Your own password, to sign: ")
    return None


@app.command("list")
def documents_list(
    state: Annotated[str, typer.Option("--state", help="draft, in_review, approved, effective, superseded or retired")] = "",
    kind: Annotated[str, typer.Option("--kind", help="sop, ncr_summary ...")] = "",
    mine: Annotated[bool, typer.Option("--mine", help="only those that you are an author of")] = False,
    user: User = None, as_json: JsonFlag = False,
) -> None:  # fmt: skip
    """Documents that the user may see, newest change first."""

    def show(found: list[dict[str, Any]]) -> None:
        table = Table("id", "rev.", "status", "kind", "title", "changed")
        for row in found:
            table.add_row(row["document"], row["revision"], row["status"].replace("_", " "), row["kind"], row["title"], row["changed"][:16])
        cli.out.print(table if found else "There are no such documents.")

    _run(as_json, lambda a: a.documents.listed(a.caller(user), state, kind, mine), show)


@app.command("show")
def documents_show(
    identity: Identity, user: User = None, revision: Revision = None,
    form: Annotated[str, typer.Option("--format", help="write the content as well: md, html, pdf or docx, several with commas")] = "",
    out_folder: Annotated[Path, typer.Option("--out", help="where files are written", file_okay=False)] = Path(),
    as_json: JsonFlag = False,
) -> None:  # fmt: skip
    """A document's state: authors, signatures, revisions, and which steps lead on."""

    def work(assistant: Assistant) -> dict[str, Any]:
        caller = assistant.caller(user)
        made = assistant.documents.show(caller, identity, revision)
        files = []
        for name in filter(None, form.split(",")):
            path = out_folder / f"{identity}.{name}"
            path.write_bytes(assistant.documents.rendered(caller, identity, name, revision))
            files.append(str(path))
        return {**made, "files": files}

    _run(as_json, work, _show)


def _show(made: Mapping[str, Any]) -> None:
    out = cli.out
    out.print(f"{made['document']} revision {made['revision']}  {made['status'].replace('_', ' ')}  {made['title']}", markup=False)
    for label, text in made.get("scope", ()):
        out.print(f"  {label}: {text}", markup=False)
    if "authors" in made:
        out.print(f"  Authors: {', '.join(made['authors'])}; version {made['version']}", markup=False)
    for signed in made.get("signatures", ()):
        reason = f" ({signed['reason']})" if signed["reason"] else ""
        out.print(f"  Signed: {signed['name']}, {signed['role']}, {signed['at']}: {signed['meaning']}{reason}", markup=False)
    for step in made.get("steps", ()):
        out.print(
            f"  {'can' if step['allowed'] else 'cannot'} {step['step']}{'' if step['allowed'] else ': ' + step['why']}",
            markup=False,
            style="dim",
        )
    for path in made.get("files", ()):
        out.print(path, markup=False)


def _step(name: str, identity: str, user: str | None, reason: str, meaning: str, version: int | None, stdin: bool, as_json: bool) -> None:
    def work(assistant: Assistant) -> dict[str, Any]:
        password = _password(stdin, STEPS[name].signed)
        caller = assistant.caller(user)
        return assistant.documents.step(caller, identity, name, version=version, meaning=meaning, reason=reason, password=password)

    _run(as_json, work, _show)


@app.command()
def submit(identity: Identity, user: User = None, reason: Reason = "", version: Version = None, as_json: JsonFlag = False) -> None:
    """Hand a draft to its reviewers."""
    _step("submit", identity, user, reason, "", version, False, as_json)


@app.command()
def approve(
    identity: Identity, user: User = None, password_stdin: PasswordStdin = False, meaning: Meaning = "", reason: Reason = "",
    version: Version = None, as_json: JsonFlag = False,
) -> None:  # fmt: skip
    """Sign a document as reviewed; the PDF is kept as it is now. Never by one of its authors."""
    _step("approve", identity, user, reason, meaning, version, password_stdin, as_json)


@app.command()
def reject(
    identity: Identity, user: User = None, password_stdin: PasswordStdin = False, reason: Reason = "", version: Version = None,
    as_json: JsonFlag = False,
) -> None:  # fmt: skip
    """Send a document back to its authors, with a reason."""
    _step("reject", identity, user, reason, "", version, password_stdin, as_json)


@app.command()
def publish(
    identity: Identity, user: User = None, password_stdin: PasswordStdin = False, meaning: Meaning = "", reason: Reason = "",
    version: Version = None, as_json: JsonFlag = False,
) -> None:  # fmt: skip
    """Put an approved document into force; the revision before it is superseded. Procedures then answer questions."""
    _step("publish", identity, user, reason, meaning, version, password_stdin, as_json)


@app.command()
def retire(
    identity: Identity, user: User = None, password_stdin: PasswordStdin = False, reason: Reason = "", version: Version = None,
    as_json: JsonFlag = False,
) -> None:  # fmt: skip
    """Take a document out of force, with a reason; it stops answering questions at once."""
    _step("retire", identity, user, reason, "", version, password_stdin, as_json)


@app.command()
def edit(
    identity: Identity,
    section: Annotated[str, typer.Option("--section", help="its title, or its number from 1")],
    text: Annotated[str | None, typer.Option("--text", help="the words; from standard input without it")] = None,
    user: User = None, reason: Reason = "", version: Version = None, as_json: JsonFlag = False,
) -> None:  # fmt: skip
    """Replace the words of one section of a draft; they are marked as yours, figures stay with their evidence."""
    words = sys.stdin.read() if text is None else text
    _run(as_json, lambda a: a.documents.edit(a.caller(user), identity, section, words, version, reason), _show)


@app.command()
def revise(identity: Identity, user: User = None, reason: Reason = "", as_json: JsonFlag = False) -> None:
    """A new draft revision beside the one in force."""
    _run(as_json, lambda a: a.documents.revise(a.caller(user), identity, reason), _show)


@app.command()
def differences(
    identity: Identity,
    left: Annotated[int | None, typer.Option("--from", help="a revision; the one before without it")] = None,
    right: Annotated[int | None, typer.Option("--to", help="a revision; the newest without it")] = None,
    user: User = None, as_json: JsonFlag = False,
) -> None:  # fmt: skip
    """Two revisions side by side."""
    marks: Mapping[Tag, str] = {"changed": "~", "added": "+", "removed": "-", "same": " "}

    def show(found: dict[str, Any]) -> None:
        for section in found["sections"]:
            if section["tag"] == "same":
                continue
            table = Table(
                "",
                f"revision {found['left']['revision']}",
                f"revision {found['right']['revision']}",
                title=section["title"],
                title_justify="left",
            )
            for line in section["lines"]:
                if line["tag"] != "same":
                    table.add_row(marks[line["tag"]], line["left"], line["right"])
            cli.out.print(table)
        if all(section["tag"] == "same" for section in found["sections"]):
            cli.out.print("The two revisions say the same.")

    _run(as_json, lambda a: a.documents.compared(a.caller(user), identity, left, right), show)


@app.command()
def verify(
    identity: Annotated[str | None, typer.Argument(metavar="[ID]", help="a document; without it all that is stored is checked")] = None,
    user: User = None, revision: Revision = None, as_json: JsonFlag = False,
) -> None:  # fmt: skip
    """Compute every figure again, look up every passage, check every stored byte; exits 1 when something has changed."""

    def work(assistant: Assistant) -> dict[str, Any]:
        if identity is not None:
            return assistant.documents.verify(assistant.caller(user), identity, revision)
        faults = assistant.documents.verify_all()
        return {"clean": not faults, "findings": [{"marker": "", "about": "stored", "sentence": text} for text in faults]}

    def show(found: dict[str, Any]) -> None:
        for item in found["findings"]:
            cli.out.print(item["sentence"], markup=False)
            for sign, rows in (("-", item.get("before", ())), ("+", item.get("now", ()))):
                for row in rows:
                    cli.out.print(f"    {sign} {row}", markup=False, style="dim")
        if found["clean"]:
            counted = f"{found['statements']} statements and {found['passages']} passages: " if identity else ""
            cli.out.print(f"{counted}nothing has changed.")

    if not _run(as_json, work, show)["clean"]:
        raise typer.Exit(1)


@app.command()
def trail(
    identity: Annotated[str, typer.Argument(metavar="[ID]", help="a document; without it all of them (for quality)")] = "",
    by: Annotated[str, typer.Option("--by", help="only what this person did")] = "",
    action: Annotated[str, typer.Option("--action", help="only this: drafted, edited, submit, approve ...")] = "",
    since: Annotated[str, typer.Option("--since", help="ISO 8601 in UTC")] = "",
    until: Annotated[str, typer.Option("--until", help="ISO 8601 in UTC")] = "",
    as_csv: Annotated[bool, typer.Option("--csv", help="for a spreadsheet")] = False,
    user: User = None, as_json: JsonFlag = False,
) -> None:  # fmt: skip
    """Who did what, when, with old and new value and reason."""
    wanted = {"user": by, "action": action, "since": since, "until": until}

    def work(assistant: Assistant) -> Any:
        caller = assistant.caller(user)
        if as_csv:
            return assistant.documents.trail_csv(caller, identity, **wanted)
        return [asdict(entry) for entry in assistant.documents.trail(caller, identity, **wanted)]

    def show(found: Any) -> None:
        if as_csv:
            sys.stdout.write(found)
            return
        for row in found:
            states = " -> ".join(filter(None, (row["old"].get("state"), row["new"].get("state"))))
            reason = f": {row['reason']}" if row["reason"] else ""
            cli.out.print(
                f"{row['number']:>5}  {row['at']}  {row['user']:<10} {row['action']:<18} {row['document']} {row['revision']}  {states}{reason}",
                markup=False,
            )

    _run(as_json, work, show)


@schedule_app.command("list")
def schedule_list(user: User = None, as_json: JsonFlag = False) -> None:
    """The schedules, and how each went last."""

    def show(found: list[dict[str, Any]]) -> None:
        for row in found:
            words = " ".join(f"{key}={value}" for key, value in row["arguments"].items())
            cli.out.print(f"{row['schedule']}  {row['when']:<24} {row['kind']} {words}  by {row['user']}  {row['note']}", markup=False)
        if not found:
            cli.out.print("Nothing is scheduled.")

    _run(as_json, lambda a: a.scheduled.listed(a.caller(user)), show)


@schedule_app.command("add")
def schedule_add(
    kind: Annotated[str, typer.Argument(help="shift_handover, oee_report, ncr_summary ...")],
    when: Annotated[str, typer.Option("--when", help="shift_end [SHIFT], daily 06:30, weekly mon 06:00, monthly 1 06:00, or opened nonconformances")],
    argument: Annotated[list[str] | None, typer.Option("--with", help='what it is about: line="Line 3", period="last month", lot=$lot (of the opened record)')] = None,
    user: User = None, as_json: JsonFlag = False,
) -> None:  # fmt: skip
    """Draft a report at each such time, with the rights of this user."""
    pairs = [item.partition("=") for item in argument or ()]
    wrong = next((item[0] for item in pairs if not item[1]), None)
    if wrong is not None:
        raise typer.BadParameter(f"{wrong} is no NAME=VALUE", param_hint="--with")
    arguments = {name.strip(): value for name, _, value in pairs}
    _run(
        as_json,
        lambda a: a.scheduled.add(a.caller(user), kind, arguments, when),
        lambda made: cli.out.print(f"{made['schedule']}  {made['when']}  {made['kind']}", markup=False),
    )


@schedule_app.command("remove")
def schedule_remove(
    schedule: Annotated[str, typer.Argument(metavar="ID", help="the schedule, such as SCH-0001")],
    user: User = None,
    as_json: JsonFlag = False,
) -> None:
    """Take a schedule out; what it drafted stays."""
    _run(
        as_json,
        lambda a: a.scheduled.remove(a.caller(user), schedule),
        lambda made: cli.out.print(f"{made['schedule']} is removed.", markup=False),
    )


@app.command("run-due")
def run_due(at: At = None, as_json: JsonFlag = False) -> None:
    """Draft what is due now (as `andon serve` does by itself); each time and event once."""
    moment: datetime | None = cli._when(at)

    def show(found: list[dict[str, Any]]) -> None:
        for row in found:
            cli.out.print(f"{row['schedule']}  {row['text']}", markup=False)
        if not found:
            cli.out.print("Nothing is due.")

    _run(as_json, lambda a: a.scheduled.run_due(a.now(moment) if moment else None), show)
