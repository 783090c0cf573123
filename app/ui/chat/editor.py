"""The editor in the place of a turn's words: Esc leaves them; Enter saves a question, Ctrl+Enter an answer."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.core.visible import clean_text
from app.ui.chat.composer import MessageEdit, MessageField
from app.ui.i18n import tr
from app.ui.theme import Theme
from app.ui.widgets.buttons import text_button
from app.ui.widgets.labels import plain_label

PADDING_PX = 18
ANSWER_PADDING_PX = 14
ANSWER_LINES = 16


class TurnEditor(QWidget):
    """A question in its bubble, or an answer as Markdown over the full measure."""

    saved = Signal()
    cancelled = Signal()
    resized = Signal()
    picture_pasted = Signal()

    def __init__(self, theme: Theme, text: str, parent: QWidget, *, is_answer: bool) -> None:
        super().__init__(parent)
        self._theme, self._is_answer = theme, is_answer
        self._field = MessageField(theme, self)
        self.edit: MessageEdit = self._field.edit
        self.edit.has_cancel = True
        if is_answer:
            self.edit.enter_sends, self.edit.most_lines = False, ANSWER_LINES
            self.edit.set_text(text)
        else:
            self._field.set_text(text)
        self.edit.setAccessibleName(tr("Edit answer") if is_answer else tr("Edit message"))
        self.edit.submitted.connect(self._on_saved)
        self.edit.cancelled.connect(self.cancelled)
        self.edit.height_changed.connect(self.resized)
        self.edit.picture_pasted.connect(self.picture_pasted)
        hint = plain_label(tr("Becomes a version of its own; the answer as it was stays."), kind="muted", wraps=True)
        hint.setVisible(is_answer)
        self.cancel = text_button(tr("Cancel"), "quiet")
        self.save = text_button(tr("Save") if is_answer else tr("Save and ask"), "primary")
        self.save.setToolTip(tr("Ctrl+Enter") if is_answer else tr("Enter"))
        self.cancel.clicked.connect(lambda _=False: self.cancelled.emit())
        self.save.clicked.connect(lambda _=False: self._on_saved())
        buttons = QHBoxLayout()
        buttons.addWidget(hint, 1)
        if not is_answer:
            buttons.addStretch(1)
        buttons.addWidget(self.cancel)
        buttons.addWidget(self.save)
        column = QVBoxLayout(self)
        theme.dress(column, margins=(ANSWER_PADDING_PX if is_answer else PADDING_PX, 12, 12, 10), spacing=10)
        theme.dress(hint, font=(13, 400))
        column.addWidget(self._field)
        column.addLayout(buttons)

    @property
    def text(self) -> str:
        """All of it, cleaned."""
        return clean_text(self.edit.toPlainText()) if self._is_answer else self._field.text

    def take_keyboard(self) -> None:
        self.edit.setFocus(Qt.FocusReason.OtherFocusReason)

    def _on_saved(self) -> None:
        if self.text.strip():
            self.saved.emit()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """A question has its bubble around it already."""
        if not self._is_answer:
            return
        tokens, radius = self._theme.tokens, self._theme.px(10)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(tokens.outline), 1))
        painter.setBrush(QColor(tokens.surface))
        painter.drawRoundedRect(self.rect().toRectF().adjusted(0.5, 0.5, -0.5, -0.5), radius, radius)
