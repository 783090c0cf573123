"""The left column of the chats: New chat, search, the chats as rows in groups by age."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from PySide6.QtCore import QModelIndex, QObject, QPoint, QSize, Qt, QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMenu, QVBoxLayout, QWidget

from app.store.conversations import Conversation, Conversations
from app.ui.i18n import tr
from app.ui.icons import icon
from app.ui.shell.keyboard import keys_of, with_keys
from app.ui.shell.notify import Notify
from app.ui.theme import Theme
from app.ui.widgets.buttons import IconButton, text_button
from app.ui.widgets.fields import SearchField
from app.ui.widgets.labels import plain_tip
from app.ui.widgets.layouts import name_widgets
from app.ui.widgets.row_list import ID_ROLE, GroupedListModel, Index, RowList, clean_title

SEARCH_DELAY_MS = 120


class ChatsColumn(QWidget):
    """Finds, opens, renames, pins and deletes chats; what is open is the window's business."""

    new_chat_wanted = Signal()
    temporary_chat_wanted = Signal()
    chat_chosen = Signal(int)
    left = Signal()
    """The person is done here: a chat was pressed or entered, or the search left. The field may have the keyboard."""
    chat_renamed = Signal(int)
    chat_gone = Signal(int)
    """A chat was deleted; the window shows another if it was the open one."""

    def __init__(self, theme: Theme, conversations: Conversations, notify: Notify) -> None:
        super().__init__()
        self.setObjectName("chats_column")
        self._theme, self._conversations, self._notify = theme, conversations, notify
        self._open_id: int | None = None
        self._new = text_button(tr("New chat"), "new")
        self._new.setObjectName("new_chat")
        self._new.setToolTip(keys_of("new"))
        self._new.clicked.connect(self.new_chat_wanted)
        self._temporary = IconButton(theme, "ghost", tr("Temporary chat"), size_px=18)
        self._temporary.setObjectName("temporary_chat")
        self._temporary.setToolTip(with_keys(tr("Temporary chat: nothing of it is kept"), "temporary_chat"))
        self._temporary.clicked.connect(self.temporary_chat_wanted)
        self._begin = QHBoxLayout()
        self._begin.addWidget(self._new, 1)
        self._begin.addWidget(self._temporary)
        self.search = SearchField(theme, tr("Search chats"))
        self.search.setToolTip(keys_of("search"))
        self._search_later = QTimer(self, singleShot=True, interval=SEARCH_DELAY_MS)
        self._search_later.timeout.connect(self.reload)
        self.search.textChanged.connect(self._on_search_typed)
        self.model = ChatListModel(self)
        self.model.renamed.connect(self._on_renamed)
        self.list = RowList(theme, self.model, tr("Chats"))
        self.list.setObjectName("chats")
        self.list.delete_wanted.connect(self.delete)
        self.list.customContextMenuRequested.connect(self._on_menu)
        self.list.clicked.connect(self._enter)
        self.list.activated.connect(self._enter)
        self.list.moved.connect(self._choose)
        self.search.escaped.connect(self.left)
        self.search.lowered.connect(self._on_lowered)
        self._nothing = QLabel(textFormat=Qt.TextFormat.PlainText, wordWrap=True)
        self._nothing.setProperty("kind", "muted")
        self._column = QVBoxLayout(self)
        self._column.addLayout(self._begin)
        for widget, stretch in ((self.search, 0), (self._nothing, 0), (self.list, 1)):
            self._column.addWidget(widget, stretch)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()
        name_widgets(nothing_found=self._nothing)

    @property
    def open_id(self) -> int | None:
        """The chat that is marked as open; None is a new one without a row."""
        return self._open_id

    def reload(self) -> None:
        """Reads the chats again, as the search field says."""
        self._search_later.stop()
        query = self.search.text().strip()
        self._show(self._conversations.find(query))
        self._nothing.setVisible(not self.model.rowCount())
        self._nothing.setText(tr("No chat has this in its title.") if query else tr("Your chats will be here."))

    def show_new(self, conversation_id: int) -> None:
        """A chat that has just been begun is open; a search that would hide it is over."""
        self._open_id = conversation_id
        self.search.clear()
        self.reload()

    def refresh(self, conversation_id: int) -> None:
        """One chat was renamed or touched."""
        conversation = self._conversations.get(conversation_id)
        if conversation is None or self.search.text().strip():
            self.reload()
            return
        self._nothing.hide()
        others = [known for known in self.model.conversations if known.id != conversation_id]
        place = next((i for i, known in enumerate(others) if known.updated_at <= conversation.updated_at), len(others))
        self._show([*others[:place], conversation, *others[place:]])

    def show_open(self, conversation_id: int | None) -> None:
        """Marks the open chat; None is a new one without a row."""
        self._open_id = conversation_id
        index = self.model.index_of(conversation_id)
        self.list.mark(index)

    def rename(self, index: QModelIndex) -> None:
        """Opens the title for editing in its row."""
        self.list.setFocus()
        self.list.edit(index)

    def delete(self, conversation_id: int) -> None:
        """Deletes a chat at once, and offers to take it back."""
        conversation = self._conversations.get(conversation_id)
        if conversation is None:
            return
        self._conversations.delete(conversation_id)
        self.chat_gone.emit(conversation_id)
        self.reload()
        self._notify.undo(
            tr("“{title}” was deleted.", title=conversation.title), lambda: self._bring_back(conversation_id)
        )

    def _bring_back(self, conversation_id: int) -> None:
        self._conversations.restore(conversation_id)
        self.reload()
        self.chat_chosen.emit(conversation_id)

    def _show(self, conversations: list[Conversation]) -> None:
        position = self.list.verticalScrollBar().value()
        self.model.show(conversations)
        self.list.mark(self.model.index_of(self._open_id), scroll=False)
        self.list.verticalScrollBar().setValue(position)

    def _on_lowered(self) -> None:
        self.reload()
        self.list.enter()

    def _on_search_typed(self) -> None:
        self._search_later.start()

    def _choose(self, index: QModelIndex) -> None:
        conversation_id = index.data(ID_ROLE)
        if conversation_id is not None and conversation_id != self._open_id:
            self.chat_chosen.emit(conversation_id)

    def _enter(self, index: QModelIndex) -> None:
        """Chosen to write in; moving through the list with the arrows leaves the keyboard there."""
        self._choose(index)
        if index.data(ID_ROLE) is not None:
            self.left.emit()

    def _on_renamed(self, conversation_id: int, title: str) -> None:
        self._conversations.update(conversation_id, title=title)
        self.refresh(conversation_id)
        self.chat_renamed.emit(conversation_id)

    def _on_menu(self, position: QPoint) -> None:
        index = self.list.indexAt(position)
        conversation_id = index.data(ID_ROLE)
        if conversation_id is None:
            return
        pinned = bool(index.data(PINNED_ROLE))
        menu = self.menu_for(index, conversation_id, pinned=pinned)
        menu.popup(self.list.viewport().mapToGlobal(position))

    def menu_for(self, index: QModelIndex, conversation_id: int, *, pinned: bool) -> QMenu:
        """What can be done with one chat."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        tokens = self._theme.tokens
        menu.addAction(icon("pencil-simple", tokens.muted), tr("Rename") + "\tF2", lambda: self.rename(index))
        menu.addAction(
            icon("push-pin-slash" if pinned else "push-pin", tokens.muted),
            tr("Unpin") if pinned else tr("Pin"),
            lambda: self._pin(conversation_id, pinned=not pinned),
        )
        menu.addSeparator()
        menu.addAction(
            icon("trash", tokens.danger), tr("Delete") + "\t" + tr("Del"), lambda: self.delete(conversation_id)
        )
        return menu

    def _pin(self, conversation_id: int, *, pinned: bool) -> None:
        self._conversations.update(conversation_id, pinned=pinned)
        self.reload()

    def _on_theme_changed(self) -> None:
        theme, tokens = self._theme, self._theme.tokens
        self._column.setContentsMargins(theme.px(12), theme.px(14), theme.px(12), 0)
        self._column.setSpacing(theme.px(9))
        self._begin.setSpacing(theme.px(6))
        self._new.setFont(theme.font(14.5, 600))
        self._new.setIcon(icon("note-pencil", tokens.accent))
        # A push button keeps its text four pixels from the icon; a wider icon around the same glyph gives it air.
        self._new.setIconSize(QSize(theme.px(32), theme.px(16)))
        self._nothing.setFont(theme.font(13.5))
        self._nothing.setContentsMargins(theme.px(15), theme.px(4), theme.px(15), 0)


# The chats as rows in groups by age.


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


class ChatListModel(GroupedListModel[Conversation]):
    """Chats under headings by age."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.conversations: list[Conversation] = []

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
