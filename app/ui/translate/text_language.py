"""Which language a typed text is in: found on a thread, whatever model there is to translate it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from app.core.events import CancelToken
from app.ui.shell import tasks

if TYPE_CHECKING:
    from app.language.detection import Detector


class TextLanguage(QObject):
    """`found` brings the code for the text that was asked for last; "" where nothing tells it."""

    found = Signal(str)
    failed = Signal(object)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._detector: Detector | None = None
        self._task: tasks.Task | None = None
        self._known: tuple[str, tuple[str, ...]] | None = None

    def knows(self, text: str, among: Sequence[str]) -> bool:
        """Whether it was found for just this."""
        return self._known == (text, tuple(among))

    def look(self, text: str, among: Sequence[str]) -> None:
        """Asks in which of these languages a text is, in place of what was asked before."""
        self.stop()
        asked = text, tuple(among)

        def work(_token: CancelToken) -> Iterator[str]:
            from app.language.detection import Detector  # its model is loaded here, on the thread

            self._detector = self._detector or Detector.shared()
            yield self._detector.find(*asked)

        def take(code: str) -> None:
            self._task, self._known = None, asked
            self.found.emit(code)

        task = self._task = tasks.run(work, self)
        task.event.connect(take)
        task.failed.connect(self.failed)

    def stop(self) -> None:
        """Nothing is to be found any more."""
        if self._task is not None:
            self._task.abandon()
            self._task = None

    def rest(self) -> None:
        """The memory that finding takes is given back."""
        self.stop()
        self._detector, self._known = None, None
