"""What screen readers are told beyond what Qt tells by itself: roles, states, levels, and the parts of painted views.

Costs nothing until a screen reader asks. Qt keeps each interface as long as its widget.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cached_property, partial
from typing import Any, Protocol, TypeVar, runtime_checkable

from PySide6.QtCore import QObject, QPoint, QRect
from PySide6.QtGui import (
    QAccessible,
    QAccessibleActionInterface,
    QAccessibleAttributesInterface,
    QAccessibleEvent,
    QAccessibleInterface,
    QAccessibleStateChangeEvent,
    QAccessibleTableCellInterface,
    QWindow,
)
from PySide6.QtWidgets import QAbstractButton, QAccessibleWidget, QLabel, QLineEdit, QStackedWidget, QWidget
from shiboken6 import Shiboken, VoidPtr

from app.core.lazy_dataclasses import dataclass

SPOKEN = "spoken"
"""Property of a widget that holds its `SpokenRole`."""
Cast = QAccessible.InterfaceType
_PASSED_ON = (
    Cast.ActionInterface,
    Cast.TextInterface,
    Cast.EditableTextInterface,
    Cast.ValueInterface,
    Cast.TableInterface,
    Cast.SelectionInterface,
)
_NO_INTERFACE = VoidPtr(0)
_spare_nones: list[None] = []
"""WORKAROUND: PySide drops a reference of None for each null that it returns of these, which would end the process."""

Spoken = TypeVar("Spoken", bound=QWidget)


@dataclass(frozen=True)
class SpokenRole:
    """What a widget is read as, where its class says something else; without a role, as Qt says."""

    role: QAccessible.Role | None = None
    level: int = 0
    """Of a heading, from 1."""
    has_menu: bool = False
    folds: bool = False
    """True if it opens something below it while it is checked."""
    is_busy: bool = False
    """True while what it shows is being made, and is not all of it yet."""
    problem: str = ""
    """What is wrong with what was put into it, said before its own description.

    Qt's state `invalid` means deleted: macOS hides what has it from readers, and AT-SPI isn't told of it.
    """


@dataclass(frozen=True)
class CellPosition:
    """Place of a cell in its table; the first row of the view `headed_by` has the headers, and is no cell of it."""

    row: int
    column: int
    headed_by: SpokenView | None


@dataclass(frozen=True)
class SpokenPart:
    """Part of a painted view or of a text: a cell, a point, a heading; `place` is in the widget's pixels."""

    role: QAccessible.Role
    name: str
    place: QRect
    level: int = 0
    is_selected: bool | None = None
    """Whether it is the chosen one of its view; None where none can be chosen."""
    is_focused: bool = False
    """True while the keyboard is on it, inside the widget that has the focus."""
    press: Callable[[], object] | None = None
    """What a press does, if anything; the keyboard can then come to it."""
    cell: CellPosition | None = None
    """Of a part of a row."""
    parts: tuple[SpokenPart, ...] = ()


_ROLE_LATER = QLabel | QAbstractButton | QLineEdit
"""Most have a text before their role or problem is known, and with that an interface."""
_STACK = SpokenRole(QAccessible.Role.Client)
"""Qt calls pages that lie over each other layered panes, which readers say whenever the focus comes into one."""


@runtime_checkable
class SpokenView(Protocol):
    """Widget that paints what others build of widgets, and says what it shows."""

    def spoken_count(self) -> int:
        """Return how many parts it paints at this moment."""

    def spoken_part(self, number: int) -> SpokenPart:
        """Return one of its parts, the first with the number 0."""


def read_as(
    widget: Spoken, role: QAccessible.Role | None = None, *, level: int = 0, has_menu: bool = False, folds: bool = False
) -> Spoken:
    """Set what screen readers call a widget, and return it; see `SpokenRole`.

    Readers go on asking for what they were once told of, so nothing is taken back: of other widgets than labels and
    buttons this comes before a name, with which Qt makes an interface of its own.
    """
    widget.setProperty(SPOKEN, SpokenRole(role, level, has_menu, folds))
    if folds and isinstance(widget, QAbstractButton):
        widget.toggled.connect(partial(_tell_folded, widget))
    return widget


def tell_busy(widget: QWidget, is_busy: bool) -> None:
    """Tell screen readers whether what a widget shows is being made."""
    spoken = widget.property(SPOKEN) or SpokenRole()
    if spoken.is_busy != is_busy:
        widget.setProperty(SPOKEN, replace(spoken, is_busy=is_busy))
        changed = QAccessible.State()
        changed.busy = True
        _tell_changed(widget, changed)


def keep_problem(widget: QWidget, problem: str) -> bool:
    """Have readers say what is wrong with a field when they come to it, "" for nothing; return True if that is new."""
    spoken = widget.property(SPOKEN) or SpokenRole()
    widget.setProperty(SPOKEN, replace(spoken, problem=problem))
    return spoken.problem != problem


def install_interfaces() -> None:
    """Make Qt ask here first what a widget is, once for the process."""
    if not _installed:
        QAccessible.installFactory(_interface_of)
        _installed.append(_interface_of)


_installed: list[Callable[[str, QObject], QAccessibleInterface | None]] = []
_asked: list[QObject] = []
"""Widgets of which Qt's own interface is wanted just now."""


def _interface_of(_class_name: str, subject: QObject) -> QAccessibleInterface | None:
    if not isinstance(subject, QWidget) or subject in _asked:
        return None
    is_ours = isinstance(subject, _ROLE_LATER | QStackedWidget) or subject.property(SPOKEN) is not None
    if not is_ours and not isinstance(subject, SpokenView):
        return None
    _asked.append(subject)
    try:
        native = QAccessible.queryAccessibleInterface(subject)
    finally:
        _asked.remove(subject)
    return None if native is None else ControlInterface(subject, native)


def _tell_folded(button: QAbstractButton, _is_open: bool) -> None:
    changed = QAccessible.State()
    changed.expanded = changed.collapsed = True
    _tell_changed(button, changed)


def _tell_changed(widget: QWidget, changed: QAccessible.State) -> None:
    if QAccessible.isActive():
        QAccessible.updateAccessibility(QAccessibleStateChangeEvent(widget, changed))


def _delete_interface(number: int) -> None:
    _spare_nones.append(None)
    QAccessible.deleteAccessibleInterface(number)


def _address(interface: Shiboken.Object) -> VoidPtr:
    return VoidPtr(Shiboken.getCppPointer(interface)[0])


class LevelAttribute(QAccessibleAttributesInterface):
    """Level of a heading, which readers say and jump by."""

    def __init__(self, level: Callable[[], int]) -> None:
        super().__init__()
        self._level = level

    def attributeKeys(self) -> list[QAccessible.Attribute]:
        return [QAccessible.Attribute.Level]

    def attributeValue(self, _key: QAccessible.Attribute) -> int:
        return self._level()


class LentText:
    """Text interface of a heading, of which Orca reads the text and not the name.

    WORKAROUND: PySide leaves out two functions of QAccessibleTextInterface, so none can be written; a line edit that is
    never shown lends its own.
    """

    def __init__(self, widget: Callable[[], QWidget]) -> None:
        self._widget = widget
        self._field: QLineEdit | None = None

    def address(self, text: str) -> VoidPtr:
        """Return the interface over a text in one line."""
        if self._field is None:
            self._field = QLineEdit(text, self._widget())
            self._field.hide()
        elif self._field.text() != text:
            self._field.setText(text)
        native = QAccessible.queryAccessibleInterface(self._field)
        lent: VoidPtr = native.interface_cast(Cast.TextInterface)  # type: ignore[assignment] # stubs say a number
        return lent


class PressAction(QAccessibleActionInterface):
    """The one thing that can be done with a part of a view."""

    def __init__(self, part: Callable[[], SpokenPart]) -> None:
        super().__init__()
        self._part = part

    def actionNames(self) -> list[str]:
        return [self.pressAction()] if self._part().press is not None else []

    def doAction(self, _name: str) -> None:
        if (press := self._part().press) is not None:
            press()

    def keyBindingsForAction(self, _name: str) -> list[str]:
        return []


class TableCell(QAccessibleTableCellInterface):
    """Row, column and header of a cell: readers say the header when the keyboard comes into another column.

    WORKAROUND: PySide leaves out QAccessibleTableInterface, so the table itself has none. One that a hidden table lends
    counts its own cells, and Orca then reads another row than the keyboard is on.
    """

    def __init__(self, part: PartInterface) -> None:
        super().__init__()
        self._part = part

    def rowIndex(self) -> int:
        return self._cell.row

    def columnIndex(self) -> int:
        return self._cell.column

    def rowExtent(self) -> int:
        return 1

    def columnExtent(self) -> int:
        return 1

    def isSelected(self) -> bool:
        return False

    def table(self) -> QAccessibleInterface:
        return self._part.parent().parent()

    def rowHeaderCells(self) -> list[QAccessibleInterface]:
        return []

    def columnHeaderCells(self) -> list[QAccessibleInterface]:
        view = self._cell.headed_by
        if not isinstance(view, QWidget):
            return []
        table = QAccessible.queryAccessibleInterface(view)
        row = table.child(table.childCount() - view.spoken_count())
        return [row.child(self._cell.column)] if row is not None and self._cell.column < row.childCount() else []

    @property
    def _cell(self) -> CellPosition:
        return self._part.part.cell or CellPosition(0, 0, None)


def tell_focus(part: QAccessibleInterface) -> None:
    """Tell screen readers that the keyboard went to a part of the widget that has the focus."""
    _told_focus[:] = [QAccessible.uniqueId(part)]
    QAccessible.updateAccessibility(QAccessibleEvent(part, QAccessible.Event.Focus))


def forget_focus() -> None:
    """End what was told by `tell_focus`, as another widget has the focus."""
    _told_focus.clear()


_told_focus: list[int] = []
"""Number of the interface that readers believe has the keyboard, if it isn't Qt's own."""


def _has_told_focus(interface: QAccessibleInterface) -> bool:
    return bool(_told_focus) and QAccessible.uniqueId(interface) in _told_focus


class PartKeeper:
    """Makes the interfaces of a view's parts, and keeps them until the view goes."""

    def __init__(self, parent: QAccessibleInterface, widget: QWidget, part: Callable[[int], SpokenPart | None]) -> None:
        self._parent, self._widget, self._part = parent, widget, part
        self._made: dict[int, tuple[PartInterface, int]] = {}

    def interface(self, number: int) -> PartInterface:
        """Return the interface of a part, always the same one."""
        if number not in self._made:
            made = PartInterface(self._parent, self._widget, partial(self._part, number))
            self._made[number] = (made, QAccessible.registerAccessibleInterface(made))
        return self._made[number][0]

    def number_of(self, child: QAccessibleInterface) -> int:
        return next((number for number, (made, _id) in self._made.items() if made is child), -1)

    def forget(self) -> None:
        """Delete all interfaces, as what they are of is gone."""
        self.silence()
        gone, self._made = self._made, {}
        for made, number in gone.values():
            made.keeper.forget()
            _delete_interface(number)

    def silence(self) -> None:
        """Have all interfaces ask nothing any more: Qt asks them while they are deleted, and the view is no more."""
        for made, _number in self._made.values():
            made.is_gone = True
            made.keeper.silence()


class ControlInterface(QAccessibleWidget):
    """Qt's own interface of a widget with another role, level or state, and with the parts that it paints."""

    def __init__(self, widget: QWidget, native: QAccessibleInterface) -> None:
        super().__init__(widget)
        # Its number only: PySide would take a kept wrapper for whatever Qt puts at its address later.
        self._native_number = QAccessible.uniqueId(native)
        self._casts: dict[Cast, Any] = {}
        for kind in _PASSED_ON:
            if (found := native.interface_cast(kind)) is None:
                _spare_nones.append(None)
            else:
                self._casts[kind] = found
        # A label isn't kept: within Qt's constructor it is another object than the one that the program will know.
        self._view = widget if isinstance(widget, SpokenView) else None
        self._keeper = PartKeeper(self, widget, self._part) if self._view is not None else None
        if self._keeper is not None:
            widget.destroyed.connect(self._keeper.forget)

    @cached_property
    def _level(self) -> LevelAttribute:  # few have one, and PySide never frees what a factory has made
        return LevelAttribute(lambda: self._spoken.level)

    @cached_property
    def _lent(self) -> LentText:
        return LentText(self.widget)

    @property
    def _native(self) -> QAccessibleInterface:
        return QAccessible.accessibleInterface(self._native_number)

    @property
    def _spoken(self) -> SpokenRole:
        widget = self.widget()
        return widget.property(SPOKEN) or (_STACK if isinstance(widget, QStackedWidget) else SpokenRole())

    def _part(self, number: int) -> SpokenPart | None:
        view = self._view
        return view.spoken_part(number) if view is not None and number < view.spoken_count() else None

    def role(self) -> QAccessible.Role:
        return self._spoken.role or self._native.role()

    def state(self) -> QAccessible.State:
        state, spoken, widget = self._native.state(), self._spoken, self.widget()
        is_on = isinstance(widget, QAbstractButton) and widget.isChecked()
        if _has_told_focus(self):
            state.focusable = state.focused = True
        if spoken.has_menu:
            state.hasPopup = True
        if spoken.is_busy:
            state.busy = True
        if spoken.folds:
            state.expandable, state.expanded, state.collapsed = True, is_on, not is_on
        if spoken.role == QAccessible.Role.PageTab:
            state.selectable, state.selected = True, is_on
        if spoken.folds or spoken.role == QAccessible.Role.PageTab:
            state.checkable = state.checked = False
        return state

    def text(self, kind: QAccessible.Text) -> str:
        text = self._native.text(kind)
        problem = self._spoken.problem if kind == QAccessible.Text.Description else ""
        return f"{problem} {text}".strip() if problem else text

    def childCount(self) -> int:
        return super().childCount() + (self._view.spoken_count() if self._view is not None else 0)

    def child(self, index: int) -> QAccessibleInterface | None:  # type: ignore[override] # none, too
        own = super().childCount()
        if index < own:
            return super().child(index)
        return self._keeper.interface(index - own) if self._keeper and index < self.childCount() else None

    def indexOfChild(self, child: QAccessibleInterface) -> int:
        number = self._keeper.number_of(child) if self._keeper else -1
        return super().indexOfChild(child) if number < 0 else super().childCount() + number

    def interface_cast(self, kind: Cast) -> VoidPtr:  # type: ignore[override] # PySide's stubs say a number
        if kind == Cast.AttributesInterface and self._spoken.level:
            return _address(self._level)
        if kind == Cast.TextInterface and self._spoken.role == QAccessible.Role.Heading:
            return self._lent.address(self.text(QAccessible.Text.Name))
        cast: VoidPtr = self._casts.get(kind, _NO_INTERFACE)
        return cast


class PartInterface(QAccessibleInterface):
    """A part of a view that is no widget; asks the view each time what it is now."""

    def __init__(self, parent: QAccessibleInterface, widget: QWidget, part: Callable[[], SpokenPart | None]) -> None:
        super().__init__()
        self._parent, self._widget, self._read = parent, widget, part
        self.is_gone = False
        """True once the view is deleted."""
        self._level = LevelAttribute(lambda: self.part.level)
        self._action = PressAction(lambda: self.part)
        self._lent = LentText(lambda: widget)
        self.keeper = PartKeeper(self, widget, self._inner)

    @cached_property
    def _cell(self) -> TableCell:
        return TableCell(self)

    @property
    def part(self) -> SpokenPart:
        """What its view says of it at this moment, or nothing."""
        return (None if self.is_gone else self._read()) or SpokenPart(QAccessible.Role.NoRole, "", QRect())

    def _inner(self, number: int) -> SpokenPart | None:
        parts = self.part.parts
        return parts[number] if number < len(parts) else None

    def isValid(self) -> bool:
        return not self.is_gone and self._read() is not None

    def object(self) -> QObject | None:  # type: ignore[override] # none, too
        return None

    def window(self) -> QWindow | None:  # type: ignore[override] # none, too
        return None if self.is_gone else self._widget.window().windowHandle()

    def parent(self) -> QAccessibleInterface:
        return self._parent

    def role(self) -> QAccessible.Role:
        return self.part.role

    def state(self) -> QAccessible.State:
        state, part = QAccessible.State(), self.part
        state.selectable, state.selected = part.is_selected is not None, bool(part.is_selected)
        state.linked = part.role == QAccessible.Role.Link
        state.focused = part.is_focused or _has_told_focus(self)
        state.focusable = part.press is not None or state.focused
        state.invisible = self.is_gone or not self._widget.isVisible()
        state.offscreen = self.is_gone or not self._widget.rect().intersects(part.place)
        return state

    def text(self, kind: QAccessible.Text) -> str:
        return self.part.name if kind == QAccessible.Text.Name else ""

    def setText(self, kind: QAccessible.Text, text: str) -> None:
        """Change nothing: what is painted is not written to."""

    def rect(self) -> QRect:
        place = self.part.place
        return place if self.is_gone else QRect(self._widget.mapToGlobal(place.topLeft()), place.size())

    def childCount(self) -> int:
        return len(self.part.parts)

    def child(self, index: int) -> QAccessibleInterface | None:  # type: ignore[override] # none, too
        return self.keeper.interface(index) if 0 <= index < self.childCount() else None

    def indexOfChild(self, child: QAccessibleInterface) -> int:
        return self.keeper.number_of(child)

    def childAt(self, x: int, y: int) -> QAccessibleInterface | None:  # type: ignore[override] # none, too
        inside = (self.keeper.interface(number) for number in range(self.childCount()))
        return next((part for part in inside if part.rect().contains(QPoint(x, y))), None)

    def interface_cast(self, kind: Cast) -> VoidPtr:  # type: ignore[override] # PySide's stubs say a number
        if kind == Cast.ActionInterface and self.part.press is not None:
            return _address(self._action)
        if kind == Cast.TableCellInterface and self.part.cell is not None:
            return _address(self._cell)
        if kind == Cast.TextInterface and not self.is_gone and self.part.role == QAccessible.Role.Heading:
            return self._lent.address(self.part.name)
        return _address(self._level) if kind == Cast.AttributesInterface and self.part.level else _NO_INTERFACE
