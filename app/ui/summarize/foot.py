"""What a summary is to be like, at the left, and at the right the button that begins it."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from app.features.summary.result import Wish
from app.ui.summarize.column import Column
from app.ui.summarize.wish_choices import WishChoices
from app.ui.theme import Theme
from app.ui.widgets.buttons import text_button
from app.ui.widgets.names import name_widgets


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
        self.choices.add_last(self.button)
        self.rows.addWidget(self.choices)
        theme.changed.connect(self._fit)
        self._fit()
        name_widgets(begin=self.button)

    @property
    def wish(self) -> Wish:
        """What is chosen now."""
        return self.choices.wish

    def _fit(self) -> None:
        self.button.setFont(self._theme.font(14, 600))
