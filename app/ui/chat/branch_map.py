"""A map of the versions of a conversation: an indented list with what each begins with; one that is chosen is shown."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QFont, QPainter
from PySide6.QtWidgets import QAbstractItemView, QFrame, QTreeWidget, QTreeWidgetItem, QVBoxLayout, QWidget

from app.core.events import Role
from app.features.chat.branches import Branch
from app.features.messages import model_words
from app.ui.i18n import tr
from app.ui.icons import icon
from app.ui.theme import Theme
from app.ui.widgets.labels import plain_label, plain_tip

WIDTH_PX, MOST_HEIGHT_PX = 460, 340
ROW_PX = 30
INDENT_PX = 18
ID_ROLE = Qt.ItemDataRole.UserRole


class BranchTree(QTreeWidget):
    """Its indentation alone shows what is below what."""

    def drawBranches(self, painter: QPainter, rect: QRect, index: QModelIndex | QPersistentModelIndex) -> None:
        """Nothing: there is nothing to open or close."""


class BranchMap(QFrame):
    """A popup: arrows move, Return or a click chooses, Esc or a click beside it closes it."""

    chosen = Signal(int)
    """The message that is to be shown, with what follows it."""

    def __init__(self, theme: Theme, branches: Sequence[Branch], at: int, parent: QWidget) -> None:
        """`at` is the version that the keyboard begins at."""
        super().__init__(parent, Qt.WindowType.Popup)
        self._theme = theme
        self.setObjectName("branch_map")
        self.setAccessibleName(tr("Versions of this chat"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        title = plain_label(tr("Versions of this chat"))
        hint = plain_label(tr("Choose one to go there. None of them is lost."), kind="muted", wraps=True)
        self.tree = BranchTree(self)
        self._set_up(self.tree)
        self._add(branches, at)
        self.tree.itemClicked.connect(self._choose)
        self.tree.itemActivated.connect(self._choose)
        column = QVBoxLayout(self)
        column.addWidget(title)
        column.addWidget(hint)
        column.addWidget(self.tree)
        theme.dress(title, font=(15, 600))
        theme.dress(hint, font=(13, 400))
        theme.dress(self.tree, font=(13.5, 400))
        theme.dress(column, margins=(14, 12, 10, 10), spacing=6)
        theme.dress(self, width=WIDTH_PX)
        px = theme.px
        self.tree.setFixedHeight(min(px(MOST_HEIGHT_PX), len(branches) * px(ROW_PX) + px(4)))
        self.adjustSize()
        self.setFocusProxy(self.tree)

    def show_at(self, widget: QWidget) -> None:
        """Below a widget, or above it where the screen ends."""
        gap, size = self._theme.px(4), self.sizeHint()
        place = QRect(widget.mapToGlobal(QPoint(0, widget.height() + gap)), size)
        room = widget.screen().availableGeometry()
        if place.bottom() > room.bottom():
            place.moveBottom(widget.mapToGlobal(QPoint(0, -gap)).y())
        place.moveRight(min(place.right(), room.right() - gap))
        self.move(max(place.left(), room.left()), max(place.top(), room.top()))
        self.show()
        self.tree.setFocus(Qt.FocusReason.PopupFocusReason)

    def _set_up(self, tree: QTreeWidget) -> None:
        tree.setObjectName("branch_tree")
        tree.setAccessibleName(tr("Versions"))
        tree.setFrameShape(QFrame.Shape.NoFrame)
        tree.setProperty("elides", True)
        tree.setHeaderHidden(True)
        tree.setRootIsDecorated(False)
        tree.setItemsExpandable(False)
        tree.setUniformRowHeights(True)
        tree.setIndentation(self._theme.px(INDENT_PX))
        tree.setIconSize(QSize(self._theme.px(15), self._theme.px(15)))
        tree.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        tree.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        tree.viewport().setCursor(Qt.CursorShape.PointingHandCursor)

    def _add(self, branches: Sequence[Branch], at: int) -> None:
        above: list[QTreeWidgetItem] = []
        for one in branches:
            del above[one.depth :]
            words = words_of(one)
            shown = f"\u2068{words}\u2069" if self.isRightToLeft() else words  # each in its own direction
            item = QTreeWidgetItem(above[-1] if above else self.tree.invisibleRootItem(), [shown])
            above.append(item)
            item.setData(0, ID_ROLE, one.message_id)
            item.setToolTip(0, plain_tip(one.words))
            said = [tr("Version {place} of {count}", place=one.place, count=one.count), words]
            said += [tr("shown now")] if one.is_shown else []
            item.setData(0, Qt.ItemDataRole.AccessibleTextRole, ", ".join(said))
            item.setSizeHint(0, QSize(0, self._theme.px(ROW_PX)))
            item.setIcon(0, icon("check", self._theme.tokens.accent if one.is_shown else "#00000000", 15))
            if one.is_shown:
                font = QFont(self._theme.font(13.5, 600))
                item.setFont(0, font)
            if one.message_id == at:
                self.tree.setCurrentItem(item)
        self.tree.expandAll()
        if (current := self.tree.currentItem()) is not None:
            self.tree.scrollToItem(current)

    def _choose(self, item: QTreeWidgetItem) -> None:
        self.close()
        self.chosen.emit(int(item.data(0, ID_ROLE)))


def words_of(one: Branch) -> str:
    """What a branch begins with, who said it, and how much follows."""
    who = tr("You") if one.role is Role.USER else model_words(one.model) or tr("Answer")
    begins = f"{who}: {one.words or tr('(nothing)')}"
    if one.following == 1:
        return f"{begins}  · {tr('1 more')}"
    return f"{begins}  · {tr('{count} more', count=one.following)}" if one.following else begins
