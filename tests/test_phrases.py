"""Filters, periods and counts as a person would say them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.small_plant import build
from tools.conditions import conditions
from tools.phrases import during, metrics_named, verb, what_said, where_said
from tools.plant_model import Plant


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plant]:
    opened = Plant.open(None, str(build(Path(tmp_path_factory.mktemp("plant")) / "mes.sqlite")))
    yield opened
    opened.close()


@pytest.mark.parametrize(
    "said",
    ["last week", "over |the last 30 days", "over the |last two weeks", "yesterday", "on |Sunday", "last Sunday", "on |14 May",
     "on |May 14", "in |May 2026", "in |Q1", "over the |last 24 hours", "in |the week before", "on |the day before", "in the |night shift",
     "in |the last completed night shift (Tue 16 Jun 2026)", "since Monday", "from |1 May to 5 May", "from 1 to 5 May", "from |6 to 8 am",
     "this month", "today", "in |2026", "over the |past fortnight", "over the |past year", "over |the 7 days before", "on |2026-06-03",
     "last quarter", "over |all recorded time"],
)  # fmt: skip
def test_what_stands_before_a_period(said: str) -> None:
    before, _, text = said.rpartition("|")
    assert during(text) == before


@pytest.mark.parametrize(
    ("where", "of", "phrase"),
    [
        ({"line": "LINE-3", "shift": "night"}, True, "of Line 3 in the night shift"),
        ({"product": "XYZ", "equipment": "CNC-01"}, False, "on CNC-01 for Product XYZ"),
        ({"line": ["LINE-1", "LINE-2"]}, True, "of Line 1 or Line 2"),
        ({"line": {"not": "LINE-2"}, "alarm": "502"}, False, "not on Line 2 with alarm 502"),
        ({"duration_min": {"min": 30}}, False, "lasting 30 min or more"),
        ({"age_days": {"min": 7, "max": 30}}, False, "at least 7 days old at most 30 days old"),
        ({"severity": "high", "status": "open"}, False, "of high severity"),
        ({"lot": "88213"}, False, "of lot 88213"),
    ],
)
def test_filters_follow_the_noun(plant: Plant, where: dict[str, object], of: bool, phrase: str) -> None:
    assert where_said(plant, conditions(where), of).lstrip(", ") == phrase


def test_statuses_stand_where_people_put_them() -> None:
    said = {name: what_said("lots", conditions({"status": name})) for name in ("open", "on_hold", "overdue", "below_minimum", "in_stock")}
    assert list(said.values()) == ["open lots", "lots on hold", "overdue lots", "lots below minimum", "lots in stock"]
    assert what_said("orders", conditions({"status": ["open", "overdue"]})) == "open or overdue orders"
    assert what_said("orders", conditions({"status": {"not": "closed"}})) == "orders that are not closed"


@pytest.mark.parametrize(
    ("label", "running", "word"),
    [("OEE", False, "was"), ("Good parts", False, "were"), ("Parts produced", True, "are"), ("Energy per good part", False, "was"),
     ("Most alarms in ten minutes", False, "was"), ("Alarm floods", True, "are"), ("Scrap", True, "is"), ("Loss", False, "was")],
)  # fmt: skip
def test_a_label_and_its_verb_agree(label: str, running: bool, word: str) -> None:
    assert verb(label, running) == word


@pytest.mark.parametrize(
    ("text", "metrics"),
    [
        ("how many alarm floods on line 3 last week", ("alarm_flood_count",)),
        ("Alarm rate and share of time in alarm flood, by line", ("alarm_rate", "alarm_flood_share")),
        ("alarms per operator and 10 minutes this week", ("alarm_rate",)),
        ("chattering alarms last month", ("chattering_alarms",)),
        ("First-pass yield of line 1", ("first_pass_yield",)),
        ("what does alarm 502 mean", ()),
    ],
)
def test_metrics_by_their_names_in_a_question(plant: Plant, text: str, metrics: tuple[str, ...]) -> None:
    assert metrics_named(plant, text) == metrics
