"""The planner model: a masked question in, a plan line out, under a grammar.

One thread owns the llama context, a bounded queue stands before it, what two prompts share at their beginning stays in
its cache, and each line comes with the probability that the model gave it. Everything that goes wrong is `LlmUnavailable`
with one sentence, and the router then plans alone. tests/test_llm.py.
"""

from __future__ import annotations

import ctypes
import hashlib
import json
import math
import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from assistant.lm import dsl
from assistant.lm.gguf_file import NotAModel, header
from assistant.problems import ModelUnusable

WAITING = 8  # plans that may wait for the planner; more are turned away at once
LONGEST_PLAN = 48  # tokens


class LlmUnavailable(ModelUnusable):
    """A language model cannot be used now; the sentence says why, and the shipped planner or the router takes over."""


@dataclass(frozen=True)
class Written:
    """A plan line; `probability` is the model's own of the whole line, before the grammar narrowed it."""

    text: str
    probability: float
    ms: float
    tokens: int


class PlanWriter:
    """The planner model: a masked question in, a plan line out.

    >>> masked = dsl.mask(question, spans, context, carried)
    >>> grammar = dsl.plan_grammar(dsl.ORDER, vocabulary, masked.placeholders)
    >>> written = writer.write(masked.text, dsl.hints(reading), masked.placeholders, grammar)
    >>> calls = dsl.parse_plan(written.text)
    """

    def __init__(self, path: Path, threads: int = 1, context: int = 512) -> None:
        try:
            about = header(path)
            self.sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        except NotAModel as error:
            raise LlmUnavailable(error.sentence) from None
        self.name = about.name or path.stem
        self.trained = bool(about.values.get("andon.trained", False))
        self._llama = open_llama(path, context, threads)
        self._decoder = _Decoder(self._llama)
        self._context = context
        self._jobs: queue.Queue[tuple[str, str, Future[Written]] | None] = queue.Queue(WAITING)
        self._thread = threading.Thread(target=self._serve, name="planner", daemon=True)
        self._thread.start()

    def write(
        self, masked_question: str, candidates: Sequence[str], placeholders: Sequence[str] = (), grammar: str = "",
        timeout_s: float = 0.5,
    ) -> Written:  # fmt: skip
        """One plan line. `candidates` are `dsl.hints`; without a grammar, one over all tools is made.

        Raises LlmUnavailable when the queue is full, the model is too slow, or what it wrote is no plan.
        """
        text = dsl.prompt(masked_question, candidates)
        job: Future[Written] = Future()
        try:
            self._jobs.put_nowait((text, grammar or dsl.plan_grammar(dsl.ORDER, None, placeholders), job))
        except queue.Full:
            raise LlmUnavailable("The planner model has more questions waiting than it can answer.") from None
        try:
            return job.result(timeout_s)
        except TimeoutError:
            job.cancel()
            raise LlmUnavailable(f"The planner model did not answer within {timeout_s:g} seconds.") from None

    def close(self) -> None:
        """Ends the thread and frees the model; plans that wait are given up."""
        try:
            self._jobs.put(None, timeout=1.0)
        except queue.Full:
            return
        self._thread.join(2.0)
        if not self._thread.is_alive():
            self._llama.close()

    def _serve(self) -> None:
        while (item := self._jobs.get()) is not None:
            text, grammar, job = item
            if not job.set_running_or_notify_cancel():
                continue
            try:
                job.set_result(self._decode(text, grammar))
            except LlmUnavailable as error:
                job.set_exception(error)
            except Exception:  # llama.cpp's binding raises plain RuntimeError and ValueError; none may end the thread
                job.set_exception(LlmUnavailable("The planner model failed on this question."))

    def _decode(self, text: str, grammar: str) -> Written:
        begun = time.perf_counter()
        llama = self._llama
        tokens = llama.tokenize(text.encode(), add_bos=False, special=False)
        if len(tokens) + LONGEST_PLAN >= self._context:
            raise LlmUnavailable("The question is too long for the planner model.")
        out, log_p = self._decoder.line(tokens, grammar, LONGEST_PLAN)
        line = llama.detokenize(out).decode("utf-8", "replace").strip()
        try:
            dsl.parse_plan(line)
        except dsl.PlanSyntax:
            raise LlmUnavailable("The planner model wrote something that is no plan.") from None
        return Written(line, math.exp(log_p), 1000 * (time.perf_counter() - begun), len(out))


class _Decoder:
    """Greedy decoding under a grammar, straight over llama.cpp's own calls. The likeliest token is held against the grammar
    by itself, and only when that refuses it are all tokens: a grammar over the whole vocabulary costs more than the model.
    What a prompt shares with the one before it stays evaluated."""

    def __init__(self, llama: Any) -> None:
        import llama_cpp

        self._c = llama_cpp
        self._llama = llama
        self._size = llama.n_vocab()
        self._all = (llama_cpp.llama_token_data * self._size)()
        self._one = (llama_cpp.llama_token_data * 1)()
        self._held: list[int] = []

    def line(self, tokens: Sequence[int], grammar: str, most: int) -> tuple[list[int], float]:
        """The tokens of one line without its end, and the log of the model's own probability of all of it, end included.

        Raises LlmUnavailable when it comes to no end within `most` tokens."""
        c, context = self._c, self._llama._ctx.ctx
        rules = c.llama_sampler_init_grammar(self._llama._model.vocab, grammar.encode(), b"root")
        if not rules:
            raise LlmUnavailable("The grammar of the plan cannot be read.")
        try:
            same = 0
            while same < min(len(self._held), len(tokens) - 1) and self._held[same] == tokens[same]:
                same += 1
            c.llama_memory_seq_rm(c.llama_get_memory(context), -1, same, -1)
            self._held = list(tokens[:same])
            self._feed(tokens[same:])
            out: list[int] = []
            log_p, end = 0.0, self._llama.token_eos()
            while True:
                logits = np.ctypeslib.as_array(c.llama_get_logits_ith(context, -1), shape=(self._size,))
                token = self._allowed(rules, logits)
                top = float(logits.max())
                log_p += float(logits[token]) - top - math.log(float(np.exp(logits - top).sum()))
                if token == end:
                    return out, log_p
                c.llama_sampler_accept(rules, token)
                out.append(token)
                if len(out) >= most:
                    raise LlmUnavailable("The planner model did not come to an end.")
                self._feed([token])
        finally:
            c.llama_sampler_free(rules)

    def _feed(self, tokens: Sequence[int]) -> None:
        c = self._c
        row = (c.llama_token * len(tokens))(*tokens)  # held until the call is over: a batch only points to it
        if c.llama_decode(self._llama._ctx.ctx, c.llama_batch_get_one(row, len(tokens))) != 0:
            self._held = []
            c.llama_memory_clear(c.llama_get_memory(self._llama._ctx.ctx), True)
            raise LlmUnavailable("The planner model failed on this question.")
        self._held += tokens

    def _allowed(self, rules: Any, logits: Any) -> int:
        """The likeliest token that the grammar lets stand here."""
        best = int(logits.argmax())
        self._one[0].id, self._one[0].logit, self._one[0].p = best, float(logits[best]), 0.0
        self._narrow(rules, self._one, 1)
        if self._one[0].logit != -math.inf:
            return best
        table = np.frombuffer(self._all, dtype=_TOKEN_DATA)
        table["id"], table["logit"], table["p"] = np.arange(self._size), logits, 0.0
        self._narrow(rules, self._all, self._size)
        place = int(table["logit"].argmax())
        if table["logit"][place] == -math.inf:
            raise LlmUnavailable("The grammar of the plan leaves the planner model nothing to write.")
        return int(table["id"][place])

    def _narrow(self, rules: Any, table: Any, size: int) -> None:
        """Give every token of the table that the grammar forbids a logit of minus infinity."""
        data = ctypes.cast(table, ctypes.POINTER(self._c.llama_token_data))
        self._c.llama_sampler_apply(rules, ctypes.byref(self._c.llama_token_data_array(data, size, -1, False)))


#: llama.cpp's `llama_token_data`.
_TOKEN_DATA = np.dtype([("id", np.int32), ("logit", np.float32), ("p", np.float32)])


def open_writer(path: Path, threads: int = 1) -> PlanWriter:
    """The planner model of a GGUF file; one that lies beside a list of shipped hashes must match it. Raises LlmUnavailable."""
    shipped = shipped_sha256(path)
    writer = PlanWriter(path, threads)
    if shipped and shipped != writer.sha256:
        writer.close()
        raise LlmUnavailable(f"The model file {path.name} is not the one that was shipped (its SHA-256 differs).")
    return writer


def shipped_sha256(path: Path) -> str:
    """The hash under which a file was shipped; empty for a file that was not."""
    try:
        files = json.loads((path.parent / "models.json").read_text("utf-8"))["files"]
        return str(files[path.name]["sha256"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def open_llama(path: Path, context: int, threads: int, gpu_layers: int = 0) -> Any:
    """llama.cpp with a file that `header` has passed. Raises LlmUnavailable."""
    try:
        from llama_cpp import Llama
    except (ImportError, OSError, RuntimeError):
        raise LlmUnavailable("llama-cpp-python is not installed on this machine; run `make setup`.") from None
    try:
        return Llama(
            str(path), n_ctx=context, n_threads=threads, n_threads_batch=threads, n_gpu_layers=gpu_layers, verbose=False
        )  # fmt: skip
    except Exception:  # the binding's plain errors, and whatever the chat template of the file raises
        raise LlmUnavailable(f"llama.cpp cannot load {path.name}; the file is damaged or of an unknown kind.") from None


class ScriptedWriter:
    """A plan writer for tests: lines by masked question, or one function."""

    name: ClassVar[str] = "scripted"
    sha256: ClassVar[str] = ""

    def __init__(self, lines: Mapping[str, str] | Callable[[str], str], probability: float = 0.95) -> None:
        self._lines, self._probability = lines, probability
        self.asked: list[str] = []

    def write(
        self, masked_question: str, candidates: Sequence[str], placeholders: Sequence[str] = (), grammar: str = "",
        timeout_s: float = 0.5,
    ) -> Written:  # fmt: skip
        self.asked.append(masked_question)
        line = self._lines(masked_question) if callable(self._lines) else self._lines.get(masked_question)
        if line is None:
            raise LlmUnavailable("The script has no line for this question.")
        return Written(line, self._probability, 0.0, len(line.split()))

    def close(self) -> None:
        pass
