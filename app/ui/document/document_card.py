"""Card around a document: background, line under the header, desk under a page, focus frame."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QLineF, QObject, QRectF, Qt
from PySide6.QtGui import QColor, QFocusEvent, QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QFrame, QWidget

from app.ui.theme import Theme

RADIUS_PX = 10
RING_REASONS = (
    Qt.FocusReason.TabFocusReason,
    Qt.FocusReason.BacktabFocusReason,
    Qt.FocusReason.ShortcutFocusReason,
)


class DocumentCard(QFrame):
    """Rounded card around a document, with its desk and focus frame."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._card_theme = theme
        self._content: QWidget | None = None
        self._has_desk = False
        self._has_ring = False

    def set_content(self, content: QWidget) -> None:
        self._content = content

    def show_desk(self, is_shown: bool) -> None:
        """Set whether a page lies on a desk, or text fills the card."""
        self._has_desk = is_shown
        self.update()

    def watch_focus_of(self, widget: QWidget) -> None:
        """Show the focus frame for a widget that fills the card, but not after a click."""
        widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QFocusEvent):
            self._has_ring = event.gotFocus() and event.reason() in RING_REASONS
            self.update()
        return super().eventFilter(watched, event)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002
        tokens, painter = self._card_theme.tokens, QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        card = self._outline(0.5)
        top = self._content.y() if self._content is not None else 0
        # Painted, as a style sheet would let the desk cover the corners.
        painter.fillPath(card, QColor(tokens.surface))
        if self._has_desk:
            # Clipped, so that the lower corners stay as round as the card's.
            painter.setClipRect(self.rect().adjusted(0, top, 0, 0))
            painter.fillPath(card, QColor(tokens.sidebar))
            painter.setClipping(False)
        painter.setPen(QPen(QColor(tokens.line), 1))
        painter.drawLine(QLineF(0, top - 0.5, self.width(), top - 0.5))
        if self._has_ring:
            painter.setPen(QPen(QColor(tokens.focus), 2))
            card = self._outline(1)
        painter.drawPath(card)

    def _outline(self, inset: float) -> QPainterPath:
        path, radius = QPainterPath(), self._card_theme.px(RADIUS_PX)
        path.addRoundedRect(QRectF(self.rect()).adjusted(inset, inset, -inset, -inset), radius, radius)
        return path
