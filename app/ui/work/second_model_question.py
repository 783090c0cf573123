"""Asks whether a job's model may take the place of the chat's; the job's thread waits for the answer."""

from __future__ import annotations

import threading

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QWidget

from app.features.work.engines import Swap, swap_words
from app.ui.i18n import tr
from app.ui.shell.model_loader import in_words
from app.ui.theme import Theme
from app.ui.widgets.dialogs import QuestionDialog


class _Asked:
    """One question, and how it is answered; without an answer it is no."""

    def __init__(self, swap: Swap) -> None:
        self.swap = swap
        self.is_allowed = False
        self.is_over = threading.Event()


class SecondModelQuestion(QObject):
    """`ask` belongs on any thread but the window's, which shows the question."""

    _wanted = Signal(object)

    def __init__(self, theme: Theme, window: QWidget) -> None:
        super().__init__(window)
        self._theme, self._window = theme, window
        self._lock = threading.Lock()
        self._waiting: list[_Asked] = []
        self._is_closed = False
        self._wanted.connect(self._on_wanted, Qt.ConnectionType.QueuedConnection)

    def ask(self, swap: Swap) -> bool:
        """Whether the loaded model may be put to sleep meanwhile; no when the window closes before an answer."""
        asked = _Asked(swap)
        with self._lock:
            if self._is_closed:
                return False
            self._waiting.append(asked)
        self._wanted.emit(asked)
        asked.is_over.wait()
        return asked.is_allowed

    def close(self) -> None:
        """The window closes: whoever waits hears no, and nobody is asked any more."""
        with self._lock:
            self._is_closed = True
            waiting, self._waiting = self._waiting, []
        for asked in waiting:
            asked.is_over.set()

    def _on_wanted(self, asked: _Asked) -> None:
        if asked.is_over.is_set():
            return
        title, words = tr("Two models do not fit at once"), in_words(swap_words(asked.swap))
        dialog = QuestionDialog(self._theme, title, words, self._window, no=tr("Not now"))
        dialog.setObjectName("second_model_question")
        dialog.add_choice(tr("Put to sleep"), lambda: self._answer(asked, is_allowed=True), "primary")
        dialog.rejected.connect(lambda: self._answer(asked, is_allowed=False))
        dialog.open()

    def _answer(self, asked: _Asked, *, is_allowed: bool) -> None:
        asked.is_allowed = is_allowed
        with self._lock:
            if asked in self._waiting:
                self._waiting.remove(asked)
        asked.is_over.set()
