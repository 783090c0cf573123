"""The open document, and its page beside the page's recognized text."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QSplitter, QWidget

from app.documents.blocks import Block
from app.features.page_reading.corrections import PageCorrections
from app.features.shown_document import ShownDocument, TextHighlight
from app.ui.document.header import page_words
from app.ui.document.reading_pane import PageReadingPane
from app.ui.shell.notify import Notify
from app.ui.theme import Theme

COMPARED_PX = 636
"""From this width on, a page and its recognized text are side by side."""


class OpenDocument:
    """The open document with its current page and blocks. Errors of the store are shown."""

    def __init__(self, document: ShownDocument, notify: Notify) -> None:
        self.document, self._notify = document, notify
        self.page = 0
        """From 1; 0 in documents without pages."""
        self.blocks: list[Block] = []
        """Blocks of the page; empty in documents without pages."""

    def go_to(self, page: int) -> None:
        self.page = page
        self.blocks = self._ask(lambda: self.document.blocks_of_page(page)) if page else []

    def has_page(self, page: int) -> bool:
        return bool(self.page) and 1 <= page <= self.document.pages

    def block_of(self, mark: TextHighlight) -> Block | None:
        """Return the block of a mark, on whatever page it is."""
        return next(iter(self._ask(lambda: self.document.read_blocks(mark.block_id, 1))), None)

    def span(self) -> tuple[int, int] | None:
        """Return the first and last block of the readable text; None if there is none."""
        if self.page:
            return (self.blocks[0].id, self.blocks[-1].id) if self.blocks else None
        return (1, self.document.block_count) if self.document.block_count else None

    def position_words(self) -> str:
        """Return the position: page of pages, or the name for documents without pages."""
        if not self.page:
            return self.document.name
        return page_words(self.document.unit, self.page, self.document.pages)

    def _ask(self, ask: Callable[[], list[Block]]) -> list[Block]:
        with self._notify.guard():
            return ask()
        return []


class PagePanes(QSplitter):
    """Page picture and recognized text, side by side if there is room, else stacked."""

    def __init__(
        self, theme: Theme, notify: Notify, picture: QWidget, *, on_renewed: Callable[[int, int], object]
    ) -> None:
        super().__init__()
        self.on_renewed, self._theme, self._notify = on_renewed, theme, notify
        self.setObjectName("comparing")
        self.setHandleWidth(1)
        self.setChildrenCollapsible(False)
        self.addWidget(picture)

    @cached_property
    def reading(self) -> PageReadingPane:
        """Pane of recognized text, built on first use and hidden at first."""
        # Few documents have any.
        reading = PageReadingPane(self._theme, self._notify, on_renewed=self.on_renewed)
        reading.hide()
        self.addWidget(reading)
        return reading

    @property
    def is_comparing(self) -> bool:
        # Asking must not build the pane.
        return "reading" in self.__dict__ and not self.reading.isHidden()

    def show_reading(self, is_shown: bool) -> None:
        was_shown = self.is_comparing
        if is_shown or was_shown:
            self.reading.save_edits()
            self.reading.setVisible(is_shown)
        self._arrange(is_new=is_shown and not was_shown)

    def show_page(self, corrections: PageCorrections | None, document_id: int, page: int) -> None:
        """Show a page's recognized text, if that pane is open."""
        if self.is_comparing:
            self.reading.show_page(corrections, document_id, page)

    def take_over(self, corrections: PageCorrections | None, document_id: int) -> None:
        """Switch to a newer reading of the same file."""
        if self.is_comparing:
            self.reading.take_over(corrections, document_id)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def _arrange(self, *, is_new: bool = False) -> None:
        """Split the room in half, until the user moves the divider."""
        is_wide = self.width() >= self._theme.px(COMPARED_PX)
        orientation = Qt.Orientation.Horizontal if is_wide else Qt.Orientation.Vertical
        if is_new or orientation != self.orientation():
            self.setOrientation(orientation)
            # Equal, and more than there is: Qt scales both to the room.
            self.setSizes([1_000_000] * 2)
