"""Left column of stored things: New, search, and a list grouped by age; running jobs come first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from PySide6.QtCore import QModelIndex, QObject, QPoint, Qt, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.core.catalogue import CountedTexts
from app.core.lazy_dataclasses import dataclass
from app.store.jobs import JobRow
from app.ui.i18n import Translatable, tr
from app.ui.icons import icon
from app.ui.locale_formats import join_facts
from app.ui.shared_labels import DELETE, GO_ON, LAST_SEVEN_DAYS, OLDER, RENAME, STOP, TODAY
from app.ui.shell.keyboard import keys_of
from app.ui.shell.notify import Notify
from app.ui.shown_texts import rewrite_text
from app.ui.theme import Theme
from app.ui.widgets.buttons import text_button
from app.ui.widgets.input_fields import SearchField
from app.ui.widgets.labels import plain_label, plain_tip
from app.ui.widgets.layouts import fill_layout, name_widgets
from app.ui.widgets.menus import Menu
from app.ui.widgets.row_list import ID_ROLE, NOTE_ROLE, TITLE_ROLE, GroupedListModel, Index, RowList
from app.ui.widgets.timers import new_timer
from app.ui.work.doing import JobActions

if TYPE_CHECKING:
    from app.features.work.queue import StoredJobs

WORKING_LABEL = "Working"
SEVERAL_DELETED: CountedTexts = ("Deleted {count} item.", "Deleted {count} items.")

SEARCH_DELAY_MS = 120


class Stored(Protocol):
    """Store of the listed things; each has an id and a title."""

    def find(self, query: str, /) -> Sequence[Any]:
        """Return those whose title contains the text, in list order; all for ""."""

    def get(self, number: int, /) -> Any:
        """Return one of them; None if it is gone."""

    def delete(self, number: int, /) -> object:
        """Move one to the trash, from which `restore` brings it back."""

    def restore(self, number: int, /) -> object:
        """Restore one that `delete` has moved to the trash."""


@dataclass(frozen=True, kw_only=True)
class ListWords:
    """Translated texts of a column, and the object name of its list."""

    name: str
    icon: str
    new: str
    search: str
    all: str
    nothing_found: str
    nothing_yet: str


class ListColumn(QWidget):
    """Column to find, open, rename and delete; the view reacts to what is opened. Errors of the store are shown."""

    new_wanted = Signal()
    chosen = Signal(int)
    renamed = Signal(int)
    gone = Signal(int)
    """Id that was deleted; if it was open, the view should show another."""

    def __init__(
        self,
        theme: Theme,
        notify: Notify,
        model: GroupedListModel[Any],
        words: ListWords,
        *,
        stored: Stored,
        rename: Callable[[int, str], object],
        rows: type[RowList] = RowList,
    ) -> None:
        super().__init__()
        self.setObjectName(f"{words.name}_column")
        self._theme, self._notify, self._words = theme, notify, words
        self._stored, self._store_title = stored, rename
        self.open_id: int | None = None
        """Id of the open one; None for a new one, which has no row."""
        new = self._new = text_button(words.new, "new", on_click=self.new_wanted)
        new.setToolTip(keys_of("new"))
        self._begin = fill_layout(QHBoxLayout(), (new, 1))
        self.search = SearchField(theme, words.search)
        self.search.setToolTip(keys_of("search"))
        self._search_later = new_timer(self, SEARCH_DELAY_MS, self.reload)
        self.search.textChanged.connect(lambda _: self._search_later.start())
        self.search.lowered.connect(self._on_lowered)
        self.model = model
        self.model.setParent(self)
        self.model.renamed.connect(self._on_renamed)
        self.list = rows(theme, self.model, words.all)
        self.list.setObjectName(words.name)
        self.list.delete_wanted.connect(self.delete)
        self.list.customContextMenuRequested.connect(self._on_menu)
        for signal in (self.list.clicked, self.list.activated, self.list.moved):
            signal.connect(self._choose)
        self._nothing = plain_label(kind="muted", wraps=True)
        column = self._layout = QVBoxLayout(self)
        column.addLayout(self._begin)
        for widget, stretch in ((self.search, 0), (self._nothing, 0), (self.list, 1)):
            column.addWidget(widget, stretch)
        theme.dress(column, margins=(12, 14, 12, 0), spacing=9)
        theme.dress(self._begin, spacing=6)
        # A push button puts its text four pixels from the icon; a wider icon around the same glyph adds space.
        theme.dress(new, font="control", glyph=(words.icon, "accent", 16), glyph_size=(32, 16))
        theme.dress(self._nothing, font="small", margins=(15, 4, 15, 0))
        name_widgets(new=new, nothing_found=self._nothing)

    def reload(self) -> None:
        """Reload the list for the text in the search field."""
        self._search_later.stop()
        found: Sequence[Any] = ()
        with self._notify.guard():
            found = self._stored.find(self.search.text().strip())
        self._show(found)

    def refresh(self, number: int) -> None:  # noqa: ARG002 - a column may know a shorter way
        """Update the list after one was renamed or changed."""
        self.reload()

    def show_open(self, number: int | None) -> None:
        """Mark the open one; a selected place in it stays selected."""
        self.open_id = number
        if number is None or self.list.currentIndex().data(ID_ROLE) != number:
            self.list.mark(self.model.index_of(number))

    def rename(self, index: QModelIndex) -> None:
        """Edit the title in its row, as F2 does."""
        self.list.setFocus()
        self.list.edit(index)

    def delete(self, number: int) -> None:
        """Delete one at once, without a question, and offer Undo."""
        with self._notify.guard():
            if (stored := self._stored.get(number)) is None:
                return
            self._stored.delete(number)
            self.gone.emit(number)
            self.reload()
            words = tr("“{title}” was deleted.", title=stored.title)
            self._notify.undo(words, lambda: self._bring_back(number), several=SEVERAL_DELETED)

    def menu_for(self, index: QModelIndex) -> Menu:
        menu, tokens = Menu(self, is_temporary=True), self._theme.tokens
        menu.addAction(icon("pencil-simple", tokens.muted), tr(RENAME) + "\tF2", lambda: self.rename(index))
        menu.addSeparator()
        number = index.data(ID_ROLE)
        menu.addAction(icon("trash", tokens.danger), tr(DELETE) + "\t" + tr("Del"), lambda: self.delete(number))
        return menu

    def _show(self, found: Sequence[Any]) -> None:
        # Resetting the model scrolls to the top.
        position = self.list.verticalScrollBar().value()
        self.model.show(found)
        if (index := self.model.index_of(self.open_id)) != self.list.currentIndex():
            self.list.mark(index, scroll=False)
        self.list.verticalScrollBar().setValue(position)
        self._nothing.setVisible(not found)
        is_searched = bool(self.search.text().strip())
        words = self._words.nothing_found if is_searched else self._words.nothing_yet
        # They were made when the column was, perhaps in another language.
        self._nothing.setText(rewrite_text(words))

    def _bring_back(self, number: int) -> None:
        with self._notify.guard():
            self._stored.restore(number)
            self.reload()
            # What was deleted by mistake is opened again.
            self.chosen.emit(number)

    def _choose(self, index: QModelIndex) -> None:
        if (number := index.data(ID_ROLE)) is not None and number != self.open_id:
            self.chosen.emit(number)

    def _on_lowered(self) -> None:
        self.reload()
        self.list.enter()

    def _on_renamed(self, number: int, title: str) -> None:
        with self._notify.guard():
            self._store_title(number, title)
            self.refresh(number)
            self.renamed.emit(number)

    def _on_menu(self, position: QPoint) -> None:
        index = self.list.indexAt(position)
        # Headings can't be edited, and have no menu.
        if index.flags() & Qt.ItemFlag.ItemIsEditable:
            self.menu_for(index).popup(self.list.viewport().mapToGlobal(position))


REFRESH_MS = 250
"""Pause between updates, as running jobs report more often than anyone can read."""


STATE_ROLE = Qt.ItemDataRole.UserRole + 3
WORKING = ("running", "queued")


def is_working(work: JobRow) -> bool:
    """Return whether a job is running or queued; a stopped one waits for the user."""
    return work.state in WORKING


def title_of(work: JobRow) -> str:
    """Return the title as shown; editing uses the stored one."""
    return work.title


def group_of(work: JobRow, now: datetime, is_at_work: Callable[[Any], bool] = is_working) -> Translatable:
    """Return the heading of a job: working, or the age of its creation, which is also the sort order."""
    if is_at_work(work):
        return WORKING_LABEL
    day = datetime.fromtimestamp(work.created_at).date()
    today = now.date()
    if day >= today:
        return TODAY
    return LAST_SEVEN_DAYS if day > today - timedelta(days=7) else OLDER


class WorkListModel(GroupedListModel[JobRow]):
    """Jobs under headings by age.

    `note_of` returns the text after an unfinished job's title; `title_of` the title as shown.
    """

    groups: ClassVar[tuple[Translatable, ...]] = ("Working", "Today", "Last 7 days", "Older")

    def __init__(
        self,
        note_of: Callable[[Any], str],
        parent: QObject | None = None,
        *,
        is_at_work: Callable[[Any], bool] = is_working,
        title_of: Callable[[Any], str] = title_of,
        twin_note_of: Callable[[Any], str] = lambda _row: "",
    ) -> None:
        super().__init__(parent)
        self._twin_note_of = twin_note_of
        self._titles: Counter[str] = Counter()
        self._note_of, self._is_at_work, self._title_of = note_of, is_at_work, title_of

    def show(self, found: Sequence[JobRow], now: datetime | None = None) -> None:
        self._titles = Counter(row.title for row in found)
        super().show(found, now)

    def note_of(self, row: JobRow) -> str:
        """Return the text after a title; twins of the same title get a distinguishing one."""
        is_twin = self._titles[row.title] > 1
        return self._note_of(row) or (self._twin_note_of(row) if is_twin else "")

    def update(self, work: JobRow, now: datetime | None = None) -> bool:
        """Update a row's texts; return False if it would move to another place."""
        index = self.index_of(work.id)
        if not index.isValid():
            return False
        known, now = self._rows[index.row()], now or datetime.now()
        if isinstance(known, str) or self.group_of(known, now) != self.group_of(work, now):
            return False
        self._rows[index.row()] = work
        self.dataChanged.emit(index, index)
        return True

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        row = self._rows[index.row()]
        if isinstance(row, str):
            return row if role == Qt.ItemDataRole.DisplayRole else None
        if role == Qt.ItemDataRole.DisplayRole:
            return join_facts((self._title_of(row), self.note_of(row)))
        if role == Qt.ItemDataRole.EditRole:
            return row.title
        if role == Qt.ItemDataRole.ToolTipRole:
            return plain_tip("\n".join(filter(None, (self._title_of(row), self._twin_note_of(row)))))
        if role == TITLE_ROLE:
            return self._title_of(row)
        return {ID_ROLE: row.id, NOTE_ROLE: self.note_of(row), STATE_ROLE: row.state}.get(role)

    def group_of(self, row: JobRow, now: datetime) -> Translatable:
        return group_of(row, now, self._is_at_work)


@dataclass(frozen=True, kw_only=True)
class ColumnWords(ListWords):
    """Texts of a column, and functions that write its rows."""

    note_of: Callable[[Any], str]
    """Returns the text after the title of an unfinished job."""
    twin_note_of: Callable[[Any], str] = lambda _row: ""
    """Returns the text that tells rows with the same title apart."""
    is_at_work: Callable[[Any], bool] = is_working
    title_of: Callable[[Any], str] = title_of


class WorkColumn(ListColumn):
    """Column of jobs of a kind, updated while they run."""

    work_wanted = Signal()
    """A job was queued again."""

    def __init__(self, theme: Theme, jobs: StoredJobs[Any, Any], notify: Notify, words: ColumnWords) -> None:
        model = WorkListModel(
            words.note_of, is_at_work=words.is_at_work, title_of=words.title_of, twin_note_of=words.twin_note_of
        )
        super().__init__(theme, notify, model, words, stored=jobs, rename=jobs.rename)
        self._rows = model
        self._doing = JobActions(jobs, notify, tr("This was deleted."), self)
        self._doing.queued.connect(self.work_wanted)
        self._doing.row_changed.connect(self.refresh_soon)
        self._moved: set[int] = set()
        self._is_all_stale = False
        self._refresh_later = new_timer(self, REFRESH_MS, self._refresh)

    def reload(self) -> None:
        self._refresh_later.stop()
        self._moved.clear()
        self._is_all_stale = False
        super().reload()

    def refresh_soon(self) -> None:
        """Schedule a reload of the list; a hidden list reloads when it is shown."""
        self._is_all_stale = True
        self._refresh_in_a_moment()

    def show_progress(self, number: int) -> None:
        """Schedule an update of a job's row; several within a moment are one."""
        self._moved.add(number)
        self._refresh_in_a_moment()

    def show_open(self, number: int | None) -> None:
        self.open_id = number
        if number is not None and not self.model.index_of(number).isValid():
            self.search.clear()  # a filter could hide the new job
            self.reload()  # it has just started
        super().show_open(number)

    def menu_for(self, index: QModelIndex) -> Menu:
        menu, muted = super().menu_for(index), self._theme.tokens.muted
        number, state, first = index.data(ID_ROLE), index.data(STATE_ROLE), menu.actions()[0]
        if state in ("running", "queued"):
            menu.insertAction(first, menu.addAction(icon("stop", muted), tr(STOP), lambda: self._doing.stop(number)))
        elif state in ("paused", "failed"):
            menu.insertAction(first, menu.addAction(icon("play", muted), tr(GO_ON), lambda: self._doing.go_on(number)))
        return menu

    def _refresh_in_a_moment(self) -> None:
        if not self._refresh_later.isActive():
            self._refresh_later.start()

    def _refresh(self) -> None:
        if self.list.is_editing:
            self._refresh_in_a_moment()  # changing the row would end the edit in it
        elif self.isVisible():
            moved = [self._doing.get(number) for number in sorted(self._moved)]
            self._moved.clear()
            # A row that is gone, or belongs under another heading, needs a reload.
            if self._is_all_stale or not all(row is not None and self._rows.update(row) for row in moved):
                self.reload()

    def _bring_back(self, number: int) -> None:
        # A job that was queued when it was deleted is queued again.
        super()._bring_back(number)
        self.work_wanted.emit()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.reload()
