"""The page of a cited manual as a small picture inside a document, where the page has a figure that helps.

The page is drawn by a child process with a time and a memory limit, so that a page which hangs or swells costs the
draft its picture and nothing else. tests/test_kinds.py draws one and gives it a file that is no PDF.
"""

from __future__ import annotations

import base64
import io
import subprocess
import sys
from functools import lru_cache
from pathlib import Path
from xml.etree import ElementTree

LONGEST_PX = 900
SECONDS = 15

_CHILD = r"""
import io, re, resource, sys
resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
import pypdfium2
path, number, longest = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
page = pypdfium2.PdfDocument(path)[number - 1]
text = page.get_textpage().get_text_range()
images = any(item.type == 3 for item in page.get_objects(max_depth=2))
if images or re.search(r"\b(?:Figure|Fig\.|Abbildung|Abb\.|Bild)\s*\d", text):
    picture = page.render(scale=longest / max(page.get_size())).to_pil().convert("L").quantize(16)
    out = io.BytesIO()
    picture.save(out, "PNG", optimize=True)
    sys.stdout.buffer.write(out.getvalue())
"""


def drawable(encoded: str, kind: str = "png") -> bytes | None:
    """The bytes of a picture in base64 that renderers can draw; None when it is broken, so that it costs only itself."""
    try:
        content = base64.b64decode(encoded, validate=True)
        if kind == "svg":
            return content if ElementTree.fromstring(content).tag.endswith("svg") else None
        from PIL import Image

        with Image.open(io.BytesIO(content)) as picture:
            picture.load()
        return content
    except (ValueError, OSError, SyntaxError):  # binascii.Error is a ValueError; ElementTree raises a SyntaxError
        return None


@lru_cache(maxsize=64)
def figure_page(source: str, page: int, longest_px: int = LONGEST_PX) -> str:
    """The page as PNG in base64 when it holds a figure; "" when it holds none or cannot be drawn."""
    if not source.lower().endswith(".pdf") or not Path(source).is_file():
        return ""
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-c", _CHILD, source, str(page), str(longest_px)], capture_output=True, timeout=SECONDS, check=False
        )
    except (subprocess.TimeoutExpired, OSError):
        return ""
    return base64.b64encode(done.stdout).decode() if done.returncode == 0 else ""
