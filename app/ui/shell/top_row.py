"""The top of the content: the button of the left column, the tabs, and the model picker at the other end."""

from __future__ import annotations

from PySide6.QtCore import QRect, QSize
from PySide6.QtWidgets import QLayout, QLayoutItem, QWidget

from app.ui.shell.model_picker import ModelPicker
from app.ui.shell.tabs import TabRow
from app.ui.theme import Theme

LEFT_PX, TOP_PX, RIGHT_PX, BOTTOM_PX, GAP_PX = 13, 12, 18, 8, 6
TIGHT_PX = 4
"""Every one of these distances in the least room."""


class TopRow(QLayout):
    """Where there is little room the picker gets narrower first, then the tabs show icons in place of their names,
    and at last the distances shrink and the picker leaves its model's name out."""

    def __init__(self, theme: Theme, toggle: QWidget, tabs: TabRow, picker: ModelPicker) -> None:
        super().__init__()
        self._theme, self._toggle, self._tabs, self._picker = theme, toggle, tabs, picker
        self._items: list[QLayoutItem] = []
        self.setContentsMargins(0, 0, 0, 0)
        for widget in (toggle, tabs, picker):
            self.addWidget(widget)
        theme.changed.connect(self.invalidate)

    def addItem(self, item: QLayoutItem) -> None:
        self._items.append(item)

    def count(self) -> int:
        return len(self._items)

    def itemAt(self, index: int) -> QLayoutItem | None:
        return self._items[index] if 0 <= index < len(self._items) else None

    def takeAt(self, index: int) -> QLayoutItem | None:
        return self._items.pop(index) if 0 <= index < len(self._items) else None

    def sizeHint(self) -> QSize:
        return QSize(self._width(self._tabs.names_px, self._picker.sizeHint().width()), self._height)

    def minimumSize(self) -> QSize:
        return QSize(self._tightest, self._height)

    def setGeometry(self, rect: QRect) -> None:
        super().setGeometry(rect)
        px = self._theme.px
        least = self._picker.minimumSizeHint().width()
        has_names = rect.width() >= self._width(self._tabs.names_px, least)
        self._tabs.show_names(shown=has_names)
        if rect.width() < self._width(self._tabs.icons_px, least):
            self._place_tightly(rect)
            return
        tabs_px = self._tabs.names_px if has_names else self._tabs.icons_px
        picker_px = max(min(self._picker.sizeHint().width(), rect.width() - self._width(tabs_px, 0)), least)
        toggle_px = self._toggle.sizeHint().width()
        self._place(self._toggle, px(LEFT_PX), toggle_px)
        self._place(self._tabs, px(LEFT_PX) + toggle_px + px(GAP_PX), tabs_px)
        self._place(self._picker, rect.width() - px(RIGHT_PX) - picker_px, picker_px)

    def _place_tightly(self, rect: QRect) -> None:
        gap, toggle_px = self._theme.px(TIGHT_PX), self._toggle.sizeHint().width()
        left = 2 * gap + toggle_px
        picker_px = max(rect.width() - left - self._tabs.icons_px - 2 * gap, self._picker.least_px)
        self._place(self._toggle, gap, toggle_px)
        self._place(self._tabs, left, self._tabs.icons_px)
        self._place(self._picker, rect.width() - gap - picker_px, picker_px)

    @property
    def _tightest(self) -> int:
        widths = (self._toggle.sizeHint().width(), self._tabs.icons_px, self._picker.least_px)
        return sum(widths) + self._theme.px(TIGHT_PX) * 4

    @property
    def _height(self) -> int:
        px = self._theme.px
        return max(widget.sizeHint().height() for widget in (self._tabs, self._picker)) + px(TOP_PX) + px(BOTTOM_PX)

    def _width(self, tabs_px: int, picker_px: int) -> int:
        px = self._theme.px
        return px(LEFT_PX) + self._toggle.sizeHint().width() + tabs_px + picker_px + 2 * px(GAP_PX) + px(RIGHT_PX)

    def _place(self, widget: QWidget, x: int, width: int) -> None:
        rect, parent = self.geometry(), self.parentWidget()
        room = rect.height() - self._theme.px(TOP_PX) - self._theme.px(BOTTOM_PX)
        height = min(widget.sizeHint().height(), room)
        if parent is not None and parent.isRightToLeft():
            x = rect.width() - x - width
        top = rect.y() + self._theme.px(TOP_PX) + (room - height) // 2
        widget.setGeometry(rect.x() + x, top, width, height)
