"""Input fields: search, plain text, and fields limited to valid values: stepper, switch, segments, radio and check
rows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QEvent, QMimeData, QPoint, QPointF, QRect, QRectF, QSignalBlocker, QSize, Qt, Signal
from PySide6.QtGui import (
    QAccessible,
    QColor,
    QContextMenuEvent,
    QDragEnterEvent,
    QDragMoveEvent,
    QFontMetrics,
    QInputMethodEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QTextOption,
    QWheelEvent,
)
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QButtonGroup,
    QCheckBox,
    QDoubleSpinBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLineEdit,
    QMenu,
    QRadioButton,
    QSizePolicy,
    QSlider,
    QStyle,
    QTextEdit,
    QWidget,
)

from app.core.visible import clean_text
from app.ui.focus_ring import has_ring
from app.ui.i18n import label_value, tr
from app.ui.icons import icon
from app.ui.screen_reader import read_as
from app.ui.shared_labels import EDIT_LABEL
from app.ui.theme import FontRole, Theme, Tokens, smooth_painter
from app.ui.widgets.buttons import IconButton, set_mark, text_button
from app.ui.widgets.elevation import elevate
from app.ui.widgets.layouts import drop_margins, fill_layout
from app.ui.widgets.menus import Menu, popup_inside

STEP_UP = "{name}: more"
SLIDER_OF = "{name}, slider"
CLEAR_NUMBER = "{name}: clear"

STEPPER_PX = 128
"""Width of a number with its buttons, and of a slider."""

GLASS_PX = 16
MOST_ENTRIES = 8
"""Entries visible in a context menu; the rest moves into a submenu."""
STAYS = "stays"
"""Property of menu actions that are always visible; if there are any, the editing commands aren't."""
_FOLDED_FIRST = ("edit-undo", "edit-redo", "edit-delete", "dictate", "read_aloud")


class PlainEdit(QTextEdit):
    """Frameless multi-line plain text editor; keys of an input method go to it first."""

    menu_wanted = Signal(QMenu, QPoint)
    """The context menu before it is shown, with its viewport position; receivers may add entries."""
    is_prose = True
    """True if words in it are natural language, for the spell check."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._marks: dict[str, list[QTextEdit.ExtraSelection]] = {}
        self._about: dict[str, str] = {}
        self.is_composing = False
        """True while an input method is composing, when keys belong to it."""
        self.setProperty("kind", "bare")
        self.setAcceptRichText(False)
        # Tab leaves the field as everywhere in the window; Qt would insert a tab character.
        self.setTabChangesFocus(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        # There is no sideways scrolling, so addresses and other long words break anywhere.
        self.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.viewport().setAutoFillBackground(False)

    def set_marks(self, kind: str, marks: Sequence[QTextEdit.ExtraSelection]) -> None:
        """Set the text highlights of one kind; those of other kinds stay."""
        # Qt keeps one list for all of them: spell check, blanks and written passages would overwrite each other's.
        if marks or self._marks.get(kind):
            self._marks[kind] = list(marks)
            self.setExtraSelections([mark for every in self._marks.values() for mark in every])

    def describe(self, kind: str, words: str) -> None:
        """Set the accessible description of one kind; those of other kinds stay."""
        self._about[kind] = words
        self.setAccessibleDescription(" ".join(part for part in self._about.values() if part))

    def show_menu(self, menu: QMenu, event: QContextMenuEvent) -> None:
        """Show a menu with the entries of `menu_wanted`; in a long one, less important ones go into a submenu."""
        self.menu_wanted.emit(menu, event.pos())
        fold_menu(menu)
        elevate(menu)
        popup_inside(menu, event.globalPos())

    def inputMethodEvent(self, event: QInputMethodEvent) -> None:
        super().inputMethodEvent(event)
        self.is_composing = bool(event.preeditString())

    def insertFromMimeData(self, source: QMimeData) -> None:
        # Plain text only; NUL and lone surrogates are removed.
        self.textCursor().insertText(clean_text(source.text()))
        self.ensureCursorVisible()

    def canInsertFromMimeData(self, source: QMimeData) -> bool:
        return source.hasText() and not source.hasUrls()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        # Dragged files belong to the window, wherever they are dropped.
        if event.mimeData().hasUrls():
            event.ignore()
        else:
            super().dragEnterEvent(event)

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        if event.mimeData().hasUrls():
            event.ignore()
        else:
            super().dragMoveEvent(event)


def fold_menu(menu: QMenu) -> None:
    """Move editing entries into a submenu "Edit" if more than `MOST_ENTRIES` would be visible."""
    entries = [action for action in menu.actions() if not action.isSeparator()]
    has_staying = any(action.property(STAYS) for action in entries)
    if not has_staying and len(entries) <= MOST_ENTRIES:
        return
    folded = [
        entry
        for entry in entries
        if (not entry.property(STAYS) if has_staying else entry.objectName() in _FOLDED_FIRST)
    ]
    if not folded:
        return
    inside = Menu(menu, tr(EDIT_LABEL))
    for action in folded:
        # An action may be in several menus, so adding it to another one doesn't take it out here.
        menu.removeAction(action)
        inside.addAction(action)
    menu.addSeparator()
    menu.addMenu(inside)


class SearchField(QLineEdit):
    """Search field. Escape clears it; in an empty field it returns to the previous focus."""

    escaped = Signal()
    lowered = Signal()
    """Down was pressed, to go to the results."""

    def __init__(self, theme: Theme, words: str) -> None:
        super().__init__(placeholderText=words)
        self._theme = theme
        self.setObjectName("search")
        self.setAccessibleName(words)
        self.setToolTip(words)
        self.setProperty("elides", True)  # Qt does so, for columns that a person makes narrow
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()

    def _on_theme_changed(self) -> None:
        self.setFont(self._theme.font("row"))
        room = self._theme.px(GLASS_PX + 8)
        self.setTextMargins(*((0, 0, room, 0) if self.isRightToLeft() else (room, 0, 0, 0)))

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.LayoutDirectionChange:
            self._on_theme_changed()

    def paintEvent(self, event: QPaintEvent) -> None:
        # Painted here, as the icon of an action in a field ignores the zoom.
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
    """Number field that reacts to the wheel only while focused, so that scrolling a page doesn't change it."""

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            # Qt asks the parent about an ignored event, so the page scrolls.
            event.ignore()


class _NumberSlider(QSlider):
    """Slider that jumps to where it is pressed; the wheel scrolls the page, and keys belong to its number."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self._theme = theme
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.updateGeometry)

    def sizeHint(self) -> QSize:
        return QSize(self._theme.px(STEPPER_PX), super().sizeHint().height())

    def minimumSizeHint(self) -> QSize:
        # At a large zoom a small window has no more room for it.
        return QSize(self._theme.px(STEPPER_PX) // 4, super().minimumSizeHint().height())

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        handle = self.style().pixelMetric(QStyle.PixelMetric.PM_SliderLength, None, self)
        x, room = round(event.position().x()) - handle // 2, self.width() - handle
        # Moved under the pointer first, so that the handle is what is pressed.
        self.setValue(
            QStyle.sliderValueFromPosition(self.minimum(), self.maximum(), x, room, upsideDown=self.isRightToLeft())
        )
        super().mousePressEvent(event)


class Stepper(QWidget):
    """Number between two buttons, or behind a slider; the lowest value may have a name, such as "Automatic".

    `slides` is the range of the slider, if there is to be one; the number may go beyond it.
    """

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
        slides: tuple[float, float] | None = None,
        on_change: Callable[[float], object] | None = None,
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
        self.number.setKeyboardTracking(False)  # no values of half-typed numbers
        self.number.setValue(value)
        # Qt's default for number fields lets the wheel give them the focus, and then change the value.
        self.number.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.number.valueChanged.connect(self.changed)
        if on_change is not None:
            self.changed.connect(on_change)
        if word_for_lowest:
            self.number.valueChanged.connect(self._show_unset)
        self.number.valueChanged.connect(self._fit_number)
        if slides is None:
            self._put_between_buttons(name)
        else:
            self._put_behind_slider(name, *slides)
        across = QSizePolicy.Policy.Fixed if slides is None else QSizePolicy.Policy.Maximum
        self.setSizePolicy(across, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self._fit_number)
        self._set_role("control")
        if word_for_lowest:
            self._show_unset()

    def make_compact(self, width_px: int) -> None:
        """Fit a stepper with its name as prefix into a row of other controls."""
        row = self.layout()
        assert row is not None
        drop_margins(row, 0)
        # Thin strokes are hard to see in this size.
        for button, glyph in zip(self.findChildren(IconButton), ("minus-bold", "plus-bold"), strict=True):
            button.setObjectName("compact_step")
            self._theme.dress(button, size=(18, 28), glyph=(glyph, "text", 14))
        self._number_px, self._around_px = width_px - 2 * 18, 4
        self._set_role("small")

    def _set_role(self, role: FontRole) -> None:
        # Under a style sheet the field inside doesn't inherit the font.
        self._theme.dress(self.number, *self.number.findChildren(QLineEdit), font=role)
        self._role: FontRole = role
        self._fit_number()

    def show_value(self, value: float) -> None:
        """Set the value without emitting `changed`."""
        with QSignalBlocker(self):
            self.number.setValue(value)

    def _put_between_buttons(self, name: str) -> None:
        less = IconButton(
            self._theme, "minus", tr("{name}: less", name=name), size_px=16, on_click=self.number.stepDown
        )
        more = IconButton(self._theme, "plus", tr(STEP_UP, name=name), size_px=16, on_click=self.number.stepUp)
        for button in (less, more):
            button.setAutoRepeat(True)
        # One control: the style sheet draws its edge around the three, and lines between them.
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setProperty("kind", "stepper")
        row = drop_margins(QHBoxLayout(self), 0)
        row.setContentsMargins(1, 1, 1, 1)
        for widget in (less, self.number, more):
            row.addWidget(widget)
        self._theme.dress(less, more, size=(24, 30))
        self._theme.dress(self.number, height=30)
        self._number_px, self._around_px = STEPPER_PX - 2 - 2 * 24, 8

    def _put_behind_slider(self, name: str, lowest: float, highest: float) -> None:
        step = self.number.singleStep()
        self.slider = _NumberSlider(self._theme)
        self.slider.setObjectName("number_slider")
        self.slider.setAccessibleName(tr(SLIDER_OF, name=name))
        self.slider.setRange(round(lowest / step), round(highest / step))
        self.slider.valueChanged.connect(lambda steps: self.number.setValue(steps * step))
        # Pressed where it rests it doesn't change, and yet that value is wanted.
        self.slider.sliderReleased.connect(lambda: self.number.setValue(self.slider.value() * step))
        self.number.valueChanged.connect(self._show_on_slider)
        self._clear = IconButton(
            self._theme,
            "x",
            tr(CLEAR_NUMBER, name=name),
            size_px=14,
            on_click=lambda: self.number.setValue(self.number.minimum()),
        )
        row = self._theme.dress(fill_layout(drop_margins(QHBoxLayout(self), 0)), spacing=8)
        for widget in (self._clear, self.slider, self.number):
            row.addWidget(widget)
        self._theme.dress(self._clear, size=(24, 24))
        self._theme.dress(self.slider, height=24)
        self._theme.dress(self.number, height=32)
        self._number_px, self._around_px = 52, 18
        self._show_on_slider()

    def rest_slider(self, value: float) -> None:
        """Move the slider to where it starts from while nothing is set."""
        with QSignalBlocker(self.slider):
            self.slider.setValue(round(value / self.number.singleStep()))

    def _show_on_slider(self) -> None:
        is_set = not self.number.specialValueText() or self.number.value() > self.number.minimum()
        if is_set:
            self.rest_slider(self.number.value())
        set_mark(self.slider, "unset", not is_set)
        self._clear.setVisible(is_set and bool(self.number.specialValueText()))

    def _fit_number(self) -> None:
        # Only what is longer than usual gets more room, so that the fields of a page are of one width.
        metrics = QFontMetrics(self._theme.font(self._role))
        widest = max(map(metrics.horizontalAdvance, (self.number.specialValueText(), self.number.text())))
        self.number.setFixedWidth(max(self._theme.px(self._number_px), widest + self._theme.px(self._around_px)))

    def _show_unset(self) -> None:
        # A value that nobody set looks different from one that was.
        set_mark(self.number, "unset", self.number.value() == self.number.minimum())
        # The style loses the fonts of what it polishes again.
        self._set_role(self._role)


class DrawnButton:
    """Mixin of custom-painted buttons: minimum size as the hint, clickable everywhere."""

    def sizeHint(self) -> QSize:
        raise NotImplementedError

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    # Qt's check box reacts only to its own box and text, neither of which is drawn.
    def hitButton(self, pos: object) -> bool:  # noqa: ARG002 (all of it is the button)
        return True


class Switch(DrawnButton, QCheckBox):
    """Toggle switch, to screen readers, too."""

    def __init__(self, theme: Theme, name: str, *, on: bool, on_change: Callable[[bool], object] | None = None) -> None:
        super().__init__()
        self._theme = theme
        self.setAccessibleName(name)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        read_as(self, QAccessible.Role.Switch)
        self.setChecked(on)
        if on_change is not None:
            self.toggled.connect(on_change)
        theme.changed.connect(self.updateGeometry)

    def sizeHint(self) -> QSize:
        return QSize(self._theme.px(44), self._theme.px(26))

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002
        tokens, px = self._theme.tokens, self._theme.px
        painter = smooth_painter(self)
        painter.setOpacity(1.0 if self.isEnabled() else 0.5)
        # Half a pixel in: a smoothed line of one pixel is else spread over two.
        track = QRectF(2.5, (self.height() - px(22)) / 2 + 0.5, px(40) - 1, px(22) - 1)
        radius = track.height() / 2
        painter.setPen(QColor(tokens.accent if self.isChecked() else tokens.outline))
        painter.setBrush(QColor(tokens.accent if self.isChecked() else tokens.surface))
        painter.drawRoundedRect(track, radius, radius)
        if has_ring(self):
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QColor(tokens.text if self.isChecked() else tokens.focus))
            painter.drawRoundedRect(track.adjusted(-2, -2, 2, 2), radius + 2, radius + 2)
        knob = track.height() - px(6)
        # In a right-to-left window "on" is at the left.
        at_end = self.isChecked() != (self.layoutDirection() == Qt.LayoutDirection.RightToLeft)
        x = track.right() - knob - px(3) if at_end else track.left() + px(3)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(tokens.on_accent if self.isChecked() else tokens.outline))
        painter.drawEllipse(QRectF(x, track.top() + px(3), knob, knob))


class SegmentedControl(QFrame):
    """Choice of a few values, all visible."""

    def __init__(
        self,
        theme: Theme,
        name: str,
        choices: Sequence[tuple[str, str]],
        value: str,
        on_choice: Callable[[str], object],
    ) -> None:
        super().__init__()
        # No object name: those who look for the control give it theirs, and the track would be lost with it.
        self.setProperty("kind", "segments")
        read_as(self, QAccessible.Role.Grouping).setAccessibleName(name)
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(2, 2, 2, 2)
        self._grid.setSpacing(2)
        self._group = QButtonGroup(self)
        self._room_px: int | None = None
        self._buttons: dict[str, QAbstractButton] = {}
        for key, word in choices:
            button = text_button(word, "segment", on_click=lambda _=False, key=key: on_choice(key))
            button.setAccessibleName(label_value(name, word))
            button.setCheckable(True)
            button.setChecked(key == value)
            read_as(button, QAccessible.Role.RadioButton)
            button.clicked.connect(lambda _=False, button=button: self._take_focus(button))
            self._group.addButton(button)
            self._buttons[key] = button
            self._grid.addWidget(theme.dress(button, font="control"), 0, len(self._buttons) - 1)
        self._across = len(self._buttons)

    def _take_focus(self, pressed: QAbstractButton) -> None:
        # If a segment has the focus, it follows the click: its frame on another one would look like a second choice.
        if any(button.hasFocus() for button in self._buttons.values()):
            pressed.setFocus(Qt.FocusReason.MouseFocusReason)

    def fit_width(self, room: int) -> None:
        """Put the segments in a row if `room` pixels suffice, else in as few rows of as many."""
        self._room_px = room
        self._lay_out()

    def event(self, event: QEvent) -> bool:
        # Fonts set at the first show make the segments wider.
        if event.type() == QEvent.Type.LayoutRequest and self._room_px is not None:
            self._lay_out()
        return super().event(event)

    def _lay_out(self) -> None:
        if self._room_px is None:
            return
        count = len(self._buttons)
        ways = [across for across in range(count, 0, -1) if count % across == 0]
        across = next((across for across in ways if self._wanted_px(across) <= (self._room_px or 0)), 1)
        if across != self._across:
            self._across = across
            for place, button in enumerate(self._buttons.values()):
                self._grid.addWidget(button, *divmod(place, across))

    def _wanted_px(self, across: int) -> int:
        """Return the width of all segments with so many in a row."""
        around, margins = self.contentsMargins(), self._grid.contentsMargins()
        hints = [button.sizeHint().width() for button in self._buttons.values()]
        wanted = sum(max(hints[column::across]) for column in range(across)) + self._grid.spacing() * (across - 1)
        return wanted + around.left() + around.right() + margins.left() + margins.right()

    @property
    def chosen(self) -> QAbstractButton:
        """Button of the current value."""
        return next(button for button in self._buttons.values() if button.isChecked())

    def show_value(self, value: str) -> None:
        """Set the value without emitting a signal."""
        self._buttons[value].setChecked(True)


MARK_PX = 18


class _ChoiceRow:
    """Common part of radio and check rows, read with name and detail by screen readers."""

    def __init__(self, button: QAbstractButton, theme: Theme, name: str, detail: str, *, is_round: bool) -> None:
        self._button, self._theme, self.name, self.detail, self._is_round = button, theme, name, detail, is_round
        button.setAccessibleName(name)
        button.setAccessibleDescription(detail)
        button.setToolTip(name)  # a painted name may be elided, and a description isn't shown
        button.setCursor(Qt.CursorShape.PointingHandCursor)
        button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        theme.changed.connect(button.updateGeometry)

    def size(self) -> QSize:
        px = self._theme.px
        return QSize(px(200), px(52 if self.detail else 34))

    def paint(self) -> None:
        button, tokens, px = self._button, self._theme.tokens, self._theme.px
        painter = smooth_painter(button)
        around = QRectF(button.rect()).adjusted(1, 1, -1, -1)
        painter.setPen(QPen(QColor(tokens.focus), 2) if has_ring(button) else Qt.PenStyle.NoPen)
        painter.setBrush(QColor(tokens.bubble) if button.underMouse() or button.isChecked() else Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(around, px(8), px(8))
        mirrored = button.layoutDirection() == Qt.LayoutDirection.RightToLeft
        edge, gap = px(MARK_PX), px(10)
        # Painted, so mirrored by hand.
        x = button.width() - gap - edge if mirrored else gap
        mark = QRectF(x + 0.5, (button.height() - edge) / 2 + 0.5, edge - 1, edge - 1)
        paint_mark(painter, mark, self._theme.tokens, is_on=button.isChecked(), is_round=self._is_round)
        text = button.rect().adjusted(gap if mirrored else 2 * gap + edge, 0, -(2 * gap + edge if mirrored else gap), 0)
        self._paint_words(painter, text, mirrored=mirrored)

    def _paint_words(self, painter: QPainter, room: QRect, *, mirrored: bool) -> None:
        side = Qt.AlignmentFlag.AlignRight if mirrored else Qt.AlignmentFlag.AlignLeft
        how = side | Qt.AlignmentFlag.AlignAbsolute | Qt.AlignmentFlag.AlignVCenter
        half = room.height() // 2
        upper = room.adjusted(0, self._theme.px(5), 0, -half) if self.detail else room
        lower = room.adjusted(0, half, 0, -self._theme.px(6))
        tokens = self._theme.tokens
        lines: tuple[tuple[QRect, str, FontRole, str], ...] = (
            (upper, self.name, "row", tokens.text if self._button.isEnabled() else tokens.outline),
            (lower, self.detail, "small", tokens.muted),  # says why the row is disabled
        )
        for rect, text, role, colour in lines:
            painter.setFont(self._theme.font(role))
            painter.setPen(QColor(colour))
            shown = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, rect.width())
            painter.drawText(rect, how, shown)


_TICK = ((0.26, 0.53), (0.43, 0.70), (0.75, 0.33))


def paint_mark(painter: QPainter, mark: QRectF, tokens: Tokens, *, is_on: bool, is_round: bool) -> None:
    """Paint the box or circle at the start of a row."""
    painter.setPen(QPen(QColor(tokens.accent if is_on else tokens.outline), 1.2))
    painter.setBrush(QColor(tokens.accent if is_on else tokens.surface))
    if is_round:
        painter.drawEllipse(mark)
    else:
        painter.drawRoundedRect(mark, mark.width() / 4, mark.width() / 4)
    if not is_on:
        return
    if is_round:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(tokens.on_accent))
        painter.drawEllipse(mark.center(), mark.width() * 0.2, mark.width() * 0.2)
    else:
        pen = QPen(QColor(tokens.on_accent), mark.width() / 8)
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        painter.setPen(pen)
        painter.drawPolyline([QPointF(mark.x() + x * mark.width(), mark.y() + y * mark.height()) for x, y in _TICK])


class _Drawn(DrawnButton):
    """Mixin that lets a `_ChoiceRow` paint and measure a button."""

    _row: _ChoiceRow

    def sizeHint(self) -> QSize:
        return self._row.size()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002
        self._row.paint()


class RadioRow(_Drawn, QRadioButton):
    """Row of an exclusive choice."""

    def __init__(self, theme: Theme, name: str, detail: str = "") -> None:
        super().__init__()
        self._row = _ChoiceRow(self, theme, name, detail, is_round=True)


class CheckRow(_Drawn, QCheckBox):
    """Row that can be ticked independently."""

    def __init__(self, theme: Theme, name: str, detail: str = "") -> None:
        super().__init__()
        self._row = _ChoiceRow(self, theme, name, detail, is_round=False)
