"""Draws pages on a thread, one at a time, the requested one first; caches a few."""

from __future__ import annotations

import zlib
from collections import OrderedDict
from collections.abc import Iterator

from PySide6.QtCore import QObject, QSizeF, Signal
from PySide6.QtGui import QImage

from app.core.errors.document_errors import DocumentUnreadable
from app.core.events import CancelToken
from app.core.lazy_dataclasses import dataclass, replace
from app.documents.protocol import Drawn
from app.features.shown_document import ShownDocument
from app.ui.shell import tasks
from app.ui.widgets.timers import new_timer

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
        self._ahead = new_timer(self, IDLE_MS, self._draw_neighbour)
        self._patience = new_timer(self, PATIENCE_MS, self._cancel_unwanted)

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
        if (document := self._document) is None:
            return
        page, width_px = key
        guess = self.size_of(page)
        is_known = page in self._sizes

        def draw_page(token: CancelToken) -> Iterator[object]:
            yield from _pictures(document, page, width_px, guess, token, is_known=is_known)

        self._running = key
        task = self._task = tasks.run(
            draw_page,
            self,
            on_event=lambda picture: self._on_picture(task, picture),
            on_end=lambda: self._on_end(task),
            on_failed=lambda error: self._on_failed(task, error),
        )

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
