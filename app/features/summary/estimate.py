"""What a summary would take: tokens and sections as the pipeline plans them, seconds from speeds measured here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from app.core.events import CancelToken, ModelLoaded
from app.engine.client import EngineClient
from app.features.summary.pace import SECTIONS_A_MERGE
from app.features.summary.record import model_file
from app.features.summary.result import InputDocument, Method, Wish
from app.features.summary.stored import KIND, Estimate
from app.features.work.engines import TaskEngines
from app.features.work.pace import Speeds
from app.store.jobs import Jobs

if TYPE_CHECKING:
    from app.features.summary.budgets import Budgets

ANSWERED_SHARE = 0.7
"""Of what an answer may take, what it does take."""
COUNTED_CHARACTERS_A_SECOND = 400_000
"""Of a document whose sentences are chosen by counting words, on a slow machine."""


def counting_seconds(documents: Sequence[InputDocument]) -> float:
    """How long that takes at most."""
    characters = sum(len(block.text) for one in documents for block in one.blocks)
    return max(1.0, characters / COUNTED_CHARACTERS_A_SECOND)


class Estimates:
    """From any thread. What was measured holds as long as the program runs; `inputs` makes documents of their ids."""

    def __init__(
        self, inputs: Callable[[Sequence[int]], list[InputDocument]], engines: TaskEngines, jobs: Jobs
    ) -> None:
        self._inputs, self._engines = inputs, engines
        self._speeds = Speeds(KIND, jobs, seconds="worked_s")
        self._budgets: dict[str, Budgets] = {}

    def estimate(self, document_ids: Sequence[int], wish: Wish, cancel: CancelToken) -> Estimate | None:
        """See `app.features.summary.summaries.Summaries.estimate`."""
        from app.features.summary.budgets import method_for  # the window lists summaries without these
        from app.features.summary.digest import has_sentences
        from app.features.summary.summarize import plan

        documents = self._inputs(document_ids)
        if method_for(wish, self._engines.weights()) is Method.DIGEST and any(map(has_sentences, documents)):
            return None if cancel.cancelled else Estimate(None, 0, counting_seconds(documents), ())
        with self._engines.opened(cancel, may_ask=False) as engine:
            if engine is None or engine.loaded is None:
                return None
            loaded = engine.loaded
            planned = plan(documents, wish, engine, cancel)
            if planned is None:
                return None
            tokens, sections = planned.tokens, max(1, len(planned.sections))
            if planned.method is Method.DIGEST:
                return Estimate(tokens, 0, counting_seconds(documents), planned.by_document)
            if not self._measure(engine, loaded, cancel):
                return None
        seconds = self.seconds(model_file(loaded), tokens, sections, wish)
        return Estimate(tokens, sections, seconds, planned.by_document)

    def seconds(self, model: str, tokens: int, sections: int, wish: Wish) -> float | None:
        """How long a model (the name of its file) takes; None where nothing of it was measured here."""
        earlier = self._speeds.earlier(model)
        if earlier is not None:
            return tokens / earlier
        speed, budgets = self._speeds.probed(model), self._budgets.get(model)
        if speed is None or budgets is None:
            return None
        read, written = float(tokens), float(budgets.writing(wish.length, wish.language))
        if sections > 1:
            points, merges = sections * budgets.points * ANSWERED_SHARE, sections // SECTIONS_A_MERGE
            read += points + merges * budgets.merged
            written += points + merges * budgets.merged
        return read / speed.reading + written / speed.writing

    def _measure(self, engine: EngineClient, loaded: ModelLoaded, cancel: CancelToken) -> bool:
        """Reads and writes a little, once for each model that has not written anything here; False when cancelled."""
        from app.features.summary.budgets import budgets_for

        model = model_file(loaded)
        if self._speeds.earlier(model) is None and self._speeds.probe(model, engine, cancel) is not None:
            self._budgets[model] = budgets_for(loaded)
        return not cancel.cancelled
