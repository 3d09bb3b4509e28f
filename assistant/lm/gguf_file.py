"""GGUF files: a header reader that judges a file before llama.cpp opens it, and the writer of the planner model.

`header` promises one sentence for anything that is not a whole language model: another format, a cut file, another
architecture. `write` stores a trained Llama so that llama.cpp computes what training computed and cuts text into the
same tokens; tests/test_llm.py proves both on a tiny model.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from assistant.problems import ModelUnusable

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from torch import nn

# Architectures of llama.cpp that read text or sound into vectors and cannot write a plan.
NOT_WRITERS = frozenset({"bert", "nomic-bert", "jina-bert-v2", "clip", "whisper", "t5encoder", "wavtokenizer-dec"})
_SCALARS = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d"}
_STRING, _ARRAY = 8, 9
# bytes per block and elements per block of the tensor types that a file may hold (ggml's table)
_BLOCKS = {
    0: (4, 1), 1: (2, 1), 2: (18, 32), 3: (20, 32), 6: (22, 32), 7: (24, 32), 8: (34, 32), 9: (36, 32), 10: (84, 256),
    11: (110, 256), 12: (144, 256), 13: (176, 256), 14: (210, 256), 15: (292, 256), 16: (66, 256), 17: (74, 256),
    18: (98, 256), 19: (50, 256), 20: (18, 32), 21: (110, 256), 22: (82, 256), 23: (136, 256), 24: (1, 1), 25: (2, 1),
    26: (4, 1), 27: (8, 1), 28: (8, 1), 29: (56, 256), 30: (2, 1),
}  # fmt: skip
_MOST = 1 << 20  # keys, tensors or bytes of one string beyond which a header is taken for damaged


class NotAModel(ModelUnusable):
    """The file is no GGUF language model; the sentence says what is wrong with it."""


@dataclass(frozen=True)
class Header:
    """What a GGUF file says of itself. `bytes_needed` is the least size of a whole file."""

    architecture: str
    name: str
    context: int
    tensors: int
    bytes_needed: int
    chat_template: bool
    values: Mapping[str, Any]


def header(path: Path) -> Header:
    """Reads and judges a GGUF header. Raises NotAModel with one sentence."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            if file.read(4) != b"GGUF":
                raise NotAModel(f"{path.name} is not a GGUF file; name one, or leave planner_model unset for the shipped one.")
            found = _read(file)
    except OSError as error:
        reason = (error.strerror or "it cannot be read").lower()
        raise NotAModel(f"The model file {path.name} cannot be opened: {reason}.") from None
    except (struct.error, ValueError, UnicodeDecodeError, KeyError, OverflowError, MemoryError):
        raise NotAModel(f"The model file {path.name} is damaged; copy it again.") from None
    if size < found.bytes_needed:
        raise NotAModel(
            f"The model file {path.name} is cut short ({size} of at least {found.bytes_needed} bytes); copy it again."
        )
    if found.architecture in NOT_WRITERS or not found.architecture:
        kind = found.architecture or "no architecture"
        raise NotAModel(f"{path.name} holds {kind}, which cannot write text; name a language model.")
    return found


def _read(file: IO[bytes]) -> Header:
    version, tensors, keys = struct.unpack("<IQQ", _exactly(file, 20))
    if version not in (2, 3) or tensors > _MOST or keys > _MOST:
        raise ValueError("header")
    values: dict[str, Any] = {}
    for _ in range(keys):
        key = _string(file)
        values[key] = _value(file, struct.unpack("<I", _exactly(file, 4))[0])
    end = 0
    for _ in range(tensors):
        _string(file)
        (dimensions,) = struct.unpack("<I", _exactly(file, 4))
        if dimensions > 8:
            raise ValueError("tensor")
        elements = 1
        for extent in struct.unpack(f"<{dimensions}Q", _exactly(file, 8 * dimensions)):
            elements *= extent
        kind, offset = struct.unpack("<IQ", _exactly(file, 12))
        size, per = _BLOCKS.get(kind, (0, 1))
        end = max(end, offset + elements // per * size)
    alignment = int(values.get("general.alignment", 32))
    start = -(-file.tell() // alignment) * alignment
    architecture = str(values.get("general.architecture", ""))
    return Header(
        architecture, str(values.get("general.name", "")), int(values.get(f"{architecture}.context_length", 0)), tensors,
        start + end, "tokenizer.chat_template" in values, values,
    )  # fmt: skip


def _exactly(file: IO[bytes], count: int) -> bytes:
    data = file.read(count)
    if len(data) != count:
        raise ValueError("short")
    return data


def _string(file: IO[bytes]) -> str:
    (length,) = struct.unpack("<Q", _exactly(file, 8))
    if length > _MOST:
        raise ValueError("string")
    return _exactly(file, length).decode("utf-8", "replace")


def _value(file: IO[bytes], kind: int) -> Any:
    if kind == _STRING:
        return _string(file)
    if kind == _ARRAY:
        inner, count = struct.unpack("<IQ", _exactly(file, 12))
        if count > 16 * _MOST:
            raise ValueError("array")
        if inner in _SCALARS:  # long lists of scores and types are stepped over, not kept
            file.seek(count * struct.calcsize(_SCALARS[inner]), 1)
            return count
        for _ in range(count):
            _value(file, inner)
        return count
    return struct.unpack(_SCALARS[kind], _exactly(file, struct.calcsize(_SCALARS[kind])))[0]


def write(model: nn.Module, tokenizer: Tokenizer, path: Path, name: str, end: str, quantise: bool = True, trained: bool = True) -> None:
    """Writes a trained Llama (tied embeddings) as GGUF: q8_0 matrices, or float32 where `quantise` is false."""
    import gguf
    import numpy as np

    config: Any = model.config
    writer = gguf.GGUFWriter(str(path), "llama")
    writer.add_name(name)
    writer.add_bool("andon.trained", trained)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_freq_base(10000.0)
    writer.add_rope_dimension_count(config.hidden_size // config.num_attention_heads)
    writer.add_vocab_size(config.vocab_size)
    writer.add_file_type(int(gguf.LlamaFileType.MOSTLY_Q8_0 if quantise else gguf.LlamaFileType.ALL_F32))
    _write_tokens(writer, tokenizer, end)
    for key, tensor in model.state_dict().items():
        if key == "lm_head.weight":  # tied to the embeddings
            continue
        data = tensor.detach().cpu().float().numpy()
        if key.endswith(("q_proj.weight", "k_proj.weight")):
            data = _rotary_order(data, config.num_attention_heads)
        if data.ndim == 1 or not quantise:
            writer.add_tensor(_tensor_name(key), np.ascontiguousarray(data, dtype=np.float32))
        else:
            kind = gguf.GGMLQuantizationType.Q8_0
            writer.add_tensor(_tensor_name(key), gguf.quants.quantize(np.ascontiguousarray(data), kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _rotary_order(weight: Any, heads: int) -> Any:
    """llama.cpp turns neighbouring pairs where the trained model turns halves, so rows of Q and K change places."""
    rows, columns = weight.shape
    return weight.reshape(heads, 2, rows // heads // 2, columns).swapaxes(1, 2).reshape(rows, columns)


def _tensor_name(key: str) -> str:
    fixed = {"model.embed_tokens.weight": "token_embd.weight", "model.norm.weight": "output_norm.weight"}
    if key in fixed:
        return fixed[key]
    layer, rest = key.removeprefix("model.layers.").split(".", 1)
    parts = {
        "self_attn.q_proj.weight": "attn_q", "self_attn.k_proj.weight": "attn_k", "self_attn.v_proj.weight": "attn_v",
        "self_attn.o_proj.weight": "attn_output", "mlp.gate_proj.weight": "ffn_gate", "mlp.up_proj.weight": "ffn_up",
        "mlp.down_proj.weight": "ffn_down", "input_layernorm.weight": "attn_norm",
        "post_attention_layernorm.weight": "ffn_norm",
    }  # fmt: skip
    return f"blk.{layer}.{parts[rest]}.weight"


def _write_tokens(writer: Any, tokenizer: Tokenizer, end: str) -> None:
    import json

    import gguf

    described = json.loads(tokenizer.to_str())
    size = tokenizer.get_vocab_size(with_added_tokens=True)
    own = {token["content"]: token for token in described["added_tokens"]}
    tokens, kinds = [], []
    for i in range(size):
        word = tokenizer.id_to_token(i)
        tokens.append(word)
        if word == end:
            kinds.append(gguf.TokenType.CONTROL)
        else:
            kinds.append(gguf.TokenType.USER_DEFINED if word in own else gguf.TokenType.NORMAL)
    merges = [m if isinstance(m, str) else " ".join(m) for m in described["model"]["merges"]]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm")
    writer.add_token_list(tokens)
    writer.add_token_types(kinds)
    writer.add_token_merges(merges)
    writer.add_eos_token_id(tokenizer.token_to_id(end))
    writer.add_add_bos_token(False)
    writer.add_add_eos_token(False)
