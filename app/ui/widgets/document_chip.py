"""A document beside a message: its name, how long it is, how far its reading has come, or what went wrong."""

from __future__ import annotations

from pathlib import PurePath

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPainterPath, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSizePolicy, QWidget

from app.documents.formats import registry
from app.ui.icons import icon
from app.ui.shell.i18n import tr
from app.ui.theme import Theme
from app.ui.widgets.buttons import IconButton
from app.ui.widgets.elided_label import ElidedLabel
from app.ui.widgets.plain_tip import plain_tip

ICON_PX = 16
BAR_PX = 2
NAME_PX = 260
LEAST_NAME_PX = 100
_GLYPHS = {registry.PDFS: "file-pdf", registry.TABLES: "table", registry.MAILS: "envelope", "epub": "book-open"}
"""By the kinds and the names of formats."""


class DocumentChip(QPushButton):
    """A card that is a button; a cross in it takes the document away where that is possible."""

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
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)  # narrower where a line is
        self._icon = QLabel()
        self._name = ElidedLabel("", Qt.TextElideMode.ElideMiddle)
        self._words = ElidedLabel()
        self._words.setProperty("kind", "muted")
        self.remove = IconButton(theme, "x", "", size_px=14)
        self.remove.clicked.connect(self.remove_wanted)
        self.remove.hide()
        for part in (self._icon, self._name, self._words):  # all of it is one button
            part.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._row = QHBoxLayout(self)
        for widget in (self._icon, self._name, self._words, self.remove):
            self._row.addWidget(widget)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()

    def show_name(self, name: str) -> None:
        """The file's name; its ending chooses the icon."""
        self._name.setText(name)
        self.remove.set_name(tr("Remove {name}", name=name))
        self._on_theme_changed()
        self._describe()

    def show_words(self, words: str) -> None:
        """What is known of it, such as "15 pages · 4,200 words"; ends a progress and an error."""
        self._share, self._is_error = None, False
        self._say(words)

    def show_progress(self, done: int, total: int) -> None:
        """How much of it has been read; a `total` of 0 is not known yet."""
        self._share, self._is_error = (min(1.0, done / total) if total > 0 else 0.0), False
        self._say(tr("Reading, {percent} %", percent=round(self._share * 100)) if total > 0 else tr("Reading…"))

    def show_error(self, words: str) -> None:
        """Why it is not there, in a sentence; where that begins with the name, it is not said twice."""
        self._share, self._is_error = None, True
        self._say(words.removeprefix(f"{self._name.text()} "))
        self.setAccessibleDescription(words)
        self.setToolTip(plain_tip(words))

    def set_removable(self, is_removable: bool) -> None:
        """Whether there is a cross."""
        self.remove.setVisible(is_removable)
        self._on_theme_changed()

    def _say(self, words: str) -> None:
        self._words.setText(words)
        kind = "danger" if self._is_error else "muted"
        if self._words.property("kind") != kind:
            self._words.setProperty("kind", kind)
            self._words.style().unpolish(self._words)
            self._words.style().polish(self._words)
        self._on_theme_changed()
        self._describe()

    def _describe(self) -> None:
        self.setAccessibleName(tr("Document {name}", name=self._name.text()))
        self.setAccessibleDescription(self._words.text())

    def _on_theme_changed(self) -> None:
        px, tokens = self._theme.px, self._theme.tokens
        glyph = "warning-circle" if self._is_error else _glyph_of(PurePath(self._name.text()).suffix)
        color = tokens.danger if self._is_error else tokens.accent
        self._icon.setPixmap(icon(glyph, color, px(ICON_PX)).pixmap(px(ICON_PX)))
        self._name.setFont(self._theme.font(13))
        self._name.setMaximumWidth(px(NAME_PX))
        needed = self._name.fontMetrics().horizontalAdvance(self._name.text())
        self._name.setMinimumWidth(min(needed, px(LEAST_NAME_PX)))  # the words are shortened first
        self._words.setFont(self._theme.font(13))
        end = px(4) if self.remove.isVisibleTo(self) else px(12)
        self._row.setContentsMargins(px(12), px(4), end, px(4))
        self._row.setSpacing(px(10))
        self.setMinimumHeight(px(30))
        self.update()

    def sizeHint(self) -> QSize:
        return self._row.sizeHint()

    def minimumSizeHint(self) -> QSize:
        return self._row.minimumSize()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.click()
        elif event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace) and self.remove.isVisibleTo(self):
            self.remove_wanted.emit()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """A line along the lower edge fills while the document is read."""
        super().paintEvent(event)
        if self._share is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        inside = QPainterPath()
        radius = self._theme.px(8)
        inside.addRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), radius, radius)
        painter.setClipPath(inside)
        high, width = self._theme.px(BAR_PX), self.width() * self._share
        left = self.width() - width if self.isRightToLeft() else 0.0
        painter.fillRect(QRectF(0, self.height() - 1 - high, self.width(), high), QColor(self._theme.tokens.line))
        painter.fillRect(QRectF(left, self.height() - 1 - high, width, high), QColor(self._theme.tokens.muted))


def _glyph_of(ending: str) -> str:
    meant = next((each for each in registry.formats() if each.has(ending)), None)
    return "file-text" if meant is None else _GLYPHS.get(meant.name) or _GLYPHS.get(meant.kind, "file-text")
