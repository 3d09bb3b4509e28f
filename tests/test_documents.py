"""Drafts: every kind, figures recomputed by SQL, hostile text as text, scope of readers, nothing written about nothing."""

import io
import json
import sqlite3
import zipfile
from dataclasses import replace

import pypdf
import pytest

from assistant.problems import BadQuestion, NotAllowed, NotFound
from tools.documents import FORMATS, kinds, open_document, render
from tools.documents.tree import Document, Section, Source, from_json

ARGUMENTS = {
    "ncr_summary": {"product": "XYZ", "period": "last quarter"}, "oee_report": {"line": "line 1"}, "shift_handover": {"line": "line 2"},
    "maintenance_report": {}, "troubleshooting_guide": {"alarm": "502", "equipment": "CNC-02"},
    "sop": {"task": "clean the coolant tank"}, "work_instruction": {"task": "changing the coolant filter", "equipment": "CNC-02"},
    "batch_record": {"lot": "88213"}, "training_report": {}, "capa": {"product": "PMP-40"}, "deviation": {"product": "XYZ"},
    "audit_report": {},
}  # fmt: skip
HOSTILE = '#read("/etc/passwd") {{7*7}} <script>alert(1)</script> $x^2$ | =HYPERLINK("x") `code` [a](b)'


@pytest.fixture(scope="module")
def quinn(assistant):
    return assistant.caller("quinn")


def _draft(assistant, caller, kind, arguments):
    return assistant.documents.draft(caller, kind, arguments)


def _files(assistant):
    return sorted(path.name for path in assistant.settings.documents.glob("*"))


@pytest.mark.parametrize("kind", sorted(ARGUMENTS))
def test_every_kind_is_drafted_cited_and_rendered(assistant, quinn, kind):
    made = _draft(assistant, quinn, kind, ARGUMENTS[kind])
    assert made["status"] == "answered"
    document = open_document(assistant.settings.documents, made["document"])
    known = {source.marker for source in document.sources}
    for section in document.sections:
        for part in section.parts:
            if part["part"] in ("table", "chart", "quote", "missing", "steps"):
                assert part["marker"] in known
            for item in part["items"] if part["part"] == "figures" else ():
                assert item["marker"] in known or item["text"] == "no data"
    assert all(len(source.sha256) == 64 for source in document.sources)
    text = "\n".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(render(document, "pdf"))).pages)
    assert "not approved" in text
    assert document.id in text


def test_every_kind_of_the_contract_is_declared():
    contract = {"troubleshooting_guide", "sop", "work_instruction", "ncr_summary", "shift_handover", "batch_record", "deviation",
                "capa", "oee_report", "maintenance_report", "training_report", "audit_report"}  # fmt: skip
    assert set(kinds()) == contract == set(ARGUMENTS)


def test_the_figures_of_a_maintenance_report_are_those_of_the_database(assistant, quinn, demo_home):
    made = _draft(assistant, quinn, "maintenance_report", {"line": "line 3", "period": "may 2026"})
    document = open_document(assistant.settings.documents, made["document"])
    figures = {item["label"]: item["text"] for item in document.sections[0].parts[0]["items"]}
    with sqlite3.connect(f"file:{demo_home / 'demo' / 'mes.sqlite'}?mode=ro", uri=True) as mes:
        where = "FROM maintenance_orders JOIN equipment USING (equipment_id) WHERE line_id = 'LINE-3' AND "
        created = mes.execute(f"SELECT COUNT(*) {where} created_at >= '2026-04-30 22:00:00' AND created_at < '2026-05-31 22:00:00'")
        still = mes.execute(f"SELECT COUNT(*) {where} maintenance_orders.status IN ('open', 'in_progress', 'waiting_parts')")
        assert figures["Orders created"] == str(created.fetchone()[0])
        assert figures["Open now"] == str(still.fetchone()[0])


@pytest.mark.parametrize(
    ("kind", "arguments", "status"),
    [
        ("oee_report", {"line": "Line 9"}, "needs_clarification"),
        ("batch_record", {"lot": "99999999"}, "no_data"),
        ("batch_record", {}, "needs_clarification"),
        ("ncr_summary", {"product": "XYZ", "period": "2019-01-01 to 2019-02-01"}, "no_data"),
        ("sop", {"task": "polishing the moon with a toothbrush"}, "no_data"),
    ],
)
def test_nothing_is_written_about_nothing(assistant, quinn, kind, arguments, status):
    before = _files(assistant)
    made = _draft(assistant, quinn, kind, arguments)
    assert made["status"] in (status, "no_data", "needs_clarification")
    assert made["text"]
    assert _files(assistant) == before


def test_a_wrong_argument_or_period_is_one_sentence(assistant, quinn):
    with pytest.raises(BadQuestion, match="colour"):
        _draft(assistant, quinn, "oee_report", {"colour": "red"})
    with pytest.raises(BadQuestion, match="no period"):
        _draft(assistant, quinn, "oee_report", {"period": "when pigs fly"})


def test_drafts_are_for_their_author_and_the_whole_site(assistant, quinn):
    made = _draft(assistant, quinn, "training_report", {})
    with pytest.raises(NotFound):
        assistant.documents.show(assistant.caller("olivia"), made["document"])
    with pytest.raises(NotAllowed):
        assistant.documents.show(assistant.caller("ada"), made["document"])
    with pytest.raises(NotFound):
        assistant.documents.show(quinn, "../../andon")
    own = _draft(assistant, assistant.caller("olivia"), "shift_handover", {"line": "line 3"})
    assert assistant.documents.show(assistant.caller("olivia"), own["document"])["document"] == own["document"]


def _hostile():
    parts = (
        {"part": "text", "text": HOSTILE, "markers": ["E1"]},
        {"part": "table", "title": HOSTILE, "columns": [HOSTILE, "b"], "rows": [[HOSTILE, "x"]], "marker": "E1", "note": ""},
        {"part": "steps", "title": HOSTILE, "steps": [{"n": 1, "text": HOSTILE, "warning": HOSTILE}], "marker": "E1"},
        {"part": "quote", "text": HOSTILE, "source": HOSTILE, "marker": "E1"},
        {"part": "missing", "title": "m", "items": [{"id": HOSTILE, "field": "f"}], "checked": 1, "marker": "E1"},
        {"part": "chart", "title": HOSTILE, "kind": "bar", "labels": [HOSTILE], "values": [None], "unit": "%", "marker": "E1"},
    )
    source = Source("E1", "query", HOSTILE, sql=HOSTILE, parameters={"a": HOSTILE}, row_count=1, sha256="0" * 64)
    return Document("DOC-1", "oee_report", HOSTILE, "", "Plant", "2026-06-17", "A", "a", (), (("Line", HOSTILE),),
                    (Section(HOSTILE, parts), Section("empty", ())), (source,))  # fmt: skip


def test_hostile_text_stays_text_in_every_format():
    document = _hostile()
    pdf = "\n".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(render(document, "pdf"))).pages)
    assert "root:" not in pdf
    assert "#read" in pdf
    html = render(document, "html").decode()
    assert "<script>alert" not in html
    assert "49" not in html.replace("0" * 64, "")
    markdown = render(document, "md").decode()
    assert "\\<script\\>" in markdown
    with zipfile.ZipFile(io.BytesIO(render(document, "docx"))) as archive:
        assert b"&lt;script&gt;" in archive.read("word/document.xml")


def test_the_canonical_tree_round_trips_and_its_hash_covers_every_byte():
    document = _hostile()
    again = from_json(document.canonical())
    assert again.canonical() == document.canonical()
    assert replace(document, author="B").sha256 != document.sha256
    with pytest.raises(ValueError, match="no document"):
        from_json(json.dumps({"id": "x"}))


def test_the_formats_are_those_of_the_contract():
    assert {"md", "html", "pdf", "docx"} <= set(FORMATS)
