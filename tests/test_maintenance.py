"""Causes counted over the demo's own logs against what was planted, and symptoms that nothing describes."""

import json

import pytest

from tools.maintenance import cause_counts, diagnose, log_entries
from tools.registry import Call

COMPONENTS = ("coolant filter", "coolant pump", "flow sensor")


@pytest.fixture(scope="module")
def call(assistant):
    return Call(assistant.caller("max"), assistant.now(), assistant.plant, assistant.index, policy=assistant.policy)


def test_counted_causes_are_near_the_planted_ones(call, demo_home):
    planted = json.loads((demo_home / "demo" / "stories.json").read_text())["stories"]["b"]["counts_by_cause"]
    truth = {name.split(" ", 1)[1]: count for name, count in planted.items()}
    counted = {row["cause"]: row["count"] for row in cause_counts(call, log_entries(call, {"alarm": "502"}), COMPONENTS).rows}
    for component in COMPONENTS:
        # What an entry does not say is counted as not stated, never shared out: below the truth, not above it.
        assert 0.75 * truth[component] <= counted[component] <= truth[component] + 3, (counted, truth)
    assert list(counted)[-1] == "not stated"


def test_every_case_names_entries_that_can_be_opened(call):
    rows = cause_counts(call, log_entries(call, {"alarm": "502"}), COMPONENTS).rows
    assert all(row["entries"].startswith("LOG-") for row in rows)
    assert sum(row["share"] for row in rows) == pytest.approx(1.0)


def test_a_symptom_that_nothing_describes(call):
    result = diagnose(call, "the unicorn refuses to dance at midnight under the bridge")
    assert result.status == "no_data"
    assert "unicorn" in result.message


def test_a_symptom_finds_manual_and_cases(call):
    result = diagnose(call, "coolant flow too low", "CNC-02")
    assert result.status == "answered"
    assert result.data["manual"] > 0
    assert any(item.record == "log" for item in result.evidence)


def test_causes_of_a_symptom_are_a_count_of_entries_that_can_be_opened(call):
    from tools.maintenance import case_counts
    from tools.manuals import machine_of

    counted = case_counts(call, "coolant flow low", machine_of(call, "CNC-02"))
    assert counted is not None
    total = counted.facts["cases"][1]
    assert sum(row["count"] for row in counted.rows) == total
    known = {passage.anchor.section: passage for passage in call.index.passages("LOG-MAINTENANCE-LOGS")}
    for row in counted.rows:
        entries = row["entries"].split(", ")
        assert len(entries) == min(row["count"], 10)
        assert all("CNC-02" in known[entry].equipment for entry in entries)
    for entry in counted.rows[0]["entries"].split(", "):
        assert {"coolant", "flow", "low"} & set(known[entry].text.lower().split())


def test_nothing_alike_is_counted_for_a_symptom_that_no_entry_tells_of(call):
    from tools.maintenance import case_counts
    from tools.manuals import machine_of

    assert case_counts(call, "purple unicorn dances", machine_of(call, "CNC-02")) is None
