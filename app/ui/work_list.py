"""Stored work as rows of a left column: what is at work or waits first, then the rest in groups by age."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, Qt, Signal

from app.ui.shell.i18n import tr
from app.ui.widgets.labels import plain_tip
from app.ui.widgets.row_list import ID_ROLE, NOTE_ROLE, TITLE_ROLE, Index, clean_title

STATE_ROLE = Qt.ItemDataRole.UserRole + 3
WORKING = ("running", "queued")


class Work(Protocol):
    """A summary or a translation, as far as its row shows it."""

    @property
    def id(self) -> int:
        """Its number in the store."""

    @property
    def title(self) -> str:
        """What a person calls it."""

    @property
    def state(self) -> str:
        """See `app.store.jobs`."""

    @property
    def created_at(self) -> float:
        """When it was begun, in seconds since 1970."""


def is_working(work: Work) -> bool:
    """Whether it is at work or waits for its turn; one that was stopped waits for a person."""
    return work.state in WORKING


def group_of(work: Work, now: datetime, is_at_work: Callable[[Any], bool] = is_working) -> str:
    """The heading it stands under: by when it was begun, as the list is ordered."""
    if is_at_work(work):
        return tr("Working")
    day = datetime.fromtimestamp(work.created_at).date()
    today = now.date()
    if day >= today:
        return tr("Today")
    return tr("Last 7 days") if day > today - timedelta(days=7) else tr("Older")


class WorkListModel(QAbstractListModel):
    """Headings and rows in one list; headings can be neither chosen nor reached.

    `note_of` is what is said behind the title of one that is not done; `title_of` is the title as it is shown, where
    that is another than is edited.
    """

    renamed = Signal(int, str)

    def __init__(
        self,
        note_of: Callable[[Any], str],
        parent: QObject | None = None,
        *,
        is_at_work: Callable[[Any], bool] = is_working,
        title_of: Callable[[Any], str] = lambda work: str(work.title),
    ) -> None:
        super().__init__(parent)
        self._note_of, self._is_at_work, self._title_of = note_of, is_at_work, title_of
        self._rows: list[Work | str] = []
        self._row_of: dict[int, int] = {}

    def show(self, works: Sequence[Work], now: datetime | None = None) -> None:
        """Replaces the rows."""
        self.beginResetModel()
        self._rows = self._grouped(works, now or datetime.now())
        self._row_of = {row.id: place for place, row in enumerate(self._rows) if not isinstance(row, str)}
        self.endResetModel()

    def update(self, work: Work, now: datetime | None = None) -> bool:
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

    def index_of(self, number: int | None) -> QModelIndex:
        """The row of one of them; an invalid index when it is not shown."""
        row = self._row_of.get(number or 0)
        return QModelIndex() if row is None else self.index(row)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self._rows)

    def flags(self, index: Index) -> Qt.ItemFlag:
        if not index.isValid() or isinstance(self._rows[index.row()], str):
            return Qt.ItemFlag.NoItemFlags
        return Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsEditable

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

    def _group_of(self, work: Work, now: datetime) -> str:
        return group_of(work, now, self._is_at_work)

    def _grouped(self, works: Sequence[Work], now: datetime) -> list[Work | str]:
        """Under each heading its rows, in the order in which they came."""
        names = ("Working", "Today", "Last 7 days", "Older")
        groups: dict[str, list[Work]] = {tr(name): [] for name in names}
        for work in works:
            groups[self._group_of(work, now)].append(work)
        rows: list[Work | str] = []
        for heading, members in groups.items():
            rows += [heading, *members] if members else []
        return rows
