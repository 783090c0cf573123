"""Table of a glossary: edited in place, a check box for terms kept untranslated, Delete removes lines."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, QRect, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QFont, QFontMetrics, QKeyEvent, QPainter, QPen, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemDelegate,
    QAbstractItemView,
    QHeaderView,
    QStyle,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from app.features.translate.translation_events import GlossaryTerm
from app.ui.i18n import tr
from app.ui.icons import icon
from app.ui.shared_labels import GLOSSARY, KEEP_LABEL
from app.ui.theme import Theme
from app.ui.widgets.row_list import TicksAnywhere, is_ticked

TERM_NOT_TRANSLATED = "Not translated: {term}"
SOURCE, TARGET, KEPT = 0, 1, 2
MOST_TERM = 200
Index = QModelIndex | QPersistentModelIndex
_NO_INDEX = QModelIndex()


class GlossaryModel(QAbstractTableModel):
    """Table model of terms; a ticked term is kept untranslated. `edited` is emitted for the user's changes."""

    def __init__(self, parent: QObject | None = None, *, on_edited: Callable[[], object]) -> None:
        super().__init__(parent)
        self.on_edited = on_edited
        self._lines: list[GlossaryTerm] = []
        self.names = ("", "")
        self.shortened: Callable[[str], str] = str
        """Shortens a header to its width: under a style sheet, Qt would cut it off."""
        self.heading_font = QFont()

    @property
    def terms(self) -> tuple[GlossaryTerm, ...]:
        """Terms with both sides filled in; half-filled lines are in the table only."""
        return tuple(line for line in self._lines if line.source and line.target)

    def show_terms(self, terms: Sequence[GlossaryTerm], names: tuple[str, str]) -> None:
        self.beginResetModel()
        self._lines, self.names = list(terms), names
        self.endResetModel()

    def add(self, term: GlossaryTerm | None = None) -> int:
        """Append a line, empty by default, and return its row."""
        row = len(self._lines)
        self.beginInsertRows(_NO_INDEX, row, row)
        self._lines.append(term or GlossaryTerm("", ""))
        self.endInsertRows()
        return row

    def remove(self, rows: Sequence[int]) -> list[tuple[int, GlossaryTerm]]:
        """Remove lines; return them with their rows, for `put_back`."""
        gone = [(row, self._lines[row]) for row in sorted(set(rows)) if 0 <= row < len(self._lines)]
        # From the end, so that the smaller row numbers stay valid.
        for row, _ in reversed(gone):
            self.beginRemoveRows(_NO_INDEX, row, row)
            del self._lines[row]
            self.endRemoveRows()
        if gone:
            self.on_edited()
        return gone

    def put_back(self, gone: Sequence[tuple[int, GlossaryTerm]]) -> None:
        """Restore lines that `remove` took away, at their rows."""
        for row, term in gone:
            # Other lines may have been removed since.
            row = min(row, len(self._lines))  # noqa: PLW2901
            self.beginInsertRows(_NO_INDEX, row, row)
            self._lines.insert(row, term)
            self.endInsertRows()
        self.on_edited()

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
            return tr(TERM_NOT_TRANSLATED, term=term.source)
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return tr(KEEP_LABEL) if section == KEPT else self.shortened(self.names[section])
        if role == Qt.ItemDataRole.FontRole:
            return self.heading_font
        if role == Qt.ItemDataRole.ToolTipRole:
            return tr("Checked: the term isn’t translated") if section == KEPT else self.names[section]
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
            # Without its tick a term has no translation yet.
            changed = GlossaryTerm(term.source, term.source if is_kept else "")
        else:
            # A term is one line of the prompt.
            text = " ".join(str(value).split())[:MOST_TERM]
            is_same = bool(term.source) and term.source == term.target
            if index.column() == SOURCE:
                # A term that is kept is the same on both sides.
                changed = GlossaryTerm(text, text if is_same else term.target)
            else:
                changed = GlossaryTerm(term.source, text)
        if changed == term:
            return False
        self._lines[row] = changed
        self.dataChanged.emit(self.index(row, SOURCE), self.index(row, KEPT))
        self.on_edited()
        return True


ROW_PX = 34
KEPT_PX = 58


class KeptDelegate(TicksAnywhere):
    """Paint check boxes in the theme's colours; a click anywhere in the cell or Space toggles."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        rect, tokens, size = option.rect, self._theme.tokens, self._theme.px(16)
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(rect, QColor(tokens.bubble))
        box = QRect(rect.left() + self._theme.px(9), rect.center().y() - size // 2, size, size)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(tokens.outline), 1))
        painter.setBrush(QColor(tokens.surface))
        painter.drawRoundedRect(box, self._theme.px(4), self._theme.px(4))
        if is_ticked(index):
            icon("check-bold", tokens.text).paint(painter, box.adjusted(2, 2, -2, -2))
        painter.restore()


class GlossaryTable(QTableView):
    """Table of terms: Enter or F2 edits, Space ticks, Enter after the last cell adds a line."""

    delete_wanted = Signal(list)

    def __init__(self, theme: Theme, terms: GlossaryModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme, self._terms = theme, terms
        self.setObjectName("glossary_table")
        self.setAccessibleName(tr(GLOSSARY))
        self.setModel(terms)
        self.setItemDelegateForColumn(KEPT, KeptDelegate(theme, self))
        self.setWordWrap(False)
        self.setShowGrid(False)
        self.setProperty("elides", True)
        # Tab leaves the table; arrow keys move inside it.
        self.setTabKeyNavigation(False)
        # Files dropped here are the window's.
        self.setAcceptDrops(False)
        self.setCornerButtonEnabled(False)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setEditTriggers(
            QAbstractItemView.EditTrigger.DoubleClicked
            | QAbstractItemView.EditTrigger.EditKeyPressed
            | QAbstractItemView.EditTrigger.AnyKeyPressed
        )
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.horizontalHeader().setHighlightSections(False)
        self.horizontalHeader().setTextElideMode(Qt.TextElideMode.ElideRight)
        theme.dress(self, font="small")
        theme.dress(self.horizontalHeader(), font="caption")
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()

    @property
    def chosen_rows(self) -> list[int]:
        return sorted({index.row() for index in self.selectionModel().selectedIndexes()})

    def edit_cell(self, row: int, column: int) -> None:
        index = self.model().index(row, column)
        self.setCurrentIndex(index)
        self.scrollTo(index)
        self.edit(index)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        index, key = self.currentIndex(), event.key()
        if self.state() == QAbstractItemView.State.EditingState:
            event.accept()  # the key belongs to the cell's editor, which it ends
        elif key in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace) and self.chosen_rows:
            self.delete_wanted.emit(self.chosen_rows)
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and index.isValid() and index.column() != KEPT:
            self.edit(index)
        # Escape closes the panel, and F8 goes to the next flagged segment: both are handled by parents.
        elif key in (Qt.Key.Key_Escape, Qt.Key.Key_F8):
            event.ignore()
        else:
            super().keyPressEvent(event)

    def closeEditor(self, editor: QWidget, hint: object) -> None:
        # After the source the target is edited, if it is empty.
        index: QModelIndex = self.currentIndex()
        super().closeEditor(editor, hint)  # type: ignore[arg-type]
        term = index.data(), index.siblingAtColumn(TARGET).data()
        is_entered = hint == QAbstractItemDelegate.EndEditHint.SubmitModelCache
        if is_entered and index.column() == SOURCE and term[0] and not term[1] and self.isVisible():
            # Not before the current edit has ended.
            row = index.row()
            QTimer.singleShot(0, self, lambda: self.edit_cell(row, TARGET))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._set_columns()

    def _set_columns(self) -> None:
        kept = self._theme.px(KEPT_PX)
        half = max(1, (self.viewport().width() - kept) // 2)
        metrics, room = QFontMetrics(self._terms.heading_font), half - self._theme.px(16)
        self._terms.shortened = lambda name: metrics.elidedText(name, Qt.TextElideMode.ElideRight, room)
        for column, width in ((SOURCE, half), (TARGET, half), (KEPT, kept)):
            self.horizontalHeader().resizeSection(column, width)

    def _on_theme_changed(self) -> None:
        self._terms.heading_font = self._theme.font("caption")
        self.verticalHeader().setDefaultSectionSize(self._theme.px(ROW_PX))
        self._set_columns()
