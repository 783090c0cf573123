"""Page of a document as a picture with highlights, drawn on a thread."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QEvent, QRect, QRectF, QSizeF, Qt, Signal
from PySide6.QtGui import (
    QAccessible,
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
from app.features.shown_document import ShownDocument
from app.ui.document.marks import Area, SaidPart, areas_of, joined
from app.ui.document.page_drawer import A4_PT, PageDrawer, PagePicture
from app.ui.i18n import sentence_for, tr
from app.ui.screen_reader import SpokenPart, read_as
from app.ui.shell.notify import Notify
from app.ui.theme import LIGHT, Theme
from app.ui.widgets.buttons import text_button
from app.ui.widgets.labels import plain_label
from app.ui.widgets.layouts import fill_layout
from app.ui.widgets.timers import new_timer

DRAWING_THE_PAGE = "Drawing the page…"
PAGE_LABEL = "Page"
SLOW_MS = 300
RESIZE_MS = 120
MARGIN_PX = 16
DARK_PAPER, DIMMED_PAPER = "#E0DCD6", "#C9C4BC"
"""White paper in the dark scheme, and if the user wants it dimmer still."""
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
        self._page = 0
        self._said: Sequence[SaidPart] = ()
        self._marked: list[Area] = []
        self._hits: list[Area] = []
        self.size_pt = A4_PT
        theme.changed.connect(self.update)

    def spoken_count(self) -> int:
        return len(self._said)

    def spoken_part(self, number: int) -> SpokenPart:
        words, block, mark = self._said[number]
        whole = joined(areas_of(block, mark, self._page))
        # A format without places has only the paper itself.
        place = self.rect() if whole is None else self._rect(Area(*whole)).toAlignedRect().intersected(self.rect())
        return SpokenPart(QAccessible.Role.Paragraph, words, place)

    def show_said(self, page: int, said: Sequence[SaidPart]) -> None:
        """Set what screen readers find on the page, by its number from 1."""
        self._page, self._said = page, said

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
            painter.setFont(self._theme.font("small"))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, self.words)
        # Multiplied like ink, so that letters stay dark under any highlight.
        painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_Multiply)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for areas, colour in ((self._hits, LIGHT.selection), (self._marked, LIGHT.mark)):
            for area in areas:
                painter.fillRect(self._rect(self._snapped(area)), QColor(colour))
        if self._theme.is_dark:
            painter.fillRect(self.rect(), QColor(DIMMED_PAPER if self._theme.dims_pages else DARK_PAPER))

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
    zoom_changed = Signal(float)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.zoom = 1.0
        """1.0 fits the width."""
        self.setObjectName("document_desk")
        read_as(self, QAccessible.Role.Document).setAccessibleName(tr(PAGE_LABEL))
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.paper = PagePaper(theme)
        self._desk = QWidget()
        self._desk.setObjectName("page")
        self._column = theme.dress(QVBoxLayout(self._desk), margins=(MARGIN_PX, MARGIN_PX, MARGIN_PX, MARGIN_PX))
        self._column.addWidget(self.paper, 0, Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignHCenter)
        self.setWidget(self._desk)
        self._slow = new_timer(self, SLOW_MS, lambda: self.paper.show_words(tr(DRAWING_THE_PAGE)))
        self._resized = new_timer(self, RESIZE_MS, self.width_wanted)
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
            self.zoom_changed.emit(zoom)

    def _paper_width(self) -> int:
        room = self.width() - 2 * self._theme.px(MARGIN_PX)
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
        self.sentence = theme.dress(plain_label(wraps=True), font="row")
        self.sentence.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.text_button = text_button(tr("Show the text"))
        column = theme.dress(QVBoxLayout(self), margins=(24, 24, 24, 24), spacing=12)
        fill_layout(column, 1, self.sentence, (self.text_button, 0, Qt.AlignmentFlag.AlignHCenter), 2)

    def show_sentence(self, text: str) -> None:
        self.sentence.setText(text)
        self.sentence.setAccessibleName(text)


class PagePane(QStackedWidget):
    """Page as a picture fitted to the width, or a message. Nothing is drawn while it is hidden."""

    def __init__(
        self, theme: Theme, notify: Notify, *, announce: Callable[[str], object] = lambda _words: None
    ) -> None:
        super().__init__()
        self._announce = announce
        """Gets the reason why the requested page can't be shown."""
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
        self._first_drawing = new_timer(self, 0, self._draw)

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
        if (picture := self._drawer.picture_of(self._page, width_px)) is None:
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
        self.problem.show_sentence(sentence_for(error).text)
        had_focus = self.area.hasFocus()
        self.setCurrentWidget(self.problem)
        self.setFocusProxy(self.problem.text_button)
        if had_focus:
            self.problem.text_button.setFocus()
        self._announce(self.problem.sentence.text())

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._first_drawing.start()
