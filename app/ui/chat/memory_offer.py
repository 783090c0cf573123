"""A line above the message field that asks whether to remember a fact from the chat."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QFrame, QHBoxLayout

from app.features.chat.session_messages import RememberText
from app.ui.i18n import tr
from app.ui.theme import Theme
from app.ui.widgets.buttons import text_button
from app.ui.widgets.labels import announce, plain_label
from app.ui.widgets.layouts import fill_layout

if TYPE_CHECKING:
    from app.features.chat.session import ChatSession

REMEMBER_FACT = "Remember “{fact}”?"
REMEMBER, NOT_NOW = "Remember…", "No"


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
