"""Every registered tool has a composer, and the blocks it builds have the shape that the page draws."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from assistant.compose import COMPOSERS
from assistant.compose.said import chart, number, passage, steps, table, warning
from tools.evidence import Column, Evidence, Query, Quote
from tools.registry import all_tools

ZONE = ZoneInfo("Europe/Berlin")
ITEM = Evidence(
    "query", "Orders", (Column("id", "Order", "id"), Column("at", "Created", "time")),
    tuple({"id": f"W{n}", "at": datetime(2026, 6, 17, 7, tzinfo=UTC)} for n in range(60)), "id",
    query=Query("SELECT 1", {}, None, True, 400), marker="E1",
)  # fmt: skip
QUOTE = Quote("Tighten.", "DOC", "Manual", "C", 3, "4.2")


def test_every_tool_has_a_composer():
    assert set(COMPOSERS) == set(all_tools())


def test_a_table_says_how_many_there_are():
    block = table(ITEM, ZONE)
    assert (len(block["rows"]), block["total"], block["truncated"]) == (50, 400, True)
    assert block["rows"][0] == ["W0", "17 Jun 2026 09:00"]
    assert block["values"][0][1] == "2026-06-17T07:00:00+00:00"
    assert (table(ITEM, ZONE, limit=60, derived=True)["total"], table(ITEM, ZONE, limit=60, derived=True)["truncated"]) == (60, False)


def test_the_other_blocks():
    assert number(ITEM, Column("oee", "OEE", "percent"), 0.5, ZONE)["text"] == "50.0 %"
    assert chart(ITEM, "bar", "t", ("day", ["a"]), [{"name": "n", "unit": "", "values": [None]}])["series"][0]["values"] == [None]
    assert passage(ITEM, QUOTE, "log")["page"] == 3
    assert steps(ITEM, QUOTE, [{"n": 1, "text": "x"}])["title"] == "4.2"
    assert warning("Hot.", ITEM) == {"type": "warning", "text": "Hot.", "marker": "E1"}
