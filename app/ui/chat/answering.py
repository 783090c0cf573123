"""The running answer: its task, and its text passed on in whole words about thirty times a second."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import QWidget

from app.core.errors.app_error import AppError, EnvironmentProblem
from app.core.events import CancelToken, Finished, LookProgress, PromptProgress, TextDelta, TokenChosen
from app.features.chat.answer_service import (
    AnswerStarted,
    ContextCompacted,
    ContextIsFull,
    ContextWidened,
    DocumentsShown,
)
from app.features.survey.wanted import SurveyProgress
from app.language.sentences import split_sentences, whole_sentences_length, written_words
from app.store.message_rows import MessageState
from app.ui.chat.survey import progress_words
from app.ui.i18n import sentence_for, tr
from app.ui.shared_labels import MINUTES_AND_SECONDS, STOPPED_LABEL, THINKING, WAITING_FOR_MODEL
from app.ui.shell import tasks
from app.ui.shell.notify import Notify
from app.ui.widgets.labels import announce

if TYPE_CHECKING:
    from app.store.conversations import StoredMessage
    from app.ui.chat.answer_view import AnswerView

FLUSH_MS = 33
WAIT_MS = 300
LEAST_READING_S = 1.0
"""Least time measured before a remaining time is estimated; shorter measurements are unreliable."""

Work = Callable[[CancelToken], Iterator[object]]


class HeldText:
    """Buffers streamed text and releases it in whole words."""

    def __init__(self) -> None:
        self.text = ""

    def take_text(self, *, is_all: bool) -> str:
        """Return the text that can be shown; an unfinished last word is held back unless `is_all`."""
        end = len(self.text) if is_all else written_words(self.text)
        taken, self.text = self.text[:end], self.text[end:]
        return taken


class RunningAnswerView(QObject):
    """An answer from its question to its last word. Its timers run only while there is something to show."""

    started = Signal(int)
    token_came = Signal(object)
    """A `TokenSeen` of the answer or its thinking, if alternatives were requested."""
    text_came = Signal(str)
    thought_came = Signal(str)
    """More of the model's thinking arrived."""
    waited = Signal()
    """Nothing arrived for a moment, so a state should be shown."""
    progressed = Signal(int, int)
    looked = Signal(object)
    """Progress of encoding the pictures, a `LookProgress`."""
    grew = Signal(int)
    """Number of tokens in the context changed."""
    memory_moved = Signal()
    """Earlier turns left the context or came back into it."""
    surveyed = Signal(object)
    """Progress of reading whole documents, a `SurveyProgress`."""
    documents_shown = Signal(int)
    """The passages shown to the model with a question are settled; carries the question's id."""
    context_full = Signal(int)
    """The context is full and nothing was sent, so the user must be asked. Carries the id of the question or of the
    answer to continue.
    """
    finished = Signal(object)
    """Carries the `Finished` event, or None when it was cancelled before the engine began."""
    failed = Signal(object)

    def __init__(self, work: Work, conversation_id: int, parent: QObject) -> None:
        super().__init__(parent)
        self.conversation_id = conversation_id
        self.message_id: int | None = None
        self.text = ""
        self.thinking = ""
        self.is_stopped = False
        self.number = 0
        """Its key in the session."""
        self.on_stop: Callable[[], object] = lambda: None
        """Called when the user stops the answer."""
        self._used_tokens = 0
        self._held, self._held_thought = HeldText(), HeldText()
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
        """Show what has arrived, drop anything later, and ask the engine to stop."""
        if not self.is_stopped:
            self._flush(is_all=True)
            self.is_stopped = True
            self._thinking_to_s = self._thinking_to_s or time.monotonic()
            self._task.cancel()
            self.on_stop()

    @property
    def has_text(self) -> bool:
        """True once any text of the answer or its thinking arrived."""
        return bool(self.text or self.thinking)

    @property
    def thinking_s(self) -> float | None:
        """Duration of the thinking in seconds; None without any, or while it lasts."""
        return self._thinking_to_s - self._thinking_from_s if self._thinking_to_s and self._thinking_from_s else None

    @property
    def ended_well(self) -> bool:
        """True if the answer is complete and was neither stopped nor failed."""
        return self._last is not None and not self.is_stopped

    def _on_event(self, event: object) -> None:
        if isinstance(event, TextDelta):
            self._hold(event)
            self._wait_timer.stop()
            if not self._flush_timer.isActive() and not self.is_stopped:
                self._flush_timer.start()
        elif isinstance(event, TokenChosen):
            self.token_came.emit(event.token)
        elif isinstance(event, PromptProgress):
            self.progressed.emit(event.done_tokens, event.total_tokens)
        elif isinstance(event, LookProgress):
            self.looked.emit(event)
        elif isinstance(event, AnswerStarted):
            self.message_id = event.message_id
            self.started.emit(event.message_id)
        elif isinstance(event, Finished):
            self._last = event
        elif isinstance(event, ContextCompacted | ContextWidened):
            self.memory_moved.emit()
        elif isinstance(event, SurveyProgress):
            self.surveyed.emit(event)
        elif isinstance(event, DocumentsShown):
            self.documents_shown.emit(event.question_id)
        elif isinstance(event, ContextIsFull):
            # Only once the task has ended, since the choice may begin the next answer.
            self.finished.connect(lambda: self.context_full.emit(event.message_id))

    def _hold(self, delta: TextDelta) -> None:
        now_s = time.monotonic()
        self._used_tokens = delta.used_tokens
        if delta.thinking:
            self._held_thought.text += delta.text
            self._thinking_from_s = self._thinking_from_s or now_s
        else:
            self._held.text += delta.text
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
        # Once the answer begins, no more of an unfinished last thought comes.
        thought = self._held_thought.take_text(is_all=is_all or bool(self._held.text))
        text = self._held.take_text(is_all=is_all)
        if not self.is_stopped:
            if thought:
                self.thinking += thought
                self.thought_came.emit(thought)
            if text:
                self.text += text
                self.text_came.emit(text)
            if (text or thought) and self._used_tokens:
                self.grew.emit(self._used_tokens)
        return bool(text or thought)

    def _end(self, error: object) -> None:
        self._wait_timer.stop()
        self._flush_timer.stop()
        self._flush(is_all=True)
        if error is None:
            self.finished.emit(self._last)
        else:
            self.failed.emit(error)


def reading_words(done: int, total: int, seconds_left: float | None) -> str:
    """Return the text for the progress of reading the prompt, with the remaining time if known."""
    words = tr("Reading {done} of {total} tokens", done=f"{done:,}", total=f"{total:,}")
    parts = [words, tr("{percent} %", percent=min(100, done * 100 // total))]
    if seconds_left is not None and seconds_left >= 1:
        minutes, seconds = divmod(math.ceil(seconds_left), 60)
        left = tr(MINUTES_AND_SECONDS, minutes=minutes, seconds=seconds)
        parts.append(tr("{time} left", time=left if minutes else tr("{seconds} s", seconds=seconds)))
    return " · ".join(parts)


def looking_words(look: LookProgress, seconds_left: float | None) -> str:
    """Return the text for the progress of encoding pictures, with the least remaining time of this one if known."""
    words = tr("Looking at the picture")
    if look.total > 1:
        words = tr("Looking at picture {number} of {total}", number=look.number, total=look.total)
    parts = [words, tr("{percent} %", percent=round(100 * min(1.0, look.fraction)))]
    if seconds_left is not None and seconds_left >= 1:
        parts.append(tr("at least {time} left", time=tr("{seconds} s", seconds=math.ceil(seconds_left))))
    return " · ".join(parts)


class AnswerAnnouncer:
    """Reads an answer aloud sentence by sentence, through the screen reader."""

    def __init__(self, widget: QWidget) -> None:
        self._widget = widget
        self._waiting = ""

    def add(self, text: str) -> None:
        if not QAccessible.isActive():
            return
        self._waiting += text
        whole = whole_sentences_length(self._waiting)
        for start, end in split_sentences(self._waiting[:whole]):
            self.announce_text(self._waiting[start:end])
        self._waiting = self._waiting[whole:]

    def finish(self) -> None:
        self.announce_text(self._waiting)
        self._waiting = ""

    def announce_text(self, text: str) -> None:
        """Announce something about the answer, such as that it was stopped."""
        if text.strip():
            announce(self._widget, text.strip())


class SilentAnnouncer(AnswerAnnouncer):
    """Announces nothing, for the second of two compared answers."""

    def announce_text(self, text: str) -> None:
        """Announce nothing."""


class LiveAnswer(QObject):
    """Keeps a running answer connected to its view, or running without one while another chat is shown.

    `stored` finds a message of the visible chat; `is_loading` returns whether the model is still loading.
    """

    started = Signal(int)
    """An answer was stored; carries its id."""
    grew = Signal()
    """Text arrived, even if another chat is shown."""
    used = Signal(int)
    """Tokens that the visible chat uses of the context."""
    ended = Signal(object, bool)
    """An answer ended: its `RunningAnswerView`, and True if its stored form is shown."""

    def __init__(
        self,
        notify: Notify,
        *,
        stored: Callable[[int], StoredMessage | None],
        is_loading: Callable[[], bool],
        parent: QWidget,
        is_read_out: bool = True,
    ) -> None:
        """Set up without an answer; with `is_read_out` screen readers announce answers as they arrive."""
        super().__init__(parent)
        self._notify, self._stored, self._is_loading = notify, stored, is_loading
        self._announcer = AnswerAnnouncer(parent) if is_read_out else SilentAnnouncer(parent)
        self._view: AnswerView | None = None
        self._text_before = self._thinking_before = ""
        self._progress: tuple[int, int] | None = None
        self._read_from = (0.0, 0)
        """Time when the first tokens of the prompt were read, and their number."""
        self._survey: SurveyProgress | None = None
        self._look: LookProgress | None = None
        self._looked_from_s = 0.0
        """Time when the current picture's encoding started."""
        self._is_waiting = False
        self.answering: RunningAnswerView | None = None

    def run(self, answering: RunningAnswerView, view: AnswerView | None) -> None:
        """Run an answer and follow it in `view`; None while another chat is shown."""
        self.answering, self._view = answering, view
        self._text_before, self._thinking_before = (view.text, view.thinking.text) if view is not None else ("", "")
        self._progress, self._survey, self._look, self._is_waiting = None, None, None, False
        answering.looked.connect(self._on_looked)
        answering.started.connect(self.started)
        answering.text_came.connect(self._on_text)
        answering.thought_came.connect(self._on_thought)
        answering.waited.connect(self._on_waited)
        answering.progressed.connect(self._on_progressed)
        answering.surveyed.connect(self._on_surveyed)
        answering.grew.connect(self._on_grew)
        answering.finished.connect(self._on_finished)
        answering.failed.connect(self._on_failed)

    def is_writing(self, message: StoredMessage) -> bool:
        """Return whether this message is the running answer, which is stored shortly before its id is announced."""
        running = self.answering
        if running is None or running.conversation_id != message.conversation_id:
            return False
        return running.message_id == message.id if running.message_id else message.state is MessageState.WRITING

    @property
    def is_reading(self) -> bool:
        """True once the model is loaded and reads, or has read, the prompt."""
        return self._progress is not None

    @property
    def is_stopping(self) -> bool:
        """True if the running answer was stopped but has not ended yet."""
        return self.answering is not None and self.answering.is_stopped

    def attach(self, conversation_id: int | None, make_view: Callable[[], AnswerView]) -> None:
        """Show the running answer again after its chat was opened; detach the view for any other chat."""
        # Views belong to the chat that is shown; the answer itself goes on.
        self._view = None
        running = self.answering
        if running is not None and running.conversation_id == conversation_id:
            self._view = make_view()
            if self._thinking_before + running.thinking:
                self._view.append_thinking(self._thinking_before + running.thinking)
            if self._text_before + running.text:
                self._view.thinking.end(running.thinking_s)
                self._view.append(self._text_before + running.text)
            self.show_waiting()

    def stop(self) -> None:
        """Stop the answer: the view shows it at once, the engine ends shortly after."""
        if self.answering is not None and not self.answering.is_stopped:
            self.answering.stop()
            self._is_waiting = False
            if self._view is not None:
                self._view.thinking.end(self.answering.thinking_s)
                self._view.show_state(tr(STOPPED_LABEL))
            self._announcer.announce_text(tr(STOPPED_LABEL))

    def show_waiting(self) -> None:
        """Show what is being waited for, once that takes a moment."""
        running = self.answering
        if running is None or running.is_stopped or self._view is None:
            return
        # Below what was found so far, also while text arrives.
        if self._survey is not None:
            self._view.show_state(progress_words(self._survey))
        elif running.has_text or not self._is_waiting:
            return
        elif self._is_loading():
            self._view.show_state(tr(WAITING_FOR_MODEL))
        elif self._look is not None:
            self._view.show_state(looking_words(self._look, self._look_left()))
        elif self._progress is not None and self._progress[1]:
            self._view.show_state(reading_words(*self._progress, self._seconds_left()))
        else:
            self._view.show_state(tr("Reading your message"))

    def _on_thought(self, text: str) -> None:
        running = self.answering
        assert running is not None
        # Only its beginning: the thinking itself is read to nobody.
        if running.thinking == text:
            self._announcer.announce_text(tr(THINKING))
        if self._view is not None:
            self._view.append_thinking(text)

    def _on_text(self, text: str) -> None:
        running = self.answering
        assert running is not None
        if self._view is not None:
            # The first text ends the thinking.
            if running.thinking and running.text == text:
                self._view.thinking.end(running.thinking_s)
            self._view.append(text)
            self.show_waiting()
        self._announcer.add(text)

    def _on_waited(self) -> None:
        self._is_waiting = True
        self.show_waiting()

    def _on_progressed(self, done: int, total: int) -> None:
        if self._progress is None:
            self._read_from = (time.monotonic(), done)
        self._progress, self._look = (done, total), None
        self.show_waiting()

    def _on_looked(self, look: LookProgress) -> None:
        # Every picture is timed by itself: their sizes differ.
        if self._look is None or self._look.number != look.number:
            self._looked_from_s = time.monotonic()
        self._look = look
        self.show_waiting()

    def _look_left(self) -> float | None:
        """Estimate the seconds left for this picture; None if it is too early to tell."""
        if self._look is None or self._look.fraction <= 0:
            return None
        took_s = time.monotonic() - self._looked_from_s
        return took_s * (1 - self._look.fraction) / self._look.fraction if took_s >= LEAST_READING_S else None

    def _seconds_left(self) -> float | None:
        """Estimate the seconds left for the prompt; None if it is too early to tell."""
        if self._progress is None:
            return None
        done, total = self._progress
        since_s, first = self._read_from
        took_s = time.monotonic() - since_s
        return (total - done) * took_s / (done - first) if took_s >= LEAST_READING_S and done > first else None

    def _on_surveyed(self, progress: SurveyProgress) -> None:
        self._survey = progress
        self.show_waiting()

    def _on_grew(self, used_tokens: int) -> None:
        self.grew.emit()
        # Otherwise another chat is shown, whose gauge this is not.
        if self._view is not None:
            self.used.emit(used_tokens)

    def _on_finished(self, event: Finished | None) -> None:
        is_shown = self._view is not None
        self._end(None)
        if event is not None and is_shown and event.stats.prompt_tokens:
            self.used.emit(event.stats.prompt_tokens + event.stats.generated_tokens)

    def _on_failed(self, error: BaseException) -> None:
        # What is about disk, memory or network is said at the answer itself.
        if not isinstance(error, EnvironmentProblem):
            self._notify.error(error)
        self._end(error)

    def _end(self, error: BaseException | None) -> None:
        running, view = self.answering, self._view
        assert running is not None
        # Idle first: what follows may start the next answer.
        self.answering, self._view = None, None
        running.deleteLater()
        self._announcer.finish()
        is_shown = False
        try:
            stored = self._stored(running.message_id) if running.message_id else None
            if error is not None and view is not None and stored is not None and len(stored.text) < len(view.text):
                # Storing failed: the last words exist only on the screen.
                stored = None
            if view is not None:
                view.thinking.end(running.thinking_s)
                if stored is not None:
                    view.set_message(stored)
                if error is not None:
                    view.fail(sentence_for(error))
                    self._announcer.announce_text(str(sentence_for(error)))
                is_shown = stored is not None
        except AppError as problem:
            self._notify.error(problem)
        # Nobody sees the answer at which it would be said.
        if view is None and error is not None:
            self._notify.show_notice(sentence_for(error), lasts=True)
        self.ended.emit(running, is_shown)
