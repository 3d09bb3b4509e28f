"""What is there and what is missing: machines, alarms and documents given by hand, and the page that shows them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest

from ingest.coverage import AlarmSeen, Coverage, Machine, as_html, as_json, coverage
from ingest.pipeline import ingest
from retrieval.embed import HashEmbedder
from retrieval.index import Index

NOW = datetime(2026, 6, 17, 9, 0, tzinfo=UTC)
MACHINES = (
    Machine("PRS-01", "Press 1", "Line 1", "press"),
    Machine("PRS-02", "Press 2", "Line 1", "press"),
    Machine("OVN-01", "Oven", "Line 2", "oven"),
)
ALARMS = (
    AlarmSeen("PRS-01", "E-101", 12), AlarmSeen("PRS-01", "E-999", 30, NOW, "<b>Ram blocked</b>"), AlarmSeen("PRS-02", "E-999", 11),
    AlarmSeen("OVN-01", "E-101", 5), AlarmSeen("OVN-01", "E-300", 7),
)  # fmt: skip


@pytest.fixture
def found(tmp_path: Path) -> Coverage:
    folder = tmp_path / "documents"
    folder.mkdir()
    for revision, day in (("A", "2025-01-01"), ("B", "2026-01-01")):
        head = f"---\ntitle: Press manual <i>x</i>\ndocument: M-P7\nrevision: {revision}\neffective: {day}\nequipment_class: press\n---\n"
        rows = "".join(f"| E-{100 + n} | Fault {n} | Check relay K{n} |\n" for n in range(1, 6))
        (folder / f"press-{revision}.md").write_text(f"{head}# Alarms\n\n| Code | Message | Remedy |\n| --- | --- | --- |\n{rows}")
    (folder / "sop.md").write_text(
        "---\ntitle: Die change\nkind: sop\ndocument: SOP-1\nequipment: [PRS-01]\nlanguage: de\n---\n# Wechsel\n\n1. Presse sperren.\n2. Werkzeug wechseln.\n"
    )
    (folder / "codes.csv").write_text("code,message\n" + "".join(f"E-{300 + n},Heater {n}\n" for n in range(5)))
    (folder / "mixer.md").write_text(
        "---\ntitle: Mixer card\ndocument: M-X\nequipment: [MIX-09, MIX-10]\n---\n# Mixer\n\nThe seal of the mixer is greased.\n"
    )
    (folder / "kiln.md").write_text(
        "---\ntitle: Kiln card\ndocument: M-K\nequipment_class: kiln\n---\n# Kiln\n\nThe rollers of the kiln are greased.\n"
    )
    (folder / "<img src=x>.pdf").write_bytes(b"")
    index = Index.open(tmp_path / "index", HashEmbedder(64))
    ingest([folder], index)
    return coverage(index, MACHINES, ALARMS, NOW, datetime(2025, 6, 17, tzinfo=UTC), NOW)


def test_each_machine_has_its_documents_and_says_what_it_lacks(found: Coverage) -> None:
    lines = {line.machine.id: line for line in found.machines}
    assert [d.document for d in lines["PRS-01"].documents] == ["M-P7", "SOP-1"]
    assert lines["PRS-01"].lacking == ()
    assert lines["PRS-02"].lacking == ("procedure",)
    assert lines["OVN-01"].lacking == ("manual", "procedure")
    manual = lines["PRS-01"].documents[0]
    assert (manual.revision, manual.others, manual.passages_alarms) == ("B", ("A superseded",), 5)


def test_alarms_without_an_entry_are_counted_once_for_machines_of_a_class(found: Coverage) -> None:
    by_code = {(gap.code, gap.known): gap for gap in found.gaps}
    assert (by_code["E-999", "none"].events, by_code["E-999", "none"].machines) == (41, ("PRS-01", "PRS-02"))
    assert by_code["E-101", "none"].machines == ("OVN-01",)  # the press manual does not speak for the oven
    assert by_code["E-300", "unassigned"].events == 7  # the list names no machine
    assert len(by_code) == 3
    line = found.machines[0]
    assert (line.alarms_known, line.alarms_seen, line.events_unknown, line.events) == (1, 2, 30, 42)


def test_documents_for_machines_that_the_plant_does_not_have_are_listed(found: Coverage) -> None:
    assert [(line.document, line.scope) for line in found.elsewhere] == [("M-K", "kiln"), ("M-X", "MIX-09, MIX-10")]
    assert "2 only machines that the plant does not have" in found.text
    assert "MIX-09, MIX-10" in as_html(found)


def test_only_what_a_reader_may_read_is_compared(tmp_path: Path) -> None:
    for name, access in (("open", "plant"), ("closed", "management")):
        (tmp_path / f"{name}.md").write_text(f"---\ndocument: {name}\naccess: {access}\n---\n# Oven\n\nThe door of the oven is greased.\n")
    index = Index.open(tmp_path / "index", HashEmbedder(64))
    ingest([tmp_path / "open.md", tmp_path / "closed.md"], index)
    assert {line.document for line in coverage(index, MACHINES, (), NOW).unassigned} == {"open", "closed"}
    shown = coverage(index, MACHINES, (), NOW, holds=lambda info: info.access == "plant")
    assert [line.document for line in shown.unassigned] == ["open"]
    assert "closed" not in as_html(shown)


def test_documents_that_name_no_machine_and_refused_files_are_listed(found: Coverage) -> None:
    assert [line.document for line in found.unassigned] == ["codes"]
    assert found.unassigned[0].missing == ("revision", "effective date")
    ((path, why),) = found.quarantined
    assert path.endswith("<img src=x>.pdf")
    assert why == "The file is empty: copy it again from where it came from."
    assert dict(found.languages) == {"en": 4, "de": 1}
    assert "2 alarms with 46 events have no entry in any manual" in found.text
    assert as_json(found)["gaps"][0]["last"] == NOW.isoformat()


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("href", "src", "action") or name.startswith("on")]
        if tag not in ("meta", "br", "link", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_needs_nothing_else_and_runs_nothing(found: Coverage) -> None:
    html = as_html(found)
    page = _Page()
    page.feed(html)
    assert page.open == []
    assert not page.tags & {"script", "a", "img", "iframe", "form", "link", "b64", "object"}
    assert page.addresses == []
    assert "http://" not in html.replace("Content-Security-Policy", "")
    assert "&lt;b&gt;Ram blocked&lt;/b&gt;" in html
    assert "&lt;img src=x&gt;.pdf" in html
    assert re.search(r"41</td>", html)


def test_without_a_plant_database_the_documents_alone_are_shown(tmp_path: Path) -> None:
    html = as_html(coverage(Index.open(tmp_path / "index", HashEmbedder(64)), (), (), NOW))
    assert "No plant database is set" in html
    assert "Nothing was compared." in html


def test_the_demo_plant_is_covered(assistant) -> None:  # type: ignore[no-untyped-def]
    """Alarm counts against SQL over the demo's own database."""
    import sqlite3
    from datetime import timedelta

    from assistant.coverage import gathered

    found = gathered(assistant)
    db = sqlite3.connect(assistant.settings.home / assistant.settings.plant_url)
    since = (assistant.now() - timedelta(days=365)).astimezone(UTC)
    stamp = db.execute("SELECT raised_at FROM alarm_events LIMIT 1").fetchone()[0]
    bound = since.strftime("%Y-%m-%dT%H:%M:%S") if "T" in str(stamp) else since.strftime("%Y-%m-%d %H:%M:%S")
    counted = dict(db.execute("SELECT equipment_id, COUNT(*) FROM alarm_events WHERE raised_at >= ? GROUP BY 1", (bound,)).fetchall())
    assert {line.machine.id: line.events for line in found.machines if line.events} == counted
    assert all(line.documents for line in found.machines)
