"""A page of a tab: scrolled where it does not fit, its column from the left edge of all tabs on."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from app.ui.theme import EDGE_PX, PAGE_PX, Theme


class Column(QWidget):
    """`rows` is where its widgets go."""

    def __init__(self, theme: Theme, parent: QWidget | None = None, *, top_px: float = 0, bottom_px: float = 0) -> None:
        super().__init__(parent)
        self._theme = theme
        middle = QWidget()
        self.rows = QVBoxLayout(middle)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(middle, 100_000)
        row.addStretch(1)
        theme.dress(middle, most_width=PAGE_PX + 2 * EDGE_PX)
        theme.dress(self.rows, margins=(EDGE_PX, top_px, EDGE_PX, bottom_px), spacing=6)


def scrolled(inside: QWidget) -> QScrollArea:
    """A page that scrolls where it does not fit; the keyboard goes past the area itself."""
    area = QScrollArea()
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setWidgetResizable(True)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    area.viewport().setAutoFillBackground(False)
    area.setWidget(inside)
    return area
