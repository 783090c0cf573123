"""The one shadow, below everything that floats over the page: menus, popovers, notices, the palette."""

from __future__ import annotations

import math
from functools import cache

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QGuiApplication, QImage, QPainter, QPainterPath, QPaintEvent, QPalette, QRegion
from PySide6.QtWidgets import QWidget
from shiboken6 import isValid

from app.ui.widgets.motion import FadeIn, may_move

RADIUS_PX = 10
DROP_PX, BLUR_PX = 8, 24
"""Offset and blur radius of the far shadow; the near one is a line of one pixel."""
LIGHT_FAR, LIGHT_NEAR = QColor(35, 32, 29, 41), QColor(35, 32, 29, 26)
DARK_FAR = QColor(0, 0, 0, 140)
_SOLID_PX = 2 * BLUR_PX
"""Edge length of a corner in the shadow's picture; the pixel between the corners is stretched."""


class PaintedShadow(QWidget):
    """Shadow drawn behind a floating child, or in the window below a popup; it takes no clicks.

    It is painted in the window and not in the popup's own, so that no compositor is needed. What would lie outside of
    the window is not drawn.
    """

    def __init__(self, host: QWidget) -> None:
        super().__init__(host)
        self.setObjectName("shadow")
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._box = QRect()

    def put_below(self, box: QRect) -> None:
        """Place the shadow around a rectangle of the host."""
        around = box.adjusted(-BLUR_PX, DROP_PX - BLUR_PX, BLUR_PX, DROP_PX + BLUR_PX)
        self._box = box.translated(-around.topLeft())
        self.setGeometry(around)

    def paintEvent(self, event: QPaintEvent) -> None:
        is_dark = self.palette().color(QPalette.ColorRole.Window).lightness() < 128
        painter = QPainter(self)
        # What scrolls beside it needs a corner of it only, with every step.
        _paint_stretched(painter, self._box.translated(0, DROP_PX), _far_shadow(is_dark), event.rect())
        line = QRectF(self._box).adjusted(-0.5, 0.5, 0.5, 1.5)
        if not is_dark and line.adjusted(-1, -1, 1, 1).intersects(event.rect().toRectF()):
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(LIGHT_NEAR)
            painter.drawRoundedRect(line, RADIUS_PX + 1, RADIUS_PX + 1)


@cache
def _far_shadow(is_dark: bool) -> QImage:
    """Return the blurred shadow of a square: two corners and a pixel between them each way.

    Exact for a rectangle; the blur hides that the corners are round.
    """
    colour, side = DARK_FAR if is_dark else LIGHT_FAR, 2 * _SOLID_PX + 1
    width = BLUR_PX / 2 * 2**0.5  # of the error function, for a standard deviation of half the blur radius
    places = [place + 0.5 - BLUR_PX for place in range(side)]
    shares = [(math.erf(place / width) - math.erf((place - side + 2 * BLUR_PX) / width)) / 2 for place in places]
    # Premultiplied, by alpha.
    pixels = [
        bytes((*(part * alpha // 255 for part in (colour.blue(), colour.green(), colour.red())), alpha))
        for alpha in range(colour.alpha() + 1)
    ]
    # It is the same from both sides each way, and is made in the middle of a fade.
    quarter = shares[: _SOLID_PX + 1]
    halves = [[pixels[round(colour.alpha() * down * across)] for across in quarter] for down in quarter]
    rows = [b"".join([*half, *half[-2::-1]]) for half in (*halves, *halves[-2::-1])]
    # A QImage only points into these bytes, which go when this function returns.
    return QImage(b"".join(rows), side, side, 4 * side, QImage.Format.Format_ARGB32_Premultiplied).copy()


def _paint_stretched(painter: QPainter, box: QRect, picture: QImage, wanted: QRect) -> None:
    """Paint corners as they are and edges stretched, those that are wanted; nothing in the middle, which is covered."""
    whole = box.adjusted(-BLUR_PX, -BLUR_PX, BLUR_PX, BLUR_PX)
    across, down = min(_SOLID_PX, whole.width() // 2), min(_SOLID_PX, whole.height() // 2)
    xs = (whole.left(), whole.left() + across, whole.right() + 1 - across, whole.right() + 1)
    ys = (whole.top(), whole.top() + down, whole.bottom() + 1 - down, whole.bottom() + 1)
    side = picture.width()
    from_xs, from_ys = (0, across, side - across, side), (0, down, side - down, side)
    for column in range(3):
        for row in range(3):
            to = QRect(QPoint(xs[column], ys[row]), QPoint(xs[column + 1] - 1, ys[row + 1] - 1))
            source = QRect(QPoint(from_xs[column], from_ys[row]), QPoint(from_xs[column + 1] - 1, from_ys[row + 1] - 1))
            if (column, row) != (1, 1) and to.intersects(wanted):
                painter.drawImage(to, picture, source)


class _Elevation(QObject):
    """Follows a floating widget with its shadow."""

    def __init__(self, floating: QWidget) -> None:
        super().__init__(floating)
        self._floating = floating
        self._shadow: PaintedShadow | None = None
        self._fade: FadeIn | None = None
        floating.installEventFilter(self)
        if floating.isVisible():
            self._show()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        kind = event.type()
        # Python may have cleared this object already, while Qt still deletes the widget.
        if watched is vars(self).get("_floating"):
            if kind == QEvent.Type.Resize and self._floating.isWindow():
                _round_corners(self._floating)
            if kind == QEvent.Type.Show:
                self._show()
            elif kind in (QEvent.Type.Hide, QEvent.Type.ParentAboutToChange):
                self._drop()
            elif kind in (QEvent.Type.Move, QEvent.Type.Resize, QEvent.Type.ZOrderChange):
                self._place_shadow()
        return False

    def _show(self) -> None:
        if (host := _host_of(self._floating)) is None:
            return
        if self._shadow is None:
            self._shadow = PaintedShadow(host)
            self._floating.destroyed.connect(self._shadow.deleteLater)
        self._place_shadow()
        self._shadow.show()
        if may_move():
            self._fade = self._fade or FadeIn(self._floating)
            self._fade.start(self._shadow)

    def _place_shadow(self) -> None:
        shadow, floating = self._shadow, self._floating
        if shadow is None or not isValid(shadow):
            return
        host = shadow.parentWidget()
        corner = host.mapFromGlobal(floating.pos()) if floating.isWindow() and host else floating.pos()
        shadow.put_below(QRect(corner, floating.size()))
        if floating.isWindow():
            shadow.raise_()
        else:
            shadow.stackUnder(floating)

    def _drop(self) -> None:
        if self._fade is not None and isValid(self._fade):
            self._fade.stop()
        if self._shadow is not None and isValid(self._shadow):
            self._shadow.hide()
            self._shadow.deleteLater()
        self._shadow = None


def elevate(floating: QWidget) -> None:
    """Give a floating child or a popup the shadow, and a popup round corners."""
    if floating.isWindow():
        # Some systems draw a shadow of their own around popups.
        floating.setWindowFlag(Qt.WindowType.NoDropShadowWindowHint)
        # Under X11 it takes a compositor, without which transparent corners would be black.
        if QGuiApplication.platformName() in ("wayland", "cocoa", "windows"):
            floating.setAttribute(Qt.WidgetAttribute.WA_TranslucentBackground)
    _Elevation(floating)


def _host_of(floating: QWidget) -> QWidget | None:
    """Return what the shadow is painted in: the parent, or the window that the popup was opened from."""
    host = floating.parentWidget()
    return window_behind(host) if floating.isWindow() and host is not None else host


def window_behind(widget: QWidget) -> QWidget:
    """Return the window of a widget, or of a popup that it is in; a submenu's is that of its menu."""
    window = widget.window()
    while window.windowType() == Qt.WindowType.Popup and (parent := window.parentWidget()) is not None:
        window = parent.window()
    return window


def _round_corners(popup: QWidget) -> None:
    if not popup.testAttribute(Qt.WidgetAttribute.WA_TranslucentBackground):
        shape = QPainterPath()
        # Half a pixel larger, or the smoothed line along the corners would be cut off.
        shape.addRoundedRect(QRectF(popup.rect()).adjusted(-0.5, -0.5, 0.5, 0.5), RADIUS_PX, RADIUS_PX)
        popup.setMask(QRegion(shape.toFillPolygon().toPolygon()))
