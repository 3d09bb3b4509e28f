"""Files of every type become blocks: PDFs by their layout, office files under limits, hostile files not at all."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
import typst

from ingest.readers import Block, Content, UnreadableFile, read
from ingest.readers.layout import mended

PDF = """
#set document(title: "Press P7", keywords: ("andon: document=M-P7; revision=C; effective=2026-01-15; kind=manual",))
#set page(margin: 25mm, header: text(8pt)[Press P7 manual #h(1fr) Rev. C], footer: align(center, text(8pt, context counter(page).display())))
#set text(size: 10.5pt, hyphenate: false)
#show heading: set text(13pt)
#outline()
#pagebreak()
= 4 Drive
== 4.2 Flywheel bearing
The bearing is closed with eight bolts, which are used once. It carries the flywheel at the front of the press.

#block(stroke: 1pt, inset: 8pt)[*WARNING:* The flywheel stores energy for ten minutes. Wait before you open the guard.]

#table(columns: (2fr, 1fr, 1fr, 2fr), table.header[*Joint*][*Thread*][*Torque*][*Remark*],
  [Bearing cap bolts], [M8], [45 N m], [crosswise in two stages, with new bolts every time they are opened],
  [Motor screws], [M12], [98 N m], [crosswise])

== 4.3 Changing the belt
1. Lock out the press.
2. Take the guard off.
3. Fit the new belt.
#pagebreak()
4. Fit the guard.
5. Unlock.

= 5 Alarms
#table(columns: (1fr, 2fr, 3fr, 3fr), stroke: none, table.hline(), table.header[Code][Message][Cause][Remedy], table.hline(),
  [502], [Oil flow low], [Filter clogged or the pump is worn out after years], [Clean the filter],
  [5021], [Oil pressure low], [Relief valve], [Adjust the valve], table.hline())
"""
COLUMNS = """
#set page(columns: 2, margin: 20mm)
#set text(size: 10pt, hyphenate: false)
#set par(justify: true)
""" + "\n\n".join(
    f"Alpha{n} {word} stands first and the {word} of the drive is greased, cleaned and looked after by {word} number "
    f"{n} until its paragraph ends with omega{n}."
    for n, word in enumerate(
        a + b for a in ("bel", "cha", "gea", "pul", "rol", "cam", "rod", "pin") for b in ("to", "in", "ra", "le", "ry")
    )
)


def pdf(folder: Path, source: str) -> Content:
    path = folder / "m.pdf"
    path.write_bytes(typst.compile(source.encode()))
    return read(path)


@pytest.fixture(scope="module")
def press(tmp_path_factory: pytest.TempPathFactory) -> Content:
    return pdf(tmp_path_factory.mktemp("pdf"), PDF)


def test_headings_have_levels_and_pages(press: Content) -> None:
    headings = {(b.text, b.level, b.page) for b in press.blocks if b.kind == "heading"}
    assert {("4 Drive", 1, 2), ("4.2 Flywheel bearing", 2, 2), ("5 Alarms", 1, 3)} <= headings
    assert press.pages == 3
    assert press.meta["keywords"].startswith("andon: document=M-P7")


def test_tables_are_rows_below_their_header(press: Content) -> None:
    tables = [b for b in press.blocks if b.kind == "table"]
    assert tables[0].header == ("Joint", "Thread", "Torque", "Remark")
    assert tables[0].rows[0] == (
        "Bearing cap bolts", "M8", "45 N m", "crosswise in two stages, with new bolts every time they are opened",
    )  # fmt: skip
    assert tables[1].header == ("Code", "Message", "Cause", "Remedy")
    assert [row[0] for row in tables[1].rows] == ["502", "5021"]
    assert tables[1].rows[0][2] == "Filter clogged or the pump is worn out after years"


def test_steps_go_on_over_a_page_break_and_warnings_are_their_own(press: Content) -> None:
    (steps,) = [b for b in press.blocks if b.kind == "steps"]
    assert [item[:2] for item in steps.items] == ["1.", "2.", "3.", "4.", "5."]
    assert steps.page == 2
    (warning,) = [b for b in press.blocks if b.kind == "warning"]
    assert warning.text.startswith("WARNING: The flywheel stores energy")


def test_headers_footers_and_contents_are_no_text(press: Content) -> None:
    everything = "\n".join(b.text for b in press.blocks)
    assert "Press P7 manual" not in everything
    assert "...." not in everything


def test_columns_are_read_one_after_the_other(tmp_path: Path) -> None:
    content = pdf(tmp_path, COLUMNS)
    text = " ".join(b.text for b in content.blocks)
    assert all(text.index(f"Alpha{n} ") < text.index(f"omega{n}.") < text.index(f"Alpha{n + 1} ") for n in range(39))
    assert not any(b.kind == "table" for b in content.blocks)


def test_words_cut_at_line_ends_are_mended_by_the_documents_own_words() -> None:
    known = frozenset(("spindle", "power-off", "power", "off", "cross"))
    assert mended("the spin‧dle at power‧off", known) == "the spindle at power-off"
    assert mended("well‧known", frozenset(("well", "known"))) == "well-known"


DOCX = """<?xml version="1.0"?><w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>
<w:p><w:pPr><w:pStyle w:val="Heading1"/></w:pPr><w:r><w:t>Cleaning</w:t></w:r></w:p>
<w:p><w:r><w:t>CAUTION: Hot </w:t></w:r><w:r><w:t>water.</w:t></w:r></w:p>
<w:p><w:pPr><w:numPr/></w:pPr><w:r><w:t>Close V2.</w:t></w:r></w:p>
<w:p><w:pPr><w:numPr/></w:pPr><w:r><w:t>Open V3.</w:t></w:r></w:p>
<w:tbl><w:tr><w:tc><w:p><w:r><w:t>Code</w:t></w:r></w:p></w:tc><w:tc><w:p><w:r><w:t>Message</w:t></w:r></w:p></w:tc></w:tr>
<w:tr><w:tc><w:p><w:r><w:t>E1</w:t></w:r></w:p></w:tc><w:tc><w:p><w:r><w:t>Low</w:t></w:r></w:p></w:tc></w:tr></w:tbl>
</w:body></w:document>"""


def zipped(path: Path, **members: str) -> Path:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members.items():
            archive.writestr(name.replace("__", "/").replace("_xml", ".xml"), text)
    path.write_bytes(buffer.getvalue())
    return path


def test_a_word_file(tmp_path: Path) -> None:
    blocks = read(zipped(tmp_path / "a.docx", word__document_xml=DOCX)).blocks
    assert [b.kind for b in blocks] == ["heading", "warning", "steps", "table"]
    assert blocks[2].items == ("1. Close V2.", "2. Open V3.")
    assert (blocks[3].header, blocks[3].rows) == (("Code", "Message"), (("E1", "Low"),))


def test_an_excel_file(tmp_path: Path) -> None:
    space = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    relation = 'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
    path = tmp_path / "a.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("xl/workbook.xml", f'<workbook {space} {relation}><sheets><sheet name="Alarms" r:id="r1"/></sheets></workbook>')
        archive.writestr("xl/_rels/workbook.xml.rels", '<Relationships><Relationship Id="r1" Target="worksheets/s.xml"/></Relationships>')
        archive.writestr("xl/sharedStrings.xml", f"<sst {space}><si><t>Code</t></si><si><t>Message</t></si><si><t>Door</t></si></sst>")
        archive.writestr("xl/worksheets/s.xml", f'<worksheet {space}><sheetData><row><c r="A1" t="s"><v>0</v></c><c r="C1" t="s"><v>1</v></c>'
                         '</row><row><c r="A2"><v>17.0</v></c><c r="C2" t="s"><v>2</v></c></row></sheetData></worksheet>')  # fmt: skip
    heading, table = read(path).blocks
    assert heading.text == "Alarms"
    assert (table.header, table.rows) == (("Code", "", "Message"), (("17", "", "Door"),))


def test_a_mail_is_a_bulletin(tmp_path: Path) -> None:
    path = tmp_path / "b.eml"
    path.write_text("From: Ann <a@plant>\nSubject: New seal\nContent-Type: text/plain\n\nUse seal S-2 from now on.\n")
    content = read(path)
    assert content.meta == {"title": "New seal", "author": "Ann <a@plant>", "kind": "bulletin"}
    assert content.blocks == (Block("paragraph", "Use seal S-2 from now on."),)


HOSTILE = {
    "empty.pdf": (b"", "empty"),
    "text.pdf": (b"just words", "damaged"),
    "cut.pdf": (b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog", "damaged"),
    "no.docx": (b"PK\x03\x04 broken", "damaged"),
    "old.docx": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "encrypted or in the old binary format"),
    "deep.json": (b"[" * 100_000, "JSON"),
    "bad.yaml": (b"a: [1, 2\nb: }", "YAML"),
    "binary.txt": (b"\x00\x01\x02" * 100, "not read"),
    "noise.txt": (b"\x01\x02\x03\x04\x05\x06" * 100, "no readable text"),
    "program.exe": (b"MZ\x90", "not read"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_bad_file_is_refused_with_a_reason(name: str, tmp_path: Path) -> None:
    raw, reason = HOSTILE[name]
    (tmp_path / name).write_bytes(raw)
    with pytest.raises(UnreadableFile, match=reason):
        read(tmp_path / name)


def test_entities_and_bombs_in_office_files_are_refused(tmp_path: Path) -> None:
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaa">]>' + DOCX
    with pytest.raises(UnreadableFile, match="entities"):
        read(zipped(tmp_path / "e.docx", word__document_xml=bomb))
    with pytest.raises(UnreadableFile, match="zip bomb"):
        read(zipped(tmp_path / "b.docx", word__document_xml=" " * 30_000_000))


def test_a_page_without_text_says_so(tmp_path: Path) -> None:
    path = tmp_path / "blank.pdf"
    path.write_bytes(typst.compile(b"#rect(width: 5cm, height: 3cm, fill: red)"))
    with pytest.raises(UnreadableFile, match="no text"):
        read(path)


def test_a_yaml_file_that_unfolds_through_aliases_is_refused(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9)]
    (tmp_path / "bomb.yaml").write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(UnreadableFile, match="YAML bomb"):
        read(tmp_path / "bomb.yaml")
    (tmp_path / "shared.yaml").write_text("base: &b {unit: bar}\nlist: [*b, *b]\n", encoding="utf-8")
    assert read(tmp_path / "shared.yaml")


WORD_PARTS = """<?xml version="1.0"?><w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"
 xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"><w:body>
<w:sdt><w:sdtPr><w:docPartObj><w:docPartGallery w:val="Table of Contents"/></w:docPartObj></w:sdtPr><w:sdtContent><w:p><w:r><w:t>1 Use 3</w:t></w:r></w:p></w:sdtContent></w:sdt>
<w:p><w:pPr><w:pStyle w:val="Kapitel"/></w:pPr><w:r><w:t>Greasing</w:t></w:r></w:p>
<w:p><w:r><w:t>Use grease G2</w:t></w:r><w:r><w:footnoteReference w:id="2"/></w:r><w:r><w:t>.</w:t></w:r>
 <w:del><w:r><w:t>old</w:t></w:r></w:del><w:r><w:rPr><w:vanish/></w:rPr><w:t>hidden</w:t></w:r>
 <w:r><mc:AlternateContent><mc:Choice><w:txbxContent><w:p><w:r><w:t>WARNING: The shaft turns.</w:t></w:r></w:p></w:txbxContent></mc:Choice>
 <mc:Fallback><w:txbxContent><w:p><w:r><w:t>WARNING: The shaft turns.</w:t></w:r></w:p></w:txbxContent></mc:Fallback></mc:AlternateContent></w:r></w:p>
<w:p><w:pPr><w:numPr><w:ilvl w:val="0"/><w:numId w:val="1"/></w:numPr></w:pPr><w:r><w:t>Stop.</w:t></w:r></w:p>
<w:p><w:pPr><w:numPr><w:ilvl w:val="1"/><w:numId w:val="1"/></w:numPr></w:pPr><w:r><w:t>Press the button.</w:t></w:r></w:p>
<w:p><w:r><w:t>CAUTION: Hot.</w:t></w:r></w:p>
<w:p><w:pPr><w:numPr><w:ilvl w:val="0"/><w:numId w:val="1"/></w:numPr></w:pPr><w:r><w:t>Grease.</w:t></w:r></w:p>
<w:p><w:pPr><w:numPr><w:ilvl w:val="0"/><w:numId w:val="2"/></w:numPr></w:pPr><w:r><w:t>a rag</w:t></w:r></w:p>
</w:body></w:document>"""
WORD_STYLES = """<w:styles xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:style w:type="paragraph" w:styleId="H2"><w:name w:val="heading 2"/></w:style>
<w:style w:type="paragraph" w:styleId="Kapitel"><w:name w:val="Kapitel"/><w:basedOn w:val="H2"/></w:style></w:styles>"""
WORD_LISTS = """<w:numbering xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:abstractNum w:abstractNumId="7"><w:lvl w:ilvl="0"><w:numFmt w:val="bullet"/></w:lvl></w:abstractNum>
<w:num w:numId="1"><w:abstractNumId w:val="6"/></w:num><w:num w:numId="2"><w:abstractNumId w:val="7"/></w:num></w:numbering>"""
WORD_NOTES = """<w:footnotes xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:footnote w:id="2"><w:p><w:r><w:t>not G3</w:t></w:r></w:p></w:footnote></w:footnotes>"""


def test_a_word_file_with_boxes_notes_and_lists(tmp_path: Path) -> None:
    path = zipped(tmp_path / "b.docx", word__document_xml=WORD_PARTS, word__styles_xml=WORD_STYLES, word__numbering_xml=WORD_LISTS,
                  word__footnotes_xml=WORD_NOTES)  # fmt: skip
    heading, text, warning, steps, bullets = read(path).blocks
    assert (heading.kind, heading.text, heading.level) == ("heading", "Greasing", 2)
    assert text.text == "Use grease G2 (not G3)."
    assert warning == Block("warning", "WARNING: The shaft turns.")
    assert steps.items == ("1. Stop. Press the button.", "CAUTION: Hot.", "2. Grease.")
    assert (bullets.kind, bullets.items) == ("list", ("a rag",))


def test_dates_of_a_workbook_are_dates(tmp_path: Path) -> None:
    space = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    relation = 'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
    path = tmp_path / "d.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("xl/workbook.xml", f'<workbook {space} {relation}><sheets><sheet name="S" r:id="r1"/></sheets></workbook>')
        archive.writestr("xl/_rels/workbook.xml.rels", '<Relationships><Relationship Id="r1" Target="worksheets/s.xml"/></Relationships>')
        archive.writestr("xl/styles.xml", f'<styleSheet {space}><numFmts><numFmt numFmtId="170" formatCode="dd\\.mm\\.yyyy"/></numFmts>'
                         '<cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="170"/></cellXfs></styleSheet>')  # fmt: skip
        cells = "".join(
            f'<c r="{c}2" {s}><v>{v}</v></c>'
            for c, s, v in (("A", 's="1"', 46082), ("B", 's="2"', 46082.5), ("C", "", "0.30000000000000004"))
        )
        head = "".join(f'<c r="{c}1" t="inlineStr"><is><t>{t}</t></is></c>' for c, t in zip("ABC", ("From", "Until", "Gap"), strict=True))
        archive.writestr(
            "xl/worksheets/s.xml", f'<worksheet {space}><sheetData><row r="1">{head}</row><row r="2">{cells}</row></sheetData></worksheet>'
        )
    # 46082 days after 1899-12-30 is 2026-03-01.
    assert read(path).blocks[1].rows == (("2026-03-01", "2026-03-01 12:00", "0.3"),)


def test_restructured_text_is_read_and_nothing_is_included(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("the secret", "utf-8")
    source = (
        "Press P7\n========\n\n:Version: C\n\nDrive\n-----\n\n.. warning:: It turns.\n\n1. Stop.\n2. Open, see :ref:`the guard <g>`.\n\n"
        ".. include:: secret.txt\n\n.. raw:: html\n\n   <b>raw</b>\n\n.. versionadded:: 4.2\n   A new sensor.\n"
    )
    (tmp_path / "p.rst").write_text(source, "utf-8")
    content = read(tmp_path / "p.rst")
    assert content.meta == {"version": "C", "title": "Press P7"}
    assert [(b.kind, b.text) for b in content.blocks] == [
        ("heading", "Press P7"), ("heading", "Drive"), ("warning", "WARNING: It turns."), ("steps", "1. Stop.\n2. Open, see the guard."),
        ("paragraph", "A new sensor."),
    ]  # fmt: skip


def test_a_mail_within_a_mail_and_its_day(tmp_path: Path) -> None:
    inner = "From: a@b\nSubject: Inner\nContent-Type: text/plain\n\nThe seal S-2 is used.\n"
    (tmp_path / "m.eml").write_text(
        'From: Ann <a@plant>\nSubject: New seal\nDate: Mon, 02 Mar 2026 08:00:00 +0100\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="x"\n\n'
        f"--x\nContent-Type: text/plain\n\nSee the mail below.\n--x\nContent-Type: message/rfc822\n\n{inner}\n--x--\n"
    )
    content = read(tmp_path / "m.eml")
    assert content.meta["effective"] == "2026-03-02"
    assert [b.text for b in content.blocks] == ["See the mail below.", "Inner", "The seal S-2 is used."]
