"""Paginate text documents for PDF files and printers: lay out once, cut between lines, paint page by page.

Qt's own pagination parts headings from their text and needs a long chat laid out at once. Here a document is as long as
it needs to be, with ranges that must not be cut, and each page takes what fits. So texts can be handled one by one, and
printing can be cancelled between pages.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from PySide6.QtCore import QEventLoop, QFile, QIODevice, QLocale, QMarginsF, QObject, QRectF, Qt
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
    QPdfWriter,
    QTextBlock,
    QTextDocument,
    QTextOption,
)
from shiboken6 import delete

from app import APP_NAME, __version__
from app.core.paths import disk_problem
from app.features.work.saved_file import replace_file, scratch_beside
from app.ui.theme import CODE_FAMILY, FAMILY, LIGHT

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
EDGE = 0.5
"""Device units by which touching ranges may overlap."""

Stretch = tuple[float, float]
"""Top and bottom within a laid-out document."""


@dataclass(frozen=True)
class Ground:
    """Background of a range, painted below the text and cut along with it."""

    box: QRectF
    color: str
    radius: float = 0.0


@dataclass
class LaidOutText:
    """A laid-out document with its page-break rules.

    `kept` ranges stay whole if they aren't too long. A head (top, bottom, bottom of the whole) is repeated on each page
    its table reaches.
    """

    document: QTextDocument
    gap_pt: float = 0.0
    """Space above, unless it starts a page."""
    grounds: list[Ground] = field(default_factory=list)
    kept: list[Stretch] = field(default_factory=list)
    heads: list[tuple[float, float, float]] = field(default_factory=list)


@cache
def _empty_document() -> QTextDocument:
    """Return the document others are cloned from; it is never destroyed."""
    return QTextDocument()


class Sheets:
    """Pages of a device, filled from the top, in device units; `end` finishes the last.

    `only` is the first and last page to paint; None is all. Raises OSError if the device rejects output.
    """

    def __init__(
        self,
        device: QPagedPaintDevice,
        title: str,
        *,
        is_mirrored: bool = False,
        only: tuple[int, int] | None = None,
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
        stretches = list(_stretches(text, self.height * LARGEST_SHARE))
        if not stretches:
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


# Page breaks: between lines, and not inside ranges to be kept together.


def _stretches(text: LaidOutText, largest: float) -> Iterator[Stretch]:
    """Yield ranges not to be cut, top to bottom; overlapping ones are merged unless they get too long."""
    lines = sorted(_lines(text.document))
    kept = sorted(
        [
            *lines,
            *(heading for heading in [*text.kept, *_headings(text.document)] if heading[1] - heading[0] <= largest),
        ]
    )
    for top, bottom in _joined(kept):
        if bottom - top <= largest:
            yield top, bottom
        else:  # a chain of ranges to be kept together
            inside = [line for line in lines if top - EDGE < line[0] and line[1] < bottom + EDGE]
            yield from _joined(inside)


def _joined(stretches: list[Stretch]) -> Iterator[Stretch]:
    if not stretches:
        return
    top, bottom = stretches[0]
    for above, below in stretches[1:]:
        if above >= bottom - EDGE:
            yield top, bottom
            top, bottom = above, below
        else:
            bottom = max(bottom, below)
    yield top, bottom


def _lines(document: QTextDocument) -> Iterator[Stretch]:
    """Yield each line; the first two and the last two of a paragraph are one range, against widows and orphans."""
    for block in _blocks(document):
        layout, start = block.layout(), _top(block)
        count = layout.lineCount()
        bounds = [(start + line.y(), start + line.y() + line.height()) for line in map(layout.lineAt, range(count))]
        if not count:
            continue
        yield bounds[0][0], bounds[min(1, count - 1)][1]
        yield bounds[max(0, count - 2)][0], bounds[-1][1]
        yield from bounds[2:-2]


def _headings(document: QTextDocument) -> Iterator[Stretch]:
    """Yield each heading with the first lines after it."""
    for block in _blocks(document):
        after = block.next()
        if block.blockFormat().headingLevel() and after.isValid():
            lines = after.layout()
            last = lines.lineAt(min(1, lines.lineCount() - 1)) if lines.lineCount() else None
            yield _top(block), _top(after) + (last.y() + last.height() if last is not None else 0)


def _blocks(document: QTextDocument) -> Iterator[QTextBlock]:
    block = document.begin()
    while block.isValid():
        yield block
        block = block.next()


def _top(block: QTextBlock) -> float:
    """Return the top of a block's lines, including margins of its table and frames."""
    return block.document().documentLayout().blockBoundingRect(block).top()


# PDF file, moved to its place once complete.

DPI = 1200
"""Resolution of text positions; nothing is rasterized, so it costs no size."""


@contextmanager
def pdf_file(path: Path, title: str) -> Iterator[QPdfWriter]:
    """Yield a PDF writer; the file at `path` is replaced at the end.

    Works on any thread. Raises DiskFull or FolderNotWritable.
    """
    timers = QEventLoop()  # noqa: F841 - gives the thread what a long text wants that lays itself out bit by bit
    try:
        with scratch_beside(path, ".pdf") as scratch:
            # Private from the start: Qt would create the file by the user's umask.
            os.close(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
            file = QFile(str(scratch))
            if not file.open(QIODevice.OpenModeFlag.WriteOnly):
                raise PermissionError(errno.EACCES, file.errorString())
            try:
                writer = QPdfWriter(file)
                writer.setResolution(DPI)
                writer.setTitle(title)
                writer.setCreator(f"{APP_NAME} {__version__}")
                writer.setPageLayout(page_layout())
                yield writer
                del writer  # its destructor writes the end of the file
                if not file.flush() or file.error() != QFile.FileError.NoError:
                    raise OSError(errno.ENOSPC, file.errorString())  # it could be opened, so the disk is full
                os.fsync(file.handle())
            finally:
                file.close()
            replace_file(scratch, path)
    except OSError as error:
        raise disk_problem(error, path.parent) from error
