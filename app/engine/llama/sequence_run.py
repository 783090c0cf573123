"""One answer while it is read and written: its tokens, its place in the context, and how its next token is chosen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from app.core.events import FinishReason, Media, Waiting
from app.core.lazy_dataclasses import dataclass, field
from app.core.wire import EventReply
from app.engine import protocol
from app.engine.answer_decoder import AnswerDecoder
from app.engine.backend import EngineJob
from app.engine.llama.cached_sequence import CachedSequence
from app.engine.llama.model import Model
from app.engine.llama.sampling import SamplerChain
from app.engine.predicted_drafts import PredictedDrafts
from app.engine.prompt_drafts import AnswerDrafts

UNLIMITED_TOKENS = 2048  # kept free for an answer without a limit, where another would join it


@dataclass(frozen=True)
class PromptTokens:
    """Token ids, and the places in them worth coming back to: before and after the last question.

    Reading stops at `places`; a model that can drop its end has none, and `ends` only. `shared` is how many of the
    tokens other sessions begin with, too, where the request says that some do. `media` are the pictures and sounds in
    it, by their id and how many tokens they may take.
    """

    tokens: list[int]
    places: tuple[int, ...] = ()
    ends: tuple[int, ...] = ()
    shared: int = 0
    media: Mapping[tuple[str, int], Media] = field(default_factory=dict)
    media_tokens: int = 0
    """Tokens of all images and sounds, including the tokens the model wants around them."""


@dataclass(eq=False)
class SequenceRun:
    """`tokens` is the prompt and everything written after it; `sequence` is its place once it has one."""

    request: protocol.Generate
    job: EngineJob
    answer: AnswerDecoder
    model: Model
    prompt: PromptTokens
    chain: SamplerChain
    piece: Callable[[int], bytes]
    """The text of a token as the answer is given it."""
    drafts: AnswerDrafts | PredictedDrafts | None = None
    """Guesses what comes next, where the model can take back what was guessed wrong."""
    forced: list[int] = field(default_factory=list)
    """Tokens still to be written before the model samples again."""
    tokens: list[int] = field(init=False)
    sequence: CachedSequence | None = None
    prepared: bool = False  # its sequence holds what can be used of the prompt
    begun: bool = False
    is_finished: bool = False
    looks: list[tuple[str, int]] = field(default_factory=list)
    """Media to encode for this run as (key of the prompt's media, tile); `looked` holds those already started."""
    looked: set[tuple[str, int]] = field(default_factory=set)
    waits: str = ""  # the reason told last, so that it is told once
    places: set[int] = field(init=False)

    def __post_init__(self) -> None:
        self.tokens = list(self.prompt.tokens)
        self.answer.drafts = self.drafts
        # Stops while reading: copies are made and prefixes handed on there.
        self.places = set(self.prompt.places) | {self.prompt.shared} - {0}

    @property
    def interactive(self) -> bool:
        """True if the user or an API client waits for the answer."""
        return not self.request.ask.background

    @property
    def is_outside(self) -> bool:
        """True for API clients, which yield to the local user."""
        return self.interactive and self.request.ask.is_outside

    @property
    def held_tokens(self) -> int:
        """Number of this run's tokens in the KV cache."""
        return len(self.sequence.tokens) if self.sequence is not None and self.prepared else 0

    @property
    def pending_tokens(self) -> int:
        """Tokens that its memory does not hold yet: one while it writes, more while it reads."""
        return len(self.tokens) - self.held_tokens

    @property
    def is_writing(self) -> bool:
        """True if the next decode takes only the newest token."""
        # A tile is decoded by itself.
        return self.prepared and self.pending_tokens == 1 and self.tokens[-1] >= 0 and not self.job.cancelled

    @property
    def next_tile(self) -> int:
        """Negative number of the next image or sound tile to decode; 0 if text is next."""
        held = self.held_tokens
        # Between text and tiles the batch has to end: an encoder's output is decoded as vectors.
        return min(self.tokens[held], 0) if self.prompt.media and self.prepared and held < len(self.tokens) else 0

    @property
    def most_tokens(self) -> int:
        """Upper limit of tokens this run may need; without a limit of its own, its length plus `UNLIMITED_TOKENS`."""
        if self.request.ask.max_tokens < 0:
            return len(self.tokens) + UNLIMITED_TOKENS
        # The budget of thinking comes on top of the limit, which counts the answer only.
        return len(self.prompt.tokens) + self.request.ask.max_tokens + max(0, self.request.ask.thinking_budget)

    @property
    def is_reading(self) -> bool:
        """True until a token of the answer has been written, forced ones included."""
        return len(self.tokens) == len(self.prompt.tokens)

    def next_place(self) -> int:
        """Return how many tokens may be read before the next place worth a stop, or the next picture."""
        held = self.held_tokens
        ahead = [place - held for place in self.places if place > held]
        # A batch holds either tokens or vectors, so it ends before a picture.
        if self.prompt.media:
            ahead += [at for at, token in enumerate(self.tokens[held:]) if token < 0][:1]
        return min(ahead, default=len(self.tokens))

    def choose_token(self, output: int, context: Any) -> int:
        """Return the next token: a forced one, else what is sampled from the logits of an output."""
        if not self.forced:
            return self.chain.sample_token(context, output)
        # Nothing is sampled, but penalties and the grammar have to know of it.
        token = self.forced.pop(0)
        self.chain.accept(token)
        return token

    def propose_draft(self, context_tokens: int, most: int) -> list[int]:
        """Return tokens that may follow the newest one, no more than the answer and the context have room for."""
        if self.drafts is None or self.forced or self.is_reading:
            return []
        most, limit = min(most, context_tokens - len(self.tokens)), self.request.ask.max_tokens
        if limit >= 0:
            most = min(most, limit - (self.answer.generated_tokens - self.answer.thinking_tokens) - 1)
        return self.drafts.propose(self.tokens, most) if most > 0 else []

    @property
    def is_told(self) -> bool:
        """True once all tokens of a replayed answer (`Ask.tells_last`) were reported."""
        return self.request.ask.tells_last and not self.forced

    def write_token(self, token: int, context_tokens: int) -> FinishReason | None:
        """Append a chosen token; return the reason if the answer ends with it, else None."""
        # Before it is added: the end has no text and is not part of the answer.
        if self.model.ends_answer(token):
            return FinishReason.STOP
        reason = self.answer.add_token(self.piece(token))
        if reason is not None:
            return reason
        if self.job.cancelled:
            return FinishReason.CANCELLED
        self.tokens.append(token)
        # Closing a thought whose budget is used up: the mark is written into the answer as if the model had.
        if forced := self.answer.forced_text():
            for forced_token in self.model.tokenize(forced, special=True):
                self.answer.add_token(self.piece(forced_token))
                self.chain.accept(forced_token)
                self.tokens.append(forced_token)
        return FinishReason.CONTEXT if len(self.tokens) > context_tokens else None

    def finish(self, reason: FinishReason) -> None:
        """Send the final reply with the reason, once; later calls do nothing."""
        if not self.is_finished:
            self.is_finished = True
            self.job.reply(self.answer.finish(reason))

    def report_waiting(self, reason: str) -> None:
        """Report once that the run is paused for `reason`; an empty reason resets it."""
        if reason and reason != self.waits and not self.is_finished:
            self.job.reply(EventReply(self.request.id, Waiting(reason)))
        self.waits = reason
