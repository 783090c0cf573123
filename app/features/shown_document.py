"""A stored document as its view asks for it: its text block by block, and its pages as pictures."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol

from app.core.lazy_dataclasses import dataclass
from app.documents.blocks import Block

if TYPE_CHECKING:
    from app.core.events import CancelToken
    from app.documents.protocol import Drawn


@dataclass(frozen=True)
class TextHighlight:
    """Part of a block to highlight; `end` 0 means the whole block."""

    block_id: int
    start: int = 0
    end: int = 0
    compares: bool = False
    """Show the text read from a picture next to the picture."""


class ShownDocument(Protocol):
    """A document to show.

    Everything but `draw_page` answers within milliseconds, on any thread; raises the store's errors.
    """

    @property
    def name(self) -> str:
        """The file's name."""

    @property
    def unit(self) -> str:
        """Name of its pages: page, slide, sheet, chapter; "" without pages."""

    @property
    def pages(self) -> int:
        """Number of pages; 0 without pages."""

    @property
    def pages_without_text(self) -> tuple[int, ...]:
        """Pages that gave no text."""

    @property
    def block_count(self) -> int:
        """Number of blocks; ids run from 1 to this."""

    @property
    def address(self) -> str:
        """Where a page of the web is from; "" for other documents."""

    @property
    def can_draw(self) -> bool:
        """True if `draw_page` works now: a PDF whose file hasn't moved or changed since it was read."""

    @property
    def note(self) -> str:
        """Reason why pages can't be drawn, where the user would expect them; else ""."""

    def read_blocks(self, first_id: int, count: int) -> list[Block]:
        """Return up to `count` blocks in order, starting at `first_id`."""

    def blocks_of_page(self, page: int) -> list[Block]:
        """Return the blocks that begin on a page, and the one that runs into it."""

    def search_text(self, text: str, limit: int = 1000) -> list[TextHighlight]:
        """Find every occurrence of a text, ignoring case, in order."""

    def draw_page(self, page: int, scale: float, cancel: CancelToken) -> Iterator[Drawn]:
        """Draw one page in a child; yields the picture, nothing when cancelled.

        Raises DocumentUnreadable, DocumentTooDemanding, DocumentReaderFailed or DocumentLocked.
        """
