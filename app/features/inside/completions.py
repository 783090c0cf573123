"""A text that the model goes on with, as it is: one continuation, or several beside each other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from app.core.errors import AppError
from app.core.events import (
    CancelToken,
    Finished,
    FinishReason,
    TextDelta,
    TokenChosen,
    TokenSeen,
)
from app.engine.client import EngineClient
from app.engine.protocol import Ask

SEEDS = 1 << 32


@dataclass
class Continuation:
    """One continuation while it is written; `finish_reason` is None until it is complete."""

    text: str = ""
    tokens: list[TokenSeen] = field(default_factory=list)
    finish_reason: FinishReason | None = None

    @property
    def log_probability(self) -> float:
        """Natural logarithm of how likely the model itself holds all of it."""
        return sum(token.log_probability for token in self.tokens)


def continue_text(
    engine: EngineClient, ask: Ask, count: int = 1, *, cancel: CancelToken | None = None
) -> Iterator[tuple[int, Continuation]]:
    """Goes on with `ask.text`, `count` times; yields (index, continuation) whenever one has grown or is complete.

    Several are written in one batch, and what they go on with is read once; each has the seed after the one before.
    Raises InfillUnavailable for a suffix that the model has no tokens for, PromptTooLong, and the engine's situations.
    """
    ask = replace(ask, alternatives=max(ask.alternatives, 0))
    found = [Continuation() for _ in range(count)]
    seed = ask.sampling.seed
    asks = [
        ask if seed is None else replace(ask, sampling=replace(ask.sampling, seed=(seed + number) % SEEDS))
        for number in range(count)
    ]
    events: Iterator[tuple[int, object]]
    if count == 1:
        events = ((0, event) for event in engine.answer(ask, cancel))
    else:
        events = engine.generate_many(asks, cancel=cancel)
    for index, event in events:
        one = found[index]
        match event:
            case TokenChosen(token=token):
                one.tokens.append(token)
            case TextDelta(text=text):
                one.text += text
                yield index, one
            case Finished(stats=stats):
                one.finish_reason = stats.finish_reason
                yield index, one
            case AppError():
                raise event
