"""A page of a document as a picture, with marked stretches under a marker's ink."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QRect, QRectF, QSizeF, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QFrame, QLabel, QScrollArea, QVBoxLayout, QWidget

from app.ui.shell.i18n import tr
from app.ui.theme import LIGHT, Theme
from app.ui.widgets.document_drawing import A4_PT, Picture
from app.ui.widgets.document_marks import Area, joined

SLOW_MS = 300
RESIZE_MS = 120
MARGIN_PX = 16
DIMMED_PAPER = "#E0DCD6"
ZOOMS = (0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 2.5, 3.0)
GAP_SEARCH = 0.7  # of a line's height: as far as a computed edge may be beside the gap between two words


class PagePaper(QLabel):
    """The paper: white in every scheme, since documents are shown as they are, a little dimmed in a dark one.

    It is a label for the sake of its role: screen readers read a label's text.
    """

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._picture: Picture | None = None
        self._words = ""
        self._marked: list[Area] = []
        self._hits: list[Area] = []
        self.size_pt = A4_PT
        theme.changed.connect(self.update)

    @property
    def shown(self) -> Picture | None:
        """What is shown; None is empty paper."""
        return self._picture

    @property
    def words(self) -> str:
        """What stands on empty paper."""
        return self._words

    def show_picture(self, picture: Picture | None, size_pt: QSizeF) -> None:
        """The page, or empty paper of its size."""
        self._picture, self.size_pt = picture, size_pt
        if picture is not None:
            self._words = ""
        self.update()

    def show_words(self, words: str) -> None:
        """A few muted words on empty paper."""
        self._words = words if self._picture is None else ""
        self.update()

    def show_areas(self, marked: Sequence[Area], hits: Sequence[Area]) -> None:
        """What is marked, and what a search found beside it."""
        self._marked, self._hits = list(marked), list(hits)
        self.update()

    def marked_rect(self) -> QRectF | None:
        """What is marked, in pixels of this widget."""
        whole = joined(self._marked)
        return None if whole is None else self._rect(Area(*whole))

    def _rect(self, area: Area) -> QRectF:
        sx, sy = self.width() / self.size_pt.width(), self.height() / self.size_pt.height()
        return QRectF(area.left * sx, area.top * sy, (area.right - area.left) * sx, (area.bottom - area.top) * sy)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002
        painter = QPainter(self)
        painter.fillRect(self.rect(), Qt.GlobalColor.white)
        if self._picture is not None:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawImage(QRectF(self.rect()), self._picture.image)
        elif self._words:
            painter.setPen(QColor(LIGHT.muted))
            painter.setFont(self._theme.font(13))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, self._words)
        # Multiplied like ink: letters stay as dark as they are, whatever the colour on them.
        painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_Multiply)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for areas, colour in ((self._hits, LIGHT.selection), (self._marked, LIGHT.mark)):
            for area in areas:
                painter.fillRect(self._rect(self._snapped(area)), QColor(colour))
        if self._theme.is_dark:
            painter.fillRect(self.rect(), QColor(DIMMED_PAPER))

    def _snapped(self, area: Area) -> Area:
        """Moves computed edges into the nearest gap between words, as the picture shows it."""
        if self._picture is None or not (area.cut_left or area.cut_right):
            return area
        height = area.bottom - area.top
        left = self._edge_near(area.left, area, 1) if area.cut_left else area.left
        right = self._edge_near(area.right, area, 0) if area.cut_right else area.right
        return area if right - left < 0.2 * height else area._replace(left=left, right=right)

    def _edge_near(self, x: float, area: Area, side: int) -> float:
        """Where the ink beside the nearest gap ends (`side` 0) or begins (1)."""
        picture = self._picture
        assert picture is not None
        scale = picture.image.width() / self.size_pt.width()
        reach = round((area.bottom - area.top) * GAP_SEARCH * scale)
        at = round(x * scale)
        strip = QRect(at - reach, round(area.top * scale), 2 * reach, max(1, round((area.bottom - area.top) * scale)))
        gap = _nearest_gap(picture.image, strip, at, round(0.12 * (area.bottom - area.top) * scale))
        if gap is None:
            return x
        air = min(0.7, (gap[1] - gap[0]) / scale / 3)
        return gap[side] / scale + (air if side == 0 else -air)


def _nearest_gap(image: QImage, strip: QRect, at: int, least: int) -> tuple[int, int] | None:
    """The ends of the nearest run of columns without ink that is at least so wide; None without one."""
    strip = strip.intersected(image.rect())
    if strip.isEmpty():
        return None
    row = image.copy(strip).convertToFormat(QImage.Format.Format_Grayscale8)
    row = row.scaled(strip.width(), 1, Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.SmoothTransformation)
    paper = max(bytes(row.constBits()[: strip.width()]))
    found: list[tuple[int, int]] = []
    start: int | None = None
    for x, grey in enumerate([*bytes(row.constBits()[: strip.width()]), 0]):
        if grey >= paper - 2 and x < strip.width():
            start = x if start is None else start
        elif start is not None:
            if x - start >= max(1, least):
                found.append((strip.left() + start, strip.left() + x))
            start = None
    return min(found, key=lambda gap: abs((gap[0] + gap[1]) / 2 - at), default=None)


class PageArea(QScrollArea):
    """Where the paper lies. `width_wanted` says that another width in device pixels is needed."""

    width_wanted = Signal()
    turn_wanted = Signal(int)
    """One page on (1) or back (-1)."""
    end_wanted = Signal(int)
    """To the first page (-1) or the last (1)."""
    zoom_changed = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._zoom = 1.0
        self.setObjectName("document_desk")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.paper = PagePaper(theme)
        self._desk = QWidget()
        self._desk.setObjectName("page")
        self._column = QVBoxLayout(self._desk)
        self._column.addWidget(self.paper, 0, Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignHCenter)
        self.setWidget(self._desk)
        self._slow = QTimer(self, singleShot=True, interval=SLOW_MS)
        self._slow.timeout.connect(lambda: self.paper.show_words(tr("Drawing the page…")))
        self._resized = QTimer(self, singleShot=True, interval=RESIZE_MS)
        self._resized.timeout.connect(self.width_wanted)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()

    @property
    def width_px(self) -> int:
        """How wide the page should be drawn, in pixels of the screen."""
        return max(1, round(self._paper_width() * self.devicePixelRatioF()))

    @property
    def zoom(self) -> float:
        """1.0 is as wide as there is room."""
        return self._zoom

    def show_empty(self, size_pt: QSizeF) -> None:
        """Empty paper while a page is drawn; after a while it says so."""
        self.paper.show_picture(None, size_pt)
        self.paper.show_words("")
        self._slow.start()
        self._arrange()

    def show_picture(self, picture: Picture) -> None:
        """The page."""
        self._slow.stop()
        self.paper.show_picture(picture, picture.size_pt)
        self._arrange()

    def clear(self) -> None:
        """No page."""
        self._slow.stop()
        self.paper.show_areas([], [])
        self.paper.show_picture(None, A4_PT)
        self.paper.show_words("")

    def scroll_to_mark(self) -> None:
        """Brings what is marked into view with some air above, or goes to the top of the page."""
        marked = self.paper.marked_rect()
        down, across = self.verticalScrollBar(), self.horizontalScrollBar()
        if marked is None:
            down.setValue(0)
            return
        top, bottom = marked.top() + self.paper.y(), marked.bottom() + self.paper.y()
        height = self.viewport().height()
        if top < down.value() + self._theme.px(16) or bottom > down.value() + height * 3 / 4:
            down.setValue(max(0, round(top - height / 4)))
        across.setValue(max(0, round(marked.left() + self.paper.x() - self._theme.px(24))))

    def zoom_by(self, steps: int) -> None:
        """One step nearer (1) or farther (-1); 0 is as wide as there is room."""
        index = min(range(len(ZOOMS)), key=lambda i: abs(ZOOMS[i] - self._zoom))
        zoom = ZOOMS[min(max(index + steps, 0), len(ZOOMS) - 1)] if steps else 1.0
        if zoom != self._zoom:
            self._zoom = zoom
            self._arrange()
            self._resized.start()
            self.zoom_changed.emit()

    def _paper_width(self) -> int:
        # Always beside a scroll bar, shown or not: with one that comes and goes with the page's height,
        # its width would change again and again.
        room = self.width() - self.verticalScrollBar().sizeHint().width() - 2 * self._theme.px(MARGIN_PX)
        return max(1, round(room * self._zoom))

    def _arrange(self) -> None:
        width, size = self._paper_width(), self.paper.size_pt
        self.paper.setFixedSize(width, max(1, round(width * size.height() / max(size.width(), 1.0))))
        self._settle()

    def _settle(self) -> None:
        """Lays the desk out now: what is to be scrolled to needs its size, and Qt would do so a turn later."""
        self._column.activate()
        desk = self._desk.minimumSizeHint().expandedTo(self.viewport().size())
        if self._desk.size() != desk:
            self._desk.resize(desk)

    def _on_theme_changed(self) -> None:
        margin = self._theme.px(MARGIN_PX)
        self._column.setContentsMargins(margin, margin, margin, margin)
        self._arrange()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()
        self._resized.start()

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.DevicePixelRatioChange:
            self._resized.start()
        return super().event(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.zoom_by(1 if event.angleDelta().y() > 0 else -1)
            event.accept()
        else:
            super().wheelEvent(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Nearer, where it was pressed; or all of the width again."""
        at = self.paper.mapFrom(self, event.position().toPoint())
        share = at.x() / max(1, self.paper.width()), at.y() / max(1, self.paper.height())
        self.zoom_by(0 if self._zoom > 1 else 3)
        self._settle()
        for bar, part, whole, offset, room in (
            (self.horizontalScrollBar(), share[0], self.paper.width(), self.paper.x(), self.viewport().width()),
            (self.verticalScrollBar(), share[1], self.paper.height(), self.paper.y(), self.viewport().height()),
        ):
            bar.setValue(round(part * whole + offset - room / 2))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        bar, key = self.verticalScrollBar(), event.key()
        if event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier & ~Qt.KeyboardModifier.ShiftModifier:
            event.ignore()
        elif key in (Qt.Key.Key_PageDown, Qt.Key.Key_Space) and bar.value() == bar.maximum():
            self.turn_wanted.emit(1)
        elif key == Qt.Key.Key_Space:
            bar.triggerAction(bar.SliderAction.SliderPageStepAdd)
        elif key == Qt.Key.Key_PageUp and bar.value() == bar.minimum():
            self.turn_wanted.emit(-1)
        elif key in (Qt.Key.Key_Home, Qt.Key.Key_End):
            self.end_wanted.emit(-1 if key == Qt.Key.Key_Home else 1)
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Minus, Qt.Key.Key_0):
            self.zoom_by({Qt.Key.Key_Plus: 1, Qt.Key.Key_Minus: -1}.get(Qt.Key(key), 0))
        else:
            super().keyPressEvent(event)
