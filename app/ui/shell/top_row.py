"""Top of the content: the button of the left column, the tabs, the model picker and the button of the right panel."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QRect, QSize, Qt
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import QWidget

from app.ui.screen_reader import read_as
from app.ui.shell.model_picker import ModelPicker
from app.ui.shell.tabs import TabRow
from app.ui.shown_texts import rewrite_text
from app.ui.theme import Theme
from app.ui.widgets.buttons import IconButton
from app.ui.widgets.layouts import ItemsLayout

LEFT_PX, TOP_PX, RIGHT_PX, BOTTOM_PX, GAP_PX = 20, 12, 18, 8, 6
TIGHT_PX = 4
"""Margin in the tightest layout."""
NAME_GAP_PX = 10
SPARE_PX = 24
"""Room that stays empty beside the name of the panel's button."""


class PanelButton(IconButton):
    """Button of the right-hand panel: its icon, and its short name if the row has room for it."""

    def __init__(self, theme: Theme, glyph: str, accessible_name: str, words: str, *, name: str) -> None:
        super().__init__(theme, glyph, accessible_name, name=name)
        self._words = words
        self.setCheckable(True)
        read_as(self, QAccessible.Role.Button, folds=True)
        theme.dress(self, font="control")

    @property
    def icon_px(self) -> int:
        return self.iconSize().width() + 2 * self._theme.px(5) + 2

    @property
    def name_px(self) -> int:
        return self.fontMetrics().horizontalAdvance(self._words) + self._theme.px(NAME_GAP_PX)

    def show_name(self, *, shown: bool) -> None:
        style = Qt.ToolButtonStyle.ToolButtonTextBesideIcon if shown else Qt.ToolButtonStyle.ToolButtonIconOnly
        if style != self.toolButtonStyle():
            self.setToolButtonStyle(style)
            self._show_words()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange:
            self._words = rewrite_text(self._words)
            self._show_words()

    def _show_words(self) -> None:
        has_room = self.toolButtonStyle() == Qt.ToolButtonStyle.ToolButtonTextBesideIcon
        self.setText(f"\u2009{self._words}" if has_room else "")  # a little farther from the icon


class TopRow(ItemsLayout):
    """Layout of the top row. As room shrinks, first the panel's button shows its icon alone, then the picker narrows,
    then tabs show icons, and at last margins shrink and the picker loses its text.
    """

    def __init__(self, theme: Theme, toggle: QWidget, tabs: TabRow, picker: ModelPicker, panel: PanelButton) -> None:
        super().__init__()
        self._theme, self._toggle, self._tabs, self._picker, self._panel = theme, toggle, tabs, picker, panel
        self._has_panel = True
        for widget in (toggle, tabs, picker, panel):
            self.addWidget(widget)
        theme.changed.connect(self.invalidate)

    def show_panel_button(self, *, shown: bool) -> None:
        """Show the inspector button if the open tab has a panel."""
        self._has_panel = shown
        self._panel.setVisible(shown)
        self.invalidate()

    def sizeHint(self) -> QSize:
        return QSize(self._width(self._tabs.names_px, self._picker.sizeHint().width()), self._height)

    def minimumSize(self) -> QSize:
        return QSize(self._least_px, self._height)

    def setGeometry(self, rect: QRect) -> None:
        super().setGeometry(rect)
        px = self._theme.px
        least = self._picker.minimumSizeHint().width()
        has_names = rect.width() >= self._width(self._tabs.names_px, least)
        if rect.width() < self._width(self._tabs.icons_px, least):
            self._place_tightly(rect)
            return
        self._tabs.show_names(shown=has_names)
        self._panel.setVisible(self._has_panel)
        tabs_px = self._tabs.names_px if has_names else self._tabs.icons_px
        picker_px = max(min(self._picker.sizeHint().width(), rect.width() - self._width(tabs_px, 0)), least)
        toggle_px, spare = self._toggle.sizeHint().width(), rect.width() - self._width(tabs_px, picker_px)
        has_panel_name = self._has_panel and spare >= self._panel.name_px + px(SPARE_PX)
        self._panel.show_name(shown=has_panel_name)
        panel_px = self._panel.icon_px + (self._panel.name_px if has_panel_name else 0)
        self._place_widget(self._toggle, px(LEFT_PX), toggle_px)
        # No gap: the icon begins on the edge of the page, and the room around it is gap enough.
        self._place_widget(self._tabs, px(LEFT_PX) + toggle_px, tabs_px)
        end = rect.width() - px(RIGHT_PX)
        self._place_widget(self._panel, end - panel_px, panel_px)
        end -= panel_px + px(GAP_PX) if self._has_panel else 0
        self._place_widget(self._picker, end - picker_px, picker_px)

    def _place_tightly(self, rect: QRect) -> None:
        gap, toggle_px = self._theme.px(TIGHT_PX), self._toggle.sizeHint().width()
        left = 2 * gap + toggle_px
        self._panel.show_name(shown=False)
        # In the tightest layout the panel's button goes before anything else.
        self._panel.setVisible(self._has_panel and rect.width() >= self._least_px + self._panel_px(gap))
        end = rect.width() - gap - (0 if self._panel.isHidden() else self._panel_px(gap))
        is_tight = end - left - self._tabs.icons_px - gap < self._picker.least_px
        self._tabs.show_names(shown=False, is_tight=is_tight)
        tabs_px = self._tabs.tight_px if is_tight else self._tabs.icons_px
        picker_px = max(end - left - tabs_px - gap, self._picker.least_px)
        self._place_widget(self._toggle, gap, toggle_px)
        self._place_widget(self._tabs, left, tabs_px)
        self._place_widget(self._picker, end - picker_px, picker_px)
        self._place_widget(self._panel, rect.width() - gap - self._panel.icon_px, self._panel.icon_px)

    @property
    def _least_px(self) -> int:
        widths = (self._toggle.sizeHint().width(), self._tabs.tight_px, self._picker.least_px)
        return sum(widths) + self._theme.px(TIGHT_PX) * 4

    @property
    def _height(self) -> int:
        px = self._theme.px
        return max(widget.sizeHint().height() for widget in (self._tabs, self._picker)) + px(TOP_PX) + px(BOTTOM_PX)

    def _width(self, tabs_px: int, picker_px: int) -> int:
        px = self._theme.px
        around = px(LEFT_PX) + px(GAP_PX) + px(RIGHT_PX) + self._panel_px(px(GAP_PX))
        return around + self._toggle.sizeHint().width() + tabs_px + picker_px

    def _panel_px(self, gap: int) -> int:
        """Return the width of the inspector button, including its gap."""
        return self._panel.icon_px + gap if self._has_panel else 0

    def _place_widget(self, widget: QWidget, x: int, width: int) -> None:
        rect, parent = self.geometry(), self.parentWidget()
        room = rect.height() - self._theme.px(TOP_PX) - self._theme.px(BOTTOM_PX)
        height = min(widget.sizeHint().height(), room)
        # Qt mirrors its own layouts, not what is placed by hand.
        if parent is not None and parent.isRightToLeft():
            x = rect.width() - x - width
        top = rect.y() + self._theme.px(TOP_PX) + (room - height) // 2
        widget.setGeometry(rect.x() + x, top, width, height)
