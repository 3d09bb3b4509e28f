"""What a file says it is: document id, title, revision, dates, kind, language and what it is valid for.

The later of these wins, name by name: its headings and file name; what was given with `andon ingest` for all files of
a run; the properties of the file; its cover page or title block with its running headers; its front matter (or the
metadata line `andon: document=..; revision=..`); the YAML hint beside it (`NAME.pdf.yaml`), which a person wrote for
this one file. docs/documents-in.md. No file is refused for saying nothing.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from ingest.alarm_lists import ListHint
from ingest.alarm_words import field_of
from ingest.readers.blocks import Block, Content, UnreadableFile
from ingest.readers.data import plain_yaml, readable
from ingest.title_block import as_date, said_by_cover
from retrieval.passages import KINDS, DocumentInfo

__all__ = ["as_date", "describe", "hint_path", "list_hint"]

UNREVISED = "-"
#: How front matter, properties and hints may call what we call `name`.
_NAMES: dict[str, tuple[str, ...]] = {
    "document": ("document", "document_id", "document_no", "document_nr", "document_number", "doc", "doc_id", "doc_no", "doc_nr",
                 "doc_number", "documentid", "dokument", "dokumentnummer", "dokumentennummer", "dok_nr", "dokument_nr"),
    "title": ("title", "titel", "titre"),
    "revision": ("revision", "rev", "version", "issue", "edition", "revision_number", "ausgabe", "document_revision"),
    "effective": ("effective", "effective_date", "effective_from", "valid_from", "in_force_from", "date", "issued", "issue_date",
                  "release_date", "released", "gueltig_ab", "gültig_ab", "datum"),
    "superseded": ("superseded", "superseded_on", "valid_until", "valid_to", "expires", "expiry", "withdrawn_on", "gültig_bis"),
    "kind": ("kind", "document_kind", "document_type", "doc_type", "dokumentart"),
    "equipment": ("equipment", "machine", "machines", "equipment_id", "equipment_ids", "maschine", "maschinen"),
    "equipment_class": ("equipment_class", "equipment_classes", "machine_class", "class", "maschinenklasse"),
    "variants": ("variants", "machine_variants", "machine_variant", "models", "model", "machine_type", "machine_types", "maschinentyp"),
    # "variant" alone is as often one of the product that is made.
    "software": ("software", "software_version", "software_versions", "firmware", "firmware_version", "control_version"),
    "language": ("language", "lang", "sprache"),
    "access": ("access", "access_class"),
    "status": ("status", "state", "document_status"),
    "supersedes": ("supersedes", "replaces", "ersetzt"),
    "keywords": ("keywords",),
}  # fmt: skip
_CALLED = {other: name for name, others in _NAMES.items() for other in others}
#: Formats whose own facts are properties of the file rather than front matter that somebody wrote as such.
_WITH_PROPERTIES = frozenset((".pdf", ".docx", ".xlsx", ".xlsm", ".html", ".htm", ".xhtml"))
#: What the text and the properties of a document may never decide: who may see it. What else it takes out of force
#: is said by no document at all, but by a person beside it.
_NEVER_READ = ("access",)
_KIND_WORDS = (
    ("sop", re.compile(r"\bsop\b|standard operating procedure|verfahrensanweisung", re.I)),
    ("work_instruction", re.compile(r"\bwork(ing)? instructions?\b|\bwi[-_ ]?\d|arbeitsanweisung", re.I)),
    ("bulletin", re.compile(r"\b(service|technical|safety)?\s*(bulletin|service letter|notice)\b", re.I)),
    ("log", re.compile(r"\b(maintenance|shift|service) (log|logbook|notes?)\b", re.I)),
)
_OUT_OF_FORCE = frozenset(("retired", "withdrawn", "obsolete", "cancelled", "draft", "entwurf", "in review", "ungültig", "void"))


def describe(
    content: Content, path: Path, fallback: str, content_hash: str, equipment: str | None, revision: str | None,
    given: Iterable[tuple[str, str]] = (),
) -> DocumentInfo:  # fmt: skip
    """The document's card. `equipment`, `revision` and `given` (name, value) are what was said with `andon ingest`."""
    own = _named(content.meta)
    if path.suffix.lower() in _WITH_PROPERTIES:
        found = own | said_by_cover(content) | _own_line(own)
    else:
        found = said_by_cover(content) | own | _own_line(own)
    if path.suffix.lower() in _WITH_PROPERTIES:
        found = {n: v for n, v in found.items() if n not in _NEVER_READ}
    found.pop("supersedes", None)
    asked = _named({"equipment": equipment or "", "revision": revision or ""} | dict(given))
    said = asked | found | _named(_hint(path))
    kind = said.get("kind", "").strip().lower().replace(" ", "_")
    title = _title(content, path, said)
    if kind not in KINDS:
        kind = next((k for k, words in _KIND_WORDS if words.search(f"{title} {readable(path.stem)}")), "manual")
    return DocumentInfo(
        document=re.sub(r"[/\\\s]+", "-", said.get("document", fallback)).strip("-") or fallback,
        title=title,
        revision=re.sub(r"[/\\\s]+", "-", said.get("revision", "").strip()) or UNREVISED,
        kind=kind,
        effective=as_date(said.get("effective", "")),
        superseded=as_date(said.get("superseded", "")),
        status="retired" if said.get("status", "").strip().lower() in _OUT_OF_FORCE else "effective",
        source=str(path.resolve()),
        pages=content.pages,
        content_hash=content_hash,
        equipment=_several(said.get("equipment", "")),
        equipment_class=", ".join(_several(said.get("equipment_class", ""))),
        language=_language(said.get("language", ""), content),
        access=said.get("access", "").strip() or "plant",
        variants=_several(said.get("variants", "")),
        software=said.get("software", "").strip(),
        supersedes=_several(said.get("supersedes", "")),
    )


def is_fact(name: str) -> bool:
    """Whether a name is one that a hint, front matter or an option may give."""
    return _key(name) in _CALLED


def _key(name: str) -> str:
    return re.sub(r"[\s.\-]+", "_", name.strip().lower()).strip("_")


def _several(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(e.strip() for e in re.split(r"[,;\n]", text) if e.strip()))


def _title(content: Content, path: Path, said: Mapping[str, str]) -> str:
    title = said.get("title", "")
    if title and not _is_file_name(title, path):
        return title
    heading = next((b.text for b in content.blocks if b.kind == "heading" and b.level <= 2), "")
    return heading[:140] if heading and len(heading.split()) > 1 else readable(path.stem)


def _named(values: Mapping[str, str]) -> dict[str, str]:
    """Names of facts as we call them; of two that mean the same the plainer one counts."""
    found: dict[str, tuple[int, str]] = {}
    for said, value in values.items():
        key = _key(str(said))
        name = _CALLED.get(key)
        text = str(value).strip()
        if name is not None and text:
            rank = _NAMES[name].index(key)
            if name not in found or rank < found[name][0]:
                found[name] = (rank, text)
    return {name: text for name, (_, text) in found.items()}


def _own_line(own: Mapping[str, str]) -> dict[str, str]:
    """The keywords may carry a line of `name=value` pairs of ours."""
    keywords = own.get("keywords", "")
    if not re.match(r"\s*andon\s*:", keywords):
        return {}
    pairs = (pair.partition("=") for pair in keywords.split(":", 1)[1].split(";"))
    return _named({name.strip().lower(): value.strip() for name, _, value in pairs if value.strip()})


# -- the hint beside a file ------------------------------------------------------------------------------------------


def hint_path(path: Path) -> Path:
    """Where the hint for a file lies: `manual.pdf.yaml` beside `manual.pdf`."""
    return path.with_name(path.name + ".yaml")


def _values(path: Path) -> dict[str, Any]:
    hint = hint_path(path)
    if not os.path.isfile(hint):  # is_file() would raise for a name too long for a hint beside it
        return {}
    try:
        values = plain_yaml(hint.read_text("utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise UnreadableFile(f"its hint {hint.name} is not valid YAML") from error
    if not isinstance(values, dict):
        raise UnreadableFile(f"its hint {hint.name} holds no `name: value` lines")
    return values


def _hint(path: Path) -> dict[str, str]:
    """The plain facts of the hint. Raises UnreadableFile for a name that means nothing, so that a typing error shows."""
    found: dict[str, str] = {}
    for name, value in _values(path).items():
        if str(name) in ("alarm_list", "columns"):
            continue
        if not is_fact(str(name)):
            raise UnreadableFile(f"its hint {hint_path(path).name} has a name that means nothing: {str(name)[:40]}")
        found[str(name)] = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    for name in ("effective", "superseded"):
        stated = _named(found).get(name)
        if stated and as_date(stated) is None:
            raise UnreadableFile(f"its hint {hint_path(path).name} has no date that can be read as {name}: {stated[:40]}")
    return found


def list_hint(path: Path) -> ListHint:
    """What the hint says of alarm lists: `alarm_list: yes` or `no`, and `columns`, heading by heading: `{Ident: code}`
    or `{code: Ident}`. Raises UnreadableFile when a column is given a field that no entry has."""
    values = _values(path)
    stated = str(values.get("alarm_list", "")).strip().lower()
    columns = values.get("columns", {})
    if not isinstance(columns, dict):
        raise UnreadableFile(f"its hint {hint_path(path).name} names columns without their fields")
    fields = {"code", "title", "severity", "cause", "remedy", "description", "consequence", "response_time"}
    found: dict[str, str] = {}
    for a, b in columns.items():
        left, right = str(a).strip(), str(b).strip()
        if left.lower() in fields and (right.lower() not in fields or field_of(right) == left.lower()):
            found[right.lower()] = left.lower()
        elif right.lower() in fields or right in ("", "-"):
            found[left.lower()] = right.lower().strip("-")
        else:
            raise UnreadableFile(f"its hint {hint_path(path).name} gives the column {left[:40]} a field that no entry has")
    known = {"yes": True, "true": True, "no": False, "false": False}
    return ListHint(known.get(stated), found)


# -- language --------------------------------------------------------------------------------------------------------

_FUNCTION_WORDS = {
    "en": "the and of to is in for with be on are that this from not when must",
    "de": "der die das und ist nicht mit den von zu auf für ein eine wird bei oder werden",
    "fr": "le la les des et est du une dans pour pas que sur avec au sont",
    "es": "el los las del y en una que por con para es se no su al",
    "it": "il di e che la per non una del della con sono gli nel si alla",
    "nl": "de het een van en niet met op voor zijn wordt bij dat te",
    "pl": "w i z na do nie się jest oraz od przez dla po lub",
}


def _language(stated: str, content: Content) -> str:
    """The two letters of the language that is stated, else of the one whose little words fill the text, else English."""
    match = re.match(r"\s*([A-Za-z]{2})(?:[-_][A-Za-z]{2,4})?\s*$", stated)
    if match:
        return match.group(1).lower()
    words: Counter[str] = Counter()
    for block in content.blocks[:400]:
        words.update(_words(block))
        if words.total() > 4000:
            break
    counted = sorted(((sum(words[w] for w in little.split()), name) for name, little in _FUNCTION_WORDS.items()), reverse=True)
    (most, name), (next_most, _) = counted[:2]
    return name if most >= 12 and most > 1.5 * next_most else "en"


def _words(block: Block) -> list[str]:
    cells = " ".join(c for row in block.rows[:50] for c in row)
    return re.findall(r"[^\W\d_]+", f"{block.text} {cells}".lower())[:1000]


def _is_file_name(title: str, path: Path) -> bool:
    """Whether a metadata title is no title: a path, a file name of the program that made it, "untitled"."""
    return bool(
        re.search(r"[\\/]|\.(dvi|docx?|pdf|tex|indd|ps|xlsx?|pptx?|rtf|odt|html?)\b", title, re.I)
        or re.match(r"(untitled|document\d*|microsoft word|title|unknown|no title)\b", title, re.I)
        or title.strip().lower() == path.stem.lower()
    )
