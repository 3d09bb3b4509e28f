"""The step tree of a procedure: what every reader must do, the limits and warnings in it, and what may be folded away.

A source's step keeps its words. Its sentences are essential unless they plainly only explain; an expected result and a
warning are always essential. Views for novices and experts are projections of one approved tree: they differ in what is
unfolded, never in essentials, limits or warnings, which tests/test_steps.py holds over every procedure of the demo
plant. What a text limits becomes a checkpoint that a guided run can hold a reading against.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Step = dict[str, Any]
SKILLS = ("novice", "experienced", "expert")

_WARNING = re.compile(r"^(?:WARNING|DANGER|CAUTION|ACHTUNG|WARNUNG|GEFAHR|VORSICHT)\b[:!.\s-]*", re.IGNORECASE)
_NUMBER = re.compile(r"^\s*\(?\d{1,3}[.)]\s+")
_EXPECTED = re.compile(r"\s*\b(?:Expected result|Expected|Result|Acceptance(?: criterion)?|Erwartetes Ergebnis)\s*:\s*", re.IGNORECASE)
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-ZÄÖÜ\"“(])")
_EXPLAINS = re.compile(
    r"^(?:This|That|These|Those|It|They|Note that|For example|Usually|Normally|Typically|In about|The reason)\b|"
    r"\b(?:because|so that|in order to|the reason is)\b",
    re.IGNORECASE,
)
_BINDS = re.compile(
    r"\b(?:must|never|do not|don't|shall|only|stop|check|verify|make sure|ensure|wear|lock|not|warning|danger|caution|inform|call)\b",
    re.IGNORECASE,
)

# -- limits

_UNITS = (
    "N m", "N·m", "Nm", "kN", "N", "mm/s²", "m/s²", "mm/s", "m/s", "mm/min", "m/min", "mm²", "cm²", "m²", "m³/h", "m³", "mm", "µm", "μm", "cm", "km", "l/min",
    "l/h", "ml", "mbar", "bar", "kPa", "MPa", "hPa", "Pa", "psi", "°C", "°F", "°", "K", "kHz", "MHz", "Hz", "rpm", "kW", "W", "mV", "kV",
    "V", "mA", "µA", "A", "ms", "min", "minutes", "seconds", "s", "hours", "h", "days", "%", "mg", "kg", "g", "t", "ppm", "dB", "kJ", "J", "kΩ", "MΩ", "Ω",
    "pieces", "pcs", "parts", "turns", "l", "m", "lux", "lx",
)  # fmt: skip
_NUM = r"[−–-]?\d+(?:[.,]\d+)?"
_UNIT = r"(?:" + "|".join(re.escape(unit) for unit in _UNITS) + r")(?![A-Za-zµ²³])"
_MEASURE = re.compile(
    rf"(?P<words>not more than|no more than|not above|not over|at most|not exceeding|maximum of|maximum|max\.?|below|less than|under|up to|within|≤|<|"
    rf"not less than|no less than|not below|not under|not earlier than|at least|minimum of|minimum|min\.|above|more than|≥|>|(?P<between>between)|from)?\s*"
    rf"(?P<a>(?<![\w.,-]){_NUM})(?:\s*(?P<unit_a>{_UNIT}))?"
    rf"(?:\s*(?P<join>to|(?(between)and|(?!))|–|-|\.\.\.|±)\s*(?P<b>{_NUM}))?(?:\s*(?P<unit>{_UNIT}))?"
    rf"(?:\s+(?P<after>or more|or less|or above|or below|max\.?|maximum|min\.?|minimum)\b)?",
    re.IGNORECASE,
)
_MOST = ("not more than", "no more than", "not above", "not over", "at most", "not exceeding", "maximum of", "maximum", "max", "up to", "within", "≤")
_LEAST = ("not less than", "no less than", "not below", "not under", "not earlier than", "at least", "minimum of", "minimum", "min", "≥")
_BELOW = ("below", "less than", "under", "<")
_ABOVE = ("above", "more than", ">")  # not "over", which more often spans: "deviation over 400 mm"


@dataclass(frozen=True)
class Limit:
    """A measured value that a text bounds. `low`, `high`: None where it has no such bound; `strict` bounds are excluded."""

    text: str
    unit: str
    low: float | None = None
    high: float | None = None
    strict: bool = False

    def holds(self, value: float) -> bool:
        if self.low is not None and (value < self.low or (self.strict and value == self.low)):
            return False
        return self.high is None or not (value > self.high or (self.strict and value == self.high))

    def said(self) -> str:
        return self.text


def limits_in(text: str) -> list[Limit]:
    """Every number with a unit in a text, with the bounds that its words give it (none for a nominal value)."""
    found = []
    for match in _MEASURE.finditer(text):
        unit = match["unit"] or (match["unit_a"] if not match["join"] else None)
        if unit is None and match["unit_a"]:
            found.append(Limit(f"{match['words'] or ''} {match['a']} {match['unit_a']}".strip(), match["unit_a"], *_bounds(match["words"], _value(match["a"]), None)))
            continue
        if unit is None:
            continue
        low, high = _pair(match) if match["b"] else (None, None)
        strict = False
        if low is None and high is None:
            words = (match["words"] or match["after"] or "").lower()
            low, high = _bounds(words, _value(match["a"]), match["after"])
            strict = words in (*_BELOW, *_ABOVE)
        found.append(Limit(" ".join(match.group().split()).strip(" ,;"), unit, low, high, strict))
    return found


def _value(text: str) -> float:
    return float(text.replace("−", "-").replace("–", "-").replace(",", "."))


def _pair(match: re.Match[str]) -> tuple[float | None, float | None]:
    a, b = _value(match["a"]), _value(match["b"])
    if match["join"] == "±":
        return a - b, a + b
    return min(a, b), max(a, b)


def _bounds(words: str | None, value: float, after: str | None) -> tuple[float | None, float | None]:
    said = (words or "").lower().rstrip(".")
    tail = (after or "").lower().rstrip(".")
    if said in _MOST or said in _BELOW or tail in ("or less", "or below", "max", "maximum"):
        return None, value
    if said in _LEAST or said in _ABOVE or tail in ("or more", "or above", "min", "minimum"):
        return value, None
    return None, None


# -- the tree


def tree_of(steps: Sequence[str]) -> list[Step]:
    """The steps of a source, verbatim, as `{n, text, warning, expected, limits, details, reasons, checkpoint}`; a warning
    belongs to the step that it stands before, and the last step takes what stands after it. Nothing is lost."""
    tree: list[Step] = []
    pending: list[str] = []
    for raw in steps:
        text = raw.strip()
        if not text:
            continue
        if _WARNING.match(text):
            pending.append(text)
            continue
        tree.append(_step(len(tree) + 1, _NUMBER.sub("", text), pending))
        pending = []
    if pending and tree:
        tree[-1]["warning"] = " ".join([tree[-1]["warning"], *pending]).strip()
    elif pending:
        tree.append(_step(1, " ".join(pending), pending))
    return tree


def _step(number: int, text: str, warnings: Sequence[str]) -> Step:
    parts = _EXPECTED.split(text, maxsplit=1)
    action, expected = parts[0].strip(), parts[1].strip() if len(parts) > 1 else ""
    essential: list[str] = []
    reasons: list[str] = []
    for place, sentence in enumerate(_SENTENCE.split(action)):
        explains = place > 0 and _EXPLAINS.search(sentence) and not _BINDS.search(sentence) and not limits_in(sentence)
        (reasons if explains else essential).append(sentence)
    step: Step = {
        "n": number, "text": " ".join(essential), "warning": " ".join(warnings), "expected": expected,
        "limits": [limit.text for part in (action, expected) for limit in limits_in(part)], "details": [], "reasons": reasons,
    }  # fmt: skip
    step["checkpoint"] = checkpoint_of(step)
    return step


_SECOND = re.compile(r"\b(?:second person|two persons|two people|another person|four[- ]eyes|witness(?:ed)?|countersign\w*|signed by a second)\b", re.IGNORECASE)
_PHOTO = re.compile(r"\b(?:take a (?:photo|picture)|photograph|photo of)\b", re.IGNORECASE)
_PIECES = re.compile(r";\s+|,\s+(?:and\s+)?")


def checkpoint_of(step: Mapping[str, Any]) -> dict[str, Any]:
    """What has to be given before a guided run goes on: `{kind: confirm}`, or `{kind: checklist, items}`, with
    `readings` [{label, unit, low, high, strict, text}], `photo` and `second_person` where the text asks for them."""
    words = f"{step['text']} {step['expected']}"
    bounded = _readings(step["expected"])
    found: dict[str, Any] = {"kind": "confirm"}
    if bounded:
        found["kind"] = "reading"
        found["readings"] = [
            {"label": _label(step["expected"], limit), "unit": limit.unit, "low": limit.low, "high": limit.high,
             "strict": limit.strict, "text": limit.text}
            for limit in bounded
        ]  # fmt: skip
    else:
        pieces = [piece.strip(" .") for piece in _PIECES.split(step["expected"]) if piece.strip(" .")]
        if len(pieces) > 2 and all(len(piece.split()) < 9 for piece in pieces):
            found |= {"kind": "checklist", "items": pieces}
    if _PHOTO.search(words):
        found["photo"] = True
    if _SECOND.search(words):
        found["second_person"] = True
    return found


def _readings(expected: str) -> list[Limit]:
    """The bounded values of an expected result; none where they cannot all hold, because it then tells cases apart
    ("below 2.0 it is released; above 2.8 plan a change") and a person decides which it is."""
    bounded = [limit for limit in limits_in(expected) if limit.low is not None or limit.high is not None]
    for limit in bounded:
        for other in bounded:
            if limit.unit == other.unit and limit.low is not None and other.high is not None and limit.low > other.high:
                return []
    return bounded


def _label(expected: str, limit: Limit) -> str:
    """The words that stand before a limited value: what is read."""
    before = expected[: expected.find(limit.text)] if limit.text in expected else ""
    words = re.split(r"[;,.]\s", before)[-1].strip(" :")
    return " ".join(re.sub(r"\b(?:is|are|shows?|about|stays?|falls?|by)\b\s*$", "", words).split()[-7:]) or "Reading"


# -- views


def view(tree: Sequence[Step], skill: str) -> list[Step]:
    """The tree as a reader of this skill sees it: a novice with details and reasons unfolded, an expert with both folded,
    anybody else with details unfolded and reasons folded. `folded` counts the lines that are not shown."""
    shown = []
    for step in tree:
        details, reasons = list(step["details"]), list(step["reasons"])
        folded = 0
        if skill == "expert":
            folded, details, reasons = len(details) + len(reasons), [], []
        elif skill != "novice":
            folded, reasons = len(reasons), []
        shown.append({**step, "details": details, "reasons": reasons, "folded": folded})
    return shown


def essentials(tree: Sequence[Step]) -> list[tuple[str, str, str, tuple[str, ...]]]:
    """What must be the same in every view: text, warning, expected result and limits of each step, in order."""
    return [(step["text"], step["warning"], step["expected"], tuple(step["limits"])) for step in tree]
