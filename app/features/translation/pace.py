"""How long a translation has worked, and how much longer it will, by the text that it has translated itself."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from app.features.translation.result import Origin, SegmentDone, TranslationEvent, TranslationPlanned
from app.features.work.asking import Rests
from app.features.work.pace import WorkClock

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
        """How long it has worked."""
        return self._clock.worked_s

    def take(self, event: TranslationEvent) -> None:
        """One more event of the pipeline."""
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
