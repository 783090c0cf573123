"""The left column of stored jobs: New, search, and what there is: at work or waiting first, then the rest by age."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from PySide6.QtCore import QModelIndex, QObject, QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QLabel, QMenu, QVBoxLayout, QWidget

from app.features.work.stored import StoredJobs
from app.store.jobs import JobRow
from app.ui.i18n import tr
from app.ui.icons import icon
from app.ui.shell.keyboard import keys_of
from app.ui.shell.notify import Notify
from app.ui.theme import Theme
from app.ui.widgets.buttons import text_button
from app.ui.widgets.fields import SearchField
from app.ui.widgets.labels import plain_tip
from app.ui.widgets.layouts import name_widgets
from app.ui.widgets.row_list import ID_ROLE, NOTE_ROLE, TITLE_ROLE, GroupedListModel, Index, RowList, clean_title
from app.ui.work.doing import Doing

SEARCH_DELAY_MS = 120
REFRESH_MS = 250
"""JobRow gets further many times a second; nobody reads the list so fast."""


STATE_ROLE = Qt.ItemDataRole.UserRole + 3
WORKING = ("running", "queued")


def is_working(work: JobRow) -> bool:
    """Whether it is at work or waits for its turn; one that was stopped waits for a person."""
    return work.state in WORKING


def title_of(work: JobRow) -> str:
    """Its title as it is shown, by itself as it is edited."""
    return work.title


def group_of(work: JobRow, now: datetime, is_at_work: Callable[[Any], bool] = is_working) -> str:
    """The heading it stands under: by when it was begun, as the list is ordered."""
    if is_at_work(work):
        return tr("Working")
    day = datetime.fromtimestamp(work.created_at).date()
    today = now.date()
    if day >= today:
        return tr("Today")
    return tr("Last 7 days") if day > today - timedelta(days=7) else tr("Older")


class WorkListModel(GroupedListModel[JobRow]):
    """What there is of a kind, under headings by age.

    `note_of` is what is said behind the title of one that is not done; `title_of` is the title as it is shown, where
    that is another than is edited.
    """

    def __init__(
        self,
        note_of: Callable[[Any], str],
        parent: QObject | None = None,
        *,
        is_at_work: Callable[[Any], bool] = is_working,
        title_of: Callable[[Any], str] = title_of,
    ) -> None:
        super().__init__(parent)
        self._note_of, self._is_at_work, self._title_of = note_of, is_at_work, title_of

    def show(self, works: Sequence[JobRow], now: datetime | None = None) -> None:
        self.beginResetModel()
        self._rows = self._grouped(works, now or datetime.now())
        self._row_of = {row.id: place for place, row in enumerate(self._rows) if not isinstance(row, str)}
        self.endResetModel()

    def update(self, work: JobRow, now: datetime | None = None) -> bool:
        """Puts other words into one row; False where it would stand elsewhere."""
        index = self.index_of(work.id)
        if not index.isValid():
            return False
        known, now = self._rows[index.row()], now or datetime.now()
        if isinstance(known, str) or self._group_of(known, now) != self._group_of(work, now):
            return False
        self._rows[index.row()] = work
        self.dataChanged.emit(index, index)
        return True

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        row = self._rows[index.row()]
        if isinstance(row, str):
            return row if role == Qt.ItemDataRole.DisplayRole else None
        if role == Qt.ItemDataRole.DisplayRole:
            return " · ".join(part for part in (self._title_of(row), self._note_of(row)) if part)
        if role == Qt.ItemDataRole.EditRole:
            return row.title
        if role == Qt.ItemDataRole.ToolTipRole:
            return plain_tip(self._title_of(row))
        if role == TITLE_ROLE:
            return self._title_of(row)
        return {ID_ROLE: row.id, NOTE_ROLE: self._note_of(row), STATE_ROLE: row.state}.get(role)

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        row = self._rows[index.row()]
        title = clean_title(value)
        if isinstance(row, str) or role != Qt.ItemDataRole.EditRole or not title:
            return False
        if title != row.title:
            self.renamed.emit(row.id, title)
        return True

    def _group_of(self, work: JobRow, now: datetime) -> str:
        return group_of(work, now, self._is_at_work)

    def _grouped(self, works: Sequence[JobRow], now: datetime) -> list[JobRow | str]:
        """Under each heading its rows, in the order in which they came."""
        names = ("Working", "Today", "Last 7 days", "Older")
        groups: dict[str, list[JobRow]] = {tr(name): [] for name in names}
        for work in works:
            groups[self._group_of(work, now)].append(work)
        rows: list[JobRow | str] = []
        for heading, members in groups.items():
            rows += [heading, *members] if members else []
        return rows


@dataclass(frozen=True)
class ColumnWords:
    """What a column says, in the person's language, and the object names of its parts."""

    name: str
    icon: str
    new: str
    search: str
    all: str
    nothing_found: str
    nothing_yet: str
    note_of: Callable[[Any], str]
    """What is said behind the title of one that is not done."""
    is_at_work: Callable[[Any], bool] = is_working
    title_of: Callable[[Any], str] = title_of


class WorkColumn(QWidget):
    """Finds, opens, renames and deletes; what is open is the view's business."""

    new_wanted = Signal()
    chosen = Signal(int)
    renamed = Signal(int)
    gone = Signal(int)
    """One was deleted; another is to be shown if it was the open one."""
    work_wanted = Signal()
    """Something waits in the queue again."""

    def __init__(
        self,
        theme: Theme,
        jobs: StoredJobs[Any, Any],
        notify: Notify,
        words: ColumnWords,
    ) -> None:
        super().__init__()
        self.setObjectName(f"{words.name}_column")
        self._theme, self._jobs, self._notify, self._words = theme, jobs, notify, words
        self._doing = Doing(jobs, notify, tr("It is not there any more."), self)
        self._doing.queued.connect(self.work_wanted)
        self._doing.row_changed.connect(self.refresh_soon)
        self._open_id: int | None = None
        self._moved: set[int] = set()
        self._is_all_stale = False
        self._new = text_button(words.new, "new")
        self._new.setObjectName("new_work")
        self._new.setToolTip(keys_of("new"))
        self._new.clicked.connect(self.new_wanted)
        self.search = SearchField(theme, words.search)
        self.search.setToolTip(keys_of("search"))
        self._search_later = QTimer(self, singleShot=True, interval=SEARCH_DELAY_MS)
        self._search_later.timeout.connect(self.reload)
        self.search.textChanged.connect(lambda _: self._search_later.start())
        self._refresh_later = QTimer(self, singleShot=True, interval=REFRESH_MS)
        self._refresh_later.timeout.connect(self._refresh)
        self.model = WorkListModel(words.note_of, self, is_at_work=words.is_at_work, title_of=words.title_of)
        self.model.renamed.connect(self._on_renamed)
        self.list = RowList(theme, self.model, words.all)
        self.list.setObjectName(words.name)
        self.list.delete_wanted.connect(self.delete)
        self.list.customContextMenuRequested.connect(self._on_menu)
        for signal in (self.list.clicked, self.list.activated, self.list.moved):
            signal.connect(self._choose)
        self.search.lowered.connect(self._on_lowered)
        self._nothing = QLabel(textFormat=Qt.TextFormat.PlainText, wordWrap=True)
        self._nothing.setProperty("kind", "muted")
        column = QVBoxLayout(self)
        for widget, stretch in ((self._new, 0), (self.search, 0), (self._nothing, 0), (self.list, 1)):
            column.addWidget(widget, stretch)
        theme.dress(column, margins=(12, 14, 12, 0), spacing=9)
        # A push button keeps its text four pixels from the icon; a wider icon around the same glyph gives it air.
        theme.dress(self._new, font=(14.5, 600), glyph=(words.icon, "accent", 16), glyph_size=(32, 16))
        theme.dress(self._nothing, font=(13.5, 400), margins=(15, 4, 15, 0))
        name_widgets(nothing_found=self._nothing)

    def reload(self) -> None:
        """Reads the list again, as the search field says."""
        self._search_later.stop()
        self._refresh_later.stop()
        self._moved.clear()
        self._is_all_stale = False
        self._show(self._doing.result_of(lambda: self._jobs.find(self.search.text().strip())) or ())

    def refresh_soon(self) -> None:
        """Something in the list is another; hidden, it is read when it is shown."""
        self._is_all_stale = True
        self._refresh_in_a_moment()

    def show_progress(self, number: int) -> None:
        self._moved.add(number)
        self._refresh_in_a_moment()

    def show_open(self, number: int | None) -> None:
        """Marks the one that is open; None is a new one, which has no row."""
        self._open_id = number
        if number is not None and not self.model.index_of(number).isValid():
            self.search.clear()  # which could hide it
            self.reload()  # it has just been begun
        self.list.mark(self.model.index_of(number))

    def rename(self, index: QModelIndex) -> None:
        """Opens the title for editing in its row."""
        self.list.setFocus()
        self.list.edit(index)

    def delete(self, number: int) -> None:
        """Deletes one at once, and offers to take it back."""
        work = self._doing.get(number)
        if work is None or not self._doing.try_to(lambda: self._jobs.delete(number)):
            return
        self.gone.emit(number)
        self.reload()
        self._notify.undo(tr("“{title}” was deleted.", title=work.title), lambda: self._bring_back(number))

    def menu_for(self, index: QModelIndex) -> QMenu:
        number, state, tokens = index.data(ID_ROLE), index.data(STATE_ROLE), self._theme.tokens
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        if state in ("running", "queued"):
            menu.addAction(icon("stop", tokens.muted), tr("Stop"), lambda: self._doing.stop(number))
        elif state in ("paused", "failed"):
            menu.addAction(icon("play", tokens.muted), tr("Go on"), lambda: self._doing.go_on(number))
        menu.addAction(icon("pencil-simple", tokens.muted), tr("Rename") + "\tF2", lambda: self.rename(index))
        menu.addSeparator()
        menu.addAction(icon("trash", tokens.danger), tr("Delete") + "\t" + tr("Del"), lambda: self.delete(number))
        return menu

    def _on_lowered(self) -> None:
        self.reload()
        self.list.enter()

    def _refresh_in_a_moment(self) -> None:
        if not self._refresh_later.isActive():
            self._refresh_later.start()

    def _refresh(self) -> None:
        if self.list.is_editing:
            self._refresh_in_a_moment()  # another word in the row would undo what is being typed there
        elif self.isVisible():
            moved = [self._doing.get(number) for number in sorted(self._moved)]
            self._moved.clear()
            if self._is_all_stale or not all(one is not None and self.model.update(one) for one in moved):
                self.reload()

    def _show(self, works: Sequence[JobRow]) -> None:
        position = self.list.verticalScrollBar().value()
        self.model.show(works)
        index = self.model.index_of(self._open_id)
        if index != self.list.currentIndex():
            self.list.mark(index, scroll=False)
        self.list.verticalScrollBar().setValue(position)
        self._nothing.setVisible(not works)
        is_searched = bool(self.search.text().strip())
        self._nothing.setText(self._words.nothing_found if is_searched else self._words.nothing_yet)

    def _bring_back(self, number: int) -> None:
        if self._doing.try_to(lambda: self._jobs.restore(number)):
            self.reload()
            self.chosen.emit(number)
            self.work_wanted.emit()

    def _choose(self, index: QModelIndex) -> None:
        number = index.data(ID_ROLE)
        if number is not None and number != self._open_id:
            self.chosen.emit(number)

    def _on_renamed(self, number: int, title: str) -> None:
        if self._doing.try_to(lambda: self._jobs.rename(number, title)):
            self.reload()
            self.renamed.emit(number)

    def _on_menu(self, position: QPoint) -> None:
        index = self.list.indexAt(position)
        if index.data(ID_ROLE) is not None:
            self.menu_for(index).popup(self.list.viewport().mapToGlobal(position))

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.reload()
