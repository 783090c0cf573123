"""Measuring a model's tool calls while the window is used: chats go first, and only a whole score is kept."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from app.core.errors.model_errors import ModelNotLoaded
from app.core.events import CancelToken
from app.features.models.model_pool import ModelPool
from app.features.models.pool_policy import LeasePriority
from app.features.tools.score_requests import score_requests, score_tools
from app.features.tools.scoring import RequestScored, WaysCompared, compare_ways
from app.features.tools.tool_scores import ToolScore, ToolScores


def measure_score(
    pool: ModelPool, model: Path, scores: ToolScores, cancel: CancelToken
) -> Iterator[RequestScored | ToolScore]:
    """Yield every scored answer, and at last, unless cancelled, the score, which is kept then.

    Raises loading errors, the engine's errors, and ModelNotLoaded once another model took its place.
    """
    with pool.lease(model, LeasePriority.JOB, cancel) as engine:
        if engine is None:
            return
        for event in compare_ways(engine, score_requests(), score_tools(), cancel):
            if engine.loaded is None or Path(engine.loaded.path) != model:
                raise ModelNotLoaded(model.name)
            yield scores.keep_score(model, event) if isinstance(event, WaysCompared) else event
