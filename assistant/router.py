"""The router: one question to ranked tools, closed choices and marked spans, in one pass of a small encoder.

It promises a `Reading`: probabilities for every head of `assistant.lm.labels`, the spans of the question, and of the
earlier questions those spans that still hold ("and line 3?" keeps yesterday, drops line 2). Unknown names are marked
like known ones; nothing here consults the plant. The graph is an int8 ONNX file read by onnxruntime with the
`tokenizers` package, verified by its SHA-256 before it is opened. `tests/test_router.py` proves the decoding, the
offsets and every refusal to load.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from assistant.lm.labels import ENTITIES, HEADS, INDEPENDENT, PHRASES, bio
from assistant.problems import ModelUnusable

MODELS = Path(__file__).parent / "lm" / "models"
LONGEST_QUESTION = 2000  # characters; beyond it a question is cut before tokenising
MOST_TOKENS = 192
CONTEXT_TURNS = 3
CONTEXT_JOINT = " | "

Floats = npt.NDArray[np.float32]


class RouterUnavailable(ModelUnusable):
    """The router's files are missing, damaged or not ours; the message is one sentence for whoever installs Andon."""


@dataclass(frozen=True)
class Span:
    """A marked piece of text: `text == source[start:end]`; `score` in 0..1 is the mean tag probability.

    `turn` is 0 for the question itself, -1 for the last earlier question, -2 for the one before it, and so on. `negated` says
    that the question excludes it ("without changeovers").
    """

    label: str
    text: str
    start: int
    end: int
    score: float
    negated: bool = False
    turn: int = 0


@dataclass(frozen=True)
class Reading:
    """What the router saw. `heads[name]` is ranked, best first; see `assistant.lm.labels.HEADS` for the names.

    `heads["calls"]` is the number of tool calls that the question needs. `context_spans` holds only those spans of
    earlier questions that still apply to this one. `starts` are the places where a second and later request begins, as
    (offset in the question, probability).
    """

    tools: tuple[tuple[str, float], ...]
    heads: Mapping[str, tuple[tuple[str, float], ...]]
    spans: tuple[Span, ...] = ()
    context_spans: tuple[Span, ...] = ()
    starts: tuple[tuple[int, float], ...] = ()

    def best(self, head: str) -> str:
        """The likeliest label of a head."""
        return self.heads[head][0][0]

    def above(self, head: str, threshold: float = 0.5) -> tuple[str, ...]:
        """Every label of a head at or above a probability, best first (for the independent heads)."""
        return tuple(label for label, p in self.heads[head] if p >= threshold)


class Reader(Protocol):
    """The port that planning depends on: `Router`, or `ScriptedRouter` in tests."""

    def read(self, question: str, context: Sequence[str] = ()) -> Reading: ...


@dataclass
class Router:
    """The shipped reader. `read` may be called from any thread; one inference runs at a time."""

    session: Any
    tokenizer: Any
    sha256: str
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: HEADS)  # those of the graph, in its order
    lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def load(cls, folder: Path | None = None, threads: int = 1) -> Router:
        """Opens `router.onnx` of a models folder (the shipped one by default), its hash checked against `models.json`.

        Raises RouterUnavailable with one sentence when a file is missing, altered, or has other labels.
        """
        folder = folder or MODELS
        manifest = read_manifest(folder)
        graph = verified(folder, "router.onnx", manifest)
        words = verified(folder, "router.tokenizer.json", manifest)
        labels = json.loads(verified(folder, "router.labels.json", manifest))
        heads = {name: tuple(values) for name, values in labels.get("heads", {}).items()}
        known = set(heads) == set(HEADS) and all(set(values) <= set(HEADS[name]) for name, values in heads.items())
        if not known or labels.get("entities") != list(ENTITIES) or labels["phrases"] != list(PHRASES):
            raise RouterUnavailable("The router was trained with other labels than this version uses; run `make train`.")
        import onnxruntime
        from tokenizers import Tokenizer

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime raises its own unlisted types for a graph it cannot run
            raise RouterUnavailable("router.onnx is not a graph that this onnxruntime can run; reinstall it.") from error
        tokenizer = Tokenizer.from_str(words.decode())
        tokenizer.enable_truncation(MOST_TOKENS, strategy="longest_first")
        tokenizer.no_padding()
        return cls(session, tokenizer, hashlib.sha256(graph).hexdigest(), heads)

    def read(self, question: str, context: Sequence[str] = ()) -> Reading:
        """Reads a question, with up to three earlier questions of the same conversation, oldest first."""
        question = question[:LONGEST_QUESTION]
        earlier = [turn[:LONGEST_QUESTION] for turn in context[-CONTEXT_TURNS:]]
        joined = CONTEXT_JOINT.join(earlier)
        encoding = self.tokenizer.encode(question, joined) if earlier else self.tokenizer.encode(question)
        heads, entity, phrase, negated, starts = self.logits(encoding)
        ranked = split_heads(heads[0], self.labels)
        spans: list[Span] = []
        carried: list[Span] = []
        begins: tuple[tuple[int, float], ...] = ()
        for sequence, source, found in ((0, question, spans), (1, joined, carried)):
            tokens = [
                (i, *encoding.offsets[i])
                for i, s in enumerate(encoding.sequence_ids)
                if s == sequence and encoding.offsets[i][1] > encoding.offsets[i][0]
            ]
            if not tokens:
                continue
            rows = [t[0] for t in tokens]
            offsets = [(t[1], t[2]) for t in tokens]
            no = negated[0][rows]
            if sequence == 0:
                begins = begun(source, offsets, starts[0][rows])
            found += decode(source, offsets, entity[0][rows], ENTITIES, no)
            found += decode(source, offsets, phrase[0][rows], PHRASES, no)
        return Reading(ranked["tool"], ranked, tuple(spans), tuple(to_turn(s, earlier) for s in carried), begins)

    def logits(self, encoding: Any) -> list[Floats]:
        """The five outputs of the graph for one encoding: heads, then entity, phrase, negated and starts per token."""
        feed = {
            "input_ids": np.array([encoding.ids], dtype=np.int64),
            "attention_mask": np.array([encoding.attention_mask], dtype=np.int64),
            "token_type_ids": np.array([encoding.type_ids], dtype=np.int64),
        }
        with self.lock:
            found = list(self.session.run(None, feed))
        return found


def to_turn(span: Span, earlier: Sequence[str]) -> Span:
    """Moves a span of the joined context to offsets within its own earlier question."""
    start = 0
    for position, turn in enumerate(earlier):
        if span.start <= start + len(turn) or position == len(earlier) - 1:
            at = max(0, span.start - start)
            text = turn[at : span.end - start]
            return Span(span.label, text, at, at + len(text), span.score, span.negated, position - len(earlier))
        start += len(turn) + len(CONTEXT_JOINT)
    return span


def split_heads(logits: Floats, heads: Mapping[str, tuple[str, ...]] = HEADS) -> dict[str, tuple[tuple[str, float], ...]]:
    """The concatenated logits of all heads, as ranked (label, probability) per head; a label that the graph was not
    trained with has probability 0."""
    ranked: dict[str, tuple[tuple[str, float], ...]] = {}
    at = 0
    for name, labels in heads.items():
        part = logits[at : at + len(labels)].astype(np.float64)
        at += len(labels)
        if name in INDEPENDENT:
            p = 1.0 / (1.0 + np.exp(-part))
        else:
            e = np.exp(part - part.max())
            p = e / e.sum()
        order = np.argsort(-p, kind="stable")
        unknown = [label for label in HEADS[name] if label not in labels]
        ranked[name] = (*((labels[i], float(p[i])) for i in order), *((label, 0.0) for label in unknown))
    return ranked


def decode(
    source: str, offsets: Sequence[tuple[int, int]], logits: Floats, labels: tuple[str, ...], negated: Floats
) -> list[Span]:
    """Spans from token logits of shape (tokens, 1 + 2 * labels): the likeliest tag path in which I-x follows B-x or I-x.

    A word is never cut: a span grows to the letters and digits that touch it, since word pieces end inside words.
    """
    tags = bio(labels)
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    path = _likeliest(log_p)
    p = np.exp(log_p[np.arange(len(path)), path])
    spans: list[Span] = []
    i = 0
    while i < len(path):
        if path[i] == 0:
            i += 1
            continue
        label = tags[path[i]][2:]
        j = i + 1
        while j < len(path) and tags[path[j]] == f"I-{label}":
            j += 1
        start, end = offsets[i][0], offsets[j - 1][1]
        while start > 0 and source[start - 1].isalnum() and source[start].isalnum():
            start -= 1
        while end < len(source) and source[end].isalnum() and source[end - 1].isalnum():
            end += 1
        excluded = float(np.mean(1.0 / (1.0 + np.exp(-negated[i:j, 0])))) > 0.5
        if not spans or start >= spans[-1].end:
            spans.append(Span(label, source[start:end], start, end, float(p[i:j].mean()), excluded))
        i = j
    return spans


START = 0.45  # probability from which a later request begins at a token
START_APART = 12  # characters between two beginnings: a request has at least two words


def begun(source: str, offsets: Sequence[tuple[int, int]], logits: Floats) -> tuple[tuple[int, float], ...]:
    """Where later requests begin: the likeliest tokens by their logit (tokens, 1), each at the start of its word, the
    first token aside, no two closer than a request is long."""
    p = 1.0 / (1.0 + np.exp(-logits[:, 0].astype(np.float64)))
    kept: list[tuple[int, float]] = []
    for i in np.argsort(-p, kind="stable"):
        if p[i] < START:
            break
        at = offsets[i][0]
        while at > 0 and source[at - 1].isalnum() and source[at].isalnum():
            at -= 1
        if at >= START_APART // 2 and all(abs(at - other) >= START_APART for other, _ in kept):
            kept.append((at, float(p[i])))
    return tuple(sorted(kept))


def _likeliest(log_p: Floats) -> list[int]:
    """Viterbi over tags laid out as O, B-a, I-a, B-b, I-b ...: I-x only after B-x or I-x."""
    count = log_p.shape[1]
    inside = np.arange(2, count, 2)
    score = log_p[0].astype(np.float64).copy()
    score[inside] = -np.inf
    back = np.zeros(log_p.shape, dtype=np.int64)
    for t in range(1, len(log_p)):
        best = int(score.argmax())
        step = np.full(count, score[best])
        back[t] = best
        from_begin = score[inside - 1] >= score[inside]
        back[t, inside] = np.where(from_begin, inside - 1, inside)
        step[inside] = np.maximum(score[inside - 1], score[inside])
        score = step + log_p[t]
    path = [int(score.argmax())]
    for t in range(len(log_p) - 1, 0, -1):
        path.append(int(back[t, path[-1]]))
    return path[::-1]


def read_manifest(folder: Path) -> dict[str, Any]:
    """`models.json` of a models folder: file name -> {sha256, bytes, ...}."""
    try:
        found = json.loads((folder / "models.json").read_text("utf-8"))
        return dict(found["files"])
    except FileNotFoundError:
        raise RouterUnavailable(f"There is no models.json in {folder.name}; run `make train` or reinstall.") from None
    except (ValueError, KeyError, TypeError):
        raise RouterUnavailable("models.json is damaged; reinstall Andon or run `make train`.") from None


def verified(folder: Path, name: str, manifest: Mapping[str, Any]) -> bytes:
    """The bytes of a shipped file whose SHA-256 is the manifest's, else RouterUnavailable."""
    try:
        content = (folder / name).read_bytes()
    except OSError:
        raise RouterUnavailable(f"The model file {name} is missing; reinstall Andon or run `make train`.") from None
    if hashlib.sha256(content).hexdigest() != manifest.get(name, {}).get("sha256"):
        raise RouterUnavailable(f"The model file {name} is not the one that was shipped (its SHA-256 differs).")
    return content


@dataclass(frozen=True)
class ScriptedRouter:
    """A reader for tests: a function from question and context to what `reading` takes.

    >>> ScriptedRouter(lambda q, context: reading("query_metrics", metric="oee", spans=spans(q, line="Line 3")))
    """

    answer: Callable[[str, Sequence[str]], Reading]

    def read(self, question: str, context: Sequence[str] = ()) -> Reading:
        return self.answer(question, context)


def reading(
    tool: str | Sequence[str] = (),
    status: str = "answer",
    *,
    spans: Sequence[Span] = (),
    context_spans: Sequence[Span] = (),
    p: float = 0.97,
    starts: Sequence[int] = (),
    **heads: str | Sequence[str],
) -> Reading:
    """A Reading written by hand: the named labels get probability `p`, the rest share what is left."""
    tools = (tool,) if isinstance(tool, str) else tuple(tool)
    chosen: dict[str, str | Sequence[str]] = {**heads, "tool": tools, "status": status}
    chosen.setdefault("calls", str(max(1, len(tools))))
    ranked: dict[str, tuple[tuple[str, float], ...]] = {}
    for name, labels in HEADS.items():
        value = chosen.get(name, ())
        wanted = [value] if isinstance(value, str) else list(value)
        unknown = set(wanted) - set(labels)
        if unknown:
            raise ValueError(f"{name} has no label {sorted(unknown)}")
        if not wanted and name not in INDEPENDENT:
            wanted = [labels[0]]
        low = 0.01 if name in INDEPENDENT else (1 - p) / max(1, len(labels) - len(wanted))
        high = p if name in INDEPENDENT else p / max(1, len(wanted))
        rest = [label for label in labels if label not in wanted]
        ranked[name] = (*((label, high) for label in wanted), *((label, low) for label in rest))
    return Reading(ranked["tool"], ranked, tuple(spans), tuple(context_spans), tuple((at, p) for at in starts))


def spans(question: str, *negated: str, turn: int = 0, **labelled: str | Sequence[str]) -> tuple[Span, ...]:
    """Spans of a question by label and text, for tests; texts named in `negated` are marked as excluded."""
    found: list[Span] = []
    for label, texts in labelled.items():
        for text in (texts,) if isinstance(texts, str) else texts:
            start = question.index(text)
            found.append(Span(label, text, start, start + len(text), 0.99, text in negated, turn))
    return tuple(sorted(found, key=lambda s: (s.start, s.end)))
