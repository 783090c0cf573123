"""Asks what to do when a message no longer fits into the model's memory and the settings say to ask."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from app.ui.shell.i18n import tr, window_title
from app.ui.theme import Theme
from app.ui.widgets.dialogs import QuestionDialog


class ContextFull(QuestionDialog):
    """`compact_wanted` or `new_chat_wanted`; closed otherwise, everything stays as it is."""

    compact_wanted = Signal()
    new_chat_wanted = Signal()

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        words = tr(
            "Your message was kept and nothing was sent. Compact leaves out the oldest turns; "
            "they stay in the chat and can be brought back. Or take the message to a new chat."
        )
        super().__init__(theme, tr("This chat no longer fits into the model’s context."), words, parent)
        self.setObjectName("context_full")
        self.setWindowTitle(window_title(tr("The context is full")))
        self.add_choice(tr("New chat"), self.new_chat_wanted.emit)
        self.add_choice(tr("Compact"), self.compact_wanted.emit, "primary")
