"""One of several possibilities as a row: a mark, its name, and a quieter detail below."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QCheckBox, QRadioButton, QSizePolicy

from app.ui.theme import Theme

MARK_PX = 18


class _Row:
    """What both kinds share; screen readers hear a radio button or a check box, with name and detail."""

    def __init__(self, button: QAbstractButton, theme: Theme, name: str, detail: str, *, is_round: bool) -> None:
        self._button, self._theme, self.name, self.detail, self._is_round = button, theme, name, detail, is_round
        button.setAccessibleName(name)
        button.setAccessibleDescription(detail)
        button.setToolTip(name)
        button.setCursor(Qt.CursorShape.PointingHandCursor)
        button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        theme.changed.connect(button.updateGeometry)

    def size(self) -> QSize:
        px = self._theme.px
        return QSize(px(200), px(52 if self.detail else 34))

    def paint(self) -> None:
        button, tokens, px = self._button, self._theme.tokens, self._theme.px
        painter = QPainter(button)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        around = QRectF(button.rect()).adjusted(1, 1, -1, -1)
        painter.setPen(QPen(QColor(tokens.focus), 2) if button.hasFocus() else Qt.PenStyle.NoPen)
        painter.setBrush(QColor(tokens.bubble) if button.underMouse() or button.isChecked() else Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(around, px(8), px(8))
        mirrored = button.layoutDirection() == Qt.LayoutDirection.RightToLeft
        edge, gap = px(MARK_PX), px(10)
        x = button.width() - gap - edge if mirrored else gap
        mark = QRectF(x + 0.5, (button.height() - edge) / 2 + 0.5, edge - 1, edge - 1)
        self._paint_mark(painter, mark)
        text = button.rect().adjusted(gap if mirrored else 2 * gap + edge, 0, -(2 * gap + edge if mirrored else gap), 0)
        self._paint_words(painter, text, mirrored=mirrored)

    def _paint_mark(self, painter: QPainter, mark: QRectF) -> None:
        tokens = self._theme.tokens
        is_on = self._button.isChecked()
        painter.setPen(QPen(QColor(tokens.accent if is_on else tokens.outline), 1.2))
        painter.setBrush(QColor(tokens.accent if is_on else tokens.surface))
        if self._is_round:
            painter.drawEllipse(mark)
        else:
            painter.drawRoundedRect(mark, mark.width() / 4, mark.width() / 4)
        if not is_on:
            return
        if self._is_round:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(tokens.on_accent))
            painter.drawEllipse(mark.center(), mark.width() * 0.2, mark.width() * 0.2)
        else:
            pen = QPen(QColor(tokens.on_accent), mark.width() / 8)
            pen.setCapStyle(Qt.PenCapStyle.RoundCap)
            painter.setPen(pen)
            at = [QPointF(mark.x() + x * mark.width(), mark.y() + y * mark.height()) for x, y in _TICK]
            painter.drawPolyline(at)

    def _paint_words(self, painter: QPainter, room: QRect, *, mirrored: bool) -> None:
        side = Qt.AlignmentFlag.AlignRight if mirrored else Qt.AlignmentFlag.AlignLeft
        how = side | Qt.AlignmentFlag.AlignAbsolute | Qt.AlignmentFlag.AlignVCenter
        half = room.height() // 2
        upper = room.adjusted(0, self._theme.px(5), 0, -half) if self.detail else room
        lower = room.adjusted(0, half, 0, -self._theme.px(6))
        tokens = self._theme.tokens
        for rect, text, size, colour in (
            (upper, self.name, 14, tokens.text if self._button.isEnabled() else tokens.outline),
            (lower, self.detail, 13, tokens.muted),  # says why where it cannot be chosen
        ):
            painter.setFont(self._theme.font(size))
            painter.setPen(QColor(colour))
            shown = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, rect.width())
            painter.drawText(rect, how, shown)


_TICK = ((0.26, 0.53), (0.43, 0.70), (0.75, 0.33))


class RadioRow(QRadioButton):
    """One of which exactly one holds."""

    def __init__(self, theme: Theme, name: str, detail: str = "") -> None:
        super().__init__()
        self._row = _Row(self, theme, name, detail, is_round=True)

    def sizeHint(self) -> QSize:
        return self._row.size()

    def minimumSizeHint(self) -> QSize:
        return self._row.size()

    def hitButton(self, pos: object) -> bool:  # noqa: ARG002 (all of it is the button)
        return True

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002
        self._row.paint()


class CheckRow(QCheckBox):
    """One of which several may hold."""

    def __init__(self, theme: Theme, name: str, detail: str = "") -> None:
        super().__init__()
        self._row = _Row(self, theme, name, detail, is_round=False)

    def sizeHint(self) -> QSize:
        return self._row.size()

    def minimumSizeHint(self) -> QSize:
        return self._row.size()

    def hitButton(self, pos: object) -> bool:  # noqa: ARG002 (all of it is the button)
        return True

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002
        self._row.paint()
