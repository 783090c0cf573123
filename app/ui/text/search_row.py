"""Row that searches a text while it is typed in: field, hit count, previous, next, close."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QHideEvent, QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QWidget

from app.ui.i18n import tr
from app.ui.locale_formats import format_number
from app.ui.shell import tasks
from app.ui.theme import Theme
from app.ui.widgets.buttons import IconButton
from app.ui.widgets.labels import announce, plain_label
from app.ui.widgets.layouts import drop_focus, fill_layout, name_widgets
from app.ui.widgets.timers import new_timer

NO_MATCHES = "No matches"
SEARCH_DOCUMENT = "Search in the document"
NEXT_MATCH = "Next match"
CLOSE_SEARCH = "Close search"

TYPING_MS = 250
MOST_HITS = 1000
LONGEST_QUERY = 200


class SearchableText(Protocol):
    """A searchable source; methods may be called on any thread."""

    def search_text(self, text: str, most: int, /) -> list[Any]:
        """Return a limited number of hits, ordered by `block_id`."""


class TextSearchRow(QWidget):
    """Search row that searches on a thread while typing. `hits_changed` carries all hits, `chosen` one."""

    hits_changed = Signal()
    chosen = Signal(object)
    failed = Signal(object)
    left = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._document: SearchableText | None = None
        self._task: tasks.BackgroundTask | None = None
        self._at = -1
        self._from_block = 1
        self._has_more = False
        self.hits: list[Any] = []
        self.field = QLineEdit(maxLength=LONGEST_QUERY)
        self.field.setAccessibleName(tr(SEARCH_DOCUMENT))
        self.field.setPlaceholderText(tr("Search"))
        self.field.textChanged.connect(self._on_typed)
        self.count = theme.dress(plain_label(kind="muted"), font="small")
        self.previous = IconButton(theme, "caret-up", tr("Previous match"), size_px=16, on_click=lambda: self.step(-1))
        self.next = IconButton(theme, "caret-down", tr(NEXT_MATCH), size_px=16, on_click=lambda: self.step(1))
        self.close_button = IconButton(theme, "x", tr(CLOSE_SEARCH), size_px=16, on_click=self.left)
        for button, keys in ((self.previous, "Shift+F3"), (self.next, "F3"), (self.close_button, "Esc")):
            button.setToolTip(f"{button.accessibleName()} ({keys})")
        self._row = theme.dress(fill_layout(QHBoxLayout(self), (self.field, 1)), spacing=4)
        for widget in (self.count, self.previous, self.next, self.close_button):
            self._row.addWidget(widget)
        theme.dress(self.field, font="body")
        self._typed = new_timer(self, TYPING_MS, self._search)
        self._mirror()
        self._show_count()
        name_widgets(search_field=self.field, search_count=self.count)

    def set_document(self, document: SearchableText | None) -> None:
        """Set the source; words and hits of the one before are dropped."""
        self._stop()
        self._document = document
        self.field.clear()
        self._take_hits([], has_more=False)

    def forget(self) -> None:
        """Drop the hits; the typed words stay for the next search."""
        self._stop()
        self._take_hits([], has_more=False)

    @property
    def has_keyboard(self) -> bool:
        focus = self.window().focusWidget()
        return focus is not None and self.isAncestorOf(focus)

    def close_search(self) -> bool:
        """Close the row and drop its hits. Return whether it had the keyboard, which belongs to the text again."""
        had_focus = self.has_keyboard
        drop_focus(self)
        self.hide()
        self.forget()
        return had_focus

    def key_job(self, event: QKeyEvent) -> Callable[[], None] | None:
        """Return what a key does wherever the text has the keyboard: F3 and Shift+F3 step while the row is open."""
        if event.key() != Qt.Key.Key_F3 or self.isHidden():
            return None
        return partial(self.step, -1 if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1)

    def begin(self, from_block: int) -> None:
        """Open the search; the first hit chosen is at or after this block."""
        self._from_block = from_block
        self.show()
        self.field.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.field.selectAll()
        if self.field.text() and not self.hits:
            self._typed.start()

    def look_again(self) -> None:
        """Search again after the text changed or grew, if the row is open."""
        if self.isVisible() and self.field.text().strip():
            self._typed.start()

    def step(self, steps: int) -> None:
        """Go to the next (1) or previous (-1) hit, wrapping around."""
        if self._typed.isActive():  # Enter searches without waiting for the pause
            self._search()
        elif self.hits:
            self._at = (self._at + steps) % len(self.hits)
            self._choose()

    def _on_typed(self) -> None:
        self._stop()
        if self.field.text().strip():
            self._typed.start()
        else:
            self._take_hits([], has_more=False)

    def _stop(self) -> None:
        self._typed.stop()
        if self._task is not None:
            self._task.abandon()
            self._task = None

    def _search(self) -> None:
        self._stop()
        document, text = self._document, self.field.text().strip()
        if document is None or not text:
            return

        def take(hits: list[Any]) -> None:
            self._take_hits(hits[:MOST_HITS], has_more=len(hits) > MOST_HITS)

        # One more than is shown tells whether there are more.
        self._task = tasks.ask(lambda _token: document.search_text(text, MOST_HITS + 1), self, take, self.failed.emit)

    def _take_hits(self, hits: list[Any], *, has_more: bool) -> None:
        had_some = bool(self.hits)
        self.hits, self._has_more = hits, has_more
        self._at = next((i for i, hit in enumerate(hits) if hit.block_id >= self._from_block), 0) if hits else -1
        self._show_count()
        if hits or had_some:
            self.hits_changed.emit()
        if hits:
            self._choose()
        elif self.isVisible() and self.count.text():
            announce(self, self.count.text())

    def _choose(self) -> None:
        self._show_count()
        # Where a search for other words goes on.
        self._from_block = self.hits[self._at].block_id
        self.chosen.emit(self.hits[self._at])
        announce(self, self.count.text())

    def _show_count(self) -> None:
        if self.hits:
            most = (
                tr("more than {most}", most=format_number(MOST_HITS))
                if self._has_more
                else format_number(len(self.hits))
            )
            self.count.setText(tr("{number} of {count}", number=format_number(self._at + 1), count=most))
        else:
            self.count.setText(tr(NO_MATCHES) if self.field.text().strip() and not self._typed.isActive() else "")
        for button in (self.previous, self.next):
            button.setEnabled(bool(self.hits))

    def _mirror(self) -> None:
        self._theme.dress(self._row, margins=(8, 4, 14, 8) if self.isRightToLeft() else (14, 4, 8, 8))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.step(-1 if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1)
        elif event.key() == Qt.Key.Key_Escape:
            self.left.emit()
        else:
            super().keyPressEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LayoutDirectionChange:
            self._mirror()
        super().changeEvent(event)

    def hideEvent(self, event: QHideEvent) -> None:
        self._stop()
        super().hideEvent(event)
