"""No message to a capable model holds a person's name unless the policy lets it; the model may ask about the letter it sees."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from langchain_core.messages import AIMessage

from assistant import turn
from assistant.app import Ask
from assistant.llm import LanguageModel, ScriptedChat
from assistant.veil import Veil
from tools.access import POLICY

NAMES = {"Otto Brandt": "otto", "otto": "otto", "Lena Vogt": "lena", "Bo": "bo"}


def test_a_person_is_one_letter_however_they_are_called() -> None:
    veil = Veil(NAMES)
    assert (
        veil.hidden("OTTO and Lena Vogt, otto brandt's shift; the motto of Bo")
        == "person A and person B, person A's shift; the motto of Bo"
    )
    assert veil.lifted({"operator": ["person B", "Person a"], "limit": 3, "text": "person Z"}) == {
        "operator": ["lena", "otto"], "limit": 3, "text": "person Z",
    }  # fmt: skip


def test_letters_go_on_after_z() -> None:
    veil = Veil({f"worker{n:03d}": str(n) for n in range(60)})
    said = veil.hidden(" ".join(f"worker{n:03d}" for n in range(60)))
    assert len(set(said.split("person "))) == 61
    assert "person AA" in said
    assert Veil({}).hidden("Otto") == "Otto"


@pytest.mark.parametrize("may", [False, True])
def test_what_a_model_is_sent(assistant: Any, may: bool) -> None:
    question = "what did the maintenance log of CNC-02 say last week, asked by Sam Becker"
    wish = {
        "name": "list_records",
        "args": {"records": "maintenance_logs", "where": {"equipment": "CNC-02"}, "limit": 20},
        "id": "1",
        "type": "tool_call",
    }
    chat = ScriptedChat(answers=[AIMessage(content="", tool_calls=[wish]), "The log has entries.", "", ""])
    parts = replace(
        assistant.parts,
        language_model=LanguageModel("scripted", chat=chat),
        tool_loop="always",
        policy=replace(POLICY, names_in_prompts=may),
    )
    taken = turn.answer(Ask(question, "sam"), assistant.caller("sam"), assistant.now(), (), parts)
    sent = "\n".join(message.text for messages in chat.asked for message in messages).casefold()
    people = {name for name in assistant.plant.vocabulary("person") if " " in name}
    assert [step["tool"] for step in taken.answer["steps"]] == ["list_records"]
    assert any(name in sent for name in people) is may
    assert ("person a" in sent) is not may
    shown = str(taken.answer["blocks"]).casefold()
    assert any(name in shown for name in people)  # the reader sees whom they may see
