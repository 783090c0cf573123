"""What the model sees of the chat that is shown: its numbers, a word before it is full, the question when it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent

from app.core.errors import AppError
from app.core.events import Role
from app.features.chat.prompts import Parts
from app.features.messages import Sentence
from app.ui.chat.answering import Answering
from app.ui.chat.context_full import ContextFull
from app.ui.chat.context_watch import ContextWatch, Subject
from app.ui.shell.i18n import tr
from app.ui.shell.notify import Notify
from app.ui.theme import Theme

if TYPE_CHECKING:
    from app.bootstrap import Fireside
    from app.features.chat.answers import Chat
    from app.ui.chat.chat_view import ChatView

ALMOST_FULL = 0.9


class ChatMemory(QObject):
    """Counts while a message is written; never on the window's thread, never while the model works."""

    parts_changed = Signal(object)

    def __init__(self, chat: ChatView, app: Fireside, theme: Theme, notify: Notify) -> None:
        super().__init__(chat)
        self._chat, self._app, self._theme, self._notify = chat, app, theme, notify
        self.parts: Parts | None = None
        """As they were counted last, for the chat that is shown; None: not yet, or not any more."""
        self._used_tokens = 0
        self._watch = ContextWatch(self._subject, self)
        self._watch.measured.connect(self._on_measured)
        chat.composer.changed.connect(self._watch.look_later)
        chat.context_changed.connect(self._on_used)

    def look(self) -> bool:
        """Counts now; whether it can be."""
        self._watch.look()
        return self._subject() is not None

    @property
    def is_counting(self) -> bool:
        """Whether the model's tokenizer is at work for this."""
        return self._watch.is_counting

    def look_later(self) -> None:
        """Something of the next prompt is another."""
        self._watch.look_later()

    def follow(self, answering: Answering) -> None:
        """Hears what an answer that begins tells about the context."""
        talk = self._chat.talk
        answering.memory_moved.connect(self._on_memory_moved)
        answering.context_full.connect(lambda id_: self._on_full(talk, answering.conversation_id, id_))

    def note(self) -> str:
        """A few words for the composer; empty while there is room."""
        loaded = self._app.engine.loaded
        asks = self._app.settings.chat.when_full == "ask"
        if loaded is None:
            return ""
        if self.parts is not None and self.parts.is_over:
            return tr("Does not fit: you will be asked") if asks else tr("Does not fit: old turns will be left out")
        if self._used_tokens >= ALMOST_FULL * loaded.context_tokens:
            return (
                tr("Context almost full: you will be asked") if asks else tr("Context almost full: old turns go soon")
            )
        return ""

    def _subject(self) -> Subject | None:
        chat = self._chat
        if chat.model_state != "ready" or chat.busy or chat.attaching.fitting.is_asking:
            return None
        system, text = chat.options.system_prompt, chat.composer.text
        return Subject(chat.talk, chat.conversation_id, system, text, chat.attaching.key)

    def _on_measured(self, parts: Parts) -> None:
        self.parts = parts
        self._used_tokens = parts.used_tokens
        self._chat.update_note()
        self.parts_changed.emit(parts)

    def _on_used(self, used_tokens: int) -> None:
        self._used_tokens = used_tokens
        self.parts = None

    def _on_memory_moved(self) -> None:
        self._chat.show_hidden()
        divider = self._chat.transcript.divider
        if QAccessible.isActive() and divider.isVisible():
            QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(divider, divider.text))

    def _on_full(self, talk: Chat, conversation_id: int, message_id: int) -> None:
        """Nothing was sent; the question is in its place without an answer."""
        if self._chat.talk is not talk or self._chat.conversation_id != conversation_id:
            self._notify.tell(
                Sentence(tr("A chat no longer fits into the model’s context."), tr("Your message was kept."))
            )
            return
        self._chat.refresh()
        dialog = ContextFull(self._theme, self._chat)
        dialog.compact_wanted.connect(lambda: self._on_compact(message_id))
        dialog.new_chat_wanted.connect(lambda: self._on_new_chat(message_id))
        dialog.open()

    def _on_compact(self, message_id: int) -> None:
        talk, turn = self._chat.talk, self._chat.transcript.turn_of(message_id)
        message = turn.message if turn is not None else None
        if message is None:
            return
        if message.role is Role.USER:
            self._chat.start(lambda token: talk.answer(message.id, token, when_full="compact"))
        else:
            self._chat.go_on(message.id, when_full="compact")

    def _on_new_chat(self, message_id: int) -> None:
        """The question goes along with its documents; it stays in this chat, too."""
        documents = self._chat.transcript.documents.attached(message_id)
        try:
            message = self._chat.talk.conversations.message(message_id)
        except AppError as error:
            self._notify.error(error)
            return
        if self._chat.talk.is_temporary:
            self._chat.show_temporary()
        else:
            self._notify.actions["new_chat"]()
        if message is not None and message.role is Role.USER:
            self._chat.composer.set_text(message.text)
            self._chat.attaching.add([one.document.path for one in documents])
        self._chat.focus_composer()
