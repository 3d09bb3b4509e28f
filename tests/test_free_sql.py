"""Free SQL as a tool: for experts, through the gate, labelled uncertified."""

import json

import pytest
from typer.testing import CliRunner

from assistant.app import Ask
from assistant.cli import app
from tools.free_sql import run_sql
from tools.registry import Call, all_tools, run


@pytest.fixture(scope="module")
def call(assistant):
    return lambda user: Call(assistant.caller(user), assistant.now(), assistant.plant, assistant.index, policy=assistant.policy)


def test_an_expert_gets_rows_that_are_not_certified(call):
    result = run_sql(call("eve"), "SELECT line_id, name FROM lines ORDER BY line_id")
    assert [row["name"] for row in result.evidence[0].rows] == ["Line 1", "Line 2", "Line 3"]
    assert result.evidence[0].query.certified is False


def test_others_do_not(call):
    step = run(all_tools()["run_sql"], call("sam"), {"sql": "SELECT 1"})
    assert step.result.status == "not_allowed"


@pytest.mark.parametrize("sql", ["DELETE FROM lots", "SELECT * FROM sqlite_master", "ATTACH 'x' AS y", "SELECT load_extension('x')", "not sql at all"])
def test_the_gate_refuses(call, sql):
    result = run_sql(call("eve"), sql)
    assert result.status == "refused_unsafe"
    assert "gate refused" in result.message


def test_secret_columns_are_empty_and_nothing_found_is_said(call):
    rows = run_sql(call("eve"), "SELECT hourly_rate FROM people LIMIT 5").evidence[0].rows
    assert {row["hourly_rate"] for row in rows} == {None}
    assert run_sql(call("eve"), "SELECT name FROM lines WHERE name = 'nowhere'").status == "no_data"


HIDDEN = "people.hourly_rate is hidden from you; it reads as empty."


@pytest.mark.parametrize("sql", [
    "SELECT COUNT(*) AS n FROM people WHERE hourly_rate > 30", "SELECT MAX(hourly_rate) AS most FROM people",
    "WITH p AS (SELECT hourly_rate AS r FROM people) SELECT COUNT(*) AS n FROM p WHERE r > 30",
    "SELECT name FROM lines WHERE line_id IN (SELECT line_id FROM people WHERE HOURLY_RATE > 1) OR 1 = 1",
])  # fmt: skip
def test_hidden_columns_are_named_whatever_the_statement_does_with_them(call, sql):
    assert run_sql(call("eve"), sql).evidence[0].facts["hidden"][1] == HIDDEN


def test_hidden_columns_are_named_where_nothing_is_found_and_only_where_they_are_used(call):
    assert run_sql(call("eve"), "SELECT name FROM people WHERE hourly_rate > 1").message.endswith(HIDDEN)
    assert "hidden" not in run_sql(call("eve"), "SELECT name FROM people").evidence[0].facts


def test_the_answer_names_hidden_columns(assistant):
    answer = assistant.ask(Ask("SELECT COUNT(*) AS n FROM people WHERE hourly_rate > 30", user="eve"))
    assert (answer["status"], HIDDEN in answer["text"]) == ("answered", True), answer["text"]


@pytest.mark.parametrize("command", ["check", "run"])
def test_the_command_line_names_hidden_columns(demo_home, monkeypatch, command):
    monkeypatch.setenv("ANDON_HOME", str(demo_home))
    sql = "SELECT MAX(hourly_rate) AS most FROM people"
    plain = CliRunner().invoke(app, ["sql", command, sql, "--user", "eve"])
    assert (plain.exit_code, HIDDEN in plain.output) == (0, True), plain.output
    told = json.loads(CliRunner().invoke(app, ["sql", command, sql, "--user", "eve", "--json"]).stdout)
    assert told["note"] == HIDDEN
    other = CliRunner().invoke(app, ["sql", command, "SELECT COUNT(*) AS n FROM people", "--user", "eve", "--json"])
    assert "note" not in json.loads(other.stdout)
