"""Overlay scroll bars: over the content, shown while the user scrolls and near the pointer.

The style sheet gives Qt's own bars no width, so that they never take room; they stay the model of what is scrolled. An
`OverlayBar` exists only while it is seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QAbstractScrollArea, QAbstractSlider, QApplication, QScrollBar, QWidget
from shiboken6 import isValid

from app.ui.input_watch import InputWatch

STRIP_PX = 12
"""Width of a bar; its thumb is narrower."""
NEAR_PX = 24
"""Distance of the pointer from an area's edge within which its bar is shown."""
STAYS_MS = 900
NAME = "overlay_bar"
_KEYS = {
    Qt.Key.Key_Up,
    Qt.Key.Key_Down,
    Qt.Key.Key_Left,
    Qt.Key.Key_Right,
    Qt.Key.Key_PageUp,
    Qt.Key.Key_PageDown,
    Qt.Key.Key_Home,
    Qt.Key.Key_End,
    Qt.Key.Key_Space,
}
VERTICAL, HORIZONTAL = Qt.Orientation.Vertical, Qt.Orientation.Horizontal


def own_bar(area: QAbstractScrollArea, orientation: Qt.Orientation) -> QScrollBar:
    return area.verticalScrollBar() if orientation == VERTICAL else area.horizontalScrollBar()


def can_scroll(area: QAbstractScrollArea, orientation: Qt.Orientation) -> bool:
    """Return whether an area hides content in a direction, and would show it by a bar."""
    is_vertical = orientation == VERTICAL
    policy = area.verticalScrollBarPolicy() if is_vertical else area.horizontalScrollBarPolicy()
    bar = own_bar(area, orientation)
    return policy != Qt.ScrollBarPolicy.ScrollBarAlwaysOff and bar.maximum() > bar.minimum()


class OverlayBar(QScrollBar):
    """Scroll bar over an area's edge, in step with the area's own."""

    def __init__(self, area: QAbstractScrollArea, orientation: Qt.Orientation, strip_px: int) -> None:
        super().__init__(orientation, area)
        self.setObjectName(NAME)
        self.setProperty("is_mirrored", area.isRightToLeft())
        self.area, self._strip_px = area, strip_px
        self._own = own_bar(area, orientation)
        self._copy_range()
        self._own.rangeChanged.connect(self._copy_range)
        self._own.valueChanged.connect(self.setValue)
        self.actionTriggered.connect(self._scroll_area)
        area.installEventFilter(self)
        self._fit_edge()
        self.show()
        self.raise_()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize:
            self._fit_edge()
        return super().eventFilter(watched, event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        # As over the content: a wheel over a wide table's bar scrolls the page.
        QApplication.sendEvent(self.area.viewport(), event)

    def _copy_range(self) -> None:
        own = self._own
        self.setRange(own.minimum(), own.maximum())
        self.setPageStep(own.pageStep())
        self.setSingleStep(own.singleStep())
        self.setValue(own.value())
        if own.maximum() <= own.minimum():
            self.hide()

    def _scroll_area(self) -> None:
        self._own.setSliderPosition(self.sliderPosition())
        # So that those hear of it who follow what the user does.
        self._own.triggerAction(QAbstractSlider.SliderAction.SliderMove)

    def _fit_edge(self) -> None:
        area, view, thick = self.area, self.area.viewport().geometry(), self._strip_px
        if self.orientation() == VERTICAL:
            x = 1 if area.isRightToLeft() else area.width() - 1 - thick
            short = thick if can_scroll(area, HORIZONTAL) else 0
            self.setGeometry(x, view.top(), thick, view.height() - short)
        else:
            self.setGeometry(view.left(), area.height() - 1 - thick, view.width(), thick)


class OverlayBars(QObject):
    """Shows the bars of the area that the user scrolls, or at whose edge the pointer is."""

    def __init__(self, watch: InputWatch) -> None:
        super().__init__(watch)
        self.px: Callable[[float], int] = round
        self._watch = watch
        self._shown: dict[Qt.Orientation, OverlayBar] = {}
        self._near: set[Qt.Orientation] = set()
        self._rest = QTimer(self, singleShot=True, interval=STAYS_MS)
        self._rest.timeout.connect(self._hide_idle)
        watch.pointer_moved.connect(self._on_pointer_moved)
        watch.pointer_left.connect(self._on_pointer_left)
        watch.wheel_turned.connect(self._on_wheel_turned)
        watch.key_pressed.connect(self._on_key_pressed)

    def show_bar(self, area: QAbstractScrollArea, orientation: Qt.Orientation) -> None:
        """Show an area's bar for a moment; the one that was shown in this direction goes."""
        bar = self._shown.get(orientation)
        if bar is None or not isValid(bar) or bar.area is not area or bar.isHidden():
            self._drop(orientation)
            self._shown[orientation] = OverlayBar(area, orientation, self.px(STRIP_PX))
        self._rest.start()

    def _on_pointer_moved(self, widget: QWidget) -> None:
        before, self._near = self._near, set()
        for area in _areas_around(widget):
            for orientation in (VERTICAL, HORIZONTAL):
                if orientation not in self._near and self._is_near(area, orientation) and can_scroll(area, orientation):
                    self._near.add(orientation)
                    self.show_bar(area, orientation)
        if before - self._near:
            self._rest.start()

    def _on_pointer_left(self) -> None:
        self._near = set()
        self._rest.start()

    def _on_wheel_turned(self, widget: QWidget, is_sideways: bool) -> None:
        orientation = HORIZONTAL if is_sideways else VERTICAL
        area = next((area for area in _areas_around(widget) if can_scroll(area, orientation)), None)
        if area is not None:
            self.show_bar(area, orientation)

    def _on_key_pressed(self, key: int) -> None:
        focus = QApplication.focusWidget() if key in _KEYS else None
        area = next((area for area in _areas_around(focus) if can_scroll(area, VERTICAL)), None)
        if area is not None:
            before = area.verticalScrollBar().value()
            QTimer.singleShot(0, area, lambda: self._show_if_moved(area, before))

    def _show_if_moved(self, area: QAbstractScrollArea, before: int) -> None:
        if area.verticalScrollBar().value() != before:
            self.show_bar(area, VERTICAL)

    def _is_near(self, area: QAbstractScrollArea, orientation: Qt.Orientation) -> bool:
        place, room = area.mapFromGlobal(self._watch.place), area.size()
        if orientation == HORIZONTAL:
            return room.height() - place.y() <= self.px(NEAR_PX)
        return (place.x() if area.isRightToLeft() else room.width() - place.x()) <= self.px(NEAR_PX)

    def _hide_idle(self) -> None:
        for orientation, bar in list(self._shown.items()):
            if not isValid(bar):
                del self._shown[orientation]
            elif bar.isSliderDown():
                self._rest.start()
            elif orientation not in self._near:
                self._drop(orientation)

    def _drop(self, orientation: Qt.Orientation) -> None:
        if (bar := self._shown.pop(orientation, None)) is not None and isValid(bar):
            bar.hide()
            bar.deleteLater()


def _areas_around(widget: QWidget | None) -> Iterator[QAbstractScrollArea]:
    """Yield the scroll areas that hold a widget, innermost first."""
    while widget is not None:
        if isinstance(widget, QAbstractScrollArea):
            yield widget
        widget = None if widget.isWindow() else widget.parentWidget()
