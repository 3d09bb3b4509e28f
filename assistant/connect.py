"""`andon connect`: a database held against a plant model, or a model drafted from a database.

With `--plant` it prints what maps, what is missing and how good the data is, and exits 1 when something that the model
names is not there; with `--draft` it prints the YAML for a person to correct. tests/test_connect.py.
"""

from __future__ import annotations

import json
import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer
from rich.console import Console
from rich.markup import escape

from assistant.problems import translated

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


def register(app: typer.Typer) -> None:
    """Add `connect` to the command line."""
    app.command()(connect)


def connect(
    url: Annotated[
        str, typer.Argument(help="the database: a SQLite file, a PostgreSQL URL, a DuckDB, CSV or Parquet file or a folder of them")
    ],
    plant: Annotated[Path | None, typer.Option("--plant", help="the plant model to hold it against", exists=True, dir_okay=False)] = None,
    draft: Annotated[bool, typer.Option("--draft", help="propose a plant model from the schema")] = False,
    output: Annotated[Path | None, typer.Option("--output", help="write the draft there instead of on stdout", dir_okay=False)] = None,
    name: Annotated[str, typer.Option("--name", help="what the drafted plant is called")] = "",
    timezone: Annotated[str, typer.Option("--timezone", help="the zone of the plant's clock, for a draft")] = "UTC",
    at: Annotated[str | None, typer.Option("--at", help="the present moment, ISO 8601, for how fresh the data is")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="machine-readable output on stdout")] = False,
) -> None:
    """Check a MES database against a plant model, or propose a model for it with --draft."""
    if draft == (plant is not None):
        raise typer.BadParameter("give --plant FILE.yaml to check a database, or --draft to propose a model")
    try:
        zone = ZoneInfo(timezone)
        now = None if at is None else datetime.fromisoformat(at)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise typer.BadParameter(f"{error}") from error
    try:
        if draft:
            _draft(url, name, zone, output, as_json)
        else:
            assert plant is not None
            report = checked(plant, url, now)
            sys.stdout.write(json.dumps(report.as_json(), ensure_ascii=False, default=str) + "\n") if as_json else show(report)
            if not report.maps:
                raise typer.Exit(1)
    except typer.Exit:
        raise
    except Exception as error:
        problem = translated(error)
        if as_json:
            sys.stdout.write(json.dumps({"maps": False, "error": problem.as_json()}, ensure_ascii=False) + "\n")
        else:
            err.print(problem.sentence, markup=False)
        raise typer.Exit(1) from error


def _draft(url: str, name: str, zone: ZoneInfo, output: Path | None, as_json: bool) -> None:
    from tools.model_draft import draft_model

    text = draft_model(url, name, zone.key)
    doubtful = [f"line {number}: {line.partition('CHECK: ')[2]}" for number, line in enumerate(text.splitlines(), 1) if "CHECK: " in line]
    left_out = [line.removeprefix("# ") for line in text.splitlines() if line.startswith("# The table ") and " is left out" in line]
    if output is not None:
        output.write_text(text, encoding="utf-8")
    if as_json:
        sys.stdout.write(json.dumps({"yaml": text, "check": doubtful, "left_out": left_out}, ensure_ascii=False) + "\n")
    elif output is None:
        sys.stdout.write(text)
    else:
        err.print(f"{output} is written; look first at its {len(doubtful)} lines that say CHECK.", markup=False)
        for note in left_out:
            err.print(note, markup=False)


def checked(plant: Path, url: str, now: datetime | None = None) -> Any:
    """The report on a database held against a model file. Raises ModelError, SqlUnavailable."""
    from tools.model_file import located, read_model
    from tools.plant_model import Plant
    from tools.readiness import Readiness, absent, examine
    from tools.sql import Database

    model = read_model(plant)
    database = Database.open(url)
    try:
        faults = list(absent(model, database.schema()))
    finally:
        database.close()
    if any(place[:2] == ("tables", spec.table) for place, _ in faults for spec in model.hierarchy.values() if spec is not None):
        missing = tuple(located(plant.name, plant.read_text(encoding="utf-8"), faults))
        return Readiness(model.plant, missing, ())  # without its machines and lines the rest cannot be opened
    opened = Plant.open(plant, url)
    try:
        moment = now or datetime.now(opened.zone)
        return examine(opened, plant, moment if moment.tzinfo else moment.replace(tzinfo=opened.zone))
    finally:
        opened.close()


def show(report: Any) -> None:
    """The report for a terminal."""
    out.print(
        f"[bold]{escape(report.plant)}[/bold]: {'the database has everything that the model names' if report.maps else f'{len(report.missing)} parts of the model are not in the database'}"
    )
    for line in report.missing:
        out.print(f"  missing  {line}", markup=False)
    if report.records:
        out.print(f"Records: {', '.join(report.records)}", markup=False)
        out.print(f"Metrics: {', '.join(report.metrics) or 'none'}", markup=False)
    if report.records_lacking or report.metrics_lacking:
        out.print(
            f"This model has no {', '.join([*report.records_lacking, *report.metrics_lacking])}; questions about them are answered so.",
            markup=False,
        )
    for table in report.tables:
        rows = "rows not counted in time" if table.rows is None else f"{table.rows:,} rows"
        newest = f", newest {table.newest}" if table.newest else ""
        out.print(f"[bold]{escape(table.table)}[/bold]  {rows}{newest}{'' if table.findings else '  ok'}")
        for finding in table.findings:
            examples = f"  e.g. {', '.join(finding.examples)}" if finding.examples else ""
            out.print(f"  {finding.kind}: {finding.sentence}{examples}", markup=False)
    for name, columns in report.unmapped.items():
        out.print(f"Not in the model: {name}{': ' + ', '.join(columns) if columns else ' (whole table)'}", markup=False)
    if report.suggestions:
        out.print("Suggestions, for a person to run as the database's owner:")
        for statement in report.suggestions:
            out.print(f"  {statement}", markup=False)
