"""The left column of the pages: New page, search in their words, the pages as rows by age."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtWidgets import QMenu

from app.ui.i18n import tr
from app.ui.icons import icon
from app.ui.shell.notify import Notify
from app.ui.theme import Theme
from app.ui.widgets.labels import plain_tip
from app.ui.widgets.row_list import ID_ROLE, GroupedListModel, Index
from app.ui.work.list_column import ListColumn, ListWords

if TYPE_CHECKING:
    from app.features.pages import PageRow, Pages

PINNED_ROLE = Qt.ItemDataRole.UserRole + 1


class PageListModel(GroupedListModel[Any]):
    """Pages under headings by when they were changed last."""

    groups = ("Pinned", "Today", "Yesterday", "Last 7 days", "Older")

    def group_of(self, row: PageRow, now: datetime) -> str:
        if row.pinned:
            return tr("Pinned")
        day, today = datetime.fromtimestamp(row.updated_at).date(), now.date()
        if day >= today:
            return tr("Today")
        if day == today - timedelta(days=1):
            return tr("Yesterday")
        return tr("Last 7 days") if day > today - timedelta(days=7) else tr("Older")

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        row = self._rows[index.row()]
        if isinstance(row, str):
            return row if role == Qt.ItemDataRole.DisplayRole else None
        title = row.title or tr("New page")
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.EditRole):
            return title
        if role == Qt.ItemDataRole.ToolTipRole:
            return plain_tip(f"{title}\n{row.snippet}" if row.snippet else title)
        return {ID_ROLE: row.id, PINNED_ROLE: row.pinned}.get(role)


class PagesColumn(ListColumn):
    """Search finds pages by their words, too, not only by their titles."""

    def __init__(self, theme: Theme, pages: Callable[[], Pages], notify: Notify) -> None:
        words = ListWords(
            name="pages",
            icon="plus",
            new=tr("New page"),
            search=tr("Search pages"),
            all=tr("Pages"),
            nothing_found=tr("No page has these words."),
            nothing_yet=tr("Your pages will be here."),
        )
        self._pages = pages
        super().__init__(
            theme, notify, PageListModel(), words, stored=pages(), rename=lambda one, title: pages().rename(one, title)
        )

    def menu_for(self, index: QModelIndex) -> QMenu:
        menu, muted, is_pinned = super().menu_for(index), self._theme.tokens.muted, bool(index.data(PINNED_ROLE))
        glyph, words = ("push-pin-slash", tr("Unpin")) if is_pinned else ("push-pin", tr("Pin"))
        number = index.data(ID_ROLE)
        pin = menu.addAction(icon(glyph, muted), words, lambda: self._pin(number, is_pinned=not is_pinned))
        menu.insertAction(menu.actions()[1], pin)
        return menu

    def _pin(self, number: int, *, is_pinned: bool) -> None:
        with self._notify.guard():
            self._pages().set_pinned(number, is_pinned)
        self.reload()
