"""One kind of thing that takes room on the disk: its name, what it is, its size, and Clear with a question first."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app.ui.models.space_bar import Swatch
from app.ui.shell.i18n import tr
from app.ui.theme import Theme
from app.ui.widgets.buttons import text_button

NARROW_PX, LEAST_PX = 500, 180


class StorageRow(QWidget):
    """With a `question`, the button asks it in place, and Escape or Keep leaves everything as it was."""

    wanted = Signal()

    def __init__(
        self, theme: Theme, number: int, name: str, explanation: str, *, button: str, question: str = "", yes: str = ""
    ) -> None:
        super().__init__()
        self._theme, self._explanation, self._question = theme, explanation, question
        self.setAccessibleName(name)
        self._swatch = Swatch(theme, number)
        self._name = QLabel(name, textFormat=Qt.TextFormat.PlainText)
        self.explanation = QLabel(explanation, textFormat=Qt.TextFormat.PlainText, wordWrap=True)
        self.explanation.setProperty("kind", "muted")
        self.amount = QLabel(textFormat=Qt.TextFormat.PlainText)
        self.amount.setAlignment(Qt.AlignmentFlag.AlignTrailing | Qt.AlignmentFlag.AlignVCenter)
        self.button = text_button(button)
        self.yes, self.keep = text_button(yes), text_button(tr("Keep"), "quiet")
        for one in (self.button, self.yes, self.keep):
            one.setAccessibleName(f"{one.text()}: {name}")
        self.button.clicked.connect(self._on_pressed)
        self.yes.clicked.connect(self._on_yes)
        self.keep.clicked.connect(self._end_question)
        self.yes.hide()
        self.keep.hide()
        head = QHBoxLayout()
        head.addWidget(self._swatch)
        head.addWidget(self._name, 1)
        self._words = QVBoxLayout()
        self._words.addLayout(head)
        self._words.addWidget(self.explanation)
        self._head = head
        self._end = QHBoxLayout()
        for widget in (self.amount, self.yes, self.keep, self.button):
            self._end.addWidget(widget, 0, Qt.AlignmentFlag.AlignVCenter)
        self._end.addStretch()
        self._row = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._row.addLayout(self._words, 1)
        self._row.addLayout(self._end)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()

    def show_size(self, text: str, *, is_empty: bool) -> None:
        """How much it takes; nothing cannot be cleared."""
        self.amount.setText(text)
        self.button.setEnabled(not is_empty)
        self.setAccessibleDescription(f"{text}. {self._explanation}")

    def _on_pressed(self) -> None:
        if not self._question:
            self.wanted.emit()
            return
        self.explanation.setText(self._question)
        self._show_asking(asking=True)
        self.keep.setFocus(Qt.FocusReason.OtherFocusReason)

    def _on_yes(self) -> None:
        self._end_question()
        self.wanted.emit()

    def _end_question(self) -> None:
        self.explanation.setText(self._explanation)
        self._show_asking(asking=False)
        self.button.setFocus(Qt.FocusReason.OtherFocusReason)

    def _show_asking(self, *, asking: bool) -> None:
        self.explanation.setProperty("kind", "plain" if asking else "muted")
        self.explanation.style().polish(self.explanation)
        self.button.setVisible(not asking)
        self.yes.setVisible(asking)
        self.keep.setVisible(asking)

    def _on_theme_changed(self) -> None:
        theme, px = self._theme, self._theme.px
        self._name.setFont(theme.font(14.5, 600))
        self.explanation.setFont(theme.font(13))
        self.amount.setFont(theme.font(14, 500))
        self.amount.setMinimumWidth(px(76))
        for button in (self.button, self.yes, self.keep):
            button.setFont(theme.font(13, 500))
        self.button.setMinimumWidth(px(84))
        self.explanation.setContentsMargins(px(18), 0, 0, 0)
        self._head.setSpacing(px(8))
        self._words.setSpacing(px(2))
        self._row.setContentsMargins(px(18), px(12), px(16), px(12))
        self._end.setContentsMargins(px(18), 0, 0, 0)
        self._row.setSpacing(px(6))
        self._end.setSpacing(px(10))

    def minimumSizeHint(self) -> QSize:
        return QSize(self._theme.px(LEAST_PX), super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        along, down = QBoxLayout.Direction.LeftToRight, QBoxLayout.Direction.TopToBottom
        self._row.setDirection(along if self.width() >= self._theme.px(NARROW_PX) else down)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and not self.keep.isHidden():
            self._end_question()
        else:
            super().keyPressEvent(event)
