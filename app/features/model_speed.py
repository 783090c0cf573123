"""How fast a model reads and writes on this computer, by a short try."""

from __future__ import annotations

from dataclasses import dataclass

from app.core.cancel import CancelToken
from app.core.events import Finished, Waiting
from app.core.messages import Message, Role
from app.engine.client import EngineClient
from app.engine.protocol import Sampling

PROBE_LINES = 30
PROBE_TOKENS = 24
PROBE_GRAMMAR = r'root ::= ("[" [1-9] [0-9]? "] " [^\n\[\]]{20,200} "\n")+'
"""Choosing tokens that follow one takes small models longer than writing freely."""


@dataclass(frozen=True)
class Speed:
    """In tokens a second."""

    reading: float
    writing: float


def probe(engine: EngineClient, cancel: CancelToken) -> Speed | None:
    """Measures how fast a model reads and writes here; None where that cannot be told, as while it answers a chat."""
    lines = " ".join(f"{number} times {number + 7} is {number * (number + 7)}." for number in range(PROBE_LINES))
    answer = engine.generate(
        [Message(Role.USER, f"{lines} Write the next lines.")],
        max_tokens=PROBE_TOKENS,
        sampling=Sampling(temperature=0.0),
        thinking_budget=0,
        grammar=PROBE_GRAMMAR,
        background=True,
        cancel=cancel,
    )
    events = list(answer)
    stats = next((event.stats for event in events if isinstance(event, Finished)), None)
    if any(isinstance(event, Waiting) for event in events) or stats is None:
        return None
    if stats.time_to_first_token_s <= 0 or stats.tokens_per_s <= 0:
        return None
    return Speed((stats.prompt_tokens - stats.reused_tokens) / stats.time_to_first_token_s, stats.tokens_per_s)
