"""The free text of the demo plant in the words of its people: patterns from log_texts.yaml with slots, closers, and the habits and typos
of each author. The same author always writes in the same manner."""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ingest.demo.world import load

TYPO_SHARE = 0.22
CLOSER_SHARE = 0.35
WORD = re.compile(r"[a-z]{5,}")


class Writer:
    """Draws wordings with a random stream of its own."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        self.patterns: dict[str, Any] = load("log_texts")

    def pick(self, choices: Sequence[str]) -> str:
        return choices[int(self.rng.integers(0, len(choices)))]

    def fill(self, pattern: str, slots: Mapping[str, object]) -> str:
        """A pattern with its slots filled; `{n}` and `{m}` are small numbers, unknown slots an error."""
        values = {"n": int(self.rng.integers(2, 9)), "m": int(self.rng.integers(10, 60)), **slots}
        return pattern.format_map(values)

    def log(self, texts: Sequence[str], author: str, slots: Mapping[str, object], done: bool = True) -> str:
        """A technician's entry: one of the texts, perhaps a closing remark when the work is done, in the author's manner."""
        known = [t for t in texts if "{code}" not in t or slots.get("code")] or list(texts)
        known = [t for t in known if "{part}" not in t or slots.get("part")] or known
        text = self.fill(self.pick(known), {"code": "", "part": "spare", **slots})
        if done and self.rng.random() < CLOSER_SHARE:
            text = f"{text.rstrip('. ')}. {self.fill(self.pick(self.patterns['closers']), slots)}"
        return self.manner(text, author)

    def report(self, texts: Sequence[str], slots: Mapping[str, object]) -> str:
        """What the operator says when the trouble is reported."""
        known = [t for t in texts if "{code}" not in t or slots.get("code")] or list(texts)
        return self.fill(self.pick(known), {"code": "", **slots})

    def manner(self, text: str, author: str) -> str:
        """Habits by author: some write all small, some without full stops, one in capitals; now and then a typo."""
        habit = zlib.crc32(author.encode()) % 7
        if habit in (0, 3):
            text = text[0].lower() + text[1:]
        elif habit == 1:
            text = text[0].upper() + text[1:]
        if habit == 5:
            text = text.rstrip(".").replace(". ", " - ")
        if habit == 6 and self.rng.random() < 0.3:
            text = text.upper()
        return self.typo(text) if self.rng.random() < TYPO_SHARE else text

    def typo(self, text: str) -> str:
        """One slip in one longer word: two letters swapped, one lost or one doubled."""
        words = list(WORD.finditer(text))
        if not words:
            return text
        word = words[int(self.rng.integers(0, len(words)))]
        place = word.start() + int(self.rng.integers(1, len(word.group()) - 2))
        kind = int(self.rng.integers(0, 3))
        if kind == 0:
            return text[:place] + text[place + 1] + text[place] + text[place + 2 :]
        return text[:place] + text[place + 1 :] if kind == 1 else text[:place] + text[place] + text[place:]

    def ncr(self, defect: str, worst: str, lot: str, failed: int, equipment: str, product: str) -> str:
        entry = self.patterns["nonconformances"].get(defect) or self.patterns["nonconformances"]["other"]
        return self.fill(self.pick(entry["texts"]), {"worst": worst, "lot": lot, "failed": failed, "machine": equipment, "product": product, "defect": defect})

    def cause_of(self, defect: str, vibrating: bool, leaky_seals: bool) -> str:
        entry = self.patterns["nonconformances"].get(defect) or self.patterns["nonconformances"]["other"]
        if defect == "surface finish" and vibrating:
            return self.pick(entry["vibration_causes"])
        if defect == "leak" and leaky_seals:
            return self.pick(entry["seal_causes"])
        return self.pick(entry["causes"])

    def capa(self, defect: str, product: str, equipment: str) -> tuple[str, str, str]:
        """Title, root cause and action."""
        entry = self.patterns["capas"].get(defect) or self.patterns["capas"]["other"]
        title, root_cause, action = entry[int(self.rng.integers(0, len(entry)))]
        slots = {"product": product, "machine": equipment, "defect": defect}
        return self.fill(title, slots), self.fill(root_cause, slots), self.fill(action, slots)
