"""When sources that are both in force do not say the same: other remedies for one alarm, another value for one thing.

Only approved documents that some machine is meant by can contradict each other; one that says less does not. Which of
them is right is not for a program: the answer shows both. tests/test_sources.py.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from retrieval.applicability import overlap
from retrieval.index import AlarmEntry, DocumentInfo, Passage
from tools.registry import Call

APPROVED = ("manual", "sop", "work_instruction", "bulletin")
#: Fields of an alarm entry that may contradict each other, as they are called in a sentence.
FIELDS = {
    "title": "the meaning",
    "cause": "the causes",
    "remedy": "what to do",
    "severity": "the severity",
    "response_time": "the time to respond",
}
_UNITS = (
    r"n ?m|nm|kn|n|bar|mbar|kpa|mpa|psi|pa|°c|°f|k|mm|cm|µm|um|m|km|rpm|min-1|1/min|mm/s|m/s|m/min|mm/min|v|kv|mv|a|ma|kw|w|kwh|ohm|kohm|hz|khz|"
    r"s|sec|seconds?|ms|min|minutes?|h|hours?|days?|weeks?|months?|l|litres?|liters?|ml|l/min|%|g|kg|t|mg|°|degrees?|cycles|parts"
)
_QUANTITY = re.compile(rf"(?<![\w.,])(-?\d+(?:[.,]\d+)?)\s*({_UNITS})(?![\w/])", re.IGNORECASE)
_THREAD = re.compile(r"\bM\d{1,2}(?:\s?[x×]\s?\d+(?:[.,]\d+)?)?\b")
_LABEL = re.compile(r"(?:^|\|)\s*[^|:]{2,30}:\s")
_IDLE = frozenset(
    "the a an of for to in on at with and or is are be must from by as it its this that what which how when every after before torque tighten tightened "
    "tightening value values set setting use used new now joint connection check than until then not do does may can should shall will you your each all".split()
)


def contradictions(first: AlarmEntry, other: AlarmEntry) -> tuple[str, ...]:
    """The fields in which two entries of one code contradict each other; () when they agree, when one says less, or
    when no machine is meant by both."""
    a, b = first.passage, other.passage
    if a.anchor.document == b.anchor.document or a.kind not in APPROVED or b.kind not in APPROVED:
        return ()
    if not overlap(a, b) or not _of_one_machine(a, b):
        return ()
    return tuple(
        name for name in FIELDS if _differ(getattr(first, name), getattr(other, name), short=name in ("severity", "response_time"))
    )


def _of_one_machine(a: Passage, b: Passage) -> bool:
    """Lists that name no machine may be those of different ones, unless their titles speak of the same."""
    named = [bool(p.equipment or p.equipment_class) for p in (a, b)]
    if all(named):
        return True
    x, y = _words(a.title), _words(b.title)
    designations = {w for w in x & y if any(c.isdigit() for c in w)}
    return not any(named) and (bool(designations) or len(x & y) >= 0.6 * max(1, min(len(x), len(y))))


def _differ(a: str, b: str, *, short: bool) -> bool:
    if not a.strip() or not b.strip():
        return False
    if short:
        return re.sub(r"[\W_]+", "", a).casefold() != re.sub(r"[\W_]+", "", b).casefold()
    if _values_differ(a, b):
        return True
    x, y = _words(a), _words(b)
    return bool(x and y) and len(x & y) < 0.5 * min(len(x), len(y))


def same_thing_other_value(query: str, a: tuple[Passage, str], b: tuple[Passage, str]) -> bool:
    """Whether two sentences of different approved documents give different values, of one unit, for the same thing."""
    (one, first), (two, second) = a, b
    if one.anchor.document == two.anchor.document or one.kind not in APPROVED or two.kind not in APPROVED:
        return False
    if not overlap(one, two) or not _values_differ(first, second):
        return False
    threads = [set(_THREAD.findall(text)) for text in (first, second)]
    if all(threads) and not threads[0] & threads[1]:
        return False
    x, y, asked = _words(first), _words(second), _words(query)
    if asked & x == asked & y and len(asked & x) >= 2:
        return True
    return len(x & y) >= 2 and len(x & y) >= 0.75 * min(len(x), len(y))


def _values_differ(a: str, b: str) -> bool:
    """Whether both give values of a unit and have none of them in common."""
    x, y = _quantities(a), _quantities(b)
    return any(not x[unit] & y[unit] for unit in x.keys() & y.keys())


def _quantities(text: str) -> dict[str, set[float]]:
    found: dict[str, set[float]] = {}
    for number, unit in _QUANTITY.findall(text):
        name = re.sub(r"\s", "", unit.lower())
        name = {"seconds": "s", "second": "s", "sec": "s", "minutes": "min", "minute": "min", "hours": "h", "hour": "h"}.get(name, name)
        found.setdefault(name, set()).add(float(number.replace(",", ".")))
    return found


def _words(text: str) -> set[str]:
    """The telling words of a text, roughly by their stems; labels of table cells, figures and units left out."""
    plain = _QUANTITY.sub(" ", _LABEL.sub(" ", text))
    words = re.findall(r"[^\W\d_][\w-]*", plain.casefold())
    return {re.sub(r"(?<=\w{3})(?:ing|ed|es|s)$", "", w) for w in words if w not in _IDLE and len(w) > 1}


_REVISION = re.compile(r"\b(?:rev(?:ision)?|version|issue|ausgabe)\b\.?\s*([A-Za-z]?\d[\w.]*|[A-Za-z])(?![\w])", re.IGNORECASE)


def mentions_revision(words: str) -> bool:
    return _REVISION.search(words) is not None


def named_revision(call: Call, words: str, documents: Sequence[DocumentInfo]) -> DocumentInfo | None:
    """The revision that the question names, "what did revision B of MAN-7 say": the only way to one that is not in
    force. None when it names none, or several documents have one of that name and it does not say which."""
    match = _REVISION.search(words)
    if match is None:
        return None
    wanted = match.group(1).rstrip(".").casefold()
    fitting = [d for d in documents if d.revision.casefold() == wanted and d.status in ("effective", "superseded", "pending")]
    said = re.sub(r"[\W_]+", "", words).casefold()
    by_id = [d for d in fitting if re.sub(r"[\W_]+", "", d.document).casefold() in said]
    if by_id:
        return by_id[0]
    machine = call.plant.equipment.get(call.equipment or "")
    of_machine = [
        d for d in fitting if machine is not None and (machine.id in d.equipment or (machine.cls and d.equipment_class == machine.cls))
    ]
    chosen = of_machine or fitting
    return chosen[0] if len({d.document for d in chosen}) == 1 else None
