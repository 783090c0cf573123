"""The left column of the chats: New chat, search, the chats as rows in groups by age."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from PySide6.QtCore import QModelIndex, Qt, Signal
from PySide6.QtWidgets import QMenu

from app.store.conversations import Conversation, Conversations
from app.ui.i18n import tr
from app.ui.icons import icon
from app.ui.shell.keyboard import with_keys
from app.ui.shell.notify import Notify
from app.ui.theme import Theme
from app.ui.widgets.buttons import IconButton
from app.ui.widgets.labels import plain_tip
from app.ui.widgets.row_list import ID_ROLE, GroupedListModel, Index
from app.ui.work.list_column import ListColumn, ListWords


class ChatsColumn(ListColumn):
    """The chats; a temporary one has no row."""

    temporary_chat_wanted = Signal()
    left = Signal()
    """The person is done here: a chat was pressed or entered, or the search left. The field may have the keyboard."""

    def __init__(self, theme: Theme, conversations: Conversations, notify: Notify) -> None:
        words = ListWords(
            name="chats",
            icon="note-pencil",
            new=tr("New chat"),
            search=tr("Search chats"),
            all=tr("Chats"),
            nothing_found=tr("No chat has this in its title."),
            nothing_yet=tr("Your chats will be here."),
        )

        def rename(number: int, title: str) -> None:
            conversations.update(number, title=title)

        super().__init__(theme, notify, ChatListModel(), words, stored=conversations, rename=rename)
        self._conversations = conversations
        temporary = IconButton(theme, "ghost", tr("Temporary chat"), size_px=18)
        temporary.setObjectName("temporary_chat")
        temporary.setToolTip(with_keys(tr("Temporary chat: nothing of it is kept"), "temporary_chat"))
        temporary.clicked.connect(self.temporary_chat_wanted)
        self._begin.addWidget(temporary)
        for signal in (self.list.clicked, self.list.activated):
            signal.connect(self._on_entered)
        self.search.escaped.connect(self.left)

    def show_new(self, conversation_id: int) -> None:
        """A chat that has just been begun is open; a search that would hide it is over."""
        self.open_id = conversation_id
        self.search.clear()
        self.reload()

    def refresh(self, number: int) -> None:
        conversation = self._conversations.get(number)
        if conversation is None or self.search.text().strip():
            self.reload()
            return
        others = [known for known in self.model.found if known.id != number]
        place = next((i for i, known in enumerate(others) if known.updated_at <= conversation.updated_at), len(others))
        self._show([*others[:place], conversation, *others[place:]])

    def menu_for(self, index: QModelIndex) -> QMenu:
        menu, muted, is_pinned = super().menu_for(index), self._theme.tokens.muted, bool(index.data(PINNED_ROLE))
        glyph, words = ("push-pin-slash", tr("Unpin")) if is_pinned else ("push-pin", tr("Pin"))
        number = index.data(ID_ROLE)
        pin = menu.addAction(icon(glyph, muted), words, lambda: self._pin(number, is_pinned=not is_pinned))
        menu.insertAction(menu.actions()[1], pin)
        return menu

    def _on_entered(self, index: QModelIndex) -> None:
        """Chosen to write in; moving through the list with the arrows leaves the keyboard there."""
        if index.data(ID_ROLE) is not None:
            self.left.emit()

    def _pin(self, number: int, *, is_pinned: bool) -> None:
        with self._notify.guard():
            self._conversations.update(number, pinned=is_pinned)
        self.reload()


# The chats as rows in groups by age.

PINNED_ROLE = Qt.ItemDataRole.UserRole + 1


def group_of(conversation: Conversation, now: datetime) -> str:
    if conversation.pinned:
        return tr("Pinned")
    day = datetime.fromtimestamp(conversation.updated_at).date()
    today = now.date()
    if day >= today:
        return tr("Today")
    if day == today - timedelta(days=1):
        return tr("Yesterday")
    return tr("Last 7 days") if day > today - timedelta(days=7) else tr("Older")


class ChatListModel(GroupedListModel[Conversation]):
    """Chats under headings by age, as the store has them: newest first."""

    groups = ("Pinned", "Today", "Yesterday", "Last 7 days", "Older")

    def group_of(self, row: Conversation, now: datetime) -> str:
        return group_of(row, now)

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
