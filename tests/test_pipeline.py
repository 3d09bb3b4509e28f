"""Files in, answers out: idempotence, revisions, quarantine, and a process killed in the middle."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from ingest.pipeline import IngestError, discover, ingest
from retrieval.embed import HashEmbedder
from retrieval.index import Index

MANUAL = """---
title: Press P7 manual
document: M-P7
revision: {revision}
effective: {effective}
equipment_class: press
---
# 1 Maintenance

## 1.1 Tie rods

| Connection | Torque |
| --- | --- |
| Tie rod nuts | {torque} N m |
| Ram guide screws | 85 N m |

## 1.2 Oil change

WARNING: The oil is hot.

1. Lock out the press.
2. Drain the oil.
3. Fill 40 litres of HLP 46.
"""


def write_manual(folder: Path, name: str = "manual.md", revision: str = "A", torque: int = 310,
                 effective: str = "2025-01-01") -> Path:  # fmt: skip
    path = folder / name
    path.write_text(MANUAL.format(revision=revision, torque=torque, effective=effective), "utf-8")
    return path


@pytest.fixture
def index(tmp_path: Path) -> Index:
    return Index.open(tmp_path / "index", HashEmbedder())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    there = tmp_path / "documents"
    there.mkdir()
    return there


def test_a_document_is_added_once_and_updated_when_it_changes(index: Index, folder: Path) -> None:
    path = write_manual(folder)
    assert ingest([folder], index).added == (str(path),)
    generation = index.generation()
    again = ingest([folder], index)
    assert again.unchanged == (str(path),)
    assert not again.added
    assert index.generation() == generation
    os.utime(path, (1, 1))  # touched, not changed
    assert ingest([folder], index).unchanged == (str(path),)
    write_manual(folder, torque=320)
    assert ingest([folder], index).updated == (str(path),)
    texts = [h.passage.text for h in index.search("torque of the tie rod nuts")]
    assert any("320 N m" in t for t in texts)
    assert not any("310 N m" in t for t in texts)


def test_the_newer_effective_revision_supersedes_the_older(index: Index, folder: Path) -> None:
    write_manual(folder, "new.md", "B", 330, "2026-02-01")
    ingest([folder], index)
    write_manual(folder, "old.md", "A", 310, "2025-01-01")  # arrives later, is older
    ingest([folder], index)
    assert {(i.revision, i.status) for i in index.documents()} == {("A", "superseded"), ("B", "effective")}
    top = index.search("torque of the tie rod nuts")[0].passage
    assert "330 N m" in top.text
    assert top.anchor.revision == "B"
    assert index.document("M-P7").effective == date(2026, 2, 1)


def test_bad_files_are_quarantined_with_a_reason_and_the_rest_goes_in(index: Index, folder: Path) -> None:
    good = write_manual(folder)
    (folder / "empty.pdf").write_bytes(b"")
    (folder / "broken.pdf").write_bytes(b"%PDF-1.7\nnothing follows")
    (folder / "broken.json").write_text('{"codes": [')
    (folder / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n\x00\x00")
    (folder / "bomb.docx").write_bytes(_zip_bomb())
    report = ingest([folder], index)
    assert report.added == (str(good),)
    reasons = {Path(path).name: reason for path, reason in report.quarantined}
    assert reasons.keys() == {"empty.pdf", "broken.pdf", "broken.json", "picture.png", "bomb.docx"}
    assert "empty" in reasons["empty.pdf"]
    assert "damaged" in reasons["broken.pdf"]
    assert "JSON" in reasons["broken.json"]
    assert "zip bomb" in reasons["bomb.docx"]
    assert {i.reason for i in index.documents() if i.status == "quarantined"} == set(reasons.values())
    assert ingest([folder], index).unchanged == (str(good),)


def _zip_bomb() -> bytes:
    import io
    import zipfile

    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", b" " * 30_000_000)
    return buffer.getvalue()


def test_what_is_no_file_is_never_opened(folder: Path) -> None:
    good = write_manual(folder)
    os.mkfifo(folder / "endless.txt")
    (folder / "loop.txt").symlink_to(folder / "loop.txt")
    assert discover([folder]) == [good]


def test_a_reader_that_takes_too_long_costs_only_its_file(index: Index, folder: Path) -> None:
    path = write_manual(folder)
    report = ingest([path], index, file_seconds=0.001)
    assert report.quarantined == ((str(path), "reading it took longer than 0 s"),)
    assert ingest([path], index).added == (str(path),)  # the next run, in time, takes it in


def test_equal_names_in_different_folders_stay_two_documents(index: Index, folder: Path) -> None:
    for name, title in (("robot", "Arm stopped"), ("oven", "Door open")):
        (folder / name).mkdir()
        (folder / name / "alarms.csv").write_text(f"alarm code,message\n17,{title}\n18,Reserved {name}\n19,Spare {name}\n")
    ingest([folder], index)
    assert {e.title for e in index.alarm("17")} == {"Arm stopped", "Door open"}


def test_a_moved_file_keeps_its_document_and_is_not_read_again(index: Index, folder: Path) -> None:
    path = write_manual(folder)
    ingest([folder], index)
    generation = index.generation()
    (folder / "archive").mkdir()
    moved = path.rename(folder / "archive" / "press seven.md")
    report = ingest([folder], index)
    assert (report.moved, report.added, report.vanished) == (((str(path), str(moved)),), (), ())
    assert index.generation() == generation  # nothing to search has changed
    assert index.document("M-P7").source == str(moved)
    assert ingest([folder], index).unchanged == (str(moved),)


def test_a_vanished_file_is_named_and_retired_only_when_asked(index: Index, folder: Path) -> None:
    path, other = write_manual(folder), folder / "notes.txt"
    other.write_text("The coolant is changed every 600 hours.\n")
    ingest([folder], index)
    path.unlink()
    report = ingest([folder], index)
    assert (report.vanished, report.retired) == ((str(path),), ())
    assert index.search("torque of the tie rod nuts")[0].passage.anchor.document == "M-P7"
    report = ingest([folder], index, prune=True)
    assert (report.vanished, report.retired) == ((str(path),), ("M-P7@A",))
    assert "M-P7" not in {h.passage.anchor.document for h in index.search("torque of the tie rod nuts")}
    assert ingest([folder], index).vanished == ()
    write_manual(folder)  # it comes back
    assert ingest([folder], index).added == (str(path),)
    assert index.document("M-P7").status == "effective"


def test_a_folder_that_is_not_mounted_retires_nothing(index: Index, folder: Path) -> None:
    path = write_manual(folder)
    ingest([folder], index)
    path.unlink()
    report = ingest([folder], index, prune=True)
    assert (report.vanished, report.retired) == ((str(path),), ())
    assert index.document("M-P7").status == "effective"


def test_two_files_that_claim_one_revision_are_a_conflict(index: Index, folder: Path) -> None:
    first = write_manual(folder, "a.md", torque=310)
    second = write_manual(folder, "b.md", torque=420)
    for _ in range(2):  # in the next run too, whatever order it reads in
        report = ingest([folder], index)
        ((path, reason),) = report.quarantined
        assert path == str(second)
        assert reason == "it says it is M-P7 revision A, which a.md is already, with other content"
    assert {h.passage.text for h in index.search("torque of the tie rod nuts") if "420" in h.passage.text} == set()
    first.unlink()
    assert ingest([folder], index).added == (str(second),)  # the claim is free now


def test_the_same_content_twice_is_one_document(index: Index, folder: Path) -> None:
    path = write_manual(folder, "a.md")
    copy = write_manual(folder, "b.md")
    report = ingest([folder], index)
    assert (report.added, report.duplicates, report.quarantined) == ((str(path),), ((str(copy), str(path)),), ())
    assert len(ingest([folder], index).unchanged) == 2
    path.unlink()
    assert ingest([folder], index, prune=True).retired == ()  # the copy stands for it
    assert index.document("M-P7").source == str(copy)


def test_what_was_read_stays_in_force_when_its_file_is_overwritten_badly(index: Index, folder: Path) -> None:
    path = write_manual(folder)
    ingest([folder], index)
    path.write_bytes(b"")
    assert ingest([folder], index).quarantined == ((str(path), "the file is empty"),)
    assert index.document("M-P7").status == "effective"
    assert index.search("torque of the tie rod nuts")


def test_files_of_one_name_and_different_types_stay_apart(index: Index, folder: Path) -> None:
    (folder / "coolant.txt").write_text("The coolant is changed every 600 hours.\n")
    (folder / "coolant.md").write_text("# Coolant\n\nThe concentrate is mixed at six percent.\n")
    report = ingest([folder], index)
    assert (len(report.added), report.quarantined) == (2, ())
    assert len({i.document for i in index.documents()}) == 2


def test_a_growing_log_gains_its_new_entries_only(tmp_path: Path, folder: Path) -> None:
    embedder = _Counting()
    index = Index.open(tmp_path / "index", embedder)
    path = folder / "orders.csv"
    rows = [f"WO-{n},2026-05-{n:02},PRS-0{n % 3},bearing number {n} replaced after noise" for n in range(1, 10)]
    path.write_text("order,date,machine,description\n" + "\n".join(rows) + "\n")
    ingest([folder], index)
    before = embedder.count
    with path.open("a") as log:
        log.write("WO-10,2026-05-10,PRS-01,seal of the ram guide leaks again\n")
    assert ingest([folder], index).updated == (str(path),)
    assert embedder.count == before + 1
    assert "seal" in index.search("seal of the ram guide leaks")[0].passage.text


class _Counting(HashEmbedder):
    count = 0

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        self.count += len(texts)
        return super().embed(texts)


def test_a_hint_beside_a_file_names_what_the_file_does_not(index: Index, folder: Path) -> None:
    (folder / "scan7.txt").write_text("Bleed the brake circuit before the first start of a shift.\n")
    (folder / "scan7.txt.yaml").write_text(
        "document: B-7\ntitle: Brake bulletin\nkind: bulletin\nrevision: 2\nequipment: [PRS-01]\neffective: 2025-05-01\n"
    )
    assert len(ingest([folder], index).added) == 1
    info = index.document("B-7")
    assert (info.title, info.kind, info.revision, info.equipment) == ("Brake bulletin", "bulletin", "2", ("PRS-01",))
    assert not index.search("bleed the brake circuit", equipment="PRS-02")
    assert index.search("bleed the brake circuit", equipment="PRS-01")


def test_a_missing_path_is_one_sentence(index: Index, folder: Path) -> None:
    with pytest.raises(IngestError, match=r"There is no file or folder .*nowhere\."):
        ingest([folder / "nowhere"], index)


_KILLED = """
import sys
from pathlib import Path
from ingest.pipeline import ingest
from retrieval.embed import HashEmbedder
from retrieval.index import Index
index = Index.open(Path(sys.argv[1]), HashEmbedder())
print("open", flush=True)
ingest([Path(sys.argv[2])], index)
"""


@pytest.mark.parametrize("delay_s", [0.9, 1.3])
def test_a_killed_run_is_completed_by_the_next(tmp_path: Path, folder: Path, delay_s: float) -> None:
    for number in range(30):
        text = "".join(f"Clearance {number}-{n} is set with gauge {n} on press {number}.\n\n" for n in range(12))
        (folder / f"note{number:02}.txt").write_text(text)
    home = tmp_path / "index"
    process = subprocess.Popen([sys.executable, "-c", _KILLED, str(home), str(folder)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(delay_s)
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    index = Index.open(home, HashEmbedder())
    ingest([folder], index)
    assert sum(i.status == "effective" for i in index.documents()) == 30
    assert index.search("clearance set with gauge on press 29", k=3)
    assert len(ingest([folder], index).unchanged) == 30
