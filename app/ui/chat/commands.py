"""Palette commands for the open chat, its last message or the next one."""

from __future__ import annotations

from app.features.chat.session_messages import AttachFrom
from app.ui.chat.actions import TurnCommand
from app.ui.chat.chat_view import ChatView
from app.ui.chat.recording import MicrophoneButton
from app.ui.chat.transcript import is_answer
from app.ui.chat.turn import TurnView
from app.ui.chat.turn_column import ChatsColumn
from app.ui.i18n import tr
from app.ui.shell.notify import Notify

TURN_COMMANDS = (TurnCommand.FORK, TurnCommand.MAP, TurnCommand.COMPARE_WITH)


class ChatCommands:
    """Runs a `TabCommand` of the chat by its name, or tells why it cannot."""

    def __init__(self, chat: ChatView, column: ChatsColumn, microphone: MicrophoneButton, notify: Notify) -> None:
        self._chat, self._column, self._microphone, self._notify = chat, column, microphone, notify

    def run(self, command: str) -> None:
        """Run a command by one of the names in the tab's `TabSpec`."""
        if command in TURN_COMMANDS:
            self._run_on_turn(command)
        elif command == "tags":
            self._show_tags()
        elif command == "record":
            self._microphone.toggle()
        else:
            self._chat.session.send_request(AttachFrom(command))

    def _run_on_turn(self, command: str) -> None:
        if (turn := self._find_turn(command)) is None:
            only = tr("This chat has no other versions yet.")
            self._notify.mention(only if command == TurnCommand.MAP else tr("This chat has no answer yet."))
            return
        self._chat.transcript.show_turn(turn)
        self._chat.transcript.maker.action_requested.emit(command, turn)

    def _find_turn(self, command: str) -> TurnView | None:
        """Return the last turn that the command applies to, or None."""
        transcript = self._chat.transcript
        for number in reversed(range(transcript.places.count)):
            turn = transcript.column.turn_at(number)
            if turn.message is None:
                continue
            # A map needs versions, the others an answer.
            if len(turn.message.versions) > 1 if command == TurnCommand.MAP else is_answer(turn):
                return turn
        return None

    def _show_tags(self) -> None:
        number = None if self._chat.is_temporary else self._chat.conversation_id
        if number is None:
            self._notify.mention(tr("A chat can have tags once it has a message."))
            return
        menu = self._column.tags.menu_for_chat(self._chat, number)
        menu.setObjectName("tags_menu")
        menu.aboutToHide.connect(menu.deleteLater)
        composer = self._chat.composer
        menu.popup(composer.mapToGlobal(composer.rect().topLeft()))
