"""Asks which pages of a document are to be read."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLabel, QWidget

from app.features.document_sentences import units
from app.ui.i18n import tr, window_title
from app.ui.theme import Theme
from app.ui.widgets.document_words import short_name
from app.ui.widgets.fields import Stepper
from app.ui.widgets.question_dialog import QuestionDialog


class PagesDialog(QuestionDialog):
    """`chosen` carries the first and the last page, both included."""

    chosen = Signal(int, int)

    def __init__(
        self, theme: Theme, name: str, unit: str, pages: int, *, first: int = 1, last: int = 0, parent: QWidget
    ) -> None:
        title = tr("Which {unit}s of {name}?", unit=unit, name=short_name(name))
        words = tr("It has {pages}. Only those you choose here are read.", pages=units(unit, pages))
        super().__init__(theme, title, words, parent)
        self.setObjectName("pages_dialog")
        self.setWindowTitle(window_title(tr("Choose {unit}s", unit=unit)))
        self.words.setProperty("kind", "muted")
        self.first = Stepper(theme, tr("From {unit}", unit=unit), first, lowest=1, highest=pages)
        self.last = Stepper(theme, tr("To {unit}", unit=unit), last or pages, lowest=1, highest=pages)
        self.first.changed.connect(lambda value: self.last.number.setValue(max(value, self.last.number.value())))
        self.last.changed.connect(lambda value: self.first.number.setValue(min(value, self.first.number.value())))
        for text, stepper in ((tr("From"), self.first), (tr("to"), self.last)):
            label = QLabel(text)
            label.setFont(theme.font(14))
            self.fields.addWidget(label)
            self.fields.addWidget(stepper)
        self.fields.addStretch(1)
        self.read_button = self.add_choice(tr("Read this part"), self._on_part_chosen, "primary")
        self.first.number.setFocus()

    def _on_part_chosen(self) -> None:
        self.chosen.emit(round(self.first.number.value()), round(self.last.number.value()))
