"""Scanned pages: recognised where Tesseract is installed, upright or not, with their tables; a clear sentence where not."""

from __future__ import annotations

import io
from pathlib import Path

import pypdfium2
import pytest
import typst

from ingest.describe import describe
from ingest.readers import UnreadableFile, read, scans
from ingest.split import split

needs_tesseract = pytest.mark.skipif(not scans.installed(), reason="Tesseract is not installed")

PAGE = """#set page(paper: "a5", margin: 15mm)
#set text(size: 12pt)
= 4.2 Changing the belt
The belt is changed by two people while the press is locked out and the flywheel stands still.

1. Lock out the press.
2. Take the guard off.
3. Fit the new belt.

#table(columns: (1fr, 2fr, 3fr), stroke: none, row-gutter: 6pt, [Alarm], [Message], [Remedy],
  [502], [Oil flow low], [Clean the filter], [503], [Oil hot], [Check the cooler], [504], [Door open], [Close the door])
"""


def scanned(folder: Path, *turns: int, text: str = "") -> Path:
    """A PDF of pictures of the page, each turned by so many degrees; `text`: a page of real text before them."""
    source = pypdfium2.PdfDocument(typst.compile(PAGE.encode()))
    picture = source[0].render(scale=200 / 72).to_pil().convert("RGB")
    images = [picture.rotate(turn, expand=True) for turn in turns]
    raw = io.BytesIO()
    images[0].save(raw, "PDF", resolution=200, save_all=True, append_images=images[1:])
    document = pypdfium2.PdfDocument(raw.getvalue())
    whole = pypdfium2.PdfDocument.new()
    if text:
        whole.import_pages(pypdfium2.PdfDocument(typst.compile(text.encode())))
    whole.import_pages(document)
    path = folder / "scan.pdf"
    whole.save(str(path))
    return path


@needs_tesseract
def test_a_scanned_page_gives_headings_steps_and_alarms(tmp_path: Path) -> None:
    path = scanned(tmp_path, 0)
    content = read(path)
    assert content.pages == 1
    assert any(b.kind == "heading" and b.text == "4.2 Changing the belt" for b in content.blocks)
    (steps,) = [b for b in content.blocks if b.kind == "steps"]
    assert steps.items == ("1. Lock out the press.", "2. Take the guard off.", "3. Fit the new belt.")
    _, alarms = split(content, describe(content, path, "scan", "hash", None, None))
    assert {a.code: (a.title, a.remedy, a.passage.anchor.page) for a in alarms} == {
        "502": ("Oil flow low", "Clean the filter", 1), "503": ("Oil hot", "Check the cooler", 1), "504": ("Door open", "Close the door", 1),
    }  # fmt: skip


@needs_tesseract
def test_a_page_on_its_head_beside_pages_of_text(tmp_path: Path) -> None:
    content = read(scanned(tmp_path, 180, text="= 1 Use\nThis page has text of its own and is not recognised but read."))
    assert any("text of its own" in b.text and b.page == 1 for b in content.blocks)
    assert any("locked out" in b.text and b.page == 2 for b in content.blocks)


def test_without_tesseract_the_reason_says_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scans, "installed", lambda: False)
    with pytest.raises(UnreadableFile, match=r"Tesseract.*is not installed"):
        read(scanned(tmp_path, 0))
    content = read(scanned(tmp_path, 0, text="= 1 Use\nThis page has text of its own and it is read in any case."))
    assert any("text of its own" in b.text for b in content.blocks)


def test_a_drawing_with_labels_is_no_scan(tmp_path: Path) -> None:
    path = tmp_path / "drawing.pdf"
    path.write_bytes(typst.compile(b"#rect(width: 12cm, height: 15cm, fill: gray)\nFigure 1: the drive from the left, with belt and guard"))
    page = pypdfium2.PdfDocument(path)[0]
    assert not scans.is_scanned(page, [])


@needs_tesseract
def test_only_installed_languages_are_asked_for() -> None:
    assert scans.languages("eng+klingon") == "eng"
    assert scans.languages("klingon") == "eng"


def test_too_many_scanned_pages_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scans, "MOST_PAGES", 1)
    monkeypatch.setattr(scans, "installed", lambda: True)
    monkeypatch.setattr(scans, "words_of", lambda page: [])
    with pytest.raises(UnreadableFile, match="more than 1 scanned pages"):
        read(scanned(tmp_path, 0, 0, 0))
