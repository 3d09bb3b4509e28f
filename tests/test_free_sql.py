"""Free SQL as a tool: for experts, through the gate, labelled uncertified."""

import pytest

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
