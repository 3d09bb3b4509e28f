"""A published procedure as a source for answers: its passages in the index, each with the page of the approved PDF.

Only what people approved enters: words, steps with their warnings, quotations; never a figure of one day. Passages
name the document and its revision, so an answer cites them like any manual, and the cited page is that of the very
bytes that were signed. tests/test_publishing.py asks a question before, during and after.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from retrieval.index import Anchor, DocumentInfo, Passage
from tools.documents.store import Kept
from tools.documents.tree import Document, Part
from tools.registry import Unavailable

if TYPE_CHECKING:
    from retrieval.index import Index

#: Document kinds of ours as kinds of the index.
_KINDS = {"sop": "sop", "work_instruction": "work_instruction", "troubleshooting_guide": "work_instruction"}
_WARNING = re.compile(r"^(WARNING|DANGER|CAUTION)\b", re.IGNORECASE)
_MARK = re.compile(r"\s*\[E\d+\]")
#: Letters by which a passage is looked for on a page.
_PROBE = 48


def publish(
    index: Index, folder: Path, kept: Kept, document: Document, pdf: bytes, proof: Mapping[str, Any], from_day: date
) -> None:
    """Make an effective procedure answer questions from that day on. Raises Unavailable (file) or RetrievalError (index)."""
    path = _written(folder / f"{kept.document}-{kept.revision}.pdf", pdf)
    pages = page_texts(pdf)
    equipment = (proof.get("arguments") or {}).get("equipment")
    info = DocumentInfo(
        kept.document, kept.title, str(kept.revision), kind=_KINDS[kept.kind], effective=from_day,
        source=str(path), pages=len(pages), content_hash=kept.pdf, equipment=(str(equipment),) if equipment else (),
    )  # fmt: skip
    index.add(info, list(passages(document, info, pages)))


def withdraw(index: Index, kept: Kept) -> None:
    """Stop it answering questions, now; it stays known as retired, so that old answers can still show their source."""
    index.retire(kept.document, str(kept.revision))


def passages(document: Document, info: DocumentInfo, pages: Sequence[str]) -> Iterator[Passage]:
    """Every approved passage of a procedure, in order. What cites a query is a figure of one day and stays out."""
    counted = {source.marker for source in document.sources if source.sql}
    for section in document.sections:
        for number, part in enumerate(section.parts):
            markers = {*part.get("markers", ()), part.get("marker")}
            text, steps = ("", ()) if markers & counted else _said(part)
            if not text.strip():
                continue
            digest = hashlib.sha256(f"{info.content_hash}{section.title}{number}{text}".encode()).hexdigest()[:16]
            yield Passage(
                id=f"{info.document}@{info.revision}#{digest}", text=text, kind=info.kind, block="steps" if steps else "paragraph",
                anchor=Anchor(info.document, info.revision, _page_of(steps[0] if steps else text, pages), section.title),
                title=info.title, equipment=info.equipment, equipment_class=info.equipment_class, steps=steps, access=info.access,
            )  # fmt: skip


def _said(part: Part) -> tuple[str, tuple[str, ...]]:
    """The words of a part that may answer a question, and its steps when it is a list of them."""
    kind = part["part"]
    if kind in ("text", "quote", "warning"):
        return ("", ()) if part.get("note") else (_uncited(part["text"]), ())
    if kind == "list":
        return "\n".join(_uncited(item) for item in part["items"]), ()
    if kind == "steps":
        steps = tuple(line for step in part["steps"] for line in _step(step))
        return "\n".join((str(part.get("title") or ""), *steps)).strip(), steps
    return "", ()


def _step(step: Mapping[str, Any]) -> Iterator[str]:
    """A step with its warning before it, its details and reasons in it, and what is then to be seen."""
    warning = _uncited(step.get("warning") or "")
    if warning:
        yield warning if _WARNING.match(warning) else f"WARNING: {warning}"
    words = [step["text"], *step.get("details", ()), *step.get("reasons", ())]
    expected = step.get("expected")
    yield f"{step['n']}. {_uncited(' '.join(map(str, words)))}" + (f" Expected result: {_uncited(expected)}" if expected else "")


def _uncited(text: object) -> str:
    """Words without the marks of their sources, which mean nothing outside the document."""
    return _MARK.sub("", str(text)).strip()


def page_texts(pdf: bytes) -> list[str]:
    """The letters and digits of each page; none where the text cannot be read, and passages then name no page."""
    import pypdf
    from pypdf.errors import PyPdfError

    try:
        return [_plain(page.extract_text()) for page in pypdf.PdfReader(io.BytesIO(pdf)).pages]
    except PyPdfError:
        return []


def _page_of(text: str, pages: Sequence[str]) -> int | None:
    probe = _plain(re.sub(r"^\s*\d+[.)]\s*", "", text))[:_PROBE]
    return next((number for number, page in enumerate(pages, 1) if probe and probe in page), 1 if pages else None)


def _plain(text: str) -> str:
    return re.sub(r"\W+", "", text).casefold()


def _written(path: Path, content: bytes) -> Path:
    """The file with exactly these bytes, replaced in one step."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".new")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise Unavailable(f"The published document cannot be written: {(error.strerror or 'the disk refused').lower()}.") from error
    return path
