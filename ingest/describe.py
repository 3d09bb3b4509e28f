"""What a file says it is: document id, title, revision, dates, kind and the machines it is valid for.

Asked in this order: the YAML hint beside it (`NAME.pdf.yaml`), the metadata line (`andon: document=..; revision=..`),
front matter, the revision block on its first page, its headings, its name. No file is refused for saying nothing.
"""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import yaml

from ingest.readers.blocks import Content, UnreadableFile
from ingest.readers.data import readable
from retrieval.passages import KINDS, DocumentInfo

UNREVISED = "-"
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_BLOCK = {
    "document": re.compile(r"\b(?:document|doc)\.?\s*(?:no|nr|number|id|#)?\.?\s*[:#]\s*([A-Z0-9][\w./-]{2,30})", re.I),
    "revision": re.compile(r"\b(?:revision|rev|version|issue)\b\.?\s*(?:no\.?|number|level)?\s*[:.]?\s*([A-Z]?\d[\w.]{0,8}|[A-Z])\b", re.I),
    "effective": re.compile(
        r"\b(?:effective|valid from|date of issue|issued|release date|release(?:d)?)\b(?:\s+(?:date|on|from))?\s*[:.]?\s*"
        r"(\d[\d./-]{5,9}|\d{1,2}\.?\s+\w{3,9}\.?\s+\d{4}|\w{3,9}\.?\s+\d{1,2},?\s+\d{4})", re.I),
}  # fmt: skip
_KIND_WORDS = (
    ("sop", re.compile(r"\bsop\b|standard operating procedure", re.I)),
    ("work_instruction", re.compile(r"\bwork(ing)? instructions?\b|\bwi[-_ ]?\d", re.I)),
    ("bulletin", re.compile(r"\b(service|technical|safety)?\s*(bulletin|service letter|notice)\b", re.I)),
    ("log", re.compile(r"\b(maintenance|shift|service) (log|logbook|notes?)\b", re.I)),
)


def describe(
    content: Content, path: Path, fallback: str, content_hash: str, equipment: str | None, revision: str | None
) -> DocumentInfo:
    """The document's card. `equipment` and `revision`, as given on the command line, win over all but the hint."""
    said = _first_page(content) | _said(content) | _hint(path)
    title = said.get("title", "")
    if not title or _is_file_name(title, path):
        heading = next((b.text for b in content.blocks if b.kind == "heading" and b.level <= 2), "")
        title = heading[:140] if heading and len(heading.split()) > 1 else readable(path.stem)
    kind = said.get("kind", "").strip().lower().replace(" ", "_")
    if kind not in KINDS:
        kind = next((k for k, words in _KIND_WORDS if words.search(f"{title} {readable(path.stem)}")), "manual")
    machines = tuple(e.strip() for e in re.split(r"[,;]", said.get("equipment", equipment or "")) if e.strip())
    return DocumentInfo(
        document=re.sub(r"[/\\\s]+", "-", said.get("document", fallback)).strip("-") or fallback,
        title=title,
        revision=re.sub(r"[/\\\s]+", "-", str(revision or said.get("revision", UNREVISED))) or UNREVISED,
        kind=kind,
        effective=as_date(said.get("effective", "")),
        superseded=as_date(said.get("superseded", "")),
        status="retired" if said.get("status", "") in ("retired", "withdrawn", "obsolete") else "effective",
        source=str(path.resolve()),
        pages=content.pages,
        content_hash=content_hash,
        equipment=machines,
        equipment_class=said.get("equipment_class", ""),
        language=said.get("language", "en"),
        access=said.get("access", "plant"),
    )


def hint_path(path: Path) -> Path:
    """Where the hint for a file lies: `manual.pdf.yaml` beside `manual.pdf`."""
    return path.with_name(path.name + ".yaml")


def _hint(path: Path) -> dict[str, str]:
    hint = hint_path(path)
    if not hint.is_file():
        return {}
    try:
        values = yaml.safe_load(hint.read_text("utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UnreadableFile(f"its hint {hint.name} is not valid YAML") from error
    if not isinstance(values, dict):
        raise UnreadableFile(f"its hint {hint.name} holds no `name: value` lines")
    return {str(k): ", ".join(map(str, v)) if isinstance(v, list) else str(v) for k, v in values.items() if v is not None}


def _said(content: Content) -> dict[str, str]:
    """Metadata and front matter; the keywords may carry a line of `name=value` pairs of ours."""
    said = {k: v for k, v in content.meta.items() if v.strip()}
    keywords = said.get("keywords", "")
    if re.match(r"\s*andon\s*:", keywords):
        for pair in keywords.split(":", 1)[1].split(";"):
            name, _, value = pair.partition("=")
            if value.strip():
                said[name.strip().lower()] = value.strip()
    return said


def _first_page(content: Content) -> dict[str, str]:
    """The revision block: "Document no.: M-17 Rev. C, effective 2026-03-01" somewhere on page one."""
    texts = [b.text for b in content.blocks[:12]] if not content.pages else [b.text for b in content.blocks if b.page == 1]
    text = "\n".join(texts)[:4000]
    said = {}
    for name, pattern in _BLOCK.items():
        match = pattern.search(text)
        if match:
            said[name] = match.group(1).rstrip(".,;")
    if "document" not in said or not re.search(r"\d", said["document"]):
        said.pop("document", None)
        if "effective" not in said:
            said.pop("revision", None)  # a lone "version 2.1" is as often that of a software
    if "effective" in said and as_date(said["effective"]) is None:
        del said["effective"]
    return said


def _is_file_name(title: str, path: Path) -> bool:
    """Whether a metadata title is no title: a path, a file name of the program that made it, "untitled"."""
    return bool(
        re.search(r"[\\/]|\.(dvi|docx?|pdf|tex|indd|ps|xlsx?|pptx?|rtf|odt|html?)\b", title, re.I)
        or re.match(r"(untitled|document\d*|microsoft word|title|unknown|no title)\b", title, re.I)
        or title.strip().lower() == path.stem.lower()
    )


def as_date(text: str) -> date | None:
    """2026-03-01, 2026/3/1, 01.03.2026, 1 March 2026 or March 1, 2026; None for anything else."""
    text = str(text).strip()
    patterns = (
        (r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})", (1, 2, 3)),
        (r"(\d{1,2})\.(\d{1,2})\.(\d{4})", (3, 2, 1)),
        (r"(\d{1,2})\.?\s+([A-Za-z]{3})[a-z]*\.?\s+(\d{4})", (3, 2, 1)),
        (r"([A-Za-z]{3})[a-z]*\.?\s+(\d{1,2}),?\s+(\d{4})", (3, 1, 2)),
    )
    for pattern, (year, month, day) in patterns:
        match = re.match(pattern, text)
        if match:
            named = match.group(month)
            number = _MONTHS.index(named.lower()) + 1 if named.lower() in _MONTHS else named
            try:
                return date(int(match.group(year)), int(number), int(match.group(day)))
            except ValueError:
                return None
    return None
