"""What stands in a page's middle while it has nothing to list: a title, a sentence, and what can be done."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app.ui.icons import icon
from app.ui.theme import Theme
from app.ui.widgets.buttons import text_button
from app.ui.widgets.layouts import name_widgets

MEASURE_PX = 440

Choice = tuple[str, str, Callable[[], object]]
"""A button: its text, its kind, what it does."""


class StateView(QWidget):
    """Centred, calm, with at most two buttons; screen readers hear title and sentence as one."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._glyph = ""
        self._icon = QLabel(alignment=Qt.AlignmentFlag.AlignCenter)
        self.title = QLabel(alignment=Qt.AlignmentFlag.AlignCenter, textFormat=Qt.TextFormat.PlainText, wordWrap=True)
        self.text = QLabel(alignment=Qt.AlignmentFlag.AlignCenter, textFormat=Qt.TextFormat.PlainText, wordWrap=True)
        self.text.setProperty("kind", "muted")
        self._buttons = QHBoxLayout()
        inside = QVBoxLayout()
        for widget in (self._icon, self.title, self.text):
            inside.addWidget(widget, 0, Qt.AlignmentFlag.AlignHCenter)
        inside.addLayout(self._buttons)
        self._inside = inside
        row = QHBoxLayout()
        row.addStretch(1)
        row.addLayout(inside, 100)
        row.addStretch(1)
        column = QVBoxLayout(self)
        column.addStretch(3)
        column.addLayout(row)
        column.addStretch(4)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()
        name_widgets(state_title=self.title, state_text=self.text)

    def show_state(self, glyph: str, title: str, text: str, choices: Sequence[Choice] = ()) -> None:
        """Another state; the buttons of the one before go."""
        self._glyph = glyph
        self.title.setText(title)
        self.text.setText(text)
        self.text.setVisible(bool(text))
        self.setAccessibleName(f"{title} {text}".strip())
        while (item := self._buttons.takeAt(0)) is not None:
            old = item.widget()
            if old is not None:
                old.hide()
                old.deleteLater()
        self._buttons.addStretch(1)
        for label, kind, on_click in choices:
            button = text_button(label, kind)
            button.setFont(self._theme.font(14, 600 if kind == "primary" else 500))
            button.clicked.connect(lambda _checked=False, on_click=on_click: on_click())
            self._buttons.addWidget(button)
        self._buttons.addStretch(1)
        self._on_theme_changed()

    def _on_theme_changed(self) -> None:
        theme, edge = self._theme, self._theme.px(32)
        picture = icon(self._glyph, theme.tokens.muted, edge) if self._glyph else None
        self._icon.setVisible(picture is not None)
        if picture is not None:
            self._icon.setPixmap(picture.pixmap(QSize(edge, edge), self.devicePixelRatio()))
        self.title.setFont(theme.font(16, 600))
        self.text.setFont(theme.font(14))
        width = theme.px(MEASURE_PX)
        for label in (self.title, self.text):
            label.setMinimumHeight(0)  # else it counts below
            label.setFixedSize(width, max(0, label.heightForWidth(width)))
        self._inside.setSpacing(theme.px(10))
        self._buttons.setSpacing(theme.px(8))
        self._buttons.setContentsMargins(0, theme.px(8), 0, 0)
