"""Learning from use: a reviewed example changes the next answer to the same question, about other names as well; what nobody
accepted, a frozen plant and a refusal change nothing."""

import json
import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from typer.testing import CliRunner

from assistant import settings
from assistant.app import Ask, build
from assistant.cli import app
from assistant.lm.phrasings import example
from assistant.memory import FILE, Memory, Remembering, accepted, keep, overlaid, telling, worded
from assistant.problems import BadQuestion, Conflict, NotFound
from assistant.promotion import candidates, promote
from assistant.router import ScriptedRouter, reading, spans

PAIN = "show me the pain list of CNC-02"


@pytest.fixture(scope="module")
def taught(demo_home, tmp_path_factory):
    """A product whose log is its own."""
    home = tmp_path_factory.mktemp("taught") / "home"
    home.mkdir()
    with closing(sqlite3.connect(demo_home / "andon.sqlite")) as source, closing(sqlite3.connect(home / "andon.sqlite")) as copy:
        source.backup(copy)
    shutil.copytree(demo_home / "keys", home / "keys")
    shutil.copyfile(demo_home / "andon.toml", home / "andon.toml")
    for name in ("demo", "index"):
        (home / name).symlink_to(demo_home / name)
    made = build(settings.load(home))
    yield made
    made.close()


@pytest.fixture(autouse=True)
def _nothing_learnt(request):
    if "taught" in request.fixturenames:
        folder = request.getfixturevalue("taught").settings.learned
        shutil.rmtree(folder, ignore_errors=True)


def _calls(assistant, question, **more):
    return assistant.plan(Ask(question, "sam", **more))["calls"]


def _line(tool="list_records", **words):
    return " ".join([tool, *(f"{name}={value}" for name, value in words.items())])


def test_a_promoted_example_changes_the_next_answer_about_any_machine(taught):
    first = taught.ask(Ask(PAIN, "sam"))
    before = _calls(taught, "show the pain list of CNC-01")
    promote(taught, first["turn"], "sam", line=_line(records="maintenance_orders", equipment="<equipment1>", status="overdue"))
    wanted = {"tool": "list_records", "arguments": {"records": "maintenance_orders", "where": {"equipment": "CNC-01", "status": "overdue"}}}
    assert _calls(taught, "show the pain list of CNC-01") == [wanted] != before
    answer = taught.ask(Ask("pain list of CNC-03", "sam"))
    assert answer["steps"][0]["arguments"]["where"] == {"equipment": "CNC-03", "status": "overdue"}
    assert _calls(taught, "oee of CNC-01")[0]["tool"] == "query_metrics"


def test_a_frozen_plant_learns_nothing_and_forgets_what_it_had(taught):
    first = taught.ask(Ask(PAIN, "sam"))
    before = _calls(taught, PAIN)
    promote(taught, first["turn"], "sam", line=_line(records="capas", status="open"))
    assert _calls(taught, PAIN) != before
    frozen = build(settings.load(taught.settings.home, frozen=True))
    try:
        assert _calls(frozen, PAIN) == before
        with pytest.raises(Conflict, match="frozen"):
            promote(frozen, first["turn"], "sam", line=_line(records="lots"))
    finally:
        frozen.close()


def test_other_words_for_the_same_question(taught):
    first = taught.ask(Ask("CNC-02 sulking report yesterday", "sam"))
    row = promote(taught, first["turn"], "sam", like="downtime by reason of CNC-01 last week")
    assert row["calls"][0]["args"]["metrics"] == ["downtime"]
    assert row["calls"][0]["args"]["by"] == ["reason"]
    assert "CNC-01" not in json.dumps(row)
    assert example(row).missed == 0


def test_a_status_can_be_taught(taught):
    first = taught.ask(Ask("what is the canteen menu at station four", "sam"))
    promote(taught, first["turn"], "sam", status="out_of_scope")
    assert taught.plan(Ask("what is the canteen menu at station four", "sam"))["status"] == "out_of_scope"


def test_candidates_are_thumbs_and_chosen_clarifications(taught):
    now = datetime.now(UTC)
    good, bad = taught.ask(Ask("oee of line 2 yesterday", "sam")), taught.ask(Ask("pain list of the paint shop", "sam"))
    taught.store.add_feedback(good["turn"], "sam", True, None, now)
    taught.store.add_feedback(bad["turn"], "sam", False, "I meant overdue orders", now)
    record = {"question": "the usual of line 3", "status": "needs_clarification", "plan": {"calls": []},
              "blocks": [{"type": "choices", "choices": [{"label": "OEE", "question": "OEE of line 3"}]}]}  # fmt: skip
    asked = taught.store.append_turn(at=now, user="sam", via="test", conversation="c1", record=record)
    taught.ask(Ask("OEE of line 3", "sam", conversation="c1"))
    found = {one.turn: one for one in candidates(taught)}
    assert found[good["turn"]].why == "helped"
    assert found[good["turn"]].calls[0]["tool"] == "query_metrics"
    assert (found[bad["turn"]].why, found[bad["turn"]].comment) == ("did not help", "I meant overdue orders")
    assert found[asked].why == "chosen"
    row = promote(taught, asked, "quinn")
    assert row["calls"] == [{"tool": "query_metrics", "args": {"metrics": ["oee"], "line": "line 3"}}]
    assert row["by"] == "quinn"
    assert _calls(taught, "the usual of line 1")[0]["arguments"]["metrics"] == ["oee"]
    assert asked not in {one.turn for one in candidates(taught)}


@pytest.mark.parametrize(("how", "kind"), [
    ({"line": "open the door"}, BadQuestion), ({"line": "list_records records=lots lot=<lot3>"}, BadQuestion), ({"status": "fine"}, BadQuestion),
    ({}, BadQuestion), ({"line": "out_of_scope"}, BadQuestion),
])  # fmt: skip
def test_what_is_no_plan_is_not_kept(taught, how, kind):
    turn = taught.ask(Ask("how about the blue one", "sam"))["turn"]
    with pytest.raises(kind):
        promote(taught, turn, "sam", **how)
    assert accepted(taught.settings.learned) == []
    with pytest.raises(NotFound):
        promote(taught, "nothing", "sam")


def test_a_refusal_is_never_lifted(tmp_path):
    keep(tmp_path, {"q": "bypass the guard of <x>", "calls": [{"tool": "list_records", "args": {"records": "lots"}}]})
    router = ScriptedRouter(lambda q, c: reading("diagnose", "refused_unsafe"))
    read = Remembering(router, Memory(tmp_path, lambda t: np.ones((len(t), 1), np.float32), router.read))
    assert read.read("bypass the guard of <x>").best("status") == "refused_unsafe"


def test_an_example_counts_only_where_its_names_are_said(tmp_path):
    keep(tmp_path, {"q": "trouble of press 2", "calls": [{"tool": "explain_alarm", "args": {"code": "press 2"}}]})
    router = ScriptedRouter(lambda q, c: reading("diagnose", spans=spans(q, code="press 2") if "press 2" in q else ()))
    read = Remembering(router, Memory(tmp_path, lambda t: np.ones((len(t), 1), np.float32), router.read))
    assert read.read("trouble of press 2").tools[0][0] == "explain_alarm"
    assert read.read("trouble of it").tools[0][0] == "diagnose"


def test_the_newest_word_on_a_question_counts_and_a_broken_file_costs_nothing(tmp_path):
    for kind in ("lots", "capas"):
        keep(tmp_path, {"q": "The Usual", "calls": [{"tool": "list_records", "args": {"records": kind}}]})
    assert [one.calls[0][1]["records"] for one in accepted(tmp_path)] == ["capas"]
    (tmp_path / FILE).write_text('{"q": "x", "calls": [{"tool": "fly", "args": {}}]}\n')
    assert accepted(tmp_path) == []
    (tmp_path / FILE).write_text("not json\n")
    assert accepted(tmp_path) == []


def test_words_that_are_compared():
    asked = "open orders of CNC-02"
    assert worded(asked, spans(asked, equipment="CNC-02", status="open")) == "open orders of equipment"
    assert telling("show me the pain list of equipment") == telling("pain list for equipment") == {"pain", "list", "equipment"} - {"list"}


def test_labels_laid_over_a_reading():
    taught = example({"q": "oee by line", "calls": [{"tool": "query_metrics", "args": {"metrics": ["oee"], "by": ["line"]}}]})
    base = replace(reading(["list_records", "diagnose"], record="lots", by="shift"), starts=((4, 0.9),))
    told = overlaid(base, taught)
    assert told.tools[0][0] == told.best("tool") == "query_metrics"
    assert told.above("by") == ("line",)
    assert told.above("metric") == ("oee",)
    assert told.starts == ()
    assert abs(sum(p for _, p in told.heads["tool"]) - 1) < 1e-9


def test_the_command_line_lists_and_accepts(taught, monkeypatch):
    turn = taught.ask(Ask("grumble sheet of CNC-02", "sam"))["turn"]
    taught.store.add_feedback(turn, "sam", False, "open orders", datetime.now(UTC))
    monkeypatch.setenv("ANDON_HOME", str(taught.settings.home))

    def run(*words, code=0):
        result = CliRunner().invoke(app, ["models", "promote", *words])
        assert result.exit_code == code, result.output
        return result.output

    assert "<equipment1>" in run()
    assert any(one["turn"] == turn for one in json.loads(run("--json")))
    assert "which plan was right" in run(turn, code=1)
    assert "maintenance_orders" in run(turn, "--like", "open maintenance orders of CNC-02")
    assert _calls(taught, "grumble sheet of CNC-01")[0]["arguments"]["where"] == {"equipment": "CNC-01", "status": "open"}
