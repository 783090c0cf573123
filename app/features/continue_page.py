"""Continue a page with a model: how much of its text is read, and the blanks before the cursor.

To a tokenizer " word" is one token, so a prompt that ends with a blank asks for a word that begins without one, and
models then write a number. The blanks stay out of the prompt, and the continuation begins with them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

from app.core.errors.app_error import AppError
from app.core.events import (
    CancelToken,
    Finished,
    FinishReason,
    PromptProgress,
    TextDelta,
    TokenChosen,
    TokenSeen,
    Waiting,
)
from app.core.lazy_dataclasses import dataclass, field, replace
from app.engine.contract import Engine
from app.engine.protocol import Ask
from app.features.write_pages import SEEDS, WritingOptions

BLANKS = " \t"
MOST_HEALED = 256
"""More blanks than that are no slip of the space bar, and stay in the prompt."""
_MARKED = str.maketrans({"\t": "\\t"})


def split_trailing_blanks(text: str, most: int | None = None) -> tuple[str, str]:
    """Split off trailing blanks, at most `most` (None: all). A text of only blanks, or with very many, isn't split."""
    # Only blanks, or very many, are meant.
    head = text.rstrip(BLANKS)
    count = len(text) - len(head)
    if not head or count > MOST_HEALED:
        return text, ""
    count = count if most is None else min(most, count)
    return text[: len(text) - count], text[len(text) - count :]


def grammar_beginning_with(blanks: str) -> str:
    """GBNF of any text that begins with these blanks."""
    return f'root ::= "{blanks.translate(_MARKED)}" .*'


class BlankTrimmer:
    """Drops from the beginning of a continuation the blanks that its page has already. Streaming."""

    def __init__(self, blanks: str) -> None:
        self._blanks_left = blanks

    def feed(self, text: str) -> str:
        """Return the part of this piece that isn't on the page yet."""
        while self._blanks_left and text:
            # The model wrote another blank than expected: everything from here is its own.
            if text[0] != self._blanks_left[0]:
                self._blanks_left = ""
                break
            text, self._blanks_left = text[1:], self._blanks_left[1:]
        return text


@dataclass
class Continuation:
    """A continuation in progress; `finish_reason` is None until it ends.

    Before text arrives, `read` is the share of the prompt processed, and `waits` why it is waiting ("" if it isn't).
    The first of `tokens` may start with blanks that are before the cursor and not part of `text`.
    """

    text: str = ""
    tokens: list[TokenSeen] = field(default_factory=list)
    finish_reason: FinishReason | None = None
    read: PromptProgress | None = None
    waits: str = ""

    @property
    def log_probability(self) -> float:
        """Natural logarithm of how likely the model itself holds all of it."""
        return sum(token.log_probability for token in self.tokens)

    @property
    def probability_per_token(self) -> float:
        """Geometric mean of the model's token probabilities, before sampling."""
        return math.exp(self.log_probability / len(self.tokens)) if self.tokens else 0.0


def continue_text(
    engine: Engine, ask: Ask, count: int = 1, *, cancel: CancelToken | None = None, most_blanks: int | None = None
) -> Iterator[tuple[int, Continuation]]:
    """Continue `ask.text`, `count` times; yield (index, continuation) on every change.

    Several continuations run in one batch that shares the prompt; each has the next seed. Of the blanks at the text's
    end, `most_blanks` (None: all) stay out of the prompt and of what is yielded. Raises InfillUnavailable if the
    model has no tokens for a suffix, PromptTooLong, and the engine's errors.
    """
    text, blanks = split_trailing_blanks(ask.text, most_blanks)
    if ask.suffix.partition("\n")[0].strip() and text.endswith("\n"):  # it is the indentation of the suffix
        text, blanks = ask.text, ""
    ask = replace(ask, text=text, alternatives=max(ask.alternatives, 0))
    # Token healing without touching tokens: the model writes the blank together with the word that follows it.
    if blanks and not ask.forced and not ask.grammar:  # forced tokens bring their own blank
        ask = replace(ask, grammar=grammar_beginning_with(blanks))
    trimmers = [BlankTrimmer(blanks) for _ in range(count)]
    found = [Continuation() for _ in range(count)]
    seed = ask.sampling.seed
    asks = [
        ask if seed is None else replace(ask, sampling=replace(ask.sampling, seed=(seed + number) % SEEDS))
        for number in range(count)
    ]
    for index, event in engine.generate_many(asks, cancel=cancel, background=False):
        one = found[index]
        match event:
            case AppError():
                raise event
            # Told with the next text: a token may be half a letter.
            case TokenChosen(token=token):
                one.tokens.append(token)
                continue
            case TextDelta(text=piece):
                one.text += trimmers[index].feed(piece)
            case Finished(stats=stats):
                one.finish_reason = stats.finish_reason
            case PromptProgress():
                one.read = event
            case Waiting(reason=reason):
                one.waits = reason
                yield index, one
                continue
        one.waits = ""
        yield index, one


PIECE_CHARACTERS = 240
# At words or lines, so that tokens of pieces add up to nearly the text's.
_PIECE = re.compile(rf"[^\n]{{1,{PIECE_CHARACTERS}}}(?=\s|\Z)\n*|[^\n]{{{PIECE_CHARACTERS}}}|\n+")
BATCH_CHARACTERS = 60_000
MOST_KNOWN = 50_000
ROOM_TOKENS = 16
"""Left free for what a model puts before a text, and for what pieces have less than the whole."""
Counted = dict[str, int]
"""Tokens of pieces of text, for one model."""


def pieces_of(text: str) -> list[str]:
    """Split into pieces that end at words or lines, so that their token counts add up to nearly the text's."""
    return _PIECE.findall(text)


def count_pieces(engine: Engine, text: str, known: Counted, cancel: CancelToken) -> Iterator[int]:
    """Count the unknown pieces; yields the tokens known so far, at last the total. Ends without it when cancelled."""
    pieces = pieces_of(text)
    # Pieces of a long day's typing; all are counted again within a second.
    if len(known) > MOST_KNOWN:
        known.clear()
    missing = list(dict.fromkeys(piece for piece in pieces if piece not in known))
    begin = 0
    while begin < len(missing):
        # In batches, so that a cancel counts.
        end, size = begin, 0
        while end < len(missing) and size < BATCH_CHARACTERS:
            size += len(missing[end])
            end += 1
        counts = engine.count_texts(missing[begin:end], cancel=cancel)
        if cancel.cancelled:
            return
        known.update(zip(missing[begin:end], counts, strict=True))
        begin = end
        yield sum(known.get(piece, 0) for piece in pieces)
    yield sum(known[piece] for piece in pieces)


@dataclass(frozen=True)
class ContextWindow:
    """The part of a text the model reads: from `start` to the cursor, and to `end` when filling in.

    `tokens` counts that part, `all_tokens` the whole, for a context of `context_tokens`.
    """

    start: int
    end: int
    tokens: int
    all_tokens: int
    context_tokens: int

    @property
    def is_whole(self) -> bool:
        """True if everything fits."""
        return self.tokens == self.all_tokens


def reading_of(
    text: str, cursor: int, known: Counted, context_tokens: int, options: WritingOptions, *, fills: bool = False
) -> ContextWindow:
    """Choose the part of the text to read; `known` has the token counts of all pieces read.

    If the text is too long, its beginning is dropped in steps of a quarter of the room, so that the start stays the
    same for a while and the KV cache is reused.
    """
    # Half of the context at most for what is written, or nothing would be read.
    to_write = min(options.max_tokens * options.count, context_tokens // 2)
    room = max(1, context_tokens - to_write - ROOM_TOKENS)
    after, end, all_after = 0, cursor, 0
    if fills:
        behind = pieces_of(text[cursor:])
        all_after = sum(known[piece] for piece in behind)
        # A quarter for what follows: what stands before says more.
        end, after = _fitting_beginning(behind, known, room // 4, cursor)
    before = pieces_of(text[:cursor])
    all_before = sum(known[piece] for piece in before)
    start, left_out = _left_out(before, known, all_before, room - after)
    if start >= cursor > 0:  # a single piece is longer than what a small model holds
        start, left_out = max(0, cursor - max(1, (room - after) // 4)), all_before - (room - after)
    return ContextWindow(start, end, all_before - left_out + after, all_before + all_after, context_tokens)


def _fitting_beginning(pieces: list[str], known: Counted, room: int, at: int) -> tuple[int, int]:
    """Return where the pieces that fit end, starting `at`, and their tokens."""
    tokens = 0
    for piece in pieces:
        if tokens + known[piece] > room:
            break
        tokens += known[piece]
        at += len(piece)
    return at, tokens


def _left_out(pieces: list[str], known: Counted, total: int, room: int) -> tuple[int, int]:
    """Return where reading starts, and the tokens before that."""
    if total <= room:
        return 0, 0
    step = max(1, room // 4)
    # In steps, so that the start stays where it is for a while and what was read is used again.
    wanted, at, tokens = -(-(total - room) // step) * step, 0, 0
    for piece in pieces:
        if tokens >= wanted:
            break
        tokens += known[piece]
        at += len(piece)
    return at, tokens


@dataclass(frozen=True)
class PageAsked:
    """A text, the cursor in it and the options.

    `fills`: text after the cursor is read, too. `forced` are token ids to start with, whatever the model prefers;
    `most_blanks` as in `continue_text`.
    """

    text: str
    cursor: int
    options: WritingOptions
    fills: bool = False
    tries: int = 0
    forced: tuple[int, ...] = ()
    most_blanks: int | None = None


def go_on(
    engine: Engine, asked: PageAsked, known: Counted, cancel: CancelToken
) -> Iterator[int | ContextWindow | tuple[int, Continuation]]:
    """Count tokens, yield the `ContextWindow`, then continuations as `continue_text`. Raises as that does."""
    text, cursor, options = asked.text, asked.cursor, asked.options
    for part in (text[:cursor], text[cursor:] if asked.fills else ""):
        yield from count_pieces(engine, part, known, cancel)
    loaded = engine.loaded
    if cancel.cancelled or loaded is None:
        # Cancelled, or the model left while tokens were counted.
        yield from ((number, Continuation(finish_reason=FinishReason.CANCELLED)) for number in range(options.count))
        return
    reading = reading_of(text, cursor, known, loaded.context_tokens, options, fills=asked.fills)
    yield reading
    ask = options.make_ask(text[reading.start : cursor], text[cursor : reading.end], tries=asked.tries)
    ask = replace(ask, forced=asked.forced)
    yield from continue_text(engine, ask, options.count, cancel=cancel, most_blanks=asked.most_blanks)


def measure_page(
    engine: Engine, asked: PageAsked, known: Counted, cancel: CancelToken
) -> Iterator[int | ContextWindow]:
    """Count the page's tokens, yielding counts, then the `ContextWindow`."""
    for part in (asked.text[: asked.cursor], asked.text[asked.cursor :]):
        yield from count_pieces(engine, part, known, cancel)
    loaded = engine.loaded
    if not cancel.cancelled and loaded is not None:
        yield reading_of(asked.text, asked.cursor, known, loaded.context_tokens, asked.options, fills=asked.fills)
