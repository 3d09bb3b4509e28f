"""Typing slips put right before a question is read: "scarp rate lien 2 yesteday" is read as "scrap rate line 2 yesterday".

`Speller.read` promises a text of the same words in the same order in which only words that nobody would mean are changed:
a word stays when the phrasings, the plant's names or the words of time know it, when it holds a digit, when it is
written like a name, and when no single common word is a slip away. Offsets in the mended text lead back to what was
typed. tests/test_spelling.py holds every written phrasing and every name of the plant to that.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import resources

from assistant.period_words import MONTHS, UNITS, WEEKDAYS

COMMON = 4  # times a word must stand in the phrasings to be what somebody meant
OFTEN = 25  # ... to be preferred to a real word that is rare here ("lien" for "line")
_SHORTEST = 3
_LONGEST = 20  # letters of a word that is looked at
_TWO_SLIPS = 8  # letters from which two slips in one word are put right
_CLEARLY = 3.0  # how many times commoner the best candidate is than the next one that is as near
_WORD = re.compile(r"[^\W\d_]+(?:['’][a-z]+)?")
_TIMES = frozenset(["today", "yesterday", "tomorrow", "tonight", "morning", "afternoon", "evening", "night", "week", "month", "quarter", "shift", "last", "this"])


@dataclass(frozen=True)
class Spelled:
    """A text as read, and where its words stood as typed."""

    text: str
    typed: str
    pieces: tuple[tuple[int, int, int, int], ...] = ()  # (start, end) in `text`, (start, end) in `typed` of each change

    def back(self, start: int, end: int) -> tuple[int, int]:
        """Offsets in what was typed for offsets in `text`."""
        return self._moved(start, False), self._moved(end, True)

    def as_typed(self, words: str) -> str:
        """Words of `text` as they were typed."""
        for start, end, typed_start, typed_end in self.pieces:
            words = re.sub(rf"\b{re.escape(self.text[start:end])}\b", self.typed[typed_start:typed_end], words)
        return words

    def _moved(self, at: int, upper: bool) -> int:
        by = 0
        for begin, stop, typed_begin, typed_stop in self.pieces:
            if at >= stop:
                by = typed_stop - stop
            elif at > begin or (at == begin and not upper):
                return (typed_stop if upper else typed_begin) if begin < at or not upper else at + by
            else:
                break
        return at + by


@lru_cache(maxsize=1)
def phrasing_words() -> Mapping[str, int]:
    """The words of the written phrasings and how often each stands there, from the file that `make train` writes."""
    lines = resources.files("assistant.lm").joinpath("models/words.tsv").read_text("utf-8").splitlines()
    return {word: int(count) for word, count in (line.split("\t") for line in lines)}


@dataclass(frozen=True)
class Speller:
    """Puts right what is typed; `names` are the plant's own words, which are never changed and may be meant."""

    names: frozenset[str] = frozenset()
    words: Mapping[str, int] = field(default_factory=phrasing_words)

    def read(self, typed: str) -> Spelled:
        spelled = [(m.start(), m.end(), word) for m in _LETTER_BY_LETTER.finditer(typed) if (word := self.joined(m.group(0)))]
        first = next(iter(_WORD.finditer(typed)), None)
        changed = list(spelled)
        for m in _WORD.finditer(typed):
            if any(start < m.end() and m.start() < end for start, end, _ in spelled) or not self._may_change(m, typed, first):
                continue
            better, said = self.meant(m.group(0).lower()), m.group(0)
            if better is not None:
                changed.append((m.start(), m.end(), better.upper() if said.isupper() else better.capitalize() if said[0].isupper() else better))
        return _put_right(typed, sorted(changed)) if changed else Spelled(typed, typed)

    def joined(self, letters: str) -> str:
        """The word that is spelled letter by letter ("o e e", "n c r s"), as recognisers write it; "" for no word known here."""
        word = re.sub(r"[\s.]", "", letters.lower())
        return next((w for w in (word, word.removesuffix("s")) if len(w) >= _SHORT_WORD and (w in self.names or self.words.get(w, 0) >= COMMON)), "") and word

    def _may_change(self, m: re.Match[str], typed: str, first: re.Match[str] | None) -> bool:
        word = m.group(0)
        beside = typed[max(0, m.start() - 1) : m.start()] + typed[m.end() : m.end() + 1]
        if not _SHORTEST <= len(word) <= _LONGEST or re.search(r"[\d_@/\\-]", beside) or "'" in word or "’" in word or not word.isascii():
            return False
        if typed.isupper():
            return True
        named = word[0].isupper() and (first is None or m.start() != first.start())
        return not named and not word.isupper()

    def meant(self, word: str) -> str | None:
        """The word that was meant, or None when the word is fine or nothing is clearly meant."""
        return _meant(self, word)

    def knows(self, word: str) -> bool:
        return word in self.names or self.words.get(word, 0) >= COMMON or word in MONTHS or word in UNITS or word in WEEKDAYS

    @property
    def candidates(self) -> Mapping[str, int]:
        return _candidates(self)

    def __hash__(self) -> int:
        return hash((self.names, id(self.words)))


_LETTER_BY_LETTER = re.compile(r"(?<![\w'’.-])[A-Za-z](?:[ .][A-Za-z]){2,4}\b(?!['’-])\.?")
_SHORT_WORD = 3
_RARE, _TIMES_COMMONER = 8, 40


def _put_right(typed: str, changed: Sequence[tuple[int, int, str]]) -> Spelled:
    """The text with the pieces (start, end, word) changed, and where they went."""
    out: list[str] = []
    pieces: list[tuple[int, int, int, int]] = []
    at = length = 0
    for start, end, word in changed:
        out += [typed[at:start], word]
        length += start - at
        pieces.append((length, length + len(word), start, end))
        length += len(word)
        at = end
    return Spelled("".join([*out, typed[at:]]), typed, tuple(pieces))


@lru_cache(maxsize=8)
def _candidates(speller: Speller) -> Mapping[str, int]:
    found = {word: count for word, count in speller.words.items() if count >= COMMON and len(word) >= _SHORTEST}
    for word in (*speller.names, *MONTHS, *WEEKDAYS, *_TIMES):
        if len(word) > _SHORTEST and word.isalpha():
            found[word] = max(found.get(word, 0), OFTEN)
    return found


@lru_cache(maxsize=4096)
def _meant(speller: Speller, word: str) -> str | None:
    if speller.knows(word) or _inflected(word, speller):
        return None
    if speller.words.get(word, 0) > 0 or word in _english():
        # A real word is put right only where two of its letters changed places and what comes out is far commoner here.
        return _commonest({w for w in _swapped(word) if speller.candidates.get(w, 0) >= OFTEN}, speller)
    once = {w for w in _slips(word) if w in speller.candidates}
    if not once and len(word) >= _TWO_SLIPS:
        once = {w for first in _slips(word) for w in _slips(first) if w in speller.candidates}
    return _commonest({w for w in once if not w.startswith(word) or w[len(word) :] not in _ENDINGS}, speller)


def _commonest(words: set[str], speller: Speller) -> str | None:
    """The commonest word, unless another one is nearly as common."""
    ranked = sorted(((speller.candidates[w], w) for w in words), reverse=True)
    if not ranked or (len(ranked) > 1 and ranked[0][0] < _CLEARLY * ranked[1][0]):
        return None
    return ranked[0][1]


_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_ENDINGS = ("s", "d", "r", "ed", "er", "es", "ly", "y")
_VOWELS = "aeiouy"
#: Letters that are taken for each other: neighbours on the keyboard, vowels, and what sounds alike.
_LIKE = {
    letter: set(near) | (set(_VOWELS) if letter in _VOWELS else set()) | set(alike)
    for letter, near, alike in (
        ("a", "qwsz", ""), ("b", "vghn", "p"), ("c", "xdfv", "ks"), ("d", "serfcx", "t"), ("e", "wsdr", ""), ("f", "drtgvc", "v"),
        ("g", "ftyhbv", "j"), ("h", "gyujnb", ""), ("i", "ujko", ""), ("j", "huikmn", "g"), ("k", "jiolm", "c"), ("l", "kop", ""),
        ("m", "njk", "n"), ("n", "bhjm", "m"), ("o", "iklp", ""), ("p", "ol", "b"), ("q", "wa", ""), ("r", "edft", ""),
        ("s", "awedxz", "cz"), ("t", "rfgy", "d"), ("u", "yhji", ""), ("v", "cfgb", "fw"), ("w", "qase", "v"), ("x", "zsdc", ""),
        ("y", "tghu", ""), ("z", "asx", "s"),
    )
}  # fmt: skip


def _swapped(word: str) -> set[str]:
    return {word[:i] + word[i + 1] + word[i] + word[i + 2 :] for i in range(len(word) - 1) if word[i] != word[i + 1]}


def _slips(word: str) -> set[str]:
    """What may have been meant, one slip away: two letters that changed places, a letter left out, one typed twice or
    caught beside its neighbour, one taken for another. Short words have too many neighbours for more than the first."""
    found = _swapped(word)
    if len(word) < 4:
        return found
    for i in range(len(word) + 1):
        found |= {word[:i] + letter + word[i:] for letter in _LETTERS}
    for i in range(1, len(word)):
        beside = {word[i - 1], *_LIKE[word[i - 1]], *(_LIKE[word[i + 1]] if i + 1 < len(word) else ())} if word[i - 1] in _LIKE else set()
        if word[i] == word[i - 1] or (len(word) >= 6 and word[i] in beside and word[i] not in _VOWELS and i < len(word) - 1):
            found.add(word[:i] + word[i + 1 :])
    if len(word) >= 5:
        for i in range(1, len(word)):
            found |= {word[:i] + letter + word[i + 1 :] for letter in _LIKE.get(word[i], ())}
    return found - {word}


def _inflected(word: str, speller: Speller) -> bool:
    """Whether a word is a known one with an ending ("washers", "greasing")."""
    for end in ("s", "es", "ed", "d", "ing", "er", "ers", "ly", "ment", "ness", "able", "y"):
        stem = word.removesuffix(end)
        if (
            stem != word
            and len(stem) >= 3
            and (speller.knows(stem) or speller.knows(stem + "e") or (stem[-1] == stem[-2] and speller.knows(stem[:-1])))
        ):
            return True
    return False


@lru_cache(maxsize=1)
def _english() -> frozenset[str]:
    """Whole words of the encoder's vocabulary: English words common enough to have a token of their own."""
    import json

    from assistant.router import MODELS

    held = json.loads((MODELS / "router.tokenizer.json").read_text("utf-8"))
    return frozenset(word for word in held["model"]["vocab"] if word.isalpha() and len(word) >= _SHORTEST)


def counted(texts: Iterable[str]) -> dict[str, int]:
    """The words of texts with their counts, commonest first."""
    counts: dict[str, int] = {}
    for text in texts:
        for m in _WORD.finditer(text):
            word = m.group(0).lower()
            if len(word) >= _SHORTEST and word.isascii() and word.isalpha():
                counts[word] = counts.get(word, 0) + 1
    slipped = {word for word, count in counts.items() if count <= _RARE and word not in _english() and _far_commoner(word, count, counts)}
    return dict(sorted(((w, n) for w, n in counts.items() if w not in slipped), key=lambda item: (-item[1], item[0])))


def _far_commoner(word: str, count: int, counts: Mapping[str, int]) -> bool:
    """Whether a rare word is one slip away from one so common that it is a slip of it, which writers repeat ("teh")."""
    return any(counts.get(other, 0) >= _TIMES_COMMONER * count for other in _slips(word))
