"""Rows of the chat list: projects with their chats, other chats by age, with drag and drop between them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar

from PySide6.QtCore import QAbstractListModel, QMimeData, QModelIndex, QPoint, QRect, QSize, Qt
from PySide6.QtGui import (
    QColor,
    QDrag,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDragMoveEvent,
    QDropEvent,
    QFontMetrics,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QAbstractItemView, QListView, QStyle, QStyleOptionViewItem

from app.core.lazy_dataclasses import dataclass
from app.core.visible import settle_directions
from app.store.conversation_row import Conversation
from app.ui.chat.chat_tags import CHAT_TYPE, TAG_TYPE, colour_of
from app.ui.focus_ring import shown_state
from app.ui.i18n import Translatable, tr, tr_count
from app.ui.icons import icon
from app.ui.locale_formats import format_number, isolate, join_list
from app.ui.shared_labels import LAST_SEVEN_DAYS, NEW_CHAT, OLDER, PINNED, TODAY, YESTERDAY
from app.ui.theme import Theme
from app.ui.widgets.labels import paint_marked, plain_tip
from app.ui.widgets.row_list import ID_ROLE, GroupedListModel, Index, RowDelegate, RowList

if TYPE_CHECKING:
    from app.features.finding import SearchHit
    from app.store.projects import ChatTag, Project

PROJECTS = "Projects"
SIMILAR_IN_MEANING = "Similar in meaning"
CHAT_ASKS = "Waiting for you to allow a tool"

PINNED_ROLE = Qt.ItemDataRole.UserRole + 1
HIT_ROLE = Qt.ItemDataRole.UserRole + 5
PROJECT_ROLE = Qt.ItemDataRole.UserRole + 6
"""The `ProjectRow` of a project, or of the project that a chat is in."""
TAGS_ROLE = Qt.ItemDataRole.UserRole + 7
"""The tags of a chat."""
IS_PROJECT_ROLE = Qt.ItemDataRole.UserRole + 8
ASKS_ROLE = Qt.ItemDataRole.UserRole + 9
"""True for a chat that waits until the person allows a tool."""
A_CHAT = 3
"""Most hits listed below a chat."""
HIT_PX = 46
INDENT_PX, GLYPH_PX, DOT_PX, MOST_DOTS = 16, 16, 8, 3


class ProjectButton(StrEnum):
    """Buttons on a project's row, from its trailing edge inwards; the value is the glyph."""

    MENU = "dots-three-bold"
    NEW_CHAT = "plus"


@dataclass(frozen=True)
class ProjectRow:
    """A project with the number of its chats; `id` is negative, so that it differs from any chat's."""

    project: Project
    chats: int
    is_open: bool

    @property
    def id(self) -> int:
        return -self.project.id

    @property
    def title(self) -> str:
        return self.project.name

    @property
    def spoken(self) -> str:
        count = tr_count("1 chat", "{count} chats", self.chats)
        state = tr("open") if self.is_open else tr("collapsed")
        return join_list((tr("Project {name}", name=self.project.name), count, state))


def group_of(conversation: Conversation, now: datetime) -> Translatable:
    if conversation.pinned:
        return PINNED
    day = datetime.fromtimestamp(conversation.updated_at).date()
    today = now.date()
    if day >= today:
        return TODAY
    if day == today - timedelta(days=1):
        return YESTERDAY
    return LAST_SEVEN_DAYS if day > today - timedelta(days=7) else OLDER


class ChatListModel(GroupedListModel[Conversation]):
    """Chats under headings by age, newest first, with search hits below each.

    A project's chats are listed below it while it is open, pinned ones first.
    """

    groups: ClassVar[tuple[Translatable, ...]] = ("Pinned", "Today", "Yesterday", "Last 7 days", "Older")

    def __init__(self) -> None:
        super().__init__()
        self.hits: dict[int, list[SearchHit]] = {}
        """Best hits by chat id."""
        self.similar: Sequence[Conversation] = ()
        """Chats that match by meaning only, listed last with their `similar_hits`."""
        self.similar_hits: dict[int, list[SearchHit]] = {}
        self.projects: Sequence[Project] = ()
        self.tags: Mapping[int, Sequence[ChatTag]] = {}
        """Tags by chat id."""
        self.asking: frozenset[int] = frozenset()
        """Ids of chats that wait until the person allows a tool."""
        self.is_narrowed = False
        """True while only some chats are listed: empty projects are left out, and all are open."""
        self._project_rows: dict[int, ProjectRow] = {}

    def take_hits(self, hits: Sequence[SearchHit]) -> None:
        """Set the hits, which appear with the next `show`."""
        self.hits = {}
        for hit in hits:
            known = self.hits.setdefault(hit.id, [])
            if len(known) < A_CHAT:
                known.append(hit)

    def take_similar(self, chats: Sequence[Conversation], hits: Sequence[SearchHit]) -> None:
        """Set the hits by meaning, nearest first, which appear with the next `show`."""
        self.similar, self.similar_hits = chats, {}
        for hit in hits:
            known = self.similar_hits.setdefault(hit.id, [])
            if len(known) < A_CHAT:
                known.append(hit)

    def show_asking(self, asking: frozenset[int]) -> None:
        """Mark the chats that wait until the person allows a tool."""
        if asking == self.asking:
            return
        self.asking = asking
        if self._rows:
            self.dataChanged.emit(self.index(0), self.index(self.rowCount() - 1))

    def keep_hits(self, words: str) -> None:
        """Keep only the old hits that also match the new words, until the new search is done."""
        self.take_similar((), ())
        if not words or not self.hits:
            self.hits = {}
            return
        # At the first search.
        from app.features.finding import parse_query, still_fits

        words = parse_query(words).words
        self.take_hits([hit for hits in self.hits.values() for hit in hits if still_fits(hit, words)])

    def key_of(self, index: Index) -> tuple[int, int]:
        """Return a key that survives a reload: chat or project id, and message id or 0."""
        hit, row = index.data(HIT_ROLE), index.data(PROJECT_ROLE)
        number = row.id if index.data(IS_PROJECT_ROLE) else index.data(ID_ROLE) or 0
        return (number, hit.message_id if hit is not None else 0)

    def index_of_key(self, key: tuple[int, int]) -> QModelIndex:
        """Return the row with a key, or an invalid index if it is gone."""
        first = self.index_of(key[0])
        # Hits of a chat are right below it, and there are at most so many.
        rows = range(first.row(), first.row() + 1 + A_CHAT) if first.isValid() else ()
        indexes = (self.index(row) for row in rows if row < len(self._rows))
        return next((index for index in indexes if self.key_of(index) == key), QModelIndex())

    def below(self, row: Conversation) -> Sequence[Any]:
        return self.hits.get(row.id, ())

    def arranged(self, found: Sequence[Conversation], now: datetime) -> list[Any]:
        inside: dict[int | None, list[Conversation]] = {project.id: [] for project in self.projects}
        pinned: list[Conversation] = []
        others: list[Conversation] = []
        for chat in found:
            # A project that was deleted takes its chats out of it, so they are listed by age.
            inside.get(chat.project_id, pinned if chat.pinned else others).append(chat)
        self._project_rows = {}
        rows: list[Any] = super().arranged(pinned, now)
        listed = [project for project in self.projects if inside[project.id] or not self.is_narrowed]
        rows += [tr(PROJECTS)] if listed else []
        for project in listed:
            chats = inside[project.id]
            row = ProjectRow(project, len(chats), project.is_open or self.is_narrowed)
            self._project_rows[project.id] = row
            rows.append(row)
            if row.is_open:
                for chat in sorted(chats, key=lambda listed: not listed.pinned):
                    rows += [chat, *self.below(chat)]
        rows += super().arranged(others, now)
        rows += [tr(SIMILAR_IN_MEANING)] if self.similar else []
        for chat in self.similar:
            rows += [chat, *self.similar_hits[chat.id]]
        return rows

    def flags(self, index: Index) -> Qt.ItemFlag:
        flags = super().flags(index)
        if index.data(HIT_ROLE) is not None:
            return flags & ~Qt.ItemFlag.ItemIsEditable
        is_chat = index.isValid() and isinstance(self._rows[index.row()], Conversation)
        return flags | Qt.ItemFlag.ItemIsDragEnabled if is_chat else flags

    def group_of(self, row: Conversation, now: datetime) -> Translatable:
        return group_of(row, now)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        row: Any = self._rows[index.row()]
        if isinstance(row, str):
            return row if role == Qt.ItemDataRole.DisplayRole else None
        if isinstance(row, ProjectRow):
            return self._data_of_project(row, role)
        if not isinstance(row, Conversation):
            return self._data_of_hit(row, role)
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.EditRole):
            return row.title or tr(NEW_CHAT)
        known: dict[int, Callable[[], Any]] = {
            ID_ROLE: lambda: row.id,
            PINNED_ROLE: lambda: row.pinned,
            # Chats found by meaning stand at the end of the list, outside of their project.
            PROJECT_ROLE: lambda: self._project_rows.get(row.project_id or 0) if row not in self.similar else None,
            TAGS_ROLE: lambda: self.tags.get(row.id, ()),
            ASKS_ROLE: lambda: row.id in self.asking,
            Qt.ItemDataRole.ToolTipRole: lambda: plain_tip(self._with_tags(row)),
            Qt.ItemDataRole.AccessibleTextRole: lambda: self._with_tags(row),
        }
        return known[role]() if role in known else None

    def _with_tags(self, row: Conversation) -> str:
        title, tags = row.title or tr(NEW_CHAT), self.tags.get(row.id, ())
        title = f"{title}\n{tr(CHAT_ASKS)}" if row.id in self.asking else title
        return f"{title}\n{tr('Tags: {names}', names=join_list(tag.name for tag in tags))}" if tags else title

    @staticmethod
    def _data_of_project(row: ProjectRow, role: int) -> Any:
        if role == Qt.ItemDataRole.ToolTipRole:
            return plain_tip(row.title)
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.EditRole):
            return row.title
        known = {PROJECT_ROLE: row, IS_PROJECT_ROLE: True, Qt.ItemDataRole.AccessibleTextRole: row.spoken}
        return known.get(role)

    def _data_of_hit(self, hit: SearchHit, role: int) -> Any:
        if role == Qt.ItemDataRole.ToolTipRole:
            return plain_tip(hit.snippet)
        if role == PROJECT_ROLE:
            return self.index_of(hit.id).data(PROJECT_ROLE)
        return {Qt.ItemDataRole.DisplayRole: hit.snippet, ID_ROLE: hit.id, HIT_ROLE: hit}.get(role)


class ChatDelegate(RowDelegate):
    """Paints projects with their fold arrow, and hits as two lines with highlights below their chat."""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        if index.data(HIT_ROLE) is None:
            return super().sizeHint(option, index)
        view, metrics = self.parent(), QFontMetrics(self._theme.font("small"))
        indent = 0 if index.data(PROJECT_ROLE) is None else INDENT_PX
        room = view.viewport().width() - self._theme.px(28 + 10 + 2 + indent) if isinstance(view, QListView) else 0
        is_short = metrics.horizontalAdvance(str(index.data())) <= room
        return QSize(self._theme.px(80), self._theme.px(HIT_PX - 16 if is_short else HIT_PX))

    def kept_px(self, index: Index) -> int:
        tags, asks = len(index.data(TAGS_ROLE) or ()), bool(index.data(ASKS_ROLE))
        dots = self._theme.px((DOT_PX + 3) * min(tags, MOST_DOTS) + 4) if tags else 0
        return dots + (self._theme.px(GLYPH_PX + 4) if asks else 0)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        painter.save()
        if index.data(IS_PROJECT_ROLE):
            self._paint_project(painter, option, index.data(PROJECT_ROLE))
        else:
            # A copy: the view uses the same option for the rows after this one.
            placed = QStyleOptionViewItem(option)
            if index.data(PROJECT_ROLE) is not None:
                placed.rect = _cut_row(option, self._theme.px(INDENT_PX), 0)
            if (hit := index.data(HIT_ROLE)) is not None:
                self._paint_hit(painter, placed, hit)
            else:
                super().paint(painter, placed, index)
                self._paint_tags(painter, placed, index.data(TAGS_ROLE) or ())
                if index.data(ASKS_ROLE):
                    self._paint_asking(painter, placed, self.kept_px(index))
        painter.restore()

    def buttons_of(self, option: QStyleOptionViewItem) -> dict[ProjectButton, QRect]:
        """Return the rectangles of the buttons on a project's row."""
        px, rect = self._theme.px, option.rect
        size = px(24)
        top = rect.y() + (rect.height() - px(2) - size) // 2
        places: dict[ProjectButton, QRect] = {}
        for number, button in enumerate(ProjectButton):
            away = px(6) + (number + 1) * size
            left = rect.x() + away - size if _is_mirrored(option) else rect.right() + 1 - away
            places[button] = QRect(left, top, size, size)
        return places

    def _paint_project(self, painter: QPainter, option: QStyleOptionViewItem, row: ProjectRow) -> None:
        px, tokens, state = self._theme.px, self._theme.tokens, option.state
        card = self.paint_card(painter, option.rect, shown_state(option))
        is_mirrored = _is_mirrored(option)
        closed = "caret-left" if is_mirrored else "caret-right"
        wanted = "folder-open" if row.is_open else "folder"
        glyphs = (("caret-down" if row.is_open else closed, px(10)), (row.project.icon or wanted, px(GLYPH_PX)))
        at = px(7)
        for (name, edge), colour in zip(glyphs, (tokens.muted, tokens.accent), strict=True):
            left = card.right() + 1 - at - edge if is_mirrored else card.x() + at
            icon(name, colour).paint(painter, QRect(left, card.y() + (card.height() - edge) // 2, edge, edge))
            at += edge + px(6)
        is_used = bool(state & (QStyle.StateFlag.State_MouseOver | QStyle.StateFlag.State_HasFocus))
        painter.setFont(self._theme.font("small"))
        count = format_number(row.chats) if row.chats and not is_used else ""
        # The buttons take the place of the count while they are seen.
        kept = px(60) if is_used else painter.fontMetrics().horizontalAdvance(count) + px(18)
        end = Qt.AlignmentFlag.AlignLeft if is_mirrored else Qt.AlignmentFlag.AlignRight
        painter.setPen(QColor(tokens.muted))
        how = end | Qt.AlignmentFlag.AlignAbsolute | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(card.adjusted(px(12), 0, -px(12), 0), how, count)
        if is_used:
            for button, place in self.buttons_of(option).items():
                glyph, edge = button.value, px(5)
                icon(glyph, tokens.muted).paint(painter, place.adjusted(edge, edge, -edge, -edge))
        painter.setFont(self._theme.font("section"))
        painter.setPen(QColor(tokens.text))
        room = card.adjusted(kept if is_mirrored else at, 0, -(at if is_mirrored else kept), 0)
        start = QStyle.visualAlignment(option.direction, Qt.AlignmentFlag.AlignLeading)
        name = painter.fontMetrics().elidedText(settle_directions(row.title), Qt.TextElideMode.ElideRight, room.width())
        painter.drawText(room, start | Qt.AlignmentFlag.AlignAbsolute | Qt.AlignmentFlag.AlignVCenter, isolate(name))

    def _paint_tags(self, painter: QPainter, option: QStyleOptionViewItem, tags: Sequence[ChatTag]) -> None:
        if not tags:
            return
        px = self._theme.px
        size, rect, is_mirrored = px(DOT_PX), option.rect, _is_mirrored(option)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        # Painted from the end, so that the first tag is the first to be read.
        for number, tag in enumerate(reversed(tags[:MOST_DOTS])):
            away = px(10) + number * (size + px(3))
            left = rect.x() + away if is_mirrored else rect.right() + 1 - away - size
            painter.setBrush(QColor(colour_of(tag.colour, self._theme)))
            painter.drawEllipse(left, rect.y() + (rect.height() - px(2) - size) // 2, size, size)

    def _paint_asking(self, painter: QPainter, option: QStyleOptionViewItem, kept_px: int) -> None:
        """Paint the mark of a chat that waits, before its tags."""
        px, rect = self._theme.px, option.rect
        edge, away = px(GLYPH_PX), px(8) + kept_px
        left = rect.x() + away - edge if _is_mirrored(option) else rect.right() + 1 - away
        place = QRect(left, rect.y() + (rect.height() - px(2) - edge) // 2, edge, edge)
        icon("hand-palm", self._theme.tokens.accent).paint(painter, place)

    def _paint_hit(self, painter: QPainter, option: QStyleOptionViewItem, hit: SearchHit) -> None:
        px, tokens = self._theme.px, self._theme.tokens
        card = self.paint_card(painter, option.rect, shown_state(option))
        painter.setFont(self._theme.font("small"))
        is_mirrored = _is_mirrored(option)
        leading, trailing = px(28), px(10)
        room = card.adjusted(trailing if is_mirrored else leading, px(5), -(leading if is_mirrored else trailing), 0)
        paint_marked(
            painter, room, hit.snippet, hit.marks, colour=tokens.muted, tokens=tokens, is_mirrored=is_mirrored, lines=2
        )


def _is_mirrored(option: QStyleOptionViewItem) -> bool:
    return bool(option.direction == Qt.LayoutDirection.RightToLeft)


def _cut_row(option: QStyleOptionViewItem, leading: int, trailing: int) -> QRect:
    """Return the row's rectangle, shortened at its leading and trailing end."""
    rect: QRect = option.rect
    mirrored = _is_mirrored(option)
    return rect.adjusted(trailing if mirrored else leading, 0, -(leading if mirrored else trailing), 0)


@dataclass(frozen=True)
class ChatListActions:
    """What the list of chats asks for; nothing is changed in the list itself. Projects and chats are told by ids."""

    fold_project: Callable[[int, bool], object]
    """Shows (True) or hides the chats of a project."""
    begin_chat: Callable[[int], object]
    show_project_menu: Callable[[int], object]
    delete_project: Callable[[int], object]
    move_chat: Callable[[int, int | None], object]
    """Moves a dropped chat into a project, or out of its own with None."""
    tag_chat: Callable[[int, int], object]
    """Puts a tag on the chat that it was dropped on."""
    end_drag: Callable[[], object]


class ChatList(RowList):
    """List of chats. Left and Right fold and unfold a project; chats are dragged between projects, tags onto chats."""

    row_actions: ChatListActions

    def __init__(self, theme: Theme, model: QAbstractListModel, name: str) -> None:
        super().__init__(theme, model, name)
        self._pressed_at = QPoint()
        self._held: tuple[str, int, int | None] | None = None
        """The item dragged over the list: its type, its id, and its project."""
        self._target: QRect | None = None
        self.setDragDropMode(QAbstractItemView.DragDropMode.DragDrop)
        # Qt would mark places between rows; here a whole row or group is the target.
        self.setDropIndicatorShown(False)
        self.clicked.connect(self._on_clicked)

    def startDrag(self, _actions: Qt.DropAction) -> None:
        index = self.currentIndex()
        # Places found in a chat can't be moved by themselves.
        if (number := index.data(ID_ROLE)) is None or index.data(HIT_ROLE) is not None:
            return
        data, drag, rect = QMimeData(), QDrag(self), self.visualRect(index)
        data.setData(CHAT_TYPE, str(number).encode())
        drag.setMimeData(data)
        drag.setPixmap(self.viewport().grab(rect))
        drag.setHotSpot(self._pressed_at - rect.topLeft())
        drag.exec(Qt.DropAction.MoveAction)
        self.row_actions.end_drag()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        self._held = self._dragged_item(event.mimeData())
        if self._held is None:
            # Files are for the window.
            event.ignore()
        else:
            super().dragEnterEvent(event)
            event.acceptProposedAction()

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        if self._held is None:
            event.ignore()
            return
        # This scrolls near an edge.
        super().dragMoveEvent(event)
        found = self._drop_place(event.position().toPoint())
        self._show_target(found[0] if found is not None else None)
        event.setAccepted(found is not None)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        super().dragLeaveEvent(event)
        self._held = None
        self._show_target(None)

    def dropEvent(self, event: QDropEvent) -> None:
        held, found = self._held, self._drop_place(event.position().toPoint())
        # This ends the scrolling; the model itself accepts nothing.
        super().dropEvent(event)
        self._held = None
        self._show_target(None)
        event.setAccepted(found is not None)
        if held is not None and found is not None:
            kind, number, _ = held
            if kind == TAG_TYPE:
                self.row_actions.tag_chat(number, found[1])
            else:
                self.row_actions.move_chat(number, found[1])

    def keyPressEvent(self, event: QKeyEvent) -> None:
        index = self.currentIndex()
        row: ProjectRow | None = index.data(PROJECT_ROLE)
        ahead, back = Qt.Key.Key_Right, Qt.Key.Key_Left
        if self.isRightToLeft():
            ahead, back = back, ahead
        if row is None or self.is_editing:
            super().keyPressEvent(event)
        elif not index.data(IS_PROJECT_ROLE):
            # To the project that it is in.
            if event.key() == back:
                self.setCurrentIndex(self._index_of(row.id))
            else:
                super().keyPressEvent(event)
        elif event.key() in (ahead, back):
            self.row_actions.fold_project(row.project.id, event.key() == ahead)
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.row_actions.fold_project(row.project.id, not row.is_open)
        elif event.key() == Qt.Key.Key_Delete:
            self.row_actions.delete_project(row.project.id)
        else:
            super().keyPressEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        # `clicked` says on which row, but not where in it.
        self._pressed_at = event.position().toPoint()
        super().mousePressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self._target is not None:
            painter, px = QPainter(self.viewport()), self._theme.px
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(QColor(self._theme.tokens.accent), 2, Qt.PenStyle.DashLine))
            painter.drawRoundedRect(self._target.adjusted(1, 2, -2, -px(2) - 1), px(8), px(8))

    def _index_of(self, number: int) -> QModelIndex:
        model = self.model()
        assert isinstance(model, ChatListModel)
        return model.index_of(number)

    def _dragged_item(self, data: QMimeData) -> tuple[str, int, int | None] | None:
        kind = next((tag for tag in (CHAT_TYPE, TAG_TYPE) if data.hasFormat(tag)), None)
        if kind is None:
            return None
        number = int(bytes(data.data(kind).data()))
        row = self._index_of(number).data(PROJECT_ROLE) if kind == CHAT_TYPE else None
        return kind, number, row.project.id if row is not None else None

    def _drop_place(self, at: QPoint) -> tuple[QRect, Any] | None:
        """Return where the dragged item would go: the rectangle to mark, and a project, None for none, or a chat. None
        if nowhere.
        """
        # Something else is dragged, such as files.
        if self._held is None:
            return None
        kind, _, project_id = self._held
        index = self.indexAt(at)
        row: ProjectRow | None = index.data(PROJECT_ROLE)
        if kind == TAG_TYPE:
            chat = index.data(ID_ROLE)
            return None if chat is None else (self.visualRect(self._index_of(chat)), chat)
        wanted = row.project.id if row is not None else None
        # It is there already.
        if wanted == project_id:
            return None
        return (self.visualRect(self._index_of(row.id)) if row is not None else self._outside(), wanted)

    def _outside(self) -> QRect:
        """Return the visible area of the rows below all projects."""
        model, rect = self.model(), self.viewport().rect()
        rows = [row for row in range(model.rowCount()) if model.index(row, 0).data(IS_PROJECT_ROLE)]
        if rows:
            last = rows[-1] + 1
            while last < model.rowCount() and model.index(last, 0).data(PROJECT_ROLE) is not None:
                last += 1
            below = self.visualRect(model.index(last - 1, 0)).bottom()
            # Where projects fill the view, its lower end still takes a chat out of them.
            rect.setTop(max(rect.top(), min(below + 1, rect.bottom() - self._theme.px(40))))
        return rect

    def _show_target(self, target: QRect | None) -> None:
        if target != self._target:
            self._target = target
            self.viewport().update()

    def _on_clicked(self, index: QModelIndex) -> None:
        if not index.data(IS_PROJECT_ROLE):
            return
        row: ProjectRow = index.data(PROJECT_ROLE)
        delegate = self.itemDelegate()
        assert isinstance(delegate, ChatDelegate)
        option = QStyleOptionViewItem()
        option.rect, option.direction = self.visualRect(index), self.layoutDirection()
        places = delegate.buttons_of(option).items()
        button = next((button for button, place in places if place.contains(self._pressed_at)), None)
        if button is ProjectButton.NEW_CHAT:
            self.row_actions.begin_chat(row.project.id)
        elif button is ProjectButton.MENU:
            self.row_actions.show_project_menu(row.project.id)
        else:
            self.row_actions.fold_project(row.project.id, not row.is_open)
