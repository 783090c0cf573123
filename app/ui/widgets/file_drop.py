"""Files dropped anywhere on a window, and what appears while they are held above it: what can be done with them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from PySide6.QtCore import QEvent, QMimeData, QObject, QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QDragMoveEvent, QDropEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from app.ui.i18n import tr
from app.ui.icons import icon
from app.ui.theme import Theme
from app.ui.widgets.picture_widgets import picture_in

EDGE_PX = 24


class FileDropAction(NamedTuple):
    """One thing that can be done with files: its name in the program, and a few words and an icon for a person."""

    name: str
    words: str
    about: str = ""
    icon: str = ""


class FileDrop(QObject):
    """Lets a widget take files. `zones` says what can be done with those that are held above it; at least one thing.

    Wherever they are let go, the nearest zone takes them: nothing that was dropped is lost.
    """

    dropped = Signal(list, str)
    """Their paths, and the name of the zone."""
    refused = Signal()
    """What was let go is no file of this computer: something from a web page."""
    picture_dropped = Signal(object, str)
    """A picture that is no file, as bytes or pixels, and the ending of such a file."""

    def __init__(self, theme: Theme, zones: Callable[[list[str]], Sequence[FileDropAction]], target: QWidget) -> None:
        super().__init__(target)
        self._zones = zones
        self._hint = _Hint(theme, target)
        target.setAcceptDrops(True)
        target.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QDragMoveEvent):  # entering is a move too
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
        if not self._hint.isVisible():  # the names are asked of the other program once, not at each move
            paths = _paths(data)
            is_picture = not paths and data.hasImage()
            self._hint.appear([FileDropAction("", tr("Ask about this picture"))] if is_picture else self._zones(paths))


def _paths(data: QMimeData) -> list[str]:
    return [url.toLocalFile() for url in data.urls() if url.isLocalFile()]


class _Hint(QWidget):
    """Dashed frames over the whole target, side by side, one for each zone; it takes no events itself."""

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
        """The name of the zone under the pointer."""
        return self._zones[self._place].name

    def appear(self, zones: Sequence[FileDropAction]) -> None:
        self._zones, self._place = zones, 0
        self.setAccessibleName(", ".join(zone.words for zone in zones))
        self.setGeometry(self._target.rect())
        self.raise_()
        self.show()

    def point_at(self, at: QPoint) -> None:
        """Where the files are held."""
        rects = self._rects()
        place = min(range(len(rects)), key=lambda i: abs(rects[i].center().x() - at.x()))
        if place != self._place:
            self._place = place
            self.update()

    def _rects(self) -> list[QRect]:
        """Of equal width, the first at the side where reading begins."""
        edge, count = self._theme.px(EDGE_PX), len(self._zones)
        width = (self.width() - edge * (count + 1)) // count
        rects = [QRect(edge + i * (width + edge), edge, width, self.height() - 2 * edge) for i in range(count)]
        return rects[::-1] if self.layoutDirection() == Qt.LayoutDirection.RightToLeft else rects

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002
        tokens, px = self._theme.tokens, self._theme.px
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        veil = QColor(tokens.background)
        veil.setAlphaF(0.9)
        painter.fillRect(self.rect(), veil)
        for place, (rect, zone) in enumerate(zip(self._rects(), self._zones, strict=True)):
            is_under = place == self._place
            is_alone = len(self._zones) == 1
            ground = tokens.chip if is_under and not is_alone else tokens.background
            painter.setBrush(QColor(ground))  # no words of the page shine through those of the zone
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
        painter.setFont(self._theme.font(16, 600))
        line = QRect(room.left(), middle - px(14), room.width(), px(28))
        painter.drawText(line, Qt.AlignmentFlag.AlignCenter, zone.words)
        painter.setPen(QColor(tokens.muted))
        painter.setFont(self._theme.font(14))
        below = QRect(room.left(), middle + px(18), room.width(), px(60))
        flags = Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap
        painter.drawText(below, flags, zone.about)
