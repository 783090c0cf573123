"""What a summary is to be like, at the left, and at the right the button that begins it."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from app.features.summary.result import Wish
from app.ui.summarize.column import Column
from app.ui.summarize.wish_choices import WishChoices
from app.ui.theme import Theme
from app.ui.widgets.buttons import text_button


class Foot(Column):
    """Keeps its place before the start and below the result."""

    started = Signal()
    changed = Signal()

    def __init__(self, theme: Theme, label: str, parent: QWidget | None = None, *, is_primary: bool = True) -> None:
        super().__init__(theme, parent, top_px=10, bottom_px=16)
        self.choices = WishChoices(theme)
        self.choices.changed.connect(self.changed)
        self.button = text_button(label, "primary" if is_primary else "plain")
        self.button.clicked.connect(self.started)
        self._row = QHBoxLayout()
        self._row.addWidget(self.choices, 1)
        self._row.addWidget(self.button, 0, Qt.AlignmentFlag.AlignBottom)
        self.rows.addLayout(self._row)
        theme.changed.connect(self._fit)
        self._fit()

    @property
    def wish(self) -> Wish:
        """What is chosen now."""
        return self.choices.wish

    def _fit(self) -> None:
        self.button.setFont(self._theme.font(14, 600))
        self._row.setSpacing(self._theme.px(12))
