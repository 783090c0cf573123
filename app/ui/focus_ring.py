"""Focus rings only for those who use the keyboard: one policy for the style sheet and for what paints itself."""

from __future__ import annotations

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QApplication,
    QLineEdit,
    QPlainTextEdit,
    QStyle,
    QStyleOptionViewItem,
    QTextEdit,
    QWidget,
)
from shiboken6 import isValid

from app.ui.input_watch import InputWatch

RING = "ring"
"""Property of the focused widget whose focus is drawn as a ring; the style sheet asks for it."""
_GUIDING = {
    Qt.Key.Key_Tab,
    Qt.Key.Key_Backtab,
    Qt.Key.Key_Up,
    Qt.Key.Key_Down,
    Qt.Key.Key_Left,
    Qt.Key.Key_Right,
    Qt.Key.Key_PageUp,
    Qt.Key.Key_PageDown,
    Qt.Key.Key_Home,
    Qt.Key.Key_End,
    Qt.Key.Key_F6,
}
_SHORTCUT = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier | Qt.KeyboardModifier.MetaModifier
_FIELDS = (QLineEdit, QTextEdit, QPlainTextEdit, QAbstractSpinBox)


def has_ring(widget: QWidget) -> bool:
    """Return whether a widget has the focus and shows it by a ring."""
    return widget.hasFocus() and bool(widget.property(RING))


def shown_state(option: QStyleOptionViewItem) -> QStyle.StateFlag:
    """Return an item's state, without the focus while its view shows none."""
    state: QStyle.StateFlag = option.state
    view: QWidget | None = option.widget
    return state if view is None or has_ring(view) else state & ~QStyle.StateFlag.State_HasFocus


def repolish(widget: QWidget) -> None:
    """Apply the style sheet again, after a property that it asks for has changed; Qt doesn't do so itself."""
    font = widget.font()
    widget.style().unpolish(widget)
    widget.style().polish(widget)
    if widget.testAttribute(Qt.WidgetAttribute.WA_SetFont):
        widget.setFont(font)  # Qt restores the font of the first polish


class FocusRing(QObject):
    """Gives the focused widget its ring after Tab, arrows and shortcuts, and takes it away at a click."""

    def __init__(self, watch: InputWatch, application: QApplication) -> None:
        super().__init__(watch)
        self.is_by_keyboard = False
        """True if the keyboard was the last to move anything."""
        self._ringed: QWidget | None = None
        watch.key_pressed.connect(self._on_key_pressed)
        watch.button_pressed.connect(self._on_button_pressed)
        application.focusChanged.connect(self._on_focus_changed)

    def _on_key_pressed(self, key: int, modifiers: Qt.KeyboardModifier) -> None:
        if key not in _GUIDING and not modifiers & _SHORTCUT:
            return
        self.is_by_keyboard = True
        focus = QApplication.focusWidget()
        # In a field the keys move the caret, which says where one is.
        if focus is not None and not (isinstance(focus, _FIELDS) and not focus.isReadOnly()):
            self._put_ring(focus)

    def _on_button_pressed(self) -> None:
        self.is_by_keyboard = False
        self._put_ring(None)

    def _on_focus_changed(self, _old: QWidget | None, now: QWidget | None) -> None:
        # With the window the focus goes and comes back as it was.
        if now is not None:
            self._put_ring(now if self.is_by_keyboard else None)

    def _put_ring(self, widget: QWidget | None) -> None:
        before = self._ringed if self._ringed is not None and isValid(self._ringed) else None
        if before is widget:
            return
        self._ringed = widget
        for target, has in ((before, False), (widget, True)):
            if target is not None:
                target.setProperty(RING, has)
                repolish(target)
                target.update()
