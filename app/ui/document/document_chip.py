"""Chip of a document: its name and size, reading progress, or an error."""

from __future__ import annotations

from pathlib import PurePath

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QPainterPath, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSizePolicy, QWidget

from app.documents.formats import registry
from app.ui.i18n import tr
from app.ui.shared_labels import DOCUMENT_LABEL, READING_FILE, REMOVE_NAMED
from app.ui.shown_texts import keep_words
from app.ui.theme import Theme, smooth_painter
from app.ui.widgets.buttons import ArrowPassing, IconButton, set_mark
from app.ui.widgets.labels import ElidedLabel, plain_tip

READING_PERCENT = "Reading, {percent} %"
ICON_PX = 16
BAR_PX = 2
NAME_PX = 260
LEAST_NAME_PX = 100
_GLYPHS = {registry.PDFS: "file-pdf", registry.TABLES: "table", registry.MAILS: "envelope", "epub": "book-open"}
"""Icons by kind and name of formats."""


class DocumentChip(ArrowPassing, QPushButton):
    """Card of a document that works as a button, with a cross to remove it where that is possible."""

    remove_wanted = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._share: float | None = None
        self._is_error = False
        self.setObjectName("document_chip")
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAutoDefault(False)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)  # shrinks where the line is narrower
        self._icon = QLabel()
        self._name = keep_words(ElidedLabel("", Qt.TextElideMode.ElideMiddle))
        theme.dress(self._name, font="small", most_width=NAME_PX)
        self._words = ElidedLabel()
        self._words.setProperty("kind", "muted")
        self.remove = IconButton(theme, "x", "", size_px=14, on_click=self.remove_wanted)
        self.remove.hide()
        for part in (self._icon, self._name, self._words):  # the parts form one button
            part.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._row = theme.dress(QHBoxLayout(self), spacing=10)
        for widget in (self._icon, self._name, self._words, self.remove):
            self._row.addWidget(widget)
        theme.dress(self._words, font="small")
        theme.dress(self, least_height=30)
        theme.changed.connect(self._show_look)
        self._show_look()

    def show_name(self, name: str) -> None:
        """Set the file name; its ending chooses the icon."""
        self._name.setText(name)
        self.remove.set_name(tr(REMOVE_NAMED, name=name))
        self._show_look()
        self._describe()

    def show_words(self, words: str) -> None:
        """Show details such as "15 pages · 4,200 words", ending progress or error."""
        self._share, self._is_error = None, False
        self._show_words(words)

    def show_progress(self, done: int, total: int) -> None:
        """Show the reading progress; a `total` of 0 is unknown."""
        self._share, self._is_error = (min(1.0, done / total) if total > 0 else 0.0), False
        self._show_words(tr(READING_PERCENT, percent=round(self._share * 100)) if total > 0 else tr(READING_FILE))

    def show_error(self, words: str) -> None:
        """Show why reading failed; the whole text is the tooltip."""
        self._share, self._is_error = None, True
        # The card shows the name already.
        self._show_words(words.removeprefix(f"{self._name.text()} "))
        self.setAccessibleDescription(words)
        self.setToolTip(plain_tip(words))

    def set_removable(self, is_removable: bool) -> None:
        self.remove.setVisible(is_removable)
        self._show_look()

    def _show_words(self, words: str) -> None:
        self._words.setText(words)
        set_mark(self._words, "kind", "danger" if self._is_error else "muted")
        self._show_look()
        self._describe()

    def _describe(self) -> None:
        self.setAccessibleName(tr(DOCUMENT_LABEL, name=self._name.text()))
        self.setAccessibleDescription(self._words.text())

    def _show_look(self) -> None:
        glyph = "warning-circle" if self._is_error else _glyph_of(PurePath(self._name.text()).suffix)
        self._theme.dress(self._icon, picture=(glyph, "danger" if self._is_error else "accent", ICON_PX))
        self._theme.dress(self._row, margins=(12, 4, 4 if self.remove.isVisibleTo(self) else 12, 4))
        needed = self._name.fontMetrics().horizontalAdvance(self._name.text())
        self._name.setMinimumWidth(min(needed, self._theme.px(LEAST_NAME_PX)))  # so that the details are elided first
        self.update()

    def sizeHint(self) -> QSize:
        # A push button's own hint is that of its text, and this one has a layout instead.
        return self._row.sizeHint()

    def minimumSizeHint(self) -> QSize:
        return self._row.minimumSize()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.click()
        # The key that a Mac labels "delete" is Qt's Backspace.
        elif event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace) and self.remove.isVisibleTo(self):
            self.remove_wanted.emit()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the reading progress along the lower edge, over the button."""
        super().paintEvent(event)
        if self._share is None:
            return
        painter = smooth_painter(self)
        inside = QPainterPath()
        radius = self._theme.px(8)
        # So that the ends of the bar follow the button's round corners.
        inside.addRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), radius, radius)
        painter.setClipPath(inside)
        high, width = self._theme.px(BAR_PX), self.width() * self._share
        left = self.width() - width if self.isRightToLeft() else 0.0
        painter.fillRect(QRectF(0, self.height() - 1 - high, self.width(), high), QColor(self._theme.tokens.line))
        painter.fillRect(QRectF(left, self.height() - 1 - high, width, high), QColor(self._theme.tokens.muted))


def _glyph_of(ending: str) -> str:
    meant = next((file_format for file_format in registry.formats() if file_format.has(ending)), None)
    return "file-text" if meant is None else _GLYPHS.get(meant.name) or _GLYPHS.get(meant.kind, "file-text")


class PageChip(ArrowPassing, QPushButton):
    """Link-like button such as "p. 4", small enough for a line of text."""

    def __init__(self, theme: Theme, text: str, accessible_name: str, parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self._theme = theme
        self.setObjectName("page_chip")
        self.setAccessibleName(accessible_name)
        self.setToolTip(plain_tip(accessible_name))
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAutoDefault(False)
        theme.dress(self, font="row")
