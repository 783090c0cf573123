"""Notices about unresponsive child processes, each with a button to end one."""

from __future__ import annotations

from PySide6.QtCore import QObject, Qt

from app.core.child import BEAT_EVERY_S, Child, SilenceWatch
from app.features.error_messages import silence_sentence
from app.ui.shell.notify import Notify
from app.ui.widgets.notice_bar import Notice
from app.ui.widgets.timers import new_timer


class SilenceNotices(QObject):
    """One notice for each unresponsive child process, dismissed when it responds or ends."""

    def __init__(self, notify: Notify, parent: QObject) -> None:
        super().__init__(parent)
        self._notify = notify
        self._watch = SilenceWatch()
        self._announced: dict[Child, Notice | None] = {}
        self._timer = new_timer(self, round(1000 * BEAT_EVERY_S), self.check_children, repeats=True)
        self._timer.setTimerType(Qt.TimerType.CoarseTimer)
        self._timer.start()

    def check_children(self) -> None:
        """Timer slot: show notices for children that went silent, and dismiss those that no longer apply."""
        # A child without work may be silent; nobody waits for it.
        silent = [child for child in self._watch.find_silent() if child.work]
        for child in [child for child in self._announced if child not in silent]:
            if (notice := self._announced.pop(child)) is not None:
                notice.dismiss()
        for child in silent:
            if child not in self._announced:
                self._notify_silence(child)

    def _notify_silence(self, child: Child) -> None:
        notice = self._notify.show_notice(silence_sentence(child.work, child.subject), action=child.give_up, lasts=True)
        self._announced[child] = notice
        notice.left.connect(lambda: self._on_left(child))

    def _on_left(self, child: Child) -> None:
        # Dismissed: it is not said again until the child has responded.
        if child in self._announced:
            self._announced[child] = None
