"""The chats as rows in groups by age, and how a row is painted."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import QLineEdit, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from app.store.conversations import Conversation
from app.ui.i18n import tr
from app.ui.theme import Theme

ID_ROLE = Qt.ItemDataRole.UserRole
PINNED_ROLE = Qt.ItemDataRole.UserRole + 1
ROW_PX = 34
TITLE_CHARACTERS = 200

Index = QModelIndex | QPersistentModelIndex


def group_of(conversation: Conversation, now: datetime) -> str:
    """The heading a chat stands under."""
    if conversation.pinned:
        return tr("Pinned")
    day = datetime.fromtimestamp(conversation.updated_at).date()
    today = now.date()
    if day >= today:
        return tr("Today")
    if day == today - timedelta(days=1):
        return tr("Yesterday")
    return tr("Last 7 days") if day > today - timedelta(days=7) else tr("Older")


class ChatListModel(QAbstractListModel):
    """Headings and chats in one list; headings can be neither chosen nor reached."""

    renamed = Signal(int, str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.conversations: list[Conversation] = []
        self._rows: list[Conversation | str] = []
        self._row_of: dict[int, int] = {}

    def show(self, conversations: list[Conversation], now: datetime | None = None) -> None:
        """Replaces the rows; chats come newest first, pinned ones move to the top."""
        self.beginResetModel()
        self.conversations = conversations
        self._rows, self._row_of = [], {}
        now = now or datetime.now()
        last = ""
        for conversation in sorted(conversations, key=lambda one: not one.pinned):
            group = group_of(conversation, now)
            if group != last:
                self._rows.append(group)
                last = group
            self._row_of[conversation.id] = len(self._rows)
            self._rows.append(conversation)
        self.endResetModel()

    def index_of(self, conversation_id: int | None) -> QModelIndex:
        """The row of a chat; an invalid index when it is not shown."""
        row = self._row_of.get(conversation_id or 0)
        return QModelIndex() if row is None else self.index(row)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self._rows)

    def flags(self, index: Index) -> Qt.ItemFlag:
        if not index.isValid() or isinstance(self._rows[index.row()], str):
            return Qt.ItemFlag.NoItemFlags
        return Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsEditable

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        row = self._rows[index.row()]
        if isinstance(row, str):
            return row if role == Qt.ItemDataRole.DisplayRole else None
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.EditRole, Qt.ItemDataRole.ToolTipRole):
            return row.title or tr("New chat")
        if role == ID_ROLE:
            return row.id
        return row.pinned if role == PINNED_ROLE else None

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        row = self._rows[index.row()]
        title = " ".join(str(value).split())[:TITLE_CHARACTERS]
        if isinstance(row, str) or role != Qt.ItemDataRole.EditRole or not title:
            return False
        if title != row.title:
            self.renamed.emit(row.id, title)
        return True


class ChatRowDelegate(QStyledItemDelegate):
    """Paints headings small and muted, chats with the open one on a card."""

    def __init__(self, theme: Theme, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._theme = theme

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:  # noqa: ARG002
        return QSize(self._theme.px(80), self._theme.px(ROW_PX))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        painter.save()
        rect: QRect = option.rect
        if index.flags() == Qt.ItemFlag.NoItemFlags:
            self._paint_heading(painter, rect, option, str(index.data()))
        else:
            self._paint_chat(painter, rect, option, str(index.data()))
        painter.restore()

    def _paint_heading(self, painter: QPainter, rect: QRect, option: QStyleOptionViewItem, text: str) -> None:
        px = self._theme.px
        painter.setFont(self._theme.font(11.5, 600))
        painter.setPen(QColor(self._theme.tokens.muted))
        room = rect.adjusted(px(15), 0, -px(8), -px(6))
        start = QStyle.visualAlignment(option.direction, Qt.AlignmentFlag.AlignLeading)
        text = painter.fontMetrics().elidedText(text.upper(), Qt.TextElideMode.ElideRight, room.width())
        painter.drawText(room, start | Qt.AlignmentFlag.AlignAbsolute | Qt.AlignmentFlag.AlignBottom, text)

    def _paint_chat(self, painter: QPainter, rect: QRect, option: QStyleOptionViewItem, text: str) -> None:
        tokens, px = self._theme.tokens, self._theme.px
        state: QStyle.StateFlag = option.state
        chosen = bool(state & QStyle.StateFlag.State_Selected)
        card = rect.adjusted(0, 1, -1, -px(2))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if chosen or state & QStyle.StateFlag.State_MouseOver:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(tokens.surface if chosen else tokens.bubble))
            painter.drawRoundedRect(card, px(8), px(8))
        if state & QStyle.StateFlag.State_HasFocus:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QColor(tokens.focus))
            painter.drawRoundedRect(card.adjusted(1, 1, -1, -1), px(8), px(8))
        painter.setFont(self._theme.font(14, 600 if chosen else 400))
        painter.setPen(QColor(tokens.text))
        room = card.adjusted(px(16), 0, -px(12), 0)
        start = QStyle.visualAlignment(option.direction, Qt.AlignmentFlag.AlignLeading)
        text = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, room.width())
        painter.drawText(room, start | Qt.AlignmentFlag.AlignAbsolute | Qt.AlignmentFlag.AlignVCenter, text)

    def createEditor(self, parent: QWidget, option: QStyleOptionViewItem, index: Index) -> QWidget:  # noqa: ARG002
        editor = QLineEdit(parent, maxLength=TITLE_CHARACTERS)
        editor.setObjectName("row_editor")
        editor.setAccessibleName(tr("Title"))
        editor.setFont(self._theme.font(14))
        return editor

    def updateEditorGeometry(self, editor: QWidget, option: QStyleOptionViewItem, index: Index) -> None:  # noqa: ARG002
        editor.setGeometry(option.rect.adjusted(0, 1, -1, -self._theme.px(2)))
