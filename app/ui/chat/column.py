"""The left column of the chats: New chat, search in titles and messages, the chats as rows in groups by age."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QModelIndex, QPoint, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QPainter
from PySide6.QtWidgets import QListView, QMenu, QStyleOptionViewItem, QWidget

from app.store.conversations import Conversation, Conversations
from app.ui.i18n import tr
from app.ui.icons import icon
from app.ui.shell import tasks
from app.ui.shell.keyboard import with_keys
from app.ui.shell.notify import Notify
from app.ui.theme import Theme
from app.ui.widgets.buttons import IconButton
from app.ui.widgets.labels import plain_tip
from app.ui.widgets.marked import paint_marked
from app.ui.widgets.row_list import ID_ROLE, GroupedListModel, Index, RowDelegate
from app.ui.work.list_column import ListColumn, ListWords

if TYPE_CHECKING:
    from app.core.events import CancelToken
    from app.features.finding import Finding, Hit

MOST_HITS = 100
A_CHAT = 3
"""Places that are listed below a chat."""


class ChatsColumn(ListColumn):
    """The chats; a temporary one has no row."""

    temporary_chat_wanted = Signal()
    left = Signal()
    """The person is done here: a chat was pressed or entered, or the search left. The field may have the keyboard."""
    message_wanted = Signal(int, int, str)
    """A chat, one of its messages, and the words that were found there."""
    export_wanted = Signal(int)

    def __init__(
        self, theme: Theme, conversations: Conversations, notify: Notify, finding: Callable[[], Finding]
    ) -> None:
        words = ListWords(
            name="chats",
            icon="note-pencil",
            new=tr("New chat"),
            search=tr("Search chats"),
            all=tr("Chats"),
            nothing_found=tr("No chat has these words."),
            nothing_yet=tr("Your chats will be here."),
        )

        def rename(number: int, title: str) -> None:
            conversations.update(number, title=title)

        self._chats = ChatListModel()
        super().__init__(theme, notify, self._chats, words, stored=conversations, rename=rename)
        self._conversations, self._finding = conversations, finding
        self._looked_for = ""
        self._looking: tasks.Task | None = None
        self._found_in: list[Conversation] = []
        """The chats that have something in their messages."""
        self.list.setItemDelegate(ChatDelegate(theme, self.list))
        temporary = IconButton(theme, "ghost", tr("Temporary chat"), size_px=18)
        temporary.setObjectName("temporary_chat")
        temporary.setToolTip(with_keys(tr("Temporary chat: nothing of it is kept"), "temporary_chat"))
        temporary.clicked.connect(self.temporary_chat_wanted)
        self._begin.addWidget(temporary)
        self.more_menu: Callable[[], QMenu | None] = lambda: None
        """What else a new chat can begin as; it is given by who knows that."""
        more = IconButton(theme, "caret-down", tr("New chat with an assistant"), size_px=16)
        more.setObjectName("new_chat_with")
        more.clicked.connect(lambda _=False: self._show_more(more))
        self._begin.insertWidget(1, more)
        for signal in (self.list.clicked, self.list.activated):
            signal.connect(self._on_entered)
        self.search.escaped.connect(self.left)

    def _show_more(self, button: QWidget) -> None:
        menu = self.more_menu()
        if menu is not None:
            x = button.width() - menu.sizeHint().width() if self.isRightToLeft() else 0
            menu.popup(button.mapToGlobal(QPoint(x, button.height())))

    def show_new(self, conversation_id: int) -> None:
        """A chat that has just been begun is open; a search that would hide it is over."""
        self.open_id = conversation_id
        self.search.clear()
        self.reload()

    def reload(self) -> None:
        """Titles at once, messages as soon as they have been looked through; meanwhile what still fits stays."""
        words = self.search.text().strip()
        if self._looking is not None:
            self._looking.abandon()
            self._looking = None
        if words != self._looked_for:
            self._looked_for = words
            self._chats.keep_hits(words)
        if words:
            self._looking = tasks.ask(lambda token: self._look_for(words, token), self, self._on_found, self._on_failed)
        super().reload()

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
        export = menu.addAction(icon("export", muted), tr("Export or print…"), lambda: self.export_wanted.emit(number))
        menu.insertAction(menu.actions()[2], export)
        return menu

    def _look_for(self, words: str, token: CancelToken) -> tuple[list[Hit], list[Conversation]]:
        hits = self._finding().search(words, MOST_HITS, kinds=("chat",), is_cancelled=lambda: token.cancelled)
        hits = [hit for hit in hits if hit.message_id]
        chats = [self._conversations.get(number) for number in {hit.id for hit in hits}]
        return hits, [chat for chat in chats if chat is not None]

    def _on_found(self, found: tuple[list[Hit], list[Conversation]]) -> None:
        self._looking = None
        self._chats.take_hits(found[0])
        self._found_in = found[1]
        super().reload()

    def _on_failed(self, error: BaseException) -> None:
        self._looking = None
        self._notify.error(error)

    def _show(self, found: Sequence[Conversation]) -> None:
        titled = {chat.id for chat in found}
        more = [chat for chat in self._found_in if chat.id in self._chats.hits and chat.id not in titled]
        if more:
            found = sorted([*found, *more], key=lambda chat: (chat.updated_at, chat.id), reverse=True)
        self.list.setUniformItemSizes(not self._chats.hits)
        current = self._chats.key_of(self.list.currentIndex())
        super()._show(found)
        if (again := self._chats.index_of_key(current)).isValid():  # what comes late moves nobody in the list
            self.list.mark(again, scroll=False)
        if self._looking is not None:
            self._nothing.hide()

    def _choose(self, index: QModelIndex) -> None:
        hit = index.data(HIT_ROLE)
        if hit is None:
            super()._choose(index)
        else:
            self.message_wanted.emit(hit.id, hit.message_id, self._looked_for)

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
HIT_ROLE = Qt.ItemDataRole.UserRole + 5
HIT_PX = 46


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
    """Chats under headings by age, as the store has them: newest first. Below a chat are places in its messages."""

    groups = ("Pinned", "Today", "Yesterday", "Last 7 days", "Older")

    def __init__(self) -> None:
        super().__init__()
        self.hits: dict[int, list[Hit]] = {}
        """The best places by chat."""

    def take_hits(self, hits: Sequence[Hit]) -> None:
        """What was found; it is seen with the next `show`."""
        self.hits = {}
        for hit in hits:
            known = self.hits.setdefault(hit.id, [])
            if len(known) < A_CHAT:
                known.append(hit)

    def keep_hits(self, words: str) -> None:
        """Others are looked for: of what was found before only what has these, too."""
        if not words or not self.hits:
            self.hits = {}
            return
        from app.features.finding import still_fits  # not before somebody searches

        self.take_hits([hit for hits in self.hits.values() for hit in hits if still_fits(hit, words)])

    def key_of(self, index: Index) -> tuple[int, int]:
        """By which a row is found again when all were read anew: a chat, and a message or 0."""
        hit = index.data(HIT_ROLE)
        return (index.data(ID_ROLE) or 0, hit.message_id if hit is not None else 0)

    def index_of_key(self, key: tuple[int, int]) -> QModelIndex:
        """An invalid one where that row is not there any more."""
        first = self.index_of(key[0])
        rows = range(first.row(), first.row() + 1 + A_CHAT) if first.isValid() else ()
        indexes = (self.index(row) for row in rows if row < len(self._rows))
        return next((index for index in indexes if self.key_of(index) == key), QModelIndex())

    def below(self, row: Conversation) -> Sequence[Any]:
        return self.hits.get(row.id, ())

    def flags(self, index: Index) -> Qt.ItemFlag:
        flags = super().flags(index)
        return flags & ~Qt.ItemFlag.ItemIsEditable if index.data(HIT_ROLE) is not None else flags

    def group_of(self, row: Conversation, now: datetime) -> str:
        return group_of(row, now)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        row = self._rows[index.row()]
        if isinstance(row, str):
            return row if role == Qt.ItemDataRole.DisplayRole else None
        if not isinstance(row, Conversation):
            return self._data_of_hit(row, role)
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.EditRole):
            return row.title or tr("New chat")
        if role == Qt.ItemDataRole.ToolTipRole:
            return plain_tip(row.title or tr("New chat"))
        if role == ID_ROLE:
            return row.id
        return row.pinned if role == PINNED_ROLE else None

    @staticmethod
    def _data_of_hit(hit: Hit, role: int) -> Any:
        if role == Qt.ItemDataRole.ToolTipRole:
            return plain_tip(hit.snippet)
        return {Qt.ItemDataRole.DisplayRole: hit.snippet, ID_ROLE: hit.id, HIT_ROLE: hit}.get(role)


class ChatDelegate(RowDelegate):
    """Paints a place in a message as two lines with the words marked, below the title of its chat."""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        if index.data(HIT_ROLE) is None:
            return super().sizeHint(option, index)
        view, metrics = self.parent(), QFontMetrics(self._theme.font(12.5))
        room = view.viewport().width() - self._theme.px(28 + 10 + 2) if isinstance(view, QListView) else 0
        is_short = metrics.horizontalAdvance(str(index.data())) <= room
        return QSize(self._theme.px(80), self._theme.px(HIT_PX - 16 if is_short else HIT_PX))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        hit: Hit | None = index.data(HIT_ROLE)
        if hit is None:
            super().paint(painter, option, index)
            return
        painter.save()
        px, tokens = self._theme.px, self._theme.tokens
        card = self.paint_card(painter, option.rect, option.state)
        painter.setFont(self._theme.font(12.5))
        is_mirrored = option.direction == Qt.LayoutDirection.RightToLeft
        leading, trailing = px(28), px(10)
        room = card.adjusted(trailing if is_mirrored else leading, px(5), -(leading if is_mirrored else trailing), 0)
        paint_marked(
            painter,
            room,
            hit.snippet,
            hit.marks,
            colour=tokens.muted,
            tokens=tokens,
            is_mirrored=is_mirrored,
            lines=2,
        )
        painter.restore()
