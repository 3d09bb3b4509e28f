"""No value that a database can hold stops an answer: infinite sums, lengths of ages, years that no zone can reckon with."""

from __future__ import annotations

import json
import math
import sqlite3
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from typer.testing import CliRunner

from assistant.app import Ask
from assistant.cli import app
from assistant.compose.said import raw
from assistant.foreign import foreign
from tools.chart_data import cumulative, read, summary, ticks
from tools.evidence import UNDEFINED, Column, show
from tools.model_draft import draft_model
from tools.query import python_value
from tools.sql import Database, Grants, Statement, TableGrant

QUESTIONS = (
    "how much downtime did M1 have on 16 june 2026", "downtime by machine", "downtime by day in june 2026", "average downtime",
    "show the stops", "longest stops of M1", "how many stops were there in june 2026", "which machine had the most downtime",
    "compare the downtime of M1 in june 2026 with may 2026",
)  # fmt: skip


@pytest.fixture(scope="module")
def absurd(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A half hour's stop on 16 June, and beside it what a broken import leaves behind."""
    folder = Path(tmp_path_factory.mktemp("absurd"))
    database = folder / "absurd.db"
    with sqlite3.connect(database) as db:
        db.executescript(
            """CREATE TABLE machines (id TEXT PRIMARY KEY, name TEXT);
            INSERT INTO machines VALUES ('M1', 'Press'), ('M2', 'Saw');
            CREATE TABLE stops (id INTEGER PRIMARY KEY, machine TEXT REFERENCES machines(id), started TEXT, ended TEXT, minutes REAL);
            INSERT INTO stops VALUES (1, 'M1', '2026-06-16 10:00:00', '2026-06-16 10:30:00', 30),
                (2, 'M2', 'not a date', NULL, -5), (3, 'M1', '9999-12-31 10:00:00', '9999-12-31 23:59:59', 1e308),
                (4, 'M2', '2026-06-15 10:00:00', '9999-12-31 23:59:59', 1e308), (5, 'M2', '2026-06-15 12:00:00', NULL, 1e308),
                (6, 'M2', '0001-01-01 00:00:00', '0001-01-01 00:00:01', 9e999), (7, 'M1', '2026-05-02 08:00:00', '2026-05-02 09:00:00', 60);"""
        )
    (folder / "absurd.yaml").write_text(draft_model(str(database), "Absurd"), encoding="utf-8")
    return folder / "absurd.yaml", database


@pytest.fixture(scope="module")
def asked(absurd):
    made = foreign(absurd[0], str(absurd[1]))
    yield lambda text: made.ask(Ask(text, at=datetime(2026, 6, 17, 9, tzinfo=UTC)))
    made.close()


@pytest.mark.parametrize("question", QUESTIONS)
def test_every_question_is_answered_in_json(asked, question):
    answer = asked(question)
    assert answer["status"] != "unavailable", answer["text"]
    json.dumps(answer, allow_nan=False, default=str)


def test_what_starts_in_another_age_does_not_count_in_june(asked):
    answer = asked("how much downtime did M1 have on 16 june 2026")
    assert "30 min" in answer["text"], answer["text"]


def test_connect_flags_impossible_lengths_and_years(absurd):
    found = CliRunner().invoke(app, ["connect", str(absurd[1]), "--plant", str(absurd[0]), "--json"])
    tables = {t["table"]: t["findings"] for t in json.loads(found.stdout)["tables"]}
    said = {f["sentence"]: f["count"] for f in tables["stops"] if f["kind"] == "impossible"}
    assert said["In 4 rows minutes is longer than a century."] == 4  # 3, 4, 5 and the infinite one
    assert said["In 1 row minutes is negative."] == 1
    assert next(n for text, n in said.items() if "outside the years" in text) == 2


def test_a_model_without_times_says_nothing_of_a_period(absurd, tmp_path):
    text = absurd[0].read_text(encoding="utf-8")
    bare = tmp_path / "bare.yaml"
    bare.write_text(
        "\n".join(line for line in text.splitlines() if line.strip() not in ("time: started", "until: ended")), encoding="utf-8"
    )
    made = foreign(bare, str(absurd[1]))
    try:
        answer = made.ask(Ask("how much downtime did M1 have on 16 june 2026", at=datetime(2026, 6, 17, 9, tzinfo=UTC)))
    finally:
        made.close()
    assert answer["status"] == "no_data"
    assert "without a time" in answer["text"]


def test_a_result_holds_no_infinite_number(absurd):
    database = Database.open(str(absurd[1]))
    grants = Grants({"stops": TableGrant("stops", ("id", "minutes"))})
    try:
        for purpose in ("answer", "free", "document"):
            rows = database.run(Statement("SELECT SUM(minutes) AS s, MIN(minutes) AS m FROM stops", purpose=purpose), grants).rows
            assert rows == ((None, -5.0),)
    finally:
        database.close()


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan])
def test_what_is_no_number_is_shown_as_not_defined(value):
    for kind in ("number", "count", "percent", "duration_s", "text"):
        for signed in (False, True):
            assert show(value, Column("x", "X", kind, signed=signed)) == UNDEFINED
    assert raw(value) is None
    assert python_value(Decimal(str(value))) is None


def test_charts_leave_gaps_for_absurd_values():
    chart = read({"kind": "pareto", "x": {"values": ["a", "b", "c"]}, "series": [{"name": "s", "values": [1e308, 1.7e308, 3.0]}]})
    assert sorted(v for v in chart.series[0].values if v is not None) == [3.0]
    assert cumulative(chart.series[0].values)[-1] == 100
    assert "3" in summary(chart)
    assert ticks(0, 3)


def test_dates_far_away_are_still_shown():
    assert show(date(9999, 12, 31), Column("x", "X", "date")) == "31 Dec 9999"
