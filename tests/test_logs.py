"""Technicians' entries: verbatim, findable in full words, and countable by what was wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest.logs import LogRow, documents, facts_of, log_passages, rows_of
from ingest.readers import read
from retrieval.embed import HashEmbedder
from retrieval.index import DocumentInfo, Entry, Index
from retrieval.wording import recognise

INFO = DocumentInfo("LOG", "Maintenance log", "-", kind="log")


@pytest.mark.parametrize(("text", "component", "condition", "action"), [
    ("fltr clogged, cleaned + reset", "filter", "clogged", "reset"),
    ("Replaced clogged coolant filter", "coolant filter", "clogged", "replaced"),
    ("L/H BUCKET CYL LEAKING", "cylinder", "leaking", ""),
    ("chkd pump ok, swapped fitler", "filter", "", "replaced"),
    ("brg noisey on conv mtr", "motor", "noisy", ""),
    ("door won't open", "door", "failed", ""),
    ("flow sensor dead, new one fitted", "flow sensor", "failed", "replaced"),
    ("tightened loose hose fitting", "hose", "loose", "tightened"),
    ("nothing found", "", "", ""),
])  # fmt: skip
def test_what_an_entry_says(text: str, component: str, condition: str, action: str) -> None:
    facts = recognise(text)
    assert (facts.condition, facts.action) == (condition, action)
    assert facts.component == component or (component == "motor" and facts.component in ("motor", "bearing", "conveyor"))


def test_abbreviations_and_slips_are_resolved_and_names_left_alone() -> None:
    assert recognise("Hyd pmp brg u/s").full.startswith("hydraulic")
    assert "unserviceable" in recognise("brg u/s").full
    assert "filter" in recognise("coolent fliter blockd").full
    assert "zylkone" in recognise("zylkone fitted").full


def test_the_closing_text_counts_before_the_first_report() -> None:
    row = LogRow("W1", "CNC-01", "2026-05-02", "alarm 502, pump suspected", closing="filter was clogged, cleaned it")
    assert facts_of(row).cause == "filter clogged"
    assert facts_of(row).action == "cleaned"


def test_an_entry_is_cited_verbatim_with_id_author_and_date() -> None:
    row = LogRow("W1", "CNC-01", "2026-05-02T06:10", "alrm 502, clnt fltr clogd", "max", "502", "claened, ok", "FLT-2210", 25)
    (passage,) = log_passages([row], INFO)
    assert "alrm 502, clnt fltr clogd" in passage.text
    assert "claened, ok" in passage.text
    assert (passage.author, passage.date, passage.anchor.section) == ("max", "2026-05-02T06:10", "W1")
    assert passage.kind == "log"
    assert passage.equipment == ("CNC-01",)
    assert "502" in passage.identifiers
    assert "coolant filter" in passage.text  # the same in full words, for the search


def test_a_growing_log_embeds_only_what_is_new(tmp_path: Path) -> None:
    class Counting(HashEmbedder):
        seen = 0

        def embed(self, texts):  # type: ignore[no-untyped-def]
            self.seen += len(texts)
            return super().embed(texts)

    embedder = Counting()
    index = Index.open(tmp_path / "index", embedder)
    rows = [LogRow(f"W{n}", "P-1", f"2026-05-{n + 1:02}", f"checked hose number {n}") for n in range(20)]
    index.add_many([Entry(*document) for document in documents(rows, INFO)])
    before = embedder.seen
    more = [*rows, LogRow("W99", "P-1", "2026-06-01", "hose torn, renewed")]
    index.add_many([Entry(*document) for document in documents(more, INFO)])
    assert embedder.seen == before + 1
    assert len(index.passages("LOG")) == 21
    assert index.search("torn hose", kinds=("log",))[0].passage.anchor.section == "W99"


def test_a_table_with_dates_machines_and_text_is_a_log(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_text("WO,Date,Asset,Short text,Minutes\n" + "".join(
        f"{n},2026-01-{n % 28 + 1:02},M{n % 3},pump {n} leaking at the seal,{n}\n" for n in range(30)))  # fmt: skip
    rows = rows_of(read(path))
    assert len(rows) == 30
    assert rows[4] == LogRow("4", "M1", "2026-01-05", "pump 4 leaking at the seal", duration_min=4.0)


def test_other_tables_are_no_logs(tmp_path: Path) -> None:
    path = tmp_path / "alarms.csv"
    path.write_text("code,message,remedy\n" + "".join(f"{n},Fault of axis {n},Call service\n" for n in range(10)))
    assert rows_of(read(path)) == []


# -- a log that grows beside the running service


@pytest.fixture
def followed(assistant, demo_home, tmp_path, monkeypatch):
    """A copy of the demo's database with an index of its own of the last month, and a follower beside it."""
    import shutil

    from assistant import logs
    from assistant.logs import Follower, sync
    from tools.plant_model import Plant

    monkeypatch.setattr(logs, "_MONTHS", 1)
    database = tmp_path / "mes.sqlite"
    shutil.copy(demo_home / "demo" / "mes.sqlite", database)
    plant = Plant.open(assistant.settings.plant_model, str(database))
    index = Index.open(tmp_path / "index", HashEmbedder())
    total = sync(plant, index, now=assistant.now())
    held = len(index.passages("LOG-MAINTENANCE-LOGS")) + len(index.passages("LOG-SHIFT-NOTES"))
    assert held <= total
    return Follower(lambda: plant, lambda: index, assistant.now), index, database


def test_an_entry_is_found_after_it_was_written_changed_and_gone_after_it_was_deleted(followed, assistant):
    import sqlite3
    from datetime import UTC, timedelta

    follower, index, database = followed
    assert follower.once() == 0
    count = len(index.passages("LOG-MAINTENANCE-LOGS"))

    def write(*statement):
        with sqlite3.connect(database) as db:
            db.execute(*statement)

    with sqlite3.connect(database) as db:
        newest = db.execute("SELECT * FROM maintenance_logs ORDER BY written_at DESC LIMIT 1")
        names = [item[0] for item in newest.description]
        row = dict(zip(names, newest.fetchone(), strict=True))
    written = (assistant.now() - timedelta(hours=1)).astimezone(UTC)
    stamp = written.strftime("%Y-%m-%dT%H:%M:%S") + row["written_at"][19:] if isinstance(row["written_at"], str) else written.timestamp()
    fresh = {**row, "log_id": "LOG-NEW-1", "text": "zorgle brkt cracked, welded", "written_at": stamp}
    write(f"INSERT INTO maintenance_logs ({', '.join(fresh)}) VALUES ({', '.join('?' * len(fresh))})", tuple(fresh.values()))
    assert follower.once() == 1
    assert len(index.passages("LOG-MAINTENANCE-LOGS")) == count + 1
    assert "zorgle" in index.search("zorgle bracket cracked", 1, kinds=("log",))[0].passage.text
    write("UPDATE maintenance_logs SET text = 'zorgle brkt cracked, renewed' WHERE log_id = 'LOG-NEW-1'")
    assert follower.once() == 2  # the old wording out, the new one in
    found = [p.text for p in index.passages("LOG-MAINTENANCE-LOGS") if "zorgle" in p.text]
    assert len(found) == 1
    assert "renewed" in found[0]
    write("DELETE FROM maintenance_logs WHERE log_id = 'LOG-NEW-1'")
    assert follower.once() == 1
    assert len(index.passages("LOG-MAINTENANCE-LOGS")) == count


def test_a_month_with_more_entries_than_one_answer_holds_is_read_whole(assistant, monkeypatch):
    from assistant import logs

    plant, index = assistant.plant, assistant.index
    monkeypatch.setattr(logs, "_MONTHS", 1)
    whole = sum(len(part.rows) for part in logs._months(plant, index, "maintenance_logs", assistant.now()))
    monkeypatch.setattr(logs, "_MOST", 40)
    assert sum(len(part.rows) for part in logs._months(plant, index, "maintenance_logs", assistant.now())) == whole
