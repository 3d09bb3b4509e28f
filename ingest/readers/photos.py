"""Photographed and scanned pages that come as pictures (PNG, JPEG, TIFF with its pages), read as a scanned PDF is.

The picture becomes the pages of a PDF in memory and goes the way of every scan: turned upright, recognised by Tesseract,
laid out as headings, steps and tables. Without Tesseract the reason says so, and the next run after it is installed reads
it (`tests/test_photos.py`).
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from ingest.readers import pdf, scans
from ingest.readers.blocks import Content, UnreadableFile

#: A page photographed by a telephone has 12 to 50 million pixels, a large scan 140; a picture is unpacked whole.
_MOST_PIXELS = 200_000_000
#: Below, a picture is an icon or a logo; nobody photographs a page so small.
_LEAST_SIDE = 300
#: What recognition makes use of: 300 dots an inch on a page of 11.7 inches.
_LONGEST_SIDE = 3_500
_PAGE_INCHES = 11.7


def read(path: Path) -> Content:
    """Reads one picture file. Raises UnreadableFile when it is damaged, too small or large, or shows no text."""
    from PIL import Image, ImageSequence, UnidentifiedImageError

    if not scans.installed():
        raise UnreadableFile(scans.MISSING)
    Image.MAX_IMAGE_PIXELS = None  # the limit here is our own, and it is told before anything is unpacked
    pages: list[Any] = []
    try:
        with Image.open(path) as picture:
            for frame in ImageSequence.Iterator(picture):
                if frame.width * frame.height > _MOST_PIXELS:
                    raise UnreadableFile(f"the picture is larger than {_MOST_PIXELS // 1_000_000} million pixels")
                if len(pages) >= scans.MOST_PAGES:
                    raise UnreadableFile(f"more than {scans.MOST_PAGES} scanned pages are not read; split it")
                if min(frame.size) >= _LEAST_SIDE:
                    pages.append(_page(frame))
    except UnreadableFile:
        raise
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError) as error:
        raise UnreadableFile("the picture is damaged and cannot be opened") from error
    if not pages:
        raise UnreadableFile("no text: the picture is too small to show a page")
    with tempfile.TemporaryDirectory(prefix="andon-photo-") as folder:
        file = Path(folder) / "pages.pdf"
        dots = max(max(page.size) for page in pages) / _PAGE_INCHES
        pages[0].save(file, "PDF", save_all=True, append_images=pages[1:], resolution=dots)
        content = pdf.read(file)
    return Content(content.blocks, content.pages, {name: value for name, value in content.meta.items() if name == "running"})


def _page(frame: Any) -> Any:
    """One picture in grey, as it was held, no larger than recognition needs."""
    from PIL import ImageOps

    if frame.mode in ("RGBA", "LA", "PA") or "transparency" in frame.info:
        from PIL import Image

        shown = frame.convert("RGBA")
        frame = Image.alpha_composite(Image.new("RGBA", shown.size, "white"), shown)
    if frame.mode.startswith("I;16"):
        frame = frame.point(lambda value: value / 256)
    page = ImageOps.exif_transpose(frame).convert("L")
    page.thumbnail((_LONGEST_SIDE, _LONGEST_SIDE))
    return page
