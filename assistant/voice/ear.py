"""An answer for the ear: one or two sentences in which numbers, units, codes and times are read as people say them, and
"more on the screen" when the screen shows more.

Writing for the eye ("CNC-02: 87.3 % [E1]") is turned into words that any voice reads alike, so that a code is spelled
and not pronounced. Nothing is added to or taken from what was checked: only its spelling changes.
tests/test_voice_speaker.py.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

SENTENCES = 2
MORE = "More on the screen."
#: Longest text that is read out, characters: about twenty seconds.
_LONGEST = 320

#: Units after a number, and how they are said (one, several).
UNITS: Mapping[str, tuple[str, str]] = {
    "%": ("per cent", "per cent"), "°C": ("degree Celsius", "degrees Celsius"), "°F": ("degree Fahrenheit", "degrees Fahrenheit"),
    "K": ("kelvin", "kelvin"), "°": ("degree", "degrees"), "mm": ("millimetre", "millimetres"), "cm": ("centimetre", "centimetres"),
    "m": ("metre", "metres"), "km": ("kilometre", "kilometres"), "µm": ("micrometre", "micrometres"), "μm": ("micrometre", "micrometres"),
    "mm/s": ("millimetre per second", "millimetres per second"), "m/s": ("metre per second", "metres per second"),
    "m/min": ("metre per minute", "metres per minute"), "kg": ("kilogram", "kilograms"), "g": ("gram", "grams"), "t": ("tonne", "tonnes"),
    "l": ("litre", "litres"), "L": ("litre", "litres"), "ml": ("millilitre", "millilitres"), "l/min": ("litre per minute", "litres per minute"),
    "bar": ("bar", "bar"), "mbar": ("millibar", "millibar"), "Pa": ("pascal", "pascals"), "kPa": ("kilopascal", "kilopascals"),
    "MPa": ("megapascal", "megapascals"), "V": ("volt", "volts"), "A": ("ampere", "amperes"), "mA": ("milliampere", "milliamperes"),
    "W": ("watt", "watts"), "kW": ("kilowatt", "kilowatts"), "kWh": ("kilowatt hour", "kilowatt hours"), "MWh": ("megawatt hour", "megawatt hours"),
    "Hz": ("hertz", "hertz"), "kHz": ("kilohertz", "kilohertz"), "N": ("newton", "newtons"), "kN": ("kilonewton", "kilonewtons"),
    "N m": ("newton metre", "newton metres"), "Nm": ("newton metre", "newton metres"), "rpm": ("revolution per minute", "revolutions per minute"),
    "1/min": ("revolution per minute", "revolutions per minute"), "s": ("second", "seconds"), "ms": ("millisecond", "milliseconds"),
    "min": ("minute", "minutes"), "h": ("hour", "hours"), "d": ("day", "days"), "pcs": ("piece", "pieces"), "EUR": ("euro", "euros"),
    "€": ("euro", "euros"), "dB": ("decibel", "decibels"), "kWh/part": ("kilowatt hour per part", "kilowatt hours per part"),
}  # fmt: skip
_BY_LENGTH = sorted(UNITS, key=len, reverse=True)
_NUMBER = r"[+\-−–]?\d{1,3}(?:,\d{3})+(?:\.\d+)?|[+\-−–]?\d+(?:\.\d+)?"
_AMOUNT = re.compile(rf"(?<![\w.])({_NUMBER})(\s?)({'|'.join(re.escape(unit) for unit in _BY_LENGTH)})(?![\w/°])")
#: A code: capitals and digits, joined by hyphens, slashes or full stops ("CNC-02", "MO-10467", "NCR-2026-014", "P3").
_CODE = re.compile(r"(?<![\w-])(?=[A-Z0-9./-]*\d)(?=[A-Z0-9./-]*[A-Z])[A-Z0-9]+(?:[-/.][A-Z0-9]+)*(?![\w-])")
_DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
_FULL_MONTHS = ("January February March April May June July August September October November December").split()
_CLOCK = re.compile(r"(?<![\d:.])([01]?\d|2[0-3]):([0-5]\d)(?::[0-5]\d)?(?!\d|:\d)")
_ISO_DATE = re.compile(r"\b(\d{4})-(\d{2})-(\d{2})\b")
_SHORT_DATE = re.compile(rf"\b(\d{{1,2}}) ({'|'.join(_MONTHS)})\b\.?(?! ?[a-z])")
_WORDS = (
    (re.compile(r"\bOEE\b"), "O E E"), (re.compile(r"\bMTBF\b"), "M T B F"), (re.compile(r"\bMTTR\b"), "M T T R"), (re.compile(r"\bNCRs\b"), "N C R's"),
    (re.compile(r"\bNCR\b"), "N C R"), (re.compile(r"\bCAPA\b"), "cappa"), (re.compile(r"\bSOP\b"), "S O P"), (re.compile(r"\be\.g\. "), "for example "),
    (re.compile(r"\bi\.e\. "), "that is "), (re.compile(r"\brev\. ?"), "revision "), (re.compile(r"\bno\. ?(?=\d)", re.IGNORECASE), "number "),
    (re.compile(r"\bapprox\. "), "about "), (re.compile(r"\s*≥\s*"), " at least "), (re.compile(r"\s*≤\s*"), " at most "), (re.compile(r"\s*±\s*"), " plus or minus "),
    (re.compile(r"\s*×\s*"), " times "), (re.compile(r"\s*[→⇒]\s*"), " to "), (re.compile(r"&"), " and "), (re.compile(r"(?<=\d)\s*[-–]\s*(?=\d)"), " to "),
)  # fmt: skip


def for_the_ear(text: str, sentences: int = SENTENCES) -> str:
    """The first sentences of a text as they are read aloud; "" for nothing."""
    return " ".join(said_aloud(one) for one in split(plain(text))[:sentences])


def speech_of(answer: Mapping[str, Any]) -> str:
    """What is said of an answer: its spoken sentences, an emergency whole, and that the screen shows more."""
    emergency = [str(block.get("text", "")) for block in answer.get("blocks", ()) if block.get("type") == "emergency"]
    text = plain(str(answer.get("spoken") or answer.get("text") or ""))
    known = split(text)
    count = SENTENCES + len(split(plain(" ".join(emergency))))
    kept = known[:count]
    while len(kept) > 1 and not emergency and sum(len(one) for one in kept) > _LONGEST:
        kept = kept[:-1]
    said = " ".join(said_aloud(one) for one in kept)
    shown = any(block.get("type") in _SHOWN for block in answer.get("blocks", ()))
    more = len(known) > len(kept) or shown
    return f"{said} {MORE}".strip() if more and "on the screen" not in said else said


#: Blocks that hold more than a sentence can.
_SHOWN = frozenset(("table", "chart", "steps", "passage", "document", "warning"))


def plain(text: str) -> str:
    """Text without marks of Markdown and citations, on one line."""
    text = re.sub(r"\s*\[[A-Z]\d+\]", "", text)
    text = re.sub(r"\[([^\]]+)\]\([^)]*\)", r"\1", text)
    text = re.sub(r"^\s*(?:[-*•]|#+|>|\d+\.)\s+", "", text, flags=re.MULTILINE)
    text = re.sub(r"[*_`|]{1,3}(?=\S)|(?<=\S)[*`|]{1,3}", "", text)
    return " ".join(text.split())


def split(text: str) -> list[str]:
    """Sentences; a full stop in a number, a code or an abbreviation ends none."""
    pieces = re.split(r"(?<=[.!?])(?<!\be\.g\.)(?<!\bi\.e\.)(?<!\brev\.)(?<!\bno\.)(?<!\bNo\.)(?<!\bapprox\.)\s+(?=[\"“A-Z0-9])", text)
    return [piece.strip() for piece in pieces if piece.strip()]


def said_aloud(sentence: str) -> str:
    """One sentence with its numbers, units, codes, dates and times as words and letters."""
    text = _ISO_DATE.sub(_iso_date, sentence)
    text = _SHORT_DATE.sub(lambda found: f"{found[1]} {_FULL_MONTHS[_MONTHS.index(found[2])]}", text)
    text = _CLOCK.sub(_clock, text)
    text = _AMOUNT.sub(_amount, text)
    text = re.sub(r"\b([Aa]larm|[Cc]ode|[Ee]rror|[Ll]ot|[Ss]erial|[Oo]rder|[Pp]art)( number| code| no\.?)? (\d{3,})\b", _named, text)
    text = _CODE.sub(lambda found: spelled(found[0]), text)
    for pattern, words in _WORDS:
        text = pattern.sub(words, text)
    text = re.sub(r"(?<=\d),(?=\d{3})", "", text)
    text = re.sub(r"(?<![\w.])[−–-](?=\d)", "minus ", text)
    return " ".join(text.replace("“", "").replace("”", "").replace('"', "").split())


def spelled(code: str) -> str:
    """A code letter by letter and digit by digit, its parts set apart: "CNC-02" is "C N C, zero two"."""
    parts = re.findall(r"[A-Z]+|\d+", code.upper())
    said = []
    for part in parts:
        if part.isdigit():
            short = len(part) == 1 or (len(part) == 2 and part[0] != "0")
            said.append(part if short else " ".join(_DIGITS[int(digit)] for digit in part))
        else:
            said.append(part.capitalize() if _speakable(part) else " ".join(part))
    return ", ".join(said) if len(code) > 3 else " ".join(said)


#: Abbreviations with a vowel that people spell all the same.
_SPELLED = frozenset("AGV API BOM CAD CAM ERP ESD GMP HMI IOT ISO KPI LED MES NOK OEE PID PLC PPE QA RFID SAP SOP TPM USB USP".split())


def _speakable(part: str) -> bool:
    """Whether letters of a code are said as a word ("WASH", "PRESS") and not one by one ("CNC", "MO")."""
    return len(part) >= 3 and part not in _SPELLED and bool(re.fullmatch(r"[B-DF-HJ-NP-TV-Z]{0,2}[AEIOUY][A-Z]*", part))


def _named(found: re.Match[str]) -> str:
    return f"{found[1]}{' number' if found[2] else ''} {' '.join(_DIGITS[int(digit)] for digit in found[3])}"


def _amount(found: re.Match[str]) -> str:
    number, unit = found[1], found[3]
    one = number.lstrip("+-−–") in ("1", "1.0")
    return f"{number} {UNITS[unit][0 if one else 1]}"


def _clock(found: re.Match[str]) -> str:
    hour, minute = int(found[1]), int(found[2])
    return f"{hour} o'clock" if minute == 0 else f"{hour} {'oh ' if minute < 10 else ''}{minute}"


def _iso_date(found: re.Match[str]) -> str:
    month = int(found[2])
    return f"{int(found[3])} {_FULL_MONTHS[month - 1]} {found[1]}" if 1 <= month <= 12 else found[0]
