"""Text selection across blocks: its ends, and the mouse gestures that set them.

A view says where its text is by a subclass of `BlockSelection`. It imports nothing that draws text, as a chat without
messages needs none of it.
"""

from __future__ import annotations

import time
from enum import IntEnum
from typing import Any, Generic, Protocol, TypeVar

from PySide6.QtCore import QEvent, QMimeData, QObject, QPoint, QPointF, Qt, Signal
from PySide6.QtGui import QClipboard, QCursor, QGuiApplication, QMouseEvent
from PySide6.QtWidgets import QAbstractScrollArea, QApplication, QWidget

from app.ui.theme import Theme
from app.ui.widgets.timers import new_timer

SCROLL_MS = 16
MOST_SCROLLED_PX = 60
"""Most pixels scrolled at one timer step while dragging; less near the edge."""
END = 1 << 30
"""Offset beyond any text."""


class TextSpot(Protocol):
    """Position in the text of a view, compared with others by `key`."""

    @property
    def key(self) -> tuple[int, ...]:
        """Sort key in reading order: the numbers of the block, then the offset in it."""


Spot = TypeVar("Spot", bound=TextSpot)


class SelectionUnit(IntEnum):
    """Unit that a click selects; the value is the number of clicks."""

    CHARACTER = 1
    WORD = 2
    PARAGRAPH = 3


def span_between(ends: tuple[TextSpot, TextSpot], block: tuple[int, ...]) -> tuple[int, int] | None:
    """Return the offsets of a block between two spots, up to `END` where they reach beyond it; None for none."""
    first, last = ends[0].key, ends[1].key
    if not first[:-1] <= block <= last[:-1]:
        return None
    start, end = first[-1] if first[:-1] == block else 0, last[-1] if last[:-1] == block else END
    return (start, end) if start < end else None


class BlockSelection(QObject, Generic[Spot]):
    """Selection between two spots of a view, whichever of them comes first."""

    changed = Signal()
    """The selection changed or was cleared."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._anchor: tuple[Spot, Spot] | None = None
        """Start of the selection: one spot twice, or both ends of the word or paragraph clicked first."""
        self._head: Spot | None = None

    @property
    def ends(self) -> tuple[Spot, Spot] | None:
        """First and last spot; None when nothing is selected."""
        if self._anchor is None or self._head is None:
            return None
        spots = sorted((*self._anchor, self._head), key=lambda spot: spot.key)
        # A click alone begins one without selecting anything.
        return (spots[0], spots[-1]) if spots[0].key != spots[-1].key else None

    @property
    def head(self) -> Spot | None:
        """Spot that an extension moves: the last click, even if nothing is selected."""
        return self._head

    def begin(self, first: Spot, last: Spot | None = None) -> None:
        """Start a new selection: empty at `first`, or from `first` to `last`."""
        self._anchor, self._head = (first, last or first), last or first
        self.show_selection()

    def extend(self, first: Spot, last: Spot | None = None) -> None:
        """Extend the selection to a spot, or to the farther end of a word."""
        if self._anchor is None:
            self.begin(first)
            return
        # Of a word, backwards its beginning counts, forwards its end.
        head = first if first.key < self._anchor[0].key else last or first
        if head != self._head:
            self._head = head
            self.show_selection()

    def clear(self) -> None:
        if self._anchor is not None:
            self._anchor = self._head = None
            self.show_selection()

    def holds(self, spot: Spot) -> bool:
        ends = self.ends
        return ends is not None and ends[0].key < spot.key < ends[1].key

    def span_in(self, block: tuple[int, ...]) -> tuple[int, int] | None:
        """Return the selected offsets of a block, as `span_between` does."""
        ends = self.ends
        return span_between(ends, block) if ends is not None else None

    def show_selection(self) -> None:
        self.changed.emit()

    def spot_at(self, place: QPointF, *, is_inside: bool = False) -> Spot | None:
        """Return the spot nearest to a point; None if there is none, with `is_inside` also beside the text."""
        raise NotImplementedError

    def spot_to_extend(self, place: QPointF) -> Spot | None:
        """Return the spot to which a selection is extended by dragging to a point, which may be outside."""
        return self.spot_at(place)

    def ends_of_unit(self, spot: Spot, unit: SelectionUnit) -> tuple[Spot, Spot]:
        """Return the ends of the word or paragraph at a spot."""
        raise NotImplementedError

    def text(self) -> str:
        raise NotImplementedError

    def data(self) -> QMimeData:
        data = QMimeData()
        data.setText(self.text())
        return data


class SelectionMouse(QObject):
    """Turns mouse events on a surface into a selection; the scroll area around follows the pointer.

    Installed as an event filter, it handles the events that the widgets on the surface ignore.
    """

    pressed = Signal(object)
    """The button was pressed at a spot."""
    clicked = Signal(object, QPointF)
    """A click that selected nothing: the spot or None, and the position on the screen."""
    dragged = Signal()
    """The pointer moved while selecting."""
    settled = Signal()
    """The button was released, so that the selection is complete."""

    def __init__(
        self, selection: BlockSelection[Any], area: QAbstractScrollArea, surface: QWidget, theme: Theme
    ) -> None:
        super().__init__(selection)
        self._selection, self._area, self._surface, self._theme = selection, area, surface, theme
        self.unit = SelectionUnit.CHARACTER
        self.is_pressed = False
        self._is_drag = False
        self._pressed_at = QPoint()
        self._last_double_click: tuple[float, QPoint] | None = None
        """Time and screen position of the last double click, to recognize a triple click."""
        self._scrolling = new_timer(self, SCROLL_MS, self._scroll, repeats=True)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Handle mouse events in the texts and in the gaps between them."""
        if not isinstance(event, QMouseEvent):
            return super().eventFilter(watched, event)
        is_left = event.button() == Qt.MouseButton.LeftButton
        if event.type() in (QEvent.Type.MouseButtonPress, QEvent.Type.MouseButtonDblClick) and is_left:
            self.press(event)
            return True
        if event.type() == QEvent.Type.MouseMove and self.is_pressed:
            self.move(event.globalPosition().toPoint())
            return True
        if event.type() == QEvent.Type.MouseButtonRelease and is_left and self.is_pressed:
            self.release(event)
            return True
        return super().eventFilter(watched, event)

    def press(self, event: QMouseEvent) -> None:
        """Begin a selection, extend one with Shift, or take hold of one to drag it elsewhere."""
        place = event.globalPosition().toPoint()
        if (spot := self._selection.spot_at(event.position())) is None:
            return
        self.unit = self._unit_of(event, place)
        self.is_pressed, self._pressed_at = True, place
        # Pressing on a selection may become a drag of it; a click clears it when it is released.
        self._is_drag = self.unit is SelectionUnit.CHARACTER and self._is_on_selection(spot, event)
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier and self._selection.head is not None:
            self.unit, self._is_drag = SelectionUnit.CHARACTER, False
            self._selection.extend(spot)
        elif not self._is_drag:
            self._selection.begin(*self._ends_of_unit(spot))
        self.pressed.emit(spot)

    def move(self, place: QPoint) -> None:
        """Extend the selection to a position on the screen, or begin to drag it."""
        if self._is_drag:
            # A hand trembles while it clicks.
            if (place - self._pressed_at).manhattanLength() >= QApplication.startDragDistance():
                self.is_pressed = self._is_drag = False
                self._drag()
            return
        if (spot := self._selection.spot_to_extend(QPointF(self._surface.mapFromGlobal(place)))) is not None:
            self._selection.extend(*self._ends_of_unit(spot))
        self.dragged.emit()
        # Qt sends no moves while the pointer rests outside, so a timer scrolls on.
        if self._px_outside(place):
            self._scrolling.start()

    def release(self, event: QMouseEvent) -> None:
        # Links are followed by clicks only, not at the end of a selection.
        is_click = self._selection.ends is None or self._is_drag
        if self._is_drag:
            self._selection.clear()
        self.is_pressed = self._is_drag = False
        self._scrolling.stop()
        if is_click:
            spot = self._selection.spot_at(event.position(), is_inside=True)
            # A drag that became a click has cleared it; keys extend from here.
            if spot is not None and self._selection.head is None:
                self._selection.begin(spot)
            self.clicked.emit(spot, event.globalPosition())
        # X11 pastes it with the middle button.
        elif (clipboard := QGuiApplication.clipboard()).supportsSelection():
            clipboard.setText(self._selection.text(), QClipboard.Mode.Selection)
        self.settled.emit()

    def cancel(self) -> None:
        """Forget a press that was meant for something else than selecting."""
        self.is_pressed = self._is_drag = False
        self._scrolling.stop()

    def _unit_of(self, event: QMouseEvent, place: QPoint) -> SelectionUnit:
        """Return what a click selects. Qt has no triple click, so it is recognized by time and distance."""
        now_s = time.monotonic()
        if event.type() == QEvent.Type.MouseButtonDblClick:
            self._last_double_click = (now_s, place)
            return SelectionUnit.WORD
        # The third click ends it, so that a fourth one is a click again.
        doubled, self._last_double_click = self._last_double_click, None
        if doubled is None or now_s - doubled[0] > QApplication.doubleClickInterval() / 1000:
            return SelectionUnit.CHARACTER
        is_near = (place - doubled[1]).manhattanLength() < QApplication.startDragDistance()
        return SelectionUnit.PARAGRAPH if is_near else SelectionUnit.CHARACTER

    def _is_on_selection(self, spot: TextSpot, event: QMouseEvent) -> bool:
        return self._selection.holds(spot) and self._selection.spot_at(event.position(), is_inside=True) is not None

    def _ends_of_unit(self, spot: TextSpot) -> tuple[TextSpot, TextSpot]:
        return (spot, spot) if self.unit is SelectionUnit.CHARACTER else self._selection.ends_of_unit(spot, self.unit)

    def _drag(self) -> None:
        """Start a drag and drop of the selected text."""
        # Seldom done.
        from PySide6.QtGui import QDrag

        drag = QDrag(self._surface)
        drag.setMimeData(self._selection.data())
        drag.exec(Qt.DropAction.CopyAction)

    def _px_outside(self, place: QPoint) -> int:
        """Return how many pixels a screen position is above (negative) or below the viewport; 0 inside."""
        view = self._area.viewport()
        y = view.mapFromGlobal(place).y()
        return y if y < 0 else max(0, y - view.height() + 1)

    def _scroll(self) -> None:
        place = QCursor.pos()
        beyond, bar = self._px_outside(place), self._area.verticalScrollBar()
        if not beyond or not self.is_pressed:
            self._scrolling.stop()
            return
        # The farther out, the faster.
        step = max(1, min(abs(beyond) // 3, self._theme.px(MOST_SCROLLED_PX)))
        bar.setValue(bar.value() + (step if beyond > 0 else -step))
        self.move(place)
