"""Summaries as rows: those at work or waiting first, then the others in groups by age."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, Qt, Signal

from app.features.summaries import StoredSummary
from app.ui.i18n import tr
from app.ui.row_list import ID_ROLE, NOTE_ROLE, Index, clean_title
from app.ui.widgets.plain_tip import plain_tip

STATE_ROLE = Qt.ItemDataRole.UserRole + 3
WORKING = ("running", "queued", "paused")


def group_of(summary: StoredSummary, now: datetime) -> str:
    """The heading a summary stands under: by when it was begun, as the list is ordered."""
    if summary.state in WORKING:
        return tr("Working")
    day = datetime.fromtimestamp(summary.created_at).date()
    today = now.date()
    if day >= today:
        return tr("Today")
    return tr("Last 7 days") if day > today - timedelta(days=7) else tr("Earlier")


def note_of(summary: StoredSummary) -> str:
    """What is said behind the title of one that is not done."""
    if summary.state == "running" and summary.sections:
        return tr("{done} of {all}", done=summary.sections_read, all=summary.sections)
    words = {"running": tr("begins"), "queued": tr("waits"), "paused": tr("stopped"), "failed": tr("failed")}
    return words.get(summary.state, "")


class SummaryListModel(QAbstractListModel):
    """Headings and summaries in one list; headings can be neither chosen nor reached."""

    renamed = Signal(int, str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rows: list[StoredSummary | str] = []
        self._row_of: dict[int, int] = {}

    def show(self, summaries: Sequence[StoredSummary], now: datetime | None = None) -> None:
        """Replaces the rows."""
        self.beginResetModel()
        self._rows = _grouped(summaries, now or datetime.now())
        self._row_of = {row.id: place for place, row in enumerate(self._rows) if not isinstance(row, str)}
        self.endResetModel()

    def update(self, summary: StoredSummary, now: datetime | None = None) -> bool:
        """Puts other words into the row of one summary; False where it would stand elsewhere."""
        index = self.index_of(summary.id)
        if not index.isValid():
            return False
        known, now = self._rows[index.row()], now or datetime.now()
        if isinstance(known, str) or group_of(known, now) != group_of(summary, now):
            return False
        self._rows[index.row()] = summary
        self.dataChanged.emit(index, index)
        return True

    def index_of(self, summary_id: int | None) -> QModelIndex:
        """The row of a summary; an invalid index when it is not shown."""
        row = self._row_of.get(summary_id or 0)
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
            return " · ".join(part for part in (row.title, note_of(row)) if part)
        if role == Qt.ItemDataRole.EditRole:
            return row.title
        if role == Qt.ItemDataRole.ToolTipRole:
            return plain_tip(row.title)
        return {ID_ROLE: row.id, NOTE_ROLE: note_of(row), STATE_ROLE: row.state}.get(role)

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        row = self._rows[index.row()]
        title = clean_title(value)
        if isinstance(row, str) or role != Qt.ItemDataRole.EditRole or not title:
            return False
        if title != row.title:
            self.renamed.emit(row.id, title)
        return True


def _grouped(summaries: Sequence[StoredSummary], now: datetime) -> list[StoredSummary | str]:
    """Under each heading its summaries, in the order in which they came."""
    groups: dict[str, list[StoredSummary]] = {tr(name): [] for name in ("Working", "Today", "Last 7 days", "Earlier")}
    for summary in summaries:
        groups[group_of(summary, now)].append(summary)
    rows: list[StoredSummary | str] = []
    for heading, members in groups.items():
        rows += [heading, *members] if members else []
    return rows
