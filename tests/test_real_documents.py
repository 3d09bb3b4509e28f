"""Documents that others wrote, when they are there: all are read or quarantined, and every code finds its own text."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path

import pytest

from ingest.describe import describe
from ingest.pipeline import ingest
from ingest.readers import read
from ingest.split import split
from retrieval.embed import HashEmbedder
from retrieval.index import Index

REAL = Path(__file__).resolve().parents[2] / "shared" / "real"
LABELS = REAL / "labels" / "alarms.jsonl"

pytestmark = pytest.mark.skipif(not LABELS.is_file(), reason="real documents: ../shared/real is not there")


def folded(text: str) -> str:
    return " ".join(text.split())


def labels() -> list[dict[str, str]]:
    return [json.loads(line) for line in LABELS.read_text("utf-8").splitlines()]


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Index:
    index = Index.open(tmp_path_factory.mktemp("real") / "index", HashEmbedder())
    files = sorted({REAL / row["file"] for row in labels()})
    assert len(ingest(files, index).added) == len(files)
    return index


def test_every_published_code_finds_its_published_text(index: Index) -> None:
    sources = {i.document: Path(i.source) for i in index.documents()}
    wrong = []
    published: dict[tuple[str, str, str], set[str]] = defaultdict(set)
    for row in labels():  # a list may print one code twice
        published[(row["file"], row["list"], row["code"])].add(folded(row["title"]))
    for row in labels():
        entries = [e for e in index.alarm(row["code"]) if sources[e.passage.anchor.document] == (REAL / row["file"]).resolve()]
        # the name of a list in the labels holds that of its heading: "xarm_servocode" is "Servo Error Code"
        named = row["list"].split("_", 1)[-1]
        letters = [("".join(c for c in e.list_name.lower().replace("error code", "errorcode") if c.isalnum()), e) for e in entries]
        own = [e for name, e in letters if name.replace("sixaxisforcetorque", "ft") == named
               or name.replace("errorcode", "code") == named] or entries  # fmt: skip
        titles = published[(row["file"], row["list"], row["code"])]
        if not own or own[0].code != row["code"] or folded(own[0].title) not in titles:
            wrong.append((row, [(e.list_name, e.title) for e in entries]))
    assert not wrong, f"{len(wrong)} of {len(labels())}: {wrong[:5]}"


def test_causes_and_actions_are_the_published_ones(index: Index) -> None:
    rows = [r for r in labels() if r["action"] or r["cause"]]
    for row in rows:
        entries = [e for e in index.alarm(row["code"]) if folded(e.title) == folded(row["title"])]
        assert any(folded(e.cause) == folded(row["cause"]) and folded(e.remedy) == folded(row["action"]) for e in entries), row


def test_a_question_with_code_and_list_finds_the_entry_first(index: Index) -> None:
    asked = {
        "what does servo error code 18 mean": "Multi-turn Encoder Error",
        "linear motor error 39": "Linear Motor over voltage",
        "controller error code 22": "Self-Collision Error",
        "gripper error fourteen": "Gripper Position Command Overlimit",
        "API code minus twelve": "run blockly app exception",
    }
    missed = {
        q: [h.passage.text for h in index.search(q, 5)]
        for q, title in asked.items() if not any(title in h.passage.text for h in index.search(q, 2))
    }  # fmt: skip
    assert not missed


def test_every_file_is_read_or_has_a_reason() -> None:
    read_files, reasons = 0, {}
    for path in sorted((REAL / "pdf-samples").rglob("*.pdf")):
        if path.stat().st_size > 3_000_000:
            continue
        try:
            content = read(path)
        except Exception as error:
            reasons[path.name] = f"{type(error).__name__}: {error}"
            continue
        passages, _ = split(content, describe(content, path, path.stem, "hash", None, None))
        read_files += bool(passages)
    assert read_files >= 15
    assert all(r.startswith("UnreadableFile: ") for r in reasons.values()), reasons
    assert "password" in reasons["libreoffice-writer-password.pdf"]


def test_work_orders_become_log_passages() -> None:
    from ingest import logs

    rows = logs.rows_of(read(REAL / "excavators" / "work_orders.csv"))
    assert len(rows) == 5485
    assert {r.equipment for r in rows} == set("ABCDE")
    assert (rows[0].text, rows[0].date) == ("BUCKET WON'T OPEN", "2004-07-01")
