"""Why a file was not taken, as one sentence with what to do about it.

Readers give a reason ("the file is encrypted and needs a password"); whoever keeps the documents needs the next step.
`tests/test_hostile_files.py` holds every reason of its corpus to having one.
"""

from __future__ import annotations

import re

#: Reasons that lie in the moment, or in another file; the next run tries again.
TRANSIENT = re.compile(r"reading it (took|needs)|its reader (crashed|failed)|it cannot be read|it says it is ")

_STEPS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), step)
    for pattern, step in (
        (r"it says it is ", "give one of the two another revision, or take one away"),
        (r"password|encrypt", "save it without a password, and in a current format"),
        (r"is empty", "copy it again from where it came from"),
        (r"zip bomb|YAML bomb|unpacks|repeats itself|XML entities|external", "do not open it; ask whoever sent it for a clean copy"),
        (r"of type|no Word|no Excel|is no .*(document|workbook)", "save it as PDF, DOCX, XLSX, HTML, Markdown, text, CSV, JSON or YAML, with the fitting suffix"),
        (r"only pictures|text recognition|scanned", "install Tesseract (tesseract-ocr), or have it scanned with text recognition"),
        (r"no text|no readable text", "make sure that it holds text and not only pictures"),
        (r"more parts", "save the parts that matter as files of their own"),
        (r"pages;|larger than|more cells|more text|more values|too many|too long", "split it into smaller files"),
        (r"nested too deeply|too deep", "save it again from the program that made it, with less nesting"),
        (r"JSON|YAML|CSV|front matter|hint", "correct the place named and run ingest again"),
        (r"its name", "rename the file"),
        (r"took (longer|too much)|needs more memory", "run ingest again when the machine is less busy; if it stays, split the file"),
        (r"crashed|failed", "open it in its own program and save it again; if it stays, send it to support"),
        (r"cannot be (read|opened)", "check that the file is there and may be read by the account that runs Andon"),
        (r"damaged|is not valid|is no valid", "open it in its own program and save it again, or copy it again"),
    )
)  # fmt: skip
_ELSE = "open it in its own program and save it again"


def next_step(reason: str) -> str:
    """What a person can do about a reason."""
    return next((step for pattern, step in _STEPS if pattern.search(reason)), _ELSE)


def sentence(reason: str) -> str:
    """Reason and next step: "The file is empty: copy it again from where it came from."."""
    said = reason.strip().rstrip(".")
    return f"{said[:1].upper()}{said[1:]}: {next_step(said)}."
