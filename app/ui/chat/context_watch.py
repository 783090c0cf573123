"""Counts what the next prompt is made of while a message is written: a moment after the last key, on a thread."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from app.core.errors import AppError
from app.features.chat.prompts import Parts
from app.ui.shell import tasks

if TYPE_CHECKING:
    from app.features.chat.answers import Chat

DELAY_MS = 500


@dataclass(frozen=True)
class Subject:
    """What is looked at: a conversation, or a new one with its system prompt, and the message being written."""

    talk: Chat
    conversation_id: int | None
    system: str
    draft: str
    documents: tuple[object, ...] = ()
    """Which documents go with it, and how they are shown."""


class ContextWatch(QObject):
    """`subject` says what to count, or None while the model is away or at work; one counting at a time."""

    measured = Signal(object)
    """`Parts` of what is still the subject."""

    def __init__(self, subject: Callable[[], Subject | None], parent: QObject) -> None:
        super().__init__(parent)
        self._subject = subject
        self._running: Subject | None = None
        self._timer = QTimer(self, singleShot=True, interval=DELAY_MS)
        self._timer.timeout.connect(self.look)

    @property
    def is_counting(self) -> bool:
        """Whether the model's tokenizer is at work for this."""
        return self._running is not None

    def look_later(self) -> None:
        """After a key: once nothing was typed for a moment."""
        self._timer.start()

    def look(self) -> None:
        """Counts now."""
        self._timer.stop()
        subject = self._subject()
        if subject is None:
            return
        if self._running is not None:
            self._timer.start()
            return
        self._running = subject
        task = tasks.run(lambda _token: _parts(subject), self)
        task.event.connect(self._on_parts)
        task.finished.connect(self._on_end)
        task.failed.connect(self._on_failed)

    def _on_parts(self, parts: Parts | None) -> None:
        if parts is not None and self._subject() == self._running:
            self.measured.emit(parts)

    def _on_end(self) -> None:
        self._running = None

    def _on_failed(self, error: BaseException) -> None:
        """An engine that went away says so when it is asked something; here nobody asked."""
        self._running = None
        if not isinstance(error, AppError):
            raise error


def _parts(subject: Subject) -> Iterator[Parts | None]:
    yield subject.talk.parts(subject.conversation_id, subject.system, subject.draft)
