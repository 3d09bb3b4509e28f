"""Plans from readings written by hand: arguments, rights, follow-ups, choices."""

from datetime import datetime

import pytest

from assistant.llm import ScriptedWriter
from assistant.planning import plan, plan_json
from assistant.router import ScriptedRouter, reading, spans
from assistant.understand import Question, understand
from tests import small_plant
from tools.access import POLICY, Caller, Policy
from tools.plant_model import Plant
from tools.registry import Period

NOW = datetime(2026, 6, 17, 9, tzinfo=small_plant.ZONE)
SAM = Caller("sam", "Sam", "supervisor", via="test")


@pytest.fixture(scope="module")
def plant(tmp_path_factory):
    plant = Plant.open(None, f"sqlite:///{small_plant.build(tmp_path_factory.mktemp('plant') / 'mes.sqlite')}")
    yield plant
    plant.close()


def ask(
    plant,
    text,
    tool="query_metrics",
    *,
    caller=SAM,
    equipment=None,
    previous=(),
    policy=POLICY,
    status="answer",
    marked=None,
    negated=(),
    **heads,
):
    router = ScriptedRouter(lambda q, c: reading(tool, status, spans=spans(q, *negated, **(marked or {})) if q == text else (), **heads))
    question = Question(text, NOW, caller, equipment, tuple(p for _, p in previous), tuple(t for t, _ in previous))
    return plan(understand(question, plant, router), question, plant, {}, None, policy)


def said(found):
    return [(c["tool"], c["arguments"]) for c in plan_json(found, None)["calls"]]


def test_a_metric_with_line_and_shift(plant):
    found = ask(plant, "What was the first-pass yield for Line 3 on the night shift?", metric="first_pass_yield")
    assert said(found) == [("query_metrics", {"metrics": ["first_pass_yield"], "where": {"line": "LINE-3", "shift": "night"}})]
    assert found.status == "planned"


def test_a_period_is_an_object_with_offsets(plant):
    found = ask(plant, "oee of line 1 last week", metric="oee")
    period = found.calls[0].arguments["period"]
    assert isinstance(period, Period)
    assert said(found)[0][1]["period"] == {
        "text": "last week",
        "from": "2026-06-08T00:00:00+02:00",
        "to": "2026-06-15T00:00:00+02:00",
    }


def test_open_orders_of_a_class(plant):
    found = ask(
        plant,
        "Show me all open maintenance orders for the CNC machines",
        "list_records",
        record="maintenance_orders",
        record_status="open",
    )
    assert said(found) == [("list_records", {"records": "maintenance_orders", "where": {"equipment_class": "cnc", "status": "open"}})]


def test_a_status_is_the_canonical_one_of_the_record(plant):
    found = ask(plant, "outstanding work orders", "list_records", record="maintenance_orders")
    assert said(found)[0][1]["where"] == {"status": "open"}


def test_an_exclusion(plant):
    found = ask(
        plant,
        "downtime of line 1 without cleaning",
        metric="downtime",
        marked={"reason": "cleaning"},
        negated=("cleaning",),
    )
    assert said(found)[0][1]["where"] == {"line": "LINE-1", "reason": {"not": "cleaning"}}


def test_two_machines_are_a_list_side_by_side(plant):
    found = ask(plant, "scrap rate of CNC-01 and CNC-02", metric="scrap_rate")
    assert said(found)[0][1] == {
        "metrics": ["scrap_rate"],
        "where": {"equipment": ["CNC-01", "CNC-02"]},
        "by": ["equipment"],
    }


def test_a_bound_on_the_figure_itself(plant):
    found = ask(plant, "lines with OEE below 60 %", metric="oee", by="line")
    assert said(found)[0][1]["where"] == {"oee": {"max": 0.6}}


def test_bounds_of_a_record(plant):
    found = ask(plant, "stops longer than 30 minutes on line 1", "list_records", record="downtime_events")
    assert said(found)[0][1]["where"] == {"line": "LINE-1", "duration_min": {"min": 30}}


def test_best_depends_on_what_is_good(plant):
    worst = ask(plant, "worst line by oee", metric="oee", by="line", sort="desc", limit="one")
    assert (worst.calls[0].arguments["sort"], worst.calls[0].arguments["limit"]) == ("asc", 1)
    scrap = ask(plant, "worst line by scrap rate", metric="scrap_rate", by="line", sort="desc", limit="one")
    assert scrap.calls[0].arguments["sort"] == "desc"


def test_held_against_target_and_another_month(plant):
    assert ask(plant, "oee vs target in May", metric="oee").calls[0].arguments["compare_to"] == "target"
    april = ask(plant, "oee in May versus April", metric="oee", marked={"period": "May"}).calls[0].arguments
    assert (april["period"].text, april["compare_to"].text) == ("May", "April")


def test_an_event_nobody_can_place_is_shown_but_no_argument(plant):
    found = ask(plant, "scrap since the filter change", metric="scrap_rate", marked={"period": "since the filter change"})
    assert "period" not in found.calls[0].arguments
    assert said(found)[0][1]["period"]["from"] is None
    assert found.notes


def test_alarm_at_the_machine_in_front(plant):
    found = ask(
        plant,
        "What does alarm code 502 mean on this machine?",
        "explain_alarm",
        equipment="CNC-02",
        marked={"equipment": "this machine"},
    )
    assert said(found) == [("explain_alarm", {"code": "502", "equipment": "CNC-02"})]


def test_two_codes_are_two_calls(plant):
    found = ask(plant, "what do alarms 502 and 503 mean", "explain_alarm", marked={"code": ("502", "503")})
    assert [a["code"] for _, a in said(found)] == ["502", "503"]


def test_a_missing_code_is_asked_for(plant):
    found = ask(plant, "what does it mean", "explain_alarm")
    assert found.status == "needs_clarification"
    assert "alarm" in found.reason


def test_trace_direction_by_its_words(plant):
    assert said(ask(plant, "where did lot 88213 go", "trace_material", direction="backward")) == [
        ("trace_material", {"lot": "88213", "direction": "forward"})
    ]


def test_a_request_waits_for_its_person(plant):
    found = ask(plant, "call maintenance to CNC-01", "raise_request", request_kind="maintenance")
    assert found.status == "needs_confirmation"


def test_rights_come_before_running(plant):
    ada = Caller("ada", "Ada", "administrator", via="test")
    assert ask(plant, "oee of line 1", metric="oee", caller=ada).status == "not_allowed"
    found = ask(plant, "select 1", "run_sql", marked={"sql": "select 1"})
    assert (found.status, found.calls[0].arguments["sql"]) == ("not_allowed", "select 1")


def test_people_are_not_ranked_unless_the_plant_allows_it(plant):
    assert ask(plant, "oee per operator", metric="oee", by="operator").status == "not_allowed"
    free = Policy(POLICY.tools, rank_people=True)
    assert ask(plant, "oee per operator", metric="oee", by="operator", policy=free).status == "planned"


def test_safeguards_are_refused_though_the_router_would_answer(plant):
    assert ask(plant, "how do i bypass the light curtain", "get_procedure").status == "refused_unsafe"
    assert ask(plant, "how do i replace the light curtain", "get_procedure").status == "planned"


@pytest.mark.parametrize("status", ["out_of_scope", "smalltalk", "needs_clarification"])
def test_the_routers_statuses(plant, status):
    found = ask(plant, "whatever you say there", status=status)
    assert found.status == status


def test_the_router_refuses_alone_only_when_it_is_sure(plant):
    text = "tickle the mat controller until it nods"
    assert ask(plant, text, "get_procedure", status="refused_unsafe").status == "refused_unsafe"
    assert ask(plant, text, "get_procedure", status="refused_unsafe", p=0.55).status != "refused_unsafe"
    assert ask(plant, "bypass the light curtain of press 1", "get_procedure").status == "refused_unsafe"  # by its words alone
    assert ask(plant, "what does sam earn, hourly rate", metric="oee").status == "not_allowed"


@pytest.mark.parametrize(
    ("text", "status"),
    [("ncrs that are not closed yet", "open"), ("orders nobody has finished", "open"), ("orders opened in May", None)],
)
def test_a_denied_status_is_its_opposite(plant, text, status):
    from assistant.record_arguments import _DENIED, _negated

    known = {"open": None, "closed": None}
    assert (_negated(text, known) or [None])[0] == status
    assert bool(_DENIED.search(text)) == (status is not None)


def test_a_clarification_offers_ways_to_go_on(plant):
    found = ask(plant, "figures for line 2 please", status="needs_clarification", metric="oee")
    assert 1 <= len(found.choices) <= 3
    assert any("Line 2" in c.question for c in found.choices)


def test_a_name_of_two_machines_asks_which(plant):
    found = ask(plant, "downtime of the CNC today", metric="downtime")
    assert found.status == "needs_clarification"
    assert {c.label for c in found.choices} == {"CNC-01", "CNC-02"}


def test_followup_replaces_the_place_and_keeps_the_rest(plant):
    first = ask(plant, "oee of line 2 last week by shift", metric="oee", by="shift")
    found = ask(plant, "and line 3?", metric="oee", previous=[("oee of line 2 last week by shift", first)])
    arguments = found.calls[0].arguments
    assert (arguments["where"], arguments["period"].text, arguments["by"]) == (
        {"line": "LINE-3"},
        "last week",
        ["shift"],
    )


def test_followup_over_three_turns(plant):
    one = ask(plant, "oee of line 1 yesterday", metric="oee")
    two = ask(plant, "by shift", metric="oee", by="shift", previous=[("oee of line 1 yesterday", one)])
    three = ask(plant, "what about last week", metric="oee", previous=[("oee of line 1 yesterday", one), ("by shift", two)])
    arguments = three.calls[0].arguments
    assert (arguments["where"], arguments["period"].text, arguments["by"]) == (
        {"line": "LINE-1"},
        "last week",
        ["shift"],
    )


@pytest.mark.parametrize(
    ("first", "marked", "then", "place"),
    [
        ("explain_alarm", {"code": "502"}, "and 401?", {"code": "401"}),
        ("trace_material", {"lot": "88213"}, "what about 88214", {"lot": "88214"}),
    ],
)
def test_a_lone_number_takes_the_place_of_the_last_one(plant, first, marked, then, place):
    text = f"tell me about {next(iter(marked.values()))}"
    earlier = ask(plant, text, first, marked=marked)
    found = ask(plant, then, first, previous=[(text, earlier)])
    assert {key: found.calls[0].arguments[key] for key in place} == place


def test_a_lone_number_after_a_numbered_line(plant):
    earlier = ask(plant, "oee of line 2 yesterday", metric="oee")
    found = ask(plant, "and 3?", metric="oee", previous=[("oee of line 2 yesterday", earlier)])
    assert found.calls[0].arguments["where"] == {"line": "LINE-3"}
    assert found.calls[0].arguments["period"].text == "yesterday"


@pytest.mark.parametrize(
    ("first", "then", "day"),
    [("yesterday", "and the day before?", 15), ("on 10 June", "and the day before?", 9), ("on 10 June", "and the day after?", 11)],
)
def test_the_day_before_is_that_before_the_day_under_discussion(plant, first, then, day):
    earlier = ask(plant, f"oee of line 2 {first}", metric="oee")
    found = ask(plant, then, metric="oee", previous=[(f"oee of line 2 {first}", earlier)])
    assert found.calls[0].arguments["period"].start == datetime(2026, 6, day, tzinfo=small_plant.ZONE)


def test_a_date_that_cannot_be_is_asked_back(plant):
    found = ask(plant, "scrap rate of line 1 on 30 Feb", metric="scrap_rate")
    assert (found.status, found.calls) == ("needs_clarification", ())
    assert "30 February" in found.reason
    turned = ask(plant, "oee of line 2 from 20 May to 10 May", metric="oee")
    assert [c.question for c in turned.choices] == ["oee of line 2 from 10 May to 20 May"]


@pytest.mark.parametrize(
    ("text", "metric", "by"),
    [
        ("Which machines had no alarms this week?", "alarm_count", "equipment"),
        ("lines without any stops yesterday", "downtime", "line"),
        ("show products with zero NCRs last month", "ncr_count", "product"),
        ("which machines didn't have a single alarm today", "alarm_count", "equipment"),
    ],
)
def test_what_had_none_is_a_figure_of_zero(plant, text, metric, by):
    found = ask(plant, text, "list_records", record="alarm_events")
    arguments = found.calls[0].arguments
    assert (found.calls[0].tool, arguments["metrics"], arguments["by"]) == ("query_metrics", [metric], [by])
    assert arguments["where"] == {metric: {"max": 0}}


def test_which_machines_had_alarms_stays_a_list(plant):
    assert ask(plant, "which machines had alarms today", "list_records", record="alarm_events").calls[0].tool == "list_records"


@pytest.mark.parametrize("text", ["why did the oee of line 2 drop last week", "what made line 2's OEE go down last week"])
def test_why_it_changed_is_held_against_the_period_before(plant, text):
    assert ask(plant, text, metric="oee").calls[0].arguments["compare_to"] == "previous_period"
    assert "compare_to" not in ask(plant, "oee of line 2 last week", metric="oee").calls[0].arguments


def test_asking_for_the_state_of_one_record_filters_nothing(plant):
    found = ask(plant, "is lot 88213 released?", "list_records", record="lots", record_status="released", marked={"lot": "88213"})
    assert found.calls[0].arguments["where"] == {"lot": "88213"}
    found = ask(plant, "released lots of XYZ", "list_records", record="lots", record_status="released")
    assert found.calls[0].arguments["where"]["status"] == "released"


def test_the_word_for_a_kind_is_no_name(plant):
    found = ask(plant, "which spares are below minimum", "list_records", record="spare_parts", record_status="below_minimum", marked={"part": "spares"})
    assert found.calls[0].arguments["where"] == {"status": "below_minimum"}


def test_the_target_keeps_the_period(plant):
    text = "Compare last week's FPY on Line 3 with its target"
    found = ask(plant, text, metric="first_pass_yield", compare_to="period", marked={"compare": "last week"})
    assert (found.calls[0].arguments["compare_to"], found.calls[0].arguments["period"].text) == ("target", "last week")


def test_two_shifts_side_by_side_keep_the_period(plant):
    found = ask(plant, "night shift vs day shift OEE line 1 last week", metric="oee", by="shift")
    arguments = found.calls[0].arguments
    assert (arguments["period"].text, arguments.get("compare_to")) == ("last week", None)


def test_a_pareto_is_by_reason(plant):
    arguments = ask(plant, "Pareto of scrap line 1 last month", metric="scrap_rate").calls[0].arguments
    assert (arguments["metrics"], arguments["by"]) == (["scrap_count"], ["reason"])


@pytest.mark.parametrize(("text", "bound"), [("stops over thirty minutes on line 3 yesterday", {"min": 30}), ("list the stops of line 3 yesterday, leave out anything under ten minutes", {"min": 10})])
def test_a_length_of_time_bounds_and_is_no_period(plant, text, bound):
    arguments = ask(plant, text, "list_records", record="downtime_events").calls[0].arguments
    assert (arguments["where"]["duration_min"], arguments["period"].text) == (bound, "yesterday")


def test_each_of_several_requests_keeps_its_own_record_and_status(plant):
    text = "open NCRs for XYZ plus overdue CAPAs"

    def answer(question, context):
        if question == text:
            return reading("list_records", starts=[text.index("overdue")], record="nonconformances")
        return reading("list_records", record="capas" if "CAPA" in question else "nonconformances", record_status="overdue" if "CAPA" in question else "open")

    question = Question(text, NOW, SAM)
    found = plan(understand(question, plant, ScriptedRouter(answer)), question, plant, {}, None, POLICY)
    assert [(c.arguments["records"], c.arguments["where"]["status"]) for c in found.calls] == [("nonconformances", "open"), ("capas", "overdue")]


def test_more_than_is_a_bound_and_the_period_stays(plant):
    arguments = ask(plant, "machines with more than 5 hours of downtime last week", metric="downtime", by="equipment").calls[0].arguments
    assert (arguments["where"], arguments["period"].text) == ({"downtime": {"min": 18000}}, "last week")


def test_a_shift_taken_out_of_a_period(plant):
    text = "OEE of line 3 except on the night shift last week"
    arguments = ask(plant, text, metric="oee", marked={"period": "the night shift last week"}).calls[0].arguments
    assert (arguments["where"]["shift"], arguments["period"].text) == ({"not": "night"}, "last week")


def test_a_time_that_cannot_be_taken_out_is_said(plant):
    found = ask(plant, "good parts on line 1 not counting Sundays, last week", metric="good_count", marked={"period": "Sundays"})
    assert any("Sundays" in note for note in found.notes)
    assert found.calls[0].arguments["period"].text == "last week"


def test_opened_says_when_not_how_it_stands(plant):
    found = ask(plant, "how many NCRs were opened in May", "list_records", record="nonconformances", record_status="closed", marked={"status": "opened"})
    assert "where" not in found.calls[0].arguments


def test_a_figure_that_is_named_beats_a_hunch(plant):
    text = "how much scrap did line 3 make yesterday"

    def answer(question, context):
        return reading("query_metrics", metric="good_count", p=0.6)

    question = Question(text, NOW, SAM)
    found = plan(understand(question, plant, ScriptedRouter(answer)), question, plant, {}, None, POLICY)
    assert found.calls[0].arguments["metrics"][0].startswith("scrap")


def test_a_new_question_inherits_nothing(plant):
    first = ask(plant, "oee of line 2 last week by shift", metric="oee", by="shift")
    found = ask(
        plant,
        "what was the scrap rate of CNC-01 in May",
        metric="scrap_rate",
        previous=[("oee of line 2 last week by shift", first)],
    )
    assert said(found)[0][1]["where"] == {"equipment": "CNC-01"}
    assert "by" not in found.calls[0].arguments


def test_the_same_question_for_another_record_keeps_the_machine(plant):
    first = ask(plant, "spindle load of CNC-02 today", "signal_trend", marked={"signal": "spindle load"})
    found = ask(plant, "what is wrong with it", "diagnose", previous=[("spindle load of CNC-02 today", first)])
    assert found.calls[0].arguments["equipment"] == "CNC-02"


def vote(plant, text, line, tool, probability=0.95, **heads):
    router = ScriptedRouter(lambda q, c: reading(tool, spans=(), **heads))
    question = Question(text, NOW, SAM)
    writer = ScriptedWriter(lambda masked: line, probability)
    found = plan(understand(question, plant, router), question, plant, {}, writer, POLICY)
    return found, writer


def test_agreement_of_router_and_model_raises_the_confidence(plant):
    alone = ask(plant, "oee of line 1 yesterday", metric="oee")
    found, writer = vote(
        plant, "oee of line 1 yesterday", "query_metrics metrics=oee line=<line1> period=<period1>", "query_metrics", metric="oee"
    )
    assert writer.asked == ["oee of <line1> <period1>"]
    assert found.planner == "router+llm"
    assert found.confidence > alone.confidence
    assert found.calls == alone.calls


def test_a_certain_model_decides_where_the_router_doubts(plant):
    line = "list_records records=downtime_events line=<line1> period=<period1>"
    found, _ = vote(plant, "stops of line 1 yesterday", line, "query_metrics", p=0.4, metric="downtime")
    assert found.planner == "llm"
    assert said(found)[0][1]["records"] == "downtime_events"
    assert said(found)[0][1]["where"] == {"line": "LINE-1"}


def test_a_sure_router_and_an_unsure_model_leave_the_routers_plan(plant):
    line = "list_records records=downtime_events line=<line1> period=<period1>"
    sure, _ = vote(plant, "stops of line 1 yesterday", line, "query_metrics", metric="downtime")
    unsure, _ = vote(plant, "stops of line 1 yesterday", line, "query_metrics", 0.3, p=0.6, metric="downtime")
    assert (sure.planner, unsure.planner) == ("router", "router")
    assert sure.calls[0].tool == unsure.calls[0].tool == "query_metrics"


@pytest.mark.parametrize("line", ["nonsense", "", "query_metrics metrics=bananas", "drop table lots"])
def test_a_model_that_writes_nonsense_changes_nothing(plant, line):
    found, _ = vote(plant, "oee of line 1 yesterday", line, "query_metrics", metric="oee")
    assert found.planner == "router"
    assert found.calls[0].arguments["metrics"] == ["oee"]


def test_plan_json_is_the_contracts(plant):
    found = plan_json(ask(plant, "oee of line 1 yesterday", metric="oee"), "7")
    assert set(found) >= {"id", "question", "status", "calls", "confidence", "planner", "choices", "spans"}
    assert [s["name"] for s in found["spans"]] == ["line1", "period1"]


@pytest.mark.parametrize(
    ("text", "key", "values"),
    [("oee of line 1, 2 and 3 yesterday", "line", ["LINE-1", "LINE-2", "LINE-3"]),
     ("oee of line one, two and three yesterday", "line", ["LINE-1", "LINE-2", "LINE-3"]),
     ("oee of cnc 1 and 2 yesterday", "equipment", ["CNC-01", "CNC-02"])],
)  # fmt: skip
def test_bare_numbers_go_on_a_list_of_names(plant, text, key, values):
    arguments = ask(plant, text, metric="oee").calls[0].arguments
    assert (arguments["where"][key], arguments["period"].text) == (values, "yesterday")


def test_a_number_that_is_a_time_goes_on_no_list(plant):
    arguments = ask(plant, "oee of line 1, 2 hours ago", metric="oee").calls[0].arguments
    assert arguments["where"] == {"line": "LINE-1"}


def test_a_record_has_what_was_named(plant):
    """Maintenance orders have no supplier; spare parts have."""
    ranked = {"maintenance_orders": 0.7, "spare_parts": 0.2}
    found = ask(plant, "what is on order at Hydrotec", "list_records", record=ranked, marked={"supplier": "Hydrotec"})
    assert found.calls[0].arguments["records"] == "maintenance_orders"  # nobody knows that supplier: no reason to change
    known = next(iter(plant.vocabulary("supplier")))
    found = ask(plant, f"what is on order at {known}", "list_records", record=ranked, marked={"supplier": known})
    assert found.calls[0].arguments["records"] == "spare_parts"


def test_what_runs_out_in_a_time_to_come_is_expiring(plant):
    found = ask(plant, "certifications that run out next month", "list_records", record="certifications", record_status="expired")
    assert found.calls[0].arguments["where"]["status"] == "expiring"


def test_words_for_any_stop_name_no_reason(plant):
    found = ask(plant, "what caused our big stoppage yesterday", "list_records", record="downtime_events", marked={"reason": "big stoppage"})
    assert "where" not in found.calls[0].arguments


def test_the_machine_is_no_part_of_the_task(plant):
    found = ask(plant, "steps for lockout of CNC-01", "get_procedure", marked={"task": "lockout of CNC-01", "equipment": "CNC-01"})
    assert found.calls[0].arguments == {"task": "lockout", "equipment": "CNC-01"}


@pytest.mark.parametrize("text", ["operator league table for line 2", "rank the shift leaders by their lines' OEE", "who should I fire, going by output"])
def test_no_league_table_of_people(plant, text):
    assert ask(plant, text, metric="oee").status == "not_allowed"


@pytest.mark.parametrize("text", ["why?", "but why is that so low", "how come?", "what was the reason for that"])
def test_a_bare_why_holds_the_last_figure_against_the_period_before(plant, text):
    first = ask(plant, "oee of line 2 last week", metric="oee")
    then = ask(plant, text, "diagnose", previous=[("oee of line 2 last week", first)], status="needs_clarification")
    arguments = then.calls[0].arguments
    assert (arguments["where"], arguments["period"].text, arguments["compare_to"]) == ({"line": "LINE-2"}, "last week", "previous_period")
    assert ask(plant, text, status="needs_clarification").status == "needs_clarification"


def test_ones_own_records_are_no_small_talk(plant):
    assert ask(plant, "my certifications", "list_records", status="smalltalk", record="certifications").calls[0].tool == "list_records"


@pytest.mark.parametrize(
    ("text", "bound"),
    [("stops over half an hour on line 3", 30), ("stops longer then 10 min on line 3", 10), ("stops of more than an hour and a half on line 3", 90)],
)  # fmt: skip
def test_lengths_of_time_in_words(plant, text, bound):
    assert ask(plant, text, "list_records", record="downtime_events").calls[0].arguments["where"]["duration_min"] == {"min": bound}


def test_plantwide_is_no_place(plant):
    assert "where" not in ask(plant, "oee plantwide yesterday", metric="oee", marked={"area": "plantwide"}).calls[0].arguments


def test_one_wording_marked_in_pieces_is_one(plant):
    found = ask(plant, "how do i swap the belt on the mill from left to right", "get_procedure", marked={"task": "swap the belt"})
    assert found.calls[0].arguments["task"] == "swap the belt"


def test_a_reason_in_the_plants_own_words_counts_unmarked(plant):
    reason = next(word for word in plant.vocabulary("reason") if len(word.split()) > 1)
    assert "reason" in ask(plant, f"{reason}: downtime of line 1 yesterday", metric="downtime").calls[0].arguments["where"]


def test_what_is_due_by_a_day_lies_ahead(plant):
    period = ask(plant, "maintenance orders due before 1 July", "list_records", record="maintenance_orders").calls[0].arguments["period"]
    assert (period.start, period.end.date().isoformat()) == (NOW, "2026-07-01")


def test_a_defect_is_sought_where_the_record_has_defects(plant):
    found = ask(plant, "ncrs for surface finish", "list_records", record="nonconformances", marked={"reason": "surface finish"})
    assert set(found.calls[0].arguments["where"]) == {"defect"}


@pytest.mark.parametrize("text", ["How did it run yesterday?", "how many did we make compared to the other one", "Compare the two lines"])
def test_a_pointer_to_nothing_is_asked_back(plant, text):
    found = ask(plant, text, metric="oee")
    assert (found.status, len(found.choices)) == ("needs_clarification", len(set(plant.vocabulary("line").values())))
    assert ask(plant, text, metric="oee", equipment="CNC-01").status == "planned"
    assert ask(plant, "what was the oee of line 1 and how did it run", metric="oee").status == "planned"


@pytest.mark.parametrize(
    ("text", "tool"),
    [("what usually fixes spindle chatter on CNC-02", "diagnose"), ("most common causes of hydraulic leaks", "diagnose"),
     ("top three causes of scrap on line 1", "find_correlations"), ("what does scrap correlate with", "find_correlations")],
)  # fmt: skip
def test_what_usually_helps_is_in_the_logs(plant, text, tool):
    assert ask(plant, text, "find_correlations").calls[0].tool == tool


def test_urgent_is_what_the_plant_grades_high(plant):
    found = ask(plant, "urgent maintenance orders", "list_records", record="maintenance_orders", marked={"priority": "urgent"})
    assert found.calls[0].arguments["where"]["priority"] == ["critical", "high"]
    found = ask(plant, "maintenance orders that are not urgent", "list_records", record="maintenance_orders", marked={"priority": "urgent"})
    assert found.calls[0].arguments["where"]["priority"] == {"not": ["critical", "high"]}


def test_an_exclusion_that_names_nothing_known_is_not_lost(plant):
    found = ask(plant, "downtime of line 1 except breakdowns", metric="downtime", marked={"reason": "breakdowns"}, negated=("breakdowns",))
    assert found.calls[0].arguments["where"]["reason"] == {"not": "breakdowns"}


def test_the_week_before_a_day_is_the_one_before_its_own(plant):
    first = ask(plant, "oee of line 2 yesterday", metric="oee")
    then = ask(plant, "and the week before that", metric="oee", previous=[("oee of line 2 yesterday", first)])
    assert said(then)[0][1]["period"]["from"][:10] == "2026-06-08"
