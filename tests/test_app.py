"""The composition root: who asks, when it is, conversations over processes, parts that say what is wrong with them."""

from datetime import datetime

import pytest

from assistant import settings
from assistant.app import Ask, build
from assistant.problems import BadSettings, NotAllowed, NotFound


def test_the_demo_asks_as_sam_and_a_real_plant_wants_a_name(assistant):
    assert assistant.caller(None).user == "sam"
    real = build(assistant.settings.model_copy(update={"demo": False}))
    with pytest.raises(NotAllowed, match="--user"):
        real.caller(None)
    with pytest.raises(NotFound, match="nobody"):
        assistant.caller("nobody")
    real.close()


def test_the_demos_present_and_a_time_without_offset(assistant):
    assert assistant.now().isoformat() == "2026-06-17T09:00:00+02:00"
    assert assistant.now(datetime(2026, 1, 5, 8)).isoformat() == "2026-01-05T08:00:00+01:00"


def test_a_conversation_goes_on_in_another_process(assistant, demo_home):
    first = assistant.ask(Ask("scrap count of line 3 yesterday", "sam", conversation="shared"))
    other = build(settings.load(demo_home))
    second = other.ask(Ask("and line 2?", "sam", conversation="shared"))
    other.close()
    assert first["steps"][0]["arguments"]["where"]["line"] == "LINE-3"
    assert second["steps"][0]["arguments"]["where"]["line"] == "LINE-2"
    assert second["steps"][0]["arguments"]["metrics"] == first["steps"][0]["arguments"]["metrics"]


def test_ready_names_what_is_wrong(assistant, tmp_path):
    assert all(state in ("ok", "not used") for state in assistant.ready().values())
    broken = build(settings.load(tmp_path, plant_url="missing.sqlite", router_model=tmp_path))
    found = broken.ready()
    broken.close()
    assert found["plant"] != "ok"
    assert found["router"] != "ok"
    assert all(state.endswith(".") or state in ("ok", "not used") for state in found.values())


def test_no_plant_is_a_setting(tmp_path):
    empty = build(settings.load(tmp_path))
    with pytest.raises(BadSettings, match="plant_url"):
        _ = empty.plant
    empty.close()


def test_a_policy_file_that_does_not_hold_is_named(tmp_path):
    (tmp_path / "policy.yaml").write_text("tools: {boss: []}")
    made = build(settings.load(tmp_path, policy=tmp_path / "policy.yaml"))
    with pytest.raises(BadSettings, match="boss"):
        _ = made.policy
    made.close()
