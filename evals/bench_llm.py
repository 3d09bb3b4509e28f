"""What the language model costs: a plan from question to calls, its line against bare llama.cpp on the same model, prompt and
grammar, what the prompt cache saves, memory, and how often a model is called for one answered question.

Times against llama.cpp are processor time, so that a busy machine says the same; waiting shows in the plan's own rows.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import prompts
from assistant.app import Ask
from assistant.lm import dsl
from assistant.planner_model import PlanWriter, Written
from evals.cases import Case, load
from evals.plant import Demo

T = TypeVar("T")

PLANS = 80
LINES = 40
ROUNDS = 3
ANSWERS = 16
CONTEXT = 2048
GOALS = {"median": 100.0, "p95": 250.0, "overhead": 5.0, "calls": 2.0}


def llm(plant: Demo) -> list[dict[str, Any]]:
    """All rows of the bench."""
    before = _resident_mib()
    writer = plant.assistant.writer
    opened = _resident_mib() - before
    plant.assistant.warm()
    rows = _plans(plant)
    if writer is not None:
        asked = _asked(plant, writer)
        rows += _against_bare(plant, asked)
        rows += _prefix(plant.assistant.settings.planner_model)
        rows.append(_row("memory taken by opening the planner model", opened, "MiB"))
        rows += _calls(plant, writer)
    rows += _prose(plant)
    return rows


def _row(what: str, value: float, unit: str, goal: float | None = None) -> dict[str, Any]:
    return {"what": what, "value": round(value, 2), "unit": unit, "goal": goal}


def _spread(cases: Sequence[Case], most: int) -> list[Case]:
    fit = [case for case in cases if not case.context]
    return fit[:: max(1, len(fit) // most)][:most]


def _plans(plant: Demo) -> list[dict[str, Any]]:
    asks = [Ask(case.question, case.user, case.equipment) for case in _spread(load(), PLANS)]
    times = sorted(_ms(partial(plant.assistant.plan, ask)) for ask in asks)
    who = "router and model" if plant.assistant.writer is not None else "router alone"
    return [
        _row(f"a plan end to end by {who}, median of {len(times)}", statistics.median(times), "ms", GOALS["median"]),
        _row("a plan end to end, 95th percentile", times[int(0.95 * (len(times) - 1))], "ms", GOALS["p95"]),
    ]


@dataclass(frozen=True)
class _Prompt:
    """One prompt as the product gave it to the model, and the line that came back."""

    question: str
    candidates: tuple[str, ...]
    placeholders: tuple[str, ...]
    grammar: str


@dataclass
class _Recorder:
    """A plan writer that keeps what it was asked and counts."""

    inner: PlanWriter
    asked: list[_Prompt] = field(default_factory=list)

    def write(
        self, masked: str, candidates: Sequence[str], placeholders: Sequence[str] = (), grammar: str = "", timeout_s: float = 0.5
    ) -> Written:
        self.asked.append(_Prompt(masked, tuple(candidates), tuple(placeholders), grammar))
        return self.inner.write(masked, candidates, placeholders, grammar, timeout_s)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


@contextmanager
def _recorded(plant: Demo, writer: PlanWriter) -> Iterator[_Recorder]:
    """The assistant with a recorder in the place of its writer."""
    assistant = plant.assistant
    recorder = _Recorder(writer)
    assistant.__dict__["writer"] = recorder
    assistant.__dict__.pop("parts", None)
    try:
        yield recorder
    finally:
        assistant.__dict__["writer"] = writer
        assistant.__dict__.pop("parts", None)


def _asked(plant: Demo, writer: PlanWriter) -> list[_Prompt]:
    with _recorded(plant, writer) as recorder:
        for case in _spread(load(), LINES):
            plant.assistant.plan(Ask(case.question, case.user, case.equipment))
        return list(recorder.asked)


def _against_bare(plant: Demo, asked: Sequence[_Prompt]) -> list[dict[str, Any]]:
    """The product's decoding and llama.cpp's own sampler chain (grammar, greedy) over the same prompts: the same lines?"""
    ours, bare = PlanWriter(plant.assistant.settings.planner_model), _Bare(plant.assistant.settings.planner_model)
    mine, theirs = [float("inf")] * len(asked), [float("inf")] * len(asked)
    tokens = same = 0
    try:
        for _ in range(ROUNDS):  # one after the other, so that neither has seen the prompt just before
            tokens = same = 0
            for place, ask in enumerate(asked):
                took, written = _timed(partial(_written, ours, ask))
                mine[place] = min(mine[place], took)
                took, raw = _timed(partial(bare.line, dsl.prompt(ask.question, ask.candidates), ask.grammar))
                theirs[place] = min(theirs[place], took)
                tokens += len(raw) + 1
                same += bare.text(raw) == written.text
    finally:
        ours.close()
        bare.close()
    return [
        _row(f"the model's line, median of {len(mine)}, processor time", statistics.median(mine), "ms"),
        _row("tokens a second, the product", 1000 * tokens / sum(mine), "1/s"),
        _row("tokens a second, bare llama.cpp, same prompts and grammars", 1000 * tokens / sum(theirs), "1/s"),
        _row("overhead over bare llama.cpp", 100 * (sum(mine) / sum(theirs) - 1), "%", GOALS["overhead"]),
        _row("lines that are the same as bare llama.cpp's", 100 * same / len(asked), "%"),
    ]


def _written(writer: PlanWriter, ask: _Prompt) -> Written:
    return writer.write(ask.question, ask.candidates, ask.placeholders, ask.grammar, 20.0)


class _Bare:
    """llama.cpp called directly: decode, and its own chain of a grammar sampler and a greedy one."""

    def __init__(self, path: Path, context: int = 512) -> None:
        import llama_cpp

        self._c = llama_cpp
        self.llama = llama_cpp.Llama(str(path), n_ctx=context, n_threads=1, n_threads_batch=1, verbose=False)

    def line(self, text: str, grammar: str, most: int = 48) -> list[int]:
        c, model = self._c, self.llama._model
        chain = c.llama_sampler_chain_init(c.llama_sampler_chain_default_params())
        c.llama_sampler_chain_add(chain, c.llama_sampler_init_grammar(model.vocab, grammar.encode(), b"root"))
        c.llama_sampler_chain_add(chain, c.llama_sampler_init_greedy())
        c.llama_memory_clear(c.llama_get_memory(self.llama._ctx.ctx), True)
        self.decode(self.llama.tokenize(text.encode(), add_bos=False, special=False))
        out: list[int] = []
        try:
            while len(out) < most:
                token = c.llama_sampler_sample(chain, self.llama._ctx.ctx, -1)
                if token == self.llama.token_eos():
                    break
                out.append(token)
                self.decode([token])
        finally:
            c.llama_sampler_free(chain)
        return out

    def decode(self, tokens: Sequence[int]) -> None:
        row = (self._c.llama_token * len(tokens))(*tokens)
        self._c.llama_decode(self.llama._ctx.ctx, self._c.llama_batch_get_one(row, len(tokens)))

    def text(self, tokens: Sequence[int]) -> str:
        return str(self.llama.detokenize(list(tokens)).decode("utf-8", "replace").strip())

    def close(self) -> None:
        self.llama.close()


def _prefix(path: Path) -> list[dict[str, Any]]:
    """The rules for prose stand first in every prompt: the time until the first token, with them evaluated anew and kept."""
    bare = _Bare(path, CONTEXT)
    rules = bare.llama.tokenize(prompts.load("prose").text.encode(), add_bos=False)[: CONTEXT - 300]
    asks = [bare.llama.tokenize(f" Question: {case.question}".encode(), add_bos=False)[:200] for case in _spread(load(), 8)]
    try:
        cold, warm = [], []
        for ask in asks:
            bare.llama.reset()
            cold.append(_timed(partial(_first, bare.llama, [*rules, *ask]))[0])
            warm.append(_timed(partial(_first, bare.llama, [*rules, *ask[::-1]]))[0])
    finally:
        bare.close()
    return [
        _row(f"first token, {len(rules)} constant tokens evaluated anew, processor time", statistics.median(cold), "ms"),
        _row("first token, constant tokens kept", statistics.median(warm), "ms"),
        _row("gain of the prompt cache", statistics.median(cold) / max(1e-6, statistics.median(warm)), "times"),
    ]


def _first(llama: Any, tokens: Sequence[int]) -> int:
    return int(next(llama.generate(tokens, temp=0.0)))


def _calls(plant: Demo, writer: PlanWriter) -> list[dict[str, Any]]:
    """Calls to a model per answered question, the planner's and the capable model's together."""
    counts = []
    with _recorded(plant, writer) as recorder:
        model = plant.assistant.language_model
        for case in [c for c in _spread(load(), 3 * ANSWERS) if c.status == ("answered",)][:ANSWERS]:
            before = len(recorder.asked) + (model.calls if model else 0)
            plant.assistant.ask(Ask(case.question, case.user, case.equipment))
            counts.append(len(recorder.asked) + (model.calls if model else 0) - before)
    return [
        _row(f"model calls an answered question, mean of {len(counts)}", statistics.mean(counts), ""),
        _row("model calls an answered question, most", max(counts), "", GOALS["calls"] + 0.01),
    ]


def _prose(plant: Demo) -> list[dict[str, Any]]:
    """With a capable model: how long its sentences take and how many of them hold."""
    if plant.assistant.language_model is None:
        return []
    found = []
    for case in [c for c in _spread(load(), 24) if c.status == ("answered",)][:8]:
        prose = plant.assistant.ask(Ask(case.question, case.user, case.equipment)).get("prose")
        if prose:
            found.append(prose)
    if not found:
        return []
    said, dropped = sum(len(p["sentences"]) for p in found), sum(p["dropped"] for p in found)
    return [
        _row(f"prose, median of {len(found)}", statistics.median(p["ms"] for p in found), "ms"),
        _row("sentences that held", 100 * said / max(1, said + dropped), "%"),
    ]


def _ms(do: Callable[[], object]) -> float:
    started = time.perf_counter()
    do()
    return 1000 * (time.perf_counter() - started)


def _timed(do: Callable[[], T]) -> tuple[float, T]:
    """Processor time in ms, and what came out."""
    started = time.process_time()
    out = do()
    return 1000 * (time.process_time() - started), out


def _resident_mib() -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0.0
