"""The table of a glossary: edited in place, a tick for what is not translated, Delete takes lines out."""

from __future__ import annotations

from PySide6.QtCore import QAbstractItemModel, QEvent, QModelIndex, QRect, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QFontMetrics, QKeyEvent, QMouseEvent, QPainter, QPen, QResizeEvent, QShowEvent
from PySide6.QtWidgets import (
    QAbstractItemDelegate,
    QAbstractItemView,
    QHeaderView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from app.ui.icons import icon
from app.ui.shell.i18n import tr
from app.ui.theme import Theme
from app.ui.translate.glossary_model import KEPT, SOURCE, TARGET, GlossaryModel, Index

ROW_PX = 34
KEPT_PX = 58


class KeptDelegate(QStyledItemDelegate):
    """A tick in a box, in the theme's colours; a click anywhere in the cell or Space changes it."""

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
        if index.data(Qt.ItemDataRole.CheckStateRole) == Qt.CheckState.Checked:
            icon("check-bold", tokens.text).paint(painter, box.adjusted(2, 2, -2, -2))
        painter.restore()

    def editorEvent(
        self,
        event: QEvent,
        model: QAbstractItemModel,
        option: QStyleOptionViewItem,  # noqa: ARG002
        index: Index,
    ) -> bool:
        is_click = isinstance(event, QMouseEvent) and event.type() == QEvent.Type.MouseButtonRelease
        is_space = isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Space
        if not is_click and not is_space:
            return False
        is_on = index.data(Qt.ItemDataRole.CheckStateRole) == Qt.CheckState.Checked
        new = Qt.CheckState.Unchecked if is_on else Qt.CheckState.Checked
        return model.setData(index, new, Qt.ItemDataRole.CheckStateRole)


class GlossaryTable(QTableView):
    """Enter or F2 edits, Space ticks; behind the last cell Enter begins a new line."""

    delete_wanted = Signal(list)

    def __init__(self, theme: Theme, terms: GlossaryModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme, self._terms = theme, terms
        self.setObjectName("glossary_table")
        self.setAccessibleName(tr("Glossary"))
        self.setModel(terms)
        self.setItemDelegateForColumn(KEPT, KeptDelegate(theme, self))
        self.setWordWrap(False)
        self.setShowGrid(False)
        self.setProperty("elides", True)
        self.setTabKeyNavigation(False)
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
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()

    @property
    def chosen_rows(self) -> list[int]:
        """Which lines are selected."""
        return sorted({index.row() for index in self.selectionModel().selectedIndexes()})

    def edit_cell(self, row: int, column: int) -> None:
        """Opens a cell's editor."""
        index = self.model().index(row, column)
        self.setCurrentIndex(index)
        self.scrollTo(index)
        self.edit(index)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        index, key = self.currentIndex(), event.key()
        if self.state() == QAbstractItemView.State.EditingState:
            event.accept()  # of the cell's editor, which ends with it
        elif key in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace) and self.chosen_rows:
            self.delete_wanted.emit(self.chosen_rows)
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and index.isValid() and index.column() != KEPT:
            self.edit(index)
        elif key in (Qt.Key.Key_Escape, Qt.Key.Key_F8):
            event.ignore()
        else:
            super().keyPressEvent(event)

    def closeEditor(self, editor: QWidget, hint: object) -> None:
        """From the source on to the target, as long as that is missing."""
        index: QModelIndex = self.currentIndex()
        super().closeEditor(editor, hint)  # type: ignore[arg-type]
        term = index.data(), index.siblingAtColumn(TARGET).data()
        is_entered = hint == QAbstractItemDelegate.EndEditHint.SubmitModelCache
        if is_entered and index.column() == SOURCE and term[0] and not term[1] and self.isVisible():
            # Not before this editing has ended for good.
            row = index.row()
            QTimer.singleShot(0, self, lambda: self.edit_cell(row, TARGET))

    def showEvent(self, event: QShowEvent) -> None:
        # WORKAROUND: a stack polishes what it shows; fonts set between that and the next parent would be lost.
        self._on_theme_changed()
        super().showEvent(event)

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
        self.setFont(self._theme.font(13.5))
        self._terms.heading_font = self._theme.font(12.5, 600)
        self.horizontalHeader().setFont(self._terms.heading_font)
        self.verticalHeader().setDefaultSectionSize(self._theme.px(ROW_PX))
        self._set_columns()
