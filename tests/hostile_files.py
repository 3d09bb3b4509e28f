"""Damaged, encrypted, huge, empty, recursive, mislabelled and hostile files, made on the spot.

`CORPUS` maps a file name to (what makes its bytes, what must become of it): a pattern for the reason why it is refused,
or READ with a pattern that its text must show ("" for any)."""

from __future__ import annotations

import io
import json
import struct
import zipfile
import zlib
from collections.abc import Callable
from email.message import EmailMessage

READ = "read: "
EITHER = "either"
SECRET = "root:x:0:0"  # the first line of the file that external entities ask for


def zipped(members: dict[str, bytes], stored: bool = False) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
S = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'


def docx(body: str, head: str = "", **more: bytes) -> bytes:
    xml = f'<?xml version="1.0"?>{head}<w:document {W}><w:body>{body}</w:body></w:document>'
    return zipped({"word/document.xml": xml.encode(), **more})


def paragraph(text: str) -> str:
    return f"<w:p><w:r><w:t>{text}</w:t></w:r></w:p>"


def xlsx(sheet: str, **more: bytes) -> bytes:
    book = f'<workbook {S}><sheets><sheet name="One" sheetId="1" r:id="rId1"/></sheets></workbook>'
    relations = '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Target="worksheets/sheet1.xml"/></Relationships>'
    members = {
        "xl/workbook.xml": book.encode(),
        "xl/_rels/workbook.xml.rels": relations.encode(),
        "xl/worksheets/sheet1.xml": sheet.encode(),
    }
    return zipped(members | more)


def pdf(objects: list[bytes], trailer: bytes = b"") -> bytes:
    """A PDF of numbered objects with a right cross-reference table; object 1 is the catalogue."""
    out, places = io.BytesIO(), []
    out.write(b"%PDF-1.7\n")
    for number, content in enumerate(objects, 1):
        places.append(out.tell())
        out.write(b"%d 0 obj\n%s\nendobj\n" % (number, content))
    at = out.tell()
    out.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1))
    for place in places:
        out.write(b"%010d 00000 n \n" % place)
    out.write(b"trailer\n<< /Size %d /Root 1 0 R %s >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, trailer, at))
    return out.getvalue()


TEXT = b"BT /F1 12 Tf 72 700 Td (Spindle nut torque is 40 N m on press seven.) Tj ET"
FONT = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"


def stream(content: bytes, extra: bytes = b"") -> bytes:
    return b"<< /Length %d %s >>\nstream\n%s\nendstream" % (len(content), extra, content)


def page_pdf(
    content: bytes = TEXT,
    catalogue: bytes = b"",
    page: bytes = b"",
    contents: bytes | None = None,
    more: tuple[bytes, ...] = (),
    trailer: bytes = b"",
) -> bytes:
    return pdf([
        b"<< /Type /Catalog /Pages 2 0 R %s >>" % catalogue,
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> %s >>" % page,
        contents if contents is not None else stream(content), FONT, *more,
    ], trailer)  # fmt: skip


def many_pages(count: int) -> bytes:
    kids = b" ".join(b"%d 0 R" % (number + 5) for number in range(count))
    shared = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 3 0 R /Resources << /Font << /F1 4 0 R >> >> >>"
    return pdf(
        [
            b"<< /Type /Catalog /Pages 2 0 R >>",
            b"<< /Type /Pages /Kids [%s] /Count %d >>" % (kids, count),
            stream(TEXT),
            FONT,
            *([shared] * count),
        ]
    )


def deflated_bomb(size: int, layers: int = 1) -> bytes:
    content = zlib.compress(b" " * size, 9)
    for _ in range(layers - 1):
        content = zlib.compress(content, 9)
    return stream(content, b"/Filter [%s]" % b" ".join([b"/FlateDecode"] * layers))


def picture(width: int, height: int, pages: bool = True) -> bytes:
    """A page that is one picture of that many pixels, all white, packed into almost nothing."""
    raw = zlib.compressobj(9)
    row = b"\xff" * (width // 8)
    content = b"".join(raw.compress(row) for _ in range(height)) + raw.flush()
    image = stream(
        content,
        b"/Type /XObject /Subtype /Image /Width %d /Height %d /ColorSpace /DeviceGray /BitsPerComponent 1 /Filter /FlateDecode"
        % (width, height),
    )
    return pdf([
        b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /Resources << /XObject << /I 5 0 R >> >> >>",
        stream(b"q 612 0 0 792 0 0 cm /I Do Q"), image,
    ])  # fmt: skip


def encrypted_pdf() -> bytes:
    import pypdf

    writer = pypdf.PdfWriter(io.BytesIO(page_pdf()))
    writer.encrypt("secret", algorithm="RC4-128")
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def nested_mail(depth: int) -> bytes:
    """Multiparts in multiparts, as text: the library that writes mail is itself recursive."""
    head = b"Subject: nested\nFrom: a@b\n"
    parts = [b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(depth)]
    return (
        head
        + b"".join(parts)
        + b"Content-Type: text/plain\n\nThe valve sticks.\n"
        + b"".join(b"--b%d--\n" % n for n in reversed(range(depth)))
    )


def wide_mail(parts: int) -> bytes:
    body = b"".join(b"--x\nContent-Type: text/plain\n\npart %d\n" % n for n in range(parts))
    return b"Subject: wide\nFrom: a@b\nContent-Type: multipart/mixed; boundary=x\n\n" + body + b"--x--\n"


def mail_with(name: str, content: bytes) -> bytes:
    message = EmailMessage()
    message["Subject"], message["From"] = "Bulletin on the clamp", "maker@example.com"
    message.set_content("The clamp of press seven is tightened with 40 N m.")
    message.add_attachment(content, maintype="application", subtype="octet-stream", filename=name)
    return message.as_bytes()


def bomb_zip(member: str, size: int) -> bytes:
    return zipped({member: b" " * size})


def lying_zip() -> bytes:
    """A DOCX whose directory says 10 bytes where there are 40 million."""
    raw = bytearray(docx(paragraph("x" * 40_000_000)))
    place = raw.rindex(b"PK\x01\x02")
    raw[place + 24 : place + 28] = struct.pack("<I", 10)
    return bytes(raw)


def encrypted_zip() -> bytes:
    raw = bytearray(docx(paragraph("hidden")))
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        raw[raw.index(mark) + offset] |= 1
    return bytes(raw)


def laughs(levels: int = 9) -> str:
    rows = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, levels))
    return f'<!DOCTYPE lolz [<!ENTITY l0 "lol">{rows}]>'


EXTERNAL = '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 2000
SENTENCE = "The coolant is changed every 600 hours."

CORPUS: dict[str, tuple[Callable[[], bytes], str]] = {
    # empty, cut off, mislabelled
    "empty.pdf": (lambda: b"", "empty"),
    "empty.txt": (lambda: b"", "empty"),
    "spaces.txt": (lambda: b" \n" * 5000, "no text"),
    "zeros.txt": (lambda: b"\x00" * 5000, "of type|no readable text|no text"),
    "noise.txt": (lambda: bytes(range(256)) * 40, "of type|no readable text"),
    "noise.pdf": (lambda: bytes(range(256)) * 40, "damaged"),
    "noise.docx": (lambda: bytes(range(256)) * 40, "damaged"),
    "cut.pdf": (lambda: page_pdf()[:300], EITHER),
    "cut.docx": (lambda: docx(paragraph(SENTENCE))[:-40], "damaged"),
    "text.docx": (lambda: SENTENCE.encode(), "damaged"),
    "program.exe": (lambda: b"MZ" + b"\x90" * 500, "of type"),
    "program.pdf": (lambda: b"MZ" + b"\x90" * 500, "damaged"),
    "picture.png": (lambda: b"\x89PNG\r\n\x1a\n\x00\x00", "damaged|Tesseract"),
    "text.jpg": (lambda: SENTENCE.encode(), "damaged|Tesseract"),
    "archive.zip": (lambda: zipped({"a.txt": b"hello"}), "of type"),
    "pdf-inside.docx": (page_pdf, READ + "40 N m"),
    "docx-inside.pdf": (lambda: docx(paragraph(SENTENCE)), "damaged|of type"),
    "xlsx-inside.docx": (lambda: xlsx(f"<worksheet {S}/>"), "no Word document"),
    "pdf-late.pdf": (lambda: b"junk\n" * 50 + page_pdf(), EITHER),
    "no-suffix": (lambda: SENTENCE.encode(), "of type"),
    # encrypted
    "locked.pdf": (encrypted_pdf, "encrypted"),
    "locked.docx": (lambda: OLE, "encrypted"),
    "locked.xlsx": (lambda: OLE, "encrypted"),
    "locked-member.docx": (encrypted_zip, "damaged or encrypted|encrypted"),
    # zip bombs and XML in office files
    "bomb.docx": (lambda: bomb_zip("word/document.xml", 60_000_000), "zip bomb"),
    "bomb.xlsx": (lambda: bomb_zip("xl/workbook.xml", 60_000_000), "zip bomb"),
    "bomb-beside.docx": (lambda: zipped({"word/document.xml": b"<x/>", "media/a.bin": b"\0" * 60_000_000}), "zip bomb"),
    "lying.docx": (lying_zip, "damaged|zip bomb|unpacks"),
    "nested-zip.docx": (lambda: zipped({"word/document.xml": zipped({"a": zipped({"b": b"x"})})}), "damaged"),
    "many-members.docx": (lambda: zipped({f"word/{n}.xml": b"" for n in range(20_000)}), "no Word document|too many"),
    "laughs.docx": (lambda: docx(paragraph("&l8;"), laughs()), "XML entities"),
    "laughs.xlsx": (lambda: zipped({"xl/workbook.xml": (laughs() + "<x>&l8;</x>").encode()}), "XML entities"),
    "external.docx": (lambda: docx(paragraph("&e;"), EXTERNAL), "XML entities"),
    "utf16-entities.docx": (lambda: zipped({"word/document.xml": (f'<?xml version="1.0" encoding="utf-16"?>{laughs()}<x>&l8;</x>').encode("utf-16")}), "XML entities|damaged"),
    "deep-xml.docx": (lambda: docx("<w:p>" * 50_000 + "</w:p>" * 50_000), "nested|deep|damaged|no text"),
    "paths.docx": (lambda: zipped({"../../escape.txt": b"x", "/etc/escape": b"x", "word/document.xml": f"<w:document {W}><w:body>{paragraph(SENTENCE)}</w:body></w:document>".encode()}), READ + "600 hours"),
    "wide.xlsx": (lambda: xlsx(f'<worksheet {S}><sheetData><row><c r="XFD1"><v>1</v></c><c r="ZZZZZZZ9"><v>2</v></c></row></sheetData></worksheet>'), EITHER),
    "many-cells.xlsx": (lambda: xlsx(f"<worksheet {S}><sheetData>{'<row>' + '<c><v>1</v></c>' * 300 + '</row>'}" + ("<row>" + "<c><v>7</v></c>" * 300 + "</row>") * 1500 + "</sheetData></worksheet>"), EITHER),
    "strings-out-of-range.xlsx": (lambda: xlsx(f'<worksheet {S}><sheetData><row><c t="s"><v>999999999999</v></c></row></sheetData></worksheet>'), EITHER),
    "external-sheet.xlsx": (lambda: xlsx(EXTERNAL + f"<worksheet {S}><sheetData><row><c><v>&e;</v></c></row></sheetData></worksheet>"), "XML entities|damaged"),
    # PDF
    "nothing.pdf": (lambda: b"%PDF-1.7\n", "damaged"),
    "ten-thousand-pages.pdf": (lambda: many_pages(10_000), "10000 pages"),
    "javascript.pdf": (lambda: page_pdf(catalogue=b"/OpenAction << /S /JavaScript /JS (app.launchURL('http://example.com')) >>"), READ + "40 N m"),
    "launch.pdf": (lambda: page_pdf(catalogue=b"/OpenAction << /S /Launch /F (/bin/sh) >>", page=b"/AA << /O << /S /Launch /F (cmd.exe) >> >>"), READ + "40 N m"),
    "embedded.pdf": (lambda: page_pdf(catalogue=b"/Names << /EmbeddedFiles << /Names [(a.exe) 6 0 R] >> >>", more=(b"<< /Type /Filespec /F (../../a.exe) /EF << /F 7 0 R >> >>", stream(b"MZ" * 100))), READ + "40 N m"),
    "xfa.pdf": (lambda: page_pdf(catalogue=b"/AcroForm << /XFA 6 0 R /Fields [] >>", more=(stream((EXTERNAL + "<x>&e;</x>").encode()),)), READ + "40 N m"),
    "wrong-xref.pdf": (lambda: page_pdf().replace(b"startxref\n", b"startxref\n9"), EITHER),
    "no-xref.pdf": (lambda: page_pdf()[: page_pdf().index(b"xref")], EITHER),
    "xref-loop.pdf": (lambda: page_pdf(trailer=b"/Prev 9") + b"startxref\n9\n%%EOF", EITHER),
    "pages-loop.pdf": (lambda: pdf([b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Kids [2 0 R] /Count 1 >>"]), "damaged|no text"),
    "pages-of-themselves.pdf": (lambda: pdf([b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Kids [3 0 R 3 0 R] /Count 99999999 >>", b"<< /Type /Pages /Parent 2 0 R /Kids [2 0 R] /Count 99999999 >>"]), "damaged|no text|pages"),
    "object-loop.pdf": (lambda: page_pdf(contents=b"4 0 R"), EITHER),
    "length-loop.pdf": (lambda: page_pdf(contents=b"<< /Length 4 0 R >>\nstream\n" + TEXT + b"\nendstream"), EITHER),
    "outline-loop.pdf": (lambda: page_pdf(catalogue=b"/Outlines 6 0 R", more=(b"<< /First 7 0 R /Last 7 0 R /Count 1 >>", b"<< /Title (Loop) /Parent 6 0 R /Next 7 0 R /First 7 0 R >>")), READ + "40 N m"),
    "form-loop.pdf": (lambda: page_pdf(b"/X Do " + TEXT, page=b"/Rotate 0", contents=stream(b"/X Do " + TEXT)).replace(b"/Font << /F1 5 0 R >>", b"/Font << /F1 5 0 R >> /XObject << /X 6 0 R >>", 1), EITHER),
    "deep-arrays.pdf": (lambda: page_pdf(catalogue=b"/X " + b"[" * 20_000 + b"]" * 20_000), EITHER),
    "stream-bomb.pdf": (lambda: page_pdf(contents=deflated_bomb(60_000_000)), "no text|too much|unpacks|only pictures"),
    "layered-bomb.pdf": (lambda: page_pdf(contents=deflated_bomb(60_000_000, 3)), "no text|damaged|unpacks|only pictures"),
    "text-bomb.pdf": (lambda: page_pdf(TEXT * 30_000), "more text"),
    "huge-picture.pdf": (lambda: picture(40_000, 40_000), "no text|only pictures|recognition"),
    "huge-page.pdf": (lambda: page_pdf().replace(b"[0 0 612 792]", b"[0 0 9e9 9e9]"), EITHER),
    "nan-page.pdf": (lambda: page_pdf().replace(b"[0 0 612 792]", b"[0 0 0 0]    "), EITHER),
    # JSON, YAML, CSV
    "deep.json": (lambda: b"[" * 200_000 + b"]" * 200_000, "nested too deeply"),
    "deep-objects.json": (lambda: b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "nested too deeply"),
    "cut.json": (lambda: b'{"codes": [', "JSON"),
    "digits.json": (lambda: b'{"code": ' + b"9" * 100_000 + b"}", EITHER),
    "twice.json": (lambda: b'{"title": "a", "title": "b", "text": "The valve sticks at low pressure."}', READ + "valve"),
    "infinity.json": (lambda: b'{"title": "x", "limit": Infinity, "text": "The valve sticks."}', READ + "valve"),
    "surrogate.json": (lambda: json.dumps({"text": "The valve \ud800 sticks at low pressure"}).encode(), EITHER),
    "bad-line.jsonl": (lambda: b'{"a": 1}\nnot json\n', "line 2"),
    "aliases.yaml": (lambda: ("a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(f"{c}: &{c} [{','.join(['*' + chr(ord(c) - 1)] * 9)}]\n" for c in "bcdefghi")).encode(), "YAML bomb"),
    "self.yaml": (lambda: b"a: &a [*a, *a]\n", EITHER),
    "python.yaml": (lambda: b"!!python/object/apply:os.system ['touch escape']\n", EITHER),
    "deep.yaml": (lambda: b"[" * 20_000 + b"]" * 20_000, "YAML|nested"),
    "merge.yaml": (lambda: b"a: &a {x: 1}\nb: &b {<<: [*a, *a, *a]}\nc: {<<: [*b, *b]}\n", EITHER),
    "million-columns.csv": (lambda: b",".join(b"c%d" % n for n in range(1_000_000)) + b"\n" + b",".join([b"1"] * 1_000_000), "too many"),
    "million-rows.csv": (lambda: b"code,message\n" + b"".join(b"E%d,fault\n" % n for n in range(120_000)), "more text than is taken|larger|too many"),
    "one-cell.csv": (lambda: b'code,message\nE1,"' + b"x" * 400_000 + b'"\n', "CSV|" + EITHER),
    "open-quote.csv": (lambda: b'code,message\nE1,"never closed\nE2,fault\nE3,fault\n' * 50, EITHER),
    "formula.csv": (lambda: b"code,message\nE1,=cmd|' /C calc'!A0\nE2,@SUM(1)\nE3,normal fault\n", READ + "normal fault"),
    # text and mark-up
    "utf16-no-bom.txt": (lambda: SENTENCE.encode("utf-16-le"), EITHER),
    "mixed-encodings.txt": (lambda: "Kühlmittel wechseln. ".encode() * 20 + "Öl prüfen. ".encode("cp1252") * 20, READ + "wechseln"),
    "bidi.txt": (lambda: "Press \u202etxet desrever\u202c and \u200bzero\u200b width marks are here to stay.".encode(), READ + "width"),
    "one-line.txt": (lambda: b"word " * 400_000, EITHER),
    "no-space.txt": (lambda: b"x" * 3_000_000, EITHER),
    "many-lines.txt": (lambda: b"a\n" * 500_000, EITHER),
    "nested.html": (lambda: b"<html><body>" + b"<div>" * 100_000 + b"The valve sticks." + b"</div>" * 100_000, EITHER),
    "nested-lists.html": (lambda: b"<ul><li>" * 20_000 + b"The valve sticks.", EITHER),
    "nested-tables.html": (lambda: b"<table><tr><td>" * 5_000 + b"The valve sticks.", EITHER),
    "script.html": (lambda: b"<html><script>alert('pwned')</script><p onclick='x()'>The coolant is changed every 600 hours.</p><iframe src='file:///etc/passwd'></iframe>", READ + "600 hours"),
    "attributes.html": (lambda: b"<p " + b"a=1 " * 100_000 + b">The valve sticks.</p>", EITHER),
    "entities.html": (lambda: b"<p>" + b"&" * 200_000 + b"</p><p>The valve sticks.</p>", EITHER),
    "unclosed.html": (lambda: b"<" * 200_000, EITHER),
    "comment.html": (lambda: b"<!--" * 50_000 + b"The valve sticks.", READ + "valve sticks"),
    "open-tags.html": (lambda: b"<p>The pump leaks oil at its seal.</p>" + b"<a b='" * 50_000 + b"The valve sticks.", READ + "pump leaks"),
    "sections.html": (lambda: b"<![if !IE]><p>The valve sticks at low pressure.</p><![endif]>" + b"<![no " * 5_000 + b"<![CDATA[" * 20_000, READ + "valve sticks"),
    "paragraphs.txt": (lambda: b"the valve sticks at low pressure\n\n" * 20_000, READ + "valve sticks"),
    "quotes.md": (lambda: b">" * 50_000 + b" The valve sticks.\n", EITHER),
    "lists.md": (lambda: b"".join(b" " * (2 * n) + b"- a\n" for n in range(1_000)), EITHER),
    "brackets.md": (lambda: b"[" * 50_000 + b"a" + b"](" * 50_000, EITHER),
    "stars.md": (lambda: b"*a **b " * 20_000, EITHER),
    "front-matter.md": (lambda: b"---\na: &a [" + b"x," * 9 + b"x]\n" + b"".join(b"%c: [%s]\n" % (c, b",".join([b"*a"] * 9)) for c in b"bcdef") + b"---\n# Oil\n\nDrain the oil.\n", READ + "Drain"),
    "include.rst": (lambda: b"Oil change\n==========\n\n.. include:: /etc/passwd\n\n.. raw:: html\n   :file: /etc/passwd\n\nDrain the oil first.\n", READ + "Drain"),
    # mail
    "nested.eml": (lambda: nested_mail(1_000), "parts|nested|deep"),
    "wide.eml": (lambda: wide_mail(3_000), "parts"),
    "path.eml": (lambda: mail_with("../../../../tmp/escape.txt", b"The valve sticks at low pressure."), READ + "clamp"),
    "bomb.eml": (lambda: mail_with("bomb.docx", bomb_zip("word/document.xml", 30_000_000)), READ + "clamp"),
    "mail-in-mail.eml": (lambda: mail_with("a.eml", mail_with("b.eml", mail_with("c.eml", mail_with("d.eml", b"x")))), READ + "clamp"),
    "headers.eml": (lambda: b"Subject: " + b"=?utf-8?b?4pyT?= " * 20_000 + b"\nFrom: a@b\nDate: not a date\n\nThe clamp is tightened with 40 N m.\n", READ + "40 N m"),
    "charset.eml": (lambda: b"Subject: x\nContent-Type: text/plain; charset=no-such\n\nThe clamp is tightened.\n", EITHER),
}  # fmt: skip
