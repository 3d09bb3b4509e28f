"""Passages and procedures as answers: quoted with their anchor, warnings before their step, silence below the line."""

from datetime import UTC, datetime
from types import SimpleNamespace

from retrieval.index import Anchor, Hit, Passage
from tools.access import Caller
from tools.manuals import get_procedure, machine_of, search_documents, step_lines
from tools.registry import Call

MACHINE = SimpleNamespace(id="CNC-02", name="CNC-02", cls="cnc", variant="VX-500", software="4.2")
NOW = datetime(2026, 6, 17, 9, tzinfo=UTC)
PLANT = SimpleNamespace(equipment={"CNC-02": MACHINE})


def _passage(text, kind="manual", steps=(), section="4.2", author=""):
    return Passage(text, text, kind, "steps" if steps else "paragraph", Anchor("DOC", "C", 7, section), "Manual", steps=steps, author=author)


class FakeIndex:
    def __init__(self, *hits):
        self.hits, self.asked = list(hits), None

    def search(self, query, k, **filters):
        self.asked = (query, filters)
        return self.hits

    def procedures(self, task, **filters):
        self.asked = (task, filters)
        return self.hits

    def documents(self, on=None):
        return [SimpleNamespace(status="effective", kind="manual", access="plant"), SimpleNamespace(status="superseded", kind="manual", access="plant")]


def _call(index, equipment=None):
    return Call(Caller("sam", "Sam", "supervisor"), NOW, PLANT, index, equipment)


def test_a_passage_is_quoted_with_its_anchor():
    index = FakeIndex(Hit(_passage("Tighten to 45 N m."), 0.9, ("dense",)))
    result = search_documents(_call(index, "CNC-02"), "torque")
    quote = result.evidence[0].quotes[0]
    assert (quote.text, quote.document, quote.revision, quote.page, quote.section) == ("Tighten to 45 N m.", "DOC", "C", 7, "4.2")
    asked = index.asked[1]
    assert (asked["equipment"], asked["variant"], asked["software"], asked["on"]) == ("CNC-02", "VX-500", "4.2", NOW.date())


def test_below_the_line_nothing_is_quoted_and_the_search_is_told():
    result = search_documents(_call(FakeIndex(Hit(_passage("x"), 0.1, ("dense",)))), "wheel nuts")
    assert result.status == "no_data"
    assert result.message == "I searched 1 effective documents and found nothing about “wheel nuts”."


def test_approved_documents_stand_above_logs():
    log, book = Hit(_passage("a log", "log", author="Max"), 0.8, ("dense",)), Hit(_passage("the manual"), 0.75, ("dense",))
    assert search_documents(_call(FakeIndex(log, book)), "q").evidence[0].quotes[0].text == "the manual"


def test_an_unknown_machine_is_kept_as_said():
    index = FakeIndex(Hit(_passage("x"), 0.9, ("dense",)))
    search_documents(_call(index), "torque", "VX-500")
    assert index.asked[0] == "torque VX-500"
    assert machine_of(_call(index), "VX-500").known is False


def test_warnings_stand_before_their_step_and_none_is_lost():
    steps = ("1. Stop.", "WARNING: Hot.", "CAUTION: Sharp.", "2. Open.", "DANGER: Close again.")
    lines = step_lines(_passage("p", steps=steps))
    assert [line["n"] for line in lines] == [1, 2]
    assert lines[1]["text"] == "Open."
    assert lines[1]["warning"] == "WARNING: Hot. CAUTION: Sharp. DANGER: Close again."
    assert "warning" not in lines[0]


def test_a_procedure_comes_whole():
    found = get_procedure(_call(FakeIndex(Hit(_passage("p", "sop", ("1. Stop.", "2. Open.")), 0.9, ("dense",)))), "open it")
    assert [quote.text for quote in found.evidence[0].quotes[1:]] == ["1. Stop.", "2. Open."]
    assert found.evidence[0].facts["steps"][1] == 2
