"""What the buttons under a turn do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication

from app.core.errors import AppError
from app.core.events import Role
from app.features.messages import NO_PICTURES, Sentence
from app.ui.chat.answer_view import AnswerView
from app.ui.chat.question_view import QuestionView
from app.ui.chat.turn import Turn
from app.ui.shell.i18n import tr
from app.ui.shell.notify import Notify
from app.ui.text.clipboard import html_of, mime_data

if TYPE_CHECKING:
    from app.features.chat.answers import Chat
    from app.store.conversations import StoredMessage
    from app.ui.chat.chat_view import ChatView

ALWAYS = ("copy", "markdown", "edited", "translate", "picture")


class TurnActions(QObject):
    """One method an action, found by its name."""

    def __init__(self, chat: ChatView, notify: Notify) -> None:
        super().__init__(chat)
        self._chat, self._notify = chat, notify

    def do(self, name: str, turn: Turn) -> None:
        """Does what a button under `turn` is named after."""
        if self._chat.busy and name not in ALWAYS:
            self._notify.tell(Sentence(tr("An answer is being written. Stop it first.")))
            return
        try:
            step = getattr(self, f"_on_{name}", None)
            if step is not None:
                step(turn)
            elif name == "open_model":
                self._chat.model_wanted.emit()
            else:
                self._notify.actions[name]()
        except AppError as error:
            self._notify.error(error)

    def edit_last(self) -> None:
        """Up in the empty composer edits the last question."""
        questions = [turn for turn in self._chat.transcript.turns if isinstance(turn, QuestionView)]
        if questions and not self._chat.busy:
            self._on_edit(questions[-1])

    def _on_copy(self, turn: Turn) -> None:
        if isinstance(turn, AnswerView):
            QGuiApplication.clipboard().setMimeData(mime_data(html_of(turn.pieces), turn.text))
        elif isinstance(turn, QuestionView):
            QGuiApplication.clipboard().setText(turn.text)
        turn.show_copied()

    def _on_translate(self, turn: Turn) -> None:
        if isinstance(turn, AnswerView):
            self._chat.translate_wanted.emit(turn.text)

    def _on_markdown(self, turn: Turn) -> None:
        if isinstance(turn, AnswerView):
            turn.show_markdown(not turn.is_markdown_shown)

    def _on_edit(self, turn: Turn) -> None:
        if isinstance(turn, QuestionView):
            turn.start_editing()
            self._chat.transcript.show_turn(turn)

    def _on_picture(self, _turn: Turn) -> None:
        self._notify.tell(NO_PICTURES)

    def _on_edited(self, _turn: Turn) -> None:
        self._chat.focus_composer()

    def _on_save(self, turn: Turn) -> None:
        if not isinstance(turn, QuestionView) or turn.editor is None or turn.message is None:
            return
        text = turn.editor.field.text
        question = self._chat.talk.edit_question(turn.message.id, text)
        turn.stop_editing()
        self._chat.refresh()
        talk = self._chat.talk
        self._chat.start(lambda token: talk.answer(question.id, token))
        self._touched()

    def _on_answer(self, turn: Turn) -> None:
        if turn.message is not None:
            self._answer(turn.message.id)

    def _on_regenerate(self, turn: Turn) -> None:
        if turn.message is not None and turn.message.parent_id is not None:
            self._answer(turn.message.parent_id)

    def _on_continue(self, turn: Turn) -> None:
        if isinstance(turn, AnswerView) and turn.message is not None:
            self._chat.go_on(turn.message.id)

    def _on_retry(self, turn: Turn) -> None:
        """A failed answer with text goes on; one without makes room for another."""
        message = turn.message
        if message is not None and message.text:
            self._on_continue(turn)
        elif message is not None and message.parent_id is not None:
            self._chat.talk.conversations.delete_message(message.id)
            self._answer(message.parent_id)
        else:
            questions = [m for m in self._path() if m.role == Role.USER]
            if questions:
                self._answer(questions[-1].id)

    def _on_delete(self, turn: Turn) -> None:
        message = turn.message
        if message is None:
            return
        self._chat.talk.conversations.delete_message(message.id)
        self._chat.refresh()
        self._touched()
        self._chat.focus_composer()
        what = tr("Message deleted") if message.role == Role.USER else tr("Answer deleted")
        talk = self._chat.talk
        self._notify.undo(what, lambda: self._restore(talk, message.id))

    def _restore(self, talk: Chat, message_id: int) -> None:
        try:
            talk.conversations.restore_message(message_id)
            self._chat.refresh()
        except AppError as error:
            self._notify.error(error)

    def _on_pin(self, turn: Turn) -> None:
        self._set_pinned(turn, is_pinned=True)

    def _on_unpin(self, turn: Turn) -> None:
        self._set_pinned(turn, is_pinned=False)

    def _set_pinned(self, turn: Turn, *, is_pinned: bool) -> None:
        """A pinned message is shown to the model again, wherever its memory begins."""
        if turn.message is None:
            return
        focus = QApplication.focusWidget()
        had_focus = focus is not None and turn.isAncestorOf(focus)
        self._chat.talk.conversations.set_message_pinned(turn.message.id, is_pinned)
        self._chat.refresh()
        if had_focus:  # the button that had it is another one now
            turn.setFocus(Qt.FocusReason.OtherFocusReason)

    def _on_previous(self, turn: Turn) -> None:
        self._choose(turn, -1)

    def _on_next(self, turn: Turn) -> None:
        self._choose(turn, 1)

    def _choose(self, turn: Turn, step: int) -> None:
        message = turn.message
        if message is None:
            return
        index = message.versions.index(message.id) + step
        if 0 <= index < len(message.versions):
            chosen = message.versions[index]
            self._chat.talk.conversations.choose_version(chosen)
            self._chat.refresh()
            shown = self._chat.transcript.turn_of(chosen)
            if shown is not None:
                shown.setFocus()

    def _answer(self, question_id: int) -> None:
        """Answers a question again: what followed it belongs to the other version."""
        path = self._path()
        ids = [message.id for message in path]
        if question_id in ids:
            self._chat.transcript.update_to(path[: ids.index(question_id) + 1])
        talk = self._chat.talk
        self._chat.start(lambda token: talk.answer(question_id, token))
        self._touched()

    def _path(self) -> list[StoredMessage]:
        conversation_id = self._chat.conversation_id
        return self._chat.talk.conversations.path(conversation_id) if conversation_id is not None else []

    def _touched(self) -> None:
        if self._chat.conversation_id is not None:
            self._chat.title_changed.emit(self._chat.conversation_id)
