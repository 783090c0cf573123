"""All heads of a model as thumbnails of their attention: rows are layers, columns heads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import (
    QAbstractTableModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QPoint,
    QRect,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor, QImage, QKeyEvent, QPainter, QResizeEvent
from PySide6.QtWidgets import (
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
)

from app.features.inside.patterns import MEAN, Seen, sentences_of
from app.ui.i18n import tr
from app.ui.inside.cells import CellTable, paint_frame
from app.ui.inside.heat_map import share_colours, share_image
from app.ui.theme import Theme
from app.ui.widgets.labels import plain_tip

if TYPE_CHECKING:
    import numpy as np

    Floats = np.ndarray[Any, np.dtype[np.float32]]

THUMB_PX, LARGEST_THUMB_PX = 34, 60
MOST_CELLS = 48
"""Along a thumbnail's edge: of a longer text each stands for several tokens."""
Index = QModelIndex | QPersistentModelIndex


class HeadsModel(QAbstractTableModel):
    """Makes a thumbnail when it is painted, and its words when they are asked for."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.seen: Seen | None = None
        self._images: dict[tuple[int, int], QImage] = {}
        self._colours: list[int] = []

    def show(self, seen: Seen | None) -> None:
        """The heads of another text."""
        self.beginResetModel()
        self.seen = seen
        self.forget_colours()
        self.endResetModel()

    def forget_colours(self) -> None:
        """The theme has others."""
        self._images.clear()
        self._colours = share_colours(self._theme)

    def image(self, layer: int, head: int) -> QImage:
        """A pixel for each pair of tokens; nothing above the diagonal."""
        import numpy as np

        assert self.seen is not None
        if (layer, head) not in self._images:
            shares = largest_of(self.seen.shares[layer, head], MOST_CELLS)
            above = np.triu(np.ones(shares.shape, bool), 1)
            self._images[layer, head] = share_image(np.where(above, np.float32(np.nan), shares))
            self._images[layer, head].setColorTable(self._colours)
        return self._images[layer, head]

    def words(self, layer: int, head: int) -> str:
        """Which head it is and what it does."""
        assert self.seen is not None
        said = " ".join(tr(each.text, **each.values) for each in sentences_of(self.seen.patterns[layer][head]))
        return tr("Layer {layer}, head {head}. {words}", layer=self.seen.layers[layer], head=head, words=said)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() or self.seen is None else len(self.seen.layers)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() or self.seen is None else int(self.seen.shares.shape[1])

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return self.words(index.row(), index.column())
        if role == Qt.ItemDataRole.ToolTipRole:
            return plain_tip(self.words(index.row(), index.column()))
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if role == Qt.ItemDataRole.DisplayRole and self.seen is not None:
            return str(self.seen.layers[section] if orientation == Qt.Orientation.Vertical else section)
        if role == Qt.ItemDataRole.FontRole:
            return self._theme.font(12)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return Qt.AlignmentFlag.AlignCenter
        return None


class HeadTable(CellTable):
    """Arrows go from head to head, Enter or a click opens one."""

    chosen = Signal(int, int)

    def __init__(self, theme: Theme) -> None:
        self.heads = HeadsModel(theme)
        super().__init__(self.heads, tr("Select all heads"))
        self._theme, self.title = theme, tr("Attention of all heads")
        self.setItemDelegate(ThumbnailDelegate(theme, self.heads, self))
        self.setObjectName("attention_heads")
        self.setAccessibleName(tr("All heads: layers from top to bottom, heads from left to right"))
        self.clicked.connect(self._on_chosen)
        theme.dress(self, least_height=160)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()

    def show_heads(self, seen: Seen | None) -> None:
        """The heads of another text; None: of none."""
        self.heads.show(seen)
        self._fit()

    def mark(self, layer: int, head: int) -> None:
        """The one that is shown; none for a mean."""
        if head == MEAN:
            self.clearSelection()
        else:
            self.setCurrentIndex(self.heads.index(layer, head))

    def table(self) -> list[list[str | float]]:
        """The kind of each head, and the share of what it mostly looks at."""
        seen = self.heads.seen
        assert seen is not None
        found: list[list[str | float]] = [["layer", "head", "pattern", "share", "first"]]
        for row, layer in enumerate(seen.layers):
            for head, pattern in enumerate(seen.patterns[row]):
                share = pattern.repeated[1] if pattern.repeated is not None else pattern.share
                found.append([str(layer), str(head), pattern.kind.value, share or "", pattern.first or ""])
        return found

    def picture_size(self) -> QSize:
        edge, head = self._edge(), self._theme.px(30)
        return QSize(head + edge * self.heads.columnCount(), head + edge * self.heads.rowCount())

    def paint_picture(self, painter: QPainter) -> None:
        theme, edge, head = self._theme, self._edge(), self._theme.px(30)
        painter.fillRect(QRect(QPoint(), self.picture_size()), QColor(theme.tokens.background))
        painter.setFont(theme.font(12))
        painter.setPen(QColor(theme.tokens.muted))
        for column in range(self.heads.columnCount()):
            place = QRect(head + column * edge, 0, edge, head)
            painter.drawText(place, Qt.AlignmentFlag.AlignCenter, str(column))
        for row in range(self.heads.rowCount()):
            number = self.heads.headerData(row, Qt.Orientation.Vertical)
            painter.drawText(QRect(0, head + row * edge, head, edge), Qt.AlignmentFlag.AlignCenter, number)
            for column in range(self.heads.columnCount()):
                self._paint_one(painter, QRect(head + column * edge, head + row * edge, edge, edge), row, column)

    def _paint_one(self, painter: QPainter, rect: QRect, row: int, column: int) -> None:
        paint_thumbnail(painter, self._theme, rect, self.heads.image(row, column))

    def _edge(self) -> int:
        """As large as all heads of a layer have room."""
        px, count = self._theme.px, max(1, self.heads.columnCount())
        return min(max(self.viewport().width() // count, px(THUMB_PX)), px(LARGEST_THUMB_PX))

    def _fit(self) -> None:
        for header in (self.horizontalHeader(), self.verticalHeader()):
            header.setDefaultSectionSize(self._edge())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _on_chosen(self, index: QModelIndex) -> None:
        self.chosen.emit(index.row(), index.column())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space) and self.currentIndex().isValid():
            self._on_chosen(self.currentIndex())
        else:
            super().keyPressEvent(event)

    def _on_theme_changed(self) -> None:
        self.heads.forget_colours()
        self._fit()
        self.verticalHeader().setFixedWidth(self._theme.px(34))
        self.viewport().update()


class ThumbnailDelegate(QStyledItemDelegate):
    """Paints a head's map; a frame around the one that is chosen or under the mouse."""

    def __init__(self, theme: Theme, heads: HeadsModel, parent: QObject) -> None:
        super().__init__(parent)
        self._theme, self._heads = theme, heads

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        painter.save()
        paint_thumbnail(painter, self._theme, option.rect, self._heads.image(index.row(), index.column()))
        state = option.state
        if state & (
            QStyle.StateFlag.State_Selected | QStyle.StateFlag.State_MouseOver | QStyle.StateFlag.State_HasFocus
        ):
            paint_frame(painter, self._theme, option)
        painter.restore()


def largest_of(shares: Floats, most: int) -> Floats:
    """A smaller array, of the largest share in each part: a mean would hide what stands out."""
    import numpy as np

    if len(shares) <= most:
        return shares
    begins = np.linspace(0, len(shares), most, endpoint=False).astype(int)
    found: Floats = np.maximum.reduceat(np.maximum.reduceat(shares, begins, axis=0), begins, axis=1)
    return found


def paint_thumbnail(painter: QPainter, theme: Theme, rect: QRect, image: QImage) -> None:
    """A map without names, smoothed where it has more cells than room."""
    gap = theme.px(3)
    inside = rect.adjusted(gap, gap, -gap, -gap)
    painter.fillRect(inside, QColor(theme.tokens.code))
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, image.width() > inside.width())
    painter.drawImage(inside, image)
