"""Working time of a job, and a model's speed from earlier jobs and a short probe."""

from __future__ import annotations

import time
from collections.abc import Callable

from app.core.events import CancelToken
from app.engine.contract import Engine
from app.features.models.machine_speed import TokenSpeed, probe_speed
from app.features.work.queue import DONE
from app.store.jobs import JobTable

EARLIER = 3
"""Recent jobs of a model that count for its speed."""


class WorkClock:
    """Seconds of work; while it rests, the clock does not count."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._began_s: float | None = None
        self._rested_s, self._rests_since_s = 0.0, 0.0
        self._is_resting = False

    @property
    def has_begun(self) -> bool:
        return self._began_s is not None

    @property
    def is_resting(self) -> bool:
        """True while other work has priority."""
        return self._is_resting

    @property
    def worked_s(self) -> float:
        if self._began_s is None:
            return 0.0
        # While it rests, the clock stands at the moment when the rest began.
        return (self._rests_since_s if self._is_resting else self._clock()) - self._began_s - self._rested_s

    def start(self) -> None:
        """Start from zero."""
        self._began_s, self._rested_s = self._clock(), 0.0

    def set_resting(self, *, is_resting: bool) -> None:
        """Stop the clock while other work has priority, or restart it."""
        if is_resting and not self._is_resting:
            self._rests_since_s = self._clock()
        elif self._is_resting and not is_resting:
            self._rested_s += self._clock() - self._rests_since_s
        self._is_resting = is_resting


class MeasuredSpeeds:
    """Speeds measured in this run; from any thread.

    `seconds` is the field of a job's progress with the time of its `tokens`.
    """

    def __init__(self, kind: str, jobs: JobTable, *, seconds: str) -> None:
        self._kind, self._jobs, self._seconds = kind, jobs, seconds
        self._probed_speeds: dict[str, TokenSpeed] = {}

    def earlier_speed(self, model: str) -> float | None:
        """Return document tokens per second over the last uninterrupted jobs of a model (file name)."""
        done = [job.progress for job in self._jobs.find(self._kind, (DONE,))]
        fresh = [
            # Only jobs that ran through in one go have both figures.
            fields
            for fields in done
            if fields.get("model_file") == model and fields.get("tokens") and fields.get(self._seconds)
        ][-EARLIER:]
        # Over several jobs together, so that a short one counts little.
        tokens, seconds = (sum(fields[name] for fields in fresh) for name in ("tokens", self._seconds))
        return tokens / seconds if tokens and seconds else None

    def probed_speed(self, model: str) -> TokenSpeed | None:
        """Return what `probe_speed` measured; None if it didn't run."""
        return self._probed_speeds.get(model)

    def probe_speed(self, model: str, engine: Engine, cancel: CancelToken) -> TokenSpeed | None:
        """Measure a short read and write, once for each model without a job here; None when cancelled."""
        if model not in self._probed_speeds:
            if (speed := probe_speed(engine, cancel)) is None:
                return None
            self._probed_speeds[model] = speed
        return self._probed_speeds[model]
