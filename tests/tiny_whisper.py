"""A Whisper of a few hundred kilobytes, built and converted here: every weight is zero or chosen, so that it says one
sentence, word by word, whatever it hears. It goes the whole way of a real one: transformers, CTranslate2, int8."""

from __future__ import annotations

import json
from pathlib import Path

SENTENCE = ("ĠWhat", "Ġdoes", "Ġalarm", "Ġ502", "Ġmean")


def build(folder: Path, *, random: bool = False) -> Path:
    """The CTranslate2 folder of a model that says SENTENCE; with `random` its weights are chance and it babbles."""
    import ctranslate2
    import torch
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
    from transformers import WhisperConfig, WhisperForConditionalGeneration

    torch.manual_seed(0)
    vocabulary = {sign: at for at, sign in enumerate([*sorted(pre_tokenizers.ByteLevel.alphabet()), *SENTENCE])}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    stamps = [f"<|{at * 0.02:.2f}|>" for at in range(1501)]
    marks = [
        "endoftext",
        "startoftranscript",
        "en",
        "de",
        "translate",
        "transcribe",
        "startoflm",
        "startofprev",
        "nospeech",
        "notimestamps",
    ]
    special = [*(f"<|{mark}|>" for mark in marks), *stamps]
    tokenizer.add_special_tokens([AddedToken(one, special=True) for one in special])
    size, end = tokenizer.get_vocab_size(), tokenizer.token_to_id("<|endoftext|>")
    wide = 64
    config = WhisperConfig(
        vocab_size=size, num_mel_bins=80, d_model=wide, encoder_layers=1, decoder_layers=1, encoder_attention_heads=2,
        decoder_attention_heads=2, encoder_ffn_dim=wide, decoder_ffn_dim=2 * wide, bos_token_id=end, eos_token_id=end, pad_token_id=end,
        decoder_start_token_id=tokenizer.token_to_id("<|startoftranscript|>"), tie_word_embeddings=True,
    )  # fmt: skip
    model = WhisperForConditionalGeneration(config)
    if not random:
        _chain(
            model,
            [tokenizer.token_to_id(one) for one in ("<|startoftranscript|>", "<|0.00|>", *SENTENCE, "<|2.00|>", "<|endoftext|>")],
            tokenizer.token_to_id("<|notimestamps|>"),
            wide,
        )
    model.generation_config.lang_to_id = {"<|en|>": tokenizer.token_to_id("<|en|>")}
    source = folder / "source"
    source.mkdir(parents=True)
    model.save_pretrained(source)
    tokenizer.save(str(source / "tokenizer.json"))
    (source / "tokenizer_config.json").write_text(
        json.dumps({"tokenizer_class": "PreTrainedTokenizerFast", **{f"{name}_token": "<|endoftext|>" for name in ("unk", "bos", "eos")}})
    )
    out = folder / "whisper"
    ctranslate2.converters.TransformersConverter(str(source), copy_files=["tokenizer.json"]).convert(
        str(out), quantization="int8", force=True
    )
    return out


def _chain(model, chain: list[int], quiet: int, wide: int) -> None:
    """Set the weights so that each token of the chain is followed by the next: its embedding is a direction of its own,
    the two halves of the decoder's middle layer carry it through unchanged (gelu(x) - gelu(-x) = x) and turn it to the
    direction of its follower; attention adds nothing."""
    import torch

    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "layer_norm" not in name:
                weight.zero_()
        decoder = model.model.decoder
        directions = torch.zeros(decoder.embed_tokens.weight.shape[0], wide)
        for place, token in enumerate(chain):
            directions[token, place] = 12.0
        directions[quiet, 1] = 12.0  # where words are aligned, this mark stands in the first time stamp's place
        decoder.embed_tokens.weight.copy_(directions)
        layer = decoder.layers[0]
        turn = torch.zeros(wide, wide)
        for place in range(len(chain) - 1):
            turn[place + 1, place] = 9.0
        layer.fc1.weight.copy_(torch.cat([torch.eye(wide), -torch.eye(wide)]))
        layer.fc2.weight.copy_(torch.cat([turn, -turn], dim=1))
        # Each word looks at its own third of a second, in both heads, so that words get their times.
        look = torch.zeros(wide, wide)
        for place in range(len(chain)):
            look[place, place] = look[wide // 2 + place, place] = 2.0
        layer.encoder_attn.q_proj.weight.copy_(look)
        layer.encoder_attn.k_proj.weight.copy_(look)
        frames = model.model.encoder.embed_positions.weight
        for frame in range(frames.shape[0]):
            frames[frame, min(frame // 16, len(chain) - 1)] = 6.0
