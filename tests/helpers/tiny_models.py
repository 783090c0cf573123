"""Tiny models with random weights, one a kind of architecture, made with the `gguf` library in a moment.

They are real to llama.cpp: vocabulary, chat template, every tensor. What they write is nonsense that depends on
every token before it, and each token has a letter of its own, so equal texts are equal token ids.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import gguf
import numpy as np

WIDTH, FEED_FORWARD, HEADS, KV_HEADS = 64, 128, 4, 2
HEAD = WIDTH // HEADS
LAYERS = 2
WINDOW = 24  # of the sliding-window model; shorter than any conversation in the tests
CONTEXT_TOKENS = 2048
SEED = 1  # best answers stand clear of the second best in all of them: rounding must not decide

TEMPLATE = (
    "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\n' + m['content'] + '<|im_end|>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
WRITABLE = frozenset("abcdefghijklmnopqrstuvwxyz")
CONTROL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
NORMAL, UNKNOWN, CONTROL_TOKEN, BYTE = 1, 2, 3, 6  # llama.cpp's kinds of tokens

Tensors = dict[str, np.ndarray]
Change = Callable[[Tensors], None]


def make_tiny(
    architecture: str,
    path: Path,
    *,
    change: Change | None = None,
    template: str = TEMPLATE,
    context_tokens: int = CONTEXT_TOKENS,
    **metadata: Any,
) -> Path:
    """Writes the model called `architecture` (see `KINDS`). `change` may spoil its weights, `metadata` set keys."""
    kind = KINDS[architecture]
    writer = gguf.GGUFWriter(path, metadata.pop("general.architecture", kind.name))
    writer.add_name(f"Tiny {architecture}")
    writer.add_context_length(context_tokens)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(LAYERS + kind.next_token_layers)
    writer.add_feed_forward_length(kind.feed_forward)
    writer.add_layer_norm_rms_eps(1e-5)
    tokens = (_sentencepiece if kind.sentencepiece else _byte_pairs)(writer)
    if template:
        writer.add_chat_template(template)
    for key, value in ({f"{kind.name}.{key}": value for key, value in kind.keys.items()} | metadata).items():
        _add(writer, key, value)
    tensors = _Weights(list(KINDS).index(architecture), tokens).fill(kind, context_tokens)
    if change is not None:
        change(tensors)
    for name, values in tensors.items():
        writer.add_tensor(name, values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


class Kind:
    """An architecture: llama.cpp's name, its keys, and what its layers are made of."""

    def __init__(
        self,
        name: str,
        layer: Callable[[_Weights, int], None],
        *,
        sentencepiece: bool = False,
        output_norm: str = "output_norm.weight",
        feed_forward: int = FEED_FORWARD,
        embedding: float = 1.0,
        learned_positions: bool = False,
        next_token_layers: int = 0,
        networks: Callable[[_Weights, str], None] | None = None,
        **keys: Any,
    ) -> None:
        self.name = name
        self.layer = layer
        self.sentencepiece = sentencepiece
        self.output_norm = output_norm
        self.feed_forward = feed_forward
        self.embedding = embedding
        self.learned_positions = learned_positions
        self.next_token_layers = next_token_layers
        self.networks = networks
        """Makes experts in place of each layer's feed-forward network."""
        self.keys = {key.replace("__", "."): value for key, value in keys.items()}


class _Weights:
    """Random weights under llama.cpp's names; shapes are given as llama.cpp writes them, inputs first."""

    def __init__(self, seed: int, tokens: list[str]) -> None:
        self.tensors: Tensors = {}
        self._random = np.random.default_rng(SEED + seed)
        self._tokens = tokens

    def fill(self, kind: Kind, places: int) -> Tensors:
        """All tensors of a model. Only single letters can be written: the rows of all others are zero."""
        self.matrix("token_embd.weight", WIDTH, len(self._tokens), gain=kind.embedding * WIDTH**0.5)
        self.ones(kind.output_norm, WIDTH)
        if kind.learned_positions:
            self.matrix("position_embd.weight", WIDTH, places, gain=WIDTH**0.5)
            self.zeros("output_norm.bias", WIDTH)
        self.matrix("output.weight", WIDTH, len(self._tokens), gain=4.0)
        for token, text in enumerate(self._tokens):
            if text not in WRITABLE:
                self.tensors["output.weight"][token] = 0.0
        for number in range(LAYERS):
            kind.layer(self, number)
        for number in range(LAYERS, LAYERS + kind.next_token_layers):
            self.next_token_layer(f"blk.{number}")
        for number in range((LAYERS + kind.next_token_layers) if kind.networks is not None else 0):
            for part in ("gate", "up", "down"):
                del self.tensors[f"blk.{number}.ffn_{part}.weight"]
            kind.networks(self, f"blk.{number}")
        return self.tensors

    def matrix(self, name: str, *shape: int, gain: float = 1.0) -> None:
        """Scaled so that what goes in comes out about as large, times `gain`."""
        values = self._random.standard_normal(shape[::-1]) * (gain / shape[0] ** 0.5)
        self.tensors[name] = values.astype(np.float32)

    def ones(self, name: str, *shape: int, value: float = 1.0) -> None:
        """A norm that changes nothing, or times `value`."""
        self.tensors[name] = np.full(shape[::-1], value, dtype=np.float32)

    def zeros(self, name: str, *shape: int) -> None:
        """A bias that changes nothing."""
        self.ones(name, *shape, value=0.0)

    def between(self, name: str, low: float, high: float, *shape: int) -> None:
        """Evenly spread values."""
        self.tensors[name] = self._random.uniform(low, high, shape[::-1]).astype(np.float32)

    def attention(self, blk: str, *, query_width: int = HEADS * HEAD) -> None:
        """Queries, keys, values, and what becomes of them."""
        self.ones(f"{blk}.attn_norm.weight", WIDTH)
        self.matrix(f"{blk}.attn_q.weight", WIDTH, query_width)
        self.matrix(f"{blk}.attn_k.weight", WIDTH, KV_HEADS * HEAD)
        self.matrix(f"{blk}.attn_v.weight", WIDTH, KV_HEADS * HEAD)
        self.matrix(f"{blk}.attn_output.weight", HEADS * HEAD, WIDTH)

    def next_token_layer(self, blk: str) -> None:
        """Qwen3.5's for multi-token prediction. It looks at the newest token only, as a guess that is often right."""
        self.attention(blk, query_width=2 * HEADS * HEAD)
        self.head_norms(blk)
        self.ones(f"{blk}.post_attention_norm.weight", WIDTH)
        self.feed_forward(blk)
        self.tensors[f"{blk}.attn_output.weight"] *= 0
        self.tensors[f"{blk}.ffn_down.weight"] *= 0
        for norm in ("enorm", "hnorm", "shared_head_norm"):
            self.ones(f"{blk}.nextn.{norm}.weight", WIDTH)
        # Of the token and of what the model made of the one before; inputs are columns here.
        self.tensors[f"{blk}.nextn.eh_proj.weight"] = np.eye(WIDTH, 2 * WIDTH, dtype=np.float32)

    def head_norms(self, blk: str) -> None:
        """Norms of queries and keys."""
        self.ones(f"{blk}.attn_q_norm.weight", HEAD)
        self.ones(f"{blk}.attn_k_norm.weight", HEAD)

    def feed_forward(self, blk: str) -> None:
        """Gate, up and down."""
        self.matrix(f"{blk}.ffn_gate.weight", WIDTH, FEED_FORWARD)
        self.matrix(f"{blk}.ffn_up.weight", WIDTH, FEED_FORWARD)
        self.matrix(f"{blk}.ffn_down.weight", FEED_FORWARD, WIDTH)


def _llama_layer(w: _Weights, number: int) -> None:
    blk = f"blk.{number}"
    w.attention(blk)
    w.ones(f"{blk}.ffn_norm.weight", WIDTH)
    w.feed_forward(blk)


def _gpt2_layer(w: _Weights, number: int) -> None:
    blk = f"blk.{number}"
    for norm in ("attn_norm", "ffn_norm"):
        w.ones(f"{blk}.{norm}.weight", WIDTH)
        w.zeros(f"{blk}.{norm}.bias", WIDTH)
    for name, before, after in (
        ("attn_qkv", WIDTH, 3 * WIDTH),
        ("attn_output", WIDTH, WIDTH),
        ("ffn_up", WIDTH, FEED_FORWARD),
        ("ffn_down", FEED_FORWARD, WIDTH),
    ):
        w.matrix(f"{blk}.{name}.weight", before, after)
        w.between(f"{blk}.{name}.bias", -0.1, 0.1, after)


EXPERTS, EXPERT_WIDTH = 4, 32


def _rotated_in_space_layer(w: _Weights, number: int) -> None:
    """Qwen2-VL: as Llama, with biases and positions in four dimensions, of which the real one uses three."""
    _llama_layer(w, number)
    for name, width in (("attn_q", HEADS * HEAD), ("attn_k", KV_HEADS * HEAD), ("attn_v", KV_HEADS * HEAD)):
        w.between(f"blk.{number}.{name}.bias", -0.1, 0.1, width)


def _experts_layer(w: _Weights, number: int) -> None:
    blk = f"blk.{number}"
    w.attention(blk)
    w.ones(f"{blk}.ffn_norm.weight", WIDTH)
    w.matrix(f"{blk}.ffn_gate_inp.weight", WIDTH, EXPERTS, gain=16.0)  # one expert outweighs the others
    w.matrix(f"{blk}.ffn_gate_exps.weight", WIDTH, EXPERT_WIDTH, EXPERTS)
    w.matrix(f"{blk}.ffn_up_exps.weight", WIDTH, EXPERT_WIDTH, EXPERTS)
    w.matrix(f"{blk}.ffn_down_exps.weight", EXPERT_WIDTH, WIDTH, EXPERTS)


def _gemma_layer(w: _Weights, number: int) -> None:
    blk = f"blk.{number}"
    w.attention(blk)
    w.head_norms(blk)
    for norm in ("post_attention_norm", "ffn_norm", "post_ffw_norm"):
        w.ones(f"{blk}.{norm}.weight", WIDTH)
    w.feed_forward(blk)


CONV = 4  # tokens that a recurrent layer's convolution sees


def _short_convolution_layer(w: _Weights, number: int) -> None:
    """LFM2: layers of short convolutions, and attention in every other one."""
    blk = f"blk.{number}"
    if number % 2:
        w.attention(blk)
        w.head_norms(blk)
    else:
        w.ones(f"{blk}.attn_norm.weight", WIDTH)
        w.matrix(f"{blk}.shortconv.conv.weight", CONV, WIDTH)
        w.matrix(f"{blk}.shortconv.in_proj.weight", WIDTH, 3 * WIDTH)
        w.matrix(f"{blk}.shortconv.out_proj.weight", WIDTH, WIDTH)
    w.ones(f"{blk}.ffn_norm.weight", WIDTH)
    w.feed_forward(blk)


def _shared_experts(w: _Weights, blk: str) -> None:
    """Qwen3.5's mixture: experts, and one that is always used."""
    w.matrix(f"{blk}.ffn_gate_inp.weight", WIDTH, EXPERTS, gain=16.0)
    w.matrix(f"{blk}.ffn_gate_inp_shexp.weight", WIDTH)
    for part, before, after in (
        ("gate", WIDTH, EXPERT_WIDTH),
        ("up", WIDTH, EXPERT_WIDTH),
        ("down", EXPERT_WIDTH, WIDTH),
    ):
        w.matrix(f"{blk}.ffn_{part}_exps.weight", before, after, EXPERTS)
        w.matrix(f"{blk}.ffn_{part}_shexp.weight", before, after)


STATE, KEY_GROUPS, VALUE_HEADS = 16, 2, 4


def _delta_net_layer(w: _Weights, number: int) -> None:
    """Qwen3.5: gated delta nets, and gated attention in every other layer."""
    blk = f"blk.{number}"
    keys, values = KEY_GROUPS * STATE, VALUE_HEADS * STATE
    if number % 2:
        w.attention(blk, query_width=2 * HEADS * HEAD)
        w.head_norms(blk)
    else:
        w.ones(f"{blk}.attn_norm.weight", WIDTH)
        w.matrix(f"{blk}.attn_qkv.weight", WIDTH, 2 * keys + values)
        w.matrix(f"{blk}.attn_gate.weight", WIDTH, values)
        w.matrix(f"{blk}.ssm_conv1d.weight", CONV, 2 * keys + values, gain=2.0)
        w.between(f"{blk}.ssm_dt.bias", -5.0, -3.0, VALUE_HEADS)
        w.between(f"{blk}.ssm_a", -1.0, -0.2, VALUE_HEADS)
        w.matrix(f"{blk}.ssm_beta.weight", WIDTH, VALUE_HEADS)
        w.matrix(f"{blk}.ssm_alpha.weight", WIDTH, VALUE_HEADS)
        w.ones(f"{blk}.ssm_norm.weight", STATE)
        w.matrix(f"{blk}.ssm_out.weight", values, WIDTH)
    w.ones(f"{blk}.post_attention_norm.weight", WIDTH)
    w.feed_forward(blk)


INNER = 2 * WIDTH
SSM_HEADS = 8


def _mamba2_layer(w: _Weights, number: int) -> None:
    """Granite 4 H: Mamba-2 layers, and attention in every other one."""
    blk = f"blk.{number}"
    if number % 2:
        w.attention(blk)
    else:
        w.ones(f"{blk}.attn_norm.weight", WIDTH)
        w.matrix(f"{blk}.ssm_in.weight", WIDTH, 2 * INNER + 2 * STATE + SSM_HEADS)
        w.matrix(f"{blk}.ssm_conv1d.weight", CONV, INNER + 2 * STATE, gain=2.0)
        w.ones(f"{blk}.ssm_conv1d.bias", INNER + 2 * STATE, value=0.0)
        w.between(f"{blk}.ssm_dt.bias", -4.0, -2.0, SSM_HEADS)
        w.between(f"{blk}.ssm_a", -1.0, -0.2, 1, SSM_HEADS)
        w.ones(f"{blk}.ssm_d", 1, SSM_HEADS)
        w.ones(f"{blk}.ssm_norm.weight", INNER, 1)
        w.matrix(f"{blk}.ssm_out.weight", INNER, WIDTH)
    w.ones(f"{blk}.ffn_norm.weight", WIDTH)
    w.feed_forward(blk)


TIME_STEP_RANK = 4


def _mamba_layer(w: _Weights, number: int) -> None:
    blk = f"blk.{number}"
    w.ones(f"{blk}.attn_norm.weight", WIDTH)
    w.matrix(f"{blk}.ssm_in.weight", WIDTH, 2 * INNER)
    w.matrix(f"{blk}.ssm_conv1d.weight", CONV, INNER, gain=2.0)
    w.ones(f"{blk}.ssm_conv1d.bias", INNER, value=0.0)
    w.matrix(f"{blk}.ssm_x.weight", INNER, TIME_STEP_RANK + 2 * STATE)
    w.matrix(f"{blk}.ssm_dt.weight", TIME_STEP_RANK, INNER)
    w.between(f"{blk}.ssm_dt.bias", -4.0, -2.0, INNER)
    w.between(f"{blk}.ssm_a", -1.0, -0.2, STATE, INNER)
    w.ones(f"{blk}.ssm_d", INNER)
    w.matrix(f"{blk}.ssm_out.weight", INNER, WIDTH)


_ATTENTION = {"attention__head_count": HEADS, "attention__head_count_kv": KV_HEADS, "rope__freq_base": 10000.0}
_EVERY_OTHER = {
    "attention__head_count": HEADS,
    "attention__head_count_kv": [0, KV_HEADS] * (LAYERS // 2),  # 0: a recurrent layer
    "rope__freq_base": 10000.0,
}
_QWEN35 = {
    **_ATTENTION,
    "full_attention_interval": 2,
    "rope__dimension_sections": [HEAD // 4] * 2 + [0, 0],
    "attention__key_length": HEAD,
    "attention__value_length": HEAD,
    "ssm__group_count": KEY_GROUPS,
    "ssm__time_step_rank": VALUE_HEADS,
    "ssm__conv_kernel": CONV,
    "ssm__inner_size": VALUE_HEADS * STATE,
    "ssm__state_size": STATE,
}
_RECURRENT = {"ssm__conv_kernel": CONV, "ssm__inner_size": INNER, "ssm__state_size": STATE}

KINDS: dict[str, Kind] = {
    "llama": Kind("llama", _llama_layer, **_ATTENTION),
    "sentencepiece": Kind("llama", _llama_layer, sentencepiece=True, **_ATTENTION),
    "experts": Kind(
        "llama",
        _experts_layer,
        feed_forward=EXPERT_WIDTH,
        expert_count=EXPERTS,
        expert_used_count=2,
        **_ATTENTION,
    ),
    "gemma3": Kind(
        "gemma3",
        _gemma_layer,
        embedding=WIDTH**-0.5,  # llama.cpp multiplies it by the same again
        attention__key_length=HEAD,
        attention__value_length=HEAD,
        attention__sliding_window=WINDOW,
        attention__sliding_window_pattern=2,
        **_ATTENTION,
    ),
    "lfm2": Kind(
        "lfm2",
        _short_convolution_layer,
        output_norm="token_embd_norm.weight",
        shortconv__l_cache=CONV,
        **_EVERY_OTHER,
    ),
    "qwen35": Kind("qwen35", _delta_net_layer, **_QWEN35),
    "granitehybrid": Kind(
        "granitehybrid",
        _mamba2_layer,
        ssm__group_count=1,
        ssm__time_step_rank=SSM_HEADS,
        **_EVERY_OTHER | _RECURRENT,
    ),
    "mamba": Kind("mamba", _mamba_layer, ssm__time_step_rank=TIME_STEP_RANK, **_RECURRENT),
    "gpt2": Kind(
        "gpt2", _gpt2_layer, learned_positions=True, attention__head_count=HEADS, attention__layer_norm_epsilon=1e-5
    ),
    "qwen2vl": Kind("qwen2vl", _rotated_in_space_layer, rope__dimension_sections=[2, 2, 2, 2], **_ATTENTION),
    # Behind all others, as a model's place here decides its weights.
    "qwen35_mtp": Kind(
        "qwen35",
        _delta_net_layer,
        next_token_layers=1,
        nextn_predict_layers=1,
        **_QWEN35,
    ),
    "qwen35moe_mtp": Kind(
        "qwen35moe",
        _delta_net_layer,
        next_token_layers=1,
        networks=_shared_experts,
        nextn_predict_layers=1,
        expert_count=EXPERTS,
        expert_used_count=2,
        expert_feed_forward_length=EXPERT_WIDTH,
        expert_shared_feed_forward_length=EXPERT_WIDTH,
        **_QWEN35,
    ),
}
RECURRENT = frozenset(
    {"lfm2", "qwen35", "qwen35_mtp", "qwen35moe_mtp", "granitehybrid", "mamba"}
)  # cannot forget the end of what they read


def _byte_pairs(writer: gguf.GGUFWriter) -> list[str]:
    """A byte-level vocabulary as GPT-2's, with a few merges; returns the tokens."""
    letters = _byte_letters()
    merges = ["t h", "th e", "Ġ the", "i n", "e r"]
    tokens = [*CONTROL, *letters, *(merge.replace(" ", "") for merge in merges)]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    writer.add_token_types([CONTROL_TOKEN] * len(CONTROL) + [NORMAL] * (len(tokens) - len(CONTROL)))
    writer.add_token_merges(merges)
    _specials(writer)
    return tokens


def _sentencepiece(writer: gguf.GGUFWriter) -> list[str]:
    """Pieces with scores, a space before every text, and bytes for what is not among them; returns the tokens."""
    pieces = ["\u2581", "\u2581the", *map(chr, range(33, 127)), "th", "he", "the", "\u2581t", "in"]
    tokens = [*CONTROL, *(f"<0x{byte:02X}>" for byte in range(256)), *pieces]
    writer.add_tokenizer_model("llama")
    writer.add_token_list(tokens)
    writer.add_token_scores([-float(number) for number in range(len(tokens))])
    writer.add_token_types([CONTROL_TOKEN] * len(CONTROL) + [BYTE] * 256 + [NORMAL] * len(pieces))
    writer.add_add_space_prefix(True)
    writer.add_add_bos_token(True)
    _specials(writer)
    return tokens


def _specials(writer: gguf.GGUFWriter) -> None:
    writer.add_bos_token_id(0)
    writer.add_eos_token_id(CONTROL.index("<|im_end|>"))
    writer.add_unk_token_id(0)


def _byte_letters() -> list[str]:
    """GPT-2's letter for each byte: itself where it is printable, else one from 256 on."""
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    others = [byte for byte in range(256) if byte not in printable]
    letters = {byte: chr(byte) for byte in printable} | {byte: chr(256 + n) for n, byte in enumerate(others)}
    return [letters[byte] for byte in range(256)]


def _add(writer: gguf.GGUFWriter, key: str, value: Any) -> None:
    if isinstance(value, bool):
        writer.add_bool(key, value)
    elif isinstance(value, int):
        writer.add_uint32(key, value)
    elif isinstance(value, float):
        writer.add_float32(key, value)
    elif isinstance(value, str):
        writer.add_string(key, value)
    else:
        writer.add_array(key, value)
