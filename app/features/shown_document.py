"""A document that was read, as the document view asks for it: its text block by block, and its pages as pictures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from app.core.events import CancelToken
from app.documents.blocks import Block
from app.documents.protocol import Drawn


@dataclass(frozen=True)
class Mark:
    """What to mark: a stretch of a block's text; `end` 0 is all of it."""

    block_id: int
    start: int = 0
    end: int = 0


class ShownDocument(Protocol):
    """One document. Everything but `draw` answers within milliseconds, on any thread; raises what the store raises."""

    @property
    def name(self) -> str:
        """The file's name."""

    @property
    def unit(self) -> str:
        """What its pages are: page, slide, sheet, chapter; "" where it has none."""

    @property
    def pages(self) -> int:
        """How many; 0 where it has none."""

    @property
    def pages_without_text(self) -> tuple[int, ...]:
        """Pages from which no text came."""

    @property
    def block_count(self) -> int:
        """How many blocks; their ids are 1 to this."""

    @property
    def can_draw(self) -> bool:
        """Whether `draw` can show pages now: a PDF whose file is where it was, unchanged since it was read."""

    @property
    def note(self) -> str:
        """A sentence on why it cannot be drawn, where that is news; "" otherwise."""

    def blocks(self, first_id: int, count: int) -> list[Block]:
        """Blocks in order from one on."""

    def blocks_of_page(self, page: int) -> list[Block]:
        """The blocks that begin on a page, and the one that reaches into it."""

    def search(self, text: str, limit: int = 1000) -> list[Mark]:
        """Where these letters stand, whatever their case, in order."""

    def draw(self, page: int, scale: float, cancel: CancelToken) -> Iterator[Drawn]:
        """Draws one page in a child; the one event is the picture, none where it was cancelled.

        Raises DocumentUnreadable, DocumentTooDemanding, DocumentReaderFailed or DocumentLocked.
        """
