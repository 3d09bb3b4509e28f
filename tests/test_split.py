"""What belongs together stays together, and alarm lists of every kind become entries."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ingest.alarm_words import codes_of, field_of, is_code
from ingest.describe import describe
from ingest.readers import read
from ingest.split import split
from retrieval.index import AlarmEntry, Passage


def passages_of(path: Path) -> tuple[list[Passage], list[AlarmEntry]]:
    content = read(path)
    return split(content, describe(content, path, path.stem, "hash", None, None))


def text_file(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, "utf-8")
    return path


PROCEDURE = """# 4 Filters

## 4.1 Changing the filter

Tools needed:

CAUTION: The housing is under pressure.

1. Close valve V2.
2. Open the vent.
3. Take the lid off.

The old element is hazardous waste.

| Joint | Torque |
| --- | --- |
| Lid nut | 22 N m |
| Drain plug | 9 N m |
"""


def test_steps_stay_whole_with_their_warning(tmp_path: Path) -> None:
    passages, _ = passages_of(text_file(tmp_path, "p.md", PROCEDURE))
    (steps,) = [p for p in passages if p.block == "steps"]
    assert steps.steps == ("CAUTION: The housing is under pressure.", "1. Close valve V2.", "2. Open the vent.",
                           "3. Take the lid off.")  # fmt: skip
    assert steps.anchor.section == "4.1 Changing the filter"


def test_a_table_row_carries_its_headings(tmp_path: Path) -> None:
    passages, alarms = passages_of(text_file(tmp_path, "p.md", PROCEDURE))
    assert [p.text for p in passages if p.block == "table"] == [
        "Joint: Lid nut | Torque: 22 N m", "Joint: Drain plug | Torque: 9 N m",
    ]  # fmt: skip
    assert not alarms


def test_long_text_is_cut_between_sentences_and_loses_nothing(tmp_path: Path) -> None:
    sentences = [f"Sentence number {n} says that part {n} is greased every {n + 2} days." for n in range(60)]
    passages, _ = passages_of(text_file(tmp_path, "long.txt", " ".join(sentences)))
    assert len(passages) > 3
    assert all(len(p.text.split()) <= 170 for p in passages)
    assert all(any(s in p.text for p in passages) for s in sentences)


def test_ids_depend_on_the_content_alone(tmp_path: Path) -> None:
    path = text_file(tmp_path, "p.md", PROCEDURE)
    assert [p.id for p in passages_of(path)[0]] == [p.id for p in passages_of(path)[0]]
    assert len({p.id for p in passages_of(path)[0]}) == len(passages_of(path)[0])


# name -> (file name, text, expected entries: code -> (title, cause, remedy))
LISTS = {
    "table": ("oven.md", "# Messages\n\n| No. | Message | Cause | What to do |\n|--|--|--|--|\n| 17 | Door open | Latch worn | Close it |\n"
              "| 18 | Fan stopped | Dust | Clean it |\n",
              {"17": ("Door open", "Latch worn", "Close it"), "18": ("Fan stopped", "Dust", "Clean it")}),
    "csv": ("x.csv", "Alarm ID;Message (EN);Message (DE);Operator Instruction\nALM_1;Low air;Luft;Open V1\nALM_2;No oil;Oel;Refill\n",
            {"ALM_1": ("Low air", "", "Open V1"), "ALM_2": ("No oil", "", "Refill")}),
    "csv without headings": ("x.csv", "1001,Axis 1 following error,2\n1002,Axis 2 following error,2\n1003,Gripper not closed,1\n",
                             {"1001": ("Axis 1 following error", "", ""), "1003": ("Gripper not closed", "", "")}),
    "json records in two languages": (
        "r.json", '[{"id": 5, "level": 1, "zh_CN": {"description": "B", "cause": "", "solution": "C"}, '
        '"en": {"description": "Brake fault", "cause": "No 24 V", "solution": "Check F3"}}, '
        '{"id": 6, "level": 1, "en": {"description": "Hot", "cause": "", "solution": "Wait"}, "zh_CN": {"description": "D"}}]',
        {"5": ("Brake fault", "No 24 V", "Check F3"), "6": ("Hot", "", "Wait")}),
    "json code map": ("m.json", '{"errors": {"E001": "Door open", "E002": "Fan failure"}}',
                      {"E001": ("Door open", "", ""), "E002": ("Fan failure", "", "")}),
    "yaml with lists": ("f.yaml", "faults:\n- {number: F-12, text: Web break, possible_causes: [Reel empty, Splice torn], actions: [New reel]}\n"
                        "- {number: F-13, text: Head hot, possible_causes: [Fan], actions: [Clean fan]}\n",
                        {"F-12": ("Web break", "Reel empty\nSplice torn", "New reel"), "F-13": ("Head hot", "Fan", "Clean fan")}),
    "bullets with negative codes": ("b.md", "## API error codes\n\n- -12: exception\n- -2: not ready\n- 12: parameter error\n",
                                    {"-12": ("exception", "", ""), "12": ("parameter error", "", "")}),
    "headings with labels": ("h.md", "# Drive errors\n\n### E-104: Motor hot\n\n**Possible causes:**\n- Fan blocked\n\n**Remedy:** Clean the fan.\n\n"
                             "### E-105: Brake fault\n\n**Cause:** No supply.\n\n**Remedy:** Check F3.\n",
                             {"E-104": ("Motor hot", "Fan blocked", "Clean the fan."), "E-105": ("Brake fault", "No supply.", "Check F3.")}),
    "labelled paragraphs": ("t.txt", "SRVO-001 Panel stop\nCause: Button pressed.\nRemedy: Release it.\n\nSRVO-004 Fence open\nCause: Gate.\nRemedy: Shut.\n",
                            {"SRVO-001": ("Panel stop", "Button pressed.", "Release it."), "SRVO-004": ("Fence open", "Gate.", "Shut.")}),
    "spaced columns": ("s.txt", "Error list\n\nE01   Film break      Check the reel\nE02   Bar cold        Wait a little\nE03   Low pressure    Check supply\n",
                       {"E01": ("Film break", "", ""), "E03": ("Low pressure", "", "")}),
    "program constants": ("e.h", "#define ERR_CURRENT 0x01 /* motor overcurrent */\n#define ERR_VOLT 0x02 /* supply too low */\n#define ERR_ENC 0x03 /* encoder lost */\n",
                          {"0x01": ("motor overcurrent", "", ""), "0x03": ("encoder lost", "", "")}),
    "program calls": ("r.res", '1 ! Error(3, 0500, "cause", "Stop pressed")\n2 ! Error(2, 0501, "cause", "Bad command")\n3 ! Error(3, 0502, "cause", "Bad argument")\n',
                      {"0500": ("Stop pressed", "", ""), "0502": ("Bad argument", "", "")}),
    "html": ("f.html", "<h1>Fault codes</h1><table><tr><th>Fault</th><th>Name</th><th>Probable cause</th><th>Corrective action</th></tr>"
             "<tr><td>F7</td><td>Overvoltage</td><td>Ramp too short</td><td>Lengthen it</td></tr>"
             "<tr><td>A7</td><td>Limit</td><td>Load</td><td>Check load</td></tr></table>",
             {"F7": ("Overvoltage", "Ramp too short", "Lengthen it"), "A7": ("Limit", "Load", "Check load")}),
}  # fmt: skip


@pytest.mark.parametrize("kind", LISTS)
def test_an_alarm_list_of_any_kind_becomes_entries(kind: str, tmp_path: Path) -> None:
    name, text, expected = LISTS[kind]
    passages, alarms = passages_of(text_file(tmp_path, name, text))
    found = {a.code: (a.title, a.cause, a.remedy) for a in alarms}
    assert {code: found.get(code) for code in expected} == expected
    assert all(a.passage in passages and a.code in a.passage.identifiers for a in alarms)


@pytest.mark.parametrize("text", [
    "# Spare parts\n\n| No. | Name | Quantity |\n|--|--|--|\n| 1 | Fan | 2 |\n| 2 | Seal | 1 |\n| 3 | Lamp | 4 |\n",
    "# Torques\n\n| Item | Value | Unit |\n|--|--|--|\n| Lid | 22 | N m |\n| Plug | 9 | N m |\n",
    "# Revision history\n\n| Revision | Date | Change |\n|--|--|--|\n| 1 | 2024-01-01 | First |\n| 2 | 2025-01-01 | Second |\n",
])  # fmt: skip
def test_other_tables_are_no_alarm_lists(text: str, tmp_path: Path) -> None:
    assert not passages_of(text_file(tmp_path, "doc.md", text))[1]


@pytest.mark.parametrize(("heading", "name"), [
    ("Possible Causes", "cause"), ("alarmCode", "code"), ("What to do", "remedy"), ("Time to respond", "response_time"),
    ("Machine reaction", "consequence"), ("Torque", ""), ("error_number", "code"), ("Meaning", "description"),
])  # fmt: skip
def test_headings_name_fields(heading: str, name: str) -> None:
    assert field_of(heading) == name


def test_what_is_a_code() -> None:
    assert all(map(is_code, ["502", "AL-1043", "0x8001", "-12", "E.OC1", "7-12", "16#8090", "ALM_0001"]))
    assert not any(map(is_code, ["Door open", "2026-06-17", "45 N m", "see chapter 4", ""]))


@pytest.mark.parametrize(("cell", "codes"), [
    ("E10-E14", ("E10", "E11", "E12", "E13", "E14")), ("700 to 702", ("700", "701", "702")), ("0x1E – 0x21", ("0x1E", "0x1F", "0x20", "0x21")),
    ("A008..A010", ("A008", "A009", "A010")), ("31, 32", ("31", "32")), ("33/34", ("33", "34")), ("E10/11", ("E10", "E11")),
    ("E10, 11 and 12", ("E10", "E11", "E12")), ("502 (cont.)", ("502",)), ("7-12", ("7-12",)), ("7/12", ("7/12",)), ("E-104", ("E-104",)),
    ("AL-1043", ("AL-1043",)), ("500-504", ("500-504",)), ("Door open", ()), ("see alarm 310", ()), ("1 to 99999", ()), ("", ()),
])  # fmt: skip
def test_codes_of_a_cell(cell: str, codes: tuple[str, ...]) -> None:
    assert codes_of(cell) == codes


def test_a_range_of_bare_numbers_is_one_among_plain_numbers() -> None:
    assert codes_of("500-502", numbers=True) == ("500", "501", "502")
    assert codes_of("7-12", numbers=True) == ("7-12",)


def test_no_word_of_a_text_is_lost(tmp_path: Path) -> None:
    passages, _ = passages_of(text_file(tmp_path, "p.md", PROCEDURE))
    everything = " ".join(f"{p.anchor.section} {p.text}" for p in passages)
    for word in re.findall(r"\w+", PROCEDURE.replace("# 4 Filters", "")):
        assert word in everything
