"""The test of a model's tool calls for a window: one at a time, in the background, with its progress."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from app.core.events import CancelToken
from app.core.paths import runs_elsewhere
from app.ui.i18n import tr
from app.ui.shell import tasks
from app.ui.shell.model_loader import in_words
from app.ui.shell.notify import Notify

if TYPE_CHECKING:
    from app.bootstrap import Fireside
    from app.features.tools.scoring import RequestScored
    from app.features.tools.tool_scores import ToolScore

TEST_CALLS = "Test tool calls"
STOP_TEST = "Stop testing tool calls ({done} of {total})"
STOP_BEGINNING = "Stop testing tool calls"
TESTING = "Testing tool calls"
TESTED_SO_FAR = "Testing tool calls: {done} of {total}"
SCORED = "{name} was tested. {sentence}"


class ToolScoring(QObject):
    """Tests the tool calls of a model and keeps the score. Nothing is imported before it is asked."""

    changed = Signal()
    """A test began, went on or ended."""

    def __init__(self, app: Fireside, notify: Notify, parent: QObject) -> None:
        super().__init__(parent)
        self._app, self._notify = app, notify
        self._task: tasks.BackgroundTask | None = None
        self.model: Path | None = None
        """The model that is tested now."""
        self.done = self.total = 0

    @property
    def words(self) -> str:
        """What the button for it says while a test runs."""
        return tr(STOP_TEST, done=self.done, total=self.total) if self.done else tr(STOP_BEGINNING)

    @property
    def activity(self) -> str:
        """What the status line says of it; "" while none runs."""
        if self.model is None:
            return ""
        return tr(TESTED_SO_FAR, done=self.done, total=self.total) if self.done else tr(TESTING)

    def find_score(self, model: Path | None) -> ToolScore | None:
        """Return the score of a model, None without one; reads a small file."""
        from app.features.tools.tool_scores import ToolScores

        return ToolScores(self._app.paths.cache).find_score(model) if model is not None else None

    def can_test(self, model: Path | None) -> bool:
        """Return whether a model runs here and no other is being tested."""
        return model is not None and not runs_elsewhere(model) and self.model in (None, model)

    def toggle(self, model: Path) -> None:
        """Begin to test a model, or stop the test that runs."""
        if self._task is not None:
            self._task.cancel()
            return
        self.model, self.done, self.total = model, 0, 0
        self._task = tasks.run(
            lambda cancel: self._measure(model, cancel),
            self,
            on_event=self._on_event,
            on_failed=self._notify.error,
            on_over=self._on_over,
        )
        self.changed.emit()

    def _measure(self, model: Path, cancel: CancelToken) -> Iterator[RequestScored | ToolScore]:
        from app.features.tools.score_job import measure_score
        from app.features.tools.tool_scores import ToolScores

        yield from measure_score(self._app.pool, model, ToolScores(self._app.paths.cache), cancel)

    def _on_event(self, event: RequestScored | ToolScore) -> None:
        from app.features.tools.scoring import RequestScored

        if isinstance(event, RequestScored):
            self.done, self.total = event.done, event.total
            self.changed.emit()
        elif self.model is not None:
            name = tr(self._app.names.name_of(self.model))
            self._notify.mention(tr(SCORED, name=name, sentence=in_words(event.message)))

    def _on_over(self) -> None:
        self._task = self.model = None
        self.changed.emit()
