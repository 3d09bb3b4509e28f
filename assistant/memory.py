"""What a plant's people have taught: examples that a person accepted, read by the router at once.

`Remembering` is a reader around the router's: when a question is, names aside, one that somebody has put right, its tool
and closed choices come from that example and its names and times from the question itself. It never lifts a refusal, and a
frozen plant has none of it. The examples lie in the home as rows of the training corpus, which a training run
can read like the corpus itself. tests/test_memory.py.
"""

from __future__ import annotations

import json
import logging
import os
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from assistant.lm.labels import ENTITIES, HEADS, INDEPENDENT
from assistant.lm.phrasings import CorpusError, Example, example, rows
from assistant.problems import BadQuestion
from assistant.router import CONTEXT_JOINT, Reader, Reading, Span

log = logging.getLogger(__name__)

# Two wordings, names replaced by their kind, are one question from `ALIKE` on when they also share every telling word ("what
# went into lot" and "where did lot go" have a cosine of 0.93), and from `SAME` on without.
ALIKE = 0.9
SAME = 0.97
SURE = 0.97  # probability given to what a person has decided
FILE = "examples.jsonl"

#: Kinds of span that are names or times: two questions that differ in them alone want the same look-up.
NAMES = frozenset(ENTITIES) - {"status", "skill", "limit", "severity", "priority", "number", "compare"}

Embed = Callable[[Sequence[str]], npt.NDArray[np.float32]]


@dataclass(frozen=True)
class Taught:
    """One accepted example: its wording with names replaced, the kinds of names that its calls need, and its labels."""

    example: Example
    wording: str
    needs: frozenset[str]
    context: bool


@dataclass
class Memory:
    """The accepted examples of a home; a change of the file is seen at the next question. `known` marks the plant's own
    names and times in a text, which the router may miss or cut differently in two wordings."""

    folder: Path
    embed: Embed
    read: Callable[[str, Sequence[str]], Reading]
    known: Callable[[str], Sequence[Span]] = lambda text: ()
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _seen: tuple[int, int] = (0, 0)
    _taught: tuple[Taught, ...] = ()
    _vectors: Any = None

    def nearest(self, question: str, spans: Sequence[Span], context: Sequence[str]) -> tuple[Taught, float] | None:
        """The example that this question repeats, and how alike they are; None when there is none."""
        taught, vectors = self._current()
        if not taught:
            return None
        spans = self._certain(question, spans)
        wording = worded(question, spans, context)
        asked = self.embed([wording])[0]
        alike = vectors @ asked
        said = {span.label for span in spans}
        for place in np.argsort(-alike):
            if alike[place] < ALIKE:
                return None
            found = taught[int(place)]
            if alike[place] < SAME and telling(found.wording) != telling(wording):
                continue
            if found.context == bool(context) and found.needs <= said:
                return found, float(alike[place])
        return None

    def _current(self) -> tuple[tuple[Taught, ...], Any]:
        path = self.folder / FILE
        try:
            stat = path.stat()
        except OSError:
            return (), None
        with self._lock:
            if (stat.st_mtime_ns, stat.st_size) != self._seen:
                self._taught = tuple(self._learnt(item) for item in accepted(self.folder))
                self._vectors = self.embed([item.wording for item in self._taught]) if self._taught else None
                self._seen = (stat.st_mtime_ns, stat.st_size)
            return self._taught, self._vectors

    def _certain(self, text: str, spans: Sequence[Span]) -> list[Span]:
        """The router's spans, and in their place what the plant itself knows to be a name or a time."""
        certain = list(self.known(text))
        return [*certain, *(s for s in spans if not any(s.start < k.end and k.start < s.end for k in certain))]

    def _learnt(self, taught: Example) -> Taught:
        """An example as the router reads its words, so that both wordings are made alike."""
        context = tuple(taught.context.split(CONTEXT_JOINT)) if taught.context else ()
        spans = self._certain(taught.question, self.read(taught.question, context).spans)
        needs = frozenset(mark.label for mark in taught.marks if mark.turn == 0) & {span.label for span in spans}
        return Taught(taught, worded(taught.question, spans, context), needs, bool(context))


@dataclass
class Remembering:
    """A router that has been taught. `read` gives the router's reading, with what a person decided laid over it."""

    router: Reader
    memory: Memory

    def read(self, question: str, context: Sequence[str] = ()) -> Reading:
        reading = self.router.read(question, context)
        if reading.best("status") == "refused_unsafe":
            return reading
        found = self.memory.nearest(question, reading.spans, context)
        return reading if found is None else overlaid(reading, found[0].example)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.router, name)


def overlaid(reading: Reading, taught: Example) -> Reading:
    """The reading with the example's labels; its spans are the question's own."""
    heads = dict(reading.heads)
    for name, chosen in taught.labels.items():
        if name != "hazard":
            heads[name] = _ranked(name, chosen)
    tools = heads["tool"]
    return replace(reading, tools=tools, heads=heads, starts=reading.starts if len(taught.calls) > 1 else ())


def _ranked(head: str, chosen: Sequence[str]) -> tuple[tuple[str, float], ...]:
    labels = HEADS[head]
    known = [label for label in chosen if label in labels]
    rest = [label for label in labels if label not in known]
    alone = head in INDEPENDENT
    high = SURE if alone else SURE / max(1, len(known))
    low = 0.01 if alone else (1 - SURE) / max(1, len(rest))
    return (*((label, high) for label in known), *((label, low) for label in rest))


def worded(question: str, spans: Sequence[Any], context: Sequence[str] = ()) -> str:
    """A question as it is compared: names and times replaced by their kind, the last earlier question before it. Words
    that choose ("open", "novice", "top 5") stay, for they are part of the plan."""
    out, at = [], 0
    for span in sorted((s for s in spans if s.turn == 0 and s.label in NAMES), key=lambda s: (s.start, -s.end)):
        if span.start >= at:
            out += [question[at : span.start], span.label.replace("_", " ")]
            at = span.end
    asked = " ".join("".join([*out, question[at:]]).lower().split()).strip(" ?.!")
    return f"{context[-1].lower()} | {asked}" if context else asked


def telling(wording: str) -> frozenset[str]:
    """The words of a wording that say what is asked."""
    return frozenset(re.findall(r"[a-z0-9]+", wording.replace("'s", " "))) - _SMALL


_SMALL = frozenset(
    """
        a an the of on in at for by to me us my our please show give tell list is are was were do does did have has had
        can could would you i we what s how it there
    """.split()
)


def accepted(folder: Path) -> list[Example]:
    """The examples of a folder. A row that no longer fits the labels is passed over, and said in the log."""
    if not (folder / FILE).exists():
        return []
    found = []
    try:
        for row in rows(folder):
            try:
                found.append(example(row))
            except CorpusError as error:
                log.warning("an accepted example is passed over: %s", error)
    except (CorpusError, OSError, KeyError) as error:
        log.warning("the accepted examples cannot be read: %s", error)
    return found


def keep(folder: Path, row: Mapping[str, Any]) -> Example:
    """Add one accepted example, in one write; the same question put right again replaces the older row.

    Raises BadQuestion when the row does not fit the labels."""
    try:
        made = example(row)
    except CorpusError as error:
        raise BadQuestion(f"This is no plan that an example can hold: {str(error).rpartition(': ')[2]}.") from error
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / FILE
    key = (str(row["q"]).lower(), tuple(row.get("ctx", ())))
    old = [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()] if path.exists() else []
    kept = [one for one in old if (str(one["q"]).lower(), tuple(one.get("ctx", ()))) != key]
    text = "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in (*kept, dict(row)))
    temporary = path.with_suffix(".new")
    temporary.write_text(text, encoding="utf-8")
    os.replace(temporary, path)
    return made
