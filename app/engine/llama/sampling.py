"""Sampling: sources of each value, llama.cpp's sampler chain, and grammars."""

from __future__ import annotations

import ctypes
import math
import re
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from app.core.errors.request_errors import GrammarInvalid
from app.core.lazy_dataclasses import dataclass, replace
from app.engine.llama.grammar_size import check_measures
from app.engine.llama.grammars import gbnf_of_schema
from app.engine.llama.llama_library import LlamaLibrary
from app.engine.llama.model import Model
from app.engine.llama.output_logits import view_logits
from app.engine.protocol import Sampling

ROOT = b"root"
MOST_STEP_S = 4.0
"""Processor seconds per token: a grammar's alternatives can multiply during an answer and can't be counted before."""
_WHOLE_RULE = re.compile(r"^root ::=", re.MULTILINE)


def open_grammar(library: LlamaLibrary, model: Model, gbnf: str, json_schema: str, begins: str = "") -> Grammar | None:
    """Return the grammar of a request (`Generate.grammar`, `.json_schema`), or None when it has neither.

    Where there are both, the schema is the grammar's rule `schema`. With `begins` it is in force from where the answer
    says that. Raises GrammarInvalid, with llama.cpp's reason where it gives one. Hand it to `make_chain`, whose chain
    frees it.
    """
    if json_schema:
        rules = gbnf_of_schema(json_schema)
        gbnf = f"{gbnf}\n{_WHOLE_RULE.sub('schema ::=', rules)}" if gbnf else rules
    if not gbnf:
        return None
    # Counted before llama.cpp builds it: repetitions are multiplied out there.
    check_measures(gbnf)
    c = library.c
    vocab = c.llama_model_get_vocab(model.pointer)
    # Reasons come as lines in the log.
    library.forget_words()
    text = gbnf.encode("utf-8", "replace")
    if begins:
        # llama.cpp takes a regular expression here, so that the mark has to be escaped.
        pattern = (ctypes.c_char_p * 1)(re.sub(r"([^\w\s])", r"\\\1", begins).encode("utf-8", "replace"))
        pointer = c.llama_sampler_init_grammar_lazy_patterns(vocab, text, ROOT, pattern, 1, None, 0)
    else:
        pointer = c.llama_sampler_init_grammar(vocab, text, ROOT)
    if not pointer:
        raise GrammarInvalid(library.last_words() or "llama.cpp does not accept the grammar")
    return Grammar(library, pointer, model.vocabulary_size)


class TokenCandidates:
    """All tokens with their logits, as llama.cpp's samplers take them, for the choice of one token."""

    def __init__(self, c: Any, context: Any, index: int, vocabulary_size: int) -> None:
        import numpy as np

        self._c = c
        logits = np.ctypeslib.as_array(c.llama_get_logits_ith(context, index), (vocabulary_size,))
        # The layout of `llama_token_data`, filled by numpy: a loop over a large vocabulary is slow.
        self.items = np.empty(vocabulary_size, np.dtype([("id", "i4"), ("logit", "f4"), ("p", "f4")]))
        self.items["id"] = np.arange(vocabulary_size, dtype="i4")
        self.items["logit"] = logits
        self.items["p"] = 0
        self.array = _candidate_array(c, self.items.ctypes.data, vocabulary_size)

    def choose_token(self, chain: Any) -> int:
        """Let the chain choose a token without accepting it."""
        self._c.llama_sampler_apply(chain, ctypes.byref(self.array))
        return int(self.array.data[self.array.selected].id)


class Grammar:
    """llama.cpp's grammar and how far the answer has got in it."""

    def __init__(self, library: LlamaLibrary, pointer: Any, vocabulary_size: int) -> None:
        self.vocabulary_size = vocabulary_size
        self._c = library.c
        self._pointer = pointer
        self._one = (library.c.llama_token_data * 1)()  # made once: asked for each token of an answer

    def allows_token(self, token: int) -> bool:
        """Ask the grammar about one token, without going over the whole vocabulary."""
        self._one[0] = self._c.llama_token_data(token, 1.0, 0.0)
        array = _candidate_array(self._c, ctypes.addressof(self._one), 1)
        self._c.llama_sampler_apply(self._pointer, ctypes.byref(array))
        return self._one[0].logit != -math.inf  # a sampler of grammars sets what it refuses to minus infinity

    def restrict(self, candidates: TokenCandidates) -> None:
        """Mask tokens that don't fit. Raises GrammarInvalid if none is left."""
        self._c.llama_sampler_apply(self._pointer, ctypes.byref(candidates.array))
        # Otherwise the chain would choose among impossible tokens, and `accept` would end the process.
        if candidates.items["logit"].max() == -math.inf:
            raise GrammarInvalid("no token of this model continues the answer as the grammar wants")

    def accept(self, token: int) -> None:
        """Advance by a token that `allows_token` has allowed; any other would end the process."""
        self._c.llama_sampler_accept(self._pointer, token)

    def begin_with(self, tokens: Sequence[int]) -> None:
        """Advance by the start of an answer. Raises GrammarInvalid, and is freed, if it doesn't fit."""
        for token in tokens:
            if not self.allows_token(token):
                self.free()
                raise GrammarInvalid("the answer that was begun does not follow it")
            self.accept(token)

    def free(self) -> None:
        self._c.llama_sampler_free(self._pointer)


def _candidate_array(c: Any, address: int, size: int) -> Any:
    data = ctypes.cast(address, ctypes.POINTER(c.llama_token_data))
    # `selected` -1: nothing chosen yet.
    return c.llama_token_data_array(data=data, size=size, selected=-1, sorted=False)


RANDOM_SEED = 0xFFFFFFFF
# llama.cpp's own default, too.
PENALTY_LAST_TOKENS = 64
DRY_BASE, DRY_ALLOWED_TOKENS, DRY_BREAKERS = 1.75, 2, (b"\n", b":", b'"', b"*")  # llama.cpp's own
DRY_LAST_TOKENS = 4096


@dataclass(frozen=True)
class SamplingValues:
    """Every value decided; the defaults are llama.cpp's own.

    `top_k`, `dry_multiplier` and `xtc_probability` 0 are off, `temperature` 0 is greedy. `penalty_last_tokens` is how
    far back the penalties look, -1 as far as the context goes.
    """

    temperature: float = 0.8
    top_k: int = 40
    top_p: float = 0.95
    min_p: float = 0.05
    repeat_penalty: float = 1.0
    presence_penalty: float = 0.0
    frequency_penalty: float = 0.0
    penalty_last_tokens: int = PENALTY_LAST_TOKENS
    dry_multiplier: float = 0.0
    xtc_probability: float = 0.0
    xtc_threshold: float = 0.1
    seed: int = RANDOM_SEED


# What the makers of each family recommend; the first pattern found in architecture and name counts.
# By regular expression, as names differ: "Qwen3-4B-Instruct-2507", "qwen3moe", "Qwen/Qwen3.5".
FAMILIES: tuple[tuple[str, dict[str, float]], ...] = (
    (r"hy-?mt|hunyuan-?mt", {"temperature": 0.7, "top_p": 0.6, "top_k": 20, "min_p": 0, "repeat_penalty": 1.05}),
    (r"gemma", {"temperature": 1.0, "top_p": 0.95, "top_k": 64, "min_p": 0}),
    (r"deepseek.?r1|r1.?distill", {"temperature": 0.6, "top_p": 0.95, "min_p": 0.01}),
    (r"qwen3[._]?[5-9]", {"temperature": 0.7, "top_p": 0.8, "top_k": 20, "min_p": 0, "presence_penalty": 1.5}),
    (r"qwq|qwen3(?!.*(vl|coder|instruct))", {"temperature": 0.6, "top_p": 0.95, "top_k": 20, "min_p": 0}),
    (r"qwen", {"temperature": 0.7, "top_p": 0.8, "top_k": 20, "min_p": 0}),
    (r"gpt.?oss", {"temperature": 1.0, "top_p": 1.0, "top_k": 0, "min_p": 0.01}),
    (r"magistral|devstral|nemo\b", {"temperature": 0.7, "top_p": 0.95, "min_p": 0.01}),
    (r"ministral|mistral.?small", {"temperature": 0.15, "top_p": 0.95, "min_p": 0.01}),
    (r"granite", {"temperature": 0.0, "top_p": 1.0, "top_k": 0}),
    (r"lfm2", {"temperature": 0.1, "top_p": 0.1, "top_k": 50, "min_p": 0.15, "repeat_penalty": 1.05}),
    (r"llama.?3", {"temperature": 0.7, "top_p": 0.9, "min_p": 0.05}),
    (r"phi.?4", {"temperature": 0.8, "top_p": 0.95, "min_p": 0}),
    (r"glm.?4|nemotron", {"temperature": 1.0, "top_p": 0.95, "min_p": 0.01}),
    # The starter's own: without a penalty 7 of 12 sampled answers ran in circles to the limit, with 1.1 none did.
    (r"smollm2", {"temperature": 0.7, "top_p": 0.95, "min_p": 0.01, "repeat_penalty": 1.1}),
    (r"smollm|olmo", {"temperature": 0.7, "top_p": 0.95, "min_p": 0.01}),
)
# Keys by which llama.cpp writes recommendations into files, and our names.
FILE_KEYS = {
    "temp": "temperature",
    "top_k": "top_k",
    "top_p": "top_p",
    "min_p": "min_p",
    "penalty_repeat": "repeat_penalty",
    "penalty_last_n": "penalty_last_tokens",
    "xtc_probability": "xtc_probability",
    "xtc_threshold": "xtc_threshold",
}
WHOLE_NUMBERS = frozenset(("top_k", "penalty_last_tokens", "seed"))


def choose_sampling(asked: Sampling, task: Sampling, metadata: dict[str, Any]) -> SamplingValues:
    """Return the chat goes before the task, the task before the file, the file before its family, then the library."""
    values = _family_values(metadata) | _from_file(metadata)
    # None means "not said", so that a zero can be asked for.
    for given in (task, asked):
        values |= {name: value for name, value in vars(given).items() if value is not None}
    return replace(SamplingValues(), **values)


def _family_values(metadata: dict[str, Any]) -> dict[str, Any]:
    names = " ".join(str(metadata.get(f"general.{key}", "")) for key in ("architecture", "basename", "name")).lower()
    return next((dict(values) for pattern, values in FAMILIES if re.search(pattern, names)), {})


def _from_file(metadata: dict[str, Any]) -> dict[str, Any]:
    found = {ours: _parse_number(metadata.get(f"general.sampling.{theirs}")) for theirs, ours in FILE_KEYS.items()}
    known = {name: value for name, value in found.items() if value is not None}
    return {name: int(value) if name in WHOLE_NUMBERS else value for name, value in known.items()}


def _parse_number(value: Any) -> float | None:
    """Return a number, also one written as text; None for anything else, infinities included."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if abs(number) < 1e9 else None  # metadata is a stranger's: "inf" and 1e300 would break the samplers


class SamplerChain:
    """Chooses tokens: `token = chain.sample(context, index)` is all a loop needs, with or without a grammar.

    With a grammar, a token is first chosen without it and then checked, which costs next to nothing. Only one that
    does not fit is chosen again among all that do. Tokens for which `is_outside` is true (thinking and its marks) are
    neither checked nor shown to the grammar.
    """

    def __init__(
        self,
        library: LlamaLibrary,
        pointer: Any,
        grammar: Grammar | None = None,
        is_outside: Callable[[int], bool] | None = None,
        *,
        greedy_size: int = 0,
    ) -> None:
        """`greedy_size` is the vocabulary of a chain that takes the likeliest token and does nothing else, or 0."""
        self._c = library.c
        self._greedy_size = greedy_size
        self.pointer = pointer
        self._grammar = grammar
        self._is_outside = is_outside or (lambda token: False)

    def sample_token(self, context: Any, index: int) -> int:
        """Return the next token, from the logits of output `index` (-1: the last); it is accepted.

        Raises GrammarInvalid when no token of the vocabulary goes on as the grammar wants.
        """
        # The same token that the chain would find, after copying the vocabulary: twice as fast for a large one.
        if self._greedy_size:
            return int(view_logits(self._c, context, index, self._greedy_size).argmax())
        if self._grammar is None:
            return self._c.llama_sampler_sample(self.pointer, context, index)  # chooses and accepts in one call
        return self._sample_within(self._grammar, context, index)

    def accept(self, token: int) -> None:
        """Count a token that wasn't sampled in the penalties."""
        self._c.llama_sampler_accept(self.pointer, token)

    def free(self) -> None:
        """Free the chain and, if there is one, its grammar; no token can be sampled afterwards."""
        self._c.llama_sampler_free(self.pointer)
        if self._grammar is not None:
            self._grammar.free()

    def _sample_within(self, grammar: Grammar, context: Any, index: int) -> int:
        candidates = TokenCandidates(self._c, context, index, grammar.vocabulary_size)
        token = candidates.choose_token(self.pointer)
        # Thinking isn't part of the answer, and a schema says nothing about it.
        if self._is_outside(token):
            self.accept(token)
            return token
        begun_s = time.thread_time()
        # Rare, as models that know the format mostly choose what fits; masking goes over the whole vocabulary.
        if not grammar.allows_token(token):
            # Anew, since the chain has sorted and cut the first list.
            candidates = TokenCandidates(self._c, context, index, grammar.vocabulary_size)
            grammar.restrict(candidates)
            token = candidates.choose_token(self.pointer)
        self.accept(token)
        grammar.accept(token)
        if time.thread_time() - begun_s > MOST_STEP_S:  # everybody else waits meanwhile, and the next may take longer
            raise GrammarInvalid(f"one step of it takes more than {MOST_STEP_S:g} seconds")
        return token


def make_chain(
    library: LlamaLibrary,
    choice: SamplingValues,
    model: Model,
    grammar: Grammar | None = None,
    is_outside: Callable[[int], bool] | None = None,
    *,
    logit_bias: Mapping[int, float] | None = None,
) -> SamplerChain:
    """Return a chain in llama.cpp's own order; `free` it, and the `grammar` with it.

    `logit_bias` is what is added to the logits of tokens, each of which the model has.

    `is_outside` is asked with each token chosen under a grammar: ``lambda token: answer.is_outside(piece(token))``,
    where `piece` is what the answer is given for that token.
    """
    c = library.c
    # The chain owns its parts and frees them with itself.
    chain = c.llama_sampler_chain_init(c.llama_sampler_chain_default_params())
    parts = _sampler_parts(library, choice, model, logit_bias or {})
    for part in parts:
        c.llama_sampler_chain_add(chain, part)
    is_greedy = choice.temperature <= 0 and len(parts) == 1 and grammar is None
    greedy_size = model.vocabulary_size if is_greedy else 0
    return SamplerChain(library, chain, grammar, is_outside, greedy_size=greedy_size)


def _sampler_parts(
    library: LlamaLibrary, choice: SamplingValues, model: Model, logit_bias: Mapping[int, float]
) -> list[Any]:
    c = library.c
    parts = [
        *_suppressed_tokens_bias(library, model),
        *_logit_bias_sampler(library, model, logit_bias),
        *_penalty_samplers(library, choice, model),
    ]
    # Greedy needs no probabilities, so that all after it would be in vain.
    if choice.temperature <= 0:
        return [*parts, c.llama_sampler_init_greedy()]
    seed = int(choice.seed) & 0xFFFFFFFF
    if choice.top_k > 0:
        parts.append(c.llama_sampler_init_top_k(int(choice.top_k)))
    if choice.top_p < 1:
        parts.append(c.llama_sampler_init_top_p(choice.top_p, 1))
    if choice.min_p > 0:
        parts.append(c.llama_sampler_init_min_p(choice.min_p, 1))
    if choice.xtc_probability > 0:
        parts.append(c.llama_sampler_init_xtc(choice.xtc_probability, choice.xtc_threshold, 1, seed))
    parts.append(c.llama_sampler_init_temp(choice.temperature))
    return [*parts, c.llama_sampler_init_dist(seed)]


def _suppressed_tokens_bias(library: LlamaLibrary, model: Model) -> list[Any]:
    """Tokens that the file says are never to be written, such as places for pictures."""
    # By name in the library, since the package's bindings don't have this function yet.
    get = library.c._lib.llama_vocab_get_suppress_tokens
    get.argtypes, get.restype = [ctypes.c_void_p, ctypes.POINTER(ctypes.c_int32)], ctypes.POINTER(ctypes.c_int32)
    count = ctypes.c_int32()
    tokens = get(library.c.llama_model_get_vocab(model.pointer), ctypes.byref(count))
    if not count.value:
        return []
    return _logit_bias_sampler(library, model, {tokens[place]: -math.inf for place in range(count.value)})


# llama.cpp copies the array, so that it may be freed here.
def _logit_bias_sampler(library: LlamaLibrary, model: Model, logit_bias: Mapping[int, float]) -> list[Any]:
    if not logit_bias:
        return []
    bias = library.c.llama_logit_bias
    biases = (bias * len(logit_bias))(*(bias(token, value) for token, value in logit_bias.items()))
    return [library.c.llama_sampler_init_logit_bias(model.vocabulary_size, len(logit_bias), biases)]


def _penalty_samplers(library: LlamaLibrary, choice: SamplingValues, model: Model) -> list[Any]:
    c = library.c
    parts = []
    repeat = choice.repeat_penalty if choice.repeat_penalty > 0 else 1.0  # 0 would divide by nothing
    # llama.cpp takes -1 for nothing in this sampler, unlike in its own command line.
    last = model.trained_context_tokens if choice.penalty_last_tokens < 0 else int(choice.penalty_last_tokens)
    presence, frequency = choice.presence_penalty, choice.frequency_penalty
    if last and (repeat != 1.0 or presence != 0.0 or frequency != 0.0):
        # Cut to the likeliest before the penalties, where that can't change the result.
        if likeliest := _enough_to_penalize(choice, last, model.vocabulary_size):
            parts.append(c.llama_sampler_init_top_k(likeliest))
        parts.append(c.llama_sampler_init_penalties(model.vocabulary_size, last, repeat, frequency, presence))
    if choice.dry_multiplier > 0:
        breakers = (ctypes.c_char_p * len(DRY_BREAKERS))(*DRY_BREAKERS)
        vocab = c.llama_model_get_vocab(model.pointer)
        parts.append(
            c.llama_sampler_init_dry(
                vocab, choice.dry_multiplier, DRY_BASE, DRY_ALLOWED_TOKENS, DRY_LAST_TOKENS, breakers, len(breakers)
            )
        )
    return parts


def _enough_to_penalize(choice: SamplingValues, last_tokens: int, vocabulary_size: int) -> int:
    """Return how many of the likeliest tokens to penalize without changing the result; 0 if that saves nothing.

    llama.cpp applies penalties to every token, which takes a millisecond for a large vocabulary. Penalties only lower,
    and at most `last_tokens` tokens: the k likeliest afterwards were among the k + `last_tokens` likeliest before.
    """
    kept = 1 if choice.temperature <= 0 else int(choice.top_k)
    least = min(choice.presence_penalty, choice.frequency_penalty)
    only_takes_away = choice.repeat_penalty >= 1 and least >= 0 and choice.dry_multiplier <= 0
    enough = kept + last_tokens
    return enough if kept > 0 and only_takes_away and enough < vocabulary_size // 4 else 0
