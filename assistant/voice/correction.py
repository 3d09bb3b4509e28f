"""What was heard, mapped onto the plant's names: "see en see two" is CNC-02, "alarm five oh two" is alarm 502.

It works on the text of any engine. Stretches of words are compared with every way to say a name, sound by sound: the
letters of a name may differ by a little (vowels that are near, a voiced for an unvoiced consonant), its numbers not at all,
but "to", "too" and "two" sound the same. Only a single, clearly nearest name is put in, and only where the stretch is not
plain English in its place; anything changed by more than its spelling, and any code that the plant does not know, is asked
about first ("Alarm 502 on CNC-02, right?"). tests/test_voice_correction.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

from assistant.voice.letters import Sounds
from assistant.voice.pronunciation import ONES, TEENS, TENS, digit_ways, sounds_of
from assistant.voice.transcriber import Heard, Hypothesis, Listening
from assistant.voice.vocabulary import Name, Vocabulary
from retrieval.identifiers import CODE_WORDS, spoken_digits

#: Slots whose names are put in; metrics and records are common words, which the planner reads by itself.
SLOTS = ("EQUIPMENT", "LINE", "PRODUCT", "SIGNAL", "PART", "CERTIFICATION")
#: Largest distance of the letters of a name, a sound; up to `SURE` it is put in without asking.
NEAR, SURE = 0.22, 0.08
_MARGIN = 0.08
_LONGEST = 8  # words of a stretch
_NUMBERS = frozenset((*ONES, *TEENS, *(t for t in TENS if t), "oh", "hundred", "thousand", "double", "triple"))
_HOMOPHONES = {
    "to": "two",
    "too": "two",
    "for": "four",
    "fore": "four",
    "won": "one",
    "ate": "eight",
    "o": "oh",
    "tree": "three",
    "free": "three",
    "sex": "six",
    "niner": "nine",
}
#: What may follow a number that is written like another word ("line to yesterday", not "line to the left").
_AFTER = frozenset(
    "yesterday today tonight now last this on in at and or for since stop stopped stops down running is was has had by over please again mean means show shows during between here with".split()
)
#: No name begins with one of these.
_SMALL = frozenset(
    "the a an of on at in for from to and or is are was were be by with this that my our me it do does did what which show give".split()
)
_CODE = frozenset((*CODE_WORDS, "alarm", "error", "fault", "code"))
_LINKS = frozenset(("code", "number", "no", "message"))


@dataclass(frozen=True)
class Change:
    """One stretch put right: words as heard, what stands there now, and how far the two sound apart (0: the same)."""

    heard: str
    written: str
    kind: str
    distance: float


@dataclass(frozen=True)
class Corrected:
    """A text with the plant's names in it. `unknown` are codes that no list of the plant has."""

    text: str
    changes: tuple[Change, ...] = ()
    unknown: tuple[str, ...] = ()

    @property
    def certain(self) -> bool:
        return not self.unknown and all(change.distance <= SURE for change in self.changes)


@dataclass(frozen=True)
class _Saying:
    name: Name
    letters: Sounds
    number: tuple[Sounds, ...]  # the sounds of each way to say its digits


class Correction:
    """The correction of one plant."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary

    @cached_property
    def _sayings(self) -> tuple[_Saying, ...]:
        found: dict[tuple[str, Sounds, str], _Saying] = {}
        for slot in SLOTS:
            for name in self.vocabulary.slots.get(slot, ()):
                by_letters: dict[str, list[Sounds]] = {}
                for said in name.said:
                    words = said.split()
                    cut = next((at for at, word in enumerate(words) if word in _NUMBERS), len(words))
                    if any(word not in _NUMBERS for word in words[cut:]):
                        continue
                    by_letters.setdefault(" ".join(words[:cut]), []).append(_sounds(words[cut:]))
                for letters, numbers in by_letters.items():
                    for sounds in dict.fromkeys((_sounds(letters.split()), _sounds(letters.split(), british=True))):
                        if len(sounds) >= 3 or any(numbers):
                            found.setdefault((name.kind + name.value, sounds, name.written), _Saying(name, sounds, tuple(numbers)))
        return tuple(found.values())

    @cached_property
    def _known(self) -> frozenset[str]:
        return frozenset(word for name in self.vocabulary.slots.get("METRIC", ()) for word in name.written.split()) | frozenset(
            word for name in self.vocabulary.slots.get("RECORDS", ()) for word in name.written.split()
        )

    def text(self, heard: str) -> Corrected:
        """One text put right."""
        tokens = [
            (m.group(), m.start(), m.end()) for m in re.finditer(r"[A-Za-zÀ-ÿ]+(?:'[a-z]+)?\.?(?=\s|$|[,?!])|[A-Za-zÀ-ÿ]+|\d+", heard)
        ]
        words = [token.lower().rstrip(".") for token, _, _ in tokens]
        changes: list[tuple[int, int, Change]] = []
        unknown: list[str] = []
        at = 0
        while at < len(words):
            code = self._code(words, at)
            if code is not None:
                end, written, known = code
                stretch = " ".join(words[at:end])
                if stretch != written.lower():
                    changes.append((at, end, Change(stretch, written, "code", 0.0)))
                if not known:
                    unknown.append(written)
                at = end
                continue
            named = self._named(words, at, heard, tokens)
            if named is not None:
                end, name, distance = named
                stretch = heard[tokens[at][1] : tokens[end - 1][2]]
                if stretch.lower() != name.written.lower():
                    changes.append((at, end, Change(stretch, name.written, name.kind, distance)))
                at = end
                continue
            at += 1
        text, offset = heard, 0
        for begin, stop, change in changes:
            first, last = tokens[begin][1] + offset, tokens[stop - 1][2] + offset
            text = text[:first] + change.written + text[last:]
            offset += len(change.written) - (last - first)
        return Corrected(text, tuple(change for _, _, change in changes), tuple(unknown))

    def _code(self, words: Sequence[str], at: int) -> tuple[int, str, bool] | None:
        """A code from word `at` on, after a word for one: (end, as written, whether the plant knows it)."""
        before = at - 1
        while before >= 0 and words[before] in _LINKS and words[before] not in ("code",):
            before -= 1
        if before < 0 or words[before] not in _CODE:
            return None
        end = at
        while end < len(words) and (words[end] in _NUMBERS or words[end].isdecimal() or self._number_like(words, end)):
            end += 1
        if end == at:
            return None
        plain = [_HOMOPHONES.get(word, word) for word in words[at:end]]
        digits = (
            "".join(word if word.isdecimal() else "" for word in plain)
            if all(w.isdecimal() for w in plain)
            else spoken_digits(_worded(plain))
        )
        if len(digits) < 2:
            return None
        return end, digits, not self.vocabulary.codes or self._is_known(digits)

    def _is_known(self, digits: str) -> bool:
        bare = digits.lstrip("0")
        return any(re.sub(r"^[A-Za-z]+-?0*", "", code) == bare or code == digits for code in self.vocabulary.codes)

    def _number_like(self, words: Sequence[str], at: int) -> bool:
        """Whether "to", "for", "won" stand where a number does: after another number or a name, before nothing that they lead to."""
        if words[at] not in _HOMOPHONES:
            return False
        if at + 1 == len(words):
            return True
        following = words[at + 1]
        return following in _AFTER or following in _NUMBERS or following in ("to", "for", "too") or following.isdecimal()

    def _named(self, words: Sequence[str], at: int, heard: str, tokens: Sequence[tuple[str, int, int]]) -> tuple[int, Name, float] | None:
        """The name that a stretch from word `at` on clearly is: the nearest of all stretches, then the longest."""
        if words[at] in _SMALL:
            return None
        best: tuple[int, Name, float] | None = None
        for end in range(min(len(words), at + _LONGEST), at, -1):
            if words[end - 1] in _SMALL and words[end - 1] not in _HOMOPHONES:
                continue
            if re.search(r"[?!,;]", heard[tokens[at][1] : tokens[end - 1][1]]):
                continue
            cut = end
            while cut > at + 1 and (
                words[cut - 1] in _NUMBERS
                or words[cut - 1].isdecimal()
                or (words[cut - 1] in _HOMOPHONES and (cut < end or self._number_like(words, cut - 1)))
            ):
                cut -= 1
            for split in dict.fromkeys((cut, end)):
                found = self._nearest(words[at:split], words[split:end])
                if found is not None and (best is None or found[1] < best[2]):
                    best = (end, *found)
        return best

    def _nearest(self, letters: Sequence[str], number: Sequence[str]) -> tuple[Name, float] | None:
        if all(word in self._known for word in letters) and not number:
            return None
        sounds = _sounds(letters)
        if not sounds:
            return None
        numbers = _number_sounds(number)
        best: dict[str, tuple[float, Name]] = {}
        for saying in self._sayings:
            if bool(number) != any(saying.number) or abs(len(saying.letters) - len(sounds)) > max(1, NEAR * len(sounds)):
                continue
            if number and not any(n in numbers for n in saying.number):
                continue
            far = distance(sounds, saying.letters) / max(len(sounds), len(saying.letters))
            thing = f"{saying.name.kind} {saying.name.value}"
            if thing not in best or far < best[thing][0]:
                best[thing] = (far, saying.name)
        ranked = sorted(best.values(), key=lambda one: one[0])
        if not ranked or ranked[0][0] > (NEAR if number or len(sounds) >= 8 else SURE):
            return None
        if len(ranked) > 1 and ranked[1][0] - ranked[0][0] < _MARGIN:
            return None
        return ranked[0][1], ranked[0][0]

    def corrected(self, heard: Heard, listening: Listening = Listening()) -> Heard:  # noqa: B008
        """What an engine heard with the plant's names in it, and a question where that is not certain."""
        if heard.command or not (heard.text or heard.choices or heard.nbest):
            return heard
        rows = [self.text(text) for text in dict.fromkeys([t for t in (heard.text, *(one.text for one in heard.nbest)) if t])]
        nbest = tuple(Hypothesis(self.text(one.text).text, one.words, one.score) for one in heard.nbest)
        choices = tuple(dict.fromkeys(self.text(choice).text for choice in heard.choices))
        if not heard.text:
            return replace(heard, nbest=nbest, choices=choices)
        first = rows[0]
        if first.certain:
            return replace(heard, text=first.text, nbest=nbest, choices=choices)
        others = tuple(dict.fromkeys([first.text, *(row.text for row in rows[1:] if not row.unknown)]))[:3]
        return replace(
            heard,
            text=first.text,
            nbest=nbest,
            choices=choices or (others if len(others) > 1 else ()),
            confirm=heard.confirm or question(first),
            doubt="unsure",
        )


def question(corrected: Corrected) -> str:
    """What is asked back about a text that is not certain: the names and codes in it, shortly."""
    code = next(
        (change.written for change in corrected.changes if change.kind == "code"), corrected.unknown[0] if corrected.unknown else ""
    )
    names = [change.written for change in corrected.changes if change.kind != "code"]
    if code:
        return f"Alarm {code}{f' on {names[0]}' if names else ''}, right?"
    return f"{', '.join(names)}, right?"


def _worded(words: Sequence[str]) -> list[str]:
    """Digits among number words as words."""
    return [word for one in words for word in (digit_ways(one)[0].split() if one.isdecimal() else [one])]


def _sounds(words: Iterable[str], british: bool = False) -> Sounds:
    """The sounds of words in a row; `british`: letters as they are named there ("zed")."""
    out: list[str] = []
    for word in words:
        found = sounds_of(f"{word}." if len(word) == 1 and word.isalpha() else word)
        if word in _CAPITALS_LOST and not word.endswith("."):
            found = ()
        out += (
            found[-1 if british and word.endswith(".") else 0]
            if found
            else [s for letter in word if letter.isalpha() for s in sounds_of(f"{letter}.")[0]]
        )
    return tuple(out)


#: Initials that engines write as one word.
_CAPITALS_LOST = frozenset(("cnc", "oee", "agv", "plc", "hmi", "ncr"))


@lru_cache(maxsize=4096)
def _ways(number: tuple[str, ...]) -> frozenset[Sounds]:
    plain = [_HOMOPHONES.get(word, word) for word in number]
    rows = [tuple(plain)]
    if all(word.isdecimal() for word in plain):
        joined = "".join(plain)
        rows = [tuple(way.split()) for way in (*digit_ways(joined), *digit_ways(joined.lstrip("0") or "0"))]
    return frozenset(_sounds(row) for row in rows)


def _number_sounds(number: Sequence[str]) -> frozenset[Sounds]:
    return _ways(tuple(number)) if number else frozenset(((),))


_ALIKE = (
    frozenset(("IH", "EH", "AE")), frozenset(("IH", "IY")), frozenset(("AH", "ER", "AA")), frozenset(("AO", "AA", "OW")), frozenset(("UH", "UW")), frozenset(("EY", "EH")),
    frozenset(("P", "B")), frozenset(("T", "D")), frozenset(("K", "G")), frozenset(("F", "V", "TH")), frozenset(("S", "Z")), frozenset(("SH", "ZH", "CH", "JH")),
    frozenset(("M", "N", "NG")), frozenset(("L", "W")), frozenset(("IH", "AH")), frozenset(("TH", "DH")),
)  # fmt: skip


@lru_cache(maxsize=4096)
def _cost(a: str, b: str) -> float:
    if a == b:
        return 0.0
    return 0.4 if any(a in group and b in group for group in _ALIKE) else 1.0


def distance(a: Sequence[str], b: Sequence[str]) -> float:
    """Edit distance of two rows of sounds; sounds that are alike cost less."""
    row = [float(j) for j in range(len(b) + 1)]
    for i, x in enumerate(a, 1):
        before, row[0] = row[0], float(i)
        for j, y in enumerate(b, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + _cost(x, y))
    return row[-1]
