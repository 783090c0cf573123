"""Looks at a text with the eyes of the loaded model: tokens with their places, probabilities, attention, layers."""

from __future__ import annotations

import itertools
import math
import sys
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence

from app.core.errors.request_errors import ModelNotInspectable, TooLongToInspect
from app.core.events import CancelToken, Guess, Message, PromptProgress, Role, TokenSeen
from app.core.lazy_dataclasses import dataclass
from app.engine.contract import Engine

WINDOW_TOKENS = 512
"""Of llama-perplexity: it counts the second half of each whole window."""
CONTINUATION = 0b1000_0000
"""A byte of UTF-8 that begins no character is 10xxxxxx."""
MOST_TOKEN_CHARACTERS = 64
"""No token of a usual text is longer, so that more of it need not be read to find its first ones."""


@dataclass(frozen=True)
class PlacedToken:
    """A token and its position in the text, in characters. A token with part of a character covers all of it."""

    id: int
    data: bytes
    start: int
    end: int
    is_control: bool = False

    @property
    def text(self) -> str:
        """The token's characters; an incomplete one shows as U+FFFD."""
        return self.data.decode("utf-8", "replace")


@dataclass(frozen=True)
class PromptShare:
    """Number of a prompt's tokens in the message of a role; without role, in the template."""

    role: Role | None
    tokens: int


@dataclass(frozen=True)
class TextSurprise:
    """A model's predictions of a text in figures.

    `perplexity` is e to the mean surprisal of a token (in nats); from two windows on, it equals llama-perplexity's.
    `bits_per_byte` covers all tokens and is comparable between models.
    """

    perplexity: float
    bits_per_byte: float
    tokens: int


@dataclass(frozen=True)
class AttentionShares:
    """Attention as `shares[layer, head, attending token, attended token]` in float32;

    `layers` are the layers' numbers.
    """

    tokens: tuple[TokenSeen, ...]
    layers: tuple[int, ...]
    heads: int
    shares: memoryview[float]

    def shares_of(self, layer: int, head: int | None = None) -> list[list[float]]:
        """Return one head's attention, or the mean over a layer's heads; `layer` counts from 0 among `read_layers`."""
        count = len(self.tokens)
        heads = range(self.heads) if head is None else (head,)
        return [
            [
                math.fsum(self.shares[layer, number, row, column] for number in heads) / len(heads)
                for column in range(count)
            ]
            for row in range(count)
        ]


@dataclass(frozen=True)
class LayersOf:
    """Some tokens of a text; `layers[layer][token]` are what the model would likeliest say after a layer."""

    tokens: tuple[TokenSeen, ...]
    layers: tuple[tuple[tuple[Guess, ...], ...], ...]


def tokens_of(
    engine: Engine,
    text: str = "",
    messages: Sequence[Message] = (),
    variables: Mapping[str, object] | None = None,
    cancel: CancelToken | None = None,
) -> list[PlacedToken]:
    """Return the tokens of a text, or of a conversation's prompt, which begins at character 0.

    `variables` are the template's, as in `Ask`.
    """
    found = engine.inspect("tokens", text, messages, template_variables=variables or {}, cancel=cancel)
    return place_tokens(found.tokens, text)


def shares_of(tokens: Sequence[PlacedToken], prompt: str, messages: Sequence[Message]) -> list[PromptShare]:
    """Count the tokens of each message in a prompt; the rest is the template's.

    A message that the template changed counts as template.
    """
    found, at = [], 0
    for message in messages:
        # Messages stand in the prompt in their order, so each is looked for behind the one before.
        text = message.text.strip()
        start = prompt.find(text, at)
        # A template that changed the text makes it its own.
        if not text or start < 0:
            continue
        at = start + len(text)
        inside = bisect_right(tokens, at, key=lambda one: one.end) - bisect_left(
            tokens, start, key=lambda one: one.start
        )
        found.append(PromptShare(message.role, max(0, inside)))
    return [*found, PromptShare(None, len(tokens) - sum(prompt_share.tokens for prompt_share in found))]


def place_tokens(tokens: Sequence[TokenSeen], text: str = "") -> list[PlacedToken]:
    """Locate tokens in the text, or in their joined text if none is given.

    A blank that the vocabulary adds in front has no position.
    """
    data = b"".join(token.data for token in tokens)
    # Vocabularies of sentence pieces put a blank in front of every text.
    ahead = 1 if text and data[:1] == b" " and not text.startswith(" ") else 0
    begins = [0]
    for byte in data:
        # Counted by bytes that begin a character.
        begins.append(begins[-1] + (byte & 0b1100_0000 != CONTINUATION))
    found, at, last = [], 0, len(text) if text else begins[-1]
    for token in tokens:
        # A token that begins within a character covers all of it.
        start, end = begins[at + 1] - 1 if at < len(data) else begins[at], begins[at + len(token.data)]
        at += len(token.data)
        place = (min(last, max(0, start - ahead)), min(last, max(0, end - ahead)))
        found.append(PlacedToken(token.id, token.data, *place, token.is_control))
    return found


def tokens_within(tokens: Sequence[TokenSeen], text: str) -> list[TokenSeen]:
    """Return those of an answer's tokens that make up its text, without thinking; [] if the text isn't in them.

    Where tools were called between its paragraphs, those of as many last paragraphs as came together.
    """
    data, at = b"".join(token.data for token in tokens), -1
    while text.strip() and at < 0:
        wanted = text.encode()
        # From the end: thinking may have the same words.
        at = data.rfind(wanted)
        text = text.partition("\n\n")[2]
    if at < 0:
        return []
    ends = list(itertools.accumulate(len(token.data) for token in tokens))
    return list(tokens[bisect_right(ends, at) : bisect_left(ends, at + len(wanted)) + 1])


def replace_token(
    text: str, tokens: Sequence[TokenSeen], number: int, guess: Guess
) -> tuple[str, tuple[int, ...]] | None:
    """Return an answer up to a token, with another in its place: the text, and the tokens to continue with.

    Several tokens if a character is split between them. None if the tokens don't match the text's end, or the guess
    has no id.
    """
    data, whole = text.encode(), b"".join(token.data for token in tokens)
    # An answer that was edited since no longer fits its tokens.
    if guess.id < 0 or not (data.endswith(whole) or whole.endswith(data)):
        return None
    begins = list(itertools.accumulate((len(token.data) for token in tokens), initial=len(data) - len(whole)))
    first = number
    # A character split over several tokens is replaced as a whole.
    while first > 0 and begins[first] > 0 and data[begins[first]] & 0b1100_0000 == CONTINUATION:
        first -= 1
    before = data[: max(0, begins[first])].decode("utf-8", "replace")
    return before, (*(token.id for token in tokens[first:number]), guess.id)


def read_probabilities(
    engine: Engine, text: str, *, most: int = 8, detailed: int = sys.maxsize, cancel: CancelToken | None = None
) -> Iterator[TokenSeen | PromptProgress]:
    """Yield each token of a text of any length with its probability, and progress after each window.

    The first `detailed` tokens come with their `most` likeliest alternatives.
    """
    done, total = 0, 1
    while done < total and not (cancel is not None and cancel.cancelled):
        found = engine.inspect("probabilities", text, start=done, most=most if done < detailed else 0, cancel=cancel)
        total = found.total
        # An engine that tells no tokens would be asked for ever.
        if not found.tokens:
            return
        yield from found.tokens
        done += len(found.tokens)
        yield PromptProgress(done, total)


def surprise_of(tokens: Sequence[TokenSeen]) -> TextSurprise:
    """Compute the figures from the tokens of `read_probabilities`."""
    half = WINDOW_TOKENS // 2
    whole = len(tokens) // WINDOW_TOKENS * WINDOW_TOKENS
    # llama-perplexity's way: of each window the second half, which has context enough.
    counted = [token for at, token in enumerate(tokens) if at < whole and at % WINDOW_TOKENS > half]
    # The first token of a text has nothing before it.
    foreseen = [token for token in tokens if token.rank >= 0]
    # Too short for its windows: every token that could be foreseen.
    if whole < 2 * WINDOW_TOKENS:
        counted = foreseen
    if not counted:
        return TextSurprise(math.nan, math.nan, len(tokens))
    # Over all tokens, so that models with other vocabularies compare.
    nats = -math.fsum(token.log_probability for token in foreseen)
    size_bytes = sum(len(token.data) for token in foreseen)
    mean = -math.fsum(token.log_probability for token in counted) / len(counted)
    return TextSurprise(math.exp(mean), nats / math.log(2) / max(1, size_bytes), len(tokens))


def read_attention(engine: Engine, text: str, *, cancel: CancelToken | None = None) -> AttentionShares:
    """Return what each token of a short text attends to. Raises ModelNotInspectable or TooLongToInspect."""
    data = bytearray()  # of a long text and a large model it is hundreds of megabytes: there is no second copy
    found = engine.inspect("attention", text, cancel=cancel, on_attention=data.extend)
    if not data:  # no token at all
        raise ModelNotInspectable(engine.loaded.path if engine.loaded else "", "attention")
    shares = memoryview(data).cast("f", found.shape)
    return AttentionShares(found.tokens, found.layer_numbers, found.shape[1], shares)


def attention_of_beginning(
    engine: Engine, text: str, *, cancel: CancelToken | None = None
) -> tuple[AttentionShares, bool]:
    """Read the attention of as many tokens from the start as possible; also return whether that is all.

    Later tokens don't affect it: no token attends to those after it.
    """
    shown, spare = text, 0
    while True:
        try:
            return read_attention(engine, shown, cancel=cancel), shown == text
        except TooLongToInspect as error:  # what begins a text counts too, and a cut word may fall into more tokens
            shown = text_beginning(engine, text, error.most - spare, cancel=cancel)
            spare += 1


def text_beginning(engine: Engine, text: str, most_tokens: int, *, cancel: CancelToken | None = None) -> str:
    """Return a text's first `most_tokens` tokens as text; all of it if it has no more."""
    # Cut before tokenizing: a page of a million characters would be tokenized for its first line.
    head = text[: most_tokens * MOST_TOKEN_CHARACTERS]
    tokens = tokens_of(engine, head, cancel=cancel)
    return head if len(tokens) <= most_tokens else head[: tokens[most_tokens].start]


def layers_of(
    engine: Engine, text: str, most: int = 5, *, cancel: CancelToken | None = None
) -> Iterator[LayersOf | PromptProgress]:
    """Yield what the model would predict after each layer for a short text, a few tokens at a time, with progress.

    Raises ModelNotInspectable or TooLongToInspect.
    """
    done, total = 0, 1
    while done < total and not (cancel is not None and cancel.cancelled):
        found = engine.inspect("layers", text, start=done, most=most, cancel=cancel)
        total = found.total
        if not found.tokens:
            return
        yield LayersOf(found.tokens, found.layers)
        done += len(found.tokens)
        yield PromptProgress(done, total)


def read_layers(
    engine: Engine, text: str, most: int = 5, *, cancel: CancelToken | None = None
) -> tuple[tuple[TokenSeen, ...], tuple[tuple[tuple[Guess, ...], ...], ...]]:
    """Return a short text's tokens, and the predictions after each layer for each."""
    parts = [part for part in layers_of(engine, text, most, cancel=cancel) if isinstance(part, LayersOf)]
    tokens = tuple(token for part in parts for token in part.tokens)
    rows = zip(*(part.layers for part in parts), strict=True)
    return tokens, tuple(tuple(itertools.chain(*row)) for row in rows)
