"""Page of a document as a picture with highlights, drawn on a thread."""

from __future__ import annotations

import zlib
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from PySide6.QtCore import QEvent, QObject, QRect, QRectF, QSizeF, Qt, QTimer, Signal
from PySide6.QtGui import (
    QColor,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QShowEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QFrame, QLabel, QScrollArea, QStackedWidget, QVBoxLayout, QWidget

from app.core.errors.app_error import AppError
from app.core.errors.document_errors import DocumentUnreadable
from app.core.events import CancelToken
from app.documents.protocol import Drawn
from app.features.shown_document import ShownDocument
from app.ui.document.marks import Area, joined
from app.ui.i18n import sentence_for, tr
from app.ui.shell import tasks
from app.ui.shell.notify import Notify
from app.ui.theme import LIGHT, Theme
from app.ui.widgets.buttons import text_button
from app.ui.widgets.labels import plain_label
from app.ui.widgets.layouts import fill_layout

DRAWING_THE_PAGE = "Drawing the page…"

SLOW_MS = 300
RESIZE_MS = 120
MARGIN_PX = 16
DIMMED_PAPER = "#E0DCD6"
ZOOMS = (0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 2.5, 3.0)
GAP_SEARCH = 0.7  # of a line's height: maximum distance from a computed edge to the gap between two words


class PagePaper(QLabel):
    """Paper of a page: white in every scheme, slightly dimmed in the dark one."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.shown: PagePicture | None = None
        """None for blank paper."""
        self.words = ""
        """Message on blank paper."""
        self._marked: list[Area] = []
        self._hits: list[Area] = []
        self.size_pt = A4_PT
        theme.changed.connect(self.update)

    def show_picture(self, picture: PagePicture | None, size_pt: QSizeF) -> None:
        """Show a page's picture, or blank paper of its size."""
        self.shown, self.size_pt = picture, size_pt
        if picture is not None:
            self.words = ""
        self.update()

    def show_words(self, words: str) -> None:
        """Show a muted message, but only on blank paper, not on a picture."""
        self.words = words if self.shown is None else ""
        self.update()

    def show_areas(self, marked: Sequence[Area], hits: Sequence[Area]) -> None:
        """Highlight the mark and the search hits, given in points of the page."""
        self._marked, self._hits = list(marked), list(hits)
        self.update()

    def marked_rect(self) -> QRectF | None:
        """Return the mark's bounding rectangle in widget pixels, or None."""
        whole = joined(self._marked)
        return None if whole is None else self._rect(Area(*whole))

    def _rect(self, area: Area) -> QRectF:
        sx, sy = self.width() / self.size_pt.width(), self.height() / self.size_pt.height()
        return QRectF(area.left * sx, area.top * sy, (area.right - area.left) * sx, (area.bottom - area.top) * sy)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002
        painter = QPainter(self)
        painter.fillRect(self.rect(), Qt.GlobalColor.white)
        if self.shown is not None:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawImage(QRectF(self.rect()), self.shown.image)
        elif self.words:
            painter.setPen(QColor(LIGHT.muted))
            painter.setFont(self._theme.font(13))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, self.words)
        # Multiplied like ink, so that letters stay dark under any highlight.
        painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_Multiply)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for areas, colour in ((self._hits, LIGHT.selection), (self._marked, LIGHT.mark)):
            for area in areas:
                painter.fillRect(self._rect(self._snapped(area)), QColor(colour))
        if self._theme.is_dark:
            painter.fillRect(self.rect(), QColor(DIMMED_PAPER))

    def _snapped(self, area: Area) -> Area:
        """Move estimated edges of an area into the nearest gap between words of the picture."""
        if self.shown is None or not (area.cut_left or area.cut_right):
            return area
        height = area.bottom - area.top
        left = self._edge_near(area.left, area, 1) if area.cut_left else area.left
        right = self._edge_near(area.right, area, 0) if area.cut_right else area.right
        return area if right - left < 0.2 * height else area._replace(left=left, right=right)

    def _edge_near(self, x: float, area: Area, side: int) -> float:
        """Return the edge of the ink at the nearest gap: its end (`side` 0) or its start (1)."""
        picture = self.shown
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
    """Return the nearest run of blank columns of at least that width, or None."""
    strip = strip.intersected(image.rect())
    if strip.isEmpty():
        return None
    row = image.copy(strip).convertToFormat(QImage.Format.Format_Grayscale8)
    # Scaling to a single row averages the columns, much faster than a loop in Python.
    row = row.scaled(strip.width(), 1, Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.SmoothTransformation)
    paper = max(bytes(row.constBits()[: strip.width()]))
    found: list[tuple[int, int]] = []
    start: int | None = None
    # The dark column at the end closes a gap that reaches the edge.
    for x, grey in enumerate([*bytes(row.constBits()[: strip.width()]), 0]):
        if grey >= paper - 2 and x < strip.width():
            start = x if start is None else start
        elif start is not None:
            if x - start >= max(1, least):
                found.append((strip.left() + start, strip.left() + x))
            start = None
    return min(found, key=lambda gap: abs((gap[0] + gap[1]) / 2 - at), default=None)


class PageArea(QScrollArea):
    """Scroll area of the paper. `width_wanted` asks for a picture in another width in device pixels."""

    width_wanted = Signal()
    turn_wanted = Signal(int)
    """Asks for the next (1) or previous (-1) page."""
    end_wanted = Signal(int)
    """Asks for the first (-1) or last (1) page."""
    zoom_changed = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.zoom = 1.0
        """1.0 fits the width."""
        self.setObjectName("document_desk")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.paper = PagePaper(theme)
        self._desk = QWidget()
        self._desk.setObjectName("page")
        self._column = theme.dress(QVBoxLayout(self._desk), margins=(MARGIN_PX, MARGIN_PX, MARGIN_PX, MARGIN_PX))
        self._column.addWidget(self.paper, 0, Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignHCenter)
        self.setWidget(self._desk)
        self._slow = QTimer(self, singleShot=True, interval=SLOW_MS)
        self._slow.timeout.connect(lambda: self.paper.show_words(tr(DRAWING_THE_PAGE)))
        self._resized = QTimer(self, singleShot=True, interval=RESIZE_MS)
        self._resized.timeout.connect(self.width_wanted)
        theme.changed.connect(self._arrange)
        self._arrange()

    @property
    def width_px(self) -> int:
        """Width in which the page's picture is drawn, in device pixels."""
        return max(1, round(self._paper_width() * self.devicePixelRatioF()))

    def show_empty(self, size_pt: QSizeF) -> None:
        """Show blank paper while a page is drawn, with a message if that takes long."""
        self.paper.show_picture(None, size_pt)
        self.paper.show_words("")
        self._slow.start()
        self._arrange()

    def show_picture(self, picture: PagePicture) -> None:
        self._slow.stop()
        self.paper.show_picture(picture, picture.size_pt)
        self._arrange()

    def clear(self) -> None:
        self._slow.stop()
        self.paper.show_areas([], [])
        self.paper.show_picture(None, A4_PT)
        self.paper.show_words("")

    def scroll_to_mark(self) -> None:
        """Scroll to the mark with some space above, or to the top of the page."""
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
        """Zoom in (1) or out (-1); 0 fits the width."""
        index = min(range(len(ZOOMS)), key=lambda i: abs(ZOOMS[i] - self.zoom))
        zoom = ZOOMS[min(max(index + steps, 0), len(ZOOMS) - 1)] if steps else 1.0
        if zoom != self.zoom:
            self.zoom = zoom
            self._arrange()
            self._resized.start()
            self.zoom_changed.emit()

    def _paper_width(self) -> int:
        # The vertical scroll bar's width is always reserved: if it came and went with the page's height,
        # the page's width would oscillate.
        room = self.width() - self.verticalScrollBar().sizeHint().width() - 2 * self._theme.px(MARGIN_PX)
        return max(1, round(room * self.zoom))

    def _arrange(self) -> None:
        width, size = self._paper_width(), self.paper.size_pt
        self.paper.setFixedSize(width, max(1, round(width * size.height() / max(size.width(), 1.0))))
        self._settle()

    def _settle(self) -> None:
        # Lay out at once: scrolling needs the new size, and Qt would lay out a turn later.
        self._column.activate()
        desk = self._desk.minimumSizeHint().expandedTo(self.viewport().size())
        if self._desk.size() != desk:
            self._desk.resize(desk)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()
        self._resized.start()

    def event(self, event: QEvent) -> bool:
        # On a screen of another resolution the picture is drawn again in that.
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
        """Zoom in at the clicked point, or back to the full width."""
        at = self.paper.mapFrom(self, event.position().toPoint())
        share = at.x() / max(1, self.paper.width()), at.y() / max(1, self.paper.height())
        self.zoom_by(0 if self.zoom > 1 else 3)
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


class DocumentProblem(QWidget):
    """Message in place of a page that can't be shown, with a way out."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.sentence = theme.dress(plain_label(wraps=True), font=(14, 400))
        self.sentence.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.text_button = text_button(tr("Show the text"))
        column = theme.dress(QVBoxLayout(self), margins=(24, 24, 24, 24), spacing=12)
        fill_layout(column, 1, self.sentence, (self.text_button, 0, Qt.AlignmentFlag.AlignHCenter), 2)

    def show_sentence(self, text: str) -> None:
        self.sentence.setText(text)
        self.sentence.setAccessibleName(text)


class PagePane(QStackedWidget):
    """Page as a picture fitted to the width, or a message. Nothing is drawn while it is hidden."""

    failed = Signal(str)
    """Reason why the requested page can't be shown."""

    def __init__(self, theme: Theme, notify: Notify) -> None:
        super().__init__()
        self._notify = notify
        self._page = 0
        self.area = PageArea(theme)
        self.problem = DocumentProblem(theme)
        self.addWidget(self.area)
        self.addWidget(self.problem)
        self._drawer = PageDrawer(self)
        self._drawer.drawn.connect(self._on_drawn)
        self._drawer.failed.connect(self._on_not_drawn)
        self.area.width_wanted.connect(self._draw)
        # Later, as the layout decides the width.
        self._first_drawing = QTimer(self, singleShot=True, interval=0)
        self._first_drawing.timeout.connect(self._draw)

    @property
    def is_drawing(self) -> bool:
        """True if a picture, or blank paper for it, is visible."""
        return self.currentWidget() is self.area and not self.isHidden()

    def set_document(self, document: ShownDocument | None) -> None:
        """Switch to another document and cancel requests for the old one."""
        self._drawer.set_document(document)
        self._page = 0
        self.area.clear()

    def take_over(self, document: ShownDocument) -> None:
        """Switch to a newer reading of the same file, whose pages look the same."""
        self._drawer.set_document(document, is_same_file=True)
        self._draw()

    def show_page(self, page: int) -> None:
        """Show a page, at once if a picture of it is cached."""
        self._page = page
        self.setCurrentWidget(self.area)
        self.setFocusProxy(self.area)
        self._draw()

    def drop_wish(self) -> None:
        """Drop the request; a picture being drawn is still cached."""
        self._drawer.drop_wish()

    def _draw(self) -> None:
        if not self._page or not self.is_drawing:
            return
        width_px = self.area.width_px
        picture = self._drawer.picture_of(self._page, width_px)
        if picture is None:
            self.area.show_empty(self._drawer.size_of(self._page))
        else:
            self.area.show_picture(picture)
        if self.isVisible():  # the final width isn't known before
            self._drawer.want(self._page, width_px)

    def _on_drawn(self, picture: PagePicture) -> None:
        if picture.page == self._page and self.is_drawing:
            is_first = self.area.paper.shown is None
            self.area.show_picture(picture)
            # Until now its size was a guess, and so was the place of the mark.
            if is_first:
                self.area.scroll_to_mark()

    def _on_not_drawn(self, page: int, error: BaseException) -> None:
        if page != self._page or not self.is_drawing:
            return
        if not isinstance(error, AppError):
            self._notify.error(error)
        self.area.clear()
        # Without what the error says was kept: that is about reading a document, not about showing it.
        self.problem.show_sentence(tr(sentence_for(error).text))
        had_focus = self.area.hasFocus()
        self.setCurrentWidget(self.problem)
        self.setFocusProxy(self.problem.text_button)
        if had_focus:
            self.problem.text_button.setFocus()
        self.failed.emit(self.problem.sentence.text())

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._first_drawing.start()


# Draws pages on a thread, one at a time, the requested one first; caches a few.

CACHE_BYTES = 64_000_000
IDLE_MS = 150
# Cancelling ends the drawing process, and most pages take less time than starting another.
PATIENCE_MS = 200
A4_PT = QSizeF(595.3, 841.9)
MOST_SCALE = 20.0


@dataclass(frozen=True)
class PagePicture:
    """Picture of a page.

    `width_px` is the requested width. If `is_final` is False, it was drawn for a guessed page size and one in the right
    width follows.
    """

    page: int
    width_px: int
    size_pt: QSizeF
    image: QImage
    is_final: bool = True


class PageDrawer(QObject):
    """Draw pages on a thread.

    `drawn` carries a picture, `failed` a page and the reason; both only for the current document.
    """

    drawn = Signal(object)
    failed = Signal(int, object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._document: ShownDocument | None = None
        self._pictures: OrderedDict[tuple[int, int], PagePicture] = OrderedDict()
        self._sizes: dict[int, QSizeF] = {}
        self._last_size = A4_PT
        self._wanted: tuple[int, int] | None = None
        self._running: tuple[int, int] | None = None
        self._neighbours: list[tuple[int, int]] = []
        self._task: tasks.BackgroundTask | None = None
        self._ahead = QTimer(self, singleShot=True, interval=IDLE_MS)
        self._ahead.timeout.connect(self._draw_neighbour)
        self._patience = QTimer(self, singleShot=True, interval=PATIENCE_MS)
        self._patience.timeout.connect(self._cancel_unwanted)

    @property
    def is_busy(self) -> bool:
        return self._task is not None

    @property
    def is_idle(self) -> bool:
        """True if nothing is drawn or scheduled, not even a neighbour of the page."""
        return self._task is None and not self._ahead.isActive()

    @property
    def kept_bytes(self) -> int:
        return sum(picture.image.sizeInBytes() for picture in self._pictures.values())

    def set_document(self, document: ShownDocument | None, *, is_same_file: bool = False) -> None:
        """Switch documents and cancel running requests silently. Pictures of the same file stay cached."""
        if self._task is not None:
            self._task.abandon()
        self._task = self._running = self._wanted = None
        self._neighbours = []
        self._ahead.stop()
        self._patience.stop()
        self._document = document
        if not is_same_file:
            self._pictures.clear()
            self._sizes.clear()
            self._last_size = A4_PT

    def size_of(self, page: int) -> QSizeF:
        """Return a page's size in points, as far as it is known."""
        # Else that of the last page that was drawn, as most are alike.
        return self._sizes.get(page, self._last_size)

    def picture_of(self, page: int, width_px: int) -> PagePicture | None:
        """Return a cached picture in that width, else the sharpest in another one, or None."""
        exact = self._pictures.get((page, width_px))
        others = [picture for (number, _), picture in self._pictures.items() if number == page]
        return exact or max(others, key=lambda picture: picture.width_px, default=None)

    def want(self, page: int, width_px: int) -> None:
        """Request a page in a width of device pixels; only the latest request counts."""
        key = (page, width_px)
        self._ahead.stop()
        self._wanted = key
        self._neighbours = [(page + 1, width_px), (page - 1, width_px)]
        if key in self._pictures:
            self._pictures.move_to_end(key)
            self._wanted = None
            self.drawn.emit(self._pictures[key])
            self._ahead.start()
        elif self._task is None:
            self._start(key)
        elif self._running != key:
            self._patience.start()  # the end of the running page starts the one requested then

    def drop_wish(self) -> None:
        """Drop the request, such as while text is shown; a picture being drawn is still cached."""
        self._wanted = None
        self._neighbours = []
        self._ahead.stop()

    def _cancel_unwanted(self) -> None:
        if self._task is not None and self._wanted is not None and self._running != self._wanted:
            self._task.cancel()

    def _start(self, key: tuple[int, int]) -> None:
        document = self._document
        if document is None:
            return
        page, width_px = key
        guess = self.size_of(page)
        is_known = page in self._sizes

        def draw_page(token: CancelToken) -> Iterator[object]:
            yield from _pictures(document, page, width_px, guess, token, is_known=is_known)

        self._running = key
        task = self._task = tasks.run(draw_page, self)
        task.event.connect(lambda picture: self._on_picture(task, picture))
        task.finished.connect(lambda: self._on_end(task))
        task.failed.connect(lambda error: self._on_failed(task, error))

    def _on_picture(self, task: tasks.BackgroundTask, picture: PagePicture) -> None:
        if task is not self._task:
            return
        key = (picture.page, picture.width_px)
        self._sizes[picture.page] = self._last_size = picture.size_pt
        if picture.is_final:
            self._pictures[key] = picture
            self._pictures.move_to_end(key)
        while len(self._pictures) > 1 and self.kept_bytes > CACHE_BYTES:
            self._pictures.popitem(last=False)
        if key == self._wanted:
            self.drawn.emit(picture)

    def _on_end(self, task: tasks.BackgroundTask) -> None:
        if task is not self._task:
            return
        if self._wanted == self._running:
            self._wanted = None
        self._task = self._running = None
        if self._wanted is not None:
            self._start(self._wanted)
        else:
            self._ahead.start()

    def _on_failed(self, task: tasks.BackgroundTask, error: BaseException) -> None:
        if task is not self._task:
            return
        failed, self._task, self._running = self._running, None, None
        if self._wanted is not None and self._wanted != failed:
            self._start(self._wanted)  # an error of a page that isn't requested any more is ignored
        elif self._wanted is not None:
            self._wanted = None
            self.failed.emit(failed[0] if failed else 0, error)

    def _draw_neighbour(self) -> None:
        """Draw the next page, then the previous one, while idle; each is tried once."""
        if self._document is None or self._task is not None:
            return
        while self._neighbours:
            key = self._neighbours.pop(0)
            if 1 <= key[0] <= self._document.pages and key not in self._pictures:
                self._start(key)
                return


def _pictures(
    document: ShownDocument, page: int, width_px: int, guess: QSizeF, token: CancelToken, *, is_known: bool
) -> Iterator[PagePicture]:
    """Yield the page in the requested width; twice if its size was guessed wrongly."""
    size = guess
    # If the size was a guess, the first drawing tells the real one.
    for is_last in (True,) if is_known else (False, True):
        if token.cancelled:
            return
        scale = min(width_px / max(size.width(), 1.0), MOST_SCALE)
        for drawn in document.draw_page(page, scale, token):
            picture = picture_from(drawn, width_px, document.name)
            size = picture.size_pt
            is_final = is_last or picture.image.width() == width_px  # one pixel less would blur already
            yield replace(picture, is_final=is_final)
            if is_final:
                return


def picture_from(drawn: Drawn, width_px: int, name: str) -> PagePicture:
    """Decompress a picture from the child process; raises DocumentUnreadable if its size is not as declared."""
    wanted = drawn.width * drawn.height * 3
    try:
        inflate = zlib.decompressobj()
        # Limited to the declared size: a damaged stream might unpack to gigabytes.
        rows = inflate.decompress(drawn.pixels, max(1, wanted))
    except (ValueError, zlib.error) as error:
        raise DocumentUnreadable(name, "not_drawn") from error
    if not wanted or len(rows) != wanted or not (drawn.width_pt > 0 and drawn.height_pt > 0):
        raise DocumentUnreadable(name, "not_drawn")
    image = QImage(rows, drawn.width, drawn.height, drawn.width * 3, QImage.Format.Format_RGB888)
    # A copy, since the pixels are freed when this function returns. RGB32 is painted without conversion.
    copy = image.convertToFormat(QImage.Format.Format_RGB32)
    return PagePicture(drawn.page, width_px, QSizeF(drawn.width_pt, drawn.height_pt), copy)
