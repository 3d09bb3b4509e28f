"""Alarm and error lists of whatever source become entries, by what their fields are called and what they hold.

Recognised are tables and records (fields or column headings), code maps, bullet lists ("- 11: queue is full"), entries
under headings of their own ("E-104 Coolant pump overload", then "Cause: ..." lines), and rows without any heading. No
file name plays a part, and a parts list ("No. | Name | Quantity") is no alarm list (`tests/test_split.py`).
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ingest.alarm_words import ALARMING, CODE, OTHER_TABLES, REMEDIAL, codes_of, field_of, is_code, labelled, plain_numbers, split_labels

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
    codes: tuple[str, ...] = ()  # every code it stands for, where these are several

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


def entry_of(code: str, title: str, values: Mapping[str, str], codes: tuple[str, ...] = ()) -> RawAlarm:
    """An entry of named fields; those that an entry does not have are left out."""
    fields = {name: values.get(name, "") for name in ("severity", "cause", "remedy", "description", "consequence", "response_time")}
    return RawAlarm(code, title, codes=codes, **fields)


@dataclass(frozen=True)
class ListHint:
    """What the hint beside a document may say of its lists: whether they are alarm lists at all (None: look), and
    which column holds which field, by heading."""

    is_list: bool | None = None
    columns: Mapping[str, str] = field(default_factory=dict)  # heading, lower case -> field

    def field_of(self, heading: str) -> str:
        return self.columns.get(heading.strip().lower(), "" if heading.strip().lower() in self.columns else field_of(heading))


_NO_HINT = ListHint()


def from_table(
    header: Sequence[str], rows: Sequence[Sequence[str]], context: str, *, bare: bool = False, hint: ListHint = _NO_HINT
) -> list[RawAlarm]:
    """The entries of a table or record list, [] when it is no alarm list. `context`: its caption, section and title.

    `bare` says that the headings are field names of a program, where "id" is as good as "alarm code".
    """
    if hint.is_list is False:
        return []
    columns = _columns(header, rows, hint)
    if "code" not in columns or not ({"title", "description", "cause", "remedy"} & columns.keys()):
        return []
    if not hint.is_list and not _is_alarm_list(header, rows, columns, context, bare):
        return []
    numbers = plain_numbers(_cell(r, columns["code"][0]) for r in rows)
    entries: list[RawAlarm] = []
    for row in rows:
        entry = _entry(columns, row, numbers)
        if entry is not None and entries and _is_same(entries[-1], entry, row, columns):
            entries[-1] = _merged(entries[-1], entry)
        elif entry is not None:
            entries.append(entry)
        elif entries and not _cell(row, columns["code"][0]):
            entries[-1] = _continued(entries[-1], columns, row)
    return entries


def _is_same(former: RawAlarm, entry: RawAlarm, row: Sequence[str], columns: Mapping[str, Sequence[int]]) -> bool:
    """Whether a row is a further one of the same entry: its code and title are those of a merged cell, or it says that
    the entry is continued."""
    going_on = bool(re.search(r"\bcont(inued|['’.]?d)?\b", _cell(row, columns["code"][0]), re.IGNORECASE))
    merged = former.title == entry.title and (former.cause, former.remedy) != (entry.cause, entry.remedy)
    return former.code == entry.code and (going_on or (merged and bool(entry.cause or entry.remedy)))


def _merged(former: RawAlarm, entry: RawAlarm) -> RawAlarm:
    changes: dict[str, str] = {}
    for name in ("cause", "remedy", "description", "consequence", "severity", "response_time"):
        old, new = getattr(former, name), getattr(entry, name)
        if new and new not in old.split("\n"):
            changes[name] = f"{old}\n{new}".strip()
    return _changed(former, changes)


def _changed(entry: RawAlarm, changes: Mapping[str, str]) -> RawAlarm:
    values: dict[str, str] = {**{name: value for name, value in entry.__dict__.items() if name != "codes"}, **changes}
    return entry_of(entry.code, values["title"], values, entry.codes)


def _columns(header: Sequence[str], rows: Sequence[Sequence[str]], hint: ListHint) -> dict[str, list[int]]:
    """Field -> its columns. The code column is the first candidate whose cells are codes, each almost once."""
    columns: dict[str, list[int]] = {}
    coded: int | None = None
    named = [hint.field_of(h) for h in header]
    candidates = [i for i, name in enumerate(named) if name in ("code", "title")]
    for i in sorted(candidates, key=lambda i: (named[i] != "code", i)):
        cells = [_cell(r, i) for r in rows if _cell(r, i)]
        numbers = plain_numbers(cells)
        fresh = 1 + sum(a != b for a, b in itertools.pairwise(cells))  # a merged cell stands in several rows
        if cells and sum(bool(codes_of(c, numbers=numbers)) for c in cells) >= 0.8 * len(cells) and len(set(cells)) >= 0.6 * fresh:
            coded = i
            break
    if coded is None:
        return {}
    columns["code"] = [coded]
    for i, heading in enumerate(header):
        name = named[i]
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


def _is_alarm_list(
    header: Sequence[str], rows: Sequence[Sequence[str]], columns: Mapping[str, Sequence[int]], context: str, bare: bool
) -> bool:
    heading, others = header[columns["code"][0]], " ".join(header)
    if ALARMING.search(re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", heading)) or {"cause", "remedy"} <= columns.keys():
        return not OTHER_TABLES.search(others)
    if ALARMING.search(context):
        return True
    if bare and {"cause", "remedy"} & columns.keys():
        return True
    lettered = sum(bool(re.match(r"[A-Za-z]", _cell(r, columns["code"][0]))) for r in rows) >= 0.8 * len(rows)
    return lettered and "remedy" in columns and bool(REMEDIAL.search(others)) and not OTHER_TABLES.search(others)


def _entry(columns: Mapping[str, Sequence[int]], row: Sequence[str], numbers: bool = False) -> RawAlarm | None:
    codes = codes_of(_cell(row, columns["code"][0]), numbers=numbers)
    if not codes:
        return None
    code = codes[0] if len(codes) == 1 else " ".join(_cell(row, columns["code"][0]).strip("`*#").split())
    values = {name: "\n".join(v for v in (_cell(row, i) for i in at) if v) for name, at in columns.items() if name != "code"}
    if not any(values.values()):
        return None
    title = values.pop("title", "") or values.get("description", "") or values.get("cause", "")
    return entry_of(code, " ".join(title.split()), values, codes if len(codes) > 1 else ())


def _continued(entry: RawAlarm, columns: Mapping[str, Sequence[int]], row: Sequence[str]) -> RawAlarm:
    """A row without a code goes on with the entry above it (a cell that a page break has cut)."""
    changes: dict[str, str] = {}
    for name, at in columns.items():
        more = " ".join(v for v in (_cell(row, i) for i in at) if v)
        if more and name != "code":
            changes[name] = f"{getattr(entry, name)} {more}".strip()
    return _changed(entry, changes)


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
    first = next((i for i, line in enumerate(lines) if len(lines) - i <= 3 or _BULLET.match(line)), 0)
    context, lines = " ".join([context, *lines[:first]]), lines[first:]
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


def is_header(row: Sequence[str]) -> bool:
    """Whether the first row of a table names the fields of an alarm list: a code and one more, and no figure."""
    names = [field_of(c) for c in row if c]
    return len(names) >= 2 and all(names) and "code" in names and not any(c.isdigit() for cell in row for c in cell)


def from_card(pairs: Sequence[tuple[str, str]], context: str) -> list[RawAlarm]:
    """Entries that have a small table or a list of "name: value" lines of their own: "Alarm: 502", "Cause: ..."."""
    entries: list[dict[str, str]] = []
    for name, value in pairs:
        known = field_of(name) if value or entries else ""
        codes = codes_of(value) if known == "code" else ()
        if codes and ALARMING.search(f"{name} {context}"):
            entries.append({"code": value.strip().strip("`*#"), **({"codes": "\n".join(codes)} if len(codes) > 1 else {})})
        elif entries and known:
            known = "title" if known == "code" else known
            entries[-1][known] = f"{entries[-1].get(known, '')}\n{value}".strip()
        elif entries and not name:
            continue
    found = []
    for values in entries:
        codes = tuple(values.pop("codes", "").split("\n")) if "codes" in values else ()
        title = " ".join(values.pop("title", "").split()) or values.get("description", "") or values.get("cause", "")
        if title and values.keys() & {"cause", "remedy", "description", "consequence"}:
            found.append(entry_of(values["code"], title, values, codes))
    return found if len(found) == len(entries) else []


_RUN_IN = re.compile(
    rf"^\W{{0,4}}(?:(?P<word>alarm|error|fault|warning|message|fehler|störung)s?\.?\s+(?:no\.?|nr\.?|code|number)?\s*)?(?P<code>{CODE.pattern})"
    r"\**\s*(?:[-–—:.]\s+|\s)\**(?P<title>[^\W\d_][^:.\n]{1,90}?)\**(?:\s*[:.]\**\s+|\s+[–—-]\s+|\s*$)(?P<rest>.*)$",
    re.IGNORECASE | re.DOTALL,
)
_SENTENCE = re.compile(r"\b(is|are|was|were|must|may|can|has|have|will|shows?|appears?|occurs?|means|ist|wird|muss)\b", re.IGNORECASE)


def from_run_in(texts: Sequence[str], context: str) -> list[RawAlarm]:
    """Entries of paragraphs that begin with code and title, "E-217 Servo overload: the motor draws too much."; a
    paragraph without one goes on with the entry above. [] unless there are several and the context says alarm."""
    if not ALARMING.search(context):
        return []
    entries: list[tuple[str, str, list[str]]] = []
    for text in texts:
        match = _RUN_IN.match(text)
        code = match.group("code").strip() if match else ""
        named = match is not None and (match.group("word") or (re.search(r"[A-Za-z]", code) and re.search(r"\d", code)))
        if match is not None and named and len(match.group("title").split()) <= 12 and not _SENTENCE.search(match.group("title")):
            entries.append((code, match.group("title").strip(), [match.group("rest")]))
        elif entries:
            entries[-1][2].append(text)
        else:
            return []
    if len(entries) < _FEWEST_BULLETS or len(entries) < 0.5 * len(texts) or len({c for c, _, _ in entries}) < len(entries):
        return []
    found = []
    for code, title, rest in entries:
        values = labelled(line for text in rest for line in split_labels(text))
        found.append(entry_of(code, title, values))
    return found


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


def may_begin(text: str) -> bool:
    """Whether a list of alarms may begin with this paragraph, whatever follows it; what costs little to tell."""
    if _RUN_IN.match(text):
        return True
    for line in text.splitlines():
        name, colon, value = line.lstrip("-*• ").partition(":")
        if _BULLET.match(line) or _CALL.search(line) or _CONSTANT.match(line) or (colon and value and field_of(name) == "code"):
            return True
    return False


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
