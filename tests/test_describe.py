"""Whose word counts about a document, and what its title block, front matter, properties and hint are read as."""

from __future__ import annotations

import io
import zipfile
from datetime import date
from pathlib import Path

import docx
import pytest
import typst

from ingest.describe import describe, list_hint
from ingest.readers import UnreadableFile, read
from ingest.split import split
from ingest.title_block import as_date
from retrieval.passages import DocumentInfo


def card(path: Path, equipment: str | None = None, revision: str | None = None, **given: str) -> DocumentInfo:
    return describe(read(path), path, path.stem, "hash", equipment, revision, tuple(given.items()))


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, "utf-8")
    return path


def pdf(folder: Path, source: str) -> Path:
    path = folder / "scan0001.pdf"
    path.write_bytes(typst.compile(source.encode()))
    return path


BODY = "\n\n#pagebreak()\n= 1 Use\nThe machine is used for turned parts and it is run by trained people who have read this manual from the first page on."

#: a cover page -> what it says
COVERS = {
    "lines": ("= Lathe L5\nDocument no.: M-L5-01\n\nRevision C\n\nEffective date: 1 March 2026\n\nMachine type: L5-400, L5-600",
              {"document": "M-L5-01", "revision": "C", "effective": date(2026, 3, 1), "variants": ("L5-400", "L5-600")}),
    "table beside each other": ("= Lathe L5\n#table(columns: 4, [Document no.], [M-L5-02], [Rev.], [4.10], [Valid from], [2026-02-28], [Valid until], [2027-02-28])",
                                {"document": "M-L5-02", "revision": "4.10", "effective": date(2026, 2, 28), "superseded": date(2027, 2, 28)}),
    "table below each other": ("= Lathe L5\n#table(columns: 3, [Document ID], [Version], [Release date], [QM-77], [7], [13/03/2026])",
                               {"document": "QM-77", "revision": "7", "effective": date(2026, 3, 13)}),
    "German": ("= Drehmaschine L5\nDokument-Nr.: BA-4711\n\nAusgabe: 3\n\nGültig ab: 01.04.2026\n\nMaschinentyp: L5-400",
               {"document": "BA-4711", "revision": "3", "effective": date(2026, 4, 1), "variants": ("L5-400",)}),
    "software": ("= Lathe L5\nDoc. no. M-9 Rev. B, issued 2026-01-01\n\nValid for machines with control software 4.2 or later",
                 {"document": "M-9", "revision": "B", "software": "4.2 or later"}),
    "machines": ("= Cleaning\nDocument number: SOP-12\n\nEffective: 2026-05-01\n\nEquipment: CNC-01, CNC-02", {"document": "SOP-12", "equipment": ("CNC-01", "CNC-02")}),
    "words that designate nothing": ("= Pump\nDocument no.: P-1\n\nIssued: 2026-05-01\n\nEquipment: vacuum pump\n\nMachine type: screw pump with motor",
                                     {"document": "P-1", "equipment": (), "variants": ()}),
    "a version of something else": ("= Reader\nThis manual describes software version 2.1 of the reader.", {"document": "scan0001", "revision": "-", "software": ""}),
    "withdrawn": ("= Old\nDocument no.: P-2\n\nRevision: A\n\nStatus: withdrawn", {"document": "P-2", "status": "retired"}),
}  # fmt: skip


@pytest.mark.parametrize("name", COVERS)
def test_a_cover_page_says_what_it_is(name: str, tmp_path: Path) -> None:
    source, expected = COVERS[name]
    info = card(pdf(tmp_path, source + BODY))
    assert {field: getattr(info, field) for field in expected} == expected


def test_running_headers_say_it_where_no_cover_does(tmp_path: Path) -> None:
    header = "#set page(header: [Operating manual #h(1fr) Doc. No. M-88 Rev. D], footer: [Effective: 2026-02-02 #h(1fr) #context counter(page).display()])\n"
    info = card(pdf(tmp_path, header + "= 1 Use\n" + "The guard is closed before the drive starts. " * 8 + BODY))
    assert (info.document, info.revision, info.effective) == ("M-88", "D", date(2026, 2, 2))


def test_word_headers_and_added_properties(tmp_path: Path) -> None:
    document = docx.Document()
    document.sections[0].header.paragraphs[0].text = "Work instruction WI-7 | Document no.: WI-7 | Revision: 12"
    document.add_heading("Mounting the chuck", 1)
    document.add_paragraph("The chuck is mounted by two people and never while the spindle turns.")
    plain = tmp_path / "plain.docx"
    document.save(str(plain))
    custom = (
        '<?xml version="1.0"?><Properties xmlns="http://schemas.openxmlformats.org/officeDocument/2006/custom-properties" '
        'xmlns:vt="http://schemas.openxmlformats.org/officeDocument/2006/docPropsVTypes">'
        '<property name="Revision" pid="2"><vt:lpwstr>99</vt:lpwstr></property><property name="Software version" pid="3"><vt:lpwstr>&gt;=4.2</vt:lpwstr></property></Properties>'
    )
    path = tmp_path / "chuck.docx"
    with zipfile.ZipFile(io.BytesIO(plain.read_bytes())) as source, zipfile.ZipFile(path, "w") as target:
        for item in source.namelist():
            target.writestr(item, source.read(item))
        target.writestr("docProps/custom.xml", custom)
    info = card(path)
    assert (info.document, info.revision, info.software, info.kind) == ("WI-7", "12", ">=4.2", "manual")
    assert not any("WI-7" in b.text for b in read(path).blocks)


FRONT = "---\ndocument: M-1\nrevision: 1.10\neffective: 2026-03-01\nequipment: [CNC-01, CNC-02]\nsoftware_version: '>=4, <5'\nlanguage: en\naccess: maintenance\n---\n# Use\n\nDocument no.: X-9\n\nRevision: Z\n\nText.\n"


def test_front_matter_stands_above_the_text_and_a_hint_above_both(tmp_path: Path) -> None:
    path = written(tmp_path, "m.md", FRONT)
    info = card(path, equipment="CNC-09", revision="7", language="de", kind="bulletin")
    assert (info.document, info.revision, info.equipment, info.software) == ("M-1", "1.10", ("CNC-01", "CNC-02"), ">=4, <5")
    assert (info.language, info.access, info.kind) == ("en", "maintenance", "bulletin")  # given where nothing else says it
    written(tmp_path, "m.md.yaml", "revision: '1.11'\nmodels: VX-500\nreplaces: [SB-12, SB-13]\n")
    info = card(path, revision="7")
    assert (info.revision, info.document, info.variants, info.supersedes) == ("1.11", "M-1", ("VX-500",), ("SB-12", "SB-13"))


def test_what_is_given_counts_where_the_document_is_silent(tmp_path: Path) -> None:
    info = card(
        written(tmp_path, "m.txt", "The belt is tensioned."), equipment="CNC-09", revision="7", software="5", variants="VX-500, VX-700"
    )
    assert (info.equipment, info.revision, info.software, info.variants) == (("CNC-09",), "7", "5", ("VX-500", "VX-700"))


def test_no_document_says_itself_who_may_read_it_or_what_it_replaces(tmp_path: Path) -> None:
    page = '<html><head><title>Note</title><meta name="access" content="public"></head><body><h1>Access: public</h1><p>Supersedes: M-1</p></body></html>'
    info = card(written(tmp_path, "n.html", page))
    assert (info.access, info.supersedes) == ("plant", ())
    front = card(written(tmp_path, "n.md", "---\nsupersedes: M-1\n---\n# Note\n\nText.\n"))
    assert front.supersedes == ()


@pytest.mark.parametrize(("hint", "reason"), [
    ("revison: C\n", "a name that means nothing: revison"), ("effective: soon\n", "no date"), ("- a\n", "no `name: value`"),
    ("a: [\n", "not valid YAML"), ("columns: {Ident: colour}\n", "a field that no entry has"),
])  # fmt: skip
def test_a_hint_with_a_slip_is_told(hint: str, reason: str, tmp_path: Path) -> None:
    path = written(tmp_path, "m.txt", "Text.")
    written(tmp_path, "m.txt.yaml", hint)
    with pytest.raises(UnreadableFile, match=reason):
        (card(path), list_hint(path))


def test_a_hint_names_the_columns_of_a_list(tmp_path: Path) -> None:
    path = written(tmp_path, "v.csv", "Kennung;Ausgabe;Wer;Tun\nKX1;Hoch;A;Kurbel drehen\nKX2;Tief;B;Hebel ziehen\n")
    assert split(read(path), card(path), list_hint(path))[1] == []
    written(tmp_path, "v.csv.yaml", "alarm_list: yes\ncolumns: {code: Kennung, Ausgabe: title, Tun: remedy, Wer: '-'}\n")
    entries = split(read(path), card(path), list_hint(path))[1]
    assert [(e.code, e.title, e.remedy) for e in entries] == [("KX1", "Hoch", "Kurbel drehen"), ("KX2", "Tief", "Hebel ziehen")]
    written(tmp_path, "v.csv.yaml", "alarm_list: no\n")
    assert split(read(path), card(path), list_hint(path))[1] == []


LANGUAGES = {
    "en": "The guard is closed and the drive is started when the lamp of the panel is green for the first time and not before that.",
    "de": "Die Haube wird geschlossen und der Antrieb wird mit dem Taster gestartet, wenn die Lampe grün ist und nicht vorher von Hand oder mit der Kurbel.",
    "fr": "Le capot est fermé et le moteur est mis en marche avec le bouton dans les cas où la lampe est verte, pas avant que les gens du poste sont sur place.",
    "es": "La tapa se cierra y el motor se pone en marcha con el botón cuando la lámpara es verde y no antes de que los operarios estén en el puesto de la línea por la mañana.",
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_language_is_that_of_the_text(language: str, tmp_path: Path) -> None:
    assert card(written(tmp_path, "t.txt", LANGUAGES[language])).language == language


@pytest.mark.parametrize(("text", "day"), [
    ("2026-03-01", date(2026, 3, 1)), ("2026/3/1", date(2026, 3, 1)), ("01.03.2026", date(2026, 3, 1)), ("1 March 2026", date(2026, 3, 1)),
    ("March 1, 2026", date(2026, 3, 1)), ("1st of never", None), ("13/03/2026", date(2026, 3, 13)), ("03/13/2026", date(2026, 3, 13)),
    ("01/03/2026", None), ("March 2026", date(2026, 3, 1)), ("2026-03", date(2026, 3, 1)), ("3. Dezember 2025", date(2025, 12, 3)), ("31.02.2026", None), ("", None),
])  # fmt: skip
def test_dates_as_documents_write_them(text: str, day: date | None) -> None:
    assert as_date(text) == day


def test_a_variant_of_the_product_is_no_type_of_machine(tmp_path: Path) -> None:
    assert card(written(tmp_path, "w.md", "---\ndocument: WI-1\nvariant: XYZ-A\n---\n# Assembly\n\nText.\n")).variants == ()
    assert card(written(tmp_path, "v.md", "---\ndocument: WI-2\nmachine_type: VX-500\n---\n# Assembly\n\nText.\n")).variants == ("VX-500",)
