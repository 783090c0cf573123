"""The chats as rows in groups by age."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, Qt, Signal

from app.store.conversations import Conversation
from app.ui.shell.i18n import tr
from app.ui.widgets.labels import plain_tip
from app.ui.widgets.row_list import ID_ROLE, Index, clean_title

PINNED_ROLE = Qt.ItemDataRole.UserRole + 1


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
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.EditRole):
            return row.title or tr("New chat")
        if role == Qt.ItemDataRole.ToolTipRole:
            return plain_tip(row.title or tr("New chat"))
        if role == ID_ROLE:
            return row.id
        return row.pinned if role == PINNED_ROLE else None

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        row = self._rows[index.row()]
        title = clean_title(value)
        if isinstance(row, str) or role != Qt.ItemDataRole.EditRole or not title:
            return False
        if title != row.title:
            self.renamed.emit(row.id, title)
        return True
