"""Labels that shorten their text to the room they have, and tool tips of what others wrote."""

from __future__ import annotations

from PySide6 import QtGui
from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QLabel, QStyle, QWidget


class ElidedLabel(QLabel):
    """One line of plain text, as wide as it would like and as narrow as it must."""

    def __init__(
        self, text: str = "", mode: Qt.TextElideMode = Qt.TextElideMode.ElideRight, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._mode = mode
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setProperty("elides", True)
        self.setText(text)

    def setText(self, text: str) -> None:
        super().setText(text)
        self.setToolTip(plain_tip(text))

    def minimumSizeHint(self) -> QSize:
        metrics = self.fontMetrics()
        return QSize(min(metrics.horizontalAdvance(self.text()), metrics.averageCharWidth() * 6), metrics.height())

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002
        painter = QPainter(self)
        room = self.contentsRect()
        text = painter.fontMetrics().elidedText(self.text(), self._mode, room.width())
        side = QStyle.visualAlignment(self.layoutDirection(), Qt.AlignmentFlag.AlignLeading)
        painter.setPen(self.palette().windowText().color())
        painter.drawText(room, side | Qt.AlignmentFlag.AlignAbsolute | Qt.AlignmentFlag.AlignVCenter, text)


def plain_label(text: str = "", *, kind: str = "", wraps: bool = False, parent: QWidget | None = None) -> QLabel:
    """Text as it is, never markup; kinds: muted, danger."""
    label = QLabel(text, parent, textFormat=Qt.TextFormat.PlainText, wordWrap=wraps)
    if kind:
        label.setProperty("kind", kind)
    return label


# Tool tips of what others wrote: Qt reads what looks like HTML as HTML, and would also load the pictures in it.


def plain_tip(text: str) -> str:
    """A tip that shows the text as it is, be it a file's name or a document's title."""
    if not QtGui.Qt.mightBeRichText(text):
        return text
    from html import escape  # with a table of all entities: not before the window is seen

    return f'<p style="white-space: pre-wrap">{escape(text)}</p>'


def announce(widget: QWidget, text: str) -> None:
    """Says something to screen readers, where one listens."""
    if QAccessible.isActive():
        QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(widget, text))
