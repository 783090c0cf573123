"""What a new chat shows: a greeting, a few things to try that the loaded model can really do, and a better model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QResizeEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSpacerItem, QVBoxLayout, QWidget

from app.ui.chat.starter_card import StarterCard
from app.ui.shell.i18n import tr
from app.ui.theme import Theme
from app.ui.widgets.buttons import text_button

if TYPE_CHECKING:
    from app.features.models.collection import Suggestion

STARTER_IDEAS = (
    "Write a short poem about the sea.",
    "Explain what a rainbow is, in three sentences.",
    "Give me five names for a small black cat.",
)
IDEAS = (
    "Explain the difference between weather and climate in plain words.",
    "Write a friendly note that moves our meeting to Thursday.",
    "Write a Python function that finds duplicate files in a folder.",
)


class EmptyState(QWidget):
    """`chosen` carries the idea that was pressed; it fills the composer and is not sent."""

    chosen = Signal(str)
    model_wanted = Signal()
    download_wanted = Signal(object)
    """A `catalog.Entry` that would serve better than the starter."""
    models_wanted = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._is_starter = self._is_there = False
        self._greeting = QLabel(
            tr("What would you like to ask?"), alignment=Qt.AlignmentFlag.AlignCenter, wordWrap=True
        )
        self._greeting.setAccessibleName(self._greeting.text())
        self._label = QLabel(alignment=Qt.AlignmentFlag.AlignCenter, wordWrap=True)
        self._label.setProperty("kind", "muted")
        self._ideas = [text_button("", "idea") for _ in STARTER_IDEAS]
        self._open: QPushButton = text_button(tr("Open a model…"), "primary")
        self._open.clicked.connect(self.model_wanted)
        self._card = StarterCard(theme)
        self._card.download_wanted.connect(self.download_wanted)
        self._card.models_wanted.connect(self.models_wanted)
        column = QVBoxLayout(self)
        column.addStretch(3)
        column.addWidget(self._greeting)
        column.addWidget(self._label)
        self._gaps = [QSpacerItem(0, 0), QSpacerItem(0, 0)]
        column.addSpacerItem(self._gaps[0])
        for idea in self._ideas:
            idea.clicked.connect(lambda _checked=False, button=idea: self.chosen.emit(button.accessibleName()))
        self._idea_rows = [_centred(idea) for idea in self._ideas]
        for row in self._idea_rows:
            column.addWidget(row)
        column.addWidget(_centred(self._open))
        column.addSpacerItem(self._gaps[1])
        self._card_row = _centred(self._card, as_wide_as_it_may=True)
        column.addWidget(self._card_row)
        column.addStretch(4)
        self._column = column
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()
        self.set_model(is_starter=False, is_there=True)
        self.setMinimumSize(1, 1)  # what is written below goes before ideas for it, and the list beside keeps its width

    def set_model(self, *, is_starter: bool, is_there: bool) -> None:
        """Which model is in, for what it can do."""
        self._label.setText(
            tr("Starter: a very small English model, often wrong")
            if is_starter and is_there
            else tr("Everything stays on this computer.")
            if is_there
            else tr("No model is open yet.")
        )
        for button, text in zip(self._ideas, STARTER_IDEAS if is_starter else IDEAS, strict=True):
            button.setAccessibleName(tr(text))
        self._open.setVisible(not is_there)
        self._is_starter, self._is_there = is_starter and is_there, is_there
        self._show_parts()

    def show_suggestion(self, suggestion: Suggestion | None) -> None:
        """What would serve better than the starter on this computer; it is shown while the starter is in."""
        self._card.show_suggestion(suggestion)
        self._show_parts()

    def hasHeightForWidth(self) -> bool:
        return False  # a stack would take it for the least height; here it is what is left over

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._show_parts()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        QTimer.singleShot(0, self, self._show_parts)  # only what is shown knows how high it wants to be

    def _show_parts(self) -> None:
        """As many of the parts as have room, the more important ones first."""
        px, inner = self._theme.px, self._column.contentsMargins()
        width = self.width() - inner.left() - inner.right()
        room = self.height() - px(2 * 18 + 2 * 8)
        if not self._is_there:
            room -= self._open.sizeHint().height()
        has_card = self._is_starter and self._card.has_suggestion
        self._card_row.setVisible(has_card)  # what is hidden has no height to tell
        parts: list[tuple[QWidget, int, bool]] = [
            (self._card_row, self._card.height_at(width - px(4)), has_card),
            (self._label, self._label.heightForWidth(width), True),
            (self._greeting, self._greeting.heightForWidth(width), True),
        ]
        for part, height, is_wanted in parts:
            is_shown = is_wanted and height + px(8) <= room
            part.setVisible(is_shown)
            room -= height + px(8) if is_shown else 0
        each = self._ideas[0].sizeHint().height() + px(8)
        for number, (idea, row) in enumerate(zip(self._ideas, self._idea_rows, strict=True), start=1):
            self._fit_idea(idea, width)
            row.setVisible(self._is_there and number * each <= room)

    def _fit_idea(self, idea: QPushButton, width: int) -> None:
        """As much of it as there is room for; the tool tip and screen readers say all of it."""
        text, metrics = idea.accessibleName(), idea.fontMetrics()
        idea.setMinimumWidth(min(self._theme.px(420), width))
        around = idea.sizeHint().width() - metrics.horizontalAdvance(idea.text())
        shown = metrics.elidedText(text, Qt.TextElideMode.ElideRight, width - around)
        idea.setText(shown)
        idea.setToolTip("" if shown == text else text)

    def _on_theme_changed(self) -> None:
        self._greeting.setFont(self._theme.font(24, 600))
        self._label.setFont(self._theme.font(14))
        for idea in self._ideas:
            idea.setFont(self._theme.font(14))
        for gap in self._gaps:
            gap.changeSize(0, self._theme.px(18))
        self._column.setContentsMargins(self._theme.px(26), 0, self._theme.px(26), 0)
        self._column.setSpacing(self._theme.px(8))
        self._show_parts()


def _centred(widget: QWidget, *, as_wide_as_it_may: bool = False) -> QWidget:
    holder = QWidget()
    row = QHBoxLayout(holder)
    row.setContentsMargins(0, 0, 0, 0)
    row.addStretch(1)
    row.addWidget(widget, 1000 if as_wide_as_it_may else 0)
    row.addStretch(1)
    return holder
