"""Ground of a document: background, line under the header, desk under a page, focus frame."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QColor, QFocusEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QFrame, QWidget

from app.ui.theme import Theme

RING_REASONS = (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason, Qt.FocusReason.ShortcutFocusReason)


class DocumentCard(QFrame):
    """Surface of a document, with its desk and focus frame."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._card_theme = theme
        self._content: QWidget | None = None
        self._has_desk = False
        self._has_ring = False

    def set_content(self, content: QWidget) -> None:
        self._content = content

    def show_desk(self, is_shown: bool) -> None:
        """Set whether a page lies on a desk, or text fills the view."""
        self._has_desk = is_shown
        self.update()

    def watch_focus_of(self, widget: QWidget) -> None:
        """Show the focus frame for a widget that fills the view, but not after a click."""
        widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QFocusEvent):
            self._has_ring = event.gotFocus() and event.reason() in RING_REASONS
            self.update()
        return super().eventFilter(watched, event)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002
        tokens, painter = self._card_theme.tokens, QPainter(self)
        top = self._content.y() if self._content is not None else 0
        painter.fillRect(self.rect(), QColor(tokens.background))
        if self._has_desk:
            painter.fillRect(self.rect().adjusted(0, top, 0, 0), QColor(tokens.sidebar))
        painter.fillRect(0, top - 1, self.width(), 1, QColor(tokens.line))
        if self._has_ring:
            painter.setPen(QPen(QColor(tokens.focus), 2))
            painter.drawRect(self.rect().adjusted(1, 1, -1, -1))
