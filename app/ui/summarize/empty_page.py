"""What the Summarize tab shows before there are documents: a large place to drop them on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from app.ui.shell.i18n import tr
from app.ui.summarize.better_model import BetterModel
from app.ui.summarize.column import Column, scrolled
from app.ui.summarize.drop_zone import DropZone
from app.ui.theme import HEADING_PX, TOP_PX, Theme
from app.ui.widgets.names import name_widgets

if TYPE_CHECKING:
    from app.bootstrap import Fireside


class EmptyPage(QWidget):
    """Says what happens to a document here, in one sentence."""

    def __init__(self, app: Fireside, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._head = QLabel(tr("What would you like summarized?"), wordWrap=True)
        self._words = QLabel(
            tr("Every page is read, and every statement leads to the sentence it rests on."), wordWrap=True
        )
        self._words.setProperty("kind", "muted")
        self.zone = DropZone(theme)
        self.better = BetterModel(app, theme)
        inside = Column(theme, top_px=TOP_PX, bottom_px=20)
        inside.setObjectName("page")
        for widget in (self._head, self._words):
            inside.rows.addWidget(widget)
        inside.rows.addWidget(self.zone, 1)
        inside.rows.addWidget(self.better)
        inside.rows.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(scrolled(inside))
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()
        name_widgets(empty_head=self._head)

    def showEvent(self, event: QShowEvent) -> None:
        # WORKAROUND: a stack polishes what it shows; fonts set between that and the next parent would be lost.
        self._on_theme_changed()
        super().showEvent(event)

    def _on_theme_changed(self) -> None:
        px = self._theme.px
        self._head.setFont(self._theme.font(21, 600))
        self._head.setMinimumHeight(px(HEADING_PX))
        self._words.setFont(self._theme.font(14))
        self._words.setContentsMargins(0, 0, 0, px(6))
