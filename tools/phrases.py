"""How filters, periods and counts are said in a sentence: `on Line 3 in the night shift`, `over the last two weeks`,
`overdue production orders`, `lots on hold`. tests/test_phrases.py reads them.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from tools.conditions import Condition
from tools.plant_model import Plant

_ORDER = ("type", "equipment_class", "equipment", "line", "area", "site", "shift", "product", "variant", "order", "lot", "serial")
_BEFORE = {
    "site": "in", "area": "in", "line": "on", "equipment": "on", "equipment_class": "on", "shift": "in the", "product": "for",
    "variant": "for", "customer": "for", "supplier": "from", "operator": "by", "role": "of role", "order": "of order", "lot": "of lot",
    "serial": "of serial number", "reason": "with the reason", "defect": "with the defect", "alarm": "with alarm", "part": "for part",
    "certification": "for", "type": "of type", "id": "numbered", "status": "with status",
}  # fmt: skip
_CALLED = ("part", "product", "equipment", "certification")
_PLACED = ("site", "area", "line", "equipment", "equipment_class")
_RANKED = ("priority", "severity")
_AFTER = {"duration_min": ("lasting {} min or more", "lasting {} min or less"), "age_days": ("at least {} days old", "at most {} days old"),
          "quantity": ("with a quantity of {} or more", "with a quantity of {} or less")}  # fmt: skip
#: Statuses that stand before the noun; the others follow it (`lots on hold`).
_LEADING = re.compile(r"^(?!(?:awaiting|waiting|due|effectiveness|in|on|below|out|not|up|past|down)\b)[a-z]+$")


def where_said(plant: Plant, filters: Sequence[Condition], of: bool = False, own: Collection[str] = ()) -> str:
    """The filters as a phrase that follows a noun: `on Line 3 in the night shift, not for Valve body XYZ`; with `of` a
    place is whose figure it is (`of Line 3`); `own` keys name the record itself (`spare part called FLT-2210`). Statuses
    are said by `what_said`."""
    said = []
    for c in sorted(filters, key=lambda c: _ORDER.index(c.key) if c.key in _ORDER else len(_ORDER)):
        if c.key == "status":
            continue
        lead = "of" if of and c.key in _PLACED else _BEFORE.get(c.key, f"with {c.key.replace('_', ' ')}")
        if c.key in own:
            lead = "called" if c.key in _CALLED else "numbered"
        if c.include:
            names = _names(plant, c.key, c.include)
            said.append(f"of {names} {c.key}" if c.key in _RANKED else f"{lead} {names}")
        if c.exclude:
            said.append(f"not {lead} {_names(plant, c.key, c.exclude)}")
        low, high = _AFTER.get(c.key, (f"with {c.key.replace('_', ' ')} {{}} or more", f"with {c.key.replace('_', ' ')} {{}} or less"))
        said += [text.format(f"{bound:g}") for text, bound in ((low, c.low), (high, c.high)) if bound is not None]
    return " ".join(said).replace(" not ", ", not ")


def _names(plant: Plant, key: str, values: Sequence[str]) -> str:
    shown = [plant.name(key, plant.vocabulary(key).get(value.lower(), value)) for value in values]
    if key in ("type", "equipment_class", *_RANKED, "defect", "reason"):
        shown = [name.replace("_", " ") for name in shown]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} or {shown[-1]}"


def what_said(noun: str, filters: Sequence[Condition]) -> str:
    """Records with their status: `overdue production orders`, `lots on hold`, `orders that are not closed`."""
    before, after = "", ""
    for c in filters:
        if c.key == "status":
            words = " or ".join(value.replace("_", " ") for value in c.include)
            if words and all(_LEADING.match(word) for word in words.split(" or ")):
                before += f"{words} "
            elif words:
                after += f" {words}"
            if c.exclude:
                after += f" that are not {' or '.join(value.replace('_', ' ') for value in c.exclude)}"
    return f"{before}{noun}{after}"


def metrics_named(plant: Plant, text: str) -> tuple[str, ...]:
    """Metrics whose name or alias of two words or more stands in a text, in the order said; the longest name wins where
    two overlap (`alarm flood share` before `alarm flood`). For the plant's own metrics, which no training knows."""
    names = sorted((name for name in plant.vocabulary("metric") if " " in name), key=len, reverse=True)
    plain, found = " ".join(re.findall(r"[\w%]+", text.lower())), {}
    for name in names:
        pattern = r"\b" + r" ".join(re.escape(word) for word in re.findall(r"[\w%]+", name)) + r"s?\b"
        for match in re.finditer(pattern, plain):
            found[match.start()] = plant.vocabulary("metric")[name]
            plain = plain[: match.start()] + "_" * (match.end() - match.start()) + plain[match.end() :]
    return tuple(dict.fromkeys(found[place] for place in sorted(found)))


_PLURAL = r"(?:minutes|hours|days|weeks|months|quarters|years|shifts)"
_MONTHS = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
_LONG = re.compile(
    rf"^(?:the )?(?:(?:last|past|previous|next|first) .*\b(?:{_PLURAL}|fortnight)|past \w+$|\d+ {_PLURAL}|all )", re.IGNORECASE
)
_READY = re.compile(
    r"^(?:today|yesterday|tonight|tomorrow|now|overnight|so far|since|from|between|after|before|until|up to|during|on|in|at|over|within|this|"
    r"last|previous|next|the other|all|ever|earlier|for|to date|currently|right now|just now)\b",
    re.IGNORECASE,
)
_DAY = re.compile(
    rf"^(?:(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?\b|\d{{1,2}}(?:st|nd|rd|th)?\.? (?:of )?{_MONTHS}|{_MONTHS} \d{{1,2}}(?:\D|$)|\d{{4}}-\d{{2}}-\d{{2}}$|"
    r"\d{1,2}[./]\d{1,2}[./]?\d{0,4}$|the \d{1,2}(?:st|nd|rd|th)\b|the day\b)",
    re.IGNORECASE,
)
_RANGE = re.compile(r"\s(?:to|until|till|through)\s|\s?[–—]\s?|\d\s-\s\d")


def during(text: str) -> str:
    """What stands before a period in a sentence: `over the ` last two weeks, `on ` Sunday, `in ` May, nothing before
    yesterday."""
    plain = text.strip().lower()
    if _RANGE.search(plain) and not re.match(r"(?:from|between|since)\b", plain):
        return "from "
    if _LONG.match(plain):
        return "over " if plain.startswith(("the ", "all ")) or plain[0].isdigit() else "over the "
    if _READY.match(plain):
        return ""
    if _DAY.match(plain):
        return "on "
    return "in the " if plain.split()[-1] == "shift" and not plain.startswith("the ") else "in "


def verb(label: str, running: bool) -> str:
    """`was`, `were`, `is`, `are` for a figure's label: `Good parts were`, `OEE of this week is`."""
    head = re.split(r"\b(?:per|of|for|to|against|in|between)\b", label)[0].split("(")[0].strip().split()
    many = bool(head) and any(word.endswith("s") and not word.endswith(("ss", "us", "is")) for word in head) and head[0] != "Most"
    return ("are" if many else "is") if running else ("were" if many else "was")
