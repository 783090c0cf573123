"""How fast the chat's model was found to run here: tune it again, or forget that."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QDate, Qt
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QWidget

from app.core.events import CancelToken, TuningProgress
from app.core.paths import runs_elsewhere
from app.engine.tuning import ModelTuning, TuningTable
from app.features.models.pool_policy import LeasePriority
from app.features.models.tuning_words import tuning_words
from app.ui.i18n import InContext, sentence_for, tr
from app.ui.locale_formats import format_month_day
from app.ui.shared_labels import STOP
from app.ui.shell import tasks
from app.ui.shell.model_loader import in_words
from app.ui.theme import Theme
from app.ui.widgets.buttons import text_button
from app.ui.widgets.labels import announce
from app.ui.widgets.layouts import drop_margins, fill_layout

if TYPE_CHECKING:
    from app.bootstrap import Fireside

TUNE, FORGET_TUNING = "Tune", InContext("measured speed", "Forget")
TUNING_ABOUT = (
    "Measures threads, prompt size and flash attention for up to 20 seconds. "
    "Fireside also does this once, when the computer is quiet."
)
NOT_YET_TUNED = "Finds the fastest way to run the chat’s model."
TUNING_NOW = "Tuning, {percent} %. A message stops it."
TUNING_STOPPED = "Stopped, because the model was needed. Try again when nothing runs."
SERVER_TUNES_ITSELF = "The chat’s model runs on a server."


class TuningField(QWidget):
    """Buttons that tune the chat's model and forget what was found; `state` says what that was."""

    def __init__(self, app: Fireside, theme: Theme, state: QLabel) -> None:
        super().__init__()
        self._app, self.state = app, state
        self._task: tasks.BackgroundTask | None = None
        self._is_cancelled = False
        self.tune = text_button(tr(TUNE), on_click=self._on_tune)
        self.forget = text_button(tr(FORGET_TUNING), on_click=self._on_forget)
        theme.dress(fill_layout(drop_margins(QHBoxLayout(self)), self.tune, self.forget), spacing=8)
        self.show_tuning()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._task is None:
            # It may have been tuned, or another model chosen, since.
            self.show_tuning()

    def show_tuning(self, note: str = "") -> None:
        """Show what is known of the chat's model, after a note on what has just happened."""
        path = self._app.model_path()
        is_elsewhere = path is not None and runs_elsewhere(path)
        known = None if path is None or is_elsewhere else self._table.find_latest(path)
        words = " ".join(map(in_words, tuning_words(known, _day_of(known)))) if known else tr(NOT_YET_TUNED)
        self.state.setText(note or (tr(SERVER_TUNES_ITSELF) if is_elsewhere else words))
        self.tune.setText(tr(TUNE))
        self.tune.setEnabled(path is not None and not is_elsewhere)
        self.forget.setVisible(known is not None)

    @property
    def _table(self) -> TuningTable:
        return TuningTable(self._app.paths.engine)

    def _on_tune(self) -> None:
        if self._task is not None:
            self._is_cancelled = True
            self._task.cancel()
            return
        if (path := self._app.model_path()) is None:
            return
        self._is_cancelled = False
        self.tune.setText(tr(STOP))
        self.forget.hide()
        self._on_event(TuningProgress(0.0))
        self._note = tr(TUNING_STOPPED)
        self._task = tasks.run(
            lambda cancel: _tune_chat_model(self._app, path, cancel), self,
            on_event=self._on_event, on_failed=self._on_failed, on_over=self._on_over,
        )  # fmt: skip

    def _on_event(self, event: TuningProgress | ModelTuning) -> None:
        if isinstance(event, TuningProgress):
            self.state.setText(tr(TUNING_NOW, percent=int(event.fraction * 100)))
        else:
            self._note = ""

    def _on_failed(self, error: BaseException) -> None:
        self._note = sentence_for(error).text

    def _on_over(self) -> None:
        self._task = None
        self.show_tuning("" if self._is_cancelled else self._note)
        announce(self.state, self.state.text())

    def _on_forget(self) -> None:
        if (path := self._app.model_path()) is not None:
            self._table.forget_model(path)
        self.show_tuning()


def _tune_chat_model(app: Fireside, path: Path, cancel: CancelToken) -> Iterator[TuningProgress | ModelTuning]:
    """Load the chat's model if needed, and tune it. Runs on a thread."""
    with app.pool.seat.lease(LeasePriority.IDLE, cancel, path) as engine:
        if engine is not None:
            yield from engine.tune(cancel=cancel)


def _day_of(tuning: ModelTuning) -> str:
    return format_month_day(QDate.fromString(tuning.day, Qt.DateFormat.ISODate))
