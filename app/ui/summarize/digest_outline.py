"""Outline of documents: headings as a tree."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFocusEvent, QKeyEvent, QPainter, QPen
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHeaderView,
    QSizePolicy,
    QStyleOptionViewItem,
    QTreeWidget,
    QTreeWidgetItem,
)

from app.features.document_frames import page_mark
from app.features.shown_document import TextHighlight
from app.features.summarize.overview import DocumentOverview
from app.features.summarize.summary_result import SummarizedDocument
from app.ui.focus_ring import has_ring
from app.ui.i18n import tr, tr_count
from app.ui.locale_formats import join_list
from app.ui.summarize.summary_texts import Chip
from app.ui.theme import Theme
from app.ui.widgets.labels import plain_tip

WIDE_PX, SIDE_PX = 780, 280
"""From this width on, terms and outline are to the right of the sentences."""
MOST_TREE_PX = 420
OPEN_ROWS = 40
"""Longer outlines start with their deeper levels collapsed."""
_CHIP = Qt.ItemDataRole.UserRole
Index = QModelIndex | QPersistentModelIndex


class DigestOutline(QTreeWidget):
    """Outline of headings. A click or Enter opens a heading's place; arrows expand and collapse."""

    opened = Signal(object)
    left = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.setObjectName("outline")
        self.setAccessibleName(tr("Outline"))
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setProperty("elides", True)
        self.setColumnCount(2)
        self.setHeaderHidden(True)
        self.setUniformRowHeights(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)  # it has a current item only
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.header().setStretchLastSection(False)
        self.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self.header().setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        self.viewport().setCursor(Qt.CursorShape.PointingHandCursor)
        self.viewport().setAutoFillBackground(False)
        self.itemClicked.connect(self._open)
        for signal in (self.expanded, self.collapsed):
            signal.connect(self._fit_height)
        theme.dress(self, font="small")
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()

    def show_headings(self, documents: Sequence[SummarizedDocument], overviews: Sequence[DocumentOverview]) -> None:
        """Replace the headings, under the document's name if there are several."""
        self.clear()
        for document, overview in zip(documents, overviews, strict=True):
            root = self.invisibleRootItem()
            if len(documents) > 1 and overview.headings:
                root = self._new_item(
                    root, document.title or document.name, "", Chip("", "", document.id, TextHighlight(1))
                )
            self._add(root, document, overview)
        # Without nested headings, the room for arrows would stay empty.
        self.setRootIsDecorated(any(map(_children, _children(self.invisibleRootItem()))))
        self._open_levels()
        self._on_theme_changed()
        self.setVisible(self.topLevelItemCount() > 0)

    def _open_levels(self) -> None:
        """Expand as many levels as stay readable; at least one under a single title."""
        level = _children(self.invisibleRootItem())
        rows, depth = len(level), 0
        while level:
            level = [child for item in level for child in _children(item)]
            if rows + len(level) > OPEN_ROWS and rows > 1:
                break
            rows, depth = rows + len(level), depth + 1
        self.collapseAll()
        if depth:
            self.expandToDepth(depth - 1)

    def _add(self, root: QTreeWidgetItem, document: SummarizedDocument, overview: DocumentOverview) -> None:
        path: list[tuple[int, QTreeWidgetItem]] = [(0, root)]
        for heading in overview.headings:
            # Levels may be skipped, as from 1 to 3: the parent is the nearest heading above that has a lower one.
            while path[-1][0] >= heading.level:
                path.pop()
            mark = page_mark(document.unit, heading.page)
            chip = Chip(heading.text, heading.text, document.id, TextHighlight(heading.block_id))
            path.append((heading.level, self._new_item(path[-1][1], heading.text, mark, chip)))
        if overview.left_out:
            left = tr_count("{count} more heading not shown", "{count} more headings not shown", overview.left_out)
            item = self._new_item(root, left, "", None)
            item.setFlags(Qt.ItemFlag.ItemIsEnabled)

    def _new_item(self, parent: QTreeWidgetItem, text: str, mark: str, chip: Chip | None) -> QTreeWidgetItem:
        item = QTreeWidgetItem(parent, [text, mark])
        item.setToolTip(0, plain_tip(text))
        item.setData(0, _CHIP, chip)
        item.setData(0, Qt.ItemDataRole.AccessibleTextRole, join_list((text, mark)))
        item.setTextAlignment(1, Qt.AlignmentFlag.AlignTrailing | Qt.AlignmentFlag.AlignVCenter)
        return item

    def _open(self, item: QTreeWidgetItem | None) -> None:
        chip = item.data(0, _CHIP) if item is not None else None
        if chip is not None:
            self.opened.emit(chip)

    def _fit_height(self) -> None:
        """Fit the height to the expanded rows, up to a limit where the list scrolls."""
        rows, item = 0, self.topLevelItem(0)
        # `itemBelow` goes through the expanded rows only.
        while item is not None:
            rows, item = rows + 1, self.itemBelow(item)
        self.setFixedHeight(min(rows * self.sizeHintForRow(0) + 2, self._theme.px(MOST_TREE_PX)) if rows else 0)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._open(self.currentItem())
        elif event.key() == Qt.Key.Key_Escape:
            self.left.emit()
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        # Without a current row, arrow keys have nowhere to start from.
        if self.topLevelItemCount() and not self.currentIndex().isValid():
            self.setCurrentIndex(self.model().index(0, 0))

    def drawRow(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        # The focus frame spans all columns; Qt's would enclose a single one.
        super().drawRow(painter, option, index)
        item = self.itemFromIndex(index)
        if has_ring(self) and item is self.currentItem():
            row = self.visualItemRect(item).united(self.visualRect(self.indexFromItem(item, 1)))
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(QColor(self._theme.tokens.focus), 1.5))
            painter.drawRoundedRect(QRectF(row).adjusted(1, 1, -1, -1), self._theme.px(6), self._theme.px(6))

    def sizeHint(self) -> QSize:
        return QSize(self._theme.px(SIDE_PX), self.height())

    def _on_theme_changed(self) -> None:
        self.setIndentation(self._theme.px(16))
        muted, item = QColor(self._theme.tokens.muted), self.topLevelItem(0)
        while item is not None:
            item.setForeground(1, muted)
            item = self.itemBelow(item)
        self._fit_height()


def _children(item: QTreeWidgetItem) -> list[QTreeWidgetItem]:
    return [child for number in range(item.childCount()) if (child := item.child(number)) is not None]
