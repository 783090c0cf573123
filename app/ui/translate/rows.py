"""Rows of a translation's segments, fetched in portions and laid out for the current width.

Heights are estimates until a row is laid out; visible rows stay in place when heights become known.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal

from app.core.errors.app_error import AppError
from app.core.lazy_dataclasses import dataclass, replace
from app.documents.segments import Content, Mark
from app.features.translate.translation_events import Translated, TranslationSource
from app.ui.i18n import Translatable, tr
from app.ui.translate.translation_texts import shown_flags

if TYPE_CHECKING:
    from app.features.translate.translation_events import Row

NOT_TRANSLATED_YET = "Not translated yet"


SOURCE, TARGET = 0, 1
PORTION = 100
MOST_PORTIONS = 24
Index = QModelIndex | QPersistentModelIndex
_NO_INDEX = QModelIndex()


@dataclass(frozen=True)
class RowSource:
    """Source of rows; segment ids count from 1 without gaps."""

    count: int
    rows: Callable[[int, int], list[Row]]
    """Returns up to so many rows from a segment on; works on any thread and raises the store's errors."""


class RowsModel(QAbstractTableModel):
    """Model in which row n is segment n + 1. `grown` and `dataChanged` announce changed rows."""

    failed = Signal(object)

    def __init__(self, parent: QObject | None = None, *, on_grown: Callable[[int], object]) -> None:
        super().__init__(parent)
        self.on_grown = on_grown
        """A row's translation got more text."""
        self._source: RowSource | None = None
        self._count = 0
        self._portions: OrderedDict[int, list[Row]] = OrderedDict()
        self._growing: dict[int, str] = {}
        self.language = ""
        """Name of the target language, for flags."""
        self.names = ("", "")
        """Headers of the columns."""

    def show_source(self, source: RowSource | None, names: tuple[str, str] = ("", "")) -> None:
        self.beginResetModel()
        self._source, self._count = source, source.count if source is not None else 0
        self._portions.clear()
        self._growing.clear()
        self.names, self.language = names, names[1]
        self.endResetModel()

    def forget(self) -> None:
        """Drop all fetched rows, because many changed; visible ones are fetched again."""
        self._portions.clear()
        if self._count:
            self.dataChanged.emit(self.index(0, 0), self.index(self._count - 1, 1))

    def row(self, number: int) -> Row | None:
        """Return a row, fetching its portion if needed; None if it doesn't exist or couldn't be read."""
        portion, place = divmod(number, PORTION)
        if not 0 <= number < self._count or self._source is None:
            return None
        if (rows := self._portions.get(portion)) is None:
            rows = self._portions[portion] = self._fetch(portion)
            if len(self._portions) > MOST_PORTIONS:
                self._portions.popitem(last=False)
        else:
            self._portions.move_to_end(portion)
        return rows[place] if place < len(rows) else None

    def growing(self, number: int) -> str | None:
        """Return a row's translation in progress; None if there is none."""
        return self._growing.get(number)

    def grow(self, segment_id: int, text: str) -> None:
        self._growing[segment_id - 1] = text
        self.on_grown(segment_id - 1)

    def drop_growing(self) -> None:
        """Drop all texts in progress, because nothing is being translated any more."""
        numbers, self._growing = list(self._growing), {}
        for number in numbers:
            self.on_grown(number)

    def set_translated(self, translated: Translated) -> None:
        number = translated.id - 1
        self._growing.pop(number, None)
        if (known := self._known(number)) is not None:
            before = known.translated
            if before is None or before.origin is not TranslationSource.EDITED:  # the user's own text is kept
                self.put_row(replace(known, translated=translated))
                return
        self._notify_changed(number)

    def put_row(self, row: Row) -> None:
        number = row.segment.id - 1
        if self._known(number) is not None:
            portion, place = divmod(number, PORTION)
            self._portions[portion][place] = row
        self._notify_changed(number)

    def _known(self, number: int) -> Row | None:
        """Return a row if its portion is in memory, without fetching it."""
        portion, place = divmod(number, PORTION)
        rows = self._portions.get(portion, ())
        return rows[place] if place < len(rows) else None

    def spoken(self, number: int, column: int) -> str:
        """Return a cell's text for screen readers, with its flags or what it waits for."""
        if (row := self.row(number)) is None:
            return ""
        if column == SOURCE:
            return tr("{number}. {words}", number=row.segment.id, words=_spoken_text(row.segment.content))
        if (growing := self._growing.get(number)) is not None:
            return growing or tr("Translating")
        if row.translated is None:
            return tr(NOT_TRANSLATED_YET)
        flags = " ".join(shown_flag.spoken for shown_flag in shown_flags(row.segment, row.translated, self.language))
        text = _spoken_text(row.translated.content)
        return tr("{words} Flagged: {flags}", words=text, flags=flags) if flags else text

    def rowCount(self, parent: Index = _NO_INDEX) -> int:
        return 0 if parent.isValid() else self._count

    def columnCount(self, parent: Index = _NO_INDEX) -> int:
        return 0 if parent.isValid() else 2

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        # Cells are painted by the delegate, so only screen readers ask here.
        if role == Qt.ItemDataRole.AccessibleTextRole and index.isValid():
            return self.spoken(index.row(), index.column())
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if role not in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return None
        return self.names[section] if orientation == Qt.Orientation.Horizontal else str(section + 1)

    def _notify_changed(self, number: int) -> None:
        if 0 <= number < self._count:
            self.dataChanged.emit(self.index(number, SOURCE), self.index(number, TARGET))

    def _fetch(self, portion: int) -> list[Row]:
        assert self._source is not None
        try:
            return self._source.rows(portion * PORTION + 1, PORTION)
        except AppError as error:
            self.failed.emit(error)
            # Kept as an empty portion, so that the error is reported once and not with every paint.
            return []


def _spoken_text(content: Content) -> str:
    return "".join(part if isinstance(part, str) else _spoken_mark(part) for part in content)


MARK_NAMES: dict[str, Translatable] = {
    "image": "image",
    "formula": "formula",
    "note": "note",
    "field": "field",
    "other": "other",
    "code": "code",
    "link": "link",
}
"""What a single mark is called when it is read aloud."""


def _spoken_mark(mark: Mark) -> str:
    if mark.role != "single":
        return ""
    if mark.shows:
        return mark.shows
    if mark.look in ("break", "tab", ""):
        return " "
    return f" ({tr(MARK_NAMES[mark.look]) if mark.look in MARK_NAMES else mark.look}) "
