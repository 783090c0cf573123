"""A view, and at its right something that opens beside it; in a narrow window one takes the other's place."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QApplication, QSplitter, QVBoxLayout, QWidget
from shiboken6 import isValid

from app.ui.theme import Theme

MARGIN_PX = 12


class Beside(QSplitter):
    """What is put into `column` opens with `show_beside`; `hide_beside` gives the keyboard back to where it was.

    `take_keyboard` is what gives the keyboard to the view where that place is gone.
    """

    closed = Signal()
    """The view is alone again."""

    share: ClassVar[float]
    """Of the room that it gets as long as nobody moved the border."""
    most_px: ClassVar[float]
    least_px: ClassVar[float] = 320
    narrow_px: ClassVar[float] = 740
    """Of the content, which is about a thousand pixels of window: two columns would squeeze both."""

    def __init__(self, theme: Theme, view: QWidget, take_keyboard: Callable[[], object]) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self._theme, self._view, self._take_keyboard = theme, view, take_keyboard
        self.width_px = 0
        """How wide the person made it; 0: as wide as it is by itself."""
        self._before: QWidget | None = None
        self.setHandleWidth(1)
        self.frame = QWidget()
        self.column = QVBoxLayout(self.frame)
        self.frame.hide()
        self.addWidget(view)
        self.addWidget(self.frame)
        for place in (0, 1):
            self.setCollapsible(place, False)
        self.setStretchFactor(0, 1)
        self.splitterMoved.connect(self._on_moved)
        theme.dress(self.column, margins=(MARGIN_PX, 0, MARGIN_PX, MARGIN_PX))
        theme.changed.connect(self._arrange)
        self._fit_least()

    @property
    def is_beside(self) -> bool:
        """Whether anything is open beside the view, or in its place."""
        return not self.frame.isHidden()

    def has_room_for(self, view_px: float) -> bool:
        """Whether the view would keep so much room, in pixels of the drawing, with the other beside it."""
        return self.width() - self._wanted_px() >= self._theme.px(view_px)

    def show_beside(self) -> None:
        """Opens it; the keyboard is on its way there."""
        was_hidden = not self.is_beside
        if was_hidden:
            self._before = QApplication.focusWidget()
        self.frame.show()
        if was_hidden:  # before the view is hidden that has the keyboard: it would go on by itself, as Tab does
            self.frame.setFocus(Qt.FocusReason.OtherFocusReason)
        self._arrange(is_new=was_hidden)

    def hide_beside(self) -> None:
        """Shows the view alone again."""
        if not self.is_beside:
            return
        focus = QApplication.focusWidget()
        had_focus = focus is None or focus is self.frame or self.frame.isAncestorOf(focus)
        self.frame.hide()
        self._view.show()
        before = self._before
        if had_focus and before is not None and isValid(before) and before.isVisible():
            before.setFocus(Qt.FocusReason.OtherFocusReason)
        elif had_focus:
            self._take_keyboard()
        self.closed.emit()

    def _arrange(self, *, is_new: bool = False) -> None:
        if not self.is_beside:
            return
        is_narrow = self.width() < self._theme.px(self.narrow_px)
        if is_narrow == self._view.isHidden() and not is_new:
            self._fit_least()
            return
        self._view.setHidden(is_narrow)
        self._fit_least()
        if not is_narrow:
            width = self._wanted_px()
            self.setSizes([self.width() - width, width])

    def _wanted_px(self) -> int:
        usual = min(round(self.width() * self.share), self._theme.px(self.most_px))
        return min(self.width_px or usual, self.width() - self._theme.px(self.least_px))

    def _fit_least(self) -> None:
        self.frame.setMinimumWidth(1 if self._view.isHidden() else self._theme.px(self.least_px))

    def _on_moved(self) -> None:
        if self.is_beside and not self._view.isHidden():
            self.width_px = self.frame.width()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()


class InsideBeside(Beside):
    """A view, and at its right the panel that looks into the model, which `make` makes when it is first opened."""

    toggled = Signal()
    """It was opened or closed."""

    share = 0.4
    most_px = 440

    def __init__(
        self, theme: Theme, view: QWidget, take_keyboard: Callable[[], object], make: Callable[[], QWidget]
    ) -> None:
        super().__init__(theme, view, take_keyboard)
        self._make = make
        self.panel: QWidget | None = None
        """None as long as nobody looked."""
        self.setObjectName("inside_splitter")
        self.closed.connect(self.toggled)

    def toggle(self) -> None:
        """Opens it, and the keyboard goes there; or closes it."""
        if self.is_beside:
            self.hide_beside()
            return
        if self.panel is None:
            self.panel = self._make()
            self.column.addWidget(self.panel)
        self.show_beside()
        self.panel.setFocus(Qt.FocusReason.OtherFocusReason)
        self.toggled.emit()
