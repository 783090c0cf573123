"""Fade at the ends of what scrolls, so that nothing is cut off without a sign that it goes on."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QColor, QLinearGradient, QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractScrollArea, QWidget

from app.ui.theme import Theme

FADE_PX = 20


class EdgeFade(QWidget):
    """Shade of the background over one end of an area, from the first pixel that is scrolled out of sight there."""

    def __init__(self, area: QAbstractScrollArea, theme: Theme, token: str, *, is_top: bool) -> None:
        super().__init__(area)
        self._area, self._theme, self._token, self._is_top = area, theme, token, is_top
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        bar = area.verticalScrollBar()
        bar.valueChanged.connect(self._follow_area)
        bar.rangeChanged.connect(self._follow_area)
        area.viewport().installEventFilter(self)
        self._follow_area()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.Resize, QEvent.Type.Move):
            self._follow_area()
        return super().eventFilter(watched, event)

    def _follow_area(self) -> None:
        bar, view = self._area.verticalScrollBar(), self._area.viewport().geometry()
        is_more = bar.value() > bar.minimum() if self._is_top else bar.value() < bar.maximum()
        height = min(self._theme.px(FADE_PX), view.height() // 2)
        self.setGeometry(view.x(), view.y() if self._is_top else view.bottom() + 1 - height, view.width(), height)
        self.setVisible(is_more)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002
        ground = QColor(getattr(self._theme.tokens, self._token))
        clear = QColor(ground)
        clear.setAlpha(0)
        gradient = QLinearGradient(0, 0, 0, self.height())
        gradient.setColorAt(0, ground if self._is_top else clear)
        gradient.setColorAt(1, clear if self._is_top else ground)
        QPainter(self).fillRect(self.rect(), gradient)


def fade_ends(area: QAbstractScrollArea, theme: Theme, token: str = "background") -> None:
    """Fade both ends of an area that stands on the ground of a colour token."""
    for is_top in (True, False):
        EdgeFade(area, theme, token, is_top=is_top)
