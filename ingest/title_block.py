"""The cover page and the title block: document number, revision, dates and what the document is valid for.

They are read out of the first page, out of tables of names and values there ("Document no. | M-17 | Rev. | C") and out
of running headers and footers. Only what is labelled counts, and a statement of validity only when it names machines or
types by their designations: a wrong one would hide the document. `tests/test_describe.py`.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from datetime import date

from ingest.readers.blocks import Block, Content

_MONTHS = {
    name: number
    for number, names in enumerate(
        ("jan january januar janvier", "feb february februar février", "mar march märz mär mrz mars", "apr april avril", "may mai",
         "jun june juni juin", "jul july juli juillet", "aug august août", "sep sept september septembre", "oct okt october oktober octobre",
         "nov november novembre", "dec dez december dezember décembre"),
        start=1,
    )
    for name in names.split()
}  # fmt: skip
_DATE = (
    r"(\d{4}[-/.]\d{1,2}(?:[-/.]\d{1,2})?|\d{1,2}[./-]\d{1,2}[./-]\d{4}|\d{1,2}(?:st|nd|rd|th)?\.?\s+[^\W\d_]{3,9}\.?,?\s+\d{4}"
    r"|[^\W\d_]{3,9}\.?\s+\d{1,2}(?:st|nd|rd|th)?,?\s+\d{4}|[^\W\d_]{3,9}\.?\s+\d{4})"
)
_PATTERNS = {
    "document": re.compile(
        r"\b(?:document|doc|dokument(?:en)?|dok|spec(?:ification)?|procedure|instruction|manual|bulletin)(?:"
        r"\.?\s*(?:no|nr|number|id|#|nummer)\b\.?\s*[:#|]?|\.?-?(?:nummer|nr)\b\.?\s*[:#|]?|\.?\s*[:#|])\s*([A-Z0-9][\w./-]{2,30})",
        re.I,
    ),
    "revision": re.compile(
        r"\b(?:revision|rev|version|issue|edition|ausgabe|stand der ausgabe)\b\.?\s*(?:no\.?|number|level|index|status|nr\.?)?\s*[:.|]?\s*"
        r"([A-Z]{0,2}\.?\d[\w.]{0,8}|[A-Z]{1,2})\b",
        re.I,
    ),
    "effective": re.compile(
        r"\b(?:effective|valid from|valid as of|in force from|date of issue|issue date|issued|release date|released?|gültig ab|freigabe|"
        rf"ausgabedatum|stand|datum|date)\b(?:\s+(?:date|on|from|am))?\s*[:.|]?\s*{_DATE}",
        re.I,
    ),
    "superseded": re.compile(
        rf"\b(?:superseded(?: on)?|valid until|valid to|expires(?: on)?|withdrawn(?: on)?|gültig bis|not valid after)\b\s*[:.|]?\s*{_DATE}",
        re.I,
    ),
    "status": re.compile(r"\b(?:document )?status\s*[:|]\s*(draft|withdrawn|obsolete|void|retired|entwurf|ungültig)\b", re.I),
    "language": re.compile(r"\b(?:language|sprache)\s*[:|]\s*([a-z]{2}(?:[-_][a-z]{2})?)\b", re.I),
    "equipment_class": re.compile(r"\b(?:equipment|machine) class(?:es)?\s*[:|]\s*([\w][\w ,-]{1,60})", re.I),
}
_VALID = re.compile(
    r"\b(?:applies to|applicable to|applicability|valid for|for machines?|machines?|equipment(?: id| no\.?)?|machine (?:types?|models?)|models?|"
    r"types?|gültig für|maschinen?|maschinentyp(?:en)?|typ)\s*[:|]\s*([^\n|]{2,160})",
    re.I,
)
_SOFTWARE = re.compile(
    r"\b(?:applies to|applicable to|valid for|applicability|gültig für|for|from|ab)\b[^\n|]{0,60}?\b(?:control(?:ler)? |machine )?"
    r"(?:software|firmware|steuerungssoftware)(?:\s*versions?)?\s*[:|]?\s*((?:>=?|<=?|≥|≤|from |ab |before |up to |v)*\d[\w.]*"
    r"(?:\s*(?:or later|and later|or newer|and newer|or higher|and above|and up|oder neuer|or earlier|and earlier|\+|(?:-|–|to|bis)\s*v?\d[\w.]*))?)",
    re.I,
)
_DESIGNATION = re.compile(r"[A-Z][A-Z0-9]{0,7}(?:[-_/ .]?[A-Z0-9]{1,8}){0,3}", re.I)
_MACHINE = re.compile(r"[A-Z]{1,8}[-_]\d{1,4}[A-Z]?")


def said_by_cover(content: Content) -> dict[str, str]:
    """What the first page, its tables and the running headers say, by our names; {} when they say nothing."""
    text = "\n".join([*_first_lines(content), content.meta.get("running", "")])[:6000]
    said: dict[str, str] = {}
    for name, pattern in _PATTERNS.items():
        for match in pattern.finditer(text):
            value = match.group(1).strip().rstrip(".,;")
            if _plausible(name, value):
                said[name] = value
                break
    if "document" not in said and "effective" not in said:
        said.pop("revision", None)  # a lone "version 2.1" is as often that of a software
    return said | _validity(text)


def _plausible(name: str, value: str) -> bool:
    if name in ("effective", "superseded"):
        return as_date(value) is not None
    return name != "document" or any(c.isdigit() for c in value)


def _first_lines(content: Content) -> Iterator[str]:
    blocks = [b for b in content.blocks if b.page == 1] if content.pages else list(content.blocks[:14])
    for block in blocks[:60]:
        if block.kind == "table":
            yield from _table_lines(block)
        else:
            yield block.text[:1500]


def _table_lines(block: Block) -> Iterator[str]:
    """Cells of a table as "name: value", beside each other and below each other."""
    rows = [r for r in (block.header, *block.rows[:12]) if any(r)]
    for row in rows:
        cells = [c for c in row if c]
        yield from (f"{a.rstrip(':')}: {b}" for a, b in itertools.pairwise(cells))
    if len(rows) > 1:
        yield from (f"{a.rstrip(':')}: {b}" for a, b in zip(rows[0], rows[1], strict=False) if a and b)


def _validity(text: str) -> dict[str, str]:
    """Machines and types that the document says it is valid for, by their designations, and software versions."""
    said: dict[str, str] = {}
    if match := _SOFTWARE.search(text):
        said["software"] = match.group(1).strip()
    for match in _VALID.finditer(text):
        stated = re.split(r"\b(?:with|from|software|firmware|ab|mit)\b", match.group(1))[0]
        pieces = [p.strip(" .;") for p in re.split(r",|;|\band\b|\bund\b", stated) if p.strip(" .;")]
        if not pieces or not all(_DESIGNATION.fullmatch(p) and any(c.isdigit() for c in p) for p in pieces):
            continue
        label = match.group(0).split(":")[0].lower()
        if re.search(r"model|type?\b|types|typ", label):
            said.setdefault("variants", ", ".join(pieces))
        elif all(_MACHINE.fullmatch(p) for p in pieces) and re.search(r"equipment|machine|maschine", label):
            said.setdefault("equipment", ", ".join(pieces))
    return said


def as_date(text: str) -> date | None:
    """2026-03-01, 2026/3/1, 01.03.2026, 1 March 2026, March 1, 2026, 13/03/2026; the first of a month that has no day
    ("2026-03", "March 2026"); None for anything else, and for 01/03/2026, which two halves of the world read differently."""
    text = str(text).strip()
    if match := re.match(r"(\d{4})[-/.](\d{1,2})(?:[-/.](\d{1,2}))?\b", text):
        return _day(match.group(1), match.group(2), match.group(3) or "1")
    if match := re.match(r"(\d{1,2})\.\s?(\d{1,2})\.\s?(\d{4})", text):
        return _day(match.group(3), match.group(2), match.group(1))
    if match := re.match(r"(\d{1,2})[/-](\d{1,2})[/-](\d{4})", text):
        first, second = int(match.group(1)), int(match.group(2))
        if first > 12:
            return _day(match.group(3), second, first)
        return _day(match.group(3), first, second) if second > 12 or first == second else None
    if match := re.match(r"(\d{1,2})(?:st|nd|rd|th)?\.?\s+([^\W\d_]{3,})\.?,?\s+(\d{4})", text):
        return _day(match.group(3), _month(match.group(2)), match.group(1))
    if match := re.match(r"([^\W\d_]{3,})\.?\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+(\d{4})", text):
        return _day(match.group(3), _month(match.group(1)), match.group(2))
    if match := re.match(r"([^\W\d_]{3,})\.?\s+(\d{4})$", text):
        return _day(match.group(2), _month(match.group(1)), 1)
    return None


def _month(name: str) -> int:
    return _MONTHS.get(name.lower(), 0)


def _day(year: str | int, month: str | int, day: str | int) -> date | None:
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None
