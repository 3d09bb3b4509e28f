"""Which alarm list is meant: asked where several know the number and mean different things, and nowhere else."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from retrieval.index import AlarmEntry, Anchor, Passage
from tools.alarm_choice import meant, named
from tools.registry import Result

MACHINES = {
    name: SimpleNamespace(id=name, name=name.title(), cls=cls)
    for name, cls in (("MILL-1", "mill"), ("MILL-2", "mill"), ("PACK-1", "packer"))
}


def entry(title: str, list_name: str = "Alarms", document: str = "M", of_class: str = "", code: str = "310", **fields: str) -> AlarmEntry:
    passage = Passage(
        f"{document}#{list_name}", title, "manual", "alarm", Anchor(document, "A", 1, list_name), document, equipment_class=of_class
    )
    return AlarmEntry(code, title, passage, list_name=list_name, **fields)


def call(question: str = "what is alarm 310", **folders: str) -> Any:
    documents = [SimpleNamespace(document=name, source=f"/manuals/{folder}/list.json") for name, folder in folders.items()]
    index = SimpleNamespace(documents=lambda: documents)
    return SimpleNamespace(question=question, plant=SimpleNamespace(equipment=MACHINES), index=index)


def asked(found: object) -> Result:
    assert isinstance(found, Result)
    assert found.status == "needs_clarification"
    return found


def test_machines_that_mean_different_things_are_asked_for_by_name():
    mill, packer = entry("Reference lost", document="A", of_class="mill"), entry("Flap open", document="B", of_class="packer")
    press = entry("Ram lost", document="C", of_class="press", code="E310")
    found = asked(meant(call(), "310", [mill, packer], [mill, packer, press], of_one_machine=False))
    assert [(c.label, c.question) for c in found.choices] == [
        ("Mill-1, Mill-2: Reference lost", "alarm 310 on MILL-1"), ("Pack-1: Flap open", "alarm 310 on PACK-1"),
        ("Alarms: Ram lost", "Alarms: what is alarm E310?"),
    ]  # fmt: skip
    assert meant(call("the packer shows 310"), "310", [mill, packer], [], of_one_machine=False) is packer


def test_one_meaning_is_answered():
    one = entry("Flap open", document="A", remedy="Close it.")
    assert meant(call(), "310", [one, entry("Flap open", document="B", remedy="Close it.")], [], of_one_machine=False) is one
    asked(meant(call(), "310", [one, entry("Flap open", document="B", remedy="Call the electrician.")], [], of_one_machine=False))
    assert meant(call(), "310", [], [], of_one_machine=False) is None


def test_the_very_same_words_of_two_machines_are_still_two_alarms():
    both = [entry("Drive fault", document=name, of_class=name) for name in ("mill", "packer")]
    assert len(asked(meant(call(), "310", both, [], of_one_machine=False)).choices) == 2


LISTS = [
    entry("Current overlimit of the joint", "Servo Error Code"), entry("Gripper current overlimit", "Gripper Error Code"),
    entry("Object slipped", "Bio Gripper Error Code"),
]  # fmt: skip


def test_lists_of_one_machine_whose_numbers_collide_are_asked_for_by_list():
    found = asked(meant(call(), "310", LISTS, [], of_one_machine=True))
    assert [c.question for c in found.choices] == [f"{e.list_name}: what is alarm 310?" for e in LISTS]


@pytest.mark.parametrize("number", range(len(LISTS)))
def test_what_a_choice_asks_names_its_list(number: int):
    """A person who taps is answered and not asked again."""
    questions = [c.question for c in asked(meant(call(), "310", LISTS, [], of_one_machine=True)).choices]
    assert meant(call(questions[number]), "310", LISTS, [], of_one_machine=True) is LISTS[number]


def test_a_summary_and_the_section_it_points_to_are_one_alarm():
    summary, section = entry("Coolant flow low", "Summary"), entry("Coolant flow low at the spindle", "Coolant")
    assert meant(call(), "310", [summary, section], [], of_one_machine=True) is summary
    own_list = entry("Linear motor: motor overload", "Linear Motor Error Code")
    asked(meant(call(), "310", [entry("Motor overload", "Servo Code"), own_list], [], of_one_machine=True))


def test_of_a_known_machine_another_document_does_not_ask():
    bulletin = entry("Something else entirely", document="B", of_class="mill")
    first = entry("Reference lost", document="A", of_class="mill")
    assert meant(call(), "310", [first, bulletin], [], of_one_machine=True) is first


def test_the_list_that_the_question_names():
    lists = [entry("x", heading, "Acme arm") for heading in ("Gripper Error Code", "LinearMotor Error Code", "Servo Code")]
    assert named(lists, "acme linear motor error 12") is lists[1]
    assert named(lists, "12 on the servo") is lists[2]
    assert named(lists, "acme error code 12") is None


def test_the_folder_of_a_list_names_it_and_the_word_alarm_names_none():
    lists = [entry("Power lost", "alarm list", "alarm_list"), entry("Bus fault", "errors", "errors")]
    asked(meant(call("what is alarm 310"), "310", lists, [], of_one_machine=False))
    found = meant(call("acme: what is alarm 310", errors="acme", alarm_list="other"), "310", lists, [], of_one_machine=False)
    assert found is lists[1]
