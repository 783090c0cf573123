"""Left column of the chat tab: New chat, search in titles and messages, tags, and the chats grouped by project."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QModelIndex, QObject, QPoint, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication, QHBoxLayout, QTextEdit

from app.store.conversation_row import Conversation
from app.store.conversations import Conversations
from app.store.projects import Projects, Tags
from app.ui.chat.chat_list import (
    HIT_ROLE,
    IS_PROJECT_ROLE,
    PINNED_ROLE,
    PROJECT_ROLE,
    ChatDelegate,
    ChatList,
    ChatListActions,
    ChatListModel,
)
from app.ui.chat.chat_projects import NEW_PROJECT_ITEM, ProjectMenus
from app.ui.chat.chat_tags import TagBar
from app.ui.i18n import tr
from app.ui.icons import icon
from app.ui.screen_reader import read_as
from app.ui.shared_labels import CHATS, EXPORT_OR_PRINT, NEW_CHAT, PIN, SEARCH_CHATS, TEMPORARY_CHAT, UNPIN
from app.ui.shell import tasks
from app.ui.shell.keyboard import keys_of
from app.ui.shell.notify import Notify
from app.ui.theme import Theme
from app.ui.widgets.buttons import IconButton
from app.ui.widgets.layouts import fill_layout
from app.ui.widgets.menus import Menu, new_menu
from app.ui.widgets.row_list import ID_ROLE
from app.ui.work.job_column import ListColumn, ListWords

if TYPE_CHECKING:
    from app.core.events import CancelToken
    from app.features.finding import HistorySearch, SearchHit

OTHER_WAYS_TO_BEGIN = "Other ways to start a chat"
NO_CHAT_WITH_TAGS = "No chat has these tags."

MOST_HITS = 100
MOST_SIMILAR = 5
"""Most hits listed that match by meaning only."""


class LimitedChats:
    """List source of the chats and their projects; a search can be limited to a tag or a project."""

    def __init__(self, conversations: Conversations, projects: Projects, finding: Callable[[], HistorySearch]) -> None:
        self._conversations, self._projects, self._finding = conversations, projects, finding
        self.get, self.delete, self.restore = conversations.get, conversations.delete, conversations.restore

    def store_name(self, number: int, name: str) -> None:
        """Rename a chat, or a project, which has a negative number in the list."""
        if number < 0:
            self._projects.update(-number, name=name)
        else:
            self._conversations.update(number, title=name)

    def find(self, query: str) -> Sequence[Conversation]:
        # Limits are written tag:name or project:name.
        if ":" not in query:
            return self._conversations.find(query)
        # Imported at the first search.
        from app.features.finding import parse_query

        limits = parse_query(query)
        found = self._conversations.find(limits.words)
        if not limits.is_limited:
            return found
        within = self._finding().chats_in(limits)
        return [chat for chat in found if chat.id in within]


class ChatsColumn(ListColumn):
    """List of the stored chats; a temporary chat has no row."""

    temporary_chat_wanted = Signal()
    left = Signal()
    """The user finished here by choosing a chat or leaving the search, so that the message field may take the focus."""
    message_wanted = Signal(int, int, str)
    """A search hit was chosen: the chat's id, the message's id, and the matched words."""
    export_wanted = Signal(int)
    project_menu_filled = Signal(int, object)
    """The menu of a project is about to open, so that entries can be added: its id, and the menu."""

    def __init__(
        self,
        theme: Theme,
        conversations: Conversations,
        notify: Notify,
        finding: Callable[[], HistorySearch],
        *,
        projects: Projects,
        tags: Tags,
    ) -> None:
        words = ListWords(
            name="chats",
            icon="plus",
            new=tr(NEW_CHAT),
            search=tr(SEARCH_CHATS),
            all=tr(CHATS),
            nothing_found=tr("No chats found."),
            nothing_yet=tr("Your chats will appear here."),
        )
        self._chats = ChatListModel()
        self._limited = LimitedChats(conversations, projects, finding)
        super().__init__(
            theme, notify, self._chats, words, stored=self._limited, rename=self._limited.store_name, rows=ChatList
        )
        assert isinstance(self.list, ChatList)
        self.chats = self.list
        self._conversations, self._projects = conversations, projects
        self._message_search = MessageSearch(self, self._chats, conversations, finding, notify)
        self.list.setItemDelegate(ChatDelegate(theme, self.list))
        self.tags = TagBar(theme, tags, notify, on_chosen=self.show_found, on_change=self.reload)
        self.folders = ProjectMenus(theme, notify, conversations, projects, self, rename=self.rename_project)
        self._layout.insertWidget(2, self.tags)
        self._add_more_button()
        self._connect()

    def show_asking(self, asking: frozenset[int]) -> None:
        """Mark the chats that wait until the person allows a tool."""
        self._chats.show_asking(asking)

    def _add_more_button(self) -> None:
        """Put the caret with the other ways to begin a chat into the New chat button."""
        self.fill_more_menu: Callable[[Menu], object] = lambda _menu: None
        """Adds more ways to start a chat to the caret's menu; set by the chat view."""
        self._more: IconButton = IconButton(
            self._theme,
            "caret-down",
            tr(OTHER_WAYS_TO_BEGIN),
            size_px=14,
            name="new_chat_with",
            on_click=lambda _=False: self.more_menu().popup_at(self._more),
        )
        read_as(self._more, has_menu=True)
        self._theme.dress(fill_layout(QHBoxLayout(self._new), 1, self._more), margins=(0, 0, 3, 0))

    def more_menu(self) -> Menu:
        """Return the menu of other ways to begin a chat."""
        menu, muted = new_menu(self, "new_chat_menu", tr(OTHER_WAYS_TO_BEGIN)), self._theme.tokens.muted
        words = f"{tr(TEMPORARY_CHAT)}\t{keys_of('temporary_chat')}"
        menu.addAction(icon("ghost", muted), words, self.temporary_chat_wanted.emit)
        menu.addAction(icon("folder-plus", muted), tr(NEW_PROJECT_ITEM), lambda: self.folders.actions.begin())  # noqa: PLW0108 - set later
        self.fill_more_menu(menu)
        return menu

    def _connect(self) -> None:
        for signal in (self.list.clicked, self.list.activated):
            signal.connect(self._on_entered)
        self._clicked_row = KeysOfClickedRow(self)
        self.list.clicked.connect(self._clicked_row.begin)
        self.search.escaped.connect(self.left)
        self.chats.row_actions = ChatListActions(
            self._fold_project,
            self._begin_in_project,
            self._show_project_menu,
            self._delete_project,
            self.folders.move_into,
            self.tags.set_tag,
            lambda: self.show_open(self.open_id),
        )
        self.folders.changed.connect(self.reload)

    def show_new(self, conversation_id: int) -> None:
        """List a chat that was just created, clearing a search or tags that would hide it."""
        self.open_id = conversation_id
        self.search.clear()
        self.tags.clear()
        conversation = self._conversations.get(conversation_id)
        if conversation is not None and conversation.project_id is not None:
            self._unfold(conversation.project_id)
        self.reload()

    def reload(self) -> None:
        """Update the titles at once, and the message hits once a background search is done; matching old hits stay
        meanwhile.
        """
        words = self.search.text().strip()
        self._message_search.begin(words)
        with self._notify.guard():
            self._chats.projects = self._projects.all()
            self._chats.tags = self.tags.reload()
        super().reload()

    def refresh(self, number: int) -> None:
        conversation = self._conversations.get(number)
        # A search or tags may hide what was changed.
        if conversation is None or self.search.text().strip() or self.tags.chosen:
            self.reload()
            return
        # Moved to its place without reading all chats again; this comes after each answer.
        others = [known for known in self.model.found if known.id != number]
        place = next((i for i, known in enumerate(others) if known.updated_at <= conversation.updated_at), len(others))
        self._show([*others[:place], conversation, *others[place:]])

    def menu_for(self, index: QModelIndex) -> Menu:
        row = index.data(PROJECT_ROLE)
        if index.data(IS_PROJECT_ROLE):
            menu = self.folders.menu_of(row.project, self)
            self.project_menu_filled.emit(row.project.id, menu)
            return menu
        menu, muted, is_pinned = super().menu_for(index), self._theme.tokens.muted, bool(index.data(PINNED_ROLE))
        glyph, words = ("push-pin-slash", tr(UNPIN)) if is_pinned else ("push-pin", tr(PIN))
        number = index.data(ID_ROLE)
        pin = menu.addAction(icon(glyph, muted), words, lambda: self._pin(number, is_pinned=not is_pinned))
        # Behind Rename.
        before = menu.actions()[1]
        menu.insertAction(before, pin)
        menu.insertMenu(before, self.folders.menu_for_chat(number, row.project.id if row is not None else None, menu))
        menu.insertMenu(before, self.tags.menu_for_chat(menu, number))
        export = menu.addAction(icon("export", muted), tr(EXPORT_OR_PRINT), lambda: self.export_wanted.emit(number))
        menu.insertAction(before, export)
        return menu

    def rename_project(self, project_id: int) -> None:
        # Projects have the negative numbers in the list.
        index = self.model.index_of(-project_id)
        self.list.setCurrentIndex(index)
        self.rename(index)

    def show_open(self, number: int | None) -> None:
        """Select the open chat, unless a project's row has the keyboard."""
        if self.list.hasFocus() and self.list.currentIndex().data(IS_PROJECT_ROLE) and number == self.open_id:
            return
        super().show_open(number)

    def _on_renamed(self, number: int, title: str) -> None:
        if number > 0:
            super()._on_renamed(number, title)
            return
        with self._notify.guard():
            self._limited.store_name(number, title)
        self.reload()

    def _begin_in_project(self, project_id: int) -> None:
        self.folders.actions.open_new(project_id)
        # Clicks and keys have moved the selection to the project's row; it belongs to the open chat.
        self._mark_open()

    def _delete_project(self, project_id: int) -> None:
        self.folders.actions.delete(project_id)
        self._mark_open()

    def _show_project_menu(self, project_id: int) -> None:
        index = self.model.index_of(-project_id)
        below = self.list.visualRect(index).bottomRight()
        menu = self.menu_for(index)
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(self.list.viewport().mapToGlobal(below - QPoint(self._theme.px(30), 0)))
        self._mark_open()

    def _fold_project(self, project_id: int, is_open: bool) -> None:
        # Folding with the keyboard stays on the project's row.
        by_keyboard = self.list.hasFocus() and self.list.currentIndex().data(IS_PROJECT_ROLE)
        with self._notify.guard():
            self._projects.update(project_id, is_open=is_open)
            self._chats.projects = self._projects.all()
        self._show(self.model.found)
        if not by_keyboard:
            self._mark_open()

    def _mark_open(self) -> None:
        self.list.mark(self.model.index_of(self.open_id), scroll=False)

    def _unfold(self, project_id: int) -> None:
        with self._notify.guard():
            if (project := self._projects.get(project_id)) is not None and not project.is_open:
                self._projects.update(project_id, is_open=True)

    def show_found(self) -> None:
        """List the titles that match, with the chats whose messages do."""
        super().reload()

    def show_similar(self, chats: Sequence[Conversation], hits: Sequence[SearchHit]) -> None:
        """List what matches by meaning after the rest."""
        self._chats.take_similar([chat for chat in chats if self._is_wanted(chat)], hits)
        self._show(self.model.found)

    def _is_wanted(self, chat: Conversation) -> bool:
        return not self.tags.chosen or self.tags.suits(chat.id)

    def _show(self, found: Sequence[Conversation]) -> None:
        titled = {chat.id for chat in found}
        # Chats whose title doesn't match, but a message.
        more = [chat for chat in self._message_search.chats if chat.id in self._chats.hits and chat.id not in titled]
        if more:
            found = sorted([*found, *more], key=lambda chat: (chat.updated_at, chat.id), reverse=True)
        found = [chat for chat in found if self._is_wanted(chat)]
        self._chats.is_narrowed = bool(self.search.text().strip() or self.tags.chosen)
        # Rows of hits are higher; equal heights are faster to lay out.
        self.list.setUniformItemSizes(not self._chats.hits and not self._chats.similar)
        current = self._chats.key_of(self.list.currentIndex())
        super()._show(found)
        # Late hits must not move the selected row.
        if (again := self._chats.index_of_key(current)).isValid():
            self.list.mark(again, scroll=False)
        if self.tags.chosen and not self.search.text().strip():
            self._nothing.setText(tr(NO_CHAT_WITH_TAGS))
        # While a search runs, nothing is known to be missing.
        if self._message_search.is_running or (self._chats.rowCount() and not found):
            self._nothing.hide()

    def _choose(self, index: QModelIndex) -> None:
        if (hit := index.data(HIT_ROLE)) is None:
            super()._choose(index)
        else:
            # Imported already where something was found.
            from app.features.finding import parse_query

            # A hit by meaning has no words to mark.
            words = "" if hit.id in self._chats.similar_hits else parse_query(self._message_search.words).words
            self.message_wanted.emit(hit.id, hit.message_id, words)

    def _on_entered(self, index: QModelIndex) -> None:
        """Move the focus to the message field when a chat is entered; arrow keys keep it in the list."""
        if index.data(ID_ROLE) is not None:
            self.left.emit()

    def _pin(self, number: int, *, is_pinned: bool) -> None:
        with self._notify.guard():
            self._conversations.update(number, pinned=is_pinned)
        self.reload()


class MessageSearch(QObject):
    """Searches the messages of chats on a thread, first by words, then by meaning."""

    def __init__(
        self,
        column: ChatsColumn,
        chats: ChatListModel,
        conversations: Conversations,
        finding: Callable[[], HistorySearch],
        notify: Notify,
    ) -> None:
        super().__init__(column)
        self._column, self._list, self._conversations, self._finding = column, chats, conversations, finding
        self._notify = notify
        self.words = ""
        """What was searched last."""
        self.chats: list[Conversation] = []
        """Chats whose messages match."""
        self._task: tasks.BackgroundTask | None = None

    @property
    def is_running(self) -> bool:
        return self._task is not None

    def begin(self, words: str) -> None:
        """Search for other words, in place of a search that runs; "" only ends that."""
        if self._task is not None:
            self._task.abandon()
            self._task = None
        if words != self.words:
            self.words = words
            # Old hits that match the longer words stay, so that the list doesn't flicker while typing.
            self._list.keep_hits(words)
        if words:
            self._task = tasks.ask(lambda token: self._by_words(words, token), self, self._on_found, self._on_failed)

    def _by_words(self, words: str, token: CancelToken) -> tuple[list[SearchHit], list[Conversation]]:
        hits = self._finding().search_text(words, MOST_HITS, kinds=("chat",), is_cancelled=lambda: token.cancelled)
        return self._with_chats([hit for hit in hits if hit.message_id])

    def _by_meaning(
        self, words: str, known: Sequence[int], token: CancelToken
    ) -> tuple[list[SearchHit], list[Conversation]]:
        find = self._finding().find_similar
        return self._with_chats(find(words, MOST_SIMILAR, without=known, is_cancelled=lambda: token.cancelled))

    def _with_chats(self, hits: list[SearchHit]) -> tuple[list[SearchHit], list[Conversation]]:
        # Each once, as a chat may have many hits.
        chats = [self._conversations.get(number) for number in dict.fromkeys(hit.id for hit in hits)]
        return hits, [chat for chat in chats if chat is not None]

    def _on_found(self, found: tuple[list[SearchHit], list[Conversation]]) -> None:
        """Show hits by words, then start the search by meaning, whose hits follow them."""
        words = self.words
        self._list.take_hits(found[0])
        self.chats = found[1]
        self._column.show_found()
        known = [chat.id for chat in self._list.found]
        self._task = tasks.ask(
            lambda token: self._by_meaning(words, known, token), self, self._on_similar, self._on_failed
        )

    def _on_similar(self, found: tuple[list[SearchHit], list[Conversation]]) -> None:
        self._task = None
        hits, chats = found
        self._column.show_similar(chats, hits)

    def _on_failed(self, error: BaseException) -> None:
        self._task = None
        self._notify.error(error)


class KeysOfClickedRow(QObject):
    """Sends Del and F2 to the row just clicked, although its chat's message field has the focus by then.

    Works until another key is pressed in the field, and for Del only while the field is empty.
    """

    def __init__(self, column: ChatsColumn) -> None:
        super().__init__(column)
        self._column, self._number = column, 0
        self._edit: QTextEdit | None = None

    def begin(self, index: QModelIndex) -> None:
        """Watch the message field after a row was clicked and its chat is shown."""
        self._end()
        field, number = QApplication.focusWidget(), index.data(ID_ROLE)
        if isinstance(field, QTextEdit) and isinstance(number, int) and number == self._column.open_id:
            self._edit, self._number = field, number
            field.installEventFilter(self)

    def _end(self) -> None:
        if self._edit is not None:
            self._edit.removeEventFilter(self)
            self._edit = None

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if (edit := self._edit) is None or watched is not edit:
            return False
        if event.type() == QEvent.Type.FocusOut:
            self._end()
        elif isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress and event.key() not in MODIFIERS:
            is_plain = event.modifiers() == Qt.KeyboardModifier.NoModifier
            # First: renaming and deleting move the focus, which would end it as well.
            self._end()
            if is_plain and event.key() == Qt.Key.Key_F2:
                self._column.rename(self._column.model.index_of(self._number))
                return True
            # In a field with text Del belongs to that.
            if is_plain and event.key() == Qt.Key.Key_Delete and edit.document().isEmpty():
                self._column.delete(self._number)
                return True
        return False


MODIFIERS = (Qt.Key.Key_Shift, Qt.Key.Key_Control, Qt.Key.Key_Alt, Qt.Key.Key_Meta)
