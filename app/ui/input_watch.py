"""Watches what the user does in all windows: which keys, where the pointer is, and whether the keyboard came last."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication, QKeyEvent, QMouseEvent, QWheelEvent, QWindow
from PySide6.QtWidgets import QApplication, QWidget
from shiboken6 import isValid


class InputWatch(QObject):
    """Filter on the windows, which get a few events of a user; on widgets it would see all that Qt sends."""

    pointer_moved = Signal(QWidget)
    """The pointer moved over a widget, without a button pressed."""
    pointer_left = Signal()
    wheel_turned = Signal(QWidget, bool)
    """The wheel turned over a widget, and whether sideways."""
    key_pressed = Signal(int, Qt.KeyboardModifier)
    button_pressed = Signal()

    def __init__(self, application: QApplication) -> None:
        super().__init__(application)
        self.place = QPoint()
        """Where the pointer is on the screen."""
        self._windows: list[QWindow] = []
        application.focusWindowChanged.connect(self._find_windows)
        application.focusChanged.connect(self._find_windows)
        self._find_windows()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if (kind := event.type()) not in _WATCHED or not isinstance(watched, QWindow):
            return False
        if isinstance(event, QWheelEvent):
            widget, turned = self._widget_at(watched, event.position().toPoint()), event.angleDelta()
            if widget is not None:
                self.wheel_turned.emit(widget, abs(turned.x()) > abs(turned.y()))
        elif isinstance(event, QKeyEvent):
            self.key_pressed.emit(event.key(), event.modifiers())
        elif kind == QEvent.Type.MouseMove and isinstance(event, QMouseEvent) and not event.buttons():
            widget = self._widget_at(watched, event.position().toPoint())
            self.place = event.globalPosition().toPoint()
            if widget is not None:
                self.pointer_moved.emit(widget)
        elif kind == QEvent.Type.MouseButtonPress:
            self.button_pressed.emit()
        elif kind == QEvent.Type.Leave:
            self.pointer_left.emit()
        if kind in (QEvent.Type.MouseButtonRelease, QEvent.Type.Leave, QEvent.Type.KeyPress):
            QTimer.singleShot(0, self, self._find_windows)  # of the popup that opens now
        return False

    def _find_windows(self) -> None:
        self._windows = [window for window in self._windows if isValid(window)]
        for window in QGuiApplication.topLevelWindows():
            if window not in self._windows:
                self._windows.append(window)
                window.installEventFilter(self)

    def _widget_at(self, window: QWindow, place: QPoint) -> QWidget | None:
        top = QWidget.find(window.winId())
        return None if top is None else top.childAt(place) or top


_WATCHED = {
    QEvent.Type.MouseMove,
    QEvent.Type.MouseButtonPress,
    QEvent.Type.MouseButtonRelease,
    QEvent.Type.Leave,
    QEvent.Type.Wheel,
    QEvent.Type.KeyPress,
}
