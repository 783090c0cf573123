"""A server's model in use: what it can do, and how many requests at once pay off."""

from __future__ import annotations

import time
from collections.abc import Callable

from app.core.errors.hub_errors import NetworkOff
from app.core.errors.server_errors import NotOffered
from app.core.events import (
    ModelElsewhere,
)
from app.core.lazy_dataclasses import dataclass, field
from app.engine.protocol import Ask
from app.hub.model_server import ModelServer
from app.remote import server_facts
from app.remote.counting import TokenEstimator
from app.remote.servers import RemoteCallers, RemoteModel

FIRST_AT_ONCE, MOST_LEARNT = 4, 32
"""Requests of a job: to begin with, and at most where no person says more."""
PAYS_OFF = 1.1
"""So many times the tokens a second must come when twice as many are asked for. A server that batches doubles them; of
one that does not, others wait behind what it was asked too early."""


@dataclass
class UsedModel:
    """The model in use and what was learnt about its server."""

    model: RemoteModel
    loaded: ModelElsewhere
    server: ModelServer
    callers: RemoteCallers
    refused: set[str] = field(default_factory=set)
    """Fields of a request that the server does not take."""

    def __post_init__(self) -> None:
        self.at_once = RequestsAtOnce(self.model.server.at_once)
        self.counting = TokenEstimator(
            self.server, self.model.name, is_exact=self.loaded.counts_exactly, sees=self.loaded.sees
        )

    def refuse_where_switched_off(self) -> None:
        """Raise NetworkOff: the switch ends what is on its way, too."""
        if not self.server.is_allowed:
            raise NetworkOff

    def refuse_what_is_not_offered(self, ask: Ask) -> None:
        """Raise NotOffered for options of a request that servers don't support."""
        if ask.forced or ask.tells_last:
            raise NotOffered(self.server.host, "probabilities")
        if ask.suffix and self.model.server.kind not in (
            "",
            server_facts.FIRESIDE,
            server_facts.OLLAMA,
            server_facts.LM_STUDIO,
        ):
            raise NotOffered(self.server.host, "infill")


class RequestsAtOnce:
    """Number of a job's requests at once: as set by the user, else doubled as long as that raises tokens per second."""

    def __init__(self, wanted: int, now_s: Callable[[], float] = time.monotonic) -> None:
        self._wanted, self._now_s = wanted, now_s
        self.number, self._is_settled, self._rate_before = FIRST_AT_ONCE, False, 0.0
        self.begin()

    def begin(self) -> None:
        """Restart measuring the rate, because no requests ran meanwhile."""
        self.number = self._wanted or self.number
        self._ends, self._tokens, self._since_s = 0, 0, self._now_s()

    def record_end(self, tokens: int) -> None:
        """Record an answer's end, when another took its place at once. `tokens` counts prompt and answer."""
        self._ends += 1
        self._tokens += tokens
        if self._wanted or self._is_settled or self._ends < self.number:
            return
        rate = self._tokens / max(1e-6, self._now_s() - self._since_s)
        if rate < PAYS_OFF * self._rate_before:
            # Back to what it was, as twice as many brought nothing.
            self.settle_on(self.number // 2)
        elif self.number >= MOST_LEARNT:
            self.settle_on(self.number)
        else:
            self._rate_before, self.number = rate, 2 * self.number
            self.begin()

    def settle_on(self, number: int) -> None:
        """Fix the number of requests at once for as long as this model is in use."""
        self.number, self._is_settled = max(1, number), True
