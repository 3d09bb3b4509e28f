"""From scores to a decision: take what was heard, offer it, or ask again.

`Evidence` holds how well each word fits the sound beside the best sound of the model (natural logarithms a frame, below zero).
`judged` weighs it with constants that were set by hand after looking at about a hundred synthetic clips; they are
no fit, and the confidence is an order, not a share of right ones. `python -m evals.voice_calibration` fits the same
logistic; `andon evals voice` reports what the constants do on the even cases. tests/test_voice_choice.py.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Evidence:
    """`gaps`: score of each word below the best sound, a frame; `frames`: its length; `covered`: share of the sound that
    the words explain; `snr_db`: how far the loud frames stand over the quiet ones."""

    gaps: tuple[float, ...] = ()
    frames: tuple[int, ...] = ()
    covered: float = 0.0
    snr_db: float = 99.0

    @property
    def mean(self) -> float:
        total = sum(self.frames)
        return sum(g * f for g, f in zip(self.gaps, self.frames, strict=True)) / total if total else -9.0

    @property
    def worst(self) -> float:
        """The worst stretch of three words in a row: one word alone is too short to say much."""
        best = 0.0
        for at in range(max(1, len(self.gaps) - 2)):
            gaps, frames = self.gaps[at : at + 3], self.frames[at : at + 3]
            total = sum(frames)
            if total:
                best = min(best, sum(g * f for g, f in zip(gaps, frames, strict=True)) / total)
        return best if self.gaps else -9.0

    def features(self) -> tuple[float, ...]:
        """What the weights stand for: mean, worst stretch, sound explained, frames a word, number of words."""
        words = len(self.gaps)
        pace = sum(self.frames) / words / 100 if words else 0.0
        return (self.mean, self.worst, self.covered, pace, min(words, 12) / 10)

    def word(self, at: int) -> float:
        """Confidence of one word, 0 to 1."""
        return round(_logistic(6.0 + 1.2 * self.gaps[at]), 3)

    def sure(self, start: int, end: int) -> bool:
        """Whether words `start` to `end` fit no worse than a taken request does at its worst."""
        total = sum(self.frames[start:end])
        if not total:
            return False
        return sum(g * f for g, f in zip(self.gaps[start:end], self.frames[start:end], strict=True)) / total >= SURE_PART


@dataclass(frozen=True)
class Weights:
    """A logistic: `bias` and one weight for each feature; from `take` on a text is taken, from `offer` on it is offered."""

    bias: float
    weights: tuple[float, ...]
    take: float
    offer: float


@dataclass(frozen=True)
class Weighed:
    confidence: float
    taken: bool
    offered: bool


#: Set by hand, not fitted; a weight of 0 leaves its feature out. See docs/decisions/010-speech.md.
WEIGHTS: Mapping[str, Weights] = {
    "requests": Weights(4.6, (2.2, 0.0, 6.0, 0.0, 0.0), 0.7, 0.3),
    "commands": Weights(2.5, (2.2, 0.0, 8.0, 0.0, 0.0), 0.75, 0.75),
}
#: Loud frames over quiet ones, decibels, below which nothing is taken unasked: in loud noise every sound fits alike, and
#: wrong texts score as well as right ones.
LEAST_SNR_DB = 11.0
#: Nobody says words that steer for longer than this and so much a word (hundredths of a second): a long sentence stretched
#: over "what was that" fits well, frame by frame.
MOST_FRAMES, MOST_FRAMES_A_WORD = 60, 45
SURE_PART = -5.0


def judged(what: str, evidence: Evidence) -> Weighed:
    """The confidence in a request or command, and what is done with it."""
    if not evidence.gaps:
        return Weighed(0.0, False, False)
    weights = WEIGHTS[what]
    confidence = _logistic(weights.bias + sum(w * x for w, x in zip(weights.weights, evidence.features(), strict=True)))
    drawled = what == "commands" and sum(evidence.frames) > MOST_FRAMES + MOST_FRAMES_A_WORD * len(evidence.gaps)
    clear = evidence.snr_db >= LEAST_SNR_DB and not drawled
    taken = clear and confidence >= weights.take
    return Weighed(round(confidence, 3), taken, not taken and confidence >= weights.offer)


def _logistic(x: float) -> float:
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, x))))
