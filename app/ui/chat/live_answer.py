"""Keeps the running answer and the view it streams into together, also while another chat is looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from app.core.errors import AppError, EnvironmentProblem
from app.core.events import Finished
from app.features.messages import sentence_for
from app.ui.chat.answer_view import AnswerView
from app.ui.chat.answering import Announcer, Answering
from app.ui.shell.i18n import tr
from app.ui.shell.notify import Notify

if TYPE_CHECKING:
    from app.bootstrap import Fireside
    from app.ui.chat.chat_view import ChatView


class LiveAnswer(QObject):
    """At most one answer runs at a time."""

    def __init__(self, chat: ChatView, app: Fireside, notify: Notify) -> None:
        super().__init__(chat)
        self._chat, self._app, self._notify = chat, app, notify
        self._announcer = Announcer(chat)
        self._view: AnswerView | None = None
        self._text_before = self._thinking_before = ""
        self._progress: tuple[int, int] | None = None
        self._is_waiting = False
        self.answering: Answering | None = None

    def run(self, answering: Answering, view: AnswerView) -> None:
        """Streams into `view` from now on."""
        self.answering, self._view = answering, view
        self._text_before, self._thinking_before = view.text, view.thinking.text
        self._progress, self._is_waiting = None, False
        answering.started.connect(self._chat.answer_started)
        answering.text_came.connect(self._on_text)
        answering.thought_came.connect(self._on_thought)
        answering.waited.connect(self._on_waited)
        answering.progressed.connect(self._on_progressed)
        answering.grew.connect(self._on_grew)
        answering.finished.connect(self._on_finished)
        answering.failed.connect(self._on_failed)

    def message_id_in(self, conversation_id: int | None) -> int | None:
        """The answer that runs in this conversation, if any."""
        running = self.answering
        return running.message_id if running is not None and running.conversation_id == conversation_id else None

    def attach(self) -> None:
        """After another conversation was opened: shows the running answer again if it belongs there."""
        self._view = None
        running = self.answering
        if running is not None and running.conversation_id == self._chat.conversation_id:
            self._view = self._chat.transcript.add_answer()
            if self._thinking_before + running.thinking:
                self._view.append_thinking(self._thinking_before + running.thinking)
            if self._text_before + running.text:
                self._view.thinking.end(running.thinking_s)
                self._view.append(self._text_before + running.text)
            self.show_waiting()

    def stop(self) -> None:
        """At once for the eye; the engine ends the answer shortly after."""
        if self.answering is not None and not self.answering.is_stopped:
            self.answering.stop()
            self._is_waiting = False
            if self._view is not None:
                self._view.thinking.end(self.answering.thinking_s)
                self._view.say(tr("Stopped"))
            self._announcer.say(tr("Stopped"))

    def show_waiting(self) -> None:
        """What is being waited for, once it takes a moment."""
        running = self.answering
        if running is None or running.has_text or running.is_stopped or not self._is_waiting or self._view is None:
            return
        if self._chat.model_state == "loading":
            self._view.say(tr("Waiting for the model to load"))
        elif self._progress is not None and self._progress[1]:
            done, total = self._progress
            self._view.say(tr("Reading {done} of {total} tokens", done=f"{done:,}", total=f"{total:,}"))
        else:
            self._view.say(tr("Reading your message"))

    def _on_thought(self, text: str) -> None:
        running = self.answering
        assert running is not None
        if running.thinking == text:  # its beginning; the thinking itself is read to nobody
            self._announcer.say(tr("Thinking"))
        if self._view is not None:
            self._view.append_thinking(text)

    def _on_text(self, text: str) -> None:
        running = self.answering
        assert running is not None
        if self._view is not None:
            if running.thinking and running.text == text:
                self._view.thinking.end(running.thinking_s)
            self._view.append(text)
        self._announcer.add(text)

    def _on_waited(self) -> None:
        self._is_waiting = True
        self.show_waiting()

    def _on_progressed(self, done: int, total: int) -> None:
        self._progress = (done, total)
        self.show_waiting()

    def _on_grew(self, used_tokens: int) -> None:
        self._chat.answer_grew.emit()
        if self._view is not None:  # else another chat is looked at
            self._chat.context_changed.emit(used_tokens)

    def _on_finished(self, event: Finished | None) -> None:
        is_shown = self._view is not None
        self._end(None)
        if event is not None and is_shown and event.stats.prompt_tokens:
            self._chat.context_changed.emit(event.stats.prompt_tokens + event.stats.generated_tokens)

    def _on_failed(self, error: BaseException) -> None:
        if not isinstance(error, EnvironmentProblem):
            self._notify.error(error)
        self._end(error)

    def _end(self, error: BaseException | None) -> None:
        running, view = self.answering, self._view
        assert running is not None
        self.answering, self._view = None, None
        running.deleteLater()
        self._chat.composer.set_answering(False)
        self._announcer.finish()
        try:
            stored = self._chat.talk.conversations.message(running.message_id) if running.message_id else None
            if error is not None and view is not None and stored is not None and len(stored.text) < len(view.text):
                stored = None  # a disk that refused: what is on the screen is all there is of the last words
            if view is not None:
                view.thinking.end(running.thinking_s)
                if stored is not None:
                    view.set_message(stored)
                if error is not None:
                    view.fail(sentence_for(error))
                    self._announcer.say(str(sentence_for(error)))
                if stored is not None:
                    self._chat.refresh()
        except AppError as problem:
            self._notify.error(problem)
        if view is None and error is not None:
            self._notify.tell(sentence_for(error))
        self._chat.update_note()
        self._chat.title_changed.emit(running.conversation_id)
        self._chat.answer_finished.emit(running.message_id or 0)
