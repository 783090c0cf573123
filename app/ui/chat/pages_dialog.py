"""Asks which pages of a document are to be read."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app.features.document_sentences import units
from app.ui.chat.document_words import short_name
from app.ui.i18n import tr
from app.ui.theme import Theme
from app.ui.widgets.buttons import text_button
from app.ui.widgets.fields import Stepper

WIDTH_PX = 440


class PagesDialog(QDialog):
    """`chosen` carries the first and the last page, both included."""

    chosen = Signal(int, int)

    def __init__(
        self, theme: Theme, name: str, unit: str, pages: int, *, first: int = 1, last: int = 0, parent: QWidget
    ) -> None:
        super().__init__(parent)
        px, name = theme.px, short_name(name)
        self.setObjectName("pages_dialog")
        self.setWindowTitle(tr("Choose {unit}s", unit=unit))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setFixedWidth(px(WIDTH_PX))
        title = QLabel(
            tr("Which {unit}s of {name}?", unit=unit, name=name), textFormat=Qt.TextFormat.PlainText, wordWrap=True
        )
        title.setFont(theme.font(15, 600))
        words = QLabel(tr("It has {pages}. Only the part is read.", pages=units(unit, pages)), wordWrap=True)
        words.setFont(theme.font(13.5))
        words.setProperty("kind", "muted")
        self.first = Stepper(theme, tr("From {unit}", unit=unit), first, lowest=1, highest=pages)
        self.last = Stepper(theme, tr("To {unit}", unit=unit), last or pages, lowest=1, highest=pages)
        self.first.changed.connect(lambda value: self.last.number.setValue(max(value, self.last.number.value())))
        self.last.changed.connect(lambda value: self.first.number.setValue(min(value, self.first.number.value())))
        numbers = QHBoxLayout()
        numbers.setSpacing(px(10))
        for text, stepper in ((tr("From"), self.first), (tr("to"), self.last)):
            label = QLabel(text)
            label.setFont(theme.font(14))
            numbers.addWidget(label)
            numbers.addWidget(stepper)
        numbers.addStretch(1)
        cancel, self.read_button = text_button(tr("Cancel"), "quiet"), text_button(tr("Read this part"), "primary")
        self.read_button.setDefault(True)
        cancel.clicked.connect(self.reject)
        self.read_button.clicked.connect(self._on_chosen)
        row = QHBoxLayout()
        row.setSpacing(px(8))
        row.addStretch(1)
        for button in (cancel, self.read_button):
            button.setFont(theme.font(14, 500))
            row.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(px(24), px(22), px(24), px(20))
        column.setSpacing(px(10))
        column.addWidget(title)
        column.addWidget(words)
        column.addLayout(numbers)
        column.addSpacing(px(6))
        column.addLayout(row)
        self.first.number.setFocus()

    def _on_chosen(self) -> None:
        self.chosen.emit(round(self.first.number.value()), round(self.last.number.value()))
        self.accept()
