"""Guided procedures as a state machine: what blocks a step, what is recorded, resuming, spoken commands, the record."""

import itertools
import random

import pytest

from tools.documents.guided import COMMANDS, Command, Run, advance, blocked_by, given_at, heard, replayed, within
from tools.documents.runs import Overtaken, Runs, record_of
from tools.documents.steps import tree_of
from tools.documents.tree import Source, from_json
from tools.registry import Unavailable

STEPS = tree_of([
    "1. Switch the pump off. Expected result: The pump stands still.",
    "WARNING: Lock out the machine first.",
    "2. Tighten the nut. This keeps it from turning. Expected result: 70 to 80 N m.",
    "3. Check the cell. Expected result: Guards closed, floor dry, lamp green.",
    "4. Run the function test. Expected result: All steps passed; signed by a second person.",
    "5. Take a photo of the gauge. Expected result: Below 4.0 bar.",
])  # fmt: skip
AT = "2026-06-17T09:00:00+00:00"


def _run():
    return Run("RUN-1", "Function test", {"document": "D-1", "revision": "2", "page": 3, "section": "4", "title": "Manual"}, tuple(STEPS), "max", "Max Vogel", AT)


def _do(run, name, **given):
    return advance(run, Command(name, **given), "max", "Max Vogel", AT)


def _at(place):
    run = _run()
    while run.place < place:
        run = _through(run)
    return run


def _through(run):
    """Give a step all that it asks for and leave it."""
    step, check = run.step, run.step["checkpoint"]
    if step["warning"]:
        run = _do(run, "acknowledge").run
    for index, reading in enumerate(check.get("readings", ())):
        low, high = reading["low"], reading["high"]
        run = _do(run, "reading", index=index, value=(low + high) / 2 if low is not None and high is not None else (high - 1 if low is None else low + 1)).run
    for index in range(len(check.get("items", ()))):
        run = _do(run, "tick", index=index).run
    if check.get("photo"):
        run = _do(run, "photo", sha256="a" * 64).run
    if check.get("second_person"):
        run = _do(run, "second", user="quinn", name_of="Quinn Adler").run
    out = _do(run, "next")
    assert out.taken, out.said
    return out.run


def test_the_steps_ask_for_what_their_words_say():
    kinds = [step["checkpoint"]["kind"] for step in STEPS]
    assert kinds == ["confirm", "reading", "checklist", "confirm", "reading"]
    assert STEPS[1]["checkpoint"]["readings"][0] | {"label": ""} == {"label": "", "unit": "N m", "low": 70.0, "high": 80.0, "strict": False, "text": "70 to 80 N m"}
    assert STEPS[2]["checkpoint"]["items"] == ["Guards closed", "floor dry", "lamp green"]
    assert STEPS[3]["checkpoint"]["second_person"]
    assert STEPS[4]["checkpoint"]["photo"]


def test_a_warning_blocks_until_it_is_acknowledged_and_no_deviation_replaces_it():
    run = _do(_at(1), "reading", value=75).run
    assert not _do(run, "next").taken
    run = _do(run, "deviate", reason="no lock at hand").run
    assert "warning" in _do(run, "next").said.lower()
    assert _do(_do(run, "acknowledge").run, "next").taken


@pytest.mark.parametrize(("value", "fits"), [(70, True), (80, True), (75.5, True), (69.99, False), (80.01, False), (-75, False)])
def test_a_reading_blocks_outside_its_limits(value, fits):
    run = _do(_do(_at(1), "acknowledge").run, "reading", value=value).run
    assert _do(run, "next").taken is fits
    assert run.events[-1].data["within"] is fits


def test_a_strict_limit_excludes_its_bound():
    reading = STEPS[4]["checkpoint"]["readings"][0]
    assert (reading["high"], reading["strict"]) == (4.0, True)
    assert within(reading, 3.999)
    assert not within(reading, 4.0)


def test_a_deviation_needs_a_reason_and_lets_a_reading_pass():
    run = _do(_do(_at(1), "acknowledge").run, "reading", value=60).run
    assert not _do(run, "deviate", reason=" ").taken
    passed = _do(_do(run, "deviate", reason="nut replaced, 60 N m is its own limit").run, "next")
    assert passed.taken
    assert [event.command for event in passed.run.events if event.step == 1] == ["acknowledge", "reading", "deviate", "next"]


def test_a_checklist_a_second_person_and_a_photo_block():
    run = _at(2)
    for index in (0, 1):
        run = _do(run, "tick", index=index).run
        assert not _do(run, "next").taken
    run = _do(run, "tick", index=2).run
    assert _do(run, "next").taken
    run = _at(3)
    assert not _do(run, "second", user="max", name_of="Max Vogel").taken
    assert not _do(_do(run, "deviate", reason="nobody is here").run, "next").taken
    assert _do(_do(run, "second", user="quinn", name_of="Quinn").run, "next").taken
    run = _do(_at(4), "reading", value=3.5).run
    assert not _do(run, "next").taken
    assert not _do(run, "photo", sha256="not a hash").taken
    assert _do(_do(run, "photo", sha256="b" * 64).run, "next").run.state == "finished"


def test_looking_changes_nothing_and_says_reason_page_and_step():
    run = _at(1)
    assert "keeps it from turning" in _do(run, "why").said
    assert _do(run, "page").show == "page"
    assert "70 to 80 N m" in _do(run, "repeat").said
    for name in ("why", "page", "repeat"):
        assert _do(run, name).run is run


def test_every_command_in_every_state_never_skips_a_step_and_replays_to_itself():
    """Random walks over all commands: a step is left forwards only unblocked, and the events alone give the run back."""
    random.seed(7)
    for _ in range(150):
        run = _run()
        for _ in range(60):
            command = Command(
                random.choice(COMMANDS), index=random.choice([0, 1, 2, 5]), value=random.choice([None, 75, 3.0, 200, float("nan")]),
                reason=random.choice(["", "a reason"]), sha256=random.choice(["", "c" * 64]), user=random.choice(["", "max", "quinn"]), name_of="Q",
            )  # fmt: skip
            if command.name == "stop" and random.random() < 0.9:
                continue
            free = not blocked_by(run)
            out = advance(run, command, "max", "Max", AT)
            if out.run.place > run.place or (out.run.state == "finished" != run.state):
                assert command.name == "next"
                assert free
                assert out.run.place - run.place <= 1
            if not out.taken:
                assert out.run == run
            run = out.run
        assert replayed(_run(), run.events) == run


def test_what_ended_goes_on_no_more():
    stopped = _do(_run(), "stop", reason="fire drill").run
    for name in set(COMMANDS) - {"repeat", "why", "page"}:
        assert not _do(stopped, name, reason="x y z", sha256="d" * 64, user="quinn").taken


@pytest.mark.parametrize(
    ("words", "name", "value"),
    [("next", "next", None), ("Done!", "next", None), ("go back", "back", None), ("why?", "why", None), ("show me the page", "page", None),
     ("seventy", None, None), ("72.5", "reading", 72.5), ("the reading is 72,5 bar", "reading", 72.5), ("deviation because the seal is worn", "deviate", None),
     ("what is the oee", None, None)],
)  # fmt: skip
def test_the_voice_drives_the_same_machine(words, name, value):
    found = heard(words)
    assert (found.name if found else None) == name
    if value is not None:
        assert found.value == value


def test_a_run_is_resumed_after_a_restart_and_two_devices_do_not_mix(tmp_path):
    path = tmp_path / "guided.sqlite"
    run = Runs(path).start(_run())
    after = _do(run, "next").run
    Runs(path).append(run, after)
    again = Runs(path).get(run.id)
    assert again == after
    one, two = _do(again, "acknowledge").run, _do(again, "note", reason="second tablet").run
    Runs(path).append(again, one)
    with pytest.raises(Overtaken):
        Runs(path).append(again, two)
    assert Runs(path).get(run.id) == one
    assert [item.id for item in Runs(path).open_runs("max")] == [run.id]
    assert Runs(path).open_runs("olivia") == []
    with pytest.raises(KeyError):
        Runs(path).get("RUN-NONE")


def test_events_cannot_be_changed_or_removed(tmp_path):
    import sqlite3

    runs = Runs(tmp_path / "guided.sqlite")
    run = runs.start(_run())
    runs.append(run, _do(run, "next").run)
    with sqlite3.connect(runs.path) as db:
        for sql in ("UPDATE events SET body = '{}'", "DELETE FROM events"):
            with pytest.raises(sqlite3.DatabaseError):
                db.execute(sql)


def test_a_store_that_cannot_be_written_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(Unavailable, match="guided runs"):
        Runs(tmp_path / "file" / "guided.sqlite").start(_run())


def test_the_record_holds_every_reading_deviation_and_person():
    run = _do(_do(_at(1), "acknowledge").run, "reading", value=60).run
    run = _do(run, "deviate", reason="other nut").run
    run = _do(run, "next").run
    while run.state == "running":
        run = _through(run)
    document = record_of(run, "Berlin Works", Source("E1", "document", "Manual", document="D-1", revision="2", page=3), AT)
    text = document.canonical()
    for words in ("60 N m (outside)", "other nut", "Quinn Adler", "Max Vogel", "3 bar", run.id):
        assert words in text, words
    assert from_json(text).canonical() == text
    assert len(next(part for section in document.sections for part in section.parts if part["part"] == "table")["rows"]) == len(STEPS)
    assert {source.marker for source in document.sources} == {"E1", "E2"}


def test_given_is_kept_when_a_step_is_gone_back_to():
    run = _do(_at(2), "back").run
    assert run.place == 1
    assert given_at(run, 1).acknowledged
    assert not blocked_by(run)
    assert all(isinstance(pair, tuple) for pair in itertools.pairwise(given_at(run, 1).readings.items()))
