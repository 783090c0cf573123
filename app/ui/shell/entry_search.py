"""Search field with a list of results in place of what is searched, as in the settings and in help."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.ui.i18n import tr
from app.ui.shell.palette import EntryList, EntryModel, PaletteEntry
from app.ui.theme import Theme
from app.ui.widgets.input_fields import SearchField
from app.ui.widgets.labels import announce, plain_label
from app.ui.widgets.layouts import fill_layout


class EntrySearch(QObject):
    """Search field with a separate result list; arrows and Return choose while the field keeps the focus."""

    def __init__(
        self,
        theme: Theme,
        parent: QObject,
        name: str,
        *,
        find_entries: Callable[[str], list[PaletteEntry]],
        show_results: Callable[[bool], object],
    ) -> None:
        super().__init__(parent)
        self.find_entries, self.show_results = find_entries, show_results
        """True when results are shown, False when that which is searched is."""
        self.field = SearchField(theme, tr("Search"))  # a longer placeholder doesn't fit next to the page button
        self.field.setAccessibleName(name)
        self.entries = EntryModel(self)
        self.list = EntryList(theme, tr("Results"), self.entries)
        self.nothing = plain_label("", kind="muted", wraps=True)
        self.nothing.setObjectName("settings_nothing")
        self.results = QWidget()
        column = fill_layout(QVBoxLayout(self.results), self.nothing, (self.list, 1))
        theme.dress(column, margins=(16, 16, 16, 16), spacing=8)
        self.field.textChanged.connect(self._on_typed)
        self.field.installEventFilter(self)
        self.list.clicked.connect(lambda _: self._choose())

    @property
    def titles(self) -> list[str]:
        """Titles of the results in their order, the best match first."""
        return [entry.title for entry in self.entries.entries]

    def search_again(self) -> None:
        """Find what is typed once more, as what is searched has changed."""
        if self.field.text():
            self._on_typed(self.field.text())

    def _on_typed(self, text: str) -> None:
        words = text.strip()
        hits = self.find_entries(words) if words else []
        self.entries.show(hits)
        self.nothing.setText(tr("No results for “{words}”.", words=words))
        self.nothing.setVisible(not hits)
        self.list.setVisible(bool(hits))
        self.show_results(bool(words))
        self._go_to(0)

    def _go_to(self, row: int) -> None:
        if count := self.entries.rowCount():
            index = self.entries.index(row % count)
            self.list.setCurrentIndex(index)
            self.list.scrollTo(index)
            if (entry := self.entries.entry_at(index)) is not None:
                # The focus stays in the field, so a screen reader wouldn't read the chosen row.
                announce(self.field, entry.spoken)

    def _choose(self) -> None:
        if (entry := self.entries.entry_at(self.list.currentIndex())) is not None:
            entry.do()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self.field and isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            steps = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1}
            if event.key() in steps and self.field.text():
                self._go_to(self.list.currentIndex().row() + steps[Qt.Key(event.key())])
                return True
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):  # keep it from the dialog
                self._choose()
                return True
            if event.key() == Qt.Key.Key_Escape and self.field.text():  # keep it from closing the dialog
                self.field.clear()
                return True
        return super().eventFilter(watched, event)
