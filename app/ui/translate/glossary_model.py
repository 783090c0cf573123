"""The terms of one pair of languages as a table: in the source, in the target, and whether both are the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QFont

from app.features.translation.result import Term
from app.ui.shell.i18n import tr

SOURCE, TARGET, KEPT = 0, 1, 2
MOST_TERM = 200
Index = QModelIndex | QPersistentModelIndex
_NO_INDEX = QModelIndex()


class GlossaryModel(QAbstractTableModel):
    """A term is edited in its cells; ticked, it stays as it is in the source. `edited` follows a person's changes."""

    edited = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._lines: list[Term] = []
        self.names = ("", "")
        self.shortened: Callable[[str], str] = str
        """A heading for the room that there is: in a style sheet, Qt cuts it off."""
        self.heading_font = QFont()

    @property
    def terms(self) -> tuple[Term, ...]:
        """Those that are whole: both sides are there."""
        return tuple(one for one in self._lines if one.source and one.target)

    def show_terms(self, terms: Sequence[Term], names: tuple[str, str]) -> None:
        """Other terms."""
        self.beginResetModel()
        self._lines, self.names = list(terms), names
        self.endResetModel()

    def add(self, term: Term | None = None) -> int:
        """A new line at the end, by itself an empty one; its row."""
        row = len(self._lines)
        self.beginInsertRows(_NO_INDEX, row, row)
        self._lines.append(term or Term("", ""))
        self.endInsertRows()
        return row

    def remove(self, rows: Sequence[int]) -> list[tuple[int, Term]]:
        """Takes lines out; they are returned with their rows, in order."""
        gone = [(row, self._lines[row]) for row in sorted(set(rows)) if 0 <= row < len(self._lines)]
        for row, _ in reversed(gone):
            self.beginRemoveRows(_NO_INDEX, row, row)
            del self._lines[row]
            self.endRemoveRows()
        if gone:
            self.edited.emit()
        return gone

    def put_back(self, gone: Sequence[tuple[int, Term]]) -> None:
        """What `remove` returned is there again."""
        for row, term in gone:
            row = min(row, len(self._lines))  # noqa: PLW2901
            self.beginInsertRows(_NO_INDEX, row, row)
            self._lines.insert(row, term)
            self.endInsertRows()
        self.edited.emit()

    def rowCount(self, parent: Index = _NO_INDEX) -> int:
        return 0 if parent.isValid() else len(self._lines)

    def columnCount(self, parent: Index = _NO_INDEX) -> int:
        return 0 if parent.isValid() else 3

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid():
            return None
        term, column = self._lines[index.row()], index.column()
        is_same = bool(term.source) and term.source == term.target
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.EditRole) and column != KEPT:
            return (term.source, term.target)[column]
        if role == Qt.ItemDataRole.CheckStateRole and column == KEPT:
            return Qt.CheckState.Checked if is_same else Qt.CheckState.Unchecked
        if role == Qt.ItemDataRole.AccessibleTextRole and column == KEPT:
            return tr("Not translated: {term}", term=term.source)
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return tr("Keep") if section == KEPT else self.shortened(self.names[section])
        if role == Qt.ItemDataRole.FontRole:
            return self.heading_font
        if role == Qt.ItemDataRole.ToolTipRole:
            return tr("Ticked: the term is not translated") if section == KEPT else self.names[section]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        return None

    def flags(self, index: Index) -> Qt.ItemFlag:
        base = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        if index.column() == KEPT:
            return base | Qt.ItemFlag.ItemIsUserCheckable
        return base | Qt.ItemFlag.ItemIsEditable

    def setData(self, index: Index, value: object, role: int = Qt.ItemDataRole.EditRole) -> bool:
        term, row = self._lines[index.row()], index.row()
        if role == Qt.ItemDataRole.CheckStateRole:
            is_kept = Qt.CheckState(value) == Qt.CheckState.Checked
            changed = Term(term.source, term.source if is_kept else "")
        else:
            text = " ".join(str(value).split())[:MOST_TERM]
            is_same = bool(term.source) and term.source == term.target
            if index.column() == SOURCE:
                changed = Term(text, text if is_same else term.target)
            else:
                changed = Term(term.source, text)
        if changed == term:
            return False
        self._lines[row] = changed
        self.dataChanged.emit(self.index(row, SOURCE), self.index(row, KEPT))
        self.edited.emit()
        return True
