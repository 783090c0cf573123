"""Fade at the ends of what scrolls, so that nothing is cut off without a sign that it goes on."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QPoint, Qt
from PySide6.QtGui import QColor, QLinearGradient, QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractScrollArea, QScrollBar, QWidget

from app.ui.theme import Theme

FADE_PX = 20


class EdgeFade(QWidget):
    """Shade of the background over one end of an area, from the first pixel that is scrolled out of sight there."""

    def __init__(
        self, area: QAbstractScrollArea, theme: Theme, token: str, *, is_start: bool, is_across: bool = False
    ) -> None:
        super().__init__(area)
        self._area, self._theme, self._token = area, theme, token
        self._is_start, self._is_across = is_start, is_across
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        bar = self._bar
        bar.valueChanged.connect(self._show_if_more)
        bar.rangeChanged.connect(self._follow_area)
        area.viewport().installEventFilter(self)
        self._follow_area()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.Resize, QEvent.Type.Move):
            self._follow_area()
        return super().eventFilter(watched, event)

    @property
    def _bar(self) -> QScrollBar:
        return self._area.horizontalScrollBar() if self._is_across else self._area.verticalScrollBar()

    @property
    def _is_at_near_end(self) -> bool:
        """True at the top or the left."""
        return self._is_start != (self._is_across and self._area.isRightToLeft())

    def _follow_area(self) -> None:
        view, wide = self._area.viewport().geometry(), self._theme.px(FADE_PX)
        if self._is_across:
            wide = min(wide, view.width() // 2)
            place = view.adjusted(0, 0, wide - view.width(), 0)
            away = QPoint(view.width() - wide, 0)
        else:
            wide = min(wide, view.height() // 2)
            place = view.adjusted(0, 0, 0, wide - view.height())
            away = QPoint(0, view.height() - wide)
        self.setGeometry(place if self._is_at_near_end else place.translated(away))
        self._show_if_more()

    def _show_if_more(self) -> None:
        bar = self._bar
        self.setVisible(bar.value() > bar.minimum() if self._is_start else bar.value() < bar.maximum())

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002
        ground = QColor(getattr(self._theme.tokens, self._token))
        clear = QColor(ground)
        clear.setAlpha(0)
        end = self.rect().topRight() if self._is_across else self.rect().bottomLeft()
        gradient = QLinearGradient(QPoint(0, 0), end)
        gradient.setColorAt(0, ground if self._is_at_near_end else clear)
        gradient.setColorAt(1, clear if self._is_at_near_end else ground)
        QPainter(self).fillRect(self.rect(), gradient)


def fade_ends(area: QAbstractScrollArea, theme: Theme, token: str = "background", *, is_across: bool = False) -> None:
    """Fade both ends of an area on the ground of a colour token; `is_across` if it scrolls sideways."""
    for is_start in (True, False):
        EdgeFade(area, theme, token, is_start=is_start, is_across=is_across)
