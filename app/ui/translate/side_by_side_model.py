"""The segments of a translation as a table of two columns, fetched in parts as they are looked at."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal

from app.core.errors import AppError
from app.documents.segments import Content, Mark
from app.features.translation.result import Origin, Translated
from app.ui.shell.i18n import tr
from app.ui.translate.flag_texts import told

if TYPE_CHECKING:
    from app.features.translation.stored import Row

SOURCE, TARGET = 0, 1
PORTION = 100
MOST_PORTIONS = 24
Index = QModelIndex | QPersistentModelIndex
_NO_INDEX = QModelIndex()


class RowSource(Protocol):
    """Where the rows come from; ids of segments count from 1 without a gap."""

    @property
    def count(self) -> int:
        """How many there are."""

    def rows(self, start: int, count: int) -> list[Row]:
        """Rows from the segment `start` on. Raises what the store raises."""


class RowsModel(QAbstractTableModel):
    """Row n holds segment n + 1. `grown` and `dataChanged` say which rows look different."""

    failed = Signal(object)
    grown = Signal(int)
    """A row's translation is being written."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._source: RowSource | None = None
        self._count = 0
        self._portions: OrderedDict[int, list[Row]] = OrderedDict()
        self._growing: dict[int, str] = {}
        self.language = ""
        """The target's name, as flags say it."""
        self.names = ("", "")
        """Of the columns."""

    def show_source(self, source: RowSource | None, names: tuple[str, str] = ("", "")) -> None:
        """Other rows."""
        self.beginResetModel()
        self._source, self._count = source, source.count if source is not None else 0
        self._portions.clear()
        self._growing.clear()
        self.names, self.language = names, names[1]
        self.endResetModel()

    def forget(self) -> None:
        """The rows are asked again, since much of them is different."""
        self._portions.clear()
        if self._count:
            self.dataChanged.emit(self.index(0, 0), self.index(self._count - 1, 1))

    def row(self, number: int) -> Row | None:
        """A row; None where there is none, or where it could not be read."""
        portion, place = divmod(number, PORTION)
        if not 0 <= number < self._count or self._source is None:
            return None
        rows = self._portions.get(portion)
        if rows is None:
            rows = self._portions[portion] = self._fetch(portion)
            if len(self._portions) > MOST_PORTIONS:
                self._portions.popitem(last=False)
        else:
            self._portions.move_to_end(portion)
        return rows[place] if place < len(rows) else None

    def growing(self, number: int) -> str | None:
        """What is there of a row's translation while it is being written; None when nobody writes it."""
        return self._growing.get(number)

    def grow(self, segment_id: int, text: str) -> None:
        """A translation is being written."""
        self._growing[segment_id - 1] = text
        self.grown.emit(segment_id - 1)

    def still(self) -> None:
        """Nothing is being written any more."""
        numbers, self._growing = list(self._growing), {}
        for number in numbers:
            self.grown.emit(number)

    def put(self, translated: Translated) -> None:
        """A translation is there, or is another one."""
        number = translated.id - 1
        self._growing.pop(number, None)
        portion, place = divmod(number, PORTION)
        rows = self._portions.get(portion)
        if rows is not None and place < len(rows):
            before = rows[place].translated
            if before is None or before.origin is not Origin.EDITED:  # a person's own stays
                rows[place] = replace(rows[place], translated=translated)
        self._tell(number)

    def put_row(self, row: Row) -> None:
        """A row as the store has it now."""
        number = row.segment.id - 1
        portion, place = divmod(number, PORTION)
        rows = self._portions.get(portion)
        if rows is not None and place < len(rows):
            rows[place] = row
        self._tell(number)

    def spoken(self, number: int, column: int) -> str:
        """A cell as a screen reader says it."""
        row = self.row(number)
        if row is None:
            return ""
        if column == SOURCE:
            return tr("{number}. {words}", number=row.segment.id, words=_said(row.segment.content))
        growing = self._growing.get(number)
        if growing is not None:
            return growing or tr("Being translated")
        if row.translated is None:
            return tr("Not translated yet")
        flags = " ".join(one.spoken for one in told(row.segment, row.translated, self.language))
        text = _said(row.translated.content)
        return tr("{words} Flagged: {flags}", words=text, flags=flags) if flags else text

    def rowCount(self, parent: Index = _NO_INDEX) -> int:
        return 0 if parent.isValid() else self._count

    def columnCount(self, parent: Index = _NO_INDEX) -> int:
        return 0 if parent.isValid() else 2

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if role == Qt.ItemDataRole.AccessibleTextRole and index.isValid():
            return self.spoken(index.row(), index.column())
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if role not in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return None
        return self.names[section] if orientation == Qt.Orientation.Horizontal else str(section + 1)

    def _tell(self, number: int) -> None:
        if 0 <= number < self._count:
            self.dataChanged.emit(self.index(number, SOURCE), self.index(number, TARGET))

    def _fetch(self, portion: int) -> list[Row]:
        assert self._source is not None
        try:
            return self._source.rows(portion * PORTION + 1, PORTION)
        except AppError as error:
            self.failed.emit(error)
            return []


def _said(content: Content) -> str:
    return "".join(part if isinstance(part, str) else _said_mark(part) for part in content)


def _said_mark(mark: Mark) -> str:
    if mark.role != "single":
        return ""
    if mark.shows:
        return mark.shows
    return " " if mark.look in ("break", "tab", "") else f" ({tr(mark.look)}) "
