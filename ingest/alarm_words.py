"""What alarm lists are made of: how codes look, singly, in lists and in ranges, and what the fields of an entry are called.

Words are those of English, German, French, Spanish and Italian lists (`tests/test_split.py`, `tests/test_alarm_layouts.py`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

CODE = re.compile(
    r"(?:(?:[A-Z]{1,6}|Alarm|Error|Fault|Code) |[A-Za-z]{1,10}(?:[-_./][A-Za-z]{1,10}){0,2}[-_./]?)?-?\d[0-9A-Fa-f]{0,7}[A-Za-z]{0,2}(?:[-_./:][A-Za-z0-9]{1,6}){0,3}"
    r"|-\d{1,7}|0[xX][0-9A-Fa-f]{1,8}|\d+#[0-9A-Fa-f]+|[0-9A-F]{2,8}h?|[A-Z]{1,4}[-.][A-Z0-9]{1,6}"
)
ALARMING = re.compile(
    r"\b(alarms?|errors?|faults?|warn(?:ing)?s?|codes?|messages?|diagnostics?|trouble\w*|malfunctions?|failures?|"
    r"exceptions?|trips?|alerts?|err|events?|st[öo]rung(?:en|s\w*)?|\w*fehler\w*|meldung(?:en)?|warnung(?:en)?|"
    r"alarme[ns]?|alarmas?|allarm[ei]|d[ée]fauts?|erreurs?|pannes?|aver[ií]as?|fallos?|errores|guast[oi]|anomali[ae]s?)\b|"
    r"(?:error|alarm|fault|warning|err)(?:code|list|s|no|id)?\b",
    re.IGNORECASE,
)
# In this order: a heading goes to the first field whose pattern it matches.
_FIELDS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (name, re.compile(pattern, re.IGNORECASE))
    for name, pattern in (
        ("response_time", r"\b(time to (respond|act|react)|response time|respond within|reaction time|reaktionszeit)\b"),
        ("cause",
         r"\b(causes?|reasons?|root causes?|why|origin|trigger(ed by)?|condition|(\w*\W)?ursachen?|grund|causas?|causa)\b"),
        ("remedy",
         r"\b(remed(y|ies)|solutions?|actions?|counter ?measures?|measures?|corrections?|corrective|what to do|fix(es)?|"
         r"recovery|recover|resolutions?|resolve|repair|troubleshooting|elimination|rectification|advice|"
         r"recommend\w*|suggest\w*|instructions?|treatment|handling|clear(ing)?( method)?|reset|help|how to|"
         r"(\w+)?abhilfe\w*|(\w+)?behebung|(\w+)?ma(ß|ss)nahmen?|beseitigung|rem[èe]des?|mesures?|soluci[óo]n(es)?|remedios?|rimed[io]+|soluzion[ei])\b"),
        ("consequence",
         r"\b(consequences?|effects?|reactions?|response|impacts?|machine (state|status)|stop type|auswirkung(en)?|folgen?|reaktion(en)?)\b"),
        ("code",
         r"^(#|nr|no|num|id|ident|code|number|key|alarm|error|fault|warning|err|event|msg|message|fehler|st[öo]rung|meldung|d[ée]faut)$|"
         r"\b(code|codes|errno|err ?no|alarm ?(id|no|nr|number|num)|error ?(id|no|nr|number|num)|"
         r"fault ?(id|no|nr|number)|warning ?(id|no|nr|number)|event ?(id|no|number)|message ?(id|no|number)|msg ?id|"
         r"(alarm|error|fault|warning) ?#|diag ?(no|id)|\w*(fehler|st[öo]r(ungs)?|meldungs?|alarm) ?(nummer|nr|code|kennung)|"
         r"c[óo]digo|codice|num[ée]ro)\b"),
        ("severity", r"\b(severity|level|priority|prio|class|category|type|rank|grade|kind|schwere(grad)?|priorit[äa]t|klasse|gravit[ée])\b"),
        ("title",
         r"\b(title|names?|messages?|text|display(ed)?|summary|detail|short|alarms?|errors?|faults?|warnings?|headline|"
         r"label|symbol|designation|problems?|symptoms?|phenomen\w+|indication|\w*meldung(stext)?|\w*text|anzeige|st[öo]rung|"
         r"fehler|bezeichnung|d[ée]faut|libell[ée]|mensaje|fallo|aver[ií]a|messaggio|guasto)\b"),
        ("description",
         r"\b(descriptions?|desc|meanings?|means|explanations?|details?|comments?|remarks?|info\w*|notes?|beschreibung|"
         r"bedeutung|erl[äa]uterung|bemerkung|descripci[óo]n|descrizione|significat\w*|signification)\b"),
    )
)  # fmt: skip
_LABEL_WORDS = (
    r"description|meaning|explanation|(?:possible |probable |likely )?causes?|reasons?|remed(?:y|ies)|solutions?|"
    r"(?:corrective |operator |recommended )?actions?|counter ?measures?|what to do|consequences?|effects?|reactions?|"
    r"severity|priority|level|class|response time|time to respond|recovery|resolution|troubleshooting|suggestions?|"
    r"recommendations?|what it means|details?|instructions?|(?:mögliche )?ursachen?|abhilfe|behebung|ma(?:ß|ss)nahmen?|"
    r"auswirkung|folge|beschreibung|bedeutung|priorität|rem[èe]de|solución|rimedio|soluzione|causas?"
)
LABEL = re.compile(rf"^\W{{0,3}}({_LABEL_WORDS})\s*\**\s*[:：–-]\s*(.*)$", re.IGNORECASE)
_LABEL_WITHIN = re.compile(
    r"(?<=[.;!?)\w])\s+(?=(?:(?:Possible |Probable |Mögliche )?(?:Causes?|Ursachen?)|Remed(?:y|ies)|Solutions?|Actions?|Corrective actions?|"
    r"Consequences?|Effects?|Meaning|Description|Explanation|Suggestions?|Severity|Countermeasures?|What to do|"
    r"Abhilfe|Behebung|Maßnahmen?|Auswirkung|Bedeutung|Beschreibung)\s*:)"
)
#: Headings that tables of parts, tasks and settings have, and lists of alarms do not.
OTHER_TABLES = re.compile(
    r"\b(quantity|qty|price|supplier|stock|part (no|number)|order (no|number)|interval|frequency|due|menge|artikel\w*|bestell\w*|"
    r"default|range|min\.?|max\.?|baud\w*|pin|terminal|signal|torque)\b",
    re.IGNORECASE,
)
#: What a remedy is called where nothing else is: an "action" may be that of a plan.
REMEDIAL = re.compile(
    r"remed|solution|corrective|what to do|countermeasure|abhilfe|behebung|beseitigung|rem[èe]de|soluci|rimedi|soluzion|recovery|troubleshoot",
    re.IGNORECASE,
)
_MOST_OF_A_RANGE = 200
_LONGEST_HEADING = 160


def is_code(text: str) -> bool:
    """Whether a cell holds nothing but a code: `502`, `AL-1043`, `0x8001`, `-12`, `E.OC1`; not a sentence or a date."""
    stripped = text.strip().strip("`*#")
    return bool(CODE.fullmatch(stripped)) and len(stripped) <= 24 and not re.fullmatch(r"\d{4}-\d{2}-\d{2}.*", stripped)


_PART = re.compile(r"\s*(?:[,;&+\n]|\band\b|\bund\b|\bor\b|\boder\b|\bet\b|\by\b)\s*", re.IGNORECASE)
_WITH_NUMBER = re.compile(r"(0[xX])([0-9A-Fa-f]+)|(.*?)(\d+)")
_BETWEEN = re.compile(r"^(.+?)\s*(?:(-)|–|—|…|\.\.\.?|\b(?:to|through|bis|thru|until)\b)\s*(.+)$", re.IGNORECASE)


def codes_of(cell: str, *, numbers: bool = False) -> tuple[str, ...]:
    """The codes of a cell, () when it holds anything else: `31, 32` and `33/34` are two, `E10-E14` and `700 to 702` all
    from the first to the last. `numbers`: the other codes of the list are plain numbers, so that `500-504` is a range."""
    stripped = re.sub(r"\s*\(?\b(?:cont(?:inued|['’.]?d)?\.?)\)?\s*$", "", cell.strip().strip("`*#").strip(), flags=re.IGNORECASE)
    if not stripped or len(stripped) > 120:
        return ()
    found: list[str] = []
    for part in _PART.split(stripped):
        codes = _range(part, numbers) or ((part,) if is_code(part) else _slashed(part))
        if not codes:
            return ()
        if found and codes[0].isdigit() and (match := re.fullmatch(r"(.*?\D)\d+", found[0])) and not found[0].startswith("-"):
            codes = tuple(match.group(1) + code for code in codes)  # "E10, 11" goes on with the letters of the first
        found += codes
    slashed = _slashed(stripped) if len(found) == 1 and "/" in stripped else ()
    return tuple(dict.fromkeys(slashed or found))


def _slashed(part: str) -> tuple[str, ...]:
    """`33/34` and `E10/11`, where both are of one shape; `7/12` is a code of its own."""
    pieces = [p.strip() for p in part.split("/")]
    if len(pieces) < 2 or not all(map(is_code, pieces)):
        return ()
    head = re.fullmatch(r"(.*?)(\d+)", pieces[0])
    if head is None:
        return ()
    full = [p if not p.isdigit() else head.group(1) + p for p in pieces]
    alike = all(len(p) == len(full[0]) and p.startswith(head.group(1)) for p in full)
    return tuple(full) if alike and len(head.group(2)) > 1 else ()


def _range(part: str, numbers: bool) -> tuple[str, ...]:
    match = _BETWEEN.match(part)
    if match is None:
        return ()
    first, last = match.group(1).strip(), match.group(3).strip()
    a, b = _WITH_NUMBER.fullmatch(first), _WITH_NUMBER.fullmatch(last)
    if a is None or b is None or not is_code(first):
        return ()
    letters, base = a.group(1) or a.group(3), 16 if a.group(1) else 10
    again = b.group(1) or b.group(3)
    hyphen = match.group(2) is not None
    if (again and again.lower() != letters.lower()) or (base == 16 and not b.group(1)):
        return ()
    if hyphen and not (again or (numbers and len(first) == len(last) >= 2)):
        return ()  # "7-12" and "E-104" are codes with a hyphen in them
    low, high, wide = int(a.group(2) or a.group(4), base), int(b.group(2) or b.group(4), base), len(a.group(2) or a.group(4))
    if not low < high <= low + _MOST_OF_A_RANGE:
        return ()
    shape = f"0{wide}{'X' if base == 16 else 'd'}"
    return tuple(f"{letters}{n:{shape}}" for n in range(low, high + 1))


def plain_numbers(cells: Iterable[str]) -> bool:
    """Whether most codes of a column are numbers without letters."""
    known = [c for c in cells if c]
    return bool(known) and sum(c.isdigit() for c in known) >= 0.4 * len(known)


def field_of(heading: str) -> str:
    """Which field of an entry a column heading names, "" for none: "Possible causes" is `cause`."""
    if len(heading) > _LONGEST_HEADING:
        return ""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", heading)
    plain = re.sub(r"[_\-./:()]+", " ", spaced).strip()
    return next((name for name, pattern in _FIELDS if pattern.search(plain)), "")


def labelled(lines: Iterable[str]) -> dict[str, str]:
    """Fields of lines such as "Cause: filter clogged"; a line without a label goes on with the field above it."""
    found: dict[str, str] = {}
    current = ""
    for line in lines:
        match = LABEL.match(line)
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
    yield from (line for line in _LABEL_WITHIN.sub("\n", text).splitlines() if line.strip())
