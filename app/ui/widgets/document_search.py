"""The row that searches in a document: a field, which of how many, back, on, and a cross."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

from PySide6.QtCore import QEvent, Qt, QTimer, Signal
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent, QHideEvent, QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QWidget

from app.core.events import CancelToken
from app.ui.shell import tasks
from app.ui.shell.i18n import tr
from app.ui.theme import Theme
from app.ui.widgets.buttons import IconButton
from app.ui.widgets.names import name_widgets

TYPING_MS = 250
MOST_HITS = 1000
LONGEST_QUERY = 200


class Searched(Protocol):
    """What can be searched, from any thread."""

    def search(self, text: str, most: int, /) -> list[Any]:
        """At most so many hits, in the order of their `block_id`."""


class DocumentSearch(QWidget):
    """Searches off the window's thread as one types. `hits_changed` brings what was found, `chosen` one of it."""

    hits_changed = Signal()
    chosen = Signal(object)
    failed = Signal(object)
    left = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._document: Searched | None = None
        self._task: tasks.Task | None = None
        self._at = -1
        self._from_block = 1
        self._has_more = False
        self.hits: list[Any] = []
        self.field = QLineEdit(maxLength=LONGEST_QUERY)
        self.field.setAccessibleName(tr("Search in the document"))
        self.field.setPlaceholderText(tr("Search"))
        self.field.textChanged.connect(self._on_typed)
        self.count = QLabel(textFormat=Qt.TextFormat.PlainText)
        self.count.setProperty("kind", "muted")
        self.previous = IconButton(theme, "caret-up", tr("Previous match"), size_px=16)
        self.next = IconButton(theme, "caret-down", tr("Next match"), size_px=16)
        self.close_button = IconButton(theme, "x", tr("Close the search"), size_px=16)
        for button, keys in ((self.previous, "Shift+F3"), (self.next, "F3"), (self.close_button, "Esc")):
            button.setToolTip(f"{button.accessibleName()} ({keys})")
        self.previous.clicked.connect(lambda: self.step(-1))
        self.next.clicked.connect(lambda: self.step(1))
        self.close_button.clicked.connect(self.left)
        self._row = QHBoxLayout(self)
        self._row.addWidget(self.field, 1)
        for widget in (self.count, self.previous, self.next, self.close_button):
            self._row.addWidget(widget)
        self._typed = QTimer(self, singleShot=True, interval=TYPING_MS)
        self._typed.timeout.connect(self._search)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()
        self._show_count()
        name_widgets(search_field=self.field, search_count=self.count)

    def set_document(self, document: Searched | None) -> None:
        """Where to search; what was found before is forgotten."""
        self._stop()
        self._document = document
        self.field.clear()
        self._take([], has_more=False)

    def forget(self) -> None:
        """What was found is no longer marked; the words stay in the field for the next time."""
        self._stop()
        self._take([], has_more=False)

    def begin(self, from_block: int) -> None:
        """Opens; the first match chosen is the first one from this block on."""
        self._from_block = from_block
        self.show()
        self.field.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.field.selectAll()
        if self.field.text() and not self.hits:
            self._typed.start()

    def step(self, steps: int) -> None:
        """The next match (1) or the one before (-1), round the end."""
        if self._typed.isActive():  # Enter does not wait for the pause
            self._search()
        elif self.hits:
            self._at = (self._at + steps) % len(self.hits)
            self._choose()

    def _on_typed(self) -> None:
        self._stop()
        if self.field.text().strip():
            self._typed.start()
        else:
            self._take([], has_more=False)

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

        def search_document(_token: CancelToken) -> Iterator[object]:
            yield document.search(text, MOST_HITS + 1)

        task = self._task = tasks.run(search_document, self)
        task.event.connect(lambda hits: self._take(hits[:MOST_HITS], has_more=len(hits) > MOST_HITS))
        task.failed.connect(self.failed)

    def _take(self, hits: list[Any], *, has_more: bool) -> None:
        had_some = bool(self.hits)
        self.hits, self._has_more = hits, has_more
        self._at = next((i for i, hit in enumerate(hits) if hit.block_id >= self._from_block), 0) if hits else -1
        self._show_count()
        if hits or had_some:
            self.hits_changed.emit()
        if hits:
            self._choose()
        elif self.isVisible() and self.count.text():
            self._say(self.count.text())

    def _choose(self) -> None:
        self._show_count()
        self._from_block = self.hits[self._at].block_id
        self.chosen.emit(self.hits[self._at])
        self._say(self.count.text())

    def _show_count(self) -> None:
        if self.hits:
            most = tr("more than {most}", most=f"{MOST_HITS:,}") if self._has_more else f"{len(self.hits):,}"
            self.count.setText(tr("{number} of {count}", number=f"{self._at + 1:,}", count=most))
        else:
            self.count.setText(tr("No matches") if self.field.text().strip() and not self._typed.isActive() else "")
        for button in (self.previous, self.next):
            button.setEnabled(bool(self.hits))

    def _say(self, text: str) -> None:
        if QAccessible.isActive():
            QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, text))

    def _on_theme_changed(self) -> None:
        px = self._theme.px
        sides = (px(8), px(14)) if self.isRightToLeft() else (px(14), px(8))
        self._row.setContentsMargins(sides[0], px(4), sides[1], px(8))
        self._row.setSpacing(px(4))
        self.field.setFont(self._theme.font(13.5))
        self.count.setFont(self._theme.font(13))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.step(-1 if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1)
        elif event.key() == Qt.Key.Key_Escape:
            self.left.emit()
        else:
            super().keyPressEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LayoutDirectionChange:
            self._on_theme_changed()
        super().changeEvent(event)

    def hideEvent(self, event: QHideEvent) -> None:
        self._stop()
        super().hideEvent(event)
