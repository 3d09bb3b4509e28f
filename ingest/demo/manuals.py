"""The demo plant's manuals and procedures: several hundred pages of real PDF, made from YAML by typst.

Promises: the same `until` gives the same bytes; a document appears under its name only when it is complete; dates are
relative to `until`; the CNC manual exists in two revisions that disagree on one torque, and only the newer is effective.
`facts()` gives the ground truth for tests and evals from the same YAML. Proven by tests/test_demo_manuals.py.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from ingest.demo import manual_content as content_of
from ingest.demo.manual_content import Fact, Writer

HERE = Path(__file__).parent
CONTENT = HERE / "manuals"
KIND_NAMES = {"manual": "Operating and maintenance manual", "sop": "Standard operating procedure",
              "work_instruction": "Work instruction", "bulletin": "Technical bulletin"}


@dataclass(frozen=True)
class Edition:
    """One revision of one document: what stands in its revision block and on its pages."""

    document: str
    revision: str
    title: str
    kind: str
    effective: date
    supersedes: str
    superseded: date | None  # None while this edition is the effective one
    keywords: str
    page: Mapping[str, Any]  # the data of the template
    facts: tuple[Fact, ...]

    @property
    def file_name(self) -> str:
        return f"{self.document}_{self.revision}.pdf"


def build_manuals(folder: Path, until: datetime, progress: Callable[[str, float], None] | None = None,
                  documents: Collection[str] = ()) -> list[Path]:
    """Writes one PDF per edition into `folder` and returns their paths, in the order of the document ids.

    `until` is timezone-aware; effective dates count back from its date. `progress` gets a file name and a share
    from 0 to 1. `documents` limits the work to these document ids. Raises ValueError when the content contradicts itself (an unknown part, an alarm without a group).
    """
    folder.mkdir(parents=True, exist_ok=True)
    template = (CONTENT / "manual.typ").read_bytes()
    all_editions = [edition for edition in editions(until) if not documents or edition.document in documents]
    paths: list[Path] = []
    with tempfile.TemporaryDirectory() as empty_root, ThreadPoolExecutor(max_workers=2) as pool:
        jobs = [pool.submit(_typeset, template, edition, Path(empty_root)) for edition in all_editions]
        for count, (edition, job) in enumerate(zip(all_editions, jobs, strict=True), start=1):
            target = folder / edition.file_name
            partial = target.with_suffix(".pdf.partial")
            partial.write_bytes(job.result())
            os.replace(partial, target)
            paths.append(target)
            if progress:
                progress(edition.file_name, count / len(all_editions))
    return paths


def _typeset(template: bytes, edition: Edition, root: Path) -> bytes:
    import typst

    stamp = datetime(edition.effective.year, edition.effective.month, edition.effective.day, 8, tzinfo=UTC)
    inputs = {"data": json.dumps(edition.page, ensure_ascii=False)}
    compiler = typst.Compiler(template, root=root, ignore_system_fonts=True, sys_inputs=inputs)
    pdf = compiler.compile(format="pdf", timestamp=stamp, pdf_tags=False)
    assert isinstance(pdf, bytes)
    return pdf


@cache
def _yaml(name: str) -> Any:
    return yaml.load((HERE / name).read_text(encoding="utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def _documents() -> Iterator[Mapping[str, Any]]:
    """Every document of manuals/*.yaml; a file holds one document or a list of them."""
    for path in sorted(CONTENT.glob("*.yaml")):
        loaded = _yaml(f"manuals/{path.name}")
        yield from loaded if isinstance(loaded, list) else [loaded]


def editions(until: datetime) -> list[Edition]:
    """All editions that are printed, sorted by document and then by age (the effective one last)."""
    if until.tzinfo is None:
        raise ValueError("until needs a time zone")
    made: list[Edition] = []
    for document in _documents():
        published = set(document.get("publish", [document["revisions"][0]["revision"]]))
        for index, revision in enumerate(document["revisions"]):
            if revision["revision"] in published:
                made.append(_edition(document, index, until.date()))
    return sorted(made, key=lambda edition: (edition.document, edition.effective))


def _edition(document: Mapping[str, Any], index: int, today: date) -> Edition:
    revisions = document["revisions"]
    revision = revisions[index]
    effective = today - timedelta(days=revision["days"])
    superseded = today - timedelta(days=revisions[index - 1]["days"]) if index else None
    supersedes = revisions[index + 1]["revision"] if index + 1 < len(revisions) else ""
    values = {name: by_revision[revision["revision"]] for name, by_revision in document.get("values", {}).items()}
    writer = _write(document)
    blocks = content_of.resolve(writer.blocks, writer, values)
    facts = tuple(content_of.resolve_fact(fact, writer, values) for fact in writer.facts)
    keywords = {"document": document["document"], "revision": revision["revision"], "effective": effective.isoformat(),
                "supersedes": supersedes, "superseded": superseded.isoformat() if superseded else "", "kind": document["kind"],
                **{key: document.get(key, "") for key in ("equipment_class", "equipment", "product", "variant")}}
    tagged = "andon: " + "; ".join(f"{key}={value}" for key, value in keywords.items() if value)
    page = {
        "document": document["document"], "revision": revision["revision"], "title": document["title"],
        "short_title": document.get("short_title", document["title"]), "subject": document.get("subject", document["title"]),
        "author": document.get("publisher", "Berlin Works"), "publisher": document.get("publisher", "Berlin Works"),
        "keywords": tagged, "effective": effective.isoformat(), "kind_name": document.get("kind_name", KIND_NAMES[document["kind"]]),
        "applies_to": document.get("applies_to", ""), "chapter_pages": document.get("chapter_pages", document["kind"] == "manual"),
        "contents": document.get("contents", True), "front": content_of.resolve(content_of.prose(document.get("front", "")), writer, values),
        "revision_block": _revision_block(document, revision, effective, supersedes),
        "history": [[r["revision"], (today - timedelta(days=r["days"])).isoformat(), r["change"], r["approved_by"]] for r in revisions[index:]],
        "blocks": blocks,
    }
    return Edition(document["document"], revision["revision"], document["title"], document["kind"], effective, supersedes, superseded,
                   tagged, page, facts)


def _revision_block(document: Mapping[str, Any], revision: Mapping[str, Any], effective: date, supersedes: str) -> list[list[str]]:
    rows = [["Document", document["document"]], ["Revision", revision["revision"]], ["Effective date", effective.isoformat()],
            ["Supersedes", f"Revision {supersedes}" if supersedes else "none (first issue)"], ["Approved by", revision["approved_by"]]]
    if document.get("equipment"):
        rows.append(["Equipment", document["equipment"].replace(",", ", ")])
    if document.get("product"):
        rows.append(["Product", document["product"] + (f" (variant {document['variant']})" if document.get("variant") else "")])
    return rows


def _write(document: Mapping[str, Any]) -> Writer:
    """Numbers and writes the chapters of a document; a machine manual also gets plan, spare parts and alarms."""
    parts = _yaml("parts.yaml")
    writer = Writer(part_names={part["id"]: part["name"] for part in parts})
    for chapter in document["chapters"]:
        content_of.chapter(writer, chapter)
    if document["kind"] == "manual":
        equipment_class = document["equipment_class"]
        content_of.maintenance_plan(writer, document["chapters"])
        content_of.spare_parts(writer, [part for part in parts if part["class"] == equipment_class])
        content_of.alarm_chapter(writer, _yaml("alarms.yaml")[equipment_class], document["alarm_groups"])
    return writer


def facts(folder: Path | None = None, until: datetime | None = None) -> list[dict[str, Any]]:
    """Ground truth of all effective editions: document, revision, section, key, value, unit, cells as printed, steps.

    With `folder` (as built by `build_manuals`) each fact also gets `page`, found by searching the PDF's text.
    """
    return _facts(folder, until, superseded=False)


def superseded_facts(folder: Path | None = None, until: datetime | None = None) -> list[dict[str, Any]]:
    """Rows of superseded editions whose value the effective edition no longer gives; an answer must not use them."""
    effective = {(f["document"], f["kind"], f["key"], f["value"]) for f in _facts(None, until, superseded=False)}
    return [f for f in _facts(folder, until, superseded=True) if (f["document"], f["kind"], f["key"], f["value"]) not in effective]


def _facts(folder: Path | None, until: datetime | None, *, superseded: bool) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for edition in editions(until or datetime(2026, 6, 17, 7, tzinfo=UTC)):
        if (edition.superseded is not None) != superseded:
            continue
        printed = folder / edition.file_name if folder else None
        texts = page_texts(printed) if printed and printed.exists() else None
        for fact in edition.facts:
            found.append({"document": edition.document, "revision": edition.revision, "document_kind": edition.kind, **vars(fact),
                          "page": find_page(texts, fact) if texts else None})
    return found


def page_texts(path: Path) -> list[str]:
    """The text of each page without white space and hyphens, which a line break may add or take away."""
    import pypdfium2

    with pypdfium2.PdfDocument(path) as pdf:
        return [flat(page.get_textpage().get_text_bounded()) for page in pdf]


def flat(text: str) -> str:
    return re.sub(r"[\s\ufffe\x02-]+", "", text)


def find_page(texts: Sequence[str], fact: Fact) -> int | None:
    """The 1-based page that prints all cells of the fact, at or after the page on which its section begins."""
    heading = flat(f"{fact.section} {fact.section_title}")
    starts = [i for i, text in enumerate(texts) if heading in text and "Contents" not in text]
    wanted = [flat(line) for cell in fact.cells for line in cell.split("\n")]
    for i in range(starts[-1] if starts else 0, len(texts)):
        if all(line in texts[i] for line in wanted):
            return i + 1
    return None
