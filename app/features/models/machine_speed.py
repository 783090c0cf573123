"""Speed of a model on this computer: measured by a short try, or predicted before it is here."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from app.core.events import CancelToken, Finished, Message, Role, Waiting
from app.core.lazy_dataclasses import dataclass
from app.engine.computer import JsonCache, physical_cores
from app.engine.contract import Engine
from app.engine.memory_probe import probe_memory
from app.engine.memory_speed import machine_key, writing_bytes_per_s
from app.engine.protocol import Sampling

PROBE_LINES = 30
PROBE_TOKENS = 24
PROBE_GRAMMAR = r'root ::= ("[" [1-9] [0-9]? "] " [^\n\[\]]{20,200} "\n")+'
"""Choosing tokens that follow one takes small models longer than writing freely."""


@dataclass(frozen=True)
class TokenSpeed:
    """Speeds in tokens per second."""

    reading: float
    writing: float


def probe_speed(engine: Engine, cancel: CancelToken) -> TokenSpeed | None:
    """Measure prompt and generation speed here; None if impossible, as while it answers a chat."""
    # Lines that the grammar makes it continue, so that it can't stop early.
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
    # It had to wait for somebody's answer, so the time says nothing.
    if any(isinstance(event, Waiting) for event in events) or stats is None:
        return None
    if stats.time_to_first_token_s <= 0 or stats.tokens_per_s <= 0:
        return None
    # What was read before costs nothing and would make it look fast.
    return TokenSpeed((stats.prompt_tokens - stats.reused_tokens) / stats.time_to_first_token_s, stats.tokens_per_s)


TELLING_BYTES = 500_000_000
"""A model of at least this size writes as fast as memory allows; a smaller one is held up by other work."""
STEADY = 1.5
"""Changes within this factor are ignored: suggestions that change at every start help nobody."""
FILE = "speed.json"
TAKEN, PROBED = "bytes_per_s", "probed_bytes_per_s"


class MachineSpeed:
    """Bytes of weights processed per second while generating here, which predicts any model's speed.

    Answers of the largest model used here measure it best. If there are only small ones or none, memory is probed
    once per processor; the result is stored in `folder`. It stays until a new figure differs clearly.
    """

    def __init__(self, folder: Path, work_folder: Path, probe: Callable[..., float] = probe_memory) -> None:
        self._cache = JsonCache(folder / FILE)
        self._work_folder, self._probe = work_folder, probe
        self._lock = threading.Lock()

    def bytes_per_s(
        self, answers: Sequence[tuple[int, float]], *, on_gpu: bool, cancelled: Callable[[], bool] = lambda: False
    ) -> float:
        """Return the speed;

        `answers` has (bytes read per token, best tokens per second) for each model that ran here. 0 if unknown, as
        for a graphics card not used yet. Probing takes about 1 s.
        """
        with self._lock:
            # By processor, since a home folder may be used from several machines.
            key = f"{machine_key()}{'-gpu' if on_gpu else ''}"
            kept = self._cache.find(key) or {}
            # On a GPU neither the processor nor small models tell anything.
            if (now := _speed_from_answers(answers)) <= 0 and not on_gpu:
                now = max(_small_model_speed(answers), self._probed_speed(kept, cancelled))
            before = _parse_number(kept.get(TAKEN))
            # A new figure replaces the old one only where both are clearly apart, so suggestions stay the same from
            # start to start.
            if now <= 0 or before / STEADY <= now <= before * STEADY:
                return before
            self._cache.put(key, kept | {TAKEN: now})
            return now

    def _probed_speed(self, kept: dict[str, Any], cancelled: Callable[[], bool]) -> float:
        if _parse_number(kept.get(PROBED)) <= 0:
            cores = physical_cores()
            kept[PROBED] = writing_bytes_per_s(self._probe(cores, folder=self._work_folder, cancelled=cancelled), cores)
        return _parse_number(kept[PROBED])


def _speed_from_answers(answers: Sequence[tuple[int, float]]) -> float:
    """Compute it from the largest model if large enough to tell; else 0."""
    size, speed = max(answers, default=(0, 0.0))
    return size * speed if size >= TELLING_BYTES else 0.0


def _small_model_speed(answers: Sequence[tuple[int, float]]) -> float:
    return max((size * speed for size, speed in answers), default=0.0)


def _parse_number(value: object) -> float:
    return float(value) if isinstance(value, int | float) and value > 0 else 0.0
