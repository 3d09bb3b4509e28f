"""Technicians' entries: verbatim, findable in full words, and countable by what was wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest.logs import LogRow, documents, facts_of, log_passages, recognise, rows_of
from ingest.readers import read
from retrieval.embed import HashEmbedder
from retrieval.index import DocumentInfo, Entry, Index

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
