"""The confidence of the embedded recogniser, fitted: `python -m evals.voice_calibration` decodes every odd case in one
voice, level and noise each and prints the constants of a fit, with the right and wrong ones taken at each threshold. What
stands in assistant/voice/weighing.py was set by hand, and these figures are what to hold beside it."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

import numpy as np

from assistant.voice.front_end import conditioned
from assistant.voice.grammar import command_of
from assistant.voice.sphinx import Sphinx, evidence_of
from evals.voice import cases
from evals.voice_sound import LEVELS_DB, NOISES, VOICES, in_the_hall, spoken, wordless

#: Rows of (features, whether what was heard is what was said).
Rows = list[tuple[tuple[float, ...], bool]]


def observed(engine: Sphinx, every: int = 1) -> tuple[Rows, Rows]:
    """What requests and commands look like to the engine, right and wrong, over the odd cases."""
    requests: Rows = []
    steering: Rows = []
    for name, sound, wanted, command in _odd(every):
        ready = conditioned(sound)
        if ready is None:
            continue
        heard = engine.search("commands").decode(ready.pcm)
        right = bool(command) and command_of(heard.words) == command_of(wanted.split())
        steering.append((evidence_of(heard).features(), right))
        if not command:
            heard = engine.search("requests").decode(ready.pcm)
            if heard.words:
                read, meant = engine.network.read(heard.words), engine.network.read(wanted.split())
                same = read is not None and meant is not None and read.text == meant.text
                requests.append((evidence_of(heard).features(), same))
        del name
    return requests, steering


def _odd(every: int) -> Iterator[tuple[str, bytes, str, str]]:
    odd = [(at, row) for at, row in enumerate(cases()) if at % 2 == 0]
    for at, row in odd[::every]:
        voice = (at // 2) % len(VOICES)
        level = LEVELS_DB[(at // 2) % len(LEVELS_DB)]
        sound = in_the_hall(spoken(row["say"], VOICES[voice]), level, NOISES[(at // 3) % len(NOISES)], at)
        yield row["id"], sound, row["say"], row.get("command", "")
    for name, sound in list(wordless().items())[::2]:
        yield name, sound, "", ""


def fitted(rows: Sequence[tuple[tuple[float, ...], bool]], ridge: float = 0.5, rounds: int = 40) -> list[float]:
    """Bias and weights of a logistic, by Newton's method with a ridge."""
    x = np.array([[1.0, *features] for features, _ in rows])
    y = np.array([float(right) for _, right in rows])
    weights = np.zeros(x.shape[1])
    pull = ridge * np.eye(x.shape[1])
    pull[0, 0] = 1e-3
    for _ in range(rounds):
        p = 1 / (1 + np.exp(-np.clip(x @ weights, -30, 30)))
        slope = x.T @ (y - p) - pull @ weights
        curve = (x * (p * (1 - p))[:, None]).T @ x + pull
        weights = weights + np.linalg.solve(curve, slope)
    return [round(float(w), 3) for w in weights]


def thresholds(rows: Sequence[tuple[tuple[float, ...], bool]], weights: Sequence[float]) -> list[tuple[float, int, int]]:
    """For each threshold how many of the right ones and how many of the wrong ones would be taken."""
    scored = [
        (1 / (1 + np.exp(-(weights[0] + sum(w * x for w, x in zip(weights[1:], features, strict=True))))), right)
        for features, right in rows
    ]
    return [
        (t, sum(s >= t for s, right in scored if right), sum(s >= t for s, right in scored if not right))
        for t in np.arange(0.1, 1.0, 0.05).round(2)
    ]


def main() -> None:
    from evals.plant import demo
    from evals.voice import engines

    with demo() as plant:
        engine = engines(plant.assistant)["pocketsphinx"]
        assert isinstance(engine, Sphinx)
        for name, rows in zip(("requests", "commands"), observed(engine), strict=True):
            weights = fitted(rows)
            sys.stdout.write(f"{name}: {len(rows)} clips, {sum(right for _, right in rows)} right; weights {weights}\n")
            for threshold, right, wrong in thresholds(rows, weights):
                sys.stdout.write(f"  {threshold:.2f}: {right} right, {wrong} wrong taken\n")


if __name__ == "__main__":
    main()
