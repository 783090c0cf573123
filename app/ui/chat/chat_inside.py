"""Subjects that the inspector shows for a chat: the selected text, the chosen or last message, and its prompt."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING
from weakref import ref

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication, QPlainTextEdit, QTextEdit, QWidget
from shiboken6 import isValid

from app.core.events import CancelToken, Guess, PromptProgress, Role, TextDelta, TokenChosen, TokenSeen
from app.features.chat.answer_service import AnswerStarted
from app.features.chat.session_messages import AnswerFrom
from app.features.error_messages import PersonMessage
from app.features.inside.looks import replace_token, tokens_within
from app.features.survey.wanted import made_of
from app.ui.chat.answering import LiveAnswer
from app.ui.chat.turn import TurnView
from app.ui.i18n import tr
from app.ui.inside.look import MESSAGE, PROMPT, SELECTION, InspectedAnswer, InspectedText, Subjects
from app.ui.shared_labels import WHAT_IS_SELECTED
from app.ui.shell.notify import Notify

if TYPE_CHECKING:
    from app.engine.protocol import Ask
    from app.features.chat.answer_service import AnswerService
    from app.store.conversations import StoredMessage
    from app.ui.chat.chat_view import ChatView

THE_ANSWER = "The answer"
ANSWER_PROMPT = "The prompt of this answer"
THE_QUESTION = "The question"

PARAGRAPH = "\u2029"
"""Separator that Qt puts between the lines of a selection."""
ALTERNATIVES = 8
KEPT_ANSWERS = 50
LOOK_EVERY_S = 0.05
"""Interval at which a reader of token probabilities checks whether the model has become free."""


class ChatSubjects(Subjects):
    """Follows the focus: entering a turn chooses it, and a focused text provides its selection."""

    def __init__(self, chat: ChatView, notify: Notify, parent: QObject) -> None:
        super().__init__(parent)
        self._chat, self._notify = chat, notify
        self._chosen_id = 0
        self._edit: QTextEdit | QPlainTextEdit | None = None
        self._selected = ""
        self._talk = chat.open_chat.talk
        self._answers: dict[int, ChatAnswer] = {}
        """Inspected answers of the visible chat, by message id."""
        self._live: ChatAnswer | None = None
        self._before: tuple[str, Sequence[TokenSeen]] = ("", ())
        """Text and tokens that the next answer begins with."""
        chat.open_chat.shown.connect(self._on_shown)
        chat.open_chat.answering.connect(self._on_answering)
        chat.answer_finished.connect(self._on_finished)
        QApplication.instance().focusChanged.connect(self._on_focus_changed)  # type: ignore[union-attr]
        self._follow_focus(QApplication.focusWidget())

    def want_probabilities(self, *, wanted: bool) -> None:
        """Set whether answers started from now on report token probabilities."""
        self._chat.open_chat.alternatives = ALTERNATIVES if wanted else -1

    def now(self) -> list[InspectedText]:
        edit = self._edit
        # What had the selection may be gone, or hidden with its chat.
        is_there = edit is not None and isValid(edit) and edit.isVisibleTo(self._chat)
        self._selected = self._selected if is_there else ""
        found = [InspectedText(SELECTION, tr(WHAT_IS_SELECTED), self._selected)] if self._selected else []
        live = self._live
        if live is not None and live.conversation_id == self._chat.conversation_id and live.message_id:
            found.append(InspectedText(MESSAGE, tr(THE_ANSWER), "", live.message_id, answer=live))
        if (message := self._message()) is None:
            return found
        if message.text:
            found.append(self._message_subject(message))
        # Held weakly: the panel must not keep a temporary chat that was left.
        asked = partial(_asked, ref(self._talk), message.id)
        label = tr(ANSWER_PROMPT) if message.role is Role.ASSISTANT else tr("The prompt")
        found.append(InspectedText(PROMPT, label, "", message.id, asked))
        return found

    def _message_subject(self, message: StoredMessage) -> InspectedText:
        if message.role is not Role.ASSISTANT:
            return InspectedText(MESSAGE, tr(THE_QUESTION), message.text, message.id)
        # An answer from whole documents has many prompts, so only its text is shown.
        answer = None if made_of(message.sources) is not None else self._answer_of(message)
        return InspectedText(MESSAGE, tr(THE_ANSWER), message.text, message.id, answer=answer)

    def go_on_from(self, answer: ChatAnswer, tokens: Sequence[TokenSeen], number: int, guess: Guess) -> None:
        """Write another version of an answer with one token replaced by an alternative."""
        found = replace_token(answer.text, tokens, number, guess)
        if self._chat.busy:
            self._notify.show_notice(PersonMessage("An answer is being written. Stop it first."))
        elif found is not None:
            text, forced = found
            self._before = (text, tokens[: number + 1 - len(forced)])
            with self._notify.guard():
                self._chat.session.dispatch(AnswerFrom(answer.message_id, text, tuple(forced)))

    def _answer_of(self, message: StoredMessage) -> ChatAnswer:
        if message.id not in self._answers:
            self._answers[message.id] = ChatAnswer(self._chat, message.id, self)
            # The oldest go first; tokens with their alternatives take memory.
            while len(self._answers) > KEPT_ANSWERS:
                self._answers.pop(next(iter(self._answers))).deleteLater()
        answer = self._answers[message.id]
        answer.text = message.text
        return answer

    def _message(self) -> StoredMessage | None:
        """Return the chosen message if it is still shown, else the last complete one, or None."""
        turns = self._chat.transcript.turns
        stored = [turn.message for turn in turns if turn.message is not None and not turn.is_changing]
        chosen = next((message for message in stored if message.id == self._chosen_id), None)
        return chosen or (stored[-1] if stored else None)

    def _on_shown(self) -> None:
        # What is held of a temporary chat would keep it in memory.
        if (talk := self._chat.open_chat.talk) is not self._talk:
            self._talk = talk
            for answer in self._answers.values():
                # The one being written is still needed by those who follow it.
                if answer is not self._live:
                    answer.deleteLater()
            self._answers = {}
        self.changed.emit()

    def _on_answering(self, key: int, stream: LiveAnswer) -> None:
        self._chosen_id = 0
        self._live = None
        if self._chat.open_chat.alternatives >= 0:
            live = self._live = ChatAnswer(self._chat, 0, self)
            live.begin_with(*self._before)
            live.follow_answer(key, stream)
        self._before = ("", ())
        self.changed.emit()

    def show_started(self, live: ChatAnswer, message_id: int) -> None:
        """Take over what is known of an answer that has its row in the store."""
        live.message_id = message_id
        # The answer goes on: its first tokens were recorded before.
        if message_id in self._answers:
            live.begin_with(self._answers[message_id].text, self._answers[message_id].seen)
        if live.talk is self._talk:
            self._answers[message_id] = live
        self.changed.emit()

    def _on_finished(self, _message_id: int) -> None:
        if self._live is not None:
            self._live.finish()
            self._live = None
        self.changed.emit()

    def _on_focus_changed(self, _old: QWidget | None, now: QWidget | None) -> None:
        if now is not None and self._chat.isAncestorOf(now):
            self._follow_focus(now)

    def _follow_focus(self, widget: QWidget | None) -> None:
        if self._edit is not None and isValid(self._edit):
            # A turn that went out of sight is deleted, and its text with it.
            self._edit.selectionChanged.disconnect(self._on_selected)
        self._edit = widget if isinstance(widget, QTextEdit | QPlainTextEdit) else None
        if self._edit is not None:
            self._edit.selectionChanged.connect(self._on_selected)
        turn = _turn_around(widget)
        if turn is not None and turn.message is not None and turn.message.id != self._chosen_id:
            self._chosen_id = turn.message.id
            self.changed.emit()
        self._on_selected()

    def _on_selected(self) -> None:
        edit = self._edit
        selected = "" if edit is None else edit.textCursor().selectedText().replace(PARAGRAPH, "\n")
        if selected != self._selected:
            self._selected = selected
            self.changed.emit()


def _asked(talk: ref[AnswerService], message_id: int) -> Ask:
    """Return the engine request of an answer. Raises KeyError if its chat is gone."""
    if (chat := talk()) is None:
        raise KeyError(message_id)
    return chat.looks.rebuild_ask(message_id, CancelToken())


def _turn_around(widget: QWidget | None) -> TurnView | None:
    """Return the turn that contains a widget, or is it."""
    while widget is not None and not isinstance(widget, TurnView):
        widget = widget.parentWidget()
    return widget


class ChatAnswer(InspectedAnswer):
    """Inspected answer of the open chat; `message_id` is 0 until it is stored."""

    def __init__(self, chat: ChatView, message_id: int, subjects: ChatSubjects) -> None:
        super().__init__(subjects)
        self._chat, self._subjects = chat, subjects
        # Held weakly, as in `now`.
        self._talk, self.conversation_id = ref(chat.open_chat.talk), chat.conversation_id
        self.message_id = message_id
        self._begins_with = ""
        self._came: list[TokenSeen] = []
        self._seen: list[TokenSeen] = []
        self._first = 0
        """Index of the first received token that belongs to its text."""
        self._stream: LiveAnswer | None = None
        self._key = self._length = 0
        """Key of the answer in its stream, and how much of its text has come with the tokens."""

    @property
    def talk(self) -> AnswerService | None:
        """The service of its chat, or None if that was freed."""
        return self._talk()

    @property
    def seen(self) -> Sequence[TokenSeen]:
        return self._seen

    def begin_with(self, text: str, tokens: Sequence[TokenSeen]) -> None:
        """Set the text and tokens that the answer begins with."""
        self._begins_with, self._came = text, list(tokens)

    def follow_answer(self, key: int, stream: LiveAnswer) -> None:
        self._key, self._stream, self.is_being_written = key, stream, True
        stream.happened.connect(self._on_happened)
        stream.grew.connect(self._on_grew)

    def _on_happened(self, key: int, event: object) -> None:
        if key != self._key:
            return
        if isinstance(event, AnswerStarted):
            self._subjects.show_started(self, event.message_id)
        elif isinstance(event, TokenChosen):
            self._came.append(event.token)
        elif isinstance(event, TextDelta) and not event.thinking:
            self._length += len(event.text)

    def finish(self) -> None:
        if self._stream is not None:
            self._stream.happened.disconnect(self._on_happened)
            self._stream.grew.disconnect(self._on_grew)
        self._stream, self.is_being_written = None, False
        talk = self.talk
        stored = talk.conversations.get_message(self.message_id) if talk is not None and self.message_id else None
        self.text = stored.text if stored is not None else ""
        self._seen = tokens_within(self._came, self.text) if self.text else []
        self.grew.emit()

    def read_again(self, cancel: CancelToken) -> Iterator[TokenSeen | PromptProgress]:
        talk = self.talk
        while self._chat.busy and not cancel.cancelled:
            time.sleep(LOOK_EVERY_S)
        if talk is not None:
            yield from talk.looks.reread_answer(self.message_id, cancel, most=ALTERNATIVES)

    def can_replace(self, tokens: Sequence[TokenSeen], number: int, guess: Guess) -> bool:
        return not self.is_being_written and replace_token(self.text, tokens, number, guess) is not None

    def go_on_with(self, tokens: Sequence[TokenSeen], number: int, guess: Guess) -> None:
        self._subjects.go_on_from(self, tokens, number, guess)

    def _on_grew(self) -> None:
        answer = self._stream.answer if self._stream is not None else None
        if answer is None or answer.key != self._key or answer.draft is None or not self._length:
            return
        # Only what is new: matching all tokens with the text would take longer each time.
        if self._seen:
            self._seen += self._came[self._first + len(self._seen) :]
        else:
            # The draft may be ahead of the tokens.
            begin = answer.draft.begins_at
            written = answer.draft.text[0 if self._begins_with else begin : begin + self._length]
            self._seen = tokens_within(self._came, written)
            self._first = len(self._came) - len(self._seen)
        self.grew.emit()
