"""How words, names and codes are said: for each, the sounds that the recogniser's acoustic model knows.

Common words come from the pronouncing dictionary in pocketsphinx's wheel, letters and digits are spelled out, words
joined from known ones are said as their parts ("labeller" is not, "workcell" is), and the rest is read letter by letter
with the trained table of `assistant.voice.letters`. `ways` gives every usual way to say one written token: "CNC-02" is
"c.n.c. two", "c.n.c. zero two" and "c.n.c. oh two"; 502 is "five oh two", "five zero two" and "five hundred and two".
tests/test_voice_grammar.py.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from assistant.voice.letters import Sounds, said_by_letters
from assistant.voice.transcriber import SpeechUnavailable

#: What the acoustic model knows; a pronunciation with anything else is a mistake of ours.
PHONES = frozenset("AA AE AH AO AW AY B CH D DH EH ER EY F G HH IH IY JH K L M N NG OW OY P R S SH T TH UH UW V W Y Z ZH".split())
#: Words that English of the shop floor says in more ways than the dictionary has, and letters as they are named.
OWN: Mapping[str, tuple[str, ...]] = {
    "a.": ("EY",), "b.": ("B IY",), "c.": ("S IY",), "d.": ("D IY",), "e.": ("IY",), "f.": ("EH F",), "g.": ("JH IY",),
    "h.": ("EY CH",), "i.": ("AY",), "j.": ("JH EY",), "k.": ("K EY",), "l.": ("EH L",), "m.": ("EH M",), "n.": ("EH N",),
    "o.": ("OW",), "p.": ("P IY",), "q.": ("K Y UW",), "r.": ("AA R", "AA"), "s.": ("EH S",), "t.": ("T IY",), "u.": ("Y UW",),
    "v.": ("V IY",), "w.": ("D AH B AH L Y UW", "D AH B Y UW"), "x.": ("EH K S",), "y.": ("W AY",), "z.": ("Z IY", "Z EH D"),
    "zero": ("Z IH R OW", "Z IY R OW", "Z IH AH R OW"), "oh": ("OW",), "four": ("F AO R", "F AO"), "nine": ("N AY N",), "niner": ("N AY N ER",),
    "hundred": ("HH AH N D R AH D", "HH AH N D R IH D"), "thousand": ("TH AW Z AH N D",), "machine": ("M AH SH IY N",),
    "schedule": ("S K EH JH UH L", "SH EH D Y UW L"), "schedules": ("S K EH JH UH L Z", "SH EH D Y UW L Z"),
    "torque": ("T AO R K", "T AO K"), "quarter": ("K W AO R T ER", "K W AO T AH"), "data": ("D EY T AH", "D AA T AH"),
    "yesterday": ("Y EH S T ER D EY", "Y EH S T AH D EY"), "line": ("L AY N",), "order": ("AO R D ER", "AO D AH"), "orders": ("AO R D ER Z", "AO D AH Z"),
}  # fmt: skip
ONES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
TEENS = ("ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen")
TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_LONGEST_SPELLED = 5  # letters in capitals that are spelled and not read as a word
_SHORTEST_PART = 4  # letters of a word that another is joined from
_MOST_WAYS = 12


def model_folder() -> Path:
    """Where the recogniser's wheel keeps its model. Raises SpeechUnavailable."""
    try:
        import pocketsphinx
    except ImportError as error:
        raise SpeechUnavailable("The embedded recogniser is not installed; install the package pocketsphinx.") from error
    return Path(pocketsphinx.get_model_path()) / "en-us"


@lru_cache(maxsize=1)
def carried() -> Mapping[str, tuple[Sounds, ...]]:
    """The dictionary in the wheel: word -> pronunciations, the usual one first."""
    words: dict[str, list[Sounds]] = {}
    with (model_folder() / "cmudict-en-us.dict").open(encoding="utf-8") as lines:
        for line in lines:
            word, _, sounds = line.strip().partition(" ")
            words.setdefault(word.partition("(")[0], []).append(tuple(sounds.split()))
    return {word: tuple(found) for word, found in words.items()}


@lru_cache(maxsize=65536)
def sounds_of(word: str) -> tuple[Sounds, ...]:
    """Every pronunciation of one spoken word (lower case; a letter named is written with a full stop: "c.")."""
    if word in OWN:
        return tuple(tuple(text.split()) for text in OWN[word])
    if re.fullmatch(r"(?:[a-z]\.)+s?", word):
        rows: list[Sounds] = [()]
        for letter in re.findall(r"[a-z]\.", word):
            rows = [(*row, *text.split()) for row in rows for text in OWN[letter]][:4]
        return tuple((*row, "Z") if word.endswith("s") else row for row in rows)
    known = carried()
    if word in known:
        return known[word]
    plain = "".join(c for c in unicodedata.normalize("NFKD", word.replace("ß", "ss")) if c.isascii() and (c.isalpha() or c == "'"))
    if plain in known:
        return known[plain]
    stem = plain.replace("'", "")
    for end, sounds in (("'s", ("Z",)), ("s", ("Z",)), ("ing", ("IH NG",)), ("er", ("ER",)), ("ers", ("ER Z",)), ("ed", ("D",))):
        begin = plain.removesuffix(end)
        if begin != plain and len(begin) >= _SHORTEST_PART and begin in known:
            return tuple((*first, *sounds[0].split()) for first in known[begin][:2])
    for at in range(_SHORTEST_PART, len(stem) - _SHORTEST_PART + 1):
        left, right = stem[:at], stem[at:]
        if left in known and right in known and left + right != left:
            return ((*known[left][0], *known[right][0]),)
    read = said_by_letters(stem)
    return (read,) if read else ()


_LETTER = r"[a-z]\.(?:s(?=\s|$))?"


def run_together(said: str) -> str:
    """Letters named one after another as one word ("c. n. c. two" -> "c.n.c. two"): alone each is a single short sound,
    which the recogniser loses between its neighbours."""
    return re.sub(rf"(?<![\w.])(?:{_LETTER})(?:\s+{_LETTER})+(?=\s|$)", lambda m: m.group().replace(" ", ""), said)


def digit_ways(digits: str) -> tuple[str, ...]:
    """The usual ways to say a row of digits: one by one with "zero" or "oh", in pairs, as a number, with "double"."""
    if not digits.isdecimal():
        return ()
    ways = [" ".join(ONES[int(d)] for d in digits)]
    if "0" in digits[1:] or (digits[0] == "0" and len(digits) > 1):
        ways.append(" ".join("oh" if d == "0" else ONES[int(d)] for d in digits))
    doubled = _doubled(digits)
    if doubled:
        ways.append(doubled)
        if "0" in digits and " zero" in f" {doubled}":
            ways.append(" ".join("oh" if word == "zero" else word for word in doubled.split()))
    if digits[0] != "0" or digits == "0":
        if len(digits) <= 4:
            ways += _numbers(int(digits))
        if len(digits) == 3 and digits[1] != "0":
            ways.append(f"{ONES[int(digits[0])]} {_below_hundred(int(digits[1:]))}")
        if len(digits) == 4 and digits[2] != "0" and int(digits[:2]) >= 10:
            ways.append(f"{_below_hundred(int(digits[:2]))} {_below_hundred(int(digits[2:]))}")
        if len(digits) == 4 and digits[2] == "0" and digits[3] != "0" and int(digits[:2]) >= 10:
            ways.append(f"{_below_hundred(int(digits[:2]))} oh {ONES[int(digits[3])]}")
    return tuple(dict.fromkeys(ways))[:_MOST_WAYS]


def _doubled(digits: str) -> str:
    out, at = [], 0
    while at < len(digits):
        size = 2 if at + 1 < len(digits) and digits[at] == digits[at + 1] else 1
        out.append(("double " if size == 2 else "") + ONES[int(digits[at])])
        at += size
    return " ".join(out) if any(word.startswith("double") for word in out) else ""


def _below_hundred(number: int) -> str:
    if number < 20:
        return (*ONES, *TEENS)[number]
    return TENS[number // 10] + (f" {ONES[number % 10]}" if number % 10 else "")


def _numbers(number: int) -> list[str]:
    if number < 100:
        return [_below_hundred(number)]
    if number < 1000:
        head, rest = f"{ONES[number // 100]} hundred", number % 100
        return (
            [f"{head} and {_below_hundred(rest)}", f"{head} {_below_hundred(rest)}"]
            if rest
            else [head, f"a {head[4:]}"]
            if number == 100
            else [head]
        )
    head, rest = f"{ONES[number // 1000]} thousand", number % 1000
    if not rest:
        return [head]
    return [f"{head} {way}" for way in _numbers(rest)] + ([f"{head} and {_below_hundred(rest)}"] if rest < 100 else [])


def number_way(number: int) -> str:
    """A number below ten thousand as it is said first ("step twelve")."""
    return _numbers(number)[0]


def ways(written: str) -> tuple[str, ...]:
    """Every usual way to say a name or code as it is written: words separated by spaces, letters as "c."."""
    choices: list[tuple[str, ...]] = []
    for token in re.findall(r"[A-Za-zÀ-ÿ]+(?:['’]s\b)?|\d+|[.]", written.replace("’", "'")):
        if token.isdecimal():
            short = token.lstrip("0") or "0"
            forms = digit_ways(token) if len(token) > 1 else (ONES[int(token)],)
            if short != token and len(token) == 2:
                forms = (*digit_ways(short), *forms)
            choices.append(tuple(dict.fromkeys(forms)))
        elif token == ".":
            continue
        else:
            choices.append(_letters_or_word(token))
    made: list[str] = [""]
    for forms in choices:
        made = [f"{begin} {form}".strip() for begin in made for form in forms][: 4 * _MOST_WAYS]
    return tuple(dict.fromkeys(run_together(way) for way in made if way))[: 2 * _MOST_WAYS]


def _letters_or_word(token: str) -> tuple[str, ...]:
    low = token.lower()
    spelled = " ".join(f"{c}." for c in low if c.isascii())
    if token in ("a", "i"):
        return (low,)
    if len(token) == 1:
        return (spelled,)
    if token.isupper() and len(token) <= _LONGEST_SPELLED:
        if len(token) <= 2 or not any(c in "aeiouy" for c in low):
            return (spelled,)
        if len(token) > 3 and low in carried():
            return (low,)
        return (spelled, low)
    return (low,)
