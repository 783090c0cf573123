"""The engine that `make run` is still building: how far it is, read from the log of set-up.

A checkout's window opens before its engine is there. Set-up names its log in FIRESIDE_ENGINE_BUILD and writes a last
line, "set-up ended: CODE", when engine and starter model are in place or could not be made.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterator
from pathlib import Path

from app.core.errors.engine_errors import EngineNotBuilt
from app.core.events import CancelToken, LoadProgress
from app.core.lazy_dataclasses import dataclass
from app.core.paths import BUILD_VARIABLE

STEP = "engine_build"
_ENDED = re.compile(r"^set-up ended: (\d+)$", re.M)
_STEPS = re.compile(r"engine: step (\d+) of (\d+)")
POLL_S = 0.2
BUILT_SHARE = 0.9
"""Share of the progress for building; the rest is installing and converting the starter."""


@dataclass(frozen=True)
class EngineBuild:
    """A build running in a fresh checkout, as its log reports it."""

    log: Path

    @classmethod
    def from_environment(cls) -> EngineBuild | None:
        """Return the build that was running when this program started, or None."""
        log = os.environ.get(BUILD_VARIABLE)
        return cls(Path(log)) if log else None

    def fraction(self) -> float:
        """Return how far it is, 0 to 1; 1 when it is over, however it ended."""
        text = self._read_log()
        if _ENDED.search(text):
            return 1.0
        steps = _STEPS.findall(text)
        return BUILT_SHARE * int(steps[-1][0]) / max(1, int(steps[-1][1])) if steps else 0.0

    def wait(self, cancel: CancelToken | None) -> Iterator[LoadProgress]:
        """Yield how far it is until it is over or cancelled. Raises EngineNotBuilt."""
        while not (cancel is not None and cancel.cancelled):
            fraction = self.fraction()
            if fraction >= 1:
                break
            yield LoadProgress(fraction, STEP)
            threading.Event().wait(POLL_S)
        ended = _ENDED.search(self._read_log())
        if ended is not None and ended[1] != "0":
            raise EngineNotBuilt(str(self.log))

    def _read_log(self) -> str:
        try:
            return self.log.read_text("utf-8", "replace")
        except OSError:
            return ""
