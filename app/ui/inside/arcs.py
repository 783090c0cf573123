"""A text with arcs from one of its tokens to those that it attends to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QFontMetrics,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import QScrollArea, QSizePolicy, QToolTip, QWidget

from app.core.events import TokenSeen
from app.features.inside.patterns import word_of
from app.language.names import is_right_to_left
from app.ui.i18n import tr
from app.ui.inside.plots import percent
from app.ui.theme import Theme
from app.ui.widgets.labels import announce, plain_tip

if TYPE_CHECKING:
    import numpy as np

    Floats = np.ndarray[Any, np.dtype[np.float32]]

MOST_ARCS = 12
LEAST_SHARE = 0.01
LETTERS_PX = 14.0
LINE_PX, ABOVE_PX = 26, 26
"""As high as a token, and what is above each line for arcs."""
EDGE_PX, LEAST_PX = 4, 120


class ArcsDrawing:
    """Tokens as the text has them, in as many lines as they need, and the arcs of one of them. A `Plot`.

    The background of a token and the width of its arc tell its share.
    """

    def __init__(self, theme: Theme) -> None:
        self._theme, self.title = theme, tr("Attention")
        self._tokens: tuple[TokenSeen, ...] = ()
        self.words: tuple[str, ...] = ()
        self.shares: Floats | None = None
        """As [token that looks, token looked at]."""
        self.is_mirrored = False
        """Whether the text is read from right to left."""
        self.current = 0
        self.width = 0

    def set(self, tokens: Sequence[TokenSeen]) -> None:
        """Another text; nothing is known of it yet."""
        self._tokens, self.shares, self.words = tuple(tokens), None, tuple(map(word_of, tokens))
        self.is_mirrored = is_right_to_left(b"".join(each.data for each in tokens).decode("utf-8", "replace"))

    def table(self) -> list[list[str | float]]:
        assert self.shares is not None
        row = self.shares[self.current]
        found: list[list[str | float]] = [
            [tr("token"), tr("text"), tr("share of {word}", word=self.words[self.current])]
        ]
        return found + [[str(at), self.words[at], float(row[at])] for at in range(self.current + 1)]

    def picture_size(self) -> QSize:
        return QSize(self.width, self.height_for(self.width))

    def paint_picture(self, painter: QPainter) -> None:
        painter.fillRect(QRect(QPoint(), self.picture_size()), QColor(self._theme.tokens.background))
        self.paint(painter, self.places(self.width))

    def height_for(self, width: int) -> int:
        """What all lines take."""
        places = self.places(width)
        return (places[-1].bottom() if places else 0) + self._theme.px(8)

    def places(self, width: int) -> list[QRect]:
        """Where each token stands."""
        px, metrics = self._theme.px, QFontMetrics(self._theme.font(LETTERS_PX))
        high, above, edge = px(LINE_PX), px(ABOVE_PX), px(EDGE_PX)
        x, y, found = edge, above, []
        for number, (token, word) in enumerate(zip(self._tokens, self.words, strict=True)):
            wide = min(metrics.horizontalAdvance(word) + px(10), width - 2 * edge)
            gap = px(6) if token.data[:1].isspace() else px(2)
            x += gap if x > edge else 0
            if x + wide > width - edge and x > edge:
                x, y = edge, y + high + above
            found.append(QRect(width - x - wide if self.is_mirrored else x, y, wide, high))
            x += wide
            if token.data.endswith(b"\n") and number + 1 < len(self._tokens):
                x, y = edge, y + high + above
        return found

    def paint(self, painter: QPainter, places: Sequence[QRect], *, has_focus: bool = False) -> None:
        """Tokens, and above them the arcs, the largest on top."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if not places or self.shares is None:
            return
        row = self.shares[self.current]
        for number, place in enumerate(places):
            self._paint_token(painter, number, QRectF(place), float(row[number]), has_focus=has_focus)
        best = sorted(range(self.current + 1), key=lambda at: -float(row[at]))[:MOST_ARCS]
        for number in reversed(best):
            if row[number] >= LEAST_SHARE:
                self._paint_arc(painter, QRectF(places[self.current]), QRectF(places[number]), float(row[number]))

    def _paint_token(self, painter: QPainter, number: int, rect: QRectF, share: float, *, has_focus: bool) -> None:
        tokens, px = self._theme.tokens, self._theme.px
        is_current, is_later = number == self.current, number > self.current
        back = QColor(tokens.selection)
        back.setAlphaF(min(1.0, share**0.5))
        painter.setPen(Qt.PenStyle.NoPen)
        for colour in () if is_later else (QColor(tokens.surface), back):
            painter.setBrush(colour)
            painter.drawRoundedRect(rect, px(5), px(5))
        if is_current:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(QColor(tokens.focus if has_focus else tokens.text), px(1.5)))
            painter.drawRoundedRect(rect.adjusted(1, 1, -1, -1), px(5), px(5))
        painter.setFont(self._theme.font(LETTERS_PX, 600 if is_current else 400))
        painter.setPen(QColor(tokens.muted if is_later else tokens.text))
        room = rect.adjusted(px(3), 0, -px(3), 0).toRect()
        word = painter.fontMetrics().elidedText(self.words[number], Qt.TextElideMode.ElideRight, room.width())
        painter.drawText(room, Qt.AlignmentFlag.AlignCenter, word)

    def _paint_arc(self, painter: QPainter, start: QRectF, end: QRectF, share: float) -> None:
        px = self._theme.px
        colour = QColor(self._theme.tokens.accent)
        colour.setAlphaF(0.35 + 0.6 * min(1.0, share) ** 0.5)
        begin = QPointF(start.center().x(), start.top())
        path = QPainterPath(begin)
        if start == end:
            out, up = px(9), px(ABOVE_PX - 8)
            path.cubicTo(begin + QPointF(-out, -up), begin + QPointF(out, -up), begin)
        elif start.top() == end.top():
            goal = QPointF(end.center().x(), end.top())
            high = min(px(ABOVE_PX - 4) * 4 / 3, px(8) + abs(goal.x() - begin.x()) / 3)
            path.cubicTo(begin - QPointF(0, high), goal - QPointF(0, high), goal)
        else:
            goal = QPointF(end.center().x(), end.bottom())
            way = min(begin.y() - goal.y(), 3.0 * px(LINE_PX)) / 2 + px(6)
            path.cubicTo(begin - QPointF(0, way), goal + QPointF(0, way), goal)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        pen = QPen(colour, px(1) + px(4) * share)
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        painter.setPen(pen)
        painter.drawPath(path)


class TokenArcs(QWidget):
    """An `ArcsDrawing` to go through: Left and Right choose another token, and so does a click."""

    chosen = Signal(int)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.plot = ArcsDrawing(theme)
        self._places: list[QRect] = []
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.setAccessibleName(tr("Tokens of the text"))
        theme.changed.connect(self._lay_out)

    def show_tokens(self, tokens: Sequence[TokenSeen]) -> None:
        """Another text; nothing is known of it yet."""
        self.plot.set(tokens)
        self._lay_out()

    def show_shares(self, shares: Floats, title: str) -> None:
        """What each of them attends to, as [token that looks, token looked at]."""
        self.plot.shares, self.plot.title = shares, title
        self.update()

    def mark(self, token: int, words: str) -> None:
        """The token whose arcs are shown; `words` say the same."""
        self.plot.current = token
        self.setAccessibleDescription(words)
        self.update()

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        return self.plot.height_for(width)

    def sizeHint(self) -> QSize:
        return self.minimumSizeHint()

    def minimumSizeHint(self) -> QSize:
        least = self._theme.px(LEAST_PX)
        return QSize(least, self.plot.height_for(max(self.width(), least)))

    def _place(self) -> None:
        self.plot.width = self.width()
        self._places = self.plot.places(self.width())

    def _lay_out(self) -> None:
        self._place()
        self.updateGeometry()
        self.update()

    def token_at(self, place: QPoint) -> int:
        """-1 where there is none."""
        return next((number for number, rect in enumerate(self._places) if rect.contains(place)), -1)

    def rect_of(self, token: int) -> QRect:
        """Where it stands."""
        return self._places[token]

    def reveal(self) -> None:
        """Scrolls the page to the token that is chosen."""
        parent = self.parentWidget()
        area = parent.parentWidget() if parent is not None else None
        if isinstance(area, QScrollArea) and self.plot.current < len(self._places):
            middle = self._places[self.plot.current].center()
            area.ensureVisible(middle.x(), middle.y(), 0, self._theme.px(LINE_PX + ABOVE_PX))

    def _choose(self, token: int) -> None:
        token = min(max(token, 0), len(self._places) - 1)
        if token >= 0 and token != self.plot.current:
            self.chosen.emit(token)
            self.reveal()
            announce(self, self.accessibleDescription())

    def _nearest(self, place: QPoint) -> int:
        """Of the line at this height; the chosen one where there is no such line."""
        line = [
            (abs(rect.center().x() - place.x()), at)
            for at, rect in enumerate(self._places)
            if rect.top() <= place.y() <= rect.bottom()
        ]
        return min(line, default=(0, self.plot.current))[1]

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002
        self.plot.paint(QPainter(self), self._places, has_focus=self.hasFocus())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        side, current = -1 if self.plot.is_mirrored else 1, self.plot.current
        moves = {Qt.Key.Key_Right: side, Qt.Key.Key_Left: -side}
        key = Qt.Key(event.key())
        if key in moves:
            self._choose(current + moves[key])
        elif key in (Qt.Key.Key_Home, Qt.Key.Key_End):
            self._choose(0 if key == Qt.Key.Key_Home else len(self._places) - 1)
        elif key in (Qt.Key.Key_Up, Qt.Key.Key_Down) and self._places:
            line = (self._theme.px(LINE_PX) + self._theme.px(ABOVE_PX)) * (-1 if key == Qt.Key.Key_Up else 1)
            self._choose(self._nearest(self._places[current].center() + QPoint(0, line)))
        else:
            super().keyPressEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        token = self.token_at(event.position().toPoint())
        if token >= 0:
            self._choose(token)

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            token, shares, tip = self.token_at(event.pos()), self.plot.shares, ""
            if shares is not None and 0 <= token <= self.plot.current:
                share = percent(float(shares[self.plot.current, token]))
                tip = tr("“{word}” {percent} %", word=self.plot.words[token], percent=share)
            QToolTip.showText(event.globalPos(), plain_tip(tip), self)
            return True
        return super().event(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place()  # its height follows by itself: telling it again could go round in a circle with the scroll bar

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.reveal()
