"""Spans, names, times and clauses of a question, with a router that is written by hand."""

from datetime import datetime

import pytest

from assistant.router import Reading, ScriptedRouter, reading, spans
from assistant.understand import Question, understand
from tests import small_plant
from tools.access import Caller, Scope
from tools.plant_model import Plant
from tools.registry import Unavailable

NOW = datetime(2026, 6, 17, 9, tzinfo=small_plant.ZONE)
SAM = Caller("sam", "Sam", "supervisor", via="test")


@pytest.fixture(scope="module")
def plant(tmp_path_factory):
    plant = Plant.open(None, f"sqlite:///{small_plant.build(tmp_path_factory.mktemp('plant') / 'mes.sqlite')}")
    yield plant
    plant.close()


def read(plant, text, front=None, caller=SAM, context=(), **labelled):
    router = ScriptedRouter(
        lambda q, c: reading(
            "query_metrics",
            metric="oee",
            spans=spans(q, **{k: v for k, v in labelled.items() if str(v) in q or not isinstance(v, str)}),
        )
    )
    return understand(Question(text, NOW, caller, front, (), tuple(context)), plant, router)


def held(found):
    return {p.name: (p.value.period.text if hasattr(p.value, "period") else p.value) for p in found.placeholders}


def test_spans_become_numbered_placeholders_with_ids(plant):
    found = read(plant, "OEE of CNC two yesterday", equipment="CNC two", period="yesterday")
    assert found.masked == "OEE of <equipment1> <period1>"
    assert held(found) == {"equipment1": "CNC-02", "period1": "yesterday"}


def test_names_and_times_that_the_router_missed_are_added(plant):
    found = read(plant, "scrap on line 3 and cnc-01 since Monday")
    assert held(found) == {"line1": "LINE-3", "equipment1": "CNC-01", "period1": "since Monday"}


def test_a_cut_time_is_made_whole(plant):
    found = read(plant, "stops between 3 and 5 pm yesterday", period="yesterday")
    assert held(found) == {"period1": "between 3 and 5 pm yesterday"}


def test_the_name_of_a_shift_is_a_shift_and_no_time(plant):
    found = read(plant, "first-pass yield on the night shift", period="the night shift")
    assert held(found) == {"shift1": "night"}


def test_this_machine_is_the_one_in_front(plant):
    assert held(read(plant, "what happened on this machine", equipment="this machine")) == {}
    router = ScriptedRouter(lambda q, c: reading("list_records", spans=spans(q, equipment="this machine")))
    found = understand(Question("what happened on this machine", NOW, SAM, "CNC-02"), plant, router)
    assert held(found) == {"equipment1": "CNC-02"}


def test_our_line_is_the_only_line_of_the_caller(plant):
    router = ScriptedRouter(lambda q, c: reading("query_metrics", spans=spans(q, line="our line")))
    olivia = Caller("olivia", "Olivia", "operator", Scope(frozenset({"LINE-3"})), via="test")
    assert held(understand(Question("oee of our line", NOW, olivia), plant, router)) == {"line1": "LINE-3"}


def test_one_span_of_two_names_is_taken_apart(plant):
    found = read(plant, "compare lines 1 and 2", line="lines 1 and 2")
    assert [p.value for p in found.placeholders] == ["LINE-1", "LINE-2"]


def test_an_unknown_machine_is_a_problem_that_is_said(plant):
    found = read(plant, "oee of CNC-09", equipment="CNC-09")
    assert held(found) == {"equipment1": "CNC-09"}
    assert found.problems
    assert "CNC-09" in found.problems[0]


def test_hazards_are_heard_whatever_the_router_says(plant):
    assert read(plant, "there is smoke coming out of CNC-02").hazards == ("fire",)


def test_two_requests_are_two_clauses(plant):
    def answer(question: str, context: object) -> Reading:
        if "and" in question:
            return reading("explain_alarm", calls="2", starts=[question.index("show")])
        return reading("explain_alarm" if "502" in question else "list_records", record="maintenance_orders")

    found = understand(Question("explain alarm 502 and show open work orders", NOW, SAM), plant, ScriptedRouter(answer))
    assert [c.text for c in found.clauses] == ["explain alarm 502", "show open work orders"]


def test_clauses_begin_where_the_router_says(plant):
    text = "OEE of line 1 yesterday, then the stops of line 2 last night and also draft the handover"

    def answer(question: str, context: object) -> Reading:
        if question == text:
            return reading("query_metrics", starts=[text.index("the stops"), text.index("draft")])
        return reading("list_records" if "stops" in question else "draft_document" if "draft" in question else "query_metrics")

    found = understand(Question(text, NOW, SAM), plant, ScriptedRouter(answer))
    assert [c.text for c in found.clauses] == ["OEE of line 1 yesterday", "the stops of line 2 last night", "draft the handover"]
    assert [c.reading.tools[0][0] for c in found.clauses] == ["query_metrics", "list_records", "draft_document"]
    assert [{p.value for p in c.placeholders if p.label == "line"} for c in found.clauses] == [{"LINE-1"}, {"LINE-2"}, set()]


def test_a_part_that_asks_for_nothing_here_is_said(plant):
    text = "oee of line 1 yesterday, the stops of line 2 last night and who won the match"

    def answer(question: str, context: object) -> Reading:
        if question == text:
            return reading("query_metrics", starts=[text.index("the stops"), text.index("who")])
        if question.startswith("who"):
            return reading(status="out_of_scope")
        return reading("list_records" if "stops" in question else "query_metrics")

    found = understand(Question(text, NOW, SAM), plant, ScriptedRouter(answer))
    assert len(found.clauses) == 2
    assert any("who won the match" in problem for problem in found.problems)


def test_a_start_inside_a_name_cuts_nothing(plant):
    text = "downtime of CNC-01 last week"
    router = ScriptedRouter(lambda q, c: reading("query_metrics", starts=[text.index("01")], spans=spans(q, equipment="CNC-01") if q == text else ()))
    assert len(understand(Question(text, NOW, SAM), plant, router).clauses) == 1


def test_a_complete_question_does_not_lean_on_the_last_one(plant):
    found = read(plant, "What was the scrap rate of CNC-01 last week", context=("oee line 2",))
    assert not found.followup
    assert read(plant, "and line 3?", context=("oee line 2",)).followup


def test_with_the_database_down_names_stay_as_said(plant, monkeypatch):
    def down(self, kind):
        raise Unavailable("The plant database does not answer.")

    monkeypatch.setattr(type(plant), "vocabulary", down)
    assert held(read(plant, "torque for CNC-02", equipment="CNC-02")) == {"equipment1": "CNC-02"}


@pytest.mark.parametrize("text", ["?", "...", "x" * 3000, "a\u0000b", "🙂 🙂", "line line line", "<line1> [E1] {E1.x}"])
def test_odd_text_is_read_without_an_exception(plant, text):
    assert (
        understand(Question(text, NOW, SAM), plant, ScriptedRouter(lambda q, c: reading("diagnose"))).text is not None
    )
