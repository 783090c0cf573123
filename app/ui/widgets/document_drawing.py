"""Draws pages off the window's thread, one at a time, the one that is wanted first; keeps a few of them."""

from __future__ import annotations

import zlib
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, replace

from PySide6.QtCore import QObject, QSizeF, QTimer, Signal
from PySide6.QtGui import QImage

from app.core.errors import DocumentUnreadable
from app.core.events import CancelToken
from app.documents.protocol import Drawn
from app.features.shown_document import ShownDocument
from app.ui.shell import tasks

CACHE_BYTES = 64_000_000
IDLE_MS = 150
# A cancel costs the child that draws, and most pages take less than starting another one.
PATIENCE_MS = 200
A4_PT = QSizeF(595.3, 841.9)
MOST_SCALE = 20.0


@dataclass(frozen=True)
class Picture:
    """A page as it can be painted. `width_px` is the width that was asked for.

    One that is not `is_final` was drawn for another page size than it has; the one in the right width follows.
    """

    page: int
    width_px: int
    size_pt: QSizeF
    image: QImage
    is_final: bool = True


class PageDrawer(QObject):
    """`drawn` brings a picture, `failed` a page and why there is none; both only for the document of now."""

    drawn = Signal(object)
    failed = Signal(int, object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._document: ShownDocument | None = None
        self._pictures: OrderedDict[tuple[int, int], Picture] = OrderedDict()
        self._sizes: dict[int, QSizeF] = {}
        self._last_size = A4_PT
        self._wanted: tuple[int, int] | None = None
        self._running: tuple[int, int] | None = None
        self._neighbours: list[tuple[int, int]] = []
        self._task: tasks.Task | None = None
        self._ahead = QTimer(self, singleShot=True, interval=IDLE_MS)
        self._ahead.timeout.connect(self._draw_neighbour)
        self._patience = QTimer(self, singleShot=True, interval=PATIENCE_MS)
        self._patience.timeout.connect(self._cancel_unwanted)

    @property
    def is_busy(self) -> bool:
        """Whether a page is being drawn."""
        return self._task is not None

    @property
    def is_idle(self) -> bool:
        """Whether nothing is drawn and nothing will be until somebody asks."""
        return self._task is None and not self._ahead.isActive()

    @property
    def kept_bytes(self) -> int:
        """What the pictures kept take."""
        return sum(picture.image.sizeInBytes() for picture in self._pictures.values())

    def set_document(self, document: ShownDocument | None) -> None:
        """Forgets everything of the one before; what runs for it is cancelled and not told any more."""
        if self._task is not None:
            self._task.abandon()
        self._task = self._running = self._wanted = None
        self._neighbours = []
        self._ahead.stop()
        self._patience.stop()
        self._pictures.clear()
        self._sizes.clear()
        self._last_size = A4_PT
        self._document = document

    def size_of(self, page: int) -> QSizeF:
        """A page's size in points; before it was drawn that of the last one, since most are alike."""
        return self._sizes.get(page, self._last_size)

    def picture_of(self, page: int, width_px: int) -> Picture | None:
        """What is there to paint now: in that width, or the sharpest in another one."""
        exact = self._pictures.get((page, width_px))
        others = [picture for (number, _), picture in self._pictures.items() if number == page]
        return exact or max(others, key=lambda picture: picture.width_px, default=None)

    def want(self, page: int, width_px: int) -> None:
        """Asks for a page in a width of device pixels; only the latest wish counts."""
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
            self._patience.start()  # the end of what runs starts the wish of then

    def drop_wish(self) -> None:
        """Nothing is wanted any more, such as while the text is shown; what is being drawn is still kept."""
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

    def _on_picture(self, task: tasks.Task, picture: Picture) -> None:
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

    def _on_end(self, task: tasks.Task) -> None:
        if task is not self._task:
            return
        if self._wanted == self._running:
            self._wanted = None
        self._task = self._running = None
        if self._wanted is not None:
            self._start(self._wanted)
        else:
            self._ahead.start()

    def _on_failed(self, task: tasks.Task, error: BaseException) -> None:
        if task is not self._task:
            return
        failed, self._task, self._running = self._running, None, None
        if self._wanted is not None and self._wanted != failed:
            self._start(self._wanted)  # why a page that nobody wants any more failed is nobody's concern
        elif self._wanted is not None:
            self._wanted = None
            self.failed.emit(failed[0] if failed else 0, error)

    def _draw_neighbour(self) -> None:
        """While nothing is asked for: the next page, then the one before; each once, whatever comes of it."""
        if self._document is None or self._task is not None:
            return
        while self._neighbours:
            key = self._neighbours.pop(0)
            if 1 <= key[0] <= self._document.pages and key not in self._pictures:
                self._start(key)
                return


def _pictures(
    document: ShownDocument, page: int, width_px: int, guess: QSizeF, token: CancelToken, *, is_known: bool
) -> Iterator[Picture]:
    """The page in the width asked for; a second time where its size was only guessed and was another one."""
    size = guess
    for is_last in (True,) if is_known else (False, True):
        if token.cancelled:
            return
        scale = min(width_px / max(size.width(), 1.0), MOST_SCALE)
        for drawn in document.draw(page, scale, token):
            picture = picture_from(drawn, width_px, document.name)
            size = picture.size_pt
            is_final = is_last or picture.image.width() == width_px  # one pixel less is already a blur
            yield replace(picture, is_final=is_final)
            if is_final:
                return


def picture_from(drawn: Drawn, width_px: int, name: str) -> Picture:
    """Unpacks what the child drew; raises DocumentUnreadable where it is not what it says it is."""
    wanted = drawn.width * drawn.height * 3
    try:
        inflate = zlib.decompressobj()
        rows = inflate.decompress(drawn.pixels, max(1, wanted))
    except (ValueError, zlib.error) as error:
        raise DocumentUnreadable(name, "not_drawn") from error
    if not wanted or len(rows) != wanted or not (drawn.width_pt > 0 and drawn.height_pt > 0):
        raise DocumentUnreadable(name, "not_drawn")
    image = QImage(rows, drawn.width, drawn.height, drawn.width * 3, QImage.Format.Format_RGB888)
    # A copy: the rows go when this function ends. RGB32 is what is painted without a conversion each time.
    copy = image.convertToFormat(QImage.Format.Format_RGB32)
    return Picture(drawn.page, width_px, QSizeF(drawn.width_pt, drawn.height_pt), copy)
