"""The Write tab: the page, the left column of the pages, and what passes between these and the window."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtWidgets import QMenu, QWidget

from app.ui.i18n import tr
from app.ui.icons import icon
from app.ui.shell.notify import Notify
from app.ui.shell.tab_spec import Tab, UiContext
from app.ui.theme import Theme
from app.ui.widgets.beside import InsideBeside
from app.ui.widgets.labels import plain_tip
from app.ui.widgets.row_list import ID_ROLE, GroupedListModel, Index
from app.ui.work.list_column import ListColumn, ListWords
from app.ui.work.tab import SecondModelQuestion
from app.ui.write.write_view import WriteView

if TYPE_CHECKING:
    from app.bootstrap import Fireside
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


class WriteTab(Tab):
    """Opens pages and new ones; keeps the list in step with what is written."""

    def __init__(self, app: Fireside, ui: UiContext) -> None:
        super().__init__()
        self._app, self._ui = app, ui
        self._question = SecondModelQuestion(ui.theme, ui.window)
        app.writing_engines.ask = self._question.ask

    @cached_property
    def view(self) -> InsideBeside:
        view = InsideBeside(self._ui.theme, self.page, self.page.take_keyboard, self._new_inside)
        view.toggled.connect(self.inside_changed)
        return view

    @cached_property
    def page(self) -> WriteView:
        """What stands beside the panel, or in its place."""
        view = WriteView(self._app, self._ui)
        view.at_work.connect(self.state_changed)
        view.continuing.work.ended.connect(self._ui.loader.look)  # its model may have been in the place of the chat's
        return view

    @cached_property
    def column(self) -> PagesColumn:
        column, view = PagesColumn(self._ui.theme, lambda: self._app.pages, self._ui.notify), self.page
        column.new_wanted.connect(self.show_new)
        column.new_wanted.connect(self.take_keyboard)
        column.chosen.connect(view.show_page)
        column.renamed.connect(self._on_renamed)
        column.gone.connect(self._on_gone)
        view.list_changed.connect(lambda _number: self._refresh())
        view.shown_changed.connect(self._on_shown)
        return column

    @property
    def title(self) -> str:
        return self.page.kept.title

    @property
    def open_id(self) -> int | None:
        return self.page.open_id

    @property
    def is_at_work(self) -> bool:
        return "page" in self.__dict__ and self.page.continuing.is_busy

    def restore(self, kept_id: int) -> None:
        self.column.reload()
        self.page.show_page(kept_id or None)

    def restore_list(self) -> None:
        self.column.reload()

    def show_stored(self, number: int, message_id: int = 0, words: str = "") -> None:  # noqa: ARG002 - only chats have
        self.page.show_page(number)

    def take_keyboard(self) -> None:
        self.page.take_keyboard()

    def on_shown(self, *, is_shown: bool) -> None:
        if is_shown:
            self.page.continuing.counting.measure_soon()
        else:
            self.page.kept.keep()
            self.page.continuing.rest()

    def show_new(self) -> None:
        self.page.show_page(None)

    def ask_for_files(self) -> None:
        self.page.files.ask()

    def take_files(self, files: Sequence[Path]) -> None:
        self.page.files.open(files)

    def take_text(self, text: str) -> None:
        self.page.take_text(text)

    def on_model_chosen(self) -> None:
        self.page.continuing.counting.on_model_changed()

    def do(self, command: str) -> None:
        if command == "inside":
            self.view.toggle()

    def store(self) -> None:
        if "page" in self.__dict__:
            self.page.kept.keep()

    def close(self) -> None:
        """The window closes: a question that waits is answered with no, what was typed is kept."""
        self._question.close()
        if "page" in self.__dict__:
            self.page.leave()

    def _new_inside(self) -> QWidget:
        from app.ui.inside.panel import InsidePanel  # nothing of it is needed before somebody looks
        from app.ui.write.inside import PageSubjects

        app = self._app
        subjects = PageSubjects(self.page.edit, self.page.continuing, self)
        opened = partial(app.writing_engines.opened, may_ask=False)
        panel = InsidePanel(self._ui, lambda: app.engine, subjects, opened)
        panel.closed.connect(self.view.hide_beside)
        return panel

    def _refresh(self) -> None:
        """The list follows what is written, but not while somebody gives a page another title."""
        if not self.column.list.is_editing:
            self.column.reload()

    def _on_shown(self) -> None:
        number = self.page.open_id
        if number is not None and not self.column.model.index_of(number).isValid():
            self.column.search.clear()
            self.column.reload()
        self.column.show_open(number)
        self.changed.emit()

    def _on_renamed(self, number: int) -> None:
        if number == self.page.open_id:
            self.page.kept.look()
            self.title_changed.emit()

    def _on_gone(self, number: int) -> None:
        if number == self.page.open_id:
            self.page.forget()
