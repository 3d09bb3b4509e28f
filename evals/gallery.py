"""The gallery of documents: every kind drafted from the demo plant, as PDF and as pictures of its first pages, with an
index page. `make gallery` writes it to docs/gallery; the same plant gives the same bytes."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from evals.plant import SEED, UNTIL, demo
from tools.documents import Document, draft_document, kinds, render
from tools.registry import Call, Period

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "gallery"
WIDE_PX = 620
COLOURS = 40
#: What each kind is drafted about, and the pages that are shown beside its first.
SUBJECTS: Mapping[str, tuple[Mapping[str, Any], tuple[int, ...]]] = {
    "troubleshooting_guide": ({"alarm": "502", "equipment": "CNC-02"}, (2,)),
    "sop": ({"task": "clean the coolant tank", "equipment": "CNC-02", "skill": "experienced"}, (2,)),
    "work_instruction": ({"task": "machining a valve body", "variant": "XYZ-A", "skill": "novice"}, (2,)),
    "shift_handover": ({"line": "LINE-2"}, (2,)),
    "ncr_summary": ({"product": "XYZ", "period": ("2026-01-01", "2026-04-01")}, (2,)),
    "capa": ({"product": "PMP-40", "period": ("2026-04-01", "2026-06-17")}, (3,)),
    "deviation": ({"line": "LINE-3", "period": ("2026-06-01", "2026-06-17")}, ()),
    "batch_record": ({"lot": "88213"}, (2,)),
    "oee_report": ({"line": "LINE-1", "period": ("2026-06-08", "2026-06-15")}, (3,)),
    "maintenance_report": ({"line": "LINE-3", "period": ("2026-05-01", "2026-06-01")}, ()),
    "training_report": ({"line": "LINE-3"}, ()),
    "audit_report": ({"period": ("2026-04-01", "2026-06-17")}, ()),
}


@dataclass
class Shelf:
    """Keeps drafts in memory, numbered in order."""

    kept: list[Document] = field(default_factory=list)

    def keep(self, document: Document, proof: Any, caller: Any) -> Document:
        self.kept.append(replace(document, id=f"DOC-2026-{len(self.kept) + 1:04d}", revision="1"))
        return self.kept[-1]


def drafted() -> dict[str, Document]:
    """One document of every kind, by name. Raises RuntimeError for a kind that cannot be drafted."""
    found: dict[str, Document] = {}
    with demo() as plant:
        assistant = plant.assistant
        for kind, (arguments, _) in SUBJECTS.items():
            shelf = Shelf(list(found.values()))
            call = Call(
                caller=assistant.caller("quinn"), now=assistant.now(), plant=assistant.plant, index=assistant.index, policy=assistant.policy,
                stores={"documents": shelf},
            )  # fmt: skip
            zone = assistant.plant.zone
            given: dict[str, Any] = dict(arguments)
            if "period" in given:
                first, end = (datetime.fromisoformat(day).replace(tzinfo=zone) for day in given["period"])
                given["period"] = Period("", first, end)
            result = draft_document(call, kind, **given)
            if result.status != "answered":
                raise RuntimeError(f"{kind} was not drafted: {result.message}")
            found[kind] = shelf.kept[-1]
    return found


def pictures(pdf: bytes, pages: tuple[int, ...]) -> dict[int, bytes]:
    """Small pictures of the first and the named pages."""
    import pypdfium2

    opened = pypdfium2.PdfDocument(pdf)
    out = {}
    for number in (1, *pages):
        if number <= len(opened):
            page = opened[number - 1]
            image = page.render(scale=WIDE_PX / page.get_width()).to_pil().quantize(COLOURS)
            buffer = io.BytesIO()
            image.save(buffer, "PNG", optimize=True)
            out[number] = buffer.getvalue()
    return out


def write(folder: Path = FOLDER) -> int:
    """Write the gallery; returns how many bytes its files have."""
    missing = set(kinds()) - set(SUBJECTS)
    if missing:
        raise RuntimeError(f"the gallery shows no {', '.join(sorted(missing))}")
    folder.mkdir(parents=True, exist_ok=True)
    for old in (*folder.glob("*.png"), *folder.glob("*.pdf")):
        old.unlink()
    lines = ["# Gallery", "", "One document of every kind, drafted from the demo plant by `make gallery`. Each is a draft: people review, approve and sign.", ""]
    size = 0
    for kind, document in drafted().items():
        pdf = render(document, "pdf")
        (folder / f"{kind}.pdf").write_bytes(pdf)
        size += len(pdf)
        shown = []
        for number, png in pictures(pdf, SUBJECTS[kind][1]).items():
            name = f"{kind}-{number}.png"
            (folder / name).write_bytes(png)
            size += len(png)
            shown.append(f"[![{kind}, page {number}]({name})]({kind}.pdf)")
        standard = f" {document.standard}." if document.standard else ""
        lines += [f"## {document.title}", "", f"Kind `{kind}`.{standard} [PDF]({kind}.pdf)", "", " ".join(shown), ""]
    (folder / "README.md").write_text("\n".join(lines), encoding="utf-8")
    return size


def main() -> None:
    if not os.environ.get("ANDON_HOME"):
        from assistant.demo import set_up

        home = FOLDER.parent.parent / ".cache" / "test-home"  # the plant that the tests use, built once
        home.mkdir(parents=True, exist_ok=True)
        set_up(home, until=UNTIL.strftime("%Y-%m-%dT%H:%M"), seed=SEED)
        os.environ["ANDON_HOME"] = str(home)
    size = write()
    sys.stdout.write(f"{FOLDER.name}: {len(SUBJECTS)} documents, {size / 1024:.0f} kB\n")


if __name__ == "__main__":
    main()
