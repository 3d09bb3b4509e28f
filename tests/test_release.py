"""Composers that lie: the lie never comes out, the truth beside it does."""

from types import SimpleNamespace
from zoneinfo import ZoneInfo

from assistant.compose.said import Said
from assistant.release import release
from tools.evidence import Column, Evidence, Query, Quote, slot
from tools.registry import Result, Step

PLANT = SimpleNamespace(zone=ZoneInfo("Europe/Berlin"), vocabulary=lambda kind: {"cnc-02": "CNC-02", "line 3": "LINE-3"})
DATA = Evidence(
    "query", "Scrap", (Column("machine", "Machine"), Column("scrap", "Scrap", "count")),
    ({"machine": "CNC-01", "scrap": 3}, {"machine": "CNC-02", "scrap": 70}), "machine",
    query=Query("SELECT 1", {}, None, True, 2), marker="E1",
)  # fmt: skip


def _step(status="answered", evidence=(DATA,), message=""):
    return Step("query_metrics", {}, Result(status, tuple(evidence), message), 1.0)


def test_true_sentences_pass_with_their_markers_and_lies_do_not():
    said = Said(
        (f"{slot(DATA, 'machine', 1)} scrapped {slot(DATA, 'scrap', 1)}.", f"{slot(DATA, 'machine', 0)}: {slot(DATA, 'scrap', 1)}", "CNC-02 was best [E1]"),
        spoken=(f"{slot(DATA, 'machine', 1)}: {slot(DATA, 'scrap', 1)} parts [E1].", "and 5 more"),
    )
    out = release([(_step(), said)], PLANT)
    assert out.text == "CNC-02 scrapped 70. [E1]"
    assert out.spoken == "CNC-02: 70 parts."
    assert out.citations[0]["sql"] == "SELECT 1"
    assert out.status == "answered"


def test_an_emergency_is_never_suppressed():
    block = {"type": "emergency", "text": "Call 333 now."}
    out = release([(_step("no_data", (), "Nothing was found."), Said())], PLANT, (block,))
    assert out.blocks[0] == block
    assert out.spoken.startswith("Call 333 now.")
    assert out.status == "no_data"


def test_statuses_of_several_steps():
    pairs = [(_step(), Said((slot(DATA, "scrap", 0),))), (_step("not_allowed", (), "Not for your role."), Said())]
    out = release(pairs, PLANT)
    assert out.status == "partial"
    assert "Not for your role." in out.text


def test_a_quotation_may_hold_any_digit():
    quote = Quote("Tighten to 45 N m.", "MAN-1", "Manual", "C", 12, "4.2")
    item = Evidence("document", "Manual", quotes=(quote,), marker="E1")
    out = release([(_step(evidence=(item,)), Said((f"It says: “{slot(item, 'quote0')}”",)))], PLANT)
    assert out.text == "It says: “Tighten to 45 N m.” [E1]"
    assert out.citations[0]["page"] == 12
