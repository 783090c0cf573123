"""Asks which pages of a document are to be read."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QWidget

from app.core.visible import visible_name
from app.features.document_messages import units
from app.ui.shell.i18n import tr, window_title
from app.ui.theme import Theme
from app.ui.widgets.document_texts import short_name
from app.ui.widgets.elided_label import ElidedLabel
from app.ui.widgets.fields import Stepper
from app.ui.widgets.question_dialog import QuestionDialog


class PagesDialog(QuestionDialog):
    """`chosen` carries the first and the last page, both included. `names` are those of the files of an archive."""

    chosen = Signal(int, int)

    def __init__(
        self,
        theme: Theme,
        name: str,
        unit: str,
        pages: int,
        *,
        first: int = 1,
        last: int = 0,
        names: Sequence[str] = (),
        parent: QWidget,
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
        if names:
            self.fields.setDirection(QHBoxLayout.Direction.TopToBottom)
        self.named = [
            self._add(text, stepper, names) for text, stepper in ((tr("From"), self.first), (tr("to"), self.last))
        ]
        self.fields.addStretch(1)
        self.read_button = self.add_choice(tr("Read this part"), self._on_part_chosen, "primary")
        self.first.number.setFocus()

    def _add(self, text: str, stepper: Stepper, names: Sequence[str]) -> QLabel:
        """A number with what stands before it, and behind it the name of the file that has it; this is returned."""
        row, label, named = QHBoxLayout(), QLabel(text), ElidedLabel(mode=Qt.TextElideMode.ElideMiddle)
        for each in (label, named):
            each.setFont(self._theme.font(14))
        label.setMinimumWidth(self._theme.px(40) if names else 0)

        def show_name(number: float) -> None:
            name = visible_name(names[round(number) - 1]) if len(names) >= number else ""
            named.setText(name)
            stepper.number.setAccessibleDescription(name)

        row.setSpacing(self._theme.px(10))
        row.addWidget(label)
        row.addWidget(stepper)
        row.addWidget(named, 1)
        named.setVisible(bool(names))
        self.fields.addLayout(row)
        stepper.changed.connect(show_name)
        show_name(stepper.number.value())
        return named

    def _on_part_chosen(self) -> None:
        self.chosen.emit(round(self.first.number.value()), round(self.last.number.value()))
