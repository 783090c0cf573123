"""How fast a model reads and writes on this computer: measured by a short try, or predicted before it is here."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.core.events import CancelToken, Finished, Message, Role, Waiting
from app.engine.client import EngineClient
from app.engine.computer import Remembered, machine_key, physical_cores, writing_bytes_per_s
from app.engine.fit import probe_memory
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


TELLING_BYTES = 500_000_000
"""A model of at least this size writes as fast as memory allows; a smaller one is held up by other work."""
STEADY = 1.5
"""Within this factor a new figure is no news: suggestions that change at every start help nobody."""


FILE = "speed.json"
TAKEN, PROBED = "bytes_per_s", "probed_bytes_per_s"


class MachineSpeed:
    """Bytes of weights that pass in a second while a model writes here, which predicts the speed of any model.

    The answers of the largest model that ran here tell it best. Where only small ones ran, or none, a probe of memory
    stands in, made once for a processor and kept in `folder`. The figure stays until another one is far from it.
    """

    def __init__(self, folder: Path, work_folder: Path, probe: Callable[..., float] = probe_memory) -> None:
        self._kept = Remembered(folder / FILE)
        self._work_folder, self._probe = work_folder, probe
        self._lock = threading.Lock()

    def bytes_per_s(
        self, answers: Sequence[tuple[int, float]], *, on_gpu: bool, cancelled: Callable[[], bool] = lambda: False
    ) -> float:
        """`answers`: bytes read for each token, and the most tokens a second, of each model that ran here.

        0 where nobody can say, as for a graphics card on which nothing ran yet. Probing takes about a second.
        """
        with self._lock:
            key = f"{machine_key()}{'-gpu' if on_gpu else ''}"
            kept = self._kept.find(key) or {}
            now = _told(answers)
            if now <= 0 and not on_gpu:
                now = max(_small(answers), self._probed(kept, cancelled))
            before = _number(kept.get(TAKEN))
            if now <= 0 or before / STEADY <= now <= before * STEADY:
                return before
            self._kept.put(key, kept | {TAKEN: now})
            return now

    def _probed(self, kept: dict[str, Any], cancelled: Callable[[], bool]) -> float:
        if _number(kept.get(PROBED)) <= 0:
            cores = physical_cores()
            kept[PROBED] = writing_bytes_per_s(self._probe(cores, folder=self._work_folder, cancelled=cancelled), cores)
        return _number(kept[PROBED])


def _told(answers: Sequence[tuple[int, float]]) -> float:
    """By the largest model that is large enough to tell; 0 where none is."""
    size, speed = max(answers, default=(0, 0.0))
    return size * speed if size >= TELLING_BYTES else 0.0


def _small(answers: Sequence[tuple[int, float]]) -> float:
    return max((size * speed for size, speed in answers), default=0.0)


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) and value > 0 else 0.0
