"""Puts the model to sleep when memory is short or nobody uses it; looks every ten seconds while one is in memory."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Qt, QTimer, SignalInstance

from app.features.messages import Sentence
from app.features.models.memory import MemoryWatch, Verdict
from app.features.models.messages import SLEEPS_FOR_MEMORY, WAITS_FOR_ANSWER, WAITS_FOR_SUMMARY
from app.ui.shell.model_loader import ModelLoader
from app.ui.shell.notify import Notify
from app.ui.widgets.notice_bar import Notice

LOOK_EVERY_MS = 10_000


class ModelSleep(QObject):
    """Owns the timer; the watch decides, the loader acts, a notice tells. `is_at_work`: a summary is being made."""

    def __init__(
        self,
        watch: MemoryWatch,
        notify: Notify,
        loader: ModelLoader,
        *,
        answer_finished: SignalInstance,
        is_answering: Callable[[], bool],
        is_at_work: Callable[[], bool] = lambda: False,
    ) -> None:
        super().__init__(loader)
        self._watch, self._notify, self._loader = watch, notify, loader
        self._notice: Notice | None = None
        self._is_warning = False
        self._is_answering = is_answering
        self._is_at_work = is_at_work
        self._timer = QTimer(self, interval=LOOK_EVERY_MS)
        self._timer.setTimerType(Qt.TimerType.VeryCoarseTimer)
        self._timer.timeout.connect(self.look)
        answer_finished.connect(self._on_answer_finished)
        loader.changed.connect(self._on_model_changed)
        self._on_model_changed()

    def look(self) -> None:
        """What the timer does."""
        verdict = self._watch.look(busy=self._is_answering() or self._is_at_work())
        if verdict in (Verdict.SLEEP_SHORT, Verdict.SLEEP_IDLE):
            self._loader.sleep()
        if self._is_warning and not self._watch.is_warned:  # there is enough again, or it sleeps now
            self._end_notice()
        if verdict is Verdict.SLEEP_SHORT:
            self._tell(SLEEPS_FOR_MEMORY)
        elif verdict is Verdict.WARN_SHORT:
            self._tell(WAITS_FOR_ANSWER if self._is_answering() else WAITS_FOR_SUMMARY)
            self._is_warning = True

    @property
    def is_watching(self) -> bool:
        """Whether the timer runs: only while there is a model that could leave."""
        return self._timer.isActive()

    def _tell(self, sentence: Sentence) -> None:
        """One notice, which leaves when it is no longer true."""
        self._end_notice()
        notice = self._notify.tell(sentence)
        notice.left.connect(self._on_notice_left)
        self._notice = notice

    def _end_notice(self) -> None:
        if self._notice is not None:
            self._notice.dismiss()

    def _on_notice_left(self) -> None:
        self._notice, self._is_warning = None, False

    def _on_answer_finished(self) -> None:
        self._watch.used()
        if self._watch.is_warned and self.is_watching:
            self.look()  # it was only waiting for this

    def _on_model_changed(self) -> None:
        is_there = self._loader.state == "ready"
        if is_there and not self.is_watching:
            self._end_notice()
            self._watch.used()
            self._timer.start()
        elif not is_there:
            self._timer.stop()
