"""Files dropped on a window, with an overlay of zones for what can be done with them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from PySide6.QtCore import QEvent, QMimeData, QObject, QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QDragMoveEvent, QDropEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from app.ui.i18n import tr
from app.ui.icons import icon
from app.ui.locale_formats import join_list
from app.ui.theme import Theme, smooth_painter
from app.ui.widgets.picture_widgets import picture_in

EDGE_PX = 24


class FileDropAction(NamedTuple):
    """Action on dropped files: internal name, label, icon."""

    name: str
    words: str
    about: str = ""
    icon: str = ""


class FileDrop(QObject):
    """Make a widget accept files.

    `zones` returns at least one action for those held above it. A drop goes to the nearest zone, so that none is lost.
    """

    dropped = Signal(list, str)
    """Paths, and the name of the zone."""
    refused = Signal()
    """The drop holds no local file, but something from a web page."""
    picture_dropped = Signal(object, str)
    """A picture that isn't a file, as bytes or pixels, with a file ending."""

    def __init__(self, theme: Theme, zones: Callable[[list[str]], Sequence[FileDropAction]], target: QWidget) -> None:
        super().__init__(target)
        self._zones = zones
        self._hint = _Hint(theme, target)
        target.setAcceptDrops(True)
        target.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QDragMoveEvent):  # entering is a kind of move, too
            if event.mimeData().hasUrls() or event.mimeData().hasImage():
                event.acceptProposedAction()
                self._appear(event.mimeData())
                self._hint.point_at(event.position().toPoint())
            return True
        if event.type() == QEvent.Type.DragLeave:
            self._hint.hide()
        elif isinstance(event, QDropEvent) and event.type() == QEvent.Type.Drop:
            event.acceptProposedAction()
            self._hint.point_at(event.position().toPoint())
            self._hint.hide()
            if paths := _paths(event.mimeData()):
                self.dropped.emit(paths, self._hint.chosen)
            elif (picture := picture_in(event.mimeData())) is not None:
                self.picture_dropped.emit(*picture)
            else:
                self.refused.emit()
            return True
        return super().eventFilter(watched, event)

    def _appear(self, data: QMimeData) -> None:
        if not self._hint.isVisible():  # names are requested from the other program once, not with each move
            paths = _paths(data)
            is_picture = not paths and data.hasImage()
            self._hint.appear([FileDropAction("", tr("Ask about this picture"))] if is_picture else self._zones(paths))


def _paths(data: QMimeData) -> list[str]:
    return [url.toLocalFile() for url in data.urls() if url.isLocalFile()]


class _Hint(QWidget):
    """Overlay with a dashed frame for each zone; it receives no events."""

    def __init__(self, theme: Theme, target: QWidget) -> None:
        super().__init__(target)
        self._theme, self._target = theme, target
        self._zones: Sequence[FileDropAction] = ()
        self._place = 0
        self.setObjectName("drop_hint")
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    @property
    def chosen(self) -> str:
        """Name of the zone under the pointer."""
        return self._zones[self._place].name

    def appear(self, zones: Sequence[FileDropAction]) -> None:
        self._zones, self._place = zones, 0
        self.setAccessibleName(join_list(zone.words for zone in zones))
        self.setGeometry(self._target.rect())
        self.raise_()
        self.show()

    def point_at(self, at: QPoint) -> None:
        """Choose the zone nearest to a point."""
        rects = self._rects()
        place = min(range(len(rects)), key=lambda i: abs(rects[i].center().x() - at.x()))
        if place != self._place:
            self._place = place
            self.update()

    def _rects(self) -> list[QRect]:
        """Return zones of equal width, from the leading side."""
        edge, count = self._theme.px(EDGE_PX), len(self._zones)
        width = (self.width() - edge * (count + 1)) // count
        rects = [QRect(edge + i * (width + edge), edge, width, self.height() - 2 * edge) for i in range(count)]
        return rects[::-1] if self.layoutDirection() == Qt.LayoutDirection.RightToLeft else rects

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002
        tokens, px = self._theme.tokens, self._theme.px
        painter = smooth_painter(self)
        veil = QColor(tokens.background)
        veil.setAlphaF(0.9)
        painter.fillRect(self.rect(), veil)
        for place, (rect, zone) in enumerate(zip(self._rects(), self._zones, strict=True)):
            is_under = place == self._place
            is_alone = len(self._zones) == 1
            ground = tokens.chip if is_under and not is_alone else tokens.background
            painter.setBrush(QColor(ground))  # opaque, so that the page doesn't show through
            painter.setPen(QPen(QColor(tokens.accent if is_under else tokens.outline), 2, Qt.PenStyle.DashLine))
            painter.drawRoundedRect(rect, px(10), px(10))
            self._paint_words(painter, rect, zone, is_under=is_under)

    def _paint_words(self, painter: QPainter, rect: QRect, zone: FileDropAction, *, is_under: bool) -> None:
        tokens, px = self._theme.tokens, self._theme.px
        middle, room = rect.center().y(), rect.adjusted(px(8), 0, -px(8), 0)
        if zone.icon:
            size = px(32)
            glyph = icon(zone.icon, tokens.accent if is_under else tokens.muted, size)
            painter.drawPixmap(
                rect.center().x() - size // 2, middle - px(60), glyph.pixmap(QSize(size, size), self.devicePixelRatio())
            )
        painter.setPen(QColor(tokens.text))
        painter.setFont(self._theme.font("section"))
        line = QRect(room.left(), middle - px(14), room.width(), px(28))
        painter.drawText(line, Qt.AlignmentFlag.AlignCenter, zone.words)
        painter.setPen(QColor(tokens.muted))
        painter.setFont(self._theme.font("row"))
        below = QRect(room.left(), middle + px(18), room.width(), px(60))
        flags = Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap
        painter.drawText(below, flags, zone.about)
