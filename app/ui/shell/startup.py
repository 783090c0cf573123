"""Small windows for problems that keep Fireside from starting: what happened, what was kept, what to do."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QEventLoop, QTimer
from PySide6.QtWidgets import QDialog, QHBoxLayout, QPushButton, QVBoxLayout

from app import APP_NAME
from app.core.errors.app_error import AppError
from app.core.errors.database_errors import UNUSABLE_DATABASE
from app.features.error_messages import PersonMessage
from app.ui.i18n import breakable, sentence_for, tr
from app.ui.shared_labels import COPY_DETAILS, OPEN_FOLDER, QUIT, TRY_AGAIN
from app.ui.shell.desktop import copy_text, open_folder
from app.ui.shell.notify import describe
from app.ui.shell.single_instance import InstanceState
from app.ui.theme import Theme
from app.ui.widgets.buttons import text_button
from app.ui.widgets.labels import plain_label

OPEN_NOW = "Open now"

log = logging.getLogger(__name__)

LOOK_EVERY_MS = 100
SAY_AFTER_MS = 1_000
STILL_ENDING = PersonMessage(
    f"{APP_NAME} was just closed and is still saving your data.",
    "The window opens as soon as that’s done. Your chats are safe.",
)


class StartupWindow(QDialog):
    """Window with a message and buttons, which the caller adds."""

    def __init__(self, theme: Theme, name: str, sentence: PersonMessage) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setWindowTitle(APP_NAME)
        px = theme.px
        self.setMinimumWidth(px(480))
        column = self._column = QVBoxLayout(self)
        column.setContentsMargins(px(24), px(22), px(24), px(20))
        column.setSpacing(px(8))
        self._said = plain_label(wraps=True)
        self._said.setFont(theme.font("section"))
        column.addWidget(self._said)
        self._kept = plain_label(kind="muted", wraps=True)
        column.addWidget(self._kept)
        self.show_sentence(sentence)
        column.addSpacing(px(16))
        self._row = QHBoxLayout()
        self._row.setSpacing(px(8))
        column.addLayout(self._row)

    def show_sentence(self, sentence: PersonMessage) -> None:
        """Show a message in place of the previous one."""
        self._said.setText(breakable(sentence.text))
        self._kept.setText(sentence.kept)
        self._kept.setVisible(bool(sentence.kept))

    def add_button(self, text: str, do: Callable[[], object], kind: str = "plain") -> QPushButton:
        """Append a button to the row; Enter triggers a primary one."""
        button = text_button(text, kind, on_click=lambda _=False: do())
        button.setDefault(kind == "primary")
        self._row.addWidget(button)
        return button

    def add_gap(self) -> None:
        """Separate the buttons that help from those that decide."""
        self._row.addStretch(1)


class StartupProblem(StartupWindow):
    """Window for an error that prevents the start; accepted means try again, rejected means quit."""

    def __init__(self, theme: Theme, error: BaseException, folder: Path) -> None:
        super().__init__(theme, "startup_problem", sentence_for(error))
        self.add_button(tr(COPY_DETAILS), lambda: copy_text(describe(error)), "quiet")
        self.add_gap()
        self.add_button(tr(OPEN_FOLDER), lambda: open_folder(folder))
        self.add_button(tr(QUIT), self.reject)
        self.add_button(tr(TRY_AGAIN), self.accept, "primary")
        self._error = error

    def offer_to_put_back(self, put_back: Callable[[], object]) -> None:
        """Offer to undo the last restore of a backup, if the error is about the data itself: the data before may be
        intact.
        """
        if not isinstance(self._error, UNUSABLE_DATABASE):
            return

        def do() -> None:
            try:
                put_back()
            except AppError as error:
                self.show_sentence(sentence_for(error))
            else:
                self.accept()

        button = text_button(tr("Undo the last restore"), name="put_back", on_click=lambda _=False: do())
        button.setToolTip(tr("Brings back the data from before the restore; keeps the current data for 30 days"))
        self._column.insertWidget(self._column.count() - 1, button)  # the row below is full


class StillEnding(StartupWindow):
    """Waits for an earlier run to end, becoming visible only if that takes a moment.

    `claim` is polled; `found` is its last result. Rejected means quit, or open a second window.
    """

    def __init__(self, theme: Theme, claim: Callable[[], InstanceState]) -> None:
        super().__init__(theme, "still_ending", STILL_ENDING)
        self._claim = claim
        self.found = InstanceState.ENDING
        self.goes_on = False
        """True if the user wants a window in spite of the other run."""
        self.add_gap()
        self.add_button(tr(OPEN_NOW), self._on_open_now)
        self.add_button(tr(QUIT), self.reject)
        self._poll_timer = QTimer(self, interval=LOOK_EVERY_MS)
        self._poll_timer.timeout.connect(self._check_claim)
        self._say_timer = QTimer(self, singleShot=True, interval=SAY_AFTER_MS)
        self._say_timer.timeout.connect(self._on_long)

    def wait(self) -> bool:
        """Block in a local event loop until the other run ended. Return whether it did."""
        self._poll_timer.start()
        self._say_timer.start()
        # The program's own loop has not begun yet.
        loop = QEventLoop(self)
        self.finished.connect(loop.exit)
        return loop.exec() == QDialog.DialogCode.Accepted

    def _check_claim(self) -> None:
        self.found = self._claim()
        if self.found is not InstanceState.ENDING:
            self._poll_timer.stop()
            self._say_timer.stop()
            self.accept()

    def _on_long(self) -> None:
        log.warning("%s", STILL_ENDING.text)  # in a terminal, since there is no log before the folder is ours
        self.show()
        self.activateWindow()

    def _on_open_now(self) -> None:
        self.goes_on = True
        self.reject()
