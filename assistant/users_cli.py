"""`andon users`: who may use Andon, with what, from where. Secrets are read from standard input and shown once when made."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from assistant import cli
from assistant import settings as settings_module
from assistant.app import Assistant, build
from assistant.cli import JsonFlag

app: typer.Typer = typer.Typer(
    invoke_without_command=True, help="Who may use Andon: list, add, reset; PIN, badge, tablets, keys of programs."
)
_HOST = "host"  # the person at the machine's own command line
UserId = Annotated[str, typer.Argument(help="the user's id")]


def _home() -> Assistant:
    return build(settings_module.load(settings_module.create_home()))


def _line() -> str:
    return sys.stdin.readline().rstrip("\n")


@app.callback()
def users(
    context: typer.Context,
    add: Annotated[str | None, typer.Option("--add", help="create or replace this user; the password is read from standard input")] = None,
    name: Annotated[str | None, typer.Option(help="the printed name")] = None,
    role: Annotated[str | None, typer.Option(help="operator, technician, supervisor, quality, administrator or expert")] = None,
    line: Annotated[list[str] | None, typer.Option(help="a line whose records the user may see; an operator sees none without one")] = None,
    area: Annotated[list[str] | None, typer.Option(help="an area, with all its lines")] = None,
    site: Annotated[list[str] | None, typer.Option(help="a site, with all its lines")] = None,
    reset: Annotated[
        str | None, typer.Option(metavar="ID", help="set a user's password, read from stdin; its owner must change it")
    ] = None,
    change: Annotated[
        str | None, typer.Option(metavar="ID", help="change one's own password: the old and the new on two lines of stdin")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Who may use Andon: list them, add one, reset or change a password."""
    from tools.access import ROLES

    if context.invoked_subcommand is not None:
        return
    if add is not None and (role not in ROLES or not name):
        raise typer.BadParameter(f"--add wants --name and --role, one of {', '.join(ROLES)}")
    with cli._explained(as_json):
        assistant = _home()
        if add is not None:
            places = [*(line or ()), *(f"area:{one}" for one in area or ()), *(f"site:{one}" for one in site or ())]
            assistant.identity.put_user_with(_line(), add, name or add, role or "", places or None, _HOST)
        if reset is not None:
            assistant.identity.set_password(reset, _line(), _HOST)
        if change is not None:
            assistant.identity.change_password(change, _line(), _line())
        known = [
            {"user": c.user, "name": c.name, "role": c.role, "lines": sorted(c.scope.lines) if c.scope.lines is not None else None}
            for c in assistant.store.callers().values()
        ]
        if as_json:
            cli._print(known)
        for row in () if as_json else known:
            lines = row["lines"]
            where = (", ".join(lines) or "no line") if isinstance(lines, list) else "whole site"
            cli.out.print(f"{row['user']:<12} {row['name']:<24} {row['role']:<14} {where}", markup=False)


def _done(as_json: bool, said: str, **value: Any) -> None:
    if as_json:
        cli._print(value)
    else:
        cli.out.print(said, markup=False)


@app.command()
def pin(user: UserId, as_json: JsonFlag = False) -> None:
    """Give a user a PIN for enrolled tablets, read from standard input."""
    with cli._explained(as_json):
        _home().identity.set_pin(user, _line(), _HOST)
        _done(as_json, f"{user} has a new PIN.", user=user)


@app.command()
def badge(user: UserId, as_json: JsonFlag = False) -> None:
    """Give a user a badge for enrolled tablets: its number, as the reader types it, from standard input."""
    with cli._explained(as_json):
        _home().identity.set_badge(user, _line(), _HOST)
        _done(as_json, f"{user} has a new badge.", user=user)


@app.command()
def remove(user: UserId, as_json: JsonFlag = False) -> None:
    """Take every way in from somebody who has left; what they asked and signed stays."""
    with cli._explained(as_json):
        _home().identity.remove_user(user, _HOST)
        _done(as_json, f"{user} has no way in any more.", user=user)


@app.command("one-time")
def one_time(user: UserId, as_json: JsonFlag = False) -> None:
    """Make a one-time password for somebody who has forgotten theirs."""
    with cli._explained(as_json):
        password = _home().identity.reset(user, _HOST)
        _done(as_json, f"{user} signs in once, within a day, with: {password}", user=user, one_time_password=password)


@app.command()
def key(
    user: UserId,
    name: Annotated[str, typer.Option(help="the program that will use it")],
    tool: Annotated[list[str] | None, typer.Option(help="only this tool of the user's role; several may be named")] = None,
    days: Annotated[int | None, typer.Option(min=1, help="how long it is valid")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Make a key for a program that asks with this user's rights."""
    with cli._explained(as_json):
        made, secret = _home().identity.make_key(user, name, _HOST, tool or None, days)
        _done(as_json, f"Key {made}, shown this once:\n{secret}", key=made, secret=secret)


@app.command()
def keys(as_json: JsonFlag = False) -> None:
    """Keys of programs, without their secrets."""
    with cli._explained(as_json):
        made = _home().identity.keys_made()
        if as_json:
            cli._print(made)
        for row in () if as_json else made:
            until = f"until {row['expires'][:10]}" if row["expires"] else "without end"
            cli.out.print(f"{row['key']}  {row['user']:<12} {row['name']:<24} {until}", markup=False)
        if not made and not as_json:
            cli.out.print("There are no keys.")


@app.command()
def revoke(key: Annotated[str, typer.Argument(help="the key's id")], as_json: JsonFlag = False) -> None:
    """Revoke a key, at once."""
    with cli._explained(as_json):
        _home().identity.revoke_key(key, _HOST)
        _done(as_json, f"Key {key} is revoked.", key=key)


@app.command()
def tablets(
    withdraw: Annotated[str | None, typer.Option(metavar="ID", help="take this one out")] = None, as_json: JsonFlag = False
) -> None:
    """Tablets on which PIN and badge work; an administrator enrols one from its own page."""
    with cli._explained(as_json):
        identity = _home().identity
        if withdraw is not None:
            identity.withdraw_tablet(withdraw, _HOST)
        found = identity.enrolled()
        if as_json:
            cli._print(found)
        for row in () if as_json else found:
            cli.out.print(f"{row['tablet']}  {row['name']:<24} {row['enrolled'][:10]} by {row['enrolled_by']}", markup=False)
        if not found and not as_json:
            cli.out.print("No tablet is enrolled.")


@app.command()
def changes(as_json: JsonFlag = False) -> None:
    """Who changed whose access, from a keyed chain; exits 1 when the chain does not hold."""
    with cli._explained(as_json):
        identity = _home().identity
        broken, made = identity.verify(), identity.changes_made()
        if as_json:
            cli._print({"changes": made, "broken": broken})
        else:
            for row in made:
                cli.out.print(f"{row['at'][:19]}  {row['by']:<12} {row['action']}: {row['subject']}", markup=False)
            cli.out.print(f"The record does not hold: {broken}." if broken else f"{len(made)} changes, the chain holds.", markup=False)
    if broken:
        raise typer.Exit(1)
