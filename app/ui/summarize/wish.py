"""Options of a summary: length, form and language, and the start button."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QLineEdit, QPushButton, QVBoxLayout, QWidget

from app.core.errors.app_error import expected_error
from app.features.summarize.summary_result import Form, Length, Method, SummaryOptions
from app.language.language_names import own_name
from app.ui.i18n import tr, translated_choices
from app.ui.shell import tasks
from app.ui.shell.model_loader import model_name
from app.ui.summarize.summary_texts import FORMS, LENGTHS
from app.ui.theme import Theme
from app.ui.widgets.buttons import ChoiceButton, text_button
from app.ui.widgets.layouts import FlowLayout, fill_layout, name_widgets
from app.ui.widgets.timers import new_timer
from app.ui.work.job_tab import TabColumn

if TYPE_CHECKING:
    from app.bootstrap import Fireside

SUMMARIZE_ANYWAY = "Summarize with {model} anyway"

TYPING_MS = 400
MOST_INSTRUCTION = 400
LANGUAGES = (
    "ar", "bn", "bg", "ca", "zh", "hr", "cs", "da", "nl", "en", "fi", "fr", "de", "el", "he", "hi", "hu", "id", "it",
    "ja", "ko", "no", "fa", "pl", "pt", "ro", "ru", "sk", "es", "sv", "th", "tr", "uk", "ur", "vi",
)  # fmt: skip


class WishChoices(QWidget):
    """Choices of options; `changed` is emitted for each, and when the instruction was typed."""

    changed = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        names = sorted((own_name(code), code) for code in LANGUAGES)
        languages = (("", tr("Same language")), *((code, name) for name, code in names))
        self.length = ChoiceButton(theme, tr("Length"), translated_choices(LENGTHS), shows_change=False)
        self.form = ChoiceButton(theme, tr("Form"), translated_choices(FORMS), shows_change=False)
        self.language = ChoiceButton(theme, tr("Language"), languages, shows_change=False)
        self.length.show_value(Length.MEDIUM)
        self.instruction = QLineEdit()
        self.instruction.setAccessibleName(tr("Your own instruction"))
        self.instruction.setPlaceholderText(tr("What should it cover? For example: only the costs"))
        self.instruction.setMaxLength(MOST_INSTRUCTION)
        self.instruction.setAcceptDrops(False)  # dropped files are the window's
        self._typed = new_timer(self, TYPING_MS, self.changed)
        self.instruction.textEdited.connect(lambda _text: self._typed.start())
        self._row = QWidget()
        self._flow = FlowLayout(self._row)
        for button in (self.length, self.form, self.language):
            button.changed.connect(self._on_chosen)
            self._flow.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        fill_layout(column, self.instruction, self._row)
        theme.dress(self._flow, column, spacing=10)
        theme.dress(self.instruction, font="body")
        self._show_field()
        name_widgets(
            wish_length=self.length, wish_form=self.form, wish_language=self.language, wish_instruction=self.instruction
        )

    def add_last(self, button: QPushButton) -> None:
        """Place the start button at the end of the last line."""
        self._flow.addWidget(button)
        self._flow.is_last_at_end = True

    @property
    def wish(self) -> SummaryOptions:
        form = Form(self.form.value)
        instruction = self.instruction.text().strip() if form is Form.OWN else ""
        return SummaryOptions(Length(self.length.value), form, self.language.value, instruction)

    def show_wish(self, wish: SummaryOptions) -> None:
        """Show stored options; none of the signals is emitted."""
        # Silently, or the same options would be stored again.
        self.length.show_value(wish.length)
        self.form.show_value(wish.form)
        known = wish.language if wish.language in ("", *LANGUAGES) else ""
        self.language.show_value(known)
        self.instruction.setText(wish.instruction)
        self._show_field()

    def flush_typing(self) -> None:
        """Emit `changed` for text typed a moment ago, instead of after the pause."""
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


class MethodLook(QObject):
    """Find out on a thread how documents would be summarized.

    `found` carries the model's name, and the forms, with and without another language, for which key sentences replace
    it.
    """

    def __init__(self, app: Fireside, parent: QObject, *, on_found: Callable[[str, Any], object]) -> None:
        super().__init__(parent)
        self.on_found, self._app = on_found, app
        self._task: tasks.BackgroundTask | None = None
        self._groups: list[tuple[int, ...]] = []

    def find_methods(self, groups: Sequence[Sequence[int]]) -> None:
        """Query the method for groups of documents; only the latest query is answered."""
        if self._task is not None:
            self._task.abandon()
        self._groups = asked = [tuple(ids) for ids in groups]
        self._task = tasks.run(
            lambda _cancel: self._read(asked), self, on_event=lambda found: self.on_found(*found), on_failed=_on_failed
        )

    def look_at(self, groups: Sequence[Sequence[int]]) -> None:
        """Query the method if the groups differ from the last ones."""
        if [tuple(ids) for ids in groups] != self._groups:
            self.find_methods(groups)

    def _read(self, groups: Sequence[Sequence[int]]) -> Iterator[tuple[str, frozenset[tuple[Form, bool]]]]:
        summaries = self._app.summaries
        path, choices = summaries.engines.model_path(), [summaries.method_of(ids) for ids in groups]
        # "en" stands for any chosen language: it only matters whether there is one.
        kinds = [(form, language) for form in Form for language in ("", "en")]
        copied = {
            (form, bool(language))
            for form, language in kinds
            if choices
            and all(choice(SummaryOptions(form=form, language=language)) is Method.DIGEST for choice in choices)
        }
        yield (model_name(path), frozenset(copied)) if path is not None else ("", frozenset())


def _on_failed(error: BaseException) -> None:
    # An error of the model is reported when it is used; only defects are raised.
    expected_error(error)


class SummaryFooter(TabColumn):
    """Footer with options and button, before the start and below the result.

    `copying` is the label if the summary would consist of key sentences.
    """

    def __init__(self, theme: Theme, label: str, copying: str, *, is_primary: bool = True) -> None:
        super().__init__(theme, top_px=10, bottom_px=16)
        self._label, self._copying = label, copying
        self._model, self._copied_for = "", frozenset[tuple[Form, bool]]()
        self.choices = WishChoices(theme)
        self.choices.changed.connect(self._show_button)
        self.button = text_button(label, "primary" if is_primary else "plain")
        self.choices.add_last(self.button)
        self.anyway = text_button("", "quiet", elides=True)
        self.anyway.setToolTip(tr("Let the model write it. The document’s own sentences are probably better."))
        self.anyway.hide()
        self.rows.addWidget(self.choices)
        self.rows.addWidget(self.anyway, 0, Qt.AlignmentFlag.AlignTrailing)
        theme.dress(self.button, self.anyway, font="control")
        name_widgets(begin=self.button, begin_anyway=self.anyway)

    def show_method(self, model: str, copied_for: frozenset[tuple[Form, bool]]) -> None:
        """Set whether the button starts the model or takes key sentences; see `MethodLook`."""
        self._model, self._copied_for = model, copied_for
        self._show_button()

    def _show_button(self) -> None:
        model = self._model if (self.wish.form, bool(self.wish.language)) in self._copied_for else ""
        self.button.setText(self._copying if model else self._label)
        self.button.setAccessibleName(self.button.text())
        self.anyway.setText(tr(SUMMARIZE_ANYWAY, model=model) if model else "")
        self.anyway.setAccessibleName(self.anyway.text())
        self.anyway.setVisible(bool(model))
        self.anyway.setEnabled(self.button.isEnabled())

    @property
    def wish(self) -> SummaryOptions:
        return self.choices.wish
