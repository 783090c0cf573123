"""One page of the settings: a title, rows with a name, an explanation and a field, and headings between them."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QFrame, QLabel, QScrollArea, QVBoxLayout, QWidget

from app.ui.theme import Theme

NARROW_PX = 340
"""With less room for a page its fields stand below what they are for."""


class SettingsPage(QWidget):
    """Scrolls its column; what stands in `foot` stays in sight below it."""

    def __init__(self, theme: Theme, title: str) -> None:
        super().__init__()
        self._theme = theme
        self._fonts: list[tuple[QWidget, float, int]] = []
        self._rows: list[QBoxLayout] = []
        inside = QWidget()
        inside.setObjectName("page")
        self.column = QVBoxLayout(inside)
        self._scroll = QScrollArea(widgetResizable=True)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._scroll.setWidget(inside)
        self.foot = QVBoxLayout()
        around = QVBoxLayout(self)
        around.setContentsMargins(0, 0, 0, 0)
        around.setSpacing(0)
        around.addWidget(self._scroll, 1)
        around.addLayout(self.foot)
        self.column.addWidget(self.label(title, 18, 600))
        theme.changed.connect(self._set_fonts)
        self._arrange()

    def finish(self) -> None:
        """After the last row."""
        self.column.addStretch(1)

    def label(self, text: str, size_px: float, weight: int = 400) -> QLabel:
        """A text whose font follows the theme."""
        label = QLabel(text, textFormat=Qt.TextFormat.PlainText, wordWrap=True)
        self.follow(label, size_px, weight)
        return label

    def muted(self, text: str) -> QLabel:
        """An explanation."""
        label = self.label(text, 13)
        label.setProperty("kind", "muted")
        return label

    def follow(self, widget: QWidget, size_px: float, weight: int = 400) -> None:
        """Keeps a widget's font in step with zoom and family."""
        self._fonts.append((widget, size_px, weight))
        widget.setFont(self._theme.font(size_px, weight))

    def add_heading(self, text: str) -> QLabel:
        """Begins a group of rows."""
        heading = self.label(text, 14, 600)
        heading.setContentsMargins(0, self._theme.px(10), 0, 0)
        self.column.addWidget(heading)
        return heading

    def add_row(self, name: str, explanation: str | QLabel, field: QWidget) -> QWidget:
        """A name with its explanation, and the field at the other side; the row can be hidden."""
        words = QVBoxLayout()
        words.setSpacing(self._theme.px(2))
        words.addWidget(QLabel(name, wordWrap=True))
        if explanation:
            words.addWidget(explanation if isinstance(explanation, QLabel) else self.muted(explanation))
        row = QWidget()
        inside = QBoxLayout(QBoxLayout.Direction.LeftToRight, row)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.addLayout(words, 1)
        inside.addWidget(field, 0, Qt.AlignmentFlag.AlignTop)
        self.column.addWidget(row)
        self._rows.append(inside)
        self._arrange()
        return row

    def replace(self, layout: QVBoxLayout, old: QWidget, new: QWidget) -> None:
        """Puts `new` where `old` stands in a layout."""
        layout.replaceWidget(old, new)
        gone = {old, *old.findChildren(QWidget)}
        self._rows = [row for row in self._rows if row.parentWidget() not in gone]
        self._fonts = [follower for follower in self._fonts if follower[0] not in gone]
        old.hide()
        old.deleteLater()

    def _set_fonts(self) -> None:
        for widget, size_px, weight in self._fonts:
            widget.setFont(self._theme.font(size_px, weight))
        self._arrange()

    def _arrange(self) -> None:
        px, is_narrow = self._theme.px, self.width() < self._theme.px(NARROW_PX)
        self.column.setContentsMargins(*(px(16 if is_narrow else 28), px(14 if is_narrow else 20)) * 2)
        self.column.setSpacing(px(14))
        along, down = QBoxLayout.Direction.LeftToRight, QBoxLayout.Direction.TopToBottom
        for row in self._rows:
            row.setDirection(down if is_narrow else along)
            row.setSpacing(px(6 if is_narrow else 16))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()
