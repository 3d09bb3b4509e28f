"""Alarm and error lists of whatever source become entries, by what their fields are called and what they hold.

Recognised are tables and records (fields or column headings), code maps, bullet lists ("- 11: queue is full"), entries
under headings of their own ("E-104 Coolant pump overload", then "Cause: ..." lines), and rows without any heading. No
file name plays a part, and a parts list ("No. | Name | Quantity") is no alarm list (`tests/test_split.py`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

CODE = re.compile(
    r"(?:(?:[A-Z]{1,6}|Alarm|Error|Fault|Code) |[A-Za-z]{1,10}(?:[-_./][A-Za-z]{1,10}){0,2}[-_./]?)?-?\d[0-9A-Fa-f]{0,7}[A-Za-z]{0,2}(?:[-_./:][A-Za-z0-9]{1,6}){0,3}"
    r"|-\d{1,7}|0[xX][0-9A-Fa-f]{1,8}|\d+#[0-9A-Fa-f]+|[0-9A-F]{2,8}h?|[A-Z]{1,4}[-.][A-Z0-9]{1,6}"
)
ALARMING = re.compile(
    r"\b(alarms?|errors?|faults?|warn(?:ing)?s?|codes?|messages?|diagnostics?|trouble\w*|malfunctions?|failures?|"
    r"exceptions?|trips?|alerts?|err|events?)\b|(?:error|alarm|fault|warning|err)(?:code|list|s|no|id)?\b",
    re.IGNORECASE,
)
# In this order: a heading goes to the first field whose pattern it matches.
_FIELDS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (name, re.compile(pattern, re.IGNORECASE))
    for name, pattern in (
        ("response_time", r"\b(time to (respond|act|react)|response time|respond within|reaction time)\b"),
        ("cause", r"\b(causes?|reasons?|root causes?|why|origin|trigger(ed by)?|condition)\b"),
        ("remedy",
         r"\b(remed(y|ies)|solutions?|actions?|counter ?measures?|measures?|corrections?|corrective|what to do|fix(es)?|"
         r"recovery|recover|resolutions?|resolve|repair|troubleshooting|elimination|rectification|advice|"
         r"recommend\w*|suggest\w*|instructions?|treatment|handling|clear(ing)?( method)?|reset|help|how to)\b"),
        ("consequence", r"\b(consequences?|effects?|reactions?|response|impacts?|machine (state|status)|stop type)\b"),
        ("code",
         r"^(#|nr|no|num|id|code|number|key|alarm|error|fault|warning|err|event|msg|message)$|"
         r"\b(code|codes|errno|err ?no|alarm ?(id|no|nr|number|num)|error ?(id|no|nr|number|num)|"
         r"fault ?(id|no|nr|number)|warning ?(id|no|nr|number)|event ?(id|no|number)|message ?(id|no|number)|msg ?id|"
         r"(alarm|error|fault|warning) ?#|diag ?(no|id))\b"),
        ("severity", r"\b(severity|level|priority|prio|class|category|type|rank|grade|kind)\b"),
        ("title",
         r"\b(title|names?|messages?|text|display(ed)?|summary|detail|short|alarms?|errors?|faults?|warnings?|headline|"
         r"label|symbol|designation|problems?|symptoms?|phenomen\w+|indication)\b"),
        ("description", r"\b(descriptions?|desc|meanings?|means|explanations?|details?|comments?|remarks?|info\w*|notes?)\b"),
    )
)  # fmt: skip
_LABEL = re.compile(
    r"^\W{0,3}(description|meaning|explanation|(?:possible |probable |likely )?causes?|reasons?|remed(?:y|ies)|solutions?|"
    r"(?:corrective |operator |recommended )?actions?|counter ?measures?|what to do|consequences?|effects?|reactions?|"
    r"severity|priority|level|class|(?:response time|time to respond)|recovery|resolution|troubleshooting|suggestions?|"
    r"recommendations?|what it means|details?|instructions?)"
    r"\s*[:：–-]\s*(.*)$",
    re.IGNORECASE,
)
_HEADED = re.compile(rf"^(?:(?:alarm|error|fault|warning|message|code|no|nr)\.?\s*){{0,3}}({CODE.pattern})\s*[-:–—.|]?\s+(\S.*)$", re.I)
_BULLET = re.compile(rf"^\s*(?:[-*•]\s+)?(?:`|\*\*)?({CODE.pattern})(?:`|\*\*)?\s*(?:[:=|–—]|\s-\s|->|\t)\s*(\S.*)$")
_FEWEST_BULLETS = 2


@dataclass(frozen=True)
class RawAlarm:
    """An entry as the source gives it, before it has an anchor; every field verbatim but for white space."""

    code: str
    title: str
    severity: str = ""
    cause: str = ""
    remedy: str = ""
    description: str = ""
    consequence: str = ""
    response_time: str = ""

    def text(self, list_name: str) -> str:
        """What is shown, cited and searched: each field under its name."""
        word = ALARMING.search(list_name)
        if word is None:
            name = f"{list_name} alarm".strip()
        elif ":" in list_name or len(list_name.split()) > 4:  # a long heading stands in the section already
            name = word.group().capitalize().rstrip("s")
        else:
            name = list_name
        fields = (
            ("Severity", self.severity), ("Description", self.description), ("Cause", self.cause),
            ("Consequence", self.consequence), ("Remedy", self.remedy), ("Time to respond", self.response_time),
        )  # fmt: skip
        lines = [f"{label}: {value}" for label, value in fields if value]
        return "\n".join([f"{name} {self.code}: {self.title}", *lines])


def is_code(text: str) -> bool:
    """Whether a cell holds nothing but a code: `502`, `AL-1043`, `0x8001`, `-12`, `E.OC1`; not a sentence or a date."""
    stripped = text.strip().strip("`*#")
    return bool(CODE.fullmatch(stripped)) and len(stripped) <= 24 and not re.fullmatch(r"\d{4}-\d{2}-\d{2}.*", stripped)


def field_of(heading: str) -> str:
    """Which field of an entry a column heading names, "" for none: "Possible causes" is `cause`."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", heading)
    plain = re.sub(r"[_\-./:()]+", " ", spaced).strip()
    return next((name for name, pattern in _FIELDS if pattern.search(plain)), "")


def from_table(header: Sequence[str], rows: Sequence[Sequence[str]], context: str, *, bare: bool = False) -> list[RawAlarm]:
    """The entries of a table or record list, [] when it is no alarm list. `context`: its caption, section and title.

    `bare` says that the headings are field names of a program, where "id" is as good as "alarm code".
    """
    columns = _columns(header, rows)
    if "code" not in columns or not ({"title", "description", "cause", "remedy"} & columns.keys()):
        return []
    if not _is_alarm_list(header, columns, context, bare):
        return []
    entries: list[RawAlarm] = []
    for row in rows:
        entry = _entry(columns, row)
        if entry is not None:
            entries.append(entry)
        elif entries and not _cell(row, columns["code"][0]):
            entries[-1] = _continued(entries[-1], columns, row)
    return entries


def _columns(header: Sequence[str], rows: Sequence[Sequence[str]]) -> dict[str, list[int]]:
    """Field -> its columns. The code column is the first candidate whose cells are codes, each almost once."""
    columns: dict[str, list[int]] = {}
    coded: int | None = None
    candidates = [i for i, h in enumerate(header) if field_of(h) in ("code", "title")] or []
    for i in sorted(candidates, key=lambda i: (field_of(header[i]) != "code", i)):
        cells = [_cell(r, i) for r in rows if _cell(r, i)]
        if cells and sum(map(is_code, cells)) >= 0.8 * len(cells) and len(set(cells)) >= 0.6 * len(cells):
            coded = i
            break
    if coded is None:
        return {}
    columns["code"] = [coded]
    for i, heading in enumerate(header):
        name = field_of(heading)
        if i != coded and name and not _foreign(heading, header):
            columns.setdefault("title" if name == "code" else name, []).append(i)
    if "title" not in columns and "description" in columns:
        columns["title"] = [columns["description"].pop(0)]
        if not columns["description"]:
            del columns["description"]
    elif "title" not in columns and "cause" in columns:
        columns["title"] = columns["cause"][:1]
    return columns


_LANGUAGE_MARK = re.compile(r"(?:^|[\s_(\[.-])(en|eng|english|de|ger|german|deutsch|fr|french|es|spanish|it|zh|cn|ja|jp|nl|pl|pt|sv|cs)"
                            r"(?:[-_][a-z]{2})?[\])]?$", re.IGNORECASE)  # fmt: skip


def _foreign(heading: str, header: Sequence[str]) -> bool:
    """Whether a column repeats another one in a language other than English: "Message (DE)" beside "Message (EN)"."""
    mark = _LANGUAGE_MARK.search(heading)
    if mark is None or mark.group(1).lower().startswith("en"):
        return False
    stem = heading[: mark.start()].lower()
    twins = [h for h in header if (m := _LANGUAGE_MARK.search(h)) and h[: m.start()].lower() == stem]
    return any(m.group(1).lower().startswith("en") for h in twins if (m := _LANGUAGE_MARK.search(h)))


def _is_alarm_list(header: Sequence[str], columns: dict[str, list[int]], context: str, bare: bool) -> bool:
    heading = header[columns["code"][0]]
    if ALARMING.search(re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", heading)) or {"cause", "remedy"} <= columns.keys():
        others = " ".join(header).lower()
        return not re.search(r"\b(quantity|qty|price|supplier|stock|part (no|number))\b", others)
    if ALARMING.search(context):
        return True
    return bare and bool({"cause", "remedy"} & columns.keys())


def _entry(columns: dict[str, list[int]], row: Sequence[str]) -> RawAlarm | None:
    code = _cell(row, columns["code"][0]).strip("`*#").strip()
    if not code or not is_code(code):
        return None
    values = {name: "\n".join(v for v in (_cell(row, i) for i in at) if v) for name, at in columns.items() if name != "code"}
    if not any(values.values()):
        return None
    title = values.pop("title", "") or values.get("description", "") or values.get("cause", "")
    return RawAlarm(code=code, title=" ".join(title.split()), **values)


def _continued(entry: RawAlarm, columns: dict[str, list[int]], row: Sequence[str]) -> RawAlarm:
    """A row without a code goes on with the entry above it (a cell that a page break has cut)."""
    changes = {}
    for name, at in columns.items():
        more = " ".join(v for v in (_cell(row, i) for i in at) if v)
        if more and name != "code":
            changes[name] = f"{getattr(entry, name)} {more}".strip()
    return RawAlarm(**{**entry.__dict__, **changes})


def _cell(row: Sequence[str], i: int) -> str:
    return row[i].strip() if i < len(row) else ""


def from_headless(rows: Sequence[Sequence[str]], context: str) -> list[RawAlarm]:
    """Entries of rows without headings: the column whose cells are codes, each once, and the wordiest column."""
    alarming = sum(any(ALARMING.search(c) for c in row) for row in rows)
    if len(rows) < 3 or not (ALARMING.search(context) or alarming >= 0.3 * len(rows)):
        return []
    width = max(map(len, rows))
    cells = [[_cell(r, i) for r in rows] for i in range(width)]

    def code_value(column: list[str]) -> float:
        return len(set(column)) / len(column) if sum(map(is_code, column)) >= 0.9 * len(column) else 0.0

    coded = max(range(width), key=lambda i: code_value(cells[i]))
    words = [sum(len(c.split()) for c in column) * (len(set(column)) > 1) for column in cells]
    wordy = [i for i in range(width) if i != coded and words[i] >= 1.3 * len(rows)]
    worded = wordy[0] if wordy else coded  # the name of an alarm stands before its remedy
    if code_value(cells[coded]) < 0.8 or worded == coded:
        return []
    others = [i for i in range(width) if i not in (coded, worded) and words[i] >= 1.3 * len(rows)]
    return [
        RawAlarm(c, t, description=" ".join(cells[i][n] for i in others).strip())
        for n, (c, t) in enumerate(zip(cells[coded], cells[worded], strict=True)) if c and t
    ]  # fmt: skip


def from_lines(lines: Sequence[str], context: str) -> list[RawAlarm]:
    """Entries of a list such as "- 11: queue is full"; [] unless nearly all lines are so and the context says alarm.
    A line before the first entry is the list's heading."""
    while len(lines) > 3 and not _BULLET.match(lines[0]):
        context, lines = f"{context} {lines[0]}", lines[1:]
    found = [m for m in (_BULLET.match(line) for line in lines) if m]
    if len(found) < _FEWEST_BULLETS or len(found) < 0.8 * len(lines) or not ALARMING.search(context):
        return []
    if len({m.group(1) for m in found}) < 0.9 * len(found):
        return []
    entries = []
    for match in found:
        title, _, rest = match.group(2).partition(" | ")
        entries.append(RawAlarm(match.group(1).strip(), title.strip().strip("*`"), description=rest.strip()))
    return entries


_CALL = re.compile(r"\b(\w*(?:error|alarm|fault|warn)\w*)\s*\((.+)\)", re.IGNORECASE)
_CONSTANT = re.compile(
    r"^\s*(?:#define\s+|static\s+|const(?:expr)?\s+|int\s+|public\s+)*([A-Za-z_]\w{2,})\s*(?:=|\s)\s*"
    r"(-?(?:0[xX][0-9A-Fa-f]+|\d+|16#[0-9A-Fa-f]+))\s*[,;)]*\s*(?://+|/\*+|\(\*|#|;)\s*(.+?)\s*(?:\*/|\*\))?\s*$"
)


def from_source_lines(lines: Sequence[str], context: str) -> list[RawAlarm]:
    """Entries of lines a program reads: `Error(3, 0500, "cause", "Emergency stop")`, `#define E_FLOW 502 // low flow`."""
    calls = [m for m in (_CALL.search(line) for line in lines) if m]
    if len(calls) >= 3:
        rows = [[a.strip().strip("\"'") for a in re.findall(r"\"[^\"]*\"|'[^']*'|[^,]+", m.group(2))] for m in calls]
        return from_headless(rows, "error " + context)
    constants = [m for m in (_CONSTANT.match(line) for line in lines) if m]
    if len(constants) >= 3 and ALARMING.search(context + " " + " ".join(m.group(1).replace("_", " ") for m in constants)):
        return [RawAlarm(m.group(2), m.group(3), description=m.group(1)) for m in constants]
    return []


def headed(heading: str, context: str, *, labelled: bool = False) -> tuple[str, str] | None:
    """(code, title) when a heading is that of an alarm entry: "E-104 Coolant pump overload", "Alarm 502: low flow".
    A numbered chapter ("4.2 Spindle bearing") is none: without a word like "alarm" the code needs letters and digits,
    and a context that speaks of alarms or, `labelled`, a cause or remedy below."""
    match = _HEADED.match(heading)
    if not match or len(heading) > 160:
        return None
    code = match.group(1).strip()
    announced = bool(re.match(r"^(alarm|error|fault|warning|message|code)\b", heading, re.I))
    lettered = bool(re.search(r"[A-Za-z]", code) and re.search(r"\d", code)) and len(code) >= 3
    telling = labelled or bool(ALARMING.search(context)) or bool(re.match(r"[A-Za-z]+[-_. ]?\d{2,}", code) and len(code) >= 4)
    if not (announced or (lettered and telling)):
        return None
    return code, match.group(2).strip()


def labelled(lines: Sequence[str]) -> dict[str, str]:
    """Fields of lines such as "Cause: filter clogged"; a line without a label goes on with the field above it."""
    found: dict[str, str] = {}
    current = ""
    for line in lines:
        match = _LABEL.match(line)
        if match:
            current = field_of(match.group(1)) or current
            found[current] = f"{found.get(current, '')} {match.group(2)}".strip()
        elif current:
            found[current] = f"{found[current]}\n{line}".strip()
        else:
            found["description"] = f"{found.get('description', '')}\n{line}".strip()
    return found


def split_labels(text: str) -> Iterator[str]:
    """The lines of a paragraph in which labels follow one another: "Cause: a. Remedy: b." is two lines."""
    marked = re.sub(
        r"(?<=[.;!?)\w])\s+(?=(?:(?:Possible |Probable )?Causes?|Remed(?:y|ies)|Solutions?|Actions?|Corrective actions?|"
        r"Consequences?|Effects?|Meaning|Description|Explanation|Suggestions?|Severity|Countermeasures?)\s*:)",
        "\n", text,
    )  # fmt: skip
    yield from (line for line in marked.splitlines() if line.strip())
