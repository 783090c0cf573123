"""Fields: a search, and those that cannot hold a wrong value: a stepper, a switch, a choice of segments."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QEvent, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPaintEvent, QWheelEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QButtonGroup,
    QCheckBox,
    QDoubleSpinBox,
    QFrame,
    QHBoxLayout,
    QLineEdit,
    QWidget,
)

from app.ui.icons import icon
from app.ui.shell.i18n import tr
from app.ui.theme import Theme
from app.ui.widgets.buttons import IconButton, text_button

GLASS_PX = 16


class SearchField(QLineEdit):
    """A line with a magnifying glass. Escape empties it; in the empty field it goes back to the work."""

    escaped = Signal()
    lowered = Signal()
    """Down: to what was found."""

    def __init__(self, theme: Theme, words: str) -> None:
        super().__init__(placeholderText=words)
        self._theme = theme
        self.setObjectName("search")
        self.setAccessibleName(words)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()

    def _on_theme_changed(self) -> None:
        self.setFont(self._theme.font(14))
        room = self._theme.px(GLASS_PX + 8)
        self.setTextMargins(*((0, 0, room, 0) if self.isRightToLeft() else (room, 0, 0, 0)))

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.LayoutDirectionChange:
            self._on_theme_changed()

    def paintEvent(self, event: QPaintEvent) -> None:
        """The glass is painted here: the icon of an action in a field has one size at every zoom."""
        super().paintEvent(event)
        size, gap = self._theme.px(GLASS_PX), self._theme.px(8)
        x = self.width() - gap - size if self.isRightToLeft() else gap
        place = QRect(x, (self.height() - size) // 2, size, size)
        icon("magnifying-glass", self._theme.tokens.muted, size).paint(QPainter(self), place)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Down:
            self.lowered.emit()
        elif event.key() != Qt.Key.Key_Escape:
            super().keyPressEvent(event)
        elif self.text():
            self.clear()
        else:
            self.escaped.emit()


class _Number(QDoubleSpinBox):
    """A number that the wheel changes only while it has the focus, so that scrolling a page is harmless."""

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()


class Stepper(QWidget):
    """A number between two buttons; the lowest value may have a word of its own, such as "Automatic"."""

    changed = Signal(float)

    def __init__(
        self,
        theme: Theme,
        name: str,
        value: float,
        *,
        lowest: float,
        highest: float,
        step: float = 1,
        decimals: int = 0,
        word_for_lowest: str = "",
        suffix: str = "",
    ) -> None:
        super().__init__()
        self._theme = theme
        self.number = _Number()
        self.number.setObjectName("number")
        self.number.setAccessibleName(name)
        self.number.setButtonSymbols(QAbstractSpinBox.ButtonSymbols.NoButtons)
        self.number.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.number.setDecimals(decimals)
        self.number.setRange(lowest, highest)
        self.number.setSingleStep(step)
        self.number.setSpecialValueText(word_for_lowest)
        self.number.setSuffix(suffix)
        self.number.setKeyboardTracking(False)  # half-typed numbers are nobody's wish
        self.number.setValue(value)
        self.number.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.number.valueChanged.connect(self.changed)
        less = IconButton(theme, "minus", tr("{name}: less", name=name), size_px=16)
        more = IconButton(theme, "plus", tr("{name}: more", name=name), size_px=16)
        less.clicked.connect(self.number.stepDown)
        more.clicked.connect(self.number.stepUp)
        for button in (less, more):
            button.setAutoRepeat(True)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        for widget in (less, self.number, more):
            row.addWidget(widget)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()

    def _on_theme_changed(self) -> None:
        self.number.setFixedWidth(self._theme.px(112))


class Switch(QCheckBox):
    """On or off, drawn as a switch; for screen readers it is a check box."""

    def __init__(self, theme: Theme, name: str, *, on: bool) -> None:
        super().__init__()
        self._theme = theme
        self.setAccessibleName(name)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setChecked(on)
        theme.changed.connect(self.updateGeometry)

    def sizeHint(self) -> QSize:
        return QSize(self._theme.px(44), self._theme.px(26))

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def hitButton(self, pos: object) -> bool:  # noqa: ARG002 (all of it is the button)
        return True

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002
        tokens, px = self._theme.tokens, self._theme.px
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        track = QRectF(2.5, (self.height() - px(22)) / 2 + 0.5, px(40) - 1, px(22) - 1)
        radius = track.height() / 2
        painter.setPen(QColor(tokens.accent if self.isChecked() else tokens.outline))
        painter.setBrush(QColor(tokens.accent if self.isChecked() else tokens.surface))
        painter.drawRoundedRect(track, radius, radius)
        if self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QColor(tokens.text if self.isChecked() else tokens.focus))
            painter.drawRoundedRect(track.adjusted(-2, -2, 2, 2), radius + 2, radius + 2)
        knob = track.height() - px(6)
        at_end = self.isChecked() != (self.layoutDirection() == Qt.LayoutDirection.RightToLeft)
        x = track.right() - knob - px(3) if at_end else track.left() + px(3)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(tokens.on_accent if self.isChecked() else tokens.outline))
        painter.drawEllipse(QRectF(x, track.top() + px(3), knob, knob))


class Segments(QFrame):
    """One of a few values, all of them visible."""

    def __init__(
        self, name: str, choices: Sequence[tuple[str, str]], value: str, on_choice: Callable[[str], object]
    ) -> None:
        super().__init__()
        self.setObjectName("segments")
        self.setAccessibleName(name)
        row = QHBoxLayout(self)
        row.setContentsMargins(2, 2, 2, 2)
        row.setSpacing(2)
        self._group = QButtonGroup(self)
        self._buttons: dict[str, QAbstractButton] = {}
        for key, word in choices:
            button = text_button(word, "segment")
            button.setAccessibleName(f"{name}: {word}")
            button.setCheckable(True)
            button.setChecked(key == value)
            button.clicked.connect(lambda _=False, key=key: on_choice(key))
            self._group.addButton(button)
            self._buttons[key] = button
            row.addWidget(button)

    def show_value(self, value: str) -> None:
        """Shows one as chosen; nothing is told."""
        self._buttons[value].setChecked(True)
