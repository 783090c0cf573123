"""What a page of Write asks of its model's worker: continuations, and how much of the page the model reads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from app.core.errors.app_error import AppError
from app.core.events import CancelToken
from app.ui.shell.model_loader import ModelLoader
from app.ui.widgets.timers import new_timer
from app.ui.work.at_hand import ModelAtHand, WorkEvent
from app.ui.write.continuation_runs import RunningContinuation

if TYPE_CHECKING:
    from app.engine.contract import Engine
    from app.features.continue_page import ContextWindow, PageAsked
    from app.features.work.task_engines import TaskEngines

MEASURE_MS = 500
"""Pause after the last edit before tokens are counted."""


class WritingRequestKind(Enum):
    """Requests to the model's worker; only the newest of each kind is answered."""

    GO_ON = "go on"
    MEASURE = "measure"


class PageTokenCounter(QObject):
    """Count how much of the page the model reads, shortly after each edit, without loading a model for it."""

    measured = Signal()
    """`reading` changed."""

    def __init__(
        self, work: ModelAtHand, engines: Callable[[], TaskEngines], loader: ModelLoader, page: Callable[[], PageAsked]
    ) -> None:
        super().__init__(work)
        self._work, self._engines, self._loader, self._page = work, engines, loader, page
        self._known: dict[str, int] = {}
        self._known_of: Path | None = None
        self.reading: ContextWindow | None = None
        """Part of the page the model reads; None until it was counted."""
        self.written_tokens = 0
        """Tokens the model has added to the page since."""
        self._later = new_timer(self, MEASURE_MS, self._measure)
        work.answered.connect(self._on_answer)
        loader.changed.connect(self._on_loader_changed)

    @property
    def known(self) -> dict[str, int]:
        """Token counts by text, emptied when the model changes."""
        model = self._engines().model_path()
        # Counts hold for one tokenizer.
        if self._known_of != model:
            self._known, self._known_of = {}, model
        return self._known

    def measure_soon(self) -> None:
        """Restart the timer after text, cursor, options or model changed."""
        self._later.start()

    def on_model_changed(self) -> None:
        """Drop the counts, which are those of the previous model's tokenizer."""
        self.reading = None
        self.measured.emit()
        self.measure_soon()

    def rest(self) -> None:
        """Stop counting while the page is hidden; the next edit starts again."""
        self._later.stop()

    def forget(self) -> None:
        """Drop the counts and the timer, because another page was opened."""
        self._later.stop()
        self.reading, self.written_tokens = None, 0

    def _measure(self) -> None:
        loaded, model = self._loader.model if self._loader.state == "ready" else None, self._engines().model_path()
        is_here = loaded is not None and model in (None, Path(loaded.path))
        # A running continuation reports by itself how much it reads, and counting must not load a model.
        if self._work.is_asked(WritingRequestKind.GO_ON) or not (is_here or self._work.has_model):
            return
        page, known = self._page(), self.known

        def steps(engine: Engine, stop: CancelToken) -> Iterator[Any]:
            from app.features.continue_page import measure_page

            try:
                yield from measure_page(engine, page, known, stop)
            except AppError:
                return  # the next continuation reports it

        self._work.ask(WritingRequestKind.MEASURE, model, steps)

    def _on_loader_changed(self) -> None:
        if self._loader.state == "ready":
            self.measure_soon()

    def _on_answer(self, answer: WorkEvent) -> None:
        from app.features.continue_page import ContextWindow

        if isinstance(answer.event, ContextWindow):
            self.reading, self.written_tokens = answer.event, 0
            self.measured.emit()


class ContinuationRequests(QObject):
    """Continuations asked of the model's worker, those of pages that are not shown included."""

    def __init__(
        self, engines: Callable[[], TaskEngines], loader: ModelLoader, page: Callable[[], PageAsked], parent: QObject
    ) -> None:
        super().__init__(parent)
        self._engines, self._loader = engines, loader
        self.work = ModelAtHand(engines, self)
        self.counting = PageTokenCounter(self.work, engines, loader, page)
        self._parked: dict[int, RunningContinuation] = {}
        """Parked alternatives by the id of their page."""
        self._without_infill: set[Path | None] = set()

    @property
    def model(self) -> Path | None:
        """The tab's model, or the chat's if the tab has none."""
        return self._engines().model_path()

    def is_running(self, asked: RunningContinuation | None) -> bool:
        return asked is not None and self.work.is_asked(WritingRequestKind.GO_ON, asked.number)

    def send(self, asked: RunningContinuation) -> None:
        """Ask for a continuation; a model that once refused infill is asked without the text behind the cursor."""
        if asked.page.fills and self.model in self._without_infill:
            asked.page = replace(asked.page, fills=False)
        self.work.stop(WritingRequestKind.MEASURE)
        page, known = asked.page, self.counting.known

        def steps(engine: Engine, stop: CancelToken) -> Iterator[Any]:
            from app.features.continue_page import go_on

            try:
                yield from go_on(engine, page, known, stop)
            except AppError as error:  # the model stays loaded
                yield error

        # The chat's model may be asleep; one of the tab's own is loaded by the worker.
        if self.model in (None, self._loader.path):
            self._loader.expect()
        asked.number = self.work.ask(WritingRequestKind.GO_ON, self.model, steps)

    def stop(self, asked: RunningContinuation | None) -> None:
        """Stop this continuation, and none of another page."""
        if self.is_running(asked):
            self.work.stop(WritingRequestKind.GO_ON)

    def ask_no_infill(self) -> None:
        """Remember that the model of now can't fill in, so that the next request doesn't ask it to."""
        self._without_infill.add(self.model)

    def rest(self) -> None:
        """Let the worker release a model of its own while the page is hidden."""
        self.counting.rest()
        self.work.rest()

    def park(self, page_id: int, asked: RunningContinuation) -> None:
        """Keep the alternatives of a page while another is shown; they are still written to their end."""
        self._parked[page_id] = asked

    def unpark(self, page_id: int) -> RunningContinuation | None:
        """Return the parked alternatives of a page, or None, and park them no longer."""
        return self._parked.pop(page_id, None)

    def drop_parked(self, page_id: int | None = None) -> None:
        """Stop the parked alternatives of a deleted page, or of all pages if `page_id` is None."""
        for parked_id in [page_id] if page_id is not None else list(self._parked):
            self.stop(self.unpark(parked_id))

    def add_to_parked(self, answer: WorkEvent) -> None:
        """Add what came for a page that is not shown to its alternatives."""
        parked = next((asked for asked in self._parked.values() if asked.number == answer.number), None)
        if parked is not None and isinstance(answer.event, tuple):
            number, parked.found[number] = answer.event
