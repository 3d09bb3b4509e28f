"""Noise for training: the same example said with other names, another case, typing slips or spoken digits.

Frames come from people, never from here; only what varies without changing the plan is varied. Marks are moved with
the text, so that a noised example is as exact as its source (`tests/test_lm_corpus.py`).
"""

from __future__ import annotations

import random
import re
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from assistant.lm.labels import INDEPENDENT
from assistant.lm.phrasings import Example, Mark

SWAPPED = (
    "equipment", "equipment_class", "line", "area", "site", "product", "variant", "lot", "order", "serial", "code",
    "person", "part", "period", "reason", "supplier", "customer", "signal", "defect", "certification",
)  # fmt: skip
DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
NEIGHBOURS = {
    "a": "qs", "b": "vn", "c": "xv", "d": "sf", "e": "wr", "f": "dg", "g": "fh", "h": "gj", "i": "uo", "j": "hk",
    "k": "jl", "l": "ko", "m": "n", "n": "bm", "o": "ip", "p": "ol", "q": "wa", "r": "et", "s": "ad", "t": "ry",
    "u": "yi", "v": "cb", "w": "qe", "x": "zc", "y": "tu", "z": "xa",
}  # fmt: skip
OPENINGS = (
    "please ", "hey, ", "can you tell me ", "quick question: ", "andon, ", "hi, ", "so ", "uh ", "ok ", "pls ",
    "good morning, ", "sorry, ", "erm ", "I need to know: ", "could you check: ",
)  # fmt: skip
CLOSINGS = (" please", " thanks", " pls", " asap", "??", " thx", " thank you", " cheers")


JOINTS = (
    " and ", ", and ", " and also ", ". ", ". ", "? ", "; ", ", then ", " then ", " plus ", ". Also ", ", also ", " - ",
    ". And ", " and then ", ". Then ", " & ", "\n", " as well as ", ", ",
)  # fmt: skip
LONGEST_JOINED = 14  # words of each of two requests that are said in one breath


@dataclass(frozen=True)
class Noise:
    """How often each change happens, per example (names: per span)."""

    names: float = 0.35
    lower: float = 0.2
    upper: float = 0.03
    bare: float = 0.25
    typo: float = 0.15
    spoken: float = 0.08
    polite: float = 0.06
    joined: float = 0.1


class Names:
    """Other names for a span: those of the corpus, and made ones in the shapes that plants use."""

    def __init__(self, examples: Sequence[Example]) -> None:
        self.pool: dict[str, list[str]] = {label: [] for label in SWAPPED}
        for e in examples:
            for m in e.marks:
                if m.label in self.pool:
                    self.pool[m.label].append(e.text(m.turn)[m.start : m.end])

    def other(self, label: str, said: str, rng: random.Random) -> str:
        made = _made(label, rng) if rng.random() < 0.45 else None
        pool = self.pool[label]
        name = made or (rng.choice(pool) if pool else said)
        if label == "period" and " " not in said and " " in name and rng.random() < 0.5:
            return said
        return name


def _made(label: str, rng: random.Random) -> str | None:
    n = rng.randint
    letters = "".join(rng.choices(string.ascii_uppercase, k=rng.choice((1, 2, 2, 3))))
    if label == "equipment":
        kind = rng.choice(("CNC", "PRS", "ROB", "WLD", "OVN", "PKG", "MIX", "FIL", "CMM", "LTH", "AGV", "CNV", letters))
        return rng.choice((
            f"{kind}-{n(1, 30):02d}", f"{kind}-{n(1, 12):02d}", f"{kind}{n(1, 99)}", f"{kind} {n(1, 20)}",
            f"machine {n(1, 40)}", "this machine", "this one", "my machine", f"cell {n(1, 12)}", f"station {n(10, 90)}",
            f"press {n(1, 9)}", f"robot {n(1, 30)}", f"pump {n(1, 9)}", "the machine here", f"oven {n(1, 6)}",
        ))  # fmt: skip
    if label == "line":
        return rng.choice((f"Line {n(1, 9)}", f"Line {n(1, 3)}", f"line {n(1, 12)}", f"L{n(1, 9)}", "my line", "this line",
                           f"line {rng.choice('ABCDEF')}"))  # fmt: skip
    if label == "equipment_class":
        return rng.choice(("CNC machines", "presses", "robots", "lathes", "ovens", "conveyors", "CNCs", "compressors"))
    if label in ("lot", "order", "serial", "id"):
        return rng.choice((f"{n(10000, 99999)}", f"{n(1000, 9999)}", f"{letters}-{n(100, 9999)}", f"{letters}{n(100, 99999)}",
                           f"{n(20, 26)}{letters}{n(10, 999)}", f"{n(100000, 9999999)}"))  # fmt: skip
    if label == "code":
        return rng.choice((f"{n(1, 999)}", f"{n(100, 9999)}", f"E{n(1, 999)}", f"F{n(1, 99999)}", f"{letters}{n(10, 9999)}",
                           f"{n(1, 99)}.{n(1, 9)}", f"{letters}-{n(1, 99):02d}", f"A{n(100, 999)}"))  # fmt: skip
    if label == "product":
        return rng.choice(("XYZ", f"{letters}{n(1, 99)}", f"{letters}-{n(10, 999)}", f"product {letters}", f"part {n(100, 9999)}"))
    if label == "period":
        day = rng.choice(["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"])
        month = rng.choice(["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"])
        return rng.choice((
            "yesterday", "today", "last week", "this week", "last month", "this month", "last quarter", "this quarter",
            "last night", "this morning", "the last 24 hours", f"the last {n(2, 60)} days", f"past {n(2, 12)} weeks", day,
            f"last {day}", f"since {day}", month, f"in {month}"[3:], f"week {n(1, 52)}", f"Q{n(1, 4)}", f"{n(1, 28)} {month}",
            f"since {n(1, 12)} o'clock", f"from {n(6, 12)} to {n(13, 20)}", "right now", "last shift", "this year", "2025",
            f"{month} {n(1, 28)}", f"between {n(1, 12)} and {n(1, 12)} {month}", "year to date", f"{n(1, 28)}.{n(1, 12)}.",
        ))  # fmt: skip
    return None


def noised(example: Example, names: Names, noise: Noise, rng: random.Random) -> Example:
    """The example, changed. Labels stay; marks follow their words."""
    texts = {0: example.question, -1: example.context}
    # Where a request begins is carried along as a mark without width.
    begun = [Mark("start", at, at) for at in example.starts or ()]
    marks: list[Mark] = [*example.marks, *begun]
    swapped: Mapping[tuple[str, str], str] = {}
    for place in sorted(range(len(marks)), key=lambda i: -marks[i].start):
        mark = marks[place]
        if mark.label in SWAPPED and rng.random() < noise.names:
            said = texts[mark.turn][mark.start : mark.end]
            new = swapped.get((mark.label, said)) or names.other(mark.label, said, rng)
            _replace(texts, marks, mark.turn, mark.start, mark.end, new)
    for mark in sorted(marks, key=lambda m: -m.start):
        said = texts[mark.turn][mark.start : mark.end]
        if mark.label in SWAPPED and re.search(r"\d", said) and len(said) < 12 and rng.random() < noise.spoken:
            _replace(texts, marks, mark.turn, mark.start, mark.end, spoken(said, rng))
    question = texts[0]
    if rng.random() < noise.typo:
        for _ in range(rng.choice((1, 1, 2))):
            question = _typo(texts, marks, rng)
    roll = rng.random()
    if roll < noise.lower:
        texts = {turn: text.lower() for turn, text in texts.items()}
    elif roll < noise.lower + noise.upper:
        texts = {turn: text.upper() for turn, text in texts.items()}
    question = texts[0]
    if rng.random() < noise.bare:
        last = max((m.end for m in marks if m.turn == 0), default=0)
        stripped = question.rstrip("?.! ")
        question = stripped if len(stripped) >= last else question
    if rng.random() < noise.polite and example.status != "smalltalk":
        if rng.random() < 0.6:
            opening = rng.choice(OPENINGS)
            question = opening + question
            marks = [replace(m, start=m.start + len(opening), end=m.end + len(opening)) if m.turn == 0 else m for m in marks]
        else:
            question += rng.choice(CLOSINGS)
    starts = None if example.starts is None else tuple(m.start for m in marks if m.label == "start")
    marks = [m for m in marks if m.label != "start"]
    return replace(example, question=question, context=texts[-1], marks=tuple(marks), starts=starts)


def joined(first: Example, second: Example, rng: random.Random) -> Example:
    """Two requests said one after the other, as one compound that knows where its second begins.

    What the plan of a whole compound cannot say (which sort belongs to which half) is left out of the labels."""
    joint = rng.choice(JOINTS)
    head = first.question.rstrip(" .?!,;")
    last = max((m.end for m in first.marks), default=0)
    if len(head) < last:
        head = first.question
    tail = second.question
    if joint[0] not in ".?\n" and tail[:1].isupper() and not tail[:2].isupper() and not any(m.start == 0 for m in second.marks):
        tail = tail[0].lower() + tail[1:]
    start = len(head) + len(joint)
    marks = (*first.marks, *(replace(m, start=m.start + start, end=m.end + start, call=1) for m in second.marks))
    labels: dict[str, tuple[str, ...]] = {"status": ("answer",), "calls": ("2",)}
    for name in ("tool", *INDEPENDENT):
        both = [e.labels[name] for e in (first, second) if name in e.labels]
        if both:
            labels[name] = tuple(dict.fromkeys(label for gold in both for label in gold))
    calls = (*first.calls, *second.calls)
    return replace(first, question=head + joint + tail, calls=calls, labels=labels, marks=marks, starts=(start,))


def may_join(example: Example) -> bool:
    """Whether an example is one short request that stands alone."""
    return (
        example.status == "answer" and len(example.calls) == 1 and not example.context and not example.hazard
        and 2 <= len(example.question.split()) <= LONGEST_JOINED
    )  # fmt: skip


def _replace(texts: dict[int, str], marks: list[Mark], turn: int, start: int, end: int, new: str) -> None:
    """Puts `new` in place of text[start:end] and moves, grows or shrinks the marks of that turn."""
    texts[turn] = texts[turn][:start] + new + texts[turn][end:]
    by = len(new) - (end - start)
    for i, m in enumerate(marks):
        if m.turn != turn:
            continue
        first = m.start if m.start <= start else m.start + by if m.start >= end else start
        last = m.end if m.end <= start else m.end + by if m.end >= end else start + len(new)
        marks[i] = replace(m, start=first, end=last)


def spoken(said: str, rng: random.Random) -> str:
    """A name with its digits as a recogniser would write them ("CNC-01" -> "cnc oh one")."""
    words = re.findall(r"\d|[^\d\s-]+", said)
    zero = rng.choice(("zero", "oh"))
    return " ".join((zero if w == "0" else DIGITS[int(w)]) if w.isdigit() else w.lower() for w in words)


def _typo(texts: dict[int, str], marks: list[Mark], rng: random.Random) -> str:
    """One typing slip in a word of four letters or more of the question; rarely inside a name."""
    text = texts[0]
    words = list(re.finditer(r"[A-Za-z]{4,}", text))
    if not words:
        return text
    word = rng.choice(words)
    inside = any(m.turn == 0 and m.start < word.end() and word.start() < m.end for m in marks)
    if inside and rng.random() < 0.6:
        return text
    at = rng.randrange(word.start() + 1, word.end())
    letter = text[at]
    new = {
        "swap": text[at] + text[at - 1], "drop": text[at - 1], "double": text[at - 1] + letter + letter,
        "near": text[at - 1] + rng.choice(NEIGHBOURS.get(letter.lower(), "e")),
    }[rng.choice(("swap", "drop", "double", "near"))]  # fmt: skip
    _replace(texts, marks, 0, at - 1, at + 1, new)
    return texts[0]
