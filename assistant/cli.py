"""The command line: thin ways into the assistant. Every command takes `--json` (machine-readable on stdout, logs on
stderr); a refusal or an empty result exits 0, a failure explained in one sentence exits 1, wrong usage 2."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from importlib.metadata import entry_points
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markdown import Markdown
from rich.table import Table

from assistant import connect as connect_command
from assistant import redaction
from assistant import settings as settings_module
from assistant.app import Ask, Assistant, build
from assistant.model_commands import models_app
from assistant.problems import BadQuestion, Problem, translated
from tools.seen_documents import seen_by

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Andon: cited answers for the people who run a factory.")
sql_app = typer.Typer(no_args_is_help=True, help="The SQL gate: what would run, and running it.")
log_app = typer.Typer(no_args_is_help=True, help="The turn log: verify the chain, show a turn.")
app.add_typer(sql_app, name="sql")
app.add_typer(log_app, name="log")
app.add_typer(models_app, name="models")
connect_command.register(app)

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)

JsonFlag = Annotated[bool, typer.Option("--json", help="machine-readable output on stdout")]
User = Annotated[str | None, typer.Option("--user", help="on behalf of this user (impersonation by the host, logged as such)")]
Machine = Annotated[str | None, typer.Option("--equipment", help="the machine in front of the person")]
At = Annotated[str | None, typer.Option("--at", help="the present moment, ISO 8601; plant time without an offset")]
Conversation = Annotated[str | None, typer.Option("--conversation", help="continue this conversation")]
Batch = Annotated[Path | None, typer.Option("--batch", help="a file with one JSON object a line", exists=True, dir_okay=False)]
Model = Annotated[str | None, typer.Option("--model", help="another model: a GGUF file, the address of a server, or off")]
PlantFile = Annotated[Path | None, typer.Option("--plant", help="another plant's model file, with --url", exists=True, dir_okay=False)]
PlantUrl = Annotated[str | None, typer.Option("--url", help="that plant's database: a file, a folder of files, or a PostgreSQL URL")]


def _print(value: Any) -> None:
    """One JSON document on stdout, whatever the terminal's width."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, default=str) + "\n")
    sys.stdout.flush()


@contextmanager
def _explained(as_json: bool) -> Iterator[None]:
    """Turn a failure into one sentence and exit 1; anything unforeseen is logged and said as such."""
    try:
        yield
    except (typer.Exit, typer.BadParameter):
        raise
    except Exception as error:
        problem = translated(error)
        if not isinstance(error, Problem) and problem.code == "internal":
            logging.getLogger("andon").exception("unexpected")
        if as_json:
            _print({"error": problem.as_json()})
        else:
            err.print(problem.sentence)
        raise typer.Exit(1) from error


def _assistant(plant: Path | None = None, url: str | None = None, **overrides: Any) -> Assistant:
    """The assistant of the home, or of another plant's database."""
    if (plant is None) != (url is None):
        raise typer.BadParameter("--plant FILE.yaml and --url URL go together")
    if plant is not None and url is not None:
        from assistant.foreign import foreign

        return foreign(plant, url, **overrides)
    return build(settings_module.load(settings_module.find_home(), **overrides))


def _when(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text} is not an ISO 8601 time", param_hint="--at") from error


def _model(name: str | None) -> dict[str, Any]:
    if name is None:
        return {}
    from assistant.models import overrides

    return overrides(name)


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            raise typer.BadParameter(f"line {number} of {path.name} is not JSON: {error.msg}", param_hint="--batch") from error
        if not isinstance(row, dict):
            raise typer.BadParameter(f"line {number} of {path.name} is not a JSON object", param_hint="--batch")
        yield row


def _ask_of(row: Mapping[str, Any], user: str | None, equipment: str | None, at: str | None) -> Ask:
    """One batch line as an Ask; its own fields win over the command's options."""
    context = tuple(str(words) for words in row.get("context") or ())
    identity = None if row.get("id") is None else str(row["id"])
    return Ask(
        str(row.get("question", "")), row.get("user") or user, row.get("equipment") or equipment,
        row.get("conversation"), _when(row.get("at") or at), identity, context,
    )  # fmt: skip


def _batch(path: Path, one: Callable[[Ask], dict[str, Any]], user: str | None, equipment: str | None, at: str | None) -> None:
    """One result a line, in order, each with its id. A line that cannot be read is answered by its problem."""
    for row in _lines(path):
        try:
            result = one(_ask_of(row, user, equipment, at))
        except typer.BadParameter as wrong:
            result = {"question": row.get("question"), "status": "needs_clarification", "text": f"{wrong}."}
        except Problem as problem:
            status = "needs_clarification" if isinstance(problem, BadQuestion) else "unavailable"
            result = {"question": row.get("question"), "status": status, "text": problem.sentence, "error": problem.as_json()}
        _print({**result, "id": row.get("id")})


@app.command()
def ask(
    question: Annotated[str | None, typer.Argument(help="the question")] = None,
    user: User = None, equipment: Machine = None, conversation: Conversation = None, at: At = None, batch: Batch = None,
    model: Model = None, plant: PlantFile = None, url: PlantUrl = None, as_json: JsonFlag = False,
) -> None:  # fmt: skip
    """One cited answer."""
    if (question is None) == (batch is None):
        raise typer.BadParameter("give a question, or --batch FILE")
    with _explained(as_json):
        assistant = _assistant(plant, url, **_model(model))
        try:
            if batch is not None:
                _batch(batch, assistant.ask, user, equipment, at)
                return
            answer = assistant.ask(Ask(question or "", user, equipment, conversation, _when(at)))
        finally:
            assistant.close()
        if as_json:
            _print(answer)
        else:
            show_answer(answer)
    if answer["status"] == "unavailable":
        raise typer.Exit(1)


@app.command()
def plan(
    question: Annotated[str | None, typer.Argument(help="the question")] = None,
    user: User = None, equipment: Machine = None, conversation: Conversation = None, at: At = None, batch: Batch = None,
    model: Model = None, plant: PlantFile = None, url: PlantUrl = None, as_json: JsonFlag = False,
) -> None:  # fmt: skip
    """The plan for a question, without running it."""
    if (question is None) == (batch is None):
        raise typer.BadParameter("give a question, or --batch FILE")
    with _explained(as_json):
        assistant = _assistant(plant, url, **_model(model))
        try:
            if batch is not None:
                _batch(batch, assistant.plan, user, equipment, at)
                return
            planned = assistant.plan(Ask(question or "", user, equipment, conversation, _when(at)))
        finally:
            assistant.close()
        if as_json:
            _print(planned)
        else:
            out.print_json(json.dumps(planned, ensure_ascii=False, default=str))


@app.command()
def search(
    query: Annotated[str | None, typer.Argument(help="what to look for")] = None,
    k: Annotated[int, typer.Option("-k", min=1, max=100, help="how many passages")] = 8,
    user: User = None, equipment: Machine = None, batch: Batch = None, as_json: JsonFlag = False,
) -> None:  # fmt: skip
    """Ranked passages of the plant's documents."""
    if (query is None) == (batch is None):
        raise typer.BadParameter("give a query, or --batch FILE")
    with _explained(as_json):
        assistant = _assistant()
        try:
            if batch is not None:
                for row in _lines(batch):
                    words = str(row.get("query") or row.get("question") or "")
                    hits = found(assistant, words, int(row.get("k") or k), row.get("user") or user, row.get("equipment") or equipment)
                    _print({"id": row.get("id"), "query": words, "passages": hits})
                return
            hits = found(assistant, query or "", k, user, equipment)
        finally:
            assistant.close()
        if as_json:
            _print({"query": query, "passages": hits})
            return
        for hit in hits:
            page = f", page {hit['page']}" if hit["page"] else ""
            out.print(f"[bold]{hit['score']:.2f}[/bold]  {hit['document']} {hit['revision']}{page}  [dim]{hit['section']}[/dim]", markup=True)
            out.print("      " + " ".join(hit["text"].split())[:300], markup=False)
        if not hits:
            out.print("Nothing found.")


def found(assistant: Assistant, query: str, k: int, user: str | None, equipment: str | None) -> list[dict[str, Any]]:
    """Passages as the contract prints them. An administrator sees no plant data, documents included."""
    caller = assistant.caller(user)
    verdict = assistant.policy.may_use(caller, "search_documents")
    if not verdict.allowed:
        return []
    machine = None
    if equipment and assistant.settings.plant_url:
        machine = assistant.plant.equipment.get(equipment)
    hits = seen_by(assistant.index, caller, assistant.policy).search(
        query, k, equipment=machine.id if machine else None, equipment_class=machine.cls if machine else None,
        variant=machine.variant or None if machine else None, software=machine.software or None if machine else None,
        on=assistant.now().date() if assistant.settings.plant_url else None,
    )  # fmt: skip
    return [
        {
            "text": hit.passage.text, "document": hit.passage.anchor.document, "revision": hit.passage.anchor.revision,
            "page": hit.passage.anchor.page, "section": hit.passage.anchor.section, "score": hit.score,
            "kind": hit.passage.kind, "title": hit.passage.title,
        }
        for hit in hits
    ]  # fmt: skip


@contextmanager
def progress(what: str, quiet: bool) -> Iterator[Callable[[str, float], None] | None]:
    """A progress bar on stderr, given as advance(words, fraction); none when output is for machines."""
    if quiet or not err.is_terminal:
        yield None
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    with Progress(TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn(), console=err) as bar:
        task = bar.add_task(what, total=1.0)
        yield lambda words, fraction: bar.update(task, description=words, completed=fraction)


@sql_app.command("check")
def sql_check(
    sql: Annotated[str | None, typer.Argument(help="the statement")] = None,
    user: User = None,
    dialect: Annotated[str | None, typer.Option(help="sqlite, postgres, duckdb, mysql, mariadb, sqlserver or oracle")] = None,
    plant: Annotated[Path | None, typer.Option("--plant", help="another plant model", exists=True)] = None,
    batch: Batch = None, as_json: JsonFlag = False,
) -> None:  # fmt: skip
    """The gate's decision on a statement: allowed or not, why, and the SQL as it would run."""
    from tools.sql import DIALECTS, Statement, check

    if (sql is None) == (batch is None):
        raise typer.BadParameter("give a statement, or --batch FILE")
    rows = list(_lines(batch)) if batch is not None else [{"sql": sql, "dialect": dialect}]
    for row in rows:
        if (row.get("dialect") or dialect or "sqlite") not in DIALECTS:
            raise typer.BadParameter(f"unknown dialect {row.get('dialect') or dialect}", param_hint="--dialect")
    with _explained(as_json):
        grants, own = _grants(user, plant)
        for row in rows:
            statement = Statement(str(row.get("sql") or ""), purpose="free")
            decision = check(statement, grants, row.get("dialect") or dialect or own)
            result = {"allowed": decision.allowed, "reason": decision.reason, "sql": decision.sql}
            result |= {"hidden": decision.hidden, "note": decision.note} if decision.hidden else {}
            if batch is not None:
                _print({"id": row.get("id"), **result})
            elif as_json:
                _print(result)
            else:
                out.print("allowed" if decision.allowed else f"refused: {decision.reason}", markup=False)
                out.print(decision.sql, markup=False)
                if decision.note:
                    out.print(decision.note, markup=False)


def _grants(user: str | None, plant: Path | None) -> tuple[Any, str]:
    """What the user may read, and the dialect of the plant's database. With another plant model: its whole site."""
    from tools.plant_model import model_grants, read_model

    if plant is not None:
        return model_grants(read_model(plant)), "sqlite"
    assistant = _assistant()
    return assistant.plant.grants(assistant.caller(user)), assistant.plant.database.dialect


@sql_app.command("run")
def sql_run(sql: Annotated[str, typer.Argument(help="the statement")], user: User = None, as_json: JsonFlag = False) -> None:
    """The same decision, executed: columns, rows, truncated, ms. For the expert role."""
    from tools.sql import SqlRefused, Statement

    with _explained(as_json):
        assistant = _assistant()
        try:
            caller = assistant.caller(user or ("eve" if assistant.settings.demo else None))
            verdict = assistant.policy.may_use(caller, "run_sql")
            if not verdict.allowed:
                _print({"allowed": False, "reason": verdict.reason}) if as_json else out.print(verdict.reason)
                return
            try:
                rows = assistant.plant.database.run(Statement(sql, purpose="free"), assistant.plant.grants(caller))
            except SqlRefused as refusal:
                reason = refusal.decision.reason
                _print({"allowed": False, "reason": reason}) if as_json else out.print(f"refused: {reason}", markup=False)
                return
        finally:
            assistant.close()
        if as_json:
            _print({"columns": rows.columns, "rows": rows.rows, "truncated": rows.truncated, "ms": round(rows.ms, 1),
                    **({"note": rows.note} if rows.note else {})})  # fmt: skip
            return
        table = Table(*rows.columns)
        for row in rows.rows[:200]:
            table.add_row(*("" if value is None else str(value) for value in row))
        out.print(table)
        out.print(f"{len(rows.rows)} rows{' (truncated)' if rows.truncated else ''}, {rows.ms:.0f} ms")
        if rows.note:
            out.print(rows.note, markup=False)


@app.command()
def draft(
    kind: Annotated[str, typer.Argument(help="ncr_summary, shift_handover, oee_report, batch_record ...")],
    equipment: Machine = None,
    line: Annotated[str | None, typer.Option()] = None,
    product: Annotated[str | None, typer.Option()] = None,
    lot: Annotated[str | None, typer.Option()] = None,
    period: Annotated[str | None, typer.Option(help='in words: "last quarter"')] = None,
    shift: Annotated[str | None, typer.Option()] = None,
    task: Annotated[str | None, typer.Option()] = None,
    skill: Annotated[str | None, typer.Option(help="novice, experienced or expert")] = None,
    variant: Annotated[str | None, typer.Option()] = None,
    alarm: Annotated[str | None, typer.Option()] = None,
    form: Annotated[str, typer.Option("--format", help="md, html, pdf or docx, several with commas")] = "",
    out_folder: Annotated[Path, typer.Option("--out", help="where files are written", file_okay=False)] = Path(),
    user: User = None,
    as_json: JsonFlag = False,
) -> None:
    """Draft a document for people to review, with its citations and data appendix; exits 1 when there is none."""
    arguments = {"equipment": equipment, "line": line, "product": product, "lot": lot, "period": period, "shift": shift,
                 "task": task, "skill": skill, "variant": variant, "alarm": alarm}  # fmt: skip
    with _explained(as_json):
        assistant = _assistant()
        try:
            caller = assistant.caller(user)
            made = assistant.documents.draft(caller, kind, arguments)
            files = []
            for name in filter(None, form.split(",")) if made.get("document") else ():
                path = out_folder / f"{made['document']}.{name}"
                path.write_bytes(assistant.documents.rendered(caller, made["document"], name))
                files.append(str(path))
        finally:
            assistant.close()
        if as_json:
            _print({**made, "files": files})
        else:
            out.print(f"{made['document']}  {made['title']}" if made.get("document") else made["text"], markup=False)
            for path_name in files:
                out.print(path_name, markup=False)
        if not made.get("document"):
            raise typer.Exit(1)


@log_app.command("verify")
def log_verify(as_json: JsonFlag = False) -> None:
    """Re-derive the chain of the turn log; exits 1 when it does not hold, and says where."""
    with _explained(as_json):
        found = _assistant().store.verify()
        if as_json:
            _print({"intact": found.intact, "turns": found.turns, "broken": found.broken})
        else:
            out.print(f"{found.turns} turns, the chain holds." if found.intact else f"The log does not hold: {found.broken}.")
    if not found.intact:
        raise typer.Exit(1)


@log_app.command("show")
def log_show(turn: Annotated[str, typer.Argument(help="the turn's id")], as_json: JsonFlag = False) -> None:
    """A turn as it was recorded."""
    with _explained(as_json):
        found = _assistant().store.turn(turn)
        if as_json:
            _print(found)
        else:
            out.print_json(json.dumps(found, ensure_ascii=False, default=str))


@app.command()
def demo(
    serve_it: Annotated[bool, typer.Option("--serve/--no-serve", help="serve when it is built")] = True,
    until: Annotated[str | None, typer.Option(help="the demo's present moment, ISO 8601; kept for later runs")] = None,
    seed: Annotated[int | None, typer.Option(help="the seed of the simulation")] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="build it anew")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Build the demo plant (MES database, manuals, logs), ingest it, serve it."""
    from assistant.demo import set_up

    if until is not None:
        _when(until)
    with _explained(as_json):
        home = settings_module.create_home()
        with progress("Demo plant", as_json) as advance:
            report = set_up(home, until=until, seed=seed, fresh=fresh, progress=advance)
        if as_json:
            _print(report)
        else:
            out.print(report["text"], markup=False)
    if serve_it:
        serve(host=None, port=None, tls_cert=None, tls_key=None, as_json=as_json)


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="address; one that is not this machine's own needs TLS")] = None,
    port: Annotated[int | None, typer.Option(help="port")] = None,
    tls_cert: Annotated[Path | None, typer.Option("--tls-cert", help="certificate file (PEM), with --tls-key", exists=True, dir_okay=False)] = None,
    tls_key: Annotated[Path | None, typer.Option("--tls-key", help="its key (PEM)", exists=True, dir_okay=False)] = None,
    as_json: JsonFlag = False,
) -> None:
    """Serve the assistant and the tablet page."""
    from assistant.serving import run as run_server

    with _explained(as_json):
        home = settings_module.create_home()
        run_server(build(settings_module.load(home, host=host, port=port, tls_cert=tls_cert, tls_key=tls_key)), say=lambda text: err.print(text, markup=False))


@app.command()
def doctor(as_json: JsonFlag = False) -> None:
    """What is installed, what is missing, what is wrong, and how to mend it; exits 1 when something must be mended."""
    from assistant.doctor import examine

    with _explained(as_json):
        findings = examine()
        if as_json:
            _print([{"part": f.part, "ok": f.ok, "needed": f.needed, "says": f.says} for f in findings])
        else:
            for finding in findings:
                mark = "[green]ok  [/green]" if finding.ok else ("[red]mend[/red]" if finding.needed else "[yellow]none[/yellow]")
                out.print(f"{mark}  [bold]{finding.part}[/bold]  {finding.says}")
    if any(finding.needed and not finding.ok for finding in findings):
        raise typer.Exit(1)


def show_answer(answer: Mapping[str, Any]) -> None:
    """An answer for a terminal: emergency first, then text, blocks, sources."""
    for block in answer["blocks"]:
        show_block(block)
    out.print(Markdown(answer["text"] or ""))
    for words in answer["assumed"]:
        out.print(f"[dim]assumed: {words}[/dim]")
    for item in answer["citations"]:
        if item["kind"] == "query":
            out.print(f"[{item['marker']}] {item['title']} · {item['rows']} rows · data until {item['data_until']}", markup=False, style="dim")
        else:
            page = f", page {item['page']}" if item.get("page") else ""
            out.print(f"[{item['marker']}] {item.get('title')} {item.get('revision', '')}{page} {item.get('section') or ''}", markup=False, style="dim")
    out.print(f"{answer['status']} · {answer['planner']} · {answer['ms']['total']:.0f} ms · turn {answer['turn']}", style="dim", markup=False)


def show_block(block: Mapping[str, Any]) -> None:
    kind = block["type"]
    if kind == "emergency":
        out.print(f"[bold white on red] {block['title']} [/bold white on red]  {block['text']}")
        for step in block.get("steps", ()):
            out.print(f"  • {step}", markup=False)
    elif kind == "number":
        out.print(f"{block['label']}: [bold]{block['text']}[/bold]")
    elif kind == "table":
        table = Table(*(column["label"] for column in block["columns"]), title=block["title"], title_justify="left")
        for row in block["rows"][:15]:
            table.add_row(*row)
        out.print(table)
        if block["total"] > 15:
            out.print(f"… {block['total']} rows in all", style="dim")
    elif kind == "steps":
        out.print(f"[bold]{block['title']}[/bold]")
        for step in block["steps"]:
            if step.get("warning"):
                out.print(f"  ⚠ {step['warning']}", style="bold yellow", markup=False)
            out.print(f"  {step['n']}. {step['text']}", markup=False)
    elif kind == "warning":
        out.print(f"⚠ {block['text']}", style="bold yellow", markup=False)
    elif kind == "choices":
        out.print(block["question"])
        for choice in block["choices"]:
            out.print(f"  • {choice['label']}", markup=False)
    elif kind == "confirm":
        out.print(f"[bold]{block['text']}[/bold]  (confirm on the tablet, token {block.get('token')})")
    elif kind == "document":
        out.print(f"[bold]{block['title']}[/bold] ({block['status']}) {block['id']}")


from assistant import charts_cli, documents_cli, index_cli, ingest_cli, notes_cli, tls_cli, users_cli, voice_cli  # noqa: E402  (their commands use what stands above)

app.add_typer(documents_cli.app, name="documents")
app.add_typer(notes_cli.app, name="notes")
app.add_typer(users_cli.app, name="users")
charts_cli.register(app)
ingest_cli.register(app)
app.add_typer(index_cli.app, name="index")
app.add_typer(tls_cli.app, name="tls")
voice_cli.register(app)


def run() -> None:
    """The entry point: our commands, those of installed extensions (`andon.commands`), logs on stderr."""
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s")
    redaction.install()
    for item in entry_points(group="andon.commands"):
        item.load()(app)
    app()
