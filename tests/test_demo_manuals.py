"""The demo plant's documents: real PDFs whose text holds exactly what the YAML says, one value of it superseded."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import yaml
from pypdf import PdfReader

from ingest.demo import manuals
from ingest.demo.manual_content import SEE, Writer, prose, resolve, step_items

UNTIL = datetime(2026, 6, 17, 9, tzinfo=ZoneInfo("Europe/Berlin"))
DEMO = Path(manuals.__file__).parent
BUILT = ("MAN-CNC-VX500", "EMG-001", "SOP-LCT-01", "WI-PMP-40S")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("manuals")
    manuals.build_manuals(target, UNTIL, documents=BUILT)
    return target


@pytest.fixture(scope="module")
def cnc_pages(folder: Path) -> list[str]:
    """Page texts without white space and hyphens; pypdf, which is slow, reads only the pages that a test compares."""
    return manuals.page_texts(folder / "MAN-CNC-VX500_C.pdf")


def pypdf_text(path: Path, page: int) -> str:
    return manuals.flat(PdfReader(path).pages[page - 1].extract_text())


@pytest.fixture(scope="module")
def alarms() -> dict[str, list[dict]]:
    return yaml.safe_load((DEMO / "alarms.yaml").read_text(encoding="utf-8"))


def plant() -> dict:
    return yaml.safe_load((DEMO / "plant.yaml").read_text(encoding="utf-8"))


def test_every_class_has_its_alarms_and_codes_are_exact(alarms):
    assert set(alarms) == set(plant()["equipment_classes"])
    for equipment_class, entries in alarms.items():
        codes = [entry["code"] for entry in entries]
        assert 25 <= len(codes) <= 60, equipment_class
        assert len(codes) == len(set(codes))
        assert all(isinstance(code, str) for code in codes)
        for entry in entries:
            assert entry["severity"] in {"low", "medium", "high", "critical"}
            assert entry["response_time_min"] > 0
            assert all(set(cause) == {"component", "text", "remedy"} for cause in entry["causes"])


def test_alarm_502_and_its_neighbours_differ(alarms):
    cnc = {entry["code"]: entry for entry in alarms["cnc"]}
    assert cnc["502"]["title"] == "Coolant flow low"
    assert [cause["component"] for cause in cnc["502"]["causes"]] == ["coolant filter", "coolant pump", "flow sensor"]
    assert len({cnc[code]["title"] for code in ("502", "503", "520", "5021")}) == 4


def test_bare_numbers_mean_different_things_on_different_machines(alarms):
    titles: dict[str, dict[str, str]] = {}
    for equipment_class, entries in alarms.items():
        for entry in entries:
            titles.setdefault(entry["code"], {})[equipment_class] = entry["title"]
    shared = {code: by_class for code, by_class in titles.items() if len(set(by_class.values())) > 1}
    assert {"205", "310", "520"} <= set(shared)
    assert list(titles["502"]) == ["cnc"]


def test_part_numbers_named_anywhere_exist(alarms):
    parts = yaml.safe_load((DEMO / "parts.yaml").read_text(encoding="utf-8"))
    known = {part["id"] for part in parts}
    assert len(parts) == len(known) >= 80
    assert {part["class"] for part in parts} <= set(plant()["equipment_classes"])
    text = "".join(path.read_text(encoding="utf-8") for path in [DEMO / "alarms.yaml", *sorted((DEMO / "manuals").glob("*.yaml"))])
    named = set(re.findall(r"\b[A-Z]{3}-\d{4}\b", text)) - {"BUL-0071", "BUL-0074"}
    assert named <= known
    assert {"FLT-2210", "PUM-1140", "SEN-3305"} <= named


def test_documents_name_real_equipment_and_one_effective_edition_each():
    names = {machine["id"] for machine in plant()["equipment"]}
    effective: dict[str, int] = {}
    for edition in manuals.editions(UNTIL):
        keywords = dict(pair.split("=", 1) for pair in edition.keywords.removeprefix("andon: ").split("; "))
        assert set(keywords.get("equipment", "CNC-01").split(",")) <= names
        assert keywords.get("equipment_class", "cnc") in plant()["equipment_classes"]
        assert keywords["kind"] in {"manual", "sop", "work_instruction", "bulletin"}
        assert edition.effective <= UNTIL.date()
        effective[edition.document] = effective.get(edition.document, 0) + (edition.superseded is None)
    assert len(effective) >= 30
    assert set(effective.values()) == {1}


def test_cnc_alarm_table_prints_each_code_with_cause_and_remedy(cnc_pages, alarms):
    for entry in alarms["cnc"]:
        pieces = [entry["code"] + entry["title"], entry["description"], *(c["text"] for c in entry["causes"]), *(c["remedy"] for c in entry["causes"])]
        assert any(all(manuals.flat(piece) in page for piece in pieces) for page in cnc_pages), entry["code"]


def test_pages_are_numbered_and_page_one_carries_the_revision_block(folder, cnc_pages):
    assert len(cnc_pages) > 45
    for number, text in enumerate(cnc_pages, start=1):
        assert f"Page{number}of{len(cnc_pages)}" in text
    first = pypdf_text(folder / "MAN-CNC-VX500_C.pdf", 1)
    for line in ("Document MAN-CNC-VX500", "Revision C", "Effective date 2026-01-15", "Supersedes Revision B", "Approved by"):
        assert manuals.flat(line) in first
    assert manuals.flat("4.2 Spindle bearing") in cnc_pages[1]


def test_pypdf_reads_codes_rows_and_steps_too(folder, cnc_pages):
    path = folder / "MAN-CNC-VX500_C.pdf"
    for piece in ("502 Coolant flow low", "Joint Thread and grade Torque Remark Spindle bearing cap bolts M8 x 35, 12.9 45 N m",
                  "6. Switch the coolant on and read the flow."):
        page = next(i for i, text in enumerate(cnc_pages, start=1) if manuals.flat(piece) in text)
        assert manuals.flat(piece) in pypdf_text(path, page)


def test_keywords_carry_identity_and_validity(folder):
    newer = PdfReader(folder / "MAN-CNC-VX500_C.pdf").metadata
    older = PdfReader(folder / "MAN-CNC-VX500_B.pdf").metadata
    assert newer.title == "CNC machining centre VX-500"
    assert newer["/Keywords"] == ("andon: document=MAN-CNC-VX500; revision=C; effective=2026-01-15; supersedes=B; kind=manual; "
                                  "equipment_class=cnc; equipment=CNC-01,CNC-02,CNC-03")
    assert "revision=B; effective=2023-11-19; supersedes=A; superseded=2026-01-15" in older["/Keywords"]
    assert date(2026, 1, 15) == UNTIL.date() - timedelta(days=153)


def test_the_two_revisions_disagree_on_one_torque_only(folder, cnc_pages):
    stale = manuals.superseded_facts(folder, UNTIL)
    assert [(f["key"], f["value"], f["unit"], f["revision"]) for f in stale] == [("Spindle bearing cap bolts", "38", "N m", "B")]
    row = manuals.flat("Spindle bearing cap bolts M8 x 35, 12.9")
    old = manuals.page_texts(folder / "MAN-CNC-VX500_B.pdf")
    assert [text.split(row)[1][:4] for text in cnc_pages if row in text] == ["45Nm"]
    assert [text.split(row)[1][:4] for text in old if row in text] == ["38Nm"]
    assert not any("38Nm" in text for text in cnc_pages if "bearingcap" in text)


def test_every_fact_is_found_on_a_page(folder):
    found = [fact for fact in manuals.facts(folder, UNTIL) if fact["document"] in BUILT]
    assert len(found) > 250
    assert [fact for fact in found if fact["page"] is None] == []
    by_key = {(fact["document"], fact["key"]): fact for fact in found}
    flow = by_key["MAN-CNC-VX500", "Coolant flow alarm limit"]
    assert (flow["value"], flow["unit"], flow["section_title"]) == ("18", "l/min", "Technical data: coolant system")
    assert by_key["EMG-001", "Plant emergency number"]["value"] == "333"
    assert by_key["WI-PMP-40S", "Torque of the cover screws"]["unit"] == "N m"


def test_facts_cover_all_kinds_without_a_build():
    kinds = {fact["kind"] for fact in manuals.facts()}
    assert kinds == {"data", "adjust", "torque", "lubrication", "interval", "table", "alarm", "procedure"}
    assert len(manuals.facts()) > 1000


def test_the_warning_stands_before_the_step_it_belongs_to(folder, cnc_pages):
    page = next(text for text in cnc_pages if manuals.flat("FEED HOLD and retract the tool in JOG Z+ by 100") in text)
    order = [page.index(manuals.flat(piece)) for piece in
             ("4. Switch the coolant off", "WARNING: The filter housing may still be under pressure", "5. Replace coolant filter element FLT-2210")]
    assert order == sorted(order)


def test_safeguards_are_only_named_to_forbid_their_defeat():
    defeat = re.compile(r"bypass|magnet|\btaped\b|defeat|muted by hand|shift or cover", re.IGNORECASE)
    forbid = re.compile(r"\bnever\b|\bnot\b|magnetic", re.IGNORECASE)
    for path in (DEMO / "manuals").glob("*.yaml"):
        for paragraph in re.split(r"\n\s*\n|\n\s+- ", path.read_text(encoding="utf-8")):
            for match in defeat.finditer(paragraph):
                near = paragraph[max(0, match.start() - 160):match.end() + 80]
                assert forbid.search(near), f"{path.name}: {near}"


def test_same_until_gives_the_same_bytes_and_another_until_moves_the_dates(tmp_path):
    first, = manuals.build_manuals(tmp_path / "a", UNTIL, documents=("EMG-001",))
    again, = manuals.build_manuals(tmp_path / "b", UNTIL, documents=("EMG-001",))
    later, = manuals.build_manuals(tmp_path / "c", UNTIL + timedelta(days=10), documents=("EMG-001",))
    assert first.read_bytes() == again.read_bytes() != later.read_bytes()
    assert "effective=2025-11-27" in PdfReader(later).metadata["/Keywords"]
    assert not list((tmp_path / "a").glob("*.partial"))


def test_until_without_zone_is_refused(tmp_path):
    with pytest.raises(ValueError, match="time zone"):
        manuals.build_manuals(tmp_path, datetime(2026, 6, 17))


def test_prose_and_steps_are_read_as_written():
    blocks = prose("First line\nsame paragraph\n\n! Danger here\n\n- one\n- two\n  goes on")
    assert [block["type"] for block in blocks] == ["paragraph", "warning", "list"]
    assert blocks[0]["text"] == "First line same paragraph"
    assert blocks[2]["items"] == ["one", "two goes on"]
    items, plain = step_items(["Open the valve. => It is open.", "! Hot.", "Close it."])
    assert plain == ["Open the valve.", "Close it."]
    assert items[:2] == [{"number": "1.", "text": "Open the valve.", "expected": "It is open."}, {"warning": "Hot."}]
    assert items[2]["number"] == "2."


def test_references_become_section_numbers():
    writer = Writer()
    writer.open_chapter("Spindle")
    writer.open_section("Bearing", "x.bearing")
    assert resolve({"a": ["section {see:x.bearing}, {v:t}"]}, writer, {"t": "45 N m"}) == {"a": ["section 1.1, 45 N m"]}
    assert SEE.search("{see:x.bearing}")
