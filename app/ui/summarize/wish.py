"""What a summary is to be like: its length, form and language, and the button that begins it."""

from __future__ import annotations

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QLineEdit, QPushButton, QVBoxLayout, QWidget

from app.features.summary.result import Form, Length, Wish
from app.language.names import own_name
from app.ui.i18n import tr
from app.ui.summarize.texts import FORMS, LENGTHS
from app.ui.theme import Theme
from app.ui.widgets.buttons import ChoiceButton, text_button
from app.ui.widgets.layouts import FlowLayout, name_widgets
from app.ui.work.tab import Column

TYPING_MS = 400
MOST_INSTRUCTION = 400
LANGUAGES = (
    "ar", "bn", "bg", "ca", "zh", "hr", "cs", "da", "nl", "en", "fi", "fr", "de", "el", "he", "hi", "hu", "id", "it",
    "ja", "ko", "no", "fa", "pl", "pt", "ro", "ru", "sk", "es", "sv", "th", "tr", "uk", "ur", "vi",
)  # fmt: skip


class WishChoices(QWidget):
    """`changed` comes with every choice, and when the instruction was typed."""

    changed = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        names = sorted((own_name(code), code) for code in LANGUAGES)
        languages = (("", "Same language"), *((code, name) for name, code in names))
        self.length = ChoiceButton(theme, tr("Length"), LENGTHS, shows_change=False)
        self.form = ChoiceButton(theme, tr("Form"), FORMS, shows_change=False)
        self.language = ChoiceButton(theme, tr("Language"), languages, shows_change=False)
        self.length.show_value(Length.MEDIUM)
        self.instruction = QLineEdit()
        self.instruction.setAccessibleName(tr("Own instruction"))
        self.instruction.setPlaceholderText(tr("What should it say? For example: only what concerns money"))
        self.instruction.setMaxLength(MOST_INSTRUCTION)
        self.instruction.setAcceptDrops(False)  # files are for the window
        self._typed = QTimer(self, singleShot=True, interval=TYPING_MS)
        self._typed.timeout.connect(self.changed)
        self.instruction.textEdited.connect(lambda _text: self._typed.start())
        self._row = QWidget()
        self._flow = FlowLayout(self._row)
        for button in (self.length, self.form, self.language):
            button.changed.connect(self._on_chosen)
            self._flow.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.instruction)
        column.addWidget(self._row)
        theme.dress(self._flow, column, spacing=10)
        theme.dress(self.instruction, font=(14, 400))
        self._show_field()
        name_widgets(
            wish_length=self.length, wish_form=self.form, wish_language=self.language, wish_instruction=self.instruction
        )

    def add_last(self, button: QPushButton) -> None:
        """What begins it stands at the end of the last line."""
        self._flow.addWidget(button)
        self._flow.is_last_at_end = True

    @property
    def wish(self) -> Wish:
        form = Form(self.form.value)
        instruction = self.instruction.text().strip() if form is Form.OWN else ""
        return Wish(Length(self.length.value), form, self.language.value, instruction)

    def show_wish(self, wish: Wish) -> None:
        """Shows choices that were made before; nothing is told."""
        self.length.show_value(wish.length)
        self.form.show_value(wish.form)
        known = wish.language if wish.language in ("", *LANGUAGES) else ""
        self.language.show_value(known)
        self.instruction.setText(wish.instruction)
        self._show_field()

    def settle(self) -> None:
        """What was typed just now is told at once."""
        if self._typed.isActive():
            self._typed.stop()
            self.changed.emit()

    def _on_chosen(self, _value: str) -> None:
        self._show_field()
        if self.form.value == Form.OWN and not self.instruction.text():
            self.instruction.setFocus()
        self.changed.emit()

    def _show_field(self) -> None:
        self.instruction.setVisible(self.form.value == Form.OWN)


# What a summary is to be like, at the left, and at the right the button that begins it.


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
        theme.dress(self.button, font=(14, 600))
        name_widgets(begin=self.button)

    @property
    def wish(self) -> Wish:
        return self.choices.wish
