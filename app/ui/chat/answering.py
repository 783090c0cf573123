"""Running answers: their tasks, and the views that follow their text."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import QWidget

from app.core.errors.app_error import EnvironmentProblem
from app.core.events import CancelToken, LookProgress, PromptProgress, TextDelta, TokenChosen
from app.features.chat.answer_service import AnswerStarted
from app.features.chat.session_messages import AnswerBegan, AnswerEnded, AnswerProgressed, FocusField
from app.features.chat.tool_questions import ToolAnswered, ToolAsks, ToolQuestion
from app.features.chat.tool_steps import RUNNING, StepsChanged, ToolStep
from app.features.survey.wanted import SurveyProgress
from app.language.sentences import whole_sentences_length, written_words
from app.ui.chat.survey import progress_words
from app.ui.i18n import sentence_for, tr
from app.ui.locale_formats import format_number, join_facts
from app.ui.shared_labels import MINUTES_AND_SECONDS, STOPPED_LABEL, THINKING, WAITING_FOR_MODEL, WRITING_AN_ANSWER
from app.ui.shell import tasks
from app.ui.shell.notify import Notify
from app.ui.widgets.labels import announce
from app.ui.widgets.timers import new_timer

if TYPE_CHECKING:
    from app.features.chat.message_draft import ChatPlace
    from app.features.chat.session import ChatSession
    from app.features.chat.session_state import RunningAnswer
    from app.ui.chat.answer_view import AnswerView
    from app.ui.text.spoken_lines import SpokenLines

ANSWER_COMPLETE = "The answer is complete."
FLUSH_MS = 33
WAIT_MS = 300
LEAST_READING_S = 1.0
"""Least time measured before a remaining time is estimated; shorter measurements are unreliable."""

Work = Callable[[CancelToken], Iterator[object]]


def reading_words(done: int, total: int, seconds_left: float | None) -> str:
    """Return the text for the progress of reading the prompt, with the remaining time if known."""
    words = tr("Reading {done} of {total} tokens", done=format_number(done), total=format_number(total))
    parts = [words, tr("{percent} %", percent=min(100, done * 100 // total))]
    if seconds_left is not None and seconds_left >= 1:
        minutes, seconds = divmod(math.ceil(seconds_left), 60)
        left = tr(MINUTES_AND_SECONDS, minutes=minutes, seconds=seconds)
        parts.append(tr("{time} left", time=left if minutes else tr("{seconds} s", seconds=seconds)))
    return join_facts(parts)


def looking_words(look: LookProgress, seconds_left: float | None) -> str:
    """Return the text for the progress of encoding pictures, with the least remaining time of this one if known."""
    words = tr("Looking at the picture")
    if look.total > 1:
        words = tr("Looking at picture {number} of {total}", number=look.number, total=look.total)
    parts = [words, tr("{percent} %", percent=round(100 * min(1.0, look.fraction)))]
    if seconds_left is not None and seconds_left >= 1:
        parts.append(tr("at least {time} left", time=tr("{seconds} s", seconds=math.ceil(seconds_left))))
    return join_facts(parts)


class ReadingPace:
    """Estimates how long the model goes on reading a prompt, or encoding a picture."""

    def __init__(self) -> None:
        self.prompt: PromptProgress | None = None
        self.picture: LookProgress | None = None
        self._first = (0.0, 0)
        """Time when the first tokens of the prompt were read, and their number."""
        self._picture_from_s = 0.0

    def take_prompt(self, progress: PromptProgress) -> None:
        if self.prompt is None:
            self._first = (time.monotonic(), progress.done_tokens)
        self.prompt, self.picture = progress, None

    def take_picture(self, look: LookProgress) -> None:
        # Every picture is timed by itself: their sizes differ.
        if self.picture is None or self.picture.number != look.number:
            self._picture_from_s = time.monotonic()
        self.picture = look

    @property
    def words(self) -> str:
        """What the model reads or looks at, with the time left unless it is too early to tell."""
        if self.picture is not None:
            done, took_s = self.picture.fraction, time.monotonic() - self._picture_from_s
            left_s = took_s * (1 - done) / done if done > 0 and took_s >= LEAST_READING_S else None
            return looking_words(self.picture, left_s)
        if self.prompt is None or not self.prompt.total_tokens:
            return tr("Reading your message")
        done_tokens, total = self.prompt.done_tokens, self.prompt.total_tokens
        since_s, first = self._first
        took_s = time.monotonic() - since_s
        is_known = took_s >= LEAST_READING_S and done_tokens > first
        return reading_words(
            done_tokens, total, (total - done_tokens) * took_s / (done_tokens - first) if is_known else None
        )


class AnswerAnnouncer:
    """Reads an answer aloud sentence by sentence, through the screen reader."""

    def __init__(self, widget: QWidget) -> None:
        self._widget = widget
        self._read = 0
        """Length of the text that was read aloud, or was there before."""
        self._is_thinking_told = False
        self._lines: SpokenLines | None = None

    def begin(self, position: int) -> None:
        """Begin with an answer that has so much text already."""
        self._read, self._is_thinking_told, self._lines = position, False, None

    def announce_thinking(self) -> None:
        """Announce the beginning of the thinking, which itself is read to nobody."""
        if not self._is_thinking_told:
            self._is_thinking_told = True
            self.announce_text(tr(THINKING))

    def read_out(self, text: str, *, is_all: bool = False) -> None:
        """Read what is new of a growing text; an unfinished last sentence only with `is_all`."""
        if not QAccessible.isActive():
            return
        waiting = text[self._read :]
        if self._lines is None:
            from app.ui.text.spoken_lines import SpokenLines  # late: an empty window needs no parser

            self._lines = SpokenLines()
        whole = len(waiting) if is_all else whole_sentences_length(waiting)
        for words in self._lines.spoken_lines(waiting[:whole], is_all=is_all):
            self.announce_text(words)
        self._read += whole

    def announce_text(self, text: str) -> None:
        """Announce something about the answer, such as that it was stopped."""
        if text.strip():
            announce(self._widget, text.strip())


class SilentAnnouncer(AnswerAnnouncer):
    """Announces nothing, for the second of two compared answers."""

    def announce_text(self, text: str) -> None:
        pass


class LiveAnswer(QObject):
    """Runs one answer at a time on a thread and shows it, or runs it unseen while another chat is shown.

    The text grows in the answer's draft; its view takes it from there in whole words about thirty times a second.
    `is_loading` returns whether the model is still loading.
    """

    happened = Signal(int, object)
    """An event of the running answer was handled: the answer's key, and the event."""
    grew = Signal()
    """Text was shown, or arrived while another chat is shown."""
    used = Signal(int)
    """Tokens that the visible chat uses of the context."""
    ended = Signal(object, object)
    """An answer ended: its last `RunningAnswer`, and its error or None."""

    def __init__(
        self,
        session: ChatSession,
        notify: Notify,
        *,
        is_loading: Callable[[], bool],
        parent: QWidget,
        is_read_out: bool = True,
    ) -> None:
        """Set up without an answer; with `is_read_out` screen readers announce answers as they arrive."""
        super().__init__(parent)
        self._session, self._notify, self._is_loading = session, notify, is_loading
        self._announcer = AnswerAnnouncer(parent) if is_read_out else SilentAnnouncer(parent)
        self._view: AnswerView | None = None
        self._key = 0
        self._task: tasks.BackgroundTask | None = None
        self._pace = ReadingPace()
        self._survey: SurveyProgress | None = None
        self._steps: tuple[ToolStep, ...] = ()
        self._question: ToolQuestion | None = None
        self._used_tokens = 0
        self.has_text = self._is_new = False
        """True once any text of the answer or its thinking arrived; and if some was not shown yet."""
        self._is_waiting = False
        """True once nothing arrived for a moment, so that a state is shown."""
        self._flush_timer = new_timer(self, FLUSH_MS, self._on_flush, repeats=True)
        self._wait_timer = new_timer(self, WAIT_MS, self._on_waited)

    @property
    def answer(self) -> RunningAnswer | None:
        return self._session.state.answer_of(self._key)

    @property
    def is_reading(self) -> bool:
        """True once the model is loaded and reads, or has read, the prompt."""
        return self._pace.prompt is not None

    def run(self, begun: AnswerBegan, work: Work, view: AnswerView | None) -> None:
        """Run an answer and follow it in `view`; None while another chat is shown."""
        self._key, self._view = begun.key, view
        self._pace, self._survey, self._steps, self._used_tokens = ReadingPace(), None, (), 0
        self._question = None
        self.has_text = self._is_new = self._is_waiting = False
        self._session.dispatch(begun)
        self._flush_timer.setInterval(FLUSH_MS)
        self._wait_timer.start()
        self._task = tasks.run(work, self, on_event=self._on_event, on_end=self._end, on_failed=self._end)

    def attach(self, place: ChatPlace, make_view: Callable[[], AnswerView]) -> None:
        """Show the running answer again after its chat was opened; detach the view for any other chat."""
        # Views belong to the chat that is shown; the answer itself goes on.
        answer, self._view = self.answer, None
        if answer is not None and answer.place == place:
            self._view = make_view()
            self._show_steps()
            self._show_text()
            self.show_waiting()

    def cancel(self, key: int) -> None:
        """Show what has arrived of an answer, drop anything later, and ask the engine to stop."""
        if key != self._key or self._task is None:
            return
        self._flush(is_all=True)
        self._task.cancel()
        if self._question is not None:
            self._question.settle()
            self._show_steps()
        self._is_waiting = False
        if self._view is not None:
            self._end_thinking()
            self._view.show_state(tr(STOPPED_LABEL))
        self._announcer.announce_text(tr(STOPPED_LABEL))

    def show_waiting(self) -> None:
        """Show what is being waited for, once that takes a moment."""
        if (answer := self.answer) is None or answer.is_stopped or answer.is_asking or self._view is None:
            return
        # Below what was found so far, also while text arrives.
        if self._survey is not None:
            self._view.show_state(progress_words(self._survey))
        elif self._is_waiting and not self.has_text:
            self._view.show_state(tr(WAITING_FOR_MODEL) if self._is_loading() else self._pace.words)

    def _on_event(self, event: object) -> None:
        if isinstance(event, TextDelta):
            self._used_tokens, self.has_text, self._is_new = event.used_tokens, True, True
            self._wait_timer.stop()
            if not self._flush_timer.isActive():
                self._flush_timer.start()
        elif not isinstance(event, TokenChosen):
            self._session.dispatch(AnswerProgressed(self._key, event))
        if isinstance(event, AnswerStarted):
            self._announcer.begin(event.draft.begins_at)
            self._announcer.announce_text(tr(WRITING_AN_ANSWER))
        elif isinstance(event, PromptProgress):
            self._pace.take_prompt(event)
            self.show_waiting()
        elif isinstance(event, LookProgress):
            self._pace.take_picture(event)
            self.show_waiting()
        elif isinstance(event, StepsChanged):
            self._steps, self._question = event.steps, None
            self._show_steps()
        elif isinstance(event, ToolAsks):
            self._question = event.question
            self._show_steps()
        elif isinstance(event, SurveyProgress):
            self._survey = event
            self.show_waiting()
        self.happened.emit(self._key, event)

    def _show_steps(self) -> None:
        """Show what tools did so far, and what is asked about the one that is called."""
        is_asking = self._question is not None and self._question.is_open
        if self._view is not None:
            self._view.show_steps(self._steps)
            self._view.evidence.show_question(self._question if is_asking else None, self._settle_question)

    def _settle_question(self, answer: str | None) -> None:
        """Hand the person's answer to the thread that waits for it."""
        if self._question is None or not self._question.settle(answer):
            return
        self._steps = (*self._steps[:-1], *(replace(step, state=RUNNING) for step in self._steps[-1:]))
        self._show_steps()
        self._session.dispatch(AnswerProgressed(self._key, ToolAnswered()))
        # The card is gone that had the keyboard.
        self._session.send_request(FocusField())

    def _on_waited(self) -> None:
        self._is_waiting = True
        self.show_waiting()

    def _on_flush(self) -> None:
        answer, begin_s = self.answer, time.perf_counter()
        if answer is None or answer.is_stopped or not self._is_new:
            self._flush_timer.stop()
            return
        self._flush()
        # A slow machine flushes less often instead of falling behind.
        took_ms = (time.perf_counter() - begin_s) * 1000
        self._flush_timer.setInterval(max(FLUSH_MS, min(250, round(3 * took_ms))))

    def _flush(self, *, is_all: bool = False) -> None:
        """Show what arrived; an unfinished last word is held back unless `is_all`."""
        is_new, self._is_new = self._is_new, False
        self._show_text(is_all=is_all)
        if is_new:
            self.grew.emit()
        # Otherwise another chat is shown, whose gauge this is not.
        if is_new and self._view is not None and self._used_tokens:
            self.used.emit(self._used_tokens)

    def _show_text(self, *, is_all: bool = False) -> None:
        """Show what is new of the draft, and have it read aloud."""
        answer, view = self.answer, self._view
        draft = answer.draft if answer is not None else None
        if draft is None:
            return
        # The draft grows on another thread: what is shown is what it had in this moment.
        text, thinking = draft.text, draft.thinking
        self._announcer.read_out(text)
        if len(thinking) and self.has_text and len(text) == draft.begins_at:
            self._announcer.announce_thinking()
        if view is None:
            return
        shown, thought = len(view.text), len(view.thinking_text)
        if thinking[thought:]:
            # Once the answer begins, no more of an unfinished last thought comes.
            is_over = is_all or len(text) > draft.begins_at
            end = len(thinking) if is_over else thought + written_words(thinking[thought:])
            view.append_thinking(thinking[thought:end])
        end = len(text) if is_all else shown + written_words(text[shown:])
        if end > shown and text.startswith(view.text):
            if shown in (0, draft.begins_at):
                self._end_thinking()
            view.append(text[shown:end])
            self.show_waiting()

    def _end_thinking(self) -> None:
        answer, view = self.answer, self._view
        if view is not None and view.thinking_text and answer is not None and answer.draft is not None:
            view.thinking.end(answer.draft.thinking_s)

    def _end(self, error: BaseException | None = None) -> None:
        answer, view = self.answer, self._view
        assert answer is not None
        self._wait_timer.stop()
        self._flush_timer.stop()
        if not answer.is_stopped:
            self._flush(is_all=True)
        self._end_thinking()
        if answer.draft is not None:
            self._announcer.read_out(answer.draft.text, is_all=True)
        self._task = self._view = None
        is_shown = self._show_stored(answer, view, error)
        if error is None and not answer.is_stopped:
            self._announcer.announce_text(tr(ANSWER_COMPLETE))
        # What is about disk, memory or network is said at the answer itself.
        if error is not None and not isinstance(error, EnvironmentProblem):
            self._notify.error(error)
        # Nobody sees the answer at which it would be said.
        elif view is None and error is not None:
            self._notify.show_notice(sentence_for(error), lasts=True, is_error=True)
        elif error is not None:
            self._announcer.announce_text(str(sentence_for(error)))
        self._session.dispatch(AnswerEnded(answer.key, error, is_shown))
        self.ended.emit(answer, error)

    def _show_stored(self, answer: RunningAnswer, view: AnswerView | None, error: BaseException | None) -> bool:
        """Show the answer as it was stored, and what went wrong; return whether it was stored."""
        stored = None
        with self._notify.guard():
            if answer.draft is not None:
                stored = answer.place.talk.conversations.get_message(answer.message_id)
        if view is None:
            return False
        if error is not None and stored is not None and len(stored.text) < len(view.text):
            # Storing failed: the last words exist only on the screen.
            stored = None
        if stored is not None:
            view.set_message(stored)
            if stored.stats is not None and stored.stats.prompt_tokens and answer.is_finished:
                self.used.emit(stored.stats.prompt_tokens + stored.stats.generated_tokens)
        if error is not None:
            view.fail(sentence_for(error))
        return stored is not None
