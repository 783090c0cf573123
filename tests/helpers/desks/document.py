"""A document that is read: the view that every page chip and source opens, beside a chat, a summary or alone."""

from __future__ import annotations

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QLabel, QLineEdit, QMenu, QToolButton

from app.features.shown_document import TextHighlight
from app.ui.document.document_page import DocumentProblem, PageArea, PagePaper
from app.ui.document.document_text import DocumentText
from app.ui.document.document_view import DocumentView
from app.ui.text.search_row import TextSearchRow
from tests.helpers.desks.desk import Desk, Found


class ReaderDesk(Desk):
    """The view with its page or its text, its header and its search."""

    root: DocumentView

    area = Found(PageArea)
    paper = Found(PagePaper)
    text = Found(DocumentText)
    note = Found(QLabel, "document_note")
    problem = Found(DocumentProblem)
    name = Found(QLabel, "document_name")
    where = Found(QLabel, "document_where")
    search_button = Found(QToolButton, "search_document")
    more_button = Found(QToolButton, "document_more")
    show_text = Found(QAction, "show_text")
    save_words = Found(QAction, "save_words")
    larger = Found(QAction, "larger")
    previous_page = Found(QToolButton, "previous_page")
    next_page = Found(QToolButton, "next_page")
    close_button = Found(QToolButton, "close_document")
    search_row = Found(TextSearchRow)
    search_field = Found(QLineEdit, "search_field")
    search_count = Found(QLabel, "search_count")

    def choose_more(self, name: str) -> None:
        """An action of the menu behind "…", whose text begins so."""
        self.click(self.more_button)
        self.choose(self.find_step(QMenu, "document_menu"), name)
        self.wait(lambda: not self.every(QMenu, "document_menu"))

    @property
    def is_visible(self) -> bool:
        """Whether it is there to be read."""
        return self.root.isVisible()

    @property
    def page(self) -> int:
        """Which page is shown, from 1."""
        return self.root.page

    @property
    def mark(self) -> TextHighlight | None:
        """What of it is marked."""
        return self.root.mark

    @property
    def marked_text(self) -> str:
        """The words that are marked."""
        document, mark = self.root.document, self.mark
        assert document is not None
        assert mark is not None
        (block,) = document.read_blocks(mark.block_id, 1)
        return block.text[mark.start : mark.end or None]

    @property
    def has_hits(self) -> bool:
        """Whether the search has found something."""
        return bool(self.search_row.hits)

    @property
    def is_drawn(self) -> bool:
        """Whether there is a picture of a page."""
        return self.paper.shown is not None

    @property
    def is_sharp(self) -> bool:
        """Whether the page is drawn for the width of now."""
        shown, width_px = self.paper.shown, self.area.width_px
        return (
            shown is not None
            and shown.page == self.page
            and shown.width_px == width_px
            and abs(shown.image.width() - width_px) <= 1
        )
