"""Content of the demo plant's documents: the YAML of a machine or a procedure becomes numbered sections of blocks.

Promises that every number a manual prints comes from exactly one row of YAML, and that the same pass that numbers the
sections also yields the ground truth of each row (`Fact`), so that a fact and its page cannot drift apart. Proven by
tests/test_demo_manuals.py, which finds each fact in the text of the finished PDF.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

Block = dict[str, Any]

# The typed tables of a chapter: key in the YAML -> section title, heading row, relative column widths.
TABLES: Mapping[str, tuple[str, tuple[str, ...], tuple[float, ...]]] = {
    "data": ("Technical data", ("Item", "Value", "Unit"), (4, 2, 1.3)),
    "adjust": ("Adjustment values", ("Adjustment", "Set value", "Method"), (3, 2, 4)),
    "torque": ("Tightening torques", ("Joint", "Thread and grade", "Torque", "Remark"), (3.2, 2, 1.3, 3)),
    "lubrication": ("Lubrication", ("Lubrication point", "Lubricant", "Quantity", "Interval"), (3, 3, 1.8, 1.8)),
    "faults": ("Troubleshooting", ("Symptom", "Probable cause", "Remedy"), (2.4, 2.4, 3.4)),
}
# The drawings a chapter may hold, by key in the YAML, and what their captions say.
FIGURES: Mapping[str, str] = {"flow": "Flow diagram", "bolts": "Tightening sequence"}
INTERVALS = ("every shift", "daily", "weekly", "monthly", "every 3 months", "every 6 months", "yearly", "every 2 years")
ALARM_HEAD = ("Code", "Alarm", "Severity", "Description", "Consequence", "Cause", "Remedy", "Respond within")
ALARM_WIDTHS = (1.1, 2.0, 1.3, 3.5, 2.8, 3.2, 3.9, 1.5)
VALUE = re.compile(r"^(?P<value>[±≤≥<>]?\s?[−+-]?\d+(?: \d{3})*(?:[.,]\d+)?(?:\s(?:to|±)\s[−+-]?\d+(?:\.\d+)?)?)\s?(?P<unit>\D.*)?$")
SEE = re.compile(r"\{see:([a-z0-9.-]+)\}")
REVISED = re.compile(r"\{v:([a-z0-9_]+)\}")


@dataclass(frozen=True)
class Fact:
    """One row of a document, as ground truth: what it is called, its value and unit, and the section it stands in."""

    kind: str  # data | adjust | torque | lubrication | interval | table | alarm | procedure
    section: str
    section_title: str
    key: str
    value: str
    unit: str
    cells: tuple[str, ...]  # as printed, in reading order
    steps: tuple[str, ...] = ()


@dataclass
class Writer:
    """Collects blocks and facts while it numbers headings; `see` maps a procedure id to its section number."""

    blocks: list[Block] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)
    see: dict[str, str] = field(default_factory=dict)
    part_names: Mapping[str, str] = field(default_factory=dict)
    chapter: int = 0
    section: int = 0
    figure: int = 0
    number: str = ""
    title: str = ""

    def open_chapter(self, title: str, identifier: str = "") -> None:
        self.chapter, self.section, self.figure = self.chapter + 1, 0, 0
        self._open(f"{self.chapter}", title, 1, identifier)

    def open_section(self, title: str, identifier: str = "") -> None:
        self.section += 1
        self._open(f"{self.chapter}.{self.section}", title, 2, identifier)

    def _open(self, number: str, title: str, level: int, identifier: str) -> None:
        self.number, self.title = number, title
        if identifier:
            self.see[identifier] = number
        self.blocks.append({"type": "heading", "level": level, "text": f"{number} {title}"})

    def next_figure(self, name: str) -> str:
        self.figure += 1
        return f"Figure {self.chapter}-{self.figure} {name}"

    def fact(self, kind: str, key: str, amount: str, cells: Sequence[str], unit: str = "", steps: Sequence[str] = ()) -> None:
        self.facts.append(Fact(kind, self.number, self.title, key, amount, unit, tuple(cells), tuple(steps)))


def cells(row: str) -> list[str]:
    return [cell.strip() for cell in row.split(" | ")]


def prose(text: str) -> list[Block]:
    """Paragraphs are separated by blank lines; lines of `- ` are a list; `! ` a warning, `~ ` a caution, `> ` a note."""
    blocks: list[Block] = []
    for chunk in re.split(r"\n\s*\n", text.strip()):
        lines = [line.strip() for line in chunk.splitlines() if line.strip()]
        if not lines:
            continue
        marks = {"! ": "warning", "~ ": "caution", "> ": "note"}
        if lines[0][:2] in marks:
            blocks.append({"type": marks[lines[0][:2]], "text": " ".join(lines)[2:]})
        elif lines[0].startswith("- "):
            items: list[str] = []
            for line in lines:
                if line.startswith("- "):
                    items.append(line[2:])
                else:
                    items[-1] += " " + line
            blocks.append({"type": "list", "items": items})
        else:
            blocks.append({"type": "paragraph", "text": " ".join(lines)})
    return blocks


def step_items(steps: Iterable[str]) -> tuple[list[Block], list[str]]:
    """Items for the template and the bare step texts; a warning stands before the step it belongs to."""
    items: list[Block] = []
    plain: list[str] = []
    for step in steps:
        if step.startswith("! "):
            items.append({"warning": step[2:]})
        elif step.startswith("~ "):
            items.append({"caution": step[2:]})
        else:
            text, _, expected = step.partition(" => ")
            plain.append(text)
            item = {"number": f"{len(plain)}.", "text": text}
            items.append(item | {"expected": expected} if expected else item)
    return items, plain


def typed_table(writer: Writer, kind: str, rows: Iterable[str]) -> None:
    _, head, widths = TABLES[kind]
    split = [cells(row) for row in rows]
    writer.blocks.append({"type": "table", "head": list(head), "widths": list(widths), "rows": split})
    for row in split:
        if len(row) != len(head):
            raise ValueError(f"{kind} row of {len(row)} cells in section {writer.number}: {row}")
        if kind == "torque":
            writer.fact(kind, row[0], row[2], row)
        elif kind == "lubrication":
            writer.fact(kind, row[0], row[1], row, unit="lubricant")
        elif kind == "data":
            writer.fact(kind, row[0], row[1], row, unit=row[2])
        elif kind == "adjust":
            writer.fact(kind, row[0], row[1], row)


def free_table(writer: Writer, table: Mapping[str, Any]) -> None:
    head = cells(table["head"])
    rows = [cells(row) for row in table["rows"]]
    for row in rows:
        if len(row) != len(head):
            raise ValueError(f"row of {len(row)} cells under {len(head)} headings in section {writer.number}: {row}")
    writer.blocks.append({"type": "table", "caption": table.get("caption", ""), "head": head,
                          "widths": table.get("widths", [1] * len(head)), "rows": rows})
    column = table.get("value")
    units = next((i for i, name in enumerate(head) if name.lower().startswith("unit")), None)
    if column is not None:
        for row in rows:
            writer.fact("table", row[0], row[column], row, unit=row[units] if units is not None else "")


def body(writer: Writer, section: Mapping[str, Any]) -> None:
    """The parts of one section, in the order in which they are written down."""
    for key, content in section.items():
        if key == "text":
            writer.blocks.extend(prose(content))
        elif key in TABLES:
            typed_table(writer, key, content)
        elif key in {"table", "table2", "table3"}:
            free_table(writer, content)
        elif key in {"flow", "bolts"}:
            writer.blocks.append({"type": key, **content, "caption": writer.next_figure(FIGURES[key])})
        elif key == "conditions":
            conditions(writer, content)
        elif key == "steps":
            items, plain = step_items(content)
            writer.blocks.append({"type": "steps", "items": items})
            writer.fact("procedure", section["title"], str(len(plain)), plain[:1], unit="steps", steps=plain)
        elif key not in {"title", "id", "sections", "procedures", "inspect"}:
            raise ValueError(f"unknown part {key!r} in section {section.get('title')!r}")


def conditions(writer: Writer, given: Mapping[str, Any]) -> None:
    """The box above a procedure: time, skill, tools, parts (with their names from the spare part list)."""
    if unknown := set(given) - {"time", "skill", "tools", "parts"}:
        raise ValueError(f"unknown conditions {sorted(unknown)} in section {writer.number} {writer.title}")
    rows = [[name, str(given[key])] for key, name in (("time", "Time"), ("skill", "Qualification"), ("tools", "Tools")) if key in given]
    if "parts" in given:
        rows.append(["Parts", "; ".join(f"{part} {writer.part_names[part]}" for part in given["parts"])])
    writer.blocks.append({"type": "key-values", "rows": rows})


def chapter(writer: Writer, content: Mapping[str, Any]) -> None:
    """One chapter: its own text, free sections, typed tables as sections, then procedures and troubleshooting."""
    writer.open_chapter(content["title"], content.get("id", ""))
    body(writer, {k: v for k, v in content.items() if k not in TABLES} if "sections" in content or "procedures" in content else content)
    for section in content.get("sections", ()):
        writer.open_section(section["title"], section.get("id", ""))
        body(writer, section)
    if "sections" in content or "procedures" in content:
        for kind in ("data", "adjust", "torque", "lubrication"):
            if kind in content:
                writer.open_section(f"{TABLES[kind][0]}: {content['title'].lower()}")
                typed_table(writer, kind, content[kind])
        for procedure in content.get("procedures", ()):
            writer.open_section(procedure["title"], procedure.get("id", ""))
            body(writer, procedure)
        if "faults" in content:
            writer.open_section(f"Troubleshooting: {content['title'].lower()}")
            typed_table(writer, "faults", content["faults"])


def maintenance_plan(writer: Writer, chapters: Iterable[Mapping[str, Any]]) -> None:
    """All inspections of all modules, one section per interval, so that a technician sees a day's or a year's work."""
    due: dict[str, list[list[str]]] = {interval: [] for interval in INTERVALS}
    for module in chapters:
        for row in module.get("inspect", ()):
            interval, check, criterion = cells(row)
            due[interval].append([module["title"], check, criterion, interval])
    writer.open_chapter("Maintenance plan")
    writer.blocks += prose("The intervals hold for three-shift operation. Whatever comes first counts: the interval or the service "
                           "message of the control. Each completed inspection is confirmed in the maintenance order.")
    for interval, rows in due.items():
        if rows:
            writer.open_section(f"Maintenance {interval}" if interval.startswith("every") else f"{interval.capitalize()} maintenance")
            writer.blocks.append({"type": "table", "head": ["Module", "Check or work", "Criterion", "Interval"], "widths": [2, 4, 3, 1.6], "rows": rows})
            for row in rows:
                writer.fact("interval", row[1], interval, row, unit="interval")


def spare_parts(writer: Writer, parts: Iterable[Mapping[str, Any]]) -> None:
    writer.open_chapter("Spare parts")
    rows = [[p["id"], p["name"], str(p["minimum"]), f"{p['lead_time_days']} days"] for p in parts]
    writer.blocks += prose("Use original spare parts only. The recommended stock is for one to three machines at one site.")
    writer.blocks.append({"type": "table", "head": ["Part number", "Designation", "Recommended stock", "Delivery time"],
                          "widths": [1.4, 4, 1.6, 1.4], "rows": rows})
    for row in rows:
        writer.fact("table", row[1], row[0], row, unit="part number")


def alarm_chapter(writer: Writer, alarms: Sequence[Mapping[str, Any]], groups: Mapping[str, str]) -> None:
    """Landscape tables, one row per alarm; a group is the longest prefix of the code that the manual names."""
    grouped: dict[str, list[Mapping[str, Any]]] = {prefix: [] for prefix in groups}
    for alarm in alarms:
        prefixes = [prefix for prefix in groups if alarm["code"].startswith(prefix)]
        if not prefixes:
            raise ValueError(f"alarm {alarm['code']} ({alarm['title']}) belongs to no group")
        grouped[max(prefixes, key=len)].append(alarm)
    writer.open_chapter("Alarms")
    writer.blocks += prose("""The control shows an alarm with its code and title. Codes are exact: a longer or shorter code is another alarm.
        Act in the order of the severity; the column Respond within names the time in which a person should be at the machine.

        - critical: danger for people or machine; stop, secure, call for help.
        - high: production stops or parts become suspect; act at once.
        - medium: production is at risk; act within the time given.
        - low: information; plan the work.

        > When several causes are listed they stand in the order of their frequency. Try the remedies in the same order a), b), c).""")
    outer = writer.blocks
    for prefix, title in groups.items():
        if not grouped[prefix]:
            continue
        writer.blocks = []
        writer.open_section(f"Alarms: {title}")
        rows = [alarm_row(writer, alarm) for alarm in grouped[prefix]]
        writer.blocks.append({"type": "table", "size": 8.5, "head": list(ALARM_HEAD), "widths": list(ALARM_WIDTHS), "rows": rows})
        outer.append({"type": "landscape", "blocks": writer.blocks})
    writer.blocks = outer


def alarm_row(writer: Writer, alarm: Mapping[str, Any]) -> list[str]:
    causes = alarm["causes"]
    letters = [f"{chr(97 + i)}) " if len(causes) > 1 else "" for i in range(len(causes))]
    remedy = "\n".join(f"{letter}{cause['remedy']}" for letter, cause in zip(letters, causes, strict=True))
    if "procedure" in alarm:
        remedy += f"\nProcedure: section {{see:{alarm['procedure']}}}."
    minutes = alarm["response_time_min"]
    within = f"{minutes} min" if minutes < 120 else f"{minutes // 60} h"
    row = [alarm["code"], alarm["title"], alarm["severity"], alarm["description"], alarm["consequence"],
           "\n".join(f"{letter}{cause['text']}" for letter, cause in zip(letters, causes, strict=True)), remedy, within]
    writer.fact("alarm", alarm["code"], alarm["title"], row, unit="title", steps=[cause["remedy"] for cause in causes])
    return row


def resolve_fact(fact: Fact, writer: Writer, values: Mapping[str, str]) -> Fact:
    """The fact as printed in one revision; an amount such as `45 N m` is parted into value and unit."""
    amount, unit = resolve(fact.value, writer, values), fact.unit
    if not unit and (match := VALUE.match(amount)):
        amount, unit = match["value"].strip(), (match["unit"] or "").strip()
    return replace(fact, value=amount, unit=unit, cells=tuple(resolve(fact.cells, writer, values)),
                   steps=tuple(resolve(fact.steps, writer, values)))


def resolve(value: Any, writer: Writer, values: Mapping[str, str]) -> Any:
    """Fills in `{see:id}` with the section number and `{v:name}` with the value of this revision, at any depth."""
    if isinstance(value, str):
        return REVISED.sub(lambda m: values[m[1]], SEE.sub(lambda m: writer.see[m[1]], value))
    if isinstance(value, Mapping):
        return {key: resolve(inner, writer, values) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [resolve(inner, writer, values) for inner in value]
    return value
