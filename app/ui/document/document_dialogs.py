"""Dialogs of one document: which pages, its password, and whether to read a very large one."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QWidget

from app.core.counted_units import count_units
from app.core.visible import visible_name
from app.ui.document.document_details import short_name
from app.ui.i18n import InContext, size_text, tr, tr_count
from app.ui.shared_labels import ABOUT_A_MINUTE, ABOUT_MINUTES, OPEN_DOCUMENT
from app.ui.theme import Theme
from app.ui.widgets.dialogs import QuestionDialog
from app.ui.widgets.input_fields import Stepper
from app.ui.widgets.labels import ElidedLabel
from app.ui.widgets.layouts import fill_layout

WRONG_PASSWORD = "Wrong password for {name}. Try again."
BYTES_PER_MINUTE = 300_000_000
"""Speed of reading plain text into the store, on two cores; other formats hold fewer words per byte."""


class LargeFile(QuestionDialog):
    """Question about a large file: `read_wanted` on yes; closing it drops the file."""

    read_wanted = Signal()

    def __init__(self, theme: Theme, name: str, size_bytes: int, parent: QWidget) -> None:
        minutes = round(size_bytes / BYTES_PER_MINUTE)
        time = tr_count("about {count} minute", ABOUT_MINUTES, minutes) if minutes > 1 else tr(ABOUT_A_MINUTE)
        words = tr("Reading takes {time}, and its text uses as much disk space again. You can keep working.", time=time)
        title = tr("{name} is {size}.", name=short_name(name), size=size_text(size_bytes))
        super().__init__(theme, title, words, parent)
        self.setObjectName("large_file")
        self.add_choice(tr("Read file"), self.read_wanted.emit, "primary")


class PagesDialog(QuestionDialog):
    """Choice of pages to read. `chosen` carries first and last; `names` lists the files of an archive."""

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
        words = tr("It has {pages}. Only the ones you choose are read.", pages=count_units(unit, pages))
        super().__init__(theme, title, words, parent)
        self.setObjectName("pages_dialog")
        self.words.setProperty("kind", "muted")
        # The other end moves along, so that the range is never empty.
        self.first = Stepper(
            theme,
            tr("From {unit}", unit=unit),
            first,
            lowest=1,
            highest=pages,
            on_change=lambda value: self.last.number.setValue(max(value, self.last.number.value())),
        )
        self.last = Stepper(
            theme,
            tr("To {unit}", unit=unit),
            last or pages,
            lowest=1,
            highest=pages,
            on_change=lambda value: self.first.number.setValue(min(value, self.first.number.value())),
        )
        if names:
            self.fields.setDirection(QHBoxLayout.Direction.TopToBottom)
        self.named = [
            self._add(text, stepper, names)
            for text, stepper in ((tr(InContext("first page", "From")), self.first), (tr("to"), self.last))
        ]
        self.fields.addStretch(1)
        self.read_button = self.add_choice(tr("Read this part"), self._on_part_chosen, "primary")
        self.first.number.setFocus()

    def _add(self, text: str, stepper: Stepper, names: Sequence[str]) -> QLabel:
        """Add a labelled number field; return the label behind it for the file's name."""
        row, label, named = QHBoxLayout(), QLabel(text), ElidedLabel(mode=Qt.TextElideMode.ElideMiddle)
        self._theme.dress(label, named, font="row")
        label.setMinimumWidth(self._theme.px(40) if names else 0)

        def show_name(number: float) -> None:
            name = visible_name(names[round(number) - 1]) if len(names) >= number else ""
            named.setText(name)
            stepper.number.setAccessibleDescription(name)

        self._theme.dress(row, spacing=10)
        fill_layout(row, label, stepper, (named, 1))
        named.setVisible(bool(names))
        self.fields.addLayout(row)
        stepper.changed.connect(show_name)
        show_name(stepper.number.value())
        return named

    def _on_part_chosen(self) -> None:
        self.chosen.emit(round(self.first.number.value()), round(self.last.number.value()))


class PasswordDialog(QuestionDialog):
    """Password question: `take` gets it; closing it drops the document."""

    def __init__(
        self, theme: Theme, name: str, *, is_wrong: bool, parent: QWidget, take: Callable[[str], object]
    ) -> None:
        name = short_name(name)
        words = tr(WRONG_PASSWORD, name=name) if is_wrong else tr("The password isn’t stored.")
        super().__init__(theme, tr("{name} needs a password.", name=name), words, parent)
        self.take = take
        self.setObjectName("password_dialog")
        self.words.setProperty("kind", "danger" if is_wrong else "muted")
        self.field = theme.dress(QLineEdit(echoMode=QLineEdit.EchoMode.Password), font="body")
        self.field.setAccessibleName(tr("Password for {name}", name=name))
        self.field.setAccessibleDescription(words)
        self.fields.addWidget(self.field)
        self.open_button = self.add_choice(tr(OPEN_DOCUMENT), lambda: self.take(self.field.text()), "primary")
        self.open_button.setEnabled(False)
        self.field.textChanged.connect(lambda text: self.open_button.setEnabled(bool(text)))
        self.field.setFocus()
