"""Actions of the buttons below a turn: one handler for each command."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QMimeData, QObject, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication

from app.core.events import Role
from app.features.chat import session_messages as m
from app.features.chat.branches import branches_of
from app.features.chat.message_draft import ChatPlace
from app.features.error_messages import NO_PICTURES, PersonMessage
from app.ui.chat.actions import TurnCommand
from app.ui.chat.chat_models import ChatModels
from app.ui.chat.open_chat import OpenChat
from app.ui.chat.transcript import is_answer, is_question
from app.ui.chat.turn import TurnView
from app.ui.i18n import tr
from app.ui.shared_labels import COPIED, COPY
from app.ui.shell.notify import Notify

COPIES = (TurnCommand.COPY, TurnCommand.COPY_TEXT, TurnCommand.COPY_MARKDOWN, TurnCommand.COPY_CODE)
"""Commands that copy a turn: rich text with Markdown, plain text, Markdown source, or only its code."""
ALWAYS = (
    *COPIES,
    TurnCommand.MARKDOWN,
    TurnCommand.EDITED,
    TurnCommand.TRANSLATE,
    TurnCommand.PICTURE,
    TurnCommand.FORK,
    TurnCommand.PROMPT,
    TurnCommand.REMEMBER,
    TurnCommand.DETAILS,
    TurnCommand.READ_ALL,
    TurnCommand.READ_ALOUD,
)
"""Commands available while an answer is being written."""
OPEN_MODEL = "open_model"
"""Action of an error that asks for a model (`PersonMessage.action`)."""
ANSWERS = (
    TurnCommand.SAVE,
    TurnCommand.ANSWER,
    TurnCommand.REGENERATE,
    TurnCommand.COMPARE_WITH,
    TurnCommand.CONTINUE,
    TurnCommand.RETRY,
    TurnCommand.READ_ALL,
)
"""Commands that start an answer and therefore need a model."""


BUSY = "An answer is being written. Stop it first."
"""Why a change of the chat has to wait."""


class TurnActions(QObject):
    """Runs the commands of turns, with one handler for each."""

    def __init__(self, chat: OpenChat, models: ChatModels, notify: Notify) -> None:
        super().__init__(chat)
        self._chat, self._models, self._notify = chat, models, notify
        self._dispatch, self._request = chat.session.dispatch, chat.session.send_request
        self._handlers: dict[str, Callable[[TurnView], object]] = {
            TurnCommand.READ_ALL: partial(self._send, m.AnswerWhole),
            TurnCommand.READ_ALOUD: self._read_aloud,
            TurnCommand.MARKDOWN: self._toggle_markdown,
            TurnCommand.EDIT: self._edit_turn,
            TurnCommand.EDITED: lambda _turn: self._request(m.FocusField()),
            TurnCommand.SAVE: self._save_edited,
            TurnCommand.KEEP: self._save_edited,
            TurnCommand.FORK: self._fork_chat,
            TurnCommand.COMPARE_WITH: self._choose_second_model,
            TurnCommand.ANSWER: partial(self._send, m.AnswerQuestion),
            TurnCommand.REGENERATE: self._regenerate_answer,
            TurnCommand.CONTINUE: lambda turn: self._send(m.ContinueAnswer, turn, _is_whole(turn)),
            TurnCommand.RETRY: self._retry_answer,
            TurnCommand.DELETE: partial(self._send, m.DeleteMessage),
            TurnCommand.PIN: self._pin_message,
            TurnCommand.UNPIN: partial(self._pin_message, is_pinned=False),
            TurnCommand.NEXT: self._show_version,
            TurnCommand.PREVIOUS: partial(self._show_version, step=-1),
            TurnCommand.MAP: self._show_map,
            TurnCommand.DETAILS: self._show_details,
            TurnCommand.BESIDE: chat.pairs.offer_versions,
            TurnCommand.PICTURE: lambda _turn: self._notify.show_notice(NO_PICTURES),
            TurnCommand.TRANSLATE: partial(self._send_text, m.OpenTranslation),
            TurnCommand.REMEMBER: partial(self._send_text, m.RememberText),
            TurnCommand.PROMPT: partial(self._send_text, m.OpenPrompts),
            **{way: partial(copy_turn, way) for way in COPIES},
            OPEN_MODEL: lambda _turn: self._request(m.ChooseModel()),
        }
        chat.transcript.maker.action_requested.connect(self._run)
        chat.transcript.maker.message_wanted.connect(self._focus_turn)
        chat.session.serve(
            {
                m.ReportBusy: lambda _effect: notify.show_notice(PersonMessage(BUSY)),
                m.ReportDeleted: self._report_deleted,
                m.EditLastQuestion: lambda _effect: self._edit_last(),
                m.CloseEditor: self._close_editor,
                m.FocusMessage: lambda effect: self._focus_turn(effect.message_id),
            }
        )

    def _run(self, name: str, turn: TurnView) -> None:
        """Run a `TurnCommand` on a turn, or an action of the window, such as the one offered by an error."""
        if name in ANSWERS and not self._models.may_answer(lambda: self._run(name, turn)):
            return
        if self._chat.is_busy and name not in ALWAYS:
            self._notify.show_notice(PersonMessage(BUSY))
            return
        with self._notify.guard():
            # A signal of text carries a command as plain text, which equals its member.
            if (handler := self._handlers.get(name)) is not None:
                handler(turn)
            else:
                self._notify.actions[name]()

    def _edit_last(self) -> None:
        """Edit the last question, for Up in the empty composer."""
        if (question := self._chat.transcript.last_question()) is not None and not self._chat.is_busy:
            self._edit_turn(question)

    def _send_text(self, request: Callable[[str], object], turn: TurnView) -> None:
        if is_answer(turn) or is_question(turn):
            self._request(request(turn.text))

    def _send(self, command: Callable[..., object], turn: TurnView, *values: object) -> None:
        """Give the session a command about a turn's message."""
        if turn.message is not None:
            self._dispatch(command(turn.message.id, *values))

    def _read_aloud(self, turn: TurnView) -> None:
        if turn.host.read_aloud is not None:
            turn.host.read_aloud(turn)

    def _toggle_markdown(self, turn: TurnView) -> None:
        if is_answer(turn):
            turn.show_markdown(turn.source is None)

    def _edit_turn(self, turn: TurnView) -> None:
        if is_question(turn) or is_answer(turn):
            turn.start_editing(turn.text)
            self._chat.transcript.show_turn(turn)

    def _save_edited(self, turn: TurnView) -> None:
        """Store a message as edited by the user, as another version; a question is answered again."""
        if turn.editor is not None:
            self._send(m.EditMessage, turn, turn.editor.text)

    def _close_editor(self, effect: m.CloseEditor) -> None:
        if (turn := self._chat.transcript.turn_of(effect.message_id)) is not None:
            turn.stop_editing()

    def _fork_chat(self, turn: TurnView) -> None:
        message, conversations = turn.message, self._chat.talk.conversations
        conversation = conversations.get(message.conversation_id) if message is not None else None
        if message is None or conversation is None:
            return
        mark = tr("(fork)")
        title = conversation.title if conversation.title.endswith(mark) else f"{conversation.title} {mark}".strip()
        self._request(m.OpenChatAt(ChatPlace(self._chat.talk, conversations.fork(message.id, title))))
        self._notify.mention(tr("New chat created up to that message."))

    def _choose_second_model(self, turn: TurnView) -> None:
        """Open the menu of models that can answer in comparison."""

        message = turn.message

        def go_on(path: Path) -> None:
            # An answer may have begun since the menu was opened.
            if self._chat.is_busy:
                self._notify.show_notice(PersonMessage(BUSY))
                return
            with self._notify.guard():
                assert message is not None
                self._chat.pairs.compare(message, path)

        if message is not None and turn.toolbar.row is not None:
            menu = self._models.others.menu(tr("Ask another model"), go_on, self._chat.transcript)
            menu.popup_at(turn.toolbar.row.more)

    def _focus_turn(self, message_id: int) -> None:
        """Scroll to a message and give it the keyboard."""
        self._chat.show_state()
        if (turn := self._chat.transcript.turn_of(message_id)) is not None:
            self._chat.transcript.show_turn(turn)
            turn.setFocus(Qt.FocusReason.OtherFocusReason)

    def _regenerate_answer(self, turn: TurnView) -> None:
        if turn.message is not None and turn.message.parent_id is not None:
            self._dispatch(m.AnswerQuestion(turn.message.parent_id, _is_whole(turn)))

    def _retry_answer(self, turn: TurnView) -> None:
        self._dispatch(m.RetryAnswer(turn.message.id if turn.message is not None else 0, _is_whole(turn)))

    def _report_deleted(self, effect: m.ReportDeleted) -> None:
        self._request(m.FocusField())
        what = tr("Message deleted") if effect.message.role == Role.USER else tr("Answer deleted")
        restored = m.RestoreMessage(effect.place, effect.message.id)
        self._notify.undo(what, lambda: self._dispatch(restored))

    def _pin_message(self, turn: TurnView, *, is_pinned: bool = True) -> None:
        """Pin or unpin a message. Pinned ones are always in the model's context."""
        if turn.message is None:
            return
        focus = QApplication.focusWidget()
        had_focus = focus is not None and turn.isAncestorOf(focus)
        self._dispatch(m.PinMessage(turn.message.id, is_pinned))
        # The button that had the focus was made anew.
        if had_focus:
            turn.setFocus(Qt.FocusReason.OtherFocusReason)

    def _show_version(self, turn: TurnView, step: int = 1) -> None:
        """Show another version of the turn, `step` places further."""
        if (message := turn.message) is None:
            return
        index = message.versions.index(message.id) + step
        if 0 <= index < len(message.versions):
            self._dispatch(m.ShowVersion(message.versions[index]))

    def _show_map(self, turn: TurnView) -> None:
        # Nobody looks at it before the window is seen.
        from app.ui.chat.details import BranchMap

        message, conversations = turn.message, self._chat.talk.conversations
        if message is None or turn.toolbar.row is None:
            return
        shown = [message.id for message in self._chat.branch]
        branches = branches_of(conversations.read_outline(message.conversation_id), shown)
        popup = BranchMap(
            self._chat.transcript.theme,
            branches,
            message.id,
            self._chat.transcript,
            choose=lambda number: self._dispatch(m.ShowVersion(number)),
        )
        popup.show_at(turn.toolbar.row.versions)

    def _show_details(self, turn: TurnView) -> None:
        from app.ui.chat.details import AnswerDetails

        if turn.message is not None and turn.toolbar.row is not None:
            details = AnswerDetails(
                self._chat.transcript.theme,
                turn.message,
                self._chat.transcript,
                show_seen=partial(self._show_seen, turn.message.id),
            )
            details.show_at(turn.toolbar.row.about)

    def _show_seen(self, answer_id: int) -> None:
        """Show the exact prompt that the model was given for an answer."""
        from app.ui.chat.prompt_view import SeenDialog

        looks, theme = self._chat.talk.looks, self._chat.transcript.theme
        title = tr("What the model saw")
        SeenDialog(theme, lambda token: looks.inspect_answer(answer_id, token), title, self._chat.transcript).open()


def _is_whole(turn: TurnView) -> bool:
    return is_answer(turn) and turn.is_whole


def copy_turn(name: str, turn: TurnView) -> None:
    """Copy a turn in the way a command names, and confirm it on the turn's button."""
    QGuiApplication.clipboard().setMimeData(_clipboard_data(name, turn))
    button = turn.toolbar.row.button(tr(COPY)) if turn.toolbar.row is not None else None
    if button is not None:
        button.show_done(tr(COPIED))


def _clipboard_data(name: str, turn: TurnView) -> QMimeData:
    # Not before something is copied.
    from app.ui.text.copied_text import code_of, html_of, mime_data, text_of

    data = QMimeData()
    if is_question(turn):
        data.setText(turn.text)
    elif is_answer(turn) and name == TurnCommand.COPY:
        data = mime_data(html_of(turn.written.pieces), turn.text)
    elif is_answer(turn):
        ways: dict[str, Callable[..., str]] = {TurnCommand.COPY_TEXT: text_of, TurnCommand.COPY_CODE: code_of}
        data.setText(ways[name](turn.written.pieces) if name in ways else turn.text)
    return data
