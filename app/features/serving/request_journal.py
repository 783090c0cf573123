"""What is remembered of requests: who asked which model when, never what was said."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from app.core.lazy_dataclasses import dataclass, replace

if TYPE_CHECKING:
    pass

JOURNAL_S = 3600.0
MOST_IN_JOURNAL = 1000


@dataclass(frozen=True)
class RequestRecord:
    """A request as shown to the user, without any content. `at` in seconds since 1970."""

    at: float
    who: str
    path: str
    model: str
    status: int
    prompt_tokens: int = 0
    generated_tokens: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class RequestTotals:
    """Sums over all requests since the start."""

    requests: int = 0
    failed: int = 0
    prompt_tokens: int = 0
    generated_tokens: int = 0
    seconds: float = 0.0
    in_progress: int = 0

    def with_request(self, asked: RequestRecord) -> RequestTotals:
        return RequestTotals(
            self.requests + 1,
            self.failed + (asked.status != 200),
            self.prompt_tokens + asked.prompt_tokens,
            self.generated_tokens + asked.generated_tokens,
            self.seconds + asked.seconds,
        )


class RequestJournal:
    """The requests of the last hour, the totals, and who is answered now; from any thread."""

    def __init__(self) -> None:
        self._journal: deque[RequestRecord] = deque(maxlen=MOST_IN_JOURNAL)
        self._totals, self._totals_lock = RequestTotals(), threading.Lock()
        self._running: list[tuple[str, str]] = []
        self.on_use: Callable[[], object] = lambda: None
        """Called from any thread when `users` may be others."""

    def begin_request(self, who: str, model: str) -> object:
        """Record the start of a request; pass the result to `end_request`."""
        running = (who, model)
        with self._totals_lock:
            self._running.append(running)
        self.on_use()
        return running

    def end_request(self, running: object, asked: RequestRecord) -> None:
        """Record a finished request: in the list for an hour, and in the totals."""
        with self._totals_lock:
            # By identity: two requests of one program are equal.
            self._running[:] = [run for run in self._running if run is not running]
            self._totals = self._totals.with_request(asked)
        self._journal.append(asked)
        self.on_use()

    @property
    def users(self) -> list[str]:
        """Names of the programs that are being answered now, each once."""
        with self._totals_lock:
            return list(dict.fromkeys(who for who, _ in self._running))

    @property
    def totals(self) -> RequestTotals:
        with self._totals_lock:
            return replace(self._totals, in_progress=len(self._running))

    def list_requests(self) -> list[RequestRecord]:
        """List the requests of the last hour, newest first."""
        since = time.time() - JOURNAL_S
        return [request_record for request_record in reversed(self._journal) if request_record.at >= since]
