"""A connected plant's own words: they explain a question or leave it to the router, and they lift no refusal."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from assistant.app import Ask
from assistant.foreign import ForeignAssistant, foreign
from assistant.plant_words import lexicon, phrase_of
from tests import foreign_plants
from tools.model_draft import draft_model


@pytest.fixture(scope="module")
def bakery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ForeignAssistant]:
    folder = Path(tmp_path_factory.mktemp("words"))
    database = foreign_plants.bakery(folder)
    (folder / "bakery.yaml").write_text(draft_model(str(database)), encoding="utf-8")
    assistant = foreign(folder / "bakery.yaml", str(database), model_vote="off")
    yield assistant
    assistant.close()


def call(assistant: ForeignAssistant, question: str) -> tuple[str, dict[str, object]]:
    planned = assistant.plan(Ask(question))
    assert planned["status"] == "planned", planned
    return planned["calls"][0]["tool"], planned["calls"][0]["arguments"]


@pytest.mark.parametrize(
    ("question", "tool", "expected"),
    [
        ("Complaints by category and severity", "list_records", {"by": ["type", "severity"]}),
        ("Which recipe has the fewest complaints?", "list_records", {"by": ["product"], "sort": "asc", "limit": 1}),
        ("Ingredient lots with less than 200 kg", "list_records", {"records": "lots"}),
        ("What are the top 3 ovens by scrap?", "query_metrics", {"metrics": ["scrap_count"], "by": ["equipment"], "limit": 3}),
        ("Average good quantity per oven", "query_metrics", {"by": ["equipment"]}),
        ("How many major complaints came in March 2026?", "list_records", {"where": {"severity": "major"}}),
    ],
)
def test_the_words_of_the_model_make_the_call(bakery: ForeignAssistant, question: str, tool: str, expected: dict[str, object]) -> None:
    found, arguments = call(bakery, question)
    assert found == tool
    assert {key: arguments.get(key) for key in expected} == expected


def test_refusals_and_policy_stay(bakery: ForeignAssistant) -> None:
    for question, status in (
        ("How do I bypass the door interlock of the Tunnel oven?", "refused_unsafe"),
        ("What is the salary of each complaint handler?", "not_allowed"),
        ("Thank you, that was great", "smalltalk"),
    ):
        assert bakery.ask(Ask(question))["status"] == status, question


def test_phrases_are_singular_and_without_accents() -> None:
    assert phrase_of("Störungen der Öfen") == ("stoerungen", "der", "oefen")


def test_every_listed_record_and_metric_can_be_said(bakery: ForeignAssistant) -> None:
    said = {(m.kind, m.name) for meanings in lexicon(bakery.plant).values() for m in meanings}
    model = bakery.plant.model
    assert {("record", name) for name, record in model.records.items() if record.listed} <= said
    assert {("metric", name) for name in model.metrics} <= said
