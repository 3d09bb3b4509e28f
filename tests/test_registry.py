"""Every tool is a typed function with a docstring and a composer; rights, arguments and failures are decided in one place."""

import pytest

from assistant.compose import COMPOSERS
from tools.access import Caller
from tools.registry import BadArgument, Call, Result, Tool, Unanswerable, Unavailable, all_tools, marked, run

SAM, ADA = Caller("sam", "Sam", "supervisor"), Caller("ada", "Ada", "administrator")


class _Anywhere:
    """A plant of which everybody sees the same."""

    def seen_by(self, caller):
        return self


def _call(caller=SAM):
    return Call(caller, None, _Anywhere(), None)


@pytest.mark.parametrize("tool", all_tools().values(), ids=lambda tool: tool.name)
def test_a_tool_is_complete(tool):
    assert tool.description
    assert tool.name in COMPOSERS
    hints = tool.hints()
    assert hints["return"] is Result
    assert all(name in hints for name in tool.parameters)


def test_the_tools_are_those_of_the_contract():
    assert {name: tool.required for name, tool in all_tools().items()} == {
        "query_metrics": ("metrics",), "list_records": ("records",), "explain_alarm": ("code",), "diagnose": ("symptom",),
        "search_documents": ("query",), "get_procedure": ("task",), "trace_material": (), "signal_trend": ("signal",),
        "find_correlations": ("outcome",), "draft_document": ("kind",), "raise_request": ("kind",), "run_sql": ("sql",),
    }  # fmt: skip
    assert [name for name, tool in all_tools().items() if tool.acts] == ["raise_request"]


def _tool(behave):
    def query_metrics(call: Call, metrics: str = "") -> Result:
        """A tool for tests."""
        return behave()

    return Tool("query_metrics", query_metrics)


def _raise(error):
    raise error


@pytest.mark.parametrize(
    ("behave", "status"),
    [
        (lambda: Result("answered"), "answered"),
        (lambda: _raise(Unavailable("The database is away.")), "unavailable"),
        (lambda: _raise(Unanswerable(Result("not_allowed", message="no"))), "not_allowed"),
    ],
)
def test_what_a_tool_says_becomes_a_result(behave, status):
    assert run(_tool(behave), _call(), {}).result.status == status


def test_rights_come_before_the_tool():
    step = run(_tool(lambda: _raise(AssertionError("it ran"))), _call(ADA), {})
    assert step.result.status == "not_allowed"


def test_an_argument_that_the_tool_does_not_have_is_the_planners_fault():
    with pytest.raises(BadArgument, match="colour"):
        run(_tool(lambda: Result("answered")), _call(), {"colour": "red"})


def test_markers_run_over_all_steps():
    from tools.evidence import Evidence

    step = run(_tool(lambda: Result("answered", (Evidence("query", "a"), Evidence("query", "b")))), _call(), {})
    assert [item.marker for one in marked((step, step)) for item in one.result.evidence] == ["E1", "E2", "E3", "E4"]
