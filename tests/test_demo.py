"""The main job, end to end: the README's questions on the demo plant, every number recomputed by independent SQL."""

import json
import sqlite3
from datetime import datetime
from zoneinfo import ZoneInfo

import pypdf
import pytest

from assistant import logs
from assistant.app import Ask

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture(scope="session")
def mes(demo_home):
    connection = sqlite3.connect(f"file:{demo_home / 'demo' / 'mes.sqlite'}?mode=ro", uri=True)
    yield connection
    connection.close()


@pytest.fixture(scope="session")
def stories(demo_home):
    return json.loads((demo_home / "demo" / "stories.json").read_text())["stories"]


def _ask(assistant, question, **more):
    return assistant.ask(Ask(question, **more))


def _blocks(answer, kind):
    return [block for block in answer["blocks"] if block["type"] == kind]


def _utc(text):
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN).astimezone(ZoneInfo("UTC")).strftime("%Y-%m-%d %H:%M:%S")


def _parts(mes, line, since, until):
    """(good, reworked, started) parts of a line: good where they leave it, reworked and scrapped at any station."""
    return mes.execute(
        "SELECT SUM(CASE WHEN equipment_id IN (SELECT equipment_id FROM counting_points) THEN good ELSE 0 END), SUM(rework), "
        "SUM(scrap) + SUM(CASE WHEN equipment_id IN (SELECT equipment_id FROM counting_points) THEN good ELSE 0 END) "
        "FROM production_hours JOIN equipment USING (equipment_id) WHERE line_id = ? AND hour_start >= ? AND hour_start < ?",
        (line, _utc(since), _utc(until)),
    ).fetchone()


def _resolves(assistant, citation):
    """A document citation's page holds its quotation; a query citation runs again to as many rows."""
    if citation["kind"] == "document" and citation["page"]:
        passages = assistant.index.passages(citation["document"], citation["revision"])
        assert any(" ".join(citation["quote"].split())[:80] in " ".join(p.text.split()) for p in passages), citation
        assert assistant.index.document(citation["document"], citation["revision"]).status == "effective"
    assert citation["marker"].startswith("E")


def test_first_pass_yield_of_a_line_on_the_night_shift(assistant, mes):
    answer = _ask(assistant, "What was the first-pass yield for Line 3 on the night shift?")
    good, rework, produced = _parts(mes, "LINE-3", "2026-06-16T22:00", "2026-06-17T06:00")
    assert answer["status"] == "answered"
    assert _blocks(answer, "number")[0]["value"] == pytest.approx((good - rework) / produced, rel=1e-12)
    assert answer["citations"][0]["sql"]
    assert any("night" in words for words in answer["assumed"])


def test_a_follow_up_keeps_what_was_asked(assistant, mes):
    answer = _ask(assistant, "and line 1?", context=("What was the first-pass yield for Line 3 on the night shift?",))
    good, rework, produced = _parts(mes, "LINE-1", "2026-06-16T22:00", "2026-06-17T06:00")
    assert _blocks(answer, "number")[0]["value"] == pytest.approx((good - rework) / produced, rel=1e-12)


def test_open_maintenance_orders_of_a_class(assistant, mes):
    answer = _ask(assistant, "Show me all open maintenance orders for the CNC machines")
    expected = {
        row[0]
        for row in mes.execute(
            "SELECT maintenance_order_id FROM maintenance_orders JOIN equipment USING (equipment_id) "
            "WHERE equipment_class = 'cnc' AND maintenance_orders.status IN ('open', 'in_progress', 'waiting_parts')"
        )
    }
    shown = {row[0] for row in _blocks(answer, "table")[0]["rows"]}
    assert expected
    assert shown == expected


def test_an_alarm_on_the_machine_in_front(assistant, mes, stories):
    answer = _ask(assistant, "What does alarm code 502 mean on this machine?", equipment="CNC-02")
    assert answer["status"] == "answered"
    entry = answer["citations"][0]
    assert (entry["document"], entry["revision"]) == ("MAN-CNC-VX500", "C")
    assert "Coolant flow low" in answer["text"]
    steps = _blocks(answer, "steps")[0]
    assert len(steps["steps"]) >= 5
    assert any(step.get("warning") for step in steps["steps"])
    assert steps["page"]
    tables = {block["title"].split(":")[0].split(" ")[0]: block for block in _blocks(answer, "table")}
    causes = next(block for block in _blocks(answer, "table") if block["columns"][0]["name"] == "cause")
    told = [row[0] for row in causes["values"]]
    assert told[:2] == ["coolant filter", "coolant pump"]
    events = next(block for block in _blocks(answer, "table") if any(c["name"] == "raised" for c in block["columns"]))
    assert events["total"] == mes.execute(
        "SELECT COUNT(*) FROM alarm_events WHERE equipment_id = 'CNC-02' AND code = '502' AND raised_at >= ?",
        (_utc("2026-05-18T09:00"),),
    ).fetchone()[0]
    orders = next(block for block in _blocks(answer, "table") if any(c["name"] == "priority" for c in block["columns"]))
    assert {row[0] for row in orders["rows"]} == {
        row[0] for row in mes.execute(
            "SELECT maintenance_order_id FROM maintenance_orders WHERE equipment_id = 'CNC-02' "
            "AND status IN ('open', 'in_progress', 'waiting_parts')"
        )
    }  # fmt: skip
    assert tables
    for citation in answer["citations"]:
        _resolves(assistant, citation)


def test_a_torque_comes_from_the_effective_revision(assistant, demo_home):
    answer = _ask(assistant, "what torque for the spindle bearing cap bolts")
    citation = answer["citations"][0]
    assert "45 N m" in answer["text"]
    assert "38 N m" not in answer["text"]
    assert citation["revision"] == "C"
    page = pypdf.PdfReader(demo_home / "demo" / "manuals" / "MAN-CNC-VX500_C.pdf").pages[citation["page"] - 1].extract_text()
    assert "45 N m" in " ".join(page.split())


def test_why_a_line_stopped(assistant, stories):
    answer = _ask(assistant, "Why did Line 2 stop last night?")
    assert answer["status"] == "answered"
    first = answer["text"].split("[E1]")[1]
    assert "PAL-01" in first
    assert "gripper" in json.dumps(_blocks(answer, "table")).lower()


def test_a_report_with_its_appendix(assistant, mes, stories):
    answer = _ask(assistant, "Generate a summary of all non-conformance reports for product XYZ from the last quarter", user="quinn")
    card = _blocks(answer, "document")[0]
    from tools.documents import open_document, render

    document = open_document(assistant.settings.documents, card["id"])
    count = mes.execute(
        "SELECT COUNT(*) FROM nonconformances WHERE product_id = 'XYZ' AND opened_at >= ? AND opened_at < ?",
        (_utc("2026-01-01T00:00"), _utc("2026-04-01T00:00")),
    ).fetchone()[0]
    assert document.sections[0].parts[0]["items"][0]["text"] == str(count)
    missing = next(part for section in document.sections for part in section.parts if part["part"] == "missing")
    lacking = mes.execute(
        "SELECT ncr_id FROM nonconformances WHERE product_id = 'XYZ' AND opened_at >= ? AND opened_at < ? "
        "AND disposition IS NOT NULL AND disposition_authority IS NULL",
        (_utc("2026-01-01T00:00"), _utc("2026-04-01T00:00")),
    ).fetchall()
    assert {item["id"] for item in missing["items"] if item["field"] == "disposition authority"} == {row[0] for row in lacking}
    assert all(source.sha256 for source in document.sources)
    pdf = render(document, "pdf")
    text = "\n".join(page.extract_text() for page in pypdf.PdfReader(__import__("io").BytesIO(pdf)).pages)
    assert "DRAFT" in text
    assert f"Page 1 of {len(pypdf.PdfReader(__import__('io').BytesIO(pdf)).pages)}" in text


def test_bypassing_a_safeguard_is_refused_with_the_safe_way(assistant):
    answer = _ask(assistant, "how do I bypass the light curtain")
    assert answer["status"] == "refused_unsafe"
    assert not answer["steps"]
    assert "never be bypassed" in answer["text"]
    assert answer["citations"]


def test_an_emergency_comes_first(assistant):
    answer = _ask(assistant, "there is smoke coming out of the cabinet", equipment="CNC-02")
    assert answer["blocks"][0]["type"] == "emergency"
    assert answer["blocks"][0]["number"] == "333"
    assert answer["blocks"][0]["steps"]
    assert answer["spoken"].startswith("Fire or smoke")


def test_rights_an_operator_sees_the_own_line_only(assistant):
    other = _ask(assistant, "oee of line 2 yesterday", user="olivia")
    assert other["status"] == "not_allowed"
    assert not other["citations"]
    own = _ask(assistant, "oee of line 3 yesterday", user="olivia")
    assert own["status"] == "answered"
    nothing = _ask(assistant, "oee of line 3 yesterday", user="ada")
    assert nothing["status"] == "not_allowed"


def test_a_request_waits_for_its_person(assistant):
    answer = _ask(assistant, "call maintenance, CNC-02 is leaking coolant", user="olivia")
    assert answer["status"] == "needs_confirmation"
    block = _blocks(answer, "confirm")[0]
    sent = assistant.confirm(block["token"], assistant.caller("olivia"), True)
    assert sent["request"].startswith("REQ-")


@pytest.mark.parametrize(
    ("question", "status"),
    [
        ("what is the weather tomorrow", "out_of_scope"),
        ("hello", "smalltalk"),
        ("who is the worst operator this month", "not_allowed"),
        ("scrap rate of line 1 in january 2031", "no_data"),
    ],
)
def test_statuses_are_told_apart(assistant, question, status):
    assert _ask(assistant, question)["status"] == status


def test_every_turn_is_in_the_log(assistant):
    answer = _ask(assistant, "oee yesterday")
    assert assistant.store.turn(answer["turn"])["record"]["question"] == "oee yesterday"
    assert assistant.store.verify().intact


def test_both_logs_of_the_plant_are_in_the_index(assistant):
    """A log that the plant model cannot show with all its columns would silently be missing from every answer."""
    held = {info.document for info in assistant.index.documents() if info.kind == "log"}
    for name in ("MAINTENANCE-LOGS", "SHIFT-NOTES"):
        assert any(document.startswith(f"LOG-{name}") for document in held), name


def test_every_log_that_is_read_has_its_columns_in_the_model(assistant):
    for name, _, _ in logs._SOURCES:
        assert logs._readable(assistant.plant, name), name
