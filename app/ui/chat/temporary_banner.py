"""Says above the composer that nothing of this chat is kept."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QWidget

from app.ui.icons import icon
from app.ui.shell.i18n import tr
from app.ui.theme import Theme


class TemporaryBanner(QFrame):
    """One line on the chip colour."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.setObjectName("temporary_banner")
        self._glyph = QLabel()
        self._words = QLabel(tr("Temporary: nothing of this chat is kept"), textFormat=Qt.TextFormat.PlainText)
        self.setAccessibleName(self._words.text())
        self._row = QHBoxLayout(self)
        self._row.addWidget(self._glyph)
        self._row.addWidget(self._words, 1)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()

    def _on_theme_changed(self) -> None:
        px = self._theme.px
        self._row.setContentsMargins(px(14), px(6), px(14), px(6))
        self._row.setSpacing(px(8))
        self._words.setFont(self._theme.font(13, 500))
        self._glyph.setPixmap(icon("ghost", self._theme.tokens.accent, px(16)).pixmap(px(16), px(16)))
