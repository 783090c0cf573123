"""Setting of the claim checker: download with its size, and removal."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.core.errors.app_error import AppError
from app.features.claim_checker.fetching import NAME, SIZE_BYTES, CheckerReady, fetch_checker, remove_checker
from app.hub.protocol import Fetched
from app.ui.i18n import sentence_for, size_text, tr
from app.ui.shared_labels import REMOVE, REMOVE_NAMED
from app.ui.shell import tasks
from app.ui.theme import Theme
from app.ui.widgets.buttons import text_button
from app.ui.widgets.labels import plain_label
from app.ui.widgets.layouts import fill_layout, name_widgets

if TYPE_CHECKING:
    from app.bootstrap import Fireside

GET_MODEL = "Download {name} ({size})"


Save = Callable[..., None]


class CheckerField(QWidget):
    """Button that downloads the checker, cancels that, or deletes the file, with its state below."""

    def __init__(self, app: Fireside, theme: Theme, save: Save) -> None:
        super().__init__()
        self._app, self._save = app, save
        self._task: tasks.BackgroundTask | None = None
        self.button = theme.dress(text_button("", "plain", on_click=self._on_clicked), font="control")
        self.said = plain_label(kind="muted", wraps=True)
        column = fill_layout(QVBoxLayout(self), (self.button, 0, Qt.AlignmentFlag.AlignTrailing), self.said)
        column.setContentsMargins(0, 0, 0, 0)
        theme.dress(column, spacing=4)
        theme.dress(self.said, font="small", width=150)
        name_widgets(claim_checker=self.button, claim_checker_said=self.said)
        self._show_state()

    @property
    def _is_here(self) -> bool:
        """True if the chosen checker's file exists on this computer."""
        path = self._app.settings.models.checker_path
        # Settings that were copied from another computer may name one that isn't here.
        return bool(path) and Path(path).is_file()

    def _show_state(self, said: str = "") -> None:
        if self._task is not None:
            words = shown = tr("Cancel download")
        elif self._is_here:
            words, shown = tr(REMOVE_NAMED, name=NAME), tr(REMOVE)
        else:
            words = tr(GET_MODEL, name=NAME, size=size_text(SIZE_BYTES))
            shown = tr("Download ({size})", size=size_text(SIZE_BYTES))  # the row already shows the name
        self.button.setText(shown)
        self.button.setAccessibleName(words)
        self.said.setText(said)
        self.said.setVisible(bool(said))

    def _on_clicked(self) -> None:
        if self._task is not None:
            self._task.cancel()
        elif self._is_here:
            # The setting goes first, so that nobody looks for a file that is being deleted.
            self._save("models", checker_path="")
            remove_checker(self._app.paths)
            self._show_state()
        else:
            app = self._app
            self._task = tasks.run(
                lambda cancel: fetch_checker(app.models, app.paths, cancel),
                self,
                on_event=self._on_event,
                on_end=lambda: self._on_ended(""),
                on_failed=self._on_failed,
            )
            self._show_state(tr("Connecting…"))

    def _on_event(self, event: object) -> None:
        if isinstance(event, Fetched) and event.total_bytes:
            share = round(100 * event.done_bytes / event.total_bytes)
            self._show_state(tr("{percent} % of {size}", percent=share, size=size_text(event.total_bytes)))
        elif isinstance(event, CheckerReady):
            self._save("models", checker_path=str(event.path))

    def _on_ended(self, said: str) -> None:
        self._task = None
        self._show_state(said)

    def _on_failed(self, error: BaseException) -> None:
        self._task = None
        if not isinstance(error, AppError):
            self._show_state()
            raise error
        self._show_state(sentence_for(error).text)
