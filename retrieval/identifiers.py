"""How codes and part numbers are written and said: `AL-1043`, `al 1043`, `1043`, "ten forty three" are one code.

The promise is twofold, and `tests/test_identifiers.py` holds it to both: every way in which people write or say one
code leads to the same key, and no key ever leads to a neighbouring code (502 is not 5021, 12 is not -12, F7 is not
A7). A key is upper case; separators are kept only between two groups of digits (`502-1` is not `5021`).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

# Words that announce a code and are no part of it: "alarm no. 502", "error code 17".
CODE_WORDS = frozenset(
    ["alarm", "alarms", "error", "errors", "code", "codes", "fault", "faults", "warning", "warnings", "message", "messages", "event", "exception", "trip", "failure", "diagnostic", "status", "alarmcode", "errorcode", "faultcode"]
)
# Words that may stand between a code word and its number.
_LINK_WORDS = frozenset(["code", "number", "no", "nr", "num", "id", "is", "was", "called", "of", "the", "message"])
# Prefixes that mean no more than "alarm" or "error"; a list that prints bare numbers still knows `AL-1043`.
GENERIC_PREFIXES = frozenset(["A", "AL", "ALM", "ALARM", "E", "EC", "ER", "ERR", "ERROR", "F", "FLT", "FAULT", "W", "WARN", "WARNING", "C", "CODE", "M", "MSG", "NO", "NR"])

_UNITS = frozenset(
    ["nm", "n·m", "mm", "cm", "m", "km", "µm", "um", "kg", "g", "mg", "t", "bar", "mbar", "psi", "kpa", "mpa", "pa", "°c", "c", "k", "v", "mv", "kv", "a", "ma", "w", "kw", "kwh", "hz", "khz", "rpm", "l", "ml", "min", "mins", "minute", "minutes", "s", "sec", "secs", "second", "seconds", "h", "hr", "hrs", "hour", "hours", "day", "days", "week", "weeks", "month", "months", "year", "years", "percent", "times", "pieces", "pcs", "parts", "inch", "inches", "ft", "deg", "degrees", "litre", "litres", "liter", "liters", "shift", "shifts", "bolts", "screws"]
)
_ONES = {w: i for i, w in enumerate(["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"])}
_ONES |= {"oh": 0, "o": 0, "nought": 0, "niner": 9}
_TEENS = {
    w: i + 10
    for i, w in enumerate(
        ["ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"]
    )
}
_TENS = {w: 10 * (i + 2) for i, w in enumerate(["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"])}
_TENS["fourty"] = 40
_SCALES = {"hundred": 100, "thousand": 1000}
_REPEATS = {"double": 2, "triple": 3}
_NUMBER_WORDS = frozenset(_ONES) | _TEENS.keys() | _TENS.keys() | _SCALES.keys() | _REPEATS.keys()
_SEPARATOR_WORDS = {"dash": "-", "hyphen": "-", "minus": "-", "point": ".", "dot": ".", "slash": "/"}
_NOT_A_PREFIX = frozenset(
    ["a", "an", "the", "of", "in", "on", "at", "to", "for", "by", "is", "was", "are", "it", "we", "i", "and", "or", "with", "line", "cell", "station", "zone", "shift", "page", "step", "chapter", "section", "table", "figure", "fig", "last", "next", "past", "first", "after", "before", "about", "only", "every", "per", "than", "from", "since", "until", "over", "under", "revision", "rev", "version", "type", "phase", "day", "week", "month", "year", "level", "lot", "order", "unit", "item", "what", "which", "does", "do", "did", "show", "shows", "says", "say", "see", "saw", "got", "get", "gets", "gives", "has", "have", "had", "mean", "means", "this", "that", "my", "me", "again", "still", "now", "not", "no", "yes", "ok"]
)

_TOKEN = re.compile(
    r"0[xX][0-9A-Fa-f]+|\d+#[0-9A-Fa-f]+|[#№]|[A-Za-z]+|\d+|[-_./:+–—−]|\S", re.UNICODE
)
_CODE_SHAPE = re.compile(
    r"(?<![\w.,/-])(?:0[xX][0-9A-Fa-f]+|\d+#[0-9A-Fa-f]+|[A-Za-z]{1,8}(?:[-_./][A-Za-z]{1,8})*[-_./]?\d[A-Za-z0-9]*"
    r"(?:[-_./][A-Za-z0-9]+)*|\d+[A-Za-z]+[A-Za-z0-9]*(?:[-_./][A-Za-z0-9]+)*|\d+(?:[-_/][A-Za-z0-9]+)+)(?![\w])"
)
_DATE_OR_TIME = re.compile(r"\d{4}-\d{2}(-\d{2})?([tT]\d.*)?|\d{1,2}[./]\d{1,2}[./]\d{2,4}|\d{1,2}:\d{2}.*")
_ORDINAL_OR_AMOUNT = re.compile(r"\d+(?:st|nd|rd|th|x|%|mm|cm|m|km|kg|g|bar|psi|v|kv|a|ma|w|kw|hz|rpm|ml|nm|s|h|min)", re.I)


@dataclass(frozen=True)
class Identifier:
    """One code found in a text. `strong`: it is surely a code; a weak one counts only when some list knows it."""

    text: str
    key: str
    start: int
    end: int
    strong: bool


@dataclass(frozen=True)
class Parts:
    """A key taken apart: `AL1043-2` is prefix `AL`, number `1043`, rest `-2`; `sign` is "-" for a negative code."""

    prefix: str
    sign: str
    number: str
    rest: str


def _fold(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text)
    return folded.translate({0x2013: "-", 0x2014: "-", 0x2212: "-", 0x2011: "-", 0x2010: "-"})


@lru_cache(maxsize=65536)
def key(text: str) -> str:
    """The canonical form of one code, written or spoken; "" when `text` holds neither letter nor digit."""
    folded = _spoken_to_digits(_fold(text).strip())
    folded = re.sub(r"(?<=\d) (?=0\d)|(?<=\b\d) (?=\d\b)", "", folded)  # "5 0 2" and "5 02", as recognisers write
    tokens = [t.group() for t in _TOKEN.finditer(folded)]
    while tokens and (tokens[0] in "#№:." or tokens[0].lower() in CODE_WORDS | _LINK_WORDS):
        if not any(any(c.isdigit() for c in t) for t in tokens[1:]):
            break
        tokens.pop(0)
    tokens = [t for t in tokens if t not in "#№()[]\"'!?,;"]
    if not tokens:
        return ""
    sign = "-" if tokens[0] == "-" and len(tokens) > 1 and tokens[1].isdigit() else ""
    out = ""
    gap = False
    for token in tokens[1:] if sign else tokens:
        if token[:2].lower() == "0x":
            out += ("-" if gap and out[-1:].isdigit() else "") + "0X" + token[2:].upper()
        elif re.fullmatch(r"\d+#[0-9A-Fa-f]+", token):
            out += token.upper()
        elif token.isalnum():
            if gap and out[-1:].isdigit() and token[0].isdigit():
                out += "-"
            out += token.upper()
        else:
            gap = True
            continue
        gap = True  # two digit tokens are never adjacent without a separator or a space between them
    return sign + out


def parts(code_key: str) -> Parts:
    """Takes a key apart; a key without a leading number group (`EOC`) has everything in `prefix`."""
    match = re.fullmatch(r"(-?)([A-Z]*)(\d*)(.*)", code_key, re.DOTALL)
    assert match is not None
    sign, prefix, number, rest = match.groups()
    if code_key.startswith("0X") or "#" in code_key:
        return Parts("", "", code_key, "")
    return Parts(prefix, sign, number, rest)


def nearness(asked: str, known: str) -> int:
    """How surely two keys mean one code: 3 the same key, 2 the same but for leading zeros, 1 the same number where
    one side was written without its prefix (or with one that means only "alarm"), 0 different codes."""
    if asked == known:
        return 3 if asked else 0
    a, b = parts(asked), parts(known)
    if not a.number or not b.number or a.sign != b.sign or a.rest != b.rest:
        return 0
    if a.number.lstrip("0") != b.number.lstrip("0"):
        return 0
    if a.prefix == b.prefix:
        return 2
    if not a.prefix:
        return 1
    if not b.prefix and a.prefix in GENERIC_PREFIXES:
        return 1
    return 0


def same(a: str, b: str) -> bool:
    """Whether two writings mean the same code: `same("AL-1043", "ten forty three")`; never true for neighbours."""
    return nearness(key(a), key(b)) > 0 or nearness(key(b), key(a)) > 0


def bare(code_key: str) -> str:
    """The number alone, without prefix and leading zeros, under which a catalogue looks up candidates."""
    p = parts(code_key)
    return p.sign + (p.number.lstrip("0") or p.number[:1]) + p.rest if p.number else code_key


def find(text: str) -> list[Identifier]:
    """Every code in a sentence, in order. Strong: written like a code, or announced by a word ("alarm 502", "#17").
    Weak: a bare number or "word number"; a caller takes it only when a list knows that very code."""
    folded = _fold(text)
    if len(folded) != len(text):
        text = folded
    found: list[Identifier] = []
    taken: list[tuple[int, int]] = []

    def add(start: int, end: int, strong: bool, said: str | None = None) -> None:
        raw = folded[start:end]
        code = key(said if said is not None else raw)
        if code and not any(start < e and s < end for s, e in taken):
            found.append(Identifier(text[start:end], code, start, end, strong))
            if strong:
                taken.append((start, end))

    for start, end, said, strong in _announced(folded):
        add(start, end, strong, said)
    for match in _CODE_SHAPE.finditer(folded):
        raw = match.group()
        if _DATE_OR_TIME.fullmatch(raw) or _ORDINAL_OR_AMOUNT.fullmatch(raw):
            continue
        add(match.start(), match.end(), True)
    for start, end, said in _bare_numbers(folded):
        add(start, end, False, said)
    return sorted(found, key=lambda i: (i.start, not i.strong))


@dataclass(frozen=True)
class _Word:
    text: str
    low: str
    start: int
    end: int


def _words(text: str) -> list[_Word]:
    pattern = re.compile(r"[#№]|[A-Za-z0-9]+(?:[-_./#][A-Za-z0-9]+)*|(?<!\w)-(?=\d)")
    return [_Word(m.group(), m.group().lower(), m.start(), m.end()) for m in pattern.finditer(text)]


def _announced(text: str) -> Iterator[tuple[int, int, str, bool]]:
    """Numbers after a code word or a spoken prefix: (start, end, code as written, strong)."""
    words = _words(text)
    i = 0
    while i < len(words):
        word = words[i]
        known = word.low.rstrip("s") in CODE_WORDS or word.low in CODE_WORDS
        j = i + 1
        if known:
            while j < len(words) and words[j].low in _LINK_WORDS and j - i < 4:
                j += 1
        elif word.text in "#№" or (word.text.upper() in GENERIC_PREFIXES - {"A", "C", "M", "NO"} and word.text.isalpha()):
            pass
        elif word.text.isupper() and word.text.isalpha() and len(word.text) <= 6 and not text.isupper():
            if word.low in _NOT_A_PREFIX:
                i += 1
                continue
        else:
            i += 1
            continue
        taken = _number_at(words, j, spoken=True)
        if taken is None:
            i += 1
            continue
        code, last = taken
        prefix = "" if known or word.text in "#№" else word.text
        start = words[j].start if not prefix else word.start
        yield start, words[last].end, prefix + code, True
        while known and last + 1 < len(words):  # "alarms 501, 502 and 503"
            comma = text[words[last].end : words[last + 1].start].strip() == ","
            following = last + 1 if comma else last + 2 if words[last + 1].low in ("and", "or", "to") else len(words)
            more = _number_at(words, following, spoken=False)
            if more is None or (words[more[1] + 1].low if more[1] + 1 < len(words) else "") in _UNITS:
                break
            last = more[1]
            yield words[following].start, words[last].end, more[0], True
        i = last + 1


def _number_at(words: list[_Word], i: int, *, spoken: bool) -> tuple[str, int] | None:
    """The code that starts at word `i`: its text and the index of its last word."""
    if i >= len(words):
        return None
    sign = ""
    if words[i].low in ("minus", "-", "negative") and i + 1 < len(words):
        sign, i = "-", i + 1
    low = words[i].low
    if low.isdigit():
        digits, last = low, i
        # A recogniser writes "5 0 2"; a person writes "5 02". "502 3 times" stays 502.
        single = len(low) == 1
        while last + 1 < len(words) and words[last + 1].low.isdigit():
            following = words[last + 1].low
            if not ((single and len(following) == 1) or following.startswith("0")):
                break
            digits, last = digits + following, last + 1
        return sign + digits, last
    if any(c.isdigit() for c in low) and not _DATE_OR_TIME.fullmatch(low):
        return sign + words[i].text, i
    if spoken and low in _NUMBER_WORDS - {"o"} | {"oh"}:
        last = i
        while last + 1 < len(words) and (
            words[last + 1].low in _NUMBER_WORDS
            or (words[last + 1].low == "and" and words[last].low in _SCALES and last + 2 < len(words)
                and words[last + 2].low in _NUMBER_WORDS)
        ):
            last += 1
        code = spoken_digits([w.low for w in words[i : last + 1]])
        return (sign + code, last) if code else None
    return None


def _bare_numbers(text: str) -> Iterator[tuple[int, int, str]]:
    words = _words(text)
    i = 0
    while i < len(words):
        taken = _number_at(words, i, spoken=True)
        if taken is None or (words[i].low in _NUMBER_WORDS and taken[1] == i) or "." in taken[0]:
            i += 1
            continue
        code, last = taken
        following = words[last + 1].low if last + 1 < len(words) else ""
        before = words[i - 1] if i else None
        if following not in _UNITS and code.lstrip("-").isdigit():
            if before is not None and before.low.isalpha() and len(before.low) <= 6 and before.low not in _NOT_A_PREFIX:
                yield before.start, words[last].end, before.text + code
            yield words[i].start, words[last].end, code
        i = last + 1


def _spoken_to_digits(text: str) -> str:
    """Replaces runs of number words in one code by digits: "ten forty three" -> "1043", "minus twelve" -> "-12"."""
    words = re.findall(r"[A-Za-z]+|[^A-Za-z]+", text)
    lows = [w.lower() for w in words if not w.isspace()]
    said = any(w in _NUMBER_WORDS and w != "o" for w in lows)
    if not said and not (any(w in _SEPARATOR_WORDS for w in lows) and any(c.isdigit() for c in text)):
        return text
    out: list[str] = []
    run: list[str] = []
    for low, word in [(w.lower(), w) for w in words if not w.isspace()] + [("", "")]:
        if low.strip() in _NUMBER_WORDS or (low == "and" and run and run[-1] in _SCALES):
            run.append(low.strip())
            continue
        if run:
            out.append(spoken_digits(run))
            run = []
        if low in _SEPARATOR_WORDS:
            out.append(_SEPARATOR_WORDS[low])
        elif word:
            out.append(word)
    joined = " ".join(p for p in out if p)
    return re.sub(r"\s*([-./])\s*", r"\1", joined)


def spoken_digits(words: list[str]) -> str:
    """Digits of spoken number words: "five oh two" and "five hundred and two" give "502", "ten forty three" "1043".

    Cardinal groups (with hundred or thousand) are added up; everything else is read off and joined, as people
    do with codes. Returns "" when the words are no number.
    """
    groups: list[str] = []
    i = 0
    words = [w for w in words if w != "and"]
    while i < len(words):
        word = words[i]
        if word in _REPEATS and i + 1 < len(words) and words[i + 1] in _ONES:
            groups.append(str(_ONES[words[i + 1]]) * _REPEATS[word])
            i += 2
            continue
        value, used = _below_hundred(words, i)
        if used == 0:
            return "".join(groups) if word in _SCALES and groups else ""
        j = i + used
        if j < len(words) and words[j] in _SCALES:
            total = 0
            while True:
                if j < len(words) and words[j] in _SCALES:
                    value *= _SCALES[words[j]]
                    j += 1
                    if j < len(words) and words[j] == "thousand":
                        value *= 1000
                        j += 1
                total += value
                value, used = _below_hundred(words, j)
                if used == 0 or (value == 0 and used):
                    break
                j += used
                if not (j < len(words) and words[j] in _SCALES):
                    total += value
                    break
            groups.append(str(total))
            i = j
            continue
        groups.append(str(value))
        i = j
    return "".join(groups)


def _below_hundred(words: list[str], i: int) -> tuple[int, int]:
    """The number 0..99 that starts at `i`, and how many words it takes (0 when there is none)."""
    if i >= len(words):
        return 0, 0
    word = words[i]
    if word in _TENS:
        if i + 1 < len(words) and _ONES.get(words[i + 1], 0) > 0:
            # "forty three" is 43, but in "forty three thousand" too: the scale is handled by the caller
            return _TENS[word] + _ONES[words[i + 1]], 2
        return _TENS[word], 1
    if word in _TEENS:
        return _TEENS[word], 1
    if word in _ONES:
        return _ONES[word], 1
    return 0, 0
