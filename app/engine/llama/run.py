"""One answer while it is read and written: its tokens, its place in the context, and how the next token is chosen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from app.core.events import FinishReason
from app.engine import protocol
from app.engine.answer import Answer
from app.engine.backend import Job
from app.engine.llama.model import Model
from app.engine.llama.sampling import Chain
from app.engine.llama.sequence import Sequence

UNLIMITED_TOKENS = 2048  # kept free for an answer without a limit, where another would join it


@dataclass(frozen=True)
class Prompt:
    """Token ids, and the places in them worth coming back to: before and after the last question."""

    tokens: list[int]
    places: tuple[int, ...] = ()


@dataclass(eq=False)
class Run:
    """`tokens` is the prompt and everything written after it; `sequence` is its place once it has one."""

    request: protocol.Generate
    job: Job
    answer: Answer
    model: Model
    prompt: Prompt
    chain: Chain
    piece: Callable[[int], bytes]
    """The text of a token as the answer is given it."""
    tokens: list[int] = field(init=False)
    sequence: Sequence | None = None
    prepared: bool = False
    begun: bool = False
    waits: str = ""
    places: set[int] = field(init=False)

    def __post_init__(self) -> None:
        self.tokens = list(self.prompt.tokens)
        self.places = set(self.prompt.places)

    @property
    def interactive(self) -> bool:
        """Whether somebody waits for it."""
        return not self.request.background

    @property
    def held_tokens(self) -> int:
        """How many of its tokens the memory holds."""
        return len(self.sequence.tokens) if self.sequence is not None and self.prepared else 0

    @property
    def pending_tokens(self) -> int:
        """Tokens that its memory does not hold yet: one while it writes, more while it reads."""
        return len(self.tokens) - self.held_tokens

    @property
    def is_writing(self) -> bool:
        """Whether the next decode takes just its newest token."""
        return self.prepared and self.pending_tokens == 1 and not self.job.cancelled

    @property
    def most_tokens(self) -> int:
        """The most room it can come to need; without a limit, what it has and a good length more."""
        if self.request.max_tokens < 0:
            return len(self.tokens) + UNLIMITED_TOKENS
        return len(self.prompt.tokens) + self.request.max_tokens + max(0, self.request.thinking_budget)

    @property
    def is_reading(self) -> bool:
        """Whether nothing was written yet."""
        return len(self.tokens) == len(self.prompt.tokens)

    def next_place(self) -> int:
        """How many tokens may be read before the next place worth a stop."""
        ahead = [place - self.held_tokens for place in self.places if place > self.held_tokens]
        return min(ahead, default=len(self.tokens))

    def write(self, token: int, context_tokens: int) -> FinishReason | None:
        """Takes a chosen token; returns why the answer ends with it, or None."""
        if self.model.ends_answer(token):
            return FinishReason.STOP
        reason = self.answer.add(self.piece(token))
        if reason is not None:
            return reason
        if self.job.cancelled:
            return FinishReason.CANCELLED
        self.tokens.append(token)
        if forced := self.answer.forced_text():
            for forced_token in self.model.tokenize(forced, special=True):
                self.answer.add(self.piece(forced_token))
                self.chain.accept(forced_token)
                self.tokens.append(forced_token)
        return FinishReason.CONTEXT if len(self.tokens) > context_tokens else None

    def wait(self, reason: str) -> None:
        """Tells once that it rests; an empty reason means that it goes on."""
        if reason and reason != self.waits:
            self.job.reply(protocol.Waiting(self.request.id, reason))
        self.waits = reason
