"""What a document is valid for: machines, classes of machines, variants and software versions.

A document that names none is valid for all; a machine whose variant or version the plant does not know is not shut out
by them. Versions are compared number by number, "4.10" after "4.9", and a statement that is not understood hides
nothing (`tests/test_applicability.py`).
"""

from __future__ import annotations

import re
from functools import lru_cache

from retrieval.passages import DocumentInfo, Passage


def applies(
    passage: Passage | DocumentInfo,
    equipment: str | None,
    equipment_class: str | None,
    variant: str | None = None,
    software: str | None = None,
) -> bool:
    """Whether it is valid for a machine: it names the machine, or its class, or no machine at all; and then its
    variant and its software version, where both sides name one."""
    if equipment and passage.equipment:
        admitted = equipment.casefold() in (e.casefold() for e in passage.equipment)
    elif equipment_class and passage.equipment_class:
        admitted = equipment_class.casefold() in classes(passage.equipment_class)
    else:
        admitted = True
    if admitted and variant and passage.variants:
        admitted = any(is_variant(stated, variant) for stated in passage.variants)
    return admitted and (not software or not passage.software or version_admitted(passage.software, software))


def overlap(a: Passage | DocumentInfo, b: Passage | DocumentInfo) -> bool:
    """Whether some machine may be meant by both, so that they can contradict each other."""
    if a.equipment and b.equipment and not {e.casefold() for e in a.equipment} & {e.casefold() for e in b.equipment}:
        return False
    if a.equipment_class and b.equipment_class and not classes(a.equipment_class) & classes(b.equipment_class):
        return False
    if a.variants and b.variants and not any(is_variant(x, y) or is_variant(y, x) for x in a.variants for y in b.variants):
        return False
    if a.software and b.software:
        return any(version_admitted(a.software, v) and version_admitted(b.software, v) for v in _bounds(a.software, b.software))
    return True


@lru_cache(maxsize=256)
def classes(stated: str) -> frozenset[str]:
    """`cnc, robot` names two classes of machines."""
    return frozenset(c.strip().casefold() for c in re.split(r"[,;]", stated) if c.strip())


def is_variant(stated: str, own: str) -> bool:
    """Whether a machine's type is the stated one or a kind of it: `VX 500` and `vx-500/2` are a VX-500, a VX-5000 not."""
    a, b = (re.findall(r"[^\W\d_]+|\d+", text.casefold()) for text in (stated, own))
    return bool(a) and b[: len(a)] == a


_NUMBER = r"[vV]?(\d+(?:[.,_]\d+)*(?:\.[x*])?)"
_COMPARED = re.compile(rf"(<=|>=|=<|=>|<|>|≤|≥|==?)\s*{_NUMBER}")
_RANGE = re.compile(rf"{_NUMBER}\s*(?:-|–|—|\.\.\.?|…|to|through|up to|until|till|bis)\s*{_NUMBER}", re.IGNORECASE)
_FROM = re.compile(
    rf"(?:from|since|at least|starting with|as of|min(?:imum)?\.?|ab|after)\s+(?:version\s+)?{_NUMBER}"
    rf"|{_NUMBER}\s*(?:\+|(?:and|or|und|oder)\s+(?:later|newer|higher|above|up|up ?wards|neuer|höher))",
    re.IGNORECASE,
)
_UP_TO = re.compile(
    rf"(?:up to|until|till|through|max(?:imum)?\.?|bis)\s+(?:version\s+)?{_NUMBER}"
    rf"|{_NUMBER}\s*(?:and|or|und|oder)\s+(?:earlier|older|lower|below|älter)",
    re.IGNORECASE,
)
_BEFORE = re.compile(rf"(?:before|below|prior to|earlier than|older than|vor)\s+(?:version\s+)?{_NUMBER}", re.IGNORECASE)
_LONE = re.compile(rf"(?:(?:software|firmware|version|sw|fw|rel(?:ease)?)\.?\s*)*{_NUMBER}", re.IGNORECASE)

_Bound = tuple[int, ...]
_Test = tuple[str, _Bound]


def version_admitted(stated: str, version: str) -> bool:
    """Whether a version lies in what a document states: `4.2` (and 4.2.1), `4.x`, `>=4.2, <5`, `4.0 to 4.9`, `4.2 or
    later`, `before 5`, several of them set apart by commas, semicolons or "or"."""
    own = _parts(version)
    if not own:
        return True
    alternatives = _alternatives(stated)
    return not alternatives or any(all(_holds(test, own) for test in tests) for tests in alternatives)


@lru_cache(maxsize=1024)
def _alternatives(stated: str) -> tuple[tuple[_Test, ...], ...]:
    """The statement as alternatives of tests that must all hold; () when some part of it is not understood."""
    found: list[tuple[_Test, ...]] = []
    pieces = [
        p.strip()
        for p in re.split(r";|,(?!\d{3}\b)|\bor\b(?!\s+(?:later|newer|higher|above|up|earlier|older|lower|below))", stated, flags=re.I)
    ]
    for piece in filter(None, pieces):
        tests = _tests(piece)
        if not tests:
            return ()
        compared = bool(_COMPARED.match(piece))
        if compared and found and all(t[0] != "=" for t in found[-1]) and _COMPARED.search(stated):
            found[-1] = (*found[-1], *tests)  # ">=4.2, <5" is one range
        else:
            found.append(tests)
    return tuple(found)


def _tests(piece: str) -> tuple[_Test, ...]:
    compared = _COMPARED.findall(piece)
    if compared:
        names = {"=<": "<=", "=>": ">=", "≤": "<=", "≥": ">=", "==": "="}
        return tuple((names.get(sign, sign), _parts(number)) for sign, number in compared)
    if match := _BEFORE.fullmatch(piece):
        return (("<", _parts(match.group(1))),)
    if match := _FROM.fullmatch(piece):
        return ((">=", _parts(match.group(1) or match.group(2))),)
    if match := _UP_TO.fullmatch(piece):
        return (("<=", _parts(match.group(1) or match.group(2))),)
    stripped = re.sub(r"^(?:from|between|version|versions|software|firmware|sw|fw)\b\.?\s*", "", piece, flags=re.IGNORECASE)
    if match := _RANGE.fullmatch(stripped):
        return ((">=", _parts(match.group(1))), ("<=", _parts(match.group(2))))
    if match := _LONE.fullmatch(piece):
        return (("=", _parts(match.group(1))),)
    return ()


def _holds(test: _Test, own: _Bound) -> bool:
    sign, bound = test
    head = own[: len(bound)] + (0,) * (len(bound) - len(own))
    if sign == "=":
        return head == bound
    if sign == "<=":  # "up to 4.9" holds for 4.9.3
        return head <= bound
    if sign == ">":  # "above 4.2" does not hold for 4.2.1, which is a 4.2
        return head > bound
    return head < bound if sign == "<" else head >= bound


def _parts(version: str) -> _Bound:
    """(4, 2, 1) of "V4.2.1", "4.2.1-rc2" or "4.2.x"; () when there is no number."""
    match = re.search(r"\d+(?:[.,_]\d+)*", version)
    return tuple(int(n) for n in re.split(r"[.,_]", match.group())) if match else ()


def _bounds(*stated: str) -> list[str]:
    """Versions worth trying to see whether two ranges meet: each bound and the next patch after it."""
    bounds = [bound for text in stated for tests in _alternatives(text) for _, bound in tests]
    return [".".join(map(str, b)) for bound in bounds for b in (bound, (*bound, 1), (*bound[:-1], max(0, bound[-1] - 1)))] or ["0"]
