"""A language as a button that opens the list of languages."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from app.language.names import language, own_name
from app.ui.icons import icon
from app.ui.shell.i18n import tr
from app.ui.theme import Theme
from app.ui.translate.language_popup import LanguagePopup, Offered
from app.ui.widgets.buttons import text_button


class LanguageButton(QWidget):
    """`value` is a language's code; with `can_detect` it may be "", and what was found is shown with that word."""

    changed = Signal(str)

    def __init__(self, theme: Theme, name: str, *, can_detect: bool = False) -> None:
        super().__init__()
        self._theme, self._name, self._can_detect = theme, name, can_detect
        self._languages: Sequence[str] = ()
        self._detected = ""
        self.value = ""
        self.button = text_button("", "filter", self)
        # The caret belongs behind the words, so the button's two ends are exchanged.
        self.button.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
        self.button.clicked.connect(self.show_list)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.button)
        theme.changed.connect(self._show)
        self._show()

    def offer(self, languages: Sequence[str]) -> None:
        """Which ones may be chosen, by their codes."""
        self._languages = languages

    def show_value(self, value: str) -> None:
        """Takes a value without telling it."""
        self.value = value
        self._show()

    def show_detected(self, code: str) -> None:
        """What the language of the text is found to be; "" where nothing tells it yet."""
        self._detected = code
        self._show()

    def choose(self, value: str) -> None:
        """Takes another value."""
        if value != self.value:
            self.show_value(value)
            self.changed.emit(value)

    def show_list(self) -> LanguagePopup:
        """Opens the languages below the button."""
        offered = [_offered(code) for code in self._languages]
        offered.sort(key=lambda one: one.name)
        if self._can_detect:
            offered.insert(0, Offered("", self._detect_words()))
        popup = LanguagePopup(self._theme, self._name, offered, self.value, self)
        popup.chosen.connect(self.choose)
        popup.show_below(self.button)
        return popup

    def _detect_words(self) -> str:
        return tr("Detect ({language})", language=own_name(self._detected)) if self._detected else tr("Detect")

    def _show(self) -> None:
        words = own_name(self.value)
        if not self.value and self._can_detect:
            found = own_name(self._detected)
            words = tr("{language} (detected)", language=found) if found else tr("Detect language")
        words = words or tr("Choose a language")
        self.button.setText(words.replace("&", "&&"))
        self.button.setAccessibleName(f"{self._name}: {words}")
        self.button.setFont(self._theme.font(13.5, 500))
        self.button.setIcon(icon("caret-down-bold", self._theme.tokens.muted))
        self.button.setIconSize(QSize(self._theme.px(20), self._theme.px(11)))  # wider than the glyph, for air
        self.updateGeometry()


def _offered(code: str) -> Offered:
    found = language(code)
    return Offered(code, tr(found.english), found.own) if found is not None else Offered(code, code)
