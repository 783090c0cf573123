"""The languages to choose from: a field that narrows them down, and their names in English and in their own words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from PySide6.QtCore import QEvent, QObject, QPoint, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QLineEdit, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from app.language.words import fold
from app.ui.shell.i18n import tr
from app.ui.theme import Theme

WIDTH_PX, MOST_ROWS, ROW_PX = 340, 10, 34
_MOVES = (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown)
_CODE = Qt.ItemDataRole.UserRole


class Offered(NamedTuple):
    """A line of the list: a value, its name, and what else it may be looked for by."""

    value: str
    name: str
    other: str = ""


class LanguagePopup(QFrame):
    """Closes with the choice, with Esc, and with a click elsewhere."""

    chosen = Signal(str)

    def __init__(self, theme: Theme, name: str, offered: Sequence[Offered], value: str, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self._theme, self._offered = theme, offered
        self.setObjectName("language_popup")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAccessibleName(name)
        self.search = QLineEdit(placeholderText=tr("Search languages"))
        self.search.setAccessibleName(tr("Search languages"))
        self.search.setFont(theme.font(14))
        self.search.textChanged.connect(self._on_typed)
        self.search.installEventFilter(self)
        self.list = QListWidget()
        self.list.setObjectName("languages")
        self.list.setAccessibleName(name)
        self.list.setFont(theme.font(14))
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # the field has the keyboard, and moves in it
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setProperty("elides", True)
        self.list.itemClicked.connect(self._on_chosen)
        for one in offered:
            words = f"{one.name}  ·  {one.other}" if one.other and one.other != one.name else one.name
            item = QListWidgetItem(words, self.list)
            item.setData(_CODE, one.value)
            if one.value == value:
                self.list.setCurrentItem(item)
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.px(8), theme.px(8), theme.px(8), theme.px(8))
        column.setSpacing(theme.px(6))
        column.addWidget(self.search)
        column.addWidget(self.list)
        self.setFixedWidth(theme.px(WIDTH_PX))
        self.list.setFixedHeight(theme.px(ROW_PX) * min(MOST_ROWS, max(1, len(offered))))

    def show_below(self, widget: QWidget) -> None:
        """Opens it under a button, the keyboard in the field."""
        x = widget.width() - self.width() if widget.isRightToLeft() else 0
        below = widget.mapToGlobal(QPoint(x, widget.height() + self._theme.px(4)))
        screen = widget.screen().availableGeometry()
        height = self.sizeHint().height()
        lowest, rightmost = screen.bottom() - height, screen.right() - self.width()
        self.move(max(screen.left(), min(below.x(), rightmost)), max(screen.top(), min(below.y(), lowest)))
        self.show()
        self.search.setFocus(Qt.FocusReason.PopupFocusReason)
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
        wanted, first = fold(typed.strip()), -1
        for row, one in enumerate(self._offered):
            is_it = wanted in fold(one.name) or wanted in fold(one.other) or wanted == one.value.lower()
            self.list.item(row).setHidden(not is_it)
            starts = fold(one.name).startswith(wanted) or fold(one.other).startswith(wanted)
            if is_it and (first < 0 or (starts and not _starts(self._offered[first], wanted))):
                first = row
        self.list.setCurrentRow(first)

    def _on_chosen(self, item: QListWidgetItem) -> None:
        value = str(item.data(_CODE))
        self.close()
        self.chosen.emit(value)


def _starts(one: Offered, wanted: str) -> bool:
    return fold(one.name).startswith(wanted) or fold(one.other).startswith(wanted)
