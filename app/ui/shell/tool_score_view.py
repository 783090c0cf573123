"""How well a model calls tools: the sentence, its four figures, and the button that tests it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from app.ui.i18n import tr
from app.ui.shell.model_loader import in_words
from app.ui.shell.tool_scoring import TEST_CALLS, ToolScoring
from app.ui.theme import Theme
from app.ui.widgets.buttons import text_button
from app.ui.widgets.labels import plain_label
from app.ui.widgets.layouts import drop_margins, fill_layout

NOT_TESTED = "Its tool calls haven’t been tested. The test takes a few minutes, and chats go first."
OF_REQUESTS = "{count} of {requests}"
FIGURES = {
    "valid": "Valid calls",
    "right_tool": "Right tool",
    "right_arguments": "Right arguments",
    "called_without_need": "Called without need",
}
"""Names of the four figures by the fields of `ToolScore`."""


class ToolScoreView(QWidget):
    """Shows a model's score as soon as there is one; `on_resized` is called when that takes another height."""

    def __init__(
        self, theme: Theme, scoring: ToolScoring, model: Path, *, on_resized: Callable[[], object] = lambda: None
    ) -> None:
        super().__init__()
        self._scoring, self._model, self._on_resized = scoring, model, on_resized
        self.sentence = plain_label(wraps=True)
        self.figures = {field: (plain_label(tr(name), kind="muted"), plain_label()) for field, name in FIGURES.items()}
        self.button = text_button("", "plain", on_click=lambda _=False: scoring.toggle(model))
        grid = QGridLayout()
        for row, (name, value) in enumerate(self.figures.values()):
            grid.addWidget(name, row, 0)
            grid.addWidget(value, row, 1)
        grid.setColumnStretch(1, 1)
        grid.setHorizontalSpacing(theme.px(16))
        grid.setVerticalSpacing(theme.px(6))
        column = drop_margins(QVBoxLayout(self))
        fill_layout(column, self.sentence, grid, fill_layout(QHBoxLayout(), self.button, 1))
        theme.dress(column, spacing=8)
        labels = [label for pair in self.figures.values() for label in pair]
        theme.dress(self.sentence, *labels, font="small")
        theme.dress(self.button, font="control")
        scoring.changed.connect(self._show)
        self._show()

    def _show(self) -> None:
        score, is_tested = self._scoring.find_score(self._model), self._scoring.model == self._model
        self.sentence.setText(tr(NOT_TESTED) if score is None else in_words(score.message))
        for field, (name, value) in self.figures.items():
            if score is not None:
                count = getattr(score, field)
                # Of those that need no tool, whose number the score doesn't keep.
                is_share = field != "called_without_need"
                value.setText(tr(OF_REQUESTS, count=count, requests=score.requests) if is_share else str(count))
                value.setAccessibleName(f"{name.text()}: {value.text()}")
            name.setVisible(score is not None)
            value.setVisible(score is not None)
        self.button.setText(self._scoring.words if is_tested else tr(TEST_CALLS))
        self.button.setEnabled(self._scoring.can_test(self._model))
        self._on_resized()
