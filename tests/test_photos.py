"""Photographed pages: PNG, JPEG and TIFF become text with headings and steps, on the page they are on."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont

from ingest.quarantine import TRANSIENT, sentence
from ingest.readers import UnreadableFile, read, reader_name, scans

needs_tesseract = pytest.mark.skipif(not scans.installed(), reason="Tesseract is not installed")
LINES = (
    "4.2 Changing the coolant filter", "1. Stop the pump and lock it out.", "2. Open the drain valve slowly.",
    "3. Tighten the filter housing to 25 N m.", "The filter is changed every 600 hours of operation.",
)  # fmt: skip


def page(lines: tuple[str, ...] = LINES) -> Image.Image:
    """A printed page as a telephone shows it: grey paper, dark letters."""
    picture = Image.new("RGB", (1240, 1754), (228, 226, 220))
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(size=38)
    for number, line in enumerate(lines):
        draw.text((110, 200 + 95 * number), line, fill=(35, 35, 40), font=font)
    return picture


def said(path: Path) -> str:
    return "\n".join("\n".join((block.text, *block.items)) for block in read(path).blocks)


@needs_tesseract
@pytest.mark.parametrize("name", ["page.png", "page.jpg", "page.TIF", "page.jpeg"])
def test_a_photographed_page_is_read(tmp_path: Path, name: str) -> None:
    page().save(tmp_path / name)
    content = read(tmp_path / name)
    assert content.pages == 1
    text = said(tmp_path / name)
    assert "coolant filter" in text
    assert "25 N" in text
    assert any(block.kind == "steps" and len(block.items) == 3 for block in content.blocks)


@needs_tesseract
def test_a_tiff_has_its_pages_and_a_turned_photo_is_turned_back(tmp_path: Path) -> None:
    first, second = page(), page(("5 Belt", "The belt tension is checked with gauge T-40 every month.", "A worn belt is replaced at once."))
    first.save(tmp_path / "two.tiff", save_all=True, append_images=[second])
    content = read(tmp_path / "two.tiff")
    assert content.pages == 2
    assert any("gauge" in block.text and block.page == 2 for block in content.blocks)
    held = Image.Exif()
    held[0x0112] = 6  # the telephone was held upright, its sensor lay on its side
    page().rotate(90, expand=True).save(tmp_path / "held.jpg", exif=held)
    assert "600 hours" in said(tmp_path / "held.jpg")


def test_without_tesseract_the_reason_says_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page().save(tmp_path / "page.png")
    monkeypatch.setattr(scans, "installed", lambda: False)
    with pytest.raises(UnreadableFile, match=r"Tesseract.*is not installed") as refused:
        read(tmp_path / "page.png")
    assert TRANSIENT.match(str(refused.value))  # the next run after it is installed reads it
    assert "install" in sentence(str(refused.value))


def test_what_is_no_page_is_refused_with_a_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scans, "installed", lambda: True)
    Image.new("L", (64, 64)).save(tmp_path / "logo.png")
    with pytest.raises(UnreadableFile, match="too small"):
        read(tmp_path / "logo.png")
    page().save(tmp_path / "page.png")
    raw = (tmp_path / "page.png").read_bytes()
    (tmp_path / "cut.png").write_bytes(raw[: len(raw) // 2])
    with pytest.raises(UnreadableFile, match="damaged"):
        read(tmp_path / "cut.png")
    Image.new("1", (20_000, 20_000)).save(tmp_path / "huge.png")
    with pytest.raises(UnreadableFile, match="million pixels"):
        read(tmp_path / "huge.png")


def test_a_picture_is_known_by_its_first_bytes(tmp_path: Path) -> None:
    page().save(tmp_path / "page.png")
    (tmp_path / "page.png").rename(tmp_path / "manual.pdf")
    assert reader_name(tmp_path / "manual.pdf") == "picture"
