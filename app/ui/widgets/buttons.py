"""Buttons of the house: a text button of a kind, and an icon button that follows the theme."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, QTimer
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QAbstractScrollArea, QPushButton, QToolButton, QWidget

from app.ui.icons import icon
from app.ui.theme import Theme

ICON_PX = 20
DONE_MS = 1500


def text_button(text: str, kind: str = "plain", parent: QWidget | None = None) -> QPushButton:
    """A button whose accessible name is its text; kinds: primary, plain, quiet, link."""
    button = QPushButton(text, parent)
    button.setProperty("kind", kind)
    button.setAccessibleName(text)
    # Tab reaches it; a click does not leave a focus ring behind, nor take the keyboard from the composer.
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    button.setCursor(Qt.CursorShape.PointingHandCursor)
    button.setAutoDefault(False)
    return button


def set_mark(widget: QWidget, name: str, value: bool | str) -> None:
    """A property that the style sheet looks at."""
    if widget.property(name) != value:
        widget.setProperty(name, value)
        font = widget.font()
        widget.style().unpolish(widget)
        widget.style().polish(widget)
        if widget.testAttribute(Qt.WidgetAttribute.WA_SetFont):
            widget.setFont(font)  # Qt puts back the one that it had when it was polished first


def set_text_font(area: QAbstractScrollArea, font: QFont) -> None:
    """Sets a font on a text and on what it is painted in, which under a style sheet does not follow by itself."""
    area.setFont(font)
    area.viewport().setFont(font)


class IconButton(QToolButton):
    """A glyph to press, with a name for screen readers that is also its tool tip."""

    def __init__(
        self,
        theme: Theme,
        name: str,
        accessible_name: str,
        *,
        token: str = "muted",
        size_px: float = ICON_PX,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._theme, self._icon_name, self._token, self._size_px = theme, name, token, size_px
        self.setProperty("kind", "icon")
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.set_name(accessible_name)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()

    def set_name(self, accessible_name: str) -> None:
        """What it does, for screen readers and as a tool tip."""
        self.setAccessibleName(accessible_name)
        self.setToolTip(accessible_name)

    def set_glyph(self, name: str, token: str | None = None) -> None:
        """Another glyph, such as stop in place of an arrow."""
        self._icon_name, self._token = name, token or self._token
        self._on_theme_changed()

    def show_done(self, words: str) -> None:
        """A tick and what was done, for a moment."""
        if self.accessibleName() == words:
            return
        name, tip = self.accessibleName(), self.toolTip()
        self.setIcon(icon("check", self._theme.tokens.success, self._theme.px(self._size_px)))
        self.setAccessibleName(words)
        self.setToolTip(words)

        def show_again() -> None:
            self.setAccessibleName(name)
            self.setToolTip(tip)
            self._on_theme_changed()

        QTimer.singleShot(DONE_MS, self, show_again)

    def _on_theme_changed(self) -> None:
        size = self._theme.px(self._size_px)
        self.setIcon(icon(self._icon_name, getattr(self._theme.tokens, self._token), size))
        self.setIconSize(QSize(size, size))
