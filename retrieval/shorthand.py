"""Shorthand and typing errors that one plant's technicians share, learned from their own log, without any label.

A rare word is read as a frequent one when it is spelt like it (a typing error, or an abbreviation: its letters in order,
or its beginning) and stands between the same words. Nothing is learned from few entries, and a word of the trade is
never read as another. tests/test_shorthand.py.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from rapidfuzz.distance import OSA

from retrieval.trade_words import ABBREVIATIONS, NO_THING
from retrieval.wording import is_trade_word, plain_word, singular

#: Fewer entries than this teach nothing.
FEWEST_TEXTS = 200
#: A word stands for another that is this many times as frequent ...
RATIO_SLIP, RATIO_SHORT = 8, 3
#: ... and seen at least this often.
SEEN = 8
#: How alike (cosine, 0..1) their neighbours must be.
ALIKE_SLIP, ALIKE_SHORT = 0.12, 0.35
_WORD = re.compile(r"[a-z]+(?:[/'-][a-z]+)*")


def learned(texts: Iterable[str]) -> Mapping[str, str]:
    """Words of this log by what they stand for; {} when there are too few texts."""
    bags = [_WORD.findall(text.lower()) for text in texts]
    if len(bags) < FEWEST_TEXTS:
        return {}
    counts = Counter(word for words in bags for word in words)
    around = _neighbours(bags)
    targets: dict[str, list[str]] = defaultdict(list)
    for word, seen in counts.items():
        if seen >= SEEN and len(word) >= 4 and word.isalpha() and word not in ABBREVIATIONS and word not in NO_THING:
            targets[word[0]].append(word)
    found = {}
    for word, seen in counts.items():
        if (
            len(word) < 2
            or not word.isalpha()
            or word in ABBREVIATIONS
            or word in NO_THING
            or is_trade_word(word)
            or plain_word(word) != word
        ):
            continue
        best = max(
            ((_likeness(word, other, seen, counts[other], around), other) for other in targets[word[0]] if other != word),
            default=(0.0, ""),
        )
        if best[0] > 0:
            found[word] = plain_word(best[1])
    return found


def _likeness(word: str, other: str, seen: int, often: int, around: Mapping[str, Mapping[str, float]]) -> float:
    """How surely `word` stands for `other`; 0 when it does not."""
    if singular(word) == singular(other) or (other.startswith(word[: max(4, len(word) - 3)]) and word.startswith(other)):
        return 0.0  # a plural or a longer form is a word of its own
    slips = OSA.distance(word, other, score_cutoff=2)
    if len(word) >= 5 and abs(len(word) - len(other)) <= 2 and slips <= (1 if len(word) < 8 else 2):
        if often >= RATIO_SLIP * seen:
            alike = _cosine(around.get(word, {}), around.get(other, {}))
            return alike + 1.0 if alike >= ALIKE_SLIP else 0.0
        return 0.0
    if often >= RATIO_SHORT * seen and len(other) >= len(word) + 2 and _shortens(word, other):
        alike = _cosine(around.get(word, {}), around.get(other, {}))
        return alike if alike >= ALIKE_SHORT else 0.0
    return 0.0


def _shortens(word: str, other: str) -> bool:
    """Whether a word is written by leaving letters out of another: its beginning, or its consonants in order."""
    if len(word) >= 3 and other.startswith(word):
        return True
    if any(letter in "aeiou" for letter in word[1:]) and len(word) < 4:
        return False
    letters = iter(other)
    return all(letter in letters for letter in word) and len(word) >= 3


def _neighbours(bags: Iterable[list[str]]) -> dict[str, dict[str, float]]:
    """For each word the words beside it (side and word) with damped counts."""
    raw: dict[str, Counter[str]] = defaultdict(Counter)
    for words in bags:
        for place, word in enumerate(words):
            for step, side in ((-2, "<<"), (-1, "<"), (1, ">"), (2, ">>")):
                if 0 <= place + step < len(words):
                    raw[word][side + words[place + step]] += 1
    return {word: {name: math.log1p(count) for name, count in names.items()} for word, names in raw.items()}


def _cosine(a: Mapping[str, float], b: Mapping[str, float]) -> float:
    if not a or not b:
        return 0.0
    small, large = (a, b) if len(a) < len(b) else (b, a)
    dot = sum(value * large.get(name, 0.0) for name, value in small.items())
    return dot / math.sqrt(sum(v * v for v in a.values()) * sum(v * v for v in b.values()))
