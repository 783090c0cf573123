"""Notices above the message field: the chat is temporary, its model cannot chat, or a fact may be remembered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QWidget

from app.features.chat.session_messages import ContinueText, RememberText, SaveDraft
from app.ui.i18n import tr
from app.ui.theme import Theme
from app.ui.widgets.buttons import text_button
from app.ui.widgets.labels import announce, plain_label
from app.ui.widgets.layouts import fill_layout

if TYPE_CHECKING:
    from app.features.chat.session import ChatSession
    from app.ui.chat.attaching import ChatAttachments
    from app.ui.chat.chat_context import ChatMemory
    from app.ui.chat.chat_models import ChatModels
    from app.ui.chat.composer import Composer
    from app.ui.chat.open_chat import OpenChat

NO_CHAT_TEMPLATE = "This model has no chat template, so it continues text instead of answering. Use it in Write."
SENT_WHEN_READ = "Will be sent once {name} has been read. Press Esc to cancel."
TEMPORARY_NOTE = "Temporary chat: it isn’t saved"
REMEMBER_FACT = "Remember “{fact}”?"
REMEMBER, NOT_NOW = "Remember…", "No"


class TemporaryBanner(QFrame):
    """Notice above the composer that nothing of a temporary chat is stored."""

    def __init__(self, theme: Theme, session: ChatSession, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.setObjectName("temporary_banner")
        glyph = QLabel()
        words = plain_label(tr(TEMPORARY_NOTE))
        self.setAccessibleName(words.text())
        theme.dress(fill_layout(QHBoxLayout(self), glyph, (words, 1)), margins=(14, 6, 14, 6), spacing=8)
        theme.dress(words, font="control")
        theme.dress(glyph, picture=("ghost", "accent", 16))
        self.hide()
        session.listen(self._show_place)

    def _show_place(self) -> None:
        self.setVisible(self._session.state.place.talk.is_temporary)


class CompletionNotice(QFrame):
    """Notice above the composer that the model cannot chat, and which tab can use it. Hidden for all others."""

    def __init__(self, theme: Theme, session: ChatSession, composer: Composer, models: ChatModels) -> None:
        super().__init__()
        self._session, self._composer, self._models = session, composer, models
        self.setObjectName("completion_notice")
        words = plain_label(tr(NO_CHAT_TEMPLATE), wraps=True)
        self.setAccessibleName(words.text())
        write = text_button(tr("Open in Write"), "plain", on_click=self._on_clicked, name="open_in_write")
        write.setAccessibleDescription(words.text())
        theme.dress(fill_layout(QHBoxLayout(self), (words, 1), write), margins=(12, 8, 8, 8), spacing=8)
        theme.dress(words, write, font="control")
        self.hide()
        models.changed.connect(self._show_model)

    def _show_model(self) -> None:
        """Show or hide the notice, announcing it to screen readers when it appears."""
        if not self._models.can_chat and self.isHidden():
            announce(self, self.accessibleName())
        self.setVisible(not self._models.can_chat)

    def _on_clicked(self) -> None:
        text = self._composer.text
        self._composer.set_text("")
        self._session.dispatch(SaveDraft())
        self._session.send_request(ContinueText(text))


class MemoryOffer(QFrame):
    """Shows one fact and two buttons; hidden while there is none."""

    def __init__(self, theme: Theme, session: ChatSession) -> None:
        super().__init__()
        self._session, self._fact = session, ""
        self.setObjectName("memory_offer")
        self.words = plain_label("", wraps=True)
        self.remember = text_button(tr(REMEMBER), "plain", on_click=self._on_remember, name="remember_fact")
        self.refuse = text_button(tr(NOT_NOW), "quiet", on_click=self._on_refused, name="refuse_fact")
        row = fill_layout(QHBoxLayout(self), (self.words, 1), self.remember, self.refuse)
        theme.dress(row, margins=(12, 8, 8, 8), spacing=8)
        theme.dress(self.words, self.remember, self.refuse, font="control")
        self.hide()

    def show_fact(self, fact: str) -> None:
        """Ask about a fact, aloud too where a screen reader runs; "" hides the line."""
        self._fact = fact
        self.words.setText(tr(REMEMBER_FACT, fact=fact) if fact else "")
        self.setAccessibleName(self.words.text())
        for button in (self.remember, self.refuse):
            button.setAccessibleDescription(self.words.text())
        if fact:
            announce(self, self.words.text())
        self.setVisible(bool(fact))

    def _on_remember(self) -> None:
        fact = self._fact
        self.show_fact("")
        self._session.send_request(RememberText(fact))

    def _on_refused(self) -> None:
        self.show_fact("")


class ComposerNote(QObject):
    """Keeps the short note next to the composer's buttons up to date: what a message waits for, or what is unusual."""

    def __init__(
        self, chat: OpenChat, composer: Composer, models: ChatModels, memory: ChatMemory, attaching: ChatAttachments
    ) -> None:
        super().__init__(chat)
        self._chat, self._composer, self._models = chat, composer, models
        self._memory, self._attaching = memory, attaching
        chat.session.listen(self.refresh)
        for signal in (models.changed, chat.pairs.changed, memory.parts_changed):
            signal.connect(self.refresh)

    def refresh(self) -> None:
        state, models = self._chat.session.state, self._models
        answering, reason = next(iter(state.answers), None), self._attaching.reason_to_wait()
        note = ""
        if state.held is not None:
            note = tr(SENT_WHEN_READ, name=self._attaching.waits_for)
        elif answering is not None and answering.place != state.place:
            note = tr("An answer is being written in another chat")
        elif answering is None and reason:
            note = reason
        elif answering is None and models.can_chat and models.state == "loading" and not models.own.is_elsewhere:
            note = tr("The model is loading. Your message will be sent when it’s ready.")
        elif answering is None:
            note = self._chat.pairs.note() or models.own.note() or self._memory.note()
        self._composer.set_note(note)
