"""Rendered documents: id, status and page on every page, tagged and archival PDF, heads repeated over pages, non-Latin
text, empty sections, ten thousand rows, broken pictures, a full disk; DOCX with real headings and tables; quoted cells."""

import base64
import errno
import io
import subprocess
import tempfile
import time
import zipfile
from dataclasses import replace

import pypdf
import pypdfium2
import pytest

from tools.documents import FORMATS, Signature, render, template_sha256
from tools.documents.rendering import BANNERS, cell, steps_shown
from tools.documents.steps import tree_of
from tools.documents.tree import Document, Section, Source
from tools.registry import Unavailable

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAAAAADhZOFXAAAADklEQVR4nGM4AQUMlDEACLEyAaio5RMAAAAASUVORK5CYII="
STEPS = tree_of(["WARNING: Lock out.", "1. Tighten to 70 N m. This keeps it. Expected result: 70 to 80 N m.", "2. Close."])


def _document(*sections, **changes):
    source = Source("E1", "query", "Rows", sql="SELECT 1", parameters={"a": 1}, row_count=1, sha256="0" * 64,
                    statements=({"sql": "SELECT 1", "parameters": {"a": 1}, "row_count": 1, "rows_sha256": "1" * 64, "truncated": False},))  # fmt: skip
    made = Document("DOC-2026-0007", "oee_report", "OEE report: Line 1", "ISO 22400-2", "Berlin Works", "2026-06-17T09:00+02:00", "Quinn Adler", "quinn", (),
                    (("Line", "Line 1"),), tuple(sections) or (Section("Words", (_text("Plain words."),)),), (source,))  # fmt: skip
    return replace(made, **changes)


def _text(words):
    return {"part": "text", "text": words, "markers": []}


def _table(rows, columns=("A", "B", "C")):
    return {"part": "table", "title": "Rows", "columns": list(columns), "rows": rows, "align": ["left", "right", "left"][: len(columns)],
            "widths": [12, 8, 30][: len(columns)], "marker": "E1", "note": ""}  # fmt: skip


def _pages(document, signatures=()):
    return [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(render(document, "pdf", signatures))).pages]


EVERY_PART = (
    {"part": "figures", "items": [{"label": "OEE", "text": "76.7 %", "marker": "E1", "note": "77.9 % the week before"}]}, _table([["x", "1", "y"]]),
    {"part": "chart", "title": "By day", "marker": "E1", "block": {"kind": "line", "title": "By day", "x": {"label": "Day", "values": ["1 Jun", "2 Jun", "3 Jun"]},
     "series": [{"name": "OEE", "unit": "%", "values": [70.0, None, 75.5]}]}},
    {"part": "steps", "title": "Steps", "steps": STEPS, "skill": "novice", "marker": "E1", "source": "SOP-1, revision 2"},
    {"part": "fields", "title": "Form", "marker": "E1", "items": [{"label": "Defect", "text": "leak", "missing": False}, {"label": "Cause", "text": "–", "missing": True}]},
    {"part": "quote", "text": "Said so.", "source": "Manual", "marker": "E1"}, {"part": "picture", "png": PNG, "caption": "Page 3", "marker": "E1"},
    {"part": "missing", "title": "Empty", "items": [{"id": "NCR-1", "field": "cause"}], "checked": 4, "marker": "E1"},
    {"part": "blank", "label": "Remarks", "lines": 2}, {"part": "form", "title": "Actions", "columns": ["What", "Who"], "rows": [["", ""]]},
    {"part": "list", "items": ["one [E1]", "two"], "markers": ["E1"]}, {"part": "warning", "text": "Hot [E1]", "markers": ["E1"]}, {"part": "heading", "text": "Below"},
)  # fmt: skip
WORDS = ("76.7 %", "77.9 % the week before", "Tighten to 70 N m", "70 to 80 N m", "WARNING: Lock out.", "This keeps it.", "leak", "Said so.", "NCR-1", "Remarks", "What", "Hot")


@pytest.mark.parametrize("form", ["md", "html", "pdf", "docx"])
def test_every_part_stands_in_every_format(form):
    document = _document(Section("All", EVERY_PART))
    made = render(document, form)
    if form == "pdf":
        text = "\n".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(made)).pages)
    elif form == "docx":
        with zipfile.ZipFile(io.BytesIO(made)) as archive:
            text = archive.read("word/document.xml").decode()
            assert sum(name.startswith("word/media/") for name in archive.namelist()) == 2
    else:
        text = made.decode()
    for words in WORDS:
        assert words in text, (form, words)
    assert "missing" in text


def test_id_status_and_page_stand_on_every_page():
    document = _document(Section("Long", (_table([[f"row {n}", str(n), "words of a row"] for n in range(300)]),)))
    pages = _pages(document)
    assert len(pages) > 5
    for number, page in enumerate(pages, 1):
        assert "DOC-2026-0007" in page
        assert "revision 0" in page
        assert BANNERS["draft"] in page
        assert f"Page {number} of {len(pages)}" in page
    heads = [page for page in pages if "row " in page]
    assert all("A B" in page.replace("\n", " ") for page in heads)


@pytest.mark.parametrize("status", sorted(BANNERS))
def test_the_status_is_printed(status):
    (page, *_) = _pages(_document(status=status))
    assert BANNERS[status] in page
    assert "DRAFT" not in page or status == "draft"


def test_signatures_are_printed():
    text = "\n".join(_pages(_document(), [Signature("Quinn Adler (quality)", "2026-06-17T09:00:00Z", "review and approval", "complete")]))
    for words in ("Quinn Adler (quality)", "2026-06-17T09:00:00Z", "review and approval", "complete"):
        assert words in text


def test_the_pdf_is_archival_tagged_titled_and_the_same_each_time():
    made = render(_document(Section("All", EVERY_PART)), "pdf")
    reader = pypdf.PdfReader(io.BytesIO(made))
    root = reader.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert "/StructTreeRoot" in root
    assert root["/Lang"].startswith("en")
    assert reader.metadata.title == "DOC-2026-0007 OEE report: Line 1"
    xmp = root["/Metadata"].get_object().get_data().decode()
    assert "<pdfaid:part>2</pdfaid:part>" in xmp
    assert "<pdfaid:conformance>A</pdfaid:conformance>" in xmp
    assert render(_document(Section("All", EVERY_PART)), "pdf") == made


def test_charts_are_vectors_with_words():
    document = _document(Section("Chart", (EVERY_PART[2],)))
    page = pypdfium2.PdfDocument(render(document, "pdf"))[0]
    kinds = [item.type for item in page.get_objects(max_depth=6)]
    assert 3 not in kinds  # no bitmap
    assert kinds.count(2) > 5  # paths
    assert "By day" in page.get_textpage().get_text_range()


@pytest.mark.parametrize("words", ["Schmiermittel für Öl – 5 µm", "Насос охлаждающей жидкости", "Αντλία ψυκτικού", "זהירות", "مضخة التبريد", "č ő ł ş ğ"])
def test_other_scripts_come_through(words):
    text = "\n".join(_pages(_document(Section(words, (_text(words), _table([[words, "1", words]]))))))
    letters = set(words) - set(" ")
    assert letters <= set(text), words


def test_letters_without_a_font_do_not_stop_a_document():
    pages = _pages(_document(Section("Rare", (_text("linear a \U00010600 and more"),))))
    assert "and more" in "\n".join(pages)


def test_empty_sections_and_tables_come_out():
    document = _document(Section("Nothing", ()), Section("No rows", (_table([]),)), title="", scope=(), standard="")
    for form in FORMATS:
        assert render(document, form)


@pytest.mark.parametrize("png", ["", "not base64!", base64.b64encode(b"no picture").decode()])
def test_a_broken_picture_does_not_stop_a_document(png):
    part = {"part": "picture", "png": png, "caption": "Page 3", "marker": "E1"}
    document = _document(Section("Picture", (part, _text("After it."))))
    assert "After it." in "\n".join(_pages(document))
    assert render(document, "docx")


@pytest.mark.parametrize("logo", ["", "svg:!!!", "exe:AAAA", f"png:{PNG}", "png:" + base64.b64encode(b"no picture").decode()])
def test_a_logo_that_is_missing_or_broken_does_not_stop_a_document(logo):
    assert "Plain words." in "\n".join(_pages(_document(logo=logo)))


def test_ten_thousand_rows_in_seconds():
    document = _document(Section("Many", (_table([[f"LOT-{n:05d}", f"{n * 3.7:.1f}", f"inspected by shift {n % 3}"] for n in range(10_000)]),)))
    begun = time.perf_counter()
    reader = pypdf.PdfReader(io.BytesIO(render(document, "pdf")))
    assert len(reader.pages) > 100
    assert "LOT-09999" in reader.pages[-2].extract_text() + reader.pages[-3].extract_text() + reader.pages[-1].extract_text()
    word = render(document, "docx")
    assert zipfile.ZipFile(io.BytesIO(word)).read("word/document.xml").count(b"<w:tr>") > 10_000
    assert time.perf_counter() - begun < 60  # generous: measured apart by `andon bench documents`


def test_docx_has_real_headings_repeated_heads_and_page_numbers():
    from docx import Document as Word

    word = Word(io.BytesIO(render(_document(Section("All", EVERY_PART)), "docx")))
    headings = [p.text for p in word.paragraphs if p.style.name.startswith("Heading") or p.style.name == "Title"]
    assert headings[:2] == ["OEE report: Line 1", "1 All"]
    xml = render_xml(word)
    assert xml.count("w:tblHeader") >= 2
    footer = word.sections[0].footer.paragraphs[0]._p.xml
    assert "PAGE" in footer
    assert "NUMPAGES" in footer
    assert BANNERS["draft"] in word.sections[0].footer.paragraphs[0].text
    assert "DOC-2026-0007" in word.sections[0].header.paragraphs[0].text


def render_xml(word):
    return word.element.xml


@pytest.mark.parametrize("text", ["=HYPERLINK(\"x\")", "+cmd|' /C calc'!A0", "@SUM(1)", "-2+3+cmd", "\t=1", "  =1", "=1+1"])
def test_cells_that_a_spreadsheet_would_compute_are_quoted(text):
    assert cell(text) == f"'{text}"
    lines = render(_document(Section("T", (_table([[text, "-3.2", "+5 °C"]]),))), "csv").decode("utf-8-sig")
    assert f"'{text[:3].strip()}" in lines or "'" in lines


@pytest.mark.parametrize("text", ["-3.2", "+5 °C", "12 %", "-1 234.5", "words", "", "–", "2026-06-17"])
def test_plain_numbers_and_words_are_not_quoted(text):
    assert cell(text) == text


def test_views_fold_only_what_explains():
    part = dict(EVERY_PART[3])
    texts = {skill: [step["text"] for step in steps_shown({**part, "skill": skill})] for skill in ("novice", "experienced", "expert")}
    assert texts["novice"] == texts["expert"] == texts["experienced"]
    assert "This keeps it." in "\n".join(_pages(_document(Section("S", (part,)))))
    assert "This keeps it." not in "\n".join(_pages(_document(Section("S", ({**part, "skill": "expert"},)))))


def test_a_full_disk_or_a_hanging_renderer_is_one_sentence(monkeypatch):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(tempfile, "TemporaryDirectory", full)
        with pytest.raises(Unavailable, match="no space left on device"):
            render(_document(), "pdf")

    def slow(*_, **__):
        raise subprocess.TimeoutExpired("typst", 1)

    with monkeypatch.context() as patched:
        patched.setattr(subprocess, "run", slow)
        with pytest.raises(Unavailable, match="too long"):
            render(_document(), "pdf")

    def dead(*_, **__):
        return subprocess.CompletedProcess([], -9, b"", b"")

    with monkeypatch.context() as patched:
        patched.setattr(subprocess, "run", dead)
        with pytest.raises(Unavailable, match="could not be made"):
            render(_document(), "pdf")


def test_the_template_hash_is_of_this_version():
    assert len(template_sha256()) == 64
    assert template_sha256() == template_sha256()
