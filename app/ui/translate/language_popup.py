"""Button of a language, and its popup: a filter, and the languages in English and in their own language."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QLineEdit, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from app.language.language_names import find_language, own_name
from app.language.words import fold_words
from app.ui.i18n import label_value, tr
from app.ui.shown_texts import rewrite_text
from app.ui.theme import Theme
from app.ui.widgets.buttons import ChoiceButton
from app.ui.widgets.labels import plain_caption, plain_label
from app.ui.widgets.layouts import fill_layout
from app.ui.widgets.popovers import FloatingPanel

DETECTED_LANGUAGE = "{language} (detected)"

WIDTH_PX, MOST_ROWS, ROW_PX = 340, 10, 34
_MOVES = (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown)
_CODE = Qt.ItemDataRole.UserRole


class LanguageEntry(NamedTuple):
    """Entry of the list: value, name, and further search terms."""

    value: str
    name: str
    other: str = ""


class LanguageButton(ChoiceButton):
    """Button of a language; `value` is its code. With `can_detect` it may be "", shown with the detected language."""

    def __init__(self, theme: Theme, name: str, *, can_detect: bool = False) -> None:
        self._can_detect, self._detected = can_detect, ""
        self.languages: Sequence[str] = ()
        """Codes of the languages to choose from."""
        self.remark = ""
        """Note below the list."""
        super().__init__(theme, name, (("", ""),))

    def show_detected(self, code: str) -> None:
        """Show the detected language; "" while it is unknown."""
        self._detected = code
        self._show()

    def show_menu(self) -> None:
        self.show_list()

    def show_list(self) -> LanguagePopup:
        entries = [_entry_of(code) for code in self.languages]
        entries.sort(key=lambda entry: entry.name)
        if self._can_detect:
            entries.insert(0, LanguageEntry("", self._detect_words()))
        popup = LanguagePopup(
            self._theme, self._name, entries, self.value, self, remark=self.remark, choose=self.choose
        )
        popup.show_below(self.button)
        return popup

    def _detect_words(self) -> str:
        return tr("Detect ({language})", language=own_name(self._detected)) if self._detected else tr("Detect")

    def _show(self) -> None:
        words = own_name(self.value)
        if not self.value and self._can_detect:
            found = own_name(self._detected)
            words = tr(DETECTED_LANGUAGE, language=found) if found else tr("Detect language")
        words = words or tr("Choose a language")
        self.button.setText(plain_caption(words))
        self.button.setAccessibleName(label_value(rewrite_text(self._name), words))
        self.updateGeometry()


class LanguagePopup(FloatingPanel):
    """Popup list of languages; a choice, Esc or a click outside closes it."""

    def __init__(
        self,
        theme: Theme,
        name: str,
        entries: Sequence[LanguageEntry],
        value: str,
        parent: QWidget,
        *,
        remark: str = "",
        choose: Callable[[str], object],
    ) -> None:
        super().__init__(theme, "language_popup", parent)
        self.choose, self._entries = choose, entries
        self.setAccessibleName(name)
        self.search = QLineEdit(placeholderText=tr("Search languages"))
        self.search.setAccessibleName(tr("Search languages"))
        self.search.textChanged.connect(self._on_typed)
        self.search.installEventFilter(self)
        self.list = QListWidget()
        self.list.setObjectName("languages")
        self.list.setAccessibleName(name)
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # the field keeps the focus and moves the selection
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setProperty("elides", True)
        self.list.itemClicked.connect(self._on_chosen)
        for language in entries:
            words = (
                f"{language.name}  ·  {language.other}"
                if language.other and language.other != language.name
                else language.name
            )
            item = QListWidgetItem(words, self.list)
            item.setData(_CODE, language.value)
            if language.value == value:
                self.list.setCurrentItem(item)
        column = QVBoxLayout(self)
        fill_layout(column, self.search, self.list)
        if remark:
            said = plain_label(remark, kind="muted", wraps=True)
            said.setObjectName("languages_remark")
            theme.dress(said, font="small")
            column.addWidget(said)
        theme.dress(column, margins=(8, 8, 8, 8), spacing=6)
        theme.dress(self.search, self.list, font="row")
        theme.dress(self, width=WIDTH_PX)
        self.list.setFixedHeight(theme.px(ROW_PX) * min(MOST_ROWS, max(1, len(entries))))

    def show_below(self, widget: QWidget) -> None:
        """Open below a button with the search field focused."""
        self.adjustSize()
        self.place_at(widget)
        self.show()
        self.search.setFocus(Qt.FocusReason.PopupFocusReason)
        # Only a list that is shown has a size, without which it can't scroll.
        self.list.scrollToItem(self.list.currentItem(), QListWidget.ScrollHint.PositionAtCenter)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            if event.key() in _MOVES:
                self._move(event)
                return True
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.list.currentItem() is not None:
                self._on_chosen(self.list.currentItem())
                return True
        return super().eventFilter(watched, event)

    def _move(self, event: QKeyEvent) -> None:
        steps = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1, Qt.Key.Key_PageUp: -MOST_ROWS, Qt.Key.Key_PageDown: MOST_ROWS}
        rows = [row for row in range(self.list.count()) if not self.list.item(row).isHidden()]
        if not rows:
            return
        now = self.list.currentRow()
        place = rows.index(now) if now in rows else -1
        self.list.setCurrentRow(rows[min(max(place + steps[Qt.Key(event.key())], 0), len(rows) - 1)])

    def _on_typed(self, typed: str) -> None:
        wanted, first = fold_words(typed.strip()), -1
        for row, entry in enumerate(self._entries):
            is_it = (
                wanted in fold_words(entry.name)
                or wanted in fold_words(entry.other)
                or wanted == entry.value.lower()  # a code is found as a whole only: part of one is in most names
            )
            self.list.item(row).setHidden(not is_it)
            # Names that start with the typed letters go before those that contain them.
            starts = fold_words(entry.name).startswith(wanted) or fold_words(entry.other).startswith(wanted)
            if is_it and (first < 0 or (starts and not _starts(self._entries[first], wanted))):
                first = row
        self.list.setCurrentRow(first)

    def _on_chosen(self, item: QListWidgetItem) -> None:
        value = str(item.data(_CODE))
        self.close()
        self.choose(value)


def _starts(entry: LanguageEntry, wanted: str) -> bool:
    return fold_words(entry.name).startswith(wanted) or fold_words(entry.other).startswith(wanted)


def _entry_of(code: str) -> LanguageEntry:
    found = find_language(code)
    return LanguageEntry(code, tr(found.english), found.own) if found is not None else LanguageEntry(code, code)
