"""The line in a transcript above which the model no longer sees what was said."""

from __future__ import annotations

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from app.ui.shell.i18n import tr
from app.ui.theme import Theme

HEIGHT_PX = 44
GAP_PX = 14


class Divider(QWidget):
    """Words between two fine lines; the turns above offer to be brought back."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("divider")
        self._theme = theme
        self.text = ""
        self.hide()

    def show_count(self, count: int) -> None:
        """How many messages above are not shown to the model."""
        self.text = tr("The model no longer sees earlier messages ({count})", count=count)
        self.setAccessibleName(self.text)
        self.setProperty("painted_text", self.text)
        self.setToolTip(tr("They are still here, and Bring back shows one to the model again."))
        self.update()

    @property
    def height_wanted(self) -> int:
        """In pixels; the words never break, they are elided."""
        return self._theme.px(HEIGHT_PX)

    def paintEvent(self, _event: QPaintEvent) -> None:
        px, tokens = self._theme.px, self._theme.tokens
        painter = QPainter(self)
        painter.setFont(self._theme.font(12.5, 500))
        room = self.width() - 2 * px(GAP_PX) - 2 * px(24)
        text = painter.fontMetrics().elidedText(self.text, Qt.TextElideMode.ElideRight, room)
        width = painter.fontMetrics().horizontalAdvance(text) + 2 * px(GAP_PX)
        words = QRect((self.width() - width) // 2, 0, width, self.height())
        painter.setPen(QColor(tokens.outline))
        middle = self.height() // 2
        painter.drawLine(0, middle, words.left(), middle)
        painter.drawLine(words.right(), middle, self.width(), middle)
        painter.setPen(QColor(tokens.muted))
        painter.drawText(words, Qt.AlignmentFlag.AlignCenter, text)
