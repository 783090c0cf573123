"""Layouts and placement: flow in lines, scrolling, side panes, sizes within the screen; object names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, TypeVar, cast

from PySide6.QtCore import QEvent, QMargins, QObject, QRect, QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QApplication,
    QBoxLayout,
    QDialog,
    QFrame,
    QHBoxLayout,
    QLayout,
    QLayoutItem,
    QScrollArea,
    QSplitter,
    QStackedLayout,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)
from shiboken6 import isValid

from app.ui.theme import EDGE_PX, PAGE_PX, WIDE_PX, Theme
from app.ui.widgets.motion import slide_in

AnyLayout = TypeVar("AnyLayout", bound=QLayout)
Filled = TypeVar("Filled", bound="QBoxLayout | FlowLayout | QStackedLayout | QSplitter | QStackedWidget")
USUAL_FRAME_PX = QMargins(8, 40, 8, 8)
"""Window frame of most systems; the real one is known only once the window is shown."""
DIALOG_MARGINS_PX = QMargins(8, 48, 8, 48)
"""Around the highest dialog; the frame that the system adds is part of it."""


def screen_room(window: QWidget) -> QRect:
    """Return the part of a window's screen that is free for windows."""
    return window.screen().availableGeometry()


def within_screen(window: QWidget, wanted: QSize) -> QSize:
    """Return a dialog's size cut to the screen, less the margins."""
    return wanted.boundedTo(screen_room(window).size().shrunkBy(DIALOG_MARGINS_PX))


def scrolled(inside: QWidget) -> QScrollArea:
    """Return a scroll area around a page; the area itself takes no focus."""
    return _bare(QScrollArea(widgetResizable=True), inside)


def _bare(area: QScrollArea, inside: QWidget) -> QScrollArea:
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    area.viewport().setAutoFillBackground(False)
    area.setWidget(inside)
    return area


LEAST_LINES = 3


class FittingScroll(QScrollArea):
    """Scroll area that a page fills, and in which it is scrolled only where that is less than the least it needs.

    It asks for the height of the page, and is content with that of a few lines.
    """

    def __init__(self, page: QWidget) -> None:
        super().__init__()
        self._page = page
        _bare(self, page)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_page()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._page and event.type() == QEvent.Type.LayoutRequest:
            self._fit_page()
        return super().eventFilter(watched, event)

    def sizeHint(self) -> QSize:
        hint, width = self._layout.totalSizeHint(), self.viewport().width()
        return QSize(hint.width(), self._layout.totalHeightForWidth(width)) if self._wraps else hint

    def minimumSizeHint(self) -> QSize:
        least = LEAST_LINES * self.fontMetrics().lineSpacing()
        return QSize(super().minimumSizeHint().width(), min(self.sizeHint().height(), least))

    @property
    def _layout(self) -> QLayout:
        layout = self._page.layout()
        assert layout is not None
        return layout

    @property
    def _wraps(self) -> bool:
        return self._layout.hasHeightForWidth()

    def _fit_page(self) -> None:
        room, layout = self.viewport().size(), self._layout
        least = layout.totalMinimumHeightForWidth(room.width()) if self._wraps else layout.totalMinimumSize().height()
        self._page.resize(room.width(), max(room.height(), least))
        self.updateGeometry()


def drop_margins(layout: AnyLayout, spacing: int | None = None) -> AnyLayout:
    """Take away a layout's margins, and set its spacing if it is given."""
    layout.setContentsMargins(0, 0, 0, 0)
    if spacing is not None:
        layout.setSpacing(spacing)
    return layout


def fill_layout(
    layout: Filled,
    *parts: QWidget | QLayout | int | tuple[QWidget | QLayout, int] | tuple[QWidget, int, Qt.AlignmentFlag],
) -> Filled:
    """Add widgets and layouts in order, and return the layout.

    A tuple has a part, its stretch and perhaps its alignment; a number is the stretch of empty room.
    """
    for part in parts:
        item, *options = cast(tuple[Any, ...], part if isinstance(part, tuple) else (part,))
        if not isinstance(layout, QBoxLayout):
            assert isinstance(item, QWidget)
            layout.addWidget(item)
        elif isinstance(item, QWidget):
            layout.addWidget(item, *options)
        elif isinstance(item, QLayout):
            layout.addLayout(item, *options)
        else:
            layout.addStretch(item)
    return layout


class CurrentStack(QStackedWidget):
    """Stack with the size hint of its current page; hidden pages may not have been measured since the last zoom."""

    def __init__(self) -> None:
        super().__init__()
        self.currentChanged.connect(lambda _: self.updateGeometry())

    def minimumSizeHint(self) -> QSize:
        shown = self.currentWidget()
        return shown.minimumSizeHint().expandedTo(shown.minimumSize()) if shown is not None else QSize()


class ItemsLayout(QLayout):
    """Base of layouts that keep items and place them themselves."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._items: list[QLayoutItem] = []
        self.setContentsMargins(0, 0, 0, 0)

    def addItem(self, item: QLayoutItem) -> None:
        self._items.append(item)

    def count(self) -> int:
        return len(self._items)

    def itemAt(self, index: int) -> QLayoutItem | None:
        return self._items[index] if 0 <= index < len(self._items) else None

    def takeAt(self, index: int) -> QLayoutItem | None:
        return self._items.pop(index) if 0 <= index < len(self._items) else None


class FlowLayout(ItemsLayout):
    """Flow layout: lines start at the leading edge, or end at the trailing one; items wider than a line are shrunk."""

    def __init__(self, parent: QWidget | None = None, *, is_at_end: bool = False) -> None:
        super().__init__(parent)
        self._is_at_end = is_at_end
        self.gap_px = 8
        self.is_last_at_end = False
        """True to align the last item with the end of its line, for a start button after options."""
        self.line_gap_px: int | None = None
        """Gap between lines, if it differs from the one between items."""
        self._heights: dict[int, int] = {}

    def setSpacing(self, gap_px: int) -> None:
        """Set the gap between items, and between lines unless they have their own."""
        self.gap_px = gap_px
        self.invalidate()

    def clear(self) -> None:
        while (item := self.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                # Deleted only when the event loop runs again; until then it would be painted in its old place.
                widget.hide()
                widget.deleteLater()

    def expandingDirections(self) -> Qt.Orientation:
        return Qt.Orientation(0)

    def hasHeightForWidth(self) -> bool:
        return True

    def invalidate(self) -> None:
        # Set anew, not cleared: Qt calls this before __init__ has made it.
        self._heights = {}
        super().invalidate()

    def heightForWidth(self, width: int) -> int:
        # Layouts around this one ask a dozen times for the same width, and each answer asks every widget.
        if width not in self._heights:
            self._heights[width] = self._place_items(QRect(0, 0, width, 0), is_trial=True)
        return self._heights[width]

    def sizeHint(self) -> QSize:
        hints = [_wanted(item) for item in self._shown()]
        width = sum(hint.width() + self.gap_px for hint in hints)
        return QSize(max(0, width - self.gap_px), max((hint.height() for hint in hints), default=0))

    def minimumSize(self) -> QSize:
        hints = [item.minimumSize() for item in self._shown()]
        return QSize(max((h.width() for h in hints), default=0), max((h.height() for h in hints), default=0))

    def setGeometry(self, rect: QRect) -> None:
        super().setGeometry(rect)
        self._place_items(rect, is_trial=False)

    def _shown(self) -> list[QLayoutItem]:
        return [item for item in self._items if not item.isEmpty()]

    def _break_lines(self, items: list[QLayoutItem], width: int) -> list[list[tuple[QLayoutItem, QSize]]]:
        lines: list[list[tuple[QLayoutItem, QSize]]] = []
        used = 0
        for item in items:
            size = _size_within(item, width)
            if not lines or used + self.gap_px + size.width() > width:
                lines.append([])
                used = -self.gap_px
            lines[-1].append((item, size))
            used += self.gap_px + size.width()
        return lines

    def _place_items(self, rect: QRect, *, is_trial: bool) -> int:
        """Place the items, or only measure them; return the height."""
        parent = self.parentWidget()
        # Qt mirrors what its own layouts place, but not what a layout like this computes.
        is_mirrored = parent is not None and parent.isRightToLeft()
        y = rect.y()
        for number, line in enumerate(self._break_lines(self._shown(), max(1, rect.width()))):
            y += (self.gap_px if self.line_gap_px is None else self.line_gap_px) if number else 0
            height = max(size.height() for _, size in line)
            wide = sum(size.width() for _, size in line) + self.gap_px * (len(line) - 1)
            x = rect.width() - wide if self._is_at_end else 0
            for item, size in line:
                if self.is_last_at_end and item is self._items[-1]:
                    x = rect.width() - size.width()
                left = rect.width() - x - size.width() if is_mirrored else x
                if not is_trial:
                    top = y + (height - size.height()) // 2
                    item.setGeometry(QRect(rect.x() + left, top, size.width(), size.height()))
                x += size.width() + self.gap_px
            y += height
        return y - rect.y()


class FoldingRow(FlowLayout):
    """Row of an item that is read and its buttons: in one line, or the buttons below where they leave it no room."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, is_at_end=True)

    def _break_lines(self, items: list[QLayoutItem], width: int) -> list[list[tuple[QLayoutItem, QSize]]]:
        if not items:
            return []
        first, *buttons = items
        room = width - sum(_wanted(button).width() + self.gap_px for button in buttons)
        is_folded = room < min(first.sizeHint().width(), width // 2)
        room = width if is_folded else room
        words = (first, QSize(room, _height_within(first, room)))
        if is_folded:
            return [[words], *super()._break_lines(buttons, width)]
        return [[words, *((button, _wanted(button)) for button in buttons)]]


def _size_within(item: QLayoutItem, width: int) -> QSize:
    """Return an item's size on a line of its own or with others; only one that is wider than the line is wrapped."""
    wanted = _wanted(item)
    return wanted if wanted.width() <= width else QSize(width, _height_within(item, width))


def _height_within(item: QLayoutItem, width: int) -> int:
    return item.heightForWidth(width) if item.hasHeightForWidth() else _wanted(item).height()


def _wanted(item: QLayoutItem) -> QSize:
    """Return a widget's current size hint; its layout item caches an older one."""
    widget = item.widget()
    return item.sizeHint() if widget is None else widget.sizeHint().expandedTo(widget.minimumSize())


class ColumnRow(QHBoxLayout):
    """Row with a page's one column, at most `most_px` wide.

    It stands at the leading edge; in a room wider than `WIDE_PX`, in the middle.
    """

    def __init__(
        self, theme: Theme, column: QWidget, parent: QWidget | None = None, *, most_px: float = PAGE_PX
    ) -> None:
        super().__init__()
        if parent is not None:
            parent.setLayout(self)
        self._theme = theme
        drop_margins(self, 0)
        # Up to its greatest width the column takes everything, the empty room what is left.
        fill_layout(self, 0, (column, 100_000), 1)
        theme.dress(column, most_width=most_px)

    def setGeometry(self, rect: QRect) -> None:
        before = int(rect.width() > self._theme.px(WIDE_PX))
        if self.stretch(0) != before:
            self.setStretch(0, before)
        super().setGeometry(rect)


def column_inset(theme: Theme, room_px: int) -> int:
    """Return where a `ColumnRow` puts a column of `PAGE_PX` with its edges, for text that keeps to it by itself."""
    return (max(0, room_px - theme.px(PAGE_PX + 2 * EDGE_PX)) + 1) // 2 if room_px > theme.px(WIDE_PX) else 0


def name_widgets(**widgets: QObject) -> None:
    """Set each widget's object name to its keyword."""
    for name, widget in widgets.items():
        widget.setObjectName(name)


def drop_focus(part: QWidget) -> None:
    """Take the focus from what is about to be hidden, or Qt would pass it to some other widget first."""
    focus = part.window().focusWidget()
    if focus is not None and (part is focus or part.isAncestorOf(focus)):
        focus.clearFocus()


def end_with_focus(window: QWidget, do: Callable[[], object], take_focus: Callable[[], object]) -> None:
    """Do something, and give the focus away behind it; where it opened a dialog, once that is closed."""
    before = _open_dialogs(window)
    do()
    if opened := _open_dialogs(window) - before:
        opened.pop().finished.connect(lambda _result: take_focus())
    else:
        take_focus()


def _open_dialogs(window: QWidget) -> set[QDialog]:
    return {dialog for dialog in window.findChildren(QDialog) if dialog.isVisible()}


class SidePane(QSplitter):
    """View with a side pane docked at its right: `open_pane` opens `column`, `close_pane` restores the focus.

    What goes into `column` begins with a `PaneHead` and has its own inset.
    `take_keyboard` focuses the view if the earlier focus is gone.
    """

    closed = Signal()
    """The pane was closed."""

    share: ClassVar[float]
    """Default share of the width, until the user moves the divider."""
    most_px: ClassVar[float]
    least_px: ClassVar[float] = 320
    narrow_px: ClassVar[float] = 740
    """Width below which two columns would be too narrow, so the pane replaces the view."""

    def __init__(self, theme: Theme, view: QWidget, take_keyboard: Callable[[], object]) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self._theme, self._view, self._take_keyboard = theme, view, take_keyboard
        self.width_px = 0
        """Width set by the user; 0 for the default."""
        self._focus_before: QWidget | None = None
        # Drawn as a hair line; Qt makes so thin a handle wider for the pointer.
        self.setHandleWidth(1)
        self.frame = QWidget()
        self.column = drop_margins(QVBoxLayout(self.frame))
        self.frame.hide()
        self.addWidget(view)
        self.addWidget(self.frame)
        for place in (0, 1):
            self.setCollapsible(place, False)
        self.setStretchFactor(0, 1)  # a wider window gives its room to the view
        self.splitterMoved.connect(self._on_moved)
        theme.changed.connect(self._arrange)
        self._fit_least()

    @property
    def is_pane_open(self) -> bool:
        """True if the pane is open, next to the view or in its place."""
        return not self.frame.isHidden()

    @property
    def is_narrow(self) -> bool:
        """True if the pane, when open, replaces the view."""
        return self.width() < self._theme.px(self.narrow_px)

    def has_room_for(self, view_px: float) -> bool:
        """Return whether the view keeps `view_px` unscaled pixels with the pane open."""
        return self.width() - self._wanted_px() >= self._theme.px(view_px)

    def open_pane(self, *, takes_focus: bool = True) -> None:
        """Open the pane; the caller moves the focus there, unless the pane is not to take it."""
        was_hidden = not self.is_pane_open
        if was_hidden:
            self._focus_before = QApplication.focusWidget() if takes_focus else None
        self.frame.show()
        if was_hidden and takes_focus:
            drop_focus(self._view)
        self._arrange(is_new=was_hidden)
        if was_hidden:
            slide_in(self.frame)

    def close_pane(self) -> None:
        if not self.is_pane_open:
            return
        focus = QApplication.focusWidget()
        had_focus = focus is None or focus is self.frame or self.frame.isAncestorOf(focus)
        drop_focus(self.frame)
        self.frame.hide()
        self._view.show()
        before = self._focus_before
        # What had the focus may have been deleted meanwhile; Python still holds its wrapper.
        if had_focus and before is not None and isValid(before) and before.isVisible():
            before.setFocus(Qt.FocusReason.OtherFocusReason)
        elif had_focus:
            self._take_keyboard()
        self.closed.emit()

    def _arrange(self, *, is_new: bool = False) -> None:
        if not self.is_pane_open:
            return
        if (is_narrow := self.is_narrow) == self._view.isHidden() and not is_new:
            self._fit_least()
            return
        self._view.setHidden(is_narrow)
        self._fit_least()
        if not is_narrow:
            width = self._wanted_px()
            self.setSizes([self.width() - width, width])

    def _wanted_px(self) -> int:
        return min(self.width_px or self._usual_px(), self.width() - self._theme.px(self.least_px))

    def _usual_px(self) -> int:
        """Return the width until the user moves the divider, in scaled pixels."""
        return min(round(self.width() * self.share), self._theme.px(self.most_px))

    def _fit_least(self) -> None:
        # In place of the view it is as narrow as the window gets.
        self.frame.setMinimumWidth(1 if self._view.isHidden() else self._theme.px(self.least_px))

    def _on_moved(self) -> None:
        # In place of the view its width is the window's, not one that somebody chose.
        if self.is_pane_open and not self._view.isHidden():
            self.width_px = self.frame.width()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()


class InsideSplitter(SidePane):
    """View with the Inside panel at its right; `make` builds the panel on first use."""

    toggled = Signal()
    """The panel was opened or closed."""

    share = 0.48
    most_px = 480
    wide_px, wide_window_px = 560, 1600
    """Greatest default width in a window that is at least so wide."""

    def __init__(
        self, theme: Theme, view: QWidget, take_keyboard: Callable[[], object], make: Callable[[], QWidget]
    ) -> None:
        super().__init__(theme, view, take_keyboard)
        self._make = make
        self.panel: QWidget | None = None
        """None until it is first opened."""
        self.setObjectName("inside_splitter")
        self.closed.connect(self.toggled)

    def _usual_px(self) -> int:
        is_wide = self.window().width() >= self._theme.px(self.wide_window_px)
        return self._theme.px(self.wide_px) if is_wide else super()._usual_px()

    def toggle(self) -> None:
        """Open the panel and focus it, or close it."""
        if self.is_pane_open:
            self.close_pane()
            return
        if self.panel is None:
            self.panel = self._make()
            self.column.addWidget(self.panel)
        self.open_pane()
        self.panel.setFocus(Qt.FocusReason.OtherFocusReason)
        self.toggled.emit()
