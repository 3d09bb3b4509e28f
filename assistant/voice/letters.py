"""Letters to sounds, learned from the pronouncing dictionary that the recogniser carries.

`train` aligns letters with sounds (each letter says none, one or two of them; expectation-maximisation over the best
alignments) and keeps, for each letter, the shortest surroundings that decide what it says. `python -m
assistant.voice.letters` writes the table that `assistant.voice.pronunciation` reads; the share of unseen words it says
right is printed, and tests/test_voice_grammar.py holds the table to a floor.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from importlib import resources
from pathlib import Path

#: Letters to the left and right that may decide, from the narrowest to the widest.
WIDTHS = ((0, 0), (0, 1), (1, 1), (1, 2), (2, 2), (2, 3), (3, 3), (4, 4))
TABLE = "letters.tsv"
_EDGE = "#"
_SEEN = 2  # times a surrounding must be seen to decide
_HELD_OUT = 20  # one word in so many is kept for the test

Sounds = tuple[str, ...]
Table = Mapping[tuple[int, str], Sounds]


def said_by_letters(word: str, table: Table | None = None) -> Sounds:
    """The sounds of a word of lower-case letters, by the widest surroundings that the table knows."""
    table = shipped() if table is None else table
    sounds: list[str] = []
    for at in range(len(word)):
        for width in range(len(WIDTHS) - 1, -1, -1):
            found = table.get((width, _around(word, at, width)))
            if found is not None:
                sounds += found
                break
    return tuple(sounds)


@lru_cache(maxsize=1)
def shipped() -> Table:
    """The table in the package: `width surroundings sounds` on each line."""
    table: dict[tuple[int, str], Sounds] = {}
    for line in resources.files("assistant.voice").joinpath(TABLE).read_text("utf-8").splitlines():
        width, around, sounds = line.split("\t")
        table[int(width), around] = tuple(sounds.split())
    return table


def _around(word: str, at: int, width: int) -> str:
    left, right = WIDTHS[width]
    padded = _EDGE * left + word + _EDGE * right
    return padded[at : at + left] + "|" + padded[at + left : at + left + 1 + right]


def train(words: Sequence[tuple[str, Sounds]], rounds: int = 4) -> dict[tuple[int, str], Sounds]:
    """The table for words with their sounds."""
    chance: dict[str, Counter[Sounds]] = {}
    aligned: list[tuple[str, list[Sounds]]] = []
    for _ in range(rounds):
        counts: dict[str, Counter[Sounds]] = defaultdict(Counter)
        aligned = []
        totals = {letter: sum(found.values()) for letter, found in chance.items()}
        for word, sounds in words:
            pieces = _align(word, sounds, chance, totals)
            if pieces is not None:
                aligned.append((word, pieces))
                for letter, piece in zip(word, pieces, strict=True):
                    counts[letter][piece] += 1
        chance = counts
    return _surroundings(aligned)


def _align(word: str, sounds: Sounds, chance: Mapping[str, Counter[Sounds]], totals: Mapping[str, int]) -> list[Sounds] | None:
    """The likeliest way to share the sounds out among the letters; None when there are too many sounds."""
    best: list[dict[int, tuple[float, int]]] = [{0: (0.0, 0)}]
    for at, letter in enumerate(word):
        reached: dict[int, tuple[float, int]] = {}
        for begin, (cost, _) in best[-1].items():
            for size in (1, 0, 2):
                end = begin + size
                if end > len(sounds):
                    continue
                if letter in totals:
                    seen = chance[letter][sounds[begin:end]]
                    step = -math.log((seen + 0.1) / (totals[letter] + 10))
                else:  # before anything is known: one sound a letter, in step with the word
                    step = 1.0 * (size != 1) + abs(end / max(1, len(sounds)) - (at + 1) / len(word))
                if end not in reached or cost + step < reached[end][0]:
                    reached[end] = (cost + step, begin)
        best.append(reached)
    if len(sounds) not in best[-1]:
        return None
    pieces: list[Sounds] = []
    end = len(sounds)
    for at in range(len(word), 0, -1):
        begin = best[at][end][1]
        pieces.append(sounds[begin:end])
        end = begin
    return pieces[::-1]


def _surroundings(aligned: Iterable[tuple[str, list[Sounds]]]) -> dict[tuple[int, str], Sounds]:
    counts: list[dict[str, Counter[Sounds]]] = [defaultdict(Counter) for _ in WIDTHS]
    for word, pieces in aligned:
        for at, piece in enumerate(pieces):
            for width in range(len(WIDTHS)):
                counts[width][_around(word, at, width)][piece] += 1
    table: dict[tuple[int, str], Sounds] = {}

    def narrower(around: str, width: int) -> Sounds | None:
        left, _, right = around.partition("|")
        for less in range(width - 1, -1, -1):
            keep_left, keep_right = WIDTHS[less]
            key = (left[len(left) - keep_left :] if keep_left else "") + "|" + right[: keep_right + 1]
            if (less, key) in table:
                return table[less, key]
        return None

    for width, found in enumerate(counts):
        for around, sounds in found.items():
            best, times = sounds.most_common(1)[0]
            if width == 0 or (times >= _SEEN and best != narrower(around, width) and times >= 0.5 * sum(sounds.values())):
                table[width, around] = best
    return table


def held_out(word: str) -> bool:
    """Whether a word is kept for the test: by its letters alone, the same on every machine."""
    return sum((i + 1) * ord(c) for i, c in enumerate(word)) % _HELD_OUT == 0


def main() -> None:
    from assistant.voice.pronunciation import carried

    words = [(word, sounds[0]) for word, sounds in carried().items() if word.isalpha() and word.isascii() and 2 <= len(word) <= 14]
    table = train([pair for pair in words if not held_out(pair[0])])
    lines = ["\t".join((str(width), around, " ".join(sounds))) for (width, around), sounds in sorted(table.items())]
    (Path(__file__).parent / TABLE).write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
