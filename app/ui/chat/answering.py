"""The answer that is running: its task, and its text handed on in whole words about thirty times a second."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent
from PySide6.QtWidgets import QWidget

from app.core.events import CancelToken, Finished, PromptProgress, TextDelta
from app.features.chat.answers import AnswerStarted, ContextCompacted, ContextIsFull, ContextWidened, DocumentsShown
from app.language.sentences import sentences, written, written_words
from app.ui.shell import tasks

FLUSH_MS = 33
WAIT_MS = 300

Work = Callable[[CancelToken], Iterator[object]]


class Answering(QObject):
    """Lives from the question to the last word. Its timers run only while there is something to show."""

    started = Signal(int)
    text_came = Signal(str)
    thought_came = Signal(str)
    """More of what is thought before the answer."""
    waited = Signal()
    """Nothing came for a moment: time to say what is being waited for."""
    progressed = Signal(int, int)
    grew = Signal(int)
    """How many tokens the context holds now."""
    memory_moved = Signal()
    """Earlier turns left the model's memory, or came back into it."""
    documents_shown = Signal(int)
    """Which passages the model is shown with a question is settled. The id of the question."""
    context_full = Signal(int)
    """Nothing was sent: the person is to be asked. The id of the question, or of the answer that was to go on."""
    finished = Signal(object)
    """The `Finished` event, or None when it was cancelled before the engine began."""
    failed = Signal(object)

    def __init__(self, work: Work, conversation_id: int, parent: QObject) -> None:
        super().__init__(parent)
        self.conversation_id = conversation_id
        self.message_id: int | None = None
        self.text = ""
        self.thinking = ""
        self.is_stopped = False
        self._used_tokens = 0
        self._held = ""
        self._held_thought = ""
        self._thinking_from_s = self._thinking_to_s = 0.0
        self._last: Finished | None = None
        self._flush_timer = QTimer(self, interval=FLUSH_MS)
        self._flush_timer.timeout.connect(self._on_flush)
        self._wait_timer = QTimer(self, singleShot=True, interval=WAIT_MS)
        self._wait_timer.timeout.connect(self.waited)
        self._wait_timer.start()
        self._task = tasks.run(work, self)
        self._task.event.connect(self._on_event)
        self._task.finished.connect(lambda: self._end(None))
        self._task.failed.connect(self._end)

    def stop(self) -> None:
        """Asks the engine to end; what has come is shown, and nothing more is."""
        if not self.is_stopped:
            self._flush(is_all=True)
            self.is_stopped = True
            self._thinking_to_s = self._thinking_to_s or time.monotonic()
            self._task.cancel()

    @property
    def has_text(self) -> bool:
        """Whether the first words have come, of the answer or of the thinking before it."""
        return bool(self.text or self.thinking)

    @property
    def thinking_s(self) -> float | None:
        """How long the thinking took; None without any, or while it goes on."""
        return self._thinking_to_s - self._thinking_from_s if self._thinking_to_s and self._thinking_from_s else None

    def _on_event(self, event: object) -> None:
        if isinstance(event, TextDelta):
            self._hold(event)
            self._wait_timer.stop()
            if not self._flush_timer.isActive() and not self.is_stopped:
                self._flush_timer.start()
        elif isinstance(event, PromptProgress):
            self.progressed.emit(event.done_tokens, event.total_tokens)
        elif isinstance(event, AnswerStarted):
            self.message_id = event.message_id
            self.started.emit(event.message_id)
        elif isinstance(event, Finished):
            self._last = event
        elif isinstance(event, ContextCompacted | ContextWidened):
            self.memory_moved.emit()
        elif isinstance(event, DocumentsShown):
            self.documents_shown.emit(event.question_id)
        elif isinstance(event, ContextIsFull):
            self.finished.connect(lambda: self.context_full.emit(event.message_id))

    def _hold(self, delta: TextDelta) -> None:
        now_s = time.monotonic()
        self._used_tokens = delta.used_tokens
        if delta.thinking:
            self._held_thought += delta.text
            self._thinking_from_s = self._thinking_from_s or now_s
        else:
            self._held += delta.text
            self._thinking_to_s = self._thinking_to_s or now_s

    def _on_flush(self) -> None:
        begin_s = time.perf_counter()
        if not self._flush(is_all=False):
            self._flush_timer.stop()
            return
        # A slow machine flushes less often instead of falling behind.
        took_ms = (time.perf_counter() - begin_s) * 1000
        self._flush_timer.setInterval(max(FLUSH_MS, min(250, round(3 * took_ms))))

    def _flush(self, *, is_all: bool) -> bool:
        thought = self._flush_thought(is_all=is_all or bool(self._held))
        end = len(self._held) if is_all else written_words(self._held)
        text, self._held = self._held[:end], self._held[end:]
        if text and not self.is_stopped:
            self.text += text
            self.text_came.emit(text)
        if (text or thought) and self._used_tokens and not self.is_stopped:
            self.grew.emit(self._used_tokens)
        return bool(text) or thought

    def _flush_thought(self, *, is_all: bool) -> bool:
        end = len(self._held_thought) if is_all else written_words(self._held_thought)
        text, self._held_thought = self._held_thought[:end], self._held_thought[end:]
        if text and not self.is_stopped:
            self.thinking += text
            self.thought_came.emit(text)
        return bool(text)

    def _end(self, error: object) -> None:
        self._wait_timer.stop()
        self._flush_timer.stop()
        self._flush(is_all=True)
        if error is None:
            self.finished.emit(self._last)
        else:
            self.failed.emit(error)


class Announcer:
    """Reads an answer to screen readers sentence by sentence."""

    def __init__(self, widget: QWidget) -> None:
        self._widget = widget
        self._waiting = ""

    def add(self, text: str) -> None:
        """More of the answer."""
        if not QAccessible.isActive():
            return
        self._waiting += text
        whole = written(self._waiting)
        for start, end in sentences(self._waiting[:whole]):
            self._say(self._waiting[start:end])
        self._waiting = self._waiting[whole:]

    def finish(self) -> None:
        """The rest."""
        self._say(self._waiting)
        self._waiting = ""

    def say(self, text: str) -> None:
        """Something about the answer, such as that it was stopped."""
        if QAccessible.isActive():
            self._say(text)

    def _say(self, text: str) -> None:
        if text.strip():
            QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self._widget, text.strip()))
