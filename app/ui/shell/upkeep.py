"""Background care of the window: idle models, silent child processes, upgrades, the caret, garbage collection."""

from __future__ import annotations

import gc

from PySide6.QtCore import QObject, Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication

from app.core.build import ProgramFile
from app.core.child import BEAT_EVERY_S, Child, SilenceWatch
from app.core.events import ModelElsewhere
from app.features.error_messages import UPGRADED, silence_sentence
from app.features.models.model_memory import MemoryVerdict, ModelMemoryWatch
from app.features.models.model_messages import SLEEPS_FOR_MEMORY, WAITS_FOR_ANSWER, WAITS_FOR_SUMMARY
from app.features.models.pool_policy import LeasePriority
from app.features.models.pooled_engine import ChatSeat
from app.ui.shell.model_loader import ModelLoader
from app.ui.shell.notify import Notify, StandingNotice
from app.ui.widgets.notice_bar import Notice

LOOK_EVERY_MS = 10_000


class ModelSleep(QObject):
    """Puts an idle model to sleep on a timer and tells the user."""

    _freed = Signal()
    """From any thread: the last lease of the chat's engine has ended."""

    def __init__(self, watch: ModelMemoryWatch, seat: ChatSeat, notify: Notify, loader: ModelLoader) -> None:
        super().__init__(loader)
        self._watch, self._seat, self._loader = watch, seat, loader
        self._notice = StandingNotice(notify)
        self._is_warning = False
        self._timer = QTimer(self, interval=LOOK_EVERY_MS)
        # To the second is enough: Qt then wakes the computer for several timers at once.
        self._timer.setTimerType(Qt.TimerType.VeryCoarseTimer)
        self._timer.timeout.connect(self.check_memory)
        self._freed.connect(self._on_freed)
        seat.on_free = self._freed.emit
        loader.changed.connect(self._on_model_changed)
        self._on_model_changed()

    def check_memory(self) -> None:
        """Timer slot: ask `ModelMemoryWatch`, put the model to sleep if it says so, and tell the user why."""
        leases, verdict = self._seat.use.leases, self._watch.check_memory()
        if verdict in (MemoryVerdict.SLEEP_SHORT, MemoryVerdict.SLEEP_IDLE):
            self._loader.sleep()
        if self._is_warning and not self._watch.is_warned:  # memory suffices again, or the model sleeps now
            self._notice.end()
            self._is_warning = False
        if verdict is MemoryVerdict.SLEEP_SHORT:
            self._notice.show_sentence(SLEEPS_FOR_MEMORY)
        elif verdict is MemoryVerdict.WARN_SHORT:
            self._notice.show_sentence(WAITS_FOR_SUMMARY if LeasePriority.JOB in leases else WAITS_FOR_ANSWER)
            self._is_warning = True

    @property
    def is_watching(self) -> bool:
        """True while the timer runs, which is only while a model is loaded."""
        return self._timer.isActive()

    def _on_freed(self) -> None:
        if self._watch.is_warned and self.is_watching:
            self.check_memory()  # it was only waiting for this

    def _on_model_changed(self) -> None:
        # A model elsewhere takes no memory here.
        is_there = self._loader.state == "ready" and not isinstance(self._loader.model, ModelElsewhere)
        if is_there and not self.is_watching:
            self._notice.end()
            self._timer.start()
        elif not is_there:
            self._timer.stop()


# Notice about an unresponsive child process, with a button to end it.


class SilenceNotices(QObject):
    """One notice for each unresponsive child process, dismissed when it responds or ends."""

    def __init__(self, notify: Notify, parent: QObject) -> None:
        super().__init__(parent)
        self._notify = notify
        self._watch = SilenceWatch()
        self._announced: dict[Child, Notice | None] = {}
        self._timer = QTimer(self, interval=round(1000 * BEAT_EVERY_S))
        self._timer.setTimerType(Qt.TimerType.CoarseTimer)
        self._timer.timeout.connect(self.check_children)
        self._timer.start()

    def check_children(self) -> None:
        """Timer slot: show notices for children that went silent, and dismiss those that no longer apply."""
        # A child without work may be silent; nobody waits for it.
        silent = [child for child in self._watch.find_silent() if child.work]
        for child in [child for child in self._announced if child not in silent]:
            notice = self._announced.pop(child)
            if notice is not None:
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


# Upgrade notice: the running window keeps its code, but child processes started from now on run the new one.


class UpgradeNotice(QObject):
    """Tells once that the program's files were upgraded, checked whenever the window is activated."""

    def __init__(self, notify: Notify, program: ProgramFile, parent: QObject) -> None:
        super().__init__(parent)
        self._notify, self._program = notify, program
        self._was_told = False
        application = QApplication.instance()
        assert isinstance(application, QApplication)
        application.applicationStateChanged.connect(self._on_state_changed)

    def _on_state_changed(self, state: Qt.ApplicationState) -> None:
        if state == Qt.ApplicationState.ApplicationActive and not self._was_told and self._program.is_another:
            self._was_told = True
            self._notify.show_notice(UPGRADED)


# Stops the caret's blinking when idle: each blink repaints its field, twice a second.


REST_AFTER_MS = 5_000


class CalmCaret(QObject):
    """Stops the caret's blinking some seconds after it last moved: each blink repaints its field."""

    def __init__(self, parent: QObject | None = None, rest_after_ms: int = REST_AFTER_MS) -> None:
        super().__init__(parent)
        self._flash_ms = QApplication.cursorFlashTime()
        self._rest = QTimer(self, singleShot=True, interval=rest_after_ms)
        self._rest.timeout.connect(self._on_rest)
        QGuiApplication.inputMethod().cursorRectangleChanged.connect(self._on_moved)
        self._rest.start()

    def _on_moved(self) -> None:
        if not self._rest.isActive():
            QApplication.setCursorFlashTime(self._flash_ms)
        self._rest.start()

    def _on_rest(self) -> None:
        # Without blinking; the caret itself stays.
        QApplication.setCursorFlashTime(0)


# Python's collector of cycles, on the window's thread only.
#
# It runs by itself on whichever thread makes an object, and there it destroys what it finds. A widget that is part of
# a cycle must not be destroyed on another thread than the window's: Qt then ends the program (seen as a crash "while
# garbage-collecting" on the thread that reads from the engine). So it is off, and looked after by a timer here.


EVERY_MS = 2_000


def collect_on_this_thread(parent: QObject) -> None:
    """Run Python's garbage collector only on the window's thread, as long as `parent` lives."""
    gc.disable()
    timer = QTimer(parent, interval=EVERY_MS)
    timer.timeout.connect(collect_what_is_due)
    timer.start()


def collect_what_is_due() -> None:
    """Timer slot: collect the oldest generation over Python's threshold, with all younger ones."""
    due = [n for n, (count, most) in enumerate(zip(gc.get_count(), gc.get_threshold(), strict=True)) if count > most]
    if due:
        gc.collect(due[-1])
