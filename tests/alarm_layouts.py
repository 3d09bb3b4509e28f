"""Small documents with alarm lists in layouts of many kinds, made here: what each must come out as is stated beside it.

`LAYOUTS`: name -> (how to write the file into a folder, the entries that must be found: code -> expected fields). An
expected text must be contained in the field; `absent` codes stand in the text but are no entries.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from xml.sax.saxutils import escape

import docx
import typst

Fields = Mapping[str, str]


@dataclass(frozen=True)
class Layout:
    write: Callable[[Path], Path]
    entries: Mapping[str, Fields]
    absent: tuple[str, ...] = ()
    count: int | None = None


def text(name: str, content: str) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        path = folder / name
        path.write_text(content, encoding="utf-8")
        return path

    return write


def pdf(source: str) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        path = folder / "document.pdf"
        path.write_bytes(typst.compile(source.encode()))
        return path

    return write


def word(fill: Callable[[object], None]) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        document = docx.Document()
        fill(document)
        path = folder / "document.docx"
        document.save(str(path))
        return path

    return write


def workbook(sheets: Mapping[str, list[list[object]]], merges: Mapping[str, tuple[str, ...]] | None = None,
             hidden: tuple[str, ...] = ()) -> Callable[[Path], Path]:  # fmt: skip
    """A workbook of inline strings and numbers; an empty list is an empty row."""
    space = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    relation = 'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'

    def cell(value: object, column: int, row: int) -> str:
        place = f'r="{chr(65 + column)}{row}"'
        if isinstance(value, int | float):
            return f"<c {place}><v>{value}</v></c>"
        return f'<c {place} t="inlineStr"><is><t>{escape(str(value))}</t></is></c>'

    def write(folder: Path) -> Path:
        path = folder / "document.xlsx"
        with zipfile.ZipFile(path, "w") as archive:
            named = "".join(
                f'<sheet name="{escape(name)}" {"state=" + chr(34) + "hidden" + chr(34) if name in hidden else ""} r:id="r{n}"/>'
                for n, name in enumerate(sheets)
            )
            archive.writestr("xl/workbook.xml", f"<workbook {space} {relation}><sheets>{named}</sheets></workbook>")
            targets = "".join(f'<Relationship Id="r{n}" Target="worksheets/s{n}.xml"/>' for n in range(len(sheets)))
            archive.writestr("xl/_rels/workbook.xml.rels", f"<Relationships>{targets}</Relationships>")
            for n, (name, rows) in enumerate(sheets.items()):
                lines = "".join(
                    f'<row r="{y}">{"".join(cell(v, x, y) for x, v in enumerate(row) if v != "")}</row>'
                    for y, row in enumerate(rows, start=1) if row
                )  # fmt: skip
                joined = "".join(f'<mergeCell ref="{ref}"/>' for ref in (merges or {}).get(name, ()))
                archive.writestr(f"xl/worksheets/s{n}.xml",
                                 f"<worksheet {space}><sheetData>{lines}</sheetData><mergeCells>{joined}</mergeCells></worksheet>")  # fmt: skip
        return path

    return write


def mail(subject: str, *, plain: str = "", html: str = "", attached: Mapping[str, str] | None = None) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        message = EmailMessage()
        message["Subject"], message["From"], message["Date"] = subject, "Service <service@maker>", "Mon, 02 Mar 2026 08:00:00 +0100"
        message.set_content(plain or "See the HTML part.")
        if html:
            message.add_alternative(html, subtype="html")
        for name, content in (attached or {}).items():
            message.add_attachment(content.encode(), maintype="text", subtype="csv", filename=name)
        path = folder / "bulletin.eml"
        path.write_bytes(message.as_bytes())
        return path

    return write


# -- Word ------------------------------------------------------------------------------------------------------------


def _word_table(document, rows, style="Table Grid"):  # type: ignore[no-untyped-def]
    table = document.add_table(rows=len(rows), cols=len(rows[0]), style=style)
    for y, row in enumerate(rows):
        for x, value in enumerate(row):
            table.cell(y, x).text = value
    return table


def _word_merged(document):  # type: ignore[no-untyped-def]
    document.add_heading("Fault messages", 1)
    table = _word_table(document, [
        ["Fault", "Message", "Possible cause", "Corrective action"],
        ["F-21", "Belt slips", "Belt worn", "Replace the belt"],
        ["", "", "Tension too low", "Tension the belt to 90 N"],
        ["F-22", "Motor hot", "Fan blocked", "Clean the fan"],
    ])  # fmt: skip
    for column in (0, 1):
        merged = table.cell(1, column).merge(table.cell(2, column))
        merged.text = ("F-21", "Belt slips")[column]


def _word_headings(document):  # type: ignore[no-untyped-def]
    document.add_heading("Drive unit D3", 0)
    document.add_heading("Error messages", 1)
    for code, title, cause, remedy in (
        ("E-217", "Servo overload", "The axis is blocked. See also alarm E-310.", "Free the axis, then reset."),
        ("E-218", "Encoder lost", "The plug is loose.", "Push the plug in until it clicks."),
    ):
        document.add_heading(f"{code} {title}", 2)
        document.add_paragraph(f"Cause: {cause}")
        document.add_paragraph(f"Remedy: {remedy}")


def _word_cards(document):  # type: ignore[no-untyped-def]
    document.add_heading("Alarm descriptions", 1)
    for code, title, cause, remedy in (
        ("701", "Vacuum lost", "Cup torn", "Fit a new cup"),
        ("702", "Vacuum slow", "Filter dirty", "Clean the filter"),
    ):
        _word_table(document, [["Alarm no.", code], ["Message", title], ["Cause", cause], ["Remedy", remedy]])
        document.add_paragraph("")


def _word_numbered(document):  # type: ignore[no-untyped-def]
    document.add_heading("Alarms", 1)
    table = _word_table(
        document, [["No.", "Alarm text", "Remedy"], ["61", "Air pressure low", ""], ["62", "Guard open", "Close the guard."]]
    )
    cell = table.cell(1, 2)
    cell.text = "1. Open the main valve."
    cell.add_paragraph("2. Check the gauge: at least 5.5 bar.")
    cell.add_paragraph("3. If alarm 310 is shown too, call service.")


# -- PDF -------------------------------------------------------------------------------------------------------------

_ROWS = [(str(n), f"Axis {n - 400} following error", f"The load on axis {n - 400} is too high or its brake drags",
          f"Check the brake of axis {n - 400} and reduce the feed") for n in range(401, 441)]  # fmt: skip
LONG_RULED = """#set page(paper: "a4", header: [Axis manual], footer: context counter(page).display())
= Alarm list
#table(columns: (1fr, 3fr, 4fr, 4fr), table.header(repeat: REPEAT)[*Code*][*Message*][*Cause*][*Remedy*], ROWS)
""".replace("ROWS", ", ".join(f"[{c}]" for row in _ROWS for c in row))
LONG_OPEN = """#set page(paper: "a5", header: [Axis manual], footer: context counter(page).display())
= Alarm list
#table(columns: (1fr, 3fr, 4fr, 4fr), stroke: none, column-gutter: 8pt, [*Code*], [*Message*], [*Cause*], [*Remedy*], ROWS)
""".replace("ROWS", ", ".join(f"[{c}]" for row in _ROWS for c in row))
LANDSCAPE = """#set page(paper: "a4", flipped: true)
= Störungen und Meldungen
#table(columns: (1fr, 2fr, 3fr, 3fr), [*Fehlernummer*], [*Meldung*], [*Ursache*], [*Abhilfe*],
  [F101], [Ölstand niedrig], [Leckage oder Verbrauch], [Öl nachfüllen, Dichtung prüfen],
  [F102], [Öltemperatur hoch], [Kühler verschmutzt], [Kühler reinigen])
"""
TWO_COLUMNS = """#set page(columns: 2, margin: 18mm)
#set text(size: 10pt)
= 7 Error messages
""" + "\n".join(
    f"""== E{n} {title}
*Cause:* {cause} while the machine was running in automatic mode and the operator had not yet opened the guard.

*Remedy:* {remedy} and acknowledge the message on the panel. If the message stays, see alarm {n + 300}.
""" for n, title, cause, remedy in (
        (11, "Film break", "The film tore", "Thread the film"), (12, "Sealing bar cold", "The heater failed", "Measure the heater"),
        (13, "Knife blunt", "The knife was used for too long", "Change the knife"), (14, "Reel empty", "The reel ran out", "Fit a new reel"),
        (15, "Printer offline", "The printer lost its network", "Restart the printer"), (16, "Scale drift", "The scale drifted", "Calibrate the scale"),
    )
)  # fmt: skip
MERGED_RULED = """= Fault table
#table(columns: (1fr, 2fr, 3fr, 3fr), [*Fault*], [*Display*], [*Possible cause*], [*Action*],
  table.cell(rowspan: 3)[F-31], table.cell(rowspan: 3)[Pump does not start], [No supply], [Check fuse F7],
  [Thermal relay tripped], [Reset the relay], [Coupling broken], [Replace the coupling],
  [F-32], [Pump noisy], [Air in the line], [Bleed the line])
"""
WRAPPED_OPEN = """= Alarms
#table(columns: (1.2cm, 3cm, 5cm, 6cm), stroke: none, row-gutter: 4pt, [Alarm], [Text], [Reason], [What to do],
  [0x1A], [Heater current too low in zone one], [The heater band of zone one is broken or its cable is loose], [1. Switch the zone off. 2. Measure 42 ohm across the band. 3. Replace it when it is open.],
  [0x1B], [Heater current too high in zone one], [The band has a short circuit to the barrel], [Replace the band and check its fuse before you switch on],
  [0x2F], [Zone two over temperature], [The relay welded shut], [Replace the relay K12 and its socket])
"""
RUN_IN = """= Troubleshooting
== Alarm messages
*E-217 Servo overload:* The motor draws more than the drive can give. Check that the axis moves freely and that the brake opens.

*E-218 Encoder lost:* The signal of the encoder is missing. Check plug X4 and the shield; see also alarm E-310.

*E-219 Drive hot:* The heat sink is above 80 °C. Clean the filter mat of the cabinet.
"""
CARDS = """= Alarm descriptions
""" + "\n".join(
    f"""#table(columns: (3cm, 10cm), [*Alarm*], [{n}], [*Message*], [{title}], [*Cause*], [{cause}], [*Remedy*], [{remedy}])
#v(8mm)
""" for n, title, cause, remedy in (("8101", "Door contact open", "Door not closed", "Close the door"), ("8102", "Light curtain broken", "An object in the field", "Remove the object"))
)  # fmt: skip


LAYOUTS: dict[str, Layout] = {
    "code column named oddly": Layout(
        text("a.csv", "Ident;Anzeige;Bedeutung;Behebung\nST_0101;Not-Halt;Taster gedrückt;Taster lösen\nST_0102;Tür offen;Tür nicht zu;Tür schließen\n"),
        {"ST_0101": {"title": "Not-Halt", "remedy": "Taster lösen"}, "ST_0102": {"title": "Tür offen"}}),
    "tab separated with a title above": Layout(
        text("a.tsv", "Alarm list press P7\n\nNr\tMeldetext\tUrsache\tMassnahme\n12\tOil low\tLeak\tRefill\n13\tOil hot\tCooler dirty\tClean it\n"),
        {"12": {"title": "Oil low", "cause": "Leak", "remedy": "Refill"}, "13": {"title": "Oil hot"}}),
    "quoted cells over lines": Layout(
        text("a.csv", 'code,title,remedy\nA1,Jam,"1. Stop.\n2. Clear the jam.\n3. If alarm 310 shows, call service."\nA2,Empty,Refill\n'),
        {"A1": {"title": "Jam", "remedy": "2. Clear the jam."}, "A2": {"remedy": "Refill"}}, absent=("310",), count=2),
    "json grouped by machine and list": Layout(
        text("a.json", '{"machines": {"press": {"errors": {"E10": {"text": "Ram blocked", "solution": "Free the ram"}, "E11": {"text": "Ram slow", "solution": "Check oil"}}, '
             '"warnings": [{"code": "W3", "message": "Filter soon full", "action": "Order a filter"}, {"code": "W4", "message": "Grease low", "action": "Grease"}]}}}'),
        {"E10": {"title": "Ram blocked", "remedy": "Free the ram"}, "W3": {"title": "Filter soon full", "remedy": "Order a filter"}}),
    "json keyed by name": Layout(
        text("a.json", '{"ERR_DOOR": {"code": 17, "message": "Door open", "remedy": "Close it"}, "ERR_FAN": {"code": 18, "message": "Fan stopped", "remedy": "Clean it"}}'),
        {"17": {"title": "Door open", "remedy": "Close it"}, "18": {"title": "Fan stopped"}}),
    "yaml map of hex codes": Layout(
        text("a.yaml", "fault_codes:\n  0x8001: {name: Bus off, cause: Cable cut, fix: Replace cable}\n  0x8002: {name: Node lost, cause: No supply, fix: Check 24 V}\n"),
        {"0x8001": {"title": "Bus off", "cause": "Cable cut", "remedy": "Replace cable"}}),
    "yaml strings of hex codes": Layout(
        text("a.yaml", 'alarms:\n- {code: "0x8001", name: Bus off, cause: Cable cut, fix: Replace cable}\n- {code: "0x8002", name: Node lost, cause: No supply, fix: Check}\n'),
        {"0x8001": {"title": "Bus off", "cause": "Cable cut", "remedy": "Replace cable"}, "0x8002": {}}),
    "markdown definition paragraphs": Layout(
        text("a.md", "# Faults of the oven\n\n**F7 Door open** – The door contact is not closed. *Remedy:* close the door.\n\n"
             "**F8 Burner off** – The flame is out. *Remedy:* restart; see alarm 310.\n\n**F9 Fan stopped** – No air. *Remedy:* check the belt.\n"),
        {"F7": {"title": "Door open", "remedy": "close the door"}, "F8": {"title": "Burner off"}, "F9": {}}, absent=("310",)),
    "html definition list": Layout(
        text("a.html", "<h1>Error messages</h1><dl><dt>E-12 Door open</dt><dd>The contact is open. Close the door.</dd>"
             "<dt>E-13 Fan stopped</dt><dd>The belt is torn. Fit a new belt, see alarm 310.</dd></dl>"),
        {"E-12": {"title": "Door open", "description": "Close the door"}, "E-13": {"title": "Fan stopped"}}, absent=("310",)),
    "html merged cells": Layout(
        text("a.html", "<h2>Fault list</h2><table><tr><th>Fault</th><th>Text</th><th>Cause</th><th>Remedy</th></tr><tr><td rowspan=2>F-21</td><td rowspan=2>Belt slips</td>"
             "<td>Belt worn</td><td>Replace the belt</td></tr><tr><td>Tension low</td><td>Tension the belt</td></tr><tr><td>F-22</td><td>Motor hot</td><td>Fan</td><td>Clean</td></tr></table>"),
        {"F-21": {"title": "Belt slips", "cause": "Tension low", "remedy": "Replace the belt"}, "F-22": {"title": "Motor hot"}}, count=2),
    "rst list table": Layout(
        text("a.rst", "Alarms\n======\n\n.. list-table::\n   :header-rows: 1\n\n   * - Code\n     - Meaning\n     - What to do\n   * - AL-1043\n     - Hydraulic pressure low\n     - Refill the tank\n"
             "   * - AL-1044\n     - Hydraulic pressure high\n     - Check valve V3, see AL-2000\n"),
        {"AL-1043": {"title": "Hydraulic pressure low", "remedy": "Refill"}, "AL-1044": {"remedy": "V3"}}, absent=("AL-2000",)),
    "rst sections": Layout(
        text("a.rst", "Error codes\n===========\n\nE-104 Motor hot\n---------------\n\n:Cause: Fan blocked\n:Remedy: Clean the fan\n\nE-105 Brake fault\n-----------------\n\n:Cause: No supply\n:Remedy: Check F3\n"),
        {"E-104": {"title": "Motor hot", "cause": "Fan blocked", "remedy": "Clean the fan"}, "E-105": {"cause": "No supply"}}),
    "plain text with fixed columns": Layout(
        text("a.txt", "FAULT CODES OF THE PACKER\n\nCode    Message                 Remedy\nP001    Film break              Thread the film\nP002    Bar cold                Wait until green\nP003    Low air                 Open the valve\n"),
        {"P001": {"title": "Film break", "remedy": "Thread the film"}, "P003": {"title": "Low air"}}),
    "plain text run in": Layout(
        text("a.txt", "Alarm messages\n\nE-217 Servo overload: the motor draws too much. Check the brake.\n\nE-218 Encoder lost: check plug X4, see alarm 310.\n\nE-219 Drive hot: clean the filter mat.\n"),
        {"E-217": {"title": "Servo overload", "description": "Check the brake"}, "E-218": {"title": "Encoder lost"}, "E-219": {}}, absent=("310",)),
    "code ranges": Layout(
        text("a.md", "# Alarm list\n\n| Code | Message | Remedy |\n|--|--|--|\n| E10-E14 | Zone 1 to 5 too cold | Wait |\n| E20 | Heater off | Switch on |\n| 700 to 702 | Axis limit | Move back |\n"),
        {"E10": {"title": "Zone 1 to 5 too cold"}, "E12": {"title": "Zone 1 to 5 too cold"}, "E14": {"remedy": "Wait"}, "E20": {}, "701": {"title": "Axis limit"}}),
    "several codes for one entry": Layout(
        text("a.md", "# Error codes\n\n| Error | Text | Cause | Solution |\n|--|--|--|--|\n| 31, 32 | Sensor fault | Cable | Check the cable |\n| 33/34 | Valve fault | Coil | Measure the coil |\n| 35 | Pump fault | Fuse | Change it |\n"),
        {"31": {"title": "Sensor fault"}, "32": {"remedy": "Check the cable"}, "34": {"title": "Valve fault"}, "35": {}}),
    "sheet with title, gap and hidden sheet": Layout(
        workbook({"Alarms": [["Alarm list VX-500"], ["Rev. D", "", "2026-02-01"], [], ["Alarm-No", "Text", "Cause", "Remedy"], [501, "Oil low", "Leak", "Refill"],
                             [502, "Flow low", "Filter", "Clean"], [], [503, "Hot", "Fan", "Clean the fan"]],
                  "Old": [["Alarm-No", "Text", "Remedy"], [999, "Obsolete", "None"], [998, "Obsolete too", "None"]]}, hidden=("Old",)),
        {"501": {"title": "Oil low"}, "502": {"remedy": "Clean"}, "503": {"title": "Hot"}}, absent=("999",)),
    "sheet with merged codes": Layout(
        workbook({"Faults": [["Fault code", "Fault", "Cause", "Action"], ["F1", "Belt slips", "Worn", "Replace"], ["", "", "Loose", "Tension"], ["F2", "Hot", "Fan", "Clean"]]},
                 {"Faults": ("A2:A3", "B2:B3")}),
        {"F1": {"cause": "Loose", "remedy": "Replace"}, "F2": {"title": "Hot"}}, count=2),
    "several sheets": Layout(
        workbook({"Drive errors": [["Code", "Description", "Help"], ["D1", "Overcurrent", "Check motor"], ["D2", "Undervoltage", "Check supply"]],
                  "PLC errors": [["Code", "Description", "Help"], ["P1", "Cycle time", "Restart"], ["P2", "Battery", "Replace it"]]}),
        {"D1": {"title": "Overcurrent", "remedy": "Check motor"}, "P2": {"title": "Battery"}}),
    "mail with html table": Layout(
        mail("Service bulletin 12: new alarms", html="<p>With version 5 these alarms are new:</p><table><tr><th>Alarm</th><th>Text</th><th>Remedy</th></tr>"
             "<tr><td>611</td><td>Chiller offline</td><td>Restart the chiller</td></tr><tr><td>612</td><td>Chiller hot</td><td>Clean it</td></tr></table>"),
        {"611": {"title": "Chiller offline", "remedy": "Restart"}, "612": {}}),
    "mail with attached list": Layout(
        mail("New error codes", plain="Dear all, the list of new error codes is attached, valid from today on.", attached={"codes.csv": "Error code,Message,Action\nX1,Lamp broken,Replace lamp\nX2,Lens dirty,Clean lens\n"}),
        {"X1": {"title": "Lamp broken", "remedy": "Replace lamp"}, "X2": {"title": "Lens dirty"}}),
    "word merged cells": Layout(word(_word_merged), {"F-21": {"cause": "Tension too low", "remedy": "Replace the belt"}, "F-22": {"title": "Motor hot"}}, count=2),
    "word headings": Layout(word(_word_headings), {"E-217": {"title": "Servo overload", "remedy": "then reset"}, "E-218": {"cause": "loose"}}, absent=("E-310", "310")),
    "word cards": Layout(word(_word_cards), {"701": {"title": "Vacuum lost", "cause": "Cup torn", "remedy": "Fit a new cup"}, "702": {"title": "Vacuum slow"}}),
    "word numbered remedies": Layout(word(_word_numbered), {"61": {"remedy": "3. If alarm 310"}, "62": {"remedy": "Close the guard."}}, absent=("310",), count=2),
    "pdf ruled over pages, headings repeated": Layout(
        pdf(LONG_RULED.replace("REPEAT", "true")), {r[0]: {"title": r[1], "cause": r[2], "remedy": r[3]} for r in _ROWS}, count=40),
    "pdf ruled over pages, headings once": Layout(
        pdf(LONG_RULED.replace("REPEAT", "false")), {r[0]: {"title": r[1], "cause": r[2], "remedy": r[3]} for r in _ROWS}, count=40),
    "pdf unruled over pages": Layout(pdf(LONG_OPEN), {r[0]: {"title": r[1], "cause": r[2], "remedy": r[3]} for r in _ROWS}, count=40),
    "pdf landscape in German": Layout(
        pdf(LANDSCAPE), {"F101": {"title": "Ölstand niedrig", "cause": "Leckage", "remedy": "Dichtung prüfen"}, "F102": {"remedy": "Kühler reinigen"}}, count=2),
    "pdf two columns": Layout(
        pdf(TWO_COLUMNS), {"E11": {"title": "Film break", "cause": "The film tore", "remedy": "Thread the film"}, "E13": {"title": "Knife blunt"},
                           "E16": {"title": "Scale drift", "remedy": "Calibrate"}}, absent=("311", "313", "316"), count=6),
    "pdf merged cells": Layout(
        pdf(MERGED_RULED), {"F-31": {"title": "Pump does not start", "cause": "Coupling broken", "remedy": "Check fuse F7"}, "F-32": {"remedy": "Bleed the line"}}, count=2),
    "pdf unruled with wrapped cells and hex codes": Layout(
        pdf(WRAPPED_OPEN), {"0x1A": {"title": "Heater current too low in zone one", "remedy": "3. Replace it when it is open."}, "0x1B": {"cause": "short circuit"},
                            "0x2F": {"remedy": "K12"}}, count=3),
    "pdf run in": Layout(pdf(RUN_IN), {"E-217": {"title": "Servo overload", "description": "brake opens"}, "E-218": {"title": "Encoder lost"}, "E-219": {}}, absent=("E-310",), count=3),
    "pdf cards": Layout(pdf(CARDS), {"8101": {"title": "Door contact open", "cause": "Door not closed", "remedy": "Close the door"}, "8102": {}}, count=2),
}  # fmt: skip
