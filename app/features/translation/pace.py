"""How long a translation takes: told before it is begun, and while it works."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from app.core.events import CancelToken, ModelElsewhere
from app.documents.segments import Segment
from app.engine.contract import Engine
from app.features.translation.result import (
    KIND,
    Memory,
    Origin,
    Row,
    SegmentDone,
    TranslationEstimate,
    TranslationEvent,
    TranslationPlanned,
)
from app.features.work.asking import Rests
from app.features.work.engines import TaskEngines
from app.features.work.pace import Speeds, WorkClock
from app.store.jobs import Jobs

_BY_THE_MODEL = (Origin.MODEL, Origin.KEPT)


class Pace:
    """Times are seconds; while it rests, the clock does not count. `lengths` are the characters of each open segment.

    Segments differ in length, and known ones come at once: so the text that the model has written tells the pace.
    """

    def __init__(self, lengths: Mapping[int, int], clock: Callable[[], float] = time.monotonic) -> None:
        self._left = dict(lengths)
        self._characters_left = sum(self._left.values())
        self._written = 0
        self._clock = WorkClock(clock)

    @property
    def worked_s(self) -> float:
        return self._clock.worked_s

    def take(self, event: TranslationEvent) -> None:
        match event:
            case TranslationPlanned():
                if not self._clock.has_begun:
                    self._clock.start()
            case Rests(reason=reason):
                self._clock.rest(is_resting=bool(reason))
            case SegmentDone(translated=translated):
                length = self._left.pop(translated.id, 0)
                self._characters_left -= length
                self._written += length if translated.origin in _BY_THE_MODEL else 0

    def seconds_left(self) -> float | None:
        """About how much longer; None where nothing tells it yet."""
        if not self._written or not self._clock.has_begun:
            return None
        return max(1.0, self.worked_s / self._written * self._characters_left)


# What a translation would take: tokens that are left, seconds from what earlier ones took here, or a short try.


PROMPT_SHARE = 1.5
"""What a prompt takes beside its text, as a share of that: rules, markup, what came before."""
COUNT_AT_ONCE = 500


class Estimates:
    """From any thread. What was measured holds as long as the program runs."""

    def __init__(self, engines: TaskEngines, jobs: Jobs) -> None:
        self._engines = engines
        self._speeds = Speeds(KIND, jobs, seconds="timed_s")

    def estimate(
        self, rows: Sequence[Row], memory_of: Callable[[Path], Memory], cancel: CancelToken
    ) -> TranslationEstimate | None:
        """`memory_of` is the memory of a model.

        None when cancelled, or where a model's room is taken by another one; raises what the engine raises.
        """
        left = [row.segment for row in rows if row.is_open]
        if not left:
            return TranslationEstimate(len(rows), len(rows), 0, 0.0)
        with self._engines.opened(cancel, may_ask=False) as engine:
            if engine is None or engine.loaded is None:
                return None
            model = Path(engine.loaded.path)
            memory = memory_of(model)
            left = [one for one in left if not cancel.cancelled and memory.find(one.content, one.context) is None]
            tokens = _tokens(left, engine, cancel)
            seconds = self._seconds(model.name, tokens, engine, cancel) if left else 0.0
            is_elsewhere = isinstance(engine.loaded, ModelElsewhere)
        if cancel.cancelled:
            return None
        return TranslationEstimate(len(rows), len(rows) - len(left), tokens, seconds, is_elsewhere)

    def _seconds(self, model: str, tokens: int, engine: Engine, cancel: CancelToken) -> float | None:
        earlier = self._speeds.earlier(model)
        if earlier is not None:
            return tokens / earlier
        speed = self._speeds.probe(model, engine, cancel)
        return None if speed is None else tokens * (1 + PROMPT_SHARE) / speed.reading + tokens / speed.writing


def _tokens(segments: Sequence[Segment], engine: Engine, cancel: CancelToken) -> int:
    count = 0
    for first in range(0, len(segments), COUNT_AT_ONCE):
        if cancel.cancelled:
            break
        count += sum(engine.count_texts([one.text for one in segments[first : first + COUNT_AT_ONCE]], cancel=cancel))
    return count
