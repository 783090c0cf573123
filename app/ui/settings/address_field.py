"""Input of an address, which is saved only if it is one."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit, QVBoxLayout, QWidget

from app.ui.i18n import tr
from app.ui.settings.settings_pages import SettingsSection
from app.ui.widgets.labels import show_problem
from app.ui.widgets.layouts import drop_margins, fill_layout

MUST_START_WITH = "It must start with {one} or {other}."
NOT_SAVED = "Not saved. {why}"


def address_problem(text: str, schemes: tuple[str, ...]) -> str:
    """Return why an address is invalid; "" if it is valid."""
    if not text:
        return ""  # the system's proxy, or the Hub itself
    if not text.startswith(schemes):
        return tr(MUST_START_WITH, one=schemes[0], other=schemes[1])
    if any(character.isspace() for character in text):
        return tr("It contains a space.")
    try:
        parts = urlsplit(text)
        # `port` raises ValueError if it isn't a port.
        host, _ = parts.hostname, parts.port
    except ValueError:
        return tr("The port must be a number up to 65535.")
    return "" if host else tr("The computer’s name is missing.")


class AddressField(QWidget):
    """Address input, saved on Return or focus loss, if it is valid."""

    def __init__(
        self,
        page: SettingsSection,
        name: str,
        value: str,
        schemes: tuple[str, ...],
        hint: str,
        *,
        problem_of: Callable[[str], str] = lambda _text: "",
    ) -> None:
        """`problem_of` says what else is wrong with a text; "" for nothing."""
        super().__init__()
        self._schemes, self._problem_of, self._saved = schemes, problem_of, value
        self.on_save: Callable[[str], object] = lambda _text: None
        self.line = QLineEdit(value, placeholderText=hint)
        self.line.setAccessibleName(name)
        self.line.setLayoutDirection(Qt.LayoutDirection.LeftToRight)  # addresses are left to right in every language
        self.problem = page.label("", "small")
        self.problem.setProperty("kind", "danger")
        self.problem.hide()
        fill_layout(drop_margins(QVBoxLayout(self), 4), self.line, self.problem)
        self.line.textEdited.connect(lambda _: show_problem(self.problem, self.line, ""))
        self.line.editingFinished.connect(self._on_finished)

    def _on_finished(self) -> None:
        text = self.line.text().strip()
        problem = address_problem(text, self._schemes) or self._problem_of(text)
        show_problem(self.problem, self.line, tr(NOT_SAVED, why=problem) if problem else "")
        if not problem and text != self._saved:
            self._saved = text
            self.on_save(text)
