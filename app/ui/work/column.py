"""The left column of stored jobs: New, search, and what there is: at work or waiting first, then the rest by age."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from PySide6.QtCore import QModelIndex, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QMenu

from app.features.work.queue import StoredJobs
from app.store.jobs import JobRow
from app.ui.i18n import tr
from app.ui.icons import icon
from app.ui.shell.notify import Notify
from app.ui.theme import Theme
from app.ui.widgets.labels import plain_tip
from app.ui.widgets.row_list import ID_ROLE, NOTE_ROLE, TITLE_ROLE, GroupedListModel, Index
from app.ui.work.doing import Doing
from app.ui.work.list_column import ListColumn, ListWords

REFRESH_MS = 250
"""Work gets further many times a second; nobody reads the list so fast."""


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

    groups = ("Working", "Today", "Last 7 days", "Older")

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

    def update(self, work: JobRow, now: datetime | None = None) -> bool:
        """Puts other words into one row; False where it would stand elsewhere."""
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
            return " · ".join(part for part in (self._title_of(row), self._note_of(row)) if part)
        if role == Qt.ItemDataRole.EditRole:
            return row.title
        if role == Qt.ItemDataRole.ToolTipRole:
            return plain_tip(self._title_of(row))
        if role == TITLE_ROLE:
            return self._title_of(row)
        return {ID_ROLE: row.id, NOTE_ROLE: self._note_of(row), STATE_ROLE: row.state}.get(role)

    def group_of(self, row: JobRow, now: datetime) -> str:
        return group_of(row, now, self._is_at_work)


@dataclass(frozen=True, kw_only=True)
class ColumnWords(ListWords):
    """Also how the rows of a kind are written."""

    note_of: Callable[[Any], str]
    """What is said behind the title of one that is not done."""
    is_at_work: Callable[[Any], bool] = is_working
    title_of: Callable[[Any], str] = title_of


class WorkColumn(ListColumn):
    """The jobs of a kind, which get further while they are looked at."""

    work_wanted = Signal()
    """Something waits in the queue again."""

    def __init__(self, theme: Theme, jobs: StoredJobs[Any, Any], notify: Notify, words: ColumnWords) -> None:
        model = WorkListModel(words.note_of, is_at_work=words.is_at_work, title_of=words.title_of)
        super().__init__(theme, notify, model, words, stored=jobs, rename=jobs.rename)
        self._rows = model
        self._doing = Doing(jobs, notify, tr("It is not there any more."), self)
        self._doing.queued.connect(self.work_wanted)
        self._doing.row_changed.connect(self.refresh_soon)
        self._moved: set[int] = set()
        self._is_all_stale = False
        self._refresh_later = QTimer(self, singleShot=True, interval=REFRESH_MS)
        self._refresh_later.timeout.connect(self._refresh)

    def reload(self) -> None:
        self._refresh_later.stop()
        self._moved.clear()
        self._is_all_stale = False
        super().reload()

    def refresh_soon(self) -> None:
        """Something in the list is another; hidden, it is read when it is shown."""
        self._is_all_stale = True
        self._refresh_in_a_moment()

    def show_progress(self, number: int) -> None:
        """One of them is further."""
        self._moved.add(number)
        self._refresh_in_a_moment()

    def show_open(self, number: int | None) -> None:
        self.open_id = number
        if number is not None and not self.model.index_of(number).isValid():
            self.search.clear()  # which could hide it
            self.reload()  # it has just been begun
        super().show_open(number)

    def menu_for(self, index: QModelIndex) -> QMenu:
        menu, muted = super().menu_for(index), self._theme.tokens.muted
        number, state, first = index.data(ID_ROLE), index.data(STATE_ROLE), menu.actions()[0]
        if state in ("running", "queued"):
            menu.insertAction(first, menu.addAction(icon("stop", muted), tr("Stop"), lambda: self._doing.stop(number)))
        elif state in ("paused", "failed"):
            menu.insertAction(
                first, menu.addAction(icon("play", muted), tr("Go on"), lambda: self._doing.go_on(number))
            )
        return menu

    def _refresh_in_a_moment(self) -> None:
        if not self._refresh_later.isActive():
            self._refresh_later.start()

    def _refresh(self) -> None:
        if self.list.is_editing:
            self._refresh_in_a_moment()  # another word in the row would undo what is being typed there
        elif self.isVisible():
            moved = [self._doing.get(number) for number in sorted(self._moved)]
            self._moved.clear()
            if self._is_all_stale or not all(one is not None and self._rows.update(one) for one in moved):
                self.reload()

    def _bring_back(self, number: int) -> None:
        super()._bring_back(number)
        self.work_wanted.emit()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.reload()
