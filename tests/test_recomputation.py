"""Certified metrics against a second implementation in plain Python over the raw rows (evals/metric_questions.py): a small
plant whose clocks change, and the demo plant; 60 questions each in the normal run, hundreds in the long one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from evals.metric_questions import Question, disagreement, questions
from evals.plant import UNTIL as DEMO_UNTIL
from evals.recomputation import Raw
from tests.small_plant import SUPERVISOR, UNTIL, ZONE, build, period
from tools.plant_model import Plant

AUTUMN, SPRING = date(2025, 10, 26), date(2026, 3, 29)


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Raw, Plant]]:
    path = build(Path(tmp_path_factory.mktemp("plant")) / "mes.sqlite")
    plant = Plant.open(None, str(path))
    yield Raw(path, ZONE, UNTIL), plant
    plant.close()


@pytest.fixture(scope="session")
def demo(demo_home: Path) -> Iterator[tuple[Raw, Plant]]:
    path = demo_home / "demo" / "mes.sqlite"
    plant = Plant.open(None, str(path))
    yield Raw(path, ZoneInfo("Europe/Berlin"), DEMO_UNTIL), plant
    plant.close()


def differences(raw: Raw, plant: Plant, asked: list[Question]) -> list[str]:
    found = [(question, disagreement(raw, plant, SUPERVISOR, question)) for question in asked]
    return [f"{question}: {wrong}" for question, wrong in found if wrong]


def test_generated_questions_over_the_change_of_clocks(small: tuple[Raw, Plant]) -> None:
    assert differences(*small, questions(small[0], 120, clock_change=AUTUMN)) == []


def test_generated_questions_over_the_demo_plant(demo: tuple[Raw, Plant]) -> None:
    asked = questions(demo[0], 60, clock_change=SPRING)
    kinds = Counter(question.kind for question in asked)
    assert set(kinds) == {"plain", "filtered", "grouped", "thresholds and ranks", "compared"}
    assert differences(*demo, asked) == []


@pytest.mark.long
def test_hundreds_of_questions_over_both_plants(small: tuple[Raw, Plant], demo: tuple[Raw, Plant]) -> None:
    for pair, change in ((small, AUTUMN), (demo, SPRING)):
        for seed in (11, 12, 13):
            assert differences(*pair, questions(pair[0], 400, seed, change)) == []


def test_the_second_implementation_notices_a_wrong_figure(small: tuple[Raw, Plant]) -> None:
    """One row more in the plain rows than in the database, and nearly every figure that holds it is called different."""
    raw, plant = small
    week = Question("good_count", {}, (), period(raw.midnight(date(2025, 10, 20)), raw.midnight(date(2025, 10, 27))))
    assert disagreement(raw, plant, SUPERVISOR, week) is None
    row = next(row for row in raw.tables["production_hours"] if week.span.start <= row["hour_start"] < week.span.end)
    row["good"] += 1
    try:
        assert disagreement(raw, plant, SUPERVISOR, week) is not None
    finally:
        row["good"] -= 1
