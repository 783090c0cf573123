"""How much there is to read, in a few large numbers with a word under each."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QFrame, QLabel, QSizePolicy, QVBoxLayout, QWidget

from app.ui.theme import Theme
from app.ui.widgets.flow_layout import FlowLayout
from app.ui.widgets.plain_tip import plain_tip

VALUE_PX, WORD_PX = 20, 13


class Figures(QFrame):
    """In a row, or several where it is narrow; screen readers hear all of it as one text."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._shown: tuple[tuple[str, str], ...] = ()
        self.setProperty("kind", "card")
        self.setObjectName("figures")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self._cells = QWidget()
        self._flow = FlowLayout(self._cells)
        self._column = QVBoxLayout(self)
        self._column.addWidget(self._cells)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()
        self.hide()

    @property
    def text(self) -> str:
        """All of it in one line."""
        return ", ".join(f"{value} {word}" for value, word in self._shown)

    def show_figures(self, figures: Sequence[tuple[str, str]], tip: str = "") -> None:
        """Numbers with their words; without any nothing is shown. `tip` is what is said more on hover."""
        self.setToolTip(plain_tip(tip) if tip else "")
        self.setAccessibleDescription(tip)
        if tuple(figures) == self._shown:
            return
        self._shown = tuple(figures)
        self._write()
        self.setAccessibleName(self.text)
        self.setVisible(bool(figures))

    def _write(self) -> None:
        self._flow.clear()
        for value, word in self._shown:
            cell = QWidget()
            column = QVBoxLayout(cell)
            column.setContentsMargins(0, 0, 0, 0)
            column.setSpacing(self._theme.px(1))
            for text, size, weight in ((value, VALUE_PX, 600), (word, WORD_PX, 400)):
                label = QLabel(text, textFormat=Qt.TextFormat.PlainText)
                label.setFont(self._theme.font(size, weight))
                if size == WORD_PX:
                    label.setProperty("kind", "muted")
                column.addWidget(label)
            self._flow.addWidget(cell)
            cell.show()

    def showEvent(self, event: QShowEvent) -> None:
        # WORKAROUND: a stack polishes what it shows; fonts set between that and the next parent would be lost.
        self._on_theme_changed()
        super().showEvent(event)

    def _on_theme_changed(self) -> None:
        px = self._theme.px
        self._flow.gap_px, self._flow.line_gap_px = px(40), px(10)
        self._column.setContentsMargins(px(20), px(14), px(20), px(14))
        self._write()
