"""Texts about a model's numbers. A value missing in the file is reported as missing, never guessed."""

from __future__ import annotations

from typing import NamedTuple

from app.features.inside.anatomy import ModelAnatomy, TensorGroup
from app.ui.i18n import Translatable, size_text, tr, tr_count
from app.ui.locale_formats import format_brief_percent, format_decimal, format_number, format_percent, join_list
from app.ui.model_texts import count_briefly, join, short_number
from app.ui.shared_labels import CONTEXT, ONE_PARAMETER, PARAMETER_COUNT

LAYERS = "Layers"
NOT_SAID = "not stated"
VOCABULARY = "Vocabulary"
HEADS_PER_LAYER = "Heads in each layer"
KEY_SIZE = "Size of a key, dₖ"
MEMORY_PER_TOKEN = "Memory for each token"
BITS_PER_WEIGHT = "Bits per weight"
ATTENTION = (
    r"\mathrm{Attention}(Q, K, V) = \mathrm{softmax}\left(\frac{QK^T}{\sqrt{d_k}}\right)V",
    "Attention of Q, K and V is the softmax of Q times K transposed, divided by the square root of d k, times V",
)
HEADS = (
    r"\mathrm{MultiHead}(Q, K, V) = \mathrm{Concat}(\mathrm{head}_1, \ldots, \mathrm{head}_h)\,W^O",
    "Multi-head attention joins the results of all heads, one to h, and multiplies them by the matrix W O",
)
PRODUCT = (
    r"P(x) = \prod_{t=1}^{T} P(x_t \mid x_{<t})",
    "The probability of a text is the product of the probabilities of each token after those before it",
)


class ModelFact(NamedTuple):
    """A number of the model: name, value, meaning, and its formula."""

    term: str
    value: str
    meaning: str
    formula: tuple[str, Translatable] | None = None


def lead_words(found: ModelAnatomy) -> str:
    # Norms and biases are kept at full precision in nearly every file, and would say nothing of this one.
    kinds = join_list(name for name, count in found.types if count >= 0.05 * found.parameters)
    return join(
        found.name,
        found.architecture,
        count_briefly((ONE_PARAMETER, PARAMETER_COUNT), found.parameters),
        kinds,
        size_text(found.size_bytes),
    )


def facts_of(found: ModelAnatomy) -> list[ModelFact]:
    """Return all explained numbers, in the order in which text passes them."""
    return [*_size_facts(found), *_reading_facts(found), *_layer_facts(found), *_context_facts(found)]


def _size_facts(found: ModelAnatomy) -> list[ModelFact]:
    kinds = join_list(f"{name} {share_words(count / max(1, found.parameters))}" for name, count in found.types[:4])
    return [
        ModelFact(
            tr("Parameters"),
            short_number(found.parameters),
            tr("The numbers learned in training. Everything the model knows is spread across them."),
        ),
        ModelFact(
            tr(BITS_PER_WEIGHT),
            format_decimal(found.bits_per_weight, 2),
            tr(
                "Fewer bits make the file smaller and the answers slightly worse. Most models are trained with "
                "16. This file uses {kinds}.",
                kinds=kinds,
            ),
        ),
    ]


def _reading_facts(found: ModelAnatomy) -> list[ModelFact]:
    return [
        ModelFact(
            tr(VOCABULARY),
            _number(found.vocabulary),
            tr(
                "The words, word parts and symbols it knows. Each gets a probability at every step; the product "
                "of the steps is the probability of a text."
            ),
            PRODUCT,
        ),
        ModelFact(tr("Width"), _number(found.width), tr("How many numbers represent one token inside the layers.")),
    ]


def _layer_facts(found: ModelAnatomy) -> list[ModelFact]:
    shared = tr_count(
        "They share one set of keys and values.",
        "They share keys and values: there are {count} sets of them.",
        found.kv_heads,
    )
    facts = [
        ModelFact(
            tr(LAYERS), _number(found.layers), tr("Each layer looks at the other tokens, then processes the result.")
        ),
        ModelFact(
            tr(HEADS_PER_LAYER),
            _number(found.heads),
            join_sentences(
                tr("Each head looks at the text in its own way: one at the previous word, another at a name."),
                # Fewer sets than heads: grouped-query attention.
                shared if 0 < found.kv_heads < found.heads else "",
            ),
            HEADS if found.heads else None,
        ),
        ModelFact(
            tr(KEY_SIZE),
            _number(found.key_length),
            tr(
                "A token’s query (Q) is compared with the others’ keys (K). Softmax turns the matches into "
                "weights, which mix the values (V)."
            ),
            ATTENTION if found.key_length else None,
        ),
        ModelFact(
            tr("Width of the feed-forward part"),
            _number(found.feed_forward),
            tr("The size of the step that processes each token separately."),
        ),
    ]
    if found.experts:
        facts.append(
            ModelFact(
                tr("Experts"),
                tr("{used} of {count}", used=_number(found.experts_used), count=format_number(found.experts)),
                tr("Only some experts process each token, so it’s faster than its size suggests."),
            )
        )
    return facts


def _context_facts(found: ModelAnatomy) -> list[ModelFact]:
    whole = tr_count(
        "A full context of {count} token takes {size}.",
        "A full context of {count} tokens takes {size}.",
        found.context_tokens,
        size=size_text(found.kv_bytes),
    )
    return [
        ModelFact(
            tr(CONTEXT),
            _number(found.context_tokens),
            tr("How many tokens it can look back at. It can’t see anything earlier."),
        ),
        ModelFact(
            tr(MEMORY_PER_TOKEN),
            size_text(found.kv_bytes_per_token) if found.kv_bytes_per_token else tr("none"),
            join_sentences(
                tr("The keys and values of every token are kept so nothing is read twice (16 bits each).")
                if found.kv_bytes_per_token
                else tr("The state has a fixed size, or the file doesn’t give one."),
                whole if found.kv_bytes else "",
                # Models whose layers differ have no formula as short as this.
                tr("Key and value, times layers, sets, numbers of a key, and bytes:") if found.is_plain else "",
            ),
            memory_formula(found) if found.is_plain else None,
        ),
    ]


def memory_formula(found: ModelAnatomy) -> tuple[str, str]:
    """Return the KV cache formula with this model's numbers."""
    factors = (2, found.layers, found.kv_heads, found.key_length, 2)
    product = r" \cdot ".join(rf"\text{{{format_number(number)}}}" for number in factors)
    spoken = "Keys and values, times layers, times sets of keys, times the size of a key, times two bytes"
    return rf"{product} = \text{{{format_number(found.kv_bytes_per_token)} bytes}}", spoken


def join_sentences(*sentences: str) -> str:
    return " ".join(sentence for sentence in sentences if sentence)


def share_words(share: float) -> str:
    """Format a share as percent; never 0 for a positive one."""
    # "0.0 %" would say that there is nothing.
    return f"< {format_percent(0.001, 1)}" if 0 < share < 0.0005 else format_brief_percent(share)


def bits(part: TensorGroup) -> str:
    """Format bits per weight without trailing zeros."""
    return format_decimal(part.bits_per_weight, 2, is_trimmed=True)


def _number(number: int) -> str:
    return format_number(number) if number else tr(NOT_SAID)
