"""What a translation would take: tokens that are left, seconds from what earlier ones took here, or a short try."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from app.core.events import CancelToken
from app.documents.segments import Segment
from app.engine.client import EngineClient
from app.features.translation.result import Memory
from app.features.translation.stored import KIND, Row, TranslationEstimate
from app.features.work.engines import TaskEngines
from app.features.work.pace import Speeds
from app.store.jobs import Jobs

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
        left = [row.segment for row in rows if row.translated is None and _has_words(row.segment)]
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
        return None if cancel.cancelled else TranslationEstimate(len(rows), len(rows) - len(left), tokens, seconds)

    def _seconds(self, model: str, tokens: int, engine: EngineClient, cancel: CancelToken) -> float | None:
        earlier = self._speeds.earlier(model)
        if earlier is not None:
            return tokens / earlier
        speed = self._speeds.probe(model, engine, cancel)
        return None if speed is None else tokens * (1 + PROMPT_SHARE) / speed.reading + tokens / speed.writing


def _tokens(segments: Sequence[Segment], engine: EngineClient, cancel: CancelToken) -> int:
    count = 0
    for first in range(0, len(segments), COUNT_AT_ONCE):
        if cancel.cancelled:
            break
        count += sum(engine.count_texts([one.text for one in segments[first : first + COUNT_AT_ONCE]], cancel=cancel))
    return count


def _has_words(segment: Segment) -> bool:
    return any(character.isalpha() for character in segment.text)
