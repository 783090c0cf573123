"""Paginate text documents for PDF files and printers: lay out once, cut between lines, paint page by page.

Qt's own pagination parts headings from their text and needs a long chat laid out at once. Here a document is as long as
it needs to be, with ranges that must not be cut, and each page takes what fits. So texts can be handled one by one, and
printing can be cancelled between pages.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from PySide6.QtCore import QLocale, QMarginsF, QObject, QRectF, Qt
from PySide6.QtGui import (
    QAbstractTextDocumentLayout,
    QColor,
    QFont,
    QFontMetricsF,
    QGuiApplication,
    QPagedPaintDevice,
    QPageLayout,
    QPageSize,
    QPainter,
    QPalette,
    QTextDocument,
    QTextOption,
)
from shiboken6 import delete

from app.ui.paper.page_breaks import EDGE, LaidOutText, ranges_to_keep
from app.ui.theme import LIGHT
from app.ui.theme_fonts import CODE_FAMILY, FAMILY

TEXT_PT = 10.5
MARGINS_MM = QMarginsF(22, 18, 22, 12)
FOOT_MM = 11
"""Height of the footer, with title and page number, above the lower margin."""
FOOT_PT = 8.0
LARGEST_SHARE = 0.6
"""Share of a page above which even a range to be kept together is cut."""
AIR_PT = 1.0
"""Margin around a slice, since glyphs reach out of their line."""
LIGATURES = ("calt", "liga")
"""Features turned off: a ligature can't be searched or copied as letters in the file."""


@cache
def _empty_document() -> QTextDocument:
    """Return the document others are cloned from; it is never destroyed."""
    return QTextDocument()


class Sheets:
    """Pages of a device, filled from the top, in device units; `end` finishes the last.

    `only` is the first and last page to paint; None is all. Raises OSError if the device rejects output.
    """

    def __init__(
        self, device: QPagedPaintDevice, title: str, *, is_mirrored: bool = False, only: tuple[int, int] | None = None
    ) -> None:
        self.device, self.title, self._is_mirrored = device, title, is_mirrored
        self._painter = QPainter()
        if not self._painter.begin(device):
            raise OSError("nothing can be painted there")
        self._only, self._has_page = only, False
        self._document: QTextDocument | None = None
        self._painters: dict[int, QObject] = {}
        self.page = 0
        """Number of the page being filled; 0 before the first."""
        self._y = 0.0

    def pt(self, points: float) -> float:
        """Convert points to device units, in which pages are measured."""
        return points * self.device.logicalDpiY() / 72

    def in_format(self, points: float) -> float:
        """Convert points to text-format lengths, which Qt reads as screen pixels."""
        return points * QGuiApplication.primaryScreen().logicalDotsPerInchY() / 72

    @property
    def width(self) -> float:
        return float(self.device.width())

    @property
    def height(self) -> float:
        """Height of the text on a page, without the footer."""
        return self.device.height() - self.pt(FOOT_MM * 72 / 25.4)

    def new_document(self) -> QTextDocument:
        """Return the one document, emptied and as wide as the text."""
        # Reused for all texts: connecting and disconnecting a layout takes Qt locks while holding the interpreter; the
        # window's thread may hold such a lock and wait for the interpreter, a deadlock. Cloned by Qt, because for a
        # sender created in Python Qt calls back while it holds a lock.
        if self._document is None:
            self._document = _empty_document().clone()
            self._document.documentLayout().setPaintDevice(self.device)
        document = self._document
        document.clear()
        document.setDocumentMargin(0)
        document.setUndoRedoEnabled(False)
        document.setDefaultFont(paper_font(TEXT_PT))
        option = QTextOption()
        option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        document.setDefaultTextOption(option)
        document.setTextWidth(self.width)
        return document

    def painter(self, kind: int, make: Callable[[], QObject]) -> QObject:
        """Return the object that paints a kind of inline object, made on first use."""
        if kind not in self._painters:
            assert self._document is not None
            self._painters[kind] = make()  # Qt does not keep it alive
            self._document.documentLayout().registerHandler(kind, self._painters[kind])
        return self._painters[kind]

    def add(self, text: LaidOutText) -> None:
        """Append a document, breaking pages where its rules allow it."""
        text.document.size()  # completes the layout, which Qt would do bit by bit
        if not (stretches := list(ranges_to_keep(text, self.height * LARGEST_SHARE))):
            return
        if self.page and self._y:
            self._y += self.pt(text.gap_pt)
        if not self.page:
            self.new_page()
        first, last = stretches[0][0], stretches[0][0]
        for top, bottom in stretches:
            if self._y + self._head_px(text, first) + bottom - first > self.height and (last > first or self._y):
                self._paint(text, first, last)
                self.new_page()
                first = top
            last = bottom
        self._paint(text, first, last)

    def new_page(self) -> None:
        """Start a new page, finishing the one before with its footer."""
        if self.page:
            self._paint_foot()
        self.page += 1
        self._y = 0.0
        if self._is_painted:
            if self._has_page:
                self.device.newPage()
            self._has_page = True

    @property
    def _is_painted(self) -> bool:
        return self._only is None or self._only[0] <= self.page <= self._only[1]

    def end(self) -> None:
        """Finish the last page and release the device and the document."""
        if self.page:
            self._paint_foot()
        self._painter.end()
        for painter in self._painters.values():
            delete(painter)  # first: the document is connected with it
        if self._document is not None:
            delete(self._document)
        self._painters, self._document = {}, None

    def _paint(self, text: LaidOutText, top: float, bottom: float) -> None:
        if bottom <= top:
            return
        for head_top, head_bottom, whole in text.heads:
            if head_bottom < top + EDGE < whole:
                self._slice(text, head_top, head_bottom)
        self._slice(text, top, bottom)

    def _head_px(self, text: LaidOutText, top: float) -> float:
        return sum(below - above for above, below, whole in text.heads if below < top + EDGE < whole)

    def _slice(self, text: LaidOutText, top: float, bottom: float) -> None:
        painter, air, y = self._painter, self.pt(AIR_PT), self._y
        self._y += bottom - top
        if not self._is_painted:
            return
        painter.save()
        painter.translate(0, y - top)
        painter.setClipRect(QRectF(-air, top - air, self.width + 2 * air, bottom - top + 2 * air))
        painter.setPen(Qt.PenStyle.NoPen)
        for ground in text.grounds:
            if ground.box.top() < bottom and ground.box.bottom() > top:
                painter.setBrush(QColor(ground.color))
                painter.save()
                painter.setClipRect(QRectF(-air, top, self.width + 2 * air, bottom - top))
                painter.drawRoundedRect(ground.box, ground.radius, ground.radius)
                painter.restore()
        context = QAbstractTextDocumentLayout.PaintContext()
        # A little less than the slice, or Qt would also draw lines that only touch it.
        context.clip = QRectF(0, top + EDGE, self.width, bottom - top - 2 * EDGE)
        context.palette.setColor(QPalette.ColorRole.Text, QColor(LIGHT.text))
        text.document.documentLayout().draw(painter, context)
        painter.restore()

    def _paint_foot(self) -> None:
        if not self._is_painted:
            return
        painter, font = self._painter, paper_font(FOOT_PT)
        metrics = QFontMetricsF(font, self.device)
        painter.setFont(font)
        painter.setPen(QColor(LIGHT.muted))
        number = str(self.page)
        title = metrics.elidedText(self.title, Qt.TextElideMode.ElideRight, self.width - 3 * self.pt(24))
        line = QRectF(0, self.device.height() - metrics.height(), self.width, metrics.height())
        sides = Qt.AlignmentFlag.AlignLeft, Qt.AlignmentFlag.AlignRight
        for words, side in ((title, sides[self._is_mirrored]), (number, sides[not self._is_mirrored])):
            painter.drawText(line, side | Qt.AlignmentFlag.AlignAbsolute | Qt.AlignmentFlag.AlignVCenter, words)


def paper_font(size_pt: float, weight: int = 400, family: str = FAMILY) -> QFont:
    """Return a font without ligatures, its size in points of the paper."""
    font = QFont(family)
    font.setPointSizeF(size_pt)
    font.setWeight(QFont.Weight(weight))
    # Text in the file can be copied and searched only without them.
    for feature in LIGATURES:
        font.setFeature(QFont.Tag(feature), 0)
    if family == CODE_FAMILY:
        font.setStyleHint(QFont.StyleHint.Monospace)
    return font


def page_layout() -> QPageLayout:
    """Return the page size of the locale: Letter with inches, else A4."""
    is_imperial = QLocale.system().measurementSystem() == QLocale.MeasurementSystem.ImperialUSSystem
    size = QPageSize(QPageSize.PageSizeId.Letter if is_imperial else QPageSize.PageSizeId.A4)
    return QPageLayout(size, QPageLayout.Orientation.Portrait, MARGINS_MM, QPageLayout.Unit.Millimeter)
