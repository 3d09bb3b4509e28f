"""Which of two revisions is the newer one, as people number them.

Letters count A < B < ... < Z < AA, numbers as numbers (2 < 10, 1.9 < 1.10), days and editions by the calendar
(2024-05 < 2025-01, 11/2023 < 05/2024), a preliminary one comes before the one it prepares (B draft < B, 2.0-rc1 < 2.0).
Letters say nothing against numbers: such revisions are of different `scheme` and are told apart by when they came in.
`tests/test_revisions.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

#: Words before the revision proper: "Rev. C", "Issue 3", "v1.2", "Ausgabe 05/2024".
_WORD = re.compile(
    r"(?:revision|rev|version|ver|v|release|rel|issue|iss|edition|ed|index|ind|ausgabe|ausg|stand|révision|édition|edición|r)"
    r"(?=[\s._:-]*\d|[\s._:-]+[a-z]{1,2}(?![a-z])|(?<=rev)[a-z](?![a-z]))[\s._:-]*"
)
_PRELIMINARY = re.compile(r"(?<![a-z])(draft|preliminary|prelim|preview|entwurf|vorab|beta|alpha|rc|wip|pre)(?![a-z])")
_MONTHS = {name: n for n, name in enumerate("jan feb mar apr may jun jul aug sep oct nov dec".split(), 1)} | {
    "mär": 3, "mai": 5, "okt": 10, "dez": 12,
}  # fmt: skip
_MONTH = re.compile(rf"(?<![^\W\d_])({'|'.join(_MONTHS)})[^\W\d_]*")
_PART = re.compile(r"\d+|[^\W\d_]+")

#: One part of a revision: a number before letters, shorter letters before longer ones.
_Part = tuple[int, int, str]


@dataclass(frozen=True, order=True)
class Standing:
    """Where a revision stands among those of its `scheme` ("letters", "numbers", "calendar", or "" where it says
    nothing, which comes before all others)."""

    scheme: str
    parts: tuple[_Part, ...]


@lru_cache(maxsize=4096)
def standing(revision: str) -> Standing:
    """Where a revision stands. Two of one scheme are compared by `<`."""
    text = revision.casefold().strip()
    end: _Part = (-1, 0, "")  # below whatever goes on from here: 2.0 before 2.0.1
    if preliminary := _PRELIMINARY.search(text):
        before, after = text[: preliminary.start()], text[preliminary.end() :]
        counted = re.match(r"[\s._:-]*(\d+)", after) if _PART.search(before) else None
        end = (-2, int(counted.group(1)) if counted else 0, "")
        text = before if _PART.search(before) else after
    text = _WORD.sub("", text, count=1) if _WORD.match(text) else text
    found = _PART.findall(_MONTH.sub(lambda m: str(_MONTHS[m.group(1)]), text) if re.search(r"(19|20)\d\d", text) else text)
    day = _calendar(found)
    parts = day or tuple((0, int(p), "") if p.isdecimal() else (1, len(p), p) for p in found)
    if not parts:
        return Standing("", ())
    scheme = "calendar" if day else "numbers" if parts[0][0] == 0 else "letters"
    return Standing(scheme, (*parts, end))


def _calendar(found: Sequence[str]) -> tuple[_Part, ...]:
    """The numbers of a day, month or year with the year first; () when it is none."""
    if not found or not all(p.isdecimal() for p in found):
        return ()
    numbers = [int(p) for p in found]
    if len(found) == 1 and re.fullmatch(r"(19|20)\d\d(0[1-9]|1[0-2])([0-2]\d|3[01])", found[0]):
        numbers = [int(found[0][:4]), int(found[0][4:6]), int(found[0][6:])]
    elif len(found) in (2, 3) and _is_year(found[-1]) and all(1 <= n <= 31 for n in numbers[:-1]) and numbers[-2] <= 12:
        numbers.reverse()
    elif not _is_year(found[0]):
        return ()
    return tuple((0, n, "") for n in numbers)


def _is_year(text: str) -> bool:
    return len(text) == 4 and text[:2] in ("19", "20")


@dataclass(frozen=True)
class Revision:
    """One revision of a document that could be in force: its effective day as ISO text ("" where none is stated) and
    the generation of the index in which it came."""

    revision: str
    effective: str
    generation: int


def newest(revisions: Iterable[Revision]) -> str:
    """The revision that is in force among those whose day has come. A stated day decides; without one a revision counts
    from the day of the highest that stands below it. Then the order in which people number them, and only between
    revisions that cannot be compared, when they came in. Raises ValueError when there are none."""
    schemes: dict[str, list[Revision]] = {}
    for one in revisions:
        schemes.setdefault(standing(one.revision).scheme, []).append(one)
    stated = [found for scheme, found in schemes.items() if scheme] or list(schemes.values())
    if any(scheme == "" for scheme in schemes) and len(schemes) > 1:
        latest = max(schemes[""], key=lambda r: (r.effective, r.generation))
        if latest.effective > max(r.effective for found in stated for r in found):
            return latest.revision  # it names no revision, and a later day than all that do
    return max((_highest(found) for found in stated), key=lambda pair: pair[0])[1]


def _highest(found: Sequence[Revision]) -> tuple[tuple[str, int], str]:
    """((day, generation), revision) of the newest in one scheme."""
    since, ranked = "", []
    for one in sorted(found, key=lambda r: (standing(r.revision), r.generation)):
        since = max(since, one.effective)
        ranked.append((one.effective or since, standing(one.revision), one.generation, one.revision))
    day, _, generation, revision = max(ranked)
    return (day, generation), revision
