"""Popovers: small popups that stay inside their window, below what opened them if there is room."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import QFrame, QWidget

from app.ui.screen_reader import read_as
from app.ui.theme import Theme
from app.ui.widgets.elevation import elevate, window_behind

GAP_PX, EDGE_PX = 4, 8
"""Gap to the opening widget, and to the window's edges."""


class FloatingPanel(QFrame):
    """Popup frame with shadow; Escape or a click outside closes it."""

    def __init__(self, theme: Theme, name: str, parent: QWidget) -> None:
        # Qt closes a window of this type by itself at a click outside of it.
        super().__init__(parent, Qt.WindowType.Popup)
        self._theme = theme
        self._anchor: QWidget | None = None
        self.setObjectName(name)
        self.setProperty("kind", "popover")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        read_as(self, QAccessible.Role.Dialog)
        elevate(self)

    def place_at(self, anchor: QWidget) -> None:
        """Move the popover, in its present size, to the widget that opens it."""
        self._anchor = anchor
        self.place_again()

    def place_again(self) -> None:
        """Move the popover to its widget again after its size has changed."""
        if self._anchor is not None:
            self.move(place_beside(self._anchor, self.size()))


def place_beside(anchor: QWidget, size: QSize) -> QPoint:
    """Return the global corner of a popup of this size: below the widget, above it, or else moved into its window."""
    gap, room = GAP_PX, room_for_popups(anchor)
    around = QRect(anchor.mapToGlobal(QPoint(0, 0)), anchor.size())
    starts, ends = around.left(), around.right() + 1 - size.width()
    if anchor.isRightToLeft():
        starts, ends = ends, starts
    # It starts where the widget starts; near the window's edge it ends where the widget ends.
    fits = [x for x in (starts, ends) if room.left() <= x <= room.right() + 1 - size.width()]
    x = fits[0] if fits else starts
    below, above = around.bottom() + 1 + gap, around.top() - gap - size.height()
    y = below if below + size.height() <= room.bottom() + 1 or above < room.top() else above
    return QPoint(
        max(room.left(), min(x, room.right() + 1 - size.width())),
        max(room.top(), min(y, room.bottom() + 1 - size.height())),
    )


def room_for_popups(anchor: QWidget) -> QRect:
    """Return the part of the anchor's window, in global pixels, that popups may cover."""
    window, edge = window_behind(anchor), EDGE_PX
    inside = QRect(window.mapToGlobal(QPoint(0, 0)), window.size()).adjusted(edge, edge, -edge, -edge)
    return inside.intersected(anchor.screen().availableGeometry())
