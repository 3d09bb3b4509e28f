"""Components of published causes, parts that belong to them, and causes counted one vote an order."""

from types import SimpleNamespace

import pytest

from tools.alarms import _components, _is_for, read_without_letter
from tools.evidence import Column, Evidence
from tools.maintenance import cause_counts

ENTRY = SimpleNamespace(
    cause="a) Oil filter clogged by fines b) Worn gear pump or suction leak c) Level sensor stuck", remedy="Replace filter FLT-1."
)


def test_components_of_enumerated_causes():
    assert _components(ENTRY) == ("oil filter", "gear pump", "level sensor")
    assert _components(SimpleNamespace(cause="Unknown", remedy="Clean nozzle. Replace vacuum pump")) == ("nozzle", "vacuum pump")
    assert _components(None) == ()


def test_parts_of_the_same_family_are_told_apart():
    wanted, components = {"filter"}, ("oil filter",)
    assert _is_for("Oil filter element 10 µm", wanted, components)
    assert not _is_for("Cabinet filter mat", wanted, components)
    assert not _is_for("Oil pump", wanted, components)


def test_causes_are_counted_once_an_order_by_the_last_word():
    columns = (Column("id", "Id", "id"), Column("text", "Text"))
    rows = (
        {"id": "L4", "order": "W2", "text": "pump seized, new one in", "duration_min": 30},
        {"id": "L3", "order": "W2", "text": "checked oil filter, dirty", "duration_min": 10},
        {"id": "L2", "order": "W1", "text": "oil fltr blocked, replaced", "duration_min": 20},
        {"id": "L1", "order": None, "text": "reset, ok", "duration_min": None},
    )
    counted = cause_counts(None, Evidence("query", "log", columns, rows, "id"), ("oil filter", "gear pump"))
    assert [(row["cause"], row["count"], row["minutes"]) for row in counted.rows] == [
        ("gear pump", 1, 40), ("oil filter", 1, 20), ("not stated", 1, None),
    ]  # fmt: skip
    assert counted.facts["cases"][1] == 3


@pytest.mark.parametrize(("asked", "listed", "said"), [("F504", "504", True), ("alarm 504", "504", False), ("AL-504", "504", False), ("F504", "F504", False)])
def test_a_letter_that_no_list_writes_is_said(asked, listed, said):
    assert bool(read_without_letter(asked, listed)) is said
