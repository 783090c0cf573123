"""Asks what to do when a message no longer fits into the model's memory and the settings say to ask."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app.ui.i18n import tr
from app.ui.theme import Theme
from app.ui.widgets.buttons import text_button

WIDTH_PX = 460


class ContextFull(QDialog):
    """`compact_wanted` or `new_chat_wanted`; closed otherwise, everything stays as it is."""

    compact_wanted = Signal()
    new_chat_wanted = Signal()

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        px = theme.px
        self.setObjectName("context_full")
        self.setWindowTitle(tr("The model's memory is full"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setFixedWidth(px(WIDTH_PX))
        title = QLabel(tr("This chat no longer fits into the model's memory."))
        title.setFont(theme.font(15, 600))
        title.setWordWrap(True)
        words = QLabel(
            tr(
                "Your message was kept and nothing was sent. Compact leaves out the oldest turns; "
                "they stay in the chat and can be brought back. Or take the message to a new chat."
            )
        )
        words.setFont(theme.font(14))
        words.setWordWrap(True)
        cancel, new_chat = text_button(tr("Cancel"), "quiet"), text_button(tr("New chat"))
        compact = text_button(tr("Compact"), "primary")
        compact.setDefault(True)
        cancel.clicked.connect(self.reject)
        new_chat.clicked.connect(lambda: self._choose(self.new_chat_wanted))
        compact.clicked.connect(lambda: self._choose(self.compact_wanted))
        row = QHBoxLayout()
        row.setSpacing(px(8))
        row.addStretch(1)
        for button in (cancel, new_chat, compact):
            button.setFont(theme.font(14, 500))
            row.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(px(24), px(22), px(24), px(20))
        column.setSpacing(px(10))
        column.addWidget(title)
        column.addWidget(words)
        column.addSpacing(px(8))
        column.addLayout(row)
        compact.setFocus()

    def _choose(self, signal: object) -> None:
        self.accept()
        signal.emit()  # type: ignore[attr-defined]
