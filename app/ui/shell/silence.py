"""Says that a child has not been heard for a while, and offers to end it."""

from __future__ import annotations

from PySide6.QtCore import QObject, Qt, QTimer

from app.core.child import BEAT_EVERY_S, Child, SilenceWatch
from app.features.messages import silence_sentence
from app.ui.shell.notify import Notify
from app.ui.widgets.notice_bar import Notice


class SilenceNotices(QObject):
    """One notice for each silent child, which leaves when the child is heard again or has ended."""

    def __init__(self, notify: Notify, parent: QObject) -> None:
        super().__init__(parent)
        self._notify = notify
        self._watch = SilenceWatch()
        self._told: dict[Child, Notice | None] = {}
        self._timer = QTimer(self, interval=round(1000 * BEAT_EVERY_S))
        self._timer.setTimerType(Qt.TimerType.CoarseTimer)
        self._timer.timeout.connect(self.look)
        self._timer.start()

    def look(self) -> None:
        """What the timer does."""
        silent = [child for child in self._watch.look() if child.work]
        for child in [child for child in self._told if child not in silent]:
            notice = self._told.pop(child)
            if notice is not None:
                notice.dismiss()
        for child in silent:
            if child not in self._told:
                self._tell(child)

    def _tell(self, child: Child) -> None:
        notice = self._notify.tell(silence_sentence(child.work, child.subject), action=child.give_up)
        self._told[child] = notice
        notice.left.connect(lambda: self._on_left(child))

    def _on_left(self, child: Child) -> None:
        if child in self._told:  # dismissed: it is not said again until the child was heard
            self._told[child] = None
