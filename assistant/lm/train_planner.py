"""Trains the planner model from nothing: a small Llama that writes a plan line from a masked question and hints.

Run by `assistant.lm.train`. Questions come from the written corpus with their names masked, words noised, spans
missed or mislabelled now and then, and the router's hints simulated with its kind of mistakes; loss is on the plan
alone. The result is written as GGUF (`assistant/lm/gguf_file.py`) with its card.
"""

from __future__ import annotations

import json
import logging
import random
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from tokenizers import AddedToken, Tokenizer
from tokenizers.decoders import ByteLevel as ByteLevelDecoder
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel, Digits
from tokenizers.pre_tokenizers import Sequence as Steps
from tokenizers.trainers import BpeTrainer
from torch import Tensor, nn

from assistant.lm import dsl
from assistant.lm.augment import Names, Noise, noised
from assistant.lm.labels import HEADS, INDEPENDENT
from assistant.lm.phrasings import Example
from assistant.router import CONTEXT_JOINT, Reading, Span, to_turn

log = logging.getLogger(__name__)

END = "<|end|>"
IGNORED = -100
# What the router takes one kind of name for, when it is wrong.
CONFUSED: Mapping[str, tuple[str, ...]] = {
    "equipment": ("line", "equipment_class", "product", "area"), "line": ("equipment", "area"),
    "area": ("line", "equipment", "site"), "product": ("equipment", "lot"), "equipment_class": ("equipment", "product"),
    "lot": ("order", "serial"), "order": ("lot",), "serial": ("lot",), "period": ("compare",), "compare": ("period",),
    "symptom": ("query", "task"), "task": ("query", "symptom"), "query": ("task", "symptom"),
}  # fmt: skip


@dataclass(frozen=True)
class PlannerSettings:
    """What a training run can change."""

    hidden: int = 128
    layers: int = 3
    heads: int = 4
    inner: int = 352
    vocabulary: int = 2048
    rate: float = 2e-3
    batch: int = 48
    minutes: float = 25.0  # of processor time, so that a busy machine gives the same model later
    seed: int = 11
    threads: int = 1
    slip: float = 0.05  # spans missed or mislabelled, per span
    report_every: int = 400


@dataclass(frozen=True)
class Pair:
    """What the model reads and the line it should write."""

    prompt: str
    plan: str


def spans_of(example: Example) -> tuple[list[Span], list[Span], list[int]]:
    """Gold marks as spans of the question and of its earlier questions, and the call of each (in that order)."""
    turns = example.context.split(CONTEXT_JOINT) if example.context else []
    here, before, calls_here, calls_before = [], [], [], []
    for m in example.marks:
        text = example.text(m.turn)[m.start : m.end]
        span = Span(m.label, text, m.start, m.end, 1.0, m.negated, 0)
        if m.turn == 0:
            here.append(span)
            calls_here.append(m.call)
        else:
            before.append(to_turn(span, turns))
            calls_before.append(m.call)
    return here, before, calls_here + calls_before


def pair(example: Example, rng: random.Random, slip: float, hints: Sequence[str] | None = None) -> Pair:
    """One training pair; `hints` of a real router where they are known, else simulated ones."""
    here, before, calls = spans_of(example)
    spans = [*here, *before]
    kept: list[Span] = []
    kept_calls: list[int] = []
    for span, call in zip(spans, calls, strict=True):
        roll = rng.random()
        if roll < slip * 0.5:
            continue
        if roll < slip and span.label in CONFUSED:
            label = rng.choice(CONFUSED[span.label])
            span = Span(label, span.text, span.start, span.end, 1.0, span.negated, span.turn)
        kept.append(span)
        kept_calls.append(call)
    turns = example.context.split(CONTEXT_JOINT) if example.context else []
    masked = dsl.mask(example.question, [s for s in kept if s.turn == 0], turns, [s for s in kept if s.turn != 0])
    line = gold_line(example, masked, {id(s): c for s, c in zip(kept, kept_calls, strict=True)})
    told = hints if hints is not None else simulated_hints(example, rng)
    return Pair(dsl.prompt(masked.text, told), line)


def gold_line(example: Example, masked: dsl.Masked, call_of: Mapping[int, int]) -> str:
    """The line for an example's calls over the placeholders that its question really has."""
    if not example.calls:
        return example.status
    lines = []
    for number, (tool, arguments) in enumerate(example.calls):
        values: dict[str, list[str]] = {}
        where_of = {label: name for name, labels in dsl.ORDER[tool] for label in labels}
        if "type" in where_of.values() and "type" not in arguments:
            where_of.pop("status", None)
        number_keys = [k for k in ("age_days", "duration_min", "quantity") if k in arguments]
        where_of["number"] = number_keys[0] if number_keys else ""
        said = {str(v).lower() for value in arguments.values() for v in _flat(value)}
        named: set[tuple[str, str]] = set()
        ours = sorted(masked.values.items(), key=lambda item: call_of.get(id(item[1])) != number)  # this call's own first
        for name, span in ours:
            argument = where_of.get(span.label)
            text = span.text.lower()
            if argument and (argument, text) not in named and (call_of.get(id(span)) == number or text in said):
                named.add((argument, text))
                values.setdefault(argument, []).append(("!" if span.negated else "") + name)
        values = {argument: sorted(names, key=lambda n: n.lstrip("!")) for argument, names in values.items()}
        values.update(_closed(tool, arguments))
        allowed = {name for name, _ in dsl.ORDER[tool]}
        lines.append((tool, {k: v for k, v in values.items() if k in allowed}))
    return dsl.write_plan(lines)


def _flat(value: Any) -> list[Any]:
    from assistant.lm.phrasings import as_list

    return as_list(value)


def _closed(tool: str, arguments: Mapping[str, Any]) -> dict[str, list[str]]:
    """The closed words of a call, canonical."""
    from assistant.lm.phrasings import compare_kind, head_labels

    labels = head_labels("answer", [(tool, arguments)], False, False)
    found: dict[str, list[str]] = {}
    for head, argument in (("metric", "metrics"), ("record", "records"), ("by", "by"), ("search_kind", "kinds"),
                           ("kind", "kind"), ("request_kind", "kind"), ("record_status", "status")):  # fmt: skip
        if labels.get(head) and argument in dict(dsl.ORDER[tool]):
            found[argument] = list(labels[head])
    for head, argument in (("sort", "sort"), ("direction", "direction"), ("skill", "skill")):
        if labels.get(head, ("none",))[0] != "none":
            found[argument] = [labels[head][0]]
    if arguments.get("limit") == 1:
        found["limit"] = ["1"]
    if "compare_to" in arguments and compare_kind(arguments["compare_to"]) in ("previous_period", "target"):
        found["compare_to"] = [compare_kind(arguments["compare_to"])]
    return found


def simulated_hints(example: Example, rng: random.Random) -> tuple[str, ...]:
    """Hints as `dsl.hints` gives them, with the gold labels usually but not always first."""
    heads: dict[str, tuple[tuple[str, float], ...]] = {}
    for name, labels in HEADS.items():
        gold = [g for g in example.labels.get(name, ()) if g in labels]
        sure = {"tool": 0.9, "status": 0.95, "metric": 0.88, "by": 0.88, "record": 0.9}.get(name, 0.93)
        others = [label for label in labels if label not in gold]
        if name in INDEPENDENT:
            p = {g: rng.uniform(0.5, 1) if rng.random() < sure else rng.uniform(0, 0.6) for g in gold}
            if rng.random() > sure and others:
                p[rng.choice(others)] = rng.uniform(0.25, 0.9)
        elif gold:
            p = {g: rng.uniform(0.6, 1.0) / len(gold) for g in gold}
            left = 1 - sum(p.values())
            for other in rng.sample(others, min(3, len(others))):
                p[other] = left * rng.uniform(0.1, 0.7)
            if rng.random() > sure:
                wrong, right = rng.choice(others), gold[0]
                p[wrong], p[right] = p[right], p.get(wrong, 0.1)
        else:
            p = {rng.choice(labels): 0.6}
        rest = {label: 0.0 for label in labels if label not in p}
        heads[name] = tuple(sorted({**p, **rest}.items(), key=lambda item: -item[1]))
    return dsl.hints(Reading(heads["tool"], heads))


def new_tokenizer(texts: Iterable[str], size: int) -> Tokenizer:
    """Byte-level BPE with single digits (llama.cpp's `smollm` pre-tokeniser); words of the language are one token."""
    tokenizer = Tokenizer(BPE())
    tokenizer.pre_tokenizer = Steps([Digits(individual_digits=True), ByteLevel(add_prefix_space=False, use_regex=True)])
    tokenizer.decoder = ByteLevelDecoder()
    own = [*dsl.closed_words(), *dsl.placeholder_words()]
    trainer = BpeTrainer(
        vocab_size=size - len(own), initial_alphabet=ByteLevel.alphabet(), special_tokens=[END], show_progress=False
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.add_tokens([AddedToken(word, normalized=False, special=False) for word in own])
    return tokenizer


def new_model(settings: PlannerSettings, vocabulary: int) -> nn.Module:
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(settings.seed)
    config = LlamaConfig(
        vocab_size=vocabulary, hidden_size=settings.hidden, intermediate_size=settings.inner,
        num_hidden_layers=settings.layers, num_attention_heads=settings.heads, num_key_value_heads=settings.heads,
        max_position_embeddings=512, tie_word_embeddings=True, rms_norm_eps=1e-5, bos_token_id=0, eos_token_id=0,
    )  # fmt: skip
    return LlamaForCausalLM(config)


def encode(pairs: Sequence[Pair], tokenizer: Tokenizer) -> tuple[Tensor, Tensor]:
    """Token ids and labels of a batch, padded at the end; labels only on the plan and its end."""
    end = tokenizer.token_to_id(END)
    rows = []
    for p in pairs:
        head = tokenizer.encode(p.prompt).ids
        rows.append((head, [*tokenizer.encode(p.plan).ids, end]))
    longest = max(len(head) + len(tail) for head, tail in rows)
    ids = torch.zeros((len(rows), longest), dtype=torch.long)
    labels = torch.full((len(rows), longest), IGNORED)
    for i, (head, tail) in enumerate(rows):
        n, m = len(head), len(tail)
        ids[i, : n + m] = torch.tensor(head + tail)
        labels[i, n : n + m] = torch.tensor(tail)
    return ids, labels


def stream(examples: Sequence[Example], names: Names, settings: PlannerSettings, rng: random.Random) -> Iterator[list[Pair]]:
    """Batches without end, of similar length, each example noised anew."""
    noise = Noise(names=0.0, typo=0.2, spoken=0.0, polite=0.15)
    while True:
        order = list(examples)
        rng.shuffle(order)
        for start in range(0, len(order), settings.batch * 12):
            made = [pair(noised(e, names, noise, rng), rng, settings.slip) for e in order[start : start + settings.batch * 12]]
            made.sort(key=lambda p: len(p.prompt))
            groups = [made[i : i + settings.batch] for i in range(0, len(made), settings.batch)]
            rng.shuffle(groups)
            yield from groups


def weighed(examples: Sequence[Example]) -> list[Example]:
    """The taught examples, rare kinds (compound, follow-up) three times."""
    out = []
    for e in examples:
        if not e.held_out:
            out += [e] * (3 if len(e.calls) > 1 or e.context else 1)
    return out


def train(examples: Sequence[Example], settings: PlannerSettings, folder: Path) -> tuple[nn.Module, Tokenizer]:
    """Trains until the time is up; a line of `planner.curve.jsonl` and a checkpoint now and then; resumes."""
    torch.set_num_threads(settings.threads)
    folder.mkdir(parents=True, exist_ok=True)
    rng = random.Random(settings.seed)
    taught = weighed(examples)
    names = Names(taught)
    state_file, words_file = folder / "planner.checkpoint.pt", folder / "planner.tokenizer.json"
    if state_file.exists() and words_file.exists():
        tokenizer = Tokenizer.from_file(str(words_file))
    else:
        texts = [text for e in taught for p in (pair(e, rng, 0.0),) for text in (p.prompt, p.plan)]
        tokenizer = new_tokenizer(texts, settings.vocabulary)
        tokenizer.save(str(words_file))
    model = new_model(settings, tokenizer.get_vocab_size())
    optimiser = torch.optim.AdamW(model.parameters(), lr=settings.rate, betas=(0.9, 0.95), weight_decay=0.05)
    spent = 0.0
    if state_file.exists():
        state = torch.load(state_file, weights_only=False)
        model.load_state_dict(state["model"])
        optimiser.load_state_dict(state["optimiser"])
        spent = state["minutes"]
        log.info("resumed after %.1f minutes", spent)
    kept = [e for e in examples if e.held_out]
    judged = [pair(e, random.Random(5), 0.0) for e in kept]
    started, losses = time.process_time(), []
    for step, group in enumerate(stream(taught, names, settings, rng), 1):
        minutes = spent + (time.process_time() - started) / 60
        share = min(1.0, minutes / settings.minutes)
        rate = settings.rate * min(1.0, step / 60) * max(0.03, 1 - share)
        for part in optimiser.param_groups:
            part["lr"] = rate
        model.train()
        ids, labels = encode(group, tokenizer)
        loss = model(input_ids=ids, labels=labels).loss
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        losses.append(loss.item())
        if step % settings.report_every == 0 or share >= 1.0:
            exact, tool = greedy_score(model, tokenizer, judged[:60])
            line = {"step": step, "minutes": round(minutes, 1), "loss": round(sum(losses[-100:]) / len(losses[-100:]), 4),
                    "exact": exact, "tool": tool}  # fmt: skip
            with (folder / "planner.curve.jsonl").open("a") as curve:
                curve.write(json.dumps(line) + "\n")
            log.info("%s", line)
            torch.save({"model": model.state_dict(), "optimiser": optimiser.state_dict(), "minutes": minutes,
                        "settings": asdict(settings)}, state_file)  # fmt: skip
        if share >= 1.0:
            break
    return model, tokenizer


@torch.inference_mode()  # type: ignore[untyped-decorator]
def greedy_score(model: nn.Module, tokenizer: Tokenizer, pairs: Sequence[Pair]) -> tuple[float, float]:
    """Exact lines and right tools, percent, decoded greedily without a grammar."""
    model.eval()
    end = tokenizer.token_to_id(END)
    exact = tool = 0
    for p in pairs:
        head = tokenizer.encode(p.prompt).ids
        ids = torch.tensor([head])
        out = model.generate(
            input_ids=ids, attention_mask=torch.ones_like(ids), max_new_tokens=40, do_sample=False, pad_token_id=end,
            eos_token_id=end,
        )  # fmt: skip
        said = "".join(_piece(tokenizer, int(i)) for i in out[0, len(head) :] if int(i) != end).strip()
        exact += said == p.plan
        tool += [w for w in said.split() if "=" not in w] == [w for w in p.plan.split() if "=" not in w]
    return round(100 * exact / len(pairs), 1), round(100 * tool / len(pairs), 1)


def _piece(tokenizer: Tokenizer, token: int) -> str:
    word = tokenizer.id_to_token(token) or ""
    return word if token >= tokenizer.get_vocab_size(with_added_tokens=False) else tokenizer.decode([token])


def run(arguments: Any) -> dict[str, Any]:
    """Trains, writes `planner.gguf` with its card, and measures router, model and both on the held-out rows."""
    from assistant.llm import PlanWriter
    from assistant.lm.ablation import ablation, card
    from assistant.lm.export_router import place
    from assistant.lm.gguf_file import write
    from assistant.lm.phrasings import examples
    from assistant.router import MODELS, Router

    rows = examples()
    settings = PlannerSettings(minutes=arguments.minutes, threads=arguments.threads, seed=arguments.seed)
    if arguments.export_only:
        state = torch.load(arguments.build / "planner.checkpoint.pt", weights_only=False)
        settings = PlannerSettings(**state["settings"])
        tokenizer = Tokenizer.from_file(str(arguments.build / "planner.tokenizer.json"))
        model = new_model(settings, tokenizer.get_vocab_size())
        model.load_state_dict(state["model"])
    else:
        model, tokenizer = train(rows, settings, arguments.build)
    path = arguments.build / "planner.gguf"
    write(model, tokenizer, path, "andon planner", END)
    kept = [e for e in rows if e.held_out]
    writer = PlanWriter(path)
    table = ablation(kept, Router.load(), writer)
    writer.close()
    size = sum(p.numel() for p in model.parameters())
    text = card(table, settings, size, len(rows) - len(kept), len(kept), writer.sha256)
    place({"planner.gguf": path.read_bytes(), "planner.md": text.encode()}, MODELS,
          {"planner.gguf": {"trained": True, "parameters": size, "held_out": table}})  # fmt: skip
    return table
