"""Head of a right-hand panel: title, tools, and the button that closes it, at the same place in all of them."""

from __future__ import annotations

from PySide6.QtWidgets import QHBoxLayout, QLabel, QWidget

from app.ui.i18n import with_key
from app.ui.theme import Theme
from app.ui.widgets.buttons import IconButton
from app.ui.widgets.layouts import fill_layout

PANE_HEAD_PX = 44
PANE_EDGE_PX = 16
"""Inset of a panel's content, and of the title above it."""
HEAD_MARGIN_PX = 8
"""Margin of the row, so that the icon of the last button stands `PANE_EDGE_PX` from the edge."""


class PaneHead(QWidget):
    """Title, then parts as for `fill_layout`, then the close button `closer`."""

    def __init__(
        self, theme: Theme, title: QLabel, *parts: QWidget | int | tuple[QWidget, int], close: str, name: str
    ) -> None:
        super().__init__()
        self.setObjectName("pane_head")
        self.title = title
        self.closer = IconButton(theme, "x", close, size_px=18, name=name)
        self.closer.setToolTip(with_key(close, "Esc"))
        self.row = fill_layout(QHBoxLayout(self), title, *parts, self.closer)
        theme.dress(self, height=PANE_HEAD_PX)
        theme.dress(self.row, margins=(HEAD_MARGIN_PX, 0, HEAD_MARGIN_PX, 0), spacing=0)
        # Of equal margins, as those of layouts and labels aren't mirrored for right-to-left text.
        gap = PANE_EDGE_PX - HEAD_MARGIN_PX
        theme.dress(title, font="section", margins=(gap, 0, gap, 0))
