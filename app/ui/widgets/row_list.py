"""Rows of a left column: headings and titles in one list, with the keys common to all."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from datetime import datetime
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from PySide6.QtCore import (
    QAbstractItemModel,
    QAbstractListModel,
    QEvent,
    QItemSelectionModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QRect,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor, QFocusEvent, QKeyEvent, QMouseEvent, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QLineEdit,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from app.core.visible import settle_directions
from app.ui.focus_ring import shown_state
from app.ui.i18n import Translatable, tr
from app.ui.locale_formats import isolate
from app.ui.theme import FontRole, Theme
from app.ui.widgets.edge_fade import fade_ends
from app.ui.widgets.labels import plain_tip
from app.ui.widgets.timers import new_timer

ID_ROLE = Qt.ItemDataRole.UserRole
NOTE_ROLE = Qt.ItemDataRole.UserRole + 2
"""Text after the title that isn't elided with it."""
TITLE_ROLE = Qt.ItemDataRole.UserRole + 4
"""Title as shown, if it differs from the one edited."""
ROW_PX = 34
AROUND_ROW_PX = 12
"""Least distance of a row that was scrolled to from the ends of the list."""
TITLE_CHARACTERS = 200
KEYBOARD_DELAY_MS = 120
MOST_COMPARED, MOST_STEPS = 2_000, 40
"""Rows between the first and the last that is another, and places where a list changes, up to which it is kept."""

Index = QModelIndex | QPersistentModelIndex


_TITLE_ROLES = (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.EditRole)


def clean_title(typed: object) -> str:
    """Return typed text as one line of at most `TITLE_CHARACTERS`."""
    return " ".join(str(typed).split())[:TITLE_CHARACTERS]


class Titled(Protocol):
    """Fields that a row shows."""

    @property
    def id(self) -> int:
        """Id in the store."""

    @property
    def title(self) -> str:
        """What a person calls it."""


Row = TypeVar("Row", bound=Titled)
Listed = TypeVar("Listed")


def _row_key(row: Row | str) -> Hashable:
    """Return what a row is known by when its list is shown again."""
    return row if isinstance(row, str) else (type(row), row.id)


def list_steps(old: Sequence[Hashable], new: Sequence[Hashable]) -> list[tuple[int, int, range]] | None:
    """Return how one list becomes another, from its end on: the rows (first, behind the last) that go, and which of the
    new ones come in their place. Return None where that would take longer than to begin anew.
    """
    most = min(len(old), len(new))
    same = next((place for place in range(most) if old[place] != new[place]), most)
    ends = next((place for place in range(most - same) if old[-1 - place] != new[-1 - place]), most - same)
    old, new = old[same : len(old) - ends], new[same : len(new) - ends]
    if max(len(old), len(new)) > MOST_COMPARED:
        return None
    if not old:  # as each list is filled at first
        return [(same, same, range(same, same + len(new)))] if new else []
    from difflib import SequenceMatcher

    matcher = SequenceMatcher(None, old, new, autojunk=False)
    changes = [change for change in matcher.get_opcodes() if change[0] != "equal"]
    if len(changes) > MOST_STEPS:
        return None
    return [(same + i1, same + i2, range(same + j1, same + j2)) for _, i1, i2, j1, j2 in reversed(changes)]


class KeptListModel(QAbstractListModel, Generic[Listed]):
    """List whose rows stay what they are to the view and to screen readers, which know each by its object."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rows: list[Listed] = []

    def replace_rows(self, rows: Sequence[Listed], key_of: Callable[[Listed], Hashable]) -> None:
        """Show these rows; one whose key was listed before stays."""
        if (steps := list_steps(list(map(key_of, self._rows)), list(map(key_of, rows)))) is None:
            self.beginResetModel()
            self._rows = list(rows)
            self.endResetModel()
        for first, last, added in steps or ():
            if last > first:
                self.beginRemoveRows(QModelIndex(), first, last - 1)
                del self._rows[first:last]
                self.endRemoveRows()
            if added:
                self.beginInsertRows(QModelIndex(), first, first + len(added) - 1)
                self._rows[first:first] = rows[added.start : added.stop]
                self.endInsertRows()
        self._rows = list(rows)  # their texts may be others
        if rows and steps is not None:
            self.dataChanged.emit(self.index(0), self.index(len(rows) - 1))

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self._rows)


class GroupedListModel(KeptListModel[Row | str], Generic[Row]):
    """List of headings (str) and rows; headings can't be selected.

    A row has `id` and `title`; its group is one of `groups`, listed in this order.
    """

    renamed = Signal(int, str)
    groups: ClassVar[tuple[Translatable, ...]]
    """Headings, translated where they are listed."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.found: Sequence[Row] = ()
        """The rows as passed to `show`."""
        self._row_of: dict[int, int] = {}
        """List position by row id."""

    def group_of(self, row: Row, now: datetime) -> Translatable:
        """Return which of `groups` a row belongs to."""
        raise NotImplementedError

    def below(self, row: Row) -> Sequence[Row]:  # noqa: ARG002 - most have nothing there
        """Return entries nested under a row, such as places found in it. They can be opened, but not edited."""
        return ()

    def show(self, found: Sequence[Row], now: datetime | None = None) -> None:
        """Show these rows; within a group they keep their order."""
        self.found = found
        rows = self.arranged(found, now or datetime.now())
        places = reversed(list(enumerate(rows)))  # a row wins over its own entries, of the same id
        self._row_of = {row.id: place for place, row in places if not isinstance(row, str)}
        self.replace_rows(rows, _row_key)  # last: who is told of it asks where the rows are

    def arranged(self, found: Sequence[Row], now: datetime) -> list[Row | str]:
        """Return rows and headings in the order they are listed."""
        groups: dict[Translatable, list[Row]] = {name: [] for name in self.groups}
        for row in found:
            groups[self.group_of(row, now)].append(row)
        arranged: list[Row | str] = []
        for heading, rows in groups.items():
            arranged += [tr(heading)] if rows else []
            for row in rows:
                arranged += [row, *self.below(row)]
        return arranged

    def translate_headings(self) -> None:
        """Write the headings anew after a change of language; rows, selection and places stay."""
        arranged = self.arranged(self.found, datetime.now())
        if len(arranged) == len(self._rows):
            self._rows = arranged
            self.dataChanged.emit(self.index(0), self.index(len(arranged) - 1))

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        row, title = self._rows[index.row()], clean_title(value)
        if isinstance(row, str) or role != Qt.ItemDataRole.EditRole or not title:
            return False
        if title != row.title:
            self.renamed.emit(row.id, title)
        return True

    def index_of(self, number: int | None) -> QModelIndex:
        """Return the index of a row by id; invalid if it isn't listed."""
        row = self._row_of.get(number or 0)
        return QModelIndex() if row is None else self.index(row)

    def row_at(self, index: Index) -> Row | None:
        """Return the row at an index; None for headings and invalid indexes."""
        row = self._rows[index.row()] if index.isValid() else ""
        return None if isinstance(row, str) else row

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return a heading's text; or a row's title, its full title as tooltip, and its id."""
        row = self._rows[index.row()]
        if isinstance(row, str):
            return row if role == Qt.ItemDataRole.DisplayRole else None
        if role == ID_ROLE:
            return row.id
        if role == Qt.ItemDataRole.ToolTipRole:
            return plain_tip(row.title)
        return row.title if role in _TITLE_ROLES else None

    def flags(self, index: Index) -> Qt.ItemFlag:
        if not index.isValid() or isinstance(self._rows[index.row()], str):
            return Qt.ItemFlag.NoItemFlags
        return Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsEditable


class RowList(QListView):
    """List with keys: arrows move, Delete deletes, F2 renames."""

    delete_wanted = Signal(int)
    moved = Signal(QModelIndex)

    def __init__(self, theme: Theme, model: QAbstractListModel, name: str) -> None:
        super().__init__()
        self._theme = theme
        self.setAccessibleName(name)
        self.setProperty("elides", True)
        self.setModel(model)
        self.setItemDelegate(RowDelegate(theme, self))
        self.setUniformItemSizes(True)  # ten thousand rows are laid out without measuring each
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setEditTriggers(QAbstractItemView.EditTrigger.EditKeyPressed)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.setMouseTracking(True)
        self._tell_moved = new_timer(self, KEYBOARD_DELAY_MS, lambda: self.moved.emit(self.currentIndex()))
        theme.changed.connect(self._on_theme_changed)
        fade_ends(self, theme, "sidebar")

    def changeEvent(self, event: QEvent) -> None:
        model = self.model()
        if event.type() == QEvent.Type.LanguageChange and isinstance(model, GroupedListModel):
            model.translate_headings()
        super().changeEvent(event)

    @property
    def is_editing(self) -> bool:
        """True while a title is edited in its row."""
        return self.state() == QAbstractItemView.State.EditingState

    def mark(self, index: QModelIndex, *, scroll: bool = True) -> None:
        """Select the open row, or none."""
        if index.isValid():
            self.setCurrentIndex(index)
            if scroll:
                self.scrollTo(index)
        else:
            self.clearSelection()
            self.setCurrentIndex(QModelIndex())

    def scrollTo(
        self, index: Index, hint: QAbstractItemView.ScrollHint = QAbstractItemView.ScrollHint.EnsureVisible
    ) -> None:
        """Scroll to a row, and so far that a part of its neighbour is seen."""
        super().scrollTo(index, hint)
        rect, room, bar = self.visualRect(index), self._theme.px(AROUND_ROW_PX), self.verticalScrollBar()
        below = rect.bottom() - self.viewport().height() + room
        if rect.isValid() and hint == QAbstractItemView.ScrollHint.EnsureVisible:
            bar.setValue(bar.value() + min(0, rect.top() - room) + max(0, below))

    def enter(self) -> None:
        """Take the focus from above: at the open row, else at the first, which is opened."""
        # Before the focus comes: with it the first row becomes current.
        is_marked, first = self.currentIndex().isValid(), self._first_row()
        self.setFocus(Qt.FocusReason.TabFocusReason)
        if first is not None and not is_marked:
            self.setCurrentIndex(first)
            self._tell_moved.start()

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        # Qt makes the first row current only until some row was, and a list that lost that one has none.
        first = None if self.currentIndex().isValid() else self._first_row()
        if first is not None:
            self.selectionModel().setCurrentIndex(first, QItemSelectionModel.SelectionFlag.NoUpdate)

    def _first_row(self) -> QModelIndex | None:
        rows = (self.model().index(row, 0) for row in range(self.model().rowCount()))
        return next((row for row in rows if row.flags() & Qt.ItemFlag.ItemIsSelectable), None)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        before = self.currentIndex()
        # Headings and places nested under a row are not editable, and nothing to delete.
        if event.key() == Qt.Key.Key_Delete and before.flags() & Qt.ItemFlag.ItemIsEditable:
            self.delete_wanted.emit(before.data(ID_ROLE))
            return
        is_shifted = event.modifiers() == Qt.KeyboardModifier.ShiftModifier
        if event.key() == Qt.Key.Key_F10 and is_shifted and before.isValid():  # some keyboards have no menu key
            self.customContextMenuRequested.emit(self.visualRect(before).center())
            return
        super().keyPressEvent(event)
        if self.currentIndex() != before:
            # Holding an arrow passes many rows; only the one it stops at is opened.
            self._tell_moved.start()

    def _on_theme_changed(self) -> None:
        self.scheduleDelayedItemsLayout()
        self.viewport().update()


class RowDelegate(QStyledItemDelegate):
    """Paint headings small and muted, rows with the open one on a card."""

    def __init__(self, theme: Theme, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._theme = theme

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:  # noqa: ARG002
        return QSize(self._theme.px(80), self._theme.px(ROW_PX))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        # The view uses one painter for all rows.
        painter.save()
        rect: QRect = option.rect
        if index.flags() == Qt.ItemFlag.NoItemFlags:
            self._paint_heading(painter, rect, option, str(index.data()))
        else:
            note = index.data(NOTE_ROLE) or ""
            title = index.data(TITLE_ROLE) or index.data(Qt.ItemDataRole.EditRole)
            self._paint_row(painter, rect, option, (str(title), str(note)), kept_px=self.kept_px(index))
        painter.restore()

    def kept_px(self, index: Index) -> int:  # noqa: ARG002 - most have nothing there
        """Return the pixels at a row's trailing end reserved for other things than the title."""
        return 0

    def _paint_heading(self, painter: QPainter, rect: QRect, option: QStyleOptionViewItem, text: str) -> None:
        px = self._theme.px
        painter.setFont(self._theme.font("caption"))
        painter.setPen(QColor(self._theme.tokens.muted))
        room = rect.adjusted(px(15), 0, -px(8), -px(6))
        start = QStyle.visualAlignment(option.direction, Qt.AlignmentFlag.AlignLeading)
        text = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, room.width())
        painter.drawText(room, start | Qt.AlignmentFlag.AlignAbsolute | Qt.AlignmentFlag.AlignBottom, text)

    def paint_card(self, painter: QPainter, rect: QRect, state: QStyle.StateFlag) -> QRect:
        """Paint the card of a selected, hovered or focused row; return its rectangle."""
        tokens, px = self._theme.tokens, self._theme.px
        chosen = bool(state & QStyle.StateFlag.State_Selected)
        card = rect.adjusted(0, 1, -1, -px(2))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if chosen or state & QStyle.StateFlag.State_MouseOver:
            painter.setPen(QColor(tokens.chosen_edge) if chosen else Qt.PenStyle.NoPen)
            painter.setBrush(QColor(tokens.surface if chosen else tokens.bubble))
            painter.drawRoundedRect(card, px(8), px(8))
        if state & QStyle.StateFlag.State_HasFocus:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QColor(tokens.focus))
            painter.drawRoundedRect(card.adjusted(1, 1, -1, -1), px(8), px(8))
        return card

    def _paint_row(
        self, painter: QPainter, rect: QRect, option: QStyleOptionViewItem, words: tuple[str, str], *, kept_px: int
    ) -> None:
        tokens, px = self._theme.tokens, self._theme.px
        state: QStyle.StateFlag = option.state
        chosen = bool(state & QStyle.StateFlag.State_Selected)
        card = self.paint_card(painter, rect, shown_state(option))
        painter.setFont(self._theme.font("strong" if chosen else "row"))
        painter.setPen(QColor(tokens.text))
        room = card.adjusted(px(16), 0, -px(12), 0)
        start = QStyle.visualAlignment(option.direction, Qt.AlignmentFlag.AlignLeading)
        title, note = settle_directions(words[0]), f" · {isolate(settle_directions(words[1]))}" if words[1] else ""
        metrics = painter.fontMetrics()
        if kept_px:
            is_mirrored = option.direction == Qt.LayoutDirection.RightToLeft
            room.adjust(kept_px if is_mirrored else 0, 0, 0 if is_mirrored else -kept_px, 0)
        # Only the title is elided; the note, such as a count, stays whole.
        left = room.width() - metrics.horizontalAdvance(note)
        text = isolate(metrics.elidedText(title, Qt.TextElideMode.ElideRight, left)) + note
        painter.drawText(room, start | Qt.AlignmentFlag.AlignAbsolute | Qt.AlignmentFlag.AlignVCenter, text)

    def createEditor(self, parent: QWidget, option: QStyleOptionViewItem, index: Index) -> QWidget:  # noqa: ARG002
        editor = QLineEdit(parent, maxLength=TITLE_CHARACTERS)
        editor.setObjectName("row_editor")
        editor.setAccessibleName(tr("Title"))
        editor.setFont(self._theme.font("body"))
        return editor

    def updateEditorGeometry(self, editor: QWidget, option: QStyleOptionViewItem, index: Index) -> None:  # noqa: ARG002
        editor.setGeometry(option.rect.adjusted(0, 1, -1, -self._theme.px(2)))


class PlainRowDelegate(QStyledItemDelegate):
    """Painter of `QListWidget` rows: highlighted background, elided text."""

    row_px: int

    def __init__(self, theme: Theme, parent: QObject) -> None:
        super().__init__(parent)
        self._theme = theme

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:  # noqa: ARG002
        return QSize(self._theme.px(80), self._theme.px(self.row_px))

    def paint_back(self, painter: QPainter, option: QStyleOptionViewItem, *, is_lit: bool) -> None:
        px = self._theme.px
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(self._theme.tokens.bubble) if is_lit else Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(option.rect.adjusted(px(2), 1, -px(2), -1), px(6), px(6))

    def write(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        words: str,
        room: QRect,
        *,
        colour: str,
        role: FontRole = "row",
    ) -> None:
        """Paint an elided line, aligned to the text direction."""
        painter.setFont(self._theme.font(role))
        painter.setPen(QColor(colour))
        text = painter.fontMetrics().elidedText(words, Qt.TextElideMode.ElideRight, room.width())
        side = QStyle.visualAlignment(option.direction, Qt.AlignmentFlag.AlignLeading)
        painter.drawText(room, side | Qt.AlignmentFlag.AlignAbsolute | Qt.AlignmentFlag.AlignVCenter, text)


class TicksAnywhere(QStyledItemDelegate):
    """Toggle a check box by a click anywhere in its cell, or Space."""

    def editorEvent(
        self,
        event: QEvent,
        model: QAbstractItemModel,
        option: QStyleOptionViewItem,  # noqa: ARG002
        index: Index,
    ) -> bool:
        is_click = isinstance(event, QMouseEvent) and event.type() == QEvent.Type.MouseButtonRelease
        is_space = isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Space
        if not (is_click or is_space):
            return False
        new = Qt.CheckState.Unchecked if is_ticked(index) else Qt.CheckState.Checked
        cell = model.index(index.row(), index.column(), index.parent())
        return bool(model.setData(cell, new, Qt.ItemDataRole.CheckStateRole))


def is_ticked(index: Index) -> bool:
    return Qt.CheckState(index.data(Qt.ItemDataRole.CheckStateRole)) == Qt.CheckState.Checked
